//! XML text in, elements pulled one at a time out.
//!
//! Two sources give the same elements. [`Scanner`] reads the usual shape at close to memory speed: tags,
//! attributes and plain text, nothing else. Whatever it does not know it does not judge: it stops with
//! [`Stop::Unusual`], and the caller goes over the same bytes again with [`Parser`], which is `quick-xml` with
//! the checks that it leaves to its callers. Both answer alike wherever the scanner answers at all; proptests in
//! `format/pskc` hold them to that.
//!
//! # Source
//!
//! [XML 1.0]. Names are compared as they are spelled: namespaces are not resolved here. So that a prefix means one
//! thing from the first byte to the last, a declaration that would change that is refused ([`Rules::redeclares`]).
//!
//! # Not here
//!
//! A DOCTYPE is refused, so there are no entities but the five of XML itself.
//!
//! # Memory
//!
//! Everything is borrowed from the text; only text with references or in pieces is copied.
//!
//! [XML 1.0]: https://www.w3.org/TR/xml/

use std::borrow::Cow;

use crate::error::{Error, ErrorKind};
use crate::limits::{Limit, Limits};

mod parser;
mod scanner;

pub(super) use parser::Parser;
pub(super) use scanner::Scanner;

/// The start tag of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// What stands before the colon; empty where there is none.
    pub(super) prefix: &'a str,
    /// What stands behind it.
    pub(super) local: &'a str,
}

impl<'a> Tag<'a> {
    /// Splits a qualified name.
    pub(super) fn new(name: &'a str) -> Self {
        name.split_once(':').map_or(Self { prefix: "", local: name }, |(prefix, local)| Self { prefix, local })
    }
}

/// Why a source has no answer.
#[derive(Debug)]
pub(super) enum Stop {
    /// The text ends inside an element, whose qualified name this is.
    CutShort(String),
    /// The XML is broken, or beyond a limit.
    Failed(Error),
    /// The scanner leaves this text to the parser.
    Unusual,
}

impl From<ErrorKind> for Stop {
    fn from(kind: ErrorKind) -> Self {
        Self::Failed(Error::new(kind))
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What a source answers.
pub(super) type Pulled<T> = Result<T, Stop>;

/// What bounds and shapes the text of one format.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// The format's name, for messages.
    pub(super) format: &'static str,
    /// The element that is a record: no other element may hold it. A cutter that looks for its ends relies on it.
    pub(super) record: &'static str,
    /// The namespace of the format: of everything with the outermost element's prefix, and of nothing else. Empty where a
    /// format has none, and its elements are known by their names alone.
    pub(super) namespace: &'static str,
    /// Elements of other standards, which are known by their local names and may declare their own namespace.
    pub(super) guests: &'static [&'static str],
    /// The limits of the run.
    pub(super) limits: Limits,
}

impl Rules {
    /// The error of XML that is not what it should be.
    pub(super) fn damaged(&self, expected: impl Into<String>, found: impl Into<String>) -> Error {
        Error::new(ErrorKind::FormatDamaged { format: self.format, expected: expected.into(), found: found.into() })
    }

    /// Whether an attribute binds the format's namespace to another prefix than `prefix`, or that to another.
    ///
    /// `prefix` is the outermost element's, and `local` the name of the element that has the attribute.
    fn redeclares(&self, prefix: &str, local: &str, attribute: &str, value: &str) -> bool {
        if self.namespace.is_empty() {
            return false;
        }
        let Some(declared) = attribute.strip_prefix("xmlns") else { return false };
        let declared = match declared.strip_prefix(':') {
            Some(declared) => declared,
            None if declared.is_empty() => "",
            None => return false,
        };
        match (declared == prefix, value.trim() == self.namespace) {
            (true, false) => !self.guests.contains(&local),
            (own, format) => own != format,
        }
    }

    fn redeclared(&self) -> Error {
        self.damaged("one prefix for its namespace from beginning to end", "a namespace that is declared anew")
    }

    fn too_deep(&self) -> ErrorKind {
        ErrorKind::LimitReached { limit: Limit::XmlDepth, allowed: self.limits.xml_depth, found: None }
    }

    fn too_long(&self, found: usize) -> ErrorKind {
        let allowed = self.limits.field_bytes;
        ErrorKind::LimitReached { limit: Limit::FieldBytes, allowed, found: Some(found as u64) }
    }

    /// Gives a [`Stop`] its message, once nothing more can be read or tried.
    pub(super) fn error(&self, stop: Stop) -> Error {
        match stop {
            Stop::Failed(error) => error,
            Stop::CutShort(name) => {
                let name = crate::record::escaped(&name);
                self.damaged(format!("`</{name}>`"), "the end of the file: it was cut short")
            }
            Stop::Unusual => {
                let detail = "a scanner's doubt was not handed over".to_owned();
                Error::new(ErrorKind::Bug { detail })
            }
        }
    }
}

/// Gives the elements of a text, depth first.
///
/// One element is open at any time. [`Source::child`] opens its next child, or closes it when it has no more;
/// [`Source::text`] and [`Source::skip`] read what it holds and close it.
pub(super) trait Source<'a> {
    /// Opens the next child of the open element. `None` closes that element: it has no more.
    ///
    /// Between children stand white space, comments and processing instructions only.
    fn child(&mut self) -> Pulled<Option<Tag<'a>>>;

    /// The value of an attribute of the element that was opened last, by its qualified name.
    fn attribute(&self, name: &str) -> Option<Cow<'a, str>>;

    /// The text of the open element without the white space around it, and closes the element.
    fn text(&mut self) -> Pulled<Cow<'a, str>>;

    /// Passes over all that the open element holds, and closes the element.
    fn skip(&mut self) -> Pulled<()>;
}

/// White space as XML has it, which is less than Unicode's.
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether two names are the same. Names are short: a call of `memcmp` for each would cost more than all the rest.
#[inline]
pub(super) fn same_name(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    if let (Some(first), Some(last)) = (one.first_chunk::<8>(), one.last_chunk::<8>())
        && one.len() <= 16
    {
        // Two loads that overlap cover every length from 8 to 16.
        return Some(first) == other.first_chunk() && Some(last) == other.last_chunk();
    }
    if let (Some(first), Some(last)) = (one.first_chunk::<4>(), one.last_chunk::<4>())
        && one.len() < 8
    {
        return Some(first) == other.first_chunk() && Some(last) == other.last_chunk();
    }
    if one.len() < 4 { one.iter().eq(other) } else { one == other }
}

/// Removes white space at both ends, without a copy.
fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        format: "XML",
        record: "record",
        namespace: "urn:x",
        guests: &["guest"],
        limits: Limits { xml_depth: 4, field_bytes: 40, ..LIMITS },
    };

    const LIMITS: Limits = Limits {
        layers: 1,
        members: 1,
        member_bytes: 1,
        expansion: 1,
        held_bytes: 1,
        field_bytes: 1,
        pbkdf2_rounds: 1,
        xml_depth: 1,
    };

    /// Pulls one element: its attribute `a`, then the text of its children, or of itself.
    fn pulled<'a>(source: &mut impl Source<'a>) -> Pulled<String> {
        let mut shown = String::new();
        while let Some(tag) = source.child()? {
            shown.push_str(&format!("{}|{}", tag.prefix, tag.local));
            if let Some(value) = source.attribute("a") {
                shown.push_str(&format!("[{value}]"));
            }
            if tag.local == "skip" {
                source.skip()?;
            } else if tag.local == "text" {
                shown.push_str(&format!("({})", source.text()?));
            } else {
                shown.push_str(&format!("{{{}}}", pulled(source)?));
            }
        }
        Ok(shown)
    }

    /// What the parser makes of the inside of an element; whether the scanner leaves it to the parser.
    fn check(inside: &str, unusual: bool, expected: &str) {
        let text = format!("{inside}</out>");
        let parsed = pulled(&mut Parser::within(&text, "out", RULES));
        let scanned = pulled(&mut Scanner::within(&text, "out", RULES));
        let parsed = parsed.unwrap_or_else(|stop| RULES.error(stop).to_string());
        assert_eq!(parsed, expected, "{inside}");
        match scanned {
            Ok(scanned) => assert_eq!((scanned.as_str(), unusual), (expected, false), "{inside}"),
            Err(stop) => assert!(unusual && matches!(stop, Stop::Unusual), "{inside}: {stop:?}"),
        }
    }

    #[test]
    fn the_usual_is_scanned() {
        check("", false, "");
        check(" <b/>\r\n<c></c> ", false, "|b{}|c{}");
        check("<p:b a='1' b = \"2>\" ><text> x y\r\n</text></p:b>", false, "p|b[1]{|text(x y)}");
        check("<skip><b>c</b>d<e/></skip><text/>", false, "|skip|text()");
        check("<text>a'>\"]</text>", true, "|text(a'>\"])");
    }

    #[test]
    fn the_unusual_is_parsed() {
        check("<!-- <b> --><?b <c> ?><b />", true, "|b{}");
        check("<text>a&amp;&#98;<![CDATA[<c>]]><!-- d -->e</text>", true, "|text(a&b<c>e)");
        check("<text>a\r\nb</text>", true, "|text(a\nb)");
        check("<b a='&lt;\n&#10;'/>", true, "|b[< \n]{}");
        check("<é></é>", true, "|é{}");
        check("<b></b >", true, "|b{}");
    }

    #[test]
    fn the_broken_is_refused() {
        let damaged =
            |expected: &str, found: &str| format!("the XML is damaged: expected {expected}, but found {found}");
        check("<b></c>", true, &damaged("`</b>`", "the end of another element"));
        check("<b>", true, &damaged("`</b>`", "the end of another element"));
        check("<b><c>", true, &damaged("`</c>`", "the end of another element"));
        check("<text>", true, &damaged("`</text>`", "the end of another element"));
        check("x", true, &damaged("only elements in `out`", "text between them"));
        check("<text><b/></text>", true, &damaged("only text in `text`", "an element inside it"));
        check("<text>&b;</text>", true, &damaged("one of the five entities of XML", "a reference to another"));
        check("<text>&#0;</text>", true, &damaged("the number of a character", "another reference"));
        check("<text>a & b</text>", true, &damaged("well-formed XML", "a `&` that begins no reference"));
        check("<!-- -- -->", true, &damaged("well-formed XML", "`--` inside a comment"));
        check("<!X>", true, &damaged("well-formed XML", "a `<!` that begins nothing known"));
        check("<?xml version='1.0'?>", true, &damaged("an element", "an XML declaration in the middle"));
        check("< b/>", true, &damaged("the name of an element behind `<`", "something else"));
        check("<1/>", true, &damaged("the name of an element behind `<`", "something else"));
        check("<b a='1' a='2'/>", true, &damaged("well-formed attributes of `b`", "the same one twice"));
        check("<b a=1/>", true, &damaged("well-formed attributes of `b`", "one without its value or its quotes"));
        check("<b a: ='1'/>", true, &damaged("well-formed attributes of `b`", "a bad name or a `<`"));
        check("<b a='<'/>", true, &damaged("well-formed attributes of `b`", "a bad name or a `<`"));
        check("<b a='&c;'/>", true, &damaged("well-formed XML", "a reference to an unknown entity"));
        check("<b><record/></b>", true, &damaged("the end of `b`", "`record` inside it"));
        check("<!-- ", true, &damaged("`</out>`", "the end of the file: it was cut short"));
        check("<!DOCTYPE b>", true, "the XML has a DOCTYPE, which can pull in files and blow up: it is refused");
        check("<!DOCTYPE b [", true, "the XML has a DOCTYPE, which can pull in files and blow up: it is refused");
    }

    #[test]
    fn the_limits_hold() {
        check("<b><c><d/></c></b>", false, "|b{|c{|d{}}}");
        let deep = "too many XML elements inside one another: at most 4 are allowed, but there are more";
        check("<b><c><d><e/></d></c></b>", true, deep);
        check(&format!("<skip><c><d>{}</d></c></skip>", "<e></e>"), true, deep);
        let long = "too many bytes in one field: at most 40 are allowed, but found 41";
        check(&format!("<text>{}</text>", "x".repeat(41)), true, long);
        check(&format!("<b a='{}'/>", "x".repeat(41)), true, long);
        check(&format!("<skip>{}</skip>", "x".repeat(41)), false, "|skip");
    }

    #[test]
    fn names_are_compared_whole() {
        let names = ["", "a", "ab", "abc", "abcd", "abcdefg", "abcdefgh", "abcdefghijklmnop", "abcdefghijklmnopq"];
        for one in names {
            assert!(same_name(one.as_bytes(), one.as_bytes()));
            for at in 0..one.len() {
                let mut other = one.as_bytes().to_vec();
                other[at] ^= 1;
                assert!(!same_name(one.as_bytes(), &other), "{one} {at}");
            }
            for other in names {
                assert_eq!(same_name(one.as_bytes(), other.as_bytes()), one == other);
            }
        }
    }
}
