//! Bad input is refused with one clear error that names file, place, what was found and what is allowed.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::Path;
use std::process::Command;

use tests::{program, run, stderr};

/// Runs the program on a malformed file; the one error must hold every word given, and exit with 3.
fn refused(bin: &Path, args: &[&str], file: &Path, words: &[&str]) {
    let output = run(Command::new(bin).args(args).arg(file));
    let error = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{args:?} {}: {error}", file.display());
    assert!(!error.contains("panicked"), "{error}");
    for word in words.iter().copied().chain([file.file_name().unwrap().to_str().unwrap()]) {
        assert!(error.contains(word), "{word:?} is not in: {error}");
    }
}

const GOOD_FACE: &str = "name = \"x\"\n[[floor]]\nid = \"1F\"\n[[floor.face]]\nid = \"R01A\"\norigin_m = [0, 0]\n\
                         heading_deg = 0\nbays = 5\nbay_width_m = 0.9\ndepth_m = 0.25\n\
                         tier = [{ board_m = 0.1, clear_m = 0.3 }]\n";

#[test]
fn a_malformed_site_names_line_key_and_what_is_allowed() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let site = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let check = ["site", "check"];
    refused(&bin, &check, &site("syntax.toml", "name = \"x\"\nfloor = [\n"), &["2"]);
    refused(&bin, &check, &site("bays.toml", &GOOD_FACE.replace("bays = 5", "bays = -5")), &["8", "bays"]);
    refused(&bin, &check, &site("face.toml", &GOOD_FACE.replace("R01A", "R01C")), &["R01C"]);
    refused(&bin, &check, &site("width.toml", &GOOD_FACE.replace("0.9", "nan")), &["bay_width_m"]);
    refused(&bin, &check, &site("key.toml", &GOOD_FACE.replace("depth_m", "deepness")), &["deepness"]);
    refused(&bin, &check, &dir.path().join("none.toml"), &[]);
    let good = site("good.toml", GOOD_FACE);
    assert!(run(Command::new(&bin).args(check).arg(good)).status.success());
}

#[test]
fn a_malformed_reads_table_names_row_and_column() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let reads = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let head = "scan,epc,antenna,frequency_hz,rssi_dbm,phase_rad,x_m\n";
    refused(&bin, &["locate"], &reads("column.csv", "scan,epc\na,00\n"), &["antenna"]);
    let text = format!("{head}a,00AA,1,922e6,-50,1.0,0.1\na,00AA,one,922e6,-50,1.0,0.1\n");
    refused(&bin, &["locate"], &reads("number.csv", &text), &["3", "antenna", "one"]);
    let text = format!("{head}a,00AG,1,922e6,-50,1.0,0.1\n");
    refused(&bin, &["locate"], &reads("hex.csv", &text), &["2", "epc", "00AG"]);
    refused(&bin, &["locate"], &reads("parquet.parquet", "PAR1 is not all of it"), &[]);
    refused(&bin, &["locate"], &reads("bag.mcap", "no bag"), &[]);
}

#[test]
fn odd_reads_are_counted_and_the_good_ones_are_still_located() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("odd.csv");
    let mut text = String::from("scan,epc,antenna,frequency_hz,rssi_dbm,phase_rad,x_m\n");
    for i in 0..100 {
        let x = f64::from(i) * 0.01;
        let d = ((x - 0.5f64).powi(2) + 0.36).sqrt();
        let phase =
            (4.0 * std::f64::consts::PI * 922.375e6 / 299_792_458.0 * d).rem_euclid(std::f64::consts::TAU);
        text += &format!("a,00AA,1,922375000,-50,{phase:.4},{x:.3}\n");
    }
    text += "a,00AA,1,0,-50,1.0,0.1\na,00AA,1,922375000,-50,99,0.1\na,00AA,1,922375000,-50,1.0,NaN\n";
    fs::write(&path, text).unwrap();
    let output = run(Command::new(&bin).args(["locate", "--json"]).arg(&path));
    assert!(output.status.success(), "{}", stderr(&output));
    let result = tests::json(&output);
    let x = result["positions"][0]["x_m"].as_f64().unwrap();
    assert!((x - 0.5).abs() < 0.01, "{result:#}");
    assert_eq!(result["problems"]["total"], 3, "{result:#}");
}
