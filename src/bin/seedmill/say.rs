//! The two streams: data to standard output, everything else to standard error.
//!
//! `println!` and `eprintln!` panic when the reader has gone; these do not.

use std::error::Error;
use std::fmt;
use std::io::{self, Write, stderr, stdout};

use seedmill::error::ErrorKind;

use crate::plan::Usage;
use crate::render;

/// Says one line on standard error.
pub(crate) fn line(line: fmt::Arguments<'_>) {
    // One write, so that lines of several threads do not mix; a reader that has gone hears nothing.
    let _ = stderr().lock().write_all(format!("{line}\n").as_bytes());
}

/// Says whole lines on standard error.
pub(crate) fn text(text: &str) {
    let _ = stderr().lock().write_all(text.as_bytes());
}

/// Says what is wrong with the command line; returns the exit code.
pub(crate) fn usage(usage: &Usage) -> u8 {
    line(format_args!("error: {}", usage.message));
    if let Some(hint) = &usage.hint {
        line(format_args!("  hint: {hint}"));
    }
    render::STOPPED
}

/// Prints public data on standard output; returns the exit code.
pub(crate) fn data(print: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> u8 {
    let mut printed = Vec::new();
    delivered(print(&mut printed).and_then(|()| {
        let mut out = stdout().lock();
        out.write_all(&printed)?;
        out.flush()
    }))
    .unwrap_or(render::FINISHED)
}

/// Prints seeds on standard output, by way of no buffer that would keep a copy.
pub(crate) fn secret(bytes: &[u8]) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        let mut out = std::fs::File::from(stdout().as_fd().try_clone_to_owned()?);
        out.write_all(bytes)
    }
    #[cfg(not(unix))]
    {
        let mut out = stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }
}

/// The exit code when standard output did not take its data: a closed pipe is the reader's choice, and no failure.
pub(crate) fn delivered(result: io::Result<()>) -> Option<u8> {
    match result {
        Ok(()) => None,
        Err(error) if is_closed_pipe(&error) => Some(render::FINISHED),
        Err(error) => {
            let kind = ErrorKind::OutputUnwritable { name: "standard output".to_owned() };
            text(&render::error(&seedmill::error::Error::new(kind).caused_by(error)));
            Some(render::STOPPED)
        }
    }
}

/// Whether the cause, at any depth, is that the reader of a pipe has gone.
fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    // An `io::Error` that wraps another is not its own source, so its inside is asked as well.
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            if error.kind() == io::ErrorKind::BrokenPipe {
                return true;
            }
            if let Some(inner) = error.get_ref()
                && is_closed_pipe(inner)
            {
                return true;
            }
        }
        next = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_closed_pipe_at_any_depth() {
        let closed = || io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(is_closed_pipe(&closed()));
        assert!(is_closed_pipe(&io::Error::other(closed())));
        let wrapped = seedmill::error::Error::new(ErrorKind::OutputClosed).caused_by(closed());
        assert!(is_closed_pipe(&io::Error::other(wrapped)));
        assert!(!is_closed_pipe(&io::Error::from(io::ErrorKind::StorageFull)));
    }
}
