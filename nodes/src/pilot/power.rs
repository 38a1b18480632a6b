//! The battery: a robot that runs low breaks off, drives to its dock, charges, and goes on where it stopped.
//!
//! The pass that was broken off is driven again from its start, as after a pause. Without a dock, or with one that gives
//! nothing, the mission ends: the robot stands, and says which faces were not driven. A robot that does not tell its charge is
//! never sent home.

use interfaces::nav2_msgs::NavigateToPoseSendGoalRequest;
use interfaces::sensor_msgs::BatteryState;
use positioning::Pose2;

use super::pause::StopFor;
use super::{Phase, PilotNode};
use crate::node::Outbox;
use crate::planar::{header, pose_from_pose2};

/// A robot that starts so near to a dock stands in it: this is its own, m.
const IN_DOCK_M: f64 = 1.0;
/// Before it tries again to get home, s.
const AGAIN_S: f64 = 10.0;
/// The locator needs so long to close a pass, s.
const ENDING_S: f64 = 2.0;
/// Charge at which nothing moves any more, of 1.
const EMPTY: f32 = 0.001;

/// A dock of the robot's floor.
#[derive(Debug, Clone)]
pub(super) struct Dock {
    pub(super) id: String,
    pub(super) at: Pose2,
}

/// What is known of battery and docks.
#[derive(Debug, Default)]
pub(super) struct Power {
    /// 0 to 1; `None` before the robot has told.
    charge: Option<f32>,
    charging: bool,
    docks: Vec<Dock>,
    /// The dock that it started in.
    own: Option<usize>,
    /// The dock that it drives to or stands in.
    chosen: Option<usize>,
    /// Where it was last seen, on the map.
    at: Option<Pose2>,
    /// How often it was sent home.
    pub(super) trips: u64,
}

impl Power {
    /// Of a robot on a floor with these docks.
    pub(super) fn new(docks: Vec<Dock>) -> Self {
        Self { docks, ..Self::default() }
    }

    /// Takes what the battery tells; a charge that is no number is none.
    pub(super) fn take(&mut self, battery: &BatteryState) {
        self.charge = Some(battery.percentage).filter(|p| p.is_finite());
        self.charging = battery.power_supply_status == BatteryState::POWER_SUPPLY_STATUS_CHARGING;
    }

    /// Takes the robot's place; the first one tells its own dock.
    pub(super) fn see(&mut self, at: Pose2) {
        if self.at.replace(at).is_none() {
            self.own = self.docks.iter().position(|d| d.at.distance(at) < IN_DOCK_M);
        }
    }

    fn below(&self, limit: f32) -> bool {
        self.charge.is_some_and(|c| c < limit)
    }

    fn percent(&self) -> f32 {
        100.0 * self.charge.unwrap_or(f32::NAN)
    }

    fn name(&self) -> &str {
        self.chosen.and_then(|i| self.docks.get(i)).map_or("", |d| &d.id)
    }
}

impl PilotNode {
    /// Whether it must go home before it does anything else.
    pub(super) fn runs_low(&self) -> bool {
        self.power.below(self.params.battery_low)
    }

    /// Watches the battery while the mission is under way.
    pub(super) fn watch_battery(&mut self, out: &mut Outbox) {
        if matches!(self.phase, Phase::Over(_) | Phase::Ending | Phase::Paused) {
            return;
        }
        if self.power.below(EMPTY) {
            if self.goal.is_some() {
                self.take_back("the battery is empty", out);
            }
            self.give_up("the battery is empty", out);
            return;
        }
        match self.phase {
            Phase::Transit | Phase::Scanning if self.runs_low() => {
                self.take_back(&format!("battery at {:.0}%", self.power.percent()), out);
                self.stop_for = StopFor::Charge;
            }
            Phase::Silent if self.runs_low() => self.go_home(out),
            Phase::Charging if !self.power.below(self.params.battery_enough) => match self.current {
                Some(_) => self.next_pass("charged, goes on", out),
                None => self.next_face(out),
            },
            Phase::Charging if self.power.charging => {
                self.since_ns = out.now_ns();
                self.deadline_ns = self.since_ns.saturating_add((self.params.dock_wait_s * 1e9) as i64);
                self.reason = format!("charges in {}, {:.0}%", self.power.name(), self.power.percent());
            }
            _ => {}
        }
    }

    /// Drives to its own dock, or to the nearest one.
    pub(super) fn go_home(&mut self, out: &mut Outbox) {
        let chosen = self.power.own.or_else(|| self.nearest_dock());
        let Some(at) = chosen.and_then(|i| self.power.docks.get(i)).map(|d| d.at) else {
            let why = format!("battery at {:.0}%, and no dock on this floor", self.power.percent());
            self.give_up(&why, out);
            return;
        };
        if self.phase != Phase::Stranded {
            self.power.trips += 1;
        }
        self.power.chosen = chosen;
        let mut request = NavigateToPoseSendGoalRequest {
            goal_id: self.new_goal(),
            ..NavigateToPoseSendGoalRequest::default()
        };
        request.goal.pose.header = header(out.now_ns(), "map");
        request.goal.pose.pose = pose_from_pose2(at);
        out.publish(&self.navigate.send_goal, request);
        let why = format!("battery at {:.0}%, drives to {}", self.power.percent(), self.power.name());
        self.enter(Phase::Homeward, self.params.transit_limit_s, &why, out);
    }

    /// The dock with the shortest way, as far as ways are known.
    fn nearest_dock(&self) -> Option<usize> {
        let at = self.power.at?;
        let reach = self.planner.reach([at.x, at.y]).ok();
        let way = |dock: &Dock| {
            let planned = reach.as_ref().and_then(|r| r.cost_to([dock.at.x, dock.at.y]));
            planned.unwrap_or(1e6 + dock.at.distance(at))
        };
        let docks = self.power.docks.iter().enumerate();
        docks.min_by(|(_, a), (_, b)| way(a).total_cmp(&way(b))).map(|(i, _)| i)
    }

    /// It stands in its dock.
    pub(super) fn docked(&mut self, out: &mut Outbox) {
        let why = format!("waits for {} to charge", self.power.name());
        self.enter(Phase::Charging, self.params.dock_wait_s, &why, out);
    }

    /// It could not get home, for now.
    pub(super) fn stranded(&mut self, why: &str, out: &mut Outbox) {
        let why = format!("no way to {}: {why}", self.power.name());
        self.enter(Phase::Stranded, AGAIN_S, &why, out);
    }

    /// The dock has given nothing for its time.
    pub(super) fn uncharged(&mut self, out: &mut Outbox) {
        let why = format!("{} does not charge, battery at {:.0}%", self.power.name(), self.power.percent());
        self.give_up(&why, out);
    }

    /// Ends the mission after a moment; the faces that are left were not driven.
    fn give_up(&mut self, why: &str, out: &mut Outbox) {
        let left: Vec<String> = self.current.iter().chain(&self.queue).map(|s| s.face.to_string()).collect();
        self.failures.push(format!("{why}; not done: {}", left.join(", ")));
        self.queue.clear();
        self.current = None;
        self.goal = None;
        let reason = self.failures.join("; ");
        self.enter(Phase::Ending, ENDING_S, &reason, out);
    }
}
