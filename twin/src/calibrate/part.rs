//! Parts of known faces, passed again in simulation along the antennas' measured way.

use domain::{Read, Scan, Uid};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::FEWEST_TAGS;
use super::known_face::{KnownFace, TAG_M};
use super::profiles::{KnownTag, Profiles, profiles};
use crate::radio::{AntennaPose, HopPlan, Panel, Reader, ShelfFront, TagField, TagPlacement};

/// Stretch of the way that counts as one place of an antenna, m.
const STEP_M: f64 = 0.04;
/// A part of a face that is passed again: so long, so many tiers, with books so far beside it, and antennas heard so far
/// before and after it, m.
const PART_M: f64 = 0.8;
const PART_TIERS: usize = 3;
const BESIDE_M: f64 = 0.2;
const HEARD_M: f64 = 0.45;
/// Tags over their boards: the lowest, how much higher others are, and how deep behind the edge they may be, m.
const TAGS_M: [[f64; 2]; 3] = [[0.03, 0.08], [0.0, 0.10], [0.0, 0.03]];
/// An antenna is at a tag's height within this, m: it is its tier's, as is the nearest where there are fewer than tiers.
const LEVEL_M: f64 = 0.2;
/// Time step of a simulated pass, ns.
const STEP_NS: i64 = 20_000_000;
/// Standard deviation of a book's place against what the catalogue says, m.
const PLACE_STD_M: f64 = 0.003;
/// The robot's error stays alike over this far, m.
const WANDER_M: f64 = 0.5;

/// A part of a known face, with the way of the antennas along it.
pub(super) struct Part {
    pub(super) scan: Scan,
    /// Those in the part itself come first.
    pub(super) known: Vec<KnownTag>,
    pub(super) within: usize,
    boards_m: Vec<f64>,
    depth_m: f64,
    pub(super) plan: HopPlan,
    ways: Vec<Way>,
    pub(super) time_ns: [i64; 2],
    speed_m_s: f64,
}

/// The way of one antenna.
struct Way {
    port: u8,
    /// Where it was when it read, by time: ns and m.
    places: Vec<(i64, [f64; 3])>,
}

/// Parts are simulated out of earshot of each other: where the front of each is, m.
fn origin_m(index: usize) -> f64 {
    40.0 * index as f64
}

/// Evenly between two bounds.
pub(super) fn even(rng: &mut impl Rng, [low, high]: [f64; 2]) -> f64 {
    low + (high - low) * rng.random::<f64>()
}

/// Parts of a face, from the left, tiers by and by.
pub(super) fn parts_of(face: &KnownFace) -> Vec<Part> {
    let across = ((face.length_m / PART_M) as usize).max(1);
    let up = face.boards_m.len().div_ceil(PART_TIERS);
    let mut parts = Vec::new();
    for a in 0..across {
        let from = a as f64 * face.length_m / across as f64;
        let to = (from + PART_M).min(face.length_m);
        for u in 0..up {
            // The last tiers that fit: parts at the top may share a tier with the one below.
            let first = (u * PART_TIERS).min(face.boards_m.len().saturating_sub(PART_TIERS));
            parts.extend(part_of(face, [from, to], first..first + PART_TIERS));
        }
    }
    parts
}

fn part_of(face: &KnownFace, [from, to]: [f64; 2], tiers: std::ops::Range<usize>) -> Option<Part> {
    let here = face.known.iter().zip(face.tiers.iter().zip(&face.near));
    let here = here.filter(|(k, (tier, _))| {
        tiers.contains(tier) && (from - BESIDE_M..to + BESIDE_M).contains(&k.place_m[0])
    });
    let (counted, others): (Vec<_>, Vec<_>) =
        here.partition(|(k, (_, near))| **near && (from..to).contains(&k.place_m[0]));
    let within = counted.len();
    if within < FEWEST_TAGS {
        return None;
    }
    let known: Vec<KnownTag> = counted.into_iter().chain(others).map(|(k, _)| *k).collect();
    let heard = (from - HEARD_M) as f32..(to + HEARD_M) as f32;
    let near: Vec<&Read> = face.scan.reads.iter().filter(|r| heard.contains(&r.antenna_m[0])).collect();
    let stamps = || near.iter().filter_map(|r| r.stamp_ns);
    let time_ns = [stamps().min()?, stamps().max()?];
    let mut way: std::collections::BTreeMap<u8, Vec<(i64, [f64; 3])>> = std::collections::BTreeMap::new();
    for r in &near {
        way.entry(r.antenna).or_default().push((r.stamp_ns?, r.antenna_m.map(f64::from)));
    }
    way.values_mut().for_each(|w| w.sort_by_key(|p| p.0));
    let ways = way.into_iter().map(|(port, places)| Way { port, places }).collect();
    let speed_m_s = f64::from(heard.end - heard.start) / ((time_ns[1] - time_ns[0]).max(1) as f64 * 1e-9);
    let mut of_tag = vec![false; face.scan.tags.len()];
    known.iter().for_each(|k| of_tag[k.tag as usize] = true);
    let reads = near.into_iter().filter(|r| of_tag[r.tag as usize]).copied().collect();
    let scan = Scan { name: face.scan.name.clone(), tags: face.scan.tags.clone(), reads };
    let (boards_m, depth_m, plan) = (face.boards_m.clone(), face.depth_m, face.plan);
    Some(Part { scan, known, within, boards_m, depth_m, plan, ways, time_ns, speed_m_s })
}

impl Part {
    /// Puts the part's tags and steel into a field of all parts, each at its own [`origin_m`].
    pub(super) fn build(
        &self,
        index: usize,
        drawn: bool,
        rng: &mut ChaCha8Rng,
        tags: &mut Vec<TagPlacement>,
        panels: &mut Vec<Panel>,
        fronts: &mut Vec<ShelfFront>,
    ) {
        let y = origin_m(index);
        let [low, over, deep] = TAGS_M.map(|range| even(rng, range));
        for k in &self.known {
            let mut at = k.place_m;
            if drawn {
                at[0] += PLACE_STD_M * rng.sample::<f64, _>(StandardNormal);
                at[1] = -deep * rng.random::<f64>();
                at[2] += low + over * rng.random::<f64>() - TAG_M[0];
            }
            tags.push(TagPlacement {
                // A tag may be in two parts: of each it is another one. Four bytes always make an identifier.
                uid: Uid::new(&(tags.len() as u32).to_be_bytes()).unwrap_or_default(),
                position_m: [at[0], at[1] + y, at[2]],
                axis: [0.0, 0.0, 1.0],
                outward: [0.0, 1.0, 0.0],
                front: Some(index as u32),
                needs_db: 0.0,
            });
        }
        let [first, last] = self.ends();
        let top = self.boards_m.last().copied().unwrap_or(0.0) + 0.4;
        let back = y - self.depth_m;
        panels.push(Panel { from_m: [first, back], to_m: [last, back], z_m: [0.0, top], loss_db: 15.0 });
        fronts.push(ShelfFront { origin_m: [0.0, y], outward: [0.0, 1.0], boards_m: self.boards_m.clone() });
    }

    /// What antennas at about their height saw of the part's books. Those of other tiers hear them the less, the more tags
    /// there are to be asked, and more stand on a floor than are simulated here.
    pub(super) fn seen(&self, scan: &Scan) -> Profiles {
        let known = &self.known[..self.within];
        let mut made = profiles(scan, known, STEP_M);
        let height = |w: &Way| w.places.first().map_or(f64::INFINITY, |at| at.1[2]);
        made.all.retain(|p| {
            let off = |w: &Way| (height(w) - known[p.known].place_m[2]).abs();
            let own = self.ways.iter().find(|w| w.port == p.antenna).map_or(f64::INFINITY, off);
            own < LEVEL_M || self.ways.iter().all(|w| own <= off(w))
        });
        made
    }

    fn ends(&self) -> [f64; 2] {
        let x = || self.known.iter().map(|k| k.place_m[0]);
        [x().fold(f64::INFINITY, f64::min) - BESIDE_M, x().fold(f64::NEG_INFINITY, f64::max) + BESIDE_M]
    }

    /// Goes the measured way; the robot believes itself to be a little beside it.
    pub(super) fn drive(
        &self,
        field: &TagField,
        reader: &mut Reader,
        [index, first]: [usize; 2],
        wander: f64,
        rng: &mut impl Rng,
    ) -> Scan {
        let origin = origin_m(index);
        let mut scan = Scan { name: self.scan.name.clone(), tags: self.scan.tags.clone(), reads: vec![] };
        let keep = libm::exp(-self.speed_m_s * STEP_NS as f64 * 1e-9 / WANDER_M);
        let fresh = wander * (1.0 - keep * keep).sqrt();
        let (mut error, mut reads) = ([0.0f64; 2], Vec::new());
        let mut now = self.time_ns[0];
        while now <= self.time_ns[1] {
            let poses: Vec<AntennaPose> = self
                .ways
                .iter()
                .map(|w| {
                    let [x, y, z] = w.at(now);
                    AntennaPose { port: w.port, position_m: [x, y + origin, z], boresight: [0.0, -1.0, 0.0] }
                })
                .collect();
            reader.advance(field, now, &poses, &mut reads);
            error = error.map(|e| keep * e + fresh * rng.sample::<f64, _>(StandardNormal));
            for r in reads.drain(..) {
                let known = (r.tag as usize).checked_sub(first).and_then(|t| self.known.get(t));
                let way = self.ways.iter().find(|w| w.port == r.port);
                let (Some(known), Some(way)) = (known, way) else { continue };
                let [x, y, z] = way.at(r.stamp_ns);
                scan.reads.push(Read {
                    stamp_ns: Some(r.stamp_ns),
                    tag: known.tag,
                    antenna: r.port,
                    frequency_hz: r.frequency_hz,
                    rssi_dbm: r.rssi_dbm,
                    phase_rad: r.phase_rad,
                    antenna_m: [x + error[0], y + error[1], z].map(|v| v as f32),
                });
            }
            now += STEP_NS;
        }
        scan
    }
}

impl Way {
    /// The place at a moment, straight between the known ones.
    fn at(&self, now: i64) -> [f64; 3] {
        let after = self.places.partition_point(|p| p.0 <= now);
        let known = |i: usize| self.places.get(i);
        let (Some(left), Some(right)) = (known(after.saturating_sub(1)), known(after)) else {
            return self.places.last().map_or([0.0; 3], |p| p.1);
        };
        let share = ((now - left.0) as f64 / (right.0 - left.0).max(1) as f64).clamp(0.0, 1.0);
        std::array::from_fn(|i| left.1[i] + share * (right.1[i] - left.1[i]))
    }
}
