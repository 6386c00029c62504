//! Where the result goes, and which paths it must keep away from.

use std::fs;
use std::path::{Path, PathBuf};

use seedmill::format::Format;
use seedmill::pipeline::Destination;

use crate::args::{Common, Convert};
use crate::plan::Usage;
use crate::render::shown;

/// Whether a path means standard input or output.
pub(crate) fn is_stream(path: &Path) -> bool {
    path == Path::new("-")
}

/// Where `convert` writes, and why it may not.
pub(crate) fn destination(args: &Convert, stdout_is_terminal: bool) -> Result<Destination, Usage> {
    let path = args.output.as_deref().filter(|path| !is_stream(path));
    if let Some(batch_size) = args.batch_size {
        if args.to != Format::Graph {
            return Err(Usage::new(format!("`--batch-size` belongs to `--to graph`, but found `--to {}`", args.to)));
        }
        let Some(path) = path else {
            return Err(Usage::new("`--batch-size` writes a folder of files").hint("name it with `--output PATH`"));
        };
        return Ok(Destination::Folder { path: path.to_owned(), batch_size, force: args.force });
    }
    if let Some(path) = path {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => {
                let usage = Usage::new(format!("`{}` is a folder: expected the name of a file", name(path)));
                return Err(if args.to == Format::Graph {
                    usage.hint("name a file in it, or add `--batch-size N` and name a new folder")
                } else {
                    usage.hint("name a file in it")
                });
            }
            // It would be replaced by a file, which is not what a device or a pipe is named for.
            Ok(found) if !found.is_file() => {
                let usage = Usage::new(format!("`{}` is no regular file", name(path)));
                return Err(usage.hint("write to standard output with `--output -`"));
            }
            _ => {}
        }
        return Ok(Destination::File { path: path.to_owned(), force: args.force });
    }
    if args.common.telling.json {
        let usage = Usage::new("the tokens and the summary of `--json` cannot both go to standard output");
        return Err(usage.hint("write the tokens with `--output PATH`"));
    }
    if stdout_is_terminal && !args.force {
        return Err(Usage::new("refusing to write seeds to a terminal")
            .hint("write them with `--output PATH`, or add `--force` to do it anyway"));
    }
    Ok(Destination::Held)
}

/// Refuses to write over, or into, what is read.
pub(crate) fn apart_from_inputs(
    path: &Path,
    what: &str,
    common: &Common,
    convert: Option<&Convert>,
) -> Result<(), Usage> {
    let Some(target) = settled(path) else { return Ok(()) };
    let written = convert.map(|convert| &convert.written);
    let files = [&common.keys.password_file, &common.keys.pgp_key, &common.keys.signed_by, &common.keys.pskc_key_file];
    let optional = [
        common.reading.map.as_ref(),
        convert.and_then(|convert| convert.rules.assign.as_ref()),
        written.and_then(|written| written.out_map.as_ref()),
        written.and_then(|written| written.protection.out_key_file.as_ref()),
        written.and_then(|written| written.protection.out_password_file.as_ref()),
    ];
    let inputs = common.deliveries.iter().chain(files.into_iter().flatten()).chain(optional.into_iter().flatten());
    for input in inputs.filter(|input| !is_stream(input)) {
        let Ok(source) = fs::canonicalize(input) else { continue };
        if target == source {
            return Err(Usage::new(format!("the {what} `{}` is read by this very run", name(path)))
                .hint(format!("name another file for the {what}")));
        }
        if target.starts_with(&source) {
            return Err(Usage::new(format!("the {what} `{}` lies in the delivery `{}`", name(path), name(input)))
                .hint("name a place outside it"));
        }
    }
    Ok(())
}

/// A path without links, also of a file that is not there yet.
pub(crate) fn settled(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok().or_else(|| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(fs::canonicalize(folder).ok()?.join(path.file_name()?))
    })
}

/// A path as a message shows it.
pub(crate) fn name(path: &Path) -> String {
    shown(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use expect_test::{Expect, expect};

    use super::*;
    use crate::args::{Cli, Command};

    fn convert(options: &[&str]) -> Convert {
        let typed = ["seedmill", "convert", "in.csv"].iter().chain(options);
        match Cli::try_parse_from(typed).expect("it can be typed").command {
            Command::Convert(args) => args,
            other => panic!("not convert: {other:?}"),
        }
    }

    fn told(result: Result<impl std::fmt::Debug, Usage>) -> String {
        match result {
            Ok(value) => format!("{value:?}"),
            Err(Usage { message, hint }) => format!("{message}\nhint: {}", hint.unwrap_or_else(|| "none".into())),
        }
    }

    fn check(options: &[&str], stdout_is_terminal: bool, expected: Expect) {
        expected.assert_eq(&told(destination(&convert(options), stdout_is_terminal)));
    }

    #[test]
    fn seeds_go_to_a_terminal_only_by_force() {
        check(&["--to", "graph"], false, expect!["Held"]);
        check(&["--to", "graph", "-o", "-"], false, expect!["Held"]);
        check(&["--to", "graph", "-o", "-", "--force"], true, expect!["Held"]);
        for options in [&["--to", "graph"][..], &["--to", "graph", "-o", "-"]] {
            let refused = expect![[r#"
                refusing to write seeds to a terminal
                hint: write them with `--output PATH`, or add `--force` to do it anyway"#]];
            check(options, true, refused);
        }
    }

    #[test]
    fn batches_are_for_graph_and_for_a_folder() {
        check(
            &["--to", "graph", "-o", "new", "--batch-size", "100"],
            true,
            expect![[r#"Folder { path: "new", batch_size: 100, force: false }"#]],
        );
        check(
            &["--to", "jsonl", "-o", "new", "--batch-size", "100"],
            true,
            expect![[r#"
                `--batch-size` belongs to `--to graph`, but found `--to jsonl`
                hint: none"#]],
        );
        check(
            &["--to", "graph", "-o", "-", "--batch-size", "100"],
            false,
            expect![[r#"
                `--batch-size` writes a folder of files
                hint: name it with `--output PATH`"#]],
        );
    }

    #[test]
    fn the_summary_and_the_tokens_do_not_share_standard_output() {
        check(
            &["--to", "graph", "--json"],
            false,
            expect![[r#"
                the tokens and the summary of `--json` cannot both go to standard output
                hint: write the tokens with `--output PATH`"#]],
        );
    }

    #[test]
    fn a_folder_or_a_device_is_no_place_for_a_file() {
        check(
            &["--to", "jsonl", "-o", "src"],
            false,
            expect![[r#"
                `src` is a folder: expected the name of a file
                hint: name a file in it"#]],
        );
        #[cfg(unix)]
        check(
            &["--to", "jsonl", "-o", "/dev/null", "--force"],
            false,
            expect![[r#"
                `/dev/null` is no regular file
                hint: write to standard output with `--output -`"#]],
        );
    }

    #[test]
    fn an_output_is_kept_apart_from_what_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let inside = |name: &str| folder.path().join(name);
        fs::create_dir(inside("delivery")).expect("a folder");
        fs::write(inside("delivery/in.csv"), b"").expect("a file");
        fs::write(inside("pw.txt"), b"").expect("a file");
        let delivery = inside("delivery");
        let pw = inside("pw.txt");
        let args = convert(&[
            "--to",
            "graph",
            delivery.to_str().expect("it is text"),
            "--password-file",
            pw.to_str().expect("it is text"),
        ]);
        let check = |path: &str, expected: Expect| {
            let text = told(apart_from_inputs(&inside(path), "output", &args.common, Some(&args)));
            expected.assert_eq(&text.replace(&format!("{}/", name(folder.path())), ""));
        };
        check("out.json", expect!["()"]);
        check("delivery-2", expect!["()"]);
        let refused = |path: &str| {
            let refusal = apart_from_inputs(&inside(path), "output", &args.common, Some(&args));
            refusal.err().and_then(|usage| usage.hint)
        };
        assert_eq!(refused("pw.txt").as_deref(), Some("name another file for the output"));
        assert_eq!(refused("delivery/../pw.txt").as_deref(), Some("name another file for the output"));
        assert_eq!(refused("delivery").as_deref(), Some("name another file for the output"));
        assert_eq!(refused("delivery/out.json").as_deref(), Some("name a place outside it"));
        assert_eq!(refused("delivery/in.csv").as_deref(), Some("name a place outside it"));
    }
}
