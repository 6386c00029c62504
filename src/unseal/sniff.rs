//! The first bytes of a thing in, what it is out.
//!
//! # Source
//!
//! ZIP: PKWARE's APPNOTE §4.3.7, §4.3.16, §8.5.3. gzip: RFC 1952 §2.3. OpenPGP: RFC 9580 §4.2 and §5, its armor §6.
//!
//! # Leniency
//!
//! OpenPGP has no magic number, so a binary packet counts only when its header, length, version and algorithm
//! are all possible: a raw key of 16 random bytes must not be taken for a message.

/// So many first bytes are looked at: armor may stand behind the text of a mail.
pub(super) const SNIFF_BYTES: usize = 16 << 10;

/// What a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It has no bytes.
    Empty,
    /// RFC 1952.
    Gzip,
    /// Plainly no seed file: what it is instead.
    NotSeeds(&'static str),
    /// An OpenPGP message, after so many bytes of other text.
    OpenPgp { skip: usize },
    /// Text signed in the clear (RFC 9580 §7), after so many bytes of other text.
    OpenPgpClear { skip: usize },
    /// An OpenPGP signature of something else.
    OpenPgpDetached,
    /// None of these: a member to read.
    Plain,
    /// A container that is known and not opened: its name.
    Unopened(&'static str),
    /// PKWARE's APPNOTE.
    Zip,
}

/// Says what a thing is from its first [`SNIFF_BYTES`], or all it has.
pub(super) fn sniff(head: &[u8]) -> Kind {
    if head.is_empty() {
        return Kind::Empty;
    }
    if is_zip(head) {
        return Kind::Zip;
    }
    if head.starts_with(&[0x1f, 0x8b, 8]) {
        return Kind::Gzip;
    }
    if let Some((_, what)) = NOT_SEEDS.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Kind::NotSeeds(what);
    }
    if let Some((.., what)) =
        UNOPENED.iter().find(|(at, magic, _)| head.get(*at..).is_some_and(|rest| rest.starts_with(magic)))
    {
        return Kind::Unopened(what);
    }
    armored(head).or_else(|| binary(head)).unwrap_or(Kind::Plain)
}

/// Containers that no vendor is known to send, by bytes at an offset.
const UNOPENED: &[(usize, &[u8], &str)] = &[
    (0, b"7z\xbc\xaf\x27\x1c", "7z archive"),
    (0, b"Rar!\x1a\x07", "RAR archive"),
    (0, b"\xfd7zXZ\0", "xz file"),
    (0, b"\x28\xb5\x2f\xfd", "zstd file"),
    (4, b"1AY&SY", "bzip2 file"),
    (257, b"ustar", "tar archive"),
];

/// A local header, an empty archive, or either behind the marker of a spanned or formerly spanned one.
fn is_zip(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"PK00").or_else(|| head.strip_prefix(b"PK\x07\x08")).unwrap_or(head);
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

/// First bytes of what vendors lay beside seeds.
const NOT_SEEDS: &[(&[u8], &str)] = &[
    (b"%PDF", "a PDF document"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
    (b"{\\rtf", "a rich text document"),
];

fn armored(head: &[u8]) -> Option<Kind> {
    const BEGIN: &[u8] = b"-----BEGIN PGP ";
    let skip = memchr::memmem::find_iter(head, BEGIN).find(|&at| starts_a_line(head, at))?;
    let label = &head[skip + BEGIN.len()..];
    let kinds: [(&[u8], Kind); 5] = [
        (b"MESSAGE", Kind::OpenPgp { skip }),
        (b"SIGNED MESSAGE", Kind::OpenPgpClear { skip }),
        (b"SIGNATURE", Kind::OpenPgpDetached),
        (b"PUBLIC KEY", Kind::NotSeeds("an OpenPGP public key")),
        (b"PRIVATE KEY", Kind::NotSeeds("an OpenPGP secret key")),
    ];
    kinds.into_iter().find(|(name, _)| label.starts_with(name)).map(|(_, kind)| kind)
}

fn starts_a_line(head: &[u8], at: usize) -> bool {
    const BOM: &[u8] = b"\xef\xbb\xbf";
    let line = head[..at].rsplit(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    line.strip_prefix(BOM).unwrap_or(line).iter().all(u8::is_ascii_whitespace)
}

fn binary(head: &[u8]) -> Option<Kind> {
    let packet = Packet::parse(head)?;
    let kind = match packet.tag {
        TAG_SIGNATURE => signature(head, &packet)?,
        TAG_PUBLIC_KEY => Kind::NotSeeds("an OpenPGP public key"),
        TAG_SECRET_KEY => Kind::NotSeeds("an OpenPGP secret key"),
        _ => Kind::OpenPgp { skip: 0 },
    };
    (packet.is_possible() && packet.is_followed_by_another(head)).then_some(kind)
}

/// A signature before what it signs is a message of old; alone it signs another file.
fn signature(head: &[u8], first: &Packet<'_>) -> Option<Kind> {
    let mut rest = head.get(first.end?..).unwrap_or_default();
    while !rest.is_empty() {
        let packet = Packet::parse(rest)?;
        if packet.tag != TAG_SIGNATURE {
            return Some(Kind::OpenPgp { skip: 0 });
        }
        rest = rest.get(packet.end?..).unwrap_or_default();
    }
    Some(Kind::OpenPgpDetached)
}

const TAG_PKESK: u8 = 1;
const TAG_SIGNATURE: u8 = 2;
const TAG_SKESK: u8 = 3;
const TAG_ONE_PASS_SIGNATURE: u8 = 4;
const TAG_SECRET_KEY: u8 = 5;
const TAG_PUBLIC_KEY: u8 = 6;
const TAG_COMPRESSED: u8 = 8;
const TAG_ENCRYPTED: u8 = 9;
const TAG_MARKER: u8 = 10;
const TAG_LITERAL: u8 = 11;
const TAG_PROTECTED: u8 = 18;
const TAG_AEAD: u8 = 20;

/// Whether an encrypted packet in these bytes, which are a whole message, is too short for any content.
///
/// The library panics on one (sequoia-openpgp 2.4.2, `PacketParser::decrypt`, found 2026-11-20).
pub(super) fn has_stub(mut message: &[u8]) -> bool {
    while let Some(packet) = Packet::parse(message) {
        if packet.tag == TAG_PROTECTED && packet.body.len() < LEAST_PROTECTED_BYTES {
            return true;
        }
        let Some(rest) = packet.end.and_then(|end| message.get(end..)) else { return false };
        message = rest;
    }
    false
}

/// Version, prefix of the smallest cipher, an empty literal packet, and the hash (RFC 9580 §5.13.1).
pub(super) const LEAST_PROTECTED_BYTES: usize = 1 + 10 + 8 + 22;

/// The head of a packet, RFC 9580 §4.2.
struct Packet<'h> {
    tag: u8,
    body: &'h [u8],
    /// Length of the body, or of its first part.
    length: usize,
    /// Where the next packet begins, when the length is final.
    end: Option<usize>,
}

impl<'h> Packet<'h> {
    fn parse(head: &'h [u8]) -> Option<Self> {
        let (&first, rest) = head.split_first()?;
        if first & 0x80 == 0 {
            return None;
        }
        let (tag, width, length, is_final) = if first & 0x40 == 0 {
            let width = [1, 2, 4, 0][usize::from(first & 3)];
            let length = if width == 0 { usize::MAX } else { big_endian(rest.get(..width)?) };
            ((first >> 2) & 0xf, width, length, width != 0)
        } else {
            let (width, length, is_final) = new_length(rest)?;
            (first & 0x3f, width, length, is_final)
        };
        let body = rest.get(width..)?;
        let end = is_final.then(|| length.saturating_add(1 + width));
        Some(Self { tag, body: &body[..body.len().min(length)], length, end })
    }

    /// Whether a packet of this kind may have this length and begin so.
    fn is_possible(&self) -> bool {
        let (length, body) = (self.length, self.body);
        match self.tag {
            TAG_PKESK => match body {
                [3, ..] => (12..=4096).contains(&length) && body.get(9).is_none_or(|&it| is_public_key_algorithm(it)),
                [6, ..] => (12..=8192).contains(&length),
                _ => false,
            },
            TAG_SIGNATURE => matches!(body, [3..=6, 0..=2, ..] | [3..=6]) && (10..=65536).contains(&length),
            TAG_SKESK => match body {
                [4, 0..=13, 0 | 1 | 3 | 4, ..] | [4, 0..=13] | [4] => (4..=256).contains(&length),
                [5 | 6, ..] => (10..=512).contains(&length),
                _ => false,
            },
            TAG_ONE_PASS_SIGNATURE => match body {
                [3, 0..=2, ..] => length == 13,
                [6, 0..=2, ..] => (36..=128).contains(&length),
                _ => false,
            },
            TAG_SECRET_KEY | TAG_PUBLIC_KEY => match body {
                // Time of creation, then days of validity in version 3.
                [4..=6, _, _, _, _, algorithm, ..] | [3, _, _, _, _, _, _, algorithm, ..] => {
                    is_key_algorithm(*algorithm) && (16..=65536).contains(&length)
                }
                _ => false,
            },
            TAG_COMPRESSED => match body {
                [1, block, ..] => block & 6 != 6,
                [2, method, check, ..] => {
                    method & 0xf == 8 && (u32::from(*method) << 8 | u32::from(*check)).is_multiple_of(31)
                }
                [3, b'B', b'Z', ..] => true,
                [0, rest @ ..] => Packet::parse(rest).is_some_and(|inner| inner.is_possible()),
                _ => false,
            },
            // Without a version byte: what is no text, and longer than any key.
            TAG_ENCRYPTED => body.len() > 64 && body.iter().any(|byte| matches!(byte, 0..=8 | 14..=26)),
            TAG_MARKER => body == b"PGP",
            TAG_LITERAL => match body {
                [b'b' | b'l' | b't' | b'u' | b'm' | b'1', name, ..] => length >= usize::from(*name) + 6,
                _ => false,
            },
            TAG_PROTECTED => matches!(body, [1, ..] | [2, 1..=13, 1..=3, 0..=16, ..]) && length >= 20,
            TAG_AEAD => matches!(body, [1, 1..=13, 1..=3, 0..=56, ..]) && length >= 20,
            _ => false,
        }
    }

    /// Whether what follows a packet that ends in sight is a packet too, or nothing.
    fn is_followed_by_another(&self, head: &[u8]) -> bool {
        let next = self.end.and_then(|end| head.get(end));
        next.is_none_or(|next| next & 0x80 != 0)
    }
}

/// The algorithms of RFC 9580 §9.1 and of the drafts for keys after quantum computers that encrypt.
const fn is_public_key_algorithm(number: u8) -> bool {
    matches!(number, 1 | 2 | 16 | 18 | 20 | 25 | 26 | 29..=36)
}

/// The algorithms of RFC 9580 §9.1, whatever they do.
const fn is_key_algorithm(number: u8) -> bool {
    is_public_key_algorithm(number) || matches!(number, 3 | 17 | 19 | 22 | 27 | 28)
}

/// A length of the new form (RFC 9580 §4.2.1): its width, the length, and whether it is final.
fn new_length(bytes: &[u8]) -> Option<(usize, usize, bool)> {
    Some(match *bytes.first()? {
        first @ 0..=191 => (1, usize::from(first), true),
        first @ 192..=223 => (2, (usize::from(first - 192) << 8) + usize::from(*bytes.get(1)?) + 192, true),
        // The first part of several has at least 512 bytes.
        first @ 224..=254 => (1, (first >= 224 + 9).then(|| 1 << (first & 0x1f))?, false),
        255 => (5, big_endian(bytes.get(1..5)?), true),
    })
}

fn big_endian(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, &byte| number << 8 | usize::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! fixture {
        ($name:literal) => {
            include_bytes!(concat!("../../fixtures/container/", $name))
        };
    }

    #[test]
    fn knows_what_gpg_makes() {
        let message = Kind::OpenPgp { skip: 0 };
        for bytes in [
            &fixture!("to-rsa.pgp")[..],
            fixture!("to-rsa.asc"),
            fixture!("to-hidden.pgp"),
            fixture!("to-curve25519.pgp"),
            fixture!("to-nistp256.pgp"),
            fixture!("to-elgamal.pgp"),
            fixture!("symmetric.pgp"),
            fixture!("symmetric-and-key.pgp"),
            fixture!("signed.pgp"),
            fixture!("compressed.pgp"),
            fixture!("no-mdc.pgp"),
        ] {
            assert_eq!(sniff(bytes), message);
            // Cut short it is still known for what it was.
            assert_eq!(sniff(&bytes[..100]), message);
        }
        assert_eq!(sniff(fixture!("signed-cleartext.asc")), Kind::OpenPgpClear { skip: 0 });
        assert_eq!(sniff(fixture!("signed-detached.asc")), Kind::OpenPgpDetached);
        assert_eq!(sniff(fixture!("vendor.cert.asc")), Kind::NotSeeds("an OpenPGP public key"));
        assert_eq!(sniff(fixture!("rsa.key.asc")), Kind::NotSeeds("an OpenPGP secret key"));
        assert_eq!(sniff(fixture!("rsa.key.gpg")), Kind::NotSeeds("an OpenPGP secret key"));
    }

    #[test]
    fn finds_armor_behind_the_text_of_a_mail() {
        let mail = [b"\xef\xbb\xbfDear customer,\r\n\r\n  ", &fixture!("to-rsa.asc")[..]].concat();
        assert_eq!(sniff(&mail), Kind::OpenPgp { skip: 23 });
        assert_eq!(sniff(b"serial,note\n1,-----BEGIN PGP MESSAGE-----\n"), Kind::Plain);
    }

    #[test]
    fn knows_archives() {
        assert_eq!(sniff(fixture!("aes256-ae2.zip")), Kind::Zip);
        assert_eq!(sniff(fixture!("renamed.pdf")), Kind::Zip);
        assert_eq!(sniff(fixture!("no-members.zip")), Kind::Zip);
        assert_eq!(sniff(&[b"PK00", &fixture!("plain.zip")[..]].concat()), Kind::Zip);
        assert_eq!(sniff(fixture!("tokens.csv.gz")), Kind::Gzip);
    }

    #[test]
    fn sees_a_message_cut_where_the_library_panics() {
        let message = fixture!("symmetric-quick.pgp");
        // A password packet of 14 bytes, and the header of the encrypted one in 3.
        let body = 17;
        assert!(!has_stub(message));
        assert!(!has_stub(&message[..body + LEAST_PROTECTED_BYTES]));
        assert!(has_stub(&message[..body + LEAST_PROTECTED_BYTES - 1]));
        assert!(has_stub(&message[..body]));
    }

    #[test]
    fn leaves_text_alone() {
        for text in [
            &b"upn,serial number,secret key\n"[..],
            b"\xef\xbb\xbfupn,serial",
            b"\xff\xfeu\0p\0n\0,\0s\0e\0r\0i\0a\0l\0",
            b"\xfe\xff\0u\0p\0n\0,\0s",
            b"<?xml version=\"1.0\"?>",
            "Älter,Öde,Übung,ß,§ 1,é,ç,ñ,¤".as_bytes(),
            // The same in Latin-1, where letters look like packet headers.
            b"\xc4lter,\xd6de,\xdcbung,\xdf,\xa7 1,\xe9,\xe7,\xf1,\xa4 and a little more of it",
            b"\xc9tat,num\xe9ro de s\xe9rie,cl\xe9 secr\xe8te et encore un peu de texte",
            b"PKI token list",
            b"\x80",
        ] {
            assert_eq!(sniff(text), Kind::Plain, "{text:02x?}");
        }
    }

    #[test]
    fn names_the_containers_that_are_not_opened() {
        // The first bytes of what 7zz, xz, zstd, bzip2 and tar write.
        assert_eq!(sniff(b"7z\xbc\xaf\x27\x1c\0\x04"), Kind::Unopened("7z archive"));
        assert_eq!(sniff(b"\xfd7zXZ\0\0\x04"), Kind::Unopened("xz file"));
        assert_eq!(sniff(b"BZh91AY&SY"), Kind::Unopened("bzip2 file"));
        let mut tar = b"tokens.csv".to_vec();
        tar.resize(257, 0);
        tar.extend(b"ustar\0");
        assert_eq!(sniff(&tar), Kind::Unopened("tar archive"));
    }

    #[test]
    fn hardly_ever_takes_a_raw_key_for_a_message() {
        // A fixed sequence of 16-byte keys (a 64-bit linear congruential generator, Knuth's constants).
        let mut state = 1_u64;
        let mut taken = 0;
        for _ in 0..100_000 {
            let key: Vec<u8> = (0..16)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (state >> 56) as u8
                })
                .collect();
            taken += u32::from(sniff(&key) != Kind::Plain);
        }
        assert!(taken < 100, "{taken} of 100,000 keys were taken for something else");
    }
}
