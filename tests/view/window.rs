//! The window, on a display that nobody sees, its keys pressed by xdotool.
//!
//! Needs a program with the feature `view`, named by `SHELFWRIGHT_VIEW_BIN`, Xvfb and xdotool; skips loudly without.
#![allow(missing_docs, clippy::unwrap_used)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tests::{json, run, skipped, stderr};

/// A display without a screen; gone when dropped.
struct Display {
    server: Child,
    name: String,
}

impl Display {
    fn open() -> Option<Self> {
        let xvfb = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let (Ok(mut server), Ok(_)) = (xvfb, Command::new("xdotool").arg("version").output()) else {
            skipped("Xvfb or xdotool is not installed; tests/run does it");
            return None;
        };
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Some(Self { server, name: format!(":{}", number.trim()) })
    }

    fn xdotool(&self, arguments: &[&str]) -> bool {
        run(Command::new("xdotool").args(arguments).env("DISPLAY", &self.name)).status.success()
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn wait(what: &str, mut there: impl FnMut() -> bool) {
    let started = Instant::now();
    while !there() {
        assert!(started.elapsed() < Duration::from_secs(240), "{what} does not come");
        std::thread::sleep(Duration::from_millis(200));
    }
}

const SCENARIO: &str = "
name = 'watched'
[library]
rows = 1
bays = 2
tiers = 3
tier_pitch_m = 0.36
[errors]
missing = 2
misplaced = 2
out_of_order = 0
foreign = 1
on_loan_on_shelf = 1
[untidy]
lying = 2
leaning = 1
[[robot]]
[[furniture]]
kind = 'chair'
at_m = [5.5, 4.5]
[[person]]
from_m = [2.0, 4.0]
to_m = [5.0, 4.0]
";

#[test]
fn a_run_that_is_watched_is_the_run_that_is_not() {
    let Some(bin) = std::env::var_os("SHELFWRIGHT_VIEW_BIN") else {
        return skipped("SHELFWRIGHT_VIEW_BIN is not set; tests/run sets it");
    };
    let Some(display) = Display::open() else { return };
    let dir = tempfile::tempdir().unwrap();
    let scenario = dir.path().join("watched.toml");
    std::fs::write(&scenario, SCENARIO).unwrap();
    let sim = |out: &Path, more: &[&str]| {
        let mut command = Command::new(&bin);
        command
            .args(["--quiet", "--json", "sim"])
            .arg(&scenario)
            .args(["--faces", "1F/R01A", "--out"])
            .arg(out);
        command.args(more).env("DISPLAY", &display.name).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let plain = run(&mut sim(&dir.path().join("plain"), &[]));
    assert!(plain.status.success(), "{}", stderr(&plain));

    let out = dir.path().join("watched");
    let window = sim(&out, &["--view", "--speed", "1000"]).spawn().unwrap();
    wait("the window", || display.xdotool(&["search", "--name", "Shelfwright", "windowfocus"]));
    // A click looks for a book, and each key changes what is shown or how time runs.
    display.xdotool(&["mousemove", "400", "500", "click", "1"]);
    for key in ["b", "c", "l", "p", "r", "h", "2", "3", "1", "space", "period", "minus", "0", "space"] {
        assert!(display.xdotool(&["key", "--delay", "200", key]));
    }
    // The report is the last of what a run leaves.
    wait("the report", || out.join("report.html").exists());
    display.xdotool(&["key", "Escape"]);
    let watched = window.wait_with_output().unwrap();
    assert!(watched.status.success(), "{}", stderr(&watched));
    let hash = |output: &std::process::Output| json(output)["facts"]["state_hash"].clone();
    assert_eq!(hash(&plain), hash(&watched));
}
