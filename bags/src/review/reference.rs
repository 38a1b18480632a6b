//! What a run is held against: another run's sightings, or where the books really stood.

use std::collections::BTreeMap;

use interfaces::shelfwright_msgs::Sightings;
use re_sdk_types::archetypes::{LineStrips2D, LineStrips3D, Points2D, Points3D, TextDocument};
use re_sdk_types::components::Radius;

use super::books::Books;
use super::error::ReviewError;
use super::log::{Log, path};
use super::palette::{DIFFERENCE, REFERENCE};
use super::spots::{Faces, HERE, Spot, Uid, hex};
use super::stacks::on_elevation;

/// Rows of the table of differences.
const ROWS: usize = 200;

/// Places to hold a run against.
#[derive(Debug, Clone)]
pub struct Reference {
    /// What it is, for people.
    pub name: String,
    /// A book counts as elsewhere from this distance on, m.
    pub moved_m: f32,
    /// Place along the face, m, and tier from 1, by row face (`1F/R01A`) and tag.
    pub places: BTreeMap<(String, Vec<u8>), (f32, Option<u8>)>,
}

impl Reference {
    /// The last places that a run's passes gave.
    pub fn of_sightings(name: &str, moved_m: f32, sightings: &[Sightings]) -> Self {
        let here = sightings.iter().flat_map(|m| &m.sightings).filter(|s| s.face_probability >= HERE);
        let places = here.map(|s| {
            let best = s.tier_probability.iter().zip(1_u8..).max_by(|a, b| a.0.total_cmp(b.0));
            ((s.face.clone(), s.uid.clone()), (s.along_m, best.map(|(_, tier)| tier)))
        });
        Self { name: name.to_owned(), moved_m, places: places.collect() }
    }
}

/// One difference, the largest of which come first.
struct Difference {
    face: String,
    uid: Uid,
    ours: Option<Spot>,
    theirs: Option<Spot>,
}

impl Difference {
    fn size(&self) -> f32 {
        match (&self.ours, &self.theirs) {
            (Some(a), Some(b)) if a.tier == b.tier => (a.along_m - b.along_m).abs(),
            (Some(_), Some(_)) => 100.0,
            _ => 200.0,
        }
    }

    fn words(&self) -> (String, String, String) {
        let place = |s: &Option<Spot>| {
            s.as_ref().map_or_else(
                || "not there".to_owned(),
                |s| format!("T{} {:.3} m", s.tier.map_or("?".to_owned(), |t| t.to_string()), s.along_m),
            )
        };
        let what = match (&self.ours, &self.theirs) {
            (Some(a), Some(b)) if a.tier == b.tier => format!("{:+.0} mm", 1e3 * (a.along_m - b.along_m)),
            (Some(_), Some(_)) => "another tier".to_owned(),
            (Some(_), None) => "only here".to_owned(),
            _ => "only there".to_owned(),
        };
        (what, place(&self.ours), place(&self.theirs))
    }
}

/// Draws the reference and marks what differs; gives the number of differences.
pub(super) fn draw(
    log: &mut Log,
    faces: &Faces,
    books: &Books,
    ours: &[(String, Uid, Spot)],
    reference: &Reference,
) -> Result<usize, ReviewError> {
    let mut theirs: BTreeMap<(String, Uid), Spot> = BTreeMap::new();
    for ((face, uid), (along, tier)) in &reference.places {
        if let Some(spot) = faces.at(face, *along, f32::NAN, *tier, None) {
            theirs.insert((face.clone(), uid.clone()), spot);
        }
    }
    let scanned: std::collections::BTreeSet<&str> = ours.iter().map(|(face, ..)| face.as_str()).collect();
    for face in &scanned {
        let there = || theirs.iter().filter(|((f, _), _)| f == face);
        let points = Points2D::new(there().map(|(_, s)| [s.along_m, -s.height_m + 0.03]))
            .with_colors([REFERENCE])
            .with_labels(there().map(|((_, uid), _)| books.name(uid)))
            .with_show_labels(false)
            .with_radii([Radius::new_ui_points(2.0)]);
        log.fix(on_elevation(face, "against"), &points)?;
        let points = Points3D::new(there().map(|(_, s)| [s.map_m[0], s.map_m[1], s.map_m[2] + 0.14]))
            .with_colors([REFERENCE])
            .with_radii([Radius::new_ui_points(2.0)]);
        log.fix_on_map(path(["against"].into_iter().chain(face.split('/'))), &points)?;
    }
    let mut all: Vec<Difference> = Vec::new();
    for (face, uid, spot) in ours {
        let there = theirs.remove(&(face.clone(), uid.clone()));
        let d = Difference { face: face.clone(), uid: uid.clone(), ours: Some(spot.clone()), theirs: there };
        if d.size() > reference.moved_m {
            all.push(d);
        }
    }
    // Faces that this run did not scan are no difference.
    theirs.retain(|(face, _), _| scanned.contains(face.as_str()));
    all.extend(theirs.into_iter().map(|((face, uid), s)| Difference {
        face,
        uid,
        ours: None,
        theirs: Some(s),
    }));
    all.sort_by(|a, b| b.size().total_cmp(&a.size()).then_with(|| a.uid.cmp(&b.uid)));
    mark(log, &all)?;
    log.fix(path(["differences", "table"]), &TextDocument::from_markdown(table(books, reference, &all)))?;
    Ok(all.len())
}

fn mark(log: &mut Log, all: &[Difference]) -> Result<(), ReviewError> {
    let mut by_face: BTreeMap<&str, Vec<&Difference>> = BTreeMap::new();
    for d in all {
        by_face.entry(&d.face).or_default().push(d);
    }
    for (face, list) in by_face {
        let ends = |d: &Difference| {
            let (a, b) = (d.ours.as_ref().or(d.theirs.as_ref())?, d.theirs.as_ref().or(d.ours.as_ref())?);
            // One that is on one side only gets a cross stroke.
            let up = if d.ours.is_some() && d.theirs.is_some() { 0.0 } else { 0.07 };
            let flat = [[a.along_m, -a.height_m - up], [b.along_m, -b.height_m + up]];
            let space =
                [[a.map_m[0], a.map_m[1], a.map_m[2] + up], [b.map_m[0], b.map_m[1], b.map_m[2] - up]];
            Some((flat, space))
        };
        let strips: Vec<_> = list.iter().filter_map(|d| ends(d)).collect();
        let flat = LineStrips2D::new(strips.iter().map(|s| s.0))
            .with_colors([DIFFERENCE])
            .with_radii([Radius::new_ui_points(2.0)]);
        log.fix(on_elevation(face, "differences"), &flat)?;
        let space = LineStrips3D::new(strips.iter().map(|s| s.1))
            .with_colors([DIFFERENCE])
            .with_radii([Radius::new_ui_points(2.0)]);
        log.fix_on_map(path(["differences", "places"].into_iter().chain(face.split('/'))), &space)?;
    }
    Ok(())
}

fn table(books: &Books, reference: &Reference, all: &[Difference]) -> String {
    let mut text = format!(
        "## {} differences\n\nThis run against {} (yellow); a book counts as elsewhere from {:.0} mm on.\n\n\
         | book | face | difference | here | there |\n|---|---|---|---|---|\n",
        all.len(),
        reference.name,
        1e3 * reference.moved_m
    );
    for d in all.iter().take(ROWS) {
        let (what, ours, theirs) = d.words();
        let name = books.name(&d.uid);
        text += &format!(
            "| [{name}](recording://tags/{}) | {} | {what} | {ours} | {theirs} |\n",
            hex(&d.uid),
            d.face
        );
    }
    if all.len() > ROWS {
        text += &format!("\nand {} more\n", all.len() - ROWS);
    }
    text
}
