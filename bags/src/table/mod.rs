//! A bag's topics as tables, CSV or Parquet: for spreadsheets, pandas and the like.
//!
//! Works from the definitions in the bag, so types that `interfaces` does not have are exported too. A message is a
//! row, its nested fields are columns with dotted names, times are nanoseconds. A message with one list of messages in
//! it (sightings, transforms) makes one row for each element. Other lists stand in one column as JSON, bytes as hex.

mod columns;
mod definition;
mod files;
mod value;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::BagError;
use crate::raw_reader::RawReader;
use crate::selection::Selection;
use columns::Table;
use files::TableFile;

/// Kind of table file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// Comma-separated values with a header line.
    Csv,
    /// Parquet, zstd.
    Parquet,
}

impl TableFormat {
    fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }
}

/// One table that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// The file.
    pub path: PathBuf,
    /// Its topic.
    pub topic: String,
    /// Rows.
    pub rows: u64,
}

/// What became of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Export {
    /// Tables, by topic.
    pub tables: Vec<Exported>,
    /// Topics that could not be written, and why.
    pub left_out: BTreeMap<String, String>,
}

/// Writes each topic of a bag to `folder/TOPIC.csv` or `.parquet`. `go_on` is asked after every message; when it says
/// no, the tables are closed as they are.
///
/// # Errors
/// As [`RawReader`]; [`BagError::Io`] where a table cannot be written; [`BagError::Table`] for a message that does
/// not fit its definition.
pub fn export(
    bag: &Path,
    selection: Selection,
    folder: &Path,
    format: TableFormat,
    mut go_on: impl FnMut(u64) -> bool,
) -> Result<Export, BagError> {
    let mut reader = RawReader::open(bag, selection)?;
    std::fs::create_dir_all(folder).map_err(BagError::io(folder, "create the folder"))?;
    let mut open: BTreeMap<(String, String), (Table, TableFile)> = BTreeMap::new();
    let mut out = Export::default();
    let mut count = 0;
    while let Some(message) = reader.next() {
        let message = message?;
        let channel = &message.channel;
        let topic = channel.topic.to_string();
        if out.left_out.contains_key(&topic) {
            continue;
        }
        let key = (topic.clone(), channel.type_name.clone());
        if !open.contains_key(&key) {
            match Table::of(channel) {
                Ok(table) => {
                    let path = folder.join(file_name(&topic, &channel.type_name, &open, format));
                    let file = TableFile::create(&path, format, table.columns())?;
                    open.insert(key.clone(), (table, file));
                }
                Err(why) => {
                    out.left_out.insert(topic, why);
                    continue;
                }
            }
        }
        // It was just put there.
        let Some((table, file)) = open.get_mut(&key) else { continue };
        let rows = table.rows(message.stamp_ns, &message.data).map_err(|problem| BagError::Table {
            path: reader.file().map_or_else(PathBuf::new, Path::to_owned),
            topic: topic.clone(),
            stamp_ns: message.stamp_ns,
            problem,
        })?;
        for row in rows {
            file.write(row)?;
        }
        count += 1;
        if !go_on(count) {
            break;
        }
    }
    for ((topic, _), (_, file)) in open {
        let (path, rows) = file.finish()?;
        out.tables.push(Exported { path, topic, rows });
    }
    Ok(out)
}

/// `inv_1_scan.csv` of `/inv_1/scan`; the type's name is added where two types share a topic's file.
fn file_name(
    topic: &str,
    type_name: &str,
    open: &BTreeMap<(String, String), (Table, TableFile)>,
    format: TableFormat,
) -> String {
    let plain = |text: &str| -> String {
        text.trim_matches('/').chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect()
    };
    let name = plain(topic);
    if open.keys().any(|(other, _)| plain(other) == name) {
        return format!("{name}-{}-{}.{}", plain(type_name), open.len(), format.ending());
    }
    format!("{name}.{}", format.ending())
}
