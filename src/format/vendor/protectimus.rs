//! Protectimus' CSV: serial and secret.
//!
//! # Shape
//!
//! ```text
//! serialNumber,secret
//! 1000001,GAYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD
//! ```
//!
//! # Source
//!
//! Protectimus' page on imports, which names the two columns and not how a secret is spelled.
//!
//! # Leniency
//!
//! The header may be missing; then nothing tells these rows from others, and `--from protectimus` has to say it. The whole
//! column settles the encoding; the rest is outside the file, and `--set` says it.
//!
//! # Memory
//!
//! Streams; all that was read so far is held until the encoding is settled.

use crate::error::Result;
use crate::format::cut::Head;
use crate::format::{Description, Format, Opened, ReadOptions};

use super::Entry;
use super::rows::{RowFormat, is_named, open as open_rows};

/// The entry of the table.
pub(in crate::format) static ENTRY: Entry = Entry {
    id: "protectimus",
    description: Description {
        reads: "rows `serialNumber,secret` in hex, Base32 or Base64, by `--from`; with their header they are read as csv",
        writes: "",
        loses: "",
        source: "Protectimus' documentation; the encoding is unconfirmed",
        memory: "streams; the head is held until the encoding of the seeds is settled",
    },
    fits: |_| false,
    open,
    target: None,
};

static ROWS: RowFormat = RowFormat {
    format: Format::Protectimus,
    name: "Protectimus CSV",
    delimiters: b",;",
    widths: 2..=2,
    encoding: None,
    is_header: |row| is_named(row, &["serialNumber", "secret"]),
    seed_at: |_| 1,
    draft: |row| row.draft(0, 1),
};

fn open<'s>(head: Head<'s>, options: &ReadOptions) -> Result<Opened<'s>> {
    open_rows(head, options, &ROWS)
}
