//! What can be typed, as plain values; [`crate::plan`] says what it means.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use seedmill::format::{ColumnName, Format, OutColumns, csv, csv_maps};
use seedmill::record::{Code, Encoding, Field};

use crate::values;

/// Takes a vendor's sealed delivery of OATH token seeds to files that Microsoft Entra ID accepts, and
/// proves on the way that every seed still computes the same codes.
///
/// Data goes to standard output, everything else to standard error. Exit codes: 0 all accepted,
/// 1 finished but some tokens rejected, 2 stopped by an error.
#[derive(Debug, Parser)]
#[command(name = "seedmill", version, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show layers, formats and counts of a delivery; decodes no seed, writes nothing
    Inspect(Inspect),
    /// Turn a delivery into a file that Entra accepts, or into another format
    Convert(Convert),
    /// Do all that `convert` does, the proof included, but write nothing
    Check(Check),
    /// List the formats that are read and written
    Formats(Formats),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print the manual page
    Man,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct Convert {
    /// The format to write: `graph`, `entra-csv`, `csv` or `jsonl`; see `seedmill formats`
    #[arg(long, value_name = "FORMAT", value_parser = values::target, help_heading = "Output")]
    pub(crate) to: Format,

    /// Where to write; `-` is standard output, also the default when that is no terminal
    ///
    /// The file appears whole, by a rename, after every check has passed, and only its owner can read it.
    #[arg(short, long, value_name = "PATH", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,

    /// Replace an existing output, or write seeds to a terminal
    #[arg(long, help_heading = "Output")]
    pub(crate) force: bool,

    /// Write the good tokens although some were rejected; else nothing is written
    #[arg(long, help_heading = "Output")]
    pub(crate) skip_rejected: bool,

    /// Write a folder of files with N tokens each, and a manifest (only `--to graph`)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Output")]
    pub(crate) batch_size: Option<u64>,

    #[command(flatten)]
    pub(crate) written: Written,
    #[command(flatten)]
    pub(crate) rules: Rules,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Also apply the rules of this format; without it, those on tokens and on the set
    #[arg(long, value_name = "FORMAT", value_parser = values::target, help_heading = "Output")]
    pub(crate) to: Option<Format>,

    #[command(flatten)]
    pub(crate) written: Written,
    #[command(flatten)]
    pub(crate) rules: Rules,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct Formats {
    /// List the codes of findings instead: severity, whether `--allow` may lower it, meaning
    #[arg(long)]
    pub(crate) codes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// Options of every command that reads a delivery.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Files or folders that the vendor sent; `-` is standard input
    #[arg(required = true, value_name = "DELIVERY")]
    pub(crate) deliveries: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) keys: Keys,
    #[command(flatten)]
    pub(crate) telling: Telling,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Reading")]
pub(crate) struct Reading {
    /// Skip detection: every member has this format
    #[arg(long, value_name = "FORMAT", value_parser = values::format)]
    pub(crate) from: Option<Format>,

    /// Read only members whose name matches; repeatable
    #[arg(long, value_name = "GLOB", value_parser = values::glob)]
    pub(crate) member: Vec<glob::Pattern>,

    /// Leave out members whose name matches; repeatable
    #[arg(long, value_name = "GLOB", value_parser = values::glob)]
    pub(crate) skip_member: Vec<glob::Pattern>,

    /// Which CSV column holds a field: `seed="Key (B32)"`, or by position from 1: `seed=3`; repeatable
    ///
    /// Fields: serial, issue, key_id, manufacturer, model, type, hash, digits, period, counter, drift, upn, seed.
    #[arg(long, value_name = "FIELD=NAME|POSITION", value_parser = csv::parse_column)]
    pub(crate) column: Vec<(Field, ColumnName)>,

    /// A CSV column that is not to be read, though its name may speak of a field: name or position from 1; repeatable
    #[arg(long, value_name = "NAME|POSITION", value_parser = csv::parse_ignored)]
    pub(crate) ignore_column: Vec<ColumnName>,

    /// The first row of the CSV is a token, not a header
    #[arg(long)]
    pub(crate) no_header: bool,

    /// What separates the values of a CSV row: one character, or `tab`
    #[arg(long, value_name = "C", value_parser = csv::parse_delimiter)]
    pub(crate) delimiter: Option<u8>,

    /// How the seeds of a CSV or Graph JSON are spelled: `hex`, `base32` or `base64`
    #[arg(long, value_name = "ENCODING", value_parser = csv_maps::parse_encoding)]
    pub(crate) seed_encoding: Option<Encoding>,

    /// A file that describes a CSV: `delimiter`, `header`, `seed_encoding`, `ignore`, `[columns]`, `[set]`
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) map: Option<PathBuf>,

    /// A value for a field that a record lacks, such as `period=30`; repeatable
    ///
    /// Fields: manufacturer, model, period, hash, digits, type, upn. A record that has the field keeps its own.
    #[arg(long, value_name = "FIELD=VALUE", value_parser = values::set)]
    pub(crate) set: Vec<(Field, String)>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Passwords and keys")]
pub(crate) struct Keys {
    /// Passwords, one a line, each tried on each locked layer; `-` is standard input; repeatable
    ///
    /// Without it, SEEDMILL_PASSWORD is taken; without that too, a terminal is asked. A password is never an
    /// argument's value, because other users of the machine can see those.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Vec<PathBuf>,

    /// An OpenPGP secret key, armored or binary; its passphrase comes as any other password; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) pgp_key: Vec<PathBuf>,

    /// An OpenPGP certificate; a valid signature by one of those given is then required; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) signed_by: Vec<PathBuf>,

    /// A pre-shared PSKC key: hex text, or 16, 24 or 32 raw bytes; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) pskc_key_file: Vec<PathBuf>,
}

/// What is said of a run, and how it goes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Telling")]
pub(crate) struct Telling {
    /// Write counts and every finding, without secrets, to FILE.json or FILE.csv; replaces an older report
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,

    /// Print the summary as JSON on standard output, the same as `--report`
    #[arg(long)]
    pub(crate) json: bool,

    /// Say nothing but errors and rejections
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Say also how long it took, and the checksums of what was read where a report has them
    #[arg(short, long)]
    pub(crate) verbose: bool,

    /// Show no progress
    #[arg(long)]
    pub(crate) no_progress: bool,

    /// Threads to work with; 0 is one for each core
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, value_parser = values::threads)]
    pub(crate) threads: usize,
}

/// The rules on tokens and on the set.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rules")]
pub(crate) struct Rules {
    /// Users for serials: a CSV with the header `serial,upn` or `serial,object id`
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) assign: Option<PathBuf>,

    /// Keep tokens with this finding, with a warning; repeatable, see `seedmill formats --codes`
    #[arg(long, value_name = "CODE", value_parser = values::allowed_code)]
    pub(crate) allow: Vec<Code>,

    /// Reject tokens with this finding; repeatable
    #[arg(long, value_name = "CODE", value_parser = values::code)]
    pub(crate) deny: Vec<Code>,
}

/// The `csv` that is written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output of `--to csv`")]
pub(crate) struct Written {
    /// The columns: `Serial=serial,Key=seed,Site="Berlin, Mitte"`; a value in quotes is fixed
    #[arg(long, value_name = "NAME=FIELD,…", value_parser = OutColumns::parse)]
    pub(crate) out_columns: Option<OutColumns>,

    /// Write no header
    #[arg(long)]
    pub(crate) out_no_header: bool,

    /// What separates the values: one character, or `tab`; a comma if nothing is said
    #[arg(long, value_name = "C", value_parser = csv::parse_delimiter)]
    pub(crate) out_delimiter: Option<u8>,

    /// How seeds are spelled: `hex`, `base32` (if nothing is said) or `base64`
    #[arg(long, value_name = "ENCODING", value_parser = csv_maps::parse_encoding)]
    pub(crate) out_seed_encoding: Option<Encoding>,

    /// A map file that describes the columns, as for `--map`
    #[arg(long, value_name = "FILE.toml", conflicts_with = "out_columns")]
    pub(crate) out_map: Option<PathBuf>,
}

/// What a delivery may cost; each limit has its reason in `seedmill::limits`.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// Layers inside one another [default: 8]
    #[arg(long, value_name = "N")]
    pub(crate) max_layers: Option<u64>,

    /// Members of a delivery [default: 10000]
    #[arg(long, value_name = "N")]
    pub(crate) max_members: Option<u64>,

    /// Plaintext of one member [default: 8GiB]
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub(crate) max_member_bytes: Option<u64>,

    /// Bytes out for each byte in, beyond 64MiB [default: 200]
    #[arg(long, value_name = "N")]
    pub(crate) max_expansion: Option<u64>,

    /// What must be held in memory at once: an inner container, standard output [default: 1GiB]
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub(crate) max_held_bytes: Option<u64>,

    /// One field [default: 4KiB]
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub(crate) max_field_bytes: Option<u64>,

    /// PBKDF2 rounds over all tries [default: 10000000]
    #[arg(long, value_name = "N")]
    pub(crate) max_pbkdf2_rounds: Option<u64>,

    /// XML elements inside one another [default: 64]
    #[arg(long, value_name = "N")]
    pub(crate) max_xml_depth: Option<u64>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use seedmill::limits::Limit;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_limit_has_its_option() {
        let command = Cli::command();
        let convert = command.find_subcommand("convert").expect("it is a command");
        for limit in Limit::ALL {
            let option = limit.option().strip_prefix("--").expect("options begin with two dashes");
            assert!(convert.get_arguments().any(|arg| arg.get_long() == Some(option)), "{option}");
        }
    }

    #[test]
    fn the_help_names_the_defaults_of_the_limits() {
        let mut command = Cli::command();
        let convert = command.find_subcommand_mut("convert").expect("it is a command");
        let help = convert.render_long_help().to_string();
        let limits = seedmill::limits::Limits::default();
        for (option, default) in [
            ("--max-layers", limits.layers.to_string()),
            ("--max-members", limits.members.to_string()),
            ("--max-member-bytes", format!("{}GiB", limits.member_bytes >> 30)),
            ("--max-expansion", limits.expansion.to_string()),
            ("--max-held-bytes", format!("{}GiB", limits.held_bytes >> 30)),
            ("--max-field-bytes", format!("{}KiB", limits.field_bytes >> 10)),
            ("--max-pbkdf2-rounds", limits.pbkdf2_rounds.to_string()),
            ("--max-xml-depth", limits.xml_depth.to_string()),
        ] {
            let (_, after) = help.split_once(&format!("{option} <")).expect("the option is in the help");
            let text = after.lines().nth(1).expect("a line of help follows");
            assert!(text.contains(&format!("[default: {default}]")), "{option}: {text}");
        }
    }
}
