//! Settings of HF tags and readers (ISO 15693), each with unit, default and reason.

use serde::{Deserialize, Serialize};

use crate::radio::error::RadioError;
use crate::radio::settings::{count, within};

/// HF tags, antennas and inventory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HfSettings {
    /// Width (along the shelf) and height of an antenna's loop, m: the plate that fits between two boards.
    pub loop_m: [f64; 2],
    /// Current times turns in the loop, A. 0.8 from a reader of some watts: tags at the spine answer from plates a
    /// hand's breadth away, those at the fore edge hardly.
    pub ampere_turns: f64,
    /// What the tags' circuits are tuned to, MHz. Above the carrier: tags that stand together pull each other down.
    pub resonance_mhz: f64,
    /// Spread of that from tag to tag, MHz.
    pub resonance_spread_mhz: f64,
    /// Quality factor of a tag's circuit with its chip at work.
    pub quality: f64,
    /// Coupling coefficient of two tags that lie on each other.
    pub coupling: f64,
    /// Mean radius of a tag's coil, m (labels of 45 × 75 mm). Coupling falls to a third at that distance.
    pub coil_radius_m: f64,
    /// Field that wakes a tuned tag that lies square in it, A/m (ISO 15693 asks for 0.15 at the most).
    pub threshold_a_per_m: f64,
    /// Spread of that from tag to tag, dB.
    pub threshold_spread_db: f64,
    /// Spread of a tag's direction about the shelf's, degrees: covers are not quite square to it.
    pub angle_spread_deg: f64,
    /// Jitter of the field from round to round, dB.
    pub jitter_db: f64,
    /// Share of sound replies that are lost anyway.
    pub loss_share: f64,
    /// Time that the reader itself needs for each answer, s. With it a reader takes 30 to 60 tags a second, as readers for
    /// shelves do.
    pub turnaround_s: f64,
    /// Time between two rounds that the reader needs for itself, s.
    pub round_gap_s: f64,
    /// Longest mask of the anticollision, bits.
    pub mask_bits: u32,
}

impl Default for HfSettings {
    fn default() -> Self {
        Self {
            loop_m: [0.12, 0.20],
            ampere_turns: 0.8,
            resonance_mhz: 14.3,
            resonance_spread_mhz: 0.15,
            quality: 12.0,
            coupling: 0.35,
            coil_radius_m: 0.02,
            threshold_a_per_m: 0.10,
            threshold_spread_db: 1.0,
            angle_spread_deg: 4.0,
            jitter_db: 0.5,
            loss_share: 0.02,
            turnaround_s: 0.014,
            round_gap_s: 0.005,
            mask_bits: 32,
        }
    }
}

impl HfSettings {
    /// Refuses the first setting that is out of range, by its name.
    pub(in crate::radio) fn check(&self) -> Result<(), RadioError> {
        within("hf.loop_m", self.loop_m[0], 0.02, 1.0, "0.02 to 1 m")?;
        within("hf.loop_m", self.loop_m[1], 0.02, 1.0, "0.02 to 1 m")?;
        within("hf.ampere_turns", self.ampere_turns, 0.0, 20.0, "0 to 20 A")?;
        within("hf.resonance_mhz", self.resonance_mhz, 10.0, 20.0, "10 to 20 MHz")?;
        within("hf.resonance_spread_mhz", self.resonance_spread_mhz, 0.0, 2.0, "0 to 2 MHz")?;
        within("hf.quality", self.quality, 1.0, 100.0, "1 to 100")?;
        within("hf.coupling", self.coupling, 0.0, 0.9, "0 to 0.9")?;
        within("hf.coil_radius_m", self.coil_radius_m, 0.005, 0.1, "0.005 to 0.1 m")?;
        within("hf.threshold_a_per_m", self.threshold_a_per_m, 0.001, 10.0, "0.001 to 10 A/m")?;
        within("hf.threshold_spread_db", self.threshold_spread_db, 0.0, 10.0, "0 to 10 dB")?;
        within("hf.angle_spread_deg", self.angle_spread_deg, 0.0, 45.0, "0 to 45°")?;
        within("hf.jitter_db", self.jitter_db, 0.0, 20.0, "0 to 20 dB")?;
        within("hf.loss_share", self.loss_share, 0.0, 0.99, "0 to 0.99")?;
        within("hf.turnaround_s", self.turnaround_s, 0.0, 0.1, "0 to 0.1 s")?;
        within("hf.round_gap_s", self.round_gap_s, 0.0001, 1.0, "0.0001 to 1 s")?;
        count("hf.mask_bits", self.mask_bits as usize, 4, 60, "4 to 60 bits")
    }
}
