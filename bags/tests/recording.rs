//! What a robot's owner has of its recorder: room on the disk, the minute before a fault, and no bags for ever.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bags::{
    BagError, DiskLimits, DiskState, FreeSpace, Reader, Recording, Retention, Ring, RingSettings, Writer,
    WriterSettings, info, retain,
};
use interfaces::Publication;
use interfaces::diagnostic_msgs::{DiagnosticArray, DiagnosticStatus};
use interfaces::sensor_msgs::Image;
use interfaces::shelfwright_msgs::MissionState;
use support::run;

const SECOND: i64 = 1_000_000_000;

/// A disk whose free space the test sets.
#[derive(Clone)]
struct Told(Arc<AtomicU64>);

impl FreeSpace for Told {
    fn free_bytes(&mut self, _: &Path) -> std::io::Result<u64> {
        Ok(self.0.load(Ordering::Relaxed))
    }
}

fn image(ns: i64) -> Publication {
    Publication::new("/inv_1/camera_1/image", ns, Image { data: vec![7; 100], ..Image::default() })
}

fn read(path: &Path) -> Vec<Publication> {
    Reader::open(path).unwrap().map(|p| p.unwrap()).collect()
}

#[test]
fn little_space_ends_images_first_and_the_reserve_ends_the_bag_in_order() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    let free = Told(Arc::new(AtomicU64::new(1 << 40)));
    let limits = DiskLimits { images_below: 3_000, warn_below: 2_000, reserve: 1_000 };
    let mut recording =
        Recording::start_watching(&folder, WriterSettings::default(), limits, Box::new(free.clone()))
            .unwrap();
    let reads = run(4);
    let mut stages = reads.chunks(reads.len() / 4);
    let mut kept = Vec::new();
    for (bytes, state) in
        [(1 << 40, DiskState::Plenty), (2_500, DiskState::NoImages), (1_500, DiskState::Low)]
    {
        free.0.store(bytes, Ordering::Relaxed);
        // It looks once a second.
        std::thread::sleep(Duration::from_millis(1_050));
        for p in stages.next().unwrap() {
            recording.write(p).unwrap();
            kept.push(p.clone());
            recording.write(&image(p.stamp_ns)).unwrap();
            if state == DiskState::Plenty {
                kept.push(image(p.stamp_ns));
            }
        }
        assert_eq!(recording.counts().disk, state);
    }
    let left_out = recording.counts().images_left_out["/inv_1/camera_1/image"];
    assert_eq!(left_out, 2 * (reads.len() / 4) as u64);
    free.0.store(900, Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(1_050));
    let error = recording.write(&reads[0]).unwrap_err();
    assert!(matches!(error, BagError::NoSpace { free: 900, reserve: 1_000, .. }), "{error}");
    assert!(error.to_string().contains("complete up to here"), "{error}");
    assert!(recording.write(&reads[0]).unwrap_err().to_string().contains("the bag is closed"));
    assert!(folder.join("metadata.yaml").exists());
    assert_eq!(read(&folder), kept);
}

#[test]
fn a_long_run_makes_files_of_the_size_that_was_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    let settings = WriterSettings { split_bytes: Some(40_000), ..WriterSettings::default() };
    let mut writer = Writer::create_with(&folder, settings).unwrap();
    let publications = run(60);
    for p in &publications {
        writer.write(p).unwrap();
    }
    let summary = writer.finish().unwrap();
    let files = info(&folder).unwrap().files;
    assert_eq!(files.len(), summary.files);
    assert!(files.len() > 3, "{files:?}");
    let sizes: Vec<u64> = files.iter().map(|f| fs::metadata(f).unwrap().len()).collect();
    // The index comes on top.
    assert!(sizes.iter().all(|s| *s < 90_000), "{sizes:?}");
    assert_eq!(read(&folder), publications);
    // Each file opens alone.
    let each: Vec<Publication> = files.iter().flat_map(|f| read(f)).collect();
    assert_eq!(each, publications);
}

#[test]
fn a_fault_keeps_the_time_before_it_and_a_little_after() {
    let home = tempfile::tempdir().unwrap();
    let settings = RingSettings { before_ns: 6 * SECOND, after_ns: 2 * SECOND, ..RingSettings::default() };
    let mut ring = Ring::new(&home.path().join("faults"), settings);
    let publications = run(30);
    let failed = MissionState {
        robot: "inv_1".into(),
        state: MissionState::FAILED,
        reason: "aisle blocked".into(),
        ..MissionState::default()
    };
    let mut expected = Vec::new();
    for p in &publications {
        ring.take(p).unwrap();
        let kept = (14 * SECOND..=22 * SECOND).contains(&p.stamp_ns) || &*p.topic == "/tf_static";
        if kept {
            expected.push(p.clone());
        }
        if p.stamp_ns == 20 * SECOND && &*p.topic == "/inv_1/reads" {
            for _ in 0..3 {
                // A fault that stays makes one bag.
                ring.take(&Publication::new("/inv_1/missions", p.stamp_ns, failed.clone())).unwrap();
            }
        }
    }
    ring.close().unwrap();
    assert_eq!(ring.bags(), [home.path().join("faults/fault-20.000")]);
    let reason = fs::read_to_string(ring.bags()[0].join("reason.txt")).unwrap();
    assert_eq!(reason, "mission of inv_1: failed: aisle blocked\n");
    let mut got = read(&ring.bags()[0]);
    assert_eq!(got.iter().filter(|p| &*p.topic == "/inv_1/missions").count(), 3);
    got.retain(|p| &*p.topic != "/inv_1/missions");
    // The transform that was published once is there too, at the bag's start.
    expected[0].stamp_ns = 14 * SECOND;
    let key = |p: &Publication| (p.stamp_ns, p.topic.clone());
    got.sort_by_key(key);
    expected.sort_by_key(key);
    assert_eq!(got, expected);
    assert_eq!(ring.dropped(), 0);
}

#[test]
fn a_ring_takes_no_more_memory_than_it_was_given_and_counts_what_that_costs() {
    let home = tempfile::tempdir().unwrap();
    let settings = RingSettings { max_bytes: 10_000, ..RingSettings::default() };
    let mut ring = Ring::new(home.path(), settings);
    for i in 0..100 {
        ring.take(&image(i * SECOND / 10)).unwrap();
    }
    let error = |level| DiagnosticArray {
        status: vec![DiagnosticStatus { name: "reader".into(), level, ..DiagnosticStatus::default() }],
        ..DiagnosticArray::default()
    };
    for level in [DiagnosticStatus::WARN, DiagnosticStatus::ERROR] {
        ring.take(&Publication::new("/diagnostics", 10 * SECOND, error(level))).unwrap();
    }
    ring.close().unwrap();
    let got = read(&ring.bags()[0]);
    assert_eq!(got.len() as u64 + ring.dropped(), 102);
    let images = got.iter().filter(|p| p.is_called("image")).count();
    assert!((50..80).contains(&images), "{images}");
}

fn old_bag(root: &Path, name: &str, days: u64, now: SystemTime) -> (PathBuf, u64) {
    let folder = root.join(name);
    let mut writer = Writer::create(&folder).unwrap();
    for p in run(2) {
        writer.write(&p).unwrap();
    }
    writer.finish().unwrap();
    let mut bytes = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        bytes += fs::metadata(&path).unwrap().len();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(now - Duration::from_secs(days * 86_400)).unwrap();
    }
    (folder, bytes)
}

#[test]
fn old_bags_go_by_age_and_by_size_and_nothing_else_does() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path();
    let now = SystemTime::now();
    let (a, bytes) = old_bag(root, "a", 40, now);
    let (b, _) = old_bag(root, "b", 20, now);
    let (c, _) = old_bag(root, "c", 10, now);
    let (d, _) = old_bag(root, "d", 1, now);
    // Not a bag: someone's notes are in it.
    let (notes, _) = old_bag(root, "notes", 90, now);
    fs::write(notes.join("notes.txt"), "keep").unwrap();
    fs::write(root.join("readme.txt"), "keep").unwrap();
    let names =
        |removed: Vec<bags::Removed>| -> Vec<PathBuf> { removed.into_iter().map(|r| r.path).collect() };

    let month = Retention { max_age: Some(Duration::from_secs(30 * 86_400)), max_bytes: None };
    assert_eq!(names(retain(root, month, None, now, true).unwrap()), std::slice::from_ref(&a));
    assert!(a.exists());
    assert_eq!(names(retain(root, month, None, now, false).unwrap()), std::slice::from_ref(&a));
    assert!(!a.exists());

    let two = Retention { max_age: None, max_bytes: Some(2 * bytes + bytes / 2) };
    // The oldest is being recorded, so the next one goes.
    assert_eq!(names(retain(root, two, Some(&b), now, false).unwrap()), std::slice::from_ref(&c));
    assert!(b.exists() && !c.exists() && d.exists() && notes.exists() && root.join("readme.txt").exists());
}
