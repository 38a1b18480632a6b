//! Expected against seen: what the catalogue says against what the passes found, and the shelf errors between.
//!
//! Nearly all books stand where they belong, so every claim weighs the radio evidence with a base rate; see
//! [`AuditSettings`]. The audit knows no truth but the catalogue, and gives the same result whatever the order of its
//! inputs.

mod calibrate;
mod expected;
mod faces;
mod findings;
mod fuse;
mod judge;
mod order;
mod posterior;
mod settings;
mod spread;
mod stacks;
mod stat;
mod tag_models;
#[cfg(test)]
mod tests;
mod tiers;

use serde::{Deserialize, Serialize};

use crate::address::FaceId;
use crate::catalogue::Catalogue;
use crate::coverage::Coverage;
use crate::shelf_error::{ErrorKind, ItemRef, ShelfError};
use crate::sighting::Sighting;
use crate::site::Site;
use crate::uid::Uid;

pub use settings::{AuditSettings, SettingsError};

/// Compares what the passes of a run saw with what the catalogue expects on the faces that they covered.
///
/// A face is covered when it has coverage or sightings. `Sighting::along_m` and all positions in the result are in
/// face coordinates, m; the result's have each pass's and face's common shift taken out. What cannot be used of the
/// input is named in [`Audit::problems`] and left out. Confidence of a `not_verified` book is the probability that it
/// is gone.
pub fn audit(
    catalogue: &Catalogue,
    site: &Site,
    sightings: &[Sighting],
    coverage: &[Coverage],
    settings: &AuditSettings,
) -> Audit {
    let mut problems = Vec::new();
    let good = fuse::standing(&fuse::usable(site, sightings, &mut problems), settings);
    let stacks = stacks::Stacks::new(site, coverage, &good, &mut problems);
    let mut beliefs = fuse::fuse(&stacks, &good, settings);
    let expected = expected::Expected::new(catalogue, &stacks, &beliefs, settings, &mut problems);
    faces::weigh(&expected, &mut beliefs, settings);
    judge::remove_face_offsets(&stacks, &expected, &mut beliefs, settings);
    let judgement = judge::judge(&stacks, &expected, &beliefs, settings);
    let mut audit = findings::findings(&stacks, &expected, &beliefs, &judgement, settings);
    problems.sort();
    audit.problems = problems;
    audit
}

/// Outcome of an audit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// Row faces that passes covered, in walking order.
    pub faces: Vec<FaceId>,
    /// Books that should stand on those faces.
    pub expected: u32,
    /// Those of them that were found in place and in order.
    pub in_place: u32,
    /// Tags seen in all, known or not, on whatever face.
    pub seen: u32,
    /// Findings in walking order: floor, row, side, bay, tier from the top, along.
    pub errors: Vec<ShelfError>,
    /// All books that were found on the covered faces, in walking order; for drawing.
    pub books: Vec<PlacedBook>,
    /// Books whose home no pass covered; not expected in this run.
    #[serde(default)]
    pub not_covered: u32,
    /// How well tags of each model were read, where the catalogue names more than one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tag_models: Vec<TagModelReads>,
    /// Inputs that were left out, and why.
    #[serde(default)]
    pub problems: Vec<InputProblem>,
}

/// One book as it was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlacedBook {
    /// The book.
    pub item: ItemRef,
    /// The row face where it stands.
    pub face: FaceId,
    /// Tier from the bottom, from 1.
    pub tier: u8,
    /// Centre of its spine along the face, m.
    pub along_m: f32,
    /// Standard deviation of `along_m`, m.
    pub along_std_m: f32,
    /// Thickness by the catalogue or the default, m.
    pub thickness_m: f32,
    /// Height by the catalogue or a default, m.
    pub height_m: f32,
    /// What is wrong with it; `None` when it is in place and in order.
    pub verdict: Option<ErrorKind>,
}

/// How well the tags of one model were read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TagModelReads {
    /// Name of the model by the catalogue; empty for the books of which it says none.
    pub model: String,
    /// Books with such a tag that should stand on the covered faces.
    pub expected: u32,
    /// Those of them whose tag was read.
    pub read: u32,
    /// Reads of such a tag over those of the average tag in its place.
    pub rate: f32,
}

/// A sighting or coverage that the audit could not use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InputProblem {
    /// Name of the pass.
    pub scan: String,
    /// The tag; `None` for a coverage.
    pub uid: Option<Uid>,
    /// What is wrong with it: field, found, allowed.
    pub reason: String,
}
