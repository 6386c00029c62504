//! The OATH CSV of LinOTP, privacyIDEA and NetIQ: rows without a header.
//!
//! # Shape
//!
//! ```text
//! # serial, key, type, digits, time step or counter, hash
//! 1000001,303132333435363738393a3b3c3d3e3f40414243,totp,6,30,sha1
//! 1000002,303132333435363738393a3b3c3d3e3f40414243,hotp,6,0,sha1
//! ```
//!
//! ```text
//! # version: 2
//! # user, resolver, realm, serial, key, type, digits, time step or counter
//! ada@example.com,ldap,example,1000001,303132333435363738393a3b3c3d3e3f40414243,totp,6,30
//! ```
//!
//! # Units
//!
//! The time step is in seconds.
//!
//! # Source
//!
//! LinOTP's and privacyIDEA's importers, read in their code, and NetIQ's documentation. The columns of version 2 behind
//! the type are privacyIDEA's documentation.
//!
//! # Leniency
//!
//! Fields from the third on may be left out; white space and tabs around fields. Without the last column the hash is
//! unknown: importers guess it from the length of the key, each in its own way, and this reader does not. Nor does
//! it take a row without a type for HOTP. Rows of OCRA, TAN and other kinds are findings. The user of version 2 is taken
//! as it stands, without its realm.
//!
//! # Memory
//!
//! Streams; one chunk.

use crate::error::{ErrorKind, Result};
use crate::format::csv::write_field;
use crate::format::cut::Head;
use crate::format::json::number;
use crate::format::{Description, Format, Opened, ReadOptions, csv};
use crate::record::{Draft, Encoding, Field, Fields, Holds, Moving, Plain, Token, UserHeld, encode};

use super::rows::{Reader, Row, RowFormat, all_rows, is_seed, open as open_rows};
use super::{Entry, Target};

/// The entry of the table.
pub(in crate::format) static ENTRY: Entry = Entry {
    id: "oath-csv",
    description: Description {
        reads: "rows `serial, key in hex, hotp or totp, digits, time step or counter[, hash]`; version 2 with user, resolver and realm in front",
        writes: "`serial,key,type,digits,time step or counter,hash`; LinOTP reads the hash, privacyIDEA goes by the key's length",
        loses: "issue, key_id, manufacturer, model, drift, upn",
        source: "LinOTP's and privacyIDEA's importers, NetIQ's documentation",
        memory: "streams",
    },
    fits,
    open,
    target: Some(Target {
        holds: Holds {
            same_serial: false,
            fields: Fields::of(&[
                Field::Serial,
                Field::Type,
                Field::Hash,
                Field::Digits,
                Field::Period,
                Field::Counter,
                Field::Seed,
            ]),
            user: UserHeld::None,
            ..Holds::EVERYTHING
        },
        reader: || Reader::written(&FIRST, b',', Encoding::Hex),
        head: b"",
        item,
        tail: b"",
    }),
};

static FIRST: RowFormat = RowFormat {
    format: Format::OathCsv,
    name: "OATH CSV",
    delimiters: b",",
    widths: 2..=6,
    encoding: Some(Encoding::Hex),
    is_header: |_| false,
    seed_at: |_| 1,
    draft: |row| draft(row, 0),
};

/// The same behind user, resolver and realm.
static SECOND: RowFormat = RowFormat {
    format: Format::OathCsv,
    name: "OATH CSV of version 2",
    delimiters: b",",
    widths: 5..=9,
    encoding: Some(Encoding::Hex),
    is_header: |_| false,
    seed_at: |_| 4,
    draft: |row| Ok(Draft { upn: row.take(0), ..draft(row, 3)? }),
};

/// Whether a comment at the start of the text says `version: 2`.
fn is_second(text: &str) -> bool {
    let lines = text.lines().map(str::trim).take_while(|line| line.is_empty() || line.starts_with('#'));
    lines
        .filter_map(|line| line.trim_start_matches('#').trim().strip_prefix("version"))
        .any(|rest| rest.trim_start().strip_prefix(':').is_some_and(|version| version.trim() == "2"))
}

fn fits(text: &str) -> bool {
    let at = if is_second(text) { 3 } else { 0 };
    let mut oath = false;
    let known = all_rows(text, b',', &mut |row| {
        let field = |position: usize| row.get(at + position).map_or("", |text| text.trim());
        let is = |kinds: &[&str]| kinds.iter().any(|kind| kind.eq_ignore_ascii_case(field(2)));
        let token = is(&["hotp", "totp"]) && is_seed(field(1), Encoding::Hex);
        oath |= token;
        token || is(&["ocra", "ocra2", "tan"])
    });
    known && oath
}

fn open<'s>(head: Head<'s>, options: &ReadOptions) -> Result<Opened<'s>> {
    let rows = if is_second(csv::readable(head.bytes())) { &SECOND } else { &FIRST };
    open_rows(head, options, rows)
}

/// A row whose serial stands at `at`.
fn draft<'a>(row: &Row<'_, 'a>, at: usize) -> std::result::Result<Draft<'a>, ErrorKind> {
    let kind = row.text(at + 2);
    if kind.eq_ignore_ascii_case("ocra") || kind.eq_ignore_ascii_case("ocra2") {
        return Ok(row.refused(at, "an OCRA token"));
    }
    if kind.eq_ignore_ascii_case("tan") {
        return Ok(row.refused(at, "a TAN list"));
    }
    let hotp = kind.eq_ignore_ascii_case("hotp");
    let mut draft = row.draft(at, at + 1)?;
    draft.kind = row.take(at + 2);
    draft.digits = row.take(at + 3);
    if hotp {
        draft.counter = row.take(at + 4);
    } else {
        draft.period = row.take(at + 4);
    }
    draft.hash = row.take(at + 5);
    Ok(draft)
}

/// Writes a row.
fn item(token: &Token<'_>, out: &mut Plain) {
    out.reserve(160);
    if let Some(serial) = &token.serial {
        write_field(serial.as_str(), b',', true, out);
    }
    out.extend(b",");
    encode(&token.seed, Encoding::Hex, out);
    let (kind, moving) = match token.otp.moving {
        Moving::Period { seconds, .. } => (&b",totp,"[..], u64::from(seconds.get())),
        Moving::Counter { next } => (&b",hotp,"[..], next),
    };
    out.extend(kind);
    number(u64::from(token.otp.digits.count()), out);
    out.extend(b",");
    number(moving, out);
    out.extend(b",");
    out.extend(token.otp.algorithm.name().as_bytes());
    out.extend(b"\n");
}
