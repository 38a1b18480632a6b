//! What a robot does that does not know where it is: it turns once on the spot, then drives gently to where the last
//! scan shows most room, again and again, so that the localizer sees enough to tell like places apart.
//!
//! Everything is in the odom frame: the map says nothing yet. Nothing on the map holds it back either (a no-go zone,
//! stairs that are not fenced), which is why the way is bounded and may be set to 0.

use positioning::Pose2;
use positioning::pose::wrap_angle;

use super::obstacles::Echoes;
use super::steering::Command;

/// Turn rate while looking about, rad/s: slow, so that a scan is sharp.
const TURN_RADPS: f64 = 0.5;
/// Speed, m/s: braked within centimetres.
const SPEED_MPS: f64 = 0.2;
/// Longest stretch in one direction, m, and what stays free at its end.
const LEG_M: f64 = 2.0;
const KEEP_M: f64 = 0.2;
/// A shorter stretch is not worth it, m.
const SHORT_M: f64 = 0.15;
/// Directions that are looked at.
const DIRECTIONS: u32 = 36;
/// A direction counts as reached within this, radians.
const AIMED_RAD: f64 = 0.08;
/// Going back to where it came from is worth this share of the room there.
const BACK: f64 = 0.4;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    /// Turns once, from a heading; the angle so far.
    Looking { last: f64, turned: f64 },
    /// Turns to a heading, then drives a stretch.
    Aiming { heading: f64, way: f64 },
    /// Drives along a heading.
    Driving { from: [f64; 2], heading: f64, way: f64 },
}

/// A search under way.
#[derive(Debug, Clone)]
pub(super) struct Recovery {
    step: Step,
    last: [f64; 2],
    driven_m: f64,
}

impl Recovery {
    /// Begins at a pose in the odom frame.
    pub(super) fn new(odom_from_base: Pose2) -> Self {
        Self {
            step: Step::Looking { last: odom_from_base.theta, turned: 0.0 },
            last: [odom_from_base.x, odom_from_base.y],
            driven_m: 0.0,
        }
    }

    /// Way driven so far by odometry, m.
    pub(super) fn driven_m(&self) -> f64 {
        self.driven_m
    }

    /// What to do next; `blocked` says that the last command was held back by something in the way.
    pub(super) fn command(&mut self, at: Pose2, echoes: &Echoes, radius_m: f64, blocked: bool) -> Command {
        self.driven_m += (at.x - self.last[0]).hypot(at.y - self.last[1]);
        self.last = [at.x, at.y];
        match self.step {
            Step::Looking { last, turned } => {
                let turned = turned + wrap_angle(at.theta - last);
                if turned < std::f64::consts::TAU {
                    self.step = Step::Looking { last: at.theta, turned };
                    return Command { speed: 0.0, turn: TURN_RADPS };
                }
                self.choose(at, echoes, radius_m, at.theta)
            }
            Step::Aiming { heading, way } => {
                let off = wrap_angle(heading - at.theta);
                if off.abs() > AIMED_RAD {
                    return turn_by(off);
                }
                self.step = Step::Driving { from: self.last, heading, way };
                Command { speed: SPEED_MPS, turn: 0.0 }
            }
            Step::Driving { from, heading, way } => {
                let gone = (at.x - from[0]).hypot(at.y - from[1]);
                if gone >= way || blocked {
                    return self.choose(at, echoes, radius_m, heading);
                }
                let off = wrap_angle(heading - at.theta);
                Command { speed: SPEED_MPS, turn: off.clamp(-TURN_RADPS, TURN_RADPS) }
            }
        }
    }

    /// Chooses the next stretch: where most room is, rather not back along `heading`.
    fn choose(&mut self, at: Pose2, echoes: &Echoes, radius_m: f64, heading: f64) -> Command {
        let mut best = (0.0, at.theta, 0.0);
        for k in 0..DIRECTIONS {
            let theta = at.theta + f64::from(k) * std::f64::consts::TAU / f64::from(DIRECTIONS);
            let pose = Pose2::new(at.x, at.y, theta);
            let way = echoes.free_way(pose, SPEED_MPS, 0.0, radius_m, LEG_M + KEEP_M) - KEEP_M;
            let back = wrap_angle(theta - heading).abs() > 2.0;
            let worth = way * if back { BACK } else { 1.0 };
            if way >= SHORT_M && worth > best.0 {
                best = (worth, theta, way);
            }
        }
        let (worth, theta, way) = best;
        if worth <= 0.0 {
            // Hemmed in, by people most likely: it looks about until they have gone.
            self.step = Step::Looking { last: at.theta, turned: 0.0 };
            return Command { speed: 0.0, turn: TURN_RADPS };
        }
        self.step = Step::Aiming { heading: wrap_angle(theta), way };
        turn_by(wrap_angle(theta - at.theta))
    }
}

fn turn_by(off: f64) -> Command {
    Command { speed: 0.0, turn: (2.0 * off).clamp(-TURN_RADPS, TURN_RADPS) }
}
