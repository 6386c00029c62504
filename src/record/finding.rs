//! What is wrong with a record: stable codes, severities, and the tally of a run.

use std::collections::BTreeMap;
use std::fmt;

use super::Origin;

/// Whether a finding leaves its token out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The token is left out.
    Rejected,
    /// The token is kept.
    Warning,
}

impl Severity {
    /// The word in reports and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Warning => "warning",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Declares every code once, so that the table and the enum cannot drift apart.
macro_rules! codes {
    ($($variant:ident $name:literal $severity:ident $allowable:literal $meaning:literal)*) => {
        /// A stable name for what can be wrong with a record.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $meaning] $variant,)*
        }

        impl Code {
            /// Every code, in alphabetical order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code in kebab case, as `--allow` takes it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The severity where nothing else is said.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// Whether `--allow` may lower it.
            pub const fn allowable(self) -> bool {
                match self { $(Self::$variant => $allowable,)* }
            }

            /// What it means, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

codes! {
    AssignDuplicate "assign-duplicate" Rejected true "A serial stands twice in the assignment list with different users."
    AssignUnknown "assign-unknown" Rejected true "A serial of the assignment list has no token in the delivery."
    ColumnUnread "column-unread" Warning true "A column was not read: its name is not known."
    DigitsUnsupported "digits-unsupported" Rejected false "The number of digits is none that a code can have, or none that the target can hold."
    FieldDropped "field-dropped" Warning true "The target has no place for a field that the record has."
    HashAssumed "hash-assumed" Warning true "The format has no place for the hash; SHA-1 is taken for seeds of 20 bytes or less."
    HashUnknown "hash-unknown" Rejected false "The hash is not said, and the seed is longer than SHA-1's 20 bytes."
    HashUnsupported "hash-unsupported" Rejected false "The hash is none of SHA-1, SHA-256 and SHA-512, or none that the target can hold."
    IntegerAmbiguous "integer-ambiguous" Rejected false "An encrypted number can be read as digits and as a binary number."
    KeyBesideSeeds "key-beside-seeds" Warning true "The key lies in the same delivery as the seeds that it protects."
    KeyExpired "key-expired" Warning true "The key's policy ends before today or begins after it."
    MacMismatch "mac-mismatch" Rejected false "The MAC does not match the encrypted value (RFC 6030 §6.1.1)."
    MacMissing "mac-missing" Rejected true "A value is encrypted without the MAC that protects it (RFC 6030 §6.1.1)."
    ManufacturerMissing "manufacturer-missing" Rejected true "The record names no manufacturer."
    MemberSkipped "member-skipped" Warning true "A member is plainly no seed file and was not read."
    ModelMissing "model-missing" Rejected true "The record names no model."
    PeriodUnknown "period-unknown" Rejected false "Nothing says the time step; it has no default."
    PeriodUnsupported "period-unsupported" Rejected false "The time step is no number of seconds above 0, or none that the target can hold."
    PolicyUnknown "policy-unknown" Rejected true "The key's policy forbids its use for codes, or says what is not understood (RFC 6030 §5)."
    ProofFailed "proof-failed" Rejected false "What was written does not compute the codes of what was read."
    SeedAmbiguous "seed-ambiguous" Rejected false "The seed can be read in two encodings."
    SeedDuplicate "seed-duplicate" Rejected true "Another serial has the same seed."
    SeedEncoding "seed-encoding" Rejected false "The seed is not text of its encoding."
    SeedLength "seed-length" Rejected true "The seed is shorter or longer than nearly all of its member: it may have been cut."
    SeedMissing "seed-missing" Rejected false "The record has no seed."
    SeedSpareBits "seed-spare-bits" Rejected true "The unused bits at the end of the text are not zero: it was cut."
    SeedTooLong "seed-too-long" Rejected false "The target cannot hold a seed of this length."
    SeedTooShort "seed-too-short" Rejected true "The seed has fewer than 16 bytes (RFC 4226 §4, R6)."
    SeedUnsupported "seed-unsupported" Rejected false "The target holds seeds of one length only, and this has another."
    SeedWeak "seed-weak" Rejected true "The seed is one repeated byte, a counting run, or a published sample; a warning for targets other than Entra's."
    SerialDamaged "serial-damaged" Rejected true "A spreadsheet has turned the serial into a number in scientific form."
    SerialDuplicate "serial-duplicate" Rejected true "Two records have one serial; may be allowed for targets that can tell them apart."
    SerialMissing "serial-missing" Rejected true "The record has no serial."
    SignatureUnchecked "signature-unchecked" Warning true "The delivery is signed, and no certificate was given to check it with."
    TextControl "text-control" Rejected true "A value has characters that do not show: line ends, control characters, invisible marks."
    TextFormula "text-formula" Rejected true "A value would be run as a formula by a spreadsheet."
    TypeUnsupported "type-unsupported" Rejected false "The record is no HOTP or TOTP token, or none that the target can hold."
    UpnDropped "upn-dropped" Warning true "The target cannot hold the user as it is named."
    UpnMissing "upn-missing" Warning true "The record names no user."
}

impl Code {
    /// The code with that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing wrong with one record, or with a member.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What kind of thing.
    pub code: Code,
    /// Its severity in this run.
    pub severity: Severity,
    /// The record's serial, where it has one.
    pub serial: Option<String>,
    /// Where it is; `None` for a finding on no member, such as a list of assignments.
    pub origin: Option<Origin>,
    /// What is wrong, expected and found.
    pub message: String,
}

/// Takes findings on one record where they are made; the severities of the run are known behind it.
pub trait Findings {
    /// Notes a finding. The message is made only when somebody will read it.
    fn note(&mut self, code: Code, severity: Severity, message: &dyn Fn() -> String);
}

/// How many findings of each code and severity there were.
#[derive(Clone, Debug, Default)]
pub struct Tally(BTreeMap<(Severity, Code), u64>);

impl Tally {
    /// Counts a finding.
    pub fn add(&mut self, severity: Severity, code: Code) {
        self.add_many(severity, code, 1);
    }

    /// Counts several findings of one kind.
    pub fn add_many(&mut self, severity: Severity, code: Code, count: u64) {
        *self.0.entry((severity, code)).or_default() += count;
    }

    /// Findings of one code, whatever their severity.
    pub fn of(&self, code: Code) -> u64 {
        self.0.iter().filter(|((_, counted), _)| *counted == code).map(|(_, count)| count).sum()
    }

    /// Findings of one severity.
    pub fn with(&self, severity: Severity) -> u64 {
        self.0.iter().filter(|((counted, _), _)| *counted == severity).map(|(_, count)| count).sum()
    }

    /// Every code that occurred, rejections first, each with its severity and count.
    pub fn iter(&self) -> impl Iterator<Item = (Severity, Code, u64)> {
        self.0.iter().map(|(&(severity, code), &count)| (severity, code, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_by_its_name() {
        for &code in Code::ALL {
            assert_eq!(Code::parse(code.name()), Some(code));
        }
    }

    #[test]
    fn codes_stand_in_alphabetical_order() {
        assert!(Code::ALL.is_sorted_by_key(|code| code.name()));
    }
}
