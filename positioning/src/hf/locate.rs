//! Places and tiers of the tags of an HF pass.

use std::collections::BTreeMap;

use domain::Scan;

use super::exposure::{Plate, plates};
use super::zone::{REACH_X, REACH_Z, Tally, Zone};
use crate::cells::{ReadProblems, TagReads};
use crate::face::answer::Answer;
use crate::settings::FaceGeometry;

/// Step of the places that are tried, m.
const STEP_M: f64 = 0.0025;
/// Steps of the coarser grid, on which tiers are compared.
const COARSE: i64 = 4;
/// A tag is looked for this far beyond the middle of its reads, m.
const ASIDE_M: f64 = 0.30;
/// Turns of zone and places, and how many tags take part in them.
const TURNS: usize = 5;
const CLASS: usize = 300;
/// A tag's own zone may be so much wider or narrower than the usual one: tags differ in depth, threshold and neighbours.
/// Logarithms of how likely that is beforehand.
const WIDTHS: [f64; 5] = [0.7, 0.85, 1.0, 1.18, 1.4];
const WIDTH_LOG: [f64; 5] = [-2.0, -0.5, 0.0, -0.5, -2.0];
const USUAL: usize = 2;
/// Rounds come regularly, which Poisson counts do not know, and neighbours bend the zone: a read counts as this many independent ones
/// (chosen on simulated shelves, so that two in three errors lie within the deviation).
const WORTH: f64 = 1.1;
/// Independent error of the robot's own place along the face, m.
const POSE_STD: f64 = 0.005;
/// Height of a tag's middle above its board, m: books are tagged between the foot and half their height.
const TAG_UP_M: f64 = 0.08;
/// What leaks to another face through a steel panel at 13.56 MHz: nothing worth speaking of.
const FRONT: f64 = 0.99;

/// A read that can be used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub port: u8,
    pub stamp_ns: Option<i64>,
    pub x: f64,
    pub z: f64,
}

/// Where tags can be: along x, and at which heights.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    /// Heights of the tiers' tags, m; none outside any site.
    tiers: Vec<f64>,
    /// Left and right end, m; outside any site, those of the plates' ways.
    ends_m: Option<[f64; 2]>,
}

impl Shelf {
    /// Of a row face.
    pub fn of(face: &FaceGeometry) -> Self {
        Self {
            tiers: face.tiers.iter().map(|t| t.board_m + TAG_UP_M.min(t.clear_m / 2.0)).collect(),
            ends_m: Some([0.0, face.length_m]),
        }
    }

    /// A row of tags at an unknown height: that of the plate which read most.
    pub fn row() -> Self {
        Self { tiers: Vec::new(), ends_m: None }
    }
}

/// A pass sorted out.
#[derive(Debug)]
pub(crate) struct HfPass {
    /// By tag.
    pub tags: Vec<TagReads>,
    pub problems: ReadProblems,
    /// By tag.
    reads: Vec<Vec<Seen>>,
    plates: BTreeMap<u8, Plate>,
    tiers: Vec<f64>,
    ends_m: [f64; 2],
}

impl HfPass {
    /// Sorts the reads of a pass.
    pub fn new(scan: &Scan, shelf: &Shelf) -> Self {
        let mut problems = ReadProblems::default();
        let mut tags = vec![TagReads { rssi_max: f32::NAN, ..TagReads::default() }; scan.tags.len()];
        let mut last = vec![[(i64::MIN, 0u8); 4]; scan.tags.len()];
        let mut before = i64::MIN;
        let mut all = Vec::with_capacity(scan.reads.len());
        let mut reads: Vec<Vec<Seen>> = vec![Vec::new(); scan.tags.len()];
        for r in &scan.reads {
            let Some(tag) = tags.get_mut(r.tag as usize) else {
                problems.unknown_tag += 1;
                continue;
            };
            if !r.has_place() {
                problems.no_position += 1;
                continue;
            }
            if !super::is_hf_carrier(r.frequency_hz) {
                problems.bad_carrier += 1;
                continue;
            }
            if let Some(t) = r.stamp_ns {
                let seen = &mut last[r.tag as usize];
                if seen.contains(&(t, r.antenna)) {
                    problems.duplicate += 1;
                    continue;
                }
                seen.rotate_right(1);
                seen[0] = (t, r.antenna);
                problems.time_backwards += u32::from(t < before);
                before = t;
            }
            tag.reads += 1;
            tag.last_stamp = tag.last_stamp.max(r.stamp_ns);
            let seen = Seen {
                port: r.antenna,
                stamp_ns: r.stamp_ns,
                x: f64::from(r.antenna_m[0]),
                z: f64::from(r.antenna_m[2]),
            };
            reads[r.tag as usize].push(seen);
            all.push(seen);
        }
        let plates = plates(&all);
        let mut tiers = shelf.tiers.clone();
        if tiers.is_empty() {
            // Heights of the plates stand in for tiers.
            tiers = plates.values().map(|p| p.z).collect();
            tiers.sort_by(f64::total_cmp);
            tiers.dedup_by(|a, b| (*a - *b).abs() < 0.05);
        }
        let ends_m = shelf.ends_m.unwrap_or_else(|| {
            let ends =
                all.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |e, r| [e[0].min(r.x), e[1].max(r.x)]);
            if all.is_empty() { [0.0, 0.0] } else { ends }
        });
        Self { tags, problems, reads, plates, tiers, ends_m }
    }

    /// The zone that the pass itself teaches.
    pub fn learn(&self) -> Zone {
        let mut zone = Zone::default();
        // Some hundreds of tags from all over the face teach as well as thousands.
        let read: Vec<usize> = (0..self.reads.len()).filter(|&t| !self.reads[t].is_empty()).collect();
        let class: Vec<usize> = read.iter().copied().step_by(read.len() / CLASS + 1).collect();
        for _ in 0..TURNS {
            let mut chances = Chances::new(self, &zone);
            let mut tally = Tally::new();
            for &tag in &class {
                let found = self.search(tag, &zone, &mut chances);
                self.tally(tag, &found, &mut chances, &mut tally);
            }
            zone = Zone::learnt(&tally);
        }
        zone
    }

    fn tally(&self, tag: usize, found: &Found, chances: &mut Chances<'_>, tally: &mut Tally) {
        let (x, height, width) = (found.x, self.tiers[found.tier], WIDTHS[found.width]);
        let reads = &self.reads[tag];
        let rate = reads.len() as f64 / chances.at(found.tier, found.width, step(x)).max(1e-9);
        for r in reads {
            tally.read((r.x - x) / width, r.z - height, 1.0);
        }
        for (plate, dz) in self.plates_near(height) {
            for (at, s) in plate.near(x, REACH_X * width) {
                tally.chance((at - x) / width, dz, rate * s);
            }
        }
    }

    fn plates_near(&self, height: f64) -> impl Iterator<Item = (&Plate, f64)> {
        self.plates.values().map(move |p| (p, p.z - height)).filter(|(_, dz)| dz.abs() < REACH_Z)
    }

    /// One answer for each tag.
    pub fn answers(&self, zone: &Zone) -> Vec<Answer> {
        let mut chances = Chances::new(self, zone);
        (0..self.reads.len()).map(|t| self.answer(t, zone, &mut chances)).collect()
    }

    fn answer(&self, tag: usize, zone: &Zone, chances: &mut Chances<'_>) -> Answer {
        let tiers = self.tiers.len();
        if self.reads[tag].is_empty() {
            return Answer {
                x: (self.ends_m[0] + self.ends_m[1]) / 2.0,
                x_std: (self.ends_m[1] - self.ends_m[0]).max(0.1),
                z: f64::NAN,
                range: f64::NAN,
                tier: 0,
                tiers: vec![1.0 / tiers.max(1) as f64; tiers],
                front: 0.5,
                lying: 0.0,
            };
        }
        let found = self.search(tag, zone, chances);
        Answer {
            x: found.x,
            x_std: found.x_std,
            z: self.tiers[found.tier],
            range: f64::NAN,
            tier: found.tier,
            tiers: found.tiers,
            front: FRONT,
            lying: 0.0,
        }
    }

    /// Where a tag that was read is.
    fn search(&self, tag: usize, zone: &Zone, chances: &mut Chances<'_>) -> Found {
        let reads = &self.reads[tag];
        let mut xs: Vec<f64> = reads.iter().map(|r| r.x).collect();
        xs.sort_by(f64::total_cmp);
        let middle = xs[xs.len() / 2];
        let grid = step(middle - ASIDE_M)..=step(middle + ASIDE_M);
        let mut likelihood = |tier: usize, width: usize, i: i64| {
            let (x, wide, height) = (i as f64 * STEP_M, WIDTHS[width], self.tiers[tier]);
            let log: f64 = reads.iter().map(|r| zone.at((r.x - x) / wide, r.z - height).1).sum();
            WORTH * (log - reads.len() as f64 * chances.at(tier, width, i).max(1e-9).ln())
        };
        // First the tier, on the coarser grid and with the usual width.
        let coarse: Vec<f64> = (0..self.tiers.len())
            .map(|t| log_sum(grid.clone().step_by(COARSE as usize).map(|i| likelihood(t, USUAL, i))))
            .collect();
        let top = coarse.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mass: Vec<f64> = coarse.iter().map(|c| (c - top).exp() + 1e-9).collect();
        let all: f64 = mass.iter().sum();
        let tier = (0..mass.len()).max_by(|&a, &b| mass[a].total_cmp(&mass[b]).then(b.cmp(&a))).unwrap_or(0);
        // Then the place, whatever the width.
        let lines: Vec<Vec<f64>> = (0..WIDTHS.len())
            .map(|w| grid.clone().map(|i| likelihood(tier, w, i) + WIDTH_LOG[w]).collect())
            .collect();
        let top = lines.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
        let (mut m, mut x, mut x2) = (0.0, 0.0, 0.0);
        let mut best = (f64::NEG_INFINITY, USUAL);
        for (width, line) in lines.iter().enumerate() {
            for (i, v) in grid.clone().zip(line) {
                let (w, at) = ((v - top).exp(), i as f64 * STEP_M);
                m += w;
                x += w * at;
                x2 += w * at * at;
                if *v > best.0 {
                    best = (*v, width);
                }
            }
        }
        // The best place weighs 1, so `m` is not 0.
        let (x, x2) = (x / m, x2 / m);
        let variance = (x2 - x * x).max(0.0) + POSE_STD * POSE_STD;
        let tiers = mass.iter().map(|v| v / all).collect();
        Found { x, x_std: variance.sqrt(), tier, tiers, width: best.1 }
    }
}

/// What the search says of a tag.
struct Found {
    x: f64,
    x_std: f64,
    tier: usize,
    tiers: Vec<f64>,
    /// Index into [`WIDTHS`].
    width: usize,
}

/// Chances (reads that a tag may expect, over its own rate) along the grid, worked out where they are first asked for: they
/// are the same for all tags.
struct Chances<'a> {
    pass: &'a HfPass,
    zone: &'a Zone,
    known: Vec<BTreeMap<i64, f64>>,
}

impl<'a> Chances<'a> {
    fn new(pass: &'a HfPass, zone: &'a Zone) -> Self {
        Self { pass, zone, known: vec![BTreeMap::new(); pass.tiers.len() * WIDTHS.len()] }
    }

    /// At a place of the grid: between the two next ones of a coarser grid, as chances change slowly.
    fn at(&mut self, tier: usize, width: usize, step: i64) -> f64 {
        let (left, share) = (step.div_euclid(COARSE), step.rem_euclid(COARSE) as f64 / COARSE as f64);
        let low = self.coarse(tier, width, left);
        if share == 0.0 { low } else { low + share * (self.coarse(tier, width, left + 1) - low) }
    }

    fn coarse(&mut self, tier: usize, width: usize, step: i64) -> f64 {
        let (pass, zone) = (self.pass, self.zone);
        *self.known[tier * WIDTHS.len() + width].entry(step).or_insert_with(|| {
            let (x, wide) = ((step * COARSE) as f64 * STEP_M, WIDTHS[width]);
            pass.plates_near(pass.tiers[tier])
                .map(|(plate, dz)| {
                    let of = |(at, s): (f64, f64)| s * zone.at((at - x) / wide, dz).0;
                    plate.near(x, REACH_X * wide).map(of).sum::<f64>()
                })
                .sum()
        })
    }
}

fn step(x: f64) -> i64 {
    (x / STEP_M).round() as i64
}

fn log_sum(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    let top = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    top + values.iter().map(|v| (v - top).exp()).sum::<f64>().ln()
}
