//! What is solved for one tag in its layout: its chip, its row of the inverse impedance matrix, the ways over its scatterers, and
//! the current that an antenna's field drives in it.

use std::f64::consts::TAU;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, PoisonError};

use num_complex::Complex64;
use rand::RngExt;
use rand_distr::StandardNormal;

use super::{TagField, TagPlacement};
use crate::radio::beam::{Beam, turn};
use crate::radio::coupling::{Dipole, dot};
use crate::radio::rng::stream;
use crate::radio::scatter::{self, Scatterer};
use crate::radio::settings::{FieldSettings, Polarisation};
use crate::radio::{AntennaPose, SPEED_OF_LIGHT, STOREY_M};

/// No phase centre comes nearer to a tag or a scatterer than this, m: point sources have no near field.
const CLOSEST_M: f64 = 0.10;
/// Amplitude that a linear antenna sends in the other polarisation, as a share: −20 dB.
const CROSS_POLAR: f64 = 0.1;

/// What is known of a tag while antennas are near.
pub(super) struct Awake {
    load: Complex64,
    pub(super) threshold_dbm: f64,
    pub(super) offset_rad: f64,
    pub(super) row: OnceLock<Row>,
    /// Rests since it was last asked for.
    pub(super) idle: AtomicU32,
}

/// What a tag is by itself: drawn from the seed and its identifier.
pub(super) struct Chip {
    load: Complex64,
    pub(super) threshold_dbm: f64,
    offset_rad: f64,
}

impl Chip {
    pub(super) fn of(settings: &FieldSettings, seed: u64, tag: &TagPlacement) -> Self {
        let mut rng = stream(seed, "tag", tag.uid.as_bytes());
        let mut normal = || rng.sample::<f64, _>(StandardNormal);
        let nominal = Complex64::new(settings.load_ohm, settings.load_reactance_ohm);
        let spread = settings.load_spread * nominal.norm() / 2f64.sqrt();
        let mut load = nominal + Complex64::new(spread * normal(), spread * normal());
        load.re = load.re.max(1.0);
        let threshold_dbm =
            settings.chip_threshold_dbm + settings.chip_threshold_spread_db * normal() + tag.needs_db;
        Self { load, threshold_dbm, offset_rad: TAU * rng.random::<f64>() }
    }
}

/// What is solved once for a tag in its layout.
pub(super) struct Row {
    /// The neighbourhood, the tag itself first.
    window: Vec<Source>,
    scatterers: Vec<Scatterer>,
    /// By carrier: for each scatterer the sum over the window.
    bounces: Vec<OnceLock<Box<[Complex64]>>>,
}

#[derive(Clone, Copy)]
struct Source {
    position_m: [f64; 3],
    axis: [f64; 3],
    weight: Complex64,
}

impl TagField {
    /// Relative current in a tag: amplitude `1/r` (1/m) for a lone mean tag in the open on boresight, phase `−kr`.
    /// Losses of shelves and panels are not in it.
    pub(in crate::radio) fn current(
        &self,
        tag: u32,
        carrier: usize,
        antenna: &AntennaPose,
        air: &Air<'_>,
    ) -> Complex64 {
        let k = TAU * self.carriers_hz[carrier] / SPEED_OF_LIGHT;
        let awake = self.wake(tag);
        let row = awake.row.get_or_init(|| self.solve_row(tag));
        let beam = air.beam;
        let mut current = self.direct(row, antenna, air, k);
        if self.settings.floor_reflection != 0.0 {
            // The floor as a mirror: the antenna once more, under it and looking up where it looks down.
            let [x, y, z] = antenna.position_m;
            let floor = (z / STOREY_M).floor() * STOREY_M;
            let [bx, by, bz] = antenna.boresight;
            let image =
                AntennaPose { position_m: [x, y, 2.0 * floor - z], boresight: [bx, by, -bz], ..*antenna };
            current += self.direct(row, &image, air, k) * self.settings.floor_reflection;
        }
        let bounces = row.bounces[carrier].get_or_init(|| self.bounces(row, k));
        for (scatterer, bounce) in row.scatterers.iter().zip(bounces) {
            let (r, cosine, _) = ray(antenna, scatterer.position_m);
            current += turn(k * r) * bounce * (beam.at(cosine) / r);
        }
        current
    }

    /// What comes from an antenna straight to a tag and its neighbours.
    fn direct(&self, row: &Row, antenna: &AntennaPose, air: &Air<'_>, k: f64) -> Complex64 {
        let mut current = Complex64::new(0.0, 0.0);
        for source in &row.window {
            let (r, cosine, to) = ray(antenna, source.position_m);
            let mut amplitude = air.beam.at(cosine) * self.dipole.at(dot(to, source.axis) / r) / r;
            if air.polarisation != Polarisation::Circular {
                amplitude *= air.share(antenna, source.axis, to, r);
            }
            current += turn(k * r) * source.weight * amplitude;
        }
        current
    }

    /// The tag, and that it was asked for. What is kept of it is a function of seed and layout, so it does not matter which of several
    /// robots asks first.
    pub(super) fn wake(&self, tag: u32) -> Arc<Awake> {
        let slot = &self.tags[tag as usize];
        if let Some(awake) = &*slot.awake.read().unwrap_or_else(PoisonError::into_inner) {
            awake.idle.store(0, Ordering::Relaxed);
            return awake.clone();
        }
        let mut place = slot.awake.write().unwrap_or_else(PoisonError::into_inner);
        let awake = place.get_or_insert_with(|| {
            self.awake.lock().unwrap_or_else(PoisonError::into_inner).push(tag);
            let Chip { load, threshold_dbm, offset_rad } =
                Chip::of(&self.settings, self.seed, &slot.placement);
            let (row, idle) = (OnceLock::new(), AtomicU32::new(0));
            Arc::new(Awake { load, threshold_dbm, offset_rad, row, idle })
        });
        awake.clone()
    }

    /// For each scatterer of a row the sum of the ways over its window.
    fn bounces(&self, row: &Row, k: f64) -> Box<[Complex64]> {
        let bounce = |s: &Scatterer| {
            let at = AntennaPose { port: 0, position_m: s.position_m, boresight: [1.0, 0.0, 0.0] };
            let sum: Complex64 = row.window.iter().fold(Complex64::new(0.0, 0.0), |sum, source| {
                let (r, _, to) = ray(&at, source.position_m);
                sum + turn(k * r) * source.weight * (self.dipole.at(dot(to, source.axis) / r) / r)
            });
            sum * s.gain
        };
        row.scatterers.iter().map(bounce).collect()
    }

    fn solve_row(&self, tag: u32) -> Row {
        let me = self.tags[tag as usize].placement.clone();
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
                let load = self.wake(t).load;
                let p = &self.tags[t as usize].placement;
                Dipole { position_m: p.position_m, axis: p.axis, load }
            })
            .collect();
        let weights = self.coupling.row(&window);
        let sources = window
            .iter()
            .zip(weights)
            .map(|(d, weight)| Source { position_m: d.position_m, axis: d.axis, weight })
            .collect();
        let scatterers = scatter::around(&self.settings, self.seed, me.position_m, me.outward);
        let bounces = self.carriers_hz.iter().map(|_| OnceLock::new()).collect();
        Row { window: sources, scatterers, bounces }
    }
}

/// How an antenna sends.
pub(in crate::radio) struct Air<'a> {
    pub(in crate::radio) beam: &'a Beam,
    pub(in crate::radio) polarisation: Polarisation,
}

impl Air<'_> {
    /// Share of a linear antenna's field that lies along a dipole, across the path `to` of length `r`.
    fn share(&self, antenna: &AntennaPose, axis: [f64; 3], to: [f64; 3], r: f64) -> f64 {
        let along = to.map(|v| v / r);
        let across = |v: [f64; 3]| -> [f64; 3] {
            let part = dot(v, along);
            std::array::from_fn(|i| v[i] - part * along[i])
        };
        let [bx, by, _] = antenna.boresight;
        let field = match self.polarisation {
            Polarisation::Horizontal => across([-by, bx, 0.0]),
            _ => across([0.0, 0.0, 1.0]),
        };
        let tag = across(axis);
        let lengths = (dot(field, field) * dot(tag, tag)).sqrt();
        if lengths < 1e-9 { 1.0 } else { (dot(field, tag) / lengths).abs().max(CROSS_POLAR) }
    }
}

/// Length of the path from an antenna to a point, cosine off its boresight (of unit length), and the vector.
#[inline]
fn ray(antenna: &AntennaPose, p: [f64; 3]) -> (f64, f64, [f64; 3]) {
    let to: [f64; 3] = std::array::from_fn(|i| p[i] - antenna.position_m[i]);
    let r = dot(to, to).sqrt().max(CLOSEST_M);
    (r, (dot(to, antenna.boresight) / r).clamp(-1.0, 1.0), to)
}
