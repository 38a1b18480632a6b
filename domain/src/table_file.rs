//! Files of tables: which format a name means, and writing so that a cut or a full disk leaves no half table.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::table_error::TableError;

/// The format that a file's name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    JsonLines,
    Parquet,
}

impl Format {
    pub(crate) fn of(path: &Path, allowed: &[Format], shown: &'static str) -> Result<Self, TableError> {
        let found = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let format = match found.as_str() {
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            "parquet" => Some(Self::Parquet),
            _ => None,
        };
        format.filter(|f| allowed.contains(f)).ok_or_else(|| TableError::Extension {
            path: path.into(),
            found,
            allowed: shown,
        })
    }
}

/// Writes a table by [`write_file`].
pub(crate) fn write_whole(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<(), TableError> {
    write_file(path, fill).map_err(TableError::write(path))
}

/// Writes beside the target and moves into place once all is on disk: the old file or the whole new one.
pub(crate) fn write_file(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let part = part_of(path);
    let done = (|| {
        let mut out = BufWriter::new(File::create(&part)?);
        fill(&mut out)?;
        out.flush()?;
        out.get_ref().sync_all()?;
        fs::rename(&part, path)
    })();
    if done.is_err() {
        // The half file is of no use to anyone; that it cannot be removed would only hide the real error.
        let _ = fs::remove_file(&part);
    }
    done
}

fn part_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    path.with_file_name(name)
}
