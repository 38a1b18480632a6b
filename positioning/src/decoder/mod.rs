//! The tier decoder: what neighbouring tags' profiles say together, learnt from simulated lessons alone.
//!
//! Coupling bends a tag's phase and power profiles by what stands beside it. A fit of one tag takes that for noise; the
//! set network here has seen many simulated, coupled layouts and reads the order of the tags from it. Nothing
//! measured is in its weights (`shelfwright learn` makes them, and their header says from what).

mod face_decoder;
mod network;
mod row_tokens;
mod shape;
mod weights;

use crate::face::windows::FACE_INPUTS;
pub use crate::face::windows::FaceLayout;
pub use face_decoder::{FACE_OUTPUTS, FaceAnswer, FaceWindow, face_windows};
pub use network::{NORM_FLOOR, hard_swish, hard_swish_slope};
pub(crate) use row_tokens::{ROW_INPUTS, windows};
pub use row_tokens::{RowLayout, RowWindow};
pub use shape::Shape;
pub use weights::{Provenance, Weights, WeightsError};

use std::sync::OnceLock;

use domain::Scan;

use crate::settings::LocateSettings;

/// Numbers of a row decoder's answer: move, logarithm of its error.
pub const ROW_OUTPUTS: usize = 2;

/// Length that the network's answers are counted in, m.
pub const MOVE_M: f64 = 0.1;

/// One kind of decoder: its default weights as `shelfwright learn` made them, those given in their place, and the numbers
/// that a tag's token and its answer have.
struct Slot {
    default: &'static [u8],
    sizes: [usize; 2],
    given: OnceLock<Weights>,
    loaded: OnceLock<Option<Weights>>,
}

static ROWS: Slot = Slot::new(include_bytes!("../../weights/rows.weights"), [ROW_INPUTS, ROW_OUTPUTS]);
static FACES: Slot = Slot::new(include_bytes!("../../weights/faces.weights"), [FACE_INPUTS, FACE_OUTPUTS]);

impl Slot {
    const fn new(default: &'static [u8], sizes: [usize; 2]) -> Self {
        Self { default, sizes, given: OnceLock::new(), loaded: OnceLock::new() }
    }

    fn get(&'static self) -> Option<&'static Weights> {
        let fits = |w: &Weights| [w.shape.inputs, w.shape.outputs] == self.sizes;
        self.given
            .get()
            .or_else(|| self.loaded.get_or_init(|| Weights::decode(self.default).ok().filter(fits)).as_ref())
    }

    fn give(&self, weights: &Weights) -> Result<(), WeightsError> {
        let found = [weights.shape.inputs, weights.shape.outputs];
        if found != self.sizes {
            return Err(WeightsError::Kind { found, expected: self.sizes });
        }
        if self.loaded.get().is_some() || self.given.get_or_init(|| weights.clone()) != weights {
            return Err(WeightsError::InUse);
        }
        Ok(())
    }
}

/// The weights for row faces, by default those in the tree; `None` only if that file were broken, which a test would
/// tell.
pub fn face_weights() -> Option<&'static Weights> {
    FACES.get()
}

/// The weights for rows of tags; else as [`face_weights`].
pub fn row_weights() -> Option<&'static Weights> {
    ROWS.get()
}

/// Has this program use other weights for row faces; once, before anything is located. The same ones again do no harm.
///
/// # Errors
/// Weights for something else; others that are in use already.
pub fn use_face_weights(weights: &Weights) -> Result<(), WeightsError> {
    FACES.give(weights)
}

/// The same for rows of tags.
///
/// # Errors
/// As [`use_face_weights`].
pub fn use_row_weights(weights: &Weights) -> Result<(), WeightsError> {
    ROWS.give(weights)
}

/// The windows that the row decoder makes of a scan: what `shelfwright learn` teaches it from.
pub fn row_windows(scan: &Scan, settings: &LocateSettings) -> Vec<RowWindow> {
    crate::locate_row::fit_windows(scan, settings)
}

/// What the decoder says of one tag of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowAnswer {
    /// How much the tag is farther along than the fit has it, m.
    pub move_m: f64,
    /// Mean error to expect of that, m.
    pub error_m: f64,
}

impl Weights {
    /// An answer for each tag of a row's window.
    pub fn answers(&self, window: &RowWindow) -> Vec<RowAnswer> {
        let layout = RowLayout::default();
        self.both_ways(&window.tokens, |token| layout.mirror(token))
            .chunks_exact(self.network.outputs())
            .map(|o| RowAnswer {
                move_m: f64::from(o[0]) * MOVE_M,
                error_m: f64::from(o[1]).clamp(-6.0, 4.0).exp() * MOVE_M,
            })
            .collect()
    }

    /// Runs a window as it is and as if along ran the other way, and takes the mean: what the network says must not
    /// hang on that, and the two err differently. The first number of an answer is the move.
    fn both_ways(&self, tokens: &[f32], mirror: impl Fn(&mut [f32])) -> Vec<f32> {
        let mut turned = tokens.to_vec();
        turned.chunks_exact_mut(self.shape.inputs).for_each(mirror);
        let mut answers = self.network.run(tokens);
        for (i, (a, b)) in answers.iter_mut().zip(self.network.run(&turned)).enumerate() {
            let b = if i % self.shape.outputs == 0 { -b } else { b };
            *a = (*a + b) / 2.0;
        }
        answers
    }
}
