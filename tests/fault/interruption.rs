//! Ctrl-C, SIGTERM, a kill and a full disk: what was recorded until then opens.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tests::{program, run, skipped, stderr};

fn start(bin: &Path, out: &Path) -> Child {
    start_with(bin, out, &[])
}

fn start_with(bin: &Path, out: &Path, more: &[&str]) -> Child {
    Command::new(bin)
        .args(["sim", "--quiet", "--out"])
        .arg(out)
        .args(more)
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

/// Runs `sim` on a disk of some megabytes with a reserve: its output, and what stands on the disk.
fn on_small_disk<T>(
    bin: &Path,
    mb: u32,
    reserve_mb: u32,
    look: impl FnOnce(&Path) -> T + std::panic::UnwindSafe,
) -> Option<(std::process::Output, T)> {
    let dir = tempfile::tempdir().unwrap();
    let small = dir.path().join("small");
    std::fs::create_dir(&small).unwrap();
    let params = dir.path().join("params.toml");
    let text = format!(
        "[recorder]\nimages_below_mb = {reserve_mb}\nwarn_below_mb = {reserve_mb}\nreserve_mb = {reserve_mb}\n"
    );
    std::fs::write(&params, text).unwrap();
    let size = format!("size={mb}m");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&small).output();
    if !mounted.is_ok_and(|o| o.status.success()) {
        skipped("cannot mount a small tmpfs (needs root)");
        return None;
    }
    let params = ["--params", params.to_str().unwrap()];
    let output = start_with(bin, &small, &params).wait_with_output().unwrap();
    let looked = std::panic::catch_unwind(|| look(&small));
    assert!(run(Command::new("umount").arg(&small)).status.success());
    Some((output, looked.unwrap()))
}

#[test]
fn a_full_disk_ends_the_run_with_its_name_and_leaves_a_bag_that_opens() {
    let Some(bin) = program() else { return };
    let look = |small: &Path| messages(&bin, small);
    let Some((output, count)) = on_small_disk(&bin, 3, 0, look) else { return };
    let error = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("No space left") || error.contains("StorageFull"), "{error}");
    assert!(count > 1_000);
}

#[test]
fn a_run_ends_before_it_takes_the_disks_reserve_and_its_bag_is_whole() {
    let Some(bin) = program() else { return };
    let look = |small: &Path| {
        let check = run(Command::new(&bin).args(["bag", "check", "--json"]).arg(small.join("bag")));
        (tests::json(&check), bag_bytes(small))
    };
    // It looks once a second, and simulation is quick.
    let Some((output, (check, bytes))) = on_small_disk(&bin, 16, 8, look) else { return };
    let error = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("to leave 8 MiB of reserve"), "{error}");
    assert!(bytes < 12 << 20, "{bytes}");
    assert_eq!((&check["errors"], &check["warnings"]), (&0.into(), &0.into()), "{check:#}");
    assert!(check["messages"].as_u64().unwrap() > 1_000);
}

#[test]
fn a_mission_that_fails_leaves_the_time_before_it_in_a_bag_of_its_own() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let scenario = dir.path().join("blocked.toml");
    // A cart stands in the aisle for good.
    let text = "name = \"blocked\"\nseed = 3\n[library]\nrows = 1\nbays = 2\ntiers = 2\non_loan = 2\n\
                [errors]\nmissing = 0\nmisplaced = 0\nout_of_order = 0\nforeign = 0\non_loan_on_shelf = 0\n\
                [[robot]]\nname = \"inv_1\"\nstart_m = [0.6, 0.75]\nantennas_m = [[0.0, 0.25, 0.25], [0.0, 0.25, 0.61]]\n\
                [[obstacle]]\nat_m = [2.2, 0.75]\nsize_m = [0.6, 1.4]\n";
    std::fs::write(&scenario, text).unwrap();
    let params = dir.path().join("params.toml");
    std::fs::write(
        &params,
        "[recorder]\nbefore_fault_s = 20\nafter_fault_s = 5\nsplit_s = 30\ncompression = \"lz4\"\n",
    )
    .unwrap();
    let out = dir.path().join("out");
    let ran = run(Command::new(&bin)
        .args(["sim", "--quiet", "--faces", "1F/R01A", "--params"])
        .args([&params, &scenario])
        .arg("--out")
        .arg(&out));
    assert!(ran.status.success(), "{}", stderr(&ran));
    let faults: Vec<_> = std::fs::read_dir(out.join("faults")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(faults.len(), 1, "{faults:?}");
    let reason = std::fs::read_to_string(faults[0].join("reason.txt")).unwrap();
    assert!(reason.contains("mission of inv_1: failed"), "{reason}");
    let info = tests::json(&run(Command::new(&bin).args(["bag", "info", "--json"]).arg(&faults[0])));
    let span = info["end_ns"].as_i64().unwrap() - info["start_ns"].as_i64().unwrap();
    assert!((20_000_000_000..26_000_000_000).contains(&span), "{span}");
    assert!(info["topics"].as_array().unwrap().iter().any(|t| t["topic"] == "/tf_static"), "{info:#}");
    let whole = tests::json(&run(Command::new(&bin).args(["bag", "check", "--json"]).arg(out.join("bag"))));
    assert_eq!(whole["errors"], 0, "{whole:#}");
    assert!(whole["files"].as_u64().unwrap() > 1);
}
