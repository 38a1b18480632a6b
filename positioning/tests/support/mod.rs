//! A small made-up shelf and a robot's pass along it: geometry, hopping offsets, and a phase error that is alike over
//! some centimetres. Not the twin: just enough to hold the fit against known places.
#![allow(dead_code, missing_docs, clippy::unwrap_used)]

use domain::{Read, Scan, Uid};
use positioning::{FaceGeometry, TierGeometry};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

pub struct World {
    pub seed: u64,
    pub length_m: f64,
    /// RMS of the correlated phase error, rad.
    pub coupling_rms: f64,
    /// RMS of the slowly varying error of the robot's place, m.
    pub pose_rms: f64,
    pub speed: f64,
    pub reads_per_s: f64,
}

impl Default for World {
    fn default() -> Self {
        Self { seed: 1, length_m: 4.5, coupling_rms: 0.8, pose_rms: 0.0, speed: 0.15, reads_per_s: 600.0 }
    }
}

#[derive(Debug, Clone)]
pub struct TruePlace {
    pub at: [f64; 3],
    pub tier: usize,
    pub front: bool,
    pub reads: u32,
}

/// A smooth random function of place: a few waves, half-correlation about 8 cm.
struct Smooth(Vec<(f64, f64)>);

impl Smooth {
    fn new(rng: &mut ChaCha8Rng, length_m: f64) -> Self {
        Self(
            (0..8)
                .map(|_| {
                    let k: f64 = StandardNormal.sample(rng);
                    (k * 1.18 / length_m, rng.random_range(0.0..std::f64::consts::TAU))
                })
                .collect(),
        )
    }

    /// RMS 1.
    fn at(&self, x: f64) -> f64 {
        self.0.iter().map(|(k, p)| (k * x + p).cos()).sum::<f64>() / (self.0.len() as f64 / 2.0).sqrt()
    }
}

struct Tag {
    place: TruePlace,
    offset: f64,
    level: f64,
    phase_error: Vec<Smooth>,
    power_error: Vec<Smooth>,
}

const HEIGHTS: [f64; 4] = [0.40, 0.85, 1.30, 1.75];
const CARRIERS: usize = 16;

impl World {
    pub fn face(&self) -> FaceGeometry {
        FaceGeometry {
            face: "1F/R01A".parse().unwrap(),
            length_m: self.length_m,
            depth_m: 0.25,
            tiers: (0..6)
                .map(|t| TierGeometry { board_m: 0.10 + 0.33 * f64::from(t), clear_m: 0.31 })
                .collect(),
        }
    }

    fn tags(&self, rng: &mut ChaCha8Rng) -> Vec<Tag> {
        let mut tags = Vec::new();
        for (side, y, level, from, to) in [
            (0, -0.015, 0.0, 0.02, self.length_m - 0.02),
            (1, -0.485, -12.0, 0.02, self.length_m),
            (2, 1.515, -14.0, 0.02, self.length_m),
        ] {
            for tier in 0..6 {
                let mut x = from;
                while x < to {
                    x += if side == 0 { rng.random_range(0.010..0.040) } else { rng.random_range(0.3..0.9) };
                    let z = 0.10 + 0.33 * tier as f64 + rng.random_range(0.04..0.12);
                    let jitter: f64 = StandardNormal.sample(rng);
                    tags.push(Tag {
                        place: TruePlace {
                            at: [x, y + rng.random_range(-0.015..0.015), z],
                            tier,
                            front: side == 0,
                            reads: 0,
                        },
                        offset: rng.random_range(0.0..std::f64::consts::TAU),
                        level: level + 3.0 * jitter,
                        phase_error: (0..4).map(|_| Smooth::new(rng, 0.08)).collect(),
                        power_error: (0..4).map(|_| Smooth::new(rng, 0.08)).collect(),
                    });
                }
            }
        }
        tags
    }

    /// One pass in the face's +x direction, and the truth in the order of the scan's tags.
    pub fn pass(&self) -> (Scan, Vec<TruePlace>) {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut tags = self.tags(&mut rng);
        let offsets: Vec<f64> =
            (0..4 * CARRIERS).map(|_| rng.random_range(0.0..std::f64::consts::TAU)).collect();
        let wander = [Smooth::new(&mut rng, 0.6), Smooth::new(&mut rng, 0.6)];
        let mut scan = Scan { name: "pass".into(), ..Scan::default() };
        let mut index: Vec<Option<u32>> = vec![None; tags.len()];
        let mut order = Vec::new();
        let seconds = (self.length_m + 1.0) / self.speed;
        let (mut t, mut slot, mut port, mut carrier) = (0.0, usize::MAX, 0, 0);
        let mut audible: Vec<usize> = Vec::new();
        while t < seconds {
            let x = -0.5 + self.speed * t;
            if (t / 0.1) as usize != slot {
                slot = (t / 0.1) as usize;
                port = slot % 4;
                if slot.is_multiple_of(4) {
                    carrier = rng.random_range(0..CARRIERS);
                }
                audible = (0..tags.len()).filter(|&i| power(&tags[i], port, x) > -68.0).collect();
            }
            t += 1.0 / self.reads_per_s;
            if audible.is_empty() {
                continue;
            }
            let i = audible[rng.random_range(0..audible.len())];
            let tag = &mut tags[i];
            let rssi = power(tag, port, x);
            let d = distance(tag, port, x);
            let f = 920.625e6 + 0.25e6 * carrier as f64;
            let noise: f64 = StandardNormal.sample(&mut rng);
            let phase = 4.0 * std::f64::consts::PI * f / 299_792_458.0 * d
                + tag.offset
                + offsets[port * CARRIERS + carrier]
                + self.coupling_rms * tag.phase_error[port].at(x)
                + 0.03 * noise;
            tag.place.reads += 1;
            let id = *index[i].get_or_insert_with(|| {
                scan.tags.push(Uid::new(&(i as u32 + 1).to_be_bytes()).unwrap());
                order.push(i);
                scan.tags.len() as u32 - 1
            });
            scan.reads.push(Read {
                stamp_ns: Some((t * 1e9) as i64),
                tag: id,
                antenna: port as u8 + 1,
                frequency_hz: f,
                rssi_dbm: (2.0 * (rssi + 0.2 * noise)).round() as f32 / 2.0,
                phase_rad: phase.rem_euclid(std::f64::consts::TAU) as f32,
                antenna_m: [
                    (x + self.pose_rms * wander[0].at(x)) as f32,
                    (0.40 + self.pose_rms * wander[1].at(x)) as f32,
                    HEIGHTS[port] as f32,
                ],
            });
        }
        let truth = order.iter().map(|&i| tags[i].place.clone()).collect();
        (scan, truth)
    }

    /// Tags of the face that the pass did not read.
    pub fn unread(&self, truth: &[TruePlace]) -> usize {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        self.tags(&mut rng).iter().filter(|t| t.place.front).count()
            - truth.iter().filter(|t| t.front).count()
    }
}

fn distance(tag: &Tag, port: usize, x: f64) -> f64 {
    let at = tag.place.at;
    ((x - at[0]).powi(2) + (0.40 - at[1]).powi(2) + (HEIGHTS[port] - at[2]).powi(2)).sqrt()
}

/// RSSI, dBm: two-way path, beam, coupling.
fn power(tag: &Tag, port: usize, x: f64) -> f64 {
    let d = distance(tag, port, x);
    let beam = ((0.40 - tag.place.at[1]).abs() / d).max(0.05);
    -45.0 + tag.level - 0.8 * (40.0 * (d / 0.5).log10() - 56.0 * beam.log10())
        + 3.0 * tag.power_error[port].at(x)
}

/// A scan as the rail makes them: 50 stops of 2 cm, 8 carriers, tags 8 cm apart at 0.65 m, in order of their numbers.
pub fn rail_scan(tags: usize, reads: usize) -> Scan {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let errors: Vec<[Smooth; 2]> =
        (0..tags).map(|_| std::array::from_fn(|_| Smooth::new(&mut rng, 0.08))).collect();
    let offsets: Vec<f64> = (0..tags * 8).map(|_| rng.random_range(0.0..std::f64::consts::TAU)).collect();
    let mut scan = Scan {
        name: "rail".into(),
        tags: (0..tags).map(|t| Uid::new(&(t as u32 + 1).to_be_bytes()).unwrap()).collect(),
        reads: Vec::with_capacity(reads),
    };
    for i in 0..reads {
        let (tag, carrier, stop) = (i % tags, i / (reads / 50 / 8).max(1) % 8, i * 50 / reads);
        let x = 0.02 + 0.02 * stop as f64;
        let at = rail_place(tags, tag);
        let d = (x - at).hypot(0.65);
        let f = 920.625e6 + 0.5e6 * carrier as f64;
        let noise: f64 = StandardNormal.sample(&mut rng);
        let phase = 4.0 * std::f64::consts::PI * f / 299_792_458.0 * d
            + offsets[tag * 8 + carrier]
            + 0.4 * errors[tag][0].at(x)
            + 0.03 * noise;
        let rssi = -45.0 - 60.0 * (d / 0.65).log10() + 2.0 * errors[tag][1].at(x) + 0.2 * noise;
        scan.reads.push(Read {
            stamp_ns: None,
            tag: tag as u32,
            antenna: 1,
            frequency_hz: f,
            rssi_dbm: (2.0 * rssi).round() as f32 / 2.0,
            phase_rad: phase.rem_euclid(std::f64::consts::TAU) as f32,
            antenna_m: [x as f32, 0.0, 0.0],
        });
    }
    scan
}

/// True x of a tag of [`rail_scan`], m.
pub fn rail_place(tags: usize, tag: usize) -> f64 {
    0.51 + 0.08 * (tag as f64 - (tags as f64 - 1.0) / 2.0)
}
