//! Bags against implementations that are not ours: PyPI's `rosbags` and `mcap`.
//!
//! Needs a Python with them, named by `SHELFWRIGHT_PYTHON`; skips loudly without.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod support;

use std::path::Path;
use std::process::Command;

use bags::{RawMessage, RawReader, Reader, Selection, Writer, WriterSettings};
use interfaces::{AnyMessage, Publication};
use serde_json::Value;
use support::run;

/// Runs the peers' script; `None` where there is no Python for it.
fn peers(args: &[&Path]) -> Option<Value> {
    let Ok(python) = std::env::var("SHELFWRIGHT_PYTHON") else {
        println!("SKIPPED: SHELFWRIGHT_PYTHON names no Python with rosbags and mcap-ros2-support");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers.py");
    let done = Command::new(python).arg(script).args(args).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Some(serde_json::from_slice(&done.stdout).unwrap())
}

/// What the script tells of a bag: topic, type, stamp and the message's bytes, in order.
fn told(publications: &[Publication]) -> Value {
    let hex = |bytes: Vec<u8>| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let one = |p: &Publication| {
        serde_json::json!([*p.topic, p.message.type_name(), p.stamp_ns, hex(p.message.to_cdr())])
    };
    publications.iter().map(one).collect()
}

/// By time, then topic: what two readers of equal stamps agree on.
fn sorted(value: &Value) -> Vec<Value> {
    let mut out = value.as_array().unwrap().clone();
    out.sort_by_key(|v| (v[2].as_i64(), v[0].as_str().map(str::to_owned)));
    out
}

#[test]
fn our_bags_open_in_rosbags_and_mcap() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    let publications = run(5);
    let mut writer = Writer::create(&folder).unwrap();
    for p in &publications {
        writer.write(p).unwrap();
    }
    writer.finish().unwrap();
    let Some(answer) = peers(&[Path::new("read"), &folder, &folder.join("run_0.mcap")]) else { return };
    let expected = sorted(&told(&publications));
    for reader in ["rosbag2_reader", "any_reader", "any_reader_file", "mcap"] {
        assert_eq!(sorted(&answer[reader]), expected, "{reader}");
    }
    // It knows no type of a service.
    let of_services = publications.iter().filter(|p| p.message.type_name().contains("/srv/")).count();
    assert!(of_services > 0);
    assert_eq!(answer["decoded"], publications.len() - of_services);
    assert_eq!(answer["metadata"]["version"], 9);
    assert_eq!(answer["metadata"]["message_count"], publications.len());
    assert_eq!(answer["profile"], "ros2");
    for topic in answer["topics"].as_array().unwrap() {
        let info = interfaces::type_info(topic["type"].as_str().unwrap()).unwrap();
        assert_eq!(topic["hash"], if info.name.contains("/srv/") { "" } else { info.hash });
        assert_eq!(topic["channel_hash"], info.hash);
        let static_tf = topic["name"] == "/tf_static";
        assert_eq!(topic["durability"], if static_tf { "TRANSIENT_LOCAL" } else { "VOLATILE" });
        assert_eq!(topic["schema_encoding"], "ros2msg");
        assert_eq!(topic["message_encoding"], "cdr");
    }
    assert!(answer["compression"].as_array().unwrap().iter().all(|c| c == "zstd"));
}

#[test]
fn a_bag_with_every_message_type_opens_in_rosbags_and_mcap() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    let mut writer = Writer::create(&folder).unwrap();
    let publications: Vec<Publication> = (0_i64..)
        .zip(AnyMessage::TYPES)
        .map(|(i, info)| Publication::new(format!("/t{i}"), i, AnyMessage::default_of(info.name).unwrap()))
        .collect();
    for p in &publications {
        writer.write(p).unwrap();
    }
    writer.finish().unwrap();
    assert_eq!(Reader::open(&folder).unwrap().map(|p| p.unwrap()).collect::<Vec<_>>(), publications);
    let Some(answer) = peers(&[Path::new("read"), &folder, &folder.join("run_0.mcap")]) else { return };
    for reader in ["rosbag2_reader", "any_reader", "any_reader_file", "mcap"] {
        assert_eq!(answer[reader], told(&publications), "{reader}");
    }
}

#[test]
fn a_bag_left_by_a_killed_recorder_opens_in_rosbags_and_mcap() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    let publications = run(3);
    let mut writer = Writer::create(&folder).unwrap();
    for p in &publications {
        writer.write(p).unwrap();
    }
    writer.flush().unwrap();
    // As the file stands while the recorder runs, and where it is killed.
    let copy = home.path().join("killed.mcap");
    std::fs::copy(folder.join("run_0.mcap"), &copy).unwrap();
    let Some(answer) = peers(&[Path::new("read_file"), &copy]) else { return };
    let expected = sorted(&told(&publications));
    for reader in ["any_reader_file", "mcap"] {
        assert_eq!(sorted(&answer[reader]), expected, "{reader}");
    }
}

/// Writes a bag by `rosbags`: its folder, and what `rosbags` reads in it again.
fn theirs(home: &Path, storage: &str) -> Option<(std::path::PathBuf, Value)> {
    let folder = home.join(storage);
    let text = home.join("definitions.json");
    let definitions: serde_json::Map<String, Value> =
        ["shelfwright_msgs/msg/TagRead", "tf2_msgs/msg/TFMessage", "sensor_msgs/msg/LaserScan"]
            .map(|t| (t.to_owned(), interfaces::type_info(t).unwrap().definition.into()))
            .into_iter()
            .collect();
    std::fs::write(&text, Value::from(definitions).to_string()).unwrap();
    let answer = peers(&[Path::new("write"), &folder, &text, Path::new(storage)])?;
    Some((folder, answer))
}

/// What our reader tells of a bag, as the script does.
fn ours(path: &Path, selection: Selection) -> Value {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let one =
        |m: RawMessage| serde_json::json!([*m.channel.topic, m.channel.type_name, m.stamp_ns, hex(&m.data)]);
    RawReader::open(path, selection).unwrap().map(|m| one(m.unwrap())).collect()
}

#[test]
fn bags_by_rosbags_are_read_in_every_storage() {
    let home = tempfile::tempdir().unwrap();
    for storage in ["mcap", "sqlite3", "sqlite3-old", "sqlite3-zstd"] {
        let Some((folder, answer)) = theirs(home.path(), storage) else { return };
        let all = sorted(&answer["messages"]);
        assert_eq!(sorted(&ours(&folder, Selection::default())), all, "{storage}");
        // A part of it: the reads and scans of half a second.
        let (from, until) = (1_700_000_000_200_000_000, 1_700_000_000_700_000_000);
        let part = Selection::default().topics(["/inv_1/*"]).from_ns(Some(from)).until_ns(Some(until));
        let expected: Vec<Value> = all
            .iter()
            .filter(|m| m[0].as_str().unwrap().starts_with("/inv_1/"))
            .filter(|m| (from..until).contains(&m[2].as_i64().unwrap()))
            .cloned()
            .collect();
        assert_eq!(expected.len(), 20);
        assert_eq!(sorted(&ours(&folder, part)), expected, "{storage}");
    }
}

#[test]
fn bags_of_every_compression_are_read() {
    let home = tempfile::tempdir().unwrap();
    let Some((folder, _)) = theirs(home.path(), "mcap") else { return };
    for compression in ["none", "lz4", "zstd"] {
        let new = home.path().join(format!("{compression}.mcap"));
        let answer =
            peers(&[Path::new("repack"), &folder.join("mcap.mcap"), &new, Path::new(compression)]).unwrap();
        assert_eq!(sorted(&ours(&new, Selection::default())), sorted(&answer["messages"]), "{compression}");
    }
}

#[test]
fn split_bags_open_in_rosbags() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    let publications = run(10);
    let settings = WriterSettings { split_ns: Some(3_000_000_000), ..WriterSettings::default() };
    let mut writer = Writer::create_with(&folder, settings).unwrap();
    for p in &publications {
        writer.write(p).unwrap();
    }
    assert_eq!(writer.finish().unwrap().files, 4);
    let Some(answer) = peers(&[Path::new("read_folder"), &folder]) else { return };
    assert_eq!(answer["files"], serde_json::json!(["run_0.mcap", "run_1.mcap", "run_2.mcap", "run_3.mcap"]));
    assert_eq!(sorted(&answer["messages"]), sorted(&told(&publications)));
    assert_eq!(answer["count"], publications.len());
    assert_eq!(answer["duration"], 9_900_000_001_i64);
}

#[test]
fn a_foreign_bag_written_again_opens_in_rosbags() {
    let home = tempfile::tempdir().unwrap();
    for storage in ["mcap", "sqlite3", "sqlite3-old"] {
        let Some((folder, answer)) = theirs(home.path(), storage) else { return };
        let again = home.path().join(format!("{storage}-again"));
        let mut writer = Writer::create(&again).unwrap();
        for message in RawReader::open(&folder, Selection::default()).unwrap() {
            writer.write_raw(&message.unwrap()).unwrap();
        }
        writer.finish().unwrap();
        let told = peers(&[Path::new("read_folder"), &again]).unwrap();
        assert_eq!(sorted(&told["messages"]), sorted(&answer["messages"]), "{storage}");
    }
}

#[test]
fn a_bag_by_rosbags_from_our_definitions_is_read() {
    let home = tempfile::tempdir().unwrap();
    let Some((folder, _)) = theirs(home.path(), "mcap") else { return };
    let mut reader = Reader::open(&folder).unwrap();
    let read: Vec<Publication> = reader.by_ref().map(|p| p.unwrap()).collect();
    assert_eq!(reader.skipped().get("std_msgs/msg/Int32"), Some(&3));
    assert_eq!(reader.cut(), None);
    // Written topic by topic, read in order of time.
    assert_eq!(read.len(), 60);
    assert!(read.is_sorted_by_key(|p| p.stamp_ns));
    let mut reads = 0;
    for p in &read {
        match &*p.message {
            AnyMessage::TagRead(read) => {
                assert_eq!(read.header.stamp.to_ns(), p.stamp_ns);
                assert_eq!(read.uid, [0xe2, 0x80, reads]);
                assert_eq!(read.phase_rad, f32::from(reads) * 0.25);
                reads += 1;
            }
            AnyMessage::TFMessage(tf) => assert_eq!(tf.transforms[0].child_frame_id, "inv_1/base_link"),
            AnyMessage::LaserScan(scan) => assert!(scan.ranges[1].is_infinite()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(reads, 20);
}
