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
#[derive(Debug, Clone, Copy, Default)]
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

impl Cells {
    /// Sorts out and averages.
    pub fn build(scan: &Scan, cell_m: f64, pi_ambiguous: bool) -> Self {
        Self::of_ports(scan, sorted_unique(scan.reads.iter().map(|r| r.antenna)), cell_m, pi_ambiguous)
    }

    /// The same of a part of a pass on which these reader ports are in use, ascending, all those of its reads among them.
    pub fn of_ports(scan: &Scan, ports: Vec<u8>, cell_m: f64, pi_ambiguous: bool) -> Self {
        let mut out = Self { tags: vec![TagReads::default(); scan.tags.len()], ..Self::default() };
        for tag in &mut out.tags {
            tag.rssi_max = f32::NAN;
        }
        out.antennas = ports;
        out.carriers = carriers(scan);
        out.fill(scan, cell_m, pi_ambiguous);
        out
    }

    /// The cells of one tag.
    pub fn of(&self, tag: usize) -> &[Cell] {
        &self.cells[self.tags[tag].first..self.tags[tag].end]
    }

    /// One pass over the reads: each goes to its cell. The reads of a tag come in runs from one place, so its last cell is
    /// looked at before the table of all.
    fn fill(&mut self, scan: &Scan, cell_m: f64, pi_ambiguous: bool) {
        let turns = if pi_ambiguous { 2.0 } else { 1.0 };
        let per_m = 1.0 / cell_m;
        let mut index = CellIndex::default();
        let mut keys: Vec<(u32, u64)> = Vec::new();
        let mut last_cell = vec![(u64::MAX, 0u32); scan.tags.len()];
        let mut previous = i64::MIN;
        let mut last_seen = vec![[(i64::MIN, 0u8); 4]; scan.tags.len()];
        let mut carrier_memo = (f64::NAN, None);
        let mut antenna_memo = (0u8, self.antennas.binary_search(&0).unwrap_or(0));
        let mut turned = PhasorTable::new(turns);
        for r in &scan.reads {
            let p = &mut self.problems;
            let Some(seen) = last_seen.get_mut(r.tag as usize) else {
                p.unknown_tag += 1;
                continue;
            };
            if !r.has_place() {
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
            if antenna_memo.0 != r.antenna {
                antenna_memo = (r.antenna, self.antennas.binary_search(&r.antenna).unwrap_or(0));
            }
            let (in_range, power) = (r.has_phase(), r.has_power());
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
            let cell = |v: f32, bits: u32| (nearest(f64::from(v) * per_m) as u64) & ((1 << bits) - 1);
            let key = (antenna_memo.1 as u64) << 56
                | (carrier_memo.1.map_or(0xFF, |c| c as u64) & 0xFF) << 48
                | cell(r.antenna_m[0], 30) << 18
                | cell(r.antenna_m[1], 10) << 8
                | cell(r.antenna_m[2], 8);
            let last = &mut last_cell[r.tag as usize];
            if last.0 != key {
                let found = index.find((r.tag, key), &keys);
                if found as usize == keys.len() {
                    keys.push((r.tag, key));
                    self.cells.push(Cell {
                        carrier: carrier_memo.1.unwrap_or(0) as u16,
                        antenna: antenna_memo.1 as u16,
                        ..Cell::default()
                    });
                }
                *last = (key, found);
            }
            let cell = &mut self.cells[last.1 as usize];
            cell.reads += 1;
            for (sum, v) in cell.at.iter_mut().zip(r.antenna_m) {
                *sum += f64::from(v);
            }
            if carrier_memo.1.is_some() && in_range {
                cell.phasor += turned.at(r.phase_rad);
                cell.phases += 1;
            }
            if power {
                cell.rssi_sum += f64::from(r.rssi_dbm);
                cell.powers += 1;
            }
        }
        self.sort(&keys);
    }

    /// Brings the cells into the order of tag, antenna, carrier and place.
    fn sort(&mut self, keys: &[(u32, u64)]) {
        let mut order: Vec<u32> = (0..keys.len() as u32).collect();
        order.sort_unstable_by_key(|&i| keys[i as usize]);
        self.cells = order.iter().map(|&i| self.cells[i as usize]).collect();
        for (at, &i) in order.iter().enumerate() {
            let cell = &mut self.cells[at];
            cell.at = cell.at.map(|v| v / f64::from(cell.reads));
            let tag = &mut self.tags[keys[i as usize].0 as usize];
            if tag.end == 0 {
                tag.first = at;
            }
            tag.end = at + 1;
        }
    }
}

/// Nearest whole number without a call, for numbers far below 2⁵¹.
fn nearest(v: f64) -> i64 {
    const ROUND: f64 = 6_755_399_441_055_744.0;
    ((v + ROUND) - ROUND) as i64
}

/// Cells by tag and key: open addressing with a load below one half.
#[derive(Default)]
struct CellIndex {
    slots: Vec<u32>,
}

impl CellIndex {
    const FREE: u32 = u32::MAX;

    /// Index of the cell; that of the next new one, which the caller must add to `keys`, where there is none.
    fn find(&mut self, key: (u32, u64), keys: &[(u32, u64)]) -> u32 {
        if 2 * (keys.len() + 1) > self.slots.len() {
            let size = (4 * (keys.len() + 1)).next_power_of_two().max(1024);
            self.slots = vec![Self::FREE; size];
            for (i, &k) in keys.iter().enumerate() {
                let at = self.probe(k, keys);
                self.slots[at] = i as u32;
            }
        }
        let at = self.probe(key, keys);
        if self.slots[at] == Self::FREE {
            self.slots[at] = keys.len() as u32;
        }
        self.slots[at]
    }

    fn probe(&self, key: (u32, u64), keys: &[(u32, u64)]) -> usize {
        let mixed = (key.1 ^ u64::from(key.0).rotate_left(40)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mask = self.slots.len() - 1;
        let mut at = (mixed >> 32) as usize & mask;
        while self.slots[at] != Self::FREE && keys[self.slots[at] as usize] != key {
            at = (at + 1) & mask;
        }
        at
    }
}

/// `exp(i phase)` of phases already met: a reader reports some thousand different ones.
struct PhasorTable {
    turns: f64,
    known: Vec<(u32, Complex64)>,
}

impl PhasorTable {
    const SIZE: usize = 4096;

    fn new(turns: f64) -> Self {
        Self { turns, known: vec![(f32::NAN.to_bits(), Complex64::ZERO); Self::SIZE] }
    }

    fn at(&mut self, phase: f32) -> Complex64 {
        let bits = phase.to_bits();
        let slot = &mut self.known[(bits.wrapping_mul(0x9E37_79B1) >> 20) as usize & (Self::SIZE - 1)];
        if slot.0 != bits {
            *slot = (bits, Complex64::cis(self.turns * f64::from(phase)));
        }
        slot.1
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
