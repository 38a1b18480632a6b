//! Any site with its catalogue as the twin's world, and what stands where; files that cannot be are refused by one clear
//! error with file and key.
#![allow(missing_docs, clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use domain::ErrorKind;
use interfaces::AnyMessage;
use interfaces::geometry_msgs::TwistStamped;
use twin::stacks::Posture;
use twin::{Library, LibrarySettings, Scenario, Twin};

/// A library of 12 short shelves on disk, with a scenario that names its files.
fn library(dir: &Path) -> Library {
    let settings = LibrarySettings { rows: 1, bays: 2, tiers: 3, on_loan: 2, ..LibrarySettings::default() };
    let library = Library::generate(&settings, 1);
    library.site.save(&dir.join("site.toml")).unwrap();
    library.catalogue().unwrap().save(dir.join("catalogue.csv")).unwrap();
    library
}

fn scenario(dir: &Path, books: bool) -> Result<Twin, String> {
    let mut text = String::from(
        "[errors]\nmissing = 1\nmisplaced = 0\nout_of_order = 0\nforeign = 0\non_loan_on_shelf = 0\n\
         [stacks]\nsite = \"site.toml\"\ncatalogue = \"catalogue.csv\"\n",
    );
    if books {
        text += "books = \"books.csv\"\n";
    }
    text += "[[robot]]\nname = \"inv_1\"\nstart_m = [1.4, 0.85]\n";
    let file = dir.join("night.toml");
    fs::write(&file, text).unwrap();
    let scenario = Scenario::load(&file).map_err(|e| e.to_string())?;
    Twin::new(&scenario).map_err(|e| e.to_string())
}

#[test]
fn a_site_and_a_catalogue_are_a_world() {
    let dir = tempfile::tempdir().unwrap();
    let library = library(dir.path());
    let mut twin = scenario(dir.path(), false).unwrap();
    assert_eq!(twin.site(), &library.site);
    assert_eq!(twin.library().books.len(), library.books.len());
    assert_eq!(twin.truth().injected.len(), 1);
    let (mut out, mut command) = (Vec::new(), TwistStamped::default());
    command.twist.linear.x = 0.15;
    for _ in 0..1200 {
        twin.command("inv_1", &command).unwrap();
        twin.step(&mut out);
    }
    let read: std::collections::BTreeSet<_> = out
        .iter()
        .filter_map(|p| match &*p.message {
            AnyMessage::TagRead(r) => Some(r.uid.clone()),
            _ => None,
        })
        .collect();
    assert!(read.len() > library.books.len() / 3, "{} of {}", read.len(), library.books.len());
}

#[test]
fn a_table_of_books_says_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let library = library(dir.path());
    let mut table = String::from("uid,shelf,posture,pushed_back_m\n");
    let standing: Vec<_> = library.books.iter().filter(|b| !b.on_loan).collect();
    // The first is away, the second in the other bay, the third on its head, the fourth pushed back.
    let other = standing.iter().find(|b| b.home.bay != standing[1].home.bay).unwrap();
    for (i, b) in standing.iter().enumerate().skip(1) {
        let shelf = if i == 1 { &other.home } else { &b.home };
        let posture = if i == 2 { "upside_down" } else { "upright" };
        let back = if i == 3 { "0.06" } else { "" };
        table += &format!("{},{shelf},{posture},{back}\n", b.uid);
    }
    table += &format!("E200AA,{},,\n", other.home);
    fs::write(dir.path().join("books.csv"), table).unwrap();
    let twin = scenario(dir.path(), true).unwrap();
    let truth = twin.truth();
    let kinds: Vec<ErrorKind> = truth.injected.iter().map(|e| e.kind).collect();
    assert_eq!(kinds, [ErrorKind::Missing, ErrorKind::MisplacedBay, ErrorKind::NotInCatalogue]);
    let of = |i: usize| {
        let uid = &standing[i].uid;
        twin.standing().iter().find(|s| twin.stacks().volumes[s.volume].uid == *uid).unwrap()
    };
    assert_eq!(of(2).posture, Posture::UpsideDown);
    assert!(of(2).tag_m[2] > of(4).tag_m[2] - 0.3 && of(2).axis == [0.0, 0.0, -1.0]);
    assert!(of(3).tag_m[1] < -0.06, "its tag is behind the others'");
}

/// A library's files with one of them changed, and what its error must say.
fn refused(change: impl Fn(&Path, &Library), says: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let library = library(dir.path());
    let books: String =
        library.books.iter().filter(|b| !b.on_loan).map(|b| format!("{},{},\n", b.uid, b.home)).collect();
    fs::write(dir.path().join("books.csv"), format!("uid,shelf,left_m\n{books}")).unwrap();
    change(dir.path(), &library);
    let error = match scenario(dir.path(), true) {
        Ok(_) => panic!("accepted, expected {says:?}"),
        Err(e) => e,
    };
    // What is no site at all is shown with its line, over some lines.
    let brief = error.lines().count() == 1 || error.contains("TOML parse error at line");
    assert!(brief && says.iter().all(|s| error.contains(s)), "{error}\nexpected {says:?}");
}

fn edit(dir: &Path, file: &str, from: &str, to: &str) {
    let path = dir.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no {from:?}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn files_that_cannot_be_are_refused_with_file_place_and_key() {
    refused(|d, _| fs::remove_file(d.join("site.toml")).unwrap(), &["site.toml"]);
    refused(|d, _| fs::remove_file(d.join("catalogue.csv")).unwrap(), &["catalogue.csv"]);
    refused(|d, _| edit(d, "site.toml", "depth_m = 0.25", "depth_m = nan"), &["site.toml", "depth_m", "NaN"]);
    refused(|d, _| edit(d, "site.toml", "bays = 2", "bays = 1000000000"), &["site.toml", "bays"]);
    refused(|d, _| edit(d, "books.csv", "uid,shelf,left_m", "uid,place,left_m"), &["books.csv", "`shelf`"]);
    refused(|d, _| edit(d, "books.csv", "/T3,", "/T9,"), &["books.csv", "line 2", "`shelf`", "T9"]);
    refused(|d, _| edit(d, "books.csv", "/T3,\n", "/T3,nan\n"), &["books.csv", "line 2", "`left_m`", "NaN"]);
    refused(|d, _| edit(d, "books.csv", "/T3,\n", "/T3,far\n"), &["books.csv", "line 2", "`left_m`", "far"]);
    refused(
        |d, l| {
            let b = &l.books[0];
            fs::write(
                d.join("books.csv"),
                format!(
                    "uid,shelf,left_m,thickness_m\n{},{},0.10,0.03\n{},{},0.11,0.02\n",
                    b.uid, b.home, l.books[1].uid, b.home
                ),
            )
            .unwrap();
        },
        &["books.csv", "line 3", "`left_m`", "0.11", "0.13", "overlap"],
    );
    refused(
        |d, l| {
            let mut text = String::from("uid,shelf,thickness_m\n");
            for b in &l.books[..4] {
                text += &format!("{},{},0.25\n", b.uid, l.books[0].home);
            }
            fs::write(d.join("books.csv"), text).unwrap();
        },
        &["books.csv", "line 5", "`shelf`", "room"],
    );
    refused(
        |d, l| {
            let b = &l.books[0];
            let line = format!("{},{}\n", b.uid, b.home);
            fs::write(d.join("books.csv"), format!("uid,shelf\n{line}{line}")).unwrap();
        },
        &["books.csv", "line 3", "`uid`", "line 2"],
    );
    refused(
        |d, l| {
            let shelf = l.books[0].home.to_string();
            let beyond = shelf.replace("B01", "B77");
            edit(d, "catalogue.csv", &shelf, &beyond);
        },
        &["catalogue.csv", "B77", "2 bays"],
    );
}

#[test]
fn a_library_without_a_single_book_is_a_world_too() {
    let dir = tempfile::tempdir().unwrap();
    library(dir.path());
    let head = fs::read_to_string(dir.path().join("catalogue.csv")).unwrap();
    fs::write(dir.path().join("catalogue.csv"), head.lines().next().unwrap().to_owned() + "\n").unwrap();
    fs::write(dir.path().join("books.csv"), "uid,shelf\n").unwrap();
    let mut twin = scenario(dir.path(), true).unwrap();
    let mut out = Vec::new();
    (0..50).for_each(|_| twin.step(&mut out));
    assert!(out.iter().all(|p| !matches!(&*p.message, AnyMessage::TagRead(_))));
    assert!(twin.truth().books.is_empty());
}
