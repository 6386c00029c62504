//! Words that vendors put into header rows, and map files that say the same for one file.
//!
//! Another vendor is a word in `SYNONYMS` and a folder in `fixtures/vendor/`.
//!
//! # Shape
//!
//! ```toml
//! # What is read: `--map FILE`.
//! name = "Deepnet custom"
//! delimiter = ";"             # one character, or "tab"
//! header = true
//! seed_encoding = "hex"       # hex, base32, base64
//! [columns]
//! serial = "S/N"              # the name in the header
//! seed = 2                    # or the position, from 1
//! [set]
//! period = 60
//! ```
//!
//! ```toml
//! # What is written: `--out-map FILE`. Columns are a list, because their order counts and a table has none.
//! name = "help desk"
//! delimiter = ","
//! header = true
//! seed_encoding = "base32"
//! columns = [
//!   { name = "Serial", field = "serial" },
//!   { name = "Key", field = "seed" },
//!   { name = "State", text = "new" },
//! ]
//! ```
//!
//! # Source
//!
//! Microsoft's, Deepnet's, Token2's, Centrify's and LinOTP's documentation, and Mike Crowley's script, which writes
//! the names of Graph.

use std::collections::BTreeMap;

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::record::{Encoding, Field};

use super::csv::{ColumnName, CsvOptions, OutColumn, OutColumns, OutValue, parse_delimiter};

/// What header cells mean, without case, white space and punctuation.
pub(super) const SYNONYMS: &[(Field, &[&str])] = &[
    (
        Field::Serial,
        &[
            "serial",
            "serialno",
            "serialnr",
            "serialnum",
            "serialnumber",
            "sn",
            "tokenid",
            "tokenidentifier",
            "tokenserial",
            "tokenserialno",
            "tokenserialnumber",
        ],
    ),
    (Field::Issue, &["issue", "issueno"]),
    (Field::KeyId, &["keyid"]),
    (Field::Manufacturer, &["manufacturer", "vendor"]),
    (Field::Model, &["model", "product", "tokenmodel"]),
    (Field::Type, &["otptype", "tokentype", "type"]),
    (Field::Hash, &["algorithm", "hash", "hashalgorithm", "hashfunction"]),
    (Field::Digits, &["codelength", "digits", "length", "otplength"]),
    (
        Field::Period,
        &["interval", "period", "timeinterval", "timeintervalinseconds", "timestep", "timewindow", "totptimestep"],
    ),
    (Field::Counter, &["counter", "eventcounter", "movingfactor"]),
    (Field::Drift, &["drift", "timedrift"]),
    (
        Field::Upn,
        // The second is Centrify's own spelling.
        &["upn", "user", "userprinciplename", "userprincipalname"],
    ),
    (
        Field::Seed,
        &[
            "key",
            "oathseed",
            "oathsecret",
            "otpseed",
            "secret",
            "secretkey",
            "seed",
            "seedkey",
            "sharedkey",
            "sharedsecret",
            "tokenkey",
            "tokenseed",
        ],
    ),
];

/// What a header cell says: the field, and for a seed perhaps its encoding.
pub(super) fn recognise(cell: &str) -> Option<(Field, Option<Encoding>)> {
    let (name, remark) = match cell.split_once(['(', '[']) {
        Some((name, remark)) => (plain(name), Some(plain(remark))),
        None => (plain(cell), None),
    };
    match remark.as_ref().map(|remark| remark.as_str()) {
        None => {}
        Some("s" | "sec" | "secs" | "second" | "seconds") => {
            return field(&name).filter(|found| *found == Field::Period).map(|found| (found, None));
        }
        Some(remark) => {
            let encoding = encoding(remark)?;
            return field(&name).filter(|found| *found == Field::Seed).map(|found| (found, Some(encoding)));
        }
    }
    if let Some(found) = field(&name) {
        return Some((found, None));
    }
    // `secret_hex`, `Base32 Secret Key`: only a seed is spelled in an encoding.
    ENCODINGS.iter().find_map(|(word, encoding)| {
        let rest = name.strip_suffix(word).or_else(|| name.strip_prefix(word))?;
        (field(rest) == Some(Field::Seed)).then_some((Field::Seed, Some(*encoding)))
    })
}

fn field(name: &str) -> Option<Field> {
    SYNONYMS.iter().find(|(_, names)| names.contains(&name)).map(|(field, _)| *field)
}

fn encoding(word: &str) -> Option<Encoding> {
    ENCODINGS.iter().find(|(name, _)| *name == word).map(|(_, encoding)| *encoding)
}

/// How headers name encodings; a longer word stands before one that it ends with.
const ENCODINGS: &[(&str, Encoding)] = &[
    ("hexadecimal", Encoding::Hex),
    ("base16", Encoding::Hex),
    ("hex", Encoding::Hex),
    ("base32", Encoding::Base32),
    ("b32", Encoding::Base32),
    ("base64", Encoding::Base64),
    ("b64", Encoding::Base64),
];

/// Whether a cell of a supposed header, or a key, may be a seed, and so must not be shown.
///
/// Errs on the safe side: 10 bytes, the shortest seed that anyone sends, have 16 characters in Base32, and words
/// of a header that run so long without a space are written in both cases (`timeIntervalInSeconds`).
pub(super) fn may_be_secret(cell: &str) -> bool {
    const SHORTEST: usize = 14;
    let letters = cell.chars().filter(|character| character.is_alphanumeric());
    let digits = cell.bytes().any(|byte| byte.is_ascii_digit());
    let lower = cell.bytes().any(|byte| byte.is_ascii_lowercase());
    let upper = cell.bytes().any(|byte| byte.is_ascii_uppercase());
    let words = cell.split([' ', '-', '_']).any(|word| recognise(word).is_some());
    let length = letters.count();
    length >= SHORTEST && recognise(cell).is_none() && !words && (digits || !(lower && upper) || length > 24)
}

/// A name without case, white space and punctuation. What is no header may be a seed, so the copy is wiped.
pub(super) fn plain(name: &str) -> Zeroizing<String> {
    let mut plain = Zeroizing::new(String::with_capacity(name.len()));
    plain.extend(name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase));
    plain
}

/// A map file for reading.
#[derive(Clone, Debug, Default)]
pub struct CsvMap {
    /// What the user calls it.
    pub name: Option<String>,
    /// The same as `--column`, `--no-header`, `--delimiter` and `--seed-encoding`.
    pub options: CsvOptions,
    /// The same as `--set`.
    pub set: Vec<(Field, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMap {
    name: Option<String>,
    delimiter: Option<String>,
    header: Option<bool>,
    seed_encoding: Option<String>,
    #[serde(default)]
    columns: BTreeMap<String, RawColumn>,
    #[serde(default)]
    set: BTreeMap<String, RawColumn>,
}

/// A text or a number.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a text in quotes or a whole number")]
enum RawColumn {
    Number(i64),
    Text(String),
}

impl CsvMap {
    /// Fields that `[set]` and `--set` may give a value.
    pub const SETTABLE: [Field; 7] =
        [Field::Manufacturer, Field::Model, Field::Period, Field::Hash, Field::Digits, Field::Type, Field::Upn];

    /// Reads a map file.
    ///
    /// # Errors
    ///
    /// What is wrong with it, to stand behind the name of the file.
    pub fn parse(text: &str) -> Result<Self, String> {
        let raw: RawMap = toml::from_str(text).map_err(|error| fault(text, &error))?;
        let mut columns = Vec::new();
        for (name, column) in raw.columns {
            let field = parse_field(&name)?;
            columns.push((
                field,
                match column {
                    RawColumn::Text(name) => ColumnName::Name(name),
                    RawColumn::Number(position) => match usize::try_from(position) {
                        Ok(position) if position > 0 => ColumnName::Position(position),
                        _ => {
                            return Err(format!(
                                "the position of `{field}` is wrong: expected 1 or more, but found {position}"
                            ));
                        }
                    },
                },
            ));
        }
        let mut set = Vec::new();
        for (name, value) in raw.set {
            let field = parse_field(&name)?;
            if !Self::SETTABLE.contains(&field) {
                return Err(format!("`{field}` cannot be set: expected one of {}", names(&Self::SETTABLE)));
            }
            set.push((
                field,
                match value {
                    RawColumn::Text(text) => text,
                    RawColumn::Number(number) => number.to_string(),
                },
            ));
        }
        let options = CsvOptions {
            columns,
            header: raw.header,
            delimiter: raw.delimiter.as_deref().map(parse_delimiter).transpose()?,
            seed_encoding: raw.seed_encoding.as_deref().map(parse_encoding).transpose()?,
        };
        Ok(Self { name: raw.name, options, set })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOutMap {
    #[expect(dead_code, reason = "the name is for the people who keep the file")]
    name: Option<String>,
    delimiter: Option<String>,
    header: Option<bool>,
    seed_encoding: Option<String>,
    columns: Vec<RawOutColumn>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOutColumn {
    name: String,
    field: Option<String>,
    text: Option<String>,
}

impl OutColumns {
    /// Reads a map file for writing.
    ///
    /// # Errors
    ///
    /// What is wrong with it, to stand behind the name of the file.
    pub fn parse_map(text: &str) -> Result<Self, String> {
        let raw: RawOutMap = toml::from_str(text).map_err(|error| fault(text, &error))?;
        let mut columns = Vec::new();
        for column in raw.columns {
            let value = match (column.field, column.text) {
                (Some(field), None) => OutValue::Field(parse_field(&field)?),
                (None, Some(text)) => OutValue::Fixed(text),
                _ => return Err(format!("column `{}` is wrong: expected either `field` or `text`", column.name)),
            };
            columns.push(OutColumn { name: column.name, value });
        }
        let standard = Self::default();
        Self {
            columns,
            header: raw.header.unwrap_or(standard.header),
            delimiter: raw.delimiter.as_deref().map_or(Ok(standard.delimiter), parse_delimiter)?,
            seed_encoding: raw.seed_encoding.as_deref().map_or(Ok(standard.seed_encoding), parse_encoding)?,
        }
        .checked()
    }
}

/// Reads the key of a field.
pub(super) fn parse_field(name: &str) -> Result<Field, String> {
    Field::parse(name)
        .ok_or_else(|| format!("no field `{}`: expected one of {}", crate::record::escaped(name), names(&Field::ALL)))
}

/// Reads the value of `--seed-encoding`.
///
/// # Errors
///
/// What is wrong with it.
pub fn parse_encoding(name: &str) -> Result<Encoding, String> {
    Encoding::ALL.into_iter().find(|encoding| encoding.name() == name).ok_or_else(|| {
        let names = Encoding::ALL.map(Encoding::name).join(", ");
        format!("no encoding `{}`: expected one of {names}", crate::record::escaped(name))
    })
}

/// What is wrong with a map file, with the line's number and without the line: whoever names a wrong file here may
/// have named one with passwords or seeds.
fn fault(text: &str, error: &toml::de::Error) -> String {
    match error.span().and_then(|span| text.get(..span.start)) {
        Some(before) => format!("line {}: {}", before.matches('\n').count() + 1, error.message()),
        None => error.message().to_owned(),
    }
}

fn names(fields: &[Field]) -> String {
    fields.iter().map(|field| field.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[test]
    fn recognises_headers_in_any_spelling() {
        for (cell, expected) in [
            ("Serial Number", Some((Field::Serial, None))),
            ("serialnumber", Some((Field::Serial, None))),
            ("S/N", Some((Field::Serial, None))),
            ("serial_no.", Some((Field::Serial, None))),
            ("Token Identifier", Some((Field::Serial, None))),
            ("time interval", Some((Field::Period, None))),
            ("timeinterval", Some((Field::Period, None))),
            ("TimeIntervalInSeconds", Some((Field::Period, None))),
            ("Time Step (sec)", Some((Field::Period, None))),
            ("User Principle Name", Some((Field::Upn, None))),
            ("Secret Key", Some((Field::Seed, None))),
            ("Secret Key (HEX)", Some((Field::Seed, Some(Encoding::Hex)))),
            ("Key [Base32]", Some((Field::Seed, Some(Encoding::Base32)))),
            ("Key (B32)", Some((Field::Seed, Some(Encoding::Base32)))),
            ("seed_hex", Some((Field::Seed, Some(Encoding::Hex)))),
            ("Base64 Secret", Some((Field::Seed, Some(Encoding::Base64)))),
            ("key_id", Some((Field::KeyId, None))),
            ("Issuer", None),
            ("Serial (HEX)", None),
            ("Key (old)", None),
            ("hex", None),
            ("", None),
        ] {
            assert_eq!(recognise(cell), expected, "{cell}");
        }
    }

    #[test]
    fn every_field_is_recognised_by_its_own_key_and_no_word_means_two() {
        let mut words: Vec<&str> = Vec::new();
        for (field, names) in SYNONYMS {
            assert_eq!(recognise(field.name()), Some((*field, None)));
            assert!(names.iter().all(|name| plain(name).as_str() == *name));
            words.extend(*names);
        }
        assert_eq!(SYNONYMS.len(), Field::ALL.len());
        words.sort_unstable();
        assert!(words.is_sorted_by(|one, next| one < next));
    }

    #[test]
    fn reads_a_map_file() {
        let map = CsvMap::parse(
            "name = \"x\"\ndelimiter = \"tab\"\nheader = false\nseed_encoding = \"hex\"\n\
             [columns]\nserial = \"S/N\"\nseed = 2\n[set]\nperiod = 60\nmodel = \"One\"\n",
        )
        .expect("a map");
        assert_eq!(map.name.as_deref(), Some("x"));
        assert_eq!(map.options.delimiter, Some(b'\t'));
        assert_eq!(map.options.header, Some(false));
        assert_eq!(map.options.seed_encoding, Some(Encoding::Hex));
        let columns = [(Field::Seed, ColumnName::Position(2)), (Field::Serial, ColumnName::Name("S/N".to_owned()))];
        assert_eq!(map.options.columns, columns);
        assert_eq!(map.set, [(Field::Model, "One".to_owned()), (Field::Period, "60".to_owned())]);
    }

    #[test]
    fn says_what_is_wrong_with_a_map_file() {
        let check = |text, expected: &Expect| expected.assert_eq(&CsvMap::parse(text).expect_err("no map"));
        check(
            "[columns]\nsecret = 1",
            &expect![
                "no field `secret`: expected one of serial, issue, key_id, manufacturer, model, type, hash, digits, period, counter, drift, upn, seed"
            ],
        );
        check("[columns]\nseed = 0", &expect!["the position of `seed` is wrong: expected 1 or more, but found 0"]);
        check(
            "[set]\nseed = \"x\"",
            &expect!["`seed` cannot be set: expected one of manufacturer, model, period, hash, digits, type, upn"],
        );
        check("delimiter = \"::\"", &expect!["no delimiter `::`: expected one character, or `tab`"]);
        check("seed_encoding = \"b32\"", &expect!["no encoding `b32`: expected one of hex, base32, base64"]);
        check(
            "colour = 1",
            &expect![
                "line 1: unknown field `colour`, expected one of `name`, `delimiter`, `header`, `seed_encoding`, `columns`, `set`"
            ],
        );
    }

    #[test]
    fn reads_a_map_file_for_writing() {
        let map = OutColumns::parse_map(
            "delimiter = \";\"\nheader = false\nseed_encoding = \"base64\"\ncolumns = [\n\
             { name = \"Key\", field = \"seed\" },\n{ name = \"State\", text = \"new\" },\n]\n",
        )
        .expect("a map");
        assert_eq!((map.delimiter, map.header, map.seed_encoding), (b';', false, Encoding::Base64));
        assert_eq!(map.columns[0], OutColumn { name: "Key".to_owned(), value: OutValue::Field(Field::Seed) });
        assert_eq!(map.columns[1], OutColumn { name: "State".to_owned(), value: OutValue::Fixed("new".to_owned()) });
        let check = |text, expected: &Expect| expected.assert_eq(&OutColumns::parse_map(text).expect_err("no map"));
        check("columns = [{ name = \"a\" }]", &expect!["column `a` is wrong: expected either `field` or `text`"]);
        check(
            "columns = [{ name = \"a\", field = \"serial\" }]",
            &expect!["no column for the seed: expected one `NAME=seed`"],
        );
    }
}
