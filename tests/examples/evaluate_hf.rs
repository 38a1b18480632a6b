//! Locates simulated HF passes along row faces and writes the figures into `positioning/HF.md`.
//!
//! `cargo run --release -p tests --example evaluate_hf` (under a minute); with a seed after it nothing is written, which is
//! for trying things out: figures that are reported come from the seed of the file.

#![allow(missing_docs, clippy::print_stdout)]

use std::fmt::Write as _;
use std::path::Path;

use positioning::{LocateSettings, locate_face};
use tests::passes::HfPass;
use tests::placing::{Figures, columns, processor_seconds};

type AnyError = Box<dyn std::error::Error>;

/// Seed of the reported passes; nothing was chosen by it.
const REPORTED: u64 = 20_261_128;
const PASSES: u64 = 4;
/// Mean thickness, m, speed, m/s, and share of tags at the fore edge.
const CASES: [(f64, f64, f64); 7] = [
    (0.01, 0.1, 0.0),
    (0.02, 0.1, 0.0),
    (0.025, 0.1, 0.0),
    (0.04, 0.1, 0.0),
    (0.06, 0.1, 0.0),
    (0.025, 0.05, 0.0),
    (0.025, 0.1, 0.2),
];

fn main() -> Result<(), AnyError> {
    let given: Option<u64> = std::env::args().nth(1).map(|s| s.parse()).transpose()?;
    let mut report = format!("{HEAD}\n{}\n", columns(&["read %"]));
    for (thickness, speed, fore_edge) in CASES {
        let mut figures = Figures::default();
        let (mut read, mut books) = (0, 0);
        for pass in 0..PASSES {
            let pass = HfPass::drive(thickness, speed, fore_edge, given.unwrap_or(REPORTED) + pass)?;
            read += pass.scan.tags.len();
            books += pass.books;
            let started = processor_seconds();
            let found = locate_face(&pass.scan, &pass.face, &LocateSettings::default());
            figures.seconds += processor_seconds() - started;
            figures.reads += pass.scan.reads.len() as f64;
            figures.add(&pass.truth, pass.face.tiers.len(), &found.sightings);
        }
        let deep = if fore_edge > 0.0 {
            format!(", {:.0}% at the fore edge", 100.0 * fore_edge)
        } else {
            String::new()
        };
        let case = format!("{:.0} mm{deep} | {speed}", 1e3 * thickness);
        let line = figures.line(&case, &[format!("{:.1}", 100.0 * read as f64 / books as f64)]);
        println!("{line}");
        writeln!(report, "{line}")?;
    }
    if given.is_none() {
        let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("../positioning/HF.md");
        std::fs::write(&out, report).map_err(|e| format!("{}: {e}", out.display()))?;
    }
    Ok(())
}

const HEAD: &str = "\
# HF shelves

Figures of `cargo run --release -p tests --example evaluate_hf`: simulated passes along a six-tier face of 3 m with HF tags
(ISO 15693) inside the back covers, a plate of 12 × 20 cm with a reader of its own at each tier, 8 cm from the shelf's front,
0.1 m/s, the robot's place off by 3 mm (slowly changing). Nothing was chosen on these passes. What is read has neither phase
nor power; the method is told in `positioning/src/hf/mod.rs`, the radio in `twin/src/radio/hf/mod.rs`.

*read %*: share of the books that were read at all; the other figures are of those. *in 1 / 2 std*: share of errors within one and two
stated deviations (68 and 95 are right).
";
