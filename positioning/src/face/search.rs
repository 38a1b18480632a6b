//! The search of one tag: how likely is each place along each candidate line, given offsets and the field of power.
//!
//! Runs over a grid of places in the inner loop, in single precision with its own sine, cosine and logarithm, so that
//! the compiler makes vector code of it: a pass asks some ten million times.

use super::field::{ELSEWHERE_DB, Field, LEVEL_DB, SCATTER_DB};
use super::hypotheses::{Hypothesis, Side};
use super::observations::Observation;

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

/// Sine and cosine of an angle in turns, error under 2e-4; for angles under some thousand turns.
#[inline(always)]
pub(crate) fn sin_cos_turns(t: f32) -> (f32, f32) {
    // Adding and taking away 1.5·2^23 rounds to the nearest integer, which SSE2 has no instruction for.
    const ROUND: f32 = 12_582_912.0;
    let r = t - ((t + ROUND) - ROUND);
    let q = ((r * 2.0 + ROUND) - ROUND) * 0.5; // nearest half turn: -0.5, 0 or 0.5
    let a = (r - q) * std::f32::consts::TAU; // within a quarter turn
    let sign = 1.0 - 4.0 * q.abs();
    let a2 = a * a;
    let s = a * (1.0 - a2 * (1.0 / 6.0 - a2 * (1.0 / 120.0 - a2 * (1.0 / 5040.0))));
    let c = 1.0 - a2 * (0.5 - a2 * (1.0 / 24.0 - a2 * (1.0 / 720.0 - a2 * (1.0 / 40320.0))));
    (sign * s, sign * c)
}

/// Base-2 logarithm of a positive number, error under 0.01.
#[inline(always)]
fn log2(v: f32) -> f32 {
    let bits = v.to_bits();
    let exponent = (bits >> 23) as i32 - 127;
    let m = f32::from_bits((bits & 0x007F_FFFF) | 0x3F80_0000);
    exponent as f32 + (-1.674_873 + m * (2.024_661 - m * 0.344_845))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_sine_cosine_and_logarithm_are_close_to_the_true_ones() {
        for i in -4000..4000 {
            let t = i as f32 * 0.013;
            let (s, c) = sin_cos_turns(t);
            let a = f64::from(t) * std::f64::consts::TAU;
            assert!((f64::from(s) - a.sin()).abs() < 5e-4, "sin {t}: {s}");
            assert!((f64::from(c) - a.cos()).abs() < 5e-4, "cos {t}: {c}");
        }
        for i in 1..3000 {
            let v = i as f32 * 0.004;
            assert!((log2(v) - v.log2()).abs() < 0.01, "{v}: {} {}", log2(v), v.log2());
        }
    }
}
