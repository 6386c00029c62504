//! Bytes of a member in, chunks of whole records out.
//!
//! The cutter is generic; where a record ends, a format's [`Boundary`] says. A chunk has about 256 KiB,
//! more only when one record is larger.
//!
//! # Memory
//!
//! One chunk and the rest of a record; never more than [`Limits::held_bytes`].

use std::io::Read;

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{Limit, Limits};
use crate::record::{Code, Plain, Trail};

/// Size that chunks aim at: large enough that hand-over costs nothing, small enough that a chunk, its tokens and
/// its output stay in a core's own cache. One MiB is no faster and takes twice the memory.
pub(super) const CHUNK_BYTES: usize = 256 << 10;

/// Whole records of one member, and where they stand in it.
#[derive(Debug, Default)]
pub struct Chunk {
    /// The records' bytes, UTF-8 unless the reader finds otherwise.
    pub bytes: Plain,
    /// Offset of the first byte in the member's text.
    pub offset_bytes: u64,
    /// Number of the first line, from 1.
    pub first_line: u64,
    /// Number of the first record (row, package, item), from 1.
    pub first_record: u64,
}

/// Where a buffer can be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Everything before this offset is whole records.
    pub end: usize,
    /// Line ends among them; 0 where the format does not count lines.
    pub lines: u64,
    /// Records among them; 0 where the format does not count records.
    pub records: u64,
}

/// Says where the records of a format end.
pub trait Boundary: Send {
    /// Finds the last place to cut in `bytes`, which begin at the start of a record or between two.
    ///
    /// `None` asks for more bytes; the same ones are shown again with more behind them. With `last`, nothing
    /// follows: the answer then covers all bytes, a record that is cut short is an error, and whatever ends the
    /// member (a trailer) is checked.
    ///
    /// # Errors
    ///
    /// What is wrong with the member as a whole: cut short, a DOCTYPE, junk after the end.
    fn cut(&mut self, bytes: &[u8], last: bool) -> Result<Option<Cut>>;

    /// What is to be said of the member as a whole, once it has been cut to its end.
    fn findings(&mut self) -> Vec<(Code, String)> {
        Vec::new()
    }
}

/// The start of a member, as far as a format needs it to make up its mind.
pub struct Head<'s> {
    source: &'s mut dyn Read,
    bytes: Plain,
    ended: bool,
    limits: Limits,
    trail: Trail,
}

impl<'s> Head<'s> {
    /// Reads the first chunk.
    ///
    /// # Errors
    ///
    /// Whatever reading answers.
    pub fn new(source: &'s mut dyn Read, trail: Trail, limits: Limits) -> Result<Self> {
        let mut head = Self { source, bytes: Plain::default(), ended: false, limits, trail };
        head.more()?;
        Ok(head)
    }

    /// What is known of the member so far, from its first byte.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether that is the whole member.
    pub const fn ended(&self) -> bool {
        self.ended
    }

    /// The member's place, for messages.
    pub const fn trail(&self) -> &Trail {
        &self.trail
    }

    /// The limits of the run.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Reads another chunk behind what is here; says whether there was more.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LimitReached`] when more would have to be held than is allowed, and whatever reading answers.
    pub fn more(&mut self) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        check_held(self.bytes.len(), &self.limits, &self.trail)?;
        let count = self
            .bytes
            .fill_from(self.source, CHUNK_BYTES)
            .map_err(|error| Error::reading(error, self.trail.name()).at(self.trail.whole()))?;
        self.ended = count < CHUNK_BYTES;
        Ok(count > 0)
    }

    /// Ends the look-ahead: cuts what is here from `start` on, and then the rest.
    ///
    /// `first_line` is the number of the line at `start`.
    pub fn cut(self, start: usize, first_line: u64, boundary: Box<dyn Boundary>) -> Cutter<'s> {
        Cutter {
            source: self.source,
            rest: self.bytes,
            taken: start,
            ended: self.ended,
            next: Chunk { bytes: Plain::default(), offset_bytes: start as u64, first_line, first_record: 1 },
            done: false,
            boundary,
            limits: self.limits,
            trail: self.trail,
        }
    }
}

/// Cuts a member into chunks of whole records.
pub struct Cutter<'s> {
    source: &'s mut dyn Read,
    /// Bytes read and not yet handed on: those from `taken` on.
    rest: Plain,
    taken: usize,
    ended: bool,
    /// Where the next chunk stands; its bytes stay empty.
    next: Chunk,
    done: bool,
    boundary: Box<dyn Boundary>,
    limits: Limits,
    trail: Trail,
}

impl Cutter<'_> {
    /// The next chunk, in a buffer that was used before or a new one; `None` at the end.
    ///
    /// # Errors
    ///
    /// Whatever reading and the format's [`Boundary`] answer.
    pub fn next(&mut self, mut bytes: Plain) -> Result<Option<Chunk>> {
        if self.done {
            return Ok(None);
        }
        bytes.clear();
        // The head may hold many chunks; hand on about one at a time.
        let ready = &self.rest[self.taken..];
        let used = ready.len().min(CHUNK_BYTES);
        bytes.extend(&ready[..used]);
        self.taken += used;
        let mut wanted = CHUNK_BYTES;
        loop {
            if self.taken == self.rest.len() && !self.ended && bytes.len() < wanted {
                let room = wanted - bytes.len();
                let count = bytes
                    .fill_from(self.source, room)
                    .map_err(|error| Error::reading(error, self.trail.name()).at(self.trail.whole()))?;
                self.ended = count < room;
            }
            let last = self.ended && self.taken == self.rest.len();
            let cut = self.boundary.cut(&bytes, last).map_err(|error| error.at(self.trail.whole()))?;
            match cut {
                Some(cut) if !last || cut.end == bytes.len() => {
                    self.done = last;
                    return Ok(Some(self.hand_on(bytes, cut)));
                }
                Some(_) | None if last => {
                    let detail = "a boundary did not cover the end of its member".to_owned();
                    return Err(Error::new(ErrorKind::Bug { detail }).at(self.trail.whole()));
                }
                _ => {
                    check_held(bytes.len(), &self.limits, &self.trail)?;
                    wanted = bytes.len() * 2;
                    let ready = &self.rest[self.taken..];
                    let used = ready.len().min(wanted - bytes.len());
                    bytes.extend(&ready[..used]);
                    self.taken += used;
                }
            }
        }
    }

    /// What is to be said of the member as a whole, after the last chunk.
    pub fn findings(&mut self) -> Vec<(Code, String)> {
        self.boundary.findings()
    }

    /// Keeps what lies behind the cut for the next chunk.
    fn hand_on(&mut self, mut bytes: Plain, cut: Cut) -> Chunk {
        let behind = &bytes[cut.end..];
        if self.taken == self.rest.len() {
            self.rest.clear();
            self.rest.extend(behind);
            self.taken = 0;
        } else {
            // What lies behind was copied out of the head a moment ago, and still stands there.
            self.taken -= behind.len();
        }
        bytes.truncate(cut.end);
        let next = Chunk {
            bytes: Plain::default(),
            offset_bytes: self.next.offset_bytes + cut.end as u64,
            first_line: self.next.first_line + cut.lines,
            first_record: self.next.first_record + cut.records,
        };
        Chunk { bytes, ..std::mem::replace(&mut self.next, next) }
    }
}

fn check_held(held: usize, limits: &Limits, trail: &Trail) -> Result<()> {
    if held as u64 >= limits.held_bytes {
        let kind = ErrorKind::LimitReached { limit: Limit::HeldBytes, allowed: limits.held_bytes, found: None };
        return Err(Error::new(kind).at(trail.whole()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records are lines; the last needs no line end.
    struct Lines;

    impl Boundary for Lines {
        fn cut(&mut self, bytes: &[u8], last: bool) -> Result<Option<Cut>> {
            let end = if last { Some(bytes.len()) } else { memchr::memrchr(b'\n', bytes).map(|at| at + 1) };
            Ok(end.map(|end| {
                let lines = memchr::memchr_iter(b'\n', &bytes[..end]).count() as u64;
                Cut { end, lines, records: lines }
            }))
        }
    }

    /// Gives a few bytes at a time, as a pipe may.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.0.len().min(buffer.len()).min(self.1);
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn check(text: &str, heads: usize) {
        let mut source = Drip(text.as_bytes(), 70_001);
        let mut head = Head::new(&mut source, Trail::new("t"), Limits::default()).expect("memory reads");
        for _ in 1..heads {
            head.more().expect("memory reads");
        }
        let mut cutter = head.cut(0, 1, Box::new(Lines));
        let mut joined = String::new();
        let mut line = 1;
        while let Some(chunk) = cutter.next(Plain::default()).expect("lines can be cut") {
            assert_eq!(chunk.offset_bytes, joined.len() as u64);
            assert_eq!(chunk.first_line, line);
            let part = std::str::from_utf8(&chunk.bytes).expect("cut between lines");
            line += part.matches('\n').count() as u64;
            joined.push_str(part);
        }
        assert_eq!(joined.len(), text.len());
        assert!(joined == text, "the chunks joined are not the member");
    }

    #[test]
    fn chunks_joined_are_the_member() {
        let rows: String = (0..300_000).map(|row| format!("{row},ä{}\n", row % 7)).collect();
        for heads in [1, 2, 9] {
            check(&rows, heads);
            check(rows.trim_end(), heads);
        }
        check("", 1);
        check("one", 1);
    }

    #[test]
    fn a_record_larger_than_a_chunk_stays_whole() {
        let long = format!("a\n{}\nb\n", "x".repeat(3 * CHUNK_BYTES));
        check(&long, 1);
        check(&long, 2);
    }

    #[test]
    fn a_record_larger_than_what_may_be_held_is_refused() {
        let limits = Limits { held_bytes: 2 << 20, ..Limits::default() };
        let long = "x".repeat(5 << 20);
        let mut source = long.as_bytes();
        let head = Head::new(&mut source, Trail::new("t"), limits).expect("memory reads");
        let error = head.cut(0, 1, Box::new(Lines)).next(Plain::default()).expect_err("too long");
        assert!(matches!(error.kind(), ErrorKind::LimitReached { limit: Limit::HeldBytes, .. }));
    }
}
