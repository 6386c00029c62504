//! The token delivered and the token read back from the written bytes in, a verdict out.
//!
//! A proof compares every field that the target holds, and the codes of both sides at two counters. Comparing
//! seeds would prove nothing: a hash, a step or a length that went wrong on the way leaves the seed as it was.
//!
//! # Chance
//!
//! Two unlike seeds give the same two codes of six digits with a chance of 10^-12, and the seed that was read
//! back came out of the bytes that this very seed went into.

use std::borrow::Cow;
use std::fmt;

use super::Generator;
use crate::record::{Draft, Field, Holds, Moving, Token, UserHeld};

/// Unix times at which TOTP codes are compared: two of RFC 6238's own (appendix B).
const MOMENTS: [u64; 2] = [1_111_111_109, 2_000_000_000];

/// What the written side must give again.
pub struct Proof<'t> {
    delivered: &'t Token<'t>,
    holds: &'t Holds,
}

/// Why a proof failed, without any secret: the field that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch(&'static str);

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "what was written does not give the same {} as what was read", self.0)
    }
}

impl<'t> Proof<'t> {
    /// A proof of one token, as it was handed to the writer of a target.
    pub const fn new(delivered: &'t Token<'t>, holds: &'t Holds) -> Self {
        Self { delivered, holds }
    }

    /// Supplies what the target has no place for, so that the draft read back can be understood: the format's
    /// declared constants where it has them, else the token's own value.
    ///
    /// A field that the target has a place for is never supplied: if it was not written, the proof must fail.
    pub fn complete(&self, draft: &mut Draft<'_>) {
        let otp = &self.delivered.otp;
        let lacks = |field| !self.holds.has(field);
        if lacks(Field::Type) {
            let hotp = self.holds.hotp && matches!(otp.moving, Moving::Counter { .. });
            draft.kind = Some(if hotp { "hotp" } else { "totp" }.into());
        }
        if lacks(Field::Hash) {
            let hash = if let [only] = self.holds.hashes { *only } else { otp.algorithm };
            draft.hash = Some(hash.name().into());
        }
        if lacks(Field::Digits) {
            let digits = if let [only] = self.holds.digits { *only } else { otp.digits.count() };
            draft.digits = Some(number(digits));
        }
        match otp.moving {
            Moving::Counter { next } if lacks(Field::Counter) => draft.counter = Some(number(next)),
            Moving::Period { seconds, .. } if lacks(Field::Period) => draft.period = Some(number(seconds)),
            Moving::Counter { .. } | Moving::Period { .. } => {}
        }
    }

    /// Compares every field that the target holds, then the codes.
    ///
    /// # Errors
    ///
    /// The first field that differs.
    pub fn check(&self, written: &Token<'_>) -> Result<(), Mismatch> {
        self.fields(written)?;
        let (delivered, written) = (Codes::of(self.delivered), Codes::of(written));
        if delivered == written { Ok(()) } else { Err(Mismatch("codes")) }
    }

    fn fields(&self, written: &Token<'_>) -> Result<(), Mismatch> {
        let delivered = self.delivered;
        let same = |field: Field, one: &Option<Cow<'_, str>>, other: &Option<Cow<'_, str>>| {
            if !self.holds.has(field) || one == other { Ok(()) } else { Err(Mismatch(field.name())) }
        };
        if self.holds.has(Field::Serial) && delivered.serial != written.serial {
            return Err(Mismatch(Field::Serial.name()));
        }
        same(Field::Issue, &delivered.issue, &written.issue)?;
        // Where a key must have an id (PSKC), one that was not delivered is written as the serial.
        if delivered.key_id.is_some() || !written.key_id.as_deref().is_none_or(|id| stands_for_none(id, delivered)) {
            same(Field::KeyId, &delivered.key_id, &written.key_id)?;
        }
        same(Field::Manufacturer, &delivered.manufacturer, &written.manufacturer)?;
        same(Field::Model, &delivered.model, &written.model)?;
        if self.holds.user != UserHeld::None {
            same(Field::Upn, &delivered.upn, &written.upn)?;
        }
        if delivered.otp.algorithm != written.otp.algorithm {
            return Err(Mismatch(Field::Hash.name()));
        }
        if delivered.otp.digits != written.otp.digits {
            return Err(Mismatch(Field::Digits.name()));
        }
        match (delivered.otp.moving, written.otp.moving) {
            (Moving::Counter { next }, Moving::Counter { next: other }) if next == other => Ok(()),
            (Moving::Counter { .. }, Moving::Counter { .. }) => Err(Mismatch(Field::Counter.name())),
            (Moving::Period { seconds, drift }, Moving::Period { seconds: other, drift: other_drift }) => {
                if seconds != other {
                    Err(Mismatch(Field::Period.name()))
                } else if drift != other_drift && self.holds.has(Field::Drift) {
                    Err(Mismatch(Field::Drift.name()))
                } else {
                    Ok(())
                }
            }
            (Moving::Counter { .. }, Moving::Period { .. }) | (Moving::Period { .. }, Moving::Counter { .. }) => {
                Err(Mismatch(Field::Type.name()))
            }
        }
    }
}

/// Whether a key id is what a token without one gets: its serial, or serial and issue.
fn stands_for_none(id: &str, token: &Token<'_>) -> bool {
    let serial = token.serial.as_ref().map_or("", |serial| serial.as_str());
    match (id.strip_prefix(serial), token.issue.as_deref()) {
        (Some(rest), None) => rest.is_empty(),
        (Some(rest), Some(issue)) => rest.strip_prefix('#') == Some(issue),
        (None, _) => false,
    }
}

/// The codes of one side at two counters. They are credentials: compared, never shown.
#[derive(PartialEq, Eq)]
struct Codes([u32; 2]);

impl Codes {
    fn of(token: &Token<'_>) -> Self {
        let generator = Generator::new(&token.seed, token.otp.algorithm);
        let counters = match token.otp.moving {
            Moving::Counter { next } => [next, next.wrapping_add(1)],
            Moving::Period { seconds, .. } => MOMENTS.map(|moment| moment / u64::from(seconds.get())),
        };
        Self(counters.map(|counter| generator.code(counter, token.otp.digits)))
    }
}

fn number<'a>(value: impl ToString) -> Cow<'a, str> {
    Cow::Owned(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Algorithm, Digits, Fields, Otp, Seed, Serial};

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
            upn: None,
            seed: Seed::new(b"12345678901234567890".to_vec()),
        }
    }

    fn check(holds: &Holds, written: &Token<'_>, expected: Result<(), &'static str>) {
        let delivered = token();
        assert_eq!(Proof::new(&delivered, holds).check(written), expected.map_err(Mismatch));
    }

    #[test]
    fn the_same_token_is_proved() {
        check(&Holds::EVERYTHING, &token(), Ok(()));
    }

    #[test]
    fn every_difference_is_found() {
        let all = &Holds::EVERYTHING;
        check(all, &Token { serial: Serial::parse("1".into()), ..token() }, Err("serial"));
        check(all, &Token { issue: Some("1".into()), ..token() }, Err("issue"));
        check(all, &Token { key_id: Some("1".into()), ..token() }, Err("key_id"));
        check(all, &Token { manufacturer: None, ..token() }, Err("manufacturer"));
        check(all, &Token { model: None, ..token() }, Err("model"));
        check(all, &Token { upn: Some("x".into()), ..token() }, Err("upn"));
        let otp = token().otp;
        check(all, &Token { otp: Otp { algorithm: Algorithm::Sha256, ..otp }, ..token() }, Err("hash"));
        check(all, &Token { otp: Otp { digits: Digits::new(8).expect("8"), ..otp }, ..token() }, Err("digits"));
        let minute = Moving::Period { seconds: 60.try_into().expect("not 0"), drift: 0 };
        check(all, &Token { otp: Otp { moving: minute, ..otp }, ..token() }, Err("period"));
        let late = Moving::Period { seconds: 30.try_into().expect("not 0"), drift: 1 };
        check(all, &Token { otp: Otp { moving: late, ..otp }, ..token() }, Err("drift"));
        check(all, &Token { otp: Otp { moving: Moving::Counter { next: 0 }, ..otp }, ..token() }, Err("type"));
        check(all, &Token { seed: Seed::new(b"12345678901234567891".to_vec()), ..token() }, Err("codes"));
    }

    #[test]
    fn a_key_id_that_was_not_delivered_may_be_the_serial() {
        let all = &Holds::EVERYTHING;
        check(all, &Token { key_id: Some("0001".into()), ..token() }, Ok(()));
        check(all, &Token { key_id: Some("0001#2".into()), ..token() }, Err("key_id"));
        for (id, expected) in [("0001#2", Ok(())), ("0001", Err("key_id")), ("2", Err("key_id"))] {
            let delivered = Token { issue: Some("2".into()), ..token() };
            let written = Token { key_id: Some(id.into()), ..delivered.clone() };
            assert_eq!(Proof::new(&delivered, all).check(&written), expected.map_err(Mismatch));
        }
        let delivered = Token { key_id: Some("0001".into()), ..token() };
        assert_eq!(Proof::new(&delivered, all).check(&token()), Err(Mismatch("key_id")));
    }

    #[test]
    fn a_seed_of_one_more_zero_byte_is_the_same_key() {
        // HMAC pads its key with zeros, so both compute the same codes; a proof by codes must say so.
        let padded = Token { seed: Seed::new(b"12345678901234567890\0".to_vec()), ..token() };
        check(&Holds::EVERYTHING, &padded, Ok(()));
    }

    #[test]
    fn only_what_has_no_place_is_supplied() {
        let delivered = token();
        let holds = Holds {
            fields: Fields::of(&[Field::Serial, Field::Seed, Field::Period]),
            digits: &[6],
            ..Holds::EVERYTHING
        };
        let mut draft = Draft::default();
        Proof::new(&delivered, &holds).complete(&mut draft);
        assert_eq!(draft.period, None);
        assert_eq!(draft.kind.as_deref(), Some("totp"));
        assert_eq!(draft.hash.as_deref(), Some("sha1"));
        assert_eq!(draft.digits.as_deref(), Some("6"));
    }
}
