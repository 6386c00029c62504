//! Findings in, as they come; the report out, as JSON or CSV.
//!
//! # Shape
//!
//! ```json
//! {"seedmill":"0.1.0","delivery":[{"path":"a.zip","sha256":"…","layers":["ZIP (AES-256)"],
//!   "members":[{"name":"tokens.csv","format":"entra-csv","records":1000}]}],
//!  "counts":{"read":1000,"accepted":997,"rejected":3,"warnings":1,"proved":997},
//!  "findings":[{"code":"seed-too-short","severity":"rejected","serial":"0001","origin":"a.zip > tokens.csv > line 3","message":"…"}],
//!  "outputs":[{"path":"tokens.json","format":"graph","tokens":997,"sha256":"…"}]}
//! ```
//!
//! A run that stopped has `"error"` too. No secret stands in any of it.
//!
//! # Memory
//!
//! Ten findings of each code; for a report all, in a temporary file beyond one MiB.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};

use serde::{Deserialize, Serialize};
use tempfile::SpooledTempFile;

use super::Outcome;
use crate::record::{Code, Finding, Severity};

/// Findings of each code that a person is shown.
const SHOWN_OF_A_CODE: usize = 10;

/// Findings for a report that stay in memory, in bytes.
const SPOOL_BYTES: usize = 1 << 20;

/// The findings of a run.
#[derive(Default)]
pub struct FindingLog {
    first: Vec<Finding>,
    shown: BTreeMap<(Severity, Code), usize>,
    all: Option<SpooledTempFile>,
}

impl fmt::Debug for FindingLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FindingLog").field("first", &self.first).finish_non_exhaustive()
    }
}

impl FindingLog {
    /// An empty log that keeps all findings, or only the first of each code.
    pub(super) fn new(keep_all: bool) -> Self {
        Self { all: keep_all.then(|| SpooledTempFile::new(SPOOL_BYTES)), ..Self::default() }
    }

    /// Whether another finding like this would be kept: making one that nobody reads costs time.
    pub(super) fn wants(&self, severity: Severity, code: Code) -> bool {
        self.all.is_some() || self.shown.get(&(severity, code)).is_none_or(|shown| *shown < SHOWN_OF_A_CODE)
    }

    /// Takes a finding.
    pub(super) fn add(&mut self, finding: Finding) -> io::Result<()> {
        if let Some(spool) = &mut self.all {
            serde_json::to_writer(&mut *spool, &Line::of(&finding))?;
            spool.write_all(b"\n")?;
        }
        let shown = self.shown.entry((finding.severity, finding.code)).or_default();
        if *shown < SHOWN_OF_A_CODE {
            *shown += 1;
            self.first.push(finding);
        }
        Ok(())
    }

    /// Sorts what is shown: rejections first, those of one code together.
    pub(super) fn seal(&mut self) {
        self.first.sort_by_key(|finding| (finding.severity, finding.code));
    }

    /// The first ten findings of each code, those of one code together, rejections first.
    pub fn first(&self) -> &[Finding] {
        &self.first
    }

    /// Every finding in the order they were made, as lines of JSON.
    fn lines(&mut self) -> io::Result<Box<dyn BufRead + '_>> {
        match &mut self.all {
            Some(spool) => {
                spool.rewind()?;
                Ok(Box::new(BufReader::new(spool)))
            }
            None => Ok(Box::new(io::empty())),
        }
    }
}

/// A finding as the report has it.
#[derive(Serialize, Deserialize)]
struct Line {
    code: String,
    severity: String,
    serial: Option<String>,
    origin: Option<String>,
    message: String,
}

impl Line {
    fn of(finding: &Finding) -> Self {
        Self {
            code: finding.code.name().to_owned(),
            severity: finding.severity.name().to_owned(),
            serial: finding.serial.clone(),
            origin: finding.origin.as_ref().map(ToString::to_string),
            message: finding.message.clone(),
        }
    }
}

#[derive(Serialize)]
struct DeliveryLine<'o> {
    path: &'o str,
    sha256: Option<&'o str>,
    layers: &'o [String],
    members: Vec<MemberLine<'o>>,
}

#[derive(Serialize)]
struct MemberLine<'o> {
    name: &'o str,
    format: Option<&'static str>,
    records: u64,
}

#[derive(Serialize)]
struct Counts {
    read: u64,
    accepted: u64,
    rejected: u64,
    warnings: u64,
    proved: u64,
}

#[derive(Serialize)]
struct OutputLine<'o> {
    path: String,
    format: &'static str,
    tokens: u64,
    sha256: Option<&'o str>,
}

/// Writes the report as one JSON object.
///
/// # Errors
///
/// Whatever writing and reading back the spooled findings answer.
pub fn write_json(outcome: &mut Outcome, out: &mut dyn Write) -> io::Result<()> {
    let delivery: Vec<_> = outcome
        .deliveries
        .iter()
        .map(|delivery| DeliveryLine {
            path: &delivery.path,
            sha256: delivery.sha256.as_deref(),
            layers: &delivery.layers,
            members: delivery
                .members
                .iter()
                .map(|member| MemberLine {
                    name: &member.name,
                    format: member.format.map(|format| format.id()),
                    records: member.records,
                })
                .collect(),
        })
        .collect();
    let counts = Counts {
        read: outcome.read,
        accepted: outcome.accepted,
        rejected: outcome.rejected,
        warnings: outcome.tally.with(Severity::Warning),
        proved: outcome.proved,
    };
    write!(out, "{{\"seedmill\":\"{}\",\"delivery\":", env!("CARGO_PKG_VERSION"))?;
    serde_json::to_writer(&mut *out, &delivery)?;
    out.write_all(b",\"counts\":")?;
    serde_json::to_writer(&mut *out, &counts)?;
    out.write_all(b",\"findings\":[")?;
    let mut lines = outcome.findings.lines()?;
    let mut line = Vec::new();
    let mut first = true;
    while lines.read_until(b'\n', &mut line)? > 0 {
        out.write_all(if first { b"\n" } else { b",\n" })?;
        out.write_all(line.trim_ascii_end())?;
        line.clear();
        first = false;
    }
    drop(lines);
    out.write_all(b"],\"outputs\":")?;
    let outputs: Vec<_> = outcome
        .outputs
        .iter()
        .map(|output| OutputLine {
            path: output.path.display().to_string(),
            format: output.format.id(),
            tokens: output.tokens,
            sha256: output.sha256.as_deref(),
        })
        .collect();
    serde_json::to_writer(&mut *out, &outputs)?;
    if let Some(error) = &outcome.stopped {
        out.write_all(b",\"error\":")?;
        let origin = error.origin().map(ToString::to_string);
        serde_json::to_writer(&mut *out, &serde_json::json!({ "message": error.to_string(), "origin": origin }))?;
    }
    out.write_all(b"}\n")
}

/// Writes the findings as CSV: `code,severity,serial,origin,message`. A value that a spreadsheet would run as a
/// formula gets an apostrophe in front.
///
/// # Errors
///
/// Whatever writing and reading back the spooled findings answer.
pub fn write_csv(outcome: &mut Outcome, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = csv::Writer::from_writer(out);
    rows.write_record(["code", "severity", "serial", "origin", "message"])?;
    let mut text = String::new();
    let mut lines = outcome.findings.lines()?;
    while lines.read_line(&mut text)? > 0 {
        let line: Line = serde_json::from_str(&text)?;
        let cells = [Some(line.code), Some(line.severity), line.serial, line.origin, Some(line.message)];
        rows.write_record(cells.map(|cell| inert(cell.unwrap_or_default())))?;
        text.clear();
    }
    if let Some(error) = &outcome.stopped {
        let origin = error.origin().map(ToString::to_string).unwrap_or_default();
        let cells = ["", "error", "", &origin, &error.to_string()];
        rows.write_record(cells.map(|cell| inert(cell.to_owned())))?;
    }
    rows.flush()
}

/// A cell that no spreadsheet runs (OWASP, "CSV injection").
fn inert(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

/// Reads all of `source` through SHA-256; hex.
pub(super) fn sha256_of(source: &mut dyn Read) -> io::Result<String> {
    use sha2::{Digest, Sha256};
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match source.read(&mut buffer)? {
            0 => return Ok(data_encoding::HEXLOWER.encode(&hasher.finalize())),
            count => hasher.update(&buffer[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::error::{Error, ErrorKind};
    use crate::format::Format;
    use crate::pipeline::{Delivery, Member, Output};
    use crate::record::{Place, Trail};

    fn outcome() -> Outcome {
        let mut findings = FindingLog::new(true);
        for line in 2..14 {
            findings
                .add(Finding {
                    code: Code::SeedTooShort,
                    severity: Severity::Rejected,
                    serial: Some(format!("={line}")),
                    origin: Some(Trail::new("a.zip").join("t.csv").at(Place::Line(line))),
                    message: "the seed has 10 bytes".to_owned(),
                })
                .expect("memory writes");
        }
        Outcome {
            deliveries: vec![Delivery {
                path: "a.zip".to_owned(),
                sha256: None,
                layers: vec!["ZIP (AES-256)".to_owned()],
                members: vec![Member {
                    name: "t.csv".to_owned(),
                    trail: Trail::new("a.zip").join("t.csv"),
                    format: Some(Format::EntraCsv),
                    records: 12,
                    unread: None,
                }],
            }],
            read: 12,
            rejected: 12,
            findings,
            outputs: vec![Output { path: "o.json".into(), format: Format::Graph, tokens: 0, sha256: None }],
            ..Outcome::default()
        }
    }

    #[test]
    fn the_json_report_has_every_finding_and_a_person_sees_ten() {
        let mut outcome = outcome();
        assert_eq!(outcome.findings.first().len(), 10);
        let mut text = Vec::new();
        write_json(&mut outcome, &mut text).expect("memory writes");
        let report: serde_json::Value = serde_json::from_slice(&text).expect("it is JSON");
        assert_eq!(report["findings"].as_array().map(Vec::len), Some(12));
        assert_eq!(report["findings"][0]["origin"], "a.zip > t.csv > line 2");
        assert_eq!(report["counts"]["rejected"], 12);
        assert_eq!(report["delivery"][0]["members"][0]["format"], "entra-csv");
    }

    #[test]
    fn the_csv_report_runs_no_formula() {
        let mut outcome = outcome();
        outcome.stopped = Some(Error::new(ErrorKind::EmptyFile).at(Trail::new("b.zip").whole()));
        let mut text = Vec::new();
        write_csv(&mut outcome, &mut text).expect("memory writes");
        let text = String::from_utf8(text).expect("UTF-8");
        let shown: Vec<&str> = text.lines().take(2).chain(text.lines().last()).collect();
        expect![[r#"
            code,severity,serial,origin,message
            seed-too-short,rejected,'=2,a.zip > t.csv > line 2,the seed has 10 bytes
            ,error,,b.zip,"the file is empty: expected a delivery, but found 0 bytes""#]]
        .assert_eq(&shown.join("\n"));
    }
}
