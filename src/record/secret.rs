//! The three types that hold secrets, each wiped when dropped.
//!
//! [`Seed`] holds key bytes, [`Passphrase`] a password, [`Plain`] plaintext of a delivery. None has
//! `Display`, `Serialize` or `PartialEq`; `Debug` names the length only. Bytes are reached through
//! `expose`, which `tests/layers.rs` allows in listed files only.
//!
//! # Not here
//!
//! What libraries copy inside themselves cannot be wiped from here; README says which.

use std::fmt;
use std::hash::Hasher;
use std::io;
use std::ops::Deref;
use std::sync::OnceLock;

use siphasher::sip128::{Hasher128, SipHasher24};
use zeroize::{Zeroize, Zeroizing};

/// Key bytes of one token.
#[derive(Clone)]
pub struct Seed(Zeroizing<Vec<u8>>);

impl Seed {
    /// Takes over key bytes; the caller keeps no copy.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key bytes themselves.
    ///
    /// # Secrets
    ///
    /// Whatever is made of them is a secret too.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no key bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells two seeds apart in a message without saying anything about either.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint((self.tag() >> 96) as u32)
    }

    /// A keyed 128-bit hash, equal for equal seeds in this run and unrelated in any other.
    ///
    /// Two unlike seeds among a million share a tag with a chance of 2^-89.
    pub fn tag(&self) -> u128 {
        let mut hasher = SipHasher24::new_with_key(run_key());
        hasher.write(&self.0);
        hasher.finish128().as_u128()
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seed({} bytes, {})", self.len(), self.fingerprint())
    }
}

/// The key of this run's tags: drawn once, never written, so no tag can be searched backwards.
fn run_key() -> &'static [u8; 16] {
    static KEY: OnceLock<[u8; 16]> = OnceLock::new();
    KEY.get_or_init(|| {
        let mut key = [0; 16];
        getrandom::fill(&mut key).expect("the system has randomness");
        key
    })
}

/// A keyed hash of a seed, short enough to read: `#4f1c9a07`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(u32);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:08x}", self.0)
    }
}

/// A password, as the bytes that were typed or read.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// Takes over the bytes of a password.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The password's bytes.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Whether two passwords are the same bytes. For telling repeated candidates apart, not for access.
    pub fn is_same(&self, other: &Self) -> bool {
        *self.0 == *other.0
    }

    /// The byte forms a packer may have used: as given, then for other than ASCII also in CP437
    /// (ZIP's own code page) and Windows-1252.
    pub fn spellings(&self) -> Vec<Zeroizing<Vec<u8>>> {
        let mut spellings = vec![self.0.clone()];
        if let Ok(text) = std::str::from_utf8(&self.0)
            && !text.is_ascii()
        {
            for page in [&CP437_HIGH, &WINDOWS_1252_HIGH] {
                let bytes: Option<Vec<u8>> = text.chars().map(|c| in_code_page(c, page)).collect();
                spellings.extend(bytes.map(Zeroizing::new));
            }
        }
        spellings
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase([REDACTED])")
    }
}

fn in_code_page(character: char, high: &str) -> Option<u8> {
    if character.is_ascii() {
        return Some(character as u8);
    }
    let index = high.chars().position(|c| c == character)?;
    u8::try_from(0x80 + index).ok()
}

/// Bytes 0x80 to 0xFF of code page 437 (Unicode's own mapping table).
const CP437_HIGH: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// Bytes 0x80 to 0xFF of Windows-1252; the five bytes without a character keep their C1 control.
const WINDOWS_1252_HIGH: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ\u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ";

/// Plaintext of a delivery or of an output: a growing buffer that leaves no copy behind.
///
/// A `Vec` that grows may leave its old block unwiped; this one copies, wipes, then lets go.
#[derive(Default)]
pub struct Plain {
    bytes: Vec<u8>,
}

impl Plain {
    /// An empty buffer with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity) }
    }

    /// Appends bytes.
    pub fn extend(&mut self, more: &[u8]) {
        self.reserve(more.len());
        self.bytes.extend_from_slice(more);
    }

    /// Makes room for `more` bytes without leaving an unwiped block behind.
    pub fn reserve(&mut self, more: usize) {
        let needed = self.bytes.len() + more;
        if needed > self.bytes.capacity() {
            let mut grown = Vec::with_capacity(needed.max(self.bytes.capacity() * 2));
            grown.extend_from_slice(&self.bytes);
            self.bytes.zeroize();
            self.bytes = grown;
        }
    }

    /// Reads from `source` until `room` more bytes are here or the source ends; returns how many came.
    ///
    /// # Errors
    ///
    /// Whatever `source` answers, apart from interruptions.
    pub fn fill_from(&mut self, source: &mut (impl io::Read + ?Sized), room: usize) -> io::Result<usize> {
        self.reserve(room);
        let start = self.bytes.len();
        self.bytes.resize(start + room, 0);
        let mut filled = 0;
        while filled < room {
            match source.read(&mut self.bytes[start + filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.bytes.truncate(start);
                    return Err(error);
                }
            }
        }
        self.bytes.truncate(start + filled);
        Ok(filled)
    }

    /// Keeps the first `length` bytes.
    pub fn truncate(&mut self, length: usize) {
        self.bytes.truncate(length);
    }

    /// Forgets the content and keeps the room, for the next use of the same buffer.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }
}

impl Deref for Plain {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl io::Write for Plain {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        self.extend(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plain({} bytes)", self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let seed = Seed::new(b"12345678901234567890".to_vec());
        let shown = format!("{seed:?}");
        assert!(shown.starts_with("Seed(20 bytes, #"), "{shown}");
        assert!(!shown.contains("1234567890123"), "{shown}");
        assert_eq!(format!("{:?}", Passphrase::new(b"qwerty".to_vec())), "Passphrase([REDACTED])");
        let mut plain = Plain::default();
        plain.extend(b"seed");
        assert_eq!(format!("{plain:?}"), "Plain(4 bytes)");
    }

    #[test]
    fn tags_tell_seeds_apart() {
        let one = Seed::new(vec![1; 20]);
        assert_eq!(one.tag(), Seed::new(vec![1; 20]).tag());
        assert_ne!(one.tag(), Seed::new(vec![1; 21]).tag());
    }

    #[test]
    fn code_pages_have_all_their_characters() {
        assert_eq!(CP437_HIGH.chars().count(), 128);
        assert_eq!(WINDOWS_1252_HIGH.chars().count(), 128);
    }

    #[test]
    fn spells_an_umlaut_as_packers_do() {
        let spellings = Passphrase::new("grün€".as_bytes().to_vec()).spellings();
        // CP437 has no euro sign, so two spellings are left.
        assert_eq!(spellings.len(), 2);
        assert_eq!(*spellings[1], b"gr\xfcn\x80");
        let spellings = Passphrase::new("grün".as_bytes().to_vec()).spellings();
        assert_eq!(*spellings[1], b"gr\x81n");
        assert_eq!(Passphrase::new(b"plain".to_vec()).spellings().len(), 1);
    }

    #[test]
    fn a_plain_grows_and_keeps_its_content() {
        let mut plain = Plain::with_capacity(2);
        for _ in 0..100 {
            plain.extend(b"abc");
        }
        assert_eq!(plain.len(), 300);
        let mut source: &[u8] = b"wxyz";
        assert_eq!(plain.fill_from(&mut source, 10).expect("memory"), 4);
        assert_eq!(&plain[298..], b"bcwxyz");
    }
}
