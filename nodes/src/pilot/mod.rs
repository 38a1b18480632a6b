//! The pilot node: one inventory mission on one robot, face by face.
//!
//! For each face it drives to the start, follows the face, waits for the locator's coverage of that pass and
//! drives again where too much of the face was not read surely. A face that fails is tried once more at the
//! end; the mission goes on in between and says at its end what failed and why. When the reader falls silent the pass is
//! broken off, the robot waits where it stands, and drives the pass again once the reader speaks. When the battery runs low it
//! charges in its dock and then goes on. It can be paused ([`PilotNode::pause`]).

mod coverage;
mod memory;
mod params;
mod passes;
mod pause;
mod power;
mod reader;
mod report;
mod route;
mod watch;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use domain::site::NamedPose;
use domain::{FaceId, Site};
use interfaces::shelfwright_msgs::{Coverage, MissionState};
use interfaces::unique_identifier_msgs::UUID;
use interfaces::{AnyMessage, Publication};
use positioning::Pose2;

use crate::action::{ActionTopics, status};
use crate::localizer::{DriveError, floor};
use crate::navigator::map_from_face;
use crate::navigator::planner::Planner;
use crate::node::{Health, Node, Outbox};
use crate::planar::{pose2_from_pose, topic};
pub use params::PilotParams;
use pause::StopFor;
use power::{Dock, Power};
use reader::ReaderWatch;
pub use route::{Leg, order};

/// A face of the mission as the pilot works on it.
#[derive(Debug, Clone)]
struct Stop {
    face: FaceId,
    leg: Leg,
    length_m: f64,
    tiers: u8,
    /// Passes begun so far: passes are numbered through, also over retries.
    pass: u32,
    /// Passes that were completed in this try.
    completed: u32,
    tries: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// Before the first pose.
    Idle,
    Transit,
    Scanning,
    /// For coverage.
    Waiting,
    /// For the end of a goal that was taken back.
    Stopping,
    /// For the reader to speak again.
    Silent,
    /// To be told to go on.
    Paused,
    /// On the way to a dock.
    Homeward,
    /// Waits before it tries again to get to a dock.
    Stranded,
    /// In a dock.
    Charging,
    /// Given up; the locator closes the pass at hand before the mission is over.
    Ending,
    Over(u8),
}

/// How long the navigator may take to end a goal that was taken back, ns.
const STOP_WAIT_NS: i64 = 5_000_000_000;
const REPORT_NS: i64 = 1_000_000_000;

/// See the module's text.
pub struct PilotNode {
    robot: String,
    mission: String,
    params: PilotParams,
    planner: Planner,
    follow: ActionTopics,
    navigate: ActionTopics,
    pose: Arc<str>,
    coverage: Arc<str>,
    missions: Arc<str>,
    cancel: Arc<str>,
    queue: VecDeque<Stop>,
    current: Option<Stop>,
    phase: Phase,
    /// When the phase began, and when it is over at the latest, ns.
    since_ns: i64,
    deadline_ns: i64,
    battery: Arc<str>,
    power: Power,
    reads: Arc<str>,
    reader: ReaderWatch,
    /// Why the goal at hand was taken back.
    stop_for: StopFor,
    /// What was at hand when the mission was paused.
    goes_on_with: Phase,
    /// When the navigator last said anything of the goal, ns.
    heard_of_goal_ns: i64,
    goal: Option<UUID>,
    goals: u64,
    seen: BTreeMap<u8, Coverage>,
    total: u32,
    done: u32,
    failures: Vec<String>,
    reason: String,
    report_ns: Option<i64>,
    malformed: u64,
}

impl PilotNode {
    /// A mission over row faces; it starts with the robot's first pose. Faces that this floor does not have are
    /// recorded as failed.
    pub fn new(
        robot: &str,
        site: &Site,
        floor_name: &str,
        mission: &str,
        faces: &[FaceId],
        params: PilotParams,
    ) -> Result<Self, DriveError> {
        let floor = floor(site, floor_name)?;
        let planner = Planner::new(floor, params.planner.clone())?;
        let dock = |d: &NamedPose| Dock {
            id: d.id.clone(),
            at: Pose2::new(d.at_m[0], d.at_m[1], d.heading_deg.to_radians()),
        };
        let docks = floor.docks.iter().map(dock).collect();
        let mut queue = VecDeque::new();
        let mut failures = Vec::new();
        for id in faces {
            let Some((_, face)) = site.face(id).filter(|(f, _)| f.id == floor.id) else {
                failures.push(format!("{id}: no such face on floor {floor_name}"));
                continue;
            };
            let line = map_from_face(face);
            let at = |along: f64| line * Pose2::new(along, -params.distance_m, 0.0);
            queue.push_back(Stop {
                face: id.clone(),
                leg: Leg { start: at(-params.run_m), end: at(face.length_m() + params.run_m) },
                length_m: face.length_m(),
                tiers: u8::try_from(face.tiers.len()).unwrap_or(u8::MAX),
                pass: 0,
                completed: 0,
                tries: 0,
            });
        }
        Ok(Self {
            robot: robot.into(),
            mission: mission.into(),
            planner,
            follow: ActionTopics::new(robot, "follow_face"),
            navigate: ActionTopics::new(robot, "navigate_to_pose"),
            pose: topic(robot, "pose"),
            coverage: topic(robot, "coverage"),
            missions: topic(robot, "missions"),
            cancel: topic(robot, "missions/cancel"),
            queue,
            current: None,
            phase: Phase::Idle,
            since_ns: 0,
            deadline_ns: i64::MAX,
            battery: topic(robot, "battery"),
            power: Power::new(docks),
            reads: topic(robot, "reads"),
            reader: ReaderWatch::default(),
            stop_for: StopFor::Failure,
            goes_on_with: Phase::Idle,
            heard_of_goal_ns: 0,
            goal: None,
            goals: 0,
            seen: BTreeMap::new(),
            total: u32::try_from(faces.len()).unwrap_or(u32::MAX),
            done: 0,
            failures,
            reason: "waits for the robot's pose".into(),
            report_ns: None,
            malformed: 0,
            params,
        })
    }

    /// Name of the pass at hand, `inv_1/1F/R01A/1`.
    fn scan_name(&self) -> String {
        self.current.as_ref().map_or_else(String::new, |s| format!("{}/{}/{}", self.robot, s.face, s.pass))
    }

    fn enter(&mut self, phase: Phase, limit_s: f64, reason: &str, out: &mut Outbox) {
        self.phase = phase;
        self.since_ns = out.now_ns();
        self.deadline_ns = out.now_ns().saturating_add((limit_s * 1e9) as i64);
        reason.clone_into(&mut self.reason);
        self.report(out);
    }

    fn begin(&mut self, at: Pose2, out: &mut Outbox) {
        let legs: Vec<Leg> = self.queue.iter().map(|s| s.leg).collect();
        let stops: Vec<Stop> = self.queue.drain(..).collect();
        self.queue = order(&self.planner, at, &legs).into_iter().map(|i| stops[i].clone()).collect();
        self.next_face(out);
    }

    fn next_face(&mut self, out: &mut Outbox) {
        self.current = self.queue.pop_front();
        if self.current.is_some() {
            self.next_pass("", out);
        } else {
            let failed = !self.failures.is_empty();
            let reason = self.failures.join("; ");
            let state = if failed { MissionState::FAILED } else { MissionState::DONE };
            self.enter(Phase::Over(state), f64::INFINITY, &reason, out);
        }
    }

    /// The face at hand failed: it comes again at the end, or is given up.
    fn fail(&mut self, why: &str, out: &mut Outbox) {
        if let Some(mut stop) = self.current.take() {
            stop.tries += 1;
            if stop.tries <= self.params.retries {
                stop.completed = 0;
                let reason = format!("{why}; it is tried again at the end");
                self.queue.push_back(stop.clone());
                // Said of the face while it is still at hand.
                self.current = Some(stop);
                self.enter(Phase::Waiting, f64::INFINITY, &reason, out);
            } else {
                self.failures.push(format!("{}: {why}", stop.face));
            }
        }
        self.next_face(out);
    }

    fn on_result(&mut self, follow: bool, result_status: i8, why: &str, out: &mut Outbox) {
        let expected = match self.phase {
            Phase::Transit | Phase::Homeward => !follow,
            Phase::Scanning => follow,
            Phase::Stopping => true,
            _ => false,
        };
        // Another client's goal, or one that was given up already.
        if !expected || self.goal.take().is_none() {
            return;
        }
        match (self.phase, result_status) {
            (Phase::Stopping, _) => self.stopped(true, out),
            (Phase::Transit, status::SUCCEEDED) => self.scan(out),
            (Phase::Homeward, status::SUCCEEDED) => self.docked(out),
            (Phase::Homeward, _) => self.stranded(why, out),
            (Phase::Scanning, status::SUCCEEDED) => self.await_coverage(out),
            _ => self.fail(why, out),
        }
    }
}

impl Node for PilotNode {
    fn name(&self) -> &str {
        "pilot"
    }

    fn subscriptions(&self) -> Vec<Arc<str>> {
        [
            &self.pose,
            &self.coverage,
            &self.cancel,
            &self.reads,
            &self.battery,
            &self.follow.result,
            &self.follow.send_goal_response,
            &self.follow.feedback,
            &self.navigate.feedback,
            &self.navigate.result,
            &self.navigate.send_goal_response,
        ]
        .map(Arc::clone)
        .to_vec()
    }

    fn publications(&self) -> Vec<Arc<str>> {
        vec![self.missions.clone()]
    }

    fn retune(&mut self, parameters: &toml::Table) -> Result<(), String> {
        self.params = parameters.clone().try_into().map_err(|e: toml::de::Error| e.message().to_owned())?;
        Ok(())
    }

    fn on_message(&mut self, input: &Publication, out: &mut Outbox) {
        match &*input.message {
            AnyMessage::PoseWithCovarianceStamped(pose) => {
                let Some(at) = pose2_from_pose(&pose.pose.pose) else {
                    self.malformed += 1;
                    return;
                };
                self.power.see(at);
                if self.phase == Phase::Idle {
                    self.begin(at, out);
                }
            }
            AnyMessage::TagRead(_) => self.reader.hear(out.now_ns()),
            AnyMessage::BatteryState(battery) => self.power.take(battery),
            AnyMessage::Coverage(coverage) => self.on_coverage(coverage, out),
            AnyMessage::FollowFaceGetResultResponse(r) => {
                self.on_result(true, r.status, &r.result.error_msg, out);
            }
            AnyMessage::NavigateToPoseGetResultResponse(r) => {
                let why =
                    format!("no way to its start: {} (code {})", r.result.error_msg, r.result.error_code);
                self.on_result(false, r.status, &why, out);
            }
            AnyMessage::NavigateToPoseFeedbackMessage(_) => self.heard_of_goal_ns = out.now_ns(),
            AnyMessage::FollowFaceFeedbackMessage(f) => {
                self.heard_of_goal_ns = out.now_ns();
                if self.phase == Phase::Scanning {
                    let blocked = f.feedback.blocked_s;
                    self.reason = if blocked > 0.0 {
                        format!("something has stood in the way for {blocked:.0} s")
                    } else {
                        String::new()
                    };
                }
            }
            AnyMessage::FollowFaceSendGoalResponse(r) if !r.accepted => {
                self.on_result(true, status::ABORTED, "the navigator refused the face", out);
            }
            AnyMessage::NavigateToPoseSendGoalResponse(r) if !r.accepted => {
                self.on_result(false, status::ABORTED, "the navigator refused the way", out);
            }
            AnyMessage::FollowFaceSendGoalResponse(_) | AnyMessage::NavigateToPoseSendGoalResponse(_) => {}
            AnyMessage::Empty(_) => {
                if !matches!(self.phase, Phase::Over(_)) {
                    if self.goal.is_some() {
                        self.take_back("cancelled", out);
                    }
                    self.queue.clear();
                    self.current = None;
                    self.goal = None;
                    self.enter(Phase::Over(MissionState::CANCELLED), f64::INFINITY, "cancelled", out);
                }
            }
            _ => self.malformed += 1,
        }
    }

    fn on_time(&mut self, out: &mut Outbox) {
        let now = out.now_ns();
        self.watch_reader(out);
        self.watch_navigator(out);
        self.watch_battery(out);
        if now >= self.deadline_ns {
            match self.phase {
                Phase::Transit => self.take_back("the way took too long", out),
                Phase::Homeward => {
                    self.take_back("the way to the dock took too long", out);
                    self.stop_for = StopFor::Charge;
                }
                Phase::Stranded => self.go_home(out),
                Phase::Charging => self.uncharged(out),
                Phase::Ending => self.next_face(out),
                Phase::Scanning => self.take_back("the pass took too long", out),
                Phase::Waiting => {
                    let why = format!(
                        "coverage of {} of {} tiers came within {} s",
                        self.seen.len(),
                        self.current.as_ref().map_or(0, |s| s.tiers),
                        self.params.coverage_wait_s
                    );
                    self.fail(&why, out);
                }
                Phase::Stopping => self.stopped(false, out),
                Phase::Silent => {
                    let why = format!("the reader has been silent for {:.0} s", self.params.reader_wait_s);
                    self.fail(&why, out);
                }
                Phase::Idle | Phase::Paused | Phase::Over(_) => self.deadline_ns = i64::MAX,
            }
        }
        if self.report_ns.is_none_or(|due| now >= due) {
            self.report(out);
        }
    }

    fn health(&self) -> Health {
        self.state_of_health()
    }
}
