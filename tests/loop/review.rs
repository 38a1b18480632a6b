//! Recordings for the Rerun viewer, read back with the viewer's own library.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tests::{json, program, python, run, skipped, stderr};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bags").join(name).join("bag")
}

/// Converts a bag and gives what the command says.
fn review(bin: &Path, bag: &Path, out: &Path, more: &[&str]) -> Value {
    let done = run(Command::new(bin).args(["--json", "review"]).arg(bag).arg("--save").arg(out).args(more));
    assert!(done.status.success(), "{more:?}: {}", stderr(&done));
    json(&done)
}

/// What is in a recording; `None` where there is no Python for it.
fn entities(recording: &Path) -> Option<Value> {
    let python = python()?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("loop/review_peer.py");
    let done = run(Command::new(python).arg(script).arg(recording));
    assert!(done.status.success(), "{}", stderr(&done));
    Some(json(&done))
}

fn rows(told: &Value, entity: &str) -> u64 {
    told["entities"][entity]["rows"].as_u64().unwrap_or(0)
}

/// First and last stamp of an entity, ns.
fn span(told: &Value, entity: &str) -> (i64, i64) {
    let span = &told["entities"][entity]["spans"]["time"];
    (span[0].as_i64().unwrap_or(-1), span[1].as_i64().unwrap_or(-1))
}

#[test]
fn a_run_can_be_looked_at_from_every_side() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run.rrd");
    let done = review(&bin, &golden("aisle"), &out, &[]);
    // Some at the start, before the robot knows where it is.
    assert!(done["reads_without_place"].as_u64().unwrap() < 200, "{done:#}");
    let (from_ns, to_ns) = (done["from_ns"].as_i64().unwrap(), done["to_ns"].as_i64().unwrap());
    let Some(told) = entities(&out) else { return };
    assert_eq!((&told["application"], &told["blueprints"]), (&"shelfwright".into(), &1.into()));
    for entity in [
        "/site/1F/R01A/boards",
        "/site/1F/walls",
        "/tf/inv_1/base_link",
        "/inv_1/driven",
        "/inv_1/reads",
        "/books/1F/R01A",
        "/coverage/1F/R01A/T1",
        "/shelf/1F/R01A/boards",
        "/shelf/1F/R01A/books",
        "/shelf/1F/R01A/deviations",
        "/shelf/1F/R01A/reads",
        "/progress/deviation/1F/R01A/T1",
        "/health/mission/inv_1",
        "/health/reads/inv_1",
        "/errors/table",
        "/errors/places",
    ] {
        assert!(rows(&told, entity) > 0, "{entity} is empty");
    }
    for entity in ["/inv_1/driven", "/inv_1/reads", "/tf/inv_1/base_link"] {
        let (first, last) = span(&told, entity);
        assert!(from_ns <= first && last <= to_ns && last - first > (to_ns - from_ns) / 2, "{entity}");
    }
    // Each finding has its entry at the time of its evidence, and its tag's profile over the shelf and over time.
    let all = told["entities"].as_object().unwrap();
    let findings: Vec<&String> = all.keys().filter(|e| e.ends_with("/finding")).collect();
    assert!(findings.len() >= 8, "{findings:?}");
    assert!(all.keys().any(|e| e.contains("/residual/")) && all.keys().any(|e| e.contains("/curve/")));
    let profile = all.iter().find(|(e, _)| e.starts_with("/tags/") && e.contains("/rssi/")).unwrap();
    let along = &profile.1["spans"]["along_mm"];
    assert!(along[1].as_i64().unwrap() - along[0].as_i64().unwrap() > 200, "{along}");
    assert!(profile.1["spans"]["time"][0].as_i64().unwrap() >= from_ns);
}

#[test]
fn a_part_of_a_run_and_one_book_are_enough() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("part.rrd");
    let tag = "303402D7A8000000000000A1";
    let part = review(&bin, &golden("aisle"), &out, &["--from", "10", "--to", "20", "--tag", tag]);
    let (from_ns, to_ns) = (part["from_ns"].as_i64().unwrap(), part["to_ns"].as_i64().unwrap());
    assert!((9_000_000_000..=10_000_000_000).contains(&(to_ns - from_ns)), "{part:#}");
    let Some(told) = entities(&out) else { return };
    // Where the antennas are was said before the part; it holds on.
    assert!(rows(&told, "/inv_1/reads") > 50, "{told:#}");
    assert!(span(&told, "/inv_1/reads").0 >= from_ns && span(&told, "/inv_1/reads").1 <= to_ns);
    assert_eq!(rows(&told, &format!("/tags/{}/about", tag.to_lowercase())), 1);
}

#[test]
fn two_runs_side_by_side_show_what_differs() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("same.rrd");
    let (aisle, slip) = (golden("aisle"), golden("slip"));
    let same = review(&bin, &aisle, &out, &["--against", aisle.to_str().unwrap()]);
    assert_eq!(same["differences"], 0);
    let other = review(&bin, &aisle, &out, &["--against", slip.to_str().unwrap()]);
    assert!(other["differences"].as_u64().unwrap() > 50, "{other:#}");
    let Some(told) = entities(&out) else { return };
    assert!(rows(&told, "/differences/table") == 1 && rows(&told, "/shelf/1F/R01A/differences") == 1);
}

#[test]
fn what_cannot_be_shown_is_one_clear_line() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let bag = golden("aisle");
    // No viewer on this PATH.
    let done = run(Command::new(&bin).arg("review").arg(&bag).env("PATH", dir.path()));
    assert_eq!(done.status.code(), Some(1));
    assert!(
        stderr(&done).contains("no program `rerun`") && stderr(&done).lines().count() == 1,
        "{}",
        stderr(&done)
    );
    for (more, code, words) in [
        (vec!["--shelf", "1F/R99A"], 3, "no row face 1F/R99A; the site has 1F/R01A"),
        (vec!["--shelf", "1F/R01A/B90/T1"], 3, "has 2 bays"),
        (vec!["--tag", "xyz"], 2, "hex digit"),
        (vec!["--truth", "nowhere.csv"], 3, "nowhere.csv"),
        (vec!["--save", "nowhere/at/all.rrd"], 1, "nowhere/at/all.rrd: cannot write the recording"),
    ] {
        let save = dir.path().join("x.rrd");
        let mut command = Command::new(&bin);
        command.arg("review").arg(&bag).current_dir(dir.path());
        if !more.contains(&"--save") {
            command.arg("--save").arg(&save);
        }
        let done = run(command.args(&more));
        assert_eq!(done.status.code(), Some(code), "{more:?}: {}", stderr(&done));
        assert!(stderr(&done).contains(words), "{more:?}: {}", stderr(&done));
    }
}

#[test]
fn a_mission_is_reviewed_while_it_runs() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (out, live) = (dir.path().join("run"), dir.path().join("live.rrd"));
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("bags/aisle.toml");
    let mut command = Command::new(&bin);
    command.arg("sim").arg(scenario).arg("--out").arg(&out).arg(format!("--review={}", live.display()));
    let done = run(&mut command);
    assert!(done.status.success(), "{}", stderr(&done));
    let Some(told) = entities(&live) else { return };
    for entity in ["/inv_1/scan", "/inv_1/reads", "/books/1F/R01A", "/errors/table", "/health/nodes/recorder"]
    {
        assert!(rows(&told, entity) > 0, "{entity} is empty");
    }
}

#[test]
fn the_viewers_own_tools_take_our_bags() {
    let Some(python) = python() else { return };
    let rerun = python.with_file_name("rerun");
    if !rerun.exists() {
        return skipped("no rerun beside SHELFWRIGHT_PYTHON");
    }
    for name in ["aisle", "slip"] {
        let done =
            run(Command::new(&rerun).args(["mcap", "check", "--full"]).arg(golden(name).join("bag_0.mcap")));
        assert!(done.status.success(), "{name}: {}", stderr(&done));
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        let bad = text.lines().find(|l| l.starts_with("error") || l.starts_with("warn"));
        assert!(text.contains("/inv_1/reads") && bad.is_none(), "{name}: {text}");
    }
}

#[test]
fn a_bag_is_followed_while_another_program_writes_it() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (out, live) = (dir.path().join("run"), dir.path().join("live.rrd"));
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("bags/aisle.toml");
    let mut simulation =
        Command::new(&bin).args(["--quiet", "sim"]).arg(scenario).arg("--out").arg(&out).spawn().unwrap();
    while !(out.join("bag").exists() && out.join("site.toml").exists()) {
        assert!(simulation.try_wait().unwrap().is_none_or(|s| s.success()), "the simulation failed");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let followed = review(&bin, &out.join("bag"), &live, &["--live", "--quiet"]);
    assert!(simulation.wait().unwrap().success());
    let whole = review(&bin, &out.join("bag"), &dir.path().join("whole.rrd"), &[]);
    for key in ["messages", "from_ns", "to_ns"] {
        assert_eq!(followed[key], whole[key], "{key}");
    }
    let Some(told) = entities(&live) else { return };
    for entity in ["/inv_1/reads", "/books/1F/R01A", "/errors/table", "/inv_1/body/base_link_0"] {
        assert!(rows(&told, entity) > 0, "{entity} is empty");
    }
}
