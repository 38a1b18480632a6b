//! What a user has of a long or damaged bag: the part that is asked for, and all that is whole.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::Path;

use bags::{Packing, RawMessage, RawReader, Reader, Selection, Writer, WriterSettings};
use interfaces::Publication;
use interfaces::shelfwright_msgs::TagRead;
use proptest::prelude::*;
use support::run;

const SECOND: i64 = 1_000_000_000;

fn write(folder: &Path, settings: WriterSettings, publications: &[Publication]) {
    let mut writer = Writer::create_with(folder, settings).unwrap();
    for p in publications {
        writer.write(p).unwrap();
    }
    writer.finish().unwrap();
}

fn read(path: &Path, selection: Selection) -> Vec<Publication> {
    Reader::open_selected(path, selection).unwrap().map(|p| p.unwrap()).collect()
}

#[test]
fn a_part_of_a_bag_is_what_the_whole_holds_of_it() {
    let home = tempfile::tempdir().unwrap();
    let publications = run(20);
    for (name, split_ns) in [("one", None), ("split", Some(3 * SECOND))] {
        let folder = home.path().join(name);
        write(&folder, WriterSettings { split_ns, ..Default::default() }, &publications);
        for selection in [
            Selection::default().topics(["/inv_1/*"]).without(["*/scan"]),
            Selection::default().from_ns(Some(7 * SECOND)).until_ns(Some(9 * SECOND)),
            Selection::default().topics(["/tf*"]).from_ns(Some(15 * SECOND + 1)),
            Selection::default().until_ns(Some(0)),
            Selection::default().topics(["/none"]),
        ] {
            let wanted =
                |p: &&Publication| selection.takes_topic(&p.topic) && selection.takes_time(p.stamp_ns);
            let expected: Vec<Publication> = publications.iter().filter(wanted).cloned().collect();
            assert_eq!(read(&folder, selection.clone()), expected, "{name} {selection:?}");
        }
    }
}

#[test]
fn what_is_not_asked_for_is_not_even_read() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    let mut publications = run(10);
    publications.retain(|p| &*p.topic == "/inv_1/reads");
    write(&folder, WriterSettings::default(), &publications);
    let file = folder.join("run_0.mcap");
    let mut bytes = fs::read(&file).unwrap();
    // Somewhere in the first chunk.
    for b in &mut bytes[3_000..3_040] {
        *b ^= 0x55;
    }
    fs::write(&file, &bytes).unwrap();
    assert!(Reader::open(&file).unwrap().any(|p| p.is_err()));
    let late = Selection::default().from_ns(Some(5 * SECOND));
    assert_eq!(read(&file, late), publications[50..]);
    assert_eq!(read(&file, Selection::default().topics(["/scan"])), []);
}

#[test]
fn a_hole_that_a_power_cut_left_at_the_end_counts_as_the_end() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    let publications = run(4);
    write(&folder, WriterSettings::default(), &publications);
    let whole = fs::read(folder.join("run_0.mcap")).unwrap();
    let file = home.path().join("cut.mcap");
    for length in [whole.len() / 3, whole.len() / 2] {
        let mut bytes = whole[..length].to_vec();
        bytes.resize(length + 4_096, 0);
        fs::write(&file, &bytes).unwrap();
        let mut reader = Reader::open(&file).unwrap();
        let read: Vec<Publication> = reader.by_ref().map(|p| p.unwrap()).collect();
        assert!(!read.is_empty());
        assert_eq!(read, publications[..read.len()]);
        assert_eq!(reader.cut().unwrap().bytes, bytes.len() as u64);
    }
}

/// Reads of random length at random distances: stamp, bytes of its identifier.
fn any_run() -> impl Strategy<Value = Vec<Publication>> {
    let steps = prop::collection::vec((0..400_000_000_i64, 0..3_000_usize, any::<u64>()), 1..80);
    steps.prop_map(|steps| {
        let mut stamp = 0;
        let mut out = Vec::new();
        for (step, length, seed) in steps {
            stamp += step;
            // Hard to compress, so that a cut falls into messages.
            let uid = (0..length as u64)
                .map(|i| (seed ^ i).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes()[5])
                .collect();
            out.push(Publication::new("/inv_1/reads", stamp, TagRead { uid, ..TagRead::default() }));
        }
        out
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// As a power cut leaves the file: what had reached the disk up to some byte.
    #[test]
    fn a_bag_cut_at_any_byte_opens_and_loses_at_most_the_last_second(
        publications in any_run(),
        at in any::<prop::sample::Index>(),
        packing in prop::sample::select(vec![Packing::Zstd, Packing::ZstdSmall, Packing::Lz4, Packing::None]),
    ) {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("run");
        let settings = WriterSettings { packing, ..Default::default() };
        let file = folder.join("run_0.mcap");
        let cut = home.path().join("cut.mcap");
        let mut writer = Writer::create_with(&folder, settings).unwrap();
        // How long the file was when each message had been taken.
        let mut lengths = Vec::new();
        for p in &publications {
            writer.write(p).unwrap();
            lengths.push(fs::metadata(&file).unwrap().len());
        }
        writer.finish().unwrap();
        let whole = fs::read(&file).unwrap();
        for length in [at.index(whole.len()).max(1), lengths[at.index(lengths.len())] as usize] {
            fs::write(&cut, &whole[..length]).unwrap();
            let mut reader = Reader::open(&cut).unwrap();
            let read: Vec<Publication> = reader.by_ref().map(|p| p.unwrap()).collect();
            prop_assert_eq!(&read[..], &publications[..read.len()]);
            // The last message that had been taken while the file was not longer than that.
            let taken = lengths.iter().filter(|l| **l <= length as u64).count();
            if taken > 0 {
                let newest = publications[taken - 1].stamp_ns;
                let lost = publications[read.len().min(taken)..taken].first().map_or(0, |p| newest - p.stamp_ns);
                prop_assert!(lost < SECOND, "{} ns lost of {} messages", lost, taken);
            }
        }
    }
}

#[test]
fn types_that_are_not_known_here_pass_through_unchanged() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("other.mcap");
    let mut mcap = mcap::Writer::new(fs::File::create(&file).unwrap()).unwrap();
    let schema = mcap.add_schema("other_msgs/msg/Thing", "ros2msg", b"int8 a\n").unwrap();
    let metadata = [("topic_type_hash".to_owned(), "RIHS01_00".to_owned())].into();
    let channel_id = mcap.add_channel(schema, "/things", "cdr", &metadata).unwrap();
    let header = mcap::records::MessageHeader { channel_id, sequence: 0, log_time: 5, publish_time: 5 };
    mcap.write_to_known_channel(&header, &[0, 1, 0, 0, 5]).unwrap();
    mcap.finish().unwrap();
    let raw = |path: &Path| -> Vec<RawMessage> {
        RawReader::open(path, Selection::default()).unwrap().map(|m| m.unwrap()).collect()
    };
    let messages = raw(&file);
    assert_eq!(messages[0].channel.definition, "int8 a\n");
    assert_eq!(messages[0].channel.type_hash, "RIHS01_00");
    let mut writer = Writer::create(home.path().join("copy")).unwrap();
    writer.write_raw(&messages[0]).unwrap();
    writer.finish().unwrap();
    assert_eq!(raw(&home.path().join("copy")), messages);
}
