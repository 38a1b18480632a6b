//! What a scan along the rail shows of the radio: residual phase at the true places, how far it stays alike along the rail,
//! thermal noise, where tags are not read, how alike two passes err.

use std::collections::BTreeMap;
use std::f64::consts::{PI, TAU};

use num_complex::Complex64;

use super::RailScan;
use crate::radio::SPEED_OF_LIGHT;

/// Stops this far below a tag's strongest count no more, dB.
const LOBE_DB: f64 = 15.0;
/// Grid of the autocorrelation, m: the rail's stops.
const STOP_M: f64 = 0.02;
const LAGS: usize = 20;
/// Lower ends of the RSSI ranges that thermal noise is told for, dBm; the last has none.
pub const NOISE_BINS: [f64; 6] = [-45.0, -50.0, -55.0, -60.0, -65.0, f64::NEG_INFINITY];

/// Median; `None` of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// A quantile; `None` of nothing.
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(((sorted.len() as f64 - 1.0) * share).round().max(0.0) as usize).copied()
}

/// Of one layout, over scans and tags.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// RMS of a tag's residual phase, rad.
    pub rms: Vec<f64>,
    /// Distance along the rail after which the residual's autocorrelation is a half, m.
    pub half_correlation_m: Vec<f64>,
    /// Autocorrelation by lag of [`STOP_M`], sums and numbers.
    curve: [(f64, f64); LAGS],
    /// Share of stops at which a tag was read.
    pub read_share: Vec<f64>,
    /// RSSI at a tag's strongest stop, dBm.
    pub peak_dbm: Vec<f64>,
    /// Correlation of the residuals of two passes over the same tags.
    pub likeness: Vec<f64>,
    /// Scans that count.
    pub scans: usize,
}

impl Figures {
    /// Mean autocorrelation of the residual by distance along the rail: m, share.
    pub fn correlation(&self) -> Vec<(f64, f64)> {
        let at = |(i, (sum, n)): (usize, &(f64, f64))| (*n > 0.0).then(|| (i as f64 * STOP_M, sum / n));
        self.curve.iter().enumerate().filter_map(at).collect()
    }

    /// Adds what was seen elsewhere.
    pub fn extend(&mut self, other: &Self) {
        self.rms.extend(&other.rms);
        self.half_correlation_m.extend(&other.half_correlation_m);
        self.read_share.extend(&other.read_share);
        self.peak_dbm.extend(&other.peak_dbm);
        self.likeness.extend(&other.likeness);
        for (mine, theirs) in self.curve.iter_mut().zip(&other.curve) {
            mine.0 += theirs.0;
            mine.1 += theirs.1;
        }
        self.scans += other.scans;
    }
}

/// Thermal phase noise by RSSI: standard deviations of groups of reads of one tag, stop and carrier.
#[derive(Debug, Clone, Default)]
pub struct Noise {
    /// By [`NOISE_BINS`], rad.
    pub std_rad: [Vec<f64>; 6],
}

/// Figures by layout, and noise.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// By layout ([`RailScan::layout`]).
    pub layouts: BTreeMap<String, Figures>,
    /// Of all layouts.
    pub noise: Noise,
}

/// Residual along the rail, by distance from the tag: m, rad.
type Profile = Vec<(f64, f64)>;

/// Reckons the figures of scans. Pairs of passes are looked for among them.
pub fn reckon(scans: &[RailScan]) -> Group {
    let mut group = Group::default();
    let mut seen: Vec<(&RailScan, Vec<Profile>)> = Vec::new();
    for scan in scans {
        let figures = group.layouts.entry(scan.layout()).or_default();
        let profiles = one_scan(scan, figures, &mut group.noise);
        let before = seen.iter().rev().find(|(s, _)| s.passes_the_same(scan));
        if let Some((other, theirs)) = before {
            for (uid, mine) in scan.scan.tags.iter().zip(&profiles) {
                let Some(i) = other.scan.tags.iter().position(|t| t == uid) else { continue };
                figures.likeness.extend(likeness(mine, &theirs[i]));
            }
        }
        seen.push((scan, profiles));
    }
    group
}

/// Reads of one tag, stop and carrier.
#[derive(Default)]
struct Cell {
    phases: Vec<f64>,
    rssi: f64,
}

fn one_scan(scan: &RailScan, figures: &mut Figures, noise: &mut Noise) -> Vec<Profile> {
    // Millimetres and kilohertz: exact keys in a fixed order.
    let mut cells: BTreeMap<(u32, i64), BTreeMap<i64, Cell>> = BTreeMap::new();
    let mut stops = std::collections::BTreeSet::new();
    for r in &scan.scan.reads {
        let stop = (f64::from(r.antenna_m[0]) * 1e3).round() as i64;
        stops.insert(stop);
        let cell = cells
            .entry((r.tag, stop))
            .or_default()
            .entry((r.frequency_hz * 1e-3).round() as i64)
            .or_default();
        cell.phases.push(r.phase_rad.into());
        cell.rssi += f64::from(r.rssi_dbm);
    }
    figures.scans += 1;
    let mut profiles = Vec::new();
    for (tag, place) in scan.places.iter().enumerate() {
        let own: Vec<(i64, &BTreeMap<i64, Cell>)> =
            cells.range((tag as u32, i64::MIN)..=(tag as u32, i64::MAX)).map(|((_, s), c)| (*s, c)).collect();
        figures.read_share.push(own.len() as f64 / stops.len().max(1) as f64);
        own.iter().flat_map(|(_, c)| c.values()).for_each(|c| noise.take(c));
        profiles.push(residual(&own, *place, figures));
    }
    profiles
}

impl Noise {
    fn take(&mut self, cell: &Cell) {
        let n = cell.phases.len();
        if n < 4 {
            return;
        }
        let sum: Complex64 = cell.phases.iter().map(|p| Complex64::from_polar(1.0, *p)).sum();
        let square: f64 =
            cell.phases.iter().map(|p| (Complex64::from_polar(1.0, *p) * sum.conj()).arg().powi(2)).sum();
        let rssi = cell.rssi / n as f64;
        let bin = NOISE_BINS.iter().position(|low| rssi >= *low).unwrap_or(5);
        self.std_rad[bin].push((square / (n - 1) as f64).sqrt());
    }
}

/// Residual phase of one tag: one constant a carrier taken out, stops within the lobe.
fn residual(own: &[(i64, &BTreeMap<i64, Cell>)], place: [f64; 3], figures: &mut Figures) -> Profile {
    let rssi = |cells: &BTreeMap<i64, Cell>| {
        let reads: usize = cells.values().map(|c| c.phases.len()).sum();
        cells.values().map(|c| c.rssi).sum::<f64>() / reads.max(1) as f64
    };
    let peak = own.iter().map(|(_, c)| rssi(c)).fold(f64::NEG_INFINITY, f64::max);
    let lobe: Vec<_> = own.iter().filter(|(_, c)| rssi(c) >= peak - LOBE_DB).collect();
    if lobe.len() < 6 {
        return Vec::new();
    }
    figures.peak_dbm.push(peak);
    // By carrier: unit vectors of the residual at the stops.
    let mut carriers: BTreeMap<i64, Vec<(i64, Complex64)>> = BTreeMap::new();
    for (stop, cells) in &lobe {
        let x = *stop as f64 * 1e-3;
        let distance = ((x - place[0]).powi(2) + place[1].powi(2) + place[2].powi(2)).sqrt();
        for (khz, cell) in *cells {
            let k = 2.0 * TAU * *khz as f64 * 1e3 / SPEED_OF_LIGHT;
            let sum: Complex64 =
                cell.phases.iter().map(|p| Complex64::from_polar(1.0, p - k * distance)).sum();
            if sum.norm() > 0.0 {
                carriers.entry(*khz).or_default().push((*stop, sum / sum.norm()));
            }
        }
    }
    let (mut square, mut number) = (0.0, 0.0);
    let mut sums: BTreeMap<i64, Complex64> = BTreeMap::new();
    for units in carriers.values() {
        let mean: Complex64 = units.iter().map(|u| u.1).sum();
        for (stop, unit) in units {
            let turned = unit * mean.conj() / mean.norm().max(1e-12);
            square += turned.arg().powi(2);
            number += 1.0;
            *sums.entry(*stop).or_default() += turned;
        }
    }
    figures.rms.push((square / f64::max(number, 1.0)).sqrt());
    let profile: Profile = sums.iter().map(|(s, v)| (*s as f64 * 1e-3 - place[0], v.arg())).collect();
    autocorrelation(&profile, figures);
    profile
}

/// Adds a profile's autocorrelation, and where it has fallen to a half.
fn autocorrelation(profile: &Profile, figures: &mut Figures) {
    let mean = profile.iter().map(|p| p.1).sum::<f64>() / profile.len() as f64;
    let by_stop: BTreeMap<i64, f64> =
        profile.iter().map(|(x, v)| ((x / STOP_M).round() as i64, v - mean)).collect();
    let at = |lag: i64| {
        let pairs: Vec<f64> =
            by_stop.iter().filter_map(|(s, v)| Some(v * by_stop.get(&(s + lag))?)).collect();
        (pairs.len() > 5).then(|| pairs.iter().sum::<f64>() / pairs.len() as f64)
    };
    let Some(whole) = at(0).filter(|w| *w > 0.0) else { return };
    let (mut before, mut half) = (1.0, None);
    for lag in 0..LAGS {
        let Some(now) = at(lag as i64).map(|v| v / whole) else { break };
        figures.curve[lag].0 += now;
        figures.curve[lag].1 += 1.0;
        if now < 0.5 && half.is_none() {
            half = Some(STOP_M * (lag as f64 - 1.0 + (before - 0.5) / (before - now)));
        }
        before = now;
    }
    figures.half_correlation_m.extend(half);
}

/// Correlation of two residual profiles at the same distances from the tag.
fn likeness(a: &Profile, b: &Profile) -> Option<f64> {
    let between = |x: f64| {
        let after = b.partition_point(|p| p.0 < x);
        let (right, left) = (b.get(after)?, b.get(after.checked_sub(1)?)?);
        let turn = wrap(right.1 - left.1);
        (right.0 - left.0 < 0.05).then(|| left.1 + turn * (x - left.0) / (right.0 - left.0).max(1e-9))
    };
    let pairs: Vec<(Complex64, Complex64)> = a
        .iter()
        .filter_map(|(x, v)| Some((Complex64::from_polar(1.0, *v), Complex64::from_polar(1.0, between(*x)?))))
        .collect();
    if pairs.len() < 10 {
        return None;
    }
    let mean = |side: fn(&(Complex64, Complex64)) -> Complex64| pairs.iter().map(side).sum::<Complex64>();
    let (ma, mb) = (mean(|p| p.0), mean(|p| p.1));
    // Angles off their own means, so that an offset between the passes does not count.
    let off: Vec<(f64, f64)> =
        pairs.iter().map(|(u, v)| ((u * ma.conj()).arg(), (v * mb.conj()).arg())).collect();
    let n = off.len() as f64;
    let (sa, sb) = (off.iter().map(|o| o.0).sum::<f64>() / n, off.iter().map(|o| o.1).sum::<f64>() / n);
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in off {
        ab += (x - sa) * (y - sb);
        aa += (x - sa).powi(2);
        bb += (y - sb).powi(2);
    }
    (aa > 0.0 && bb > 0.0).then(|| ab / (aa * bb).sqrt())
}

fn wrap(x: f64) -> f64 {
    (x + PI).rem_euclid(TAU) - PI
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_that_err_alike_are_told_from_passes_that_do_not() {
        let wave = |shift: f64, at: f64| -> Profile {
            (0..40).map(|i| 0.02 * f64::from(i) + at).map(|x| (x, 0.5 * (x * 20.0 + shift).sin())).collect()
        };
        let alike = likeness(&wave(0.0, 0.0), &wave(0.0, 0.01)).unwrap();
        let other = likeness(&wave(0.0, 0.0), &wave(1.6, 0.01)).unwrap();
        assert!(alike > 0.97 && other.abs() < 0.4, "{alike} {other}");
    }

    #[test]
    fn a_smooth_residual_stays_alike_farther_than_a_rough_one() {
        let half = |wave_m: f64| {
            let profile: Profile =
                (0..50).map(|i| 0.02 * f64::from(i)).map(|x| (x, (x * TAU / wave_m).sin())).collect();
            let mut figures = Figures::default();
            autocorrelation(&profile, &mut figures);
            figures.half_correlation_m[0]
        };
        // The autocorrelation of a sine is a half after a sixth of its wave.
        assert!((half(0.6) - 0.1).abs() < 0.02 && half(0.3) < half(0.6));
    }
}
