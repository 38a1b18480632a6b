//! Truth tables: where tags really were, for evaluation only.

use std::path::Path;

use super::TableError;
use super::reads_csv::Csv;
use crate::uid::Uid;

/// One tag of one scan.
#[derive(Debug, Clone, PartialEq)]
pub struct TruthRow {
    /// Name of the scan.
    pub scan: String,
    /// The tag.
    pub epc: Uid,
    /// Along the rail or shelf, m.
    pub x_m: f64,
    /// Distance from the antenna's track, m.
    pub range_m: f64,
    /// Row or tier; 0 is the middle one on the rail.
    pub row: i32,
    /// Order along x within the row, from 0.
    pub slot: u32,
}

/// Loads a truth table: CSV with `scan, epc, x_m, range_m, row, slot`.
pub fn load_truth(path: &Path) -> Result<Vec<TruthRow>, TableError> {
    let mut csv = Csv::open(path)?;
    let scan = csv.required("scan", "text")?;
    let epc = csv.required("epc", "a tag identifier in hex")?;
    let x = csv.required("x_m", "a number, m")?;
    let range = csv.required("range_m", "a number, m")?;
    let row = csv.required("row", "an integer")?;
    let slot = csv.required("slot", "an integer from 0")?;
    let mut rows = Vec::new();
    while csv.next()? {
        rows.push(TruthRow {
            scan: csv.text(scan).to_owned(),
            epc: csv.parse(epc, "epc", "a tag identifier in hex")?,
            x_m: csv.parse(x, "x_m", "a number, m")?,
            range_m: csv.parse(range, "range_m", "a number, m")?,
            row: csv.parse(row, "row", "an integer")?,
            slot: csv.parse(slot, "slot", "an integer from 0")?,
        });
    }
    Ok(rows)
}
