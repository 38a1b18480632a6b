//! One ROS node: its thread spins, queues what comes in, and answers its services.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::{FutureExt, Stream, StreamExt};
use interfaces::diagnostic_msgs::DiagnosticArray;
use interfaces::{Message, Publication};
use r2r::lifecycle_msgs::{msg as life, srv as life_srv};
use r2r::rcl_interfaces::{msg as rcl, srv as rcl_srv};
use r2r::{Publisher, PublisherUntyped, QosProfile, ServiceRequest};

use super::actions::{self, Bridge, Role};
use super::diagnostics::Reporter;
use super::host::{NodeSpec, RosError};
use super::keeping::{Keeper, Kept};
use super::lifecycle::{self, State, Transition};
use super::logs::Logger;
use super::parameters::Parameters;
use super::qos::{self, Carriage};
use super::queue::{DropPolicy, Item};
use super::services::{self, Services, respond};
use super::worker::{Shared, Work};

/// Longest sleep of the spin thread: what a node says in an action waits at most so long.
const SPIN: Duration = Duration::from_millis(5);
/// How often a node's memory and health are looked at.
const KEEP: Duration = Duration::from_millis(200);
const REPORT: Duration = Duration::from_secs(1);

struct Inlet {
    topic: Arc<str>,
    type_name: &'static str,
    policy: DropPolicy,
    stream: Box<dyn Stream<Item = Vec<u8>> + Unpin>,
}

/// A ROS node on its spin thread.
pub struct Spinner {
    ros: r2r::Node,
    logger: Logger,
    full_name: String,
    shared: Arc<Shared>,
    parameters: Parameters,
    services: Services,
    inlets: Vec<Inlet>,
    bridges: Vec<(Role, Box<dyn Bridge>)>,
    diagnostics: PublisherUntyped,
    transitions: Publisher<life::TransitionEvent>,
    parameter_events: Publisher<rcl::ParameterEvent>,
    sets: VecDeque<ServiceRequest<rcl_srv::SetParameters::Service>>,
    atomic_sets: VecDeque<ServiceRequest<rcl_srv::SetParametersAtomically::Service>>,
    changes: VecDeque<ServiceRequest<life_srv::ChangeState::Service>>,
    /// As last known, while the node is at work.
    state: State,
    reporter: Reporter,
    keeper: Option<Keeper>,
    /// Of the process that was here before, until the node is made.
    memory: Vec<Publication>,
    /// Parameters that were set while it ran.
    set_here: BTreeMap<String, toml::Value>,
}

impl Spinner {
    /// Makes the ROS node with its services, sets its parameters from the command line and, with `autostart`,
    /// configures and activates it.
    pub fn start(context: r2r::Context, spec: NodeSpec) -> Result<Self, RosError> {
        let failed = |node: &str| {
            let node = node.to_owned();
            move |error: r2r::Error| RosError::Ros { node: node.clone(), error: error.to_string() }
        };
        let failed = failed(&spec.name);
        let mut ros = r2r::Node::create(context, &spec.name, &spec.namespace).map_err(&failed)?;
        let logger = Logger::new(&mut ros).map_err(&failed)?;
        logger.clone().take_thread();
        let robot = ros.namespace().map_err(&failed)?.trim_matches('/').to_owned();
        let full_name = ros.fully_qualified_name().map_err(&failed)?;
        let mut parameters = spec.parameters;
        set_overrides(&ros, &full_name, &mut parameters)?;
        let local = |name: &str| format!("{full_name}/{name}");
        let events = QosProfile::parameter_events();
        let array = DiagnosticArray::TYPE_NAME;
        let report = Carriage::Result.publisher();
        let work = Work {
            node: None,
            state: State::Unconfigured,
            make: spec.make,
            robot: robot.clone(),
            table: toml::Table::new(),
            publishers: Default::default(),
            undeclared: 0,
            unsent: 0,
            sent: Default::default(),
            forget: false,
            latched: Vec::new(),
            unheard: 0,
        };
        let mut spinner = Self {
            services: Services::offer(&mut ros).map_err(&failed)?,
            diagnostics: ros.create_publisher_untyped("/diagnostics", array, report).map_err(&failed)?,
            transitions: ros
                .create_publisher(&local("transition_event"), QosProfile::default())
                .map_err(&failed)?,
            parameter_events: ros.create_publisher("/parameter_events", events).map_err(&failed)?,
            reporter: Reporter::new(&robot, &full_name),
            shared: Arc::new(Shared::new(work)),
            inlets: Vec::new(),
            bridges: Vec::new(),
            sets: VecDeque::new(),
            atomic_sets: VecDeque::new(),
            changes: VecDeque::new(),
            state: State::Unconfigured,
            keeper: spec.memory.map(|folder| Keeper::new(&folder, &full_name)),
            memory: Vec::new(),
            set_here: BTreeMap::new(),
            ros,
            logger,
            full_name,
            parameters,
        };
        let labels = spinner.restore()?;
        if spinner.parameters.flag("use_sim_time") {
            spinner.shared.simulated.store(true, Ordering::Relaxed);
            spinner.subscribe(&"/clock".into(), false).map_err(|error| spinner.error(error))?;
        }
        let shared = spinner.shared.clone();
        if let Some(mut work) = shared.try_work() {
            for label in labels {
                if let Some(t) = lifecycle::find(work.state, 0, label) {
                    spinner.change(&mut work, t).map_err(|error| spinner.error(error))?;
                }
            }
        }
        Ok(spinner)
    }

    /// Takes over from the process that was here before: parameters, memory, and the transitions to its state. Where none was
    /// here, `autostart` says.
    fn restore(&mut self) -> Result<Vec<&'static str>, RosError> {
        let kept = match self.keeper.as_ref().map(Keeper::state).transpose() {
            Ok(kept) => kept.flatten(),
            Err(error) => return Err(self.error(error)),
        };
        let Some(kept) = kept else {
            let autostart = self.parameters.flag("autostart");
            return Ok(if autostart { vec!["configure", "activate"] } else { Vec::new() });
        };
        let set: Vec<_> = kept.parameters.clone().into_iter().collect();
        let (taken, _) = self.parameters.checked(&set, false).map_err(|e| self.error(e.to_string()))?;
        self.parameters.apply(taken);
        self.set_here.clone_from(&kept.parameters);
        match self.keeper.as_ref().map(Keeper::memory) {
            Some(Ok(memory)) => self.memory = memory,
            // Without it the node begins anew, which is better than not at all.
            Some(Err(error)) => tracing::error!(error, "nothing is known of what was before"),
            None => {}
        }
        tracing::info!(state = kept.state, "takes the place of a process that ended");
        Ok(match kept.state() {
            Some(State::Active) => vec!["configure", "activate"],
            Some(State::Inactive) => vec!["configure"],
            Some(State::Finalized) => vec!["shutdown"],
            Some(State::Unconfigured) | None => Vec::new(),
        })
    }

    /// Keeps what a process that takes this one's place must know.
    fn keep_memory(&self) {
        let Some(keeper) = &self.keeper else { return };
        let Some(mut work) = self.shared.try_work() else { return };
        if std::mem::take(&mut work.forget) {
            keeper.forget();
        }
        let memory = work.node.as_mut().and_then(|node| node.take_memory());
        drop(work);
        if let Some(Err(error)) = memory.map(|m| keeper.keep(&m)) {
            tracing::error!(error, "the node's memory is not kept");
        }
    }

    fn keep_state(&self) {
        let Some(keeper) = &self.keeper else { return };
        let kept = Kept { state: self.state.label().into(), parameters: self.set_here.clone() };
        if let Err(error) = keeper.keep_state(&kept) {
            tracing::error!(error, "the node's state is not kept");
        }
    }

    fn error(&self, error: String) -> RosError {
        RosError::Ros { node: self.full_name.clone(), error }
    }

    /// What the worker works on.
    pub fn shared(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    /// Its name with namespace.
    pub fn full_name(&self) -> &str {
        &self.full_name
    }

    /// For the logs of the node's other thread.
    pub fn logger(&self) -> Logger {
        self.logger.clone()
    }

    /// Spins until told to stop.
    pub fn run(&mut self, stop: &AtomicBool) {
        let mut report = Instant::now() + REPORT;
        let mut keep = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            self.ros.spin_once(SPIN);
            self.drain();
            self.pass_actions();
            self.services.answer(&self.parameters, self.state);
            self.make_changes();
            let now = Instant::now();
            if now >= keep {
                keep = now + KEEP;
                self.keep_memory();
                if self.reporter.is_old(&self.shared) {
                    report = now;
                }
            }
            if now >= report {
                report = (report + REPORT).max(now);
                let array = self.reporter.report(&self.shared, self.state);
                if let Err(error) = self.diagnostics.publish_raw(&array.to_cdr()) {
                    tracing::debug!(%error, "diagnostics were not sent");
                }
            }
        }
    }

    /// r2r holds ten messages of a topic and then loses the newest, so all are taken at once.
    fn drain(&mut self) {
        for inlet in &mut self.inlets {
            while let Some(Some(bytes)) = inlet.stream.next().now_or_never() {
                let item = Item::Raw { topic: inlet.topic.clone(), type_name: inlet.type_name, bytes };
                self.shared.queue.push(item, inlet.policy);
            }
        }
    }

    fn pass_actions(&mut self) {
        let said = std::mem::take(&mut *self.shared.actions.lock().unwrap_or_else(PoisonError::into_inner));
        for publication in said {
            // Responses that no client asked for (the answer to another host's goal) have no bridge.
            let _ = self.bridges.iter_mut().any(|(_, bridge)| bridge.take(&publication));
        }
        let mut heard = Vec::new();
        for (_, bridge) in &mut self.bridges {
            bridge.poll(self.state == State::Active, &mut heard);
        }
        for publication in heard {
            self.shared.queue.push(Item::Ready(publication), DropPolicy::Newest);
        }
    }

    /// Changes wait until the node is not at work, the spin thread does not.
    fn make_changes(&mut self) {
        self.sets.extend(std::iter::from_fn(|| self.services.set.next()));
        self.atomic_sets.extend(std::iter::from_fn(|| self.services.set_atomically.next()));
        self.changes.extend(std::iter::from_fn(|| self.services.change_state.next()));
        if self.sets.is_empty() && self.atomic_sets.is_empty() && self.changes.is_empty() {
            return;
        }
        let shared = self.shared.clone();
        let Some(mut work) = shared.try_work() else { return };
        while let Some(request) = self.sets.pop_front() {
            let one = |p: &rcl::Parameter| self.set(&mut work, std::slice::from_ref(p));
            let results = request.message.parameters.iter().map(one).collect();
            respond(request, rcl_srv::SetParameters::Response { results });
        }
        while let Some(request) = self.atomic_sets.pop_front() {
            let result = self.set(&mut work, &request.message.parameters);
            respond(request, rcl_srv::SetParametersAtomically::Response { result });
        }
        while let Some(request) = self.changes.pop_front() {
            let asked = &request.message.transition;
            let success = match lifecycle::find(work.state, asked.id, &asked.label) {
                Some(transition) => self.change(&mut work, transition).is_ok(),
                None => {
                    let (id, label, state) = (asked.id, &asked.label, work.state.label());
                    tracing::warn!(id, label, state, "no such transition leads out of this state");
                    false
                }
            };
            respond(request, life_srv::ChangeState::Response { success });
        }
    }

    fn set(&mut self, work: &mut Work, wanted: &[rcl::Parameter]) -> rcl::SetParametersResult {
        let mut changes = Vec::new();
        for p in wanted {
            match services::from_ros(&p.value) {
                Some(value) => changes.push((p.name.clone(), value)),
                None => return refused(format!("{}: no value of a type that a parameter here has", p.name)),
            }
        }
        let (taken, table) = match self.parameters.checked(&changes, work.node.is_some()) {
            Ok(checked) => checked,
            Err(refusal) => return refused(refusal.to_string()),
        };
        if let Some(node) = &mut work.node
            && table != work.table
        {
            if let Err(reason) = node.retune(&table) {
                return refused(reason);
            }
            work.table = table;
        }
        let changed = taken
            .iter()
            .map(|(name, value)| rcl::Parameter { name: name.clone(), value: services::to_ros(value) });
        let event = rcl::ParameterEvent {
            node: self.full_name.clone(),
            changed_parameters: changed.collect(),
            ..Default::default()
        };
        self.set_here.extend(taken.iter().cloned());
        self.parameters.apply(taken);
        self.keep_state();
        self.shared.simulated.store(self.parameters.flag("use_sim_time"), Ordering::Relaxed);
        if self.parameters.flag("use_sim_time")
            && let Err(error) = self.subscribe(&"/clock".into(), false)
        {
            tracing::error!(error, "/clock is not heard");
        }
        if let Err(error) = self.parameter_events.publish(&event) {
            tracing::debug!(%error, "a parameter event was not sent");
        }
        rcl::SetParametersResult { successful: true, reason: String::new() }
    }

    /// Makes one transition; the state stays where it was when it fails.
    fn change(&mut self, work: &mut Work, transition: Transition) -> Result<(), String> {
        let done = match (transition.label, transition.goal) {
            ("configure", _) => self.configure(work),
            ("cleanup", _) | (_, State::Finalized) => {
                work.node = None;
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err(error) = done {
            tracing::error!(error, "{} failed", transition.label);
            return Err(error);
        }
        work.state = transition.goal;
        self.state = transition.goal;
        self.keep_state();
        if transition.goal == State::Active {
            self.shared.catch_up(work);
        }
        let event = life::TransitionEvent {
            timestamp: u64::try_from(self.shared.now_ns()).unwrap_or(0),
            transition: services::ros_transition(transition),
            start_state: services::ros_state(transition.start),
            goal_state: services::ros_state(transition.goal),
        };
        if let Err(error) = self.transitions.publish(&event) {
            tracing::debug!(%error, "a transition event was not sent");
        }
        tracing::info!("{}", transition.goal.label());
        Ok(())
    }

    fn configure(&mut self, work: &mut Work) -> Result<(), String> {
        let table = self.parameters.table();
        let mut node = (work.make)(&work.robot, &table)?;
        let memory = std::mem::take(&mut self.memory);
        if !memory.is_empty() {
            node.recall(&memory);
        }
        for topic in node.publications() {
            if let Entry::Vacant(place) = work.publishers.entry(topic) {
                let topic = place.key();
                let known = qos::topic(topic).ok_or_else(|| format!("{topic} has no type"))?;
                let publisher = self
                    .ros
                    .create_publisher_untyped(topic, known.type_name, known.carriage.publisher())
                    .map_err(|e| format!("{topic}: {e}"))?;
                place.insert(publisher);
            }
        }
        for topic in node.subscriptions() {
            if let Some(role) = actions::role(&topic) {
                if !self.bridges.iter().any(|(r, _)| *r == role) {
                    let bridge = actions::bridge(&mut self.ros, &role)?;
                    self.bridges.push((role, bridge));
                }
            } else if !actions::is_part(&topic) {
                self.subscribe(&topic, node.wants_past())?;
            }
        }
        work.node = Some(node);
        work.table = table;
        work.unheard = work.latched.len();
        Ok(())
    }

    fn subscribe(&mut self, topic: &Arc<str>, past: bool) -> Result<(), String> {
        if self.inlets.iter().any(|i| i.topic == *topic) {
            return Ok(());
        }
        let known = qos::topic(topic).ok_or_else(|| format!("{topic} has no type"))?;
        let best_effort = self.parameters.flag("reads_best_effort") && topic.ends_with("/reads");
        let quality = known.carriage.subscription(best_effort, past);
        let stream =
            self.ros.subscribe_raw(topic, known.type_name, quality).map_err(|e| format!("{topic}: {e}"))?;
        self.inlets.push(Inlet {
            topic: topic.clone(),
            type_name: known.type_name,
            policy: known.carriage.drop_policy(),
            stream: Box::new(stream),
        });
        Ok(())
    }
}

fn refused(reason: String) -> rcl::SetParametersResult {
    rcl::SetParametersResult { successful: false, reason }
}

/// Values from the command line and parameter files. One that does not fit ends the program: it was meant.
fn set_overrides(ros: &r2r::Node, node: &str, parameters: &mut Parameters) -> Result<(), RosError> {
    let given = ros.params.lock().unwrap_or_else(PoisonError::into_inner);
    for (name, parameter) in given.iter() {
        let refused = |reason: String| RosError::Parameter { node: node.into(), reason };
        let value = services::from_override(&parameter.value)
            .ok_or_else(|| refused(format!("{name}: no value of a type that a parameter here has")))?;
        let change = [(name.clone(), value)];
        let (taken, _) = parameters.checked(&change, false).map_err(|e| refused(e.to_string()))?;
        parameters.apply(taken);
    }
    Ok(())
}
