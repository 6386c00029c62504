//! Every session in README is run and compared; the table of formats is what `seedmill formats` says.
//!
//! A session is a block marked `console`: lines after `$ ` are commands, the lines below what they print. `UPDATE_EXPECT=1`
//! writes what they print now.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs one command as a person in a fresh clone would, and answers what the terminal would show.
fn shown(line: &str, folder: &Path) -> String {
    let words = words(line);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["cargo", "run", "--release", "--quiet", "--", arguments @ ..] | ["seedmill", arguments @ ..] => {
            let output = Command::new(env!("CARGO_BIN_EXE_seedmill"))
                .args(arguments)
                .env_remove("SEEDMILL_PASSWORD")
                .current_dir(folder)
                .stdin(Stdio::null())
                .output()
                .expect("the program is built");
            format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout))
        }
        ["head", "-n", count, file] => {
            let text = fs::read_to_string(folder.join(file)).expect("a file of the session");
            let count = count.parse().expect("a number of lines");
            text.lines().take(count).map(|line| format!("{line}\n")).collect()
        }
        ["cat", file] => fs::read_to_string(folder.join(file)).expect("a file of the session"),
        other => panic!("README has a command that this test does not know: {other:?}"),
    }
}

/// Words of a shell line: single and double quotes, and nothing cleverer.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for character in line.chars() {
        match (quote, character) {
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (Some(open), _) if open == character => quote = None,
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a file");
        }
    }
}

#[test]
fn every_session_prints_what_readme_shows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).expect("README").replace("\r\n", "\n");
    let folder = tempfile::tempdir().expect("a temporary folder");
    for part in ["container", "demo", "vendor"] {
        copy_folder(&root.join("fixtures").join(part), &folder.path().join("fixtures").join(part));
    }
    let mut written = String::new();
    let mut commands = 0;
    let mut rest = readme.as_str();
    while let Some((before, block)) = rest.split_once("```console\n") {
        let (block, after) = block.split_once("```\n").expect("the block ends");
        written.push_str(before);
        written.push_str("```console\n");
        for session in block.split("$ ").skip(1) {
            let command: String = session
                .lines()
                .scan(true, |goes_on, line| {
                    let line = goes_on.then_some(line)?;
                    *goes_on = line.ends_with('\\');
                    Some(format!("{} ", line.trim_end_matches('\\').trim()))
                })
                .collect();
            let lines = session.lines().take_while(|line| line.ends_with('\\')).count() + 1;
            let typed: String = session.lines().take(lines).map(|line| format!("{line}\n")).collect();
            written.push_str(&format!("$ {typed}{}", shown(command.trim(), folder.path())));
            commands += 1;
        }
        written.push_str("```\n");
        rest = after;
    }
    written.push_str(rest);
    assert!(commands >= 6, "README has {commands} commands");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(root.join("README.md"), &written).expect("README is ours");
    } else {
        assert!(
            written == readme,
            "README shows something else than the program; UPDATE_EXPECT=1 mends it:\n{written}"
        );
    }
}

#[test]
fn every_code_of_a_finding_is_in_the_program_and_every_option_is_real() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).expect("README");
    let help: String = ["convert", "check", "inspect", "formats"]
        .map(|command| {
            let output = Command::new(env!("CARGO_BIN_EXE_seedmill")).args([command, "--help"]).output();
            String::from_utf8(output.expect("the program is built").stdout).expect("UTF-8")
        })
        .concat();
    // Options of other programs in README's sessions.
    let foreign = ["--release", "--quiet", "--armor", "--export-secret-keys", "--no-default-features"];
    let mut options = 0;
    for word in readme.split(|c: char| c.is_whitespace() || "`,()|;".contains(c)) {
        let name = word.split(['=', '.', ':']).next().unwrap_or_default();
        if name.len() > 3 && name.starts_with("--") && name[2..].bytes().all(|b| b.is_ascii_lowercase() || b == b'-') {
            options += 1;
            assert!(help.contains(name) || foreign.contains(&name), "README names the option `{name}`");
        }
    }
    assert!(options > 20, "README names {options} options");
}
