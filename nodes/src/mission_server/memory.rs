//! A mission outlives its process: what is left of it, as messages.

use interfaces::shelfwright_msgs::MissionState;
use interfaces::{AnyMessage, Publication};

use super::MissionServer;

impl MissionServer {
    /// The mission at hand where it has changed since the last call; nothing when it is over.
    pub(super) fn changed_memory(&mut self) -> Option<Vec<Publication>> {
        let memory = match &self.pilot {
            Some(pilot) if !self.over() => pilot.remember(),
            _ => Vec::new(),
        };
        if memory == self.remembered {
            return None;
        }
        self.remembered.clone_from(&memory);
        let publication = |state| Publication::new(self.missions.clone(), 0, state);
        Some(memory.into_iter().map(publication).collect())
    }

    /// Goes on with a mission. Its goal is lost with the process that accepted it: whoever sent it sees the mission's end on
    /// `missions`.
    pub(super) fn go_on(&mut self, memory: &[Publication]) {
        let states: Vec<MissionState> = memory
            .iter()
            .filter_map(|p| match &*p.message {
                AnyMessage::MissionState(state) => Some(state.clone()),
                _ => None,
            })
            .collect();
        let Some((state, left)) = states.split_first() else { return };
        let faces: Vec<String> = left.iter().map(|s| s.face.clone()).collect();
        if faces.is_empty() {
            return;
        }
        match self.make(&state.mission, &faces) {
            Ok(()) => {
                if let Some(pilot) = &mut self.pilot {
                    pilot.recall(&states);
                    tracing::info!(mission = %state.mission, faces = faces.len(), "goes on with the mission");
                }
            }
            Err(error) => tracing::error!(%error, mission = %state.mission, "the mission does not go on"),
        }
        self.remembered = states;
    }
}
