//! Columns of foreign Parquet files as the types that we work with.
//!
//! Done by hand over the few types that occur, because Arrow's own casts bring five more crates into every build.

use std::panic::AssertUnwindSafe;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, StringArray};
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ArrowReaderOptions;

use crate::table_error::TableError;

/// Reads columns as Parquet stores them: text as plain UTF-8, whatever the writer packed it into.
pub(crate) fn options() -> ArrowReaderOptions {
    ArrowReaderOptions::new().with_skip_arrow_metadata(true)
}

/// A text column; `None` for another type.
pub(crate) fn texts(array: &ArrayRef) -> Option<&StringArray> {
    array.as_string_opt::<i32>()
}

macro_rules! convert {
    ($array:expr, $convert:expr, [$($type:ident),*]) => {
        match $array.data_type() {
            $(kind if *kind == <$type as arrow_array::types::ArrowPrimitiveType>::DATA_TYPE => {
                Some($array.as_primitive::<$type>().iter().map(|v| v.and_then($convert)).collect())
            })*
            _ => None,
        }
    };
}

/// A numeric column as 64-bit floats; `None` for another type.
pub(crate) fn floats(array: &ArrayRef) -> Option<Float64Array> {
    match array.data_type() {
        DataType::Float64 => Some(array.as_primitive::<Float64Type>().clone()),
        DataType::Float32 => {
            Some(array.as_primitive::<Float32Type>().iter().map(|v| v.map(f64::from)).collect())
        }
        _ => integers(array).map(|a| a.iter().map(|v| v.map(|v| v as f64)).collect()),
    }
}

/// An integer column; values beyond 64 bits with sign become null. `None` for another type.
pub(crate) fn integers(array: &ArrayRef) -> Option<Int64Array> {
    convert!(
        array,
        |v| i64::try_from(i128::from(v)).ok(),
        [Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type]
    )
}

/// An integer column, or a float one that holds whole numbers, as pandas makes of integers with gaps. Other values
/// become null. `None` for another type.
pub(crate) fn whole_numbers(array: &ArrayRef) -> Option<Int64Array> {
    match array.data_type() {
        DataType::Float32 | DataType::Float64 => {
            let whole = |v: f64| (v.fract() == 0.0 && v.abs() < 1e15).then_some(v as i64);
            floats(array).map(|a| a.iter().map(|v| v.and_then(whole)).collect())
        }
        _ => integers(array),
    }
}

/// The Parquet library panics on some broken files (a column of negative length); for us that is a broken file.
pub(crate) fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T, TableError>) -> Result<T, TableError> {
    std::panic::catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|cause| {
        let text =
            cause.downcast_ref::<&str>().copied().or(cause.downcast_ref::<String>().map(String::as_str));
        Err(TableError::format(path, "Parquet file", text.unwrap_or("the file is broken")))
    })
}
