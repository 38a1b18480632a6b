//! Where a tag that was read from the aisle may be: on which tier of the face, or not on the face at all.

use crate::settings::{FaceGeometry, LocateSettings};

/// Which side of things a tag is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// On the face that the robot reads.
    Front,
    /// On the row's other face, behind the panel.
    Behind,
    /// On the face across the aisle, behind the antennas.
    Across,
}

/// One candidate line of tags along the face.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hypothesis {
    pub side: Side,
    /// Index into the face's tiers.
    pub tier: usize,
    /// Out of the face, m.
    pub y: f32,
    /// Height, m.
    pub z: f32,
    /// Logarithm of the prior probability.
    pub prior: f32,
}

/// Depth of a tag behind the front edge: books stand with their spines there.
pub(crate) const TAG_Y: f64 = -0.015;
/// Height over the board at which tags are looked for, m: a few centimetres more or less change no place along the face.
pub(crate) const TAG_Z: f64 = 0.08;
/// Before any read: how many of the tags read belong to the face, to the one behind, to the one across.
const SHARES: [f64; 3] = [0.90, 0.05, 0.05];

/// All candidates: each tier in front, behind and across.
pub(crate) fn hypotheses(face: &FaceGeometry, settings: &LocateSettings) -> Vec<Hypothesis> {
    let mut out = Vec::new();
    let tiers = face.tiers.len().max(1) as f64;
    for (tier, t) in face.tiers.iter().enumerate() {
        let mut add = |side, y: f64, share: f64| {
            out.push(Hypothesis {
                side,
                tier,
                y: y as f32,
                z: (t.board_m + TAG_Z) as f32,
                prior: (share / tiers).ln() as f32,
            });
        };
        add(Side::Front, TAG_Y, SHARES[0]);
        add(Side::Behind, -2.0 * face.depth_m - TAG_Y, SHARES[1]);
        add(Side::Across, settings.aisle_m - TAG_Y, SHARES[2]);
    }
    out
}
