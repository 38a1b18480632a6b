//! A pass along one face of the demo's kind: how many reads a book gets, from where, and how fast it all runs.

use std::time::Instant;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use twin::RobotSettings;
use twin::radio::{
    AntennaPose, Panel, RadioError, RadioSettings, Reader, ShelfFront, TagField, TagPlacement,
};

use super::rail::quantile;

const LENGTH_M: f64 = 4.5;
/// From the shelves' front to the middle of the robot, m.
const LANE_M: f64 = 0.65;

/// Faces: y of the front plane and the way it looks. The robot passes the first; the second is behind its panel, the
/// third across the aisle, the fourth behind that.
const FACES: [(f64, f64, &str); 4] = [
    (0.0, 1.0, "passed"),
    (-0.5, -1.0, "behind the panel"),
    (1.5, -1.0, "across the aisle"),
    (2.0, 1.0, "behind that"),
];

pub fn report(settings: &RadioSettings) -> Result<(), RadioError> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let boards: Vec<f64> = (0..6).map(|t| 0.10 + 0.33 * f64::from(t)).collect();
    let mut tags = Vec::new();
    let mut face_of = Vec::new();
    let mut fronts = Vec::new();
    for (face, &(y, out, _)) in FACES.iter().enumerate() {
        fronts.push(ShelfFront { origin_m: [0.0, y], outward: [0.0, out], boards_m: boards.clone() });
        for (tier, board) in boards.iter().enumerate() {
            for bay in 0..5 {
                let mut x = 0.9 * f64::from(bay) + 0.02;
                let end = 0.9 * f64::from(bay + 1) - 0.15;
                while x < end {
                    let thickness = (0.022 * (0.5 * rng.sample::<f64, _>(rand_distr::StandardNormal)).exp())
                        .clamp(0.005, 0.06);
                    let n = tags.len() as u32;
                    let uid = domain::Uid::new(&n.to_be_bytes())
                        .map_err(|_| RadioError::NoSuchTag { index: n, count: 0 })?;
                    let place = [
                        x + thickness / 2.0,
                        y - out * 0.03 * rng.random::<f64>(),
                        board + 0.04 + 0.08 * rng.random::<f64>(),
                    ];
                    tags.push(TagPlacement {
                        uid,
                        position_m: place,
                        axis: [0.0, 0.0, 1.0],
                        outward: [0.0, out, 0.0],
                        front: Some(face as u32),
                        needs_db: 0.0,
                    });
                    face_of.push((face, tier));
                    x += thickness;
                }
            }
        }
    }
    let panel = |y: f64| Panel { from_m: [0.0, y], to_m: [LENGTH_M, y], z_m: [0.0, 2.1], loss_db: 15.0 };
    let count = tags.len();
    let field = TagField::new(settings, tags, vec![panel(-0.25), panel(1.75)], fronts, 1)?;
    let mut reader = Reader::new(settings, 1, 0)?;
    let mut reads = Vec::new();
    let started = Instant::now();
    // The demo's robot, as its pilot lets it drive.
    let antennas = RobotSettings::default().antennas_m;
    let (speed, step_ns) = (0.10, 10_000_000);
    let seconds = (LENGTH_M + 1.0) / speed;
    let mut now = 0;
    while (now as f64) < seconds * 1e9 {
        now += step_ns;
        let x = -0.5 + speed * now as f64 * 1e-9;
        let poses: Vec<AntennaPose> = antennas
            .iter()
            .zip(1u8..)
            .map(|(mount, port)| AntennaPose {
                port,
                position_m: [x, LANE_M - mount[1], mount[2]],
                boresight: [0.0, -1.0, 0.0],
            })
            .collect();
        reader.advance(&field, now, &poses, &mut reads);
    }
    let took = started.elapsed().as_secs_f64();
    let slots = reader.slots();
    println!(
        "\nPass along a face: {count} books on 4 faces, {seconds:.0} s at {speed} m/s, {} antennas",
        antennas.len()
    );
    println!(
        "  {} reads, {:.0} reads/s, slots read {:.1}%, empty {:.1}%, collided {:.1}%, failed {:.1}%",
        reads.len(),
        reads.len() as f64 / seconds,
        100.0 * slots.read as f64 / slots.all() as f64,
        100.0 * slots.empty as f64 / slots.all() as f64,
        100.0 * slots.collided as f64 / slots.all() as f64,
        100.0 * slots.failed as f64 / slots.all() as f64
    );
    println!(
        "  took {took:.2} s: {:.0} times real time on one core, {:.1} µs a read",
        seconds / took,
        1e6 * took / reads.len() as f64
    );
    let mut per_tag = vec![0usize; count];
    for r in &reads {
        per_tag[r.tag as usize] += 1;
    }
    for (face, &(_, _, name)) in FACES.iter().enumerate() {
        let here: Vec<usize> = (0..count).filter(|&i| face_of[i].0 == face).collect();
        let mut numbers: Vec<f64> = here.iter().map(|&i| per_tag[i] as f64).collect();
        let total: f64 = numbers.iter().sum();
        let never = numbers.iter().filter(|&&n| n < 1.0).count();
        println!(
            "  {name:>17}: {:5.1}% of reads; a book: median {:.0}, p10 {:.0}, p1 {:.0} reads; never read {never} of {}",
            100.0 * total / reads.len() as f64,
            quantile(&mut numbers, 0.5),
            quantile(&mut numbers, 0.1),
            quantile(&mut numbers, 0.01),
            here.len()
        );
    }
    for tier in 0..boards.len() {
        let mut numbers: Vec<f64> =
            (0..count).filter(|&i| face_of[i] == (0, tier)).map(|i| per_tag[i] as f64).collect();
        println!(
            "      tier {}: median {:.0}, p1 {:.0} reads",
            tier + 1,
            quantile(&mut numbers, 0.5),
            quantile(&mut numbers, 0.01)
        );
    }
    let mut reach: Vec<f64> = reads
        .iter()
        .filter(|r| face_of[r.tag as usize].0 == 0)
        .filter_map(|r| {
            Some((field.placement(r.tag)?.position_m[0] - (-0.5 + speed * r.stamp_ns as f64 * 1e-9)).abs())
        })
        .collect();
    let mut rssi: Vec<f64> = reads.iter().map(|r| f64::from(r.rssi_dbm)).collect();
    println!(
        "  |x_tag - x_antenna| of its reads: median {:.2} m, p95 {:.2} m; RSSI median {:.1}, p5 {:.1} dBm",
        quantile(&mut reach, 0.5),
        quantile(&mut reach, 0.95),
        quantile(&mut rssi, 0.5),
        quantile(&mut rssi, 0.05)
    );
    Ok(())
}
