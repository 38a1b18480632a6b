//! From where a tag is read, how often, and by which antennas: what that alone says of its place.
//!
//! A tag is read while an antenna is near; one that would have been read only from afar, and not when the antenna came close, is
//! not there. While a pass goes on, part of the places from which a tag can be read is still ahead: a tag with few reads from
//! one side may be just beside the antennas.

use super::field::Field;
use super::observations::Observation;
use super::search::{Grid, POINTS};
use crate::normal::{below, density};

/// How far a tag may be from the middle of the places that it was read from, m: what is the same for all of its reads
/// (coupling), and what each has for itself.
const FRONT: Spread = Spread { common: 0.22, each: 0.40 };
const ELSEWHERE: Spread = Spread { common: 0.35, each: 0.60 };

/// How far beyond the ends of the face a profile cut short may put a tag, m.
const OFF_FACE_M: f64 = 0.03;

/// A pass that is still going on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    /// Ends of what the antennas have gone along the face, m.
    pub driven_m: [f64; 2],
    /// Length of the face, m.
    pub face_m: f64,
}

struct Spread {
    common: f64,
    each: f64,
}

/// Log-likelihood at the points of a grid.
pub(crate) struct Reach {
    /// By tier.
    pub front: Vec<[f32; POINTS]>,
    pub elsewhere: [f32; POINTS],
}

impl Reach {
    /// Of a tag with so many observations by antenna; with the way so far while the antennas are still going.
    pub fn of(
        observations: &[Observation],
        counts: &[u32],
        field: &Field,
        grid: Grid,
        way: Option<Way>,
    ) -> Self {
        let n = observations.len() as f64;
        let middle = observations.iter().map(|o| f64::from(o.at[0])).sum::<f64>() / n.max(1.0);
        let places = |spread: &Spread| -> [(f32, f32); POINTS] {
            // While nothing is ahead it is the same law at all places.
            let whole = spread.middle(n, 0.0, None);
            std::array::from_fn(|i| {
                let x = f64::from(grid.at(i));
                let law = match way {
                    None => Middle { mean: x, ..whole },
                    Some(_) => spread.middle(n, x, way),
                };
                (law.log(middle) as f32, law.log_all as f32)
            })
        };
        let (near, far) = (places(&FRONT), places(&ELSEWHERE));
        let front = |tier| {
            let ports = field.shares(counts, tier);
            near.map(|(place, all)| place + ports + field.count(all, Some(tier)))
        };
        let ports = field.even_shares(counts);
        Self {
            front: (0..field.tiers()).map(front).collect(),
            elsewhere: far.map(|(place, all)| place + ports + field.count(all, None)),
        }
    }
}

/// The law of the middle of a tag's reads.
#[derive(Clone, Copy)]
struct Middle {
    mean: f64,
    std: f64,
    log_std: f64,
    /// Logarithm of how unlikely the place itself is.
    outside: f64,
    /// Logarithm of the observations that the tag will have when the antennas are through.
    log_all: f64,
}

impl Middle {
    /// Log-probability of a middle.
    fn log(&self, middle: f64) -> f64 {
        let z = (middle - self.mean) / self.std;
        self.outside - 0.5 * z * z - self.log_std
    }
}

impl Spread {
    /// Of a tag at `x` with so many observations.
    fn middle(&self, observations: f64, x: f64, way: Option<Way>) -> Middle {
        let n = observations.max(1.0);
        let (mut mean, mut variance, mut share) = (x, self.each * self.each, 1.0);
        let (mut follows, mut outside) = (1.0, 0.0);
        if let Some(way) = way {
            let off_face = (-x).max(x - way.face_m).max(0.0) / OFF_FACE_M;
            outside = -0.5 * off_face * off_face;
            // A normal distribution of read places, cut off where the antennas have not been.
            let [from, to] = way.driven_m.map(|e| (e - x) / self.each);
            share = (below(to) - below(from)).max(1e-3);
            let shift = (density(from) - density(to)) / share;
            let narrow = 1.0 + (from * density(from) - to * density(to)) / share - shift * shift;
            follows = narrow.clamp(0.02, 1.0);
            mean += self.each * shift;
            variance *= follows;
        }
        let std = (self.common * follows).hypot((variance / n).sqrt());
        Middle { mean, std, log_std: std.ln(), outside, log_all: (n / share).ln() }
    }
}
