//! Looks for the radio settings that repeat the rail best: a pattern search over a few free parameters, one after the other,
//! with steps that shrink (Hooke and Jeeves 1961). Every trial simulates the same scans with the same draws of tags and room
//! (common random numbers), so trials differ by their settings alone.

use rayon::prelude::*;

use super::draws::Draws;
use super::figures::{Figures, Group, median, quantile, reckon};
use super::{RailScan, simulate};
use crate::radio::{RadioError, RadioSettings};

/// What belongs to the rail's reader and not to the tags.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rig {
    /// Conducted power, dBm.
    pub power_dbm: f64,
}

impl Default for Rig {
    /// More than a robot's: 97% of stops are read even at 4 cm.
    fn default() -> Self {
        Self { power_dbm: 30.0 }
    }
}

/// A free parameter.
#[derive(Clone, Copy)]
pub struct Free {
    /// Its name, as in a scenario's `[radio]`.
    pub name: &'static str,
    at: for<'a> fn(&'a mut Trial) -> &'a mut f64,
    /// First step, in its unit.
    step: f64,
    range: [f64; 2],
}

/// The parameters that a fit turns: load, reflections, beam, receiver, noise, and the rail's power.
pub const FREE: [Free; 8] = [
    Free { name: "field.load_ohm", at: |t| &mut t.settings.field.load_ohm, step: 10.0, range: [2.0, 150.0] },
    Free {
        name: "field.load_reactance_ohm",
        at: |t| &mut t.settings.field.load_reactance_ohm,
        step: 25.0,
        range: [-400.0, 0.0],
    },
    Free {
        name: "field.load_spread",
        at: |t| &mut t.settings.field.load_spread,
        step: 0.06,
        range: [0.0, 0.6],
    },
    Free {
        name: "field.scatter_gain",
        at: |t| &mut t.settings.field.scatter_gain,
        step: 0.04,
        range: [0.0, 0.6],
    },
    Free {
        name: "reader.beam_exponent",
        at: |t| &mut t.settings.reader.beam_exponent,
        step: 0.2,
        range: [0.0, 2.0],
    },
    Free {
        name: "reader.rssi_slope",
        at: |t| &mut t.settings.reader.rssi_slope,
        step: 0.1,
        range: [0.4, 1.2],
    },
    Free {
        name: "reader.phase_noise_rad",
        at: |t| &mut t.settings.reader.phase_noise_rad,
        step: 0.003,
        range: [0.002, 0.1],
    },
    Free {
        name: "power of the rail's reader, dBm",
        at: |t| &mut t.rig.power_dbm,
        step: 1.5,
        range: [20.0, 36.0],
    },
];

/// Settings on trial.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The radio.
    pub settings: RadioSettings,
    /// The rail's reader.
    pub rig: Rig,
}

impl Trial {
    /// The value of a free parameter.
    pub fn value(&self, free: &Free) -> f64 {
        *(free.at)(&mut self.clone())
    }

    /// The scans as this trial simulates them, reckoned, with so many draws of tags and room.
    ///
    /// # Errors
    /// Settings out of range.
    pub fn reckon(&self, scans: &[RailScan], draws: u64) -> Result<Draws, RadioError> {
        let one = |draw: u64| {
            let simulated = scans
                .par_iter()
                .enumerate()
                .map(|(i, scan)| simulate(&self.settings, &self.rig, scan, i as u64 + 1, draw))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(reckon(&simulated))
        };
        // Draw by draw, so that only one draw's reads are in memory.
        (0..draws).map(one).collect::<Result<_, _>>().map(Draws)
    }
}

/// A figure of a layout by name, and how much it weighs in a fit.
pub struct Figure {
    /// Name with its unit.
    pub name: &'static str,
    /// Its value; NaN where there is none.
    pub of: fn(&Figures) -> f64,
    /// Weight in a fit.
    weight: f64,
}

/// What a fit compares, layout by layout.
pub const FIGURES: [Figure; 5] = [
    Figure { name: "residual RMS, rad", of: |f| or_nan(median(&f.rms)), weight: 3.0 },
    Figure { name: "residual RMS, p90, rad", of: |f| or_nan(quantile(&f.rms, 0.9)), weight: 0.5 },
    Figure {
        name: "half-correlation, cm",
        of: |f| 100.0 * or_nan(median(&f.half_correlation_m)),
        weight: 1.0,
    },
    Figure { name: "stops read, %", of: |f| 100.0 * mean(&f.read_share), weight: 3.0 },
    Figure { name: "likeness of two passes", of: |f| or_nan(median(&f.likeness)), weight: 1.0 },
];

/// Thermal noise of one range of RSSI, rad.
pub fn noise_rad(group: &Group, bin: usize) -> f64 {
    // A handful of groups says nothing.
    let groups = &group.noise.std_rad[bin];
    if groups.len() < 20 { f64::NAN } else { or_nan(median(groups)) }
}

fn or_nan(v: Option<f64>) -> f64 {
    v.unwrap_or(f64::NAN)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Weighted mean square of the logarithms of simulated figures, medians over the draws, over measured ones.
pub fn misfit(simulated: &Draws, measured: &Group) -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    let mut add = |a: f64, b: f64, weight: f64| {
        if a > 0.0 && b > 0.0 {
            sum += weight * libm::log(a / b).powi(2);
            weights += weight;
        } else if b > 0.0 {
            // A figure that the simulation does not have at all.
            sum += weight;
            weights += weight;
        }
    };
    for (name, theirs) in &measured.layouts {
        for f in &FIGURES {
            let ours = simulated.spread(|g| g.layouts.get(name).map_or(f64::NAN, f.of));
            add(ours.median, (f.of)(theirs), f.weight);
        }
    }
    for bin in 0..super::NOISE_BINS.len() {
        add(simulated.spread(|g| noise_rad(g, bin)).median, noise_rad(measured, bin), 0.5);
    }
    sum / f64::max(weights, 1e-9)
}

/// Searches from a trial on; `told` hears of each step. Gives the best trial and its misfit.
///
/// # Errors
/// Settings out of range.
pub fn fit(
    scans: &[RailScan],
    start: &Trial,
    rounds: usize,
    draws: u64,
    mut told: impl FnMut(&'static str, f64),
) -> Result<(Trial, f64), RadioError> {
    let measured = reckon(scans);
    let of = |trial: &Trial| Ok::<f64, RadioError>(misfit(&trial.reckon(scans, draws)?, &measured));
    let mut best = start.clone();
    let mut least = of(&best)?;
    let mut steps = FREE.map(|f| f.step);
    for _ in 0..rounds {
        for (free, step) in FREE.iter().zip(&mut steps) {
            let mut better = false;
            for way in [1.0, -1.0] {
                let mut trial = best.clone();
                let value = (free.at)(&mut trial);
                *value = (*value + way * *step).clamp(free.range[0], free.range[1]);
                if *value == best.value(free) {
                    continue;
                }
                let found = of(&trial)?;
                if found < least {
                    (best, least, better) = (trial, found, true);
                    break;
                }
            }
            if !better {
                *step /= 2.0;
            }
            told(free.name, least);
        }
    }
    Ok((best, least))
}
