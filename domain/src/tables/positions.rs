//! The positions table that `shelfwright locate --out` writes.

use std::path::Path;

use super::{TableError, io_error};
use crate::sighting::Sighting;

/// Writes `scan, epc, x_m, x_std_m, range_m, z_m, rank, reads`; `z_m` is empty where one antenna height cannot
/// give it. The file appears whole or not at all.
pub fn write_positions(path: &Path, sightings: &[Sighting]) -> Result<(), TableError> {
    let mut text = String::from("scan,epc,x_m,x_std_m,range_m,z_m,rank,reads\n");
    for s in sightings {
        let z = if s.height_m.is_finite() { format!("{:.4}", s.height_m) } else { String::new() };
        let scan = if s.scan.contains([',', '"', '\n']) {
            format!("\"{}\"", s.scan.replace('"', "\"\""))
        } else {
            s.scan.clone()
        };
        text += &format!(
            "{scan},{},{:.5},{:.5},{:.4},{z},{},{}\n",
            s.uid.to_string().to_lowercase(),
            s.along_m,
            s.along_std_m,
            s.range_m,
            s.rank,
            s.reads
        );
    }
    let partial = path.with_extension("csv.partial");
    std::fs::write(&partial, text).map_err(io_error(path))?;
    std::fs::rename(&partial, path).map_err(io_error(path))
}
