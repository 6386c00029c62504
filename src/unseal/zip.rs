//! A ZIP in, its members out one by one, in the order of its directory.
//!
//! # Source
//!
//! PKWARE's APPNOTE 6.3.10; WinZip's AES specification 1.04: AE-1 has a CRC and a MAC, AE-2 a MAC only.
//! The `zip` crate checks whatever there is when a member is read to its end; the length is checked here.
//!
//! # Not here
//!
//! PKWARE's own encryption ("strong encryption") and archives over several files.
//!
//! # Memory
//!
//! The directory, and one member's decoder at a time.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use ::zip::read::HasZipMetadata;
use ::zip::result::ZipError;
use ::zip::{CompressionMethod, ZipArchive, ZipReadOptions};

use super::Layer;
use super::meter::{Meter, drain};
use super::unlock::{Depth, Spelling, Tried, unlock, unlock_silently};
use super::walk::{At, Walk};
use super::zip_layout;
use super::zip_names::{is_unsafe, left_by_a_system};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limit;
use crate::record::{Locked, Plain};

/// What an archive is read from.
pub(super) trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send> Source for T {}

type Archive<'s> = ZipArchive<BufReader<&'s mut dyn Source>>;

impl Walk<'_> {
    /// Opens an archive and goes through its members.
    pub(super) fn zip(&mut self, at: &At<'_>, source: &mut dyn Source) -> Result<()> {
        let opened = at.gauge.aside(|| {
            refuse_too_many(source, self.limits.members)?;
            zip_layout::check(source).map_err(laid_out)?;
            ZipArchive::new(BufReader::with_capacity(READ_BYTES, source)).map_err(unreadable)
        });
        let mut archive = opened.map_err(|error| at.gauge.failure().unwrap_or(error).at(at.trail.whole()))?;
        if archive.has_duplicate_names() {
            return Err(damaged("two members have the same name").at(at.trail.whole()));
        }
        let entries = entries(&mut archive, at)?;
        if is_document(&entries) {
            self.skip(at, "an Office document");
            return Ok(());
        }
        if entries.is_empty() {
            return Err(Error::new(ErrorKind::NothingToRead).at(at.trail.whole()));
        }
        self.say_layer(at, Layer::Zip, &protections(&entries));
        for entry in &entries {
            let inside = At { trail: at.trail.join(&entry.name), layers: at.layers + 1, ..at.clone() };
            if self.concerns(&inside.trail) {
                self.entry(&inside, &mut archive, entry, &entries)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, at: &At<'_>, archive: &mut Archive<'_>, entry: &Entry, all: &[Entry]) -> Result<()> {
        if is_unsafe(&entry.name) {
            return Err(Error::new(ErrorKind::MemberNameUnsafe { name: entry.name.clone() }).at(at.trail.whole()));
        }
        if let Some(folder) = entry.name.strip_suffix(['/', '\\']) {
            let has_more = all.iter().any(|other| other.index != entry.index && other.name.starts_with(folder));
            if !has_more {
                self.skip(at, "an empty folder");
            }
            return Ok(());
        }
        self.count_member(at)?;
        if !self.visitor.enters(&at.trail) {
            return Ok(());
        }
        if let Some(what) = left_by_a_system(&entry.name) {
            self.skip(at, what);
            return Ok(());
        }
        if entry.is_link {
            self.skip(at, "a link, which is not followed");
            return Ok(());
        }
        entry.is_readable().map_err(|error| error.at(at.trail.whole()))?;
        let password = match entry.protection {
            Protection::None => None,
            _ => match self.password(at, archive, entry)? {
                Some(password) => Some(password),
                None => return Ok(()),
            },
        };
        self.read_entry(at, archive, entry, password.as_ref())
    }

    fn read_entry(
        &mut self,
        at: &At<'_>,
        archive: &mut Archive<'_>,
        entry: &Entry,
        password: Option<&Spelling>,
    ) -> Result<()> {
        let member = open(archive, entry, password.map(|password| password.as_slice()))
            .map_err(|error| at.gauge.failure().unwrap_or_else(|| opening(error)).at(at.trail.whole()))?;
        let meaning = if entry.protection == Protection::None { broken } else { broken_or_wrong_password };
        let mut member = Meter::new(Exact { inner: member, left: entry.size }, at.gauge, &at.trail, meaning);
        self.content(at, &mut member)
    }

    /// The password of a member; `None` where nobody wants the member and no password is at hand for it.
    fn password(&mut self, at: &At<'_>, archive: &mut Archive<'_>, entry: &Entry) -> Result<Option<Spelling>> {
        let mut try_one = |password: &[u8], depth| at.gauge.aside(|| try_password(at, archive, entry, password, depth));
        // A layer may lie behind an unwanted name, so it is opened if that is possible without asking.
        if !self.visitor.wants(&at.trail) {
            return unlock_silently(self.keyring, try_one).map_err(|error| error.at(at.trail.whole()));
        }
        let locked = Locked { kind: "ZIP", trail: at.trail.clone() };
        let strong = matches!(entry.protection, Protection::Aes(_));
        let password = unlock(self.keyring, &locked, strong, &mut try_one);
        password.map(Some).map_err(|error| error.at(at.trail.whole()))
    }
}

fn try_password(at: &At<'_>, archive: &mut Archive<'_>, entry: &Entry, password: &[u8], depth: Depth) -> Result<Tried> {
    let member = match open(archive, entry, Some(password)) {
        Ok(member) => member,
        Err(ZipError::InvalidPassword) => return Ok(Tried::Wrong),
        Err(error) => return Err(at.gauge.failure().unwrap_or_else(|| opening(error))),
    };
    if depth == Depth::Check {
        return Ok(Tried::Opens);
    }
    let member = Exact { inner: member, left: entry.size };
    let mut member = Meter::new(member, at.gauge, &at.trail, broken_or_wrong_password);
    let Err(error) = drain(&mut member) else { return Ok(Tried::Opens) };
    match at.gauge.explain(error, &at.trail) {
        error if matches!(error.kind(), ErrorKind::ContainerDamaged { .. }) => Ok(Tried::Broken(error)),
        // A wrong password makes anything of a compressed stream, also a bomb.
        error if matches!(error.kind(), ErrorKind::LimitReached { .. }) => Ok(Tried::Broken(error)),
        error => Err(error),
    }
}

fn open<'a, 's>(
    archive: &'a mut Archive<'s>,
    entry: &Entry,
    password: Option<&[u8]>,
) -> std::result::Result<::zip::read::ZipFile<'a, BufReader<&'s mut dyn Source>>, ZipError> {
    archive.by_index_with_options(entry.index, ZipReadOptions::new().password(password))
}

/// Holds a member to the length that its directory entry names.
///
/// AE-2 has no CRC, and its MAC covers neither the length nor the method, so a decoder that stops early would
/// go unseen.
struct Exact<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Exact<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if count == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the member is shorter than its entry says"));
        }
        self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the member is longer than its entry says"))?;
        Ok(count)
    }
}

/// One line of the directory.
struct Entry {
    index: usize,
    name: String,
    is_link: bool,
    size: u64,
    compressed_size: u64,
    method: CompressionMethod,
    protection: Protection,
}

/// How a member is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protection {
    Aes(::zip::AesMode),
    None,
    Pkware,
    ZipCrypto,
}

impl Protection {
    fn name(self) -> String {
        match self {
            Self::Aes(mode) => match mode {
                ::zip::AesMode::Aes128 => "AES-128".to_owned(),
                ::zip::AesMode::Aes192 => "AES-192".to_owned(),
                ::zip::AesMode::Aes256 => "AES-256".to_owned(),
            },
            Self::None => "not encrypted".to_owned(),
            Self::Pkware => "PKWARE strong encryption".to_owned(),
            Self::ZipCrypto => "ZipCrypto".to_owned(),
        }
    }
}

impl Entry {
    /// Refuses what the crate cannot read, and what cannot be true of an honest entry.
    fn is_readable(&self) -> Result<()> {
        if self.protection == Protection::Pkware {
            return Err(unsupported(
                "it has PKWARE's own encryption (strong encryption); AES-256 can be read".to_owned(),
            ));
        }
        #[expect(deprecated, reason = "the constants that replace it cannot be told from those that are supported")]
        if let CompressionMethod::Unsupported(number) = self.method {
            let name = CompressionMethod::name_from_u16(number);
            return Err(unsupported(format!("it is compressed by method {number} ({name})")));
        }
        if let Protection::Aes(mode) = self.protection
            && self.method == CompressionMethod::Stored
            && self.compressed_size != self.size.saturating_add(aes_overhead(mode))
        {
            return Err(damaged("the lengths of a stored member do not fit each other"));
        }
        Ok(())
    }
}

/// Salt, password check and MAC around the ciphertext.
const fn aes_overhead(mode: ::zip::AesMode) -> u64 {
    let salt = match mode {
        ::zip::AesMode::Aes128 => 8,
        ::zip::AesMode::Aes192 => 12,
        ::zip::AesMode::Aes256 => 16,
    };
    salt + 2 + 10
}

fn entries(archive: &mut Archive<'_>, at: &At<'_>) -> Result<Vec<Entry>> {
    let read = |archive: &mut Archive<'_>| -> std::result::Result<_, ZipError> {
        (0..archive.len()).map(|index| entry(archive, index)).collect()
    };
    let entries = at.gauge.aside(|| read(archive));
    entries.map_err(|error| at.gauge.failure().unwrap_or_else(|| unreadable(error)).at(at.trail.whole()))
}

fn entry(archive: &Archive<'_>, index: usize) -> std::result::Result<Entry, ZipError> {
    let data = archive.by_index_data(index)?;
    let strong = data.flags().as_u16() & STRONG_ENCRYPTION != 0;
    let protection = match data.get_metadata().aes_settings() {
        _ if !data.encrypted() => Protection::None,
        _ if strong => Protection::Pkware,
        Some((mode, _)) => Protection::Aes(mode),
        None => Protection::ZipCrypto,
    };
    Ok(Entry {
        index,
        name: data.name()?.into_owned(),
        is_link: data.is_symlink(),
        size: data.size(),
        compressed_size: data.compressed_size(),
        method: data.compression(),
        protection,
    })
}

/// Bit 6 of the flags, APPNOTE §4.4.4.
const STRONG_ENCRYPTION: u16 = 1 << 6;

/// Office Open XML and OpenDocument files are archives by shape only.
fn is_document(entries: &[Entry]) -> bool {
    let has = |name| entries.iter().any(|entry| entry.name == name);
    has("[Content_Types].xml") || (has("mimetype") && has("META-INF/manifest.xml"))
}

fn protections(entries: &[Entry]) -> String {
    let mut names: Vec<String> = Vec::new();
    for entry in entries.iter().filter(|entry| !entry.name.ends_with('/')) {
        let name = entry.protection.name();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() { Protection::None.name() } else { names.join(", ") }
}

/// Looks at the end of an archive before its whole directory is read into memory.
fn refuse_too_many(source: &mut dyn Source, allowed: u64) -> Result<()> {
    let found = count_in_footer(source).map_err(|error| Error::reading(error, "the archive"))?;
    match found {
        Some(found) if found > allowed => {
            Err(ErrorKind::LimitReached { limit: Limit::Members, allowed, found: Some(found) }.into())
        }
        _ => Ok(()),
    }
}

/// The number of entries that the end record names (APPNOTE §4.3.14 and §4.3.16), if there is one.
fn count_in_footer(source: &mut dyn Source) -> io::Result<Option<u64>> {
    let length = source.seek(SeekFrom::End(0))?;
    source.seek(SeekFrom::Start(length.saturating_sub(FOOTER_BYTES)))?;
    let mut footer = Plain::default();
    footer.fill_from(source, usize::try_from(FOOTER_BYTES.min(length)).unwrap_or(0))?;
    source.rewind()?;
    let field = |marker: &[u8], offset: usize, width: usize| {
        let record = &footer[memchr::memmem::rfind(&footer, marker)?..];
        let bytes = record.get(offset..offset + width)?;
        Some(bytes.iter().rev().fold(0_u64, |number, &byte| number << 8 | u64::from(byte)))
    };
    let short = field(b"PK\x05\x06", 10, 2);
    let long = field(b"PK\x06\x06", 32, 8);
    Ok(if short == Some(0xffff) { long.or(short) } else { short })
}

/// The end record with the longest comment, and the ZIP64 records before it.
const FOOTER_BYTES: u64 = 22 + 65_535 + 20 + 56;

/// So much is read from the file at once.
const READ_BYTES: usize = 64 << 10;

fn damaged(detail: &str) -> Error {
    Error::new(ErrorKind::ContainerDamaged { layer: "ZIP", detail: detail.to_owned() })
}

fn unsupported(detail: String) -> Error {
    Error::new(ErrorKind::ContainerUnsupported { layer: "ZIP", detail })
}

/// Why an archive has bytes that are nothing, or not what they should be.
fn laid_out(fault: zip_layout::Fault) -> Error {
    match fault {
        zip_layout::Fault::Io(error) => unreadable(ZipError::Io(error)),
        zip_layout::Fault::Odd(detail) => damaged(detail),
    }
}

/// Why an archive's directory cannot be read.
fn unreadable(error: ZipError) -> Error {
    match error {
        ZipError::UnsupportedArchive(what) => unsupported(what.to_lowercase()).caused_by(error),
        ZipError::Io(ref io)
            if io.kind() != io::ErrorKind::UnexpectedEof && io.kind() != io::ErrorKind::InvalidData =>
        {
            damaged("its directory cannot be read").caused_by(error)
        }
        _ => damaged("the file ends early, or its directory was changed").caused_by(error),
    }
}

/// Why a member cannot be opened.
fn opening(error: ZipError) -> Error {
    match error {
        ZipError::UnsupportedArchive(what) => unsupported(what.to_lowercase()).caused_by(error),
        error => damaged("the head of a member was changed, or the file ends early").caused_by(error),
    }
}

fn broken(error: io::Error) -> Error {
    let detail = match error.kind() {
        io::ErrorKind::UnexpectedEof => "the file ends early",
        _ => "the content does not match its checksum",
    };
    damaged(detail).caused_by(error)
}

fn broken_or_wrong_password(error: io::Error) -> Error {
    damaged("the check at the end fails, so the password is wrong, or the file was changed or cut").caused_by(error)
}
