//! Books that lie on top of others: their tags are a hand's breadth higher over the board than those of standing books.
//!
//! The offsets of the antennas are learnt from all tags of a pass, so that the height which most tags have is the usual one,
//! whatever it is; a tag far above it shows in the phases between antennas at different heights. Books on their heads cannot be
//! told in this way (labels sit at different heights of the spine, and a label near the top of a small book is where that of a
//! tall one may be), nor can books that were pushed back: 3 to 8 cm of range hide behind what coupling does to the phase.

use super::answer::Answer;
use super::hypotheses::{Hypothesis, Side, TAG_Y, TAG_Z};
use super::pass::Pass;
use super::reach::Reach;
use super::search::{Grid, score};

/// Step of the places along the face that are tried with each height, m.
const STEP: f32 = 0.012;
/// Only of a tag placed as well as this along the face, m, does the height show.
const WELL_PLACED_M: f64 = 0.1;
/// Fewer tags teach the offsets between antennas too loosely.
const FEWEST_TAGS: usize = 300;
/// Heights over the usual one at which a lying book's tag is looked for, m.
const UP_M: [f32; 3] = [0.10, 0.15, 0.20];
/// By how much a greater height must be likelier (natural logarithm) to be as likely as not, where one book in 300 lies, and what
/// turns the odds by e: by simulated shelves. Coupling misleads all reads of a tag together, so much more is asked for than
/// the likelihood itself says.
const EVEN_ODDS: f64 = 26.0;
const ODDS: f64 = 5.0;

impl Pass<'_> {
    /// Gives tags that lie rather than stand the height that they show.
    pub fn lay(&self, answers: &mut [Answer]) {
        if answers.len() < FEWEST_TAGS {
            return;
        }
        for (tag, answer) in answers.iter_mut().enumerate() {
            let known = answer.front > 0.5 && answer.x_std < WELL_PLACED_M && answer.z.is_finite();
            if !known || self.observations.of(tag).is_empty() {
                continue;
            }
            let grid = Grid::around(answer.x as f32, STEP);
            let counts = &self.states[tag].counts;
            let reach = Reach::of(self.observations.of(tag), counts, &self.field, grid, None);
            let usual = self.best_at(tag, answer, 0.0, grid, &reach);
            let (mut up_m, mut best) = (0.0, usual);
            for up in UP_M {
                let log = self.best_at(tag, answer, up, grid, &reach);
                if log > best {
                    (up_m, best) = (up, log);
                }
            }
            answer.lying = 1.0 / (1.0 + ((EVEN_ODDS - f64::from(best - usual)) / ODDS).exp());
            if answer.lying > 0.5 {
                answer.z = self.face.tiers[answer.tier].board_m + TAG_Z + f64::from(up_m);
            }
        }
    }

    /// Log-likelihood of a tag so far above the usual height, m, at the best place of a grid.
    fn best_at(&self, tag: usize, answer: &Answer, up_m: f32, grid: Grid, reach: &Reach) -> f32 {
        let line = Hypothesis {
            side: Side::Front,
            tier: answer.tier,
            y: TAG_Y as f32,
            z: (self.face.tiers[answer.tier].board_m + TAG_Z) as f32 + up_m,
            prior: 0.0,
        };
        let scores = score(
            self.observations.of(tag),
            self.observations.temper[tag],
            reach,
            &line,
            grid,
            &self.model(1.0),
        );
        scores.log.iter().copied().fold(f32::NEG_INFINITY, f32::max)
    }
}
