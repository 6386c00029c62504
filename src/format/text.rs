//! Bytes of a member in, UTF-8 without a mark out, as a stream.
//!
//! # Leniency
//!
//! A UTF-8 mark is dropped. UTF-16 with its mark, in either order, becomes UTF-8: Windows PowerShell writes it, and
//! Token2's converter is run that way. Everything else passes through untouched.
//!
//! # Not here
//!
//! Whether what passes through is UTF-8: each reader checks its own chunks, at memory speed and on every core.
//!
//! # Memory
//!
//! 64 KiB of UTF-16 and what it becomes; nothing for UTF-8.

use std::io::{self, Read};

use crate::error::{Error, ErrorKind};
use crate::record::Plain;

/// A member as text.
pub struct Text<'s> {
    source: &'s mut dyn Read,
    shape: Shape,
    /// UTF-8 that is ready, from `taken` on.
    ready: Plain,
    taken: usize,
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    /// Nothing was read yet.
    Unknown,
    /// As it comes.
    Bytes,
    /// UTF-16, and how far it was read.
    Wide { little: bool, offset: u64, high: Option<u16> },
}

impl<'s> Text<'s> {
    /// Wraps a member; nothing is read yet.
    pub fn new(source: &'s mut dyn Read) -> Self {
        Self { source, shape: Shape::Unknown, ready: Plain::default(), taken: 0 }
    }

    /// Looks at the first bytes for a mark.
    fn find_shape(&mut self) -> io::Result<()> {
        self.ready.fill_from(self.source, 3)?;
        (self.shape, self.taken) = match &*self.ready {
            [0xef, 0xbb, 0xbf] => (Shape::Bytes, 3),
            [0xff, 0xfe, ..] => (Shape::Wide { little: true, offset: 2, high: None }, 2),
            [0xfe, 0xff, ..] => (Shape::Wide { little: false, offset: 2, high: None }, 2),
            _ => (Shape::Bytes, 0),
        };
        if let Shape::Wide { little, offset, .. } = self.shape {
            // The third byte is half a character: its other half completes it.
            let mut first = Plain::default();
            first.extend(&self.ready[2..]);
            first.fill_from(self.source, 1)?;
            self.ready.clear();
            self.taken = 0;
            self.shape = decode(&first, little, offset, None, &mut self.ready)?;
            if first.is_empty() {
                self.shape = Shape::Bytes;
            }
        }
        Ok(())
    }

    /// Turns the next piece of UTF-16 into UTF-8. At the end, nothing is ready.
    fn widen(&mut self, little: bool, offset: u64, high: Option<u16>) -> io::Result<()> {
        const PIECE: usize = 64 << 10;
        let mut piece = Plain::default();
        piece.fill_from(self.source, PIECE)?;
        self.ready.clear();
        self.taken = 0;
        if piece.is_empty() && high.is_some() {
            return Err(half_pair(offset - 2));
        }
        self.shape = decode(&piece, little, offset, high, &mut self.ready)?;
        Ok(())
    }
}

impl Read for Text<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if self.taken < self.ready.len() {
                let ready = &self.ready[self.taken..];
                let count = ready.len().min(buffer.len());
                buffer[..count].copy_from_slice(&ready[..count]);
                self.taken += count;
                return Ok(count);
            }
            match self.shape {
                Shape::Unknown => self.find_shape()?,
                Shape::Bytes => return self.source.read(buffer),
                Shape::Wide { little, offset, high } => {
                    self.widen(little, offset, high)?;
                    let Shape::Wide { offset: now, .. } = self.shape else { continue };
                    // Half a pair may be all of a piece, so only the offset tells the end.
                    if now == offset {
                        return Ok(0);
                    }
                }
            }
        }
    }
}

/// Whether bytes are UTF-16 that lacks its mark: of each pair one byte is 0, the same in all, and the other a
/// character of ASCII. No text of another encoding is so, and nothing binary for so long.
pub(super) fn is_wide(head: &[u8]) -> bool {
    const LONGEST: usize = 128;
    let (pairs, _) = head[..head.len().min(LONGEST)].as_chunks::<2>();
    let ascii = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    pairs.len() >= 8
        && (pairs.iter().all(|pair| pair[0] == 0 && ascii(pair[1]))
            || pairs.iter().all(|pair| pair[1] == 0 && ascii(pair[0])))
}

/// Decodes whole UTF-16 units; a high half at the end waits for the next piece.
fn decode(bytes: &[u8], little: bool, mut offset: u64, mut high: Option<u16>, out: &mut Plain) -> io::Result<Shape> {
    let (units, rest) = bytes.as_chunks::<2>();
    for unit in units {
        let unit = if little { u16::from_le_bytes(*unit) } else { u16::from_be_bytes(*unit) };
        let character = match (high.take(), unit) {
            (None, 0xd800..=0xdbff) => {
                high = Some(unit);
                None
            }
            (None, _) => Some(char::from_u32(u32::from(unit)).ok_or_else(|| half_pair(offset))?),
            (Some(first), _) => {
                let pair = char::decode_utf16([first, unit]).next().and_then(Result::ok);
                Some(pair.ok_or_else(|| half_pair(offset - 2))?)
            }
        };
        if let Some(character) = character {
            let mut room = [0; 4];
            out.extend(character.encode_utf8(&mut room).as_bytes());
        }
        offset += 2;
    }
    if !rest.is_empty() {
        return Err(unreadable(format!(
            "expected pairs of bytes as UTF-16 has, but found a single one at byte {offset}"
        )));
    }
    Ok(Shape::Wide { little, offset, high })
}

fn half_pair(offset: u64) -> io::Error {
    unreadable(format!("expected both halves of a UTF-16 surrogate pair, but found one alone at byte {offset}"))
}

fn unreadable(detail: String) -> io::Error {
    Error::new(ErrorKind::TextUnreadable { detail }).into()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    /// Gives a few bytes at a time, as a pipe may.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(buffer.len()).min(self.1);
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn read(bytes: &[u8], step: usize) -> io::Result<Vec<u8>> {
        let mut source = Drip(bytes, step);
        let mut out = Vec::new();
        Text::new(&mut source).read_to_end(&mut out).map(|_| out)
    }

    fn check(bytes: &[u8], expected: &[u8]) {
        for step in [1, 2, 3, 1 << 20] {
            assert_eq!(read(bytes, step).expect("text"), expected);
        }
    }

    fn wide(text: &str, little: bool) -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    }

    #[test]
    fn passes_everything_else_through() {
        for bytes in [&b""[..], b"a", b"ab", b"abc", b"abcd", b"\xff", b"\xef\xbb", "ä€".as_bytes(), b"\x80\0\xff"] {
            check(bytes, bytes);
        }
    }

    #[test]
    fn drops_the_mark_of_utf_8() {
        check(b"\xef\xbb\xbf", b"");
        check(b"\xef\xbb\xbfupn,\xef\xbb\xbf", b"upn,\xef\xbb\xbf");
    }

    #[test]
    fn knows_utf_16_that_lacks_its_mark() {
        for little in [true, false] {
            assert!(is_wide(&wide("serial,seed\r\n", little)[2..]));
        }
        for bytes in [&b""[..], b"a\0", &[0; 40], "serial,seed,period\r\n".as_bytes(), b"serial,seed,per\0\0\0"] {
            assert!(!is_wide(bytes));
        }
    }

    #[test]
    fn reads_utf_16_in_both_orders() {
        let long = "1000001;äöü€;😀\r\n".repeat(20_000);
        for text in ["", "a", "ab", "😀", "a😀b", &long] {
            for little in [true, false] {
                let bytes = wide(text, little);
                let steps: &[usize] = if text.len() > 100 { &[65_537] } else { &[1, 3, 1 << 20] };
                for step in steps {
                    assert!(read(&bytes, *step).expect("text") == text.as_bytes(), "{} characters", text.len());
                }
            }
        }
    }

    #[test]
    fn says_where_utf_16_breaks() {
        let check = |bytes: &[u8], expected: &Expect| {
            for step in [1, 1 << 20] {
                let error = Error::reading(read(bytes, step).expect_err("broken"), "t");
                expected.assert_eq(&error.to_string());
            }
        };
        check(
            b"\xff\xfea\0b",
            &expect!["cannot read the text: expected pairs of bytes as UTF-16 has, but found a single one at byte 4"],
        );
        check(
            b"\xff\xfea",
            &expect!["cannot read the text: expected pairs of bytes as UTF-16 has, but found a single one at byte 2"],
        );
        check(
            b"\xff\xfea\0\x00\xd8b\0",
            &expect![
                "cannot read the text: expected both halves of a UTF-16 surrogate pair, but found one alone at byte 4"
            ],
        );
        check(
            b"\xff\xfea\0\x00\xd8",
            &expect![
                "cannot read the text: expected both halves of a UTF-16 surrogate pair, but found one alone at byte 4"
            ],
        );
        check(
            b"\xff\xfe\x00\xdcb\0",
            &expect![
                "cannot read the text: expected both halves of a UTF-16 surrogate pair, but found one alone at byte 2"
            ],
        );
    }
}
