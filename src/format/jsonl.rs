//! The lossless format: one object a line in, drafts out; tokens in, lines out.
//!
//! # Shape
//!
//! ```json
//! {"serial":"1000001","issue":null,"key_id":null,"manufacturer":"Contoso","model":"HardwareKey","type":"totp","hash":"sha1","digits":6,"period":30,"counter":null,"drift":null,"upn":null,"seed":"GAYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD"}
//! ```
//!
//! # Units
//!
//! `period` is in seconds, `drift` in periods, `counter` is the next moving factor; lines count from 1.
//!
//! # Source
//!
//! Ours. `null` means unknown; a drift of 0 is written as `null`.
//!
//! # Leniency
//!
//! Keys in any order; one that is missing is `null`. An unknown key is an error: what it means would be lost.
//!
//! # Memory
//!
//! Streams; one chunk.
//!
//! # Example
//!
//! ```
//! use seedmill::format::Format;
//!
//! let line = br#"{"serial":"1000001","type":"totp","period":30,"seed":"GAYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD"}"#;
//! assert_eq!(Format::detect(line)?, Some(Format::Jsonl));
//! # Ok::<(), seedmill::error::Error>(())
//! ```

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memrchr};
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::record::{Draft, Encoding, Moving, Place, Plain, SeedText, Token, Trail, encode_base32};

use super::cut::{Boundary, Chunk, Cut, Head};
use super::json::{Value, Words, damaged, has_key, number, string};
use super::{Description, Format, Opened, Reader, csv};

/// What `seedmill formats` tells.
pub(super) const DESCRIPTION: Description = Description {
    reads: "one JSON object a line",
    writes: "one JSON object a line",
    loses: "nothing",
    source: "seedmill",
    memory: "streams",
};

/// What messages call a line.
const NAME: &str = "jsonl";

/// Whether the first line is an object with a seed.
pub(super) fn fits(head: &[u8]) -> bool {
    let start = head.trim_ascii_start();
    let line = &start[..memchr(b'\n', start).unwrap_or(start.len())];
    line.first() == Some(&b'{') && has_key(line, "seed")
}

/// Gets ready to read lines.
pub(super) fn open(head: Head<'_>) -> Result<Opened<'_>> {
    Ok(Opened {
        format: Format::Jsonl,
        reader: Reader::Jsonl,
        cutter: head.cut(0, 1, Box::new(Lines)),
        findings: Vec::new(),
    })
}

/// Cuts at line ends: JSON has none inside a string.
pub(super) struct Lines;

impl Boundary for Lines {
    fn cut(&mut self, bytes: &[u8], last: bool) -> Result<Option<Cut>> {
        let end = if last { Some(bytes.len()) } else { memrchr(b'\n', bytes).map(|at| at + 1) };
        Ok(end.map(|end| Cut { end, lines: memchr_iter(b'\n', &bytes[..end]).count() as u64, records: 0 }))
    }
}

/// One line as it stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(borrow)]
    serial: Option<Value<'a>>,
    #[serde(borrow)]
    issue: Option<Value<'a>>,
    #[serde(borrow)]
    key_id: Option<Value<'a>>,
    #[serde(borrow)]
    manufacturer: Option<Words<'a>>,
    #[serde(borrow)]
    model: Option<Words<'a>>,
    #[serde(borrow, rename = "type")]
    kind: Option<Words<'a>>,
    #[serde(borrow)]
    hash: Option<Words<'a>>,
    #[serde(borrow)]
    digits: Option<Value<'a>>,
    #[serde(borrow)]
    period: Option<Value<'a>>,
    #[serde(borrow)]
    counter: Option<Value<'a>>,
    #[serde(borrow)]
    drift: Option<Value<'a>>,
    #[serde(borrow)]
    upn: Option<Words<'a>>,
    #[serde(borrow)]
    seed: Option<Words<'a>>,
}

/// Turns lines into drafts.
pub(super) fn read(chunk: &Chunk, trail: &Trail, each: &mut dyn FnMut(Draft<'_>) -> Result<()>) -> Result<()> {
    let text = csv::text(&chunk.bytes, chunk.offset_bytes, trail)?;
    for (number, line) in (chunk.first_line..).zip(text.split('\n')) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let line: Line<'_> = serde_json::from_str(line).map_err(|error| {
            let (_, kind) = damaged(NAME, &error);
            Error::new(kind).at(trail.at(Place::Line(number)))
        })?;
        each(line.into_draft(Place::Line(number)))?;
    }
    Ok(())
}

impl<'a> Line<'a> {
    fn into_draft(self, place: Place) -> Draft<'a> {
        let kept = |text: Cow<'a, str>| Some(text).filter(|text| !text.trim_ascii().is_empty());
        let words = |words: Option<Words<'a>>| words.and_then(|words| kept(words.0));
        let value = |value: Option<Value<'a>>| value.and_then(|value| kept(value.0));
        Draft {
            place: Some(place),
            serial: value(self.serial),
            issue: value(self.issue),
            key_id: value(self.key_id),
            manufacturer: words(self.manufacturer),
            model: words(self.model),
            kind: words(self.kind),
            hash: words(self.hash),
            digits: value(self.digits),
            period: value(self.period),
            counter: value(self.counter),
            drift: value(self.drift),
            upn: words(self.upn),
            seed: words(self.seed).map(|text| SeedText::Declared(text, Encoding::Base32)),
            faults: Vec::new(),
        }
    }
}

/// Writes a line.
pub(super) fn item(token: &Token<'_>, out: &mut Plain) {
    out.reserve(320);
    let (kind, period, counter, drift) = match token.otp.moving {
        Moving::Counter { next } => ("hotp", None, Some(next), 0),
        Moving::Period { seconds, drift } => ("totp", Some(u64::from(seconds.get())), None, drift),
    };
    words(b"{\"serial\":", token.serial.as_ref().map(|serial| serial.as_str()), out);
    words(b",\"issue\":", token.issue.as_deref(), out);
    words(b",\"key_id\":", token.key_id.as_deref(), out);
    words(b",\"manufacturer\":", token.manufacturer.as_deref(), out);
    words(b",\"model\":", token.model.as_deref(), out);
    words(b",\"type\":", Some(kind), out);
    words(b",\"hash\":", Some(token.otp.algorithm.name()), out);
    figure(b",\"digits\":", Some(u64::from(token.otp.digits.count())), out);
    figure(b",\"period\":", period, out);
    figure(b",\"counter\":", counter, out);
    out.extend(b",\"drift\":");
    if drift < 0 {
        out.extend(b"-");
    }
    figure(b"", Some(drift.unsigned_abs()).filter(|drift| *drift > 0), out);
    words(b",\"upn\":", token.upn.as_deref(), out);
    out.extend(b",\"seed\":\"");
    encode_base32(&token.seed, out);
    out.extend(b"\"}\n");
}

fn words(key: &[u8], value: Option<&str>, out: &mut Plain) {
    out.extend(key);
    match value {
        Some(text) => string(text, out),
        None => out.extend(b"null"),
    }
}

fn figure(key: &[u8], value: Option<u64>, out: &mut Plain) {
    out.extend(key);
    match value {
        Some(value) => number(value, out),
        None => out.extend(b"null"),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;
    use crate::format::testing::{self, drafts, expected, pieces, read_back, token, written};
    use crate::format::{ReadOptions, Writer};
    use crate::record::{Algorithm, Digits, Otp, Seed, Serial};

    #[test]
    fn writes_keys_in_their_order() {
        let token = |moving| Token {
            place: None,
            serial: Serial::parse("GALT11420104".into()),
            issue: None,
            key_id: None,
            manufacturer: Some("Thales".into()),
            model: Some("OTP 110 Token".into()),
            otp: Otp { algorithm: Algorithm::Sha1, digits: Digits::SIX, moving },
            upn: None,
            seed: Seed::new(b"Hello!\xde\xad\xbe\xefHello!\xde\xad\xbe\xef".to_vec()),
        };
        let tokens = [
            token(Moving::Period { seconds: 30.try_into().expect("above 0"), drift: 0 }),
            token(Moving::Period { seconds: 60.try_into().expect("above 0"), drift: -3 }),
            token(Moving::Counter { next: 42 }),
        ];
        // The first is the line of DESIGN.md §4.
        expect![[r#"
            {"serial":"GALT11420104","issue":null,"key_id":null,"manufacturer":"Thales","model":"OTP 110 Token","type":"totp","hash":"sha1","digits":6,"period":30,"counter":null,"drift":null,"upn":null,"seed":"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}
            {"serial":"GALT11420104","issue":null,"key_id":null,"manufacturer":"Thales","model":"OTP 110 Token","type":"totp","hash":"sha1","digits":6,"period":60,"counter":null,"drift":-3,"upn":null,"seed":"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}
            {"serial":"GALT11420104","issue":null,"key_id":null,"manufacturer":"Thales","model":"OTP 110 Token","type":"hotp","hash":"sha1","digits":6,"period":null,"counter":42,"drift":null,"upn":null,"seed":"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}
        "#]].assert_eq(&String::from_utf8(written(&Writer::Jsonl, &tokens)).expect("UTF-8"));
    }

    #[test]
    fn says_which_line_is_wrong_and_quotes_no_value() {
        let check = |path, expected: &Expect| expected.assert_eq(&drafts(path, &ReadOptions::default()));
        check(
            "invalid/jsonl-unknown-key.jsonl",
            &expect![[r#"
                the jsonl has a key that is not known: what the key `interval` says would be lost
                  at member > line 2
            "#]],
        );
        check(
            "invalid/jsonl-duplicate-key.jsonl",
            &expect![[r#"
            the jsonl is damaged: expected the key `seed` once, but found it twice in one object
              at member > line 2
        "#]],
        );
        check(
            "invalid/jsonl-truncated.jsonl",
            &expect![[r#"
            the jsonl is damaged: expected the rest of the document, but found its end
              at member > line 3
        "#]],
        );
    }

    #[test]
    fn an_unknown_key_that_may_be_a_seed_is_not_shown() {
        let text = b"{\"seed\":null,\"GAYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD\":1}\n";
        let error = testing::read(text, &ReadOptions::default(), &mut |_| {}).expect_err("unknown");
        expect!["the jsonl has a key that is not known: what the key of 32 characters says would be lost"]
            .assert_eq(&error.to_string());
    }

    #[test]
    fn is_told_by_its_first_line() {
        assert!(fits(b"\n {\"seed\":\"GAYTEMZU\"}\n"));
        assert!(!fits(b"[{\"seed\":\"GAYTEMZU\"}]"));
        assert!(!fits(b"{\"a\":\"seed\"}"));
        assert!(!fits(b"{\n\"seed\":1}"));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(tokens in prop::collection::vec(token(), 0..5)) {
            let writer = Writer::Jsonl;
            let read = read_back(&writer, &written(&writer, &tokens)).expect("our own lines");
            let all: Vec<String> = (1..)
                .zip(&tokens)
                .map(|(line, token)| expected(token, &format!("line {line}"), "declared Base32"))
                .collect();
            prop_assert_eq!(read, all);
        }

        #[test]
        fn what_is_read_does_not_depend_on_chunks(
            tokens in prop::collection::vec(token(), 0..5),
            window in 1_usize..900,
        ) {
            let text = String::from_utf8(written(&Writer::Jsonl, &tokens)).expect("UTF-8");
            let mut lines = Vec::new();
            for chunk in pieces(&text, window, &mut Lines) {
                read(&chunk, &Trail::new("t"), &mut |draft| {
                    lines.push(testing::line(&draft));
                    Ok(())
                })
                .expect("our own lines");
            }
            prop_assert_eq!(lines, read_back(&Writer::Jsonl, text.as_bytes()).expect("our own lines"));
        }
    }
}
