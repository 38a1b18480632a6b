//! The end of old bags: by age and by size, whole bags only.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::error::BagError;

/// Which bags may stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Older ones go; `None` is no bound.
    pub max_age: Option<Duration>,
    /// The oldest go until all together have no more bytes; `None` is no bound.
    pub max_bytes: Option<u64>,
}

/// A bag that went, or would go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// Its folder.
    pub path: PathBuf,
    /// Bytes that it had.
    pub bytes: u64,
    /// Seconds since it was last written.
    pub age_s: u64,
}

/// A bag below the root.
struct Bag {
    path: PathBuf,
    bytes: u64,
    written: SystemTime,
}

/// Removes bags directly below `root` that are too old or too much, oldest first, and says which.
///
/// A bag is a folder with nothing in it but `.mcap` and `.db3` files, `metadata.yaml` and `reason.txt`; all else is
/// left alone. The bag `keep`, the one that is being recorded, stays in any case. With `dry` nothing is removed.
///
/// # Errors
/// [`BagError::Io`] where the root cannot be read or a bag not be removed.
pub fn retain(
    root: &Path,
    retention: Retention,
    keep: Option<&Path>,
    now: SystemTime,
    dry: bool,
) -> Result<Vec<Removed>, BagError> {
    let mut bags = Vec::new();
    for entry in fs::read_dir(root).map_err(BagError::io(root, "read the folder"))? {
        let path = entry.map_err(BagError::io(root, "read the folder"))?.path();
        if let Some(bag) = bag_at(&path).map_err(BagError::io(&path, "read the folder"))? {
            bags.push(bag);
        }
    }
    bags.sort_by(|a, b| (a.written, &a.path).cmp(&(b.written, &b.path)));
    let mut total: u64 = bags.iter().map(|b| b.bytes).sum();
    let mut removed = Vec::new();
    for bag in bags {
        let age = now.duration_since(bag.written).unwrap_or_default();
        let too_old = retention.max_age.is_some_and(|max| age > max);
        let too_much = retention.max_bytes.is_some_and(|max| total > max);
        if keep == Some(bag.path.as_path()) || !(too_old || too_much) {
            continue;
        }
        if !dry {
            fs::remove_dir_all(&bag.path).map_err(BagError::io(&bag.path, "remove the bag"))?;
        }
        total -= bag.bytes;
        removed.push(Removed { path: bag.path, bytes: bag.bytes, age_s: age.as_secs() });
    }
    Ok(removed)
}

/// The bag in a folder; none where the folder is something else.
fn bag_at(path: &Path) -> std::io::Result<Option<Bag>> {
    // A link is not followed: what it points to belongs to someone else.
    if !fs::symlink_metadata(path)?.is_dir() {
        return Ok(None);
    }
    let mut bag = Bag { path: path.to_owned(), bytes: 0, written: SystemTime::UNIX_EPOCH };
    let mut data = false;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let name = entry.file_name();
        let is_data = Path::new(&name).extension().is_some_and(|e| e == "mcap" || e == "db3");
        if !metadata.is_file() || !(is_data || name == "metadata.yaml" || name == "reason.txt") {
            return Ok(None);
        }
        data |= is_data;
        bag.bytes += metadata.len();
        bag.written = bag.written.max(metadata.modified()?);
    }
    Ok(data.then_some(bag))
}
