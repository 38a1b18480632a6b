//! Received power as the second signal: where a tag's RSSI profile says that the tag is.
//!
//! RSSI is blunt (a fit places a tag to several centimetres), but it errs otherwise than the phase does: at 4 cm
//! spacing coupling swaps the phase order of some neighbours whose RSSI still ranks them rightly.

use crate::profile::Profile;
use crate::range_fit::TagFit;

/// How far each tag's power profile wants it moved from where the phase put it, m, the row's common move taken out;
/// 0 for a tag without enough of a profile. The row shares one law, `level + slope * ln(distance²)`: its slope is
/// fitted, since it holds the antenna's pattern and the reader's compression too.
pub(crate) fn moves(tags: &[Vec<Profile>], fits: &[TagFit]) -> Vec<f64> {
    let (mut top, mut bottom) = (0.0, 0.0);
    for (profiles, fit) in tags.iter().zip(fits) {
        for p in profiles {
            let d = deviations(p, fit);
            top += d.iter().map(|s| s.law * s.rssi).sum::<f64>();
            bottom += d.iter().map(|s| s.law * s.law).sum::<f64>();
        }
    }
    let slope = if bottom > 0.0 { top / bottom } else { 0.0 };
    if slope > -1.0 {
        return vec![0.0; tags.len()]; // power does not fall with distance: it says nothing about place
    }
    let mut moves: Vec<Option<f64>> = tags
        .iter()
        .zip(fits)
        .map(|(profiles, fit)| {
            let (mut pull, mut hold, mut n) = (0.0, 0.0, 0);
            for p in profiles {
                for s in deviations(p, fit) {
                    let g = slope * s.law_by_x;
                    pull += g * (s.rssi - slope * s.law);
                    hold += g * g;
                    n += 1;
                }
            }
            (n >= 8 && hold > 0.0).then(|| (pull / hold).clamp(-0.15, 0.15))
        })
        .collect();
    let mut known: Vec<f64> = moves.iter().flatten().copied().collect();
    known.sort_by(f64::total_cmp);
    let common = known.get(known.len() / 2).copied().unwrap_or(0.0);
    for m in moves.iter_mut().flatten() {
        *m -= common;
    }
    moves.into_iter().map(|m| m.unwrap_or(0.0)).collect()
}

struct Deviation {
    rssi: f64,
    law: f64,
    law_by_x: f64,
}

/// RSSI, `ln(distance²)` and its slope in the tag's x, each less its mean over the profile.
fn deviations(profile: &Profile, fit: &TagFit) -> Vec<Deviation> {
    let mut out: Vec<Deviation> = profile
        .points
        .iter()
        .filter(|p| p.rssi.is_finite())
        .map(|p| {
            let s = fit.ranges[profile.antenna] + p.out;
            let d2 = (p.x - fit.x).powi(2) + s * s;
            Deviation { rssi: p.rssi, law: d2.ln(), law_by_x: 2.0 * (fit.x - p.x) / d2 }
        })
        .collect();
    let n = out.len().max(1) as f64;
    let mean = out.iter().fold([0.0; 3], |m, d| [m[0] + d.rssi / n, m[1] + d.law / n, m[2] + d.law_by_x / n]);
    for d in &mut out {
        d.rssi -= mean[0];
        d.law -= mean[1];
        d.law_by_x -= mean[2];
    }
    out
}

/// Power-weighted mean antenna place of reads, m: the last resort for a tag without usable phase.
pub(crate) fn centroid(points: impl Iterator<Item = (f64, f64)> + Clone) -> Option<f64> {
    let top =
        points.clone().map(|(_, rssi)| rssi).filter(|r| r.is_finite()).fold(f64::NEG_INFINITY, f64::max);
    let (mut sum, mut weight) = (0.0, 0.0);
    for (x, rssi) in points {
        let w = if rssi.is_finite() && top.is_finite() { 10f64.powf((rssi - top) / 10.0) } else { 0.01 };
        sum += w * x;
        weight += w;
    }
    (weight > 0.0).then(|| sum / weight)
}
