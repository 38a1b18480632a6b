//! The joint search over a pass: offsets from places, places from offsets, round after round.

use super::field::{Field, Known};
use super::hypotheses::{Hypothesis, Side, TAG_Y, TAG_Z, hypotheses};
use super::observations::{Observation, Observations};
use super::offsets::{Place, synchronise};
use super::reach::{Reach, Way};
use super::search::{Grid, Model, POINTS, score};
use crate::power;
use crate::settings::{FaceGeometry, LocateSettings};

/// Rounds of offsets from places and places from offsets, each with the share of the phase's precision that it
/// trusts: the first places are too rough to bet on.
const ROUNDS: [f32; 6] = [0.3, 0.5, 0.7, 1.0, 1.0, 1.0];
/// Step of the rounds' grid along the face, m: it reaches ±0.5 m from the place that power gives. The peak of the
/// likelihood of a whole profile is a decimetre wide.
const STEP: f32 = 0.032;
/// While the antennas are still going the grid is wider, and its middle lies so much further on, m.
const WIDE_STEP: f32 = 0.048;
const AHEAD_M: f32 = 0.4;
/// Candidate lines far below the best are left out for good: this much less likely (natural logarithm), from the round
/// that trusts the phase so much, and before it, once power's law is learnt.
const TRUSTING: f32 = 0.7;
const DEAD: f32 = 20.0;
const DEAD_BY_POWER: f32 = 30.0;

/// What is thought of one tag so far.
#[derive(Debug, Clone)]
pub(crate) struct State {
    /// Where power alone puts it along the face, m; `None` without reads.
    pub start_x: Option<f32>,
    pub place: Place,
    /// Index of its tier, and the probability of that.
    pub tier: usize,
    pub sure: f32,
    /// Resultant length of its phases at the place, 0 to 1.
    pub coherence: f32,
    /// Observations by antenna.
    pub counts: Vec<u32>,
    /// Candidate lines still worth a search.
    pub alive: Vec<bool>,
}

/// The state of the joint search.
pub(crate) struct Pass<'a> {
    pub observations: &'a Observations,
    pub face: &'a FaceGeometry,
    pub candidates: Vec<Hypothesis>,
    /// By tag.
    pub states: Vec<State>,
    /// By antenna and carrier pair, turns.
    pub(super) offsets: Vec<f32>,
    pub(super) field: Field,
    precision: f32,
    /// From where and how far the antennas have gone along the face, m, while they are still going.
    pub driven: Option<[f32; 2]>,
    /// Square of the phase error to expect where none was measured, rad².
    pub expected_error: f64,
}

impl<'a> Pass<'a> {
    pub fn new(observations: &'a Observations, face: &'a FaceGeometry, settings: &LocateSettings) -> Self {
        let candidates = hypotheses(face, settings);
        let states =
            (0..observations.spans.len()).map(|t| start(observations, t, candidates.len())).collect();
        Self {
            observations,
            face,
            candidates,
            states,
            offsets: vec![0.0; observations.groups],
            field: Field::new(&nearest(observations, face), face.tiers.len()),
            precision: 1.0 / settings.coupling_rms_rad.powi(2).max(1e-3) as f32,
            driven: None,
            expected_error: settings.coupling_rms_rad.powi(2),
        }
    }

    /// Runs all rounds.
    pub fn search_all(&mut self) {
        // From power alone first, its law learnt on the way.
        for _ in 0..2 {
            self.search(0.0);
            self.learn_field();
        }
        for share in ROUNDS {
            let places: Vec<Place> = self.states.iter().map(|s| s.place).collect();
            synchronise(self.observations, &places, &mut self.offsets, if share < TRUSTING { 30 } else { 8 });
            self.search(share);
            self.learn_field();
        }
    }

    /// What there is of the way while the antennas are still going.
    pub(super) fn way(&self) -> Option<Way> {
        self.driven.map(|[from, to]| Way {
            driven_m: [from.min(to), from.max(to)].map(f64::from),
            face_m: self.face.length_m,
        })
    }

    /// What the likelihoods rest on, the phase trusted to the given share.
    pub fn model(&self, share: f32) -> Model<'_> {
        Model { offsets: &self.offsets, field: &self.field, phase_precision: share * self.precision }
    }

    /// What the phase of an observation is off from a tag at a place, turns, offsets taken out, not wrapped.
    pub fn residual_turns(&self, o: &Observation, at: [f64; 3]) -> f64 {
        let d: [f64; 3] = std::array::from_fn(|i| f64::from(o.at[i]) - at[i]);
        let range = (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt();
        f64::from(o.turns - self.offsets[o.group as usize]) - f64::from(o.per_m) * range
    }

    pub(super) fn learn_field(&mut self) {
        let near: Vec<Known<'_>> = self
            .states
            .iter()
            .enumerate()
            .filter(|(_, s)| s.place.trust > 0.0)
            .map(|(t, s)| Known {
                observations: self.observations.of(t),
                at: s.place.at,
                tier: s.tier,
                sure: s.sure,
            })
            .collect();
        self.field.learn(&near);
    }

    /// The likeliest place of every tag under the offsets as they are.
    pub(super) fn search(&mut self, share: f32) {
        let mut states = std::mem::take(&mut self.states);
        let model = self.model(share);
        for (tag, state) in states.iter_mut().enumerate() {
            self.search_tag(tag, state, &model, share);
        }
        self.states = states;
    }

    fn search_tag(&self, tag: usize, state: &mut State, model: &Model<'_>, share: f32) {
        let Some(x) = state.start_x else { return };
        let (observations, temper) = (self.observations.of(tag), self.observations.temper[tag]);
        // What is read so far lies behind the antennas; the tag may be ahead of them.
        let grid = match self.driven {
            None => Grid::around(x, STEP),
            Some([from, to]) => Grid::around(x + AHEAD_M * (to - from).signum(), WIDE_STEP),
        };
        let reach = Reach::of(observations, &state.counts, model.field, grid, self.way());
        let mut top = f32::NEG_INFINITY;
        let mut by_tier = vec![f32::NEG_INFINITY; self.face.tiers.len()];
        let mut by_line = vec![f32::NEG_INFINITY; self.candidates.len()];
        for (c, h) in self.candidates.iter().enumerate().filter(|(c, _)| state.alive[*c]) {
            let line = score(observations, temper, &reach, h, grid, model);
            for (i, &log) in line.log.iter().enumerate() {
                by_line[c] = by_line[c].max(log);
                if log > top {
                    top = log;
                    state.place.at = [grid.at(i) + grid.step * peak(&line.log, i), h.y, h.z];
                    state.place.trust = if h.side == Side::Front { 1.0 } else { 0.0 };
                    state.tier = h.tier;
                    state.coherence = line.coherence[i];
                }
            }
            by_tier[h.tier] = by_tier[h.tier].max(by_line[c]);
        }
        state.sure = 1.0 / by_tier.iter().map(|log| (log - top).exp()).sum::<f32>().max(1.0);
        if share > 0.0 {
            state.place.trust *= state.coherence * state.coherence;
            state.place.loose = [0.01, 0.01];
        } else {
            state.place.loose = [0.06, 0.06];
        }
        if share >= TRUSTING || self.field.is_learnt() {
            let dead = if share >= TRUSTING { DEAD } else { DEAD_BY_POWER };
            state.alive.iter_mut().zip(&by_line).for_each(|(a, log)| *a &= *log > top - dead);
        }
    }
}

/// How far the top of the parabola through three points lies from the middle one, in steps.
fn peak(log: &[f32; POINTS], i: usize) -> f32 {
    if i == 0 || i + 1 == POINTS {
        return 0.0;
    }
    let (left, right) = (log[i - 1] - log[i], log[i + 1] - log[i]);
    let bend = left + right;
    if bend < 0.0 { (0.5 * (left - right) / bend).clamp(-0.5, 0.5) } else { 0.0 }
}

fn start(observations: &Observations, tag: usize, candidates: usize) -> State {
    let points = observations.of(tag).iter().map(|o| (f64::from(o.at[0]), f64::from(o.rssi)));
    let start_x = power::centroid(points).map(|x| x as f32);
    let mut counts = vec![0; observations.antennas];
    for o in observations.of(tag) {
        counts[o.antenna as usize] += 1;
    }
    State {
        start_x,
        place: Place { at: [start_x.unwrap_or(0.0), 0.0, 0.0], trust: 0.0, loose: [0.1, 0.1] },
        tier: 0,
        sure: 0.0,
        coherence: 0.0,
        counts,
        alive: vec![true; candidates],
    }
}

/// Distance of each antenna to each tier's tags as it passes them, m, by antenna and tier.
fn nearest(observations: &Observations, face: &FaceGeometry) -> Vec<f32> {
    let mut means = vec![([0f64; 2], 0.0f64); observations.antennas];
    for o in &observations.all {
        let (sum, n) = &mut means[o.antenna as usize];
        *sum = [sum[0] + f64::from(o.at[1]), sum[1] + f64::from(o.at[2])];
        *n += 1.0;
    }
    let spots = means.iter().map(|(s, n)| s.map(|v| v / n.max(1.0)));
    spots
        .flat_map(|[y, z]| face.tiers.iter().map(move |t| (y - TAG_Y).hypot(z - t.board_m - TAG_Z) as f32))
        .collect()
}
