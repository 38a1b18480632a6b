//! Rows of shelves as a lidar sees them: boards and uprights, books as deep in the shelf as they stand, gaps.
//!
//! Nothing here is a rigid body. A beam that meets a row is followed into it, past the few books of one shelf, so a
//! floor of 100,000 books costs a beam no more than a floor of 100.

use domain::Site;
use domain::site::Face;

use crate::covers::reflectance;
use crate::library::UPRIGHT_M;
use crate::stacks::{Stacks, Standing};

/// Reflectance of the shelves' painted steel, as a share of white.
pub(crate) const STEEL: f64 = 0.5;

/// Depth of the books that a beam may meet, m.
const BOOK_DEPTH_M: f64 = 0.15;
/// A beam that enters this close to a face's front edge comes from the front, m.
const FRONT_M: f64 = 0.002;

/// One volume as a beam meets it: from left to right along the face, its front and its top.
#[derive(Debug, Clone, Copy)]
struct Spine {
    left_m: f32,
    right_m: f32,
    /// How far the spine is behind the front edge, m.
    recess_m: f32,
    /// Lower and upper edge above the board, m.
    from_m: f32,
    to_m: f32,
    /// As a share of white.
    reflectance: f32,
}

/// What a beam meets in a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Met {
    /// How far behind the box of the face, m.
    pub deeper_m: f64,
    /// Reflectance as a share of white, times cosine of the angle of incidence; `None` on the box itself.
    pub echo: Option<f64>,
}

/// All row faces of a site, in its order.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    faces: Vec<Row>,
}

#[derive(Debug, Clone)]
struct Row {
    face: Face,
    /// By bay and tier: where in `spines` the shelf's begin; one more at the end.
    shelves: Vec<u32>,
    spines: Vec<Spine>,
}

impl Row {
    fn shelf(&self, bay: u16, tier: usize) -> &[Spine] {
        let n = usize::from(bay - 1) * self.face.tiers.len() + tier;
        match self.shelves[n..] {
            [from, to, ..] => &self.spines[from as usize..to as usize],
            _ => &[],
        }
    }
}

impl Rows {
    /// The rows of a site with what stands on them, `standing` in the order of addresses.
    pub fn new(site: &Site, stacks: &Stacks, standing: &[Standing]) -> Self {
        let faces = site
            .faces()
            .map(|(id, _, face)| {
                let from = standing.partition_point(|s| s.address.face < id);
                let to = from + standing[from..].partition_point(|s| s.address.face == id);
                let mut books = standing[from..to].iter().peekable();
                let mut row = Row { face: face.clone(), shelves: vec![0], spines: Vec::new() };
                for bay in 1..=face.bays {
                    for tier in 1..=face.tiers.len() as u8 {
                        while let Some(s) = books.next_if(|s| (s.address.bay, s.address.tier) == (bay, tier))
                        {
                            let v = &stacks.volumes[s.volume];
                            row.spines.push(Spine {
                                left_m: s.left_m as f32,
                                right_m: (s.left_m + s.width_m) as f32,
                                recess_m: (v.recess_m + s.back_m) as f32,
                                from_m: s.up_m as f32,
                                to_m: (s.up_m + s.tall_m) as f32,
                                reflectance: reflectance(&v.uid),
                            });
                        }
                        row.shelves.push(row.spines.len() as u32);
                    }
                }
                row
            })
            .collect();
        Self { faces }
    }

    /// What a beam meets that comes to the box of a face. The beam comes from `from` (map x and y, and height above
    /// the floor, m) in direction `look`, and meets the box after `distance`.
    pub fn meet(&self, face: usize, from: [f64; 3], look: [f64; 2], distance: f64) -> Met {
        let edge = Met { deeper_m: 0.0, echo: None };
        let Some(row) = self.faces.get(face) else { return edge };
        let (f, z) = (&row.face, from[2]);
        let at = [from[0] + distance * look[0], from[1] + distance * look[1]];
        let [x, y, _] = f.face_from_map([at[0], at[1], z]);
        let Some(tier) = f.tiers.iter().position(|t| z > t.board_m && z < t.board_m + t.clear_m) else {
            return edge;
        };
        let Some(bay) = f.bay_at(x) else { return edge };
        let (s, c) = (libm::sin(f.heading_deg.to_radians()), libm::cos(f.heading_deg.to_radians()));
        let (dx, dy) = (c * look[0] + s * look[1], s * look[0] - c * look[1]);
        let left = f64::from(bay - 1) * f.bay_width_m + UPRIGHT_M / 2.0;
        let right = f64::from(bay) * f.bay_width_m - UPRIGHT_M / 2.0;
        // Ends, back and uprights are steel right there.
        if y < -FRONT_M || dy >= 0.0 || x <= left || x >= right {
            return edge;
        }
        // The back, then what stands nearer: sides of the bay, books by their spine or their cover.
        let mut free = f.depth_m / -dy;
        let mut echo = STEEL * -dy;
        if dx != 0.0 {
            let side = (if dx > 0.0 { right - x } else { left - x }) / dx;
            if side < free {
                (free, echo) = (side, STEEL * dx.abs());
            }
        }
        let up = z - f.tiers[tier].board_m;
        for spine in row.shelf(bay, tier) {
            if up < f64::from(spine.from_m) || up > f64::from(spine.to_m) {
                continue;
            }
            let (near, far) = slab(x, dx, f64::from(spine.left_m), f64::from(spine.right_m));
            let front = -f64::from(spine.recess_m);
            let (front_t, back_t) = (front / dy, (front - BOOK_DEPTH_M) / dy);
            let enters = near.max(front_t).max(0.0);
            if enters <= far.min(back_t) && enters < free {
                let square = if enters > near { -dy } else { dx.abs() };
                (free, echo) = (enters, f64::from(spine.reflectance) * square);
            }
        }
        Met { deeper_m: free, echo: Some(echo) }
    }
}

/// Where a beam along one axis is between two places.
fn slab(x: f64, dx: f64, low: f64, high: f64) -> (f64, f64) {
    if dx.abs() < 1e-12 {
        return if (low..=high).contains(&x) { (0.0, f64::INFINITY) } else { (1.0, 0.0) };
    }
    let (a, b) = ((low - x) / dx, (high - x) / dx);
    (a.min(b), a.max(b))
}
