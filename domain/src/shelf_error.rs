//! Shelf errors: what is wrong on a shelf, where, between which books, and on what evidence.

use serde::{Deserialize, Serialize};

use crate::address::{Home, ShelfAddress};
use crate::uid::Uid;

/// What is wrong with a book. The names are what CSV, JSON and the platform see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// Expected, not seen, and would have been read with high probability.
    Missing,
    /// Seen on another floor than its home.
    MisplacedFloor,
    /// Seen on another row face of the same floor.
    MisplacedRow,
    /// Seen in another bay of the same row face.
    MisplacedBay,
    /// Seen on another tier of its bay.
    MisplacedTier,
    /// On its home shelf, but not where the call-number order puts it; one of the smallest set to move.
    OutOfOrder,
    /// A tag that the catalogue does not know.
    NotInCatalogue,
    /// On loan by the catalogue, yet on a shelf.
    OnLoan,
    /// Expected, not seen, and coverage does not allow a verdict.
    NotVerified,
    /// On its home shelf and in order, but flat on top of the others.
    Lying,
}

/// A book as a neighbour is named in reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemRef {
    /// Tag identifier.
    pub uid: Uid,
    /// Item barcode; empty when the catalogue does not know the tag.
    pub barcode: String,
    /// Call number; empty when unknown.
    pub call_number: String,
    /// Title; empty when unknown.
    pub title: String,
}

/// A place on a shelf.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Bay and tier.
    pub address: ShelfAddress,
    /// Along the face, m.
    pub along_m: f32,
    /// Standard deviation of `along_m`, m.
    pub along_std_m: f32,
    /// Position within the shelf as counted from its left end, from 1; 0 when not known.
    pub position: u32,
}

/// What a verdict rests on. Fields that do not apply are 0 or empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Reads of this tag over all passes.
    pub reads: u32,
    /// Passes that could have seen it.
    pub passes: u32,
    /// Passes in which it was expected and not read.
    pub passes_missed: u32,
    /// Strongest RSSI, dBm; 0 when never read.
    pub rssi_dbm: f32,
    /// Probability of the tier it was found on, from radio alone.
    pub tier_probability: f32,
    /// Probability that a tag at its home would have been read in the passes made.
    pub read_probability: f32,
    /// First and last stamp at which it was read, ns; 0 when never read.
    pub first_seen_ns: i64,
    /// See `first_seen_ns`.
    pub last_seen_ns: i64,
}

/// One finding about one book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShelfError {
    /// What is wrong.
    pub kind: ErrorKind,
    /// The book; for [`ErrorKind::NotInCatalogue`] only `uid` is filled.
    pub item: ItemRef,
    /// Where it belongs; `None` when unknown.
    pub home: Option<Home>,
    /// Where it was found; `None` when not seen.
    pub found: Option<Place>,
    /// Left and right neighbour where it was found.
    pub found_between: [Option<ItemRef>; 2],
    /// Left and right neighbour, as seen on the shelf, between which it belongs.
    pub belongs_between: [Option<ItemRef>; 2],
    /// Probability that the finding is right, 0 to 1.
    pub confidence: f32,
    /// What it rests on.
    pub evidence: Evidence,
}
