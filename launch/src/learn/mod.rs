//! Teaching the locator by simulation: lessons from the twin's radio, a set network, training, weights.
//!
//! `positioning` never depends on `twin`; here the two meet. The same seed gives the same weights on any number of
//! cores: lessons are numbered, and a step's gradients are always made in the same parts.

pub mod faces;
pub mod net;
pub mod optimiser;
pub mod rows;
pub mod score;
pub mod train;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Makes `count` lessons by `make` on all cores, in their order; `say` hears how many are done and ends it by `false`.
///
/// # Errors
/// The first that `make` gives.
pub fn gather<T: Send>(
    count: u64,
    make: impl Fn(u64) -> anyhow::Result<Vec<T>> + Sync,
    mut say: impl FnMut(u64) -> bool,
) -> anyhow::Result<Vec<T>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let found: Mutex<Vec<(u64, Vec<T>)>> = Mutex::new(Vec::new());
    let failed: Mutex<Option<anyhow::Error>> = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    match make(number) {
                        Ok(made) => lock(&found).push((number, made)),
                        Err(error) => {
                            next.store(count, Ordering::Relaxed);
                            lock(&failed).get_or_insert(error);
                        }
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while done.load(Ordering::Relaxed) < count && lock(&failed).is_none() {
            if !say(done.load(Ordering::Relaxed)) {
                next.store(count, Ordering::Relaxed);
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    });
    if let Some(error) = lock(&failed).take() {
        return Err(error);
    }
    let mut found = std::mem::take(&mut *lock(&found));
    found.sort_by_key(|f| f.0);
    Ok(found.into_iter().flat_map(|f| f.1).collect())
}

/// What a panicking thread left is still whole: only pushes happen under these locks.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
