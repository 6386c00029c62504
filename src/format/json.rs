//! What the JSON formats share: values that borrow, text that is written, and errors that quote nothing.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde_json::error::Category;

use crate::error::ErrorKind;
use crate::record::{Plain, escaped};

use super::unknown::may_be_secret;

/// A string, borrowed from the document where it has no escapes. (serde borrows a `Cow` by itself, but not an `Option` of it.)
pub(super) struct Words<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Words<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(ValueVisitor { numbers: false }).map(|value: Value<'a>| Self(value.0))
    }
}

/// A string or a number, as text: some tools put every number in quotes.
pub(super) struct Value<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor { numbers: true })
    }
}

struct ValueVisitor {
    numbers: bool,
}

impl ValueVisitor {
    fn number<'a, E: serde::de::Error>(&self, number: &dyn fmt::Display) -> Result<Value<'a>, E> {
        if self.numbers { Ok(Value(Cow::Owned(number.to_string()))) } else { Err(E::custom("a number")) }
    }
}

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.numbers { "a text or a number" } else { "a text" })
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value(Cow::Borrowed(text)))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
        self.number(&number)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Self::Value, E> {
        self.number(&number)
    }

    /// A serial that was a float has lost digits: it keeps the form by which that is noticed.
    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Self::Value, E> {
        self.number(&format!("{number:E}").replace('E', "E+").replace("E+-", "E-"))
    }
}

/// The line and the message of what serde_json found wrong.
///
/// serde's own messages may quote values, so only those words are passed on that cannot: the fixed ones of the syntax,
/// and names of keys.
pub(super) fn damaged(format: &'static str, error: &serde_json::Error) -> (u64, ErrorKind) {
    let whole = error.to_string();
    let text = whole.split(" at line ").next().unwrap_or_default();
    let column = error.column();
    let (expected, found) = match error.classify() {
        Category::Eof => ("the rest of the document".to_owned(), "its end".to_owned()),
        Category::Data => {
            match (key(text, "duplicate field `"), key(text, "unknown field `"), text.strip_prefix(OWN)) {
                (Some(key), _, _) => (format!("the key {key} once"), "it twice in one object".to_owned()),
                (_, Some(key), _) => return (error.line() as u64, ErrorKind::KeyUnknown { format, key }),
                (_, _, Some(own)) => match own.split_once(", but found ") {
                    Some((expected, found)) => (expected.to_owned(), found.to_owned()),
                    None => (own.to_owned(), "another".to_owned()),
                },
                _ => ("a value of the right type".to_owned(), format!("another type before column {column}")),
            }
        }
        Category::Syntax | Category::Io => ("valid JSON".to_owned(), format!("a fault in column {column}: {text}")),
    };
    (error.line() as u64, ErrorKind::FormatDamaged { format, expected, found })
}

/// Marks messages that were made here and so quote nothing.
const OWN: &str = "seedmill: ";

/// An error of our own: `expected` and `found` must not quote the document.
pub(super) fn own<E: serde::de::Error>(expected: &str, found: &str) -> E {
    E::custom(format_args!("{OWN}{expected}, but found {found}"))
}

/// The name of a key in a message that begins so, as it may be shown.
fn key(text: &str, begin: &str) -> Option<String> {
    let rest = text.strip_prefix(begin)?;
    // A key may itself have this in it; then it is cut short, which harms nothing.
    let key = rest.split('`').next().unwrap_or_default();
    Some(if may_be_secret(key) {
        format!("of {} characters", key.chars().count())
    } else {
        format!("`{}`", escaped(key))
    })
}

/// Writes a string with its quotes.
pub(super) fn string(text: &str, out: &mut Plain) {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        out.extend(b"\"");
        out.extend(text.as_bytes());
        out.extend(b"\"");
    } else {
        serde_json::to_writer(out, text).expect("a buffer in memory takes any text");
    }
}

/// Writes a number.
pub(super) fn number(number: u64, out: &mut Plain) {
    // The largest has 20 digits.
    let mut room = [b'0'; 20];
    let mut start = room.len();
    let mut rest = number;
    loop {
        start -= 1;
        room[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend(&room[start..]);
}

/// Whether a head has an object's key in it, apart from values that read the same.
pub(super) fn has_key(head: &[u8], key: &str) -> bool {
    memchr::memmem::find_iter(head, key.as_bytes()).any(|at| {
        let before = at.checked_sub(1).map(|before| head[before]);
        let behind = head[at + key.len()..].strip_prefix(b"\"").unwrap_or_default().trim_ascii_start();
        before == Some(b'"') && behind.first() == Some(&b':')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_numbers() {
        for value in [0, 7, 10, 30, 172_800, u64::MAX] {
            let mut out = Plain::default();
            number(value, &mut out);
            assert_eq!(&*out, value.to_string().as_bytes());
        }
    }

    #[test]
    fn writes_strings_that_are_read_back() {
        for text in ["", "Feitian", "a\"b\\c", "tab\tline\nbell\u{7}", "äöü 😀 \u{2028}"] {
            let mut out = Plain::default();
            string(text, &mut out);
            assert_eq!(serde_json::from_slice::<String>(&out).expect("a string"), text);
        }
    }

    #[test]
    fn reads_numbers_as_text_and_marks_floats() {
        for (json, expected) in [
            ("30", "30"),
            ("\"30\"", "30"),
            ("-1", "-1"),
            ("2.60012E12", "2.60012E+12"),
            ("0.5", "5E-1"),
            ("99999999999999999999999", "1E+23"),
        ] {
            let value: Value<'_> = serde_json::from_str(json).expect("a value");
            assert_eq!(value.0, expected);
        }
        assert!(serde_json::from_str::<Words<'_>>("30").is_err());
        assert!(serde_json::from_str::<Value<'_>>("true").is_err());
    }

    #[test]
    fn finds_keys_and_not_values() {
        assert!(has_key(br#"{"seed" : 1}"#, "seed"));
        assert!(!has_key(br#"{"a":"seed"}"#, "seed"));
        assert!(!has_key(br#"{"myseed":1}"#, "seed"));
        assert!(!has_key(b"seed", "seed"));
    }
}
