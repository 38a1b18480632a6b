//! Training: batches of windows, gradients on all cores, one optimiser.

use std::time::Instant;

use positioning::decoder::Shape;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::net;
use super::optimiser::{Optimiser, one_cycle};

/// What can be learnt from.
pub trait Lessons: Sync {
    /// One lesson as it is used once: a little changed.
    type Shown;
    /// Lessons in all.
    fn count(&self) -> usize;
    /// Shows a lesson: its tokens go to the end of `tokens`; gives the number of tags too.
    fn show(&self, lesson: usize, rng: &mut impl Rng, tokens: &mut Vec<f32>) -> (usize, Self::Shown);
    /// Loss of one lesson's answers, already divided by the tags; adds its slope to `slope`.
    fn loss(&self, shown: &Self::Shown, answer: &[f32], slope: &mut [f32]) -> f32;
}

/// How long and how fast.
#[derive(Debug, Clone)]
pub struct Course {
    /// Steps in all.
    pub steps: usize,
    /// Tags a step and thread.
    pub tags: usize,
    /// Highest learning rate.
    pub rate: f32,
    /// Gradients made at the same time; part of the result, as each has lessons of its own.
    pub threads: usize,
    /// Seed of weights, choice and changes.
    pub seed: u64,
}

/// Trains a network from nothing; `say` hears step, mean loss, seconds and weights now and then and ends the course
/// early by `false`.
pub fn train<L: Lessons>(
    shape: &Shape,
    lessons: &L,
    course: &Course,
    mut say: impl FnMut(usize, f32, f64, &[Vec<f32>]) -> bool,
) -> Vec<Vec<f32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(course.seed);
    let mut values = first_values(shape, &mut rng);
    let mut optimiser = Optimiser::new(&values);
    let began = Instant::now();
    let mut mean = f32::NAN;
    for step in 0..course.steps {
        let seeds: Vec<u64> = (0..course.threads).map(|_| rng.random()).collect();
        let parts: Vec<(f32, Vec<Vec<f32>>)> = std::thread::scope(|scope| {
            let handles: Vec<_> = seeds
                .iter()
                .map(|&seed| {
                    let values = &values;
                    scope.spawn(move || one_part(shape, lessons, course.tags, values, seed))
                })
                .collect();
            handles.into_iter().filter_map(|h| h.join().ok()).collect()
        });
        let share = 1.0 / parts.len().max(1) as f32;
        let mut gradient: Vec<Vec<f32>> = values.iter().map(|v| vec![0.0; v.len()]).collect();
        let mut loss = 0.0;
        for (l, g) in parts {
            loss += share * l;
            for (sum, g) in gradient.iter_mut().zip(g) {
                sum.iter_mut().zip(g).for_each(|(s, g)| *s += share * g);
            }
        }
        let rate = one_cycle(step as f32 / course.steps as f32, course.rate);
        optimiser.step(&mut values, &gradient, rate);
        mean = if mean.is_nan() { loss } else { 0.99 * mean + 0.01 * loss };
        if (step + 1) % 100 == 0 && !say(step + 1, mean, began.elapsed().as_secs_f64(), optimiser.mean()) {
            break;
        }
    }
    optimiser.mean().to_vec()
}

fn one_part<L: Lessons>(
    shape: &Shape,
    lessons: &L,
    tags: usize,
    values: &[Vec<f32>],
    seed: u64,
) -> (f32, Vec<Vec<f32>>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut tokens, mut sizes, mut shown) = (Vec::new(), Vec::new(), Vec::new());
    while tokens.len() < tags * shape.inputs {
        let (n, s) = lessons.show(rng.random_range(0..lessons.count()), &mut rng, &mut tokens);
        sizes.push(n);
        shown.push(s);
    }
    let windows = shown.len() as f32;
    net::gradient(shape, values, &tokens, &sizes, |answer| {
        let mut slope = vec![0f32; answer.len()];
        let (mut at, mut sum) = (0, 0.0);
        for (n, s) in sizes.iter().zip(&shown) {
            let cut = at * shape.outputs..(at + n) * shape.outputs;
            sum += lessons.loss(s, &answer[cut.clone()], &mut slope[cut]);
            at += n;
        }
        slope.iter_mut().for_each(|s| *s /= windows);
        (sum / windows, slope)
    })
}

/// Small random weights, biases of zero.
fn first_values(shape: &Shape, rng: &mut ChaCha8Rng) -> Vec<Vec<f32>> {
    let tensors = shape.tensors();
    let last = tensors.len().saturating_sub(2);
    tensors
        .iter()
        .enumerate()
        .map(|(t, dims)| match dims.as_slice() {
            [inputs, outputs] => {
                let std = if t == last { 0.1 } else { 1.0 } / (*inputs as f32).sqrt();
                (0..inputs * outputs).map(|_| std * rng.sample::<f32, _>(StandardNormal)).collect()
            }
            dims => vec![0.0; dims.iter().product()],
        })
        .collect()
}
