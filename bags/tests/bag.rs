//! What a user has of a bag: all of it back, as much as possible of a damaged one, and a clear word on what is none.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use bags::{BagError, Info, Reader, Writer, info};
use interfaces::Publication;
use proptest::prelude::*;
use support::run;

fn write(folder: &Path, publications: &[Publication]) -> bags::Summary {
    let mut writer = Writer::create(folder).unwrap();
    for p in publications {
        writer.write(p).unwrap();
    }
    writer.finish().unwrap()
}

fn read(path: &Path) -> Vec<Publication> {
    Reader::open(path).unwrap().map(|p| p.unwrap()).collect()
}

#[test]
fn a_recorded_run_comes_back_message_by_message() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    let publications = run(5);
    let summary = write(&folder, &publications);
    assert_eq!(summary.messages, publications.len() as u64);
    assert_eq!((summary.start_ns, summary.end_ns), (0, 4_900_000_000));
    assert_eq!(read(&folder), publications);
    assert_eq!(read(&folder.join("run_0.mcap")), publications);

    let info: Info = info(&folder).unwrap();
    assert_eq!(
        (info.messages, info.start_ns, info.end_ns),
        (publications.len() as u64, Some(0), Some(4_900_000_000))
    );
    let topics: Vec<(&str, u64)> = info.topics.iter().map(|t| (t.topic.as_str(), t.messages)).collect();
    assert_eq!(
        topics,
        [
            ("/clock", 50),
            ("/inv_1/follow_face/_action/cancel_goal_request", 5),
            ("/inv_1/follow_face/_action/feedback", 5),
            ("/inv_1/reads", 50),
            ("/inv_1/scan", 5),
            ("/tf", 50),
            ("/tf_static", 1)
        ]
    );
    assert!(!info.cut && info.topics.iter().all(|t| t.known));
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let home = tempfile::tempdir().unwrap();
    let bytes = |name: &str| {
        let folder = home.path().join(name).join("run");
        write(&folder, &run(3));
        ["run_0.mcap", "metadata.yaml"].map(|f| fs::read(folder.join(f)).unwrap())
    };
    assert_eq!(bytes("a"), bytes("b"));
}

#[test]
fn messages_recorded_out_of_order_come_back_in_order_of_time() {
    let home = tempfile::tempdir().unwrap();
    let publications = run(4);
    let mut by_topic = publications.clone();
    by_topic.sort_by(|a, b| a.topic.cmp(&b.topic));
    write(&home.path().join("run"), &by_topic);
    let read = read(&home.path().join("run"));
    assert!(read.is_sorted_by_key(|p| p.stamp_ns));
    assert_eq!(read.len(), publications.len());
}

#[test]
fn an_empty_bag_opens() {
    let home = tempfile::tempdir().unwrap();
    write(&home.path().join("run"), &[]);
    assert_eq!(read(&home.path().join("run")), []);
}

#[test]
fn a_bag_is_never_overwritten() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    write(&folder, &run(1));
    let error = Writer::create(&folder).err().unwrap().to_string();
    assert!(error.contains("run: exists already"), "{error}");
    assert_eq!(read(&folder), run(1));
}

#[test]
fn a_stamp_before_zero_is_refused_by_topic() {
    let home = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(home.path().join("run")).unwrap();
    let error = writer.write(&Publication { stamp_ns: -1, ..run(1)[0].clone() }).unwrap_err().to_string();
    assert!(error.contains("/tf_static is stamped -1 ns"), "{error}");
    writer.write(&run(1)[0]).unwrap();
    assert_eq!(writer.finish().unwrap().messages, 1);
}

#[test]
fn a_recorder_killed_as_it_began_a_file_leaves_a_bag_that_opens() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("bag");
    let mut writer = Writer::create(&folder).unwrap();
    let all = run(20);
    all.iter().for_each(|p| writer.write(p).unwrap());
    writer.finish().unwrap();
    fs::write(folder.join("bag_1.mcap"), "").unwrap();
    let mut reader = Reader::open(&folder).unwrap();
    assert_eq!(reader.by_ref().filter(Result::is_ok).count(), all.len());
    assert_eq!(reader.cut().map(|c| (c.bytes, c.messages)), Some((0, 0)));
    // Or the first one.
    fs::remove_file(folder.join("bag_1.mcap")).unwrap();
    fs::write(folder.join("bag_0.mcap"), "").unwrap();
    assert_eq!(Reader::open(&folder).unwrap().count(), 0);
}

#[test]
fn what_is_no_bag_is_refused_by_name() {
    let home = tempfile::tempdir().unwrap();
    let open = |path: &Path| Reader::open(path).err().unwrap().to_string();
    assert!(open(&home.path().join("nothing")).contains("nothing: cannot open the bag"));
    assert!(open(home.path()).contains("holds no .mcap or .db3 file"));
    let file = home.path().join("reads.mcap");
    fs::write(&file, "").unwrap();
    assert!(open(&file).contains("reads.mcap: is empty"));
    fs::write(&file, "scan,epc\n1,2\n").unwrap();
    assert!(open(&file).contains("starts with the bytes [73, 63"), "{}", open(&file));
    fs::write(home.path().join("x.db3"), "").unwrap();
    fs::remove_file(&file).unwrap();
    assert!(open(home.path()).contains("x.db3: starts with the bytes []"), "{}", open(home.path()));
    fs::rename(home.path().join("x.db3"), home.path().join("x.db3.zstd")).unwrap();
    assert!(open(home.path()).contains("unpack them first: zstd -d"));
}

#[test]
fn unknown_types_are_skipped_and_counted() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("other.mcap");
    let mut mcap = mcap::Writer::new(fs::File::create(&file).unwrap()).unwrap();
    let schema = mcap.add_schema("other_msgs/msg/Thing", "ros2msg", b"int8 a\n").unwrap();
    let channel = mcap.add_channel(schema, "/things", "cdr", &Default::default()).unwrap();
    let known = mcap.add_schema("std_msgs/msg/Header", "ros2msg", b"").unwrap();
    let json = mcap.add_channel(known, "/json", "json", &Default::default()).unwrap();
    let broken = mcap.add_channel(known, "/broken", "cdr", &Default::default()).unwrap();
    for (i, channel_id) in [channel, json, channel, broken].into_iter().enumerate() {
        let stamp = i as u64;
        let header =
            mcap::records::MessageHeader { channel_id, sequence: 0, log_time: stamp, publish_time: stamp };
        mcap.write_to_known_channel(&header, &[0, 1, 0, 0, 5]).unwrap();
    }
    mcap.finish().unwrap();
    let mut reader = Reader::open(&file).unwrap();
    let error = reader.next().unwrap().unwrap_err();
    assert!(matches!(error, BagError::Message { .. }));
    let text = error.to_string();
    assert!(text.contains("message at 3 ns on /broken: std_msgs/msg/Header: field stamp.sec"), "{text}");
    assert!(reader.next().is_none());
    let skipped: Vec<(&str, u64)> = reader.skipped().iter().map(|(t, n)| (t.as_str(), *n)).collect();
    assert_eq!(skipped, [("other_msgs/msg/Thing", 2), ("std_msgs/msg/Header", 1)]);
    assert!(!info(&file).unwrap().topics[2].known);
}

#[test]
fn a_bag_cut_at_any_byte_gives_all_before_the_cut() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    let mut publications = run(2);
    publications.retain(|p| matches!(&*p.topic, "/clock" | "/inv_1/reads"));
    write(&folder, &publications);
    let whole = fs::read(folder.join("run_0.mcap")).unwrap();
    let cut = home.path().join("cut.mcap");
    let mut before = 0;
    for length in 1..whole.len() {
        fs::write(&cut, &whole[..length]).unwrap();
        let mut reader = Reader::open(&cut).unwrap_or_else(|e| panic!("{length}: {e}"));
        let read: Vec<Publication> = reader.by_ref().map(|p| p.unwrap()).collect();
        assert_eq!(read, publications[..read.len()], "{length}");
        assert!(read.len() >= before, "{length}: {} after {before}", read.len());
        assert_eq!(reader.cut().map(|c| (c.bytes, c.messages)), Some((length as u64, read.len() as u64)));
        before = read.len();
    }
    // The index and the closing hold no messages.
    assert_eq!(before, publications.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_bag_gives_an_error_and_never_a_panic(
        at in any::<prop::sample::Index>(), byte: u8, more in any::<prop::sample::Index>(), run_of in 1..9_usize,
    ) {
        static WHOLE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
        let whole = WHOLE.get_or_init(|| {
            let home = tempfile::tempdir().unwrap();
            write(&home.path().join("run"), &run(2));
            fs::read(home.path().join("run/run_0.mcap")).unwrap()
        });
        let mut bytes = whole.clone();
        let first = at.index(bytes.len());
        for b in bytes.iter_mut().skip(first).take(run_of) {
            *b = byte;
        }
        let second = more.index(bytes.len());
        bytes[second] ^= byte;
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), &bytes).unwrap();
        if let Ok(reader) = Reader::open(file.path()) {
            for publication in reader {
                if let Err(error) = publication {
                    prop_assert!(!error.to_string().is_empty());
                }
            }
        }
    }
}

/// Not a test: the process that `a_killed_recorder_leaves_all_but_the_last_second` kills.
#[test]
#[ignore = "started by another test"]
fn child_that_records_until_it_is_killed() {
    let Ok(folder) = std::env::var("BAG_TO_RECORD") else { return };
    let mut writer = Writer::create(&folder).unwrap();
    for p in run(20) {
        writer.write(&p).unwrap();
    }
    fs::write(Path::new(&folder).join("ready"), "").unwrap();
    std::thread::sleep(std::time::Duration::from_secs(60));
}

#[test]
fn a_killed_recorder_leaves_all_but_the_last_second() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "child_that_records_until_it_is_killed"])
        .env("BAG_TO_RECORD", &folder)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    for _ in 0..600 {
        if folder.join("ready").exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let mut reader = Reader::open(&folder).unwrap();
    let read: Vec<Publication> = reader.by_ref().map(|p| p.unwrap()).collect();
    let publications = run(20);
    assert_eq!(read, publications[..read.len()]);
    assert!(read.last().unwrap().stamp_ns >= publications.last().unwrap().stamp_ns - 1_000_000_000);
    assert_eq!(reader.cut(), None);
}
