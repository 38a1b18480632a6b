//! Where the robot is: an extended Kalman filter over pose, gyro bias and odometry scale, corrected by lidar
//! scans against the map of the floor.
//!
//! The correction is an iterated update (Bell and Cathey 1993): the scan's robust normal equations and the
//! prediction's information are solved together, so a direction that the scan does not fix (along a bare
//! aisle) keeps the prediction and its uncertainty. A first scan, and a scan after the robot was lost, goes
//! through a coarse search. Everything is a function of the inputs and their order.

use std::collections::VecDeque;

use nalgebra::{Matrix3, SVector};
use serde::{Deserialize, Serialize};

use crate::beam_check::Sight;
use crate::filter::{self, BIAS, Matrix5, State, Vector5, fit, pose, predict};
use crate::floor_map::FloorMap;
use crate::motion::MotionBuffer;
use crate::pose::Pose2;
use crate::relocate::{BELIEVED, FloorSearch, Lost, PUSHED_M};
use crate::scan_match::{MatchSettings, Window, search};

/// How the localizer trusts its sensors. Defaults fit the inventory robot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LocalizerSettings {
    /// Standard deviation of the pose it is started with, m. 0.2: how a robot stands in its dock.
    pub initial_std_m: f64,
    /// The same for the heading, degrees. 10: as above.
    pub initial_std_deg: f64,
    /// Odometry noise along the way after one metre, m; grows with the root of the way. 0.03: slipping wheels.
    pub odometry_std_m: f64,
    /// Odometry scale error, share. 0.02: wheel radius known to 1%, doubled.
    pub odometry_scale_std: f64,
    /// Turn noise after one radian with the wheels alone, radians. 0.08: track width and slip.
    pub wheel_turn_std: f64,
    /// Gyro noise after one second, radians. 0.003: a MEMS gyro with vibration.
    pub gyro_std_rad: f64,
    /// Gyro bias at the start, rad/s. 0.02: a MEMS gyro as switched on.
    pub gyro_bias_std: f64,
    /// Gyro bias walk after one second, rad/s. 0.0003: the same after warming up.
    pub gyro_bias_walk: f64,
    /// Error of the map itself, m, added to the published covariance. 0.005: shelves are placed by hand.
    pub map_std_m: f64,
    /// The same for the heading, degrees. 0.1.
    pub map_std_deg: f64,
    /// Scans in a row that fit nothing before it calls itself lost and searches. 10: one second.
    pub lost_after: u32,
    /// Scan matching.
    pub scan: MatchSettings,
}

impl Default for LocalizerSettings {
    fn default() -> Self {
        Self {
            initial_std_m: 0.2,
            initial_std_deg: 10.0,
            odometry_std_m: 0.03,
            odometry_scale_std: 0.02,
            wheel_turn_std: 0.08,
            gyro_std_rad: 0.003,
            gyro_bias_std: 0.02,
            gyro_bias_walk: 0.0003,
            map_std_m: 0.005,
            map_std_deg: 0.1,
            lost_after: 10,
            scan: MatchSettings::default(),
        }
    }
}

/// One turn of a 2-D lidar.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeScan {
    /// Stamp of the first beam, ns.
    pub stamp_ns: i64,
    /// Direction of the first beam in the laser frame, radians.
    pub angle_min: f64,
    /// From beam to beam, radians.
    pub angle_increment: f64,
    /// From beam to beam, s; 0 when all beams are of one instant.
    pub time_increment: f64,
    /// Shortest and longest range that the lidar measures, m.
    pub range_m: [f64; 2],
    /// Ranges, m, after REP-117: ±Inf and NaN carry no echo.
    pub ranges: Vec<f32>,
}

/// How sure the localizer is of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tracking {
    /// The scan fits the map.
    Tracking,
    /// This scan does not fit; the pose is dead reckoning since the last that did.
    DeadReckoning,
    /// Too many scans did not fit.
    Lost,
}

/// The robot's pose at one scan.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Stamp of the scan, ns.
    pub stamp_ns: i64,
    /// Pose of `base_link` on the map.
    pub map_from_base: Pose2,
    /// Covariance of x, y (m) and heading (radians) on the map.
    pub covariance: Matrix3<f64>,
    /// What corrects odometry: `map → odom`.
    pub map_from_odom: Pose2,
    /// How sure it is.
    pub tracking: Tracking,
    /// Share of the beams with an echo that fit the map.
    pub inlier_share: f64,
    /// Gyro bias, rad/s.
    pub gyro_bias: f64,
}

/// What the localizer did not use, in counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refused {
    /// Odometry or yaw rates that were not finite, or not after the one before.
    pub motion: u64,
    /// Scans older than the state, not finite in their geometry, or dropped from a full queue.
    pub scans: u64,
    /// Stretches in which odometry jumped.
    pub jumps: u64,
}

/// See the module's text.
#[derive(Debug, Clone)]
pub struct Localizer {
    map: FloorMap,
    settings: LocalizerSettings,
    base_from_laser: Pose2,
    initial: Pose2,
    motion: MotionBuffer,
    scans: VecDeque<RangeScan>,
    state: Option<State>,
    misses: u32,
    /// Scans in a row that fitted, and how far scans have moved the robot since they last did so for a while, m.
    fits: u32,
    dragged_m: f64,
    floor: FloorSearch,
    refused: Refused,
}

/// Scans that wait for their odometry; 1.6 s at 10 Hz.
const MAX_PENDING: usize = 16;
/// How long a scan waits for yaw rates when odometry is there already.
const GYRO_WAIT_NS: i64 = 100_000_000;
/// Without scans the state follows odometry at this distance, so that late scans still find their place.
const LAG_NS: i64 = 1_000_000_000;
/// Farthest that a robot is searched around its place, m: below half of what lies from aisle to aisle, which look alike.
const MOST_SEARCH_M: f64 = 0.7;
/// A robot that searches around its place have not found so often is searched on the whole floor.
const WHOLE_FLOOR_AFTER: u32 = 3;
/// Share of beams through solid things from which on a scan does not fit, however many of the others do.
const MOST_THROUGH: f64 = 0.12;
/// How far a push moves a robot between two scans: m, m, radians.
const DISTURBED_STD: [f64; 3] = [0.05, 0.05, 0.1];
/// Share of beams that must be won before a push is believed.
const DISTURBED_GAIN: f64 = 0.05;
/// Scans in a row that fit after which the robot stands firm again: two seconds.
const SETTLED: u32 = 20;
/// What may have happened unseen at a scan that did not fit: m, m, radians.
const UNSEEN_STD: [f64; 3] = [0.01, 0.01, 0.01];

impl Localizer {
    /// A localizer on a map that starts at a pose (a dock); `base_from_laser` is where the lidar sits.
    pub fn new(map: FloorMap, initial: Pose2, base_from_laser: Pose2, settings: LocalizerSettings) -> Self {
        Self {
            map,
            settings,
            base_from_laser,
            initial,
            motion: MotionBuffer::default(),
            scans: VecDeque::new(),
            state: None,
            misses: 0,
            fits: 0,
            dragged_m: 0.0,
            floor: FloorSearch::default(),
            refused: Refused::default(),
        }
    }

    /// Adds `odom_from_base`, ns and m.
    pub fn add_odometry(&mut self, stamp_ns: i64, odom_from_base: Pose2) {
        if !odom_from_base.is_finite() || !self.motion.add_odometry(stamp_ns, odom_from_base) {
            self.refused.motion += 1;
            return;
        }
        // Without scans the buffers would only grow.
        if self.scans.is_empty() {
            let behind = stamp_ns.saturating_sub(LAG_NS);
            if self.state.as_ref().is_some_and(|s| s.stamp_ns < behind - LAG_NS) {
                self.advance(behind);
            } else if self.state.is_none() {
                self.motion.forget_before(behind);
            }
        }
    }

    /// Adds the IMU's turn rate about z, ns and rad/s.
    pub fn add_yaw_rate(&mut self, stamp_ns: i64, yaw_rate: f64) {
        if !yaw_rate.is_finite() || !self.motion.add_yaw_rate(stamp_ns, yaw_rate) {
            self.refused.motion += 1;
        }
    }

    /// Adds a scan; [`Localizer::estimate`] gives its pose as soon as odometry has caught up.
    pub fn add_scan(&mut self, scan: RangeScan) {
        let geometry = [scan.angle_min, scan.angle_increment, scan.time_increment];
        let after = self.scans.back().map(|s| s.stamp_ns).max(self.state.as_ref().map(|s| s.stamp_ns));
        if geometry.iter().any(|v| !v.is_finite()) || after.is_some_and(|t| scan.stamp_ns <= t) {
            self.refused.scans += 1;
            return;
        }
        if self.scans.len() >= MAX_PENDING {
            self.scans.pop_front();
            self.refused.scans += 1;
        }
        self.scans.push_back(scan);
    }

    /// What was not used so far.
    pub fn refused(&self) -> Refused {
        self.refused
    }

    /// The pose at the oldest scan that waits, once odometry (and, for a while, the gyro) has reached it.
    pub fn estimate(&mut self) -> Option<Estimate> {
        loop {
            let stamp_ns = self.scans.front()?.stamp_ns;
            let (oldest, newest) = self.motion.odometry_span()?;
            if newest < stamp_ns {
                return None;
            }
            let gyro_lags = self.motion.newest_yaw_rate().is_some_and(|t| t < stamp_ns);
            if gyro_lags && newest < stamp_ns.saturating_add(GYRO_WAIT_NS) {
                return None;
            }
            let scan = self.scans.pop_front()?;
            if oldest > stamp_ns {
                self.refused.scans += 1;
                continue;
            }
            return self.take(&scan);
        }
    }

    fn take(&mut self, scan: &RangeScan) -> Option<Estimate> {
        let stamp_ns = scan.stamp_ns;
        let first = self.state.is_none();
        if first {
            self.state = Some(self.start(stamp_ns));
        }
        let before = self.state.as_ref().map(|s| pose(&s.x));
        self.advance(stamp_ns);
        let odom_from_base = self.motion.odometry_at(stamp_ns)?;
        let points = self.points(scan);
        let moved = match (before, &self.state) {
            (Some(before), Some(state)) => before.inverse() * pose(&state.x),
            _ => Pose2::default(),
        };
        let predicted = self.state.as_ref().map(|s| pose(&s.x));
        let mut inlier_share = 0.0;
        if points.len() < self.settings.scan.min_beams {
            // Too few to say anything.
        } else if let Some(lost) = self.whole_floor(&points, moved) {
            // A robot that may be anywhere must not take the next best place for its own.
            inlier_share = if lost == Lost::Pushed { self.still_here(&points) } else { 0.0 };
        } else {
            // A search takes as long as hundreds of updates, so a lost robot searches once in a while.
            let lost = self.misses > 0 && self.misses.is_multiple_of(self.settings.lost_after.max(1));
            if first || (lost && self.sight(&points).is_far()) {
                self.relocate(&points);
            }
            inlier_share = self.correct(&points);
        }
        if inlier_share >= self.settings.scan.min_inlier_share && self.agrees(&points) {
            self.misses = 0;
            self.fits = self.fits.saturating_add(1);
        } else {
            self.fits = 0;
            self.misses = self.misses.saturating_add(1);
            if let Some(state) = &mut self.state {
                for (i, std) in UNSEEN_STD.into_iter().enumerate() {
                    state.p[(i, i)] += std * std;
                }
            }
        }
        let state = self.state.as_ref()?;
        let map_from_base = pose(&state.x);
        let step = predicted.map_or(0.0, |p| p.distance(map_from_base));
        self.dragged_m = if self.fits > SETTLED { 0.0 } else { self.dragged_m + step };
        let tracking = match self.misses {
            0 => Tracking::Tracking,
            n if n < self.settings.lost_after => Tracking::DeadReckoning,
            _ => Tracking::Lost,
        };
        let floor =
            [self.settings.map_std_m, self.settings.map_std_m, self.settings.map_std_deg.to_radians()];
        let map_error = Matrix3::from_diagonal(&SVector::from(floor.map(|std| std * std)));
        let mut covariance = state.p.fixed_view::<3, 3>(0, 0) + map_error;
        // Only a lost robot may be elsewhere: people in an aisle that has a twin are no reason to stop.
        if self.is_lost_for_good() {
            covariance += self.floor.spread(&self.map, map_from_base);
        }
        Some(Estimate {
            stamp_ns,
            map_from_base,
            covariance,
            map_from_odom: map_from_base * odom_from_base.inverse(),
            tracking,
            inlier_share,
            gyro_bias: state.x[BIAS],
        })
    }

    fn start(&self, stamp_ns: i64) -> State {
        let s = &self.settings;
        let std = [
            s.initial_std_m,
            s.initial_std_m,
            s.initial_std_deg.to_radians(),
            s.gyro_bias_std,
            s.odometry_scale_std,
        ];
        let x = Vector5::from([self.initial.x, self.initial.y, self.initial.theta, 0.0, 0.0]);
        State { stamp_ns, x, p: Matrix5::from_diagonal(&Vector5::from(std.map(|v| (v * v).max(1e-12)))) }
    }

    /// Carries the state forward with odometry and gyro.
    fn advance(&mut self, to_ns: i64) {
        let Some(state) = &mut self.state else { return };
        let from_ns = state.stamp_ns;
        if to_ns > from_ns {
            // A hole in odometry longer than the buffer: nothing is known of the way between.
            let stretches = self.motion.stretches(from_ns, to_ns).unwrap_or_default();
            for stretch in &stretches {
                self.refused.jumps += u64::from(stretch.jumped);
                predict(state, stretch, &self.settings);
            }
            state.stamp_ns = to_ns;
        }
        self.motion.forget_before(to_ns);
    }

    /// Echoes in the base frame at the scan's stamp, m, with the robot's motion during the scan taken out.
    fn points(&self, scan: &RangeScan) -> Vec<[f64; 2]> {
        let start = self.motion.odometry_at(scan.stamp_ns);
        let mut points = Vec::with_capacity(scan.ranges.len());
        for (i, &range) in scan.ranges.iter().enumerate() {
            let range = f64::from(range);
            if !range.is_finite() || range < scan.range_m[0] || range > scan.range_m[1] {
                continue;
            }
            let angle = scan.angle_min + i as f64 * scan.angle_increment;
            let point = self.base_from_laser.transform([range * angle.cos(), range * angle.sin()]);
            let later = (i as f64 * scan.time_increment * 1e9) as i64;
            let moved = match (start, self.motion.odometry_at(scan.stamp_ns.saturating_add(later))) {
                (Some(a), Some(b)) if later > 0 => a.inverse() * b,
                _ => Pose2::default(),
            };
            points.push(moved.transform(point));
        }
        points
    }

    fn sight<'a>(&'a self, points: &'a [[f64; 2]]) -> Sight<'a> {
        Sight { map: &self.map, points, base_from_laser: self.base_from_laser, settings: &self.settings.scan }
    }

    /// Whether the beams agree with where the robot now is: one that is carried off fits some place by half on its way.
    fn agrees(&self, points: &[[f64; 2]]) -> bool {
        let Some(here) = self.state.as_ref().map(|s| pose(&s.x)) else { return false };
        let seen = self.sight(points).check(here);
        if self.is_lost_for_good() { seen.score() >= BELIEVED } else { seen.through <= MOST_THROUGH }
    }

    /// Whether searches around the robot's place have failed so often that the whole floor is searched.
    fn is_lost_for_good(&self) -> bool {
        self.lost() != Lost::No
    }

    /// What is known of the place before the floor is asked.
    fn lost(&self) -> Lost {
        let dragged = self.dragged_m >= PUSHED_M;
        let patience = if dragged { 1 } else { WHOLE_FLOOR_AFTER };
        match (self.misses > patience * self.settings.lost_after, dragged) {
            (false, _) => Lost::No,
            (true, false) => Lost::Pushed,
            (true, true) => Lost::Anywhere,
        }
    }

    /// Asks the whole floor where needed; gives what is known of the place while the floor does not know it either.
    fn whole_floor(&mut self, points: &[[f64; 2]], moved: Pose2) -> Option<Lost> {
        let here = self.state.as_ref().map(|s| pose(&s.x))?;
        let lost = self.lost();
        let mut floor = std::mem::take(&mut self.floor);
        let found = floor.step(&self.sight(points), here, moved, lost);
        self.floor = floor;
        if let Some(place) = found {
            // What follows is an update like any other, and has to fit.
            self.put(place);
            self.dragged_m = 0.0;
            return None;
        }
        (lost != Lost::No).then_some(lost)
    }

    /// Whether a robot that is looked for on the whole floor fits where it was thought to be after all (people around it
    /// are gone), at least as well as anywhere else; gives the share of beams then, and 0 otherwise.
    fn still_here(&mut self, points: &[[f64; 2]]) -> f64 {
        let kept = self.state.clone();
        let share = self.correct(points);
        let Some(here) = self.state.as_ref().map(|s| pose(&s.x)) else { return 0.0 };
        if share >= self.settings.scan.min_search_share && self.floor.allows(&self.sight(points), here) {
            return share;
        }
        self.state = kept;
        0.0
    }

    /// Puts the state at a place that a search found.
    fn put(&mut self, place: Pose2) {
        let Some(state) = &mut self.state else { return };
        state.x.fixed_rows_mut::<3>(0).copy_from(&SVector::from([place.x, place.y, place.theta]));
        // The search's own grain; what was correlated with the old pose is no longer.
        state.p.fixed_view_mut::<3, 5>(0, 0).fill(0.0);
        state.p.fixed_view_mut::<5, 3>(0, 0).fill(0.0);
        for (i, std) in [0.05, 0.05, 0.02].into_iter().enumerate() {
            state.p[(i, i)] = std * std;
        }
    }

    /// Puts the state where a search around it fits best, if anywhere.
    fn relocate(&mut self, points: &[[f64; 2]]) {
        let Some(state) = &self.state else { return };
        // Farther each time: what the covariance allows was searched before.
        let tried = f64::from(self.misses / self.settings.lost_after.max(1));
        let spread = |variance: f64| 2.5 * variance.max(0.0).sqrt();
        let window = Window {
            half_m: (spread(state.p[(0, 0)].max(state.p[(1, 1)])) + 0.15 * tried).clamp(0.15, MOST_SEARCH_M),
            half_rad: (spread(state.p[(2, 2)]) + 0.15 * tried).clamp(0.05, 1.6),
        };
        let (found, fits) = search(&self.map, points, pose(&state.x), window);
        // A place from where beams would have gone through walls is none, however many end near one.
        if fits >= self.settings.scan.min_search_share && self.sight(points).check(found).score() >= BELIEVED
        {
            self.put(found);
        }
    }

    /// Updates with the scan and returns the share of beams that fit. A scan that does not fit changes nothing.
    ///
    /// A robot that is pushed or lifted moves as neither wheels nor gyro say. So the scan is also fitted with a
    /// prediction that is hardly trusted, and that fit stands where clearly more beams agree with it.
    fn correct(&mut self, points: &[[f64; 2]]) -> f64 {
        let Some(state) = &mut self.state else { return 0.0 };
        let settings = &self.settings.scan;
        let Some(mut fit) = fit(&self.map, settings, points, state, state.x, &state.p) else { return 0.0 };
        let mut doubtful = state.p;
        for (i, std) in DISTURBED_STD.into_iter().enumerate() {
            doubtful[(i, i)] += std * std;
        }
        if fit.inlier_share + DISTURBED_GAIN < 1.0
            && let Some(loose) = filter::fit(&self.map, settings, points, state, fit.x, &doubtful)
            && loose.inlier_share > fit.inlier_share + DISTURBED_GAIN
            && loose.inlier_share > settings.min_search_share
        {
            fit = loose;
        }
        if fit.inlier_share >= settings.min_inlier_share && fit.x.iter().all(|v| v.is_finite()) {
            state.x = fit.x;
            state.p = fit.p;
        }
        fit.inlier_share
    }
}
