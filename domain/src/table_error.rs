//! The one error of all tables (catalogue, reads, positions, truth): file, place, column, found, allowed.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Where in a table: text files count lines, the header included; Parquet counts rows. Both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    /// Line of a text file.
    Line(u64),
    /// Row of a Parquet file, or of items that never were in a file.
    Row(u64),
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(n) => write!(f, "line {n}"),
            Self::Row(n) => write!(f, "row {n}"),
        }
    }
}

/// Why a table cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file system says no.
    #[error("{path}: cannot read: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file system says no.
    #[error("{path}: cannot write: {source}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No known kind of table.
    #[error("{path}: the name ends in {found:?}, allowed are {allowed}", path = path.display())]
    Extension {
        /// The file.
        path: PathBuf,
        /// The extension as found.
        found: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The file is not what its name says, or is cut off.
    #[error("{path}: no readable {format}: {problem}", path = path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The format by the file's name.
        format: &'static str,
        /// What its reader says.
        problem: String,
    },
    /// A line that does not have the table's form.
    #[error("{path}: {at}: {problem}", path = path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line.
        at: At,
        /// What is wrong with it.
        problem: String,
    },
    /// A column that must be there.
    #[error("{path}: column `{column}` is missing; found {found:?}", path = path.display())]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: &'static str,
        /// The columns found.
        found: Vec<String>,
    },
    /// A column that is there twice.
    #[error("{path}: column `{column}` stands there twice", path = path.display())]
    DoubleColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// A column of a type that cannot be taken.
    #[error("{path}: column `{column}`: found type {found}, allowed is {allowed}", path = path.display())]
    ColumnType {
        /// The file.
        path: PathBuf,
        /// The column.
        column: &'static str,
        /// The type found.
        found: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A cell that cannot be taken.
    #[error("{path}: {at}, column `{column}`: found {found:?}, allowed is {allowed}", path = path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Line or row.
        at: At,
        /// The column.
        column: &'static str,
        /// The cell as found.
        found: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The reads of a scan do not stand together, and the table is read scan by scan.
    #[error("{path}: {at}, column `scan`: {scan:?} comes back after another scan; sort the table by scan", path = path.display())]
    Scattered {
        /// The file.
        path: PathBuf,
        /// The scan.
        scan: String,
        /// Where it comes back.
        at: At,
    },
    /// A value that may occur once occurs again.
    #[error("{path}: {again}, column `{column}`: {value:?} already stands in {first}", path = path.display())]
    Duplicate {
        /// The file.
        path: PathBuf,
        /// The column.
        column: &'static str,
        /// The value.
        value: String,
        /// Where it stood first.
        first: At,
        /// Where it stands again.
        again: At,
    },
}

impl TableError {
    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Read { path: path.into(), source }
    }

    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Write { path: path.into(), source }
    }

    pub(crate) fn format(path: &Path, format: &'static str, problem: impl fmt::Display) -> Self {
        Self::Format { path: path.into(), format, problem: problem.to_string() }
    }

    /// What the CSV reader says, with its line.
    pub(crate) fn csv(path: &Path, error: csv::Error) -> Self {
        let line = error.position().map_or(1, csv::Position::line);
        match error.into_kind() {
            csv::ErrorKind::Io(source) => Self::Read { path: path.into(), source },
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => Self::Syntax {
                path: path.into(),
                at: At::Line(line),
                problem: format!("found {len} fields, the header has {expected_len}"),
            },
            csv::ErrorKind::Utf8 { err, .. } => Self::Syntax {
                path: path.into(),
                at: At::Line(line),
                problem: format!("field {} is no UTF-8; save the file as UTF-8", err.field() + 1),
            },
            other => Self::Syntax { path: path.into(), at: At::Line(line), problem: format!("{other:?}") },
        }
    }
}

/// A cell that cannot be taken, before file and place are known to it.
#[derive(Debug)]
pub(crate) struct BadCell {
    pub column: &'static str,
    pub found: String,
    pub allowed: &'static str,
}

impl BadCell {
    pub(crate) fn new(column: &'static str, found: impl Into<String>, allowed: &'static str) -> Self {
        let found: String = found.into();
        // A whole broken file may sit in one cell; the error stays readable.
        let found =
            if found.chars().count() > 80 { found.chars().take(80).chain(['…']).collect() } else { found };
        Self { column, found, allowed }
    }

    pub(crate) fn at(self, path: &Path, at: At) -> TableError {
        TableError::Value {
            path: path.into(),
            at,
            column: self.column,
            found: self.found,
            allowed: self.allowed,
        }
    }
}
