//! Seeds in, protected values out: what is written under a key.
//!
//! AES-CBC with a fresh random initialization vector for each value, and a MAC over vector and ciphertext under a key
//! of its own. The length of the key says which: 16 bytes are AES-128 with HMAC-SHA1, the one pair that every importer
//! reads; 32 bytes are AES-256 with HMAC-SHA256.

use std::fmt;

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeEncrypt, InnerIvInit, KeyInit};
use aes::{Aes128Enc, Aes256Enc};
use cbc::Encryptor;
use zeroize::{Zeroize, Zeroizing};

use super::{Encryption, Mac, MacHash};
use crate::record::Seed;

/// Protects values under one key.
pub(in crate::format::pskc) struct Sealer {
    cipher: Sealing,
    mac: Mac,
}

enum Sealing {
    Aes128(Box<Aes128Enc>),
    Aes256(Box<Aes256Enc>),
}

const BLOCK: usize = 16;

impl Sealer {
    /// Draws a MAC key; answers it as well, encrypted. `None` when the key has neither 16 nor 32 bytes.
    ///
    /// # Secrets
    ///
    /// `key` is read; key schedule and MAC state are wiped when dropped.
    pub(in crate::format::pskc) fn new(key: &[u8]) -> Option<(Self, Vec<u8>)> {
        let cipher = match key.len() {
            16 => Sealing::Aes128(Box::new(Aes128Enc::new_from_slice(key).ok()?)),
            32 => Sealing::Aes256(Box::new(Aes256Enc::new_from_slice(key).ok()?)),
            _ => return None,
        };
        let hash = cipher.hash();
        let mut mac_key = Zeroizing::new(vec![0; hash.output_bytes()]);
        random(&mut mac_key);
        let sealed = cipher.seal(&mac_key);
        Some((Self { mac: Mac::new(hash, &mac_key)?, cipher }, sealed))
    }

    /// The encryption of every value.
    pub(in crate::format::pskc) const fn encryption(&self) -> Encryption {
        match self.cipher {
            Sealing::Aes128(_) => Encryption::Aes128Cbc,
            Sealing::Aes256(_) => Encryption::Aes256Cbc,
        }
    }

    /// The hash of every MAC.
    pub(in crate::format::pskc) const fn hash(&self) -> MacHash {
        self.cipher.hash()
    }

    /// Encrypts a seed: initialization vector and ciphertext, and their MAC.
    pub(in crate::format::pskc) fn seal(&self, seed: &Seed) -> (Vec<u8>, Vec<u8>) {
        let sealed = self.cipher.seal(seed.expose());
        let mac = self.mac.over(&sealed);
        (sealed, mac)
    }
}

impl Sealing {
    const fn hash(&self) -> MacHash {
        match self {
            Self::Aes128(_) => MacHash::Sha1,
            Self::Aes256(_) => MacHash::Sha256,
        }
    }

    fn seal(&self, plain: &[u8]) -> Vec<u8> {
        let mut vector = [0; BLOCK];
        random(&mut vector);
        self.seal_with(vector, plain)
    }

    fn seal_with(&self, vector: [u8; BLOCK], plain: &[u8]) -> Vec<u8> {
        let mut sealed = vec![0; BLOCK + (plain.len() / BLOCK + 1) * BLOCK];
        let (front, room) = sealed.split_at_mut(BLOCK);
        front.copy_from_slice(&vector);
        room[..plain.len()].copy_from_slice(plain);
        let length = plain.len();
        let encrypted = match self {
            Self::Aes128(cipher) => Encryptor::<&Aes128Enc>::inner_iv_init(cipher, &vector.into())
                .encrypt_padded::<Pkcs7>(room, length)
                .is_ok(),
            Self::Aes256(cipher) => Encryptor::<&Aes256Enc>::inner_iv_init(cipher, &vector.into())
                .encrypt_padded::<Pkcs7>(room, length)
                .is_ok(),
        };
        // The room is for a whole padding, so this never happens; if it did, no plaintext would go out.
        if !encrypted {
            sealed.zeroize();
            sealed.clear();
        }
        sealed
    }
}

/// Random bytes of the system.
pub(in crate::format::pskc) fn random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the system has randomness");
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("encryption", &self.encryption()).field("mac", &self.hash()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encrypts_what_the_standard_encrypts() {
        // NIST SP 800-38A, F.2.1 and F.2.5: the first two blocks of CBC-AES128 and CBC-AES256.
        let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).expect("hex");
        let vector: [u8; 16] = hex("000102030405060708090a0b0c0d0e0f").try_into().expect("16 bytes");
        let plain = hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
        for (key, expected) in [
            ("2b7e151628aed2a6abf7158809cf4f3c", "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"),
            (
                "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
                "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d",
            ),
        ] {
            let (sealer, _) = Sealer::new(&hex(key)).expect("16 or 32 bytes");
            let sealed = sealer.cipher.seal_with(vector, &plain);
            assert_eq!(sealed[..16], vector);
            assert_eq!(data_encoding::HEXLOWER.encode(&sealed[16..48]), expected);
            assert_eq!(sealed.len(), 64, "a whole block of padding follows whole blocks");
        }
        for length in [0, 15, 17, 24, 31, 33] {
            assert!(Sealer::new(&vec![1; length]).is_none(), "{length}");
        }
    }

    #[test]
    fn no_two_values_have_the_same_vector() {
        let (sealer, mac_key) = Sealer::new(&[7; 16]).expect("16 bytes");
        let (other, other_mac_key) = Sealer::new(&[7; 16]).expect("16 bytes");
        let seed = Seed::new(vec![9; 20]);
        let sealed = [sealer.seal(&seed).0, sealer.seal(&seed).0, other.seal(&seed).0, mac_key, other_mac_key];
        let vectors: std::collections::BTreeSet<&[u8]> = sealed.iter().map(|bytes| &bytes[..16]).collect();
        assert_eq!(vectors.len(), 5);
        assert_eq!(format!("{sealer:?}"), "Sealer { encryption: Aes128Cbc, mac: Sha1 }");
    }
}
