//! Holds a bag against the formats' rules: every byte of its files, and what its parts say of each other.
//!
//! Stricter than a reader, which takes what it can get.

mod mcap_rules;
mod metadata_rules;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use interfaces::{AnyMessage, type_info};
use serde::Serialize;

use crate::error::BagError;
use crate::mcap_out::Tally;
use crate::raw_reader::{RawReader, bag_files, is_empty_mcap};
use crate::record::Channel;
use crate::selection::Selection;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Readers cope, and something is lost or slow.
    Warning,
    /// The bag breaks a rule; some reader will refuse it or read it wrongly.
    Error,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// The file.
    pub file: PathBuf,
    /// What, with what was found and what was expected.
    pub problem: String,
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Files.
    pub files: usize,
    /// Whole messages.
    pub messages: u64,
    /// Messages that are not decoded because `interfaces` does not have their type, by type.
    pub unknown_types: BTreeMap<String, u64>,
    /// What is wrong: the first [`NAMED`] of each severity.
    pub findings: Vec<Finding>,
    /// Errors in all.
    pub errors: u64,
    /// Warnings in all.
    pub warnings: u64,
}

/// Findings of a severity that are named one by one.
pub const NAMED: u64 = 50;

/// What the rules' parts gather.
#[derive(Default)]
struct Gathered {
    checked: Checked,
    topics: BTreeMap<(Arc<str>, String), u64>,
    /// Name and tally of each file.
    files: Vec<(String, Tally)>,
}

impl Gathered {
    fn find(&mut self, severity: Severity, file: &Path, problem: impl Into<String>) {
        let count = match severity {
            Severity::Warning => &mut self.checked.warnings,
            Severity::Error => &mut self.checked.errors,
        };
        *count += 1;
        if *count <= NAMED {
            self.checked.findings.push(Finding { severity, file: file.to_owned(), problem: problem.into() });
        }
    }

    /// A topic, once for each file.
    fn declare(&mut self, file: &Path, channel: &Channel) {
        self.topics.entry((channel.topic.clone(), channel.type_name.clone())).or_default();
        if let Some(info) = type_info(&channel.type_name)
            && !channel.type_hash.is_empty()
            && channel.type_hash != info.hash
        {
            let problem = format!(
                "{}: {} has hash {}, here it has {}",
                channel.topic, info.name, channel.type_hash, info.hash
            );
            self.find(Severity::Warning, file, problem);
        }
    }

    /// One message's content.
    fn message(&mut self, file: &Path, channel: &Channel, stamp_ns: i64, data: &[u8], tally: &mut Tally) {
        self.checked.messages += 1;
        tally.add(stamp_ns);
        *self.topics.entry((channel.topic.clone(), channel.type_name.clone())).or_default() += 1;
        if !channel.known() {
            *self.checked.unknown_types.entry(channel.type_name.clone()).or_default() += 1;
        } else if let Err(error) = AnyMessage::from_cdr(&channel.type_name, data) {
            let problem = format!("message at {stamp_ns} ns on {}: {error}", channel.topic);
            self.find(Severity::Error, file, problem);
        }
    }
}

/// Checks a bag: a folder with its `metadata.yaml`, or one file.
///
/// # Errors
/// [`BagError::NotABag`] and [`BagError::Io`]; all else is a finding.
pub fn check(path: impl AsRef<Path>) -> Result<Checked, BagError> {
    check_while(path, || true)
}

/// As [`check`]; `go_on` is asked at every record.
///
/// # Errors
/// As [`check`]; [`BagError::Interrupted`] when `go_on` says no.
pub fn check_while(path: impl AsRef<Path>, mut go_on: impl FnMut() -> bool) -> Result<Checked, BagError> {
    let path = path.as_ref();
    let files = bag_files(path)?;
    let mut gathered = Gathered::default();
    gathered.checked.files = files.len();
    for file in &files {
        let tally = if path.is_dir() && is_empty_mcap(file) {
            let problem =
                "is empty: the recorder was killed as it began this file (renew: shelfwright bag merge)";
            gathered.find(Severity::Warning, file, problem);
            Tally::default()
        } else if file.extension().is_some_and(|e| e == "db3") {
            check_sqlite(file, &mut gathered, &mut go_on)?
        } else {
            mcap_rules::check(file, &mut gathered, &mut go_on)?
        };
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        gathered.files.push((name, tally));
    }
    if path.is_dir() {
        metadata_rules::check(&path.join("metadata.yaml"), &mut gathered);
    }
    Ok(gathered.checked)
}

/// SQLite keeps its own structure; the messages are what can be wrong.
fn check_sqlite(
    file: &Path,
    gathered: &mut Gathered,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Tally, BagError> {
    let mut tally = Tally::default();
    let mut reader = RawReader::open(file, Selection::default())?;
    for channel in reader.channels() {
        gathered.declare(file, &channel);
    }
    for message in &mut reader {
        if !go_on() {
            return Err(BagError::Interrupted);
        }
        match message {
            Ok(m) => gathered.message(file, &m.channel, m.stamp_ns, &m.data, &mut tally),
            Err(error) => gathered.find(Severity::Error, file, error.to_string()),
        }
    }
    Ok(tally)
}
