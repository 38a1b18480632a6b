//! The face decoder: place, tier and side of each tag of a pass, by its neighbours.

use domain::Scan;

use super::weights::Weights;
use super::{FaceLayout, LocateSettings, MOVE_M};
use crate::settings::FaceGeometry;

/// Tags of a tier that are decoded together.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceWindow {
    /// Index of the tier that the fit has them on.
    pub tier: usize,
    /// Index of the tag of each token, as in the scan.
    pub tags: Vec<usize>,
    /// Where the fit has each of them along the face, m.
    pub start_m: Vec<f64>,
    /// Whether the token's answer counts.
    pub home: Vec<bool>,
    /// Numbers of each tag ([`super::FaceLayout`]).
    pub tokens: Vec<f32>,
}

/// Numbers of an answer: move, logarithm of its error, and the scores of what [`FaceAnswer::classes`] holds.
pub const FACE_OUTPUTS: usize = 7;

/// What the decoder says of one tag of a face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceAnswer {
    /// How much the tag is farther along than the fit has it, m.
    pub move_m: f64,
    /// Mean error to expect of that, m.
    pub error_m: f64,
    /// Probabilities: a tier below the fit's, the fit's tier, one above, another tier of the face, not on the face.
    pub classes: [f64; 5],
}

impl Weights {
    /// An answer for each tag of a face's window.
    pub fn face_answers(&self, window: &FaceWindow) -> Vec<FaceAnswer> {
        let layout = FaceLayout::default();
        self.both_ways(&window.tokens, |token| layout.mirror(token))
            .chunks_exact(FACE_OUTPUTS)
            .map(|o| {
                let top = o[2..].iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let e: [f64; 5] = std::array::from_fn(|k| f64::from(o[2 + k] - top).exp());
                let sum: f64 = e.iter().sum();
                FaceAnswer {
                    move_m: f64::from(o[0]) * MOVE_M,
                    error_m: f64::from(o[1]).clamp(-6.0, 4.0).exp() * MOVE_M,
                    classes: e.map(|v| v / sum),
                }
            })
            .collect()
    }
}

/// The windows that the face decoder makes of a pass: what `shelfwright learn` teaches it from.
pub fn face_windows(scan: &Scan, face: &FaceGeometry, settings: &LocateSettings) -> Vec<FaceWindow> {
    crate::locate_face::fit_windows(scan, face, settings)
}
