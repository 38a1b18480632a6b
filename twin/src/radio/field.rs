//! The tags of a place and the current that an antenna's field drives in each of them.
//!
//! Coupling and reflections hang on the layout, not on the robot, so what can be solved once per tag and layout is:
//! a tag's row of the inverse impedance matrix, and per carrier the sum of all ways over its scatterers. Both are made
//! when first asked for and dropped when a tag nearby is moved, so that a read costs one short sum.

use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::{PI, TAU};

use domain::Uid;
use num_complex::Complex64;
use rand::RngExt;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::beam::{Beam, turn};
use super::coupling::{Coupling, Dipole, dot};
use super::error::RadioError;
use super::impedance::{ImpedanceTable, self_impedance};
use super::obstacles::{self, Panel, ShelfFront};
use super::rng::stream;
use super::scatter::{self, Scatterer};
use super::settings::{FieldSettings, RadioSettings};
use super::{AntennaPose, SPEED_OF_LIGHT};

/// No phase centre comes nearer to a tag or a scatterer than this, m: point sources have no near field.
const CLOSEST_M: f64 = 0.10;

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
}

struct Tag {
    placement: TagPlacement,
    present: bool,
    load: Complex64,
    threshold_dbm: f64,
    offset_rad: f64,
    row: Option<Row>,
}

/// What is solved once for a tag in its layout.
struct Row {
    /// The neighbourhood, the tag itself first.
    window: Vec<Source>,
    scatterers: Vec<Scatterer>,
    /// By carrier: for each scatterer the sum over the window.
    bounces: Vec<Option<Box<[Complex64]>>>,
}

#[derive(Clone, Copy)]
struct Source {
    position_m: [f64; 3],
    axis: [f64; 3],
    weight: Complex64,
}

/// The tags of a place, what stands around them, and how they couple.
pub struct TagField {
    settings: FieldSettings,
    seed: u64,
    tags: Vec<Tag>,
    by_uid: BTreeMap<Uid, u32>,
    grid: BTreeMap<[i64; 3], Vec<u32>>,
    cell_m: f64,
    panels: Vec<Panel>,
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
            panels,
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
        let mut rng = stream(self.seed, "tag", placement.uid.as_bytes());
        let mut normal = || rng.sample::<f64, _>(StandardNormal);
        let nominal = Complex64::new(self.settings.load_ohm, self.settings.load_reactance_ohm);
        let spread = self.settings.load_spread * nominal.norm() / 2f64.sqrt();
        let mut load = nominal + Complex64::new(spread * normal(), spread * normal());
        load.re = load.re.max(1.0);
        let threshold_dbm =
            self.settings.chip_threshold_dbm + self.settings.chip_threshold_spread_db * normal();
        let index = self.tags.len() as u32;
        let offset_rad = TAU * rng.random::<f64>();
        let at = placement.position_m;
        self.by_uid.insert(placement.uid.clone(), index);
        self.tags.push(Tag { placement, present: true, load, threshold_dbm, offset_rad, row: None });
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
        let old = self.known(tag)?.placement.clone();
        let mut new = TagPlacement { position_m, outward, front, ..old };
        self.settle(&mut new)?;
        self.remove(tag)?;
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
        Ok(())
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

    /// Relative current in a tag: amplitude `1/r` (1/m) for a lone mean tag in the open on boresight, phase `−kr`.
    /// Losses of shelves and panels are not in it.
    pub(super) fn current(
        &mut self,
        tag: u32,
        carrier: usize,
        antenna: &AntennaPose,
        beam: &Beam,
    ) -> Complex64 {
        self.solve(tag, carrier);
        let k = TAU * self.carriers_hz[carrier] / SPEED_OF_LIGHT;
        let Some(row) = &self.tags[tag as usize].row else { return Complex64::new(0.0, 0.0) };
        let mut current = Complex64::new(0.0, 0.0);
        for source in &row.window {
            let (r, cosine, to) = ray(antenna, source.position_m);
            let amplitude = beam.at(cosine) * self.dipole.at(dot(to, source.axis) / r) / r;
            current += turn(k * r) * source.weight * amplitude;
        }
        if let Some(bounces) = &row.bounces[carrier] {
            for (scatterer, bounce) in row.scatterers.iter().zip(bounces) {
                let (r, cosine, _) = ray(antenna, scatterer.position_m);
                current += turn(k * r) * bounce * (beam.at(cosine) / r);
            }
        }
        current
    }

    /// One-way loss, dB, of panels, boards and books between antenna and tag.
    pub(super) fn loss_db(&self, tag: u32, antenna: [f64; 3], wave_m: f64) -> f64 {
        let p = &self.tags[tag as usize].placement;
        let front = p.front.and_then(|f| self.fronts.get(f as usize));
        obstacles::loss_db(&self.panels, front, antenna, p.position_m, wave_m, &self.settings)
    }

    /// Present tags within `reach_m` of a point, by index.
    pub(super) fn within(&self, point: [f64; 3], reach_m: f64) -> impl Iterator<Item = u32> + '_ {
        let limit = reach_m * reach_m;
        self.tags.iter().enumerate().filter_map(move |(i, t)| {
            let d: [f64; 3] = std::array::from_fn(|k| t.placement.position_m[k] - point[k]);
            (t.present && dot(d, d) <= limit).then_some(i as u32)
        })
    }

    pub(super) fn settings(&self) -> &FieldSettings {
        &self.settings
    }

    pub(super) fn threshold_dbm(&self, tag: u32) -> f64 {
        self.tags[tag as usize].threshold_dbm
    }

    pub(super) fn offset_rad(&self, tag: u32) -> f64 {
        self.tags[tag as usize].offset_rad
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
        self.forget_around(at);
    }

    /// Drops what was solved for the tags in reach of a point.
    fn forget_around(&mut self, at: [f64; 3]) {
        for tag in self.neighbours(at) {
            self.tags[tag as usize].row = None;
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

    fn solve(&mut self, tag: u32, carrier: usize) {
        if self.tags[tag as usize].row.is_none() {
            let row = self.solve_row(tag);
            self.tags[tag as usize].row = Some(row);
        }
        let k = TAU * self.carriers_hz[carrier] / SPEED_OF_LIGHT;
        let Some(row) = &mut self.tags[tag as usize].row else { return };
        if row.bounces[carrier].is_some() {
            return;
        }
        let bounce = |s: &Scatterer| {
            let at = AntennaPose { port: 0, position_m: s.position_m, boresight: [1.0, 0.0, 0.0] };
            let sum: Complex64 = row.window.iter().fold(Complex64::new(0.0, 0.0), |sum, source| {
                let (r, _, to) = ray(&at, source.position_m);
                sum + turn(k * r) * source.weight * (self.dipole.at(dot(to, source.axis) / r) / r)
            });
            sum * s.gain
        };
        let bounces = row.scatterers.iter().map(bounce).collect();
        row.bounces[carrier] = Some(bounces);
    }

    fn solve_row(&self, tag: u32) -> Row {
        let me = &self.tags[tag as usize].placement;
        let reach2 = self.settings.coupling_reach_m.powi(2);
        let mut near: Vec<(f64, u32)> = Vec::new();
        if self.settings.coupling > 0.0 {
            for other in self.neighbours(me.position_m) {
                let p = self.tags[other as usize].placement.position_m;
                let d: [f64; 3] = std::array::from_fn(|i| p[i] - me.position_m[i]);
                // Reach across and along each: a cylinder around the tag, as wide as it is high.
                if other != tag && d[0] * d[0] + d[1] * d[1] <= reach2 && d[2] * d[2] <= reach2 {
                    near.push((dot(d, d), other));
                }
            }
        }
        // By distance, then index: the same whatever order tags came in by.
        near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        near.truncate(self.settings.coupling_tags.saturating_sub(1));
        let members = std::iter::once(tag).chain(near.iter().map(|n| n.1));
        let window: Vec<Dipole> = members
            .map(|t| {
                let t = &self.tags[t as usize];
                Dipole { position_m: t.placement.position_m, axis: t.placement.axis, load: t.load }
            })
            .collect();
        let weights = self.coupling.row(&window);
        let sources = window
            .iter()
            .zip(weights)
            .map(|(d, weight)| Source { position_m: d.position_m, axis: d.axis, weight })
            .collect();
        let scatterers = scatter::around(&self.settings, self.seed, me.position_m, me.outward);
        Row { window: sources, scatterers, bounces: vec![None; self.carriers_hz.len()] }
    }
}

/// Length of the path from an antenna to a point, cosine off its boresight (of unit length), and the vector.
#[inline]
fn ray(antenna: &AntennaPose, p: [f64; 3]) -> (f64, f64, [f64; 3]) {
    let to: [f64; 3] = std::array::from_fn(|i| p[i] - antenna.position_m[i]);
    let r = dot(to, to).sqrt().max(CLOSEST_M);
    (r, (dot(to, antenna.boresight) / r).clamp(-1.0, 1.0), to)
}

/// Free-space amplitude of a current at 1 m, from `λ/4πr`.
pub(super) fn amplitude_at_1_m(frequency_hz: f64) -> f64 {
    SPEED_OF_LIGHT / frequency_hz / (4.0 * PI)
}
