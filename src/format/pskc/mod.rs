//! PSKC: XML key containers in, drafts out.
//!
//! # Shape
//!
//! ```xml
//! <KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc">
//!   <KeyPackage>
//!     <DeviceInfo><SerialNo>987654321</SerialNo></DeviceInfo>
//!     <Key Id="1" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp">
//!       <Data><Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret></Data>
//! ```
//!
//! # Units
//!
//! `TimeInterval` is in seconds; `TimeDrift` is in intervals, negative when the device is slow.
//!
//! # Source
//!
//! [RFC 6030]: containers §4, policy §5, protection §6, bulk §8, profiles §10.
//!
//! # Leniency
//!
//! White space before the XML declaration (a privacyIDEA fixture). Line breaks inside values (RFC 6030's figures).
//! Each part says its own: `header`, `package`, `draft`, `policy`, `crypt`.
//!
//! # Not here
//!
//! XML signatures (§7) are not checked: the member gets `signature-unchecked`. Drafts of RFC 6030, keys encrypted
//! to a certificate, and packages without a container are refused by name. Nothing is written.
//!
//! # Memory
//!
//! One chunk; the head, until the first protected value was seen.
//!
//! [RFC 6030]: https://www.rfc-editor.org/rfc/rfc6030

use std::fmt;

use super::xml::{Parser, Rules, Scanner, Source, Stop};
use super::{Chunk, Description, Format, Head, Opened, ReadOptions, Reader};
use crate::error::{ErrorKind, Result};
use crate::limits::Limits;
use crate::record::{Draft, Encoding, Keyring, Place, Trail};

mod boundary;
mod crypt;
mod draft;
mod header;
mod package;
mod policy;
#[cfg(test)]
mod tests;
mod unlock;

use boundary::Packages;
use crypt::Unlocked;
use header::{Header, KeySource};
use package::Package;
use unlock::Samples;

pub(super) const DESCRIPTION: Description = Description {
    reads: "PSKC 1.0, plain, or encrypted by pre-shared key or passphrase (AES-CBC, HMAC, PBKDF2)",
    writes: "",
    loses: "",
    source: "RFC 6030",
    memory: "streams",
};

/// The element that is a record.
const RECORD: &str = "KeyPackage";

/// Whether a member begins like PSKC, one of its drafts, or a package without its container.
pub(super) fn fits(head: &[u8]) -> bool {
    let mut rest = head;
    loop {
        rest = rest.trim_ascii_start();
        let end = if rest.starts_with(b"<!--") {
            memchr::memmem::find(rest, b"-->").map(|end| end + 3)
        } else if rest.starts_with(b"<?") {
            memchr::memmem::find(rest, b"?>").map(|end| end + 2)
        } else if rest.starts_with(b"<!") {
            // A DOCTYPE is no PSKC, but to say so is the reader's.
            return memchr::memmem::find(rest, b"KeyContainer").is_some();
        } else {
            break;
        };
        match end {
            Some(end) => rest = &rest[end..],
            None => return false,
        }
    }
    let Some(rest) = rest.strip_prefix(b"<") else { return false };
    let name = rest.split(|&byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/')).next();
    let local = name.and_then(|name| name.rsplit(|&byte| byte == b':').next());
    matches!(local, Some(b"KeyContainer" | b"KeyPackage" | b"SecretContainer"))
}

/// What the head of a container says of all its packages.
pub struct Container {
    /// Qualified name of the outermost element.
    name: String,
    rules: Rules,
    now: Option<i64>,
    key_name: Option<String>,
    unlocked: Option<Unlocked>,
    /// It names a key or a MAC, so that every seed in it ought to be protected.
    protected: bool,
    /// What the user says that plain seeds are written in.
    seed_encoding: Option<Encoding>,
}

impl fmt::Debug for Container {
    /// Names algorithms only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Container")
            .field("name", &self.name)
            .field("key_name", &self.key_name)
            .field("unlocked", &self.unlocked)
            .finish_non_exhaustive()
    }
}

const fn rules(limits: Limits) -> Rules {
    Rules { format: "PSKC", record: RECORD, namespace: header::NAMESPACE, guests: &header::GUESTS, limits }
}

/// Reads the head of a container and finds its key.
///
/// # Errors
///
/// What is wrong with the container as a whole, and [`ErrorKind::PskcKeyMissing`] when a pre-shared key is
/// needed that is not there; the member can then be opened again.
pub(super) fn open<'s>(mut head: Head<'s>, options: &ReadOptions, keyring: &mut Keyring) -> Result<Opened<'s>> {
    let trail = head.trail().clone();
    let rules = rules(*head.limits());
    let header = ask(&mut head, &rules, |text| header::read(text, rules))?;
    let mut findings = Vec::new();
    if header.signed {
        findings.push(boundary::signature_finding());
    }
    let unlocked =
        unlocked(&mut head, &header, &rules, keyring, &mut findings).map_err(|error| error.at(trail.whole()))?;
    let key_name = match &header.key {
        Some(KeySource::PreShared(name)) => name.clone(),
        _ => None,
    };
    let boundary = Packages::new(header.name.clone(), rules, header.signed);
    let container = Container {
        name: header.name,
        rules,
        now: options.now,
        key_name,
        protected: header.key.is_some() || header.mac.is_some() || unlocked.is_some(),
        unlocked,
        seed_encoding: options.csv.seed_encoding,
    };
    let cutter = head.cut(header.end, 1, Box::new(boundary));
    Ok(Opened { format: Format::Pskc, reader: Reader::Pskc(Box::new(container)), cutter, findings })
}

fn unlocked(
    head: &mut Head<'_>,
    header: &Header,
    rules: &Rules,
    keyring: &mut Keyring,
    findings: &mut Vec<(crate::record::Code, String)>,
) -> Result<Option<Unlocked>> {
    let declared = header.key.is_some() || header.mac.is_some();
    if !declared && memchr::memmem::find(&head.bytes()[header.end..], b"EncryptedValue").is_none() {
        return Ok(None);
    }
    let samples =
        ask(head, rules, |text| Samples::find(text.get(header.end..).unwrap_or_default(), &header.name, *rules))?;
    let trail = head.trail().clone();
    unlock::unlock(header, &samples, rules, &trail, keyring, findings)
}

/// Asks something of the head, with twice as much of it each time that it ends too early.
fn ask<T>(head: &mut Head<'_>, rules: &Rules, mut answer: impl FnMut(&str) -> super::xml::Pulled<T>) -> Result<T> {
    let trail = head.trail().clone();
    loop {
        let text = whole_text(head.bytes(), head.ended(), 0, &trail)?;
        match answer(text) {
            Err(Stop::CutShort(_)) if !head.ended() => {
                let wanted = head.bytes().len() * 2;
                while head.bytes().len() < wanted && head.more()? {}
            }
            other => return other.map_err(|stop| rules.error(stop).at(trail.whole())),
        }
    }
}

/// Takes bytes for UTF-8 of the characters that XML has; unless they have ended, the last may be missing bytes.
fn whole_text<'t>(bytes: &'t [u8], ended: bool, offset_bytes: u64, trail: &Trail) -> Result<&'t str> {
    // XML 1.0 §2.2: no control characters but these. One pass without an early end is the fastest.
    let is_control = |byte: u8| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
    if bytes.iter().fold(false, |any, &byte| any | is_control(byte)) {
        let first = bytes.iter().position(|&byte| is_control(byte)).unwrap_or_default();
        let detail = "expected characters of XML (XML 1.0 §2.2), but found a control character".to_owned();
        let place = trail.at(Place::Byte(offset_bytes + first as u64));
        return Err(crate::error::Error::new(ErrorKind::TextUnreadable { detail }).at(place));
    }
    std::str::from_utf8(bytes).or_else(|error| {
        let good = error.valid_up_to();
        match (error.error_len(), std::str::from_utf8(&bytes[..good])) {
            (None, Ok(text)) if !ended => Ok(text),
            _ => {
                let detail = "expected UTF-8, but found other bytes".to_owned();
                let place = trail.at(Place::Byte(offset_bytes + good as u64));
                Err(crate::error::Error::new(ErrorKind::TextUnreadable { detail }).at(place))
            }
        }
    })
}

/// Reads the packages of a chunk, and the end of the container where that is in it.
///
/// # Errors
///
/// XML that is broken or beyond a limit, text that is no UTF-8, a protected value without its key, and whatever
/// `each` answers.
pub(super) fn read(
    container: &Container,
    chunk: &Chunk,
    trail: &Trail,
    each: &mut dyn FnMut(Draft<'_>) -> Result<()>,
) -> Result<()> {
    let text = whole_text(&chunk.bytes, true, chunk.offset_bytes, trail)?;
    let mut scanner = Scanner::within(text, &container.name, container.rules);
    let mut package = Package::default();
    let mut number = chunk.first_record;
    loop {
        let start = scanner.position();
        if start == text.len() {
            return Ok(());
        }
        let there = || trail.at(Place::Package { package: number, key: 0 });
        let found = match scan(&mut scanner, &container.rules, &mut package) {
            Ok(found) => found,
            Err(_) => {
                let rest = text.get(start..).unwrap_or_default();
                let (found, length) =
                    parse(rest, container, &mut package).map_err(|stop| container.rules.error(stop).at(there()))?;
                scanner.resume(start + length);
                found
            }
        };
        if !found {
            let rest = text.get(start..).unwrap_or_default();
            return match boundary::trailer(rest, &container.name, container.rules) {
                Ok(_) => Ok(()),
                Err(stop) => Err(container.rules.error(stop).at(trail.whole())),
            };
        }
        draft::hand_on(container, &mut package, number, each).map_err(|error| error.at(there()))?;
        number += 1;
    }
}

/// Reads one package; `false` when something else stands there.
fn scan<'a>(scanner: &mut Scanner<'a>, rules: &Rules, package: &mut Package<'a>) -> super::xml::Pulled<bool> {
    match scanner.child()? {
        Some(tag) if tag.local == RECORD => package::read(scanner, tag.prefix, rules, package).map(|()| true),
        _ => Ok(false),
    }
}

/// The same through the parser; answers the length of the package as well.
fn parse<'a>(text: &'a str, container: &'a Container, package: &mut Package<'a>) -> super::xml::Pulled<(bool, usize)> {
    let mut parser = Parser::within(text, &container.name, container.rules);
    match parser.child()? {
        Some(tag) if tag.local == RECORD => {
            package::read(&mut parser, tag.prefix, &container.rules, package)?;
            Ok((true, parser.position()))
        }
        _ => Ok((false, 0)),
    }
}
