//! What there is to draw, as plain values: [`Scene`] is what stays, [`Moment`] what moves. Both are taken from the twin and
//! give nothing back to it, so drawing can neither slow a simulation nor change it.

use std::sync::Arc;

use domain::site::{Face, Site};
use domain::{ShelfAddress, Uid};

use crate::scenario::{ObstacleSettings, RobotSettings};
use crate::{STEP_NS, Twin};

/// What stays through a run.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Name of the site.
    pub site: Arc<Site>,
    /// Row faces in the order of the site, with their floors.
    pub faces: Vec<Face>,
    /// All books that stand somewhere, shelf by shelf from the left.
    pub books: Vec<Book>,
    /// The robots.
    pub robots: Vec<RobotSettings>,
    /// What may stand in the way.
    pub obstacles: Vec<ObstacleSettings>,
    /// Seed of the scenario, for what looks random.
    pub seed: u64,
}

/// A book as it stands on its shelf.
#[derive(Debug, Clone)]
pub struct Book {
    /// Tag identifier.
    pub uid: Uid,
    /// Barcode; empty for a book that is not the library's.
    pub barcode: String,
    /// Title; empty for a book that is not the library's.
    pub title: String,
    /// Author.
    pub author: String,
    /// Call number as on the label; empty for a book that is not the library's.
    pub call_number: String,
    /// Where it belongs.
    pub home: Option<ShelfAddress>,
    /// The shelf that it stands on.
    pub address: ShelfAddress,
    /// Position on the shelf from its left end, from 1.
    pub position: u32,
    /// Index into [`Scene::faces`].
    pub face: usize,
    /// Lower left corner of the spine: along the face, behind the shelf's front edge, above the floor, m.
    pub corner_m: [f64; 3],
    /// Thickness, depth and height, m.
    pub size_m: [f64; 3],
}

/// Where everything is that moves.
#[derive(Debug, Clone, Default)]
pub struct Moment {
    /// Since the start of the run, ns.
    pub now_ns: i64,
    /// Robots: x and y on the map, m, and direction, rad.
    pub robots: Vec<[f64; 3]>,
    /// People: x and y on the map, m, and direction, rad.
    pub people: Vec<[f64; 3]>,
    /// Which obstacles are there.
    pub obstacles: Vec<bool>,
}

impl Scene {
    /// Of a twin.
    pub fn of(twin: &Twin) -> Self {
        let (site, library, stacks) = (twin.site(), twin.library(), twin.stacks());
        let ids: Vec<_> = site.faces().map(|(id, ..)| id).collect();
        let faces: Vec<Face> = site.faces().map(|(_, _, face)| face.clone()).collect();
        let books = twin
            .standing()
            .iter()
            .filter_map(|s| {
                let face = ids.iter().position(|id| *id == s.address.face)?;
                let tier = faces[face].tiers.get(usize::from(s.address.tier) - 1)?;
                let v = &stacks.volumes[s.volume];
                let known = v.book.map(|b| &library.books[b]);
                let text =
                    |of: fn(&crate::Book) -> &String| known.map_or_else(String::new, |b| of(b).clone());
                // Books are about three quarters as deep as high, and end before the back panel.
                let depth = (0.72 * v.height_m).min(faces[face].depth_m - v.recess_m - 0.005);
                Some(Book {
                    uid: v.uid.clone(),
                    barcode: text(|b| &b.barcode),
                    title: text(|b| &b.title),
                    author: text(|b| &b.author),
                    call_number: text(|b| &b.call_number),
                    home: known.map(|b| b.home.clone()),
                    address: s.address.clone(),
                    position: s.position,
                    face,
                    corner_m: [s.left_m, v.recess_m, tier.board_m],
                    size_m: [v.thickness_m, depth, v.height_m],
                })
            })
            .collect();
        Self {
            site: Arc::new(site.clone()),
            faces,
            books,
            robots: twin.robots().cloned().collect(),
            obstacles: twin.obstacles().map(|(o, _)| o.clone()).collect(),
            seed: twin.seed(),
        }
    }

    /// The box around all walls and faces of all floors on the map: low and high corner, m.
    pub fn extent_m(&self) -> [[f64; 2]; 2] {
        let walls = self.site.floors.iter().flat_map(|f| &f.walls).flat_map(|w| [w.from_m, w.to_m]);
        let shelves = self.faces.iter().flat_map(Face::outline_m);
        let mut low = [f64::INFINITY; 2];
        let mut high = [f64::NEG_INFINITY; 2];
        for p in walls.chain(shelves) {
            for axis in 0..2 {
                low[axis] = low[axis].min(p[axis]);
                high[axis] = high[axis].max(p[axis]);
            }
        }
        if low[0] > high[0] { [[0.0; 2], [1.0; 2]] } else { [low, high] }
    }
}

impl Moment {
    /// Of a twin, now.
    pub fn of(twin: &Twin) -> Self {
        Self {
            now_ns: twin.now_ns(),
            robots: twin.robots().map(|r| twin.true_pose(&r.name).unwrap_or_default()).collect(),
            people: twin.people().collect(),
            obstacles: twin.obstacles().map(|(_, there)| there).collect(),
        }
    }

    /// Since the start of the run, s.
    pub fn now_s(&self) -> f64 {
        self.now_ns as f64 * 1e-9
    }

    /// Steps since the start of the run.
    pub fn steps(&self) -> i64 {
        self.now_ns / STEP_NS
    }
}
