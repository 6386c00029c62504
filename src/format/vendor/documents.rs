//! What the formats of whole XML documents share: one chunk, `quick-xml`, and how elements become drafts.
//!
//! # Memory
//!
//! Holds the document, up to [`Limits::held_bytes`].

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::format::cut::{Chunk, Head};
use crate::format::graph::Whole;
use crate::format::xml::{Parser, Pulled, Rules, Source, Tag};
use crate::format::{Format, Opened, csv};
use crate::limits::Limits;
use crate::record::{Draft, Place, Trail};

use super::{Each, Kind, pass_over};

/// One format of XML documents.
pub(super) struct DocumentFormat {
    /// Which it is.
    pub(super) format: Format,
    /// What messages call it.
    pub(super) name: &'static str,
    /// Reads the document whose root was just opened.
    pub(super) read: for<'a> fn(&mut Walk<'a, '_>, Tag<'a>) -> Pulled<()>,
}

impl std::fmt::Debug for DocumentFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Reads a document.
#[derive(Debug)]
pub(super) struct Reader {
    format: &'static DocumentFormat,
    limits: Limits,
}

/// A walk over one document, element by element.
pub(super) struct Walk<'a, 'e> {
    /// The elements.
    pub(super) xml: Parser<'a>,
    /// What bounds them.
    pub(super) rules: Rules,
    next: u64,
    trail: &'e Trail,
    each: &'e mut Each<'e>,
}

impl Reader {
    /// Reads what was written here, whatever its length: the limit is for what others send.
    pub(super) fn written(format: &'static DocumentFormat) -> super::Reader {
        let limits = Limits { field_bytes: u64::MAX, ..Limits::default() };
        super::Reader(Kind::Document(Self { format, limits }))
    }

    /// Reads the one chunk.
    pub(super) fn read(&self, chunk: &Chunk, trail: &Trail, each: &mut Each<'_>) -> Result<()> {
        let text = csv::text(&chunk.bytes, chunk.offset_bytes, trail)?;
        // No element of these formats is told by the cutter, so none is kept from standing inside others.
        let rules = Rules { format: self.format.name, record: "", namespace: "", guests: &[], limits: self.limits };
        let mut forward = |draft: Draft<'_>| each(draft);
        let mut walk =
            Walk { xml: Parser::new(text, rules), rules, next: chunk.first_record, trail, each: &mut forward };
        let read = walk.xml.root().and_then(|root| (self.format.read)(&mut walk, root));
        let read = read.and_then(|()| walk.xml.finish());
        read.map_err(|stop| rules.error(stop).at(trail.whole()))
    }
}

impl<'a> Walk<'a, '_> {
    /// The place of the next record.
    pub(super) fn place(&mut self) -> Place {
        let place = Place::Item(self.next);
        self.next += 1;
        place
    }

    /// Hands a draft on.
    pub(super) fn give(&mut self, draft: Draft<'_>) -> Pulled<()> {
        let origin = draft.place.map_or_else(|| self.trail.whole(), |place| self.trail.at(place));
        (self.each)(draft).map_err(|error: Error| error.at(origin).into())
    }

    /// Passes over an element that is not read, unless its name may say how codes are computed.
    pub(super) fn pass(&mut self, name: &str) -> Pulled<()> {
        pass_over(self.rules.format, name)?;
        self.xml.skip()
    }

    /// The text of the open element as a value of a record: once, and not where it is blank.
    pub(super) fn once(&mut self, place: &mut Option<Cow<'a, str>>, name: &str) -> Pulled<()> {
        let text = self.xml.text()?;
        if place.is_some() {
            return Err(self.rules.damaged(format!("`{name}` once"), "it twice in one element").into());
        }
        *place = Some(text).filter(|text| !csv::is_blank(text));
        Ok(())
    }
}

/// Gets ready to read a document.
pub(super) fn open<'s>(head: Head<'s>, format: &'static DocumentFormat) -> Opened<'s> {
    let limits = *head.limits();
    let reader = super::super::Reader::Vendor(super::Reader(Kind::Document(Reader { format, limits })));
    Opened { format: format.format, reader, cutter: head.cut(0, 1, Box::new(Whole)), findings: Vec::new() }
}

/// The name of the first element of a text, where it is XML; a DOCTYPE names it too, and is refused later.
pub(super) fn root(text: &str) -> Option<&str> {
    let mut rest = text.trim_start();
    if !rest.starts_with('<') {
        return None;
    }
    let name = |text: &'_ str| text.find(|c: char| c.is_whitespace() || matches!(c, '>' | '/' | '['));
    while let Some(more) = rest.strip_prefix('<') {
        if let Some(document) = more.strip_prefix("!DOCTYPE") {
            let document = document.trim_start();
            return Some(&document[..name(document)?]);
        }
        let end = match more.as_bytes().first()? {
            b'?' => "?>",
            b'!' if more.starts_with("!--") => "-->",
            _ => {
                let length = name(more)?;
                return Some(&more[..length]);
            }
        };
        rest = more[more.find(end)? + end.len()..].trim_start();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first_element() {
        for (text, expected) in [
            ("<data>", Some("data")),
            ("\n<?xml version=\"1.0\"?>\n<!-- <x> --><Tokens a=\"1\">", Some("Tokens")),
            ("<a/>", Some("a")),
            ("<!DOCTYPE data [<!ENTITY a \"b\">]><data>", Some("data")),
            ("<a", None),
            ("<?xml", None),
            ("data", None),
            ("", None),
        ] {
            assert_eq!(root(text), expected, "{text}");
        }
    }
}
