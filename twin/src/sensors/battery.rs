//! A battery that empties: the electronics draw always, the motors by speed.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A battery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BatterySettings {
    /// Energy when full, Wh.
    pub capacity_wh: f64,
    /// Charge at the start, 0 to 1.
    pub charge: f64,
    /// What electronics and reader draw, W.
    pub idle_w: f64,
    /// What a dock gives, W.
    pub dock_w: f64,
}

impl Default for BatterySettings {
    fn default() -> Self {
        Self { capacity_wh: 480.0, charge: 0.9, idle_w: 45.0, dock_w: 250.0 }
    }
}

/// What the motors draw at 1 m/s, W.
const DRIVE_W_PER_MPS: f64 = 60.0;
/// Voltage that the capacity in Ah is told at, V.
pub const NOMINAL_V: f64 = 25.2;
/// Voltage of an empty and of a full battery, V: seven lithium cells in series.
const EMPTY_FULL_V: [f64; 2] = [21.0, 29.4];

/// A battery's state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Battery {
    settings: BatterySettings,
    left_wh: f64,
    draw_w: f64,
}

impl Battery {
    /// A battery with its charge at the start.
    pub fn new(settings: BatterySettings) -> Self {
        let left_wh = settings.capacity_wh * settings.charge;
        Self { settings, left_wh, draw_w: 0.0 }
    }

    /// Takes out what `dt` seconds at a speed cost, and puts in what a dock gives.
    pub fn drain(&mut self, speed_mps: f64, docked: bool, dt: f64) {
        let full = self.settings.capacity_wh;
        let dock_w = if docked && self.left_wh < full { self.settings.dock_w } else { 0.0 };
        self.draw_w = self.settings.idle_w + DRIVE_W_PER_MPS * speed_mps.abs() - dock_w;
        self.left_wh = (self.left_wh - self.draw_w * dt / 3600.0).clamp(0.0, full);
    }

    /// Leaves at most a charge of 0 to 1.
    pub fn limit(&mut self, charge: f64) {
        self.left_wh = self.left_wh.min(charge * self.settings.capacity_wh);
    }

    /// Whether more goes in than out.
    pub fn charging(&self) -> bool {
        self.draw_w < 0.0
    }

    /// Charge, 0 to 1.
    pub fn charge(&self) -> f64 {
        self.left_wh / self.settings.capacity_wh
    }

    /// Voltage, V.
    pub fn voltage(&self) -> f64 {
        EMPTY_FULL_V[0] + (EMPTY_FULL_V[1] - EMPTY_FULL_V[0]) * self.charge()
    }

    /// Current out of the battery, A; below 0 while it charges.
    pub fn current(&self) -> f64 {
        self.draw_w / self.voltage()
    }

    /// Whether it gives no more power: the robot stands still.
    pub fn empty(&self) -> bool {
        self.left_wh <= 0.0
    }

    /// Settings.
    pub fn settings(&self) -> &BatterySettings {
        &self.settings
    }

    /// Adds the whole state to a state hash.
    pub fn hash_into(&self, hash: &mut Sha256) {
        hash.update(self.left_wh.to_bits().to_le_bytes());
    }
}
