//! AdamW with a one-cycle rate and a running mean of the weights, on plain numbers.

/// State of the optimiser over some tensors.
pub struct Optimiser {
    first: Vec<Vec<f32>>,
    second: Vec<Vec<f32>>,
    mean: Vec<Vec<f32>>,
    step: i32,
}

const BETA: [f32; 2] = [0.9, 0.98];
/// Weights are pulled to zero by this share of the rate.
const DECAY: f32 = 1e-3;
/// The running mean forgets this much a step: its weights are steadier than the last step's.
const FORGET: f32 = 0.002;

impl Optimiser {
    pub fn new(values: &[Vec<f32>]) -> Self {
        let zero: Vec<Vec<f32>> = values.iter().map(|v| vec![0.0; v.len()]).collect();
        Self { first: zero.clone(), second: zero, mean: values.to_vec(), step: 0 }
    }

    /// One step down the gradient, clipped to a norm of 1.
    pub fn step(&mut self, values: &mut [Vec<f32>], gradient: &[Vec<f32>], rate: f32) {
        self.step += 1;
        let norm = gradient.iter().flatten().map(|g| g * g).sum::<f32>().sqrt();
        if !norm.is_finite() {
            return; // one broken batch must not spoil the weights
        }
        let clip = 1.0 / norm.max(1.0);
        let correct = BETA.map(|b| 1.0 - b.powi(self.step));
        let forget = FORGET.max(1.0 / (1.0 + self.step as f32));
        for (t, v) in values.iter_mut().enumerate() {
            for (i, v) in v.iter_mut().enumerate() {
                let g = gradient[t][i] * clip;
                let (m, s) = (&mut self.first[t][i], &mut self.second[t][i]);
                *m += (1.0 - BETA[0]) * (g - *m);
                *s += (1.0 - BETA[1]) * (g * g - *s);
                let down = (*m / correct[0]) / ((*s / correct[1]).sqrt() + 1e-8);
                *v -= rate * (down + DECAY * *v);
                let mean = &mut self.mean[t][i];
                *mean += forget * (*v - *mean);
            }
        }
    }

    /// The running mean of the weights.
    pub fn mean(&self) -> &[Vec<f32>] {
        &self.mean
    }
}

/// Learning rate at a share of the way: up in the first tenth, then down along a cosine.
pub fn one_cycle(share: f32, top: f32) -> f32 {
    let half = |u: f32| 0.5 - 0.5 * (std::f32::consts::PI * u).cos();
    if share < 0.1 {
        top * (0.04 + 0.96 * half(share / 0.1))
    } else {
        top * (1.0 - half((share - 0.1) / 0.9)).max(1e-4)
    }
}
