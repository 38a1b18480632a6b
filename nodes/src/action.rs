//! Actions as plain publications under ROS 2's names: topics, goal identifiers, status codes.
//!
//! A navigator works on one goal at a time, so responses and results, which carry no goal identifier, come in the
//! order of the requests and of the accepted goals.

use std::sync::Arc;

use interfaces::unique_identifier_msgs::UUID;

use crate::planar::topic;

/// Topics of one action of one robot.
#[derive(Debug, Clone)]
pub struct ActionTopics {
    /// `…SendGoalRequest`, client → server.
    pub send_goal: Arc<str>,
    /// `…SendGoalResponse`.
    pub send_goal_response: Arc<str>,
    /// `…FeedbackMessage`.
    pub feedback: Arc<str>,
    /// `…GetResultResponse`, once at the end of each accepted goal.
    pub result: Arc<str>,
    /// `CancelGoalRequest`, client → server.
    pub cancel: Arc<str>,
    /// `CancelGoalResponse`.
    pub cancel_response: Arc<str>,
}

impl ActionTopics {
    /// Of `follow_face` or `navigate_to_pose`.
    pub fn new(robot: &str, action: &str) -> Self {
        let of = |part: &str| topic(robot, &format!("{action}/_action/{part}"));
        Self {
            send_goal: of("send_goal_request"),
            send_goal_response: of("send_goal_response"),
            feedback: of("feedback"),
            result: of("get_result_response"),
            cancel: of("cancel_goal_request"),
            cancel_response: of("cancel_goal_response"),
        }
    }
}

/// Status codes of `action_msgs/GoalStatus` as results carry them.
pub mod status {
    /// The goal was reached.
    pub const SUCCEEDED: i8 = 4;
    /// The client took it back.
    pub const CANCELED: i8 = 5;
    /// It could not be reached.
    pub const ABORTED: i8 = 6;
}

/// The `count`th goal identifier of a robot: distinct, and the same in every run.
pub fn goal_id(robot: &str, count: u64) -> UUID {
    // FNV-1a over the name, so that two robots' goals differ.
    let name = robot
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    let mut uuid = [0; 16];
    uuid[..8].copy_from_slice(&name.to_be_bytes());
    uuid[8..].copy_from_slice(&count.to_be_bytes());
    UUID { uuid }
}
