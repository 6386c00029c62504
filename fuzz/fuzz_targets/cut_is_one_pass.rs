//! Any bytes as a PSKC container: cut as a member comes in, a few bytes at a time, it gives what it gives at once.

#![no_main]

use std::io::{self, Read};

use libfuzzer_sys::fuzz_target;
use seedmill::format::{self, Format, Head, ReadOptions};
use seedmill::limits::Limits;
use seedmill::record::{Keyring, Plain, Trail};

/// Gives at most as many bytes at a time as it was told to.
struct Drip<'a>(&'a [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.len().min(self.1).min(buffer.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

/// Every draft as text, without its place in the run; `None` where the member is refused.
fn drafts(bytes: &[u8], step: usize) -> Option<Vec<String>> {
    let mut source = Drip(bytes, step);
    let trail = Trail::new("fuzz");
    let options = ReadOptions { from: Some(Format::Pskc), ..ReadOptions::default() };
    let head = Head::new(&mut source, trail.clone(), Limits::default()).ok()?;
    let mut opened = format::open(head, &options, &mut Keyring::default()).ok()??;
    let mut found = Vec::new();
    while let Some(chunk) = opened.cutter.next(Plain::default()).ok()? {
        let each = &mut |draft: seedmill::record::Draft<'_>| {
            found.push(format!("{draft:?}"));
            Ok(())
        };
        opened.reader.read(&chunk, &trail, each).ok()?;
    }
    Some(found)
}

fuzz_target!(|bytes: &[u8]| {
    assert_eq!(drafts(bytes, 7), drafts(bytes, usize::MAX));
});
