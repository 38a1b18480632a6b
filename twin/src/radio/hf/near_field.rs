//! The field of an antenna's loop, and the currents that it drives in tags that couple with each other.

use std::f64::consts::PI;

use num_complex::Complex64;

use super::settings::HfSettings;
use crate::radio::AntennaPose;
use crate::radio::coupling::{dot, factor, solve_factored};

/// Carrier of ISO 15693, Hz.
pub(crate) const CARRIER_HZ: f64 = 13.56e6;

/// A tag's circuit where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coil {
    /// Centre on the map, m.
    pub position_m: [f64; 3],
    /// Unit vector along its axis.
    pub axis: [f64; 3],
    /// Resonance, MHz.
    pub resonance_mhz: f64,
}

/// Magnetic field of the loop at a point, A/m: four straight wires after Biot and Savart (the field is quasi-static, a
/// wave is 22 m long). The loop stands upright and square to the antenna's boresight.
pub(super) fn loop_field(s: &HfSettings, antenna: &AntennaPose, point: [f64; 3]) -> [f64; 3] {
    let b = antenna.boresight;
    let flat = b[0].hypot(b[1]).max(1e-9);
    let across = [-b[1] / flat, b[0] / flat, 0.0];
    let corner = |u: f64, v: f64| -> [f64; 3] {
        let (u, v) = (u * s.loop_m[0] / 2.0, v * s.loop_m[1] / 2.0);
        let c = antenna.position_m;
        [c[0] + u * across[0], c[1] + u * across[1], c[2] + v]
    };
    let corners = [corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0)];
    let mut field = [0.0; 3];
    for i in 0..4 {
        let to = |p: [f64; 3]| -> [f64; 3] { std::array::from_fn(|k| point[k] - p[k]) };
        let (r1, r2) = (to(corners[i]), to(corners[(i + 1) % 4]));
        let (n1, n2) = (dot(r1, r1).sqrt().max(1e-3), dot(r2, r2).sqrt().max(1e-3));
        let cross =
            [r1[1] * r2[2] - r1[2] * r2[1], r1[2] * r2[0] - r1[0] * r2[2], r1[0] * r2[1] - r1[1] * r2[0]];
        let scale = (n1 + n2) / (n1 * n2 * (n1 * n2 + dot(r1, r2)).max(1e-6));
        for (sum, c) in field.iter_mut().zip(cross) {
            *sum += c * scale;
        }
    }
    field.map(|v| v * s.ampere_turns / (4.0 * PI))
}

/// Coupling coefficient of two coils with nearly parallel axes: a pair of magnetic dipoles at a distance, evened out to
/// [`HfSettings::coupling`] where they meet. Side by side they couple the other way round.
fn coupling(s: &HfSettings, a: &Coil, b: &Coil) -> f64 {
    let d: [f64; 3] = std::array::from_fn(|i| b.position_m[i] - a.position_m[i]);
    let along = dot(d, a.axis);
    let aside2 = (dot(d, d) - along * along).max(0.0);
    let r2 = s.coil_radius_m * s.coil_radius_m;
    let all = along * along + aside2 + r2;
    s.coupling * dot(a.axis, b.axis) * s.coil_radius_m.powi(3) * (2.0 * (along * along + r2) - aside2)
        / (2.0 * all * all * all.sqrt())
}

/// What each tag's chip gets of the antenna's field, as the field that would do the same to a lone tuned tag lying square in
/// it, A/m. The circuits obey `(1 + jQν_i) I_i + jQ Σ k_ij I_j = H_i` with the detuning `ν = f/f₀ − f₀/f`.
pub(super) fn chip_fields(s: &HfSettings, antenna: &AntennaPose, coils: &[Coil]) -> Vec<f64> {
    let mut triangle = Vec::with_capacity(coils.len() * (coils.len() + 1) / 2);
    for (i, a) in coils.iter().enumerate() {
        triangle.extend(coils[..i].iter().map(|b| Complex64::new(0.0, s.quality * coupling(s, a, b))));
        let f = CARRIER_HZ / (a.resonance_mhz * 1e6);
        triangle.push(Complex64::new(1.0, s.quality * (f - 1.0 / f)));
    }
    let mut currents: Vec<Complex64> = coils
        .iter()
        .map(|c| Complex64::new(dot(loop_field(s, antenna, c.position_m), c.axis), 0.0))
        .collect();
    // The losses on the diagonal are positive, so no pivots are needed.
    factor(&mut triangle, coils.len());
    solve_factored(&triangle, &mut currents);
    currents.iter().map(|c| c.norm()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn antenna() -> AntennaPose {
        AntennaPose { port: 1, position_m: [0.0, 0.0, 1.0], boresight: [0.0, 1.0, 0.0] }
    }

    #[test]
    fn the_loop_has_the_field_of_the_books() {
        // In the middle of a rectangle: 2 I / π · √(1/a² + 1/b²); far away, that of a dipole: I A / (2π r³).
        let s = HfSettings { loop_m: [0.2, 0.3], ampere_turns: 1.0, ..HfSettings::default() };
        let middle = loop_field(&s, &antenna(), [0.0, 0.0, 1.0]);
        let expected = 2.0 / PI * (1.0 / 0.04f64 + 1.0 / 0.09).sqrt();
        assert!((middle[1].abs() - expected).abs() < 1e-9, "{middle:?} {expected}");
        let far = loop_field(&s, &antenna(), [0.0, 5.0, 1.0]);
        assert!((far[1].abs() * 2.0 * PI * 125.0 / 0.06 - 1.0).abs() < 0.01, "{far:?}");
    }

    #[test]
    fn a_tag_square_to_the_shelf_is_dark_right_in_front_of_the_plate() {
        let s = HfSettings::default();
        let field = |x: f64| loop_field(&s, &antenna(), [x, 0.14, 1.0])[0].abs();
        assert!(field(0.0) < 1e-9);
        assert!(field(0.08) > 0.1 && field(-0.08) > 0.1, "{}", field(0.08));
        assert!(field(0.4) < 0.05, "{}", field(0.4));
    }

    #[test]
    fn tags_that_lie_on_each_other_take_the_field_from_each_other() {
        let s = HfSettings::default();
        let coil = |x: f64| Coil { position_m: [x, 0.14, 1.0], axis: [1.0, 0.0, 0.0], resonance_mhz: 14.3 };
        let alone = chip_fields(&s, &antenna(), &[coil(0.08)])[0];
        let pressed = chip_fields(&s, &antenna(), &[coil(0.08), coil(0.082), coil(0.084), coil(0.086)])[1];
        let apart = chip_fields(&s, &antenna(), &[coil(0.08), coil(0.13)])[0];
        assert!(pressed < 0.6 * alone, "{pressed} {alone}");
        assert!((apart / alone - 1.0).abs() < 0.25, "{apart} {alone}");
    }
}
