//! Passes over the face at hand: driven, and judged by the coverage that they gave.

use interfaces::nav2_msgs::NavigateToPoseSendGoalRequest;
use interfaces::shelfwright_msgs::{Coverage, FollowFaceSendGoalRequest};
use interfaces::unique_identifier_msgs::UUID;

use super::coverage::poor_share;
use super::{Phase, PilotNode};
use crate::action::goal_id;
use crate::node::Outbox;
use crate::planar::{header, pose_from_pose2};

impl PilotNode {
    /// Drives to the start of the face for one more pass.
    pub(super) fn next_pass(&mut self, why: &str, out: &mut Outbox) {
        if self.runs_low() {
            self.go_home(out);
            return;
        }
        let Some(stop) = &mut self.current else { return };
        stop.pass += 1;
        let start = stop.leg.start;
        self.seen.clear();
        let mut request = NavigateToPoseSendGoalRequest {
            goal_id: self.new_goal(),
            ..NavigateToPoseSendGoalRequest::default()
        };
        request.goal.pose.header = header(out.now_ns(), "map");
        request.goal.pose.pose = pose_from_pose2(start);
        out.publish(&self.navigate.send_goal, request);
        self.enter(Phase::Transit, self.params.transit_limit_s, why, out);
    }

    pub(super) fn scan(&mut self, out: &mut Outbox) {
        let Some(stop) = &self.current else { return };
        let (face, length_m) = (stop.face.to_string(), stop.length_m);
        let way = length_m + 2.0 * self.params.run_m;
        let limit_s = self.params.pass_limit * way / self.params.speed_mps.max(1e-3) + 60.0;
        let mut request =
            FollowFaceSendGoalRequest { goal_id: self.new_goal(), ..FollowFaceSendGoalRequest::default() };
        request.goal.face = face;
        request.goal.distance_m = self.params.distance_m as f32;
        request.goal.speed_mps = self.params.speed_mps as f32;
        request.goal.from_m = -self.params.run_m as f32;
        request.goal.to_m = (length_m + self.params.run_m) as f32;
        out.publish(&self.follow.send_goal, request);
        self.enter(Phase::Scanning, limit_s, "", out);
    }

    pub(super) fn new_goal(&mut self) -> UUID {
        self.goals += 1;
        let id = goal_id(&self.robot, self.goals);
        self.goal = Some(id.clone());
        id
    }

    pub(super) fn on_coverage(&mut self, coverage: &Coverage, out: &mut Outbox) {
        if matches!(self.phase, Phase::Scanning | Phase::Waiting | Phase::Paused)
            && coverage.scan == self.scan_name()
        {
            self.seen.insert(coverage.tier, coverage.clone());
            self.judge(out);
        }
    }

    /// Once all tiers' coverage is there: the face is done, or driven again.
    pub(super) fn judge(&mut self, out: &mut Outbox) {
        let Some(stop) = &mut self.current else { return };
        if self.phase != Phase::Waiting || !(1..=stop.tiers).all(|t| self.seen.contains_key(&t)) {
            return;
        }
        stop.completed += 1;
        let poor = poor_share(self.seen.values(), stop.length_m, self.params.read_probability);
        if poor > self.params.poor_share && stop.completed < self.params.max_passes {
            let why = format!("{:.0}% of {} were read poorly, another pass", 100.0 * poor, stop.face);
            self.next_pass(&why, out);
            return;
        }
        self.done += 1;
        self.next_face(out);
    }

    pub(super) fn await_coverage(&mut self, out: &mut Outbox) {
        self.enter(Phase::Waiting, self.params.coverage_wait_s, "waits for the locator's coverage", out);
        self.judge(out);
    }
}
