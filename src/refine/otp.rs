//! Seed and counter in, code out: HOTP and TOTP with SHA-1, SHA-256 and SHA-512.
//!
//! # Units
//!
//! `counter` is the moving factor: the event counter of HOTP, or Unix time divided by the time step of TOTP.
//!
//! # Source
//!
//! [RFC 4226] §5.3 (HOTP and its truncation), [RFC 6238] §4 (TOTP) and §1.2 (SHA-256, SHA-512).
//!
//! [RFC 4226]: https://www.rfc-editor.org/rfc/rfc4226
//! [RFC 6238]: https://www.rfc-editor.org/rfc/rfc6238

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use crate::record::{Algorithm, Digits, Seed};

/// A seed made ready to compute codes: the two hash states that HMAC derives from the key are kept.
///
/// # Secrets
///
/// The states stand for the seed. The hash crates do not wipe them; a generator lives for one token only.
pub struct Generator(State);

enum State {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha512(Hmac<Sha512>),
}

impl Generator {
    /// Derives the states from a seed of any length.
    ///
    /// # Secrets
    ///
    /// Reads `seed`; keeps no copy of it.
    pub fn new(seed: &Seed, algorithm: Algorithm) -> Self {
        const ANY: &str = "HMAC takes a key of any length";
        Self(match algorithm {
            Algorithm::Sha1 => State::Sha1(Hmac::new_from_slice(seed.expose()).expect(ANY)),
            Algorithm::Sha256 => State::Sha256(Hmac::new_from_slice(seed.expose()).expect(ANY)),
            Algorithm::Sha512 => State::Sha512(Hmac::new_from_slice(seed.expose()).expect(ANY)),
        })
    }

    /// The code at a counter. It is a credential: compare it, do not print it.
    pub fn code(&self, counter: u64, digits: Digits) -> u32 {
        let counter = counter.to_be_bytes();
        let number = match &self.0 {
            State::Sha1(mac) => truncated(&mac.clone().chain_update(counter).finalize().into_bytes()),
            State::Sha256(mac) => truncated(&mac.clone().chain_update(counter).finalize().into_bytes()),
            State::Sha512(mac) => truncated(&mac.clone().chain_update(counter).finalize().into_bytes()),
        };
        match 10_u32.checked_pow(digits.count().into()) {
            Some(modulus) => number % modulus,
            // Ten digits hold every 31-bit number.
            None => number,
        }
    }
}

/// The 31-bit number that the last four bits of the MAC point at (RFC 4226 §5.3).
fn truncated(mac: &[u8]) -> u32 {
    let offset = usize::from(mac[mac.len() - 1] & 0x0f);
    let four = [mac[offset], mac[offset + 1], mac[offset + 2], mac[offset + 3]];
    u32::from_be_bytes(four) & 0x7fff_ffff
}

/// The code of a seed at one counter. For many codes of one seed, make a [`Generator`].
///
/// ```
/// use seedmill::record::{Algorithm, Digits, Seed};
///
/// // RFC 4226, appendix D: count 0.
/// let seed = Seed::new(b"12345678901234567890".to_vec());
/// assert_eq!(seedmill::refine::code(&seed, Algorithm::Sha1, 0, Digits::SIX), 755_224);
/// ```
pub fn code(seed: &Seed, algorithm: Algorithm, counter: u64, digits: Digits) -> u32 {
    Generator::new(seed, algorithm).code(counter, digits)
}
