//! Which standard or draft a container follows, and how the drafts declare their encryption.
//!
//! # Shape
//!
//! ```xml
//! <KeyContainer version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:container:1.0">
//!   <EncryptionMethod Algorithm="…#aes128-cbc"><IV>Xus0lsc+rJLi0nc/ANE0Xg==</IV></EncryptionMethod>
//!   <DigestMethod Algorithm="…#hmac-sha1"/>
//!   <Device>
//!     <DeviceId><Manufacturer>ActivIdentity</Manufacturer><SerialNo>0950380269</SerialNo></DeviceId>
//!     <Key KeyAlgorithm="http://www.ietf.org/keyprov/pskc#hotp" KeyId="0950380269">
//!       <Usage OTP="true"><ResponseFormat Format="DECIMAL" Length="8"/></Usage>
//!       <Data Name="SECRET"><Value>…</Value><ValueDigest>…</ValueDigest></Data>
//! ```
//!
//! # Source
//!
//! draft-hoyer-keyprov-portable-symmetric-key-container-00 and -01, draft-ietf-keyprov-pskc-02,
//! draft-hoyer-keyprov-pskc-algorithm-profiles-01; ActivIdentity's files and python-pskc 1.4 for how they are read.
//!
//! # Leniency
//!
//! A draft is marked by its namespace, by `SecretContainer`, or by `Device` in the place of `KeyPackage`; only then is
//! anything of this read. All drafts are read alike: each has names that no other uses for something else.
//! The MAC of a draft is made with the encryption key, over the ciphertext or over the plaintext. A `Value` is encrypted
//! where the container has a key (an `EncryptionMethod` other than `NONE`) and the value is the seed or has a `ValueDigest`;
//! ActivIdentity's counters have none and are plain. A plain counter is decimal text, or Base64 of 8 bytes.
//! `PBE-3DES112-CBC` and its kin are PBKDF2-HMAC-SHA1. An `Expiry` of `01/31/2008` has the month first, unless that
//! cannot be: it is good for a warning only.
//!
//! # Not here
//!
//! `ValueDigest` beside a plain value is not looked at: no key is said for it.

use super::crypt::{Encryption, MacHash, Pbkdf2};
use super::draft::base64;
use super::header::{number, unsupported};
use crate::error::ErrorKind;
use crate::format::xml::{Parser, Pulled, Rules, Source};

/// How the packages of a container are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    /// The element that is a record.
    pub(super) record: &'static str,
    /// The names of the drafts are known.
    pub(super) draft: bool,
    /// The container has a key, so that a `Value` is not plain only because nothing more is said of it.
    pub(super) encrypted: bool,
    /// The encryption that the container declares for every `Value`.
    pub(super) encryption: Option<Encryption>,
}

impl Dialect {
    /// RFC 6030.
    pub(super) const RFC: Self = Self { record: super::RECORD, draft: false, encrypted: false, encryption: None };
}

/// Namespaces of the drafts.
const DRAFTS: [&str; 4] = [
    "http://www.openauthentication.org/OATH/2006/08/PSKC",
    "urn:ietf:params:xml:ns:keyprov:container",
    "urn:ietf:params:xml:ns:keyprov:container:1.0",
    "urn:ietf:params:xml:ns:keyprov:pskc:1.0",
];

/// Whether a namespace is that of a draft.
pub(super) fn is_draft(namespace: &str) -> bool {
    DRAFTS.contains(&namespace)
}

/// `EncryptionMethod` of a container.
pub(super) struct Declared {
    pub(super) encryption: Encryption,
    /// One initialization vector for all values.
    pub(super) vector: Option<Vec<u8>>,
    /// The key comes from a passphrase.
    pub(super) derived: Option<Pbkdf2>,
}

/// Reads `EncryptionMethod`. `None` when nothing is encrypted.
pub(super) fn encryption_method<'a>(parser: &mut Parser<'a>, rules: &Rules) -> Pulled<Option<Declared>> {
    let uri = parser.attribute("Algorithm").or_else(|| parser.attribute("algorithm")).unwrap_or_default();
    let name = uri.trim();
    let (mut vector, mut salt, mut rounds) = (None, None, None);
    while let Some(tag) = parser.child()? {
        let what = match tag.local {
            "IV" => &mut vector,
            "PBESalt" => &mut salt,
            "PBEIterationCount" => {
                rounds = Some(number(parser, rules, "`PBEIterationCount`")?);
                continue;
            }
            other => return Err(unsupported("the kind of encryption", other)),
        };
        let text = parser.text()?;
        let bytes = base64(&text).ok_or_else(|| rules.damaged(format!("Base64 in `{}`", tag.local), "other text"))?;
        if what.replace(bytes).is_some() {
            return Err(rules.damaged(format!("one `{}`", tag.local), "two").into());
        }
    }
    if name.is_empty() || name.eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    let encryption = Encryption::of_uri(name)?;
    if let Some(vector) = &vector
        && vector.len() != encryption.block_bytes()
    {
        let expected = format!("an `IV` of {} bytes", encryption.block_bytes());
        return Err(rules.damaged(expected, vector.len().to_string()).into());
    }
    let derived = match (salt, rounds) {
        (Some(salt), Some(rounds)) => {
            let lengths = encryption.key_lengths();
            // 3DES112 has two keys, 3DES168 three; every other has one length.
            let length = if name.contains("168") { lengths.last() } else { lengths.first() };
            let key_bytes = length.copied().unwrap_or(0);
            Some(Pbkdf2 { salt, rounds, key_bytes, hash: MacHash::Sha1 })
        }
        (None, None) if !name.to_ascii_lowercase().contains("pbe-") => None,
        _ => return Err(rules.damaged("`PBESalt` and `PBEIterationCount`", "not both").into()),
    };
    Ok(Some(Declared { encryption, vector, derived }))
}

/// The hash of `DigestMethod`.
pub(super) fn digest_method<'a>(parser: &mut Parser<'a>) -> Pulled<MacHash> {
    let uri = parser.attribute("Algorithm").or_else(|| parser.attribute("algorithm")).unwrap_or_default();
    let hash = MacHash::of_uri(uri.trim(), "the MAC")?;
    match parser.child()? {
        None => Ok(hash),
        Some(tag) => {
            Err(ErrorKind::PskcUnsupported { what: "the kind of MAC key", found: tag.local.to_owned() }.into())
        }
    }
}

/// `01/31/2008` as `2008-01-31`; `None` for anything else.
pub(super) fn expiry(text: &str) -> Option<String> {
    let mut parts = text.split('/');
    let (one, two, year) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if parts.next().is_some() || !digits(one, 2) || !digits(two, 2) || !digits(year, 4) {
        return None;
    }
    let (month, day) = if one > "12" { (two, one) } else { (one, two) };
    Some(format!("{year}-{month}-{day}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &str, expected: &expect_test::Expect) {
        let text = format!("<SecretContainer>{head}<Device/></SecretContainer>");
        let rules = super::super::rules(crate::limits::Limits::default());
        let read = super::super::header::read(&text, rules);
        expected.assert_eq(&match read {
            Ok(header) => format!("{:?} {:?} vector {:?}", header.dialect, header.key, header.vector),
            Err(stop) => rules.error(stop).to_string(),
        });
    }

    #[test]
    fn says_what_is_wrong_with_the_encryption_of_a_draft() {
        let method =
            |name: &str, inside: &str| format!("<EncryptionMethod algorithm=\"{name}\">{inside}</EncryptionMethod>");
        check(
            &method("none", ""),
            &expect_test::expect![[
                r#"Dialect { record: "Device", draft: true, encrypted: false, encryption: None } None vector None"#
            ]],
        );
        check(
            &method("PBE-3DES168-CBC", "<PBESalt>c2FsdA==</PBESalt><PBEIterationCount>9</PBEIterationCount>"),
            &expect_test::expect![[
                r#"Dialect { record: "Device", draft: true, encrypted: true, encryption: Some(TripleDesCbc) } Some(Derived(Pbkdf2 { salt: [115, 97, 108, 116], rounds: 9, key_bytes: 24, hash: Sha1 })) vector None"#
            ]],
        );
        check(
            &method("PBE-AES128-CBC", "<PBESalt>c2FsdA==</PBESalt>"),
            &expect_test::expect![
                "the PSKC is damaged: expected `PBESalt` and `PBEIterationCount`, but found not both"
            ],
        );
        check(
            &method("PBE-AES128-CBC", ""),
            &expect_test::expect![
                "the PSKC is damaged: expected `PBESalt` and `PBEIterationCount`, but found not both"
            ],
        );
        check(
            &method("3DES-CBC", "<IV>c2FsdA==</IV>"),
            &expect_test::expect!["the PSKC is damaged: expected an `IV` of 8 bytes, but found 4"],
        );
        check(
            &method("3DES-CBC", "<IV>salt!</IV>"),
            &expect_test::expect!["the PSKC is damaged: expected Base64 in `IV`, but found other text"],
        );
        check(
            &method("3DES-CBC", "<IV/><IV/>"),
            &expect_test::expect!["the PSKC is damaged: expected one `IV`, but found two"],
        );
        check(&method("3DES-CBC", "<Key/>"), &expect_test::expect!["the kind of encryption `Key` is not supported"]);
        check(&method("ROT13", ""), &expect_test::expect!["the encryption `ROT13` is not supported"]);
        check(
            "<DigestMethod algorithm=\"HMAC-SHA1\"><Key/></DigestMethod>",
            &expect_test::expect!["the kind of MAC key `Key` is not supported"],
        );
        check("<DigestMethod/>", &expect_test::expect!["the MAC `` is not supported"]);
        check(
            "<MACAlgorithm>hmac-sha1</MACAlgorithm><DigestMethod/>",
            &expect_test::expect!["the PSKC is damaged: expected one `DigestMethod`, but found two"],
        );
        check("<KeyProperties/>", &expect_test::expect!["the element `KeyProperties` is not supported"]);
    }

    #[test]
    fn a_date_with_slashes_is_put_in_order() {
        for (text, expected) in [
            ("01/31/2008", Some("2008-01-31")),
            ("31/01/2008", Some("2008-01-31")),
            ("01/01/2008", Some("2008-01-01")),
            ("2008-01-01", None),
            ("1/1/2008", None),
            ("01/01/2008/1", None),
            ("", None),
        ] {
            assert_eq!(expiry(text).as_deref(), expected, "{text}");
        }
    }
}
