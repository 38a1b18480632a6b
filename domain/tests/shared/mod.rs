//! Finds the shared data; a test that needs it says loudly when it is not there.

use std::path::PathBuf;

/// A file or folder of the shared data, or `None` with a loud line.
pub fn data(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SHELFWRIGHT_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")), PathBuf::from);
    let path = root.join("data").join(name);
    if !path.exists() {
        println!("SKIPPED: no {name} in the shared data (set SHELFWRIGHT_SHARED)");
        return None;
    }
    Some(path)
}
