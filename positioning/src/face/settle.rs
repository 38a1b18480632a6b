//! Settling: tags moved to where their unwrapped phases fit best, before they are decoded.

use super::answer::Answer;
use super::gridded::{GRID, K0, SLOTS, STEP_M, View};
use super::hypotheses::TAG_Z;
use super::pass::Pass;

/// Most steps of settling a tag, and how far it may go, m.
const SETTLING: usize = 6;
const FARTHEST_M: f64 = 0.4;
/// Information that holds a tag where the search had it, (rad/m)²: nothing against a good profile, all against none.
const HOLD: f64 = 20.0;

impl Pass<'_> {
    /// Moves each tag to where its unwrapped phases fit best, by least squares over the aperture: the search takes the
    /// place where most phases line up, which coupling that bends a profile by half a turn puts far away.
    pub fn settle(&self, answers: &mut [Answer]) {
        let antennas = self.antenna_heights();
        for (tag, answer) in answers.iter_mut().enumerate() {
            if !answer.x.is_finite() || !answer.range.is_finite() {
                continue;
            }
            let view = View::new(&antennas, self.face.tiers[answer.tier].board_m + TAG_Z);
            answer.x = self.settled(tag, answer.x, &view);
        }
    }

    /// Least squares from a start.
    fn settled(&self, tag: usize, start: f64, view: &View) -> f64 {
        let mut x = start;
        for _ in 0..SETTLING {
            let g = self.phases(tag, x, view);
            let (mut pull, mut hold) = (0.0, 0.0);
            for s in 0..SLOTS {
                let range = view.out_m.hypot(view.above[s]);
                let points: [(f64, f64, f64); GRID] = std::array::from_fn(|i| {
                    let along = (i as f64 - (GRID as f64 - 1.0) / 2.0) * STEP_M;
                    let d = along.hypot(range);
                    (g.sure[s][i], -K0 * along / d, g.phase[s][i] - K0 * d)
                });
                let weight: f64 = points.iter().map(|p| p.0).sum();
                if weight <= 0.5 {
                    continue;
                }
                let mean = points
                    .iter()
                    .fold((0.0, 0.0), |m, p| (m.0 + p.0 * p.1 / weight, m.1 + p.0 * p.2 / weight));
                for (w, slope, r) in points {
                    pull += w * (slope - mean.0) * (r - mean.1);
                    hold += w * (slope - mean.0).powi(2);
                }
            }
            let step = (pull / (hold + HOLD)).clamp(-0.1, 0.1);
            x = (x + step).clamp(start - FARTHEST_M, start + FARTHEST_M);
            if step.abs() < 0.002 {
                break;
            }
        }
        x
    }
}
