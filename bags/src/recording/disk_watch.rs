//! How much room the disk has left, and what follows from it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Looked at again after so much time or so many bytes, whichever is first.
const PERIOD: Duration = Duration::from_secs(1);
const BYTES: u64 = 16 << 20;

/// Tells the free bytes of a file system; tests put their own in its place.
pub trait FreeSpace: Send {
    /// Bytes that this process may still write.
    ///
    /// # Errors
    /// Where the system does not tell.
    fn free_bytes(&mut self, path: &Path) -> io::Result<u64>;
}

/// The operating system's word.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileSystem;

impl FreeSpace for FileSystem {
    fn free_bytes(&mut self, path: &Path) -> io::Result<u64> {
        let told = rustix::fs::statvfs(path)?;
        Ok(told.f_bavail.saturating_mul(told.f_frsize))
    }
}

/// What free space means. Each bound is below the one before it; 0 switches it off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskLimits {
    /// Below this images are left out, bytes.
    pub images_below: u64,
    /// Below this there is a warning, bytes.
    pub warn_below: u64,
    /// This much stays free: recording ends before, bytes.
    pub reserve: u64,
}

impl Default for DiskLimits {
    /// Room for an hour of results (some 100 MB) between each two.
    fn default() -> Self {
        Self { images_below: 4 << 30, warn_below: 1 << 30, reserve: 256 << 20 }
    }
}

/// How the disk is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiskState {
    /// Room for all.
    #[default]
    Plenty,
    /// Images are left out.
    NoImages,
    /// Images are left out, and someone should make room.
    Low,
    /// Only the reserve is left.
    Reserve,
}

/// Looks at the disk now and then.
pub(crate) struct DiskWatch {
    path: PathBuf,
    limits: DiskLimits,
    space: Box<dyn FreeSpace>,
    state: DiskState,
    looked: Option<(Instant, u64)>,
    pub free_bytes: Option<u64>,
}

impl DiskWatch {
    pub fn new(path: &Path, limits: DiskLimits, space: Box<dyn FreeSpace>) -> Self {
        Self {
            path: path.to_owned(),
            limits,
            space,
            state: DiskState::Plenty,
            looked: None,
            free_bytes: None,
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn limits(&self) -> DiskLimits {
        self.limits
    }

    /// The state after `written` bytes in all.
    pub fn look(&mut self, written: u64) -> DiskState {
        let fresh = self.looked.is_some_and(|(at, bytes)| at.elapsed() < PERIOD && written < bytes + BYTES);
        if fresh {
            return self.state;
        }
        self.looked = Some((Instant::now(), written));
        match self.space.free_bytes(&self.path) {
            Ok(free) => {
                self.free_bytes = Some(free);
                let state = self.judge(free);
                if state != self.state {
                    self.tell(state, free);
                }
                self.state = state;
            }
            // Without a word from the system recording goes on: a full disk then says so itself.
            Err(error) => tracing::debug!(%error, "the free space is not known"),
        }
        self.state
    }

    fn judge(&self, free: u64) -> DiskState {
        // Room that was just made must be a tenth more than the bound, so that states do not flutter.
        let below = |bound: u64, state: DiskState| {
            let bound = if self.state >= state { bound.saturating_add(bound / 10) } else { bound };
            free < bound
        };
        let l = self.limits;
        if below(l.reserve, DiskState::Reserve) {
            DiskState::Reserve
        } else if below(l.warn_below, DiskState::Low) {
            DiskState::Low
        } else if below(l.images_below, DiskState::NoImages) {
            DiskState::NoImages
        } else {
            DiskState::Plenty
        }
    }

    fn tell(&self, state: DiskState, free: u64) {
        let (path, mib) = (self.path.display(), free >> 20);
        match state {
            DiskState::Plenty => tracing::info!(%path, free_mib = mib, "images are recorded again"),
            DiskState::NoImages => {
                tracing::warn!(%path, free_mib = mib, "little space: images are not recorded");
            }
            DiskState::Low => {
                tracing::warn!(%path, free_mib = mib, "very little space: make room, or recording ends");
            }
            DiskState::Reserve => {
                tracing::error!(%path, free_mib = mib, "only the reserve is left: recording ends");
            }
        }
    }
}
