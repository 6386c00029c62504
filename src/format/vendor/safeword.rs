//! SafeWord's DAT file, as it comes with eToken PASS: blocks of lines.
//!
//! # Shape
//!
//! ```text
//! # ===== SafeWord Authenticator Records $Version: 100$ =====
//! dn: sccAuthenticatorId=ALNG00001
//! objectclass: sccCompatibleToken
//! sccAuthenticatorId: ALNG00001
//! sccTokenType: eToken-PASS-ES
//! sccTokenData: sccKey=303132333435363738393A3B3C3D3E3F40414243;sccMode=E;sccPwLen=6;sccVer=6.20;
//! sccSignature:MC0CFG…
//! ```
//!
//! `sccMode` is `E` for event-based and `T` for time-based, `sccPwLen` the digits, `sccTick` the time step, `sccSeq` the
//! counter, `crypto` the hash.
//!
//! # Source
//!
//! LinOTP's importer and documentation: time-based tokens count from 1 January 2000, and not from 1970. No other format has a
//! place for that, so they are findings.
//!
//! # Leniency
//!
//! Blocks end with an empty line, the last one perhaps not; white space around `:`. Without `crypto`, the hash is unknown.
//! Signatures are not checked.
//!
//! # Memory
//!
//! Streams; one chunk.

use std::borrow::Cow;

use memchr::{memchr_iter, memmem};

use crate::error::{Error, ErrorKind, Result};
use crate::format::cut::{Boundary, Chunk, Cut, Head};
use crate::format::{Description, Format, Opened, ReadOptions, csv};
use crate::record::{Code, Draft, Encoding, Place, SeedText, Trail, escaped};

use super::{Each, Entry, Kind, Reader, pass_over};

/// The entry of the table.
pub(in crate::format) static ENTRY: Entry = Entry {
    id: "safeword",
    description: Description {
        reads: "SafeWord authenticator records: HOTP; time-based tokens count from 2000 and are findings",
        writes: "",
        loses: "",
        source: "LinOTP's importer and documentation",
        memory: "streams",
    },
    fits: |text| {
        let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        first.starts_with('#') && first.contains("SafeWord Authenticator Records")
    },
    open,
    target: None,
};

/// What messages call a member.
const NAME: &str = "SafeWord DAT";

fn open<'s>(head: Head<'s>, _options: &ReadOptions) -> Result<Opened<'s>> {
    let reader = crate::format::Reader::Vendor(Reader(Kind::Plain(read)));
    Ok(Opened { format: Format::SafeWord, reader, cutter: head.cut(0, 1, Box::new(Blocks)), findings: Vec::new() })
}

/// Cuts behind empty lines.
pub(super) struct Blocks;

impl Boundary for Blocks {
    fn cut(&mut self, bytes: &[u8], last: bool) -> Result<Option<Cut>> {
        let behind = |end: &[u8]| memmem::rfind(bytes, end).map(|at| at + end.len());
        let end = if last { Some(bytes.len()) } else { behind(b"\n\n").max(behind(b"\n\r\n")) };
        Ok(end.map(|end| Cut { end, lines: memchr_iter(b'\n', &bytes[..end]).count() as u64, records: 0 }))
    }
}

fn damaged(expected: &str, found: &str) -> ErrorKind {
    ErrorKind::FormatDamaged { format: NAME, expected: expected.to_owned(), found: found.to_owned() }
}

pub(super) fn read(chunk: &Chunk, trail: &Trail, each: &mut Each<'_>) -> Result<()> {
    let text = csv::text(&chunk.bytes, chunk.offset_bytes, trail)?;
    let mut block = Block::default();
    for (number, line) in (chunk.first_line..).zip(text.split('\n')) {
        let line = line.trim();
        if line.is_empty() {
            block.end(trail, each)?;
        } else if !line.starts_with('#') {
            block.line(line, number).map_err(|kind| Error::new(kind).at(trail.at(Place::Line(number))))?;
        }
    }
    block.end(trail, each)
}

/// The lines of one record.
#[derive(Default)]
struct Block<'a> {
    start: Option<u64>,
    serial: Option<&'a str>,
    model: Option<&'a str>,
    data: Option<&'a str>,
}

impl<'a> Block<'a> {
    fn line(&mut self, line: &'a str, number: u64) -> std::result::Result<(), ErrorKind> {
        let (name, value) = line.split_once(':').ok_or_else(|| damaged("`NAME: VALUE`", "another line"))?;
        self.start.get_or_insert(number);
        let place = match name.trim() {
            "sccAuthenticatorId" => &mut self.serial,
            "sccTokenType" => &mut self.model,
            "sccTokenData" => &mut self.data,
            _ => return Ok(()),
        };
        if place.replace(value.trim()).is_some() {
            return Err(damaged(&format!("`{}` once in a record", name.trim()), "it twice"));
        }
        Ok(())
    }

    /// Hands the record on, where there is one, and begins the next.
    fn end(&mut self, trail: &Trail, each: &mut Each<'_>) -> Result<()> {
        let block = std::mem::take(self);
        let Some(start) = block.start else { return Ok(()) };
        let place = Place::Line(start);
        each(block.draft(place).map_err(|kind| Error::new(kind).at(trail.at(place)))?)
    }

    fn draft(self, place: Place) -> std::result::Result<Draft<'a>, ErrorKind> {
        let own = |text: &'a str| Some(Cow::Borrowed(text)).filter(|text| !text.is_empty());
        let mut draft = Draft {
            place: Some(place),
            serial: self.serial.and_then(own),
            model: self.model.and_then(own),
            ..Draft::default()
        };
        let (mut key, mut mode, mut digits, mut counter, mut hash) = (None, None, None, None, None);
        for value in self.data.unwrap_or_default().split(';').map(str::trim).filter(|value| !value.is_empty()) {
            let (name, value) =
                value.split_once('=').ok_or_else(|| damaged("`KEY=VALUE` in `sccTokenData`", "another text"))?;
            let place = match name.trim() {
                "sccKey" => &mut key,
                "sccMode" => &mut mode,
                "sccPwLen" => &mut digits,
                "sccSeq" => &mut counter,
                "crypto" => &mut hash,
                // Those of time-based tokens, and the version.
                "sccTick" | "sccPrTime" | "sccVer" => continue,
                other => {
                    pass_over(NAME, other)?;
                    continue;
                }
            };
            if place.replace(value.trim()).is_some() {
                return Err(damaged(&format!("`{}` once in `sccTokenData`", name.trim()), "it twice"));
            }
        }
        let fault = match mode {
            Some("E") => None,
            Some("T") => Some(
                "the token counts its time steps from 1 January 2000: expected 1970, as everywhere else".to_owned(),
            ),
            mode => Some(format!(
                "the mode is wrong: expected `E` or `T`, but found `{}`",
                escaped(mode.unwrap_or_default())
            )),
        };
        if let Some(fault) = fault {
            draft.faults.push((Code::TypeUnsupported, fault));
            return Ok(draft);
        }
        draft.kind = Some("hotp".into());
        draft.digits = digits.and_then(own);
        draft.counter = counter.and_then(own);
        draft.hash = hash.and_then(own);
        draft.seed = key.and_then(own).map(|text| SeedText::Prescribed(text, Encoding::Hex));
        Ok(draft)
    }
}
