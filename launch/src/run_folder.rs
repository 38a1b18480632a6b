//! What a run leaves behind, and where: one folder that `audit`, `report` and `locate` take as it is.

#[cfg(feature = "ros2")]
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// A run's folder.
#[derive(Debug, Clone)]
pub struct RunFolder {
    root: PathBuf,
}

impl RunFolder {
    /// Makes the folder; a bag or a result of an earlier run in it is refused unless `replace` is given.
    pub fn create(root: &Path, replace: bool) -> anyhow::Result<Self> {
        let folder = Self { root: root.to_owned() };
        if folder.bag().exists() {
            anyhow::ensure!(
                replace,
                "{} holds an earlier run; choose another --out or give --replace",
                root.display()
            );
            std::fs::remove_dir_all(folder.bag())?;
            if folder.faults().exists() {
                std::fs::remove_dir_all(folder.faults())?;
            }
            for file in [folder.store(), folder.platform_store()] {
                for suffix in ["", "-wal", "-shm"] {
                    let file = PathBuf::from(format!("{}{suffix}", file.display()));
                    if file.exists() {
                        std::fs::remove_file(file)?;
                    }
                }
            }
        }
        std::fs::create_dir_all(root)
            .with_context(|| format!("cannot make the folder {}", root.display()))?;
        Ok(folder)
    }

    /// The run folder around a path: the folder itself, its bag folder, or the bag's file.
    pub fn around(path: &Path) -> Option<Self> {
        path.ancestors().take(3).map(|p| Self { root: p.to_owned() }).find(|f| f.site().exists())
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The recorded bag, a folder as `rosbag2` makes it.
    pub fn bag(&self) -> PathBuf {
        self.root.join("bag")
    }

    /// Bags of the time around faults.
    pub fn faults(&self) -> PathBuf {
        self.root.join("faults")
    }

    /// Keeps where the robots start: x and y on the map, m, and heading, degrees, by name.
    ///
    /// # Errors
    /// What the disk says.
    #[cfg(feature = "ros2")]
    pub fn save_starts(&self, starts: &BTreeMap<String, [f64; 3]>) -> anyhow::Result<()> {
        let path = self.root.join("starts.toml");
        std::fs::write(&path, toml::to_string(starts)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Where the robots start; empty where the run does not say.
    #[cfg(feature = "ros2")]
    pub fn starts(&self) -> BTreeMap<String, [f64; 3]> {
        std::fs::read_to_string(self.root.join("starts.toml"))
            .ok()
            .and_then(|text| toml::from_str(&text).ok())
            .unwrap_or_default()
    }

    /// The site that the run used.
    pub fn site(&self) -> PathBuf {
        self.root.join("site.toml")
    }

    /// The catalogue that the run used.
    pub fn catalogue(&self) -> PathBuf {
        self.root.join("catalogue.csv")
    }

    /// The facts of the run.
    pub fn facts(&self) -> PathBuf {
        self.root.join("run.json")
    }

    /// Results and outbox.
    pub fn store(&self) -> PathBuf {
        self.root.join("run.sqlite")
    }

    /// What the embedded platform received.
    pub fn platform_store(&self) -> PathBuf {
        self.root.join("platform.sqlite")
    }

    /// The plan of the floor.
    pub fn map(&self, floor: &str) -> PathBuf {
        self.root.join(format!("map-{floor}.svg"))
    }
}

/// Writes a value as JSON.
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> anyhow::Result<()> {
    std::fs::write(path, serde_json::to_vec_pretty(value)?)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Reads a value from JSON; the error names file, line and column.
pub fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> anyhow::Result<T> {
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).map_err(|e| crate::ui::refused(format!("{}: {e}", path.display())))
}
