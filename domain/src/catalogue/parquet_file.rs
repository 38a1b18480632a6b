//! The catalogue as Parquet.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Float32Array, Float64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::build::{Builder, Row, columns};
use super::{COLUMNS, Catalogue, ItemView};
use crate::parquet_columns;
use crate::table_error::{At, BadCell, TableError};
use crate::table_file::write_whole;

const BATCH: usize = 8192;
const THICKNESS: usize = 6;
const HEIGHT: usize = 7;

pub(super) fn load(path: &Path, into: &mut Builder) -> Result<(), TableError> {
    parquet_columns::guarded(path, || load_unguarded(path, into))
}

fn load_unguarded(path: &Path, into: &mut Builder) -> Result<(), TableError> {
    let bad = |e: &dyn std::fmt::Display| TableError::format(path, "Parquet file", e);
    let file = File::open(path).map_err(TableError::read(path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, parquet_columns::options())
        .map_err(|e| bad(&e))?;
    let schema = builder.schema().clone();
    let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    let places = columns(path, &names)?;
    // What the library keeps in further columns is not even read.
    let mask = ProjectionMask::roots(builder.parquet_schema(), places.iter().flatten().copied());
    let batches = builder.with_projection(mask).with_batch_size(BATCH).build().map_err(|e| bad(&e))?;
    let mut row_number = 0;
    for batch in batches {
        let batch = batch.map_err(|e| bad(&e))?;
        let cells = Cells::new(path, &batch)?;
        for i in 0..batch.num_rows() {
            row_number += 1;
            let at = At::Row(row_number);
            let row = cells.row(i).map_err(|bad| bad.at(path, at))?;
            into.push(&row, at)?;
        }
    }
    Ok(())
}

/// The columns of one batch in the order of [`COLUMNS`]; absent ones are empty.
struct Cells {
    text: [Option<StringArray>; 11],
    size: [Option<Float64Array>; 2],
}

impl Cells {
    fn new(path: &Path, batch: &RecordBatch) -> Result<Self, TableError> {
        let mut cells = Self { text: Default::default(), size: Default::default() };
        for (i, column) in COLUMNS.into_iter().enumerate() {
            let Some(array) = batch.column_by_name(column) else { continue };
            let number = i == THICKNESS || i == HEIGHT;
            let fits = if number {
                cells.size[i - THICKNESS] = parquet_columns::floats(array);
                cells.size[i - THICKNESS].is_some()
            } else {
                cells.text[i] = parquet_columns::texts(array).cloned();
                cells.text[i].is_some()
            };
            if !fits {
                let found = array.data_type().to_string();
                let allowed = if number { "a number" } else { "text" };
                return Err(TableError::ColumnType { path: path.into(), column, found, allowed });
            }
        }
        Ok(cells)
    }

    fn row(&self, i: usize) -> Result<Row<'_>, BadCell> {
        let text = |c: usize| self.text[c].as_ref().filter(|a| a.is_valid(i)).map_or("", |a| a.value(i));
        let required = |c: usize| match &self.text[c] {
            Some(a) if a.is_null(i) => Err(BadCell::new(COLUMNS[c], "null", "text")),
            _ => Ok(text(c)),
        };
        let size = |c: usize| {
            self.size[c].as_ref().filter(|a| a.is_valid(i)).map_or(f32::NAN, |a| a.value(i) as f32)
        };
        Ok(Row {
            barcode: required(0)?,
            uid: text(1),
            call_number: required(2)?,
            scheme: required(3)?,
            title: text(4),
            author: text(5),
            thickness_m: size(0),
            height_m: size(1),
            home: required(8)?,
            status: text(9),
            tag_model: text(10),
        })
    }
}

pub(super) fn save(catalogue: &Catalogue, path: &Path) -> Result<(), TableError> {
    write_whole(path, |out| {
        let level = ZstdLevel::try_new(3).map_err(io::Error::other)?;
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
        let mut writer =
            ArrowWriter::try_new(out, batch_of(&[])?.schema(), Some(properties)).map_err(io::Error::other)?;
        let mut items = catalogue.iter();
        loop {
            let chunk: Vec<ItemView<'_>> = items.by_ref().take(BATCH).collect();
            if chunk.is_empty() {
                break;
            }
            writer.write(&batch_of(&chunk)?).map_err(io::Error::other)?;
        }
        writer.close().map(|_| ()).map_err(io::Error::other)
    })
}

fn batch_of(items: &[ItemView<'_>]) -> io::Result<RecordBatch> {
    let text = |of: &dyn Fn(&ItemView<'_>) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(items.iter().map(of)))
    };
    let size = |of: &dyn Fn(&ItemView<'_>) -> f32| -> ArrayRef {
        let known = items.iter().map(of).map(|v| (!v.is_nan()).then_some(v));
        Arc::new(known.collect::<Float32Array>())
    };
    let uids = items.iter().map(|i| i.uid.map(ToString::to_string));
    let columns: [(&str, ArrayRef, bool); 11] = [
        (COLUMNS[0], text(&|i| i.barcode.into()), false),
        (COLUMNS[1], Arc::new(uids.collect::<StringArray>()), true),
        (COLUMNS[2], text(&|i| i.call_number.into()), false),
        (COLUMNS[3], text(&|i| i.scheme.name().into()), false),
        (COLUMNS[4], text(&|i| i.title.into()), false),
        (COLUMNS[5], text(&|i| i.author.into()), false),
        (COLUMNS[6], size(&|i| i.thickness_m), true),
        (COLUMNS[7], size(&|i| i.height_m), true),
        (COLUMNS[8], text(&|i| i.home.to_string()), false),
        (COLUMNS[9], text(&|i| i.status.name().into()), false),
        (COLUMNS[10], text(&|i| i.tag_model.into()), false),
    ];
    RecordBatch::try_from_iter_with_nullable(columns).map_err(io::Error::other)
}
