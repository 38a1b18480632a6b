//! Between a running simulation and a window: reports go one way through a bounded channel, wishes come the other way.
//! The simulation never waits for the window; what does not fit is told with the next report.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use domain::Uid;
use interfaces::shelfwright_msgs::{Coverage, MissionState, Sighting};
use interfaces::{AnyMessage, Publication};

use super::scene::{Moment, Scene};
use crate::{STEP_NS, Twin};

/// Reports that wait for the window at most.
const WAITING: usize = 2;
/// Time between reports, as pictures need them.
const EVERY: Duration = Duration::from_millis(15);
/// Reads that one report carries at most; sparks beyond that nobody could see.
const READS: usize = 400;
/// While it is paused the simulation looks so often whether it may go on.
const NAP: Duration = Duration::from_millis(5);

/// What the person at the window wants of the simulation.
#[derive(Debug)]
pub struct Wishes {
    paused: AtomicBool,
    steps: AtomicI64,
    /// Simulated seconds a second, as bits; 0 is as fast as possible.
    speed: AtomicU64,
    closed: AtomicBool,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            paused: AtomicBool::new(false),
            steps: AtomicI64::new(0),
            speed: AtomicU64::new(1.0f64.to_bits()),
            closed: AtomicBool::new(false),
        }
    }
}

impl Wishes {
    /// Whether the simulation stands.
    pub fn paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }

    /// Stops the simulation, or lets it go on.
    pub fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::Relaxed);
    }

    /// Lets a simulation that stands take some steps.
    pub fn step(&self, steps: i64) {
        self.steps.fetch_add(steps, Ordering::Relaxed);
    }

    /// Simulated seconds a second; 0 is as fast as possible.
    pub fn speed(&self) -> f64 {
        f64::from_bits(self.speed.load(Ordering::Relaxed))
    }

    /// Sets the speed.
    pub fn set_speed(&self, speed: f64) {
        self.speed.store(speed.to_bits(), Ordering::Relaxed);
    }

    /// Whether the window is gone.
    pub fn closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Tells the simulation that nobody watches any more.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }
}

/// Where the robots think that a book stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Belief {
    /// Row face, `1F/R01A`.
    pub face: String,
    /// Along the face, m, and its standard deviation.
    pub along_m: f32,
    /// Standard deviation along the face, m.
    pub std_m: f32,
    /// The likeliest tier, from 1, and how likely it is.
    pub tier: u8,
    /// Probability of that tier.
    pub tier_probability: f32,
    /// Reads that it rests on.
    pub reads: u32,
    /// From the whole pass, and no first guess.
    pub final_word: bool,
}

/// What the window is told.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Where everything is.
    pub moment: Moment,
    /// The floor with its books, where some were moved.
    pub scene: Option<Arc<Scene>>,
    /// Tags read since the last report: robot, antenna port and tag.
    pub reads: Vec<(usize, u8, Uid)>,
    /// The newest lidar turn of each robot: first angle and step in the laser's frame, rad, and ranges, m.
    pub scans: BTreeMap<usize, (f32, f32, Vec<f32>)>,
    /// Where each robot takes itself to be on the map.
    pub poses: BTreeMap<usize, [f64; 3]>,
    /// Charge of the batteries, 0 to 1.
    pub charges: BTreeMap<usize, f32>,
    /// Beliefs that are new.
    pub beliefs: BTreeMap<Uid, Belief>,
    /// Coverage of tiers that is new.
    pub coverage: Vec<Coverage>,
    /// Verdicts of the auditor that are new: number of the kind of error.
    pub verdicts: BTreeMap<Uid, u8>,
    /// What the first robot's mission is about.
    pub mission: Option<MissionState>,
    /// Reads since the start.
    pub total_reads: u64,
    /// Simulated seconds a second, of late.
    pub factor: f64,
    /// The mission is over.
    pub over: bool,
}

/// The simulation's end.
pub struct Teller {
    names: Vec<String>,
    reports: SyncSender<Report>,
    wishes: Arc<Wishes>,
    next: Report,
    told: Instant,
    /// Wall time and simulated time at which the present speed began.
    since: (Instant, i64, f64),
    /// Wall time and simulated time a while ago, for the real-time factor.
    while_ago: (Instant, i64),
    /// Whether the run is to end for another reason than the window's.
    interrupted: fn() -> bool,
    /// How often a book had been moved when the window was told of the books.
    books_moved: usize,
}

/// The window's end.
pub struct Listener {
    /// Reports, the oldest first.
    pub reports: Receiver<Report>,
    /// Wishes.
    pub wishes: Arc<Wishes>,
    /// Whether the window is to close for another reason than the person's.
    pub interrupted: fn() -> bool,
}

/// Both ends, for a twin. `interrupted` tells whether the program is to end, though the simulation may be paused or over.
pub fn channel(twin: &Twin, interrupted: fn() -> bool) -> (Teller, Listener) {
    let (send, reports) = sync_channel(WAITING);
    let wishes = Arc::new(Wishes::default());
    let now = Instant::now();
    let teller = Teller {
        names: twin.robots().map(|r| format!("/{}/", r.name)).collect(),
        reports: send,
        wishes: wishes.clone(),
        next: Report::default(),
        told: now,
        since: (now, twin.now_ns(), f64::NAN),
        while_ago: (now, twin.now_ns()),
        interrupted,
        books_moved: twin.books_moved(),
    };
    (teller, Listener { reports, wishes, interrupted })
}

impl Teller {
    /// Takes note of a publication.
    pub fn hear(&mut self, p: &Publication) {
        let Some(robot) = self.names.iter().position(|n| p.topic.starts_with(n.as_str())) else {
            if let AnyMessage::ShelfErrors(m) = &*p.message {
                let kinds = m.errors.iter().filter_map(|e| Some((Uid::new(&e.item.uid).ok()?, e.kind)));
                self.next.verdicts.extend(kinds);
            }
            return;
        };
        let next = &mut self.next;
        match &*p.message {
            AnyMessage::TagRead(m) => {
                next.total_reads += 1;
                if next.reads.len() < READS
                    && let Ok(uid) = Uid::new(&m.uid)
                {
                    next.reads.push((robot, m.antenna, uid));
                }
            }
            AnyMessage::LaserScan(m) => {
                next.scans.insert(robot, (m.angle_min, m.angle_increment, m.ranges.clone()));
            }
            AnyMessage::PoseWithCovarianceStamped(m) => {
                let (at, q) = (&m.pose.pose.position, &m.pose.pose.orientation);
                next.poses.insert(robot, [at.x, at.y, 2.0 * libm::atan2(q.z, q.w)]);
            }
            AnyMessage::BatteryState(m) => {
                next.charges.insert(robot, m.percentage);
            }
            AnyMessage::Sightings(m) => {
                let final_word = p.is_called("sightings");
                for s in &m.sightings {
                    if let Ok(uid) = Uid::new(&s.uid) {
                        next.beliefs.insert(uid, belief(s, final_word));
                    }
                }
            }
            AnyMessage::Coverage(m) => next.coverage.push(m.clone()),
            AnyMessage::MissionState(m) if robot == 0 => next.mission = Some(m.clone()),
            _ => {}
        }
    }

    /// After a step: tells what there is to tell, then waits as the window's speed wants it. False when the window is gone.
    pub fn tell(&mut self, twin: &Twin) -> bool {
        if self.told.elapsed() >= EVERY {
            self.send(twin, false);
        }
        self.pace(twin);
        !self.wishes.closed()
    }

    /// The last word: the mission is over.
    pub fn finish(&mut self, twin: &Twin) {
        self.send(twin, true);
    }

    fn send(&mut self, twin: &Twin, over: bool) {
        self.told = Instant::now();
        let (then, then_ns) = self.while_ago;
        let wall = then.elapsed().as_secs_f64();
        if wall > 0.5 {
            self.next.factor = (twin.now_ns() - then_ns) as f64 * 1e-9 / wall;
            self.while_ago = (Instant::now(), twin.now_ns());
        }
        self.next.moment = Moment::of(twin);
        if self.books_moved != twin.books_moved() {
            self.books_moved = twin.books_moved();
            self.next.scene = Some(Arc::new(Scene::of(twin)));
        }
        self.next.over |= over;
        let (total_reads, factor) = (self.next.total_reads, self.next.factor);
        match self.reports.try_send(std::mem::take(&mut self.next)) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => {
                self.next = Report { total_reads, factor, ..Report::default() };
            }
            // The window is behind: it gets this with what comes next.
            Err(TrySendError::Full(report)) => self.next = report,
        }
    }

    fn pace(&mut self, twin: &Twin) {
        let wishes = self.wishes.clone();
        if wishes.paused() {
            self.send(twin, false);
            while wishes.paused() && !wishes.closed() && !(self.interrupted)() {
                if wishes.steps.load(Ordering::Relaxed) > 0 {
                    wishes.steps.fetch_sub(1, Ordering::Relaxed);
                    return;
                }
                std::thread::sleep(NAP);
            }
            self.while_ago = (Instant::now(), twin.now_ns());
            self.since.2 = f64::NAN;
        }
        let speed = wishes.speed();
        if self.since.2 != speed {
            self.since = (Instant::now(), twin.now_ns(), speed);
        }
        if speed > 0.0 {
            let due = (twin.now_ns() - self.since.1) as f64 * 1e-9 / speed;
            let ahead = due - self.since.0.elapsed().as_secs_f64();
            if ahead > 0.002 {
                std::thread::sleep(Duration::from_secs_f64(ahead.min(0.1)));
            } else if ahead < -0.25 {
                // Too slow for this speed: what is lost is not made up for by a rush.
                self.since = (Instant::now(), twin.now_ns() + STEP_NS, speed);
            }
        }
    }
}

fn belief(s: &Sighting, final_word: bool) -> Belief {
    let likeliest = s.tier_probability.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    let (tier, tier_probability) = likeliest.map_or((0, f32::NAN), |(i, p)| (i as u8 + 1, *p));
    Belief {
        face: s.face.clone(),
        along_m: s.along_m,
        std_m: s.along_std_m,
        tier,
        tier_probability,
        reads: s.reads,
        final_word,
    }
}
