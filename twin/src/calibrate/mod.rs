//! What passes over shelves of known order tell of the radio: narrower ranges for the priors that lessons are drawn from.
//!
//! The physics is known, its numbers for one library's tags, antennas and reader only roughly, and no likelihood of a pass
//! can be written down (scatterers, heights and loads of the single tags are not known). So the numbers are inferred
//! without one: approximate Bayesian computation with regression adjustment (Beaumont, Zhang and Balding 2002), with
//! regressions as its summaries (Fearnhead and Prangle 2012). [`Study`] draws radios from the wide prior and passes the same
//! shelves with each; figures are reckoned of measured and simulated passes by the same code, at the places
//! where the tags are known to be; [`narrow()`] keeps the draws whose figures are nearest to the measured ones.
//!
//! Figures are medians and trimmed means over tags: a few books in a hundred that do not stand where they should
//! do not move them. [`rows`] is for tags beside a track, [`faces`] for row faces that a robot drove past.

pub mod faces;
mod figures;
mod known_face;
mod linear;
pub mod narrow;
mod part;
mod prior_file;
mod profiles;
pub mod rows;

pub use faces::{FaceStudy, KnownFace, TagSide};
pub use narrow::{Draw, Finding, Narrowed, narrow};
pub use prior_file::{Provenance, prior_file};
pub use rows::{KnownRow, RowStudy};

use crate::radio::RadioError;

/// A number of the radio that is looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Its key in the prior's file.
    pub key: &'static str,
    /// Range of the prior that is to be narrowed.
    pub range: [f64; 2],
    /// Drawn evenly in its logarithm.
    pub by_log: bool,
}

impl Parameter {
    /// The value at a share, 0 to 1, of the range.
    pub fn at(&self, share: f64) -> f64 {
        let [low, high] = self.range;
        if self.by_log {
            libm::exp(libm::log(low) + share * (libm::log(high) - libm::log(low)))
        } else {
            low + share * (high - low)
        }
    }

    /// The share of the range at which a value is: below 0 or above 1 outside it.
    pub fn share(&self, value: f64) -> f64 {
        let [low, high] = self.range;
        if self.by_log {
            libm::log(value / low) / libm::log(high / low)
        } else {
            (value - low) / (high - low)
        }
    }
}

/// Known shelves that can be passed again with any radio.
pub trait Study: Sync {
    /// What is looked for.
    fn parameters(&self) -> &[Parameter];

    /// Names of the figures, in their order.
    fn names(&self) -> &[String];

    /// The measured figures; NaN where the passes give none.
    fn measured(&self) -> &[f64];

    /// Passes the same shelves with the radio of a draw; the same seed and number give the same draw.
    ///
    /// # Errors
    /// Ranges that make settings which the radio refuses.
    fn draw(&self, seed: u64, number: u64) -> Result<Draw, RadioError>;
}

/// Why shelves cannot be studied.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StudyError {
    /// Too little to reckon figures of.
    #[error("{found} tags at known places were read well enough, expected at least {needed}")]
    TooFew {
        /// Such tags.
        found: usize,
        /// How many it takes.
        needed: usize,
    },
    /// Carriers of no plan that the radio knows.
    #[error("carrier {found_hz} Hz belongs to none of the plans cn, etsi and fcc")]
    Carrier {
        /// The first such carrier.
        found_hz: f64,
    },
    /// The radio refused its settings.
    #[error(transparent)]
    Radio(#[from] RadioError),
}

/// Fewer tags than this make no figures.
const FEWEST_TAGS: usize = 12;
