//! The tags in the books: their kind and their identifiers.

use domain::Uid;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What kind of tags a library's books have, and with it the readers of its robots.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TagKind {
    /// UHF EPC Gen2; a label along the spine.
    #[default]
    Uhf,
    /// HF ISO 15693; a card-sized label inside the back cover.
    Hf,
}

impl TagKind {
    /// Identifier of a tag: for UHF the number itself (96 bits), for HF 8 bytes as a chip maker gives them
    /// (`E0`, maker, running number), which say nothing of the book.
    pub(crate) fn uid(self, number: &[u8; 12]) -> Uid {
        // Neither none nor more than 62 bytes, the only two things that are refused.
        match self {
            Self::Uhf => Uid::new(number).unwrap_or_default(),
            Self::Hf => {
                let hash = Sha256::digest(number);
                let mut uid = [0xE0, 0x04, 0x01, 0, 0, 0, 0, 0];
                uid[3..].copy_from_slice(&hash[..5]);
                Uid::new(&uid).unwrap_or_default()
            }
        }
    }
}
