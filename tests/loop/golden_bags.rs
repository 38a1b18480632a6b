//! Golden bags: an algorithm that answers otherwise than it did is noticed, and the new answer is taken only with a
//! reason.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use bags::Reader;
use domain::Site;
use interfaces::Publication;
use nodes::host::HostError;
use nodes::locator::LocatorNode;
use positioning::LocateSettings;
use tests::{json, program, python, run, stderr};

fn goldens() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("bags");
    let mut all: Vec<PathBuf> =
        fs::read_dir(root).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    all.sort();
    all
}

fn replay(bin: &Path, bag: &Path, more: &[&str]) -> Output {
    run(Command::new(bin).args(["bag", "replay", "--nodes", "locator,auditor", "--json"]).arg(bag).args(more))
}

fn bytes(folder: &Path) -> u64 {
    let size =
        |e: fs::DirEntry| if e.path().is_dir() { bytes(&e.path()) } else { e.metadata().unwrap().len() };
    fs::read_dir(folder).unwrap().map(|e| size(e.unwrap())).sum()
}

#[test]
fn todays_nodes_find_in_recorded_runs_what_was_found_then() {
    let Some(bin) = program() else { return };
    let goldens = goldens();
    assert!(goldens.len() >= 2, "{goldens:?}");
    for golden in goldens {
        assert!(bytes(&golden) < 2 << 20, "{} is too large", golden.display());
        let bag = golden.join("bag");
        let check = run(Command::new(&bin).args(["bag", "check", "--json"]).arg(&bag));
        assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
        // Another processor may round otherwise: two millimetres, and no book in another place.
        let done = replay(&bin, &bag, &["--compare", "--moved", "2"]);
        assert!(
            done.status.success(),
            "{}\n{}\nIf the new results are right: shelfwright bag replay {} --nodes locator,auditor --accept REASON",
            String::from_utf8_lossy(&done.stdout),
            stderr(&done),
            bag.display()
        );
        assert!(json(&done)["comparison"]["sightings"]["recorded"].as_u64().unwrap() > 50);
    }
}

/// Today's locator in this process, which tests build without optimisation: what it says, as bytes.
fn located_here(golden: &Path) -> Vec<(String, Vec<u8>)> {
    let site = Arc::new(Site::load(&golden.join("site.toml")).unwrap());
    let locator = LocatorNode::new("inv_1", site, LocateSettings::default());
    let inputs = locator.inputs();
    let recording = Reader::open(golden.join("bag")).unwrap().map(|p| Ok::<_, HostError>(p.unwrap()));
    let said = nodes::host::replay(vec![Box::new(locator)], &inputs, recording).unwrap();
    results(said.into_iter())
}

fn results(said: impl Iterator<Item = Publication>) -> Vec<(String, Vec<u8>)> {
    let ours = ["sightings", "live_sightings", "coverage"];
    said.filter(|p| ours.iter().any(|name| p.is_called(name)))
        .map(|p| (p.topic.to_string(), p.message.to_cdr()))
        .collect()
}

/// Today's locator in the program: what it says, as bytes.
fn located_by(bin: &Path, bag: &Path, out: &Path) -> Vec<(String, Vec<u8>)> {
    let done =
        run(Command::new(bin).args(["bag", "replay", "--nodes", "locator", "--out"]).arg(out).arg(bag));
    assert!(done.status.success(), "{}", stderr(&done));
    results(Reader::open(out).unwrap().map(|p| p.unwrap()))
}

#[test]
fn debug_and_release_builds_give_the_same_bytes() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let golden = &goldens()[0];
    let by_program = located_by(&bin, &golden.join("bag"), &dir.path().join("out"));
    assert!(by_program.len() > 10);
    assert!(located_here(golden) == by_program, "the builds differ");
}

#[test]
fn a_bag_that_rosbags_wrote_from_our_definitions_gives_the_same_sightings() {
    let (Some(bin), Some(python)) = (program(), python()) else { return };
    let dir = tempfile::tempdir().unwrap();
    let golden = &goldens()[0];
    for file in ["site.toml", "catalogue.csv"] {
        fs::copy(golden.join(file), dir.path().join(file)).unwrap();
    }
    let ours = located_by(&bin, &golden.join("bag"), &dir.path().join("ours"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("loop/rosbags_peer.py");
    for storage in ["mcap", "sqlite3"] {
        let theirs = dir.path().join(storage);
        let done = run(Command::new(&python).arg(&script).arg(golden.join("bag")).arg(&theirs).arg(storage));
        assert!(done.status.success(), "{storage}: {}", stderr(&done));
        let check = run(Command::new(&bin).args(["bag", "check"]).arg(&theirs));
        assert!(check.status.success(), "{storage}: {}", String::from_utf8_lossy(&check.stdout));
        let found = located_by(&bin, &theirs, &dir.path().join(format!("{storage}-out")));
        assert!(found == ours, "{storage}: other sightings");
    }
}

#[test]
fn another_answer_fails_with_a_table_and_is_taken_with_a_reason() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let golden = &goldens()[0];
    fs::create_dir(dir.path().join("bag")).unwrap();
    for file in ["site.toml", "catalogue.csv", "bag/bag_0.mcap", "bag/metadata.yaml"] {
        fs::copy(golden.join(file), dir.path().join(file)).unwrap();
    }
    let bag = dir.path().join("bag");
    // A locator that does not decode tiers orders otherwise.
    let params = dir.path().join("params.toml");
    fs::write(&params, "[locator]\ndecode = false\n").unwrap();
    let params = ["--params", params.to_str().unwrap()];

    let differs = replay(&bin, &bag, &[&params[..], &["--compare"]].concat());
    assert_eq!(differs.status.code(), Some(1), "{}", stderr(&differs));
    let comparison = json(&differs)["comparison"].clone();
    assert_eq!(comparison["passed"], false);
    let differences = comparison["differences"].as_u64().unwrap();
    assert!(differences > 10, "{comparison:#}");
    assert!(stderr(&differs).contains("today's results differ"), "{}", stderr(&differs));
    let allowed = differences.to_string();
    let enough = replay(&bin, &bag, &[&params[..], &["--compare", "--allow", &allowed]].concat());
    assert!(enough.status.success(), "{}", stderr(&enough));

    let taken = replay(&bin, &bag, &[&params[..], &["--accept", "the decoder is off"]].concat());
    assert!(taken.status.success(), "{}", stderr(&taken));
    let reasons = fs::read_to_string(dir.path().join("accepted.md")).unwrap();
    assert!(reasons.contains("- the decoder is off: ") && reasons.contains(" moved"), "{reasons}");
    let same = replay(&bin, &bag, &[&params[..], &["--compare", "--exact"]].concat());
    assert!(same.status.success(), "{}", String::from_utf8_lossy(&same.stdout));
    let check = run(Command::new(&bin).args(["bag", "check"]).arg(&bag));
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
    // Beside the bag as it was.
    let beside = |more: &[&str]| {
        let command = ["bag", "compare", "--json"];
        run(Command::new(&bin).args(command).arg(golden.join("bag")).arg(&bag).args(more))
    };
    let compared = beside(&[]);
    assert_eq!(compared.status.code(), Some(1), "{}", stderr(&compared));
    assert_eq!(json(&compared)["differences"], differences);
    assert!(beside(&["--allow", &allowed]).status.success());
    // Nothing is left over.
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 5, "{left:?}");
    // The auditor alone finds the same in the bag's own sightings.
    let auditor = run(Command::new(&bin)
        .args(["bag", "replay", "--nodes", "auditor", "--compare", "--exact", "--json"])
        .arg(&bag));
    assert!(auditor.status.success(), "{}", String::from_utf8_lossy(&auditor.stdout));
}
