//! The report: what staff and spreadsheets get.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod common;

use bridge::report::{COLUMNS, Report, pick_list, plain};
use bridge::{RunFacts, words};
use domain::audit::Audit;
use domain::{ErrorKind, Site};

fn sample() -> (Site, Audit, RunFacts) {
    let site = common::site(2, 5);
    let (audit, facts) = common::audit(&site, 40, 0.02, 7);
    (site, audit, facts)
}

fn rows(csv: &[u8]) -> Vec<csv::StringRecord> {
    let text = std::str::from_utf8(csv).unwrap().strip_prefix('\u{feff}').expect("a byte order mark");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(reader.headers().unwrap(), &COLUMNS[..]);
    reader.records().collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_spreadsheet_gives_back_what_the_audit_said() {
    let (site, mut audit, facts) = sample();
    let nasty = "=HYPERLINK(\"http://x\"), 'quoted';\r\n第二行\t“…”";
    audit.errors[0].item.title = nasty.into();
    audit.errors[1].item.title = "'tis, −1 °C".into();
    audit.errors[2].item.call_number = "-273/4".into();
    let report = Report::new(&audit, &site, &facts);
    let rows = rows(&report.csv().unwrap());
    let picks = pick_list(&audit, &site);
    assert_eq!(rows.len(), audit.errors.len());
    let column = |name: &str| COLUMNS.iter().position(|c| *c == name).unwrap();
    for (row, pick) in rows.iter().zip(&picks) {
        let cell = |name: &str| plain(&row[column(name)]).to_owned();
        let e = pick.error;
        assert_eq!(cell("walk_order"), pick.number.to_string());
        assert_eq!(cell("title"), e.item.title);
        assert_eq!(cell("call_number"), e.item.call_number);
        assert_eq!(cell("barcode"), e.item.barcode);
        assert_eq!(cell("tag"), e.item.uid.to_string());
        assert_eq!(words::kind(&cell("class_of_problem")), Some(e.kind));
        assert_eq!(cell("home"), e.home.as_ref().map_or(String::new(), ToString::to_string));
        assert_eq!(cell("reads"), e.evidence.reads.to_string());
        let stop = pick.stop.as_ref().unwrap();
        assert_eq!(
            format!("{}/{}/B{:0>2}/T{}", cell("floor"), cell("row"), cell("bay"), cell("tier")),
            stop.to_string()
        );
        assert!((cell("confidence").parse::<f32>().unwrap() - e.confidence).abs() < 6e-4);
    }
    assert!(rows.iter().any(|r| &r[column("title")] == format!("'{nasty}").as_str()), "no formula runs");
}

#[test]
fn the_pick_list_is_one_walk() {
    let (site, mut audit, _) = sample();
    let picks = pick_list(&audit, &site);
    let places: Vec<_> = picks
        .iter()
        .map(|p| {
            let s = p.stop.clone().unwrap();
            (s.face, s.bay, std::cmp::Reverse(s.tier))
        })
        .collect();
    assert!(places.is_sorted());
    let first: Vec<_> = picks.iter().map(|p| p.error.item.uid.clone()).collect();
    audit.errors.reverse();
    let again: Vec<_> = pick_list(&audit, &site).iter().map(|p| p.error.item.uid.clone()).collect();
    let seen_only = |uids: &[domain::Uid]| -> Vec<domain::Uid> {
        uids.iter().filter(|u| audit.books.iter().any(|b| b.item.uid == **u)).cloned().collect()
    };
    assert_eq!(seen_only(&first), seen_only(&again), "the order of the input does not matter");
}

#[test]
fn a_title_cannot_run_as_a_script_in_the_report() {
    let (mut site, mut audit, mut facts) = sample();
    let evil = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
    site.name = evil.into();
    facts.run = evil.into();
    facts.robot = evil.into();
    facts.site = evil.into();
    for e in &mut audit.errors {
        e.item.title = evil.into();
        e.item.call_number = evil.into();
        for n in e.found_between.iter_mut().chain(&mut e.belongs_between).flatten() {
            n.title = evil.into();
        }
    }
    for b in &mut audit.books {
        b.item.title = evil.into();
    }
    let html = Report::new(&audit, &site, &facts).html().unwrap();
    assert_eq!(html.matches("<script>").count(), 1, "only our own script");
    assert!(!html.contains("<img") && !html.contains("</title><script"));
}

#[test]
fn the_page_needs_no_network() {
    let (site, audit, facts) = sample();
    let html = Report::new(&audit, &site, &facts).html().unwrap();
    for outside in ["http://", "https://", "src=", "@import", "url(h", "<link"] {
        assert!(!html.contains(outside), "found {outside}");
    }
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn chinese_is_marked_as_chinese() {
    let (site, audit, facts) = sample();
    let html = Report::new(&audit, &site, &facts).html().unwrap();
    assert!(html.contains("<meta charset=\"utf-8\">"));
    assert!(html.contains("lang=\"zh-Hans\">"));
}

#[test]
fn every_finding_stands_in_the_list_and_on_the_drawing() {
    let (site, audit, facts) = sample();
    let html = Report::new(&audit, &site, &facts).html().unwrap();
    for n in 1..=audit.errors.len() {
        assert!(html.contains(&format!("<tr id=\"n{n}\"")), "{n} in the list");
        assert!(html.contains(&format!("id=\"b{n}\"")), "{n} on the drawing");
    }
    assert_eq!(html.matches("data-pick=").count(), audit.errors.len());
}

#[test]
fn a_big_library_still_makes_a_light_page() {
    let site = common::site(2, 7);
    let (audit, facts) = common::audit(&site, 40, 0.02, 1);
    assert!(audit.books.len() >= 3500, "{}", audit.books.len());
    let html = Report::new(&audit, &site, &facts).html().unwrap();
    println!("{} books, {} findings: {} bytes", audit.books.len(), audit.errors.len(), html.len());
    assert!(html.len() < 5_000_000, "{} bytes", html.len());
}

#[test]
fn an_empty_audit_makes_an_honest_report() {
    let site = common::site(1, 1);
    let (audit, facts) = (Audit::default(), RunFacts { run: "nothing".into(), ..RunFacts::default() });
    let report = Report::new(&audit, &site, &facts);
    assert!(rows(&report.csv().unwrap()).is_empty());
    let html = report.html().unwrap();
    assert!(html.contains("No book was expected"));
    assert!(!html.contains("NaN") && !html.contains("inf"));
    let json: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
    assert_eq!(json["summary"]["expected"], 0);
}

#[test]
fn numbers_that_are_none_and_places_off_the_shelf_do_not_break_the_page() {
    let (site, mut audit, mut facts) = sample();
    facts.distance_m = f64::NAN;
    audit.books[0].along_m = f32::NAN;
    audit.books[1].along_m = -3.0;
    audit.books[2].along_m = 1e30;
    audit.books[3].thickness_m = f32::NAN;
    audit.books[4].thickness_m = -1.0;
    audit.books[5].height_m = f32::INFINITY;
    audit.books[6].tier = 200;
    audit.errors[0].confidence = f32::NAN;
    audit.errors[1].home = None;
    audit.errors[1].found = None;
    let report = Report::new(&audit, &site, &facts);
    let html = report.html().unwrap();
    assert!(!html.contains("NaN") && !html.contains("\"inf"));
    report.csv().unwrap();
    report.json().unwrap();
}

#[test]
fn the_same_audit_makes_the_same_bytes() {
    let (site, audit, facts) = sample();
    let (site2, audit2, facts2) = sample();
    let (a, b) = (Report::new(&audit, &site, &facts), Report::new(&audit2, &site2, &facts2));
    assert_eq!(a.html().unwrap(), b.html().unwrap());
    assert_eq!(a.csv().unwrap(), b.csv().unwrap());
    assert_eq!(a.json().unwrap(), b.json().unwrap());
}

#[test]
fn the_files_land_in_a_folder_that_is_made() {
    let (site, audit, facts) = sample();
    let dir = tempfile::tempdir().unwrap();
    let files = Report::new(&audit, &site, &facts).write(dir.path().join("a/b")).unwrap();
    assert!(files.html.ends_with("a/b/report.html") && files.html.is_file());
    assert_eq!(std::fs::read_dir(dir.path().join("a/b")).unwrap().count(), 3);
    let blocked = dir.path().join("file");
    std::fs::write(&blocked, "x").unwrap();
    let error = Report::new(&audit, &site, &facts).write(&blocked).unwrap_err();
    assert!(error.to_string().contains("file"), "{error}");
}

#[test]
fn missing_and_not_verified_are_told_apart() {
    let (site, audit, facts) = sample();
    let count = |k| audit.errors.iter().filter(|e| e.kind == k).count();
    assert!(count(ErrorKind::Missing) > 0 && count(ErrorKind::NotVerified) > 0);
    let html = Report::new(&audit, &site, &facts).html().unwrap();
    assert!(html.contains("<b>Missing</b>") && html.contains("<b>Not verified</b>"));
}
