//! Which decoders a library uses, from TOML.
//!
//! ```toml
//! [[decoder]]
//! kind = "ascii"
//! length = 12
//! [[decoder]]
//! kind = "digits"
//! digits = 14
//! ```

use serde::{Deserialize, Serialize};

use super::UidDecoder;
use super::iso28560_3::BlockDecoder;
use super::plain::{AsciiBarcode, DecimalInteger, DigitNibbles};
use crate::uid::Uid;

/// One decoder of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum DecoderSetting {
    /// [`AsciiBarcode`].
    Ascii {
        /// Number of characters; any from 4 when absent.
        #[serde(default)]
        length: Option<usize>,
        /// What the barcode begins with.
        #[serde(default)]
        prefix: String,
    },
    /// [`DigitNibbles`].
    Digits {
        /// Number of digits; leading zeros are stripped when absent.
        #[serde(default)]
        digits: Option<usize>,
    },
    /// [`DecimalInteger`].
    Integer {
        /// Number of digits; no leading zeros when absent.
        #[serde(default)]
        digits: Option<usize>,
    },
    /// The item identifier of an ISO 28560-3 block ([`super::Iso28560Block`]).
    #[serde(rename = "iso28560_3")]
    Iso28560Block {},
}

/// The list, in the order in which the decoders are tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecoderSettings {
    /// The decoders; the raw lookup in the catalogue comes before them all.
    #[serde(rename = "decoder")]
    pub decoders: Vec<DecoderSetting>,
}

impl Default for DecoderSettings {
    /// The block with its check sum cannot be hit by chance, ASCII hardly, digits more easily: in this order.
    fn default() -> Self {
        Self {
            decoders: vec![
                DecoderSetting::Iso28560Block {},
                DecoderSetting::Ascii { length: None, prefix: String::new() },
                DecoderSetting::Digits { digits: None },
            ],
        }
    }
}

/// A setting that no tag can meet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("decoder[{index}].{key}: found {found}, allowed are {allowed}")]
pub struct SettingError {
    /// Place in the list, from 0.
    pub index: usize,
    /// The key.
    pub key: &'static str,
    /// What was found.
    pub found: String,
    /// What is allowed.
    pub allowed: &'static str,
}

impl DecoderSetting {
    pub(super) fn build(&self, index: usize) -> Result<Box<dyn UidDecoder>, SettingError> {
        let within = |key, value: &Option<usize>, most: usize, allowed| match value {
            Some(n) if *n == 0 || *n > most => {
                Err(SettingError { index, key, found: n.to_string(), allowed })
            }
            _ => Ok(*value),
        };
        Ok(match self {
            Self::Ascii { length, prefix } => {
                let length = within("length", length, Uid::MAX_BYTES, "1 to 62 characters")?;
                if !prefix.is_ascii() || prefix.len() > length.unwrap_or(Uid::MAX_BYTES) {
                    let allowed = "ASCII characters, not more than the barcode has";
                    return Err(SettingError { index, key: "prefix", found: prefix.clone(), allowed });
                }
                Box::new(AsciiBarcode { length, prefix: prefix.clone() })
            }
            Self::Digits { digits } => {
                let digits = within("digits", digits, 2 * Uid::MAX_BYTES, "1 to 124 digits")?;
                Box::new(DigitNibbles { digits })
            }
            Self::Integer { digits } => {
                Box::new(DecimalInteger { digits: within("digits", digits, 39, "1 to 39 digits")? })
            }
            Self::Iso28560Block {} => Box::new(BlockDecoder),
        })
    }
}
