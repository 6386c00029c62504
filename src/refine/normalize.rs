//! What the vendor wrote in, what it means out.
//!
//! All faults of a record are reported, not the first; a record that cannot be understood gives no token.
//!
//! # Never guessed
//!
//! The time step has no default. The hash is SHA-1 where nothing says it and the seed has 20 bytes or less
//! (that is said as `hash-assumed`); a longer seed is `hash-unknown` until `--set hash=` says. The type is
//! TOTP where a time step is known. Digits are 6 where nothing says otherwise. A HOTP record without a counter
//! starts at 0 (RFC 4226 §5.1 leaves the start to both sides; every importer takes 0).

use std::borrow::Cow;
use std::num::NonZeroU32;

use crate::record::{
    Algorithm, Code, DecodeFault, Digits, Draft, Encoding, Field, Findings, Moving, Otp, Seed, SeedText, Serial,
    Severity, Token, decode, escaped, fits,
};

/// Values for fields that a record lacks (`--set`); a record that has the field keeps its own.
#[derive(Clone, Debug, Default)]
pub struct Fill {
    values: Vec<(Field, String)>,
}

impl Fill {
    /// Values by field; the last of two for one field counts.
    pub fn new(values: Vec<(Field, String)>) -> Self {
        Self { values }
    }

    fn or<'a>(&'a self, own: Option<Cow<'a, str>>, field: Field) -> Option<Cow<'a, str>> {
        let own = own.and_then(trimmed);
        own.or_else(|| {
            self.values.iter().rev().find(|(filled, _)| *filled == field).map(|(_, value)| value.as_str().into())
        })
    }
}

/// Longest seed whose hash may go unsaid: SHA-1's output (RFC 4226 §4, R6).
const SHA1_BYTES: usize = 20;

/// Makes a token of a draft, or says everything that stands in the way.
///
/// A token may still carry findings that reject it; whoever keeps `findings` knows.
///
/// # Secrets
///
/// The seed moves from the draft to the token. No message holds any of it.
pub fn normalize<'a>(mut draft: Draft<'a>, fill: &'a Fill, findings: &mut dyn Findings) -> Option<Token<'a>> {
    // A seed that the reader had to withhold is not missing on top of that.
    let withheld = draft.faults.iter().any(|(code, _)| matches!(code, Code::MacMismatch | Code::SeedEncoding));
    // Of a record that its reader knows to be no OATH token, there is nothing else to say.
    let foreign = draft.kind.is_none()
        && draft.seed.is_none()
        && draft.faults.iter().any(|(code, _)| *code == Code::TypeUnsupported);
    for (code, message) in std::mem::take(&mut draft.faults) {
        findings.note(code, code.severity(), &|| message.clone());
    }
    if foreign {
        return None;
    }
    let kind = fill.or(draft.kind.take(), Field::Type);
    let period = fill.or(draft.period.take(), Field::Period);
    let moving = moving(kind.as_deref(), period.as_deref(), draft.counter.as_deref(), draft.drift.as_deref(), findings);
    let digits = digits(fill.or(draft.digits.take(), Field::Digits).as_deref(), findings);
    let seed = match draft.seed.take() {
        None if withheld => None,
        text => seed(text, findings),
    };
    let said = fill.or(draft.hash.take(), Field::Hash);
    let algorithm = algorithm(said.as_deref(), seed.as_ref(), findings);
    let upn = fill.or(draft.upn.take().filter(|upn| !upn.trim().eq_ignore_ascii_case("upn")), Field::Upn);
    Some(Token {
        place: draft.place,
        serial: draft.serial.and_then(Serial::parse),
        issue: draft.issue.and_then(trimmed),
        key_id: draft.key_id.and_then(trimmed),
        manufacturer: fill.or(draft.manufacturer, Field::Manufacturer),
        model: fill.or(draft.model, Field::Model),
        otp: Otp { algorithm: algorithm?, digits: digits?, moving: moving? },
        upn,
        seed: seed?,
    })
}

/// A value without the white space around it; nothing left is no value.
fn trimmed(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    // Nearly every value begins and ends with a character that shows; looking at two bytes is enough for those.
    if let [first, .., last] = text.as_bytes()
        && first.is_ascii_graphic()
        && last.is_ascii_graphic()
    {
        return Some(text);
    }
    let inner = text.trim();
    match (inner.is_empty(), inner.len() == text.len()) {
        (true, _) => None,
        (false, true) => Some(text),
        (false, false) => Some(Cow::Owned(inner.to_owned())),
    }
}

fn reject(findings: &mut dyn Findings, code: Code, message: &dyn Fn() -> String) {
    findings.note(code, code.severity(), message);
}

fn moving(
    kind: Option<&str>,
    period: Option<&str>,
    counter: Option<&str>,
    drift: Option<&str>,
    findings: &mut dyn Findings,
) -> Option<Moving> {
    let kind = match kind {
        Some(kind) if kind.eq_ignore_ascii_case("totp") => Kind::Totp,
        Some(kind) if kind.eq_ignore_ascii_case("hotp") => Kind::Hotp,
        Some(kind) => {
            reject(findings, Code::TypeUnsupported, &|| {
                format!("the type is wrong: expected `hotp` or `totp`, but found `{}`", escaped(kind))
            });
            return None;
        }
        None if period.is_none() && counter.is_some_and(|counter| !counter.trim().is_empty()) => {
            reject(findings, Code::TypeUnsupported, &|| {
                "the type is missing: there is a counter and no time step, but nothing says `hotp`".to_owned()
            });
            return None;
        }
        None => Kind::Totp,
    };
    match kind {
        Kind::Hotp => counter_of(counter, findings).map(|next| Moving::Counter { next }),
        Kind::Totp => {
            let seconds = seconds(period, findings);
            let drift = drift_of(drift, findings);
            Some(Moving::Period { seconds: seconds?, drift: drift? })
        }
    }
}

enum Kind {
    Hotp,
    Totp,
}

fn counter_of(text: Option<&str>, findings: &mut dyn Findings) -> Option<u64> {
    let text = text.map_or("", str::trim);
    if text.is_empty() {
        return Some(0);
    }
    let parsed = text.parse().ok();
    if parsed.is_none() {
        reject(findings, Code::TypeUnsupported, &|| {
            format!("the counter is wrong: expected a whole number, but found `{}`", escaped(text))
        });
    }
    parsed
}

fn seconds(text: Option<&str>, findings: &mut dyn Findings) -> Option<NonZeroU32> {
    let Some(text) = text else {
        reject(findings, Code::PeriodUnknown, &|| {
            "the time step is missing: expected a number of seconds, but nothing says one".to_owned()
        });
        return None;
    };
    let parsed = text.parse().ok();
    if parsed.is_none() {
        reject(findings, Code::PeriodUnsupported, &|| {
            format!("the time step is wrong: expected a number of seconds above 0, but found `{}`", escaped(text))
        });
    }
    parsed
}

fn drift_of(text: Option<&str>, findings: &mut dyn Findings) -> Option<i64> {
    let text = text.map_or("", str::trim);
    if text.is_empty() {
        return Some(0);
    }
    let parsed = text.parse().ok();
    if parsed.is_none() {
        reject(findings, Code::PeriodUnsupported, &|| {
            format!("the drift is wrong: expected a whole number of time steps, but found `{}`", escaped(text))
        });
    }
    parsed
}

fn digits(text: Option<&str>, findings: &mut dyn Findings) -> Option<Digits> {
    let Some(text) = text else { return Some(Digits::SIX) };
    let parsed = text.parse().ok().and_then(Digits::new);
    if parsed.is_none() {
        reject(findings, Code::DigitsUnsupported, &|| {
            format!("the number of digits is wrong: expected 4 to 10, but found `{}`", escaped(text))
        });
    }
    parsed
}

fn algorithm(said: Option<&str>, seed: Option<&Seed>, findings: &mut dyn Findings) -> Option<Algorithm> {
    match (said, seed) {
        (Some(text), _) => {
            let parsed = Algorithm::parse(text);
            if parsed.is_none() {
                reject(findings, Code::HashUnsupported, &|| {
                    format!("the hash is unknown: expected SHA-1, SHA-256 or SHA-512, but found `{}`", escaped(text))
                });
            }
            parsed
        }
        (None, Some(seed)) if seed.len() <= SHA1_BYTES => {
            findings.note(Code::HashAssumed, Severity::Warning, &|| {
                "nothing says the hash; SHA-1 is taken, as the seeds have 20 bytes or less".to_owned()
            });
            Some(Algorithm::Sha1)
        }
        (None, Some(seed)) => {
            let length = seed.len();
            reject(findings, Code::HashUnknown, &|| {
                format!("the hash is missing: the seed has {length} bytes, and SHA-1 is taken for 20 or less only")
            });
            None
        }
        (None, None) => None,
    }
}

fn seed(text: Option<SeedText<'_>>, findings: &mut dyn Findings) -> Option<Seed> {
    let missing = |findings: &mut dyn Findings| {
        reject(findings, Code::SeedMissing, &|| "the record has no seed".to_owned());
        None
    };
    let Some(mut text) = text else { return missing(findings) };
    let (text, encoding, certain) = match &mut text {
        SeedText::Bytes(seed) => {
            let seed = std::mem::replace(seed, Seed::new(Vec::new()));
            return if seed.is_empty() { missing(findings) } else { Some(seed) };
        }
        SeedText::Declared(text, encoding) => (&*text, *encoding, true),
        SeedText::Prescribed(text, encoding) | SeedText::Settled(text, encoding) => (&*text, *encoding, false),
    };
    if text.trim().is_empty() {
        return missing(findings);
    }
    // That a Base32 text of 16 characters has hex digits only has a chance of 1 in 7 million; of 32, 1 in 10^13.
    if !certain && encoding == Encoding::Base32 && fits(text, Encoding::Hex) && fits(text, Encoding::Base32) {
        reject(findings, Code::SeedAmbiguous, &|| {
            "the seed can be read as Base32 and as hex, and nothing says which".to_owned()
        });
        return None;
    }
    let characters = || text.trim().chars().count();
    match decode(text, encoding) {
        Ok(seed) => Some(seed),
        Err(DecodeFault::SpareBits(seed)) => {
            reject(findings, Code::SeedSpareBits, &|| {
                format!(
                    "the seed's last character has bits that belong to no byte: the {encoding} text was cut or changed"
                )
            });
            Some(seed)
        }
        Err(DecodeFault::Alphabet) => {
            reject(findings, Code::SeedEncoding, &|| {
                format!("the seed is no {encoding}: one of its {} characters is none of {encoding}'s", characters())
            });
            None
        }
        Err(DecodeFault::Length) => {
            reject(findings, Code::SeedEncoding, &|| {
                format!("the seed is no {encoding}: no number of bytes has {} characters", characters())
            });
            None
        }
        Err(DecodeFault::Padding) => {
            reject(findings, Code::SeedEncoding, &|| format!("the seed is no {encoding}: its padding is wrong"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Collects `code: message`.
    #[derive(Default)]
    struct Notes(Vec<String>);

    impl Findings for Notes {
        fn note(&mut self, code: Code, _: Severity, message: &dyn Fn() -> String) {
            self.0.push(format!("{code}: {}", message()));
        }
    }

    fn draft() -> Draft<'static> {
        Draft {
            serial: Some("0001".into()),
            period: Some("30".into()),
            seed: Some(SeedText::Declared("3132333435363738393031323334353637383930".into(), Encoding::Hex)),
            ..Draft::default()
        }
    }

    fn check(draft: Draft<'_>, fill: &[(Field, &str)], expected: &[&str]) -> Option<Token<'static>> {
        let fill = Fill::new(fill.iter().map(|(field, value)| (*field, (*value).to_owned())).collect());
        let mut notes = Notes::default();
        let token = normalize(draft, &fill, &mut notes).map(|token| token.into_owned());
        assert_eq!(notes.0, expected);
        token
    }

    const ASSUMED: &str = "hash-assumed: nothing says the hash; SHA-1 is taken, as the seeds have 20 bytes or less";

    #[test]
    fn a_time_step_makes_a_totp_token_of_six_digits() {
        let token = check(draft(), &[], &[ASSUMED]).expect("a token");
        assert_eq!(token.otp.digits, Digits::SIX);
        assert!(matches!(token.otp.moving, Moving::Period { seconds, drift: 0 } if seconds.get() == 30));
        assert_eq!(token.seed.expose(), b"12345678901234567890");
    }

    #[test]
    fn a_time_step_is_never_guessed() {
        let without = || Draft { period: None, hash: Some("sha1".into()), ..draft() };
        check(
            without(),
            &[],
            &["period-unknown: the time step is missing: expected a number of seconds, but nothing says one"],
        );
        let token = check(without(), &[(Field::Period, "60")], &[]).expect("a token");
        assert!(matches!(token.otp.moving, Moving::Period { seconds, .. } if seconds.get() == 60));
        let own = Draft { period: Some("30".into()), ..without() };
        let token = check(own, &[(Field::Period, "60")], &[]).expect("a token");
        assert!(matches!(token.otp.moving, Moving::Period { seconds, .. } if seconds.get() == 30));
    }

    #[test]
    fn rejects_a_time_step_and_a_length_of_zero() {
        check(
            Draft { period: Some("0".into()), digits: Some("0".into()), ..draft() },
            &[(Field::Hash, "sha1")],
            &[
                "period-unsupported: the time step is wrong: expected a number of seconds above 0, but found `0`",
                "digits-unsupported: the number of digits is wrong: expected 4 to 10, but found `0`",
            ],
        );
    }

    #[test]
    fn a_hash_is_not_guessed_from_the_length() {
        let long = || Draft { seed: Some(SeedText::Bytes(Seed::new(vec![7; 32]))), ..draft() };
        check(
            long(),
            &[],
            &["hash-unknown: the hash is missing: the seed has 32 bytes, and SHA-1 is taken for 20 or less only"],
        );
        let token = check(long(), &[(Field::Hash, "sha1")], &[]).expect("a token");
        assert_eq!(token.otp.algorithm, Algorithm::Sha1);
        let said = Draft { hash: Some("HMAC-SHA256".into()), ..draft() };
        assert_eq!(check(said, &[], &[]).expect("a token").otp.algorithm, Algorithm::Sha256);
        let odd = Draft { hash: Some("SHA3".into()), ..draft() };
        check(
            odd,
            &[],
            &["hash-unsupported: the hash is unknown: expected SHA-1, SHA-256 or SHA-512, but found `SHA3`"],
        );
    }

    #[test]
    fn says_what_is_wrong_with_a_type() {
        let sha1 = [(Field::Hash, "sha1")];
        let pin = Draft { kind: Some("pin".into()), ..draft() };
        check(pin, &sha1, &["type-unsupported: the type is wrong: expected `hotp` or `totp`, but found `pin`"]);
        let unsaid = Draft { period: None, counter: Some("5".into()), ..draft() };
        check(
            unsaid,
            &sha1,
            &["type-unsupported: the type is missing: there is a counter and no time step, but nothing says `hotp`"],
        );
        let hotp = Draft { kind: Some("HOTP".into()), period: None, counter: Some("5".into()), ..draft() };
        assert_eq!(check(hotp, &sha1, &[]).expect("a token").otp.moving, Moving::Counter { next: 5 });
        let bad = Draft { kind: Some("hotp".into()), counter: Some("5.0".into()), ..draft() };
        check(bad, &sha1, &["type-unsupported: the counter is wrong: expected a whole number, but found `5.0`"]);
        let bad = Draft { drift: Some("fast".into()), ..draft() };
        check(
            bad,
            &sha1,
            &["period-unsupported: the drift is wrong: expected a whole number of time steps, but found `fast`"],
        );
    }

    #[test]
    fn says_what_is_wrong_with_a_seed_and_nothing_of_it() {
        let sha1 = [(Field::Hash, "sha1")];
        let with =
            |text: &'static str, encoding| Draft { seed: Some(SeedText::Declared(text.into(), encoding)), ..draft() };
        check(with(" ", Encoding::Hex), &sha1, &["seed-missing: the record has no seed"]);
        check(Draft { seed: None, ..draft() }, &sha1, &["seed-missing: the record has no seed"]);
        check(
            with("JBSWY3DP1HPK3PXP", Encoding::Base32),
            &sha1,
            &["seed-encoding: the seed is no Base32: one of its 16 characters is none of Base32's"],
        );
        check(
            with("abc", Encoding::Hex),
            &sha1,
            &["seed-encoding: the seed is no hex: no number of bytes has 3 characters"],
        );
        check(
            with("MTIzNDU=MTIz", Encoding::Base64),
            &sha1,
            &["seed-encoding: the seed is no Base64: one of its 12 characters is none of Base64's"],
        );
        assert!(check(with("abcdef2234567abcdef2234567", Encoding::Base32), &sha1, &["seed-spare-bits: the seed's last character has bits that belong to no byte: the Base32 text was cut or changed"]).is_some());
    }

    #[test]
    fn base32_that_is_also_hex_is_not_believed() {
        let prescribed =
            Draft { seed: Some(SeedText::Prescribed("2234567ABCDEF2A2".into(), Encoding::Base32)), ..draft() };
        check(
            prescribed,
            &[(Field::Hash, "sha1")],
            &["seed-ambiguous: the seed can be read as Base32 and as hex, and nothing says which"],
        );
    }

    #[test]
    fn the_word_upn_names_nobody() {
        let placeholder = Draft { upn: Some("upn".into()), hash: Some("sha1".into()), ..draft() };
        assert_eq!(check(placeholder, &[], &[]).expect("a token").upn, None);
    }
}
