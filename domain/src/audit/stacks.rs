//! The row faces that a run covered, as grids of shelves in shelf order, with what coverage says of each place.

use std::collections::{BTreeMap, BTreeSet};

use super::InputProblem;
use super::spread::Spread;
use super::stat::effective_passes;
use crate::address::{FaceId, Home, ShelfAddress};
use crate::coverage::Coverage;
use crate::sighting::Sighting;
use crate::site::Site;

/// A shelf of a face in shelf order, from 0: tier by tier from the top within a bay, then the next bay.
pub type Shelf = u32;

/// One covered row face.
pub struct Grid<'a> {
    pub id: FaceId,
    pub bays: u32,
    pub bay_width_m: f64,
    pub tiers: u32,
    /// Heights of the boards above the floor, m, from the bottom.
    pub boards_m: Vec<f64>,
    /// Names of the passes over it.
    pub passes: Vec<&'a str>,
    /// By pass and tier; `None` where the pass left none.
    coverage: BTreeMap<(&'a str, u8), &'a Coverage>,
}

/// All covered faces, in walking order.
pub struct Stacks<'a> {
    pub grids: Vec<Grid<'a>>,
    by_id: BTreeMap<FaceId, usize>,
    /// Shelves of the whole site, covered or not.
    pub shelves: usize,
}

impl Grid<'_> {
    pub fn length_m(&self) -> f64 {
        f64::from(self.bays) * self.bay_width_m
    }

    pub fn shelves(&self) -> u32 {
        self.bays * self.tiers
    }

    /// From 0.
    pub fn bay(&self, shelf: Shelf) -> u32 {
        shelf / self.tiers
    }

    /// From 0, from the bottom.
    pub fn tier(&self, shelf: Shelf) -> usize {
        (self.tiers - 1 - shelf % self.tiers) as usize
    }

    /// The shelf of a bay and tier, both from 0.
    pub fn shelf(&self, bay: u32, tier: usize) -> Shelf {
        bay * self.tiers + (self.tiers - 1 - tier as u32)
    }

    pub fn address(&self, shelf: Shelf) -> ShelfAddress {
        ShelfAddress {
            face: self.id.clone(),
            bay: (self.bay(shelf) + 1) as u16,
            tier: (self.tier(shelf) + 1) as u8,
        }
    }

    pub fn left_m(&self, bay: u32) -> f64 {
        f64::from(bay) * self.bay_width_m
    }

    /// Density at `along_m`, per m, of books spread evenly over a bay and located with such an error.
    pub fn bay_density(&self, bay: u32, along_m: f64, spread: &Spread) -> f64 {
        let left = self.left_m(bay);
        spread.inside(along_m, left, left + self.bay_width_m).max(1e-9) / self.bay_width_m
    }

    /// First and last shelf of a home on this face, in shelf order; `None` when it names what the face has not.
    pub fn home(&self, home: &Home) -> Option<(Shelf, Shelf)> {
        let shelf = |a: &ShelfAddress| {
            let (bay, tier) = (u32::from(a.bay).checked_sub(1)?, u32::from(a.tier).checked_sub(1)?);
            (bay < self.bays && tier < self.tiers).then(|| self.shelf(bay, tier as usize))
        };
        let (a, b) = (shelf(&home.first)?, shelf(&home.last)?);
        Some((a.min(b), a.max(b)))
    }

    /// ln of the probability that a working tag at a place stays unread in all passes.
    pub fn ln_unread(&self, shelf: Shelf, along_m: f64, independence: f64) -> f64 {
        let tier = (self.tier(shelf) + 1) as u8;
        let (mut sum, mut best) = (0.0, 0.0_f64);
        for pass in &self.passes {
            let p = self.coverage.get(&(*pass, tier)).map_or(0.0, |c| f64::from(c.at(along_m as f32)));
            let ln = (-p.min(1.0 - 1e-6)).ln_1p();
            sum += ln;
            best = best.min(ln);
        }
        let n = self.passes.len().max(1);
        // A pass that was broken off before this place takes nothing from what another one has covered.
        best.min(sum * effective_passes(n, independence) / n as f64)
    }
}

impl<'a> Stacks<'a> {
    /// The faces of the site that have coverage or sightings; coverage that cannot be used becomes a problem.
    pub fn new(
        site: &Site,
        coverage: &'a [Coverage],
        sightings: &[&'a Sighting],
        problems: &mut Vec<InputProblem>,
    ) -> Self {
        let mut passes: BTreeMap<&FaceId, BTreeSet<&'a str>> = BTreeMap::new();
        let mut maps: BTreeMap<&FaceId, BTreeMap<(&'a str, u8), &'a Coverage>> = BTreeMap::new();
        let mut sorted: Vec<&Coverage> = coverage.iter().collect();
        sorted.sort_by(|a, b| coverage_order(a, b));
        for c in sorted {
            if let Some(reason) = coverage_problem(site, c) {
                problems.push(InputProblem { scan: c.scan.clone(), uid: None, reason });
                continue;
            }
            passes.entry(&c.face).or_default().insert(&c.scan);
            let previous = maps.entry(&c.face).or_default().insert((&c.scan, c.tier), c);
            if previous.is_some_and(|p| p != c) {
                let reason = format!("a second coverage of {} tier {}, expected one a pass", c.face, c.tier);
                problems.push(InputProblem { scan: c.scan.clone(), uid: None, reason });
            }
        }
        for s in sightings {
            if let Some(face) = &s.face {
                passes.entry(face).or_default().insert(&s.scan);
            }
        }
        let mut grids = Vec::new();
        let mut shelves = 0;
        for (id, _, face) in site.faces() {
            shelves += usize::from(face.bays) * face.tiers.len();
            let Some(names) = passes.get(&id) else { continue };
            if face.bays == 0 || face.tiers.is_empty() || face.bay_width_m.is_nan() || face.bay_width_m <= 0.0
            {
                continue;
            }
            grids.push(Grid {
                boards_m: face.tiers.iter().map(|t| t.board_m).collect(),
                bays: u32::from(face.bays),
                bay_width_m: face.bay_width_m,
                tiers: face.tiers.len() as u32,
                passes: names.iter().copied().collect(),
                coverage: maps.remove(&id).unwrap_or_default(),
                id,
            });
        }
        grids.sort_by(|a, b| a.id.cmp(&b.id));
        grids.dedup_by(|a, b| a.id == b.id);
        let by_id = grids.iter().enumerate().map(|(i, g)| (g.id.clone(), i)).collect();
        Self { grids, by_id, shelves }
    }

    pub fn find(&self, id: &FaceId) -> Option<usize> {
        self.by_id.get(id).copied()
    }
}

fn coverage_order(a: &Coverage, b: &Coverage) -> std::cmp::Ordering {
    let bits = |c: &Coverage| c.read_probability.iter().map(|p| p.to_bits()).collect::<Vec<_>>();
    (&a.face, &a.scan, a.tier)
        .cmp(&(&b.face, &b.scan, b.tier))
        .then_with(|| a.bin_m.total_cmp(&b.bin_m))
        .then_with(|| bits(a).cmp(&bits(b)))
}

fn coverage_problem(site: &Site, c: &Coverage) -> Option<String> {
    let Some((_, face)) = site.face(&c.face) else {
        return Some(format!("face {}, which the site does not have", c.face));
    };
    if c.tier == 0 || usize::from(c.tier) > face.tiers.len() {
        return Some(format!("tier {} of {}, expected 1 to {}", c.tier, c.face, face.tiers.len()));
    }
    if !(c.bin_m.is_finite() && c.bin_m > 0.0) {
        return Some(format!("bin_m {}, expected metres above 0", c.bin_m));
    }
    let bad = c.read_probability.iter().find(|p| !(0.0..=1.0).contains(*p))?;
    Some(format!("read_probability {bad}, expected 0 to 1"))
}
