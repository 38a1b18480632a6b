//! Loading, finding and ordering: `cargo bench -p domain`.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use domain::callnumber::{Scheme, ShelfRules};
use domain::catalogue::{Catalogue, Item, ItemStatus};

const ITEMS: u32 = 50_000;

fn item(n: u32) -> Item {
    Item {
        barcode: format!("3{n:013}"),
        uid: Some(format!("E28011606000{:012X}", u64::from(n) * 7919).parse().unwrap()),
        call_number: format!("TP{}.{}/{} v.{}", 100 + n % 800, n % 97, n, n % 9),
        scheme: Scheme::Clc,
        title: format!("图书馆学基础教程第{n}版：理论与实践"),
        author: "Knuth, Donald E.".into(),
        thickness_m: 0.025,
        height_m: 0.21,
        home: format!("1F/R{:02}A/B{:02}/T{}", n / 5_000 + 1, n / 250 % 10 + 1, n / 42 % 6 + 1)
            .parse()
            .unwrap(),
        status: ItemStatus::Available,
        tag_model: String::new(),
    }
}

fn catalogue(c: &mut Criterion) {
    let dir = tempfile::TempDir::new().unwrap();
    let all = Catalogue::from_items("generated", (0..ITEMS).map(item)).unwrap();
    let mut group = c.benchmark_group("load");
    group.throughput(Throughput::Elements(u64::from(ITEMS))).sample_size(10);
    for name in ["items.csv", "items.jsonl", "items.parquet"] {
        let path = dir.path().join(name);
        all.save(&path).unwrap();
        group.bench_function(name, |b| b.iter(|| Catalogue::load(&path).unwrap()));
    }
    group.finish();

    let uids: Vec<_> = all.iter().step_by(7).filter_map(|i| i.uid.cloned()).collect();
    let mut group = c.benchmark_group("lookup");
    group.throughput(Throughput::Elements(uids.len() as u64));
    group.bench_function("by_uid", |b| b.iter(|| uids.iter().filter(|u| all.by_uid(u).is_some()).count()));
    group.finish();

    let rules = ShelfRules::default();
    let mut group = c.benchmark_group("shelf_order");
    group.throughput(Throughput::Elements(u64::from(ITEMS))).sample_size(10);
    group.bench_function("keys", |b| {
        b.iter(|| {
            all.iter().map(|i| rules.key(i.scheme, black_box(i.call_number)).as_bytes().len()).sum::<usize>()
        });
    });
    group.finish();
}

criterion_group!(benches, catalogue);
criterion_main!(benches);
