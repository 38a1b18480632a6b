//! What a user of the twin's radio would lose.
#![allow(missing_docs, clippy::unwrap_used)]

use std::f64::consts::{PI, TAU};

use domain::Uid;
use sha2::{Digest, Sha256};
use twin::radio::{
    AntennaPose, HopPlan, Panel, Polarisation, RadioError, RadioRead, RadioSettings, Reader, ReaderMode,
    ReaderSettings, SPEED_OF_LIGHT, Session, TagField, TagPlacement,
};

const STEP_NS: i64 = 10_000_000;

fn tag(id: u32, position_m: [f64; 3]) -> TagPlacement {
    TagPlacement {
        uid: Uid::new(&id.to_be_bytes()).unwrap(),
        position_m,
        axis: [0.0, 0.0, 1.0],
        outward: [0.0, -1.0, 0.0],
        front: None,
        needs_db: 0.0,
    }
}

fn row(n: u32, pitch: f64) -> Vec<TagPlacement> {
    (0..n).map(|i| tag(i, [pitch * f64::from(i), 0.6, 1.0])).collect()
}

fn at(x: f64, y: f64) -> AntennaPose {
    AntennaPose { port: 1, position_m: [x, y, 1.0], boresight: [0.0, 1.0, 0.0] }
}

/// Drives along x from 0 at 0.1 m/s for some seconds.
fn drive(settings: &RadioSettings, field: &TagField, seed: u64, seconds: i64) -> Vec<RadioRead> {
    let mut reader = Reader::new(settings, seed, 0).unwrap();
    let mut reads = Vec::new();
    for step in 0..seconds * 100 {
        reader.advance(field, step * STEP_NS, &[at(0.001 * step as f64, 0.0)], &mut reads);
    }
    reads
}

fn field(settings: &RadioSettings, tags: Vec<TagPlacement>) -> TagField {
    TagField::new(settings, tags, Vec::new(), Vec::new(), 5).unwrap()
}

/// No reflections, no noise, one carrier after another for long.
fn clean() -> RadioSettings {
    let mut s = RadioSettings::default();
    s.field.scatter_gain = 0.0;
    s.field.chip_threshold_spread_db = 0.0;
    s.reader.phase_floor_rad = 0.0;
    s.reader.phase_noise_rad = 0.0;
    s.reader.loss_share = 0.0;
    s.reader.rssi_std_db = 0.0;
    s.reader.carrier_dwell_s = 2.0;
    s
}

fn wrap(x: f64) -> f64 {
    (x + PI).rem_euclid(TAU) - PI
}

#[test]
fn a_lone_tags_phase_follows_its_distance_and_grows_with_it() {
    let settings = clean();
    let f = field(&settings, vec![tag(1, [0.0, 0.6, 1.0])]);
    let mut reader = Reader::new(&settings, 1, 0).unwrap();
    let mut reads = Vec::new();
    // Backs away from 0.6 m, 1 mm a step.
    for step in 0..190 {
        reader.advance(&f, step * STEP_NS, &[at(0.0, -0.001 * step as f64)], &mut reads);
    }
    assert!(reads.len() > 100, "{} reads", reads.len());
    for pair in reads.windows(2) {
        let distance = |r: &RadioRead| 0.6 + 1e-10 * r.stamp_ns as f64;
        let expected =
            4.0 * PI * pair[0].frequency_hz / SPEED_OF_LIGHT * (distance(&pair[1]) - distance(&pair[0]));
        let found = wrap(f64::from(pair[1].phase_rad) - f64::from(pair[0].phase_rad));
        assert!((found - expected).abs() < 0.007, "{found} against {expected}");
        assert!(expected > 0.0);
    }
    assert!(reads[0].rssi_dbm > reads[reads.len() - 1].rssi_dbm, "RSSI falls with distance");
}

/// Mean phase of one tag by centimetre of the way and carrier.
fn profile(reads: &[RadioRead], tag: u32) -> std::collections::BTreeMap<(u64, u64), f64> {
    let mut sums = std::collections::BTreeMap::new();
    for r in reads.iter().filter(|r| r.tag == tag) {
        let key = (r.frequency_hz as u64, (r.stamp_ns / 100_000_000) as u64);
        let sum: &mut (f64, f64) = sums.entry(key).or_default();
        sum.0 += f64::from(r.phase_rad).cos();
        sum.1 += f64::from(r.phase_rad).sin();
    }
    sums.into_iter().map(|(k, (c, s))| (k, s.atan2(c))).collect()
}

fn rms_between(a: &[RadioRead], b: &[RadioRead], tag: u32) -> f64 {
    let (a, b) = (profile(a, tag), profile(b, tag));
    let d: Vec<f64> = a.iter().filter_map(|(k, v)| Some(wrap(v - b.get(k)?).powi(2))).collect();
    assert!(d.len() > 10, "only {} places in common", d.len());
    (d.iter().sum::<f64>() / d.len() as f64).sqrt()
}

#[test]
fn a_second_pass_meets_the_same_phase_errors_and_other_neighbours_others() {
    let settings = RadioSettings { reader: clean().reader, ..RadioSettings::default() };
    let mut crowded = field(&settings, row(12, 0.04));
    let first = drive(&settings, &crowded, 1, 8);
    let second = drive(&settings, &crowded, 1, 8);
    assert!(rms_between(&first, &second, 5) < 0.03);
    // The two neighbours go: the same tag in the same place, another profile.
    crowded.remove(4).unwrap();
    crowded.remove(6).unwrap();
    let sparse = drive(&settings, &crowded, 1, 8);
    let change = rms_between(&first, &sparse, 5);
    assert!(change > 0.15, "neighbours changed the profile by {change} rad only");
    // And when they are put back it is the old profile again.
    for t in [4, 6] {
        crowded.place(t, [0.04 * f64::from(t), 0.6, 1.0], [0.0, -1.0, 0.0], None).unwrap();
    }
    assert!(rms_between(&first, &drive(&settings, &crowded, 1, 8), 5) < 0.03);
}

#[test]
fn a_far_change_leaves_a_tag_alone() {
    let settings = clean();
    let mut f = field(&settings, row(40, 0.05));
    let before = drive(&settings, &f, 1, 4);
    f.remove(30).unwrap();
    let after = drive(&settings, &f, 1, 4);
    assert!(rms_between(&before, &after, 3) < 0.05);
}

#[test]
fn the_same_seed_gives_the_same_reads_and_hash() {
    let settings = RadioSettings::default();
    let run = |seed| {
        let f = field(&settings, row(30, 0.03));
        let mut reader = Reader::new(&settings, seed, 0).unwrap();
        let mut reads = Vec::new();
        for step in 0..300 {
            reader.advance(&f, step * STEP_NS, &[at(0.002 * step as f64, 0.0)], &mut reads);
        }
        let mut hash = Sha256::new();
        f.hash_into(&mut hash);
        reader.hash_into(&mut hash);
        (reads, hash.finalize().to_vec())
    };
    let (a, b, c) = (run(1), run(1), run(2));
    assert_eq!(a, b);
    assert_ne!(a.1, c.1);
}

#[test]
fn slots_are_no_better_used_than_slotted_aloha_allows() {
    let mut settings = RadioSettings::default();
    settings.reader.capture_db = 1000.0;
    settings.reader.power_dbm = 33.0;
    let tags =
        (0..400).map(|i| tag(i, [0.05 * f64::from(i % 20), 0.6, 0.5 + 0.05 * f64::from(i / 20)])).collect();
    let f = field(&settings, tags);
    let mut reader = Reader::new(&settings, 1, 0).unwrap();
    let mut reads = Vec::new();
    for step in 0..1000 {
        reader.advance(&f, step * STEP_NS, &[at(0.5, 0.0)], &mut reads);
    }
    let slots = reader.slots();
    let share = (slots.read + slots.failed) as f64 / slots.all() as f64;
    assert!(share < 0.375, "{share} of slots hold one reply: more than 36.8% is not ALOHA");
    assert!(share > 0.28, "{share} of slots: Q does not follow the number of tags");
    let rate = reads.len() as f64 / 10.0;
    assert!((300.0..1000.0).contains(&rate), "{rate} reads/s");
}

#[test]
fn no_carrier_is_held_longer_than_the_law_allows() {
    for plan in [HopPlan::Cn, HopPlan::Fcc, HopPlan::Etsi] {
        let mut settings = RadioSettings::default();
        settings.reader.plan = plan;
        settings.reader.carrier_dwell_s = plan.max_dwell_s();
        let reads = drive(&settings, &field(&settings, row(10, 0.05)), 3, 30);
        let mut start = reads[0];
        let mut seen = std::collections::BTreeSet::new();
        for r in &reads {
            assert!(plan.carriers_hz().contains(&r.frequency_hz));
            seen.insert(r.frequency_hz as u64);
            if r.frequency_hz != start.frequency_hz {
                start = *r;
            }
            let held = (r.stamp_ns - start.stamp_ns) as f64 * 1e-9;
            assert!(held <= plan.max_dwell_s(), "{plan:?}: {held} s on {} Hz", r.frequency_hz);
        }
        assert!(seen.len() >= 4, "{plan:?} used {} carriers", seen.len());
    }
}

#[test]
fn ports_take_turns_and_silent_sessions_read_a_tag_seldom() {
    let mut settings = RadioSettings::default();
    settings.reader.session = Session::S1;
    let f = field(&settings, row(5, 0.10));
    let mut reader = Reader::new(&settings, 1, 0).unwrap();
    let mut reads = Vec::new();
    let poses: Vec<AntennaPose> = (1..=4).map(|port| AntennaPose { port, ..at(0.2, 0.0) }).collect();
    for step in 0..1000 {
        reader.advance(&f, step * STEP_NS, &poses, &mut reads);
    }
    let mut last = [i64::MIN; 5];
    for r in &reads {
        let before = std::mem::replace(&mut last[r.tag as usize], r.stamp_ns);
        assert!(
            before == i64::MIN || r.stamp_ns - before >= 500_000_000,
            "tag {} spoke again too soon",
            r.tag
        );
    }
    settings.reader.session = Session::S0;
    let mut reader = Reader::new(&settings, 1, 0).unwrap();
    let quiet = reads.len();
    reads.clear();
    for step in 0..1000 {
        reader.advance(&f, step * STEP_NS, &poses, &mut reads);
    }
    assert!(reads.len() > 10 * quiet, "{} against {quiet} reads", reads.len());
    for port in 1..=4 {
        assert!(reads.iter().any(|r| r.port == port), "port {port} never read");
    }
}

#[test]
fn reads_behind_steel_are_rare() {
    let settings = RadioSettings::default();
    let panel = Panel { from_m: [-1.0, 0.3], to_m: [2.0, 0.3], z_m: [0.0, 2.0], loss_db: 30.0 };
    let f = TagField::new(&settings, row(10, 0.05), vec![panel], Vec::new(), 5).unwrap();
    assert!(drive(&settings, &f, 1, 3).is_empty());
    assert!(drive(&settings, &field(&settings, row(10, 0.05)), 1, 3).len() > 500);
}

#[test]
fn reported_values_come_in_the_readers_steps() {
    let settings = RadioSettings::default();
    for r in drive(&settings, &field(&settings, row(6, 0.08)), 1, 3) {
        let steps = f64::from(r.phase_rad) / TAU * 1024.0;
        assert!((steps - steps.round()).abs() < 1e-3 && (0.0..TAU).contains(&f64::from(r.phase_rad)));
        assert_eq!((r.rssi_dbm * 2.0).fract(), 0.0);
    }
}

#[test]
fn nonsense_is_refused_by_name() {
    let mut settings = RadioSettings::default();
    settings.reader.carrier_dwell_s = 3.0;
    let refused = settings.check().unwrap_err().to_string();
    assert!(refused.contains("reader.carrier_dwell_s") && refused.contains('3'), "{refused}");
    settings = RadioSettings::default();
    settings.field.scatter_gain = f64::NAN;
    assert!(settings.check().unwrap_err().to_string().contains("field.scatter_gain"));
    let good = RadioSettings::default();
    let mut twice = row(2, 0.1);
    twice[1].uid = twice[0].uid.clone();
    let refused = TagField::new(&good, twice, Vec::new(), Vec::new(), 1).err();
    assert!(matches!(refused, Some(RadioError::Duplicate(_))));
    let nowhere = TagField::new(&good, vec![tag(1, [f64::NAN, 0.0, 0.0])], Vec::new(), Vec::new(), 1).err();
    assert!(matches!(nowhere, Some(RadioError::Geometry { .. })));
    assert!(matches!(field(&good, row(2, 0.1)).remove(7), Err(RadioError::NoSuchTag { index: 7, count: 2 })));
}

#[test]
fn a_lying_books_tag_answers_a_circular_antenna_and_hardly_an_upright_one() {
    let reads = |polarisation, axis| {
        let mut settings = clean();
        settings.reader.polarisation = polarisation;
        let mut placement = tag(1, [0.5, 0.6, 1.0]);
        placement.axis = axis;
        let f = field(&settings, vec![placement]);
        let reads = drive(&settings, &f, 1, 6);
        reads.iter().map(|r| f64::from(r.rssi_dbm)).sum::<f64>() / reads.len().max(1) as f64
    };
    let (upright, lying) = ([0.0, 0.0, 1.0], [1.0, 0.0, 0.0]);
    let circular = reads(Polarisation::Circular, upright) - reads(Polarisation::Circular, lying);
    assert!(circular.abs() < 3.0, "circular: {circular} dB apart");
    let level = reads(Polarisation::Horizontal, lying);
    assert!(level < 0.0 && level > -50.0, "level antenna, lying tag: {level} dBm");
    let settings = RadioSettings {
        reader: ReaderSettings { polarisation: Polarisation::Vertical, ..clean().reader },
        ..clean()
    };
    let mut placement = tag(1, [0.5, 0.6, 1.0]);
    placement.axis = lying;
    let f = field(&settings, vec![placement]);
    let crossed = drive(&settings, &f, 1, 6).len();
    let f = field(&settings, vec![tag(1, [0.5, 0.6, 1.0])]);
    let right = drive(&settings, &f, 1, 6).len();
    assert!(crossed < right / 2, "{crossed} of {right} reads");
}

#[test]
fn the_floor_mirrors_where_it_is_told_to() {
    let mut settings = clean();
    let phases = |settings: &RadioSettings| {
        let f = field(settings, vec![tag(1, [0.5, 0.9, 0.3])]);
        drive(settings, &f, 1, 6).iter().map(|r| f64::from(r.rssi_dbm)).sum::<f64>()
    };
    let without = phases(&settings);
    settings.field.floor_reflection = -0.3;
    assert_ne!(without, phases(&settings));
}

#[test]
fn no_carrier_of_the_fcc_plan_sends_more_than_its_share_in_any_twenty_seconds() {
    let mut settings = clean();
    settings.reader.plan = HopPlan::Fcc;
    settings.reader.carrier_dwell_s = 0.4;
    let f = field(&settings, vec![tag(1, [0.5, 0.6, 1.0])]);
    let mut reader = Reader::new(&settings, 3, 0).unwrap();
    let (mut sent, mut none) = (Vec::new(), Vec::new());
    for step in 1..9_000 {
        reader.advance(&f, step * STEP_NS, &[at(0.5, 0.0)], &mut none);
        sent.push(reader.carrier_hz());
    }
    for window in sent.windows(2_000).step_by(10) {
        let mut each = std::collections::BTreeMap::new();
        window.iter().for_each(|f| *each.entry(*f as u64).or_insert(0) += 1);
        let most = each.values().max().unwrap();
        // Forty steps of 10 ms, and the one in which it changes.
        assert!(*most <= 41, "{most} steps on one carrier");
    }
}

#[test]
fn in_session_s2_a_tag_answers_once_while_it_is_powered() {
    let mut settings = clean();
    settings.reader.session = Session::S2;
    let f = field(&settings, row(4, 0.3));
    let mut reader = Reader::new(&settings, 1, 0).unwrap();
    let mut reads = Vec::new();
    for step in 0..500 {
        reader.advance(&f, step * STEP_NS, &[at(0.4, 0.0)], &mut reads);
    }
    assert!((4..=6).contains(&reads.len()), "{} reads of 4 tags in 5 s", reads.len());
}

#[test]
fn a_slower_mode_reads_less() {
    let count = |mode| {
        let mut settings = clean();
        settings.reader.mode = Some(mode);
        let f = field(&settings, row(8, 0.1));
        drive(&settings, &f, 1, 5).len()
    };
    let counts =
        [ReaderMode::MaxThroughput, ReaderMode::Hybrid, ReaderMode::DenseM4, ReaderMode::DenseM8].map(count);
    assert!(counts.windows(2).all(|w| w[1] < w[0]) && counts[3] > 100, "{counts:?}");
}

#[test]
fn resting_forgets_tags_that_no_antenna_meets_and_changes_no_read() {
    let settings = RadioSettings::default();
    let run = |rest: bool| {
        let mut f = field(&settings, row(60, 0.5));
        let mut reader = Reader::new(&settings, 1, 0).unwrap();
        let mut reads = Vec::new();
        for step in 0..3_000i64 {
            reader.advance(&f, step * STEP_NS, &[at(0.006 * step as f64, 0.0)], &mut reads);
            if rest && step % 50 == 0 {
                f.rest(2);
            }
        }
        (reads, f.awake())
    };
    let ((all, kept), (same, few)) = (run(false), run(true));
    assert_eq!(all, same);
    assert!(few < kept, "{few} of {kept} kept");
}
