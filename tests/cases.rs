//! Every folder in `fixtures/cases/` is one run of the program, compared whole: exit code, both streams, every file.
//!
//! `support/case.rs` says what a folder holds. `UPDATE_EXPECT=1 cargo test --test cases` writes what the program did
//! as the new expectation, to be read like any other change; the exit code in `case.toml` is never rewritten.

mod support;

use std::path::{Path, PathBuf};

use support::case::Case;

#[test]
fn every_case_runs_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cases");
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut cases: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder of cases is there")
        .map(|entry| entry.expect("a folder can be listed").path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "no case in {}", folder.display());

    let mut faults = String::new();
    for path in &cases {
        let case = Case::read(path);
        let run = case.run();
        if update {
            run.write_expectation(path);
        }
        for fault in run.faults(&case) {
            faults.push_str(&format!("\n{}: {fault}\n", case.name));
        }
    }
    assert!(faults.is_empty(), "{faults}\nUPDATE_EXPECT=1 rewrites what a case expects");
}
