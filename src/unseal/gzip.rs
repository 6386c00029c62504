//! A gzip stream in, its content out, with the CRC and the length of every part checked.
//!
//! # Source
//!
//! RFC 1952; §2.2 lets a file have several parts, which read as one.

use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use crate::error::{Error, ErrorKind};

/// Opens a gzip layer.
pub(super) fn open<R: Read>(source: R) -> impl Read + use<R> {
    MultiGzDecoder::new(BufReader::with_capacity(64 << 10, source))
}

/// What a failure of the decoder means.
pub(super) fn damaged(error: io::Error) -> Error {
    let detail = match error.kind() {
        io::ErrorKind::UnexpectedEof => "the file ends early",
        io::ErrorKind::InvalidInput if error.to_string().contains("header") => "something that is no gzip follows it",
        _ => "its content does not match its checksum",
    };
    Error::new(ErrorKind::ContainerDamaged { layer: "gzip file", detail: detail.to_owned() }).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GZ: &[u8] = include_bytes!("../../fixtures/container/tokens.csv.gz");
    const CSV: &[u8] = include_bytes!("../../fixtures/container/tokens.csv");

    fn content(bytes: &[u8]) -> Result<Vec<u8>, String> {
        let mut content = Vec::new();
        match open(bytes).read_to_end(&mut content) {
            Ok(_) => Ok(content),
            Err(error) => Err(damaged(error).to_string()),
        }
    }

    #[test]
    fn reads_all_parts_as_one() {
        assert_eq!(content(GZ).expect("gzip made it"), CSV);
        assert_eq!(content(&[GZ, GZ].concat()).expect("gzip reads it so"), [CSV, CSV].concat());
    }

    #[test]
    fn says_what_is_damaged() {
        let ends = content(&GZ[..GZ.len() - 1]).expect_err("the length is cut");
        assert_eq!(ends, "the gzip file is damaged: the file ends early");
        let mut flipped = GZ.to_vec();
        flipped[GZ.len() - 5] ^= 1;
        let flipped = content(&flipped).expect_err("the CRC is wrong");
        assert_eq!(flipped, "the gzip file is damaged: its content does not match its checksum");
        let trailing = content(&[GZ, b"trailing garbage"].concat()).expect_err("garbage follows");
        assert_eq!(trailing, "the gzip file is damaged: something that is no gzip follows it");
    }

    #[test]
    fn no_cut_of_it_reads_as_whole() {
        for length in 1..GZ.len() {
            assert!(content(&GZ[..length]).is_err(), "{length}");
        }
    }
}
