//! Our nodes on a ROS 2 network, with `rclpy` as the peer that no one here wrote.
//!
//! Each test is a script beside this file. They need `tests/run`'s set-up and skip loudly without.
#![allow(missing_docs, clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use tests::{ros, run, skipped, stderr};

/// Runs a script of this folder; what it says on standard error tells what failed.
fn script(name: &str) {
    let Some(environment) = ros() else { return };
    let (Some(python), Some(_)) =
        (environment.get("SHELFWRIGHT_ROS_PYTHON"), environment.get("SHELFWRIGHT_ROS_BIN"))
    else {
        skipped("SHELFWRIGHT_ROS_PYTHON or SHELFWRIGHT_ROS_BIN is not set; tests/run sets them");
        return;
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ros").join(name);
    let output = run(Command::new(python).arg(path));
    assert!(output.status.success(), "{name}: {}", stderr(&output));
}

#[test]
fn a_robot_feels_native_to_a_ros_2_user() {
    script("robot.py");
}

#[test]
fn no_read_is_lost_between_a_reader_and_the_locator() {
    script("reader.py");
}

#[test]
fn a_mission_over_ros_2_sees_the_library_that_the_local_host_sees() {
    script("mission.py");
}

#[test]
fn the_pilot_drives_with_nav2_as_with_our_navigator() {
    script("nav2.py");
}

#[test]
fn whoever_steers_pauses_missions_asks_for_books_and_changes_the_twin() {
    script("control.py");
}

#[test]
fn a_mission_outlives_every_node_that_dies() {
    script("restart.py");
}

#[test]
fn two_robots_share_one_network_and_one_twin() {
    script("fleet.py");
}

#[test]
fn a_mission_is_recorded_from_the_network_with_types_that_we_do_not_know() {
    script("recording.py");
}
