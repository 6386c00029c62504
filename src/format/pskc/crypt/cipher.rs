//! The ciphers of protected values: which URI is which, and how a value is opened.
//!
//! # Source
//!
//! [RFC 6030] §6.1 names AES; [XML Encryption] §5.2 has CBC, its padding and 3DES, §5.6 the key wraps ([RFC 3394],
//! [RFC 3217] for 3DES); [RFC 4051] §2.6 has Camellia.
//!
//! # Leniency
//!
//! A URI is known by what stands behind its `#`, in any case, and by the aliases that drafts and python-pskc have.
//! XML Encryption lets the bytes of a padding be anything but the last. That is accepted under a good MAC only;
//! without one, PKCS #7 is required, as the padding is then all that tells a right key from a wrong one.
//! A key wrap may be the padded one of [RFC 5649] under the plain one's URI, as python-pskc writes it for seeds of
//! 20 bytes; each has its own check value, so there is nothing to guess. A 3DES key of 16 bytes is two-key 3DES.
//!
//! [RFC 3217]: https://www.rfc-editor.org/rfc/rfc3217
//! [RFC 3394]: https://www.rfc-editor.org/rfc/rfc3394
//! [RFC 4051]: https://www.rfc-editor.org/rfc/rfc4051
//! [RFC 5649]: https://www.rfc-editor.org/rfc/rfc5649
//! [RFC 6030]: https://www.rfc-editor.org/rfc/rfc6030
//! [XML Encryption]: https://www.w3.org/TR/xmlenc-core1/

use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockCipherDecrypt, BlockModeDecrypt, BlockSizeUser, InnerIvInit, KeyInit};
use aes::{Aes128Dec, Aes192Dec, Aes256Dec};
use camellia::{Camellia128, Camellia192, Camellia256};
use cbc::Decryptor;
use des::TdesEde3;
use zeroize::{Zeroize, Zeroizing};

use super::{fragment, unsupported, wrap};
use crate::error::Error;
use crate::record::Seed;

/// How values are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::format::pskc) enum Encryption {
    Aes128Cbc,
    Aes128Wrap,
    Aes192Cbc,
    Aes192Wrap,
    Aes256Cbc,
    Aes256Wrap,
    Camellia128Cbc,
    Camellia128Wrap,
    Camellia192Cbc,
    Camellia192Wrap,
    Camellia256Cbc,
    Camellia256Wrap,
    TripleDesCbc,
    TripleDesWrap,
}

/// What stands behind the `#` of each URI, in lower case; the name that is written comes first.
const NAMES: [(Encryption, &str); 26] = [
    (Encryption::Aes128Cbc, "aes128-cbc"),
    (Encryption::Aes192Cbc, "aes192-cbc"),
    (Encryption::Aes256Cbc, "aes256-cbc"),
    (Encryption::Aes128Wrap, "kw-aes128"),
    (Encryption::Aes192Wrap, "kw-aes192"),
    (Encryption::Aes256Wrap, "kw-aes256"),
    (Encryption::Camellia128Cbc, "camellia128-cbc"),
    (Encryption::Camellia192Cbc, "camellia192-cbc"),
    (Encryption::Camellia256Cbc, "camellia256-cbc"),
    (Encryption::Camellia128Cbc, "camellia128"),
    (Encryption::Camellia192Cbc, "camellia192"),
    (Encryption::Camellia256Cbc, "camellia256"),
    (Encryption::Camellia128Wrap, "kw-camellia128"),
    (Encryption::Camellia192Wrap, "kw-camellia192"),
    (Encryption::Camellia256Wrap, "kw-camellia256"),
    (Encryption::TripleDesCbc, "tripledes-cbc"),
    (Encryption::TripleDesCbc, "3des-cbc"),
    (Encryption::TripleDesCbc, "3des112-cbc"),
    (Encryption::TripleDesCbc, "3des168-cbc"),
    (Encryption::TripleDesWrap, "kw-tripledes"),
    (Encryption::TripleDesWrap, "kw-3des"),
    (Encryption::Aes128Cbc, "pbe-aes128-cbc"),
    (Encryption::Aes192Cbc, "pbe-aes192-cbc"),
    (Encryption::Aes256Cbc, "pbe-aes256-cbc"),
    (Encryption::TripleDesCbc, "pbe-3des112-cbc"),
    (Encryption::TripleDesCbc, "pbe-3des168-cbc"),
];

impl Encryption {
    /// The algorithm of a URI.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PskcUnsupported`](crate::error::ErrorKind::PskcUnsupported), with the URI.
    pub(in crate::format::pskc) fn of_uri(uri: &str) -> Result<Self, Error> {
        let name = fragment(uri);
        let found = NAMES.into_iter().find(|(_, known)| name.eq_ignore_ascii_case(known));
        found.map(|(encryption, _)| encryption).ok_or_else(|| unsupported("the encryption", uri))
    }

    /// The URI under which AES is written.
    pub(in crate::format::pskc) fn uri(self) -> String {
        let name = NAMES.into_iter().find(|(known, _)| *known == self).map_or("", |(_, name)| name);
        format!("http://www.w3.org/2001/04/xmlenc#{name}")
    }

    /// The lengths that its key may have, the usual one last.
    pub(in crate::format::pskc) const fn key_lengths(self) -> &'static [usize] {
        match self {
            Self::Aes128Cbc | Self::Aes128Wrap | Self::Camellia128Cbc | Self::Camellia128Wrap => &[16],
            Self::Aes192Cbc | Self::Aes192Wrap | Self::Camellia192Cbc | Self::Camellia192Wrap => &[24],
            Self::Aes256Cbc | Self::Aes256Wrap | Self::Camellia256Cbc | Self::Camellia256Wrap => &[32],
            Self::TripleDesCbc | Self::TripleDesWrap => &[16, 24],
        }
    }

    /// Bytes of a block, which an initialization vector has as well.
    pub(in crate::format::pskc) const fn block_bytes(self) -> usize {
        match self {
            Self::TripleDesCbc | Self::TripleDesWrap => 8,
            _ => 16,
        }
    }

    /// Whether the algorithm itself finds every change, so that no MAC is needed: the key wraps do.
    pub(in crate::format::pskc) const fn has_integrity(self) -> bool {
        match self {
            Self::Aes128Wrap
            | Self::Aes192Wrap
            | Self::Aes256Wrap
            | Self::Camellia128Wrap
            | Self::Camellia192Wrap
            | Self::Camellia256Wrap
            | Self::TripleDesWrap => true,
            Self::Aes128Cbc
            | Self::Aes192Cbc
            | Self::Aes256Cbc
            | Self::Camellia128Cbc
            | Self::Camellia192Cbc
            | Self::Camellia256Cbc
            | Self::TripleDesCbc => false,
        }
    }
}

/// Why a value is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::format::pskc) enum Refusal {
    /// No whole number of blocks, or too few.
    Length {
        /// Bytes that are there.
        found: usize,
        /// Bytes of a block.
        block: usize,
    },
    /// The MAC, or the check value of a key wrap, says otherwise.
    Mac,
    /// The padding is none.
    Padding,
}

/// How strictly the end of a plaintext is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::format::pskc) enum Padding {
    /// Every byte says the length (PKCS #7).
    Pkcs7,
    /// The last byte says the length, the others anything (XML Encryption §5.2).
    XmlEncryption,
}

/// A cipher with its key, ready for any number of values.
#[derive(Clone)]
pub(in crate::format::pskc) struct Cipher {
    encryption: Encryption,
    keyed: Keyed,
    /// One initialization vector for all values, where the container says so.
    vector: Option<Vec<u8>>,
}

/// A key schedule.
#[derive(Clone)]
enum Keyed {
    Aes128(Box<Aes128Dec>),
    Aes192(Box<Aes192Dec>),
    Aes256(Box<Aes256Dec>),
    Camellia128(Box<Camellia128>),
    Camellia192(Box<Camellia192>),
    Camellia256(Box<Camellia256>),
    TripleDes(Box<TdesEde3>),
}

impl Cipher {
    /// Makes the key schedule. `None` when the key's length is not one of the algorithm's.
    ///
    /// # Secrets
    ///
    /// `key` is read; the schedule is wiped when dropped.
    pub(in crate::format::pskc) fn new(encryption: Encryption, key: &[u8]) -> Option<Self> {
        use Encryption as E;
        let keyed = match encryption {
            E::Aes128Cbc | E::Aes128Wrap => Keyed::Aes128(Box::new(Aes128Dec::new_from_slice(key).ok()?)),
            E::Aes192Cbc | E::Aes192Wrap => Keyed::Aes192(Box::new(Aes192Dec::new_from_slice(key).ok()?)),
            E::Aes256Cbc | E::Aes256Wrap => Keyed::Aes256(Box::new(Aes256Dec::new_from_slice(key).ok()?)),
            E::Camellia128Cbc | E::Camellia128Wrap => {
                Keyed::Camellia128(Box::new(Camellia128::new_from_slice(key).ok()?))
            }
            E::Camellia192Cbc | E::Camellia192Wrap => {
                Keyed::Camellia192(Box::new(Camellia192::new_from_slice(key).ok()?))
            }
            E::Camellia256Cbc | E::Camellia256Wrap => {
                Keyed::Camellia256(Box::new(Camellia256::new_from_slice(key).ok()?))
            }
            E::TripleDesCbc | E::TripleDesWrap => Keyed::TripleDes(Box::new(triple_des(key)?)),
        };
        Some(Self { encryption, keyed, vector: None })
    }

    /// The same, with one initialization vector for all values; they then begin with ciphertext.
    pub(in crate::format::pskc) fn with_vector(self, vector: Option<Vec<u8>>) -> Self {
        Self { vector, ..self }
    }

    /// The algorithm.
    pub(in crate::format::pskc) const fn encryption(&self) -> Encryption {
        self.encryption
    }

    /// Decrypts a value.
    ///
    /// # Secrets
    ///
    /// What comes out is secret; what is left of it elsewhere is wiped.
    pub(in crate::format::pskc) fn open(&self, bytes: &[u8], padding: Padding) -> Result<Seed, Refusal> {
        if self.encryption.has_integrity() {
            return match &self.keyed {
                Keyed::Aes128(cipher) => wrap::unwrap(&**cipher, bytes),
                Keyed::Aes192(cipher) => wrap::unwrap(&**cipher, bytes),
                Keyed::Aes256(cipher) => wrap::unwrap(&**cipher, bytes),
                Keyed::Camellia128(cipher) => wrap::unwrap(&**cipher, bytes),
                Keyed::Camellia192(cipher) => wrap::unwrap(&**cipher, bytes),
                Keyed::Camellia256(cipher) => wrap::unwrap(&**cipher, bytes),
                Keyed::TripleDes(cipher) => wrap::unwrap_triple_des(cipher, bytes),
            };
        }
        match &self.keyed {
            Keyed::Aes128(cipher) => self.open_cbc(&**cipher, bytes, padding),
            Keyed::Aes192(cipher) => self.open_cbc(&**cipher, bytes, padding),
            Keyed::Aes256(cipher) => self.open_cbc(&**cipher, bytes, padding),
            Keyed::Camellia128(cipher) => self.open_cbc(&**cipher, bytes, padding),
            Keyed::Camellia192(cipher) => self.open_cbc(&**cipher, bytes, padding),
            Keyed::Camellia256(cipher) => self.open_cbc(&**cipher, bytes, padding),
            Keyed::TripleDes(cipher) => self.open_cbc(&**cipher, bytes, padding),
        }
    }

    fn open_cbc<C>(&self, cipher: &C, bytes: &[u8], padding: Padding) -> Result<Seed, Refusal>
    where
        C: BlockCipherDecrypt + BlockSizeUser,
    {
        let block = C::block_size();
        let refused = Refusal::Length { found: bytes.len(), block };
        let (vector, ciphertext) = match &self.vector {
            Some(vector) => (vector.as_slice(), bytes),
            None => bytes.split_at_checked(block).ok_or(refused)?,
        };
        if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(block) {
            return Err(refused);
        }
        let mut plain = ciphertext.to_vec();
        let opened = decrypt(cipher, vector, &mut plain);
        let kept = if opened { unpadded(&plain, block, padding) } else { None };
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

/// Two keys are three of which the last is the first again.
fn triple_des(key: &[u8]) -> Option<TdesEde3> {
    let mut three = Zeroizing::new(key.to_vec());
    if key.len() == 16 {
        // The room is made first, so that growing leaves nothing behind.
        three = Zeroizing::new(Vec::with_capacity(24));
        three.extend_from_slice(key);
        three.extend_from_slice(&key[..8]);
    }
    TdesEde3::new_from_slice(&three).ok()
}

/// The length without padding; `None` when there is no padding.
fn unpadded(plain: &[u8], block: usize, padding: Padding) -> Option<usize> {
    let count = usize::from(*plain.last()?);
    let kept = plain.len().checked_sub(count)?;
    let whole = (1..=block).contains(&count);
    let pkcs7 = || plain[kept..].iter().all(|&byte| usize::from(byte) == count);
    (whole && (padding == Padding::XmlEncryption || pkcs7())).then_some(kept)
}

/// Decrypts whole blocks in place; `false` when the vector is no block.
pub(super) fn decrypt<C: BlockCipherDecrypt>(cipher: &C, vector: &[u8], bytes: &mut [u8]) -> bool {
    Decryptor::<&C>::inner_iv_slice_init(cipher, vector)
        .is_ok_and(|cipher| cipher.decrypt_padded::<NoPadding>(bytes).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).expect("hex")
    }

    #[test]
    fn every_algorithm_is_found_by_its_uri_in_any_case() {
        for (encryption, name) in NAMES {
            for uri in [format!("http://www.w3.org/2001/04/xmlenc#{}", name.to_uppercase()), name.to_owned()] {
                assert_eq!(Encryption::of_uri(&uri).expect("it is in the table"), encryption);
            }
            for &bytes in encryption.key_lengths() {
                let cipher = Cipher::new(encryption, &vec![7; bytes]).expect("the key has that length");
                assert_eq!(cipher.encryption(), encryption);
                assert!(Cipher::new(encryption, &vec![7; bytes + 1]).is_none());
            }
        }
    }

    #[test]
    fn an_unknown_algorithm_is_named() {
        let error = Encryption::of_uri("http://www.w3.org/2009/xmlenc11#aes128-gcm").expect_err("there is none");
        expect_test::expect!["the encryption `http://www.w3.org/2009/xmlenc11#aes128-gcm` is not supported"]
            .assert_eq(&error.to_string());
    }

    #[test]
    fn decrypts_what_the_standard_encrypted() {
        // NIST SP 800-38A, F.2.2: CBC-AES128.Decrypt, first two blocks.
        let key = hex("2b7e151628aed2a6abf7158809cf4f3c");
        let sealed =
            hex("000102030405060708090a0b0c0d0e0f7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2");
        let cipher = Cipher::new(Encryption::Aes128Cbc, &key).expect("16 bytes");
        // The plaintext ends in 0x51, which is no padding.
        assert_eq!(cipher.open(&sealed, Padding::XmlEncryption).expect_err("no padding"), Refusal::Padding);
        let mut plain = sealed[16..].to_vec();
        let Keyed::Aes128(aes) = &cipher.keyed else { panic!("not AES-128") };
        assert!(decrypt(&**aes, &sealed[..16], &mut plain));
        let expected = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51";
        assert_eq!(data_encoding::HEXLOWER.encode(&plain), expected);
        for length in [0, 15, 16, 17, 31, 33] {
            assert_eq!(
                cipher.open(&vec![0; length], Padding::Pkcs7).expect_err("no whole blocks"),
                Refusal::Length { found: length, block: 16 }
            );
        }
    }

    #[test]
    fn unwraps_what_the_standards_wrapped() {
        let open = |encryption, key: &str, wrapped: &str| {
            let cipher = Cipher::new(encryption, &hex(key)).expect("the key fits");
            cipher.open(&hex(wrapped), Padding::Pkcs7).map(|seed| data_encoding::HEXUPPER.encode(seed.expose()))
        };
        // RFC 3394 §4.1, §4.6.
        let wrapped = "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5";
        let key = "000102030405060708090A0B0C0D0E0F";
        assert_eq!(open(Encryption::Aes128Wrap, key, wrapped).as_deref(), Ok("00112233445566778899AABBCCDDEEFF"));
        let changed = wrapped.replacen("1F", "1E", 1);
        assert_eq!(open(Encryption::Aes128Wrap, key, &changed), Err(Refusal::Mac));
        assert_eq!(
            open(
                Encryption::Aes256Wrap,
                "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
                "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21",
            )
            .as_deref(),
            Ok("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F")
        );
        // RFC 5649 §6: 20 bytes and 7 bytes under a key of 192 bits.
        let key = "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8";
        assert_eq!(
            open(Encryption::Aes192Wrap, key, "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a")
                .as_deref(),
            Ok("C37B7E6492584340BED12207808941155068F738")
        );
        assert_eq!(
            open(Encryption::Aes192Wrap, key, "afbeb0f07dfbf5419200f2ccb50bb24f").as_deref(),
            Ok("466F7250617369")
        );
        // RFC 3217 §4.4.
        assert_eq!(
            open(
                Encryption::TripleDesWrap,
                "255e0d1c07b646dfb3134cc843ba8aa71f025b7c0838251f",
                "690107618ef092b3b48ca1796b234ae9fa33ebb4159604037db5d6a84eb3aac2768c632775a467d4",
            )
            .as_deref(),
            Ok("2923BF85E06DD6AE529149F1F1BAE9EAB3A7DA3D860D3E98")
        );
        for (encryption, key) in [(Encryption::Aes128Wrap, 16), (Encryption::TripleDesWrap, 24)] {
            let cipher = Cipher::new(encryption, &vec![1; key]).expect("the key fits");
            for length in [0, 7, 8, 15, 17, 25] {
                let refusal = cipher.open(&vec![0; length], Padding::Pkcs7).expect_err("too short");
                assert_eq!(refusal, Refusal::Length { found: length, block: 8 }, "{encryption:?}");
            }
        }
    }

    #[test]
    fn padding_is_looked_at_as_its_standard_says() {
        let mut block = [9; 16];
        block[12..].copy_from_slice(&[0, 0, 0, 4]);
        assert_eq!(unpadded(&block, 16, Padding::XmlEncryption), Some(12));
        assert_eq!(unpadded(&block, 16, Padding::Pkcs7), None);
        assert_eq!(unpadded(&[16; 16], 16, Padding::Pkcs7), Some(0));
        assert_eq!(unpadded(&[0; 16], 16, Padding::XmlEncryption), None);
        assert_eq!(unpadded(&[17; 32], 16, Padding::XmlEncryption), None);
        assert_eq!(unpadded(&[9; 16], 8, Padding::Pkcs7), None);
        assert_eq!(unpadded(&[], 16, Padding::XmlEncryption), None);
    }
}
