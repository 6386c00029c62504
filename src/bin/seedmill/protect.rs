//! Options of the PSKC that is written: how its seeds are protected.

use std::path::Path;

use seedmill::format::pskc::{Protect, PskcWriter};
use seedmill::format::{Format, Writer};

use crate::args::{Protected, Protection};
use crate::keys;
use crate::paths::is_stream;
use crate::plan::{Planned, Usage};

/// The writer of PSKC.
pub(crate) fn writer(args: &Protection) -> Planned<Writer> {
    let how = args.protect.unwrap_or(Protected::Plain);
    let files = [
        ("--out-key-file", args.out_key_file.as_deref(), Protected::Key),
        ("--out-password-file", args.out_password_file.as_deref(), Protected::Passphrase),
    ];
    for (option, path, of) in files {
        match path {
            Some(_) if of != how => {
                return Err(Usage::new(format!("`{option}` belongs to `--protect {}`", of.name())).into());
            }
            None if of == how => {
                let usage = Usage::new(format!("`--protect {}` needs its {}", of.name(), of.name()));
                return Err(usage.hint(format!("name the file that holds it with `{option} FILE`")).into());
            }
            Some(path) if is_stream(path) => {
                return Err(Usage::new(format!("`{option}` is read from a file, not from standard input")).into());
            }
            _ => {}
        }
    }
    let path = |path: &Option<std::path::PathBuf>| path.clone().unwrap_or_default();
    let protect = match how {
        Protected::Key => Protect::Key(keys::out_key(&path(&args.out_key_file))?),
        Protected::Passphrase => Protect::Passphrase(keys::out_passphrase(Path::new(&path(&args.out_password_file)))?),
        Protected::Plain => Protect::Plain,
    };
    Ok(Writer::Pskc(Box::new(PskcWriter::new(&protect)?)))
}

/// Refuses these options where no PSKC is written.
pub(crate) fn only_pskc(to: Option<Format>, args: &Protection) -> Result<(), Usage> {
    let given = [
        ("--protect", args.protect.is_some()),
        ("--out-key-file", args.out_key_file.is_some()),
        ("--out-password-file", args.out_password_file.is_some()),
    ];
    match (given.iter().find(|(_, given)| *given), to) {
        (None, _) => Ok(()),
        (Some((option, _)), Some(to)) => {
            Err(Usage::new(format!("`{option}` belongs to `--to pskc`, but found `--to {to}`")))
        }
        (Some((option, _)), None) => Err(Usage::new(format!("`{option}` belongs to `--to pskc`"))),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use expect_test::{Expect, expect};

    use super::*;
    use crate::args::{Cli, Command};
    use crate::plan::Refusal;
    use crate::tabular;

    fn check(options: &[&str], expected: Expect) {
        let typed = ["seedmill", "check", "in.csv"].iter().chain(options);
        let Command::Check(args) = Cli::try_parse_from(typed).expect("it can be typed").command else {
            panic!("not check")
        };
        let to = args.to.expect("a target");
        expected.assert_eq(&match tabular::writer(to, &args.written) {
            Ok(writer) => format!("{writer:?}"),
            Err(Refusal::Usage(usage)) => match usage.hint {
                Some(hint) => format!("{}\nhint: {hint}", usage.message),
                None => usage.message,
            },
            Err(Refusal::Stopped(error)) => format!("stopped: {error}"),
        });
    }

    fn file(name: &str, content: &[u8]) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("a file");
        let path = path.to_string_lossy().into_owned();
        (folder, path)
    }

    #[test]
    fn the_length_of_the_key_says_which_aes() {
        check(&["--to", "pskc"], expect!["Pskc(PskcWriter { sealer: None, .. })"]);
        for (content, expected) in [
            (
                &b"00112233445566778899aabbccddeeff\n"[..],
                expect!["Pskc(PskcWriter { sealer: Some(Sealer { encryption: Aes128Cbc, mac: Sha1 }), .. })"],
            ),
            (
                &[0x80; 16],
                expect!["Pskc(PskcWriter { sealer: Some(Sealer { encryption: Aes128Cbc, mac: Sha1 }), .. })"],
            ),
            (
                &[0x80; 32],
                expect!["Pskc(PskcWriter { sealer: Some(Sealer { encryption: Aes256Cbc, mac: Sha256 }), .. })"],
            ),
        ] {
            let (_folder, path) = file("key.txt", content);
            check(&["--to", "pskc", "--protect", "key", "--out-key-file", &path], expected);
        }
    }

    #[test]
    fn says_what_is_missing_or_belongs_elsewhere() {
        check(
            &["--to", "pskc", "--protect", "key"],
            expect![[r#"
                `--protect key` needs its key
                hint: name the file that holds it with `--out-key-file FILE`"#]],
        );
        check(
            &["--to", "pskc", "--protect", "passphrase"],
            expect![[r#"
                `--protect passphrase` needs its passphrase
                hint: name the file that holds it with `--out-password-file FILE`"#]],
        );
        check(&["--to", "pskc", "--out-key-file", "k"], expect!["`--out-key-file` belongs to `--protect key`"]);
        check(
            &["--to", "pskc", "--protect", "key", "--out-key-file", "-"],
            expect!["`--out-key-file` is read from a file, not from standard input"],
        );
        check(
            &["--to", "graph", "--protect", "plain"],
            expect!["`--protect` belongs to `--to pskc`, but found `--to graph`"],
        );
        check(
            &["--to", "pskc", "--out-no-header"],
            expect!["`--out-no-header` belongs to `--to csv`, but found `--to pskc`"],
        );
        check(
            &["--to", "pskc", "--protect", "key", "--out-key-file", "no.txt"],
            expect!["stopped: no file or folder `no.txt`"],
        );
    }

    #[test]
    fn a_key_or_a_passphrase_is_one() {
        let (_folder, path) = file("24", &[1; 24]);
        let (_other, lines) = file("two", b"one\ntwo\n");
        let refusal = |options: &[&str], path: &str| {
            let typed = ["seedmill", "check", "in.csv", "--to", "pskc"].iter().chain(options);
            let Command::Check(args) = Cli::try_parse_from(typed).expect("it can be typed").command else {
                panic!("not check")
            };
            match tabular::writer(Format::Pskc, &args.written) {
                Err(Refusal::Usage(usage)) => usage.message.replace(path, "FILE"),
                _ => "no usage".to_owned(),
            }
        };
        assert_eq!(
            refusal(&["--protect", "key", "--out-key-file", &path], &path),
            "`FILE` is no PSKC key to write with: expected 16 bytes (AES-128) or 32 (AES-256), raw or in hex"
        );
        assert_eq!(
            refusal(&["--protect", "passphrase", "--out-password-file", &lines], &lines),
            "`FILE` is no file of one passphrase: expected one line, but found 2"
        );
    }
}
