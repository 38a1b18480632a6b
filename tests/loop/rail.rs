//! Real reads in, positions out: the locator on the rail data, as a user calls it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::process::Command;

use tests::{json, program, run, shared, stderr};

#[test]
fn real_tags_20_and_10_cm_apart_come_out_in_order_and_all_are_answered() {
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
    for pitch in ["20 cm", "10 cm"] {
        let percent = result["evaluation"]["by_pitch"][pitch]["pairs_percent"].as_f64().unwrap();
        assert!(percent >= 90.0, "{pitch}: {percent}");
    }
    let text = std::fs::read_to_string(positions).unwrap();
    assert!(text.starts_with("scan,epc,x_m,x_std_m,range_m,z_m,rank,reads"), "{}", &text[..80]);
}
