//! What the face decoder sees: windows of neighbouring tags of a tier, each tag a token.
//!
//! A moving robot reads a tag at irregular places, on hopping carriers and by several antennas. With the offsets of
//! antennas and carriers known, all reads of a tag make one phase profile: residuals against its place are averaged as
//! phasors around each point of a grid of antenna places, and unwrapped from where they are surest. Power stays apart by
//! antenna, nearest in height first, since it tells the tier.

use std::f64::consts::TAU;

use super::answer::Answer;
use super::hypotheses::{TAG_Y, TAG_Z};
use super::observations::Observation;
use super::pass::Pass;
use crate::decoder::FaceWindow;

/// Points of the grid of antenna places, and of the coarser one for farther antennas.
const GRID: usize = 24;
const COARSE: usize = 12;
/// Steps of the two, m.
const STEP_M: f64 = 0.04;
const COARSE_M: f64 = 0.08;
/// Reads around a grid point count by a Gaussian of this standard deviation, m.
const BLUR_M: f64 = 0.025;
/// Antennas that a token has power profiles of: the one nearest in height, the next below, the next above.
const SLOTS: usize = 3;
/// Single numbers at the end of a token.
const SINGLE: usize = 3 * SLOTS + 12;
/// Numbers of a token.
pub(crate) const FACE_INPUTS: usize = 4 * GRID + (SLOTS - 1) * 2 * COARSE + SINGLE;
/// Windows along a tier are so far apart, m, and reach this far to either side of their middle.
const EVERY_M: f64 = 0.2;
const HALF_M: f64 = 0.32;
/// Most tags of a window, the nearest to its middle.
const MOST_TAGS: usize = 64;
/// Radians a metre of range that profiles are brought to.
const K0: f64 = TAU * 2.0 * 922.375e6 / 299_792_458.0;

/// Place of what is in a token: for training, which varies its lessons.
#[derive(Debug, Clone, Copy, Default)]
pub struct FaceLayout(());

impl FaceLayout {
    /// Numbers of a token.
    pub fn inputs(&self) -> usize {
        FACE_INPUTS
    }

    /// Lengths of the profiles that a token begins with; the first is phase, the third power.
    pub fn profiles(&self) -> [usize; 4 + 2 * (SLOTS - 1)] {
        [GRID, GRID, GRID, GRID, COARSE, COARSE, COARSE, COARSE]
    }

    /// Turns a token as if the face ran the other way.
    pub fn mirror(&self, token: &mut [f32]) {
        let mut rest = token;
        for n in self.profiles() {
            let (mine, after) = rest.split_at_mut(n);
            mine.reverse();
            rest = after;
        }
        rest[0] = -rest[0];
    }
}

/// One tag on the grids.
struct Gridded {
    phase: [f64; GRID],
    sure: [f64; GRID],
    power: [f64; GRID],
    read: [f64; GRID],
    /// Power and reads of the farther antennas.
    far: [[[f64; COARSE]; 2]; SLOTS - 1],
    /// Mean RSSI and logarithm of reads by slot, height of its antenna over the tag.
    level: [f64; SLOTS],
    count: [f64; SLOTS],
    above: [f64; SLOTS],
    strongest: f64,
    reads: f64,
}

impl Pass<'_> {
    /// Windows over all tiers, for tags placed as `answers` say.
    pub fn windows(&self, answers: &[Answer]) -> Vec<FaceWindow> {
        let heights = self.antenna_heights();
        let mut out = Vec::new();
        for tier in 0..self.face.tiers.len() {
            let mut tags: Vec<usize> = (0..answers.len())
                .filter(|&t| answers[t].tier == tier && answers[t].x.is_finite() && answers[t].range.is_finite())
                .collect();
            tags.sort_by(|&a, &b| answers[a].x.total_cmp(&answers[b].x).then(a.cmp(&b)));
            let count = (self.face.length_m / EVERY_M).ceil().clamp(1.0, 10_000.0) as usize;
            for w in 0..count {
                let middle = (w as f64 + 0.5) * EVERY_M;
                let home = |t: usize| {
                    ((answers[t].x / EVERY_M).floor().clamp(0.0, count as f64 - 1.0)) as usize == w
                };
                let mut near: Vec<usize> = tags
                    .iter()
                    .copied()
                    .filter(|&t| (answers[t].x - middle).abs() <= HALF_M || home(t))
                    .collect();
                if !near.iter().any(|&t| home(t)) {
                    continue;
                }
                let far = |t: usize| (answers[t].x - middle).abs();
                near.sort_by(|&a, &b| far(a).total_cmp(&far(b)).then(a.cmp(&b)));
                near.truncate(MOST_TAGS);
                out.push(FaceWindow {
                    tier,
                    start_m: near.iter().map(|&t| answers[t].x).collect(),
                    home: near.iter().map(|&t| home(t)).collect(),
                    tokens: self.tokens(&near, answers, tier, middle, &heights),
                    tags: near,
                });
            }
        }
        out
    }

    /// Mean height and distance from the face of each antenna over its reads, m.
    fn antenna_heights(&self) -> Vec<[f64; 2]> {
        let mut sums = vec![[0.0; 3]; self.observations.antennas];
        for o in &self.observations.all {
            let s = &mut sums[o.antenna as usize];
            *s = [s[0] + f64::from(o.at[2]), s[1] + f64::from(o.at[1]), s[2] + 1.0];
        }
        sums.iter().map(|s| [s[0] / s[2].max(1.0), s[1] / s[2].max(1.0)]).collect()
    }

    fn tokens(
        &self,
        near: &[usize],
        answers: &[Answer],
        tier: usize,
        middle: f64,
        heights: &[[f64; 2]],
    ) -> Vec<f32> {
        let height = self.face.tiers[tier].board_m + TAG_Z[1];
        let slots = slots(heights, height);
        let out_m = slots[0].map_or(0.5, |a| heights[a][1]) - TAG_Y;
        let gridded: Vec<Gridded> =
            near.iter().map(|&t| self.grid(t, answers[t].x, height, middle, out_m, &slots, heights)).collect();
        let weights: Vec<f64> = near.iter().map(|&t| answers[t].front.max(0.02)).collect();
        let total: f64 = weights.iter().sum();
        let mean = |of: &dyn Fn(&Gridded) -> f64| -> f64 {
            gridded.iter().zip(&weights).map(|(g, w)| w * of(g)).sum::<f64>() / total
        };
        let phase: [f64; GRID] = std::array::from_fn(|i| mean(&|g| g.phase[i]));
        let power: [f64; GRID] = std::array::from_fn(|i| mean(&|g| g.power[i]));
        let read: [f64; GRID] = std::array::from_fn(|i| mean(&|g| g.read[i]));
        let far: [[[f64; COARSE]; 2]; SLOTS - 1] =
            std::array::from_fn(|s| std::array::from_fn(|k| std::array::from_fn(|i| mean(&|g| g.far[s][k][i]))));
        let level: [f64; SLOTS] = std::array::from_fn(|s| mean(&|g| g.level[s]));
        let count: [f64; SLOTS] = std::array::from_fn(|s| mean(&|g| g.count[s]));
        let (strongest, reads) = (mean(&|g| g.strongest), mean(&|g| g.reads));
        let mut out = Vec::with_capacity(near.len() * FACE_INPUTS);
        for (&t, g) in near.iter().zip(&gridded) {
            let answer = &answers[t];
            let mut push = |v: f64| out.push(v.clamp(-20.0, 20.0) as f32);
            (0..GRID).for_each(|i| push((g.phase[i] - phase[i]) / 2.0));
            (0..GRID).for_each(|i| push(g.sure[i]));
            (0..GRID).for_each(|i| push((g.power[i] - power[i]) / 5.0));
            (0..GRID).for_each(|i| push(g.read[i] - read[i]));
            for s in 0..SLOTS - 1 {
                (0..COARSE).for_each(|i| push((g.far[s][0][i] - far[s][0][i]) / 5.0));
                (0..COARSE).for_each(|i| push(g.far[s][1][i] - far[s][1][i]));
            }
            push((answer.x - middle) / 0.2);
            (0..SLOTS).for_each(|s| push((g.level[s] - level[s]) / 5.0));
            (0..SLOTS).for_each(|s| push(g.count[s] - count[s]));
            (0..SLOTS).for_each(|s| push(g.above[s] / 0.3));
            let ln = |tier: Option<usize>| {
                tier.and_then(|t| answer.tiers.get(t)).map_or(-4.0, |p| p.max(1e-4).ln() / 2.0)
            };
            push(ln(tier.checked_sub(1)));
            push(ln(Some(tier)));
            push(ln(Some(tier + 1)));
            push((answer.front.clamp(1e-4, 1.0 - 1e-4) / (1.0 - answer.front.clamp(1e-4, 1.0 - 1e-4))).ln() / 3.0);
            push(answer.x_std / 0.05);
            push(f64::from(self.states[t].coherence));
            push((g.strongest - strongest) / 5.0);
            push(g.reads - reads);
            push((reads - 3.0) / 2.0);
            push(near.len() as f64 / 20.0);
            push((out_m - 0.45) / 0.1);
        }
        out
    }

    fn grid(
        &self,
        tag: usize,
        x: f64,
        height: f64,
        middle: f64,
        out_m: f64,
        slots: &[Option<usize>; SLOTS],
        heights: &[[f64; 2]],
    ) -> Gridded {
        let observations = self.observations.of(tag);
        let slot = |o: &Observation| slots.iter().position(|s| *s == Some(o.antenna as usize));
        let mut g = Gridded {
            phase: [0.0; GRID],
            sure: [0.0; GRID],
            power: [0.0; GRID],
            read: [0.0; GRID],
            far: [[[0.0; COARSE]; 2]; SLOTS - 1],
            level: [0.0; SLOTS],
            count: [0.0; SLOTS],
            above: std::array::from_fn(|s| slots[s].map_or(0.0, |a| heights[a][0] - height)),
            strongest: observations
                .iter()
                .map(|o| f64::from(o.rssi))
                .filter(|r| r.is_finite())
                .fold(-90.0, f64::max),
            reads: (observations.len() as f64).ln_1p(),
        };
        let mut phasors = [num_complex::Complex64::ZERO; GRID];
        let mut weight = [0.0f64; GRID];
        let mut powers = [(0.0f64, 0.0f64); GRID];
        let mut far = [[(0.0f64, 0.0f64); COARSE]; SLOTS - 1];
        let mut sums = [(0.0f64, 0.0f64); SLOTS];
        for o in observations {
            let here = f64::from(o.at[0]);
            let r = TAU * self.residual_turns(o, [x, TAG_Y, height]);
            let e = num_complex::Complex64::cis(r) * f64::from(o.weight);
            let s = slot(o);
            let rssi = f64::from(o.rssi);
            if let Some(s) = s.filter(|_| rssi.is_finite()) {
                sums[s].0 += rssi;
                sums[s].1 += 1.0;
            }
            near_points(here, middle, GRID, STEP_M, BLUR_M, |i, w| {
                phasors[i] += w * e;
                weight[i] += w * f64::from(o.weight);
                if s == Some(0) && rssi.is_finite() {
                    powers[i].0 += w * rssi;
                    powers[i].1 += w;
                }
            });
            if let Some(s) = s.filter(|s| *s > 0 && rssi.is_finite()) {
                near_points(here, middle, COARSE, COARSE_M, 1.6 * BLUR_M, |i, w| {
                    far[s - 1][i].0 += w * rssi;
                    far[s - 1][i].1 += w;
                });
            }
        }
        for s in 0..SLOTS {
            let (sum, n) = sums[s];
            g.count[s] = n.ln_1p();
            // A slot without reads is weak, not unknown.
            g.level[s] = if n > 0.0 { sum / n } else { -80.0 };
        }
        let smooth = |(sum, n): (f64, f64), s: usize| {
            (sum + 0.3 * (g.level[s] - UNREAD_DB)) / (n + 0.3) - g.level[s]
        };
        for i in 0..GRID {
            g.power[i] = smooth(powers[i], 0);
            g.read[i] = powers[i].1.ln_1p();
            g.sure[i] = phasors[i].norm() / (weight[i] + 0.3);
        }
        for s in 1..SLOTS {
            for i in 0..COARSE {
                g.far[s - 1][0][i] = smooth(far[s - 1][i], s);
                g.far[s - 1][1][i] = far[s - 1][i].1.ln_1p();
            }
        }
        let residual = unwrap(&phasors);
        for i in 0..GRID {
            let at = middle + (i as f64 - (GRID as f64 - 1.0) / 2.0) * STEP_M;
            g.phase[i] = K0 * (at - x).hypot(out_m) + residual[i];
        }
        let mean = g.phase.iter().sum::<f64>() / GRID as f64;
        g.phase.iter_mut().for_each(|v| *v -= mean);
        g
    }
}

/// RSSI that an unread place gets below the mean of the antenna's reads of the tag, dB.
const UNREAD_DB: f64 = 4.0;

/// Calls for each grid point around a place with its weight.
fn near_points(x: f64, middle: f64, points: usize, step: f64, blur: f64, mut each: impl FnMut(usize, f64)) {
    let place = (x - middle) / step + (points as f64 - 1.0) / 2.0;
    let reach = 2.5 * blur / step;
    let first = (place - reach).ceil().max(0.0);
    let last = (place + reach).floor().min(points as f64 - 1.0);
    let mut i = first;
    while i <= last {
        let far = (i - place) * step / blur;
        each(i as usize, (-0.5 * far * far).exp());
        i += 1.0;
    }
}

/// Phases of the phasors, unwrapped from the surest outwards; a point without reads takes its neighbour's.
fn unwrap(phasors: &[num_complex::Complex64; GRID]) -> [f64; GRID] {
    let mut r = [0.0; GRID];
    let start = (0..GRID).max_by(|&a, &b| phasors[a].norm().total_cmp(&phasors[b].norm())).unwrap_or(0);
    r[start] = phasors[start].arg();
    let mut follow = |i: usize, near: &mut f64| {
        if phasors[i].norm() > 0.05 {
            let a = phasors[i].arg();
            r[i] = *near + (a - *near) - TAU * ((a - *near) / TAU).round();
            *near += 0.7 * (r[i] - *near);
        } else {
            r[i] = *near;
        }
    };
    let (mut left, mut right) = (phasors[start].arg(), phasors[start].arg());
    (0..start).rev().for_each(|i| follow(i, &mut left));
    (start + 1..GRID).for_each(|i| follow(i, &mut right));
    r
}

/// Antennas by height around a tier: the nearest, the next below it, the next above it.
fn slots(heights: &[[f64; 2]], height: f64) -> [Option<usize>; SLOTS] {
    let near = (0..heights.len())
        .min_by(|&a, &b| (heights[a][0] - height).abs().total_cmp(&(heights[b][0] - height).abs()));
    let Some(near) = near else { return [None; SLOTS] };
    let own = heights[near][0];
    let below = (0..heights.len())
        .filter(|&a| heights[a][0] < own - 0.02)
        .max_by(|&a, &b| heights[a][0].total_cmp(&heights[b][0]));
    let above = (0..heights.len())
        .filter(|&a| heights[a][0] > own + 0.02)
        .min_by(|&a, &b| heights[a][0].total_cmp(&heights[b][0]));
    [Some(near), below, above]
}
