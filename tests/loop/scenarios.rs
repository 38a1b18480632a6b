//! A user's bad days: every scenario in `tests/scenarios` comes to what it expects, and one that does not says so.
#![allow(missing_docs, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::{program, run, stderr};

fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut all: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    all.sort();
    all
}

#[test]
fn every_scenario_comes_to_what_it_expects() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut differ = Vec::new();
    for path in scenarios() {
        let name = path.file_stem().unwrap().to_owned();
        let output = run(Command::new(&bin)
            .args(["--quiet", "sim"])
            .arg(&path)
            .arg("--out")
            .arg(dir.path().join(name)));
        if !output.status.success() {
            differ.push(format!("{}: {}", path.display(), stderr(&output)));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn another_outcome_than_the_expected_one_is_named_and_fails() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let quiet = scenarios().into_iter().find(|p| p.ends_with("quiet-night.toml")).unwrap();
    let text = fs::read_to_string(quiet).unwrap().replace("passes = [2, 2]", "passes = [7, 9]");
    let path = dir.path().join("odd.toml");
    fs::write(&path, text).unwrap();
    let output =
        run(Command::new(&bin).args(["--quiet", "sim"]).arg(&path).arg("--out").arg(dir.path().join("run")));
    let error = stderr(&output);
    assert!(!output.status.success() && error.contains("2 passes, expected 7 to 9"), "{error}");
}
