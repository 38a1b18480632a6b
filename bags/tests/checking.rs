//! A check that says "whole" can be believed, and one that does not says where.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use bags::{BagError, Checked, Packing, Severity, Writer, WriterSettings, check, check_while, info_while};
use proptest::prelude::*;
use support::run;

fn write(folder: &Path, packing: Packing, split_ns: Option<i64>) -> PathBuf {
    let settings = WriterSettings { packing, split_ns, ..WriterSettings::default() };
    let mut writer = Writer::create_with(folder, settings).unwrap();
    for p in run(6) {
        writer.write(&p).unwrap();
    }
    writer.finish().unwrap();
    folder.join(format!("{}_0.mcap", folder.file_name().unwrap().display()))
}

fn problems(checked: &Checked) -> Vec<String> {
    checked.findings.iter().map(|f| f.problem.clone()).collect()
}

#[test]
fn every_bag_that_we_write_is_without_a_fault() {
    let home = tempfile::tempdir().unwrap();
    for (name, packing, split_ns) in [
        ("zstd", Packing::Zstd, None),
        ("lz4", Packing::Lz4, None),
        ("none", Packing::None, None),
        ("split", Packing::ZstdSmall, Some(2_000_000_000)),
    ] {
        write(&home.path().join(name), packing, split_ns);
        let checked = check(home.path().join(name)).unwrap();
        assert_eq!(problems(&checked), Vec::<String>::new(), "{name}");
        assert_eq!(checked.messages, run(6).len() as u64);
    }
    Writer::create(home.path().join("empty")).unwrap().finish().unwrap();
    assert_eq!(problems(&check(home.path().join("empty")).unwrap()), Vec::<String>::new());
}

#[test]
fn a_file_that_a_killed_recorder_had_just_begun_is_no_fault_of_the_others() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    write(&folder, Packing::Zstd, Some(2_000_000_000));
    let before = check(&folder).unwrap();
    fs::remove_file(folder.join("metadata.yaml")).unwrap();
    fs::write(folder.join("run_99.mcap"), []).unwrap();
    let checked = check(&folder).unwrap();
    assert_eq!((checked.errors, checked.messages), (0, before.messages), "{:?}", checked.findings);
    assert!(problems(&checked).iter().any(|p| p.contains("as it began this file")), "{checked:?}");
    assert!(matches!(check(folder.join("run_99.mcap")), Err(BagError::NotABag { .. })));
}

#[test]
fn a_killed_recorders_bag_is_readable_and_said_to_lack_its_index() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    let mut writer = Writer::create(&folder).unwrap();
    for p in run(3) {
        writer.write(&p).unwrap();
    }
    writer.flush().unwrap();
    let checked = check(&folder).unwrap();
    assert_eq!((checked.errors, checked.warnings), (0, 2), "{:?}", checked.findings);
    assert_eq!(checked.messages, run(3).len() as u64);
    let text = problems(&checked).join("\n");
    assert!(text.contains("no index") && text.contains("was killed") && text.contains("bag merge"), "{text}");
}

#[test]
fn metadata_that_does_not_fit_the_files_is_told_key_by_key() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    write(&folder, Packing::Zstd, Some(2_000_000_000));
    let path = folder.join("metadata.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("message_count: 60", "message_count: 61")).unwrap();
    let told = problems(&check(&folder).unwrap());
    let expected = ["/clock", "/inv_1/reads", "/tf"].map(|t| format!("{t}: message_count 61, found 60"));
    assert_eq!(told, expected);
    fs::write(&path, &text).unwrap();
    fs::remove_file(folder.join("run_1.mcap")).unwrap();
    let told = problems(&check(&folder).unwrap()).join("\n");
    assert!(told.contains("relative_file_paths: [\"run_0.mcap\", \"run_1.mcap\", \"run_2.mcap\"]"), "{told}");
}

#[test]
fn a_long_look_can_be_given_up() {
    let home = tempfile::tempdir().unwrap();
    write(&home.path().join("run"), Packing::Zstd, None);
    let mut left = 3;
    let mut go_on = || {
        left -= 1;
        left > 0
    };
    assert!(matches!(check_while(home.path().join("run"), &mut go_on), Err(BagError::Interrupted)));
    assert!(matches!(info_while(home.path().join("run"), || false), Err(BagError::Interrupted)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_byte_is_found_wherever_it_is(at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        static BAG: std::sync::OnceLock<(tempfile::TempDir, Vec<u8>)> = std::sync::OnceLock::new();
        let (_, whole) = BAG.get_or_init(|| {
            let home = tempfile::tempdir().unwrap();
            let file = write(&home.path().join("run"), Packing::Zstd, None);
            let bytes = fs::read(file).unwrap();
            (home, bytes)
        });
        let mut bytes = whole.clone();
        // The magic apart: a file that starts otherwise is no bag.
        let place = 8 + at.index(bytes.len() - 8);
        bytes[place] ^= flip;
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), &bytes).unwrap();
        let checked = check(file.path()).unwrap();
        prop_assert!(
            checked.findings.iter().any(|f| f.severity == Severity::Error),
            "byte {} of {} changed by {:#04x}: {:?}", place, bytes.len(), flip, checked.findings
        );
    }

    #[test]
    fn a_cut_file_is_found(at in any::<prop::sample::Index>()) {
        let home = tempfile::tempdir().unwrap();
        let file = write(&home.path().join("run"), Packing::Zstd, None);
        let bytes = fs::read(&file).unwrap();
        let length = 1 + at.index(bytes.len() - 1);
        let cut = home.path().join("cut.mcap");
        fs::write(&cut, &bytes[..length]).unwrap();
        prop_assert!(check(&cut).unwrap().errors > 0, "cut to {} bytes", length);
    }
}
