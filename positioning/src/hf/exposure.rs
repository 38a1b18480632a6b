//! How long each plate was where.

use std::collections::BTreeMap;

use super::locate::Seen;

/// Width of a bin along the face, m.
pub(super) const BIN_M: f64 = 0.01;
/// A plate that reads nothing for longer than this may have been off, s.
const LONGEST_GAP_S: f64 = 3.0;
/// A plate works before its first read and after its last, m.
const BEYOND_M: f64 = 0.40;

/// One plate's time along the face.
#[derive(Debug, Clone, Default)]
pub(super) struct Plate {
    /// Height above the floor, m.
    pub z: f64,
    /// Left end of the first bin, m.
    pub from: f64,
    /// Seconds in each bin; counts of one where there is no clock.
    pub seconds: Vec<f64>,
}

impl Plate {
    /// Middles of the bins within a reach of a place, with the seconds there.
    pub fn near(&self, x: f64, reach_m: f64) -> impl Iterator<Item = (f64, f64)> + '_ {
        let bin = |at: f64| ((at - self.from) / BIN_M).clamp(0.0, self.seconds.len() as f64) as usize;
        let first = bin(x - reach_m);
        self.seconds[first..bin(x + reach_m)]
            .iter()
            .enumerate()
            .filter(|(_, s)| **s > 0.0)
            .map(move |(i, s)| (self.from + ((first + i) as f64 + 0.5) * BIN_M, *s))
    }
}

/// The plates' ways, by port, from the reads in their order.
pub(super) fn plates(reads: &[Seen]) -> BTreeMap<u8, Plate> {
    let mut by_port: BTreeMap<u8, Vec<&Seen>> = BTreeMap::new();
    for r in reads {
        by_port.entry(r.port).or_default().push(r);
    }
    by_port
        .into_iter()
        .map(|(port, mut reads)| {
            reads.sort_by_key(|r| r.stamp_ns);
            (port, plate(&reads))
        })
        .collect()
}

fn plate(reads: &[&Seen]) -> Plate {
    let ends = reads.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |e, r| [e[0].min(r.x), e[1].max(r.x)]);
    let from = ((ends[0] - BEYOND_M) / BIN_M).floor() * BIN_M;
    let bins = (((ends[1] + BEYOND_M - from) / BIN_M).ceil() as usize).clamp(1, 1_000_000);
    let mut out = Plate {
        z: reads.iter().map(|r| r.z).sum::<f64>() / reads.len() as f64,
        from,
        seconds: vec![0.0; bins],
    };
    let (mut way, mut time) = (0.0, 0.0);
    for pair in reads.windows(2) {
        let moved = (pair[1].x - pair[0].x).abs();
        let took = match (pair[0].stamp_ns, pair[1].stamp_ns) {
            (Some(a), Some(b)) => (b - a).max(0) as f64 * 1e-9,
            _ => moved / BIN_M,
        };
        if pair[0].stamp_ns.is_none() || took <= LONGEST_GAP_S {
            out.spend(pair[0].x, pair[1].x, took);
            way += moved;
            time += took;
        }
    }
    if let (Some(first), Some(last)) = (reads.first(), reads.last()) {
        // As fast as in between; a plate that never moved has no ends worth guessing.
        let pace = if way > 0.0 { time / way } else { 0.0 };
        let forward = if last.x >= first.x { BEYOND_M } else { -BEYOND_M };
        out.spend(first.x - forward, first.x, pace * BEYOND_M);
        out.spend(last.x, last.x + forward, pace * BEYOND_M);
    }
    out
}

impl Plate {
    /// Spreads time evenly over a stretch.
    fn spend(&mut self, a: f64, b: f64, seconds: f64) {
        let (a, b) = (a.min(b), a.max(b));
        let steps = ((b - a) / BIN_M).ceil().max(1.0);
        for i in 0..steps as usize {
            let x = a + (i as f64 + 0.5) * (b - a) / steps;
            let bin = ((x - self.from) / BIN_M).floor();
            if let Some(s) = self.seconds.get_mut(bin.max(0.0) as usize) {
                *s += seconds / steps;
            }
        }
    }
}
