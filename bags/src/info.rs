//! What is in a bag.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use interfaces::type_info;
use serde::Serialize;

use crate::error::BagError;
use crate::raw_reader::{RawReader, bag_files};
use crate::selection::Selection;

/// One topic of a bag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TopicInfo {
    /// Topic.
    pub topic: String,
    /// Full name of its type.
    pub type_name: String,
    /// Messages.
    pub messages: u64,
    /// Whether `interfaces` has the type; if not, a reader skips the topic.
    pub known: bool,
}

/// What is in a bag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Info {
    /// Its files.
    pub files: Vec<PathBuf>,
    /// Their bytes.
    pub bytes: u64,
    /// Topics by name.
    pub topics: Vec<TopicInfo>,
    /// Messages in all.
    pub messages: u64,
    /// First stamp, ns; `None` in an empty bag.
    pub start_ns: Option<i64>,
    /// Last stamp, ns; `None` in an empty bag.
    pub end_ns: Option<i64>,
    /// Whether a file is cut off.
    pub cut: bool,
}

/// Says what is in a bag. Reads all of it, so the figures are those of the messages that a [`crate::Reader`] meets.
///
/// # Errors
/// As [`crate::Reader`], except that messages are not decoded.
pub fn info(path: impl AsRef<Path>) -> Result<Info, BagError> {
    info_while(path, || true)
}

/// As [`info`]; `go_on` is asked at every message.
///
/// # Errors
/// As [`info`]; [`BagError::Interrupted`] when `go_on` says no.
pub fn info_while(path: impl AsRef<Path>, mut go_on: impl FnMut() -> bool) -> Result<Info, BagError> {
    let files = bag_files(path.as_ref())?;
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut out =
        Info { files, bytes: 0, topics: vec![], messages: 0, start_ns: None, end_ns: None, cut: false };
    for file in &out.files {
        out.bytes += fs::metadata(file).map_err(BagError::io(file, "read the file"))?.len();
    }
    let mut reader = RawReader::open(path, Selection::default())?;
    for message in &mut reader {
        let message = message?;
        if !go_on() {
            return Err(BagError::Interrupted);
        }
        let (channel, stamp) = (&message.channel, message.stamp_ns);
        *counts.entry((channel.topic.to_string(), channel.type_name.clone())).or_default() += 1;
        out.messages += 1;
        out.start_ns = Some(out.start_ns.map_or(stamp, |s| s.min(stamp)));
        out.end_ns = Some(out.end_ns.map_or(stamp, |e| e.max(stamp)));
    }
    // Declared, with or without a message.
    for channel in reader.channels() {
        counts.entry((channel.topic.to_string(), channel.type_name.clone())).or_default();
    }
    out.cut = reader.cut().is_some();
    let topics = counts.into_iter().map(|((topic, type_name), messages)| TopicInfo {
        known: type_info(&type_name).is_some(),
        topic,
        type_name,
        messages,
    });
    out.topics = topics.collect();
    Ok(out)
}
