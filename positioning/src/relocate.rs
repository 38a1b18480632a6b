//! Finding a robot that is lost for good (switched on elsewhere, carried off): several places at once, until one is left.
//!
//! Aisles look alike, so one scan seldom tells the place. All places of the floor that fit it are kept as candidates
//! and carried along with the robot's motion; what each next scan does not bear out is dropped (Monte Carlo
//! localization, Thrun, Burgard, Fox, ch. 8.3, with a list in place of samples, so that the result hangs on nothing
//! random). A beam that would have gone through a shelf tells more than ten that end near one: people shorten beams,
//! nothing makes them longer.

use nalgebra::{Matrix3, Vector3};

use crate::floor_map::FloorMap;
use crate::pose::{Pose2, wrap_angle};
use crate::scan_match::{BODY_M, MatchSettings, closeness, normal};

/// Steps of the search over the floor.
const STEP_M: f64 = 0.2;
const STEP_RAD: f64 = 4.0 * std::f64::consts::PI / 180.0;
/// A beam's end counts up to this far from an obstacle while searching, m.
const KERNEL_M: f64 = 0.35;
/// Beams that the search, and that the check by ray casting looks at.
const SEARCH_BEAMS: usize = 40;
const CHECK_BEAMS: usize = 72;
/// Most places kept after a search.
const MOST: usize = 40;
/// Places nearer than this are one, m and radians.
const SAME_M: f64 = 0.3;
const SAME_RAD: f64 = 0.2;
/// A beam this much longer than the map allows went through an obstacle, m; this close to it, it hit.
const THROUGH_M: f64 = 0.25;
const HIT_M: f64 = 0.12;
/// Share of beams through obstacles from which on a place is ruled out.
const MOST_THROUGH: f64 = 0.12;
/// Way between two scans that count, m or a turn of this, radians: beams of one place err alike.
const EACH_M: f64 = 0.1;
const EACH_RAD: f64 = 0.15;
/// How far a push moves and turns a robot at most, m and radians.
const PUSHED_M: f64 = 0.5;
const PUSHED_RAD: f64 = 1.3;
/// Looks from different places before a place may be believed, and the lead over the next that it then must have,
/// summed over the looks: five beams of a hundred better at each of ten.
const LOOKS: f64 = 5.0;
const LEAD: f64 = 0.5;
/// A place so far behind the best, summed, is dropped.
const BEHIND: f64 = 1.5;
/// Share of beams that must hit for a place to be believed; below the second all places are given up.
const BELIEVED: f64 = 0.6;
const GIVEN_UP: f64 = 0.35;
/// The next search comes after this way, m: for a lost robot, for one in doubt.
const SEARCH_AGAIN_M: [f64; 2] = [1.0, 3.0];
/// A lost robot that stands is searched again after so many scans: five seconds.
const SEARCH_AGAIN_SCANS: u32 = 50;
/// Below this mean agreement over the last metre or so the robot is in doubt.
const DOUBT: f64 = 0.85;
/// A third of the echoes must lie farther than this before a lost robot is searched, m.
const FAR_M: f64 = 1.0;

/// One scan: echoes in the base frame, m, and what they are held against.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'a> {
    pub map: &'a FloorMap,
    pub points: &'a [[f64; 2]],
    pub base_from_laser: Pose2,
    pub settings: &'a MatchSettings,
}

/// How beams agree with a place.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Check {
    /// Share of the beams that end where the map has an obstacle.
    hits: f64,
    /// Share of the beams that would have gone through an obstacle.
    through: f64,
}

impl Check {
    /// One number: 1 where all beams agree.
    fn value(self) -> f64 {
        self.hits - 2.0 * self.through
    }
}

impl Sight<'_> {
    /// A robot with people close all around sees a ring that fits many places.
    pub fn is_far(&self) -> bool {
        3 * self.points.iter().filter(|p| p[0].hypot(p[1]) > FAR_M).count() > self.points.len()
    }
}

/// Compares the echoes with what the map lets the lidar see from a place.
fn check(sight: &Sight<'_>, map_from_base: Pose2) -> Check {
    let (map, points) = (sight.map, sight.points);
    let eye = (map_from_base * sight.base_from_laser).transform([0.0, 0.0]);
    let stride = points.len().div_ceil(CHECK_BEAMS).max(1);
    let (mut hits, mut through, mut all) = (0.0, 0.0, 0.0);
    for p in points.iter().step_by(stride) {
        let end = map_from_base.transform(*p);
        let (dx, dy) = (end[0] - eye[0], end[1] - eye[1]);
        all += 1.0;
        let Some(expected) = map.ray(eye, dy.atan2(dx)) else { continue };
        let longer = dx.hypot(dy) - expected;
        // A beam that grazes an edge may pass it or not: an end near any obstacle is a hit.
        let near = map.nearest(end).is_some_and(|n| n.signed_m.abs() < HIT_M);
        if longer > THROUGH_M {
            through += 1.0;
        } else if near {
            hits += 1.0;
        }
    }
    if all > 0.0 { Check { hits: hits / all, through: through / all } } else { Check::default() }
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    pose: Pose2,
    /// Shares of beams that hit, less those that went through twice over, summed over the looks.
    sum: f64,
}

/// Places where a lost robot may be.
#[derive(Debug, Clone, Default)]
struct Candidates {
    list: Vec<Candidate>,
    looks: f64,
    /// Motion since the last look that counted.
    since: [f64; 2],
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
            .filter(|p| map.nearest(*p).is_none_or(|n| n.signed_m.abs() >= BODY_M))
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
            found.keep(Candidate { pose, sum: 0.0 });
        }
        found.look(sight);
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
            self.keep(Candidate { pose, ..c });
        }
        if self.since[0] >= EACH_M || self.since[1] >= EACH_RAD {
            self.since = [0.0; 2];
            self.look(sight);
        }
    }

    /// The place of the robot, once the others are ruled out.
    fn only_one(&self) -> Option<Pose2> {
        let best = self.list.iter().max_by(|a, b| a.sum.total_cmp(&b.sum))?;
        let others = self.list.iter().filter(|c| !same(c.pose, best.pose));
        let lead = best.sum - others.map(|c| c.sum).fold(0.0, f64::max);
        let mean = best.sum / self.looks;
        (self.looks >= LOOKS && mean >= BELIEVED && lead >= LEAD).then_some(best.pose)
    }

    /// Whether too little of the floor was seen to tell the places apart.
    fn undecided(&self) -> bool {
        self.looks < LOOKS
    }

    /// The best place near where the robot was last known, if no other fits clearly better: robots are pushed and turned by
    /// people far more often than carried off.
    fn near(&self, here: Pose2) -> Option<Pose2> {
        let looks = self.looks.max(1.0);
        let best = self.list.iter().map(|c| c.sum).fold(0.0, f64::max);
        let mine = self
            .list
            .iter()
            .filter(|c| {
                c.pose.distance(here) < PUSHED_M && wrap_angle(c.pose.theta - here.theta).abs() < PUSHED_RAD
            })
            .max_by(|a, b| a.sum.total_cmp(&b.sum))?;
        (mine.sum >= BELIEVED * looks && mine.sum >= best - LEAD / LOOKS * looks).then_some(mine.pose)
    }

    /// Whether a place that a scan agrees with like this is as good as the best of these.
    fn allows(&self, seen: Check) -> bool {
        let best = self.list.iter().map(|c| c.sum).fold(0.0, f64::max) / self.looks.max(1.0);
        seen.hits >= BELIEVED && seen.value() >= best - LEAD / LOOKS
    }

    /// Spread of the places, as a covariance of x, y and heading around `about`; likelier places count more.
    fn spread(&self, about: Pose2) -> Matrix3<f64> {
        let best = self.list.iter().map(|c| c.sum).fold(f64::NEG_INFINITY, f64::max);
        let (mut sum, mut weight) = (Matrix3::zeros(), 0.0);
        for c in &self.list {
            let e =
                Vector3::new(c.pose.x - about.x, c.pose.y - about.y, wrap_angle(c.pose.theta - about.theta));
            let w = ((c.sum - best) * 10.0).exp();
            sum += w * e * e.transpose();
            weight += w;
        }
        if weight > 0.0 { sum / weight } else { sum }
    }

    fn keep(&mut self, new: Candidate) {
        if self.list.len() < 4 * MOST && !self.list.iter().any(|c| same(c.pose, new.pose)) {
            self.list.push(new);
        }
    }

    /// Asks a scan from a new place; drops what it rules out.
    fn look(&mut self, sight: &Sight<'_>) {
        self.looks += 1.0;
        self.list.retain_mut(|c| {
            let seen = check(sight, c.pose);
            c.sum += seen.value();
            seen.through <= 3.0 * MOST_THROUGH
        });
        let best = self.list.iter().map(|c| c.sum).fold(f64::NEG_INFINITY, f64::max);
        if self.looks > 3.0 && best < GIVEN_UP * self.looks {
            self.list.clear();
        }
        self.list.retain(|c| c.sum >= best - BEHIND);
    }
}

/// What a search of the whole floor says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Found {
    /// The robot is where it is thought to be, or nothing else is known.
    Nothing,
    /// The robot is lost and may be in several places.
    Several,
    /// The robot is here.
    At(Pose2),
}

/// Looks for a robot on the whole floor when searches around its place have failed, or when beams agree so badly with it
/// that another place may be the right one: an aisle looks like its neighbour.
#[derive(Debug, Clone)]
pub(crate) struct FloorSearch {
    candidates: Candidates,
    /// How beams agree with the robot's place, a mean over the last metre or so, and the way since the last look, m.
    agreement: f64,
    unlooked_m: f64,
    /// Way, m, and scans since the floor was last searched.
    ago_m: f64,
    ago: u32,
}

impl Default for FloorSearch {
    fn default() -> Self {
        Self {
            candidates: Candidates::default(),
            agreement: 1.0,
            unlooked_m: 0.0,
            ago_m: f64::INFINITY,
            ago: 0,
        }
    }
}

impl FloorSearch {
    /// Takes a scan of a robot thought to be `here`, which has moved (in its own frame) since the scan before.
    pub fn step(&mut self, sight: &Sight<'_>, here: Pose2, moved: Pose2, lost: bool) -> Found {
        let way = moved.x.hypot(moved.y);
        self.ago_m += way;
        self.ago = self.ago.saturating_add(1);
        self.unlooked_m += way;
        if self.unlooked_m >= EACH_M {
            self.unlooked_m = 0.0;
            self.agreement += 0.1 * (check(sight, here).value() - self.agreement);
        }
        let doubt = self.agreement < DOUBT;
        if !lost && !doubt {
            self.candidates = Candidates::default();
            return Found::Nothing;
        }
        // Where it stands among people, they may have gone by now.
        let again = lost && self.ago >= SEARCH_AGAIN_SCANS && self.candidates.undecided();
        if !self.candidates.list.is_empty() && !again {
            self.candidates.update(sight, moved);
        } else if (again || self.ago_m >= SEARCH_AGAIN_M[usize::from(!lost)]) && sight.is_far() {
            (self.ago_m, self.ago) = (0.0, 0);
            self.candidates = Candidates::search(sight, here);
        }
        let pushed = if lost { self.candidates.near(here) } else { None };
        if let Some(place) = pushed.or_else(|| self.candidates.only_one()) {
            *self = Self { ago_m: 0.0, ..Self::default() };
            // A robot that was right all along keeps what its filter knows.
            return if lost || !same(place, here) { Found::At(place) } else { Found::Nothing };
        }
        if lost && !self.candidates.list.is_empty() { Found::Several } else { Found::Nothing }
    }

    /// Whether a scan fits this place at least as well as the best of those that the robot may be in.
    pub fn allows(&self, sight: &Sight<'_>, place: Pose2) -> bool {
        self.candidates.allows(check(sight, place))
    }

    /// Spread of the places that a lost robot may be in, as a covariance of x, y and heading around `about`.
    pub fn spread(&self, about: Pose2) -> Matrix3<f64> {
        self.candidates.spread(about)
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
