//! Shelf addresses: `FLOOR/ROW+SIDE/BAY/TIER`, for example `3F/R07A/B04/T3`.
//!
//! Bays count from the left as a reader faces the row, tiers from the bottom, both from 1.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Which side of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Side A.
    A,
    /// Side B.
    B,
}

/// One face of a row of shelving: floor, row and side, `3F/R07A`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaceId {
    /// Floor name, `3F`.
    pub floor: Arc<str>,
    /// Row name without the side, `R07`.
    pub row: Arc<str>,
    /// Side of the row.
    pub side: Side,
}

/// One tier of one bay of a row face.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShelfAddress {
    /// The row face.
    pub face: FaceId,
    /// Bay from the left, from 1.
    pub bay: u16,
    /// Tier from the bottom, from 1.
    pub tier: u8,
}

/// Where a book belongs: one shelf, or a range of shelves of one row face, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Home {
    /// First shelf of the range.
    pub first: ShelfAddress,
    /// Last shelf of the range; the same as `first` for a single shelf.
    pub last: ShelfAddress,
}

/// Why a text is no shelf address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is no {what}, expected {expected}")]
pub struct AddressError {
    /// What should have stood there.
    pub what: &'static str,
    /// What stood there.
    pub found: String,
    /// What is allowed.
    pub expected: &'static str,
}

const FACE_FORM: &str = "FLOOR/ROW+SIDE, for example 3F/R07A (side A or B)";
const SHELF_FORM: &str = "FLOOR/ROW+SIDE/BAY/TIER, for example 3F/R07A/B04/T3";

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::A => "A",
            Side::B => "B",
        })
    }
}

impl fmt::Display for FaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.floor, self.row, self.side)
    }
}

impl fmt::Display for ShelfAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/B{:02}/T{}", self.face, self.bay, self.tier)
    }
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}..{}", self.first, self.last)
        }
    }
}

impl FromStr for FaceId {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let bad = || AddressError { what: "row face", found: text.into(), expected: FACE_FORM };
        let (floor, row_side) = text.split_once('/').ok_or_else(bad)?;
        let (row, side) = match row_side.as_bytes().last() {
            Some(b'A') => (&row_side[..row_side.len() - 1], Side::A),
            Some(b'B') => (&row_side[..row_side.len() - 1], Side::B),
            _ => return Err(bad()),
        };
        if floor.is_empty() || row.is_empty() || row.contains('/') {
            return Err(bad());
        }
        Ok(Self { floor: floor.into(), row: row.into(), side })
    }
}

impl FromStr for ShelfAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let bad = || AddressError { what: "shelf address", found: text.into(), expected: SHELF_FORM };
        let mut parts = text.rsplitn(3, '/');
        let tier =
            parts.next().and_then(|t| t.strip_prefix('T')).and_then(|t| t.parse().ok()).ok_or_else(bad)?;
        let bay =
            parts.next().and_then(|b| b.strip_prefix('B')).and_then(|b| b.parse().ok()).ok_or_else(bad)?;
        let face = parts.next().ok_or_else(bad)?.parse().map_err(|_| bad())?;
        if tier == 0 || bay == 0 {
            return Err(bad());
        }
        Ok(Self { face, bay, tier })
    }
}

impl FromStr for Home {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (first, last) = match text.split_once("..") {
            None => {
                let shelf: ShelfAddress = text.parse()?;
                (shelf.clone(), shelf)
            }
            Some((a, b)) => (a.parse()?, b.parse()?),
        };
        if first.face != last.face {
            return Err(AddressError {
                what: "home",
                found: text.into(),
                expected: "a shelf address or FIRST..LAST on one row face",
            });
        }
        Ok(Self { first, last })
    }
}

macro_rules! serde_as_text {
    ($($t:ty),*) => {$(
        impl Serialize for $t {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $t {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
serde_as_text!(FaceId, ShelfAddress, Home);
