//! How far the locator's tier probabilities can be believed, learnt from the run: books that stand at the right place
//! along the shelf are nearly all on their home tier, whatever tier they were seen on.

use super::calibrate::ENOUGH;
use super::fuse::{FaceBelief, normalise_ln};

/// Of gross errors by one tier, so many are by two, and so on: antennas at several heights take a neighbouring tier
/// for a book's own, hardly ever the top one for the bottom one.
const DECAY: f64 = 0.05;
/// From these probabilities of its likeliest tier on the locator is sure, and very sure; gross errors are counted apart
/// there.
const SURE: [f64; 2] = [0.98, 0.999];
/// Shares of gross errors to expect in each of the three before the run has shown any: somewhat less than the locator
/// itself allows for, as that share is for what it does not know of.
const USUAL_FLOOR: [f64; 3] = [0.002, 0.002, 0.0002];

const POWERS: [f64; 14] = [0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.15, 1.3, 1.5];
const FLOORS: [f64; 15] =
    [0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.5];

/// Turns the locator's tier probabilities into calibrated ones: `softmax(power ln p)`, of which a share is spread over
/// the other tiers, the nearest first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TierModel {
    /// Below 1 for a locator that is too sure.
    power: f64,
    /// Share of gross errors where the locator is unsure, where it is sure, and where very sure.
    floor: [f64; 3],
}

impl Default for TierModel {
    fn default() -> Self {
        Self { power: 1.0, floor: [0.01, 0.01, 0.002] }
    }
}

/// Index of how sure the locator is.
fn sureness(ln_p: &[f64]) -> usize {
    SURE.iter().filter(|sure| ln_p.iter().any(|l| *l >= sure.ln())).count()
}

impl TierModel {
    /// Calibrated probabilities, tier 1 first; `trust` in 0…1 evens them further.
    pub fn apply(&self, ln_p: &[f64], trust: f64) -> Vec<f64> {
        let floor = self.floor[sureness(ln_p)];
        let mut ln: Vec<f64> = ln_p.iter().map(|l| l * self.power * trust).collect();
        normalise_ln(&mut ln);
        let p: Vec<f64> = ln.into_iter().map(f64::exp).collect();
        let mut out: Vec<f64> = p.iter().map(|p| (1.0 - floor) * p).collect();
        for (s, p) in p.iter().enumerate() {
            let decay = |t: usize| if t == s { 0.0 } else { DECAY.powi(t.abs_diff(s) as i32) };
            let sum: f64 = (0..out.len()).map(decay).sum();
            if sum > 0.0 {
                out.iter_mut().enumerate().for_each(|(t, o)| *o += floor * p * decay(t) / sum);
            } else {
                out[s] += floor * p;
            }
        }
        out
    }

    /// The model that explains best on which tiers books were seen that stand at the right place along. `labels` are
    /// their beliefs with their homes' tiers, from 0.
    pub fn learn(labels: &[(&FaceBelief, Vec<usize>)], misplacement_rate: f64) -> Self {
        let labels: Vec<(&[f64], &[usize])> =
            labels.iter().filter_map(|(f, home)| Some((f.ln_tier.as_deref()?, home.as_slice()))).collect();
        if labels.len() < ENOUGH {
            return Self::default();
        }
        let mut by_sureness: [Vec<(&[f64], &[usize])>; 3] = Default::default();
        for label in labels {
            by_sureness[sureness(label.0)].push(label);
        }
        let mut best = (Self::default(), f64::NEG_INFINITY);
        for power in POWERS {
            let found: [(f64, f64); 3] = std::array::from_fn(|k| {
                best_floor(&by_sureness[k], power, USUAL_FLOOR[k], misplacement_rate)
            });
            // Honest until shown otherwise.
            let fit = found.iter().map(|f| f.1).sum::<f64>() - 0.5 * (power.ln() / 0.7).powi(2);
            if fit > best.1 {
                best = (Self { power, floor: found.map(|f| f.0) }, fit);
            }
        }
        best.0
    }
}

/// The likeliest share of gross errors, with its log likelihood.
fn best_floor(labels: &[(&[f64], &[usize])], power: f64, usual: f64, misplacement_rate: f64) -> (f64, f64) {
    // Of the misplaced few stand on another tier at just the right place along.
    let strangers = 0.1 * misplacement_rate;
    let mut best = (FLOORS[0], f64::NEG_INFINITY);
    for floor in FLOORS {
        let model = TierModel { power, floor: [floor; 3] };
        let fit: f64 = labels
            .iter()
            .map(|(ln, home)| {
                let p = model.apply(ln, 1.0);
                let at_home: f64 = home.iter().filter_map(|t| p.get(*t)).sum();
                ((1.0 - strangers) * at_home + strangers * home.len() as f64 / p.len() as f64).ln()
            })
            .sum();
        // Gross errors are rare until shown otherwise.
        let fit = fit - 0.5 * ((floor / usual).ln() / 1.5).powi(2);
        if fit > best.1 {
            best = (floor, fit);
        }
    }
    best
}
