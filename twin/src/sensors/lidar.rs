//! A planar lidar: distances to what the rays of one turn hit, with noise and lost echoes.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::rng::{gauss, hash_stream};

/// A lidar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LidarSettings {
    /// Height of the scan plane above the floor, over the middle of base_link, m.
    pub height_m: f64,
    /// Beams of one turn, the first one to the back, then counter-clockwise.
    pub beams: u32,
    /// Nearest distance that gives an echo, m.
    pub range_min_m: f64,
    /// Farthest distance that gives an echo, m.
    pub range_m: f64,
    /// Standard deviation of a distance, m.
    pub noise_m: f64,
    /// Share of beams whose echo is lost.
    pub dropout: f64,
    /// Farthest distance at which a white wall that is met squarely gives an echo, m. What is darker or slanted must be
    /// nearer, as the square root of the light that it gives back. When absent, all within `range_m` gives an echo.
    pub white_range_m: Option<f64>,
}

/// What a beam hits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Distance, m.
    pub distance_m: f64,
    /// Light that comes back, as a share of what a white wall met squarely would give: reflectance times cosine of the angle
    /// of incidence (Lambert).
    pub echo: f64,
}

impl Default for LidarSettings {
    fn default() -> Self {
        Self {
            height_m: 0.25,
            beams: 360,
            range_min_m: 0.10,
            range_m: 12.0,
            noise_m: 0.01,
            dropout: 0.005,
            white_range_m: None,
        }
    }
}

/// A lidar's state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Lidar {
    settings: LidarSettings,
    rng: ChaCha8Rng,
}

impl Lidar {
    /// A lidar with its noise.
    pub fn new(settings: LidarSettings, rng: ChaCha8Rng) -> Self {
        Self { settings, rng }
    }

    /// Settings.
    pub fn settings(&self) -> &LidarSettings {
        &self.settings
    }

    /// Direction of the first beam in base_link, rad.
    pub fn first_rad(&self) -> f64 {
        -std::f64::consts::PI
    }

    /// From beam to beam, rad.
    pub fn step_rad(&self) -> f64 {
        std::f64::consts::TAU / f64::from(self.settings.beams)
    }

    /// One turn. `cast` gives what a beam of a direction in base_link, rad, hits within the range.
    /// After REP-117: +∞ where no echo comes, −∞ where something is too close.
    pub fn scan(&mut self, cast: impl Fn(f64) -> Option<Hit>) -> Vec<f32> {
        let reach = self.settings.white_range_m.unwrap_or(f64::INFINITY);
        let mut ranges = Vec::with_capacity(self.settings.beams as usize);
        for beam in 0..self.settings.beams {
            let hit = cast(self.first_rad() + f64::from(beam) * self.step_rad())
                .filter(|hit| hit.distance_m <= reach * libm::sqrt(hit.echo))
                .map(|hit| hit.distance_m);
            // Both draws in any case, so that what a beam hits does not change the noise of the next one.
            let noise = self.settings.noise_m * gauss(&mut self.rng);
            let lost = self.rng.random_bool(self.settings.dropout);
            ranges.push(match hit {
                Some(d) if d < self.settings.range_min_m => f32::NEG_INFINITY,
                Some(d) if !lost => {
                    (d + noise).clamp(self.settings.range_min_m, self.settings.range_m) as f32
                }
                _ => f32::INFINITY,
            });
        }
        ranges
    }

    /// Adds the whole state to a state hash.
    pub fn hash_into(&self, hash: &mut Sha256) {
        hash_stream(&self.rng, hash);
    }
}
