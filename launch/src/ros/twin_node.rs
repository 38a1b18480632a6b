//! The twin as a node: on a ROS 2 network it is all the robots' hardware, and `/clock`.
//!
//! It moves on with the machine's clock, at a speed that can be set; speed 0 is a pause. A machine that is too slow
//! makes it slower, never coarser. [`super::twin_services`] pause it, step it, begin anew, put things into it and let faults happen.

use std::sync::Arc;
use std::time::Instant;

use interfaces::{AnyMessage, Publication};
use nodes::host::ros2::parameters::Documented;
use nodes::{Health, Level, Node, Outbox};
use serde::{Deserialize, Serialize};

use twin::{STEP_NS, Scenario, Twin};

use super::twin_services::Services;
use crate::eyes::Eyes;

/// Where the parameters are described.
pub const DOCUMENTED: &[Documented] =
    &[Documented { group: "", name: "TwinParams", source: include_str!("twin_node.rs") }];

/// Parameters of the twin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TwinParams {
    /// Simulated seconds a second. 1; 0 is a pause.
    pub speed: f64,
}

impl Default for TwinParams {
    fn default() -> Self {
        Self { speed: 1.0 }
    }
}

impl TwinParams {
    /// Refuses a speed that is none.
    pub fn check(&self) -> Result<(), String> {
        if (0.0..=100.0).contains(&self.speed) {
            return Ok(());
        }
        Err(format!("speed is {}, allowed are 0 to 100", self.speed))
    }
}

/// Most steps at once: the nodes' messages wait meanwhile.
const BURST: i64 = 20;

/// See the module's text.
pub struct TwinNode {
    pub(super) scenario: Scenario,
    pub(super) services: Services,
    pub(super) paused: bool,
    pub(super) twin: Twin,
    pub(super) eyes: Eyes,
    pub(super) params: TwinParams,
    commands: Vec<(Arc<str>, String)>,
    outputs: Vec<Arc<str>>,
    /// Simulated time that is still to come, ns.
    owed_ns: f64,
    last_ns: Option<i64>,
    began: Instant,
    refused: u64,
}

impl TwinNode {
    /// The twin of a scenario.
    pub fn new(scenario: &Scenario, params: TwinParams) -> Result<Self, String> {
        params.check()?;
        let twin = Twin::new(scenario).map_err(|e| e.to_string())?;
        let names: Vec<String> = twin.robots().map(|r| r.name.clone()).collect();
        let mut outputs: Vec<Arc<str>> = ["/clock", "/tf", "/tf_static"].map(Arc::from).to_vec();
        for name in &names {
            outputs.extend(
                ["reads", "scan", "odom", "imu", "bumper", "battery", "robot_description"]
                    .map(|t| Arc::from(format!("/{name}/{t}"))),
            );
        }
        let eyes = Eyes::of(&twin).map_err(|e| format!("{e:#}"))?;
        outputs.extend(eyes.topics());
        let commands = names.into_iter().map(|n| (Arc::from(format!("/{n}/cmd_vel")), n)).collect();
        Ok(Self {
            scenario: scenario.clone(),
            services: Services::new(),
            paused: false,
            twin,
            eyes,
            params,
            commands,
            outputs,
            owed_ns: 0.0,
            last_ns: None,
            began: Instant::now(),
            refused: 0,
        })
    }

    pub(super) fn advance(&mut self, steps: i64, out: &mut Outbox) {
        let mut said = Vec::new();
        for _ in 0..steps {
            self.twin.step(&mut said);
            if let Err(error) = self.eyes.look(&self.twin, &mut said) {
                tracing::error!(%error, "the cameras see nothing");
            }
        }
        said.into_iter().for_each(|p| out.forward(p));
    }

    /// The run begins anew.
    pub(super) fn restart_clock(&mut self) {
        self.owed_ns = 0.0;
        self.began = Instant::now();
    }
}

impl Node for TwinNode {
    fn name(&self) -> &str {
        "twin"
    }

    fn subscriptions(&self) -> Vec<Arc<str>> {
        self.commands.iter().map(|(topic, _)| topic.clone()).chain(self.services.requests()).collect()
    }

    fn publications(&self) -> Vec<Arc<str>> {
        self.outputs.clone()
    }

    fn retune(&mut self, parameters: &toml::Table) -> Result<(), String> {
        let params = parameters.clone().try_into::<TwinParams>().map_err(|e| e.message().to_owned())?;
        params.check()?;
        self.params = params;
        Ok(())
    }

    fn on_message(&mut self, input: &Publication, out: &mut Outbox) {
        if self.serve(input, out) {
            return;
        }
        if let AnyMessage::TwistStamped(twist) = &*input.message
            && let Some((_, robot)) = self.commands.iter().find(|(topic, _)| *topic == input.topic)
            && twist.twist.linear.x.is_finite()
            && twist.twist.angular.z.is_finite()
            && self.twin.command(robot, twist).is_ok()
        {
            return;
        }
        self.refused += 1;
    }

    fn on_time(&mut self, out: &mut Outbox) {
        if self.paused {
            self.last_ns = None;
            return;
        }
        let passed = out.now_ns() - *self.last_ns.get_or_insert(out.now_ns());
        self.last_ns = Some(out.now_ns());
        // A machine clock that is set is no time that has passed.
        self.owed_ns += passed.clamp(0, 1_000_000_000) as f64 * self.params.speed;
        let due = (self.owed_ns / STEP_NS as f64) as i64;
        self.advance(due.min(BURST), out);
        self.owed_ns = if due > BURST { 0.0 } else { self.owed_ns - (due * STEP_NS) as f64 };
    }

    fn health(&self) -> Health {
        let simulated_s = self.twin.now_ns() as f64 * 1e-9;
        let factor = simulated_s / self.began.elapsed().as_secs_f64().max(1e-3);
        Health {
            level: if self.refused > 0 { Level::Warn } else { Level::Ok },
            summary: if self.paused || self.params.speed == 0.0 { "paused".into() } else { "running".into() },
            values: vec![
                ("simulated_s", format!("{simulated_s:.2}")),
                ("real_time_factor", format!("{factor:.2}")),
                ("commands_refused", self.refused.to_string()),
            ],
        }
    }
}
