//! What to send next, and what an answer means: the outbox as a state machine over time, without I/O.
//!
//! Each run is a lane, delivered in order: while its first entry waits, the run waits. What is the platform's
//! trouble (down, overloaded, credentials refused) closes the gate for all lanes; what is one entry's trouble
//! holds or parks that entry alone.

use std::collections::{BTreeMap, VecDeque};

use sha2::{Digest, Sha256};

const SECOND_NS: i64 = 1_000_000_000;

/// When to try again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Wait after the first failure, ns. Default 1 s: a restart of the platform is over soon.
    pub first_ns: i64,
    /// Longest wait, ns. Default 10 min: results are there soon after a night's outage.
    pub longest_ns: i64,
    /// Longest `Retry-After` that is honoured, ns. Default 24 h: more is taken for a mistake.
    pub longest_retry_after_ns: i64,
    /// Times that an entry may be answered 409 (the same key is being worked on) before it is parked.
    /// Default 8, about two minutes.
    pub conflicts: u32,
    /// Seed of the jitter, so that many bridges do not knock at the same moment, and tests can repeat.
    pub seed: u64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            first_ns: SECOND_NS,
            longest_ns: 600 * SECOND_NS,
            longest_retry_after_ns: 24 * 3600 * SECOND_NS,
            conflicts: 8,
            seed: 0,
        }
    }
}

impl RetryPolicy {
    /// The wait after failure number `failures` (from 1) of `key`, ns: doubled each time up to the longest,
    /// of which a random half is taken off ("equal jitter").
    pub fn wait_ns(&self, key: &str, failures: u32) -> i64 {
        let doublings = failures.saturating_sub(1).min(62);
        let full = self.first_ns.max(1).saturating_mul(1i64 << doublings).clamp(1, self.longest_ns.max(1));
        let hash = Sha256::digest(format!("{}/{key}/{failures}", self.seed).as_bytes());
        let part = u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]);
        let half = full / 2;
        half + (i128::from(full - half) * i128::from(part) / i128::from(u32::MAX)) as i64
    }
}

/// One event to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Place in the outbox; grows.
    pub seq: i64,
    /// Idempotency key, the same on every attempt.
    pub key: String,
    /// Lane.
    pub run: String,
    /// The event as JSON.
    pub body: String,
    /// Failed attempts so far that were its own fault, not the platform's.
    pub attempts: u32,
    /// Not to be sent before, ns of the clock given to [`Outbox::next`].
    pub not_before_ns: i64,
}

/// What came back from an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The platform answered.
    Status {
        /// HTTP status.
        code: u16,
        /// `Retry-After` as a wait from now, ns.
        retry_after_ns: Option<i64>,
        /// First part of the body, for the reason.
        detail: String,
    },
    /// No answer: no connection, a time-out, a cut. The platform may have taken the event all the same.
    Lost(String),
}

/// What became of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The platform has it.
    Delivered,
    /// Again later, with the same key.
    Retry {
        /// Not before, ns.
        not_before_ns: i64,
        /// Why.
        reason: String,
        /// Whether it counts against this entry, and not only against the platform.
        counted: bool,
    },
    /// It cannot succeed as it is; parked where staff see it.
    Dead {
        /// Why.
        reason: String,
    },
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next<'a> {
    /// Send this one.
    Send(&'a Entry),
    /// Nothing is due before this time, ns.
    Wait(i64),
    /// Nothing is held; offer more.
    Empty,
}

/// The state machine.
#[derive(Debug, Default)]
pub struct Outbox {
    policy: RetryPolicy,
    lanes: BTreeMap<String, VecDeque<Entry>>,
    gate_ns: i64,
    gate_failures: u32,
}

impl Outbox {
    /// An empty outbox.
    pub fn new(policy: RetryPolicy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// Adds an entry behind those of its run; one that is held already is ignored. Entries of a run must be
    /// offered in the order of `seq`. A wait further away than any that this policy sets (the clock was
    /// turned back) is shortened.
    pub fn offer(&mut self, mut entry: Entry, now_ns: i64) {
        let lane = self.lanes.entry(entry.run.clone()).or_default();
        if lane.back().is_none_or(|last| last.seq < entry.seq) {
            let longest = self.policy.longest_ns.max(self.policy.longest_retry_after_ns);
            entry.not_before_ns = entry.not_before_ns.min(now_ns.saturating_add(longest));
            lane.push_back(entry);
        }
    }

    /// Entries held.
    pub fn len(&self) -> usize {
        self.lanes.values().map(VecDeque::len).sum()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// The oldest entry that is due, first in its run; or when there will be one.
    pub fn next(&self, now_ns: i64) -> Next<'_> {
        let heads = || self.lanes.values().filter_map(VecDeque::front);
        let due_ns = |e: &Entry| e.not_before_ns.max(self.gate_ns);
        match heads().filter(|e| due_ns(e) <= now_ns).min_by_key(|e| e.seq) {
            Some(entry) => Next::Send(entry),
            None => heads().map(due_ns).min().map_or(Next::Empty, Next::Wait),
        }
    }

    /// Takes the answer to the entry that was sent, and says what became of it; `None` when it is not held.
    pub fn answered(&mut self, seq: i64, answer: &Answer, now_ns: i64) -> Option<Outcome> {
        let run = self.lanes.iter().find(|(_, l)| l.front().is_some_and(|e| e.seq == seq))?.0.clone();
        let (key, failures) = self.lanes[&run].front().map(|e| (e.key.clone(), e.attempts + 1))?;
        let outcome = match verdict(answer, failures, self.policy.conflicts) {
            Verdict::Taken => {
                self.open_gate();
                Outcome::Delivered
            }
            Verdict::Refused(reason) => {
                self.open_gate();
                Outcome::Dead { reason }
            }
            Verdict::Later { retry_after_ns, reason } => {
                self.open_gate();
                let wait = self.wait_ns(&key, failures, retry_after_ns);
                Outcome::Retry { not_before_ns: now_ns.saturating_add(wait), reason, counted: true }
            }
            Verdict::Closed { retry_after_ns, reason } => {
                self.gate_failures = self.gate_failures.saturating_add(1);
                let wait = self.wait_ns(&key, self.gate_failures, retry_after_ns);
                self.gate_ns = now_ns.saturating_add(wait);
                Outcome::Retry { not_before_ns: self.gate_ns, reason, counted: false }
            }
        };
        let lane = self.lanes.get_mut(&run)?;
        match &outcome {
            Outcome::Retry { not_before_ns, counted, .. } => {
                let entry = lane.front_mut()?;
                entry.attempts += u32::from(*counted);
                entry.not_before_ns = *not_before_ns;
            }
            Outcome::Delivered | Outcome::Dead { .. } => {
                lane.pop_front();
                if lane.is_empty() {
                    self.lanes.remove(&run);
                }
            }
        }
        Some(outcome)
    }

    fn open_gate(&mut self) {
        self.gate_failures = 0;
        self.gate_ns = i64::MIN;
    }

    fn wait_ns(&self, key: &str, failures: u32, retry_after_ns: Option<i64>) -> i64 {
        let asked = retry_after_ns.unwrap_or(0).clamp(0, self.policy.longest_retry_after_ns.max(0));
        self.policy.wait_ns(key, failures).max(asked)
    }
}

enum Verdict {
    Taken,
    Refused(String),
    Later { retry_after_ns: Option<i64>, reason: String },
    Closed { retry_after_ns: Option<i64>, reason: String },
}

fn verdict(answer: &Answer, failures: u32, conflicts: u32) -> Verdict {
    let (code, retry_after_ns, detail) = match answer {
        Answer::Lost(reason) => {
            return Verdict::Closed { retry_after_ns: None, reason: reason.clone() };
        }
        Answer::Status { code, retry_after_ns, detail } => (*code, *retry_after_ns, detail),
    };
    let reason = if detail.is_empty() { format!("HTTP {code}") } else { format!("HTTP {code}: {detail}") };
    match code {
        200..=299 => Verdict::Taken,
        // The platform as a whole cannot or will not: overload, gateway, credentials, a wrong address, a
        // redirect (never followed with results in hand). Events stay whole until somebody mends it.
        300..=399 | 401..=405 | 407 | 410 | 429 | 502..=504 => Verdict::Closed { retry_after_ns, reason },
        // 409: the same key is being worked on just now (draft-ietf-httpapi-idempotency-key-header).
        409 if failures >= conflicts => Verdict::Refused(reason),
        // This event met a fault that may pass.
        408 | 409 | 423 | 425 | 500..=599 => Verdict::Later { retry_after_ns, reason },
        // 400, 413, 415, 422 and the like: this event will never be taken as it is.
        _ => Verdict::Refused(reason),
    }
}
