//! What the decoder is worth, on lessons that its weights were not taught from, and what `shelfwright learn` gives.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::process::Command;

use domain::Sighting;
use positioning::{LocateSettings, locate_row};
use tests::{json, program, run, stderr};
use twin::radio::{Lesson, RadioPrior, RowSchool};

/// Pairs of neighbours of a row in order, and all pairs.
fn in_order(lesson: &Lesson, found: &[Sighting]) -> (u32, u32) {
    let (mut right, mut all) = (0, 0);
    let mut by_row: std::collections::BTreeMap<i32, Vec<(f64, f32)>> = std::collections::BTreeMap::new();
    for (t, s) in lesson.truth.iter().zip(found) {
        by_row.entry(t.row).or_default().push((t.x_m, s.along_m));
    }
    for row in by_row.values_mut() {
        row.sort_by(|a, b| a.0.total_cmp(&b.0));
        for pair in row.windows(2) {
            all += 1;
            right += u32::from(pair[1].1 > pair[0].1);
        }
    }
    (right, all)
}

#[test]
fn coupled_tags_come_out_in_order_where_a_fit_alone_swaps_them() {
    let school = RowSchool::new(RadioPrior::default());
    let (mut decoded, mut fitted, mut all) = (0, 0, 0);
    for number in 0..60 {
        let lesson = school.lesson(0xFEED, number);
        let with = locate_row(&lesson.scan, &LocateSettings::default());
        let without =
            locate_row(&lesson.scan, &LocateSettings { decode: false, ..LocateSettings::default() });
        let (right, pairs) = in_order(&lesson, &with);
        decoded += right;
        fitted += in_order(&lesson, &without).0;
        all += pairs;
    }
    let wrong = |right: u32| f64::from(all - right) / f64::from(all);
    assert!(wrong(decoded) < 0.9 * wrong(fitted), "{decoded} against {fitted} of {all} pairs");
}

#[test]
fn a_shelf_read_the_other_way_round_gives_the_same_places() {
    let lesson = RowSchool::new(RadioPrior::default()).lesson(0xFEED, 3);
    let mut turned = lesson.scan.clone();
    turned.reads.iter_mut().for_each(|r| r.antenna_m[0] = -r.antenna_m[0]);
    let settings = LocateSettings::default();
    for (a, b) in locate_row(&lesson.scan, &settings).iter().zip(&locate_row(&turned, &settings)) {
        assert!((a.along_m + b.along_m).abs() < 0.01, "{} and {}", a.along_m, b.along_m);
    }
}

#[test]
fn weights_can_be_made_again_to_the_byte_and_say_where_they_come_from() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let learn = |kind: &str, lessons: &str, name: &str| {
        let out = dir.path().join(name);
        let ran = run(Command::new(&bin)
            .args(["learn", kind, "--quiet", "--json", "--lessons", lessons, "--steps", "5", "--out"])
            .arg(&out));
        assert!(ran.status.success(), "{}", stderr(&ran));
        (std::fs::read(&out).unwrap(), json(&ran))
    };
    let (first, told) = learn("rows", "60", "a");
    let (again, _) = learn("rows", "60", "b");
    assert!(first == again, "the same command gave other weights");
    let made = told["provenance"]["command"].as_str().unwrap();
    assert_eq!(made, "shelfwright learn rows --lessons 60 --steps 5 --seed 7");
    assert!(told["provenance"]["scores"]["pairs_in_order"].as_f64().unwrap() > 0.3, "{told:#}");
}

#[test]
fn a_broken_weights_file_or_prior_is_refused_by_name() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("cut.weights");
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../positioning/weights/rows.weights");
    let whole = std::fs::read(default).unwrap();
    std::fs::write(&file, &whole[..whole.len() - 7]).unwrap();
    let shown = run(Command::new(&bin).args(["learn", "show"]).arg(&file));
    assert_eq!(shown.status.code(), Some(3));
    assert!(
        stderr(&shown).contains("cut.weights") && stderr(&shown).contains("expected"),
        "{}",
        stderr(&shown)
    );

    let prior = dir.path().join("prior.toml");
    std::fs::write(&prior, "impedance_ohms = [90, 400]\n").unwrap();
    let refused = run(Command::new(&bin)
        .args(["learn", "rows", "--lessons", "1", "--steps", "1", "--out"])
        .arg(dir.path().join("w"))
        .arg("--prior")
        .arg(&prior));
    assert_eq!(refused.status.code(), Some(3));
    assert!(stderr(&refused).contains("impedance_ohms"), "{}", stderr(&refused));
    let good = run(Command::new(&bin).args(["learn", "show", default]));
    assert!(good.status.success(), "{}", stderr(&good));
}
