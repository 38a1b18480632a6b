//! Reads a bag as messages of `interfaces`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use interfaces::{Publication, type_info};

use crate::error::BagError;
use crate::mcap_file::Cut;
use crate::raw_reader::RawReader;
use crate::selection::Selection;

/// Iterates over a bag's messages in the order of their log times.
///
/// Messages of types that `interfaces` does not have are skipped and counted. A file that is cut off gives all
/// messages before the cut, and [`Reader::cut`] says where it was. After [`BagError::Malformed`] nothing more comes;
/// after [`BagError::Message`] the next message does.
pub struct Reader {
    raw: RawReader,
    skipped: BTreeMap<String, u64>,
    messages: u64,
}

impl Reader {
    /// Opens a bag: a folder, an `.mcap` file or a `.db3` file.
    ///
    /// # Errors
    /// As [`RawReader::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, BagError> {
        Self::open_selected(path, Selection::default())
    }

    /// Opens a bag for some of its messages; through the index, where it has one.
    ///
    /// # Errors
    /// As [`RawReader::open`].
    pub fn open_selected(path: impl AsRef<Path>, selection: Selection) -> Result<Self, BagError> {
        let raw = RawReader::open(path, selection)?;
        warn_of_other_definitions(&raw);
        Ok(Self { raw, skipped: BTreeMap::new(), messages: 0 })
    }

    /// How many messages were skipped so far because their type is not known, by type.
    pub fn skipped(&self) -> &BTreeMap<String, u64> {
        &self.skipped
    }

    /// Where the bag ends too early, once its end was reached.
    pub fn cut(&self) -> Option<&Cut> {
        self.raw.cut()
    }

    /// Messages given so far.
    pub fn messages(&self) -> u64 {
        self.messages
    }
}

impl Iterator for Reader {
    type Item = Result<Publication, BagError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let raw = match self.raw.next()? {
                Ok(raw) => raw,
                Err(error) => return Some(Err(error)),
            };
            if !raw.channel.known() {
                *self.skipped.entry(raw.channel.type_name.clone()).or_default() += 1;
                continue;
            }
            let decoded = raw.decode().map_err(|source| BagError::Message {
                path: self.raw.file().map_or_else(PathBuf::new, Path::to_owned),
                topic: raw.channel.topic.to_string(),
                stamp_ns: raw.stamp_ns,
                source: Box::new(source),
            });
            self.messages += u64::from(decoded.is_ok());
            return Some(decoded);
        }
    }
}

/// A type of the same name that another package version defines otherwise mostly fails to decode; say why.
fn warn_of_other_definitions(raw: &RawReader) {
    for channel in raw.channels() {
        if let Some(info) = type_info(&channel.type_name)
            && !channel.type_hash.is_empty()
            && channel.type_hash != info.hash
        {
            tracing::warn!(
                file = %raw.file().unwrap_or(Path::new("")).display(), topic = %channel.topic,
                message_type = info.name, found = channel.type_hash, expected = info.hash,
                "the bag's type has another definition than ours"
            );
        }
    }
}
