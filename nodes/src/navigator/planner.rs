//! Ways over a floor: a grid of clearances made from the site, A* on it, and shortcuts.
//!
//! Costs are integers and ties go to the lower cell, so a plan is a function of its inputs alone.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use domain::site::Floor;
use positioning::FloorMap;
use positioning::floor_map::{FloorMapError, Segment};
use serde::{Deserialize, Serialize};

/// Parameters of the planner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlannerParams {
    /// Radius of the robot, m. 0.30: the chassis with its antennas.
    pub robot_radius_m: f64,
    /// Room between robot and obstacles at the least, m. 0.05: localization and control error, doubled.
    pub margin_m: f64,
    /// Clearance from which a way costs nothing extra, m. 0.7: the middle of an aisle of 1.5 m.
    pub comfortable_m: f64,
}

impl Default for PlannerParams {
    fn default() -> Self {
        Self { robot_radius_m: 0.30, margin_m: 0.05, comfortable_m: 0.7 }
    }
}

/// Why there is no way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The start is not on the floor.
    #[error("the start is outside the map")]
    StartOutside,
    /// The goal is not on the floor.
    #[error("the goal is outside the map")]
    GoalOutside,
    /// The robot does not fit where it should go.
    #[error("the goal is occupied or too close to an obstacle")]
    GoalOccupied,
    /// Something closes every way.
    #[error("no way leads from the start to the goal")]
    NoPath,
}

/// Edge of a cell, m.
const CELL_M: f64 = 0.05;
/// Cost of a millimetre at the least allowed clearance, against 1 at a comfortable one.
const CLOSE_COST: f64 = 4.0;
/// The same where the robot stands too close already and has to get out.
const ESCAPE_COST: u64 = 20;
const UNREACHED: u64 = u64::MAX;
/// Steps to the eight neighbours, µm of way in tenths of a cell's edge kept integer: 50 mm and 70.7 mm.
const NEIGHBOURS: [(i64, i64, u64); 8] = [
    (1, 0, 500),
    (-1, 0, 500),
    (0, 1, 500),
    (0, -1, 500),
    (1, 1, 707),
    (1, -1, 707),
    (-1, 1, 707),
    (-1, -1, 707),
];

/// Clearances on a floor.
#[derive(Debug, Clone)]
pub struct Planner {
    params: PlannerParams,
    origin: [f64; 2],
    columns: usize,
    rows: usize,
    /// Distance to the nearest obstacle, m, capped at `comfortable_m`; 0 inside shelves and no-go zones.
    clearance: Vec<f32>,
}

/// Costs of the cheapest ways from one place.
#[derive(Debug, Clone)]
pub struct Reach<'a> {
    planner: &'a Planner,
    cost: Vec<u64>,
}

impl Planner {
    /// The planner of a floor: walls, rows and no-go zones are obstacles.
    pub fn new(floor: &Floor, params: PlannerParams) -> Result<Self, FloorMapError> {
        let map = FloorMap::from_floor(floor)?;
        let mut segments = map.segments().to_vec();
        let mut polygons: Vec<Vec<[f64; 2]>> = Vec::new();
        for face in &floor.faces {
            let corner = |x: f64, y: f64| {
                let p = face.map_from_face([x, y, 0.0]);
                [p[0], p[1]]
            };
            let (l, d) = (face.length_m(), -face.depth_m);
            polygons.push(vec![corner(0.0, 0.0), corner(l, 0.0), corner(l, d), corner(0.0, d)]);
        }
        for zone in floor.no_go.iter().filter(|z| z.polygon_m.iter().flatten().all(|v| v.is_finite())) {
            let p = &zone.polygon_m;
            segments.extend((0..p.len()).map(|i| Segment {
                from: p[i],
                to: p[(i + 1) % p.len()],
                solid: false,
            }));
            polygons.push(p.clone());
        }
        let ends = || segments.iter().flat_map(|s| [s.from, s.to]);
        let low = |axis: usize| ends().map(|p| p[axis]).fold(f64::INFINITY, f64::min) - 0.5;
        let high = |axis: usize| ends().map(|p| p[axis]).fold(f64::NEG_INFINITY, f64::max) + 0.5;
        let origin = [low(0), low(1)];
        // `FloorMap` has refused floors that are too large.
        let columns = ((high(0) - origin[0]) / CELL_M).ceil() as usize + 1;
        let rows = ((high(1) - origin[1]) / CELL_M).ceil() as usize + 1;
        let clearance = vec![params.comfortable_m as f32; columns * rows];
        let mut planner = Self { params, origin, columns, rows, clearance };
        for segment in &segments {
            planner.mark(segment.from, segment.to, |p| segment.nearest(p).signed_m.abs());
        }
        for polygon in &polygons {
            let corner = |pick: fn(f64, f64) -> f64, start: f64| {
                [0, 1].map(|axis| polygon.iter().map(|p| p[axis]).fold(start, pick))
            };
            let (from, to) = (corner(f64::min, f64::INFINITY), corner(f64::max, f64::NEG_INFINITY));
            planner.mark(from, to, |p| if inside(polygon, p) { 0.0 } else { f64::INFINITY });
        }
        Ok(planner)
    }

    /// Lowers the clearance of the cells around the box of two points.
    fn mark(&mut self, a: [f64; 2], b: [f64; 2], distance: impl Fn([f64; 2]) -> f64) {
        let reach = self.params.comfortable_m;
        let range = |axis: usize, count: usize| {
            let from =
                ((a[axis].min(b[axis]) - reach - self.origin[axis]) / CELL_M).floor().max(0.0) as usize;
            let to = ((a[axis].max(b[axis]) + reach - self.origin[axis]) / CELL_M).ceil().max(0.0) as usize;
            from..to.saturating_add(1).min(count)
        };
        for row in range(1, self.rows) {
            for column in range(0, self.columns) {
                let cell = row * self.columns + column;
                let d = distance(self.centre(cell)) as f32;
                if d < self.clearance[cell] {
                    self.clearance[cell] = d;
                }
            }
        }
    }

    fn centre(&self, cell: usize) -> [f64; 2] {
        [
            self.origin[0] + ((cell % self.columns) as f64 + 0.5) * CELL_M,
            self.origin[1] + ((cell / self.columns) as f64 + 0.5) * CELL_M,
        ]
    }

    fn cell(&self, p: [f64; 2]) -> Option<usize> {
        let (x, y) = ((p[0] - self.origin[0]) / CELL_M, (p[1] - self.origin[1]) / CELL_M);
        let on = x >= 0.0 && y >= 0.0 && x < self.columns as f64 && y < self.rows as f64;
        on.then(|| y as usize * self.columns + x as usize)
    }

    /// Clearance at a place, m; 0 outside the map.
    pub fn clearance(&self, p: [f64; 2]) -> f64 {
        self.cell(p).map_or(0.0, |c| f64::from(self.clearance[c]))
    }

    fn least(&self) -> f64 {
        self.params.robot_radius_m + self.params.margin_m
    }

    /// Cost factor in thousandths; `None` where the robot does not fit.
    fn factor(&self, cell: usize, escape_from: [f64; 2]) -> Option<u64> {
        let clearance = f64::from(self.clearance[cell]);
        if clearance < self.least() {
            // A robot that stands too close to something may leave; half its radius keeps it from leaving
            // through a wall.
            let c = self.centre(cell);
            let near = (c[0] - escape_from[0]).hypot(c[1] - escape_from[1]) < self.least();
            let beside = clearance > 0.5 * self.params.robot_radius_m;
            return (near && beside).then_some(ESCAPE_COST * 1000);
        }
        let room = (self.params.comfortable_m - self.least()).max(1e-3);
        let tight = ((self.params.comfortable_m - clearance) / room).clamp(0.0, 1.0);
        Some((1000.0 * (1.0 + (CLOSE_COST - 1.0) * tight)) as u64)
    }

    /// A way between two places as corner points, with further obstacles (map points, m) kept clear of.
    pub fn plan(&self, from: [f64; 2], to: [f64; 2], extra: &[[f64; 2]]) -> Result<Vec<[f64; 2]>, PlanError> {
        if !extra.is_empty() {
            let mut marked = self.clone();
            for &p in extra.iter().filter(|p| p.iter().all(|v| v.is_finite())) {
                marked.mark(p, p, |q| (q[0] - p[0]).hypot(q[1] - p[1]));
            }
            return marked.plan(from, to, &[]);
        }
        let start = self.cell(from).ok_or(PlanError::StartOutside)?;
        let goal = self.cell(to).ok_or(PlanError::GoalOutside)?;
        if f64::from(self.clearance[goal]) < self.least() {
            return Err(PlanError::GoalOccupied);
        }
        let (cost, parent) = self.search(start, Some(goal), from);
        if cost[goal] == UNREACHED {
            return Err(PlanError::NoPath);
        }
        let mut cells = vec![goal];
        while let Some(&last) = cells.last()
            && last != start
        {
            cells.push(parent[last] as usize);
        }
        cells.reverse();
        let mut points: Vec<[f64; 2]> = cells.iter().map(|&c| self.centre(c)).collect();
        points[0] = from;
        if let Some(last) = points.last_mut() {
            *last = to;
        }
        let along: Vec<u64> = cells.iter().map(|&c| cost[c]).collect();
        Ok(self.shorten(&points, &along, from))
    }

    /// Costs from one place to everywhere.
    pub fn reach(&self, from: [f64; 2]) -> Result<Reach<'_>, PlanError> {
        let start = self.cell(from).ok_or(PlanError::StartOutside)?;
        Ok(Reach { planner: self, cost: self.search(start, None, from).0 })
    }

    /// A* to a goal, Dijkstra without one: costs and parents.
    fn search(&self, start: usize, goal: Option<usize>, from: [f64; 2]) -> (Vec<u64>, Vec<u32>) {
        let mut cost = vec![UNREACHED; self.clearance.len()];
        let mut parent = vec![0u32; self.clearance.len()];
        let estimate = |cell: usize| {
            goal.map_or(0, |g| {
                let dx = (cell % self.columns).abs_diff(g % self.columns) as u64;
                let dy = (cell / self.columns).abs_diff(g / self.columns) as u64;
                // Octile distance at the lowest cost.
                500 * dx.max(dy) + 207 * dx.min(dy)
            })
        };
        let mut open = BinaryHeap::from([Reverse((estimate(start), start))]);
        cost[start] = 0;
        while let Some(Reverse((rank, cell))) = open.pop() {
            if goal == Some(cell) {
                break;
            }
            if rank > cost[cell].saturating_add(estimate(cell)) {
                continue;
            }
            let (column, row) = ((cell % self.columns) as i64, (cell / self.columns) as i64);
            for (dx, dy, way) in NEIGHBOURS {
                let (x, y) = (column + dx, row + dy);
                if x < 0 || y < 0 || x >= self.columns as i64 || y >= self.rows as i64 {
                    continue;
                }
                let next = y as usize * self.columns + x as usize;
                let Some(factor) = self.factor(next, from) else { continue };
                let through = cost[cell] + way * factor / 1000;
                if through < cost[next] {
                    cost[next] = through;
                    parent[next] = cell as u32;
                    open.push(Reverse((through + estimate(next), next)));
                }
            }
        }
        (cost, parent)
    }

    /// Leaves out every point that a straight line passes at no more cost.
    fn shorten(&self, points: &[[f64; 2]], cost: &[u64], from: [f64; 2]) -> Vec<[f64; 2]> {
        let mut kept = vec![points[0]];
        let mut at = 0;
        while at + 1 < points.len() {
            let mut next = at + 1;
            // Farther points first in growing steps would be quicker; paths here have some hundred points.
            for candidate in (at + 2..points.len()).rev() {
                let along = cost[candidate] - cost[at];
                if self
                    .line_cost(points[at], points[candidate], from)
                    .is_some_and(|c| c <= along + along / 100)
                {
                    next = candidate;
                    break;
                }
            }
            kept.push(points[next]);
            at = next;
        }
        kept
    }

    /// Cost of a straight line; `None` where the robot does not fit along it.
    fn line_cost(&self, a: [f64; 2], b: [f64; 2], from: [f64; 2]) -> Option<u64> {
        let length = (b[0] - a[0]).hypot(b[1] - a[1]);
        let steps = (length / (0.5 * CELL_M)).ceil().max(1.0) as usize;
        let piece = (length / steps as f64 * 500.0 / CELL_M) as u64;
        let mut cost = 0;
        for i in 1..=steps {
            let share = i as f64 / steps as f64;
            let p = [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])];
            cost += piece * self.factor(self.cell(p)?, from)? / 1000;
        }
        Some(cost)
    }
}

impl Reach<'_> {
    /// Cost of the way to a place, in metres of comfortable way; `None` where none leads there.
    pub fn cost_to(&self, p: [f64; 2]) -> Option<f64> {
        let cost = self.cost[self.planner.cell(p)?];
        (cost != UNREACHED).then_some(cost as f64 * 1e-4)
    }
}

/// Even-odd rule.
fn inside(polygon: &[[f64; 2]], p: [f64; 2]) -> bool {
    let mut inside = false;
    for i in 0..polygon.len() {
        let (a, b) = (polygon[i], polygon[(i + 1) % polygon.len()]);
        if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < (b[0] - a[0]) * (p[1] - a[1]) / (b[1] - a[1]) + a[0] {
            inside = !inside;
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::site::{Face, Tier, Wall, Zone};

    fn room() -> Floor {
        let corners = [[0.0, 0.0], [8.0, 0.0], [8.0, 4.0], [0.0, 4.0]];
        Floor {
            id: "1F".into(),
            walls: (0..4).map(|i| Wall { from_m: corners[i], to_m: corners[(i + 1) % 4] }).collect(),
            faces: vec![Face {
                id: "R01A".into(),
                origin_m: [2.0, 1.75],
                heading_deg: 0.0,
                bays: 4,
                bay_width_m: 1.0,
                depth_m: 0.5,
                tiers: vec![Tier { board_m: 0.1, clear_m: 0.3 }],
            }],
            markers: vec![],
            docks: vec![],
            desks: vec![],
            places: vec![],
            no_go: vec![],
        }
    }

    fn length(path: &[[f64; 2]]) -> f64 {
        path.windows(2).map(|w| (w[1][0] - w[0][0]).hypot(w[1][1] - w[0][1])).sum()
    }

    fn tightest(planner: &Planner, path: &[[f64; 2]]) -> f64 {
        path.windows(2)
            .flat_map(|w| {
                (0..=100).map(move |i| {
                    let s = f64::from(i) / 100.0;
                    [w[0][0] + s * (w[1][0] - w[0][0]), w[0][1] + s * (w[1][1] - w[0][1])]
                })
            })
            .map(|p| planner.clearance(p))
            .fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn the_robot_goes_round_a_row_and_keeps_clear_of_it() {
        let planner = Planner::new(&room(), PlannerParams::default()).unwrap();
        let path = planner.plan([4.0, 0.8], [4.0, 3.2], &[]).unwrap();
        assert!(tightest(&planner, &path) > 0.3, "{path:?}");
        let l = length(&path);
        assert!(l > 5.0 && l < 7.5, "{l} m: {path:?}");
        let cost = planner.reach([4.0, 0.8]).unwrap().cost_to([4.0, 3.2]).unwrap();
        assert!(cost > 5.0 && cost < 12.0, "{cost}");
    }

    #[test]
    fn a_closed_end_sends_the_robot_the_other_way_round() {
        let planner = Planner::new(&room(), PlannerParams::default()).unwrap();
        let cart: Vec<[f64; 2]> = (0..100).map(|i| [0.5 + 0.01 * f64::from(i), 2.0]).collect();
        let path = planner.plan([2.2, 0.8], [2.2, 3.2], &cart).unwrap();
        assert!(path.iter().any(|p| p[0] > 6.0), "{path:?}");
        let free = planner.plan([2.2, 0.8], [2.2, 3.2], &[]).unwrap();
        assert!(free.iter().all(|p| p[0] < 3.0), "{free:?}");
    }

    #[test]
    fn places_that_cannot_be_reached_are_refused_with_the_reason() {
        let mut floor = room();
        floor.no_go.push(Zone {
            id: "stairs".into(),
            polygon_m: vec![[6.2, 0.1], [7.9, 0.1], [7.9, 3.9], [6.2, 3.9]],
        });
        let planner = Planner::new(&floor, PlannerParams::default()).unwrap();
        assert_eq!(planner.plan([1.0, 1.0], [7.0, 2.0], &[]), Err(PlanError::GoalOccupied));
        assert_eq!(planner.plan([1.0, 1.0], [3.0, 2.0], &[]), Err(PlanError::GoalOccupied));
        assert_eq!(planner.plan([1.0, 1.0], [90.0, 2.0], &[]), Err(PlanError::GoalOutside));
        assert_eq!(planner.plan([-90.0, 1.0], [1.0, 2.0], &[]), Err(PlanError::StartOutside));
        let wall: Vec<[f64; 2]> = (0..400).map(|i| [1.2, 0.01 * f64::from(i)]).collect();
        assert_eq!(planner.plan([0.6, 1.0], [4.0, 0.8], &wall), Err(PlanError::NoPath));
        assert!(planner.reach([1.0, 1.0]).unwrap().cost_to([7.0, 2.0]).is_none());
    }

    #[test]
    fn a_robot_parked_at_a_wall_can_leave() {
        let planner = Planner::new(&room(), PlannerParams::default()).unwrap();
        assert!(planner.plan([0.31, 1.0], [4.0, 0.8], &[]).is_ok());
    }
}
