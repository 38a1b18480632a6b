//! Reads tables in Parquet: any text, integer or floating type whose values fit the column.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::rows::{Row, Sorter};
use super::stream::RowSource;
use crate::parquet_columns::{floats, guarded, integers, options, texts, whole_numbers};
use crate::table_error::{At, BadCell, TableError};

/// Name, whether it must be there, and what it holds.
const COLUMNS: [(&str, bool, &str); 10] = [
    ("scan", true, "text"),
    ("epc", true, "a tag identifier of 1 to 62 bytes in hex"),
    ("antenna", true, "a reader port, 1 to 255"),
    ("frequency_hz", true, "a number, Hz"),
    ("rssi_dbm", true, "a number, dBm"),
    ("phase_rad", true, "a number, rad"),
    ("x_m", true, "a number, m"),
    ("y_m", false, "a number, m"),
    ("z_m", false, "a number, m"),
    ("stamp_ns", false, "an integer, ns"),
];

/// A reads table in Parquet.
pub(super) struct ParquetReads {
    path: PathBuf,
    batches: ParquetRecordBatchReader,
    next_row: u64,
}

/// Rows in one piece.
const PIECE: usize = 65_536;

impl ParquetReads {
    pub fn open(path: &Path) -> Result<Self, TableError> {
        guarded(path, || Self::open_unguarded(path))
    }

    fn open_unguarded(path: &Path) -> Result<Self, TableError> {
        let malformed = |e: &dyn std::fmt::Display| TableError::format(path, "Parquet file", e);
        let file = File::open(path).map_err(TableError::read(path))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options())
            .map_err(|e| malformed(&e))?;
        let names: Vec<&str> = builder.schema().fields().iter().map(|f| f.name().as_str()).collect();
        let mut wanted = Vec::new();
        for (column, required, _) in COLUMNS {
            match names.iter().position(|n| *n == column) {
                Some(index) => wanted.push(index),
                None if !required => {}
                None => {
                    let found = names.iter().map(ToString::to_string).collect();
                    return Err(TableError::MissingColumn { path: path.into(), column, found });
                }
            }
        }
        let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
        let batches =
            builder.with_projection(mask).with_batch_size(PIECE).build().map_err(|e| malformed(&e))?;
        Ok(Self { path: path.into(), batches, next_row: 1 })
    }
}

impl RowSource for ParquetReads {
    fn fill(&mut self, sorter: &mut Sorter) -> Result<bool, TableError> {
        let batches = &mut self.batches;
        let next = guarded(&self.path, || {
            batches.next().transpose().map_err(|e| TableError::format(&self.path, "Parquet file", e))
        })?;
        let Some(batch) = next else { return Ok(false) };
        push_batch(&self.path, &batch, self.next_row, sorter)?;
        self.next_row += batch.num_rows() as u64;
        Ok(true)
    }
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
    let antenna = column(2).required(whole_numbers)?;
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
        sorter
            .push(At::Row(first_row + i as u64), &row)
            .map_err(|_| column(1).refused(i, epc.value(i).to_owned()))?;
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
    /// The column in a type that fits it, if it is there. A null is a value that was not given.
    fn optional<T: Array>(&self, typed: impl Fn(&'a ArrayRef) -> Option<T>) -> Result<Option<T>, TableError> {
        let Some(raw) = self.batch.column_by_name(self.name) else { return Ok(None) };
        let values = typed(raw).ok_or_else(|| TableError::ColumnType {
            path: self.path.into(),
            column: self.name,
            found: raw.data_type().to_string(),
            allowed: self.allowed,
        })?;
        // What does not fit the type became a null on the way.
        if values.null_count() > raw.null_count()
            && let Some(i) = (0..values.len()).find(|&i| values.is_null(i) && raw.is_valid(i))
        {
            return Err(self.refused(i, "a number that does not fit".into()));
        }
        Ok(Some(values))
    }

    /// The column in a type that fits it, without a null.
    fn required<T: Array>(&self, typed: impl Fn(&'a ArrayRef) -> Option<T>) -> Result<T, TableError> {
        let values = self.optional(typed)?.ok_or_else(|| TableError::MissingColumn {
            path: self.path.into(),
            column: self.name,
            found: Vec::new(),
        })?;
        match (0..values.len()).find(|&i| values.is_null(i)) {
            None => Ok(values),
            Some(i) => Err(self.refused(i, "null".into())),
        }
    }

    fn refused(&self, i: usize, found: String) -> TableError {
        BadCell::new(self.name, found, self.allowed).at(self.path, At::Row(self.first_row + i as u64))
    }
}
