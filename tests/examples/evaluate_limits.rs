//! Locates passes in which one thing is other than in the twin, and writes into `positioning/LIMITS.md` what the errors hang on.
//!
//! `cargo run --release -p tests --example evaluate_limits` (two minutes); with a seed after it nothing is written, which
//! is for trying things out: figures that are reported come from the seed of the file.

#![allow(missing_docs, clippy::print_stdout)]

use std::fmt::Write as _;
use std::path::Path;

use tests::passes::{as_the_twin, locate_passes};
use tests::placing::columns;
use twin::radio::FacePrior;

type AnyError = Box<dyn std::error::Error>;

/// Seed of the reported passes: no lesson has it, nothing was chosen by it.
const REPORTED: u64 = 20_261_128;
const PASSES: u64 = 6;
/// Mean thickness, m, and speed, m/s.
const BOOKS: (f64, f64) = (0.025, 0.1);

fn main() -> Result<(), AnyError> {
    let given: Option<u64> = std::env::args().nth(1).map(|s| s.parse()).transpose()?;
    let twin = as_the_twin(BOOKS.0, BOOKS.1);
    let at = |distance: f64| FacePrior { distance_m: [distance; 2], ..twin.clone() };
    let power = |dbm: f64, prior: FacePrior| FacePrior { power_dbm: [dbm; 2], ..prior };
    let reflections = |gain: f64, prior: FacePrior| FacePrior { scatter_gain: [gain; 2], ..prior };
    let coupling = |factor: f64| FacePrior { coupling: [factor; 2], ..twin.clone() };
    let cases = [
        ("the twin as it is", twin.clone()),
        ("reflections half as strong", reflections(0.11, twin.clone())),
        ("no reflections", reflections(0.0, twin.clone())),
        ("coupling half as strong", coupling(0.5)),
        ("no coupling", coupling(0.0)),
        ("neither", reflections(0.0, coupling(0.0))),
        ("all chips alike", FacePrior { load_spread: [0.0; 2], ..twin.clone() }),
        ("antennas 0.55 m away (0.45 m above)", at(0.55)),
        ("0.40 m", at(0.40)),
        ("0.35 m", at(0.35)),
        ("0.30 m", at(0.30)),
        ("0.25 m", at(0.25)),
        ("0.30 m, 22.5 dBm (24 dBm above)", power(22.5, at(0.30))),
        ("0.30 m, 20 dBm", power(20.0, at(0.30))),
        ("0.45 m, 26 dBm", power(26.0, twin.clone())),
        ("a narrower beam (cos² for cos^1.2)", FacePrior { beam_exponent: [1.0; 2], ..twin.clone() }),
    ];
    let head = columns(&[]).replace("mean thickness", "changed");
    let mut report = format!("{HEAD}\n{head}\n");
    // The same shelves, books, chips and robot for each prior, as far as it leaves them alone.
    for (name, prior) in cases {
        let line = locate_passes(&prior, PASSES, given.unwrap_or(REPORTED), true)?
            .line(&format!("{name} | {}", BOOKS.1), &[]);
        println!("{line}");
        writeln!(report, "{line}")?;
    }
    if given.is_none() {
        let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("../positioning/LIMITS.md");
        std::fs::write(&out, report).map_err(|e| format!("{}: {e}", out.display()))?;
    }
    Ok(())
}

const HEAD: &str = "\
# What the errors hang on

The same simulated passes along six-tier shelves of books of 25 mm, one thing changed at a time. What can be changed in a library are
the last lines: how near the antennas pass, how loud they call and how wide they look. The decoder's lessons hold antennas 0.35 to 0.60 m away,
22.5 to 25.5 dBm, and always some coupling and reflections: what lies beyond is strange to it, and one that was taught so might do better. Made by

    cargo run --release -p tests --example evaluate_limits
";
