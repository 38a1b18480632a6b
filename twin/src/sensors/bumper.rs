//! A bumper: a contact strip along the front half of the chassis, as most robots of this size have one.
//!
//! It feels what the chassis runs into while it drives forward. What only the mast meets, or what comes from behind, it
//! does not feel.

use serde::{Deserialize, Serialize};

/// Steps that the strip stays pressed after the last contact: it springs back and its switch is debounced, so that a node
/// that looks at it every 50 ms misses no touch. 0.1 s.
const RELEASE_STEPS: u8 = 10;

/// A bumper's state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bumper {
    /// Steps until it is released; 0 when it is.
    left: u8,
}

impl Bumper {
    /// One step, in which something touches the strip or nothing does. Whether the state has changed.
    pub fn feel(&mut self, touched: bool) -> bool {
        let before = self.pressed();
        self.left = if touched { RELEASE_STEPS } else { self.left.saturating_sub(1) };
        self.pressed() != before
    }

    /// Whether it is pressed.
    pub fn pressed(&self) -> bool {
        self.left > 0
    }

    /// Adds the state to a state hash.
    pub fn hash_into(&self, hash: &mut sha2::Sha256) {
        use sha2::Digest;
        // A bumper at rest adds nothing: it has no say in the future.
        if self.left > 0 {
            hash.update([self.left]);
        }
    }
}
