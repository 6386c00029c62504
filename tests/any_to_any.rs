//! Every reader through every writer: what one vendor sends, any system gets, or a finding says why not.
//!
//! The table has one file of every format that is read. Each of its tokens, for each format that is written, is either
//! proved from the bytes that were written or refused with a finding; and every field that is lost is named.

use std::collections::BTreeMap;
use std::path::Path;

use seedmill::format::text::Text;
use seedmill::format::{Chunk, Format, Head, OutColumns, ReadOptions, Writer, open};
use seedmill::limits::Limits;
use seedmill::record::{Code, Draft, Field, Findings, Keyring, Moving, Plain, Severity, Token, Trail, UserHeld};
use seedmill::refine::{Fill, Proof, normalize, validate};

/// What `--set` says of a file.
type Set = &'static [(Field, &'static str)];

/// A file of each format, read by `--from`, with what has to be said of it.
const READ: &[(Format, &str, Set)] = &[
    (Format::Graph, "vendor/microsoft/list-sha256.json", &[]),
    (Format::EntraCsv, "vendor/deepnet/10001001.csv.txt", &[]),
    (Format::Pskc, "vendor/pskc/feitian.xml", &[]),
    (Format::Csv, "vendor/centrify/bulk.csv", &[(Field::Period, "30")]),
    (Format::Jsonl, "", &[]),
    (Format::Otpauth, "vendor/otpauth/keys.txt", &[]),
    (Format::OathCsv, "vendor/linotp/tokens.csv", &[]),
    (Format::Duo, "vendor/duo/deepnet.hex", &[]),
    (Format::PingId, "vendor/pingid/tokens.txt", &[(Field::Period, "30")]),
    (Format::Swivel, "vendor/swivel/seeds.txt", &[(Field::Type, "hotp")]),
    (Format::Feitian, "vendor/feitian/totp.txt", &[(Field::Period, "60")]),
    (Format::MultiOtp, "vendor/multiotp/tokens.csv", &[]),
    (Format::PhenixId, "vendor/phenixid/tokens.csv", &[]),
    (Format::RcDevs, "vendor/rcdevs/inventory.csv", &[]),
    (Format::Salesforce, "vendor/salesforce/import.csv", &[(Field::Period, "30")]),
    (Format::Protectimus, "vendor/protectimus/tokens.csv", &[(Field::Period, "30")]),
    (Format::Yubico, "vendor/yubico/traditional.csv", &[]),
    (Format::DualShield, "vendor/deepnet/dualshield.xml", &[]),
    (Format::DualShield30, "vendor/deepnet/dualshield-older.xml", &[(Field::Period, "30")]),
    (Format::DeepnetUap, "vendor/deepnet/uap.xml", &[(Field::Period, "60")]),
    (Format::SafeNet, "vendor/safenet/tokens.xml", &[]),
    (Format::SafeWord, "vendor/safeword/importAlpine.dat", &[]),
];

/// One line of the lossless format, with something in every field.
const LOSSLESS: &[u8] = br#"{"serial":"1000001","issue":"2","key_id":"a","manufacturer":"Contoso","model":"HardwareKey","type":"totp","hash":"sha1","digits":6,"period":30,"counter":null,"drift":-1,"upn":"ada@example.com","seed":"OJXW45DVMFWGC3TEMVZGC3TEN5WXGZLF"}
"#;

/// Keeps every finding.
#[derive(Default)]
struct Notes(Vec<(Code, Severity, String)>);

impl Findings for Notes {
    fn note(&mut self, code: Code, severity: Severity, message: &dyn Fn() -> String) {
        self.0.push((code, severity, message()));
    }
}

impl Notes {
    fn rejected(&self) -> bool {
        self.0.iter().any(|(_, severity, _)| *severity == Severity::Rejected)
    }
}

/// Reads a file of the table; shows each draft.
fn read(format: Format, path: &str, show: &mut dyn FnMut(Draft<'_>)) {
    let bytes = match path {
        "" => LOSSLESS.to_vec(),
        path => {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(path);
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        }
    };
    let mut bytes = &bytes[..];
    let mut text = Text::new(&mut bytes);
    let trail = Trail::new(path);
    let head = Head::new(&mut text, trail.clone(), Limits::default()).expect("memory reads");
    let options = ReadOptions { from: Some(format), ..ReadOptions::default() };
    let mut opened = open(head, &options, &mut Keyring::default()).expect("it opens").expect("a format");
    while let Some(chunk) = opened.cutter.next(Plain::default()).expect("it is cut") {
        opened
            .reader
            .read(&chunk, &trail, &mut |draft| {
                show(draft);
                Ok(())
            })
            .unwrap_or_else(|error| panic!("{format}: {error}"));
    }
}

/// Every writer, with the columns of its own where it needs some.
fn writers() -> Vec<Writer> {
    let mut writers: Vec<Writer> = Format::ALL.into_iter().filter_map(Writer::new).collect();
    writers.push(Writer::Csv(OutColumns::default()));
    writers
}

/// Writes one token and proves it from the bytes.
fn prove(writer: &Writer, token: &Token<'_>) {
    let mut document = Plain::default();
    writer.head(&mut document);
    writer.before(1, &mut document);
    writer.item(token, &mut document);
    writer.tail(&mut document);
    let chunk = Chunk { bytes: document, offset_bytes: 0, first_line: 1, first_record: 1 };
    let holds = writer.holds();
    let fill = Fill::default();
    let mut read = 0;
    writer
        .reader()
        .read(&chunk, &Trail::new("written"), &mut |mut draft| {
            let proof = Proof::new(token, &holds);
            proof.complete(&mut draft);
            let back = normalize(draft, &fill, &mut Notes::default()).expect("what was written is understood");
            proof.check(&back).unwrap_or_else(|mismatch| panic!("{}: {mismatch}", writer.format()));
            read += 1;
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{}: {error}", writer.format()));
    assert_eq!(read, 1, "{}", writer.format());
}

/// Makes sure that whatever of a token is lost was named.
fn check_losses(writer: &Writer, token: &Token<'_>, user: bool, notes: &Notes) {
    let holds = writer.holds();
    let said =
        |code: Code, word: &str| notes.0.iter().any(|(noted, _, message)| *noted == code && message.contains(word));
    let drifts = matches!(token.otp.moving, Moving::Period { drift, .. } if drift != 0);
    for (field, there) in [
        (Field::Serial, token.serial.is_some()),
        (Field::Issue, token.issue.is_some()),
        (Field::Manufacturer, token.manufacturer.is_some()),
        (Field::Model, token.model.is_some()),
        (Field::Drift, drifts),
    ] {
        let lost = there && !holds.has(field);
        assert_eq!(said(Code::FieldDropped, field.name()), lost, "{field} in {}", writer.format());
    }
    if user && holds.user == UserHeld::None {
        assert!(said(Code::UpnDropped, ""), "the user in {}", writer.format());
    }
}

#[test]
fn every_format_that_is_read_is_in_the_table() {
    for format in Format::ALL {
        assert_eq!(READ.iter().filter(|(known, ..)| *known == format).count(), 1, "{format}");
    }
}

#[test]
fn every_token_of_every_reader_is_proved_or_refused_by_every_writer() {
    let mut proved: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (format, path, set) in READ {
        let fill = Fill::new(set.iter().map(|(field, value)| (*field, (*value).to_owned())).collect());
        let mut tokens = 0;
        read(*format, path, &mut |draft| {
            tokens += 1;
            let mut notes = Notes::default();
            let token = normalize(draft, &fill, &mut notes).expect("the fixture is understood");
            assert!(!notes.rejected(), "{path}: {:?}", notes.0);
            for writer in writers() {
                let mut notes = Notes::default();
                let mut fitted = token.clone();
                validate(&mut fitted, &writer.holds(), &mut notes);
                if notes.rejected() {
                    continue;
                }
                check_losses(&writer, &token, token.upn.is_some(), &notes);
                prove(&writer, &fitted);
                *proved.entry((format.id(), writer.format().id())).or_default() += 1;
            }
        });
        assert!(tokens > 0, "{path}");
    }
    let count = |from: &str, to: &str| proved.get(&(from, to)).copied().unwrap_or_default();
    // Worked out by hand: how many tokens of a file a target can hold, and why not more.
    for (from, to, expected, _why) in [
        ("jsonl", "entra-csv", 1, "it has all that Entra wants"),
        ("jsonl", "salesforce", 1, "20 bytes, 30 s"),
        ("jsonl", "dualshield", 0, "30 s, where the file says 60"),
        ("jsonl", "dualshield-30", 1, "30 s"),
        ("entra-csv", "duo", 5, "60 s is Duo's too"),
        ("entra-csv", "dualshield", 5, "60 s"),
        ("entra-csv", "salesforce", 0, "60 s"),
        ("otpauth", "oath-csv", 5, "one names a user, and its serial apart"),
        ("oath-csv", "otpauth", 3, "both have all of it"),
        ("oath-csv", "duo", 1, "HOTP, and SHA-256"),
        ("oath-csv", "multiotp", 2, "SHA-256"),
        ("swivel", "oath-csv", 2, "HOTP"),
        ("swivel", "entra-csv", 0, "HOTP"),
        ("safeword", "otpauth", 2, "6 and 8 digits"),
        ("salesforce", "jsonl", 0, "no serial"),
        ("yubico", "rcdevs", 2, "HOTP of 6 and 8 digits"),
        ("dualshield", "duo", 2, "60 s"),
    ] {
        assert_eq!(count(from, to), expected, "{from} to {to}");
    }
    // Nobody is left without a way, but those without a serial.
    for (format, ..) in READ.iter().filter(|(format, ..)| *format != Format::Salesforce) {
        assert!(count(format.id(), "jsonl") > 0, "{format}");
    }
    for writer in writers() {
        let to = writer.format().id();
        assert!(proved.keys().filter(|(_, target)| *target == to).count() > 1, "{to}");
    }
}
