//! What is in a bag.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use interfaces::type_info;
use serde::Serialize;

use crate::error::BagError;
use crate::mcap_file::McapFile;
use crate::reader::bag_files;

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
    let files = bag_files(path.as_ref())?;
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut out = Info { files, topics: vec![], messages: 0, start_ns: None, end_ns: None, cut: false };
    for path in &out.files {
        let mut file = McapFile::open(path)?;
        while let Some(message) = file.next_message()? {
            if let Some(channel) = file.channel(message.channel) {
                *counts.entry((channel.topic.to_string(), channel.type_name.clone())).or_default() += 1;
            }
            let stamp = message.log_time_ns;
            out.messages += 1;
            out.start_ns = Some(out.start_ns.map_or(stamp, |s| s.min(stamp)));
            out.end_ns = Some(out.end_ns.map_or(stamp, |e| e.max(stamp)));
        }
        // Declared, with or without a message.
        for channel in file.channels() {
            counts.entry((channel.topic.to_string(), channel.type_name.clone())).or_default();
        }
        out.cut |= file.cut().is_some();
    }
    let topics = counts.into_iter().map(|((topic, type_name), messages)| TopicInfo {
        known: type_info(&type_name).is_some(),
        topic,
        type_name,
        messages,
    });
    out.topics = topics.collect();
    Ok(out)
}
