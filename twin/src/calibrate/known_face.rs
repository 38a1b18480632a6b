//! Where the books of a passed face should stand by the catalogue: its order and the books' thickness, shelf by shelf.

use std::collections::BTreeMap;

use domain::site::Face;
use domain::{AuditSettings, Catalogue, FaceId, Scan};

use super::StudyError;
use super::profiles::KnownTag;
use crate::radio::HopPlan;
use crate::rail::figures::median;

/// A tag's usual height above its board, and depth behind the front edge, m.
pub(super) const TAG_M: [f64; 2] = [0.08, 0.012];
/// A book whose reads are loudest this far from where it should stand, along or up, is held to be somewhere else, m.
const ELSEWHERE_M: [f64; 2] = [0.3, 0.5];
/// Shelves with fewer books in reach of their places than this are left out.
const FEWEST_ON_SHELF: usize = 5;
/// Carriers of readers are given to so many Hz.
const CARRIER_HZ: f64 = 60e3;

/// Where in a book its tag sits along the shelf.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TagSide {
    /// At the cover on the left as a reader faces the spine: the back cover of books that open to the left.
    #[default]
    Left,
    /// In the middle of the spine.
    Middle,
    /// At the cover on the right.
    Right,
}

/// A pass along a row face whose books should stand as the catalogue says.
#[derive(Debug, Clone)]
pub struct KnownFace {
    pub(super) scan: Scan,
    pub(super) known: Vec<KnownTag>,
    /// Tier of each known tag, from 0.
    pub(super) tiers: Vec<usize>,
    /// Whether it was heard near its place; the others stand between them all the same, as far as one knows.
    pub(super) near: Vec<bool>,
    pub(super) boards_m: Vec<f64>,
    pub(super) depth_m: f64,
    pub(super) length_m: f64,
    pub(super) plan: HopPlan,
}

/// A book of a shelf by the catalogue.
struct Expected {
    tag: Option<u32>,
    thickness_m: f64,
}

impl KnownFace {
    /// The pass `scan`, in face coordinates, along `face`. Books on loan are not expected; one that was not read at all may have left
    /// a gap or not, half its thickness counts. Books whose home is more than one shelf have no place that is known.
    ///
    /// # Errors
    /// Carriers of no known plan.
    pub fn new(
        scan: Scan,
        id: &FaceId,
        face: &Face,
        catalogue: &Catalogue,
        settings: &AuditSettings,
        side: TagSide,
    ) -> Result<Self, StudyError> {
        let tags: BTreeMap<_, u32> = scan.tags.iter().zip(0..).collect();
        let mut shelves: BTreeMap<(u16, u8), Vec<_>> = BTreeMap::new();
        for item in catalogue.expected_on(id).filter(|i| i.home.first == i.home.last) {
            let home = &item.home.first;
            if item.status.is_on_shelf() && home.face == *id {
                let thick = f64::from(item.thickness_m);
                let thickness_m =
                    if thick > 0.0 && thick < 0.5 { thick } else { settings.default_thickness_m };
                let tag = item.uid.and_then(|u| tags.get(u).copied());
                let key = (item.shelf_key(&settings.shelf_rules), item.barcode.to_owned());
                shelves.entry((home.bay, home.tier)).or_default().push((key, Expected { tag, thickness_m }));
            }
        }
        let plan = plan_of(&scan)?;
        let loudest = loudest(&scan);
        let boards_m: Vec<f64> = face.tiers.iter().map(|t| t.board_m).collect();
        let mut this = Self {
            known: Vec::new(),
            tiers: Vec::new(),
            near: Vec::new(),
            depth_m: face.depth_m,
            length_m: face.length_m(),
            plan,
            scan,
            boards_m,
        };
        for (group, ((bay, tier), mut books)) in shelves.into_iter().enumerate() {
            books.sort_by(|a, b| a.0.cmp(&b.0));
            let left = f64::from(bay - 1) * face.bay_width_m;
            let Some(board) = this.boards_m.get(usize::from(tier) - 1).copied() else { continue };
            let books: Vec<Expected> = books.into_iter().map(|b| b.1).collect();
            this.shelve(&books, group, left, (usize::from(tier) - 1, board), side, &loudest);
        }
        Ok(this)
    }

    /// Its tags at known places.
    pub fn books(&self) -> usize {
        self.near.iter().filter(|n| **n).count()
    }

    /// Its scan's name.
    pub fn name(&self) -> &str {
        &self.scan.name
    }

    fn shelve(
        &mut self,
        books: &[Expected],
        group: usize,
        left: f64,
        (tier, board): (usize, f64),
        side: TagSide,
        loudest: &[Option<[f64; 2]>],
    ) {
        let mut end = left;
        let mut placed = Vec::new();
        for book in books {
            let width = book.thickness_m * if book.tag.is_some() { 1.0 } else { 0.5 };
            let share = match side {
                TagSide::Left => 0.0,
                TagSide::Middle => 0.5,
                TagSide::Right => 1.0,
            };
            if let Some((tag, spot)) = book.tag.and_then(|t| Some((t, loudest[t as usize]?))) {
                placed.push((tag, end + share * width, spot));
            }
            end += width;
        }
        // Boards and uprights leave the first book where they like: all of a shelf is shifted by what its loudest reads say.
        let level = |spot: [f64; 2]| (spot[1] - board - TAG_M[0]).abs() < ELSEWHERE_M[1];
        let offs: Vec<f64> = placed.iter().filter(|p| level(p.2)).map(|p| p.2[0] - p.1).collect();
        let Some(shift) = median(&offs).filter(|_| offs.len() >= FEWEST_ON_SHELF) else { return };
        for (tag, x, spot) in placed {
            let place_m = [x + shift, -TAG_M[1], board + TAG_M[0]];
            self.known.push(KnownTag { tag, place_m, group });
            self.tiers.push(tier);
            self.near.push(level(spot) && (spot[0] - place_m[0]).abs() < ELSEWHERE_M[0]);
        }
    }
}

/// Where the antennas were when each tag was loudest, along and up, m: the mean over its reads weighed by power.
fn loudest(scan: &Scan) -> Vec<Option<[f64; 2]>> {
    let mut top = vec![f32::NEG_INFINITY; scan.tags.len()];
    for r in scan.reads.iter().filter(|r| r.has_power()) {
        let t = &mut top[r.tag as usize];
        *t = t.max(r.rssi_dbm);
    }
    let mut sums = vec![[0.0f64; 3]; scan.tags.len()];
    for r in scan.reads.iter().filter(|r| r.has_power()) {
        let weight = f64::from(10f32.powf((r.rssi_dbm - top[r.tag as usize]) / 5.0));
        let s = &mut sums[r.tag as usize];
        s[0] += weight * f64::from(r.antenna_m[0]);
        s[1] += weight * f64::from(r.antenna_m[2]);
        s[2] += weight;
    }
    sums.iter().map(|s| (s[2] > 0.0).then(|| [s[0] / s[2], s[1] / s[2]])).collect()
}

/// The plan that all carriers of a scan belong to.
fn plan_of(scan: &Scan) -> Result<HopPlan, StudyError> {
    let plans = [HopPlan::Cn, HopPlan::Etsi, HopPlan::Fcc];
    let has = |plan: &HopPlan, hz: f64| plan.carriers_hz().iter().any(|c| (c - hz).abs() < CARRIER_HZ);
    let mut carriers: Vec<f64> = scan.reads.iter().map(|r| r.frequency_hz).collect();
    carriers.sort_by(f64::total_cmp);
    carriers.dedup();
    if let Some(plan) = plans.iter().find(|p| carriers.iter().all(|hz| has(p, *hz))) {
        return Ok(*plan);
    }
    let lone = carriers.iter().find(|hz| !plans.iter().any(|p| has(p, **hz))).or(carriers.first());
    Err(StudyError::Carrier { found_hz: lone.copied().unwrap_or(0.0) })
}
