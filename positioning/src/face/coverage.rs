//! Coverage: how surely a tag at a place would have been read, learnt from the tags that were.
//!
//! A tag's number of reads is the reader's activity around it times a rate, and scatters more than chance alone (some
//! tags stand badly coupled): a negative binomial. Both rate and scatter come from the located tags of
//! this pass; tags that were never read are not seen, so the counts are taken as truncated at zero. Beyond the place where a
//! pass was broken off nothing is covered: tags there are read from afar, a metre and more, but no place can be told for
//! them, so that nobody could tell which of them are missing.

use domain::Coverage;

use crate::settings::FaceGeometry;

/// A located tag: place along x, height, reads, tier, probability of being there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    pub x: f64,
    pub tier: usize,
    pub reads: f64,
    pub sure: f64,
}

/// One spot of reader activity: antenna along x and height, with the number of inventory slots spent there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Active {
    pub x: f64,
    pub z: f64,
    pub slots: f64,
}

/// Reach of an antenna along the face and in height (standard deviations of a Gaussian), m.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    pub x: f64,
    pub z: f64,
}

/// Of a UHF antenna half a metre away, and of an HF plate a hand's breadth away.
pub(crate) const UHF: Reach = Reach { x: 0.25, z: 0.40 };
pub(crate) const HF: Reach = Reach { x: 0.12, z: 0.12 };
/// Reach of a neighbour's experience along the tier, m, and its weight one tier on.
const NEIGHBOUR_X: f64 = 0.25;
const NEIGHBOUR_TIER: f64 = 0.15;
/// Weight of the face's mean rate against the neighbours', in tags.
const SHRINK: f64 = 3.0;
/// A place with less activity than this share of the usual is hardly covered, whatever its neighbours say.
const FEWEST_READS_RATE: f64 = 0.02;

/// Coverage of each tier.
pub(crate) fn coverage(
    scan: &str,
    face: &FaceGeometry,
    tags: &[Counted],
    active: &[Active],
    reach: Reach,
    bin_m: f64,
) -> Vec<Coverage> {
    let bins = (face.length_m / bin_m).ceil().clamp(0.0, 100_000.0) as usize;
    let passed = ends(active);
    let height = |tier: usize| face.tiers[tier].board_m + 0.08;
    let grid: Vec<Vec<f64>> = (0..face.tiers.len())
        .map(|t| (0..bins).map(|b| opportunity((b as f64 + 0.5) * bin_m, height(t), active, reach)).collect())
        .collect();
    let at = |x: f64, tier: usize| {
        let bin = (x / bin_m).floor().clamp(0.0, bins.saturating_sub(1) as f64) as usize;
        grid[tier].get(bin).copied().unwrap_or(0.0)
    };
    let sums = tags.iter().fold([0.0; 3], |s, t| {
        let o = at(t.x, t.tier);
        [s[0] + t.sure * t.reads, s[1] + t.sure * o, s[2] + t.sure]
    });
    let usual = if sums[2] > 0.0 { sums[1] / sums[2] } else { 0.0 };
    let rate = if sums[1] > 0.0 { sums[0] / sums[1] } else { 0.0 };
    let shape = shape(tags, rate, &at);
    (0..face.tiers.len())
        .map(|tier| Coverage {
            scan: scan.to_owned(),
            face: face.face.clone(),
            tier: tier as u8 + 1,
            bin_m: bin_m as f32,
            read_probability: (0..bins)
                .map(|b| {
                    let x = (b as f64 + 0.5) * bin_m;
                    if !passed.contains(&x) {
                        return 0.0;
                    }
                    let (mut reads, mut chances) = (SHRINK * rate * usual, SHRINK * usual);
                    for t in tags {
                        let far = (t.x - x) / NEIGHBOUR_X;
                        let step = t.tier.abs_diff(tier);
                        if far.abs() < 3.0 && step < 3 {
                            let w = t.sure * (-0.5 * far * far).exp() * NEIGHBOUR_TIER.powi(step as i32);
                            reads += w * t.reads;
                            chances += w * at(t.x, t.tier);
                        }
                    }
                    let local = if chances > 0.0 { reads / chances } else { 0.0 };
                    let o = grid[tier][b];
                    if o < FEWEST_READS_RATE * usual { 0.0 } else { read_once(local * o, shape) as f32 }
                })
                .collect(),
        })
        .collect()
}

/// From where to where along the face antennas have read, m; an empty range where none has.
fn ends(active: &[Active]) -> std::ops::RangeInclusive<f64> {
    let low = active.iter().map(|a| a.x).fold(f64::INFINITY, f64::min);
    let high = active.iter().map(|a| a.x).fold(f64::NEG_INFINITY, f64::max);
    low..=high
}

/// Activity in reach of a place.
fn opportunity(x: f64, z: f64, active: &[Active], reach: Reach) -> f64 {
    active
        .iter()
        .map(|a| {
            let (dx, dz) = ((a.x - x) / reach.x, (a.z - z) / reach.z);
            if dx.abs() > 4.0 { 0.0 } else { a.slots * (-0.5 * (dx * dx + dz * dz)).exp() }
        })
        .sum()
}

/// Probability of at least one read under a negative binomial count.
fn read_once(mean: f64, shape: f64) -> f64 {
    if mean <= 0.0 { 0.0 } else { 1.0 - (shape / (shape + mean)).powf(shape) }
}

/// Shape of the negative binomial by moments of reads over activity; small is scattered. Counts truncated at zero look
/// less scattered than they are, so half a read is taken from each.
fn shape(tags: &[Counted], rate: f64, at: &dyn Fn(f64, usize) -> f64) -> f64 {
    let (mut n, mut excess) = (0.0, 0.0);
    for t in tags {
        let mean = rate * at(t.x, t.tier);
        if mean > 1.0 {
            let ratio = (t.reads - 0.5) / mean;
            excess += t.sure * ((ratio - 1.0).powi(2) - 1.0 / mean);
            n += t.sure;
        }
    }
    // Two tags' worth of a prior with shape 2.
    let spread = (excess + 2.0 * 0.5) / (n + 2.0);
    (1.0 / spread.max(0.05)).clamp(0.3, 20.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::TierGeometry;

    #[test]
    fn nothing_is_covered_beyond_the_place_where_a_pass_was_broken_off() {
        let face = FaceGeometry {
            face: "1F/R01A".parse().unwrap(),
            length_m: 1.0,
            depth_m: 0.25,
            tiers: vec![TierGeometry { board_m: 0.3, clear_m: 0.3 }],
        };
        let tags: Vec<Counted> =
            (0..20).map(|i| Counted { x: 0.02 * f64::from(i), tier: 0, reads: 30.0, sure: 1.0 }).collect();
        let active: Vec<Active> =
            (-60..45).map(|cm| Active { x: f64::from(cm) / 100.0, z: 0.4, slots: 1.0 }).collect();
        let found = &coverage("s", &face, &tags, &active, UHF, 0.1)[0].read_probability;
        assert!(found[..4].iter().all(|p| *p > 0.9), "{found:?}");
        assert_eq!(found[4..], [0.0; 6]);
        assert_eq!(coverage("s", &face, &[], &[], UHF, 0.1)[0].read_probability, [0.0; 10]);
    }
}
