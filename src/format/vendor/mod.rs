//! The formats of vendors and servers: one file each, all behind one table.
//!
//! A format is an `Entry`: what it is called, how it is recognised, how it is read, and a `Target` where a system
//! imports it. Those of rows share `rows`: cutting, delimiters, widths and the encoding of seeds are there, and
//! their own files say only which field is what.
//!
//! # Source
//!
//! Vendors' and servers' documentation and code; each file says which, and how sure that is.
//!
//! # Not here
//!
//! Vendors whose rows have a header are words in [`csv_maps`](super::csv_maps) and read as `csv`.

use std::fmt;

use crate::error::{ErrorKind, Result};
use crate::record::{Code, Draft, Encoding, Holds, Plain, Token, Trail, escaped};

use super::cut::{Chunk, Head};
use super::encoding::{Verdict, judge};
use super::unknown::may_mean;
use super::{Description, Opened, ReadOptions};

pub(super) mod deepnet_uap;
mod documents;
pub(super) mod dualshield;
pub(super) mod duo;
pub(super) mod feitian;
pub(super) mod multiotp;
pub(super) mod oath_csv;
pub(super) mod otpauth;
pub(super) mod phenixid;
pub(super) mod pingid;
pub(super) mod protectimus;
pub(super) mod rcdevs;
mod rows;
pub(super) mod safenet;
pub(super) mod safeword;
pub(super) mod salesforce;
pub(super) mod sealed;
pub(super) mod swivel;
#[cfg(test)]
mod tests;
pub(super) mod yubico;

/// One format.
pub(super) struct Entry {
    /// What `--from` and `--to` take.
    pub(super) id: &'static str,
    /// What `seedmill formats` tells.
    pub(super) description: Description,
    /// Whether the head of a member is of this format. The head may be cut anywhere.
    pub(super) fits: fn(&str) -> bool,
    /// Gets ready to read a member.
    pub(super) open: for<'s> fn(Head<'s>, &ReadOptions) -> Result<Opened<'s>>,
    /// How it is written, where a system imports it.
    pub(super) target: Option<Target>,
}

/// How a format is written.
pub(super) struct Target {
    /// What it has a place for.
    pub(super) holds: Holds,
    /// The format's own reader.
    pub(super) reader: fn() -> Reader,
    /// What stands before the first item.
    pub(super) head: &'static [u8],
    /// Writes one token.
    pub(super) item: fn(&Token<'_>, &mut Plain),
    /// What stands behind the last item.
    pub(super) tail: &'static [u8],
}

/// Makes sure that a name which is not read says nothing of how codes are computed: a file that says SHA-256 in a word of
/// its own must not be read as if it did not.
///
/// # Errors
///
/// [`ErrorKind::FormatDamaged`] with the name and what it may say.
fn pass_over(format: &'static str, name: &str) -> std::result::Result<(), ErrorKind> {
    match may_mean(name) {
        None => Ok(()),
        Some(field) => Err(ErrorKind::FormatDamaged {
            format,
            expected: "names that are known".to_owned(),
            found: format!("`{}`, which may say the {field} and would be lost", escaped(name)),
        }),
    }
}

/// A seed that a file calls Base64. Hex and Base32 of the right length are legal Base64 too, and would give another key, so
/// text that looks like one of them is doubted.
fn base64_doubt(text: &str) -> Option<(Code, String)> {
    match judge(text, Encoding::Base64) {
        Verdict::Fits => None,
        Verdict::Doubtful(code, message) => Some((code, message)),
        Verdict::Contradicts(found) => {
            let message = format!("the seed is no Base64, as the file says: its text can only be {found}");
            Some((Code::SeedAmbiguous, message))
        }
    }
}

/// Writes the text of an element.
fn xml_text(text: &str, out: &mut Plain) {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let run = rest.iter().take_while(|byte| !matches!(byte, b'&' | b'<' | b'>' | b'\r')).count();
        out.extend(&rest[..run]);
        rest = &rest[run..];
        if let Some((byte, behind)) = rest.split_first() {
            out.extend(match byte {
                b'&' => b"&amp;",
                b'<' => b"&lt;",
                b'>' => b"&gt;",
                _ => b"&#13;",
            });
            rest = behind;
        }
    }
}

/// Takes drafts, in order.
pub(super) type Each<'e> = dyn FnMut(Draft<'_>) -> Result<()> + 'e;

/// Turns chunks of one member of these formats into drafts.
#[derive(Debug)]
pub struct Reader(Kind);

#[derive(Debug)]
enum Kind {
    /// A whole document, by the description of its format.
    Document(documents::Reader),
    /// Rows, by the description of their format.
    Rows(rows::Reader),
    /// Lines, or a document, that need nothing to be known of the rest.
    Plain(fn(&Chunk, &Trail, &mut Each<'_>) -> Result<()>),
}

impl Reader {
    /// Reads a chunk.
    pub(super) fn read(&self, chunk: &Chunk, trail: &Trail, each: &mut Each<'_>) -> Result<()> {
        match &self.0 {
            Kind::Document(reader) => reader.read(chunk, trail, each),
            Kind::Rows(reader) => reader.read(chunk, trail, each),
            Kind::Plain(read) => read(chunk, trail, each),
        }
    }
}

/// Turns tokens into the items of one of these formats.
#[derive(Clone, Copy)]
pub struct Writer {
    format: super::Format,
    target: &'static Target,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Writer({})", self.format)
    }
}

impl Writer {
    /// The writer of a format, where it has one.
    pub(super) const fn new(format: super::Format) -> Option<Self> {
        match format.vendor() {
            Some(Entry { target: Some(target), .. }) => Some(Self { format, target }),
            _ => None,
        }
    }

    /// The format written.
    pub(super) const fn format(&self) -> super::Format {
        self.format
    }

    /// How it is written.
    pub(super) const fn target(&self) -> &'static Target {
        self.target
    }
}
