//! What a user would lose if locating a row of tags failed or could be upset by bad reads.

mod support;

use domain::{Read, Scan, Uid};
use positioning::{LocateSettings, check_reads, locate_row};
use proptest::prelude::*;
use support::{rail_place, rail_scan};

#[test]
fn tags_are_put_in_order_and_within_centimetres() {
    // Tags that nothing couples: the fit has no layout's error to take out, and the decoder must not put one in.
    for (decode, within) in [(false, 0.03), (true, 0.05)] {
        let sightings =
            locate_row(&rail_scan(8, 40_000), &LocateSettings { decode, ..LocateSettings::default() });
        for (i, s) in sightings.iter().enumerate() {
            assert_eq!(s.rank as usize, i);
            assert!(
                (f64::from(s.along_m) - rail_place(8, i)).abs() < within,
                "tag {i} at {} (decoder: {decode})",
                s.along_m
            );
        }
    }
}

#[test]
fn bad_reads_are_counted_and_spoil_nothing() {
    let clean = rail_scan(5, 20_000);
    let good = locate_row(&clean, &LocateSettings::default());
    let mut dirty = clean.clone();
    let bad = |change: &dyn Fn(&mut Read)| {
        let mut r = clean.reads[777];
        change(&mut r);
        r
    };
    dirty.reads.extend([
        bad(&|r| r.phase_rad = f32::NAN),
        bad(&|r| r.phase_rad = 9.0),
        bad(&|r| r.phase_rad = f32::NEG_INFINITY),
        bad(&|r| r.frequency_hz = 0.0),
        bad(&|r| r.frequency_hz = f64::NAN),
        bad(&|r| r.tag = 99),
        bad(&|r| r.antenna_m[0] = f32::NAN),
        bad(&|r| r.antenna_m[1] = f32::INFINITY),
        bad(&|r| r.rssi_dbm = f32::NAN),
        bad(&|r| r.rssi_dbm = 500.0),
    ]);
    let problems = check_reads(&dirty);
    assert_eq!(problems.no_phase, 1);
    assert_eq!(problems.phase_out_of_range, 2);
    assert_eq!(problems.bad_carrier, 2);
    assert_eq!(problems.unknown_tag, 1);
    assert_eq!(problems.no_position, 2);
    assert_eq!(problems.no_rssi, 2);
    assert_eq!(problems.total(), 10);
    assert_eq!(check_reads(&clean).total(), 0);
    for (a, b) in good.iter().zip(locate_row(&dirty, &LocateSettings::default())) {
        assert!((a.along_m - b.along_m).abs() < 1e-3);
        assert_eq!(a.rank, b.rank);
    }
}

#[test]
fn duplicates_and_a_clock_that_runs_backwards_are_told() {
    let mut scan = rail_scan(3, 900);
    for (i, r) in scan.reads.iter_mut().enumerate() {
        r.stamp_ns = Some(i as i64 * 1000);
    }
    let again = scan.reads[10];
    scan.reads.insert(11, again);
    scan.reads[500].stamp_ns = Some(3);
    let problems = check_reads(&scan);
    assert_eq!((problems.duplicate, problems.time_backwards), (1, 1));
}

#[test]
fn every_tag_gets_an_answer_and_few_reads_a_wide_one() {
    let mut scan = rail_scan(5, 20_000);
    scan.tags.push(Uid::new(&[0xAA]).unwrap());
    scan.tags.push(Uid::new(&[0xBB]).unwrap());
    let mut alone = scan.reads[0];
    alone.tag = 5;
    scan.reads.push(alone);
    let sightings = locate_row(&scan, &LocateSettings::default());
    assert_eq!(sightings.len(), 7);
    assert!(
        sightings.iter().all(|s| s.along_m.is_finite() && s.along_std_m.is_finite() && s.along_std_m > 0.0)
    );
    assert!(sightings[5].along_std_m > 3.0 * sightings[0].along_std_m);
    assert!(sightings[6].along_std_m >= sightings[5].along_std_m);
    assert!(locate_row(&Scan::default(), &LocateSettings::default()).is_empty());
}

#[test]
fn a_reader_that_flips_phases_by_pi_is_no_trouble_once_told() {
    let mut scan = rail_scan(5, 20_000);
    for r in scan.reads.iter_mut().step_by(3) {
        r.phase_rad = (r.phase_rad + std::f32::consts::PI) % std::f32::consts::TAU;
    }
    let settings = LocateSettings { pi_ambiguous: true, ..LocateSettings::default() };
    for (i, s) in locate_row(&scan, &settings).iter().enumerate() {
        assert!((f64::from(s.along_m) - rail_place(5, i)).abs() < 0.04, "tag {i} at {}", s.along_m);
    }
}

fn any_f32() -> impl Strategy<Value = f32> {
    prop_oneof![any::<f32>(), Just(f32::NAN), -1.0f32..2.0, 0.0f32..6.0]
}

prop_compose! {
    fn any_read()(
        stamp_ns in any::<Option<i64>>(),
        tag in 0u32..5,
        antenna in any::<u8>(),
        frequency_hz in prop_oneof![any::<f64>(), 9.2e8..9.25e8],
        rssi_dbm in any_f32(),
        phase_rad in any_f32(),
        antenna_m in [any_f32(), any_f32(), any_f32()],
    ) -> Read {
        Read { stamp_ns, tag, antenna, frequency_hz, rssi_dbm, phase_rad, antenna_m }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_reads_whatever_bring_the_locator_down(reads in proptest::collection::vec(any_read(), 0..60)) {
        let scan = Scan {
            name: "any".into(),
            tags: (1..4u8).map(|i| Uid::new(&[i]).unwrap()).collect(),
            reads,
        };
        let sightings = locate_row(&scan, &LocateSettings::default());
        prop_assert_eq!(sightings.len(), 3);
        prop_assert!(sightings.iter().all(|s| s.along_m.is_finite() && s.along_std_m > 0.0));
        let face = support::World { length_m: 0.9, ..support::World::default() }.face();
        let result = positioning::locate_face(&scan, &face, &LocateSettings::default());
        prop_assert_eq!(result.sightings.len(), 3);
        prop_assert!(result.sightings.iter().all(|s| s.along_m.is_finite() && s.along_std_m > 0.0));
    }
}
