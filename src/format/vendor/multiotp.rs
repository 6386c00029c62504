//! multiOTP's CSV: six fields without a header.
//!
//! # Shape
//!
//! ```text
//! 1000001;Contoso;TOTP;303132333435363738393a3b3c3d3e3f40414243;6;30
//! 1000002;Contoso;HOTP;303132333435363738393a3b3c3d3e3f40414243;6;0
//! ```
//!
//! # Units
//!
//! The last field is the time step in seconds, or the counter of a HOTP token.
//!
//! # Source
//!
//! multiOTP's importer, read in its code.
//!
//! # Leniency
//!
//! Semicolons, commas or tabs. mOTP is a finding. There is no column for the hash, and multiOTP takes SHA-1.
//!
//! # Memory
//!
//! Streams; one chunk.

use crate::error::{ErrorKind, Result};
use crate::format::csv::write_field;
use crate::format::cut::Head;
use crate::format::json::number;
use crate::format::{Description, Format, Opened, ReadOptions};
use crate::record::{Algorithm, Draft, Encoding, Field, Fields, Holds, Moving, Plain, Token, UserHeld, encode};

use super::rows::{Reader, Row, RowFormat, all_rows, is_seed, open as open_rows};
use super::{Entry, Target};

/// The entry of the table.
pub(in crate::format) static ENTRY: Entry = Entry {
    id: "multiotp",
    description: Description {
        reads: "rows `serial;manufacturer;HOTP or TOTP;seed in hex;digits;time step or counter`, also with commas or tabs",
        writes: "the same, with semicolons",
        loses: "issue, key_id, model, hash, drift, upn: SHA-1 only",
        source: "multiOTP's importer",
        memory: "streams",
    },
    fits,
    open,
    target: Some(Target {
        holds: Holds {
            same_serial: false,
            hashes: &[Algorithm::Sha1],
            fields: Fields::of(&[
                Field::Serial,
                Field::Manufacturer,
                Field::Type,
                Field::Digits,
                Field::Period,
                Field::Counter,
                Field::Seed,
            ]),
            user: UserHeld::None,
            ..Holds::EVERYTHING
        },
        reader: || Reader::written(&ROWS, b';', Encoding::Hex),
        head: b"",
        item,
        tail: b"",
    }),
};

static ROWS: RowFormat = RowFormat {
    format: Format::MultiOtp,
    name: "multiOTP CSV",
    delimiters: b";,\t",
    widths: 6..=6,
    encoding: Some(Encoding::Hex),
    is_header: |_| false,
    seed_at: |_| 3,
    draft,
};

fn fits(text: &str) -> bool {
    ROWS.delimiters.iter().any(|delimiter| {
        all_rows(text, *delimiter, &mut |row| match row {
            [_, _, kind, seed, _, _] => {
                let is = |kinds: &[&str]| kinds.iter().any(|known| known.eq_ignore_ascii_case(kind));
                is(&["hotp", "totp"]) && is_seed(seed, Encoding::Hex) || is(&["motp"])
            }
            _ => false,
        })
    })
}

fn open<'s>(head: Head<'s>, options: &ReadOptions) -> Result<Opened<'s>> {
    open_rows(head, options, &ROWS)
}

fn draft<'a>(row: &Row<'_, 'a>) -> std::result::Result<Draft<'a>, ErrorKind> {
    let kind = row.text(2);
    if kind.eq_ignore_ascii_case("motp") {
        return Ok(row.refused(0, "an mOTP token"));
    }
    let hotp = kind.eq_ignore_ascii_case("hotp");
    let mut draft = row.draft(0, 3)?;
    draft.manufacturer = row.take(1);
    draft.kind = row.take(2);
    draft.digits = row.take(4);
    if hotp {
        draft.counter = row.take(5);
    } else {
        draft.period = row.take(5);
    }
    Ok(draft)
}

/// Writes a row.
fn item(token: &Token<'_>, out: &mut Plain) {
    if let Some(serial) = &token.serial {
        write_field(serial.as_str(), b';', true, out);
    }
    out.extend(b";");
    if let Some(manufacturer) = &token.manufacturer {
        write_field(manufacturer, b';', false, out);
    }
    let (kind, moving) = match token.otp.moving {
        Moving::Period { seconds, .. } => (&b";TOTP;"[..], u64::from(seconds.get())),
        Moving::Counter { next } => (&b";HOTP;"[..], next),
    };
    out.extend(kind);
    encode(&token.seed, Encoding::Hex, out);
    out.extend(b";");
    number(u64::from(token.otp.digits.count()), out);
    out.extend(b";");
    number(moving, out);
    out.extend(b"\n");
}
