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
use crate::scan_match::{MatchSettings, normal};

/// Steps of the search over the floor.
const STEP_M: f64 = 0.2;
const STEP_RAD: f64 = 4.0 * std::f64::consts::PI / 180.0;
/// A beam's end counts up to this far from an obstacle while searching, m.
const KERNEL_M: f64 = 0.35;
/// No robot stands with its middle nearer than this to a wall, or inside a shelf, m.
const BODY_M: f64 = 0.2;
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

/// How beams agree with a place.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Check {
    /// Share of the beams that end where the map has an obstacle.
    pub hits: f64,
    /// Share of the beams that would have gone through an obstacle.
    pub through: f64,
}

impl Check {
    /// One number: 1 where all beams agree.
    pub fn value(self) -> f64 {
        self.hits - 2.0 * self.through
    }
}

/// Compares echoes (base frame, m) with what the map lets a lidar at `base_from_laser` see.
pub(crate) fn check(
    map: &FloorMap,
    points: &[[f64; 2]],
    map_from_base: Pose2,
    base_from_laser: Pose2,
) -> Check {
    let eye = (map_from_base * base_from_laser).transform([0.0, 0.0]);
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
pub(crate) struct Candidates {
    list: Vec<Candidate>,
    looks: f64,
    /// Motion since the last look that counted.
    since: [f64; 2],
}

impl Candidates {
    /// All places of the floor that fit the echoes, and `here`.
    pub fn search(
        map: &FloorMap,
        points: &[[f64; 2]],
        here: Pose2,
        base_from_laser: Pose2,
        settings: &MatchSettings,
    ) -> Self {
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
                let of = |some: &[[f64; 2]]| -> f64 {
                    some.iter()
                        .filter_map(|p| map.nearest([at[0] + p[0], at[1] + p[1]]))
                        .map(|n| (1.0 - (n.signed_m / KERNEL_M).powi(2)).max(0.0))
                        .sum()
                };
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
            let pose = settle(map, points, pose, settings, 25);
            found.keep(Candidate { pose, sum: 0.0 });
        }
        found.look(map, points, base_from_laser);
        found.list.sort_by(|a, b| b.sum.total_cmp(&a.sum));
        found.list.truncate(MOST);
        found
    }

    /// Whether there is anything left.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Carries the places along with the robot (motion in its own frame) and asks the next scan.
    pub fn update(
        &mut self,
        map: &FloorMap,
        points: &[[f64; 2]],
        moved: Pose2,
        base_from_laser: Pose2,
        settings: &MatchSettings,
    ) {
        self.since[0] += moved.x.hypot(moved.y);
        self.since[1] += moved.theta.abs();
        let old = std::mem::take(&mut self.list);
        for c in old {
            let pose = settle(map, points, c.pose * moved, settings, 4);
            self.keep(Candidate { pose, ..c });
        }
        if self.since[0] >= EACH_M || self.since[1] >= EACH_RAD {
            self.since = [0.0; 2];
            self.look(map, points, base_from_laser);
        }
    }

    /// The place of the robot, once the others are ruled out.
    pub fn only_one(&self) -> Option<Pose2> {
        let best = self.list.iter().max_by(|a, b| a.sum.total_cmp(&b.sum))?;
        let others = self.list.iter().filter(|c| !same(c.pose, best.pose));
        let lead = best.sum - others.map(|c| c.sum).fold(0.0, f64::max);
        let mean = best.sum / self.looks;
        (self.looks >= LOOKS && mean >= BELIEVED && lead >= LEAD).then_some(best.pose)
    }

    /// Whether too little of the floor was seen to tell the places apart.
    pub fn undecided(&self) -> bool {
        self.looks < LOOKS
    }

    /// The best place near where the robot was last known, if no other fits clearly better: robots are pushed and turned by
    /// people far more often than carried off.
    pub fn near(&self, here: Pose2) -> Option<Pose2> {
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
    pub fn allows(&self, seen: Check) -> bool {
        let best = self.list.iter().map(|c| c.sum).fold(0.0, f64::max) / self.looks.max(1.0);
        seen.hits >= BELIEVED && seen.value() >= best - LEAD / LOOKS
    }

    /// Spread of the places, as a covariance of x, y and heading around `about`; likelier places count more.
    pub fn spread(&self, about: Pose2) -> Matrix3<f64> {
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
    fn look(&mut self, map: &FloorMap, points: &[[f64; 2]], base_from_laser: Pose2) {
        self.looks += 1.0;
        self.list.retain_mut(|c| {
            let seen = check(map, points, c.pose, base_from_laser);
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

/// Every `stride`-th point, in an order in which each quarter looks all around.
fn spread_out(points: &[[f64; 2]], stride: usize) -> Vec<[f64; 2]> {
    let some: Vec<[f64; 2]> = points.iter().step_by(stride).copied().collect();
    (0..4).flat_map(|k| some.iter().skip(k).step_by(4).copied().collect::<Vec<_>>()).collect()
}

/// Whether two places are one.
pub(crate) fn same(a: Pose2, b: Pose2) -> bool {
    a.distance(b) < SAME_M && wrap_angle(a.theta - b.theta).abs() < SAME_RAD
}

/// Least squares of the echoes from a first guess, with little trust in the guess.
fn settle(
    map: &FloorMap,
    points: &[[f64; 2]],
    start: Pose2,
    settings: &MatchSettings,
    rounds: usize,
) -> Pose2 {
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
