//! The reads of a face pass in the form that the search runs over: one flat list, by tag.

use crate::cells::Cells;
use crate::profile::wavenumber;

/// Averaged reads of one tag at one place on one antenna and carrier.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Observation {
    /// Phase in turns.
    pub turns: f32,
    /// Turns of phase per metre of range.
    pub per_m: f32,
    /// Antenna place in face coordinates, m.
    pub at: [f32; 3],
    /// 1 for a sound phase, less for reads that disagree, 0 without phase.
    pub weight: f32,
    /// Index of the antenna.
    pub antenna: u32,
    /// Antenna and carrier pair.
    pub group: u32,
    /// Mean RSSI, dBm; NaN when not given.
    pub rssi: f32,
}

/// A pass as observations.
#[derive(Debug)]
pub(crate) struct Observations {
    pub all: Vec<Observation>,
    /// First and end of each tag's observations in `all`.
    pub spans: Vec<(usize, usize)>,
    /// Number of antenna and carrier pairs.
    pub groups: usize,
    pub antennas: usize,
    /// Share of each tag's observations that counts as independent: neighbouring places err alike.
    pub temper: Vec<f32>,
}

impl Observations {
    pub fn new(cells: &Cells, coupling_length_m: f64, pi_ambiguous: bool) -> Self {
        let carriers = cells.carriers.len().max(1);
        let mut out = Self {
            all: Vec::with_capacity(cells.cells.len()),
            spans: Vec::with_capacity(cells.tags.len()),
            groups: cells.antennas.len() * carriers,
            antennas: cells.antennas.len(),
            temper: Vec::with_capacity(cells.tags.len()),
        };
        for tag in 0..cells.tags.len() {
            let first = out.all.len();
            let mut patches: Vec<(u16, i64)> = Vec::new();
            for c in cells.of(tag) {
                let Some(&hz) = cells.carriers.get(usize::from(c.carrier)) else { continue };
                let n = f64::from(c.phases.max(1));
                patches.push((c.antenna, (c.at[0] / (2.0 * coupling_length_m)).floor() as i64));
                out.all.push(Observation {
                    turns: (c.phasor.arg() / std::f64::consts::TAU) as f32,
                    per_m: (wavenumber(hz, pi_ambiguous) / std::f64::consts::TAU) as f32,
                    at: c.at.map(|v| v as f32),
                    weight: if c.phases == 0 { 0.0 } else { (c.phasor.norm() / n).powi(2) as f32 },
                    antenna: u32::from(c.antenna),
                    group: u32::from(c.antenna) * carriers as u32 + u32::from(c.carrier),
                    rssi: c.rssi().map_or(f32::NAN, |r| r as f32),
                });
            }
            patches.sort_unstable();
            patches.dedup();
            let n = out.all.len() - first;
            out.temper.push(if n == 0 { 0.0 } else { (patches.len() as f32 / n as f32).min(1.0) });
            out.spans.push((first, out.all.len()));
        }
        out
    }

    /// One tag's observations.
    pub fn of(&self, tag: usize) -> &[Observation] {
        &self.all[self.spans[tag].0..self.spans[tag].1]
    }
}
