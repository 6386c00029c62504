//! What the policy of a key says against its use, as faults.
//!
//! # Source
//!
//! [RFC 6030] §5: a policy that is not understood forbids the use of the key.
//!
//! # Leniency
//!
//! A `PINPolicy` whose `PINUsageMode` is `Local` is no hindrance: the device itself asks for the PIN, and the codes
//! are as without one. Every other mode, and one that is not said, makes the PIN part of what the server checks.
//!
//! [RFC 6030]: https://www.rfc-editor.org/rfc/rfc6030#section-5

use super::package::{Device, Policy, Text};
use crate::record::{Code, escaped};

/// Adds what is against using a key at `now`, in seconds since 1970.
pub(super) fn judge(device: &Device<'_>, policy: &Policy<'_>, now: Option<i64>, faults: &mut Vec<(Code, String)>) {
    if let Some(unknown) = &policy.unknown {
        let unknown = escaped(unknown);
        faults
            .push((Code::PolicyUnknown, format!("the policy has `{unknown}`, which is not understood (RFC 6030 §5)")));
    }
    if policy.usage && !policy.usage_otp {
        let message = "the policy does not allow codes: expected the key usage `OTP`, but found others only";
        faults.push((Code::PolicyUnknown, message.to_owned()));
    }
    if let Some(count) = &policy.transactions {
        let count = escaped(count);
        let message = format!("the policy allows `{count}` transactions, which no target counts (RFC 6030 §5)");
        faults.push((Code::PolicyUnknown, message));
    }
    if policy.pin {
        match policy.pin_mode.as_deref() {
            Some("Local") => {}
            Some(mode) => {
                let mode = escaped(mode);
                let message = format!("the policy asks for a PIN: expected the mode `Local`, but found `{mode}`");
                faults.push((Code::PolicyUnknown, message));
            }
            None => {
                let message = "the policy asks for a PIN: expected the mode `Local`, but found none";
                faults.push((Code::PolicyUnknown, message.to_owned()));
            }
        }
    }
    for (what, start, expiry) in [("key", &policy.start, &policy.expiry), ("device", &device.start, &device.expiry)] {
        date(what, "begins", start, now, |at, now| at > now, faults);
        date(what, "ended", expiry, now, |at, now| at < now, faults);
    }
}

fn date(
    what: &str,
    does: &str,
    date: &Text<'_>,
    now: Option<i64>,
    out: fn(i64, i64) -> bool,
    faults: &mut Vec<(Code, String)>,
) {
    let Some(text) = date.as_deref().filter(|text| !text.is_empty()) else { return };
    let shown = escaped(text);
    match (seconds(text), now) {
        (None, _) => {
            let message = format!("the {what} has a date that is not understood: `{shown}` (RFC 6030 §5)");
            faults.push((Code::PolicyUnknown, message));
        }
        (Some(at), Some(now)) if out(at, now) => {
            faults.push((Code::KeyExpired, format!("the {what}'s time {does} at `{shown}`")));
        }
        _ => {}
    }
}

/// Seconds since 1970 of an `xs:dateTime` or `xs:date`; without an offset it is taken as UTC.
fn seconds(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let mut parts = date.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = digits(parts.next()?, 2).filter(|month| (1..=12).contains(month))?;
    let day = digits(parts.next()?, 2).filter(|day| (1..=31).contains(day))?;
    if parts.next().is_some() {
        return None;
    }
    let (clock, offset) = match rest.strip_prefix('T') {
        None => (0, rest),
        Some(rest) => {
            let (time, rest) = rest.split_at_checked(8)?;
            let mut parts = time.split(':');
            let hour = digits(parts.next()?, 2).filter(|hour| *hour <= 24)?;
            let minute = digits(parts.next()?, 2).filter(|minute| *minute <= 59)?;
            let second = digits(parts.next()?, 2).filter(|second| *second <= 60)?;
            if parts.next().is_some() {
                return None;
            }
            let rest = match rest.strip_prefix('.') {
                None => rest,
                Some(fraction) => fraction.trim_start_matches(|digit: char| digit.is_ascii_digit()),
            };
            (hour * 3600 + minute * 60 + second, rest)
        }
    };
    let offset = match offset {
        "" | "Z" => 0,
        other => {
            let (sign, other) = match other.split_at_checked(1)? {
                ("+", other) => (1, other),
                ("-", other) => (-1, other),
                _ => return None,
            };
            let (hour, minute) = other.split_once(':')?;
            sign * (digits(hour, 2)? * 3600 + digits(minute, 2)? * 60)
        }
    };
    Some(days(year, month, day) * 86_400 + clock - offset)
}

fn digits(text: &str, count: usize) -> Option<i64> {
    (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Days from 1970-01-01 in the Gregorian calendar, by counting from a March 1st, so that a leap day comes last.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_seconds() {
        // Worked out with `date -u -d … +%s`.
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2006-05-31T00:00:00Z", Some(1_149_033_600)),
            ("2024-02-29T23:59:59.123Z", Some(1_709_251_199)),
            ("2026-01-01T00:00:00+01:00", Some(1_767_222_000)),
            ("2026-01-01T00:00:00-05:30", Some(1_767_245_400)),
            ("2026-01-01", Some(1_767_225_600)),
            ("2026-01-01T00:00:00", Some(1_767_225_600)),
            ("01/01/2008", None),
            ("2026-13-01T00:00:00Z", None),
            ("2026-01-01T00:00:00+0100", None),
            ("2026-01-01 00:00:00", None),
            ("", None),
            ("ä026-01-01", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    fn check(policy: &Policy<'_>, now: Option<i64>, expected: &str) {
        let mut faults = Vec::new();
        judge(&Device::default(), policy, now, &mut faults);
        let shown: Vec<String> = faults.iter().map(|(code, message)| format!("{code}: {message}")).collect();
        assert_eq!(shown.join("\n"), expected);
    }

    #[test]
    fn a_policy_is_taken_at_its_word() {
        check(&Policy::default(), Some(0), "");
        let dates = || Policy {
            start: Some("2006-05-01T00:00:00Z".into()),
            expiry: Some("2006-05-31T00:00:00Z".into()),
            ..Policy::default()
        };
        check(&dates(), None, "");
        check(&dates(), Some(1_148_000_000), "");
        check(&dates(), Some(1_149_033_601), "key-expired: the key's time ended at `2006-05-31T00:00:00Z`");
        check(&dates(), Some(0), "key-expired: the key's time begins at `2006-05-01T00:00:00Z`");
        check(
            &Policy { start: Some("soon".into()), ..Policy::default() },
            None,
            "policy-unknown: the key has a date that is not understood: `soon` (RFC 6030 §5)",
        );
        check(&Policy { usage: true, usage_otp: true, ..Policy::default() }, None, "");
        check(
            &Policy { usage: true, ..Policy::default() },
            None,
            "policy-unknown: the policy does not allow codes: expected the key usage `OTP`, but found others only",
        );
        check(
            &Policy { transactions: Some("5".into()), ..Policy::default() },
            None,
            "policy-unknown: the policy allows `5` transactions, which no target counts (RFC 6030 §5)",
        );
        check(
            &Policy { unknown: Some("Moon".into()), ..Policy::default() },
            None,
            "policy-unknown: the policy has `Moon`, which is not understood (RFC 6030 §5)",
        );
    }

    #[test]
    fn a_pin_that_the_device_checks_is_no_hindrance() {
        check(&Policy { pin: true, pin_mode: Some("Local".into()), ..Policy::default() }, None, "");
        check(
            &Policy { pin: true, pin_mode: Some("Prepend".into()), ..Policy::default() },
            None,
            "policy-unknown: the policy asks for a PIN: expected the mode `Local`, but found `Prepend`",
        );
        check(
            &Policy { pin: true, ..Policy::default() },
            None,
            "policy-unknown: the policy asks for a PIN: expected the mode `Local`, but found none",
        );
    }
}
