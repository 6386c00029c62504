//! What to do about it: one next step for each kind of error and each code, or none.
//!
//! A hint can be typed or done now. Where a person could only guess, there is none. No `match` here has a wildcard
//! arm, so a new kind or code does not compile until someone has decided.

use seedmill::error::{Error, ErrorKind};
use seedmill::record::{Code, Field};

use crate::render::shown;

/// The next step after an error.
pub(crate) fn error(error: &Error) -> Option<String> {
    let hint = match error.kind() {
        ErrorKind::Read { .. } | ErrorKind::NotFound { .. } => return None,
        ErrorKind::NothingToRead => {
            "look for the seeds in another file of the vendor's; `seedmill inspect` shows what each holds".into()
        }
        ErrorKind::EmptyFile => match error.origin().map(|origin| &origin.trail) {
            Some(trail) if trail.steps().len() > 1 => {
                let member = argument(trail.name());
                format!("ask for the file again; it was lost on the way; or leave it out with `--skip-member {member}`")
            }
            _ => "ask for the file again; it was lost on the way".into(),
        },
        ErrorKind::EmptyOpenPgp => "send the vendor your public key again, and ask for the file again".into(),
        ErrorKind::LimitReached { limit, allowed, found } => {
            let enough = found.unwrap_or_else(|| allowed.saturating_mul(2));
            format!("if the vendor vouches for that much, add `{} {}`", limit.option(), sized(enough))
        }

        ErrorKind::PasswordMissing { .. } => {
            "pass the password with `--password-file FILE` or in SEEDMILL_PASSWORD, or run in a terminal to be asked"
                .into()
        }
        ErrorKind::PasswordWrong { .. } => {
            "pass the right one with `--password-file FILE`; a password is the whole line, spaces included".into()
        }
        ErrorKind::ContainerDamaged { .. } => "ask for the file again; it was cut or changed on the way".into(),
        ErrorKind::ContainerUnsupported { .. } => {
            "ask the vendor for a ZIP with AES-256, or for an OpenPGP message".into()
        }
        ErrorKind::MemberNameUnsafe { .. } => "ask the vendor what this is; no honest delivery has such a name".into(),
        ErrorKind::PgpAlgorithm { .. } => "ask the vendor to encrypt to a Curve25519 or RSA key of yours".into(),
        ErrorKind::PgpKeyInvalid { .. } => {
            "export it with `gpg --export-secret-keys` for `--pgp-key`, or with `gpg --export` for `--signed-by`".into()
        }
        ErrorKind::PgpKeyMissing { .. } => {
            "name the secret key with `--pgp-key FILE`; `gpg --armor --export-secret-keys` writes it".into()
        }
        ErrorKind::PgpUnprotected => {
            "ask the vendor to encrypt with integrity protection, which every current OpenPGP program does".into()
        }
        ErrorKind::SignatureBad { .. } => {
            "ask for the file again; it was changed, or it is not from this signer".into()
        }
        ErrorKind::SignatureMissing => "ask the vendor to sign the delivery with the key of `--signed-by`".into(),

        ErrorKind::TextUnreadable { .. } => "ask the vendor for the file in UTF-8".into(),
        ErrorKind::FormatUnknown => match error.origin().map(|origin| &origin.trail) {
            // A delivery that is one plain file cannot be left out of itself.
            Some(trail) if trail.steps().len() > 1 => {
                let member = argument(trail.name());
                format!(
                    "if it is a CSV, name its columns with `--column seed=NAME` or by position, and add `--no-header` if it has none; else leave it out with `--skip-member {member}`"
                )
            }
            _ => "if it is a CSV, name its columns with `--column seed=NAME` or by position, and add `--no-header` if it has none".into(),
        },
        ErrorKind::FormatUndecided { fits } => match fits.first() {
            Some(first) => format!("name its format, such as `--from {first}`"),
            None => "name its format with `--from FORMAT`".into(),
        },
        ErrorKind::FormatDamaged { .. } => "ask for the file again; it was cut or changed on the way".into(),
        ErrorKind::KeyUnknown { .. } => {
            "ask the vendor what the key says, and for the file with the keys of its format".into()
        }
        ErrorKind::DoctypeRefused => "ask the vendor for the file without the DOCTYPE; RFC 6030 needs none".into(),
        ErrorKind::ColumnMissing { field, header } => format!("map it with `{}`", column(*field, header)),
        ErrorKind::ColumnNameUnknown { field, name, header } => {
            format!("name one of these, such as `{}`", same_column(*field, name, header))
        }
        ErrorKind::ColumnTwice { field, first, .. } => {
            format!("say which, such as `--column {field}={}`", argument(first))
        }
        ErrorKind::EncodingUnsettled { readings, .. } if readings.is_empty() => {
            "name the column of the seeds with `--column seed=NAME`, if it is another".into()
        }
        ErrorKind::ColumnUnclear { field, name } => {
            let name = argument(name);
            format!("if it does, add `--column {field}={name}`; if not, `--ignore-column {name}`")
        }
        ErrorKind::EncodingUnsettled { readings, .. } => {
            let options: Vec<_> = readings.iter().map(|r| format!("`--seed-encoding {}`", r.name())).collect();
            format!("add {}, as the vendor's order says", options.join(" or "))
        }
        ErrorKind::EncodingUnexpected { found, .. } => {
            format!("add `--seed-encoding {}`, if the vendor confirms it", found.name())
        }
        ErrorKind::EncodingContradicted { settled_at, found_at, .. } => {
            format!("compare lines {settled_at} and {found_at} with the vendor's own file; one of them was changed")
        }
        ErrorKind::EncodingMixed { first_at, second_at, .. } => {
            format!("compare lines {first_at} and {second_at} with the vendor's own file; one of them was changed")
        }
        ErrorKind::RowCommented => {
            "put the row's first value in quotes if it is a token, or take the row out if it is a comment".into()
        }
        ErrorKind::SeedsUnreadable { .. } => {
            "compare the column with the vendor's own file, or name the one with the seeds with `--column seed=NAME`"
                .into()
        }
        ErrorKind::RowLength { .. } => {
            "compare the row with the vendor's own file, or name what separates its values with `--delimiter C`".into()
        }
        ErrorKind::PskcKeyMissing { .. } => "name the key with `--pskc-key-file FILE`".into(),
        ErrorKind::PskcKeyWrong { .. } => "ask the vendor for the key of this very delivery".into(),
        ErrorKind::PskcUnsupported { what: "the namespace", .. } => {
            "ask the vendor for a container of RFC 6030, in the namespace `urn:ietf:params:xml:ns:keyprov:pskc`".into()
        }
        ErrorKind::PskcUnsupported { .. } => {
            "ask the vendor for AES-128-CBC with HMAC-SHA1, which RFC 6030 §6 asks everyone to have".into()
        }
        ErrorKind::VendorSealed { ask, .. } => format!("ask the vendor for {ask}"),
        ErrorKind::MapInvalid { .. } => return None,

        ErrorKind::EveryRecord { code, .. } => return every(*code),
        ErrorKind::AssignInvalid { .. } => {
            "begin the list with `serial,upn` or `serial,object id`, one token a line".into()
        }
        ErrorKind::AssignObjectIdInCsv { .. } => {
            "name users by UPN under the header `serial,upn`, or write `--to graph`".into()
        }
        ErrorKind::AssignUpnInGraph { .. } => {
            "name users by object id under the header `serial,object id`, or write `--to entra-csv`".into()
        }

        ErrorKind::OutputExists { .. } => "name another with `--output PATH`, or add `--force` to replace it".into(),
        ErrorKind::OutputUnwritable { .. } => return None,
        ErrorKind::OutputClosed | ErrorKind::Usage { .. } | ErrorKind::Interrupted => return None,
        ErrorKind::Bug { .. } => "report this message, without the delivery; nothing was written".into(),
    };
    Some(hint)
}

/// The next step when every record has one fault: what the records lack can be said once for all.
fn every(fault: Code) -> Option<String> {
    match fault {
        Code::MacMismatch => {
            Some("name the right key with `--pskc-key-file FILE`, or ask for the file again".to_owned())
        }
        Code::SeedEncoding => Some(
            "name the encoding with `--seed-encoding hex`, `base32` or `base64`, as the vendor's order says".to_owned(),
        ),
        Code::SeedMissing => Some("name the seed's column with `--column seed=NAME`".to_owned()),
        Code::SerialMissing => Some("name the serial's column with `--column serial=NAME`".to_owned()),
        other => code(other).map(str::to_owned),
    }
}

/// The next step after findings of one code.
pub(crate) const fn code(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::AssignDuplicate => "keep one line for each serial in the list",
        Code::AssignUnknown => "correct the serial in the list; spreadsheets drop leading zeros",
        Code::ColumnUnread => {
            "if it says something of the tokens, name its field with `--column FIELD=NAME`, or else add `--ignore-column NAME`"
        }
        Code::DigitsUnsupported => "keep these tokens for another server with `--to jsonl`; Entra takes 6 digits",
        Code::FieldDropped => "keep the whole record beside it with `--to jsonl`",
        Code::HashAssumed => "if the vendor's order says so, confirm it with `--set hash=sha1`",
        Code::HashUnknown => "add `--set hash=sha256` (or sha512), as the vendor's order says",
        Code::HashUnsupported => "`--to graph` takes SHA-1 and SHA-256, `--to jsonl` SHA-512 too; there are no others",
        Code::IntegerAmbiguous => "ask the vendor for a file whose counters and time steps are not encrypted",
        Code::KeyBesideSeeds => "ask the vendor to send the key another way than the seeds",
        Code::KeyExpired => "ask the vendor whether these tokens are still meant to be used",
        Code::MacMismatch => "ask for the file again; it was changed after it was protected",
        Code::MacMissing => "ask the vendor for a file with MACs, or add `--allow mac-missing`",
        Code::ManufacturerMissing => "add `--set manufacturer=NAME`",
        Code::MemberSkipped => "leave it out without a warning with `--skip-member NAME`",
        Code::ModelMissing => "add `--set model=NAME`",
        Code::PeriodUnknown => "add `--set period=30` (or 60), as the vendor's order says",
        Code::PeriodUnsupported => {
            "a time step is a whole number of seconds; Entra takes 30 and 60, and `--to jsonl` keeps any other"
        }
        Code::PolicyUnknown => "ask the vendor what the policy is for, or add `--allow policy-unknown`",
        Code::ProofFailed => "report this; the token was left out",
        Code::SeedAmbiguous => "add `--seed-encoding hex` (or base32, base64), as the vendor's order says",
        Code::SeedDuplicate => "ask the vendor to replace these tokens; each computes the other's codes",
        Code::SeedEncoding => "compare it with the vendor's own file; a character was lost or changed",
        Code::SeedLength => "compare it with the vendor's own file; if all is well, add `--allow seed-length`",
        Code::SeedMissing => "ask the vendor for the seed of this token",
        Code::SeedSpareBits => "compare it with the vendor's own file; its end was lost",
        Code::SeedTooLong => {
            "keep these tokens for another server with `--to jsonl`; Entra takes 128 Base32 characters"
        }
        Code::SeedTooShort => "ask the vendor for tokens with longer seeds, or add `--allow seed-too-short`",
        Code::SeedUnsupported => "keep these tokens for another server with `--to jsonl`",
        Code::SeedWeak => "ask the vendor for the real seeds; these are samples that anyone can compute",
        Code::SerialDamaged => "take the vendor's own file, not one that a spreadsheet has saved",
        Code::SerialDuplicate => "ask the vendor which record is the token's; `--skip-rejected` writes the others",
        Code::SerialMissing => "complete the serials as they are printed on the tokens",
        Code::SignatureUnchecked => {
            "give an OpenPGP signer's certificate with `--signed-by FILE`; other signatures cannot be checked yet"
        }
        Code::TextControl => "compare it with the vendor's own file; the value holds more than it shows",
        Code::TextFormula => "if the text is meant, add `--allow text-formula`",
        Code::TypeUnsupported => "order TOTP tokens for Entra; HOTP tokens can be kept with `--to jsonl`",
        Code::UpnDropped => "name users by object id with `--assign FILE.csv`",
        Code::UpnMissing => "name users with `--assign FILE.csv`, or assign the tokens later",
    })
}

/// `--column FIELD=…`, with the one column that looks like the field where there is one.
fn column(field: Field, header: &[String]) -> String {
    let words: &[&str] = match field {
        Field::Seed => &["seed", "secret", "key"],
        Field::Serial => &["serial", "s/n", "sn"],
        Field::Manufacturer => &["manufacturer", "vendor", "maker"],
        Field::Model => &["model", "type", "product"],
        Field::Period => &["interval", "period", "step"],
        Field::Upn => &["upn", "user"],
        Field::Issue | Field::KeyId | Field::Type | Field::Hash | Field::Digits | Field::Counter | Field::Drift => &[],
    };
    let alike = |word: &&str| {
        let mut names = header.iter().filter(|name| name.to_lowercase().contains(*word));
        names.next().filter(|_| names.next().is_none())
    };
    match words.iter().find_map(alike) {
        Some(name) => format!("--column {field}={}", argument(name)),
        None if header.is_empty() => format!("--column {field}=POSITION"),
        None => format!("--column {field}=NAME"),
    }
}

/// `--column FIELD=…`, with the column that differs from what was typed only in case or white space.
fn same_column(field: Field, typed: &str, header: &[String]) -> String {
    let plain =
        |text: &str| text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect::<String>();
    match header.iter().find(|name| plain(name) == plain(typed)) {
        Some(name) => format!("--column {field}={}", argument(name)),
        None => column(field, header),
    }
}

/// A number as a limit option takes it, in GiB where it is whole ones.
fn sized(number: u64) -> String {
    const GIB: u64 = 1 << 30;
    if number >= GIB && number.is_multiple_of(GIB) { format!("{}GiB", number / GIB) } else { number.to_string() }
}

/// A name as an argument of a shell: in quotes where it needs them, and in such that nothing in it is run. The vendor,
/// or whoever forged the delivery, has chosen it, and a hint is made to be copied.
fn argument(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':');
    let harmless = |c: char| !matches!(c, '$' | '`' | '"' | '\\' | '!' | '%');
    let shown = shown(name);
    if !shown.is_empty() && shown.chars().all(plain) {
        shown
    } else if shown.chars().all(harmless) {
        format!("\"{shown}\"")
    } else {
        format!("'{}'", shown.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use seedmill::limits::Limit;
    use seedmill::record::{Encoding, Place, Trail};

    use super::*;
    use crate::render;

    /// One example of every kind, two where a hint depends on what is known.
    fn every_kind() -> Vec<ErrorKind> {
        use ErrorKind::*;
        let header = || vec!["Nr".to_owned(), "S/N".to_owned(), "Key (B32)".to_owned()];
        vec![
            Read { name: "a.zip".into() },
            NotFound { name: "a.zip".into() },
            NothingToRead,
            EmptyFile,
            EmptyOpenPgp,
            LimitReached { limit: Limit::Members, allowed: 10_000, found: Some(12_345) },
            LimitReached { limit: Limit::MemberBytes, allowed: 8 << 30, found: None },
            PasswordMissing { layer: "ZIP" },
            PasswordWrong { layer: "ZIP", tried: 1 },
            ContainerDamaged { layer: "ZIP", detail: "its directory is missing".into() },
            ContainerUnsupported { layer: "ZIP", detail: "it is compressed with method 99".into() },
            MemberNameUnsafe { name: "../../etc/passwd".into() },
            PgpAlgorithm { algorithm: "ElGamal".into() },
            PgpKeyInvalid { name: "key.asc".into() },
            PgpKeyMissing { recipients: vec!["0123456789ABCDEF".into()] },
            PgpUnprotected,
            SignatureBad { detail: "it is by another key".into() },
            SignatureMissing,
            TextUnreadable { detail: "byte 3 is no UTF-8".into() },
            FormatUnknown,
            FormatUndecided { fits: vec!["csv", "entra-csv"] },
            FormatDamaged { format: "pskc", expected: "`</Key>`".into(), found: "the end".into() },
            KeyUnknown { format: "Graph JSON", key: "`hashAlgorithm`".into() },
            DoctypeRefused,
            ColumnMissing { field: Field::Seed, header: header() },
            ColumnMissing { field: Field::Hash, header: header() },
            ColumnMissing { field: Field::Seed, header: vec![] },
            ColumnNameUnknown { field: Field::Seed, name: "key(b32)".into(), header: header() },
            ColumnTwice { field: Field::Seed, first: "Key".into(), second: "Key 2".into() },
            ColumnUnclear { field: Field::Hash, name: "OTP Crypto".into() },
            EncodingUnsettled { column: "Key".into(), readings: vec![Encoding::Hex, Encoding::Base32] },
            EncodingUnexpected { column: "Key".into(), expected: Encoding::Base32, found: Encoding::Hex },
            EncodingContradicted {
                column: "Key".into(),
                settled: Encoding::Hex,
                settled_at: 2,
                found: Encoding::Base32,
                found_at: 9,
            },
            EncodingMixed {
                column: "Key".into(),
                first: Encoding::Hex,
                first_at: 2,
                second: Encoding::Base32,
                second_at: 9,
            },
            RowCommented,
            RowLength { expected: 6, found: 5 },
            SeedsUnreadable { column: "Key".into(), line: 2, found: "too few digits for a seed" },
            PskcKeyMissing { name: Some("Pre-shared-key".into()) },
            PskcKeyWrong { tried: 1 },
            PskcUnsupported { what: "the encryption", found: "kw-camellia128".into() },
            VendorSealed { what: "a `.dpx` file of OneSpan's", ask: "an encrypted PSKC file, and its key apart" },
            MapInvalid { name: "acme.toml".into() },
            EveryRecord { code: Code::PeriodUnknown, records: 1000 },
            EveryRecord { code: Code::MacMismatch, records: 1000 },
            EveryRecord { code: Code::SeedEncoding, records: 1000 },
            EveryRecord { code: Code::SeedMissing, records: 1000 },
            EveryRecord { code: Code::SerialMissing, records: 1000 },
            AssignInvalid { name: "users.csv".into(), detail: "line 3 has no serial".into() },
            AssignObjectIdInCsv { user: "3dee0e53-0aaf-4c43-9f7e-3a1f0e5d7c11".into() },
            AssignUpnInGraph { user: "ada@example.com".into() },
            OutputExists { name: "out.json".into() },
            OutputUnwritable { name: "out.json".into() },
            OutputClosed,
            Usage { message: "expected a file".into() },
            Interrupted,
            Bug { detail: "a token has two places".into() },
        ]
    }

    fn variant(kind: &ErrorKind) -> String {
        format!("{kind:?}").chars().take_while(|character| character.is_alphanumeric()).collect()
    }

    #[test]
    fn the_walk_leaves_out_no_kind() {
        let source = include_str!("../../error.rs");
        let (_, kinds) = source.split_once("pub enum ErrorKind {\n").expect("the enum is there");
        let (kinds, _) = kinds.split_once("\n}").expect("the enum ends");
        let walked: Vec<_> = every_kind().iter().map(variant).collect();
        let mut declared = 0;
        for line in kinds.lines().filter(|line| line.starts_with("    ") && line.as_bytes()[4].is_ascii_uppercase()) {
            let name: String = line.trim().chars().take_while(|character| character.is_alphanumeric()).collect();
            assert!(walked.contains(&name), "{name} is not walked through");
            declared += 1;
        }
        assert!(declared > 40, "only {declared} kinds were found in the source");
    }

    #[test]
    fn every_kind_of_error_says_what_is_wrong_and_what_to_do() {
        let origin = Trail::new("2026-03.zip").join("tokens list.xml").at(Place::Line(3));
        let text: String =
            every_kind().into_iter().map(|kind| render::error(&Error::new(kind).at(origin.clone()))).collect();
        let text = text.replace("  at 2026-03.zip > tokens list.xml > line 3\n", "");
        expect![[r#"
            error: cannot read `a.zip`
            error: no file or folder `a.zip`
            error: nothing to read: expected a member with seeds, but found none
              hint: look for the seeds in another file of the vendor's; `seedmill inspect` shows what each holds
            error: the file is empty: expected a delivery, but found 0 bytes
              hint: ask for the file again; it was lost on the way; or leave it out with `--skip-member "tokens list.xml"`
            error: the OpenPGP file is empty: expected a message, but found 0 bytes; vendors send this when the public key they were given was bad
              hint: send the vendor your public key again, and ask for the file again
            error: too many members in a delivery: at most 10000 are allowed, but found 12345
              hint: if the vendor vouches for that much, add `--max-members 12345`
            error: too many bytes in one member: at most 8589934592 are allowed, but there are more
              hint: if the vendor vouches for that much, add `--max-member-bytes 16GiB`
            error: the ZIP is locked: expected a password, but none was given
              hint: pass the password with `--password-file FILE` or in SEEDMILL_PASSWORD, or run in a terminal to be asked
            error: wrong password for the ZIP
              hint: pass the right one with `--password-file FILE`; a password is the whole line, spaces included
            error: the ZIP is damaged: its directory is missing
              hint: ask for the file again; it was cut or changed on the way
            error: the ZIP cannot be read: it is compressed with method 99
              hint: ask the vendor for a ZIP with AES-256, or for an OpenPGP message
            error: the member name `../../etc/passwd` points outside the delivery
              hint: ask the vendor what this is; no honest delivery has such a name
            error: the OpenPGP message needs ElGamal, which this program's OpenPGP library does not have
              hint: ask the vendor to encrypt to a Curve25519 or RSA key of yours
            error: `key.asc` is no usable OpenPGP key: expected an armored or binary key
              hint: export it with `gpg --export-secret-keys` for `--pgp-key`, or with `gpg --export` for `--signed-by`
            error: the OpenPGP message is encrypted to 0123456789ABCDEF: expected a secret key of these, but none of them was given
              hint: name the secret key with `--pgp-key FILE`; `gpg --armor --export-secret-keys` writes it
            error: the OpenPGP message has no integrity protection: anyone on the way could have changed it (RFC 9580 §5.7)
              hint: ask the vendor to encrypt with integrity protection, which every current OpenPGP program does
            error: the OpenPGP signature is not good: it is by another key
              hint: ask for the file again; it was changed, or it is not from this signer
            error: expected a valid signature by the given certificate, but found none
              hint: ask the vendor to sign the delivery with the key of `--signed-by`
            error: cannot read the text: byte 3 is no UTF-8
              hint: ask the vendor for the file in UTF-8
            error: no format fits this member
              hint: if it is a CSV, name its columns with `--column seed=NAME` or by position, and add `--no-header` if it has none; else leave it out with `--skip-member "tokens list.xml"`
            error: more than one format fits this member: csv, entra-csv
              hint: name its format, such as `--from csv`
            error: the pskc is damaged: expected `</Key>`, but found the end
              hint: ask for the file again; it was cut or changed on the way
            error: the Graph JSON has a key that is not known: what the key `hashAlgorithm` says would be lost
              hint: ask the vendor what the key says, and for the file with the keys of its format
            error: the XML has a DOCTYPE, which can pull in files and blow up: it is refused
              hint: ask the vendor for the file without the DOCTYPE; RFC 6030 needs none
            error: no column for the seed: found `Nr`, `S/N`, `Key (B32)`
              hint: map it with `--column seed="Key (B32)"`
            error: no column for the hash: found `Nr`, `S/N`, `Key (B32)`
              hint: map it with `--column hash=NAME`
            error: no column for the seed: found none
              hint: map it with `--column seed=POSITION`
            error: no column `key(b32)` for the seed: found `Nr`, `S/N`, `Key (B32)`
              hint: name one of these, such as `--column seed="Key (B32)"`
            error: two columns for the seed: `Key` and `Key 2`
              hint: say which, such as `--column seed=Key`
            error: column `OTP Crypto` may say the hash, but its name is not known, so what it says would be lost
              hint: if it does, add `--column hash="OTP Crypto"`; if not, `--ignore-column "OTP Crypto"`
            error: column `Key` can be read as hex or Base32: nothing in it says which
              hint: add `--seed-encoding hex` or `--seed-encoding base32`, as the vendor's order says
            error: column `Key` holds hex: expected Base32, which the format prescribes
              hint: add `--seed-encoding hex`, if the vendor confirms it
            error: column `Key` has two encodings: line 2 can only be hex, but line 9 only Base32
              hint: compare lines 2 and 9 with the vendor's own file; one of them was changed
            error: column `Key` has two encodings: line 2 can only be hex, but line 9 only Base32
              hint: compare lines 2 and 9 with the vendor's own file; one of them was changed
            error: the row begins with `#` and has a seed in its place: expected a comment or a token, but found both in one
              hint: put the row's first value in quotes if it is a token, or take the row out if it is a comment
            error: the row has the wrong length: expected 6 fields, but found 5
              hint: compare the row with the vendor's own file, or name what separates its values with `--delimiter C`
            error: no value of column `Key` can be read: expected hex, Base32 or Base64, but found too few digits for a seed on line 2
              hint: compare the column with the vendor's own file, or name the one with the seeds with `--column seed=NAME`
            error: the seeds are encrypted with the pre-shared key `Pre-shared-key`, which was not given
              hint: name the key with `--pskc-key-file FILE`
            error: the key does not open the seeds
              hint: ask the vendor for the key of this very delivery
            error: the encryption `kw-camellia128` is not supported
              hint: ask the vendor for AES-128-CBC with HMAC-SHA1, which RFC 6030 §6 asks everyone to have
            error: this is a `.dpx` file of OneSpan's: only its maker's programs can open it
              hint: ask the vendor for an encrypted PSKC file, and its key apart
            error: `acme.toml` is no map file
            error: all 1000 records have the same fault: nothing says the time step
              hint: add `--set period=30` (or 60), as the vendor's order says
            error: all 1000 records have the same fault: no MAC matches, so the key is wrong or the file was changed
              hint: name the right key with `--pskc-key-file FILE`, or ask for the file again
            error: all 1000 records have the same fault: The seed is not text of its encoding.
              hint: name the encoding with `--seed-encoding hex`, `base32` or `base64`, as the vendor's order says
            error: all 1000 records have the same fault: The record has no seed.
              hint: name the seed's column with `--column seed=NAME`
            error: all 1000 records have the same fault: The record has no serial.
              hint: name the serial's column with `--column serial=NAME`
            error: `users.csv` is no assignment list: line 3 has no serial
              hint: begin the list with `serial,upn` or `serial,object id`, one token a line
            error: `3dee0e53-0aaf-4c43-9f7e-3a1f0e5d7c11` is an object id: the Entra CSV names users by UPN only
              hint: name users by UPN under the header `serial,upn`, or write `--to graph`
            error: `ada@example.com` is no object id: Graph assigns by object id only, and a UPN can be resolved only online
              hint: name users by object id under the header `serial,object id`, or write `--to entra-csv`
            error: refusing to overwrite `out.json`
              hint: name another with `--output PATH`, or add `--force` to replace it
            error: cannot write `out.json`
            error: the reader of the output has gone
            error: expected a file
            error: interrupted
            error: a bug in seedmill: a token has two places
              hint: report this message, without the delivery; nothing was written
        "#]].assert_eq(&text);
    }

    #[test]
    fn every_code_has_a_hint_or_none_on_purpose() {
        let text: String = Code::ALL
            .iter()
            .map(|&code| format!("{code}\n  {}\n  hint: {}\n", code.meaning(), super::code(code).unwrap_or("none")))
            .collect();
        expect![[r#"
            assign-duplicate
              A serial stands twice in the assignment list with different users.
              hint: keep one line for each serial in the list
            assign-unknown
              A serial of the assignment list has no token in the delivery.
              hint: correct the serial in the list; spreadsheets drop leading zeros
            column-unread
              A column was not read: its name is not known.
              hint: if it says something of the tokens, name its field with `--column FIELD=NAME`, or else add `--ignore-column NAME`
            digits-unsupported
              The number of digits is none that a code can have, or none that the target can hold.
              hint: keep these tokens for another server with `--to jsonl`; Entra takes 6 digits
            field-dropped
              The target has no place for a field that the record has.
              hint: keep the whole record beside it with `--to jsonl`
            hash-assumed
              The format has no place for the hash; SHA-1 is taken for seeds of 20 bytes or less.
              hint: if the vendor's order says so, confirm it with `--set hash=sha1`
            hash-unknown
              The hash is not said, and the seed is longer than SHA-1's 20 bytes.
              hint: add `--set hash=sha256` (or sha512), as the vendor's order says
            hash-unsupported
              The hash is none of SHA-1, SHA-256 and SHA-512, or none that the target can hold.
              hint: `--to graph` takes SHA-1 and SHA-256, `--to jsonl` SHA-512 too; there are no others
            integer-ambiguous
              An encrypted number can be read as digits and as a binary number.
              hint: ask the vendor for a file whose counters and time steps are not encrypted
            key-beside-seeds
              The key lies in the same delivery as the seeds that it protects.
              hint: ask the vendor to send the key another way than the seeds
            key-expired
              The key's policy ends before today or begins after it.
              hint: ask the vendor whether these tokens are still meant to be used
            mac-mismatch
              The MAC does not match the encrypted value (RFC 6030 §6.1.1).
              hint: ask for the file again; it was changed after it was protected
            mac-missing
              A value is encrypted without the MAC that protects it (RFC 6030 §6.1.1).
              hint: ask the vendor for a file with MACs, or add `--allow mac-missing`
            manufacturer-missing
              The record names no manufacturer.
              hint: add `--set manufacturer=NAME`
            member-skipped
              A member is plainly no seed file and was not read.
              hint: leave it out without a warning with `--skip-member NAME`
            model-missing
              The record names no model.
              hint: add `--set model=NAME`
            period-unknown
              Nothing says the time step; it has no default.
              hint: add `--set period=30` (or 60), as the vendor's order says
            period-unsupported
              The time step is no number of seconds above 0, or none that the target can hold.
              hint: a time step is a whole number of seconds; Entra takes 30 and 60, and `--to jsonl` keeps any other
            policy-unknown
              The key's policy forbids its use for codes, or says what is not understood (RFC 6030 §5).
              hint: ask the vendor what the policy is for, or add `--allow policy-unknown`
            proof-failed
              What was written does not compute the codes of what was read.
              hint: report this; the token was left out
            seed-ambiguous
              The seed can be read in two encodings.
              hint: add `--seed-encoding hex` (or base32, base64), as the vendor's order says
            seed-duplicate
              Another serial has the same seed.
              hint: ask the vendor to replace these tokens; each computes the other's codes
            seed-encoding
              The seed is not text of its encoding.
              hint: compare it with the vendor's own file; a character was lost or changed
            seed-length
              The seed is shorter or longer than nearly all of its member: it may have been cut.
              hint: compare it with the vendor's own file; if all is well, add `--allow seed-length`
            seed-missing
              The record has no seed.
              hint: ask the vendor for the seed of this token
            seed-spare-bits
              The unused bits at the end of the text are not zero: it was cut.
              hint: compare it with the vendor's own file; its end was lost
            seed-too-long
              The target cannot hold a seed of this length.
              hint: keep these tokens for another server with `--to jsonl`; Entra takes 128 Base32 characters
            seed-too-short
              The seed has fewer than 16 bytes (RFC 4226 §4, R6).
              hint: ask the vendor for tokens with longer seeds, or add `--allow seed-too-short`
            seed-unsupported
              The target holds seeds of one length only, and this has another.
              hint: keep these tokens for another server with `--to jsonl`
            seed-weak
              The seed is one repeated byte, a counting run, or a published sample; a warning for targets other than Entra's.
              hint: ask the vendor for the real seeds; these are samples that anyone can compute
            serial-damaged
              A spreadsheet has turned the serial into a number in scientific form.
              hint: take the vendor's own file, not one that a spreadsheet has saved
            serial-duplicate
              Two records have one serial; may be allowed for targets that can tell them apart.
              hint: ask the vendor which record is the token's; `--skip-rejected` writes the others
            serial-missing
              The record has no serial.
              hint: complete the serials as they are printed on the tokens
            signature-unchecked
              The delivery is signed, and no certificate was given to check it with.
              hint: give an OpenPGP signer's certificate with `--signed-by FILE`; other signatures cannot be checked yet
            text-control
              A value has characters that do not show: line ends, control characters, invisible marks.
              hint: compare it with the vendor's own file; the value holds more than it shows
            text-formula
              A value would be run as a formula by a spreadsheet.
              hint: if the text is meant, add `--allow text-formula`
            type-unsupported
              The record is no HOTP or TOTP token, or none that the target can hold.
              hint: order TOTP tokens for Entra; HOTP tokens can be kept with `--to jsonl`
            upn-dropped
              The target cannot hold the user as it is named.
              hint: name users by object id with `--assign FILE.csv`
            upn-missing
              The record names no user.
              hint: name users with `--assign FILE.csv`, or assign the tokens later
        "#]].assert_eq(&text);
    }

    #[test]
    fn a_hint_names_only_options_that_exist() {
        use clap::CommandFactory;
        let command = crate::args::Cli::command();
        let options: Vec<_> = command
            .get_subcommands()
            .flat_map(|sub| sub.get_arguments().filter_map(clap::Arg::get_long).map(str::to_owned).collect::<Vec<_>>())
            .collect();
        let kinds = every_kind().into_iter().filter_map(|kind| error(&Error::new(kind)));
        let codes = Code::ALL.iter().filter_map(|&one| code(one).map(str::to_owned));
        for hint in kinds.chain(codes) {
            // The options of `gpg` are its own.
            for part in hint.split('`').filter(|part| part.starts_with("--")) {
                let name = part.trim_start_matches("--").split([' ', '=']).next().unwrap_or_default();
                assert!(options.iter().any(|option| option == name), "`--{name}` in: {hint}");
            }
        }
    }

    #[test]
    fn a_delivery_of_one_file_is_not_left_out() {
        let alone = Error::new(ErrorKind::FormatUnknown).at(Trail::new("a.txt").whole());
        assert_eq!(
            error(&alone).as_deref(),
            Some(
                "if it is a CSV, name its columns with `--column seed=NAME` or by position, and add `--no-header` if it has none"
            )
        );
    }

    #[test]
    fn a_name_is_quoted_where_a_shell_needs_it() {
        assert_eq!(argument("tokens.xml"), "tokens.xml");
        assert_eq!(argument("a b.xml"), "\"a b.xml\"");
        assert_eq!(argument("it's.xml"), "\"it's.xml\"");
        assert_eq!(argument("a\u{1b}.xml"), r"'a\u{1b}.xml'");
    }

    #[test]
    fn a_name_that_a_shell_would_run_is_quoted_so_that_it_is_not() {
        assert_eq!(argument("$(reboot).xml"), "'$(reboot).xml'");
        assert_eq!(argument("`reboot`.xml"), "'`reboot`.xml'");
        assert_eq!(argument("a\";reboot;'.xml"), r#"'a";reboot;'\''.xml'"#);
    }
}
