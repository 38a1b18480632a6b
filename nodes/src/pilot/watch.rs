//! What the pilot watches while a goal is worked on: the reader, and the navigator itself.

use interfaces::action_msgs::CancelGoalRequest;

use super::pause::StopFor;
use super::{Phase, PilotNode, STOP_WAIT_NS};
use crate::node::Outbox;

impl PilotNode {
    pub(super) fn await_reader(&mut self, out: &mut Outbox) {
        self.enter(Phase::Silent, self.params.reader_wait_s, "the reader is silent", out);
    }

    /// Breaks a pass off during which the reader is silent, and drives it again once it speaks.
    pub(super) fn watch_reader(&mut self, out: &mut Outbox) {
        let (now, patience_s) = (out.now_ns(), self.params.reader_silent_s);
        match self.phase {
            Phase::Scanning if patience_s > 0.0 && self.reader.silent_s(self.since_ns, now) > patience_s => {
                self.take_back("the reader is silent", out);
                self.stop_for = StopFor::Reader;
            }
            Phase::Silent if self.reader.spoke_after(self.since_ns) => {
                self.next_pass("the reader speaks again", out);
            }
            _ => {}
        }
    }

    /// Takes a goal back that nobody speaks of: the navigator has died, or knows nothing of it any more.
    pub(super) fn watch_navigator(&mut self, out: &mut Outbox) {
        let patience_s = self.params.navigator_silent_s;
        let heard = self.heard_of_goal_ns.max(self.since_ns);
        if matches!(self.phase, Phase::Transit | Phase::Scanning | Phase::Homeward)
            && patience_s > 0.0
            && (out.now_ns() - heard) as f64 * 1e-9 > patience_s
        {
            let homeward = self.phase == Phase::Homeward;
            self.take_back("the navigator says nothing of the goal", out);
            if homeward {
                self.stop_for = StopFor::Charge;
            }
        }
    }

    /// Takes the goal at hand back, for a reason.
    pub(super) fn take_back(&mut self, why: &str, out: &mut Outbox) {
        let mut request = CancelGoalRequest::default();
        request.goal_info.goal_id = self.goal.clone().unwrap_or_default();
        let action = if self.phase == Phase::Scanning { &self.follow } else { &self.navigate };
        out.publish(&action.cancel, request);
        self.stop_for = StopFor::Failure;
        self.enter(Phase::Stopping, STOP_WAIT_NS as f64 * 1e-9, why, out);
    }
}
