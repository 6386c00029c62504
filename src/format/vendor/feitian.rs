//! Feitian's text: serial and seed, with a space between.
//!
//! # Shape
//!
//! ```text
//! 2600120000001 GAYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD
//! ```
//!
//! # Source
//!
//! Feitian's knowledge base, "OTP Seed Process": Base32 for TOTP and hex for HOTP where nothing else is ordered.
//!
//! # Leniency
//!
//! As an order may say otherwise, the whole column settles the encoding, and nothing is taken from it for the type: that,
//! the digits and the time step (30 or 60 s for a c200) are outside the file, and `--set` says them.
//!
//! # Memory
//!
//! Streams; all that was read so far is held until the encoding is settled.

use crate::error::Result;
use crate::format::cut::Head;
use crate::format::{Description, Format, Opened, ReadOptions};
use crate::record::Encoding;

use super::Entry;
use super::rows::{RowFormat, all_rows, is_seed, is_serial, open as open_rows};

/// The entry of the table.
pub(in crate::format) static ENTRY: Entry = Entry {
    id: "feitian",
    description: Description {
        reads: "rows `serial seed`, in Base32 or hex, with a space between; the rest is outside the file (`--set`)",
        writes: "",
        loses: "",
        source: "Feitian's knowledge base; in hex it looks like Swivel's and Duo's, so `--from` has to say which",
        memory: "streams; the head is held until the encoding of the seeds is settled",
    },
    fits: |text| {
        all_rows(text, b' ', &mut |row| match row {
            [serial, seed] => {
                // A letter's words are legal Base32, and a word is no serial of Feitian's.
                let numbered = is_serial(serial) && serial.bytes().any(|byte| byte.is_ascii_digit());
                numbered && [Encoding::Hex, Encoding::Base32].into_iter().any(|encoding| is_seed(seed, encoding))
            }
            _ => false,
        })
    },
    open,
    target: None,
};

static ROWS: RowFormat = RowFormat {
    format: Format::Feitian,
    name: "Feitian text",
    delimiters: b" ",
    widths: 2..=2,
    encoding: None,
    is_header: |_| false,
    seed_at: |_| 1,
    draft: |row| row.draft(0, 1),
};

fn open<'s>(head: Head<'s>, options: &ReadOptions) -> Result<Opened<'s>> {
    open_rows(head, options, &ROWS)
}
