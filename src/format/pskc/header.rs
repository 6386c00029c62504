//! What stands before the first `KeyPackage`: which key protects the seeds, which MAC, and whether all is signed.
//!
//! # Source
//!
//! [RFC 6030] §4.2, §6. PBKDF2 as in figure 7 there, and as in [XML Encryption 1.1] §5.4.
//!
//! # Leniency
//!
//! The PBKDF2 parameters are read under `pkcs5`, `xenc11`, any prefix or none; the URI of `PRF` as its attribute,
//! or as its text, as python-pskc 1.4 writes it. A `Version` that is absent is 1.0.
//! A container without a namespace is read; one in the namespace of a draft is refused.
//!
//! [RFC 6030]: https://www.rfc-editor.org/rfc/rfc6030
//! [XML Encryption 1.1]: https://www.w3.org/TR/xmlenc-core1/#sec-PBKDF2

use super::crypt::{Encryption, MacHash, Pbkdf2};
use super::draft::base64;
use crate::error::{Error, ErrorKind};
use crate::format::xml::{Parser, Pulled, Rules, Source, Stop, Tag};
use crate::record::escaped;

/// The head of a container.
#[derive(Debug)]
pub(super) struct Header {
    /// Qualified name of the outermost element.
    pub(super) name: String,
    /// Where the first package begins, or what stands in its place.
    pub(super) end: usize,
    /// `EncryptionKey`
    pub(super) key: Option<KeySource>,
    /// `MACMethod`
    pub(super) mac: Option<MacMethod>,
    /// There is a `Signature`.
    pub(super) signed: bool,
}

/// Where the key comes from.
#[derive(Clone, Debug)]
pub(super) enum KeySource {
    /// A passphrase.
    Derived(Pbkdf2),
    /// Vendor and customer have it; it may have a name.
    PreShared(Option<String>),
}

/// `MACMethod`
#[derive(Clone, Debug)]
pub(super) struct MacMethod {
    pub(super) hash: MacHash,
    /// `MACKey`, encrypted.
    pub(super) key: Option<(Encryption, Vec<u8>)>,
}

/// The namespace of RFC 6030.
pub(super) const NAMESPACE: &str = "urn:ietf:params:xml:ns:keyprov:pskc";

/// Elements of XML Encryption, XML Signature and PKCS #5, which the .NET serializer gives a namespace of their own
/// without a prefix. None of RFC 6030's own has such a name.
pub(super) const GUESTS: [&str; 8] = [
    "CipherData",
    "CipherValue",
    "DerivedKey",
    "EncryptionMethod",
    "KeyDerivationMethod",
    "KeyName",
    "PBKDF2-params",
    "Signature",
];

/// Reads up to the first package.
pub(super) fn read(text: &str, rules: Rules) -> Pulled<Header> {
    let mut parser = Parser::new(text, rules);
    let root = parser.root()?;
    check_root(&parser, root, &rules)?;
    let name = if root.prefix.is_empty() { root.local.to_owned() } else { format!("{}:{}", root.prefix, root.local) };
    let mut header = Header { name, end: 0, key: None, mac: None, signed: false };
    loop {
        let tag = parser.child()?;
        match tag.map(|tag| tag.local) {
            Some("EncryptionKey") if header.key.is_none() => header.key = Some(encryption_key(&mut parser, &rules)?),
            Some("MACMethod") if header.mac.is_none() => header.mac = Some(mac_method(&mut parser, &rules)?),
            Some(name @ ("EncryptionKey" | "MACMethod")) => {
                return Err(rules.damaged(format!("one `{name}`"), "two").into());
            }
            Some("Signature") => {
                header.signed = true;
                parser.skip()?;
            }
            Some("KeyPackage") | None => {
                header.end = parser.tag_start();
                return Ok(header);
            }
            Some(_) => parser.skip()?,
        }
    }
}

fn check_root(parser: &Parser<'_>, root: Tag<'_>, rules: &Rules) -> Pulled<()> {
    if root.local != "KeyContainer" {
        let found = format!("`{}`", escaped(root.local));
        return Err(rules.damaged("`KeyContainer` around the packages", found).into());
    }
    let declaration = if root.prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{}", root.prefix) };
    if let Some(namespace) = parser.attribute(&declaration)
        && namespace.trim() != NAMESPACE
    {
        let found = namespace.into_owned();
        return Err(ErrorKind::PskcUnsupported { what: "the namespace", found }.into());
    }
    match parser.attribute("Version") {
        Some(version) if !matches!(version.trim(), "1" | "1.0") => {
            Err(rules.damaged("version 1.0", format!("`{}`", escaped(&version))).into())
        }
        _ => Ok(()),
    }
}

fn unsupported(what: &'static str, found: &str) -> Stop {
    ErrorKind::PskcUnsupported { what, found: found.to_owned() }.into()
}

fn encryption_key<'a>(parser: &mut Parser<'a>, rules: &Rules) -> Pulled<KeySource> {
    let mut key = None;
    while let Some(tag) = parser.child()? {
        match tag.local {
            "KeyName" => {
                let name = parser.text()?;
                key.get_or_insert(KeySource::PreShared((!name.is_empty()).then(|| name.into_owned())));
            }
            "DerivedKey" => key = Some(KeySource::Derived(derived_key(parser, rules)?)),
            other => return Err(unsupported("the kind of encryption key", other)),
        }
    }
    Ok(key.unwrap_or(KeySource::PreShared(None)))
}

fn derived_key<'a>(parser: &mut Parser<'a>, rules: &Rules) -> Pulled<Pbkdf2> {
    let mut pbkdf2 = None;
    while let Some(tag) = parser.child()? {
        if tag.local != "KeyDerivationMethod" {
            parser.skip()?;
            continue;
        }
        let uri = parser.attribute("Algorithm").unwrap_or_default();
        if !uri.trim().to_ascii_lowercase().ends_with("#pbkdf2") {
            return Err(unsupported("the key derivation", &uri));
        }
        while let Some(tag) = parser.child()? {
            match tag.local {
                "PBKDF2-params" if pbkdf2.is_none() => pbkdf2 = Some(parameters(parser, rules)?),
                "PBKDF2-params" => return Err(rules.damaged("one `PBKDF2-params`", "two").into()),
                _ => parser.skip()?,
            }
        }
    }
    pbkdf2.ok_or_else(|| rules.damaged("`PBKDF2-params` in `DerivedKey`", "none").into())
}

fn parameters<'a>(parser: &mut Parser<'a>, rules: &Rules) -> Pulled<Pbkdf2> {
    let (mut salt, mut rounds, mut key_bytes) = (None, None, None);
    let mut hash = None;
    while let Some(tag) = parser.child()? {
        match tag.local {
            "Salt" => {
                while let Some(tag) = parser.child()? {
                    match tag.local {
                        "Specified" => salt = Some(base64(&parser.text()?).ok_or_else(|| no_salt(rules))?),
                        other => return Err(unsupported("the kind of salt", other)),
                    }
                }
            }
            "IterationCount" => rounds = Some(number(parser, rules, "`IterationCount`")?),
            "KeyLength" => key_bytes = Some(number(parser, rules, "`KeyLength`")?),
            "PRF" => {
                let attribute = parser.attribute("Algorithm").unwrap_or_default();
                let text = parser.text()?;
                for uri in [attribute.trim(), &*text].into_iter().filter(|uri| !uri.is_empty()) {
                    let found = MacHash::of_uri(uri, "the hash of PBKDF2")?;
                    if hash.is_some_and(|hash| hash != found) {
                        return Err(rules.damaged("one `PRF` for PBKDF2", "two").into());
                    }
                    hash = Some(found);
                }
            }
            _ => parser.skip()?,
        }
    }
    let rounds = rounds.ok_or_else(|| rules.damaged("`IterationCount` for PBKDF2", "none"))?;
    let salt = salt.ok_or_else(|| no_salt(rules))?;
    // 0 stands for a length that is not said: the cipher's then.
    let key_bytes = key_bytes.unwrap_or(0) as usize;
    if !matches!(key_bytes, 0 | 16 | 24 | 32) {
        let found = format!("{key_bytes}");
        return Err(rules.damaged("a `KeyLength` of 16, 24 or 32 bytes", found).into());
    }
    // RFC 6030's own figure 7 has an empty `PRF`: the default of PKCS #5 is HMAC-SHA1.
    Ok(Pbkdf2 { salt, rounds, key_bytes, hash: hash.unwrap_or(MacHash::Sha1) })
}

fn no_salt(rules: &Rules) -> Error {
    rules.damaged("a `Salt` in Base64 for PBKDF2", "none")
}

fn number<'a>(parser: &mut Parser<'a>, rules: &Rules, what: &str) -> Pulled<u32> {
    let text = parser.text()?;
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(rules.damaged(format!("a number above 0 in {what}"), format!("`{}`", escaped(&text))).into()),
    }
}

fn mac_method<'a>(parser: &mut Parser<'a>, rules: &Rules) -> Pulled<MacMethod> {
    let uri = parser.attribute("Algorithm").unwrap_or_default();
    let hash = MacHash::of_uri(uri.trim(), "the MAC")?;
    let mut key = None;
    while let Some(tag) = parser.child()? {
        match tag.local {
            "MACKey" if key.is_none() => key = Some(mac_key(parser, rules)?),
            "MACKey" => return Err(rules.damaged("one `MACKey`", "two").into()),
            // `MACKeyReference`: another key, which is not in the file.
            other => return Err(unsupported("the kind of MAC key", other)),
        }
    }
    Ok(MacMethod { hash, key })
}

fn mac_key<'a>(parser: &mut Parser<'a>, rules: &Rules) -> Pulled<(Encryption, Vec<u8>)> {
    let (mut encryption, mut cipher) = (None, None);
    while let Some(tag) = parser.child()? {
        match tag.local {
            "EncryptionMethod" => {
                let uri = parser.attribute("Algorithm").unwrap_or_default();
                encryption = Some(Encryption::of_uri(uri.trim())?);
                parser.skip()?;
            }
            "CipherData" => {
                while let Some(tag) = parser.child()? {
                    if tag.local != "CipherValue" {
                        parser.skip()?;
                        continue;
                    }
                    let text = parser.text()?;
                    cipher = Some(base64(&text).ok_or_else(|| rules.damaged("Base64 in `MACKey`", "other text"))?);
                }
            }
            _ => parser.skip()?,
        }
    }
    match (encryption, cipher) {
        (Some(encryption), Some(cipher)) => Ok((encryption, cipher)),
        _ => Err(rules.damaged("`EncryptionMethod` and `CipherValue` in `MACKey`", "not both").into()),
    }
}
