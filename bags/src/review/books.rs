//! Books where the locator puts them: as spines on their shelves, and on the elevation with their standard deviation.

use std::collections::{BTreeMap, BTreeSet};

use interfaces::shelfwright_msgs::{Coverage, Sightings};
use re_sdk_types::archetypes::{Boxes3D, LineStrips2D, LineStrips3D};
use re_sdk_types::components::{FillMode, Radius};
use re_sdk_types::datatypes::Quaternion;

use super::error::ReviewError;
use super::log::{Log, Style, path};
use super::palette::{DEVIATION, finding, good, hue, spine};
use super::spots::{Faces, Spot, Uid, hex};
use super::stacks::{on_elevation, turned};

/// Live sightings are drawn so often at the most, ns.
const EVERY_NS: i64 = 250_000_000;
/// Half the size of a spine: thickness, depth, height, m.
const HALF_M: [f32; 3] = [0.009, 0.08, 0.11];

/// Levels above the books that bars of standard deviations are drawn on.
const STEPS: usize = 6;

/// All books seen so far.
#[derive(Default)]
pub(super) struct Books {
    by_face: BTreeMap<String, BTreeMap<Uid, Spot>>,
    /// Kind of the finding about a book.
    findings: BTreeMap<Uid, u8>,
    /// Names for people.
    names: BTreeMap<Uid, String>,
    stale: BTreeSet<String>,
    drawn_ns: Option<i64>,
}

impl Books {
    pub fn new(names: BTreeMap<Uid, String>) -> Self {
        Self { names, ..Self::default() }
    }

    /// What people call a tag.
    pub fn name(&self, uid: &[u8]) -> String {
        self.names.get(uid).cloned().unwrap_or_else(|| hex(uid))
    }

    /// Where a tag was seen last.
    pub fn spot(&self, uid: &[u8]) -> Option<&Spot> {
        self.by_face.values().filter_map(|books| books.get(uid)).next_back()
    }

    /// Where a tag was seen on a face.
    pub fn spot_on(&self, face: &str, uid: &[u8]) -> Option<&Spot> {
        self.by_face.get(face)?.get(uid)
    }

    /// Says which books something is wrong with.
    pub fn found(&mut self, findings: impl IntoIterator<Item = (Uid, u8)>) {
        self.findings = findings.into_iter().collect();
        self.stale.extend(self.by_face.keys().cloned());
    }

    /// Takes sightings in, of a whole pass or of one under way.
    pub fn take(&mut self, faces: &Faces, message: &Sightings) {
        for s in &message.sightings {
            if let Some(spot) = faces.spot(s) {
                self.stale.insert(spot.face.clone());
                self.by_face.entry(spot.face.clone()).or_default().insert(s.uid.clone(), spot);
            }
        }
    }

    /// Draws what has changed, when it is due.
    pub fn draw(
        &mut self,
        log: &mut Log,
        faces: &Faces,
        now_ns: i64,
        at_once: bool,
    ) -> Result<(), ReviewError> {
        let due = self.drawn_ns.is_none_or(|at| now_ns - at >= EVERY_NS || now_ns < at);
        if self.stale.is_empty() || !(due || at_once) {
            return Ok(());
        }
        self.drawn_ns = Some(now_ns);
        for face in std::mem::take(&mut self.stale) {
            self.draw_face(log, faces, &face, now_ns)?;
        }
        Ok(())
    }

    fn draw_face(&self, log: &mut Log, faces: &Faces, face: &str, now_ns: i64) -> Result<(), ReviewError> {
        let (Some(books), Some(shape)) = (self.by_face.get(face), faces.get(face)) else { return Ok(()) };
        let colours = || {
            books.keys().map(|uid| self.findings.get(uid).map_or_else(|| spine(uid), |kind| finding(*kind)))
        };
        let names = || books.keys().map(|uid| self.name(uid));
        let turn = Quaternion::from_xyzw(turned(shape.heading_deg));
        let spines = Boxes3D::from_centers_and_half_sizes(
            books.values().map(|s| s.map_m),
            books.values().map(|_| HALF_M),
        )
        .with_quaternions(books.values().map(|_| turn))
        .with_colors(colours())
        .with_labels(names())
        .with_show_labels(false)
        .with_fill_mode(FillMode::Solid);
        log.put_on_map(path(["books"].into_iter().chain(face.split('/'))), &spines)?;
        let flat = books.values().map(|s| [HALF_M[2], -HALF_M[2]].map(|up| [s.along_m, -s.height_m - up]));
        let spines = LineStrips2D::new(flat)
            .with_colors(colours())
            .with_labels(names())
            .with_show_labels(false)
            .with_radii([Radius::new_scene_units(HALF_M[0])]);
        log.put(on_elevation(face, "books"), &spines)?;
        // Neighbours' bars would lie on each other.
        let deviations = books.values().enumerate().filter(|(_, s)| s.std_m.is_finite()).map(|(i, s)| {
            let y = -s.height_m - HALF_M[2] - 0.02 - 0.012 * (i % STEPS) as f32;
            [[s.along_m - s.std_m, y], [s.along_m + s.std_m, y]]
        });
        let strips = LineStrips2D::new(deviations)
            .with_colors([DEVIATION])
            .with_radii([Radius::new_scene_units(0.002)]);
        log.put(on_elevation(face, "deviations"), &strips)?;
        self.progress(log, face, books, now_ns)
    }

    /// How many books of a tier have a place, and how sure the places are.
    fn progress(
        &self,
        log: &mut Log,
        face: &str,
        books: &BTreeMap<Uid, Spot>,
        now_ns: i64,
    ) -> Result<(), ReviewError> {
        let mut tiers: BTreeMap<u8, Vec<f32>> = BTreeMap::new();
        for spot in books.values() {
            tiers.entry(spot.tier.unwrap_or(0)).or_default().push(spot.std_m);
        }
        for (tier, mut deviations) in tiers {
            deviations.sort_by(f32::total_cmp);
            let median_mm = 1e3 * f64::from(deviations[deviations.len() / 2]);
            let figures = [("placed", deviations.len() as f64), ("deviation", median_mm)];
            for (what, value) in figures {
                let name = if tier == 0 { "tier not known".to_owned() } else { format!("T{tier}") };
                let parts = ["progress", what].into_iter().chain(face.split('/')).chain([name.as_str()]);
                log.value(
                    &path(parts),
                    || Style::Exact(name.clone(), hue(usize::from(tier), 6)),
                    now_ns,
                    value,
                )?;
            }
        }
        Ok(())
    }

    /// Coverage of a tier, on its board's edge: green where a tag would have been read.
    pub fn coverage(&self, log: &mut Log, faces: &Faces, c: &Coverage) -> Result<(), ReviewError> {
        let Some(shape) = faces.get(&c.face) else { return Ok(()) };
        let Some(tier) = usize::from(c.tier).checked_sub(1).and_then(|i| shape.tiers.get(i)) else {
            return Ok(());
        };
        let length = shape.length_m();
        let bins: Vec<([f64; 2], f32)> = c
            .read_probability
            .iter()
            .enumerate()
            .map(|(i, p)| ([i as f64, i as f64 + 1.0].map(|b| (b * f64::from(c.bin_m)).min(length)), *p))
            .collect();
        let colours = || bins.iter().map(|(_, p)| good(*p));
        let z = tier.board_m - 0.012;
        let on_map = bins
            .iter()
            .map(|([a, b], _)| [*a, *b].map(|x| shape.map_from_face([x, 0.012, z]).map(|v| v as f32)));
        let name = format!("T{}", c.tier);
        let strips =
            LineStrips3D::new(on_map).with_colors(colours()).with_radii([Radius::new_scene_units(0.012)]);
        log.put_on_map(
            path(["coverage"].into_iter().chain(c.face.split('/')).chain([name.as_str()])),
            &strips,
        )?;
        let flat = bins.iter().map(|([a, b], _)| [*a, *b].map(|x| [x as f32, -(z as f32)]));
        let strips =
            LineStrips2D::new(flat).with_colors(colours()).with_radii([Radius::new_scene_units(0.008)]);
        log.put(on_elevation(&c.face, &format!("coverage {name}")), &strips)
    }
}
