//! The localizer in a toy world: accuracy, honesty of its covariance, people, long aisles, and getting lost.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod toy;

use domain::Site;
use nalgebra::Vector3;
use positioning::localizer::{LocalizerSettings, Tracking};
use positioning::pose::wrap_angle;
use positioning::{Estimate, FloorMap, Localizer, Pose2};
use toy::{BASE_FROM_LASER, Person, Toy, site};

fn localizer(start: Pose2) -> Localizer {
    let map = FloorMap::from_floor(&site().floors[0]).unwrap();
    Localizer::new(map, start, BASE_FROM_LASER, LocalizerSettings::default())
}

fn feed(toy: &mut Toy, localizer: &mut Localizer) -> Option<Estimate> {
    let sensed = toy.step();
    if let Some(rate) = sensed.yaw_rate {
        localizer.add_yaw_rate(toy.now_ns, rate);
    }
    if let Some(odometry) = sensed.odometry {
        localizer.add_odometry(toy.now_ns, odometry);
    }
    if let Some(scan) = sensed.scan {
        localizer.add_scan(scan);
    }
    localizer.estimate()
}

/// Errors of one estimate: x, y (m), heading (radians) on the map.
fn error(estimate: &Estimate, truth: Pose2) -> Vector3<f64> {
    let at = estimate.map_from_base;
    Vector3::new(at.x - truth.x, at.y - truth.y, wrap_angle(at.theta - truth.theta))
}

/// Steers by the truth through way-points; calls back at each estimate.
fn drive(
    toy: &mut Toy,
    localizer: &mut Localizer,
    way: &[[f64; 2]],
    speed: f64,
    mut each: impl FnMut(&mut Toy, &Estimate),
) {
    for target in way {
        while (target[0] - toy.truth.x).hypot(target[1] - toy.truth.y) > 0.1 {
            let bearing = (target[1] - toy.truth.y).atan2(target[0] - toy.truth.x);
            let off = wrap_angle(bearing - toy.truth.theta);
            toy.command = if off.abs() > 0.3 { [0.0, off.signum() * 0.6] } else { [speed, 1.5 * off] };
            if let Some(estimate) = feed(toy, localizer) {
                each(toy, &estimate);
            }
        }
    }
}

/// All three aisles.
const TOUR: [[f64; 2]; 9] = [
    [1.0, 2.75],
    [7.5, 2.75],
    [7.5, 0.85],
    [1.0, 0.85],
    [1.0, 4.65],
    [7.5, 4.65],
    [7.5, 2.75],
    [1.0, 2.75],
    [0.8, 0.85],
];

#[derive(Default)]
struct Figures {
    n: f64,
    xy: f64,
    theta: f64,
    nees: f64,
    worst: f64,
}

impl Figures {
    fn add(&mut self, estimate: &Estimate, truth: Pose2) {
        let e = error(estimate, truth);
        let inverse = estimate.covariance.try_inverse().unwrap();
        self.n += 1.0;
        self.xy += e.x * e.x + e.y * e.y;
        self.theta += e.z * e.z;
        self.nees += (e.transpose() * inverse * e)[0];
        self.worst = self.worst.max(e.x.hypot(e.y));
    }

    fn report(&self, what: &str) -> (f64, f64, f64) {
        let (xy, deg, nees) =
            ((self.xy / self.n).sqrt(), (self.theta / self.n).sqrt().to_degrees(), self.nees / self.n);
        println!(
            "{what}: {} scans, RMS {:.4} m and {deg:.3} deg, worst {:.4} m, mean NEES {nees:.2} (3 expected)",
            self.n, xy, self.worst
        );
        (xy, deg, nees)
    }
}

fn tour(built: &Site, seed: u64, people: bool) -> Figures {
    let mut toy = Toy::new(built, Pose2::new(0.8, 2.75, 0.0), seed);
    // The dock is known to 0.2 m and 10 degrees only.
    let mut localizer = localizer(Pose2::new(0.95, 2.6, 0.14));
    let mut figures = Figures::default();
    drive(&mut toy, &mut localizer, &TOUR, 0.4, |toy, estimate| {
        if people {
            let t = toy.now_ns as f64 * 1e-9;
            toy.people = vec![
                Person { at: [4.0 + 2.5 * (0.3 * t).sin(), 2.75 + 0.4 * (0.2 * t).cos()], radius: 0.2 },
                Person { at: [4.0 + 2.5 * (0.2 * t).cos(), 0.75], radius: 0.2 },
                Person { at: [7.5, 2.0 + 1.5 * (0.25 * t).sin()], radius: 0.25 },
            ];
        }
        figures.add(estimate, toy.truth);
        assert_eq!(estimate.tracking, Tracking::Tracking, "at {:?}", toy.truth);
    });
    figures
}

#[test]
fn the_robot_knows_where_it_is_to_2_cm_and_half_a_degree() {
    for seed in 0..3 {
        let (xy, deg, nees) = tour(&site(), seed, false).report("empty stacks");
        assert!(xy < 0.02 && deg < 0.5, "RMS {xy} m, {deg} deg");
        assert!(nees < 6.0, "covariance claims too much: NEES {nees}");
    }
}

#[test]
fn people_in_the_aisles_do_not_push_the_robot_off_its_place() {
    for seed in 0..3 {
        let (xy, deg, nees) = tour(&site(), seed, true).report("with people");
        assert!(xy < 0.02 && deg < 0.5, "RMS {xy} m, {deg} deg");
        assert!(nees < 6.0, "covariance claims too much: NEES {nees}");
    }
}

/// The site as it was really built: every row face some centimetres and tenths of a degree off the plan.
fn as_built(seed: u64) -> Site {
    let mut built = site();
    for (i, face) in built.floors[0].faces.iter_mut().enumerate() {
        let off = |k: u64| ((seed * 31 + i as u64 * 7 + k * 13) % 11) as f64 / 5.0 - 1.0;
        face.origin_m[0] += 0.015 * off(1);
        face.origin_m[1] += 0.015 * off(2);
        face.heading_deg += 0.2 * off(3);
    }
    built
}

#[test]
fn rows_that_stand_beside_their_place_on_the_plan_cost_little() {
    for seed in 0..3 {
        let (xy, deg, nees) = tour(&as_built(seed), seed, true).report("rows up to 1.5 cm off the plan");
        assert!(xy < 0.02 && deg < 0.5, "RMS {xy} m, {deg} deg");
        assert!(nees < 9.0, "covariance claims too much: NEES {nees}");
    }
}

#[test]
fn in_a_bare_corridor_the_covariance_grows_along_it_and_not_across() {
    let mut long = site();
    let floor = &mut long.floors[0];
    floor.faces.clear();
    floor.walls = [[0.0, 1.5], [0.0, 3.5]]
        .map(|[_, y]| domain::site::Wall { from_m: [-50.0, y], to_m: [50.0, y] })
        .to_vec();
    let mut toy = Toy::new(&long, Pose2::new(0.0, 2.5, 0.0), 1);
    let map = FloorMap::from_floor(&long.floors[0]).unwrap();
    let settings = LocalizerSettings { initial_std_m: 0.02, ..LocalizerSettings::default() };
    let mut localizer = Localizer::new(map, Pose2::new(0.0, 2.5, 0.02), BASE_FROM_LASER, settings);
    let mut last = None;
    drive(&mut toy, &mut localizer, &[[20.0, 2.5]], 0.5, |toy, e| last = Some((e.clone(), toy.truth)));
    let (estimate, truth) = last.unwrap();
    let e = error(&estimate, truth);
    let std = [0, 1].map(|i| estimate.covariance[(i, i)].sqrt());
    println!("after 20 m of corridor: error {:.3} m along, {:.3} m across; std {std:.3?}", e.x, e.y);
    assert!(e.y.abs() < 0.02 && std[1] < 0.02);
    assert!(std[0] > 0.1 && e.x.abs() < 3.0 * std[0]);
}

#[test]
fn the_pose_is_dead_reckoned_while_nothing_fits_and_found_again_after() {
    let mut toy = Toy::new(&site(), Pose2::new(0.8, 2.75, 0.0), 3);
    let mut localizer = localizer(Pose2::new(0.8, 2.75, 0.0));
    drive(&mut toy, &mut localizer, &[[2.0, 2.75]], 0.3, |_, _| ());
    // A group of visitors all around: no beam reaches a shelf.
    let mut seen = vec![];
    let start = toy.now_ns;
    drive(&mut toy, &mut localizer, &[[4.0, 2.75]], 0.3, |toy, e| {
        let crowd = toy.now_ns - start < 4_000 * toy::MS;
        toy.people = if crowd {
            (0..8)
                .map(|i| {
                    let angle = f64::from(i) * std::f64::consts::TAU / 8.0;
                    let at = toy.truth.transform([0.42 * angle.cos() + 0.1, 0.42 * angle.sin()]);
                    Person { at, radius: 0.2 }
                })
                .collect()
        } else {
            vec![]
        };
        seen.push((e.tracking, error(e, toy.truth).norm()));
    });
    assert!(seen.iter().any(|s| s.0 == Tracking::DeadReckoning));
    assert!(seen.iter().any(|s| s.0 == Tracking::Lost));
    let last = seen.last().unwrap();
    assert!(last.0 == Tracking::Tracking && last.1 < 0.03, "{last:?}");
    assert!(seen.iter().all(|s| s.1 < 0.15));
}

#[test]
fn a_robot_that_was_pushed_finds_itself_at_once() {
    let mut toy = Toy::new(&site(), Pose2::new(0.8, 2.75, 0.0), 4);
    let mut localizer = localizer(Pose2::new(0.8, 2.75, 0.0));
    drive(&mut toy, &mut localizer, &[[3.0, 2.75]], 0.3, |_, _| ());
    // Neither wheels nor gyro see it.
    toy.truth = toy.truth * Pose2::new(0.03, 0.06, 0.08);
    let pushed_ns = toy.now_ns;
    drive(&mut toy, &mut localizer, &[[4.0, 2.75]], 0.3, |toy, e| {
        let late = toy.now_ns - pushed_ns > 500 * toy::MS;
        assert!(!late || error(e, toy.truth).norm() < 0.02, "{:?} against {:?}", e, toy.truth);
    });
}

/// The toy's site with a pillar and a desk, so that its two halves can be told apart.
fn uneven() -> Site {
    let mut uneven = site();
    let wall = |a: [f64; 2], b: [f64; 2]| domain::site::Wall { from_m: a, to_m: b };
    let mut block = |x: f64, y: f64, w: f64, d: f64| {
        let c = [[x, y], [x + w, y], [x + w, y + d], [x, y + d]];
        uneven.floors[0].walls.extend((0..4).map(|i| wall(c[i], c[(i + 1) % 4])));
    };
    block(8.1, 4.9, 0.4, 0.6);
    block(0.0, 0.0, 0.5, 0.3);
    uneven
}

/// Way in metres until a robot that was carried off knows its place again.
fn way_until_found(seed: u64, to: Pose2, way_on: &[[f64; 2]]) -> f64 {
    let mut toy = Toy::new(&uneven(), Pose2::new(0.8, 2.75, 0.0), seed);
    let map = FloorMap::from_floor(&uneven().floors[0]).unwrap();
    let mut localizer =
        Localizer::new(map, Pose2::new(0.8, 2.75, 0.0), BASE_FROM_LASER, LocalizerSettings::default());
    drive(&mut toy, &mut localizer, &[[3.0, 2.75]], 0.4, |_, _| ());
    toy.truth = to;
    let (mut way, mut last, mut found) = (0.0, toy.truth, f64::INFINITY);
    drive(&mut toy, &mut localizer, way_on, 0.4, |toy, e| {
        way += toy.truth.distance(last);
        last = toy.truth;
        let right = e.tracking == Tracking::Tracking && error(e, toy.truth).norm() < 0.1;
        if right {
            found = found.min(way);
        } else {
            // Whoever does not know it must not claim it.
            let std = e.covariance[(0, 0)].max(e.covariance[(1, 1)]).sqrt();
            let honest = e.tracking != Tracking::Tracking || std > 0.1 || way < 6.0;
            assert!(honest, "seed {seed}, after {way:.1} m: {e:?} against {:?}", toy.truth);
            found = f64::INFINITY;
        }
    });
    found
}

#[test]
fn a_robot_that_was_carried_off_finds_itself_within_ten_metres() {
    // Where it is set down, and the way that it then takes.
    let round = [[7.5, 0.85], [7.5, 2.75], [1.0, 2.75], [1.0, 0.85], [7.5, 0.85]];
    let back = [[7.5, 4.65], [7.5, 2.75], [1.0, 2.75], [1.0, 4.65], [7.5, 4.65]];
    let cases = [
        (Pose2::new(6.0, 0.8, 3.0), &round[3..], &round[..]),
        (Pose2::new(2.5, 4.7, 0.0), &back[..], &[]),
        (Pose2::new(7.5, 2.0, 1.5), &round[1..], &[]),
        (Pose2::new(5.0, 0.85, 0.0), &round[..], &[]),
        (Pose2::new(1.0, 4.0, -1.5), &round[2..], &back[..]),
    ];
    for (seed, (to, first, then)) in (20..).zip(cases) {
        let way = way_until_found(seed, to, &[first, then].concat());
        println!("carried to {to:?}: found after {way:.1} m");
        assert!(way < 10.0, "carried to {to:?}: {way} m");
    }
}

#[test]
fn without_a_gyro_the_wheels_do() {
    let mut toy = Toy::new(&site(), Pose2::new(0.8, 2.75, 0.0), 5);
    let mut localizer = localizer(Pose2::new(0.8, 2.75, 0.0));
    let mut figures = Figures::default();
    for _ in 0..3_000 {
        toy.command = [0.2, 0.15 * (toy.now_ns as f64 * 1e-9).sin()];
        let sensed = toy.step();
        if let Some(odometry) = sensed.odometry {
            localizer.add_odometry(toy.now_ns, odometry);
        }
        if let Some(scan) = sensed.scan {
            localizer.add_scan(scan);
        }
        if let Some(estimate) = localizer.estimate() {
            figures.add(&estimate, toy.truth);
        }
        if toy.truth.x > 6.5 {
            break;
        }
    }
    let (xy, deg, _) = figures.report("without gyro");
    assert!(figures.n > 100.0 && xy < 0.02 && deg < 0.7);
}

#[test]
fn the_same_inputs_give_the_same_pose_to_the_last_bit() {
    let run = || {
        let mut toy = Toy::new(&site(), Pose2::new(0.8, 2.75, 0.0), 9);
        let mut localizer = localizer(Pose2::new(0.9, 2.7, 0.1));
        let mut bits = vec![];
        drive(&mut toy, &mut localizer, &TOUR[..2], 0.5, |_, e| {
            bits.push((e.map_from_base.x.to_bits(), e.map_from_base.theta.to_bits()));
        });
        bits
    };
    assert_eq!(run(), run());
}

#[test]
fn broken_sensors_are_counted_and_do_not_move_the_robot() {
    let mut toy = Toy::new(&site(), Pose2::new(0.8, 2.75, 0.0), 11);
    let mut localizer = localizer(Pose2::new(0.8, 2.75, 0.0));
    for i in 0..300 {
        if i == 150 {
            localizer.add_odometry(toy.now_ns + 1, Pose2 { x: f64::NAN, y: 0.0, theta: 0.0 });
            localizer.add_odometry(0, Pose2::default());
            localizer.add_yaw_rate(toy.now_ns + 1, f64::INFINITY);
            let mut empty = toy.step().scan.unwrap_or(positioning::localizer::RangeScan {
                stamp_ns: toy.now_ns,
                angle_min: 0.0,
                angle_increment: f64::NAN,
                time_increment: 0.0,
                range_m: [0.0, 1.0],
                ranges: vec![],
            });
            empty.angle_increment = f64::NAN;
            localizer.add_scan(empty);
        }
        feed(&mut toy, &mut localizer);
    }
    assert_eq!(localizer.refused().motion, 3);
    assert_eq!(localizer.refused().scans, 1);
    let mut last = None;
    for _ in 0..100 {
        last = feed(&mut toy, &mut localizer).or(last);
    }
    assert!(error(&last.unwrap(), toy.truth).norm() < 0.02);
}
