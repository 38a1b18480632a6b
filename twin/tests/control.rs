//! Things that come and go while a twin runs, and faults that someone calls for.
#![allow(missing_docs, clippy::unwrap_used)]

use interfaces::{AnyMessage, Publication};
use twin::faults::{FaultKind, FaultSettings};
use twin::inject::ErrorSettings;
use twin::scenario::{ObstacleSettings, PersonSettings};
use twin::{LibrarySettings, Scenario, Thing, Twin};

fn scenario() -> Scenario {
    Scenario {
        library: LibrarySettings { rows: 1, bays: 2, on_loan: 0, ..LibrarySettings::default() },
        errors: ErrorSettings::NONE,
        ..Scenario::default()
    }
}

fn run(twin: &mut Twin, seconds: f64) -> Vec<Publication> {
    let mut out = Vec::new();
    for _ in 0..(seconds * 100.0) as u32 {
        twin.step(&mut out);
    }
    out
}

/// What the lidar sees straight ahead, m.
fn ahead(twin: &mut Twin) -> f32 {
    let out = run(twin, 0.3);
    let scan = out.iter().rev().find_map(|p| match &*p.message {
        AnyMessage::LaserScan(scan) => Some(scan.ranges[180]),
        _ => None,
    });
    scan.unwrap()
}

fn trolley(at_m: [f64; 2]) -> Thing {
    Thing::Solid(ObstacleSettings::standing(at_m, [0.4, 0.4], 1.0))
}

#[test]
fn a_thing_stands_where_it_is_put_until_it_is_moved_or_taken_away() {
    let mut twin = Twin::new(&scenario()).unwrap();
    let free = ahead(&mut twin);
    twin.spawn("trolley", trolley([2.0, 0.75])).unwrap();
    assert!((ahead(&mut twin) - 1.2).abs() < 0.05);
    twin.move_to("trolley", [2.5, 0.75]).unwrap();
    assert!((ahead(&mut twin) - 1.7).abs() < 0.05);
    twin.remove("trolley").unwrap();
    assert!((ahead(&mut twin) - free).abs() < 0.1);
    let person = PersonSettings { stop_s: 600.0, ..PersonSettings::walking([2.0, 0.75], [2.0, 0.75]) };
    twin.spawn("reader", Thing::Person(person)).unwrap();
    assert!((ahead(&mut twin) - 1.15).abs() < 0.05);
    twin.move_to("reader", [1.8, 0.75]).unwrap();
    assert!((ahead(&mut twin) - 0.95).abs() < 0.05);
    twin.remove("reader").unwrap();
    assert!((ahead(&mut twin) - free).abs() < 0.1);
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let mut twin = Twin::new(&scenario()).unwrap();
    run(&mut twin, 0.1);
    let before = twin.state_hash();
    for (name, at, part) in [
        ("", [2.0, 0.75], "name"),
        ("a", [f64::NAN, 0.75], "obstacle[0].at_m[0]: found NaN"),
        ("a", [0.7, 0.75], "stands robot inv_1"),
    ] {
        let error = twin.spawn(name, trolley(at)).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    assert!(twin.move_to("b", [1.0, 1.0]).unwrap_err().to_string().contains("there is nothing"));
    assert!(twin.remove("b").is_err());
    assert_eq!(twin.state_hash(), before);
    twin.spawn("a", trolley([2.0, 0.75])).unwrap();
    assert!(twin.spawn("a", trolley([3.0, 0.75])).unwrap_err().to_string().contains("\"a\""));
}

#[test]
fn a_fault_that_is_called_for_happens() {
    let mut scenario = scenario();
    scenario.robots[0].start_m = [1.4, 0.85];
    let mut twin = Twin::new(&scenario).unwrap();
    let reads = |twin: &mut Twin| {
        run(twin, 1.0).iter().filter(|p| matches!(&*p.message, AnyMessage::TagRead(_))).count()
    };
    assert!(reads(&mut twin) > 20);
    let fault = |kind, robot: &str| FaultSettings::new(kind, robot, 1.0, 1.02);
    twin.inject(fault(FaultKind::ReaderMute, "inv_1")).unwrap();
    assert_eq!(reads(&mut twin), 0);
    assert!(reads(&mut twin) > 20);
    for (kind, robot, part) in [(FaultKind::Slip, "inv_9", "inv_9"), (FaultKind::Carry, "inv_1", "to_m")] {
        let error = twin.inject(fault(kind, robot)).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn the_same_calls_give_the_same_run() {
    let hash = || {
        let mut twin = Twin::new(&scenario()).unwrap();
        run(&mut twin, 0.5);
        twin.spawn("trolley", trolley([2.0, 0.75])).unwrap();
        let person = PersonSettings { stop_s: 2.0, ..PersonSettings::walking([3.0, 0.75], [1.5, 0.75]) };
        twin.spawn("reader", Thing::Person(person)).unwrap();
        run(&mut twin, 2.0);
        twin.move_to("trolley", [2.2, 0.75]).unwrap();
        run(&mut twin, 1.0);
        twin.state_hash()
    };
    assert_eq!(hash(), hash());
}
