//! Text in hex, Base32 or Base64 in, key bytes out; and key bytes in, text out.
//!
//! # Leniency
//!
//! What people put into a seed to read it aloud is passed over: white space, in hex and Base32 dashes, and in hex
//! colons and a leading `0x`. Either case is read, and padding may be left out, but not half of it. In Base64 a dash is
//! refused, because base64url gives it a value, and white space inside counts only where the length
//! stays a multiple of four: a space may be a `+` that a web form has lost. Words are no Base32, although `seed follows
//! in another letter` has nothing but its letters: text of letters only, in groups of unlike lengths, is refused.
//!
//! # Source
//!
//! [RFC 4648] §4, §6 and §8.
//!
//! # Not here
//!
//! Which encoding a column has: `format::encoding`.
//!
//! [RFC 4648]: https://www.rfc-editor.org/rfc/rfc4648

use std::fmt;
use std::ops::Deref;
use std::sync::LazyLock;

use data_encoding::{BASE32_NOPAD, BASE32_NOPAD_NOCASE, BASE64, BASE64_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use zeroize::{Zeroize, Zeroizing};

use super::{Encoding, Plain, Seed};

/// Why text is not of its encoding.
#[derive(Debug)]
pub enum DecodeFault {
    /// It has a character that the encoding does not use.
    Alphabet,
    /// No number of bytes has text of this length.
    Length,
    /// Its padding is too short or too long.
    Padding,
    /// The unused bits of the last character are not zero, so it may have been cut. These are its bytes.
    SpareBits(Seed),
}

impl fmt::Display for DecodeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alphabet => "it has a character that the encoding does not use",
            Self::Length => "no number of bytes has text of its length",
            Self::Padding => "its padding does not fit its length",
            Self::SpareBits(_) => "the unused bits at its end are not zero",
        })
    }
}

/// Reads key bytes from text.
///
/// # Errors
///
/// The first [`DecodeFault`] in the order of its variants. Empty text is [`DecodeFault::Length`].
///
/// # Secrets
///
/// Reads `text`; what is copied of it on the way is wiped.
pub fn decode(text: &str, encoding: Encoding) -> Result<Seed, DecodeFault> {
    let digits = Digits::of(text, encoding);
    let strict = match encoding {
        Encoding::Hex => &HEXLOWER_PERMISSIVE,
        Encoding::Base32 => &BASE32_NOPAD_NOCASE,
        Encoding::Base64 => &BASE64_NOPAD,
    };
    if !digits.words
        && digits.have_length(encoding)
        && digits.have_padding(encoding)
        && let Some(seed) = decode_with(strict, &digits)
    {
        return Ok(seed);
    }
    Err(digits.fault(encoding))
}

/// Whether [`decode`] finds key bytes, with spare bits or without.
pub fn fits(text: &str, encoding: Encoding) -> bool {
    let digits = Digits::of(text, encoding);
    digits.have_length(encoding) && digits.have_padding(encoding) && digits.have_alphabet(encoding)
}

/// Whether every character, apart from what may stand between digits, is one of the encoding's.
///
/// That and [`fits`] tell a value that was cut from one that never was of this encoding.
pub fn spells(text: &str, encoding: Encoding) -> bool {
    let digits = Digits::of(text, encoding);
    !digits.is_empty() && digits.have_alphabet(encoding)
}

/// Appends a seed as text: lower-case hex, upper-case Base32 without padding, or padded Base64.
///
/// # Secrets
///
/// The text lies in `out` only; what stood elsewhere on the way is wiped.
pub fn encode(seed: &Seed, encoding: Encoding, out: &mut Plain) {
    let (base, block) = match encoding {
        Encoding::Hex => (&HEXLOWER, 32),
        Encoding::Base32 => (&BASE32_NOPAD, 40),
        Encoding::Base64 => (&BASE64, 48),
    };
    // Every block but the last fills 64 characters exactly, so the blocks' texts joined are the whole text.
    for bytes in seed.expose().chunks(block) {
        let mut room = [0; 64];
        let text = &mut room[..base.encode_len(bytes.len())];
        base.encode_mut(bytes, text);
        out.extend(text);
        text.zeroize();
    }
}

/// Appends a seed as upper-case Base32 without padding: what Entra takes.
///
/// # Secrets
///
/// As for [`encode`].
pub fn encode_base32(seed: &Seed, out: &mut Plain) {
    encode(seed, Encoding::Base32, out);
}

/// The digits of a text, without what may stand around and between them.
struct Digits<'a> {
    text: Text<'a>,
    padding: usize,
    /// White space stood between digits.
    gaps: bool,
    /// Letters only, in groups of unlike lengths, as words have.
    words: bool,
}

/// Digits as they stand, or joined in a buffer that is wiped.
enum Text<'a> {
    There(&'a [u8]),
    Joined(Zeroizing<Vec<u8>>),
}

impl Deref for Digits<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.text {
            Text::There(digits) => digits,
            Text::Joined(digits) => digits,
        }
    }
}

impl<'a> Digits<'a> {
    fn of(text: &'a str, encoding: Encoding) -> Self {
        let mut text = text.as_bytes().trim_ascii();
        if encoding == Encoding::Hex {
            text = text.strip_prefix(b"0x").or_else(|| text.strip_prefix(b"0X")).unwrap_or(text);
        }
        let dashes = encoding != Encoding::Base64;
        let colons = encoding == Encoding::Hex;
        let between = |byte: &u8| byte.is_ascii_whitespace() || (dashes && *byte == b'-') || (colons && *byte == b':');
        if !text.iter().any(between) {
            let padding = padding(text, encoding);
            return Self { text: Text::There(&text[..text.len() - padding]), padding, gaps: false, words: false };
        }
        let mut joined = Zeroizing::new(Vec::with_capacity(text.len()));
        joined.extend(text.iter().filter(|byte| !between(byte)));
        let padding = padding(&joined, encoding);
        let length = joined.len() - padding;
        joined.truncate(length);
        let words = encoding == Encoding::Base32 && are_words(text);
        Self { text: Text::Joined(joined), padding, gaps: true, words }
    }

    /// Whether some number of bytes has this many digits.
    fn have_length(&self, encoding: Encoding) -> bool {
        let length = self.len();
        length > 0
            && match encoding {
                Encoding::Hex => length.is_multiple_of(2),
                Encoding::Base32 => !matches!(length % 8, 1 | 3 | 6),
                Encoding::Base64 => length % 4 != 1 && (!self.gaps || (length + self.padding).is_multiple_of(4)),
            }
    }

    /// Whether the padding is what the length asks for, or left out.
    fn have_padding(&self, encoding: Encoding) -> bool {
        let group = match encoding {
            Encoding::Hex => 1,
            Encoding::Base32 => 8,
            Encoding::Base64 => 4,
        };
        self.padding == 0 || self.padding == self.len().next_multiple_of(group) - self.len()
    }

    fn have_alphabet(&self, encoding: Encoding) -> bool {
        !self.words
            && self.iter().all(|byte| match encoding {
                Encoding::Hex => byte.is_ascii_hexdigit(),
                Encoding::Base32 => byte.is_ascii_alphabetic() || matches!(byte, b'2'..=b'7'),
                Encoding::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'),
            })
    }

    /// Why these digits could not be decoded.
    fn fault(&self, encoding: Encoding) -> DecodeFault {
        if !self.have_alphabet(encoding) {
            return DecodeFault::Alphabet;
        }
        if !self.have_length(encoding) {
            return DecodeFault::Length;
        }
        if !self.have_padding(encoding) {
            return DecodeFault::Padding;
        }
        // Hex has no spare bits: two digits are a byte.
        let loose = if encoding == Encoding::Base64 { &BASE64_SPARE } else { &BASE32_SPARE };
        decode_with(loose, self).map_or(DecodeFault::Length, DecodeFault::SpareBits)
    }
}

/// How many padding characters end the text; hex has none, so there `=` is a wrong character.
fn padding(text: &[u8], encoding: Encoding) -> usize {
    match encoding {
        Encoding::Hex => 0,
        Encoding::Base32 | Encoding::Base64 => text.iter().rev().take_while(|byte| **byte == b'=').count(),
    }
}

/// Whether text is letters only, in groups that are no pattern: a group other than the last differs from the first.
fn are_words(text: &[u8]) -> bool {
    let between = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'-';
    if !text.iter().all(|byte| byte.is_ascii_alphabetic() || between(byte)) {
        return false;
    }
    let mut groups = text.split(between).filter(|group| !group.is_empty()).map(<[u8]>::len);
    let first = groups.next().unwrap_or_default();
    let mut rest = groups.peekable();
    while let Some(group) = rest.next() {
        if group > first || (group < first && rest.peek().is_some()) {
            return true;
        }
    }
    false
}

fn decode_with(base: &data_encoding::Encoding, digits: &[u8]) -> Option<Seed> {
    let mut bytes = Zeroizing::new(vec![0; base.decode_len(digits.len()).ok()?]);
    let count = base.decode_mut(digits, &mut bytes).ok()?;
    // Without padding and ignored characters, the length is exact; a shorter answer would be a cut seed.
    (count == bytes.len()).then(|| Seed::new(std::mem::take(&mut *bytes)))
}

/// Either case, and whatever the spare bits are.
static BASE32_SPARE: LazyLock<data_encoding::Encoding> = LazyLock::new(|| without_check(&BASE32_NOPAD_NOCASE));

/// Whatever the spare bits are.
static BASE64_SPARE: LazyLock<data_encoding::Encoding> = LazyLock::new(|| without_check(&BASE64_NOPAD));

fn without_check(base: &data_encoding::Encoding) -> data_encoding::Encoding {
    let mut specification = base.specification();
    specification.check_trailing_bits = false;
    specification.encoding().expect("a known encoding without one check is an encoding")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `decode` says: the bytes in hex, or the fault.
    fn check(text: &str, encoding: Encoding, expected: &str) {
        let decoded = decode(text, encoding);
        assert_eq!(fits(text, encoding), matches!(decoded, Ok(_) | Err(DecodeFault::SpareBits(_))), "{text}");
        let shown = match decoded {
            Ok(seed) => HEXLOWER.encode(seed.expose()),
            Err(DecodeFault::SpareBits(seed)) => format!("spare bits, {}", HEXLOWER.encode(seed.expose())),
            Err(fault) => format!("{fault:?}").to_lowercase(),
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn reads_the_test_vectors_of_rfc_4648() {
        for (bytes, base64, base32, hex) in [
            ("f", "Zg==", "MY======", "66"),
            ("fo", "Zm8=", "MZXQ====", "666F"),
            ("foo", "Zm9v", "MZXW6===", "666F6F"),
            ("foob", "Zm9vYg==", "MZXW6YQ=", "666F6F62"),
            ("fooba", "Zm9vYmE=", "MZXW6YTB", "666F6F6261"),
            ("foobar", "Zm9vYmFy", "MZXW6YTBOI======", "666F6F626172"),
        ] {
            let expected = hex.to_lowercase();
            check(base64, Encoding::Base64, &expected);
            check(base64.trim_end_matches('='), Encoding::Base64, &expected);
            check(base32, Encoding::Base32, &expected);
            check(base32.trim_end_matches('='), Encoding::Base32, &expected);
            check(&base32.to_lowercase(), Encoding::Base32, &expected);
            check(hex, Encoding::Hex, &expected);
            check(&expected, Encoding::Hex, &expected);
            let seed = Seed::new(bytes.as_bytes().to_vec());
            for (encoding, text) in [
                (Encoding::Base64, base64),
                (Encoding::Base32, base32.trim_end_matches('=')),
                (Encoding::Hex, &expected),
            ] {
                let mut out = Plain::default();
                encode(&seed, encoding, &mut out);
                assert_eq!(&*out, text.as_bytes());
            }
        }
    }

    #[test]
    fn passes_over_what_stands_between_digits() {
        check(" MZXW 6YTB\tOI ", Encoding::Base32, "666f6f626172");
        check("mzxw-6ytb-oi", Encoding::Base32, "666f6f626172");
        check("0x666F 6f62-6172", Encoding::Hex, "666f6f626172");
        check("0X666F", Encoding::Hex, "666f");
        check("66:6F:6f:62:61:72", Encoding::Hex, "666f6f626172");
        check("MZ:XW:6Y:TB", Encoding::Base32, "alphabet");
        check("Zm:9v", Encoding::Base64, "alphabet");
        check(" Zm9v\r\n    YmFy\n", Encoding::Base64, "666f6f626172");
    }

    #[test]
    fn refuses_characters_of_other_alphabets() {
        check("MZXW6YTB01", Encoding::Base32, "alphabet");
        check("MZXW6YTBÖ", Encoding::Base32, "alphabet");
        check("66=", Encoding::Hex, "alphabet");
        check("6g", Encoding::Hex, "alphabet");
        check("Zm-v", Encoding::Base64, "alphabet");
        check("Zm_v", Encoding::Base64, "alphabet");
        check("MZ=XW6YT", Encoding::Base32, "alphabet");
        check("660x66", Encoding::Hex, "alphabet");
    }

    #[test]
    fn refuses_words_that_have_the_letters_of_base32() {
        check("seed follows in another letter", Encoding::Base32, "alphabet");
        check("see the letter beside", Encoding::Base32, "alphabet");
        check("THIS-TOKEN-WAS-LOST-ASK-VENDOR-FOR-HELP", Encoding::Base32, "alphabet");
        check("seed-follows in-another-letter", Encoding::Base32, "alphabet");
        check("MZXW-MZXW-MZXW-MZXW", Encoding::Base32, "666f6666f6666f6666f6");
        check("MZXW MZXW MZXW MZXW", Encoding::Base32, "666f6666f6666f6666f6");
        check("MZXWMZXW MZXWMZXW", Encoding::Base32, "666f6666f6666f6666f6");
    }

    #[test]
    fn refuses_lengths_that_no_bytes_have() {
        // Token2's converter makes 65 hex digits of 32 bytes.
        check(&"a".repeat(65), Encoding::Hex, "length");
        for length in [1, 3, 6, 9, 11, 14, 17, 33] {
            check(&"A".repeat(length), Encoding::Base32, "length");
        }
        check("Zm9vY", Encoding::Base64, "length");
        for encoding in Encoding::ALL {
            check("", encoding, "length");
            check("  ", encoding, "length");
        }
        check("0x", Encoding::Hex, "length");
        check("====", Encoding::Base64, "length");
    }

    #[test]
    fn refuses_a_space_in_base64_that_may_have_been_a_plus() {
        check("Zm9v mFy", Encoding::Base64, "length");
        check("Zm 9v mF8=", Encoding::Base64, "666f6f985f");
    }

    #[test]
    fn refuses_half_a_padding() {
        check("MY=", Encoding::Base32, "padding");
        check("MZXW6YTB========", Encoding::Base32, "padding");
        check("Zg=", Encoding::Base64, "padding");
        check("Zm9v====", Encoding::Base64, "padding");
    }

    #[test]
    fn hands_out_the_bytes_before_spare_bits() {
        check("MZ", Encoding::Base32, "spare bits, 66");
        check("MZXW6YTBOJ======", Encoding::Base32, "spare bits, 666f6f626172");
        check("Zh==", Encoding::Base64, "spare bits, 66");
        // 26 characters hold 16 bytes and two bits more.
        check("AAAAAAAAAAAAAAAAAAAAAAAAAB", Encoding::Base32, "spare bits, 00000000000000000000000000000000");
    }

    #[test]
    fn long_seeds_are_written_without_a_seam() {
        for length in [32, 40, 41, 48, 64, 97, 200] {
            let bytes: Vec<u8> = (0..length).map(|at| (at * 37 % 251) as u8).collect();
            let seed = Seed::new(bytes.clone());
            for (encoding, expected) in [
                (Encoding::Hex, HEXLOWER.encode(&bytes)),
                (Encoding::Base32, BASE32_NOPAD.encode(&bytes)),
                (Encoding::Base64, BASE64.encode(&bytes)),
            ] {
                let mut out = Plain::default();
                encode(&seed, encoding, &mut out);
                assert_eq!(&*out, expected.as_bytes());
            }
        }
    }

    #[test]
    fn a_cut_value_is_still_spelled_in_its_alphabet() {
        assert!(spells("abc", Encoding::Hex) && !fits("abc", Encoding::Hex));
        assert!(!spells("xyz", Encoding::Hex) && !spells("", Encoding::Hex));
    }
}
