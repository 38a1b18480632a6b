//! Received power as a function of distance, as this reader on this robot shows it.
//!
//! `RSSI = level(tag) - decay * log10(distance)`: for tags in one plane the antenna's beam, the way there and back
//! and the receiver's compression all depend on the distance alone. `decay` and the usual level are
//! learnt from the pass.

use super::observations::Observation;

/// The law and how tags scatter around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    /// dB per decade of distance.
    pub decay: f32,
    /// Usual level of a tag on the face, dBm at 1 m.
    pub level: f32,
}

/// Scatter of a tag's RSSI around the law: coupling, dB.
pub(crate) const SCATTER_DB: f32 = 4.0;
/// Scatter of the levels of tags on the face, dB.
pub(crate) const LEVEL_DB: f32 = 5.0;
/// How far a tag behind the panel or behind the antennas is below the usual level, and with what scatter, dB.
pub(crate) const ELSEWHERE_DB: (f32, f32) = (-12.0, 8.0);

impl Default for Field {
    fn default() -> Self {
        // 40 dB for the way there and back and as much for the beam, less the receiver's compression.
        Self { decay: 75.0, level: f32::NAN }
    }
}

impl Field {
    /// Learns from tags at known places: `(observations, place)`.
    pub fn learn<'a>(&mut self, tags: impl Iterator<Item = (&'a [Observation], [f32; 3])>) {
        let (mut top, mut bottom) = (0.0f64, 0.0f64);
        let mut levels = Vec::new();
        for (observations, place) in tags {
            let known: Vec<(f64, f64)> = observations
                .iter()
                .filter(|o| o.rssi.is_finite())
                .map(|o| (f64::from(distance(o.at, place)).log10(), f64::from(o.rssi)))
                .collect();
            let n = known.len() as f64;
            if known.len() < 4 {
                continue;
            }
            let mean = known.iter().fold((0.0, 0.0), |m, k| (m.0 + k.0 / n, m.1 + k.1 / n));
            for (l, r) in &known {
                top -= (l - mean.0) * (r - mean.1);
                bottom += (l - mean.0).powi(2);
            }
            levels.push((mean.0, mean.1));
        }
        if levels.len() < 8 || bottom <= 0.0 {
            return; // too little to learn from: the default stands
        }
        self.decay = (top / bottom).clamp(30.0, 140.0) as f32;
        let mut levels: Vec<f32> =
            levels.iter().map(|(l, r)| (r + f64::from(self.decay) * l) as f32).collect();
        levels.sort_by(f32::total_cmp);
        self.level = levels[levels.len() / 2];
    }
}

pub(crate) fn distance(a: [f32; 3], b: [f32; 3]) -> f32 {
    ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2) + (a[2] - b[2]).powi(2)).sqrt()
}
