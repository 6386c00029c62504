//! One case: a folder with a command in it, and what the command must do.
//!
//! # Shape
//!
//! ```text
//! fixtures/cases/NAME/
//!   case.toml     about, args, exit; where needed: env, stdin, files
//!   input/        copied into the folder that the program runs in
//!   stdout        expected; absent means empty
//!   stderr        expected; absent means empty
//!   output/       every file that the program leaves behind, byte for byte
//! ```
//!
//! ```toml
//! about = "a wrong password stops the run"
//! args = ["check", "a.zip", "--password-file", "wrong.txt"]
//! exit = 2
//! env = { SEEDMILL_PASSWORD = "not this one" }  # nothing else of the kind is set
//! stdin = "tokens.csv"                          # a file of the run's folder
//! files = { "a.zip" = "container/aes256.zip" }  # copied from fixtures/ under another name
//! ```
//!
//! # Leniency
//!
//! What differs from run to run is written as a word: the run's folder as `$DIR`, a fingerprint as `#$FINGERPRINT`, the
//! program's version in a report or manifest as `$VERSION`, the system's own words for a failed call as `$SYSTEM`. Bytes that are no UTF-8 are compared as they are.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use tempfile::TempDir;

/// What `case.toml` says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    about: String,
    args: Vec<String>,
    exit: i32,
    #[serde(default)]
    env: BTreeMap<String, String>,
    stdin: Option<String>,
    #[serde(default)]
    files: BTreeMap<String, String>,
}

/// A command and what it must do.
pub(crate) struct Case {
    /// The folder's name.
    pub(crate) name: String,
    folder: PathBuf,
    script: Script,
}

/// What a command did.
pub(crate) struct Run {
    exit: Option<i32>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// Files that were not there before, or that have other content now.
    written: BTreeMap<String, Vec<u8>>,
    /// Files that were there before and are gone.
    lost: Vec<String>,
    /// New files that others than their owner may read.
    open_to_others: Vec<String>,
}

impl Case {
    pub(crate) fn read(folder: &Path) -> Self {
        let name = folder.file_name().expect("a case has a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(folder.join("case.toml")).unwrap_or_else(|error| panic!("{name}: {error}"));
        let script: Script = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}/case.toml: {error}"));
        assert!(!script.about.is_empty(), "{name}: says nothing about itself");
        Self { name, folder: folder.to_owned(), script }
    }

    /// Runs the program in a folder of its own.
    pub(crate) fn run(&self) -> Run {
        let place = TempDir::new().expect("a folder for the run");
        let place = place.path().canonicalize().map(|path| (path, place)).expect("the folder is there");
        let (folder, _keep) = (&place.0, &place.1);
        copy(&self.folder.join("input"), folder);
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        for (name, source) in &self.script.files {
            let target = folder.join(name);
            fs::create_dir_all(target.parent().expect("it is in the folder")).expect("a folder");
            fs::copy(fixtures.join(source), target).unwrap_or_else(|error| panic!("{}: {source}: {error}", self.name));
        }
        let before = files(folder);

        let stdin = match &self.script.stdin {
            Some(name) => File::open(folder.join(name)).expect("the file for standard input is there").into(),
            None => Stdio::null(),
        };
        let done = Command::new(env!("CARGO_BIN_EXE_seedmill"))
            .args(&self.script.args)
            .current_dir(folder)
            .env_remove("SEEDMILL_PASSWORD")
            .env_remove("COLUMNS")
            .envs(&self.script.env)
            .stdin(stdin)
            .output()
            .expect("the program starts");

        let after = files(folder);
        let open_to_others = after.keys().filter(|name| !before.contains_key(*name) && is_open(&folder.join(name)));
        Run {
            exit: done.status.code(),
            stdout: settled(done.stdout, folder),
            stderr: settled(done.stderr, folder),
            lost: before.keys().filter(|name| !after.contains_key(*name)).cloned().collect(),
            open_to_others: open_to_others.cloned().collect(),
            written: after
                .iter()
                .filter(|(name, content)| before.get(*name) != Some(content))
                .map(|(name, content)| (name.clone(), settled(content.clone(), folder)))
                .collect(),
        }
    }
}

impl Run {
    /// Everything that is not as the case expects.
    pub(crate) fn faults(&self, case: &Case) -> Vec<String> {
        let mut faults = Vec::new();
        if self.exit != Some(case.script.exit) {
            faults.push(format!("expected exit code {}, but found {:?}", case.script.exit, self.exit));
        }
        for (name, found) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            faults.extend(difference(name, &fs::read(case.folder.join(name)).unwrap_or_default(), found));
        }
        let mut expected = files(&case.folder.join("output"));
        for (name, found) in &self.written {
            match expected.remove(name) {
                Some(expected) => faults.extend(difference(name, &expected, found)),
                None => faults.push(format!("`{name}` was written, but is not expected")),
            }
            if name.split('/').any(|step| step.ends_with(".part")) {
                faults.push(format!("`{name}` is unfinished"));
            }
        }
        faults.extend(expected.keys().map(|name| format!("`{name}` was not written")));
        faults.extend(self.lost.iter().map(|name| format!("`{name}` is gone")));
        faults.extend(self.open_to_others.iter().map(|name| format!("others may read `{name}`: expected mode 600")));
        faults
    }

    /// Makes what was done the expectation.
    pub(crate) fn write_expectation(&self, folder: &Path) {
        for (name, content) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            let path = folder.join(name);
            if content.is_empty() {
                remove(fs::remove_file(path));
            } else {
                fs::write(path, content).expect("the expectation can be written");
            }
        }
        let output = folder.join("output");
        remove(fs::remove_dir_all(&output));
        for (name, content) in &self.written {
            let path = output.join(name);
            fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder");
            fs::write(path, content).expect("the expectation can be written");
        }
    }
}

fn remove(removed: std::io::Result<()>) {
    if let Err(error) = removed {
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}");
    }
}

/// Says where two contents part, with the lines.
fn difference(name: &str, expected: &[u8], found: &[u8]) -> Option<String> {
    if expected == found {
        return None;
    }
    let (expected, found) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(found));
    let at = expected.lines().zip(found.lines()).take_while(|(expected, found)| expected == found).count();
    let line = |text: &str| text.lines().nth(at).map_or_else(|| "the end".to_owned(), |line| format!("`{line}`"));
    Some(format!(
        "{name}, line {}: expected {}, but found {}\n--- all of it:\n{found}---",
        at + 1,
        line(&expected),
        line(&found)
    ))
}

/// Replaces what differs from run to run.
fn settled(content: Vec<u8>, folder: &Path) -> Vec<u8> {
    let text = match String::from_utf8(content) {
        Ok(text) => text,
        Err(error) => return error.into_bytes(),
    };
    let version = format!("\"seedmill\":\"{}\"", env!("CARGO_PKG_VERSION"));
    let text = text.replace(&*folder.to_string_lossy(), "$DIR").replace(&version, "\"seedmill\":\"$VERSION\"");
    // A manifest is indented.
    let text = text.replace(&version.replace(':', ": "), "\"seedmill\": \"$VERSION\"");
    without_system_texts(&without_fingerprints(&text)).into_bytes()
}

/// What the system says of a failed call differs from system to system.
fn without_system_texts(text: &str) -> String {
    let settled = |line: &str| match line.split_once("caused by: ") {
        Some((before, cause)) if cause.contains("(os error ") => format!("{before}caused by: $SYSTEM\n"),
        _ => line.to_owned(),
    };
    text.split_inclusive('\n').map(settled).collect()
}

/// `#` and eight hex digits are a fingerprint, under a key that each run draws anew.
fn without_fingerprints(text: &str) -> String {
    const DIGITS: usize = 8;
    let mut settled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('#') {
        settled.push_str(before);
        settled.push('#');
        let digits = after.bytes().take_while(u8::is_ascii_hexdigit).count();
        rest = if digits == DIGITS {
            settled.push_str("$FINGERPRINT");
            &after[DIGITS..]
        } else {
            after
        };
    }
    settled + rest
}

/// Every file in a folder by its name from there, with `/` on every system.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.expect("a folder can be listed").path();
        let name = path.file_name().expect("an entry has a name").to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|(inner, content)| (format!("{name}/{inner}"), content)));
        } else {
            found.insert(name, fs::read(&path).expect("a file can be read"));
        }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    for (name, content) in files(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder");
        fs::write(path, content).expect("a file can be copied");
    }
}

#[cfg(unix)]
fn is_open(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).expect("the file is there").permissions().mode() & 0o777 != 0o600
}

#[cfg(not(unix))]
fn is_open(_path: &Path) -> bool {
    false
}

#[test]
fn only_whole_fingerprints_are_replaced() {
    assert_eq!(without_fingerprints("seed #0123abcd, #0123abcde and #12"), "seed #$FINGERPRINT, #0123abcde and #12");
    assert_eq!(without_fingerprints("\"#$delta\""), "\"#$delta\"");
}
