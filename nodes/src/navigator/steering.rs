//! Steering laws: along a path of corner points (regulated pure pursuit, Macenski et al. 2023), and along a
//! line at constant speed. Pure functions of pose and path with a little memory; obstacles are not theirs.

use positioning::Pose2;
use positioning::pose::wrap_angle;
use serde::{Deserialize, Serialize};

/// Speeds and tolerances of the base.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SteeringParams {
    /// Speed on free ways, m/s. 0.5: a slow walk.
    pub speed_mps: f64,
    /// Turn rate at most, rad/s. 0.9: the base's limit is 1.2.
    pub turn_radps: f64,
    /// Deceleration planned for, m/s². 0.4: the base's limit is 0.6.
    pub brake_mps2: f64,
    /// Turn deceleration planned for, rad/s². 1.5: the base's limit is 2.
    pub turn_brake_radps2: f64,
    /// Point aimed at on the path ahead, m. 0.4: tighter cuts no corner, wider swings.
    pub lookahead_m: f64,
    /// Distance from the goal that counts as there, m. 0.05.
    pub goal_m: f64,
    /// Heading error that counts as there, degrees. 2.
    pub goal_deg: f64,
}

impl Default for SteeringParams {
    fn default() -> Self {
        Self {
            speed_mps: 0.5,
            turn_radps: 0.9,
            brake_mps2: 0.4,
            turn_brake_radps2: 1.5,
            lookahead_m: 0.4,
            goal_m: 0.05,
            goal_deg: 2.0,
        }
    }
}

/// What the base shall do.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Command {
    /// Forward, m/s.
    pub speed: f64,
    /// Counter-clockwise, rad/s.
    pub turn: f64,
}

/// Heading error from which it turns on the spot, and below which it drives again, radians.
const TURN_FROM: f64 = 0.8;
const TURN_UNTIL: f64 = 0.15;
const CREEP_MPS: f64 = 0.04;

/// A path being followed.
#[derive(Debug, Clone)]
pub struct PathFollower {
    path: Vec<[f64; 2]>,
    goal: Pose2,
    /// Corner points passed.
    passed: usize,
    turning: bool,
    arrived: bool,
}

impl PathFollower {
    /// Follows corner points to a goal and turns to its heading there.
    pub fn new(path: Vec<[f64; 2]>, goal: Pose2) -> Self {
        Self { path, goal, passed: 0, turning: false, arrived: false }
    }

    /// Way that is left, m.
    pub fn remaining(&self, at: Pose2) -> f64 {
        let mut from = [at.x, at.y];
        let mut sum = 0.0;
        for &p in self.path.iter().skip(self.passed + 1) {
            sum += distance(from, p);
            from = p;
        }
        sum
    }

    /// The next command; `None` once position and heading are within tolerance.
    pub fn steer(&mut self, at: Pose2, s: &SteeringParams) -> Option<Command> {
        let here = [at.x, at.y];
        let to_goal = distance(here, [self.goal.x, self.goal.y]);
        self.advance(here);
        // Once there it only turns: a step aside while turning is no reason to start over.
        self.arrived |= to_goal < s.goal_m;
        if self.arrived && to_goal < 3.0 * s.goal_m {
            let off = wrap_angle(self.goal.theta - at.theta);
            if off.abs() < s.goal_deg.to_radians() {
                return None;
            }
            return Some(turn_by(off, s));
        }
        self.arrived = false;
        let target = self.aim(here, s.lookahead_m);
        let bearing = wrap_angle((target[1] - at.y).atan2(target[0] - at.x) - at.theta);
        if bearing.abs() > TURN_FROM {
            self.turning = true;
        } else if bearing.abs() < TURN_UNTIL {
            self.turning = false;
        }
        if self.turning {
            return Some(turn_by(bearing, s));
        }
        let reach = distance(here, target).max(0.05);
        let curvature = 2.0 * bearing.sin() / reach;
        let brake = (2.0 * s.brake_mps2 * self.remaining(at).max(0.0)).sqrt();
        let curve = s.turn_radps / curvature.abs().max(1e-6);
        // Slower where it does not yet look along the path.
        let aligned = s.speed_mps * bearing.cos().powi(2);
        let speed = s.speed_mps.min(brake).min(curve).min(aligned).max(CREEP_MPS);
        Some(Command { speed, turn: (speed * curvature).clamp(-s.turn_radps, s.turn_radps) })
    }

    /// Moves on over corner points that lie behind.
    fn advance(&mut self, here: [f64; 2]) {
        while self.passed + 2 < self.path.len() {
            let (a, b, c) = (self.path[self.passed], self.path[self.passed + 1], self.path[self.passed + 2]);
            let beyond = share_along(a, b, here) >= 1.0;
            let nearer = to_segment(here, b, c) < to_segment(here, a, b);
            if !(beyond || nearer) {
                break;
            }
            self.passed += 1;
        }
    }

    /// The point on the path `ahead` metres after the place nearest to `here`.
    fn aim(&self, here: [f64; 2], ahead: f64) -> [f64; 2] {
        let Some(&a) = self.path.get(self.passed) else { return [self.goal.x, self.goal.y] };
        let b = self.path.get(self.passed + 1).copied().unwrap_or([self.goal.x, self.goal.y]);
        let share = share_along(a, b, here).clamp(0.0, 1.0);
        let mut from = [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])];
        let mut left = ahead;
        for &p in self.path.iter().skip(self.passed + 1) {
            let piece = distance(from, p);
            if piece >= left {
                let share = left / piece;
                return [from[0] + share * (p[0] - from[0]), from[1] + share * (p[1] - from[1])];
            }
            left -= piece;
            from = p;
        }
        [self.goal.x, self.goal.y]
    }
}

/// Turns on the spot by an angle, braking in time.
fn turn_by(off: f64, s: &SteeringParams) -> Command {
    let rate = (2.0 * s.turn_brake_radps2 * off.abs() * 0.5).sqrt().min(s.turn_radps).max(0.05);
    Command { speed: 0.0, turn: rate * off.signum() }
}

/// Along a line at a speed: `aside_m` to the left of it, turned by `off` from its direction.
pub fn along_line(aside_m: f64, off: f64, speed: f64, s: &SteeringParams) -> Command {
    // Aim at the line a lookahead in front; the gain closes a heading error within half a second.
    let wanted = (-aside_m).atan2(s.lookahead_m.max(0.1));
    let error = wrap_angle(wanted - off);
    if error.abs() > TURN_FROM {
        return turn_by(error, s);
    }
    Command { speed, turn: (2.0 * error).clamp(-0.6 * s.turn_radps, 0.6 * s.turn_radps) }
}

fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    (b[0] - a[0]).hypot(b[1] - a[1])
}

/// Where a point falls along a segment: 0 at its start, 1 at its end.
fn share_along(a: [f64; 2], b: [f64; 2], p: [f64; 2]) -> f64 {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let square = dx * dx + dy * dy;
    if square < 1e-12 { 1.0 } else { ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / square }
}

fn to_segment(p: [f64; 2], a: [f64; 2], b: [f64; 2]) -> f64 {
    let share = share_along(a, b, p).clamp(0.0, 1.0);
    distance(p, [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(mut at: Pose2, mut steer: impl FnMut(Pose2) -> Option<Command>) -> (Pose2, f64) {
        let mut seconds = 0.0;
        while let Some(c) = steer(at) {
            at = at * Pose2::new(0.05 * c.speed, 0.0, 0.05 * c.turn);
            seconds += 0.05;
            assert!(seconds < 120.0, "never arrives, stands at {at:?}");
        }
        (at, seconds)
    }

    #[test]
    fn the_goal_is_reached_from_every_heading() {
        let s = SteeringParams::default();
        for start in 0..12 {
            for end in 0..6 {
                let goal = Pose2::new(3.0, 2.0, f64::from(end));
                let path = vec![[0.0, 0.0], [3.0, 0.0], [3.0, 2.0]];
                let mut follower = PathFollower::new(path, goal);
                let (at, seconds) =
                    run(Pose2::new(0.0, 0.0, std::f64::consts::FRAC_PI_6 * f64::from(start)), |p| {
                        follower.steer(p, &s)
                    });
                assert!(at.distance(goal) < 0.15 && wrap_angle(at.theta - goal.theta).abs() < 0.04, "{at:?}");
                assert!(seconds < 40.0, "{seconds}");
            }
        }
    }

    #[test]
    fn the_line_is_found_from_both_sides_without_swinging_across() {
        let s = SteeringParams::default();
        for aside in [-0.25, 0.25] {
            let mut most: f64 = 0.0;
            let mut at = Pose2::new(0.0, aside, 0.0);
            for _ in 0..400 {
                let c = along_line(at.y, at.theta, 0.15, &s);
                at = at * Pose2::new(0.05 * c.speed, 0.0, 0.05 * c.turn);
                most = most.max(-at.y * aside.signum());
            }
            assert!(at.y.abs() < 0.005 && at.theta.abs() < 0.02, "{at:?}");
            assert!(most < 0.02, "swings {most} m across");
        }
    }
}
