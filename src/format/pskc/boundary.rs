//! Where packages end, at memory speed.
//!
//! Bytes without `<!` and `<?` have a tag wherever they have `</`, for an attribute cannot hold `<`; so the ends of
//! packages are searched for as bytes. Other bytes are gone through tag by tag, with comments, CDATA sections and
//! processing instructions passed over as XML does. Whatever this takes for an end and XML does not, leaves a chunk
//! that the reader finds broken: two wrong answers do not make a seed.
//!
//! What follows the last package goes through the parser: [`trailer`].

use memchr::memmem;

use super::RECORD;
use crate::error::{ErrorKind, Result};
use crate::format::cut::{Boundary, Cut};
use crate::format::xml::{Parser, Pulled, Rules, Source, is_space};
use crate::record::Code;

/// The ends of packages in a container.
pub(super) struct Packages {
    /// Qualified name of the container.
    container: String,
    rules: Rules,
    finder: memmem::Finder<'static>,
    /// The head said already that the container is signed.
    signed: bool,
    findings: Vec<(Code, String)>,
}

impl Packages {
    pub(super) fn new(container: String, rules: Rules, signed: bool) -> Self {
        Self { container, rules, finder: memmem::Finder::new(RECORD), signed, findings: Vec::new() }
    }
}

/// What is said of a signed container.
pub(super) fn signature_finding() -> (Code, String) {
    let message = "the container is signed, and the signature is not checked (RFC 6030 §7)";
    (Code::SignatureUnchecked, message.to_owned())
}

impl Boundary for Packages {
    fn cut(&mut self, bytes: &[u8], last: bool) -> Result<Option<Cut>> {
        let usual = memmem::find(bytes, b"<!").is_none() && memmem::find(bytes, b"<?").is_none();
        let Cut { end, records, .. } = if usual { search(bytes, &self.finder) } else { step(bytes, &self.rules)? };
        if !last {
            return Ok((end > 0).then_some(Cut { end, lines: 0, records }));
        }
        let rest = std::str::from_utf8(&bytes[end..]).map_err(|error| {
            let detail = format!("no UTF-8 behind the last package, at byte {}", error.valid_up_to());
            ErrorKind::TextUnreadable { detail }
        })?;
        let signed = trailer(rest, &self.container, self.rules).map_err(|stop| self.rules.error(stop))?;
        if signed && !self.signed {
            self.signed = true;
            self.findings.push(signature_finding());
        }
        Ok(Some(Cut { end: bytes.len(), lines: 0, records }))
    }

    fn findings(&mut self) -> Vec<(Code, String)> {
        std::mem::take(&mut self.findings)
    }
}

/// Reads what follows the last package, up to the end of the member; says whether there is a signature.
///
/// # Errors
///
/// A package behind something else, anything behind the container, a container that does not end.
pub(super) fn trailer(text: &str, container: &str, rules: Rules) -> Pulled<bool> {
    let mut parser = Parser::within(text, container, rules);
    let mut signed = false;
    while let Some(tag) = parser.child()? {
        if tag.local == RECORD {
            // One that does not end is what a cut file has here.
            parser.skip()?;
            return Err(rules.damaged("the end of the container", "another `KeyPackage`").into());
        }
        signed |= tag.local == "Signature";
        parser.skip()?;
    }
    parser.finish()?;
    Ok(signed)
}

/// Finds every package's end by its bytes; there are no comments, CDATA sections or instructions.
fn search(bytes: &[u8], finder: &memmem::Finder<'_>) -> Cut {
    let mut found = Cut { end: 0, lines: 0, records: 0 };
    let mut at = 0;
    while let Some(offset) = finder.find(&bytes[at..]) {
        let name = at + offset;
        let behind = name + RECORD.len();
        at = behind;
        if let Some(end) = package_end(bytes, name, behind) {
            found.end = end;
            found.records += 1;
        }
    }
    found
}

/// The end of the tag with the local name at `name..behind`, where that ends a package.
fn package_end(bytes: &[u8], name: usize, behind: usize) -> Option<usize> {
    let mut start = name;
    if start > 0 && bytes[start - 1] == b':' {
        start -= 1;
        while start > 0 && is_name_byte(bytes[start - 1]) {
            start -= 1;
        }
    }
    match *bytes.get(start.checked_sub(1)?)? {
        b'/' if start >= 2 && bytes[start - 2] == b'<' => {
            let space = bytes[behind..].iter().take_while(|&&byte| is_space(byte)).count();
            (bytes.get(behind + space) == Some(&b'>')).then_some(behind + space + 1)
        }
        b'<' => empty_end(bytes, behind),
        _ => None,
    }
}

/// The end of an empty-element tag whose name ends at `behind`. `None` for every other tag.
fn empty_end(bytes: &[u8], behind: usize) -> Option<usize> {
    match *bytes.get(behind)? {
        b'>' => None,
        byte if byte == b'/' || is_space(byte) => {
            let end = tag_end(bytes, behind)?;
            (bytes[end - 2] == b'/').then_some(end)
        }
        _ => None,
    }
}

/// The offset behind the `>` of a tag; `>` in quotes is none.
fn tag_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut quote = None;
    loop {
        let byte = *bytes.get(at)?;
        at += 1;
        match quote {
            Some(mark) if byte == mark => quote = None,
            Some(_) => {}
            None if byte == b'>' => return Some(at),
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            None => {}
        }
    }
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') || !byte.is_ascii()
}

/// Finds every package's end tag by tag.
fn step(bytes: &[u8], rules: &Rules) -> Result<Cut> {
    let mut found = Cut { end: 0, lines: 0, records: 0 };
    let mut at = 0;
    while let Some(offset) = memchr::memchr(b'<', &bytes[at..]) {
        let start = at + offset;
        let rest = &bytes[start..];
        let end = if rest.starts_with(b"<!--") {
            memmem::find(&rest[4..], b"-->").map(|end| start + 4 + end + 3)
        } else if rest.starts_with(b"<![CDATA[") {
            memmem::find(&rest[9..], b"]]>").map(|end| start + 9 + end + 3)
        } else if rest.get(..9).is_some_and(|nine| nine.eq_ignore_ascii_case(b"<!DOCTYPE")) {
            return Err(ErrorKind::DoctypeRefused.into());
        } else if rest.starts_with(b"<!") {
            if rest.len() >= 9 {
                return Err(rules.damaged("well-formed XML", "a `<!` that begins nothing known"));
            }
            // The bytes end in the middle of one of the above.
            break;
        } else if rest.starts_with(b"<?") {
            memmem::find(&rest[2..], b"?>").map(|end| start + 2 + end + 2)
        } else {
            tag_end(bytes, start + 1)
        };
        let Some(end) = end else { break };
        let name_start = start + if rest.starts_with(b"</") { 2 } else { 1 };
        let name_end =
            name_start + bytes[name_start..end].iter().take_while(|&&byte| is_name_byte(byte) || byte == b':').count();
        let local = bytes[name_start..name_end].rsplit(|&byte| byte == b':').next().unwrap_or_default();
        if local == RECORD.as_bytes()
            && let Some(end) = package_end(bytes, name_end - RECORD.len(), name_end)
        {
            found.end = end;
            found.records += 1;
        }
        at = end;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn check(text: &str, end: usize, records: u64) {
        let rules = super::super::rules(Limits::default());
        let expected = Cut { end, lines: 0, records };
        assert_eq!(step(text.as_bytes(), &rules).expect("it is well formed"), expected, "tag by tag: {text}");
        if !text.contains("<!") && !text.contains("<?") {
            assert_eq!(search(text.as_bytes(), &memmem::Finder::new(RECORD)), expected, "by bytes: {text}");
        }
    }

    #[test]
    fn finds_the_last_end_of_a_package() {
        check("", 0, 0);
        check("<KeyPackage>", 0, 0);
        check("<KeyPackage></KeyPackage", 0, 0);
        check("<KeyPackage></KeyPackage><KeyPackage>", 25, 1);
        check("<p:KeyPackage></p:KeyPackage\n>  <p:KeyPackage><a", 30, 1);
        check("<KeyPackage a='>/>' /><KeyPackage Id=\"/\">", 22, 1);
        check("<KeyPackages></KeyPackages><aKeyPackage></aKeyPackage></a.KeyPackage>", 0, 0);
        check("<x KeyPackage=''/>KeyPackage></KeyPackage>", 42, 1);
    }

    #[test]
    fn passes_over_what_xml_passes_over() {
        check("<!-- </KeyPackage> --><![CDATA[</KeyPackage>]]><?p </KeyPackage>?>", 0, 0);
        check("<!--></KeyPackage>--><KeyPackage/>", 34, 1);
        check("<KeyPackage><?p '?></KeyPackage><!-- ", 32, 1);
        check("<KeyPackage></KeyPackage><!", 25, 1);
    }

    #[test]
    fn says_once_that_the_container_is_signed() {
        let rules = super::super::rules(Limits::default());
        let text = b"<KeyPackage/><ds:Signature/></KeyContainer>";
        for (signed, expected) in [(false, 1), (true, 0)] {
            let mut packages = Packages::new("KeyContainer".to_owned(), rules, signed);
            packages.cut(text, true).expect("it is whole");
            assert_eq!(packages.findings().len(), expected);
            assert!(packages.findings().is_empty());
        }
    }
}
