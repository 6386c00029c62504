//! OpenPGP: every kind of key, passwords, signatures, and what is refused.

use super::*;

#[test]
fn reads_messages_to_every_kind_of_key() {
    for (name, member, key) in [
        ("to-rsa.pgp", "to-rsa", "rsa.key.asc"),
        ("to-rsa.pgp", "to-rsa", "rsa.key.gpg"),
        ("to-rsa.asc", "to-rsa", "rsa.key.asc"),
        ("to-curve25519.pgp", "to-curve25519", "curve25519.key.asc"),
        ("to-nistp256.pgp", "to-nistp256", "nistp256.key.asc"),
        ("to-locked.pgp", "to-locked", "locked.key.asc"),
        ("to-hidden.pgp", "to-hidden", "rsa.key.asc"),
        ("to-expired.pgp", "to-expired", "expired.key.asc"),
        ("to-two.pgp", "to-two", "rsa.key.asc"),
        ("to-two.pgp", "to-two", "locked.key.asc"),
        ("signed-to-rsa.pgp", "signed-to-rsa", "rsa.key.asc"),
    ] {
        let found = open(name, keyring(&["wrong", PASSWORD], &["nistp256.key.asc", key], &[]));
        assert_eq!(found.members, [(found.members[0].0.clone(), CSV.to_vec())], "{name}");
        assert_eq!(behind(&found.members[0].0), member);
    }
}

#[test]
fn reads_messages_by_password_and_without_encryption() {
    check("symmetric.pgp", keyring(&[PASSWORD], &[], &[]), "symmetric", Layer::OpenPgp, "encrypted with a password");
    check("compressed.pgp", keyring(&[], &[], &[]), "compressed", Layer::OpenPgp, "not encrypted");
    for keyring in [keyring(&["a", "b", PASSWORD], &[], &[]), keyring(&[], &["nistp256.key.asc"], &[])] {
        assert_eq!(open("symmetric-and-key.pgp", keyring).members[0].1, CSV);
    }
}

#[test]
fn names_the_keys_that_a_message_is_encrypted_to() {
    let error = refused("to-two.pgp", keyring(&[PASSWORD], &["nistp256.key.asc"], &[]));
    let ErrorKind::PgpKeyMissing { recipients } = error.kind() else { panic!("{error}") };
    assert_eq!(recipients.len(), 2);
    assert!(recipients.iter().all(|id| id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit())));
    let error = refused("to-hidden.pgp", keyring(&[], &["nistp256.key.asc"], &[]));
    assert!(error.to_string().contains("a hidden recipient"), "{error}");
}

#[test]
fn says_what_is_wrong_with_a_message() {
    let error = refused("to-elgamal.pgp", keyring(&[], &["elgamal.key.asc"], &[]));
    assert!(matches!(error.kind(), ErrorKind::PgpAlgorithm { algorithm } if algorithm == "ElGamal"), "{error}");
    let error = refused("no-mdc.pgp", keyring(&[], &["rsa.key.asc"], &[]));
    assert!(matches!(error.kind(), ErrorKind::PgpUnprotected), "{error}");
    let error = refused("to-locked.pgp", keyring(&["wrong"], &["locked.key.asc"], &[]));
    assert_eq!(error.to_string(), "wrong password for the OpenPGP key");
    for wrong in [&["wrong"][..], &["wrong", "more"]] {
        let error = refused("symmetric.pgp", keyring(wrong, &[], &[]));
        assert!(matches!(error.kind(), ErrorKind::PasswordWrong { tried, .. } if *tried == wrong.len()), "{error}");
    }
    let error = refused("symmetric.pgp", keyring(&[], &[], &[]));
    assert!(matches!(error.kind(), ErrorKind::PasswordMissing { .. }), "{error}");
}

#[test]
fn a_signature_without_a_certificate_is_noted() {
    for (name, key) in
        [("signed.pgp", None), ("signed-to-rsa.pgp", Some("rsa.key.asc")), ("signed-cleartext.asc", None)]
    {
        let found = open(name, keyring(&[], &Vec::from_iter(key), &[]));
        assert_eq!(found.members.len(), 1);
        assert_eq!(found.findings[0].1, Code::SignatureUnchecked, "{name}");
        assert!(found.findings[0].2.starts_with("signed by "), "{}", found.findings[0].2);
        assert!(found.layers[0].2.contains("signed by"), "{}", found.layers[0].2);
    }
    let found = open("signed-detached.asc", keyring(&[], &[], &[]));
    assert_eq!(found.findings[0].2, "a detached OpenPGP signature, which is not checked");
}

#[test]
fn a_given_certificate_must_have_signed() {
    let vendor = ["stranger.cert.asc", "vendor.cert.asc"];
    for name in ["signed.pgp", "signed-to-rsa.pgp", "signed-cleartext.asc"] {
        let found = open(name, keyring(&[], &["rsa.key.asc"], &vendor));
        assert!(found.findings.is_empty(), "{name}");
        let error = refused(name, keyring(&[], &["rsa.key.asc"], &["stranger.cert.asc"]));
        assert!(error.to_string().contains("none of the given certificates"), "{error}");
    }
    for name in ["to-rsa.pgp", "compressed.pgp", "plain.zip", "tokens.csv"] {
        let error = refused(name, keyring(&[], &["rsa.key.asc"], &vendor));
        assert!(matches!(error.kind(), ErrorKind::SignatureMissing), "{name}: {error}");
    }
}

#[test]
fn a_signature_that_does_not_match_is_bad() {
    // The payload of a clear-signed text is in sight, so it can be changed.
    let forged = replaced(&bytes("signed-cleartext.asc"), b"2308730400001", b"2308730400009");
    let (result, _) = run_bytes(&forged, keyring(&[], &[], &["vendor.cert.asc"]));
    let error = result.expect_err("it was changed");
    assert!(matches!(error.kind(), ErrorKind::SignatureBad { .. }), "{error}");
}

#[test]
fn no_cut_of_a_message_ends_well() {
    for name in ["symmetric-quick.pgp", "signed.pgp", "to-curve25519.pgp", "to-rsa.asc"] {
        check_cuts(name);
    }
}

#[test]
fn no_flipped_byte_of_a_message_gives_other_content() {
    for flip in [0x01, 0x80, 0xff] {
        check_flips("symmetric-quick.pgp", flip);
        check_flips("to-curve25519.pgp", flip);
    }
}

#[test]
fn nothing_may_follow_a_message() {
    let keys = || keyring(&[PASSWORD], &["rsa.key.asc"], &[]);
    let rows: &[u8] = b"someone@example.com,1003,JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP,30,Example,X1\n";
    for name in ["signed-cleartext.asc", "to-rsa.asc", "to-rsa.pgp", "signed.pgp", "compressed.pgp", "symmetric.pgp"] {
        let message = bytes(name);
        for behind in [rows, &message] {
            let (result, _) = run_bytes(&[&message, behind].concat(), keys());
            let error = result.expect_err("something follows");
            assert!(matches!(error.kind(), ErrorKind::ContainerDamaged { .. }), "{name}: {error}");
        }
        if message[0] < 0x80 {
            run_bytes(&[&message, &b"\r\n \n"[..]].concat(), keys()).0.expect("white space is nothing");
        }
    }
    let (result, _) = run_bytes(&[&bytes("to-rsa.asc"), rows].concat(), keys());
    let error = result.expect_err("rows follow");
    assert_eq!(error.to_string(), "the OpenPGP message is damaged: something follows the message");
}
