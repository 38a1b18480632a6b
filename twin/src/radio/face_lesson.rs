//! Lessons about row faces: a robot's pass along shelves of coupled tags, by the twin's own field and reader.
//!
//! As with rows ([`super::lesson`]) every lesson has a radio of its own from a wide prior, and shelves, books, antennas and
//! speed of its own too. Books stand on the face, on the other side of the row and across the aisle.

use std::f64::consts::TAU;

use domain::{Read, Scan, Uid};
use num_complex::Complex64;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

use super::error::RadioError;
use super::impedance::self_impedance;
use super::lesson::even;
use super::rng::stream;
use super::{AntennaPose, Panel, RadioSettings, Reader, SPEED_OF_LIGHT, ShelfFront, TagField, TagPlacement};

/// Ranges that a face lesson's radio and robot are drawn from, `[lowest, highest]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FacePrior {
    /// Magnitude of a tag's whole impedance, own and load, Ω, evenly in its logarithm.
    pub impedance_ohm: [f64; 2],
    /// Its angle, degrees.
    pub impedance_deg: [f64; 2],
    /// Spread of the load from tag to tag, as a fraction.
    pub load_spread: [f64; 2],
    /// Factor on the mutual impedances in air.
    pub coupling: [f64; 2],
    /// Length of the tags' dipoles, m.
    pub dipole_m: [f64; 2],
    /// Amplitude of a scatterer, m.
    pub scatter_gain: [f64; 2],
    /// Beam exponent of the antennas.
    pub beam_exponent: [f64; 2],
    /// Reported RSSI rises by this much for each dB of received power.
    pub rssi_slope: [f64; 2],
    /// Loss in books, dB/m.
    pub book_loss_db_per_m: [f64; 2],
    /// Conducted power, dBm.
    pub power_dbm: [f64; 2],
    /// Distance of the antennas from the shelf's front, m.
    pub distance_m: [f64; 2],
    /// Speed of the robot, m/s.
    pub speed_m_s: [f64; 2],
    /// Mean thickness of a shelf's books, m, evenly in its logarithm.
    pub thickness_m: [f64; 2],
    /// Standard deviation of the robot's own place, m: it wanders over half a metre of way.
    pub pose_std_m: [f64; 2],
    /// Tiers of a face.
    pub tiers: [u32; 2],
    /// Share of the robots that have an antenna for each tier; the others have fewer.
    pub antenna_each_tier: f64,
    /// Share of the books that do not stand as they should, one in three each way.
    pub untidy: f64,
}

/// How a book of a lesson is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// On its foot, its spine to the aisle.
    Tidy,
    /// On its head: the tag is at the upper end of the spine.
    UpsideDown,
    /// Flat on top of its neighbours: the tag lies level.
    Lying,
    /// Pushed back by 3 to 8 cm.
    PushedBack,
}

impl Default for FacePrior {
    fn default() -> Self {
        Self {
            impedance_ohm: [75.0, 270.0],
            impedance_deg: [-85.0, -5.0],
            load_spread: [0.08, 0.4],
            coupling: [0.7, 1.3],
            dipole_m: [0.135, 0.18],
            scatter_gain: [0.1, 0.32],
            beam_exponent: [0.3, 1.0],
            rssi_slope: [0.5, 0.9],
            book_loss_db_per_m: [8.0, 25.0],
            power_dbm: [22.5, 25.5],
            distance_m: [0.35, 0.60],
            speed_m_s: [0.05, 0.18],
            thickness_m: [0.010, 0.060],
            pose_std_m: [0.001, 0.005],
            tiers: [4, 7],
            antenna_each_tier: 0.7,
            untidy: 0.0,
        }
    }
}

impl FacePrior {
    /// The twin's own radio settings as a prior of one point, for trying a locator on what it meets in the twin.
    pub fn of_the_twin() -> Self {
        let at = |v: f64| [v, v];
        Self {
            impedance_ohm: at(142.3),
            impedance_deg: at(-49.2),
            load_spread: at(0.2),
            coupling: at(1.0),
            dipole_m: at(0.1625),
            scatter_gain: at(0.22),
            beam_exponent: at(0.6),
            rssi_slope: at(0.65),
            book_loss_db_per_m: at(15.0),
            power_dbm: at(24.0),
            pose_std_m: at(0.003),
            ..Self::default()
        }
    }
}

/// Where a tag of a face lesson was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShelvedTag {
    /// Along the face, m.
    pub x_m: f64,
    /// Index of its tier; `None` for a tag behind the panel or across the aisle.
    pub tier: Option<usize>,
    /// How its book is kept.
    pub kept: Kept,
}

/// A simulated pass along a face, with the places of the tags that were read.
#[derive(Debug, Clone)]
pub struct FaceLesson {
    /// The reads, antenna places in face coordinates as the robot believes them.
    pub scan: Scan,
    /// One for each tag of the scan, in its order.
    pub truth: Vec<ShelvedTag>,
    /// Length of the face, m.
    pub length_m: f64,
    /// Depth of the shelves, m.
    pub depth_m: f64,
    /// Width of the aisle, m.
    pub aisle_m: f64,
    /// Boards above the floor and clear height, m, from the bottom.
    pub tiers: Vec<[f64; 2]>,
}

/// The lesson of that number; the same number gives the same lesson. The face looks along the map's y.
///
/// # Errors
/// A prior that makes settings which the radio refuses.
pub fn face_lesson(prior: &FacePrior, seed: u64, number: u64) -> Result<FaceLesson, RadioError> {
    let mut rng = stream(seed, "face lesson", &number.to_le_bytes());
    let rng = &mut rng;
    let settings = face_radio(prior, rng);
    let pitch = even(rng, 0.30, 0.36);
    let lowest = even(rng, 0.08, 0.30);
    let [fewest, most] = prior.tiers.map(|t| t.clamp(1, 12));
    let tiers = rng.random_range(fewest..=most.max(fewest));
    let boards: Vec<f64> = (0..tiers).map(|t| lowest + pitch * f64::from(t)).collect();
    let (bays, bay) = (rng.random_range(2..=3), 0.9);
    let (depth, aisle) = (0.25, even(rng, 1.2, 1.8));
    let length = f64::from(bays) * bay;
    let mean =
        |rng: &mut _| libm::exp(even(rng, libm::log(prior.thickness_m[0]), libm::log(prior.thickness_m[1])));
    let thick = mean(rng);
    let mut shelves = Shelves {
        tags: Vec::new(),
        truth: Vec::new(),
        heights: [even(rng, 0.04, 0.09), even(rng, 0.0, 0.06)],
        deep: even(rng, 0.0, 0.03),
        untidy: prior.untidy,
    };
    let fronts: Vec<ShelfFront> = [(0.0, 1.0), (-2.0 * depth, -1.0), (aisle, -1.0)]
        .iter()
        .enumerate()
        .map(|(face, &(y, out))| {
            for (tier, &board) in boards.iter().enumerate() {
                let thick = thick * libm::exp(0.25 * rng.sample::<f64, _>(StandardNormal));
                for b in 0..bays {
                    let from = f64::from(b) * bay + 0.02;
                    let to = from + (bay - 0.04) * even(rng, 0.6, 1.0);
                    shelves.fill(rng, [from, to], thick.clamp(0.006, 0.06), face, tier, [y, out, board]);
                }
            }
            ShelfFront { origin_m: [0.0, y], outward: [0.0, out], boards_m: boards.clone() }
        })
        .collect();
    let top = boards[boards.len() - 1] + pitch;
    let panel = Panel { from_m: [0.0, -depth], to_m: [length, -depth], z_m: [0.0, top], loss_db: 15.0 };
    let field =
        TagField::new(&settings, std::mem::take(&mut shelves.tags), vec![panel], fronts, rng.random())?;
    let reader = Reader::new(&settings, rng.random(), 0)?;
    let (scan, order) = drive(prior, rng, &field, reader, length, [lowest, top], number);
    Ok(FaceLesson {
        truth: order.iter().map(|&t| shelves.truth[t as usize]).collect(),
        scan,
        length_m: length,
        depth_m: depth,
        aisle_m: aisle,
        tiers: boards.iter().map(|&b| [b, pitch - 0.02]).collect(),
    })
}

/// Radio settings drawn from a prior.
pub(crate) fn face_radio(prior: &FacePrior, rng: &mut impl Rng) -> RadioSettings {
    let mut settings = RadioSettings::default();
    let mut draw = |v: [f64; 2]| even(rng, v[0], v[1]);
    let f = &mut settings.field;
    f.dipole_m = draw(prior.dipole_m);
    let whole = Complex64::from_polar(
        libm::exp(draw(prior.impedance_ohm.map(libm::log))),
        draw(prior.impedance_deg).to_radians(),
    );
    // A load takes power, it gives none: where the whole would have less resistance than the dipole has alone, all is
    // made larger, the mutual impedances too, which leaves the currents as they are.
    let own = self_impedance(f.dipole_m, TAU * 922.5e6 / SPEED_OF_LIGHT);
    let larger = ((own.re + 2.0) / whole.re).max(1.0);
    let load = whole * larger - own;
    (f.load_ohm, f.load_reactance_ohm) = (load.re.max(1.0), load.im);
    f.coupling = (larger * draw(prior.coupling)).min(2.0);
    f.load_spread = draw(prior.load_spread);
    f.scatter_gain = draw(prior.scatter_gain);
    f.book_loss_db_per_m = draw(prior.book_loss_db_per_m);
    let r = &mut settings.reader;
    r.beam_exponent = draw(prior.beam_exponent);
    r.rssi_slope = draw(prior.rssi_slope);
    r.power_dbm = draw(prior.power_dbm);
    r.port_dwell_s = draw([0.05, 0.12]);
    settings
}

struct Shelves {
    tags: Vec<TagPlacement>,
    truth: Vec<ShelvedTag>,
    /// Height of a tag over its board: least, and how much more it may be, m.
    heights: [f64; 2],
    /// How far behind the front edge a tag may be, m.
    deep: f64,
    /// Share of untidy books.
    untidy: f64,
}

impl Shelves {
    fn fill(
        &mut self,
        rng: &mut impl Rng,
        [from, to]: [f64; 2],
        thick: f64,
        face: usize,
        tier: usize,
        [y, out, board]: [f64; 3],
    ) {
        let mut x = from;
        loop {
            let t = (thick * libm::exp(0.4 * rng.sample::<f64, _>(StandardNormal))).clamp(0.004, 0.07);
            if x + t > to {
                return;
            }
            // Four bytes always make an identifier.
            let uid = Uid::new(&(self.tags.len() as u32 + 1).to_be_bytes()).unwrap_or_default();
            let (mut back, mut up) =
                (self.deep * rng.random::<f64>(), self.heights[0] + self.heights[1] * rng.random::<f64>());
            let (mut axis, mut kept) = ([0.0, 0.0, 1.0], Kept::Tidy);
            // Tidy shelves draw nothing for it: a lesson stays the same.
            if self.untidy > 0.0 && rng.random::<f64>() < self.untidy {
                let tall = even(rng, 0.19, 0.25);
                match rng.random_range(0..3) {
                    0 => (kept, up) = (Kept::UpsideDown, tall - up),
                    1 => (kept, up, axis) = (Kept::Lying, tall + t / 2.0, [1.0, 0.0, 0.0]),
                    _ => (kept, back) = (Kept::PushedBack, back + even(rng, 0.03, 0.08)),
                }
            }
            self.tags.push(TagPlacement {
                uid,
                position_m: [x + t / 2.0, y - out * back, board + up],
                axis,
                outward: [0.0, out, 0.0],
                front: Some(face as u32),
                needs_db: 0.0,
            });
            self.truth.push(ShelvedTag { x_m: x + t / 2.0, tier: (face == 0).then_some(tier), kept });
            x += t;
            if rng.random::<f64>() < 0.03 {
                x += thick * even(rng, 0.5, 3.0); // a gap where a book is on loan
            }
        }
    }
}

/// Drives past the face; gives the scan and the tags by their place in it.
fn drive(
    prior: &FacePrior,
    rng: &mut impl Rng,
    field: &TagField,
    mut reader: Reader,
    length: f64,
    [low, high]: [f64; 2],
    number: u64,
) -> (Scan, Vec<u32>) {
    const STEP_NS: i64 = 20_000_000;
    let mut draw = |v: [f64; 2]| even(rng, v[0], v[1]);
    let (distance, speed, wander) = (draw(prior.distance_m), draw(prior.speed_m_s), draw(prior.pose_std_m));
    let level = draw([-0.03, 0.03]);
    // Mostly an antenna for each tier, some robots have fewer.
    let tiers = ((high - low) / 0.33).round().max(2.0) as usize;
    let antennas = if rng.random::<f64>() < prior.antenna_each_tier {
        tiers
    } else {
        rng.random_range(3..=tiers.max(4))
    };
    let gap = (high - low) / antennas as f64;
    let heights: Vec<f64> = (0..antennas).map(|a| low + level + gap * (a as f64 + 0.4)).collect();
    let at = |x: f64, y: f64| -> Vec<AntennaPose> {
        heights
            .iter()
            .enumerate()
            .map(|(i, &z)| AntennaPose {
                port: i as u8 + 1,
                position_m: [x, y, z],
                boresight: [0.0, -1.0, 0.0],
            })
            .collect()
    };
    let mut scan = Scan { name: format!("face lesson {number}"), ..Scan::default() };
    let (mut order, mut index, mut reads) = (Vec::new(), vec![u32::MAX; field.len()], Vec::new());
    let (mut error, mut now) = ([0.0f64; 2], 0i64);
    let keep = libm::exp(-speed * STEP_NS as f64 * 1e-9 / 0.5);
    let fresh = wander * (1.0 - keep * keep).sqrt();
    loop {
        let x = -0.6 + speed * now as f64 * 1e-9;
        if x > length + 0.6 {
            return (scan, order);
        }
        reader.advance(field, now, &at(x, distance), &mut reads);
        error = error.map(|e| keep * e + fresh * rng.sample::<f64, _>(StandardNormal));
        for r in reads.drain(..) {
            let tag = &mut index[r.tag as usize];
            if *tag == u32::MAX {
                *tag = scan.tags.len() as u32;
                order.push(r.tag);
                scan.tags.push(field.uid(r.tag).cloned().unwrap_or_default());
            }
            let x = -0.6 + speed * r.stamp_ns as f64 * 1e-9 + error[0];
            scan.reads.push(Read {
                stamp_ns: Some(r.stamp_ns),
                tag: *tag,
                antenna: r.port,
                frequency_hz: r.frequency_hz,
                rssi_dbm: r.rssi_dbm,
                phase_rad: r.phase_rad,
                antenna_m: [x, distance + error[1], heights[usize::from(r.port) - 1]].map(|v| v as f32),
            });
        }
        now += STEP_NS;
    }
}
