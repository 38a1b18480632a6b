//! A robot's pass along a row face: where on the face each tag is, on which tier, and what the pass has covered.

use std::collections::BTreeSet;

use domain::{Coverage, Scan, Sighting};
use serde::{Deserialize, Serialize};

use crate::cells::{Cells, ReadProblems};
use crate::face::coverage::{self, Active, Counted};
use crate::face::field::{Field, Known};
use crate::face::hypotheses::{Hypothesis, Side, TAG_Y, TAG_Z, hypotheses};
use crate::face::observations::Observations;
use crate::face::offsets::{Place, synchronise};
use crate::face::search::{Grid, Line, Model, score};
use crate::normal;
use crate::power;
use crate::settings::{FaceGeometry, LocateSettings};

/// What one pass along a face gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaceResult {
    /// One for each tag of the scan, in the scan's order.
    pub sightings: Vec<Sighting>,
    /// One for each tier, from tier 1.
    pub coverage: Vec<Coverage>,
    /// Bad reads by kind.
    pub problems: ReadProblems,
}

/// Rounds of offsets from places and places from offsets, each with the share of the phase's precision that it
/// trusts: the first places are too rough to bet on.
const ROUNDS: [f32; 6] = [0.3, 0.5, 0.7, 1.0, 1.0, 1.0];
/// Steps of the grids along the face, m: the rounds reach ±0.5 m from the place that power gives, the last ±0.25 m.
const COARSE_STEP: f32 = 0.016;
const FINE_STEP: f32 = 0.008;
/// Candidate lines this much less likely than the best (natural logarithm) are out of the last search.
const HOPELESS: f32 = 12.0;
/// Tier probabilities are taken to the power of one over this: measured on simulated shelves, so that of the books
/// given 90% on a tier nine in ten stand there.
const EVEN_TIERS: f64 = 2.0;
/// Coupling that bends a profile by so many radians moves the tag by this many times the distance which that phase
/// makes at the flank of the profile: the part that looks like a shift (simulated shelves, 22 mm books).
const SWALLOWED: f64 = 1.6;
/// Observations' worth of the pass's mean phase error in a tag's own.
const ERROR_PRIOR: f64 = 10.0;
/// Independent error of the robot's own place along the face, m.
const POSE_STD: f64 = 0.005;

/// Locates the tags that were read during one pass along a face.
///
/// Expects `antenna_m` in face coordinates (x along, y into the aisle, z up, m), several antennas at
/// different heights or one; carriers may hop. Every tag of `scan.tags` gets a sighting: one without usable reads
/// an even tier probability and a standard deviation of the face's length. Bad reads are left out and counted.
pub fn locate_face(scan: &Scan, face: &FaceGeometry, settings: &LocateSettings) -> FaceResult {
    let cells = Cells::build(scan, settings.cell_m, 0, settings.pi_ambiguous);
    let observations = Observations::new(&cells, settings.coupling_length_m, settings.pi_ambiguous);
    let mut pass = Pass::new(&cells, &observations, face, settings);
    pass.start();
    for share in ROUNDS {
        pass.round(share);
    }
    let answers = pass.answers();
    let sightings = sightings(scan, face, &cells, &answers);
    let counted: Vec<Counted> = answers
        .iter()
        .zip(&cells.tags)
        .filter(|(a, t)| a.front > 0.5 && t.reads > 0)
        .map(|(a, t)| Counted {
            x: a.x,
            tier: a.tier,
            reads: f64::from(t.reads),
            sure: a.front * a.tiers[a.tier],
        })
        .collect();
    let coverage =
        coverage::coverage(&scan.name, face, &counted, &activity(scan), settings.coverage_bin_m.max(0.01));
    FaceResult { sightings, coverage, problems: cells.problems }
}

/// The state of the joint search.
struct Pass<'a> {
    cells: &'a Cells,
    observations: &'a Observations,
    face: &'a FaceGeometry,
    candidates: Vec<Hypothesis>,
    /// Where power alone puts each tag along the face; `None` without reads.
    start_x: Vec<Option<f32>>,
    /// Best place so far, by tag.
    places: Vec<Place>,
    /// Best tier so far and its probability, by tag.
    tiers: Vec<(usize, f32)>,
    /// Observations by antenna, by tag.
    counts: Vec<Vec<u32>>,
    /// Resultant length of its phases at the best place, by tag.
    coherence: Vec<f32>,
    /// Mean square of the phase error over the tags of the face, rad².
    usual_error: f64,
    offsets: Vec<f32>,
    field: Field,
    precision: f32,
}

/// What is known of one tag in the end.
struct Answer {
    x: f64,
    x_std: f64,
    z: f64,
    range: f64,
    /// Index of the most probable tier.
    tier: usize,
    tiers: Vec<f64>,
    front: f64,
}

impl<'a> Pass<'a> {
    fn new(
        cells: &'a Cells,
        observations: &'a Observations,
        face: &'a FaceGeometry,
        settings: &LocateSettings,
    ) -> Self {
        let start_x: Vec<Option<f32>> = (0..cells.tags.len())
            .map(|t| {
                let points = observations.of(t).iter().map(|o| (f64::from(o.at[0]), f64::from(o.rssi)));
                power::centroid(points).map(|x| x as f32)
            })
            .collect();
        Self {
            cells,
            observations,
            face,
            candidates: hypotheses(face, settings),
            places: start_x
                .iter()
                .map(|x| Place { at: [x.unwrap_or(0.0), 0.0, 0.0], trust: 0.0, loose: [0.1, 0.1] })
                .collect(),
            start_x,
            tiers: vec![(0, 0.0); cells.tags.len()],
            counts: (0..cells.tags.len()).map(|t| counts(observations, t)).collect(),
            coherence: vec![0.0; cells.tags.len()],
            usual_error: settings.coupling_rms_rad.powi(2),
            offsets: vec![0.0; observations.groups],
            field: Field::new(&nearest(observations, face), face.tiers.len()),
            precision: 1.0 / settings.coupling_rms_rad.powi(2).max(1e-3) as f32,
        }
    }

    /// Places from power alone, the field's law learnt on the way.
    fn start(&mut self) {
        for _ in 0..2 {
            self.search(0.0);
            self.learn_field();
        }
    }

    fn round(&mut self, share: f32) {
        synchronise(self.observations, &self.places, &mut self.offsets, if share < 0.6 { 30 } else { 8 });
        self.search(share);
        self.learn_field();
    }

    fn learn_field(&mut self) {
        let near: Vec<Known<'_>> = (0..self.places.len())
            .filter(|&t| self.places[t].trust > 0.0)
            .map(|t| Known {
                observations: self.observations.of(t),
                at: self.places[t].at,
                tier: self.tiers[t].0,
                sure: self.tiers[t].1,
            })
            .collect();
        self.field.learn(&near);
    }

    fn model(&self, share: f32) -> Model<'_> {
        Model { offsets: &self.offsets, field: &self.field, phase_precision: share * self.precision }
    }

    /// The likeliest place of every tag under the offsets as they are.
    fn search(&mut self, share: f32) {
        let mut places = std::mem::take(&mut self.places);
        let mut tiers = std::mem::take(&mut self.tiers);
        let mut coherence = std::mem::take(&mut self.coherence);
        let model = self.model(share);
        for (tag, place) in places.iter_mut().enumerate() {
            let Some(x) = self.start_x[tag] else { continue };
            let grid = Grid::around(x, COARSE_STEP);
            let mut best = (f32::NEG_INFINITY, 0.0);
            let mut by_tier = vec![f32::NEG_INFINITY; self.face.tiers.len()];
            for h in &self.candidates {
                let line = score(
                    self.observations.of(tag),
                    self.observations.temper[tag],
                    &self.counts[tag],
                    h,
                    grid,
                    &model,
                );
                for (i, &log) in line.log.iter().enumerate() {
                    by_tier[h.tier] = by_tier[h.tier].max(log);
                    if log > best.0 {
                        best = (log, line.coherence[i]);
                        place.at = [grid.at(i), h.y, h.z];
                        tiers[tag].0 = h.tier;
                        place.trust = if h.side == Side::Front { 1.0 } else { 0.0 };
                    }
                }
            }
            tiers[tag].1 = 1.0 / by_tier.iter().map(|log| (log - best.0).exp()).sum::<f32>().max(1.0);
            if share > 0.0 {
                coherence[tag] = best.1;
                place.trust *= best.1 * best.1;
                place.loose = [0.01, 0.01];
            } else {
                place.loose = [0.06, 0.06];
            }
        }
        self.places = places;
        self.tiers = tiers;
        self.coherence = coherence;
    }

    fn answers(&mut self) -> Vec<Answer> {
        let (mut sum, mut n) = (0.0, 0.0);
        for tag in (0..self.places.len()).filter(|&t| self.places[t].trust > 0.0) {
            let weight = self.observations.of(tag).len() as f64;
            sum += weight * self.phase_error(tag);
            n += weight;
        }
        if n > 0.0 {
            self.usual_error = sum / n;
        }
        (0..self.cells.tags.len()).map(|t| self.answer(t)).collect()
    }

    /// Square of a tag's phase error, rad², from the coherence that its place left.
    fn phase_error(&self, tag: usize) -> f64 {
        -2.0 * f64::from(self.coherence[tag]).clamp(0.05, 1.0).ln()
    }

    /// Variance of x from the part of the coupling that looks like a shift, m².
    fn coupling_variance(&self, tag: usize, x: f64) -> f64 {
        let observations = self.observations.of(tag);
        let n = observations.len() as f64;
        let error = (n * self.phase_error(tag) + ERROR_PRIOR * self.usual_error) / (n + ERROR_PRIOR);
        let [_, y, z] = self.places[tag].at.map(f64::from);
        let flank: f64 = observations
            .iter()
            .map(|o| {
                let d = o.at.map(f64::from);
                let dx = d[0] - x;
                let range = (dx * dx + (d[1] - y).powi(2) + (d[2] - z).powi(2)).sqrt();
                (std::f64::consts::TAU * f64::from(o.per_m) * dx / range.max(1e-3)).powi(2)
            })
            .sum::<f64>()
            / n;
        // A tag seen from its perpendicular alone has no flank: no steeper bound than a tenth of the slope.
        let steepest =
            (std::f64::consts::TAU * observations.first().map_or(6.0, |o| f64::from(o.per_m))).powi(2);
        SWALLOWED * SWALLOWED * error / flank.max(0.01 * steepest)
    }

    fn answer(&self, tag: usize) -> Answer {
        let tiers = self.face.tiers.len();
        let observations = self.observations.of(tag);
        if observations.is_empty() || self.candidates.is_empty() {
            return Answer {
                x: self.start_x[tag].map_or(self.face.length_m / 2.0, f64::from),
                x_std: self.face.length_m.max(0.1),
                z: f64::NAN,
                range: f64::NAN,
                tier: 0,
                tiers: vec![1.0 / tiers.max(1) as f64; tiers],
                front: 0.5,
            };
        }
        let model = self.model(1.0);
        let grid = Grid::around(self.places[tag].at[0], FINE_STEP);
        let lines: Vec<Line> = self
            .candidates
            .iter()
            .map(|h| score(observations, self.observations.temper[tag], &self.counts[tag], h, grid, &model))
            .collect();
        let top = lines.iter().flat_map(|l| l.log).fold(f32::NEG_INFINITY, f32::max);
        let masses: Vec<f64> = lines
            .iter()
            .map(|l| l.log.iter().filter(|v| **v > top - HOPELESS).map(|v| f64::from(v - top).exp()).sum())
            .collect();
        let of = |keep: &dyn Fn(&Hypothesis) -> bool| -> f64 {
            self.candidates.iter().zip(&masses).filter(|(h, _)| keep(h)).map(|(_, m)| m).sum()
        };
        let all: f64 = masses.iter().sum();
        let front = of(&|h| h.side == Side::Front) / all;
        let side = [Side::Front, Side::Behind, Side::Across]
            .into_iter()
            .max_by(|a, b| of(&|h| h.side == *a).total_cmp(&of(&|h| h.side == *b)))
            .unwrap_or(Side::Front);
        // The tiers under the likeliest side, evened: coupling misleads all reads of a tag together.
        let share = |t| of(&|h| h.side == side && h.tier == t) / all + 1e-6;
        let mut by_tier: Vec<f64> = (0..tiers).map(|t| share(t).powf(1.0 / EVEN_TIERS)).collect();
        let sum: f64 = by_tier.iter().sum();
        by_tier.iter_mut().for_each(|p| *p /= sum);
        let tier = (0..tiers).max_by(|&a, &b| by_tier[a].total_cmp(&by_tier[b]).then(b.cmp(&a))).unwrap_or(0);
        let (mut x, mut x2, mut z, mut y, mut mass) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (h, line) in self.candidates.iter().zip(&lines) {
            if h.side != side || h.tier != tier {
                continue;
            }
            for (i, v) in line.log.iter().enumerate().filter(|(_, v)| **v > top - 2.0 * HOPELESS) {
                let (m, at) = (f64::from(v - top).exp(), f64::from(grid.at(i)));
                mass += m;
                x += m * at;
                x2 += m * at * at;
                z += m * f64::from(h.z);
                y += m * f64::from(h.y);
            }
        }
        if mass <= 0.0 {
            mass = 1.0;
        }
        let (x, z, y) = (x / mass, z / mass, y / mass);
        let variance = (x2 / mass - x * x).max(0.0) + self.coupling_variance(tag, x) + POSE_STD * POSE_STD;
        let nearest = observations
            .iter()
            .map(|o| (f64::from(o.at[1]) - y).hypot(f64::from(o.at[2]) - z))
            .fold(f64::INFINITY, f64::min);
        Answer { x, x_std: variance.sqrt(), z, range: nearest, tier, tiers: by_tier, front }
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
        .flat_map(|[y, z]| face.tiers.iter().map(move |t| (y - TAG_Y).hypot(z - t.board_m - TAG_Z[1]) as f32))
        .collect()
}

fn counts(observations: &Observations, tag: usize) -> Vec<u32> {
    let mut counts = vec![0; observations.antennas];
    for o in observations.of(tag) {
        counts[o.antenna as usize] += 1;
    }
    counts
}

fn sightings(scan: &Scan, face: &FaceGeometry, cells: &Cells, answers: &[Answer]) -> Vec<Sighting> {
    // Tags of the face rank among themselves; so do those of other faces, tier by tier.
    let mut order: Vec<usize> = (0..answers.len()).collect();
    let place = |t: usize| (answers[t].front <= 0.5, answers[t].tier);
    order.sort_by(|&a, &b| {
        place(a)
            .cmp(&place(b))
            .then(answers[a].x.total_cmp(&answers[b].x))
            .then(scan.tags[a].cmp(&scan.tags[b]))
    });
    let mut rank = vec![(0u32, 1.0f32); answers.len()];
    for tier in order.chunk_by(|&a, &b| place(a) == place(b)) {
        for (i, pair) in tier.windows(2).enumerate() {
            let (l, r) = (&answers[pair[0]], &answers[pair[1]]);
            rank[pair[1]] = (i as u32 + 1, normal::below((r.x - l.x) / l.x_std.hypot(r.x_std)) as f32);
        }
    }
    answers
        .iter()
        .enumerate()
        .map(|(t, a)| Sighting {
            uid: scan.tags[t].clone(),
            scan: scan.name.clone(),
            face: Some(face.face.clone()),
            stamp_ns: cells.tags[t].last_stamp,
            along_m: a.x as f32,
            along_std_m: a.x_std as f32,
            range_m: a.range as f32,
            height_m: a.z as f32,
            tier_probability: a.tiers.iter().map(|&p| p as f32).collect(),
            face_probability: a.front as f32,
            rank: rank[t].0,
            rank_confidence: rank[t].1,
            reads: cells.tags[t].reads,
            rssi_dbm: cells.tags[t].rssi_max,
        })
        .collect()
}

/// Where the antennas were at work: one spot for each 20 ms (each centimetre, without a clock) in which a port read
/// anything at all.
fn activity(scan: &Scan) -> Vec<Active> {
    const SLOT_NS: i64 = 20_000_000;
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for r in &scan.reads {
        if !r.antenna_m.iter().all(|v| v.is_finite()) {
            continue;
        }
        let slot =
            r.stamp_ns.map_or_else(|| (r.antenna_m[0] * 100.0).round() as i64, |t| t.div_euclid(SLOT_NS));
        if seen.insert((slot, r.antenna)) {
            out.push(Active { x: f64::from(r.antenna_m[0]), z: f64::from(r.antenna_m[2]), slots: 1.0 });
        }
    }
    out
}
