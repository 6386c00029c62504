//! Tokens in, rows of the user's columns out.

use std::num::NonZeroU32;

use crate::format::csv_maps::parse_field;
use crate::record::{Algorithm, Encoding, Field, Fields, Holds, Moving, Plain, Token, UserHeld, encode};

use super::Layout;

/// What stands in a column that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutValue {
    /// A field of the token; blank where it is unknown.
    Field(Field),
    /// The same text in every row.
    Fixed(String),
}

/// A column that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutColumn {
    /// Its header.
    pub name: String,
    /// What stands in it.
    pub value: OutValue,
}

/// How rows are written. The default has every field under its key in `jsonl`, with seeds in Base32.
#[derive(Clone, Debug)]
pub struct OutColumns {
    /// The columns in their order.
    pub columns: Vec<OutColumn>,
    /// Whether a header is written.
    pub header: bool,
    /// What stands between fields.
    pub delimiter: u8,
    /// How seeds are spelled: lower-case hex, upper-case Base32 without padding, or padded Base64.
    pub seed_encoding: Encoding,
}

impl Default for OutColumns {
    fn default() -> Self {
        let column = |field: Field| OutColumn { name: field.name().to_owned(), value: OutValue::Field(field) };
        Self {
            columns: Field::ALL.map(column).to_vec(),
            header: true,
            delimiter: b',',
            seed_encoding: Encoding::Base32,
        }
    }
}

impl OutColumns {
    /// Reads the value of `--out-columns`: `NAME=FIELD` or `NAME="text"`, with commas between; a name or a text that has
    /// a comma or an equals sign stands in quotes, and a quote inside is doubled.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut columns = Vec::new();
        let mut rest = text;
        loop {
            let (name, _, behind) = word(rest, '=')?;
            let behind = behind.ok_or_else(|| format!("no column in `{}`: expected NAME=FIELD", shown(rest)))?;
            let (value, quoted, behind) = word(behind, ',')?;
            let value = if quoted { OutValue::Fixed(value) } else { OutValue::Field(parse_field(&value)?) };
            columns.push(OutColumn { name, value });
            match behind {
                Some(behind) => rest = behind,
                None => break,
            }
        }
        Self { columns, ..Self::default() }.checked()
    }

    /// Checks that rows can be read back: one column of seeds, and no field twice.
    pub(in crate::format) fn checked(self) -> Result<Self, String> {
        for field in Field::ALL {
            match self.columns.iter().filter(|column| column.value == OutValue::Field(field)).count() {
                0 if field == Field::Seed => {
                    return Err("no column for the seed: expected one `NAME=seed`".to_owned());
                }
                0 | 1 => {}
                count => return Err(format!("{count} columns for the {field}: expected one")),
            }
        }
        Ok(self)
    }

    /// What the columns have a place for.
    ///
    /// A field without a column is not held. Without a column, what readers take for granted is held alone: codes of
    /// six digits, SHA-1, and TOTP; but any time step, because nobody takes one for granted and it must be known apart.
    /// HOTP needs the columns `type` and `counter`.
    pub(in crate::format) fn holds(&self) -> Holds {
        let has = |field| self.columns.iter().any(|column| column.value == OutValue::Field(field));
        Holds {
            entra: false,
            spreadsheet: true,
            same_serial: has(Field::Issue) || has(Field::KeyId),
            hotp: has(Field::Type) && has(Field::Counter),
            digits: if has(Field::Digits) { &[] } else { &[6] },
            periods: &[],
            hashes: if has(Field::Hash) { &Algorithm::ALL } else { &[Algorithm::Sha1] },
            seed_base32_characters: None,
            seed_bytes: None,
            fields: self.fields(),
            user: if has(Field::Upn) { UserHeld::Any } else { UserHeld::None },
            chosen: true,
        }
    }

    fn fields(&self) -> Fields {
        let fields: Vec<Field> = self
            .columns
            .iter()
            .filter_map(|column| if let OutValue::Field(field) = column.value { Some(field) } else { None })
            .collect();
        Fields::of(&fields)
    }

    /// How the rows are read back for the proof; columns of fixed text are passed over.
    pub(in crate::format) fn layout(&self) -> Layout {
        let mut head = Plain::default();
        self.head(&mut head);
        let columns: Vec<Option<Field>> = self
            .columns
            .iter()
            .map(|column| match column.value {
                OutValue::Field(field) => Some(field),
                OutValue::Fixed(_) => None,
            })
            .collect();
        Layout::written(&columns, self.delimiter, self.seed_encoding, head)
    }

    /// Writes the header.
    pub(in crate::format) fn head(&self, out: &mut Plain) {
        if !self.header {
            return;
        }
        for (position, column) in self.columns.iter().enumerate() {
            if position > 0 {
                out.extend(&[self.delimiter]);
            }
            field(&column.name, self.delimiter, position == 0, out);
        }
        out.extend(b"\n");
    }

    /// Writes a row.
    pub(in crate::format) fn item(&self, token: &Token<'_>, out: &mut Plain) {
        for (position, column) in self.columns.iter().enumerate() {
            if position > 0 {
                out.extend(&[self.delimiter]);
            }
            match &column.value {
                OutValue::Fixed(text) => field(text, self.delimiter, position == 0, out),
                OutValue::Field(Field::Seed) => encode(&token.seed, self.seed_encoding, out),
                OutValue::Field(known) => {
                    with_text(token, *known, &mut |text| field(text, self.delimiter, position == 0, out));
                }
            }
        }
        out.extend(b"\n");
    }
}

/// Shows the text of a field other than the seed; not at all where it is unknown.
fn with_text(token: &Token<'_>, field: Field, show: &mut dyn FnMut(&str)) {
    let text = match field {
        Field::Serial => token.serial.as_ref().map(|serial| serial.as_str()),
        Field::Issue => token.issue.as_deref(),
        Field::KeyId => token.key_id.as_deref(),
        Field::Manufacturer => token.manufacturer.as_deref(),
        Field::Model => token.model.as_deref(),
        Field::Upn => token.upn.as_deref(),
        Field::Hash => Some(token.otp.algorithm.name()),
        Field::Type => Some(match token.otp.moving {
            Moving::Counter { .. } => "hotp",
            Moving::Period { .. } => "totp",
        }),
        Field::Digits => return show(&token.otp.digits.count().to_string()),
        Field::Counter | Field::Drift | Field::Period => {
            return match (field, token.otp.moving) {
                (Field::Counter, Moving::Counter { next }) => show(&next.to_string()),
                (Field::Period, Moving::Period { seconds, .. }) => show(&NonZeroU32::to_string(&seconds)),
                (Field::Drift, Moving::Period { drift, .. }) if drift != 0 => show(&drift.to_string()),
                _ => {}
            };
        }
        Field::Seed => None,
    };
    if let Some(text) = text {
        show(text);
    }
}

/// Writes one field, in quotes where it needs them (RFC 4180 §2): also where our own reader would trim it, or take
/// its row for a comment.
pub(in crate::format) fn field(text: &str, delimiter: u8, first: bool, out: &mut Plain) {
    let bytes = text.as_bytes();
    let special = |byte: &u8| *byte == delimiter || matches!(byte, b'"' | b'\n' | b'\r');
    let at_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
    let comment = first && bytes.first() == Some(&b'#');
    if !comment && !at_end(bytes.first()) && !at_end(bytes.last()) && !bytes.iter().any(special) {
        return out.extend(bytes);
    }
    out.extend(b"\"");
    for (count, part) in text.split('"').enumerate() {
        if count > 0 {
            out.extend(b"\"\"");
        }
        out.extend(part.as_bytes());
    }
    out.extend(b"\"");
}

/// Reads a word up to `end`: the word, whether it stood in quotes, and what is behind `end` where that is there.
fn word(text: &str, end: char) -> Result<(String, bool, Option<&str>), String> {
    let Some(inner) = text.trim_start().strip_prefix('"') else {
        return Ok(match text.split_once(end) {
            Some((word, behind)) => (word.trim().to_owned(), false, Some(behind)),
            None => (text.trim().to_owned(), false, None),
        });
    };
    let mut word = String::new();
    let mut rest = inner;
    loop {
        let (part, behind) = rest.split_once('"').ok_or_else(|| format!("no closing quote in `{}`", shown(text)))?;
        word.push_str(part);
        match behind.strip_prefix('"') {
            Some(behind) => {
                word.push('"');
                rest = behind;
            }
            None => {
                let behind = behind.trim_start();
                return match behind.strip_prefix(end) {
                    Some(behind) => Ok((word, true, Some(behind))),
                    None if behind.is_empty() => Ok((word, true, None)),
                    None => {
                        Err(format!("text behind a closing quote: expected `{end}`, but found `{}`", shown(behind)))
                    }
                };
            }
        }
    }
}

fn shown(text: &str) -> String {
    crate::record::escaped(text)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;
    use crate::format::Writer;
    use crate::format::testing::{expected, read_back, token, written};

    #[test]
    fn reads_what_out_columns_say() {
        let columns =
            OutColumns::parse("Serial No=serial, \"Key, secret\" = seed,State=\"new, \"\"x\"\"\"").expect("columns");
        let names: Vec<&str> = columns.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["Serial No", "Key, secret", "State"]);
        assert_eq!(columns.columns[2].value, OutValue::Fixed("new, \"x\"".to_owned()));
        let check = |text, expected: &Expect| expected.assert_eq(&OutColumns::parse(text).expect_err("wrong"));
        check("serial", &expect!["no column in `serial`: expected NAME=FIELD"]);
        check("a=serial", &expect!["no column for the seed: expected one `NAME=seed`"]);
        check("a=seed,b=seed", &expect!["2 columns for the seed: expected one"]);
        check(
            "a=key",
            &expect![
                "no field `key`: expected one of serial, issue, key_id, manufacturer, model, type, hash, digits, period, counter, drift, upn, seed"
            ],
        );
        check("a=\"x,b=seed", &expect!["no closing quote in `\"x,b=seed`"]);
        check("a=\"x\"y,b=seed", &expect!["text behind a closing quote: expected `,`, but found `y,b=seed`"]);
    }

    #[test]
    fn holds_what_has_a_column() {
        let all = OutColumns::default().holds();
        assert!(all.hotp && all.same_serial && all.has(Field::Drift) && all.digits.is_empty() && all.hashes.len() == 3);
        let few = OutColumns::parse("a=serial,b=seed,c=counter").expect("columns").holds();
        assert!(
            !few.hotp
                && !few.same_serial
                && !few.has(Field::Drift)
                && !few.has(Field::Model)
                && few.user == UserHeld::None
        );
        assert_eq!((few.digits, few.hashes, few.periods), (&[6_u8][..], &[Algorithm::Sha1][..], &[][..]));
    }

    fn row(delimiter: u8, encoding: Encoding, header: bool) -> Writer {
        let columns = OutColumns::default();
        Writer::Csv(OutColumns { delimiter, seed_encoding: encoding, header, ..columns })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(
            tokens in prop::collection::vec(token(), 1..5),
            delimiter in prop::sample::select(&[b',', b';', b'\t', b'|', b' '][..]),
            encoding in prop::sample::select(&Encoding::ALL[..]),
            header: bool,
        ) {
            let writer = row(delimiter, encoding, header);
            let bytes = written(&writer, &tokens);
            let read = read_back(&writer, &bytes).expect("our own rows");
            let mut line = 1 + u64::from(header);
            prop_assert_eq!(read.len(), tokens.len());
            for (token, read) in tokens.iter().zip(read) {
                prop_assert_eq!(read, expected(token, &format!("line {line}"), &format!("declared {encoding}")));
                let mut one = Plain::default();
                writer.item(token, &mut one);
                line += memchr::memchr_iter(b'\n', &one).count() as u64;
            }
        }

        #[test]
        fn the_csv_crate_reads_what_is_written(tokens in prop::collection::vec(token(), 1..5)) {
            let bytes = written(&row(b',', Encoding::Hex, true), &tokens);
            let mut reader = csv::Reader::from_reader(&bytes[..]);
            let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("rows of one length");
            for (token, row) in tokens.iter().zip(&rows) {
                prop_assert_eq!(&row[0], token.serial.as_ref().map_or("", |serial| serial.as_str()));
                prop_assert_eq!(&row[3], token.manufacturer.as_deref().unwrap_or_default());
                prop_assert_eq!(&row[12], data_encoding::HEXLOWER.encode(token.seed.expose()));
            }
        }
    }
}
