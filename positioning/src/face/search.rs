//! The search of one tag: how likely is each place along each candidate line, given offsets and the field of power.
//!
//! Runs over a grid of places in the inner loop, in single precision with [`crate::quick`]'s functions, so that
//! the compiler makes vector code of it: a pass asks some ten million times.

use super::field::{ELSEWHERE_DB, Field, LEVEL_DB, SCATTER_DB};
use super::hypotheses::{Hypothesis, Side};
use super::observations::Observation;
use crate::quick::{log2, sin_cos_turns};

/// Points of a grid; a fixed number, for the compiler's sake.
pub(crate) const POINTS: usize = 64;

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
    pub field: Field,
    /// 1/σ² of the phase error, 1/rad²; 0 leaves the phase out.
    pub phase_precision: f32,
}

/// Log-likelihood along one candidate line, and the coherence of the phase there.
pub(crate) struct Line {
    pub log: [f32; POINTS],
    /// Resultant length of the phases, 0 to 1.
    pub coherence: [f32; POINTS],
}

/// Scores one candidate line for one tag's observations. `temper` is the share of them that is independent.
pub(crate) fn score(
    observations: &[Observation],
    temper: f32,
    h: &Hypothesis,
    grid: Grid,
    model: &Model<'_>,
) -> Line {
    let (mut re, mut im) = ([0f32; POINTS], [0f32; POINTS]);
    let (mut level, mut square) = ([0f32; POINTS], [0f32; POINTS]);
    let (mut weight, mut powers) = (0f32, 0f32);
    let half_decade = 0.5 * std::f32::consts::LOG10_2 * model.field.decay;
    for o in observations {
        let across = (o.at[1] - h.y).powi(2) + (o.at[2] - h.z).powi(2);
        let start = grid.from - o.at[0];
        let phase = o.turns - model.offsets[o.group as usize];
        if o.weight > 0.0 && model.phase_precision > 0.0 {
            weight += o.weight;
            for i in 0..POINTS {
                let dx = start + grid.step * i as f32;
                let (s, c) = sin_cos_turns(phase - o.per_m * (dx * dx + across).sqrt());
                re[i] += o.weight * c;
                im[i] += o.weight * s;
            }
        }
        if o.rssi.is_finite() {
            powers += 1.0;
            for i in 0..POINTS {
                let dx = start + grid.step * i as f32;
                // Level that the tag would have at 1 m; small numbers, so that single precision does for the spread.
                let l = o.rssi + 60.0 + half_decade * log2(dx * dx + across);
                level[i] += l;
                square[i] += l * l;
            }
        }
    }
    let mut line = Line { log: [h.prior; POINTS], coherence: [0.0; POINTS] };
    if weight > 0.0 {
        let gain = temper * model.phase_precision;
        for i in 0..POINTS {
            let length = (re[i] * re[i] + im[i] * im[i]).sqrt();
            line.coherence[i] = length / weight;
            line.log[i] += gain * length;
        }
    }
    if powers > 0.0 {
        let (usual, spread) = match h.side {
            Side::Front => (model.field.level, LEVEL_DB),
            Side::Behind | Side::Across => (model.field.level + ELSEWHERE_DB.0, ELSEWHERE_DB.1),
        };
        for i in 0..POINTS {
            let mean = level[i] / powers;
            let around = (square[i] - level[i] * mean).max(0.0);
            line.log[i] -= temper * around / (2.0 * SCATTER_DB * SCATTER_DB);
            if usual.is_finite() {
                let z = (mean - 60.0 - usual) / spread;
                line.log[i] -= 0.5 * z * z + spread.ln();
            }
        }
    }
    line
}
