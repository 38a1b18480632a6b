//! The read zone: how often a plate reads a tag so far along the shelf from it, and so far above or below.

use super::exposure::BIN_M;

/// Reach along the shelf and in height, m.
pub(super) const REACH_X: f64 = 0.40;
pub(super) const REACH_Z: f64 = 0.45;
const BIN_Z: f64 = 0.05;
const NX: usize = (REACH_X / BIN_M + 0.5) as usize;
const NZ: usize = (REACH_Z / BIN_Z + 0.5) as usize;
/// The least rate, against the highest: reads happen where the zone has none (a tag that lies, a wrong pose).
const FLOOR: f64 = 1e-3;
/// Seconds' worth of the start zone in each bin of a learnt one.
const PRIOR_S: f64 = 0.5;

/// Rates relative to the highest, by distance in height and along the shelf (either side alike).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Zone {
    rate: Vec<f64>,
    log: Vec<f64>,
}

/// Reads and expected chances in each bin.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    reads: Vec<f64>,
    chances: Vec<f64>,
}

impl Default for Zone {
    /// What is taken before anything is learnt: a hand's breadth to either side and as much in height.
    fn default() -> Self {
        let at = |i: usize| {
            let (dz, dx) = ((i / NX) as f64 * BIN_Z, (i % NX) as f64 * BIN_M);
            (-0.5 * (dx / 0.10).powi(2) - 0.5 * (dz / 0.10).powi(2)).exp()
        };
        Self::new((0..NX * NZ).map(at).collect())
    }
}

impl Zone {
    fn new(mut rate: Vec<f64>) -> Self {
        let top = rate.iter().copied().fold(1e-12, f64::max);
        rate.iter_mut().for_each(|r| *r = (*r / top).max(FLOOR));
        let log = rate.iter().map(|r| r.ln()).collect();
        Self { rate, log }
    }

    /// Rate, and its logarithm, for a tag at a distance along and in height, m.
    pub fn at(&self, dx: f64, dz: f64) -> (f64, f64) {
        match index(dx, dz) {
            Some(i) => (self.rate[i], self.log[i]),
            None => (FLOOR, FLOOR.ln()),
        }
    }

    /// Learns from a tally, with what was known before as a weak prior.
    pub(super) fn learnt(tally: &Tally) -> Self {
        let start = Self::default();
        let total: [f64; 2] =
            [tally.reads.iter().sum(), tally.chances.iter().zip(&start.rate).map(|(c, r)| c * r).sum()];
        let scale = if total[1] > 0.0 { total[0] / total[1] } else { 1.0 };
        let raw: Vec<f64> = (0..NX * NZ)
            .map(|i| (tally.reads[i] + PRIOR_S * scale * start.rate[i]) / (tally.chances[i] + PRIOR_S))
            .collect();
        // Neighbouring bins along the shelf are nearly alike.
        let smooth = |i: usize| {
            let (row, x) = (i / NX * NX, i % NX);
            let of = |x: usize| raw[row + x.min(NX - 1)];
            // The zone is symmetric: left of the first bin lies the first bin.
            0.25 * of(x.saturating_sub(1)) + 0.5 * of(x) + 0.25 * of(x + 1)
        };
        Self::new((0..NX * NZ).map(smooth).collect())
    }
}

impl Tally {
    pub fn new() -> Self {
        Self { reads: vec![0.0; NX * NZ], chances: vec![0.0; NX * NZ] }
    }

    pub fn read(&mut self, dx: f64, dz: f64, weight: f64) {
        if let Some(i) = index(dx, dz) {
            self.reads[i] += weight;
        }
    }

    pub fn chance(&mut self, dx: f64, dz: f64, seconds: f64) {
        if let Some(i) = index(dx, dz) {
            self.chances[i] += seconds;
        }
    }
}

fn index(dx: f64, dz: f64) -> Option<usize> {
    let (x, z) = ((dx.abs() / BIN_M) as usize, (dz.abs() / BIN_Z + 0.5) as usize);
    (x < NX && z < NZ).then_some(z * NX + x)
}
