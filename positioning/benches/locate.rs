//! Reads located per second: a scan as the rail makes them, and a robot's pass along a face.

#![allow(missing_docs)]

#[path = "../tests/support/mod.rs"]
mod support;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use positioning::{LocateSettings, locate_face, locate_row};
use std::hint::black_box;

fn rail(c: &mut Criterion) {
    let settings = LocateSettings::default();
    let mut group = c.benchmark_group("locate_row");
    group.sample_size(10);
    for tags in [5, 20] {
        let scan = support::rail_scan(tags, 240_000);
        group.throughput(Throughput::Elements(scan.reads.len() as u64));
        group.bench_function(format!("{tags} tags, 8 carriers, 240000 reads"), |b| {
            b.iter(|| locate_row(black_box(&scan), &settings));
        });
    }
    group.finish();
}

fn face(c: &mut Criterion) {
    let settings = LocateSettings::default();
    let world = support::World::default();
    let (scan, _) = world.pass();
    let mut group = c.benchmark_group("locate_face");
    group.sample_size(10);
    group.throughput(Throughput::Elements(scan.reads.len() as u64));
    group.bench_function(format!("{} tags, 16 carriers, {} reads", scan.tags.len(), scan.reads.len()), |b| {
        b.iter(|| locate_face(black_box(&scan), &world.face(), &settings));
    });
    group.finish();
}

criterion_group!(benches, rail, face);
criterion_main!(benches);
