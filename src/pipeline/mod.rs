//! Wires the stages: a job in, an outcome out. The only module that knows them all.
//!
//! One thread unseals and cuts, every core mills, and the calling thread joins:
//!
//! ```text
//! unseal ─▶ cut ─▶ [chunks] ═▶ mill ═▶ [milled] ─▶ join ─▶ NAME.part ─▶ NAME
//! ```
//!
//! # Memory
//!
//! Chunks are lent from a fixed number of buffers, so what is under way does not grow with the delivery. The
//! rules on the set keep under 64 bytes a token (`set.rs`).

mod assign;
mod join;
mod kept;
mod mill;
mod output;
mod part;
mod report;
mod run;
mod set;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use assign::Assignments;
pub use output::Destination;
pub use part::Parts;
pub use report::{write_csv, write_json};
pub use run::run;

use crate::error::Error;
use crate::format::{Format, ReadOptions, Writer};
use crate::limits::Limits;
use crate::record::{Code, Field, Finding, Severity, Tally, Trail};
use crate::unseal::Input;

/// Everything that one run is to do.
pub struct Job {
    /// What to read.
    pub inputs: Vec<Input>,
    /// Which members to read, by their name; `None` means all.
    pub wanted: Option<MemberFilter>,
    /// Which members and layers to leave out, by their name, before anything is asked of them.
    pub skipped: Option<MemberFilter>,
    /// How to read them.
    pub read: ReadOptions,
    /// Values for fields that a record lacks.
    pub set: Vec<(Field, String)>,
    /// What is made of the tokens.
    pub task: Task,
    /// Users for serials.
    pub assign: Option<Assignments>,
    /// What the user says of severities.
    pub severities: Severities,
    /// Emit the good tokens although some were rejected.
    pub skip_rejected: bool,
    /// Keep every finding, and hash what is read and written, for a report.
    pub report: bool,
    /// Threads of the mill; 0 means one for each core.
    pub threads: usize,
    /// What the delivery may cost.
    pub limits: Limits,
    /// Where unfinished output is noted, so that a signal handler can remove it.
    pub parts: Parts,
}

/// Says something of a member by its name: `tokens.xml`, or `inner.zip > tokens.xml`.
pub type MemberFilter = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// What a job makes of the tokens.
pub enum Task {
    /// Layers, formats and counts only: no rule is applied and no seed decoded.
    Inspect,
    /// Every rule and the proof, and no output. Without a target, the rules on tokens and on the set, proved through `jsonl`.
    Check(Option<Writer>),
    /// The main job.
    Convert(Writer, Destination),
}

/// Severities as the user wants them.
#[derive(Clone, Debug, Default)]
pub struct Severities {
    /// `--allow`: kept with a warning.
    pub allowed: Vec<Code>,
    /// `--deny`: rejected.
    pub denied: Vec<Code>,
}

impl Severities {
    /// The severity of a code in this run, where its own is `default`.
    pub fn of(&self, code: Code, default: Severity) -> Severity {
        if self.denied.contains(&code) {
            Severity::Rejected
        } else if code.allowable() && self.allowed.contains(&code) {
            Severity::Warning
        } else {
            default
        }
    }
}

/// What can be seen of a run from outside while it goes on.
#[derive(Debug, Default)]
pub struct Watch {
    /// Bytes of the delivery read so far.
    pub bytes: Arc<AtomicU64>,
    /// Records joined so far.
    pub records: AtomicU64,
}

impl Watch {
    /// Bytes of the delivery and records so far.
    pub fn now(&self) -> (u64, u64) {
        (self.bytes.load(Ordering::Relaxed), self.records.load(Ordering::Relaxed))
    }
}

/// What became of a run, also of one that stopped.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was in the deliveries.
    pub deliveries: Vec<Delivery>,
    /// Records read.
    pub read: u64,
    /// Tokens that every rule accepts.
    pub accepted: u64,
    /// Records left out.
    pub rejected: u64,
    /// Tokens whose written bytes compute the codes that were delivered.
    pub proved: u64,
    /// Findings of each code.
    pub tally: Tally,
    /// Findings: the first ten of each code, or all that fit the bound for a report.
    pub findings: FindingLog,
    /// What was written. Empty where nothing was.
    pub outputs: Vec<Output>,
    /// Standard output's share, held until everything was checked.
    pub held: Option<crate::record::Plain>,
    /// A dead run's unfinished output that was replaced.
    pub replaced: Option<PathBuf>,
    /// What ended the run early; nothing was written then.
    pub stopped: Option<Error>,
}

pub use report::FindingLog;

/// One delivery, as it was found.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    /// As the user named it.
    pub path: String,
    /// SHA-256 of the file, in hex; for a report, and of files only.
    pub sha256: Option<String>,
    /// Layers in the order they were opened, such as `ZIP (AES-256)`.
    pub layers: Vec<String>,
    /// Plain members that were read.
    pub members: Vec<Member>,
}

/// One member, as it was read.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name, behind those of the layers: `inner.zip > tokens.xml`; a delivery that is itself the member goes by its
    /// own name.
    pub name: String,
    /// The way to it, for messages.
    pub trail: Trail,
    /// Its format; `None` for a key file.
    pub format: Option<Format>,
    /// Records in it.
    pub records: u64,
    /// Why its records could not be read, where that stops nothing (`inspect` without the key).
    pub unread: Option<String>,
}

/// One file that was written.
#[derive(Clone, Debug)]
pub struct Output {
    /// Where it is; `-` is standard output.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// Tokens in it.
    pub tokens: u64,
    /// SHA-256, in hex; for a report or a manifest.
    pub sha256: Option<String>,
}

/// What a member goes by: its names behind the delivery's, or its own file name where it is the delivery itself.
fn name_of(trail: &Trail) -> String {
    match trail.steps() {
        [_, inner @ ..] if !inner.is_empty() => inner.join(" > "),
        _ => {
            let delivery = trail.name();
            Path::new(delivery)
                .file_name()
                .map_or_else(|| delivery.to_owned(), |name| name.to_string_lossy().into_owned())
        }
    }
}

impl Outcome {
    /// Whether every record was accepted.
    pub fn is_clean(&self) -> bool {
        self.stopped.is_none() && self.tally.with(Severity::Rejected) == 0
    }

    /// The findings that a person is shown, those of one code together.
    pub fn shown(&self) -> &[Finding] {
        self.findings.first()
    }
}
