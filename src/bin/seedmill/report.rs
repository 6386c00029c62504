//! The report file: `NAME.part` first, and `NAME` only when it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use seedmill::pipeline::{Outcome, write_csv, write_json};

use crate::guard::Guard;
use crate::render::shown;
use crate::say;

/// What a report is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Counts and findings.
    Json,
    /// Findings only.
    Csv,
}

impl Kind {
    /// The kind that a file's name says.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?;
        if extension.eq_ignore_ascii_case("json") {
            Some(Self::Json)
        } else if extension.eq_ignore_ascii_case("csv") {
            Some(Self::Csv)
        } else {
            None
        }
    }
}

/// A report that has its `.part` file, and no content yet.
pub(crate) struct Report {
    path: PathBuf,
    part: PathBuf,
    kind: Kind,
    file: File,
}

impl Report {
    /// Creates the unfinished file, so that a bad path fails before the work.
    pub(crate) fn create(path: &Path, kind: Kind, guard: &Guard) -> io::Result<Self> {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        match fs::remove_file(&part) {
            // Of a link, only the link is removed.
            Ok(()) => say::line(format_args!(
                "warning: `{}` was left by a run that was ended; it is replaced",
                shown(&part.to_string_lossy())
            )),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&part)?;
        guard.note_report(Some(part.clone()));
        Ok(Self { path: path.to_owned(), part, kind, file })
    }

    /// Writes the outcome and gives the file its name; on failure nothing is left.
    pub(crate) fn finish(self, outcome: &mut Outcome, guard: &Guard) -> io::Result<()> {
        let Self { path, part, kind, file } = self;
        let written = write(outcome, kind, file).and_then(|()| fs::rename(&part, path));
        if written.is_err() {
            // The failure to write is what is reported; this one would only repeat it.
            let _ = fs::remove_file(&part);
        }
        guard.note_report(None);
        written
    }

    /// Leaves nothing: wrong usage has no report.
    pub(crate) fn discard(self, guard: &Guard) {
        // It is empty and its owner's alone; one that cannot be removed is replaced by the next run.
        let _ = fs::remove_file(&self.part);
        guard.note_report(None);
    }
}

fn write(outcome: &mut Outcome, kind: Kind, file: File) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    match kind {
        Kind::Json => write_json(outcome, &mut out)?,
        Kind::Csv => write_csv(outcome, &mut out)?,
    }
    out.flush()?;
    out.get_ref().sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_the_kind() {
        assert_eq!(Kind::of(Path::new("a/report.json")), Some(Kind::Json));
        assert_eq!(Kind::of(Path::new("REPORT.CSV")), Some(Kind::Csv));
        assert_eq!(Kind::of(Path::new("report")), None);
        assert_eq!(Kind::of(Path::new("report.txt")), None);
    }

    #[test]
    fn an_unfinished_file_of_a_dead_run_is_replaced_and_readable_by_its_owner_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.json");
        let part = folder.path().join("report.json.part");
        fs::write(&part, b"half").expect("a file");
        Report::create(&path, Kind::Json, &Guard::default()).expect("it is created");
        assert_eq!(fs::read(&part).expect("it is there"), b"");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&part).expect("it is there").permissions().mode() & 0o777, 0o600);
        }
    }
}
