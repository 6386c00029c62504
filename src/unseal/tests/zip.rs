//! ZIP: every compression and encryption, passwords, and what is refused.

use super::*;

#[test]
fn reads_every_compression() {
    for name in ["plain.zip", "stored.zip", "bzip2.zip", "lzma.zip", "deflate64.zip", "renamed.pdf"] {
        check(name, keyring(&[], &[], &[]), "tokens.csv", Layer::Zip, "not encrypted");
    }
}

#[test]
fn reads_every_encryption() {
    for (name, detail) in [
        ("zipcrypto.zip", "ZipCrypto"),
        ("zipcrypto-7zz.zip", "ZipCrypto"),
        ("aes128-7zz.zip", "AES-128"),
        ("aes192-7zz.zip", "AES-192"),
        ("aes256-7zz.zip", "AES-256"),
        ("aes128-ae1.zip", "AES-128"),
        ("aes128-ae2.zip", "AES-128"),
        ("aes192-ae1.zip", "AES-192"),
        ("aes192-ae2.zip", "AES-192"),
        ("aes256-ae1.zip", "AES-256"),
        ("aes256-ae2.zip", "AES-256"),
    ] {
        check(name, keyring(&["wrong", PASSWORD], &[], &[]), "tokens.csv", Layer::Zip, detail);
    }
    check("zipcrypto-streamed.zip", keyring(&[PASSWORD], &[], &[]), "-", Layer::Zip, "ZipCrypto");
}

#[test]
fn reads_passwords_in_the_code_page_of_the_packer() {
    check("password-cp437.zip", keyring(&["grün"], &[], &[]), "tokens.csv", Layer::Zip, "AES-256");
    check("password-windows1252.zip", keyring(&["grün€"], &[], &[]), "tokens.csv", Layer::Zip, "AES-256");
}

#[test]
fn members_may_have_different_passwords() {
    let found = open("two-passwords.zip", keyring(&["other", PASSWORD], &[], &[]));
    assert_eq!(found.members.iter().map(|(trail, _)| behind(trail)).collect::<Vec<_>>(), ["a.csv", "b.csv"]);
    assert!(found.members.iter().all(|(_, content)| content == CSV));
}

#[test]
fn an_unwanted_member_needs_no_password() {
    let only_first = || keyring(&[PASSWORD], &[], &[]);
    let input = || vec![Input::Path(fixture("two-passwords.zip"))];
    for visitor in [
        Collect { unwanted: vec!["b.csv"], ..Collect::default() },
        Collect { shut: vec!["b.csv"], ..Collect::default() },
    ] {
        let (result, found) = run(input(), only_first(), visitor);
        result.expect("the first is all that is wanted");
        assert_eq!(found.members.len(), 1);
    }
}

#[test]
fn says_when_a_password_is_missing_or_wrong() {
    for name in ["zipcrypto.zip", "aes256-ae2.zip"] {
        let error = refused(name, keyring(&[], &[], &[]));
        assert_eq!(error.to_string(), "the ZIP is locked: expected a password, but none was given");
        assert_eq!(behind(&error.origin().expect("a place").to_string()), "tokens.csv");
    }
    let error = refused("aes256-ae2.zip", keyring(&["a", "b"], &[], &[]));
    assert_eq!(error.to_string(), "wrong password for the ZIP: none of 2 fits");
}

#[test]
fn the_second_answer_of_a_person_may_be_right() {
    for name in ["zipcrypto.zip", "aes256-ae1.zip", "symmetric.pgp"] {
        let mut keyring = keyring(&[], &[], &[]);
        let mut answers = vec![PASSWORD, "wrong"];
        keyring.ask_with(Box::new(move |_, _| answers.pop().map(|answer| Passphrase::new(answer.into()))));
        assert_eq!(open(name, keyring).members[0].1, CSV, "{name}");
    }
}

#[test]
fn a_password_that_only_passes_the_short_check_gives_way() {
    // One in 256 passes the check of ZipCrypto, so among these some do.
    let wrong: Vec<String> = (0..1500).map(|number| format!("wrong {number}")).collect();
    let mut passwords: Vec<&str> = wrong.iter().map(String::as_str).collect();
    let error = refused("zipcrypto.zip", keyring(&passwords, &[], &[]));
    assert!(error.to_string().starts_with("the ZIP is damaged: the check at the end fails"), "{error}");
    passwords.push(PASSWORD);
    assert_eq!(open("zipcrypto.zip", keyring(&passwords, &[], &[])).members[0].1, CSV);
}

#[test]
fn passes_over_what_is_plainly_no_seed_file() {
    let found = open("beside-others.zip", keyring(&[], &[], &[]));
    assert_eq!(found.members.len(), 1);
    let findings: Vec<_> = found.findings.iter().map(|(trail, _, message)| (behind(trail), message.as_str())).collect();
    assert_eq!(
        findings,
        [
            ("empty/", "skipped: it is an empty folder"),
            ("__MACOSX/._tokens.csv", "skipped: it is macOS's record of file attributes"),
            (".DS_Store", "skipped: it is macOS's record of a folder's look"),
            ("letter.pdf", "skipped: it is a PDF document"),
            ("logo.png", "skipped: it is a PNG image"),
        ]
    );
    let workbook = open("workbook.xlsx", keyring(&[], &[], &[]));
    assert_eq!(workbook.findings[0].2, "skipped: it is an Office document");
    assert!(workbook.members.is_empty());
}

#[test]
fn no_members_is_nothing_to_read() {
    assert!(matches!(refused("no-members.zip", keyring(&[], &[], &[])).kind(), ErrorKind::NothingToRead));
    let folder = tempfile::tempdir().expect("a folder");
    let (result, _) = run(vec![Input::Path(folder.path().into())], keyring(&[], &[], &[]), Collect::default());
    assert!(matches!(result.expect_err("it is empty").kind(), ErrorKind::NothingToRead));
    let (result, _) = run(vec![Input::Path(folder.path().join("none"))], keyring(&[], &[], &[]), Collect::default());
    assert!(matches!(result.expect_err("it is missing").kind(), ErrorKind::NotFound { .. }));
}

#[test]
fn refuses_names_that_point_outside() {
    let zip = zip_of(&[("xx/yyyyy.csv", CSV)], ::zip::CompressionMethod::Stored);
    for name in [b"../yyyyy.csv", b"/x/yyyyy.csv", b"C:\\yyyyy.csv", b"a/../../.csv", b"\\\\h/yyyy.csv"] {
        let (result, found) = run_bytes(&replaced(&zip, b"xx/yyyyy.csv", name), keyring(&[], &[], &[]));
        let error = result.expect_err("the name is unsafe");
        assert!(matches!(error.kind(), ErrorKind::MemberNameUnsafe { .. }), "{error}");
        assert!(found.members.is_empty());
    }
}

#[test]
fn refuses_two_members_of_one_name() {
    let zip = zip_of(&[("a.csv", CSV), ("b.csv", b"other")], ::zip::CompressionMethod::Stored);
    let (result, _) = run_bytes(&replaced(&zip, b"b.csv", b"a.csv"), keyring(&[], &[], &[]));
    let error = result.expect_err("which one is meant?");
    assert_eq!(error.to_string(), "the ZIP is damaged: two members have the same name");
}

#[test]
fn names_pkware_encryption() {
    // Bit 6 of the flags, in the local header (offset 6) and in the directory (offset 8).
    let mut zip = bytes("zipcrypto.zip");
    zip[6] |= 0x40;
    let directory = memchr::memmem::rfind(&zip, b"PK\x01\x02").expect("a directory");
    zip[directory + 8] |= 0x40;
    let (result, _) = run_bytes(&zip, keyring(&[PASSWORD], &[], &[]));
    assert_eq!(
        result.expect_err("it cannot be read").to_string(),
        "the ZIP cannot be read: it has PKWARE's own encryption (strong encryption); AES-256 can be read"
    );
}

#[test]
fn an_authentication_code_that_was_altered_or_cut_out_is_an_error() {
    for name in ["aes256-ae1.zip", "aes256-ae2.zip"] {
        let zip = bytes(name);
        let directory = memchr::memmem::rfind(&zip, b"PK\x01\x02").expect("a directory");
        // The ten bytes before the directory are the code: nothing follows a member that pyzipper writes.
        let mut altered = zip.clone();
        altered[directory - 1] ^= 1;
        let (result, _) = run_bytes(&altered, keyring(&[PASSWORD], &[], &[]));
        let error = result.expect_err("the code is wrong");
        assert_eq!(
            error.to_string(),
            "the ZIP is damaged: the check at the end fails, so the password is wrong, or the file was changed or cut"
        );
        let mut stripped = zip.clone();
        stripped.drain(directory - 10..directory);
        let (result, _) = run_bytes(&stripped, keyring(&[PASSWORD], &[], &[]));
        result.expect_err("the code is gone");
    }
}

#[test]
fn no_cut_of_a_zip_ends_well() {
    for name in ["plain.zip", "zipcrypto.zip", "aes256-ae1.zip", "aes256-ae2.zip"] {
        check_cuts(name);
    }
}

#[test]
fn no_flipped_byte_of_a_zip_gives_other_content() {
    check_flips("aes256-ae2.zip", 0x01);
    check_flips("zipcrypto.zip", 0xff);
}

#[test]
fn ae_1_has_its_checksum_checked_beside_its_code() {
    // The CRC stands at offset 16 of the directory's entry; AE-2 has none there that counts.
    for (name, is_checked) in [("aes256-ae1.zip", true), ("aes256-ae2.zip", false)] {
        let mut zip = bytes(name);
        let directory = memchr::memmem::rfind(&zip, b"PK\x01\x02").expect("a directory");
        zip[directory + 16] ^= 1;
        assert_eq!(run_bytes(&zip, keyring(&[PASSWORD], &[], &[])).0.is_err(), is_checked, "{name}");
    }
}

#[test]
fn every_byte_of_a_zip_must_have_its_place() {
    let one = zip_of(&[("a.csv", CSV)], ::zip::CompressionMethod::Stored);
    let two = zip_of(&[("b.csv", CSV), ("c.csv", b"other")], ::zip::CompressionMethod::Stored);
    let end = two.len() - 22;
    let directory = memchr::memmem::find(&two, b"PK\x01\x02").expect("a directory");
    let changed = |at: usize, byte: u8| {
        let mut zip = two.clone();
        zip[at] = byte;
        zip
    };
    // The end record counts the entries of this part and of all, then has the length of the directory (§4.3.16).
    let mut uncounted = changed(end + 8, 1);
    uncounted[end + 10] = 1;
    let second = directory + 46 + 5;
    let mut unlisted = two.clone();
    unlisted.drain(second..end);
    let end_of_unlisted = unlisted.len() - 22;
    unlisted[end_of_unlisted + 8] = 1;
    unlisted[end_of_unlisted + 10] = 1;
    unlisted[end_of_unlisted + 12] = 46 + 5;
    let mut in_comment = one.clone();
    let length = u8::try_from(two.len() % 256).expect("a byte");
    let at = in_comment.len() - 2;
    in_comment[at] = length;
    in_comment[at + 1] = u8::try_from(two.len() / 256).expect("a byte");
    in_comment.extend_from_slice(&two);
    // The second member's place is the first's (§4.3.12).
    let mut overlapping = two.clone();
    overlapping[second + 42..second + 46].fill(0);
    for (zip, what) in [
        (
            [&one[..], &two].concat(),
            "its directory does not end where the archive ends: something was put before or into it",
        ),
        ([&two[..], b"1,2,3\n"].concat(), "something follows the end of the archive, or hides in its comment"),
        (in_comment, "its directory does not end where the archive ends: something was put before or into it"),
        (uncounted, "its directory has other members than its end record counts"),
        (unlisted, "it has bytes that belong to no member of its directory"),
        (overlapping, "two of its members overlap"),
        // The name in the first local header (§4.3.7).
        (changed(30, b'x'), "a member calls itself by another name than the directory, or is packed in another way"),
    ] {
        let (result, found) = run_bytes(&zip, keyring(&[], &[], &[]));
        assert_eq!(result.expect_err(what).to_string(), format!("the ZIP is damaged: {what}"));
        assert!(found.members.is_empty());
    }
}

#[test]
fn what_packers_leave_between_members_is_read() {
    // By Info-ZIP, `zip -fd`: descriptors with a mark; by Python's `zipfile` on a stream: the same with ZIP64.
    for name in ["descriptors.zip", "descriptors-zip64.zip", "comment.zip"] {
        check(name, keyring(&[], &[], &[]), "tokens.csv", Layer::Zip, "not encrypted");
    }
}
