//! HF shelves as a robot's plates see them.

#![allow(missing_docs, clippy::unwrap_used)]

use domain::Uid;
use twin::radio::{AntennaPose, HfReader, RadioRead, RadioSettings, TagField, TagPlacement};

/// A row of books along x, 0 to `width_m`, with their tags `behind_m` behind the spine; the aisle is at +y.
fn shelf(spacing_m: f64, width_m: f64, behind_m: impl Fn(usize) -> f64) -> TagField {
    let count = (width_m / spacing_m) as usize;
    let tags = (0..count)
        .map(|i| TagPlacement {
            uid: Uid::new(&[0xE0, 4, 1, i as u8, (i * 37) as u8, (i * 101) as u8, 9, (i * 29) as u8])
                .unwrap(),
            position_m: [i as f64 * spacing_m, -behind_m(i), 0.08 + 0.01 * (i % 5) as f64],
            axis: [0.0, 0.0, 1.0],
            outward: [0.0, 1.0, 0.0],
            front: None,
            needs_db: 0.0,
        })
        .collect();
    TagField::new(&RadioSettings::default(), tags, vec![], vec![], 5).unwrap()
}

/// A plate that goes along it, `gap_m` from the spines.
fn sweep(field: &TagField, speed_mps: f64, length_m: f64, gap_m: f64) -> Vec<(f64, RadioRead)> {
    let settings = RadioSettings::default();
    let mut reader = HfReader::new(&settings, 1, 5, 0, 1).unwrap();
    let (mut out, mut t_ns, mut x) = (Vec::new(), 0i64, -0.5);
    while x < length_m + 0.5 {
        let pose = AntennaPose { port: 1, position_m: [x, gap_m, 0.12], boresight: [0.0, -1.0, 0.0] };
        let mut reads = Vec::new();
        reader.advance(field, t_ns, &[pose], &mut reads);
        out.extend(reads.into_iter().map(|r| (x, r)));
        t_ns += 10_000_000;
        x += speed_mps * 0.01;
    }
    out
}

#[test]
fn a_plate_reads_a_hands_breadth_and_some_fifty_tags_a_second() {
    let field = shelf(0.025, 2.0, |i| 0.03 + 0.002 * (i % 6) as f64);
    let reads = sweep(&field, 0.1, 2.0, 0.08);
    let seconds = 20.0;
    let rate = reads.len() as f64 / seconds;
    assert!((30.0..=60.0).contains(&rate), "{rate} reads a second");
    let mut off: Vec<f64> = reads.iter().map(|(x, r)| (x - f64::from(r.tag) * 0.025).abs()).collect();
    off.sort_by(f64::total_cmp);
    let (middle, far) = (off[off.len() / 2], off[off.len() * 99 / 100]);
    assert!(
        (0.05..=0.15).contains(&middle) && far < 0.25,
        "half within {middle} m, nearly all within {far} m"
    );
    // It sees a tag before and after it, hardly in front of it.
    let (mut dark, mut bright) = (0, 0);
    for o in &off {
        dark += usize::from(*o < 0.01);
        bright += usize::from((0.07..0.08).contains(o));
    }
    assert!(dark < bright, "{dark} {bright}");
    let missed = (0..field.len() as u32).filter(|t| !reads.iter().any(|(_, r)| r.tag == *t)).count();
    assert!(missed <= 1, "{missed} of {} never read", field.len());
    assert!(reads.iter().all(|(_, r)| r.phase_rad.is_nan() && r.rssi_dbm.is_nan()));
}

#[test]
fn tags_at_the_fore_edge_hardly_answer() {
    let field = shelf(0.025, 2.0, |i| if i % 8 == 3 { 0.125 } else { 0.03 });
    let reads = sweep(&field, 0.1, 2.0, 0.08);
    let of = |deep: bool| reads.iter().filter(|(_, r)| (r.tag % 8 == 3) == deep).count() as f64;
    let (deep, shallow) = (of(true) / 10.0, of(false) / 70.0);
    assert!(deep < 0.15 * shallow, "{deep} reads a tag against {shallow}");
}

#[test]
fn the_same_seed_reads_the_same() {
    let field = shelf(0.02, 1.0, |_| 0.03);
    let all = |r: Vec<(f64, RadioRead)>| r.iter().map(|(_, r)| (r.stamp_ns, r.tag)).collect::<Vec<_>>();
    assert_eq!(all(sweep(&field, 0.1, 1.0, 0.08)), all(sweep(&field, 0.1, 1.0, 0.08)));
}
