//! Tokens in, a container out: plain, under a pre-shared key, or under a passphrase.
//!
//! # Shape
//!
//! ```xml
//! <pskc:KeyContainer Version="1.0" xmlns:pskc="urn:ietf:params:xml:ns:keyprov:pskc" …>
//!   <pskc:EncryptionKey><ds:KeyName>Pre-shared-key</ds:KeyName></pskc:EncryptionKey>
//!   <pskc:MACMethod Algorithm="…#hmac-sha1"><pskc:MACKey>…</pskc:MACKey></pskc:MACMethod>
//!   <pskc:KeyPackage>
//!     <pskc:DeviceInfo>…</pskc:DeviceInfo>
//!     <pskc:Key Id="1000001" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp">…</pskc:Key>
//!   </pskc:KeyPackage>
//! </pskc:KeyContainer>
//! ```
//!
//! # Source
//!
//! [RFC 6030] §4 for the order of the elements, figures 6 and 7 for the protection. The names are prefixed, because the
//! parameters of PBKDF2 have no namespace, and FreeIPA looks for them there. `Suite` says the hash in the spelling
//! that FreeIPA, LinOTP and multiOTP read.
//!
//! # Not here
//!
//! `Key/@Id` is required: a token without a key id gets its serial, or `serial#issue`. Only `--allow serial-duplicate`
//! lets two tokens with one serial and no issue through, which then have one id. The schema's pattern for
//! `Manufacturer` (`oath.XX`, `iana.NAME`) is not forced on names: no importer asks for it. A character that XML has no
//! way to write becomes U+FFFD, and the proof refuses the token.
//!
//! # Memory
//!
//! Nothing but the head.
//!
//! [RFC 6030]: https://www.rfc-editor.org/rfc/rfc6030

use std::fmt;

use data_encoding::BASE64;

use super::crypt::{Cipher, Encryption, Mac, MacHash, Padding, Pbkdf2, Sealer, Unlocked, random};
use super::dialect::Dialect;
use super::header::{self, Header, KeySource};
use super::{Container, rules};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::record::{Algorithm, Encoding, Holds, Moving, Passphrase, Plain, Token, encode};

/// How the seeds of a written container are protected.
#[derive(Debug)]
pub enum Protect {
    /// A key that the receiver has: 16 bytes for AES-128, 32 for AES-256.
    Key(Plain),
    /// A passphrase, from which a key for AES-256 is derived.
    Passphrase(Passphrase),
    /// Not at all.
    Plain,
}

/// Writes containers.
pub struct PskcWriter {
    head: String,
    sealer: Option<Sealer>,
    /// Reads them back.
    container: Container,
}

impl fmt::Debug for PskcWriter {
    /// Names algorithms only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PskcWriter").field("sealer", &self.sealer).finish_non_exhaustive()
    }
}

/// What of a token PSKC has a place for.
pub(in crate::format) const HOLDS: Holds = Holds::EVERYTHING;

/// What closes the container.
pub(in crate::format) const TAIL: &[u8] = b"</pskc:KeyContainer>\n";

/// Rounds of PBKDF2-HMAC-SHA256: what OWASP's Password Storage Cheat Sheet asks for since 2023.
const ROUNDS: u32 = 600_000;

/// Bytes of a salt, as NIST SP 800-132 §5.1 has it at least.
const SALT_BYTES: usize = 16;

impl PskcWriter {
    /// A writer of plain containers.
    pub fn plain() -> Self {
        let head = head("");
        Self { container: written(head.len(), None), head, sealer: None }
    }

    /// A writer that protects seeds; the key of its MACs is drawn here, and a salt.
    ///
    /// The head is read back as any other, so a proof goes the whole way from key or passphrase to seed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Usage`] when the key has neither 16 nor 32 bytes.
    pub fn new(protect: &Protect) -> Result<Self> {
        match protect {
            Protect::Plain => Ok(Self::plain()),
            Protect::Key(key) => {
                let name =
                    "  <pskc:EncryptionKey>\n    <ds:KeyName>Pre-shared-key</ds:KeyName>\n  </pskc:EncryptionKey>\n";
                Self::protected(key, name, |_| None)
            }
            Protect::Passphrase(passphrase) => {
                let mut salt = vec![0; SALT_BYTES];
                random(&mut salt);
                let pbkdf2 = Pbkdf2 { salt, rounds: ROUNDS, key_bytes: 32, hash: MacHash::Sha256 };
                let key = pbkdf2.derive_from(passphrase);
                Self::protected(&key, &derived_key(&pbkdf2), |header| match &header.key {
                    Some(KeySource::Derived(read)) => Some(read.derive_from(passphrase)),
                    _ => None,
                })
            }
        }
    }

    fn protected(
        key: &[u8],
        source: &str,
        derive: impl FnOnce(&Header) -> Option<zeroize::Zeroizing<Vec<u8>>>,
    ) -> Result<Self> {
        let Some((sealer, mac_key)) = Sealer::new(key) else {
            let message = format!("a key of 16 bytes (AES-128) or 32 (AES-256) is expected, but found {}", key.len());
            return Err(ErrorKind::Usage { message }.into());
        };
        let head = head(&format!("{source}{}", mac_method(&sealer, &mac_key)));
        let container = opened(&head, key, derive)?;
        Ok(Self { head, sealer: Some(sealer), container })
    }

    /// The reader of what this writes, which has the key already.
    pub(in crate::format) fn reader(&self) -> Container {
        self.container.clone()
    }

    /// What stands before the first package.
    pub(in crate::format) fn head(&self, out: &mut Plain) {
        out.extend(self.head.as_bytes());
    }

    /// Writes a package.
    pub(in crate::format) fn item(&self, token: &Token<'_>, out: &mut Plain) {
        out.reserve(2048);
        out.extend(b"  <pskc:KeyPackage>\n");
        device(token, out);
        out.extend(b"    <pskc:Key Id=\"");
        key_id(token, out);
        let (kind, drift) = match token.otp.moving {
            Moving::Counter { .. } => ("hotp", 0),
            Moving::Period { drift, .. } => ("totp", drift),
        };
        out.extend(b"\" Algorithm=\"urn:ietf:params:xml:ns:keyprov:pskc:");
        out.extend(kind.as_bytes());
        out.extend(b"\">\n      <pskc:AlgorithmParameters>\n        <pskc:Suite>");
        out.extend(suite(token.otp.algorithm).as_bytes());
        out.extend(b"</pskc:Suite>\n        <pskc:ResponseFormat Length=\"");
        out.extend(token.otp.digits.count().to_string().as_bytes());
        out.extend(
            b"\" Encoding=\"DECIMAL\"/>\n      </pskc:AlgorithmParameters>\n      <pskc:Data>\n        <pskc:Secret>\n",
        );
        self.secret(token, out);
        out.extend(b"        </pskc:Secret>\n");
        match token.otp.moving {
            Moving::Counter { next } => number("Counter", next, out),
            Moving::Period { seconds, .. } => {
                number("Time", 0, out);
                number("TimeInterval", seconds, out);
            }
        }
        if drift != 0 {
            number("TimeDrift", drift, out);
        }
        out.extend(b"      </pskc:Data>\n");
        element("      ", "UserId", token.upn.as_deref(), out);
        out.extend(b"    </pskc:Key>\n  </pskc:KeyPackage>\n");
    }

    fn secret(&self, token: &Token<'_>, out: &mut Plain) {
        let Some(sealer) = &self.sealer else {
            out.extend(b"          <pskc:PlainValue>");
            encode(&token.seed, Encoding::Base64, out);
            out.extend(b"</pskc:PlainValue>\n");
            return;
        };
        let (sealed, mac) = sealer.seal(&token.seed);
        out.extend(b"          <pskc:EncryptedValue>\n");
        out.extend(encrypted("            ", sealer.encryption(), &sealed).as_bytes());
        out.extend(b"          </pskc:EncryptedValue>\n          <pskc:ValueMAC>");
        out.extend(BASE64.encode(&mac).as_bytes());
        out.extend(b"</pskc:ValueMAC>\n");
    }
}

/// The start of the document; every prefix is declared, used or not.
fn head(protection: &str) -> String {
    let mut head = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<pskc:KeyContainer Version=\"1.0\"");
    for (prefix, namespace) in [
        ("pskc", header::NAMESPACE),
        ("ds", "http://www.w3.org/2000/09/xmldsig#"),
        ("xenc", "http://www.w3.org/2001/04/xmlenc#"),
        ("xenc11", "http://www.w3.org/2009/xmlenc11#"),
        ("pkcs5", PKCS5),
    ] {
        if prefix == "pskc" || protection.contains(&format!("<{prefix}:")) {
            head.push_str(&format!(" xmlns:{prefix}=\"{namespace}\""));
        }
    }
    head.push_str(">\n");
    head.push_str(protection);
    head
}

const PKCS5: &str = "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#";

/// `EncryptionKey` of a passphrase, in the shape of RFC 6030's figure 7.
fn derived_key(pbkdf2: &Pbkdf2) -> String {
    format!(
        "  <pskc:EncryptionKey>
    <xenc11:DerivedKey>
      <xenc11:KeyDerivationMethod Algorithm=\"{PKCS5}pbkdf2\">
        <pkcs5:PBKDF2-params>
          <Salt><Specified>{}</Specified></Salt>
          <IterationCount>{}</IterationCount>
          <KeyLength>{}</KeyLength>
          <PRF Algorithm=\"{}\"/>
        </pkcs5:PBKDF2-params>
      </xenc11:KeyDerivationMethod>
      <xenc11:MasterKeyName>Passphrase</xenc11:MasterKeyName>
    </xenc11:DerivedKey>
  </pskc:EncryptionKey>
",
        BASE64.encode(&pbkdf2.salt),
        pbkdf2.rounds,
        pbkdf2.key_bytes,
        pbkdf2.hash.uri(),
    )
}

fn mac_method(sealer: &Sealer, mac_key: &[u8]) -> String {
    format!(
        "  <pskc:MACMethod Algorithm=\"{}\">\n    <pskc:MACKey>\n{}    </pskc:MACKey>\n  </pskc:MACMethod>\n",
        sealer.hash().uri(),
        encrypted("      ", sealer.encryption(), mac_key),
    )
}

/// The elements of XML Encryption around a value.
fn encrypted(indent: &str, encryption: Encryption, sealed: &[u8]) -> String {
    let (uri, value) = (encryption.uri(), BASE64.encode(sealed));
    format!(
        "{indent}<xenc:EncryptionMethod Algorithm=\"{uri}\"/>\n{indent}<xenc:CipherData>\n{indent}  \
         <xenc:CipherValue>{value}</xenc:CipherValue>\n{indent}</xenc:CipherData>\n"
    )
}

/// Reads a head back and opens it.
fn opened(
    head: &str,
    key: &[u8],
    derive: impl FnOnce(&Header) -> Option<zeroize::Zeroizing<Vec<u8>>>,
) -> Result<Container> {
    let rules = rules(Limits::default());
    let text = format!("{head}</pskc:KeyContainer>");
    let header = header::read(&text, rules).map_err(|stop| rules.error(stop))?;
    let derived = derive(&header);
    let key = derived.as_ref().map_or(key, |key| key);
    let unlocked = header.mac.as_ref().and_then(|mac| {
        let (encryption, sealed) = mac.key.as_ref()?;
        let cipher = Cipher::new(*encryption, key)?;
        let mac_key = cipher.open(sealed, Padding::Pkcs7).ok()?;
        Some(Unlocked { mac: Some(Mac::with_seed(mac.hash, &mac_key)?), cipher, draft: false })
    });
    let Some(unlocked) = unlocked else {
        let detail = "the head of a written container does not open".to_owned();
        return Err(Error::new(ErrorKind::Bug { detail }));
    };
    Ok(written(head.len(), Some(unlocked)))
}

/// What reads a written container behind its head. What was read is not measured again.
fn written(head_bytes: usize, unlocked: Option<Unlocked>) -> Container {
    let limits = Limits { field_bytes: u64::MAX, ..Limits::default() };
    let name = "pskc:KeyContainer".to_owned();
    Container {
        name,
        rules: rules(limits),
        now: None,
        key_name: None,
        protected: unlocked.is_some(),
        unlocked,
        seed_encoding: None,
        dialect: Dialect::RFC,
        head_bytes,
    }
}

fn device(token: &Token<'_>, out: &mut Plain) {
    out.extend(b"    <pskc:DeviceInfo>\n");
    element("      ", "Manufacturer", token.manufacturer.as_deref(), out);
    element("      ", "SerialNo", token.serial.as_ref().map(|serial| serial.as_str()), out);
    element("      ", "Model", token.model.as_deref(), out);
    element("      ", "IssueNo", token.issue.as_deref(), out);
    out.extend(b"    </pskc:DeviceInfo>\n");
}

/// The key's id; where none was delivered, what stands for it.
fn key_id(token: &Token<'_>, out: &mut Plain) {
    match (&token.key_id, &token.serial, &token.issue) {
        (Some(id), ..) => escape(id, out),
        (None, Some(serial), None) => escape(serial.as_str(), out),
        (None, Some(serial), Some(issue)) => {
            escape(serial.as_str(), out);
            out.extend(b"#");
            escape(issue, out);
        }
        (None, None, _) => {}
    }
}

const fn suite(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Sha1 => "HMAC-SHA1",
        Algorithm::Sha256 => "HMAC-SHA256",
        Algorithm::Sha512 => "HMAC-SHA512",
    }
}

fn element(indent: &str, name: &str, text: Option<&str>, out: &mut Plain) {
    let Some(text) = text else { return };
    out.extend(indent.as_bytes());
    out.extend(b"<pskc:");
    out.extend(name.as_bytes());
    out.extend(b">");
    escape(text, out);
    out.extend(b"</pskc:");
    out.extend(name.as_bytes());
    out.extend(b">\n");
}

fn number(name: &str, number: impl ToString, out: &mut Plain) {
    let number = number.to_string();
    for piece in ["        <pskc:", name, "><pskc:PlainValue>", &number, "</pskc:PlainValue></pskc:", name, ">\n"] {
        out.extend(piece.as_bytes());
    }
}

/// Writes text for an element or for an attribute in double quotes.
fn escape(text: &str, out: &mut Plain) {
    let mut written = 0;
    for (at, character) in text.char_indices() {
        let reference = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            // `]]>` may not stand in text.
            '>' => "&gt;",
            '"' => "&quot;",
            // White space other than the space itself is not kept as it is in attributes, nor CR anywhere.
            '\t' => "&#9;",
            '\n' => "&#10;",
            '\r' => "&#13;",
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => "\u{fffd}",
            _ => continue,
        };
        out.extend(&text.as_bytes()[written..at]);
        out.extend(reference.as_bytes());
        written = at + character.len_utf8();
    }
    out.extend(&text.as_bytes()[written..]);
}

#[cfg(test)]
mod tests;
