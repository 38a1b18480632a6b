//! Lessons for the locator: simulated passes along rows of coupled tags, each with a radio and a layout of its own.
//!
//! What real tags couple like is known roughly, so a lesson's radio is drawn from a wide prior ([`RadioPrior`]) instead
//! of the twin's own settings: a decoder taught by many radios has to look at what they have in common. The physics is
//! the twin's (coupled dipoles, point scatterers, one bounce); only whole rows are solved at once, as every tag
//! is asked at every place. Nothing measured goes into a lesson.

use std::f64::consts::TAU;

use domain::{Read, Scan, Uid};
use num_complex::Complex64;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

use super::SPEED_OF_LIGHT;
use super::beam::turn;
use super::coupling;
use super::impedance::ImpedanceTable;
use super::noise;
use super::rng::stream;
use super::row_layout::RowLayout;
use super::settings::ReaderSettings;

/// Ranges that a lesson's radio is drawn from, `[lowest, highest]`, evenly if nothing else is said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RadioPrior {
    /// Magnitude of a tag's whole impedance (own and load), Ω, evenly in its logarithm, where two tags 4 cm
    /// apart have a mutual impedance of 65 Ω.
    pub impedance_ohm: [f64; 2],
    /// Its angle, degrees.
    pub impedance_deg: [f64; 2],
    /// Spread of it from tag to tag, as a fraction.
    pub impedance_spread: [f64; 2],
    /// Lengths that a tag's dipole may have, m.
    pub dipole_m: Vec<f64>,
    /// How much faster the mutual impedance turns with distance than in air, rad/m.
    pub coupling_turn: [f64; 2],
    /// Factor on the coupling of tags on different heights, evenly in its logarithm: ends of dipoles that overlap are
    /// what the model knows least about.
    pub stacked_coupling: [f64; 2],
    /// Turn of that coupling, degrees.
    pub stacked_coupling_deg: [f64; 2],
    /// Scatterers around a row.
    pub scatterers: usize,
    /// Amplitude of a scatterer, m.
    pub scatter_gain: [f64; 2],
    /// Amplitude of antenna and tag together falls as the cosine of the angle off the row to this power.
    pub beam_exponent: [f64; 2],
    /// Reported RSSI rises by this much for each dB of received power.
    pub rssi_slope: [f64; 2],
    /// The weakest tag that is read is this far below the strongest, dB.
    pub read_range_db: [f64; 2],
    /// Carriers, Hz; one of them is drawn.
    pub carriers_hz: Vec<f64>,
}

impl Default for RadioPrior {
    fn default() -> Self {
        Self {
            impedance_ohm: [90.0, 400.0],
            impedance_deg: [-100.0, 20.0],
            impedance_spread: [0.08, 0.5],
            dipole_m: vec![0.095, 0.12, 0.163],
            coupling_turn: [-6.0, 16.0],
            stacked_coupling: [0.2, 2.0],
            stacked_coupling_deg: [-45.0, 45.0],
            scatterers: 8,
            scatter_gain: [0.03, 0.16],
            beam_exponent: [-0.2, 1.0],
            rssi_slope: [0.5, 0.95],
            read_range_db: [18.0, 32.0],
            carriers_hz: vec![866.3e6, 915.25e6, 922.375e6, 922.375e6, 922.375e6],
        }
    }
}

/// Where a tag of a lesson was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LessonTag {
    /// Along the track, m.
    pub x_m: f64,
    /// Height above the antenna's track, m.
    pub z_m: f64,
    /// Row of tags, from 0.
    pub row: i32,
}

/// A simulated pass with the places of its tags.
#[derive(Debug, Clone)]
pub struct Lesson {
    /// The reads of one antenna along x, the face frame's y being the range; tags in random order.
    pub scan: Scan,
    /// One for each tag of the scan, in its order.
    pub truth: Vec<LessonTag>,
}

/// Mutual impedance that [`RadioPrior::impedance_ohm`] is measured by: of tags 4 cm apart, Ω.
const AT_4_CM_OHM: f64 = 65.0;

/// Draws lessons about rows.
pub struct RowSchool {
    prior: RadioPrior,
    tables: Vec<(ImpedanceTable, f64)>,
    reader: ReaderSettings,
}

/// The radio of one lesson.
struct Drawn {
    table: usize,
    impedance: Complex64,
    spread: f64,
    turn: f64,
    stacked: Complex64,
    beam: f64,
    slope: f64,
    carrier_hz: f64,
    threshold_db: f64,
}

impl RowSchool {
    /// A school with that prior.
    pub fn new(prior: RadioPrior) -> Self {
        let tables = prior
            .dipole_m
            .iter()
            .map(|&length| {
                let table = ImpedanceTable::new(length, 922.4e6);
                let scale = AT_4_CM_OHM / table.at(0.04, 0.0).norm();
                (table, scale)
            })
            .collect();
        Self { prior, tables, reader: ReaderSettings::default() }
    }

    /// The lesson of that number; the same number gives the same lesson.
    pub fn lesson(&self, seed: u64, number: u64) -> Lesson {
        let mut rng = stream(seed, "row lesson", &number.to_le_bytes());
        let drawn = self.draw(&self.prior, &mut rng);
        let layout = RowLayout::draw(&mut rng);
        self.scan(&mut rng, &self.prior, &drawn, &layout, number)
    }

    /// A pass along a given layout with a radio from another prior, whose dipoles are among this school's: of a known
    /// radio, a prior of one point.
    pub fn pass(&self, prior: &RadioPrior, layout: &RowLayout, seed: u64, number: u64) -> Lesson {
        let mut rng = stream(seed, "row pass", &number.to_le_bytes());
        let drawn = self.draw(prior, &mut rng);
        self.scan(&mut rng, prior, &drawn, layout, number)
    }

    fn draw(&self, p: &RadioPrior, rng: &mut impl Rng) -> Drawn {
        let mut even = |[low, high]: [f64; 2]| low + (high - low) * rng.random::<f64>();
        let by_log = |v: [f64; 2]| v.map(libm::log);
        let ohm = libm::exp(even(by_log(p.impedance_ohm)));
        let (dipole, carrier) =
            (even([0.0, p.dipole_m.len() as f64]), even([0.0, p.carriers_hz.len() as f64]));
        let length = p.dipole_m.get((dipole as usize).min(p.dipole_m.len().saturating_sub(1)));
        let table = self.prior.dipole_m.iter().position(|l| length == Some(l));
        Drawn {
            impedance: Complex64::from_polar(ohm, even(p.impedance_deg).to_radians()),
            spread: even(p.impedance_spread),
            turn: even(p.coupling_turn),
            stacked: Complex64::from_polar(
                libm::exp(even(by_log(p.stacked_coupling))),
                even(p.stacked_coupling_deg).to_radians(),
            ),
            beam: even(p.beam_exponent),
            slope: even(p.rssi_slope),
            threshold_db: even(p.read_range_db),
            table: table.unwrap_or(0),
            carrier_hz: p.carriers_hz[(carrier as usize).min(p.carriers_hz.len() - 1)],
        }
    }

    /// Inverse of the row's impedance matrix by its factorisation, ready to be asked.
    fn solve(&self, rng: &mut impl Rng, drawn: &Drawn, tags: &[([f64; 3], i32)]) -> Vec<Complex64> {
        let (table, scale) = &self.tables[drawn.table];
        let mut z = Vec::with_capacity(tags.len() * (tags.len() + 1) / 2);
        for (i, (p, _)) in tags.iter().enumerate() {
            for (q, _) in &tags[..i] {
                let lateral = (p[0] - q[0]).hypot(p[1] - q[1]);
                let axial = p[2] - q[2];
                let bent = turn(-drawn.turn * (lateral.min(0.2) - 0.06));
                let stacked = if axial.abs() > 0.04 { drawn.stacked } else { Complex64::ONE };
                z.push(table.at(lateral, axial) * *scale * bent * stacked);
            }
            let jitter = Complex64::new(rng.sample(StandardNormal), rng.sample(StandardNormal));
            z.push(drawn.impedance * (1.0 + drawn.spread / 2f64.sqrt() * jitter));
        }
        coupling::factor(&mut z, tags.len());
        z
    }

    fn scan(
        &self,
        rng: &mut impl Rng,
        prior: &RadioPrior,
        drawn: &Drawn,
        layout: &RowLayout,
        number: u64,
    ) -> Lesson {
        let tags = &layout.tags;
        let factors = self.solve(rng, drawn, tags);
        let k = TAU * drawn.carrier_hz / SPEED_OF_LIGHT;
        let scatterers = scatterers(prior, rng, layout);
        let gain = even(rng, prior.scatter_gain[0], prior.scatter_gain[1]);
        // From each scatterer to each tag.
        let bounce: Vec<Vec<Complex64>> = scatterers
            .iter()
            .map(|(at, phase)| {
                tags.iter()
                    .map(|(p, _)| {
                        let r = distance(*at, *p).max(0.1);
                        turn(k * r) * (gain / r) * phase
                    })
                    .collect()
            })
            .collect();
        let mut currents = Vec::with_capacity(layout.stops.len());
        for &x in &layout.stops {
            let antenna = [x, 0.0, 0.0];
            let mut field: Vec<Complex64> = tags
                .iter()
                .map(|(p, _)| {
                    let r = distance(antenna, *p);
                    turn(k * r) * (libm::pow(p[1] / r, drawn.beam) / r)
                })
                .collect();
            for ((at, _), to_tags) in scatterers.iter().zip(&bounce) {
                let r = distance(antenna, *at).max(0.1);
                let sent = turn(k * r) / r;
                field.iter_mut().zip(to_tags).for_each(|(f, b)| *f += sent * b);
            }
            coupling::solve_factored(&factors, &mut field);
            currents.push(field);
        }
        self.reads(rng, drawn, layout, &currents, number)
    }

    fn reads(
        &self,
        rng: &mut impl Rng,
        drawn: &Drawn,
        layout: &RowLayout,
        currents: &[Vec<Complex64>],
        number: u64,
    ) -> Lesson {
        let db = |c: Complex64| 20.0 * libm::log10(c.norm_sqr().max(1e-30));
        let listed: Vec<usize> = {
            let mut all: Vec<usize> = (0..layout.tags.len()).filter(|&t| layout.tags[t].1 >= 0).collect();
            for i in (1..all.len()).rev() {
                all.swap(i, rng.random_range(0..=i));
            }
            all
        };
        let peak =
            currents.iter().flat_map(|c| listed.iter().map(|&t| db(c[t]))).fold(f64::NEG_INFINITY, f64::max);
        let mut scan = Scan { name: format!("lesson {number}"), ..Scan::default() };
        let mut truth = Vec::with_capacity(listed.len());
        for (index, &tag) in listed.iter().enumerate() {
            let (p, row) = layout.tags[tag];
            let level = 1.5 * rng.sample::<f64, _>(StandardNormal);
            let threshold = peak - drawn.threshold_db + rng.sample::<f64, _>(StandardNormal);
            let offset = TAU * rng.random::<f64>();
            let id = [
                0xE2,
                0,
                (number >> 32) as u8,
                (number >> 24) as u8,
                (number >> 16) as u8,
                (number >> 8) as u8,
                number as u8,
                index as u8,
            ];
            // Eight bytes always make an identifier.
            scan.tags.push(Uid::new(&id).unwrap_or_default());
            truth.push(LessonTag { x_m: p[0], z_m: p[2], row });
            for (x, current) in layout.stops.iter().zip(currents) {
                let received = db(current[tag]);
                let jitter: f64 = rng.sample(StandardNormal);
                if received + 1.5 * jitter < threshold || rng.random::<f64>() < 0.01 {
                    continue;
                }
                // As strong as on a rail: −45 dBm at the best.
                let shown = -45.0 + drawn.slope * (received - peak);
                let phase = offset - 2.0 * current[tag].arg();
                scan.reads.push(Read {
                    stamp_ns: None,
                    tag: index as u32,
                    antenna: 1,
                    frequency_hz: drawn.carrier_hz,
                    rssi_dbm: noise::report_rssi(&self.reader, shown + level, rng),
                    phase_rad: noise::report_phase(&self.reader, phase, shown, rng),
                    antenna_m: [*x as f32, 0.0, 0.0],
                });
            }
        }
        Lesson { scan, truth }
    }
}

/// Points that reflect, somewhere around track and tags, with their phases.
fn scatterers(prior: &RadioPrior, rng: &mut impl Rng, layout: &RowLayout) -> Vec<([f64; 3], Complex64)> {
    let (low, high) = layout.ends();
    (0..prior.scatterers)
        .map(|_| {
            let at = [even(rng, low - 0.7, high + 0.7), even(rng, -0.3, 1.5), even(rng, -1.0, 1.0)];
            (at, turn(even(rng, 0.0, TAU)))
        })
        .collect()
}

/// Evenly between two bounds.
pub(super) fn even(rng: &mut impl Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * rng.random::<f64>()
}

fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    let d = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    coupling::dot(d, d).sqrt()
}
