//! An OpenPGP message in, its literal data out, with who signed it.
//!
//! # Source
//!
//! RFC 9580; the message grammar is §10.3. The `sequoia-openpgp` crate reads it as a stream, and asks
//! `pgp_answers.rs` for keys and policy.
//!
//! # Memory
//!
//! Twice [`BUFFER_BYTES`], and the whole message when several passwords may open it.

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sequoia_openpgp as openpgp;

use openpgp::parse::Parse;
use openpgp::parse::stream::{DecryptorBuilder, VerifierBuilder};

use super::meter::{drain, hold};
pub(super) use super::pgp_answers::Verdict;
use super::pgp_answers::{Helper, Notes, Passwords, policy};
use super::pgp_keys::Certificates;
use super::sniff::{SNIFF_BYTES, has_stub};
use super::unlock::{Depth, Spelling, Tried, unlock};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::record::{Keyring, Locked, Plain, Trail};

/// The two shapes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Text with a signature under it (§7).
    ClearSigned,
    /// Packets.
    Message,
}

/// A verdict that is there once the message was read to its end.
#[derive(Clone)]
pub(super) struct Pending(Arc<Mutex<Notes>>);

impl Pending {
    pub(super) fn settled(&self) -> Verdict {
        guard(&self.0).verdict.clone()
    }
}

/// A message that was opened; reads as its literal data.
pub(super) struct Opened<'s> {
    plaintext: Box<dyn Read + Send + 's>,
    pub(super) verdict: Pending,
    held_bytes: u64,
}

impl Read for Opened<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // It is not read again after an error, so no half-changed state is ever seen.
        catch_unwind(AssertUnwindSafe(|| self.plaintext.read(buffer))).unwrap_or_else(|_| Err(gave_up()))
    }
}

impl Opened<'_> {
    /// Whether the message says that it is signed, by whomever.
    pub(super) fn is_signed(&self) -> bool {
        guard(&self.verdict.0).signed
    }

    /// Key ids or fingerprints of who signed.
    pub(super) fn issuers(&self) -> String {
        let issuers = guard(&self.verdict.0).issuers.join(", ");
        if issuers.is_empty() { "an unnamed key".to_owned() } else { issuers }
    }

    /// What is worth knowing of the layer.
    pub(super) fn detail(&self) -> String {
        let encryption = guard(&self.verdict.0).encryption.clone();
        let encryption = encryption.unwrap_or_else(|| "not encrypted".to_owned());
        if self.is_signed() { format!("{encryption}, signed by {}", self.issuers()) } else { encryption }
    }

    /// Bytes of the message that are held in memory.
    pub(super) const fn held_bytes(&self) -> u64 {
        self.held_bytes
    }
}

/// Opens a message with the secret keys and passwords of a keyring; `room` is what may be held in memory.
pub(super) fn open<'s>(
    source: &'s mut (dyn Read + Send),
    shape: Shape,
    trail: &Trail,
    keyring: &mut Keyring,
    signers: &Certificates,
    (room, limits): (u64, &Limits),
) -> Result<Opened<'s>> {
    let mut head = Plain::default();
    head.fill_from(source, SNIFF_BYTES).map_err(|error| Error::reading(error, trail.name()))?;
    if head.len() < SNIFF_BYTES {
        refuse_stub(&head)?;
    }
    let recorder =
        Arc::new(Mutex::new(Recorder { source, ahead: Held::new(Arc::new(head)), kept: Some(Plain::default()) }));
    let passwords = match keyring.passphrases() {
        [only] if !keyring.asks() => match &only.spellings()[..] {
            [only] => Passwords::One(only.clone()),
            _ => Passwords::Several,
        },
        [] if !keyring.asks() => Passwords::None,
        _ => Passwords::Several,
    };
    let error = match attempt(Shared(recorder.clone()), shape, keyring, signers, passwords, limits) {
        Ok(opened) => {
            guard(&recorder).kept = None;
            return Ok(opened);
        }
        Err(failure) if !failure.needs_holding => return Err(failure.error),
        Err(failure) => failure.error,
    };
    let mut recorder = guard(&recorder);
    let Some(mut held) = recorder.kept.take() else { return Err(error) };
    recorder.kept = None;
    hold(&mut held, &mut *recorder, room, limits).map_err(|error| Error::reading(error, trail.name()))?;
    drop(recorder);
    let held = Arc::new(held);
    let spelling = password(&held, trail, keyring, limits)?;
    let whole = Held::new(held.clone());
    // Without keys, or a person would be asked for the passphrase of one again.
    let mut opened = attempt(whole, shape, &mut Keyring::default(), signers, Passwords::One(spelling), limits)
        .map_err(|failure| failure.error)?;
    opened.held_bytes = held.len() as u64;
    Ok(opened)
}

/// Finds the password of a message that is held.
fn password(held: &Arc<Plain>, trail: &Trail, keyring: &mut Keyring, limits: &Limits) -> Result<Spelling> {
    let locked = Locked { kind: LAYER, trail: trail.clone() };
    let nobody = Certificates::read(&[])?;
    unlock(keyring, &locked, true, |spelling, depth| {
        let whole = Held::new(held.clone());
        let passwords = Passwords::One(Spelling::new(spelling.to_vec()));
        // Without keys: those were tried before.
        let mut no_keys = Keyring::default();
        let opened = attempt(whole, Shape::Message, &mut no_keys, &nobody, passwords, limits);
        let mut opened = match opened {
            Ok(opened) => opened,
            Err(failure) if matches!(failure.error.kind(), ErrorKind::PasswordWrong { .. }) => return Ok(Tried::Wrong),
            Err(failure) if failure.decrypted => return Ok(Tried::Broken(failure.error)),
            Err(failure) => return Err(failure.error),
        };
        if depth == Depth::Whole
            && let Err(error) = drain(&mut opened)
        {
            return Ok(Tried::Broken(damaged(error)));
        }
        Ok(Tried::Opens)
    })
}

/// Refuses a message, which is here whole, whose encrypted packet has no room for content.
fn refuse_stub(message: &[u8]) -> Result<()> {
    let is_stub = if message.first().is_some_and(|first| first & 0x80 != 0) {
        has_stub(message)
    } else {
        let mut binary = Vec::new();
        // What is wrong with the armor, the reader of the message will say.
        let _ = openpgp::armor::Reader::from_bytes(message, None).read_to_end(&mut binary);
        has_stub(&binary)
    };
    if is_stub { Err(ends_early()) } else { Ok(()) }
}

pub(super) fn ends_early() -> Error {
    damaged(io::ErrorKind::UnexpectedEof.into())
}

/// What was read is whole, but it is not all.
pub(super) fn followed() -> Error {
    let detail = "something follows the message".to_owned();
    Error::new(ErrorKind::ContainerDamaged { layer: LAYER, detail })
}

/// What a failure of the stream means.
pub(super) fn damaged(error: io::Error) -> Error {
    let detail = match error.kind() {
        io::ErrorKind::UnexpectedEof => "the file ends early",
        _ => "its integrity check fails, so it was changed on the way, or the file ends early",
    };
    Error::new(ErrorKind::ContainerDamaged { layer: LAYER, detail: detail.to_owned() }).caused_by(error)
}

/// An attempt that failed.
struct Failure {
    error: Error,
    /// A password is wanted, and there is more than one to try: only a held message can be tried again.
    needs_holding: bool,
    /// A session key fitted before it failed.
    decrypted: bool,
}

fn attempt<'s>(
    source: impl Read + Send + Sync + 's,
    shape: Shape,
    keyring: &mut Keyring,
    signers: &Certificates,
    passwords: Passwords,
    limits: &Limits,
) -> std::result::Result<Opened<'s>, Failure> {
    let notes = Arc::new(Mutex::new(Notes::default()));
    // The helper must own what it uses; the keyring is lent to it for as long as keys are looked for.
    let lent = Arc::new(Mutex::new(std::mem::take(keyring)));
    let helper = Helper {
        notes: notes.clone(),
        keyring: lent.clone(),
        signers: signers.certificates(),
        passwords,
        held_bytes: limits.held_bytes,
    };
    let read = || -> openpgp::Result<Box<dyn Read + Send + 's>> {
        match shape {
            Shape::Message => DecryptorBuilder::from_reader(source)
                .and_then(|builder| builder.buffer_size(BUFFER_BYTES).with_policy(policy(), None, helper))
                .map(|reader| Box::new(reader) as Box<_>),
            Shape::ClearSigned => VerifierBuilder::from_reader(source)
                .and_then(|builder| builder.buffer_size(BUFFER_BYTES).with_policy(policy(), None, helper))
                .map(|reader| Box::new(reader) as Box<_>),
        }
    };
    let reader = catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(gave_up().into()));
    *keyring = std::mem::take(&mut *guard(&lent));
    match reader {
        Ok(plaintext) => Ok(Opened { plaintext, verdict: Pending(notes), held_bytes: 0 }),
        Err(error) => {
            let notes = guard(&notes);
            let (needs_holding, decrypted) = (notes.needs_holding, notes.encryption.is_some());
            Err(Failure { error: understood(error), needs_holding, decrypted })
        }
    }
}

/// The library asserts what a hostile message may break; that is a damaged message, and no end of the program.
fn gave_up() -> io::Error {
    io::Error::other("the OpenPGP library gave up on the message")
}

/// What an error of the library means: one of ours that travelled through it, or a damaged message.
fn understood(error: openpgp::anyhow::Error) -> Error {
    let error = match error.downcast::<Error>() {
        Ok(own) => return own,
        Err(error) => error,
    };
    let error = match error.downcast::<openpgp::Error>() {
        Ok(error) => error,
        Err(error) => {
            return match error.downcast::<io::Error>() {
                Ok(error) => damaged(error),
                Err(error) => damaged(io::Error::other(error)),
            };
        }
    };
    match &error {
        openpgp::Error::UnsupportedSymmetricAlgorithm(algorithm) => pgp_algorithm(algorithm),
        openpgp::Error::UnsupportedAEADAlgorithm(algorithm) => pgp_algorithm(algorithm),
        openpgp::Error::UnsupportedPublicKeyAlgorithm(algorithm) => pgp_algorithm(algorithm),
        openpgp::Error::PolicyViolation(what, _) => {
            let detail = format!("{what} is too weak to be accepted");
            Error::new(ErrorKind::ContainerUnsupported { layer: LAYER, detail })
        }
        _ => damaged(io::Error::other(error)),
    }
}

fn pgp_algorithm(algorithm: &impl ToString) -> Error {
    Error::new(ErrorKind::PgpAlgorithm { algorithm: algorithm.to_string() })
}

/// Keeps what was read of a message until it is known whether it must be read again.
struct Recorder<'s> {
    source: &'s mut (dyn Read + Send),
    /// What was read of the source before.
    ahead: Held,
    kept: Option<Plain>,
}

impl Read for Recorder<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self.ahead.read(buffer)? {
            0 => self.source.read(buffer)?,
            count => count,
        };
        if let Some(kept) = &mut self.kept {
            kept.extend(&buffer[..count]);
        }
        Ok(count)
    }
}

/// A recorder that the library may own.
struct Shared<'s>(Arc<Mutex<Recorder<'s>>>);

impl Read for Shared<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        guard(&self.0).read(buffer)
    }
}

/// A held message, read from its start.
struct Held {
    bytes: Arc<Plain>,
    position: usize,
}

impl Held {
    const fn new(bytes: Arc<Plain>) -> Self {
        Self { bytes, position: 0 }
    }
}

impl Read for Held {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = (&self.bytes[self.position..]).read(buffer)?;
        self.position += count;
        Ok(count)
    }
}

/// A lock whose holder cannot have panicked half-way: nothing here leaves a value between two states.
pub(super) fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What people call it.
pub(super) const LAYER: &str = "OpenPGP message";

/// Held back by the library until the integrity of what follows is known; it reads twice as much at once.
const BUFFER_BYTES: usize = 1 << 20;
