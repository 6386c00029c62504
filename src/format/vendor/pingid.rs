//! What PingID imports: serial, key in hex, and perhaps a counter.
//!
//! # Shape
//!
//! ```text
//! 1000001,303132333435363738393a3b3c3d3e3f40414243
//! 1000002,303132333435363738393a3b3c3d3e3f40414243,0
//! ```
//!
//! # Units
//!
//! The counter is the next moving factor of a HOTP token.
//!
//! # Source
//!
//! PingID's documentation on OATH tokens: no header, no spaces.
//!
//! # Leniency
//!
//! Type, digits and time step are outside the file: `--set` says them. A row with a counter is not taken for HOTP by
//! that alone.
//!
//! # Memory
//!
//! Streams; one chunk.

use crate::error::Result;
use crate::format::cut::Head;
use crate::format::{Description, Format, Opened, ReadOptions};
use crate::record::Encoding;

use super::Entry;
use super::rows::{RowFormat, all_rows, is_number, is_seed, is_serial, open as open_rows};

/// The entry of the table.
pub(in crate::format) static ENTRY: Entry = Entry {
    id: "pingid",
    description: Description {
        reads: "rows `serial,key in hex[,counter]`; type, digits and time step are outside the file (`--set`)",
        writes: "",
        loses: "",
        source: "PingID's documentation; two columns look like Duo's, so `--from` has to say which",
        memory: "streams",
    },
    fits,
    open,
    target: None,
};

static ROWS: RowFormat = RowFormat {
    format: Format::PingId,
    name: "PingID text",
    delimiters: b",",
    widths: 2..=3,
    encoding: Some(Encoding::Hex),
    is_header: |_| false,
    seed_at: |_| 1,
    draft: |row| {
        let mut draft = row.draft(0, 1)?;
        draft.counter = row.take(2);
        Ok(draft)
    },
};

fn fits(text: &str) -> bool {
    let mut steps_only = true;
    let known = all_rows(text, b',', &mut |row| match row {
        [serial, key] => {
            steps_only = false;
            is_serial(serial) && is_seed(key, Encoding::Hex)
        }
        [serial, key, counter] => {
            // Counters that are all 30 or 60 are Duo's time steps.
            steps_only &= matches!(&**counter, "30" | "60");
            is_serial(serial) && is_seed(key, Encoding::Hex) && is_number(counter)
        }
        _ => false,
    });
    known && !steps_only
}

fn open<'s>(head: Head<'s>, options: &ReadOptions) -> Result<Opened<'s>> {
    open_rows(head, options, &ROWS)
}
