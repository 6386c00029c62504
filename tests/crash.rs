//! A run that is ended at any instant leaves the old output or the new one, whole, and never anything else.
//!
//! The program is killed for real, at instants spread over the time that an undisturbed run takes, so that reading,
//! writing and renaming are all hit. Compared is always with the bytes of an undisturbed run.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use data_encoding::BASE32_NOPAD;

/// Enough for many chunks on many threads, and for a run that takes a while; a debug build takes ten times as long.
const TOKENS: u32 = if cfg!(debug_assertions) { 30_000 } else { 200_000 };
/// Kills spread over one run, and a little beyond its end.
const INSTANTS: u32 = 8;
const OLD: &[u8] = b"what stood here before\n";

/// A folder with a delivery in it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// The seeds are invented: their first bytes count, so that no two are equal.
    fn new(tokens: u32) -> Self {
        let mut text = String::from("upn,serial number,secret key,time interval,manufacturer,model\n");
        for number in 0..tokens {
            let mut seed = *b"\0\0\0\0 invented by crash.rs";
            seed[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_be_bytes());
            let key = BASE32_NOPAD.encode(&seed[..20]);
            let _ = writeln!(text, ",{number:010},{key},30,Example Tokens,OTP c200");
        }
        let folder = tempfile::tempdir().expect("a folder for the run");
        fs::write(folder.path().join("tokens.csv"), text).expect("the delivery can be written");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, options: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seedmill"));
        command
            .args(["convert", "tokens.csv", "--to", "graph", "--set", "hash=sha1", "-q"])
            .args(options)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// Runs undisturbed, and says how long that took.
    fn run(&self, options: &[&str]) -> (Output, Duration) {
        let begun = Instant::now();
        let output = self.command(options).output().expect("the program starts");
        assert!(output.status.success(), "{options:?}: {}", String::from_utf8_lossy(&output.stderr));
        (output, begun.elapsed())
    }

    /// Everything in the folder but the delivery.
    fn left(&self) -> BTreeMap<String, Vec<u8>> {
        let mut left = contents(self.folder.path());
        left.remove("tokens.csv");
        left
    }
}

/// Every file by its name from `folder`.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("a folder can be listed").path();
        let name = path.file_name().expect("an entry has a name").to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(contents(&path).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            found.insert(name, fs::read(&path).expect("a file can be read"));
        }
    }
    found
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

/// Waits for what a run writes first; `None` when the run was over before.
fn until_begun(child: &mut Child, part: &Path) -> Option<()> {
    const PATIENCE: Duration = Duration::from_secs(30);
    let begun = Instant::now();
    while !part.exists() {
        if child.try_wait().expect("a child can be asked").is_some() {
            return None;
        }
        assert!(begun.elapsed() < PATIENCE, "{} never appears", part.display());
        sleep(Duration::from_millis(1));
    }
    Some(())
}

#[test]
fn a_killed_run_leaves_the_old_file_or_the_new_one() {
    let place = Place::new(TOKENS);
    let (_, whole_run) = place.run(&["-o", "expected.json"]);
    let expected = fs::read(place.path("expected.json")).expect("it was written");
    let (out, part) = (place.path("out.json"), place.path("out.json.part"));

    let (mut kept, mut left_behind) = (0, 0);
    for instant in 0..=INSTANTS {
        fs::write(&out, OLD).expect("the old file can be written");
        let mut child = place.command(&["-o", "out.json", "--force"]).spawn().expect("the program starts");
        sleep(whole_run * instant / INSTANTS);
        child.kill().expect("a child can be killed");
        child.wait().expect("a child can be awaited");

        let found = fs::read(&out).expect("there is always a file");
        if found == OLD {
            kept += 1;
        } else {
            assert!(found == expected, "instant {instant}: {} bytes that are neither old nor new", found.len());
            assert_eq!(mode(&out), 0o600);
            assert!(!part.exists(), "the part has become the file");
        }
        if part.exists() {
            left_behind += 1;
            assert_eq!(mode(&part), 0o600, "instant {instant}");
        }
        assert!(place.left().keys().all(|name| ["expected.json", "out.json", "out.json.part"].contains(&&**name)));
    }
    assert!(kept > 0, "no run was killed before its end");
    assert!(left_behind > 0, "no run was killed while it wrote");

    place.run(&["-o", "out.json", "--force"]);
    assert!(fs::read(&out).expect("it was written") == expected);
    assert!(!part.exists(), "the next run replaces what a dead one left");
}

#[test]
fn a_dead_runs_part_is_replaced_and_said() {
    let place = Place::new(10);
    fs::write(place.path("out.json.part"), "half of something").expect("the part can be written");
    let output = Command::new(env!("CARGO_BIN_EXE_seedmill"))
        .args(["convert", "tokens.csv", "--to", "graph", "-o", "out.json"])
        .current_dir(place.folder.path())
        .output()
        .expect("the program starts");
    let text = String::from_utf8_lossy(&output.stderr);
    let warning = "warning: `out.json.part` was left by a run that was cut short; it is replaced\n";
    assert!(text.contains(warning), "{text}");
    assert_eq!(place.left().keys().collect::<Vec<_>>(), ["out.json"]);
}

#[test]
fn a_killed_run_leaves_a_whole_folder_of_batches_or_none() {
    let place = Place::new(TOKENS / 2);
    let options = |name: &'static str| ["-o", name, "--batch-size", "1000"];
    let (_, whole_run) = place.run(&options("expected"));
    let expected = contents(&place.path("expected"));
    assert_eq!(expected.len(), TOKENS as usize / 2 / 1000 + 1, "the batches, and the manifest");
    let folder = place.path("out");

    let mut kept = 0;
    for instant in 0..=INSTANTS {
        if folder.exists() {
            fs::remove_dir_all(&folder).expect("the folder can be removed");
        }
        let mut child = place.command(&options("out")).spawn().expect("the program starts");
        sleep(whole_run * instant / INSTANTS);
        child.kill().expect("a child can be killed");
        child.wait().expect("a child can be awaited");
        if folder.exists() {
            assert!(contents(&folder) == expected, "instant {instant}: the folder is not whole");
            assert_eq!(mode(&folder), 0o700);
        } else {
            kept += 1;
        }
        let part = place.path("out.part");
        if part.exists() {
            assert_eq!(mode(&part), 0o700, "instant {instant}");
            for name in contents(&part).keys() {
                assert_eq!(mode(&part.join(name)), 0o600, "instant {instant}: {name}");
            }
        }
    }
    assert!(kept > 0, "no run was killed before its end");
    place.run(&["-o", "out", "--batch-size", "1000", "--force"]);
    assert!(contents(&folder) == expected);
    assert!(!place.path("out.part").exists(), "the next run replaces what a dead one left");
}

// Elsewhere two renames are needed, and a run can be killed between them.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
#[test]
fn a_killed_run_by_force_leaves_the_old_folder_or_the_new_one() {
    let place = Place::new(1_000);
    let options = |size: &'static str| ["-o", "out", "--batch-size", size, "--force"];
    let folder = place.path("out");
    let (mut sizes, mut whole) = (["500", "250"], Vec::new());
    let mut whole_run = Duration::ZERO;
    for size in sizes {
        whole_run = place.run(&options(size)).1;
        whole.push(contents(&folder));
    }
    // Small and often: the exchange is a short instant at the very end.
    for instant in 0..60 {
        sizes.reverse();
        let mut child = place.command(&options(sizes[0])).spawn().expect("the program starts");
        sleep(whole_run.mul_f64(0.7 + 0.01 * f64::from(instant)));
        child.kill().expect("a child can be killed");
        child.wait().expect("a child can be awaited");
        assert!(folder.exists(), "instant {instant}: no folder");
        assert!(whole.contains(&contents(&folder)), "instant {instant}: neither the old folder nor the new one");
    }
}

/// Tells a run to stop while it works; `None` when it was over before it heard.
fn told_to_stop(place: &Place, signal: &str, options: &[&str]) -> Option<Output> {
    let mut child = place.command(options).spawn().expect("the program starts");
    until_begun(&mut child, &place.path("out.part"))?;
    let told = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
    told.expect("there is a `kill`");
    let output = child.wait_with_output().expect("a child can be awaited");
    (!output.status.success()).then_some(output)
}

#[test]
fn a_run_that_is_told_to_stop_leaves_nothing() {
    const TRIES: u32 = 20;
    let place = Place::new(TOKENS);
    for (signal, options) in [
        ("TERM", &["-o", "out", "--force"][..]),
        ("INT", &["-o", "out", "--force"]),
        ("HUP", &["-o", "out", "--force"]),
        ("TERM", &["-o", "out", "--batch-size", "1000", "--force"]),
        ("INT", &["-o", "out", "--batch-size", "1000", "--force", "--report", "report.json"]),
    ] {
        let output = (0..TRIES)
            .find_map(|_| {
                let _ = fs::remove_file(place.path("out"));
                let _ = fs::remove_dir_all(place.path("out"));
                let _ = fs::remove_file(place.path("report.json"));
                told_to_stop(&place, signal, options)
            })
            .expect("one run of many hears it in time");
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{signal}: {text}");
        assert_eq!(text, "interrupted\n", "{signal}");
        let left = place.left();
        assert!(left.is_empty(), "{signal} {options:?} leaves {:?}", left.keys());
        assert!(!place.path("out.part").exists(), "{signal} {options:?} leaves the folder");
    }
}

#[test]
fn the_result_does_not_depend_on_the_number_of_threads() {
    let place = Place::new(TOKENS / 2);
    let outputs = ["1", "2", "5"].map(|threads| {
        let name = format!("out-{threads}.json");
        place.run(&["-o", &name, "--threads", threads]);
        fs::read(place.path(&name)).expect("it was written")
    });
    let items = outputs[0].iter().filter(|byte| **byte == b'\n').count();
    assert!(items > TOKENS as usize / 2, "a line for each token: found {items}");
    assert!(outputs[0] == outputs[1] && outputs[1] == outputs[2]);
}
