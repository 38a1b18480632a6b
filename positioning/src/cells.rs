//! Reads sorted out and averaged into cells of tag, antenna, carrier and antenna position.
//!
//! Every bad read is counted and kept away from what it would spoil; none of them stops anything. Averaging within
//! a centimetre loses nothing against an error that is correlated over eight, and makes a rail scan of
//! a quarter million reads a matter of some thousand cells.

use domain::Scan;
use num_complex::Complex64;
use serde::{Deserialize, Serialize};

/// Bad reads of one scan by kind. A read counts once, under the first kind that fits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadProblems {
    /// Tag index outside the scan's tag list; not used.
    pub unknown_tag: u32,
    /// Antenna position not finite or farther than 10 km from the face's origin; not used.
    pub no_position: u32,
    /// The same tag, antenna and stamp once more; not used.
    pub duplicate: u32,
    /// Carrier not a number or outside 0.3 to 6 GHz; its phase is not used.
    pub bad_carrier: u32,
    /// Phase not given (NaN); its power is used.
    pub no_phase: u32,
    /// Phase outside [0, 2π]; the phase is not used.
    pub phase_out_of_range: u32,
    /// RSSI not given or outside −150 to +30 dBm; its phase is used.
    pub no_rssi: u32,
    /// Stamp before that of the read in front of it; used.
    pub time_backwards: u32,
}

impl ReadProblems {
    /// All bad reads together.
    pub fn total(&self) -> u32 {
        self.unknown_tag
            + self.no_position
            + self.duplicate
            + self.bad_carrier
            + self.no_phase
            + self.phase_out_of_range
            + self.no_rssi
            + self.time_backwards
    }
}

/// Averaged reads of one tag by one antenna on one carrier within one cell of antenna positions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    /// Index into [`Cells::carriers`].
    pub carrier: u16,
    /// Index into [`Cells::antennas`].
    pub antenna: u16,
    /// Mean antenna position, face coordinates, m.
    pub at: [f64; 3],
    /// Sum of `exp(i phase)` over the reads with phase.
    pub phasor: Complex64,
    /// Reads with phase.
    pub phases: u32,
    /// Sum of RSSI, dBm, over the reads with RSSI.
    pub rssi_sum: f64,
    /// Reads with RSSI.
    pub powers: u32,
    /// All reads.
    pub reads: u32,
}

/// Where one tag's cells lie in [`Cells::cells`], and what its reads say together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TagReads {
    pub first: usize,
    pub end: usize,
    pub reads: u32,
    /// Strongest RSSI, dBm; NaN when never given.
    pub rssi_max: f32,
    pub last_stamp: Option<i64>,
}

/// A scan as cells, sorted by tag, antenna, carrier and position.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    pub cells: Vec<Cell>,
    pub tags: Vec<TagReads>,
    /// Reader ports in use, ascending.
    pub antennas: Vec<u8>,
    /// Carriers in use, Hz, ascending.
    pub carriers: Vec<f64>,
    pub problems: ReadProblems,
}

const PHASE_SLACK: f32 = 1e-3;
const FARTHEST_M: f32 = 10_000.0;

/// One read that survived, ready to be sorted.
struct Kept {
    tag: u32,
    key: u64,
    read: u32,
    phase: bool,
    power: bool,
}

impl Cells {
    /// Sorts out and averages.
    pub fn build(scan: &Scan, cell_m: f64, pi_ambiguous: bool) -> Self {
        let mut out = Self { tags: vec![TagReads::default(); scan.tags.len()], ..Self::default() };
        for tag in &mut out.tags {
            tag.rssi_max = f32::NAN;
        }
        out.antennas = sorted_unique(scan.reads.iter().map(|r| r.antenna));
        out.carriers = carriers(scan);
        let mut kept = out.sort_out(scan, cell_m);
        kept.sort_unstable_by_key(|k| (k.tag, k.key, k.read));
        out.average(scan, &kept, pi_ambiguous);
        out
    }

    /// The cells of one tag.
    pub fn of(&self, tag: usize) -> &[Cell] {
        &self.cells[self.tags[tag].first..self.tags[tag].end]
    }

    fn sort_out(&mut self, scan: &Scan, cell_m: f64) -> Vec<Kept> {
        let mut kept = Vec::with_capacity(scan.reads.len());
        let mut previous = i64::MIN;
        let mut last_seen = vec![[(i64::MIN, 0u8); 4]; scan.tags.len()];
        let mut carrier_memo = (f64::NAN, None);
        for (i, r) in scan.reads.iter().enumerate() {
            let p = &mut self.problems;
            let Some(seen) = last_seen.get_mut(r.tag as usize) else {
                p.unknown_tag += 1;
                continue;
            };
            if !r.antenna_m.iter().all(|v| v.is_finite() && v.abs() < FARTHEST_M) {
                p.no_position += 1;
                continue;
            }
            let mut late = false;
            if let Some(t) = r.stamp_ns {
                // A reader repeats a read at once or not at all, so the last few of the tag are enough to look at.
                if seen.contains(&(t, r.antenna)) {
                    p.duplicate += 1;
                    continue;
                }
                seen.rotate_right(1);
                seen[0] = (t, r.antenna);
                late = t < previous;
                previous = t;
            }
            if carrier_memo.0 != r.frequency_hz {
                carrier_memo =
                    (r.frequency_hz, self.carriers.binary_search_by(|c| c.total_cmp(&r.frequency_hz)).ok());
            }
            let in_range = (-PHASE_SLACK..=std::f32::consts::TAU + PHASE_SLACK).contains(&r.phase_rad);
            let power = (-150.0..=30.0).contains(&r.rssi_dbm);
            match (carrier_memo.1, r.phase_rad.is_nan(), in_range) {
                (None, ..) => p.bad_carrier += 1,
                (_, true, _) => p.no_phase += 1,
                (_, _, false) => p.phase_out_of_range += 1,
                _ if !power => p.no_rssi += 1,
                _ if late => p.time_backwards += 1,
                _ => {}
            }
            let tag = &mut self.tags[r.tag as usize];
            tag.reads += 1;
            tag.last_stamp = tag.last_stamp.max(r.stamp_ns);
            if power {
                tag.rssi_max = tag.rssi_max.max(r.rssi_dbm);
            }
            let antenna = self.antennas.binary_search(&r.antenna).unwrap_or(0) as u64;
            let cell =
                |v: f32, bits: u32| ((f64::from(v) / cell_m).round() as i64 as u64) & ((1 << bits) - 1);
            let key = antenna << 56
                | (carrier_memo.1.map_or(0xFF, |c| c as u64) & 0xFF) << 48
                | cell(r.antenna_m[0], 30) << 18
                | cell(r.antenna_m[1], 10) << 8
                | cell(r.antenna_m[2], 8);
            kept.push(Kept {
                tag: r.tag,
                key,
                read: i as u32,
                phase: carrier_memo.1.is_some() && in_range,
                power,
            });
        }
        kept
    }

    fn average(&mut self, scan: &Scan, kept: &[Kept], pi_ambiguous: bool) {
        let turns = if pi_ambiguous { 2.0 } else { 1.0 };
        for group in kept.chunk_by(|a, b| a.tag == b.tag && a.key == b.key) {
            let mut cell = Cell {
                carrier: 0,
                antenna: 0,
                at: [0.0; 3],
                phasor: Complex64::ZERO,
                phases: 0,
                rssi_sum: 0.0,
                powers: 0,
                reads: group.len() as u32,
            };
            let first = &scan.reads[group[0].read as usize];
            cell.antenna = self.antennas.binary_search(&first.antenna).unwrap_or(0) as u16;
            cell.carrier =
                self.carriers.binary_search_by(|c| c.total_cmp(&first.frequency_hz)).unwrap_or(0) as u16;
            for k in group {
                let r = &scan.reads[k.read as usize];
                for (sum, v) in cell.at.iter_mut().zip(r.antenna_m) {
                    *sum += f64::from(v);
                }
                if k.phase {
                    cell.phasor += Complex64::cis(turns * f64::from(r.phase_rad));
                    cell.phases += 1;
                }
                if k.power {
                    cell.rssi_sum += f64::from(r.rssi_dbm);
                    cell.powers += 1;
                }
            }
            cell.at = cell.at.map(|v| v / group.len() as f64);
            let tag = &mut self.tags[group[0].tag as usize];
            if tag.end == 0 {
                tag.first = self.cells.len();
            }
            self.cells.push(cell);
            tag.end = self.cells.len();
        }
    }
}

impl Cell {
    /// Mean RSSI, dBm; `None` when never given.
    pub fn rssi(&self) -> Option<f64> {
        (self.powers > 0).then(|| self.rssi_sum / f64::from(self.powers))
    }
}

fn sorted_unique<T: Ord + Copy>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut out: Vec<T> = Vec::new();
    for v in values {
        if let Err(i) = out.binary_search(&v) {
            out.insert(i, v);
        }
    }
    out
}

/// Carriers of the scan, at most 250: no band has more channels, and a source with more of them is broken.
fn carriers(scan: &Scan) -> Vec<f64> {
    let mut out: Vec<f64> = Vec::new();
    let mut last = f64::NAN;
    for r in &scan.reads {
        let f = r.frequency_hz;
        if f == last || !(0.3e9..=6e9).contains(&f) {
            continue;
        }
        last = f;
        if let Err(i) = out.binary_search_by(|c| c.total_cmp(&f))
            && out.len() < 250
        {
            out.insert(i, f);
        }
    }
    out
}
