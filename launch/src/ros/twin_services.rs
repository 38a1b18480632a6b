//! The twin's services: pause, step, reset, speed, things that come and go, faults.

use std::sync::Arc;

use interfaces::builtin_interfaces::Time;
use interfaces::geometry_msgs::Vector3;
use interfaces::shelfwright_msgs::{
    InjectFaultResponse, MoveThingResponse, RemoveThingResponse, SetSpeedResponse, SpawnThingRequest,
    SpawnThingResponse, StepTwinRequest, StepTwinResponse,
};
use interfaces::std_srvs::{SetBoolResponse, TriggerResponse};
use interfaces::{AnyMessage, Publication};
use nodes::Outbox;
use nodes::service::ServiceTopics;
use twin::faults::FaultSettings;
use twin::scenario::{ObstacleSettings, PersonSettings};
use twin::{Thing, Twin};

use super::twin_node::{TwinNode, TwinParams};

/// Most steps that one request asks for: a simulated hour.
const MOST_STEPS: u32 = 360_000;
/// Usual sizes along x and y, and height, m.
const BOX_M: [f64; 3] = [0.4, 0.4, 0.4];
const TROLLEY_M: [f64; 3] = [0.8, 0.45, 1.0];

/// `/twin/…`.
pub struct Services {
    pause: ServiceTopics,
    step: ServiceTopics,
    reset: ServiceTopics,
    set_speed: ServiceTopics,
    spawn: ServiceTopics,
    moving: ServiceTopics,
    remove: ServiceTopics,
    inject_fault: ServiceTopics,
}

impl Services {
    /// Their topics.
    pub fn new() -> Self {
        let of = |name: &str| ServiceTopics::new(&format!("/twin/{name}"));
        Self {
            pause: of("pause"),
            step: of("step"),
            reset: of("reset"),
            set_speed: of("set_speed"),
            spawn: of("spawn"),
            moving: of("move"),
            remove: of("remove"),
            inject_fault: of("inject_fault"),
        }
    }

    /// Where requests come in.
    pub fn requests(&self) -> Vec<Arc<str>> {
        [
            &self.pause,
            &self.step,
            &self.reset,
            &self.set_speed,
            &self.spawn,
            &self.moving,
            &self.remove,
            &self.inject_fault,
        ]
        .map(|s| s.request.clone())
        .to_vec()
    }
}

impl TwinNode {
    /// Answers a request; false where the message is none.
    pub fn serve(&mut self, input: &Publication, out: &mut Outbox) -> bool {
        let said = |done: Result<(), String>| {
            let message = done.err().unwrap_or_default();
            (message.is_empty(), message)
        };
        match &*input.message {
            AnyMessage::SetBoolRequest(r) => {
                self.paused = r.data;
                let response = SetBoolResponse { success: true, message: String::new() };
                out.publish(&self.services.pause.response, response);
            }
            AnyMessage::StepTwinRequest(r) => {
                let response = self.take_steps(r, out);
                out.publish(&self.services.step.response, response);
            }
            AnyMessage::TriggerRequest(_) => {
                let (success, message) = said(self.begin_anew());
                out.publish(&self.services.reset.response, TriggerResponse { success, message });
            }
            AnyMessage::SetSpeedRequest(r) => {
                let params = TwinParams { speed: r.speed };
                let (success, message) = said(params.check().map(|()| self.params = params));
                out.publish(&self.services.set_speed.response, SetSpeedResponse { success, message });
            }
            AnyMessage::SpawnThingRequest(r) => {
                let (success, message) = said(spawn(&mut self.twin, r));
                out.publish(&self.services.spawn.response, SpawnThingResponse { success, message });
            }
            AnyMessage::MoveThingRequest(r) => {
                let moved = self.twin.move_to(&r.name, [r.at.x, r.at.y]);
                let (success, message) = said(moved.map_err(|e| e.to_string()));
                out.publish(&self.services.moving.response, MoveThingResponse { success, message });
            }
            AnyMessage::RemoveThingRequest(r) => {
                let (success, message) = said(self.twin.remove(&r.name).map_err(|e| e.to_string()));
                out.publish(&self.services.remove.response, RemoveThingResponse { success, message });
            }
            AnyMessage::InjectFaultRequest(r) => {
                let (success, message) = said(self.inject(&r.fault));
                out.publish(&self.services.inject_fault.response, InjectFaultResponse { success, message });
            }
            _ => return false,
        }
        true
    }

    fn take_steps(&mut self, request: &StepTwinRequest, out: &mut Outbox) -> StepTwinResponse {
        let message = if !self.paused {
            "the twin runs: pause it first".to_owned()
        } else if request.steps > MOST_STEPS {
            format!("steps is {}, allowed are 0 to {MOST_STEPS}", request.steps)
        } else {
            self.advance(request.steps.into(), out);
            String::new()
        };
        StepTwinResponse { success: message.is_empty(), message, now: Time::from_ns(self.twin.now_ns()) }
    }

    fn begin_anew(&mut self) -> Result<(), String> {
        self.twin = Twin::new(&self.scenario).map_err(|e| e.to_string())?;
        self.restart_clock();
        Ok(())
    }

    /// Takes a fault as a scenario file has it, its time counted from now.
    fn inject(&mut self, text: &str) -> Result<(), String> {
        let mut table: toml::Table = toml::from_str(text).map_err(|e| format!("fault: {}", e.message()))?;
        let after_s = match table.get("at_s") {
            None => 0.0,
            Some(toml::Value::Float(v)) => *v,
            Some(toml::Value::Integer(v)) => *v as f64,
            Some(other) => return Err(format!("fault: at_s is {other}, expected seconds from now")),
        };
        let now_s = self.twin.now_ns() as f64 * 1e-9;
        table.insert("at_s".into(), toml::Value::Float(now_s + after_s));
        let fault: FaultSettings = table.try_into().map_err(|e| format!("fault: {}", e.message()))?;
        self.twin.inject(fault).map_err(|e| e.to_string())
    }
}

fn spawn(twin: &mut Twin, request: &SpawnThingRequest) -> Result<(), String> {
    let at_m = [request.at.x, request.at.y];
    let solid = |usual: [f64; 3]| {
        let given = &request.size;
        let size = if *given == Vector3::default() { usual } else { [given.x, given.y, given.z] };
        Thing::Solid(ObstacleSettings::standing(at_m, [size[0], size[1]], size[2]))
    };
    let thing = match request.kind {
        SpawnThingRequest::BOX => solid(BOX_M),
        SpawnThingRequest::TROLLEY => solid(TROLLEY_M),
        SpawnThingRequest::PERSON => {
            Thing::Person(PersonSettings::walking(at_m, [request.walks_to.x, request.walks_to.y]))
        }
        other => return Err(format!("kind: found {other}, allowed are BOX 0, TROLLEY 1, PERSON 2")),
    };
    twin.spawn(&request.name, thing).map_err(|e| e.to_string())
}
