//! A robot's pass along a row face: where on the face each tag is, on which tier, and what the pass has covered.

use domain::{Coverage, Scan, Sighting};
use serde::{Deserialize, Serialize};

use crate::cells::{Cells, ReadProblems, TagReads};
use crate::decoder::{self, FaceWindow, Weights};
use crate::face::activity::activity;
use crate::face::answer::Answer;
use crate::face::coverage::{self, Counted};
use crate::face::observations::Observations;
use crate::face::pass::Pass;
use crate::hf::{self, HfPass, Shelf};
use crate::normal;
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

/// Locates the tags that were read during one pass along a face.
///
/// Expects `antenna_m` in face coordinates (x along, y into the aisle, z up, m), several antennas at
/// different heights or one; carriers may hop. Every tag of `scan.tags` gets a sighting: one without usable reads
/// an even tier probability and a standard deviation of the face's length. Bad reads are left out and counted. A pass whose
/// reads have an HF carrier (13.56 MHz) is located by the read zone of its plates; neither phase nor power is asked for.
pub fn locate_face(scan: &Scan, face: &FaceGeometry, settings: &LocateSettings) -> FaceResult {
    if hf::is_hf(scan) && !face.tiers.is_empty() {
        return locate_hf(scan, face, settings);
    }
    let cells = Cells::build(scan, settings.cell_m, settings.pi_ambiguous);
    let observations = Observations::new(&cells, settings.coupling_length_m, settings.pi_ambiguous);
    let mut pass = Pass::new(&observations, face, settings);
    pass.search_all();
    let mut answers = pass.answers();
    if let Some(weights) = decoder::face_weights().filter(|_| settings.decode) {
        pass.settle(&mut answers);
        decode(weights, &pass.windows(&answers), face, &mut answers);
        pass.lay(&mut answers);
    }
    let sightings = sightings(scan, face, &cells.tags, &answers);
    let coverage = coverage_of(scan, face, settings, &cells.tags, &answers, coverage::UHF);
    FaceResult { sightings, coverage, problems: cells.problems }
}

/// A pass of HF readers: places and tiers from the plates' read zone.
fn locate_hf(scan: &Scan, face: &FaceGeometry, settings: &LocateSettings) -> FaceResult {
    let pass = HfPass::new(scan, &Shelf::of(face));
    let answers = pass.answers(&pass.learn());
    let sightings = sightings(scan, face, &pass.tags, &answers);
    let coverage = coverage_of(scan, face, settings, &pass.tags, &answers, coverage::HF);
    FaceResult { sightings, coverage, problems: pass.problems }
}

/// What the pass has covered, from the tags that it located.
fn coverage_of(
    scan: &Scan,
    face: &FaceGeometry,
    settings: &LocateSettings,
    tags: &[TagReads],
    answers: &[Answer],
    reach: coverage::Reach,
) -> Vec<Coverage> {
    let activity = activity(scan);
    let counted: Vec<Counted> = answers
        .iter()
        .zip(tags.iter().zip(&activity.reads))
        .filter(|(a, (t, _))| a.front > 0.5 && t.reads > 0)
        .map(|(a, (t, counts))| Counted {
            x: a.x,
            tier: a.tier,
            reads: f64::from(t.reads.min(*counts)),
            sure: a.front * a.tiers[a.tier],
        })
        .collect();
    let bin_m = settings.coverage_bin_m.max(0.01);
    coverage::coverage(&scan.name, face, &counted, &activity.spots, reach, bin_m)
}

/// Standard deviation over the mean error that the decoder states: 1.25 for a normal error; lessons have longer tails.
const DECODED: f64 = 1.4;

/// What the windows that a tag is in say of it together.
#[derive(Clone, Copy, Default)]
struct Said {
    trust: f64,
    windows: f64,
    move_m: f64,
    classes: [f64; 5],
}

/// Moves each tag to where the decoder puts it, with its tier and side.
fn decode(weights: &Weights, windows: &[FaceWindow], face: &FaceGeometry, answers: &mut [Answer]) {
    // A tag is in several windows, which see different neighbours; the surer one counts more.
    let mut said = vec![Said::default(); answers.len()];
    for window in windows {
        for (&tag, answer) in window.tags.iter().zip(weights.face_answers(window)) {
            let (s, trust) = (&mut said[tag], answer.error_m.powi(-2));
            s.trust += trust;
            s.windows += 1.0;
            s.move_m += trust * answer.move_m;
            s.classes.iter_mut().zip(answer.classes).for_each(|(sum, p)| *sum += trust * p);
        }
    }
    for (answer, said) in answers.iter_mut().zip(said).filter(|(_, s)| s.trust > 0.0) {
        let [below, here, above, other, elsewhere] = said.classes.map(|p| p / said.trust);
        answer.x += said.move_m / said.trust;
        // Windows of one tag err alike: their number makes nothing surer.
        answer.x_std = DECODED * (said.windows / said.trust).sqrt();
        answer.front = 1.0 - elsewhere;
        let from = answer.tier;
        let rest: f64 =
            (0..answer.tiers.len()).filter(|t| t.abs_diff(from) > 1).map(|t| answer.tiers[t]).sum();
        for t in 0..answer.tiers.len() {
            answer.tiers[t] = if t + 1 == from {
                below
            } else if t == from {
                here
            } else if t == from + 1 {
                above
            } else {
                other * answer.tiers[t] / rest.max(1e-12)
            } + 1e-6;
        }
        let sum: f64 = answer.tiers.iter().sum();
        answer.tiers.iter_mut().for_each(|p| *p /= sum);
        let best = (0..answer.tiers.len())
            .max_by(|&a, &b| answer.tiers[a].total_cmp(&answer.tiers[b]).then(b.cmp(&a)));
        if let Some(best) = best.filter(|b| *b != from) {
            answer.z += face.tiers[best].board_m - face.tiers[from].board_m;
            answer.tier = best;
        }
    }
}

/// Windows of the decoder over a pass as the search alone has it.
pub(crate) fn fit_windows(scan: &Scan, face: &FaceGeometry, settings: &LocateSettings) -> Vec<FaceWindow> {
    let cells = Cells::build(scan, settings.cell_m, settings.pi_ambiguous);
    let observations = Observations::new(&cells, settings.coupling_length_m, settings.pi_ambiguous);
    let mut pass = Pass::new(&observations, face, settings);
    pass.search_all();
    let mut answers = pass.answers();
    pass.settle(&mut answers);
    pass.windows(&answers)
}

pub(crate) fn sightings(
    scan: &Scan,
    face: &FaceGeometry,
    tags: &[TagReads],
    answers: &[Answer],
) -> Vec<Sighting> {
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
            stamp_ns: tags[t].last_stamp,
            along_m: a.x as f32,
            along_std_m: a.x_std as f32,
            range_m: a.range as f32,
            height_m: a.z as f32,
            tier_probability: a.tiers.iter().map(|&p| p as f32).collect(),
            face_probability: a.front as f32,
            rank: rank[t].0,
            rank_confidence: rank[t].1,
            reads: tags[t].reads,
            rssi_dbm: tags[t].rssi_max,
        })
        .collect()
}
