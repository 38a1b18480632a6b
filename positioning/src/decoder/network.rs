//! The set network, inference only: attention over the tags of a neighbourhood, in plain Rust.
//!
//! A token per tag; a linear map to `width`; blocks of layer norm, multi-head attention, layer norm, feed-forward
//! (Vaswani et al. 2017, pre-norm, no position encoding: the tags of a window are a set, their places are in the
//! tokens); a head of two layers. The layer norms have no parameters of their own. Training is `shelfwright learn`'s.

use crate::quick::{exp, widest};

/// Added to a layer norm's variance.
pub const NORM_FLOOR: f32 = 1e-4;

/// `y = x W + b`; `w` is `inputs` rows of `outputs`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Linear {
    pub inputs: usize,
    pub outputs: usize,
    pub w: Vec<f32>,
    pub b: Vec<f32>,
}

/// One block of attention and feed-forward.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Block {
    pub query: Linear,
    pub key: Linear,
    pub value: Linear,
    pub out: Linear,
    pub up: Linear,
    pub down: Linear,
}

/// The whole network.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Network {
    pub heads: usize,
    pub embed: Linear,
    pub blocks: Vec<Block>,
    pub head: Linear,
    pub answer: Linear,
}

/// Rows and outputs of a layer that are worked out together, held in registers meanwhile.
const ROWS: usize = 4;
const COLUMNS: usize = 16;

impl Linear {
    /// `x` holds whole rows of `inputs`.
    #[inline(always)]
    fn apply(&self, x: &[f32]) -> Vec<f32> {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let rows = x.len() / inputs;
        let mut y = vec![0f32; rows * outputs];
        let whole = outputs - outputs % COLUMNS;
        let mut row = 0;
        while row < rows {
            if row + ROWS <= rows {
                self.block::<ROWS>(x, &mut y, row, whole);
                row += ROWS;
            } else {
                self.block::<1>(x, &mut y, row, whole);
                row += 1;
            }
        }
        if whole < outputs {
            for (row, out) in x.chunks_exact(inputs).zip(y.chunks_exact_mut(outputs)) {
                let out = &mut out[whole..];
                out.copy_from_slice(&self.b[whole..]);
                for (v, w) in row.iter().zip(self.w.chunks_exact(outputs)) {
                    add_times(out, *v, &w[whole..]);
                }
            }
        }
        y
    }

    /// The outputs before `whole` of `N` rows.
    #[inline(always)]
    fn block<const N: usize>(&self, x: &[f32], y: &mut [f32], from: usize, whole: usize) {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let x = &x[from * inputs..(from + N) * inputs];
        let mut at = 0;
        while at < whole {
            let mut sums = [[0f32; COLUMNS]; N];
            for sum in &mut sums {
                sum.copy_from_slice(&self.b[at..at + COLUMNS]);
            }
            for i in 0..inputs {
                let w = &self.w[i * outputs + at..][..COLUMNS];
                for r in 0..N {
                    let v = x[r * inputs + i];
                    for c in 0..COLUMNS {
                        sums[r][c] = v.mul_add(w[c], sums[r][c]);
                    }
                }
            }
            for (r, sum) in sums.iter().enumerate() {
                y[(from + r) * outputs + at..][..COLUMNS].copy_from_slice(sum);
            }
            at += COLUMNS;
        }
    }
}

impl Network {
    /// Numbers an answer has.
    pub fn outputs(&self) -> usize {
        self.answer.outputs
    }

    /// Answers of a window: `tokens` holds rows of [`Network::inputs`], the result rows of [`Network::outputs`].
    pub fn run(&self, tokens: &[f32]) -> Vec<f32> {
        widest(
            #[inline(always)]
            || self.answers(tokens),
        )
    }

    #[inline(always)]
    fn answers(&self, tokens: &[f32]) -> Vec<f32> {
        let width = self.embed.outputs;
        let mut h = self.embed.apply(tokens);
        for block in &self.blocks {
            let z = layer_norm(&h, width);
            let mixed = attention(
                &block.query.apply(&z),
                &block.key.apply(&z),
                &block.value.apply(&z),
                width,
                self.heads,
            );
            add(&mut h, &block.out.apply(&mixed));
            let mut up = block.up.apply(&layer_norm(&h, width));
            for v in &mut up {
                *v = hard_swish(*v);
            }
            add(&mut h, &block.down.apply(&up));
        }
        let mut z = self.head.apply(&layer_norm(&h, width));
        for v in &mut z {
            *v = hard_swish(*v);
        }
        self.answer.apply(&z)
    }
}

#[inline(always)]
fn add(h: &mut [f32], more: &[f32]) {
    for (h, m) in h.iter_mut().zip(more) {
        *h += m;
    }
}

/// Adds `factor` times each of `more`.
#[inline(always)]
fn add_times(sums: &mut [f32], factor: f32, more: &[f32]) {
    for (sum, m) in sums.iter_mut().zip(more) {
        *sum = factor.mul_add(*m, *sum);
    }
}

#[inline(always)]
fn layer_norm(h: &[f32], width: usize) -> Vec<f32> {
    let mut z = h.to_vec();
    for row in z.chunks_exact_mut(width) {
        let mean = row.iter().sum::<f32>() / width as f32;
        let variance = row.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / width as f32;
        let scale = 1.0 / (variance + NORM_FLOOR).sqrt();
        for v in row {
            *v = (*v - mean) * scale;
        }
    }
    z
}

#[inline(always)]
fn attention(q: &[f32], k: &[f32], v: &[f32], width: usize, heads: usize) -> Vec<f32> {
    let part = width / heads;
    let scale = 1.0 / (part as f32).sqrt();
    let tags = q.len() / width;
    let mut out = vec![0f32; q.len()];
    let mut weights = vec![0f32; tags];
    // Keys of one head, number by number, so that those of all tags lie side by side.
    let mut keys = vec![0f32; part * tags];
    for head in 0..heads {
        let cut = head * part..(head + 1) * part;
        for (t, k) in k.chunks_exact(width).enumerate() {
            for (i, k) in k[cut.clone()].iter().enumerate() {
                keys[i * tags + t] = *k;
            }
        }
        for (q, out) in q.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            weights.fill(0.0);
            for (q, keys) in q[cut.clone()].iter().zip(keys.chunks_exact(tags)) {
                add_times(&mut weights, scale * q, keys);
            }
            let top = weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            for w in &mut weights {
                *w = exp(*w - top);
            }
            let share = 1.0 / weights.iter().sum::<f32>();
            let out = &mut out[cut.clone()];
            for (w, v) in weights.iter().zip(v.chunks_exact(width)) {
                add_times(out, share * w, &v[cut.clone()]);
            }
        }
    }
    out
}

/// `x` with a smooth step, in the form that costs no transcendental function (Howard et al. 2019, MobileNetV3).
#[inline(always)]
pub fn hard_swish(x: f32) -> f32 {
    x * (0.25 * x + 0.5).clamp(0.0, 1.0)
}

/// Its slope.
pub fn hard_swish_slope(x: f32) -> f32 {
    let step = 0.25 * x + 0.5;
    if step <= 0.0 {
        0.0
    } else if step >= 1.0 {
        1.0
    } else {
        0.5 * x + 0.5
    }
}
