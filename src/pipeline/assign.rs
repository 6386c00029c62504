//! A list of users for serials in, the user of a serial out.
//!
//! # Shape
//!
//! ```csv
//! serial,upn
//! 0001338000,ada@example.com
//! ```
//!
//! or `serial,object id`. Comma or semicolon, with or without a byte-order mark. Serials are compared exactly:
//! a leading zero that a spreadsheet has lost is found and said, not repaired.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, ErrorKind, Result};
use crate::format::Format;
use crate::record::{Code, Finding, Origin, Place, Severity, Trail, escaped, is_object_id};

/// Users for serials, as a list names them.
#[derive(Debug)]
pub struct Assignments {
    trail: Trail,
    users: HashMap<String, User>,
    /// Serials that stand twice with two users: line, serial.
    contradicted: Vec<(u64, String)>,
}

#[derive(Debug)]
struct User {
    name: String,
    line: u64,
    met: AtomicBool,
    /// Another line names another user, and nothing tells which is meant.
    contradicted: bool,
}

impl Assignments {
    /// Reads a list; `name` is what messages call it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AssignInvalid`] for a header other than the two, for a row of other length, and for a
    /// serial or user that is empty.
    pub fn parse(name: &str, text: &[u8]) -> Result<Self> {
        let trail = Trail::new(name);
        let invalid = |line: u64, detail: String| {
            Error::new(ErrorKind::AssignInvalid { name: name.to_owned(), detail }).at(trail.at(Place::Line(line)))
        };
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let header = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let delimiter = if header.contains(&b';') { b';' } else { b',' };
        let mut rows = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .delimiter(delimiter)
            .comment(Some(b'#'))
            .from_reader(text);
        let mut users = HashMap::new();
        let mut contradicted = Vec::new();
        let mut headed = false;
        for row in rows.records() {
            let row = row.map_err(|error| {
                let line = error.position().map_or(1, csv::Position::line);
                invalid(line, "expected UTF-8 text in two columns".to_owned())
            })?;
            let line = row.position().map_or(1, csv::Position::line);
            let [serial, user] = [0, 1].map(|column| row.get(column).unwrap_or_default());
            if row.len() != 2 {
                return Err(invalid(line, format!("expected 2 fields in a row, but found {}", row.len())));
            }
            if !headed {
                let known =
                    ["upn", "object id", "objectid", "user"].iter().any(|known| user.eq_ignore_ascii_case(known));
                if !(serial.eq_ignore_ascii_case("serial") || serial.eq_ignore_ascii_case("serial number")) || !known {
                    // It is not shown: a list without a header may be one of seeds, or of passwords.
                    return Err(invalid(
                        line,
                        "expected the header `serial,upn` or `serial,object id`, but found another line".to_owned(),
                    ));
                }
                headed = true;
                continue;
            }
            if serial.is_empty() || user.is_empty() {
                return Err(invalid(line, "expected a serial and a user, but one is empty".to_owned()));
            }
            match users.entry(serial.to_owned()) {
                Entry::Vacant(free) => {
                    free.insert(User { name: user.to_owned(), line, met: AtomicBool::new(false), contradicted: false });
                }
                Entry::Occupied(mut taken) if taken.get().name != user => {
                    taken.get_mut().contradicted = true;
                    contradicted.push((line, serial.to_owned()));
                }
                Entry::Occupied(_) => {}
            }
        }
        if !headed {
            return Err(invalid(
                1,
                "expected the header `serial,upn` or `serial,object id`, but the list is empty".to_owned(),
            ));
        }
        Ok(Self { trail, users, contradicted })
    }

    /// Whether a target can take these users.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AssignUpnInGraph`] for a UPN where only an object id can be written, and
    /// [`ErrorKind::AssignObjectIdInCsv`] for an object id where only a UPN can.
    pub fn check(&self, target: Format) -> Result<()> {
        let mut lines: Vec<&User> = self.users.values().collect();
        lines.sort_unstable_by_key(|user| user.line);
        for user in lines {
            let kind = match target {
                Format::Graph if !is_object_id(&user.name) => ErrorKind::AssignUpnInGraph { user: user.name.clone() },
                Format::EntraCsv if is_object_id(&user.name) => {
                    ErrorKind::AssignObjectIdInCsv { user: user.name.clone() }
                }
                _ => continue,
            };
            return Err(Error::new(kind).at(self.trail.at(Place::Line(user.line))));
        }
        Ok(())
    }

    /// The user of a serial, where the list names one; remembers that the serial was met.
    pub(super) fn user(&self, serial: &str) -> Option<&str> {
        let user = self.users.get(serial)?;
        user.met.store(true, Ordering::Relaxed);
        (!user.contradicted).then_some(&user.name)
    }

    /// What is wrong with the list once the whole delivery is known; `serials` are those of the delivery.
    pub(super) fn findings<'s>(&self, serials: impl Iterator<Item = &'s str>) -> Vec<(Code, Finding)> {
        let mut found: Vec<(u64, Code, &str, String)> = Vec::new();
        for (line, serial) in &self.contradicted {
            let first = &self.users[serial];
            let message = format!("the serial stands on line {} too, with another user", first.line);
            found.push((*line, Code::AssignDuplicate, serial, message));
        }
        let unmet: Vec<(&String, &User)> =
            self.users.iter().filter(|(_, user)| !user.met.load(Ordering::Relaxed)).collect();
        if !unmet.is_empty() {
            let stripped: HashMap<&str, &str> =
                serials.map(|serial| (serial.trim_start_matches('0'), serial)).collect();
            for (serial, user) in unmet {
                let message = match stripped.get(serial.trim_start_matches('0')) {
                    Some(whole) => format!(
                        "no token has this serial, but the delivery has `{}`: leading zeros were lost",
                        escaped(whole)
                    ),
                    None => "no token of the delivery has this serial".to_owned(),
                };
                found.push((user.line, Code::AssignUnknown, serial, message));
            }
        }
        found.sort_unstable_by_key(|(line, ..)| *line);
        found
            .into_iter()
            .map(|(line, code, serial, message)| (code, self.finding(line, code, serial, message)))
            .collect()
    }

    fn finding(&self, line: u64, code: Code, serial: &str, message: String) -> Finding {
        let origin = Origin { trail: self.trail.clone(), place: Some(Place::Line(line)) };
        Finding { code, severity: Severity::Rejected, serial: Some(escaped(serial)), origin: Some(origin), message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Assignments {
        Assignments::parse("users.csv", text.as_bytes()).expect("a good list")
    }

    #[test]
    fn finds_the_user_of_a_serial_exactly() {
        for text in ["serial,upn\n0001,ada@example.com\n", "\u{feff}Serial;UPN\r\n0001; ada@example.com\r\n"] {
            let list = parsed(text);
            assert_eq!(list.user("0001"), Some("ada@example.com"));
            assert_eq!(list.user("1"), None);
        }
    }

    #[test]
    fn says_what_does_not_fit_the_delivery() {
        let list = parsed("serial,upn\n1,a@x\n0002,b@x\n0003,c@x\n0003,d@x\n9,e@x\n");
        list.user("0002");
        assert_eq!(list.user("0003"), None);
        let found: Vec<String> = list
            .findings(["0001", "0002", "0003"].into_iter())
            .iter()
            .map(|(_, finding)| {
                format!("{} {}: {}", finding.origin.as_ref().expect("a line"), finding.code, finding.message)
            })
            .collect();
        assert_eq!(
            found,
            [
                "users.csv > line 2 assign-unknown: no token has this serial, but the delivery has `0001`: leading zeros were lost",
                "users.csv > line 5 assign-duplicate: the serial stands on line 4 too, with another user",
                "users.csv > line 6 assign-unknown: no token of the delivery has this serial",
            ]
        );
    }

    #[test]
    fn refuses_a_upn_where_only_an_object_id_fits() {
        let error = parsed("serial,upn\n1,ada@example.com\n").check(Format::Graph).expect_err("a UPN");
        assert_eq!(
            error.to_string(),
            "`ada@example.com` is no object id: Graph assigns by object id only, and a UPN can be resolved only online"
        );
        let list = parsed("serial,object id\n1,3dee0e53-0aaf-4c43-9f7e-3a1f0e5d7c11\n");
        list.check(Format::Graph).expect("an object id");
        let error = list.check(Format::EntraCsv).expect_err("an object id");
        assert_eq!(
            error.to_string(),
            "`3dee0e53-0aaf-4c43-9f7e-3a1f0e5d7c11` is an object id: the Entra CSV names users by UPN only"
        );
    }

    #[test]
    fn says_what_is_wrong_with_a_list() {
        for (text, expected) in [
            ("", "the list is empty"),
            ("a,b\n", "but found another line"),
            ("serial,upn\n1\n", "expected 2 fields in a row, but found 1"),
            ("serial,upn\n1,\n", "expected a serial and a user, but one is empty"),
        ] {
            let error = Assignments::parse("users.csv", text.as_bytes()).expect_err(text).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
