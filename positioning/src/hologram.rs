//! The coarse search: where could a tag be at all, so that no fit ends in a side minimum.
//!
//! A hologram (after Tagoram, MobiCom 2014) over x and range: at each place, how well the phases of the full
//! aperture line up once the distances to that place are taken out. One range is asked for the whole row.

use crate::profile::Profile;
use crate::quick::{sin_cos_turns, widest};

/// Grid of the coarse search: half a turn of phase is 8 cm of range and, at the ends of the track, of x.
const STEP_X: f64 = 0.015;
const STEP_RANGE: f64 = 0.03;
/// Profiles and points of each that the common range is searched with.
const MOST_PROFILES: usize = 10;
const MOST_POINTS: usize = 30;

/// Coherence 0 to 1 of a profile with a tag at each of `xs`, all at `range`.
fn coherence(profile: &Profile, xs: &[f64], range: f64) -> Vec<f32> {
    widest(
        #[inline(always)]
        || {
            let (mut re, mut im) = (vec![0f32; xs.len()], vec![0f32; xs.len()]);
            let xs: Vec<f32> = xs.iter().map(|&x| x as f32).collect();
            let per_m = (profile.k / std::f64::consts::TAU) as f32;
            let mut weight = 0f32;
            for p in profile.points.iter().filter(|p| p.weight > 0.0) {
                let (w, turns) = (p.weight as f32, (p.phase / std::f64::consts::TAU) as f32);
                let (at, s) = (p.x as f32, (range + p.out) as f32);
                weight += w;
                for ((re, im), x) in re.iter_mut().zip(&mut im).zip(&xs) {
                    let (sin, cos) = sin_cos_turns(turns - per_m * ((at - x) * (at - x) + s * s).sqrt());
                    *re += w * cos;
                    *im += w * sin;
                }
            }
            if weight > 0.0 {
                re.iter_mut().zip(&im).for_each(|(re, im)| *re = (*re * *re + im * im).sqrt() / weight);
            }
            re
        },
    )
}

/// Places along the track to try, m.
pub(crate) fn grid_x(track: [f64; 2], beyond_m: f64) -> Vec<f64> {
    grid(track[0] - beyond_m, track[1] + beyond_m, STEP_X)
}

/// Ranges to try, m.
pub(crate) fn grid_range(limits: [f64; 2]) -> Vec<f64> {
    grid(limits[0], limits[1], STEP_RANGE)
}

fn grid(from: f64, to: f64, step: f64) -> Vec<f64> {
    let n = ((to - from) / step).ceil().clamp(0.0, 100_000.0) as usize;
    (0..=n).map(|i| from + i as f64 * step).collect()
}

/// The range at which the tags' profiles of one antenna fit best together, m; `None` without any profile.
pub(crate) fn common_range(profiles: &[&Profile], xs: &[f64], ranges: &[f64]) -> Option<f64> {
    if profiles.is_empty() {
        return None;
    }
    let mut best = (f64::NEG_INFINITY, None);
    let some = thinned(profiles);
    let xs: Vec<f64> = xs.iter().step_by(2).copied().collect();
    for &range in ranges {
        let score: f64 = some
            .iter()
            .map(|p| f64::from(coherence(p, &xs, range).into_iter().fold(0.0, f32::max)).powi(2))
            .sum();
        if score > best.0 {
            best = (score, Some(range));
        }
    }
    best.1
}

/// Some of the profiles with some of their points: one range is asked of them all, and needs no more.
fn thinned(profiles: &[&Profile]) -> Vec<Profile> {
    let every = profiles.len().div_ceil(MOST_PROFILES);
    profiles
        .iter()
        .step_by(every)
        .map(|p| {
            let points = p.points.iter().step_by(p.points.len().div_ceil(MOST_POINTS).max(1)).copied();
            Profile { antenna: p.antenna, k: p.k, points: points.collect() }
        })
        .collect()
}

/// Peaks of the coherence along x at the given range of each antenna, best first, at most `most`.
pub(crate) fn peaks(profiles: &[Profile], ranges: &[f64], xs: &[f64], most: usize) -> Vec<f64> {
    let mut score = vec![0f32; xs.len()];
    for p in profiles {
        for (sum, c) in score.iter_mut().zip(coherence(p, xs, ranges[p.antenna])) {
            *sum += c;
        }
    }
    let mut tops: Vec<usize> = (0..xs.len())
        .filter(|&i| {
            let left = i.checked_sub(1).map_or(f32::NEG_INFINITY, |j| score[j]);
            let right = score.get(i + 1).copied().unwrap_or(f32::NEG_INFINITY);
            score[i] > left && score[i] >= right
        })
        .collect();
    tops.sort_by(|&a, &b| score[b].total_cmp(&score[a]).then(a.cmp(&b)));
    tops.truncate(most);
    tops.into_iter().map(|i| xs[i]).collect()
}
