//! Passwords and keys of one run: those given, those found in the delivery, those asked for.
//!
//! One keyring goes through all layers, so a password found good for one is tried first on the next.

use super::{Passphrase, Plain, Trail};
use crate::error::{Error, ErrorKind};

/// What is locked, for a message or a prompt.
#[derive(Clone, Debug)]
pub struct Locked {
    /// The layer's kind, as people call it: `ZIP`, `OpenPGP message`, `OpenPGP key`, `PSKC`.
    pub kind: &'static str,
    /// Where it is.
    pub trail: Trail,
}

/// An OpenPGP secret key file, not yet parsed.
pub struct PgpKey {
    /// Where it came from, for messages.
    pub name: String,
    /// Armored or binary.
    pub bytes: Plain,
}

/// A pre-shared PSKC key, hex text decoded already.
pub struct PskcKey {
    /// Where it came from, for messages.
    pub name: String,
    /// The raw key.
    pub key: Plain,
    /// It lay in the delivery itself.
    pub found_beside: bool,
}

/// Asks a person for a password. The number is how many wrong answers came before; `None` ends the asking.
type Ask = Box<dyn FnMut(&Locked, u32) -> Option<Passphrase> + Send>;

/// Every password and key of a run.
#[derive(Default)]
pub struct Keyring {
    /// Secret keys for OpenPGP layers.
    pub pgp_keys: Vec<PgpKey>,
    /// Certificates of which one must have signed; empty means that signatures are not required.
    pub signers: Vec<PgpKey>,
    /// Pre-shared PSKC keys; the reader tries each whose length fits.
    pub pskc_keys: Vec<PskcKey>,
    /// PBKDF2 rounds that the run has spent on PSKC so far.
    pub(crate) pbkdf2_rounds: u64,
    passphrases: Vec<Passphrase>,
    ask: Option<Ask>,
}

impl Keyring {
    /// Adds a password that will be tried on every locked layer.
    pub fn add_passphrase(&mut self, passphrase: Passphrase) {
        if !self.passphrases.iter().any(|known| known.is_same(&passphrase)) {
            self.passphrases.push(passphrase);
        }
    }

    /// Lets a person be asked when no password fits.
    pub fn ask_with(&mut self, ask: Ask) {
        self.ask = Some(ask);
    }

    /// Every password, the one that last fitted first.
    pub fn passphrases(&self) -> &[Passphrase] {
        &self.passphrases
    }

    /// Whether a person can be asked.
    pub const fn asks(&self) -> bool {
        self.ask.is_some()
    }

    /// Tries every password on something locked, then asks until one fits or the person gives up.
    ///
    /// `try_one` answers what the password opened, or `None` for a wrong one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PasswordMissing`] when there is none to try, [`ErrorKind::PasswordWrong`] when none fits, and
    /// whatever `try_one` answers.
    pub fn unlock<T>(
        &mut self,
        locked: &Locked,
        mut try_one: impl FnMut(&Passphrase) -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        for index in 0..self.passphrases.len() {
            if let Some(opened) = try_one(&self.passphrases[index])? {
                self.passphrases[..=index].rotate_right(1);
                return Ok(opened);
            }
        }
        let mut wrong = 0;
        if let Some(ask) = &mut self.ask {
            while let Some(answer) = ask(locked, wrong) {
                if let Some(opened) = try_one(&answer)? {
                    self.passphrases.insert(0, answer);
                    return Ok(opened);
                }
                wrong += 1;
            }
        }
        let tried = self.passphrases.len() + wrong as usize;
        let kind = if tried == 0 {
            ErrorKind::PasswordMissing { layer: locked.kind }
        } else {
            ErrorKind::PasswordWrong { layer: locked.kind, tried }
        };
        Err(Error::new(kind).at(locked.trail.whole()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zip() -> Locked {
        Locked { kind: "ZIP", trail: Trail::new("a.zip") }
    }

    fn opens_with(right: &'static str) -> impl FnMut(&Passphrase) -> Result<Option<()>, Error> {
        move |passphrase| Ok((passphrase.expose() == right.as_bytes()).then_some(()))
    }

    #[test]
    fn tries_the_password_that_fitted_first() {
        let mut keyring = Keyring::default();
        for password in ["a", "b", "c"] {
            keyring.add_passphrase(Passphrase::new(password.into()));
        }
        keyring.unlock(&zip(), opens_with("c")).expect("`c` opens it");
        assert_eq!(keyring.passphrases()[0].expose(), b"c");
    }

    #[test]
    fn asks_again_after_a_wrong_answer() {
        let mut keyring = Keyring::default();
        let mut answers = vec!["right", "wrong"];
        keyring.ask_with(Box::new(move |_, _| answers.pop().map(|answer| Passphrase::new(answer.into()))));
        keyring.unlock(&zip(), opens_with("right")).expect("the second answer opens it");
    }

    #[test]
    fn tells_no_password_from_a_wrong_one() {
        let mut keyring = Keyring::default();
        let error = keyring.unlock(&zip(), opens_with("x")).expect_err("there is no password");
        assert!(matches!(error.kind(), ErrorKind::PasswordMissing { .. }));
        keyring.add_passphrase(Passphrase::new(b"y".to_vec()));
        let error = keyring.unlock(&zip(), opens_with("x")).expect_err("the password is wrong");
        assert!(matches!(error.kind(), ErrorKind::PasswordWrong { tried: 1, .. }));
    }
}
