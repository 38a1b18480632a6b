//! How the robot moved between two stamps: odometry for the way, the gyro for the turn.
//!
//! Wheels slip and are miscalibrated; a gyro drifts but does not slip. So the heading comes from the gyro
//! where there is one, and the disagreement of the two says how far the wheels are to be trusted.

use std::collections::VecDeque;

use crate::pose::{Pose2, wrap_angle};

/// One stretch between two stamps, in the base frame at its start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// Duration, s.
    pub seconds: f64,
    /// Displacement after the wheels, m, with the chord turned by half of `wheel_turn`.
    pub displacement: [f64; 2],
    /// Turn after the wheels, radians.
    pub wheel_turn: f64,
    /// Turn after the gyro, its bias still in it, radians; `None` without gyro samples.
    pub gyro_turn: Option<f64>,
    /// The wheels claim a speed that no such robot has: odometry was reset or is broken.
    pub jumped: bool,
}

impl Stretch {
    /// Neither wheel turned.
    pub fn stood_still(&self) -> bool {
        self.displacement[0].hypot(self.displacement[1]) < 1e-6 && self.wheel_turn.abs() < 1e-6
    }
}

/// Odometry poses and yaw rates that wait to be used.
#[derive(Debug, Clone, Default)]
pub struct MotionBuffer {
    odometry: VecDeque<(i64, Pose2)>,
    yaw_rate: VecDeque<(i64, f64)>,
}

/// A library robot walks; beyond this the odometry was reset.
const MAX_SPEED_MPS: f64 = 5.0;
/// A gyro sample speaks for this long before and after it.
const GYRO_HOLD_NS: i64 = 50_000_000;
/// Bound of both queues: 40 s of a 200 Hz IMU. The owner takes stretches out far earlier.
const MAX_SAMPLES: usize = 8_192;

impl MotionBuffer {
    /// Adds `odom_from_base`; false when its stamp is not after the last one's.
    pub fn add_odometry(&mut self, stamp_ns: i64, odom_from_base: Pose2) -> bool {
        push(&mut self.odometry, stamp_ns, odom_from_base)
    }

    /// Adds a yaw rate, rad/s; false when its stamp is not after the last one's.
    pub fn add_yaw_rate(&mut self, stamp_ns: i64, yaw_rate: f64) -> bool {
        push(&mut self.yaw_rate, stamp_ns, yaw_rate)
    }

    /// Stamps of the oldest and newest odometry.
    pub fn odometry_span(&self) -> Option<(i64, i64)> {
        Some((self.odometry.front()?.0, self.odometry.back()?.0))
    }

    /// Stamp of the newest yaw rate.
    pub fn newest_yaw_rate(&self) -> Option<i64> {
        self.yaw_rate.back().map(|s| s.0)
    }

    /// `odom_from_base` at a stamp; `None` outside the odometry held.
    pub fn odometry_at(&self, stamp_ns: i64) -> Option<Pose2> {
        let after = self.odometry.partition_point(|s| s.0 < stamp_ns);
        let &(t1, b) = self.odometry.get(after)?;
        if t1 == stamp_ns {
            return Some(b);
        }
        let &(t0, a) = self.odometry.get(after.checked_sub(1)?)?;
        Some(a.interpolate(b, (stamp_ns - t0) as f64 / (t1 - t0) as f64))
    }

    /// The stretches from one stamp to another, cut at each odometry stamp; `None` outside the odometry held.
    pub fn stretches(&self, from_ns: i64, to_ns: i64) -> Option<Vec<Stretch>> {
        let mut at = (from_ns, self.odometry_at(from_ns)?);
        let end = (to_ns, self.odometry_at(to_ns)?);
        let inner = self.odometry.iter().filter(|s| s.0 > from_ns && s.0 < to_ns).copied();
        let stretches = inner.chain([end]).filter_map(|next| {
            let stretch = (next.0 > at.0).then(|| self.stretch(at, next));
            at = next;
            stretch
        });
        Some(stretches.collect())
    }

    /// Forgets what lies before a stamp, save what is needed to interpolate at it.
    pub fn forget_before(&mut self, stamp_ns: i64) {
        while self.odometry.get(1).is_some_and(|s| s.0 <= stamp_ns) {
            self.odometry.pop_front();
        }
        while self.yaw_rate.get(1).is_some_and(|s| s.0 <= stamp_ns) {
            self.yaw_rate.pop_front();
        }
    }

    fn stretch(&self, (t0, a): (i64, Pose2), (t1, b): (i64, Pose2)) -> Stretch {
        let seconds = (t1 - t0) as f64 * 1e-9;
        let step = a.inverse() * b;
        let jumped = step.x.hypot(step.y) > MAX_SPEED_MPS * seconds.max(1e-3);
        Stretch {
            seconds,
            displacement: if jumped { [0.0, 0.0] } else { [step.x, step.y] },
            wheel_turn: if jumped { 0.0 } else { wrap_angle(step.theta) },
            gyro_turn: self.gyro_turn(t0, t1),
            jumped,
        }
    }

    /// Integral of the yaw rate: each instant takes the sample nearest in time.
    fn gyro_turn(&self, t0: i64, t1: i64) -> Option<f64> {
        let first = self.yaw_rate.partition_point(|s| s.0 <= t0).saturating_sub(1);
        let mut turn = 0.0;
        let mut reached = t0;
        for i in first..self.yaw_rate.len() {
            let (t, rate) = self.yaw_rate[i];
            let until = match self.yaw_rate.get(i + 1) {
                Some(next) => (t + (next.0 - t) / 2).min(t1),
                None => t1,
            };
            if until <= reached {
                continue;
            }
            if t - reached > GYRO_HOLD_NS || until - t > GYRO_HOLD_NS {
                return None;
            }
            turn += rate * (until - reached) as f64 * 1e-9;
            reached = until;
            if reached >= t1 {
                return Some(turn);
            }
        }
        None
    }
}

fn push<T>(queue: &mut VecDeque<(i64, T)>, stamp_ns: i64, value: T) -> bool {
    if queue.back().is_some_and(|s| s.0 >= stamp_ns) {
        return false;
    }
    if queue.len() >= MAX_SAMPLES {
        queue.pop_front();
    }
    queue.push_back((stamp_ns, value));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn arc() -> MotionBuffer {
        let mut motion = MotionBuffer::default();
        for i in 0..=10 {
            let turn = 0.1 * f64::from(i);
            motion.add_odometry(i64::from(i) * 20 * MS, Pose2::new(turn.sin(), 1.0 - turn.cos(), turn));
        }
        for i in 0..=20 {
            motion.add_yaw_rate(i64::from(i) * 10 * MS, 5.0);
        }
        motion
    }

    #[test]
    fn stretches_add_up_to_the_odometry() {
        let motion = arc();
        let stretches = motion.stretches(30 * MS, 170 * MS).unwrap();
        assert_eq!(stretches.len(), 8);
        let turn: f64 = stretches.iter().map(|s| s.wheel_turn).sum();
        let gyro: f64 = stretches.iter().map(|s| s.gyro_turn.unwrap()).sum();
        assert!((turn - 0.7).abs() < 1e-9 && (gyro - 0.7).abs() < 1e-9, "{turn} {gyro}");
        assert!(motion.stretches(30 * MS, 201 * MS).is_none());
        assert!(motion.stretches(-1, 100 * MS).is_none());
    }

    #[test]
    fn a_silent_gyro_is_not_taken_for_a_straight_way() {
        let mut motion = arc();
        motion.yaw_rate.drain(5..16);
        assert!(motion.stretches(0, 20 * MS).unwrap()[0].gyro_turn.is_some());
        assert!(motion.stretches(0, 200 * MS).unwrap().iter().any(|s| s.gyro_turn.is_none()));
    }

    #[test]
    fn reset_odometry_does_not_move_the_robot() {
        let mut motion = arc();
        motion.add_odometry(220 * MS, Pose2::new(-7.0, 0.0, 0.0));
        let last = motion.stretches(200 * MS, 220 * MS).unwrap()[0];
        assert!(last.jumped && last.displacement == [0.0, 0.0]);
    }

    #[test]
    fn old_samples_go_and_stale_ones_are_refused() {
        let mut motion = arc();
        motion.forget_before(105 * MS);
        assert_eq!(motion.odometry_span(), Some((100 * MS, 200 * MS)));
        assert!(motion.odometry_at(105 * MS).is_some());
        assert!(!motion.add_odometry(200 * MS, Pose2::default()));
    }
}
