//! A stream in, the same stream out: counted, held to the limits, and its failures made into errors with a place.
//!
//! An error cannot be trusted to pass through a decoder of someone else's unharmed, so the first one is kept
//! in the [`Gauge`] that all streams of one input share, and whoever reads at the far end looks there.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{Limit, Limits};
use crate::record::{Plain, Trail};

/// What all streams of one input share: what went in, what came out, and what failed first.
pub(super) struct Gauge<'p> {
    limits: Limits,
    progress: &'p AtomicU64,
    /// Whether reading counts as progress: not while a directory or a candidate password is looked at.
    counting: AtomicBool,
    counted: AtomicU64,
    /// Bytes of the outermost file: its size where it has one, else what was read so far.
    consumed: AtomicU64,
    size: Option<u64>,
    /// Bytes that layers gave out.
    produced: AtomicU64,
    failure: Mutex<Option<Error>>,
}

impl<'p> Gauge<'p> {
    /// A gauge for one outermost file, with its size where that is known.
    pub(super) fn new(limits: &Limits, progress: &'p AtomicU64, size: Option<u64>) -> Self {
        Self {
            limits: *limits,
            progress,
            counting: AtomicBool::new(true),
            counted: AtomicU64::new(0),
            consumed: AtomicU64::new(0),
            size,
            produced: AtomicU64::new(0),
            failure: Mutex::new(None),
        }
    }

    /// Runs something whose reading is no progress and whose output is thrown away.
    pub(super) fn aside<T>(&self, run: impl FnOnce() -> T) -> T {
        let counting = self.counting.swap(false, Ordering::Relaxed);
        let produced = self.produced.load(Ordering::Relaxed);
        let result = run();
        self.produced.store(produced, Ordering::Relaxed);
        self.counting.store(counting, Ordering::Relaxed);
        result
    }

    /// Lets progress reach the size of the file, whatever was skipped in it.
    pub(super) fn finish(&self) {
        let counted = self.counted.load(Ordering::Relaxed);
        self.progress.fetch_add(self.size.unwrap_or(counted).saturating_sub(counted), Ordering::Relaxed);
    }

    /// Keeps the first failure; later ones follow from it.
    pub(super) fn fail(&self, error: Error) -> io::Error {
        if let Ok(mut failure) = self.failure.lock() {
            failure.get_or_insert(error);
        }
        io::Error::other("the stream has failed")
    }

    /// Takes out what failed, if anything did.
    pub(super) fn failure(&self) -> Option<Error> {
        self.failure.lock().ok()?.take()
    }

    /// What failed underneath an error that came up, or that error as a failure to read `trail`.
    pub(super) fn explain(&self, error: io::Error, trail: &Trail) -> Error {
        self.failure().unwrap_or_else(|| Error::reading(error, trail.name()).at(trail.whole()))
    }

    fn consume(&self, count: u64) {
        self.consumed.fetch_add(count, Ordering::Relaxed);
        if self.counting.load(Ordering::Relaxed) {
            // A member that is read twice is not twice the way.
            let room = self.size.unwrap_or(u64::MAX).saturating_sub(self.counted.load(Ordering::Relaxed));
            let count = count.min(room);
            self.counted.fetch_add(count, Ordering::Relaxed);
            self.progress.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Counts what a layer gave out, against the whole delivery: layers in one another cannot multiply.
    fn produce(&self, count: u64) -> Result<()> {
        let produced = self.produced.fetch_add(count, Ordering::Relaxed) + count;
        let consumed = self.size.unwrap_or_else(|| self.consumed.load(Ordering::Relaxed));
        if produced > Limits::EXPANSION_FREE_BYTES && produced / self.limits.expansion.max(1) >= consumed.max(1) {
            let (limit, allowed) = (Limit::Expansion, self.limits.expansion);
            return Err(ErrorKind::LimitReached { limit, allowed, found: None }.into());
        }
        Ok(())
    }
}

/// The outermost bytes: counts them as progress.
pub(super) struct Outermost<'g, R> {
    inner: R,
    gauge: &'g Gauge<'g>,
    trail: Trail,
}

impl<'g, R> Outermost<'g, R> {
    pub(super) fn new(inner: R, gauge: &'g Gauge<'g>, trail: &Trail) -> Self {
        Self { inner, gauge, trail: trail.clone() }
    }
}

impl<R: Read> Read for Outermost<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(count) => {
                self.gauge.consume(count as u64);
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => Err(self.gauge.fail(Error::reading(error, self.trail.name()).at(self.trail.whole()))),
        }
    }
}

impl<R: Seek> Seek for Outermost<'_, R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.inner.seek(position)
    }
}

/// What a layer gives out: held to the limits; a failure of the layer becomes an error with its place.
pub(super) struct Meter<'g, R> {
    inner: R,
    gauge: &'g Gauge<'g>,
    trail: Trail,
    produced: u64,
    /// What a failure of `inner` means.
    meaning: fn(io::Error) -> Error,
    failed: bool,
}

impl<'g, R: Read> Meter<'g, R> {
    pub(super) fn new(inner: R, gauge: &'g Gauge<'g>, trail: &Trail, meaning: fn(io::Error) -> Error) -> Self {
        Self { inner, gauge, trail: trail.clone(), produced: 0, meaning, failed: false }
    }

    fn count(&mut self, count: usize) -> Result<()> {
        self.produced += count as u64;
        if self.produced > self.gauge.limits.member_bytes {
            let (limit, allowed) = (Limit::MemberBytes, self.gauge.limits.member_bytes);
            return Err(ErrorKind::LimitReached { limit, allowed, found: None }.into());
        }
        self.gauge.produce(count as u64)
    }

    fn fail(&mut self, error: Error) -> io::Error {
        self.failed = true;
        self.gauge.fail(error.at(self.trail.whole()))
    }
}

impl<R: Read> Read for Meter<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // A decoder that failed once may panic or go on with garbage when it is asked again.
        if self.failed {
            return Err(io::Error::other("the stream has failed"));
        }
        match self.inner.read(buffer) {
            Ok(count) => match self.count(count) {
                Ok(()) => Ok(count),
                Err(error) => Err(self.fail(error)),
            },
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let meant = (self.meaning)(error);
                Err(self.fail(meant))
            }
        }
    }
}

/// Reads to the end and keeps nothing, so that every check at the end is reached.
pub(super) fn drain(source: &mut (impl Read + ?Sized)) -> io::Result<()> {
    let mut buffer = Plain::with_capacity(DRAIN_BYTES);
    loop {
        buffer.clear();
        if buffer.fill_from(source, DRAIN_BYTES)? == 0 {
            return Ok(());
        }
    }
}

/// Reads to the end into memory, at most `room` bytes.
pub(super) fn hold(held: &mut Plain, source: &mut (impl Read + ?Sized), room: u64, limits: &Limits) -> io::Result<()> {
    loop {
        if held.len() as u64 > room {
            let error = ErrorKind::LimitReached { limit: Limit::HeldBytes, allowed: limits.held_bytes, found: None };
            return Err(Error::new(error).into());
        }
        if held.fill_from(source, HOLD_STEP_BYTES)? == 0 {
            return Ok(());
        }
    }
}

/// Large enough that a call costs nothing beside what it reads.
const DRAIN_BYTES: usize = 64 << 10;

/// So much is asked for at once when the length is not known.
const HOLD_STEP_BYTES: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn damaged(error: io::Error) -> Error {
        Error::new(ErrorKind::ContainerDamaged { layer: "ZIP", detail: "cut".into() }).caused_by(error)
    }

    fn trail() -> Trail {
        Trail::new("a.zip")
    }

    #[test]
    fn progress_stops_at_the_size_of_the_file() {
        let progress = AtomicU64::new(0);
        let gauge = Gauge::new(&Limits::default(), &progress, Some(10));
        let mut source = Outermost::new(io::Cursor::new([0; 10]), &gauge, &trail());
        gauge.aside(|| drain(&mut source)).expect("memory");
        assert_eq!(progress.load(Ordering::Relaxed), 0);
        for _ in 0..2 {
            source.seek(SeekFrom::Start(3)).expect("memory");
            drain(&mut source).expect("memory");
        }
        assert_eq!(progress.load(Ordering::Relaxed), 10);
        gauge.finish();
        assert_eq!(progress.load(Ordering::Relaxed), 10);
    }

    #[test]
    fn a_member_longer_than_allowed_is_an_error() {
        let progress = AtomicU64::new(0);
        let limits = Limits { member_bytes: 9, ..Limits::default() };
        let gauge = Gauge::new(&limits, &progress, Some(10));
        drain(&mut Meter::new(&[0; 10][..], &gauge, &trail(), damaged)).expect_err("ten is more than nine");
        let error = gauge.failure().expect("it is kept");
        assert_eq!(error.to_string(), "too many bytes in one member: at most 9 are allowed, but there are more");
        drain(&mut Meter::new(&[0; 9][..], &gauge, &trail(), damaged)).expect("nine are allowed");
    }

    #[test]
    fn the_first_failure_is_the_one_that_is_told() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the cable"))
            }
        }
        let progress = AtomicU64::new(0);
        let gauge = Gauge::new(&Limits::default(), &progress, None);
        let mut meter = Meter::new(Outermost::new(Broken, &gauge, &trail()), &gauge, &trail(), damaged);
        drain(&mut meter).expect_err("the source fails");
        drain(&mut meter).expect_err("and stays so");
        assert_eq!(gauge.failure().expect("it is kept").to_string(), "cannot read `a.zip`");
    }

    #[test]
    fn expansion_counts_over_all_layers() {
        let progress = AtomicU64::new(0);
        let gauge = Gauge::new(&Limits::default(), &progress, Some(1000));
        for _ in 0..2 {
            let half = io::repeat(0).take(Limits::EXPANSION_FREE_BYTES / 2);
            drain(&mut Meter::new(half, &gauge, &trail(), damaged)).expect("below the free bytes");
        }
        drain(&mut Meter::new(&[0; 1][..], &gauge, &trail(), damaged)).expect_err("one byte above");
        let error = gauge.failure().expect("it is kept");
        assert!(matches!(error.kind(), ErrorKind::LimitReached { limit: Limit::Expansion, .. }));
    }

    #[test]
    fn what_is_held_is_bounded() {
        let limits = Limits { held_bytes: 4, ..Limits::default() };
        let mut held = Plain::default();
        hold(&mut held, &mut &b"1234"[..], 4, &limits).expect("four fit");
        let error = hold(&mut Plain::default(), &mut &b"12345"[..], 4, &limits).expect_err("five do not");
        let error = Error::reading(error, "");
        assert!(matches!(error.kind(), ErrorKind::LimitReached { limit: Limit::HeldBytes, .. }));
    }
}
