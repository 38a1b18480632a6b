//! Patterns of reader antenna and tag as tables over the cosine of the angle, and a fast `e^(−jx)`.

use num_complex::Complex64;
use serde::{Deserialize, Serialize};

use super::settings::ReaderSettings;

const STEPS: usize = 512;

/// Amplitude over the cosine of an angle, linear between table points.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Beam {
    table: Vec<f64>,
}

impl Beam {
    /// Reader antenna: `cos^q` to the front over a constant back lobe, 1 on boresight.
    pub(super) fn antenna(settings: &ReaderSettings) -> Self {
        let back = libm::exp10(-settings.front_to_back_db / 20.0);
        let q = settings.beam_exponent;
        Self::new(|c| (libm::pow(c.max(0.0), 2.0 * q) * (1.0 - back * back) + back * back).sqrt())
    }

    /// Half-wave dipole over the cosine to its axis, 1 at the equator.
    pub(super) fn dipole() -> Self {
        Self::new(|c| {
            let s = (1.0 - c * c).sqrt();
            if s < 1e-6 { 0.0 } else { libm::cos(std::f64::consts::FRAC_PI_2 * c) / s }
        })
    }

    fn new(amplitude: impl Fn(f64) -> f64) -> Self {
        let table = (0..=STEPS).map(|i| amplitude(i as f64 * 2.0 / STEPS as f64 - 1.0)).collect();
        Self { table }
    }

    /// Amplitude at that cosine.
    #[inline]
    pub(super) fn at(&self, cosine: f64) -> f64 {
        let place = (cosine + 1.0) * (STEPS as f64 / 2.0);
        let i = (place as usize).min(STEPS - 1);
        let u = place - i as f64;
        self.table[i] * (1.0 - u) + self.table[i + 1] * u
    }
}

/// `e^(−jx)` for finite x, error below 1e-9: the hot path of every read, made of additions and products only so that
/// it gives the same bits everywhere.
#[inline]
pub(super) fn turn(x: f64) -> Complex64 {
    // x = q·π/2 + y with |y| ≤ π/4; π/2 in two parts keeps y exact for the few hundred turns of a path.
    const HALF_PI_HIGH: f64 = 1.570_796_326_734_125_6;
    const HALF_PI_LOW: f64 = 6.077_100_506_506_192e-11;
    // Adding and taking away 1.5·2⁵² rounds to a whole number without a call.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let q = (x * std::f64::consts::FRAC_2_PI + ROUND) - ROUND;
    let y = (x - q * HALF_PI_HIGH) - q * HALF_PI_LOW;
    let y2 = y * y;
    let sine = y
        * (1.0
            + y2 * (-1.0 / 6.0
                + y2 * (1.0 / 120.0 + y2 * (-1.0 / 5040.0 + y2 * (1.0 / 362_880.0 - y2 / 39_916_800.0)))));
    let cosine = 1.0
        + y2 * (-0.5
            + y2 * (1.0 / 24.0
                + y2 * (-1.0 / 720.0
                    + y2 * (1.0 / 40_320.0 - y2 * (1.0 / 3_628_800.0 - y2 / 479_001_600.0)))));
    match (q as i64) & 3 {
        0 => Complex64::new(cosine, -sine),
        1 => Complex64::new(-sine, -cosine),
        2 => Complex64::new(-cosine, sine),
        _ => Complex64::new(sine, cosine),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turning_is_as_exact_as_a_reader_could_ever_see() {
        for i in -4000..4000 {
            let x = f64::from(i) * 0.173;
            let exact = Complex64::from_polar(1.0, -x);
            assert!((turn(x) - exact).norm() < 1e-9, "at {x}");
        }
    }

    #[test]
    fn an_antenna_hardly_sees_what_is_behind_it() {
        let beam = Beam::antenna(&ReaderSettings::default());
        assert!((beam.at(1.0) - 1.0).abs() < 1e-9);
        let db = 20.0 * beam.at(-1.0).log10();
        assert!((db + 18.0).abs() < 0.01, "back lobe {db} dB");
    }
}
