//! Every vendor's fixtures through detection and reader, and the messages of what is refused.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use crate::format::testing::{check_truth, drafts, fixture, pieces, read_back, token, written};
use crate::format::{CsvOptions, Format, ReadOptions, Writer};
use crate::record::{Algorithm, Digits, Field, Moving, Otp, Seed, Serial, Token, Trail};

fn from(format: Format) -> ReadOptions {
    ReadOptions { from: Some(format), ..ReadOptions::default() }
}

fn check(path: &str, expected: &Expect) {
    expected.assert_eq(&drafts(path, &ReadOptions::default()));
}

fn check_from(path: &str, format: Format, expected: &Expect) {
    expected.assert_eq(&drafts(path, &from(format)));
}

fn undecided(path: &str, expected: &Expect) {
    expected.assert_eq(&Format::detect(&fixture(path)).expect_err("several formats").to_string());
}

#[test]
fn reads_the_seeds_that_vendors_send() {
    for (path, format) in [
        ("otpauth/keys.txt", Format::Otpauth),
        ("linotp/tokens.csv", Format::OathCsv),
        ("privacyidea/version-1.csv", Format::OathCsv),
        ("privacyidea/version-2.csv", Format::OathCsv),
        ("duo/deepnet.hex", Format::Duo),
        ("feitian/totp.txt", Format::Feitian),
        ("multiotp/tokens.csv", Format::MultiOtp),
        ("multiotp/tokens.tsv", Format::MultiOtp),
        ("phenixid/tokens.csv", Format::PhenixId),
        ("rcdevs/inventory.csv", Format::RcDevs),
        ("yubico/traditional.csv", Format::Yubico),
        ("yubico/format.csv", Format::Yubico),
        ("deepnet/dualshield.xml", Format::DualShield),
        ("deepnet/dualshield-older.xml", Format::DualShield),
        ("deepnet/dualshield-event.xml", Format::DualShield),
        ("deepnet/dualshield-google.xml", Format::DualShield),
        ("deepnet/uap.xml", Format::DeepnetUap),
        ("safenet/tokens.xml", Format::SafeNet),
        ("safeword/importAlpine.dat", Format::SafeWord),
    ] {
        check_truth(&format!("vendor/{path}"), format, &ReadOptions::default());
    }
}

#[test]
fn reads_what_fits_several_formats_as_the_user_says() {
    for (path, formats) in [
        ("duo/token2.txt", &[Format::Duo, Format::Swivel, Format::Feitian][..]),
        ("duo/powershell.txt", &[Format::Duo]),
        ("duo/counters.csv", &[Format::Duo, Format::PingId]),
        ("pingid/tokens.txt", &[Format::Duo, Format::PingId]),
        ("swivel/seeds.txt", &[Format::Duo, Format::Swivel, Format::Feitian]),
        ("feitian/hotp.txt", &[Format::Duo, Format::Swivel, Format::Feitian]),
        ("phenixid/hotp.csv", &[Format::PhenixId]),
        ("protectimus/tokens.csv", &[Format::Protectimus]),
        ("protectimus/header.csv", &[Format::Protectimus, Format::Csv]),
    ] {
        for format in formats {
            check_truth(&format!("vendor/{path}"), *format, &from(*format));
        }
    }
    undecided("vendor/duo/token2.txt", &expect!["more than one format fits this member: duo, swivel, feitian"]);
    undecided("vendor/duo/counters.csv", &expect!["more than one format fits this member: duo, pingid"]);
    undecided("vendor/pingid/tokens.txt", &expect!["more than one format fits this member: duo, pingid"]);
}

#[test]
fn a_user_who_names_columns_is_asked_nothing() {
    let columns = vec![
        (Field::Serial, crate::format::ColumnName::Position(1)),
        (Field::Seed, crate::format::ColumnName::Position(2)),
    ];
    let csv = CsvOptions { columns, header: Some(false), ..CsvOptions::default() };
    let options = ReadOptions { csv, ..ReadOptions::default() };
    let lines = drafts("vendor/pingid/tokens.txt", &options);
    assert_eq!(lines.matches("settled hex").count(), 2, "{lines}");
}

#[test]
fn reads_every_field_of_key_uris() {
    check(
        "vendor/otpauth/keys.txt",
        &expect![[r#"
        line 2 serial="7100001" manufacturer="Größe & Co" type="totp" hash="SHA1" digits="6" period="30" seed=prescribed Base32 ea5eca42508f8575311eb24fbe9e061ad2561156
        line 4 serial="7100002" manufacturer="ACME Co" type="TOTP" hash="sha1" digits="6" period="60" seed=prescribed Base32 667c5850a04bfe8f051619137a92019c26acd0c4
        line 5 serial="7100003" type="hotp" hash="sha1" digits="8" counter="42" seed=prescribed Base32 744e0b6d07a062f4ad555e95b447409c447ab1d3
        line 6 serial="7100004" type="totp" hash="sha1" digits="6" period="30" seed=prescribed Base32 5c4ad100648d7eb261e68d4893625401f96ce752
        line 7 serial="7100005" type="totp" hash="SHA256" digits="6" period="30" seed=prescribed Base32 fa8cd99e10e35029d7fe26951a2e7f51855c65be2e7d6e7aa729ca8926998024
    "#]],
    );
}

#[test]
fn refuses_key_uris_that_cannot_be_read_in_one_way() {
    check(
        "invalid/otpauth-percent.txt",
        &expect![[r#"
        the list of Key URIs is damaged: expected two hex digits behind a `%`, but found something else
          at member > line 2
    "#]],
    );
    check(
        "invalid/otpauth-not-utf8.txt",
        &expect![[r#"
        the list of Key URIs is damaged: expected percent-encoded UTF-8, but found other bytes
          at member > line 1
    "#]],
    );
    check(
        "invalid/otpauth-twice.txt",
        &expect![[r#"
        the list of Key URIs is damaged: expected the parameter `secret` once, but found it twice in one URI
          at member > line 3
    "#]],
    );
    check(
        "invalid/otpauth-fragment.txt",
        &expect![[r#"
        the list of Key URIs is damaged: expected `%23` in a Key URI, but found a bare `#`
          at member > line 1
    "#]],
    );
    check(
        "invalid/otpauth-another-line.txt",
        &expect![[r#"
        the list of Key URIs is damaged: expected `otpauth://`, but found another beginning of the line
          at member > line 2
    "#]],
    );
}

#[test]
fn reads_every_field_of_oath_rows_and_guesses_no_hash() {
    check(
        "vendor/linotp/tokens.csv",
        &expect![[r#"
        line 2 serial="7200001" type="totp" hash="sha1" digits="6" period="60" seed=prescribed hex afdb39427d674e115fa0d7a18d0349a65a53dcf2
        line 3 serial="7200002" type="HOTP" hash="sha1" digits="8" counter="17" seed=prescribed hex 599a715e2331aadc96b9415d4f627cb80e5e1bb1
        line 4 serial="7200003" type="TOTP" hash="sha256" digits="6" period="30" seed=prescribed hex 4f4579311ccfb8cd848fd17d9b4ff20516180a0466adfd542980471455e03d56
    "#]],
    );
    check(
        "vendor/privacyidea/version-1.csv",
        &expect![[r#"
        line 1 serial="7300001" type="totp" digits="6" period="30" seed=prescribed hex e6d6f76b98b6a54b30def6e57a397233790397d0
        line 2 serial="7300002" type="hotp" digits="6" counter="0" seed=prescribed hex dd71c5710475448f9fd8d9efda79ef4ecc70caab
    "#]],
    );
    check(
        "vendor/privacyidea/version-2.csv",
        &expect![[r#"
        line 3 serial="7300001" type="totp" digits="6" period="30" upn="ada@example.com" seed=prescribed hex e6d6f76b98b6a54b30def6e57a397233790397d0
        line 4 serial="7300002" type="hotp" digits="8" counter="3" seed=prescribed hex dd71c5710475448f9fd8d9efda79ef4ecc70caab
    "#]],
    );
}

#[test]
fn rows_that_are_no_oath_tokens_are_findings() {
    check(
        "invalid/oath-csv-others.csv",
        &expect![[r#"
        line 1 serial="7300001" type="totp" digits="6" period="30" seed=prescribed hex e6d6f76b98b6a54b30def6e57a397233790397d0
        line 2 serial="7300002" [type-unsupported] the row is no OATH token: it is an OCRA token
        line 3 serial="TAN1" [type-unsupported] the row is no OATH token: it is a TAN list
    "#]],
    );
    check(
        "invalid/duo-yubikey.csv",
        &expect![[r#"
        line 1 serial="7400001" period="30" counter="30" seed=prescribed hex 56b50bb122c8d2d31355cbb0dcf30dc69c4dd573
        line 2 serial="7400009" [type-unsupported] the row is no OATH token: it is a YubiKey's, with its private id and its AES key
    "#]],
    );
}

#[test]
fn refuses_rows_of_another_width() {
    check_from(
        "invalid/duo-odd-row.txt",
        Format::Duo,
        &expect![[r#"
        the Duo text is damaged: expected 2 to 3 fields in a row, but found 5
          at member > line 4
    "#]],
    );
    check_from(
        "invalid/oath-csv-too-many.csv",
        Format::OathCsv,
        &expect![[r#"
        the OATH CSV is damaged: expected 2 to 6 fields in a row, but found 7
          at member > line 1
    "#]],
    );
}

#[test]
fn a_number_behind_a_key_is_a_time_step_only_where_it_can_be_no_counter() {
    check(
        "vendor/duo/deepnet.hex",
        &expect![[r#"
        line 1 serial="7400001" period="60" counter="60" seed=prescribed hex 56b50bb122c8d2d31355cbb0dcf30dc69c4dd573
        line 2 serial="7400002" period="60" counter="60" seed=prescribed hex 367ad004059f92a2aa70e131db10e246ecb52c8a
        line 3 serial="7400003" period="60" counter="60" seed=prescribed hex bb5298e69eb5f9356c5127b86eadfdf063fcf4af
    "#]],
    );
    check_from(
        "vendor/duo/counters.csv",
        Format::Duo,
        &expect![[r#"
        line 1 serial="7400001" counter="0" seed=prescribed hex 56b50bb122c8d2d31355cbb0dcf30dc69c4dd573
        line 2 serial="7400002" counter="1" seed=prescribed hex 367ad004059f92a2aa70e131db10e246ecb52c8a
        line 3 serial="7400003" counter="2" seed=prescribed hex bb5298e69eb5f9356c5127b86eadfdf063fcf4af
    "#]],
    );
    check_from(
        "vendor/duo/counters.csv",
        Format::PingId,
        &expect![[r#"
        line 1 serial="7400001" counter="0" seed=prescribed hex 56b50bb122c8d2d31355cbb0dcf30dc69c4dd573
        line 2 serial="7400002" counter="1" seed=prescribed hex 367ad004059f92a2aa70e131db10e246ecb52c8a
        line 3 serial="7400003" counter="2" seed=prescribed hex bb5298e69eb5f9356c5127b86eadfdf063fcf4af
    "#]],
    );
}

#[test]
fn the_whole_column_settles_the_encoding_of_feitian() {
    check(
        "vendor/feitian/totp.txt",
        &expect![[r#"
        line 1 serial="2600120000001" seed=settled Base32 4d3b7c7f431dc1795228a7ab92ce5ac6bb0e96ef
        line 2 serial="2600120000002" seed=settled Base32 3275f8bded975ed3cccfebf6c715be75b6ad465d
        line 3 serial="2600120000003" seed=settled Base32 e7b9fe8b94abfdc99c07f4cd87bd79c792497c64
    "#]],
    );
    check_from(
        "vendor/feitian/hotp.txt",
        Format::Feitian,
        &expect![[r#"
        line 1 serial="2600120000001" seed=settled hex 4d3b7c7f431dc1795228a7ab92ce5ac6bb0e96ef
        line 2 serial="2600120000002" seed=settled hex 3275f8bded975ed3cccfebf6c715be75b6ad465d
        line 3 serial="2600120000003" seed=settled hex e7b9fe8b94abfdc99c07f4cd87bd79c792497c64
    "#]],
    );
    check_from(
        "invalid/feitian-mixed.txt",
        Format::Feitian,
        &expect![[r#"
        column `seed` has two encodings: line 1 can only be hex, but line 2 only Base32
          at member > line 2
    "#]],
    );
}

#[test]
fn reads_every_field_of_multiotp_and_phenixid() {
    check(
        "vendor/multiotp/tokens.csv",
        &expect![[r#"
        line 1 serial="7700001" manufacturer="Contoso" type="TOTP" digits="6" period="60" seed=prescribed hex f373c44c13e845d773a09fc9c2a7f3067a594c15
        line 2 serial="7700002" manufacturer="Contoso, Ltd." type="HOTP" digits="8" counter="5" seed=prescribed hex 2603a2d787475493cfc5223afe06f76f6f420b7e
    "#]],
    );
    check(
        "invalid/multiotp-motp.csv",
        &expect![[r#"
        line 1 serial="7700001" manufacturer="Contoso" type="TOTP" digits="6" period="30" seed=prescribed hex f373c44c13e845d773a09fc9c2a7f3067a594c15
        line 2 serial="7700002" [type-unsupported] the row is no OATH token: it is an mOTP token
    "#]],
    );
    check(
        "vendor/phenixid/tokens.csv",
        &expect![[r#"
        line 1 serial="7800001" type="TOTP" hash="SHA1" digits="6" period="60" seed=settled hex e0a7f091d1ed0b1d221faab8423df500a5517d05
        line 2 serial="7800002" type="HOTP" counter="7" seed=settled hex 8dd384b5552b772973316c75bf86453e55f462c2
    "#]],
    );
    check(
        "invalid/phenixid-epoch.csv",
        &expect![[r#"
        line 1 serial="7800001" type="TOTP" hash="SHA1" digits="6" period="60" seed=settled hex e0a7f091d1ed0b1d221faab8423df500a5517d05 [type-unsupported] the token counts from another time: expected 0, but found `946684800`
    "#]],
    );
    check_from(
        "invalid/phenixid-row.csv",
        Format::PhenixId,
        &expect![[r#"
        the PhenixID CSV is damaged: expected a HOTP row of 3 or 4 fields or a TOTP row of 7, but found another row of 4
          at member > line 2
    "#]],
    );
}

#[test]
fn every_value_of_an_inventory_is_base64() {
    check(
        "vendor/rcdevs/inventory.csv",
        &expect![[r#"
        line 5 serial="7900001" model="RCDevs RC200-T6" type="TOTP" digits="6" period="30" seed=prescribed Base64 9fbc47fdbfbe674bfbb6c1eb3ddda5afc6192c35
        line 6 serial="7900002" model="RCDevs RC200-T6" type="HOTP" digits="8" counter="42" seed=prescribed Base64 875f5e673f15aa9ee5feb56196866c93020bfcf9
    "#]],
    );
    check(
        "invalid/rcdevs-others.csv",
        &expect![[r#"
        line 5 serial="7900001" model="RCDevs RC200-T6" type="TOTP" digits="6" period="30" seed=prescribed Base64 9fbc47fdbfbe674bfbb6c1eb3ddda5afc6192c35 [type-unsupported] the time offset is not understood: expected 0, but found `3`
        line 6 serial="7900002" [type-unsupported] the row is no OATH token: it is an OCRA token
    "#]],
    );
    check(
        "invalid/rcdevs-twice.csv",
        &expect![[r#"
        the RCDevs inventory is damaged: expected `TokenKey` once in `Data`, but found it twice
          at member > line 5
    "#]],
    );
    check(
        "invalid/rcdevs-plain-number.csv",
        &expect![[r#"
        the RCDevs inventory is damaged: expected Base64 of text in `TOTPTimeStep`, but found another value
          at member > line 5
    "#]],
    );
}

#[test]
fn reads_salesforce_without_a_serial() {
    check(
        "vendor/salesforce/import.csv",
        &expect![[r#"
        line 2 type="TOTP" upn="ada1@example.com" seed=prescribed Base32 914bab33d21a3062de2efb6ea274c2fa6517914c
        line 3 type="TOTP" upn="ada2@example.com" seed=prescribed Base32 096ea26ea20c2dabc0014aa351fae26314a2514e
    "#]],
    );
}

#[test]
fn reads_both_logs_of_yubico_and_drops_no_row() {
    check(
        "vendor/yubico/traditional.csv",
        &expect![[r#"
        line 2 serial="cccccccccccc" type="hotp" digits="6" counter="0" seed=prescribed hex 893c86730c8d752aeb29904f54f412ffae23c01a
        line 4 serial="cccccccccccd" type="hotp" digits="8" counter="16" seed=prescribed hex dc982c999a6c72ecf8cdea993a0030b7d3b4d89d
    "#]],
    );
    check(
        "invalid/yubico-traditional.csv",
        &expect![[r#"
            line 1 serial="cccccccirblh" [type-unsupported] the row is no OATH token: it is a YubiKey's `Yubico OTP`
            line 2 [type-unsupported] the row is no OATH token: it is a YubiKey's `Static Password: Scan Code`
            line 3 type="hotp" digits="6" counter="0" seed=prescribed hex 893c86730c8d752aeb29904f54f412ffae23c01a
        "#]],
    );
    check(
        "vendor/yubico/format.csv",
        &expect![[r#"
        line 1 serial="508327" type="hotp" counter="0" seed=prescribed hex b7a4c8cefa290303000c0dc49d857e570d444a4d
    "#]],
    );
    check(
        "invalid/yubico-format.csv",
        &expect![[r#"
        line 1 serial="508327" counter="0" seed=prescribed hex b7a4c8cefa290303000c0dc49d857e570d444a4d
        line 2 serial="508328" [type-unsupported] the row is no OATH token: it is a YubiKey's Yubico OTP or static password
        line 3 serial="508329" [type-unsupported] the row is no OATH token: it is a YubiKey's Yubico OTP or static password
        line 4 serial="508330" [type-unsupported] the row is no OATH token: it is a YubiKey's without a key
    "#]],
    );
}

#[test]
fn the_header_of_dualshield_holds_for_all_tokens() {
    check(
        "vendor/deepnet/dualshield.xml",
        &expect![[r#"
            item 1 serial="71358472" manufacturer="Deepnet Security" type="totp" hash="HmacSHA1" digits="6" period="60" seed=prescribed hex b67e08dabd7b123874d6e8c26d82d30d0e6e3c3c
            item 2 serial="71358473" manufacturer="Deepnet Security" type="totp" hash="HmacSHA1" digits="6" period="60" seed=prescribed hex 826e899b8d3060326c0e778113dbceb61e90147a
        "#]],
    );
    check(
        "vendor/deepnet/dualshield-older.xml",
        &expect![[r#"
            item 1 serial="71358472" manufacturer="Deepnet Security" type="totp" seed=prescribed hex b67e08dabd7b123874d6e8c26d82d30d0e6e3c3c
            item 2 serial="71358473" manufacturer="Deepnet Security" type="totp" seed=prescribed hex 826e899b8d3060326c0e778113dbceb61e90147a
        "#]],
    );
    check(
        "vendor/deepnet/dualshield-event.xml",
        &expect![[r#"
            item 1 serial="71358472" manufacturer="Deepnet Security" type="hotp" digits="6" seed=prescribed Base64 b67e08dabd7b123874d6e8c26d82d30d0e6e3c3c
            item 2 serial="71358473" manufacturer="Deepnet Security" type="hotp" digits="6" seed=prescribed Base64 826e899b8d3060326c0e778113dbceb61e90147a
        "#]],
    );
    check(
        "vendor/deepnet/dualshield-google.xml",
        &expect![[r#"
            item 1 serial="71358472" manufacturer="GG" type="totp" hash="HmacSHA1" digits="6" seed=prescribed Base32 b67e08dabd7b123874d6e8c26d82d30d0e6e3c3c
        "#]],
    );
    check(
        "vendor/deepnet/uap.xml",
        &expect![[r#"
            item 1 serial="71358472" manufacturer="Deepnet Security" model="TB" type="totp" digits="6" counter="0" seed=prescribed hex b67e08dabd7b123874d6e8c26d82d30d0e6e3c3c
            item 2 serial="71358473" manufacturer="Deepnet Security" model="TB" type="totp" digits="6" counter="0" seed=prescribed hex 826e899b8d3060326c0e778113dbceb61e90147a
        "#]],
    );
}

#[test]
fn refuses_dualshield_that_cannot_be_read() {
    check(
        "invalid/dualshield-encrypted.xml",
        &expect![[r#"
        this is an encrypted DualShield file: only its maker's programs can open it
          at member
    "#]],
    );
    check(
        "invalid/dualshield-encode.xml",
        &expect![[r#"
        the DualShield XML is damaged: expected `HEX`, `BASE64` or `BASE32` in `encode`, but found `BINARY`
          at member
    "#]],
    );
    check(
        "invalid/dualshield-devices.xml",
        &expect![[r#"
        item 1 serial="1" [type-unsupported] the record is no OATH token: it is data of the product `ASDID`
    "#]],
    );
    check(
        "invalid/dualshield-doctype.xml",
        &expect![[r#"
        the XML has a DOCTYPE, which can pull in files and blow up: it is refused
          at member
    "#]],
    );
    check(
        "invalid/dualshield-truncated.xml",
        &expect![[r#"
        the DualShield XML is damaged: expected `</data>`, but found the end of the file: it was cut short
          at member
    "#]],
    );
}

#[test]
fn reads_the_tokens_of_safenet_and_safeword() {
    check(
        "vendor/safenet/tokens.xml",
        &expect![[r#"
        item 1 serial="00040008CFA5" model="Safeword Alpine" type="hotp" counter="1" seed=prescribed hex 58829eb2bf577f08e3e7e5d973f6fba8a09f2471
        item 2 serial="00040008CFA6" model="Safeword Alpine" type="hotp" counter="5" seed=prescribed hex a6f9f7c961f4a1f0ce4b1e647e8f1cc47d1434b8
        item 3 serial="00040008CFA6" model="Safeword Alpine" type="hotp" seed=prescribed hex ff7ac13b14976422dca6f14e9ba746e51d5e3d85
    "#]],
    );
    check(
        "invalid/safenet-incomplete.xml",
        &expect![[r#"
        item 1 model="Safeword Alpine" type="hotp" seed=prescribed hex 58829eb2bf577f08e3e7e5d973f6fba8a09f2471
        item 2 serial="token_without_seed" model="Safeword Alpine" type="hotp" counter="1"
    "#]],
    );
    check(
        "vendor/safeword/importAlpine.dat",
        &expect![[r#"
        line 2 serial="8200001" model="eToken-PASS-ES" type="hotp" digits="6" seed=prescribed hex 3151863a4e41d147ff1270c4d0046a7e6e67d6d1
        line 9 serial="8200002" model="eToken-PASS-ES" type="hotp" hash="HmacSHA1" digits="8" counter="12" seed=prescribed hex 35938a8c93c1b995536baa2596bfe9942da42961
    "#]],
    );
    check(
        "invalid/safeword-time.dat",
        &expect![[r#"
        line 2 serial="8200001" model="eToken-PASS-ES" [type-unsupported] the token counts its time steps from 1 January 2000: expected 1970, as everywhere else
        line 10 serial="8200002" model="eToken-PASS-ES" [type-unsupported] the mode is wrong: expected `E` or `T`, but found `X`
    "#]],
    );
    check(
        "invalid/safeword-line.dat",
        &expect![[r#"
        the SafeWord DAT is damaged: expected `NAME: VALUE`, but found another line
          at member > line 8
    "#]],
    );
}

#[test]
fn no_name_is_passed_over_that_may_say_how_codes_are_computed() {
    check(
        "invalid/otpauth-unknown.txt",
        &expect![[r#"
        line 1 serial="7100001" type="totp" hash="sha1" digits="6" period="30" seed=prescribed Base32 ea5eca42508f8575311eb24fbe9e061ad2561156
        line 2 serial="7100001" type="totp" hash="sha1" digits="6" period="30" seed=prescribed Base32 ea5eca42508f8575311eb24fbe9e061ad2561156 [type-unsupported] the parameter `encoder` may change the codes, and is not known
    "#]],
    );
    check(
        "invalid/otpauth-hash.txt",
        &expect![[r#"
        the list of Key URIs is damaged: expected names that are known, but found `hmac_hash`, which may say the hash and would be lost
          at member > line 1
    "#]],
    );
    check(
        "invalid/rcdevs-hash.csv",
        &expect![[r#"
        the RCDevs inventory is damaged: expected names that are known, but found `TOTPHash`, which may say the hash and would be lost
          at member > line 5
    "#]],
    );
    check(
        "invalid/dualshield-unknown.xml",
        &expect![[r#"
        the DualShield XML is damaged: expected names that are known, but found `hashAlgorithm`, which may say the hash and would be lost
          at member
    "#]],
    );
}

#[test]
fn hex_and_base32_are_not_taken_for_base64() {
    check(
        "invalid/rcdevs-hex.csv",
        &expect![[r#"
        line 5 serial="7900001" model="RCDevs RC200-T6" type="TOTP" digits="6" period="30" seed=prescribed Base64 f5f6dce3b7dd6df6deebbe1b7db6fa73579bddd75d6b969f73ad7dd9cdf9 [seed-ambiguous] the seed is no Base64, as the file says: its text can only be hex
        line 6 serial="7900002" model="RCDevs RC200-T6" type="TOTP" digits="6" period="30" seed=prescribed Base64 4393d5e1967b096549e593fa5954193414cc48c0405fb1d9 [seed-ambiguous] the seed is no Base64, as the file says: its text can only be Base32
    "#]],
    );
    check(
        "invalid/dualshield-hex-as-base64.xml",
        &expect![[r#"
        item 1 serial="71358472" manufacturer="Deepnet Security" type="totp" hash="HmacSHA1" digits="6" period="60" seed=prescribed Base64 07aec4d3c0c0043ec1d76dfcef80fa13c0b6e83f360f7d03d04e84dc2dc2 [seed-ambiguous] the seed is no Base64, as the file says: its text can only be hex
        item 2 serial="71358473" manufacturer="Deepnet Security" type="totp" hash="HmacSHA1" digits="6" period="60" seed=prescribed Base64 f36e84f3df41f03df4eb4df6e82d04efbf35d770c108407ad44f74d78ec0 [seed-ambiguous] the seed is no Base64, as the file says: its text can only be hex
    "#]],
    );
}

#[test]
fn a_column_that_nothing_settles_is_asked_about() {
    check_from(
        "invalid/feitian-unsettled.txt",
        Format::Feitian,
        &expect![[r#"
        column `seed` can be read as hex or Base32: nothing in it says which
          at member
    "#]],
    );
    // A seed that settles it far behind the first chunk is found there, on its own line.
    let unsettled = String::from_utf8(fixture("invalid/feitian-unsettled.txt")).expect("UTF-8").repeat(5000);
    let lines = unsettled.lines().count();
    let text = format!("{unsettled}2600120000009 {}\n", "0123456789abcdef0123456789abcdef01234567");
    let mut last = String::new();
    crate::format::testing::read(text.as_bytes(), &from(Format::Feitian), &mut |draft| {
        last = crate::format::testing::line(&draft);
    })
    .expect("hex");
    let line = lines + 1;
    assert_eq!(
        last,
        format!("line {line} serial=\"2600120000009\" seed=settled hex 0123456789abcdef0123456789abcdef01234567")
    );
}

#[test]
fn a_letter_is_none_of_these() {
    for letter in [
        "Dear customer,\nyour tokens are in the parcel.\n",
        "Dear customer\n",
        "hello world\nsee youlaterinthemorning\n",
        "",
        "\n\n",
    ] {
        assert_eq!(Format::detect(letter.as_bytes()).expect("nothing to choose"), None, "{letter}");
    }
}

#[test]
fn what_is_written_is_recognised() {
    let token = Token {
        place: None,
        serial: Serial::parse("1000001".into()),
        issue: None,
        key_id: None,
        manufacturer: Some("Contoso".into()),
        model: Some("HardwareKey".into()),
        otp: Otp {
            algorithm: Algorithm::Sha1,
            digits: Digits::SIX,
            moving: Moving::Period { seconds: 60.try_into().expect("above 0"), drift: 0 },
        },
        upn: Some("ada@example.com".into()),
        seed: Seed::new(b"0123456789:;<=>?@ABC".to_vec()),
    };
    for format in Format::ALL {
        let Some(writer) = Writer::new(format) else { continue };
        let bytes = written(&writer, &[token.clone(), token.clone()]);
        // Both time steps of DualShield are one format to read.
        let expected = if format == Format::DualShield30 { Format::DualShield } else { format };
        assert_eq!(Format::detect(&bytes).expect("one format"), Some(expected), "{format}");
        if format.vendor().is_some() {
            let shown = String::from_utf8(bytes).expect("UTF-8");
            let line = shown.lines().find(|line| line.contains("1000001") || line.contains("ada")).expect("the token");
            let expected = match format {
                Format::Otpauth => {
                    "otpauth://totp/Contoso:1000001?secret=GAYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD&issuer=Contoso&algorithm=SHA1&digits=6&period=60"
                }
                Format::OathCsv => "1000001,303132333435363738393a3b3c3d3e3f40414243,totp,6,60,sha1",
                Format::Duo => "1000001,303132333435363738393a3b3c3d3e3f40414243,60",
                Format::MultiOtp => "1000001;Contoso;TOTP;303132333435363738393a3b3c3d3e3f40414243;6;60",
                Format::RcDevs => {
                    "\"OTP Token\", \"1000001\", \"HardwareKey\", \"TokenKey=MDEyMzQ1Njc4OTo7PD0+P0BBQkM=,TokenType=VE9UUA==,TokenState=MA==,OTPLength=Ng==,TOTPTimeStep=NjA=\""
                }
                Format::Salesforce => "ada@example.com,TOTP,GAYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD",
                Format::DualShield | Format::DualShield30 => {
                    "<token><serial>1000001</serial><seed>303132333435363738393a3b3c3d3e3f40414243</seed></token>"
                }
                format => panic!("{format} is written and not shown here"),
            };
            assert_eq!(line, expected);
        }
    }
}

#[test]
fn every_vendor_is_described() {
    for format in Format::ALL {
        let about = format.description();
        assert_eq!(Format::parse(format.id()), Some(format));
        assert!(!about.reads.is_empty() && !about.source.is_empty() && !about.memory.is_empty(), "{format}");
        if format.vendor().is_some() {
            assert_eq!(about.writes.is_empty(), Writer::new(format).is_none(), "{format}");
            assert_eq!(about.writes.is_empty(), about.loses.is_empty(), "{format}");
        }
    }
}

#[test]
fn safeword_is_cut_between_records_only() {
    let text = String::from_utf8(fixture("vendor/safeword/importAlpine.dat")).expect("UTF-8");
    let text = format!("{text}\n\r\n{}", text.replace('\n', "\r\n"));
    let all = |window| {
        let mut lines = Vec::new();
        let reader = super::Reader(super::Kind::Plain(super::safeword::read));
        for chunk in pieces(&text, window, &mut super::safeword::Blocks) {
            reader
                .read(&chunk, &Trail::new("t"), &mut |draft| {
                    lines.push(crate::format::testing::line(&draft));
                    Ok(())
                })
                .expect("records");
        }
        lines
    };
    let whole = all(text.len());
    assert_eq!(whole.len(), 4);
    for window in 1..300 {
        assert_eq!(all(window), whole, "{window}");
    }
}

proptest! {
    #[test]
    fn what_is_read_does_not_depend_on_chunks(
        tokens in prop::collection::vec(token(), 0..5),
        window in 1_usize..900,
    ) {
        for format in [Format::Otpauth, Format::OathCsv, Format::Duo, Format::MultiOtp, Format::RcDevs] {
            let writer = Writer::new(format).expect("a writer");
            let text = String::from_utf8(written(&writer, &tokens)).expect("UTF-8");
            let mut lines = Vec::new();
            let mut boundary: Box<dyn crate::format::Boundary> = match format {
                Format::Otpauth => Box::new(crate::format::jsonl::Lines),
                _ => Box::new(crate::format::csv::rows::RowBoundary { field_bytes: 4096 }),
            };
            for chunk in pieces(&text, window, &mut *boundary) {
                writer.reader().read(&chunk, &Trail::new("t"), &mut |draft| {
                    lines.push(crate::format::testing::line(&draft));
                    Ok(())
                })
                .expect("our own rows");
            }
            prop_assert_eq!(lines, read_back(&writer, text.as_bytes()).expect("our own rows"));
        }
    }
}
