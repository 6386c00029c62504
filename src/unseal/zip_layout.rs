//! The bytes of a ZIP in; an error out where any of them belong to nothing that the directory lists.
//!
//! Readers find the same archive from its end, from its start, or by its marks, and where those differ they show
//! different members. So members, directory and end record must follow each other without gap or overlap, from the
//! first byte to the last, and a member must say of itself what the directory says of it.
//!
//! # Source
//!
//! APPNOTE 6.3.10: local header §4.3.7, data descriptor §4.3.9, directory §4.3.12, end records §4.3.14 to §4.3.16,
//! ZIP64 field §4.5.3.
//!
//! # Leniency
//!
//! A marker of four bytes before the first member (§8.5.3). A descriptor with or without its mark, with lengths of
//! 4 or 8 bytes, or left out although it is announced. A comment, unless an end record may hide in it.
//!
//! # Memory
//!
//! The name and a few numbers of each member.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// Why a layout is refused.
pub(super) enum Fault {
    /// It cannot be read.
    Io(io::Error),
    /// What is wrong with it.
    Odd(&'static str),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Checks that an archive has a place for each of its bytes; leaves the source at its start.
pub(super) fn check(source: &mut (impl Read + Seek + ?Sized)) -> Result<(), Fault> {
    let mut source = BufReader::with_capacity(READ_BYTES, source);
    let Some(end) = end_record(&mut source)? else {
        source.rewind()?;
        // The reader of the directory says what is missing.
        return Ok(());
    };
    let mut members = directory(&mut source, &end)?;
    members.sort_unstable_by_key(|member| member.start);
    check_members(&mut source, &members, end.directory)?;
    source.rewind()?;
    Ok(())
}

/// What the end record says.
struct End {
    entries: u64,
    /// Where the directory begins.
    directory: u64,
    directory_bytes: u64,
}

/// A line of the directory.
struct Member {
    start: u64,
    compressed_bytes: u64,
    name: Vec<u8>,
    method: u64,
    is_encrypted: bool,
}

/// Finds the end record, and the ZIP64 record before it.
fn end_record(source: &mut (impl Read + Seek)) -> Result<Option<End>, Fault> {
    let length = source.seek(SeekFrom::End(0))?;
    let tail_start = length.saturating_sub(END_BYTES + 65_535);
    source.seek(SeekFrom::Start(tail_start))?;
    let mut tail = Vec::new();
    source.read_to_end(&mut tail)?;
    let Some(at) = memchr::memmem::rfind(&tail, END_MARK) else { return Ok(None) };
    let record = &tail[at..];
    if record.len() < 22 {
        return Ok(None);
    }
    if 22 + number(record, 20, 2) != record.len() as u64 {
        return Err(Fault::Odd("something follows the end of the archive, or hides in its comment"));
    }
    let record_start = tail_start + at as u64;
    let short = End {
        entries: number(record, 10, 2),
        directory: number(record, 16, 4),
        directory_bytes: number(record, 12, 4),
    };
    let (end, directory_end) = match zip64_record(source, record_start)? {
        None => (short, record_start),
        Some((long, long_start)) => {
            let agrees = |short: u64, long: u64, unsaid: u64| short == unsaid || short == long;
            if !(agrees(short.entries, long.entries, 0xffff)
                && agrees(short.directory, long.directory, 0xffff_ffff)
                && agrees(short.directory_bytes, long.directory_bytes, 0xffff_ffff))
            {
                return Err(Fault::Odd("its two end records differ"));
            }
            (long, long_start)
        }
    };
    if end.directory.checked_add(end.directory_bytes) != Some(directory_end) {
        return Err(Fault::Odd(
            "its directory does not end where the archive ends: something was put before or into it",
        ));
    }
    Ok(Some(end))
}

/// The ZIP64 record that stands before an end record, and where it begins.
fn zip64_record(source: &mut (impl Read + Seek), end: u64) -> Result<Option<(End, u64)>, Fault> {
    let Some(locator_start) = end.checked_sub(20) else { return Ok(None) };
    let mut locator = [0; 20];
    source.seek(SeekFrom::Start(locator_start))?;
    source.read_exact(&mut locator)?;
    if !locator.starts_with(b"PK\x06\x07") {
        return Ok(None);
    }
    let start = number(&locator, 8, 8);
    let mut record = [0; 56];
    if start.checked_add(56).is_none_or(|end| end > locator_start) {
        return Err(Fault::Odd(CHANGED));
    }
    source.seek(SeekFrom::Start(start))?;
    source.read_exact(&mut record)?;
    let reaches = start.checked_add(12).and_then(|behind| behind.checked_add(number(&record, 4, 8)));
    if !record.starts_with(b"PK\x06\x06") || reaches != Some(locator_start) {
        return Err(Fault::Odd(CHANGED));
    }
    let long = End {
        entries: number(&record, 32, 8),
        directory: number(&record, 48, 8),
        directory_bytes: number(&record, 40, 8),
    };
    Ok(Some((long, start)))
}

/// Reads the directory, whose length and count of entries must be those that the end record names.
fn directory(source: &mut (impl Read + Seek), end: &End) -> Result<Vec<Member>, Fault> {
    const COUNT: Fault = Fault::Odd("its directory has other members than its end record counts");
    source.seek(SeekFrom::Start(end.directory))?;
    let mut source = source.take(end.directory_bytes);
    let mut members = Vec::new();
    let mut rest = Vec::new();
    while source.limit() > 0 {
        let mut head = [0; 46];
        if members.len() as u64 == end.entries || source.limit() < head.len() as u64 {
            return Err(COUNT);
        }
        source.read_exact(&mut head)?;
        if !head.starts_with(b"PK\x01\x02") {
            return Err(Fault::Odd(CHANGED));
        }
        let (name, extra, comment) = (number(&head, 28, 2), number(&head, 30, 2), number(&head, 32, 2));
        let length = name + extra + comment;
        if source.limit() < length {
            return Err(Fault::Odd(CHANGED));
        }
        rest.clear();
        Read::by_ref(&mut source).take(length).read_to_end(&mut rest)?;
        let (name, rest) = usize::try_from(name).ok().and_then(|name| rest.split_at_checked(name)).unwrap_or_default();
        let extra = usize::try_from(extra).ok().and_then(|extra| rest.get(..extra)).unwrap_or_default();
        members.push(member(&head, name, extra).ok_or(Fault::Odd(CHANGED))?);
    }
    if members.len() as u64 == end.entries { Ok(members) } else { Err(COUNT) }
}

/// Start and length of a member, from its ZIP64 field where the directory's own have no room.
fn member(head: &[u8; 46], name: &[u8], mut extra: &[u8]) -> Option<Member> {
    const FULL: u64 = 0xffff_ffff;
    let mut member = Member {
        start: number(head, 42, 4),
        compressed_bytes: number(head, 20, 4),
        name: name.to_vec(),
        method: number(head, 10, 2),
        is_encrypted: number(head, 8, 2) & IS_ENCRYPTED != 0,
    };
    let bytes = number(head, 24, 4);
    if member.start != FULL && member.compressed_bytes != FULL {
        return Some(member);
    }
    while let Some((field, behind)) = extra.split_at_checked(4) {
        let (content, behind) = behind.split_at_checked(usize::try_from(number(field, 2, 2)).ok()?)?;
        if number(field, 0, 2) == 1 {
            let mut longs = content.chunks_exact(8).map(|long| number(long, 0, 8));
            // In this order, and only those that have no room elsewhere.
            if bytes == FULL {
                longs.next()?;
            }
            if member.compressed_bytes == FULL {
                member.compressed_bytes = longs.next()?;
            }
            if member.start == FULL {
                member.start = longs.next()?;
            }
            return Some(member);
        }
        extra = behind;
    }
    Some(member)
}

/// Walks over the members in the order of their bytes; the directory must begin where the last ends.
fn check_members(source: &mut (impl Read + Seek), members: &[Member], directory: u64) -> Result<(), Fault> {
    let mut mark = [0; 4];
    source.rewind()?;
    source.read_exact(&mut mark)?;
    let mut at = if matches!(&mark, b"PK00" | b"PK\x07\x08") { 4 } else { 0 };
    for (index, member) in members.iter().enumerate() {
        if member.start > at {
            return Err(Fault::Odd("it has bytes that belong to no member of its directory"));
        }
        if member.start < at {
            return Err(Fault::Odd("two of its members overlap"));
        }
        let mut head = [0; 30];
        source.seek(SeekFrom::Start(at))?;
        source.read_exact(&mut head)?;
        if !head.starts_with(b"PK\x03\x04") {
            return Err(Fault::Odd("its directory names a member where there is none"));
        }
        let mut name = vec![0; member.name.len()];
        let same_length = number(&head, 26, 2) == name.len() as u64;
        if same_length {
            source.read_exact(&mut name)?;
        }
        let is_encrypted = number(&head, 6, 2) & IS_ENCRYPTED != 0;
        if !same_length
            || name != member.name
            || number(&head, 8, 2) != member.method
            || is_encrypted != member.is_encrypted
        {
            return Err(Fault::Odd(
                "a member calls itself by another name than the directory, or is packed in another way",
            ));
        }
        let head_bytes = 30 + number(&head, 26, 2) + number(&head, 28, 2);
        at = at
            .checked_add(head_bytes)
            .and_then(|at| at.checked_add(member.compressed_bytes))
            .filter(|&at| at <= directory)
            .ok_or(Fault::Odd("its directory begins before its last member ends"))?;
        let next = members.get(index + 1).map_or(directory, |next| next.start);
        if number(&head, 6, 2) & HAS_DESCRIPTOR != 0 {
            at += descriptor(source, at, next.saturating_sub(at), member)?;
        }
    }
    if at == directory { Ok(()) } else { Err(Fault::Odd("it has bytes that belong to no member of its directory")) }
}

/// The length of the data descriptor in the `room` bytes from `at`; 0 when what is there is none.
fn descriptor(source: &mut (impl Read + Seek), at: u64, room: u64, member: &Member) -> Result<u64, Fault> {
    let (mark, width) = match room {
        12 => (0, 4),
        16 => (4, 4),
        20 => (0, 8),
        24 => (4, 8),
        _ => return Ok(0),
    };
    let mut bytes = [0; 24];
    source.seek(SeekFrom::Start(at))?;
    source.read_exact(bytes.get_mut(..usize::try_from(room).unwrap_or(0)).unwrap_or_default())?;
    let is_one =
        (mark == 0 || bytes.starts_with(b"PK\x07\x08")) && number(&bytes, mark + 4, width) == member.compressed_bytes;
    Ok(if is_one { room } else { 0 })
}

/// A little-endian number; 0 beyond the end, which no caller asks for.
fn number(bytes: &[u8], offset: usize, width: usize) -> u64 {
    let bytes = bytes.get(offset..offset + width).unwrap_or_default();
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

const CHANGED: &str = "the file ends early, or its directory was changed";

const END_MARK: &[u8] = b"PK\x05\x06";

const END_BYTES: u64 = 22;

/// Bit 0 of the flags, §4.4.4.
const IS_ENCRYPTED: u64 = 1;

/// Bit 3 of the flags, §4.4.4.
const HAS_DESCRIPTOR: u64 = 1 << 3;

/// The heads of small members, which stand close together, are read at once.
const READ_BYTES: usize = 8 << 10;
