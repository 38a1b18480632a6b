//! Reads tables in Parquet: any text, integer or floating type whose values fit the column.

use std::fs::File;
use std::path::Path;

use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::rows::{LoadedReads, Row, Sorter};
use super::{TableError, io_error};
use crate::parquet_columns::{floats, integers, options, texts};

/// Name, whether it must be there, and what it holds.
const COLUMNS: [(&str, bool, &str); 10] = [
    ("scan", true, "text"),
    ("epc", true, "a tag identifier in hex"),
    ("antenna", true, "a reader port, 0 to 255"),
    ("frequency_hz", true, "a number, Hz"),
    ("rssi_dbm", true, "a number, dBm"),
    ("phase_rad", true, "a number, rad"),
    ("x_m", true, "a number, m"),
    ("y_m", false, "a number, m"),
    ("z_m", false, "a number, m"),
    ("stamp_ns", false, "an integer, ns"),
];

pub(super) fn load(path: &Path) -> Result<LoadedReads, TableError> {
    let malformed =
        |found: String| TableError::Format { file: path.to_owned(), found, allowed: "a Parquet reads table" };
    let file = File::open(path).map_err(io_error(path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options())
        .map_err(|e| malformed(e.to_string()))?;
    let schema = builder.schema().clone();
    let mut wanted = Vec::new();
    for (name, required, allowed) in &COLUMNS {
        match schema.index_of(name) {
            Ok(index) => wanted.push(index),
            Err(_) if !required => {}
            Err(_) => {
                let has: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
                let found = format!("not there, the table has {}", has.join(", "));
                return Err(TableError::Column { file: path.to_owned(), column: name, found, allowed });
            }
        }
    }
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
    let reader = builder
        .with_projection(mask)
        .with_batch_size(65_536)
        .build()
        .map_err(|e| malformed(e.to_string()))?;
    let mut sorter = Sorter::default();
    let mut first_row = 1;
    for batch in reader {
        let batch = batch.map_err(|e| malformed(e.to_string()))?;
        push_batch(path, &batch, first_row, &mut sorter)?;
        first_row += batch.num_rows() as u64;
    }
    Ok(sorter.finish())
}

fn push_batch(
    path: &Path,
    batch: &RecordBatch,
    first_row: u64,
    sorter: &mut Sorter,
) -> Result<(), TableError> {
    let column = |i: usize| Column { path, batch, first_row, name: COLUMNS[i].0, allowed: COLUMNS[i].2 };
    let scan = column(0).required(texts)?;
    let epc = column(1).required(texts)?;
    let antenna = column(2).required(integers)?;
    let frequency = column(3).required(floats)?;
    let [rssi, phase, x, y, z] = [4, 5, 6, 7, 8].map(|i| column(i).optional(floats));
    let (rssi, phase, x, y, z) = (rssi?, phase?, x?, y?, z?);
    let stamp: Option<Int64Array> = column(9).optional(integers)?;
    let number = |c: &Option<Float64Array>, i: usize, null: f32| {
        c.as_ref().filter(|c| c.is_valid(i)).map_or(null, |c| c.value(i) as f32)
    };
    for i in 0..batch.num_rows() {
        let row = Row {
            scan: scan.value(i),
            epc: epc.value(i),
            stamp_ns: stamp.as_ref().filter(|s| s.is_valid(i)).map(|s| s.value(i)),
            antenna: u8::try_from(antenna.value(i))
                .map_err(|_| column(2).refused(i, antenna.value(i).to_string()))?,
            frequency_hz: frequency.value(i),
            rssi_dbm: number(&rssi, i, f32::NAN),
            phase_rad: number(&phase, i, f32::NAN),
            antenna_m: [number(&x, i, f32::NAN), number(&y, i, 0.0), number(&z, i, 0.0)],
        };
        sorter.push(first_row + i as u64, &row).map_err(|_| column(1).refused(i, epc.value(i).to_owned()))?;
    }
    Ok(())
}

/// One column of one batch.
struct Column<'a> {
    path: &'a Path,
    batch: &'a RecordBatch,
    first_row: u64,
    name: &'static str,
    allowed: &'static str,
}

impl<'a> Column<'a> {
    /// The column in a type that fits it, if it is there.
    fn optional<T>(&self, typed: impl Fn(&'a ArrayRef) -> Option<T>) -> Result<Option<T>, TableError> {
        let Some(raw) = self.batch.column_by_name(self.name) else { return Ok(None) };
        let found = || TableError::Column {
            file: self.path.to_owned(),
            column: self.name,
            found: format!("values of type {}", raw.data_type()),
            allowed: self.allowed,
        };
        typed(raw).map(Some).ok_or_else(found)
    }

    /// The column in a type that fits it, without a null.
    fn required<T: Array>(&self, typed: impl Fn(&'a ArrayRef) -> Option<T>) -> Result<T, TableError> {
        let values = self.optional(typed)?.ok_or_else(|| TableError::Column {
            file: self.path.to_owned(),
            column: self.name,
            found: "not there".into(),
            allowed: self.allowed,
        })?;
        match (0..values.len()).find(|&i| values.is_null(i)) {
            None => Ok(values),
            Some(i) => Err(self.refused(i, "a null".into())),
        }
    }

    fn refused(&self, i: usize, found: String) -> TableError {
        TableError::Value {
            file: self.path.to_owned(),
            place: "row",
            row: self.first_row + i as u64,
            column: self.name,
            found,
            allowed: self.allowed,
        }
    }
}
