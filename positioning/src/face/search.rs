//! The search of one tag: how likely is each place along each candidate line, given offsets and the field of power.
//!
//! Runs over a grid of places in the inner loop, in single precision with [`crate::quick`]'s functions, so that
//! the compiler makes vector code of it: a pass asks some ten million times.

use super::field::{ANTENNA_SCATTER_DB, ELSEWHERE_DB, Field, SCATTER_DB};
use super::hypotheses::{Hypothesis, Side};
use super::observations::Observation;
use super::reach::Reach;
use crate::quick::{log2, sin_cos_turns, widest};

/// Points of a grid; a fixed number, for the compiler's sake.
pub(crate) const POINTS: usize = 32;

/// A stretch of the face, divided evenly.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grid {
    pub from: f32,
    pub step: f32,
}

impl Grid {
    pub fn around(x: f32, step: f32) -> Self {
        Self { from: x - step * (POINTS as f32 - 1.0) / 2.0, step }
    }

    pub fn at(&self, i: usize) -> f32 {
        self.from + self.step * i as f32
    }
}

/// What the likelihood rests on beside the reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Model<'a> {
    /// Offset of each antenna and carrier pair, turns.
    pub offsets: &'a [f32],
    pub field: &'a Field,
    /// 1/σ² of the phase error over the whole aperture, 1/rad²; 0 leaves the phase out.
    pub phase_precision: f32,
}

/// Log-likelihood along one candidate line, and the coherence of the phase there.
pub(crate) struct Line {
    pub log: [f32; POINTS],
    /// Resultant length of the phases over the whole aperture, 0 to 1.
    pub coherence: [f32; POINTS],
}

/// Scores one candidate line for one tag's observations. `temper` is the share of them that is independent.
pub(crate) fn score(
    observations: &[Observation],
    temper: f32,
    reach: &Reach,
    h: &Hypothesis,
    grid: Grid,
    model: &Model<'_>,
) -> Line {
    widest(
        #[inline(always)]
        || {
            let reach = match h.side {
                Side::Front => &reach.front[h.tier],
                Side::Behind | Side::Across => &reach.elsewhere,
            };
            let mut line = Line { log: *reach, coherence: [0.0; POINTS] };
            for log in &mut line.log {
                *log += h.prior;
            }
            if model.phase_precision > 0.0 {
                add_phase(&mut line, observations, temper, h, grid, model);
            }
            add_power(&mut line, observations, temper, h, grid, model);
            line
        },
    )
}

#[inline(always)]
fn add_phase(
    line: &mut Line,
    observations: &[Observation],
    temper: f32,
    h: &Hypothesis,
    grid: Grid,
    model: &Model<'_>,
) {
    let (mut re, mut im) = ([0f32; POINTS], [0f32; POINTS]);
    let mut weight = 0f32;
    for o in observations.iter().filter(|o| o.weight > 0.0) {
        let across = (o.at[1] - h.y).powi(2) + (o.at[2] - h.z).powi(2);
        let start = grid.from - o.at[0];
        let phase = o.turns - model.offsets[o.group as usize];
        weight += o.weight;
        for i in 0..POINTS {
            let dx = start + grid.step * i as f32;
            let (s, c) = sin_cos_turns((-o.per_m).mul_add(dx.mul_add(dx, across).sqrt(), phase));
            re[i] = o.weight.mul_add(c, re[i]);
            im[i] = o.weight.mul_add(s, im[i]);
        }
    }
    if weight <= 0.0 {
        return;
    }
    for i in 0..POINTS {
        let length = (re[i] * re[i] + im[i] * im[i]).sqrt();
        line.coherence[i] = length / weight;
        line.log[i] += temper * model.phase_precision * length;
    }
}

#[inline(always)]
fn add_power(
    line: &mut Line,
    observations: &[Observation],
    temper: f32,
    h: &Hypothesis,
    grid: Grid,
    model: &Model<'_>,
) {
    let half_decade = 0.5 * std::f32::consts::LOG10_2 * model.field.decay;
    // Observations come sorted by antenna. Between antennas the levels tell the height, within one the place along
    // the face; coupling bends the one less than the other.
    let (mut total, mut between, mut within) = ([0f32; POINTS], [0f32; POINTS], [0f32; POINTS]);
    let mut powers = 0f32;
    for of_antenna in observations.chunk_by(|a, b| a.antenna == b.antenna) {
        let (mut level, mut square) = ([0f32; POINTS], [0f32; POINTS]);
        let mut n = 0f32;
        for o in of_antenna.iter().filter(|o| o.rssi.is_finite()) {
            let across = (o.at[1] - h.y).powi(2) + (o.at[2] - h.z).powi(2);
            let start = grid.from - o.at[0];
            let shade = if h.side == Side::Front { model.field.shade(o.antenna, h.tier) } else { 0.0 };
            let bare = o.rssi - shade + 60.0;
            n += 1.0;
            for i in 0..POINTS {
                let dx = start + grid.step * i as f32;
                // Level that the tag would have at 1 m; small numbers, so that single precision does for the spread.
                let l = half_decade.mul_add(log2(dx.mul_add(dx, across)), bare);
                level[i] += l;
                square[i] = l.mul_add(l, square[i]);
            }
        }
        if n > 0.0 {
            powers += n;
            for i in 0..POINTS {
                total[i] += level[i];
                between[i] += level[i] * level[i] / n;
                within[i] += (square[i] - level[i] * level[i] / n).max(0.0);
            }
        }
    }
    if powers <= 0.0 {
        return;
    }
    let (usual, spread) = match h.side {
        Side::Front => (model.field.level_of(h.tier), model.field.level_std),
        Side::Behind | Side::Across => (model.field.level + ELSEWHERE_DB.0, ELSEWHERE_DB.1),
    };
    for i in 0..POINTS {
        let mean = total[i] / powers;
        let around = (between[i] - total[i] * mean).max(0.0);
        line.log[i] -= 0.5
            * temper
            * (around / (ANTENNA_SCATTER_DB * ANTENNA_SCATTER_DB) + within[i] / (SCATTER_DB * SCATTER_DB));
        if usual.is_finite() {
            let z = (mean - 60.0 - usual) / spread;
            line.log[i] -= 0.5 * z * z + spread.ln();
        }
    }
}
