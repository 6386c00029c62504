//! PhenixID's CSV: rows of HOTP and TOTP tokens with semicolons.
//!
//! # Shape
//!
//! ```text
//! TOTP;1000001;SHA1;303132333435363738393a3b3c3d3e3f40414243;0;30;6
//! HOTP;1000002;303132333435363738393a3b3c3d3e3f40414243;0
//! ```
//!
//! A TOTP row has serial, hash, key, epoch, time step and digits; a HOTP row has serial, key and counter, and may come
//! without its first field.
//!
//! # Units
//!
//! The time step and the epoch are in seconds, the epoch since 1970.
//!
//! # Source
//!
//! PhenixID's pages on imports. They do not say how a key is spelled, so the whole column settles it, and nothing is
//! written.
//!
//! # Leniency
//!
//! An epoch other than 0 is a finding: no other format has a place for it.
//!
//! # Memory
//!
//! Streams; all that was read so far is held until the encoding is settled.

use crate::error::{ErrorKind, Result};
use crate::format::cut::Head;
use crate::format::{Description, Format, Opened, ReadOptions};
use crate::record::{Code, Draft, escaped};

use super::Entry;
use super::rows::{Row, RowFormat, all_rows, open as open_rows};

/// The entry of the table.
pub(in crate::format) static ENTRY: Entry = Entry {
    id: "phenixid",
    description: Description {
        reads: "rows `TOTP;serial;hash;key;epoch;time step;digits` and `HOTP;serial;key;counter`, keys in hex, Base32 or Base64",
        writes: "",
        loses: "",
        source: "PhenixID's documentation; the encoding of keys is unconfirmed",
        memory: "streams; the head is held until the encoding of the seeds is settled",
    },
    fits: |text| {
        all_rows(text, b';', &mut |row| match row {
            [kind, _, _, _] => kind.eq_ignore_ascii_case("hotp"),
            [kind, _, _, _, _, _, _] => kind.eq_ignore_ascii_case("totp"),
            _ => false,
        })
    },
    open,
    target: None,
};

static ROWS: RowFormat = RowFormat {
    format: Format::PhenixId,
    name: "PhenixID CSV",
    delimiters: b";",
    widths: 3..=7,
    encoding: None,
    is_header: |_| false,
    seed_at: |row| match row.width() {
        3 => 1,
        4 => 2,
        _ => 3,
    },
    draft,
};

fn open<'s>(head: Head<'s>, options: &ReadOptions) -> Result<Opened<'s>> {
    open_rows(head, options, &ROWS)
}

fn draft<'a>(row: &Row<'_, 'a>) -> std::result::Result<Draft<'a>, ErrorKind> {
    let wrong = || ErrorKind::FormatDamaged {
        format: ROWS.name,
        expected: "a HOTP row of 3 or 4 fields or a TOTP row of 7".to_owned(),
        found: format!("another row of {}", row.width()),
    };
    match row.width() {
        3 => {
            let draft = row.draft(0, 1)?;
            Ok(Draft { kind: Some("hotp".into()), counter: row.take(2), ..draft })
        }
        4 if row.text(0).eq_ignore_ascii_case("hotp") => {
            let draft = row.draft(1, 2)?;
            Ok(Draft { kind: row.take(0), counter: row.take(3), ..draft })
        }
        7 if row.text(0).eq_ignore_ascii_case("totp") => {
            let mut draft = row.draft(1, 3)?;
            if !matches!(row.text(4), "" | "0") {
                let message =
                    format!("the token counts from another time: expected 0, but found `{}`", escaped(row.text(4)));
                draft.faults.push((Code::TypeUnsupported, message));
            }
            draft.kind = row.take(0);
            draft.hash = row.take(2);
            draft.period = row.take(5);
            draft.digits = row.take(6);
            Ok(draft)
        }
        _ => Err(wrong()),
    }
}
