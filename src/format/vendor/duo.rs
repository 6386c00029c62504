//! What Duo's Admin Panel imports: serial, key in hex, and perhaps a number.
//!
//! # Shape
//!
//! ```text
//! 1000001,303132333435363738393a3b3c3d3e3f40414243,30
//! 1000002 303132333435363738393A3B3C3D3E3F40414243
//! ```
//!
//! # Units
//!
//! The number is the time step in seconds of a TOTP token, or the counter of a HOTP token.
//!
//! # Source
//!
//! Deepnet's page on Duo (commas, `,60` behind each row of tokens of 60 s) and Token2's converter (a space). Type and
//! digits are chosen in the panel, outside the file.
//!
//! # Leniency
//!
//! Commas or spaces. The type is read from nowhere: `--set type=hotp` says it, and `--set period=` where there is no
//! number. A number is a time step where it is 30 or 60, and else a counter, which without `--set type=hotp` is a
//! finding. Rows of YubiKeys (serial, private id, AES key) are findings.
//!
//! # Memory
//!
//! Streams; one chunk.

use std::borrow::Cow;

use crate::error::{ErrorKind, Result};
use crate::format::csv::write_field;
use crate::format::cut::Head;
use crate::format::json::number;
use crate::format::{Description, Format, Opened, ReadOptions};
use crate::record::{Algorithm, Draft, Encoding, Field, Fields, Holds, Moving, Plain, Token, UserHeld, encode};

use super::rows::{Reader, Row, RowFormat, all_rows, is_number, is_seed, is_serial, open as open_rows};
use super::{Entry, Target};

/// The entry of the table.
pub(in crate::format) static ENTRY: Entry = Entry {
    id: "duo",
    description: Description {
        reads: "rows `serial,key in hex[,time step or counter]`, with commas or spaces; type and digits are outside the file (`--set`)",
        writes: "`serial,key,time step`, to be imported as TOTP with six digits",
        loses: "issue, key_id, manufacturer, model, type, hash, digits, counter, drift, upn: TOTP with SHA-1 and six digits only",
        source: "Deepnet's and Token2's pages on Duo; whether the panel takes spaces is unconfirmed",
        memory: "streams",
    },
    fits,
    open,
    target: Some(Target {
        holds: Holds {
            same_serial: false,
            // One type is chosen for the whole file, so a file of both kinds would turn one into the other.
            hotp: false,
            digits: &[6],
            periods: &PERIODS,
            hashes: &[Algorithm::Sha1],
            fields: Fields::of(&[Field::Serial, Field::Seed, Field::Period]),
            user: UserHeld::None,
            ..Holds::EVERYTHING
        },
        reader: || Reader::written(&ROWS, b',', Encoding::Hex),
        head: b"",
        item,
        tail: b"",
    }),
};

/// Time steps that Duo's tokens have.
const PERIODS: [u32; 2] = [30, 60];

static ROWS: RowFormat = RowFormat {
    format: Format::Duo,
    name: "Duo text",
    delimiters: b", ",
    widths: 2..=3,
    encoding: Some(Encoding::Hex),
    is_header: |_| false,
    seed_at: |_| 1,
    draft,
};

fn fits(text: &str) -> bool {
    [b',', b' '].into_iter().any(|delimiter| all_rows(text, delimiter, &mut is_row))
}

fn is_row(row: &[Cow<'_, str>]) -> bool {
    match row {
        [serial, key] => is_serial(serial) && is_seed(key, Encoding::Hex),
        [serial, key, last] => {
            is_serial(serial) && (is_seed(key, Encoding::Hex) && is_number(last) || is_yubikey(key, last))
        }
        _ => false,
    }
}

/// A private id of 6 bytes and an AES key of 16.
fn is_yubikey(id: &str, key: &str) -> bool {
    let hex = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex(id, 12) && hex(key, 32)
}

fn open<'s>(head: Head<'s>, options: &ReadOptions) -> Result<Opened<'s>> {
    open_rows(head, options, &ROWS)
}

fn draft<'a>(row: &Row<'_, 'a>) -> std::result::Result<Draft<'a>, ErrorKind> {
    if is_yubikey(row.text(1), row.text(2)) {
        return Ok(row.refused(0, "a YubiKey's, with its private id and its AES key"));
    }
    let mut draft = row.draft(0, 1)?;
    let number = row.take(2);
    // Whichever the type turns out to be, the other is not looked at.
    draft.period = number.clone().filter(|text| PERIODS.iter().any(|period| period.to_string() == text.trim()));
    draft.counter = number;
    Ok(draft)
}

/// Writes a row.
fn item(token: &Token<'_>, out: &mut Plain) {
    if let Some(serial) = &token.serial {
        write_field(serial.as_str(), b',', true, out);
    }
    out.extend(b",");
    encode(&token.seed, Encoding::Hex, out);
    if let Moving::Period { seconds, .. } = token.otp.moving {
        out.extend(b",");
        number(u64::from(seconds.get()), out);
    }
    out.extend(b"\n");
}
