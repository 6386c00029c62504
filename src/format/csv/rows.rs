//! Text in, rows out: quotes, line ends, comments and blank lines of RFC 4180 and its dialects.
//!
//! Fields are borrowed from the chunk; only one with a doubled quote inside is copied. A chunk without
//! any quote takes a path that looks for line ends and delimiters and nothing else.
//!
//! # Leniency
//!
//! White space around a field is dropped, also around its quotes (Token2 writes a space after the comma).
//! Lines that begin with `#`, blank lines, and rows whose fields are all blank are skipped; but not a line with `#` that
//! has a seed where the others have theirs, as its serial may begin so.
//!
//! # Source
//!
//! [RFC 4180] §2. A quote inside a field that is not quoted is an error, so that the cutter, which counts quotes,
//! and the reader cannot disagree on where a row ends.
//!
//! [RFC 4180]: https://www.rfc-editor.org/rfc/rfc4180

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memchr2, memchr3, memrchr};
use zeroize::Zeroize;

use crate::error::{Error, ErrorKind, Result};
use crate::format::cut::{Boundary, Cut};
use crate::format::encoding::{Look, look};
use crate::limits::Limit;

/// The fields of one row; reused for the next. Copies among them are wiped.
#[derive(Default)]
pub(in crate::format) struct Fields<'a>(Vec<Cow<'a, str>>);

/// Most fields of a row: a row of delimiters alone must not fill the memory.
const MOST_FIELDS: usize = 1024;

impl<'a> Fields<'a> {
    fn push(&mut self, field: Cow<'a, str>, line: u64) -> std::result::Result<(), Fault> {
        if self.0.len() == MOST_FIELDS {
            return Err(Fault { line, kind: FaultKind::TooManyFields });
        }
        self.0.push(field);
        Ok(())
    }

    /// Leaves out fields without text: what several spaces in a row make.
    pub(in crate::format) fn drop_blank(&mut self) {
        self.0.retain(|field| !field.trim_ascii().is_empty());
    }

    fn clear(&mut self) {
        for field in &mut self.0 {
            if let Cow::Owned(text) = field {
                text.zeroize();
            }
        }
        self.0.clear();
    }
}

impl<'a> std::ops::Deref for Fields<'a> {
    type Target = [Cow<'a, str>];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Drop for Fields<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Splits text into rows.
pub(in crate::format) struct Rows<'a> {
    text: &'a str,
    delimiter: u8,
    at: usize,
    line: u64,
    /// There is a quote somewhere.
    quotes: bool,
    /// There is a carriage return somewhere.
    returns: bool,
    /// Fields in a row, and where the seed stands among them.
    seed: Option<(usize, usize)>,
}

impl<'a> Rows<'a> {
    /// Begins at the start of `text`, whose first line has the number `line`.
    pub(in crate::format) fn new(text: &'a str, delimiter: u8, line: u64) -> Self {
        let quotes = memchr(b'"', text.as_bytes()).is_some();
        let returns = memchr(b'\r', text.as_bytes()).is_some();
        Self { text, delimiter, at: 0, line, quotes, returns, seed: None }
    }

    /// Says how many fields a row has, and where its seed stands, so that no token is taken for a comment.
    pub(super) const fn with_seed(mut self, width: usize, seed_at: Option<usize>) -> Self {
        self.seed = match seed_at {
            Some(seed_at) => Some((width, seed_at)),
            None => None,
        };
        self
    }

    /// Where the next row begins, in bytes from the start of the text.
    pub(in crate::format) const fn at(&self) -> usize {
        self.at
    }

    /// The number of the line at [`Rows::at`].
    pub(in crate::format) const fn line(&self) -> u64 {
        self.line
    }

    /// Reads the next row that has any text; returns the number of its first line.
    pub(in crate::format) fn next(&mut self, fields: &mut Fields<'a>) -> std::result::Result<Option<u64>, Fault> {
        loop {
            fields.clear();
            let rest = &self.text.as_bytes()[self.at..];
            if rest.is_empty() {
                return Ok(None);
            }
            let line = self.line;
            let end = memchr(b'\n', rest).unwrap_or(rest.len());
            if rest[0] == b'#' {
                if self.has_seed(&self.text[self.at + 1..self.at + end]) {
                    return Err(Fault { line, kind: FaultKind::Commented });
                }
                self.pass(end + 1);
                continue;
            }
            if self.quotes && memchr(b'"', &rest[..end]).is_some() {
                self.quoted(fields)?;
            } else {
                self.unquoted(end, fields)?;
            }
            if fields.iter().any(|field| !field.trim_ascii().is_empty()) {
                return Ok(Some(line));
            }
        }
    }

    /// Whether a comment is a row with a seed in its place.
    fn has_seed(&self, comment: &str) -> bool {
        let Some((width, seed_at)) = self.seed else { return false };
        let mut fields = Fields::default();
        let row = Rows::new(comment, self.delimiter, self.line).next(&mut fields);
        row.is_ok()
            && fields.len() == width
            && fields.get(seed_at).is_some_and(|value| !matches!(look(value), Look::Short | Look::Unclear))
    }

    /// Goes on behind a line of `length` bytes, its end included.
    fn pass(&mut self, length: usize) {
        self.at = (self.at + length).min(self.text.len());
        self.line += 1;
    }

    /// Splits a row without quotes, which ends `end` bytes from here.
    fn unquoted(&mut self, end: usize, fields: &mut Fields<'a>) -> std::result::Result<(), Fault> {
        let row = &self.text[self.at..self.at + end];
        let row = row.strip_suffix('\r').unwrap_or(row);
        if self.returns && memchr(b'\r', row.as_bytes()).is_some() {
            return Err(Fault { line: self.line, kind: FaultKind::LoneReturn });
        }
        let mut start = 0;
        for delimiter in memchr_iter(self.delimiter, row.as_bytes()) {
            fields.push(Cow::Borrowed(row[start..delimiter].trim_ascii()), self.line)?;
            start = delimiter + 1;
        }
        fields.push(Cow::Borrowed(row[start..].trim_ascii()), self.line)?;
        self.pass(end + 1);
        Ok(())
    }

    /// Splits a row that has a quote somewhere, field by field.
    fn quoted(&mut self, fields: &mut Fields<'a>) -> std::result::Result<(), Fault> {
        loop {
            let bytes = self.text.as_bytes();
            while bytes.get(self.at).is_some_and(|&byte| self.is_blank(byte)) {
                self.at += 1;
            }
            let field = if bytes.get(self.at) == Some(&b'"') { self.quoted_field()? } else { self.unquoted_field()? };
            fields.push(field, self.line)?;
            match bytes.get(self.at) {
                Some(&byte) if byte == self.delimiter => self.at += 1,
                // Only a line end or the end of the text is left: both kinds of field stop nowhere else.
                _ => {
                    self.pass(1);
                    return Ok(());
                }
            }
        }
    }

    /// Reads a quoted field, and stops at the delimiter or line end behind it.
    fn quoted_field(&mut self) -> std::result::Result<Cow<'a, str>, Fault> {
        let bytes = self.text.as_bytes();
        let opened = self.line;
        let start = self.at + 1;
        let mut end = start;
        let mut doubled = false;
        loop {
            match memchr(b'"', &bytes[end..]) {
                None => return Err(Fault { line: opened, kind: FaultKind::Unclosed }),
                Some(at) if bytes.get(end + at + 1) == Some(&b'"') => {
                    doubled = true;
                    end += at + 2;
                }
                Some(at) => {
                    end += at;
                    break;
                }
            }
        }
        let inner = &self.text[start..end];
        self.line += memchr_iter(b'\n', inner.as_bytes()).count() as u64;
        self.at = end + 1;
        while bytes.get(self.at).is_some_and(|&byte| self.is_blank(byte)) {
            self.at += 1;
        }
        if bytes.get(self.at) == Some(&b'\r') && matches!(bytes.get(self.at + 1), None | Some(b'\n')) {
            self.at += 1;
        }
        match bytes.get(self.at) {
            None | Some(b'\n') => {}
            Some(&byte) if byte == self.delimiter => {}
            Some(_) => return Err(Fault { line: self.line, kind: FaultKind::BehindQuote }),
        }
        Ok(if doubled { Cow::Owned(inner.replace("\"\"", "\"")) } else { Cow::Borrowed(inner) })
    }

    /// Reads a field up to the delimiter or line end.
    fn unquoted_field(&mut self) -> std::result::Result<Cow<'a, str>, Fault> {
        let bytes = &self.text.as_bytes()[self.at..];
        let end = memchr3(self.delimiter, b'\n', b'"', bytes).unwrap_or(bytes.len());
        if bytes.get(end) == Some(&b'"') {
            return Err(Fault { line: self.line, kind: FaultKind::QuoteInside });
        }
        let field = &self.text[self.at..self.at + end];
        self.at += end;
        let at_line_end = matches!(bytes.get(end), None | Some(b'\n'));
        let field = if at_line_end { field.strip_suffix('\r').unwrap_or(field) } else { field };
        if memchr(b'\r', field.as_bytes()).is_some() {
            return Err(Fault { line: self.line, kind: FaultKind::LoneReturn });
        }
        Ok(Cow::Borrowed(field.trim_ascii()))
    }

    const fn is_blank(&self, byte: u8) -> bool {
        matches!(byte, b' ' | b'\t') && byte != self.delimiter
    }
}

/// What is wrong with the syntax of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::format) struct Fault {
    pub(in crate::format) line: u64,
    kind: FaultKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FaultKind {
    BehindQuote,
    Commented,
    LoneReturn,
    QuoteInside,
    TooManyFields,
    Unclosed,
}

impl From<Fault> for ErrorKind {
    fn from(fault: Fault) -> Self {
        let (expected, found) = match fault.kind {
            FaultKind::Commented => return Self::RowCommented,
            FaultKind::BehindQuote => ("a delimiter or a line end behind the closing quote", "more text"),
            FaultKind::LoneReturn => ("lines that end with a line feed", "a carriage return alone"),
            FaultKind::QuoteInside => ("quotes around whole fields only (RFC 4180 §2)", "one inside a field"),
            FaultKind::TooManyFields => ("at most 1024 fields in a row", "more"),
            FaultKind::Unclosed => ("a closing quote", "the end of the text"),
        };
        Self::FormatDamaged { format: "CSV", expected: expected.to_owned(), found: found.to_owned() }
    }
}

/// Cuts between rows: at line ends outside quotes.
pub(in crate::format) struct RowBoundary {
    /// A quote that stays open for longer is closed nowhere.
    pub(in crate::format) field_bytes: u64,
}

impl Boundary for RowBoundary {
    fn cut(&mut self, bytes: &[u8], last: bool) -> Result<Option<Cut>> {
        let end = if last {
            Some(bytes.len())
        } else if memchr(b'"', bytes).is_none() {
            memrchr(b'\n', bytes).map(|at| at + 1)
        } else {
            self.outside_quotes(bytes)?
        };
        Ok(end.map(|end| Cut { end, lines: memchr_iter(b'\n', &bytes[..end]).count() as u64, records: 0 }))
    }
}

impl RowBoundary {
    /// Finds the end of the last whole row among rows with quotes.
    fn outside_quotes(&self, bytes: &[u8]) -> Result<Option<usize>> {
        let mut whole = 0;
        let mut at = 0;
        loop {
            // A quote in a comment is none.
            let next = if at == whole && bytes.get(at) == Some(&b'#') {
                memchr(b'\n', &bytes[at..])
            } else {
                memchr2(b'\n', b'"', &bytes[at..])
            };
            let Some(next) = next else { break };
            at += next + 1;
            if bytes[at - 1] == b'\n' {
                whole = at;
                continue;
            }
            match memchr(b'"', &bytes[at..]) {
                Some(closing) => at += closing + 1,
                None if (bytes.len() - at) as u64 > self.field_bytes => {
                    let limit = Limit::FieldBytes;
                    return Err(Error::new(ErrorKind::LimitReached { limit, allowed: self.field_bytes, found: None }));
                }
                None => break,
            }
        }
        Ok((whole > 0).then_some(whole))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The rows, each as its line and its fields.
    fn rows(text: &str) -> std::result::Result<Vec<(u64, Vec<String>)>, Fault> {
        let mut rows = Rows::new(text, b',', 1);
        let mut fields = Fields::default();
        let mut all = Vec::new();
        while let Some(line) = rows.next(&mut fields)? {
            all.push((line, fields.iter().map(|field| field.clone().into_owned()).collect()));
        }
        assert_eq!(
            rows.line(),
            text.matches('\n').count() as u64 + u64::from(!text.is_empty() && !text.ends_with('\n')) + 1
        );
        Ok(all)
    }

    fn check(text: &str, expected: &[(u64, &[&str])]) {
        let found = rows(text).expect("rows");
        let found: Vec<(u64, Vec<&str>)> =
            found.iter().map(|(line, fields)| (*line, fields.iter().map(String::as_str).collect())).collect();
        let expected: Vec<(u64, Vec<&str>)> = expected.iter().map(|(line, fields)| (*line, fields.to_vec())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn reads_rows_with_any_line_end_and_none_at_the_end() {
        check("a,b\nc,d\n", &[(1, &["a", "b"]), (2, &["c", "d"])]);
        check("a,b\r\nc,d", &[(1, &["a", "b"]), (2, &["c", "d"])]);
        check("a,\"b\"\r\n\"c\",d\r", &[(1, &["a", "b"]), (2, &["c", "d"])]);
        check("", &[]);
    }

    #[test]
    fn skips_blank_lines_comments_and_rows_of_nothing() {
        check("# \"x\n\n a,b\n , \n#c,d\n\"\",\ne,f", &[(3, &["a", "b"]), (7, &["e", "f"])]);
    }

    #[test]
    fn drops_white_space_around_fields_and_quotes_but_not_inside_quotes() {
        check(" a , b\t,c\n", &[(1, &["a", "b", "c"])]);
        check("  \" a \" , b \n", &[(1, &[" a ", "b"])]);
    }

    #[test]
    fn reads_line_ends_delimiters_and_quotes_inside_quotes() {
        check("\"a\nb\",\"c,\"\"d\"\"\"\n\ne,f\n", &[(1, &["a\nb", "c,\"d\""]), (4, &["e", "f"])]);
    }

    #[test]
    fn refuses_broken_quotes_and_lone_carriage_returns() {
        for (text, line, kind) in [
            ("a\n\"b,c\n\n", 2, FaultKind::Unclosed),
            ("a\nb\"c,d\n", 2, FaultKind::QuoteInside),
            ("a\n\"b\"c,d\n", 2, FaultKind::BehindQuote),
            ("a,b\rc,d\r", 1, FaultKind::LoneReturn),
            ("\"a\",b\rc,d\r", 1, FaultKind::LoneReturn),
        ] {
            assert_eq!(rows(text), Err(Fault { line, kind }), "{text:?}");
        }
        let kind = FaultKind::TooManyFields;
        assert_eq!(rows(&",".repeat(1024)), Err(Fault { line: 1, kind }));
        assert_eq!(rows(&format!("\"\"{}", ",".repeat(1024))), Err(Fault { line: 1, kind }));
    }

    #[test]
    fn a_token_whose_serial_begins_with_a_number_sign_is_no_comment() {
        let seed = "GAYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD";
        let read = |text: &str| {
            let mut fields = Fields::default();
            Rows::new(text, b',', 7).with_seed(3, Some(1)).next(&mut fields)
        };
        let fault = Err(Fault { line: 7, kind: FaultKind::Commented });
        assert_eq!(read(&format!("#1001,{seed},30\n")), fault);
        assert_eq!(read(&format!("#1001,\"{seed}\",30\r\n")), fault);
        assert_eq!(read(&format!("\"#1001\",{seed},30\n")), Ok(Some(7)));
        for note in ["# serial,seed,period", "# a note, with words in it, and more", "#,,", "#", "# \"a,b,c"] {
            assert_eq!(read(&format!("{note}\n")), Ok(None), "{note}");
        }
        assert_eq!(read(&format!("# the seed is {seed}\n")), Ok(None), "no row");
    }

    #[test]
    fn an_unclosed_quote_is_not_held_for_ever() {
        let text = format!("a,\"{}", "x\n".repeat(100));
        let error = RowBoundary { field_bytes: 100 }.cut(text.as_bytes(), false).expect_err("unclosed");
        assert_eq!(error.to_string(), "too many bytes in one field: at most 100 are allowed, but there are more");
    }

    /// What the `csv` crate makes of the same text.
    fn peer(text: &str) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .comment(Some(b'#'))
            .from_reader(text.as_bytes());
        let records = reader.records().map(|record| record.expect("UTF-8"));
        records
            .map(|record| record.iter().map(str::to_owned).collect::<Vec<_>>())
            .filter(|fields| fields.iter().any(|field| !field.trim_ascii().is_empty()))
            .collect()
    }

    /// A field as a writer may put it: plain, or quoted with anything inside.
    fn field() -> impl Strategy<Value = String> {
        prop_oneof!["[a-z0-9]{0,6}", "([a-z#, \n]|\"\"|\r\n){0,8}".prop_map(|inner| format!("\"{inner}\"")),]
    }

    proptest! {
        #[test]
        fn reads_what_the_csv_crate_reads(
            rows_written in prop::collection::vec(prop::collection::vec(field(), 1..5), 0..8),
            line_end in prop_oneof![Just("\n"), Just("\r\n")],
        ) {
            let text: String = rows_written.iter().map(|fields| fields.join(",") + line_end).collect();
            let found: Vec<Vec<String>> = rows(&text).expect("rows").into_iter().map(|(_, fields)| fields).collect();
            prop_assert_eq!(found, peer(&text));
        }

        #[test]
        fn the_cutter_cuts_only_between_rows(
            rows_written in prop::collection::vec(prop::collection::vec(field(), 1..4), 1..8),
            comment in "[a-z\"]{0,4}",
            shown in 0_usize..200,
        ) {
            let body: String = rows_written.iter().map(|fields| fields.join(",") + "\n").collect();
            let text = format!("#{comment}\n{body}#{comment}\n{body}");
            let shown = shown.min(text.len());
            let Some(cut) = RowBoundary { field_bytes: 4096 }.cut(&text.as_bytes()[..shown], false).expect("rows") else {
                return Ok(());
            };
            let (before, behind) = text.split_at(cut.end);
            let mut joined = rows(before).expect("whole rows");
            joined.extend(rows(behind).expect("whole rows").into_iter().map(|(line, row)| (line + cut.lines, row)));
            prop_assert_eq!(joined, rows(&text).expect("rows"));
        }
    }
}
