//! The text of one option to its value.
//!
//! A message here does not name the option, because clap does so once. Columns count from 1.

use seedmill::format::{Format, Writer};
use seedmill::record::{Algorithm, Code, Digits, Field};

use crate::render::shown;

/// The fields that `--set` takes: those that a whole delivery can have alike.
pub(crate) const SETTABLE: [Field; 7] =
    [Field::Manufacturer, Field::Model, Field::Period, Field::Hash, Field::Digits, Field::Type, Field::Upn];

type Parsed<T> = Result<T, String>;

/// A format that is read.
pub(crate) fn format(text: &str) -> Parsed<Format> {
    Format::parse(text)
        .ok_or_else(|| format!("no such format: expected {}", one_of(Format::ALL.iter().map(|f| f.id()))))
}

/// A format that is written.
pub(crate) fn target(text: &str) -> Parsed<Format> {
    let written = |format: &Format| *format == Format::Csv || Writer::new(*format).is_some();
    let targets = || one_of(Format::ALL.iter().filter(|format| written(format)).map(|format| format.id()));
    match Format::parse(text) {
        Some(format) if written(&format) => Ok(format),
        Some(format) => Err(format!("`{format}` is read only, not written: expected {}", targets())),
        None => Err(format!("no such format: expected {}", targets())),
    }
}

/// A pattern for names of members.
pub(crate) fn glob(text: &str) -> Parsed<glob::Pattern> {
    // A name with a lone `[` is no pattern; taken for itself, it still matches the member that a hint has named.
    glob::Pattern::new(text).or_else(|_| glob::Pattern::new(&glob::Pattern::escape(text))).map_err(|e| e.to_string())
}

/// A number of threads.
pub(crate) fn threads(text: &str) -> Parsed<usize> {
    const MOST: usize = 1024;
    match text.parse() {
        Ok(threads) if threads <= MOST => Ok(threads),
        _ => Err(format!("expected a number from 0 to {MOST}")),
    }
}

/// A code of a finding.
pub(crate) fn code(text: &str) -> Parsed<Code> {
    Code::parse(text).ok_or_else(|| "no such code: `seedmill formats --codes` lists them".to_owned())
}

/// A code whose severity can be lowered.
pub(crate) fn allowed_code(text: &str) -> Parsed<Code> {
    let code = code(text)?;
    if code.allowable() {
        Ok(code)
    } else {
        Err(format!("a token with this finding cannot be kept: {}", code.meaning()))
    }
}

/// Bytes: a plain number, or one with a unit such as `64MiB`.
pub(crate) fn size(text: &str) -> Parsed<u64> {
    const UNITS: [(&str, u64); 10] = [
        ("", 1),
        ("b", 1),
        ("kib", 1 << 10),
        ("mib", 1 << 20),
        ("gib", 1 << 30),
        ("tib", 1 << 40),
        ("kb", 1000),
        ("mb", 1_000_000),
        ("gb", 1_000_000_000),
        ("tb", 1_000_000_000_000),
    ];
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start().to_ascii_lowercase();
    let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    match (number.parse::<u64>(), factor) {
        (Ok(number), Some(factor)) => {
            number.checked_mul(factor).ok_or_else(|| "the number is too large: at most 16EiB can be counted".to_owned())
        }
        _ => Err("expected bytes, such as `8GiB`, `64MiB` or `4096`".to_owned()),
    }
}

/// `FIELD=VALUE`, with a value that the field can have.
pub(crate) fn set(text: &str) -> Parsed<(Field, String)> {
    let (name, value) = text.split_once('=').ok_or("expected FIELD=VALUE")?;
    let field = field(name, &SETTABLE)?;
    settable(field, value)?;
    Ok((field, value.to_owned()))
}

/// Says why a field cannot have a value, also one from a map file.
pub(crate) fn settable(field: Field, value: &str) -> Parsed<()> {
    let expected = match field {
        Field::Period if !value.parse::<u32>().is_ok_and(|seconds| seconds > 0) => "seconds, such as 30",
        Field::Digits if value.parse().ok().and_then(Digits::new).is_none() => "a number from 4 to 10",
        Field::Hash if Algorithm::parse(value).is_none() => "`sha1`, `sha256` or `sha512`",
        Field::Type if !matches!(value, "totp" | "hotp") => "`totp` or `hotp`",
        _ if value.trim().is_empty() => "a value",
        _ if SETTABLE.contains(&field) => return Ok(()),
        _ => return Err(format!("`{field}` cannot be set for all: expected {}", one_of(SETTABLE.map(Field::name)))),
    };
    Err(format!("expected {expected} for `{field}`, but found `{}`", shown(value)))
}

fn field(name: &str, valid: &[Field]) -> Parsed<Field> {
    Field::parse(name).filter(|field| valid.contains(field)).ok_or_else(|| {
        format!("`{}` is not one of the fields: expected {}", shown(name), one_of(valid.iter().map(|f| f.name())))
    })
}

/// `a, b or c`
fn one_of<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<_> = names.into_iter().collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use expect_test::{Expect, expect};

    use super::*;

    fn check<T: Debug>(parse: impl Fn(&str) -> Parsed<T>, text: &str, expected: Expect) {
        expected.assert_eq(&match parse(text) {
            Ok(value) => format!("{value:?}"),
            Err(message) => message,
        });
    }

    #[test]
    fn reads_sizes_with_and_without_a_unit() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("4KiB", 4096),
            ("64MiB", 67_108_864),
            ("8GiB", 8_589_934_592),
            ("8 gib", 8_589_934_592),
            ("2TiB", 2_199_023_255_552),
            ("1MB", 1_000_000),
            ("12b", 12),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        check(size, "8GX", expect!["expected bytes, such as `8GiB`, `64MiB` or `4096`"]);
        check(size, "", expect!["expected bytes, such as `8GiB`, `64MiB` or `4096`"]);
        check(size, "-1", expect!["expected bytes, such as `8GiB`, `64MiB` or `4096`"]);
        check(size, "1.5GiB", expect!["expected bytes, such as `8GiB`, `64MiB` or `4096`"]);
        check(size, "99999999TiB", expect!["the number is too large: at most 16EiB can be counted"]);
    }

    #[test]
    fn sets_only_what_a_delivery_has_alike_and_only_to_what_it_can_be() {
        check(set, "period=30", expect![[r#"(Period, "30")"#]]);
        check(set, "model=OTP = 110", expect![[r#"(Model, "OTP = 110")"#]]);
        check(set, "hash=SHA-256", expect![[r#"(Hash, "SHA-256")"#]]);
        check(set, "period=0", expect!["expected seconds, such as 30 for `period`, but found `0`"]);
        check(set, "digits=11", expect!["expected a number from 4 to 10 for `digits`, but found `11`"]);
        check(set, "hash=md5", expect!["expected `sha1`, `sha256` or `sha512` for `hash`, but found `md5`"]);
        check(set, "type=ocra", expect!["expected `totp` or `hotp` for `type`, but found `ocra`"]);
        check(set, "model= ", expect!["expected a value for `model`, but found ` `"]);
        check(set, "model", expect!["expected FIELD=VALUE"]);
        check(
            set,
            "seed=00",
            expect!["`seed` is not one of the fields: expected manufacturer, model, period, hash, digits, type or upn"],
        );
    }

    #[test]
    fn names_the_formats_that_are_written_and_those_that_are_read() {
        for format in [Format::Graph, Format::EntraCsv, Format::Csv, Format::Jsonl, Format::Otpauth, Format::Pskc] {
            assert_eq!(target(format.id()), Ok(format));
        }
        let begins = |told: Parsed<Format>, words: &str| {
            let told = told.expect_err("no target");
            assert!(told.starts_with(words), "{told}");
        };
        begins(target("pingid"), "`pingid` is read only, not written: expected graph, entra-csv, pskc, ");
        begins(target("xlsx"), "no such format: expected graph, entra-csv, pskc, ");
        begins(format("xlsx"), "no such format: expected graph, entra-csv, pskc, ");
    }

    #[test]
    fn says_why_a_code_cannot_be_allowed() {
        assert_eq!(allowed_code("seed-too-short"), Ok(Code::SeedTooShort));
        check(
            allowed_code,
            "period-unknown",
            expect!["a token with this finding cannot be kept: Nothing says the time step; it has no default."],
        );
        check(allowed_code, "seed-short", expect!["no such code: `seedmill formats --codes` lists them"]);
        assert_eq!(code("period-unknown"), Ok(Code::PeriodUnknown));
    }

    #[test]
    fn takes_a_name_that_is_no_pattern_for_itself() {
        assert!(glob("a[1.csv").expect("it is taken for itself").matches("a[1.csv"));
        assert!(glob("*.csv").expect("a pattern").matches("folder/a.csv"));
    }
}
