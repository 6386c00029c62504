//! The figures of RFC 6030, and files that python-pskc has written and read: independent truth for the PSKC reader.

use std::fmt::Write as _;
use std::path::Path;

use expect_test::{Expect, expect};
use seedmill::error::Error;
use seedmill::format::{self, Format, Head, ReadOptions};
use seedmill::limits::Limits;
use seedmill::record::{Draft, Keyring, Passphrase, Plain, PskcKey, SeedText, Trail};

/// `12345678901234567890`, the seed of most figures.
const S: &str = "3132333435363738393031323334353637383930";

fn keyring(key: Option<&str>, passphrase: Option<&str>) -> Keyring {
    let mut keyring = Keyring::default();
    if let Some(hex) = key {
        let mut key = Plain::default();
        key.extend(&data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).expect("hex"));
        keyring.pskc_keys.push(PskcKey { name: "key.txt".to_owned(), key, found_beside: false });
    }
    if let Some(passphrase) = passphrase {
        keyring.add_passphrase(Passphrase::new(passphrase.into()));
    }
    keyring
}

/// The pre-shared key of `vendor/pskc/aes128.xml`, which most encrypted invalid files share.
fn aes128() -> Keyring {
    let entries = truth();
    let entry = entries.iter().find(|entry| entry["file"] == "aes128.xml").expect("it is in the list");
    keyring(entry["secrets"]["key"].as_str(), None)
}

/// What python-pskc reads in each file of `fixtures/vendor/pskc`.
fn truth() -> Vec<serde_json::Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vendor/pskc/truth.json");
    serde_json::from_slice(&std::fs::read(path).expect("the fixture is there")).expect("it is JSON")
}

fn seed(draft: &Draft<'_>) -> String {
    match &draft.seed {
        None => "none".to_owned(),
        Some(SeedText::Bytes(seed)) => data_encoding::HEXLOWER.encode(seed.expose()),
        Some(SeedText::Declared(text, _)) => {
            let text: String = text.split_ascii_whitespace().collect();
            let seed = data_encoding::BASE64.decode(text.as_bytes());
            seed.map_or_else(|_| format!("no Base64: {text}"), |seed| data_encoding::HEXLOWER.encode(&seed))
        }
        Some(_) => "of another kind".to_owned(),
    }
}

/// Reads a fixture; hands each draft on.
fn read(path: &str, mut keyring: Keyring, each: &mut dyn FnMut(&Draft<'_>)) -> Result<Vec<String>, Error> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(path);
    let bytes = std::fs::read(&path).expect("the fixture is there");
    // The text stage removes it.
    let mut source = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let trail = Trail::new("t.xml");
    let head = Head::new(&mut source, trail.clone(), Limits::default())?;
    assert_eq!(Format::detect(head.bytes())?, Some(Format::Pskc));
    let options = ReadOptions { now: Some(1_767_225_600), ..ReadOptions::default() };
    let opened = format::open(head, &options, &mut keyring)?.expect("it is PSKC");
    let (reader, mut cutter) = (opened.reader, opened.cutter);
    let mut findings = opened.findings;
    while let Some(chunk) = cutter.next(Plain::default())? {
        reader.read(&chunk, &trail, &mut |draft| {
            each(&draft);
            Ok(())
        })?;
    }
    findings.extend(cutter.findings());
    Ok(findings.into_iter().map(|(code, message)| format!("{code}: {message}")).collect())
}

fn shown(draft: &Draft<'_>) -> String {
    let place = draft.place.map(|place| place.to_string()).unwrap_or_default();
    let mut line = format!("{place}:");
    let fields = [
        ("serial", &draft.serial),
        ("issue", &draft.issue),
        ("key", &draft.key_id),
        ("by", &draft.manufacturer),
        ("model", &draft.model),
        ("type", &draft.kind),
        ("hash", &draft.hash),
        ("digits", &draft.digits),
        ("period", &draft.period),
        ("counter", &draft.counter),
        ("drift", &draft.drift),
        ("upn", &draft.upn),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            let _ = write!(line, " {name}={value}");
        }
    }
    let seed = seed(draft);
    let _ = write!(line, " seed={}", if seed == S { "S" } else { &seed });
    for (code, message) in &draft.faults {
        let _ = write!(line, "\n  {code}: {message}");
    }
    line
}

fn check(path: &str, keyring: Keyring, expected: &Expect) {
    let mut lines = Vec::new();
    match read(path, keyring, &mut |draft| lines.push(shown(draft))) {
        Ok(findings) => lines.extend(findings),
        Err(error) => {
            let at = error.origin().map(|origin| format!(" at {origin}")).unwrap_or_default();
            lines.push(format!("error{at}: {error}"));
        }
    }
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn reads_figure_2_the_smallest_container() {
    check("rfc6030/figure2.xml", Keyring::default(), &expect!["KeyPackage 1: key=12345678 type=hotp seed=31323334"]);
}

#[test]
fn reads_figure_3_with_supplementary_data() {
    check(
        "rfc6030/figure3.xml",
        Keyring::default(),
        &expect![
            "KeyPackage 1: serial=987654321 key=12345678 by=Manufacturer type=hotp digits=8 counter=0 upn=UID=jsmith,DC=example-bank,DC=net seed=S"
        ],
    );
}

#[test]
fn reads_figure_4_a_key_reference_without_a_seed() {
    check(
        "rfc6030/figure4.xml",
        Keyring::default(),
        &expect!["KeyPackage 1: serial=987654321 key=12345678 by=Manufacturer type=hotp digits=8 counter=0 seed=none"],
    );
}

#[test]
fn reads_figure_5_with_a_pin_that_the_device_checks() {
    check(
        "rfc6030/figure5.xml",
        Keyring::default(),
        &expect![[r#"
            KeyPackage 1: serial=987654321 key=12345678 by=Manufacturer type=hotp digits=8 counter=0 seed=S
            KeyPackage 2: serial=987654321 key=123456781 by=Manufacturer type=pin digits=4 seed=31323334"#]],
    );
}

#[test]
fn reads_figure_6_by_pre_shared_key() {
    let key = Some("12345678901234567890123456789012");
    check(
        "rfc6030/figure6.xml",
        keyring(key, None),
        &expect!["KeyPackage 1: serial=987654321 key=12345678 by=Manufacturer type=hotp digits=8 counter=0 seed=S"],
    );
}

#[test]
fn reads_figure_7_by_passphrase() {
    check(
        "rfc6030/figure7.xml",
        keyring(None, Some("qwerty")),
        &expect!["KeyPackage 1: serial=987654321 key=123456 by=TokenVendorAcme type=hotp digits=8 seed=S"],
    );
}

#[test]
fn refuses_figure_8_encrypted_to_a_certificate() {
    check(
        "rfc6030/figure8.xml",
        Keyring::default(),
        &expect!["error at t.xml: the kind of encryption key `X509Data` is not supported"],
    );
}

#[test]
fn reads_figure_9_and_says_that_its_signature_is_unchecked() {
    check(
        "rfc6030/figure9.xml",
        Keyring::default(),
        &expect![[r#"
            KeyPackage 1: serial=0755225266 key=123 by=TokenVendorAcme type=hotp digits=6 counter=0 seed=S
            signature-unchecked: the container is signed, and the signature is not checked (RFC 6030 §7)"#]],
    );
}

#[test]
fn reads_figure_10_four_keys_that_have_expired() {
    check(
        "rfc6030/figure10.xml",
        Keyring::default(),
        &expect![[r#"
            KeyPackage 1: serial=654321 key=1 by=TokenVendorAcme type=hotp digits=8 counter=0 seed=S
              key-expired: the key's time ended at `2006-05-31T00:00:00Z`
            KeyPackage 2: serial=123456 key=2 by=TokenVendorAcme type=hotp digits=8 counter=0 seed=S
              key-expired: the key's time ended at `2006-05-31T00:00:00Z`
            KeyPackage 3: serial=9999999 key=3 by=TokenVendorAcme type=hotp digits=8 counter=0 seed=S
              key-expired: the key's time ended at `2006-03-31T00:00:00Z`
            KeyPackage 4: serial=9999999 key=4 by=TokenVendorAcme type=hotp digits=8 counter=0 seed=S
              key-expired: the key's time ended at `2006-04-30T00:00:00Z`"#]],
    );
}

#[test]
fn reads_what_python_pskc_reads() {
    let entries = truth();
    assert!(entries.len() >= 17, "the list of files is cut");
    for entry in &entries {
        let file = entry["file"].as_str().expect("a name");
        let secrets = &entry["secrets"];
        let keyring = keyring(secrets["key"].as_str(), secrets["passphrase"].as_str());
        let mut expected = entry["tokens"].as_array().expect("a list").iter();
        read(&format!("vendor/pskc/{file}"), keyring, &mut |draft| {
            let token = expected.next().expect("no more keys than python-pskc finds");
            assert!(draft.faults.is_empty(), "{file}: {:?}", draft.faults);
            assert_eq!(seed(draft), token["seed"], "{file}");
            for (name, value) in [
                ("serial", &draft.serial),
                ("issue", &draft.issue),
                ("key_id", &draft.key_id),
                ("manufacturer", &draft.manufacturer),
                ("type", &draft.kind),
                ("digits", &draft.digits),
                ("period", &draft.period),
                ("counter", &draft.counter),
            ] {
                assert_eq!(value.as_deref(), token[name].as_str(), "{file}: {name}");
            }
        })
        .unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(expected.next().is_none(), "{file}: python-pskc finds more keys");
    }
}

#[test]
fn reads_suites_in_text_and_attribute() {
    check(
        "vendor/pskc/suites.xml",
        Keyring::default(),
        &expect![[r#"
        KeyPackage 1: serial=suite-1 key=suite-1 by=Example Tokens type=totp hash=HMAC-SHA256 digits=6 period=30 seed=0d7f21a583ce3fbed145b3682b0235c78470529a
        KeyPackage 2: serial=suite-2 key=suite-2 by=Example Tokens type=totp hash=sha512 digits=6 period=30 seed=9613f7c6ac7613ec78b7710f9948ae3bc4b3b17d"#]],
    );
}

#[test]
fn says_what_is_wrong_in_another_cipher() {
    check(
        "invalid/pskc-another-cipher.xml",
        aes128(),
        &expect![[r#"
            KeyPackage 1: serial=2600000000000 key=2600000000000-1 by=Example Tokens model=OTP c200 type=totp digits=6 period=60 seed=7745b53815b5e68c2999184ead12fcf8cf164b56
            error at t.xml > KeyPackage 2: another encryption than the key's `http://www.w3.org/2001/04/xmlenc#aes256-cbc` is not supported"#]],
    );
}

#[test]
fn says_what_is_wrong_in_attribute_twice() {
    check(
        "invalid/pskc-attribute-twice.xml",
        Keyring::default(),
        &expect![
            "error at t.xml > KeyPackage 1: the PSKC is damaged: expected well-formed attributes of `Key`, but found the same one twice"
        ],
    );
}

#[test]
fn says_what_is_wrong_in_base64_junk() {
    check(
        "invalid/pskc-base64-junk.xml",
        Keyring::default(),
        &expect![
            "KeyPackage 1: serial=1 key=1 by=Example Tokens type=totp digits=6 period=30 seed=no Base64: MTIz!DU2"
        ],
    );
}

#[test]
fn says_what_is_wrong_in_bomb() {
    check(
        "invalid/pskc-bomb.xml",
        Keyring::default(),
        &expect!["error at t.xml: the XML has a DOCTYPE, which can pull in files and blow up: it is refused"],
    );
}

#[test]
fn says_what_is_wrong_in_cbc_without_mac() {
    check(
        "invalid/pskc-cbc-without-mac.xml",
        aes128(),
        &expect![[r#"
            KeyPackage 1: serial=2600000000000 key=2600000000000-1 by=Example Tokens model=OTP c200 type=totp digits=6 period=60 seed=7745b53815b5e68c2999184ead12fcf8cf164b56
              mac-missing: the encrypted seed has no MAC (RFC 6030 §6.1.1)
            KeyPackage 2: serial=2600000000001 key=2600000000001-1 by=Example Tokens model=OTP c200 type=hotp digits=6 counter=1 seed=46b6d4e43d368d33aae8df242cd8df6dfc8ad960
              mac-missing: the encrypted seed has no MAC (RFC 6030 §6.1.1)
              mac-missing: the encrypted counter has no MAC (RFC 6030 §6.1.1)
            KeyPackage 3: serial=2600000000002 key=2600000000002-1 by=Example Tokens model=OTP c200 type=totp digits=6 period=30 seed=98f77f9ba6eb4e4a668368882793b7e15c11f346
              mac-missing: the encrypted seed has no MAC (RFC 6030 §6.1.1)"#]],
    );
}

#[test]
fn says_what_is_wrong_in_check_digits() {
    check(
        "invalid/pskc-check-digits.xml",
        Keyring::default(),
        &expect![[r#"
            KeyPackage 1: serial=1 key=1 by=Example Tokens type=totp digits=6 period=30 seed=d81f7eef999b76a0688170a7e3046dd8d8d2392a
              digits-unsupported: codes have check digits: `CheckDigits` is `true`"#]],
    );
}

#[test]
fn says_what_is_wrong_in_cipher_junk() {
    check(
        "invalid/pskc-cipher-junk.xml",
        aes128(),
        &expect![[r#"
            KeyPackage 1: serial=2600000000000 key=2600000000000-1 by=Example Tokens model=OTP c200 type=totp digits=6 period=60 seed=none
              seed-encoding: the encrypted seed is no Base64
            KeyPackage 2: serial=2600000000001 key=2600000000001-1 by=Example Tokens model=OTP c200 type=hotp digits=6 counter=1 seed=46b6d4e43d368d33aae8df242cd8df6dfc8ad960
            KeyPackage 3: serial=2600000000002 key=2600000000002-1 by=Example Tokens model=OTP c200 type=totp digits=6 period=30 seed=98f77f9ba6eb4e4a668368882793b7e15c11f346"#]],
    );
}

#[test]
fn says_what_is_wrong_in_deep() {
    check(
        "invalid/pskc-deep.xml",
        Keyring::default(),
        &expect![
            "error at t.xml > KeyPackage 1: too many XML elements inside one another: at most 64 are allowed, but there are more"
        ],
    );
}

#[test]
fn says_what_is_wrong_in_doctype() {
    check(
        "invalid/pskc-doctype.xml",
        Keyring::default(),
        &expect!["error at t.xml: the XML has a DOCTYPE, which can pull in files and blow up: it is refused"],
    );
}

#[test]
fn says_what_is_wrong_in_draft_namespace() {
    check(
        "invalid/pskc-draft-namespace.xml",
        Keyring::default(),
        &expect!["error at t.xml: the namespace `urn:ietf:params:xml:ns:keyprov:container:1.0` is not supported"],
    );
}

#[test]
fn says_what_is_wrong_in_element_in_value() {
    check(
        "invalid/pskc-element-in-value.xml",
        Keyring::default(),
        &expect![
            "error at t.xml > KeyPackage 1: the PSKC is damaged: expected only text in `PlainValue`, but found an element inside it"
        ],
    );
}

#[test]
fn reads_past_an_empty_manufacturer() {
    check(
        "invalid/pskc-empty-manufacturer.xml",
        Keyring::default(),
        &expect![
            "KeyPackage 1: serial=1 key=1 type=totp digits=6 period=30 seed=d81f7eef999b76a0688170a7e3046dd8d8d2392a"
        ],
    );
}

#[test]
fn says_what_is_wrong_in_encoding_hex() {
    check(
        "invalid/pskc-encoding-hex.xml",
        Keyring::default(),
        &expect![[r#"
            KeyPackage 1: serial=1 key=1 by=Example Tokens type=totp digits=6 period=30 seed=d81f7eef999b76a0688170a7e3046dd8d8d2392a
              digits-unsupported: codes are written as `HEXADECIMAL`: expected `DECIMAL`"#]],
    );
}

#[test]
fn says_what_is_wrong_in_external_entity() {
    check(
        "invalid/pskc-external-entity.xml",
        Keyring::default(),
        &expect!["error at t.xml: the XML has a DOCTYPE, which can pull in files and blow up: it is refused"],
    );
}

#[test]
fn says_what_is_wrong_in_junk_between() {
    check(
        "invalid/pskc-junk-between.xml",
        Keyring::default(),
        &expect![[r#"
            KeyPackage 1: serial=1 key=1 by=Example Tokens type=totp digits=6 period=30 seed=d81f7eef999b76a0688170a7e3046dd8d8d2392a
            error at t.xml > KeyPackage 2: the PSKC is damaged: expected only elements in `KeyContainer`, but found text between them"#]],
    );
}

#[test]
fn says_what_is_wrong_in_late_doctype() {
    check(
        "invalid/pskc-late-doctype.xml",
        Keyring::default(),
        &expect!["error at t.xml: the XML has a DOCTYPE, which can pull in files and blow up: it is refused"],
    );
}

#[test]
fn says_what_is_wrong_in_length_0() {
    check(
        "invalid/pskc-length-0.xml",
        Keyring::default(),
        &expect![
            "KeyPackage 1: serial=1 key=1 by=Example Tokens type=totp digits=0 period=30 seed=d81f7eef999b76a0688170a7e3046dd8d8d2392a"
        ],
    );
}

#[test]
fn says_what_is_wrong_in_long_field() {
    check(
        "invalid/pskc-long-field.xml",
        Keyring::default(),
        &expect![
            "error at t.xml > KeyPackage 1: too many bytes in one field: at most 4096 are allowed, but found 5000"
        ],
    );
}

#[test]
fn says_what_is_wrong_in_mac_missing() {
    check(
        "invalid/pskc-mac-missing.xml",
        aes128(),
        &expect![[r#"
            KeyPackage 1: serial=2600000000000 key=2600000000000-1 by=Example Tokens model=OTP c200 type=totp digits=6 period=60 seed=7745b53815b5e68c2999184ead12fcf8cf164b56
              mac-missing: the encrypted seed has no MAC (RFC 6030 §6.1.1)
            KeyPackage 2: serial=2600000000001 key=2600000000001-1 by=Example Tokens model=OTP c200 type=hotp digits=6 counter=1 seed=46b6d4e43d368d33aae8df242cd8df6dfc8ad960
            KeyPackage 3: serial=2600000000002 key=2600000000002-1 by=Example Tokens model=OTP c200 type=totp digits=6 period=30 seed=98f77f9ba6eb4e4a668368882793b7e15c11f346"#]],
    );
}

#[test]
fn says_what_is_wrong_in_mac_wrong() {
    check(
        "invalid/pskc-mac-wrong.xml",
        aes128(),
        &expect![[r#"
            KeyPackage 1: serial=2600000000000 key=2600000000000-1 by=Example Tokens model=OTP c200 type=totp digits=6 period=60 seed=none
              mac-mismatch: the MAC does not match the encrypted seed (RFC 6030 §6.1.1)
            KeyPackage 2: serial=2600000000001 key=2600000000001-1 by=Example Tokens model=OTP c200 type=hotp digits=6 counter=1 seed=46b6d4e43d368d33aae8df242cd8df6dfc8ad960
            KeyPackage 3: serial=2600000000002 key=2600000000002-1 by=Example Tokens model=OTP c200 type=totp digits=6 period=30 seed=98f77f9ba6eb4e4a668368882793b7e15c11f346"#]],
    );
}

#[test]
fn says_what_is_wrong_in_mismatched_end() {
    check(
        "invalid/pskc-mismatched-end.xml",
        Keyring::default(),
        &expect![
            "error at t.xml > KeyPackage 1: the PSKC is damaged: expected `</DeviceInfo>`, but found the end of another element"
        ],
    );
}

#[test]
fn says_what_is_wrong_in_nested_package() {
    check(
        "invalid/pskc-nested-package.xml",
        Keyring::default(),
        &expect![
            "error at t.xml > KeyPackage 1: the PSKC is damaged: expected the end of `KeyPackage`, but found `KeyPackage` inside it"
        ],
    );
}

#[test]
fn says_what_is_wrong_in_no_container() {
    check(
        "invalid/pskc-no-container.xml",
        Keyring::default(),
        &expect![
            "error at t.xml: the PSKC is damaged: expected `KeyContainer` around the packages, but found `KeyPackage`"
        ],
    );
}

#[test]
fn says_what_is_wrong_in_no_end() {
    check(
        "invalid/pskc-no-end.xml",
        Keyring::default(),
        &expect![
            "error at t.xml: the PSKC is damaged: expected `</KeyContainer>`, but found the end of the file: it was cut short"
        ],
    );
}

#[test]
fn says_what_is_wrong_in_package_after_signature() {
    check(
        "invalid/pskc-package-after-signature.xml",
        Keyring::default(),
        &expect![[r#"
            KeyPackage 1: serial=1 key=1 by=Example Tokens type=totp digits=6 period=30 seed=d81f7eef999b76a0688170a7e3046dd8d8d2392a
            error at t.xml: the PSKC is damaged: expected the end of the container, but found another `KeyPackage`"#]],
    );
}

#[test]
fn says_what_is_wrong_in_pbkdf2_rounds() {
    check(
        "invalid/pskc-pbkdf2-rounds.xml",
        keyring(None, Some("correct horse battery staple")),
        &expect![
            "error at t.xml: too many PBKDF2 rounds over all tries: at most 10000000 are allowed, but found 4000000000"
        ],
    );
}

#[test]
fn says_what_is_wrong_in_pbkdf2_zero_rounds() {
    check(
        "invalid/pskc-pbkdf2-zero-rounds.xml",
        keyring(None, Some("correct horse battery staple")),
        &expect!["error at t.xml: the PSKC is damaged: expected a number above 0 in `IterationCount`, but found `0`"],
    );
}

#[test]
fn says_what_is_wrong_in_policy_unknown() {
    check(
        "invalid/pskc-policy-unknown.xml",
        Keyring::default(),
        &expect![[r#"
            KeyPackage 1: serial=1 key=1 by=Example Tokens type=totp digits=6 period=30 seed=d81f7eef999b76a0688170a7e3046dd8d8d2392a
              policy-unknown: the policy has `Moon`, which is not understood (RFC 6030 §5)"#]],
    );
}

#[test]
fn says_what_is_wrong_in_policy_usage() {
    check(
        "invalid/pskc-policy-usage.xml",
        Keyring::default(),
        &expect![[r#"
            KeyPackage 1: serial=1 key=1 by=Example Tokens type=totp digits=6 period=30 seed=d81f7eef999b76a0688170a7e3046dd8d8d2392a
              policy-unknown: the policy does not allow codes: expected the key usage `OTP`, but found others only"#]],
    );
}

#[test]
fn honours_the_prf_in_prf_sha256() {
    check(
        "invalid/pskc-prf-sha256.xml",
        keyring(None, Some("correct horse battery staple")),
        &expect![[r#"
            KeyPackage 1: serial=2600000000000 key=2600000000000-1 by=Example Tokens model=OTP c200 type=totp digits=6 period=60 seed=7745b53815b5e68c2999184ead12fcf8cf164b567cce64f33dc8743f39deee5c
            KeyPackage 2: serial=2600000000001 key=2600000000001-1 by=Example Tokens model=OTP c200 type=hotp digits=6 counter=1 seed=46b6d4e43d368d33aae8df242cd8df6dfc8ad9606511c189efe58bd3c7763bbf"#]],
    );
}

#[test]
fn says_what_is_wrong_in_prf_unknown() {
    check(
        "invalid/pskc-prf-unknown.xml",
        keyring(None, Some("correct horse battery staple")),
        &expect![
            "error at t.xml: the hash of PBKDF2 `http://www.w3.org/2001/04/xmldsig-more#hmac-md2` is not supported"
        ],
    );
}

#[test]
fn reads_the_hash_in_suite_sha256() {
    check(
        "invalid/pskc-suite-sha256.xml",
        Keyring::default(),
        &expect![
            "KeyPackage 1: serial=1 key=1 by=Example Tokens type=totp hash=HMAC-SHA256 digits=6 period=30 seed=d81f7eef999b76a0688170a7e3046dd8d8d2392a"
        ],
    );
}

#[test]
fn says_what_is_wrong_in_suite_two_hashes() {
    check(
        "invalid/pskc-suite-two-hashes.xml",
        Keyring::default(),
        &expect![[r#"
        KeyPackage 1: serial=1 key=1 by=Example Tokens type=totp hash=HMAC-SHA256 digits=6 period=30 seed=d81f7eef999b76a0688170a7e3046dd8d8d2392a
          hash-unknown: `Suite` names two hashes: `HMAC-SHA256` in its text, `sha512` in `hashalgo`"#]],
    );
}

#[test]
fn says_what_is_wrong_in_time_offset() {
    check(
        "invalid/pskc-time-offset.xml",
        Keyring::default(),
        &expect![[r#"
            KeyPackage 1: serial=1 key=1 by=Example Tokens type=totp digits=6 period=30 seed=d81f7eef999b76a0688170a7e3046dd8d8d2392a
              type-unsupported: the time starts at `946684800`: expected 0, as codes count from 1970"#]],
    );
}

#[test]
fn says_what_is_wrong_in_time_step_0() {
    check(
        "invalid/pskc-time-step-0.xml",
        Keyring::default(),
        &expect![
            "KeyPackage 1: serial=1 key=1 by=Example Tokens type=totp digits=6 period=0 seed=d81f7eef999b76a0688170a7e3046dd8d8d2392a"
        ],
    );
}

#[test]
fn says_what_is_wrong_in_truncated() {
    check(
        "invalid/pskc-truncated.xml",
        Keyring::default(),
        &expect![
            "error at t.xml: the PSKC is damaged: expected `</KeyContainer>`, but found the end of the file: it was cut short"
        ],
    );
}

#[test]
fn says_what_is_wrong_in_two_containers() {
    check(
        "invalid/pskc-two-containers.xml",
        Keyring::default(),
        &expect![[r#"
            KeyPackage 1: serial=1 key=1 by=Example Tokens type=totp digits=6 period=30 seed=d81f7eef999b76a0688170a7e3046dd8d8d2392a
            error at t.xml: the PSKC is damaged: expected the end of the file, but found a second `KeyContainer`"#]],
    );
}

#[test]
fn says_what_is_wrong_in_two_secrets() {
    check(
        "invalid/pskc-two-secrets.xml",
        Keyring::default(),
        &expect!["error at t.xml > KeyPackage 1: the PSKC is damaged: expected one `PlainValue`, but found two"],
    );
}

#[test]
fn says_what_is_wrong_in_unknown_entity() {
    check(
        "invalid/pskc-unknown-entity.xml",
        Keyring::default(),
        &expect![
            "error at t.xml > KeyPackage 1: the PSKC is damaged: expected one of the five entities of XML, but found a reference to another"
        ],
    );
}

#[test]
fn says_what_is_wrong_in_unsupported_cipher() {
    check(
        "invalid/pskc-unsupported-cipher.xml",
        aes128(),
        &expect!["error at t.xml: the encryption `http://www.w3.org/2001/04/xmlenc#tripledes-cbc` is not supported"],
    );
}

#[test]
fn says_what_is_wrong_in_version_2() {
    check(
        "invalid/pskc-version-2.xml",
        Keyring::default(),
        &expect!["error at t.xml: the PSKC is damaged: expected version 1.0, but found `2.0`"],
    );
}

#[test]
fn says_what_is_wrong_in_yubikey_aes() {
    check(
        "invalid/pskc-yubikey-aes.xml",
        Keyring::default(),
        &expect![
            "KeyPackage 1: serial=1 key=1 by=Example Tokens type=http://www.yubico.com/#yubikey-aes digits=6 period=30 seed=d81f7eef999b76a0688170a7e3046dd8d8d2392a"
        ],
    );
}

#[test]
fn a_seed_that_is_hex_is_not_taken_for_base64() {
    check(
        "invalid/pskc-seed-hex.xml",
        Keyring::default(),
        &expect![[r#"
        KeyPackage 1: serial=1 key=1 by=Example Tokens type=totp digits=6 period=30 seed=77cd5fede79ff7df5befa6b4ebcf35ef46bb7b7d38e9d77c77c776dfdd9a
          seed-ambiguous: the seed is no Base64 but by chance (RFC 6030 §4.2): expected Base64, but found text that is hex from end to end"#]],
    );
}

#[test]
fn a_seed_that_is_base32_is_not_taken_for_base64() {
    check(
        "invalid/pskc-seed-base32.xml",
        Keyring::default(),
        &expect![[r#"
        KeyPackage 1: serial=1 key=1 by=Example Tokens type=totp digits=6 period=30 seed=dc03d7e77e194cddca0361013824fa1810cddc330d10e24a
          seed-ambiguous: the seed is no Base64 but by chance (RFC 6030 §4.2): expected Base64, but found text that is Base32 from end to end"#]],
    );
}

#[test]
fn says_what_is_wrong_in_namespace_inside() {
    check(
        "invalid/pskc-namespace-inside.xml",
        Keyring::default(),
        &expect![
            "error at t.xml > KeyPackage 1: the PSKC is damaged: expected one prefix for its namespace from beginning to end, but found a namespace that is declared anew"
        ],
    );
}

#[test]
fn says_what_is_wrong_in_namespace_redeclared() {
    check(
        "invalid/pskc-namespace-redeclared.xml",
        Keyring::default(),
        &expect![
            "error at t.xml: the PSKC is damaged: expected one prefix for its namespace from beginning to end, but found a namespace that is declared anew"
        ],
    );
}

#[test]
fn says_what_is_wrong_in_namespace_two_prefixes() {
    check(
        "invalid/pskc-namespace-two-prefixes.xml",
        Keyring::default(),
        &expect![
            "error at t.xml: the PSKC is damaged: expected one prefix for its namespace from beginning to end, but found a namespace that is declared anew"
        ],
    );
}

#[test]
fn says_what_is_wrong_in_package_foreign() {
    check(
        "invalid/pskc-package-foreign.xml",
        Keyring::default(),
        &expect![
            "error at t.xml: the PSKC is damaged: expected `KeyPackage` with the prefix of `KeyContainer`, but found `q:KeyPackage`"
        ],
    );
}

#[test]
fn says_what_is_wrong_in_control_character() {
    check(
        "invalid/pskc-control-character.xml",
        Keyring::default(),
        &expect![
            "error at t.xml > byte 183: cannot read the text: expected characters of XML (XML 1.0 §2.2), but found a control character"
        ],
    );
}

#[test]
fn says_what_is_wrong_in_cdata_end() {
    check(
        "invalid/pskc-cdata-end.xml",
        Keyring::default(),
        &expect![
            "error at t.xml > KeyPackage 1: the PSKC is damaged: expected well-formed XML, but found `]]>` in text"
        ],
    );
}

#[test]
fn says_what_is_wrong_in_declaration() {
    check(
        "invalid/pskc-declaration.xml",
        Keyring::default(),
        &expect![
            "error at t.xml: the PSKC is damaged: expected an XML declaration of version 1, but found another one"
        ],
    );
}

#[test]
fn a_plain_seed_among_protected_ones_has_no_mac() {
    check(
        "invalid/pskc-plain-among-protected.xml",
        aes128(),
        &expect![[r#"
        KeyPackage 1: serial=2600000000000 key=2600000000000-1 by=Example Tokens model=OTP c200 type=totp digits=6 period=60 seed=7745b53815b5e68c2999184ead12fcf8cf164b56
        KeyPackage 2: serial=2600000000001 key=2600000000001-1 by=Example Tokens model=OTP c200 type=hotp digits=6 counter=1 seed=d81f7eef999b76a0688170a7e3046dd8d8d2392a
          mac-missing: the seed stands open, in a container whose key or MAC is to protect it (RFC 6030 §6)
        KeyPackage 3: serial=2600000000002 key=2600000000002-1 by=Example Tokens model=OTP c200 type=totp digits=6 period=30 seed=98f77f9ba6eb4e4a668368882793b7e15c11f346"#]],
    );
}

#[test]
fn digits_that_are_a_binary_number_too_are_refused() {
    check(
        "invalid/pskc-integer-ambiguous.xml",
        aes128(),
        &expect![[r#"
        KeyPackage 1: serial=2600000000000 key=2600000000000-1 by=Example Tokens model=OTP c200 type=totp digits=6 period=60 seed=7745b53815b5e68c2999184ead12fcf8cf164b56
        KeyPackage 2: serial=2600000000001 key=2600000000001-1 by=Example Tokens model=OTP c200 type=hotp digits=6 counter=5 seed=46b6d4e43d368d33aae8df242cd8df6dfc8ad960
          integer-ambiguous: the encrypted counter can be read in two ways: expected ASCII digits or a binary number, but found bytes that are both
        KeyPackage 3: serial=2600000000002 key=2600000000002-1 by=Example Tokens model=OTP c200 type=totp digits=6 period=60 seed=98f77f9ba6eb4e4a668368882793b7e15c11f346"#]],
    );
}

#[test]
fn one_short_padding_proves_no_key() {
    check("invalid/pskc-short-padding.xml", aes128(), &expect!["error at t.xml: the key does not open the seeds"]);
}

#[test]
fn two_keys_that_fit_prove_nothing() {
    // The second was found by trying: it makes the last byte of both plaintexts a 1, which is a padding.
    let other = "0000000000000000000000000000020f";
    check(
        "invalid/pskc-two-keys-fit.xml",
        aes128(),
        &expect![[r#"
        KeyPackage 1: serial=2600000000000 key=2600000000000-1 by=Example Tokens model=OTP c200 type=totp digits=6 period=60 seed=58b376996ce7057c4e3831f6cf703be7db61869d3fcf438e4c0740ca14f206
          mac-missing: the encrypted seed has no MAC (RFC 6030 §6.1.1)
        KeyPackage 2: serial=2600000000001 key=2600000000001-1 by=Example Tokens model=OTP c200 type=totp digits=6 period=60 seed=c40b12b5f61986fc2614a1072426b849c92344871e1a1c360e4a5e0aefaa13
          mac-missing: the encrypted seed has no MAC (RFC 6030 §6.1.1)"#]],
    );
    check(
        "invalid/pskc-two-keys-fit.xml",
        keyring(Some(other), None),
        &expect![[r#"
        KeyPackage 1: serial=2600000000000 key=2600000000000-1 by=Example Tokens model=OTP c200 type=totp digits=6 period=60 seed=57f622d0a863c0002c2f809877ade4785bfe12da199abc9f60775b92945234
          mac-missing: the encrypted seed has no MAC (RFC 6030 §6.1.1)
        KeyPackage 2: serial=2600000000001 key=2600000000001-1 by=Example Tokens model=OTP c200 type=totp digits=6 period=60 seed=36e4c4890a6549324b9800db756939cac2fad224aff0fbccf2b4ce7161c05e
          mac-missing: the encrypted seed has no MAC (RFC 6030 §6.1.1)"#]],
    );
    let mut both = aes128();
    both.pskc_keys.append(&mut keyring(Some(other), None).pskc_keys);
    check("invalid/pskc-two-keys-fit.xml", both, &expect!["error at t.xml: no key opens the seeds: 2 were tried"]);
}
