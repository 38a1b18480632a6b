//! A tag's reads on a grid of antenna places: phase and power by antenna.
//!
//! A moving robot reads a tag at irregular places, on hopping carriers and by several antennas. With the offsets of
//! antennas and carriers known, an antenna's reads of a tag make one phase profile: residuals against its place are
//! averaged as phasors around each grid point, and unwrapped from where they are surest. Antennas stay apart, the
//! nearest in height first: reflections reach each on other ways, and their power tells the tier.

use std::f64::consts::TAU;

use num_complex::Complex64;

use super::hypotheses::TAG_Y;
use super::observations::Observation;
use super::pass::Pass;

/// Points of the grid of antenna places, and of the coarser one for farther antennas.
pub(super) const GRID: usize = 24;
pub(super) const COARSE: usize = 12;
/// Steps of the two, m.
pub(super) const STEP_M: f64 = 0.04;
pub(super) const COARSE_M: f64 = 0.08;
/// Reads around a grid point count by a Gaussian of this standard deviation, m.
pub(super) const BLUR_M: f64 = 0.025;
/// Antennas that a token has power profiles of: the one nearest in height, the next below, the next above.
pub(super) const SLOTS: usize = 3;
/// RSSI that an unread place gets below the mean of the antenna's reads of the tag, dB.
const UNREAD_DB: f64 = 4.0;

/// Radians a metre of range that profiles are brought to.
pub(super) const K0: f64 = TAU * 2.0 * 922.375e6 / 299_792_458.0;

/// How a tier is seen: by which antennas, from where.
pub(super) struct View {
    /// The antenna nearest in height, the next below it, the next above it.
    pub(super) slots: [Option<usize>; SLOTS],
    /// Their heights over the tier's tags, m; 0 for none.
    pub(super) above: [f64; SLOTS],
    /// Height of the tier's tags, m.
    pub(super) height_m: f64,
    /// Distance of the nearest antenna's track from the tags, m.
    pub(super) out_m: f64,
}

impl View {
    /// For tags at a height, by antennas at these heights and distances from the face, m.
    pub(super) fn new(antennas: &[[f64; 2]], height_m: f64) -> Self {
        let slots = slots(antennas, height_m);
        Self {
            above: std::array::from_fn(|s| slots[s].map_or(0.0, |a| antennas[a][0] - height_m)),
            out_m: slots[0].map_or(0.5, |a| antennas[a][1]) - TAG_Y,
            slots,
            height_m,
        }
    }

    /// The slot that an observation belongs to.
    fn slot(&self, o: &Observation) -> Option<usize> {
        self.slots.iter().position(|s| *s == Some(o.antenna as usize))
    }
}

/// Phasors of a tag's observations where it is thought to be, distances taken out.
pub(super) struct Turned {
    x: f64,
    phasors: Vec<Complex64>,
}

/// Sums of phasors around the grid points, by slot, and of their weights.
#[derive(Default)]
struct Sums {
    phasors: [[Complex64; GRID]; SLOTS],
    weight: [[f64; GRID]; SLOTS],
}

impl Sums {
    fn add(&mut self, s: usize, i: usize, w: f64, phasor: Complex64, weight: f32) {
        self.phasors[s][i] += w * phasor;
        self.weight[s][i] += w * f64::from(weight);
    }

    /// Profiles of a tag at `x`, on the grid around `middle`.
    fn profiles(&self, x: f64, middle: f64, view: &View) -> Phases {
        let mut out = Phases { phase: [[0.0; GRID]; SLOTS], sure: [[0.0; GRID]; SLOTS] };
        for s in 0..SLOTS {
            let residual = unwrap(&self.phasors[s]);
            let across = view.out_m.hypot(view.above[s]);
            for (i, residual) in residual.into_iter().enumerate() {
                let at = middle + (i as f64 - (GRID as f64 - 1.0) / 2.0) * STEP_M;
                out.phase[s][i] = K0 * (at - x).hypot(across) + residual;
                out.sure[s][i] = self.phasors[s][i].norm() / (self.weight[s][i] + 0.3);
            }
            let mean = out.phase[s].iter().sum::<f64>() / GRID as f64;
            out.phase[s].iter_mut().for_each(|v| *v -= mean);
        }
        out
    }
}

/// Phase profiles of one tag by slot, rad less their mean, and how sure each point is, 0 to 1.
pub(super) struct Phases {
    pub(super) phase: [[f64; GRID]; SLOTS],
    pub(super) sure: [[f64; GRID]; SLOTS],
}

/// One tag on the grids.
pub(super) struct Gridded {
    pub(super) phases: Phases,
    pub(super) power: [f64; GRID],
    pub(super) read: [f64; GRID],
    /// Power and reads of the farther antennas.
    pub(super) far: [[[f64; COARSE]; 2]; SLOTS - 1],
    /// Mean RSSI and logarithm of reads by slot, height of its antenna over the tag.
    pub(super) level: [f64; SLOTS],
    pub(super) count: [f64; SLOTS],
    pub(super) above: [f64; SLOTS],
    pub(super) strongest: f64,
    pub(super) reads: f64,
}

impl Pass<'_> {
    /// Mean height and distance from the face of each antenna over its reads, m.
    pub(super) fn antenna_heights(&self) -> Vec<[f64; 2]> {
        let mut sums = vec![[0.0; 3]; self.observations.antennas];
        for o in &self.observations.all {
            let s = &mut sums[o.antenna as usize];
            *s = [s[0] + f64::from(o.at[2]), s[1] + f64::from(o.at[1]), s[2] + 1.0];
        }
        sums.iter().map(|s| [s[0] / s[2].max(1.0), s[1] / s[2].max(1.0)]).collect()
    }

    /// The phasors of a tag thought to be at `x`.
    pub(super) fn turned(&self, tag: usize, x: f64, view: &View) -> Turned {
        let phasor = |o: &Observation| {
            let r = TAU * self.residual_turns(o, [x, TAG_Y, view.height_m]);
            Complex64::cis(r) * f64::from(o.weight)
        };
        Turned { x, phasors: self.observations.of(tag).iter().map(phasor).collect() }
    }

    /// Phases of a tag thought to be at `x`, on the grid around it.
    pub(super) fn phases(&self, tag: usize, x: f64, view: &View) -> Phases {
        let mut sums = Sums::default();
        for (o, phasor) in self.observations.of(tag).iter().zip(self.turned(tag, x, view).phasors) {
            let Some(s) = view.slot(o) else { continue };
            near_points(f64::from(o.at[0]), x, GRID, STEP_M, BLUR_M, |i, w| {
                sums.add(s, i, w, phasor, o.weight);
            });
        }
        sums.profiles(x, x, view)
    }

    /// A tag on the grids around `middle`.
    pub(super) fn grid(&self, tag: usize, turned: &Turned, middle: f64, view: &View) -> Gridded {
        let observations = self.observations.of(tag);
        let mut phases = Sums::default();
        let mut powers = [(0.0f64, 0.0f64); GRID];
        let mut far = [[(0.0f64, 0.0f64); COARSE]; SLOTS - 1];
        let mut sums = [(0.0f64, 0.0f64); SLOTS];
        for (o, phasor) in observations.iter().zip(&turned.phasors) {
            let Some(s) = view.slot(o) else { continue };
            let (here, rssi) = (f64::from(o.at[0]), f64::from(o.rssi));
            if rssi.is_finite() {
                sums[s].0 += rssi;
                sums[s].1 += 1.0;
            }
            near_points(here, middle, GRID, STEP_M, BLUR_M, |i, w| {
                phases.add(s, i, w, *phasor, o.weight);
                if s == 0 && rssi.is_finite() {
                    powers[i].0 += w * rssi;
                    powers[i].1 += w;
                }
            });
            if s > 0 && rssi.is_finite() {
                near_points(here, middle, COARSE, COARSE_M, 1.6 * BLUR_M, |i, w| {
                    far[s - 1][i].0 += w * rssi;
                    far[s - 1][i].1 += w;
                });
            }
        }
        let mut g = Gridded {
            phases: phases.profiles(turned.x, middle, view),
            power: [0.0; GRID],
            read: [0.0; GRID],
            far: [[[0.0; COARSE]; 2]; SLOTS - 1],
            level: [0.0; SLOTS],
            count: [0.0; SLOTS],
            above: view.above,
            strongest: observations
                .iter()
                .map(|o| f64::from(o.rssi))
                .filter(|r| r.is_finite())
                .fold(-90.0, f64::max),
            reads: (observations.len() as f64).ln_1p(),
        };
        for (s, (sum, n)) in sums.into_iter().enumerate() {
            g.count[s] = n.ln_1p();
            // A slot without reads is weak, not unknown.
            g.level[s] = if n > 0.0 { sum / n } else { -80.0 };
        }
        let smooth =
            |(sum, n): (f64, f64), s: usize| (sum + 0.3 * (g.level[s] - UNREAD_DB)) / (n + 0.3) - g.level[s];
        for (i, power) in powers.into_iter().enumerate() {
            g.power[i] = smooth(power, 0);
            g.read[i] = power.1.ln_1p();
        }
        for (s, far) in far.into_iter().enumerate() {
            for (i, power) in far.into_iter().enumerate() {
                g.far[s][0][i] = smooth(power, s + 1);
                g.far[s][1][i] = power.1.ln_1p();
            }
        }
        g
    }
}

/// Calls for each grid point around a place with its weight.
#[inline(always)]
fn near_points(x: f64, middle: f64, points: usize, step: f64, blur: f64, mut each: impl FnMut(usize, f64)) {
    let place = (x - middle) / step + (points as f64 - 1.0) / 2.0;
    let reach = 2.5 * blur / step;
    let first = (place - reach).ceil().max(0.0);
    let last = (place + reach).floor().min(points as f64 - 1.0);
    let mut i = first;
    while i <= last {
        let far = (i - place) * step / blur;
        each(i as usize, (-0.5 * far * far).exp());
        i += 1.0;
    }
}

/// Phases of the phasors, unwrapped from the surest outwards; a point without reads takes its neighbour's.
fn unwrap(phasors: &[Complex64; GRID]) -> [f64; GRID] {
    let mut r = [0.0; GRID];
    let start = (0..GRID).max_by(|&a, &b| phasors[a].norm().total_cmp(&phasors[b].norm())).unwrap_or(0);
    r[start] = phasors[start].arg();
    let mut follow = |i: usize, near: &mut f64| {
        if phasors[i].norm() > 0.05 {
            let a = phasors[i].arg();
            r[i] = *near + (a - *near) - TAU * ((a - *near) / TAU).round();
            *near += 0.7 * (r[i] - *near);
        } else {
            r[i] = *near;
        }
    };
    let (mut left, mut right) = (phasors[start].arg(), phasors[start].arg());
    (0..start).rev().for_each(|i| follow(i, &mut left));
    (start + 1..GRID).for_each(|i| follow(i, &mut right));
    r
}

/// Antennas by height around a tier: the nearest, the next below it, the next above it.
fn slots(heights: &[[f64; 2]], height: f64) -> [Option<usize>; SLOTS] {
    let near = (0..heights.len())
        .min_by(|&a, &b| (heights[a][0] - height).abs().total_cmp(&(heights[b][0] - height).abs()));
    let Some(near) = near else { return [None; SLOTS] };
    let own = heights[near][0];
    let below = (0..heights.len())
        .filter(|&a| heights[a][0] < own - 0.02)
        .max_by(|&a, &b| heights[a][0].total_cmp(&heights[b][0]));
    let above = (0..heights.len())
        .filter(|&a| heights[a][0] > own + 0.02)
        .min_by(|&a, &b| heights[a][0].total_cmp(&heights[b][0]));
    [Some(near), below, above]
}
