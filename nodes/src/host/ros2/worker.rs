//! Where a node does its work: one thread that hands it messages and time, and publishes what it says.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use interfaces::{AnyMessage, Publication};
use r2r::PublisherUntyped;
use toml::Table;

use super::actions::is_part;
use super::lifecycle::State;
use super::qos::{self, Carriage};
use super::queue::{Item, Queue};
use crate::node::{Node, Outbox};

/// Makes a node for the robot of that name, with its parameters.
pub type Make = Box<dyn Fn(&str, &Table) -> Result<Box<dyn Node>, String> + Send>;

/// Some seconds of all sensors.
const QUEUE: usize = 16_384;
/// Without `/clock`, a node is told the time this often: half the navigator's period.
const TICK: Duration = Duration::from_millis(10);
/// `/clock` going back by more is a new run, by less a message that came late.
const NEW_RUN_NS: i64 = 1_000_000_000;
/// Messages of one transient-local topic that are kept for a node that is made later.
const LATCHED: usize = 10;

/// The node and what belongs to it, behind one lock.
pub struct Work {
    /// From configured to cleaned up.
    pub node: Option<Box<dyn Node>>,
    /// Where it is in its life.
    pub state: State,
    /// Makes the node.
    pub make: Make,
    /// Name of its robot.
    pub robot: String,
    /// Parameters that it was made with.
    pub table: Table,
    /// Where it may publish.
    pub publishers: BTreeMap<Arc<str>, PublisherUntyped>,
    /// Messages on topics that no publisher is declared for.
    pub undeclared: u64,
    /// Messages that ROS did not take.
    pub unsent: u64,
    /// Messages that were sent, by topic: with a peer's counters they tell what was lost on the way.
    pub sent: BTreeMap<Arc<str>, u64>,
    /// What was kept of this node is of a run that is over.
    pub forget: bool,
    /// What late listeners need, oldest first: for a node that is made later, or not active yet.
    pub latched: Vec<Publication>,
    /// How many of the newest of them the node has not heard.
    pub unheard: usize,
}

impl Work {
    fn keep(&mut self, publication: Publication) {
        let same = |p: &&Publication| p.topic == publication.topic;
        if self.latched.iter().filter(same).count() >= LATCHED
            && let Some(oldest) = self.latched.iter().position(|p| p.topic == publication.topic)
        {
            self.latched.remove(oldest);
        }
        self.latched.push(publication);
    }
}

/// What spin thread and worker share.
pub struct Shared {
    /// Messages for the node.
    pub queue: Queue,
    /// Messages of actions from the node; the spin thread passes them on.
    pub actions: Mutex<Vec<Publication>>,
    /// Whether `/clock` gives the time.
    pub simulated: AtomicBool,
    /// Clock messages that went back in time.
    pub clock_back: AtomicU64,
    /// How old reads were when they were handled.
    pub ages: Mutex<Ages>,
    now_ns: AtomicI64,
    work: Mutex<Work>,
}

/// The newest ages of a kind of message, for percentiles.
#[derive(Default)]
pub struct Ages {
    newest: VecDeque<i64>,
}

impl Ages {
    const KEPT: usize = 4_096;

    fn add(&mut self, age_ns: i64) {
        if self.newest.len() >= Self::KEPT {
            self.newest.pop_front();
        }
        self.newest.push_back(age_ns);
    }

    /// Age that this share does not exceed, ms; `None` before the first.
    pub fn percentile_ms(&self, share: f64) -> Option<f64> {
        let mut sorted: Vec<i64> = self.newest.iter().copied().collect();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        sorted.get((share * last as f64).round() as usize).map(|ns| *ns as f64 * 1e-6)
    }
}

impl Shared {
    /// For a node that is not made yet.
    pub fn new(work: Work) -> Self {
        Self {
            queue: Queue::new(QUEUE),
            actions: Mutex::default(),
            simulated: AtomicBool::new(false),
            clock_back: AtomicU64::new(0),
            ages: Mutex::default(),
            now_ns: AtomicI64::new(0),
            work: Mutex::new(work),
        }
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        // After a panic in the node the process ends; until then its state is only reported.
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The node's side, unless it is at work right now.
    pub fn try_work(&self) -> Option<MutexGuard<'_, Work>> {
        self.work.try_lock().ok()
    }

    /// The time that the node knows, ns.
    pub fn now_ns(&self) -> i64 {
        if self.simulated.load(Ordering::Relaxed) { self.now_ns.load(Ordering::Relaxed) } else { wall_ns() }
    }

    /// Works until told to stop.
    pub fn run(&self, stop: &AtomicBool) {
        let mut due = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            let patience = due.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            if let Some(item) = self.queue.pop(patience) {
                self.handle(item);
            }
            let now = Instant::now();
            if now >= due {
                due = (due + TICK).max(now);
                if !self.simulated.load(Ordering::Relaxed) {
                    self.tick(wall_ns());
                }
            }
        }
    }

    fn handle(&self, item: Item) {
        let mut publication = match item {
            Item::Ready(publication) => publication,
            Item::Raw { topic, type_name, bytes } => match AnyMessage::from_cdr(type_name, &bytes) {
                Ok(message) => Publication { topic, stamp_ns: 0, message: Arc::new(message) },
                Err(error) => {
                    tracing::warn!(%topic, %error, "a message was left out");
                    self.queue.count(&topic, |c| c.undecodable += 1);
                    return;
                }
            },
        };
        if let AnyMessage::Clock(clock) = &*publication.message {
            self.advance(clock.clock.to_ns());
            return;
        }
        publication.stamp_ns = self.now_ns();
        if let AnyMessage::TagRead(read) = &*publication.message {
            let age = publication.stamp_ns - read.header.stamp.to_ns();
            self.ages.lock().unwrap_or_else(PoisonError::into_inner).add(age);
        }
        let mut work = self.work();
        let latched = qos::topic(&publication.topic).is_some_and(|t| t.carriage == Carriage::Latched);
        if latched {
            work.keep(publication.clone());
        }
        if work.state == State::Active {
            self.deliver(&mut work, &publication);
        } else if latched {
            work.unheard = (work.unheard + 1).min(work.latched.len());
        } else {
            drop(work);
            self.queue.count(&publication.topic, |c| c.ignored += 1);
        }
    }

    /// Hands the node what it missed before it was active.
    pub fn catch_up(&self, work: &mut Work) {
        let from = work.latched.len() - std::mem::take(&mut work.unheard);
        let unheard = work.latched.split_off(from);
        for publication in &unheard {
            self.deliver(work, publication);
        }
        work.latched.extend(unheard);
    }

    fn deliver(&self, work: &mut Work, publication: &Publication) {
        let mut out = Outbox::at(publication.stamp_ns.max(self.now_ns()));
        if let Some(node) = &mut work.node {
            node.on_message(publication, &mut out);
        }
        self.publish(work, out);
    }

    fn advance(&self, now_ns: i64) {
        if !self.simulated.load(Ordering::Relaxed) {
            return;
        }
        let before = self.now_ns.load(Ordering::Relaxed);
        if now_ns < before {
            self.clock_back.fetch_add(1, Ordering::Relaxed);
            if before - now_ns <= NEW_RUN_NS {
                return;
            }
            tracing::warn!(before, now_ns, "/clock has gone back: the node begins anew");
            let mut work = self.work();
            work.forget = true;
            if work.node.is_some() {
                match (work.make)(&work.robot, &work.table) {
                    Ok(node) => work.node = Some(node),
                    Err(error) => tracing::error!(%error, "the node was not made anew"),
                }
            }
            // How the robot is built holds on; the rest is of the run that is over.
            work.latched.retain(|p| p.is_called("tf_static"));
            work.unheard = work.latched.len();
            self.now_ns.store(now_ns, Ordering::Relaxed);
            if work.state == State::Active {
                self.catch_up(&mut work);
            }
        }
        self.now_ns.store(now_ns, Ordering::Relaxed);
        self.tick(now_ns);
    }

    fn tick(&self, now_ns: i64) {
        let mut work = self.work();
        if work.state == State::Active {
            let mut out = Outbox::at(now_ns);
            if let Some(node) = &mut work.node {
                node.on_time(&mut out);
            }
            self.publish(&mut work, out);
        }
    }

    fn publish(&self, work: &mut Work, out: Outbox) {
        for publication in out.into_publications() {
            if is_part(&publication.topic) {
                self.actions.lock().unwrap_or_else(PoisonError::into_inner).push(publication);
            } else if let Some(publisher) = work.publishers.get(&publication.topic) {
                match publisher.publish_raw(&publication.message.to_cdr()) {
                    Ok(()) => *work.sent.entry(publication.topic).or_default() += 1,
                    Err(error) => {
                        tracing::debug!(topic = %publication.topic, %error, "a message was not sent");
                        work.unsent += 1;
                    }
                }
            } else {
                if work.undeclared == 0 {
                    tracing::error!(topic = %publication.topic, "the node declares no such publication");
                }
                work.undeclared += 1;
            }
        }
    }
}

/// Now by the machine's clock, ns since 1970.
fn wall_ns() -> i64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX))
}
