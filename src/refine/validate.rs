//! A token and a target in, findings out: every rule on one token.
//!
//! The rules on the whole set (duplicates) need all tokens, so they are `pipeline::join`'s.
//!
//! # Source
//!
//! [RFC 4226] §4 R6 for the length of a seed; DESIGN's table of codes for the rest; what Entra takes, from
//! Microsoft's pages on the CSV upload and on `hardwareOathTokenAuthenticationMethodDevice`.
//!
//! [RFC 4226]: https://www.rfc-editor.org/rfc/rfc4226

use std::fmt::Display;

use crate::record::{
    Code, Field, Findings, Holds, Moving, Seed, Severity, Token, UserHeld, escaped, is_object_id, is_unseen,
};

/// Shortest seed, in bytes (RFC 4226 §4, R6).
const SHORTEST_SEED_BYTES: usize = 16;

/// Applies every rule on one token for one target; drops a user that the target cannot hold.
///
/// The token may be emitted when no finding of this or of `normalize` rejects it.
pub fn validate(token: &mut Token<'_>, holds: &Holds, findings: &mut dyn Findings) {
    let mut rules = Rules { holds, findings };
    rules.serial(token);
    rules.maker(token);
    rules.otp(token);
    rules.seed(&token.seed);
    rules.user(token);
    rules.dropped(token);
    rules.texts(token);
}

struct Rules<'r> {
    holds: &'r Holds,
    findings: &'r mut dyn Findings,
}

impl Rules<'_> {
    fn reject(&mut self, code: Code, message: &dyn Fn() -> String) {
        self.findings.note(code, Severity::Rejected, message);
    }

    /// Rejected where Entra takes the result, said elsewhere.
    fn reject_for_entra(&mut self, code: Code, message: &dyn Fn() -> String) {
        let severity = if self.holds.entra { Severity::Rejected } else { Severity::Warning };
        self.findings.note(code, severity, message);
    }

    fn serial(&mut self, token: &Token<'_>) {
        let Some(serial) = &token.serial else {
            return self.reject(Code::SerialMissing, &|| "the record has no serial".to_owned());
        };
        if is_scientific(serial.as_str()) || serial.as_str().starts_with("=\"") {
            self.reject(Code::SerialDamaged, &|| {
                format!(
                    "a spreadsheet has turned the serial into `{}`, and its last digits are lost",
                    escaped(serial.as_str())
                )
            });
        }
    }

    fn maker(&mut self, token: &Token<'_>) {
        if token.manufacturer.is_none() {
            self.reject_for_entra(Code::ManufacturerMissing, &|| "the record names no manufacturer".to_owned());
        }
        if token.model.is_none() {
            self.reject_for_entra(Code::ModelMissing, &|| "the record names no model".to_owned());
        }
    }

    fn otp(&mut self, token: &Token<'_>) {
        let holds = self.holds;
        match token.otp.moving {
            Moving::Counter { .. } if !holds.hotp => {
                self.reject(Code::TypeUnsupported, &|| {
                    "the token is event-based (HOTP), and the target holds time-based ones only".to_owned()
                });
            }
            Moving::Period { seconds, .. } if !holds.moving(token.otp.moving) => {
                self.reject(Code::PeriodUnsupported, &|| {
                    format!("the target cannot hold a time step of {seconds} s: expected {}", either(holds.periods))
                });
            }
            Moving::Counter { .. } | Moving::Period { .. } => {}
        }
        let digits = token.otp.digits.count();
        if !holds.digits.is_empty() && !holds.digits.contains(&digits) {
            self.reject(Code::DigitsUnsupported, &|| {
                format!("the target cannot hold codes of {digits} digits: expected {}", either(holds.digits))
            });
        }
        if !holds.hashes.contains(&token.otp.algorithm) {
            self.reject(Code::HashUnsupported, &|| {
                format!("the target cannot hold {}: expected {}", token.otp.algorithm, either(holds.hashes))
            });
        }
    }

    fn seed(&mut self, seed: &Seed) {
        let length = seed.len();
        if length < SHORTEST_SEED_BYTES {
            self.reject(Code::SeedTooShort, &|| {
                format!("the seed has {length} bytes: expected at least {SHORTEST_SEED_BYTES} (RFC 4226 §4)")
            });
        }
        let characters = (length * 8).div_ceil(5);
        if let Some(most) = self.holds.seed_base32_characters
            && characters > most
        {
            self.reject(Code::SeedTooLong, &|| {
                format!("the seed has {characters} Base32 characters: the target holds at most {most}")
            });
        }
        if let Some(only) = self.holds.seed_bytes
            && length != only
        {
            self.reject(Code::SeedUnsupported, &|| {
                format!("the target cannot hold a seed of {length} bytes: expected {only}")
            });
        }
        if let Some(weakness) = weakness(seed.expose()) {
            self.reject_for_entra(Code::SeedWeak, &|| format!("the seed is {weakness}, not a random one"));
        }
    }

    fn user(&mut self, token: &mut Token<'_>) {
        match (&token.upn, self.holds.user) {
            (None, UserHeld::Upn) => {
                self.findings.note(Code::UpnMissing, Severity::Warning, &|| {
                    "no user is named, and vendors say that the CSV upload wants one in every row".to_owned()
                });
            }
            (Some(user), UserHeld::ObjectId) if !is_object_id(user) => {
                self.findings.note(Code::UpnDropped, Severity::Warning, &|| {
                    format!("the user `{}` is left out: the target assigns by object id only", escaped(user))
                });
                token.upn = None;
            }
            (Some(user), UserHeld::Upn) if is_object_id(user) => {
                self.findings.note(Code::UpnDropped, Severity::Warning, &|| {
                    format!("the user `{}` is left out: the target names users by UPN only", escaped(user))
                });
                token.upn = None;
            }
            (Some(user), UserHeld::None) => {
                self.findings.note(Code::UpnDropped, Severity::Warning, &|| {
                    format!("the user `{}` is left out: the target has no place for it", escaped(user))
                });
                token.upn = None;
            }
            _ => {}
        }
    }

    /// Names the fields that are lost. A key's own id is none of them: it means something inside its container only, and
    /// every key of a PSKC file has one.
    fn dropped(&mut self, token: &Token<'_>) {
        let drifts = matches!(token.otp.moving, Moving::Period { drift, .. } if drift != 0);
        let there = [
            (Field::Serial, token.serial.is_some()),
            (Field::Issue, token.issue.is_some()),
            (Field::Manufacturer, token.manufacturer.is_some()),
            (Field::Model, token.model.is_some()),
            (Field::Drift, drifts),
        ];
        let holds = self.holds;
        let lost = |(field, there): &(Field, bool)| *there && !holds.has(*field);
        if !holds.chosen && there.iter().any(lost) {
            self.findings.note(Code::FieldDropped, Severity::Warning, &|| {
                let names: Vec<&str> =
                    there.iter().filter(|field| lost(field)).map(|(field, _)| field.name()).collect();
                format!("the target has no place for the {}", names.join(", "))
            });
        }
    }

    fn texts(&mut self, token: &Token<'_>) {
        let fields = [
            ("serial", token.serial.as_ref().map(|serial| serial.as_str())),
            ("manufacturer", token.manufacturer.as_deref()),
            ("model", token.model.as_deref()),
            ("upn", token.upn.as_deref()),
            ("issue", token.issue.as_deref()),
            ("key_id", token.key_id.as_deref()),
        ];
        for (name, text) in fields {
            let Some(text) = text else { continue };
            // Nearly every value is plain ASCII, which is told without looking at characters.
            let plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
            if !plain && text.chars().any(is_unseen) {
                self.reject(Code::TextControl, &|| {
                    format!("the {name} `{}` has characters that do not show", escaped(text))
                });
            }
            if self.holds.spreadsheet && text.starts_with(['=', '+', '-', '@', '\t']) {
                self.reject(Code::TextFormula, &|| {
                    format!("a spreadsheet would run the {name} `{}` as a formula", escaped(text))
                });
            }
        }
    }
}

/// `30 or 60`
fn either<T: Display>(values: &[T]) -> String {
    values.iter().map(T::to_string).collect::<Vec<_>>().join(" or ")
}

/// Digits, perhaps a fraction, then `E+12`: what a spreadsheet makes of a long number.
fn is_scientific(text: &str) -> bool {
    let Some((number, exponent)) = text.split_once(['E', 'e']) else { return false };
    let fraction = number.split_once(['.', ',']);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let sign = exponent.strip_prefix('+');
    // Without a sign and a fraction, `1E5` may as well be hex.
    (sign.is_some() || fraction.is_some())
        && digits(sign.unwrap_or(exponent))
        && fraction.map_or(digits(number), |(whole, fraction)| digits(whole) && digits(fraction))
}

/// Says what is plainly not random about key bytes.
fn weakness(bytes: &[u8]) -> Option<&'static str> {
    let (first, rest) = bytes.split_first()?;
    if rest.iter().all(|byte| byte == first) {
        return Some("one repeated byte");
    }
    let step = rest[0].wrapping_sub(*first);
    if matches!(step, 1 | 0xff) && bytes.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step) {
        return Some("a counting run");
    }
    // `1234567890` again and again: the seeds of RFC 4226 and RFC 6238, whatever their length.
    if bytes.iter().enumerate().all(|(index, byte)| *byte == b"1234567890"[index % 10]) {
        return Some("the sample of RFC 4226 and RFC 6238");
    }
    PUBLISHED.iter().find(|(sample, _)| bytes.starts_with(sample)).map(|(_, whose)| *whose)
}

/// Seeds that stand on public pages, by their first bytes.
const PUBLISHED: [(&[u8], &str); 7] = [
    // JBSWY3DPEHPK3PXP, in every authenticator's manual.
    (b"Hello!\xde\xad\xbe\xef", "the sample of many manuals"),
    // 6PJ4UKIW33NNXYZAEHQNFUFTZF7WFTFB and TXYZAE6PJ4UZF3NNKIW3HQNFUF7WFTFB: Microsoft Graph's reference.
    (b"\xf3\xd3\xca\x29\x16\xde\xda\xdb\xe3\x20\x21\xe0\xd2\xd0\xb3\xc9", "a sample of Microsoft's"),
    (b"\x9d\xf1\x90\x13\xcf\x4f\x29\x92\xed\xad\x52\x2d\xb3\xc1\xa5\xa1", "a sample of Microsoft's"),
    // 2234567abcdef2234567abcdef and abcdef2234567abcdef2234567: Microsoft's CSV and Graph pages.
    (b"\xd6\xb7\xce\xfb\xe0\x08\x86\x42\xeb\x5b\xe7\x7d\xf0\x04\x43", "a sample of Microsoft's"),
    (b"\x00\x44\x32\x17\x5a\xdf\x3b\xef\x80\x22\x19\x0b\xad\x6f\x9d", "a sample of Microsoft's"),
    // 234567ABCDEFGHIJKLMNOPQRSTUVWXYZ: Deepnet's page.
    (b"\xd6\xf9\xdf\x7c\x01\x10\xc8\x53\x1d\x09\x52\xd8\xd7\x3e\x11\x94", "a sample of Deepnet's"),
    // 2646E1400D483AF3309D84659147E65D0A937126: Fortinet's community page.
    (b"\x26\x46\xe1\x40\x0d\x48\x3a\xf3\x30\x9d\x84\x65\x91\x47\xe6\x5d", "a sample of Fortinet's"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Algorithm, Digits, Encoding, Fields, Otp, Serial, decode};

    #[derive(Default)]
    struct Notes(Vec<String>);

    impl Findings for Notes {
        fn note(&mut self, code: Code, severity: Severity, message: &dyn Fn() -> String) {
            self.0.push(format!("{severity}: {} [{code}]", message()));
        }
    }

    const ENTRA: Holds = Holds {
        entra: true,
        spreadsheet: true,
        same_serial: false,
        hotp: false,
        digits: &[6],
        periods: &[30, 60],
        hashes: &[Algorithm::Sha1],
        seed_base32_characters: Some(128),
        seed_bytes: None,
        fields: Fields::ALL,
        user: UserHeld::Upn,
        chosen: false,
    };

    fn token() -> Token<'static> {
        Token {
            place: None,
            serial: Serial::parse("0001".into()),
            issue: None,
            key_id: None,
            manufacturer: Some("Acme".into()),
            model: Some("One".into()),
            otp: Otp {
                algorithm: Algorithm::Sha1,
                digits: Digits::SIX,
                moving: Moving::Period { seconds: 30.try_into().expect("30 is not 0"), drift: 0 },
            },
            upn: Some("ada@example.com".into()),
            seed: Seed::new((0..20_u8).map(|byte| byte.wrapping_mul(37) ^ 11).collect()),
        }
    }

    fn check(holds: &Holds, mut token: Token<'_>, expected: &[&str]) {
        let mut notes = Notes::default();
        validate(&mut token, holds, &mut notes);
        assert_eq!(notes.0, expected);
    }

    #[test]
    fn accepts_a_token_that_entra_takes() {
        check(&ENTRA, token(), &[]);
    }

    #[test]
    fn says_everything_that_entra_cannot_take() {
        let otp = Otp {
            algorithm: Algorithm::Sha512,
            digits: Digits::new(8).expect("8 digits"),
            moving: Moving::Period { seconds: 45.try_into().expect("not 0"), drift: 0 },
        };
        let bad = Token {
            serial: None,
            manufacturer: None,
            model: None,
            upn: None,
            otp,
            seed: Seed::new((1..=81).map(|byte: u8| byte.wrapping_mul(29)).collect()),
            ..token()
        };
        check(
            &ENTRA,
            bad,
            &[
                "rejected: the record has no serial [serial-missing]",
                "rejected: the record names no manufacturer [manufacturer-missing]",
                "rejected: the record names no model [model-missing]",
                "rejected: the target cannot hold a time step of 45 s: expected 30 or 60 [period-unsupported]",
                "rejected: the target cannot hold codes of 8 digits: expected 6 [digits-unsupported]",
                "rejected: the target cannot hold SHA-512: expected SHA-1 [hash-unsupported]",
                "rejected: the seed has 130 Base32 characters: the target holds at most 128 [seed-too-long]",
                "warning: no user is named, and vendors say that the CSV upload wants one in every row [upn-missing]",
            ],
        );
        let hotp = Otp { moving: Moving::Counter { next: 0 }, ..token().otp };
        check(
            &ENTRA,
            Token { otp: hotp, ..token() },
            &[
                "rejected: the token is event-based (HOTP), and the target holds time-based ones only [type-unsupported]",
            ],
        );
        check(&Holds::EVERYTHING, Token { otp: hotp, ..token() }, &[]);
    }

    #[test]
    fn a_damaged_serial_is_refused_and_an_odd_one_is_not() {
        let with = |serial: &'static str| Token { serial: Serial::parse(serial.into()), ..token() };
        let damaged = "rejected: a spreadsheet has turned the serial into `2.60012E+12`, and its last digits are lost [serial-damaged]";
        check(&ENTRA, with("2.60012E+12"), &[damaged]);
        check(&ENTRA, with("2.60012E12"), &[&damaged.replace("E+12", "E12")]);
        for whole in ["2600120000000", "306EUO4-00960", "1E5", "E+12", "GALT11420104"] {
            check(&ENTRA, with(whole), &[]);
        }
    }

    #[test]
    fn a_seed_of_another_length_than_the_target_holds_is_refused() {
        let only = Holds { seed_bytes: Some(20), ..Holds::EVERYTHING };
        check(&only, token(), &[]);
        for length in [19_u8, 32] {
            let seed = Seed::new((0..length).map(|byte| byte.wrapping_mul(37) ^ 11).collect());
            let message =
                format!("rejected: the target cannot hold a seed of {length} bytes: expected 20 [seed-unsupported]");
            check(&only, Token { seed, ..token() }, &[&message]);
        }
    }

    #[test]
    fn every_field_that_is_lost_is_named() {
        let few = Holds { fields: Fields::of(&[Field::Serial, Field::Seed]), ..Holds::EVERYTHING };
        let lost = "warning: the target has no place for the manufacturer, model [field-dropped]";
        check(&few, token(), &[lost]);
        let moving = Moving::Period { seconds: 30.try_into().expect("30 is not 0"), drift: -2 };
        let full =
            Token { issue: Some("1".into()), key_id: Some("a".into()), otp: Otp { moving, ..token().otp }, ..token() };
        let none = Holds { fields: Fields::of(&[Field::Seed]), ..Holds::EVERYTHING };
        let lost = "warning: the target has no place for the serial, issue, manufacturer, model, drift [field-dropped]";
        check(&none, full.clone(), &[lost]);
        check(&Holds { chosen: true, ..none }, full.clone(), &[]);
        check(&Holds::EVERYTHING, full, &[]);
    }

    #[test]
    fn a_short_or_weak_seed_is_refused() {
        let with = |bytes: &[u8]| Token { seed: Seed::new(bytes.to_vec()), ..token() };
        check(
            &ENTRA,
            with(b"\x01\x80\x33\x07\x99\x12\x00\xfe\x44\x10"),
            &["rejected: the seed has 10 bytes: expected at least 16 (RFC 4226 §4) [seed-too-short]"],
        );
        check(&ENTRA, with(&[0x5a; 20]), &["rejected: the seed is one repeated byte, not a random one [seed-weak]"]);
        check(
            &ENTRA,
            with(&(10..30).collect::<Vec<u8>>()),
            &["rejected: the seed is a counting run, not a random one [seed-weak]"],
        );
        let sample = "the seed is the sample of RFC 4226 and RFC 6238, not a random one [seed-weak]";
        check(&ENTRA, with(b"12345678901234567890"), &[&format!("rejected: {sample}")]);
        check(&Holds::EVERYTHING, with(b"12345678901234567890"), &[&format!("warning: {sample}")]);
        check(
            &ENTRA,
            with(b"\x01"),
            &[
                "rejected: the seed has 1 bytes: expected at least 16 (RFC 4226 §4) [seed-too-short]",
                "rejected: the seed is one repeated byte, not a random one [seed-weak]",
            ],
        );
    }

    #[test]
    fn knows_every_published_sample() {
        for (text, encoding) in [
            ("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", Encoding::Base32),
            ("6PJ4UKIW33NNXYZAEHQNFUFTZF7WFTFB", Encoding::Base32),
            ("TXYZAE6PJ4UZF3NNKIW3HQNFUF7WFTFB", Encoding::Base32),
            ("234567ABCDEFGHIJKLMNOPQRSTUVWXYZ", Encoding::Base32),
            ("2646E1400D483AF3309D84659147E65D0A937126", Encoding::Hex),
        ] {
            let seed = decode(text, encoding).unwrap_or_else(|fault| panic!("{text}: {fault}"));
            assert!(weakness(seed.expose()).is_some(), "{text}");
        }
        for text in ["2234567abcdef2234567abcdef", "abcdef2234567abcdef2234567"] {
            let Err(crate::record::DecodeFault::SpareBits(seed)) = decode(text, Encoding::Base32) else {
                panic!("{text} has no spare bits");
            };
            assert!(weakness(seed.expose()).is_some(), "{text}");
        }
    }

    #[test]
    fn a_formula_is_refused_for_spreadsheets_only() {
        let formula = || Token { model: Some("=cmd()".into()), ..token() };
        check(&ENTRA, formula(), &["rejected: a spreadsheet would run the model `=cmd()` as a formula [text-formula]"]);
        check(&Holds::EVERYTHING, formula(), &[]);
    }

    #[test]
    fn characters_that_do_not_show_are_refused_for_every_target() {
        let with = |model: &'static str| Token { model: Some(model.into()), ..token() };
        check(
            &Holds::EVERYTHING,
            with("One\n1001"),
            &["rejected: the model `One\\n1001` has characters that do not show [text-control]"],
        );
        check(
            &ENTRA,
            with("One\u{200b}"),
            &["rejected: the model `One\\u{200b}` has characters that do not show [text-control]"],
        );
    }

    #[test]
    fn a_user_that_the_target_cannot_hold_is_left_out_and_said() {
        let graph = Holds { user: UserHeld::ObjectId, ..ENTRA };
        let mut named = token();
        let mut notes = Notes::default();
        validate(&mut named, &graph, &mut notes);
        assert_eq!(named.upn, None);
        assert_eq!(
            notes.0,
            ["warning: the user `ada@example.com` is left out: the target assigns by object id only [upn-dropped]"]
        );
        let by_id = Token { upn: Some("3dee0e53-0aaf-4c43-9f7e-3a1f0e5d7c11".into()), ..token() };
        check(&graph, by_id.clone(), &[]);
        check(
            &ENTRA,
            by_id,
            &[
                "warning: the user `3dee0e53-0aaf-4c43-9f7e-3a1f0e5d7c11` is left out: the target names users by UPN only [upn-dropped]",
            ],
        );
    }
}
