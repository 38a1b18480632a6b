//! Lessons about rows: windows of tokens with their right answers, and the loss that teaches order.

use positioning::LocateSettings;
use positioning::decoder::{self, RowLayout, RowWindow};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use twin::radio::RowSchool;

use super::train::Lessons;

/// One window and what is right about it.
pub struct RowLesson {
    pub window: RowWindow,
    /// True place less the fit's, m, by token.
    pub target: Vec<f32>,
    /// Row of each token.
    pub row: Vec<i32>,
    /// 1 where the token's answer counts.
    pub home: Vec<f32>,
}

/// The windows of some lessons, by number.
pub fn rows(school: &RowSchool, seed: u64, numbers: std::ops::Range<u64>) -> Vec<RowLesson> {
    let settings = LocateSettings::default();
    let mut out = Vec::new();
    for number in numbers {
        let lesson = school.lesson(seed, number);
        for window in decoder::row_windows(&lesson.scan, &settings) {
            let at = |t: usize| lesson.truth[t];
            let target =
                window.tags.iter().zip(&window.start_m).map(|(&t, x)| (at(t).x_m - x) as f32).collect();
            let row = window.tags.iter().map(|&t| at(t).row).collect();
            let home = window.home.iter().map(|&h| if h { 1.0 } else { 0.0 }).collect();
            out.push(RowLesson { window, target, row, home });
        }
    }
    out
}

impl Lessons for Vec<RowLesson> {
    type Shown = RowLesson;

    fn count(&self) -> usize {
        self.len()
    }

    fn show(&self, lesson: usize, rng: &mut impl Rng, tokens: &mut Vec<f32>) -> (usize, RowLesson) {
        let mut shown = vary(&self[lesson], &RowLayout::default(), rng);
        tokens.append(&mut shown.window.tokens);
        (shown.target.len(), shown)
    }

    fn loss(&self, shown: &RowLesson, answer: &[f32], slope: &mut [f32]) -> f32 {
        let weight: Vec<f32> = shown.home.iter().map(|h| 0.2 + 0.8 * h).collect();
        let start: Vec<f32> = shown.window.start_m.iter().map(|x| *x as f32).collect();
        let pairs = Pairs { start: &start, row: &shown.row, home: &shown.home };
        place_loss(&shown.target, &weight, &pairs, 2, answer, slope)
    }
}

/// Which tags make pairs of neighbours.
pub struct Pairs<'a> {
    /// Where the fit has each tag, m.
    pub start: &'a [f32],
    /// Row or tier; negative for a tag that makes no pairs.
    pub row: &'a [i32],
    /// 1 where the tag's answer counts.
    pub home: &'a [f32],
}

/// Loss of the places of a window: metres, order of neighbours, stated error. An answer has `outputs` numbers: move of
/// the place over [`decoder::MOVE_M`], logarithm of its mean error over the same, and others. Adds its slope.
pub fn place_loss(
    target: &[f32],
    weight: &[f32],
    pairs: &Pairs<'_>,
    outputs: usize,
    answer: &[f32],
    slope: &mut [f32],
) -> f32 {
    let unit = decoder::MOVE_M as f32;
    let n = target.len();
    let total = weight.iter().sum::<f32>().max(1e-6);
    let error: Vec<f32> = (0..n).map(|i| answer[outputs * i] * unit - target[i]).collect();
    let mean = error.iter().zip(weight).map(|(e, w)| e * w).sum::<f32>() / total;
    let mut down = vec![0f32; n];
    let mut loss = 0.0;
    // The error as it is, and without the window's common one, which says nothing about order.
    let pull: f32 = (0..n).map(|i| weight[i] * (error[i] - mean).signum()).sum::<f32>() / total;
    for i in 0..n {
        let w = PLACE * weight[i] / total;
        loss += w * (error[i].abs() + (error[i] - mean).abs());
        down[i] += w * (error[i].signum() + (error[i] - mean).signum() - pull);
        // The scale learns from the error, the error not from the scale.
        let scale = answer[outputs * i + 1].clamp(-6.0, 4.0);
        let relative = error[i].abs() / unit * (-scale).exp();
        loss += SCALE * weight[i] / total * (relative + scale);
        if scale == answer[outputs * i + 1] {
            slope[outputs * i + 1] += SCALE * weight[i] / total * (1.0 - relative);
        }
    }
    let (mut sum, mut wrong, mut pull) = (1e-6, 0.0, vec![0f32; n]);
    for i in 0..n {
        for j in 0..n {
            let gap = pairs.start[i] + target[i] - pairs.start[j] - target[j];
            if pairs.row[i] != pairs.row[j] || pairs.row[i] < 0 || gap <= 1e-4 || gap > 5.0 * NEAR_M {
                continue;
            }
            let w = (-gap / NEAR_M).exp() * (0.2 + 0.8 * pairs.home[i] * pairs.home[j]);
            let z = -(gap + error[i] - error[j]) / SHARP_M;
            wrong += w * (z.max(0.0) + (-z.abs()).exp().ln_1p());
            sum += w;
            let turn = w / (1.0 + (-z).exp()) / SHARP_M;
            pull[i] -= turn;
            pull[j] += turn;
        }
    }
    loss += ORDER * wrong / sum;
    for i in 0..n {
        slope[outputs * i] += unit * (down[i] + ORDER * pull[i] / sum);
    }
    loss
}

/// Weights of the loss: metres of error, order of pairs, logarithm of the stated error.
const PLACE: f32 = 6.0;
const ORDER: f32 = 0.5;
const SCALE: f32 = 0.05;
/// Pairs count the less the farther apart they are, m.
const NEAR_M: f32 = 0.06;
/// Pairs closer in the answer than this are undecided, m.
const SHARP_M: f32 = 0.02;

/// A lesson a little changed: mirrored, bent by smooth errors, with tags left out.
fn vary(lesson: &RowLesson, layout: &RowLayout, rng: &mut impl Rng) -> RowLesson {
    let mut out = RowLesson {
        window: lesson.window.clone(),
        target: lesson.target.clone(),
        row: lesson.row.clone(),
        home: lesson.home.clone(),
    };
    if rng.random::<f64>() < 0.3 && out.target.len() >= 4 {
        leave_out(&mut out, layout, rng);
    }
    let mirror = rng.random::<f64>() < 0.5;
    if mirror {
        out.target.iter_mut().for_each(|t| *t = -*t);
        out.window.start_m.iter_mut().for_each(|x| *x = -*x);
    }
    let mut normal = |std: f64| (std * rng.sample::<f64, _>(StandardNormal)) as f32;
    let (louder, nearer) = (normal(0.15).exp(), normal(0.4));
    let inputs = layout.inputs();
    for token in out.window.tokens.chunks_exact_mut(inputs) {
        if mirror {
            layout.mirror(token);
        }
        let (shift, bow, wave, turn) = (normal(0.06), normal(0.06), normal(0.05), normal(3.0));
        let waves = (1.25 + normal(0.4)).abs();
        let (power_shift, power_bow) = (normal(0.08), normal(0.08));
        let (phase, rest) = token.split_at_mut(layout.grid());
        let power = &mut rest[..layout.grid()];
        let place = |i: usize| 2.0 * i as f32 / (layout.grid() - 1) as f32 - 1.0;
        for (i, v) in phase.iter_mut().enumerate() {
            let u = place(i);
            *v += shift * u
                + bow * (u * u - 0.33)
                + wave * (std::f32::consts::TAU * u * waves + turn).cos()
                + normal(0.04);
        }
        for (i, v) in power.iter_mut().enumerate() {
            let u = place(i);
            *v = *v * louder + power_shift * u + power_bow * (u * u - 0.33) + normal(0.03);
        }
        token[layout.range()] += nearer;
    }
    out
}

/// Tags that are there, but not asked about: some at random, or those at the ends.
fn leave_out(lesson: &mut RowLesson, layout: &RowLayout, rng: &mut impl Rng) {
    let n = lesson.target.len();
    let place = |i: usize| lesson.window.start_m[i] + f64::from(lesson.target[i]);
    let mut order: Vec<usize> = (0..n).collect();
    if rng.random::<f64>() < 0.5 {
        for i in (1..n).rev() {
            order.swap(i, rng.random_range(0..=i));
        }
        order.truncate(rng.random_range(3..n));
    } else {
        order.sort_by(|&a, &b| place(a).total_cmp(&place(b)));
        order = order[1..n - 1].to_vec();
    }
    let inputs = layout.inputs();
    let tokens: Vec<f32> =
        order.iter().flat_map(|&i| lesson.window.tokens[i * inputs..(i + 1) * inputs].to_vec()).collect();
    lesson.window.tokens = layout.recentre(tokens);
    lesson.window.start_m = order.iter().map(|&i| lesson.window.start_m[i]).collect();
    lesson.window.tags = order.iter().map(|&i| lesson.window.tags[i]).collect();
    lesson.window.home = order.iter().map(|&i| lesson.window.home[i]).collect();
    lesson.target = order.iter().map(|&i| lesson.target[i]).collect();
    lesson.row = order.iter().map(|&i| lesson.row[i]).collect();
    lesson.home = order.iter().map(|&i| lesson.home[i]).collect();
}
