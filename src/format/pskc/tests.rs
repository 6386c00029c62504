//! Tests of the reader as a whole: two sources that must agree, chunks of any size, keys right and wrong.
//!
//! What each fixture gives, `tests/pskc_vectors.rs` shows.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::format::Boundary;
use crate::limits::Limit;
use crate::record::{Code, Passphrase, Plain, PskcKey, SeedText};

fn fixture(path: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(path);
    std::fs::read(path).expect("the fixture is there")
}

fn line(draft: &Draft<'_>) -> String {
    let seed = match &draft.seed {
        Some(SeedText::Declared(text, _)) => format!("text {text}"),
        Some(SeedText::Bytes(seed)) => format!("bytes {:?}", seed.expose()),
        Some(_) => "another".to_owned(),
        None => "none".to_owned(),
    };
    format!("{seed} {draft:?}")
}

/// The whole member through the parser alone, without a cutter.
fn one_pass(text: &str) -> std::result::Result<Vec<String>, Stop> {
    let rules = rules(Limits::default());
    whole_text(text.as_bytes(), true, 0, &Trail::new("t.xml"))?;
    let header = header::read(text, rules)?;
    let container = Container {
        name: header.name.clone(),
        rules,
        now: None,
        key_name: None,
        unlocked: None,
        protected: false,
        seed_encoding: None,
    };
    let mut parser = Parser::within(&text[header.end..], &header.name, rules);
    let mut package = Package::default();
    let mut lines = Vec::new();
    let mut number = 1;
    let mut ended = false;
    while let Some(tag) = parser.child()? {
        if tag.local != RECORD {
            ended = true;
            parser.skip()?;
            continue;
        }
        if ended {
            return Err(rules.damaged("no package behind the last", "one").into());
        }
        package::read(&mut parser, tag.prefix, &rules, &mut package)?;
        draft::hand_on(&container, &mut package, number, &mut |draft| {
            lines.push(line(&draft));
            Ok(())
        })?;
        number += 1;
    }
    parser.finish()?;
    Ok(lines)
}

/// The same, cut into chunks whenever `step` more bytes are there.
fn cut(text: &str, step: usize) -> Result<Vec<String>> {
    let trail = Trail::new("t.xml");
    let rules = rules(Limits::default());
    let header = header::read(text, rules).map_err(|stop| rules.error(stop))?;
    let container = Container {
        name: header.name.clone(),
        rules,
        now: None,
        key_name: None,
        unlocked: None,
        protected: false,
        seed_encoding: None,
    };
    let mut boundary = Packages::new(header.name.clone(), rules, header.signed);
    let bytes = &text.as_bytes()[header.end..];
    let (mut start, mut end, mut first_record) = (0, 0, 1);
    let mut lines = Vec::new();
    loop {
        end = (end + step).min(bytes.len());
        let last = end == bytes.len();
        if let Some(cut) = boundary.cut(&bytes[start..end], last)? {
            let mut chunk = Chunk { first_record, ..Chunk::default() };
            chunk.bytes.extend(&bytes[start..start + cut.end]);
            read(&container, &chunk, &trail, &mut |draft| {
                lines.push(line(&draft));
                Ok(())
            })?;
            start += cut.end;
            first_record += cut.records;
        }
        if last {
            return Ok(lines);
        }
    }
}

/// How much of the unusual a package has: what the scanner takes, what is good XML, what is not.
type Oddness = u32;

/// Pieces of text.
fn text(odd: Oddness) -> impl Strategy<Value = String> {
    let usual =
        select(vec!["MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=", "30", "0", "abc", " ", "\n", "\t", "é", ">", "'", "\"", "/", ""]);
    let good = select(vec![
        "\r\n",
        "]]",
        "]",
        "&amp;",
        "&lt;",
        "&#65;",
        "&#x20;",
        "<![CDATA[a<b]]>",
        "<![CDATA[</KeyPackage>]]>",
        "<!-- c -->",
        "<!-- </KeyPackage> -->",
        "<?p <KeyPackage> ?>",
    ]);
    let broken = select(vec![
        "]]>",
        "&",
        "&no;",
        "<",
        "<x/>",
        "</x>",
        "<![CDATA[",
        "<!--",
        "<!-- -- -->",
        "<?",
        "\u{0}",
        "&#0;",
    ]);
    vec(prop_oneof![60 => usual, odd.min(1) * 6 => good, odd / 2 => broken], 0..3).prop_map(|pieces| pieces.concat())
}

/// What stands between elements.
fn space(odd: Oddness) -> impl Strategy<Value = String> {
    let usual = select(vec!["", "", "\n", "  ", "\r\n\t", "          ", "\n              "]);
    let good = select(vec!["<!-- <KeyPackage> -->", "<?p q?>", "<!-- </a:KeyPackage> -->"]);
    let broken = select(vec![
        "x",
        "&#32;",
        "<![CDATA[ ]]>",
        "<?xml version=\"1.0\"?>",
        "<!DOCTYPE a>",
        "</KeyPackage>",
        "<KeyPackage/>",
        "<PKeyPackage/>",
    ]);
    prop_oneof![100 => usual, odd.min(1) * 10 => good, odd / 2 => broken].prop_map(str::to_owned)
}

fn attribute(name: &'static str, odd: Oddness) -> impl Strategy<Value = String> {
    let usual = select(vec!["6", "DECIMAL", "a b", "urn:ietf:params:xml:ns:keyprov:pskc:totp", "a>b", "/", "é", ""]);
    let good = select(vec!["&lt;", "\t", "\n", "&quot;"]);
    let broken = select(vec!["<", "&", "&no;", "</PKeyPackage>"]);
    let value = prop_oneof![60 => usual, odd.min(1) * 6 => good, odd / 2 => broken];
    let before = prop_oneof![60 => select(vec![" ", "  ", "\n  ", "\t"]), odd / 2 => Just("")];
    let equals = prop_oneof![60 => select(vec!["=", "=", " = ", "\n="]), odd / 2 => Just("")];
    let quote = prop_oneof![60 => select(vec!["\"", "\"", "'"]), odd / 2 => Just("")];
    (before, equals, quote, value)
        .prop_map(move |(before, equals, quote, value)| format!("{before}{name}{equals}{quote}{value}{quote}"))
}

fn element(
    name: &'static str,
    attributes: &'static [&'static str],
    inside: impl Strategy<Value = String> + 'static,
    odd: Oddness,
) -> BoxedStrategy<String> {
    let attributes = attributes
        .iter()
        .map(|name| prop::option::weighted(0.8, attribute(name, odd)).prop_map(Option::unwrap_or_default).boxed())
        .collect::<Vec<_>>()
        .prop_shuffle()
        .prop_map(|all| all.concat());
    let twice = prop::bool::weighted(0.005 * f64::from(odd));
    let declared = prop::option::weighted(
        0.001 + 0.01 * f64::from(odd),
        (
            select(vec!["xmlns", "xmlns:q", "xmlns:a", "xmlns:pskc", "xmlnsq"]),
            select(vec!["urn:ietf:params:xml:ns:keyprov:pskc", "urn:evil", ""]),
        )
            .prop_map(|(name, value)| format!(" {name}='{value}'")),
    );
    let attributes = (attributes, declared).prop_map(|(all, declared)| all + &declared.unwrap_or_default());
    let shape = prop_oneof![60 => Just(0), 3 => Just(1), odd.min(1) * 3 => Just(2), 1 => Just(3)];
    (attributes, inside, shape, twice)
        .prop_map(move |(attributes, inside, shape, twice)| {
            let one = match shape {
                1 => format!("<P{name}{attributes}/>"),
                2 => format!("<P{name}{attributes} >{inside}</P{name} >"),
                3 => format!("<Q{name}{attributes}>{inside}</Q{name}>"),
                _ => format!("<P{name}{attributes}>{inside}</P{name}>"),
            };
            if twice { one.repeat(2) } else { one }
        })
        .boxed()
}

/// Most of the parts, in any order, with white space around each.
fn within(parts: Vec<BoxedStrategy<String>>, odd: Oddness) -> BoxedStrategy<String> {
    let parts: Vec<_> = parts
        .into_iter()
        .map(|part| prop::option::weighted(0.8, (space(odd), part).prop_map(|(space, part)| space + &part)).boxed())
        .collect();
    (parts.prop_shuffle(), space(odd))
        .prop_map(|(parts, space)| parts.into_iter().flatten().collect::<String>() + &space)
        .boxed()
}

/// A package, mostly as vendors write them, sometimes not.
fn package(odd: Oddness) -> BoxedStrategy<String> {
    let leaf = |name| element(name, &[], text(odd), odd);
    let value = |name| element(name, &[], within(vec![leaf("PlainValue")], odd), odd);
    let empty = || Just(String::new());
    let device = within(["Manufacturer", "SerialNo", "Model", "Other"].map(leaf).to_vec(), odd);
    let cipher = element("CipherData", &[], within(vec![leaf("CipherValue")], odd), odd);
    let method = element("EncryptionMethod", &["Algorithm"], empty(), odd);
    let encrypted = within(vec![method, cipher], odd);
    let drift = element("TimeDrift", &[], within(vec![element("EncryptedValue", &[], encrypted, odd)], odd), odd);
    let rare = |part: BoxedStrategy<String>| prop_oneof![8 => empty(), 1 => part].boxed();
    let data = within(vec![value("Secret"), value("Counter"), value("TimeInterval"), value("Time"), rare(drift)], odd);
    let suite = element("Suite", &["hashalgo"], text(odd), odd);
    let format = element("ResponseFormat", &["Length", "Encoding", "CheckDigits"], empty(), odd);
    let pin = element("PINPolicy", &["PINUsageMode"], empty(), odd);
    let policy = within(vec![leaf("KeyUsage"), leaf("StartDate"), pin], odd);
    let foreign = || {
        rare(element("Extensions", &["a"], within(vec![leaf("Secret"), element("x", &[], text(odd), odd)], odd), odd))
    };
    let key = within(
        vec![
            element("Data", &[], data, odd),
            element("AlgorithmParameters", &[], within(vec![suite, format], odd), odd),
            element("Policy", &[], policy, odd),
            leaf("UserId"),
            foreign(),
        ],
        odd,
    );
    let key = element("Key", &["Id", "Algorithm"], key, odd);
    let inside = within(vec![element("DeviceInfo", &[], device, odd), key.clone(), rare(key), foreign()], odd);
    element("KeyPackage", &["Id"], inside, odd)
}

fn any_package() -> impl Strategy<Value = String> {
    prop_oneof![package(0), package(1), package(2)]
}

/// Gives `P` and `Q` their prefixes, and damages the text here and there.
fn spelled(text: &str, prefix: &str, damage: Option<(prop::sample::Index, char)>) -> String {
    let text = text.replace("<P", &format!("<{prefix}")).replace("</P", &format!("</{prefix}"));
    let mut text = text.replace("<Q", "<q:").replace("</Q", "</q:");
    if let Some((index, character)) = damage {
        let count = text.chars().count();
        if count > 0 {
            let index = index.index(count);
            text = text.chars().enumerate().map(|(at, c)| if at == index { character } else { c }).collect();
        }
    }
    text
}

fn damage() -> impl Strategy<Value = Option<(prop::sample::Index, char)>> {
    prop::option::weighted(
        0.2,
        (
            any::<prop::sample::Index>(),
            select(vec!['<', '>', '/', '"', '\'', '=', '&', ' ', '!', '?', 'P', ':', '-', ']']),
        ),
    )
}

const PREFIXES: [&str; 3] = ["", "pskc:", "a:"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_scanner_answers_as_the_parser(text in any_package(), prefix in select(&PREFIXES[..]), damage in damage()) {
        let text = spelled(&text, prefix, damage);
        let name = format!("{prefix}KeyContainer");
        let rules = rules(Limits::default());
        let mut scanned = Package::default();
        let mut scanner = Scanner::within(&text, &name, rules);
        if let Ok(found) = scan(&mut scanner, &rules, &mut scanned) {
            let container = Container { name: name.clone(), rules, now: None, key_name: None, unlocked: None, protected: false, seed_encoding: None };
            let mut parsed = Package::default();
            let (same, length) = parse(&text, &container, &mut parsed).expect("the parser takes what the scanner takes");
            prop_assert_eq!(found, same);
            if found {
                prop_assert_eq!(&scanned, &parsed);
                let rest = &text[length..];
                prop_assert_eq!(scanner.position(), text.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len());
            }
        }
    }

    #[test]
    fn chunks_of_any_size_are_read_as_the_whole(
        packages in vec((space(1), any_package()), 0..5),
        ends in (space(1), space(1)),
        prefix in select(&PREFIXES[..]),
        signed in any::<bool>(),
        damage in damage(),
        step in 1_usize..600,
    ) {
        let packages: String = packages.into_iter().map(|(space, package)| space + &package).collect();
        let signature = if signed { "<ds:Signature><a>b</a></ds:Signature>" } else { "" };
        let text = format!("<PKeyContainer>{packages}{}{signature}</PKeyContainer>{}", ends.0, ends.1);
        let text = spelled(&text, prefix, damage);
        match (one_pass(&text), cut(&text, step)) {
            (Ok(whole), Ok(chunks)) => prop_assert_eq!(whole, chunks),
            (Err(_), Err(_)) => {}
            (whole, chunks) => prop_assert!(false, "one pass: {:?}, chunks: {:?}", whole, chunks),
        }
    }
}

fn key(hex: &str, found_beside: bool) -> PskcKey {
    let mut key = Plain::default();
    key.extend(&data_encoding::HEXLOWER.decode(hex.as_bytes()).expect("hex"));
    PskcKey { name: "key.txt".to_owned(), key, found_beside }
}

const RIGHT: &str = "12345678901234567890123456789012";
const WRONG: &str = "22345678901234567890123456789012";

/// Opens a fixture and reads it; answers the findings of the head, or the error.
fn opened(bytes: &[u8], keyring: &mut Keyring, limits: Limits) -> Result<Vec<(Code, String)>> {
    let mut source = bytes;
    let head = Head::new(&mut source, Trail::new("t.xml"), limits)?;
    let opened = open(head, &ReadOptions::default(), keyring)?;
    let (reader, mut cutter) = (opened.reader, opened.cutter);
    while let Some(chunk) = cutter.next(Plain::default())? {
        reader.read(&chunk, &Trail::new("t.xml"), &mut |_| Ok(()))?;
    }
    Ok(opened.findings)
}

fn refused(path: &str, keys: &[PskcKeyText], passphrases: &[&str], expected: &expect_test::Expect) {
    let mut keyring = Keyring::default();
    keyring.pskc_keys.extend(keys.iter().map(|hex| key(hex, false)));
    for passphrase in passphrases {
        keyring.add_passphrase(Passphrase::new(passphrase.as_bytes().to_vec()));
    }
    let limits = Limits { pbkdf2_rounds: 2_500, ..Limits::default() };
    let error = opened(&fixture(path), &mut keyring, limits).expect_err("it does not open");
    expected.assert_eq(&error.to_string());
}

type PskcKeyText = &'static str;

#[test]
fn tells_a_missing_key_from_a_wrong_one() {
    refused(
        "rfc6030/figure6.xml",
        &[],
        &["qwerty"],
        &expect_test::expect!["the seeds are encrypted with the pre-shared key `Pre-shared-key`, which was not given"],
    );
    refused(
        "rfc6030/figure6.xml",
        &["1234567890123456789012345678901234567890123456789012345678901234"],
        &[],
        &expect_test::expect!["the seeds are encrypted with the pre-shared key `Pre-shared-key`, which was not given"],
    );
    refused("rfc6030/figure6.xml", &[WRONG], &[], &expect_test::expect!["the key does not open the seeds"]);
    refused(
        "rfc6030/figure6.xml",
        &[WRONG, "32345678901234567890123456789012"],
        &[],
        &expect_test::expect!["no key opens the seeds: 2 were tried"],
    );
    refused("rfc6030/figure7.xml", &[], &["wrong"], &expect_test::expect!["wrong password for the PSKC"]);
    refused(
        "rfc6030/figure7.xml",
        &[RIGHT],
        &[],
        &expect_test::expect!["the PSKC is locked: expected a password, but none was given"],
    );
    refused(
        "invalid/pskc-cbc-without-mac.xml",
        &[WRONG],
        &[],
        &expect_test::expect!["the key does not open the seeds"],
    );
}

#[test]
fn charges_pbkdf2_rounds_over_all_tries() {
    refused(
        "rfc6030/figure7.xml",
        &[],
        &["one", "two", "qwerty"],
        &expect_test::expect!["too many PBKDF2 rounds over all tries: at most 2500 are allowed, but found 3000"],
    );
}

#[test]
fn says_that_a_key_lies_beside_the_seeds() {
    let mut keyring = Keyring::default();
    keyring.pskc_keys.extend([key(WRONG, false), key(RIGHT, true)]);
    let findings = opened(&fixture("rfc6030/figure6.xml"), &mut keyring, Limits::default()).expect("it opens");
    let expected = "the key in `key.txt` lies beside the seeds that it protects";
    assert_eq!(findings, [(Code::KeyBesideSeeds, expected.to_owned())]);
}

#[test]
fn the_only_record_with_a_wrong_mac_is_no_wrong_key() {
    let text = String::from_utf8(fixture("rfc6030/figure6.xml")).expect("UTF-8");
    let changed = text.replace("Su+NvtQfmvfJ", "Su+NvtQfmvfK");
    assert_ne!(text, changed);
    let mut keyring = Keyring::default();
    keyring.pskc_keys.push(key(RIGHT, false));
    let mut source = changed.as_bytes();
    let head = Head::new(&mut source, Trail::new("t.xml"), Limits::default()).expect("memory reads");
    let opened = open(head, &ReadOptions::default(), &mut keyring).expect("both paddings are good");
    let (reader, mut cutter) = (opened.reader, opened.cutter);
    let chunk = cutter.next(Plain::default()).expect("it is cut").expect("there is one");
    let mut codes = Vec::new();
    reader
        .read(&chunk, &Trail::new("t.xml"), &mut |draft| {
            assert!(draft.seed.is_none());
            codes.extend(draft.faults.iter().map(|(code, _)| *code));
            Ok(())
        })
        .expect("it is a fault");
    assert_eq!(codes, [Code::MacMismatch]);
    let shown = format!("{reader:?}");
    expect_test::expect![[r#"Pskc(Container { name: "KeyContainer", key_name: Some("Pre-shared-key"), unlocked: Some(Unlocked { cipher: Aes128Cbc, mac: true, .. }), .. })"#]]
        .assert_eq(&shown);
}

#[test]
fn looks_further_when_the_head_is_longer_than_a_chunk() {
    let text = String::from_utf8(fixture("rfc6030/figure6.xml")).expect("UTF-8");
    let comment = format!("<!-- {} -->", "x".repeat(3 << 20));
    for before in ["<EncryptionKey>", "<KeyPackage>", "<Secret>"] {
        let text = text.replace(before, &format!("{comment}{before}"));
        let mut keyring = Keyring::default();
        keyring.pskc_keys.push(key(RIGHT, false));
        opened(text.as_bytes(), &mut keyring, Limits::default()).expect("it opens");
    }
    let limits = Limits { held_bytes: 2 << 20, ..Limits::default() };
    let text = text.replace("<EncryptionKey>", &comment);
    let error = opened(text.as_bytes(), &mut Keyring::default(), limits).expect_err("too much is held");
    assert!(matches!(error.kind(), ErrorKind::LimitReached { limit: Limit::HeldBytes, .. }), "{error}");
}

#[test]
fn an_empty_container_has_no_records() {
    opened(b" <KeyContainer>\n</KeyContainer>\n", &mut Keyring::default(), Limits::default()).expect("it is whole");
    let error = opened(b"<KeyContainer/>x", &mut Keyring::default(), Limits::default()).expect_err("there is more");
    assert!(matches!(error.kind(), ErrorKind::FormatDamaged { .. }), "{error}");
}

#[test]
fn text_that_is_no_utf_8_is_named_by_its_byte() {
    let bytes =
        b"<KeyContainer><KeyPackage><DeviceInfo><SerialNo>\xff</SerialNo></DeviceInfo></KeyPackage></KeyContainer>";
    let error = opened(bytes, &mut Keyring::default(), Limits::default()).expect_err("it is Latin-1");
    expect_test::expect!["cannot read the text: expected UTF-8, but found other bytes"].assert_eq(&error.to_string());
    assert_eq!(error.origin().expect("it has a place").to_string(), "t.xml > byte 48");
}

#[test]
fn tells_pskc_by_its_first_element() {
    for (head, expected) in [
        ("<?xml version=\"1.0\"?>\n<!-- c --><pskc:KeyContainer", true),
        ("  \n<KeyContainer>", true),
        ("<KeyPackage/>", true),
        ("<SecretContainer ", true),
        ("<!DOCTYPE KeyContainer SYSTEM \"a\">", true),
        ("<!DOCTYPE html><html>", false),
        ("<Tokens><KeyContainer/>", false),
        ("<!-- <KeyContainer>", false),
        ("upn,serial number", false),
        ("", false),
    ] {
        assert_eq!(fits(head.as_bytes()), expected, "{head}");
    }
}
#[test]
fn the_packages_made_up_are_of_every_kind() {
    use proptest::strategy::ValueTree;

    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let rules = rules(Limits::default());
    let (mut scanned, mut with_seed, mut good) = (0, 0, 0);
    for _ in 0..600 {
        let text = any_package().new_tree(&mut runner).expect("it is made").current();
        let text = spelled(&text, "a:", None);
        let mut package = Package::default();
        let mut scanner = Scanner::within(&text, "a:KeyContainer", rules);
        if let Ok(true) = scan(&mut scanner, &rules, &mut package) {
            scanned += 1;
            with_seed += usize::from(package.keys.iter().any(|key| key.secret.plain.is_some()));
        }
        good += usize::from(one_pass(&format!("<a:KeyContainer>{text}</a:KeyContainer>")).is_ok());
    }
    let counts = format!("{scanned} scanned, {with_seed} of them with a seed, {good} good");
    assert!(scanned > 150 && with_seed > 40 && good > 300 && good < 590, "{counts}");
}

#[test]
fn the_encoding_that_is_said_settles_a_plain_seed() {
    let read_with = |seed_encoding| {
        let bytes = fixture("invalid/pskc-seed-hex.xml");
        let mut source = &bytes[..];
        let head = Head::new(&mut source, Trail::new("t.xml"), Limits::default()).expect("it is read");
        let csv = crate::format::CsvOptions { seed_encoding, ..crate::format::CsvOptions::default() };
        let options = ReadOptions { csv, ..ReadOptions::default() };
        let opened = open(head, &options, &mut Keyring::default()).expect("it opens");
        let (reader, mut cutter) = (opened.reader, opened.cutter);
        let mut found = Vec::new();
        while let Some(chunk) = cutter.next(Plain::default()).expect("it is whole") {
            let each = &mut |draft: Draft<'_>| {
                let encoding = match &draft.seed {
                    Some(SeedText::Declared(_, encoding)) => *encoding,
                    _ => panic!("no text"),
                };
                found.push((encoding, draft.faults.len()));
                Ok(())
            };
            reader.read(&chunk, &Trail::new("t.xml"), each).expect("it reads");
        }
        found
    };
    assert_eq!(read_with(Some(Encoding::Hex)), [(Encoding::Hex, 0)]);
    assert_eq!(read_with(Some(Encoding::Base64)), [(Encoding::Base64, 0)]);
    assert_eq!(read_with(None), [(Encoding::Base64, 1)]);
}

#[test]
fn rounds_count_over_all_containers_of_the_run() {
    // RFC 6030's figure 7 asks for 1000 rounds of one block.
    let limits = Limits { pbkdf2_rounds: 2_500, ..Limits::default() };
    let mut keyring = Keyring::default();
    keyring.add_passphrase(Passphrase::new(b"qwerty".to_vec()));
    for _ in 0..2 {
        opened(&fixture("rfc6030/figure7.xml"), &mut keyring, limits).expect("below the limit");
    }
    let error = opened(&fixture("rfc6030/figure7.xml"), &mut keyring, limits).expect_err("above it");
    assert!(matches!(error.kind(), ErrorKind::LimitReached { limit: Limit::Pbkdf2Rounds, found: Some(3_000), .. }));
}

#[test]
fn other_standards_may_declare_their_namespace_in_place() {
    // As .NET's serializer writes them.
    let text = String::from_utf8(fixture("rfc6030/figure6.xml")).expect("UTF-8");
    let mut text = text.replace("<ds:KeyName>", "<KeyName xmlns=\"http://www.w3.org/2000/09/xmldsig#\">");
    text = text.replace("</ds:KeyName>", "</KeyName>");
    for name in ["CipherData", "CipherValue"] {
        text = text.replace(&format!("</xenc:{name}>"), &format!("</{name}>"));
        let start = format!("<{name} xmlns=\"http://www.w3.org/2001/04/xmlenc#\">");
        text = text.replace(&format!("<xenc:{name}>"), &start);
    }
    assert!(!text.contains("<xenc:CipherData"));
    let mut keyring = Keyring::default();
    keyring.pskc_keys.push(key(RIGHT, false));
    assert_eq!(opened(text.as_bytes(), &mut keyring, Limits::default()).expect("it opens"), []);
}
