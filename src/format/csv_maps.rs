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
//! ignore = ["Crypto", 7]      # columns that say nothing of how codes are computed
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
            "deviceserial",
            "deviceserialnumber",
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
            "tokensn",
        ],
    ),
    (Field::Issue, &["issue", "issueno"]),
    (Field::KeyId, &["keyid"]),
    (Field::Manufacturer, &["manufacturer", "vendor"]),
    (Field::Model, &["model", "product", "tokenmodel"]),
    (Field::Type, &["mode", "oathtype", "otpmode", "otptype", "tokentype", "type"]),
    (
        Field::Hash,
        &[
            "algo",
            "algorithm",
            "crypto",
            "cryptofunction",
            "hash",
            "hashalgo",
            "hashalgorithm",
            "hashfunction",
            "hashtype",
            "hmac",
            "hmacalgorithm",
            "hmacfunction",
            "hmachash",
            "hmactype",
            "otphash",
            "sha",
            "totphash",
        ],
    ),
    (
        // `length` alone may be the seed's.
        Field::Digits,
        &[
            "codedigits",
            "codelength",
            "digitcount",
            "digits",
            "hotpdigits",
            "noofdigits",
            "numberofdigits",
            "numdigits",
            "otpcodelength",
            "otpdigits",
            "otplength",
            "passcodelength",
            "totpdigits",
        ],
    ),
    (
        // `time window` may be how far a server looks around.
        Field::Period,
        &[
            "interval",
            "intervalinseconds",
            "intervalseconds",
            "otpinterval",
            "otpperiod",
            "period",
            "periodinseconds",
            "periodseconds",
            "timeinterval",
            "timeintervalinseconds",
            "timeintervalseconds",
            "timeperiod",
            "timestep",
            "timestepinseconds",
            "timestepseconds",
            "totpinterval",
            "totpperiod",
            "totptimestep",
        ],
    ),
    (
        Field::Counter,
        &["counter", "eventcounter", "hotpcounter", "initialcounter", "movingfactor", "otpcounter", "startcounter"],
    ),
    (Field::Drift, &["drift", "timedrift"]),
    (
        Field::Upn,
        // The second is Centrify's own spelling.
        &["upn", "user", "userprinciplename", "userprincipalname"],
    ),
    (
        Field::Seed,
        &[
            "hotpsecret",
            "hotpseed",
            "key",
            "oathkey",
            "oathsecret",
            "oathseed",
            "otpkey",
            "otpsecret",
            "otpsecretkey",
            "otpseed",
            "secret",
            "secretkey",
            "seed",
            "seedkey",
            "sharedkey",
            "sharedsecret",
            "tokenkey",
            "tokensecret",
            "tokenseed",
            "totpkey",
            "totpsecret",
            "totpseed",
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
        Some(remark) if REMARKS.contains(&remark) => {
            return field(&name).filter(|found| *found != Field::Seed).map(|found| (found, None));
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

/// Whether a header cell is `Key` alone, which names an id as often as a seed.
pub(super) fn is_bare_key(cell: &str) -> bool {
    plain(cell).as_str() == "key"
}

/// What stands in brackets and changes nothing: a seed alone may be spelled or cut in ways of its own.
const REMARKS: &[&str] =
    &["dec", "decimal", "digits", "hmac", "hotp", "oath", "optional", "otp", "required", "sn", "token", "totp", "upn"];

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
    /// The same as `--column`, `--ignore-column`, `--no-header`, `--delimiter` and `--seed-encoding`.
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
    ignore: Vec<RawColumn>,
    #[serde(default)]
    columns: BTreeMap<String, RawColumn>,
    #[serde(default)]
    set: BTreeMap<String, RawColumn>,
}

/// What [`RawColumn`] says of another value; the same words stand in its attribute.
const UNTAGGED: &str = "expected a text in quotes or a whole number";

/// A text or a number.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a text in quotes or a whole number")]
enum RawColumn {
    Number(i64),
    Text(String),
}

impl RawColumn {
    fn name(self, of: &str) -> Result<ColumnName, String> {
        match self {
            Self::Text(name) => Ok(ColumnName::Name(name)),
            Self::Number(position) => match usize::try_from(position) {
                Ok(position) if position > 0 => Ok(ColumnName::Position(position)),
                _ => Err(format!("the position of `{of}` is wrong: expected 1 or more, but found {position}")),
            },
        }
    }
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
        let raw: RawMap = toml::from_str(text).map_err(|error| unreadable(text, &error))?;
        let mut columns = Vec::new();
        for (name, column) in raw.columns {
            let field = parse_field(&name)?;
            columns.push((field, column.name(field.name())?));
        }
        let ignored = raw.ignore.into_iter().map(|column| column.name("ignore")).collect::<Result<_, _>>()?;
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
            ignored,
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
        let raw: RawOutMap = toml::from_str(text).map_err(|error| unreadable(text, &error))?;
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

/// What is wrong with a file that is no map. It may be a list of passwords or of seeds that was named by mistake, so
/// nothing in it is quoted: neither its line, as the parser's own text does, nor a key or a value.
fn unreadable(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1;
    let message = error.message();
    let expected = |begin: &str| message.strip_prefix(begin)?.split_once(", expected ").map(|(_, expected)| expected);
    if let Some(expected) = expected("unknown field ") {
        format!("line {line} has an unknown key: expected {expected}")
    } else if let Some(missing) = message.strip_prefix("missing field ") {
        format!("the key {missing} is missing")
    } else if let Some((_, expected)) = message.split_once(", expected ").filter(|_| message.starts_with("invalid ")) {
        format!("line {line} has a value of the wrong kind: expected {expected}")
    } else if message.starts_with("duplicate ") {
        format!("line {line} has a key that stands twice")
    } else if message == UNTAGGED {
        format!("line {line} has a value of the wrong kind: {message}")
    } else {
        format!("line {line} is no TOML: expected `key = value` or `[table]`")
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
            ("Digits (OTP)", Some((Field::Digits, None))),
            ("Hash (HMAC)", Some((Field::Hash, None))),
            ("HMAC Algorithm", Some((Field::Hash, None))),
            ("Number of Digits", Some((Field::Digits, None))),
            ("OTP Mode", Some((Field::Type, None))),
            ("Interval (ms)", None),
            ("Time Window", None),
            ("Length", None),
            ("Key (OTP)", None),
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
            "name = \"x\"\ndelimiter = \"tab\"\nheader = false\nseed_encoding = \"hex\"\nignore = [\"Crypto\", 7]\n\
             [columns]\nserial = \"S/N\"\nseed = 2\n[set]\nperiod = 60\nmodel = \"One\"\n",
        )
        .expect("a map");
        assert_eq!(map.name.as_deref(), Some("x"));
        assert_eq!(map.options.delimiter, Some(b'\t'));
        assert_eq!(map.options.header, Some(false));
        assert_eq!(map.options.seed_encoding, Some(Encoding::Hex));
        let columns = [(Field::Seed, ColumnName::Position(2)), (Field::Serial, ColumnName::Name("S/N".to_owned()))];
        assert_eq!(map.options.columns, columns);
        assert_eq!(map.options.ignored, [ColumnName::Name("Crypto".to_owned()), ColumnName::Position(7)]);
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
                "line 1 has an unknown key: expected one of `name`, `delimiter`, `header`, `seed_encoding`, `ignore`, `columns`, `set`"
            ],
        );
        check("\n\nheader", &expect!["line 3 is no TOML: expected `key = value` or `[table]`"]);
        check("\nheader = 1", &expect!["line 2 has a value of the wrong kind: expected a boolean"]);
        check("ignore = [0]", &expect!["the position of `ignore` is wrong: expected 1 or more, but found 0"]);
    }

    #[test]
    fn a_file_that_is_no_map_is_not_quoted() {
        for secret in ["hunter2", "4XWFBLITZHOT72LYC2DSVOCAVYYKNGII"] {
            for text in [
                format!("{secret}\n"),
                format!("1001,{secret},30\n"),
                format!("{secret} = 1\n"),
                format!("header = \"{secret}\"\n"),
                format!("header = {secret}\n"),
                format!("name = \"{secret}\nx\""),
                format!("[columns]\nseed = [\"{secret}\"]\n"),
                format!("{secret} = 1\n{secret} = 1\n"),
                format!("[[{secret}]]\n"),
                format!("columns = \"{secret}\"\n"),
            ] {
                for message in [CsvMap::parse(&text).err(), OutColumns::parse_map(&text).err()] {
                    let message = message.expect("no map");
                    assert!(!message.contains(secret), "{message}");
                    assert!(message.starts_with("line ") || message.starts_with("the key `columns` "), "{message}");
                }
            }
        }
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
