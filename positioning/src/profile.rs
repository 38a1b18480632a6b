//! A tag's distance profile: phase and power along the antenna's track, the carriers folded into one.
//!
//! Each carrier has an offset of its own, per tag (reader, cable and chip). The distances are the same for all of
//! them, so the carriers are turned onto each other where they saw the tag from the same place, after taking out
//! what the geometry alone makes of their different wavelengths. This needs a track whose every part was read on
//! most carriers (stop and go, or a slow pass); hopping in motion is [`crate::locate_face`]'s matter.

use num_complex::Complex64;

use crate::cells::{Cell, Cells};

/// Speed of light, m/s.
const C: f64 = 299_792_458.0;

/// One place on the track.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    /// Antenna along the track, m.
    pub x: f64,
    /// How much farther out than the track's mean the antenna was, m.
    pub out: f64,
    /// Phase of the folded carriers, rad; meaningless where `weight` is 0.
    pub phase: f64,
    /// 0 to 1: carriers that agree and reads behind it.
    pub weight: f64,
    /// Mean RSSI, dBm, with each carrier's own level taken out; NaN when not given.
    pub rssi: f64,
}

/// One tag seen by one antenna.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    /// Index into [`Cells::antennas`].
    pub antenna: usize,
    /// Radians of phase per metre of range, at the mean carrier.
    pub k: f64,
    /// By place along the track.
    pub points: Vec<Point>,
}

/// Radians of phase per metre of range for a carrier.
pub(crate) fn wavenumber(carrier_hz: f64, pi_ambiguous: bool) -> f64 {
    let turns = if pi_ambiguous { 2.0 } else { 1.0 };
    turns * 4.0 * std::f64::consts::PI * carrier_hz / C
}

/// Mean antenna place over all cells, per axis, m.
pub(crate) fn mean_track(cells: &Cells) -> [f64; 3] {
    let n = cells.cells.len().max(1) as f64;
    let mut mean = [0.0; 3];
    for cell in &cells.cells {
        for (m, v) in mean.iter_mut().zip(cell.at) {
            *m += v / n;
        }
    }
    mean
}

/// Folds one tag's cells into a profile per antenna. `place` is the best guess of the tag's x and range, by
/// antenna, for the small share that geometry has in the difference between carriers.
pub(crate) fn fold(
    cells: &Cells,
    tag: usize,
    track: [f64; 3],
    cell_m: f64,
    pi_ambiguous: bool,
    place: impl Fn(usize) -> (f64, f64),
) -> Vec<Profile> {
    let mean_hz = cells.carriers.iter().sum::<f64>() / cells.carriers.len().max(1) as f64;
    let k = wavenumber(mean_hz, pi_ambiguous);
    cells
        .of(tag)
        .chunk_by(|a, b| a.antenna == b.antenna)
        .map(|of_antenna| {
            let antenna = usize::from(of_antenna[0].antenna);
            let (x0, range0) = place(antenna);
            let excess = |c: &Cell| {
                let dk = wavenumber(
                    cells.carriers.get(usize::from(c.carrier)).copied().unwrap_or(mean_hz),
                    pi_ambiguous,
                ) - k;
                dk * (c.at[0] - x0).hypot(range0 + c.at[1] - track[1])
            };
            Profile { antenna, k, points: fold_antenna(of_antenna, track, cell_m, excess) }
        })
        .collect()
}

fn fold_antenna(cells: &[Cell], track: [f64; 3], cell_m: f64, excess: impl Fn(&Cell) -> f64) -> Vec<Point> {
    // Places first: what lies within a cell of its neighbour is one place.
    let mut order: Vec<usize> = (0..cells.len()).collect();
    order.sort_by(|&a, &b| cells[a].at[0].total_cmp(&cells[b].at[0]).then(a.cmp(&b)));
    let mut place = vec![0usize; cells.len()];
    let (mut places, mut start) = (0usize, f64::NEG_INFINITY);
    for &i in &order {
        if cells[i].at[0] - start > cell_m {
            start = cells[i].at[0];
            places += 1;
        }
        place[i] = places - 1;
    }
    let z: Vec<Complex64> =
        cells.iter().map(|c| quality(c) * Complex64::cis(c.phasor.arg() - excess(c))).collect();
    let carriers: Vec<std::ops::Range<usize>> = runs_by_carrier(cells);
    let sums = align(&z, &place, places, &carriers);
    let levels: Vec<f64> = carriers.iter().map(|r| level(&cells[r.clone()])).collect();
    let reference = mean_of(levels.iter().copied());

    let mut points = vec![Point { x: 0.0, out: 0.0, phase: 0.0, weight: 0.0, rssi: 0.0 }; places];
    let mut reads = vec![0.0; places];
    let mut powers = vec![0.0; places];
    for (c, run) in carriers.iter().enumerate() {
        for i in run.clone() {
            let (cell, p) = (&cells[i], place[i]);
            let n = f64::from(cell.reads);
            reads[p] += n;
            points[p].x += n * cell.at[0];
            points[p].out += n * (cell.at[1] - track[1]);
            if let Some(rssi) = cell.rssi() {
                // One read is enough for a level: its noise is 0.2 dB, coupling makes several.
                points[p].rssi += rssi - levels[c] + reference;
                powers[p] += 1.0;
            }
        }
    }
    let most = sums.iter().map(|s| s.norm()).fold(f64::MIN_POSITIVE, f64::max);
    for (p, point) in points.iter_mut().enumerate() {
        point.x /= reads[p];
        point.out /= reads[p];
        point.rssi = if powers[p] > 0.0 { point.rssi / powers[p] } else { f64::NAN };
        point.phase = sums[p].arg();
        point.weight = sums[p].norm() / most;
    }
    points
}

/// How far a cell's phase is to be trusted: little when its reads disagree (a π flip, a collision).
fn quality(cell: &Cell) -> f64 {
    if cell.phases == 0 {
        return 0.0;
    }
    let n = f64::from(cell.phases);
    ((cell.phasor.norm() / n - 0.3) / 0.5).clamp(0.05, 1.0) * (n / 2.0).min(1.0)
}

fn runs_by_carrier(cells: &[Cell]) -> Vec<std::ops::Range<usize>> {
    let mut out = Vec::new();
    let mut first = 0;
    for run in cells.chunk_by(|a, b| a.carrier == b.carrier) {
        out.push(first..first + run.len());
        first += run.len();
    }
    out
}

/// Turns the carriers onto each other and adds them up by place.
fn align(
    z: &[Complex64],
    place: &[usize],
    places: usize,
    carriers: &[std::ops::Range<usize>],
) -> Vec<Complex64> {
    const ROUNDS: usize = 4;
    let mut sums = vec![Complex64::ZERO; places];
    let widest = carriers.iter().max_by_key(|r| (r.len(), std::cmp::Reverse(r.start)));
    for i in widest.cloned().into_iter().flatten() {
        sums[place[i]] += z[i];
    }
    if carriers.len() < 2 {
        return sums;
    }
    for _ in 0..ROUNDS {
        let turns: Vec<Complex64> = carriers
            .iter()
            .map(|run| {
                let overlap: Complex64 = run.clone().map(|i| z[i] * sums[place[i]].conj()).sum();
                if overlap.norm() > 0.0 { overlap.conj() / overlap.norm() } else { Complex64::ZERO }
            })
            .collect();
        sums.fill(Complex64::ZERO);
        for (run, turn) in carriers.iter().zip(&turns) {
            for i in run.clone() {
                sums[place[i]] += z[i] * turn;
            }
        }
    }
    sums
}

fn level(cells: &[Cell]) -> f64 {
    mean_of(cells.iter().filter_map(Cell::rssi))
}

fn mean_of(values: impl Iterator<Item = f64>) -> f64 {
    let (mut n, mut sum) = (0u32, 0.0);
    for v in values.filter(|v| v.is_finite()) {
        n += 1;
        sum += v;
    }
    if n > 0 { sum / f64::from(n) } else { 0.0 }
}
