//! The usual shape of XML, at close to memory speed.
//!
//! # Leniency
//!
//! None: everything but tags with ASCII names, quoted attributes and text without references, markup
//! declarations, processing instructions and carriage returns inside is [`Stop::Unusual`], broken XML included.
//! A lone doubt costs one package a second pass; a wrong answer could cost a seed.

use std::borrow::Cow;

use super::{Pulled, Rules, Source, Stop, Tag, is_space, same_name, trimmed};

/// A source for text that has nothing but tags and plain text.
pub(in crate::format) struct Scanner<'a> {
    text: &'a str,
    /// Everything before is read.
    at: usize,
    /// The qualified names of the open elements, the innermost last.
    open: Vec<&'a str>,
    /// The attributes of the element opened last.
    attributes: Vec<(&'a str, &'a str)>,
    /// The element opened last has an empty-element tag.
    empty: bool,
    rules: Rules,
}

/// More attributes are left to the parser, which looks for repeated ones in any number.
const MOST_ATTRIBUTES: usize = 16;

impl<'a> Scanner<'a> {
    /// Reads `text`, which stands inside an open element called `within`.
    pub(in crate::format) fn within(text: &'a str, within: &'a str, rules: Rules) -> Self {
        let mut open = Vec::with_capacity(16);
        open.push(within);
        Self { text, at: 0, open, attributes: Vec::new(), empty: false, rules }
    }

    /// Offset of the first byte that is not read yet, white space passed over.
    pub(in crate::format) fn position(&mut self) -> usize {
        self.at = past_space(self.text.as_bytes(), self.at);
        self.at
    }

    /// Goes on at `at`, directly inside the element that the text stands in.
    pub(in crate::format) fn resume(&mut self, at: usize) {
        self.at = at;
        self.open.truncate(1);
        self.empty = false;
    }

    /// Reads `</NAME>` of the innermost open element; the scanner stands at its `<`.
    #[inline]
    fn end(&mut self, at: usize) -> Pulled<()> {
        let name = self.open.pop().ok_or_else(unusual)?;
        let behind = at + 2 + name.len();
        let bytes = self.text.as_bytes();
        match bytes.get(at + 2..behind) {
            Some(found) if same_name(found, name.as_bytes()) && bytes.get(behind) == Some(&b'>') => {}
            _ => return Err(Stop::Unusual),
        }
        self.at = behind + 1;
        Ok(())
    }

    /// Reads a start tag; `at` is its `<`.
    #[inline]
    fn start(&mut self, at: usize) -> Pulled<Tag<'a>> {
        let bytes = self.text.as_bytes();
        let start = at + 1;
        let (end, colon) = self.name(start)?;
        let name = self.text.get(start..end).ok_or_else(unusual)?;
        let tag = match colon {
            None => Tag { prefix: "", local: name },
            Some(colon) => Tag {
                prefix: self.text.get(start..colon).ok_or_else(unusual)?,
                local: self.text.get(colon + 1..end).ok_or_else(unusual)?,
            },
        };
        if self.open.len() as u64 >= self.rules.limits.xml_depth
            || (same_name(tag.local.as_bytes(), self.rules.record.as_bytes()) && !self.may_be_record(tag))
        {
            return Err(Stop::Unusual);
        }
        self.attributes.clear();
        if bytes.get(end) == Some(&b'>') {
            self.at = end + 1;
        } else {
            self.rest_of_tag(end, tag.local)?;
        }
        self.open.push(name);
        Ok(tag)
    }

    /// Reads a qualified name; answers the offset behind it, and that of its colon.
    #[inline]
    fn name(&self, start: usize) -> Pulled<(usize, Option<usize>)> {
        let bytes = self.text.as_bytes();
        let starts = |at: usize| bytes.get(at).is_some_and(|&byte| KIND[byte as usize] == NAME_START);
        let mut end = start;
        let mut colon = None;
        while let Some(&byte) = bytes.get(end) {
            match KIND[byte as usize] {
                NAME_START | NAME => {}
                COLON if colon.is_none() => colon = Some(end),
                _ => break,
            }
            end += 1;
        }
        if starts(start) && colon.is_none_or(|colon| starts(colon + 1)) { Ok((end, colon)) } else { Err(Stop::Unusual) }
    }

    /// Reads attributes and the end of a tag from behind its name.
    fn rest_of_tag(&mut self, mut at: usize, local: &str) -> Pulled<()> {
        let bytes = self.text.as_bytes();
        loop {
            let behind = past_space(bytes, at);
            match *bytes.get(behind).ok_or_else(unusual)? {
                b'>' => {
                    self.at = behind + 1;
                    return Ok(());
                }
                b'/' if bytes.get(behind + 1) == Some(&b'>') => {
                    self.at = behind + 2;
                    self.empty = true;
                    return Ok(());
                }
                // Attributes must be set apart.
                _ if behind > at => at = self.attribute_at(behind, local)?,
                _ => return Err(Stop::Unusual),
            }
        }
    }

    /// Reads `NAME="VALUE"`; answers the offset behind it.
    fn attribute_at(&mut self, start: usize, local: &str) -> Pulled<usize> {
        let bytes = self.text.as_bytes();
        let (end, _) = self.name(start)?;
        let name = self.text.get(start..end).ok_or_else(unusual)?;
        let equals = past_space(bytes, end);
        if bytes.get(equals) != Some(&b'=') {
            return Err(Stop::Unusual);
        }
        let quote = past_space(bytes, equals + 1);
        let Some(&mark @ (b'"' | b'\'')) = bytes.get(quote) else { return Err(Stop::Unusual) };
        let mut close = quote + 1;
        loop {
            match *bytes.get(close).ok_or_else(unusual)? {
                byte if byte == mark => break,
                // References, and white space that XML turns into spaces.
                b'<' | b'&' | b'\t' | b'\n' | b'\r' => return Err(Stop::Unusual),
                _ => close += 1,
            }
        }
        let value = self.text.get(quote + 1..close).ok_or_else(unusual)?;
        let repeated = self.attributes.iter().any(|(known, _)| *known == name);
        if repeated || self.attributes.len() == MOST_ATTRIBUTES || value.len() as u64 > self.rules.limits.field_bytes {
            return Err(Stop::Unusual);
        }
        // What this refuses, the parser has a message for.
        if self.rules.redeclares(self.outermost_prefix(), local, name, value) {
            return Err(Stop::Unusual);
        }
        self.attributes.push((name, value));
        Ok(close + 1)
    }

    /// Whether a record may stand here under this name.
    fn may_be_record(&self, tag: Tag<'_>) -> bool {
        self.open.len() == 1 && tag.prefix == self.outermost_prefix()
    }

    fn outermost_prefix(&self) -> &'a str {
        self.open.first().map_or("", |name| Tag::new(name).prefix)
    }

    /// Closes an element whose start tag was its end as well.
    #[inline]
    fn close_empty(&mut self) -> bool {
        if self.empty {
            self.empty = false;
            self.open.pop();
            return true;
        }
        false
    }
}

impl<'a> Source<'a> for Scanner<'a> {
    #[inline]
    fn child(&mut self) -> Pulled<Option<Tag<'a>>> {
        if self.close_empty() {
            return Ok(None);
        }
        let bytes = self.text.as_bytes();
        let at = past_space(bytes, self.at);
        match bytes.get(at..at + 2) {
            Some(b"</") => self.end(at).map(|()| None),
            Some(&[b'<', _]) => self.start(at).map(Some),
            _ => Err(Stop::Unusual),
        }
    }

    fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        self.attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| Cow::Borrowed(*value))
    }

    #[inline]
    fn text(&mut self) -> Pulled<Cow<'a, str>> {
        if self.close_empty() {
            return Ok(Cow::Borrowed(""));
        }
        let bytes = self.text.as_bytes();
        let start = past_space(bytes, self.at);
        let mut end = start;
        while bytes.get(end).is_some_and(|&byte| KIND[byte as usize] != TEXT_END) {
            end += 1;
        }
        if bytes.get(end..end + 2) != Some(b"</") {
            // A reference, a child, the end; or a carriage return, harmless as white space at the end.
            let behind = past_space(bytes, end);
            if bytes.get(behind..behind + 2) != Some(b"</") {
                return Err(Stop::Unusual);
            }
            let text = self.text.get(start..end).ok_or_else(unusual)?;
            self.check_length(behind - self.at)?;
            self.end(behind)?;
            return Ok(Cow::Borrowed(trimmed(text)));
        }
        let text = self.text.get(start..end).ok_or_else(unusual)?;
        self.check_length(end - self.at)?;
        self.end(end)?;
        Ok(Cow::Borrowed(trimmed(text)))
    }

    fn skip(&mut self) -> Pulled<()> {
        if self.close_empty() {
            return Ok(());
        }
        let outside = self.open.len();
        while self.open.len() >= outside {
            let bytes = self.text.as_bytes();
            // A bracket may be the first of a `]]>`, which text cannot hold.
            let at = match memchr::memchr3(b'<', b'&', b']', &bytes[self.at..]) {
                Some(offset) if bytes[self.at + offset] == b'<' => self.at + offset,
                _ => return Err(Stop::Unusual),
            };
            if bytes.get(at + 1) == Some(&b'/') {
                self.end(at)?;
            } else {
                self.start(at)?;
                self.close_empty();
            }
        }
        Ok(())
    }
}

impl Scanner<'_> {
    /// Leaves text that may be beyond the limit to the parser, which counts exactly.
    fn check_length(&self, length: usize) -> Pulled<()> {
        if length as u64 > self.rules.limits.field_bytes { Err(Stop::Unusual) } else { Ok(()) }
    }
}

/// Made only when it is needed: a `Stop` that is made and dropped for every tag costs more than the tag.
const fn unusual() -> Stop {
    Stop::Unusual
}

/// The first offset from `at` on where no white space stands.
#[inline]
fn past_space(bytes: &[u8], mut at: usize) -> usize {
    const SPACES: u64 = u64::from_le_bytes(*b"        ");
    // Indented files are half spaces, so eight are looked at together.
    while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let others = u64::from_le_bytes(*eight) ^ SPACES;
        at += others.trailing_zeros() as usize / 8;
        if others != 0 {
            match bytes.get(at) {
                Some(&byte) if is_space(byte) => at += 1,
                _ => return at,
            }
        }
    }
    while bytes.get(at).is_some_and(|&byte| is_space(byte)) {
        at += 1;
    }
    at
}

const OTHER: u8 = 0;
const NAME_START: u8 = 1;
const NAME: u8 = 2;
const COLON: u8 = 3;
/// What plain text cannot go past: markup, references, line ends that XML rewrites, and what may be `]]>`.
const TEXT_END: u8 = 4;

/// What each byte is to the scanner.
static KIND: [u8; 256] = {
    let mut kinds = [OTHER; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => NAME_START,
            b'0'..=b'9' | b'-' | b'.' => NAME,
            b':' => COLON,
            b'<' | b'&' | b'\r' | b']' => TEXT_END,
            _ => OTHER,
        };
        byte += 1;
    }
    kinds
};
