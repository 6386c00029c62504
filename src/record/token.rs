//! One record in two states: [`Draft`] is what the vendor wrote, [`Token`] is what it means.
//!
//! Only a `Token` crosses from one format to another. Both borrow from the chunk they were read
//! from, so a million records cost no million copies.
//!
//! | here | PSKC | Graph | Entra CSV |
//! | --- | --- | --- | --- |
//! | `serial` | `SerialNo` | `serialNumber` | `serial number` |
//! | `seed` | `Secret` | `secretKey` | `secret key` |
//! | `period` | `TimeInterval` | `timeIntervalInSeconds` | `time interval` |
//! | `hash` | `Suite` | `hashFunction` | none: SHA-1 |
//! | `digits` | `ResponseFormat/@Length` | none: 6 | none: 6 |
//! | `counter` | `Counter` | | |
//! | `upn` | `UserId` | `assignTo/id` | `upn` |
//!
//! # Units
//!
//! `period` is in seconds, `drift` in periods, `counter` is the next moving factor.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;

use zeroize::Zeroize;

use super::{Place, Seed};

/// A field of a record, by its key in `jsonl`: what `--column`, `--set` and map files name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// What is printed on the device.
    Serial,
    /// `IssueNo`: tells two keys of one device apart.
    Issue,
    /// `Key/@Id`.
    KeyId,
    /// Who made the device.
    Manufacturer,
    /// What the maker calls it.
    Model,
    /// `totp` or `hotp`.
    Type,
    /// The hash of the HMAC.
    Hash,
    /// Digits of a code.
    Digits,
    /// Time step in seconds.
    Period,
    /// Next moving factor of a HOTP token.
    Counter,
    /// How far a TOTP device's clock is off, in periods.
    Drift,
    /// The user: a UPN, or an object id when it is a GUID.
    Upn,
    /// The key bytes.
    Seed,
}

impl Field {
    /// Every field, in the order of `jsonl`'s keys.
    pub const ALL: [Self; 13] = [
        Self::Serial,
        Self::Issue,
        Self::KeyId,
        Self::Manufacturer,
        Self::Model,
        Self::Type,
        Self::Hash,
        Self::Digits,
        Self::Period,
        Self::Counter,
        Self::Drift,
        Self::Upn,
        Self::Seed,
    ];

    /// The field's key in `jsonl`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::Issue => "issue",
            Self::KeyId => "key_id",
            Self::Manufacturer => "manufacturer",
            Self::Model => "model",
            Self::Type => "type",
            Self::Hash => "hash",
            Self::Digits => "digits",
            Self::Period => "period",
            Self::Counter => "counter",
            Self::Drift => "drift",
            Self::Upn => "upn",
            Self::Seed => "seed",
        }
    }

    /// The field with that key.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How key bytes are spelled as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// RFC 4648 §8, either case.
    Hex,
    /// RFC 4648 §6, either case, padded or not.
    Base32,
    /// RFC 4648 §4.
    Base64,
}

impl Encoding {
    /// Every encoding.
    pub const ALL: [Self; 3] = [Self::Hex, Self::Base32, Self::Base64];

    /// The name that `--seed-encoding` takes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::Base32 => "base32",
            Self::Base64 => "base64",
        }
    }
}

impl fmt::Display for Encoding {
    /// The name people use: `hex`, `Base32`, `Base64`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hex => "hex",
            Self::Base32 => "Base32",
            Self::Base64 => "Base64",
        })
    }
}

/// A seed as delivered: text in a known encoding, or bytes that decryption gave.
pub enum SeedText<'a> {
    /// Key bytes that were encrypted, so no text is left to read.
    Bytes(Seed),
    /// Text whose encoding is known for certain: declared by the user or by a lossless format.
    Declared(Cow<'a, str>, Encoding),
    /// Text in the encoding that the format prescribes, and that the field gets wrong: Base32 that
    /// is also hex is refused rather than believed.
    Prescribed(Cow<'a, str>, Encoding),
    /// Text in the one encoding that fits the whole column.
    Settled(Cow<'a, str>, Encoding),
}

impl Drop for SeedText<'_> {
    fn drop(&mut self) {
        match self {
            Self::Bytes(_) => {}
            Self::Declared(text, _) | Self::Prescribed(text, _) | Self::Settled(text, _) => {
                if let Cow::Owned(text) = text {
                    text.zeroize();
                }
            }
        }
    }
}

impl fmt::Debug for SeedText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(seed) => seed.fmt(f),
            Self::Declared(text, encoding) | Self::Prescribed(text, encoding) | Self::Settled(text, encoding) => {
                write!(f, "SeedText({} characters of {encoding})", text.chars().count())
            }
        }
    }
}

/// One record as the vendor wrote it: every field optional, text as delivered, nothing judged.
///
/// A field that the format has no place for, and one that is empty, are both `None`.
#[derive(Debug, Default)]
pub struct Draft<'a> {
    /// Where the record stands in its member.
    pub place: Option<Place>,
    /// [`Field::Serial`]
    pub serial: Option<Cow<'a, str>>,
    /// [`Field::Issue`]
    pub issue: Option<Cow<'a, str>>,
    /// [`Field::KeyId`]
    pub key_id: Option<Cow<'a, str>>,
    /// [`Field::Manufacturer`]
    pub manufacturer: Option<Cow<'a, str>>,
    /// [`Field::Model`]
    pub model: Option<Cow<'a, str>>,
    /// [`Field::Type`]: `totp`, `hotp`, or what else the format calls it.
    pub kind: Option<Cow<'a, str>>,
    /// [`Field::Hash`], in any spelling that [`Algorithm::parse`] knows.
    pub hash: Option<Cow<'a, str>>,
    /// [`Field::Digits`], decimal text.
    pub digits: Option<Cow<'a, str>>,
    /// [`Field::Period`], decimal text.
    pub period: Option<Cow<'a, str>>,
    /// [`Field::Counter`], decimal text.
    pub counter: Option<Cow<'a, str>>,
    /// [`Field::Drift`], decimal text with or without a sign.
    pub drift: Option<Cow<'a, str>>,
    /// [`Field::Upn`]
    pub upn: Option<Cow<'a, str>>,
    /// [`Field::Seed`]
    pub seed: Option<SeedText<'a>>,
    /// Faults that only the reader can see (a MAC, a policy): code and message.
    pub faults: Vec<(super::Code, String)>,
}

/// What is printed on the device, exactly: leading zeros count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serial<'a>(Cow<'a, str>);

impl<'a> Serial<'a> {
    /// Takes a serial without the white space around it; `None` when nothing is left.
    pub fn parse(text: Cow<'a, str>) -> Option<Self> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            None
        } else if trimmed.len() == text.len() {
            Some(Self(text))
        } else {
            Some(Self(Cow::Owned(trimmed.to_owned())))
        }
    }

    /// The serial's characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Serial<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The hash inside the HMAC (RFC 6238 §1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// HMAC-SHA1
    Sha1,
    /// HMAC-SHA256
    Sha256,
    /// HMAC-SHA512
    Sha512,
}

impl Algorithm {
    /// Every hash.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// The name in `jsonl`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Reads any spelling seen in the field: `sha1`, `SHA-256`, `HMAC-SHA512`, `hmacsha256`, `HmacSHA1`.
    pub fn parse(text: &str) -> Option<Self> {
        // The longest spelling is `hmac-sha-512`; twelve bytes hold it without a copy on the heap.
        let mut plain = [0; 12];
        let mut length = 0;
        for byte in text.trim().bytes().filter(|byte| !matches!(byte, b'-' | b'_' | b' ')) {
            *plain.get_mut(length)? = byte.to_ascii_lowercase();
            length += 1;
        }
        let plain = &plain[..length];
        match plain.strip_prefix(b"hmac").unwrap_or(plain) {
            b"sha1" => Some(Self::Sha1),
            b"sha256" => Some(Self::Sha256),
            b"sha512" => Some(Self::Sha512),
            _ => None,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
        })
    }
}

/// Digits of a code: 4 to 10, as a 31-bit number has no more (RFC 4226 §5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digits(u8);

impl Digits {
    /// What Entra and most tokens use.
    pub const SIX: Self = Self(6);

    /// A number of digits that a code can have.
    pub const fn new(count: u8) -> Option<Self> {
        if count >= 4 && count <= 10 { Some(Self(count)) } else { None }
    }

    /// The number itself.
    pub const fn count(self) -> u8 {
        self.0
    }
}

/// Event-based or time-based; a token cannot be both or neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moving {
    /// HOTP, RFC 4226.
    Counter {
        /// The next moving factor.
        next: u64,
    },
    /// TOTP, RFC 6238, with the Unix epoch as its start.
    Period {
        /// The time step.
        seconds: NonZeroU32,
        /// How far the device's clock is off, in steps.
        drift: i64,
    },
}

/// How a token computes its codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Otp {
    /// The hash of the HMAC.
    pub algorithm: Algorithm,
    /// Digits of a code.
    pub digits: Digits,
    /// What the HMAC is computed over.
    pub moving: Moving,
}

/// One token, understood. A value of this type has passed `normalize`.
#[derive(Clone, Debug)]
pub struct Token<'a> {
    /// Where its record stands in its member.
    pub place: Option<Place>,
    /// What is printed on the device; required by every target of Entra's.
    pub serial: Option<Serial<'a>>,
    /// `IssueNo`
    pub issue: Option<Cow<'a, str>>,
    /// `Key/@Id`
    pub key_id: Option<Cow<'a, str>>,
    /// Who made the device.
    pub manufacturer: Option<Cow<'a, str>>,
    /// What the maker calls it.
    pub model: Option<Cow<'a, str>>,
    /// How codes are computed.
    pub otp: Otp,
    /// The user: a UPN, or an object id ([`is_object_id`]).
    pub upn: Option<Cow<'a, str>>,
    /// The key bytes.
    pub seed: Seed,
}

impl Token<'_> {
    /// The same token on its own, borrowing nothing.
    pub fn into_owned(self) -> Token<'static> {
        fn own(text: Option<Cow<'_, str>>) -> Option<Cow<'static, str>> {
            text.map(|text| Cow::Owned(text.into_owned()))
        }
        Token {
            place: self.place,
            serial: self.serial.map(|serial| Serial(Cow::Owned(serial.0.into_owned()))),
            issue: own(self.issue),
            key_id: own(self.key_id),
            manufacturer: own(self.manufacturer),
            model: own(self.model),
            otp: self.otp,
            upn: own(self.upn),
            seed: self.seed,
        }
    }
}

/// Whether a user is named by object id: a GUID, `8-4-4-4-12` hex digits.
pub fn is_object_id(user: &str) -> bool {
    user.len() == 36
        && user.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found_by_its_name() {
        for field in Field::ALL {
            assert_eq!(Field::parse(field.name()), Some(field));
        }
        assert_eq!(Field::parse("secret"), None);
    }

    #[test]
    fn every_algorithm_is_read_in_every_spelling() {
        for (text, expected) in [
            ("sha1", Some(Algorithm::Sha1)),
            ("HMAC-SHA1", Some(Algorithm::Sha1)),
            ("HmacSHA256", Some(Algorithm::Sha256)),
            ("hmac-sha-256", Some(Algorithm::Sha256)),
            (" SHA-512 ", Some(Algorithm::Sha512)),
            ("sha224", None),
            ("hmac", None),
            ("HMAC-SHA256-and-more", None),
        ] {
            assert_eq!(Algorithm::parse(text), expected, "{text}");
        }
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::parse(algorithm.name()), Some(algorithm));
            assert_eq!(Algorithm::parse(&algorithm.to_string()), Some(algorithm));
        }
    }

    #[test]
    fn a_serial_keeps_its_leading_zeros_and_loses_white_space() {
        assert_eq!(Serial::parse(" 000123 ".into()).expect("a serial").as_str(), "000123");
        assert_eq!(Serial::parse("  ".into()), None);
    }

    #[test]
    fn tells_an_object_id_from_a_upn() {
        assert!(is_object_id("3dee0e53-0aaf-4c43-9f7e-3a1f0e5d7c11"));
        assert!(!is_object_id("ada@example.com"));
        assert!(!is_object_id("3dee0e53x0aaf-4c43-9f7e-3a1f0e5d7c11"));
    }

    #[test]
    fn debug_of_a_draft_shows_no_seed() {
        let draft =
            Draft { seed: Some(SeedText::Declared("JBSWY3DPEHPK3PXP".into(), Encoding::Base32)), ..Draft::default() };
        assert!(!format!("{draft:?}").contains("JBSWY3DP"));
    }
}
