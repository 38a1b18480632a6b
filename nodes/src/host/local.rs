//! The local host: all nodes in one process with a simulated world, in lock-step.
//!
//! Publications pass through one bounded first-in-first-out queue. Each is shown to the observers (the
//! recorder is one) and then handed at once to the nodes that subscribed to its topic, in the order in which
//! the nodes were added; what they publish joins the end of the queue. So the order of a run is a function of
//! its inputs alone, and a bag, which holds the publications in queue order, replays to the same bytes.

use std::collections::VecDeque;
use std::sync::Arc;

use interfaces::diagnostic_msgs::DiagnosticArray;
use interfaces::std_msgs::Header;
use interfaces::{AnyMessage, Publication};

use crate::node::{Health, Node, Outbox};

/// A simulated world, or anything else that plays the sensors and takes the commands.
pub trait World {
    /// Advances by one fixed step and appends what the sensors publish, `/clock` first.
    fn step(&mut self, out: &mut Vec<Publication>);

    /// A `cmd_vel` (or another command topic) that a node has published.
    fn command(&mut self, command: &Publication);

    /// Topics that [`World::command`] takes, in full.
    fn command_topics(&self) -> Vec<Arc<str>>;
}

/// Tells the health of what is no node.
pub type HealthSource = Box<dyn Fn() -> Health>;

/// Sees every publication in order, before the nodes do.
pub trait Observer {
    /// One publication; an error ends the run.
    fn observe(&mut self, publication: &Publication) -> Result<(), String>;

    /// Its name and health for `/diagnostics`, where it has one: for [`LocalHost::watch`].
    fn watched(&self) -> Option<(&'static str, HealthSource)> {
        None
    }
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// An observer (for example the recorder on a full disk) could not go on.
    #[error("{0}")]
    Observer(String),
    /// A node publishes faster than the queue is worked off.
    #[error("queue of {capacity} publications overflowed at {at_ns} ns on {topic}: a node floods its topic")]
    Flood {
        /// Bound of the queue.
        capacity: usize,
        /// When, ns.
        at_ns: i64,
        /// Topic of the publication that did not fit.
        topic: Arc<str>,
    },
}

struct Slot {
    node: Box<dyn Node>,
    topics: Vec<Arc<str>>,
}

/// Nodes in one process. See the module's text for the order of things.
pub struct LocalHost {
    slots: Vec<Slot>,
    pending: VecDeque<Publication>,
    now_ns: i64,
    next_diagnostics_ns: Option<i64>,
    /// What is no node and has a health: the recorder.
    watched: Vec<(String, HealthSource)>,
}

/// Bound of the queue: a step of the twin gives under 100 publications, the end of a pass a few more.
const QUEUE: usize = 65_536;
const DIAGNOSTICS_PERIOD_NS: i64 = 1_000_000_000;

impl Default for LocalHost {
    fn default() -> Self {
        Self::new()
    }
}

impl LocalHost {
    /// A host without nodes.
    pub fn new() -> Self {
        Self {
            slots: Vec::new(),
            pending: VecDeque::new(),
            now_ns: 0,
            next_diagnostics_ns: None,
            watched: Vec::new(),
        }
    }

    /// Adds a node. Nodes see a publication in the order in which they were added.
    pub fn add(&mut self, node: Box<dyn Node>) {
        let topics = node.subscriptions();
        self.slots.push(Slot { node, topics });
    }

    /// Tells on `/diagnostics` of something that is no node.
    pub fn watch(&mut self, name: &str, health: HealthSource) {
        self.watched.push((name.to_owned(), health));
    }

    /// Now by `/clock`, ns.
    pub fn now_ns(&self) -> i64 {
        self.now_ns
    }

    /// Names and health of the nodes and of what else is watched, in order.
    pub fn health(&self) -> Vec<(String, Health)> {
        let nodes = self.slots.iter().map(|s| (s.node.name().to_owned(), s.node.health()));
        nodes.chain(self.watched.iter().map(|(name, health)| (name.clone(), health()))).collect()
    }

    /// Advances the world by one step and works everything off that follows from it.
    pub fn step(
        &mut self,
        world: &mut dyn World,
        observers: &mut [&mut dyn Observer],
    ) -> Result<(), HostError> {
        let commands = world.command_topics();
        let mut sensed = Vec::new();
        world.step(&mut sensed);
        for publication in sensed {
            self.push(publication)?;
        }
        self.spin(observers, |p| {
            if commands.contains(&p.topic) {
                world.command(p);
            }
        })
    }

    /// Feeds one publication and works everything off that follows from it.
    pub fn feed(
        &mut self,
        publication: Publication,
        observers: &mut [&mut dyn Observer],
    ) -> Result<(), HostError> {
        self.push(publication)?;
        self.spin(observers, |_| ())
    }

    fn push(&mut self, publication: Publication) -> Result<(), HostError> {
        if self.pending.len() >= QUEUE {
            return Err(HostError::Flood { capacity: QUEUE, at_ns: self.now_ns, topic: publication.topic });
        }
        self.pending.push_back(publication);
        Ok(())
    }

    fn spin(
        &mut self,
        observers: &mut [&mut dyn Observer],
        mut tap: impl FnMut(&Publication),
    ) -> Result<(), HostError> {
        while let Some(publication) = self.pending.pop_front() {
            for observer in observers.iter_mut() {
                observer.observe(&publication).map_err(HostError::Observer)?;
            }
            tap(&publication);
            if let AnyMessage::Clock(clock) = &*publication.message {
                self.advance(clock.clock.to_ns())?;
            }
            for i in 0..self.slots.len() {
                if self.slots[i].topics.contains(&publication.topic) {
                    let mut out = Outbox::at(self.now_ns);
                    self.slots[i].node.on_message(&publication, &mut out);
                    self.queue(out)?;
                }
            }
        }
        Ok(())
    }

    fn advance(&mut self, now_ns: i64) -> Result<(), HostError> {
        self.now_ns = now_ns;
        for i in 0..self.slots.len() {
            let mut out = Outbox::at(now_ns);
            self.slots[i].node.on_time(&mut out);
            self.queue(out)?;
        }
        let due = *self.next_diagnostics_ns.get_or_insert(now_ns + DIAGNOSTICS_PERIOD_NS);
        if now_ns >= due {
            self.next_diagnostics_ns = Some(due + DIAGNOSTICS_PERIOD_NS);
            let mut out = Outbox::at(now_ns);
            out.publish(&Arc::from("/diagnostics"), self.diagnostics());
            self.queue(out)?;
        }
        Ok(())
    }

    fn queue(&mut self, out: Outbox) -> Result<(), HostError> {
        out.into_publications().into_iter().try_for_each(|p| self.push(p))
    }

    fn diagnostics(&self) -> DiagnosticArray {
        let status = |(name, health): (String, Health)| health.into_status(name, "");
        DiagnosticArray {
            header: Header::new(self.now_ns, ""),
            status: self.health().into_iter().map(status).collect(),
        }
    }
}
