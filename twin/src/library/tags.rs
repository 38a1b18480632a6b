//! The tags in the books: their kind and their identifiers.

use domain::Uid;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Book;
use crate::rng::stream;

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

/// A model of tags among a library's, for a library buys tags for decades.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagModel {
    /// Name, as the catalogue has it in `tag_model`.
    pub name: String,
    /// Share of a made library's books that have such a tag, 0 to 1; files say it book by book.
    #[serde(default)]
    pub share: f64,
    /// Power that such a chip needs beyond the radio's settings, dB, 0 to 20.
    #[serde(default)]
    pub needs_db: f64,
}

/// Gives the books of a made library their tags' models. Where there are any, those that are left have the model `usual`.
pub(super) fn choose_models(books: &mut [Book], models: &[TagModel], seed: u64) {
    if models.is_empty() {
        return;
    }
    let mut rng = stream(seed, "library/tag models");
    for book in books {
        let mut at = rng.random::<f64>();
        let model = models.iter().find(|m| {
            at -= m.share;
            at < 0.0
        });
        book.tag_model = model.map_or("usual", |m| &m.name).into();
    }
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
