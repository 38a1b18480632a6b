//! The drive of a differential robot: velocity commands to wheel speeds, wheel speeds to forces on the body.
//!
//! The wheels turn as the motors make them; what the floor makes of it is friction: the body is pushed towards
//! the motion that the wheels ask for, with no more force than they can hold. So a robot at a wall stands still
//! while its wheels slip, and its odometry goes on counting.

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::rng::{gauss, hash_stream};

/// Drive of a robot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BaseSettings {
    /// Radius of the driven wheels, m.
    pub wheel_radius_m: f64,
    /// Distance between the driven wheels, m.
    pub track_m: f64,
    /// Radius of the round chassis, m.
    pub radius_m: f64,
    /// Mass, kg.
    pub mass_kg: f64,
    /// Highest speed, m/s.
    pub max_speed_mps: f64,
    /// Highest turn rate, rad/s.
    pub max_turn_radps: f64,
    /// Highest change of speed, m/s².
    pub max_accel_mps2: f64,
    /// Highest change of turn rate, rad/s².
    pub max_turn_accel_radps2: f64,
    /// Friction coefficient between wheels and floor.
    pub friction: f64,
    /// Standard deviation of each wheel's slip, a share of its speed.
    pub slip: f64,
    /// Without a command for this long the robot stops, s.
    pub command_timeout_s: f64,
}

impl Default for BaseSettings {
    fn default() -> Self {
        Self {
            wheel_radius_m: 0.08,
            track_m: 0.42,
            radius_m: 0.28,
            mass_kg: 45.0,
            max_speed_mps: 0.8,
            max_turn_radps: 1.2,
            max_accel_mps2: 0.6,
            max_turn_accel_radps2: 2.0,
            friction: 0.6,
            slip: 0.006,
            command_timeout_s: 0.5,
        }
    }
}

/// How long a wheel keeps its slip, s: a stretch of floor or dust under it.
const SLIP_TIME_S: f64 = 0.5;
const GRAVITY_MPS2: f64 = 9.81;

/// Motion on the floor in the body's frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanarVelocity {
    /// Forward, m/s.
    pub forward_mps: f64,
    /// To the left, m/s.
    pub left_mps: f64,
    /// Counter-clockwise, rad/s.
    pub turn_radps: f64,
}

/// The drive's state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Base {
    settings: BaseSettings,
    command: (f64, f64),
    command_ns: Option<i64>,
    /// Speeds after the acceleration limits: m/s and rad/s.
    ramp: (f64, f64),
    /// Angles that the left and right wheel have turned, rad.
    wheel_rad: [f64; 2],
    slip: [f64; 2],
    /// In place of the settings' slip.
    slippery: Option<f64>,
    rng: ChaCha8Rng,
}

impl Base {
    /// A drive at rest.
    pub fn new(settings: BaseSettings, rng: ChaCha8Rng) -> Self {
        Self {
            settings,
            command: (0.0, 0.0),
            command_ns: None,
            ramp: (0.0, 0.0),
            wheel_rad: [0.0; 2],
            slip: [0.0; 2],
            slippery: None,
            rng,
        }
    }

    /// Takes a velocity command: m/s forward and rad/s counter-clockwise. What is not finite counts as 0.
    pub fn command(&mut self, now_ns: i64, forward_mps: f64, turn_radps: f64) {
        let finite = |v: f64, limit: f64| if v.is_finite() { v.clamp(-limit, limit) } else { 0.0 };
        let s = &self.settings;
        self.command = (finite(forward_mps, s.max_speed_mps), finite(turn_radps, s.max_turn_radps));
        self.command_ns = Some(now_ns);
    }

    /// Lets the wheels slip by another share than the settings', or by theirs again.
    pub fn set_slip(&mut self, slip: Option<f64>) {
        self.slippery = slip;
    }

    /// Turns the wheels for one step and gives the motion that they ask of the body.
    pub fn turn_wheels(&mut self, now_ns: i64, dt: f64) -> PlanarVelocity {
        let s = &self.settings;
        let timeout_ns = (s.command_timeout_s * 1e9) as i64;
        let fresh = self.command_ns.is_some_and(|t| now_ns - t <= timeout_ns);
        let goal = if fresh { self.command } else { (0.0, 0.0) };
        let towards = |from: f64, to: f64, step: f64| from + (to - from).clamp(-step, step);
        self.ramp.0 = towards(self.ramp.0, goal.0, s.max_accel_mps2 * dt);
        self.ramp.1 = towards(self.ramp.1, goal.1, s.max_turn_accel_radps2 * dt);

        let half = s.track_m / 2.0;
        let rim = [self.ramp.0 - self.ramp.1 * half, self.ramp.0 + self.ramp.1 * half];
        let mut ground = [0.0; 2];
        let decay = libm::exp(-dt / SLIP_TIME_S);
        let kick = self.slippery.unwrap_or(s.slip) * libm::sqrt(1.0 - decay * decay);
        for side in 0..2 {
            self.slip[side] = self.slip[side] * decay + kick * gauss(&mut self.rng);
            self.wheel_rad[side] += rim[side] / s.wheel_radius_m * dt;
            ground[side] = rim[side] * (1.0 - self.slip[side]);
        }
        PlanarVelocity {
            forward_mps: (ground[0] + ground[1]) / 2.0,
            left_mps: 0.0,
            turn_radps: (ground[1] - ground[0]) / s.track_m,
        }
    }

    /// The push that the floor gives in one step to a body that moves with `now` while the wheels ask for
    /// `wanted`: impulse forward and to the left, N·s, and turning impulse, N·m·s.
    pub fn push(&self, now: PlanarVelocity, wanted: PlanarVelocity, inertia: f64, dt: f64) -> [f64; 3] {
        let s = &self.settings;
        let hold = s.friction * s.mass_kg * GRAVITY_MPS2 * dt;
        let forward = s.mass_kg * (wanted.forward_mps - now.forward_mps);
        let left = s.mass_kg * (wanted.left_mps - now.left_mps);
        let size = libm::hypot(forward, left);
        let share = if size > hold { hold / size } else { 1.0 };
        let turn_hold = hold * s.track_m / 2.0;
        let turn = (inertia * (wanted.turn_radps - now.turn_radps)).clamp(-turn_hold, turn_hold);
        [forward * share, left * share, turn]
    }

    /// Angles that the left and right wheel have turned since the start, rad.
    pub fn wheel_rad(&self) -> [f64; 2] {
        self.wheel_rad
    }

    /// Settings.
    pub fn settings(&self) -> &BaseSettings {
        &self.settings
    }

    /// Whether the motors work.
    pub fn driving(&self) -> bool {
        self.ramp != (0.0, 0.0)
    }

    /// Adds the whole state to a state hash.
    pub fn hash_into(&self, hash: &mut Sha256) {
        let values = [
            self.command.0,
            self.command.1,
            self.ramp.0,
            self.ramp.1,
            self.wheel_rad[0],
            self.wheel_rad[1],
            self.slip[0],
            self.slip[1],
        ];
        for v in values {
            hash.update(v.to_bits().to_le_bytes());
        }
        hash.update(self.command_ns.unwrap_or(i64::MIN).to_le_bytes());
        hash_stream(&self.rng, hash);
    }
}
