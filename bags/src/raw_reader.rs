//! Reads a bag's messages as they stand, whatever their type: the files of a bag one after the other.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::BagError;
use crate::mcap_file::{Cut, McapFile};
use crate::record::{Channel, RawMessage};
use crate::selection::Selection;
use crate::sqlite_file::SqliteFile;

/// A file of a bag.
enum BagFile {
    Mcap(Box<McapFile>),
    Sqlite(Box<SqliteFile>),
}

impl BagFile {
    fn open(path: &Path, selection: &Arc<Selection>) -> Result<Self, BagError> {
        if path.extension().is_some_and(|e| e == "db3") {
            Ok(Self::Sqlite(Box::new(SqliteFile::open(path, selection)?)))
        } else {
            Ok(Self::Mcap(Box::new(McapFile::open(path, selection.clone())?)))
        }
    }

    fn next_message(&mut self) -> Result<Option<RawMessage>, BagError> {
        match self {
            Self::Mcap(file) => file.next_message(),
            Self::Sqlite(file) => file.next_message(),
        }
    }

    fn channels(&self) -> Vec<Arc<Channel>> {
        match self {
            Self::Mcap(file) => file.channels().cloned().collect(),
            Self::Sqlite(file) => file.channels().cloned().collect(),
        }
    }

    fn cut(&self) -> Option<&Cut> {
        match self {
            Self::Mcap(file) => file.cut(),
            Self::Sqlite(_) => None,
        }
    }
}

/// Iterates over a bag's messages as bytes, in the order of their log times within each file.
///
/// Bags are folders with `.mcap` or `.db3` files, or such a file alone. Memory is bounded by what overlaps in time: a
/// chunk or two of MCAP, a page of SQLite. After an error nothing more comes.
pub struct RawReader {
    /// Files not yet begun.
    files: VecDeque<PathBuf>,
    /// One file, and no folder of them.
    lone: bool,
    selection: Arc<Selection>,
    current: Option<(PathBuf, BagFile)>,
    /// Topics of the files up to the current one.
    channels: Vec<Arc<Channel>>,
    cut: Option<Cut>,
}

impl RawReader {
    /// Opens a bag.
    ///
    /// # Errors
    /// [`BagError::NotABag`], [`BagError::Io`] and [`BagError::Sqlite`].
    pub fn open(path: impl AsRef<Path>, selection: Selection) -> Result<Self, BagError> {
        let (files, lone) = (bag_files(path.as_ref())?.into(), !path.as_ref().is_dir());
        let selection = Arc::new(selection);
        let mut out = Self { files, lone, selection, current: None, channels: Vec::new(), cut: None };
        out.next_file()?;
        Ok(out)
    }

    /// Topics declared so far, wanted or not, each once; those of all files when the end is reached.
    pub fn channels(&self) -> Vec<Arc<Channel>> {
        let mut all = self.channels.clone();
        if let Some((_, file)) = &self.current {
            all.extend(file.channels());
        }
        all.sort();
        all.dedup();
        all
    }

    /// Where a file ends too early, once its end was reached; the last one, where it is several.
    pub fn cut(&self) -> Option<&Cut> {
        self.cut.as_ref()
    }

    /// The file that is read now.
    pub fn file(&self) -> Option<&Path> {
        self.current.as_ref().map(|(path, _)| path.as_path())
    }

    fn next_file(&mut self) -> Result<(), BagError> {
        if let Some((_, file)) = self.current.take() {
            if let Some(cut) = file.cut() {
                tracing::warn!(
                    file = %cut.path.display(), bytes = cut.bytes, messages = cut.messages,
                    "the bag is cut off; all messages before the cut were read"
                );
                self.cut = Some(cut.clone());
            }
            self.channels.extend(file.channels());
            self.channels.sort();
            self.channels.dedup();
        }
        while let Some(path) = self.files.pop_front() {
            // A recorder that is killed as it begins its next file leaves it empty.
            if !self.lone && is_empty_mcap(&path) {
                tracing::warn!(file = %path.display(), "the bag is cut off: its last file is empty");
                self.cut = Some(Cut { path, bytes: 0, messages: 0 });
                continue;
            }
            let file = BagFile::open(&path, &self.selection)?;
            self.current = Some((path, file));
            break;
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<Option<RawMessage>, BagError> {
        while let Some((_, file)) = &mut self.current {
            match file.next_message()? {
                Some(message) => return Ok(Some(message)),
                None => self.next_file()?,
            }
        }
        Ok(None)
    }
}

impl Iterator for RawReader {
    type Item = Result<RawMessage, BagError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance();
        if next.is_err() {
            self.current = None;
            self.files.clear();
        }
        next.transpose()
    }
}

/// What a recorder leaves that is killed as it begins its next file.
pub(crate) fn is_empty_mcap(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "mcap") && fs::metadata(path).is_ok_and(|m| m.len() == 0)
}

/// The files of a bag, in the order in which rosbag2 splits them: by the number at the end of their names.
pub(crate) fn bag_files(path: &Path) -> Result<Vec<PathBuf>, BagError> {
    let metadata = fs::metadata(path).map_err(BagError::io(path, "open the bag"))?;
    if !metadata.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut names: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(path).map_err(BagError::io(path, "read the folder"))? {
        names.push(entry.map_err(BagError::io(path, "read the folder"))?.path());
    }
    let with = |ending: &str| -> Vec<PathBuf> {
        names.iter().filter(|n| n.extension().is_some_and(|e| e == ending)).cloned().collect()
    };
    let mut files = with("mcap");
    if files.is_empty() {
        files = with("db3");
    }
    files.sort_by_key(|f| (split_number(f), f.clone()));
    if files.is_empty() {
        let found = match with("zstd").first() {
            Some(file) => format!("holds compressed files (unpack them first: zstd -d {})", file.display()),
            None => "holds no .mcap or .db3 file".to_owned(),
        };
        return Err(BagError::NotABag { path: path.to_owned(), found });
    }
    Ok(files)
}

/// 12 of `NAME_12.mcap`; 0 where there is no number.
fn split_number(file: &Path) -> u64 {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    stem.rsplit_once('_').and_then(|(_, digits)| digits.parse().ok()).unwrap_or(0)
}
