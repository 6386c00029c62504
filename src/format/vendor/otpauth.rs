//! Key URIs, one a line: what authenticator apps show as a QR code.
//!
//! # Shape
//!
//! ```text
//! otpauth://totp/Contoso:1000001?secret=GAYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD&issuer=Contoso&algorithm=SHA1&digits=6&period=30
//! otpauth://hotp/1000002?secret=GAYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD&algorithm=SHA1&digits=6&counter=0
//! ```
//!
//! The account in the label is the serial, or the user where it has an `@`; the issuer is the manufacturer. Where
//! that would not read back, a parameter `serial` is written, which apps pass over.
//!
//! # Units
//!
//! `period` is in seconds; lines count from 1.
//!
//! # Source
//!
//! Google's [Key URI Format], which declares what an absent parameter means: SHA-1, six digits, 30 seconds.
//!
//! # Leniency
//!
//! Scheme, type and names of parameters in either case; parameters in any order; those that only say how an app shows an
//! account are passed over, and others are findings, as Steam's `encoder` changes the codes; blank lines and lines that begin with
//! `#`. Percent-encoding is strict: a `%` without two hex digits, or bytes that
//! are no UTF-8, stop the run, and a `+` is a plus.
//!
//! # Memory
//!
//! Streams; one chunk.
//!
//! [Key URI Format]: https://github.com/google/google-authenticator/wiki/Key-Uri-Format

use std::borrow::Cow;

use zeroize::Zeroize;

use crate::error::{Error, ErrorKind, Result};
use crate::format::cut::{Chunk, Head};
use crate::format::json::number;
use crate::format::jsonl::Lines;
use crate::format::{Description, Format, Opened, ReadOptions, csv};
use crate::record::{
    Algorithm, Code, Draft, Encoding, Field, Fields, Holds, Moving, Place, Plain, SeedText, Token, Trail, UserHeld,
    encode_base32, escaped,
};

use super::{Each, Entry, Kind, Reader, Target, pass_over};

/// The entry of the table.
pub(in crate::format) static ENTRY: Entry = Entry {
    id: "otpauth",
    description: Description {
        reads: "Key URIs, one a line: `otpauth://totp/ISSUER:SERIAL?secret=…`",
        writes: "Key URIs, one a line",
        loses: "issue, key_id, model, drift, upn; digits other than 6 and 8",
        source: "Google's Key URI Format",
        memory: "streams",
    },
    fits,
    open,
    target: Some(Target {
        holds: Holds {
            same_serial: false,
            digits: &[6, 8],
            fields: Fields::of(&[
                Field::Serial,
                Field::Manufacturer,
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
        reader: || Reader(Kind::Plain(read)),
        head: b"",
        item,
        tail: b"",
    }),
};

const SCHEME: &str = "otpauth://";

/// What messages call a member.
const NAME: &str = "list of Key URIs";

fn fits(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !is_passed(line)).unwrap_or_default();
    first.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
}

fn is_passed(line: &str) -> bool {
    line.is_empty() || line.starts_with('#')
}

fn open<'s>(head: Head<'s>, _options: &ReadOptions) -> Result<Opened<'s>> {
    let reader = crate::format::Reader::Vendor(Reader(Kind::Plain(read)));
    Ok(Opened { format: Format::Otpauth, reader, cutter: head.cut(0, 1, Box::new(Lines)), findings: Vec::new() })
}

fn read(chunk: &Chunk, trail: &Trail, each: &mut Each<'_>) -> Result<()> {
    let text = csv::text(&chunk.bytes, chunk.offset_bytes, trail)?;
    for (number, line) in (chunk.first_line..).zip(text.split('\n')) {
        let line = line.trim();
        if !is_passed(line) {
            let place = Place::Line(number);
            each(draft(line, place).map_err(|kind| Error::new(kind).at(trail.at(place)))?)?;
        }
    }
    Ok(())
}

fn damaged(expected: &str, found: &str) -> ErrorKind {
    ErrorKind::FormatDamaged { format: NAME, expected: expected.to_owned(), found: found.to_owned() }
}

/// The parameters that mean something.
#[derive(Default)]
struct Parameters<'a> {
    secret: Option<Cow<'a, str>>,
    issuer: Option<Cow<'a, str>>,
    algorithm: Option<Cow<'a, str>>,
    digits: Option<Cow<'a, str>>,
    period: Option<Cow<'a, str>>,
    counter: Option<Cow<'a, str>>,
    serial: Option<Cow<'a, str>>,
    doubts: Vec<(Code, String)>,
}

/// Parameters that say how an app shows an account.
const SHOWN_ONLY: [&str; 7] = ["color", "icon", "image", "imageurl", "label", "lock", "tags"];

impl<'a> Parameters<'a> {
    fn parse(query: &'a str) -> std::result::Result<Self, ErrorKind> {
        let mut all = Self::default();
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let known = [
                ("secret", &mut all.secret),
                ("issuer", &mut all.issuer),
                ("algorithm", &mut all.algorithm),
                ("digits", &mut all.digits),
                ("period", &mut all.period),
                ("counter", &mut all.counter),
                ("serial", &mut all.serial),
            ];
            let Some((name, place)) = known.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known)) else {
                // Apps know parameters of their own that only dress an account up; another may change its codes.
                if !SHOWN_ONLY.iter().any(|known| name.eq_ignore_ascii_case(known)) {
                    pass_over(NAME, name)?;
                    let message = format!("the parameter `{}` may change the codes, and is not known", escaped(name));
                    all.doubts.push((Code::TypeUnsupported, message));
                }
                continue;
            };
            // Of two values, nobody can say which is meant.
            if place.is_some() {
                return Err(damaged(&format!("the parameter `{name}` once"), "it twice in one URI"));
            }
            *place = Some(decoded(value)?);
        }
        Ok(all)
    }
}

fn draft(line: &str, place: Place) -> std::result::Result<Draft<'_>, ErrorKind> {
    let rest = match line.get(..SCHEME.len()) {
        Some(start) if start.eq_ignore_ascii_case(SCHEME) => &line[SCHEME.len()..],
        _ => return Err(damaged("`otpauth://`", "another beginning of the line")),
    };
    // A fragment means nothing here, but in it parameters would be lost.
    if rest.contains('#') {
        return Err(damaged("`%23` in a Key URI", "a bare `#`"));
    }
    let (path, query) = rest.split_once('?').ok_or_else(|| damaged("parameters behind a `?`", "none"))?;
    let (kind, label) = path.split_once('/').unwrap_or((path, ""));
    let parameters = Parameters::parse(query)?;
    let (prefix, account) = split_label(label)?;
    let (place, kind_of) = (Some(place), Some(Cow::Borrowed(kind)));
    let mut draft = Draft { place, kind: kind_of, faults: parameters.doubts, ..Draft::default() };
    draft.manufacturer = parameters.issuer.and_then(kept);
    match (parameters.serial.and_then(kept), kept(account)) {
        // Beside a serial of its own, the label is only there to be shown.
        (Some(serial), _) => draft.serial = Some(serial),
        (None, account) => {
            draft.manufacturer = draft.manufacturer.or(prefix.and_then(kept));
            match account {
                Some(account) if account.contains('@') => draft.upn = Some(account),
                account => draft.serial = account,
            }
        }
    }
    draft.hash = parameters.algorithm.and_then(kept).or(Some(Cow::Borrowed("sha1")));
    draft.digits = parameters.digits.and_then(kept).or(Some(Cow::Borrowed("6")));
    if kind.eq_ignore_ascii_case("totp") {
        draft.period = parameters.period.and_then(kept).or(Some(Cow::Borrowed("30")));
    } else {
        draft.counter = parameters.counter.and_then(kept);
    }
    draft.seed = parameters.secret.and_then(kept).map(|text| SeedText::Prescribed(text, Encoding::Base32));
    Ok(draft)
}

fn kept(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    Some(text).filter(|text| !csv::is_blank(text))
}

/// The issuer before the first colon of a label, where there is one, and the account.
fn split_label(label: &str) -> std::result::Result<(Option<Cow<'_, str>>, Cow<'_, str>), ErrorKind> {
    Ok(match decoded(label)? {
        Cow::Borrowed(label) => match label.split_once(':') {
            Some((issuer, account)) => (Some(Cow::Borrowed(issuer)), Cow::Borrowed(account.trim())),
            None => (None, Cow::Borrowed(label)),
        },
        Cow::Owned(label) => match label.split_once(':') {
            Some((issuer, account)) => (Some(Cow::Owned(issuer.to_owned())), Cow::Owned(account.trim().to_owned())),
            None => (None, Cow::Owned(label)),
        },
    })
}

/// Takes percent-encoding away.
fn decoded(text: &str) -> std::result::Result<Cow<'_, str>, ErrorKind> {
    if let Some(bad) = text.bytes().find(|byte| *byte <= b' ' || matches!(byte, b'"' | b'<' | b'>' | 0x7f)) {
        return Err(damaged("percent-encoded text (RFC 3986)", &format!("a bare byte 0x{bad:02x}")));
    }
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            bytes.zeroize();
            return Err(damaged("two hex digits behind a `%`", "something else"));
        };
        bytes.push((high << 4 | low) as u8);
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|error| {
        error.into_bytes().zeroize();
        damaged("percent-encoded UTF-8", "other bytes")
    })
}

/// Writes a URI.
fn item(token: &Token<'_>, out: &mut Plain) {
    out.reserve(256);
    let hotp = matches!(token.otp.moving, Moving::Counter { .. });
    out.extend(if hotp { b"otpauth://hotp/" } else { b"otpauth://totp/" });
    let serial = token.serial.as_ref().map_or("", |serial| serial.as_str());
    // A label has one colon, and an account with an `@` is a user.
    let plain = !serial.contains(['@', ':']);
    match token.manufacturer.as_deref() {
        Some(issuer) if plain && !issuer.contains(':') => {
            percent(issuer, out);
            out.extend(b":");
        }
        _ => {}
    }
    percent(serial, out);
    out.extend(b"?secret=");
    encode_base32(&token.seed, out);
    if let Some(issuer) = token.manufacturer.as_deref() {
        out.extend(b"&issuer=");
        percent(issuer, out);
    }
    out.extend(b"&algorithm=");
    out.extend(match token.otp.algorithm {
        Algorithm::Sha1 => b"SHA1",
        Algorithm::Sha256 => b"SHA256",
        Algorithm::Sha512 => b"SHA512",
    });
    out.extend(b"&digits=");
    number(u64::from(token.otp.digits.count()), out);
    match token.otp.moving {
        Moving::Period { seconds, .. } => {
            out.extend(b"&period=");
            number(u64::from(seconds.get()), out);
        }
        Moving::Counter { next } => {
            out.extend(b"&counter=");
            number(next, out);
        }
    }
    if !plain {
        out.extend(b"&serial=");
        percent(serial, out);
    }
    out.extend(b"\n");
}

/// Writes text with everything but RFC 3986's unreserved characters percent-encoded.
fn percent(text: &str, out: &mut Plain) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let run = rest.iter().take_while(|byte| plain(byte)).count();
        out.extend(&rest[..run]);
        rest = &rest[run..];
        if let Some((&byte, behind)) = rest.split_first() {
            out.extend(&[b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            rest = behind;
        }
    }
}
