//! Protected values of PSKC: which algorithm, which key, and what they protect.
//!
//! The key schedule of the cipher and the inner state of the HMAC are made once for a container, not for each value.
//!
//! # Source
//!
//! [RFC 6030] §6: ciphers §6.1, MAC over initialization vector and ciphertext §6.1.1, PBKDF2 §6.2;
//! [XML Encryption] §5.2 for CBC and its padding.
//!
//! # Leniency
//!
//! XML Encryption lets the bytes of a padding be anything but the last. That is accepted under a good MAC only;
//! without one, PKCS #7 is required, as the padding is then all that tells a right key from a wrong one.
//!
//! [RFC 6030]: https://www.rfc-editor.org/rfc/rfc6030
//! [XML Encryption]: https://www.w3.org/TR/xmlenc-core1/

use std::fmt;

use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockCipherDecrypt, BlockModeDecrypt, InnerIvInit, KeyInit};
use aes::{Aes128Dec, Aes192Dec, Aes256Dec};
use cbc::Decryptor;
use hmac::Hmac;
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::error::{Error, ErrorKind};
use crate::record::Seed;

/// How values are encrypted. Another algorithm is a variant, a row of [`Self::ALL`], and an arm of [`Cipher::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "the names of the standard, which has more than CBC")]
pub(super) enum Encryption {
    Aes128Cbc,
    Aes192Cbc,
    Aes256Cbc,
}

impl Encryption {
    /// What stands behind the `#` of each URI, in lower case, and the bytes of its key.
    const ALL: [(Self, &'static str, usize); 3] =
        [(Self::Aes128Cbc, "aes128-cbc", 16), (Self::Aes192Cbc, "aes192-cbc", 24), (Self::Aes256Cbc, "aes256-cbc", 32)];

    /// The algorithm of a URI.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PskcUnsupported`], with the URI.
    pub(super) fn of_uri(uri: &str) -> Result<Self, Error> {
        let name = fragment(uri);
        let found = Self::ALL.into_iter().find(|(_, suffix, _)| name.eq_ignore_ascii_case(suffix));
        found.map(|(encryption, ..)| encryption).ok_or_else(|| unsupported("the encryption", uri))
    }

    /// The length of its key.
    pub(super) fn key_bytes(self) -> usize {
        Self::ALL.into_iter().find(|(known, ..)| *known == self).map_or(0, |(.., bytes)| bytes)
    }
}

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
    const ALL: [(Self, &'static str, usize); 6] = [
        (Self::Sha1, "hmac-sha1", 20),
        (Self::Sha1, "hmac-sha-1", 20),
        (Self::Sha224, "hmac-sha224", 28),
        (Self::Sha256, "hmac-sha256", 32),
        (Self::Sha384, "hmac-sha384", 48),
        (Self::Sha512, "hmac-sha512", 64),
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

/// Why a value is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No whole number of blocks, or none behind the initialization vector.
    Length(usize),
    /// The MAC says otherwise; nothing was decrypted.
    Mac,
    /// The padding is none.
    Padding,
}

/// A cipher with its key, ready for any number of values.
#[expect(clippy::enum_variant_names, reason = "as in `Encryption`")]
pub(super) enum Cipher {
    Aes128Cbc(Box<Aes128Dec>),
    Aes192Cbc(Box<Aes192Dec>),
    Aes256Cbc(Box<Aes256Dec>),
}

impl Cipher {
    /// Makes the key schedule. `None` when the key's length is not that of the algorithm.
    ///
    /// # Secrets
    ///
    /// `key` is read; the schedule is wiped when dropped.
    pub(super) fn new(encryption: Encryption, key: &[u8]) -> Option<Self> {
        Some(match encryption {
            Encryption::Aes128Cbc => Self::Aes128Cbc(Box::new(Aes128Dec::new_from_slice(key).ok()?)),
            Encryption::Aes192Cbc => Self::Aes192Cbc(Box::new(Aes192Dec::new_from_slice(key).ok()?)),
            Encryption::Aes256Cbc => Self::Aes256Cbc(Box::new(Aes256Dec::new_from_slice(key).ok()?)),
        })
    }

    /// The algorithm.
    pub(super) const fn encryption(&self) -> Encryption {
        match self {
            Self::Aes128Cbc(_) => Encryption::Aes128Cbc,
            Self::Aes192Cbc(_) => Encryption::Aes192Cbc,
            Self::Aes256Cbc(_) => Encryption::Aes256Cbc,
        }
    }

    /// Decrypts initialization vector and ciphertext.
    ///
    /// # Secrets
    ///
    /// What comes out is secret; what is left of it elsewhere is wiped.
    pub(super) fn open(&self, bytes: &[u8], padding: Padding) -> Result<Seed, Refusal> {
        let Some((vector, ciphertext)) = bytes.split_first_chunk::<BLOCK>() else {
            return Err(Refusal::Length(bytes.len()));
        };
        if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(BLOCK) {
            return Err(Refusal::Length(bytes.len()));
        }
        let mut plain = ciphertext.to_vec();
        let opened = match self {
            Self::Aes128Cbc(cipher) => decrypt(&**cipher, vector, &mut plain),
            Self::Aes192Cbc(cipher) => decrypt(&**cipher, vector, &mut plain),
            Self::Aes256Cbc(cipher) => decrypt(&**cipher, vector, &mut plain),
        };
        let kept = if opened { unpadded(&plain, padding) } else { None };
        let Some(kept) = kept else {
            plain.zeroize();
            return Err(Refusal::Padding);
        };
        // The padding is wiped first: a shorter `Vec` keeps what stood behind its end.
        plain[kept..].zeroize();
        plain.truncate(kept);
        Ok(Seed::new(plain))
    }
}

/// Bytes of a block, and of an initialization vector.
pub(super) const BLOCK: usize = 16;

/// How strictly the end of a plaintext is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Padding {
    /// Every byte says the length (PKCS #7).
    Pkcs7,
    /// The last byte says the length, the others anything (XML Encryption §5.2).
    XmlEncryption,
}

/// The length without padding; `None` when there is no padding.
fn unpadded(plain: &[u8], padding: Padding) -> Option<usize> {
    let count = usize::from(*plain.last()?);
    let kept = plain.len().checked_sub(count)?;
    let whole = (1..=BLOCK).contains(&count);
    let pkcs7 = || plain[kept..].iter().all(|&byte| usize::from(byte) == count);
    (whole && (padding == Padding::XmlEncryption || pkcs7())).then_some(kept)
}

fn decrypt<C>(cipher: &C, vector: &[u8; BLOCK], bytes: &mut [u8]) -> bool
where
    C: BlockCipherDecrypt + aes::cipher::BlockSizeUser<BlockSize = aes::cipher::consts::U16>,
{
    Decryptor::<&C>::inner_iv_init(cipher, vector.into()).decrypt_padded::<NoPadding>(bytes).is_ok()
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
        fn of<M: hmac::Mac + Clone>(keyed: &M, bytes: &[u8], mac: &[u8]) -> bool {
            let mut keyed = keyed.clone();
            keyed.update(bytes);
            keyed.finalize().into_bytes().as_slice().ct_eq(mac).into()
        }
        match self {
            Self::Sha1(keyed) => of(keyed, bytes, mac),
            Self::Sha224(keyed) => of(keyed, bytes, mac),
            Self::Sha256(keyed) => of(keyed, bytes, mac),
            Self::Sha384(keyed) => of(keyed, bytes, mac),
            Self::Sha512(keyed) => of(keyed, bytes, mac),
        }
    }
}

/// The key of a container: its cipher, and its MAC where it has a `MACMethod`.
pub(super) struct Unlocked {
    pub(super) cipher: Cipher,
    pub(super) mac: Option<Mac>,
}

impl Unlocked {
    /// Opens a value whose MAC, where one is promised and there, must be good.
    pub(super) fn open(&self, sealed: &Sealed) -> Result<Seed, Refusal> {
        match (&self.mac, &sealed.mac) {
            (Some(keyed), Some(mac)) => {
                if !keyed.fits(&sealed.bytes, mac) {
                    return Err(Refusal::Mac);
                }
                self.cipher.open(&sealed.bytes, Padding::XmlEncryption)
            }
            _ => self.cipher.open(&sealed.bytes, Padding::Pkcs7),
        }
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
    fn every_algorithm_is_found_by_its_uri() {
        for (encryption, suffix, bytes) in Encryption::ALL {
            let uri = format!("http://www.w3.org/2001/04/xmlenc#{suffix}");
            assert_eq!(Encryption::of_uri(&uri).expect("it is in the table"), encryption);
            assert_eq!(encryption.key_bytes(), bytes);
            let cipher = Cipher::new(encryption, &vec![7; bytes]).expect("the key has that length");
            assert_eq!(cipher.encryption(), encryption);
            assert!(Cipher::new(encryption, &vec![7; bytes + 1]).is_none());
        }
        for (hash, suffix, _) in MacHash::ALL {
            let uri = format!("http://www.w3.org/2001/04/xmldsig-more#{}", suffix.to_uppercase());
            assert_eq!(MacHash::of_uri(&uri, "the MAC").expect("it is in the table"), hash);
        }
    }

    #[test]
    fn an_unknown_algorithm_is_named() {
        let error = Encryption::of_uri("http://www.w3.org/2001/04/xmlenc#tripledes-cbc").expect_err("not yet");
        expect_test::expect!["the encryption `http://www.w3.org/2001/04/xmlenc#tripledes-cbc` is not supported"]
            .assert_eq(&error.to_string());
    }

    #[test]
    fn decrypts_what_the_standard_encrypted() {
        // NIST SP 800-38A, F.2.2: CBC-AES128.Decrypt, first two blocks.
        let key = data_encoding::HEXLOWER.decode(b"2b7e151628aed2a6abf7158809cf4f3c").expect("hex");
        let sealed = "000102030405060708090a0b0c0d0e0f7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2";
        let sealed = data_encoding::HEXLOWER.decode(sealed.as_bytes()).expect("hex");
        let cipher = Cipher::new(Encryption::Aes128Cbc, &key).expect("16 bytes");
        // The plaintext ends in 0x51, which is no padding.
        assert_eq!(cipher.open(&sealed, Padding::XmlEncryption).expect_err("no padding"), Refusal::Padding);
        let mut plain = sealed[16..].to_vec();
        let Cipher::Aes128Cbc(aes) = &cipher else { panic!("not AES-128") };
        let vector: &[u8; 16] = sealed[..16].try_into().expect("16 bytes");
        assert!(decrypt(&**aes, vector, &mut plain));
        let expected = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51";
        assert_eq!(data_encoding::HEXLOWER.encode(&plain), expected);
        for length in [0, 15, 16, 17, 31, 33] {
            assert_eq!(
                cipher.open(&vec![0; length], Padding::Pkcs7).expect_err("no whole blocks"),
                Refusal::Length(length)
            );
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

    #[test]
    fn padding_is_looked_at_as_its_standard_says() {
        let mut block = [9; 16];
        block[12..].copy_from_slice(&[0, 0, 0, 4]);
        assert_eq!(unpadded(&block, Padding::XmlEncryption), Some(12));
        assert_eq!(unpadded(&block, Padding::Pkcs7), None);
        assert_eq!(unpadded(&[16; 16], Padding::Pkcs7), Some(0));
        assert_eq!(unpadded(&[0; 16], Padding::XmlEncryption), None);
        assert_eq!(unpadded(&[17; 32], Padding::XmlEncryption), None);
        assert_eq!(unpadded(&[], Padding::XmlEncryption), None);
    }
}
