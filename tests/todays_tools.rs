//! What the tools of today get wrong: one test for each fault, through the program, as a user meets it.
//!
//! Seeds are compared with what python-pskc or Python's `base64` read, never with what this program reads elsewhere.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use data_encoding::{BASE32_NOPAD, HEXLOWER};

/// Invented: three seeds of twenty bytes.
const SEEDS: [&str; 3] = [
    "4a1f5b2c8d7e6930a1b2c3d4e5f60718293a4b5c",
    "5b2c8d7e6930a1b2c3d4e5f60718293a4b5c6d7e",
    "6c3d9e8f7a41b2c3d4e5f6a718293a4b5c6d7e8f",
];
const HEADER: &str = "upn,serial number,secret key,time interval,manufacturer,model\n";
/// A key of the right length that opens nothing.
const WRONG_KEY: &str = "00112233445566778899aabbccddeeff";
const PASSPHRASE: &str = "correct horse battery staple";

/// A folder to run the program in.
struct Bench {
    folder: tempfile::TempDir,
}

/// What a run did.
#[derive(Debug)]
struct Done {
    exit: Option<i32>,
    said: String,
    /// The output, when there is one.
    output: Option<String>,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder for the run") }
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        fs::write(self.folder.path().join(name), content).expect("an input can be written");
        self
    }

    /// Converts `delivery`; the output is `out`.
    fn convert(&self, delivery: &str, to: &str, options: &[&str]) -> Done {
        let out = self.folder.path().join("out");
        let _ = fs::remove_file(&out);
        let done = Command::new(env!("CARGO_BIN_EXE_seedmill"))
            .args(["convert", delivery, "--to", to, "-o", "out"])
            .args(options)
            .current_dir(self.folder.path())
            .env_remove("SEEDMILL_PASSWORD")
            .stdin(Stdio::null())
            .output()
            .expect("the program starts");
        let left: Vec<_> = fs::read_dir(self.folder.path())
            .expect("the folder is there")
            .map(|entry| entry.expect("a folder can be listed").file_name().to_string_lossy().into_owned())
            .filter(|name| name.contains(".part"))
            .collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        Done {
            exit: done.status.code(),
            said: String::from_utf8_lossy(&done.stderr).into_owned(),
            output: fs::read_to_string(&out).ok(),
        }
    }
}

impl Done {
    /// Nothing was written, and the program said why.
    fn refused(&self, exit: i32, why: &str) {
        assert_eq!(self.exit, Some(exit), "{}", self.said);
        assert!(self.said.contains(why), "expected `{why}`, but found: {}", self.said);
        assert!(self.output.is_none(), "something was written: {}", self.said);
    }

    /// What was written as `jsonl`, by serial.
    fn tokens(&self) -> BTreeMap<String, serde_json::Value> {
        let output = self.output.as_deref().unwrap_or_else(|| panic!("nothing was written: {}", self.said));
        output
            .lines()
            .map(|line| {
                let token: serde_json::Value = serde_json::from_str(line).expect("a line is an object");
                (token["serial"].as_str().unwrap_or_default().to_owned(), token)
            })
            .collect()
    }

    /// The seeds that were written as `jsonl`, in hex by serial.
    fn seeds(&self) -> BTreeMap<String, String> {
        let seed = |token: &serde_json::Value| {
            let text = token["seed"].as_str().expect("a token has a seed");
            HEXLOWER.encode(&BASE32_NOPAD.decode(text.as_bytes()).expect("it is Base32 without padding"))
        };
        self.tokens().iter().map(|(serial, token)| (serial.clone(), seed(token))).collect()
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(fixture(name)).expect("the fixture is there")
}

/// What python-pskc reads in a file of `vendor/pskc`: the secrets that open it, and seeds by serial.
fn truth(file: &str) -> (serde_json::Value, BTreeMap<String, String>) {
    let list: Vec<serde_json::Value> = serde_json::from_str(&text("vendor/pskc/truth.json")).expect("it is JSON");
    let entry = list.into_iter().find(|entry| entry["file"] == file).expect("it is in the list");
    let word = |value: &serde_json::Value| value.as_str().expect("it is text").to_owned();
    let tokens = entry["tokens"].as_array().expect("a list");
    let seeds = tokens.iter().map(|token| (word(&token["serial"]), word(&token["seed"]))).collect();
    (entry["secrets"].clone(), seeds)
}

/// A bench with the key of `aes128.xml`.
fn with_key() -> (Bench, BTreeMap<String, String>) {
    let bench = Bench::new();
    let (secrets, seeds) = truth("aes128.xml");
    bench.put("key.txt", secrets["key"].as_str().expect("it has a key"));
    (bench, seeds)
}

fn base32(hex: &str) -> String {
    BASE32_NOPAD.encode(&HEXLOWER.decode(hex.as_bytes()).expect("it is hex"))
}

fn entra(serial: &str, key: &str, period: &str) -> String {
    format!(",{serial},{key},{period},Example Tokens,OTP c200\n")
}

#[test]
fn a_stripped_or_altered_value_mac_is_refused() {
    let (bench, seeds) = with_key();
    let good = text("vendor/pskc/aes128.xml");
    let serials: Vec<_> = seeds.keys().cloned().collect();
    // The ciphertext of the first seed, one bit of its last block turned; CBC alone would not notice.
    let (_, after) = good.split_once("<pskc:Secret>").expect("it has a seed");
    let (_, after) = after.split_once("<xenc:CipherValue>").expect("it is encrypted");
    let (cipher, _) = after.split_once('<').expect("it ends");
    let mut bytes = data_encoding::BASE64.decode(cipher.as_bytes()).expect("it is Base64");
    bytes[20] ^= 1;
    let altered = good.replace(cipher, &data_encoding::BASE64.encode(&bytes));

    for (name, content, code) in [
        ("stripped", text("invalid/pskc-mac-missing.xml"), "[mac-missing]"),
        ("altered MAC", text("invalid/pskc-mac-wrong.xml"), "[mac-mismatch]"),
        ("altered seed", altered, "[mac-mismatch]"),
    ] {
        bench.put("tokens.xml", content);
        bench.convert("tokens.xml", "jsonl", &["--pskc-key-file", "key.txt"]).refused(1, code);
        let rest = bench.convert("tokens.xml", "jsonl", &["--pskc-key-file", "key.txt", "--skip-rejected"]);
        assert_eq!(rest.exit, Some(1), "{name}");
        assert_eq!(rest.seeds().keys().collect::<Vec<_>>(), serials[1..].iter().collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn cbc_without_any_mac_is_refused() {
    let (bench, seeds) = with_key();
    bench.put("tokens.xml", text("invalid/pskc-cbc-without-mac.xml"));
    let options = ["--pskc-key-file", "key.txt", "--skip-rejected"];
    bench.convert("tokens.xml", "jsonl", &options).refused(1, "[mac-missing]");
    // Whoever takes it on himself is warned for every token.
    let allowed = bench.convert("tokens.xml", "jsonl", &[&options[..], &["--allow", "mac-missing"]].concat());
    assert_eq!(allowed.seeds(), seeds);
    assert!(allowed.said.contains("warning: the encrypted seed has no MAC"), "{}", allowed.said);
}

#[test]
fn a_file_that_was_cut_is_not_imported_by_half() {
    let bench = Bench::new();
    bench.put("pw.txt", "correct horse\n");
    bench.put("key.asc", text("container/rsa.key.asc"));
    let options = ["--password-file", "pw.txt", "--pgp-key", "key.asc", "--set", "hash=sha1", "--skip-rejected"];
    let mut cuts = 0;
    for name in [
        "container/aes256-ae1.zip",
        "container/aes256-ae2.zip",
        "container/zipcrypto.zip",
        "container/to-rsa.pgp",
        "container/to-rsa.asc",
        "container/symmetric-quick.pgp",
        "container/tokens.csv.gz",
        "vendor/deepnet/delta.json",
        "vendor/pskc/suites.xml",
    ] {
        let whole = fs::read(fixture(name)).expect("the fixture is there");
        bench.put("delivery", &whole);
        let done = bench.convert("delivery", "jsonl", &options);
        assert_eq!(done.exit, Some(0), "{name}: {}", done.said);
        // The last line of armor carries nothing, nor does white space at the end.
        let end = memchr::memmem::find(&whole, b"\n-----END").unwrap_or(whole.trim_ascii_end().len() - 1);
        for eighth in 1..=8 {
            let at = end * eighth / 8;
            bench.put("delivery", &whole[..at]);
            let done = bench.convert("delivery", "jsonl", &options);
            assert_eq!(done.exit, Some(2), "{name} cut at {at}: {}", done.said);
            assert!(done.output.is_none(), "{name} cut at {at}");
            assert!(done.said.contains("error: "), "{name} cut at {at}: {}", done.said);
            cuts += 1;
        }
    }
    assert_eq!(cuts, 72);
    // A table has no end mark, but a row that was cut has too few fields.
    let table = format!("{HEADER}{}{}", entra("1", &base32(SEEDS[0]), "30"), entra("2", &base32(SEEDS[1]), "30"));
    bench.put("delivery", &table[..table.rfind(",30,").expect("it is there") + 2]);
    bench.convert("delivery", "jsonl", &options).refused(2, "expected 6 fields, but found 4");
}

#[cfg(unix)]
#[test]
fn secrets_are_never_left_in_a_file_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    let table = format!("{HEADER}{}", entra("1", &base32(SEEDS[0]), "30"));
    let out = bench.folder.path().join("out.json");
    let run = |delivery: &str| {
        let program = env!("CARGO_BIN_EXE_seedmill");
        let line = format!("umask 000; exec '{program}' convert {delivery} --to graph -o out.json --force -q");
        let mut shell = Command::new("sh");
        shell.args(["-c", &line]).current_dir(bench.folder.path()).stderr(Stdio::null());
        (shell.status().expect("there is a shell").code(), out.exists())
    };
    bench.put("good.csv", &table).put("bad.csv", format!("{table},2,{}", base32(SEEDS[1])));

    assert_eq!(run("bad.csv"), (Some(2), false), "a failure leaves nothing");
    assert_eq!(fs::read_dir(bench.folder.path()).expect("the folder is there").count(), 2, "not even a part");
    assert_eq!(run("good.csv"), (Some(0), true));
    let mode = || fs::metadata(&out).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    // Neither does an older file lend its mode to the new one.
    fs::set_permissions(&out, fs::Permissions::from_mode(0o666)).expect("a mode can be set");
    assert_eq!(run("good.csv"), (Some(0), true));
    assert_eq!(mode(), 0o600);
}

#[test]
fn the_hash_that_pbkdf2_names_is_used() {
    for file in ["pbkdf2-sha1.xml", "pbkdf2-sha256.xml", "pbkdf2-sha512.xml"] {
        let bench = Bench::new();
        bench.put("pw.txt", PASSPHRASE).put("tokens.xml", text(&format!("vendor/pskc/{file}")));
        let options = ["--password-file", "pw.txt", "--set", "hash=sha256"];
        assert_eq!(bench.convert("tokens.xml", "jsonl", &options).seeds(), truth(file).1, "{file}");
    }
    // Another hash in the same place makes another key, which opens nothing.
    let bench = Bench::new();
    let other = text("vendor/pskc/pbkdf2-sha256.xml").replacen("hmac-sha256", "hmac-sha512", 1);
    assert_ne!(other, text("vendor/pskc/pbkdf2-sha256.xml"));
    bench.put("pw.txt", PASSPHRASE).put("tokens.xml", other);
    let options = ["--password-file", "pw.txt", "--set", "hash=sha256"];
    bench.convert("tokens.xml", "jsonl", &options).refused(2, "error: ");
}

#[test]
fn hmac_sha256_in_suite_stays_sha256() {
    let bench = Bench::new();
    bench.put("tokens.xml", text("invalid/pskc-suite-sha256.xml"));
    let options = ["--set", "model=c200"];
    let done = bench.convert("tokens.xml", "jsonl", &options);
    assert_eq!(done.tokens()["1"]["hash"], "sha256");
    let graph = bench.convert("tokens.xml", "graph", &options).output.expect("Graph takes SHA-256");
    assert!(graph.contains(r#""hashFunction":"hmacsha256""#), "{graph}");
    // The CSV has no place for it, so it must not be written as if it were SHA-1.
    bench.convert("tokens.xml", "entra-csv", &options).refused(1, "[hash-unsupported]");
}

#[test]
fn an_empty_manufacturer_is_a_finding_and_no_crash() {
    let bench = Bench::new();
    bench.put("tokens.xml", text("invalid/pskc-empty-manufacturer.xml"));
    let done = bench.convert("tokens.xml", "jsonl", &[]);
    assert_eq!(done.exit, Some(0), "{}", done.said);
    assert_eq!(done.tokens()["1"]["manufacturer"], serde_json::Value::Null);
    assert!(done.said.contains("[manufacturer-missing]"), "{}", done.said);
    let named = bench.convert("tokens.xml", "graph", &["--set", "manufacturer=Example Tokens", "--set", "model=c200"]);
    assert!(named.output.expect("nothing is missing now").contains(r#""manufacturer":"Example Tokens""#));
}

#[test]
fn salt_is_found_in_and_out_of_the_default_namespace() {
    let good = text("vendor/pskc/pbkdf2-sha1.xml");
    let truth = truth("pbkdf2-sha1.xml").1;
    assert!(good.contains("<Salt>"), "the fixture has it without a prefix");
    let prefixed = good.replace("<Salt>", "<xenc11:Salt>").replace("</Salt>", "</xenc11:Salt>");
    let pkcs5 = "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#";
    for (name, content) in [
        ("out of any", good.clone()),
        ("in none, by declaration", good.replace("<Salt>", r#"<Salt xmlns="">"#)),
        ("in that of xenc11", prefixed),
        ("in that of pkcs5", good.replace("<Salt>", &format!(r#"<Salt xmlns="{pkcs5}">"#))),
        (
            "in the default, which is PSKC's",
            good.replace("<pskc:", "<").replace("</pskc:", "</").replace("xmlns:pskc=", "xmlns="),
        ),
    ] {
        let bench = Bench::new();
        bench.put("pw.txt", PASSPHRASE).put("tokens.xml", &content);
        let done = bench.convert("tokens.xml", "jsonl", &["--password-file", "pw.txt", "--set", "hash=sha256"]);
        assert_eq!(done.seeds(), truth, "{name}");
    }
}

#[test]
fn a_time_step_of_0_and_a_length_of_0_are_refused() {
    let bench = Bench::new();
    bench.put("step.xml", text("invalid/pskc-time-step-0.xml")).put("length.xml", text("invalid/pskc-length-0.xml"));
    bench.put("step.csv", format!("{HEADER}{}", entra("1", &base32(SEEDS[0]), "0")));
    for delivery in ["step.xml", "step.csv"] {
        for target in ["jsonl", "graph", "entra-csv"] {
            bench.convert(delivery, target, &["--set", "model=c200"]).refused(1, "[period-unsupported]");
        }
    }
    bench.convert("length.xml", "jsonl", &["--set", "model=c200"]).refused(1, "[digits-unsupported]");
}

#[test]
fn junk_inside_base64_is_refused() {
    let bench = Bench::new();
    bench.put("tokens.xml", text("invalid/pskc-base64-junk.xml"));
    bench.convert("tokens.xml", "jsonl", &[]).refused(1, "[seed-encoding]");
    let seed = data_encoding::BASE64.encode(&HEXLOWER.decode(SEEDS[0].as_bytes()).expect("it is hex"));
    for junk in ["!", "*", "\u{a0}", "é", "="] {
        bench.put("tokens.csv", format!("serial,seed,period\n1,{}{junk}{},30\n", &seed[..8], &seed[8..]));
        let done = bench.convert("tokens.csv", "jsonl", &["--seed-encoding", "base64"]);
        assert_ne!(done.exit, Some(0), "{junk:?}: {}", done.said);
        assert!(done.output.is_none(), "{junk:?}");
    }
    bench.put("tokens.csv", format!("serial,seed,period\n1,{seed},30\n"));
    let done = bench.convert("tokens.csv", "jsonl", &["--seed-encoding", "base64"]);
    assert_eq!(done.seeds()["1"], SEEDS[0], "without junk it is read");
}

#[test]
fn no_duplicate_is_lost_in_silence() {
    let bench = Bench::new();
    let row = |serial: &str, seed: usize| entra(serial, &base32(SEEDS[seed]), "30");
    // One serial, two seeds: nobody knows which is the device's, so none may be kept, not even the first.
    bench.put("tokens.csv", [HEADER, &row("1", 0), &row("2", 1), &row("1", 2)].concat());
    bench.convert("tokens.csv", "graph", &[]).refused(1, "[serial-duplicate]");
    let rest = bench.convert("tokens.csv", "jsonl", &["--skip-rejected"]);
    assert_eq!(rest.seeds().keys().collect::<Vec<_>>(), ["2"]);
    assert!(rest.said.contains("line 2") && rest.said.contains("line 4"), "both are named: {}", rest.said);
    // The same token twice is one token, and that is said too.
    bench.put("tokens.csv", [HEADER, &row("1", 0), &row("1", 0)].concat());
    let once = bench.convert("tokens.csv", "jsonl", &["--skip-rejected"]);
    assert_eq!(once.output.as_deref().map(|output| output.lines().count()), Some(1));
    assert!(once.said.contains("[serial-duplicate]"), "{}", once.said);
    // Two serials, one seed, in two deliveries.
    bench.put("tokens.csv", [HEADER, &row("1", 0)].concat()).put("more.csv", [HEADER, &row("2", 0)].concat());
    bench.convert("tokens.csv", "graph", &["more.csv", "--skip-rejected"]).refused(1, "[seed-duplicate]");
}

#[test]
fn a_wrong_key_stores_no_garbage() {
    let bench = Bench::new();
    bench.put("key.txt", WRONG_KEY).put("pw.txt", "battery staple").put("pw-2.txt", "correct  horse");
    bench.put("mac.xml", text("vendor/pskc/aes128.xml")).put("no-mac.xml", text("invalid/pskc-cbc-without-mac.xml"));
    bench.put("pbkdf2.xml", text("vendor/pskc/pbkdf2-sha1.xml"));
    bench.put("figure6.xml", text("rfc6030/figure6.xml"));
    bench.put("zip", fs::read(fixture("container/zipcrypto.zip")).expect("the fixture is there"));
    let key = ["--pskc-key-file", "key.txt", "--skip-rejected"];
    bench.convert("mac.xml", "jsonl", &key).refused(2, "the key does not open the seeds");
    bench.convert("figure6.xml", "jsonl", &key).refused(2, "the key does not open the seeds");
    let allowed = [&key[..], &["--allow", "mac-missing"]].concat();
    bench.convert("no-mac.xml", "jsonl", &allowed).refused(2, "the key does not open the seeds");
    bench.convert("pbkdf2.xml", "jsonl", &["--password-file", "pw.txt"]).refused(2, "wrong password for the PSKC");
    // The check of ZipCrypto is one byte: of 600 wrong passwords two or three pass it, and none may be believed.
    let wrong: String = (0..600).map(|number| format!("wrong {number}\n")).collect();
    bench.put("many.txt", wrong);
    bench.convert("zip", "jsonl", &["--password-file", "many.txt"]).refused(2, "the password is wrong");
}

#[test]
fn the_time_interval_is_read_under_every_name() {
    let bench = Bench::new();
    for name in ["time interval", "timeinterval", "Time Interval", "TIMEINTERVAL", "time_interval"] {
        let header = HEADER.replace("time interval", name);
        bench.put("tokens.csv", format!("{header}{}", entra("1", &base32(SEEDS[0]), "60")));
        let done = bench.convert("tokens.csv", "graph", &[]);
        let graph = done.output.unwrap_or_else(|| panic!("{name}: {}", done.said));
        assert!(graph.contains(r#""timeIntervalInSeconds":60"#), "{name}: {graph}");
    }
    // A blank one is not 30 either.
    let row = |serial, seed: usize, period| entra(serial, &base32(SEEDS[seed]), period);
    bench.put("tokens.csv", format!("{HEADER}{}{}", row("1", 0, "60"), row("2", 1, "")));
    bench.convert("tokens.csv", "graph", &[]).refused(1, "[period-unknown]");
    bench.put("tokens.csv", format!("{HEADER}{}", row("2", 1, "")));
    bench.convert("tokens.csv", "graph", &[]).refused(2, "nothing says the time step");
}

#[test]
fn hex_that_looks_like_base32_is_not_taken_for_it() {
    let bench = Bench::new();
    // 2 to 7 and A to F only: each is text of both encodings.
    let (first, second) = ("a2b3c4d5e6f7a2b3c4d5e6f7a2b3c4d5e6f7a2b3", "b2b3c4d5e6f7a2b3c4d5e6f7a2b3c4d5e6f7a2b4");
    let table = format!("serial,seed,period\n1,{first},30\n2,{second},30\n");
    bench.put("tokens.csv", &table);
    bench.convert("tokens.csv", "jsonl", &[]).refused(2, "can be read as hex or Base32");
    let said = bench.convert("tokens.csv", "jsonl", &["--seed-encoding", "hex"]);
    assert_eq!(said.seeds()["1"], first);
    // One value that is hex only settles the whole column, those above it too.
    bench.put("tokens.csv", format!("{table}3,{},30\n", SEEDS[0]));
    let settled = bench.convert("tokens.csv", "jsonl", &[]).seeds();
    assert_eq!([&settled["1"], &settled["2"], &settled["3"]], [first, second, SEEDS[0]]);
    // The Entra CSV prescribes Base32; a lone value of this kind is not decoded all the same.
    bench.put("tokens.csv", format!("{HEADER}{}{}", entra("1", &base32(SEEDS[0]), "30"), entra("2", first, "30")));
    let mixed = bench.convert("tokens.csv", "jsonl", &["--skip-rejected"]);
    assert_eq!(mixed.seeds().keys().collect::<Vec<_>>(), ["1"]);
    assert!(mixed.said.contains("[seed-ambiguous]"), "{}", mixed.said);
}

#[test]
fn the_hash_is_not_guessed_from_the_length() {
    let bench = Bench::new();
    let long = base32("4a1f5b2c8d7e6930a1b2c3d4e5f60718293a4b5c5d6e7f8091a2b3c4d5e6f708");
    bench.put("tokens.csv", format!("{HEADER}{}", entra("1", &long, "30")));
    bench.convert("tokens.csv", "graph", &[]).refused(2, "nothing says the hash");
    for (hash, expected) in [("sha256", "hmacsha256"), ("sha1", "hmacsha1")] {
        let said = bench.convert("tokens.csv", "graph", &["--set", &format!("hash={hash}")]);
        let graph = said.output.unwrap_or_else(|| panic!("{}", said.said));
        assert!(graph.contains(&format!(r#""hashFunction":"{expected}""#)), "{graph}");
    }
}

#[test]
fn leading_zeros_of_serials_stay() {
    let bench = Bench::new();
    bench.put("tokens.csv", format!("{HEADER}{}", entra("0001338000", &base32(SEEDS[0]), "30")));
    bench.put("users.csv", "serial,upn\n1338000,ada@example.com\n");
    for (target, expected) in [
        ("graph", r#""serialNumber":"0001338000""#),
        ("entra-csv", ",0001338000,"),
        ("jsonl", r#"{"serial":"0001338000","#),
        ("csv", "0001338000,"),
    ] {
        let done = bench.convert("tokens.csv", target, &[]);
        let output = done.output.unwrap_or_else(|| panic!("{target}: {}", done.said));
        assert!(output.contains(expected), "{target}: {output}");
    }
    // A list that has lost them assigns to nobody.
    let lost = bench.convert("tokens.csv", "entra-csv", &["--assign", "users.csv"]);
    lost.refused(1, "leading zeros were lost [assign-unknown]");
}

#[test]
fn padded_base32_is_read() {
    let bench = Bench::new();
    // Sixteen bytes are 26 characters and six of padding; the bytes are Python's `base64.b32decode`.
    let padded = "JIPVWLENPZUTBINSYPKOL5QHDA======";
    for text in [padded.to_owned(), padded.to_lowercase(), padded.replace('=', ""), padded.replace("PZU", " P-ZU ")] {
        bench.put("tokens.csv", format!("{HEADER}{}", entra("1", &text, "30")));
        let done = bench.convert("tokens.csv", "jsonl", &[]);
        assert_eq!(done.seeds()["1"], "4a1f5b2c8d7e6930a1b2c3d4e5f60718", "{}", done.said);
        let graph = bench.convert("tokens.csv", "graph", &[]).output.expect("it is accepted");
        assert!(graph.contains(r#""secretKey":"JIPVWLENPZUTBINSYPKOL5QHDA""#), "Entra gets no padding: {graph}");
    }
}
