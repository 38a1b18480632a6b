//! Point scatterers: uprights, boards, trolleys, the far wall. They belong to the place: fixed by seed and cell.

use std::f64::consts::TAU;

use num_complex::Complex64;
use rand::RngExt;
use rand_distr::StandardNormal;

use super::beam::turn;
use super::rng::stream;
use super::settings::FieldSettings;

/// Edge of the cells that scatterers are drawn in, m.
const CELL_M: f64 = 1.0;
/// How far from a tag's middle of the path scatterers are looked for, cells.
const REACH: i64 = 2;
/// From a tag to the middle of the path to an antenna, m; scatterers around there count most.
const MIDDLE_M: f64 = 0.45;

/// One point that reflects.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scatterer {
    /// On the map, m.
    pub(super) position_m: [f64; 3],
    /// Amplitude, m, and phase.
    pub(super) gain: Complex64,
}

/// The scatterers that a tag at `position_m`, looking `outward`, sees: the nearest to the middle of its path.
pub(super) fn around(
    settings: &FieldSettings,
    seed: u64,
    position_m: [f64; 3],
    outward: [f64; 3],
) -> Vec<Scatterer> {
    if settings.scatterers == 0 || settings.scatterers_per_m3 <= 0.0 || settings.scatter_gain <= 0.0 {
        return Vec::new();
    }
    let middle: [f64; 3] = std::array::from_fn(|i| position_m[i] + MIDDLE_M * outward[i]);
    let cell: [i64; 3] = std::array::from_fn(|i| (middle[i] / CELL_M).floor() as i64);
    let mut found: Vec<(f64, Scatterer)> = Vec::new();
    for x in -REACH..=REACH {
        for y in -REACH..=REACH {
            for z in -REACH..=REACH {
                in_cell(settings, seed, [cell[0] + x, cell[1] + y, cell[2] + z], |s| {
                    found.push((distance2(s.position_m, middle), s));
                });
            }
        }
    }
    // Stable, and cells come in a fixed order: ties cannot depend on anything else.
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found.truncate(settings.scatterers);
    found.into_iter().map(|(_, s)| s).collect()
}

fn in_cell(settings: &FieldSettings, seed: u64, cell: [i64; 3], mut add: impl FnMut(Scatterer)) {
    let mut name = [0u8; 24];
    for (bytes, c) in name.chunks_exact_mut(8).zip(cell) {
        bytes.copy_from_slice(&c.to_le_bytes());
    }
    let mut rng = stream(seed, "scatterers", &name);
    let mean = settings.scatterers_per_m3 * CELL_M.powi(3);
    let whole = mean.floor();
    let number = whole as usize + usize::from(rng.random::<f64>() < mean - whole);
    for _ in 0..number {
        let position_m = std::array::from_fn(|i| (cell[i] as f64 + rng.random::<f64>()) * CELL_M);
        let spread: f64 = rng.sample(StandardNormal);
        let gain = settings.scatter_gain * (1.0 + settings.scatter_gain_spread * spread).max(0.0);
        add(Scatterer { position_m, gain: turn(TAU * rng.random::<f64>()) * gain });
    }
}

fn distance2(a: [f64; 3], b: [f64; 3]) -> f64 {
    (0..3).map(|i| (a[i] - b[i]).powi(2)).sum()
}
