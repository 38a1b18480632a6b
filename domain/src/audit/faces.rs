//! Which face a tag is on: the run's own books teach what a tag on the face looks like, and one that is read through
//! the back panel or across the aisle.
//!
//! Nearly all books are on their home face. So the sightings there, against those of the same books on other faces,
//! train a logistic regression on the locator's face probability, the strongest RSSI and the number of reads.

use super::AuditSettings;
use super::expected::Expected;
use super::fuse::{Belief, FaceBelief};
use super::stat::logit;

/// Sightings of either kind needed to learn.
const ENOUGH: usize = 40;
/// Penalty on the squares of the weights, for features of unit variance, in nats.
const RIDGE: f64 = 1.0;
/// Bias and three features.
const N: usize = 4;

/// Sets [`FaceBelief::ln_odds`] of all beliefs.
pub fn weigh(expected: &Expected<'_>, beliefs: &mut [Belief], settings: &AuditSettings) {
    let cap = settings.max_face_odds.ln();
    let learnt = Learnt::new(expected, beliefs);
    for belief in beliefs {
        let strength: Vec<(f64, f64)> =
            belief.faces.iter().map(|f| (f.rssi_dbm, f64::from(f.reads).ln())).collect();
        for (i, f) in belief.faces.iter_mut().enumerate() {
            let ln_ratio = match &learnt {
                Some(learnt) => learnt.ln_ratio(f),
                None => {
                    f.face_logit - logit(settings.locator_face_share) + against_others(i, &strength, settings)
                }
            };
            // A few reads prove little, for or against.
            let credible = (f64::from(f.reads) / f64::from(settings.credible_reads.max(1))).min(1.0);
            f.ln_odds = credible * ln_ratio.clamp(-cap, cap);
        }
    }
}

/// The face that hears a tag louder and more often is the likelier one.
fn against_others(i: usize, strength: &[(f64, f64)], settings: &AuditSettings) -> f64 {
    let others = || strength.iter().enumerate().filter(move |(j, _)| *j != i).map(|(_, s)| *s);
    let mut sum = 0.0;
    let loudest = others().map(|s| s.0).filter(|r| r.is_finite()).reduce(f64::max);
    if let Some(loudest) = loudest.filter(|_| strength[i].0.is_finite()) {
        sum += ((strength[i].0 - loudest) / settings.rssi_scale_db).clamp(-3.0, 3.0);
    }
    if let Some(most) = others().map(|s| s.1).reduce(f64::max) {
        sum += (0.5 * (strength[i].1 - most)).clamp(-1.0, 1.0);
    }
    sum
}

/// A logistic regression between sightings on the right face and others, both kinds weighing the same, so that its
/// logit is a log likelihood ratio.
struct Learnt {
    mean: [f64; N],
    scale: [f64; N],
    weights: [f64; N],
}

fn features(f: &FaceBelief) -> [f64; N] {
    [1.0, f.face_logit, f.rssi_dbm, f64::from(f.reads).ln()]
}

impl Learnt {
    /// `None` where the run has too few sightings of either kind.
    fn new(expected: &Expected<'_>, beliefs: &[Belief]) -> Option<Self> {
        let mut samples: Vec<([f64; N], bool)> = Vec::new();
        for book in &expected.books {
            let (Some((home, ..)), Some(b)) = (book.home, book.belief) else { continue };
            let Some(at_home) = beliefs[b].on(home) else { continue };
            samples.push((features(at_home), true));
            let elsewhere = beliefs[b].faces.iter().filter(|f| f.face != home);
            // A book that another face hears better may be misplaced: no example.
            samples.extend(
                elsewhere.filter(|f| f.face_logit < at_home.face_logit).map(|f| (features(f), false)),
            );
        }
        let right = samples.iter().filter(|s| s.1).count();
        let wrong = samples.len() - right;
        if right < ENOUGH || wrong < ENOUGH {
            return None;
        }
        let mut learnt = Self { mean: [0.0; N], scale: [1.0; N], weights: [0.0; N] };
        for k in 1..N {
            let values = || samples.iter().map(|s| s.0[k]).filter(|v| v.is_finite());
            let n = values().count().max(1) as f64;
            learnt.mean[k] = values().sum::<f64>() / n;
            let variance = values().map(|v| (v - learnt.mean[k]).powi(2)).sum::<f64>() / n;
            learnt.scale[k] = variance.sqrt().max(1e-6);
        }
        let share = [samples.len() as f64 / wrong as f64, samples.len() as f64 / right as f64];
        let samples: Vec<([f64; N], f64, f64)> = samples
            .into_iter()
            .map(|(x, y)| (learnt.standard(x), f64::from(u8::from(y)), 0.5 * share[usize::from(y)]))
            .collect();
        for _ in 0..25 {
            let step = learnt.newton_step(&samples)?;
            for (w, s) in learnt.weights.iter_mut().zip(step) {
                *w += s.clamp(-2.0, 2.0);
            }
        }
        learnt.weights.iter().all(|w| w.is_finite()).then_some(learnt)
    }

    /// A feature that was not given counts as average.
    fn standard(&self, x: [f64; N]) -> [f64; N] {
        let mut out = x;
        for (k, v) in out.iter_mut().enumerate().skip(1) {
            *v = (*v - self.mean[k]) / self.scale[k];
            if !v.is_finite() {
                *v = 0.0;
            }
        }
        out
    }

    fn logit(&self, standard: &[f64; N]) -> f64 {
        self.weights.iter().zip(standard).map(|(w, x)| w * x).sum()
    }

    fn ln_ratio(&self, f: &FaceBelief) -> f64 {
        self.logit(&self.standard(features(f)))
    }

    /// One step of iteratively reweighted least squares; samples are features, label, weight.
    fn newton_step(&self, samples: &[([f64; N], f64, f64)]) -> Option<[f64; N]> {
        let mut system = [[0.0; N + 1]; N];
        for (x, y, weight) in samples {
            let p = 1.0 / (1.0 + (-self.logit(x)).exp());
            for r in 0..N {
                for c in 0..N {
                    system[r][c] += weight * p * (1.0 - p) * x[r] * x[c];
                }
                system[r][N] += weight * (y - p) * x[r];
            }
        }
        for (r, row) in system.iter_mut().enumerate() {
            row[r] += RIDGE;
            row[N] -= RIDGE * self.weights[r];
        }
        solve(system)
    }
}

/// Gaussian elimination of a positive definite system; `None` where it is not.
fn solve(mut a: [[f64; N + 1]; N]) -> Option<[f64; N]> {
    for k in 0..N {
        let pivot = a[k];
        if pivot[k].is_nan() || pivot[k] <= 1e-12 {
            return None;
        }
        for row in a.iter_mut().skip(k + 1) {
            let factor = row[k] / pivot[k];
            row.iter_mut().zip(pivot).for_each(|(v, p)| *v -= factor * p);
        }
    }
    let mut x = [0.0; N];
    for k in (0..N).rev() {
        let known: f64 = (k + 1..N).map(|c| a[k][c] * x[c]).sum();
        x[k] = (a[k][N] - known) / a[k][k];
    }
    Some(x)
}
