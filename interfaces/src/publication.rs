//! A message on its way: what twin, nodes and bags exchange.

use std::sync::Arc;

use crate::AnyMessage;

/// A message with its topic and the time at which it was published. Cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct Publication {
    /// Full topic name, `/inv_1/scan`.
    pub topic: Arc<str>,
    /// When it was published, ns.
    pub stamp_ns: i64,
    /// The message.
    pub message: Arc<AnyMessage>,
}

impl Publication {
    /// Whether its topic's name, without the namespace, is this one: `/inv_1/scan` is called `scan`.
    pub fn is_called(&self, name: &str) -> bool {
        self.topic.rsplit('/').next() == Some(name)
    }

    /// Puts a message on a topic.
    pub fn new(topic: impl Into<Arc<str>>, stamp_ns: i64, message: impl Into<AnyMessage>) -> Self {
        Self { topic: topic.into(), stamp_ns, message: Arc::new(message.into()) }
    }
}
