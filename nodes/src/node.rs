//! What a node is: subscriptions, one handler for messages, one for time, and its health.

use std::sync::Arc;

use interfaces::diagnostic_msgs::{DiagnosticStatus, KeyValue};
use interfaces::{AnyMessage, Publication};

/// A node: messages and time in, messages out. The same inputs in the same order give the same outputs.
pub trait Node: Send {
    /// Name without the robot's namespace, `locator`.
    fn name(&self) -> &str;

    /// Topics that it wants, in full (`/inv_1/reads`).
    fn subscriptions(&self) -> Vec<Arc<str>>;

    /// Topics that it publishes on, in full. Parts of actions are left out.
    fn publications(&self) -> Vec<Arc<str>> {
        Vec::new()
    }

    /// Whether it must hear results, too, that were published before it was there.
    fn wants_past(&self) -> bool {
        false
    }

    /// Takes parameters that can change while it runs, from the whole of its parameters.
    ///
    /// # Errors
    /// The reason why it keeps the old ones.
    fn retune(&mut self, parameters: &toml::Table) -> Result<(), String> {
        let _ = parameters;
        Err(format!("the {}'s parameters are read when it is made", self.name()))
    }

    /// One message on one of its topics. Malformed content is counted and named in [`Node::health`], never fatal.
    fn on_message(&mut self, input: &Publication, out: &mut Outbox);

    /// `/clock` has advanced to `out.now_ns()`. Called once per clock message, before the messages that follow it.
    fn on_time(&mut self, out: &mut Outbox) {
        let _ = out;
    }

    /// What a process that takes this one's place must know to go on, as messages, where that has changed since the last
    /// call. A host that restarts its nodes keeps it and hands it to [`Node::recall`].
    fn take_memory(&mut self) -> Option<Vec<Publication>> {
        None
    }

    /// Goes on from the memory of the process that was here before. Comes before all messages.
    fn recall(&mut self, memory: &[Publication]) {
        let _ = memory;
    }

    /// What `/diagnostics` says of this node.
    fn health(&self) -> Health {
        Health::default()
    }
}

/// Where a node puts what it publishes while it handles one input.
#[derive(Debug, Default)]
pub struct Outbox {
    now_ns: i64,
    publications: Vec<Publication>,
}

impl Outbox {
    /// An empty outbox at the given time, ns.
    pub fn at(now_ns: i64) -> Self {
        Self { now_ns, publications: Vec::new() }
    }

    /// Now, by `/clock`, ns.
    pub fn now_ns(&self) -> i64 {
        self.now_ns
    }

    /// Publishes a message on a topic, stamped now.
    pub fn publish(&mut self, topic: &Arc<str>, message: impl Into<AnyMessage>) {
        self.publications.push(Publication {
            topic: topic.clone(),
            stamp_ns: self.now_ns,
            message: Arc::new(message.into()),
        });
    }

    /// Publishes what another node has said.
    pub fn forward(&mut self, publication: Publication) {
        self.publications.push(publication);
    }

    /// What was published, in order.
    pub fn into_publications(self) -> Vec<Publication> {
        self.publications
    }
}

/// Levels of `diagnostic_msgs/DiagnosticStatus`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Works.
    #[default]
    Ok,
    /// Works, and something deserves a look.
    Warn,
    /// Does not do its work.
    Error,
    /// Waits for an input that has stopped.
    Stale,
}

/// A node's state for people, and the counters behind it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Health {
    /// How it is.
    pub level: Level,
    /// One line for people.
    pub summary: String,
    /// Named figures, in a fixed order.
    pub values: Vec<(&'static str, String)>,
}

impl Health {
    /// As `/diagnostics` carries it.
    pub fn into_status(self, name: String, hardware_id: &str) -> DiagnosticStatus {
        DiagnosticStatus {
            level: match self.level {
                Level::Ok => DiagnosticStatus::OK,
                Level::Warn => DiagnosticStatus::WARN,
                Level::Error => DiagnosticStatus::ERROR,
                Level::Stale => DiagnosticStatus::STALE,
            },
            name,
            message: self.summary,
            hardware_id: hardware_id.to_owned(),
            values: self
                .values
                .into_iter()
                .map(|(key, value)| KeyValue { key: key.to_owned(), value })
                .collect(),
        }
    }
}
