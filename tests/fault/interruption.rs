//! Ctrl-C, SIGTERM, a kill and a full disk: what was recorded until then opens.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tests::{program, run, skipped, stderr};

fn start(bin: &Path, out: &Path) -> Child {
    Command::new(bin)
        .args(["sim", "--quiet", "--out"])
        .arg(out)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn bag_bytes(out: &Path) -> u64 {
    let files = std::fs::read_dir(out.join("bag")).into_iter().flatten().flatten();
    files.filter_map(|f| f.metadata().ok()).map(|m| m.len()).sum()
}

/// Waits until the run has written some of its bag.
fn wait_for_bag(out: &Path) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while bag_bytes(out) < 100_000 {
        assert!(Instant::now() < deadline, "no bag after two minutes");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn signal(child: &Child, name: &str) {
    assert!(run(Command::new("kill").args([name, &child.id().to_string()])).status.success());
}

fn messages(bin: &Path, out: &Path) -> u64 {
    let info = run(Command::new(bin).args(["bag", "info", "--json"]).arg(out.join("bag")));
    assert!(info.status.success(), "{}", stderr(&info));
    tests::json(&info)["messages"].as_u64().unwrap()
}

#[test]
fn an_interrupted_run_leaves_a_bag_that_opens_and_exits_with_130() {
    let Some(bin) = program() else { return };
    for name in ["-INT", "-TERM"] {
        let dir = tempfile::tempdir().unwrap();
        let mut child = start(&bin, dir.path());
        wait_for_bag(dir.path());
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(130), "after {name}");
        assert!(dir.path().join("bag/metadata.yaml").exists());
        assert!(messages(&bin, dir.path()) > 1_000);
    }
}

#[test]
fn a_killed_run_leaves_a_bag_that_opens() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut child = start(&bin, dir.path());
    wait_for_bag(dir.path());
    signal(&child, "-KILL");
    child.wait().unwrap();
    assert!(messages(&bin, dir.path()) > 1_000);
}

#[test]
fn a_full_disk_ends_the_run_with_its_name_and_leaves_a_bag_that_opens() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let small = dir.path().join("small");
    std::fs::create_dir(&small).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"]).arg(&small).output();
    if !mounted.is_ok_and(|o| o.status.success()) {
        return skipped("cannot mount a small tmpfs (needs root)");
    }
    let output = start(&bin, &small).wait_with_output().unwrap();
    let count = std::panic::catch_unwind(|| messages(&bin, &small));
    assert!(run(Command::new("umount").arg(&small)).status.success());
    let error = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("No space left") || error.contains("StorageFull"), "{error}");
    assert!(count.unwrap() > 1_000);
}
