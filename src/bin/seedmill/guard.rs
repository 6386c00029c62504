//! What must hold however the process ends: no core dump, no unfinished file, no secret in a panic's message.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use seedmill::pipeline::Parts;

use crate::{prompt, say};

/// What is removed when the process is ended from outside, or by a bug.
#[derive(Clone, Default)]
pub(crate) struct Guard {
    /// Unfinished output; the pipeline notes it here.
    pub(crate) parts: Parts,
    /// The unfinished report.
    report: Arc<Mutex<Option<PathBuf>>>,
}

impl Guard {
    /// Takes care of signals and panics from now on.
    pub(crate) fn install() -> Self {
        let guard = Self::default();
        let on_signal = guard.clone();
        // Without a handler a signal still ends the process; only a `.part` file of mode 0600 would stay behind.
        let _ = ctrlc::set_handler(move || leave(&on_signal));
        let on_panic = guard.clone();
        std::panic::set_hook(Box::new(move |panic| {
            // The payload is never shown: it may quote what was read.
            match panic.location() {
                Some(place) => {
                    say::line(format_args!("bug in seedmill at {}:{}, please report", place.file(), place.line()));
                }
                None => say::line(format_args!("bug in seedmill, please report")),
            }
            on_panic.clean();
        }));
        guard
    }

    /// Notes the report that is being written, or that none is any more.
    pub(crate) fn note_report(&self, part: Option<PathBuf>) {
        *self.report.lock().unwrap_or_else(PoisonError::into_inner) = part;
    }

    /// Removes whatever is unfinished.
    fn clean(&self) {
        self.parts.remove_all();
        if let Some(part) = self.report.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = fs::remove_file(part);
        }
    }
}

#[expect(clippy::exit, reason = "a signal ends the process from a thread of its own, after the clean-up")]
fn leave(guard: &Guard) {
    prompt::restore_terminal();
    guard.clean();
    say::line(format_args!("interrupted"));
    std::process::exit(130);
}

/// Switches core dumps off: they would hold seeds and passwords.
pub(crate) fn forbid_core_dumps() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        // Lowering one's own limit is always allowed; where it is not, there is nothing better to do.
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
}
