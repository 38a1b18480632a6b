//! How well `shelfwright calibrate` finds a radio again, and what a narrowed prior gains: writes `positioning/CALIBRATE.md`.
//!
//! `SHELFWRIGHT_BIN=… cargo run --release -p tests --example evaluate_calibration` (an hour on two cores; weights that an earlier
//! run made from the same prior and course in `out/calibration` are taken as they are).

#![allow(missing_docs, clippy::print_stdout)]

mod courses;
mod real;
mod recovery;
mod shelves;

use std::path::{Path, PathBuf};

type AnyError = Box<dyn std::error::Error>;

/// The program, and where what it makes is kept.
struct Bench {
    program: PathBuf,
    folder: PathBuf,
}

fn main() -> Result<(), AnyError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, weights] = &arguments[..]
        && flag == shelves::MEASURE
    {
        return shelves::measure(Path::new(weights));
    }
    let Some(program) = tests::program() else { return Err("the evaluation runs the program".into()) };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../out/calibration");
    std::fs::create_dir_all(&folder)?;
    let bench = Bench { program, folder };
    let mut report = String::from(HEAD);
    report += &recovery::rows()?;
    report += &real::report(&bench)?;
    report += &shelves::report(&bench)?;
    report += FOOT;
    std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("../positioning/CALIBRATE.md"), &report)?;
    println!("{report}");
    Ok(())
}

const HEAD: &str = include_str!("head.md");
const FOOT: &str = include_str!("foot.md");
