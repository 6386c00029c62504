//! Who may use whom, and where a seed may be exposed. A test, because a rule that nothing checks is a wish.

use std::fs;
use std::path::{Path, PathBuf};

/// Every source file below a folder, with its path from the root of the crate.
fn sources(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a source folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    walk(&root.join(folder), &mut found);
    found.sort();
    found
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root).expect("inside the crate").to_string_lossy().replace('\\', "/");
            (name, fs::read_to_string(&path).expect("a source file"))
        })
        .collect()
}

/// The part of a file that is not its tests.
fn without_tests(text: &str) -> &str {
    text.split_once("\n#[cfg(test)]\nmod ").map_or(text, |(code, _)| code)
}

/// Modules of the crate that a piece of code names, after `crate::`.
fn modules_named(code: &str) -> Vec<&str> {
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default())
        .collect()
}

#[test]
fn modules_use_only_what_lies_before_them() {
    let shared = ["record", "error", "limits"];
    let table: [(&str, &[&str]); 6] = [
        ("src/record/", &[]),
        ("src/error.rs", &[]),
        ("src/limits.rs", &[]),
        ("src/unseal/", &["unseal"]),
        ("src/format/", &["format"]),
        ("src/refine/", &["refine"]),
    ];
    let mut checked = 0;
    for (file, text) in sources("src") {
        let Some((_, own)) = table.iter().find(|(prefix, _)| file.starts_with(prefix)) else { continue };
        checked += 1;
        for module in modules_named(without_tests(&text)) {
            assert!(shared.contains(&module) || own.contains(&module), "{file} uses `{module}`");
        }
    }
    assert!(checked > 20, "only {checked} files were found");
}

#[test]
fn refine_does_no_input_or_output() {
    for (file, text) in sources("src/refine") {
        for word in ["std::io", "std::fs", "std::net", "std::env", "std::time"] {
            assert!(!text.contains(word), "{file} uses `{word}`");
        }
    }
}

#[test]
fn the_library_reads_no_environment_and_no_clock_and_prints_nothing() {
    for (file, text) in sources("src") {
        if file.starts_with("src/bin/") || file.ends_with("/tests.rs") {
            continue;
        }
        for word in
            ["std::env", "SystemTime", "Instant::now", "println!", "eprintln!", "stdin()", "stdout()", "process::exit"]
        {
            assert!(!without_tests(&text).contains(word), "{file} uses `{word}`");
        }
    }
}

#[test]
fn the_binary_uses_the_public_library_only() {
    for (file, text) in sources("src/bin") {
        assert!(!text.contains("#[path"), "{file} pulls in a file of the library");
    }
}

#[test]
fn secrets_are_exposed_in_listed_files_only() {
    let allowed = [
        "src/record/encoding.rs",
        "src/record/keyring.rs",
        "src/record/secret.rs",
        "src/refine/otp.rs",
        "src/refine/validate.rs",
    ];
    let prefixes = ["src/format/pskc/crypt/", "src/unseal/", "src/format/testing.rs"];
    let mut exposing = 0;
    for (file, text) in sources("src") {
        if file.ends_with("/tests.rs") || !without_tests(&text).contains(".expose()") {
            continue;
        }
        exposing += 1;
        let listed = allowed.contains(&file.as_str()) || prefixes.iter().any(|prefix| file.starts_with(prefix));
        assert!(listed, "{file} exposes a secret");
    }
    assert!(exposing >= 3, "the search finds nothing: it looks for the wrong words");
}
