//! Tag identifiers as a reader reports them: the EPC bank without the PC word (UHF), or the 8-byte UID (HF).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smallvec::SmallVec;

/// A tag identifier, most significant byte first. Shown and parsed as upper-case hex.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(SmallVec<[u8; 16]>);

/// Why a text is no tag identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UidError {
    /// Nothing there.
    #[error("empty tag identifier, expected 1 to 62 bytes in hex")]
    Empty,
    /// A half byte at the end.
    #[error("tag identifier {0:?} has an odd number of hex digits")]
    Odd(String),
    /// Something that is no hex digit.
    #[error("tag identifier {text:?} has {found:?} at position {at}, expected a hex digit")]
    Digit {
        /// The whole text.
        text: String,
        /// The character found.
        found: char,
        /// Its place, from 1.
        at: usize,
    },
    /// More than the EPC bank can hold (31 words).
    #[error("tag identifier of {0} bytes, at most 62 fit an EPC bank")]
    Long(usize),
}

impl Uid {
    /// The largest EPC that a PC word can announce: 31 words.
    pub const MAX_BYTES: usize = 62;

    /// Takes bytes as read; refuses none at all and more than [`Uid::MAX_BYTES`].
    pub fn new(bytes: &[u8]) -> Result<Self, UidError> {
        match bytes.len() {
            0 => Err(UidError::Empty),
            n if n > Self::MAX_BYTES => Err(UidError::Long(n)),
            _ => Ok(Self(SmallVec::from_slice(bytes))),
        }
    }

    /// The bytes, most significant first.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02X}"))
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uid({self})")
    }
}

impl FromStr for Uid {
    type Err = UidError;

    fn from_str(text: &str) -> Result<Self, UidError> {
        let digits = text.trim();
        let mut nibbles: SmallVec<[u8; 32]> = SmallVec::new();
        for (i, c) in digits.chars().enumerate() {
            let n =
                c.to_digit(16).ok_or_else(|| UidError::Digit { text: text.into(), found: c, at: i + 1 })?;
            nibbles.push(n as u8);
        }
        if nibbles.len() % 2 == 1 {
            return Err(UidError::Odd(text.into()));
        }
        let bytes: SmallVec<[u8; 16]> = nibbles.chunks_exact(2).map(|p| p[0] << 4 | p[1]).collect();
        Self::new(&bytes)
    }
}

impl Serialize for Uid {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Uid {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}
