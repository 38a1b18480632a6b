//! Reads located per second: a scan as the rail makes them, and a robot's pass along a face.

#![allow(missing_docs)]

#[path = "../tests/support/mod.rs"]
mod support;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use domain::Scan;
use positioning::{Live, LocateSettings, Taught, locate_face, locate_row};
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

/// A pass at 5,000 reads a second, tag by tag while the robot drives; the pass's own length over the time that this takes
/// is the share of a core.
fn live(c: &mut Criterion) {
    let settings = LocateSettings::default();
    let world = support::World { length_m: 2.7, reads_per_s: 5000.0, ..support::World::default() };
    let (scan, _) = world.pass();
    let mut group = c.benchmark_group("live");
    group.sample_size(10);
    group.throughput(Throughput::Elements(scan.reads.len() as u64));
    let seconds = scan.reads.last().and_then(|r| r.stamp_ns).unwrap_or(0) as f64 / 1e9;
    group.bench_function(
        format!("{} tags, {} reads in {seconds:.0} s", scan.tags.len(), scan.reads.len()),
        |b| {
            b.iter(|| {
                let mut live = Live::new(world.face(), settings.clone(), Taught::default());
                let mut so_far = Scan { tags: scan.tags.clone(), ..Scan::default() };
                let mut told = 0;
                for reads in scan.reads.chunks(500) {
                    so_far.reads.extend_from_slice(reads);
                    told += live.passed(black_box(&so_far)).len();
                }
                told
            });
        },
    );
    group.finish();
}

criterion_group!(benches, rail, face, live);
criterion_main!(benches);
