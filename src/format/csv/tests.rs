use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::format::Format;
use crate::format::testing::{self, check_truth, drafts, pieces};

fn options(columns: &[(Field, ColumnName)]) -> ReadOptions {
    let csv = CsvOptions { columns: columns.to_vec(), ..CsvOptions::default() };
    ReadOptions { from: Some(Format::Csv), csv, now: None }
}

#[test]
fn reads_the_seeds_that_vendors_send() {
    let none = ReadOptions::default();
    for path in [
        "deepnet/custom-hex.csv",
        "deepnet/custom-hex-undeclared.csv",
        "deepnet/custom-base32.tsv",
        "deepnet/custom-base64.csv",
        "crowley/tokens.csv",
        "centrify/bulk.csv",
        "editor/comments.csv",
    ] {
        check_truth(&format!("vendor/{path}"), Format::Csv, &none);
    }
    let placed = options(&[(Field::Serial, ColumnName::Position(3)), (Field::Seed, ColumnName::Position(2))]);
    check_truth("vendor/deepnet/custom-no-header.csv", Format::Csv, &placed);
}

fn check(path: &str, expected: &Expect) {
    expected.assert_eq(&drafts(path, &ReadOptions::default()));
}

#[test]
fn reads_every_field() {
    check(
        "vendor/centrify/bulk.csv",
        &expect![[r#"
        line 2 serial="4100001" upn="ada@centrify.example" seed=declared hex 7136577ec9a8d8c6d3a070c27d441c4ae2678ade
        line 3 serial="4100002" upn="ada@centrify.example" seed=declared hex ff3fd62b6e8194a7388c0bbca6bc630bb5f412c1
    "#]],
    );
    check(
        "vendor/crowley/tokens.csv",
        &expect![[r#"
        line 2 serial="3100001" manufacturer="Feitian" model="c200" hash="hmacsha1" period="60" seed=settled hex ba2d4bed489b3bdf34f3999d42683a0ed6d07fb8
        line 3 serial="3100002" manufacturer="Feitian" model="c200" hash="hmacsha1" period="60" seed=settled hex 2c86740a1c4c0167a2e3a36a871d04ed9f4f422b
        line 4 serial="3100003" manufacturer="Feitian" model="c200" hash="hmacsha1" period="60" seed=settled hex 8f4788e87c25967151b6e5a8f7022ab6c47bb5e4
    "#]],
    );
    check(
        "vendor/editor/comments.csv",
        &expect![[r#"
        line 5 serial="5100001" model="Model \"A\",\nblack" seed=settled Base32 c3b2daa78684880d6758ffea894d18acc7929528
        line 8 serial="5100002" model="Model \"A\",\nblack" seed=settled Base32 7db8943157d7c985e49e6472ff437d3a110518ec
        line 11 serial="5100003" model="Model \"A\",\nblack" seed=settled Base32 abbaf4e4254f76df746d1496e848515258f4b9fb
    "#]],
    );
}

#[test]
fn stops_at_rows_of_another_length() {
    check(
        "invalid/csv-row-short.csv",
        &expect![[r#"
        the row has the wrong length: expected 6 fields, but found 5
          at member > line 3
    "#]],
    );
    check(
        "invalid/csv-row-long.csv",
        &expect![[r#"
        the row has the wrong length: expected 6 fields, but found 7
          at member > line 3
    "#]],
    );
}

#[test]
fn stops_at_a_column_of_two_encodings() {
    check(
        "invalid/csv-mixed-encodings.csv",
        &expect![[r#"
        column `seed` has two encodings: line 2 can only be hex, but line 3 only Base32
          at member > line 3
    "#]],
    );
    check(
        "invalid/csv-mixed-base64.csv",
        &expect![[r#"
            column `seed` has two encodings: line 2 can only be hex, but line 3 only Base64
              at member > line 3
        "#]],
    );
}

#[test]
fn asks_for_an_encoding_that_nothing_settles() {
    check(
        "invalid/csv-hex-like-base32.csv",
        &expect![[r#"
        column `seed` can be read as hex or Base32: nothing in it says which
          at member
    "#]],
    );
    check(
        "invalid/csv-odd-hex-everywhere.csv",
        &expect![[r#"
        no value of column `seed` can be read: expected hex, Base32 or Base64, but found an odd number of hex digits on line 2
          at member
    "#]],
    );
}

#[test]
fn never_passes_over_a_column_that_may_say_how_codes_are_computed() {
    check(
        "invalid/csv-unclear-column.csv",
        &expect![[r#"
        column `OTP Crypto` may say the hash, but its name is not known, so what it says would be lost
          at member
    "#]],
    );
    check(
        "invalid/csv-key-is-an-id.csv",
        &expect![[r#"
        no column for the seed: found `Key`, `OTP Key Value`, `Period`
          at member
    "#]],
    );
}

#[test]
fn tells_of_columns_that_nobody_reads() {
    let bytes = testing::fixture("invalid/csv-unread-column.csv");
    let mut source = &bytes[..];
    let head = Head::new(&mut source, Trail::new("member"), crate::limits::Limits::default()).expect("a head");
    let opened = open(head, &ReadOptions::default()).expect("rows");
    let expected = "column `Cost Centre` is not read: its name is not known".to_owned();
    assert_eq!(opened.findings, [(Code::ColumnUnread, expected)]);
}

#[test]
fn never_takes_a_token_for_a_comment() {
    check(
        "invalid/csv-commented-token.csv",
        &expect![[r#"
        the row begins with `#` and has a seed in its place: expected a comment or a token, but found both in one
          at member > line 4
    "#]],
    );
}

#[test]
fn says_that_text_is_utf_16_without_its_mark() {
    check(
        "invalid/csv-utf16-without-mark.csv",
        &expect![[r#"
        cannot read the text: expected UTF-8, or UTF-16 with its mark, but found UTF-16 without it
          at member
    "#]],
    );
    check(
        "invalid/csv-nul-byte.csv",
        &expect![[r#"
        cannot read the text: expected text, but found a byte that is 0, as UTF-16 without its mark has
          at member > byte 110
    "#]],
    );
}

#[test]
fn hands_on_a_cut_seed_for_normalize_to_refuse() {
    check(
        "invalid/csv-odd-hex.csv",
        &expect![[r#"
        line 2 serial="1" seed=settled hex be6421061f9ac7edba580ec9a4ca93a2516cbd7a
        line 3 serial="2" seed=settled hex (no number of bytes has text of its length)
    "#]],
    );
}

#[test]
fn says_which_column_is_wrong_and_shows_no_row_of_values() {
    let csv = ReadOptions { from: Some(Format::Csv), ..ReadOptions::default() };
    let check = |path, expected: &Expect| expected.assert_eq(&drafts(path, &csv));
    check(
        "invalid/csv-no-seed-column.csv",
        &expect![[r#"
        no column for the seed: found `Nr`, `S/N`, `Key (old)`
          at member
    "#]],
    );
    check(
        "invalid/csv-no-header.csv",
        &expect![[r#"
        no column for the seed: found none
          at member
    "#]],
    );
    check(
        "invalid/csv-two-seed-columns.csv",
        &expect![[r#"
        two columns for the seed: `secret` and `seed`
          at member
    "#]],
    );
}

#[test]
fn says_where_text_is_broken() {
    check(
        "invalid/csv-not-utf8.csv",
        &expect![[r#"
        cannot read the text: expected UTF-8, or UTF-16 with its mark, but found another byte
          at member > byte 172
    "#]],
    );
    check(
        "invalid/csv-utf16-cut.csv",
        &expect![[r#"
        cannot read the text: expected pairs of bytes as UTF-16 has, but found a single one at byte 254
          at member
    "#]],
    );
    check(
        "invalid/csv-unclosed-quote.csv",
        &expect![[r#"
        the CSV is damaged: expected a closing quote, but found the end of the text
          at member > line 3
    "#]],
    );
    check(
        "invalid/csv-quote-inside.csv",
        &expect![[r#"
        the CSV is damaged: expected quotes around whole fields only (RFC 4180 §2), but found one inside a field
          at member > line 2
    "#]],
    );
    check(
        "invalid/csv-field-too-long.csv",
        &expect![[r#"
        too many bytes in one field: at most 4096 are allowed, but found 5000
          at member > line 2
    "#]],
    );
    let entra = ReadOptions { from: Some(Format::EntraCsv), ..ReadOptions::default() };
    expect![[r#"
        the CSV is damaged: expected lines that end with a line feed, but found a carriage return alone
          at member > line 1
    "#]]
    .assert_eq(&drafts("invalid/csv-lone-carriage-returns.csv", &entra));
}

#[test]
fn leaves_other_faults_to_normalize() {
    check(
        "invalid/csv-excel-serial.csv",
        &expect![[r#"
        line 2 serial="2.60012E+12" manufacturer="Contoso" model="HardwareKey" period="30" seed=prescribed Base32 be6421061f9ac7edba580ec9a4ca93a2516cbd7a
    "#]],
    );
    check(
        "invalid/csv-no-period.csv",
        &expect![[r#"
        line 2 serial="9000001" manufacturer="Contoso" model="HardwareKey" seed=settled Base32 be6421061f9ac7edba580ec9a4ca93a2516cbd7a
        line 3 serial="9000002" manufacturer="Contoso" model="HardwareKey" seed=settled Base32 e3ed43ae3344ef7c15e618c016526b8bbb38aedb
        line 4 serial="9000003" manufacturer="Contoso" model="HardwareKey" seed=settled Base32 32f73207445ec2b2c4d65327f4d092dc0a0d894d
        line 5 serial="9000004" manufacturer="Contoso" model="HardwareKey" seed=settled Base32 2ac12d52e21a6c0ed26ab44063360321e22cfd9d
        line 6 serial="9000005" manufacturer="Contoso" model="HardwareKey" seed=settled Base32 a84e27b6e2d7e62688cda02e71ebd73f19c90f2b
        line 7 serial="9000006" manufacturer="Contoso" model="HardwareKey" seed=settled Base32 d80d898000401b02047a1a1a1fef5190a0aef4b7
    "#]],
    );
}

#[test]
fn reads_what_column_options_say() {
    for (text, expected) in [
        ("seed=2", Ok((Field::Seed, ColumnName::Position(2)))),
        ("serial=S/N = x", Ok((Field::Serial, ColumnName::Name("S/N = x".to_owned())))),
        ("seed", Err("no column in `seed`: expected FIELD=NAME or FIELD=POSITION")),
        ("seed=", Err("no column in `seed=`: expected FIELD=NAME or FIELD=POSITION")),
        ("seed=0", Err("no column 0 for `seed`: expected a position of 1 or more")),
    ] {
        assert_eq!(parse_column(text), expected.map_err(str::to_owned), "{text}");
    }
    assert!(parse_column("secret=1").is_err());
    assert_eq!(parse_ignored(" Crypto "), Ok(ColumnName::Name("Crypto".to_owned())));
    assert_eq!(parse_ignored("3"), Ok(ColumnName::Position(3)));
    assert!(parse_ignored("0").is_err() && parse_ignored(" ").is_err());
    assert_eq!(parse_delimiter("tab"), Ok(b'\t'));
    assert_eq!(parse_delimiter("|"), Ok(b'|'));
    for wrong in ["", "::", "\"", "a", "ä", "#"] {
        assert!(parse_delimiter(wrong).is_err(), "{wrong}");
    }
}

/// Rows of a member that is many chunks long: `settled_at` says in which row the encoding is settled.
fn long_member(rows: usize, settled_at: usize) -> String {
    let both = "a2b3c4d5e6f7a2b3c4d5e6f7a2b3c4d5e6f7a2b3";
    let only_hex = "a2b3c4d5e6f7a2b3c4d5e6f7a2b3c4d5e6f7a2b0";
    let mut text = "serial,seed,model\n".to_owned();
    for row in 0..rows {
        let seed = if row == settled_at { only_hex } else { both };
        let model = if row % 5 == 0 { "\"two\nlines, \"\"quoted\"\"\"" } else { "one" };
        text += &format!("{row:08},{seed},{model}\n");
    }
    text
}

#[test]
fn a_column_is_settled_by_a_row_in_any_chunk() {
    for settled_at in [0, 17_000, 49_999] {
        let mut expected_line = 2;
        let mut row = 0;
        testing::read(long_member(50_000, settled_at).as_bytes(), &ReadOptions::default(), &mut |draft| {
            assert_eq!(draft.place, Some(Place::Line(expected_line)));
            expected_line += if row % 5 == 0 { 2 } else { 1 };
            assert_eq!(draft.serial.as_deref(), Some(&*format!("{row:08}")));
            assert!(matches!(draft.seed, Some(SeedText::Settled(_, Encoding::Hex))));
            row += 1;
        })
        .expect("settled");
        assert_eq!(row, 50_000);
    }
    let error = testing::read(long_member(50_000, 50_000).as_bytes(), &ReadOptions::default(), &mut |_| {});
    let message = error.expect_err("unsettled").to_string();
    expect!["column `seed` can be read as hex or Base32: nothing in it says which"].assert_eq(&message);
}

#[test]
fn a_contradiction_in_a_later_chunk_names_both_lines() {
    let text = long_member(50_000, 3) + "9,GAYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD,one\n";
    let error = testing::read(text.as_bytes(), &ReadOptions::default(), &mut |_| {}).expect_err("two");
    expect!["column `seed` has two encodings: line 6 can only be hex, but line 60002 only Base32"]
        .assert_eq(&error.to_string());
    assert_eq!(error.origin().expect("a place").to_string(), "member > line 60002");
}

#[test]
fn a_seed_that_was_called_a_header_is_not_shown() {
    let csv = CsvOptions {
        columns: vec![(Field::Serial, ColumnName::Position(1)), (Field::Seed, ColumnName::Position(2))],
        header: Some(true),
        ..CsvOptions::default()
    };
    let both = "a2b3c4d5e6f7a2b3c4d5e6f7a2b3c4d5e6f7a2b3";
    let text = format!("1,{both}\n2,{both}\n");
    let options = ReadOptions { from: Some(Format::Csv), csv, now: None };
    let error = testing::read(text.as_bytes(), &options, &mut |_| {}).expect_err("unsettled");
    expect!["column `2` can be read as hex or Base32: nothing in it says which"].assert_eq(&error.to_string());
}

proptest! {
    #[test]
    fn what_is_read_does_not_depend_on_chunks(
        rows in prop::collection::vec(("[a-z#]{0,4}|\"[a-z\n,]{0,5}\"", "[A-Z2-7]{0,9}", "|# \"note\n"), 0..12),
        window in 1_usize..60,
    ) {
        let text: String = rows.iter().map(|(serial, seed, note)| format!("{serial},{seed}\n{note}")).collect();
        let layout = Layout::written(&[Some(Field::Serial), Some(Field::Seed)], b',', Encoding::Base32, Plain::default());
        let lines_of = |chunks: Vec<Chunk>| {
            let mut lines = Vec::new();
            for chunk in chunks {
                read(&layout, &chunk, &Trail::new("t"), &mut |draft| {
                    lines.push(testing::line(&draft));
                    Ok(())
                })
                .expect("rows");
            }
            lines
        };
        let whole = lines_of(pieces(&text, text.len() + 1, &mut RowBoundary { field_bytes: 4096 }));
        let cut = lines_of(pieces(&text, window, &mut RowBoundary { field_bytes: 4096 }));
        prop_assert_eq!(whole, cut);
    }
}
