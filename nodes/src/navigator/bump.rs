//! What the robot does when it touches something: it stops, backs off a little where the way behind it is free, and takes
//! the place for taken, as if the lidar had seen something there. So it drives around what the lidar does not show, or
//! waits before it.
//!
//! Everything is in the odom frame: within the time that a place is kept, the wheels know it to a few centimetres.

use positioning::Pose2;

use super::obstacles::Echoes;
use super::steering::Command;

/// It stands this long first, s: whoever is there notices it.
const STAND_S: f64 = 0.5;
/// Speed of backing off, m/s.
const BACK_MPS: f64 = 0.1;
/// Room that is left behind the robot, m.
const BEHIND_M: f64 = 0.05;
/// Backing off ends in any case after this time, s: the wheels may slip.
const LONGEST_S: f64 = 6.0;
/// Directions from straight ahead, radians, in which the bumper may have been touched: it does not tell where.
const FELT_RAD: [f64; 5] = [-0.8, -0.4, 0.0, 0.4, 0.8];
/// Places that are kept at most.
const FELT: usize = 100;

/// What the bumper has told.
#[derive(Debug, Default)]
pub(super) struct Bumps {
    /// How often it was pressed while a goal was worked on.
    pub(super) count: u64,
    felt: Vec<(i64, [f64; 2])>,
    backing: Option<Backing>,
}

#[derive(Debug)]
struct Backing {
    since_ns: i64,
    from: [f64; 2],
    done: bool,
}

/// The situation at a touch.
pub(super) struct Around<'a> {
    /// Whether the bumper is pressed now.
    pub(super) pressed: bool,
    /// The robot in the odom frame.
    pub(super) at: Pose2,
    pub(super) now_ns: i64,
    pub(super) echoes: &'a Echoes,
    /// Radius of the robot, m.
    pub(super) radius_m: f64,
    /// How far it backs off at most, m.
    pub(super) back_off_m: f64,
}

impl Bumps {
    /// The command in place of the goal's while it touches something or backs off from it.
    pub(super) fn react(&mut self, around: &Around<'_>) -> Option<Command> {
        let Around { pressed, at, now_ns, .. } = *around;
        if self.backing.is_none() && pressed {
            self.count += 1;
            let front =
                |angle: &f64| at.transform([around.radius_m * angle.cos(), around.radius_m * angle.sin()]);
            self.felt.extend(FELT_RAD.iter().map(front).map(|place| (now_ns, place)));
            let surplus = self.felt.len().saturating_sub(FELT);
            self.felt.drain(..surplus);
            self.backing = Some(Backing { since_ns: now_ns, from: [at.x, at.y], done: false });
        }
        let backing = self.backing.as_mut()?;
        let passed_s = (now_ns - backing.since_ns) as f64 * 1e-9;
        if passed_s < STAND_S {
            return Some(Command::default());
        }
        let way = (at.x - backing.from[0]).hypot(at.y - backing.from[1]);
        let left = around.back_off_m - way;
        backing.done |= left <= 0.0 || passed_s > LONGEST_S || !around.free_behind();
        if !backing.done {
            return Some(Command { speed: -BACK_MPS, turn: 0.0 });
        }
        // What still presses is not driven against.
        if pressed {
            return Some(Command::default());
        }
        self.backing = None;
        None
    }

    /// Places that were touched not longer ago than `kept_s`.
    pub(super) fn felt(&mut self, now_ns: i64, kept_s: f64) -> impl Iterator<Item = [f64; 2]> {
        self.felt.retain(|(t, _)| (now_ns - t) as f64 * 1e-9 <= kept_s);
        self.felt.iter().map(|f| f.1)
    }
}

impl Around<'_> {
    fn free_behind(&self) -> bool {
        let backwards = Pose2::new(self.at.x, self.at.y, self.at.theta + std::f64::consts::PI);
        self.echoes.free_way(backwards, BACK_MPS, 0.0, self.radius_m, 2.0 * BEHIND_M) > BEHIND_M
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(echoes: &Echoes, pressed: bool, x: f64, seconds: f64) -> Around<'_> {
        let now_ns = (seconds * 1e9) as i64;
        Around { pressed, at: Pose2::new(x, 0.0, 0.0), now_ns, echoes, radius_m: 0.3, back_off_m: 0.2 }
    }

    #[test]
    fn it_stands_then_backs_off_then_goes_on() {
        let (mut bumps, empty) = (Bumps::default(), Echoes::default());
        assert!(bumps.react(&around(&empty, false, 0.0, 0.0)).is_none());
        assert_eq!(bumps.react(&around(&empty, true, 0.0, 1.0)).unwrap().speed, 0.0);
        assert!(bumps.react(&around(&empty, true, 0.0, 1.6)).unwrap().speed < 0.0);
        assert!(bumps.react(&around(&empty, false, -0.1, 2.6)).unwrap().speed < 0.0);
        assert!(bumps.react(&around(&empty, false, -0.21, 3.6)).is_none());
        assert_eq!((bumps.count, bumps.felt(4_000_000_000, 60.0).count()), (1, 5));
        assert_eq!(bumps.felt(70_000_000_000, 60.0).count(), 0);
    }

    #[test]
    fn a_bumper_that_stays_pressed_holds_the_robot() {
        let (mut bumps, empty) = (Bumps::default(), Echoes::default());
        for tick in 0..1_200 {
            let command = bumps.react(&around(&empty, true, 0.0, f64::from(tick) * 0.05)).unwrap();
            assert!(command.speed <= 0.0);
        }
        assert_eq!(bumps.count, 1);
    }
}
