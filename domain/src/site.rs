//! The stacks as built: floors, walls, row faces, markers, docks, desks, places and no-go zones (`site.toml`).
//!
//! **Face coordinates.** Origin at the lower left corner of the face as a reader faces it, x along the shelf to
//! the right, y out of the shelf into the aisle, z up. Facing the shelf, right and out and up make a
//! left-handed triple, so face coordinates are numbers about a face and never a tf frame.

mod check;
mod geometry;
mod load;
mod plan;
mod raster;

use serde::{Deserialize, Serialize};

use crate::address::FaceId;

pub use check::Finding;
pub use load::SiteError;
pub use raster::OccupancyGrid;

/// A whole site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Name for people.
    pub name: String,
    /// Floors, each with its own map.
    #[serde(rename = "floor")]
    pub floors: Vec<Floor>,
}

/// One floor. Its map frame has z = 0 on the floor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floor {
    /// Name as in shelf addresses, `3F`.
    pub id: String,
    /// Walls.
    #[serde(default, rename = "wall")]
    pub walls: Vec<Wall>,
    /// Row faces.
    #[serde(default, rename = "face")]
    pub faces: Vec<Face>,
    /// AprilTag 36h11 markers.
    #[serde(default, rename = "marker")]
    pub markers: Vec<Marker>,
    /// Charging docks.
    #[serde(default, rename = "dock")]
    pub docks: Vec<NamedPose>,
    /// Service desks.
    #[serde(default, rename = "desk")]
    pub desks: Vec<NamedPose>,
    /// Other named places.
    #[serde(default, rename = "place")]
    pub places: Vec<NamedPose>,
    /// Areas that robots keep out of.
    #[serde(default, rename = "no_go")]
    pub no_go: Vec<Zone>,
}

/// A straight wall.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wall {
    /// One end on the map, m.
    pub from_m: [f64; 2],
    /// The other end, m.
    pub to_m: [f64; 2],
}

/// One tier of a row face, the same in every bay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Height of the board that the books stand on, above the floor, m.
    pub board_m: f64,
    /// Clear height above the board, m.
    pub clear_m: f64,
}

/// One row face.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Face {
    /// Row and side, `R07A`; with the floor's name it makes a [`FaceId`].
    pub id: String,
    /// Lower left corner of the face on the map, m: the plane of the shelves' front edges.
    pub origin_m: [f64; 2],
    /// Direction of the face's x axis on the map, degrees, counter-clockwise from the map's x.
    /// The face looks to the right of it: its y axis points to `heading_deg - 90`.
    pub heading_deg: f64,
    /// Number of bays.
    pub bays: u16,
    /// Width of a bay, m.
    pub bay_width_m: f64,
    /// Depth of the shelves, m.
    pub depth_m: f64,
    /// Tiers from the bottom.
    #[serde(rename = "tier")]
    pub tiers: Vec<Tier>,
}

/// An AprilTag 36h11 on a shelf or wall.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marker {
    /// Identifier in the 36h11 family, 0 to 586.
    pub id: u16,
    /// Centre on the map, m.
    pub at_m: [f64; 3],
    /// Direction that it looks to, degrees on the map.
    pub heading_deg: f64,
    /// Edge length of the black square, m.
    pub size_m: f64,
}

/// A place with a direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedPose {
    /// Name.
    pub id: String,
    /// On the map, m.
    pub at_m: [f64; 2],
    /// Degrees on the map.
    pub heading_deg: f64,
}

/// A polygon on the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// Name.
    pub id: String,
    /// Corners in order, m.
    pub polygon_m: Vec<[f64; 2]>,
}

impl Face {
    /// Length of the face along x, m.
    pub fn length_m(&self) -> f64 {
        f64::from(self.bays) * self.bay_width_m
    }

    /// A map point in face coordinates.
    pub fn face_from_map(&self, p: [f64; 3]) -> [f64; 3] {
        let (s, c) = self.heading_deg.to_radians().sin_cos();
        let (dx, dy) = (p[0] - self.origin_m[0], p[1] - self.origin_m[1]);
        [c * dx + s * dy, s * dx - c * dy, p[2]]
    }

    /// A point in face coordinates on the map.
    pub fn map_from_face(&self, p: [f64; 3]) -> [f64; 3] {
        let (s, c) = self.heading_deg.to_radians().sin_cos();
        [self.origin_m[0] + c * p[0] + s * p[1], self.origin_m[1] + s * p[0] - c * p[1], p[2]]
    }

    /// The four corners of the shelves on the map, m: front left, front right, back right, back left.
    pub fn outline_m(&self) -> [[f64; 2]; 4] {
        let (l, d) = (self.length_m(), self.depth_m);
        [[0.0, 0.0], [l, 0.0], [l, -d], [0.0, -d]].map(|[x, y]| {
            let p = self.map_from_face([x, y, 0.0]);
            [p[0], p[1]]
        })
    }

    /// The bay, from 1, that a place along the face falls into; `None` beyond its ends.
    pub fn bay_at(&self, along_m: f64) -> Option<u16> {
        let bay = (along_m / self.bay_width_m).floor();
        (bay >= 0.0 && bay < f64::from(self.bays)).then(|| bay as u16 + 1)
    }
}

impl Floor {
    /// The full name of one of this floor's faces; `None` when its `id` is malformed.
    pub fn face_id(&self, face: &Face) -> Option<FaceId> {
        format!("{}/{}", self.id, face.id).parse().ok()
    }
}

impl Site {
    /// The face of that name, with its floor.
    pub fn face(&self, id: &FaceId) -> Option<(&Floor, &Face)> {
        let floor = self.floors.iter().find(|f| *f.id == *id.floor)?;
        let name = format!("{}{}", id.row, id.side);
        Some((floor, floor.faces.iter().find(|f| f.id == name)?))
    }

    /// All faces in the file's order.
    pub fn faces(&self) -> impl Iterator<Item = (FaceId, &Floor, &Face)> {
        self.floors.iter().flat_map(|floor| {
            floor.faces.iter().filter_map(move |face| Some((floor.face_id(face)?, floor, face)))
        })
    }
}
