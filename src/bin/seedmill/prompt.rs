//! Asks for passwords on the terminal, naming the layer that is locked.

use std::io::{ErrorKind, IsTerminal, stderr};
use std::time::Duration;

use indicatif::ProgressBar;
use seedmill::record::{Keyring, Locked, Passphrase};

/// Answers that a layer may have before it is given up.
const MOST_ANSWERS: u32 = 3;

/// Far longer than removing a few files takes.
const UNTIL_INTERRUPTED: Duration = Duration::from_secs(5);

/// Lets the keyring ask, where a person sees what is written to standard error.
///
/// A bar that is shown makes room for the question.
pub(crate) fn offer(keyring: &mut Keyring, bar: ProgressBar) {
    if stderr().is_terminal() {
        keyring.ask_with(Box::new(move |locked, wrong| bar.suspend(|| ask(locked, wrong))));
    }
}

/// One question. An empty answer, the end of input or an interruption ends the asking.
fn ask(locked: &Locked, wrong: u32) -> Option<Passphrase> {
    if wrong >= MOST_ANSWERS {
        return None;
    }
    save_terminal();
    let answer = rpassword::prompt_password(question(locked, wrong));
    forget_terminal();
    if answer.as_ref().is_err_and(|error| error.kind() == ErrorKind::Interrupted) {
        // The prompt has raised the signal itself; its handler now ends the process from another thread.
        std::thread::sleep(UNTIL_INTERRUPTED);
    }
    answer.ok().filter(|answer| !answer.is_empty()).map(|answer| Passphrase::new(answer.into_bytes()))
}

fn question(locked: &Locked, wrong: u32) -> String {
    let again = if wrong > 0 { "wrong password; " } else { "" };
    format!("{again}password for the {} `{}`: ", locked.kind, locked.trail)
}

#[cfg(unix)]
mod terminal {
    //! While a password is typed the terminal shows nothing; a signal then must not leave it so.

    use std::fs::File;
    use std::sync::{Mutex, PoisonError};

    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

    static SAVED: Mutex<Option<Termios>> = Mutex::new(None);

    pub(crate) fn save() {
        let saved = File::open("/dev/tty").ok().and_then(|terminal| tcgetattr(&terminal).ok());
        *SAVED.lock().unwrap_or_else(PoisonError::into_inner) = saved;
    }

    pub(crate) fn forget() {
        *SAVED.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn restore() {
        let saved = SAVED.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let (Some(saved), Ok(terminal)) = (saved, File::open("/dev/tty")) {
            // Nothing can be done about a terminal that has gone.
            let _ = tcsetattr(&terminal, OptionalActions::Now, &saved);
        }
    }
}

#[cfg(not(unix))]
mod terminal {
    //! The console of other systems is put back by the prompt itself.

    pub(crate) fn save() {}
    pub(crate) fn forget() {}
    pub(crate) fn restore() {}
}

use terminal::{forget as forget_terminal, save as save_terminal};

/// Puts the terminal back as it was before a question that is still open.
pub(crate) fn restore_terminal() {
    terminal::restore();
}

#[cfg(test)]
mod tests {
    use seedmill::record::Trail;

    use super::*;

    #[test]
    fn the_question_names_the_layer_and_says_that_the_last_answer_was_wrong() {
        let locked = Locked { kind: "ZIP", trail: Trail::new("2026-03.zip").join("inner.zip") };
        assert_eq!(question(&locked, 0), "password for the ZIP `2026-03.zip > inner.zip`: ");
        assert_eq!(question(&locked, 1), "wrong password; password for the ZIP `2026-03.zip > inner.zip`: ");
    }

    #[test]
    fn a_layer_is_given_up_after_three_answers() {
        let locked = Locked { kind: "ZIP", trail: Trail::new("a.zip") };
        assert!(ask(&locked, MOST_ANSWERS).is_none());
    }
}
