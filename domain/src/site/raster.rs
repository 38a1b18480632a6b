//! The floor as an occupancy grid, and as the map files that Nav2's map server loads.

use std::io::Write;
use std::path::Path;

use super::Floor;
use super::load::SiteError;
use crate::table_file::write_file;

/// A grid of free and occupied cells, as `nav_msgs/OccupancyGrid` has it: row by row from the lower left corner.
#[derive(Debug, Clone, PartialEq)]
pub struct OccupancyGrid {
    /// Edge of a cell, m.
    pub resolution_m: f64,
    /// Lower left corner on the map, m.
    pub origin_m: [f64; 2],
    /// Cells along the map's x.
    pub width: usize,
    /// Cells along the map's y.
    pub height: usize,
    /// True where a wall or a shelf stands.
    pub occupied: Vec<bool>,
}

/// Free rim around what the floor holds, m.
const RIM_M: f64 = 0.5;

impl Floor {
    /// Smallest and largest corner of walls and row faces on the map, m; `None` for an empty floor.
    pub fn bounds_m(&self) -> Option<[[f64; 2]; 2]> {
        let walls = self.walls.iter().flat_map(|w| [w.from_m, w.to_m]);
        let faces = self.faces.iter().flat_map(super::Face::outline_m);
        walls.chain(faces).fold(None, |bounds, p| {
            let [low, high] = bounds.unwrap_or([p, p]);
            Some([[low[0].min(p[0]), low[1].min(p[1])], [high[0].max(p[0]), high[1].max(p[1])]])
        })
    }

    /// Rasterises walls and row faces.
    pub fn occupancy(&self, resolution_m: f64) -> Option<OccupancyGrid> {
        let [low, high] = self.bounds_m()?;
        let origin_m = [low[0] - RIM_M, low[1] - RIM_M];
        let cells = |i: usize| ((high[i] - low[i] + 2.0 * RIM_M) / resolution_m).ceil() as usize;
        let (width, height) = (cells(0), cells(1));
        let mut grid =
            OccupancyGrid { resolution_m, origin_m, width, height, occupied: vec![false; width * height] };
        for wall in &self.walls {
            grid.line(wall.from_m, wall.to_m);
        }
        for face in &self.faces {
            let steps = (face.depth_m / resolution_m).ceil() as usize * 2;
            for step in 0..=steps {
                let y = -face.depth_m * step as f64 / steps as f64;
                let at = |x: f64| {
                    let p = face.map_from_face([x, y, 0.0]);
                    [p[0], p[1]]
                };
                grid.line(at(0.0), at(face.length_m()));
            }
        }
        Some(grid)
    }

    /// Writes `map.yaml` and `map.pgm` for Nav2's map server into a folder.
    pub fn export_nav2(&self, folder: &Path, resolution_m: f64) -> Result<(), SiteError> {
        let Some(grid) = self.occupancy(resolution_m) else {
            return Err(SiteError::Form {
                file: folder.to_owned(),
                found: format!("floor {} has neither walls nor row faces to map", self.id),
            });
        };
        let write = |name: &str, bytes: &[u8]| {
            let file = folder.join(name);
            write_file(&file, |out| out.write_all(bytes)).map_err(|source| SiteError::Io { file, source })
        };
        let mut pgm = format!("P5\n{} {}\n255\n", grid.width, grid.height).into_bytes();
        for row in grid.occupied.chunks_exact(grid.width).rev() {
            // Nav2's trinary mode: dark is occupied, light is free.
            pgm.extend(row.iter().map(|&o| if o { 0u8 } else { 254 }));
        }
        write("map.pgm", &pgm)?;
        let yaml = format!(
            "image: map.pgm\nmode: trinary\nresolution: {}\norigin: [{}, {}, 0]\nnegate: 0\n\
             occupied_thresh: 0.65\nfree_thresh: 0.25\n",
            grid.resolution_m, grid.origin_m[0], grid.origin_m[1]
        );
        write("map.yaml", yaml.as_bytes())
    }
}

impl OccupancyGrid {
    /// Whether a map point lies in an occupied cell; outside the grid is free.
    pub fn is_occupied(&self, p: [f64; 2]) -> bool {
        let cell = |i: usize| ((p[i] - self.origin_m[i]) / self.resolution_m).floor();
        let (x, y) = (cell(0), cell(1));
        x >= 0.0
            && y >= 0.0
            && (x as usize) < self.width
            && (y as usize) < self.height
            && self.occupied[y as usize * self.width + x as usize]
    }

    fn line(&mut self, from: [f64; 2], to: [f64; 2]) {
        let length = (to[0] - from[0]).hypot(to[1] - from[1]);
        let steps = (2.0 * length / self.resolution_m).ceil().max(1.0) as usize;
        for step in 0..=steps {
            let t = step as f64 / steps as f64;
            let cell = |i: usize| {
                ((from[i] + t * (to[i] - from[i]) - self.origin_m[i]) / self.resolution_m) as usize
            };
            let (x, y) = (cell(0), cell(1));
            if x < self.width && y < self.height {
                self.occupied[y * self.width + x] = true;
            }
        }
    }
}
