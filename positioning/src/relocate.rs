//! Finding a robot that is lost for good (switched on elsewhere, carried off): several places at once, until one is left.
//!
//! Aisles look alike, so one scan seldom tells the place. All places of the floor that fit it are kept as candidates
//! and carried along with the robot's motion; what each next scan does not bear out is dropped (Monte Carlo
//! localization, Thrun, Burgard, Fox, ch. 8.3, with a list in place of samples, so that the result hangs on nothing
//! random). A beam that would have gone through a shelf tells more than ten that end near one: people shorten beams,
//! nothing makes them longer.

use nalgebra::{Matrix3, Vector3};

use crate::beam_check::{CHECK_BEAMS, Check, Sight};
use crate::floor_map::FloorMap;
use crate::pose::{Pose2, wrap_angle};
use crate::scan_match::{BODY_M, closeness, normal};

/// Steps of the search over the floor.
const STEP_M: f64 = 0.2;
const STEP_RAD: f64 = 4.0 * std::f64::consts::PI / 180.0;
/// A beam's end counts up to this far from an obstacle while searching, m.
const KERNEL_M: f64 = 0.35;
/// Beams that the search looks at.
const SEARCH_BEAMS: usize = 40;
/// Most places kept after a search.
const MOST: usize = 40;
/// Places nearer than this are one, m and radians.
const SAME_M: f64 = 0.3;
const SAME_RAD: f64 = 0.2;
/// Way between two scans that count, m or a turn of this, radians: beams of one place err alike.
const EACH_M: f64 = 0.1;
const EACH_RAD: f64 = 0.15;
/// How far a push moves and turns a robot at most, m and radians.
pub(crate) const PUSHED_M: f64 = 0.5;
const PUSHED_RAD: f64 = 1.3;
/// Looks from different places before a place may be believed, and the lead over the next that it then must have, in
/// log-likelihood: for a lost robot, and for one that would have to give up the place that it thinks it is in.
const LOOKS: f64 = 5.0;
const LEAD: f64 = 4.0;
const LEAD_IN_DOUBT: f64 = 6.0;
/// Independent beams that a look counts for: those of one place err alike, and the next place sees much of it again.
const EFFECTIVE: f64 = 4.0;
/// What a look from the same spot counts for, against one from a new one: turning shows much the same again.
const TURNED: f64 = 0.1;
/// Likelihoods of one look that differ by less than this a beam tell nothing: shelves have gaps and books stand back, which
/// no map says. Two halves of a hall that mirror each other differ by it.
const TOLERANCE: f64 = 0.04;
/// A place so far behind the best is dropped.
const BEHIND: f64 = 12.0;
/// Mean log-likelihood of a beam at a place that may be believed (four in ten shortened by people), and below which all
/// places are given up.
pub(crate) const BELIEVED: f64 = -0.5;
const GIVEN_UP: f64 = -0.9;
/// Scans in a row that the best place does not explain before all are given up: half a second.
const UNEXPLAINED: u32 = 5;
/// Scans in a row through which a place near the last known one must hold still to be believed: half a second.
const HELD: u32 = 5;
const HELD_M: f64 = 0.02;
/// The next search of a robot in doubt comes after this way, m; that of a lost one after so many scans: two seconds.
const SEARCH_AGAIN_M: f64 = 3.0;
const SEARCH_AGAIN_SCANS: u32 = 20;
/// So often a lost robot that cannot tell its places apart is searched anew where it stands: people may have gone by now.
const UNDECIDED_SCANS: u32 = 50;
/// Mean log-likelihood of a beam, over some looks, below which the robot is in doubt: a search costs little, and people who
/// shorten beams do so wherever it may be.
const DOUBT: f64 = -0.1;

#[derive(Debug, Clone, Copy)]
struct Candidate {
    pose: Pose2,
    /// Log-likelihood against the best place of each look, over the looks.
    sum: f64,
    /// Log-likelihood of a beam, a mean over the last looks.
    mean: f64,
}

/// Places where a lost robot may be.
#[derive(Debug, Clone, Default)]
struct Candidates {
    list: Vec<Candidate>,
    looks: f64,
    /// Motion since the last look that counted.
    since: [f64; 2],
    /// Scans in a row that the best place does not explain.
    unexplained: u32,
}

impl Candidates {
    /// All places of the floor that fit the echoes, and `here`.
    fn search(sight: &Sight<'_>, here: Pose2) -> Self {
        let (map, points) = (sight.map, sight.points);
        let stride = points.len().div_ceil(SEARCH_BEAMS).max(1);
        let sparse: Vec<[f64; 2]> = spread_out(points, stride);
        let [low, high] = map.extent();
        let steps = |a: usize| ((high[a] - low[a]) / STEP_M).ceil().clamp(0.0, 5_000.0) as usize;
        let free: Vec<[f64; 2]> = (0..=steps(0))
            .flat_map(|i| (0..=steps(1)).map(move |j| (i, j)))
            .map(|(i, j)| [low[0] + i as f64 * STEP_M, low[1] + j as f64 * STEP_M])
            .filter(|p| map.has_room(*p, BODY_M))
            .collect();
        let mut scored: Vec<(f64, Pose2)> = Vec::new();
        let mut best = 0.0f64;
        let turns = (std::f64::consts::TAU / STEP_RAD).round() as usize;
        for turn in 0..turns {
            let theta = turn as f64 * STEP_RAD;
            let turned: Vec<[f64; 2]> =
                sparse.iter().map(|&p| Pose2::new(0.0, 0.0, theta).transform(p)).collect();
            for at in &free {
                let of = |some: &[[f64; 2]]| closeness(map, some, *at, KERNEL_M);
                // A quarter of the beams tells most places from those that count.
                let (few, rest) = turned.split_at(turned.len() / 4);
                let first = of(few);
                if first < 0.4 * best * few.len() as f64 / turned.len() as f64 {
                    continue;
                }
                let score = first + of(rest);
                best = best.max(score);
                if score > 0.7 * best {
                    scored.push((score, Pose2::new(at[0], at[1], theta)));
                }
            }
        }
        scored.retain(|s| s.0 > 0.7 * best);
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut apart: Vec<Pose2> = Vec::new();
        for (_, pose) in scored {
            if apart.len() < 4 * MOST && !apart.iter().any(|p| same(*p, pose)) {
                apart.push(pose);
            }
        }
        let mut found = Self::default();
        for pose in std::iter::once(here).chain(apart) {
            let pose = settle(sight, pose, 25);
            found.keep(map, Candidate { pose, sum: 0.0, mean: f64::NAN });
        }
        found.look(sight, 1.0);
        found.list.sort_by(|a, b| b.sum.total_cmp(&a.sum));
        found.list.truncate(MOST);
        found
    }

    /// Carries the places along with the robot (motion in its own frame) and asks the next scan.
    fn update(&mut self, sight: &Sight<'_>, moved: Pose2) {
        self.since[0] += moved.x.hypot(moved.y);
        self.since[1] += moved.theta.abs();
        let old = std::mem::take(&mut self.list);
        for c in old {
            let pose = settle(sight, c.pose * moved, 4);
            self.keep(sight.map, Candidate { pose, ..c });
        }
        if self.since[0] >= EACH_M || self.since[1] >= EACH_RAD {
            let counts = if self.since[0] >= EACH_M { 1.0 } else { TURNED };
            self.since = [0.0; 2];
            self.look(sight, counts);
        } else {
            self.doubt_all(sight);
        }
    }

    /// The place of the robot, once the others are ruled out by this lead.
    fn only_one(&self, lead: f64) -> Option<Pose2> {
        let best = self.best()?;
        let others = self.list.iter().filter(|c| !same(c.pose, best.pose));
        let next = others.map(|c| c.sum).fold(f64::NEG_INFINITY, f64::max);
        (self.looks >= LOOKS && best.mean >= BELIEVED && best.sum - next >= lead).then_some(best.pose)
    }

    fn best(&self) -> Option<&Candidate> {
        self.list.iter().max_by(|a, b| a.sum.total_cmp(&b.sum).then(a.mean.total_cmp(&b.mean)))
    }

    /// Whether too little of the floor was seen to tell the places apart.
    fn undecided(&self) -> bool {
        self.looks < LOOKS
    }

    /// The best place near where the robot was last known, if no other fits clearly better: robots are pushed and turned by
    /// people far more often than carried off.
    fn near(&self, here: Pose2) -> Option<Pose2> {
        let best = self.best()?;
        let beside = |c: &&Candidate| {
            c.pose.distance(here) < PUSHED_M && wrap_angle(c.pose.theta - here.theta).abs() < PUSHED_RAD
        };
        let mine = self.list.iter().filter(beside).max_by(|a, b| a.sum.total_cmp(&b.sum))?;
        (mine.mean >= BELIEVED && mine.sum >= best.sum - LEAD).then_some(mine.pose)
    }

    /// Whether a place that a scan agrees with like this is as good as the best of these.
    fn allows(&self, seen: Check) -> bool {
        let best = self.best().map_or(f64::NEG_INFINITY, |c| c.mean);
        seen.score() >= BELIEVED && seen.score() >= best - 2.0 * TOLERANCE
    }

    /// Spread of the places, as a covariance of x, y and heading around `about`; likelier places count more.
    fn spread(&self, about: Pose2) -> Matrix3<f64> {
        let best = self.best().map_or(0.0, |c| c.sum);
        let (mut sum, mut weight) = (Matrix3::zeros(), 0.0);
        for c in &self.list {
            let e =
                Vector3::new(c.pose.x - about.x, c.pose.y - about.y, wrap_angle(c.pose.theta - about.theta));
            let w = (c.sum - best).exp();
            sum += w * e * e.transpose();
            weight += w;
        }
        if weight > 0.0 { sum / weight } else { sum }
    }

    fn keep(&mut self, map: &FloorMap, new: Candidate) {
        if self.list.len() < 4 * MOST
            && map.has_room([new.pose.x, new.pose.y], BODY_M)
            && !self.list.iter().any(|c| same(c.pose, new.pose))
        {
            self.list.push(new);
        }
    }

    /// Asks a scan from a new place, or a new direction; drops what it rules out.
    fn look(&mut self, sight: &Sight<'_>, counts: f64) {
        self.looks += counts;
        let scores: Vec<f64> = self.list.iter().map(|c| sight.check(c.pose).score()).collect();
        let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for (c, score) in self.list.iter_mut().zip(scores) {
            c.sum += counts * EFFECTIVE * (score - top + TOLERANCE).min(0.0);
            c.mean = if c.mean.is_nan() { score } else { c.mean + 0.3 * counts * (score - c.mean) };
        }
        let Some(best) = self.best().copied() else { return };
        if self.looks > 3.0 && self.list.iter().all(|c| c.mean < GIVEN_UP) {
            self.list.clear();
        }
        self.list.retain(|c| c.sum >= best.sum - BEHIND);
    }

    /// Gives all places up once the best of them explains nothing of what is seen: the robot is carried again, or still.
    fn doubt_all(&mut self, sight: &Sight<'_>) {
        let explained = self.best().is_some_and(|c| sight.check(c.pose).score() >= GIVEN_UP);
        self.unexplained = if explained { 0 } else { self.unexplained + 1 };
        if self.unexplained >= UNEXPLAINED {
            self.list.clear();
        }
    }
}

/// What is known of a robot before the floor is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// It tracks its place.
    No,
    /// It has lost its place, and cannot be far from it: turned or pushed by people, most likely.
    Pushed,
    /// It may be anywhere: scans have dragged its pose about since it last stood firm, as they do when it is carried.
    Anywhere,
}

/// Looks for a robot on the whole floor when searches around its place have failed, or when beams agree so badly with it
/// that another place may be the right one: an aisle looks like its neighbour.
#[derive(Debug, Clone)]
pub(crate) struct FloorSearch {
    candidates: Candidates,
    /// Log-likelihood of a beam at the robot's place, a mean over some looks; motion since the last, m and radians.
    agreement: f64,
    unlooked: [f64; 2],
    /// Way, m, and scans since the floor was last searched.
    ago_m: f64,
    ago: u32,
    /// The last search of a lost robot with a free view found no place at all.
    nowhere: bool,
    /// A place near the last known one, and for how many scans it has held still.
    near: Option<(Pose2, u32)>,
}

impl Default for FloorSearch {
    fn default() -> Self {
        Self {
            candidates: Candidates::default(),
            agreement: 0.0,
            unlooked: [0.0; 2],
            ago_m: f64::INFINITY,
            ago: u32::MAX,
            nowhere: false,
            near: None,
        }
    }
}

impl FloorSearch {
    /// Takes a scan of a robot thought to be `here`, which has moved (in its own frame) since the scan before; gives its place
    /// where that turns out to be another one, or a lost robot's.
    pub fn step(&mut self, sight: &Sight<'_>, here: Pose2, moved: Pose2, state: Lost) -> Option<Pose2> {
        let lost = state != Lost::No;
        let way = moved.x.hypot(moved.y);
        self.ago_m += way;
        self.ago = self.ago.saturating_add(1);
        self.unlooked[0] += way;
        self.unlooked[1] += moved.theta.abs();
        if self.unlooked[0] >= EACH_M || self.unlooked[1] >= EACH_RAD {
            self.unlooked = [0.0; 2];
            self.agreement += 0.25 * (sight.check(here).score() - self.agreement);
        }
        let doubt = self.agreement < DOUBT;
        if !lost && !doubt {
            self.candidates = Candidates::default();
            (self.nowhere, self.near) = (false, None);
            return None;
        }
        let due = if self.candidates.list.is_empty() {
            if lost { self.ago >= SEARCH_AGAIN_SCANS } else { self.ago_m >= SEARCH_AGAIN_M }
        } else {
            lost && self.ago >= UNDECIDED_SCANS && self.candidates.undecided()
        };
        if due && sight.is_far() {
            (self.ago_m, self.ago) = (0.0, 0);
            self.candidates = Candidates::search(sight, here);
            self.nowhere = lost && self.candidates.list.is_empty();
        } else if !self.candidates.list.is_empty() {
            self.candidates.update(sight, moved);
            self.nowhere = lost && self.candidates.list.is_empty();
        }
        let pushed = if state == Lost::Pushed { self.pushed(here, moved) } else { None };
        let lead = if lost { LEAD } else { LEAD_IN_DOUBT };
        if let Some(place) = pushed.or_else(|| self.candidates.only_one(lead)) {
            *self = Self { ago_m: 0.0, ..Self::default() };
            // A robot that was right all along keeps what its filter knows.
            return (lost || !same(place, here)).then_some(place);
        }
        self.nowhere |= state == Lost::Anywhere && self.candidates.list.is_empty();
        None
    }

    /// A place near the last known one that has held still while the robot is watched, and not only passed by on its way
    /// through the air.
    fn pushed(&mut self, here: Pose2, moved: Pose2) -> Option<Pose2> {
        let place = self.candidates.near(here);
        self.near = place.map(|place| match self.near {
            Some((before, held)) if (before * moved).distance(place) < HELD_M => (place, held + 1),
            _ => (place, 0),
        });
        self.near.filter(|n| n.1 >= HELD).map(|n| n.0)
    }

    /// Whether a scan fits this place at least as well as the best of those that the robot may be in.
    pub fn allows(&self, sight: &Sight<'_>, place: Pose2) -> bool {
        self.candidates.allows(sight.check(place))
    }

    /// Spread of the places that a lost robot may be in, as a covariance of x, y and heading around `about`: the whole floor
    /// where no place fits.
    pub fn spread(&self, map: &FloorMap, about: Pose2) -> Matrix3<f64> {
        if !self.nowhere {
            return self.candidates.spread(about);
        }
        let [low, high] = map.extent();
        // Of an even distribution.
        let [x, y, turn] = [high[0] - low[0], high[1] - low[1], std::f64::consts::TAU].map(|w| w * w / 12.0);
        Matrix3::from_diagonal(&Vector3::new(x, y, turn))
    }
}

/// Every `stride`-th point, in an order in which each quarter looks all around.
fn spread_out(points: &[[f64; 2]], stride: usize) -> Vec<[f64; 2]> {
    let some: Vec<[f64; 2]> = points.iter().step_by(stride).copied().collect();
    (0..4).flat_map(|k| some.iter().skip(k).step_by(4).copied().collect::<Vec<_>>()).collect()
}

/// Whether two places are one.
fn same(a: Pose2, b: Pose2) -> bool {
    a.distance(b) < SAME_M && wrap_angle(a.theta - b.theta).abs() < SAME_RAD
}

/// Least squares of the echoes from a first guess, with little trust in the guess.
fn settle(sight: &Sight<'_>, start: Pose2, rounds: usize) -> Pose2 {
    let Sight { map, points, settings, .. } = *sight;
    let stride = points.len().div_ceil(2 * CHECK_BEAMS).max(1);
    let some: Vec<[f64; 2]> = points.iter().step_by(stride).copied().collect();
    let hold = Matrix3::from_diagonal(&Vector3::new(25.0, 25.0, 100.0));
    let mut pose = start;
    for round in 0..rounds {
        let widening = if rounds > 10 && round < 8 { 4.0 } else { 1.5 };
        let scan = normal(map, &some, pose, settings, settings.robust_m * widening);
        let away = Vector3::new(pose.x - start.x, pose.y - start.y, wrap_angle(pose.theta - start.theta));
        let Some(factor) = (scan.information + hold).cholesky() else { break };
        let step = factor.solve(&(scan.gradient + hold * away));
        pose = Pose2::new(pose.x - step[0], pose.y - step[1], pose.theta - step[2]);
        if step.norm() < 1e-4 {
            break;
        }
    }
    pose
}
