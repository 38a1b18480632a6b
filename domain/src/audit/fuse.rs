//! Sightings of all passes and faces fused to one belief per tag: on which face, on which tier, where along.
//!
//! A tag is read through the back panel and across the aisle, so the faces compete. Passes over one layout err
//! alike and count for less than independent ones.

use std::collections::{BTreeMap, BTreeSet};

use super::stacks::Stacks;
use super::stat::{effective_passes, logit, median};
use super::{AuditSettings, InputProblem};
use crate::sighting::Sighting;
use crate::site::Site;
use crate::uid::Uid;

/// Least probability believed of a tier in one pass.
const TIER_FLOOR: f64 = 1e-7;

/// What all passes over one face say of one tag.
#[derive(Debug, Clone)]
pub struct FaceBelief {
    /// Index into [`Stacks::grids`].
    pub face: usize,
    pub along_m: f64,
    pub along_std_m: f64,
    /// Height above the floor, m: mean of the passes; NaN where none tells it.
    pub height_m: f64,
    /// ln of the tiers' probabilities, tier 1 first, normalised; `None` where the antennas cannot tell.
    pub ln_tier: Option<Vec<f64>>,
    /// What the locator says of the face: logit of its probability, over the passes.
    pub face_logit: f64,
    /// ln of the likelihood ratio of being on this face against not; 0 until `faces` weighs it.
    pub ln_odds: f64,
    pub reads: u32,
    pub rssi_dbm: f64,
    /// Passes over this face that saw it.
    pub passes: u32,
}

/// What is known of one tag.
#[derive(Debug, Clone)]
pub struct Belief {
    pub uid: Uid,
    /// In the order of [`Stacks::grids`].
    pub faces: Vec<FaceBelief>,
    pub reads: u32,
    pub rssi_dbm: f64,
    pub first_ns: i64,
    pub last_ns: i64,
}

impl Belief {
    pub fn on(&self, face: usize) -> Option<&FaceBelief> {
        self.faces.iter().find(|f| f.face == face)
    }
}

/// The usable sightings in an order of their own, so that the inputs' order does not matter; the others are named.
pub fn usable<'a>(
    site: &Site,
    sightings: &'a [Sighting],
    problems: &mut Vec<InputProblem>,
) -> Vec<&'a Sighting> {
    let mut good: Vec<&Sighting> = Vec::with_capacity(sightings.len());
    for s in sightings {
        match sighting_problem(site, s) {
            None => good.push(s),
            Some(reason) => {
                problems.push(InputProblem { scan: s.scan.clone(), uid: Some(s.uid.clone()), reason });
            }
        }
    }
    good.sort_by(|a, b| sighting_order(a, b));
    // The same tag twice in one pass over one face: the one with more reads stays, which the order puts first.
    good.dedup_by(|b, a| {
        let twice = (&a.uid, &a.face, &a.scan) == (&b.uid, &b.face, &b.scan);
        if twice && a != b {
            let reason = "a second sighting in the same pass, expected one".into();
            problems.push(InputProblem { scan: b.scan.clone(), uid: Some(b.uid.clone()), reason });
        }
        twice
    });
    good
}

fn sighting_order(a: &Sighting, b: &Sighting) -> std::cmp::Ordering {
    let bits = |s: &Sighting| s.tier_probability.iter().map(|p| p.to_bits()).collect::<Vec<_>>();
    (&a.uid, &a.face, &a.scan, b.reads, b.stamp_ns)
        .cmp(&(&b.uid, &b.face, &b.scan, a.reads, a.stamp_ns))
        .then_with(|| a.along_m.total_cmp(&b.along_m))
        .then_with(|| a.along_std_m.total_cmp(&b.along_std_m))
        .then_with(|| a.face_probability.total_cmp(&b.face_probability))
        .then_with(|| a.rssi_dbm.total_cmp(&b.rssi_dbm))
        .then_with(|| bits(a).cmp(&bits(b)))
}

fn sighting_problem(site: &Site, s: &Sighting) -> Option<String> {
    if s.uid.as_bytes().is_empty() {
        return Some("uid is empty, expected 1 to 62 bytes".into());
    }
    let Some(id) = &s.face else {
        return Some("face is not given, expected a row face of the site".into());
    };
    let Some((_, face)) = site.face(id) else {
        return Some(format!("face {id}, which the site does not have"));
    };
    if !s.along_m.is_finite() {
        return Some(format!("along_m {}, expected metres", s.along_m));
    }
    if !(s.along_std_m.is_finite() && s.along_std_m >= 0.0) {
        return Some(format!("along_std_m {}, expected metres, 0 or more", s.along_std_m));
    }
    if !(0.0..=1.0).contains(&s.face_probability) {
        return Some(format!("face_probability {}, expected 0 to 1", s.face_probability));
    }
    if s.reads == 0 {
        return Some("reads 0, expected 1 or more".into());
    }
    if s.tier_probability.is_empty() {
        return None;
    }
    if s.tier_probability.len() != face.tiers.len() {
        let (found, tiers) = (s.tier_probability.len(), face.tiers.len());
        return Some(format!("tier_probability of {found} tiers, {id} has {tiers}"));
    }
    if let Some(bad) = s.tier_probability.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        return Some(format!("tier_probability {bad}, expected 0 to 1"));
    }
    (s.tier_probability.iter().sum::<f32>() < 0.5)
        .then(|| "tier_probability adds up to less than 0.5, expected 1".into())
}

/// Face probability, and probability of a tier, from which on a sighting says surely where a book is.
const SURE_FACE: f64 = 0.9;
const SURE_TIER: f32 = 0.95;
/// Places of one face that are so many standard deviations apart, and this much besides, m, are two.
const APART_STDS: f32 = 4.0;
const APART_M: f32 = 0.05;

/// Leaves out what older passes say of books that a later one surely sees elsewhere. `good` in the order of [`usable`],
/// which stays.
pub fn standing<'a>(good: &[&'a Sighting], settings: &AuditSettings) -> Vec<&'a Sighting> {
    let moved_after_ns = (settings.moved_after_min * 60e9) as i64;
    let mut out = Vec::with_capacity(good.len());
    for of_tag in good.chunk_by(|a, b| a.uid == b.uid) {
        let sure = |s: &&&Sighting| f64::from(s.face_probability) >= SURE_FACE && s.stamp_ns.is_some();
        let newest = of_tag.iter().filter(sure).max_by_key(|s| s.stamp_ns);
        let moved = |s: &Sighting| {
            newest.is_some_and(|n| {
                let age = n.stamp_ns.unwrap_or(0).saturating_sub(s.stamp_ns.unwrap_or(i64::MAX));
                age > moved_after_ns && elsewhere(s, n)
            })
        };
        out.extend(of_tag.iter().copied().filter(|s| !moved(s)));
    }
    out
}

/// Whether two sightings of a tag cannot both be right.
fn elsewhere(a: &Sighting, b: &Sighting) -> bool {
    if a.face != b.face {
        return true;
    }
    let apart = (a.along_m - b.along_m).abs() > APART_STDS * a.along_std_m.hypot(b.along_std_m) + APART_M;
    let surely_on = |s: &Sighting| s.tier_probability.iter().position(|p| *p >= SURE_TIER);
    apart || matches!((surely_on(a), surely_on(b)), (Some(a), Some(b)) if a != b)
}

/// One belief per tag, ordered by identifier. `good` as [`standing`] gives it.
pub fn fuse(stacks: &Stacks<'_>, good: &[&Sighting], settings: &AuditSettings) -> Vec<Belief> {
    let offsets = pass_offsets(good);
    let mut beliefs = Vec::new();
    for of_tag in good.chunk_by(|a, b| a.uid == b.uid) {
        let mut faces = Vec::new();
        for of_face in of_tag.chunk_by(|a, b| a.face == b.face) {
            let face = of_face[0].face.as_ref().and_then(|id| stacks.find(id));
            if let Some(face) = face {
                faces.push(fuse_face(face, of_face, &offsets, settings));
            }
        }
        faces.sort_by_key(|f| f.face);
        let stamps = of_tag.iter().filter_map(|s| s.stamp_ns);
        beliefs.push(Belief {
            uid: of_tag[0].uid.clone(),
            reads: of_tag.iter().fold(0u32, |sum, s| sum.saturating_add(s.reads)),
            rssi_dbm: strongest(of_tag.iter().map(|s| f64::from(s.rssi_dbm))),
            first_ns: stamps.clone().min().unwrap_or(0),
            last_ns: stamps.max().unwrap_or(0),
            faces,
        });
    }
    beliefs
}

/// NaN where no RSSI was given.
fn strongest(rssi: impl Iterator<Item = f64>) -> f64 {
    rssi.filter(|r| r.is_finite()).fold(f64::NAN, f64::max)
}

/// What each pass adds to all its positions, m, against the mean of the passes over its face: pose errors shift a
/// whole pass. Only from tags that several passes saw.
fn pass_offsets(good: &[&Sighting]) -> BTreeMap<(String, String), f64> {
    let mut deviations: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
    let mut scans: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for of_face in good.chunk_by(|a, b| (&a.uid, &a.face) == (&b.uid, &b.face)) {
        if of_face.len() < 2 {
            continue;
        }
        let mean = of_face.iter().map(|s| f64::from(s.along_m)).sum::<f64>() / of_face.len() as f64;
        for s in of_face {
            let face = s.face.as_ref().map(ToString::to_string).unwrap_or_default();
            scans.entry(face.clone()).or_default().insert(s.scan.clone());
            deviations.entry((face, s.scan.clone())).or_default().push(f64::from(s.along_m) - mean);
        }
    }
    let mut offsets = BTreeMap::new();
    for (face, names) in scans {
        let mut of_face: Vec<(String, f64)> = Vec::new();
        for name in names {
            let Some(d) = deviations.get_mut(&(face.clone(), name.clone())) else { continue };
            // A few tags do not tell a pass's offset from their own errors.
            let offset = if d.len() >= 10 { median(d).unwrap_or(0.0) } else { 0.0 };
            of_face.push((name, offset));
        }
        let mean = of_face.iter().map(|o| o.1).sum::<f64>() / of_face.len().max(1) as f64;
        offsets.extend(of_face.into_iter().map(|(name, o)| ((face.clone(), name), o - mean)));
    }
    offsets
}

fn fuse_face(
    face: usize,
    passes: &[&Sighting],
    offsets: &BTreeMap<(String, String), f64>,
    settings: &AuditSettings,
) -> FaceBelief {
    let n = passes.len();
    let counts_for = effective_passes(n, settings.pass_independence) / n as f64;
    let name = passes[0].face.as_ref().map(ToString::to_string).unwrap_or_default();
    let (mut weight, mut mean, mut face_logit) = (0.0, 0.0, 0.0);
    let mut places = Vec::with_capacity(n);
    let mut tiers: Option<Vec<f64>> = None;
    for s in passes {
        let offset = offsets.get(&(name.clone(), s.scan.clone())).copied().unwrap_or(0.0);
        let x = f64::from(s.along_m) - offset;
        let w = f64::from(s.along_std_m).max(settings.min_along_std_m).powi(-2);
        places.push((x, w));
        weight += w;
        mean += w * x;
        // A few reads prove little, for or against.
        let credible = (f64::from(s.reads) / f64::from(settings.credible_reads.max(1))).min(1.0);
        face_logit += logit(f64::from(s.face_probability));
        if !s.tier_probability.is_empty() {
            let sum = tiers.get_or_insert_with(|| vec![0.0; s.tier_probability.len()]);
            for (t, p) in sum.iter_mut().zip(&s.tier_probability) {
                *t += credible * counts_for * f64::from(*p).max(TIER_FLOOR).ln();
            }
        }
    }
    mean /= weight;
    let correlated = 1.0 - settings.pass_independence;
    let formal = n as f64 / weight * (correlated + settings.pass_independence / n as f64);
    let scatter = places.iter().map(|(x, w)| w * (x - mean).powi(2)).sum::<f64>() / weight;
    if let Some(t) = &mut tiers {
        normalise_ln(t);
    }
    FaceBelief {
        face,
        along_m: mean,
        along_std_m: formal.max(scatter).sqrt().max(settings.min_along_std_m),
        height_m: mean_height(passes),
        ln_tier: tiers,
        face_logit: face_logit * counts_for,
        ln_odds: 0.0,
        reads: passes.iter().fold(0u32, |sum, s| sum.saturating_add(s.reads)),
        rssi_dbm: strongest(passes.iter().map(|s| f64::from(s.rssi_dbm))),
        passes: n as u32,
    }
}

fn mean_height(passes: &[&Sighting]) -> f64 {
    let known = || passes.iter().map(|s| f64::from(s.height_m)).filter(|h| h.is_finite());
    known().sum::<f64>() / known().count() as f64
}

/// Lets ln p add up to 1 in p.
pub fn normalise_ln(ln_p: &mut [f64]) {
    let top = ln_p.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = ln_p.iter().map(|l| (l - top).exp()).sum();
    ln_p.iter_mut().for_each(|l| *l -= top + sum.ln());
}
