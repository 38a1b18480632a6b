//! A library from files: any `site.toml`, its catalogue, and, where it is known, which book really stands where.
//!
//! Without a table of books every book that is not on loan stands at its home, in shelf order from the left; a home
//! of several shelves is filled bay by bay from the left, tiers from the top down.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use domain::catalogue::{Catalogue, ItemStatus};
use domain::site::SiteError;
use domain::table_error::{At, TableError};
use domain::{Home, ShelfAddress, Site, Uid};
use serde::{Deserialize, Serialize};

use super::{Book, Library, LibrarySettings, ShelfRules, usable};
use crate::stacks::{Posture, Slot, Stacks};

/// The files of a library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LibraryFiles {
    /// The site, `site.toml`.
    pub site: PathBuf,
    /// The catalogue: CSV, JSON lines or Parquet.
    pub catalogue: PathBuf,
    /// Which book really stands where: CSV with the columns `uid` and `shelf`, and as far as known `left_m` (of the
    /// book, from the left end of its shelf), `thickness_m`, `height_m`, `posture` (`upright`, `upside_down`, `lying`,
    /// `leaning`) and `pushed_back_m`. Books of one shelf come from the left. What the table does not hold is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub books: Option<PathBuf>,
}

/// Why a library's files are refused.
#[derive(Debug, thiserror::Error)]
pub enum LibraryFilesError {
    /// The site.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// The catalogue or the table of books.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A home that the site does not have, or whose books have no room on it.
    #[error("{}: home {home}: {found}", catalogue.display())]
    Home {
        /// The catalogue.
        catalogue: PathBuf,
        /// The home.
        home: String,
        /// What is wrong with it.
        found: String,
    },
}

/// Thickness and height of a book whose measures nobody took, m: the means of a library's.
const UNMEASURED_M: [f64; 2] = [0.0245, 0.215];
/// Books may overlap by this much, m: tables are rounded.
const ROUNDING_M: f64 = 0.0006;
/// No shelf may be asked to hold more volumes.
const MOST_BOOKS: usize = 5_000_000;

impl LibraryFiles {
    /// Takes relative paths to lie in a folder.
    pub fn lie_in(&mut self, folder: &Path) {
        for path in [&mut self.site, &mut self.catalogue].into_iter().chain(&mut self.books) {
            *path = folder.join(&path);
        }
    }

    /// The site alone.
    ///
    /// # Errors
    /// As [`Site::load`].
    pub fn site(&self) -> Result<Site, SiteError> {
        Site::load(&self.site)
    }

    /// Site, catalogue, and where a table of books says so, what stands where.
    ///
    /// # Errors
    /// The first thing in the files that cannot be: file, place, key.
    pub fn load(
        &self,
        settings: &LibrarySettings,
        seed: u64,
    ) -> Result<(Library, Option<Stacks>), LibraryFilesError> {
        let site = self.site()?;
        let catalogue = Catalogue::load(&self.catalogue)?;
        let library = self.shelve(site, &catalogue)?;
        let stacks = self.books.as_deref().map(|path| placed(path, &library, settings, seed)).transpose()?;
        Ok((library, stacks))
    }

    /// Gives every book of the catalogue its shelf.
    fn shelve(&self, site: Site, catalogue: &Catalogue) -> Result<Library, LibraryFilesError> {
        let rules = ShelfRules::default();
        let mut by_home: BTreeMap<&Home, Vec<u32>> = BTreeMap::new();
        for item in catalogue.iter() {
            by_home.entry(item.home).or_default().push(item.index);
        }
        let mut books: Vec<Book> = Vec::with_capacity(catalogue.len());
        for (home, mut items) in by_home {
            items.sort_by_cached_key(|&i| catalogue.get(i as usize).map(|item| item.shelf_key(&rules)));
            let refused = |found: String| LibraryFilesError::Home {
                catalogue: self.catalogue.clone(),
                home: home.to_string(),
                found,
            };
            let shelves = shelves_of(&site, home).map_err(&refused)?;
            let single = shelves.len() == 1;
            let mut shelves = shelves.into_iter();
            let mut shelf = shelves.next();
            let mut used = 0.0;
            for item in items.into_iter().filter_map(|i| catalogue.get(i as usize)) {
                let on_loan = item.status != ItemStatus::Available;
                let [thickness_m, height_m] = measures(item.thickness_m.into(), item.height_m.into());
                let wide = if on_loan { 0.0 } else { thickness_m };
                while shelf.as_ref().is_some_and(|(_, width)| used + wide > width + ROUNDING_M) {
                    shelf = shelves.next();
                    used = 0.0;
                }
                let Some((address, _)) = &shelf else {
                    return Err(refused(format!(
                        "no room for {} and what follows it in shelf order",
                        item.barcode
                    )));
                };
                used += wide;
                books.push(Book {
                    uid: item.uid.cloned().unwrap_or_default(),
                    barcode: item.barcode.into(),
                    call_number: item.call_number.into(),
                    scheme: item.scheme,
                    title: item.title.into(),
                    author: item.author.into(),
                    thickness_m,
                    height_m,
                    home: address.clone(),
                    range: (!single).then(|| Box::new(home.clone())),
                    on_loan,
                    tag_model: item.tag_model.into(),
                });
            }
        }
        Ok(Library { site, rules, books })
    }
}

fn measures(thickness_m: f64, height_m: f64) -> [f64; 2] {
    let known = |v: f64, other: f64| if v.is_finite() && v > 0.0 { v } else { other };
    [known(thickness_m, UNMEASURED_M[0]), known(height_m, UNMEASURED_M[1])]
}

/// The shelves of a home in shelf order with their widths, m.
fn shelves_of(site: &Site, home: &Home) -> Result<Vec<(ShelfAddress, f64)>, String> {
    let (_, face) = site.face(&home.first.face).ok_or("the site has no such row face")?;
    let tiers = face.tiers.len() as u8;
    for end in [&home.first, &home.last] {
        if end.bay > face.bays || end.tier > tiers {
            return Err(format!("the row face has {} bays and {tiers} tiers", face.bays));
        }
    }
    let mut all = Vec::new();
    for bay in home.first.bay..=home.last.bay {
        for tier in (1..=tiers).rev() {
            let before = bay == home.first.bay && tier > home.first.tier;
            let after = bay == home.last.bay && tier < home.last.tier;
            if !before && !after {
                let (left, right) = usable(bay, face.bay_width_m);
                all.push((ShelfAddress { face: home.first.face.clone(), bay, tier }, right - left));
            }
        }
    }
    if all.is_empty() { Err("its last shelf comes before its first".into()) } else { Ok(all) }
}

/// One line of the table of books.
#[derive(Debug, Deserialize)]
struct Line {
    uid: String,
    shelf: String,
    left_m: Option<f64>,
    thickness_m: Option<f64>,
    height_m: Option<f64>,
    posture: Option<Posture>,
    pushed_back_m: Option<f64>,
}

const COLUMNS: [&str; 7] = ["uid", "shelf", "left_m", "thickness_m", "height_m", "posture", "pushed_back_m"];

/// The table of books, taken line by line.
struct Table<'a> {
    path: &'a Path,
    at: At,
}

impl Table<'_> {
    fn refuse(&self, column: &'static str, found: &str, allowed: &'static str) -> TableError {
        TableError::Value { path: self.path.into(), at: self.at, column, found: found.to_string(), allowed }
    }

    fn within(
        &self,
        column: &'static str,
        v: Option<f64>,
        range: [f64; 2],
        allowed: &'static str,
    ) -> Result<Option<f64>, TableError> {
        match v {
            // NaN is in no range.
            Some(v) if !(range[0]..=range[1]).contains(&v) => {
                Err(self.refuse(column, &v.to_string(), allowed))
            }
            v => Ok(v),
        }
    }

    /// A cell of another type than its column's.
    fn cell(&self, record: &csv::StringRecord, header: &csv::StringRecord, error: &csv::Error) -> TableError {
        let field = match error.kind() {
            csv::ErrorKind::Deserialize { err, .. } => err.field().map(|f| f as usize),
            _ => None,
        };
        let column = field.and_then(|f| COLUMNS.into_iter().find(|c| header.get(f) == Some(c)));
        match (column, field.and_then(|f| record.get(f))) {
            (Some("posture"), Some(found)) => {
                self.refuse("posture", found, "upright, upside_down, lying or leaning")
            }
            (Some(column), Some(found)) => self.refuse(column, found, "a number, m, or nothing"),
            _ => self.broken(error),
        }
    }

    fn broken(&self, error: &csv::Error) -> TableError {
        let at = At::Line(error.position().map_or(1, csv::Position::line));
        TableError::Syntax { path: self.path.into(), at, problem: error.to_string() }
    }
}

/// What stands where by a table of books.
fn placed(
    path: &Path,
    library: &Library,
    settings: &LibrarySettings,
    seed: u64,
) -> Result<Stacks, TableError> {
    let mut table = Table { path, at: At::Line(1) };
    let file = std::fs::File::open(path).map_err(|source| TableError::Read { path: path.into(), source })?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let header = reader.headers().map_err(|e| table.broken(&e))?.clone();
    let found: Vec<String> = header.iter().map(str::to_owned).collect();
    for column in ["uid", "shelf"] {
        if !found.iter().any(|c| c == column) {
            return Err(TableError::MissingColumn { path: path.into(), column, found });
        }
    }
    if let Some(unknown) = found.iter().find(|c| !COLUMNS.contains(&c.as_str())) {
        let problem = format!("column {unknown:?} is not known, allowed are {}", COLUMNS.join(", "));
        return Err(TableError::Syntax { path: path.into(), at: At::Line(1), problem });
    }
    let mut stacks = Stacks::empty(library, settings, seed);
    let by_uid: BTreeMap<Uid, usize> =
        stacks.volumes.iter().enumerate().map(|(i, v)| (v.uid.clone(), i)).collect();
    let mut seen: BTreeMap<Uid, At> = BTreeMap::new();
    for record in reader.into_records() {
        let record = record.map_err(|e| table.broken(&e))?;
        table.at = At::Line(record.position().map_or(0, csv::Position::line));
        let line: Line = record.deserialize(Some(&header)).map_err(|e| table.cell(&record, &header, &e))?;
        let uid: Uid =
            line.uid.parse().map_err(|_| table.refuse("uid", &line.uid, "1 to 62 bytes in hex"))?;
        if let Some(&first) = seen.get(&uid) {
            let (path, value) = (path.into(), uid.to_string());
            return Err(TableError::Duplicate { path, column: "uid", value, first, again: table.at });
        }
        if seen.len() >= MOST_BOOKS {
            return Err(table.refuse("uid", &uid.to_string(), "at most 5,000,000 books"));
        }
        seen.insert(uid.clone(), table.at);
        put(&mut stacks, library, &by_uid, &table, uid, &line, seed)?;
    }
    Ok(stacks)
}

/// Puts one book on its shelf, right of what stands there.
fn put(
    stacks: &mut Stacks,
    library: &Library,
    by_uid: &BTreeMap<Uid, usize>,
    table: &Table<'_>,
    uid: Uid,
    line: &Line,
    seed: u64,
) -> Result<(), TableError> {
    let shelf = line.shelf.parse::<ShelfAddress>().ok();
    let (address, shelf_width_m) = shelf
        .and_then(|a| {
            let (_, face) = library.site.face(&a.face)?;
            let (left, right) = usable(a.bay, face.bay_width_m);
            stacks.shelves.contains_key(&a).then_some((a, right - left))
        })
        .ok_or_else(|| table.refuse("shelf", &line.shelf, "a shelf of the site, as 3F/R07A/B04/T3"))?;
    let thickness = table.within("thickness_m", line.thickness_m, [0.001, 0.3], "0.001 to 0.3 m")?;
    let height = table.within("height_m", line.height_m, [0.05, 0.6], "0.05 to 0.6 m")?;
    let back_m = table.within("pushed_back_m", line.pushed_back_m, [0.0, 0.3], "0 to 0.3 m")?.unwrap_or(0.0);
    let left = table.within("left_m", line.left_m, [0.0, 5.0], "0 to the shelf's width")?;
    let volume = match by_uid.get(&uid) {
        Some(&known) => known,
        None => {
            let [t, h] = measures(thickness.unwrap_or(f64::NAN), height.unwrap_or(f64::NAN));
            stacks.add_foreign(uid, t, h, seed)
        }
    };
    let v = &mut stacks.volumes[volume];
    v.thickness_m = thickness.unwrap_or(v.thickness_m);
    v.height_m = height.unwrap_or(v.height_m);
    v.tag_right_m = v.tag_right_m.min(v.thickness_m / 2.0);
    let posture = line.posture.unwrap_or_default();
    let width = v.width_m(posture);
    let used = stacks.shelves.get(&address).map_or(0.0, |slots| stacks.used_m(slots));
    let gap_m = left.map_or(0.0, |l| l - used);
    if gap_m < -ROUNDING_M {
        let found = format!("{} on {address}, where a book ends at {used:.4}", left.unwrap_or(0.0));
        return Err(table.refuse("left_m", &found, "books that do not overlap, from the left"));
    }
    let gap_m = gap_m.max(0.0);
    if used + gap_m + width > shelf_width_m + ROUNDING_M {
        let end = used + gap_m + width;
        let found = format!("a book that ends at {end:.4} m on {address}, {shelf_width_m:.3} m wide");
        return Err(table.refuse("shelf", &found, "books that the shelf has room for"));
    }
    if let Some(slots) = stacks.shelves.get_mut(&address) {
        slots.push(Slot { volume, gap_m, posture, back_m });
    }
    Ok(())
}
