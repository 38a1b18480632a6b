//! What there is to draw, as plain values: [`Scene`] is what stays, [`Moment`] what moves. Both are taken from the twin and
//! give nothing back to it, so drawing can neither slow a simulation nor change it.

use std::sync::Arc;

use domain::site::{Face, Floor, Site};
use domain::{FaceId, ShelfAddress, Uid};

use crate::faults::FaultKind;
use crate::scenario::{FurnitureKind, ObstacleSettings, RobotSettings};
use crate::stacks::Posture;
use crate::world::floor_index;
use crate::{STEP_NS, Twin};

/// What stays through a run, of one floor: floors have maps of their own, and a picture shows one.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The site with all its floors.
    pub site: Arc<Site>,
    /// Which of its floors.
    pub floor: usize,
    /// The floor's row faces, in the order of the site.
    pub faces: Vec<Face>,
    /// All books that stand on the floor, shelf by shelf from the left.
    pub books: Vec<Book>,
    /// The robots of all floors.
    pub robots: Vec<RobotSettings>,
    /// Trolleys and chairs on the floor.
    pub furniture: Vec<FurnitureKind>,
    /// Seed of the scenario, for what looks random.
    pub seed: u64,
    /// How often a book had been moved until then.
    pub(super) books_moved: usize,
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
    /// Lower left corner of the room that it takes up: along the face, behind the shelf's front edge, above the floor, m.
    pub corner_m: [f64; 3],
    /// Thickness, depth and height, m.
    pub size_m: [f64; 3],
    /// How it stands.
    pub posture: Posture,
    /// Where its tag is along the face, m.
    pub tag_along_m: f64,
}

/// Where everything is that moves.
#[derive(Debug, Clone, Default)]
pub struct Moment {
    /// Since the start of the run, ns.
    pub now_ns: i64,
    /// Robots: x and y on the map, m, and direction, rad.
    pub robots: Vec<[f64; 3]>,
    /// Robots whose cameras see nothing now.
    pub dark: Vec<bool>,
    /// People on the floor: x and y on the map, m, and direction, rad.
    pub people: Vec<[f64; 3]>,
    /// What stands in the way on the floor.
    pub obstacles: Vec<ObstacleSettings>,
    /// Trolleys and chairs: centre above the map, m, and turn as a quaternion x, y, z, w.
    pub furniture: Vec<([f64; 3], [f64; 4])>,
}

impl Scene {
    /// Of the first robot's floor.
    pub fn of(twin: &Twin) -> Self {
        Self::on(twin, first_floor(twin))
    }

    /// Of one floor of a twin.
    pub fn on(twin: &Twin, floor: usize) -> Self {
        let (site, library, stacks) = (twin.site(), twin.library(), twin.stacks());
        let (ids, faces): (Vec<FaceId>, Vec<Face>) = site
            .faces()
            .filter(|(_, f, _)| site.floors.get(floor).is_some_and(|this| this.id == f.id))
            .map(|(id, _, face)| (id, face.clone()))
            .unzip();
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
                let behind = v.recess_m + s.back_m;
                // Books are about three quarters as deep as high, and end before the back panel.
                let depth = (0.72 * v.height_m).min(faces[face].depth_m - behind - 0.005).max(0.01);
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
                    corner_m: [s.left_m, behind, tier.board_m + s.up_m],
                    size_m: [v.thickness_m, depth, v.height_m],
                    posture: s.posture,
                    tag_along_m: s.tag_m[0],
                })
            })
            .collect();
        Self {
            site: Arc::new(site.clone()),
            floor,
            faces,
            books,
            robots: twin.robots().cloned().collect(),
            furniture: twin
                .scenario()
                .furniture
                .iter()
                .filter(|f| floor_index(site, f.floor.as_deref()) == floor)
                .map(|f| f.kind)
                .collect(),
            seed: twin.seed(),
            books_moved: twin.books_moved(),
        }
    }

    /// Whether a robot is on the floor.
    pub fn has_robot(&self, robot: usize) -> bool {
        self.robots.get(robot).is_some_and(|r| floor_index(&self.site, r.floor.as_deref()) == self.floor)
    }

    /// The floor itself; `None` for a site without floors.
    pub fn plan(&self) -> Option<&Floor> {
        self.site.floors.get(self.floor)
    }

    /// The box around all walls and faces on the map: low and high corner, m.
    pub fn extent_m(&self) -> [[f64; 2]; 2] {
        let walls = self.plan().into_iter().flat_map(|f| &f.walls).flat_map(|w| [w.from_m, w.to_m]);
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

/// The floor of a twin's first robot.
pub(super) fn first_floor(twin: &Twin) -> usize {
    twin.robots().next().map_or(0, |r| floor_index(twin.site(), r.floor.as_deref()))
}

impl Moment {
    /// Of the first robot's floor, now.
    pub fn of(twin: &Twin) -> Self {
        Self::on(twin, first_floor(twin))
    }

    /// Of one floor of a twin, now.
    pub fn on(twin: &Twin, floor: usize) -> Self {
        let here = |name: &Option<String>| floor_index(twin.site(), name.as_deref()) == floor;
        Self {
            now_ns: twin.now_ns(),
            robots: twin.robots().map(|r| twin.true_pose(&r.name).unwrap_or_default()).collect(),
            dark: twin.robots().map(|r| twin.suffers(&r.name, FaultKind::CameraDark)).collect(),
            people: twin.people_on(floor).collect(),
            obstacles: twin.solids().filter(|o| here(&o.floor)).cloned().collect(),
            furniture: twin.furniture_poses(floor).collect(),
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
