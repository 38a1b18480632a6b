//! What the pilot tells of itself: the mission's state on `missions`, its health on `/diagnostics`.

use interfaces::shelfwright_msgs::MissionState;

use super::pause::StopFor;
use super::{Phase, PilotNode, REPORT_NS};
use crate::node::{Health, Level, Outbox};
use crate::planar::header;

impl PilotNode {
    pub(super) fn report(&mut self, out: &mut Outbox) {
        self.report_ns = Some(out.now_ns() + REPORT_NS);
        let state = match self.phase {
            Phase::Idle => MissionState::IDLE,
            Phase::Transit | Phase::Homeward => MissionState::TRANSIT,
            Phase::Scanning => MissionState::SCANNING,
            Phase::Waiting
            | Phase::Stopping
            | Phase::Silent
            | Phase::Stranded
            | Phase::Charging
            | Phase::Ending => MissionState::WAITING,
            Phase::Paused => MissionState::PAUSED,
            Phase::Over(state) => state,
        };
        let message = MissionState {
            header: header(out.now_ns(), "map"),
            robot: self.robot.clone(),
            mission: self.mission.clone(),
            state,
            face: self.current.as_ref().map_or_else(String::new, |s| s.face.to_string()),
            pass_number: self.current.as_ref().map_or(0, |s| s.pass),
            faces_done: self.done,
            faces_total: self.total,
            reason: self.reason.clone(),
        };
        out.publish(&self.missions, message);
    }

    /// For `/diagnostics`.
    pub(super) fn state_of_health(&self) -> Health {
        let level = match self.phase {
            Phase::Over(MissionState::FAILED) | Phase::Silent | Phase::Stranded | Phase::Ending => {
                Level::Error
            }
            Phase::Homeward | Phase::Charging => Level::Warn,
            Phase::Stopping if self.stop_for == StopFor::Reader => Level::Error,
            _ if !self.failures.is_empty() => Level::Warn,
            _ => Level::Ok,
        };
        Health {
            level,
            summary: match self.phase {
                Phase::Silent => "the reader is silent: the mission waits".into(),
                Phase::Paused => "paused".into(),
                Phase::Homeward | Phase::Stranded | Phase::Charging | Phase::Ending => self.reason.clone(),
                _ => format!("{} of {} faces, {}", self.done, self.total, self.mission),
            },
            values: vec![
                ("faces_failed", self.failures.len().to_string()),
                ("goals", self.goals.to_string()),
                ("trips_to_dock", self.power.trips.to_string()),
                ("malformed", self.malformed.to_string()),
            ],
        }
    }
}
