//! The driving nodes in the twin: a mission over all faces with slipping wheels, a drifting gyro, book spines and gaps
//! before the lidar, and a visitor in the aisle. The robot carries no antennas, so the radio costs nothing.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use domain::FaceId;
use interfaces::shelfwright_msgs::MissionState;
use interfaces::{AnyMessage, Publication};
use nodes::Level;
use nodes::host::Observer;
use nodes::localizer::{LocalizerParams, dock_pose};
use nodes::pilot::PilotParams;
use nodes::planar::pose2_from_pose;
use positioning::Pose2;
use positioning::pose::wrap_angle;
use tests::drive::{TwinWorld, driving};
use twin::faults::{FaultKind, FaultSettings};
use twin::scenario::PersonSettings;
use twin::{Scenario, Twin};

#[derive(Default)]
struct Watch {
    pose: Option<(i64, Pose2, [f64; 3])>,
    state: MissionState,
    scans: Vec<String>,
}

impl Observer for Watch {
    fn observe(&mut self, p: &Publication) -> Result<(), String> {
        match &*p.message {
            AnyMessage::PoseWithCovarianceStamped(m) => {
                let c = &m.pose.covariance;
                let at = pose2_from_pose(&m.pose.pose).unwrap();
                self.pose = Some((m.header.stamp.to_ns(), at, [c[0], c[7], c[35]]));
            }
            AnyMessage::MissionState(m) => {
                let scan = format!("{}/{}", m.face, m.pass_number);
                if m.state == MissionState::SCANNING && self.scans.last() != Some(&scan) {
                    self.scans.push(scan);
                }
                if m.reason != self.state.reason {
                    println!("{} s, {}: {}", p.stamp_ns as f64 * 1e-9, m.face, m.reason);
                }
                self.state = m.clone();
            }
            _ => {}
        }
        Ok(())
    }
}

#[test]
fn in_the_twin_the_robot_knows_its_place_and_finishes_its_mission() {
    let mut scenario = Scenario::demo(7);
    scenario.robots[0].antennas_m.clear();
    scenario.people.push(PersonSettings {
        speed_mps: 0.8,
        stop_s: 10.0,
        ..PersonSettings::walking([8.0, 0.6], [8.0, 4.8])
    });
    let twin = Twin::new(&scenario).unwrap();
    let site = twin.site().clone();
    let faces: Vec<FaceId> = site.faces().map(|f| f.0).collect();
    let dock = dock_pose(&site, "1F", "dock_1").unwrap();
    // The robot does not stand in its dock to the centimetre.
    let start = Pose2::new(dock.x + 0.15, dock.y - 0.1, dock.theta + 0.1);
    let mut host = driving(&site, start, &faces, LocalizerParams::default(), PilotParams::default()).unwrap();
    let mut world = TwinWorld(twin);
    let mut watch = Watch::default();
    let (mut n, mut xy, mut heading, mut nees, mut worst) = (0.0, 0.0, 0.0, 0.0, 0.0_f64);
    let (mut lane_n, mut lane) = (0.0, 0.0);
    while world.0.now_ns() < 1_200_000_000_000 && watch.state.state < MissionState::DONE {
        host.step(&mut world, &mut [&mut watch]).unwrap();
        let Some((stamp, at, variance)) = watch.pose.take().filter(|p| p.0 == world.0.now_ns()) else {
            continue;
        };
        let [x, y, theta] = world.0.truth().robots[0].pose;
        let (ex, ey, et) = (at.x - x, at.y - y, wrap_angle(at.theta - theta));
        n += 1.0;
        xy += ex * ex + ey * ey;
        heading += et * et;
        nees += ex * ex / variance[0] + ey * ey / variance[1] + et * et / variance[2];
        worst = worst.max(ex.hypot(ey));
        assert!(ex.hypot(ey) < 0.1, "{} s: {at:?} against {x}, {y}, {theta}", stamp as f64 * 1e-9);
        if watch.state.state == MissionState::SCANNING {
            let (_, face) = site.face(&watch.state.face.parse().unwrap()).unwrap();
            let p = face.face_from_map([x, y, 0.0]);
            if p[0] > 0.0 && p[0] < face.length_m() {
                lane_n += 1.0;
                lane += (p[1] - 0.65_f64).powi(2);
            }
        }
    }
    let (rms, deg, lane) = ((xy / n).sqrt(), (heading / n).sqrt().to_degrees(), (lane / lane_n).sqrt());
    println!(
        "{n} scans in {:.0} s: RMS {rms:.4} m and {deg:.3} deg, worst {worst:.4} m, mean NEES {:.2} (3 expected), \
         distance from the shelf off by {lane:.4} m RMS",
        world.0.now_ns() as f64 * 1e-9,
        nees / n
    );
    assert_eq!(watch.state.state, MissionState::DONE, "{}", watch.state.reason);
    let mut scans = watch.scans;
    scans.sort();
    assert_eq!(scans, ["1F/R01A/1", "1F/R01B/1", "1F/R02A/1", "1F/R02B/1"]);
    assert!(n > 1_000.0 && rms < 0.02 && deg < 0.5 && lane < 0.02);
    assert!(nees / n < 6.0, "the covariance claims too much");
}

#[test]
fn a_robot_that_was_carried_off_finds_itself_and_drives_the_pass_again() {
    let mut scenario = Scenario::demo(8);
    scenario.robots[0].antennas_m.clear();
    // From the first aisle into the last, and turned.
    scenario.faults.push(FaultSettings {
        to_m: Some([4.4, 4.8]),
        heading_deg: -100.0,
        ..FaultSettings::new(FaultKind::Carry, "inv_1", 40.0, 6.0)
    });
    let twin = Twin::new(&scenario).unwrap();
    let site = twin.site().clone();
    let faces: Vec<FaceId> = site.faces().map(|f| f.0).collect();
    let dock = dock_pose(&site, "1F", "dock_1").unwrap();
    let mut host = driving(&site, dock, &faces, LocalizerParams::default(), PilotParams::default()).unwrap();
    let (mut world, mut watch) = (TwinWorld(twin), Watch::default());
    let mut wrongly_sure_s = 0.0;
    while world.0.now_ns() < 1_200_000_000_000 && watch.state.state < MissionState::DONE {
        host.step(&mut world, &mut [&mut watch]).unwrap();
        let Some((_, at, variance)) = watch.pose.take() else { continue };
        let [x, y, _] = world.0.true_pose("inv_1").unwrap();
        let sure = variance[0].max(variance[1]).sqrt() < 0.25;
        if sure && (at.x - x).hypot(at.y - y) > 0.3 && world.0.now_ns() > 46_000_000_000 {
            wrongly_sure_s += 0.1;
        }
    }
    println!("wrongly sure for {wrongly_sure_s:.1} s, {:?}", watch.scans);
    assert_eq!(watch.state.state, MissionState::DONE, "{}", watch.state.reason);
    assert!(wrongly_sure_s < 5.0);
    // The pass on which it was lifted is driven again at the end.
    assert_eq!((watch.scans.len(), watch.scans.last().unwrap().as_str()), (5, "1F/R01A/2"));
}

#[test]
fn a_reader_that_falls_silent_stops_the_pass_until_it_speaks_again() {
    let mut scenario = Scenario::demo(9);
    // One antenna is enough to hear it by.
    scenario.robots[0].antennas_m.truncate(1);
    scenario.faults.push(FaultSettings::new(FaultKind::ReaderMute, "inv_1", 20.0, 12.0));
    let twin = Twin::new(&scenario).unwrap();
    let site = twin.site().clone();
    let faces: Vec<FaceId> = site.faces().map(|f| f.0).take(1).collect();
    let dock = dock_pose(&site, "1F", "dock_1").unwrap();
    let mut host = driving(&site, dock, &faces, LocalizerParams::default(), PilotParams::default()).unwrap();
    let (mut world, mut watch) = (TwinWorld(twin), Watch::default());
    let (mut waits_from, mut goes_on, mut error_from) = (None, None, None);
    while world.0.now_ns() < 400_000_000_000 && watch.state.state < MissionState::DONE {
        host.step(&mut world, &mut [&mut watch]).unwrap();
        let now_s = world.0.now_ns() as f64 * 1e-9;
        if watch.state.state == MissionState::WAITING && watch.state.reason.contains("silent") {
            waits_from.get_or_insert(now_s);
        } else if waits_from.is_some() && watch.state.state == MissionState::SCANNING {
            goes_on.get_or_insert(now_s);
        }
        if host.health().iter().any(|(name, h)| name == "pilot" && h.level == Level::Error) {
            error_from.get_or_insert(now_s);
        }
    }
    println!("waits from {waits_from:?}, error from {error_from:?}, scans again from {goes_on:?}");
    assert_eq!(watch.state.state, MissionState::DONE, "{}", watch.state.reason);
    assert!(waits_from.is_some_and(|t| t < 23.0) && error_from.is_some_and(|t| t < 23.0));
    assert!(goes_on.is_some_and(|t| t > 32.0));
    assert_eq!(watch.scans, ["1F/R01A/1", "1F/R01A/2"]);
}
