//! The services of a mission: start, pause, resume and cancel, beside the action.

use std::sync::Arc;

use interfaces::shelfwright_msgs::{StartMissionRequest, StartMissionResponse};
use interfaces::std_msgs::Empty;
use interfaces::std_srvs::TriggerResponse;
use interfaces::{AnyMessage, Publication};

use super::MissionServer;
use crate::node::Outbox;
use crate::service::ServiceTopics;

/// `/NAME/mission/…`.
pub(super) struct Services {
    start: ServiceTopics,
    pause: ServiceTopics,
    resume: ServiceTopics,
    cancel: ServiceTopics,
}

impl Services {
    pub(super) fn new(robot: &str) -> Self {
        let of = |name: &str| ServiceTopics::new(&format!("/{robot}/mission/{name}"));
        Self { start: of("start"), pause: of("pause"), resume: of("resume"), cancel: of("cancel") }
    }

    pub(super) fn requests(&self) -> Vec<Arc<str>> {
        [&self.start, &self.pause, &self.resume, &self.cancel].map(|s| s.request.clone()).to_vec()
    }
}

impl MissionServer {
    /// Answers a request; false where the message is none.
    pub(super) fn serve(&mut self, input: &Publication, out: &mut Outbox) -> bool {
        if let AnyMessage::StartMissionRequest(request) = &*input.message {
            let started = self.start(request);
            let message = started.err().unwrap_or_default();
            let response = StartMissionResponse { success: message.is_empty(), message };
            out.publish(&self.services.start.response, response);
            return true;
        }
        let s = &self.services;
        let (response, done) = if input.topic == s.pause.request {
            (s.pause.response.clone(), self.told(out, |pilot, said| pilot.pause(said)))
        } else if input.topic == s.resume.request {
            (s.resume.response.clone(), self.told(out, |pilot, said| pilot.resume(said)))
        } else if input.topic == s.cancel.request {
            let stop = Publication::new(self.cancel.clone(), out.now_ns(), Empty::default());
            let response = s.cancel.response.clone();
            let cancelled = self.told(out, |pilot, said| {
                crate::Node::on_message(pilot, &stop, said);
                Ok(())
            });
            (response, cancelled)
        } else {
            return false;
        };
        let message = done.err().unwrap_or_default();
        out.publish(&response, TriggerResponse { success: message.is_empty(), message });
        true
    }

    fn start(&mut self, request: &StartMissionRequest) -> Result<(), String> {
        if self.busy() {
            return Err(format!("mission {:?} is under way", self.state.mission));
        }
        self.make(&request.mission, &request.faces)
    }

    /// Tells the pilot something, where a mission is under way.
    fn told(
        &mut self,
        out: &mut Outbox,
        tell: impl FnOnce(&mut crate::pilot::PilotNode, &mut Outbox) -> Result<(), String>,
    ) -> Result<(), String> {
        if !self.busy() {
            return Err("no mission is under way".into());
        }
        let mut done = Ok(());
        self.ask(out, |pilot, said| done = tell(pilot, said));
        done
    }
}
