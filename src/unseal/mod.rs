//! Deliveries in, plain members out: layers are peeled until none is left.
//!
//! What a thing is, its first bytes say, never its name: Feitian calls its ZIP `.pdf`, Deepnet its CSV
//! `.csv.txt`. Layers may nest in any order. Nothing is written anywhere: plaintext passes through as
//! a stream, and an inner container that must be read at random is held in memory, under a limit.
//!
//! # Integrity
//!
//! WinZip AES and OpenPGP authenticate only at the last byte, so a member's stream is always read to its
//! end, also past what the visitor wanted of it. A failure there is an error of the whole run.
//!
//! # Leniency
//!
//! Text before `-----BEGIN PGP MESSAGE-----` is passed over, as mail programs put it there; text behind the end is
//! refused, as it would be dropped in silence. A member that is
//! plainly no seed file (a letter, an image, a detached signature) is skipped with a finding.
//!
//! # Not here
//!
//! Detached signatures are not checked; a member beside one counts as unsigned.
//!
//! # Memory
//!
//! Streams; held are only a ZIP inside another layer or on a stream, and an OpenPGP message that several
//! passwords may open.

mod gzip;
mod meter;
mod pgp;
mod pgp_answers;
mod pgp_keys;
mod sniff;
mod tail;
mod unlock;
mod walk;
mod zip;
mod zip_layout;
mod zip_names;

#[cfg(test)]
mod tests;

use std::io::Read;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;

use crate::error::Result;
use crate::limits::Limits;
use crate::record::{Code, Keyring, Trail};

/// What to unseal.
pub enum Input {
    /// A file, or a folder with all it holds, in order of name, links not followed.
    Path(PathBuf),
    /// A stream, such as standard input, and what to call it.
    Stream(Box<dyn Read + Send>, String),
}

/// A layer that was peeled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// RFC 1952.
    Gzip,
    /// RFC 9580.
    OpenPgp,
    /// PKWARE's APPNOTE, with ZipCrypto and WinZip AES.
    Zip,
}

impl Layer {
    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::OpenPgp => "OpenPGP",
            Self::Zip => "ZIP",
        }
    }
}

/// What a visitor says of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visit {
    /// It is done with.
    Done,
    /// It needs a key that may lie in a later member: show it again after the others, once.
    ///
    /// A member of a stream, which cannot be opened again, is then held in memory. That works only for
    /// a visitor that says so before it has read 8 MiB of it.
    Later,
}

/// Takes what unsealing finds, in order.
pub trait Visitor {
    /// Whether a thing is to be opened at all, be it a member or a layer (`--skip-member`).
    ///
    /// It is asked before anything is unlocked, so what it refuses needs no password.
    fn enters(&mut self, _trail: &Trail) -> bool {
        true
    }

    /// Whether a member is to be read at all (`--member`, `--skip-member`); it may be asked more than once.
    fn wants(&mut self, trail: &Trail) -> bool;

    /// Takes one plain member. It need not read to the end; unsealing does.
    ///
    /// # Errors
    ///
    /// An error ends the run.
    fn member(&mut self, trail: &Trail, content: &mut dyn Read, keyring: &mut Keyring) -> Result<Visit>;

    /// Hears of a layer that was opened, with what is worth knowing of it (`AES-256`, `ZipCrypto`, `signed by …`).
    fn layer(&mut self, trail: &Trail, layer: Layer, detail: &str);

    /// Hears of a finding on a member: [`Code::MemberSkipped`], [`Code::SignatureUnchecked`].
    fn finding(&mut self, trail: &Trail, code: Code, message: String);
}

/// Peels every layer of every input and shows the visitor each plain member, in order.
///
/// `progress` grows by the bytes read of the outermost files, up to their sizes.
///
/// # Errors
///
/// Whatever stops the run: an input that is missing or empty, a layer that is locked, damaged, unsupported or
/// beyond a limit, a signature that is missing or bad, and what the visitor answers.
///
/// # Secrets
///
/// What a member's stream gives out is plaintext; buffers here are wiped, those inside libraries are not.
pub fn unseal(
    inputs: Vec<Input>,
    keyring: &mut Keyring,
    limits: &Limits,
    progress: &AtomicU64,
    visitor: &mut dyn Visitor,
) -> Result<()> {
    walk::Walk::new(keyring, limits, progress, visitor)?.run(inputs)
}
