//! What the row decoder sees: windows of neighbouring tags, each tag a token of its phase and power profiles.
//!
//! A profile is put on a grid of antenna places around the window's middle: the way that the phase says the tag's
//! distance changed, and RSSI. Each has its own mean taken out (offsets and levels say nothing) and the window's
//! mean at each antenna place, which the tags share; that mean goes in beside, coarser.

use std::f64::consts::{PI, TAU};

use crate::profile::Profile;
use crate::range_fit::TagFit;

/// Points of the grid of antenna places.
const GRID: usize = 50;
/// Its step, m.
const STEP_M: f64 = 0.02;
/// The grid again, two points in one.
const COARSE: usize = GRID / 2;
/// Numbers that say where along the grid the tag was read.
const READ_PARTS: usize = 10;
/// Numbers of a token.
pub(crate) const ROW_INPUTS: usize = 2 * GRID + 2 * COARSE + READ_PARTS + 6;
/// Tags farther from a window's middle are not in it, m.
const HALF_M: f64 = 0.5;
/// Distance of windows along a long track, m.
const EVERY_M: f64 = 0.25;
/// A track up to this long has one window, m.
const ONE_WINDOW_M: f64 = 1.3;
/// Most tags of a window, the nearest to its middle.
const MOST_TAGS: usize = 64;
/// Points that a profile needs before the decoder has a say about its tag.
const FEWEST_POINTS: usize = 8;
/// An antenna place farther than this from the next read of the tag is unread, m.
const READ_M: f64 = 0.016;
/// RSSI that an unread place gets below what its neighbours have, dB.
const UNREAD_DB: f64 = 3.0;
/// Radians a metre of range that profiles are brought to: the middle of the Chinese band.
const K0: f64 = 4.0 * PI * 922.375e6 / 299_792_458.0;

/// Tags that are decoded together.
#[derive(Debug, Clone, PartialEq)]
pub struct RowWindow {
    /// Index of the tag of each token, as in the scan.
    pub tags: Vec<usize>,
    /// Where the fit has each of them, m.
    pub start_m: Vec<f64>,
    /// Whether this window is the one nearest to the tag, whose answer counts.
    pub home: Vec<bool>,
    /// `ROW_INPUTS` numbers for each tag.
    pub tokens: Vec<f32>,
}

/// One tag on the grid.
struct Gridded {
    phase: [f64; GRID],
    rssi: [f64; GRID],
    read: [f64; GRID],
    rms: f64,
}

/// Windows over the tags that have a profile with the antenna of that index.
pub(crate) fn windows(profiles: &[Vec<Profile>], fits: &[TagFit], antenna: usize) -> Vec<RowWindow> {
    let seen: Vec<(usize, &Profile)> = profiles
        .iter()
        .enumerate()
        .filter_map(|(t, p)| Some((t, p.iter().find(|p| p.antenna == antenna)?)))
        .filter(|(_, p)| p.points.iter().filter(|p| p.weight > 0.0).count() >= FEWEST_POINTS)
        .collect();
    let places = || seen.iter().flat_map(|(_, p)| p.points.iter().map(|p| p.x));
    let (low, high) = (places().fold(f64::INFINITY, f64::min), places().fold(f64::NEG_INFINITY, f64::max));
    if seen.len() < 2 || low.total_cmp(&high).is_ge() {
        return Vec::new(); // a tag alone has no neighbours to learn from
    }
    let middles = middles(low, high);
    let nearest = |x: f64| {
        let far = |i: &usize| (middles[*i] - x).abs();
        (0..middles.len()).min_by(|a, b| far(a).total_cmp(&far(b))).unwrap_or(0)
    };
    let one = middles.len() == 1;
    let mut out = Vec::new();
    for (w, &middle) in middles.iter().enumerate() {
        let mut near: Vec<&(usize, &Profile)> =
            seen.iter().filter(|(t, _)| one || (fits[*t].x - middle).abs() <= HALF_M).collect();
        near.sort_by(|a, b| {
            let far = |t: usize| (fits[t].x - middle).abs();
            far(a.0).total_cmp(&far(b.0)).then(a.0.cmp(&b.0))
        });
        near.truncate(MOST_TAGS);
        if near.len() < 2 || !near.iter().any(|(t, _)| nearest(fits[*t].x) == w) {
            continue;
        }
        out.push(RowWindow {
            tags: near.iter().map(|n| n.0).collect(),
            start_m: near.iter().map(|n| fits[n.0].x).collect(),
            home: near.iter().map(|n| nearest(fits[n.0].x) == w).collect(),
            tokens: tokens(&near, fits, antenna, middle),
        });
    }
    out
}

/// Middles of the windows along a track, m.
fn middles(low: f64, high: f64) -> Vec<f64> {
    let length = high - low;
    if length <= ONE_WINDOW_M {
        return vec![(low + high) / 2.0];
    }
    let inner = length - 2.0 * HALF_M;
    let steps = (inner / EVERY_M).ceil().clamp(1.0, 1e6) as usize;
    (0..=steps).map(|i| low + HALF_M + inner * i as f64 / steps as f64).collect()
}

fn tokens(near: &[&(usize, &Profile)], fits: &[TagFit], antenna: usize, middle: f64) -> Vec<f32> {
    let gridded: Vec<Gridded> =
        near.iter().map(|(t, p)| grid(p, fits[*t].x, fits[*t].ranges[antenna], middle)).collect();
    let n = gridded.len() as f64;
    let mean = |of: &dyn Fn(&Gridded) -> &[f64; GRID]| -> [f64; GRID] {
        std::array::from_fn(|i| gridded.iter().map(|g| of(g)[i]).sum::<f64>() / n)
    };
    let (phase, rssi) = (mean(&|g| &g.phase), mean(&|g| &g.rssi));
    // What the shared range explains of the mean profile is no news.
    let range = near.iter().map(|(t, _)| fits[*t].ranges[antenna]).sum::<f64>() / n;
    let x = near.iter().map(|(t, _)| fits[*t].x).sum::<f64>() / n;
    let mut plain: [f64; GRID] = std::array::from_fn(|i| K0 * (at(middle, i) - x).hypot(range));
    centre(&mut plain);
    let mut out = Vec::with_capacity(near.len() * ROW_INPUTS);
    for ((t, _), g) in near.iter().zip(&gridded) {
        let fit = &fits[*t];
        out.extend((0..GRID).map(|i| ((g.phase[i] - phase[i]) / 2.0) as f32));
        out.extend((0..GRID).map(|i| ((g.rssi[i] - rssi[i]) / 5.0) as f32));
        let pair = |v: &dyn Fn(usize) -> f64, i: usize| (v(2 * i) + v(2 * i + 1)) / 2.0;
        out.extend((0..COARSE).map(|i| pair(&|j| phase[j] - plain[j], i) as f32));
        out.extend((0..COARSE).map(|i| (pair(&|j| rssi[j], i) / 5.0) as f32));
        let part = GRID / READ_PARTS;
        out.extend(g.read.chunks_exact(part).map(|c| (c.iter().sum::<f64>() / part as f64) as f32));
        out.extend(
            [
                (fit.x - middle) / 0.2,
                (range - 0.65) / 0.2,
                (fit.ranges[antenna] - range) / 0.03,
                g.rms,
                n / 12.0,
                (x - middle) / 0.2,
            ]
            .map(|v| v as f32),
        );
    }
    out
}

/// Place of a grid point, m.
fn at(middle: f64, i: usize) -> f64 {
    middle + (i as f64 - (GRID as f64 - 1.0) / 2.0) * STEP_M
}

fn grid(profile: &Profile, x: f64, range: f64, middle: f64) -> Gridded {
    let residuals = residuals(profile, x, range);
    let good: Vec<(f64, f64, f64)> = profile
        .points
        .iter()
        .zip(&residuals)
        .filter(|(p, _)| p.weight > 0.0)
        .map(|(p, r)| (p.x, *r, p.rssi))
        .collect();
    let n = good.len().max(1) as f64;
    let mean = good.iter().map(|g| g.1).sum::<f64>() / n;
    let rms = (good.iter().map(|g| (g.1 - mean).powi(2)).sum::<f64>() / n).sqrt();
    let mut out = Gridded { phase: [0.0; GRID], rssi: [0.0; GRID], read: [0.0; GRID], rms };
    let mut next = 0;
    for i in 0..GRID {
        let here = at(middle, i);
        while next < good.len() && good[next].0 < here {
            next += 1;
        }
        let (left, right) = (next.checked_sub(1).map(|j| good[j]), good.get(next).copied());
        let (r, rssi, far) = match (left, right) {
            (Some(a), Some(b)) => {
                let u = ((here - a.0) / (b.0 - a.0).max(1e-9)).clamp(0.0, 1.0);
                let mix = |p: f64, q: f64| if q.is_finite() && p.is_finite() { p + u * (q - p) } else { p };
                (mix(a.1, b.1), mix(a.2, b.2), (here - a.0).min(b.0 - here))
            }
            (Some(a), None) => (a.1, a.2, here - a.0),
            (None, Some(b)) => (b.1, b.2, b.0 - here),
            (None, None) => (0.0, f64::NAN, f64::INFINITY),
        };
        let unread = ((far - READ_M) / READ_M).clamp(0.0, 1.0);
        out.read[i] = 1.0 - unread;
        out.phase[i] =
            (profile.k * (here - x).hypot(range) + mean + (r - mean) * (1.0 - unread)) * K0 / profile.k;
        out.rssi[i] = if rssi.is_finite() { rssi - UNREAD_DB * unread } else { 0.0 };
    }
    centre(&mut out.phase);
    centre(&mut out.rssi);
    out
}

/// Phase residuals, rad, unwrapped along the track from where the tag is loudest: coupling bends a profile by more than
/// half a turn, and the start may be off.
fn residuals(profile: &Profile, x: f64, range: f64) -> Vec<f64> {
    let points = &profile.points;
    let mut r: Vec<f64> =
        points.iter().map(|p| p.phase - profile.k * (p.x - x).hypot(range + p.out)).collect();
    let loud = |i: usize| if points[i].rssi.is_finite() { points[i].rssi } else { -200.0 };
    let good: Vec<usize> = (0..points.len()).filter(|&i| points[i].weight > 0.0).collect();
    let start = (0..good.len()).max_by(|&a, &b| loud(good[a]).total_cmp(&loud(good[b]))).unwrap_or(0);
    let (before, after) = good.split_at(start);
    for way in [&mut before.iter().rev() as &mut dyn Iterator<Item = &usize>, &mut after.iter().skip(1)] {
        let Some(&first) = after.first() else { break };
        // A mean of the last places, so that one bad phase does not turn all that follow.
        let mut near = r[first];
        for &i in way {
            r[i] = near + wrap(r[i] - near);
            near += 0.6 * (r[i] - near);
        }
    }
    r
}

/// To −π … π.
fn wrap(angle: f64) -> f64 {
    angle - TAU * (angle / TAU).round()
}

fn centre(values: &mut [f64; GRID]) {
    let mean = values.iter().sum::<f64>() / GRID as f64;
    values.iter_mut().for_each(|v| *v -= mean);
}

/// Where what is in a token: for training, which varies its lessons.
#[derive(Debug, Clone, Copy, Default)]
pub struct RowLayout(());

impl RowLayout {
    /// Numbers of a token.
    pub fn inputs(&self) -> usize {
        ROW_INPUTS
    }

    /// A token begins with so many numbers of phase and as many of power.
    pub fn grid(&self) -> usize {
        GRID
    }

    /// Place of the row's range.
    pub fn range(&self) -> usize {
        2 * GRID + 2 * COARSE + READ_PARTS + 1
    }

    /// Turns a token as if the track ran the other way.
    pub fn mirror(&self, token: &mut [f32]) {
        let mut rest = token;
        for n in [GRID, GRID, COARSE, COARSE, READ_PARTS] {
            let (mine, after) = rest.split_at_mut(n);
            mine.reverse();
            rest = after;
        }
        rest[0] = -rest[0];
        rest[5] = -rest[5];
    }

    /// Takes the mean over the tokens out again, after some were left out.
    pub fn recentre(&self, mut tokens: Vec<f32>) -> Vec<f32> {
        let n = (tokens.len() / ROW_INPUTS).max(1) as f32;
        let mut mean = vec![0f32; 2 * GRID];
        for token in tokens.chunks_exact(ROW_INPUTS) {
            mean.iter_mut().zip(token).for_each(|(m, v)| *m += v / n);
        }
        let counts = 2 * GRID + 2 * COARSE + READ_PARTS + 4;
        for token in tokens.chunks_exact_mut(ROW_INPUTS) {
            token.iter_mut().zip(&mean).for_each(|(v, m)| *v -= m);
            for i in 0..COARSE {
                // The phase is in units of two radians, its mean in one; power is in the same unit in both.
                token[2 * GRID + i] += mean[2 * i] + mean[2 * i + 1];
                token[2 * GRID + COARSE + i] += (mean[GRID + 2 * i] + mean[GRID + 2 * i + 1]) / 2.0;
            }
            token[counts] = n / 12.0;
        }
        tokens
    }
}
