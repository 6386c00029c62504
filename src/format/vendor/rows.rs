//! Formats of rows without a header: text in, drafts out, by a description of which field is what.
//!
//! # Leniency
//!
//! As in [`csv::rows`]: comments, blank lines, quotes, white space around fields. Where fields are
//! separated by spaces, several count as one.
//!
//! # Memory
//!
//! Streams; where the encoding of the seeds must be settled, all that was read so far.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use crate::error::{Error, ErrorKind, Result};
use crate::format::csv::rows::{Fields, RowBoundary, Rows};
use crate::format::csv::{self, Seeds, is_blank};
use crate::format::cut::{Boundary, Chunk, Head};
use crate::format::encoding::Settlement;
use crate::format::{Format, Opened, ReadOptions};
use crate::limits::Limit;
use crate::record::{Code, Draft, Encoding, Place, Trail, fits};

use super::{Each, Kind};

/// One format of rows.
pub(super) struct RowFormat {
    /// Which it is.
    pub(super) format: Format,
    /// What messages call it.
    pub(super) name: &'static str,
    /// What may stand between fields, the likeliest first.
    pub(super) delimiters: &'static [u8],
    /// How many fields a row may have.
    pub(super) widths: RangeInclusive<usize>,
    /// The encoding of the seeds; `None` where the whole column has to settle it.
    pub(super) encoding: Option<Encoding>,
    /// Whether a row is none of values: names of columns, or a mark of a log.
    pub(super) is_header: fn(&[Cow<'_, str>]) -> bool,
    /// Where the seed of a row stands, for settling.
    pub(super) seed_at: fn(&Row<'_, '_>) -> usize,
    /// Makes a draft of a row.
    pub(super) draft: for<'a> fn(&Row<'_, 'a>) -> std::result::Result<Draft<'a>, ErrorKind>,
}

impl std::fmt::Debug for RowFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// One row of values.
pub(super) struct Row<'r, 'a> {
    fields: &'r [Cow<'a, str>],
    line: u64,
    seeds: &'r Seeds,
}

impl<'a> Row<'_, 'a> {
    /// All of them.
    pub(super) const fn fields(&self) -> &[Cow<'a, str>] {
        self.fields
    }

    /// The number of fields.
    pub(super) const fn width(&self) -> usize {
        self.fields.len()
    }

    /// The text of a field; empty where there is none.
    pub(super) fn text(&self, at: usize) -> &str {
        self.fields.get(at).map_or("", |field| field.trim_ascii())
    }

    /// Whether the row was written here, and so needs no doubt.
    pub(super) const fn is_ours(&self) -> bool {
        matches!(self.seeds, Seeds::Declared(_))
    }

    /// A field that is there and not blank.
    pub(super) fn take(&self, at: usize) -> Option<Cow<'a, str>> {
        self.fields.get(at).filter(|field| !is_blank(field)).cloned()
    }

    /// A draft with nothing but the place, the serial and the seed.
    pub(super) fn draft(&self, serial: usize, seed: usize) -> std::result::Result<Draft<'a>, ErrorKind> {
        let mut draft = self.bare(serial);
        if let Some(text) = self.take(seed) {
            draft.seed = Some(self.seeds.take(self.line, text, &mut draft.faults)?);
        }
        Ok(draft)
    }

    /// A draft with nothing but the place and the serial.
    pub(super) fn bare(&self, serial: usize) -> Draft<'a> {
        Draft { place: Some(Place::Line(self.line)), serial: self.take(serial), ..Draft::default() }
    }

    /// A draft of a row that is no OATH token: a finding, and no seed is looked at.
    pub(super) fn refused(&self, serial: usize, what: &str) -> Draft<'a> {
        let faults = vec![(Code::TypeUnsupported, format!("the row is no OATH token: it is {what}"))];
        Draft { faults, ..self.bare(serial) }
    }
}

/// Reads the rows of one member.
#[derive(Debug)]
pub(super) struct Reader {
    rows: &'static RowFormat,
    delimiter: u8,
    seeds: Seeds,
    field_bytes: u64,
}

impl Reader {
    /// Reads what was written here: its encoding is known, and its length has no limit.
    pub(super) fn written(rows: &'static RowFormat, delimiter: u8, encoding: Encoding) -> super::Reader {
        let seeds = Seeds::Declared(encoding);
        super::Reader(Kind::Rows(Self { rows, delimiter, seeds, field_bytes: u64::MAX }))
    }

    /// Reads a chunk.
    pub(super) fn read(&self, chunk: &Chunk, trail: &Trail, each: &mut Each<'_>) -> Result<()> {
        let text = csv::text(&chunk.bytes, chunk.offset_bytes, trail)?;
        self.walk(text, chunk.first_line, trail, &mut |row| {
            let draft = (self.rows.draft)(row).map_err(|kind| Error::new(kind).at(trail.at(Place::Line(row.line))))?;
            each(draft)
        })?;
        Ok(())
    }

    /// Shows each row, in order; answers the number of the line behind the last.
    fn walk(
        &self,
        text: &str,
        first_line: u64,
        trail: &Trail,
        show: &mut dyn FnMut(&Row<'_, '_>) -> Result<()>,
    ) -> Result<u64> {
        let mut rows = Rows::new(text, self.delimiter, first_line);
        let mut fields = Fields::default();
        loop {
            let line = rows.next(&mut fields);
            let Some(line) = line.map_err(|fault| {
                let line = fault.line;
                Error::new(fault.into()).at(trail.at(Place::Line(line)))
            })?
            else {
                return Ok(rows.line());
            };
            if self.delimiter == b' ' {
                fields.drop_blank();
            }
            if (self.rows.is_header)(&fields) {
                continue;
            }
            self.check(&fields).map_err(|kind| Error::new(kind).at(trail.at(Place::Line(line))))?;
            show(&Row { fields: &fields, line, seeds: &self.seeds })?;
        }
    }

    /// Checks how many fields a row has, and how long they are.
    fn check(&self, fields: &[Cow<'_, str>]) -> std::result::Result<(), ErrorKind> {
        let widths = &self.rows.widths;
        if !widths.contains(&fields.len()) {
            let expected = if widths.start() == widths.end() {
                format!("{} fields in a row", widths.start())
            } else {
                format!("{} to {} fields in a row", widths.start(), widths.end())
            };
            let found = fields.len().to_string();
            return Err(ErrorKind::FormatDamaged { format: self.rows.name, expected, found });
        }
        let longest = fields.iter().map(|field| field.len()).max().unwrap_or_default() as u64;
        if longest > self.field_bytes {
            let (limit, allowed) = (Limit::FieldBytes, self.field_bytes);
            return Err(ErrorKind::LimitReached { limit, allowed, found: Some(longest) });
        }
        Ok(())
    }
}

/// Gets ready to read rows: finds the delimiter, and the encoding where it is not known.
pub(super) fn open<'s>(mut head: Head<'s>, options: &ReadOptions, rows: &'static RowFormat) -> Result<Opened<'s>> {
    let field_bytes = head.limits().field_bytes;
    let delimiter = options.csv.delimiter.unwrap_or_else(|| {
        let text = csv::readable(head.bytes());
        let fit = |delimiter: &u8| widths_fit(text, *delimiter, &rows.widths);
        rows.delimiters.iter().copied().find(fit).unwrap_or(rows.delimiters[0])
    });
    let seeds = match (options.csv.seed_encoding, rows.encoding) {
        (Some(said), _) => Seeds::Declared(said),
        (None, Some(encoding)) => Seeds::Prescribed(encoding),
        // Until it is settled, whatever stands there is only looked at.
        (None, None) => Seeds::Declared(Encoding::Hex),
    };
    let settled = options.csv.seed_encoding.is_some() || rows.encoding.is_some();
    let mut reader = Reader { rows, delimiter, seeds, field_bytes };
    if !settled {
        reader.seeds = settle(&mut head, &reader)?;
    }
    let cutter = head.cut(0, 1, Box::new(RowBoundary { field_bytes }));
    let reader = super::super::Reader::Vendor(super::Reader(Kind::Rows(reader)));
    Ok(Opened { format: rows.format, reader, cutter, findings: Vec::new() })
}

/// Looks at the column of seeds until one encoding is left.
fn settle(head: &mut Head<'_>, reader: &Reader) -> Result<Seeds> {
    const COLUMN: &str = "seed";
    let mut settlement = Settlement::default();
    let mut answer = None;
    let (mut start, mut first_line) = (0, 1);
    loop {
        let mut boundary = RowBoundary { field_bytes: reader.field_bytes };
        let cut = boundary.cut(&head.bytes()[start..], head.ended());
        let end = start + cut.map_err(|error| error.at(head.trail().whole()))?.map_or(0, |cut| cut.end);
        let text = csv::text(&head.bytes()[start..end], start as u64, head.trail())?;
        first_line = reader.walk(text, first_line, head.trail(), &mut |row| {
            let value = row.text((reader.rows.seed_at)(row));
            if answer.is_none() && !value.is_empty() {
                let settled = settlement.see(row.line, value, COLUMN);
                let at = |kind| Error::new(kind).at(head.trail().at(Place::Line(row.line)));
                answer = settled.map_err(at)?.map(|encoding| (encoding, row.line));
            }
            Ok(())
        })?;
        start = end;
        if let Some((encoding, line)) = answer {
            return Ok(Seeds::Settled { encoding, line, column: COLUMN.to_owned() });
        }
        if head.ended() {
            settlement.end(COLUMN).map_err(|kind| Error::new(kind).at(head.trail().whole()))?;
            // No row has a seed, so there is nothing to read in it.
            return Ok(Seeds::Declared(Encoding::Hex));
        }
        head.more()?;
    }
}

/// Rows that are looked at to recognise a format.
const ROWS_TRIED: usize = 20;

/// Whether the first rows of a head, and at least one, all pass a test. A row that the head's end may have cut is
/// left out, unless it is the only one.
pub(super) fn all_rows(text: &str, delimiter: u8, test: &mut dyn FnMut(&[Cow<'_, str>]) -> bool) -> bool {
    let text = text.rfind('\n').map_or(text, |end| &text[..=end]);
    let mut rows = Rows::new(text, delimiter, 1);
    let mut fields = Fields::default();
    for tried in 0..ROWS_TRIED {
        match rows.next(&mut fields) {
            Ok(Some(_)) => {
                if delimiter == b' ' {
                    fields.drop_blank();
                }
                if !test(&fields) {
                    return false;
                }
            }
            Ok(None) => return tried > 0,
            Err(_) => return false,
        }
    }
    true
}

/// Whether the first row of a head has a fitting number of fields, more than one; the others are judged when they are read.
fn widths_fit(text: &str, delimiter: u8, widths: &RangeInclusive<usize>) -> bool {
    let mut fields = Fields::default();
    let first = Rows::new(text, delimiter, 1).next(&mut fields);
    if delimiter == b' ' {
        fields.drop_blank();
    }
    matches!(first, Ok(Some(_))) && widths.contains(&fields.len()) && fields.len() > 1
}

/// Whether a row has these names, in either case.
pub(super) fn is_named(row: &[Cow<'_, str>], names: &[&str]) -> bool {
    row.len() == names.len() && row.iter().zip(names).all(|(field, name)| field.trim_ascii().eq_ignore_ascii_case(name))
}

/// Whether text is what devices are called: letters, digits and a few marks, and too short for a seed.
pub(super) fn is_serial(text: &str) -> bool {
    const LONGEST: usize = 31;
    (1..=LONGEST).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b':'))
}

/// Whether text is a seed in an encoding: 10 bytes or more.
pub(super) fn is_seed(text: &str, encoding: Encoding) -> bool {
    const SHORTEST: usize = 16;
    text.len() >= SHORTEST && (encoding != Encoding::Hex || text.len() >= 20) && fits(text, encoding)
}

/// Whether text is a whole number.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
