//! Reads a bag.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use interfaces::{AnyMessage, Publication, type_info};

use crate::error::BagError;
use crate::mcap_file::{Cut, McapFile};

/// Iterates over a bag's messages in the order of their log times.
///
/// Messages of types that `interfaces` does not have are skipped and counted. A file that is cut off gives all
/// messages before the cut, and [`Reader::cut`] says where it was. After [`BagError::Malformed`] nothing more comes;
/// after [`BagError::Message`] the next message does.
pub struct Reader {
    /// Files not yet begun.
    files: VecDeque<PathBuf>,
    current: Option<McapFile>,
    skipped: BTreeMap<String, u64>,
    cut: Option<Cut>,
    messages: u64,
}

impl Reader {
    /// Opens a bag's folder, or an `.mcap` file.
    ///
    /// # Errors
    /// [`BagError::NotABag`] and [`BagError::Io`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, BagError> {
        let mut files: VecDeque<PathBuf> = bag_files(path.as_ref())?.into();
        let current = files.pop_front().map(|f| McapFile::open(&f)).transpose()?;
        if let Some(file) = &current {
            warn_of_other_definitions(file);
        }
        Ok(Self { files, current, skipped: BTreeMap::new(), cut: None, messages: 0 })
    }

    /// How many messages were skipped so far because their type is not known, by type.
    pub fn skipped(&self) -> &BTreeMap<String, u64> {
        &self.skipped
    }

    /// Where the bag ends too early, once its end was reached.
    pub fn cut(&self) -> Option<&Cut> {
        self.cut.as_ref()
    }

    /// Messages given so far.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    fn advance(&mut self) -> Result<Option<Publication>, BagError> {
        while let Some(file) = &mut self.current {
            let Some(raw) = file.next_message()? else {
                if let Some(cut) = file.cut() {
                    tracing::warn!(
                        file = %cut.path.display(), bytes = cut.bytes, messages = cut.messages,
                        "the bag is cut off; all messages before the cut were read"
                    );
                    self.cut = Some(cut.clone());
                }
                self.current = self.files.pop_front().map(|f| McapFile::open(&f)).transpose()?;
                continue;
            };
            // `next_message` gives no message of an undeclared channel.
            let Some(channel) = file.channel(raw.channel) else { continue };
            if channel.encoding != "cdr" || type_info(&channel.type_name).is_none() {
                *self.skipped.entry(channel.type_name.clone()).or_default() += 1;
                continue;
            }
            let message =
                AnyMessage::from_cdr(&channel.type_name, &raw.data).map_err(|source| BagError::Message {
                    path: file.path().to_owned(),
                    topic: channel.topic.to_string(),
                    stamp_ns: raw.log_time_ns,
                    source: Box::new(source),
                })?;
            self.messages += 1;
            let topic = channel.topic.clone();
            return Ok(Some(Publication { topic, stamp_ns: raw.log_time_ns, message: Arc::new(message) }));
        }
        Ok(None)
    }
}

impl Iterator for Reader {
    type Item = Result<Publication, BagError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance();
        if matches!(&next, Err(e) if !matches!(e, BagError::Message { .. })) {
            self.current = None;
        }
        next.transpose()
    }
}

/// A type of the same name that another package version defines otherwise mostly fails to decode; say why.
fn warn_of_other_definitions(file: &McapFile) {
    for channel in file.channels() {
        if let Some(info) = type_info(&channel.type_name)
            && !channel.type_hash.is_empty()
            && channel.type_hash != info.hash
        {
            tracing::warn!(
                file = %file.path().display(), topic = %channel.topic, message_type = info.name,
                found = channel.type_hash, expected = info.hash,
                "the bag's type has another definition than ours"
            );
        }
    }
}

/// The MCAP files of a bag, in the order in which rosbag2 splits them: by the number at the end of their names.
pub(crate) fn bag_files(path: &Path) -> Result<Vec<PathBuf>, BagError> {
    let metadata = fs::metadata(path).map_err(BagError::io(path, "open the bag"))?;
    if !metadata.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut names: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(path).map_err(BagError::io(path, "read the folder"))? {
        names.push(entry.map_err(BagError::io(path, "read the folder"))?.path());
    }
    let has = |n: &PathBuf, ending: &str| n.extension().is_some_and(|e| e == ending);
    let mut files: Vec<PathBuf> = names.iter().filter(|n| has(n, "mcap")).cloned().collect();
    files.sort_by_key(|f| (split_number(f), f.clone()));
    if files.is_empty() {
        let found = if names.iter().any(|n| has(n, "db3")) {
            "holds an SQLite bag (convert it: ros2 bag convert)"
        } else {
            "holds no .mcap file"
        };
        return Err(BagError::NotABag { path: path.to_owned(), found: found.into() });
    }
    Ok(files)
}

/// 12 of `NAME_12.mcap`; 0 where there is no number.
fn split_number(file: &Path) -> u64 {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    stem.rsplit_once('_').and_then(|(_, digits)| digits.parse().ok()).unwrap_or(0)
}
