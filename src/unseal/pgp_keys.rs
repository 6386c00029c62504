//! Key files in, certificates out; and from those the session key of a message.
//!
//! # Leniency
//!
//! A key opens what was encrypted to it, also when it has expired or was revoked, and whatever its owner wrote of
//! its use: refusing would protect nobody. A file may hold several keys, armored one after another.

use sequoia_openpgp as openpgp;

use openpgp::Cert;
use openpgp::cert::CertParser;
use openpgp::crypto::{KeyPair, Password, SessionKey};
use openpgp::packet::key::{SecretParts, UnspecifiedRole};
use openpgp::packet::{Key, PKESK};
use openpgp::parse::Parse;
use openpgp::types::SymmetricAlgorithm;

use crate::error::{Error, ErrorKind, Result};
use crate::record::{Keyring, Locked, PgpKey, Trail};

/// Certificates, each with the name of the file it came from.
pub(super) struct Certificates(Vec<(String, Cert)>);

impl Certificates {
    /// Reads key files, armored or binary.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PgpKeyInvalid`] for a file that holds none, or a damaged one.
    pub(super) fn read(files: &[PgpKey]) -> Result<Self> {
        let mut certificates = Vec::new();
        for file in files {
            let before = certificates.len();
            for block in blocks(&file.bytes) {
                for certificate in CertParser::from_bytes(block).map_err(|error| invalid(file).caused_by(error))? {
                    let certificate = certificate.map_err(|error| invalid(file).caused_by(error))?;
                    certificates.push((file.name.clone(), certificate));
                }
            }
            if certificates.len() == before {
                return Err(invalid(file));
            }
        }
        Ok(Self(certificates))
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn certificates(&self) -> Vec<Cert> {
        self.0.iter().map(|(_, certificate)| certificate.clone()).collect()
    }

    /// Every secret key, with the file it came from and the certificate it belongs to.
    fn secret_keys(&self) -> impl Iterator<Item = (&str, &Cert, Key<SecretParts, UnspecifiedRole>)> {
        self.0.iter().flat_map(|(name, certificate)| {
            certificate.keys().secret().map(move |key| (name.as_str(), certificate, key.key().clone()))
        })
    }
}

fn invalid(file: &PgpKey) -> Error {
    Error::new(ErrorKind::PgpKeyInvalid { name: file.name.clone() })
}

/// The armored blocks of a file, or the file as it is when it is binary.
fn blocks(bytes: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> = memchr::memmem::find_iter(bytes, b"-----BEGIN PGP ").collect();
    if starts.is_empty() || bytes.first().is_some_and(|first| first & 0x80 != 0 && *first != 0xef) {
        return vec![bytes];
    }
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    starts.iter().zip(ends).map(|(&start, end)| &bytes[start..end]).collect()
}

/// Tries a session key on the message; `true` when it fits.
pub(super) type TrySessionKey<'t> = dyn FnMut(Option<SymmetricAlgorithm>, &SessionKey) -> bool + 't;

/// What came of the secret keys.
pub(super) enum Found {
    /// A key of this certificate opens the message.
    Opens(Box<Cert>),
    /// None does, and this is why, where there is more to say than that it is missing.
    None(Option<Error>),
}

/// Opens a message by the secret keys of a keyring.
///
/// Keys that the message names come first, those without a passphrase before the others; then, for a hidden
/// recipient, every key that can decrypt.
pub(super) fn open_by_key(
    keyring: &mut Keyring,
    messages: &[PKESK],
    hint: Option<SymmetricAlgorithm>,
    try_session_key: &mut TrySessionKey<'_>,
) -> Result<Found> {
    let certificates = Certificates::read(&keyring.pgp_keys)?;
    let mut candidates = Vec::new();
    for message in messages.iter().take(MOST_KEY_PACKETS) {
        for (file, certificate, key) in certificates.secret_keys() {
            let recipient = message.recipient();
            let named = recipient.as_ref().is_some_and(|named| named.aliases(key.key_handle()));
            let hidden = recipient.is_none() && key.pk_algo() == message.pk_algo();
            if named || hidden {
                candidates.push((!named, !key.has_unencrypted_secret(), message, file, certificate, key));
            }
        }
    }
    candidates.sort_by_key(|(hidden, locked, ..)| (*hidden, *locked));
    let mut why = None;
    for (hidden, _, message, file, certificate, key) in candidates {
        if !key.pk_algo().is_supported() {
            let algorithm = algorithm_name(key.pk_algo());
            why.get_or_insert(Error::new(ErrorKind::PgpAlgorithm { algorithm }));
            continue;
        }
        let mut pair = match unlocked(keyring, file, key) {
            Ok(pair) => pair,
            // Another key may open it without.
            Err(error) => {
                why.get_or_insert(error);
                continue;
            }
        };
        let session_key = message.decrypt(&mut pair, hint);
        if session_key.is_some_and(|(algorithm, session_key)| try_session_key(algorithm, &session_key)) {
            return Ok(Found::Opens(Box::new(certificate.clone())));
        }
        if !hidden {
            let detail = "the session key for the given secret key was changed, or the file ends early".to_owned();
            why.get_or_insert(Error::new(ErrorKind::ContainerDamaged { layer: "OpenPGP message", detail }));
        }
    }
    Ok(Found::None(why))
}

/// Each may cost a decryption a key; a message to a whole department has fewer.
const MOST_KEY_PACKETS: usize = 256;

fn algorithm_name(algorithm: openpgp::types::PublicKeyAlgorithm) -> String {
    use openpgp::types::PublicKeyAlgorithm as Algorithm;
    #[expect(deprecated, reason = "that nobody should make such keys is why they are named here")]
    match algorithm {
        Algorithm::ElGamalEncrypt | Algorithm::ElGamalEncryptSign => "ElGamal".to_owned(),
        other => other.to_string(),
    }
}

fn unlocked(keyring: &mut Keyring, file: &str, key: Key<SecretParts, UnspecifiedRole>) -> Result<KeyPair> {
    let key = if key.has_unencrypted_secret() {
        key
    } else {
        let locked = Locked { kind: "OpenPGP key", trail: Trail::new(file) };
        keyring.unlock(&locked, |passphrase| {
            let spellings = passphrase.spellings();
            let mut tried = spellings.iter().map(|spelling| key.clone().decrypt_secret(&Password::from(&spelling[..])));
            Ok(tried.find_map(std::result::Result::ok))
        })?
    };
    key.into_keypair().map_err(|error| Error::new(ErrorKind::PgpKeyInvalid { name: file.to_owned() }).caused_by(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Plain;

    fn file(bytes: &[u8]) -> PgpKey {
        let mut plain = Plain::default();
        plain.extend(bytes);
        PgpKey { name: "keys.asc".to_owned(), bytes: plain }
    }

    #[test]
    fn reads_several_keys_of_one_file() {
        let first = include_bytes!("../../fixtures/container/rsa.key.asc");
        let second = include_bytes!("../../fixtures/container/locked.key.asc");
        let certificates = Certificates::read(&[file(&[&first[..], second].concat())]).expect("gpg made both");
        assert_eq!(certificates.secret_keys().count(), 4);
        let binary = include_bytes!("../../fixtures/container/rsa.key.gpg");
        assert_eq!(Certificates::read(&[file(binary)]).expect("gpg made it").secret_keys().count(), 2);
    }

    #[test]
    fn names_a_file_that_is_no_key() {
        for bytes in [&b""[..], b"hello", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n!!\n"] {
            let error = Certificates::read(&[file(bytes)]).err().expect("it is no key");
            assert_eq!(error.to_string(), "`keys.asc` is no usable OpenPGP key: expected an armored or binary key");
        }
    }
}
