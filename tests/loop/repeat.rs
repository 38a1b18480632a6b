//! One scenario, one state hash: in debug and release, run after run and side by side; and a run that was saved goes on.
#![allow(missing_docs, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

use tests::{json, program, run, stderr};
use twin::repeat::weave;
use twin::{Scenario, Twin};

/// Runs of each build.
const RUNS: usize = 10;

fn file(inside: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(inside)
}

#[test]
fn twenty_runs_of_two_builds_on_two_threads_have_one_hash() {
    let Some(bin) = program() else { return };
    let scenario = file("fixtures/repeat.toml");
    let own = || weave(&mut Twin::new(&Scenario::load(&scenario).unwrap()).unwrap(), 4.0, |_| ());
    let released = || {
        let output =
            run(Command::new(&bin).args(["--json", "twin", "hash", "--seconds", "4"]).arg(&scenario));
        assert!(output.status.success(), "{}", stderr(&output));
        json(&output)["state_hash"].as_str().unwrap().to_owned()
    };
    let hashes: Vec<String> = std::thread::scope(|s| {
        let debug = s.spawn(|| (0..RUNS).map(|_| own()).collect::<Vec<_>>());
        let release = s.spawn(|| (0..RUNS).map(|_| released()).collect::<Vec<_>>());
        [debug.join().unwrap(), release.join().unwrap()].concat()
    });
    assert_eq!(hashes.len(), 2 * RUNS);
    assert!(hashes.iter().all(|h| *h == hashes[0]), "{hashes:?}");
}

#[test]
fn a_run_that_was_saved_in_its_middle_can_be_gone_on_with() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let saved = dir.path().join("half.twin");
    let sim = |args: &[&str], out: &str| {
        let mut command = Command::new(&bin);
        command.args(["--quiet", "--json", "sim"]).args(args).arg("--out").arg(dir.path().join(out));
        run(&mut command)
    };
    let scenario = file("scenarios/quiet-night.toml");
    let whole = sim(&[scenario.to_str().unwrap(), "--save-at", "20", saved.to_str().unwrap()], "whole");
    assert!(whole.status.success(), "{}", stderr(&whole));
    let rest = sim(&["--restore", saved.to_str().unwrap()], "rest");
    assert!(rest.status.success(), "{}", stderr(&rest));
    assert_eq!(json(&rest)["facts"]["started_ns"], 20_000_000_000i64);
    let late = sim(&[scenario.to_str().unwrap(), "--save-at", "90000", saved.to_str().unwrap()], "late");
    assert!(stderr(&late).contains("not saved"), "{}", stderr(&late));
}
