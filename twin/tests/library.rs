//! The generated library is one that an auditor can trust: in order, complete, and without a trace of its errors.
#![allow(missing_docs)]

use std::collections::{BTreeMap, BTreeSet};

use domain::ErrorKind;
use twin::inject::{ErrorSettings, LEAST_MOVE, inject};
use twin::library::{Book, TagModel};
use twin::stacks::Stacks;
use twin::{Library, LibrarySettings};

fn demo() -> Library {
    Library::generate(&LibrarySettings::default(), 1)
}

#[test]
fn every_face_stands_in_call_number_order() {
    let library = demo();
    let mut last: BTreeMap<String, _> = BTreeMap::new();
    for book in &library.books {
        let key = library.rules.parse(book.scheme, &book.call_number).unwrap_or_else(|e| panic!("{e}"));
        // Bay by bay, tiers from the top, so that the place grows with the call number.
        let place = (book.home.bay, u8::MAX - book.home.tier, key);
        if let Some(before) = last.insert(book.home.face.to_string(), place.clone()) {
            assert!(before < place, "{} at {} is out of order", book.call_number, book.home);
        }
    }
    assert_eq!(last.len(), 4);
}

#[test]
fn the_demo_has_the_books_it_promises() {
    let library = demo();
    let n = library.books.len();
    assert!((3000..4500).contains(&n), "{n} books");
    let mean = library.books.iter().map(|b| b.thickness_m).sum::<f64>() / n as f64;
    assert!((0.023..0.027).contains(&mean), "mean thickness {mean}");
    assert!(library.books.iter().all(|b| (0.005..=0.060).contains(&b.thickness_m)));
    assert!(library.books.iter().all(|b| (0.18..=0.30).contains(&b.height_m)));
    assert_eq!(library.books.iter().filter(|b| b.on_loan).count(), 40);
    let uids: BTreeSet<_> = library.books.iter().map(|b| &b.uid).collect();
    assert_eq!(uids.len(), n, "tags are unique");
    let catalogue = library.catalogue().unwrap();
    assert_eq!(catalogue.len(), n);
    let by_tag = catalogue.by_uid(&library.books[17].uid).unwrap();
    assert_eq!(by_tag.barcode, library.books[17].barcode);
}

#[test]
fn shelves_are_never_overfull() {
    let library = demo();
    let mut stacks = Stacks::in_order(&library, &LibrarySettings::default(), 1);
    inject(&mut stacks, &library, &ErrorSettings::default(), 1).unwrap();
    for (address, slots) in &stacks.shelves {
        let used = stacks.used_m(slots);
        assert!(used <= 0.87, "{address} holds {used} m of books");
    }
    for s in stacks.standing(&library.site) {
        let (_, face) = library.site.face(&s.address.face).unwrap();
        let bay = face.bay_at(s.tag_m[0]).unwrap();
        assert_eq!(bay, s.address.bay, "the tag is in its own bay");
        assert!((-0.03..=0.0).contains(&s.tag_m[1]));
    }
}

#[test]
fn injected_errors_are_as_many_and_as_bad_as_asked_for() {
    let library = demo();
    let mut stacks = Stacks::in_order(&library, &LibrarySettings::default(), 1);
    let settings = ErrorSettings::default();
    let errors = inject(&mut stacks, &library, &settings, 1).unwrap();
    let count = |kinds: &[ErrorKind]| errors.iter().filter(|e| kinds.contains(&e.kind)).count() as u32;
    assert_eq!(count(&[ErrorKind::Missing]), settings.missing);
    let far = [ErrorKind::MisplacedTier, ErrorKind::MisplacedBay, ErrorKind::MisplacedRow];
    assert_eq!(count(&far), settings.misplaced);
    assert_eq!(count(&[ErrorKind::OutOfOrder]), settings.out_of_order);
    assert_eq!(count(&[ErrorKind::NotInCatalogue]), settings.foreign);
    assert_eq!(count(&[ErrorKind::OnLoan]), settings.on_loan_on_shelf);
    let uids: BTreeSet<_> = errors.iter().map(|e| &e.uid).collect();
    assert_eq!(uids.len(), errors.len(), "no book has two errors");
    for e in &errors {
        let volume = stacks.volumes.iter().position(|v| v.uid == e.uid).unwrap();
        let stands = stacks.find(volume).map(|(address, _)| address);
        assert_eq!(stands, e.stands, "{:?} {}", e.kind, e.uid);
        match e.kind {
            ErrorKind::OutOfOrder => {
                assert!(e.moved_by.unsigned_abs() as usize >= LEAST_MOVE);
                assert_eq!(e.stands, e.home);
            }
            ErrorKind::MisplacedTier => {
                let (a, b) = (e.stands.as_ref().unwrap(), e.home.as_ref().unwrap());
                assert!(a.face == b.face && a.bay == b.bay && a.tier != b.tier);
            }
            ErrorKind::MisplacedBay => {
                let (a, b) = (e.stands.as_ref().unwrap(), e.home.as_ref().unwrap());
                assert!(a.face == b.face && a.bay != b.bay);
            }
            ErrorKind::MisplacedRow => {
                assert_ne!(e.stands.as_ref().unwrap().face, e.home.as_ref().unwrap().face);
            }
            _ => {}
        }
    }
}

#[test]
fn what_was_not_touched_still_stands_in_order() {
    let library = demo();
    let mut stacks = Stacks::in_order(&library, &LibrarySettings::default(), 1);
    let errors = inject(&mut stacks, &library, &ErrorSettings::default(), 1).unwrap();
    let touched: BTreeSet<_> = errors.iter().map(|e| &e.uid).collect();
    for (address, slots) in &stacks.shelves {
        let rest: Vec<usize> =
            slots.iter().map(|s| s.volume).filter(|v| !touched.contains(&stacks.volumes[*v].uid)).collect();
        assert!(rest.is_sorted(), "{address}");
        assert!(rest.iter().all(|v| library.books[*v].home == *address));
    }
}

#[test]
fn too_many_errors_for_a_small_library_are_refused() {
    let small = LibrarySettings { rows: 1, bays: 1, tiers: 2, on_loan: 0, ..LibrarySettings::default() };
    let library = Library::generate(&small, 1);
    let mut stacks = Stacks::in_order(&library, &LibrarySettings::default(), 1);
    let wanted = ErrorSettings { missing: 5000, ..ErrorSettings::NONE };
    let error = inject(&mut stacks, &library, &wanted, 1).unwrap_err().to_string();
    assert!(error.contains("errors.missing") && error.contains("5000"), "{error}");
}

#[test]
fn old_tags_have_their_share_and_change_no_book() {
    let settings = LibrarySettings {
        tag_models: vec![TagModel { name: "old".into(), share: 0.3, needs_db: 6.0 }],
        ..LibrarySettings::default()
    };
    let (usual, mixed) = (Library::generate(&LibrarySettings::default(), 4), Library::generate(&settings, 4));
    let old = mixed.books.iter().filter(|b| b.tag_model == "old").count() as f64;
    assert!((0.25..0.35).contains(&(old / mixed.books.len() as f64)), "{old}");
    let plain = |b: &Book| Book { tag_model: String::new(), ..b.clone() };
    assert_eq!(mixed.books.iter().map(plain).collect::<Vec<_>>(), usual.books);
    let stacks = Stacks::in_order(&mixed, &settings, 4);
    assert!(
        stacks.volumes.iter().zip(&mixed.books).all(|(v, b)| (v.needs_db > 0.0) == (b.tag_model == "old"))
    );
}

#[test]
fn another_seed_makes_another_library() {
    let a = demo();
    let b = Library::generate(&LibrarySettings::default(), 2);
    assert_ne!(a.books[0], b.books[0]);
    assert_eq!(a.books, demo().books);
    assert_eq!(a.site, b.site, "the building stays");
}
