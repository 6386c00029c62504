//! Where a thing stands: delivery, then layer by layer to the member, then the place in it.
//!
//! # Units
//!
//! Lines, packages, keys and items count from 1; byte offsets count from 0. This holds for every
//! message of the program.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroize;

/// The way to one member: the delivery first, then each name met while unsealing.
///
/// Cheap to clone: all records of a member share one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Trail(Arc<[String]>);

impl Trail {
    /// Starts a trail at a delivery, as the user named it.
    pub fn new(delivery: impl Into<String>) -> Self {
        Self(Arc::from([delivery.into()]))
    }

    /// The trail of something called `name` inside this.
    pub fn join(&self, name: impl Into<String>) -> Self {
        let mut steps = self.0.to_vec();
        steps.push(name.into());
        Self(steps.into())
    }

    /// The last name on the trail: the member's own.
    pub fn name(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    /// Every name, the delivery's first.
    pub fn steps(&self) -> &[String] {
        &self.0
    }

    /// This trail with a place at its end.
    pub fn at(&self, place: Place) -> Origin {
        Origin { trail: self.clone(), place: Some(place) }
    }

    /// This trail as a whole.
    pub fn whole(&self) -> Origin {
        Origin { trail: self.clone(), place: None }
    }
}

impl fmt::Display for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" > ")?;
            }
            f.write_str(&escaped_name(step))?;
        }
        Ok(())
    }
}

/// A place inside a member, as exact as its format allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Byte offset, from 0.
    Byte(u64),
    /// Item of a JSON list, from 1.
    Item(u64),
    /// Line of a text format, from 1.
    Line(u64),
    /// `KeyPackage` of a PSKC container, from 1, and the `Key` in it where there are several.
    Package {
        /// Number of the package, from 1.
        package: u64,
        /// Number of the key in its package, from 1; 0 where the package has one key only.
        key: u32,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Byte(offset) => write!(f, "byte {offset}"),
            Self::Item(item) => write!(f, "item {item}"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Package { package, key: 0 } => write!(f, "KeyPackage {package}"),
            Self::Package { package, key } => write!(f, "KeyPackage {package} > Key {key}"),
        }
    }
}

/// A member, or a place in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The way to the member.
    pub trail: Trail,
    /// The place in the member; `None` means the member as a whole.
    pub place: Option<Place>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.trail.fmt(f)?;
        match &self.place {
            Some(place) => write!(f, " > {place}"),
            None => Ok(()),
        }
    }
}

/// A vendor's value made safe for a message: control characters escaped, cut at 60, and not shown at all where any part
/// of it may be a seed that stands in the wrong place.
pub fn escaped(text: &str) -> String {
    if has_seed(text) { hidden(text) } else { printable(text) }
}

/// The same for the name of a file or a member, which is hidden only when all of it may be a seed.
pub fn escaped_name(name: &str) -> String {
    if may_be_seed(name) { hidden(name) } else { printable(name) }
}

fn hidden(text: &str) -> String {
    format!("({} characters that may be a seed)", text.trim().chars().count())
}

fn printable(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown = String::with_capacity(text.len().min(LONGEST));
    for (count, character) in text.chars().enumerate() {
        if count == LONGEST {
            shown.push('…');
            break;
        }
        if is_unseen(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Whether a text has a seed in it: as a whole, as one run of digits among separators, or cut up by separators.
fn has_seed(text: &str) -> bool {
    if super::is_object_id(text.trim()) {
        return false;
    }
    let in_a_seed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '+' | '/');
    let mut joined: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let cut_up = joined.len() < text.trim().len() && joined.bytes().all(|byte| byte.is_ascii_hexdigit());
    let found = may_be_seed(text)
        || cut_up && may_be_seed(&joined)
        || text.split(|character| !in_a_seed(character)).any(may_be_seed)
        || text.split(|character: char| !character.is_ascii_alphanumeric()).any(may_be_seed);
    joined.zeroize();
    found
}

/// Whether a whole text looks like a seed: long, and in one of the alphabets that seeds are spelled in.
///
/// Errs on the side of silence, but spares serials (digits only, one case beyond Base32, or shorter than any
/// seed), camel-case names and object ids.
fn may_be_seed(text: &str) -> bool {
    // Ten bytes, the shortest seed that anyone sends, have 16 characters in Base32.
    const SHORTEST: usize = 16;
    const LONGEST_WORD: usize = 24;
    let text = text.trim();
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let run = letters + digits;
    if run < SHORTEST || letters == 0 || super::is_object_id(text) {
        return false;
    }
    let spelled = |encoding| super::spells(text, encoding);
    let mixed =
        text.bytes().any(|byte| byte.is_ascii_lowercase()) && text.bytes().any(|byte| byte.is_ascii_uppercase());
    if mixed {
        // Base64 of 16 bytes without a digit is as rare as a name of 25 letters without a space.
        spelled(super::Encoding::Base64) && (digits > 0 || run > LONGEST_WORD || text.ends_with('='))
            || spelled(super::Encoding::Hex)
    } else {
        spelled(super::Encoding::Hex) || spelled(super::Encoding::Base32)
    }
}

/// Whether a character leaves no trace on a screen or moves others on it, and so can make a message or a value lie.
pub(crate) fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_whole_way_to_a_record() {
        let trail = Trail::new("2026-03.zip").join("tokens.xml");
        assert_eq!(
            trail.at(Place::Package { package: 3, key: 0 }).to_string(),
            "2026-03.zip > tokens.xml > KeyPackage 3"
        );
        assert_eq!(trail.at(Place::Line(214)).to_string(), "2026-03.zip > tokens.xml > line 214");
        assert_eq!(trail.whole().to_string(), "2026-03.zip > tokens.xml");
    }

    #[test]
    fn what_may_be_a_seed_is_not_shown() {
        for seed in [
            "YMUGYZLBNMWWGYLOMFZHSLJQPBDDPHQB",
            "ymug yzlb nmww gylo mfzh sljq pbdd phqb",
            "3132333435363738393a3b3c3d3e3f4041424344",
            "0x3132333435363738393A3B3C",
            "w5bsZWFrLWNhbmFyeS0weEY3ngE=",
            "JBSWY3DPEHPK3PXP",
            "ABCDEFGHIJKLMNOPABCDEFGH",
            "E5:EC:50:AD:13:C9:DD:3F:E9:78",
            "seed:4XWFBLITZHOT72LYC2DSVOCAVYYKNGII",
            "_5exQrRPJ3T/peBaHKrhArjCmmQg=_",
            "otpauth://totp/A?secret=4XWFBLITZHOT72LYC2DSVOCAVYYKNGII",
            "AbCdEfGhIjKlMnOpQrStUv==",
        ] {
            assert!(escaped(seed).ends_with("characters that may be a seed)"), "{seed}");
        }
        for word in [
            "2308730400001",
            "1234567890123456",
            "GALT11420104",
            "FTK2001234567890",
            "306EUO4-00960",
            "ada.lovelace.of.london@example.com",
            "3dee0e53-0aaf-4c43-9f7e-3a1f0e5d7c11",
            "timeIntervalInSeconds",
            "2026-03.zip",
            "2026-11-20T10:15:00Z",
            "http://www.w3.org/2001/04/xmlenc#kw-tripledes",
            "urn:ietf:params:xml:ns:keyprov:pskc:totp",
        ] {
            assert_eq!(escaped(word), word);
        }
    }

    #[test]
    fn a_file_is_named_unless_all_its_name_may_be_a_seed() {
        assert_eq!(escaped_name("export_20260301T101500Zabcd.csv"), "export_20260301T101500Zabcd.csv");
        assert_eq!(escaped_name("JBSWY3DPEHPK3PXP"), "(16 characters that may be a seed)");
    }

    #[test]
    fn escapes_what_could_forge_a_message_and_cuts_what_is_long() {
        assert_eq!(escaped("a\u{1b}[31mb\u{202e}"), "a\\u{1b}[31mb\\u{202e}");
        assert_eq!(escaped(&"x.".repeat(31)), format!("{}…", "x.".repeat(30)));
    }
}
