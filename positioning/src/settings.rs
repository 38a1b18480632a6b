//! What can be set about locating tags, and the shape of a row face as the fit needs it.

use domain::FaceId;
use domain::site::Face;
use serde::{Deserialize, Serialize};

/// Settings of [`crate::locate_row`] and [`crate::locate_face`]. The defaults hold for UHF readers with phase
/// (China, ETSI and FCC bands) 0.3 to 1.5 m away from the tags.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LocateSettings {
    /// Reads of one tag, antenna and carrier closer together than this are averaged, m. A tenth of the 16 cm in
    /// which the phase turns once loses nothing.
    pub cell_m: f64,
    /// Nearest and farthest range from the track that a row may have, m.
    pub range_m: [f64; 2],
    /// How far beyond the ends of the track a tag may be, m.
    pub beyond_track_m: f64,
    /// Standard deviation of a tag's own range around the one its row shares, m. Small: the phase error from
    /// coupling bends a profile more than real differences of range do.
    pub range_spread_m: f64,
    /// Phase residual from which on a cell loses weight (Huber), rad.
    pub huber_rad: f64,
    /// Phase error by coupling and reflections, RMS, rad: what a fit cannot know from its own residuals.
    pub coupling_rms_rad: f64,
    /// Distance of the antenna over which that error stays alike, m.
    pub coupling_length_m: f64,
    /// Weight of the place that the received power gives, against that of the phase (0 to 1).
    pub power_weight: f64,
    /// Whether the reader may report phases off by π (Miller modes of some readers).
    pub pi_ambiguous: bool,
    /// Distance of the face across the aisle from the face that is read, m.
    pub aisle_m: f64,
    /// Whether the decoder moves what the fit has placed; without it the fit alone answers.
    pub decode: bool,
    /// Width of a coverage bin along the face, m.
    pub coverage_bin_m: f64,
}

impl Default for LocateSettings {
    fn default() -> Self {
        Self {
            cell_m: 0.01,
            range_m: [0.25, 1.5],
            beyond_track_m: 0.25,
            range_spread_m: 0.03,
            huber_rad: 1.0,
            coupling_rms_rad: 0.8,
            coupling_length_m: 0.08,
            power_weight: 0.2,
            pi_ambiguous: false,
            aisle_m: 1.5,
            decode: true,
            coverage_bin_m: 0.1,
        }
    }
}

/// One tier of a face, the same in every bay.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TierGeometry {
    /// Height of the board that the books stand on, m above the floor.
    pub board_m: f64,
    /// Clear height above the board, m.
    pub clear_m: f64,
}

/// A row face as [`crate::locate_face`] needs it, in face coordinates ([`domain::site`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaceGeometry {
    /// Its name.
    pub face: FaceId,
    /// Length along x, m.
    pub length_m: f64,
    /// Depth of the shelves, m; a double-sided row's other face starts `2 * depth_m` behind this one.
    pub depth_m: f64,
    /// Tiers from the bottom.
    pub tiers: Vec<TierGeometry>,
}

impl FaceGeometry {
    /// The geometry of a face of the site.
    pub fn new(id: FaceId, face: &Face) -> Self {
        let tiers =
            face.tiers.iter().map(|t| TierGeometry { board_m: t.board_m, clear_m: t.clear_m }).collect();
        Self { face: id, length_m: face.length_m(), depth_m: face.depth_m, tiers }
    }
}
