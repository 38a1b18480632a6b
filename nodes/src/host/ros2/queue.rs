//! The bounded queue between a ROS node's spin thread and its worker. Every topic has a drop policy and counters.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use interfaces::Publication;

/// What gives way when the queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropPolicy {
    /// The oldest message of the same topic: for streams, where the newest is worth most.
    Oldest,
    /// The message that has just come: where each one is a result of work.
    Newest,
}

/// What waits for the node.
#[derive(Debug)]
pub enum Item {
    /// A message as it came from the network.
    Raw {
        /// Topic that the node knows it under.
        topic: Arc<str>,
        /// Its type.
        type_name: &'static str,
        /// CDR with its header.
        bytes: Vec<u8>,
    },
    /// A message of the host's own, for example of an action.
    Ready(Publication),
}

impl Item {
    fn topic(&self) -> &Arc<str> {
        match self {
            Self::Raw { topic, .. } => topic,
            Self::Ready(publication) => &publication.topic,
        }
    }
}

/// Counters of one topic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Messages that came.
    pub received: u64,
    /// Messages that were dropped because the queue was full.
    pub dropped: u64,
    /// Messages whose bytes are not of the topic's type.
    pub undecodable: u64,
    /// Messages that came while the node was not active.
    pub ignored: u64,
}

#[derive(Default)]
struct Inner {
    items: VecDeque<Item>,
    counts: BTreeMap<Arc<str>, Count>,
    closed: bool,
}

/// A bounded queue of messages.
pub struct Queue {
    inner: Mutex<Inner>,
    ready: Condvar,
    capacity: usize,
}

impl Queue {
    /// A queue of so many messages.
    pub fn new(capacity: usize) -> Self {
        Self { inner: Mutex::default(), ready: Condvar::new(), capacity }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere leaves the queue as it is: whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message at the end, or drops one by the policy and counts it.
    pub fn push(&self, item: Item, policy: DropPolicy) {
        let mut inner = self.lock();
        let full = inner.items.len() >= self.capacity;
        let topic = item.topic().clone();
        let oldest = || inner.items.iter().position(|i| *i.topic() == topic);
        let gives_way = if full && policy == DropPolicy::Oldest { oldest() } else { None };
        if let Some(index) = gives_way {
            inner.items.remove(index);
        }
        let count = inner.counts.entry(topic).or_default();
        count.received += 1;
        count.dropped += u64::from(full);
        if !full || gives_way.is_some() {
            inner.items.push_back(item);
            self.ready.notify_one();
        }
    }

    /// The next message; waits for one at most so long.
    pub fn pop(&self, patience: Duration) -> Option<Item> {
        let inner = self.lock();
        let waited = self
            .ready
            .wait_timeout_while(inner, patience, |i| i.items.is_empty() && !i.closed)
            .unwrap_or_else(PoisonError::into_inner);
        let mut inner = waited.0;
        inner.items.pop_front()
    }

    /// Counts something about a topic.
    pub fn count(&self, topic: &Arc<str>, change: impl FnOnce(&mut Count)) {
        change(self.lock().counts.entry(topic.clone()).or_default());
    }

    /// Counters by topic.
    pub fn counts(&self) -> Vec<(Arc<str>, Count)> {
        self.lock().counts.iter().map(|(topic, count)| (topic.clone(), *count)).collect()
    }

    /// Messages that wait.
    pub fn len(&self) -> usize {
        self.lock().items.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Wakes whoever waits, for good.
    pub fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(topic: &str, byte: u8) -> Item {
        Item::Raw { topic: topic.into(), type_name: "std_msgs/msg/Empty", bytes: vec![byte] }
    }

    fn bytes(queue: &Queue) -> Vec<u8> {
        std::iter::from_fn(|| queue.pop(Duration::ZERO))
            .map(|i| match i {
                Item::Raw { bytes, .. } => bytes[0],
                Item::Ready(_) => 0,
            })
            .collect()
    }

    #[test]
    fn a_full_queue_drops_by_policy_and_counts_every_message() {
        let queue = Queue::new(3);
        for (topic, byte) in [("/scan", 1), ("/reads", 2), ("/reads", 3)] {
            queue.push(item(topic, byte), DropPolicy::Newest);
        }
        queue.push(item("/reads", 4), DropPolicy::Newest);
        queue.push(item("/scan", 5), DropPolicy::Oldest);
        // None of its own topic waits: it has to give way itself.
        queue.push(item("/odom", 6), DropPolicy::Oldest);
        assert_eq!(bytes(&queue), [2, 3, 5]);
        let counts: Vec<(u64, u64)> = queue.counts().iter().map(|(_, c)| (c.received, c.dropped)).collect();
        assert_eq!(counts, [(1, 1), (3, 1), (2, 1)]);
    }
}
