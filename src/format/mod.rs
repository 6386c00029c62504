//! The one dispatch from a format's name to its reader and its writer.
//!
//! Reading has two steps. [`open`] looks at the head of a member, once: which format, which columns,
//! which encoding, which key. That gives a [`Reader`], which all threads share, and a [`Cutter`], which
//! finds record boundaries at memory speed. [`Reader::read`] then turns any chunk into drafts.
//!
//! Writing is one item a token ([`Writer::item`]); what stands before, between and after the items is
//! apart from it ([`Writer::head`], [`Writer::before`], [`Writer::tail`]), so that a token can be left
//! out, or a file split, without touching the bytes that were proved.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};
use crate::record::{Code, Draft, Holds, Keyring, Plain, Token, Trail};

pub mod csv;
pub mod csv_maps;
mod cut;
mod encoding;
pub mod entra_csv;
pub mod graph;
mod json;
pub mod jsonl;
pub mod pskc;
#[cfg(test)]
mod testing;
pub mod text;
mod unknown;
pub mod vendor;
mod xml;

pub use csv::{ColumnName, CsvOptions, OutColumn, OutColumns, OutValue};
pub use cut::{Boundary, Chunk, Cut, Cutter, Head};

/// Every format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Rows of any layout.
    Csv,
    /// The CSV of Entra's legacy upload.
    EntraCsv,
    /// The body of Microsoft Graph's delta PATCH.
    Graph,
    /// One object a line; loses nothing.
    Jsonl,
    /// RFC 6030.
    Pskc,
    /// Key URIs.
    Otpauth,
    /// The rows of LinOTP, privacyIDEA and NetIQ.
    OathCsv,
    /// What Duo's Admin Panel imports.
    Duo,
    /// What PingID imports.
    PingId,
    /// Swivel's text.
    Swivel,
    /// Feitian's text.
    Feitian,
    /// multiOTP's CSV.
    MultiOtp,
    /// PhenixID's CSV.
    PhenixId,
    /// The inventory of RCDevs WebADM.
    RcDevs,
    /// What Salesforce imports.
    Salesforce,
    /// Protectimus' CSV.
    Protectimus,
    /// The logs of Yubico's tool.
    Yubico,
    /// The token file of DualShield.
    DualShield,
    /// The same, with 30 s where it is written.
    DualShield30,
    /// The token file of Deepnet UAP version 3.
    DeepnetUap,
    /// The XML of SafeNet's and Aladdin's eTokens.
    SafeNet,
    /// SafeWord's DAT file.
    SafeWord,
}

/// What `seedmill formats` tells of one.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// What is read.
    pub reads: &'static str,
    /// What is written; empty where nothing is.
    pub writes: &'static str,
    /// The fields that the written form has no place for.
    pub loses: &'static str,
    /// Where the shape comes from.
    pub source: &'static str,
    /// Whether it can be cut, or what is held in memory.
    pub memory: &'static str,
}

impl Format {
    /// Every format, Entra's first.
    pub const ALL: [Self; 22] = [
        Self::Graph,
        Self::EntraCsv,
        Self::Pskc,
        Self::Csv,
        Self::Jsonl,
        Self::Otpauth,
        Self::OathCsv,
        Self::Duo,
        Self::PingId,
        Self::Swivel,
        Self::Feitian,
        Self::MultiOtp,
        Self::PhenixId,
        Self::RcDevs,
        Self::Salesforce,
        Self::Protectimus,
        Self::Yubico,
        Self::DualShield,
        Self::DualShield30,
        Self::DeepnetUap,
        Self::SafeNet,
        Self::SafeWord,
    ];

    /// Whether it consists of rows whose columns a user could name instead.
    const fn has_columns(self) -> bool {
        match self {
            Self::Graph
            | Self::Pskc
            | Self::Jsonl
            | Self::Otpauth
            | Self::DualShield
            | Self::DualShield30
            | Self::DeepnetUap
            | Self::SafeNet
            | Self::SafeWord => false,
            Self::Csv
            | Self::EntraCsv
            | Self::OathCsv
            | Self::Duo
            | Self::PingId
            | Self::Swivel
            | Self::Feitian
            | Self::MultiOtp
            | Self::PhenixId
            | Self::RcDevs
            | Self::Salesforce
            | Self::Protectimus
            | Self::Yubico => true,
        }
    }

    /// The entry of a vendor's format; `None` for those that are dispatched here.
    const fn vendor(self) -> Option<&'static vendor::Entry> {
        Some(match self {
            Self::Csv | Self::EntraCsv | Self::Graph | Self::Jsonl | Self::Pskc => return None,
            Self::Otpauth => &vendor::otpauth::ENTRY,
            Self::OathCsv => &vendor::oath_csv::ENTRY,
            Self::Duo => &vendor::duo::ENTRY,
            Self::PingId => &vendor::pingid::ENTRY,
            Self::Swivel => &vendor::swivel::ENTRY,
            Self::Feitian => &vendor::feitian::ENTRY,
            Self::MultiOtp => &vendor::multiotp::ENTRY,
            Self::PhenixId => &vendor::phenixid::ENTRY,
            Self::RcDevs => &vendor::rcdevs::ENTRY,
            Self::Salesforce => &vendor::salesforce::ENTRY,
            Self::Protectimus => &vendor::protectimus::ENTRY,
            Self::Yubico => &vendor::yubico::ENTRY,
            Self::DualShield => &vendor::dualshield::ENTRY,
            Self::DualShield30 => &vendor::dualshield::ENTRY_30,
            Self::DeepnetUap => &vendor::deepnet_uap::ENTRY,
            Self::SafeNet => &vendor::safenet::ENTRY,
            Self::SafeWord => &vendor::safeword::ENTRY,
        })
    }

    /// The id that `--from` and `--to` take.
    pub const fn id(self) -> &'static str {
        match (self, self.vendor()) {
            (_, Some(entry)) => entry.id,
            (Self::EntraCsv, None) => "entra-csv",
            (Self::Graph, None) => "graph",
            (Self::Jsonl, None) => "jsonl",
            (Self::Pskc, None) => "pskc",
            (_, None) => "csv",
        }
    }

    /// The format with that id.
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.id() == id)
    }

    /// What `seedmill formats` tells.
    pub const fn description(self) -> Description {
        match (self, self.vendor()) {
            (_, Some(entry)) => entry.description,
            (Self::EntraCsv, None) => entra_csv::DESCRIPTION,
            (Self::Graph, None) => graph::DESCRIPTION,
            (Self::Jsonl, None) => jsonl::DESCRIPTION,
            (Self::Pskc, None) => pskc::DESCRIPTION,
            (_, None) => csv::DESCRIPTION,
        }
    }

    /// Recognises a member by its head. `None` when no format fits.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::FormatUndecided`] when several fit equally.
    pub fn detect(head: &[u8]) -> Result<Option<Self>> {
        let text = csv::readable(head);
        let fits: Vec<Self> = Self::ALL
            .into_iter()
            .filter(|format| match (format, format.vendor()) {
                (_, Some(entry)) => (entry.fits)(text),
                (Self::Pskc, None) => pskc::fits(head),
                (Self::Graph, None) => graph::fits(head),
                (Self::Jsonl, None) => jsonl::fits(head),
                (Self::EntraCsv, None) => entra_csv::fits(head),
                (_, None) => false,
            })
            .collect();
        match fits.as_slice() {
            // Rows of any layout are the most general of all, so they are asked last.
            [] => Ok(csv::fits(head).then_some(Self::Csv)),
            [only] => Ok(Some(*only)),
            several => {
                Err(ErrorKind::FormatUndecided { fits: several.iter().map(|format| format.id()).collect() }.into())
            }
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// How members are to be read, where the user says something about it.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// `--from`: skips detection.
    pub from: Option<Format>,
    /// `--column`, `--ignore-column`, `--no-header`, `--delimiter`, `--seed-encoding`, `--map`.
    pub csv: CsvOptions,
    /// Seconds since 1970, for keys whose policy has dates; `None` leaves them unjudged.
    pub now: Option<i64>,
}

/// A member whose head is understood.
pub struct Opened<'s> {
    /// Which format it is.
    pub format: Format,
    /// Turns its chunks into drafts, on any thread.
    pub reader: Reader,
    /// Cuts it into chunks.
    pub cutter: Cutter<'s>,
    /// What is to be said of the member as a whole.
    pub findings: Vec<(Code, String)>,
}

/// Looks at the head of a member and gets ready to read it.
///
/// `source` gives UTF-8 ([`text::Text`] makes it of what came). `Ok(None)` means that no format fits.
///
/// # Errors
///
/// What is wrong with the member as a whole: several formats fit, a column is missing, an encoding is
/// unsettled, a key does not open it.
pub fn open<'s>(head: Head<'s>, options: &ReadOptions, keyring: &mut Keyring) -> Result<Option<Opened<'s>>> {
    if text::is_wide(head.bytes()) {
        let detail = "expected UTF-8, or UTF-16 with its mark, but found UTF-16 without it".to_owned();
        return Err(Error::new(ErrorKind::TextUnreadable { detail }).at(head.trail().whole()));
    }
    let format = match options.from {
        Some(format) => Some(format),
        // Whoever names columns speaks of rows, whatever they look like.
        None if options.csv.names_columns() => match Format::detect(head.bytes()) {
            Ok(Some(format)) if !format.has_columns() => Some(format),
            _ => Some(Format::Csv),
        },
        None => Format::detect(head.bytes()).map_err(|error| error.at(head.trail().whole()))?,
    };
    Ok(match format {
        None => match vendor::sealed::by_name(head.trail().name()) {
            Some(kind) => return Err(Error::new(kind).at(head.trail().whole())),
            None => None,
        },
        Some(Format::Csv) => Some(csv::open(head, options)?),
        Some(Format::EntraCsv) => Some(entra_csv::open(head, options)?),
        Some(Format::Graph) => Some(graph::open(head, options)?),
        Some(Format::Jsonl) => Some(jsonl::open(head)?),
        Some(Format::Pskc) => Some(pskc::open(head, options, keyring)?),
        Some(format) => match format.vendor() {
            Some(entry) => Some((entry.open)(head, options)?),
            None => None,
        },
    })
}

/// Turns chunks of one member into drafts; shared by all threads.
#[derive(Debug)]
pub enum Reader {
    /// Rows, of Entra's layout or any other.
    Csv(csv::Layout),
    /// A whole Graph document, or one object.
    Graph(graph::Reader),
    /// Lines of objects.
    Jsonl,
    /// Key packages, with what their container says.
    Pskc(Box<pskc::Container>),
    /// Records of a vendor's format.
    Vendor(vendor::Reader),
}

impl Reader {
    /// Reads a chunk; hands each record on as a draft, in order.
    ///
    /// A damaged record is a draft that carries its faults.
    ///
    /// # Errors
    ///
    /// What stops the run: text that is no UTF-8, a broken syntax, a row that contradicts its column; and
    /// whatever `each` answers.
    pub fn read(&self, chunk: &Chunk, trail: &Trail, each: &mut dyn FnMut(Draft<'_>) -> Result<()>) -> Result<()> {
        match self {
            Self::Csv(layout) => csv::read(layout, chunk, trail, each),
            Self::Graph(reader) => graph::read(reader, chunk, trail, each),
            Self::Jsonl => jsonl::read(chunk, trail, each),
            Self::Pskc(container) => pskc::read(container, chunk, trail, each),
            Self::Vendor(reader) => reader.read(chunk, trail, each),
        }
    }
}

/// Turns tokens into the items of one format.
#[derive(Debug)]
pub enum Writer {
    /// Rows of the user's columns.
    Csv(OutColumns),
    /// Rows of Entra's legacy upload.
    EntraCsv,
    /// Items of a delta PATCH.
    Graph,
    /// Lines of objects.
    Jsonl,
    /// Key packages, protected or not.
    Pskc(Box<pskc::PskcWriter>),
    /// Items of a vendor's format.
    Vendor(vendor::Writer),
}

impl Writer {
    /// The writer of a format, where it has one that needs no options.
    pub fn new(format: Format) -> Option<Self> {
        match format {
            Format::EntraCsv => Some(Self::EntraCsv),
            Format::Graph => Some(Self::Graph),
            Format::Jsonl => Some(Self::Jsonl),
            Format::Pskc => Some(Self::Pskc(Box::new(pskc::PskcWriter::plain()))),
            Format::Csv => None,
            format => vendor::Writer::new(format).map(Self::Vendor),
        }
    }

    /// The format written.
    pub const fn format(&self) -> Format {
        match self {
            Self::Csv(_) => Format::Csv,
            Self::EntraCsv => Format::EntraCsv,
            Self::Graph => Format::Graph,
            Self::Jsonl => Format::Jsonl,
            Self::Pskc(_) => Format::Pskc,
            Self::Vendor(writer) => writer.format(),
        }
    }

    /// What of a token the format has a place for.
    pub fn holds(&self) -> Holds {
        match self {
            Self::Csv(columns) => columns.holds(),
            Self::EntraCsv => entra_csv::HOLDS,
            Self::Graph => graph::HOLDS,
            Self::Jsonl => Holds::EVERYTHING,
            Self::Pskc(_) => pskc::HOLDS,
            Self::Vendor(writer) => writer.target().holds,
        }
    }

    /// The format's own reader, for the proof.
    pub fn reader(&self) -> Reader {
        match self {
            Self::Csv(columns) => Reader::Csv(columns.layout()),
            Self::EntraCsv => Reader::Csv(entra_csv::layout()),
            Self::Graph => Reader::Graph(graph::Reader::written()),
            Self::Jsonl => Reader::Jsonl,
            Self::Pskc(writer) => Reader::Pskc(Box::new(writer.reader())),
            Self::Vendor(writer) => Reader::Vendor((writer.target().reader)()),
        }
    }

    /// Writes what stands before the first item of a file.
    pub fn head(&self, out: &mut Plain) {
        match self {
            Self::Csv(columns) => columns.head(out),
            Self::EntraCsv => out.extend(entra_csv::HEAD),
            Self::Graph => out.extend(graph::HEAD),
            Self::Jsonl => {}
            Self::Pskc(writer) => writer.head(out),
            Self::Vendor(writer) => out.extend(writer.target().head),
        }
    }

    /// Writes what stands before the item with that number, from 1: a separator, a running number.
    pub fn before(&self, number: u64, out: &mut Plain) {
        match self {
            Self::Graph => graph::before(number, out),
            Self::Csv(_) | Self::EntraCsv | Self::Jsonl | Self::Pskc(_) | Self::Vendor(_) => {}
        }
    }

    /// Writes one token.
    pub fn item(&self, token: &Token<'_>, out: &mut Plain) {
        match self {
            Self::Csv(columns) => columns.item(token, out),
            Self::EntraCsv => entra_csv::item(token, out),
            Self::Graph => graph::item(token, out),
            Self::Jsonl => jsonl::item(token, out),
            Self::Pskc(writer) => writer.item(token, out),
            Self::Vendor(writer) => (writer.target().item)(token, out),
        }
    }

    /// Writes what stands behind the last item of a file.
    pub fn tail(&self, out: &mut Plain) {
        match self {
            Self::Graph => out.extend(graph::TAIL),
            Self::Pskc(_) => out.extend(pskc::TAIL),
            Self::Vendor(writer) => out.extend(writer.target().tail),
            Self::Csv(_) | Self::EntraCsv | Self::Jsonl => {}
        }
    }
}
