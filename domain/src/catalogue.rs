//! The catalogue: what the library owns, by tag and by barcode, and where each item belongs.
//!
//! Made for a million items and more: all text lies in one arena, a record is a few numbers, homes are shared.
//! Items keep the order of the file. It is not a search engine and never changes once loaded.

mod build;
mod csv_file;
mod index;
mod item;
mod json_file;
mod parquet_file;

use std::path::Path;

use crate::address::{FaceId, Home};
use crate::callnumber::{CallNumberError, ShelfRules};
use crate::table_error::{At, TableError};
use crate::table_file::Format;
use crate::uid::Uid;

pub use item::{Item, ItemStatus, ItemView, StatusError};

use build::Builder;
use index::Index;
use item::Record;

const ALLOWED: &str = "csv, jsonl, ndjson and parquet";
const FORMATS: [Format; 3] = [Format::Csv, Format::JsonLines, Format::Parquet];

/// The columns of a catalogue file, in the order in which they are written. `barcode`, `call_number`, `scheme`
/// and `home` must be there; the others may be absent or empty. Columns of other names are left alone.
pub const COLUMNS: [&str; 11] = [
    "barcode",
    "uid",
    "call_number",
    "scheme",
    "title",
    "author",
    "thickness_m",
    "height_m",
    "home",
    "status",
    "tag_model",
];

/// All items, in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    text: String,
    records: Vec<Record>,
    homes: Vec<Home>,
    /// Names of the tag models; the first is empty.
    tag_models: Vec<String>,
    by_uid: Index,
    by_barcode: Index,
}

impl Catalogue {
    /// Loads CSV (UTF-8, with a header), JSON lines or Parquet, by the file's extension.
    ///
    /// The first thing that cannot be taken is the error: file, line or row, column, found and allowed; a second
    /// item with the same barcode or tag is refused with both places.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, TableError> {
        let path = path.as_ref();
        let mut builder = Builder::new(path);
        match Format::of(path, &FORMATS, ALLOWED)? {
            Format::Csv => csv_file::load(path, &mut builder)?,
            Format::JsonLines => json_file::load(path, &mut builder)?,
            Format::Parquet => parquet_file::load(path, &mut builder)?,
        }
        Ok(builder.finish())
    }

    /// Takes items from memory, checked as if they came from a file of the name `origin`.
    pub fn from_items(origin: &str, items: impl IntoIterator<Item = Item>) -> Result<Self, TableError> {
        let mut builder = Builder::new(Path::new(origin));
        for (i, item) in items.into_iter().enumerate() {
            builder.push_item(&item, At::Row(i as u64 + 1))?;
        }
        Ok(builder.finish())
    }

    /// Writes CSV, JSON lines or Parquet, by the file's extension; a loaded copy equals this one.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), TableError> {
        let path = path.as_ref();
        match Format::of(path, &FORMATS, ALLOWED)? {
            Format::Csv => csv_file::save(self, path),
            Format::JsonLines => json_file::save(self, path),
            Format::Parquet => parquet_file::save(self, path),
        }
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is no item at all.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The item with that tag.
    pub fn by_uid(&self, uid: &Uid) -> Option<ItemView<'_>> {
        let row = self.by_uid.find(uid.as_bytes(), |row| self.uid_bytes(row))?;
        self.get(row as usize)
    }

    /// The item with that barcode, letter for letter.
    pub fn by_barcode(&self, barcode: &str) -> Option<ItemView<'_>> {
        let row = self.by_barcode.find(barcode.as_bytes(), |row| self.barcode_bytes(row))?;
        self.get(row as usize)
    }

    /// The item of that index in the order of the file, from 0 ([`ItemView::index`]).
    pub fn get(&self, index: usize) -> Option<ItemView<'_>> {
        let record = self.records.get(index)?;
        Some(record.view(index as u32, self))
    }

    /// All items in the order of the file.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = ItemView<'_>> + Clone {
        self.records.iter().enumerate().map(|(i, r)| r.view(i as u32, self))
    }

    /// The items that should stand on a row face now: home there, and neither on loan nor otherwise away.
    pub fn expected_on<'a>(&'a self, face: &FaceId) -> impl Iterator<Item = ItemView<'a>> + use<'a> {
        let here: Vec<bool> = self.homes.iter().map(|h| h.first.face == *face).collect();
        self.records
            .iter()
            .enumerate()
            .filter(move |(_, r)| here[r.home as usize] && r.status.is_on_shelf())
            .map(|(i, r)| r.view(i as u32, self))
    }

    /// The items whose call number does not follow its scheme: they load, but stand behind all others.
    pub fn call_number_problems<'a>(
        &'a self,
        rules: &'a ShelfRules,
    ) -> impl Iterator<Item = (ItemView<'a>, CallNumberError)> {
        self.iter().filter_map(|i| rules.parse(i.scheme, i.call_number).err().map(|e| (i, e)))
    }

    fn uid_bytes(&self, row: u32) -> &[u8] {
        self.records[row as usize].uid.as_ref().map_or(&[], Uid::as_bytes)
    }

    fn barcode_bytes(&self, row: u32) -> &[u8] {
        self.records[row as usize].barcode(&self.text).as_bytes()
    }
}
