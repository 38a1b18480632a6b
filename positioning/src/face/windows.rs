//! What the face decoder sees: windows of neighbouring tags of a tier, each tag a token.
//!
//! What a tag's own profiles have in common with the window's is taken out: it says nothing about order.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use super::answer::Answer;
use super::gridded::{COARSE, GRID, Gridded, SLOTS, Turned, View};
use super::hypotheses::TAG_Z;
use super::pass::Pass;
use crate::decoder::FaceWindow;

/// Wavelengths of a tag's place in its token, m: by their products attention finds neighbours at a distance.
const WAVES_M: [f64; 5] = [0.04, 0.08, 0.16, 0.32, 0.64];
/// Single numbers at the end of a token.
const SINGLE: usize = 2 * WAVES_M.len() + 3 * SLOTS + 13;
/// Numbers of a token.
pub(crate) const FACE_INPUTS: usize = 2 * SLOTS * GRID + 2 * GRID + (SLOTS - 1) * 2 * COARSE + SINGLE;
/// Windows along a tier are so far apart, m, and reach this far to either side of their middle.
const EVERY_M: f64 = 0.2;
const HALF_M: f64 = 0.32;
/// Most tags of a window, the nearest to its middle.
const MOST_TAGS: usize = 64;
/// Place of what is in a token: for training, which varies its lessons.
#[derive(Debug, Clone, Copy, Default)]
pub struct FaceLayout(());

impl FaceLayout {
    /// Numbers of a token.
    pub fn inputs(&self) -> usize {
        FACE_INPUTS
    }

    /// Lengths of the profiles that a token begins with: phase of each antenna, how sure it is of each, power and reads
    /// of the nearest antenna and of the others.
    pub fn profiles(&self) -> [usize; 2 * SLOTS + 2 + 2 * (SLOTS - 1)] {
        [GRID, GRID, GRID, GRID, GRID, GRID, GRID, GRID, COARSE, COARSE, COARSE, COARSE]
    }

    /// Points of a phase profile; a token begins with [`FaceLayout::antennas`] of them.
    pub fn grid(&self) -> usize {
        GRID
    }

    /// Antennas that a token tells apart.
    pub fn antennas(&self) -> usize {
        SLOTS
    }

    /// Place of the nearest antenna's power profile.
    pub fn power(&self) -> usize {
        2 * SLOTS * GRID
    }

    /// Place of the antennas' mean levels.
    pub fn levels(&self) -> usize {
        FACE_INPUTS - SINGLE + 1 + 2 * WAVES_M.len()
    }

    /// Turns a token as if the face ran the other way.
    pub fn mirror(&self, token: &mut [f32]) {
        let mut rest = token;
        for n in self.profiles() {
            let (mine, after) = rest.split_at_mut(n);
            mine.reverse();
            rest = after;
        }
        rest[..1 + WAVES_M.len()].iter_mut().for_each(|v| *v = -*v);
        rest[SINGLE - 1] = -rest[SINGLE - 1];
    }
}

impl Pass<'_> {
    /// Windows over all tiers, for tags placed as `answers` say.
    pub fn windows(&self, answers: &[Answer]) -> Vec<FaceWindow> {
        let antennas = self.antenna_heights();
        let mut out = Vec::new();
        for tier in 0..self.face.tiers.len() {
            let view = View::new(&antennas, self.face.tiers[tier].board_m + TAG_Z);
            let mut tags: Vec<usize> = (0..answers.len())
                .filter(|&t| {
                    answers[t].tier == tier && answers[t].x.is_finite() && answers[t].range.is_finite()
                })
                .collect();
            tags.sort_by(|&a, &b| answers[a].x.total_cmp(&answers[b].x).then(a.cmp(&b)));
            // A tag is in several windows: what is the same in all of them is made once.
            let turned: BTreeMap<usize, Turned> =
                tags.iter().map(|&t| (t, self.turned(t, answers[t].x, &view))).collect();
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
                    tokens: self.tokens(&near, answers, tier, middle, &view, &turned),
                    tags: near,
                });
            }
        }
        out
    }

    fn tokens(
        &self,
        near: &[usize],
        answers: &[Answer],
        tier: usize,
        middle: f64,
        view: &View,
        turned: &BTreeMap<usize, Turned>,
    ) -> Vec<f32> {
        let gridded: Vec<Gridded> = near.iter().map(|t| self.grid(*t, &turned[t], middle, view)).collect();
        let weights: Vec<f64> = near.iter().map(|&t| answers[t].front.max(0.02)).collect();
        let total: f64 = weights.iter().sum();
        let mean = |of: &dyn Fn(&Gridded) -> f64| -> f64 {
            gridded.iter().zip(&weights).map(|(g, w)| w * of(g)).sum::<f64>() / total
        };
        let phase: [[f64; GRID]; SLOTS] =
            std::array::from_fn(|s| std::array::from_fn(|i| mean(&|g| g.phases.phase[s][i])));
        let power: [f64; GRID] = std::array::from_fn(|i| mean(&|g| g.power[i]));
        let read: [f64; GRID] = std::array::from_fn(|i| mean(&|g| g.read[i]));
        let far: [[[f64; COARSE]; 2]; SLOTS - 1] = std::array::from_fn(|s| {
            std::array::from_fn(|k| std::array::from_fn(|i| mean(&|g| g.far[s][k][i])))
        });
        let level: [f64; SLOTS] = std::array::from_fn(|s| mean(&|g| g.level[s]));
        let count: [f64; SLOTS] = std::array::from_fn(|s| mean(&|g| g.count[s]));
        let (strongest, reads) = (mean(&|g| g.strongest), mean(&|g| g.reads));
        let mut out = Vec::with_capacity(near.len() * FACE_INPUTS);
        for (&t, g) in near.iter().zip(&gridded) {
            let answer = &answers[t];
            let mut push = |v: f64| out.push(v.clamp(-20.0, 20.0) as f32);
            for (own, shared) in g.phases.phase.iter().zip(&phase) {
                own.iter().zip(shared).for_each(|(v, m)| push((v - m) / 2.0));
            }
            g.phases.sure.iter().flatten().for_each(|v| push(*v));
            (0..GRID).for_each(|i| push((g.power[i] - power[i]) / 5.0));
            (0..GRID).for_each(|i| push(g.read[i] - read[i]));
            for (own, shared) in g.far.iter().zip(&far) {
                own[0].iter().zip(&shared[0]).for_each(|(v, m)| push((v - m) / 5.0));
                own[1].iter().zip(&shared[1]).for_each(|(v, m)| push(v - m));
            }
            push((answer.x - middle) / 0.2);
            WAVES_M.iter().for_each(|w| push((TAU * (answer.x - middle) / w).sin()));
            WAVES_M.iter().for_each(|w| push((TAU * (answer.x - middle) / w).cos()));
            (0..SLOTS).for_each(|s| push((g.level[s] - level[s]) / 5.0));
            (0..SLOTS).for_each(|s| push(g.count[s] - count[s]));
            (0..SLOTS).for_each(|s| push(g.above[s] / 0.3));
            let ln = |tier: Option<usize>| {
                tier.and_then(|t| answer.tiers.get(t)).map_or(-4.0, |p| p.max(1e-4).ln() / 2.0)
            };
            push(ln(tier.checked_sub(1)));
            push(ln(Some(tier)));
            push(ln(Some(tier + 1)));
            push(
                (answer.front.clamp(1e-4, 1.0 - 1e-4) / (1.0 - answer.front.clamp(1e-4, 1.0 - 1e-4))).ln()
                    / 3.0,
            );
            push(answer.x_std / 0.05);
            push(f64::from(self.states[t].coherence));
            push((g.strongest - strongest) / 5.0);
            push(g.reads - reads);
            push((reads - 3.0) / 2.0);
            push(near.len() as f64 / 20.0);
            push((view.out_m - 0.45) / 0.1);
            push(self.states[t].start_x.map_or(0.0, |s| (f64::from(s) - answer.x) / 0.2));
        }
        out
    }
}
