//! What a node's process leaves behind for the one that takes its place: its state and the parameters that were set, and its
//! memory ([`crate::Node::take_memory`]). Two files in a folder; a file is replaced whole, so that a killed process
//! leaves the last whole one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use interfaces::{AnyMessage, Publication};
use serde::{Deserialize, Serialize};
use toml::Value;

use super::lifecycle::State;

/// First bytes of a memory file, with the version.
const MAGIC: &[u8; 8] = b"SHELFMM1";

/// The files of one node.
#[derive(Debug, Clone)]
pub struct Keeper {
    state: PathBuf,
    memory: PathBuf,
}

/// A node's state and parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// State by its label.
    pub state: String,
    /// Parameters that were set while it ran.
    #[serde(default)]
    pub parameters: BTreeMap<String, Value>,
}

impl Kept {
    /// The state, if the label is one.
    pub fn state(&self) -> Option<State> {
        State::ALL.into_iter().find(|s| s.label() == self.state)
    }
}

impl Keeper {
    /// For a node by its full name.
    pub fn new(folder: &Path, node: &str) -> Self {
        let name = node.trim_matches('/').replace('/', ".");
        Self {
            state: folder.join(format!("{name}.state.toml")),
            memory: folder.join(format!("{name}.memory")),
        }
    }

    /// Keeps state and parameters.
    ///
    /// # Errors
    /// What the disk says.
    pub fn keep_state(&self, kept: &Kept) -> Result<(), String> {
        let text = toml::to_string(kept).map_err(|e| e.to_string())?;
        replace(&self.state, text.as_bytes())
    }

    /// State and parameters of the process that was here before.
    ///
    /// # Errors
    /// A file that is no such one.
    pub fn state(&self) -> Result<Option<Kept>, String> {
        let Some(bytes) = read(&self.state)? else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes);
        toml::from_str(&text).map(Some).map_err(|e| format!("{}: {}", self.state.display(), e.message()))
    }

    /// Keeps a memory.
    ///
    /// # Errors
    /// What the disk says.
    pub fn keep(&self, memory: &[Publication]) -> Result<(), String> {
        let mut bytes = MAGIC.to_vec();
        let mut part = |part: &[u8]| {
            // A message of 4 GiB does not pass the network either.
            bytes.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
            bytes.extend(part);
        };
        for publication in memory {
            part(publication.topic.as_bytes());
            part(publication.message.type_name().as_bytes());
            part(&publication.stamp_ns.to_le_bytes());
            part(&publication.message.to_cdr());
        }
        replace(&self.memory, &bytes)
    }

    /// The memory of the process that was here before; none where there was no such one.
    ///
    /// # Errors
    /// A file that is no such one, with its name.
    pub fn memory(&self) -> Result<Vec<Publication>, String> {
        let Some(bytes) = read(&self.memory)? else { return Ok(Vec::new()) };
        publications(&bytes).ok_or_else(|| format!("{} is no whole memory", self.memory.display()))
    }

    /// Forgets the memory: what is of a run that is over.
    pub fn forget(&self) {
        if let Err(error) = std::fs::remove_file(&self.memory)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "an old memory stays");
        }
    }
}

fn publications(bytes: &[u8]) -> Option<Vec<Publication>> {
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let mut all = Vec::new();
    while !rest.is_empty() {
        let mut part = || {
            let (length, after) = rest.split_first_chunk::<4>()?;
            let (part, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            rest = after;
            Some(part)
        };
        let topic: Arc<str> = std::str::from_utf8(part()?).ok()?.into();
        let type_name = std::str::from_utf8(part()?).ok()?;
        let stamp_ns = i64::from_le_bytes(part()?.try_into().ok()?);
        let message = AnyMessage::from_cdr(type_name, part()?).ok()?;
        all.push(Publication { topic, stamp_ns, message: Arc::new(message) });
    }
    Some(all)
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, String> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

fn replace(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let new = path.with_extension("new");
    std::fs::write(&new, bytes)
        .and_then(|()| std::fs::rename(&new, path))
        .map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use interfaces::shelfwright_msgs::MissionState;

    #[test]
    fn what_is_kept_comes_back_and_a_broken_file_says_so() {
        let folder = std::env::temp_dir().join(format!("shelfwright-keeping-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let keeper = Keeper::new(&folder, "/inv_1/pilot");
        assert_eq!((keeper.state().unwrap(), keeper.memory().unwrap()), (None, vec![]));
        let kept = Kept {
            state: "inactive".into(),
            parameters: [("steering.speed_mps".to_owned(), Value::Float(0.4))].into(),
        };
        keeper.keep_state(&kept).unwrap();
        assert_eq!(keeper.state().unwrap(), Some(kept.clone()));
        assert_eq!(kept.state(), Some(State::Inactive));
        let memory: Vec<Publication> = ["a", "b"]
            .map(|m| {
                Publication::new(
                    "/inv_1/missions",
                    7,
                    MissionState { mission: m.into(), ..Default::default() },
                )
            })
            .into();
        keeper.keep(&memory).unwrap();
        assert_eq!(keeper.memory().unwrap(), memory);
        let path = folder.join("inv_1.pilot.memory");
        let bytes = std::fs::read(&path).unwrap();
        for cut in [3, 9, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            assert!(keeper.memory().unwrap_err().contains("inv_1.pilot.memory"));
        }
        keeper.forget();
        assert_eq!(keeper.memory().unwrap(), []);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
