//! The toy world behind the host's `World`, and helpers to run nodes in it and look at what they publish.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use interfaces::geometry_msgs::PoseStamped;
use interfaces::nav_msgs::Odometry;
use interfaces::nav2_msgs::NavigateToPoseSendGoalRequest;
use interfaces::rosgraph_msgs::Clock;
use interfaces::sensor_msgs::{Imu, LaserScan};
use interfaces::shelfwright_msgs::{Coverage, FollowFaceSendGoalRequest, MissionState};
use interfaces::tf2_msgs::TFMessage;
use interfaces::{AnyMessage, Publication};
use nodes::action::{ActionTopics, goal_id};
use nodes::host::{LocalHost, Observer, World};
use nodes::localizer::{LocalizerNode, LocalizerParams};
use nodes::navigator::{NavigatorNode, NavigatorParams};
use nodes::planar::{header, pose_from_pose2, transform_stamped};
use nodes::{Node, Outbox};
use positioning::Pose2;

use crate::toy::{BASE_FROM_LASER, STEP_NS, Toy, site};

pub const DOCK: Pose2 = Pose2 { x: 0.8, y: 2.75, theta: 0.0 };

pub struct ToyWorld {
    pub toy: Toy,
    told_static: bool,
    pub lidar_works: bool,
    /// Moves people; called before each step.
    pub script: Box<dyn FnMut(&mut Toy)>,
    /// Least distance of the robot's rim to a person's, m.
    pub to_person: f64,
}

impl ToyWorld {
    pub fn new(at: Pose2, seed: u64) -> Self {
        Self {
            toy: Toy::new(&site(), at, seed),
            told_static: false,
            lidar_works: true,
            script: Box::new(|_| ()),
            to_person: f64::INFINITY,
        }
    }
}

impl World for ToyWorld {
    fn step(&mut self, out: &mut Vec<Publication>) {
        (self.script)(&mut self.toy);
        let sensed = self.toy.step();
        for p in &self.toy.people {
            let d = (p.at[0] - self.toy.truth.x).hypot(p.at[1] - self.toy.truth.y) - p.radius - 0.28;
            self.to_person = self.to_person.min(d);
        }
        let now = self.toy.now_ns;
        let mut publish = |topic: &str, m: AnyMessage| {
            out.push(Publication { topic: topic.into(), stamp_ns: now, message: Arc::new(m) });
        };
        publish("/clock", Clock { clock: interfaces::builtin_interfaces::Time::from_ns(now) }.into());
        if !self.told_static {
            self.told_static = true;
            let mount = transform_stamped(now, "inv_1/base_link", "inv_1/laser", BASE_FROM_LASER);
            publish("/tf_static", TFMessage { transforms: vec![mount] }.into());
        }
        if let Some(rate) = sensed.yaw_rate {
            let mut imu = Imu { header: header(now, "inv_1/base_link"), ..Imu::default() };
            imu.angular_velocity.z = rate;
            publish("/inv_1/imu", imu.into());
        }
        if let Some(pose) = sensed.odometry {
            let mut odom = Odometry { header: header(now, "inv_1/odom"), ..Odometry::default() };
            odom.child_frame_id = "inv_1/base_link".into();
            odom.pose.pose = pose_from_pose2(pose);
            let t = transform_stamped(now, "inv_1/odom", "inv_1/base_link", pose);
            publish("/inv_1/odom", odom.into());
            publish("/tf", TFMessage { transforms: vec![t] }.into());
        }
        if let Some(scan) = sensed.scan.filter(|_| self.lidar_works) {
            let message = LaserScan {
                header: header(now, "inv_1/laser"),
                angle_min: scan.angle_min as f32,
                angle_increment: scan.angle_increment as f32,
                range_min: scan.range_m[0] as f32,
                range_max: scan.range_m[1] as f32,
                ranges: scan.ranges,
                ..LaserScan::default()
            };
            publish("/inv_1/scan", message.into());
        }
    }

    fn command(&mut self, command: &Publication) {
        if let AnyMessage::TwistStamped(twist) = &*command.message {
            self.toy.command = [twist.twist.linear.x, twist.twist.angular.z];
        }
    }

    fn command_topics(&self) -> Vec<Arc<str>> {
        vec!["/inv_1/cmd_vel".into()]
    }
}

/// Keeps what the nodes publish.
#[derive(Default)]
pub struct Kept {
    pub publications: Vec<Publication>,
}

impl Observer for Kept {
    fn observe(&mut self, p: &Publication) -> Result<(), String> {
        let sensors = ["/clock", "/inv_1/odom", "/inv_1/imu", "/inv_1/scan", "/tf_static"];
        if !sensors.contains(&&*p.topic) {
            self.publications.push(p.clone());
        }
        Ok(())
    }
}

impl Kept {
    pub fn on<'a>(&'a self, topic: &'a str) -> impl Iterator<Item = &'a AnyMessage> {
        self.publications.iter().filter(move |p| &*p.topic == topic).map(|p| &*p.message)
    }

    pub fn missions(&self) -> Vec<MissionState> {
        let state = |m: &AnyMessage| match m {
            AnyMessage::MissionState(s) => Some(s.clone()),
            _ => None,
        };
        self.on("/inv_1/missions").filter_map(state).collect()
    }

    /// Status and code of the results of an action.
    pub fn results(&self, action: &str) -> Vec<(i8, u16)> {
        let result = |m: &AnyMessage| match m {
            AnyMessage::FollowFaceGetResultResponse(r) => Some((r.status, r.result.error_code)),
            AnyMessage::NavigateToPoseGetResultResponse(r) => Some((r.status, r.result.error_code)),
            _ => None,
        };
        self.on(&format!("/inv_1/{action}/_action/get_result_response")).filter_map(result).collect()
    }
}

/// A robot in the toy world with its driving nodes.
pub struct Run {
    pub world: ToyWorld,
    pub host: LocalHost,
    pub kept: Kept,
    goals: u64,
    navigator_dead: Arc<AtomicBool>,
}

fn navigator() -> NavigatorNode {
    let params = NavigatorParams { give_up_after_s: 15.0, lost_after_s: 5.0, ..Default::default() };
    NavigatorNode::new("inv_1", &site(), "1F", params).unwrap()
}

/// A navigator that can die.
struct Mortal {
    navigator: NavigatorNode,
    dead: Arc<AtomicBool>,
}

impl Node for Mortal {
    fn name(&self) -> &str {
        self.navigator.name()
    }

    fn subscriptions(&self) -> Vec<Arc<str>> {
        self.navigator.subscriptions()
    }

    fn on_message(&mut self, input: &Publication, out: &mut Outbox) {
        if self.dead.swap(false, Ordering::Relaxed) {
            self.navigator = navigator();
        }
        self.navigator.on_message(input, out);
    }

    fn on_time(&mut self, out: &mut Outbox) {
        self.navigator.on_time(out);
    }

    fn health(&self) -> nodes::Health {
        self.navigator.health()
    }
}

impl Run {
    pub fn new(at: Pose2, seed: u64) -> Self {
        let site = site();
        let mut host = LocalHost::new();
        // The dock is known to some centimetres and degrees only.
        let start = Pose2::new(at.x + 0.1, at.y - 0.08, at.theta + 0.08);
        let localizer = LocalizerNode::new("inv_1", &site, "1F", start, LocalizerParams::default()).unwrap();
        host.add(Box::new(localizer));
        let dead = Arc::new(AtomicBool::new(false));
        host.add(Box::new(Mortal { navigator: navigator(), dead: dead.clone() }));
        Self {
            world: ToyWorld::new(at, seed),
            host,
            kept: Kept::default(),
            goals: 1_000,
            navigator_dead: dead,
        }
    }

    /// The navigator dies, and another one takes its place at once.
    pub fn restart_navigator(&mut self) {
        self.navigator_dead.store(true, Ordering::Relaxed);
        self.world.told_static = false;
    }

    pub fn seconds(&mut self, seconds: f64) {
        self.until(seconds, |_| false);
    }

    /// Runs until something holds; false when it does not within the time.
    pub fn until(&mut self, seconds: f64, mut holds: impl FnMut(&Run) -> bool) -> bool {
        for _ in 0..(seconds * 1e9 / STEP_NS as f64) as u64 {
            self.host.step(&mut self.world, &mut [&mut self.kept]).unwrap();
            if holds(self) {
                return true;
            }
        }
        false
    }

    pub fn send(&mut self, topic: &str, message: impl Into<AnyMessage>) {
        let p = Publication {
            topic: topic.into(),
            stamp_ns: self.world.toy.now_ns,
            message: Arc::new(message.into()),
        };
        self.host.feed(p, &mut [&mut self.kept]).unwrap();
    }

    pub fn navigate(&mut self, goal: Pose2) {
        self.goals += 1;
        let mut request =
            NavigateToPoseSendGoalRequest { goal_id: goal_id("test", self.goals), ..Default::default() };
        request.goal.pose =
            PoseStamped { header: header(self.world.toy.now_ns, "map"), pose: pose_from_pose2(goal) };
        self.send(&ActionTopics::new("inv_1", "navigate_to_pose").send_goal, request);
    }

    pub fn follow(&mut self, face: &str, from_m: f32, to_m: f32) {
        self.goals += 1;
        let mut request =
            FollowFaceSendGoalRequest { goal_id: goal_id("test", self.goals), ..Default::default() };
        request.goal.face = face.into();
        (request.goal.distance_m, request.goal.speed_mps) = (0.65, 0.15);
        (request.goal.from_m, request.goal.to_m) = (from_m, to_m);
        self.send(&ActionTopics::new("inv_1", "follow_face").send_goal, request);
    }
}

/// Read probability by scan name; `None` gives no answer.
type Tell = Box<dyn FnMut(&str) -> Option<f32> + Send>;

/// Plays the locator: answers each finished pass with coverage after half a second.
pub struct CoverageTeller {
    pub tell: Tell,
    pub scan: String,
    pub face: String,
    pub due_ns: Option<i64>,
}

impl CoverageTeller {
    pub fn new(tell: impl FnMut(&str) -> Option<f32> + Send + 'static) -> Self {
        Self { tell: Box::new(tell), scan: String::new(), face: String::new(), due_ns: None }
    }
}

impl Node for CoverageTeller {
    fn name(&self) -> &str {
        "coverage_teller"
    }

    fn subscriptions(&self) -> Vec<Arc<str>> {
        vec!["/inv_1/missions".into(), "/inv_1/follow_face/_action/get_result_response".into()]
    }

    fn on_message(&mut self, input: &Publication, out: &mut Outbox) {
        match &*input.message {
            AnyMessage::MissionState(m) if m.state == MissionState::SCANNING => {
                self.scan = format!("{}/{}/{}", m.robot, m.face, m.pass_number);
                self.face = m.face.clone();
            }
            AnyMessage::FollowFaceGetResultResponse(_) => self.due_ns = Some(out.now_ns() + 500_000_000),
            _ => {}
        }
    }

    fn on_time(&mut self, out: &mut Outbox) {
        if self.due_ns.is_none_or(|t| out.now_ns() < t) {
            return;
        }
        self.due_ns = None;
        if let Some(p) = (self.tell)(&self.scan) {
            for tier in 1..=6 {
                let message = Coverage {
                    scan: self.scan.clone(),
                    face: self.face.clone(),
                    tier,
                    bin_m: 0.05,
                    read_probability: vec![p; 90],
                    ..Coverage::default()
                };
                out.publish(&"/inv_1/coverage".into(), message);
            }
        }
    }
}
