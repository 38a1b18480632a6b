//! What is said of each tag in the end: place, deviation, tier and side with their probabilities.

use std::f64::consts::TAU;

use super::hypotheses::{Hypothesis, Side};
use super::pass::{Pass, State};
use super::reach::Reach;
use super::search::{Grid, Line, score};

/// Step of the last grid along the face, m: it reaches ±0.25 m from the place that the rounds found.
const STEP: f32 = 0.016;
/// Places this much less likely than the best (natural logarithm) do not count.
const HOPELESS: f32 = 12.0;
/// Tier probabilities are taken to the power of one over this: measured on simulated shelves, so that of the books
/// given 90% on a tier nine in ten stand there.
const EVEN_TIERS: f64 = 2.0;
/// Coupling that bends a profile by so many radians moves the tag by this many times the distance which that phase
/// makes at the flank of the profile: the part that looks like a shift (simulated shelves, 22 mm books).
const SWALLOWED: f64 = 4.0;
/// Observations' worth of the pass's mean phase error in a tag's own.
const ERROR_PRIOR: f64 = 10.0;
/// Independent error of the robot's own place along the face, m.
const POSE_STD: f64 = 0.005;

/// What is known of one tag in the end; lengths in m, face coordinates.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub x: f64,
    pub x_std: f64,
    /// NaN without reads, like `range`.
    pub z: f64,
    /// Distance to the nearest antenna as it passed.
    pub range: f64,
    /// Index of the most probable tier.
    pub tier: usize,
    /// Probability of each tier.
    pub tiers: Vec<f64>,
    /// Probability that the tag is on the face at all.
    pub front: f64,
    /// Probability that its book lies on others.
    pub lying: f64,
}

impl Pass<'_> {
    /// One answer for each tag.
    pub fn answers(&self) -> Vec<Answer> {
        let (mut sum, mut n) = (0.0, 0.0);
        for (tag, state) in self.states.iter().enumerate().filter(|(_, s)| s.place.trust > 0.0) {
            let weight = self.observations.of(tag).len() as f64;
            sum += weight * phase_error(state);
            n += weight;
        }
        let usual = if n > 0.0 { sum / n } else { self.expected_error };
        (0..self.states.len()).map(|t| self.answer(t, usual)).collect()
    }

    fn answer(&self, tag: usize, usual_error: f64) -> Answer {
        let state = &self.states[tag];
        let observations = self.observations.of(tag);
        // A profile cut short may belong to places far apart.
        let step = if self.driven.is_some() { 2.0 * STEP } else { STEP };
        let grid = Grid::around(state.place.at[0], step);
        let model = self.model(1.0);
        let reach = Reach::of(observations, &state.counts, model.field, grid, self.way());
        let lines: Vec<(&Hypothesis, Line)> = self
            .candidates
            .iter()
            .zip(&state.alive)
            .filter(|(_, alive)| **alive && !observations.is_empty())
            .map(|(h, _)| (h, score(observations, self.observations.temper[tag], &reach, h, grid, &model)))
            .collect();
        if lines.is_empty() {
            return self.unknown(state);
        }
        let top = lines.iter().flat_map(|(_, l)| l.log).fold(f32::NEG_INFINITY, f32::max);
        let mass = |keep: &dyn Fn(&Hypothesis) -> bool| -> f64 {
            lines
                .iter()
                .filter(|(h, _)| keep(h))
                .flat_map(|(_, l)| l.log)
                .filter(|v| *v > top - HOPELESS)
                .map(|v| f64::from(v - top).exp())
                .sum()
        };
        let sides = [Side::Front, Side::Behind, Side::Across].map(|s| (s, mass(&|h| h.side == s)));
        let all: f64 = sides.iter().map(|s| s.1).sum();
        let mut side = sides[0];
        for s in &sides[1..] {
            if s.1 > side.1 {
                side = *s;
            }
        }
        // The tiers under the likeliest side, evened: coupling misleads all reads of a tag together.
        let tiers = self.face.tiers.len();
        let share = |t| mass(&|h| h.side == side.0 && h.tier == t) / all + 1e-6;
        let mut by_tier: Vec<f64> = (0..tiers).map(|t| share(t).powf(1.0 / EVEN_TIERS)).collect();
        let sum: f64 = by_tier.iter().sum();
        by_tier.iter_mut().for_each(|p| *p /= sum);
        let tier = (0..tiers).max_by(|&a, &b| by_tier[a].total_cmp(&by_tier[b]).then(b.cmp(&a))).unwrap_or(0);

        let here: Vec<_> = lines.iter().filter(|(h, _)| h.side == side.0 && h.tier == tier).collect();
        let peak = here.iter().flat_map(|(_, l)| l.log).fold(f32::NEG_INFINITY, f32::max);
        let (mut m, mut x, mut x2, mut y, mut z) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (h, line) in here {
            for (i, v) in line.log.iter().enumerate() {
                let (w, at) = (f64::from(v - peak).exp(), f64::from(grid.at(i)));
                m += w;
                x += w * at;
                x2 += w * at * at;
                y += w * f64::from(h.y);
                z += w * f64::from(h.z);
            }
        }
        // The peak itself weighs 1, so `m` is not 0.
        let (x, y, z) = (x / m, y / m, z / m);
        let spread = (x2 / m - x * x).max(0.0);
        let variance = spread + self.coupling_variance(tag, [x, y, z], usual_error) + POSE_STD * POSE_STD;
        let range = observations
            .iter()
            .map(|o| (f64::from(o.at[1]) - y).hypot(f64::from(o.at[2]) - z))
            .fold(f64::INFINITY, f64::min);
        Answer {
            x,
            x_std: variance.sqrt(),
            z,
            range,
            tier,
            tiers: by_tier,
            front: sides[0].1 / all,
            lying: 0.0,
        }
    }

    /// A tag without usable reads.
    fn unknown(&self, state: &State) -> Answer {
        let tiers = self.face.tiers.len();
        Answer {
            x: state.start_x.map_or(self.face.length_m / 2.0, f64::from),
            x_std: self.face.length_m.max(0.1),
            z: f64::NAN,
            range: f64::NAN,
            tier: 0,
            tiers: vec![1.0 / tiers.max(1) as f64; tiers],
            front: 0.5,
            lying: 0.0,
        }
    }

    /// Variance of x from the part of the coupling that looks like a shift, m².
    fn coupling_variance(&self, tag: usize, place: [f64; 3], usual_error: f64) -> f64 {
        let observations = self.observations.of(tag);
        let n = observations.len() as f64;
        let error = (n * phase_error(&self.states[tag]) + ERROR_PRIOR * usual_error) / (n + ERROR_PRIOR);
        let steepest = observations.iter().map(|o| TAU * f64::from(o.per_m)).fold(1.0, f64::max);
        let flank: f64 = observations
            .iter()
            .map(|o| {
                let d: [f64; 3] = std::array::from_fn(|i| f64::from(o.at[i]) - place[i]);
                let range = (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt().max(1e-3);
                (TAU * f64::from(o.per_m) * d[0] / range).powi(2)
            })
            .sum::<f64>()
            / n;
        // A tag seen from its perpendicular alone has no flank: a tenth of the steepest slope is the least.
        SWALLOWED * SWALLOWED * error / flank.max(0.01 * steepest * steepest)
    }
}

/// Square of a tag's phase error, rad², from the coherence that its place left.
fn phase_error(state: &State) -> f64 {
    -2.0 * f64::from(state.coherence).clamp(0.05, 1.0).ln()
}
