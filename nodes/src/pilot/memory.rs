//! What a mission needs to go on after its process has died.

use interfaces::shelfwright_msgs::MissionState;

use super::{Phase, PilotNode};

impl PilotNode {
    /// The mission as messages: its state, then each face that is left, with the passes begun over it. What was done of the
    /// pass at hand is not kept: it is driven again.
    pub fn remember(&self) -> Vec<MissionState> {
        let state = MissionState {
            robot: self.robot.clone(),
            mission: self.mission.clone(),
            state: if self.phase == Phase::Paused { MissionState::PAUSED } else { MissionState::WAITING },
            faces_done: self.done,
            faces_total: self.total,
            reason: self.failures.join("; "),
            ..MissionState::default()
        };
        let left = self.current.iter().chain(&self.queue).map(|stop| MissionState {
            face: stop.face.to_string(),
            pass_number: stop.pass,
            ..MissionState::default()
        });
        std::iter::once(state).chain(left).collect()
    }

    /// Goes on from [`Self::remember`], made for the faces that are left.
    pub fn recall(&mut self, memory: &[MissionState]) {
        let Some((state, left)) = memory.split_first() else { return };
        (self.done, self.total) = (state.faces_done, state.faces_total);
        if !state.reason.is_empty() {
            self.failures.insert(0, state.reason.clone());
        }
        for stop in &mut self.queue {
            let face = stop.face.to_string();
            stop.pass = left.iter().find(|s| s.face == face).map_or(0, |s| s.pass_number);
        }
        if state.state == MissionState::PAUSED {
            self.phase = Phase::Paused;
        }
    }
}
