//! The bag commands as a user has them.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::{json, program, run, stderr};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bags/slip/bag")
}

fn bag(bin: &Path, args: &[&str]) -> Value {
    let output = run(Command::new(bin).args(["bag", "--json"]).args(args));
    assert!(
        output.status.success(),
        "{args:?}: {}{}",
        stderr(&output),
        String::from_utf8_lossy(&output.stdout)
    );
    json(&output)
}

fn topics(info: &Value) -> Vec<(&str, u64)> {
    let all = info["topics"].as_array().unwrap().iter();
    all.map(|t| (t["topic"].as_str().unwrap(), t["messages"].as_u64().unwrap())).collect()
}

#[test]
fn a_bag_is_cut_and_joined_again_without_loss() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let golden = golden();
    let golden = golden.to_str().unwrap();
    let whole = bag(&bin, &["info", golden]);
    bag(&bin, &["cut", golden, "--to", "10", "--out", &at("a")]);
    bag(&bin, &["cut", golden, "--from", "10", "--no-latched", "--out", &at("b"), "--split-s", "5"]);
    let rest = bag(&bin, &["cut", golden, "--from", "10", "--out", &at("c"), "--compression", "lz4"]);
    let joined = bag(&bin, &["merge", &at("b"), &at("a"), "--out", &at("ab")]);
    assert_eq!(joined["messages"], whole["messages"]);
    for name in ["a", "b", "c", "ab"] {
        let checked = bag(&bin, &["check", &at(name)]);
        assert_eq!((&checked["errors"], &checked["warnings"]), (&0.into(), &0.into()), "{name}: {checked:#}");
    }
    assert!(bag(&bin, &["info", &at("b")])["files"].as_array().unwrap().len() >= 3);
    let ab = bag(&bin, &["info", &at("ab")]);
    assert_eq!(topics(&ab), topics(&whole));
    assert_eq!((&ab["start_ns"], &ab["end_ns"]), (&whole["start_ns"], &whole["end_ns"]));
    // The antennas' places, said once at the start, are in a later part too.
    let c = bag(&bin, &["info", &at("c")]);
    assert_eq!(topics(&c).iter().find(|t| t.0 == "/tf_static").unwrap().1, 1);
    assert_eq!(rest["start_ns"], 10_000_000_000_i64 + whole["start_ns"].as_i64().unwrap());
    // Joined again it gives the same sightings.
    for file in ["site.toml", "catalogue.csv"] {
        fs::copy(Path::new(golden).with_file_name(file), dir.path().join(file)).unwrap();
    }
    bag(&bin, &["replay", &at("ab"), "--nodes", "locator,auditor", "--compare", "--moved", "2"]);
}

#[test]
fn topics_are_taken_out_and_written_as_tables() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let golden = golden();
    let golden = golden.to_str().unwrap();
    bag(&bin, &["filter", golden, "--without", "/tf", "--without", "/clock", "--out", &at("slim")]);
    let slim = bag(&bin, &["info", &at("slim")]);
    assert!(topics(&slim).iter().all(|(t, n)| *n > 0 && *t != "/tf" && *t != "/clock"), "{slim:#}");
    let reads = topics(&slim).iter().find(|t| t.0 == "/inv_1/reads").unwrap().1;

    let done =
        bag(&bin, &["export", golden, "--topic", "*/reads", "--topic", "*/sightings", "--out", &at("csv")]);
    assert_eq!(done["tables"][0]["rows"], reads);
    let text = fs::read_to_string(dir.path().join("csv/inv_1_reads.csv")).unwrap();
    let head = "stamp_ns,header.stamp_ns,header.frame_id,reader,protocol,antenna,uid,rssi_dbm,phase_rad,frequency_hz";
    assert_eq!(text.lines().next(), Some(head));
    assert_eq!(text.lines().count() as u64, reads + 1);
    // One row for each sighting.
    assert!(done["tables"][1]["rows"].as_u64().unwrap() > 50, "{done:#}");
    let text = fs::read_to_string(dir.path().join("csv/inv_1_sightings.csv")).unwrap();
    assert!(text.starts_with("stamp_ns,sightings_index,header.stamp_ns"), "{}", text.lines().next().unwrap());

    bag(&bin, &["export", golden, "--topic", "*/reads", "--format", "parquet", "--out", &at("parquet")]);
    assert_eq!(&fs::read(dir.path().join("parquet/inv_1_reads.parquet")).unwrap()[..4], b"PAR1");
}

#[test]
fn mistakes_are_told_in_one_line_that_helps() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let golden = golden();
    let golden = golden.to_str().unwrap();
    let out = dir.path().join("out");
    let out = out.to_str().unwrap();
    let told = |args: &[&str], code: i32, words: &str| {
        let output = run(Command::new(&bin).arg("bag").args(args));
        let error = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {error}");
        assert!(error.contains(words), "{words:?} is not in: {error}");
    };
    told(&["cut", golden, "--from", "20", "--to", "10", "--out", out], 3, "is not after --from");
    told(&["cut", golden, "--from", "soon", "--out", out], 2, "expected seconds from the start");
    told(&["filter", golden, "--out", out], 1, "give --topic or --without");
    told(&["merge", golden, "--out", dir.path().to_str().unwrap()], 3, "exists already");
    told(&["replay", golden, "--nodes", "pilot", "--compare"], 2, "locator, auditor");
    told(&["check", golden, "nothing"], 2, "nothing");
    told(&["info", out], 3, "cannot open the bag");
    // A file cut off: told by check, and renewed by merge.
    let bytes = fs::read(Path::new(golden).join("bag_0.mcap")).unwrap();
    let cut = dir.path().join("cut.mcap");
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let cut = cut.to_str().unwrap();
    let check = run(Command::new(&bin).args(["bag", "check", cut]));
    assert_eq!(check.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&check.stdout).contains("it was cut off"));
    bag(&bin, &["merge", cut, "--out", out]);
    assert_eq!(bag(&bin, &["check", out])["errors"], 0);
}

#[test]
fn an_interrupted_merge_leaves_a_bag_that_opens_and_exits_with_130() {
    let Some(bin) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let golden = golden();
    let mut child = Command::new(&bin)
        .args(["bag", "merge", "--quiet"])
        .args(std::iter::repeat_n(&golden, 60))
        .arg("--out")
        .arg(&out)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let file = out.join("out_0.mcap");
    while fs::metadata(&file).map_or(0, |m| m.len()) < 50_000 {
        assert!(Instant::now() < deadline, "no bag after a minute");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(run(Command::new("kill").args(["-INT", &child.id().to_string()])).status.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(bag(&bin, &["check", out.to_str().unwrap()])["errors"], 0);
}
