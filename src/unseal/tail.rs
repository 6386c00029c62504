//! The bytes of an OpenPGP message in and out unchanged; with whether anything follows the message.
//!
//! The library reads one message and leaves what stands behind it unread, be it another message, or rows under a
//! text signed in the clear that anyone can have added. Somebody who looks at the file sees them all the same.
//!
//! # Source
//!
//! Armor: RFC 9580 §6.2. Packets of indeterminate length, as GnuPG compresses: §4.2.2; their content ends where
//! the compressed data does, §5.6.
//!
//! # Not here
//!
//! Packets of known length: the library refuses any behind the message. What is behind bzip2 data, and behind the
//! compressed data inside armor.
//!
//! # Memory
//!
//! A buffer for what is decompressed, which nobody reads.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};
use zeroize::Zeroizing;

/// A source that is watched.
pub(super) struct Tail<'s> {
    source: &'s mut (dyn Read + Send),
    watch: Watch,
    followed: bool,
}

/// What the next byte means.
enum Watch {
    /// Nothing was read yet.
    Start,
    /// In armor, at the beginning of a line or inside [`END`]: so much of it was read.
    Line(usize),
    /// In armor, in the middle of a line.
    InLine,
    /// In the last line of the armor, behind so many dashes.
    LastLine(usize),
    /// In a packet of compressed data: the byte that names the algorithm.
    Algorithm,
    Compressed(Box<Decompress>, Zeroizing<Vec<u8>>),
    /// The message has ended.
    Behind,
    /// The library sees to it.
    Elsewhere,
}

/// Begins the last line of an armor, and no line of a text signed in the clear: those have `- ` before a dash.
const END: &[u8] = b"-----END PGP ";

/// Dashes at the end of the last line.
const DASHES: usize = 5;

impl<'s> Tail<'s> {
    pub(super) fn new(source: &'s mut (dyn Read + Send)) -> Self {
        Self { source, watch: Watch::Start, followed: false }
    }

    /// Whether anything but white space follows the message, as far as was read.
    pub(super) const fn is_followed(&self) -> bool {
        self.followed
    }

    fn see(&mut self, mut bytes: &[u8]) {
        while let Some((&byte, rest)) = bytes.split_first() {
            let next = match &mut self.watch {
                Watch::Elsewhere => return,
                Watch::Behind => {
                    self.followed |= !bytes.trim_ascii().is_empty();
                    return;
                }
                Watch::Compressed(decoder, scratch) => {
                    let before = decoder.total_in();
                    let status = decoder.decompress(bytes, scratch, FlushDecompress::None);
                    let read = usize::try_from(decoder.total_in() - before).unwrap_or(bytes.len());
                    bytes = bytes.get(read..).unwrap_or_default();
                    match status {
                        Ok(Status::StreamEnd) => self.watch = Watch::Behind,
                        Ok(Status::Ok) => {}
                        Ok(Status::BufError) if read > 0 => {}
                        // The library finds the same fault, and says so.
                        Ok(Status::BufError) | Err(_) => self.watch = Watch::Elsewhere,
                    }
                    continue;
                }
                Watch::Start => match byte {
                    COMPRESSED_TO_THE_END => Watch::Algorithm,
                    0x80.. => Watch::Elsewhere,
                    // An armor's first line begins with dashes too.
                    _ => Watch::InLine,
                },
                Watch::Algorithm => match byte {
                    1 | 2 => {
                        let scratch = Zeroizing::new(vec![0; SCRATCH_BYTES]);
                        Watch::Compressed(Box::new(Decompress::new(byte == 2)), scratch)
                    }
                    _ => Watch::Elsewhere,
                },
                Watch::Line(0) if byte.is_ascii_whitespace() => Watch::Line(0),
                Watch::Line(read) if END.get(*read) == Some(&byte) => {
                    if *read + 1 == END.len() {
                        Watch::LastLine(0)
                    } else {
                        Watch::Line(*read + 1)
                    }
                }
                Watch::LastLine(dashes) if byte == b'-' && *dashes + 1 == DASHES => Watch::Behind,
                Watch::LastLine(dashes) if byte == b'-' => Watch::LastLine(*dashes + 1),
                Watch::Line(_) | Watch::LastLine(_) if matches!(byte, b'\n' | b'\r') => Watch::Line(0),
                Watch::LastLine(_) => Watch::LastLine(0),
                Watch::Line(_) => Watch::InLine,
                Watch::InLine => match memchr::memchr2(b'\n', b'\r', bytes) {
                    Some(end) => {
                        bytes = bytes.get(end + 1..).unwrap_or_default();
                        self.watch = Watch::Line(0);
                        continue;
                    }
                    None => return,
                },
            };
            self.watch = next;
            bytes = rest;
        }
    }
}

impl Read for Tail<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.see(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

/// Packet type 8 of the old form, whose length is all the rest.
const COMPRESSED_TO_THE_END: u8 = 0xa3;

const SCRATCH_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! fixture {
        ($name:literal) => {
            &include_bytes!(concat!("../../fixtures/container/", $name))[..]
        };
    }

    /// Whether something follows, whatever the size of the pieces that are read.
    #[track_caller]
    fn check(bytes: &[u8], expected: bool) {
        for step in [1, 7, bytes.len()] {
            let mut source = bytes;
            let mut tail = Tail::new(&mut source);
            let mut buffer = vec![0; step];
            while tail.read(&mut buffer).expect("memory") > 0 {}
            assert_eq!(tail.is_followed(), expected, "{step} at once");
        }
    }

    #[test]
    fn sees_what_follows_a_message() {
        for message in [fixture!("signed-cleartext.asc"), fixture!("to-rsa.asc"), fixture!("compressed.pgp")] {
            check(message, false);
            check(&[message, b" \r\n\n"].concat(), false);
            check(&[message, b"1003,JBSWY3DPEHPK3PXP\n"].concat(), true);
            check(&[message, message].concat(), true);
        }
    }

    #[test]
    fn takes_nothing_inside_for_the_end() {
        check(b"-----BEGIN PGP MESSAGE-----\n-----END PG\nx-----END PGP MESSAGE-----\nabc\n", false);
        check(b"-----BEGIN PGP MESSAGE-----\n  -----END PGP MESSAGE-----  \n", false);
        check(b"-----BEGIN PGP MESSAGE-----\n-----END PGP MESSAGE-----x", true);
    }
}
