//! Tokens of every kind through every writer and back through that format's own reader.
//!
//! What a format has no place for, `Holds` says, and only that may be lost. The readers are compared with other
//! programs' files elsewhere (`formats`, `pskc_vectors`, `ci/interop.py`): a round trip alone would prove little.

use std::num::NonZeroU32;

use proptest::prelude::*;
use seedmill::error::Result;
use seedmill::format::pskc::{Protect, PskcWriter};
use seedmill::format::{Chunk, Format, Writer};
use seedmill::record::{
    Algorithm, Code, Digits, Field, Findings, Holds, Moving, Otp, Passphrase, Plain, Seed, Serial, Severity, Token,
    Trail, UserHeld,
};
use seedmill::refine::{Fill, Proof, normalize, validate};

/// Notes nothing but whether something was rejected.
#[derive(Default)]
struct Refused(bool);

impl Findings for Refused {
    fn note(&mut self, _: Code, severity: Severity, _: &dyn Fn() -> String) {
        self.0 |= severity == Severity::Rejected;
    }
}

/// Writes tokens as one document, as the mill does.
fn written(writer: &Writer, tokens: &[Token<'_>]) -> Plain {
    let mut document = Plain::default();
    writer.head(&mut document);
    for (index, token) in tokens.iter().enumerate() {
        writer.before(index as u64 + 1, &mut document);
        writer.item(token, &mut document);
    }
    writer.tail(&mut document);
    document
}

fn check(writer: &Writer, mut tokens: Vec<Token<'static>>) -> std::result::Result<(), TestCaseError> {
    let holds = writer.holds();
    // What the target cannot hold is validate's to refuse, and no round trip's.
    tokens.retain_mut(|token| {
        let mut refused = Refused::default();
        validate(token, &only_what_it_holds(&holds), &mut refused);
        !refused.0
    });
    let document = written(writer, &tokens);
    let chunk = Chunk { bytes: document, offset_bytes: 0, first_line: 1, first_record: 1 };
    let fill = Fill::default();
    let mut count = 0;
    let read: Result<()> = writer.reader().read(&chunk, &Trail::new("written"), &mut |mut draft| {
        let token = &tokens[count];
        let proof = Proof::new(token, &holds);
        proof.complete(&mut draft);
        let back = normalize(draft, &fill, &mut Refused::default()).expect("what was written is understood");
        proof.check(&back).unwrap_or_else(|mismatch| panic!("{mismatch}"));
        // A proof goes by codes; here the bytes are compared too.
        assert_eq!(back.seed.expose(), token.seed.expose());
        count += 1;
        Ok(())
    });
    prop_assert!(read.is_ok(), "{:?}", read.err());
    prop_assert_eq!(count, tokens.len());
    Ok(())
}

/// The target's limits without the rules that are not about room: a round trip may have a formula in it.
const fn only_what_it_holds(holds: &Holds) -> Holds {
    Holds { spreadsheet: false, ..*holds }
}

fn text() -> impl Strategy<Value = String> {
    // What a vendor may write: separators, quotes, markup, apostrophes, other scripts; no white space at the ends.
    proptest::string::string_regex(
        "[a-zA-Z0-9;,\"'<>&|=+@#é日-][a-zA-Z0-9 ;,\"'<>&|=+@#{}\\\\é日:/.-]{0,20}[a-zA-Z0-9\"'>&é日]",
    )
    .expect("a pattern")
}

fn moving() -> impl Strategy<Value = Moving> {
    prop_oneof![
        any::<u64>().prop_map(|next| Moving::Counter { next }),
        (prop_oneof![Just(30), Just(60), 1..100_000_u32], -500..500_i64)
            .prop_map(|(seconds, drift)| Moving::Period { seconds: NonZeroU32::new(seconds).expect("not 0"), drift }),
    ]
}

prop_compose! {
    fn tokens()(
        serial in text(),
        issue in proptest::option::of(text()),
        key_id in proptest::option::of(text()),
        manufacturer in text(),
        model in text(),
        algorithm in proptest::sample::select(Algorithm::ALL.to_vec()),
        digits in prop_oneof![Just(6), 4..=10_u8],
        moving in moving(),
        user in proptest::option::of(prop_oneof![
            "[a-z']{1,8}@example\\.com",
            Just("3dee0e53-0aaf-4c43-9f7e-3a1f0e5d7c11".to_owned()),
        ]),
        seed in prop_oneof![
            proptest::collection::vec(any::<u8>(), 20),
            proptest::collection::vec(any::<u8>(), 16..90),
        ],
    ) -> Token<'static> {
        Token {
            place: None,
            serial: Serial::parse(serial.into()),
            issue: issue.map(Into::into),
            key_id: key_id.map(Into::into),
            manufacturer: Some(manufacturer.into()),
            model: Some(model.into()),
            otp: Otp { algorithm, digits: Digits::new(digits).expect("4 to 10"), moving },
            upn: user.map(Into::into),
            seed: Seed::new(seed),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_writer_is_read_back(tokens in proptest::collection::vec(tokens(), 0..8)) {
        for format in Format::ALL {
            if let Some(writer) = Writer::new(format) {
                check(&writer, tokens.clone())?;
            }
        }
    }

    #[test]
    fn every_protected_container_is_read_back(tokens in proptest::collection::vec(tokens(), 0..8)) {
        for writer in protected() {
            check(writer, tokens.clone())?;
        }
    }
}

/// PSKC under each kind of key; a passphrase takes long enough to be stretched once.
fn protected() -> &'static [Writer] {
    static WRITERS: std::sync::OnceLock<Vec<Writer>> = std::sync::OnceLock::new();
    WRITERS.get_or_init(|| {
        let key = |length: usize| {
            let mut key = Plain::default();
            key.extend(&(1..).take(length).collect::<Vec<u8>>());
            Protect::Key(key)
        };
        let passphrase = Protect::Passphrase(Passphrase::new("grün und lang genug".into()));
        let writers = [key(16), key(32), passphrase];
        writers.iter().map(|protect| Writer::Pskc(Box::new(PskcWriter::new(protect).expect("a key")))).collect()
    })
}

#[test]
fn what_each_format_loses_is_what_it_says() {
    let lost = |format: Format| {
        let holds = Writer::new(format).expect("a writer").holds();
        let mut lost: Vec<&str> =
            Field::ALL.iter().filter(|field| !holds.has(**field)).map(|field| field.name()).collect();
        if holds.user == UserHeld::None {
            lost.push("upn");
        }
        lost
    };
    assert_eq!(lost(Format::Jsonl), [""; 0]);
    assert_eq!(lost(Format::Pskc), [""; 0]);
    assert_eq!(lost(Format::Otpauth), ["issue", "key_id", "model", "drift", "upn", "upn"]);
    assert_eq!(lost(Format::Salesforce).len(), Field::ALL.len() - 3);
    assert_eq!(lost(Format::EntraCsv), ["issue", "key_id", "type", "hash", "digits", "counter", "drift"]);
    assert_eq!(lost(Format::Graph), ["issue", "key_id", "type", "digits", "counter", "drift"]);
}
