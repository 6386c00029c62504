//! The head of a member in, its grid out: delimiter, header, and which column holds which field.
//!
//! # Not here
//!
//! The encoding of the seeds: `format::encoding`. Columns that are left over: `unread.rs`.

use std::borrow::Cow;

use crate::error::ErrorKind;
use crate::format::csv_maps::{is_bare_key, plain, recognise};
use crate::format::unknown::may_be_secret;
use crate::record::{Encoding, Field};

use super::rows::{Fault, Fields, Rows};
use super::{ColumnName, CsvOptions, unread};

/// How the rows of a member are laid out.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub(super) delimiter: u8,
    /// Fields in a row.
    pub(super) width: usize,
    /// Where each field stands, from 0, by its place in [`Field::ALL`].
    pub(super) positions: [Option<usize>; Field::ALL.len()],
    /// Longest field in bytes.
    pub(super) field_bytes: u64,
}

impl Grid {
    /// Splits text of this member into rows.
    pub(super) fn rows<'a>(&self, text: &'a str, first_line: u64) -> Rows<'a> {
        Rows::new(text, self.delimiter, first_line).with_seed(self.width, self.positions[Field::Seed as usize])
    }
}

/// What the head of a member says.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) grid: Grid,
    /// Where the column of the seeds stands, from 0.
    pub(super) seed_at: usize,
    /// What to call it.
    pub(super) seed_name: String,
    /// The encoding that its header declares.
    pub(super) seed_encoding: Option<Encoding>,
    /// What to call the columns that nobody reads and that are not known to do no harm.
    pub(super) unread: Vec<String>,
    /// Where the first row of values begins, in bytes from the start of the text.
    pub(super) start: usize,
    /// The number of the line there.
    pub(super) first_line: u64,
}

/// What is wrong, and on which line where it is on one.
pub(super) type HeadFault = (Option<u64>, ErrorKind);

/// Finds the grid. `text` is whole rows from the start of a member.
pub(super) fn find(text: &str, options: &CsvOptions, field_bytes: u64) -> Result<Found, HeadFault> {
    let (sep_bytes, sep) = sep_line(text);
    let first_line = 1 + u64::from(sep_bytes > 0);
    let text = &text[sep_bytes..];
    let delimiter = match options.delimiter.or(sep) {
        Some(delimiter) => delimiter,
        None => find_delimiter(text, options),
    };
    let mut rows = Rows::new(text, delimiter, first_line);
    let mut fields = Fields::default();
    rows.next(&mut fields).map_err(|fault| (Some(fault.line), fault.into()))?;
    let header = has_header(&fields, options).then_some(&*fields);
    let columns = choose(&fields, header, options).map_err(|kind| (None, kind))?;
    let (start, first_line) = match header {
        Some(_) => (rows.at(), rows.line()),
        None => (0, first_line),
    };
    let values = Rows::new(&text[start..], delimiter, first_line);
    let unread = unread::find(&fields, header, &columns.positions, values, options).map_err(|kind| (None, kind))?;
    let grid = Grid { delimiter, width: fields.len(), positions: columns.positions, field_bytes };
    Ok(Found {
        grid,
        seed_at: columns.seed_at,
        seed_name: columns.seed_name,
        seed_encoding: columns.seed_encoding,
        unread,
        start: sep_bytes + start,
        first_line,
    })
}

/// Whether the head is a header that names a seed and another field: what generic detection goes by.
pub(super) fn names_a_seed(text: &str) -> bool {
    let (sep_bytes, sep) = sep_line(text);
    let text = &text[sep_bytes..];
    DELIMITERS.into_iter().filter(|delimiter| sep.is_none_or(|sep| sep == *delimiter)).any(|delimiter| {
        let first = first_row(text, delimiter);
        let named: Vec<Field> = first.iter().filter_map(|cell| recognise(cell)).map(|(field, _)| field).collect();
        named.contains(&Field::Seed) && named.iter().any(|field| *field != Field::Seed)
    })
}

/// The cells of the first row, in the delimiter that fits them best.
pub(in crate::format) fn first_cells(text: &str) -> Fields<'_> {
    let (sep_bytes, sep) = sep_line(text);
    let text = &text[sep_bytes..];
    first_row(text, sep.unwrap_or_else(|| find_delimiter(text, &CsvOptions::default())))
}

/// Excel's own first line, `sep=;`: its length with its line end, and the delimiter.
fn sep_line(text: &str) -> (usize, Option<u8>) {
    let end = memchr::memchr(b'\n', text.as_bytes()).map_or(text.len(), |at| at + 1);
    let line = text[..end].trim_end_matches(['\r', '\n']);
    match line.strip_prefix("sep=").or_else(|| line.strip_prefix("SEP=")).map(str::as_bytes) {
        Some(&[delimiter]) => (end, Some(delimiter)),
        _ => (0, None),
    }
}

const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// Rows that are looked at for their delimiter.
pub(super) const ROWS_TRIED: usize = 20;

/// The delimiter whose first row is known best and whose rows agree best; a comma where none is better.
fn find_delimiter(text: &str, options: &CsvOptions) -> u8 {
    let mut best = (b',', (0, false, 1));
    for delimiter in DELIMITERS {
        let first = first_row(text, delimiter);
        let named = first.iter().filter(|cell| is_named(cell, options)).count();
        let score = (named, agree(text, delimiter, first.len()), first.len());
        if first.len() > 1 && score > best.1 {
            best = (delimiter, score);
        }
    }
    best.0
}

fn is_named(cell: &str, options: &CsvOptions) -> bool {
    recognise(cell).is_some() || named(options).any(|name| same_name(name, cell))
}

/// The names that the user says.
fn named(options: &CsvOptions) -> impl Iterator<Item = &str> {
    let said = options.columns.iter().map(|(_, name)| name).chain(&options.ignored);
    said.filter_map(|name| match name {
        ColumnName::Name(name) => Some(name.as_str()),
        ColumnName::Position(_) => None,
    })
}

fn agree(text: &str, delimiter: u8, width: usize) -> bool {
    let mut rows = Rows::new(text, delimiter, 1);
    let mut fields = Fields::default();
    for _ in 0..ROWS_TRIED {
        match rows.next(&mut fields) {
            Ok(Some(_)) if fields.len() == width => {}
            Ok(None) => return true,
            Ok(Some(_)) | Err(Fault { .. }) => return false,
        }
    }
    true
}

fn first_row(text: &str, delimiter: u8) -> Fields<'_> {
    let mut fields = Fields::default();
    match Rows::new(text, delimiter, 1).next(&mut fields) {
        Ok(_) => fields,
        Err(_) => Fields::default(),
    }
}

/// Whether the first row is a header, where the user does not say.
///
/// A row that might be a token is never taken for a header, as that would drop it: its column of seeds must have no
/// seed in it, and another cell than the user's must be known (Token2 writes `upn` where there is no user).
fn has_header(first: &[Cow<'_, str>], options: &CsvOptions) -> bool {
    options.header.unwrap_or_else(|| {
        let by_name = named(options).next().is_some();
        let known = first.iter().filter_map(|cell| recognise(cell)).any(|(field, _)| field != Field::Upn);
        let secret = first.iter().any(|cell| may_be_secret(cell));
        by_name || options.columns.is_empty() || (known && !secret)
    })
}

/// Columns as they were chosen.
struct Columns {
    positions: [Option<usize>; Field::ALL.len()],
    seed_at: usize,
    seed_name: String,
    seed_encoding: Option<Encoding>,
}

/// Chooses the column of each field: by the user's word first, then by what the header is known to mean.
fn choose(first: &[Cow<'_, str>], header: Option<&[Cow<'_, str>]>, options: &CsvOptions) -> Result<Columns, ErrorKind> {
    let mut positions = [None; Field::ALL.len()];
    let mut seed_encoding = None;
    let name_of = |position: usize| name_of(position, header);
    for (field, name) in &options.columns {
        let mut found = positions_of(name, first.len(), header).into_iter();
        let Some(position) = found.next() else {
            let name = match name {
                ColumnName::Name(name) => name.clone(),
                ColumnName::Position(position) => position.to_string(),
            };
            return Err(ErrorKind::ColumnNameUnknown { field: *field, name, header: shown(header) });
        };
        take(&mut positions, *field, position, &name_of)?;
        if let Some(second) = found.next() {
            take(&mut positions, *field, second, &|position| {
                format!("{} (column {})", name_of(position), position + 1)
            })?;
        }
    }
    let said = positions;
    let ignored = ignored(options, first.len(), header);
    for (position, cell) in header.unwrap_or_default().iter().enumerate() {
        let Some((field, encoding)) = recognise(cell) else { continue };
        if ignored.contains(&position) || (is_bare_key(cell) && has_another_key(header, position)) {
            continue;
        }
        if said[field as usize].is_none() && !said.contains(&Some(position)) {
            take(&mut positions, field, position, &name_of)?;
        }
        if positions[Field::Seed as usize] == Some(position) {
            seed_encoding = encoding;
        }
    }
    let Some(seed) = positions[Field::Seed as usize] else {
        return Err(ErrorKind::ColumnMissing { field: Field::Seed, header: shown(header) });
    };
    Ok(Columns { positions, seed_at: seed, seed_name: name_of(seed), seed_encoding })
}

/// What to call a column: by its header where that may be shown, else by its position from 1.
pub(super) fn name_of(position: usize, header: Option<&[Cow<'_, str>]>) -> String {
    match header.map(|header| &header[position]) {
        Some(name) if !name.is_empty() && !may_be_secret(name) => name.to_string(),
        _ => (position + 1).to_string(),
    }
}

/// Whether another column than this may hold the keys: beside one, `Key` alone is as likely an id.
fn has_another_key(header: Option<&[Cow<'_, str>]>, position: usize) -> bool {
    header.unwrap_or_default().iter().enumerate().any(|(at, cell)| {
        let plain = plain(cell);
        at != position && ["key", "secret", "seed"].into_iter().any(|word| plain.contains(word))
    })
}

/// Where the columns stand that the user does not want.
pub(super) fn ignored(options: &CsvOptions, width: usize, header: Option<&[Cow<'_, str>]>) -> Vec<usize> {
    options.ignored.iter().flat_map(|name| positions_of(name, width, header)).collect()
}

fn take(
    positions: &mut [Option<usize>; Field::ALL.len()],
    field: Field,
    position: usize,
    name_of: &dyn Fn(usize) -> String,
) -> Result<(), ErrorKind> {
    match positions[field as usize].replace(position) {
        None => Ok(()),
        Some(first) => Err(ErrorKind::ColumnTwice { field, first: name_of(first), second: name_of(position) }),
    }
}

/// Where the columns stand that the user may mean.
fn positions_of(name: &ColumnName, width: usize, header: Option<&[Cow<'_, str>]>) -> Vec<usize> {
    let named = |name: &str| -> Vec<usize> {
        let cells = header.unwrap_or_default().iter().enumerate();
        cells.filter(|(_, cell)| same_name(cell, name)).map(|(position, _)| position).collect()
    };
    match name {
        ColumnName::Name(name) => named(name),
        ColumnName::Position(position) => {
            let found = named(&position.to_string());
            if found.is_empty() {
                position.checked_sub(1).filter(|at| *at < width).into_iter().collect()
            } else {
                found
            }
        }
    }
}

fn same_name(one: &str, other: &str) -> bool {
    one.trim().chars().flat_map(char::to_lowercase).eq(other.trim().chars().flat_map(char::to_lowercase))
}

/// The header as messages may show it: not at all where it may be a row of values.
fn shown(header: Option<&[Cow<'_, str>]>) -> Vec<String> {
    let header = header.unwrap_or_default();
    if header.iter().any(|cell| may_be_secret(cell)) {
        return Vec::new();
    }
    header.iter().map(|cell| cell.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn options(columns: &[(Field, ColumnName)]) -> CsvOptions {
        CsvOptions { columns: columns.to_vec(), ..CsvOptions::default() }
    }

    /// The delimiter, each field with its position from 1, and where the values start; or the message.
    fn check(text: &str, options: &CsvOptions, expected: &Expect) {
        let shown = match find(text, options, 4096) {
            Ok(found) => {
                let at = |field: &Field| Some(format!("{field}={}", found.grid.positions[*field as usize]? + 1));
                let fields: Vec<String> = Field::ALL.iter().filter_map(at).collect();
                let encoding = found.seed_encoding.map_or_else(String::new, |encoding| format!(" ({encoding})"));
                let (name, line) = (found.seed_name, found.first_line);
                let delimiter = char::from(found.grid.delimiter);
                format!("{delimiter:?} {} `{name}`{encoding} from line {line}", fields.join(" "))
            }
            Err((_, kind)) => kind.to_string(),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn finds_columns_by_what_headers_mean() {
        let none = CsvOptions::default();
        check(
            "S/N,Secret Key (HEX),Time Interval\n1,AA,30\n",
            &none,
            &expect!["',' serial=1 period=3 seed=2 `Secret Key (HEX)` (hex) from line 2"],
        );
        check(
            "# note, with commas, in it\n\nserial;seed\n1;AA\n",
            &none,
            &expect!["';' serial=1 seed=2 `seed` from line 4"],
        );
        check("seed\tserial\nAA\t1,2,3\n", &none, &expect![["'\\t' serial=2 seed=1 `seed` from line 2"]]);
        check("sep=;\r\nserial;seed\r\n1,2;AA\r\n", &none, &expect!["';' serial=1 seed=2 `seed` from line 3"]);
        check("\"serial, printed\",serial,seed,\n,1,AA,\n", &none, &expect!["',' serial=2 seed=3 `seed` from line 2"]);
    }

    #[test]
    fn finds_the_columns_that_say_how_codes_are_computed() {
        let none = CsvOptions::default();
        check(
            "Serial,Secret,OTP Digits,Period,HMAC Algorithm,OTP Mode\n1,AA,8,30,SHA256,TOTP\n",
            &none,
            &expect!["',' serial=1 type=6 hash=5 digits=3 period=4 seed=2 `Secret` from line 2"],
        );
    }

    #[test]
    fn takes_columns_that_the_user_names() {
        let named = options(&[(Field::Seed, ColumnName::Name("key x".to_owned()))]);
        check("Serial,Key X,Secret\n1,AA,zz\n", &named, &expect!["',' serial=1 seed=2 `Key X` from line 2"]);
        let placed = options(&[(Field::Serial, ColumnName::Position(1)), (Field::Seed, ColumnName::Position(2))]);
        check("100;AABBCCDD\n", &placed, &expect!["';' serial=1 seed=2 `2` from line 1"]);
        check("Serial,Key\n100,AABBCCDD\n", &placed, &expect!["',' serial=1 seed=2 `Key` from line 2"]);
        check("upn,JBSWY3DPEHPK3PXPJBSWY3DP\n", &placed, &expect!["',' serial=1 seed=2 `2` from line 1"]);
        // A header that reads the same as the position wins over it.
        check(
            "2,Serial,1\nAA,100,BB\n",
            &CsvOptions { header: Some(true), ..placed },
            &expect!["',' serial=3 seed=1 `2` from line 2"],
        );
    }

    #[test]
    fn says_which_column_is_missing_unknown_or_twofold() {
        let none = CsvOptions::default();
        check("Nr,S/N,Key (old)\n1,2,3\n", &none, &expect!["no column for the seed: found `Nr`, `S/N`, `Key (old)`"]);
        check("serial,secret,seed\n", &none, &expect!["two columns for the seed: `secret` and `seed`"]);
        check("", &none, &expect!["no column for the seed: found none"]);
        let named = options(&[(Field::Seed, ColumnName::Name("K".to_owned()))]);
        check("serial,secret\n", &named, &expect!["no column `K` for the seed: found `serial`, `secret`"]);
        let placed = options(&[(Field::Seed, ColumnName::Position(3))]);
        check("100,AABB\n", &placed, &expect!["no column `3` for the seed: found none"]);
        let named = options(&[(Field::Seed, ColumnName::Name("key".to_owned()))]);
        check("serial,Key,KEY\n", &named, &expect!["two columns for the seed: `Key (column 2)` and `KEY (column 3)`"]);
        let twice = options(&[(Field::Seed, ColumnName::Position(1)), (Field::Seed, ColumnName::Position(2))]);
        check("100,AABB\n", &twice, &expect!["two columns for the seed: `1` and `2`"]);
    }

    #[test]
    fn a_key_beside_another_key_is_no_seed() {
        let none = CsvOptions::default();
        check(
            "Key,OTP Key Value,Period\n1001,AABB,30\n",
            &none,
            &expect!["no column for the seed: found `Key`, `OTP Key Value`, `Period`"],
        );
        check("Serial,Key\n1001,AABB\n", &none, &expect!["',' serial=1 seed=2 `Key` from line 2"]);
    }

    #[test]
    fn a_row_of_values_taken_for_a_header_is_not_shown() {
        let none = CsvOptions::default();
        for seed in [
            "JBSWY3DPEHPK3PXP",
            "jbswydpehpkpxpjbswy",
            "3031323334353637",
            "MDEyMzQ1Njc4OTo7PD0+P0BBQkM=",
            "abcdefghijklmnopqrSTUVWXYZab",
            "JBSW-Y3DP-EHPK-3PXP",
            "Seed: 4XWFBLITZHOT72LYC2DSVOCAVYYKNGII",
            "AbCdEfGhIjKlMnOpQrStUv==",
        ] {
            check(&format!("1000,{seed},30\n"), &none, &expect!["no column for the seed: found none"]);
        }
    }

    #[test]
    fn a_letter_is_no_csv() {
        for letter in [
            "Dear customer,\nyour seed, key and password\nare in this file, serial too.\n",
            "seed\n",
            "The serial number; the secret key\nare inside.\n",
            "",
        ] {
            assert!(!names_a_seed(letter), "{letter}");
        }
        assert!(names_a_seed("\n# x\nSerial;Seed\n"));
    }
}
