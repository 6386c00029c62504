//! What was in a delivery, and what became of it, for a person to read.
//!
//! # Shape
//!
//! ```text
//! 2026-03.zip: ZIP (AES-256)
//!   tokens.xml  pskc  1000 records
//! read      1000
//! accepted  997
//! rejected  3
//!   2 seed-too-short
//!   1 serial-missing
//! proved    997
//! written   graph.json: 997 tokens, graph
//! ```

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use seedmill::pipeline::{Delivery, Member, Outcome, Output};
use seedmill::record::Severity;

use crate::render::shown;

/// Files of a folder of batches that are named one by one.
const MOST_FILES: usize = 4;

/// What was in the deliveries: layers, members, formats and records.
pub(crate) fn contents(outcome: &Outcome, verbose: bool) -> String {
    let mut text = String::new();
    for delivery in &outcome.deliveries {
        describe(delivery, verbose, &mut text);
    }
    text
}

fn describe(delivery: &Delivery, verbose: bool, text: &mut String) {
    let layers: Vec<_> = delivery.layers.iter().map(|layer| shown(layer)).collect();
    let _ = match layers.as_slice() {
        [] => writeln!(text, "{}", shown(&delivery.path)),
        layers => writeln!(text, "{}: {}", shown(&delivery.path), layers.join(" > ")),
    };
    if let (true, Some(sha256)) = (verbose, &delivery.sha256) {
        let _ = writeln!(text, "  SHA-256 {sha256}");
    }
    // A plain file is its own member.
    let own =
        Path::new(&delivery.path).file_name().map_or_else(|| delivery.path.clone().into(), OsStr::to_string_lossy);
    let name = |member: &Member| shown(if member.name.is_empty() { &own } else { &member.name });
    let names: Vec<_> = delivery.members.iter().map(name).collect();
    let widest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    for (member, name) in delivery.members.iter().zip(&names) {
        let _ = match (member.format, &member.unread) {
            (Some(format), Some(why)) => writeln!(text, "  {name:widest$}  {format}  not read: {why}"),
            (Some(format), None) => writeln!(text, "  {name:widest$}  {format}  {}", counted(member.records, "record")),
            (None, _) => writeln!(text, "  {name:widest$}  key file"),
        };
    }
}

/// What was read, accepted, rejected and proved, and what was written.
pub(crate) fn counts(outcome: &Outcome, took: Option<Duration>) -> String {
    let mut text = contents(outcome, took.is_some());
    let _ = writeln!(text, "read      {}", outcome.read);
    let _ = writeln!(text, "accepted  {}", outcome.accepted);
    let _ = writeln!(text, "rejected  {}", outcome.rejected);
    tally(outcome, Severity::Rejected, &mut text);
    let warnings = outcome.tally.with(Severity::Warning);
    if warnings > 0 {
        let _ = writeln!(text, "warnings  {warnings}");
        tally(outcome, Severity::Warning, &mut text);
    }
    let _ = writeln!(text, "proved    {}", outcome.proved);
    written(&outcome.outputs, &mut text);
    if let Some(took) = took {
        let rate = outcome.read as f64 / took.as_secs_f64().max(0.001);
        let _ = writeln!(text, "took      {:.2} s, {rate:.0} records a second", took.as_secs_f64());
    }
    text
}

fn tally(outcome: &Outcome, severity: Severity, text: &mut String) {
    for (_, code, count) in outcome.tally.iter().filter(|(found, ..)| *found == severity) {
        let _ = writeln!(text, "  {count} {code}");
    }
}

fn written(outputs: &[Output], text: &mut String) {
    let (named, rest) = outputs.split_at(outputs.len().min(MOST_FILES));
    for output in named {
        let path = output.path.to_string_lossy();
        let path = if path == "-" { "standard output".to_owned() } else { shown(&path) };
        let _ = writeln!(text, "written   {path}: {}, {}", counted(output.tokens, "token"), output.format);
    }
    if !rest.is_empty() {
        let tokens = rest.iter().map(|output| output.tokens).sum();
        let _ = writeln!(text, "written   {}: {}", counted(rest.len() as u64, "more file"), counted(tokens, "token"));
    }
}

/// `1 record`, `2 records`
fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use seedmill::format::Format;
    use seedmill::record::{Code, Trail};

    use super::*;

    fn example() -> Outcome {
        let member = |name: &str, format, records| Member {
            name: name.into(),
            trail: Trail::new(name),
            format,
            records,
            unread: None,
        };
        let mut outcome = Outcome {
            deliveries: vec![
                Delivery {
                    path: "2026-03.zip".into(),
                    sha256: Some("00".repeat(32)),
                    layers: vec!["ZIP (AES-256)".into(), "OpenPGP".into()],
                    members: vec![member("tokens.xml", Some(Format::Pskc), 1000), member("k.txt", None, 0)],
                },
                Delivery {
                    path: "one.csv".into(),
                    members: vec![member("", Some(Format::Csv), 1)],
                    ..Delivery::default()
                },
            ],
            read: 1001,
            accepted: 998,
            rejected: 3,
            proved: 998,
            outputs: vec![Output { path: "out.json".into(), format: Format::Graph, tokens: 998, sha256: None }],
            ..Outcome::default()
        };
        for (severity, code) in [
            (Severity::Rejected, Code::SeedTooShort),
            (Severity::Rejected, Code::SeedTooShort),
            (Severity::Rejected, Code::SerialMissing),
            (Severity::Warning, Code::UpnMissing),
        ] {
            outcome.tally.add(severity, code);
        }
        outcome
    }

    #[test]
    fn shows_what_was_in_it_and_what_became_of_it() {
        expect![[r#"
            2026-03.zip: ZIP (AES-256) > OpenPGP
              tokens.xml  pskc  1000 records
              k.txt       key file
            one.csv
              one.csv  csv  1 record
            read      1001
            accepted  998
            rejected  3
              2 seed-too-short
              1 serial-missing
            warnings  1
              1 upn-missing
            proved    998
            written   out.json: 998 tokens, graph
        "#]]
        .assert_eq(&counts(&example(), None));
    }

    #[test]
    fn says_more_when_asked_to() {
        let text = counts(&example(), Some(Duration::from_millis(500)));
        assert!(text.contains(&format!("  SHA-256 {}\n", "00".repeat(32))), "{text}");
        assert!(text.ends_with("took      0.50 s, 2002 records a second\n"), "{text}");
    }

    #[test]
    fn adds_up_the_files_of_a_large_folder() {
        let file = |number: u64| Output {
            path: format!("out/graph-{number:04}.json").into(),
            format: Format::Graph,
            tokens: number,
            sha256: None,
        };
        let mut text = String::new();
        written(&(1..=6).map(file).collect::<Vec<_>>(), &mut text);
        expect![[r#"
            written   out/graph-0001.json: 1 token, graph
            written   out/graph-0002.json: 2 tokens, graph
            written   out/graph-0003.json: 3 tokens, graph
            written   out/graph-0004.json: 4 tokens, graph
            written   2 more files: 11 tokens
        "#]]
        .assert_eq(&text);
    }
}
