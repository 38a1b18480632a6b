//! HF passes: plates that only say which tags they reach.
#![allow(missing_docs, clippy::unwrap_used)]

use domain::{Read, Scan, Uid};
use positioning::{
    FaceGeometry, Live, LocateSettings, Taught, TierGeometry, check_reads, locate_face, locate_row,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const TIERS: usize = 3;

fn face() -> FaceGeometry {
    let tiers = (0..TIERS).map(|t| TierGeometry { board_m: 0.1 + 0.33 * t as f64, clear_m: 0.3 }).collect();
    FaceGeometry { face: "1F/R01A".parse().unwrap(), length_m: 2.0, depth_m: 0.25, tiers }
}

/// Tags every `spacing` metres on each tier, and where they are: along x, tier.
fn tags(spacing: f64) -> Vec<(f64, usize)> {
    (0..TIERS)
        .flat_map(|t| (0..(1.9 / spacing) as usize).map(move |i| (0.05 + spacing * i as f64, t)))
        .collect()
}

/// A pass at 0.1 m/s: each plate asks four times a second, and a tag answers from 3 to 12 cm to either side.
fn pass(truth: &[(f64, usize)], seed: u64) -> Scan {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let uid = |i: usize| Uid::new(&[0xE0, 4, 1, 0, 0, 0, (i / 256) as u8, i as u8]).unwrap();
    let mut scan = Scan { name: "hf".into(), tags: (0..truth.len()).map(uid).collect(), reads: Vec::new() };
    for step in 0..120 {
        for plate in 0..TIERS {
            let stamp_ns = 250_000_000 * step + 40_000_000 * plate as i64;
            let x = -0.5 + 1e-10 * stamp_ns as f64;
            for (tag, &(at, tier)) in truth.iter().enumerate() {
                let off = (x - at).abs();
                if tier == plate && (0.03..0.12).contains(&off) && rng.random::<f64>() < 0.9 {
                    scan.reads.push(Read {
                        stamp_ns: Some(stamp_ns),
                        tag: tag as u32,
                        antenna: plate as u8 + 1,
                        frequency_hz: 13.56e6,
                        rssi_dbm: f32::NAN,
                        phase_rad: f32::NAN,
                        antenna_m: [x as f32, 0.08, 0.22 + 0.33 * plate as f32],
                    });
                }
            }
        }
    }
    scan
}

#[test]
fn plates_place_tags_to_a_centimetre_on_their_tiers() {
    let truth = tags(0.03);
    let scan = pass(&truth, 1);
    let found = locate_face(&scan, &face(), &LocateSettings::default());
    let mut within = 0;
    for (s, &(x, tier)) in found.sightings.iter().zip(&truth) {
        assert_eq!(s.tier().unwrap().0 as usize, tier + 1, "{s:?}");
        let error = (f64::from(s.along_m) - x).abs();
        assert!(error < 0.025, "{error} m off: {s:?}");
        within += usize::from(error < f64::from(s.along_std_m));
    }
    assert!(within * 2 > truth.len(), "only {within} of {} within one deviation", truth.len());
    // The middle of the face was covered, and its books would have been read.
    for tier in &found.coverage {
        assert!(tier.read_probability[10] > 0.99, "{:?}", tier.read_probability);
    }
    assert_eq!(
        found.problems.total(),
        0,
        "no phase and no power are no faults of HF reads: {:?}",
        found.problems
    );
}

#[test]
fn a_table_of_hf_reads_is_located_without_a_site() {
    let truth = tags(0.05);
    let scan = pass(&truth, 2);
    let found = locate_row(&scan, &LocateSettings::default());
    for (s, &(x, tier)) in found.iter().zip(&truth) {
        assert!((f64::from(s.along_m) - x).abs() < 0.025, "{s:?}");
        assert!((f64::from(s.height_m) - (0.22 + 0.33 * tier as f64)).abs() < 0.01, "{s:?}");
    }
}

#[test]
fn bad_hf_reads_are_counted_and_spoil_nothing() {
    let truth = tags(0.05);
    let clean = pass(&truth, 3);
    let mut scan = clean.clone();
    let (first, n) = (scan.reads[0], scan.tags.len() as u32);
    scan.reads.insert(1, first);
    scan.reads.push(Read { tag: n, ..first });
    scan.reads.push(Read { antenna_m: [f32::NAN, 0.0, 0.0], ..first });
    scan.reads.push(Read { frequency_hz: 0.0, ..first });
    let problems = check_reads(&scan);
    assert_eq!(
        (problems.duplicate, problems.unknown_tag, problems.no_position, problems.bad_carrier),
        (1, 1, 1, 1)
    );
    let places = |s: &Scan| -> Vec<f32> {
        locate_face(s, &face(), &LocateSettings::default()).sightings.iter().map(|s| s.along_m).collect()
    };
    assert_eq!(places(&scan), places(&clean));
    let nothing = Scan { reads: vec![Read { antenna_m: [f32::INFINITY; 3], ..first }], ..clean };
    assert!(places(&nothing).iter().all(|x| x.is_finite()));
}

#[test]
fn live_places_come_soon_after_the_plates_have_passed() {
    let truth = tags(0.04);
    let scan = pass(&truth, 4);
    let mut live = Live::new(face(), LocateSettings::default(), Taught::default());
    let mut so_far = Scan { reads: Vec::new(), ..scan.clone() };
    let mut told = std::collections::BTreeSet::new();
    for reads in scan.reads.chunks(40) {
        so_far.reads.extend_from_slice(reads);
        let front = f64::from(reads[reads.len() - 1].antenna_m[0]);
        for s in live.passed(&so_far) {
            let tag = scan.tags.iter().position(|t| *t == s.uid).unwrap();
            let (x, tier) = truth[tag];
            let error = (f64::from(s.along_m) - x).abs();
            assert!(error < 0.04 + 2.0 * f64::from(s.along_std_m), "{s:?} is at {x}");
            assert_eq!(s.tier().unwrap().0 as usize, tier + 1);
            assert!(front - x > 0.05, "told at {front}");
            told.insert(tag);
        }
    }
    assert!(told.len() * 10 > truth.len() * 7, "{} of {} told before the end", told.len(), truth.len());
}
