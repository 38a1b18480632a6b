//! The rail: one antenna that passes tags in the open, where they really were known. What was measured there is the yardstick
//! of the radio: [`figures`] reckons a scan's errors, of real and of simulated reads alike, [`mod@simulate`] repeats a measured
//! scan in the radio, [`mod@fit`] looks for the settings that repeat them best.

pub mod draws;
pub mod figures;
pub mod fit;
pub mod simulate;

use std::collections::BTreeMap;

use domain::Scan;
use domain::tables::TruthRow;

pub use draws::{Draws, Spread};
pub use figures::{Figures, Group, NOISE_BINS, reckon};
pub use fit::{FIGURES, FREE, Free, Rig, Trial, fit, misfit, noise_rad};
pub use simulate::simulate;

/// Height of a row beside the middle one, m.
pub const ROW_M: f64 = 0.125;

/// Reads that are kept of one tag, stop and carrier.
const READS_KEPT: usize = 24;

/// One scan with the true places of its tags.
#[derive(Debug, Clone)]
pub struct RailScan {
    /// The reads.
    pub scan: Scan,
    /// Where each tag of the scan was, in its order: along the rail, away from it, above it, m.
    pub places: Vec<[f64; 3]>,
    /// From tag to tag within a row, m.
    pub pitch_m: f64,
    /// Rows of tags.
    pub rows: usize,
}

impl RailScan {
    /// Joins a scan with its truth; `None` where a tag's place is not known.
    pub fn join(mut scan: Scan, truth: &[TruthRow]) -> Option<Self> {
        // Hundreds of reads of one tag, stop and carrier say no more than some do.
        let mut reads: BTreeMap<(u32, i64, i64), usize> = BTreeMap::new();
        scan.reads.retain(|r| {
            let at = (f64::from(r.antenna_m[0]) * 1e3).round() as i64;
            let n = reads.entry((r.tag, at, r.frequency_hz as i64)).or_default();
            *n += 1;
            *n <= READS_KEPT
        });
        scan.reads.shrink_to_fit();
        let rows_of: BTreeMap<_, _> = truth.iter().map(|t| (&t.epc, t)).collect();
        let own: Vec<&TruthRow> = scan.tags.iter().map(|t| rows_of.get(t).copied()).collect::<Option<_>>()?;
        let mut names: Vec<i32> = own.iter().map(|t| t.row).collect();
        names.sort_unstable();
        names.dedup();
        // The middle row is 0; the others hang above and below it, which of them where does not matter to a distance.
        let height = |row: i32| match names.iter().filter(|n| **n != 0).position(|n| *n == row) {
            Some(n) => ROW_M * if n % 2 == 0 { 1.0 } else { -1.0 },
            None => 0.0,
        };
        let places = own.iter().map(|t| [t.x_m, t.range_m, height(t.row)]).collect();
        let mut x: Vec<f64> = own.iter().filter(|t| t.row == 0).map(|t| t.x_m).collect();
        x.sort_by(f64::total_cmp);
        let gaps: Vec<f64> = x.windows(2).map(|w| w[1] - w[0]).collect();
        Some(Self { scan, places, pitch_m: figures::median(&gaps)?, rows: names.len().max(1) })
    }

    /// Layouts that are told apart: pitch and rows.
    pub fn layout(&self) -> String {
        let cm = (100.0 * self.pitch_m).round();
        if self.rows > 1 { format!("{cm} cm, {} rows", self.rows) } else { format!("{cm} cm") }
    }

    /// Whether another scan passed the same tags in the same order and at the same distance.
    pub fn passes_the_same(&self, other: &Self) -> bool {
        let order = |s: &Self| {
            let mut tags: Vec<_> = s.scan.tags.iter().zip(&s.places).collect();
            tags.sort_by(|a, b| a.1[0].total_cmp(&b.1[0]).then(a.1[2].total_cmp(&b.1[2])));
            tags.into_iter().map(|(uid, _)| uid.clone()).collect::<Vec<_>>()
        };
        let range = |s: &Self| s.places.iter().map(|p| p[1]).sum::<f64>() / s.places.len().max(1) as f64;
        self.layout() == other.layout()
            && (range(self) - range(other)).abs() < 0.003
            && order(self) == order(other)
    }
}
