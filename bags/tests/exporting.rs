//! Tables hold what the messages hold.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int64Type, UInt64Type};
use bags::{BagError, RawMessage, Selection, TableFormat, Writer, export};
use interfaces::{AnyMessage, Publication};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use support::run;

fn write(folder: &Path, publications: &[Publication]) {
    let mut writer = Writer::create(folder).unwrap();
    for p in publications {
        writer.write(p).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn a_read_is_a_row_with_its_values_in_csv_and_parquet() {
    let home = tempfile::tempdir().unwrap();
    let bag = home.path().join("run");
    write(&bag, &run(3));
    let reads: Vec<_> = run(3)
        .into_iter()
        .filter_map(|p| match &*p.message {
            AnyMessage::TagRead(r) => Some((p.stamp_ns, r.clone())),
            _ => None,
        })
        .collect();
    let only = Selection::default().topics(["/inv_1/reads"]);
    let done = export(&bag, only.clone(), home.path(), TableFormat::Csv, |_| true).unwrap();
    assert_eq!((done.tables.len(), done.tables[0].rows), (1, 30));
    let mut csv = csv::Reader::from_path(home.path().join("inv_1_reads.csv")).unwrap();
    let rows: Vec<BTreeMap<String, String>> = csv.deserialize().map(|r| r.unwrap()).collect();
    for (row, (ns, read)) in rows.iter().zip(&reads) {
        let uid: String = read.uid.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(row["stamp_ns"], ns.to_string());
        assert_eq!(row["header.stamp_ns"], ns.to_string());
        assert_eq!(row["header.frame_id"], "inv_1/antenna_1");
        assert_eq!(row["uid"], uid);
        assert_eq!(row["rssi_dbm"].parse::<f32>().unwrap(), read.rssi_dbm);
        assert_eq!(row["phase_rad"].parse::<f32>().unwrap(), read.phase_rad);
        assert_eq!(row["frequency_hz"].parse::<f64>().unwrap(), read.frequency_hz);
    }
    export(&bag, only, home.path(), TableFormat::Parquet, |_| true).unwrap();
    let file = File::open(home.path().join("inv_1_reads.parquet")).unwrap();
    let mut batches = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let batch = batches.next().unwrap().unwrap();
    assert_eq!(batch.num_rows(), 30);
    let column = |name: &str| batch.column_by_name(name).unwrap();
    for (i, (ns, read)) in reads.iter().enumerate() {
        assert_eq!(column("stamp_ns").as_primitive::<Int64Type>().value(i), *ns);
        assert_eq!(column("antenna").as_primitive::<UInt64Type>().value(i), u64::from(read.antenna));
        assert_eq!(column("rssi_dbm").as_primitive::<Float32Type>().value(i), read.rssi_dbm);
        assert_eq!(column("frequency_hz").as_primitive::<Float64Type>().value(i), read.frequency_hz);
    }
}

#[test]
fn every_type_can_be_exported() {
    let home = tempfile::tempdir().unwrap();
    let bag = home.path().join("run");
    let publications: Vec<Publication> = (0_i64..)
        .zip(AnyMessage::TYPES)
        .map(|(i, info)| Publication::new(format!("/t{i}"), i, AnyMessage::default_of(info.name).unwrap()))
        .collect();
    write(&bag, &publications);
    for (format, ending) in [(TableFormat::Csv, "csv"), (TableFormat::Parquet, "parquet")] {
        let done = export(&bag, Selection::default(), home.path(), format, |_| true).unwrap();
        assert_eq!(done.left_out, BTreeMap::new());
        assert_eq!(done.tables.len(), publications.len());
        assert!(done.tables.iter().all(|t| t.path.extension().unwrap() == ending && t.path.exists()));
    }
}

#[test]
fn a_transform_is_a_row_and_other_lists_are_json() {
    let home = tempfile::tempdir().unwrap();
    let bag = home.path().join("run");
    write(&bag, &run(1));
    export(&bag, Selection::default().topics(["/tf", "*/scan"]), home.path(), TableFormat::Csv, |_| true)
        .unwrap();
    let mut csv = csv::Reader::from_path(home.path().join("tf.csv")).unwrap();
    let rows: Vec<BTreeMap<String, String>> = csv.deserialize().map(|r| r.unwrap()).collect();
    assert_eq!(rows.len(), 10);
    assert_eq!(rows[3]["transforms.child_frame_id"], "inv_1/base_link");
    assert_eq!(rows[3]["transforms.transform.translation.y"], "0.25");
    let mut csv = csv::Reader::from_path(home.path().join("inv_1_scan.csv")).unwrap();
    let row: BTreeMap<String, String> = csv.deserialize().next().unwrap().unwrap();
    let ranges: Vec<f32> = serde_json::from_str(&row["ranges"]).unwrap();
    assert_eq!(ranges.len(), 360);
}

#[test]
fn a_message_that_does_not_fit_its_definition_is_named() {
    let home = tempfile::tempdir().unwrap();
    let bag = home.path().join("run");
    let mut writer = Writer::create(&bag).unwrap();
    let info = interfaces::type_info("std_msgs/msg/Header").unwrap();
    let channel = std::sync::Arc::new(bags::Channel::of("/h", info));
    writer.write_raw(&RawMessage { channel, stamp_ns: 7, data: vec![0, 1, 0, 0, 9] }).unwrap();
    writer.finish().unwrap();
    let error = export(&bag, Selection::default(), home.path(), TableFormat::Csv, |_| true).unwrap_err();
    assert!(matches!(error, BagError::Table { .. }));
    assert!(error.to_string().contains("message at 7 ns on /h: needs 4 bytes"), "{error}");
}
