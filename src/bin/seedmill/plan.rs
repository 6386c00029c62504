//! What the arguments mean: a job and a keyring for the library, or the reason why not.
//!
//! Nothing is read of a delivery here; only the small files that options name are.

use std::io::{IsTerminal, stdout};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use seedmill::error::{Error, ErrorKind};
use seedmill::format::ReadOptions;
use seedmill::limits::Limits;
use seedmill::pipeline::{Assignments, Job, MemberFilter, Severities, Task};
use seedmill::record::Keyring;
use seedmill::unseal::Input;

use crate::args::{Check, Common, Convert, Inspect, LimitArgs, Rules};
use crate::guard::Guard;
use crate::keys;
use crate::paths::{apart_from_inputs, destination, is_stream, name, settled};
use crate::progress::Progress;
use crate::render::{Doing, Run};
use crate::report::{Kind, Report};
use crate::tabular::{csv_options, only_csv, writer};

/// A run that can begin.
pub(crate) struct Plan {
    pub(crate) job: Job,
    pub(crate) keyring: Keyring,
    pub(crate) progress: Progress,
    pub(crate) run: Run,
}

/// Why a run cannot begin.
pub(crate) enum Refusal {
    /// The command line makes no sense; no report is written.
    Usage(Usage),
    /// A file that an option names is bad.
    Stopped(Error),
}

/// What is wrong with a command line.
#[derive(Debug)]
pub(crate) struct Usage {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Usage {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl From<Usage> for Refusal {
    fn from(usage: Usage) -> Self {
        Self::Usage(usage)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Usage { message } => Self::Usage(Usage::new(message.as_str())),
            _ => Self::Stopped(error),
        }
    }
}

/// A plan, or a part of one.
pub(crate) type Planned<T> = Result<T, Refusal>;

/// Plans to look only.
pub(crate) fn inspect(args: &Inspect, guard: &Guard) -> Planned<Plan> {
    sound_inputs(&args.common)?;
    plan(&args.common, None, Task::Inspect, false, guard)
}

/// Plans to try everything and write nothing.
pub(crate) fn check(args: &Check, guard: &Guard) -> Planned<Plan> {
    sound_inputs(&args.common)?;
    let written = args.to.map(|to| writer(to, &args.written)).transpose()?;
    if written.is_none() {
        only_csv(None, &args.written)?;
    }
    plan(&args.common, Some(&args.rules), Task::Check(written), false, guard)
}

/// Plans the main job.
pub(crate) fn convert(args: &Convert, guard: &Guard) -> Planned<Plan> {
    sound_inputs(&args.common)?;
    let destination = destination(args, stdout().is_terminal())?;
    if let Some(path) = args.output.as_deref().filter(|path| !is_stream(path)) {
        apart_from_inputs(path, "output", &args.common, Some(args))?;
        let report = args.common.telling.report.as_deref().and_then(settled);
        // A folder of batches is replaced as a whole, and a report in it would go with it.
        if let (Some(report), Some(output)) = (report, settled(path))
            && report.starts_with(output)
        {
            return Err(Usage::new("the report has the path of the output, or lies in it").into());
        }
    }
    let writer = writer(args.to, &args.written)?;
    plan(&args.common, Some(&args.rules), Task::Convert(writer, destination), args.skip_rejected, guard)
}

fn plan(common: &Common, rules: Option<&Rules>, task: Task, skip_rejected: bool, guard: &Guard) -> Planned<Plan> {
    let limits = limits(&common.limits);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|now| i64::try_from(now.as_secs()).ok());
    let (csv, set) = csv_options(&common.reading)?;
    let assign = rules.and_then(|rules| rules.assign.as_deref()).map(|path| assignments(path, &limits)).transpose()?;
    let progress = Progress::new(&common.telling, &common.deliveries);
    let keyring = keys::keyring(&common.keys, keys::from_environment(), progress.bar())?;
    let doing = match &task {
        Task::Inspect => Doing::Inspect,
        Task::Check(_) => Doing::Check,
        Task::Convert(..) => Doing::Convert { skip_rejected },
    };
    let job = Job {
        inputs: common.deliveries.iter().map(|path| input(path)).collect::<Planned<_>>()?,
        wanted: member_filter(&common.reading.member),
        skipped: member_filter(&common.reading.skip_member),
        read: ReadOptions { from: common.reading.from, csv, now },
        set,
        task,
        assign,
        severities: rules.map(severities).transpose()?.unwrap_or_default(),
        skip_rejected,
        report: common.telling.report.is_some() || common.telling.json,
        threads: common.telling.threads,
        limits,
        parts: guard.parts.clone(),
    };
    // Last, so that no refusal leaves it behind.
    let report = report(common, guard)?;
    Ok(Plan { job, keyring, progress, run: Run { doing, report } })
}

fn input(path: &Path) -> Planned<Input> {
    if !is_stream(path) {
        return Ok(Input::Path(path.to_owned()));
    }
    let name = keys::name(path);
    match keys::standard_input() {
        Ok(stream) => Ok(Input::Stream(stream, name)),
        Err(error) => Err(Refusal::Stopped(Error::reading(error, name))),
    }
}

/// Checks what needs no file to be read: standard input, and the report's name.
fn sound_inputs(common: &Common) -> Planned<()> {
    let streams = common.deliveries.iter().chain(&common.keys.password_file).filter(|path| is_stream(path)).count();
    if streams > 1 {
        let usage = Usage::new("standard input can be read once, but `-` is named twice");
        return Err(usage.hint("name a file for one of them").into());
    }
    if let Some(path) = &common.telling.report {
        if Kind::of(path).is_none() {
            let message = format!("no such kind of report: expected FILE.json or FILE.csv, but found `{}`", name(path));
            return Err(Usage::new(message).into());
        }
        apart_from_inputs(path, "report", common, None)?;
    }
    Ok(())
}

fn report(common: &Common, guard: &Guard) -> Planned<Option<Report>> {
    let Some(path) = &common.telling.report else { return Ok(None) };
    let Some(kind) = Kind::of(path) else { return Ok(None) };
    match Report::create(path, kind, guard) {
        Ok(report) => Ok(Some(report)),
        Err(error) => Err(Usage::new(format!("cannot write the report `{}`: {error}", name(path))).into()),
    }
}

fn severities(rules: &Rules) -> Result<Severities, Usage> {
    match rules.allow.iter().find(|code| rules.deny.contains(code)) {
        Some(code) => Err(Usage::new(format!("`{code}` is both allowed and denied"))),
        None => Ok(Severities { allowed: rules.allow.clone(), denied: rules.deny.clone() }),
    }
}

fn assignments(path: &Path, limits: &Limits) -> Planned<Assignments> {
    Ok(Assignments::parse(&path.to_string_lossy(), &keys::read(path, limits.held_bytes)?)?)
}

/// A filter of `--member` or `--skip-member`: a pattern may name a member with its layers and folders, or without.
fn member_filter(patterns: &[glob::Pattern]) -> Option<MemberFilter> {
    if patterns.is_empty() {
        return None;
    }
    let patterns = patterns.to_vec();
    Some(Box::new(move |member| {
        let own = member.rsplit(" > ").next().unwrap_or(member);
        let last = own.rsplit('/').next().unwrap_or(own);
        patterns.iter().any(|pattern| [member, own, last].iter().any(|name| is_match(pattern, name)))
    }))
}

/// A name that a hint has quoted matches as it stands, whatever its characters mean in a pattern.
fn is_match(pattern: &glob::Pattern, name: &str) -> bool {
    pattern.as_str() == name || pattern.matches(name)
}

fn limits(args: &LimitArgs) -> Limits {
    let default = Limits::default();
    Limits {
        layers: args.max_layers.unwrap_or(default.layers),
        members: args.max_members.unwrap_or(default.members),
        member_bytes: args.max_member_bytes.unwrap_or(default.member_bytes),
        expansion: args.max_expansion.unwrap_or(default.expansion),
        held_bytes: args.max_held_bytes.unwrap_or(default.held_bytes),
        field_bytes: args.max_field_bytes.unwrap_or(default.field_bytes),
        pbkdf2_rounds: args.max_pbkdf2_rounds.unwrap_or(default.pbkdf2_rounds),
        xml_depth: args.max_xml_depth.unwrap_or(default.xml_depth),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use expect_test::{Expect, expect};
    use seedmill::record::Code;

    use super::*;
    use crate::args::{Cli, Command};

    fn planned(options: &[&str]) -> Planned<Plan> {
        let guard = Guard::default();
        match Cli::try_parse_from(["seedmill"].iter().chain(options)).expect("it can be typed").command {
            Command::Inspect(args) => inspect(&args, &guard),
            Command::Check(args) => check(&args, &guard),
            Command::Convert(args) => convert(&args, &guard),
            other => panic!("plans nothing: {other:?}"),
        }
    }

    fn refused(options: &[&str], expected: Expect) {
        expected.assert_eq(&match planned(options) {
            Ok(_) => "planned".to_owned(),
            Err(Refusal::Usage(usage)) => usage.message,
            Err(Refusal::Stopped(error)) => format!("stopped: {error}"),
        });
    }

    #[test]
    fn standard_input_is_read_once() {
        refused(&["check", "-"], expect!["planned"]);
        refused(&["check", "-", "-"], expect!["standard input can be read once, but `-` is named twice"]);
        refused(
            &["inspect", "-", "--password-file", "-"],
            expect!["standard input can be read once, but `-` is named twice"],
        );
    }

    #[test]
    fn a_report_is_json_or_csv() {
        refused(
            &["check", "a.zip", "--report", "r.txt"],
            expect!["no such kind of report: expected FILE.json or FILE.csv, but found `r.txt`"],
        );
        refused(
            &["check", "a.zip", "--report", "no/such/folder/r.json"],
            expect!["cannot write the report `no/such/folder/r.json`: No such file or directory (os error 2)"],
        );
        refused(
            &["convert", "a.zip", "--to", "jsonl", "-o", "r.json", "--report", "r.json"],
            expect!["the report has the path of the output, or lies in it"],
        );
    }

    #[test]
    fn a_file_that_an_option_names_and_that_is_not_there_stops_the_run() {
        refused(&["check", "a.zip", "--password-file", "no.txt"], expect!["stopped: no file or folder `no.txt`"]);
        refused(&["check", "a.zip", "--pgp-key", "no.asc"], expect!["stopped: no file or folder `no.asc`"]);
        refused(&["check", "a.zip", "--map", "no.toml"], expect!["stopped: no file or folder `no.toml`"]);
        refused(&["check", "a.zip", "--assign", "no.csv"], expect!["stopped: no file or folder `no.csv`"]);
    }

    #[test]
    fn a_code_is_not_both_allowed_and_denied() {
        refused(
            &["check", "a.zip", "--allow", "seed-weak", "--deny", "seed-weak"],
            expect!["`seed-weak` is both allowed and denied"],
        );
        refused(&["check", "a.zip", "--out-columns", "K=seed"], expect!["`--out-columns` belongs to `--to csv`"]);
    }

    #[test]
    fn what_was_typed_stands_in_the_job() {
        let plan = planned(&[
            "check",
            "a.zip",
            "b",
            "--from",
            "csv",
            "--no-header",
            "--delimiter",
            ";",
            "--seed-encoding",
            "hex",
            "--column",
            "seed=2",
            "--set",
            "period=30",
            "--allow",
            "seed-weak",
            "--deny",
            "upn-missing",
            "--threads",
            "3",
            "--max-held-bytes",
            "2GiB",
            "--max-layers",
            "4",
            "--json",
        ]);
        let Ok(Plan { job, .. }) = plan else { panic!("it can be planned") };
        assert_eq!(job.inputs.len(), 2);
        expect![[r#"Some(Csv) CsvOptions { columns: [(Seed, Position(2))], ignored: [], header: Some(false), delimiter: Some(59), seed_encoding: Some(Hex) }"#]]
            .assert_eq(&format!("{:?} {:?}", job.read.from, job.read.csv));
        assert_eq!(job.set, [(seedmill::record::Field::Period, "30".to_owned())]);
        assert_eq!((job.severities.allowed, job.severities.denied), (vec![Code::SeedWeak], vec![Code::UpnMissing]));
        assert_eq!((job.threads, job.limits.held_bytes, job.limits.layers), (3, 2 << 30, 4));
        assert!(job.report, "`--json` prints the report");
        assert!(job.read.now.is_some());
    }

    #[test]
    fn members_are_named_by_pattern_with_or_without_their_layers() {
        let wants = |options: &[&str], member: &str| {
            let plan = planned(&[&["inspect", "a.zip"], options].concat());
            let Ok(Plan { job, .. }) = plan else { panic!("it can be planned") };
            job.wanted.is_none_or(|wanted| wanted(member)) && !job.skipped.is_some_and(|skipped| skipped(member))
        };
        assert!(wants(&[], "any"));
        assert!(wants(&["--member", "*.xml"], "inner.zip > folder/tokens.xml"));
        assert!(!wants(&["--member", "*.xml"], "inner.zip > readme.txt"));
        assert!(wants(&["--member", "tokens.xml"], "folder/tokens.xml"));
        assert!(!wants(&["--skip-member", "folder/*"], "folder/tokens.xml"));
        assert!(!wants(&["--skip-member", "inner.zip > *"], "inner.zip > tokens.xml"));
        assert!(!wants(&["--member", "*", "--skip-member", "a[1].csv"], "a[1].csv"));
    }
}
