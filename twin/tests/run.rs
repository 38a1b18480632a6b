//! The twin as a host drives it: same seed, same run; walls hold; sensors tell what is there, with their noise.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use interfaces::geometry_msgs::TwistStamped;
use interfaces::sensor_msgs::LaserScan;
use interfaces::{AnyMessage, Publication};
use twin::inject::ErrorSettings;
use twin::scenario::ObstacleSettings;
use twin::sensors::LidarSettings;
use twin::{LibrarySettings, RobotSettings, Scenario, Twin};

/// A small library, so that the tests are quick: one row of two bays.
fn small(seed: u64) -> Scenario {
    Scenario {
        seed,
        library: LibrarySettings { rows: 1, bays: 2, on_loan: 2, ..LibrarySettings::default() },
        errors: ErrorSettings { missing: 3, misplaced: 3, out_of_order: 2, foreign: 2, on_loan_on_shelf: 1 },
        ..Scenario::default()
    }
}

fn twist(forward: f64, turn: f64) -> TwistStamped {
    let mut t = TwistStamped::default();
    t.twist.linear.x = forward;
    t.twist.angular.z = turn;
    t
}

/// Runs for some seconds with a command that is kept up, and gives all that was published.
fn drive(twin: &mut Twin, seconds: f64, forward: f64, turn: f64) -> Vec<Publication> {
    let mut out = Vec::new();
    for i in 0..(seconds * 100.0) as u32 {
        if i % 5 == 0 {
            twin.command("inv_1", &twist(forward, turn)).unwrap();
        }
        twin.step(&mut out);
    }
    out
}

fn pose(twin: &Twin) -> [f64; 3] {
    twin.truth().robots[0].pose
}

fn last_scan(out: &[Publication]) -> &LaserScan {
    out.iter()
        .rev()
        .find_map(|p| match &*p.message {
            AnyMessage::LaserScan(s) => Some(s),
            _ => None,
        })
        .unwrap()
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    let run = |seed| {
        let mut twin = Twin::new(&small(seed)).unwrap();
        let out = drive(&mut twin, 6.0, 0.3, 0.1);
        (twin.state_hash(), out)
    };
    let (a, b, c) = (run(5), run(5), run(6));
    println!("state hash of seed 5 after 6 s: {}", a.0);
    assert_eq!(a.0, b.0);
    assert_eq!(a.1.len(), b.1.len());
    for (x, y) in a.1.iter().zip(&b.1) {
        assert_eq!((&x.topic, x.stamp_ns), (&y.topic, y.stamp_ns));
        // As bytes, since NaN is not equal to itself.
        assert_eq!(x.message.to_cdr(), y.message.to_cdr());
    }
    assert_ne!(a.0, c.0);
    assert_eq!(Twin::new(&small(5)).unwrap().state_hash(), Twin::new(&small(5)).unwrap().state_hash());
}

#[test]
fn a_robot_stops_at_a_wall_while_its_wheels_slip() {
    let mut twin = Twin::new(&small(1)).unwrap();
    // The dock looks along the aisle; its far wall is 2 + 1.8 + 2 m from the near one.
    let out = drive(&mut twin, 20.0, 0.5, 0.0);
    let radius = RobotSettings::default().base.radius_m;
    let x = pose(&twin)[0];
    assert!((5.8 - radius - 0.05..5.8 - radius + 0.02).contains(&x), "x {x}");
    let odometry = out
        .iter()
        .rev()
        .find_map(|p| match &*p.message {
            AnyMessage::Odometry(o) => Some(o.pose.pose.position.x),
            _ => None,
        })
        .unwrap();
    assert!(odometry > 8.0, "the wheels went on to turn: {odometry}");
}

#[test]
fn a_robot_without_commands_stands_still() {
    let mut twin = Twin::new(&small(1)).unwrap();
    drive(&mut twin, 2.0, 0.3, 0.0);
    let mut out = Vec::new();
    for _ in 0..200 {
        twin.step(&mut out);
    }
    let before = pose(&twin);
    for _ in 0..200 {
        twin.step(&mut out);
    }
    let after = pose(&twin);
    assert!((0..3).all(|i| (before[i] - after[i]).abs() < 1e-4), "{before:?} {after:?}");
}

#[test]
fn the_lidar_sees_walls_and_shelves_where_the_site_has_them() {
    let mut scenario = small(1);
    // In the aisle before side A, which looks to −y: the front is at y = 1.5.
    scenario.robots[0].start_m = [2.9, 0.85];
    let mut twin = Twin::new(&scenario).unwrap();
    let out = drive(&mut twin, 0.2, 0.0, 0.0);
    let scan = last_scan(&out);
    let at = |degrees: usize| f64::from(scan.ranges[(degrees + 180) % 360]);
    // To the left are books whose spines stand up to 12 mm behind the front edge, to the right the wall.
    let left: Vec<f64> = (80..100).map(|d| at(d) * ((d as f64) - 90.0).to_radians().cos()).collect();
    let mut sorted = left.clone();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted[sorted.len() / 2];
    assert!((middle - 0.65).abs() < 0.025, "shelf at {middle}");
    assert!((at(270) - 0.845).abs() < 0.04, "wall behind at {}", at(270));
    assert!((at(0) - 2.895).abs() < 0.04, "wall ahead at {}", at(0));
    assert!((scan.angle_min + std::f32::consts::PI).abs() < 1e-6);
    assert_eq!(scan.ranges.len(), 360);
}

#[test]
fn beyond_its_range_the_lidar_says_infinity() {
    let mut scenario = small(1);
    scenario.robots[0].start_m = [2.9, 0.85];
    scenario.robots[0].lidar.range_m = 1.0;
    scenario.robots[0].lidar.range_min_m = 0.7;
    scenario.robots[0].lidar.dropout = 0.0;
    let mut twin = Twin::new(&scenario).unwrap();
    let out = drive(&mut twin, 0.2, 0.0, 0.0);
    let scan = last_scan(&out);
    assert_eq!(scan.ranges[180], f32::INFINITY, "ahead the wall is too far");
    assert_eq!(scan.ranges[270], f32::NEG_INFINITY, "to the left the shelf is too near");
    assert!(scan.ranges[90].is_finite());
}

#[test]
fn what_is_dark_or_slanted_gives_a_weak_lidar_no_echo() {
    let echoes = |white: Option<f64>| {
        let mut scenario = small(3);
        scenario.robots[0].lidar = LidarSettings { white_range_m: white, ..LidarSettings::default() };
        let mut twin = Twin::new(&scenario).unwrap();
        last_scan(&drive(&mut twin, 0.2, 0.0, 0.0)).ranges.clone()
    };
    let (all, strong, weak) = (echoes(None), echoes(Some(1_000.0)), echoes(Some(4.0)));
    let count = |ranges: &[f32]| ranges.iter().filter(|r| r.is_finite()).count();
    assert_eq!(all, strong, "a strong lidar sees all, to the same bits");
    assert!(count(&weak) < count(&all) - 10, "{} of {}", count(&weak), count(&all));
    for (a, b) in all.iter().zip(&weak) {
        assert!(b == a || *b == f32::INFINITY, "an echo is there or not: {a} {b}");
    }
    // The wall beside the robot is met squarely from 0.75 m; along the wall the light glances off.
    assert!(
        weak[90].is_finite()
            && weak.iter().zip(&all).any(|(w, a)| a.is_finite() && *a < 3.5 && w.is_infinite())
    );
}

#[test]
fn odometry_drifts_but_stays_close() {
    let mut twin = Twin::new(&small(3)).unwrap();
    let start = pose(&twin);
    let out = drive(&mut twin, 10.0, 0.3, 0.0);
    let moved = pose(&twin)[0] - start[0];
    let odometry = out
        .iter()
        .rev()
        .find_map(|p| match &*p.message {
            AnyMessage::Odometry(o) => Some(o.pose.pose.position.x),
            _ => None,
        })
        .unwrap();
    let error = (odometry - moved).abs() / moved;
    assert!((0.0005..0.03).contains(&error), "moved {moved}, odometry {odometry}");
}

#[test]
fn the_gyro_shows_the_turn() {
    let mut twin = Twin::new(&small(3)).unwrap();
    let out = drive(&mut twin, 3.0, 0.0, 0.5);
    let rates: Vec<f64> = out
        .iter()
        .filter_map(|p| match &*p.message {
            AnyMessage::Imu(i) if p.stamp_ns > 1_000_000_000 => Some(i.angular_velocity.z),
            _ => None,
        })
        .collect();
    let mean = rates.iter().sum::<f64>() / rates.len() as f64;
    assert!((mean - 0.5).abs() < 0.03, "mean rate {mean}");
    assert_eq!(rates.len(), 200);
}

#[test]
fn topics_come_at_their_rates_with_the_robots_frames_and_in_order() {
    let mut twin = Twin::new(&small(1)).unwrap();
    let out = drive(&mut twin, 3.0, 0.15, 0.0);
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for p in &out {
        *count.entry(&p.topic).or_default() += 1;
    }
    assert_eq!(count["/clock"], 300);
    assert_eq!(count["/inv_1/odom"], 150);
    assert_eq!(count["/tf"], 150);
    assert_eq!(count["/inv_1/imu"], 300);
    assert_eq!(count["/inv_1/scan"], 30);
    assert_eq!(count["/inv_1/battery"], 3);
    assert_eq!(count["/inv_1/bumper"], 30);
    assert_eq!(count["/tf_static"], 1);
    assert!(out.is_sorted_by_key(|p| p.stamp_ns));
    let AnyMessage::TFMessage(mounts) = &*twin.static_transforms().message else { panic!("no tf") };
    let children: Vec<&str> = mounts.transforms.iter().map(|t| t.child_frame_id.as_str()).collect();
    let antennas = (1..=6).map(|port| format!("inv_1/antenna_{port}"));
    let wanted: Vec<String> = std::iter::once("inv_1/laser".to_owned()).chain(antennas).collect();
    assert_eq!(children, wanted);
}

#[test]
fn a_robot_that_passes_a_face_reads_nearly_all_its_books() {
    let mut scenario = small(1);
    scenario.robots[0].start_m = [1.4, 0.85];
    let mut twin = Twin::new(&scenario).unwrap();
    let out = drive(&mut twin, 21.0, 0.15, 0.0);
    let mut seen = BTreeSet::new();
    let mut reads = 0;
    for p in &out {
        if let AnyMessage::TagRead(r) = &*p.message {
            assert!(r.header.frame_id.starts_with("inv_1/antenna_"));
            seen.insert(r.uid.clone());
            reads += 1;
        }
    }
    let truth = twin.truth();
    let there: Vec<_> = truth
        .books
        .iter()
        .filter(|b| b.address.as_ref().is_some_and(|a| a.face.to_string() == "1F/R01A"))
        .collect();
    let found = there.iter().filter(|b| seen.contains(b.uid.as_bytes())).count();
    let share = found as f64 / there.len() as f64;
    println!(
        "{reads} reads in 21 s, {found} of {} tags of the face, {} tags in all",
        there.len(),
        seen.len()
    );
    assert!(share > 0.97, "{found} of {}", there.len());
    assert!(truth.injected.len() == 11);
}

#[test]
fn an_obstacle_comes_and_goes_at_its_time() {
    let text = "[library]\nrows = 1\nbays = 2\non_loan = 0\n[errors]\non_loan_on_shelf = 0\nmissing = 0\nmisplaced = 0\nout_of_order = 0\nforeign = 0\n[[obstacle]]\nat_m = [2.0, 0.75]\nsize_m = [0.4, 0.4]\nfrom_s = 1.0\nuntil_s = 2.0\n";
    let mut twin = Twin::new(&Scenario::from_toml(text, "x").unwrap()).unwrap();
    let ahead = |out: &[Publication]| last_scan(out).ranges[180];
    assert!(ahead(&drive(&mut twin, 0.9, 0.0, 0.0)) > 4.0);
    assert!((ahead(&drive(&mut twin, 0.9, 0.0, 0.0)) - 1.2).abs() < 0.05);
    assert!(ahead(&drive(&mut twin, 0.9, 0.0, 0.0)) > 4.0);
}

/// What the bumper said, in order of time.
fn bumper(out: &[Publication]) -> Vec<bool> {
    let said = out.iter().filter(|p| &*p.topic == "/inv_1/bumper");
    said.filter_map(|p| if let AnyMessage::Bool(b) = &*p.message { Some(b.data) } else { None }).collect()
}

#[test]
fn the_bumper_tells_of_what_the_robot_runs_into_until_it_backs_off() {
    let mut scenario = small(1);
    scenario.obstacles = vec![ObstacleSettings::standing([1.3, 0.75], [0.2, 0.6], 0.15)];
    let mut twin = Twin::new(&scenario).unwrap();
    let free = bumper(&drive(&mut twin, 0.5, 0.2, 0.0));
    assert_eq!(free, [false; 5], "ten times a second");
    let against = bumper(&drive(&mut twin, 3.0, 0.2, 0.0));
    assert!(against.last() == Some(&true) && against.len() >= 30, "{against:?}");
    let back = bumper(&drive(&mut twin, 2.0, -0.2, 0.0));
    assert!(back[0] && back.last() == Some(&false), "{back:?}");
    // From behind it is not felt, and yet it is a touch.
    let mut scenario = small(1);
    scenario.robots[0].start_m = [1.4, 0.75];
    scenario.obstacles = vec![ObstacleSettings::standing([0.8, 0.75], [0.2, 0.6], 0.15)];
    let mut twin = Twin::new(&scenario).unwrap();
    let behind = bumper(&drive(&mut twin, 4.0, -0.2, 0.0));
    assert!(twin.bumps("inv_1") >= 1 && behind.iter().all(|pressed| !pressed));
}

#[test]
fn a_person_walks_and_waits_for_a_robot() {
    let mut scenario = small(1);
    let text = "[[person]]\nfrom_m = [5.0, 0.75]\nto_m = [1.0, 0.75]\nstop_s = 0.0\n";
    scenario.people = Scenario::from_toml(text, "x").unwrap().people;
    let mut twin = Twin::new(&scenario).unwrap();
    let first = last_scan(&drive(&mut twin, 0.2, 0.0, 0.0)).ranges[180];
    let second = last_scan(&drive(&mut twin, 1.0, 0.0, 0.0)).ranges[180];
    assert!(second < first - 0.5, "walks towards the robot: {first} {second}");
    let near = last_scan(&drive(&mut twin, 8.0, 0.0, 0.0)).ranges[180];
    assert!(near > 0.5, "stops before the robot: {near}");
    assert!((pose(&twin)[0] - 0.6).abs() < 0.01);
}

#[test]
fn a_command_for_a_robot_that_is_not_there_is_refused() {
    let mut twin = Twin::new(&small(1)).unwrap();
    let error = twin.command("inv_9", &twist(0.1, 0.0)).unwrap_err().to_string();
    assert!(error.contains("inv_9") && error.contains("inv_1"), "{error}");
}

#[test]
fn a_command_that_is_no_number_does_not_break_the_world() {
    let mut twin = Twin::new(&small(1)).unwrap();
    drive(&mut twin, 0.5, f64::NAN, f64::INFINITY);
    assert!(pose(&twin).iter().all(|v| v.is_finite()));
}
