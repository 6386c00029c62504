//! Real tools' containers in, known payloads out; and everything that must not come out.

mod pgp;
mod walk;
mod zip;

use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Input, Layer, Visit, Visitor, unseal};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{Limit, Limits};
use crate::record::{Code, Keyring, Passphrase, PgpKey, Plain, Trail};

const PASSWORD: &str = "correct horse";
const CSV: &[u8] = include_bytes!("../../../fixtures/container/tokens.csv");

/// Collects what it is shown.
#[derive(Default)]
struct Collect {
    members: Vec<(String, Vec<u8>)>,
    layers: Vec<(String, Layer, String)>,
    findings: Vec<(String, Code, String)>,
    /// Names whose member is asked for later.
    later: Vec<&'static str>,
    /// Names that are not wanted.
    unwanted: Vec<&'static str>,
    /// Names that are not even opened.
    shut: Vec<&'static str>,
    /// Reads so many bytes only.
    reads: Option<u64>,
}

impl Visitor for Collect {
    fn enters(&mut self, trail: &Trail) -> bool {
        !self.shut.contains(&trail.name())
    }

    fn wants(&mut self, trail: &Trail) -> bool {
        !self.unwanted.contains(&trail.name())
    }

    fn member(&mut self, trail: &Trail, content: &mut dyn Read, _: &mut Keyring) -> Result<Visit> {
        let mut bytes = Vec::new();
        let read = content.take(self.reads.unwrap_or(u64::MAX)).read_to_end(&mut bytes);
        read.map_err(|error| Error::reading(error, trail.name()))?;
        self.members.push((trail.to_string(), bytes));
        let later = self.later.iter().position(|name| *name == trail.name());
        Ok(later.map_or(Visit::Done, |at| {
            self.later.remove(at);
            Visit::Later
        }))
    }

    fn layer(&mut self, trail: &Trail, layer: Layer, detail: &str) {
        self.layers.push((trail.to_string(), layer, detail.to_owned()));
    }

    fn finding(&mut self, trail: &Trail, code: Code, message: String) {
        self.findings.push((trail.to_string(), code, message));
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/container").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    fs::read(fixture(name)).expect("the fixture is there")
}

fn key(name: &str) -> PgpKey {
    let mut plain = Plain::default();
    plain.extend(&bytes(name));
    PgpKey { name: name.to_owned(), bytes: plain }
}

fn keyring(passwords: &[&str], keys: &[&str], signers: &[&str]) -> Keyring {
    let mut keyring = Keyring::default();
    for password in passwords {
        keyring.add_passphrase(Passphrase::new(password.as_bytes().to_vec()));
    }
    keyring.pgp_keys = keys.iter().map(|name| key(name)).collect();
    keyring.signers = signers.iter().map(|name| key(name)).collect();
    keyring
}

fn run(inputs: Vec<Input>, mut keyring: Keyring, mut visitor: Collect) -> (Result<()>, Collect) {
    let progress = AtomicU64::new(0);
    let result = unseal(inputs, &mut keyring, &Limits::default(), &progress, &mut visitor);
    (result, visitor)
}

/// One stream, so that no file has to be written for each damaged variant.
fn run_bytes(bytes: &[u8], keyring: Keyring) -> (Result<()>, Collect) {
    let source = Cursor::new(bytes.to_vec());
    run(vec![Input::Stream(Box::new(source), "-".to_owned())], keyring, Collect::default())
}

fn open(name: &str, keyring: Keyring) -> Collect {
    let (result, visitor) = run(vec![Input::Path(fixture(name))], keyring, Collect::default());
    result.unwrap_or_else(|error| panic!("{name}: {error}, caused by {:?}", std::error::Error::source(&error)));
    visitor
}

fn refused(name: &str, keyring: Keyring) -> Error {
    let (result, _) = run(vec![Input::Path(fixture(name))], keyring, Collect::default());
    result.expect_err(name)
}

/// The path of a fixture is not the same everywhere: what follows it in the trail.
fn behind(trail: &str) -> &str {
    trail.split_once(" > ").map_or("", |(_, rest)| rest)
}

#[track_caller]
fn check(name: &str, keyring: Keyring, member: &str, layer: Layer, detail: &str) {
    let found = open(name, keyring);
    assert_eq!(found.members.len(), 1, "{name}");
    assert_eq!(found.members[0].1, CSV, "{name}");
    assert_eq!(behind(&found.members[0].0), member, "{name}");
    assert_eq!((found.layers[0].1, found.layers[0].2.as_str()), (layer, detail), "{name}");
}

/// A ZIP of stored or deflated members, as the `zip` crate writes it.
fn zip_of(members: &[(&str, &[u8])], method: ::zip::CompressionMethod) -> Vec<u8> {
    let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = ::zip::write::SimpleFileOptions::default().compression_method(method);
        writer.start_file(*name, options).expect("a name");
        writer.write_all(content).expect("memory");
    }
    writer.finish().expect("memory").into_inner()
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = bytes.to_vec();
    while let Some(at) = memchr::memmem::find(&replaced, from) {
        replaced[at..at + from.len()].copy_from_slice(to);
    }
    replaced
}

/// Whatever is done to a container, it may not end well with other content than it had.
#[track_caller]
fn never_other_content(damaged: &[u8], keyring: Keyring, what: &str) {
    let (result, found) = run_bytes(damaged, keyring);
    if result.is_ok() {
        // A damaged head makes it a member like any other, which no format will fit.
        let is_known = |content: &Vec<u8>| content == CSV || content == damaged;
        assert!(found.members.iter().all(|(_, content)| is_known(content)), "{what}: other content");
    }
}

#[track_caller]
fn check_cuts(name: &str) {
    let whole = bytes(name);
    let keyring = || keyring(&[PASSWORD], &["curve25519.key.asc", "rsa.key.asc"], &[]);
    // Below the least nothing tells it from a member; the last line of armor is but a mark.
    let (least, most) = if name.ends_with(".asc") { (27, whole.len() - 60) } else { (8, whole.len()) };
    for length in least..most {
        let (result, _) = run_bytes(&whole[..length], keyring());
        assert!(result.is_err(), "{name} cut to {length} bytes");
    }
    for length in most..whole.len() {
        never_other_content(&whole[..length], keyring(), &format!("{name} cut to {length} bytes"));
    }
}

#[track_caller]
fn check_flips(name: &str, flip: u8) {
    let whole = bytes(name);
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= flip;
        let keyring = keyring(&[PASSWORD], &["curve25519.key.asc"], &[]);
        never_other_content(&damaged, keyring, &format!("{name}, byte {at} ^ {flip:#x}"));
    }
}
