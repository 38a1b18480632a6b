//! Robots that drive into trolleys and chairs: what rolls rolls, what is held tips, and where the robot meets it decides.
#![allow(missing_docs, clippy::unwrap_used)]

use interfaces::geometry_msgs::TwistStamped;
use twin::inject::ErrorSettings;
use twin::scenario::{FurnitureKind, FurnitureSettings, ObstacleSettings};
use twin::{LibrarySettings, Scenario, Twin};

/// A trolley or chair right in front of a robot that stands at x = 0.6 m.
fn thing(kind: FurnitureKind) -> FurnitureSettings {
    FurnitureSettings {
        kind,
        floor: None,
        at_m: [1.5, 0.75],
        heading_deg: 0.0,
        tipped: false,
        locked: false,
        mass_kg: None,
    }
}

fn before(thing: FurnitureSettings, sill_m: Option<f64>) -> Twin {
    let mut scenario = Scenario {
        seed: 4,
        library: LibrarySettings { rows: 1, bays: 2, on_loan: 0, ..LibrarySettings::default() },
        errors: ErrorSettings { missing: 0, misplaced: 0, out_of_order: 0, foreign: 0, on_loan_on_shelf: 0 },
        ..Scenario::default()
    };
    // Over the whole way, right behind the thing.
    let x = thing.at_m[0] + 0.3;
    scenario.obstacles =
        sill_m.map(|height| ObstacleSettings::standing([x, 0.75], [0.1, 1.4], height)).into_iter().collect();
    scenario.furniture = vec![thing];
    scenario.robots[0].antennas_m.clear();
    Twin::new(&scenario).unwrap()
}

/// Drives for some seconds; where the robot stands then, x on the map.
fn drive(twin: &mut Twin, seconds: f64, speed: f64) -> f64 {
    let mut twist = TwistStamped::default();
    twist.twist.linear.x = speed;
    for i in 0..(seconds * 100.0) as u32 {
        if i % 5 == 0 {
            twin.command("inv_1", &twist).unwrap();
        }
        twin.step(&mut Vec::new());
    }
    twin.truth().robots[0].pose[0]
}

fn told(twin: &Twin) -> ([f64; 3], f64) {
    twin.furniture().next().unwrap()
}

fn trolley(mass_kg: f64, locked: bool, heading_deg: f64) -> FurnitureSettings {
    FurnitureSettings { locked, mass_kg: Some(mass_kg), heading_deg, ..thing(FurnitureKind::Trolley) }
}

/// Leans at least so far where it lies, rad.
const LIES: f64 = 1.4;

#[test]
fn a_trolley_on_free_casters_rolls_away_and_holds_the_robot_back() {
    for heading in [0.0, 90.0] {
        let mut twin = before(trolley(40.0, false, heading), None);
        let robot = drive(&mut twin, 5.0, 0.5);
        let (at, tip) = told(&twin);
        assert!(at[0] > 2.5 && tip < 0.05, "heading {heading}: {at:?}, {tip} rad");
        assert!(robot < 0.6 + 5.0 * 0.5, "a trolley costs no way: {robot}");
        assert!(twin.bumps("inv_1") >= 1 && twin.tipped() == 0);
    }
}

#[test]
fn an_empty_trolley_with_locked_casters_tips_over_where_the_mast_meets_its_shelves() {
    for (speed, seconds) in [(0.5, 5.0), (0.1, 30.0)] {
        let mut twin = before(trolley(25.0, true, 90.0), None);
        drive(&mut twin, seconds, speed);
        let (at, tip) = told(&twin);
        println!("at {speed} m/s: {at:?}, {tip} rad");
        assert!(tip > LIES && at[2] < 0.25 && twin.tipped() == 1, "at {speed} m/s: {at:?}, {tip} rad");
    }
}

#[test]
fn a_trolley_that_is_met_at_its_end_or_is_heavy_stays_on_its_casters() {
    // At its end the chassis meets the casters, low down, and the track is long.
    let mut end = before(trolley(25.0, true, 0.0), None);
    drive(&mut end, 5.0, 0.5);
    assert!(told(&end).1 < 0.05, "{:?}", told(&end));
    // A full one leans and scrapes over the floor.
    let mut full = before(trolley(60.0, true, 90.0), None);
    let robot = drive(&mut full, 5.0, 0.5);
    assert_eq!(full.tipped(), 0, "{:?}", told(&full));
    assert!(robot < 2.4, "{robot}");
}

#[test]
fn a_chair_slides_before_a_robot_and_holds_it_where_its_feet_are_held() {
    let mut free = before(thing(FurnitureKind::Chair), None);
    let far = drive(&mut free, 5.0, 0.4);
    let (at, tip) = told(&free);
    assert!(at[0] > 2.4 && tip < 0.1 && free.bumps("inv_1") >= 1, "it did not slide: {at:?}, {tip} rad");
    // The chassis meets its legs, and nothing there is high enough to turn it over.
    let mut held = before(thing(FurnitureKind::Chair), Some(0.06));
    let near = drive(&mut held, 5.0, 0.4);
    assert!(near < far - 0.3 && told(&held).1 < 0.1, "{near} and {far}, {:?}", told(&held));
}

#[test]
fn a_chair_falls_where_its_feet_are_held_and_a_mast_meets_its_seat() {
    let facing = FurnitureSettings { heading_deg: 180.0, ..thing(FurnitureKind::Chair) };
    let mut twin = {
        let mut narrow = before(facing, Some(0.025)).scenario().clone();
        // Narrow enough to drive between the legs; the sill is low enough for it to drive over.
        narrow.robots[0].base.radius_m = 0.15;
        narrow.robots[0].base.track_m = 0.25;
        Twin::new(&narrow).unwrap()
    };
    drive(&mut twin, 6.0, 0.4);
    assert_eq!(twin.tipped(), 1, "{:?}", told(&twin));
}
