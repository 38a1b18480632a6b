//! The set network, inference only: attention over the tags of a neighbourhood, in plain Rust.
//!
//! A token per tag; a linear map to `width`; blocks of layer norm, multi-head attention, layer norm, feed-forward
//! (Vaswani et al. 2017, pre-norm, no position encoding: the tags of a window are a set, their places are in the
//! tokens); a head of two layers. The layer norms have no parameters of their own. Training is `shelfwright learn`'s.

use crate::quick::widest;

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

impl Linear {
    /// `x` holds whole rows of `inputs`.
    #[inline(always)]
    fn apply(&self, x: &[f32]) -> Vec<f32> {
        let rows = x.len() / self.inputs;
        let mut y = Vec::with_capacity(rows * self.outputs);
        for row in x.chunks_exact(self.inputs) {
            let at = y.len();
            y.extend_from_slice(&self.b);
            let out = &mut y[at..];
            for (v, w) in row.iter().zip(self.w.chunks_exact(self.outputs)) {
                if *v != 0.0 {
                    out.iter_mut().zip(w).for_each(|(o, w)| *o += v * w);
                }
            }
        }
        y
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
            up.iter_mut().for_each(|v| *v = hard_swish(*v));
            add(&mut h, &block.down.apply(&up));
        }
        let mut z = self.head.apply(&layer_norm(&h, width));
        z.iter_mut().for_each(|v| *v = hard_swish(*v));
        self.answer.apply(&z)
    }
}

#[inline(always)]
fn add(h: &mut [f32], more: &[f32]) {
    h.iter_mut().zip(more).for_each(|(h, m)| *h += m);
}

#[inline(always)]
fn layer_norm(h: &[f32], width: usize) -> Vec<f32> {
    let mut z = h.to_vec();
    for row in z.chunks_exact_mut(width) {
        let mean = row.iter().sum::<f32>() / width as f32;
        let variance = row.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / width as f32;
        let scale = 1.0 / (variance + NORM_FLOOR).sqrt();
        row.iter_mut().for_each(|v| *v = (*v - mean) * scale);
    }
    z
}

#[inline(always)]
fn attention(q: &[f32], k: &[f32], v: &[f32], width: usize, heads: usize) -> Vec<f32> {
    let part = width / heads;
    let scale = 1.0 / (part as f32).sqrt();
    let mut out = vec![0f32; q.len()];
    let mut weights = vec![0f32; q.len() / width];
    for head in 0..heads {
        let cut = head * part..(head + 1) * part;
        for (q, out) in q.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            let q = &q[cut.clone()];
            for (w, k) in weights.iter_mut().zip(k.chunks_exact(width)) {
                *w = scale * q.iter().zip(&k[cut.clone()]).map(|(a, b)| a * b).sum::<f32>();
            }
            let top = weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            weights.iter_mut().for_each(|w| *w = (*w - top).exp());
            let sum: f32 = weights.iter().sum();
            let out = &mut out[cut.clone()];
            for (w, v) in weights.iter().zip(v.chunks_exact(width)) {
                out.iter_mut().zip(&v[cut.clone()]).for_each(|(o, v)| *o += w / sum * v);
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
