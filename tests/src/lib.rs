//! What the whole-system tests share: the program as a user has it, the real data, and the Python peers.

pub mod drive;
pub mod passes;
pub mod placing;

pub use twin::plot;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The built program. `tests/run` names the release build; without it the tests that need it skip loudly.
pub fn program() -> Option<PathBuf> {
    let path = std::env::var_os("SHELFWRIGHT_BIN").map(PathBuf::from);
    if path.is_none() {
        skipped("SHELFWRIGHT_BIN is not set; tests/run sets it");
    }
    path
}

/// Real data beside the project, `../shared` or `SHELFWRIGHT_SHARED`.
pub fn shared(inside: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SHELFWRIGHT_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let path = root.join(inside);
    if path.exists() {
        return Some(path);
    }
    skipped(&format!("no {inside} beside the project"));
    None
}

/// The Python of the peers' virtual environment. `tests/run` makes it.
pub fn python() -> Option<PathBuf> {
    let path = std::env::var_os("SHELFWRIGHT_PYTHON").map(PathBuf::from);
    if path.is_none() {
        skipped("SHELFWRIGHT_PYTHON is not set; tests/run sets it");
    }
    path
}

/// The environment of ROS 2 programs, as `launch/ros2/env` makes it. `tests/run` runs the set-up before.
pub fn ros() -> Option<BTreeMap<String, String>> {
    if std::env::var_os("SHELFWRIGHT_ROS_OVERLAY").is_none() {
        skipped("ROS 2 is not set up; tests/run does it (launch/ros2/setup, then source launch/ros2/env)");
        return None;
    }
    Some(std::env::vars().collect())
}

/// Says on standard error that a test did not run, and why.
pub fn skipped(why: &str) {
    eprintln!("SKIPPED: {why}");
}

/// Runs a command and returns what it gave; a command that does not start fails the test.
pub fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|e| panic!("{command:?} does not start: {e}"))
}

/// Standard error of a run as text.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Standard output of a run as JSON; prints everything when it is none.
pub fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| {
        panic!("no JSON ({e}): {}\n{}", String::from_utf8_lossy(&output.stdout), stderr(output))
    })
}
