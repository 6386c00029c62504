//! Every vendor's file through the whole program, to every format that is written.
//!
//! What must come out is what other programs read: `NAME.truth` was worked out by Python, `truth.json` by python-pskc.
//! What was written is read here by plain `serde_json` and `csv`, not by this program's readers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use serde_json::Value;

/// What the vendor's order says, for fields that the file lacks; a record that has a field keeps its own.
const ORDER: [&str; 10] = [
    "--set",
    "manufacturer=Example Tokens",
    "--set",
    "model=c200",
    "--set",
    "period=60",
    "--set",
    "hash=sha1",
    "--allow",
    "text-control",
];
const TARGETS: [&str; 4] = ["graph", "entra-csv", "csv", "jsonl"];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// What a file needs to be said about it that it does not say itself.
fn needed(name: &str) -> &'static [&'static str] {
    match name {
        "mi-token/entra-shaped.csv" => &["--seed-encoding", "hex"],
        "deepnet/custom-no-header.csv" => {
            &["--from", "csv", "--no-header", "--column", "seed=2", "--column", "serial=3"]
        }
        "duo/token2.txt" | "duo/powershell.txt" => &["--from", "duo"],
        "duo/counters.csv" => &["--from", "duo", "--set", "type=hotp"],
        "pingid/tokens.txt" => &["--from", "pingid"],
        "swivel/seeds.txt" => &["--from", "swivel"],
        "feitian/hotp.txt" => &["--from", "feitian", "--set", "type=hotp"],
        "phenixid/hotp.csv" => &["--from", "phenixid"],
        "protectimus/tokens.csv" => &["--from", "protectimus"],
        "safenet/tokens.xml" => &["--allow", "serial-duplicate"],
        _ => &[],
    }
}

/// Files with tokens that the tables or Entra cannot hold: HOTP, eight digits, SHA-256.
const BEYOND_ENTRA: [&str; 17] = [
    "deepnet/dualshield-event.xml",
    "duo/counters.csv",
    "feitian/hotp.txt",
    "linotp/tokens.csv",
    "microsoft/list-sha256.json",
    "multiotp/tokens.csv",
    "multiotp/tokens.tsv",
    "otpauth/keys.txt",
    "phenixid/hotp.csv",
    "phenixid/tokens.csv",
    "privacyidea/version-1.csv",
    "privacyidea/version-2.csv",
    "rcdevs/inventory.csv",
    "safenet/tokens.xml",
    "safeword/importAlpine.dat",
    "yubico/format.csv",
    "yubico/traditional.csv",
];

/// Files with `NAME.truth` beside them, by name from `fixtures/vendor`.
fn with_truth() -> Vec<String> {
    let vendors = fs::read_dir(fixtures().join("vendor")).expect("the folder is there");
    let mut names: Vec<String> = vendors
        .map(|entry| entry.expect("a folder can be listed").path())
        .flat_map(|vendor| fs::read_dir(vendor).expect("a vendor is a folder"))
        .map(|entry| entry.expect("a folder can be listed").path())
        .filter_map(|path| {
            let name = path.strip_prefix(fixtures().join("vendor")).expect("it lies there").to_string_lossy();
            name.replace('\\', "/").strip_suffix(".truth").map(str::to_owned)
        })
        .collect();
    names.sort();
    names
}

/// Converts, and returns what was written.
fn converted(delivery: &Path, target: &str, options: &[&str]) -> Result<String, String> {
    let folder = tempfile::tempdir().expect("a folder for the run");
    let out = folder.path().join("out");
    let output = Command::new(env!("CARGO_BIN_EXE_seedmill"))
        .arg("convert")
        .arg(delivery)
        .args(["--to", target, "-o"])
        .arg(&out)
        .args(if target == "csv" {
            &["--out-columns", "SN=serial,Key=seed", "--out-seed-encoding", "hex"][..]
        } else {
            &[]
        })
        .args(options)
        .current_dir(folder.path())
        .env_remove("SEEDMILL_PASSWORD")
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    fs::read_to_string(out).map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())
}

fn unsealed(base32: &str) -> String {
    HEXLOWER.encode(&BASE32_NOPAD.decode(base32.as_bytes()).expect("Base32 in capitals without padding"))
}

/// Serials and seeds in hex, in the order of the output.
fn tokens(target: &str, output: &str) -> Vec<(String, String)> {
    let word = |value: &Value| value.as_str().expect("it is text").to_owned();
    match target {
        "graph" => {
            let body: Value = serde_json::from_str(output).expect("it is JSON");
            assert_eq!(body["@context"], "#$delta");
            let items = body["value"].as_array().expect("a list").iter();
            items.map(|item| (word(&item["serialNumber"]), unsealed(&word(&item["secretKey"])))).collect()
        }
        "jsonl" => {
            let lines = output.lines().map(|line| serde_json::from_str::<Value>(line).expect("it is JSON"));
            lines.map(|line| (word(&line["serial"]), unsealed(&word(&line["seed"])))).collect()
        }
        table => {
            let mut rows = csv::Reader::from_reader(output.as_bytes());
            let header: Vec<_> = rows.headers().expect("a header").iter().map(str::to_owned).collect();
            let entra = ["upn", "serial number", "secret key", "time interval", "manufacturer", "model"];
            let (serial, seed) = if table == "csv" { (0, 1) } else { (1, 2) };
            assert_eq!(header, if table == "csv" { &["SN", "Key"][..] } else { &entra });
            let rows = rows.records().map(|row| row.expect("a whole row"));
            let hex = |text: &str| if table == "csv" { text.to_owned() } else { unsealed(text) };
            rows.map(|row| (row[serial].to_owned(), hex(&row[seed]))).collect()
        }
    }
}

#[test]
fn every_vendors_table_and_json_comes_out_with_the_seeds_that_python_reads() {
    let names = with_truth();
    assert!(names.len() >= 17, "{names:?}");
    for name in &names {
        let delivery = fixtures().join("vendor").join(name);
        let truth = fs::read_to_string(format!("{}.truth", delivery.display())).expect("it has a truth");
        let expected: Vec<(String, String)> = truth
            .lines()
            .map(|line| line.split_once(' ').expect("serial and seed"))
            .map(|(serial, seed)| (serial.to_owned(), seed.to_owned()))
            .collect();
        let options = [needed(name), &ORDER].concat();
        for target in TARGETS {
            match converted(&delivery, target, &options) {
                Ok(output) => assert_eq!(tokens(target, &output), expected, "{name} to {target}"),
                Err(said) => {
                    assert!(BEYOND_ENTRA.contains(&name.as_str()), "{name}: {said}");
                    assert_ne!(target, "jsonl", "{name}: {said}");
                    let why = ["[hash-unsupported]", "[type-unsupported]", "[digits-unsupported]"];
                    assert!(why.iter().any(|code| said.contains(code)), "{name}: {said}");
                }
            }
        }
    }
}

#[test]
fn every_pskc_comes_out_with_the_fields_that_python_pskc_reads() {
    let folder = tempfile::tempdir().expect("a folder for the secrets");
    let (key, password) = (folder.path().join("key.txt"), folder.path().join("pw.txt"));
    let list = fs::read(fixtures().join("vendor/pskc/truth.json")).expect("the fixture is there");
    let list: Vec<Value> = serde_json::from_slice(&list).expect("it is JSON");
    assert!(list.len() >= 17);
    for entry in &list {
        let file = entry["file"].as_str().expect("a name");
        let mut options = vec!["--set", "hash=sha1", "--set", "digits=6", "--allow", "serial-duplicate"];
        for (secret, path, option) in [("key", &key, "--pskc-key-file"), ("passphrase", &password, "--password-file")] {
            if let Some(text) = entry["secrets"][secret].as_str() {
                fs::write(path, text).expect("the secret can be written");
                options.extend([option, path.to_str().expect("it is text")]);
            }
        }
        let output = converted(&fixtures().join("vendor/pskc").join(file), "jsonl", &options)
            .unwrap_or_else(|said| panic!("{file}: {said}"));
        let found: Vec<BTreeMap<String, Value>> =
            output.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
        let expected = entry["tokens"].as_array().expect("a list");
        assert_eq!(found.len(), expected.len(), "{file}");
        for (found, expected) in found.iter().zip(expected) {
            let seed = found["seed"].as_str().expect("a token has a seed");
            assert_eq!(unsealed(seed), expected["seed"], "{file}");
            for field in ["serial", "issue", "key_id", "manufacturer", "type", "digits", "period", "counter"] {
                let text = match &found[field] {
                    Value::Number(number) => Value::String(number.to_string()),
                    other => other.clone(),
                };
                // A file may leave the digits out; six are what the order says.
                let expected =
                    if field == "digits" && expected[field].is_null() { "6".into() } else { expected[field].clone() };
                assert_eq!(text, expected, "{file}: {field}");
            }
        }
    }
}
