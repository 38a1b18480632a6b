//! Truth tables: where tags really were, for evaluation only.

use std::path::Path;

use super::reads_csv::Csv;
use crate::table_error::TableError;
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
    let scan = csv.required("scan")?;
    let epc = csv.required("epc")?;
    let x = csv.required("x_m")?;
    let range = csv.required("range_m")?;
    let row = csv.required("row")?;
    let slot = csv.required("slot")?;
    let finite = |csv: &Csv, place: usize, column: &'static str| -> Result<f64, TableError> {
        const ALLOWED: &str = "a finite number, m";
        let value: f64 = csv.parse(place, column, ALLOWED)?;
        if value.is_finite() { Ok(value) } else { Err(csv.refused(column, csv.text(place), ALLOWED)) }
    };
    let mut rows = Vec::new();
    while csv.next()? {
        rows.push(TruthRow {
            scan: csv.text(scan).to_owned(),
            epc: csv.parse(epc, "epc", "a tag identifier of 1 to 62 bytes in hex")?,
            x_m: finite(&csv, x, "x_m")?,
            range_m: finite(&csv, range, "range_m")?,
            row: csv.parse(row, "row", "a whole number")?,
            slot: csv.parse(slot, "slot", "a whole number from 0")?,
        });
    }
    Ok(rows)
}
