//! A mission that is told to stand still, and to go on.
//!
//! A pass that was broken off by a pause is driven again from its start, because the locator closes a pass when the robot stops
//! scanning; faces that are done stay done.

use super::{Phase, PilotNode};
use crate::node::Outbox;

/// Why a goal is taken back, and so what follows when it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StopFor {
    /// The face at hand has failed.
    Failure,
    /// The reader is silent.
    Reader,
    /// The battery runs low.
    Charge,
    /// The mission is paused.
    Pause,
    /// The mission was paused and told to go on before the robot stood.
    GoOn,
}

impl PilotNode {
    /// Lets the robot stand where it is until [`Self::resume`].
    ///
    /// # Errors
    /// The mission is over, or paused already.
    pub fn pause(&mut self, out: &mut Outbox) -> Result<(), String> {
        match self.phase {
            Phase::Over(_) | Phase::Ending => return Err("the mission is over".into()),
            Phase::Paused => return Err("the mission is paused already".into()),
            Phase::Stopping if self.stop_for == StopFor::Pause => {
                return Err("the mission is paused already".into());
            }
            Phase::Stopping => self.stop_for = StopFor::Pause,
            Phase::Transit | Phase::Scanning => {
                self.take_back("paused", out);
                self.stop_for = StopFor::Pause;
            }
            Phase::Homeward => {
                self.take_back("paused", out);
                self.stop_for = StopFor::Pause;
            }
            Phase::Idle | Phase::Waiting | Phase::Silent | Phase::Stranded | Phase::Charging => {
                self.goes_on_with = self.phase;
                self.stand(out);
            }
        }
        Ok(())
    }

    /// Goes on after [`Self::pause`].
    ///
    /// # Errors
    /// The mission is not paused.
    pub fn resume(&mut self, out: &mut Outbox) -> Result<(), String> {
        match self.phase {
            Phase::Stopping if self.stop_for == StopFor::Pause => self.stop_for = StopFor::GoOn,
            Phase::Paused => match self.goes_on_with {
                Phase::Idle => self.enter(Phase::Idle, f64::INFINITY, "waits for the robot's pose", out),
                Phase::Waiting => self.await_coverage(out),
                Phase::Silent => self.await_reader(out),
                _ => self.next_pass("goes on after a pause", out),
            },
            _ => return Err("the mission is not paused".into()),
        }
        Ok(())
    }

    /// The goal that was taken back has ended, or its end does not come.
    pub(super) fn stopped(&mut self, answered: bool, out: &mut Outbox) {
        self.goal = None;
        match std::mem::replace(&mut self.stop_for, StopFor::Failure) {
            StopFor::Pause => {
                self.goes_on_with = Phase::Transit;
                self.stand(out);
            }
            StopFor::GoOn => self.next_pass("goes on after a pause", out),
            StopFor::Charge => self.go_home(out),
            StopFor::Reader if answered => self.await_reader(out),
            StopFor::Reader | StopFor::Failure => {
                let why = if answered {
                    self.reason.clone()
                } else {
                    format!("{}, and the navigator does not answer", self.reason)
                };
                self.fail(&why, out);
            }
        }
    }

    fn stand(&mut self, out: &mut Outbox) {
        self.enter(Phase::Paused, f64::INFINITY, "paused", out);
    }
}
