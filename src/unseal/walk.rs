//! Inputs in, members out: goes through files, folders and layers, and shows what said [`Visit::Later`] again.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use super::meter::{Gauge, Meter, Outermost, drain, hold};
use super::pgp_keys::Certificates;
use super::sniff::{Kind, SNIFF_BYTES, sniff};
use super::tail::Tail;
use super::zip_names::{left_by_a_system, says_openpgp, without_layer_ending};
use super::{Input, Layer, Visit, Visitor, gzip, pgp};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{Limit, Limits};
use crate::record::{Code, Keyring, Plain, Trail};

/// One walk through all inputs.
pub(super) struct Walk<'w> {
    pub(super) keyring: &'w mut Keyring,
    pub(super) limits: &'w Limits,
    pub(super) visitor: &'w mut dyn Visitor,
    progress: &'w AtomicU64,
    signers: Certificates,
    members: u64,
    /// Bytes of inner containers in memory now.
    held_bytes: u64,
    /// Members shown inside a signed layer that is not read to its end, or that none of the signers signed; with
    /// who did.
    unsigned: Vec<(Trail, Option<String>)>,
    /// Members to show again, of files that can be opened again.
    later: Vec<Trail>,
    /// Members to show again, of streams.
    later_held: Vec<(Trail, Plain)>,
    /// On the second walk, what is shown.
    again: Option<BTreeSet<Vec<String>>>,
}

/// Where the walk stands.
#[derive(Clone)]
pub(super) struct At<'g> {
    pub(super) trail: Trail,
    pub(super) gauge: &'g Gauge<'g>,
    /// Layers around this.
    pub(super) layers: u64,
    /// Signed OpenPGP layers around this.
    pub(super) signed_layers: u64,
    /// Whether the outermost file can be opened again.
    pub(super) reopens: bool,
}

/// What the second showing needs of an input.
enum Again {
    Path(PathBuf, Vec<Trail>),
    Held(Vec<(Trail, Plain)>),
}

impl<'w> Walk<'w> {
    pub(super) fn new(
        keyring: &'w mut Keyring,
        limits: &'w Limits,
        progress: &'w AtomicU64,
        visitor: &'w mut dyn Visitor,
    ) -> Result<Self> {
        let signers = Certificates::read(&keyring.signers)?;
        Ok(Self {
            keyring,
            limits,
            visitor,
            progress,
            signers,
            members: 0,
            held_bytes: 0,
            unsigned: Vec::new(),
            later: Vec::new(),
            later_held: Vec::new(),
            again: None,
        })
    }

    pub(super) fn run(mut self, inputs: Vec<Input>) -> Result<()> {
        let mut again = Vec::new();
        for input in inputs {
            match input {
                Input::Path(path) => {
                    self.path(&path)?;
                    again.push(Again::Path(path, std::mem::take(&mut self.later)));
                }
                Input::Stream(source, name) => {
                    self.stream(source, &name)?;
                    again.push(Again::Held(std::mem::take(&mut self.later_held)));
                }
            }
            // A path may name a pipe, whose members are held too.
            again.push(Again::Held(std::mem::take(&mut self.later_held)));
        }
        for input in again {
            self.show_again(input)?;
        }
        match self.unsigned.into_iter().next() {
            None => Ok(()),
            Some((trail, None)) => Err(Error::new(ErrorKind::SignatureMissing).at(trail.whole())),
            Some((trail, Some(by))) => {
                let detail = format!("it was made by {by}, which is none of the given certificates");
                Err(Error::new(ErrorKind::SignatureBad { detail }).at(trail.whole()))
            }
        }
    }

    fn show_again(&mut self, input: Again) -> Result<()> {
        match input {
            Again::Path(_, trails) if trails.is_empty() => Ok(()),
            Again::Path(path, trails) => {
                self.again = Some(trails.iter().map(|trail| trail.steps().to_vec()).collect());
                self.members = 0;
                let result = self.path(&path);
                self.again = None;
                self.later.clear();
                result
            }
            Again::Held(held) => {
                for (trail, content) in held {
                    self.visitor.member(&trail, &mut &content[..], self.keyring)?;
                }
                Ok(())
            }
        }
    }

    /// Whether something is on the way to a member of this walk: all is on the first.
    pub(super) fn concerns(&self, trail: &Trail) -> bool {
        let steps = trail.steps();
        self.again.as_ref().is_none_or(|again| again.iter().any(|shown| shown.starts_with(steps)))
    }

    fn path(&mut self, path: &Path) -> Result<()> {
        let name = path.to_string_lossy().into_owned();
        let trail = Trail::new(name.clone());
        let metadata = fs::metadata(path).map_err(|error| cannot_open(error, &trail))?;
        if metadata.is_dir() {
            let members = self.members;
            self.folder(path, &trail, "")?;
            if members == self.members && self.again.is_none() {
                return Err(Error::new(ErrorKind::NothingToRead).at(trail.whole()));
            }
            return Ok(());
        }
        if metadata.is_file() {
            return self.file(path, &trail);
        }
        let source = File::open(path).map_err(|error| cannot_open(error, &trail))?;
        self.stream(Box::new(source), &name)
    }

    fn folder(&mut self, path: &Path, trail: &Trail, prefix: &str) -> Result<()> {
        let names = || -> io::Result<Vec<_>> {
            let mut names = fs::read_dir(path)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
            names.sort();
            Ok(names)
        };
        let names = names().map_err(|error| cannot_open(error, trail))?;
        if names.is_empty() && !prefix.is_empty() {
            self.skip_at(&trail.join(prefix), "an empty folder");
        }
        for name in names {
            let inner = path.join(&name);
            let shown = match prefix {
                "" => name.to_string_lossy().into_owned(),
                prefix => format!("{prefix}/{}", name.to_string_lossy()),
            };
            let inside = trail.join(&shown);
            let metadata = fs::symlink_metadata(&inner).map_err(|error| cannot_open(error, &inside))?;
            if metadata.is_dir() {
                self.folder(&inner, trail, &shown)?;
            } else if !self.concerns(&inside) {
            } else if metadata.is_symlink() {
                self.skip_at(&inside, "a link, which is not followed");
            } else if !metadata.is_file() {
                self.skip_at(&inside, "no file");
            } else if let Some(what) = left_by_a_system(&shown) {
                self.skip_at(&inside, what);
            } else {
                self.file(&inner, &inside)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, trail: &Trail) -> Result<()> {
        let mut file = File::open(path).map_err(|error| cannot_open(error, trail))?;
        let size = file.metadata().map_err(|error| cannot_open(error, trail))?.len();
        let mut head = Plain::default();
        head.fill_from(&mut file, SNIFF_BYTES).map_err(|error| cannot_open(error, trail))?;
        file.seek(SeekFrom::Start(0)).map_err(|error| cannot_open(error, trail))?;
        let (progress, unseen) = (self.progress, AtomicU64::new(0));
        let gauge = Gauge::new(self.limits, if self.again.is_none() { progress } else { &unseen }, Some(size));
        let at = At { trail: trail.clone(), gauge: &gauge, layers: 0, signed_layers: 0, reopens: true };
        self.count_member(&at)?;
        let mut source = Outermost::new(file, &gauge, trail);
        let result = if !self.visitor.enters(trail) {
            Ok(())
        } else if sniff(&head) == Kind::Zip {
            self.deeper(&at).and_then(|()| self.zip(&at, &mut source))
        } else {
            self.content(&at, &mut source)
        };
        gauge.finish();
        settled(result, &gauge)
    }

    fn stream(&mut self, source: Box<dyn Read + Send>, name: &str) -> Result<()> {
        let trail = Trail::new(name);
        let gauge = Gauge::new(self.limits, self.progress, None);
        let at = At { trail: trail.clone(), gauge: &gauge, layers: 0, signed_layers: 0, reopens: false };
        self.count_member(&at)?;
        if !self.visitor.enters(&trail) {
            return Ok(());
        }
        let result = self.content(&at, &mut Outermost::new(source, &gauge, &trail));
        settled(result, &gauge)
    }

    /// Looks at what a stream is, and peels it or shows it.
    pub(super) fn content(&mut self, at: &At<'_>, source: &mut (dyn Read + Send)) -> Result<()> {
        let mut head = Plain::default();
        head.fill_from(source, SNIFF_BYTES).map_err(|error| at.gauge.explain(error, &at.trail))?;
        let mut whole = Cursor::new(&head[..]).chain(source);
        match sniff(&head) {
            Kind::Empty => self.empty(at),
            Kind::Gzip => self.gzip(at, &mut whole),
            Kind::NotSeeds(what) => {
                self.skip(at, what);
                Ok(())
            }
            Kind::OpenPgp { skip } => {
                self.openpgp(at, &mut after(&head, skip, whole.into_inner().1), pgp::Shape::Message)
            }
            Kind::OpenPgpClear { skip } => {
                self.openpgp(at, &mut after(&head, skip, whole.into_inner().1), pgp::Shape::ClearSigned)
            }
            Kind::OpenPgpDetached => {
                self.detached(at);
                Ok(())
            }
            Kind::Plain => self.plain(at, &mut whole),
            Kind::Unopened(layer) => {
                let detail = "this program does not open such".to_owned();
                Err(Error::new(ErrorKind::ContainerUnsupported { layer, detail }).at(at.trail.whole()))
            }
            Kind::Zip => {
                self.deeper(at)?;
                let mut held = Plain::default();
                self.hold(at, &mut held, &mut whole)?;
                self.held_bytes += held.len() as u64;
                let result = self.zip(at, &mut Cursor::new(&held[..]));
                self.held_bytes -= held.len() as u64;
                result
            }
        }
    }

    fn gzip(&mut self, at: &At<'_>, source: &mut (dyn Read + Send)) -> Result<()> {
        self.deeper(at)?;
        self.say_layer(at, Layer::Gzip, "not encrypted");
        let inside = at.inside();
        let mut content = Meter::new(gzip::open(source), at.gauge, &at.trail, gzip::damaged);
        self.content(&inside, &mut content)?;
        drain(&mut content).map_err(|error| at.gauge.explain(error, &at.trail))
    }

    fn openpgp(&mut self, at: &At<'_>, source: &mut (dyn Read + Send), shape: pgp::Shape) -> Result<()> {
        self.deeper(at)?;
        let room = self.limits.held_bytes.saturating_sub(self.held_bytes);
        let mut source = Tail::new(source);
        let opened = pgp::open(&mut source, shape, &at.trail, self.keyring, &self.signers, (room, self.limits));
        let opened = opened.map_err(|error| at.gauge.failure().unwrap_or(error).at(at.trail.whole()))?;
        self.say_layer(at, Layer::OpenPgp, &opened.detail());
        if opened.is_signed() && self.signers.is_empty() && self.again.is_none() {
            let message = format!("signed by {}, and no certificate was given to check it with", opened.issuers());
            self.visitor.finding(&at.trail, Code::SignatureUnchecked, message);
        }
        let inside = At { signed_layers: at.signed_layers + u64::from(opened.is_signed()), ..at.inside() };
        let mark = self.unsigned.len();
        let verdict = opened.verdict.clone();
        let issuers = opened.issuers();
        let held_bytes = opened.held_bytes();
        self.held_bytes += held_bytes;
        let mut content = Meter::new(opened, at.gauge, &at.trail, pgp::damaged);
        let result = self.content(&inside, &mut content);
        self.held_bytes -= held_bytes;
        result?;
        drain(&mut content).map_err(|error| at.gauge.explain(error, &at.trail))?;
        drop(content);
        drain(&mut source).map_err(|error| at.gauge.explain(error, &at.trail))?;
        if source.is_followed() {
            return Err(pgp::followed().at(at.trail.whole()));
        }
        match verdict.settled() {
            pgp::Verdict::Good => self.unsigned.truncate(mark),
            pgp::Verdict::Bad(detail) => {
                return Err(Error::new(ErrorKind::SignatureBad { detail }).at(at.trail.whole()));
            }
            pgp::Verdict::Stranger => {
                self.unsigned[mark..].iter_mut().for_each(|(_, by)| *by = Some(issuers.clone()));
            }
            pgp::Verdict::Unsigned => {}
        }
        Ok(())
    }

    /// Shows a plain member, and reads it to its end.
    fn plain(&mut self, at: &At<'_>, source: &mut (dyn Read + Send)) -> Result<()> {
        if !self.concerns(&at.trail) || !self.visitor.wants(&at.trail) {
            return Ok(());
        }
        if !self.signers.is_empty() {
            if at.signed_layers == 0 {
                return Err(Error::new(ErrorKind::SignatureMissing).at(at.trail.whole()));
            }
            self.unsigned.push((at.trail.clone(), None));
        }
        // What comes out of a layer is metered there.
        let mut outermost;
        let source: &mut (dyn Read + Send) = if at.layers == 0 {
            outermost = Meter::new(source, at.gauge, &at.trail, |error| Error::reading(error, "the member"));
            &mut outermost
        } else {
            source
        };
        let mut recorder = Recorder { source, kept: (!at.reopens).then(Plain::default) };
        let visited = self.visitor.member(&at.trail, &mut recorder, self.keyring);
        if let Some(failure) = at.gauge.failure() {
            return Err(failure);
        }
        let kept = recorder.kept.take();
        match visited? {
            Visit::Later if self.again.is_none() => self.note_later(at, kept, recorder.source)?,
            Visit::Done | Visit::Later => {}
        }
        drain(recorder.source).map_err(|error| at.gauge.explain(error, &at.trail))
    }

    fn note_later(&mut self, at: &At<'_>, kept: Option<Plain>, rest: &mut (dyn Read + Send)) -> Result<()> {
        if at.reopens {
            self.later.push(at.trail.clone());
            return Ok(());
        }
        let Some(mut held) = kept else {
            let error =
                ErrorKind::LimitReached { limit: Limit::HeldBytes, allowed: RECORDED_BYTES as u64, found: None };
            return Err(Error::new(error).at(at.trail.whole()));
        };
        self.hold(at, &mut held, rest)?;
        self.held_bytes += held.len() as u64;
        self.later_held.push((at.trail.clone(), held));
        Ok(())
    }

    fn hold(&self, at: &At<'_>, held: &mut Plain, source: &mut (dyn Read + Send)) -> Result<()> {
        let room = self.limits.held_bytes.saturating_sub(self.held_bytes);
        hold(held, source, room, self.limits).map_err(|error| at.gauge.explain(error, &at.trail))
    }

    fn empty(&mut self, at: &At<'_>) -> Result<()> {
        if !self.concerns(&at.trail) || !self.visitor.wants(&at.trail) {
            return Ok(());
        }
        let kind = if says_openpgp(at.trail.name()) { ErrorKind::EmptyOpenPgp } else { ErrorKind::EmptyFile };
        Err(Error::new(kind).at(at.trail.whole()))
    }

    fn detached(&mut self, at: &At<'_>) {
        if self.again.is_some() || !self.visitor.wants(&at.trail) {
            return;
        }
        if self.signers.is_empty() {
            let message = "a detached OpenPGP signature, which is not checked".to_owned();
            self.visitor.finding(&at.trail, Code::SignatureUnchecked, message);
        } else {
            self.skip(at, "a detached OpenPGP signature");
        }
    }

    /// Refuses one layer too many.
    fn deeper(&self, at: &At<'_>) -> Result<()> {
        let (limit, allowed) = (Limit::Layers, self.limits.layers);
        if at.layers < allowed {
            return Ok(());
        }
        Err(Error::new(ErrorKind::LimitReached { limit, allowed, found: None }).at(at.trail.whole()))
    }

    /// Refuses one member too many.
    pub(super) fn count_member(&mut self, at: &At<'_>) -> Result<()> {
        self.members += 1;
        let (limit, allowed) = (Limit::Members, self.limits.members);
        if self.members <= allowed {
            return Ok(());
        }
        Err(Error::new(ErrorKind::LimitReached { limit, allowed, found: None }).at(at.trail.whole()))
    }

    pub(super) fn say_layer(&mut self, at: &At<'_>, layer: Layer, detail: &str) {
        if self.again.is_none() {
            self.visitor.layer(&at.trail, layer, detail);
        }
    }

    pub(super) fn skip(&mut self, at: &At<'_>, what: &str) {
        self.skip_at(&at.trail, what);
    }

    fn skip_at(&mut self, trail: &Trail, what: &str) {
        if self.again.is_none() && self.visitor.wants(trail) {
            self.visitor.finding(trail, Code::MemberSkipped, format!("skipped: it is {what}"));
        }
    }
}

impl At<'_> {
    /// One layer deeper: what the packer's ending was added to, is inside.
    fn inside(&self) -> Self {
        let name = without_layer_ending(self.trail.name());
        let trail = name.map_or_else(|| self.trail.clone(), |name| self.trail.join(last_step(name)));
        Self { trail, layers: self.layers + 1, ..self.clone() }
    }
}

/// A file's own name, without the folders before it.
fn last_step(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// What stays of a thing behind its first `skip` bytes.
fn after<'a>(
    head: &'a [u8],
    skip: usize,
    rest: &'a mut (dyn Read + Send),
) -> io::Chain<&'a [u8], &'a mut (dyn Read + Send)> {
    head.get(skip..).unwrap_or_default().chain(rest)
}

/// What failed first is the error; the rest follows from it.
fn settled(result: Result<()>, gauge: &Gauge<'_>) -> Result<()> {
    gauge.failure().map_or(result, Err)
}

fn cannot_open(error: io::Error, trail: &Trail) -> Error {
    let name = trail.name().to_owned();
    let kind = match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::NotFound { name },
        _ => ErrorKind::Read { name },
    };
    Error::new(kind).caused_by(error).at(trail.whole())
}

/// Keeps what a visitor reads of a stream that cannot be opened again, in case it says [`Visit::Later`].
struct Recorder<'r> {
    source: &'r mut (dyn Read + Send),
    /// `None` once it is too much, or need not be kept.
    kept: Option<Plain>,
}

impl Read for Recorder<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        if let Some(kept) = &mut self.kept {
            kept.extend(&buffer[..count]);
        }
        if self.kept.as_ref().is_some_and(|kept| kept.len() > RECORDED_BYTES) {
            self.kept = None;
        }
        Ok(count)
    }
}

/// A format is known, and its first encrypted value seen, long before this.
const RECORDED_BYTES: usize = 8 << 20;
