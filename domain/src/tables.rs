//! Tables from and for the outside: reads (Parquet, CSV), positions and truth (CSV).
//!
//! A file that does not have the table's form is refused with file, row and column. A read that has the form
//! but cannot be right (carrier 0, phase beyond a turn, no antenna position) is left out, counted and named in
//! [`ReadProblems`], so that one bad read does not cost a night's scan.

mod positions;
mod reads_csv;
mod reads_parquet;
mod rows;
mod stream;
mod truth;

use std::path::Path;

pub use crate::reads::ReadProblem;
pub use crate::table_error::TableError;
pub use positions::write_positions;
pub use rows::{LoadedReads, ReadProblems};
pub use stream::ScanReader;
pub use truth::{TruthRow, load_truth};

/// Loads a reads table by its extension, `.parquet` or `.csv`. Scans come in the order of their first read,
/// reads in the order of the file; a scan's reads need not stand together.
pub fn load_scans(path: &Path) -> Result<LoadedReads, TableError> {
    let mut source = stream::open(path)?;
    let mut sorter = rows::Sorter::default();
    while source.fill(&mut sorter)? {}
    Ok(sorter.finish())
}
