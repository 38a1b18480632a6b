//! Row faces in the twin: calibrated on a recorded mission, tested on other shelves.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use bags::Reader;
use domain::{AuditSettings, Catalogue, Site};
use nodes::locator::LocatorNode;
use positioning::decoder::{Weights, use_face_weights};
use positioning::{LocateSettings, locate_face};
use tests::passes::{as_the_twin, face_of, places_of};
use tests::placing::{Figures, columns, processor_seconds};
use twin::calibrate::{FaceStudy, KnownFace, Provenance, Study, TagSide, narrow, prior_file};
use twin::radio::{FacePrior, face_lesson};

use crate::courses::{Course, ranges};
use crate::{AnyError, Bench, recovery};

/// Asks this program for a table of what weights reach: they are given once a process.
pub const MEASURE: &str = "--measure-faces";

const COURSE: Course = Course { kind: "faces", lessons: 60, steps: 2_000 };
/// Radios drawn, parts of faces passed with each, and radios that are looked for among the others.
const RADIOS: u64 = 600;
const PARTS: usize = 4;
const SOUGHT: usize = 100;
const SEEDS: [u64; 1] = [7];
/// Seed of the tested passes; the mission has 11, lessons 7.
const TESTED: u64 = 20_261_128;
const PASSES: u64 = 3;
const THICKNESS: [f64; 3] = [0.015, 0.025, 0.04];

pub fn report(bench: &Bench) -> Result<String, AnyError> {
    let scenario = bench.folder.join("known.toml");
    std::fs::write(&scenario, SCENARIO)?;
    let run = bench.folder.join("known");
    if !run.join("bag").exists() {
        bench.run(["sim".as_ref(), scenario.as_os_str(), "--out".as_ref(), run.as_os_str()])?;
    }
    let mut text = String::from(
        "\n## Row faces in the twin\n\nA mission along both faces of a row of three bays, six tiers, 1064 books of \
        which 24 are missing, misplaced or out of order (seed 11); nothing but the bag, the site and the catalogue is used.\n",
    );
    let prior = bench.folder.join("faces.toml");
    println!("calibrating {}", prior.display());
    let study = study(&run)?;
    // The very draws of `shelfwright calibrate faces --draws 600 --parts 5`; they serve the recovery, too.
    let draws = recovery::many(RADIOS, |n| study.draw(recovery::DRAWS, n))?;
    let found = narrow(&study, study.measured(), &draws);
    let made = Provenance {
        command: format!("shelfwright calibrate faces known --draws {RADIOS} --parts {PARTS}"),
        from: format!("{} books in {} parts of faces", study.books(), study.parts()),
        seed: recovery::DRAWS,
    };
    std::fs::write(&prior, prior_file(&study.narrowed(&found), &found, &made)?)?;
    writeln!(text, "\n{}:\n", made.from)?;
    let found = serde_json::to_value(&found)?;
    text += &ranges(&found);
    text += &against_the_twin(&found)?;
    let (sought, among) = draws.split_at(SOUGHT);
    writeln!(
        text,
        "\nRadios found again: {SOUGHT} of those {RADIOS} radios, each looked for among the other {}:\n",
        among.len()
    )?;
    text += &recovery::table(&study, among, sought)?;
    writeln!(
        text,
        "\n### What it gains\n\nTested on passes along other shelves by the twin's radio (seed {TESTED}). The same short course of {} \
        lessons and {} steps:\n\n{}",
        COURSE.lessons,
        COURSE.steps,
        columns(&[])
    )?;
    for (name, prior) in [("wide", None), ("narrowed", Some(prior.as_path()))] {
        for seed in SEEDS {
            let weights = bench.learn(COURSE, prior, name, seed)?;
            let ran = Command::new(std::env::current_exe()?).arg(MEASURE).arg(&weights).output()?;
            if !ran.status.success() {
                return Err(String::from_utf8_lossy(&ran.stderr).into_owned().into());
            }
            for line in String::from_utf8_lossy(&ran.stdout).lines() {
                writeln!(text, "{}", line.replacen("| ", &format!("| {name}, seed {seed}, "), 1))?;
            }
        }
    }
    Ok(text)
}

/// Whether the ranges hold the twin's own values.
fn against_the_twin(found: &serde_json::Value) -> Result<String, AnyError> {
    let twin = serde_json::to_value(FacePrior::of_the_twin())?;
    let mut held = Vec::new();
    let mut missed = Vec::new();
    for f in found["findings"].as_array().into_iter().flatten() {
        let key = f["key"].as_str().unwrap_or("");
        let Some(value) = twin[key][0].as_f64() else { continue };
        let end = |i: usize| f["range"][i].as_f64().unwrap_or(f64::NAN);
        let told = format!("`{key}` {value}");
        if (end(0)..=end(1)).contains(&value) { held.push(told) } else { missed.push(told) }
    }
    let missed = if missed.is_empty() { "none".to_owned() } else { missed.join(", ") };
    Ok(format!("\nThe twin's own values: in the narrowed range {}; outside {missed}.\n", held.join(", ")))
}

/// The mission's faces as `calibrate faces` has them.
fn study(run: &Path) -> Result<FaceStudy, AnyError> {
    let site = Arc::new(Site::load(&run.join("site.toml"))?);
    let catalogue = Catalogue::load(run.join("catalogue.csv"))?;
    let recording = Reader::open(run.join("bag"))?.collect::<Result<Vec<_>, _>>()?;
    let mut known = Vec::new();
    for pass in LocatorNode::passes("inv_1", site.clone(), &recording) {
        let Some((_, face)) = site.face(&pass.face) else { continue };
        let settings = AuditSettings::default();
        known.push(KnownFace::new(pass.scan, &pass.face, face, &catalogue, &settings, TagSide::Left)?);
    }
    Ok(FaceStudy::new(FacePrior::default(), &known, PARTS)?)
}

/// Prints a line a thickness.
pub fn measure(weights: &Path) -> Result<(), AnyError> {
    use_face_weights(&Weights::decode(&std::fs::read(weights)?)?)?;
    for thickness in THICKNESS {
        let prior = as_the_twin(thickness, 0.1);
        let mut figures = Figures::default();
        for number in 0..PASSES {
            let lesson = face_lesson(&prior, TESTED, number)?;
            let face = face_of(&lesson)?;
            let settings = LocateSettings { aisle_m: lesson.aisle_m, ..LocateSettings::default() };
            let started = processor_seconds();
            let found = locate_face(&lesson.scan, &face, &settings);
            figures.seconds += processor_seconds() - started;
            figures.reads += lesson.scan.reads.len() as f64;
            figures.add(&places_of(&lesson), lesson.tiers.len(), &found.sightings);
        }
        println!("{}", figures.line(&format!("{:.0} mm | 0.1", 1e3 * thickness), &[]));
    }
    Ok(())
}

const SCENARIO: &str = r#"
name = "known"
seed = 11

[library]
rows = 1
bays = 3
on_loan = 20

[errors]
missing = 8
misplaced = 8
out_of_order = 8

[[robot]]
name = "inv_1"
start_m = [0.6, 0.75]
"#;
