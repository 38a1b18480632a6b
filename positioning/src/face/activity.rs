//! Where the antennas were at work, and what they read there, for coverage.
//!
//! A robot that stands (someone is in the way) reads the same tags over and over. Those reads say nothing of how surely a
//! tag further on would be read, so at each spot only as much time counts as a pass spends there twice over.

use std::collections::{BTreeMap, BTreeSet};

use domain::Scan;

use super::coverage::Active;

/// A slot of reader time, ns.
const SLOT_NS: i64 = 20_000_000;
/// A spot of the track, m.
const SPOT_M: f64 = 0.05;
/// Slots at a spot that always count, and how many times the usual ones do.
const FEWEST: u32 = 10;
const MOST: u32 = 2;

/// What counts of a pass.
pub(crate) struct Activity {
    /// One spot for each slot (each centimetre, without a clock) in which a port read anything at all.
    pub spots: Vec<Active>,
    /// Reads by tag.
    pub reads: Vec<u32>,
}

/// Reads the activity off a pass.
pub(crate) fn activity(scan: &Scan) -> Activity {
    let slot = |stamp: Option<i64>, x: f32| {
        stamp.map_or_else(|| (x * 100.0).round() as i64, |t| t.div_euclid(SLOT_NS))
    };
    let usable = || scan.reads.iter().filter(|r| r.antenna_m.iter().all(|v| v.is_finite()));
    // By port and slot: which of the slots at its spot it is. By port and spot: how many there are.
    let mut order: BTreeMap<(u8, i64), u32> = BTreeMap::new();
    let mut dwell: BTreeMap<(u8, i64), u32> = BTreeMap::new();
    for r in usable() {
        order.entry((r.antenna, slot(r.stamp_ns, r.antenna_m[0]))).or_insert_with(|| {
            let spot = (f64::from(r.antenna_m[0]) / SPOT_M).floor() as i64;
            let at = dwell.entry((r.antenna, spot)).or_insert(0);
            *at += 1;
            *at - 1
        });
    }
    let mut times: Vec<u32> = dwell.into_values().collect();
    times.sort_unstable();
    let most = times.get(times.len() / 2).map_or(FEWEST, |usual| (MOST * usual).max(FEWEST));
    let mut out = Activity { spots: Vec::new(), reads: vec![0; scan.tags.len()] };
    let mut told = BTreeSet::new();
    for r in usable() {
        let key = (r.antenna, slot(r.stamp_ns, r.antenna_m[0]));
        if order.get(&key).is_none_or(|nth| *nth >= most) {
            continue;
        }
        if let Some(reads) = out.reads.get_mut(r.tag as usize) {
            *reads += 1;
        }
        if told.insert(key) {
            out.spots.push(Active { x: f64::from(r.antenna_m[0]), z: f64::from(r.antenna_m[2]), slots: 1.0 });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Read, Uid};

    #[test]
    fn a_robot_that_stands_has_read_no_more_than_one_that_passes() {
        let mut scan = Scan { tags: vec![Uid::new(&[1]).unwrap()], ..Scan::default() };
        let mut read = |ms: i64, x: f64| {
            scan.reads.push(Read {
                stamp_ns: Some(ms * 1_000_000),
                tag: 0,
                antenna: 1,
                frequency_hz: 922e6,
                rssi_dbm: -50.0,
                phase_rad: 1.0,
                antenna_m: [x as f32, 0.4, 0.5],
            });
        };
        // A metre at 0.1 m/s, and a minute at its end.
        (0..500).for_each(|i| read(20 * i, 0.002 * i as f64));
        (500..3_500).for_each(|i| read(20 * i, 1.02));
        let found = activity(&scan);
        assert!((500..=560).contains(&found.spots.len()), "{}", found.spots.len());
        assert_eq!(found.reads[0] as usize, found.spots.len());
    }
}
