//! What a node says on `/diagnostics` once a second: its own health, and how its messages fare.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use interfaces::diagnostic_msgs::{DiagnosticArray, DiagnosticStatus, KeyValue};
use interfaces::std_msgs::Header;

use super::lifecycle::State;
use super::worker::Shared;
use crate::node::{Health, Level};

/// Writes a node's reports.
pub struct Reporter {
    robot: String,
    node: String,
    /// As last known, while the node is at work.
    health: Health,
    sent_wrong: (u64, u64),
    sent: BTreeMap<Arc<str>, u64>,
    lost: u64,
}

impl Reporter {
    /// For a node of a robot.
    pub fn new(robot: &str, node: &str) -> Self {
        let node = node.trim_start_matches('/').to_owned();
        Self {
            robot: robot.into(),
            node,
            health: Health::default(),
            sent_wrong: (0, 0),
            sent: BTreeMap::new(),
            lost: 0,
        }
    }

    /// Whether the node is better or worse than the last report says: then the next one does not wait.
    pub fn is_old(&self, shared: &Shared) -> bool {
        let Some(work) = shared.try_work() else { return false };
        work.state == State::Active
            && work.node.as_ref().is_some_and(|n| n.health().level != self.health.level)
    }

    /// The report of now.
    pub fn report(&mut self, shared: &Shared, state: State) -> DiagnosticArray {
        if let Some(work) = shared.try_work() {
            self.health = work.node.as_ref().map_or_else(Health::default, |n| n.health());
            self.sent_wrong = (work.unsent, work.undeclared);
            self.sent.clone_from(&work.sent);
        }
        let mut own = if state == State::Active { self.health.clone() } else { Health::default() };
        if state != State::Active {
            state.label().clone_into(&mut own.summary);
        }
        own.values.insert(0, ("state", state.label().to_owned()));
        let status = vec![own.into_status(self.node.clone(), &self.robot), self.messages(shared)];
        DiagnosticArray { header: Header::new(shared.now_ns(), ""), status }
    }

    fn messages(&mut self, shared: &Shared) -> DiagnosticStatus {
        let mut values = Vec::new();
        let (mut lost, mut undecodable) = (0, 0);
        for (topic, c) in shared.queue.counts() {
            lost += c.dropped;
            undecodable += c.undecodable;
            for (what, count) in [
                ("received", c.received),
                ("dropped", c.dropped),
                ("undecodable", c.undecodable),
                ("ignored", c.ignored),
            ] {
                values.push(pair(format!("{topic} {what}"), &count));
            }
        }
        values.extend(self.sent.iter().map(|(topic, sent)| pair(format!("{topic} sent"), sent)));
        let clock_back = shared.clock_back.load(Ordering::Relaxed);
        let ages = shared.ages.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, share) in [("reads_age_p50_ms", 0.5), ("reads_age_p99_ms", 0.99)] {
            values.extend(ages.percentile_ms(share).map(|ms| pair(key.into(), &format!("{ms:.2}"))));
        }
        drop(ages);
        values.push(pair("waiting".into(), &shared.queue.len()));
        values.push(pair("clock_went_back".into(), &clock_back));
        values.push(pair("not_sent".into(), &self.sent_wrong.0));
        values.push(pair("on_undeclared_topics".into(), &self.sent_wrong.1));
        let (level, summary) = if lost > self.lost {
            (Level::Warn, format!("{} messages dropped in the last second", lost - self.lost))
        } else if undecodable + clock_back > 0 {
            (Level::Warn, format!("{undecodable} messages undecodable, {clock_back} clocks back in time"))
        } else {
            (Level::Ok, "ok".into())
        };
        self.lost = lost;
        let named = Health { level, summary, values: Vec::new() };
        DiagnosticStatus { values, ..named.into_status(format!("{} messages", self.node), &self.robot) }
    }
}

fn pair(key: String, value: &impl ToString) -> KeyValue {
    KeyValue { key, value: value.to_string() }
}
