//! Candidates in, the one password that opens a layer out.
//!
//! The check of a layer is short (one byte for ZipCrypto, two for WinZip AES and OpenPGP), so a wrong password
//! may pass it. Where one candidate passes, the layer is opened with it and its integrity shows the rest.
//! Where several do, and where a person is asked, the whole content is read first and thrown away.

use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Result};
use crate::record::{Keyring, Locked, Passphrase};

/// One spelling of a password, as bytes.
pub(super) type Spelling = Zeroizing<Vec<u8>>;

/// What became of one candidate.
pub(super) enum Tried {
    /// It passes the check, but what it opens is damaged: it is wrong after all, or the file is.
    Broken(Error),
    /// It opens the layer.
    Opens,
    /// It does not pass the check.
    Wrong,
}

/// How much to read before a candidate is believed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// The check alone.
    Check,
    /// The content to its end.
    Whole,
}

/// Finds the password among those of the keyring, then asks.
///
/// `asking` is whether a person may be asked, and `strong` whether a check that passes for a wrong
/// password is so rare that the file itself must be damaged.
pub(super) fn unlock(
    keyring: &mut Keyring,
    locked: &Locked,
    strong: bool,
    mut try_one: impl FnMut(&[u8], Depth) -> Result<Tried>,
) -> Result<Spelling> {
    let mut broken = None;
    if let Some((passphrase, spelling)) = among_known(keyring, &mut try_one, &mut broken)? {
        // Brings it to the front, so that the next member tries it first.
        keyring.unlock(locked, |known| Ok(known.is_same(&passphrase).then_some(())))?;
        return Ok(spelling);
    }
    if strong && let Some(error) = broken {
        return Err(error);
    }
    let mut known_left = keyring.passphrases().len();
    let asked = keyring.unlock(locked, |passphrase| {
        if known_left > 0 {
            known_left -= 1;
            return Ok(None);
        }
        for spelling in passphrase.spellings() {
            match try_one(&spelling, Depth::Whole)? {
                Tried::Opens => return Ok(Some(spelling)),
                Tried::Broken(error) if strong => return Err(error),
                Tried::Broken(error) => broken = Some(error),
                Tried::Wrong => {}
            }
        }
        Ok(None)
    });
    match (asked, broken) {
        (Err(error), Some(broken)) if matches!(error.kind(), ErrorKind::PasswordWrong { .. }) => Err(broken),
        (result, _) => result,
    }
}

/// Finds the password among those of the keyring without asking anyone.
pub(super) fn unlock_silently(
    keyring: &Keyring,
    mut try_one: impl FnMut(&[u8], Depth) -> Result<Tried>,
) -> Result<Option<Spelling>> {
    Ok(among_known(keyring, &mut try_one, &mut None)?.map(|(_, spelling)| spelling))
}

fn among_known(
    keyring: &Keyring,
    try_one: &mut impl FnMut(&[u8], Depth) -> Result<Tried>,
    broken: &mut Option<Error>,
) -> Result<Option<(Passphrase, Spelling)>> {
    let mut passing = Vec::new();
    for passphrase in keyring.passphrases() {
        for spelling in passphrase.spellings() {
            match try_one(&spelling, Depth::Check)? {
                Tried::Opens => passing.push((passphrase.clone(), spelling)),
                Tried::Broken(error) => *broken = Some(error),
                Tried::Wrong => {}
            }
        }
    }
    if passing.len() < 2 {
        return Ok(passing.pop());
    }
    for (passphrase, spelling) in passing {
        match try_one(&spelling, Depth::Whole)? {
            Tried::Opens => return Ok(Some((passphrase, spelling))),
            Tried::Broken(error) => *broken = Some(error),
            Tried::Wrong => {}
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Trail;

    fn locked() -> Locked {
        Locked { kind: "ZIP", trail: Trail::new("a.zip") }
    }

    fn keyring(passwords: &[&str]) -> Keyring {
        let mut keyring = Keyring::default();
        for password in passwords {
            keyring.add_passphrase(Passphrase::new(password.as_bytes().to_vec()));
        }
        keyring
    }

    /// Passwords that begin with `r` pass the check, and only `right` opens.
    fn opens(password: &[u8], depth: Depth) -> Result<Tried> {
        Ok(match password {
            b"right" => Tried::Opens,
            [b'r', ..] if depth == Depth::Check => Tried::Opens,
            [b'r', ..] => Tried::Broken(ErrorKind::ContainerDamaged { layer: "ZIP", detail: "CRC".to_owned() }.into()),
            _ => Tried::Wrong,
        })
    }

    #[test]
    fn a_candidate_that_only_passes_the_check_gives_way() {
        let mut keyring = keyring(&["wrong", "rwrong", "right"]);
        assert_eq!(*unlock(&mut keyring, &locked(), true, opens).expect("it is there"), b"right");
        assert_eq!(keyring.passphrases()[0].expose(), b"right");
    }

    #[test]
    fn an_asked_password_is_tried_to_the_end() {
        let mut keyring = keyring(&["wrong"]);
        let mut answers = vec!["right", "rwrong", "other"];
        keyring.ask_with(Box::new(move |_, _| answers.pop().map(|answer| Passphrase::new(answer.into()))));
        assert_eq!(*unlock(&mut keyring, &locked(), false, opens).expect("the third answer"), b"right");
    }

    #[test]
    fn tells_a_wrong_password_from_a_damaged_file() {
        let error = unlock(&mut keyring(&["a", "b"]), &locked(), true, opens).expect_err("both are wrong");
        assert_eq!(error.to_string(), "wrong password for the ZIP: none of 2 fits");
        let error = unlock(&mut keyring(&["r1", "r2"]), &locked(), true, opens).expect_err("both break");
        assert_eq!(error.to_string(), "the ZIP is damaged: CRC");
        let error = unlock(&mut keyring(&[]), &locked(), true, opens).expect_err("there is none");
        assert_eq!(error.to_string(), "the ZIP is locked: expected a password, but none was given");
    }
}
