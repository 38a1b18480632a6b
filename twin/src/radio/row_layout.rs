//! Layouts of the lessons about rows: where tags hang beside a track, and where the antenna stops.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::lesson::even;

/// Tags beside a track, and the places of the antenna on it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowLayout {
    /// Place (along the track, away from it, above it, m) and row of each tag; negative rows are there, but not in the
    /// scan.
    pub tags: Vec<([f64; 3], i32)>,
    /// Antenna along x, m, rising.
    pub stops: Vec<f64>,
}

impl RowLayout {
    /// First and last place of the antenna, m; zeros where there is none.
    pub(super) fn ends(&self) -> (f64, f64) {
        (self.stops.first().copied().unwrap_or(0.0), self.stops.last().copied().unwrap_or(0.0))
    }

    /// A track and one to three rows beside it.
    pub fn draw(rng: &mut impl Rng) -> Self {
        // Mostly short tracks with the row before their middle; a part long, so that rows pass out of sight.
        let long = even(rng, 0.0, 1.0) < 0.2;
        let length = if long { even(rng, 1.2, 2.4) } else { even(rng, 0.9, 1.1) };
        let step = if even(rng, 0.0, 1.0) < 0.6 { 0.02 } else { even(rng, 0.01, 0.03) };
        let stops: Vec<f64> = (0..=(length / step) as usize).map(|i| i as f64 * step).collect();
        let middle = length / 2.0 + even(rng, -0.06, 0.06);
        let y = even(rng, 0.40, 1.0);
        let mean = libm::exp(even(rng, libm::log(0.018), libm::log(0.13)));
        let uneven = even(rng, 0.0, 1.0);
        let deep = if even(rng, 0.0, 1.0) < 0.5 { 0.004 } else { 0.0 };
        let rows = match even(rng, 0.0, 1.0) {
            v if v < 0.55 => 1,
            v if v < 0.7 => 2,
            _ => 3,
        };
        let hidden = rows == 1 && even(rng, 0.0, 1.0) < 0.3;
        let most = if long {
            24
        } else if rows > 1 {
            10
        } else {
            12
        };
        let room = if long { length + 0.4 } else { 0.9 };
        let mut tags = Vec::new();
        let apart = [even(rng, 0.09, 0.2), even(rng, 0.09, 0.2)];
        let height = if even(rng, 0.0, 1.0) < 0.3 { even(rng, -0.1, 0.1) } else { 0.0 };
        for row in 0..if hidden { 3 } else { rows } {
            let z = match row {
                0 => 0.0,
                1 => apart[0],
                _ => -apart[1],
            } + height
                + if rows > 1 { even(rng, -0.01, 0.01) } else { 0.0 };
            let n = if row == 0 { rng.random_range(2..=most) } else { rng.random_range(2..=most.min(10)) };
            let shift = if row == 0 { 0.0 } else { even(rng, -0.05, 0.05) };
            let base = if row == 0 || even(rng, 0.0, 1.0) < 0.5 { mean } else { mean * even(rng, 0.7, 1.4) };
            let wide = even(rng, 0.1, 0.7);
            let mut gaps: Vec<f64> = (1..n)
                .map(|_| {
                    let gap = if uneven < 0.25 {
                        base
                    } else if uneven < 0.75 {
                        base * libm::exp(wide * rng.sample::<f64, _>(StandardNormal))
                    } else {
                        0.01 + (2.0 * base - 0.01).max(0.0) * rng.random::<f64>()
                    };
                    gap.clamp(0.01, 0.20)
                })
                .collect();
            let total: f64 = gaps.iter().sum();
            if total > room {
                gaps.iter_mut().for_each(|g| *g *= room / total);
            }
            let mut x = middle + shift - total.min(room) / 2.0;
            for i in 0..n {
                let out = y + deep * rng.sample::<f64, _>(StandardNormal);
                tags.push(([x, out, z], if hidden && row > 0 { -1 } else { row }));
                x += gaps.get(i).copied().unwrap_or(0.0);
            }
        }
        Self { tags, stops }
    }
}
