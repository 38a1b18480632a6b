//! What weakens a path: steel panels, the boards' edges, the books themselves.

use serde::{Deserialize, Serialize};

use super::error::RadioError;
use super::settings::FieldSettings;

/// An upright rectangle that the field crosses with a loss: a shelf's back panel, a wall, a row's end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Panel {
    /// One lower corner on the map, m.
    pub from_m: [f64; 2],
    /// The other.
    pub to_m: [f64; 2],
    /// Lower and upper edge above the floor, m.
    pub z_m: [f64; 2],
    /// One-way loss, dB. Sheet steel itself is opaque; the gaps beside it leave some 15 dB.
    pub loss_db: f64,
}

/// The front of a row face: boards whose edges shade the tiers above and below an antenna, and books behind it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShelfFront {
    /// Lower left corner of the front plane on the map, m.
    pub origin_m: [f64; 2],
    /// Unit vector on the map from the shelf into the aisle.
    pub outward: [f64; 2],
    /// Heights of the boards, m.
    pub boards_m: Vec<f64>,
}

impl Panel {
    pub(super) fn check(&self, index: usize) -> Result<(), RadioError> {
        let all = [
            self.from_m[0],
            self.from_m[1],
            self.to_m[0],
            self.to_m[1],
            self.z_m[0],
            self.z_m[1],
            self.loss_db,
        ];
        if all.iter().all(|v| v.is_finite()) && self.z_m[0] <= self.z_m[1] && self.loss_db >= 0.0 {
            return Ok(());
        }
        Err(RadioError::Geometry {
            what: "from_m, to_m, z_m and loss_db",
            whose: format!("panel {index}"),
            found: all.to_vec(),
            allowed: "finite numbers, z_m rising, a loss from 0",
        })
    }

    /// One-way loss, dB, on the straight path from a to b.
    pub(super) fn loss_db(&self, a: [f64; 3], b: [f64; 3]) -> f64 {
        let (ux, uy) = (b[0] - a[0], b[1] - a[1]);
        let (vx, vy) = (self.to_m[0] - self.from_m[0], self.to_m[1] - self.from_m[1]);
        let cross = ux * vy - uy * vx;
        if cross.abs() < 1e-12 {
            return 0.0;
        }
        let (wx, wy) = (self.from_m[0] - a[0], self.from_m[1] - a[1]);
        let t = (wx * vy - wy * vx) / cross;
        let s = (wx * uy - wy * ux) / cross;
        let z = a[2] + t * (b[2] - a[2]);
        let hit =
            (0.0..=1.0).contains(&t) && (0.0..=1.0).contains(&s) && (self.z_m[0]..=self.z_m[1]).contains(&z);
        if hit { self.loss_db } else { 0.0 }
    }
}

impl ShelfFront {
    pub(super) fn check(&self, index: usize) -> Result<(), RadioError> {
        let mut all = vec![self.origin_m[0], self.origin_m[1], self.outward[0], self.outward[1]];
        all.extend(&self.boards_m);
        let length = self.outward[0].hypot(self.outward[1]);
        if all.iter().all(|v| v.is_finite()) && (length - 1.0).abs() < 1e-6 {
            return Ok(());
        }
        Err(RadioError::Geometry {
            what: "origin_m, outward and boards_m",
            whose: format!("shelf front {index}"),
            found: all,
            allowed: "finite numbers, outward of length 1",
        })
    }

    /// Distance of a point before the front plane, m.
    fn before(&self, p: [f64; 3]) -> f64 {
        (p[0] - self.origin_m[0]) * self.outward[0] + (p[1] - self.origin_m[1]) * self.outward[1]
    }

    /// One-way loss, dB, from an antenna to a tag of this front: each board between their heights is a knife edge
    /// (ITU-R P.526), and the part of the path behind the front plane runs in books.
    pub(super) fn loss_db(
        &self,
        antenna: [f64; 3],
        tag: [f64; 3],
        wave_m: f64,
        settings: &FieldSettings,
    ) -> f64 {
        let (out, inside) = (self.before(antenna), self.before(tag));
        if out <= 0.0 {
            // From behind: the path runs in books over the shelf's depth; the panel does the rest.
            return (settings.book_loss_db_per_m * 0.25).min(settings.shelf_loss_max_db);
        }
        let length = (0..3).map(|i| (antenna[i] - tag[i]).powi(2)).sum::<f64>().sqrt();
        let share_inside = if inside < 0.0 { -inside / (out - inside) } else { 0.0 };
        let mut loss = settings.book_loss_db_per_m * share_inside * length;
        let rise = antenna[2] - tag[2];
        if rise.abs() > 1e-6 && length > 1e-6 {
            for &board in &self.boards_m {
                let t = (board - tag[2]) / rise;
                if t > 0.0 && t < 1.0 {
                    let clear = (inside + t * (out - inside)) * rise.abs() / length;
                    let (d1, d2) = (t * length, (1.0 - t) * length);
                    loss += knife_edge_db(-clear * (2.0 * length / (wave_m * d1 * d2)).sqrt());
                }
            }
        }
        loss.min(settings.shelf_loss_max_db)
    }
}

/// Loss at a knife edge over the Fresnel parameter (ITU-R P.526, equation 31), dB.
fn knife_edge_db(nu: f64) -> f64 {
    if nu <= -0.78 {
        return 0.0;
    }
    let shifted = nu - 0.1;
    6.9 + 20.0 * libm::log10((shifted * shifted + 1.0).sqrt() + shifted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_back_panel_weakens_the_face_behind_and_only_that() {
        let panel = Panel { from_m: [0.0, 0.0], to_m: [4.5, 0.0], z_m: [0.0, 2.0], loss_db: 15.0 };
        let antenna = [2.0, 1.0, 1.0];
        assert_eq!(panel.loss_db(antenna, [2.2, -0.2, 0.5]), 15.0);
        assert_eq!(panel.loss_db(antenna, [2.2, 0.2, 0.5]), 0.0);
        assert_eq!(panel.loss_db(antenna, [2.2, -0.2, 4.5]), 0.0, "over the top");
        assert_eq!(panel.loss_db(antenna, [9.0, -0.2, 1.0]), 0.0, "past its end");
    }

    #[test]
    fn other_tiers_are_weaker_than_the_antennas_own() {
        let front =
            ShelfFront { origin_m: [0.0, 0.0], outward: [0.0, 1.0], boards_m: vec![0.1, 0.43, 0.76, 1.09] };
        let settings = FieldSettings::default();
        let loss = |z| front.loss_db([1.0, 0.4, 0.5], [1.0, -0.015, z], 0.325, &settings);
        assert!(loss(0.52) < 1.0, "own tier {}", loss(0.52));
        assert!(loss(1.17) > loss(0.85) && loss(0.85) > loss(0.52), "{} {}", loss(1.17), loss(0.85));
    }
}
