//! The whole loop as a user runs it: a simulated library in, a report with the true shelf errors out.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::process::Command;

use tests::{json, program, python, run, stderr};

#[test]
fn the_demo_finds_what_was_put_wrong_and_its_bag_says_the_same_again() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let demo = run(Command::new(&bin).args(["demo", "--json", "--out"]).arg(&out));
    assert!(demo.status.success(), "{}", stderr(&demo));
    let result = json(&demo);

    let figure = |class: &str, name: &str| {
        result["scores"][class][name].as_f64().unwrap_or_else(|| panic!("no {name} of {class} in {result:#}"))
    };
    // What was promised; what is measured stands in launch/EVALUATION.md.
    assert!(figure("far_misplaced", "precision") >= 0.95, "{result:#}");
    assert!(figure("far_misplaced", "recall") >= 0.95, "{result:#}");
    assert!(figure("missing", "precision") >= 0.95, "{result:#}");
    assert!(figure("missing", "recall") >= 0.95, "{result:#}");
    assert!(result["facts"]["real_time_factor"].as_f64().unwrap() > 1.0, "{result:#}");
    assert_eq!(result["delivery"]["pending"], 0, "{result:#}");
    assert_eq!(result["delivery"]["dead"], 0, "{result:#}");

    for file in ["report.html", "report.json", "report.csv", "map-1F.svg", "bag/metadata.yaml"] {
        assert!(out.join(file).exists(), "{file} is not there");
    }

    let again = run(Command::new(&bin).args(["locate", "--json"]).arg(out.join("bag")));
    assert!(again.status.success(), "{}", stderr(&again));
    let again = json(&again);
    assert_eq!(again["live_sightings"], again["sightings"], "{again:#}");
    assert_eq!(again["identical_to_live"], true, "{again:#}");

    let Some(python) = python() else { return };
    let script = "import sys, pathlib\n\
        from rosbags.highlevel import AnyReader\n\
        with AnyReader([pathlib.Path(sys.argv[1])]) as r:\n\
        \u{20}   n = 0\n\
        \u{20}   for c, t, raw in r.messages():\n\
        \u{20}       if '/msg/' in c.msgtype and n % 50 == 0: r.deserialize(raw, c.msgtype)\n\
        \u{20}       n += 1\n\
        \u{20}   print(n, sorted({c.msgtype for c in r.connections}))\n";
    let opened = run(Command::new(python).args(["-c", script]).arg(out.join("bag")));
    assert!(opened.status.success(), "{}", stderr(&opened));
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let hash = |name: &str| {
        let ran = run(Command::new(&bin)
            .args(["sim", "--json", "--seed", "11", "--faces", "1F/R01A", "--out"])
            .arg(dir.path().join(name)));
        assert!(ran.status.success(), "{}", stderr(&ran));
        json(&ran)["facts"]["state_hash"].as_str().unwrap().to_owned()
    };
    assert_eq!(hash("a"), hash("b"));
}
