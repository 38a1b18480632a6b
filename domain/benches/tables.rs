//! Loading reads tables: `cargo bench -p domain --bench tables`.
#![allow(missing_docs, clippy::unwrap_used)]

use std::fmt::Write;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, Float64Array, RecordBatch, StringArray, UInt8Array};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use domain::tables::load_scans;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

const READS: usize = 1_000_000;

/// 10 scans of 100 tags, read as a reader would: tag by tag at 1,000 places.
fn write(csv: &Path, parquet: &Path) {
    let scan = |i: usize| format!("pass-{:02}", i * 10 / READS);
    let epc = |i: usize| format!("E280116060000209{:08X}", i % 100);
    let x = |i: usize| (i / 100 % 1_000) as f32 * 0.005;
    let phase = |i: usize| (i % 4096) as f32 * (std::f32::consts::TAU / 4096.0);
    let mut text = String::from("scan,epc,antenna,frequency_hz,rssi_dbm,phase_rad,x_m\n");
    for i in 0..READS {
        let _ = writeln!(text, "{},{},1,921125000,-52.5,{},{}", scan(i), epc(i), phase(i), x(i));
    }
    std::fs::write(csv, text).unwrap();
    let all = 0..READS;
    let columns: [(&str, ArrayRef); 7] = [
        ("scan", Arc::new(StringArray::from_iter_values(all.clone().map(scan)))),
        ("epc", Arc::new(StringArray::from_iter_values(all.clone().map(epc)))),
        ("antenna", Arc::new(UInt8Array::from(vec![1; READS]))),
        ("frequency_hz", Arc::new(Float64Array::from(vec![921_125_000.0; READS]))),
        ("rssi_dbm", Arc::new(Float32Array::from(vec![-52.5; READS]))),
        ("phase_rad", Arc::new(all.clone().map(|i| Some(phase(i))).collect::<Float32Array>())),
        ("x_m", Arc::new(all.map(|i| Some(x(i))).collect::<Float32Array>())),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let zstd = Compression::ZSTD(ZstdLevel::try_new(3).unwrap());
    let properties = WriterProperties::builder().set_compression(zstd).build();
    let mut writer =
        ArrowWriter::try_new(File::create(parquet).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn tables(c: &mut Criterion) {
    let dir = tempfile::TempDir::new().unwrap();
    let (csv, parquet) = (dir.path().join("reads.csv"), dir.path().join("reads.parquet"));
    write(&csv, &parquet);
    let mut group = c.benchmark_group("reads");
    group.throughput(Throughput::Elements(READS as u64)).sample_size(10);
    for (name, path) in [("csv", csv), ("parquet", parquet)] {
        group.bench_function(name, |b| b.iter(|| load_scans(&path).unwrap()));
    }
    group.finish();
}

criterion_group!(benches, tables);
criterion_main!(benches);
