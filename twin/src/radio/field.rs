//! The tags of a place and the current that an antenna's field drives in each of them.
//!
//! Coupling and reflections hang on the layout, not on the robot, so what can be solved once per tag and layout is:
//! a tag's row of the inverse impedance matrix, and per carrier the sum of all ways over its scatterers. Both are made
//! when first asked for and dropped when a tag nearby is moved, so that a read costs one short sum. They hang on nothing
//! that happened before, so those of tags that no antenna meets any more can be dropped, too ([`TagField::rest`]).

mod solved;

use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::{PI, TAU};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use domain::Uid;
use num_complex::Complex64;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::SPEED_OF_LIGHT;
use super::beam::Beam;
use super::coupling::{Coupling, dot};
use super::error::RadioError;
use super::impedance::{ImpedanceTable, self_impedance};
use super::near::{Blocks, Panels};
use super::obstacles::{Panel, ShelfFront};
use super::settings::{FieldSettings, RadioSettings};
pub(super) use solved::Air;
use solved::{Awake, Chip};

/// Coupling and reflections may lift a tag's power by so much over the lone tag's, dB.
pub(super) const LIFT_DB: f64 = 10.0;

/// One tag where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TagPlacement {
    /// What it answers with.
    pub uid: Uid,
    /// Centre on the map, m.
    pub position_m: [f64; 3],
    /// Direction of its dipole; `[0, 0, 1]` for a label along the spine of a standing book. Any length but 0.
    pub axis: [f64; 3],
    /// Direction from the shelf to the aisle, or to where antennas will be. Any length but 0.
    pub outward: [f64; 3],
    /// Index of its shelf front; `None` for a tag in the open.
    pub front: Option<u32>,
    /// Power that its chip needs beyond the settings', dB, 0 to 20: chips of an older model need more.
    pub needs_db: f64,
}

struct Tag {
    placement: TagPlacement,
    present: bool,
    awake: RwLock<Option<Arc<Awake>>>,
}

/// A tag in reach of an antenna.
pub(super) struct Near {
    pub(super) tag: u32,
    pub(super) at: [f64; 3],
    /// What its chip needs, as an amplitude.
    pub(super) needs: f64,
}

/// The tags of a place, what stands around them, and how they couple. Several readers may ask at once.
pub struct TagField {
    settings: FieldSettings,
    seed: u64,
    tags: Vec<Tag>,
    by_uid: BTreeMap<Uid, u32>,
    grid: BTreeMap<[i64; 3], Vec<u32>>,
    cell_m: f64,
    blocks: Blocks,
    awake: Mutex<Vec<u32>>,
    panels: Panels,
    fronts: Vec<ShelfFront>,
    coupling: Coupling,
    dipole: Beam,
    carriers_hz: Vec<f64>,
}

impl TagField {
    /// Places `tags` among `panels` and `fronts`. A tag's load, threshold and offset hang on `seed` and its own
    /// identifier, the scatterers on `seed` and the place, so neither changes when other tags come or go.
    ///
    /// # Errors
    /// A setting out of range, a place that is not finite, a tag placed twice, a front that is not there.
    pub fn new(
        settings: &RadioSettings,
        tags: Vec<TagPlacement>,
        panels: Vec<Panel>,
        fronts: Vec<ShelfFront>,
        seed: u64,
    ) -> Result<Self, RadioError> {
        settings.check()?;
        panels.iter().enumerate().try_for_each(|(i, p)| p.check(i))?;
        fronts.iter().enumerate().try_for_each(|(i, f)| f.check(i))?;
        let field = settings.field.clone();
        let carriers_hz = settings.reader.plan.carriers_hz();
        let middle = (carriers_hz[0] + carriers_hz[carriers_hz.len() - 1]) / 2.0;
        let nominal = Complex64::new(field.load_ohm, field.load_reactance_ohm);
        let coupling = Coupling::new(
            ImpedanceTable::new(field.dipole_m, middle),
            self_impedance(field.dipole_m, TAU * middle / SPEED_OF_LIGHT),
            nominal,
            field.coupling,
        );
        let mut this = Self {
            cell_m: field.coupling_reach_m.max(0.1),
            settings: field,
            seed,
            tags: Vec::with_capacity(tags.len()),
            by_uid: BTreeMap::new(),
            grid: BTreeMap::new(),
            blocks: Blocks::default(),
            awake: Mutex::default(),
            panels: Panels::new(panels),
            fronts,
            coupling,
            dipole: Beam::dipole(),
            carriers_hz,
        };
        for tag in tags {
            this.add(tag)?;
        }
        Ok(this)
    }

    /// Number of tags, taken-out ones included: indices stay valid for good.
    pub fn len(&self) -> usize {
        self.tags.len()
    }

    /// Whether there are no tags at all.
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// Where a tag is; `None` beyond the field or when it was taken out.
    pub fn placement(&self, tag: u32) -> Option<&TagPlacement> {
        self.tags.get(tag as usize).filter(|t| t.present).map(|t| &t.placement)
    }

    /// The tag's identifier; `None` beyond the field. Stays known after the tag was taken out.
    pub fn uid(&self, tag: u32) -> Option<&Uid> {
        self.tags.get(tag as usize).map(|t| &t.placement.uid)
    }

    /// Index of a tag by its identifier.
    pub fn find(&self, uid: &Uid) -> Option<u32> {
        self.by_uid.get(uid).copied()
    }

    /// Adds a tag and gives its index.
    ///
    /// # Errors
    /// As [`TagField::new`].
    pub fn add(&mut self, mut placement: TagPlacement) -> Result<u32, RadioError> {
        self.settle(&mut placement)?;
        if self.by_uid.contains_key(&placement.uid) {
            return Err(RadioError::Duplicate(placement.uid));
        }
        let index = self.tags.len() as u32;
        let at = placement.position_m;
        self.by_uid.insert(placement.uid.clone(), index);
        self.tags.push(Tag { placement, present: true, awake: RwLock::default() });
        self.enter(index, at);
        Ok(index)
    }

    /// Moves a tag, or puts one back that was taken out. Only its old and new neighbourhood is solved again.
    ///
    /// # Errors
    /// No such tag, or a place as in [`TagField::new`]. The identifier of a tag cannot change.
    pub fn place(
        &mut self,
        tag: u32,
        position_m: [f64; 3],
        outward: [f64; 3],
        front: Option<u32>,
    ) -> Result<(), RadioError> {
        let new = TagPlacement { position_m, outward, front, ..self.known(tag)?.placement.clone() };
        self.replace(tag, &new)
    }

    /// As [`TagField::place`], with another direction of the tag too; the placement's identifier and chip do not count.
    ///
    /// # Errors
    /// As [`TagField::place`].
    pub fn replace(&mut self, tag: u32, placement: &TagPlacement) -> Result<(), RadioError> {
        let old = &self.known(tag)?.placement;
        let mut new = TagPlacement { uid: old.uid.clone(), needs_db: old.needs_db, ..placement.clone() };
        self.settle(&mut new)?;
        self.remove(tag)?;
        let position_m = new.position_m;
        let slot = &mut self.tags[tag as usize];
        slot.placement = new;
        slot.present = true;
        self.enter(tag, position_m);
        Ok(())
    }

    /// Takes a tag out of the place (borrowed, carried away). Doing it twice changes nothing.
    ///
    /// # Errors
    /// No such tag.
    pub fn remove(&mut self, tag: u32) -> Result<(), RadioError> {
        if !self.known(tag)?.present {
            return Ok(());
        }
        let at = self.tags[tag as usize].placement.position_m;
        self.forget_around(at);
        self.tags[tag as usize].present = false;
        if let Some(cell) = self.grid.get_mut(&self.cell(at)) {
            cell.retain(|&t| t != tag);
        }
        self.blocks.leave(tag, at);
        Ok(())
    }

    /// Drops what is known of tags that were not asked for since `rests` calls ago. Changes no read.
    pub fn rest(&mut self, rests: u32) {
        let tags = &mut self.tags;
        self.awake.get_mut().unwrap_or_else(PoisonError::into_inner).retain(|&t| {
            let slot = tags[t as usize].awake.get_mut().unwrap_or_else(PoisonError::into_inner);
            let stays = slot.as_ref().is_some_and(|a| a.idle.fetch_add(1, Ordering::Relaxed) < rests);
            if !stays {
                *slot = None;
            }
            stays
        });
    }

    /// Number of tags that something is kept of.
    pub fn awake(&self) -> usize {
        self.awake.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Feeds all that can differ between two fields of one seed and settings into a state hash.
    pub fn hash_into(&self, hash: &mut Sha256) {
        hash.update(self.seed.to_le_bytes());
        for tag in &self.tags {
            let p = &tag.placement;
            hash.update(p.uid.as_bytes());
            hash.update([u8::from(tag.present)]);
            for v in p.position_m.iter().chain(&p.axis).chain(&p.outward) {
                hash.update(v.to_bits().to_le_bytes());
            }
            hash.update(p.front.map_or(u32::MAX, |f| f).to_le_bytes());
        }
    }

    /// One-way loss, dB, of panels, boards and books between antenna and tag.
    pub(super) fn loss_db(&self, tag: u32, antenna: [f64; 3], wave_m: f64) -> f64 {
        let p = &self.tags[tag as usize].placement;
        let front = p.front.and_then(|f| self.fronts.get(f as usize));
        let steel = self.panels.loss_db(antenna, p.position_m);
        steel + front.map_or(0.0, |f| f.loss_db(antenna, p.position_m, wave_m, &self.settings))
    }

    /// Present tags within `reach_m` of a point, by index.
    pub(super) fn nearby(&self, point: [f64; 3], reach_m: f64) -> Vec<u32> {
        self.blocks.nearby(point, reach_m)
    }

    /// Present tags within `reach_m` of a point whose chips need no more than `amplitude` gives at their place, with their needs
    /// scaled by `scale`; by index. Blocks of tags that are sure to have more than `spare_db(distance)` of loss by panels
    /// are left out.
    pub(super) fn within(
        &self,
        point: [f64; 3],
        reach_m: f64,
        scale: f64,
        spare_db: impl Fn(f64) -> f64,
        amplitude: impl Fn([f64; 3]) -> f64,
    ) -> Vec<Near> {
        let limit = reach_m * reach_m;
        let mut found = Vec::new();
        self.blocks.around(point, reach_m, &self.panels, spare_db, |spots| {
            for spot in spots {
                let d: [f64; 3] = std::array::from_fn(|k| spot.at[k] - point[k]);
                if dot(d, d) > limit {
                    continue;
                }
                let needs = spot.needs(|| {
                    let chip = Chip::of(&self.settings, self.seed, &self.tags[spot.tag as usize].placement);
                    libm::exp10((chip.threshold_dbm - LIFT_DB) / 20.0)
                });
                if amplitude(spot.at) >= needs * scale {
                    found.push(Near { tag: spot.tag, at: spot.at, needs });
                }
            }
        });
        found.sort_unstable_by_key(|s| s.tag);
        found
    }

    pub(super) fn settings(&self) -> &FieldSettings {
        &self.settings
    }

    pub(super) fn threshold_dbm(&self, tag: u32) -> f64 {
        self.wake(tag).threshold_dbm
    }

    pub(super) fn offset_rad(&self, tag: u32) -> f64 {
        self.wake(tag).offset_rad
    }

    pub(super) fn is_present(&self, tag: u32) -> bool {
        self.tags.get(tag as usize).is_some_and(|t| t.present)
    }

    fn known(&self, tag: u32) -> Result<&Tag, RadioError> {
        let count = self.tags.len();
        self.tags.get(tag as usize).ok_or(RadioError::NoSuchTag { index: tag, count })
    }

    /// Checks a placement and brings its directions to length 1.
    fn settle(&self, p: &mut TagPlacement) -> Result<(), RadioError> {
        let refuse = |what, found: [f64; 3], allowed| RadioError::Geometry {
            what,
            whose: format!("tag {}", p.uid),
            found: found.to_vec(),
            allowed,
        };
        if !p.position_m.iter().all(|v| v.is_finite() && v.abs() < 1e6) {
            return Err(refuse("position_m", p.position_m, "three finite numbers below 1e6 m"));
        }
        let unit = |v: [f64; 3]| {
            let length = dot(v, v).sqrt();
            (length.is_finite() && length > 1e-9).then(|| v.map(|x| x / length))
        };
        let allowed = "three finite numbers, not all 0";
        let axis = unit(p.axis).ok_or_else(|| refuse("axis", p.axis, allowed))?;
        let outward = unit(p.outward).ok_or_else(|| refuse("outward", p.outward, allowed))?;
        if let Some(front) = p.front
            && front as usize >= self.fronts.len()
        {
            return Err(RadioError::NoSuchFront { uid: p.uid.clone(), front, count: self.fronts.len() });
        }
        (p.axis, p.outward) = (axis, outward);
        Ok(())
    }

    fn cell(&self, p: [f64; 3]) -> [i64; 3] {
        p.map(|v| (v / self.cell_m).floor() as i64)
    }

    fn enter(&mut self, tag: u32, at: [f64; 3]) {
        self.grid.entry(self.cell(at)).or_default().push(tag);
        self.blocks.enter(tag, at);
        self.forget_around(at);
    }

    /// Drops what was solved for the tags in reach of a point.
    fn forget_around(&mut self, at: [f64; 3]) {
        if self.awake() == 0 {
            return;
        }
        for tag in self.neighbours(at) {
            let slot = self.tags[tag as usize].awake.get_mut().unwrap_or_else(PoisonError::into_inner);
            // Nobody else holds it while the field is changed.
            if let Some(awake) = slot.as_mut().and_then(Arc::get_mut) {
                awake.row.take();
            }
        }
    }

    /// Tags of the 27 cells around a point, by index.
    fn neighbours(&self, at: [f64; 3]) -> BTreeSet<u32> {
        let [x, y, z] = self.cell(at);
        let mut found = BTreeSet::new();
        for dx in -1..=1 {
            for dy in -1..=1 {
                for dz in -1..=1 {
                    found.extend(self.grid.get(&[x + dx, y + dy, z + dz]).into_iter().flatten());
                }
            }
        }
        found
    }
}

/// Free-space amplitude of a current at 1 m, from `λ/4πr`.
pub(super) fn amplitude_at_1_m(frequency_hz: f64) -> f64 {
    SPEED_OF_LIGHT / frequency_hz / (4.0 * PI)
}
