//! What is said of a run on standard error, and its exit code.
//!
//! # Shape
//!
//! ```text
//! rejected: seed has 10 bytes, but at least 16 are needed (RFC 4226 §4, R6) [seed-too-short]
//!   at acme.csv > line 214, serial 1000133508267
//!   hint: ask the vendor for tokens with longer seeds, or add `--allow seed-too-short`
//! ```

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::io::{BufWriter, Write as _, stdout};
use std::time::Duration;

use seedmill::error::{Error, ErrorKind};
use seedmill::pipeline::{Outcome, write_json};
use seedmill::record::{Finding, Severity, Tally, Trail};

use crate::args::Common;
use crate::guard::Guard;
use crate::report::{Kind, Report};
use crate::{hints, say, summary};

/// All accepted.
pub(crate) const FINISHED: u8 = 0;
/// Some tokens are rejected.
pub(crate) const REJECTED: u8 = 1;
/// Stopped by an error, or wrong usage.
pub(crate) const STOPPED: u8 = 2;

/// Findings of one code that a terminal shows.
const SHOWN_OF_ONE_CODE: usize = 10;

/// What a command was about, for its last line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Doing {
    /// `check`
    Check,
    /// `convert`
    Convert {
        /// `--skip-rejected`
        skip_rejected: bool,
    },
    /// `inspect`
    #[default]
    Inspect,
}

/// A run, as far as telling of it goes.
#[derive(Default)]
pub(crate) struct Run {
    /// The command.
    pub(crate) doing: Doing,
    /// The report, begun already.
    pub(crate) report: Option<Report>,
}

/// Says what became of a run, hands over what standard output was to get, and writes the report.
pub(crate) fn outcome(outcome: &mut Outcome, run: Run, common: &Common, elapsed: Duration, guard: &Guard) -> u8 {
    let telling = &common.telling;
    let delivered = match &outcome.held {
        Some(held) if outcome.stopped.is_none() => say::delivered(say::secret(held)),
        _ => None,
    };
    say::text(&findings(outcome.shown(), &outcome.tally, telling.quiet, telling.report.is_some()));
    if let (Some(part), false) = (&outcome.replaced, telling.quiet) {
        let part = shown(&part.to_string_lossy());
        say::line(format_args!("warning: `{part}` was left by a run that was cut short; it is replaced"));
    }
    let mut unsaid = None;
    if run.doing == Doing::Inspect {
        if !telling.json && outcome.stopped.is_none() {
            let contents = summary::contents(outcome, telling.verbose);
            unsaid = Some(say::data(|out| out.write_all(contents.as_bytes()))).filter(|code| *code != FINISHED);
        }
    } else if !telling.quiet && !telling.json && outcome.stopped.is_none() && delivered.is_none() {
        say::text(&summary::counts(outcome, telling.verbose.then_some(elapsed)));
    }
    if let Some(stopped) = &outcome.stopped
        && matches!(stopped.kind(), ErrorKind::Usage { .. })
    {
        if let Some(report) = run.report {
            report.discard(guard);
        }
        say::text(&error(stopped));
        return STOPPED;
    }
    let told = tell(outcome, run.report, common, guard);
    if let Some(stopped) = &outcome.stopped {
        if matches!(stopped.kind(), ErrorKind::OutputClosed) {
            return FINISHED;
        }
        say::text(&error(stopped));
        return STOPPED;
    }
    if let Some(failed) = delivered.filter(|code| *code != FINISHED).or(unsaid).or(told) {
        return failed;
    }
    if nothing_read(outcome, run.doing) {
        say::text(&error(&Error::new(ErrorKind::NothingToRead)));
        return STOPPED;
    }
    if outcome.is_clean() {
        return FINISHED;
    }
    say::line(format_args!("{}", last_line(outcome, run.doing)));
    REJECTED
}

/// The library stops by itself where there is nothing to read; this holds should it ever not.
fn nothing_read(outcome: &Outcome, doing: Doing) -> bool {
    match doing {
        Doing::Inspect => outcome.deliveries.iter().all(|delivery| delivery.members.is_empty()),
        Doing::Check | Doing::Convert { .. } => outcome.read == 0,
    }
}

/// Writes the report, and the same on standard output for `--json`; returns the exit code of a failure.
fn tell(outcome: &mut Outcome, begun: Option<Report>, common: &Common, guard: &Guard) -> Option<u8> {
    let mut failed = None;
    if let Some(path) = &common.telling.report {
        // A run that could not begin has none begun.
        let begun = match (begun, Kind::of(path)) {
            (Some(report), _) => Ok(Some(report)),
            (None, Some(kind)) => Report::create(path, kind, guard).map(Some),
            (None, None) => Ok(None),
        };
        if let Err(cause) = begun.and_then(|report| report.map_or(Ok(()), |report| report.finish(outcome, guard))) {
            let kind = ErrorKind::OutputUnwritable { name: path.to_string_lossy().into_owned() };
            say::text(&error(&Error::new(kind).caused_by(cause)));
            failed = Some(STOPPED);
        }
    }
    if common.telling.json {
        let mut out = BufWriter::new(stdout().lock());
        let code = say::delivered(write_json(outcome, &mut out).and_then(|()| out.flush()));
        failed = failed.or(code.filter(|code| *code != FINISHED));
    }
    failed
}

/// The last line of a run with rejections.
fn last_line(outcome: &Outcome, doing: Doing) -> String {
    let Outcome { read, accepted, rejected, .. } = outcome;
    let faults = match (rejected, read) {
        // Faults of the set only, such as an assignment to a token that is not there.
        (0, _) => "no token is rejected, but other findings are".to_owned(),
        (1, 1) => "the only one is rejected".to_owned(),
        (rejected, read) if rejected == read => format!("all {read} rejected"),
        (rejected, read) => format!("{rejected} of {read} rejected"),
    };
    match doing {
        Doing::Check | Doing::Inspect => format!("checked: {faults}"),
        Doing::Convert { .. } if *accepted == 0 => format!("nothing written: {faults}; mend them"),
        Doing::Convert { skip_rejected: false } => {
            format!("nothing written: {faults}; mend them, or add --skip-rejected to write the {accepted}")
        }
        Doing::Convert { skip_rejected: true } if *rejected == 0 => format!("written: {faults}"),
        Doing::Convert { skip_rejected: true } => format!("written without the rejected: {faults}"),
    }
}

/// An error as it is shown: what, where, why, and what to do.
pub(crate) fn error(error: &Error) -> String {
    let mut text = format!("error: {error}\n");
    if let Some(origin) = error.origin() {
        let _ = writeln!(text, "  at {origin}");
    }
    let mut cause = error.source();
    let mut said = error.to_string();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        // Some libraries say their own cause within their own message.
        if !said.contains(&inner_text) {
            let _ = writeln!(text, "  caused by: {}", one_line(&inner_text));
        }
        said = inner_text;
        cause = inner.source();
    }
    if let Some(hint) = hints::error(error) {
        let _ = writeln!(text, "  hint: {hint}");
    }
    text
}

/// Findings as they are shown: warnings first, so that what was rejected stands nearest to the end.
fn findings(shown: &[Finding], tally: &Tally, quiet: bool, has_report: bool) -> String {
    let mut text = String::new();
    let mut order: Vec<_> = tally.iter().collect();
    order.sort_by_key(|(severity, code, _)| (*severity == Severity::Rejected, *code));
    for (severity, code, count) in order {
        if quiet && severity == Severity::Warning {
            continue;
        }
        let of_this = |finding: &&Finding| finding.code == code && finding.severity == severity;
        let mut said = 0;
        for one in shown.iter().filter(of_this).take(SHOWN_OF_ONE_CODE) {
            finding(one, &mut text);
            said += 1;
        }
        let rest = count.saturating_sub(said);
        if rest > 0 {
            let list = if has_report { "the report lists them all" } else { "`--report FILE` lists them all" };
            let _ = writeln!(text, "{severity}: {rest} more [{code}]; {list}");
        }
        if let Some(hint) = hints::code(code) {
            let _ = writeln!(text, "  hint: {hint}");
        }
    }
    text
}

fn finding(finding: &Finding, text: &mut String) {
    let _ = writeln!(text, "{}: {} [{}]", finding.severity, finding.message, finding.code);
    let serial = finding.serial.as_deref().map(|serial| format!("serial {}", shown(serial)));
    let _ = match (&finding.origin, serial) {
        (Some(origin), Some(serial)) => writeln!(text, "  at {origin}, {serial}"),
        (Some(origin), None) => writeln!(text, "  at {origin}"),
        (None, Some(serial)) => writeln!(text, "  at {serial}"),
        (None, None) => Ok(()),
    };
}

/// A user's or vendor's words, safe for a terminal; the way to a member is shown by the same rule.
pub(crate) fn shown(text: &str) -> String {
    Trail::new(text).to_string()
}

/// A library's message, which may have several lines, on one, with nothing in it that could move a terminal's cursor.
fn one_line(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join("; ").chars().filter(|character| !character.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use seedmill::record::{Code, Place};

    use super::*;

    fn counted(read: u64, rejected: u64) -> Outcome {
        Outcome { read, rejected, accepted: read - rejected, ..Outcome::default() }
    }

    #[test]
    fn the_last_line_says_what_became_of_the_good_tokens() {
        let check = |outcome: &Outcome, doing, expected: Expect| expected.assert_eq(&last_line(outcome, doing));
        let convert = Doing::Convert { skip_rejected: false };
        check(
            &counted(1000, 3),
            convert,
            expect!["nothing written: 3 of 1000 rejected; mend them, or add --skip-rejected to write the 997"],
        );
        check(&counted(3, 3), convert, expect!["nothing written: all 3 rejected; mend them"]);
        check(
            &counted(1000, 3),
            Doing::Convert { skip_rejected: true },
            expect!["written without the rejected: 3 of 1000 rejected"],
        );
        check(
            &counted(3, 3),
            Doing::Convert { skip_rejected: true },
            expect!["nothing written: all 3 rejected; mend them"],
        );
        check(&counted(1000, 3), Doing::Check, expect!["checked: 3 of 1000 rejected"]);
        check(
            &counted(5, 0),
            convert,
            expect![
                "nothing written: no token is rejected, but other findings are; mend them, or add --skip-rejected to write the 5"
            ],
        );
    }

    #[test]
    fn an_error_shows_its_place_its_causes_and_one_hint() {
        let inner = std::io::Error::other("the disk\nis\u{1b}[31m on fire");
        let outer = Error::new(ErrorKind::FormatUnknown)
            .at(Trail::new("2026-03.zip").join("readme.txt").at(Place::Byte(7)))
            .caused_by(inner);
        expect![[r#"
            error: no format fits this member
              at 2026-03.zip > readme.txt > byte 7
              caused by: the disk; is[31m on fire
              hint: if it is a CSV, name its columns with `--column seed=NAME` or by position, and add `--no-header` if it has none; else leave it out with `--skip-member readme.txt`
        "#]]
        .assert_eq(&error(&outer));
    }

    #[test]
    fn a_finding_shows_its_code_its_place_and_its_serial() {
        let check = |origin, serial: Option<&str>, expected: Expect| {
            let mut text = String::new();
            let code = Code::SeedTooShort;
            let message = "seed has 10 bytes, but at least 16 are needed (RFC 4226 §4, R6)".to_owned();
            let serial = serial.map(str::to_owned);
            finding(&Finding { code, severity: code.severity(), serial, origin, message }, &mut text);
            expected.assert_eq(&text);
        };
        let origin = Trail::new("acme.csv").at(Place::Line(214));
        check(
            Some(origin.clone()),
            Some("1000133508267"),
            expect![[r#"
                rejected: seed has 10 bytes, but at least 16 are needed (RFC 4226 §4, R6) [seed-too-short]
                  at acme.csv > line 214, serial 1000133508267
            "#]],
        );
        check(
            Some(origin),
            None,
            expect![[r#"
                rejected: seed has 10 bytes, but at least 16 are needed (RFC 4226 §4, R6) [seed-too-short]
                  at acme.csv > line 214
            "#]],
        );
        check(
            None,
            Some("a\u{202e}b"),
            expect![[r#"
                rejected: seed has 10 bytes, but at least 16 are needed (RFC 4226 §4, R6) [seed-too-short]
                  at serial a\u{202e}b
            "#]],
        );
    }

    #[test]
    fn findings_come_in_groups_with_the_rest_counted() {
        let place = |line| Some(Trail::new("acme.csv").at(Place::Line(line)));
        let one = |code: Code, line, message: &str| Finding {
            code,
            severity: code.severity(),
            serial: None,
            origin: place(line),
            message: message.to_owned(),
        };
        let mut shown: Vec<_> = (2..=12).map(|line| one(Code::SerialMissing, line, "no serial")).collect();
        shown.push(one(Code::UpnMissing, 2, "no user"));
        let mut tally = Tally::default();
        for _ in 0..14 {
            tally.add(Severity::Rejected, Code::SerialMissing);
        }
        tally.add(Severity::Warning, Code::UpnMissing);
        let text = findings(&shown, &tally, false, false);
        expect![[r#"
            warning: no user [upn-missing]
              at acme.csv > line 2
              hint: name users with `--assign FILE.csv`, or assign the tokens later
            rejected: no serial [serial-missing]
              at acme.csv > line 2
            rejected: no serial [serial-missing]
              at acme.csv > line 3
            rejected: no serial [serial-missing]
              at acme.csv > line 4
            rejected: no serial [serial-missing]
              at acme.csv > line 5
            rejected: no serial [serial-missing]
              at acme.csv > line 6
            rejected: no serial [serial-missing]
              at acme.csv > line 7
            rejected: no serial [serial-missing]
              at acme.csv > line 8
            rejected: no serial [serial-missing]
              at acme.csv > line 9
            rejected: no serial [serial-missing]
              at acme.csv > line 10
            rejected: no serial [serial-missing]
              at acme.csv > line 11
            rejected: 4 more [serial-missing]; `--report FILE` lists them all
              hint: complete the serials as they are printed on the tokens
        "#]]
        .assert_eq(&text);
        assert!(!findings(&shown, &tally, true, false).contains("warning"), "quiet leaves warnings out");
        assert!(findings(&shown, &tally, false, true).contains("4 more [serial-missing]; the report lists them all"));
    }
}
