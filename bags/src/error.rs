//! What can go wrong with a bag.

use std::io;
use std::path::{Path, PathBuf};

/// Why a bag cannot be written or read. Each names the file.
#[derive(Debug, thiserror::Error)]
pub enum BagError {
    /// The operating system refused.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// Writing stopped, mostly because the disk is full. What is on the disk was closed and opens.
    #[error(
        "{}: recording stopped: {source}; the bag was closed and keeps the {kept} messages written before \
         ({lost} are lost)",
        path.display()
    )]
    Stopped {
        /// The `.mcap` file.
        path: PathBuf,
        /// Messages on the disk.
        kept: u64,
        /// Messages that were taken and are not on the disk.
        lost: u64,
        /// Why.
        source: io::Error,
    },
    /// The disk has little more than the space that is to stay free. The bag was closed in order and opens.
    #[error(
        "{}: recording ended with {} MiB free, to leave {} MiB of reserve; the bag is complete up to here",
        path.display(), free >> 20, reserve >> 20
    )]
    NoSpace {
        /// The bag's folder.
        path: PathBuf,
        /// Free bytes.
        free: u64,
        /// Bytes that stay free.
        reserve: u64,
    },
    /// An earlier error has closed the bag.
    #[error("{}: the bag is closed", .0.display())]
    Closed(PathBuf),
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// The bag's folder is already there.
    #[error("{}: exists already; a bag is written to a new folder", .0.display())]
    Exists(PathBuf),
    /// Something else than a bag.
    #[error("{}: {found}, expected a folder with .mcap or .db3 files, or such a file", path.display())]
    NotABag {
        /// The file or folder.
        path: PathBuf,
        /// What was found.
        found: String,
    },
    /// An MCAP file whose bytes do not hold together.
    #[error("{}: near byte {offset}: {problem}", path.display())]
    Malformed {
        /// The `.mcap` file.
        path: PathBuf,
        /// Where, about.
        offset: u64,
        /// What is wrong.
        problem: String,
    },
    /// A message whose bytes do not fit its type.
    #[error("{}: message at {stamp_ns} ns on {topic}: {source}", path.display())]
    Message {
        /// The `.mcap` file.
        path: PathBuf,
        /// Its topic.
        topic: String,
        /// Its stamp, ns.
        stamp_ns: i64,
        /// What is wrong.
        source: Box<interfaces::CdrError>,
    },
    /// A message whose bytes do not fit the definition in the bag.
    #[error("{}: message at {stamp_ns} ns on {topic}: {problem}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// Its topic.
        topic: String,
        /// Its stamp, ns.
        stamp_ns: i64,
        /// What is wrong.
        problem: String,
    },
    /// A stamp that MCAP cannot hold.
    #[error("{}: message on {topic} is stamped {stamp_ns} ns, expected 0 or later", path.display())]
    Stamp {
        /// The `.mcap` file.
        path: PathBuf,
        /// The message's topic.
        topic: String,
        /// Its stamp, ns.
        stamp_ns: i64,
    },
    /// SQLite refused.
    #[error("{}: {source}", path.display())]
    Sqlite {
        /// The `.db3` file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The MCAP library refused.
    #[error("{}: {source}", path.display())]
    Mcap {
        /// The `.mcap` file.
        path: PathBuf,
        /// Why.
        source: mcap::McapError,
    },
}

impl BagError {
    /// Names path and action in an operating system's error.
    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, action, source }
    }

    /// Names the path in the MCAP library's error.
    pub(crate) fn mcap(path: &Path) -> impl Fn(mcap::McapError) -> Self {
        let path = path.to_owned();
        move |source| Self::Mcap { path: path.clone(), source }
    }

    /// Names the path in SQLite's error.
    pub(crate) fn sqlite(path: &Path) -> impl Fn(rusqlite::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Sqlite { path: path.clone(), source }
    }
}
