//! Real reads in, positions out: the locator on the rail data, as a user calls it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::process::Command;

use tests::{json, program, run, shared, stderr};

#[test]
fn real_tags_come_out_in_order_and_all_are_answered() {
    let (Some(bin), Some(reads), Some(truth)) =
        (program(), shared("data/rail/dev.parquet"), shared("data/rail/dev_truth.csv"))
    else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let positions = dir.path().join("positions.csv");
    let located = run(Command::new(bin)
        .args(["locate", "--json"])
        .arg(reads)
        .arg("--out")
        .arg(&positions)
        .arg("--truth")
        .arg(truth));
    assert!(located.status.success(), "{}", stderr(&located));
    let result = json(&located);
    assert_eq!(result["evaluation"]["all"]["unanswered"], 0, "{result:#}");
    // What published methods reach falls from 100 to 60% from 20 to 4 cm; three rows are one scan of 17 pairs here.
    for (pitch, least) in [
        ("20 cm", 100.0),
        ("10 cm", 98.0),
        ("8 cm", 98.0),
        ("6 cm", 97.0),
        ("4 cm", 95.0),
        ("4 cm, 3 rows", 80.0),
    ] {
        let percent = result["evaluation"]["by_pitch"][pitch]["pairs_percent"].as_f64().unwrap();
        assert!(percent >= least, "{pitch}: {percent}");
    }
    let text = std::fs::read_to_string(positions).unwrap();
    assert!(text.starts_with("scan,epc,x_m,x_std_m,range_m,z_m,rank,reads"), "{}", &text[..80]);
}

#[test]
fn published_methods_can_be_asked_for_and_are_told_apart() {
    let (Some(bin), Some(reads), Some(truth)) =
        (program(), shared("data/rail/train_d5.parquet"), shared("data/rail/train_d5_truth.csv"))
    else {
        return;
    };
    let pairs = |method: &str| {
        let located = run(Command::new(&bin)
            .args(["locate", "--json", "--method", method])
            .arg(&reads)
            .arg("--truth")
            .arg(&truth));
        assert!(located.status.success(), "{method}: {}", stderr(&located));
        let all = json(&located)["evaluation"]["all"].clone();
        // No method beats the thermal bound.
        assert!(all["bound_cm"][0].as_f64().unwrap() < all["debiased_cm"][0].as_f64().unwrap(), "{all:#}");
        all["pairs_percent"].as_f64().unwrap()
    };
    let [ours, fit, curve] = ["ours", "fit", "rf-scanner"].map(pairs);
    assert!(ours > fit + 10.0 && ours > curve + 10.0, "ours {ours}, fit {fit}, RF-Scanner {curve}");
}
