//! What Salesforce's data import takes into `TwoFactorInfo`.
//!
//! # Shape
//!
//! ```text
//! UserId,Type,SharedKey
//! ada@example.com,TOTP,GAYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD
//! ```
//!
//! # Source
//!
//! Salesforce's reference of `TwoFactorInfo`: `SharedKey` is Base32 of 20 bytes. `UserId` is Salesforce's own id of
//! the user; what is known of the user here is written there, to be replaced. The header that Deepnet delivers is
//! unconfirmed: files with a header are read as csv, by its words.
//!
//! # Memory
//!
//! Streams; one chunk.

use crate::error::Result;
use crate::format::csv::write_field;
use crate::format::cut::Head;
use crate::format::{Description, Format, Opened, ReadOptions};
use crate::record::{Algorithm, Draft, Encoding, Field, Fields, Holds, Plain, Token, UserHeld, encode_base32};

use super::rows::{Reader, RowFormat, is_named, open as open_rows};
use super::{Entry, Target};

/// The entry of the table.
pub(in crate::format) static ENTRY: Entry = Entry {
    id: "salesforce",
    description: Description {
        reads: "`UserId,Type,SharedKey`; it has no serial, so its tokens fit few targets",
        writes: "`UserId,Type,SharedKey`, seeds of 20 bytes only",
        loses: "serial, issue, key_id, manufacturer, model, hash, digits, period, counter, drift: TOTP with SHA-1, six digits and 30 s only",
        source: "Salesforce's reference of TwoFactorInfo; what Deepnet delivers is unconfirmed",
        memory: "streams",
    },
    fits: |text| {
        let first = text.lines().next().unwrap_or_default();
        first.split(',').map(|cell| cell.trim().trim_matches('"')).eq(HEADER.iter().copied())
    },
    open,
    target: Some(Target {
        holds: Holds {
            spreadsheet: true,
            hotp: false,
            digits: &[6],
            periods: &[30],
            hashes: &[Algorithm::Sha1],
            seed_bytes: Some(20),
            fields: Fields::of(&[Field::Type, Field::Seed, Field::Upn]),
            user: UserHeld::Any,
            ..Holds::EVERYTHING
        },
        reader: || Reader::written(&ROWS, b',', Encoding::Base32),
        head: b"UserId,Type,SharedKey\n",
        item,
        tail: b"",
    }),
};

const HEADER: [&str; 3] = ["UserId", "Type", "SharedKey"];

static ROWS: RowFormat = RowFormat {
    format: Format::Salesforce,
    name: "Salesforce CSV",
    delimiters: b",",
    widths: 3..=3,
    encoding: Some(Encoding::Base32),
    is_header: |row| is_named(row, &HEADER),
    seed_at: |_| 2,
    draft: |row| {
        // There is no serial; column 4 is never there.
        let draft = row.draft(usize::MAX, 2)?;
        Ok(Draft { upn: row.take(0), kind: row.take(1), ..draft })
    },
};

fn open<'s>(head: Head<'s>, options: &ReadOptions) -> Result<Opened<'s>> {
    open_rows(head, options, &ROWS)
}

/// Writes a row.
fn item(token: &Token<'_>, out: &mut Plain) {
    if let Some(user) = &token.upn {
        write_field(user, b',', true, out);
    }
    out.extend(b",TOTP,");
    encode_base32(&token.seed, out);
    out.extend(b"\n");
}
