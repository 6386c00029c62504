//! Files that only their makers' programs can open: recognised, and refused with what to ask for instead.
//!
//! # Source
//!
//! Documentation of OneSpan, HID and Fortinet. None describes how such a file begins, so where no format fits a member its
//! name counts: this is only for the message.

use crate::error::ErrorKind;

/// What a member is by its name, where it is one of these.
pub(in crate::format) fn by_name(name: &str) -> Option<ErrorKind> {
    let (_, extension) = name.rsplit_once('.')?;
    let (what, ask) = match extension.to_ascii_lowercase().as_str() {
        "dpx" => (
            "a `.dpx` file of OneSpan (Vasco), encrypted with a transport key",
            "the tokens as PSKC (RFC 6030), encrypted, with the key in a separate document",
        ),
        "sds" => (
            "a `.sds` file of HID ActivID, encrypted with a transport key",
            "the tokens as PSKC (RFC 6030) with a 128-bit key in hex",
        ),
        "ftk" => (
            "a `.ftk` file of Fortinet, encrypted with a pre-shared key",
            "the seeds in its MS Azure format, which is a seed request to Fortinet's support",
        ),
        _ => return None,
    };
    Some(ErrorKind::VendorSealed { what, ask })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_to_ask_for() {
        for (name, vendor) in [("a/tokens.DPX", "OneSpan"), ("x.sds", "HID"), ("FTK200.ftk", "Fortinet")] {
            let message = by_name(name).expect("a sealed file").to_string();
            assert!(message.contains(vendor), "{message}");
        }
        for name in ["tokens.csv", "dpx", ""] {
            assert!(by_name(name).is_none(), "{name}");
        }
    }
}
