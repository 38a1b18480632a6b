//! What a 2-D lidar can see of a floor: walls and the outlines of the rows, as straight segments with a grid
//! that gives the nearest one.
//!
//! This is the likelihood field of probabilistic robotics (Thrun, Burgard, Fox, ch. 6.4) with one difference:
//! a cell holds the nearest segment instead of a distance, so that distance and gradient are exact and do not
//! step with the cells.

use domain::site::Floor;

/// Why a floor makes no map.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FloorMapError {
    /// Neither walls nor faces.
    #[error("floor {floor:?} has neither walls nor row faces: a lidar cannot localize on it")]
    Empty {
        /// Floor name.
        floor: String,
    },
    /// A coordinate is NaN or infinite.
    #[error("floor {floor:?}: {what} has a coordinate that is not finite")]
    NotFinite {
        /// Floor name.
        floor: String,
        /// Which wall or face.
        what: String,
    },
    /// More cells than a map may have.
    #[error(
        "floor {floor:?} spans {width_m:.0} m x {height_m:.0} m, more than {MAX_CELLS} cells of {CELL_M} m: split the floor"
    )]
    TooLarge {
        /// Floor name.
        floor: String,
        /// Extent along the map's x, m.
        width_m: f64,
        /// Extent along the map's y, m.
        height_m: f64,
    },
}

/// Edge of a grid cell, m.
const CELL_M: f64 = 0.05;
/// 400 MB of cells: about 500 m by 500 m.
const MAX_CELLS: usize = 100_000_000;
/// How far from a segment a point still finds it, m.
const REACH_M: f64 = 0.6;
const NONE: u32 = u32::MAX;

/// A straight obstacle on the map, m.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// One end.
    pub from: [f64; 2],
    /// The other end.
    pub to: [f64; 2],
    /// Nothing is seen through it: all but the fronts of the shelves, between whose books there are gaps.
    pub solid: bool,
}

/// What a beam in one direction can meet, m.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reach {
    /// To the first obstacle, a shelf's front included.
    pub first_m: f64,
    /// To the first one that no beam passes; infinite where there is none.
    pub solid_m: f64,
}

/// The nearest obstacle seen from a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nearest {
    /// Distance, m; its sign tells the side of the segment.
    pub signed_m: f64,
    /// Direction on the map in which `signed_m` grows, unit length.
    pub gradient: [f64; 2],
}

/// Segments of one floor at lidar height.
#[derive(Debug, Clone)]
pub struct FloorMap {
    segments: Vec<Segment>,
    extent: [[f64; 2]; 2],
    origin: [f64; 2],
    width: usize,
    height: usize,
    nearest: Vec<u32>,
}

impl FloorMap {
    /// The map of a floor: its walls, and each face's outline (front edge, sides, back).
    pub fn from_floor(floor: &Floor) -> Result<Self, FloorMapError> {
        let mut segments = Vec::new();
        let mut add = |what: String, from: [f64; 2], to: [f64; 2], solid: bool| {
            if from.iter().chain(&to).any(|v| !v.is_finite()) {
                return Err(FloorMapError::NotFinite { floor: floor.id.clone(), what });
            }
            segments.push(Segment { from, to, solid });
            Ok(())
        };
        for (i, wall) in floor.walls.iter().enumerate() {
            add(format!("wall {}", i + 1), wall.from_m, wall.to_m, true)?;
        }
        for face in &floor.faces {
            let corner = |x: f64, y: f64| {
                let p = face.map_from_face([x, y, 0.0]);
                [p[0], p[1]]
            };
            let (l, d) = (face.length_m(), -face.depth_m);
            let corners = [corner(0.0, 0.0), corner(l, 0.0), corner(l, d), corner(0.0, d)];
            for i in 0..4 {
                add(format!("face {}", face.id), corners[i], corners[(i + 1) % 4], i != 0)?;
            }
        }
        Self::from_segments(&floor.id, segments)
    }

    fn from_segments(floor: &str, segments: Vec<Segment>) -> Result<Self, FloorMapError> {
        if segments.is_empty() {
            return Err(FloorMapError::Empty { floor: floor.into() });
        }
        let ends = || segments.iter().flat_map(|s| [s.from, s.to]);
        let low = [0, 1].map(|axis| ends().map(|p| p[axis]).fold(f64::INFINITY, f64::min));
        let high = [0, 1].map(|axis| ends().map(|p| p[axis]).fold(f64::NEG_INFINITY, f64::max));
        let origin = low.map(|v| v - REACH_M);
        let (width_m, height_m) = (high[0] + REACH_M - origin[0], high[1] + REACH_M - origin[1]);
        let (columns, rows) = ((width_m / CELL_M).ceil() + 1.0, (height_m / CELL_M).ceil() + 1.0);
        if columns * rows > MAX_CELLS as f64 {
            return Err(FloorMapError::TooLarge { floor: floor.into(), width_m, height_m });
        }
        let (width, height) = (columns as usize, rows as usize);
        let mut map = Self {
            segments,
            extent: [low, high],
            origin,
            width,
            height,
            nearest: vec![NONE; width * height],
        };
        let mut distance = vec![REACH_M as f32; width * height];
        for index in 0..map.segments.len() {
            map.mark(index, &mut distance);
        }
        Ok(map)
    }

    /// Enters one segment into all cells that it is nearest to.
    fn mark(&mut self, index: usize, distance: &mut [f32]) {
        let segment = self.segments[index];
        let range = |axis: usize, count: usize| {
            let (a, b) = (segment.from[axis], segment.to[axis]);
            let from = ((a.min(b) - REACH_M - self.origin[axis]) / CELL_M).floor().max(0.0) as usize;
            let to = ((a.max(b) + REACH_M - self.origin[axis]) / CELL_M).ceil() as usize;
            from..to.min(count - 1) + 1
        };
        for row in range(1, self.height) {
            for column in range(0, self.width) {
                let centre = [
                    self.origin[0] + (column as f64 + 0.5) * CELL_M,
                    self.origin[1] + (row as f64 + 0.5) * CELL_M,
                ];
                let d = segment.nearest(centre).signed_m.abs() as f32;
                let cell = row * self.width + column;
                if d < distance[cell] {
                    distance[cell] = d;
                    self.nearest[cell] = index as u32;
                }
            }
        }
    }

    /// The obstacle nearest to a map point, m; `None` when all are farther than about 0.6 m.
    pub fn nearest(&self, point: [f64; 2]) -> Option<Nearest> {
        let (column, row) = ((point[0] - self.origin[0]) / CELL_M, (point[1] - self.origin[1]) / CELL_M);
        let inside = column >= 0.0 && row >= 0.0 && column < self.width as f64 && row < self.height as f64;
        if !inside {
            return None;
        }
        let segment = self.nearest[row as usize * self.width + column as usize];
        self.segments.get(segment as usize).map(|s| s.nearest(point))
    }

    /// Lowest and highest x and y of the obstacles, m.
    pub fn extent(&self) -> [[f64; 2]; 2] {
        self.extent
    }

    /// Whether a round body of this radius, m, can stand at a map point: among the obstacles and clear of them.
    pub fn has_room(&self, point: [f64; 2], radius_m: f64) -> bool {
        let [low, high] = self.extent;
        (0..2).all(|a| (low[a]..=high[a]).contains(&point[a]))
            && self.nearest(point).is_none_or(|n| n.signed_m.abs() >= radius_m)
    }

    /// The obstacles.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Distance from a map point to the first obstacle in a direction (radians on the map), m.
    pub fn ray(&self, from: [f64; 2], direction: f64) -> Option<f64> {
        let d = [direction.cos(), direction.sin()];
        self.segments.iter().filter_map(|s| s.ray(from, d)).min_by(f64::total_cmp)
    }

    /// What a beam from a map point in a direction (radians on the map) can meet; `None` where there is nothing at all.
    pub fn reach(&self, from: [f64; 2], direction: f64) -> Option<Reach> {
        let d = [direction.cos(), direction.sin()];
        let nothing = Reach { first_m: f64::INFINITY, solid_m: f64::INFINITY };
        let reach = self.segments.iter().fold(nothing, |mut reach, s| {
            if let Some(range) = s.ray(from, d) {
                reach.first_m = reach.first_m.min(range);
                if s.solid {
                    reach.solid_m = reach.solid_m.min(range);
                }
            }
            reach
        });
        reach.first_m.is_finite().then_some(reach)
    }
}

impl Segment {
    /// This segment seen from a point.
    pub fn nearest(&self, p: [f64; 2]) -> Nearest {
        let along = [self.to[0] - self.from[0], self.to[1] - self.from[1]];
        let length = along[0].hypot(along[1]);
        let unit = if length > 0.0 { [along[0] / length, along[1] / length] } else { [1.0, 0.0] };
        let normal = [-unit[1], unit[0]];
        let from = [p[0] - self.from[0], p[1] - self.from[1]];
        let t = from[0] * unit[0] + from[1] * unit[1];
        if (0.0..=length).contains(&t) {
            return Nearest { signed_m: from[0] * normal[0] + from[1] * normal[1], gradient: normal };
        }
        let end = if t < 0.0 { self.from } else { self.to };
        let (dx, dy) = (p[0] - end[0], p[1] - end[1]);
        let d = dx.hypot(dy);
        let gradient = if d > 1e-9 { [dx / d, dy / d] } else { normal };
        Nearest { signed_m: d, gradient }
    }

    fn ray(&self, p: [f64; 2], d: [f64; 2]) -> Option<f64> {
        let e = [self.to[0] - self.from[0], self.to[1] - self.from[1]];
        let cross = d[0] * e[1] - d[1] * e[0];
        if cross.abs() < 1e-12 {
            return None;
        }
        let q = [self.from[0] - p[0], self.from[1] - p[1]];
        let range = (q[0] * e[1] - q[1] * e[0]) / cross;
        let share = (q[0] * d[1] - q[1] * d[0]) / cross;
        (range > 0.0 && (0.0..=1.0).contains(&share)).then_some(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::site::{Face, Tier, Wall};

    fn floor() -> Floor {
        Floor {
            id: "1F".into(),
            walls: vec![Wall { from_m: [0.0, 0.0], to_m: [6.0, 0.0] }],
            faces: vec![Face {
                id: "R01A".into(),
                origin_m: [1.0, 2.0],
                heading_deg: 0.0,
                bays: 2,
                bay_width_m: 0.9,
                depth_m: 0.25,
                tiers: vec![Tier { board_m: 0.1, clear_m: 0.3 }],
            }],
            markers: vec![],
            docks: vec![],
            desks: vec![],
            places: vec![],
            no_go: vec![],
        }
    }

    #[test]
    fn the_robot_sees_the_shelf_front_where_the_site_file_puts_it() {
        let map = FloorMap::from_floor(&floor()).unwrap();
        // The face looks to -y; its front edge runs from (1, 2) to (2.8, 2), its back at y = 2.25.
        let front = map.ray([1.5, 1.0], std::f64::consts::FRAC_PI_2).unwrap();
        assert!((front - 1.0).abs() < 1e-12);
        let reach = map.reach([1.5, 1.0], std::f64::consts::FRAC_PI_2).unwrap();
        assert!((reach.first_m - 1.0).abs() < 1e-12 && (reach.solid_m - 1.25).abs() < 1e-12);
        let near = map.nearest([1.53, 1.9]).unwrap();
        assert!((near.signed_m.abs() - 0.1).abs() < 1e-12);
        let step = [1.53 + 0.01 * near.gradient[0], 1.9 + 0.01 * near.gradient[1]];
        assert!((map.nearest(step).unwrap().signed_m - near.signed_m - 0.01).abs() < 1e-12);
        assert!(map.nearest([4.5, 1.2]).is_none());
        assert!(map.nearest([-100.0, 1.2]).is_none());
    }

    #[test]
    fn a_floor_without_anything_to_see_is_refused() {
        let mut empty = floor();
        empty.walls.clear();
        empty.faces.clear();
        assert!(matches!(FloorMap::from_floor(&empty), Err(FloorMapError::Empty { .. })));
        let mut odd = floor();
        odd.walls[0].to_m[0] = f64::NAN;
        let text = FloorMap::from_floor(&odd).unwrap_err().to_string();
        assert!(text.contains("wall 1"), "{text}");
        odd.walls[0].to_m = [1e6, 1e6];
        assert!(matches!(FloorMap::from_floor(&odd), Err(FloorMapError::TooLarge { .. })));
    }
}
