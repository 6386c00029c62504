//! The columns that are left over in, those that may be passed over out.
//!
//! # Not here
//!
//! What names and values speak of: `format::unknown`.

use std::borrow::Cow;

use crate::error::ErrorKind;
use crate::format::csv_maps::recognise;
use crate::format::unknown::{is_harmless, may_mean, must_mean};
use crate::record::Field;

use super::CsvOptions;
use super::columns::{ROWS_TRIED, ignored, name_of};
use super::rows::{Fields, Rows};

/// Makes sure that no column is passed over that says how codes are computed; answers those that nobody reads.
///
/// # Errors
///
/// [`ErrorKind::ColumnUnclear`] for the first that may be about a field, unless the user has said where that one is.
pub(super) fn find(
    first: &[Cow<'_, str>],
    header: Option<&[Cow<'_, str>]>,
    positions: &[Option<usize>],
    mut values: Rows<'_>,
    options: &CsvOptions,
) -> Result<Vec<String>, ErrorKind> {
    let ignored = ignored(options, first.len(), header);
    let left = |position: &usize| !positions.contains(&Some(*position)) && !ignored.contains(position);
    let left: Vec<usize> = (0..first.len()).filter(left).collect();
    let mut about = vec![None; first.len()];
    let mut filled = vec![false; first.len()];
    let mut fields = Fields::default();
    // A row that cannot be split is an error when it is read.
    for _ in 0..ROWS_TRIED {
        let Ok(Some(_)) = values.next(&mut fields) else { break };
        for &position in &left {
            let Some(value) = fields.get(position) else { continue };
            filled[position] |= !value.is_empty();
            about[position] = about[position].or_else(|| must_mean(value));
        }
    }
    let said = |field: Field| options.columns.iter().any(|(said, _)| *said == field);
    let mut unread = Vec::new();
    for position in left {
        let name = header.map_or("", |header| &header[position]);
        let harmless = is_harmless(name);
        // By its own name where it is one: the user may have said that another column is this field.
        let by_name = recognise(name).map(|(field, _)| field).or_else(|| may_mean(name).filter(|_| !harmless));
        match about[position].or(by_name).filter(|field| !said(*field)) {
            Some(field) => return Err(ErrorKind::ColumnUnclear { field, name: name_of(position, header) }),
            None if harmless && (!name.is_empty() || !filled[position]) => {}
            None => unread.push(name_of(position, header)),
        }
    }
    Ok(unread)
}

#[cfg(test)]
mod tests {
    use super::super::ColumnName;
    use super::super::columns::find;
    use super::*;

    fn options(columns: &[(Field, ColumnName)]) -> CsvOptions {
        CsvOptions { columns: columns.to_vec(), ..CsvOptions::default() }
    }

    #[test]
    fn a_column_that_may_say_a_field_is_not_passed_over() {
        let none = CsvOptions::default();
        for (header, expected) in [
            ("Code Size in Digits", "digits"),
            ("Hash Variant", "hash"),
            ("Crypto Suite", "hash"),
            ("Time Window", "period"),
            ("Length", "digits"),
            ("Second Secret Part", "seed"),
            ("Key", "seed"),
        ] {
            let message = format!(
                "column `{header}` may say the {expected}, but its name is not known, so what it says would be lost"
            );
            let kind = find(&format!("Serial,Secret,{header}\n1,AA,1\n"), &none, 4096).expect_err("unclear").1;
            assert_eq!(kind.to_string(), message);
            let name = ColumnName::Name(header.to_owned());
            let ignored = CsvOptions { ignored: vec![name.clone()], ..CsvOptions::default() };
            let found = find(&format!("Serial,Secret,{header}\n1,AA,1\n"), &ignored, 4096).expect("ignored");
            assert!(found.unread.is_empty(), "{header}");
        }
        for (value, expected) in [("HMAC-SHA256", "hash"), ("hotp", "type")] {
            let kind = find(&format!("Serial,Secret,Kind\n1,AA,\n2,AA,{value}\n"), &none, 4096).expect_err("unclear").1;
            assert!(kind.to_string().starts_with(&format!("column `Kind` may say the {expected}, ")), "{kind}");
        }
        let placed = options(&[(Field::Serial, ColumnName::Position(1)), (Field::Seed, ColumnName::Position(2))]);
        let kind = find("1,AABBCCDD,SHA256\n", &placed, 4096).expect_err("unclear").1;
        assert!(kind.to_string().starts_with("column `3` may say the hash, "), "{kind}");
    }

    #[test]
    fn columns_that_nobody_reads_are_told_unless_they_do_no_harm() {
        let unread = |text: &str, options: &CsvOptions| find(text, options, 4096).expect("a grid").unread;
        let text = "Serial,Secret,Display Name,Site Code,,Status,E-Mail\n1,AA,a,b,,c,d\n";
        assert_eq!(unread(text, &CsvOptions::default()), ["Site Code", "E-Mail"]);
        assert_eq!(unread("Serial,Secret,\n1,AA,x\n", &CsvOptions::default()), ["3"]);
        let placed = options(&[(Field::Serial, ColumnName::Position(1)), (Field::Seed, ColumnName::Position(2))]);
        assert_eq!(unread("1,AABBCCDD,8\n", &placed), ["3"]);
        let ignored = CsvOptions { ignored: vec![ColumnName::Position(3)], ..placed };
        assert!(unread("1,AABBCCDD,8\n", &ignored).is_empty());
        // Where the user says which column is the seed, another that may be one is only told.
        let named = options(&[(Field::Seed, ColumnName::Name("Key X".to_owned()))]);
        assert_eq!(unread("Serial,Key X,Secret\n1,AA,zz\n", &named), ["Secret"]);
    }
}
