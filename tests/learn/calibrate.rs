//! What `shelfwright calibrate` finds of a radio that is known, and what it makes of wrong input.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use domain::Scan;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tests::{json, program, run, stderr};
use twin::calibrate::{Draw, KnownRow, Narrowed, RowStudy, Study, narrow};
use twin::radio::{Lesson, RadioPrior, RowLayout, RowSchool};

/// Passes along layouts by a radio of a known prior.
fn passes(prior: &RadioPrior, count: u64) -> Vec<(Lesson, RowLayout)> {
    let school = RowSchool::new(RadioPrior::default());
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut made = Vec::new();
    while made.len() < count as usize {
        let layout = RowLayout::draw(&mut rng);
        if layout.tags.len() >= 6 && layout.tags.iter().all(|t| t.1 >= 0) {
            made.push((school.pass(prior, &layout, 5, made.len() as u64), layout));
        }
    }
    made
}

/// A library's own radio, inside the default prior.
fn own_radio() -> RadioPrior {
    let at = |v: f64| [v, v];
    RadioPrior {
        impedance_ohm: at(150.0),
        impedance_deg: at(-60.0),
        impedance_spread: at(0.15),
        scatter_gain: at(0.06),
        rssi_slope: at(0.85),
        read_range_db: at(30.0),
        carriers_hz: vec![922.375e6],
        ..RadioPrior::default()
    }
}

fn draws(study: &RowStudy, count: u64) -> Vec<Draw> {
    (0..count).map(|n| study.draw(7, n).unwrap()).collect()
}

fn range(found: &Narrowed, key: &str) -> [f64; 2] {
    found.findings.iter().find(|f| f.key == key).unwrap().range
}

#[test]
fn a_known_radio_is_found_again_in_a_narrower_range() {
    let known: Vec<KnownRow> =
        passes(&own_radio(), 10).iter().filter_map(|(l, layout)| KnownRow::of_lesson(l, layout)).collect();
    let study = RowStudy::new(RadioPrior::default(), known).unwrap();
    let draws = draws(&study, 800);
    let found = narrow(&study, study.measured(), &draws);
    for (key, value) in [
        ("impedance_ohm", 150.0),
        ("impedance_deg", -60.0),
        ("impedance_spread", 0.15),
        ("scatter_gain", 0.06),
        ("rssi_slope", 0.85),
    ] {
        let [low, high] = range(&found, key);
        assert!((low..=high).contains(&value), "{key} {value} is not in {low} to {high}");
    }
    // So few passes tell most of how the reader shows power, and something of the reflections.
    for key in ["rssi_slope", "scatter_gain"] {
        let f = found.findings.iter().find(|f| f.key == key).unwrap();
        assert!(f.told && f.width < 0.8, "{key} is no narrower: {f:?}");
    }
    let narrowed = study.narrowed(&found, &draws);
    assert_eq!(narrowed.check(), Ok(()));
    assert_eq!(narrowed.carriers_hz, [922.375e6]);
}

#[test]
fn a_few_tags_at_wrong_places_hardly_move_what_is_found() {
    let made = passes(&own_radio(), 10);
    let known: Vec<KnownRow> = made.iter().filter_map(|(l, layout)| KnownRow::of_lesson(l, layout)).collect();
    let study = RowStudy::new(RadioPrior::default(), known).unwrap();
    let draws = draws(&study, 400);
    let right = narrow(&study, study.measured(), &draws);
    // In every fifth pass two tags have changed places: about 3 in a hundred.
    let mixed: Vec<KnownRow> = made
        .into_iter()
        .enumerate()
        .filter_map(|(i, (mut lesson, layout))| {
            if i % 5 == 0 {
                let (a, b) = (lesson.truth[0], lesson.truth[3]);
                (lesson.truth[0], lesson.truth[3]) = (b, a);
            }
            KnownRow::of_lesson(&lesson, &layout)
        })
        .collect();
    let mixed = RowStudy::new(RadioPrior::default(), mixed).unwrap();
    let wrong = narrow(&study, mixed.measured(), &draws);
    for (a, b) in right.findings.iter().zip(&wrong.findings).filter(|(a, _)| a.told) {
        let span = a.default[1] - a.default[0];
        assert!((a.median - b.median).abs() < 0.15 * span, "{}: {} and {}", a.key, a.median, b.median);
    }
}

/// Reads and truth tables of passes.
fn tables(folder: &Path) -> [PathBuf; 2] {
    let mut reads = String::from("scan,epc,antenna,frequency_hz,rssi_dbm,phase_rad,x_m\n");
    let mut truth = String::from("scan,epc,x_m,range_m,row,slot\n");
    for (lesson, layout) in passes(&own_radio(), 5) {
        let Scan { name, tags, reads: own } = &lesson.scan;
        for r in own {
            let (epc, x) = (&tags[r.tag as usize], r.antenna_m[0]);
            writeln!(reads, "{name},{epc},1,{},{},{},{x}", r.frequency_hz, r.rssi_dbm, r.phase_rad).unwrap();
        }
        for (t, epc) in lesson.truth.iter().zip(tags) {
            let range = layout.tags.iter().find(|(p, _)| p[0] == t.x_m).unwrap().0[1];
            writeln!(truth, "{name},{epc},{},{range},{},0", t.x_m, t.row).unwrap();
        }
    }
    let paths = ["reads.csv", "truth.csv"].map(|n| folder.join(n));
    std::fs::write(&paths[0], reads).unwrap();
    std::fs::write(&paths[1], truth).unwrap();
    paths
}

fn calibrate(bin: &Path, what: &str, arguments: &[&Path], more: &[&str]) -> Output {
    run(Command::new(bin).args(["--json", "--quiet", "calibrate", what]).args(arguments).args(more))
}

/// Learns a little from a prior: whether `learn` takes it.
fn learns(bin: &Path, kind: &str, prior: &Path, lessons: &str) {
    let learnt = run(Command::new(bin)
        .args(["--quiet", "learn", kind, "--lessons", lessons, "--steps", "2", "--prior"])
        .arg(prior)
        .arg("--out")
        .arg(prior.with_extension("weights")));
    assert!(learnt.status.success(), "{}", stderr(&learnt));
}

#[test]
fn a_prior_from_rows_can_be_learnt_from_and_made_again_to_the_byte() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let [reads, truth] = tables(dir.path());
    let prior = dir.path().join("prior.toml");
    let ran = |out: &Path| {
        let ran = calibrate(
            &bin,
            "rows",
            &[&reads, "--truth".as_ref(), &truth, "--out".as_ref(), out],
            &["--draws", "200"],
        );
        assert!(ran.status.success(), "{}", stderr(&ran));
        (std::fs::read_to_string(out).unwrap(), json(&ran))
    };
    let (text, told) = ran(&prior);
    assert!(text.contains("# From: 5 passes") && text.contains("200 radios were drawn"), "{text}");
    for f in told["findings"].as_array().unwrap() {
        for (end, sign) in [(0, 1.0), (1, -1.0)] {
            let [own, default] = ["range", "default"].map(|k| f[k][end].as_f64().unwrap());
            assert!(sign * (own - default) >= -1e-3 * default.abs(), "wider than the default: {f:#}");
        }
    }
    assert!(ran(&dir.path().join("again.toml")).0 == text, "the same command gave another prior");
    learns(&bin, "rows", &prior, "60");
}

#[test]
fn a_recorded_mission_gives_a_prior_for_faces() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let prior = dir.path().join("prior.toml");
    let aisle = Path::new(env!("CARGO_MANIFEST_DIR")).join("bags/aisle");
    let ran = calibrate(
        &bin,
        "faces",
        &[&aisle, "--out".as_ref(), &prior],
        &["--draws", "200", "--parts", "1", "--face", "1F/R01A"],
    );
    assert!(ran.status.success(), "{}", stderr(&ran));
    assert_eq!(json(&ran)["findings"].as_array().unwrap().len(), 10);
    learns(&bin, "faces", &prior, "1");
}

#[test]
fn wrong_input_is_named() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let [reads, truth] = tables(dir.path());
    let prior = dir.path().join("prior.toml");
    let other = dir.path().join("other.csv");
    std::fs::write(&other, "scan,epc,x_m,range_m,row,slot\nelsewhere,E200,0.1,0.5,0,0\n").unwrap();
    std::fs::write(&prior, "carriers_hz = []\n").unwrap();
    let out = dir.path().join("out.toml");
    let with = |truth: &Path, more: &[&str]| {
        stderr(&calibrate(&bin, "rows", &[&reads, "--truth".as_ref(), truth, "--out".as_ref(), &out], more))
    };
    assert!(with(&truth, &["--draws", "10"]).contains("expected 200 to 1000000"));
    assert!(with(&other, &[]).contains("no scan of 5 has a place"));
    let refused = with(&truth, &["--prior", prior.to_str().unwrap()]);
    assert!(refused.contains("prior.toml") && refused.contains("carriers_hz"), "{refused}");
    let aisle = Path::new(env!("CARGO_MANIFEST_DIR")).join("bags/aisle");
    let faces = calibrate(&bin, "faces", &[&aisle, "--out".as_ref(), &out], &["--face", "9F/R01A"]);
    assert!(stderr(&faces).contains("9F/R01A: the site has no such row face"), "{}", stderr(&faces));
    assert!(!out.exists());
}
