//! The positions table that `shelfwright locate --out` writes.

use std::path::Path;

use crate::sighting::Sighting;
use crate::table_error::TableError;
use crate::table_file::write_whole;

/// Writes `scan, epc, x_m, x_std_m, range_m, z_m, rank, reads`; `z_m` is empty where one antenna height cannot
/// give it. The file appears whole or not at all.
pub fn write_positions(path: &Path, sightings: &[Sighting]) -> Result<(), TableError> {
    write_whole(path, |out| {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(["scan", "epc", "x_m", "x_std_m", "range_m", "z_m", "rank", "reads"])?;
        for s in sightings {
            let z = if s.height_m.is_finite() { format!("{:.4}", s.height_m) } else { String::new() };
            writer.write_record([
                &s.scan,
                &s.uid.to_string().to_lowercase(),
                &format!("{:.5}", s.along_m),
                &format!("{:.5}", s.along_std_m),
                &format!("{:.4}", s.range_m),
                &z,
                &s.rank.to_string(),
                &s.reads.to_string(),
            ])?;
        }
        writer.flush()
    })
}
