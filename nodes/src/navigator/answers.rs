//! What the navigator's clients hear of it: goals accepted, refused and taken back, feedback, results.

use std::sync::Arc;

use interfaces::action_msgs::{CancelGoalRequest, CancelGoalResponse, GoalInfo};
use interfaces::builtin_interfaces::{Duration, Time};
use interfaces::geometry_msgs::PoseStamped;
use interfaces::nav2_msgs::{
    NavigateToPoseFeedbackMessage, NavigateToPoseGetResultResponse, NavigateToPoseSendGoalRequest,
    NavigateToPoseSendGoalResponse,
};
use interfaces::shelfwright_msgs::{
    FollowFaceFeedbackMessage, FollowFaceGetResultResponse, FollowFaceResult, FollowFaceSendGoalRequest,
    FollowFaceSendGoalResponse,
};
use interfaces::unique_identifier_msgs::UUID;
use positioning::Pose2;

use super::steering::Command;
use super::task::{Failure, Following, Goal, Navigating, Task};
use super::{FEEDBACK_NS, NavigatorNode, STOP_TICKS};
use crate::action::status;
use crate::node::Outbox;
use crate::planar::{header, pose_from_pose2, pose2_from_pose};

impl NavigatorNode {
    fn start(&mut self, id: UUID, goal: Goal, out: &mut Outbox) {
        if let Some(old) = self.task.take() {
            self.end(&old, Err(Failure::preempted()), out);
        }
        let stamp = Time::from_ns(out.now_ns());
        match &goal {
            Goal::Follow(_) => out.publish(
                &self.follow.send_goal_response,
                FollowFaceSendGoalResponse { accepted: true, stamp },
            ),
            Goal::Navigate(_) => out.publish(
                &self.navigate.send_goal_response,
                NavigateToPoseSendGoalResponse { accepted: true, stamp },
            ),
        }
        self.task = Some(Task::new(id, goal, out.now_ns()));
    }

    pub(super) fn accept_follow(&mut self, request: &FollowFaceSendGoalRequest, out: &mut Outbox) {
        let goal = Following::new(&self.floor, &request.goal);
        match goal {
            Ok(following) => self.start(request.goal_id.clone(), Goal::Follow(following), out),
            Err(failure) => {
                // Accepted and aborted at once, because only a result can say why.
                self.start(request.goal_id.clone(), Goal::Follow(Following::none()), out);
                self.finish(Err(failure), out);
            }
        }
    }

    pub(super) fn accept_navigate(&mut self, request: &NavigateToPoseSendGoalRequest, out: &mut Outbox) {
        let PoseStamped { header, pose } = &request.goal.pose;
        let on_map = header.frame_id.is_empty() || header.frame_id == "map";
        let goal = pose2_from_pose(pose).filter(|_| on_map);
        let navigating = Navigating { goal: goal.unwrap_or_default(), follower: None, replanned_ns: None };
        self.start(request.goal_id.clone(), Goal::Navigate(navigating), out);
        if goal.is_none() {
            let reason = format!("goal is no finite pose in map (frame {:?})", header.frame_id);
            self.finish(Err(Failure::transform(reason)), out);
        }
    }

    pub(super) fn cancel(
        &mut self,
        request: &CancelGoalRequest,
        reply: &Arc<str>,
        follow: bool,
        out: &mut Outbox,
    ) {
        let asked = &request.goal_info.goal_id;
        let hit = self.task.as_ref().is_some_and(|t| {
            matches!(t.goal, Goal::Follow(_)) == follow && (asked.uuid == [0; 16] || *asked == t.id)
        });
        let mut response = CancelGoalResponse::default();
        if hit && let Some(task) = &self.task {
            let info = GoalInfo { goal_id: task.id.clone(), ..GoalInfo::default() };
            response.goals_canceling.push(info);
        } else {
            response.return_code = CancelGoalResponse::ERROR_UNKNOWN_GOAL_ID;
        }
        out.publish(reply, response);
        if hit {
            self.finish(Err(Failure::canceled()), out);
        }
    }

    /// Ends the goal at hand: the base stops, the result goes out.
    pub(super) fn finish(&mut self, outcome: Result<(), Failure>, out: &mut Outbox) {
        if let Some(task) = self.task.take() {
            self.command(Command::default(), out);
            self.stops_left = STOP_TICKS;
            self.end(&task, outcome, out);
        }
        self.state = "idle";
    }

    fn end(&mut self, task: &Task, outcome: Result<(), Failure>, out: &mut Outbox) {
        let (status, failure) = match outcome {
            Ok(()) => {
                self.succeeded += 1;
                (status::SUCCEEDED, Failure::none())
            }
            Err(f) => {
                self.failed += 1;
                (f.status, f)
            }
        };
        match &task.goal {
            Goal::Follow(following) => {
                let result = FollowFaceResult {
                    error_code: failure.follow_code,
                    error_msg: failure.reason,
                    along_m: following.along_m as f32,
                };
                out.publish(&self.follow.result, FollowFaceGetResultResponse { status, result });
            }
            Goal::Navigate(_) => {
                let mut response = NavigateToPoseGetResultResponse { status, ..Default::default() };
                response.result.error_code = failure.navigate_code;
                response.result.error_msg = failure.reason;
                out.publish(&self.navigate.result, response);
            }
        }
    }

    /// Tells where it is, from time to time, also while it stands: whoever sent the goal knows by it that it is worked on.
    pub(super) fn tell(&self, task: &mut Task, at: Pose2, out: &mut Outbox) {
        let now = out.now_ns();
        if now - task.feedback_ns < FEEDBACK_NS {
            return;
        }
        task.feedback_ns = now;
        match &task.goal {
            Goal::Follow(following) => {
                let mut message =
                    FollowFaceFeedbackMessage { goal_id: task.id.clone(), ..Default::default() };
                message.feedback.along_m = following.line(at).along_m as f32;
                message.feedback.remaining_m = (following.to_m - following.line(at).along_m) as f32;
                message.feedback.blocked_s = task.blocked_s(now) as f32;
                out.publish(&self.follow.feedback, message);
            }
            Goal::Navigate(navigating) => {
                let mut message =
                    NavigateToPoseFeedbackMessage { goal_id: task.id.clone(), ..Default::default() };
                message.feedback.current_pose.header = header(now, "map");
                message.feedback.current_pose.pose = pose_from_pose2(at);
                let left = navigating.follower.as_ref().map_or(0.0, |f| f.remaining(at));
                message.feedback.distance_remaining = left as f32;
                message.feedback.navigation_time = Duration::from_ns(now - task.started_ns);
                let remaining_ns = (left / self.params.steering.speed_mps.max(1e-3) * 1e9) as i64;
                message.feedback.estimated_time_remaining = Duration::from_ns(remaining_ns);
                out.publish(&self.navigate.feedback, message);
            }
        }
    }
}
