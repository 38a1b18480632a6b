//! A million items: time and memory of loading, by format. Run by hand, figures in BENCHMARK.md:
//! `cargo test --release -p domain --test catalogue_size -- --ignored --nocapture --test-threads 1`
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use domain::callnumber::Scheme;
use domain::catalogue::{Catalogue, Item, ItemStatus};

const ITEMS: u32 = 1_000_000;
/// Set for the child process that only loads, so that its peak is the load's alone.
const LOAD: &str = "SHELFWRIGHT_LOAD_CATALOGUE";

fn item(n: u32) -> Item {
    // Titles as long as real ones: 12 to 40 Chinese characters, or 30 to 90 letters.
    let title = if n.is_multiple_of(3) {
        format!("The history of the library of {n}: {}", "a study in order ".repeat(n as usize % 4))
    } else {
        format!("图书馆学基础教程第{n}版：{}", "理论与实践".repeat(1 + n as usize % 5))
    };
    Item {
        barcode: format!("3{n:013}"),
        uid: Some(format!("E28011606000{:012X}", u64::from(n) * 7919).parse().unwrap()),
        call_number: format!("TP{}.{}/{}", 100 + n % 800, n % 97, n),
        scheme: Scheme::Clc,
        title,
        author: if n.is_multiple_of(2) { "王重阳，李清照".into() } else { "Knuth, Donald E.".into() },
        thickness_m: 0.005 + (n % 55) as f32 * 0.001,
        height_m: 0.18 + (n % 12) as f32 * 0.01,
        home: format!(
            "{}F/R{:02}{}/B{:02}/T{}",
            n / 250_000 + 1,
            n / 5_000 % 50 + 1,
            ["A", "B"][n as usize / 2_500 % 2],
            n / 250 % 10 + 1,
            n / 42 % 6 + 1
        )
        .parse()
        .unwrap(),
        status: ItemStatus::Available,
        tag_model: String::new(),
    }
}

fn peak_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap_or(0) / 1024
}

/// Processor time of this process, s: what the load takes on a machine that does nothing else.
fn busy_s() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks: Vec<f64> = stat.split_whitespace().skip(13).take(2).filter_map(|t| t.parse().ok()).collect();
    ticks.iter().sum::<f64>() / 100.0
}

#[test]
#[ignore = "a million items, by hand"]
fn a_million_items_load_in_time_and_memory() {
    if let Some(path) = std::env::var_os(LOAD) {
        let before = peak_mib();
        let start = Instant::now();
        let catalogue = Catalogue::load(Path::new(&path)).unwrap();
        let seconds = start.elapsed().as_secs_f64();
        assert_eq!(catalogue.len(), ITEMS as usize);
        println!(
            "LOADED {seconds:.2} s ({:.2} s of processor time), peak {} MiB (before {before} MiB)",
            busy_s(),
            peak_mib()
        );
        assert!(seconds < 10.0 && peak_mib() < 1024);
        return;
    }
    let dir = tempfile::TempDir::new().unwrap();
    let catalogue = Catalogue::from_items("generated", (0..ITEMS).map(item)).unwrap();
    for name in ["items.csv", "items.jsonl", "items.parquet"] {
        let path = dir.path().join(name);
        let start = Instant::now();
        catalogue.save(&path).unwrap();
        let saved = start.elapsed().as_secs_f64();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--nocapture", "a_million_items"])
            .env(LOAD, &path)
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
        let out = String::from_utf8_lossy(&child.stdout).into_owned();
        let loaded = out.lines().find_map(|l| l.split_once("LOADED ")).map_or("?", |(_, l)| l);
        let size = fs::metadata(&path).unwrap().len() / 1_000_000;
        println!("{name}: {size} MB, saved in {saved:.2} s, loaded in {loaded}");
    }
}
