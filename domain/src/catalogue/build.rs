//! Takes rows from any source, checks them and makes the catalogue.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::Catalogue;
use super::item::{Item, ItemStatus, Record};
use crate::callnumber::Scheme;
use crate::table_error::{At, BadCell, TableError};
use crate::uid::Uid;

/// One row as a source has it. Texts may be empty; unknown sizes are NaN.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub barcode: &'a str,
    pub uid: &'a str,
    pub call_number: &'a str,
    pub scheme: &'a str,
    pub title: &'a str,
    pub author: &'a str,
    pub thickness_m: f32,
    pub height_m: f32,
    pub home: &'a str,
    pub status: &'a str,
    pub tag_model: &'a str,
}

pub(super) struct Builder {
    path: PathBuf,
    catalogue: Catalogue,
    /// Only looked up, never walked.
    home_numbers: HashMap<String, u32>,
    last_home: Option<(String, u32)>,
    /// Only looked up, never walked.
    model_numbers: HashMap<String, u32>,
}

pub(super) const HOME: &str =
    "a shelf address FLOOR/ROW+SIDE/BAY/TIER such as 3F/R07A/B04/T3, or FIRST..LAST";
pub(super) const UID: &str = "empty, or 1 to 62 bytes in hex";
pub(super) const THICKNESS: &str = "empty, or metres above 0 and up to 1";
pub(super) const HEIGHT: &str = "empty, or metres above 0 and up to 2";
const BARCODE: &str = "a barcode of at least one character";
/// Far above any title; keeps a lost quotation mark from swallowing the file.
const MOST_TEXT: usize = 65_535;
const TEXT: &str = "a text of at most 65,535 bytes";
/// Far above what a library buys in its life; a column of serial numbers is none of models.
const MOST_MODELS: usize = 1000;
const MOST_MODEL_TEXT: usize = 200;
const TAG_MODEL: &str = "empty, or the name of one of at most 1,000 models, of at most 200 bytes";

impl Builder {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.into(),
            catalogue: Catalogue { tag_models: vec![String::new()], ..Catalogue::default() },
            home_numbers: HashMap::new(),
            last_home: None,
            model_numbers: HashMap::new(),
        }
    }

    pub(super) fn push(&mut self, row: &Row<'_>, at: At) -> Result<(), TableError> {
        let record = self.record(row, at).map_err(|bad| bad.at(&self.path, at))?;
        self.take(record, row)
    }

    pub(super) fn push_item(&mut self, item: &Item, at: At) -> Result<(), TableError> {
        let uid = item.uid.as_ref().map(ToString::to_string).unwrap_or_default();
        let row = Row {
            barcode: &item.barcode,
            uid: &uid,
            call_number: &item.call_number,
            scheme: item.scheme.name(),
            title: &item.title,
            author: &item.author,
            thickness_m: item.thickness_m,
            height_m: item.height_m,
            home: &item.home.to_string(),
            status: item.status.name(),
            tag_model: &item.tag_model,
        };
        self.push(&row, at)
    }

    fn record(&mut self, row: &Row<'_>, at: At) -> Result<Record, BadCell> {
        if row.barcode.is_empty() {
            return Err(BadCell::new("barcode", "", BARCODE));
        }
        let texts = [row.barcode, row.call_number, row.title, row.author];
        let names = ["barcode", "call_number", "title", "author"];
        if let Some((text, column)) = texts.into_iter().zip(names).find(|(t, _)| t.len() > MOST_TEXT) {
            return Err(BadCell::new(column, text, TEXT));
        }
        let uid = match row.uid.trim() {
            "" => None,
            hex => Some(hex.parse::<Uid>().map_err(|_| BadCell::new("uid", row.uid, UID))?),
        };
        let scheme = row.scheme.parse().map_err(|_| BadCell::new("scheme", row.scheme, Scheme::ALLOWED))?;
        let status: ItemStatus =
            row.status.parse().map_err(|_| BadCell::new("status", row.status, ItemStatus::ALLOWED))?;
        Ok(Record {
            text_at: self.catalogue.text.len() as u64,
            text_len: texts.map(|t| t.len() as u32),
            uid,
            home: self.home(row.home)?,
            tag_model: self.tag_model(row.tag_model.trim())?,
            thickness_m: size(row.thickness_m, 1.0, "thickness_m", THICKNESS)?,
            height_m: size(row.height_m, 2.0, "height_m", HEIGHT)?,
            scheme,
            status,
            at,
        })
    }

    /// The number of a home; a shelf's books mostly follow each other, and share one.
    fn home(&mut self, text: &str) -> Result<u32, BadCell> {
        if let Some((last, number)) = &self.last_home
            && last == text
        {
            return Ok(*number);
        }
        let number = match self.home_numbers.get(text) {
            Some(&number) => number,
            None => {
                let home = text.trim().parse().map_err(|_| BadCell::new("home", text, HOME))?;
                let number = self.catalogue.homes.len() as u32;
                self.catalogue.homes.push(home);
                self.home_numbers.insert(text.into(), number);
                number
            }
        };
        self.last_home = Some((text.into(), number));
        Ok(number)
    }

    /// The number of a tag model; 0 where none is named.
    fn tag_model(&mut self, name: &str) -> Result<u32, BadCell> {
        if name.is_empty() {
            return Ok(0);
        }
        if let Some(&number) = self.model_numbers.get(name) {
            return Ok(number);
        }
        let number = self.catalogue.tag_models.len();
        if number > MOST_MODELS || name.len() > MOST_MODEL_TEXT {
            return Err(BadCell::new("tag_model", name, TAG_MODEL));
        }
        self.catalogue.tag_models.push(name.into());
        self.model_numbers.insert(name.into(), number as u32);
        Ok(number as u32)
    }

    fn take(&mut self, record: Record, row: &Row<'_>) -> Result<(), TableError> {
        let at = record.at;
        let number = self.catalogue.records.len() as u32;
        for piece in [row.barcode, row.call_number, row.title, row.author] {
            self.catalogue.text.push_str(piece);
        }
        let uid = record.uid.clone();
        self.catalogue.records.push(record);
        let Catalogue { text, records, by_uid, by_barcode, .. } = &mut self.catalogue;
        let double = |first: u32, column, value: String| TableError::Duplicate {
            path: self.path.clone(),
            column,
            value,
            first: records[first as usize].at,
            again: at,
        };
        let barcode_of = |row: u32| records[row as usize].barcode(text).as_bytes();
        if let Some(first) = by_barcode.insert(number, row.barcode.as_bytes(), barcode_of) {
            return Err(double(first, "barcode", row.barcode.into()));
        }
        if let Some(uid) = uid {
            let uid_of = |row: u32| records[row as usize].uid.as_ref().map_or(&[][..], Uid::as_bytes);
            if let Some(first) = by_uid.insert(number, uid.as_bytes(), uid_of) {
                return Err(double(first, "uid", uid.to_string()));
            }
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Catalogue {
        self.catalogue.text.shrink_to_fit();
        self.catalogue.records.shrink_to_fit();
        self.catalogue
    }
}

fn size(value: f32, most: f32, column: &'static str, allowed: &'static str) -> Result<f32, BadCell> {
    if value.is_nan() || (value > 0.0 && value <= most) {
        Ok(value)
    } else {
        Err(BadCell::new(column, value.to_string(), allowed))
    }
}

/// A size as text: empty is unknown, `nan` is not a size.
pub(super) fn size_from_text(
    text: &str,
    column: &'static str,
    allowed: &'static str,
) -> Result<f32, BadCell> {
    match text.trim() {
        "" => Ok(f32::NAN),
        number => number
            .parse()
            .ok()
            .filter(|v: &f32| v.is_finite())
            .ok_or_else(|| BadCell::new(column, text, allowed)),
    }
}

/// Which of the file's columns hold ours: the place of each of [`super::COLUMNS`].
pub(super) fn columns(path: &Path, found: &[&str]) -> Result<[Option<usize>; 11], TableError> {
    let mut places = [None; 11];
    for (place, column) in places.iter_mut().zip(super::COLUMNS) {
        *place = found.iter().position(|f| *f == column);
        if found.iter().filter(|f| **f == column).count() > 1 {
            return Err(TableError::DoubleColumn { path: path.into(), column: column.into() });
        }
        let required = matches!(column, "barcode" | "call_number" | "scheme" | "home");
        if required && place.is_none() {
            let found = found.iter().map(ToString::to_string).collect();
            return Err(TableError::MissingColumn { path: path.into(), column, found });
        }
    }
    Ok(places)
}
