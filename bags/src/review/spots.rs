//! Where the locator says that books are, on the map and on the elevation of their face.

use std::collections::BTreeMap;

use domain::Site;
use domain::site::Face;
use interfaces::shelfwright_msgs::Sighting;

/// A tag's identifier as it stands in messages.
pub(super) type Uid = Vec<u8>;

/// Books are drawn so high above their board, m: the middle of a book of common size.
const MIDDLE_M: f64 = 0.12;

/// Probability of its face from which on a tag is drawn there.
pub(super) const HERE: f32 = 0.5;

/// Where one tag is.
#[derive(Debug, Clone, PartialEq)]
pub struct Spot {
    /// Row face, `1F/R01A`.
    pub face: String,
    /// Most probable tier, from 1; `None` where the antennas cannot tell.
    pub tier: Option<u8>,
    /// Along the face, m.
    pub along_m: f32,
    /// Standard deviation of it, m; NaN where it is not known.
    pub std_m: f32,
    /// Height above the floor that it is drawn at, m.
    pub height_m: f32,
    /// On the map, m.
    pub map_m: [f32; 3],
}

/// The faces of a site by name.
pub(super) struct Faces(BTreeMap<String, Face>);

impl Faces {
    pub fn of(site: &Site) -> Self {
        let faces = site.floors.iter().flat_map(|floor| {
            floor.faces.iter().map(|face| (format!("{}/{}", floor.id, face.id), face.clone()))
        });
        Self(faces.collect())
    }

    pub fn get(&self, face: &str) -> Option<&Face> {
        self.0.get(face)
    }

    /// Where a sighting puts its tag; `None` for a face that the site does not have, and for a tag that more likely
    /// stands behind this face or across the aisle.
    pub fn spot(&self, s: &Sighting) -> Option<Spot> {
        if s.face_probability < HERE {
            return None;
        }
        let best = s.tier_probability.iter().zip(1_u8..).max_by(|a, b| a.0.total_cmp(b.0));
        self.at(&s.face, s.along_m, s.along_std_m, best.map(|(_, tier)| tier), Some(s.height_m))
    }

    /// A place on a face. Without a tier a height serves, and without both the middle of the face.
    pub fn at(
        &self,
        face: &str,
        along_m: f32,
        std_m: f32,
        tier: Option<u8>,
        height_m: Option<f32>,
    ) -> Option<Spot> {
        let shape = self.get(face)?;
        if !along_m.is_finite() {
            return None;
        }
        let of_tier = tier.and_then(|t| shape.tiers.get(usize::from(t).checked_sub(1)?));
        let height = of_tier
            .map(|t| t.board_m + MIDDLE_M.min(0.5 * t.clear_m))
            .or(height_m.filter(|h| h.is_finite()).map(f64::from))
            .unwrap_or_else(|| shape.tiers.last().map_or(1.0, |t| 0.5 * (t.board_m + t.clear_m)));
        // Spines stand a little behind the front edge.
        let map = shape.map_from_face([f64::from(along_m), -0.09, height]);
        Some(Spot {
            face: face.to_owned(),
            tier,
            along_m,
            std_m,
            height_m: height as f32,
            map_m: map.map(|c| c as f32),
        })
    }
}

/// A tag as people read it.
pub(super) fn hex(uid: &[u8]) -> String {
    uid.iter().map(|b| format!("{b:02x}")).collect()
}
