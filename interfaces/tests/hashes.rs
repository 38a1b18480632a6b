//! The type hashes of all interfaces are golden: a change of one breaks every bag and every peer, and must be meant.
#![allow(missing_docs, clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::Path;

use interfaces::AnyMessage;

#[test]
fn no_type_hash_changes_unnoticed() {
    let mut now = String::new();
    let mut types: Vec<_> = AnyMessage::TYPES.iter().collect();
    types.sort_unstable_by_key(|t| t.name);
    for info in types {
        writeln!(now, "{} {}", info.name, info.hash).unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("hashes.txt");
    if std::env::var_os("SHELFWRIGHT_UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    for (found, wanted) in now.lines().zip(golden.lines()) {
        assert_eq!(
            found, wanted,
            "hashes.txt; SHELFWRIGHT_UPDATE_GOLDEN=1 writes it anew where this is meant"
        );
    }
    assert_eq!(now.lines().count(), golden.lines().count());
}
