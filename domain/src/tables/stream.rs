//! Reads tables scan by scan, for files larger than memory.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use super::reads_csv::CsvReads;
use super::reads_parquet::ParquetReads;
use super::rows::{ReadProblems, Sorter};
use crate::reads::Scan;
use crate::table_error::TableError;
use crate::table_file::Format;

/// A source of rows, read piece by piece.
pub(super) trait RowSource {
    /// Pushes the next piece of some ten thousand rows; false at the end of the file.
    fn fill(&mut self, sorter: &mut Sorter) -> Result<bool, TableError>;
}

pub(super) fn open(path: &Path) -> Result<Box<dyn RowSource>, TableError> {
    Ok(match Format::of(path, &[Format::Csv, Format::Parquet], "csv and parquet")? {
        Format::Parquet => Box::new(ParquetReads::open(path)?),
        _ => Box::new(CsvReads::open(path)?),
    })
}

/// Gives the scans of a reads table one after the other. The reads of a scan must stand together in the file;
/// a scan that comes back is refused ([`TableError::Scattered`]), and [`super::load_scans`] takes such a file.
///
/// After an error there is nothing more.
pub struct ScanReader {
    path: PathBuf,
    source: Box<dyn RowSource>,
    sorter: Sorter,
    ready: VecDeque<Scan>,
    at_end: bool,
}

impl ScanReader {
    /// Opens `.parquet` or `.csv`; what is wrong with its columns is said here, what is wrong with a row on the way.
    pub fn open(path: &Path) -> Result<Self, TableError> {
        Ok(Self {
            path: path.into(),
            source: open(path)?,
            sorter: Sorter::default(),
            ready: VecDeque::new(),
            at_end: false,
        })
    }

    /// What was left out so far; of the whole file once the last scan was given.
    pub fn problems(&self) -> &ReadProblems {
        self.sorter.problems()
    }

    fn refill(&mut self) -> Result<(), TableError> {
        while self.ready.is_empty() && !self.at_end {
            self.at_end = !self.source.fill(&mut self.sorter)?;
            if let Some((scan, at)) = self.sorter.scattered() {
                return Err(TableError::Scattered { path: self.path.clone(), scan: scan.into(), at });
            }
            self.ready.extend(if self.at_end { self.sorter.take_all() } else { self.sorter.take_finished() });
        }
        Ok(())
    }
}

impl Iterator for ScanReader {
    type Item = Result<Scan, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(error) = self.refill() {
            self.at_end = true;
            return Some(Err(error));
        }
        self.ready.pop_front().map(Ok)
    }
}
