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

/// What was observed of a tag.
struct Heard {
    observations: f64,
    middle: f64,
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
        let heard = Heard { observations: n, middle };
        let places = |spread: &Spread| -> [(f32, f32); POINTS] {
            std::array::from_fn(|i| {
                let (place, seen) = spread.log(&heard, f64::from(grid.at(i)), way);
                (place as f32, (n.max(1.0) / seen).ln() as f32)
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

impl Spread {
    /// Log-probability of the middle of the reads of a tag at `x`, and which share of all its reads has come.
    fn log(&self, heard: &Heard, x: f64, way: Option<Way>) -> (f64, f64) {
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
        let std = (self.common * follows).hypot((variance / heard.observations.max(1.0)).sqrt());
        let z = (heard.middle - mean) / std;
        (outside - 0.5 * z * z - std.ln(), share)
    }
}
