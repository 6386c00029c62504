//! Items in, in order; one file, a folder of batches, or held bytes out, all or nothing.
//!
//! What is unfinished on disk is a [`Part`]; it gets its name when everything was checked.
//!
//! # Memory
//!
//! One buffer; the whole output where it is held for standard output.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::mem;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Output;
use super::part::{MANIFEST, Part, Parts, beside, check_free, create_new, take_over, unwritable};
use crate::error::{ErrorKind, Result};
use crate::format::Writer;
use crate::limits::{Limit, Limits};
use crate::record::Plain;

/// Where the result goes.
#[derive(Clone, Debug)]
pub enum Destination {
    /// One file, by way of `NAME.part`.
    File {
        /// Its path.
        path: PathBuf,
        /// Whether an existing file is replaced.
        force: bool,
    },
    /// A folder of batches and a manifest, which appears whole by one rename.
    Folder {
        /// Its path.
        path: PathBuf,
        /// Tokens in each file.
        batch_size: u64,
        /// Whether an existing folder of batches is replaced.
        force: bool,
    },
    /// Held in memory for standard output, in [`super::Outcome::held`].
    Held,
}

/// Where items go while the run goes on.
pub(super) struct Sink<'w> {
    writer: &'w Writer,
    store: Store,
    /// Bytes on their way to the store.
    buffer: Plain,
    /// Items in the current file.
    items: u64,
    hasher: Option<Sha256>,
    finished: Vec<Finished>,
    limits: Limits,
    parts: Parts,
}

/// A file of the output that has all its items.
struct Finished {
    tokens: u64,
    sha256: Option<String>,
}

enum Store {
    File { part: Part, path: PathBuf, force: bool },
    Folder { part: Part, current: Option<File>, path: PathBuf, batch_size: u64, force: bool },
    Held { bytes: Plain },
}

/// Bytes that are gathered before they go to the file.
const BUFFER_BYTES: usize = 256 << 10;

/// What the part is written to once more when items are left out of it.
const KEPT: &str = "part.kept";

impl<'w> Sink<'w> {
    /// Opens the destination, so that a bad path fails before the work. Says whether a dead run's part was replaced.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutputExists`] and [`ErrorKind::OutputUnwritable`].
    pub(super) fn open(
        writer: &'w Writer,
        destination: &Destination,
        hash: bool,
        limits: Limits,
        parts: &Parts,
    ) -> Result<(Self, Option<PathBuf>)> {
        let mut replaced = None;
        let store = match destination {
            Destination::Held => Store::Held { bytes: Plain::default() },
            Destination::File { path, force } => {
                check_free(path, *force)?;
                let part =
                    Part::file(&beside(path, "part"), parts, &mut replaced).map_err(|error| unwritable(path, error))?;
                let kept = beside(path, KEPT);
                take_over(&kept, false, &mut replaced).map_err(|error| unwritable(path, error))?;
                Store::File { part, path: path.clone(), force: *force }
            }
            Destination::Folder { path, batch_size, force } => {
                check_free(path, *force)?;
                let part = Part::folder(&beside(path, "part"), parts, &mut replaced)
                    .map_err(|error| unwritable(path, error))?;
                let kept = beside(path, KEPT);
                take_over(&kept, true, &mut replaced).map_err(|error| unwritable(path, error))?;
                Store::Folder { part, current: None, path: path.clone(), batch_size: *batch_size, force: *force }
            }
        };
        let folder = matches!(store, Store::Folder { .. });
        let mut sink = Self {
            writer,
            store,
            buffer: Plain::with_capacity(BUFFER_BYTES + (64 << 10)),
            items: 0,
            hasher: (hash || folder).then(Sha256::new),
            finished: Vec::new(),
            limits,
            parts: parts.clone(),
        };
        if !folder {
            sink.writer.head(&mut sink.buffer);
        }
        Ok((sink, replaced))
    }

    /// Appends one token's item.
    pub(super) fn item(&mut self, item: &[u8]) -> Result<()> {
        if let Store::Folder { batch_size, current, .. } = &self.store {
            if current.is_some() && self.items == *batch_size {
                self.end_file()?;
            }
            self.begin_batch()?;
        }
        self.items += 1;
        self.writer.before(self.items, &mut self.buffer);
        self.buffer.extend(item);
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    /// Starts the next file of a folder, unless one is open.
    fn begin_batch(&mut self) -> Result<()> {
        let number = self.finished.len() + 1;
        if let Store::Folder { part, current, path, .. } = &mut self.store
            && current.is_none()
        {
            let name = part.path.join(batch_name(number));
            *current = Some(create_new(&name).map_err(|error| unwritable(path, error))?);
            self.items = 0;
            self.writer.head(&mut self.buffer);
        }
        Ok(())
    }

    /// Hands the buffer on.
    fn flush(&mut self) -> Result<()> {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&*self.buffer);
        }
        let written = match &mut self.store {
            Store::Held { bytes } => {
                let (limit, allowed) = (Limit::HeldBytes, self.limits.held_bytes);
                if (bytes.len() + self.buffer.len()) as u64 > allowed {
                    return Err(ErrorKind::LimitReached { limit, allowed, found: None }.into());
                }
                bytes.extend(&self.buffer);
                Ok(())
            }
            Store::File { part, path, .. } => write_all(part.file.as_mut(), &self.buffer, path),
            Store::Folder { current, path, .. } => write_all(current.as_mut(), &self.buffer, path),
        };
        self.buffer.clear();
        written
    }

    /// Writes what stands behind the last item, and makes the file's bytes durable.
    fn end_file(&mut self) -> Result<()> {
        self.writer.tail(&mut self.buffer);
        self.flush()?;
        let sha256 = self.hasher.as_mut().map(|hasher| data_encoding::HEXLOWER.encode(&mem::take(hasher).finalize()));
        self.finished.push(Finished { tokens: self.items, sha256 });
        let (file, path) = match &mut self.store {
            Store::Held { .. } => return Ok(()),
            Store::File { part, path, .. } => (part.file.as_ref(), path),
            Store::Folder { current, path, .. } => {
                // The handle must be closed before its folder can be renamed on Windows.
                let file = current.take();
                return file.map_or(Ok(()), |file| file.sync_data().map_err(|error| unwritable(path, error)));
            }
        };
        file.map_or(Ok(()), |file| file.sync_data().map_err(|error| unwritable(path, error)))
    }

    /// Leaves out items that turned out bad after they were written: everything is written once more without them.
    ///
    /// `items` gives, for each item in order, its length and whether it stays.
    pub(super) fn keep(mut self, items: impl Iterator<Item = (u32, bool)>) -> Result<Self> {
        self.flush()?;
        let mut kept = Self {
            writer: self.writer,
            store: match &self.store {
                Store::Held { .. } => Store::Held { bytes: Plain::default() },
                Store::File { path, force, .. } => {
                    let part = Part::file(&beside(path, KEPT), &self.parts, &mut None)
                        .map_err(|error| unwritable(path, error))?;
                    Store::File { part, path: path.clone(), force: *force }
                }
                Store::Folder { path, batch_size, force, .. } => {
                    let part = Part::folder(&beside(path, KEPT), &self.parts, &mut None)
                        .map_err(|error| unwritable(path, error))?;
                    let (path, batch_size, force) = (path.clone(), *batch_size, *force);
                    Store::Folder { part, current: None, path, batch_size, force }
                }
            },
            buffer: Plain::with_capacity(BUFFER_BYTES + (64 << 10)),
            items: 0,
            hasher: self.hasher.as_ref().map(|_| Sha256::new()),
            finished: Vec::new(),
            limits: self.limits,
            parts: self.parts.clone(),
        };
        if !matches!(kept.store, Store::Folder { .. }) {
            kept.writer.head(&mut kept.buffer);
        }
        let mut written = Written::of(&self);
        for (length, stays) in items {
            let item = written.next(length as usize)?;
            if stays {
                kept.item(item)?;
            }
        }
        Ok(kept)
    }

    /// Ends the output and gives it its name; answers what was written, and the bytes that were held.
    pub(super) fn finish(mut self) -> Result<(Vec<Output>, Option<Plain>)> {
        if let Store::Folder { current: None, .. } = &self.store {
            // No file is open: nothing was written at all, which the caller has ruled out.
        } else {
            self.end_file()?;
        }
        let format = self.writer.format();
        let output = |path: PathBuf, finished: Finished| Output {
            path,
            format,
            tokens: finished.tokens,
            sha256: finished.sha256,
        };
        let finished = mem::take(&mut self.finished);
        match self.store {
            Store::Held { bytes } => {
                Ok((finished.into_iter().map(|file| output("-".into(), file)).collect(), Some(bytes)))
            }
            Store::File { part, path, force } => {
                part.settle(&path, force)?;
                Ok((finished.into_iter().map(|file| output(path.clone(), file)).collect(), None))
            }
            Store::Folder { part, path, force, .. } => {
                write_manifest(&part.path, format.id(), &finished).map_err(|error| unwritable(&path, error))?;
                part.settle(&path, force)?;
                let outputs = finished.into_iter().enumerate();
                Ok((outputs.map(|(index, file)| output(path.join(batch_name(index + 1)), file)).collect(), None))
            }
        }
    }
}

fn write_all(file: Option<&mut File>, bytes: &[u8], path: &Path) -> Result<()> {
    match file {
        Some(file) => file.write_all(bytes).map_err(|error| unwritable(path, error)),
        None => Err(ErrorKind::Bug { detail: "output without an open file".to_owned() }.into()),
    }
}

fn batch_name(number: usize) -> String {
    format!("graph-{number:04}.json")
}

#[derive(Serialize)]
struct Manifest<'f> {
    seedmill: &'static str,
    format: &'static str,
    tokens: u64,
    files: Vec<ManifestFile<'f>>,
}

#[derive(Serialize)]
struct ManifestFile<'f> {
    name: String,
    tokens: u64,
    sha256: Option<&'f str>,
}

fn write_manifest(folder: &Path, format: &'static str, finished: &[Finished]) -> io::Result<()> {
    let manifest = Manifest {
        seedmill: env!("CARGO_PKG_VERSION"),
        format,
        tokens: finished.iter().map(|file| file.tokens).sum(),
        files: finished
            .iter()
            .enumerate()
            .map(|(index, file)| ManifestFile {
                name: batch_name(index + 1),
                tokens: file.tokens,
                sha256: file.sha256.as_deref(),
            })
            .collect(),
    };
    let mut file = create_new(&folder.join(MANIFEST))?;
    serde_json::to_writer_pretty(&mut file, &manifest)?;
    file.write_all(b"\n")?;
    file.sync_data()
}

/// What a sink has written, item by item.
struct Written<'s> {
    writer: &'s Writer,
    files: Box<dyn Iterator<Item = io::Result<Box<dyn Read + 's>>> + 's>,
    batch_size: Option<u64>,
    current: Option<Box<dyn Read + 's>>,
    items: u64,
    item: Plain,
    path: PathBuf,
}

impl<'s> Written<'s> {
    fn of(sink: &'s Sink<'_>) -> Self {
        let (files, batch_size, path): (Box<dyn Iterator<Item = _> + 's>, _, _) = match &sink.store {
            Store::Held { bytes } => {
                let bytes: &[u8] = bytes;
                (Box::new(std::iter::once(Ok(Box::new(bytes) as Box<dyn Read>))), None, PathBuf::from("-"))
            }
            Store::File { part, path, .. } => (Box::new(std::iter::once_with(|| part.read_back())), None, path.clone()),
            Store::Folder { part, path, batch_size, .. } => {
                let files = (1..).map(|number| open_batch(&part.path.join(batch_name(number))));
                (Box::new(files), Some(*batch_size), path.clone())
            }
        };
        let (current, items, item) = (None, 0, Plain::default());
        Self { writer: sink.writer, files, batch_size, current, items, item, path }
    }

    /// The next item, whose length is known.
    fn next(&mut self, length: usize) -> Result<&[u8]> {
        let mut skipped = Plain::default();
        if self.current.is_none() || self.batch_size == Some(self.items) {
            self.current = self.files.next().transpose().map_err(|error| unwritable(&self.path, error))?;
            self.items = 0;
            self.writer.head(&mut skipped);
        }
        self.items += 1;
        self.writer.before(self.items, &mut skipped);
        let skip = skipped.len();
        self.item.clear();
        let wanted = skip + length;
        let read = match &mut self.current {
            Some(file) => self.item.fill_from(file, wanted).map_err(|error| unwritable(&self.path, error))?,
            None => 0,
        };
        if read == wanted && self.item[..skip] == *skipped {
            Ok(&self.item[skip..])
        } else {
            let cause = io::Error::other("it has changed while it was written");
            Err(unwritable(&self.path, cause))
        }
    }
}

fn open_batch<'s>(path: &Path) -> io::Result<Box<dyn Read + 's>> {
    Ok(Box::new(BufReader::new(File::open(path)?)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("a temporary folder"))
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn names(&self) -> Vec<String> {
            let mut names: Vec<String> = fs::read_dir(self.0.path())
                .expect("the folder")
                .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
                .collect();
            names.sort();
            names
        }
    }

    fn sink<'w>(writer: &'w Writer, destination: &Destination) -> Result<(Sink<'w>, Option<PathBuf>)> {
        Sink::open(writer, destination, false, Limits::default(), &Parts::default())
    }

    fn file(folder: &Folder, force: bool) -> Destination {
        Destination::File { path: folder.path("out.jsonl"), force }
    }

    #[test]
    fn a_file_appears_whole_and_only_at_the_end() {
        let folder = Folder::new();
        let (mut sink, _) = sink(&Writer::Jsonl, &file(&folder, false)).expect("a free path");
        sink.item(b"one\n").expect("disk");
        assert_eq!(folder.names(), ["out.jsonl.part"]);
        sink.finish().expect("disk");
        assert_eq!(folder.names(), ["out.jsonl"]);
        assert_eq!(fs::read(folder.path("out.jsonl")).expect("the file"), b"one\n");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new();
        let mode = |name: &str| fs::metadata(folder.path(name)).expect("it is there").permissions().mode() & 0o777;
        let (mut one, _) = sink(&Writer::Jsonl, &file(&folder, false)).expect("a free path");
        assert_eq!(mode("out.jsonl.part"), 0o600);
        one.item(b"one\n").expect("disk");
        one.finish().expect("disk");
        assert_eq!(mode("out.jsonl"), 0o600);
        let batches = Destination::Folder { path: folder.path("batches"), batch_size: 1, force: false };
        let (mut many, _) = sink(&Writer::Graph, &batches).expect("a free path");
        assert_eq!(mode("batches.part"), 0o700);
        many.item(b"{}").expect("disk");
        many.finish().expect("disk");
        assert_eq!(mode("batches/graph-0001.json"), 0o600);
        assert_eq!(mode("batches/manifest.json"), 0o600);
    }

    #[test]
    fn a_dropped_sink_leaves_nothing() {
        let folder = Folder::new();
        let (mut sink, _) = sink(&Writer::Jsonl, &file(&folder, false)).expect("a free path");
        sink.item(b"one\n").expect("disk");
        drop(sink);
        assert!(folder.names().is_empty());
    }

    #[test]
    fn an_existing_file_is_replaced_by_force_only() {
        let folder = Folder::new();
        fs::write(folder.path("out.jsonl"), "old").expect("disk");
        let error = sink(&Writer::Jsonl, &file(&folder, false)).err().expect("it exists");
        assert!(matches!(error.kind(), ErrorKind::OutputExists { .. }));
        let (mut forced, _) = sink(&Writer::Jsonl, &file(&folder, true)).expect("force");
        forced.item(b"new\n").expect("disk");
        assert_eq!(fs::read(folder.path("out.jsonl")).expect("the file"), b"old");
        forced.finish().expect("disk");
        assert_eq!(fs::read(folder.path("out.jsonl")).expect("the file"), b"new\n");
    }

    #[test]
    fn an_existing_folder_of_batches_is_replaced_by_force_whatever_lies_beside_it() {
        let folder = Folder::new();
        let destination = |force| Destination::Folder { path: folder.path("batches"), batch_size: 1, force };
        let write = |force, items: &[&str]| {
            let (mut sink, _) = sink(&Writer::Graph, &destination(force)).expect("a folder");
            for item in items {
                sink.item(item.as_bytes()).expect("disk");
            }
            sink.finish().map(drop)
        };
        write(false, &["{\"a\":1}", "{\"b\":2}"]).expect("it is free");
        fs::create_dir(folder.path("batches.old")).expect("disk");
        fs::write(folder.path("batches.old/theirs"), "theirs").expect("disk");
        write(true, &["{\"c\":3}"]).expect("force");
        let batch = fs::read_to_string(folder.path("batches/graph-0001.json")).expect("the new batch");
        assert!(batch.contains("\"c\":3"), "{batch}");
        assert!(!folder.path("batches/graph-0002.json").exists(), "nothing of the old folder is left");
        assert_eq!(folder.names(), ["batches", "batches.old"]);
    }

    #[test]
    fn a_file_that_appears_during_the_run_is_not_overwritten() {
        let folder = Folder::new();
        let (mut sink, _) = sink(&Writer::Jsonl, &file(&folder, false)).expect("a free path");
        sink.item(b"one\n").expect("disk");
        fs::write(folder.path("out.jsonl"), "theirs").expect("disk");
        let error = sink.finish().map(drop).expect_err("it exists now");
        assert!(matches!(error.kind(), ErrorKind::OutputExists { .. }), "{error:?}");
        assert_eq!(fs::read(folder.path("out.jsonl")).expect("the file"), b"theirs");
        assert_eq!(folder.names(), ["out.jsonl"]);
    }

    #[test]
    fn a_dead_runs_part_is_replaced_and_a_live_ones_is_not() {
        let folder = Folder::new();
        fs::write(folder.path("out.jsonl.part"), "left").expect("disk");
        let (live, replaced) = sink(&Writer::Jsonl, &file(&folder, false)).expect("a dead part");
        assert_eq!(replaced, Some(folder.path("out.jsonl.part")));
        let error = sink(&Writer::Jsonl, &file(&folder, false)).err().expect("a live part");
        assert!(matches!(error.kind(), ErrorKind::OutputUnwritable { .. }), "{error:?}");
        drop(live);
        // One that died while it left items out.
        fs::write(folder.path("out.jsonl.part.kept"), "left").expect("disk");
        let (live, replaced) = sink(&Writer::Jsonl, &file(&folder, false)).expect("a dead part");
        assert_eq!(replaced, Some(folder.path("out.jsonl.part.kept")));
        drop(live);
        assert!(folder.names().is_empty());
    }

    #[test]
    fn what_is_no_part_of_ours_is_never_removed() {
        let folder = Folder::new();
        fs::create_dir_all(folder.path("out.jsonl.part/precious")).expect("disk");
        let error = sink(&Writer::Jsonl, &file(&folder, false)).err().expect("a folder is in the way");
        assert!(matches!(error.kind(), ErrorKind::OutputUnwritable { .. }), "{error:?}");
        let batches = |force| Destination::Folder { path: folder.path("theirs"), batch_size: 1, force };
        fs::create_dir_all(folder.path("theirs.part")).expect("disk");
        fs::write(folder.path("theirs.part/letter.txt"), "precious").expect("disk");
        assert!(sink(&Writer::Graph, &batches(false)).is_err());
        fs::remove_dir_all(folder.path("theirs.part")).expect("disk");
        fs::create_dir_all(folder.path("theirs/src")).expect("disk");
        fs::write(folder.path("theirs/manifest.json"), "{}").expect("disk");
        assert!(sink(&Writer::Graph, &batches(true)).is_err());
        assert!(folder.path("theirs/src").exists() && folder.path("out.jsonl.part/precious").exists());
    }

    #[test]
    fn a_folder_of_ours_is_replaced_whole_by_force() {
        let folder = Folder::new();
        let batches = |force| Destination::Folder { path: folder.path("batches"), batch_size: 1, force };
        for (force, names) in [(false, &["a", "b"][..]), (true, &["c"])] {
            let (mut sink, _) = sink(&Writer::Graph, &batches(force)).expect("a free path, or force");
            for name in names {
                sink.item(format!("\"serialNumber\":\"{name}\"}}").as_bytes()).expect("disk");
            }
            sink.finish().expect("disk");
        }
        assert_eq!(folder.names(), ["batches"]);
        assert!(fs::read_to_string(folder.path("batches/graph-0001.json")).expect("a batch").contains("\"c\""));
        assert!(!folder.path("batches/graph-0002.json").exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_part_that_another_run_has_replaced_is_not_given_the_name() {
        let folder = Folder::new();
        let (mut sink, _) = sink(&Writer::Jsonl, &file(&folder, false)).expect("a free path");
        sink.item(b"ours\n").expect("disk");
        fs::remove_file(folder.path("out.jsonl.part")).expect("disk");
        fs::write(folder.path("out.jsonl.part"), "theirs").expect("disk");
        assert!(sink.finish().is_err());
        assert_eq!(folder.names(), ["out.jsonl.part"]);
        assert_eq!(fs::read(folder.path("out.jsonl.part")).expect("their part"), b"theirs");
    }

    #[cfg(unix)]
    #[test]
    fn a_part_is_never_written_through_a_link() {
        let folder = Folder::new();
        fs::write(folder.path("victim"), "precious").expect("disk");
        std::os::unix::fs::symlink(folder.path("victim"), folder.path("out.jsonl.part")).expect("disk");
        let (mut sink, _) = sink(&Writer::Jsonl, &file(&folder, false)).expect("the link goes");
        sink.item(b"one\n").expect("disk");
        sink.finish().expect("disk");
        assert_eq!(fs::read(folder.path("victim")).expect("the file"), b"precious");
    }

    #[test]
    fn batches_are_full_also_after_some_tokens_were_left_out() {
        let folder = Folder::new();
        let destination = Destination::Folder { path: folder.path("batches"), batch_size: 2, force: false };
        let (mut sink, _) = sink(&Writer::Graph, &destination).expect("a free path");
        for name in ["a", "b", "c", "d", "e"] {
            sink.item(format!("\"serialNumber\":\"{name}\"}}").as_bytes()).expect("disk");
        }
        let items = [true, false, true, true, true].map(|stays| (19, stays));
        let (outputs, _) = sink.keep(items.into_iter()).expect("disk").finish().expect("disk");
        assert_eq!(outputs.iter().map(|output| output.tokens).collect::<Vec<_>>(), [2, 2]);
        let first: serde_json::Value =
            serde_json::from_slice(&fs::read(folder.path("batches/graph-0001.json")).expect("a batch")).expect("JSON");
        assert_eq!(first["value"][1]["serialNumber"], "c");
        assert_eq!(first["value"][1]["@contentId"], "2");
        let manifest: serde_json::Value =
            serde_json::from_slice(&fs::read(folder.path("batches/manifest.json")).expect("a manifest")).expect("JSON");
        assert_eq!(manifest["tokens"], 4);
        assert_eq!(manifest["files"][1]["name"], "graph-0002.json");
        assert_eq!(folder.names(), ["batches"]);
    }

    #[test]
    fn a_file_and_held_bytes_are_written_again_without_what_is_left_out() {
        let folder = Folder::new();
        for destination in [file(&folder, false), Destination::Held] {
            let (mut sink, _) = sink(&Writer::Graph, &destination).expect("a free path");
            for name in ["a", "b", "c"] {
                sink.item(format!("{{\"n\":\"{name}\"}}").as_bytes()).expect("disk");
            }
            let items = [true, false, true].map(|stays| (9, stays));
            let (outputs, held) = sink.keep(items.into_iter()).expect("disk").finish().expect("disk");
            assert_eq!(outputs[0].tokens, 2);
            let text = held.map_or_else(|| fs::read(folder.path("out.jsonl")).expect("the file"), |held| held.to_vec());
            let text = String::from_utf8(text).expect("UTF-8");
            assert!(text.contains("\"a\"") && text.contains("\"c\"") && !text.contains("\"b\""), "{text}");
        }
        assert_eq!(folder.names(), ["out.jsonl"]);
    }

    #[test]
    fn held_bytes_stay_under_their_limit() {
        let limits = Limits { held_bytes: 8, ..Limits::default() };
        let (mut sink, _) =
            Sink::open(&Writer::Jsonl, &Destination::Held, false, limits, &Parts::default()).expect("memory");
        sink.item(b"0123456789\n").expect("buffered");
        let error = sink.finish().map(drop).expect_err("too much");
        assert!(matches!(error.kind(), ErrorKind::LimitReached { limit: Limit::HeldBytes, .. }));
    }
}
