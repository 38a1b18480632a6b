//! Sightings: where the locator says that a tag is.

use serde::{Deserialize, Serialize};

use crate::address::FaceId;
use crate::uid::Uid;

/// One tag, located in one pass along one row face. Knows no catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// Tag identifier.
    pub uid: Uid,
    /// Name of the pass.
    pub scan: String,
    /// The row face it was seen on; `None` for reads from outside any site.
    pub face: Option<FaceId>,
    /// Stamp of the last read used, ns; `None` without a clock.
    pub stamp_ns: Option<i64>,
    /// Place along the shelf, x of the face frame, m.
    pub along_m: f32,
    /// Standard deviation of `along_m`, m.
    pub along_std_m: f32,
    /// Distance from the antenna's track at the nadir, m.
    pub range_m: f32,
    /// Height above the floor, m; NaN where the antennas cannot tell.
    pub height_m: f32,
    /// Probability of each tier, from tier 1; empty where the antennas cannot tell.
    pub tier_probability: Vec<f32>,
    /// Probability that the tag is on this face at all, and not behind it or across the aisle.
    pub face_probability: f32,
    /// Order along the tier within the pass, from 0.
    pub rank: u32,
    /// Probability that the tag stands to the right of its left neighbour in `rank`; 1 for the first.
    pub rank_confidence: f32,
    /// Reads used.
    pub reads: u32,
    /// Strongest RSSI, dBm; NaN when not given.
    pub rssi_dbm: f32,
}

impl Sighting {
    /// The most probable tier, from 1, with its probability.
    pub fn tier(&self) -> Option<(u8, f32)> {
        let mut best: Option<(u8, f32)> = None;
        for (i, &p) in self.tier_probability.iter().enumerate() {
            if best.is_none_or(|(_, b)| p > b) {
                best = Some((i as u8 + 1, p));
            }
        }
        best
    }
}
