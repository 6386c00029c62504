//! The seeds of a column in, the one encoding that they can all have out.
//!
//! A hex seed without 0, 1, 8 and 9 is also legal Base32, and every Base32 text of the right length is legal
//! Base64, so one value proves little and a column proves much. [`look`] says what one value can honestly be;
//! [`Settlement`] takes values in the order of their rows, and is settled at the first that leaves one reading.
//! It never sees chunks, so its answer cannot depend on them.
//!
//! # What a value can be
//!
//! | value | can be |
//! | --- | --- |
//! | hex digits, even in number, with 0, 1, 8, 9 or of a length that Base32 has not | hex |
//! | hex digits, even in number, that are also Base32 | hex or Base32 |
//! | Base32 in one case, with a letter beyond F | Base32 |
//! | letters of both cases, Base32 and Base64 | Base64, or Base32 typed oddly |
//! | letters of both cases, Base64 only | Base64 |
//! | fewer than 14 digits, such as `NONE` or `LOST` | nothing: no evidence |
//! | hex digits, odd in number; Base32 digits of an impossible length; anything else | nothing: no evidence |
//!
//! The last rows matter: a word in place of a seed settles nothing; 39 hex digits are legal Base64 without padding, and 65 come out of Token2's converter.
//! Reading a cut value in an encoding that merely admits it would give a wrong seed.
//!
//! # Source
//!
//! Chances for random seeds: hex of 20 bytes that is also Base32, 1 in 100,000; Base64 of 24 bytes that is also
//! Base32, 4 in 100, and in one case 1 in 10^9; Base32 of 20 bytes with hex digits only, 1 in 10^13.

use crate::error::ErrorKind;
use crate::record::{Code, Encoding, fits, spells};

/// What one value can honestly be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Base32,
    Base32OrBase64,
    Base64,
    Hex,
    HexOrBase32,
    /// Too short for a seed: no evidence.
    Short,
    /// Nothing, or cut: no evidence.
    Unclear,
}

/// Digits of the shortest seed that anyone sends: 10 bytes in Base64 without padding.
const SHORTEST: usize = 14;

/// Looks at one value.
pub(super) fn look(text: &str) -> Look {
    // Nearly every value is long; only where it might not be, its digits are counted.
    if text.len() < 2 * SHORTEST && text.chars().filter(|digit| digit.is_alphanumeric()).count() < SHORTEST {
        return Look::Short;
    }
    look_at_digits(text).unwrap_or_else(|| look_at_text(text))
}

/// Looks at a value that is nothing but digits of some encoding, in one pass: as nearly all are.
fn look_at_digits(text: &str) -> Option<Look> {
    let (all, any) = text.bytes().fold((!0, 0), |(all, any), byte| {
        let class = CLASSES[usize::from(byte)];
        (all & class, any | class)
    });
    // The `x` of a leading `0x` is a digit of Base64.
    if all & BASE64 == 0 || text.is_empty() || text.as_bytes().get(1).is_some_and(|byte| byte | 0x20 == b'x') {
        return None;
    }
    let base32 = all & BASE32 != 0 && !matches!(text.len() % 8, 1 | 3 | 6);
    if all & HEX != 0 {
        return Some(match (text.len() % 2, base32) {
            (0, true) => Look::HexOrBase32,
            (0, false) => Look::Hex,
            _ => Look::Unclear,
        });
    }
    Some(cases(any & (LOWER | UPPER) == LOWER | UPPER, base32, text.len() % 4 != 1))
}

const HEX: u8 = 1;
const BASE32: u8 = 2;
const BASE64: u8 = 4;
const LOWER: u8 = 8;
const UPPER: u8 = 16;

/// Which alphabets each byte is in, and its case.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        let mut class = 0;
        if byte.is_ascii_hexdigit() {
            class |= HEX;
        }
        if byte.is_ascii_alphabetic() || matches!(byte, b'2'..=b'7') {
            class |= BASE32;
        }
        if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/') {
            class |= BASE64;
        }
        if byte.is_ascii_lowercase() {
            class |= LOWER;
        }
        if byte.is_ascii_uppercase() {
            class |= UPPER;
        }
        classes[byte as usize] = class;
        byte += 1;
    }
    classes
};

/// Looks at a value that may have spaces, dashes, a prefix or padding in it.
fn look_at_text(text: &str) -> Look {
    if spells(text, Encoding::Hex) {
        return match (fits(text, Encoding::Hex), fits(text, Encoding::Base32)) {
            (true, false) => Look::Hex,
            (true, true) => Look::HexOrBase32,
            (false, _) => Look::Unclear,
        };
    }
    let lower = text.bytes().any(|byte| byte.is_ascii_lowercase());
    let upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
    let base32 = fits(text, Encoding::Base32);
    let base64 = fits(text, Encoding::Base64);
    cases(lower && upper, base32, base64)
}

/// What is no hex can be, by its case and what it fits.
const fn cases(both: bool, base32: bool, base64: bool) -> Look {
    match (both, base32, base64) {
        (false, true, _) => Look::Base32,
        (true, true, true) => Look::Base32OrBase64,
        (true, false, true) => Look::Base64,
        _ => Look::Unclear,
    }
}

/// What a value of a settled column is to that column.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// One of it, or of no encoding at all; decoding tells which.
    Fits,
    /// It can be read in the column's encoding, but only by chance.
    Doubtful(Code, String),
    /// It can only be of another encoding.
    Contradicts(Encoding),
}

/// Judges a value of a column that was settled.
pub(super) fn judge(text: &str, settled: Encoding) -> Verdict {
    let found = match (settled, look(text)) {
        (Encoding::Hex, Look::Hex | Look::HexOrBase32)
        // Base32 that is hex too is refused by `normalize`, wherever it comes from.
        | (Encoding::Base32, Look::Base32 | Look::HexOrBase32)
        | (Encoding::Base64, Look::Base64 | Look::Base32OrBase64)
        // Decoding tells that it is too short, or none at all.
        | (_, Look::Short) => return Verdict::Fits,
        (_, Look::Hex) => return Verdict::Contradicts(Encoding::Hex),
        (_, Look::Base32) => return Verdict::Contradicts(Encoding::Base32),
        (Encoding::Base64, Look::HexOrBase32) => return Verdict::Contradicts(Encoding::Hex),
        (_, Look::Base64) | (Encoding::Hex, Look::Base32OrBase64) => return Verdict::Contradicts(Encoding::Base64),
        (Encoding::Base32, Look::Base32OrBase64) => "Base64 too",
        (_, Look::Unclear) if fits(text, settled) => "more likely cut text of another encoding",
        (_, Look::Unclear) => return Verdict::Fits,
    };
    let message = format!(
        "the seed can be read in two ways: expected text that is {settled} only, but found text that is {found}"
    );
    Verdict::Doubtful(Code::SeedAmbiguous, message)
}

/// Settles the encoding of a column, value by value.
#[derive(Debug, Default)]
pub(super) struct Settlement {
    /// Lines of the first value of each look; those that settle are never kept.
    hex_or_base32: Option<u64>,
    base32_or_base64: Option<u64>,
    /// The line of the first value that is no evidence, and what it is.
    unclear: Option<(u64, &'static str)>,
}

/// What a value is that can be nothing, without a word of it.
fn nothing(text: &str) -> &'static str {
    let digits = text.chars().filter(|digit| digit.is_alphanumeric()).count();
    if digits < SHORTEST {
        "too few digits for a seed"
    } else if spells(text, Encoding::Hex) {
        "an odd number of hex digits"
    } else if Encoding::ALL.into_iter().any(|encoding| spells(text, encoding)) {
        "a number of digits that no bytes have"
    } else {
        "words, or signs that no encoding has"
    }
}

impl Settlement {
    /// Takes the next value; answers the encoding when this one settles it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::EncodingMixed`] when no encoding is left.
    pub(super) fn see(&mut self, line: u64, text: &str, column: &str) -> Result<Option<Encoding>, ErrorKind> {
        let mixed = |first, first_at: Option<u64>, second| match first_at {
            None => Ok(Some(second)),
            Some(first_at) => {
                let column = column.to_owned();
                Err(ErrorKind::EncodingMixed { column, first, first_at, second, second_at: line })
            }
        };
        match look(text) {
            Look::Base32 => Ok(Some(Encoding::Base32)),
            Look::Base64 => mixed(Encoding::Hex, self.hex_or_base32, Encoding::Base64),
            Look::Hex => mixed(Encoding::Base64, self.base32_or_base64, Encoding::Hex),
            Look::Base32OrBase64 => {
                self.base32_or_base64.get_or_insert(line);
                Ok(None)
            }
            Look::HexOrBase32 => {
                self.hex_or_base32.get_or_insert(line);
                Ok(None)
            }
            Look::Short | Look::Unclear => {
                self.unclear.get_or_insert_with(|| (line, nothing(text)));
                Ok(None)
            }
        }
    }

    /// Ends the column without its being settled. `Ok` when it has no values, so that nothing is there to read.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::EncodingUnsettled`] with every reading that is left, or [`ErrorKind::SeedsUnreadable`] where none is.
    pub(super) fn end(self, column: &str) -> Result<(), ErrorKind> {
        let readings = match (self.hex_or_base32, self.base32_or_base64) {
            (Some(_), None) => vec![Encoding::Hex, Encoding::Base32],
            (None, Some(_)) => vec![Encoding::Base32, Encoding::Base64],
            (Some(_), Some(_)) => Encoding::ALL.to_vec(),
            (None, None) => {
                return match self.unclear {
                    None => Ok(()),
                    Some((line, found)) => Err(ErrorKind::SeedsUnreadable { column: column.to_owned(), line, found }),
                };
            }
        };
        Err(ErrorKind::EncodingUnsettled { column: column.to_owned(), readings })
    }
}

/// Checks a column whose format prescribes Base32: it must not be another encoding from top to bottom.
#[derive(Debug, Default)]
pub(super) struct Prescription {
    settlement: Settlement,
    hex: u64,
    base64: u64,
}

impl Prescription {
    /// Takes the next value; answers whether the column is what its format says, so that no more need be seen.
    pub(super) fn see(&mut self, line: u64, text: &str) -> bool {
        match look(text) {
            Look::Base32 => return true,
            Look::Base64 => self.base64 += 1,
            Look::Hex => self.hex += 1,
            Look::Base32OrBase64 => self.settlement.base32_or_base64 = Some(line),
            Look::HexOrBase32 => self.settlement.hex_or_base32 = Some(line),
            // A damaged value is a finding on its record, and says nothing of the column.
            Look::Short | Look::Unclear => {}
        }
        false
    }

    /// Ends the column without a value that is only Base32.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::EncodingUnexpected`], and whatever [`Settlement::end`] answers.
    pub(super) fn end(self, column: &str) -> Result<(), ErrorKind> {
        let found = match (self.hex, self.base64) {
            (0, 0) => return self.settlement.end(column),
            (hex, base64) if hex >= base64 => Encoding::Hex,
            _ => Encoding::Base64,
        };
        Err(ErrorKind::EncodingUnexpected { column: column.to_owned(), expected: Encoding::Base32, found })
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    // All of these are one invented key of 20 bytes, counting from 0x30, by Python's binascii and base64.
    const HEX: &str = "303132333435363738393a3b3c3d3e3f40414243";
    const BASE32: &str = "GAYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD";
    const BASE64: &str = "MDEyMzQ1Njc4OTo7PD0+P0BBQkM=";
    /// Hex of a seed that has only letters and 2 to 7.
    const BOTH: &str = "a2b3c4d5e6f7a2b3c4d5e6f7a2b3c4d5e6f7a2b3";
    /// Base64 of 24 bytes that has only letters and 2 to 7.
    const WEAK: &str = "abcdEFGH2345ijklMNOP67qrSTUVwxyz";

    #[test]
    fn says_what_one_value_can_be() {
        for (text, expected) in [
            (HEX, Look::Hex),
            ("0x3031 3233-3435 3637", Look::Hex),
            ("30:31:32:33:34:35:36:37", Look::Hex),
            ("THIS-TOKEN-WAS-LOST-ASK-VENDOR-FOR-HELP", Look::Unclear),
            (BASE32, Look::Base32),
            ("gayt emzu-gu3d oobz", Look::Base32),
            ("NONE", Look::Short),
            ("Key", Look::Short),
            ("3031323334353", Look::Short),
            ("30313233343536", Look::Hex),
            (BASE64, Look::Base64),
            (BOTH, Look::HexOrBase32),
            // 22 characters are 6 modulo 8, which Base32 has not.
            (&BOTH[..22], Look::Hex),
            (WEAK, Look::Base32OrBase64),
            ("abcdefABCDEFa2b", Look::Unclear),
            ("abcxyzABCXYZa2b4c", Look::Unclear),
            (&HEX[..39], Look::Unclear),
            (&BASE32[..27], Look::Unclear),
            ("see letter", Look::Short),
            ("see the letter beside", Look::Unclear),
            ("", Look::Short),
        ] {
            assert_eq!(look(text), expected, "{text}");
        }
    }

    /// Settles a column whose first value stands on line 2.
    fn check(values: &[&str], expected: &Expect) {
        let mut settlement = Settlement::default();
        let mut answer = None;
        for (line, value) in (2..).zip(values) {
            match settlement.see(line, value, "Key") {
                Ok(None) => continue,
                Ok(Some(encoding)) => answer = Some(format!("{encoding} at line {line}")),
                Err(kind) => answer = Some(kind.to_string()),
            }
            break;
        }
        let answer = answer.unwrap_or_else(|| match settlement.end("Key") {
            Ok(()) => "nothing to settle".to_owned(),
            Err(kind) => kind.to_string(),
        });
        expected.assert_eq(&answer);
    }

    #[test]
    fn settles_at_the_first_value_that_leaves_one_reading() {
        check(&[HEX, HEX], &expect!["hex at line 2"]);
        check(&[BOTH, BOTH, HEX], &expect!["hex at line 4"]);
        check(&[BASE32], &expect!["Base32 at line 2"]);
        check(&[BOTH, BASE32], &expect!["Base32 at line 3"]);
        check(&[BASE64], &expect!["Base64 at line 2"]);
        check(&[WEAK, BASE64], &expect!["Base64 at line 3"]);
        check(&["NONE", HEX], &expect!["hex at line 3"]);
        check(&[&HEX[..39], "see letter", BASE32], &expect!["Base32 at line 4"]);
    }

    #[test]
    fn asks_where_nothing_settles_it() {
        check(&[BOTH, BOTH], &expect!["column `Key` can be read as hex or Base32: nothing in it says which"]);
        check(&[WEAK], &expect!["column `Key` can be read as Base32 or Base64: nothing in it says which"]);
        check(&[WEAK, BOTH], &expect!["column `Key` can be read as hex or Base32 or Base64: nothing in it says which"]);
        check(
            &[&HEX[..39]],
            &expect![
                "no value of column `Key` can be read: expected hex, Base32 or Base64, but found an odd number of hex digits on line 2"
            ],
        );
        check(
            &["NONE", &HEX[..39]],
            &expect![
                "no value of column `Key` can be read: expected hex, Base32 or Base64, but found too few digits for a seed on line 2"
            ],
        );
        check(
            &[&BASE32[..27]],
            &expect![
                "no value of column `Key` can be read: expected hex, Base32 or Base64, but found a number of digits that no bytes have on line 2"
            ],
        );
        check(
            &["'GAYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD"],
            &expect![
                "no value of column `Key` can be read: expected hex, Base32 or Base64, but found words, or signs that no encoding has on line 2"
            ],
        );
        check(&[], &expect!["nothing to settle"]);
    }

    #[test]
    fn refuses_a_column_of_two_encodings() {
        check(
            &[BOTH, BASE64],
            &expect!["column `Key` has two encodings: line 2 can only be hex, but line 3 only Base64"],
        );
        check(&[WEAK, HEX], &expect!["column `Key` has two encodings: line 2 can only be Base64, but line 3 only hex"]);
    }

    #[test]
    fn a_settled_column_takes_no_value_of_another_encoding() {
        for (settled, own, others) in [
            (Encoding::Hex, HEX, [(BASE32, Encoding::Base32), (BASE64, Encoding::Base64)]),
            (Encoding::Base32, BASE32, [(HEX, Encoding::Hex), (BASE64, Encoding::Base64)]),
            (Encoding::Base64, BASE64, [(HEX, Encoding::Hex), (BASE32, Encoding::Base32)]),
        ] {
            assert_eq!(judge(own, settled), Verdict::Fits);
            assert_eq!(judge("see letter", settled), Verdict::Fits, "decoding will say so");
            for (other, found) in others {
                assert_eq!(judge(other, settled), Verdict::Contradicts(found));
            }
        }
        assert_eq!(judge(BOTH, Encoding::Hex), Verdict::Fits);
        assert_eq!(judge(BOTH, Encoding::Base32), Verdict::Fits, "normalize will say so");
        assert_eq!(judge(WEAK, Encoding::Base64), Verdict::Fits);
        assert_eq!(judge("NONE", Encoding::Hex), Verdict::Fits, "decoding will say so");
    }

    #[test]
    fn a_value_that_fits_by_chance_is_doubted() {
        let check = |text, settled, expected: &Expect| match judge(text, settled) {
            Verdict::Doubtful(Code::SeedAmbiguous, message) => expected.assert_eq(&message),
            verdict => panic!("{verdict:?}"),
        };
        check(
            WEAK,
            Encoding::Base32,
            &expect![
                "the seed can be read in two ways: expected text that is Base32 only, but found text that is Base64 too"
            ],
        );
        let cut = &HEX[..39];
        check(
            cut,
            Encoding::Base64,
            &expect![
                "the seed can be read in two ways: expected text that is Base64 only, but found text that is more likely cut text of another encoding"
            ],
        );
    }

    #[test]
    fn a_prescribed_column_may_have_damaged_values_but_not_another_encoding() {
        let check = |values: &[&str], expected: &Expect| {
            let mut prescription = Prescription::default();
            let done = (2..).zip(values).any(|(line, value)| prescription.see(line, value));
            let answer = if done { Ok(()) } else { prescription.end("secret key") };
            expected.assert_eq(&answer.map_or_else(|kind| kind.to_string(), |()| "as prescribed".to_owned()));
        };
        check(&[HEX, BASE32], &expect!["as prescribed"]);
        check(&["see letter"], &expect!["as prescribed"]);
        check(&[], &expect!["as prescribed"]);
        check(&[BOTH, HEX], &expect!["column `secret key` holds hex: expected Base32, which the format prescribes"]);
        check(
            &[BASE64, WEAK],
            &expect!["column `secret key` holds Base64: expected Base32, which the format prescribes"],
        );
        check(&[BOTH], &expect!["column `secret key` can be read as hex or Base32: nothing in it says which"]);
        check(&[WEAK], &expect!["column `secret key` can be read as Base32 or Base64: nothing in it says which"]);
    }

    proptest! {
        // Six values leave less than one column in 10^8 unsettled.
        #[test]
        fn columns_of_random_seeds_settle_as_they_were_written(
            seeds in prop::collection::vec(prop::collection::vec(any::<u8>(), 16..65), 6),
            encoding in prop::sample::select(&Encoding::ALL[..]),
            lower: bool,
        ) {
            let mut settlement = Settlement::default();
            let mut settled = None;
            for (line, seed) in (2..).zip(seeds) {
                let mut out = crate::record::Plain::default();
                crate::record::encode(&crate::record::Seed::new(seed), encoding, &mut out);
                let mut text = String::from_utf8(out.to_vec()).expect("ASCII");
                if lower && encoding != Encoding::Base64 {
                    text.make_ascii_lowercase();
                }
                match settled {
                    None => settled = settlement.see(line, &text, "Key").expect("one encoding"),
                    Some(settled) => prop_assert!(!matches!(judge(&text, settled), Verdict::Contradicts(_))),
                }
            }
            prop_assert_eq!(settled, Some(encoding));
        }

        #[test]
        fn both_ways_of_looking_see_the_same(
            text in "[0-9a-f]{0,17}|[A-Z2-7]{0,17}|[A-Za-z2-7]{0,9}|[A-Za-z0-9+/]{0,13}|0x[0-9A-F]{0,9}|[ -~]{0,9}",
        ) {
            if let Some(look) = look_at_digits(&text) {
                prop_assert_eq!(look, look_at_text(&text));
            }
        }
    }
}
