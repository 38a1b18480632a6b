//! Looks for books that lie on others in simulated passes and writes into `positioning/LYING.md` how well they are told.
//!
//! `cargo run --release -p tests --example evaluate_lying` (a minute); with a seed after it nothing is written, which is for
//! trying things out: figures that are reported come from the seed of the file.

#![allow(missing_docs, clippy::print_stdout)]

use std::fmt::Write as _;
use std::path::Path;

use positioning::{LocateSettings, locate_face};
use tests::passes::{as_the_twin, face_of};
use twin::radio::{FacePrior, face_lesson};

type AnyError = Box<dyn std::error::Error>;

/// Seed of the reported passes: nothing was chosen by it.
const REPORTED: u64 = 20_261_130;
const PASSES: u64 = 12;
const THICKNESS_M: [f64; 3] = [0.02, 0.025, 0.04];
/// Share of untidy books on these shelves, and how many lie on well-kept ones.
const UNTIDY: f64 = 0.1;
const USUAL: f64 = 1.0 / 300.0;
/// A tag that is told to be so high over its board, m, belongs to a book that lies (`domain/src/audit/findings.rs`).
const LYING_M: f64 = 0.17;

fn main() -> Result<(), AnyError> {
    let given: Option<u64> = std::env::args().nth(1).map(|s| s.parse()).transpose()?;
    let mut report = String::from(HEAD);
    for thickness in THICKNESS_M {
        let mut counts = [Count::default(); 4];
        for number in 0..PASSES {
            let prior = FacePrior { untidy: UNTIDY, ..as_the_twin(thickness, 0.09) };
            let lesson = face_lesson(&prior, given.unwrap_or(REPORTED), number)?;
            let settings = LocateSettings { aisle_m: lesson.aisle_m, ..LocateSettings::default() };
            let found = locate_face(&lesson.scan, &face_of(&lesson)?, &settings);
            for (s, truth) in found.sightings.iter().zip(&lesson.truth) {
                let Some(tier) = truth.tier else { continue };
                let told = s.tier().map_or(0, |t| usize::from(t.0) - 1);
                let high = f64::from(s.height_m) - lesson.tiers[told][0] >= LYING_M;
                let count = &mut counts[truth.kept as usize];
                count.books += 1;
                count.flagged += usize::from(high);
                count.wrong_tier += usize::from(told != tier);
            }
        }
        let [tidy, upside_down, lying, pushed] = counts;
        let (alarms, recall) = (tidy.share(), lying.share());
        let precision = USUAL * recall / (USUAL * recall + (1.0 - USUAL) * alarms).max(1e-12);
        let line = format!(
            "| {:.0} mm | {} | {:.2} | {} | {:.0} | {:.0} | {:.2} | {} | {:.0} | {} | {:.0} |",
            1e3 * thickness,
            tidy.books,
            100.0 * alarms,
            lying.books,
            100.0 * recall,
            100.0 * lying.wrong_tier as f64 / lying.books.max(1) as f64,
            precision,
            upside_down.books,
            100.0 * upside_down.share(),
            pushed.books,
            100.0 * pushed.share(),
        );
        println!("{line}");
        writeln!(report, "{line}")?;
    }
    if given.is_none() {
        let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("../positioning/LYING.md");
        std::fs::write(&out, report + FOOT).map_err(|e| format!("{}: {e}", out.display()))?;
    }
    Ok(())
}

#[derive(Clone, Copy, Default)]
struct Count {
    books: usize,
    flagged: usize,
    wrong_tier: usize,
}

impl Count {
    fn share(self) -> f64 {
        self.flagged as f64 / self.books.max(1) as f64
    }
}

const HEAD: &str = "\
# Books that lie on others

The tag of a book that lies flat on its neighbours is a hand's breadth higher than theirs, and level. Its height shows in the phases
between antennas at different heights, against the height that most tags have (`positioning/src/face/lying.rs`); `height_m` of its
sighting then says so, and the audit reports it as lying. Simulated six-tier shelves, an antenna at each tier, 0.09 m/s, one pass, one book in ten untidy in one of three ways. *flagged*: share
told as lying. *precision*: of what is flagged, where one book in 300 lies. Made by

    cargo run --release -p tests --example evaluate_lying

| mean thickness | tidy books | flagged % | lying | flagged % | on a wrong tier % | precision | upside down | flagged % | pushed back | flagged % |
|---|---|---|---|---|---|---|---|---|---|---|
";
const FOOT: &str = "
Books on their heads and books that were pushed back are not flagged. Labels sit anywhere along the lower half of a spine, so that the label of a
book on its head is often no higher than one that sits high; and 3 to 8 cm of depth change the phase less than the neighbours do.
";
