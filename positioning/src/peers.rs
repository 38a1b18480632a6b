//! Published methods, to be compared with: each locates one tag at a time and knows nothing of coupling.
//!
//! Written after the papers, for rows of tags beside a track. They get the same averaged cells as our own fit does, so
//! that what differs is the method.

use std::f64::consts::TAU;

use domain::{Scan, Sighting};
use nalgebra::{Matrix2, Vector2};
use num_complex::Complex64;

use crate::cells::{Cell, Cells};
use crate::locate_row::locate_row;
use crate::profile::{self, wavenumber};
use crate::settings::LocateSettings;

/// A way of locating the tags of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The joint fit and the decoder: [`locate_row`].
    Ours,
    /// The joint fit alone.
    Fit,
    /// RF-Scanner (INFOCOM 2017): per carrier the phases are unwrapped along the track and `4πf/c·√((x−a)²+b²)+k` is
    /// fitted; the carriers' places are averaged.
    RfScanner,
    /// Tagoram (MobiCom 2014): the differential augmented hologram, its brightest place.
    Tagoram,
}

impl Method {
    /// All of them, ours first.
    pub const ALL: [Self; 4] = [Self::Ours, Self::Fit, Self::RfScanner, Self::Tagoram];

    /// Its name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Fit => "fit",
            Self::RfScanner => "rf-scanner",
            Self::Tagoram => "tagoram",
        }
    }

    /// What it is, in a line.
    pub fn about(self) -> &'static str {
        match self {
            Self::Ours => "The joint fit and the decoder",
            Self::Fit => "The joint fit alone",
            Self::RfScanner => "A curve for each tag and carrier (RF-Scanner, INFOCOM 2017)",
            Self::Tagoram => "The differential augmented hologram of each tag (Tagoram, MobiCom 2014)",
        }
    }

    /// Locates the tags of one pass. The published methods state no standard deviations (NaN), and give no sighting of a
    /// tag that they have no answer for.
    pub fn locate_row(self, scan: &Scan, settings: &LocateSettings) -> Vec<Sighting> {
        match self {
            Self::Ours => locate_row(scan, settings),
            Self::Fit => locate_row(scan, &LocateSettings { decode: false, ..settings.clone() }),
            Self::RfScanner => published(rf_scanner, scan, settings),
            Self::Tagoram => published(tagoram, scan, settings),
        }
    }
}

/// Reads of a carrier that a fit of three unknowns needs.
const FEWEST: usize = 6;
/// Phase noise that Tagoram's weights assume, rad (its section 4.2).
const NOISE_RAD: f64 = 0.1;
/// Steps of its hologram: across the whole surveillance region, then around the brightest place, m. A fringe is 16 cm.
const COARSE_M: f64 = 0.02;
const FINE_M: f64 = 0.002;

/// Places one tag by its cells: `[x, range]`, m.
type Place = fn(&Cells, &[&Cell], [f64; 3], &LocateSettings) -> Option<[f64; 2]>;

fn published(place: Place, scan: &Scan, settings: &LocateSettings) -> Vec<Sighting> {
    let cells = Cells::build(scan, settings.cell_m, settings.pi_ambiguous);
    let track = profile::mean_track(&cells);
    let mut found: Vec<(usize, [f64; 2])> = (0..cells.tags.len())
        .filter_map(|tag| {
            let used: Vec<&Cell> = cells.of(tag).iter().filter(|c| c.phases > 0).collect();
            Some((tag, place(&cells, &used, track, settings)?))
        })
        .collect();
    found.sort_by(|a, b| a.1[0].total_cmp(&b.1[0]).then(scan.tags[a.0].cmp(&scan.tags[b.0])));
    let mut sightings: Vec<(usize, Sighting)> = found
        .into_iter()
        .enumerate()
        .map(|(rank, (tag, [x, range]))| {
            let reads = &cells.tags[tag];
            let sighting = Sighting {
                uid: scan.tags[tag].clone(),
                scan: scan.name.clone(),
                face: None,
                stamp_ns: reads.last_stamp,
                along_m: x as f32,
                along_std_m: f32::NAN,
                range_m: range as f32,
                height_m: f32::NAN,
                tier_probability: Vec::new(),
                face_probability: f32::NAN,
                rank: rank as u32,
                rank_confidence: f32::NAN,
                reads: reads.reads,
                rssi_dbm: reads.rssi_max,
            };
            (tag, sighting)
        })
        .collect();
    sightings.sort_by_key(|s| s.0);
    sightings.into_iter().map(|s| s.1).collect()
}

fn rf_scanner(cells: &Cells, used: &[&Cell], track: [f64; 3], settings: &LocateSettings) -> Option<[f64; 2]> {
    let (mut sum, mut n) = ([0.0; 2], 0.0);
    for run in used.chunk_by(|a, b| (a.antenna, a.carrier) == (b.antenna, b.carrier)) {
        if run.len() < FEWEST {
            continue;
        }
        let k = wavenumber(cells.carriers[usize::from(run[0].carrier)], settings.pi_ambiguous);
        let mut points: Vec<[f64; 3]> =
            run.iter().map(|c| [c.at[0], c.at[1] - track[1], c.phasor.arg()]).collect();
        points.sort_by(|a, b| a[0].total_cmp(&b[0]));
        for i in 1..points.len() {
            let before = points[i - 1][2];
            points[i][2] -= TAU * ((points[i][2] - before) / TAU).round();
        }
        if let Some(place) = hyperbola(&points, k, settings) {
            sum = [sum[0] + place[0], sum[1] + place[1]];
            n += 1.0;
        }
    }
    (n > 0.0).then(|| sum.map(|s| s / n))
}

/// Fits `k·√((x−a)²+(b+out)²) + c` to `[x, out, phase]` by Gauss-Newton from a start at the lowest phase.
fn hyperbola(points: &[[f64; 3]], k: f64, settings: &LocateSettings) -> Option<[f64; 2]> {
    let lowest = points.iter().min_by(|a, b| a[2].total_cmp(&b[2]))?;
    let mut at = [lowest[0], (settings.range_m[0] + settings.range_m[1]).min(1.3) / 2.0];
    for _ in 0..40 {
        let n = points.len() as f64;
        let rows: Vec<[f64; 3]> = points
            .iter()
            .map(|p| {
                let d = (p[0] - at[0]).hypot(at[1] + p[1]).max(1e-3);
                [k * (at[0] - p[0]) / d, k * (at[1] + p[1]) / d, p[2] - k * d]
            })
            .collect();
        let mean: [f64; 3] = std::array::from_fn(|c| rows.iter().map(|r| r[c]).sum::<f64>() / n);
        let (mut h, mut g) = (Matrix2::from_diagonal_element(1e-6), Vector2::zeros());
        for r in &rows {
            let slope = Vector2::new(r[0] - mean[0], r[1] - mean[1]);
            h += slope * slope.transpose();
            g += slope * (r[2] - mean[2]);
        }
        let step = h.try_inverse()? * g;
        // A fit that leaves the track has found nothing; it stays at its end, as any answer must lie somewhere.
        at[0] = (at[0] + step[0].clamp(-0.1, 0.1)).clamp(
            points[0][0] - settings.beyond_track_m,
            points[points.len() - 1][0] + settings.beyond_track_m,
        );
        at[1] = (at[1] + step[1].clamp(-0.1, 0.1)).clamp(settings.range_m[0], settings.range_m[1]);
        if step[0].abs() < 1e-5 {
            break;
        }
    }
    at.iter().all(|v| v.is_finite()).then_some(at)
}

fn tagoram(cells: &Cells, used: &[&Cell], track: [f64; 3], settings: &LocateSettings) -> Option<[f64; 2]> {
    // Differences to the first read of each antenna and carrier: what is common to a series falls out.
    let mut reads: Vec<Differential> = Vec::with_capacity(used.len());
    for run in used.chunk_by(|a, b| (a.antenna, a.carrier) == (b.antenna, b.carrier)) {
        let k = wavenumber(cells.carriers[usize::from(run[0].carrier)], settings.pi_ambiguous);
        let first = run[0];
        reads.extend(run.iter().skip(1).map(|c| Differential {
            k,
            at: [c.at[0], c.at[1] - track[1]],
            from: [first.at[0], first.at[1] - track[1]],
            phase: c.phasor.arg() - first.phasor.arg(),
        }));
    }
    let xs = used.iter().map(|c| c.at[0]);
    let (left, right) = (xs.clone().fold(f64::INFINITY, f64::min), xs.fold(f64::NEG_INFINITY, f64::max));
    if reads.len() < FEWEST || !left.is_finite() {
        return None;
    }
    let (left, right) = (left - settings.beyond_track_m, right + settings.beyond_track_m);
    let mut best = (f64::NEG_INFINITY, [left, settings.range_m[0]]);
    let mut search = |x: [f64; 2], range: [f64; 2], step: f64| {
        let count = |r: [f64; 2]| ((r[1] - r[0]) / step).ceil().clamp(0.0, 10_000.0) as usize;
        for i in 0..=count(x) {
            for j in 0..=count(range) {
                let place = [x[0] + i as f64 * step, range[0] + j as f64 * step];
                let bright = brightness(&reads, place);
                if bright > best.0 {
                    best = (bright, place);
                }
            }
        }
        best.1
    };
    let [x, range] = search([left, right], settings.range_m, COARSE_M);
    Some(search([x - COARSE_M, x + COARSE_M], [range - COARSE_M, range + COARSE_M], FINE_M))
}

/// A read against the first of its series.
struct Differential {
    k: f64,
    at: [f64; 2],
    from: [f64; 2],
    phase: f64,
}

/// Intensity of the differential augmented hologram at `[x, range]`.
fn brightness(reads: &[Differential], place: [f64; 2]) -> f64 {
    let distance = |a: [f64; 2]| (a[0] - place[0]).hypot(place[1] + a[1]);
    let mut sum = Complex64::ZERO;
    for r in reads {
        let off = r.phase - r.k * (distance(r.at) - distance(r.from));
        let off = off - TAU * (off / TAU).round();
        // Twice the upper tail of a normal of variance 2σ².
        let weight = 2.0 * crate::normal::below(-off.abs() / (std::f64::consts::SQRT_2 * NOISE_RAD));
        sum += weight * Complex64::cis(off);
    }
    sum.norm() / reads.len() as f64
}
