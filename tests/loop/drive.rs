//! The driving nodes in the twin: a mission over all faces with slipping wheels, a drifting gyro, book spines and gaps
//! before the lidar, and a visitor in the aisle. The robot carries no antennas, so the radio costs nothing.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::sync::Arc;

use domain::{FaceId, Site};
use interfaces::shelfwright_msgs::{Coverage, MissionState};
use interfaces::{AnyMessage, Publication};
use nodes::host::{LocalHost, Observer, World};
use nodes::localizer::{LocalizerNode, LocalizerParams, dock_pose};
use nodes::navigator::{NavigatorNode, NavigatorParams};
use nodes::pilot::{PilotNode, PilotParams};
use nodes::planar::pose2_from_pose;
use nodes::{Node, Outbox};
use positioning::Pose2;
use positioning::pose::wrap_angle;
use twin::scenario::PersonSettings;
use twin::{Scenario, Twin};

struct TwinWorld(Twin);

impl World for TwinWorld {
    fn step(&mut self, out: &mut Vec<Publication>) {
        self.0.step(out);
    }

    fn command(&mut self, command: &Publication) {
        if let AnyMessage::TwistStamped(twist) = &*command.message {
            self.0.command("inv_1", twist).unwrap();
        }
    }

    fn command_topics(&self) -> Vec<Arc<str>> {
        vec!["/inv_1/cmd_vel".into()]
    }
}

/// Answers each pass with full coverage.
struct AllRead {
    site: Site,
    scan: Option<(String, FaceId)>,
}

impl Node for AllRead {
    fn name(&self) -> &str {
        "all_read"
    }

    fn subscriptions(&self) -> Vec<Arc<str>> {
        vec!["/inv_1/missions".into()]
    }

    fn on_message(&mut self, input: &Publication, out: &mut Outbox) {
        let AnyMessage::MissionState(m) = &*input.message else { return };
        if m.state == MissionState::SCANNING {
            self.scan = Some((format!("inv_1/{}/{}", m.face, m.pass_number), m.face.parse().unwrap()));
        } else if let Some((scan, face)) = self.scan.take_if(|_| m.state == MissionState::WAITING) {
            let bins = (self.site.face(&face).unwrap().1.length_m() / 0.05).ceil() as usize;
            for tier in 1..=6 {
                let read_probability = vec![1.0; bins];
                let face = face.to_string();
                let scan = scan.clone();
                let message =
                    Coverage { scan, face, tier, bin_m: 0.05, read_probability, ..Coverage::default() };
                out.publish(&"/inv_1/coverage".into(), message);
            }
        }
    }
}

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
        from_m: [8.0, 0.6],
        to_m: [8.0, 4.8],
        speed_mps: 0.8,
        stop_s: 10.0,
    });
    let twin = Twin::new(&scenario).unwrap();
    let site = twin.site().clone();
    let faces: Vec<FaceId> = site.faces().map(|f| f.0).collect();
    let dock = dock_pose(&site, "1F", "dock_1").unwrap();
    // The robot does not stand in its dock to the centimetre.
    let start = Pose2::new(dock.x + 0.15, dock.y - 0.1, dock.theta + 0.1);
    let mut host = LocalHost::new();
    let localizer = LocalizerNode::new("inv_1", &site, "1F", start, LocalizerParams::default()).unwrap();
    host.add(Box::new(localizer));
    host.add(Box::new(NavigatorNode::new("inv_1", &site, "1F", NavigatorParams::default()).unwrap()));
    let pilot = PilotNode::new("inv_1", &site, "1F", "test", &faces, PilotParams::default()).unwrap();
    host.add(Box::new(pilot));
    host.add(Box::new(AllRead { site: site.clone(), scan: None }));
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
