//! What a library would lose if locating along a face failed, on a small made-up shelf.

mod support;

use positioning::{FaceResult, LocateSettings, locate_face};
use support::{TruePlace, World};

/// A pass located by the fit alone: nothing couples in this small world, whose radio the decoder was not taught.
fn pass(world: &World) -> (FaceResult, Vec<TruePlace>) {
    let (scan, truth) = world.pass();
    let settings = LocateSettings { decode: false, ..LocateSettings::default() };
    (locate_face(&scan, &world.face(), &settings), truth)
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
fn the_decoder_does_little_harm_where_nothing_couples() {
    let world = World { length_m: 1.8, ..World::default() };
    let (scan, truth) = world.pass();
    let (tiers, median) = figures(&locate_face(&scan, &world.face(), &LocateSettings::default()), &truth);
    assert!(tiers > 0.93, "tiers {tiers}");
    assert!(median < 0.03, "median {median}");
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

#[test]
fn nobody_is_told_that_a_book_is_missing_where_the_robot_did_not_go() {
    let world = World { length_m: 3.6, ..World::default() };
    let (mut scan, _) = world.pass();
    scan.reads.retain(|r| r.antenna_m[0] < 1.2);
    let result = locate_face(&scan, &world.face(), &LocateSettings::default());
    assert_eq!(result.coverage.len(), 6);
    for tier in &result.coverage {
        assert!(tier.at(0.5) > 0.9, "tier {} passed: {}", tier.tier, tier.at(0.5));
        assert!(tier.at(3.0) < 0.3, "tier {} not passed: {}", tier.tier, tier.at(3.0));
    }
}

#[test]
fn deviations_and_tier_probabilities_do_not_boast() {
    let (result, truth) = pass(&World { length_m: 1.8, seed: 4, ..World::default() });
    let (mut squares, mut n, mut sure, mut right) = (0.0, 0.0, 0.0, 0.0);
    for (s, t) in result.sightings.iter().zip(&truth).filter(|(_, t)| t.front) {
        squares += ((f64::from(s.along_m) - t.at[0]) / f64::from(s.along_std_m)).powi(2);
        let (tier, p) = s.tier().unwrap();
        assert!((s.tier_probability.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        sure += f64::from(p);
        right += f64::from(u8::from(usize::from(tier) == t.tier + 1));
        n += 1.0;
    }
    assert!((squares / n).sqrt() < 1.3, "errors over deviations {}", (squares / n).sqrt());
    assert!(sure <= right + 0.03 * n, "sure of {sure}, right on {right} of {n}");
}
