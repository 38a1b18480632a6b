//! Localizer, navigator and pilot close the loop in a toy world: people, blocked aisles, lost sensors, missions.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../../positioning/tests/toy/mod.rs"]
mod toy;
mod world;

use std::sync::Arc;

use domain::FaceId;
use interfaces::action_msgs::CancelGoalRequest;
use interfaces::sensor_msgs::BatteryState;
use interfaces::shelfwright_msgs::{FollowFaceResult, MissionState};
use interfaces::std_msgs::{Bool, Empty};
use interfaces::std_srvs::TriggerRequest;
use interfaces::{AnyMessage, Message, Publication};
use nodes::Node;
use nodes::action::status::{ABORTED, CANCELED, SUCCEEDED};
use nodes::mission_server::MissionServer;
use nodes::pilot::{PilotNode, PilotParams};
use positioning::Pose2;
use positioning::pose::wrap_angle;
use toy::{Person, site};
use world::{CoverageTeller, DOCK, Run};

fn faces(names: &[&str]) -> Vec<FaceId> {
    names.iter().map(|n| n.parse().unwrap()).collect()
}

fn pilot(run: &mut Run, names: &[&str], tell: impl FnMut(&str) -> Option<f32> + Send + 'static) {
    let params = PilotParams { coverage_wait_s: 5.0, ..PilotParams::default() };
    let pilot = PilotNode::new("inv_1", &site(), "1F", "night", &faces(names), params).unwrap();
    run.host.add(Box::new(pilot));
    run.host.add(Box::new(CoverageTeller::new(tell)));
}

fn over(run: &Run) -> bool {
    let ends = [MissionState::DONE, MissionState::FAILED, MissionState::CANCELLED];
    run.kept.publications.iter().rev().find_map(|p| match &*p.message {
        AnyMessage::MissionState(m) => Some(ends.contains(&m.state)),
        _ => None,
    }) == Some(true)
}

#[test]
fn the_robot_arrives_where_it_is_sent_without_touching_a_shelf() {
    for (seed, goal) in [(1, Pose2::new(7.4, 0.8, 1.57)), (2, Pose2::new(1.2, 4.7, -3.0))] {
        let mut run = Run::new(DOCK, seed);
        run.seconds(1.0);
        run.navigate(goal);
        assert!(run.until(90.0, |r| !r.kept.results("navigate_to_pose").is_empty()), "never arrives");
        assert_eq!(run.kept.results("navigate_to_pose"), [(SUCCEEDED, 0)]);
        run.seconds(1.0);
        let toy = &run.world.toy;
        println!("clearance {:.3} m, at {:?}", toy.clearance, toy.truth);
        assert!(toy.truth.distance(goal) < 0.1 && wrap_angle(toy.truth.theta - goal.theta).abs() < 0.06);
        assert!(toy.clearance > 0.3, "{}", toy.clearance);
        assert!(toy.speed.abs() < 1e-9 && toy.turn.abs() < 1e-9, "the base has to stand at the end");
    }
}

#[test]
fn a_pass_keeps_the_antennas_at_constant_distance_and_speed() {
    let mut run = Run::new(DOCK, 3);
    run.seconds(1.0);
    run.follow("1F/R01B", -0.6, 5.1);
    let site = site();
    let face = site.floors[0].faces[1].clone();
    let mut track = vec![];
    let done = run.until(120.0, |r| {
        let t = r.world.toy.truth;
        let p = face.face_from_map([t.x, t.y, 0.0]);
        let along = wrap_angle(t.theta - face.heading_deg.to_radians()).abs() < 0.5;
        if along && p[0] > 0.0 && p[0] < 4.5 {
            track.push((p[1], r.world.toy.speed));
        }
        !r.kept.results("follow_face").is_empty()
    });
    assert!(done);
    assert_eq!(run.kept.results("follow_face"), [(SUCCEEDED, FollowFaceResult::NONE)]);
    let rms = (track.iter().map(|t| (t.0 - 0.65).powi(2)).sum::<f64>() / track.len() as f64).sqrt();
    println!("distance from the shelf: RMS error {rms:.4} m over {} samples", track.len());
    assert!(track.len() > 2_000 && rms < 0.01);
    assert!(track.iter().all(|t| (t.1 - 0.15).abs() < 0.01));
}

#[test]
fn the_robot_waits_for_a_reader_at_the_shelf_and_goes_on() {
    let mut run = Run::new(Pose2::new(1.4, 0.85, 0.0), 4);
    run.world.script = Box::new(|toy| {
        let stays = toy.now_ns < 25_000_000_000;
        toy.people = if stays { vec![Person { at: [4.0, 1.0], radius: 0.2 }] } else { vec![] };
    });
    run.seconds(1.0);
    run.follow("1F/R01A", -0.6, 5.1);
    assert!(run.until(120.0, |r| !r.kept.results("follow_face").is_empty()));
    assert_eq!(run.kept.results("follow_face"), [(SUCCEEDED, 0)]);
    println!("least distance to the person: {:.3} m", run.world.to_person);
    assert!(run.world.to_person > 0.05);
    let blocked = run.kept.on("/inv_1/follow_face/_action/feedback").any(|m| match m {
        AnyMessage::FollowFaceFeedbackMessage(f) => f.feedback.blocked_s > 3.0,
        _ => false,
    });
    assert!(blocked, "feedback has to say that something stands in the way");
}

#[test]
fn a_blocked_face_is_given_up_after_its_time() {
    let mut run = Run::new(Pose2::new(1.4, 0.85, 0.0), 5);
    run.world.script = Box::new(|toy| toy.people = vec![Person { at: [4.0, 0.9], radius: 0.2 }]);
    run.seconds(1.0);
    run.follow("1F/R01A", -0.6, 5.1);
    assert!(run.until(120.0, |r| !r.kept.results("follow_face").is_empty()));
    assert_eq!(run.kept.results("follow_face"), [(ABORTED, FollowFaceResult::BLOCKED)]);
    run.seconds(1.0);
    assert!(run.world.toy.speed == 0.0 && run.world.to_person > 0.05);
}

#[test]
fn a_closed_aisle_sends_the_robot_round_another_way() {
    let mut run = Run::new(DOCK, 6);
    run.world.script = Box::new(|toy| {
        toy.people = [2.3, 2.75, 3.2].map(|y| Person { at: [4.5, y], radius: 0.2 }).to_vec();
    });
    run.seconds(1.0);
    run.navigate(Pose2::new(7.4, 2.75, 0.0));
    let mut outer = false;
    let done = run.until(150.0, |r| {
        outer |= r.world.toy.truth.y < 1.4 || r.world.toy.truth.y > 4.1;
        !r.kept.results("navigate_to_pose").is_empty()
    });
    assert!(done && outer);
    assert_eq!(run.kept.results("navigate_to_pose"), [(SUCCEEDED, 0)]);
    assert!(run.world.to_person > 0.05 && run.world.toy.clearance > 0.28);
}

#[test]
fn what_only_the_bumper_feels_is_driven_around() {
    let mut run = Run::new(DOCK, 18);
    run.seconds(1.0);
    run.navigate(Pose2::new(7.4, 2.75, 0.0));
    // A stool in the middle aisle, too low for the lidar.
    let touches = |r: &Run| (r.world.toy.truth.x - 4.0).hypot(r.world.toy.truth.y - 2.75) < 0.45;
    assert!(run.until(60.0, touches));
    let touched = run.world.toy.truth;
    run.send("/inv_1/bumper", Bool { data: true });
    run.seconds(0.4);
    assert!(run.world.toy.speed.abs() < 0.35, "it goes on at {} m/s", run.world.toy.speed);
    run.seconds(1.0);
    run.send("/inv_1/bumper", Bool { data: false });
    run.seconds(2.0);
    let back = touched.x - run.world.toy.truth.x;
    assert!(back > 0.05, "it has backed off by {back} m");
    let mut nearest = f64::INFINITY;
    let done = run.until(150.0, |r| {
        nearest = nearest.min((r.world.toy.truth.x - 4.0).hypot(r.world.toy.truth.y - 2.75));
        !r.kept.results("navigate_to_pose").is_empty()
    });
    println!("touched at {touched:?}, nearest afterwards {nearest:.2} m");
    assert!(done && nearest > 0.4);
    assert_eq!(run.kept.results("navigate_to_pose"), [(SUCCEEDED, 0)]);
}

#[test]
fn a_bumper_that_stays_pressed_ends_the_goal() {
    let mut run = Run::new(Pose2::new(1.4, 0.85, 0.0), 19);
    run.seconds(1.0);
    run.follow("1F/R01A", -0.6, 5.1);
    run.seconds(5.0);
    let at = run.world.toy.truth;
    for _ in 0..250 {
        run.send("/inv_1/bumper", Bool { data: true });
        run.seconds(0.1);
    }
    assert_eq!(run.kept.results("follow_face"), [(ABORTED, FollowFaceResult::BLOCKED)]);
    assert!(run.world.toy.speed == 0.0 && run.world.toy.truth.distance(at) < 0.3);
}

#[test]
fn goals_that_cannot_be_reached_end_with_nav2s_codes() {
    let mut run = Run::new(DOCK, 7);
    run.seconds(1.0);
    run.navigate(Pose2::new(4.0, 1.75, 0.0));
    run.seconds(0.5);
    run.navigate(Pose2::new(40.0, 1.75, 0.0));
    run.seconds(0.5);
    assert_eq!(run.kept.results("navigate_to_pose"), [(ABORTED, 206), (ABORTED, 204)]);
    run.follow("1F/R09A", -0.6, 5.1);
    run.follow("1F/R01A", 2.0, 1.0);
    run.seconds(0.5);
    let unknown = (ABORTED, FollowFaceResult::UNKNOWN_FACE);
    assert_eq!(run.kept.results("follow_face"), [unknown, unknown]);
    assert_eq!(run.world.toy.truth, DOCK);
}

#[test]
fn a_robot_that_no_longer_sees_stands_still_and_says_so() {
    let mut run = Run::new(DOCK, 8);
    run.seconds(1.0);
    run.navigate(Pose2::new(7.4, 2.75, 0.0));
    run.seconds(4.0);
    assert!(run.world.toy.speed > 0.2);
    run.world.lidar_works = false;
    run.seconds(2.0);
    assert_eq!(run.world.toy.speed, 0.0);
    assert!(run.until(10.0, |r| !r.kept.results("navigate_to_pose").is_empty()));
    assert_eq!(run.kept.results("navigate_to_pose"), [(ABORTED, 102)]);
}

#[test]
fn a_goal_can_be_taken_back_or_replaced() {
    let mut run = Run::new(DOCK, 9);
    run.seconds(1.0);
    run.navigate(Pose2::new(7.4, 2.75, 0.0));
    run.seconds(3.0);
    run.navigate(Pose2::new(6.0, 2.75, 0.0));
    run.seconds(1.0);
    run.send("/inv_1/navigate_to_pose/_action/cancel_goal_request", CancelGoalRequest::default());
    run.seconds(2.0);
    assert_eq!(run.kept.results("navigate_to_pose"), [(ABORTED, 0), (CANCELED, 0)]);
    assert_eq!(run.world.toy.speed, 0.0);
}

#[test]
fn a_mission_covers_all_faces_and_scans_again_where_coverage_was_low() {
    let mut run = Run::new(DOCK, 10);
    let low_once = |scan: &str| Some(if scan == "inv_1/1F/R02A/1" { 0.5 } else { 0.99 });
    pilot(&mut run, &["1F/R01A", "1F/R01B", "1F/R02A", "1F/R02B"], low_once);
    assert!(run.until(900.0, over), "{:?}", run.kept.missions().last());
    let states = run.kept.missions();
    let last = states.last().unwrap();
    assert_eq!((last.state, last.faces_done, last.faces_total), (MissionState::DONE, 4, 4));
    let mut scans: Vec<String> = states
        .iter()
        .filter(|s| s.state == MissionState::SCANNING)
        .map(|s| format!("{}/{}", s.face, s.pass_number))
        .collect();
    scans.dedup();
    println!(
        "{scans:?} in {:.0} s, clearance {:.3} m",
        run.world.toy.now_ns as f64 * 1e-9,
        run.world.toy.clearance
    );
    scans.sort();
    assert_eq!(scans, ["1F/R01A/1", "1F/R01B/1", "1F/R02A/1", "1F/R02A/2", "1F/R02B/1"]);
    assert!(run.world.toy.clearance > 0.28);
}

fn charge(run: &mut Run, percentage: f32, charging: bool) {
    let power_supply_status = if charging {
        BatteryState::POWER_SUPPLY_STATUS_CHARGING
    } else {
        BatteryState::POWER_SUPPLY_STATUS_DISCHARGING
    };
    let battery = BatteryState { percentage, power_supply_status, ..BatteryState::default() };
    run.send("/inv_1/battery", battery);
}

fn said(run: &Run) -> String {
    run.kept.missions().last().map_or_else(String::new, |s| s.reason.clone())
}

#[test]
fn a_robot_that_runs_low_charges_in_its_dock_and_goes_on_where_it_stopped() {
    let mut run = Run::new(DOCK, 20);
    pilot(&mut run, &["1F/R01A", "1F/R01B"], |_| Some(1.0));
    assert!(run.until(400.0, |r| scanning(r) && r.kept.missions().last().unwrap().faces_done == 1));
    run.seconds(3.0);
    let broken_off = run.kept.missions().pop().unwrap().face;
    charge(&mut run, 0.15, false);
    assert!(run.until(120.0, |r| said(r).contains("waits for dock to charge")), "{}", said(&run));
    run.seconds(2.0);
    let toy = &run.world.toy;
    assert!(toy.truth.distance(DOCK) < 0.25 && toy.speed == 0.0, "{:?}", toy.truth);
    for percent in [20, 40, 60] {
        charge(&mut run, percent as f32 / 100.0, true);
        run.seconds(50.0);
        assert!(said(&run).contains(&format!("charges in dock, {percent}%")), "{}", said(&run));
    }
    charge(&mut run, 0.81, true);
    assert!(run.until(400.0, over), "{}", said(&run));
    let last = run.kept.missions().pop().unwrap();
    assert_eq!(
        (last.state, last.faces_done, last.faces_total),
        (MissionState::DONE, 2, 2),
        "{}",
        last.reason
    );
    // Of the other face nothing is driven again.
    let again = run.kept.missions().iter().filter(|s| s.pass_number == 2).map(|s| s.face.clone()).next();
    assert_eq!(again, Some(broken_off));
}

#[test]
fn without_a_dock_that_charges_a_robot_that_runs_low_stands_and_says_what_is_left() {
    let mut site = site();
    site.floors[0].docks.clear();
    let faces = faces(&["1F/R01A", "1F/R01B"]);
    let pilot = PilotNode::new("inv_1", &site, "1F", "night", &faces, PilotParams::default()).unwrap();
    let mut run = Run::new(DOCK, 21);
    run.host.add(Box::new(pilot));
    assert!(run.until(120.0, scanning));
    charge(&mut run, 0.15, false);
    run.seconds(5.0);
    let last = run.kept.missions().pop().unwrap();
    assert_eq!((last.state, last.faces_done), (MissionState::FAILED, 0));
    assert!(
        last.reason.contains("no dock") && last.reason.contains("1F/R01A") && last.reason.contains("1F/R01B")
    );
    assert_eq!(run.world.toy.speed, 0.0);
}

#[test]
fn one_bad_face_does_not_end_the_mission() {
    let mut run = Run::new(DOCK, 11);
    // No coverage ever comes for one face, and another is not on this floor.
    let silent = |scan: &str| (!scan.contains("R02A")).then_some(0.99);
    pilot(&mut run, &["1F/R02A", "1F/R01B", "2F/R01A"], silent);
    assert!(run.until(900.0, over));
    let last = run.kept.missions().pop().unwrap();
    assert_eq!((last.state, last.faces_done, last.faces_total), (MissionState::FAILED, 1, 3));
    assert!(
        last.reason.contains("2F/R01A: no such face") && last.reason.contains("1F/R02A: coverage of 0 of 6")
    );
    let passes = run.kept.missions().iter().filter(|s| s.face == "1F/R02A").map(|s| s.pass_number).max();
    assert_eq!(passes, Some(2), "a failed face is tried again at the end");
}

#[test]
fn a_mission_can_be_cancelled() {
    let mut run = Run::new(DOCK, 12);
    pilot(&mut run, &["1F/R01A", "1F/R01B"], |_| Some(1.0));
    run.seconds(10.0);
    run.send("/inv_1/missions/cancel", Empty::default());
    run.seconds(2.0);
    assert_eq!(run.kept.missions().last().unwrap().state, MissionState::CANCELLED);
    assert_eq!(run.world.toy.speed, 0.0);
}

/// A mission with its services, from a request or from the memory of another process.
fn server(run: &mut Run, memory: &[Publication]) {
    let params = PilotParams { coverage_wait_s: 5.0, ..PilotParams::default() };
    let faces = faces(&["1F/R01A", "1F/R01B"]);
    let mission = memory.is_empty().then_some(("night", faces.as_slice()));
    let mut server = MissionServer::new("inv_1", Arc::new(site()), "1F", mission, params).unwrap();
    server.recall(memory);
    run.host.add(Box::new(server));
    run.host.add(Box::new(CoverageTeller::new(|_| Some(1.0))));
}

fn scanning(run: &Run) -> bool {
    run.kept.missions().last().is_some_and(|s| s.state == MissionState::SCANNING)
}

#[test]
fn a_paused_robot_stands_and_goes_on_to_the_end() {
    let mut run = Run::new(DOCK, 14);
    server(&mut run, &[]);
    assert!(run.until(120.0, scanning));
    run.seconds(5.0);
    run.send("/inv_1/mission/pause/_service/request", TriggerRequest::default());
    run.seconds(2.0);
    let stood = run.world.toy.truth;
    run.seconds(30.0);
    assert_eq!(run.kept.missions().last().unwrap().state, MissionState::PAUSED);
    assert!(run.world.toy.truth.distance(stood) < 1e-9 && run.world.toy.speed == 0.0);
    run.send("/inv_1/mission/resume/_service/request", TriggerRequest::default());
    assert!(run.until(600.0, over), "{:?}", run.kept.missions().last());
    let last = run.kept.missions().pop().unwrap();
    assert_eq!((last.state, last.faces_done, last.faces_total), (MissionState::DONE, 2, 2));
    // The pass that was broken off counts for nothing.
    let passes = run.kept.missions().iter().map(|s| s.pass_number).max();
    assert_eq!(passes, Some(2));
}

#[test]
fn a_mission_goes_on_in_another_process() {
    let mut run = Run::new(DOCK, 15);
    server(&mut run, &[]);
    assert!(run.until(400.0, |r| scanning(r) && r.kept.missions().last().unwrap().faces_done == 1));
    let state = run.kept.missions().pop().unwrap();
    // What the first process would have kept.
    let left = MissionState { face: state.face.clone(), pass_number: 1, ..MissionState::default() };
    let whole = MissionState { mission: "night".into(), faces_done: 1, faces_total: 2, ..state.clone() };
    let memory = [whole, left].map(|m| Publication::new("/inv_1/missions", 0, m));
    let mut heir = Run::new(run.world.toy.truth, 16);
    server(&mut heir, &memory);
    assert!(heir.until(400.0, over));
    let last = heir.kept.missions().pop().unwrap();
    assert_eq!((last.state, last.faces_done, last.faces_total), (MissionState::DONE, 2, 2));
    let scans = |s: &&MissionState| s.state == MissionState::SCANNING;
    let passes: Vec<_> =
        heir.kept.missions().iter().filter(scans).map(|s| (s.face.clone(), s.pass_number)).collect();
    assert!(passes.iter().all(|p| *p == (state.face.clone(), 2)), "{passes:?}");
}

#[test]
fn a_goal_that_the_navigator_has_forgotten_is_sent_again() {
    let mut run = Run::new(DOCK, 17);
    pilot(&mut run, &["1F/R01A"], |_| Some(1.0));
    assert!(run.until(120.0, scanning));
    // Another one in its place, which knows nothing of the goal.
    run.restart_navigator();
    assert!(run.until(400.0, over));
    let last = run.kept.missions().pop().unwrap();
    assert_eq!((last.state, last.faces_done), (MissionState::DONE, 1), "{}", last.reason);
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let bytes = || {
        let mut run = Run::new(DOCK, 13);
        pilot(&mut run, &["1F/R01A", "1F/R01B"], |_| Some(1.0));
        run.seconds(30.0);
        let all = run.kept.publications.iter();
        all.map(|p| (p.topic.to_string(), p.stamp_ns, p.message.to_cdr())).collect::<Vec<_>>()
    };
    let (a, b) = (bytes(), bytes());
    assert!(a.len() > 500 && a == b);
    let _ = MissionState::default().to_cdr();
}
