//! A table file, written row by row.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array,
};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::TableFormat;
use super::columns::{Cell, Column, ColumnKind};
use crate::error::BagError;

/// Rows held before they go to the file.
const BATCH: usize = 4_096;

enum Output {
    Csv(Box<csv::Writer<BufWriter<File>>>),
    Parquet {
        writer: Box<ArrowWriter<File>>,
        schema: Arc<Schema>,
        columns: Vec<Column>,
        rows: Vec<Vec<Cell>>,
    },
}

/// An open table.
pub(super) struct TableFile {
    path: PathBuf,
    output: Output,
    rows: u64,
}

impl TableFile {
    pub fn create(path: &Path, format: TableFormat, columns: &[Column]) -> Result<Self, BagError> {
        let file = File::create(path).map_err(BagError::io(path, "create the file"))?;
        let output = match format {
            TableFormat::Csv => {
                let mut writer = csv::Writer::from_writer(BufWriter::new(file));
                writer.write_record(columns.iter().map(|c| &c.name)).map_err(|e| failed(path, e.into()))?;
                Output::Csv(Box::new(writer))
            }
            TableFormat::Parquet => {
                let fields: Vec<Field> =
                    columns.iter().map(|c| Field::new(&c.name, data_type(c.kind), true)).collect();
                let schema = Arc::new(Schema::new(fields));
                let level = ZstdLevel::try_new(3).map_err(|e| failed(path, io::Error::other(e)))?;
                let properties =
                    WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
                let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties))
                    .map_err(|e| failed(path, io::Error::other(e)))?;
                Output::Parquet {
                    writer: Box::new(writer),
                    schema,
                    columns: columns.to_vec(),
                    rows: Vec::new(),
                }
            }
        };
        Ok(Self { path: path.to_owned(), output, rows: 0 })
    }

    pub fn write(&mut self, row: Vec<Cell>) -> Result<(), BagError> {
        self.rows += 1;
        match &mut self.output {
            Output::Csv(writer) => {
                writer.write_record(row.iter().map(text)).map_err(|e| failed(&self.path, e.into()))
            }
            Output::Parquet { rows, .. } => {
                rows.push(row);
                if rows.len() >= BATCH { self.batch() } else { Ok(()) }
            }
        }
    }

    /// Closes the table; gives its path and rows.
    pub fn finish(mut self) -> Result<(PathBuf, u64), BagError> {
        self.batch()?;
        match self.output {
            Output::Csv(mut writer) => writer.flush().map_err(|e| failed(&self.path, e))?,
            Output::Parquet { writer, .. } => {
                writer.close().map_err(|e| failed(&self.path, io::Error::other(e)))?;
            }
        }
        Ok((self.path, self.rows))
    }

    fn batch(&mut self) -> Result<(), BagError> {
        let Output::Parquet { writer, schema, columns, rows } = &mut self.output else { return Ok(()) };
        if rows.is_empty() {
            return Ok(());
        }
        let arrays = columns.iter().enumerate().map(|(i, c)| array(c.kind, i, rows)).collect();
        let done = RecordBatch::try_new(schema.clone(), arrays)
            .map_err(io::Error::other)
            .and_then(|batch| writer.write(&batch).map_err(io::Error::other));
        rows.clear();
        done.map_err(|e| failed(&self.path, e))
    }
}

fn failed(path: &Path, source: io::Error) -> BagError {
    BagError::io(path, "write the table")(source)
}

fn data_type(kind: ColumnKind) -> DataType {
    match kind {
        ColumnKind::Bool => DataType::Boolean,
        ColumnKind::Int => DataType::Int64,
        ColumnKind::UInt => DataType::UInt64,
        ColumnKind::F32 => DataType::Float32,
        ColumnKind::F64 => DataType::Float64,
        ColumnKind::Text => DataType::Utf8,
    }
}

macro_rules! pick {
    ($rows:expr, $at:expr, $array:ty, $variant:ident) => {
        Arc::new(
            $rows
                .iter()
                .map(|row| match &row[$at] {
                    Cell::$variant(v) => Some(v.clone()),
                    _ => None,
                })
                .collect::<$array>(),
        )
    };
}

#[allow(clippy::clone_on_copy)]
fn array(kind: ColumnKind, at: usize, rows: &[Vec<Cell>]) -> ArrayRef {
    match kind {
        ColumnKind::Bool => pick!(rows, at, BooleanArray, Bool),
        ColumnKind::Int => pick!(rows, at, Int64Array, Int),
        ColumnKind::UInt => pick!(rows, at, UInt64Array, UInt),
        ColumnKind::F32 => pick!(rows, at, Float32Array, F32),
        ColumnKind::F64 => pick!(rows, at, Float64Array, F64),
        ColumnKind::Text => pick!(rows, at, StringArray, Text),
    }
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Bool(v) => v.to_string(),
        Cell::Int(v) => v.to_string(),
        Cell::UInt(v) => v.to_string(),
        Cell::F32(v) => v.to_string(),
        Cell::F64(v) => v.to_string(),
        Cell::Text(v) => v.clone(),
    }
}
