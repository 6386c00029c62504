//! Names that are not known in: whether they may be shown, and which field they may be about.
//!
//! A column or key that is passed over in silence may be the one that says eight digits or SHA-256, and a token that
//! lost them computes wrong codes for ever. So a name that speaks of a field is never passed over, and one that speaks
//! of none is, where it is known to do no harm, or else with a warning.
//!
//! # Not here
//!
//! Names that are known: `format::csv_maps`.

use zeroize::Zeroizing;

use crate::record::Field;

use super::csv_maps::{SYNONYMS, plain, recognise};

/// Parts of names that speak of a field, wherever they stand in a word.
const PARTS: &[(&str, Field)] = &[
    ("algo", Field::Hash),
    ("counter", Field::Counter),
    ("crypt", Field::Hash),
    ("digit", Field::Digits),
    ("hash", Field::Hash),
    ("hmac", Field::Hash),
    ("interval", Field::Period),
    ("length", Field::Digits),
    ("period", Field::Period),
    ("secret", Field::Seed),
    ("seed", Field::Seed),
    ("window", Field::Period),
];

/// Words that speak of a field, where they are whole words: `Monkey` has no key.
const WORDS: &[(&str, Field)] = &[
    ("key", Field::Seed),
    ("keys", Field::Seed),
    ("mode", Field::Type),
    ("sha", Field::Hash),
    ("step", Field::Period),
    ("steps", Field::Period),
    ("type", Field::Type),
];

/// What stands before a word without a space: `otptype`.
const BEFORE: &[&str] = &["otp", "totp", "hotp", "oath", "token", "time"];

/// Which field a name may be about that is not known.
pub(super) fn may_mean(name: &str) -> Option<Field> {
    let plain = plain(name);
    if let Some((_, field)) = PARTS.iter().find(|(part, _)| plain.contains(part)) {
        return Some(*field);
    }
    words(name).find_map(|word| {
        let rest = BEFORE.iter().filter_map(|before| word.strip_prefix(before)).find(|rest| !rest.is_empty());
        [Some(word.as_str()), rest].into_iter().flatten().find_map(|word| {
            let hash = word.strip_prefix("sha").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            let whole = || WORDS.iter().find(|(whole, _)| *whole == word).map(|(_, field)| *field);
            if hash { Some(Field::Hash) } else { whole() }
        })
    })
}

/// Which field a value is of, whatever its column is called.
pub(super) fn must_mean(value: &str) -> Option<Field> {
    /// `HMAC-SHA-512/256`; what is longer may be a seed that begins so.
    const LONGEST: usize = 16;
    if value.len() > LONGEST {
        return None;
    }
    let plain = plain(value);
    let hash = plain.strip_prefix("hmac").unwrap_or(&plain).strip_prefix("sha");
    if hash.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        return Some(Field::Hash);
    }
    ["hotp", "totp"].contains(&plain.as_str()).then_some(Field::Type)
}

/// The words of a name in lower case: `hashFunction` and `Hash-Function` have two.
fn words(name: &str) -> impl Iterator<Item = Zeroizing<String>> {
    let mut spaced = Zeroizing::new(String::with_capacity(2 * name.len()));
    let mut small = false;
    for character in name.chars() {
        if small && character.is_uppercase() {
            spaced.push(' ');
        }
        small = character.is_lowercase();
        spaced.push(if character.is_alphanumeric() { character } else { ' ' });
    }
    let words: Vec<_> = spaced.split_whitespace().map(plain).collect();
    words.into_iter()
}

/// Whether a column does no harm when nobody reads it.
pub(super) fn is_harmless(name: &str) -> bool {
    HARMLESS.contains(&plain(name).as_str())
}

/// Names seen in deliveries that say nothing of how a code is computed, nor of whose token it is.
const HARMLESS: &[&str] = &[
    "",
    "account",
    "accountname",
    "batch",
    "batchno",
    "batchnumber",
    "color",
    "comment",
    "comments",
    "company",
    "createdat",
    "customer",
    "date",
    "deliverydate",
    "department",
    "description",
    "devicename",
    "displayname",
    "expirationdate",
    "expiry",
    "expirydate",
    "firmware",
    "firmwareversion",
    "hardwareversion",
    "id",
    "index",
    "issuer",
    "line",
    "location",
    "manufacturedate",
    "manufacturingdate",
    "name",
    "no",
    "note",
    "notes",
    "nr",
    "order",
    "orderno",
    "ordernumber",
    "ponumber",
    "productiondate",
    "remark",
    "remarks",
    "shipdate",
    "site",
    "state",
    "status",
    "tokenname",
    "warranty",
    "warrantyperiod",
];

/// Whether a cell of a supposed header, or a key, may have a seed in it, and so must not be shown.
///
/// Errs on the safe side: of what is no known word, so many characters are left that they may be a seed. 10 bytes, the
/// shortest seed that anyone sends, have 14 in Base64. Words of other languages run long too, but in both cases.
pub(super) fn may_be_secret(cell: &str) -> bool {
    const SHORTEST: usize = 14;
    const LONGEST_WORDS: usize = 18;
    if recognise(cell).is_some() {
        return false;
    }
    let mut rest = Zeroizing::new(String::with_capacity(cell.len()));
    for run in cell.split(|character: char| !character.is_alphanumeric()) {
        let plain = plain(run);
        if !is_made_of_words(plain.as_bytes()) {
            rest.push_str(run);
        }
    }
    let digits = rest.bytes().any(|byte| byte.is_ascii_digit());
    let lower = rest.chars().any(char::is_lowercase);
    let upper = rest.chars().any(char::is_uppercase);
    let length = rest.chars().count();
    length >= SHORTEST && (digits || !(lower && upper) || length >= LONGEST_WORDS)
}

/// Whether text is nothing but known words, one behind another.
fn is_made_of_words(text: &[u8]) -> bool {
    // Which lengths of its beginning are words; nobody calls a column by more letters than this.
    const MOST: usize = 64;
    if text.len() > MOST {
        return false;
    }
    let mut ends = [false; MOST + 1];
    ends[0] = true;
    for start in 0..text.len() {
        if ends[start] {
            let known = SYNONYMS.iter().flat_map(|(_, names)| *names).chain(HARMLESS).chain(USUAL);
            for word in known.filter(|word| !word.is_empty() && text[start..].starts_with(word.as_bytes())) {
                ends[start + word.len()] = true;
            }
        }
    }
    ends[text.len()]
}

/// Further words that names are made of.
const USUAL: &[&str] = &[
    "address",
    "application",
    "assign",
    "assigned",
    "authentication",
    "base",
    "base32",
    "base64",
    "bits",
    "bytes",
    "card",
    "code",
    "codes",
    "content",
    "context",
    "count",
    "crypto",
    "data",
    "delivered",
    "device",
    "digit",
    "email",
    "encoded",
    "encoding",
    "encrypted",
    "event",
    "family",
    "first",
    "format",
    "function",
    "generation",
    "group",
    "hardware",
    "hashing",
    "hex",
    "hexadecimal",
    "hmac",
    "hotp",
    "identifier",
    "in",
    "initial",
    "is",
    "key",
    "last",
    "length",
    "mail",
    "method",
    "mode",
    "number",
    "oath",
    "of",
    "old",
    "on",
    "one",
    "otp",
    "owner",
    "part",
    "passcode",
    "password",
    "phone",
    "pin",
    "pre",
    "principal",
    "printed",
    "private",
    "production",
    "public",
    "seconds",
    "secret",
    "seed",
    "serial",
    "sha",
    "sha1",
    "sha256",
    "sha512",
    "shared",
    "software",
    "start",
    "step",
    "string",
    "the",
    "time",
    "to",
    "token",
    "totp",
    "type",
    "unique",
    "used",
    "user",
    "value",
    "values",
    "version",
    "window",
    "year",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_speaks_of_a_field_is_noticed() {
        for (name, expected) in [
            ("OTP Code Size (digits)", Some(Field::Digits)),
            ("nDigits", Some(Field::Digits)),
            ("Length", Some(Field::Digits)),
            ("Length (bytes)", Some(Field::Digits)),
            ("HMAC Variant", Some(Field::Hash)),
            ("Algo.", Some(Field::Hash)),
            ("use SHA256", Some(Field::Hash)),
            ("cryptoSuite", Some(Field::Hash)),
            ("tokenMode", Some(Field::Type)),
            ("otptype", Some(Field::Type)),
            ("Product Type", Some(Field::Type)),
            ("Step", Some(Field::Period)),
            ("timestep_s", Some(Field::Period)),
            ("Time Window", Some(Field::Period)),
            ("Event Counter (hex)", Some(Field::Counter)),
            ("OTP Key Value", Some(Field::Seed)),
            ("Key", Some(Field::Seed)),
            ("Seed (part 1)", Some(Field::Seed)),
            ("OTP", None),
            ("Monkey", None),
            ("Share", None),
            ("Site code", None),
            ("", None),
        ] {
            assert_eq!(may_mean(name), expected, "{name}");
        }
    }

    #[test]
    fn a_value_that_is_a_hash_or_a_type_is_noticed() {
        for (value, expected) in [
            ("SHA256", Some(Field::Hash)),
            ("hmac-sha-512", Some(Field::Hash)),
            ("TOTP", Some(Field::Type)),
            ("hotp", Some(Field::Type)),
            ("SHARED", None),
            ("SHA2ABCDEFGHIJKLMNOPQRSTUV234567", None),
            ("30", None),
        ] {
            assert_eq!(must_mean(value), expected, "{value}");
        }
    }

    #[test]
    fn what_may_be_a_seed_is_told_from_words() {
        for cell in [
            "4XWFBLITZHOT72LYC2DSVOCAVYYKNGII",
            "Seed: 4XWFBLITZHOT72LYC2DSVOCAVYYKNGII",
            "Secret Key=4XWFBLITZHOT72LYC2DSVOCAVYYKNGII",
            "seed_4XWFBLITZHOT72LYC2DSVOCAVYYKNGII",
            "serialNumber4XWFBLITZHOT72LYC2DSVOCAVYYKNGII",
            "AbCdEfGhIjKlMnOpQrStUv==",
            "AbCdEfGhIjK/MnOpQr+tUv==",
            "JBSWY3DPEHPK3PXP",
            "JBSW-Y3DP-EHPK-3PXP",
            "E5:EC:50:AD:13:C9:DD:3F",
            "3031323334353637",
            "jbswydpehpkpxp",
        ] {
            assert!(may_be_secret(cell), "{cell}");
        }
        for cell in [
            "Serial number printed on the token",
            "Key (old)",
            "timeIntervalInSeconds",
            "authenticationMethod",
            "S/N",
            "Number of digits of the code",
            "Geheimer Code",
            "",
        ] {
            assert!(!may_be_secret(cell), "{cell}");
        }
    }

    #[test]
    fn harmless_names_speak_of_no_field() {
        for name in HARMLESS.iter().filter(|name| **name != "warrantyperiod") {
            assert!(plain(name).as_str() == *name && may_mean(name).is_none() && recognise(name).is_none(), "{name}");
        }
        assert!(HARMLESS.is_sorted());
    }
}
