//! What reports have told, gathered: trails, beliefs, coverage. Plain values, so that the window only has to draw them.

use std::collections::{BTreeMap, VecDeque};

use domain::Uid;
use interfaces::shelfwright_msgs::MissionState;

use super::live::{Belief, Report};
use super::scene::{Moment, Scene};

/// Points of a trail, and how far apart they are, m.
const TRAIL: usize = 4_000;
const TRAIL_STEP_M: f64 = 0.04;
/// Sparks kept, and how long they live, s.
const SPARKS: usize = 600;
const SPARK_S: f64 = 0.35;
/// A belief is right when the tag is no farther from where it is thought to be, m.
const RIGHT_M: f32 = 0.03;

/// A read that was just made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spark {
    pub at_s: f64,
    pub robot: usize,
    pub port: u8,
    /// Index into the scene's books.
    pub book: usize,
}

/// How a belief stands to the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Never read, or not yet located.
    Unknown,
    /// Right tier, right place.
    Right,
    /// Right tier, some centimetres off.
    Off,
    /// Another tier or another face.
    Wrong,
}

/// See the module's text.
pub(super) struct Memory {
    pub now: Moment,
    pub over: bool,
    pub factor: f64,
    pub total_reads: u64,
    pub reads_a_second: f64,
    pub mission: Option<MissionState>,
    pub charges: BTreeMap<usize, f32>,
    pub poses: BTreeMap<usize, [f64; 3]>,
    pub scans: BTreeMap<usize, (f32, f32, Vec<f32>)>,
    pub trails: Vec<VecDeque<[f64; 2]>>,
    pub sparks: VecDeque<Spark>,
    pub beliefs: BTreeMap<Uid, Belief>,
    pub verdicts: BTreeMap<Uid, u8>,
    /// Read probability by face, tier and bin: the bins of a tier and their width, m.
    pub coverage: BTreeMap<(String, u8), (f32, Vec<f32>)>,
    /// Counts what has changed the colours of books.
    pub changes: u64,
    books: BTreeMap<Uid, usize>,
    counted: VecDeque<(f64, u64)>,
}

impl Memory {
    /// Nothing heard yet.
    pub fn new(scene: &Scene) -> Self {
        Self {
            now: Moment::default(),
            over: false,
            factor: 0.0,
            total_reads: 0,
            reads_a_second: 0.0,
            mission: None,
            charges: BTreeMap::new(),
            poses: BTreeMap::new(),
            scans: BTreeMap::new(),
            trails: vec![VecDeque::new(); scene.robots.len()],
            sparks: VecDeque::new(),
            beliefs: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            coverage: BTreeMap::new(),
            changes: 0,
            books: scene.books.iter().enumerate().map(|(i, b)| (b.uid.clone(), i)).collect(),
            counted: VecDeque::new(),
        }
    }

    /// Takes note of where the books are in a scene.
    pub fn shelve(&mut self, scene: &Scene) {
        self.books = scene.books.iter().enumerate().map(|(i, b)| (b.uid.clone(), i)).collect();
        self.sparks.clear();
        self.changes += 1;
    }

    /// Adds a report.
    pub fn take(&mut self, report: Report) {
        let now_s = report.moment.now_s();
        for (trail, [x, y, _]) in self.trails.iter_mut().zip(&report.moment.robots) {
            let far = trail.back().is_none_or(|[a, b]| (a - x).hypot(b - y) > TRAIL_STEP_M);
            if far {
                trail.push_back([*x, *y]);
                if trail.len() > TRAIL {
                    trail.pop_front();
                }
            }
        }
        for (robot, port, uid) in &report.reads {
            if let Some(&book) = self.books.get(uid) {
                self.sparks.push_back(Spark { at_s: now_s, robot: *robot, port: *port, book });
            }
        }
        while self.sparks.len() > SPARKS || self.sparks.front().is_some_and(|s| now_s - s.at_s > SPARK_S) {
            self.sparks.pop_front();
        }
        self.counted.push_back((now_s, report.total_reads));
        while self.counted.len() > 2 && self.counted.front().is_some_and(|(t, _)| now_s - t > 1.0) {
            self.counted.pop_front();
        }
        if let (Some(a), Some(b)) = (self.counted.front(), self.counted.back())
            && b.0 > a.0
        {
            self.reads_a_second = b.1.saturating_sub(a.1) as f64 / (b.0 - a.0);
        }
        if !report.beliefs.is_empty() || !report.verdicts.is_empty() {
            self.changes += 1;
        }
        for (uid, belief) in report.beliefs {
            // A first guess does not replace the answer of a whole pass.
            let keep = self.beliefs.get(&uid).is_some_and(|b| b.final_word && !belief.final_word);
            if !keep {
                self.beliefs.insert(uid, belief);
            }
        }
        self.verdicts.extend(report.verdicts);
        for c in report.coverage {
            self.coverage.insert((c.face, c.tier), (c.bin_m, c.read_probability));
        }
        self.scans.extend(report.scans);
        self.poses.extend(report.poses);
        self.charges.extend(report.charges);
        self.mission = report.mission.or(self.mission.take());
        self.total_reads = report.total_reads;
        if report.factor > 0.0 {
            self.factor = report.factor;
        }
        self.over |= report.over;
        self.now = report.moment;
    }

    /// Nothing more will be told: what was seen last stays, but for what glows.
    pub fn end(&mut self) {
        self.over = true;
        self.sparks.clear();
    }

    /// How the belief about a book stands to the truth.
    pub fn standing(&self, scene: &Scene, book: usize) -> Standing {
        let b = &scene.books[book];
        let Some(belief) = self.beliefs.get(&b.uid) else { return Standing::Unknown };
        if belief.face != b.address.face.to_string() || belief.tier != b.address.tier {
            return Standing::Wrong;
        }
        let off = (belief.along_m - b.tag_along_m as f32).abs();
        if off <= RIGHT_M { Standing::Right } else { Standing::Off }
    }

    /// The auditor's verdict on a book, in words.
    pub fn verdict(&self, uid: &Uid) -> Option<&'static str> {
        use interfaces::shelfwright_msgs::ShelfError as E;
        Some(match *self.verdicts.get(uid)? {
            E::MISSING => "missing",
            E::MISPLACED_FLOOR => "on another floor",
            E::MISPLACED_ROW => "in another row",
            E::MISPLACED_BAY => "in another bay",
            E::MISPLACED_TIER => "on another tier",
            E::OUT_OF_ORDER => "out of order",
            E::NOT_IN_CATALOGUE => "not in the catalogue",
            E::ON_LOAN => "on loan, yet here",
            E::NOT_VERIFIED => "not verified",
            _ => return None,
        })
    }
}
