//! Reads a bag while it is recorded.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::BagError;
use crate::mcap_file::McapFile;
use crate::raw_reader::bag_files;
use crate::record::RawMessage;
use crate::selection::Selection;

/// What a bag in the making gives.
#[derive(Debug)]
pub enum Followed {
    /// A message.
    Message(RawMessage),
    /// Nothing yet; more may come.
    Waits,
    /// The bag is complete.
    Ended,
}

/// Reads what is on the disk of a bag, in the order in which it was written, and then what comes. A recorder brings its messages to the
/// disk once a second. The bag of a recorder that was killed is waited for without end.
pub struct Follower {
    bag: PathBuf,
    selection: Arc<Selection>,
    /// Files begun.
    begun: usize,
    current: Option<McapFile>,
}

impl Follower {
    /// Follows a bag, a folder or an `.mcap` file, that is there already.
    ///
    /// # Errors
    /// [`BagError::Io`] where it is not; [`BagError::NotABag`] for SQLite, which is not followed.
    pub fn open(bag: impl AsRef<Path>, selection: Selection) -> Result<Self, BagError> {
        let out =
            Self { bag: bag.as_ref().to_owned(), selection: Arc::new(selection), begun: 0, current: None };
        match out.files()?.iter().find(|f| f.extension().is_none_or(|e| e != "mcap")) {
            Some(path) => Err(BagError::NotABag {
                path: path.clone(),
                found: "is no .mcap file; only those can be followed".into(),
            }),
            None => Ok(out),
        }
    }

    /// What comes next.
    ///
    /// # Errors
    /// As [`crate::RawReader`]; after an error nothing more is to be had.
    pub fn next_message(&mut self) -> Result<Followed, BagError> {
        loop {
            // A recorder writes the metadata last.
            let complete = !self.bag.is_dir() || self.bag.join("metadata.yaml").exists();
            let Some(file) = &mut self.current else {
                let files = self.files()?;
                match files.get(self.begun) {
                    // Its first bytes come at once, but after the file.
                    Some(path)
                        if std::fs::metadata(path).is_ok_and(|m| m.len() >= mcap::MAGIC.len() as u64) =>
                    {
                        self.current = Some(McapFile::open_growing(path, self.selection.clone())?);
                        self.begun += 1;
                        continue;
                    }
                    None if complete => return Ok(Followed::Ended),
                    _ => return Ok(Followed::Waits),
                }
            };
            if let Some(message) = file.next_message()? {
                return Ok(Followed::Message(message));
            }
            // A file that ends too early grows no more once there is a next one.
            let waits = file.grows() && self.files()?.len() == self.begun;
            if waits && !(complete && self.bag.is_dir()) {
                return Ok(Followed::Waits);
            }
            self.current = None;
        }
    }

    /// The bag's files so far.
    fn files(&self) -> Result<Vec<PathBuf>, BagError> {
        match bag_files(&self.bag) {
            // A folder before its first file.
            Err(BagError::NotABag { .. }) if self.bag.is_dir() => Ok(Vec::new()),
            other => other,
        }
    }
}

#[cfg(test)]
#[path = "follower_tests.rs"]
mod tests;
