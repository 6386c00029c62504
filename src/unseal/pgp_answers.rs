//! What the OpenPGP library asks while it reads a message, answered: keys, passwords, policy, and the verdict.
//!
//! # Leniency
//!
//! CAST5 and Triple DES are accepted for decryption, as GnuPG 1.4 and 2.0 chose them by themselves; SHA-1 is
//! accepted where it binds the keys of a signer's certificate, as certificates from before 2014 need it, but
//! not for the signature of a message. A passphrase is tried on the first [`MOST_PASSWORD_PACKETS`] packets.
//!
//! # Not here
//!
//! Packets without integrity protection are refused; GnuPG's own OCB packet (tag 20) cannot be read.

use std::sync::{Arc, Mutex, OnceLock};

use sequoia_openpgp as openpgp;

use openpgp::cert::amalgamation::key::ValidErasedKeyAmalgamation;
use openpgp::crypto::{Password, S2K};
use openpgp::packet::header::BodyLength;
use openpgp::packet::key::PublicParts;
use openpgp::packet::{PKESK, SKESK, Signature, Tag};
use openpgp::parse::PacketParser;
use openpgp::parse::stream::{DecryptionHelper, MessageLayer, MessageStructure, VerificationError, VerificationHelper};
use openpgp::policy::{HashAlgoSecurity, Policy, StandardPolicy};
use openpgp::types::{AEADAlgorithm, HashAlgorithm, SymmetricAlgorithm};
use openpgp::{Cert, KeyHandle, Packet};

use super::pgp::{LAYER, ends_early, guard};
use super::pgp_keys::{Found, TrySessionKey, open_by_key};
use super::sniff::LEAST_PROTECTED_BYTES;
use super::unlock::Spelling;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limit;
use crate::record::Keyring;

/// What the signatures of a message are worth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Verdict {
    /// One of the signers' is not good, and no other is: why.
    Bad(String),
    /// One is good, by one of the signers.
    Good,
    /// All are by others than the signers.
    Stranger,
    /// There is none, or nobody asked.
    #[default]
    Unsigned,
}

/// Which passwords an attempt may use.
pub(super) enum Passwords {
    None,
    One(Spelling),
    /// There are several, or a person can be asked: nothing is tried, and the message is held first.
    Several,
}

/// What is learned of a message while it is read.
#[derive(Default)]
pub(super) struct Notes {
    /// To whom or how it was encrypted, once a session key fitted.
    pub(super) encryption: Option<String>,
    pub(super) signed: bool,
    pub(super) issuers: Vec<String>,
    pub(super) verdict: Verdict,
    pub(super) needs_holding: bool,
}

/// Answers the library's questions.
pub(super) struct Helper {
    pub(super) notes: Arc<Mutex<Notes>>,
    pub(super) keyring: Arc<Mutex<Keyring>>,
    pub(super) signers: Vec<Cert>,
    pub(super) passwords: Passwords,
    pub(super) held_bytes: u64,
}

impl DecryptionHelper for Helper {
    fn decrypt(
        &mut self,
        messages: &[PKESK],
        password_packets: &[SKESK],
        hint: Option<SymmetricAlgorithm>,
        try_session_key: &mut TrySessionKey<'_>,
    ) -> openpgp::Result<Option<Cert>> {
        let recipients = recipients(messages);
        let why = match open_by_key(&mut guard(&self.keyring), messages, hint, try_session_key)? {
            Found::Opens(certificate) => {
                let named = if recipients.is_empty() { "a hidden recipient".to_owned() } else { recipients.join(", ") };
                guard(&self.notes).encryption = Some(format!("encrypted to {named}"));
                return Ok(Some(*certificate));
            }
            Found::None(why) => why,
        };
        if !password_packets.is_empty() {
            return match self.open_by_password(password_packets, hint, try_session_key) {
                Ok(()) => Ok(None),
                // A locked secret key is what is missing, where there is one.
                Err(error) => Err(why.unwrap_or(error).into()),
            };
        }
        Err(why.unwrap_or_else(|| Error::new(ErrorKind::PgpKeyMissing { recipients })).into())
    }
}

impl Helper {
    fn open_by_password(
        &mut self,
        packets: &[SKESK],
        hint: Option<SymmetricAlgorithm>,
        try_session_key: &mut TrySessionKey<'_>,
    ) -> Result<()> {
        let spelling = match &self.passwords {
            Passwords::None => return Err(ErrorKind::PasswordMissing { layer: LAYER }.into()),
            Passwords::One(spelling) => spelling,
            Passwords::Several => {
                guard(&self.notes).needs_holding = true;
                return Err(ErrorKind::PasswordMissing { layer: LAYER }.into());
            }
        };
        let password = Password::from(&spelling[..]);
        for packet in packets.iter().take(MOST_PASSWORD_PACKETS) {
            refuse_costly(packet, self.held_bytes)?;
            // An error here is a wrong password that shows by itself.
            let Ok((algorithm, session_key)) = packet.decrypt(&password) else { continue };
            if try_session_key(algorithm.or(hint), &session_key) {
                guard(&self.notes).encryption = Some("encrypted with a password".to_owned());
                return Ok(());
            }
        }
        Err(ErrorKind::PasswordWrong { layer: LAYER, tried: 1 }.into())
    }
}

impl VerificationHelper for Helper {
    fn inspect(&mut self, packet: &PacketParser<'_>) -> openpgp::Result<()> {
        if packet.packet.tag() == Tag::SEIP
            && let BodyLength::Full(length) = packet.header().length()
            && (*length as usize) < LEAST_PROTECTED_BYTES
        {
            return Err(ends_early().into());
        }
        let mut notes = guard(&self.notes);
        match &packet.packet {
            Packet::OnePassSig(announced) => {
                notes.signed = true;
                let issuer = announced.issuer().to_string();
                if !notes.issuers.contains(&issuer) {
                    notes.issuers.push(issuer);
                }
            }
            Packet::Signature(signature) if notes.issuers.is_empty() => {
                notes.signed = true;
                notes.issuers.extend(signature.get_issuers().iter().map(KeyHandle::to_string).take(1));
            }
            Packet::Unknown(unknown) if unknown.tag() == Tag::Signature => notes.signed = true,
            _ => {}
        }
        Ok(())
    }

    fn get_certs(&mut self, _: &[KeyHandle]) -> openpgp::Result<Vec<Cert>> {
        Ok(self.signers.clone())
    }

    fn check(&mut self, structure: MessageStructure<'_>) -> openpgp::Result<()> {
        guard(&self.notes).verdict = verdict(&structure);
        Ok(())
    }
}

fn verdict(structure: &MessageStructure<'_>) -> Verdict {
    let mut verdict = Verdict::Unsigned;
    let groups = structure.iter().filter_map(|layer| match layer {
        MessageLayer::SignatureGroup { results } => Some(results),
        _ => None,
    });
    for result in groups.flatten() {
        match result {
            Ok(_) => return Verdict::Good,
            Err(VerificationError::MissingKey { .. } | VerificationError::UnknownSignature { .. }) => {
                if verdict == Verdict::Unsigned {
                    verdict = Verdict::Stranger;
                }
            }
            Err(error) => verdict = Verdict::Bad(error.to_string()),
        }
    }
    verdict
}

/// The key ids that a message names; a hidden recipient has none.
fn recipients(messages: &[PKESK]) -> Vec<String> {
    messages.iter().filter_map(|message| message.recipient().map(|recipient| recipient.to_string())).collect()
}

/// Refuses a derivation that takes more memory than may be held: the file names it.
fn refuse_costly(packet: &SKESK, held_bytes: u64) -> Result<()> {
    let s2k = match packet {
        SKESK::V4(packet) => packet.s2k(),
        SKESK::V6(packet) => packet.s2k(),
        _ => return Ok(()),
    };
    let S2K::Argon2 { m, .. } = s2k else { return Ok(()) };
    let found = 1024_u64.checked_shl(u32::from(*m)).filter(|bytes| *bytes >= 1024);
    if found.is_some_and(|bytes| bytes <= held_bytes) {
        return Ok(());
    }
    Err(ErrorKind::LimitReached { limit: Limit::HeldBytes, allowed: held_bytes, found }.into())
}

/// What is accepted: the library's own policy, and the exceptions that the module's docs give.
#[derive(Debug)]
struct Accepts(StandardPolicy<'static>);

pub(super) fn policy() -> &'static dyn Policy {
    static POLICY: OnceLock<Accepts> = OnceLock::new();
    POLICY.get_or_init(|| {
        let mut policy = StandardPolicy::new();
        #[expect(deprecated, reason = "old messages have them; the integrity check does not rest on them")]
        for cipher in [SymmetricAlgorithm::CAST5, SymmetricAlgorithm::TripleDES] {
            policy.accept_symmetric_algo(cipher);
        }
        policy.accept_hash_property(HashAlgorithm::SHA1, HashAlgoSecurity::SecondPreImageResistance);
        Accepts(policy)
    })
}

impl Policy for Accepts {
    fn signature(&self, signature: &Signature, security: HashAlgoSecurity) -> openpgp::Result<()> {
        self.0.signature(signature, security)
    }

    fn key(&self, key: &ValidErasedKeyAmalgamation<'_, PublicParts>) -> openpgp::Result<()> {
        self.0.key(key)
    }

    fn symmetric_algorithm(&self, algorithm: SymmetricAlgorithm) -> openpgp::Result<()> {
        self.0.symmetric_algorithm(algorithm)
    }

    fn aead_algorithm(&self, algorithm: AEADAlgorithm) -> openpgp::Result<()> {
        self.0.aead_algorithm(algorithm)
    }

    fn packet(&self, packet: &Packet) -> openpgp::Result<()> {
        match packet.tag() {
            Tag::SED => Err(Error::new(ErrorKind::PgpUnprotected).into()),
            Tag::AED => {
                let detail = "it has GnuPG's own OCB packet; expected one of RFC 9580 or RFC 4880".to_owned();
                Err(Error::new(ErrorKind::ContainerUnsupported { layer: LAYER, detail }).into())
            }
            _ => self.0.packet(packet),
        }
    }
}

/// Each costs a key derivation a password; honest messages have one or two.
const MOST_PASSWORD_PACKETS: usize = 8;
