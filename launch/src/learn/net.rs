//! The decoder's network with gradients: the layers of `positioning`'s inference, forwards and backwards.
//!
//! Windows of any sizes stand one after the other in a batch, so nothing is padded. The products are nalgebra's; the
//! chain rule is written out, as the network is one of a kind and small (a general library with a graph of
//! temporaries took four times as long a step), and a test holds it against finite differences.

use nalgebra::{DMatrix, DMatrixView};
use positioning::decoder::{Shape, hard_swish, hard_swish_slope};

/// Layers in the order of [`Shape::tensors`]: weights and bias of each.
struct Layers<'a> {
    values: &'a [Vec<f32>],
    dims: Vec<Vec<usize>>,
}

/// A batch on its way through: what the way back needs.
struct Trace {
    h: Vec<Vec<f32>>,
    blocks: Vec<BlockTrace>,
    last: Norm,
    head: Vec<f32>,
    lit: Vec<f32>,
    answer: Vec<f32>,
}

struct BlockTrace {
    first: Norm,
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    /// Attention of each window, head by head, row by row.
    weights: Vec<f32>,
    mixed: Vec<f32>,
    second: Norm,
    up: Vec<f32>,
    lit: Vec<f32>,
}

struct Norm {
    z: Vec<f32>,
    scale: Vec<f32>,
}

/// Runs a batch and gives the loss with the gradient of every parameter. `sizes` are the windows' tags; `loss` takes
/// the answers, rows of [`Shape::outputs`], and gives its value and its slope in each of them.
pub fn gradient(
    shape: &Shape,
    values: &[Vec<f32>],
    tokens: &[f32],
    sizes: &[usize],
    loss: impl FnOnce(&[f32]) -> (f32, Vec<f32>),
) -> (f32, Vec<Vec<f32>>) {
    let layers = Layers { values, dims: shape.tensors() };
    let trace = forward(shape, &layers, tokens, sizes);
    let (value, slope) = loss(&trace.answer);
    (value, backward(shape, &layers, tokens, sizes, &trace, &slope))
}

fn forward(shape: &Shape, layers: &Layers<'_>, tokens: &[f32], sizes: &[usize]) -> Trace {
    let w = shape.width;
    let mut h = layers.apply(0, tokens);
    let mut trace = Trace {
        h: Vec::new(),
        blocks: Vec::new(),
        last: Norm { z: Vec::new(), scale: Vec::new() },
        head: Vec::new(),
        lit: Vec::new(),
        answer: Vec::new(),
    };
    for block in 0..shape.blocks {
        let at = 1 + 6 * block;
        let first = norm(&h, w);
        let (q, k, v) =
            (layers.apply(at, &first.z), layers.apply(at + 1, &first.z), layers.apply(at + 2, &first.z));
        let (weights, mixed) = attend(&q, &k, &v, shape, sizes);
        add(&mut h, &layers.apply(at + 3, &mixed));
        let second = norm(&h, w);
        let up = layers.apply(at + 4, &second.z);
        let lit: Vec<f32> = up.iter().map(|&v| hard_swish(v)).collect();
        add(&mut h, &layers.apply(at + 5, &lit));
        trace.blocks.push(BlockTrace { first, q, k, v, weights, mixed, second, up, lit });
    }
    let at = 1 + 6 * shape.blocks;
    trace.last = norm(&h, w);
    trace.head = layers.apply(at, &trace.last.z);
    trace.lit = trace.head.iter().map(|&v| hard_swish(v)).collect();
    trace.answer = layers.apply(at + 1, &trace.lit);
    trace.h.push(h);
    trace
}

fn backward(
    shape: &Shape,
    layers: &Layers<'_>,
    tokens: &[f32],
    sizes: &[usize],
    trace: &Trace,
    slope: &[f32],
) -> Vec<Vec<f32>> {
    let mut out: Vec<Vec<f32>> = layers.values.iter().map(|v| vec![0.0; v.len()]).collect();
    let w = shape.width;
    let at = 1 + 6 * shape.blocks;
    let mut d = layers.back(at + 1, &trace.lit, slope, &mut out);
    d.iter_mut().zip(&trace.head).for_each(|(d, v)| *d *= hard_swish_slope(*v));
    let d = layers.back(at, &trace.last.z, &d, &mut out);
    let mut dh = norm_back(&trace.last, &d, w);
    for (block, t) in trace.blocks.iter().enumerate().rev() {
        let at = 1 + 6 * block;
        let mut d = layers.back(at + 5, &t.lit, &dh, &mut out);
        d.iter_mut().zip(&t.up).for_each(|(d, v)| *d *= hard_swish_slope(*v));
        let d = layers.back(at + 4, &t.second.z, &d, &mut out);
        add(&mut dh, &norm_back(&t.second, &d, w));
        let d = layers.back(at + 3, &t.mixed, &dh, &mut out);
        let (dq, dk, dv) = attend_back(t, &d, shape, sizes);
        let mut dz = layers.back(at, &t.first.z, &dq, &mut out);
        add(&mut dz, &layers.back(at + 1, &t.first.z, &dk, &mut out));
        add(&mut dz, &layers.back(at + 2, &t.first.z, &dv, &mut out));
        add(&mut dh, &norm_back(&t.first, &dz, w));
    }
    layers.back(0, tokens, &dh, &mut out);
    out
}

impl Layers<'_> {
    /// Rows are columns to nalgebra: what it calls `W X` is our `x W`.
    fn apply(&self, layer: usize, x: &[f32]) -> Vec<f32> {
        let (w, b) = (&self.values[2 * layer], &self.values[2 * layer + 1]);
        let (inputs, outputs) = (self.dims[2 * layer][0], self.dims[2 * layer][1]);
        let rows = x.len() / inputs;
        let mut y = DMatrix::<f32>::zeros(outputs, rows);
        y.gemm(
            1.0,
            &DMatrixView::from_slice(w, outputs, inputs),
            &DMatrixView::from_slice(x, inputs, rows),
            0.0,
        );
        let mut y: Vec<f32> = y.data.into();
        y.chunks_exact_mut(outputs).for_each(|row| add(row, b));
        y
    }

    /// Adds the layer's gradient to `out` and gives the slope in its input.
    fn back(&self, layer: usize, x: &[f32], dy: &[f32], out: &mut [Vec<f32>]) -> Vec<f32> {
        let w = &self.values[2 * layer];
        let (inputs, outputs) = (self.dims[2 * layer][0], self.dims[2 * layer][1]);
        let rows = x.len() / inputs;
        let dy_view = DMatrixView::from_slice(dy, outputs, rows);
        let turned = DMatrixView::from_slice(x, inputs, rows).transpose();
        let mut dw = DMatrix::<f32>::zeros(outputs, inputs);
        dw.gemm(1.0, &dy_view, &turned, 0.0);
        add(&mut out[2 * layer], dw.as_slice());
        let db = &mut out[2 * layer + 1];
        dy.chunks_exact(outputs).for_each(|row| add(db, row));
        if layer == 0 {
            return Vec::new(); // nobody asks for the slope in the tokens
        }
        let turned = DMatrixView::from_slice(w, outputs, inputs).transpose();
        let mut dx = DMatrix::<f32>::zeros(inputs, rows);
        dx.gemm(1.0, &turned, &dy_view, 0.0);
        dx.data.into()
    }
}

fn add(a: &mut [f32], b: &[f32]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
}

fn norm(h: &[f32], width: usize) -> Norm {
    let mut z = h.to_vec();
    let scale = z
        .chunks_exact_mut(width)
        .map(|row| {
            let mean = row.iter().sum::<f32>() / width as f32;
            row.iter_mut().for_each(|v| *v -= mean);
            let variance = row.iter().map(|v| v * v).sum::<f32>() / width as f32;
            let scale = 1.0 / (variance + positioning::decoder::NORM_FLOOR).sqrt();
            row.iter_mut().for_each(|v| *v *= scale);
            scale
        })
        .collect();
    Norm { z, scale }
}

fn norm_back(norm: &Norm, dz: &[f32], width: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(dz.len());
    for ((d, z), scale) in dz.chunks_exact(width).zip(norm.z.chunks_exact(width)).zip(&norm.scale) {
        let mean = d.iter().sum::<f32>() / width as f32;
        let along = d.iter().zip(z).map(|(d, z)| d * z).sum::<f32>() / width as f32;
        out.extend(d.iter().zip(z).map(|(d, z)| scale * (d - mean - z * along)));
    }
    out
}

fn attend(q: &[f32], k: &[f32], v: &[f32], shape: &Shape, sizes: &[usize]) -> (Vec<f32>, Vec<f32>) {
    let (w, part) = (shape.width, shape.width / shape.heads);
    let scale = 1.0 / (part as f32).sqrt();
    let mut weights = Vec::with_capacity(sizes.iter().map(|n| n * n * shape.heads).sum());
    let mut mixed = vec![0f32; q.len()];
    let mut at = 0;
    for &n in sizes {
        for head in 0..shape.heads {
            let cut = |row: usize| (at + row) * w + head * part..(at + row) * w + (head + 1) * part;
            let keys = turned(k, n, cut);
            for i in 0..n {
                let start = weights.len();
                weights.resize(start + n, 0.0);
                let row = &mut weights[start..];
                products(&q[cut(i)], &keys, row);
                row.iter_mut().for_each(|a| *a *= scale);
                let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                row.iter_mut().for_each(|a| *a = (*a - top).exp());
                let sum: f32 = row.iter().sum();
                row.iter_mut().for_each(|a| *a /= sum);
                let out = &mut mixed[cut(i)];
                for (j, a) in row.iter().enumerate() {
                    out.iter_mut().zip(&v[cut(j)]).for_each(|(o, v)| *o += a * v);
                }
            }
        }
        at += n;
    }
    (weights, mixed)
}

fn attend_back(t: &BlockTrace, d: &[f32], shape: &Shape, sizes: &[usize]) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let (w, part) = (shape.width, shape.width / shape.heads);
    let scale = 1.0 / (part as f32).sqrt();
    let (mut dq, mut dk, mut dv) = (vec![0f32; d.len()], vec![0f32; d.len()], vec![0f32; d.len()]);
    let (mut at, mut start) = (0, 0);
    for &n in sizes {
        for head in 0..shape.heads {
            let cut = |row: usize| (at + row) * w + head * part..(at + row) * w + (head + 1) * part;
            let values = turned(&t.v, n, cut);
            let mut da = vec![0f32; n];
            for i in 0..n {
                let row = &t.weights[start..start + n];
                start += n;
                let di = &d[cut(i)];
                da.fill(0.0);
                products(di, &values, &mut da);
                let mean: f32 = row.iter().zip(&da).map(|(a, d)| a * d).sum();
                for (j, (a, da)) in row.iter().zip(&da).enumerate() {
                    dv[cut(j)].iter_mut().zip(di).for_each(|(v, d)| *v += a * d);
                    let ds = a * (da - mean) * scale;
                    dq[cut(i)].iter_mut().zip(&t.k[cut(j)]).for_each(|(q, k)| *q += ds * k);
                    dk[cut(j)].iter_mut().zip(&t.q[cut(i)]).for_each(|(k, q)| *k += ds * q);
                }
            }
        }
        at += n;
    }
    (dq, dk, dv)
}

/// What `n` rows hold in a cut, number by number: those of all rows side by side.
fn turned(x: &[f32], n: usize, cut: impl Fn(usize) -> std::ops::Range<usize>) -> Vec<f32> {
    let part = cut(0).len();
    let mut out = vec![0f32; n * part];
    for row in 0..n {
        for (i, v) in x[cut(row)].iter().enumerate() {
            out[i * n + row] = *v;
        }
    }
    out
}

/// Adds the products of one row with all `turned` ones. A product's terms are added in their order, whatever the processor does
/// side by side: the same sums everywhere.
fn products(row: &[f32], turned: &[f32], sums: &mut [f32]) {
    for (v, others) in row.iter().zip(turned.chunks_exact(sums.len())) {
        for (sum, other) in sums.iter_mut().zip(others) {
            *sum += v * other;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_goes_down_the_slope_that_finite_differences_see() {
        let shape = Shape { inputs: 5, width: 8, blocks: 2, heads: 2, hidden: 12, outputs: 2 };
        let mut state = 1u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 40) as f32 / (1 << 24) as f32 - 0.5) * 1.5
        };
        let mut values: Vec<Vec<f32>> = shape
            .tensors()
            .iter()
            .map(|d| (0..d.iter().product::<usize>()).map(|_| random()).collect())
            .collect();
        let sizes = [3, 1, 4];
        let tokens: Vec<f32> = (0..8 * 5).map(|_| random()).collect();
        let wanted: Vec<f32> = (0..16).map(|_| random()).collect();
        let loss = |answer: &[f32]| {
            let e: Vec<f32> = answer.iter().zip(&wanted).map(|(a, w)| a - w).collect();
            (0.5 * e.iter().map(|e| e * e).sum::<f32>(), e)
        };
        let (_, gradient_) = gradient(&shape, &values, &tokens, &sizes, loss);
        for t in 0..values.len() {
            let i = (7 * t + 3) % values[t].len();
            // Small: the activation has corners.
            let (kept, step) = (values[t][i], 2e-3);
            values[t][i] = kept + step;
            let up = gradient(&shape, &values, &tokens, &sizes, loss).0;
            values[t][i] = kept - step;
            let down = gradient(&shape, &values, &tokens, &sizes, loss).0;
            values[t][i] = kept;
            let (slope, found) = ((up - down) / (2.0 * step), gradient_[t][i]);
            assert!(
                (slope - found).abs() < 0.02 * (1.0 + slope.abs()),
                "tensor {t}: {found} against {slope}"
            );
        }
    }
}
