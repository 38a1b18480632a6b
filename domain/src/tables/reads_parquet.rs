//! Reads tables in Parquet: any text, integer or floating type whose values fit the column.

use std::fs::File;
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int64Type, UInt8Type};
use arrow::util::display::array_value_to_string;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::rows::{LoadedReads, Row, Sorter};
use super::{TableError, io_error};

const COLUMNS: [(&str, DataType, bool, &str); 10] = [
    ("scan", DataType::Utf8, true, "text"),
    ("epc", DataType::Utf8, true, "a tag identifier in hex"),
    ("antenna", DataType::UInt8, true, "a reader port, 0 to 255"),
    ("frequency_hz", DataType::Float64, true, "a number, Hz"),
    ("rssi_dbm", DataType::Float32, true, "a number, dBm"),
    ("phase_rad", DataType::Float32, true, "a number, rad"),
    ("x_m", DataType::Float32, true, "a number, m"),
    ("y_m", DataType::Float32, false, "a number, m"),
    ("z_m", DataType::Float32, false, "a number, m"),
    ("stamp_ns", DataType::Int64, false, "an integer, ns"),
];
/// Columns in which a null is a value that was not given.
const MAY_BE_NULL: [&str; 6] = ["rssi_dbm", "phase_rad", "x_m", "y_m", "z_m", "stamp_ns"];

pub(super) fn load(path: &Path) -> Result<LoadedReads, TableError> {
    let malformed =
        |found: String| TableError::Format { file: path.to_owned(), found, allowed: "a Parquet reads table" };
    let file = File::open(path).map_err(io_error(path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| malformed(e.to_string()))?;
    let schema = builder.schema().clone();
    let mut wanted = Vec::new();
    for (name, _, required, allowed) in &COLUMNS {
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
    let mut columns: Vec<Option<ArrayRef>> = Vec::with_capacity(COLUMNS.len());
    for (name, kind, _, allowed) in &COLUMNS {
        columns.push(match batch.column_by_name(name) {
            None => None,
            Some(raw) => Some(typed(path, raw, name, kind, allowed, first_row)?),
        });
    }
    let text = |i: usize| columns[i].as_ref().map(|c| c.as_string::<i32>());
    let f32s = |i: usize| columns[i].as_ref().map(|c| c.as_primitive::<Float32Type>());
    let (Some(scan), Some(epc)) = (text(0), text(1)) else { return Ok(()) };
    let antenna = columns[2].as_ref().map(|c| c.as_primitive::<UInt8Type>());
    let frequency = columns[3].as_ref().map(|c| c.as_primitive::<Float64Type>());
    let (rssi, phase, x, y, z) = (f32s(4), f32s(5), f32s(6), f32s(7), f32s(8));
    let stamp = columns[9].as_ref().map(|c| c.as_primitive::<Int64Type>());
    let number = |c: Option<&arrow::array::Float32Array>, i: usize, null: f32, absent: f32| {
        c.map_or(absent, |c| if c.is_null(i) { null } else { c.value(i) })
    };
    for i in 0..batch.num_rows() {
        let row = Row {
            scan: scan.value(i),
            epc: epc.value(i),
            stamp_ns: stamp.and_then(|s| (!s.is_null(i)).then(|| s.value(i))),
            antenna: antenna.map_or(0, |a| a.value(i)),
            frequency_hz: frequency.map_or(f64::NAN, |f| f.value(i)),
            rssi_dbm: number(rssi, i, f32::NAN, f32::NAN),
            phase_rad: number(phase, i, f32::NAN, f32::NAN),
            antenna_m: [number(x, i, f32::NAN, f32::NAN), number(y, i, 0.0, 0.0), number(z, i, 0.0, 0.0)],
        };
        let at = first_row + i as u64;
        sorter.push(at, &row).map_err(|_| TableError::Value {
            file: path.to_owned(),
            place: "row",
            row: at,
            column: "epc",
            found: epc.value(i).to_owned(),
            allowed: COLUMNS[1].3,
        })?;
    }
    Ok(())
}

/// Casts a column; the first value that does not fit, or a null where one is not allowed, is the error.
fn typed(
    path: &Path,
    raw: &ArrayRef,
    column: &'static str,
    kind: &DataType,
    allowed: &'static str,
    first_row: u64,
) -> Result<ArrayRef, TableError> {
    // A safe cast makes null of what does not fit.
    let cast = cast(raw, kind).map_err(|_| TableError::Column {
        file: path.to_owned(),
        column,
        found: format!("values of type {}", raw.data_type()),
        allowed,
    })?;
    let refused =
        (0..cast.len()).find(|&i| cast.is_null(i) && (!raw.is_null(i) || !MAY_BE_NULL.contains(&column)));
    match refused {
        None => Ok(cast),
        Some(i) => Err(TableError::Value {
            file: path.to_owned(),
            place: "row",
            row: first_row + i as u64,
            column,
            found: array_value_to_string(raw, i).unwrap_or_else(|_| "a null".into()),
            allowed,
        }),
    }
}
