//! Any bytes as a member: what is read can be written as `jsonl` and read again to the same token.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seedmill::format::{self, Chunk, Head, ReadOptions, Writer, text::Text};
use seedmill::limits::Limits;
use seedmill::record::{Code, Findings, Holds, Keyring, Plain, Severity, Token, Trail};
use seedmill::refine::{Fill, Proof, normalize};

struct Silent;

impl Findings for Silent {
    fn note(&mut self, _: Code, _: Severity, _: &dyn Fn() -> String) {}
}

fuzz_target!(|bytes: &[u8]| {
    let mut source = bytes;
    let mut text = Text::new(&mut source);
    let trail = Trail::new("fuzz");
    let Ok(head) = Head::new(&mut text, trail.clone(), Limits::default()) else { return };
    let Ok(Some(mut opened)) = format::open(head, &ReadOptions::default(), &mut Keyring::default()) else { return };
    let fill = Fill::default();
    let mut tokens: Vec<Token<'static>> = Vec::new();
    while let Ok(Some(chunk)) = opened.cutter.next(Plain::default()) {
        let read = opened.reader.read(&chunk, &trail, &mut |draft| {
            tokens.extend(normalize(draft, &fill, &mut Silent).map(Token::into_owned));
            Ok(())
        });
        if read.is_err() {
            return;
        }
    }
    let mut document = Plain::default();
    for token in &tokens {
        Writer::Jsonl.item(token, &mut document);
    }
    let chunk = Chunk { bytes: document, offset_bytes: 0, first_line: 1, first_record: 1 };
    let mut count = 0;
    let read = Writer::Jsonl.reader().read(&chunk, &trail, &mut |draft| {
        let back = normalize(draft, &fill, &mut Silent).expect("jsonl is understood");
        Proof::new(&tokens[count], &Holds::EVERYTHING).check(&back).expect("jsonl loses nothing");
        count += 1;
        Ok(())
    });
    read.expect("jsonl is read back");
    assert_eq!(count, tokens.len());
});
