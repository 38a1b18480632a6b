//! Random streams: one seed per scenario, split by a label, so that a change in one sensor leaves the others alone.
//!
//! The arithmetic goes through `libm`, so a stream gives the same numbers on every machine and in every build.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// The random stream of `label` under a scenario's seed.
pub fn stream(seed: u64, label: &str) -> ChaCha8Rng {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(label.as_bytes());
    ChaCha8Rng::from_seed(hash.finalize().into())
}

/// A standard normal number (Box and Muller 1958, the cosine half).
pub fn gauss(rng: &mut impl Rng) -> f64 {
    // 1 - u lies in (0, 1], where the logarithm is finite.
    let u: f64 = 1.0 - rng.random::<f64>();
    let v: f64 = rng.random();
    libm::sqrt(-2.0 * libm::log(u)) * libm::cos(std::f64::consts::TAU * v)
}

/// One element of a list, evenly.
///
/// # Panics
/// On an empty list: callers pass word lists of this crate, which are not.
pub(crate) fn pick<'a, T>(rng: &mut impl Rng, list: &'a [T]) -> &'a T {
    &list[rng.random_range(0..list.len())]
}

/// Adds the place of a stream to a state hash.
pub(crate) fn hash_stream(rng: &ChaCha8Rng, hash: &mut Sha256) {
    hash.update(rng.get_word_pos().to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_label_and_seed_and_repeat() {
        let draw = |seed, label| stream(seed, label).random::<u64>();
        assert_eq!(draw(1, "lidar"), draw(1, "lidar"));
        assert_ne!(draw(1, "lidar"), draw(1, "imu"));
        assert_ne!(draw(1, "lidar"), draw(2, "lidar"));
    }

    #[test]
    fn noise_has_the_spread_it_claims() {
        let mut rng = stream(7, "test");
        let n = 20_000;
        let x: Vec<f64> = (0..n).map(|_| gauss(&mut rng)).collect();
        let mean = x.iter().sum::<f64>() / n as f64;
        let var = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64;
        assert!(mean.abs() < 0.03 && (var - 1.0).abs() < 0.05, "mean {mean} variance {var}");
    }
}
