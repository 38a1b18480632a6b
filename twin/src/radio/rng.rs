//! Random streams: one per purpose, so that adding a draw in one place changes nothing elsewhere.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// The stream of one purpose and one thing (a tag, a cell of space, a port) under a seed.
pub(super) fn stream(seed: u64, purpose: &str, thing: &[u8]) -> ChaCha8Rng {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update((purpose.len() as u64).to_le_bytes());
    hash.update(purpose.as_bytes());
    hash.update(thing);
    ChaCha8Rng::from_seed(hash.finalize().into())
}
