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
        Self::of_ports(scan, Vec::new(), cell_m, pi_ambiguous)
    }

    /// The same of a part of a pass on which at least these reader ports are in use.
    pub fn of_ports(scan: &Scan, ports: Vec<u8>, cell_m: f64, pi_ambiguous: bool) -> Self {
        let unread = TagReads { rssi_max: f32::NAN, ..TagReads::default() };
        let mut out = Self { tags: vec![unread; scan.tags.len()], antennas: ports, ..Self::default() };
        let keys = out.fill(scan, cell_m, pi_ambiguous);
        out.sort(keys);
        out
    }

    /// The cells of one tag.
    pub fn of(&self, tag: usize) -> &[Cell] {
        &self.cells[self.tags[tag].first..self.tags[tag].end]
    }

    /// One pass over the reads, which is what a big scan takes its time for: each goes to its cell. The reads of a tag come in
    /// runs from one place, so its last cell is looked at before the table of all. Gives tag and key of each cell; antennas
    /// and carriers are numbered as they are met.
    fn fill(&mut self, scan: &Scan, cell_m: f64, pi_ambiguous: bool) -> Vec<(u32, u64)> {
        let turns = if pi_ambiguous { 2.0 } else { 1.0 };
        let per_m = 1.0 / cell_m;
        let mut index = CellIndex::default();
        let mut keys: Vec<(u32, u64)> = Vec::new();
        let mut last_cell = vec![(u64::MAX, 0u32); scan.tags.len()];
        let mut previous = i64::MIN;
        let mut last_seen = vec![[seen(i64::MIN, 0); 4]; scan.tags.len()];
        let mut carrier_memo = (f64::NAN, None);
        let mut antenna_memo = (0u8, None);
        let mut turned = PhasorTable::new(turns);
        for r in &scan.reads {
            if carrier_memo.0 != r.frequency_hz {
                carrier_memo = (r.frequency_hz, self.carrier(r.frequency_hz));
            }
            let antenna = match antenna_memo {
                (port, Some(antenna)) if port == r.antenna => antenna,
                _ => {
                    let antenna = number_of(r.antenna, &mut self.antennas);
                    antenna_memo = (r.antenna, Some(antenna));
                    antenna
                }
            };
            let p = &mut self.problems;
            let Some(last_seen) = last_seen.get_mut(r.tag as usize) else {
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
                let now = seen(t, r.antenna);
                if last_seen.contains(&now) {
                    p.duplicate += 1;
                    continue;
                }
                last_seen.rotate_right(1);
                last_seen[0] = now;
                late = t < previous;
                previous = t;
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
            let cell = |v: f32, bits: u32| nearest(f64::from(v) * per_m) & ((1 << bits) - 1);
            let key = (antenna as u64) << ANTENNA_BIT
                | carrier_memo.1.map_or(NO_CARRIER, |c| c as u64) << CARRIER_BIT
                | cell(r.antenna_m[0], 30) << 18
                | cell(r.antenna_m[1], 10) << 8
                | cell(r.antenna_m[2], 8);
            let last = &mut last_cell[r.tag as usize];
            if last.0 != key {
                let found = index.find((r.tag, key), &keys);
                if found as usize == keys.len() {
                    keys.push((r.tag, key));
                    self.cells.push(Cell::default());
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
        keys
    }

    /// Number of a carrier, a new one's too; `None` for one out of range or past the [`MOST_CARRIERS`].
    fn carrier(&mut self, hz: f64) -> Option<usize> {
        let known = self.carriers.iter().position(|c| *c == hz);
        if known.is_none() && self.carriers.len() < MOST_CARRIERS && (0.3e9..=6e9).contains(&hz) {
            self.carriers.push(hz);
            return Some(self.carriers.len() - 1);
        }
        known
    }

    /// Numbers antennas and carriers upwards and brings the cells into the order of tag, antenna, carrier and place.
    fn sort(&mut self, mut keys: Vec<(u32, u64)>) {
        let antennas = ascending(&mut self.antennas, u8::cmp);
        let carriers = ascending(&mut self.carriers, f64::total_cmp);
        for ((_, key), cell) in keys.iter_mut().zip(&mut self.cells) {
            let antenna = antennas[(*key >> ANTENNA_BIT) as usize];
            let carrier = match *key >> CARRIER_BIT & 0xFF {
                NO_CARRIER => None,
                c => Some(carriers[c as usize]),
            };
            (cell.antenna, cell.carrier) = (antenna as u16, carrier.unwrap_or(0) as u16);
            *key = (antenna as u64) << ANTENNA_BIT
                | carrier.map_or(NO_CARRIER, |c| c as u64) << CARRIER_BIT
                | *key & ((1 << CARRIER_BIT) - 1);
        }
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

/// Stamp and reader port in one number: alike only for stamps that lie years apart.
fn seen(stamp_ns: i64, port: u8) -> u64 {
    stamp_ns as u64 ^ u64::from(port) << 56
}

/// Lowest 51 bits of the nearest whole number, as two's complement: it is what stands at the end of the sum. For numbers far
/// below 2⁵¹.
fn nearest(v: f64) -> u64 {
    const ROUND: f64 = 6_755_399_441_055_744.0;
    (v + ROUND).to_bits()
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

/// Where a cell's key has its antenna and its carrier, and what it has for a carrier that is none.
const ANTENNA_BIT: u32 = 56;
const CARRIER_BIT: u32 = 48;
const NO_CARRIER: u64 = 0xFF;
/// No band has more channels; a source with more of them is broken.
const MOST_CARRIERS: usize = 250;

/// Place of a value in a list, to whose end it goes when it is new.
fn number_of<T: PartialEq>(value: T, known: &mut Vec<T>) -> usize {
    known.iter().position(|k| *k == value).unwrap_or_else(|| {
        known.push(value);
        known.len() - 1
    })
}

/// Sorts a list; gives where each value went.
fn ascending<T: Copy>(values: &mut [T], order: impl Fn(&T, &T) -> std::cmp::Ordering) -> Vec<usize> {
    let mut from: Vec<usize> = (0..values.len()).collect();
    from.sort_by(|&a, &b| order(&values[a], &values[b]));
    let sorted: Vec<T> = from.iter().map(|&i| values[i]).collect();
    values.copy_from_slice(&sorted);
    let mut to = vec![0; from.len()];
    for (now, &was) in from.iter().enumerate() {
        to[was] = now;
    }
    to
}
