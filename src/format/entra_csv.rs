//! The CSV of Entra's legacy upload: rows in, drafts out; tokens in, rows out.
//!
//! # Shape
//!
//! ```text
//! upn,serial number,secret key,time interval,manufacturer,model
//! ada@example.com,1000001,GAYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD,30,Contoso,HardwareKey
//! ```
//!
//! # Units
//!
//! `time interval` is in seconds.
//!
//! # Source
//!
//! Microsoft, "OATH tokens authentication method": TOTP with SHA-1 and six digits, 30 or 60 seconds, secrets in Base32 of at
//! most 128 characters, an apostrophe in a UPN doubled.
//!
//! # Leniency
//!
//! Columns in any order and case; `upn` may be missing (Deepnet); `timeinterval` as in older pages and with Token2;
//! the word `upn` as a user, and a space after the comma (Token2); semicolons from a local Excel. A header with
//! further columns is generic CSV, so that a hash is not lost.
//!
//! A column that is not Base32 from top to bottom (Mi-Token sends hex) stops the run.
//!
//! # Memory
//!
//! Streams; one chunk.
//!
//! # Example
//!
//! ```
//! use seedmill::format::Format;
//!
//! let delivered = b"serial number,secret key,time interval,manufacturer,model\n";
//! assert_eq!(Format::detect(delivered)?, Some(Format::EntraCsv));
//! # Ok::<(), seedmill::error::Error>(())
//! ```

use crate::error::Result;
use crate::record::{Algorithm, Encoding, Field, Fields, Holds, Moving, Plain, Token, UserHeld, encode_base32};

use super::csv::{self, Layout, SeedRule};
use super::csv_maps::plain;
use super::cut::Head;
use super::{Description, Opened, ReadOptions};

/// What `seedmill formats` tells.
pub(super) const DESCRIPTION: Description = Description {
    reads: "the six columns in any order and case, with or without `upn`",
    writes: "`upn,serial number,secret key,time interval,manufacturer,model`",
    loses: "issue, key_id, type, hash, digits, counter, drift: TOTP with SHA-1 and six digits only",
    source: "Microsoft Entra, upload of OATH tokens",
    memory: "streams",
};

/// What an upload can hold.
pub(super) const HOLDS: Holds = Holds {
    entra: true,
    spreadsheet: true,
    same_serial: false,
    hotp: false,
    digits: &[6],
    periods: &[30, 60],
    hashes: &[Algorithm::Sha1],
    seed_base32_characters: Some(128),
    seed_bytes: None,
    fields: Fields::of(&[Field::Serial, Field::Seed, Field::Period, Field::Manufacturer, Field::Model, Field::Upn]),
    user: UserHeld::Upn,
    chosen: false,
};

/// The header, exactly as Entra wants it.
pub(super) const HEAD: &[u8] = b"upn,serial number,secret key,time interval,manufacturer,model\n";

/// What its columns are.
const COLUMNS: [Option<Field>; 6] = [
    Some(Field::Upn),
    Some(Field::Serial),
    Some(Field::Seed),
    Some(Field::Period),
    Some(Field::Manufacturer),
    Some(Field::Model),
];

/// The spellings seen, without case, white space and punctuation.
const NAMES: [&str; 7] =
    ["manufacturer", "model", "secretkey", "serialnumber", "timeinterval", "timeintervalinseconds", "upn"];

/// Whether the first row is Entra's header, with nothing beside it.
pub(super) fn fits(head: &[u8]) -> bool {
    let cells: Vec<_> = csv::first_cells(csv::readable(head)).iter().map(|cell| plain(cell)).collect();
    let has = |name: &str| cells.iter().any(|cell| cell.as_str() == name);
    has("serialnumber")
        && has("secretkey")
        && cells.iter().all(|cell| cell.is_empty() || NAMES.contains(&cell.as_str()))
}

/// How written rows are read back.
pub(super) fn layout() -> Layout {
    let mut head = Plain::default();
    head.extend(HEAD);
    Layout::written(&COLUMNS, b',', Encoding::Base32, head).with_doubled_apostrophes()
}

/// Finds the columns and makes sure that the seeds are Base32.
pub(super) fn open<'s>(head: Head<'s>, options: &ReadOptions) -> Result<Opened<'s>> {
    csv::open_as(head, options, SeedRule::Base32)
}

/// Writes a row.
pub(super) fn item(token: &Token<'_>, out: &mut Plain) {
    if let Some(user) = &token.upn {
        if user.contains('\'') {
            csv::write_field(&user.replace('\'', "''"), b',', true, out);
        } else {
            csv::write_field(user, b',', true, out);
        }
    }
    out.extend(b",");
    if let Some(serial) = &token.serial {
        csv::write_field(serial.as_str(), b',', false, out);
    }
    out.extend(b",");
    encode_base32(&token.seed, out);
    out.extend(b",");
    // HOTP has no time step and is rejected for this target; a blank column would be refused by the proof too.
    if let Moving::Period { seconds, .. } = token.otp.moving {
        super::json::number(u64::from(seconds.get()), out);
    }
    out.extend(b",");
    if let Some(manufacturer) = &token.manufacturer {
        csv::write_field(manufacturer, b',', false, out);
    }
    out.extend(b",");
    if let Some(model) = &token.model {
        csv::write_field(model, b',', false, out);
    }
    out.extend(b"\n");
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;
    use crate::format::testing::{check_truth, drafts, read_back, token, written};
    use crate::format::{CsvOptions, Format, Writer};

    fn check(path: &str, expected: &Expect) {
        expected.assert_eq(&drafts(path, &ReadOptions::default()));
    }

    #[test]
    fn reads_the_seeds_that_vendors_send() {
        for path in [
            "deepnet/10001001.csv.txt",
            "deepnet/excel-semicolon.csv",
            "microsoft/new-docs.csv",
            "microsoft/old-docs.csv",
            "token2/azure.csv",
            "token2/powershell.csv",
        ] {
            check_truth(&format!("vendor/{path}"), Format::EntraCsv, &ReadOptions::default());
        }
        let csv = CsvOptions { seed_encoding: Some(Encoding::Hex), ..CsvOptions::default() };
        let hex = ReadOptions { csv, ..ReadOptions::default() };
        check_truth("vendor/mi-token/entra-shaped.csv", Format::EntraCsv, &hex);
    }

    #[test]
    fn reads_users_as_token2_writes_them() {
        check(
            "vendor/token2/azure.csv",
            &expect![[r#"
            line 2 serial="86546559624" manufacturer="Token2" model="C301i" period="30" seed=prescribed Base32 8ec009e7b7242075831b68a317c464532e5a4c62
            line 3 serial="86546559625" manufacturer="Token2" model="C301i" period="30" upn="ada@token2.example" seed=prescribed Base32 5900dc283674ef8007d712efb9bb442916b2812a
            line 4 serial="86546559626" manufacturer="Token2" model="C301i" period="30" seed=prescribed Base32 d66f4b43b67281a05a1702b141af9bbd0dc20ed8
            line 5 serial="86546559627" manufacturer="Token2" model="C301i" period="30" upn="o'neil@token2.example" seed=prescribed Base32 8f6b23157ed5629c292330a05f49aae966a60f53
        "#]],
        );
        check(
            "vendor/microsoft/new-docs.csv",
            &expect![[r#"
            line 2 serial="1234567" manufacturer="Contoso" model="HardwareKey" period="30" upn="Helga@contoso.example" seed=prescribed Base32 d10f88de3cb028631dd9f421cc9edf70e010a0a8
            line 3 serial="1234568" manufacturer="Contoso" model="HardwareKey" period="30" upn="Helga@contoso.example" seed=prescribed Base32 f7ec412822ca6b58ded5381094cf1e3807168523
        "#]],
        );
    }

    #[test]
    fn a_header_with_more_columns_is_left_to_generic_csv() {
        assert!(fits(b"MODEL, Secret Key ,SerialNumber\n"));
        assert!(!fits(b"serial number,secret key,hash function\n"));
        assert!(!fits(b"serial number,model\n"));
        assert!(!fits(b"dear customer, here are your serial number and secret key\n"));
        assert!(!fits(b""));
    }

    #[test]
    fn never_takes_a_column_of_another_encoding_for_base32() {
        check(
            "invalid/csv-entra-hex.csv",
            &expect![[r#"
            column `secret key` holds hex: expected Base32, which the format prescribes
              at member
        "#]],
        );
        check(
            "invalid/csv-entra-base64.csv",
            &expect![[r#"
            column `secret key` holds Base64: expected Base32, which the format prescribes
              at member
        "#]],
        );
        check(
            "invalid/csv-entra-hex-like-base32.csv",
            &expect![[r#"
            column `secret key` can be read as hex or Base32: nothing in it says which
              at member
        "#]],
        );
    }

    #[test]
    fn a_seed_that_may_be_base64_is_doubted() {
        check(
            "invalid/csv-entra-one-base64.csv",
            &expect![[r#"
                line 2 serial="9000001" manufacturer="Contoso" model="HardwareKey" period="30" seed=prescribed Base32 be6421061f9ac7edba580ec9a4ca93a2516cbd7a
                line 3 serial="9000002" manufacturer="Contoso" model="HardwareKey" period="30" seed=prescribed Base32 00443214c7d6f9d4254b635cff7e1194e95b5f19 [seed-ambiguous] the seed can be read in two ways: expected text that is Base32 only, but found text that is Base64 too
            "#]],
        );
    }

    #[test]
    fn writes_what_entra_wants() {
        let token = Token {
            place: None,
            serial: crate::record::Serial::parse("000123".into()),
            issue: None,
            key_id: None,
            manufacturer: Some("Contoso, Ltd.".into()),
            model: Some("5\" display".into()),
            otp: crate::record::Otp {
                algorithm: Algorithm::Sha1,
                digits: crate::record::Digits::SIX,
                moving: Moving::Period { seconds: 30.try_into().expect("above 0"), drift: 0 },
            },
            upn: Some("o'neil@example.com".into()),
            seed: crate::record::Seed::new(b"0123456789:;<=>?@ABC".to_vec()),
        };
        let written = written(&Writer::EntraCsv, &[token.clone(), Token { upn: None, ..token }]);
        expect![[r#"
            upn,serial number,secret key,time interval,manufacturer,model
            o''neil@example.com,000123,GAYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD,30,"Contoso, Ltd.","5"" display"
            ,000123,GAYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD,30,"Contoso, Ltd.","5"" display"
        "#]]
        .assert_eq(&String::from_utf8(written).expect("UTF-8"));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(tokens in prop::collection::vec(token(), 1..5)) {
            let writer = Writer::EntraCsv;
            let read = read_back(&writer, &written(&writer, &tokens)).expect("our own rows");
            prop_assert_eq!(read.len(), tokens.len());
            for (token, read) in tokens.iter().zip(read) {
                let mut expected = String::new();
                for (name, value) in [
                    ("serial", token.serial.as_ref().map(|serial| serial.as_str().to_owned())),
                    ("manufacturer", token.manufacturer.as_deref().map(str::to_owned)),
                    ("model", token.model.as_deref().map(str::to_owned)),
                    ("period", match token.otp.moving {
                        Moving::Period { seconds, .. } => Some(seconds.to_string()),
                        Moving::Counter { .. } => None,
                    }),
                    ("upn", token.upn.as_deref().map(str::to_owned)),
                ] {
                    if let Some(value) = value {
                        expected += &format!(" {name}={value:?}");
                    }
                }
                let seed = data_encoding::HEXLOWER.encode(token.seed.expose());
                expected += &format!(" seed=declared Base32 {seed}");
                // The line number is tested for any columns; here a model may have line ends.
                let read = read.trim_start_matches("line ").trim_start_matches(|digit: char| digit.is_ascii_digit());
                prop_assert_eq!(read, expected);
            }
        }
    }
}
