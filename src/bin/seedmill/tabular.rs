//! Options of rows, read and written: map files, columns, delimiters, and what is set for all.

use std::path::Path;

use seedmill::error::{Error, ErrorKind};
use seedmill::format::csv_maps::CsvMap;
use seedmill::format::{CsvOptions, Format, OutColumns, Writer};
use seedmill::record::Field;

use crate::args::{Reading, Written};
use crate::plan::{Planned, Usage};
use crate::{keys, values};

/// The writer of a format, with the options that the CSV needs.
pub(crate) fn writer(to: Format, args: &Written) -> Planned<Writer> {
    if let Some(writer) = Writer::new(to) {
        only_csv(Some(to), args)?;
        return Ok(writer);
    }
    let said = match (&args.out_columns, &args.out_map) {
        (Some(columns), _) => columns.clone(),
        (None, Some(path)) => OutColumns::parse_map(&map_text(path)?).map_err(|problem| invalid(path, problem))?,
        (None, None) => OutColumns::default(),
    };
    Ok(Writer::Csv(OutColumns {
        header: said.header && !args.out_no_header,
        delimiter: args.out_delimiter.unwrap_or(said.delimiter),
        seed_encoding: args.out_seed_encoding.unwrap_or(said.seed_encoding),
        ..said
    }))
}

/// Refuses options of the CSV that is written where none is.
pub(crate) fn only_csv(to: Option<Format>, args: &Written) -> Result<(), Usage> {
    let given = [
        ("--out-columns", args.out_columns.is_some()),
        ("--out-no-header", args.out_no_header),
        ("--out-delimiter", args.out_delimiter.is_some()),
        ("--out-seed-encoding", args.out_seed_encoding.is_some()),
        ("--out-map", args.out_map.is_some()),
    ];
    match (given.iter().find(|(_, given)| *given), to) {
        (None, _) => Ok(()),
        (Some((option, _)), Some(to)) => {
            Err(Usage::new(format!("`{option}` belongs to `--to csv`, but found `--to {to}`")))
        }
        (Some((option, _)), None) => Err(Usage::new(format!("`{option}` belongs to `--to csv`"))),
    }
}

/// Reads a map file for reading.
fn read_map(path: &Path) -> Planned<CsvMap> {
    let map = CsvMap::parse(&map_text(path)?).map_err(|problem| invalid(path, problem))?;
    for (field, value) in &map.set {
        values::settable(*field, value).map_err(|problem| invalid(path, problem))?;
    }
    Ok(map)
}

fn map_text(path: &Path) -> Planned<String> {
    let text = String::from_utf8(keys::read(path, LONGEST_MAP)?.to_vec());
    text.map_err(|error| invalid(path, error.utf8_error()).into())
}

/// A map is a page of text; what is longer is something else.
const LONGEST_MAP: u64 = 1 << 20;

fn invalid(path: &Path, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::MapInvalid { name: path.to_string_lossy().into_owned() }).caused_by(cause)
}

/// How a CSV is read and what is set: the map file's word, unless an option says otherwise.
pub(crate) fn csv_options(args: &Reading) -> Planned<(CsvOptions, Vec<(Field, String)>)> {
    let map = args.map.as_deref().map(read_map).transpose()?.unwrap_or_default();
    let CsvMap { options, set, .. } = map;
    let csv = CsvOptions {
        columns: overlaid("--column", &args.column, options.columns)?,
        ignored: args.ignore_column.iter().cloned().chain(options.ignored).collect(),
        header: if args.no_header { Some(false) } else { options.header },
        delimiter: args.delimiter.or(options.delimiter),
        seed_encoding: args.seed_encoding.or(options.seed_encoding),
    };
    Ok((csv, overlaid("--set", &args.set, set)?))
}

/// What was typed, then what the map says of other fields.
fn overlaid<T: Clone>(option: &str, typed: &[(Field, T)], mapped: Vec<(Field, T)>) -> Result<Vec<(Field, T)>, Usage> {
    let mut all: Vec<(Field, T)> = Vec::with_capacity(typed.len() + mapped.len());
    for (field, value) in typed {
        if all.iter().any(|(known, _)| known == field) {
            return Err(Usage::new(format!("`{option} {field}=…` stands twice")));
        }
        all.push((*field, value.clone()));
    }
    all.extend(mapped.into_iter().filter(|(field, _)| typed.iter().all(|(known, _)| known != field)));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use expect_test::{Expect, expect};

    use super::*;
    use crate::args::{Cli, Command};
    use crate::plan::Refusal;

    fn written(options: &[&str]) -> Written {
        let typed = ["seedmill", "check", "in.csv"].iter().chain(options);
        match Cli::try_parse_from(typed).expect("it can be typed").command {
            Command::Check(args) => args.written,
            other => panic!("not check: {other:?}"),
        }
    }

    fn check(to: Format, options: &[&str], expected: Expect) {
        expected.assert_eq(&match writer(to, &written(options)) {
            Ok(writer) => format!("{writer:?}"),
            Err(Refusal::Usage(usage)) => usage.message,
            Err(Refusal::Stopped(error)) => format!("stopped: {error}"),
        });
    }

    #[test]
    fn the_csv_needs_its_columns_and_other_formats_refuse_its_options() {
        check(Format::Graph, &[], expect!["Graph"]);
        check(
            Format::Csv,
            &["--out-columns", "SN=serial,Key=seed", "--out-delimiter", "tab", "--out-no-header"],
            expect![[
                r#"Csv(OutColumns { columns: [OutColumn { name: "SN", value: Field(Serial) }, OutColumn { name: "Key", value: Field(Seed) }], header: false, delimiter: 9, seed_encoding: Base32 })"#
            ]],
        );
        check(
            Format::Graph,
            &["--out-delimiter", "tab"],
            expect!["`--out-delimiter` belongs to `--to csv`, but found `--to graph`"],
        );
        check(Format::Csv, &["--out-map", "no-such.toml"], expect!["stopped: no file or folder `no-such.toml`"]);
    }

    #[test]
    fn what_is_typed_wins_over_the_map() {
        let typed = [(Field::Period, "60".to_owned())];
        let mapped = vec![(Field::Period, "30".to_owned()), (Field::Model, "X".to_owned())];
        let both = overlaid("--set", &typed, mapped).expect("they fit");
        assert_eq!(both, [(Field::Period, "60".to_owned()), (Field::Model, "X".to_owned())]);
        let twice = [(Field::Period, "60".to_owned()), (Field::Period, "30".to_owned())];
        let refused = overlaid("--set", &twice, vec![]).err().map(|usage| usage.message);
        assert_eq!(refused.as_deref(), Some("`--set period=…` stands twice"));
    }
}
