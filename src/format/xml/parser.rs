//! Any XML, through `quick-xml`, with the checks that it leaves to its callers.
//!
//! Those are: names are names, attribute values hold no `<`, a declaration stands at the start only, elements hold
//! either children or text where one of them is meant, `]]>` stands in no text, prefixes keep their meaning, and the
//! limits on depth and length.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::errors::IllFormedError;
use quick_xml::events::attributes::{AttrError, Attributes};
use quick_xml::events::{BytesRef, Event};
use zeroize::Zeroize;

use super::{Pulled, Rules, Source, Stop, Tag, is_space, trimmed};
use crate::error::ErrorKind;
use crate::record::escaped;

/// A source for any well-formed text.
pub(in crate::format) struct Parser<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    /// The qualified names of the open elements, the innermost last.
    open: Vec<&'a str>,
    /// Elements that were open before the text began.
    outside: usize,
    attributes: Vec<(&'a str, Cow<'a, str>)>,
    empty: bool,
    /// Offset of the tag read last.
    tag_start: usize,
    rules: Rules,
}

/// One thing inside an element.
enum Piece<'a> {
    Start(Tag<'a>),
    End,
    Text(Cow<'a, str>),
    /// Comments and processing instructions.
    Aside,
    Declaration,
    Eof,
}

impl<'a> Parser<'a> {
    /// Reads a whole document, from its first byte.
    pub(in crate::format) fn new(text: &'a str, rules: Rules) -> Self {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.check_comments = true;
        // The names are checked here, as those that were opened before the text are not known to `quick-xml`.
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        Self { text, reader, open: Vec::new(), outside: 0, attributes: Vec::new(), empty: false, tag_start: 0, rules }
    }

    /// Reads `text`, which stands inside an open element called `within`.
    pub(in crate::format) fn within(text: &'a str, within: &'a str, rules: Rules) -> Self {
        let mut parser = Self::new(text, rules);
        parser.open.push(within);
        parser.outside = 1;
        parser
    }

    /// Offset of the first byte that is not read yet.
    pub(in crate::format) fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(self.text.len())
    }

    /// Offset of the `<` of the tag read last.
    pub(in crate::format) const fn tag_start(&self) -> usize {
        self.tag_start
    }

    /// Reads what stands before the outermost element, and opens that.
    pub(in crate::format) fn root(&mut self) -> Pulled<Tag<'a>> {
        let mut first = true;
        loop {
            match self.piece()? {
                Piece::Start(tag) => return Ok(tag),
                Piece::Declaration if first => first = false,
                Piece::Text(text) if trimmed(&text).is_empty() => {}
                Piece::Aside => first = false,
                Piece::Eof => return Err(Stop::CutShort("KeyContainer".to_owned())),
                Piece::Declaration | Piece::End | Piece::Text(_) => {
                    return Err(self.rules.damaged("an element", "something else before it").into());
                }
            }
        }
    }

    /// Makes sure that nothing but white space, comments and processing instructions stands behind the last element.
    pub(in crate::format) fn finish(&mut self) -> Pulled<()> {
        loop {
            let found = match self.piece()? {
                Piece::Eof => return Ok(()),
                Piece::Aside => continue,
                Piece::Text(text) if trimmed(&text).is_empty() => continue,
                Piece::Start(tag) if tag.local == "KeyContainer" => "a second `KeyContainer`",
                Piece::Start(_) => "another element",
                Piece::Text(_) => "text",
                Piece::Declaration => "another XML declaration",
                Piece::End => "another end tag",
            };
            return Err(self.rules.damaged("the end of the file", found).into());
        }
    }

    /// The next piece, of whatever kind.
    fn piece(&mut self) -> Pulled<Piece<'a>> {
        let start = self.position();
        let event = match self.reader.read_event() {
            Ok(event) => event,
            Err(error) => return Err(self.refused(error)),
        };
        Ok(match event {
            Event::Start(tag) => {
                let length = tag.name().as_ref().len();
                Piece::Start(self.open_element(start, length, false)?)
            }
            Event::Empty(tag) => {
                let length = tag.name().as_ref().len();
                Piece::Start(self.open_element(start, length, true)?)
            }
            Event::End(tag) => {
                self.close(start, tag.name().as_ref())?;
                Piece::End
            }
            Event::Text(text) => {
                let content = text.xml10_content();
                if self.text.get(start..self.position()).is_some_and(|text| text.contains("]]>")) {
                    return Err(self.rules.damaged("well-formed XML", "`]]>` in text").into());
                }
                Piece::Text(content)
            }
            Event::CData(text) => Piece::Text(text.xml10_content()),
            Event::GeneralRef(reference) => Piece::Text(self.resolve(&reference)?),
            Event::Comment(_) | Event::PI(_) => Piece::Aside,
            Event::Decl(_) => {
                let inside = self.text.get(start + 2..self.position() - 2).unwrap_or_default();
                if !is_declaration(inside) {
                    return Err(self.rules.damaged("an XML declaration of version 1", "another one").into());
                }
                Piece::Declaration
            }
            Event::DocType(_) => return Err(ErrorKind::DoctypeRefused.into()),
            Event::Eof => Piece::Eof,
        })
    }

    fn refused(&self, error: quick_xml::Error) -> Stop {
        let at_end = self.position() >= self.text.len();
        match error {
            quick_xml::Error::Syntax(syntax) if syntax != quick_xml::errors::SyntaxError::InvalidBangMarkup => {
                // Every other one says that the text ends inside something. A DOCTYPE is refused all the same.
                let tail = self.text.as_bytes().get(self.tag_start..).unwrap_or_default();
                if syntax == quick_xml::errors::SyntaxError::UnclosedDoctype && has_doctype(tail) {
                    return ErrorKind::DoctypeRefused.into();
                }
                self.cut_short()
            }
            quick_xml::Error::IllFormed(IllFormedError::UnclosedReference) if at_end => self.cut_short(),
            error => self.rules.damaged("well-formed XML", reason(&error)).into(),
        }
    }

    fn cut_short(&self) -> Stop {
        Stop::CutShort(self.open.first().copied().unwrap_or("KeyContainer").to_owned())
    }

    /// Notes a start tag whose `<` is at `start`.
    fn open_element(&mut self, start: usize, length: usize, empty: bool) -> Pulled<Tag<'a>> {
        let end = self.position();
        let inside = self.text.get(start + 1..end - if empty { 2 } else { 1 }).unwrap_or_default();
        let name = inside.get(..length).unwrap_or_default();
        self.tag_start = start;
        if !is_name(name) {
            return Err(self.rules.damaged("the name of an element behind `<`", "something else").into());
        }
        let tag = Tag::new(name);
        if self.open.len() as u64 >= self.rules.limits.xml_depth {
            return Err(self.rules.too_deep().into());
        }
        if self.open.len() > 1 && tag.local == self.rules.record {
            let expected = format!("the end of `{}`", escaped(self.open.last().copied().unwrap_or_default()));
            return Err(self.rules.damaged(expected, format!("`{}` inside it", escaped(name))).into());
        }
        if let [outermost] = self.open[..]
            && tag.local == self.rules.record
            && tag.prefix != Tag::new(outermost).prefix
        {
            let expected = format!("`{}` with the prefix of `{}`", tag.local, escaped(outermost));
            return Err(self.rules.damaged(expected, format!("`{}`", escaped(name))).into());
        }
        self.attributes.clear();
        for attribute in Attributes::new(inside, length) {
            let attribute = attribute.map_err(|error| {
                let found = reason(&quick_xml::Error::InvalidAttr(error));
                self.rules.damaged(format!("well-formed attributes of `{}`", escaped(name)), found)
            })?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| self.refused(error))?;
            let key: &'a str = attribute.key.0;
            if !is_name(key) || attribute.value.contains('<') {
                let expected = format!("well-formed attributes of `{}`", escaped(name));
                return Err(self.rules.damaged(expected, "a bad name or a `<`").into());
            }
            if value.len() as u64 > self.rules.limits.field_bytes {
                return Err(self.rules.too_long(value.len()).into());
            }
            let outermost = self.open.first().map_or(tag, |name| Tag::new(name));
            // What the outermost element says of its own prefix is the caller's to judge.
            let is_own = self.open.is_empty()
                && key.strip_prefix("xmlns").is_some_and(|rest| rest.strip_prefix(':').unwrap_or(rest) == tag.prefix);
            if !is_own && self.rules.redeclares(outermost.prefix, tag.local, key, &value) {
                return Err(self.rules.redeclared().into());
            }
            self.attributes.push((key, value));
        }
        self.open.push(name);
        self.empty = empty;
        Ok(tag)
    }

    /// Notes an end tag.
    fn close(&mut self, start: usize, found: &str) -> Pulled<()> {
        self.tag_start = start;
        match self.open.pop() {
            Some(expected) if expected == found => Ok(()),
            Some(expected) => {
                let expected = format!("`</{}>`", escaped(expected));
                Err(self.rules.damaged(expected, "the end of another element").into())
            }
            None => Err(self.rules.damaged("the end of the file", "another end tag").into()),
        }
    }

    /// The character that a reference stands for: the five entities of XML, and numbers.
    fn resolve(&self, reference: &BytesRef<'_>) -> Pulled<Cow<'a, str>> {
        let name: &str = reference;
        if let Some(text) = quick_xml::escape::resolve_predefined_entity(name) {
            return Ok(Cow::Borrowed(text));
        }
        // What stands in a reference may be part of a seed in a damaged file, so no message shows it.
        match reference.resolve_char_ref() {
            Ok(Some(character)) => Ok(Cow::Owned(character.to_string())),
            Ok(None) => Err(self.rules.damaged("one of the five entities of XML", "a reference to another").into()),
            Err(_) => Err(self.rules.damaged("the number of a character", "another reference").into()),
        }
    }

    fn close_empty(&mut self) -> bool {
        if self.empty {
            self.empty = false;
            self.open.pop();
            return true;
        }
        false
    }

    fn innermost(&self) -> String {
        escaped(self.open.last().copied().unwrap_or_default())
    }
}

impl<'a> Source<'a> for Parser<'a> {
    fn child(&mut self) -> Pulled<Option<Tag<'a>>> {
        if self.close_empty() {
            return Ok(None);
        }
        loop {
            match self.piece()? {
                Piece::Start(tag) => return Ok(Some(tag)),
                Piece::End => return Ok(None),
                Piece::Aside => {}
                Piece::Text(text) if text.bytes().all(is_space) => {}
                Piece::Text(_) => {
                    let expected = format!("only elements in `{}`", self.innermost());
                    return Err(self.rules.damaged(expected, "text between them").into());
                }
                Piece::Declaration => {
                    return Err(self.rules.damaged("an element", "an XML declaration in the middle").into());
                }
                Piece::Eof => return Err(self.cut_short()),
            }
        }
    }

    fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        self.attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }

    fn text(&mut self) -> Pulled<Cow<'a, str>> {
        if self.close_empty() {
            return Ok(Cow::Borrowed(""));
        }
        let mut text = Cow::Borrowed("");
        loop {
            match self.piece()? {
                Piece::End => return Ok(trim(text)),
                Piece::Aside => {}
                Piece::Text(more) => {
                    let length = text.len() + more.len();
                    if length as u64 > self.rules.limits.field_bytes {
                        return Err(self.rules.too_long(length).into());
                    }
                    text = joined(text, more);
                }
                Piece::Start(_) => {
                    let parent = self.open.len().checked_sub(2).and_then(|parent| self.open.get(parent).copied());
                    let expected = format!("only text in `{}`", escaped(parent.unwrap_or_default()));
                    return Err(self.rules.damaged(expected, "an element inside it").into());
                }
                Piece::Declaration => {
                    return Err(self.rules.damaged("text", "an XML declaration in the middle").into());
                }
                Piece::Eof => return Err(self.cut_short()),
            }
        }
    }

    fn skip(&mut self) -> Pulled<()> {
        if self.close_empty() {
            return Ok(());
        }
        let outside = self.open.len();
        while self.open.len() >= outside {
            match self.piece()? {
                Piece::Start(_) => {
                    self.close_empty();
                }
                Piece::End | Piece::Text(_) | Piece::Aside => {}
                Piece::Declaration => {
                    return Err(self.rules.damaged("an element", "an XML declaration in the middle").into());
                }
                Piece::Eof => return Err(self.cut_short()),
            }
        }
        Ok(())
    }
}

/// Joins two pieces of a text, which may be a seed: the copy given up is wiped.
fn joined<'a>(text: Cow<'a, str>, more: Cow<'a, str>) -> Cow<'a, str> {
    if text.is_empty() {
        return more;
    }
    let mut both = String::with_capacity(text.len() + more.len());
    both.push_str(&text);
    both.push_str(&more);
    wipe(text);
    wipe(more);
    Cow::Owned(both)
}

fn trim(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(trimmed(text)),
        Cow::Owned(text) => {
            let kept = trimmed(&text).to_owned();
            wipe(Cow::Owned(text));
            Cow::Owned(kept)
        }
    }
}

fn wipe(text: Cow<'_, str>) {
    if let Cow::Owned(mut text) = text {
        text.zeroize();
    }
}

/// Whether a qualified name could be one. The scanner knows ASCII names only; others are left as they are.
fn is_name(name: &str) -> bool {
    let starts =
        |part: &str| part.bytes().next().is_some_and(|byte| !(byte.is_ascii_digit() || matches!(byte, b'-' | b'.')));
    let holds =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':') || !byte.is_ascii();
    starts(name) && name.bytes().all(holds) && name.split(':').all(|part| !part.is_empty()) && {
        let tag = Tag::new(name);
        starts(tag.local)
    }
}

/// Whether what stands between `<?` and `?>` is a declaration: the version, then perhaps the encoding and `standalone`.
fn is_declaration(inside: &str) -> bool {
    const PARTS: [&str; 3] = ["version", "encoding", "standalone"];
    let mut next = 0;
    for attribute in Attributes::new(inside, "xml".len()) {
        let Ok(attribute) = attribute else { return false };
        let Some(part) = PARTS.iter().position(|part| *part == attribute.key.0) else { return false };
        let first = part == 0;
        if part < next || (next == 0 && !first) || (first && !attribute.value.starts_with("1.")) {
            return false;
        }
        next = part + 1;
    }
    next > 0
}

fn has_doctype(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"<!").is_some()
}

/// What `quick-xml` finds, without the text around it, which may be a seed.
const fn reason(error: &quick_xml::Error) -> &'static str {
    match error {
        quick_xml::Error::Escape(_) => "a reference to an unknown entity",
        quick_xml::Error::InvalidAttr(AttrError::Duplicated(..)) => "the same one twice",
        quick_xml::Error::InvalidAttr(_) => "one without its value or its quotes",
        quick_xml::Error::IllFormed(IllFormedError::DoubleHyphenInComment) => "`--` inside a comment",
        quick_xml::Error::IllFormed(IllFormedError::UnclosedReference) => "a `&` that begins no reference",
        quick_xml::Error::Syntax(_) => "a `<!` that begins nothing known",
        _ => "something else",
    }
}
