//! Lessons about faces: windows of a robot's pass, with place, tier and side of each tag, and the loss that teaches
//! them.

use domain::FaceId;
use positioning::decoder::{self, FACE_OUTPUTS, FaceLayout, FaceWindow};
use positioning::{FaceGeometry, LocateSettings, TierGeometry};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use twin::radio::{FacePrior, face_lesson};

use super::rows::{Pairs, place_loss};
use super::train::Lessons;

/// One window and what is right about it.
#[derive(Clone)]
pub struct FaceWindowLesson {
    /// The window.
    pub window: FaceWindow,
    /// True place less the fit's, m, by token.
    pub target: Vec<f32>,
    /// What is right of [`decoder::FaceAnswer::classes`].
    pub class: Vec<usize>,
    /// True tier; −1 elsewhere.
    pub tier: Vec<i32>,
    /// 1 where the token's answer counts.
    pub home: Vec<f32>,
}

/// The windows of some lessons, by number.
///
/// # Errors
/// A prior that the radio refuses, or a face that has no name.
pub fn faces(
    prior: &FacePrior,
    seed: u64,
    numbers: std::ops::Range<u64>,
) -> anyhow::Result<Vec<FaceWindowLesson>> {
    let id: FaceId = "1F/R01A".parse()?;
    let mut out = Vec::new();
    for number in numbers {
        let lesson = face_lesson(prior, seed, number)?;
        let tiers = lesson.tiers.iter().map(|t| TierGeometry { board_m: t[0], clear_m: t[1] }).collect();
        let face =
            FaceGeometry { face: id.clone(), length_m: lesson.length_m, depth_m: lesson.depth_m, tiers };
        let settings = LocateSettings { aisle_m: lesson.aisle_m, ..LocateSettings::default() };
        for window in decoder::face_windows(&lesson.scan, &face, &settings) {
            let truth = |t: usize| lesson.truth[t];
            let class = |t: usize| match truth(t).tier {
                None => 4,
                Some(tier) if tier + 1 == window.tier => 0,
                Some(tier) if tier == window.tier => 1,
                Some(tier) if tier == window.tier + 1 => 2,
                Some(_) => 3,
            };
            out.push(FaceWindowLesson {
                target: window
                    .tags
                    .iter()
                    .zip(&window.start_m)
                    .map(|(&t, x)| (truth(t).x_m - x) as f32)
                    .collect(),
                class: window.tags.iter().map(|&t| class(t)).collect(),
                tier: window.tags.iter().map(|&t| truth(t).tier.map_or(-1, |t| t as i32)).collect(),
                home: window.home.iter().map(|&h| if h { 1.0 } else { 0.0 }).collect(),
                window,
            });
        }
    }
    Ok(out)
}

impl Lessons for Vec<FaceWindowLesson> {
    type Shown = FaceWindowLesson;

    fn count(&self) -> usize {
        self.len()
    }

    fn show(&self, lesson: usize, rng: &mut impl Rng, tokens: &mut Vec<f32>) -> (usize, FaceWindowLesson) {
        let mut shown = self[lesson].clone();
        vary(&mut shown, rng);
        tokens.append(&mut shown.window.tokens);
        (shown.target.len(), shown)
    }

    fn loss(&self, shown: &FaceWindowLesson, answer: &[f32], slope: &mut [f32]) -> f32 {
        let weight: Vec<f32> = shown
            .home
            .iter()
            .zip(&shown.tier)
            .map(|(h, t)| if *t < 0 { 0.0 } else { 0.2 + 0.8 * h })
            .collect();
        let start: Vec<f32> = shown.window.start_m.iter().map(|x| *x as f32).collect();
        let pairs = Pairs { start: &start, row: &shown.tier, home: &shown.home };
        let mut loss = place_loss(&shown.target, &weight, &pairs, FACE_OUTPUTS, answer, slope);
        // Cross entropy of the class.
        let total: f32 = shown.home.iter().map(|h| 0.2 + 0.8 * h).sum();
        for (i, (&class, h)) in shown.class.iter().zip(&shown.home).enumerate() {
            let at = i * FACE_OUTPUTS + 2;
            let scores = &answer[at..at + 5];
            let top = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum: f32 = scores.iter().map(|s| (s - top).exp()).sum();
            let w = CLASS * (0.2 + 0.8 * h) / total;
            loss += w * (top + sum.ln() - scores[class]);
            for k in 0..5 {
                let p = (scores[k] - top).exp() / sum;
                slope[at + k] += w * (p - if k == class { 1.0 } else { 0.0 });
            }
        }
        loss
    }
}

/// Weight of the class in the loss.
const CLASS: f32 = 0.6;

/// Mirrors and bends a lesson.
fn vary(lesson: &mut FaceWindowLesson, rng: &mut impl Rng) {
    let layout = FaceLayout::default();
    let mirror = rng.random::<f64>() < 0.5;
    if mirror {
        lesson.target.iter_mut().for_each(|t| *t = -*t);
        lesson.window.start_m.iter_mut().for_each(|x| *x = -*x);
    }
    let mut normal = |std: f32| std * rng.sample::<f32, _>(StandardNormal);
    let louder = normal(0.1).exp();
    let grid = layout.grid();
    for token in lesson.window.tokens.chunks_exact_mut(layout.inputs()) {
        if mirror {
            layout.mirror(token);
        }
        let place = |i: usize| 2.0 * i as f32 / (grid - 1) as f32 - 1.0;
        for profile in token.chunks_exact_mut(grid).take(layout.antennas()) {
            let (shift, bow, wave, turn) = (normal(0.05), normal(0.05), normal(0.05), normal(3.0));
            let waves = (1.25 + normal(0.4)).abs();
            for (i, v) in profile.iter_mut().enumerate() {
                let u = place(i);
                *v += shift * u
                    + bow * (u * u - 0.33)
                    + wave * (std::f32::consts::TAU * u * waves + turn).cos()
                    + normal(0.03);
            }
        }
        let (power_shift, level) = (normal(0.06), normal(0.1));
        for (i, v) in token[layout.power()..layout.power() + grid].iter_mut().enumerate() {
            *v = *v * louder + power_shift * place(i) + normal(0.03);
        }
        let levels = layout.levels()..layout.levels() + layout.antennas();
        token[levels].iter_mut().for_each(|v| *v += level + normal(0.1));
    }
}
