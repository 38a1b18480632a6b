//! The catalogue: nothing is lost between formats, every lookup finds its item, bad input is named.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use domain::callnumber::{Scheme, ShelfRules};
use domain::catalogue::{Catalogue, Item, ItemStatus};
use domain::table_error::TableError;
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

fn item(n: u32) -> Item {
    Item {
        barcode: format!("{n:08}"),
        uid: (n % 7 != 3).then(|| format!("E280{n:08X}").parse().unwrap()),
        call_number: format!("I247.5/{n}"),
        scheme: if n.is_multiple_of(5) { Scheme::Lcc } else { Scheme::Clc },
        title: format!("《围城》, \"{n}\"\nquoted"),
        author: if n.is_multiple_of(2) { "钱钟书".into() } else { String::new() },
        thickness_m: if n.is_multiple_of(3) { f32::NAN } else { 0.005 + n as f32 * 1e-5 },
        height_m: 0.2103,
        home: format!("1F/R{:02}A/B02/T{}", n / 100 + 1, n % 6 + 1).parse().unwrap(),
        status: if n.is_multiple_of(11) { ItemStatus::OnLoan } else { ItemStatus::Available },
        tag_model: ["", "UCODE 8", "Monza 4"][n as usize % 3].into(),
    }
}

fn same(a: &Item, b: &Item) -> bool {
    let bits = |i: &Item| [i.thickness_m.to_bits(), i.height_m.to_bits()];
    let rest = |i: &Item| Item { thickness_m: 0.0, height_m: 0.0, ..i.clone() };
    rest(a) == rest(b) && bits(a) == bits(b)
}

#[test]
fn every_item_survives_every_format() {
    let items: Vec<Item> = (1..=500).map(item).collect();
    let catalogue = Catalogue::from_items("test", items.clone()).unwrap();
    let dir = TempDir::new().unwrap();
    for name in ["c.csv", "c.jsonl", "c.parquet"] {
        let path = dir.path().join(name);
        catalogue.save(&path).unwrap();
        let loaded = Catalogue::load(&path).unwrap();
        assert_eq!(loaded.len(), items.len(), "{name}");
        for (a, b) in loaded.iter().zip(&items) {
            assert!(same(&a.to_item(), b), "{name}: {a:?} is not {b:?}");
            assert_eq!(loaded.by_barcode(&b.barcode).unwrap().index, a.index);
            match &b.uid {
                Some(uid) => assert_eq!(loaded.by_uid(uid).unwrap().index, a.index),
                None => assert!(a.uid.is_none()),
            }
        }
        assert!(loaded.by_barcode("nobody").is_none());
        assert!(loaded.by_uid(&"FFFF".parse().unwrap()).is_none());
        assert_eq!(
            std::fs::read_dir(dir.path())
                .unwrap()
                .filter(|e| {
                    e.as_ref().unwrap().file_name().to_string_lossy().contains(".part")
                        && !e.as_ref().unwrap().file_name().to_string_lossy().contains(".parquet")
                })
                .count(),
            0
        );
    }
}

#[test]
fn what_should_stand_on_a_face_leaves_out_what_is_away() {
    let catalogue = Catalogue::from_items("test", (1..=300).map(item)).unwrap();
    let face = "1F/R02A".parse().unwrap();
    let expected: Vec<&str> = catalogue.expected_on(&face).map(|i| i.barcode).collect();
    let wanted: Vec<String> = (100..200).filter(|n| n % 11 != 0).map(|n| format!("{n:08}")).collect();
    assert_eq!(expected, wanted);
}

fn refused(name: &str, content: &[u8], words: &[&str]) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, content).unwrap();
    refused_file(&path, words);
}

fn refused_file(path: &std::path::Path, words: &[&str]) {
    let error = Catalogue::load(path).unwrap_err().to_string();
    let name = path.file_name().unwrap().to_string_lossy();
    for word in words.iter().copied().chain([&*name]) {
        assert!(error.contains(word), "{word:?} is not in: {error}");
    }
    assert!(error.len() < 600 && error.lines().count() == 1, "{error}");
}

const HEAD: &str = "barcode,uid,call_number,scheme,title,thickness_m,home\n";

#[test]
fn a_wrong_cell_of_a_csv_is_named_with_line_and_column() {
    let csv = |rows: &str, words: &[&str]| refused("books.csv", format!("{HEAD}{rows}").as_bytes(), words);
    let good = "1,E280,I247.5/3,clc,\"two\nlines\",0.02,1F/R01A/B02/T4\n";
    csv(&format!("{good}2,E28,I2/3,clc,t,0.02,1F/R01A/B02/T4\n"), &["line 4", "`uid`", "E28", "hex"]);
    csv(
        &format!("{good}2,,I2/3,nlm,t,0.02,1F/R01A/B02/T4\n"),
        &["line 4", "`scheme`", "nlm", "clc, lcc or ddc"],
    );
    csv(&format!("{good}2,,I2/3,clc,t,25,1F/R01A/B02/T4\n"), &["line 4", "`thickness_m`", "25", "metres"]);
    csv(&format!("{good}2,,I2/3,clc,t,thin,1F/R01A/B02/T4\n"), &["`thickness_m`", "thin"]);
    csv(&format!("{good}2,,I2/3,clc,t,nan,1F/R01A/B02/T4\n"), &["`thickness_m`", "nan"]);
    csv(&format!("{good}2,,I2/3,clc,t,,1F/R01/B02/T4\n"), &["`home`", "1F/R01/B02/T4", "3F/R07A/B04/T3"]);
    csv(&format!("{good},,I2/3,clc,t,,1F/R01A/B02/T4\n"), &["line 4", "`barcode`", "at least one character"]);
    csv(&format!("{good}2,,I2/3,clc\n"), &["line 4", "4 fields", "7"]);
    csv(
        &format!("{good}1,,I2/3,clc,t,,1F/R01A/B02/T4\n"),
        &["line 4", "`barcode`", "already stands in line 2"],
    );
    csv(
        &format!("{good}2,e280,I2/3,clc,t,,1F/R01A/B02/T4\n"),
        &["line 4", "`uid`", "already stands in line 2"],
    );
    refused("books.csv", b"barcode,call_number,scheme\n", &["`home` is missing", "call_number"]);
    refused("books.csv", b"barcode,barcode,call_number,scheme,home\n", &["`barcode` stands there twice"]);
    refused("books.csv", b"", &["`barcode` is missing"]);
    let mut latin = format!("{HEAD}{good}2,,I2/3,clc,").into_bytes();
    latin.extend_from_slice(b"\xD6\xD0\xB9\xFA,0.02,1F/R01A/B02/T4\n");
    refused("books.csv", &latin, &["line 4", "field 5", "UTF-8"]);
    refused("books.xlsx", b"", &["xlsx", "csv, jsonl, ndjson and parquet"]);
    refused_file(std::path::Path::new("/nowhere/books.csv"), &["cannot read"]);
}

#[test]
fn a_spreadsheets_byte_order_mark_and_further_columns_do_no_harm() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("books.csv");
    std::fs::write(
        &path,
        "\u{FEFF}barcode, scheme,shelfmark,call_number,home\r\nB1,CLC,x,I2/3,1F/R01A/B02/T4\r\n",
    )
    .unwrap();
    let catalogue = Catalogue::load(&path).unwrap();
    let b1 = catalogue.by_barcode("B1").unwrap();
    assert_eq!((b1.scheme, b1.call_number, b1.status), (Scheme::Clc, "I2/3", ItemStatus::Available));
    assert!(b1.uid.is_none() && b1.thickness_m.is_nan());
}

#[test]
fn a_wrong_value_of_json_lines_is_named_with_line_and_column() {
    let good =
        r#"{"barcode":"1","call_number":"I2/3","scheme":"clc","home":"1F/R01A/B02/T4","more":{"a":[1]}}"#;
    let json = |line: &str, words: &[&str]| {
        refused("books.jsonl", format!("{good}\n\n{line}\n").as_bytes(), words);
    };
    json(
        r#"{"barcode":2,"call_number":"I2/3","scheme":"clc","home":"1F/R01A/B02/T4"}"#,
        &["line 3", "`barcode`", "2", "JSON string"],
    );
    json(
        r#"{"barcode":"2","scheme":"clc","home":"1F/R01A/B02/T4"}"#,
        &["line 3", "`call_number`", "nothing"],
    );
    json(
        r#"{"barcode":"2","call_number":"x","scheme":"clc","home":"1F/R01A/B02/T4","height_m":[1]}"#,
        &["`height_m`", "an array"],
    );
    json(
        r#"{"barcode":"1","call_number":"x","scheme":"clc","home":"1F/R01A/B02/T4"}"#,
        &["line 3", "line 1", "`barcode`"],
    );
    json(r#"{"barcode":"2","call_number""#, &["line 3", "JSON", "byte"]);
    json("[]", &["line 3", "JSON"]);
}

#[test]
fn a_wrong_or_cut_parquet_is_named() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("books.parquet");
    let text = |v: [&str; 2]| -> ArrayRef { Arc::new(StringArray::from(v.to_vec())) };
    let write = |path: &PathBuf, columns: Vec<(&str, ArrayRef)>| {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let file = std::fs::File::create(path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    };
    let homes = text(["1F/R01A/B02/T4", "1F/R01A/B02"]);
    let columns = |barcode: ArrayRef| {
        vec![
            ("barcode", barcode),
            ("call_number", text(["I1", "I2"])),
            ("scheme", text(["clc"; 2])),
            ("home", homes.clone()),
        ]
    };
    write(&path, columns(text(["1", "2"])));
    refused_file(&path, &["row 2", "`home`", "1F/R01A/B02"]);
    write(&path, columns(Arc::new(Int64Array::from(vec![1, 2]))));
    refused_file(&path, &["`barcode`", "Int64", "text"]);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    refused_file(&path, &["no readable Parquet file"]);
    std::fs::write(&path, b"").unwrap();
    refused_file(&path, &["no readable Parquet file"]);
}

#[test]
fn a_catalogue_that_cannot_be_written_says_where() {
    let catalogue = Catalogue::from_items("test", (1..9).map(item)).unwrap();
    let error = catalogue.save("/nowhere/at/all.csv").unwrap_err();
    assert!(matches!(error, TableError::Write { .. }), "{error}");
}

#[test]
fn call_numbers_that_break_their_scheme_are_listed_and_load() {
    let mut wrong = item(2);
    wrong.call_number = "馆藏/5".into();
    let catalogue = Catalogue::from_items("test", [item(1), wrong]).unwrap();
    let rules = ShelfRules::default();
    let problems: Vec<u32> = catalogue.call_number_problems(&rules).map(|(i, _)| i.index).collect();
    assert_eq!(problems, [1]);
}
