//! What stops a run: one kind for each cause, with the place and the chain of causes.
//!
//! `Display` says what is wrong in one line; [`Error::origin`] says where. What to do about it is the
//! binary's to say, which knows the flags: `bin/seedmill/hints.rs` has a hint for each kind, and does
//! not compile while a kind has none.

use std::error::Error as StdError;
use std::fmt;

use crate::limits::Limit;
use crate::record::{Code, Encoding, Field, Origin};

/// A result whose error stops the run.
pub type Result<T> = std::result::Result<T, Error>;

/// What stops a run.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    origin: Option<Origin>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of a kind, nowhere yet.
    pub fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner { kind, origin: None, source: None }))
    }

    /// What a stream answered: one of our own errors that travelled inside, or a failure to read.
    pub fn reading(error: std::io::Error, name: impl Into<String>) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(error) => Self::new(ErrorKind::Read { name: name.into() }).caused_by(error),
        }
    }

    /// Says where. The first, innermost place given is kept.
    #[must_use]
    pub fn at(mut self, origin: Origin) -> Self {
        self.0.origin.get_or_insert(origin);
        self
    }

    /// Adds what caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The kind, for a hint or an exit code.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Where it is, when it has a place.
    pub fn origin(&self) -> Option<&Origin> {
        self.0.origin.as_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.kind.fmt(f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// Lets an error travel through a `Read`; [`Error::reading`] takes it out again.
impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind)
    }
}

/// Every cause that stops a run.
#[derive(Debug)]
#[expect(missing_docs, reason = "the message of each variant stands beside it in `Display`")]
pub enum ErrorKind {
    // Getting at the bytes.
    Read { name: String },
    NotFound { name: String },
    NothingToRead,
    EmptyFile,
    EmptyOpenPgp,
    LimitReached { limit: Limit, allowed: u64, found: Option<u64> },

    // Layers.
    PasswordMissing { layer: &'static str },
    PasswordWrong { layer: &'static str, tried: usize },
    ContainerDamaged { layer: &'static str, detail: String },
    ContainerUnsupported { layer: &'static str, detail: String },
    MemberNameUnsafe { name: String },
    PgpAlgorithm { algorithm: String },
    PgpKeyInvalid { name: String },
    PgpKeyMissing { recipients: Vec<String> },
    PgpUnprotected,
    SignatureBad { detail: String },
    SignatureMissing,

    // Formats.
    TextUnreadable { detail: String },
    FormatUnknown,
    FormatUndecided { fits: Vec<&'static str> },
    FormatDamaged { format: &'static str, expected: String, found: String },
    KeyUnknown { format: &'static str, key: String },
    DoctypeRefused,
    ColumnMissing { field: Field, header: Vec<String> },
    ColumnNameUnknown { field: Field, name: String, header: Vec<String> },
    ColumnTwice { field: Field, first: String, second: String },
    ColumnUnclear { field: Field, name: String },
    EncodingUnsettled { column: String, readings: Vec<Encoding> },
    EncodingUnexpected { column: String, expected: Encoding, found: Encoding },
    EncodingContradicted { column: String, settled: Encoding, settled_at: u64, found: Encoding, found_at: u64 },
    EncodingMixed { column: String, first: Encoding, first_at: u64, second: Encoding, second_at: u64 },
    RowCommented,
    RowLength { expected: usize, found: usize },
    SeedsUnreadable { column: String, line: u64, found: &'static str },
    PskcKeyMissing { name: Option<String> },
    PskcKeyWrong { tried: usize },
    PskcUnsupported { what: &'static str, found: String },
    VendorSealed { what: &'static str, ask: &'static str },
    MapInvalid { name: String },

    // The set, and the target.
    EveryRecord { code: Code, records: u64 },
    AssignInvalid { name: String, detail: String },
    AssignObjectIdInCsv { user: String },
    AssignUpnInGraph { user: String },

    // Getting the result out.
    OutputExists { name: String },
    OutputUnwritable { name: String },
    OutputClosed,
    Usage { message: String },
    Interrupted,
    Bug { detail: String },
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { name } => write!(f, "cannot read `{}`", named(name)),
            Self::NotFound { name } => write!(f, "no file or folder `{}`", named(name)),
            Self::NothingToRead => f.write_str("nothing to read: expected a member with seeds, but found none"),
            Self::EmptyFile => f.write_str("the file is empty: expected a delivery, but found 0 bytes"),
            Self::EmptyOpenPgp => {
                f.write_str("the OpenPGP file is empty: expected a message, but found 0 bytes; vendors send this when the public key they were given was bad")
            }
            Self::LimitReached { limit, allowed, found: Some(found) } => {
                write!(f, "too many {limit}: at most {allowed} are allowed, but found {found}")
            }
            Self::LimitReached { limit, allowed, found: None } => {
                write!(f, "too many {limit}: at most {allowed} are allowed, but there are more")
            }

            Self::PasswordMissing { layer } => write!(f, "the {layer} is locked: expected a password, but none was given"),
            Self::PasswordWrong { layer, tried: 1 } => write!(f, "wrong password for the {layer}"),
            Self::PasswordWrong { layer, tried } => write!(f, "wrong password for the {layer}: none of {tried} fits"),
            Self::ContainerDamaged { layer, detail } => write!(f, "the {layer} is damaged: {detail}"),
            Self::ContainerUnsupported { layer, detail } => write!(f, "the {layer} cannot be read: {detail}"),
            Self::MemberNameUnsafe { name } => {
                write!(f, "the member name `{}` points outside the delivery", shown(name))
            }
            Self::PgpAlgorithm { algorithm } => {
                write!(f, "the OpenPGP message needs {algorithm}, which this program's OpenPGP library does not have")
            }
            Self::PgpKeyInvalid { name } => {
                write!(f, "`{}` is no usable OpenPGP key: expected an armored or binary key", named(name))
            }
            Self::PgpKeyMissing { recipients } if recipients.is_empty() => {
                f.write_str("the OpenPGP message is encrypted to a hidden recipient: expected its secret key, but none given opens it")
            }
            Self::PgpKeyMissing { recipients } => write!(
                f,
                "the OpenPGP message is encrypted to {}: expected a secret key of these, but none of them was given",
                recipients.join(", ")
            ),
            Self::PgpUnprotected => {
                f.write_str("the OpenPGP message has no integrity protection: anyone on the way could have changed it (RFC 9580 §5.7)")
            }
            Self::SignatureBad { detail } => write!(f, "the OpenPGP signature is not good: {detail}"),
            Self::SignatureMissing => {
                f.write_str("expected a valid signature by the given certificate, but found none")
            }

            Self::TextUnreadable { detail } => write!(f, "cannot read the text: {detail}"),
            Self::FormatUnknown => f.write_str("no format fits this member"),
            Self::FormatUndecided { fits } => write!(f, "more than one format fits this member: {}", fits.join(", ")),
            Self::FormatDamaged { format, expected, found } => {
                write!(f, "the {format} is damaged: expected {expected}, but found {found}")
            }
            Self::KeyUnknown { format, key } => {
                write!(f, "the {format} has a key that is not known: what the key {key} says would be lost")
            }
            Self::DoctypeRefused => f.write_str("the XML has a DOCTYPE, which can pull in files and blow up: it is refused"),
            Self::ColumnMissing { field, header } => {
                write!(f, "no column for the {field}: found {}", list(header))
            }
            Self::ColumnNameUnknown { field, name, header } => {
                write!(f, "no column `{}` for the {field}: found {}", shown(name), list(header))
            }
            Self::ColumnTwice { field, first, second } => write!(
                f,
                "two columns for the {field}: `{}` and `{}`",
                shown(first),
                shown(second)
            ),
            Self::ColumnUnclear { field, name } => write!(
                f,
                "column `{}` may say the {field}, but its name is not known, so what it says would be lost",
                shown(name)
            ),
            Self::EncodingUnexpected { column, expected, found } => write!(
                f,
                "column `{}` holds {found}: expected {expected}, which the format prescribes",
                shown(column)
            ),
            Self::EncodingUnsettled { column, readings } => write!(
                f,
                "column `{}` can be read as {}: nothing in it says which",
                shown(column),
                readings.iter().map(Encoding::to_string).collect::<Vec<_>>().join(" or ")
            ),
            Self::EncodingContradicted { column, settled, settled_at, found, found_at } => write!(
                f,
                "column `{}` has two encodings: line {settled_at} can only be {settled}, but line {found_at} only {found}",
                shown(column)
            ),
            Self::EncodingMixed { column, first, first_at, second, second_at } => write!(
                f,
                "column `{}` has two encodings: line {first_at} can only be {first}, but line {second_at} only {second}",
                shown(column)
            ),
            Self::RowCommented => {
                f.write_str("the row begins with `#` and has a seed in its place: expected a comment or a token, but found both in one")
            }
            Self::SeedsUnreadable { column, line, found } => write!(
                f,
                "no value of column `{}` can be read: expected hex, Base32 or Base64, but found {found} on line {line}",
                shown(column)
            ),
            Self::RowLength { expected, found } => {
                write!(f, "the row has the wrong length: expected {expected} fields, but found {found}")
            }
            Self::PskcKeyMissing { name: Some(name) } => {
                write!(f, "the seeds are encrypted with the pre-shared key `{}`, which was not given", shown(name))
            }
            Self::PskcKeyMissing { name: None } => {
                f.write_str("the seeds are encrypted with a pre-shared key, which was not given")
            }
            Self::PskcKeyWrong { tried: 1 } => f.write_str("the key does not open the seeds"),
            Self::PskcKeyWrong { tried } => write!(f, "no key opens the seeds: {tried} were tried"),
            Self::PskcUnsupported { what, found } => write!(f, "{what} `{}` is not supported", shown(found)),
            Self::VendorSealed { what, .. } => write!(f, "this is {what}: only its maker's programs can open it"),
            Self::MapInvalid { name } => write!(f, "`{}` is no map file", named(name)),

            Self::EveryRecord { code, records } => {
                write!(f, "all {records} records have the same fault: {}", every(*code))
            }
            Self::AssignInvalid { name, detail } => write!(f, "`{}` is no assignment list: {detail}", named(name)),
            Self::AssignObjectIdInCsv { user } => {
                write!(f, "`{}` is an object id: the Entra CSV names users by UPN only", shown(user))
            }
            Self::AssignUpnInGraph { user } => write!(
                f,
                "`{}` is no object id: Graph assigns by object id only, and a UPN can be resolved only online",
                shown(user)
            ),

            Self::OutputExists { name } => write!(f, "refusing to overwrite `{}`", named(name)),
            Self::OutputUnwritable { name } => write!(f, "cannot write `{}`", named(name)),
            Self::OutputClosed => f.write_str("the reader of the output has gone"),
            Self::Usage { message } => f.write_str(message),
            Self::Interrupted => f.write_str("interrupted"),
            Self::Bug { detail } => write!(f, "a bug in seedmill: {detail}"),
        }
    }
}

/// What a code means when no record is free of it.
fn every(code: Code) -> &'static str {
    match code {
        Code::HashUnknown => "nothing says the hash, and the seeds are longer than SHA-1's 20 bytes",
        Code::MacMismatch => "no MAC matches, so the key is wrong or the file was changed",
        Code::PeriodUnknown => "nothing says the time step",
        Code::ManufacturerMissing => "nothing says the manufacturer",
        Code::ModelMissing => "nothing says the model",
        code => code.meaning(),
    }
}

fn named(name: &str) -> String {
    crate::record::escaped_name(name)
}

fn shown(text: &str) -> String {
    crate::record::escaped(text)
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{}`", shown(name))).collect::<Vec<_>>().join(", ")
}
