//! Reads from outside: nothing is lost, and what is malformed is named.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::PathBuf;

use domain::tables::{ReadProblem, ScanReader, TableError, load_scans, load_truth, write_positions};

fn shared(inside: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SHELFWRIGHT_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let path = root.join(inside);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: no {inside} beside the project");
    None
}

#[test]
fn a_csv_with_columns_in_any_order_keeps_every_read_and_counts_the_impossible() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("reads.csv");
    let text = "\u{feff}x_m,epc,scan,antenna,frequency_hz,rssi_dbm,phase_rad,stamp_ns\n\
                0.1,00aa,a,1,922375000,-50.5,1.5,100\n\
                0.2,00AA,a,1,922375000,-50.5,,101\n\
                0.3,00BB,b,1,0,-50.5,1.5,102\n\
                0.4,00BB,b,1,922375000,-50.5,6.2831855,\n";
    fs::write(&path, text).unwrap();
    let loaded = load_scans(&path).unwrap();
    assert_eq!(loaded.scans.len(), 2);
    assert_eq!(loaded.scans[0].tags.len(), 1, "one EPC in two cases is one tag");
    assert!(loaded.scans[0].reads[1].phase_rad.is_nan());
    assert_eq!(loaded.scans[1].reads[0].phase_rad, 0.0);
    assert_eq!(loaded.problems.by_reason[&ReadProblem::Carrier], (1, 4));
}

#[test]
fn a_malformed_value_names_line_column_and_what_is_allowed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("reads.csv");
    fs::write(&path, "scan,epc,antenna,frequency_hz,rssi_dbm,phase_rad,x_m\na,0G,1,9e8,-50,1,0\n").unwrap();
    let error = load_scans(&path).unwrap_err().to_string();
    for word in ["reads.csv", "line 2", "epc", "0G", "hex"] {
        assert!(error.contains(word), "{word}: {error}");
    }
}

const HEAD: &str = "scan,epc,antenna,frequency_hz,rssi_dbm,phase_rad,x_m\n";

#[test]
fn a_large_table_read_scan_by_scan_gives_the_same_scans() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("reads.csv");
    // Two scans within one piece, one over several pieces, and a bad read in the last.
    let mut text = HEAD.to_owned();
    for (scan, reads) in [("a", 10), ("b", 200_000), ("c", 5)] {
        for i in 0..reads {
            text += &format!(
                "{scan},{:04X},1,{},-50,1,0.1\n",
                i % 7,
                if scan == "c" && i == 3 { 0 } else { 920_625_000 }
            );
        }
    }
    fs::write(&path, text).unwrap();
    let whole = load_scans(&path).unwrap();
    let mut reader = ScanReader::open(&path).unwrap();
    let one_by_one: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
    assert_eq!(one_by_one, whole.scans);
    assert_eq!(reader.problems(), &whole.problems);
    assert_eq!(whole.problems.by_reason[&ReadProblem::Carrier], (1, 200_015));
}

#[test]
fn a_scan_that_comes_back_is_refused_one_by_one_and_merged_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("reads.csv");
    let row = |scan: &str| format!("{scan},00AA,1,920625000,-50,1,0.1\n");
    fs::write(&path, format!("{HEAD}{}{}{}", row("a"), row("b"), row("a"))).unwrap();
    assert_eq!(load_scans(&path).unwrap().scans.iter().map(|s| s.reads.len()).collect::<Vec<_>>(), [2, 1]);
    let error = ScanReader::open(&path).unwrap().find_map(Result::err).unwrap();
    assert!(matches!(error, TableError::Scattered { .. }), "{error}");
    assert!(error.to_string().contains("line 4"), "{error}");
}

#[test]
fn a_table_of_another_form_is_refused_by_column() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |name: &str, text: &str, words: &[&str]| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        let error = load_scans(&path).unwrap_err().to_string();
        for word in words.iter().copied().chain([name]) {
            assert!(error.contains(word), "{word:?} is not in: {error}");
        }
    };
    refused("r.csv", "scan,epc\n", &["`antenna` is missing", "epc"]);
    refused("r.csv", "scan,epc,scan\n", &["`scan` stands there twice"]);
    refused("r.csv", &format!("{HEAD}a,00AA,300,9e8,-50,1,0\n"), &["line 2", "`antenna`", "300", "1 to 255"]);
    refused("r.csv", &format!("{HEAD}a,00AA,1,fast,-50,1,0\n"), &["line 2", "`frequency_hz`", "fast"]);
    refused("r.csv", &format!("{HEAD}a,00AA,1,9e8,-50,1,0\nb,00AA\n"), &["line 3", "2 fields", "7"]);
    refused("r.csv", &format!("{HEAD}a,,1,9e8,-50,1,0\n"), &["line 2", "`epc`"]);
    refused("r.parquet", "PAR1 no", &["no readable Parquet"]);
    refused("r.txt", "", &["csv and parquet"]);
}

#[test]
fn all_reads_of_the_rail_are_loaded() {
    let (Some(reads), Some(truth)) =
        (shared("data/rail/train_d5.parquet"), shared("data/rail/train_d5_truth.csv"))
    else {
        return;
    };
    let loaded = load_scans(&reads).unwrap();
    assert_eq!(loaded.scans.iter().map(|s| s.reads.len()).sum::<usize>(), 1_022_581);
    assert_eq!(loaded.problems.total, 0);
    let truth = load_truth(&truth).unwrap();
    assert!(truth.iter().all(|t| loaded.scans.iter().any(|s| s.name == t.scan && s.tags.contains(&t.epc))));
}

#[test]
fn a_positions_table_that_cannot_be_written_says_where() {
    let error = write_positions(&PathBuf::from("/nonexistent/positions.csv"), &[]).unwrap_err().to_string();
    assert!(error.contains("/nonexistent/positions.csv"), "{error}");
}
