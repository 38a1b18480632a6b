//! An inertial unit: turn rate and acceleration with white noise and a bias that walks.

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::rng::{gauss, hash_stream};

/// An inertial unit, fixed at base_link. Defaults are those of a common MEMS part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImuSettings {
    /// Standard deviation of one turn-rate sample, rad/s.
    pub gyro_noise_radps: f64,
    /// Standard deviation of the turn rate's bias at the start, rad/s.
    pub gyro_bias_radps: f64,
    /// Growth of the turn rate's bias, rad/s per √s.
    pub gyro_bias_walk: f64,
    /// Standard deviation of one acceleration sample, m/s².
    pub accel_noise_mps2: f64,
    /// Standard deviation of the acceleration's bias, m/s², constant in a run.
    pub accel_bias_mps2: f64,
}

impl Default for ImuSettings {
    fn default() -> Self {
        Self {
            gyro_noise_radps: 0.003,
            gyro_bias_radps: 0.003,
            gyro_bias_walk: 0.0001,
            accel_noise_mps2: 0.04,
            accel_bias_mps2: 0.03,
        }
    }
}

/// One sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImuSample {
    /// Turn rates about base_link's axes, rad/s.
    pub turn_radps: [f64; 3],
    /// Specific force along base_link's axes, m/s²; at rest z shows gravity.
    pub accel_mps2: [f64; 3],
}

/// An inertial unit's state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Imu {
    settings: ImuSettings,
    gyro_bias: [f64; 3],
    accel_bias: [f64; 3],
    rng: ChaCha8Rng,
}

impl Imu {
    /// An inertial unit; its biases at the start are drawn from `rng`.
    pub fn new(settings: ImuSettings, mut rng: ChaCha8Rng) -> Self {
        let gyro_bias = [0; 3].map(|_| settings.gyro_bias_radps * gauss(&mut rng));
        let accel_bias = [0; 3].map(|_| settings.accel_bias_mps2 * gauss(&mut rng));
        Self { settings, gyro_bias, accel_bias, rng }
    }

    /// A sample of a body on a level floor: turn rate, rad/s, and acceleration forward and to the left, m/s².
    pub fn read(&mut self, turn_radps: f64, accel_mps2: [f64; 2], dt: f64) -> ImuSample {
        let walk = self.settings.gyro_bias_walk * libm::sqrt(dt);
        let mut turn = [0.0, 0.0, turn_radps];
        let mut accel = [accel_mps2[0], accel_mps2[1], 9.806_65];
        for axis in 0..3 {
            self.gyro_bias[axis] += walk * gauss(&mut self.rng);
            turn[axis] += self.gyro_bias[axis] + self.settings.gyro_noise_radps * gauss(&mut self.rng);
            accel[axis] += self.accel_bias[axis] + self.settings.accel_noise_mps2 * gauss(&mut self.rng);
        }
        ImuSample { turn_radps: turn, accel_mps2: accel }
    }

    /// Settings.
    pub fn settings(&self) -> &ImuSettings {
        &self.settings
    }

    /// Adds the whole state to a state hash.
    pub fn hash_into(&self, hash: &mut Sha256) {
        for v in self.gyro_bias.iter().chain(&self.accel_bias) {
            hash.update(v.to_bits().to_le_bytes());
        }
        hash_stream(&self.rng, hash);
    }
}
