//! Pictures of the simulation and what the robots' cameras see, against goldens that any graphics driver can meet, and
//! against OpenCV.
//!
//! Needs a program with the feature `view`, named by `SHELFWRIGHT_VIEW_BIN`, and the Python peers; skips loudly without.
#![allow(missing_docs, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tests::{json as result, program, python, run, skipped, stderr};

/// The program that draws.
fn drawing() -> Option<PathBuf> {
    let path = std::env::var_os("SHELFWRIGHT_VIEW_BIN").map(PathBuf::from);
    if path.is_none() {
        skipped("SHELFWRIGHT_VIEW_BIN is not set; tests/run sets it");
    }
    path
}

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

fn peer(python: &Path, arguments: &[&str]) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("view/peer.py");
    let output = run(Command::new(python).arg(script).args(arguments));
    assert!(output.status.success(), "{}", stderr(&output));
    result(&output)
}

fn sim(bin: &Path, arguments: &[&str]) -> std::process::Output {
    run(Command::new(bin).args(["--quiet", "sim"]).args(arguments))
}

#[test]
fn pictures_in_the_documentation_are_what_the_program_draws() {
    let (Some(bin), Some(python)) = (drawing(), python()) else { return };
    let dir = tempfile::tempdir().unwrap();
    let scenario = docs("pictures.toml");
    for camera in ["overview", "aisle"] {
        let file = dir.path().join(camera).with_extension("png");
        let (scenario, path) = (scenario.to_str().unwrap(), file.to_str().unwrap());
        let output = sim(&bin, &[scenario, "--snapshot", path, "--camera", camera, "--at", "40"]);
        assert!(output.status.success(), "{}", stderr(&output));
        let golden = docs(&format!("view-{camera}.png"));
        let found = peer(&python, &["alike", path, golden.to_str().unwrap()]);
        let of = |key: &str| found[key].as_f64().unwrap();
        assert!(of("brightness") > 0.95 && of("edges") > 0.9, "{camera}: {found}");
        let (a, b) = (found["mean"][0].as_f64().unwrap(), found["mean"][1].as_f64().unwrap());
        assert!((a - b).abs() < 12.0, "{camera} is lighter or darker than it was: {found}");
    }
}

/// A robot that stands across the end of the first row, its camera at the marker there.
const AT_A_MARKER: &str = "
name = 'at-a-marker'
[[robot]]
name = 'inv_1'
start_m = [1.10, 1.76]
heading_deg = -90
[[robot.camera]]
at_m = [0.0, 0.2, 1.15]
heading_deg = 90
";

#[test]
fn opencv_reads_the_marker_where_the_calibration_says_and_the_mask_agrees() {
    let (Some(bin), Some(python)) = (drawing(), python()) else { return };
    let dir = tempfile::tempdir().unwrap();
    let (scenario, file) = (dir.path().join("marker.toml"), dir.path().join("frame.png"));
    std::fs::write(&scenario, AT_A_MARKER).unwrap();
    let (scenario, path) = (scenario.to_str().unwrap(), file.to_str().unwrap());
    let output = sim(&bin, &[scenario, "--camera-frame", path, "--at", "0.02"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let pose = json!({
        "at": [1.30, 1.76, 1.15], "heading": 0.0,
        "markers": { "0": [[2.0, 1.76, 1.2], std::f64::consts::PI, 0.12] },
    });
    let found = peer(&python, &["frame", path, &pose.to_string()]);
    let marker = &found["markers"]["0"];
    assert_eq!(marker["in_mask"], 0, "{found}");
    assert!(marker["off_px"].as_f64().is_some_and(|px| px < 1.5), "{found}");
}

#[test]
fn a_camera_before_the_shelf_sees_books_and_the_mask_names_each() {
    let (Some(bin), Some(python)) = (drawing(), python()) else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("frame.png");
    let path = file.to_str().unwrap();
    let scenario = docs("pictures.toml");
    let output = sim(&bin, &[scenario.to_str().unwrap(), "--camera-frame", path, "--at", "40"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let found = peer(&python, &["frame", path, "null"]);
    assert_eq!((&found["unnamed_colours"], &found["counts_agree"]), (&json!(0), &json!(true)), "{found}");
    assert!(
        found["books"].as_u64().unwrap() >= 50 && found["large_books"].as_u64().unwrap() >= 20,
        "{found}"
    );
    assert!(found["whole"].as_f64().unwrap() >= 0.95, "spines fall apart in the mask: {found}");
    let within = |key: &str, low: f64, high: f64| (low..high).contains(&found[key].as_f64().unwrap());
    assert!(within("mean", 60.0, 190.0) && within("contrast", 25.0, 100.0), "badly exposed: {found}");
    assert!(within("noise", 0.3, 8.0), "a sensor has noise, and a picture is more than noise: {found}");
    let golden = peer(&python, &["alike", path, docs("view-camera.png").to_str().unwrap()]);
    assert!(golden["brightness"].as_f64().unwrap() > 0.9, "{golden}");
}

#[test]
fn cameras_are_recorded_and_change_nothing_in_the_run() {
    let Some(bin) = drawing() else { return };
    let dir = tempfile::tempdir().unwrap();
    let with = "[[robot]]\n[[robot.camera]]\nrate_hz = 0.1\nwidth = 320\nheight = 240\n";
    let mut hashes = Vec::new();
    for (name, text) in [("with", with), ("without", "[[robot]]\n")] {
        let scenario = dir.path().join(name).with_extension("toml");
        std::fs::write(&scenario, format!("name = 'cameras'\n{text}")).unwrap();
        let out = dir.path().join(name);
        let arguments = ["--faces", "1F/R01A", "--out", out.to_str().unwrap(), "--json"];
        let output = sim(&bin, &[&[scenario.to_str().unwrap()], &arguments[..]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        hashes.push(result(&output)["facts"]["state_hash"].clone());
    }
    assert_eq!(hashes[0], hashes[1]);
    let bag = dir.path().join("with/bag");
    let output = run(Command::new(&bin).args(["bag", "info", bag.to_str().unwrap()]));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("/inv_1/camera_1/image") && text.contains("/inv_1/camera_1/camera_info"),
        "{text}{}",
        stderr(&output)
    );
}

#[test]
fn a_program_without_pictures_says_how_to_get_one_with_them() {
    let Some(bin) = program() else { return };
    for arguments in [&["--view"][..], &["--snapshot", "x.png", "--at", "1"]] {
        let output = sim(&bin, arguments);
        let error = stderr(&output);
        assert!(!output.status.success() && error.contains("--features view"), "{error}");
    }
}

/// A robot whose camera fails right away.
const IN_THE_DARK: &str = "
name = 'in-the-dark'
[[robot]]
name = 'inv_1'
[[robot.camera]]
width = 320
height = 240
[[fault]]
kind = 'camera_dark'
robot = 'inv_1'
at_s = 0.0
";

#[test]
fn a_camera_that_is_dark_sees_nothing_but_its_own_noise() {
    let (Some(bin), Some(python)) = (drawing(), python()) else { return };
    let dir = tempfile::tempdir().unwrap();
    let (scenario, file) = (dir.path().join("dark.toml"), dir.path().join("frame.png"));
    std::fs::write(&scenario, IN_THE_DARK).unwrap();
    let (scenario, path) = (scenario.to_str().unwrap(), file.to_str().unwrap());
    let output = sim(&bin, &[scenario, "--camera-frame", path, "--at", "0.02"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let found = peer(&python, &["frame", path, "null"]);
    let of = |key: &str| found[key].as_f64().unwrap();
    assert_eq!(found["books"], 0, "{found}");
    assert!(of("mean") < 20.0 && of("contrast") > 0.2, "{found}");
}

#[test]
fn a_camera_that_is_not_there_is_named_with_those_that_are() {
    let Some(bin) = drawing() else { return };
    let output = sim(&bin, &["--snapshot", "x.png", "--camera", "attic", "--at", "0.1"]);
    let error = stderr(&output);
    assert!(!output.status.success() && error.contains("\"attic\"") && error.contains("overview"), "{error}");
}
