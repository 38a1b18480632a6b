//! Tables from and for the outside: reads (Parquet, CSV), positions and truth (CSV).
//!
//! A file that does not have the table's form is refused with file, row and column. A read that has the form
//! but cannot be right (carrier 0, phase beyond a turn, no antenna position) is left out, counted and named in
//! [`ReadProblems`], so that one bad read does not cost a night's scan.

mod positions;
mod reads_csv;
mod reads_parquet;
mod rows;
mod truth;

use std::path::{Path, PathBuf};

pub use positions::write_positions;
pub use rows::{LoadedReads, ReadProblem, ReadProblems};
pub use truth::{TruthRow, load_truth};

/// Why a table was refused.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file cannot be read or written.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not of the format that its name says.
    #[error("{}: {found}; expected {allowed}", file.display())]
    Format {
        /// The file.
        file: PathBuf,
        /// What was found.
        found: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A required column is not there, or a column has a type that does not fit.
    #[error("{}: column {column}: {found}; expected {allowed}", file.display())]
    Column {
        /// The file.
        file: PathBuf,
        /// The column.
        column: &'static str,
        /// What was found.
        found: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// One value is malformed.
    #[error("{}: {place} {row}, column {column}: found {found:?}, expected {allowed}", file.display())]
    Value {
        /// The file.
        file: PathBuf,
        /// What `row` counts: `line` of a CSV, the header being line 1, or `row` of a Parquet file, from 1.
        place: &'static str,
        /// Where.
        row: u64,
        /// The column.
        column: &'static str,
        /// What was found.
        found: String,
        /// What is allowed.
        allowed: &'static str,
    },
}

/// Loads a reads table by its extension, `.parquet` or `.csv`. Scans come in the order of their first read,
/// reads in the order of the file.
pub fn load_scans(path: &Path) -> Result<LoadedReads, TableError> {
    match path.extension().and_then(|e| e.to_str()) {
        Some("parquet") => reads_parquet::load(path),
        Some("csv") => reads_csv::load(path),
        other => Err(TableError::Format {
            file: path.to_owned(),
            found: other.map_or("no file extension".into(), |e| format!("extension .{e}")),
            allowed: "a reads table as .parquet or .csv",
        }),
    }
}

fn io_error(file: &Path) -> impl FnOnce(std::io::Error) -> TableError {
    let file = file.to_owned();
    move |source| TableError::Io { file, source }
}
