//! What a `KeyPackage` says in, drafts out: one for each `Key`.
//!
//! Protected values are opened here, and only here. A plain seed in a container that protects its seeds counts as one
//! without MAC: whoever can change the file can put it in the place of a protected one.
//! Plain seeds are Base64 (RFC 6030 §4.2), but some vendors write hex or Base32, which Base64 mostly admits; so a value
//! that is hex or Base32 from end to end is refused. Of random seeds of 20 bytes none looks like that: Base64 pads them.
//!
//! # Leniency
//!
//! Encrypted integers are ASCII digits or up to 8 big-endian bytes, as vendors write both and python-pskc writes the
//! shortest: its 53 is the byte of the digit 5. Where both readings are possible the record is refused.
//! The hash stands in the text of `Suite`, or in its attribute `hashalgo` (privacyIDEA).

use std::borrow::Cow;

use super::Container;
use super::crypt::{Encryption, Refusal, Sealed, number};
use super::package::{Device, Item, Key, Package, Text};
use super::policy;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Algorithm, Code, Draft, Encoding, Place, Seed, SeedText, escaped};

/// Hands on each key of a package as a draft.
pub(super) fn hand_on<'a>(
    container: &Container,
    package: &mut Package<'a>,
    number: u64,
    each: &mut dyn FnMut(Draft<'_>) -> Result<()>,
) -> Result<()> {
    let several = package.keys.len() > 1;
    for (index, key) in package.keys.iter_mut().enumerate() {
        let key_number = if several { u32::try_from(index + 1).unwrap_or(u32::MAX) } else { 0 };
        let mut draft = draft(container, &package.device, key)?;
        draft.place = Some(Place::Package { package: number, key: key_number });
        each(draft)?;
    }
    Ok(())
}

fn draft<'a>(container: &Container, device: &Device<'a>, key: &mut Key<'a>) -> Result<Draft<'a>> {
    let mut draft = Draft {
        serial: filled(device.serial.clone()),
        issue: filled(device.issue.clone()),
        manufacturer: filled(device.manufacturer.clone()),
        model: filled(device.model.clone()),
        key_id: filled(key.id.take()),
        kind: filled(key.algorithm.take()).map(kind),
        digits: key.length.take(),
        upn: filled(key.user.take()).or_else(|| filled(device.user.clone())),
        ..Draft::default()
    };
    policy::judge(device, &key.policy, container.now, &mut draft.faults);
    hash(key, &mut draft);
    response_format(key, &mut draft);

    let faults = &mut draft.faults;
    draft.seed = match key.secret.plain.take() {
        Some(text) if text.is_empty() => None,
        Some(text) => {
            if container.protected {
                let message = "the seed stands open, in a container whose key or MAC is to protect it (RFC 6030 §6)";
                faults.push((Code::MacMissing, message.to_owned()));
            }
            match container.seed_encoding {
                Some(declared) => Some(SeedText::Declared(text, declared)),
                None => {
                    if let Some(other) = other_encoding(&text) {
                        faults.push((Code::SeedAmbiguous, format!("the seed is no Base64 but by chance (RFC 6030 §4.2): expected Base64, but found text that is {other} from end to end")));
                    }
                    Some(SeedText::Declared(text, Encoding::Base64))
                }
            }
        }
        None => opened(container, &key.secret, "seed", faults)?.map(SeedText::Bytes),
    };
    draft.counter = integer(container, &mut key.counter, "counter", faults)?;
    draft.period = integer(container, &mut key.interval, "time step", faults)?;
    draft.drift = integer(container, &mut key.drift, "time drift", faults)?;
    if let Some(time) = integer(container, &mut key.time, "time", faults)?
        && !time.bytes().all(|byte| byte == b'0')
    {
        let message = format!("the time starts at `{}`: expected 0, as codes count from 1970", escaped(&time));
        draft.faults.push((Code::TypeUnsupported, message));
    }
    Ok(draft)
}

/// An element that is there and empty says nothing.
fn filled(text: Text<'_>) -> Text<'_> {
    text.filter(|text| !text.is_empty())
}

/// The short name of an algorithm of RFC 6030 or its registry; any other URI as it stands.
fn kind(uri: Cow<'_, str>) -> Cow<'_, str> {
    const PROFILES: [&str; 2] = ["urn:ietf:params:xml:ns:keyprov:pskc", "http://www.ietf.org/keyprov/pskc"];
    const KINDS: [&str; 4] = ["hotp", "totp", "ocra", "pin"];
    let Some((profile, name)) = uri.rsplit_once([':', '#']) else { return uri };
    if !PROFILES.iter().any(|known| profile.eq_ignore_ascii_case(known)) {
        return uri;
    }
    match KINDS.into_iter().find(|known| name.eq_ignore_ascii_case(known)) {
        Some(known) => Cow::Borrowed(known),
        None => uri,
    }
}

/// Notes the hash where codes have one; the suite of an OCRA key is none.
fn hash<'a>(key: &mut Key<'a>, draft: &mut Draft<'a>) {
    if matches!(draft.kind.as_deref(), Some("ocra" | "pin")) {
        return;
    }
    let text = filled(key.suite.take());
    let attribute = filled(key.suite_hash.take());
    if let (Some(text), Some(attribute)) = (&text, &attribute) {
        let same = match (Algorithm::parse(text), Algorithm::parse(attribute)) {
            (None, None) => text.eq_ignore_ascii_case(attribute),
            (one, other) => one == other,
        };
        if !same {
            let (text, attribute) = (escaped(text), escaped(attribute));
            let message = format!("`Suite` names two hashes: `{text}` in its text, `{attribute}` in `hashalgo`");
            draft.faults.push((Code::HashUnknown, message));
        }
    }
    draft.hash = text.or(attribute);
}

fn response_format(key: &Key<'_>, draft: &mut Draft<'_>) {
    if let Some(encoding) = key.encoding.as_deref()
        && !encoding.trim().eq_ignore_ascii_case("DECIMAL")
    {
        let message = format!("codes are written as `{}`: expected `DECIMAL`", escaped(encoding));
        draft.faults.push((Code::DigitsUnsupported, message));
    }
    if let Some(check) = key.check_digits.as_deref() {
        let check = check.trim();
        if !(check == "0" || check.eq_ignore_ascii_case("false")) {
            let message = format!("codes have check digits: `CheckDigits` is `{}`", escaped(check));
            draft.faults.push((Code::DigitsUnsupported, message));
        }
    }
}

/// A number as decimal text, however it was written.
fn integer<'a>(
    container: &Container,
    item: &mut Item<'a>,
    what: &str,
    faults: &mut Vec<(Code, String)>,
) -> Result<Text<'a>> {
    if let Some(plain) = item.plain.take() {
        return Ok(filled(Some(plain)));
    }
    let Some(bytes) = opened(container, item, what, faults)? else { return Ok(None) };
    let number = number(&bytes);
    let settled = number.other.is_none_or(|other| settles(what, &number.text, other));
    if !settled {
        let message = format!(
            "the encrypted {what} can be read in two ways: expected ASCII digits or a binary number, but found bytes \
             that are both"
        );
        faults.push((Code::IntegerAmbiguous, message));
    }
    Ok(Some(Cow::Owned(number.text)))
}

/// Whether digits that could be a binary number too are digits all the same: they alone make sense.
fn settles(what: &str, digits: &str, binary: u64) -> bool {
    let makes_sense = |number: u64| match what {
        "time step" => (1..=MOST_PERIOD).contains(&number),
        // Codes count from 1970.
        "time" => number == 0,
        _ => true,
    };
    digits.parse().is_ok_and(makes_sense) && !makes_sense(binary)
}

/// An hour: no token waits longer for its next code.
const MOST_PERIOD: u64 = 3_600;

/// Digits of the shortest seed that anyone sends, as for `format::encoding`.
const SHORTEST: usize = 14;

/// The encoding that a text is through and through, where that is not Base64.
fn other_encoding(text: &str) -> Option<Encoding> {
    let prefixed = text.as_bytes().first_chunk().is_some_and(|[zero, x]| *zero == b'0' && *x | 0x20 == b'x');
    let (mut hex, mut base32, mut digits, mut padding) = (true, !prefixed, 0_usize, 0_usize);
    let (mut lower, mut upper) = (false, false);
    for byte in text.bytes().skip(if prefixed { 2 } else { 0 }).filter(|byte| !byte.is_ascii_whitespace()) {
        if byte == b'=' {
            padding += 1;
            continue;
        }
        digits += 1;
        lower |= byte.is_ascii_lowercase();
        upper |= byte.is_ascii_uppercase();
        hex &= byte.is_ascii_hexdigit();
        base32 &= (byte.is_ascii_alphabetic() || matches!(byte, b'2'..=b'7')) && !(lower && upper);
        // Nearly every value is Base64 after a few digits.
        if !hex && !base32 {
            return None;
        }
    }
    // Padding settles it, unless Base32 has the same: one after 7 digits.
    let like_base64 = match padding {
        0 => false,
        1 => !(base32 && digits % 8 == 7),
        _ => true,
    };
    match (digits < SHORTEST || like_base64, hex) {
        (true, _) => None,
        (false, true) => Some(Encoding::Hex),
        (false, false) => Some(Encoding::Base32),
    }
}

/// Opens a protected value. `None` when there is none, or when a fault says why it stays closed.
fn opened(
    container: &Container,
    item: &Item<'_>,
    what: &str,
    faults: &mut Vec<(Code, String)>,
) -> Result<Option<Seed>> {
    if !item.encrypted {
        return Ok(None);
    }
    let encryption = encryption(item, container)?;
    let Some(unlocked) = &container.unlocked else {
        return Err(ErrorKind::PskcKeyMissing { name: container.key_name.clone() }.into());
    };
    if encryption != unlocked.cipher.encryption() {
        let found = item.algorithm.as_deref().unwrap_or_default().to_owned();
        return Err(ErrorKind::PskcUnsupported { what: "another encryption than the key's", found }.into());
    }
    let Some(sealed) = sealed(item) else {
        faults.push((Code::SeedEncoding, format!("the encrypted {what} is no Base64")));
        return Ok(None);
    };
    if sealed.mac.is_none() || unlocked.mac.is_none() {
        faults.push((Code::MacMissing, format!("the encrypted {what} has no MAC (RFC 6030 §6.1.1)")));
    }
    match unlocked.open(&sealed) {
        Ok(seed) => Ok(Some(seed)),
        Err(Refusal::Mac) => {
            let message = format!("the MAC does not match the encrypted {what} (RFC 6030 §6.1.1)");
            faults.push((Code::MacMismatch, message));
            Ok(None)
        }
        Err(Refusal::Length(found)) => {
            let message =
                format!("the encrypted {what} is damaged: expected whole blocks of 16 bytes, but found {found} bytes");
            faults.push((Code::SeedEncoding, message));
            Ok(None)
        }
        // Nothing else tells the right key from a wrong one.
        Err(Refusal::Padding) if unlocked.mac.is_none() => Err(ErrorKind::PskcKeyWrong { tried: 1 }.into()),
        Err(Refusal::Padding) => {
            faults.push((Code::SeedEncoding, format!("the encrypted {what} has no proper padding")));
            Ok(None)
        }
    }
}

/// The algorithm of an encrypted value.
fn encryption(item: &Item<'_>, container: &Container) -> Result<Encryption> {
    match item.algorithm.as_deref() {
        Some(uri) => Encryption::of_uri(uri),
        None => Err(without_method(container)),
    }
}

fn without_method(container: &Container) -> Error {
    container.rules.damaged("`EncryptionMethod` in `EncryptedValue`", "none")
}

/// Decodes an encrypted value and its MAC; `None` when either is no Base64.
pub(super) fn sealed(item: &Item<'_>) -> Option<Sealed> {
    let bytes = base64(item.cipher.as_deref()?)?;
    let mac = match filled(item.mac.clone()) {
        Some(mac) => Some(base64(&mac)?),
        None => None,
    };
    Some(Sealed { bytes, mac })
}

/// Decodes Base64 in which lines may be broken.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    // Most values stand on one line, and looking for white space costs as much as decoding.
    data_encoding::BASE64.decode(text.as_bytes()).ok().or_else(|| {
        let joined: String = text.split_ascii_whitespace().collect();
        data_encoding::BASE64.decode(joined.as_bytes()).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_strict_but_for_line_breaks() {
        assert_eq!(base64("MTIz\r\n  NA=="), Some(b"1234".to_vec()));
        for text in ["MTIzNA", "MTIzNA=", "MTIzNB==", "MTIz!A==", "MTIz_A=="] {
            assert_eq!(base64(text), None, "{text}");
        }
    }

    #[test]
    fn hex_and_base32_are_told_from_base64() {
        for (text, expected) in [
            // RFC 4226's seed in each encoding; its Base64 is RFC 6030's figure 2.
            ("3132333435363738393031323334353637383930", Some(Encoding::Hex)),
            ("31323334353637383930\n  31323334353637383930", Some(Encoding::Hex)),
            ("0x3132333435363738393031323334353637383930", Some(Encoding::Hex)),
            ("deadBEEFdeadBEEFdeadBEEFdeadBEEF", Some(Encoding::Hex)),
            ("deadBEEFdeadBEEFdeadBEEFdeadBEE", Some(Encoding::Hex)),
            ("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", Some(Encoding::Base32)),
            ("gezdgnbvgy3tqojqgezdgnbvgy3tqojq", Some(Encoding::Base32)),
            // 24 bytes, whose padding Base64 could have as well.
            ("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNA=", Some(Encoding::Base32)),
            ("MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=", None),
            ("MTIzNDU2Nzg5MDEyMzQ1Njc4OTA", None),
            ("MTIz\nNDU2Nzg5MDEyMzQ1Njc4OTA=", None),
            // All digits of hex, and padded as hex never is.
            ("ABCDABCDABCDABCDABCDAA==", None),
            ("MTIzNA==", None),
            ("ABCDEFAB", None),
        ] {
            assert_eq!(other_encoding(text), expected, "{text}");
        }
    }

    #[test]
    fn algorithms_have_short_names_in_both_forms() {
        for (uri, expected) in [
            ("urn:ietf:params:xml:ns:keyprov:pskc:hotp", "hotp"),
            ("urn:ietf:params:xml:ns:keyprov:pskc#totp", "totp"),
            ("URN:IETF:params:xml:ns:keyprov:pskc:TOTP", "totp"),
            ("http://www.ietf.org/keyprov/pskc#hotp", "hotp"),
            ("urn:ietf:params:xml:ns:keyprov:pskc:ocra", "ocra"),
            ("urn:ietf:params:xml:ns:keyprov:pskc:pin", "pin"),
            ("http://www.yubico.com/#yubikey-aes", "http://www.yubico.com/#yubikey-aes"),
            ("urn:example:totp", "urn:example:totp"),
            ("totp", "totp"),
        ] {
            assert_eq!(kind(uri.into()), expected);
        }
    }
}
