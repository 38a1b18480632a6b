//! From draws and measured figures to ranges.

use serde::Serialize;

use super::linear::{dot, regress};
use super::prior_file::rounded;
use super::{Parameter, Study};

/// A radio of the prior and what the shelves looked like with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Draw {
    /// Where each parameter is in its range, 0 to 1.
    pub shares: Vec<f64>,
    /// The figures, in the study's order.
    pub figures: Vec<f64>,
}

/// What pulls the regressions to nothing, as a share of the draws.
const RIDGE: f64 = 0.01;
/// Share of the draws that are kept: the nearest.
const KEPT: f64 = 0.08;
/// At least so many are kept.
const FEWEST_KEPT: usize = 150;
/// The central share that a range holds, before it is widened.
const CENTRAL: f64 = 0.9;
/// Ranges are made so much wider, in case the twin's radio is not quite the library's.
pub const SAFETY: f64 = 1.25;
/// And so much where it does not repeat what was measured.
const SAFETY_UNLIKE: f64 = 2.0;
/// More figures than this share beyond what kept draws show: the radio does not repeat the passes.
const UNLIKE: f64 = 0.1;
/// No range becomes narrower than this share of the default: a wide prior forgives what the model does not know.
pub const NARROWEST: f64 = 0.2;
/// Narrowed to no less than this share of the default range, nothing was learnt.
const LEARNT: f64 = 0.8;
/// Figures count up to so many deviations of the draws, lest one of them decides alone.
const FARTHEST: f64 = 4.0;

/// What was found of one parameter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Its key in the prior's file.
    pub key: &'static str,
    /// The default range.
    pub default: [f64; 2],
    /// The narrowed one, in the default; the same where the passes say nothing.
    pub range: [f64; 2],
    /// Central 90% before it was widened.
    pub central: [f64; 2],
    /// Its middle.
    pub median: f64,
    /// Whether the passes say anything of it.
    pub told: bool,
    /// Width over the default's, both evenly in the logarithm where the prior is.
    pub width: f64,
}

/// All findings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Narrowed {
    /// One a parameter.
    pub findings: Vec<Finding>,
    /// Draws made.
    pub draws: usize,
    /// Draws kept.
    pub kept: usize,
    /// How far the nearest draws are in the mean, in deviations of what the figures leave open.
    pub distance: f64,
    /// By how much ranges were widened.
    pub widened: f64,
    /// Figures beyond the 1 to 99% of the kept draws, with the measured value and those two.
    pub unlike: Vec<(String, f64, [f64; 2])>,
    /// Figures that count.
    pub figures: usize,
    /// Index and weight of each kept draw.
    #[serde(skip)]
    pub nearest: Vec<(usize, f64)>,
}

/// Narrows the ranges of a study's parameters: `measured` is [`Study::measured`], or figures of another pass over the same
/// shelves.
pub fn narrow(study: &dyn Study, measured: &[f64], draws: &[Draw]) -> Narrowed {
    let parameters = study.parameters();
    let scale = Scale::new(measured, draws);
    let features: Vec<Vec<f64>> = draws.iter().map(|d| scale.features(&d.figures)).collect();
    let own = scale.features(measured);
    let shares: Vec<Vec<f64>> = draws.iter().map(|d| d.shares.clone()).collect();
    // What the figures say of each parameter, by regression over all draws: as few summaries as there are parameters.
    let ridge = RIDGE * draws.len() as f64;
    let laws = regress(&features, &shares, &vec![1.0; draws.len()], ridge);
    let guess = |f: &[f64]| -> Vec<f64> { laws.iter().map(|law| dot(law, f)).collect() };
    let guesses: Vec<Vec<f64>> = features.iter().map(|f| guess(f)).collect();
    let ours = guess(&own);
    let open: Vec<f64> = (0..parameters.len())
        .map(|p| {
            let square: f64 = shares.iter().zip(&guesses).map(|(s, g)| (s[p] - g[p]).powi(2)).sum();
            (square / draws.len().max(1) as f64).sqrt().max(1e-6)
        })
        .collect();
    let mut by_distance: Vec<(usize, f64)> = guesses
        .iter()
        .enumerate()
        .map(|(i, g)| {
            let square: f64 =
                g.iter().zip(&ours).zip(&open).map(|((g, o), open)| ((g - o) / open).powi(2)).sum();
            (i, square)
        })
        .collect();
    by_distance.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let kept = ((draws.len() as f64 * KEPT) as usize).max(FEWEST_KEPT).min(draws.len());
    let farthest = by_distance.get(kept).or(by_distance.last()).map_or(1.0, |d| d.1.max(1e-12));
    by_distance.truncate(kept);
    let distance = (by_distance.iter().map(|d| d.1).sum::<f64>()
        / (kept.max(1) * parameters.len().max(1)) as f64)
        .sqrt();
    // Epanechnikov's kernel.
    let nearest: Vec<(usize, f64)> =
        by_distance.iter().map(|(i, d)| (*i, (1.0 - d / farthest).max(1e-6))).collect();
    let ours = within(&ours, &guesses, &nearest);
    let unlike = unlike(study.names(), measured, draws, &nearest, &scale);
    let widened = if unlike.len() as f64 > UNLIKE * scale.used.len() as f64 { SAFETY_UNLIKE } else { SAFETY };
    let adjusted = adjust(&shares, &guesses, &ours, &nearest);
    let findings = parameters
        .iter()
        .enumerate()
        .map(|(p, parameter)| {
            let column: Vec<(f64, f64)> =
                adjusted.iter().zip(&nearest).map(|(a, (_, w))| (a[p], *w)).collect();
            finding(parameter, column, widened)
        })
        .collect();
    let figures = scale.used.len();
    Narrowed { findings, draws: draws.len(), kept, distance, widened, unlike, figures, nearest }
}

/// What the figures say, as far as kept draws reach: a law made from them holds among them only.
fn within(ours: &[f64], guesses: &[Vec<f64>], nearest: &[(usize, f64)]) -> Vec<f64> {
    ours.iter()
        .enumerate()
        .map(|(p, o)| {
            let mut seen: Vec<f64> = nearest.iter().map(|(i, _)| guesses[*i][p]).collect();
            seen.sort_by(f64::total_cmp);
            let at = |q: f64| seen.get(((seen.len() as f64 - 1.0) * q).round().max(0.0) as usize).copied();
            o.clamp(at(0.02).unwrap_or(*o), at(0.98).unwrap_or(*o))
        })
        .collect()
}

/// The kept draws' parameters moved to what they would be had their figures been the measured ones: by a local linear law,
/// on the logit of the share, so that none leaves its range.
fn adjust(
    shares: &[Vec<f64>],
    guesses: &[Vec<f64>],
    ours: &[f64],
    nearest: &[(usize, f64)],
) -> Vec<Vec<f64>> {
    let logit = |s: f64| {
        let s = s.clamp(1e-3, 1.0 - 1e-3);
        libm::log(s / (1.0 - s))
    };
    let off = |i: usize| -> Vec<f64> {
        std::iter::once(1.0).chain(guesses[i].iter().zip(ours).map(|(g, o)| g - o)).collect()
    };
    let rows: Vec<Vec<f64>> = nearest.iter().map(|(i, _)| off(*i)).collect();
    let targets: Vec<Vec<f64>> =
        nearest.iter().map(|(i, _)| shares[*i].iter().map(|s| logit(*s)).collect()).collect();
    let weights: Vec<f64> = nearest.iter().map(|n| n.1).collect();
    let laws = regress(&rows, &targets, &weights, 1e-2);
    rows.iter()
        .zip(&targets)
        .map(|(row, target)| {
            // All of the law but its constant.
            let moved = target.iter().zip(&laws).map(|(t, law)| t - dot(&law[1..], &row[1..]));
            moved.map(|t| 1.0 / (1.0 + libm::exp(-t))).collect()
        })
        .collect()
}

fn finding(parameter: &Parameter, mut column: Vec<(f64, f64)>, widened: f64) -> Finding {
    column.sort_by(|a, b| a.0.total_cmp(&b.0));
    let at = |q: f64| weighted_quantile(&column, q);
    let central = [at((1.0 - CENTRAL) / 2.0), at((1.0 + CENTRAL) / 2.0)];
    let middle = (central[0] + central[1]) / 2.0;
    let half = (widened * (central[1] - central[0]) / 2.0).max(NARROWEST / 2.0);
    // At an end of the default the whole width lies inside it.
    let low = (middle - half).max(0.0).min(1.0 - 2.0 * half.min(0.5));
    let wide = [low, (middle + half).max(low + NARROWEST).min(1.0)];
    let told = wide[1] - wide[0] < LEARNT;
    let wide = if told { wide } else { [0.0, 1.0] };
    Finding {
        key: parameter.key,
        default: parameter.range,
        range: if told { wide.map(|s| rounded(parameter.at(s))) } else { parameter.range },
        central: central.map(|s| parameter.at(s)),
        median: parameter.at(at(0.5)),
        told,
        width: wide[1] - wide[0],
    }
}

/// A quantile of values in rising order with weights.
fn weighted_quantile(sorted: &[(f64, f64)], share: f64) -> f64 {
    let whole: f64 = sorted.iter().map(|v| v.1).sum();
    let mut sum = 0.0;
    for (value, weight) in sorted {
        sum += weight;
        if sum >= share * whole {
            return *value;
        }
    }
    sorted.last().map_or(0.5, |v| v.0)
}

fn unlike(
    names: &[String],
    measured: &[f64],
    draws: &[Draw],
    nearest: &[(usize, f64)],
    scale: &Scale,
) -> Vec<(String, f64, [f64; 2])> {
    let ends = |c: usize| {
        let mut seen: Vec<f64> =
            nearest.iter().map(|(i, _)| draws[*i].figures[c]).filter(|v| v.is_finite()).collect();
        seen.sort_by(f64::total_cmp);
        let at = |q: f64| seen.get(((seen.len() as f64 - 1.0) * q).round().max(0.0) as usize).copied();
        Some([at(0.01)?, at(0.99)?])
    };
    scale
        .used
        .iter()
        .filter_map(|&c| {
            let [low, high] = ends(c)?;
            let out = measured[c] < low || measured[c] > high;
            out.then(|| (names.get(c).cloned().unwrap_or_default(), measured[c], [low, high]))
        })
        .collect()
}

/// So many draws a figure it takes for the figures' squares to count, too: with fewer, chance would be taken for a law.
const SQUARES: usize = 20;

/// Figures that were measured, on the draws' scale.
struct Scale {
    squares: bool,
    used: Vec<usize>,
    middle: Vec<f64>,
    spread: Vec<f64>,
}

impl Scale {
    fn new(measured: &[f64], draws: &[Draw]) -> Self {
        let mut scale = Self { squares: false, used: vec![], middle: vec![], spread: vec![] };
        for (c, value) in measured.iter().enumerate().filter(|(_, v)| v.is_finite()) {
            let mut seen: Vec<f64> = draws.iter().map(|d| d.figures[c]).filter(|v| v.is_finite()).collect();
            seen.sort_by(f64::total_cmp);
            let at = |q: f64| seen.get(((seen.len() as f64 - 1.0) * q).round().max(0.0) as usize);
            let (Some(low), Some(middle), Some(high)) = (at(0.16), at(0.5), at(0.84)) else { continue };
            // A figure that most draws do not have at all tells them apart by chance.
            if seen.len() * 5 < draws.len() * 4 || high - low <= 1e-12 || !value.is_finite() {
                continue;
            }
            scale.used.push(c);
            scale.middle.push(*middle);
            scale.spread.push((high - low) / 2.0);
        }
        scale.squares = draws.len() >= SQUARES * scale.used.len();
        scale
    }

    /// One, the figures, and their squares where there are draws enough.
    fn features(&self, figures: &[f64]) -> Vec<f64> {
        let scaled = |(i, &c): (usize, &usize)| {
            let z = (figures[c] - self.middle[i]) / self.spread[i];
            if z.is_finite() { z.clamp(-FARTHEST, FARTHEST) } else { 0.0 }
        };
        let plain: Vec<f64> = self.used.iter().enumerate().map(scaled).collect();
        let squares = plain.iter().filter(|_| self.squares).map(|z| (z * z - 1.0) / 2.0);
        std::iter::once(1.0).chain(plain.iter().copied()).chain(squares).collect()
    }
}
