//! Wheel odometry: what the encoders count, with a calibration that is a little wrong.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::base::BaseSettings;

/// Wheel odometry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OdometrySettings {
    /// Largest error of each wheel's believed radius, a share; drawn once a run, at least half of it.
    pub wheel_radius_error: f64,
    /// Largest error of the believed track, a share; drawn likewise.
    pub track_error: f64,
    /// Encoder ticks of one turn of a wheel.
    pub ticks_per_turn: u32,
}

impl Default for OdometrySettings {
    fn default() -> Self {
        Self { wheel_radius_error: 0.006, track_error: 0.01, ticks_per_turn: 4096 }
    }
}

/// What odometry believes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct OdometrySample {
    /// In the odom frame, m, m, rad.
    pub pose: [f64; 3],
    /// Forward speed, m/s, over the last interval.
    pub forward_mps: f64,
    /// Turn rate, rad/s, over the last interval.
    pub turn_radps: f64,
}

/// Odometry's state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Odometry {
    radius_m: [f64; 2],
    track_m: f64,
    rad_per_tick: f64,
    ticks: [i64; 2],
    sample: OdometrySample,
}

impl Odometry {
    /// Odometry at the origin of its frame. `rng` draws the miscalibration.
    pub fn new(settings: &OdometrySettings, base: &BaseSettings, mut rng: ChaCha8Rng) -> Self {
        let mut off = |most: f64| {
            let size = most * rng.random_range(0.5..=1.0);
            1.0 + if rng.random_bool(0.5) { size } else { -size }
        };
        // Both wheels share most of their error (load, tread); a tenth of it differs.
        let shared = off(settings.wheel_radius_error);
        let radius_m = [0, 1].map(|_| base.wheel_radius_m * shared * off(settings.wheel_radius_error * 0.1));
        let track_m = base.track_m * off(settings.track_error);
        let rad_per_tick = std::f64::consts::TAU / f64::from(settings.ticks_per_turn);
        Self { radius_m, track_m, rad_per_tick, ticks: [0; 2], sample: OdometrySample::default() }
    }

    /// Reads the encoders after an interval of `dt` seconds.
    pub fn read(&mut self, wheel_rad: [f64; 2], dt: f64) -> OdometrySample {
        let mut moved = [0.0; 2];
        for side in 0..2 {
            let ticks = libm::floor(wheel_rad[side] / self.rad_per_tick) as i64;
            moved[side] = (ticks - self.ticks[side]) as f64 * self.rad_per_tick * self.radius_m[side];
            self.ticks[side] = ticks;
        }
        let forward = (moved[0] + moved[1]) / 2.0;
        let turn = (moved[1] - moved[0]) / self.track_m;
        let [x, y, yaw] = self.sample.pose;
        let middle = yaw + turn / 2.0;
        self.sample = OdometrySample {
            pose: [x + forward * libm::cos(middle), y + forward * libm::sin(middle), wrap(yaw + turn)],
            forward_mps: forward / dt,
            turn_radps: turn / dt,
        };
        self.sample
    }

    /// The last sample.
    pub fn sample(&self) -> OdometrySample {
        self.sample
    }

    /// Adds the whole state to a state hash.
    pub fn hash_into(&self, hash: &mut Sha256) {
        let s = &self.sample;
        for v in [s.pose[0], s.pose[1], s.pose[2], s.forward_mps, s.turn_radps, self.track_m] {
            hash.update(v.to_bits().to_le_bytes());
        }
        self.ticks.iter().for_each(|t| hash.update(t.to_le_bytes()));
    }
}

/// An angle in (−π, π].
fn wrap(rad: f64) -> f64 {
    let turns = libm::floor((rad + std::f64::consts::PI) / std::f64::consts::TAU);
    rad - turns * std::f64::consts::TAU
}
