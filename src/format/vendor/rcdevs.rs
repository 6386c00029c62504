//! The inventory file of RCDevs WebADM: rows whose last field is a list of its own.
//!
//! # Shape
//!
//! ```text
//! # CSV import file for RCDevs WebADM
//! Type, Reference, Description, Data
//! "OTP Token", "1000001", "SafeID", "TokenKey=MDEyMzQ1Njc4OTo7PD0+P0BBQkM=,TokenType=VE9UUA==,TokenState=MA==,OTPLength=Ng==,TOTPTimeStep=MzA="
//! ```
//!
//! Every value in `Data` is Base64: of the key's bytes, and else of text, numbers included.
//!
//! # Units
//!
//! `TOTPTimeStep` is in seconds; `TokenState` is the counter of a HOTP token and a time offset of a TOTP token.
//!
//! # Source
//!
//! RCDevs' documentation, "Seeds file conversion", and Token2's converter. Whether there is a key for the hash is
//! unconfirmed: SHA-1 is all that is written.
//!
//! # Leniency
//!
//! Unknown keys in `Data` are passed over, unless their name may say a field: then the run stops. A time offset other than 0 is a finding, as its unit is unconfirmed. OCRA and
//! YUBIKEY are findings. The description is the model.
//!
//! # Memory
//!
//! Streams; one chunk.

use data_encoding::BASE64;

use crate::error::{ErrorKind, Result};
use crate::format::csv::write_field;
use crate::format::cut::Head;
use crate::format::{Description, Format, Opened, ReadOptions};
use crate::record::{
    Algorithm, Code, Draft, Encoding, Field, Fields, Holds, Moving, Plain, SeedText, Token, UserHeld, encode, escaped,
};

use super::rows::{Reader, Row, RowFormat, is_named, open as open_rows};
use super::{Entry, Target, base64_doubt, pass_over};

/// The entry of the table.
pub(in crate::format) static ENTRY: Entry = Entry {
    id: "rcdevs",
    description: Description {
        reads: "the unencrypted inventory: `Type, Reference, Description, Data` with Base64 values in `Data`",
        writes: "the same",
        loses: "issue, key_id, manufacturer, hash, drift, upn: SHA-1, codes of 6, 8 or 10 digits",
        source: "RCDevs' documentation, Token2's converter; a key for the hash is unconfirmed",
        memory: "streams",
    },
    fits,
    open,
    target: Some(Target {
        holds: Holds {
            same_serial: false,
            digits: &[6, 8, 10],
            hashes: &[Algorithm::Sha1],
            fields: Fields::of(&[
                Field::Serial,
                Field::Model,
                Field::Type,
                Field::Digits,
                Field::Period,
                Field::Counter,
                Field::Seed,
            ]),
            user: UserHeld::None,
            ..Holds::EVERYTHING
        },
        reader: || Reader::written(&ROWS, b',', Encoding::Base64),
        head: b"# CSV import file for RCDevs WebADM\nType, Reference, Description, Data\n",
        item,
        tail: b"",
    }),
};

static ROWS: RowFormat = RowFormat {
    format: Format::RcDevs,
    name: "RCDevs inventory",
    delimiters: b",",
    widths: 4..=4,
    encoding: Some(Encoding::Base64),
    is_header: |row| is_named(row, &["Type", "Reference", "Description", "Data"]),
    seed_at: |_| 3,
    draft,
};

fn fits(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let marked = |line: &str| line.starts_with('#') && line.contains("RCDevs WebADM");
    lines.next().is_some_and(marked) || text.contains("TokenKey=") && text.contains("TokenType=")
}

fn open<'s>(head: Head<'s>, options: &ReadOptions) -> Result<Opened<'s>> {
    open_rows(head, options, &ROWS)
}

fn damaged(expected: &str, found: &str) -> ErrorKind {
    ErrorKind::FormatDamaged { format: ROWS.name, expected: expected.to_owned(), found: found.to_owned() }
}

fn draft<'a>(row: &Row<'_, 'a>) -> std::result::Result<Draft<'a>, ErrorKind> {
    let (mut key, mut kind, mut state, mut digits, mut period) = (None, None, None, None, None);
    for value in row.text(3).split(',').map(str::trim).filter(|value| !value.is_empty()) {
        let (name, value) = value.split_once('=').ok_or_else(|| damaged("`KEY=VALUE` in `Data`", "another text"))?;
        let place = match name.trim() {
            "TokenKey" => &mut key,
            "TokenType" => &mut kind,
            "TokenState" => &mut state,
            "OTPLength" => &mut digits,
            "TOTPTimeStep" => &mut period,
            other => {
                pass_over(ROWS.name, other)?;
                continue;
            }
        };
        if place.replace(value.trim()).is_some() {
            return Err(damaged(&format!("`{}` once in `Data`", escaped(name.trim())), "it twice"));
        }
    }
    let kind = decoded("TokenType", kind)?.unwrap_or_default();
    if kind.eq_ignore_ascii_case("ocra") {
        return Ok(row.refused(1, "an OCRA token"));
    }
    if kind.eq_ignore_ascii_case("yubikey") {
        return Ok(row.refused(1, "a YubiKey's"));
    }
    let mut draft = row.bare(1);
    draft.model = row.take(2);
    let state = decoded("TokenState", state)?;
    if kind.eq_ignore_ascii_case("hotp") {
        draft.counter = state.map(Into::into);
    } else {
        if let Some(offset) = state.filter(|state| state != "0") {
            let message = format!("the time offset is not understood: expected 0, but found `{}`", escaped(&offset));
            draft.faults.push((Code::TypeUnsupported, message));
        }
        draft.period = decoded("TOTPTimeStep", period)?.map(Into::into);
    }
    draft.kind = Some(kind).filter(|kind| !kind.is_empty()).map(Into::into);
    draft.digits = decoded("OTPLength", digits)?.map(Into::into);
    if let Some(key) = key.filter(|key| !key.is_empty()) {
        if !row.is_ours() {
            draft.faults.extend(base64_doubt(key));
        }
        draft.seed = Some(SeedText::Prescribed(key.to_owned().into(), Encoding::Base64));
    }
    Ok(draft)
}

/// The text of a value that is no secret.
fn decoded(name: &str, value: Option<&str>) -> std::result::Result<Option<String>, ErrorKind> {
    let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(None) };
    let text = BASE64.decode(value.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(Some).ok_or_else(|| damaged(&format!("Base64 of text in `{name}`"), "another value"))
}

/// Writes a row.
fn item(token: &Token<'_>, out: &mut Plain) {
    out.extend(b"\"OTP Token\", ");
    quoted(token.serial.as_ref().map_or("", |serial| serial.as_str()), out);
    out.extend(b", ");
    quoted(token.model.as_deref().unwrap_or_default(), out);
    out.extend(b", \"TokenKey=");
    encode(&token.seed, Encoding::Base64, out);
    let (kind, state, period) = match token.otp.moving {
        Moving::Period { seconds, .. } => ("TOTP", 0, Some(seconds)),
        Moving::Counter { next } => ("HOTP", next, None),
    };
    value(b",TokenType=", kind, out);
    value(b",TokenState=", &state.to_string(), out);
    value(b",OTPLength=", &token.otp.digits.count().to_string(), out);
    if let Some(period) = period {
        value(b",TOTPTimeStep=", &period.to_string(), out);
    }
    out.extend(b"\"\n");
}

fn value(name: &[u8], text: &str, out: &mut Plain) {
    out.extend(name);
    out.extend(BASE64.encode(text.as_bytes()).as_bytes());
}

/// Writes a field in quotes, as WebADM's own files have it.
fn quoted(text: &str, out: &mut Plain) {
    if text.contains('"') {
        return write_field(text, b',', false, out);
    }
    out.extend(b"\"");
    out.extend(text.as_bytes());
    out.extend(b"\"");
}
