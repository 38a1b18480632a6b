//! Coverage: how surely a tag would have been read, had it stood at a place.

use serde::{Deserialize, Serialize};

use crate::address::FaceId;

/// Read probability along one tier of one row face after a pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Name of the pass.
    pub scan: String,
    /// The row face.
    pub face: FaceId,
    /// Tier from the bottom, from 1.
    pub tier: u8,
    /// Width of one bin along the shelf, m; bin `i` covers `[i, i+1) * bin_m` of the face frame's x.
    pub bin_m: f32,
    /// Probability, bin by bin, that a tag there would have been read at least once in this pass.
    pub read_probability: Vec<f32>,
}

impl Coverage {
    /// Read probability at a place along the shelf; 0 outside the bins.
    pub fn at(&self, along_m: f32) -> f32 {
        let bin = (along_m / self.bin_m).floor();
        if bin >= 0.0 { self.read_probability.get(bin as usize).copied().unwrap_or(0.0) } else { 0.0 }
    }
}
