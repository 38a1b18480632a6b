//! Phase offsets of antenna and carrier pairs, shared by all tags, found together with each tag's own offset.
//!
//! With distances taken out, what is left of a read's phase is offset(tag) + offset(antenna, carrier): phases on the
//! edges of a graph between tags and pairs. Turning each side onto the other in turn is the power iteration
//! for the leading pair of singular vectors (phase synchronisation), and needs no good start.

use num_complex::Complex32;

use super::observations::{Observation, Observations};
use crate::quick::{sin_cos_turns, widest};

/// Where a tag is thought to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub at: [f32; 3],
    /// How much the tag has to say, 0 to 1.
    pub trust: f32,
    /// How far `at` may be off along x and z, m: reads whose range would change with it say less.
    pub loose: [f32; 2],
}

/// What a read says of the sum of a tag's offset and a pair's.
struct Edge {
    tag: u32,
    group: u32,
    value: Complex32,
}

/// Weight of an observation of a tag at a place, and its phase with the distance taken out, turns.
#[inline(always)]
fn heard(o: &Observation, place: &Place) -> (f32, f32) {
    let d: [f32; 3] = std::array::from_fn(|i| o.at[i] - place.at[i]);
    let range = (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt().max(1e-3);
    let (along, up) = (d[0] * place.loose[0], d[2] * place.loose[1]);
    let blur = std::f32::consts::TAU * o.per_m / range;
    let weight = o.weight * place.trust * (-0.5 * blur * blur * (along * along + up * up)).exp();
    (weight, o.turns - o.per_m * range)
}

/// Refines the offsets, turns, from the tags' places; gives each tag's own offset, turns.
pub(crate) fn synchronise(
    observations: &Observations,
    places: &[Place],
    offsets: &mut [f32],
    rounds: usize,
) -> Vec<f32> {
    let (edges, mut by_group) = widest(
        #[inline(always)]
        || {
            let turned = |t: f32| {
                let (s, c) = sin_cos_turns(t);
                Complex32::new(c, s)
            };
            let by_group: Vec<Complex32> = offsets.iter().map(|&t| turned(t)).collect();
            let mut edges = Vec::with_capacity(observations.all.len());
            for (tag, place) in places.iter().enumerate().filter(|(_, p)| p.trust > 0.0) {
                for o in observations.of(tag) {
                    let (w, turns) = heard(o, place);
                    if w > 1e-3 {
                        edges.push(Edge { tag: tag as u32, group: o.group, value: w * turned(turns) });
                    }
                }
            }
            (edges, by_group)
        },
    );
    let unit = |v: Complex32| if v.norm() > 1e-6 { v / v.norm() } else { Complex32::ZERO };
    let mut by_tag = vec![Complex32::ZERO; places.len()];
    for _ in 0..rounds {
        by_tag.fill(Complex32::ZERO);
        for e in &edges {
            by_tag[e.tag as usize] += e.value * by_group[e.group as usize].conj();
        }
        by_tag.iter_mut().for_each(|v| *v = unit(*v));
        by_group.fill(Complex32::ZERO);
        for e in &edges {
            by_group[e.group as usize] += e.value * by_tag[e.tag as usize].conj();
        }
        by_group.iter_mut().for_each(|v| *v = unit(*v));
    }
    for (offset, v) in offsets.iter_mut().zip(&by_group) {
        if *v != Complex32::ZERO {
            *offset = v.arg() / std::f32::consts::TAU;
        }
    }
    by_tag.iter().map(|v| v.arg() / std::f32::consts::TAU).collect()
}
