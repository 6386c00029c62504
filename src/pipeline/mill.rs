//! One chunk in, one written chunk out: read, normalize, validate, write, prove. Runs on every core.
//!
//! # Memory
//!
//! One chunk, its tokens and its output.

use std::ops::Range;

use super::kept::Kept;
use super::set::Segment;
use super::{Assignments, Severities};
use crate::error::{Error, ErrorKind, Result};
use crate::format::{Chunk, Reader, Writer};
use crate::record::{Code, Finding, Findings, Holds, Place, Plain, Severity, Tally, Trail, escaped};
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
        let mut kept = Kept::default();
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
                    kept.add(entries, token);
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
        self.prove(trail, kept, items, document, batch)
    }

    /// Reads the document back and emits the items whose tokens it proves.
    fn prove(
        &self,
        trail: &Trail,
        mut kept: Kept,
        items: Vec<Range<usize>>,
        document: &mut Plain,
        batch: &mut Batch,
    ) -> Result<()> {
        let Some(reader) = &self.written_reader else { return Ok(()) };
        let written = Chunk { bytes: std::mem::take(document), offset_bytes: 0, first_line: 1, first_record: 1 };
        // Why each token is not proved; nothing where it is.
        let mut refusals: Vec<Option<String>> = Vec::with_capacity(kept.len());
        let none = Fill::default();
        let mut position = 0;
        let read_back = reader.read(&written, trail, &mut |mut draft| {
            if let Some(token) = kept.take(position) {
                let proof = Proof::new(&token, &self.holds);
                proof.complete(&mut draft);
                let mut refusal = Refusal(None);
                refusals.push(match normalize(draft, &none, &mut refusal) {
                    Some(written) => proof.check(&written).err().map(|mismatch| mismatch.to_string()),
                    None => Some(format!(
                        "what was written is refused when it is read back: {}",
                        refusal.0.map_or("", Code::name)
                    )),
                });
            }
            position += 1;
            Ok(())
        });
        *document = written.bytes;
        // An error on the way back would speak of the output as if it were the delivery.
        if let Err(error) = read_back {
            return Err(bug(format!("what was written cannot be read back: {error}")).at(trail.whole()));
        }
        if position != kept.len() || refusals.len() != kept.len() || items.len() != kept.len() {
            let detail = format!("{} tokens were written, and {position} are read back", kept.len());
            return Err(bug(detail).at(trail.whole()));
        }
        for (index, (item, refusal)) in items.into_iter().zip(refusals).enumerate() {
            let (entry, place, serial) = kept.named(index);
            match refusal {
                None => {
                    batch.segment.wrote(entry, item.len());
                    batch.items.push(item);
                    batch.proved += 1;
                }
                Some(why) => {
                    let mut notes = self.notes(trail, place, serial, &mut batch.tally, &mut batch.findings);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{Format, ReadOptions};
    use crate::record::Keyring;

    /// Two tokens of SHA-1 and SHA-256, invented.
    const TOKENS: &str = concat!(
        r#"{"serial":"1","manufacturer":"A","model":"B","type":"totp","hash":"sha1","digits":6,"period":30,"seed":"GAYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD"}"#,
        "\n",
        r#"{"serial":"2","manufacturer":"A","model":"B","type":"totp","hash":"sha256","digits":6,"period":30,"seed":"GEYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD"}"#,
        "\n",
    );

    /// Mills the two tokens for a writer, as if its target held what `holds` says.
    fn milled(writer: &Writer, holds: Holds) -> Batch {
        let trail = Trail::new("tokens.jsonl");
        let mut source = TOKENS.as_bytes();
        let head = crate::format::Head::new(&mut source, trail.clone(), crate::limits::Limits::default());
        let options = ReadOptions { from: Some(Format::Jsonl), ..ReadOptions::default() };
        let opened = crate::format::open(head.expect("memory"), &options, &mut Keyring::default());
        let mut opened = opened.expect("two tokens").expect("jsonl");
        let chunk = opened.cutter.next(Plain::default()).expect("lines").expect("a chunk");
        let mill = Mill {
            writer: Some(writer),
            written_reader: Some(writer.reader()),
            holds,
            fill: &Fill::default(),
            assign: None,
            severities: &Severities::default(),
            all_findings: true,
        };
        mill.mill(&opened.reader, &trail, chunk, Plain::default()).batch
    }

    #[test]
    fn a_token_that_is_written_as_it_was_read_is_emitted() {
        let batch = milled(&Writer::Jsonl, Holds::EVERYTHING);
        assert_eq!((batch.read, batch.proved, batch.rejected, batch.items.len()), (2, 2, 0, 2));
    }

    #[test]
    fn a_token_that_the_target_changes_is_never_emitted() {
        // The Entra CSV has no column for the hash. Told that it holds everything, validate lets SHA-256 pass, and only
        // the proof can find that other codes come out.
        let batch = milled(&Writer::EntraCsv, Holds::EVERYTHING);
        assert_eq!((batch.read, batch.proved, batch.rejected, batch.items.len()), (2, 1, 1, 1));
        let refused = batch.findings.iter().find(|finding| finding.code == Code::ProofFailed).expect("a refusal");
        assert_eq!(refused.serial.as_deref(), Some("2"));
        assert_eq!(refused.message, "what was written does not give the same hash as what was read");
    }
}
