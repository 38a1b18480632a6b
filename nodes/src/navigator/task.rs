//! The goal at hand, and the ways in which it can fail.

use domain::site::{Face, Floor};
use interfaces::shelfwright_msgs::{FollowFaceGoal, FollowFaceResult};
use interfaces::unique_identifier_msgs::UUID;
use positioning::Pose2;
use positioning::pose::wrap_angle;

use super::planner::PlanError;
use super::recovery::Recovery;
use super::steering::PathFollower;
use crate::action::status;

/// An accepted goal and its clocks.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) id: UUID,
    pub(super) goal: Goal,
    pub(super) started_ns: i64,
    pub(super) feedback_ns: i64,
    pub(super) blocked_since_ns: Option<i64>,
    pub(super) blind_since_ns: Option<i64>,
    /// While the robot looks for its place.
    pub(super) recovery: Option<Recovery>,
    /// Something held the last command of the recovery back.
    pub(super) recovery_blocked: bool,
    /// It has touched something on the way.
    pub(super) touched: bool,
}

#[derive(Debug)]
pub(super) enum Goal {
    Navigate(Navigating),
    Follow(Following),
}

/// On the way to a pose.
#[derive(Debug)]
pub(super) struct Navigating {
    pub(super) goal: Pose2,
    /// From the first plan on.
    pub(super) follower: Option<PathFollower>,
    pub(super) replanned_ns: Option<i64>,
}

/// Along a face.
#[derive(Debug)]
pub(super) struct Following {
    /// The face's start on the map: its x axis, and the robot's left is the shelf.
    map_from_face: Pose2,
    distance_m: f64,
    pub(super) speed_mps: f64,
    from_m: f64,
    pub(super) to_m: f64,
    pub(super) approach: Option<Navigating>,
    pub(super) on_line: bool,
    pub(super) along_m: f64,
}

/// The robot seen from the line along a face.
pub(super) struct OnLine {
    pub(super) along_m: f64,
    /// To the left of the line, towards the shelf, m.
    pub(super) aside_m: f64,
    /// Heading against the line's, radians.
    pub(super) off: f64,
}

/// Why a goal ended without success, in the terms of both actions.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    pub(super) status: i8,
    pub(super) follow_code: u16,
    pub(super) navigate_code: u16,
    pub(super) reason: String,
}

/// Codes of Nav2's servers (nav2_msgs of Jazzy: `FollowPath` from 100, `ComputePathToPose` from 200).
mod nav2 {
    pub(super) const UNKNOWN: u16 = 100;
    pub(super) const TF_ERROR: u16 = 102;
    pub(super) const PATIENCE_EXCEEDED: u16 = 104;
    pub(super) const START_OUTSIDE_MAP: u16 = 203;
    pub(super) const GOAL_OUTSIDE_MAP: u16 = 204;
    pub(super) const GOAL_OCCUPIED: u16 = 206;
    pub(super) const NO_VALID_PATH: u16 = 208;
}

/// Farther than this beside the line or before its start, the robot drives to the start first, m.
const NEAR_M: f64 = 0.25;
const NEAR_RAD: f64 = 0.6;

impl Task {
    pub(super) fn new(id: UUID, goal: Goal, now_ns: i64) -> Self {
        Self {
            id,
            goal,
            started_ns: now_ns,
            feedback_ns: now_ns,
            blocked_since_ns: None,
            blind_since_ns: None,
            recovery: None,
            recovery_blocked: false,
            touched: false,
        }
    }

    /// Lets the way be planned anew: the robot is not where the path was planned from.
    pub(super) fn forget_path(&mut self) {
        if let Goal::Navigate(navigating) = &mut self.goal {
            navigating.follower = None;
            navigating.replanned_ns = None;
        }
    }

    /// Seconds that something has stood in the way.
    pub(super) fn blocked_s(&self, now_ns: i64) -> f64 {
        self.blocked_since_ns.map_or(0.0, |t| (now_ns - t) as f64 * 1e-9)
    }
}

impl Following {
    /// Checks a goal against the floor.
    pub(super) fn new(floor: &Floor, goal: &FollowFaceGoal) -> Result<Self, Failure> {
        let face = floor
            .faces
            .iter()
            .find(|f| format!("{}/{}", floor.id, f.id) == goal.face)
            .ok_or_else(|| Failure::face(floor, &goal.face))?;
        let numbers = [goal.distance_m, goal.speed_mps, goal.from_m, goal.to_m];
        let sound = numbers.iter().all(|v| v.is_finite())
            && goal.distance_m > 0.0
            && goal.speed_mps > 0.0
            && goal.to_m > goal.from_m;
        if !sound {
            let reason = format!(
                "distance {} m, speed {} m/s, from {} m to {} m: allowed are positive distance and speed, and an end after the start",
                goal.distance_m, goal.speed_mps, goal.from_m, goal.to_m
            );
            return Err(Failure { reason, ..Failure::face(floor, &goal.face) });
        }
        Ok(Self {
            map_from_face: map_from_face(face),
            distance_m: f64::from(goal.distance_m),
            speed_mps: f64::from(goal.speed_mps),
            from_m: f64::from(goal.from_m),
            to_m: f64::from(goal.to_m),
            approach: None,
            on_line: false,
            along_m: f64::NAN,
        })
    }

    /// Stands in for a goal that is refused at once.
    pub(super) fn none() -> Self {
        Self {
            map_from_face: Pose2::default(),
            distance_m: 0.0,
            speed_mps: 0.0,
            from_m: 0.0,
            to_m: 0.0,
            approach: None,
            on_line: false,
            along_m: f64::NAN,
        }
    }

    /// Where the pass begins.
    pub(super) fn start_pose(&self) -> Pose2 {
        self.map_from_face * Pose2::new(self.from_m, -self.distance_m, 0.0)
    }

    pub(super) fn line(&self, at: Pose2) -> OnLine {
        let [along_m, left] = self.map_from_face.inverse_transform([at.x, at.y]);
        OnLine {
            along_m,
            aside_m: left + self.distance_m,
            off: wrap_angle(at.theta - self.map_from_face.theta),
        }
    }
}

impl OnLine {
    /// Close enough to the start to drive on along the line.
    pub(super) fn near_start(&self, goal: &Following) -> bool {
        let late = self.along_m - goal.from_m;
        self.aside_m.abs() < NEAR_M && self.off.abs() < NEAR_RAD && (-2.0 * NEAR_M..0.1).contains(&late)
    }
}

/// The face's x axis as a pose: x along the shelf, y into it (a face's own y points out of it).
pub(crate) fn map_from_face(face: &Face) -> Pose2 {
    Pose2::new(face.origin_m[0], face.origin_m[1], face.heading_deg.to_radians())
}

impl Failure {
    pub(super) fn none() -> Self {
        Self {
            status: status::SUCCEEDED,
            follow_code: FollowFaceResult::NONE,
            navigate_code: 0,
            reason: String::new(),
        }
    }

    fn of(follow_code: u16, navigate_code: u16, reason: String) -> Self {
        Self { status: status::ABORTED, follow_code, navigate_code, reason }
    }

    pub(super) fn canceled() -> Self {
        Self { status: status::CANCELED, reason: "cancelled".into(), ..Self::none() }
    }

    pub(super) fn preempted() -> Self {
        Self { status: status::ABORTED, reason: "another goal took its place".into(), ..Self::none() }
    }

    pub(super) fn face(floor: &Floor, found: &str) -> Self {
        let known: Vec<String> = floor.faces.iter().map(|f| format!("{}/{}", floor.id, f.id)).collect();
        let reason = format!("unknown face {found:?}; this robot's floor has {}", known.join(", "));
        Self::of(FollowFaceResult::UNKNOWN_FACE, nav2::UNKNOWN, reason)
    }

    pub(super) fn blocked(seconds: f64, touched: bool) -> Self {
        let what = if touched { "something that the robot has touched" } else { "something" };
        let reason = format!("{what} has stood in the way for {seconds:.0} s");
        Self::of(FollowFaceResult::BLOCKED, nav2::PATIENCE_EXCEEDED, reason)
    }

    pub(super) fn lost(reason: &str) -> Self {
        Self::of(FollowFaceResult::LOST, nav2::TF_ERROR, reason.into())
    }

    pub(super) fn transform(reason: String) -> Self {
        Self::of(FollowFaceResult::LOST, nav2::TF_ERROR, reason)
    }

    pub(super) fn plan(e: PlanError) -> Self {
        let code = match e {
            PlanError::StartOutside => nav2::START_OUTSIDE_MAP,
            PlanError::GoalOutside => nav2::GOAL_OUTSIDE_MAP,
            PlanError::GoalOccupied => nav2::GOAL_OCCUPIED,
            PlanError::NoPath => nav2::NO_VALID_PATH,
        };
        Self::of(FollowFaceResult::BLOCKED, code, e.to_string())
    }
}
