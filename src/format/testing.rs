//! What the tests of all text formats share: members in, drafts as lines of text out.

use std::fmt::Write;
use std::io::Read;

use data_encoding::HEXLOWER;
use proptest::prelude::*;

use crate::error::Result;
use crate::limits::Limits;
use crate::record::{
    Algorithm, DecodeFault, Digits, Draft, Keyring, Moving, Otp, Plain, Seed, SeedText, Serial, Token, Trail, decode,
};

use super::cut::{Boundary, Chunk, Head};
use super::text::Text;
use super::{Format, ReadOptions, Writer};

/// Reads a member as the pipeline does, on one thread.
pub(super) fn read(bytes: &[u8], options: &ReadOptions, each: &mut dyn FnMut(Draft<'_>)) -> Result<()> {
    let mut bytes = bytes;
    let mut text = Text::new(&mut bytes as &mut dyn Read);
    let trail = Trail::new("member");
    let head = Head::new(&mut text, trail.clone(), Limits::default())?;
    let mut opened = super::open(head, options, &mut Keyring::default())?.expect("a format fits");
    while let Some(chunk) = opened.cutter.next(Plain::default())? {
        opened.reader.read(&chunk, &trail, &mut |draft| {
            each(draft);
            Ok(())
        })?;
    }
    Ok(())
}

/// Reads what a writer wrote: head, items and tail as one chunk.
pub(super) fn read_back(writer: &Writer, bytes: &[u8]) -> Result<Vec<String>> {
    let mut plain = Plain::default();
    plain.extend(bytes);
    let chunk = Chunk { bytes: plain, offset_bytes: 0, first_line: 1, first_record: 1 };
    let mut lines = Vec::new();
    writer.reader().read(&chunk, &Trail::new("written"), &mut |draft| {
        lines.push(line(&draft));
        Ok(())
    })?;
    Ok(lines)
}

/// A draft as one line: its place, every field it has, the seed in hex, its faults.
pub(super) fn line(draft: &Draft<'_>) -> String {
    let mut line = draft.place.map_or_else(String::new, |place| place.to_string());
    for (name, value) in [
        ("serial", &draft.serial),
        ("issue", &draft.issue),
        ("key_id", &draft.key_id),
        ("manufacturer", &draft.manufacturer),
        ("model", &draft.model),
        ("type", &draft.kind),
        ("hash", &draft.hash),
        ("digits", &draft.digits),
        ("period", &draft.period),
        ("counter", &draft.counter),
        ("drift", &draft.drift),
        ("upn", &draft.upn),
    ] {
        if let Some(value) = value {
            write!(line, " {name}={value:?}").expect("text");
        }
    }
    if let Some(seed) = &draft.seed {
        write!(line, " seed={}", shown(seed)).expect("text");
    }
    for (code, message) in &draft.faults {
        write!(line, " [{code}] {message}").expect("text");
    }
    line
}

/// How the seed is known, and its bytes in hex or why it has none.
fn shown(seed: &SeedText<'_>) -> String {
    let (how, text, encoding) = match seed {
        SeedText::Bytes(seed) => return HEXLOWER.encode(seed.expose()),
        SeedText::Declared(text, encoding) => ("declared", text, encoding),
        SeedText::Prescribed(text, encoding) => ("prescribed", text, encoding),
        SeedText::Settled(text, encoding) => ("settled", text, encoding),
    };
    let bytes = match decode(text, *encoding) {
        Ok(seed) => HEXLOWER.encode(seed.expose()),
        Err(DecodeFault::SpareBits(_)) => "spare bits".to_owned(),
        Err(fault) => format!("({fault})"),
    };
    format!("{how} {encoding} {bytes}")
}

/// A file of `fixtures/`.
pub(super) fn fixture(path: &str) -> Vec<u8> {
    let path = format!("{}/fixtures/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Reads a fixture; the drafts as lines, or the error with its place.
pub(super) fn drafts(path: &str, options: &ReadOptions) -> String {
    let mut lines = String::new();
    let read = read(&fixture(path), options, &mut |draft| lines += &(line(&draft) + "\n"));
    match read {
        Ok(()) => lines,
        Err(error) => match error.origin() {
            Some(origin) => format!("{error}\n  at {origin}\n"),
            None => format!("{error}\n"),
        },
    }
}

/// Reads a fixture and compares serials and seeds with the truth beside it.
pub(super) fn check_truth(path: &str, format: Format, options: &ReadOptions) {
    let bytes = fixture(path);
    let mut text = Vec::new();
    Text::new(&mut &bytes[..]).read_to_end(&mut text).expect("text");
    if options.from.is_none() {
        assert_eq!(Format::detect(&text).expect("one format"), Some(format), "{path}");
    }
    let mut found = String::new();
    read(&bytes, options, &mut |draft| {
        let seed = shown(draft.seed.as_ref().expect("a seed"));
        let hex = seed.rsplit(' ').next().expect("hex").to_owned();
        assert!(draft.faults.is_empty(), "{path}");
        writeln!(found, "{} {hex}", draft.serial.expect("a serial")).expect("text");
    })
    .unwrap_or_else(|error| panic!("{path}: {error}"));
    let truth = String::from_utf8(fixture(&format!("{path}.truth"))).expect("UTF-8");
    assert_eq!(found, truth, "{path}");
}

/// Text that a vendor might write, and that needs care in every syntax. Blank text is no value, and normalize trims.
fn words() -> impl Strategy<Value = String> {
    "[ -~äß€😀\n]{1,12}".prop_map(|text| text.trim().to_owned()).prop_filter("blank", |text| !text.is_empty())
}

prop_compose! {
    /// A token with anything in it.
    pub(super) fn token()(
        serial in "[#0-9A-Za-z\"' ,;-]{1,14}",
        issue in prop::option::of(words()),
        key_id in prop::option::of(words()),
        manufacturer in prop::option::of(words()),
        model in prop::option::of(words()),
        user in prop::option::of(words().prop_filter("the placeholder", |user| !user.eq_ignore_ascii_case("upn"))),
        seed in prop::collection::vec(any::<u8>(), 1..70),
        algorithm in prop::sample::select(&Algorithm::ALL[..]),
        digits in 4_u8..=10,
        moving in prop_oneof![
            any::<u64>().prop_map(|next| Moving::Counter { next }),
            (1_u32.., any::<i64>()).prop_map(|(seconds, drift)| Moving::Period {
                seconds: seconds.try_into().expect("above 0"),
                drift,
            }),
        ],
    ) -> Token<'static> {
        Token {
            place: None,
            serial: Serial::parse(serial.into()),
            issue: issue.map(Into::into),
            key_id: key_id.map(Into::into),
            manufacturer: manufacturer.map(Into::into),
            model: model.map(Into::into),
            otp: Otp { algorithm, digits: Digits::new(digits).expect("4 to 10"), moving },
            upn: user.map(Into::into),
            seed: Seed::new(seed),
        }
    }
}

/// What a reader must make of a token that was written losslessly, as [`line`] shows it.
pub(super) fn expected(token: &Token<'_>, place: &str, seed: &str) -> String {
    let mut line = place.to_owned();
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            write!(line, " {name}={value:?}").expect("text");
        }
    };
    put("serial", token.serial.as_ref().map(|serial| serial.as_str()));
    put("issue", token.issue.as_deref());
    put("key_id", token.key_id.as_deref());
    put("manufacturer", token.manufacturer.as_deref());
    put("model", token.model.as_deref());
    let (kind, period, counter, drift) = match token.otp.moving {
        Moving::Counter { next } => ("hotp", None, Some(next.to_string()), None),
        Moving::Period { seconds, drift } => {
            ("totp", Some(seconds.to_string()), None, (drift != 0).then(|| drift.to_string()))
        }
    };
    put("type", Some(kind));
    put("hash", Some(token.otp.algorithm.name()));
    put("digits", Some(&token.otp.digits.count().to_string()));
    put("period", period.as_deref());
    put("counter", counter.as_deref());
    put("drift", drift.as_deref());
    put("upn", token.upn.as_deref());
    write!(line, " seed={seed} {}", HEXLOWER.encode(token.seed.expose())).expect("text");
    line
}

/// Writes tokens as the pipeline does: head, each item behind what goes before it, tail.
pub(super) fn written(writer: &Writer, tokens: &[Token<'_>]) -> Vec<u8> {
    let mut out = Plain::default();
    writer.head(&mut out);
    for (number, token) in (1..).zip(tokens) {
        writer.before(number, &mut out);
        writer.item(token, &mut out);
    }
    writer.tail(&mut out);
    out.to_vec()
}

/// Cuts text into chunks as small as a boundary allows when it sees `window` bytes more at a time.
pub(super) fn pieces(text: &str, window: usize, boundary: &mut dyn Boundary) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let (mut start, mut shown, mut first_line) = (0, 0, 1);
    loop {
        shown = (shown + window).min(text.len());
        let last = shown == text.len();
        let Some(cut) = boundary.cut(&text.as_bytes()[start..shown], last).expect("whole records") else { continue };
        let mut bytes = Plain::default();
        bytes.extend(&text.as_bytes()[start..start + cut.end]);
        chunks.push(Chunk { bytes, offset_bytes: start as u64, first_line, first_record: 1 });
        if last {
            return chunks;
        }
        start += cut.end;
        first_line += cut.lines;
    }
}
