//! What a library would lose if locating along a face failed, on a small made-up shelf.

mod support;

use positioning::{FaceResult, LocateSettings, locate_face};
use support::{TruePlace, World};

fn pass(world: &World) -> (FaceResult, Vec<TruePlace>) {
    let (scan, truth) = world.pass();
    (locate_face(&scan, &world.face(), &LocateSettings::default()), truth)
}

/// Share of tags on the face that came out on their own tier, and the median error along the face, m.
fn figures(result: &FaceResult, truth: &[TruePlace]) -> (f64, f64) {
    let mut errors = Vec::new();
    let mut right = 0;
    for (s, t) in result.sightings.iter().zip(truth).filter(|(_, t)| t.front) {
        errors.push((f64::from(s.along_m) - t.at[0]).abs());
        right += usize::from(s.tier().is_some_and(|(tier, _)| usize::from(tier) == t.tier + 1));
    }
    errors.sort_by(f64::total_cmp);
    (right as f64 / errors.len() as f64, errors[errors.len() / 2])
}

#[test]
fn a_book_is_found_on_its_tier_and_within_centimetres() {
    let (result, truth) = pass(&World { length_m: 1.8, ..World::default() });
    let (tiers, median) = figures(&result, &truth);
    assert!(tiers > 0.93, "tiers {tiers}");
    assert!(median < 0.015, "median {median}");
}

#[test]
fn a_robot_that_knows_its_place_only_to_a_centimetre_still_finds_books() {
    let (result, truth) = pass(&World { length_m: 1.8, pose_rms: 0.012, ..World::default() });
    let (tiers, median) = figures(&result, &truth);
    assert!(tiers > 0.90, "tiers {tiers}");
    assert!(median < 0.025, "median {median}");
}

#[test]
fn the_same_pass_gives_the_same_answer() {
    let world = World { length_m: 0.9, ..World::default() };
    let (a, _) = pass(&world);
    let (b, _) = pass(&world);
    assert_eq!(a, b);
}
