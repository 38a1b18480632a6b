//! `site.toml` in and out: one clear error with file, line and key, or a site that is sound.

use std::io::Write;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::Site;
use super::check::{Finding, check};
use crate::table_file::write_file;

/// Why a site file was refused.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// The file cannot be read or written.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not TOML, or a key that is unknown, missing or of the wrong type.
    #[error("{}: {found}", file.display())]
    Form {
        /// The file.
        file: PathBuf,
        /// Line, key and what is allowed, in the parser's words.
        found: String,
    },
    /// A value that cannot be.
    #[error("{}: line {line}, column {column}, {key}: found {found}, expected {allowed}", file.display())]
    Value {
        /// The file.
        file: PathBuf,
        /// Line of the value, from 1.
        line: usize,
        /// Column of the value, in characters from 1.
        column: usize,
        /// Path of the key, `floor[0].face[2].bays`.
        key: String,
        /// What was found.
        found: String,
        /// What is allowed.
        allowed: &'static str,
    },
}

impl Site {
    /// Loads and checks a site file.
    pub fn load(path: &Path) -> Result<Self, SiteError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SiteError::Io { file: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Parses and checks the text of a site file; `path` is for the error.
    pub fn parse(text: &str, path: &Path) -> Result<Self, SiteError> {
        let site: Self = toml::from_str(text).map_err(|e| SiteError::Form {
            file: path.to_owned(),
            found: e.to_string().trim_end().to_owned(),
        })?;
        match check(&site) {
            None => Ok(site),
            Some(Finding { key, found, allowed }) => {
                let (line, column) = place_of(text, &key);
                Err(SiteError::Value { file: path.to_owned(), line, column, key, found, allowed })
            }
        }
    }

    /// Checks a site that was made and not loaded; the error names no line.
    pub fn check(&self) -> Result<(), Finding> {
        check(self).map_or(Ok(()), Err)
    }

    /// Writes the site as TOML; the file is the old one or the whole new one.
    pub fn save(&self, path: &Path) -> Result<(), SiteError> {
        let text = toml::to_string(self)
            .map_err(|e| SiteError::Form { file: path.to_owned(), found: e.to_string() })?;
        write_file(path, |out| out.write_all(text.as_bytes()))
            .map_err(|source| SiteError::Io { file: path.to_owned(), source })
    }
}

/// Line and column, from 1, at which the value of a key path such as `floor[0].face[2].bays` stands; of what of the
/// path can be found, if not all of it.
fn place_of(text: &str, key: &str) -> (usize, usize) {
    let Ok(root) = DeTable::parse(text) else { return (1, 1) };
    let mut offset = 0;
    let mut table = Some(root.get_ref());
    let mut array: Option<&toml::de::DeArray<'_>> = None;
    for step in key.split(['.', '[', ']']).filter(|s| !s.is_empty()) {
        let next = match step.parse::<usize>() {
            Ok(index) => array.and_then(|a| a.get(index)),
            Err(_) => table.and_then(|t| t.get(step)),
        };
        let Some(value) = next else { break };
        offset = value.span().start;
        table = value.get_ref().as_table();
        array = match value.get_ref() {
            DeValue::Array(a) => Some(a),
            _ => None,
        };
    }
    let before = &text.as_bytes()[..offset];
    let start = before.iter().rposition(|&b| b == b'\n').map_or(0, |n| n + 1);
    let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
    (before.iter().filter(|&&b| b == b'\n').count() + 1, column)
}
