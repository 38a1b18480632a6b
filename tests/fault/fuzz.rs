//! Broken inputs by the hundred: reads tables and bags with bytes changed at random, and bags with malformed messages among
//! the good ones. Nothing may panic, what is given must be finite, and what is good must come out as if the bad were not there.
//!
//! `SHELFWRIGHT_FUZZ=20000` makes a soak of it. A failure names its case; the same case gives the same bytes again.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::f64::consts::TAU;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt8Array};
use domain::tables::load_scans;
use domain::{Site, Uid};
use interfaces::builtin_interfaces::Time;
use interfaces::geometry_msgs::{PoseWithCovarianceStamped, TransformStamped};
use interfaces::rosgraph_msgs::Clock;
use interfaces::shelfwright_msgs::{MissionState, TagRead};
use interfaces::tf2_msgs::TFMessage;
use interfaces::{AnyMessage, Publication};
use nodes::Node;
use nodes::host::{HostError, replay};
use nodes::locator::LocatorNode;
use parquet::arrow::ArrowWriter;
use positioning::{LocateSettings, locate_row};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use twin::library::{LibrarySettings, demo_site};

fn cases() -> u64 {
    std::env::var("SHELFWRIGHT_FUZZ").ok().and_then(|n| n.parse().ok()).unwrap_or(300)
}

/// Phase and power of a tag at `tag_m` along the track, read from `at_m`.
fn read_at(tag_m: f64, at_m: f64, frequency_hz: f64) -> (f64, f64) {
    let range = (tag_m - at_m).hypot(0.4);
    (
        (2.0 * TAU * frequency_hz / 299_792_458.0 * range + 1.0).rem_euclid(TAU),
        -40.0 - 40.0 * (range / 0.4).log10(),
    )
}

fn csv() -> Vec<u8> {
    let mut text = String::from("scan,stamp_ns,epc,antenna,frequency_hz,rssi_dbm,phase_rad,x_m,y_m,z_m\n");
    for i in 0..120_i64 {
        let at = 0.01 * i as f64;
        for tag in 0..5_i64 {
            let (phase, rssi) = read_at(0.3 + 0.1 * tag as f64, at, 922.5e6);
            let stamp = i * 20_000_000 + tag * 1_000;
            text += &format!("s,{stamp},30AA{tag:04X},1,922500000,{rssi:.1},{phase:.4},{at:.3},0,0\n");
        }
    }
    text.into_bytes()
}

/// Changes some bytes: flips, numbers that are none, pieces twice or not at all, the end cut off.
fn mutate(bytes: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    const WORDS: [&[u8]; 12] = [
        b"NaN",
        b"-inf",
        b"1e999",
        b"-1",
        b"0",
        b",",
        b"\n",
        b"\"",
        b"\r\n",
        b"\xff\xfe",
        b"",
        b"99999999999999999999",
    ];
    for _ in 0..rng.random_range(1..6) {
        if bytes.is_empty() {
            return;
        }
        let at = rng.random_range(0..bytes.len());
        let end = (at + rng.random_range(1..40_usize)).min(bytes.len());
        match rng.random_range(0..6) {
            0 => bytes[at] ^= 1 << rng.random_range(0..8),
            1 => bytes[at] = rng.random(),
            2 => {
                let word = WORDS[rng.random_range(0..WORDS.len())];
                let end = (at + word.len()).min(bytes.len());
                bytes.splice(at..end, word.iter().copied());
            }
            3 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            4 => {
                bytes.drain(at..end);
            }
            _ => bytes.truncate(at),
        }
    }
}

/// Loads and locates a table; an error has to name the file.
fn table(path: &Path) {
    match load_scans(path) {
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains(path.file_name().unwrap().to_str().unwrap()), "no file in: {text}");
        }
        Ok(loaded) => {
            for scan in &loaded.scans {
                for s in locate_row(scan, &LocateSettings::default()) {
                    assert!(
                        s.along_m.is_finite() && s.along_std_m.is_finite() && s.along_std_m >= 0.0,
                        "{s:?}"
                    );
                }
            }
        }
    }
}

fn fuzz_table(name: &str, good: &[u8], count: u64) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    for case in 0..count {
        let mut bytes = good.to_vec();
        mutate(&mut bytes, &mut ChaCha8Rng::seed_from_u64(case));
        fs::write(&path, &bytes).unwrap();
        let outcome = std::panic::catch_unwind(|| table(&path));
        assert!(outcome.is_ok(), "{name}: case {case}");
    }
}

#[test]
fn reads_tables_with_broken_bytes_are_refused_or_located() {
    fuzz_table("reads.csv", &csv(), cases());
}

/// The same table in Parquet.
fn parquet(path: &Path) -> Vec<u8> {
    let text = String::from_utf8(csv()).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|l| l.split(',').collect()).collect();
    let texts = |c: usize| -> ArrayRef { Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r[c]))) };
    let numbers = |c: usize| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|r| r[c].parse::<f64>().unwrap())))
    };
    let antennas: ArrayRef =
        Arc::new(UInt8Array::from_iter_values(rows.iter().map(|r| r[3].parse::<u8>().unwrap())));
    let batch = RecordBatch::try_from_iter([
        ("scan", texts(0)),
        ("epc", texts(2)),
        ("antenna", antennas),
        ("frequency_hz", numbers(4)),
        ("rssi_dbm", numbers(5)),
        ("phase_rad", numbers(6)),
        ("x_m", numbers(7)),
    ])
    .unwrap();
    let mut writer = ArrowWriter::try_new(fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    fs::read(path).unwrap()
}

#[test]
fn parquet_files_with_broken_bytes_are_refused_or_located() {
    let dir = tempfile::tempdir().unwrap();
    fuzz_table("reads.parquet", &parquet(&dir.path().join("good.parquet")), cases());
}

const STEP_NS: i64 = 20_000_000;

/// The recording of a pass along the first face of the demo site: clock, transforms, reads, mission.
fn recording() -> Vec<Publication> {
    let publish = |topic: &str, stamp_ns: i64, m: AnyMessage| Publication {
        topic: topic.into(),
        stamp_ns,
        message: Arc::new(m),
    };
    let frame = |parent: &str, child: &str, stamp_ns: i64, xyz: [f64; 3]| {
        let mut t = TransformStamped { child_frame_id: child.into(), ..TransformStamped::default() };
        (t.header.frame_id, t.header.stamp) = (parent.into(), Time::from_ns(stamp_ns));
        (t.transform.translation.x, t.transform.translation.y, t.transform.translation.z) =
            (xyz[0], xyz[1], xyz[2]);
        t.transform.rotation.w = 1.0;
        TFMessage { transforms: vec![t] }
    };
    let mut all = vec![publish(
        "/tf_static",
        0,
        frame("inv_1/base_link", "inv_1/antenna_1", 0, [0.0, 0.25, 0.5]).into(),
    )];
    let mission = |state: u8| MissionState {
        robot: "inv_1".into(),
        mission: "fuzz".into(),
        state,
        face: "1F/R01A".into(),
        pass_number: 1,
        ..MissionState::default()
    };
    for i in 0..600_i64 {
        let now = i * STEP_NS;
        let at = 2.0 + 0.1 * now as f64 * 1e-9;
        all.push(publish("/tf", now, frame("map", "inv_1/odom", now, [0.0; 3]).into()));
        all.push(publish("/tf", now, frame("inv_1/odom", "inv_1/base_link", now, [at, 0.85, 0.0]).into()));
        if i == 5 {
            all.push(publish("/inv_1/missions", now, mission(MissionState::SCANNING).into()));
        }
        for tag in 0..4_u8 {
            if i > 5 && i % 4 == i64::from(tag) {
                let (phase, rssi) = read_at(2.5 + 0.1 * f64::from(tag), at, 922.5e6);
                all.push(publish("/inv_1/reads", now, good_read(now, tag, phase, rssi).into()));
            }
        }
        all.push(publish("/clock", now, Clock { clock: Time::from_ns(now) }.into()));
    }
    let end = 600 * STEP_NS;
    all.push(publish("/inv_1/missions", end, mission(MissionState::WAITING).into()));
    for i in 0..100 {
        let now = end + i * STEP_NS;
        all.push(publish("/clock", now, Clock { clock: Time::from_ns(now) }.into()));
    }
    all
}

fn good_read(stamp_ns: i64, tag: u8, phase: f64, rssi: f64) -> TagRead {
    let mut read = TagRead {
        reader: "reader".into(),
        protocol: TagRead::UHF_GEN2,
        antenna: 1,
        uid: vec![0x30, 0xaa, 0, tag],
        rssi_dbm: rssi as f32,
        phase_rad: phase as f32,
        frequency_hz: 922.5e6,
        ..TagRead::default()
    };
    (read.header.stamp, read.header.frame_id) = (Time::from_ns(stamp_ns), "inv_1/antenna_1".into());
    read
}

/// Topics and bytes of what was published.
type Said = Vec<(Arc<str>, Vec<u8>)>;

/// What the locator says of a recording, and when.
fn located(recording: Vec<Publication>) -> (Said, String) {
    let site: Arc<Site> = Arc::new(demo_site(&LibrarySettings::default()));
    let node = LocatorNode::new("inv_1", site, LocateSettings::default());
    let inputs = node.inputs();
    let out =
        replay(vec![Box::new(node) as Box<dyn Node>], &inputs, recording.into_iter().map(Ok::<_, HostError>))
            .unwrap();
    let named = out.iter().map(|p| format!("{} {}", p.topic, p.stamp_ns)).collect::<Vec<_>>().join(", ");
    // A first answer may come a little later while a read waits for a transform that never comes; the last word may not change.
    let last = out.into_iter().filter(|p| !p.is_called("live_sightings"));
    (last.map(|p| (p.topic, p.message.to_cdr())).collect(), named)
}

/// A message that no one should have sent, beside the good ones.
fn malformed(stamp_ns: i64, rng: &mut ChaCha8Rng) -> (&'static str, AnyMessage) {
    let mut read = good_read(stamp_ns, rng.random_range(0..4), 1.0, -50.0);
    match rng.random_range(0..9) {
        0 => read.uid.clear(),
        1 => read.uid = vec![7; 300],
        2 => read.frequency_hz = [0.0, -1.0, f64::NAN, f64::INFINITY][rng.random_range(0..4)],
        3 => read.antenna = 0,
        4 => read.header.frame_id = ["", "inv_9/antenna_1", "\u{0}"][rng.random_range(0..3)].into(),
        5 => read.phase_rad = [f32::INFINITY, -4.0, 1e30][rng.random_range(0..3)],
        6 => read.header.stamp = Time { sec: i32::MIN, nanosec: u32::MAX },
        7 => {
            let mut t =
                TransformStamped { child_frame_id: "inv_1/odom".into(), ..TransformStamped::default() };
            t.header.frame_id = "map".into();
            (t.header.stamp, t.transform.translation.x) = (Time::from_ns(stamp_ns), f64::NAN);
            return ("/tf", TFMessage { transforms: vec![t] }.into());
        }
        _ => {
            let mut pose = PoseWithCovarianceStamped::default();
            (pose.header.stamp, pose.pose.pose.position.x) = (Time::from_ns(stamp_ns), f64::NAN);
            return ("/inv_1/pose", pose.into());
        }
    }
    ("/inv_1/reads", read.into())
}

#[test]
fn malformed_messages_among_good_ones_change_nothing() {
    let good = recording();
    let (expected, named) = located(good.clone());
    assert!(expected.iter().any(|(topic, _)| &**topic == "/inv_1/sightings"), "{named}");
    for case in 0..cases().min(2_000) / 15 {
        let mut rng = ChaCha8Rng::seed_from_u64(case);
        let mut bad = Vec::new();
        for p in &good {
            bad.push(p.clone());
            // Not in the last second: a read that waits in vain for its transform puts the end of the pass off.
            if p.stamp_ns < 550 * STEP_NS && rng.random_bool(0.05) {
                let (topic, message) = malformed(p.stamp_ns, &mut rng);
                bad.push(Publication {
                    topic: topic.into(),
                    stamp_ns: p.stamp_ns,
                    message: Arc::new(message),
                });
            }
        }
        let (found, _) = located(bad);
        assert!(found == expected, "case {case}: what is said of good reads has changed");
    }
}

#[test]
fn bags_with_broken_bytes_are_refused_or_read_as_far_as_they_go() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    let mut writer = bags::Writer::create(&whole).unwrap();
    let messages: Vec<Publication> = recording().into_iter().take(900).collect();
    for p in &messages {
        writer.write(p).unwrap();
    }
    writer.finish().unwrap();
    let file = fs::read_dir(&whole)
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.extension().is_some_and(|e| e == "mcap"));
    let good = fs::read(file.unwrap()).unwrap();
    let path = dir.path().join("broken.mcap");
    for case in 0..cases() {
        let mut bytes = good.clone();
        mutate(&mut bytes, &mut ChaCha8Rng::seed_from_u64(case));
        fs::write(&path, &bytes).unwrap();
        let outcome = std::panic::catch_unwind(|| {
            let reader = match bags::Reader::open(&path) {
                Ok(reader) => reader,
                Err(error) => {
                    return assert!(error.to_string().contains("broken.mcap"), "no file in: {error}");
                }
            };
            let mut read = Vec::new();
            for item in reader {
                match item {
                    Ok(p) => read.push(p),
                    Err(error) => assert!(error.to_string().contains("broken.mcap"), "no file in: {error}"),
                }
                assert!(read.len() <= 4 * messages.len(), "it never ends");
            }
            // What can be read goes through the locator.
            located(read);
        });
        assert!(outcome.is_ok(), "case {case}");
    }
}

#[test]
fn an_identifier_of_any_bytes_is_taken_or_refused() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..cases() {
        let bytes: Vec<u8> = (0..rng.random_range(0..80)).map(|_| rng.random()).collect();
        assert_eq!(Uid::new(&bytes).is_ok(), (1..=62).contains(&bytes.len()));
    }
}
