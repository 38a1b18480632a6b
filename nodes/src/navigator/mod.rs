//! The navigator node: serves `navigate_to_pose` and `follow_face`, and drives by `cmd_vel` at 20 Hz.
//!
//! One goal at a time; a new goal takes the old one's place, which ends as aborted. It stops for whatever the
//! lidar shows or the bumper feels in the way, mapped or not, waits, plans around it where it may, and gives up after a time.
//! Without a fresh pose or scan it stands still; where the localizer has lost its place on the way to a pose, it looks about
//! and drives a little until the place is found again. A pass along a face ends there: what was read meanwhile is worth nothing.

mod answers;
mod bump;
pub mod obstacles;
mod params;
pub mod planner;
mod recovery;
mod senses;
pub mod steering;
mod task;

use std::sync::Arc;

use domain::Site;
use domain::site::Floor;
use interfaces::geometry_msgs::TwistStamped;
use interfaces::{AnyMessage, Publication};
use positioning::Pose2;
use positioning::floor_map::FloorMap;

use crate::action::ActionTopics;
use crate::localizer::{DriveError, floor};
use crate::node::{Health, Level, Node, Outbox};
use crate::planar::{header, topic};
use bump::Around;
pub use params::NavigatorParams;
use planner::Planner;
use recovery::Recovery;
use senses::{Blind, Senses};
use steering::{Command, PathFollower, along_line};
pub(crate) use task::map_from_face;
use task::{Failure, Following, Goal, Navigating, Task};

const TICK_NS: i64 = 50_000_000;
/// Stop commands after a goal's end: one may be lost on the way to the base.
const STOP_TICKS: u8 = 10;
const FEEDBACK_NS: i64 = 500_000_000;
/// How far ahead it looks for obstacles, m: braking from full speed and the gap, twice.
const HORIZON_M: f64 = 1.2;
/// Slower than this is standing.
const STANDING_MPS: f64 = 0.03;
/// An echo farther than this from all that is mapped is something new, m.
const UNMAPPED_M: f64 = 0.15;

/// See the module's text.
pub struct NavigatorNode {
    params: NavigatorParams,
    floor: Floor,
    planner: Planner,
    map: FloorMap,
    senses: Senses,
    cmd_vel: Arc<str>,
    base_frame: String,
    follow: ActionTopics,
    navigate: ActionTopics,
    task: Option<Task>,
    stops_left: u8,
    next_tick_ns: Option<i64>,
    now_ns: i64,
    malformed: u64,
    succeeded: u64,
    failed: u64,
    state: &'static str,
}

impl NavigatorNode {
    /// The navigator of a robot on one floor.
    pub fn new(
        robot: &str,
        site: &Site,
        floor_name: &str,
        params: NavigatorParams,
    ) -> Result<Self, DriveError> {
        let floor = floor(site, floor_name)?;
        Ok(Self {
            planner: Planner::new(floor, params.planner.clone())?,
            map: FloorMap::from_floor(floor)?,
            floor: floor.clone(),
            params,
            senses: Senses::new(robot),
            cmd_vel: topic(robot, "cmd_vel"),
            base_frame: format!("{robot}/base_link"),
            follow: ActionTopics::new(robot, "follow_face"),
            navigate: ActionTopics::new(robot, "navigate_to_pose"),
            task: None,
            stops_left: 0,
            next_tick_ns: None,
            now_ns: 0,
            malformed: 0,
            succeeded: 0,
            failed: 0,
            state: "idle",
        })
    }

    fn command(&self, c: Command, out: &mut Outbox) {
        let mut twist = TwistStamped { header: header(out.now_ns(), &self.base_frame), ..Default::default() };
        twist.twist.linear.x = c.speed;
        twist.twist.angular.z = c.turn;
        out.publish(&self.cmd_vel, twist);
    }

    /// One control period.
    fn tick(&mut self, out: &mut Outbox) {
        let now = out.now_ns();
        let Some(mut task) = self.task.take() else {
            if self.stops_left > 0 {
                self.stops_left -= 1;
                self.command(Command::default(), out);
            }
            return;
        };
        if let Some(command) = self.touch(now) {
            task.touched = true;
            task.blocked_since_ns.get_or_insert(now);
            self.state = "it has touched something";
            self.command(command, out);
            self.wait(task, self.senses.last_pose(), out);
            return;
        }
        let at = match self.senses.pose(now, &self.params) {
            Ok(at) => {
                task.blind_since_ns = None;
                if let Some(recovery) = task.recovery.take() {
                    tracing::info!(way_m = recovery.driven_m(), "the robot knows again where it is");
                    task.forget_path();
                }
                at
            }
            Err(blind) => {
                self.blind(task, blind, out);
                return;
            }
        };
        let blocked_s = task.blocked_s(now);
        let wanted = match &mut task.goal {
            Goal::Navigate(navigating) => self.navigate(navigating, at, blocked_s, now),
            Goal::Follow(following) => self.follow_face(following, at, blocked_s, now),
        };
        let outcome = match wanted {
            Ok(Some(wanted)) => {
                let (command, blocked) = self.guard(wanted);
                task.blocked_since_ns = blocked.then(|| task.blocked_since_ns.unwrap_or(now));
                self.state = if blocked { "something stands in the way" } else { "driving" };
                self.command(command, out);
                self.wait(task, at, out);
                return;
            }
            Ok(None) => Ok(()),
            Err(failure) => Err(failure),
        };
        self.task = Some(task);
        self.finish(outcome, out);
    }

    /// Tells of the goal at hand, or gives it up where something has stood in its way for too long.
    fn wait(&mut self, mut task: Task, at: Pose2, out: &mut Outbox) {
        let blocked_s = task.blocked_s(out.now_ns());
        let failure =
            (blocked_s > self.params.give_up_after_s).then(|| Failure::blocked(blocked_s, task.touched));
        if failure.is_none() {
            self.tell(&mut task, at, out);
        }
        self.task = Some(task);
        if let Some(failure) = failure {
            self.finish(Err(failure), out);
        }
    }

    /// The command while the robot touches something or backs off from it.
    fn touch(&mut self, now_ns: i64) -> Option<Command> {
        let around = Around {
            pressed: self.senses.pressed(now_ns, &self.params),
            at: self.senses.odom_from_base()?,
            now_ns,
            echoes: &self.senses.echoes,
            radius_m: self.params.planner.robot_radius_m,
            back_off_m: self.params.back_off_m,
        };
        self.senses.bumps.react(&around)
    }

    /// One control period without a trustworthy pose.
    fn blind(&mut self, mut task: Task, blind: Blind, out: &mut Outbox) {
        let now = out.now_ns();
        let since = *task.blind_since_ns.get_or_insert(now);
        let blind_s = (now - since) as f64 * 1e-9;
        self.state = blind.reason;
        let recovers =
            blind.lost && matches!(task.goal, Goal::Navigate(_)) && self.params.recovery_way_m > 0.0;
        let mut command = Command::default();
        let mut given_up = blind_s > self.params.lost_after_s;
        if recovers && let Some(at) = self.senses.odom_from_base() {
            given_up = false;
            if blind_s > self.params.recover_after_s {
                self.state = "the robot looks for its place";
                let recovery = task.recovery.get_or_insert_with(|| Recovery::new(at));
                let wanted =
                    recovery.command(at, &self.senses.echoes, self.clear_radius_m(), task.recovery_blocked);
                given_up = recovery.driven_m() > self.params.recovery_way_m;
                (command, task.recovery_blocked) = self.guard(wanted);
            }
        }
        self.command(if given_up { Command::default() } else { command }, out);
        if !given_up {
            self.tell(&mut task, self.senses.last_pose(), out);
        }
        self.task = Some(task);
        if given_up {
            self.finish(Err(Failure::lost(blind.reason)), out);
        }
    }

    /// The next command towards a pose; plans where there is no path yet, or where it is blocked.
    fn navigate(
        &self,
        task: &mut Navigating,
        at: Pose2,
        blocked_s: f64,
        now: i64,
    ) -> Result<Option<Command>, Failure> {
        let replan = blocked_s > self.params.replan_after_s
            && task.replanned_ns.is_none_or(|t| (now - t) as f64 * 1e-9 > self.params.replan_after_s);
        if task.follower.is_none() || replan {
            let obstacles = if replan { self.unmapped() } else { Vec::new() };
            task.replanned_ns = Some(now);
            match self.planner.plan([at.x, at.y], [task.goal.x, task.goal.y], &obstacles) {
                Ok(path) => task.follower = Some(PathFollower::new(path, task.goal)),
                // While something stands there, the old way may come free again.
                Err(_) if replan => {}
                Err(e) => return Err(Failure::plan(e)),
            }
        }
        Ok(task.follower.as_mut().and_then(|f| f.steer(at, &self.params.steering)))
    }

    /// Echoes of things that are on no map, on the map.
    fn unmapped(&self) -> Vec<[f64; 2]> {
        let Some(map_from_odom) = self.senses.map_from_odom() else { return Vec::new() };
        let echoes = self.senses.echoes.on_map(map_from_odom);
        echoes.filter(|&p| self.map.nearest(p).is_none_or(|n| n.signed_m.abs() > UNMAPPED_M)).collect()
    }

    /// The next command along a face: to its start first where the robot is not there.
    fn follow_face(
        &self,
        task: &mut Following,
        at: Pose2,
        blocked_s: f64,
        now: i64,
    ) -> Result<Option<Command>, Failure> {
        if let Some(approach) = &mut task.approach {
            let command = self.navigate(approach, at, blocked_s, now)?;
            if command.is_some() {
                return Ok(command);
            }
            task.approach = None;
            task.on_line = true;
        }
        let line = task.line(at);
        task.along_m = line.along_m;
        if !task.on_line {
            if !line.near_start(task) {
                let goal = task.start_pose();
                task.approach = Some(Navigating { goal, follower: None, replanned_ns: None });
                return Ok(Some(Command::default()));
            }
            task.on_line = true;
        }
        let left = task.to_m - line.along_m;
        if left <= 0.01 {
            return Ok(None);
        }
        let brake = (2.0 * self.params.steering.brake_mps2 * left).sqrt();
        let speed = task.speed_mps.min(brake).max(STANDING_MPS);
        Ok(Some(along_line(line.aside_m, line.off, speed, &self.params.steering)))
    }

    /// Radius around its middle that the robot keeps free of echoes, m.
    fn clear_radius_m(&self) -> f64 {
        self.params.planner.robot_radius_m + 0.5 * self.params.planner.margin_m
    }

    /// Slows down and stops before echoes; also says whether something is in the way.
    fn guard(&self, wanted: Command) -> (Command, bool) {
        if wanted.speed <= 0.0 {
            return (wanted, false);
        }
        let Some(odom_from_base) = self.senses.odom_from_base() else { return (Command::default(), true) };
        let radius = self.clear_radius_m();
        let free = self.senses.echoes.free_way(odom_from_base, wanted.speed, wanted.turn, radius, HORIZON_M);
        if free >= HORIZON_M {
            return (wanted, false);
        }
        let limit = (2.0 * self.params.steering.brake_mps2 * (free - self.params.stop_gap_m).max(0.0)).sqrt();
        if limit < STANDING_MPS {
            return (Command::default(), true);
        }
        let share = (limit / wanted.speed).min(1.0);
        (Command { speed: wanted.speed * share, turn: wanted.turn * share }, false)
    }
}

impl Node for NavigatorNode {
    fn name(&self) -> &str {
        "navigator"
    }

    fn subscriptions(&self) -> Vec<Arc<str>> {
        let actions = [&self.follow, &self.navigate];
        let goals = actions.iter().flat_map(|a| [a.send_goal.clone(), a.cancel.clone()]);
        self.senses.topics().into_iter().chain(goals).collect()
    }

    fn publications(&self) -> Vec<Arc<str>> {
        vec![self.cmd_vel.clone()]
    }

    fn retune(&mut self, parameters: &toml::Table) -> Result<(), String> {
        self.params = parameters.clone().try_into().map_err(|e: toml::de::Error| e.message().to_owned())?;
        Ok(())
    }

    fn on_message(&mut self, input: &Publication, out: &mut Outbox) {
        match &*input.message {
            AnyMessage::FollowFaceSendGoalRequest(request) => self.accept_follow(request, out),
            AnyMessage::NavigateToPoseSendGoalRequest(request) => self.accept_navigate(request, out),
            AnyMessage::CancelGoalRequest(request) => {
                let follow = input.topic == self.follow.cancel;
                let reply = if follow { &self.follow } else { &self.navigate }.cancel_response.clone();
                self.cancel(request, &reply, follow, out);
            }
            _ => {
                if !self.senses.take(input, &self.params) {
                    self.malformed += 1;
                }
            }
        }
    }

    fn on_time(&mut self, out: &mut Outbox) {
        self.now_ns = out.now_ns();
        let due = *self.next_tick_ns.get_or_insert(self.now_ns);
        if self.now_ns < due {
            return;
        }
        // Never two ticks at once to catch up.
        self.next_tick_ns = Some((due + TICK_NS).max(self.now_ns));
        self.tick(out);
    }

    fn health(&self) -> Health {
        let blocked = self.task.as_ref().map_or(0.0, |t| t.blocked_s(self.now_ns));
        let blind = self.task.as_ref().is_some_and(|t| t.blind_since_ns.is_some());
        let level = match (blind, blocked > 0.0) {
            (true, _) => Level::Error,
            (false, true) => Level::Warn,
            (false, false) => Level::Ok,
        };
        Health {
            level,
            summary: self.state.to_owned(),
            values: vec![
                ("goals_succeeded", self.succeeded.to_string()),
                ("goals_failed", self.failed.to_string()),
                ("blocked_s", format!("{blocked:.1}")),
                ("bumps", self.senses.bumps.count.to_string()),
                ("malformed", self.malformed.to_string()),
            ],
        }
    }
}
