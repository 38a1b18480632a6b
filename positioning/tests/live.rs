//! What an operator would lose who watches a pass: books that appear as the robot goes by.

mod support;

use std::collections::BTreeMap;

use domain::{Scan, Sighting, Uid};
use positioning::{Live, LocateSettings, Taught};
use support::World;

/// A pass as it comes in: what is told, and at which time, s.
fn told(scan: &Scan, world: &World) -> Vec<(f64, Sighting)> {
    let mut live = Live::new(world.face(), LocateSettings::default(), Taught::default());
    let mut so_far = Scan { name: scan.name.clone(), ..Scan::default() };
    let mut out = Vec::new();
    for read in &scan.reads {
        so_far.tags = scan.tags[..so_far.tags.len().max(read.tag as usize + 1)].to_vec();
        so_far.reads.push(*read);
        let now = read.stamp_ns.unwrap_or(0) as f64 / 1e9;
        out.extend(live.passed(&so_far).into_iter().map(|s| (now, s)));
    }
    out
}

#[test]
fn a_book_is_told_within_two_seconds_of_the_antennas_passing_it() {
    let world = World { length_m: 1.8, ..World::default() };
    let (scan, truth) = world.pass();
    let mut at: BTreeMap<Uid, f64> = BTreeMap::new();
    for (t, s) in told(&scan, &world) {
        at.entry(s.uid).or_insert(t);
    }
    let (mut late, mut n) = (0, 0);
    // The first of a face wait for a few of them to be read wholly.
    let looked_at = |t: &&support::TruePlace| t.front && t.reads >= 5 && t.at[0] > 0.2;
    for (uid, place) in scan.tags.iter().zip(&truth).filter(|(_, t)| looked_at(t)) {
        let passed = (place.at[0] + 0.5) / world.speed;
        n += 1;
        late += usize::from(at.get(uid).is_none_or(|t| t - passed > 2.0));
    }
    // Those at the beginning wait for a lesson; those at the far end, which the antennas do not go past, and faint ones come
    // with the whole pass.
    assert!(late as f64 <= 0.35 * n as f64, "{late} of {n} books were not");
}

#[test]
fn an_answer_on_the_way_is_near_the_true_place() {
    let world = World { length_m: 1.8, ..World::default() };
    let (scan, truth) = world.pass();
    let place: BTreeMap<&Uid, _> = scan.tags.iter().zip(&truth).collect();
    // What was told of a tag last counts: soon after the antennas have passed it, and with its whole profile.
    let newest: BTreeMap<Uid, Sighting> =
        told(&scan, &world).into_iter().map(|(_, s)| (s.uid.clone(), s)).collect();
    let (mut errors, mut right) = (Vec::new(), 0);
    for s in newest.values().filter(|s| place[&s.uid].front) {
        errors.push((f64::from(s.along_m) - place[&s.uid].at[0]).abs());
        right += usize::from(s.tier().is_some_and(|(t, _)| usize::from(t) == place[&s.uid].tier + 1));
    }
    errors.sort_by(f64::total_cmp);
    let (median, tiers) = (errors[errors.len() / 2], right as f64 / errors.len() as f64);
    println!("median {median:.3} m, tier right {tiers:.3}, of {}", errors.len());
    assert!(median < 0.05, "median {median}");
    assert!(tiers > 0.85, "tiers {tiers}");
}

#[test]
fn a_robot_that_turns_round_tells_no_book_more_than_twice() {
    let world = World { length_m: 0.9, ..World::default() };
    let (mut scan, _) = world.pass();
    let back: Vec<_> = scan.reads.iter().rev().copied().collect();
    let end = scan.reads.last().unwrap().stamp_ns.unwrap();
    for (i, mut read) in back.into_iter().enumerate() {
        read.stamp_ns = Some(end + i as i64 * 1_000_000);
        scan.reads.push(read);
    }
    let told = told(&scan, &world);
    let mut uids: Vec<&Uid> = told.iter().map(|(_, s)| &s.uid).collect();
    uids.sort();
    for same in uids.chunk_by(|a, b| a == b) {
        assert!(same.len() <= 2, "{} was told {} times", same[0], same.len());
    }
}
