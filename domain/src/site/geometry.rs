//! Plane geometry of a floor, for checking it.

use super::{Face, Floor, Wall};

/// Two faces may share their backs, and a shelf may touch a wall, by no more than this, m.
const OVERLAP_M: f64 = 0.01;
/// Shelves stand within the outermost walls but for this much, m: walls are drawn along either of their faces.
const OUTSIDE_M: f64 = 0.2;

/// True where the shelves of two faces stand in each other.
pub(super) fn overlap(a: &Face, b: &Face) -> bool {
    let axes = [a.heading_deg, a.heading_deg + 90.0, b.heading_deg, b.heading_deg + 90.0];
    meet(&shrunk(a), &shrunk(b), &axes)
}

/// True where a wall runs through the shelves of a face.
pub(super) fn crosses(wall: &Wall, face: &Face) -> bool {
    let along = (wall.to_m[1] - wall.from_m[1]).atan2(wall.to_m[0] - wall.from_m[0]).to_degrees();
    let axes = [face.heading_deg, face.heading_deg + 90.0, along, along + 90.0];
    meet(&shrunk(face), &[wall.from_m, wall.to_m], &axes)
}

/// True where a face stands within the box around the walls, or where there are too few walls for a box.
pub(super) fn within_walls(floor: &Floor, face: &Face) -> bool {
    let ends = || floor.walls.iter().flat_map(|w| [w.from_m, w.to_m]);
    (0..2).all(|axis| {
        let low = ends().map(|p| p[axis]).fold(f64::INFINITY, f64::min);
        let high = ends().map(|p| p[axis]).fold(f64::NEG_INFINITY, f64::max);
        // A single straight wall bounds one side and says nothing of the other.
        high - low <= face.depth_m
            || floor.walls.len() < 3
            || face.outline_m().iter().all(|p| p[axis] >= low - OUTSIDE_M && p[axis] <= high + OUTSIDE_M)
    })
}

/// True for a polygon with an area and without crossing edges.
pub(super) fn simple(corners: &[[f64; 2]]) -> bool {
    let n = corners.len();
    let edge = |i: usize| [corners[i], corners[(i + 1) % n]];
    let area: f64 = (0..n).map(edge).map(|[a, b]| a[0] * b[1] - b[0] * a[1]).sum();
    let neighbours = |i: usize, j: usize| i + 1 == j || (i == 0 && j + 1 == n);
    area.abs() > 1e-6
        && (0..n).all(|i| (i + 1..n).all(|j| neighbours(i, j) || !segments_cross(edge(i), edge(j))))
}

fn segments_cross([a, b]: [[f64; 2]; 2], [c, d]: [[f64; 2]; 2]) -> bool {
    let side = |p: [f64; 2], q: [f64; 2], r: [f64; 2]| {
        ((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])).signum()
    };
    side(a, b, c) * side(a, b, d) < 0.0 && side(c, d, a) * side(c, d, b) < 0.0
}

/// The corners of a face's shelves on the map, a little inside them.
fn shrunk(face: &Face) -> [[f64; 2]; 4] {
    let (l, d) = (face.length_m() - OVERLAP_M, face.depth_m - OVERLAP_M);
    [[OVERLAP_M, -OVERLAP_M], [l, -OVERLAP_M], [l, -d], [OVERLAP_M, -d]].map(|[x, y]| {
        let p = face.map_from_face([x, y, 0.0]);
        [p[0], p[1]]
    })
}

/// Whether two convex shapes meet: no axis (degrees on the map) separates them.
fn meet(a: &[[f64; 2]], b: &[[f64; 2]], axes: &[f64]) -> bool {
    axes.iter().all(|axis| {
        let (s, c) = axis.to_radians().sin_cos();
        let span = |corners: &[[f64; 2]]| {
            let along = corners.iter().map(|p| p[0] * c + p[1] * s);
            along.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)))
        };
        let ((a0, a1), (b0, b1)) = (span(a), span(b));
        a0 < b1 && b0 < a1
    })
}
