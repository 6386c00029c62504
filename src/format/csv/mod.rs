//! CSV of any layout: rows in, drafts out; tokens in, rows of the user's columns out.
//!
//! # Shape
//!
//! ```text
//! Serial;Secret Key (HEX);Time Interval
//! 1000001;303132333435363738393a3b3c3d3e3f40414243;30
//! ```
//!
//! Columns are found by the user's word (`--column`, `--map`), else by what their headers mean (`csv_maps`). The
//! delimiter is a comma, semicolon or tab, whichever makes the rows agree; Excel's first line `sep=;` says it. A column
//! that nobody reads but whose name or values speak of a field stops the run (`unknown`); another is a warning.
//!
//! # Units
//!
//! Lines count from 1, and a row has the number of its first line. Positions of columns count from 1.
//!
//! # Source
//!
//! [RFC 4180]; `columns.rs` and `rows.rs` say where vendors differ from it.
//!
//! # Leniency
//!
//! The word `upn` in a column of users is none (Token2's placeholder). A delimiter at the end of every row is a column
//! without a name.
//!
//! # Not here
//!
//! What encoding a seed has is settled in `format::encoding`, and read in `normalize`.
//!
//! # Memory
//!
//! One chunk; while the encoding of the seeds is unsettled, all that was read so far.
//!
//! # Example
//!
//! ```
//! use seedmill::format::{ColumnName, OutColumns, csv::parse_column};
//! use seedmill::record::Field;
//!
//! assert_eq!(parse_column("seed=2")?, (Field::Seed, ColumnName::Position(2)));
//! assert_eq!(OutColumns::parse("Serial=serial,Key=seed,State=\"new\"")?.columns.len(), 3);
//! # Ok::<(), String>(())
//! ```
//!
//! [RFC 4180]: https://www.rfc-editor.org/rfc/rfc4180

mod columns;
pub(super) mod rows;
mod unread;
mod write;

use std::borrow::Cow;

use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limit;
use crate::record::{Code, Draft, Encoding, Field, Place, Plain, SeedText, Trail};

use super::cut::{Boundary, Chunk, Head};
use super::encoding::{Prescription, Settlement, Verdict, judge};
use super::{Description, Format, Opened, ReadOptions, Reader};
use columns::{Found, Grid, HeadFault};
use rows::{Fields, RowBoundary, Rows};

pub(super) use columns::first_cells;
pub(super) use write::field as write_field;
pub use write::{OutColumn, OutColumns, OutValue};

/// What `seedmill formats` tells.
pub(super) const DESCRIPTION: Description = Description {
    reads: "rows of any layout: columns by header, name or position; comma, semicolon or tab; seeds in hex, Base32 or Base64",
    writes: "the columns of `--out-columns`, or all that jsonl has",
    loses: "what has no column",
    source: "RFC 4180",
    memory: "streams; the head is held until the encoding of the seeds is settled",
};

/// A column as the user or a map file names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnName {
    /// By its header.
    Name(String),
    /// By its position, from 1.
    Position(usize),
}

/// How rows are to be read.
#[derive(Clone, Debug, Default)]
pub struct CsvOptions {
    /// `--column`
    pub columns: Vec<(Field, ColumnName)>,
    /// `--ignore-column`: not to be read, whatever their names may mean.
    pub ignored: Vec<ColumnName>,
    /// `--no-header`; `None` finds out.
    pub header: Option<bool>,
    /// `--delimiter`; `None` finds out.
    pub delimiter: Option<u8>,
    /// `--seed-encoding`
    pub seed_encoding: Option<Encoding>,
}

impl CsvOptions {
    /// Whether anything was said of where fields stand.
    pub(super) fn names_columns(&self) -> bool {
        !self.columns.is_empty() || self.header == Some(false)
    }
}

/// Reads the value of `--column`, `FIELD=NAME|POSITION`.
///
/// # Errors
///
/// What is wrong with it.
pub fn parse_column(text: &str) -> std::result::Result<(Field, ColumnName), String> {
    let shown = crate::record::escaped(text);
    let (field, name) =
        text.split_once('=').ok_or_else(|| format!("no column in `{shown}`: expected FIELD=NAME or FIELD=POSITION"))?;
    let field = super::csv_maps::parse_field(field.trim())?;
    let name = name.trim();
    if name.is_empty() {
        return Err(format!("no column in `{shown}`: expected FIELD=NAME or FIELD=POSITION"));
    }
    match column_name(name) {
        ColumnName::Position(0) => Err(format!("no column 0 for `{field}`: expected a position of 1 or more")),
        name => Ok((field, name)),
    }
}

/// Reads the value of `--ignore-column`, `NAME|POSITION`.
///
/// # Errors
///
/// What is wrong with it.
pub fn parse_ignored(text: &str) -> std::result::Result<ColumnName, String> {
    match column_name(text.trim()) {
        ColumnName::Position(0) => Err("no column 0: expected a position of 1 or more".to_owned()),
        ColumnName::Name(name) if name.is_empty() => Err("no column: expected a name or a position".to_owned()),
        name => Ok(name),
    }
}

fn column_name(text: &str) -> ColumnName {
    text.parse().map_or_else(|_| ColumnName::Name(text.to_owned()), ColumnName::Position)
}

/// Reads the value of `--delimiter`: one character, or `tab`.
///
/// # Errors
///
/// What is wrong with it.
pub fn parse_delimiter(text: &str) -> std::result::Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | b'#') && !byte.is_ascii_alphanumeric() => {
            Ok(*byte)
        }
        _ => Err(format!("no delimiter `{}`: expected one character, or `tab`", crate::record::escaped(text))),
    }
}

/// Where each field stands in a row, and how seeds are spelled.
#[derive(Debug)]
pub struct Layout {
    grid: Box<Grid>,
    seed: Seeds,
    /// Entra doubles an apostrophe in a UPN.
    doubled_apostrophes: bool,
    /// Bytes of the header that our own writer puts first; it may stand before the rows of a proof.
    written_head: Plain,
}

/// How the seeds of a member are spelled, and how that is known.
#[derive(Clone, Debug)]
pub(super) enum Seeds {
    /// The user or the header says it.
    Declared(Encoding),
    /// The format says it.
    Prescribed(Encoding),
    /// The column says it, up to that line.
    Settled {
        /// The one encoding that fits.
        encoding: Encoding,
        /// The line that left one reading.
        line: u64,
        /// What to call the column.
        column: String,
    },
}

impl Seeds {
    /// The text of a seed with what is known of its encoding; a doubt goes to `faults`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::EncodingContradicted`] for a value that can only be of another encoding than its column.
    pub(super) fn take<'a>(
        &self,
        line: u64,
        text: Cow<'a, str>,
        faults: &mut Vec<(Code, String)>,
    ) -> std::result::Result<SeedText<'a>, ErrorKind> {
        match self {
            Self::Declared(encoding) => Ok(SeedText::Declared(text, *encoding)),
            Self::Prescribed(encoding) => {
                // Text that can only be of another encoding cannot be decoded either, which `normalize` says.
                if let Verdict::Doubtful(code, message) = judge(&text, *encoding) {
                    faults.push((code, message));
                }
                Ok(SeedText::Prescribed(text, *encoding))
            }
            Self::Settled { encoding, line: settled_at, column } => {
                let verdict = judge(&text, *encoding);
                let text = SeedText::Settled(text, *encoding);
                match verdict {
                    Verdict::Fits => {}
                    Verdict::Doubtful(code, message) => faults.push((code, message)),
                    Verdict::Contradicts(found) => {
                        return Err(ErrorKind::EncodingContradicted {
                            column: column.clone(),
                            settled: *encoding,
                            settled_at: *settled_at,
                            found,
                            found_at: line,
                        });
                    }
                }
                Ok(text)
            }
        }
    }
}

/// What a format says of the seeds where the user and the header say nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SeedRule {
    /// The whole column must settle it.
    Settle,
    /// Base32, unless the whole column is something else.
    Base32,
}

/// Whether the first row names a column of seeds and another that is known.
pub(super) fn fits(head: &[u8]) -> bool {
    columns::names_a_seed(readable(head))
}

/// What of a head is text; a character cut in two at its end is none.
pub(super) fn readable(head: &[u8]) -> &str {
    let end = match std::str::from_utf8(head) {
        Ok(text) => return text,
        Err(error) => error.valid_up_to(),
    };
    std::str::from_utf8(&head[..end]).unwrap_or_default()
}

/// Finds the columns and settles the encoding.
pub(super) fn open<'s>(head: Head<'s>, options: &ReadOptions) -> Result<Opened<'s>> {
    open_as(head, options, SeedRule::Settle)
}

/// Finds the columns and makes sure of the encoding, by the rule of a format.
pub(super) fn open_as<'s>(mut head: Head<'s>, options: &ReadOptions, rule: SeedRule) -> Result<Opened<'s>> {
    let found = find_grid(&mut head, options)?;
    let seed = match options.csv.seed_encoding.or(found.seed_encoding) {
        Some(encoding) => Seeds::Declared(encoding),
        None if rule == SeedRule::Base32 => prescribe(&mut head, &found)?,
        None => settle(&mut head, &found)?,
    };
    let findings = tell_unread(&found.unread).into_iter().collect();
    let boundary = Box::new(RowBoundary { field_bytes: found.grid.field_bytes });
    let layout = Layout {
        grid: Box::new(found.grid),
        seed,
        doubled_apostrophes: rule == SeedRule::Base32,
        written_head: Plain::default(),
    };
    let cutter = head.cut(found.start, found.first_line, boundary);
    let format = if rule == SeedRule::Base32 { Format::EntraCsv } else { Format::Csv };
    Ok(Opened { format, reader: Reader::Csv(layout), cutter, findings })
}

/// What is to be said of columns that nobody reads.
fn tell_unread(columns: &[String]) -> Option<(Code, String)> {
    let names: Vec<_> = columns.iter().map(|name| format!("`{}`", crate::record::escaped(name))).collect();
    let message = match names.as_slice() {
        [] => return None,
        [only] => format!("column {only} is not read: its name is not known"),
        names => format!("columns {} are not read: their names are not known", names.join(", ")),
    };
    Some((Code::ColumnUnread, message))
}

fn find_grid(head: &mut Head<'_>, options: &ReadOptions) -> Result<Found> {
    let field_bytes = head.limits().field_bytes;
    loop {
        let end = whole_rows(head, 0)?;
        // A head without one whole row says nothing yet.
        if head.ended() || end > 0 {
            let text = text(&head.bytes()[..end], 0, head.trail())?;
            if let Some(at) = memchr::memchr(0, text.as_bytes()) {
                let detail = "expected text, but found a byte that is 0, as UTF-16 without its mark has".to_owned();
                return Err(
                    Error::new(ErrorKind::TextUnreadable { detail }).at(head.trail().at(Place::Byte(at as u64)))
                );
            }
            return columns::find(text, &options.csv, field_bytes).map_err(|fault| place(head.trail(), fault));
        }
        head.more()?;
    }
}

fn settle(head: &mut Head<'_>, found: &Found) -> Result<Seeds> {
    let column = &found.seed_name;
    let mut settlement = Settlement::default();
    let mut answer = None;
    scan(head, found, &mut |line, value| {
        answer = settlement.see(line, value, column)?.map(|encoding| (encoding, line));
        Ok(answer.is_some())
    })?;
    match answer {
        Some((encoding, line)) => Ok(Seeds::Settled { encoding, line, column: column.clone() }),
        None => {
            settlement.end(column).map_err(|kind| Error::new(kind).at(head.trail().whole()))?;
            // No row has a seed, so there is nothing to read in it.
            Ok(Seeds::Declared(Encoding::Base32))
        }
    }
}

fn prescribe(head: &mut Head<'_>, found: &Found) -> Result<Seeds> {
    let mut prescription = Prescription::default();
    let done = scan(head, found, &mut |line, value| Ok(prescription.see(line, value)))?;
    if !done {
        prescription.end(&found.seed_name).map_err(|kind| Error::new(kind).at(head.trail().whole()))?;
    }
    Ok(Seeds::Prescribed(Encoding::Base32))
}

/// Shows each seed with its line, in order, until `see` has seen enough; says whether it has.
fn scan(
    head: &mut Head<'_>,
    found: &Found,
    see: &mut dyn FnMut(u64, &str) -> std::result::Result<bool, ErrorKind>,
) -> Result<bool> {
    let (mut start, mut first_line) = (found.start, found.first_line);
    loop {
        let end = start + whole_rows(head, start)?;
        {
            let text = text(&head.bytes()[start..end], start as u64, head.trail())?;
            let mut rows = found.grid.rows(text, first_line);
            let mut fields = Fields::default();
            while let Some(line) =
                next(&found.grid, &mut rows, &mut fields).map_err(|fault| place(head.trail(), fault))?
            {
                let value = &fields[found.seed_at];
                if !is_blank(value) && see(line, value).map_err(|kind| place(head.trail(), (Some(line), kind)))? {
                    return Ok(true);
                }
            }
            first_line = rows.line();
        }
        start = end;
        if head.ended() {
            return Ok(false);
        }
        head.more()?;
    }
}

/// How many bytes of the head, from `start` on, are whole rows.
fn whole_rows(head: &Head<'_>, start: usize) -> Result<usize> {
    let mut boundary = RowBoundary { field_bytes: head.limits().field_bytes };
    let cut = boundary.cut(&head.bytes()[start..], head.ended()).map_err(|error| error.at(head.trail().whole()))?;
    Ok(cut.map_or(0, |cut| cut.end))
}

/// Turns whole rows into drafts.
pub(super) fn read(
    layout: &Layout,
    chunk: &Chunk,
    trail: &Trail,
    each: &mut dyn FnMut(Draft<'_>) -> Result<()>,
) -> Result<()> {
    let mut text = text(&chunk.bytes, chunk.offset_bytes, trail)?;
    let mut first_line = chunk.first_line;
    // In a proof, the rows may come as they were written, with their header.
    if !layout.written_head.is_empty()
        && let Ok(head) = std::str::from_utf8(&layout.written_head)
        && let Some(rest) = text.strip_prefix(head)
    {
        text = rest;
        first_line += 1;
    }
    let mut rows = layout.grid.rows(text, first_line);
    let mut fields = Fields::default();
    while let Some(line) = next(&layout.grid, &mut rows, &mut fields).map_err(|fault| place(trail, fault))? {
        let draft = layout.draft(line, &fields).map_err(|kind| place(trail, (Some(line), kind)))?;
        each(draft)?;
    }
    Ok(())
}

/// Reads the next row and checks it against the grid.
fn next<'a>(grid: &Grid, rows: &mut Rows<'a>, fields: &mut Fields<'a>) -> std::result::Result<Option<u64>, HeadFault> {
    let Some(line) = rows.next(fields).map_err(|fault| (Some(fault.line), fault.into()))? else { return Ok(None) };
    if fields.len() != grid.width {
        return Err((Some(line), ErrorKind::RowLength { expected: grid.width, found: fields.len() }));
    }
    let longest = fields.iter().map(|field| field.len()).max().unwrap_or_default() as u64;
    if longest > grid.field_bytes {
        let kind =
            ErrorKind::LimitReached { limit: Limit::FieldBytes, allowed: grid.field_bytes, found: Some(longest) };
        return Err((Some(line), kind));
    }
    Ok(Some(line))
}

impl Layout {
    /// The layout of rows that were written by columns of fields; `None` is a column that is not read back.
    pub(super) fn written(columns: &[Option<Field>], delimiter: u8, encoding: Encoding, head: Plain) -> Self {
        let mut positions = [None; Field::ALL.len()];
        for (position, field) in columns.iter().enumerate() {
            if let Some(field) = field {
                positions[*field as usize].get_or_insert(position);
            }
        }
        // What was written is read back whatever its length: the limit is for what others send.
        let grid = Box::new(Grid { delimiter, width: columns.len(), positions, field_bytes: u64::MAX });
        Self { grid, seed: Seeds::Declared(encoding), doubled_apostrophes: false, written_head: head }
    }

    /// The same for Entra's rows.
    pub(super) fn with_doubled_apostrophes(mut self) -> Self {
        self.doubled_apostrophes = true;
        self
    }

    fn draft<'a>(&self, line: u64, fields: &Fields<'a>) -> std::result::Result<Draft<'a>, ErrorKind> {
        let take = |field: Field| {
            let value = &fields[self.grid.positions[field as usize]?];
            (!is_blank(value)).then(|| value.clone())
        };
        let mut faults = Vec::new();
        let seed = match take(Field::Seed) {
            None => None,
            Some(text) => Some(self.seed.take(line, text, &mut faults)?),
        };
        Ok(Draft {
            place: Some(Place::Line(line)),
            serial: take(Field::Serial),
            issue: take(Field::Issue),
            key_id: take(Field::KeyId),
            manufacturer: take(Field::Manufacturer),
            model: take(Field::Model),
            kind: take(Field::Type),
            hash: take(Field::Hash),
            digits: take(Field::Digits),
            period: take(Field::Period),
            counter: take(Field::Counter),
            drift: take(Field::Drift),
            upn: take(Field::Upn)
                .filter(|user| !user.trim_ascii().eq_ignore_ascii_case("upn"))
                .map(|user| self.user(user)),
            seed,
            faults,
        })
    }

    fn user<'a>(&self, user: Cow<'a, str>) -> Cow<'a, str> {
        if self.doubled_apostrophes && user.contains("''") { Cow::Owned(user.replace("''", "'")) } else { user }
    }
}

pub(super) fn is_blank(value: &str) -> bool {
    value.trim_ascii().is_empty()
}

/// The bytes of a chunk as text.
pub(super) fn text<'a>(bytes: &'a [u8], offset_bytes: u64, trail: &Trail) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|error| {
        let at = offset_bytes + error.valid_up_to() as u64;
        let detail = "expected UTF-8, or UTF-16 with its mark, but found another byte".to_owned();
        Error::new(ErrorKind::TextUnreadable { detail }).at(trail.at(Place::Byte(at)))
    })
}

fn place(trail: &Trail, (line, kind): HeadFault) -> Error {
    Error::new(kind).at(line.map_or_else(|| trail.whole(), |line| trail.at(Place::Line(line))))
}

#[cfg(test)]
mod tests;
