//! One chunk in, one written chunk out: read, normalize, validate, write, prove. Runs on every core.
//!
//! # Memory
//!
//! One chunk, its tokens and its output.

use std::ops::Range;

use super::set::Segment;
use super::{Assignments, Severities};
use crate::error::{Error, ErrorKind, Result};
use crate::format::{Chunk, Reader, Writer};
use crate::record::{Code, Finding, Findings, Holds, Place, Plain, Severity, Tally, Token, Trail, escaped};
use crate::refine::{Fill, Proof, normalize, validate};

/// What all chunks of a run have in common.
pub(super) struct Mill<'j> {
    /// The target, or `jsonl` to prove through where there is none; `None` only counts records.
    pub(super) writer: Option<&'j Writer>,
    pub(super) written_reader: Option<Reader>,
    pub(super) holds: Holds,
    pub(super) fill: &'j Fill,
    pub(super) assign: Option<&'j Assignments>,
    pub(super) severities: &'j Severities,
    /// Whether every finding is wanted, or the first of each code in a chunk will do.
    pub(super) all_findings: bool,
}

/// A chunk that has been through the mill.
pub(super) struct Milled {
    /// The chunk, for its buffer.
    pub(super) chunk: Chunk,
    /// The target's own document of the chunk's tokens.
    pub(super) document: Plain,
    /// What came of it.
    pub(super) batch: Batch,
}

/// What came of one chunk.
pub(super) struct Batch {
    /// The items in the document that may be emitted.
    pub(super) items: Vec<Range<usize>>,
    pub(super) segment: Segment,
    pub(super) read: u64,
    pub(super) rejected: u64,
    pub(super) proved: u64,
    pub(super) tally: Tally,
    pub(super) findings: Vec<Finding>,
    /// What stops the run here.
    pub(super) stopped: Option<Error>,
}

/// Findings of one code that a chunk keeps whole when no report wants them all.
const FIRST_OF_A_CODE: u64 = 10;

impl Mill<'_> {
    /// Turns one chunk into what is emitted of it.
    pub(super) fn mill(&self, reader: &Reader, trail: &Trail, chunk: Chunk, document: Plain) -> Milled {
        let mut batch = Batch {
            items: Vec::new(),
            segment: Segment::new(trail.clone()),
            read: 0,
            rejected: 0,
            proved: 0,
            tally: Tally::default(),
            findings: Vec::new(),
            stopped: None,
        };
        let mut document = document;
        document.clear();
        let result = match self.writer {
            Some(writer) => self.refine(writer, reader, trail, &chunk, &mut document, &mut batch),
            None => reader.read(&chunk, trail, &mut |_| {
                batch.read += 1;
                Ok(())
            }),
        };
        batch.stopped = result.err();
        batch.segment.shrink();
        Milled { chunk, document, batch }
    }

    fn refine(
        &self,
        writer: &Writer,
        reader: &Reader,
        trail: &Trail,
        chunk: &Chunk,
        document: &mut Plain,
        batch: &mut Batch,
    ) -> Result<()> {
        writer.head(document);
        // Tokens that were written, each with its number in the segment.
        let mut tokens: Vec<(usize, Token<'static>)> = Vec::new();
        let mut items = Vec::new();
        let mut entries = 0;
        let mut serial = String::new();
        reader.read(chunk, trail, &mut |draft| {
            batch.read += 1;
            serial.clear();
            serial.push_str(draft.serial.as_deref().unwrap_or_default().trim());
            let mut notes = self.notes(trail, draft.place, &serial, &mut batch.tally, &mut batch.findings);
            // Asked of every record, so that a serial whose record is refused is not called unknown.
            let user = self.assign.and_then(|assign| assign.user(&serial));
            let place = draft.place;
            let token = normalize(draft, self.fill, &mut notes).map(|mut token| {
                if let Some(user) = user {
                    token.upn = Some(user.to_owned().into());
                }
                validate(&mut token, &self.holds, &mut notes);
                token
            });
            let rejected = notes.rejected || token.is_none();
            if let Some(token) = token {
                batch.segment.add(&token);
                if !rejected {
                    writer.before(items.len() as u64 + 1, document);
                    let start = document.len();
                    writer.item(&token, document);
                    items.push(start..document.len());
                    tokens.push((entries, token.into_owned()));
                }
                entries += 1;
            } else if !serial.is_empty() {
                batch.segment.add_unread(&serial, place);
                entries += 1;
            }
            batch.rejected += u64::from(rejected);
            Ok(())
        })?;
        writer.tail(document);
        self.prove(trail, tokens, items, document, batch)
    }

    /// Reads the document back and emits the items whose tokens it proves.
    fn prove(
        &self,
        trail: &Trail,
        tokens: Vec<(usize, Token<'static>)>,
        items: Vec<Range<usize>>,
        document: &mut Plain,
        batch: &mut Batch,
    ) -> Result<()> {
        let Some(reader) = &self.written_reader else { return Ok(()) };
        let written = Chunk { bytes: std::mem::take(document), offset_bytes: 0, first_line: 1, first_record: 1 };
        let mut proved = vec![Err("it cannot be read back".to_owned()); tokens.len()];
        let none = Fill::default();
        let mut position = 0;
        let read_back = reader.read(&written, trail, &mut |mut draft| {
            if let Some((_, token)) = tokens.get(position) {
                let proof = Proof::new(token, &self.holds);
                proof.complete(&mut draft);
                let mut refusal = Refusal(None);
                proved[position] = match normalize(draft, &none, &mut refusal) {
                    Some(written) => proof.check(&written).map_err(|mismatch| mismatch.to_string()),
                    None => Err(format!(
                        "what was written is refused when it is read back: {}",
                        refusal.0.map_or("", Code::name)
                    )),
                };
            }
            position += 1;
            Ok(())
        });
        *document = written.bytes;
        // An error on the way back would speak of the output as if it were the delivery.
        if let Err(error) = read_back {
            return Err(bug(format!("what was written cannot be read back: {error}")).at(trail.whole()));
        }
        if position != tokens.len() {
            return Err(
                bug(format!("{} tokens were written, and {position} are read back", tokens.len())).at(trail.whole())
            );
        }
        for (((index, token), item), proof) in tokens.into_iter().zip(items).zip(proved) {
            match proof {
                Ok(()) => {
                    batch.segment.wrote(index, item.len());
                    batch.items.push(item);
                    batch.proved += 1;
                }
                Err(why) => {
                    let serial = token.serial.as_ref().map_or("", |serial| serial.as_str());
                    let mut notes = self.notes(trail, token.place, serial, &mut batch.tally, &mut batch.findings);
                    notes.note(Code::ProofFailed, Severity::Rejected, &|| why.clone());
                    batch.rejected += 1;
                }
            }
        }
        Ok(())
    }

    fn notes<'n>(
        &'n self,
        trail: &'n Trail,
        place: Option<Place>,
        serial: &'n str,
        tally: &'n mut Tally,
        findings: &'n mut Vec<Finding>,
    ) -> Notes<'n> {
        Notes {
            severities: self.severities,
            all: self.all_findings,
            trail,
            place,
            serial,
            tally,
            findings,
            rejected: false,
        }
    }
}

fn bug(detail: String) -> Error {
    ErrorKind::Bug { detail }.into()
}

/// Findings on one record, with the severities of the run.
struct Notes<'n> {
    severities: &'n Severities,
    all: bool,
    trail: &'n Trail,
    place: Option<Place>,
    serial: &'n str,
    tally: &'n mut Tally,
    findings: &'n mut Vec<Finding>,
    rejected: bool,
}

impl Findings for Notes<'_> {
    fn note(&mut self, code: Code, severity: Severity, message: &dyn Fn() -> String) {
        let severity = self.severities.of(code, severity);
        self.rejected |= severity == Severity::Rejected;
        // What holds for a whole format is said once, not for each record.
        if code == Code::HashAssumed && severity == Severity::Warning && self.tally.of(code) > 0 {
            return;
        }
        self.tally.add(severity, code);
        if self.all || self.tally.of(code) <= FIRST_OF_A_CODE {
            self.findings.push(Finding {
                code,
                severity,
                serial: (!self.serial.is_empty()).then(|| escaped(self.serial)),
                origin: Some(self.place.map_or_else(|| self.trail.whole(), |place| self.trail.at(place))),
                message: message(),
            });
        }
    }
}

/// Why reading back refused a record.
struct Refusal(Option<Code>);

impl Findings for Refusal {
    fn note(&mut self, code: Code, severity: Severity, _: &dyn Fn() -> String) {
        if severity == Severity::Rejected {
            self.0.get_or_insert(code);
        }
    }
}
