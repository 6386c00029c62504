//! The logs of Yubico's personalization tool, of both kinds.
//!
//! # Shape
//!
//! ```text
//! LOGGING START,11.12.13 18:55
//! OATH-HOTP,11.12.13 18:55,1,cccccccccccc,,303132333435363738393a3b3c3d3e3f40414243,,,0,0,0,6,0,0,0,0,0,0
//! ```
//!
//! ```text
//! 508327,cccccccccccc,0,303132333435363738393a3b3c3d3e3f40414243,,2013-12-12T08:41:07,
//! ```
//!
//! The first kind ("traditional") has event, date, slot, public id, private id, key, …, digits, counter, …; the second
//! ("Yubico format") has serial, public id, private id or counter, key, access code and date.
//!
//! # Source
//!
//! Yubico's tool, read in its code, and the importers of LinOTP and privacyIDEA.
//!
//! # Leniency
//!
//! Event names are translated, so a row is HOTP where it has digits; a date may have a comma in it. The first kind has no
//! serial: the public id stands for it. All that is no HOTP is a finding: Yubico OTP, static passwords, challenge-response.
//! In the second kind, a row without a public id may be challenge-response as well, so its type is asked for
//! (`--set type=hotp`), and digits are 6 where `--set` says nothing else.
//!
//! # Memory
//!
//! Streams; one chunk.

use std::borrow::Cow;

use crate::error::{ErrorKind, Result};
use crate::format::cut::Head;
use crate::format::{Description, Format, Opened, ReadOptions};
use crate::record::{Draft, Encoding, escaped};

use super::Entry;
use super::rows::{Row, RowFormat, all_rows, is_number, open as open_rows};

/// The entry of the table.
pub(in crate::format) static ENTRY: Entry = Entry {
    id: "yubico",
    description: Description {
        reads: "logs of the personalization tool, traditional or Yubico format: HOTP; other rows are findings",
        writes: "",
        loses: "",
        source: "Yubico's tool, LinOTP's and privacyIDEA's importers",
        memory: "streams",
    },
    fits: |text| all_rows(text, b',', &mut |row| is_start(row) || traditional(row).is_some() || is_short(row)),
    open,
    target: None,
};

static ROWS: RowFormat = RowFormat {
    format: Format::Yubico,
    name: "Yubico log",
    delimiters: b",",
    widths: 7..=19,
    encoding: Some(Encoding::Hex),
    is_header: is_start,
    seed_at: |_| 5,
    draft,
};

/// Fields of a traditional row.
const WIDTH: usize = 18;

fn is_start(row: &[Cow<'_, str>]) -> bool {
    row.first().is_some_and(|event| &**event == "LOGGING START")
}

/// How many fields too many the date of a traditional row has; `None` where it is none.
fn traditional(row: &[Cow<'_, str>]) -> Option<usize> {
    let more = row.len().checked_sub(WIDTH).filter(|more| *more < 2)?;
    let slot = &*row[2 + more];
    (matches!(slot, "1" | "2") && row[8 + more..].iter().all(|field| is_number(field) || field.is_empty()))
        .then_some(more)
}

/// Whether text is modhex, which has sixteen letters that stand alike on all keyboards.
fn is_public_id(text: &str) -> bool {
    text.bytes().all(|byte| b"cbdefghijklnrtuv".contains(&byte))
}

fn is_short(row: &[Cow<'_, str>]) -> bool {
    matches!(row, [serial, _, _, _, _, date, last] if is_number(serial) && last.is_empty() && date.contains('T'))
}

fn open<'s>(head: Head<'s>, options: &ReadOptions) -> Result<Opened<'s>> {
    open_rows(head, options, &ROWS)
}

fn draft<'a>(row: &Row<'_, 'a>) -> std::result::Result<Draft<'a>, ErrorKind> {
    if row.width() == 7 {
        return short(row);
    }
    let Some(more) = traditional(row.fields()) else {
        return Err(ErrorKind::FormatDamaged {
            format: ROWS.name,
            expected: format!("{WIDTH} fields with a slot of 1 or 2"),
            found: format!("another row of {}", row.width()),
        });
    };
    if !matches!(row.text(11 + more), "6" | "8") {
        // Where a public id stands, other rows have scan codes: a password. Those of an id are letters only.
        let id = if is_public_id(row.text(3 + more)) { 3 + more } else { usize::MAX };
        return Ok(row.refused(id, &format!("a YubiKey's `{}`", escaped(row.text(0)))));
    }
    let mut draft = row.draft(3 + more, 5 + more)?;
    draft.kind = Some("hotp".into());
    draft.digits = row.take(11 + more);
    draft.counter = row.take(12 + more);
    Ok(draft)
}

/// A row of the Yubico format.
fn short<'a>(row: &Row<'_, 'a>) -> std::result::Result<Draft<'a>, ErrorKind> {
    const PRIVATE_ID: usize = 12;
    let (counter, key) = (row.text(2), row.text(3));
    if !is_number(counter) || counter.len() == PRIVATE_ID {
        return Ok(row.refused(0, "a YubiKey's Yubico OTP or static password"));
    }
    if key == "0" {
        return Ok(row.refused(0, "a YubiKey's without a key"));
    }
    let mut draft = row.draft(0, 3)?;
    draft.counter = row.take(2);
    draft.kind = (!row.text(1).is_empty()).then(|| "hotp".into());
    Ok(draft)
}
