//! One known seed and one known password through every command: neither may show in a message, a report or a listing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use data_encoding::{BASE32_NOPAD, BASE64, HEXLOWER, HEXUPPER};

/// Invented for this test, and found nowhere else.
const SEED: [u8; 20] = *b"\xc3\x28leak-canary-0xF7\x9e\x01";
const PASSWORD: &str = "canary-password-4711";

struct Bench {
    folder: tempfile::TempDir,
    runs: usize,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder"), runs: 0 }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("disk");
        path
    }

    /// Runs a command; what it says and what it reports must be free of secrets.
    fn check(&mut self, arguments: &[&str], delivery: &Path) -> Output {
        for level in [&["-q"][..], &[], &["-v"], &["--json"]] {
            for report in ["report.json", "report.csv"] {
                let report = self.folder.path().join(report);
                let _ = fs::remove_file(&report);
                let output = Command::new(env!("CARGO_BIN_EXE_seedmill"))
                    .args(arguments)
                    .arg(delivery)
                    .args(level)
                    .arg("--report")
                    .arg(&report)
                    .env("SEEDMILL_PASSWORD", PASSWORD)
                    .env("RUST_BACKTRACE", "1")
                    .current_dir(self.folder.path())
                    .stdin(Stdio::null())
                    .output()
                    .expect("the program is built");
                self.runs += 1;
                let shown = format!("{arguments:?} {level:?} {}", delivery.display());
                free_of_secrets(&output.stderr, &shown);
                free_of_secrets(&output.stdout, &shown);
                if let Ok(report) = fs::read(&report) {
                    free_of_secrets(&report, &shown);
                }
                if *level == ["--json"] && report.extension().is_some_and(|extension| extension == "csv") {
                    return output;
                }
            }
        }
        unreachable!("the last level returns")
    }
}

fn free_of_secrets(bytes: &[u8], shown: &str) {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let needles = [
        BASE32_NOPAD.encode(&SEED),
        BASE64.encode(&SEED),
        HEXLOWER.encode(&SEED),
        HEXUPPER.encode(&SEED),
        "leak-canary".to_owned(),
        PASSWORD.to_owned(),
    ];
    for needle in needles {
        // Half of it is a leak too.
        let half = &needle[..needle.len() / 2];
        assert!(!text.contains(&half.to_lowercase()), "{shown} shows a secret: {text}");
    }
}

/// Deliveries that hold the seed in every spelling, well and badly.
fn deliveries(bench: &Bench) -> Vec<PathBuf> {
    let (base32, base64, hex) = (BASE32_NOPAD.encode(&SEED), BASE64.encode(&SEED), HEXLOWER.encode(&SEED));
    let row = |seed: &str| {
        format!(
            "upn,serial number,secret key,time interval,manufacturer,model\nada@example.com,0001,{seed},30,Acme,One\n"
        )
    };
    let graph = |seed: &str, step: &str| {
        format!(
            "{{\"@context\":\"#$delta\",\"value\":[{{\"serialNumber\":\"1\",\"manufacturer\":\"A\",\"model\":\"B\",\"secretKey\":{seed},\"timeIntervalInSeconds\":{step}}}]}}"
        )
    };
    let pskc = |seed: &str, tail: &str| {
        format!(
            "<KeyContainer Version=\"1.0\" xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\"><KeyPackage><DeviceInfo><Manufacturer>A</Manufacturer><SerialNo>1</SerialNo><Model>B</Model></DeviceInfo><Key Id=\"1\" Algorithm=\"urn:ietf:params:xml:ns:keyprov:pskc:totp\"><Data><Secret><PlainValue>{seed}</PlainValue></Secret><TimeInterval><PlainValue>30</PlainValue></TimeInterval></Data></Key></KeyPackage>{tail}"
        )
    };
    let jsonl = |seed: &str| {
        format!(
            "{{\"serial\":\"1\",\"issue\":null,\"key_id\":null,\"manufacturer\":\"A\",\"model\":\"B\",\"type\":\"totp\",\"hash\":\"sha1\",\"digits\":6,\"period\":30,\"counter\":null,\"drift\":null,\"upn\":null,\"seed\":{seed}}}\n"
        )
    };
    [
        ("good.csv", row(&base32)),
        ("hex.csv", row(&hex)),
        ("junk.csv", row(&format!("{base32}!"))),
        ("cut.csv", row(&base32[..31])),
        (
            "moved.csv",
            format!(
                "upn,serial number,secret key,time interval,manufacturer,model\nada@example.com,{base32},0001,30,Acme\n"
            ),
        ),
        ("twice.csv", row(&base32) + &format!("bob@example.com,0002,{base32},30,Acme,One\n")),
        ("custom.csv", format!("sn;seed;step\n0001;{hex};30\n0002;{base64};30\n")),
        ("settled.csv", format!("sn;seed;step\n0001;{hex};30\n")),
        ("headless.csv", format!("0001,{hex},30\n")),
        ("good.json", graph(&format!("\"{base32}\""), "30")),
        ("typed.json", graph(&format!("[\"{base32}\"]"), "30")),
        ("stepped.json", graph(&format!("\"{base32}\""), &format!("\"{base32}\""))),
        ("cut.json", graph(&format!("\"{base32}\""), "30")[..150].to_owned()),
        ("good.xml", pskc(&base64, "</KeyContainer>")),
        ("cut.xml", pskc(&base64, "")),
        ("junk.xml", pskc(&format!("{base64}!!"), "</KeyContainer>")),
        ("tag.xml", pskc(&format!("{base64}</PlainValu>"), "</KeyContainer>")),
        ("good.jsonl", jsonl(&format!("\"{base32}\""))),
        ("typed.jsonl", jsonl(&format!("{{\"{base32}\":1}}"))),
        ("key.jsonl", jsonl("null").replace("\"upn\"", &format!("\"{base32}\""))),
    ]
    .map(|(name, text)| bench.write(name, &text))
    .into()
}

#[test]
fn no_command_shows_a_secret() {
    let mut bench = Bench::new();
    let deliveries = deliveries(&bench);
    let password = bench.write("password.txt", PASSWORD);
    let password = password.to_string_lossy().into_owned();
    for delivery in &deliveries {
        bench.check(&["inspect", "--password-file", &password], delivery);
        bench.check(&["check"], delivery);
        for target in ["graph", "entra-csv", "jsonl", "csv"] {
            bench.check(&["check", "--to", target, "--set", "period=30"], delivery);
            bench.check(&["convert", "--to", target, "--skip-rejected", "--force", "-o", "out"], delivery);
        }
    }
    assert!(bench.runs > 1_000, "{} runs", bench.runs);
}

/// Files of vendors with the seed where it belongs and where it does not.
fn vendors(bench: &Bench) -> Vec<PathBuf> {
    let (base32, base64, hex) = (BASE32_NOPAD.encode(&SEED), BASE64.encode(&SEED), HEXLOWER.encode(&SEED));
    let uri = |label: &str, query: &str| format!("otpauth://totp/{label}?{query}\n");
    let inventory = |data: &str| {
        format!(
            "# CSV import file for RCDevs WebADM\nType, Reference, Description, Data\n\"OTP Token\", \"1\", \"A\", \"{data}\"\n"
        )
    };
    let dualshield = |encode: &str, token: &str| {
        format!(
            "<data><header><productCode>ST</productCode><encode>{encode}</encode></header><tokens><token>{token}</token></tokens></data>"
        )
    };
    let safeword = |data: &str| {
        format!(
            "# ===== SafeWord Authenticator Records $Version: 100$ =====\nsccAuthenticatorId: 1\nsccTokenData: {data}\n"
        )
    };
    let slots = ",,,0,0,0,0,0,0,0,0,0,0";
    [
        ("good.uri", uri("A:1", &format!("secret={base32}"))),
        ("label.uri", uri(&base32, "secret=GE")),
        ("percent.uri", uri("A:1", &format!("secret={base32}%4"))),
        ("digits.uri", uri("A:1", &format!("secret={base32}&digits={base32}"))),
        ("type.uri", uri("A:1", &format!("secret={base32}")).replace("totp", &base32)),
        ("line.uri", uri("A:1", &format!("secret={base32}")) + &base32 + "\n"),
        ("oath.csv", format!("1,{hex},totp,6,30\n1,{hex},totp,{hex},{hex},{hex}\n{hex},1,totp\n")),
        ("wide.csv", format!("1,{hex},totp,6,30,sha1,{hex}\n")),
        ("duo.txt", format!("1,{hex},30\n{hex},{hex},31\n")),
        ("spaced.txt", format!("1 {hex}\n2 {base32}\n")),
        ("multi.csv", format!("1;A;TOTP;{hex};6;30\n1;A;TOTP;{hex};{hex};{hex}\n")),
        ("phenix.csv", format!("TOTP;1;SHA1;{hex};{hex};30;6\nHOTP;{hex};{base64};{hex}\n")),
        ("good.rcd", inventory(&format!("TokenKey={base64},TokenType=VE9UUA==,TOTPTimeStep=MzA="))),
        ("moved.rcd", inventory(&format!("TokenKey=MA==,TokenType={base64},TokenState={base64}"))),
        ("name.rcd", inventory(&format!("TokenKey=MA==,{base64}"))),
        ("good.shield", dualshield("HEX", &format!("<serial>1</serial><seed>{hex}</seed>"))),
        ("encode.shield", dualshield(&hex, &format!("<serial>{hex}</serial><seed>{hex}</seed>"))),
        ("tag.shield", dualshield("HEX", &format!("<serial>1</serial><seed>{hex}</sed>"))),
        ("good.dat", safeword(&format!("sccKey={hex};sccMode=E;sccPwLen=6"))),
        ("mode.dat", safeword(&format!("sccKey=;sccMode={hex};sccPwLen={hex}"))),
        ("name.dat", safeword(&format!("{hex};sccMode=E"))),
        ("yubico.log", format!("Static Password: Scan Code,17.04.12 12:25,1,{hex},,{slots}\n{hex},17.04.12 12:25,1,,,{slots}\n")),
        ("tokens.etoken", format!("<Tokens><Token serial=\"1\"><Applications><Application><Seed>{hex}!</Seed></Application></Applications></Token></Tokens>")),
    ]
    .map(|(name, text)| bench.write(name, &text))
    .into()
}

#[test]
fn no_format_of_a_vendor_shows_a_secret() {
    let mut bench = Bench::new();
    for delivery in &vendors(&bench) {
        bench.check(&["check", "--set", "period=30"], delivery);
        bench.check(&["check", "--from", "feitian", "--to", "otpauth"], delivery);
        bench.check(&["convert", "--to", "oath-csv", "--skip-rejected", "--force", "-o", "out"], delivery);
    }
    assert!(bench.runs > 400, "{} runs", bench.runs);
}

#[test]
fn the_search_finds_a_seed_that_is_shown() {
    // The test above would pass if it searched for the wrong words: the output itself must hold the seed.
    let mut bench = Bench::new();
    let delivery = deliveries(&bench).remove(0);
    bench.check(&["convert", "--to", "graph", "--force", "-o", "out"], &delivery);
    let written = fs::read(bench.folder.path().join("out")).expect("the output");
    assert!(std::panic::catch_unwind(|| free_of_secrets(&written, "the output")).is_err());
}
