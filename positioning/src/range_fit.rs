//! The joint fit of a row: an x for each tag, one range per antenna that the row shares, and a small range of its own
//! for each tag.
//!
//! Gauss-Newton on the wrapped phase residuals over the full aperture with Huber weights (after RF-Scanner,
//! INFOCOM 2017, which fits each tag alone). Sharing the range is what helps order most: coupling bends single
//! profiles so much that a range of one's own drags x along with it. Each profile's phase offset is eliminated.

use nalgebra::{DMatrix, DVector};
use num_complex::Complex64;

use crate::profile::{Point, Profile};
use crate::settings::LocateSettings;

const ROUNDS: usize = 30;
const STEP_M: f64 = 0.03;
const DONE_M: f64 = 1e-5;

/// What the fit knows of one tag.
#[derive(Debug, Clone)]
pub(crate) struct TagFit {
    /// Place along the track, m.
    pub x: f64,
    /// Range by antenna, m.
    pub ranges: Vec<f64>,
    /// Standard deviation of `x`, m.
    pub x_std: f64,
}

/// One profile against a tag's place: residuals and their slopes, the offset taken out.
pub(crate) struct Linear {
    /// Wrapped residual, rad.
    pub r: Vec<f64>,
    /// Huber weight times the point's own.
    pub w: Vec<f64>,
    /// Slope along x, rad/m, weighted mean taken out.
    pub gx: Vec<f64>,
    /// Slope along range, rad/m, weighted mean taken out.
    pub gs: Vec<f64>,
    /// Share of the points' information that counts, 1/rad²: neighbouring points err alike.
    pub temper: f64,
}

/// Residuals and slopes of one profile for a tag at `x`, `range`.
pub(crate) fn linearise(profile: &Profile, x: f64, range: f64, settings: &LocateSettings) -> Linear {
    let n = profile.points.len();
    let mut turned = Vec::with_capacity(n);
    let (mut gx, mut gs) = (Vec::with_capacity(n), Vec::with_capacity(n));
    let mut sum = Complex64::ZERO;
    for p in &profile.points {
        let s = range + p.out;
        let d = (p.x - x).hypot(s).max(1e-3);
        let e = Complex64::cis(p.phase - profile.k * d);
        sum += p.weight * e;
        turned.push(e);
        gx.push(profile.k * (x - p.x) / d);
        gs.push(profile.k * s / d);
    }
    let back = if sum.norm() > 0.0 { sum.conj() / sum.norm() } else { Complex64::ONE };
    let mut r: Vec<f64> = turned.iter().map(|e| (e * back).arg()).collect();
    let w: Vec<f64> = profile
        .points
        .iter()
        .zip(&r)
        .map(|(p, r)| p.weight * (settings.huber_rad / r.abs().max(1e-9)).min(1.0))
        .collect();
    let total: f64 = w.iter().sum();
    for v in [&mut r, &mut gx, &mut gs] {
        let mean = if total > 0.0 { v.iter().zip(&w).map(|(v, w)| v * w).sum::<f64>() / total } else { 0.0 };
        v.iter_mut().for_each(|v| *v -= mean);
    }
    Linear { temper: temper(&profile.points, settings), r, w, gx, gs }
}

/// Information per unit of weight, 1/rad²: as many independent points as coupling lengths fit the aperture.
fn temper(points: &[Point], settings: &LocateSettings) -> f64 {
    let total: f64 = points.iter().map(|p| p.weight).sum();
    let used = || points.iter().filter(|p| p.weight > 0.0).map(|p| p.x);
    let aperture = used().fold(f64::NEG_INFINITY, f64::max) - used().fold(f64::INFINITY, f64::min);
    if total <= 0.0 || !aperture.is_finite() {
        return 0.0;
    }
    let independent = (1.0 + aperture / (2.0 * settings.coupling_length_m)).min(total.max(1.0));
    independent / (total * settings.coupling_rms_rad.powi(2))
}

/// Fits all tags. `fits` holds the start and takes the result; `ranges` are the shared ones.
pub(crate) fn fit_row(
    tags: &[Vec<Profile>],
    fits: &mut [TagFit],
    ranges: &mut [f64],
    settings: &LocateSettings,
) {
    let antennas = ranges.len();
    if antennas == 0 {
        return; // no read at all
    }
    let prior = 1.0 / settings.range_spread_m.powi(2);
    for _ in 0..ROUNDS {
        // Normal equations of the shared ranges, what each tag can move by itself eliminated (Schur complement).
        let mut shared = DMatrix::<f64>::zeros(antennas, antennas);
        let mut pull = DVector::<f64>::zeros(antennas);
        let mut own = Vec::with_capacity(tags.len());
        for (profiles, fit) in tags.iter().zip(fits.iter()) {
            let (h, b) = normal(profiles, fit, settings);
            let mut h = h;
            let mut b = b;
            for a in 0..antennas {
                h[(a + 1, a + 1)] += prior;
                b[a + 1] -= prior * (fit.ranges[a] - ranges[a]);
            }
            let Some(inverse) = h.try_inverse() else {
                own.push(None);
                continue;
            };
            let cov = inverse.view((1, 1), (antennas, antennas)).into_owned();
            let step = &inverse * &b;
            for a in 0..antennas {
                let gap = fit.ranges[a] - ranges[a];
                pull[a] += prior * (gap + step[a + 1]);
                for c in 0..antennas {
                    shared[(a, c)] -= prior * cov[(a, c)] * prior;
                }
                shared[(a, a)] += prior;
            }
            own.push(Some((inverse, b)));
        }
        for a in 0..antennas {
            shared[(a, a)] += 1e-6;
        }
        let moved = shared.lu().solve(&pull).unwrap_or_else(|| DVector::zeros(antennas));
        let mut largest: f64 = 0.0;
        for a in 0..antennas {
            let step = clip(moved[a]);
            largest = largest.max(step.abs());
            ranges[a] = (ranges[a] + step).clamp(settings.range_m[0], settings.range_m[1]);
        }
        for (fit, own) in fits.iter_mut().zip(&own) {
            let Some((inverse, b)) = own else { continue };
            let mut b = b.clone();
            for a in 0..antennas {
                b[a + 1] += prior * clip(moved[a]);
            }
            let step = inverse * b;
            largest = largest.max(clip(step[0]).abs());
            fit.x += clip(step[0]);
            for a in 0..antennas {
                fit.ranges[a] = (fit.ranges[a] + clip(step[a + 1])).max(0.05);
            }
        }
        if largest < DONE_M {
            break;
        }
    }
}

/// Moves one tag's x alone at fixed ranges; gives the mean Huber loss there.
pub(crate) fn refine_x(profiles: &[Profile], fit: &mut TagFit, settings: &LocateSettings) -> f64 {
    let mut loss = f64::INFINITY;
    for _ in 0..8 {
        let (mut h, mut b, mut sum, mut weight) = (1e-9, 0.0, 0.0, 0.0);
        for p in profiles {
            let l = linearise(p, fit.x, fit.ranges[p.antenna], settings);
            for i in 0..l.r.len() {
                h += l.w[i] * l.gx[i] * l.gx[i];
                b += l.w[i] * l.gx[i] * l.r[i];
                sum += p.points[i].weight * huber(l.r[i], settings.huber_rad);
                weight += p.points[i].weight;
            }
        }
        loss = if weight > 0.0 { sum / weight } else { f64::INFINITY };
        let step = clip(b / h);
        fit.x += step;
        if step.abs() < 1e-4 {
            break;
        }
    }
    loss
}

/// Normal equations of one tag over x and its range by antenna.
fn normal(profiles: &[Profile], fit: &TagFit, settings: &LocateSettings) -> (DMatrix<f64>, DVector<f64>) {
    let n = fit.ranges.len() + 1;
    let (mut h, mut b) = (DMatrix::zeros(n, n), DVector::zeros(n));
    h[(0, 0)] = 1e-3;
    for p in profiles {
        let l = linearise(p, fit.x, fit.ranges[p.antenna], settings);
        let a = p.antenna + 1;
        for i in 0..l.r.len() {
            let w = l.w[i] * l.temper;
            h[(0, 0)] += w * l.gx[i] * l.gx[i];
            h[(0, a)] += w * l.gx[i] * l.gs[i];
            h[(a, a)] += w * l.gs[i] * l.gs[i];
            b[0] += w * l.gx[i] * l.r[i];
            b[a] += w * l.gs[i] * l.r[i];
        }
        h[(a, 0)] = h[(0, a)];
    }
    (h, b)
}

/// Standard deviation of x under a phase error that is alike over `coupling_length_m`: the fit's linear response
/// to the error, times the error's covariance. `rms` is the error's RMS, rad.
pub(crate) fn x_std(profiles: &[Profile], fit: &TagFit, rms: f64, settings: &LocateSettings) -> f64 {
    let (mut h, _) = normal(profiles, fit, settings);
    let prior = 1.0 / settings.range_spread_m.powi(2);
    for a in 1..h.nrows() {
        h[(a, a)] += prior;
    }
    let Some(inverse) = h.try_inverse() else { return f64::INFINITY };
    let mut variance = 0.0;
    for p in profiles {
        let l = linearise(p, fit.x, fit.ranges[p.antenna], settings);
        let a = p.antenna + 1;
        let response: Vec<f64> = (0..l.r.len())
            .map(|i| l.temper * l.w[i] * (inverse[(0, 0)] * l.gx[i] + inverse[(0, a)] * l.gs[i]))
            .collect();
        let alike = -std::f64::consts::LN_2 / settings.coupling_length_m;
        for (i, ri) in response.iter().enumerate() {
            variance += ri * ri;
            for (rj, q) in response[..i].iter().zip(&p.points) {
                let gap = (p.points[i].x - q.x).abs();
                variance += 2.0 * ri * rj * (alike * gap).exp();
            }
        }
    }
    rms * variance.max(0.0).sqrt()
}

/// RMS of a tag's phase residuals, rad, with the weight behind it.
pub(crate) fn residual(profiles: &[Profile], fit: &TagFit, settings: &LocateSettings) -> (f64, f64) {
    let (mut sum, mut weight) = (0.0, 0.0);
    for p in profiles {
        let l = linearise(p, fit.x, fit.ranges[p.antenna], settings);
        for (r, point) in l.r.iter().zip(&p.points) {
            sum += point.weight * r * r;
            weight += point.weight;
        }
    }
    (if weight > 0.0 { (sum / weight).sqrt() } else { f64::NAN }, weight)
}

fn clip(step: f64) -> f64 {
    if step.is_finite() { step.clamp(-STEP_M, STEP_M) } else { 0.0 }
}

fn huber(r: f64, knee: f64) -> f64 {
    let a = r.abs();
    if a <= knee { 0.5 * r * r } else { knee * (a - 0.5 * knee) }
}
