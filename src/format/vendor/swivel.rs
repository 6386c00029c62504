//! Swivel's text: serial and key in hex, with a space between.
//!
//! # Shape
//!
//! ```text
//! 1000001 303132333435363738393a3b3c3d3e3f40414243
//! ```
//!
//! # Source
//!
//! Swivel's knowledge base, "OATH Seed Conversion".
//!
//! # Leniency
//!
//! Type, digits and time step are outside the file: `--set` says them.
//!
//! # Memory
//!
//! Streams; one chunk.

use crate::error::Result;
use crate::format::cut::Head;
use crate::format::{Description, Format, Opened, ReadOptions};
use crate::record::Encoding;

use super::Entry;
use super::rows::{RowFormat, all_rows, is_seed, is_serial, open as open_rows};

/// The entry of the table.
pub(in crate::format) static ENTRY: Entry = Entry {
    id: "swivel",
    description: Description {
        reads: "rows `serial key`, in hex, with a space between; the rest is outside the file (`--set`)",
        writes: "",
        loses: "",
        source: "Swivel's knowledge base; looks like Feitian's and Duo's, so `--from` has to say which",
        memory: "streams",
    },
    fits: |text| {
        all_rows(text, b' ', &mut |row| match row {
            [serial, key] => is_serial(serial) && is_seed(key, Encoding::Hex),
            _ => false,
        })
    },
    open,
    target: None,
};

static ROWS: RowFormat = RowFormat {
    format: Format::Swivel,
    name: "Swivel text",
    delimiters: b" ",
    widths: 2..=2,
    encoding: Some(Encoding::Hex),
    is_header: |_| false,
    seed_at: |_| 1,
    draft: |row| row.draft(0, 1),
};

fn open<'s>(head: Head<'s>, options: &ReadOptions) -> Result<Opened<'s>> {
    open_rows(head, options, &ROWS)
}
