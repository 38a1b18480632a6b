//! People who walk to and fro along a line, stop for a while at its ends, and on the way to read. For a robot in front of
//! them they stop too; when it does not let them by, they squeeze past it.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::rng::hash_stream;
use crate::scenario::PersonSettings;

/// A robot nearer than this makes a person wait, m, between the middles of both.
const WAIT_M: f64 = 0.9;
/// How long a person waits for a robot, s: the least and the most.
const PATIENCE_S: [f64; 2] = [3.0, 10.0];
/// Between the middles of a robot and of a person beside it, m.
const BESIDE_M: f64 = 0.58;
/// A robot is passed when it is so far behind, m.
const PASSED_M: f64 = 0.7;
/// How fast a person steps aside, m/s.
const ASIDE_MPS: f64 = 0.4;

/// A person's state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Person {
    settings: PersonSettings,
    length_m: f64,
    /// Way from `from_m`, m.
    along_m: f64,
    outward: bool,
    /// Time left of a stop, s.
    stop_s: f64,
    /// Patience left, s, while a robot is in the way.
    patience_s: Option<f64>,
    /// Squeezes past a robot.
    passing: bool,
    /// Beside the line, to the left of the way outward, m.
    aside_m: f64,
    /// Way left until the next book that is worth reading, m.
    to_book_m: f64,
    rng: ChaCha8Rng,
}

impl Person {
    /// The floor that they are on, as the scenario names it.
    pub(crate) fn floor(&self) -> Option<&str> {
        self.settings.floor.as_deref()
    }

    /// A person at the start of the walk.
    pub fn new(settings: PersonSettings, mut rng: ChaCha8Rng) -> Self {
        let (dx, dy) = (settings.to_m[0] - settings.from_m[0], settings.to_m[1] - settings.from_m[1]);
        let stop_s = rng.random_range(0.0..=settings.stop_s);
        let to_book_m = to_book_m(&settings, &mut rng);
        Self {
            to_book_m,
            settings,
            length_m: libm::hypot(dx, dy),
            along_m: 0.0,
            outward: true,
            stop_s,
            patience_s: None,
            passing: false,
            aside_m: 0.0,
            rng,
        }
    }

    /// Direction of the way outward.
    fn direction(&self) -> [f64; 2] {
        let (a, b) = (self.settings.from_m, self.settings.to_m);
        if self.length_m > 0.0 { [0, 1].map(|i| (b[i] - a[i]) / self.length_m) } else { [1.0, 0.0] }
    }

    /// Where the person is on the map, m.
    pub fn at(&self) -> [f64; 2] {
        let (from, [dx, dy]) = (self.settings.from_m, self.direction());
        [from[0] + self.along_m * dx - self.aside_m * dy, from[1] + self.along_m * dy + self.aside_m * dx]
    }

    /// Direction that the person looks to on the map, rad.
    pub fn facing(&self) -> f64 {
        let [dx, dy] = self.direction();
        let ahead = if self.outward { 1.0 } else { -1.0 };
        libm::atan2(ahead * dy, ahead * dx)
    }

    /// Walks on for `dt` seconds, with robots at the given places.
    pub fn walk(&mut self, robots: &[[f64; 2]], dt: f64) {
        if self.stop_s > 0.0 {
            self.stop_s -= dt;
            return;
        }
        let ahead = if self.outward { 1.0 } else { -1.0 };
        let here = self.at();
        let [dx, dy] = self.direction();
        // The nearest robot that is not behind: how far ahead, and how far to the left of the line.
        let robot = robots
            .iter()
            .map(|r| [r[0] - here[0], r[1] - here[1]])
            .map(|v| [ahead * (v[0] * dx + v[1] * dy), v[1] * dx - v[0] * dy + self.aside_m])
            .filter(|r| r[0] > -PASSED_M && libm::hypot(r[0], r[1] - self.aside_m) < 2.0 * WAIT_M)
            .min_by(|a, b| libm::hypot(a[0], a[1]).total_cmp(&libm::hypot(b[0], b[1])));
        self.passing &= robot.is_some();
        let wanted = match robot {
            // Past on the side where more room is left between the robot and the line.
            Some([_, left]) if self.passing && left.abs() < BESIDE_M => {
                left - if left > 0.0 { BESIDE_M } else { -BESIDE_M }
            }
            _ => 0.0,
        };
        let step = (wanted - self.aside_m).clamp(-ASIDE_MPS * dt, ASIDE_MPS * dt);
        let clear =
            robot.is_none_or(|[far, left]| libm::hypot(far, left - self.aside_m - step) > BESIDE_M - 0.02);
        if clear || wanted != 0.0 {
            self.aside_m += step;
        }
        let stepping = self.passing && (wanted - self.aside_m).abs() > 0.02;
        let blocked =
            robot.is_some_and(|[far, left]| far > 0.0 && libm::hypot(far, left - self.aside_m) < WAIT_M);
        if stepping || (blocked && !self.passing) {
            let rng = &mut self.rng;
            let left = self.patience_s.get_or_insert_with(|| rng.random_range(PATIENCE_S[0]..=PATIENCE_S[1]));
            *left -= dt;
            self.passing |= *left <= 0.0;
            return;
        }
        self.patience_s = None;
        let step_m = self.settings.speed_mps * dt;
        self.along_m += ahead * step_m;
        self.to_book_m -= step_m;
        if self.to_book_m <= 0.0 {
            self.to_book_m = to_book_m(&self.settings, &mut self.rng);
            self.stop_s = self.rng.random_range(0.0..=self.settings.read_s);
        }
        if self.along_m <= 0.0 || self.along_m >= self.length_m {
            self.along_m = self.along_m.clamp(0.0, self.length_m);
            self.outward = !self.outward;
            self.passing = false;
            self.stop_s = self.rng.random_range(0.0..=self.settings.stop_s);
        }
    }

    /// Adds the whole state to a state hash.
    pub fn hash_into(&self, hash: &mut Sha256) {
        for v in [self.along_m, self.aside_m, self.stop_s, self.patience_s.unwrap_or(-1.0), self.to_book_m] {
            hash.update(v.to_bits().to_le_bytes());
        }
        hash.update([u8::from(self.outward), u8::from(self.passing)]);
        hash_stream(&self.rng, hash);
    }
}

/// Way until somebody stops to read, m: exponential, and without end for those who never do.
fn to_book_m(settings: &PersonSettings, rng: &mut ChaCha8Rng) -> f64 {
    if settings.read_every_m <= 0.0 {
        return f64::INFINITY;
    }
    -settings.read_every_m * libm::log(1.0 - rng.random::<f64>())
}
