//! Self and mutual impedance of parallel thin dipoles by induced EMF, and a table of it.
//!
//! Balanis, *Antenna Theory*, 4th ed., ch. 8 (sinusoidal currents): the field of dipole 1 along dipole 2 is closed,
//! its product with dipole 2's current is integrated along the wire, which serves any length and axial offset;
//! for side-by-side half-wave dipoles it equals the sine and cosine integrals of that chapter.

use std::f64::consts::PI;

use num_complex::Complex64;

use super::beam::turn;

/// Wire radius that stands for a label's strip, m.
const WIRE_M: f64 = 0.001;
/// η/4π in ohm.
const ETA_OVER_4PI: f64 = 29.979_245_8;
/// Nearer than this two labels do not get, m.
const NEAREST_M: f64 = 0.004;
/// Beyond this axial offset the table answers zero, m.
const MAX_OFFSET_M: f64 = 0.45;
const OFFSET_STEP_M: f64 = 0.01;

/// Mutual impedance, Ω, of two parallel dipoles of length `length_m`, centres `lateral_m` apart across and `axial_m`
/// along their axes, at wave number `k` (rad/m), referred to their feed currents.
pub fn mutual_impedance(lateral_m: f64, axial_m: f64, length_m: f64, k: f64) -> Complex64 {
    const PARTS: usize = 200;
    let d2 = lateral_m * lateral_m;
    let half = length_m / 2.0;
    let ray = |z: f64| {
        let r = (d2 + z * z).sqrt();
        turn(k * r) / r
    };
    let middle = 2.0 * libm::cos(k * half);
    let step = length_m / PARTS as f64;
    let mut sum = Complex64::new(0.0, 0.0);
    // Simpson's rule; the current is zero at both ends, so only inner points count.
    for i in 1..PARTS {
        let z = -half + step * i as f64;
        let field = ray(z + axial_m - half) + ray(z + axial_m + half) - middle * ray(z + axial_m);
        let weight = if i % 2 == 1 { 4.0 } else { 2.0 };
        sum += field * (weight * libm::sin(k * (half - z.abs())));
    }
    let feed = libm::sin(k * half);
    Complex64::new(0.0, ETA_OVER_4PI) * sum * (step / 3.0 / (feed * feed))
}

/// Self impedance, Ω, of a thin dipole of length `length_m` at wave number `k` (rad/m).
pub fn self_impedance(length_m: f64, k: f64) -> Complex64 {
    mutual_impedance(WIRE_M, 0.0, length_m, k)
}

/// Mutual impedances over lateral distance and axial offset, bilinear in between.
pub(super) struct ImpedanceTable {
    lateral_m: Vec<f64>,
    offsets: usize,
    values: Vec<Complex64>,
}

impl ImpedanceTable {
    /// For dipoles of `length_m` at the middle of the band.
    pub(super) fn new(length_m: f64, frequency_hz: f64) -> Self {
        let k = 2.0 * PI * frequency_hz / super::SPEED_OF_LIGHT;
        let near = (0..48).map(|i| NEAREST_M + 0.002 * f64::from(i));
        let far = (0..52).map(|i| 0.1 + 0.01 * f64::from(i));
        let lateral_m: Vec<f64> = near.chain(far).collect();
        let offsets = (MAX_OFFSET_M / OFFSET_STEP_M).round() as usize + 1;
        let mut values = Vec::with_capacity(lateral_m.len() * offsets);
        for &d in &lateral_m {
            for h in 0..offsets {
                values.push(mutual_impedance(d, h as f64 * OFFSET_STEP_M, length_m, k));
            }
        }
        Self { lateral_m, offsets, values }
    }

    /// Mutual impedance at that lateral distance and axial offset, m.
    pub(super) fn at(&self, lateral_m: f64, axial_m: f64) -> Complex64 {
        let h = axial_m.abs() / OFFSET_STEP_M;
        if h >= (self.offsets - 1) as f64 {
            return Complex64::new(0.0, 0.0);
        }
        let j = h as usize;
        let v = h - j as f64;
        let d = lateral_m.max(NEAREST_M);
        let after = self.lateral_m.partition_point(|&x| x <= d).clamp(1, self.lateral_m.len() - 1);
        let i = after - 1;
        let u = ((d - self.lateral_m[i]) / (self.lateral_m[after] - self.lateral_m[i])).min(1.0);
        let value = |i: usize, j: usize| self.values[i * self.offsets + j];
        (value(i, j) * (1.0 - u) + value(after, j) * u) * (1.0 - v)
            + (value(i, j + 1) * (1.0 - u) + value(after, j + 1) * u) * v
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const K: f64 = 2.0 * PI / 0.325;

    #[test]
    fn half_wave_dipoles_have_the_textbook_impedances() {
        let alone = self_impedance(0.1625, K);
        assert!((alone - Complex64::new(73.1, 42.5)).norm() < 1.5, "self impedance {alone}");
        // Balanis, figure 8.25: side by side at half a wave, −12.5 − j29.9 Ω.
        let pair = mutual_impedance(0.1625, 0.0, 0.1625, K);
        assert!((pair - Complex64::new(-12.53, -29.93)).norm() < 0.1, "mutual impedance {pair}");
    }

    #[test]
    fn the_table_says_what_the_integral_says() {
        let table = ImpedanceTable::new(0.1625, super::super::SPEED_OF_LIGHT / 0.325);
        for (d, h) in [(0.02, 0.0), (0.043, 0.033), (0.11, 0.07), (0.27, 0.31), (0.005, 0.33)] {
            let exact = mutual_impedance(d, h, 0.1625, K);
            let error = (table.at(d, h) - exact).norm();
            assert!(error < 0.5 + 0.02 * exact.norm(), "({d}, {h}): {} against {exact}", table.at(d, h));
        }
    }
}
