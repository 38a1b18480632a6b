//! People who walk to and fro along a line, stop for a while at its ends, and for robots in front of them.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

use crate::rng::hash_stream;
use crate::scenario::PersonSettings;

/// A robot nearer than this makes a person wait, m, between the middles of both.
const WAIT_M: f64 = 0.9;

/// A person's state.
#[derive(Debug, Clone)]
pub struct Person {
    settings: PersonSettings,
    length_m: f64,
    /// Way from `from_m`, m.
    along_m: f64,
    outward: bool,
    /// Time left of a stop, s.
    stop_s: f64,
    rng: ChaCha8Rng,
}

impl Person {
    /// A person at the start of the walk.
    pub fn new(settings: PersonSettings, mut rng: ChaCha8Rng) -> Self {
        let (dx, dy) = (settings.to_m[0] - settings.from_m[0], settings.to_m[1] - settings.from_m[1]);
        let stop_s = rng.random_range(0.0..=settings.stop_s);
        Self { settings, length_m: libm::hypot(dx, dy), along_m: 0.0, outward: true, stop_s, rng }
    }

    /// Where the person is on the map, m.
    pub fn at(&self) -> [f64; 2] {
        let share = if self.length_m > 0.0 { self.along_m / self.length_m } else { 0.0 };
        let (a, b) = (self.settings.from_m, self.settings.to_m);
        [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])]
    }

    /// Walks on for `dt` seconds, with robots at the given places.
    pub fn walk(&mut self, robots: &[[f64; 2]], dt: f64) {
        if self.stop_s > 0.0 {
            self.stop_s -= dt;
            return;
        }
        let before = (self.along_m, self.at());
        let step = self.settings.speed_mps * dt;
        self.along_m += if self.outward { step } else { -step };
        let now = self.at();
        let distance = |p: [f64; 2], r: &[f64; 2]| libm::hypot(p[0] - r[0], p[1] - r[1]);
        if robots.iter().any(|r| distance(now, r) < WAIT_M && distance(now, r) < distance(before.1, r)) {
            self.along_m = before.0;
            return;
        }
        if self.along_m <= 0.0 || self.along_m >= self.length_m {
            self.along_m = self.along_m.clamp(0.0, self.length_m);
            self.outward = !self.outward;
            self.stop_s = self.rng.random_range(0.0..=self.settings.stop_s);
        }
    }

    /// Adds the whole state to a state hash.
    pub fn hash_into(&self, hash: &mut Sha256) {
        hash.update(self.along_m.to_bits().to_le_bytes());
        hash.update(self.stop_s.to_bits().to_le_bytes());
        hash.update([u8::from(self.outward)]);
        hash_stream(&self.rng, hash);
    }
}
