//! Unfinished output on disk: a file or folder that only its owner reads, under a lock, until one rename gives it its name.
//!
//! A run that is killed leaves the old output or the new one, whole; what it may leave beside it is a `NAME.part`, which
//! the next run replaces. A lock tells a dead run's part from a live one's, and what is no part of ours is never
//! removed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Read, Seek};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, ErrorKind, Result};
use crate::record::escaped_name;

/// Unfinished output of this process, so that a signal handler can remove it.
#[derive(Clone, Debug, Default)]
pub struct Parts(Arc<Mutex<Vec<PathBuf>>>);

impl Parts {
    /// Removes every unfinished output. For a signal or panic handler; the process ends behind it.
    pub fn remove_all(&self) {
        for path in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            remove(&path);
        }
    }

    fn note(&self, path: &Path) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_owned());
    }

    /// Does what ends a part's life while no signal handler can come between.
    fn settle<T>(&self, path: &Path, end: impl FnOnce() -> T) -> T {
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts.retain(|part| part != path);
        end()
    }
}

fn remove(path: &Path) {
    // Nothing can be done about a part that will not go; it has mode 0600, and the next run replaces it.
    let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
}

/// An unfinished file or folder. Dropped before it is settled, it is removed.
pub(super) struct Part {
    pub(super) path: PathBuf,
    /// What is locked: the part's file, or for a folder what [`lock_of_folder`] says.
    pub(super) file: Option<File>,
    parts: Parts,
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            self.parts.settle(&self.path, || {
                if self.is_ours() {
                    remove(&self.path);
                }
            });
        }
    }
}

/// What of a folder's part is locked: on Unix the folder itself, so that nothing but batches is ever in it.
#[cfg(unix)]
fn lock_of_folder(part: &Path) -> PathBuf {
    part.to_owned()
}

/// Elsewhere a folder cannot be opened, and a file in it is locked, which goes before the folder gets its name.
#[cfg(not(unix))]
fn lock_of_folder(part: &Path) -> PathBuf {
    part.join(LOCK)
}

#[cfg(not(unix))]
const LOCK: &str = ".lock";

impl Part {
    /// Creates an unfinished file, locked, for its owner only.
    pub(super) fn file(path: &Path, parts: &Parts, replaced: &mut Option<PathBuf>) -> io::Result<Self> {
        take_over(path, false, replaced)?;
        let file = create_new(path)?;
        parts.note(path);
        let part = Self { path: path.to_owned(), file: Some(file), parts: parts.clone() };
        part.lock()?;
        Ok(part)
    }

    /// Creates an unfinished folder with a lock in it, for its owner only.
    pub(super) fn folder(path: &Path, parts: &Parts, replaced: &mut Option<PathBuf>) -> io::Result<Self> {
        take_over(path, true, replaced)?;
        create_folder(path)?;
        parts.note(path);
        let mut part = Self { path: path.to_owned(), file: None, parts: parts.clone() };
        let lock = lock_of_folder(path);
        part.file = Some(if lock == path { File::open(lock)? } else { create_new(&lock)? });
        part.lock()?;
        Ok(part)
    }

    fn lock(&self) -> io::Result<()> {
        match self.file.as_ref().map(File::try_lock) {
            // A file system without locks only loses the warning about a second run.
            None | Some(Ok(()) | Err(TryLockError::Error(_))) => Ok(()),
            Some(Err(TryLockError::WouldBlock)) => Err(another_run()),
        }
    }

    /// The part's bytes from the first on. By its own handle: on Windows no other may read what is locked.
    pub(super) fn read_back<'s>(&self) -> io::Result<Box<dyn Read + 's>> {
        match &self.file {
            Some(file) => {
                let mut file = file.try_clone()?;
                file.rewind()?;
                Ok(Box::new(BufReader::new(file)))
            }
            None => Ok(Box::new(io::empty())),
        }
    }

    /// Gives the part its name, under its lock.
    pub(super) fn settle(mut self, path: &Path, force: bool) -> Result<()> {
        let part = mem::take(&mut self.path);
        let folder = part.is_dir();
        let renamed = self.parts.settle(&part, || {
            if !self.is_ours_at(&part) {
                return Err(another_run());
            }
            // What is open cannot be removed there, nor its folder renamed.
            #[cfg(not(unix))]
            drop(self.file.take());
            let renamed = if folder { rename_folder(&part, path, force) } else { rename_file(&part, path, force) };
            if renamed.is_err() {
                remove(&part);
            }
            renamed
        });
        renamed.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::new(ErrorKind::OutputExists { name: path.display().to_string() }),
            _ => unwritable(path, error),
        })
    }

    fn is_ours(&self) -> bool {
        self.is_ours_at(&self.path)
    }

    /// Whether the part at a path is still the one that is locked here: between its creation and its lock another run
    /// may have taken it for a dead one's.
    fn is_ours_at(&self, part: &Path) -> bool {
        let Some(file) = &self.file else { return true };
        let at = if part.is_dir() { lock_of_folder(part) } else { part.to_owned() };
        match (file.metadata(), fs::symlink_metadata(at)) {
            (Ok(held), Ok(found)) => is_same_file(&held, &found),
            _ => false,
        }
    }
}

#[cfg(unix)]
fn is_same_file(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Elsewhere a file that is open cannot be removed, so what is there is what is held.
#[cfg(not(unix))]
fn is_same_file(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}

fn rename_file(part: &Path, path: &Path, force: bool) -> io::Result<()> {
    if force {
        fs::rename(part, path)?;
    } else {
        // Never over a file that has appeared since the run began.
        tempfile::TempPath::try_from_path(part)?.persist_noclobber(path).map_err(|error| error.error)?;
    }
    sync_folder_of(path)
}

fn rename_folder(part: &Path, path: &Path, force: bool) -> io::Result<()> {
    #[cfg(not(unix))]
    fs::remove_file(lock_of_folder(part))?;
    if force && path.exists() {
        check_batches(path)?;
        exchange(part, path)?;
        // The new folder has its name; an old one that will not go stays beside it, and the next run replaces it.
        let _ = remove_batches(part);
    } else if path.exists() {
        return Err(io::ErrorKind::AlreadyExists.into());
    } else {
        fs::rename(part, path)?;
    }
    sync_folder_of(path)
}

/// Swaps two folders in one step, so that a run that is killed leaves one of them under the name, whole.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn exchange(part: &Path, path: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, part, CWD, path, RenameFlags::EXCHANGE)?)
}

/// Elsewhere there is no such step: a run that is killed between the two leaves the old folder as `NAME.old`.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn exchange(part: &Path, path: &Path) -> io::Result<()> {
    let old = beside(path, "old");
    fs::rename(path, &old)?;
    fs::rename(part, path)?;
    fs::rename(old, part)
}

/// Removes a folder of batches, and refuses one that has anything else in it.
fn remove_batches(folder: &Path) -> io::Result<()> {
    check_batches(folder)?;
    for entry in fs::read_dir(folder)? {
        fs::remove_file(entry?.path())?;
    }
    fs::remove_dir(folder)
}

/// Whether a folder holds nothing but what a run puts there.
fn check_batches(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let batch = name.strip_prefix("graph-").and_then(|rest| rest.strip_suffix(".json"));
        let ours = name == MANIFEST
            || name == ".lock"
            || batch.is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()));
        if !ours || !entry.file_type()?.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::DirectoryNotEmpty,
                "it is a folder, and none that seedmill wrote",
            ));
        }
    }
    Ok(())
}

/// Makes a rename durable where the system has a way to.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

/// Removes what a dead run left at `path`, under its lock; refuses what another run holds, and what is none of ours.
pub(super) fn take_over(path: &Path, folder: bool, replaced: &mut Option<PathBuf>) -> io::Result<()> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    let lock = if folder { lock_of_folder(path) } else { path.to_owned() };
    if found.is_symlink() {
        // The link is removed itself, never what it points at.
        fs::remove_file(path)?;
    } else if found.is_dir() == folder && (folder || found.is_file()) {
        // Held until the part is gone, so that of two runs that find it only one removes it.
        let held = match fs::symlink_metadata(&lock) {
            Ok(at) if at.is_file() || at.is_dir() => File::open(&lock).ok(),
            _ => None,
        };
        if let Some(Err(TryLockError::WouldBlock)) = held.as_ref().map(File::try_lock) {
            return Err(another_run());
        }
        if folder { remove_batches(path)? } else { fs::remove_file(path)? }
    } else {
        let shown = path.file_name().unwrap_or_default().to_string_lossy();
        let message = format!("`{}` is in its way, and is nothing that seedmill wrote", escaped_name(&shown));
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    }
    *replaced = Some(path.to_owned());
    Ok(())
}

fn another_run() -> io::Error {
    io::Error::new(io::ErrorKind::ResourceBusy, "another run is writing it")
}

/// Creates a file that was not there, for its owner only.
pub(super) fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).read(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(windows)]
    restrict_to_owner(path)?;
    Ok(file)
}

fn create_folder(path: &Path) -> io::Result<()> {
    #[cfg_attr(windows, expect(unused_mut, reason = "only Unix sets a mode here"))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    #[cfg(windows)]
    restrict_to_owner(path)?;
    Ok(())
}

/// Takes every inherited right away and gives the owner all, with the tool that Windows has for it: the calls
/// behind it would need unsafe code here.
#[cfg(windows)]
fn restrict_to_owner(path: &Path) -> io::Result<()> {
    let status = std::process::Command::new("icacls")
        .arg(path)
        .args(["/inheritance:r", "/grant:r", "*S-1-3-4:F", "/q"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other("icacls could not restrict it to its owner")) }
}

/// Refuses a path that is taken, and a folder that is no output of ours.
pub(super) fn check_free(path: &Path, force: bool) -> Result<()> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    if !force {
        return Err(ErrorKind::OutputExists { name: path.display().to_string() }.into());
    }
    if found.is_dir() {
        let is_ours = path.join(MANIFEST).is_file() && check_batches(path).is_ok();
        if !is_ours {
            let cause = io::Error::new(io::ErrorKind::IsADirectory, "it is a folder, and none that seedmill wrote");
            return Err(unwritable(path, cause));
        }
    }
    Ok(())
}

pub(super) fn unwritable(path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::OutputUnwritable { name: path.display().to_string() }).caused_by(error)
}

/// `NAME.SUFFIX`, in the same folder, so that a rename is one step.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

/// What tells a folder of batches: counts and checksums.
pub(super) const MANIFEST: &str = "manifest.json";
