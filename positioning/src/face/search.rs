//! The search of one tag: how likely is each place along each candidate line, given offsets and the field of power.
//!
//! Runs over a grid of places in the inner loop, in single precision with [`crate::quick`]'s functions, so that
//! the compiler makes vector code of it: a pass asks some ten million times.

use super::field::{ANTENNA_SCATTER_DB, ELSEWHERE_DB, Field, SCATTER_DB};
use super::hypotheses::{Hypothesis, Side};
use super::observations::Observation;
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

/// Log-probability of a tag's numbers of observations by antenna and in all: on each tier of the face, and elsewhere.
pub(crate) struct Shares {
    front: Vec<f32>,
    elsewhere: f32,
}

impl Shares {
    /// Of a tag with so many observations by antenna.
    pub fn of(counts: &[u32], tiers: usize, field: &Field) -> Self {
        let all = counts.iter().sum::<u32>() as usize;
        Self {
            front: (0..tiers).map(|t| field.shares(counts, t) + field.count(all, Some(t))).collect(),
            elsewhere: field.even_shares(counts) + field.count(all, None),
        }
    }
}

/// Scores one candidate line for one tag's observations. `temper` is the share of them that is independent.
pub(crate) fn score(
    observations: &[Observation],
    temper: f32,
    shares: &Shares,
    h: &Hypothesis,
    grid: Grid,
    model: &Model<'_>,
) -> Line {
    widest(
        #[inline(always)]
        || {
            let shares = match h.side {
                Side::Front => shares.front[h.tier],
                Side::Behind | Side::Across => shares.elsewhere,
            };
            let mut line = Line { log: [h.prior + shares; POINTS], coherence: [0.0; POINTS] };
            if model.phase_precision > 0.0 {
                add_phase(&mut line, observations, temper, h, grid, model);
            }
            add_power(&mut line, observations, temper, h, grid, model);
            add_reach(&mut line, observations, h, grid);
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

/// How far a tag may be from the middle of the places that it was read from, m: what is the same for all of its reads
/// (coupling), and what each has for itself. A tag is read while an antenna is near; one that would have been read only
/// from afar, and not when the antenna came close, is not there.
const REACH_FRONT: (f32, f32) = (0.22, 0.40);
const REACH_ELSEWHERE: (f32, f32) = (0.35, 0.60);

#[inline(always)]
fn add_reach(line: &mut Line, observations: &[Observation], h: &Hypothesis, grid: Grid) {
    let n = observations.len() as f32;
    if observations.is_empty() {
        return;
    }
    let middle = observations.iter().map(|o| o.at[0]).sum::<f32>() / n;
    let (common, each) = match h.side {
        Side::Front => REACH_FRONT,
        Side::Behind | Side::Across => REACH_ELSEWHERE,
    };
    let std = (common * common + each * each / n).sqrt();
    for (i, log) in line.log.iter_mut().enumerate() {
        let z = (grid.at(i) - middle) / std;
        *log -= 0.5 * z * z + std.ln();
    }
}
