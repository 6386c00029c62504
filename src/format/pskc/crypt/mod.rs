//! Protected values of PSKC: which algorithm, which key, and what they protect.
//!
//! The key schedule of the cipher and the inner state of the HMAC are made once for a container, not for each value.
//!
//! # Source
//!
//! [RFC 6030] §6: MAC over initialization vector and ciphertext §6.1.1, PBKDF2 §6.2.
//!
//! # Leniency
//!
//! In drafts, the MAC may be one over the plaintext (ActivIdentity); which of the two it is, it says itself.
//!
//! [RFC 6030]: https://www.rfc-editor.org/rfc/rfc6030

use std::fmt;

use hmac::{Hmac, KeyInit};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind};
use crate::record::{Passphrase, Seed};

mod cipher;
mod seal;
mod wrap;

pub(super) use cipher::{Cipher, Encryption, Padding, Refusal};
pub(super) use seal::{Sealer, random};

/// The hash of an HMAC, as MAC and in PBKDF2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MacHash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl MacHash {
    /// What stands behind the `#` of each URI, in lower case, and the bytes that come out.
    const ALL: [(Self, &'static str, usize); 10] = [
        (Self::Sha1, "hmac-sha1", 20),
        (Self::Sha1, "hmac-sha-1", 20),
        (Self::Sha224, "hmac-sha224", 28),
        (Self::Sha224, "hmac-sha-224", 28),
        (Self::Sha256, "hmac-sha256", 32),
        (Self::Sha256, "hmac-sha-256", 32),
        (Self::Sha384, "hmac-sha384", 48),
        (Self::Sha384, "hmac-sha-384", 48),
        (Self::Sha512, "hmac-sha512", 64),
        (Self::Sha512, "hmac-sha-512", 64),
    ];

    /// The hash of a URI; `what` is said when it is none of ours.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PskcUnsupported`], with the URI.
    pub(super) fn of_uri(uri: &str, what: &'static str) -> Result<Self, Error> {
        let name = fragment(uri);
        let found = Self::ALL.into_iter().find(|(_, suffix, _)| name.eq_ignore_ascii_case(suffix));
        found.map(|(hash, ..)| hash).ok_or_else(|| unsupported(what, uri))
    }

    /// The URI under which it is written.
    pub(super) const fn uri(self) -> &'static str {
        match self {
            Self::Sha1 => "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
            Self::Sha224 => "http://www.w3.org/2001/04/xmldsig-more#hmac-sha224",
            Self::Sha256 => "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
            Self::Sha384 => "http://www.w3.org/2001/04/xmldsig-more#hmac-sha384",
            Self::Sha512 => "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512",
        }
    }

    fn output_bytes(self) -> usize {
        Self::ALL.into_iter().find(|(known, ..)| *known == self).map_or(0, |(.., bytes)| bytes)
    }
}

fn unsupported(what: &'static str, found: &str) -> Error {
    ErrorKind::PskcUnsupported { what, found: found.to_owned() }.into()
}

/// What stands behind the last `#` of a URI, or all of it.
fn fragment(uri: &str) -> &str {
    uri.rsplit_once('#').map_or(uri, |(_, name)| name).trim()
}

/// An encrypted value as it stands in the file, Base64 decoded.
#[derive(Clone)]
pub(super) struct Sealed {
    /// Initialization vector and ciphertext.
    pub(super) bytes: Vec<u8>,
    /// `ValueMAC`
    pub(super) mac: Option<Vec<u8>>,
}

/// An HMAC with its key, ready for any number of values.
#[derive(Clone)]
pub(super) enum Mac {
    Sha1(Hmac<Sha1>),
    Sha224(Hmac<Sha224>),
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
    Sha512(Hmac<Sha512>),
}

impl Mac {
    /// Takes a key of any length; `None` never happens with HMAC, whose keys have no wrong length.
    pub(super) fn new(hash: MacHash, key: &[u8]) -> Option<Self> {
        Some(match hash {
            MacHash::Sha1 => Self::Sha1(Hmac::new_from_slice(key).ok()?),
            MacHash::Sha224 => Self::Sha224(Hmac::new_from_slice(key).ok()?),
            MacHash::Sha256 => Self::Sha256(Hmac::new_from_slice(key).ok()?),
            MacHash::Sha384 => Self::Sha384(Hmac::new_from_slice(key).ok()?),
            MacHash::Sha512 => Self::Sha512(Hmac::new_from_slice(key).ok()?),
        })
    }

    /// The same, with a key that was itself encrypted.
    pub(super) fn with_seed(hash: MacHash, key: &Seed) -> Option<Self> {
        Self::new(hash, key.expose())
    }

    /// Whether `mac` is that of `bytes`, in constant time.
    pub(super) fn fits(&self, bytes: &[u8], mac: &[u8]) -> bool {
        self.over(bytes).as_slice().ct_eq(mac).into()
    }

    /// The MAC of `bytes`.
    fn over(&self, bytes: &[u8]) -> Vec<u8> {
        fn of<M: hmac::Mac + Clone>(keyed: &M, bytes: &[u8]) -> Vec<u8> {
            let mut keyed = keyed.clone();
            keyed.update(bytes);
            keyed.finalize().into_bytes().to_vec()
        }
        match self {
            Self::Sha1(keyed) => of(keyed, bytes),
            Self::Sha224(keyed) => of(keyed, bytes),
            Self::Sha256(keyed) => of(keyed, bytes),
            Self::Sha384(keyed) => of(keyed, bytes),
            Self::Sha512(keyed) => of(keyed, bytes),
        }
    }
}

/// The key of a container: its cipher, and its MAC where it has a `MACMethod`.
#[derive(Clone)]
pub(super) struct Unlocked {
    pub(super) cipher: Cipher,
    pub(super) mac: Option<Mac>,
    /// A MAC over the plaintext is as good: the container is of a draft.
    pub(super) draft: bool,
}

impl Unlocked {
    /// Opens a value whose MAC, where one is promised and there, must be good.
    pub(super) fn open(&self, sealed: &Sealed) -> Result<Seed, Refusal> {
        match (&self.mac, &sealed.mac) {
            (Some(keyed), Some(mac)) => {
                if keyed.fits(&sealed.bytes, mac) {
                    return self.cipher.open(&sealed.bytes, Padding::XmlEncryption);
                }
                if self.draft
                    && let Ok(seed) = self.cipher.open(&sealed.bytes, Padding::Pkcs7)
                    && keyed.fits(seed.expose(), mac)
                {
                    return Ok(seed);
                }
                Err(Refusal::Mac)
            }
            _ => self.cipher.open(&sealed.bytes, Padding::Pkcs7),
        }
    }

    /// Whether a value lacks what proves it: a MAC, where the encryption does not do it itself.
    pub(super) const fn lacks_mac(&self, sealed: &Sealed) -> bool {
        !self.cipher.encryption().has_integrity() && (self.mac.is_none() || sealed.mac.is_none())
    }
}

impl fmt::Debug for Unlocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unlocked")
            .field("cipher", &self.cipher.encryption())
            .field("mac", &self.mac.is_some())
            .finish_non_exhaustive()
    }
}

/// How a passphrase becomes a key.
#[derive(Clone, Debug)]
pub(super) struct Pbkdf2 {
    pub(super) salt: Vec<u8>,
    pub(super) rounds: u32,
    pub(super) key_bytes: usize,
    pub(super) hash: MacHash,
}

impl Pbkdf2 {
    /// The hash runs that one try costs, in rounds: each block of output is worked out anew.
    pub(super) fn cost(&self) -> u64 {
        u64::from(self.rounds) * self.key_bytes.div_ceil(self.hash.output_bytes().max(1)) as u64
    }

    /// Works out the key of a passphrase, as its bytes stand.
    pub(super) fn derive_from(&self, passphrase: &Passphrase) -> Zeroizing<Vec<u8>> {
        self.derive(passphrase.expose())
    }

    /// Works out the key.
    ///
    /// # Secrets
    ///
    /// `passphrase` is read; the key is wiped when dropped.
    pub(super) fn derive(&self, passphrase: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut key = Zeroizing::new(vec![0; self.key_bytes]);
        let (salt, rounds) = (&self.salt, self.rounds);
        match self.hash {
            MacHash::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(passphrase, salt, rounds, &mut key),
            MacHash::Sha224 => pbkdf2::pbkdf2_hmac::<Sha224>(passphrase, salt, rounds, &mut key),
            MacHash::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(passphrase, salt, rounds, &mut key),
            MacHash::Sha384 => pbkdf2::pbkdf2_hmac::<Sha384>(passphrase, salt, rounds, &mut key),
            MacHash::Sha512 => pbkdf2::pbkdf2_hmac::<Sha512>(passphrase, salt, rounds, &mut key),
        }
        key
    }
}

/// A decrypted integer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Number {
    /// In decimal.
    pub(super) text: String,
    /// What the bytes are as a binary number, where they are digits too.
    pub(super) other: Option<u64>,
}

/// Reads a decrypted integer: ASCII digits, or up to 8 big-endian bytes.
pub(super) fn number(plain: &Seed) -> Number {
    let bytes = plain.expose();
    let binary =
        (1..=8).contains(&bytes.len()).then(|| bytes.iter().fold(0_u64, |number, &byte| number << 8 | u64::from(byte)));
    // Digits may have a line end behind them, or the zero that ends a text in C.
    let mut trimmed = bytes.trim_ascii();
    while let [rest @ .., 0] = trimmed {
        trimmed = rest.trim_ascii_end();
    }
    let digits = trimmed.strip_prefix(b"-").unwrap_or(trimmed);
    if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) {
        // No binary number that anyone sends begins like a minus.
        let other = binary.filter(|_| digits.len() == trimmed.len());
        return Number { text: String::from_utf8_lossy(trimmed).into_owned(), other };
    }
    // What is none is refused by whoever reads it as a number, with the name of the field.
    Number { text: binary.map_or_else(|| "no number".to_owned(), |binary| binary.to_string()), other: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hash_is_found_by_its_uri() {
        for (hash, suffix, bytes) in MacHash::ALL {
            let uri = format!("http://www.w3.org/2001/04/xmldsig-more#{}", suffix.to_uppercase());
            assert_eq!(MacHash::of_uri(&uri, "the MAC").expect("it is in the table"), hash);
            assert_eq!(MacHash::of_uri(hash.uri(), "the MAC").expect("it is in the table"), hash);
            let mac = Mac::new(hash, b"key").expect("any length will do").over(b"");
            assert_eq!(mac.len(), bytes);
        }
    }

    #[test]
    fn derives_what_rfc_6070_derives() {
        let pbkdf2 = Pbkdf2 { salt: b"salt".to_vec(), rounds: 4096, key_bytes: 20, hash: MacHash::Sha1 };
        let key = pbkdf2.derive(b"password");
        assert_eq!(data_encoding::HEXLOWER.encode(&key), "4b007901b765489abead49d926f721d065a429c1");
        assert_eq!(pbkdf2.cost(), 4096);
        assert_eq!(Pbkdf2 { key_bytes: 32, ..pbkdf2 }.cost(), 8192);
    }

    #[test]
    fn encrypted_numbers_are_digits_or_big_endian() {
        for (bytes, expected, other) in [
            (&b"60"[..], "60", Some(0x3630)),
            (b"30\n", "30", Some(0x0033_300a)),
            (b"30\0", "30", Some(0x0033_3000)),
            // What python-pskc writes for 53.
            (b"5", "5", Some(53)),
            (b"12345678", "12345678", Some(0x3132_3334_3536_3738)),
            (b"123456789", "123456789", None),
            (b"-2", "-2", None),
            (&[0, 0, 0, 0, 0, 0, 1, 2], "258", None),
            (&[0, 0, 0, 60], "60", None),
            (&[60], "60", None),
            (&[1; 9], "no number", None),
            (&[], "no number", None),
        ] {
            let expected = Number { text: expected.to_owned(), other };
            assert_eq!(number(&Seed::new(bytes.to_vec())), expected);
        }
    }
}
