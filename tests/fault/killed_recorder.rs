//! A recorder that is killed at any moment leaves a bag that opens and has all but the last second.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bags::{DiskLimits, Reader, Recording, WriterSettings};
use interfaces::Publication;
use interfaces::shelfwright_msgs::TagRead;
use interfaces::std_msgs::Header;
use nodes::host::Observer;
use nodes::recorder::{Recorder, Sink};

const FOLDER: &str = "SHELFWRIGHT_TEST_BAG";
const SECOND: u64 = 1_000_000_000;

struct Bag(Recording);

impl Sink for Bag {
    fn write(&mut self, publication: &Publication) -> Result<(), String> {
        self.0.write(publication).map_err(|e| e.to_string())
    }

    fn idle(&mut self) -> Result<(), String> {
        self.0.flush().map_err(|e| e.to_string())
    }

    fn finish(&mut self) -> Result<(), String> {
        self.0.finish().map(drop).map_err(|e| e.to_string())
    }
}

/// Not a test: the process that is killed. Records 500 reads a second in real time, splits each 700 ms, pauses now
/// and then, and notes in a file how far it has come.
#[test]
#[ignore = "started by another test"]
fn child_that_records_until_it_is_killed() {
    let Ok(home) = std::env::var(FOLDER) else { return };
    let home = Path::new(&home);
    let settings = WriterSettings { split_ns: Some(700_000_000), ..WriterSettings::default() };
    let limits = DiskLimits { images_below: 0, warn_below: 0, reserve: 0 };
    let recording = Recording::start(home.join("bag"), settings, limits).unwrap();
    let mut recorder = Recorder::start(Bag(recording));
    let progress = File::create(home.join("progress")).unwrap();
    let started = Instant::now();
    for i in 0_u64.. {
        let ns = started.elapsed().as_nanos() as u64;
        let read = TagRead {
            header: Header::new(ns as i64, "inv_1/antenna_1"),
            uid: i.to_be_bytes().to_vec(),
            ..TagRead::default()
        };
        recorder.observe(&Publication::new("/inv_1/reads", ns as i64, read)).unwrap();
        progress.write_all_at(&[i.to_le_bytes(), ns.to_le_bytes()].concat(), 0).unwrap();
        let pause = if i % 400 == 399 { 400 } else { 2 };
        std::thread::sleep(Duration::from_millis(pause));
    }
}

fn start(home: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "child_that_records_until_it_is_killed"])
        .env(FOLDER, home)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Number and stamp of the last read that was handed to the recorder.
fn progress(home: &Path) -> Option<(u64, u64)> {
    let bytes = fs::read(home.join("progress")).ok()?;
    let (numbers, _) = bytes.as_chunks::<8>();
    Some((u64::from_le_bytes(*numbers.first()?), u64::from_le_bytes(*numbers.get(1)?)))
}

#[test]
fn a_recorder_killed_at_fifty_moments_leaves_all_but_the_last_second() {
    let dir = tempfile::tempdir().unwrap();
    let mut checked = 0;
    for round in 0..5_u64 {
        let mut children: Vec<(PathBuf, Child, u64)> = (0..10_u64)
            .map(|i| {
                let home = dir.path().join(format!("{round}-{i}"));
                fs::create_dir(&home).unwrap();
                // Scattered without a pattern over two and a half seconds of recording.
                let after_ms = (round * 10 + i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) % 2_500;
                (home.clone(), start(&home), after_ms)
            })
            .collect();
        children.sort_by_key(|(_, _, after_ms)| *after_ms);
        for (home, child, after_ms) in &mut children {
            let deadline = Instant::now() + Duration::from_secs(60);
            while progress(home).is_none_or(|(_, ns)| ns < *after_ms * 1_000_000) {
                assert!(Instant::now() < deadline, "the recorder does not record");
                std::thread::sleep(Duration::from_millis(1));
            }
            child.kill().unwrap();
            child.wait().unwrap();
        }
        for (home, _, _) in &children {
            let (last, newest_ns) = progress(home).unwrap();
            let mut reader = Reader::open(home.join("bag")).unwrap();
            let stamps: Vec<u64> = reader
                .by_ref()
                .enumerate()
                .map(|(i, p)| {
                    let p = p.unwrap();
                    let interfaces::AnyMessage::TagRead(read) = &*p.message else { panic!("{p:?}") };
                    assert_eq!(read.uid, (i as u64).to_be_bytes());
                    p.stamp_ns as u64
                })
                .collect();
            let oldest_lost = stamps.len() as u64;
            if oldest_lost <= last {
                // All that is lost was handed over after the last one that is there.
                let kept_ns = stamps.last().copied().unwrap_or(0);
                assert!(
                    newest_ns - kept_ns <= SECOND,
                    "{} ns lost in {}",
                    newest_ns - kept_ns,
                    home.display()
                );
            }
            checked += 1;
        }
    }
    assert_eq!(checked, 50);
}
