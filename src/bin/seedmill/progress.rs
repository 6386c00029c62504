//! Shows how far a long run is: bytes of the delivery, tokens, their rate, and the time left.

use std::fs;
use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use seedmill::pipeline::Watch;

use crate::args::Telling;
use crate::paths::is_stream;

/// Shorter work shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// The progress of one run, shown on a terminal only.
pub(crate) struct Progress {
    bar: ProgressBar,
    wanted: bool,
}

impl Progress {
    /// Gets ready; the bar stays hidden until the work has taken a second.
    pub(crate) fn new(telling: &Telling, deliveries: &[PathBuf]) -> Self {
        let wanted = !telling.no_progress && !telling.quiet && stderr().is_terminal();
        let bar = ProgressBar::hidden();
        if wanted {
            let total: Option<u64> = deliveries.iter().map(|path| bytes(path)).sum();
            let template = match total {
                Some(total) => {
                    bar.set_length(total);
                    "{bytes} of {total_bytes}, {msg}, {eta} left"
                }
                None => "{bytes}, {msg}",
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
        }
        Self { bar, wanted }
    }

    /// The bar, to be suspended while a question is asked.
    pub(crate) const fn bar(&self) -> &ProgressBar {
        &self.bar
    }

    /// Does the work, and shows meanwhile what the watch sees.
    pub(crate) fn show<T>(&self, watch: &Watch, work: impl FnOnce() -> T) -> T {
        if !self.wanted {
            return work();
        }
        let (done, is_done) = channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                let began = Instant::now();
                let mut wait = PATIENCE;
                // The sender is dropped when the work ends, also by a panic; then the bar goes at once.
                while is_done.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                    let (bytes, tokens) = watch.now();
                    self.bar.set_position(bytes);
                    self.bar.set_message(message(tokens, began.elapsed()));
                    if wait == PATIENCE {
                        self.bar.set_draw_target(ProgressDrawTarget::stderr());
                        wait = BETWEEN_LOOKS;
                    }
                }
                self.bar.finish_and_clear();
            });
            let result = work();
            drop(done);
            result
        })
    }
}

fn message(tokens: u64, elapsed: Duration) -> String {
    let rate = tokens as f64 / elapsed.as_secs_f64().max(0.001);
    format!("{tokens} tokens, {rate:.0} a second")
}

/// Bytes of a file, or of all files in a folder; `None` where that cannot be known.
fn bytes(path: &Path) -> Option<u64> {
    if is_stream(path) {
        return None;
    }
    let about = fs::metadata(path).ok()?;
    if !about.is_dir() {
        return Some(about.len());
    }
    // Links inside a folder are not followed, so this ends.
    fs::read_dir(path).ok()?.flatten().try_fold(0, |sum, entry| {
        let kind = entry.file_type().ok()?;
        let more = if kind.is_symlink() { 0 } else { bytes(&entry.path())? };
        Some(sum + more)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_tokens_and_their_rate() {
        assert_eq!(message(3000, Duration::from_secs(2)), "3000 tokens, 1500 a second");
        assert_eq!(message(0, Duration::ZERO), "0 tokens, 0 a second");
    }

    #[test]
    fn adds_up_a_folder_and_does_not_know_a_stream() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a"), b"12345").expect("a file");
        fs::create_dir(folder.path().join("inner")).expect("a folder");
        fs::write(folder.path().join("inner/b"), b"123").expect("a file");
        assert_eq!(bytes(folder.path()), Some(8));
        assert_eq!(bytes(Path::new("-")), None);
    }
}
