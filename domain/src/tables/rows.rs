//! Rows of a reads table, whatever file they come from, sorted into scans and checked.

use std::collections::{BTreeMap, HashMap};

use crate::reads::{Read, Scan};
use crate::uid::{Uid, UidError};

/// Why a read was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadProblem {
    /// Carrier zero, negative, NaN or infinite.
    Carrier,
    /// Phase given and not in [0, 2π).
    Phase,
    /// RSSI infinite.
    Rssi,
    /// Antenna position NaN or infinite.
    Position,
    /// Antenna port 0.
    Antenna,
}

impl ReadProblem {
    /// What is wrong, and what is allowed.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Carrier => "frequency_hz is not a positive number",
            Self::Phase => "phase_rad is not in [0, 2π) and not NaN",
            Self::Rssi => "rssi_dbm is infinite",
            Self::Position => "x_m, y_m or z_m is not a finite number",
            Self::Antenna => "antenna is 0, ports count from 1",
        }
    }
}

/// Reads that were left out, by reason: how many, and where the first one stood.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct ReadProblems {
    /// All of them.
    pub total: u64,
    /// Reason → (count, row or line of the first).
    pub by_reason: BTreeMap<ReadProblem, (u64, u64)>,
}

impl ReadProblems {
    fn add(&mut self, problem: ReadProblem, row: u64) {
        self.total += 1;
        self.by_reason.entry(problem).or_insert((0, row)).0 += 1;
    }
}

/// What a reads table held.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadedReads {
    /// Scans in the order of their first read.
    pub scans: Vec<Scan>,
    /// What was left out.
    pub problems: ReadProblems,
}

/// One row, its numbers parsed.
pub(super) struct Row<'a> {
    pub scan: &'a str,
    pub epc: &'a str,
    pub stamp_ns: Option<i64>,
    pub antenna: u8,
    pub frequency_hz: f64,
    pub rssi_dbm: f32,
    pub phase_rad: f32,
    pub antenna_m: [f32; 3],
}

/// Sorts rows into scans. Hashes are for look-up alone; the order is that of first appearance.
#[derive(Default)]
pub(super) struct Sorter {
    loaded: LoadedReads,
    scan_index: HashMap<String, usize>,
    tag_index: Vec<HashMap<String, u32>>,
    current: usize,
}

/// Rounding of 32-bit phases and of text with few digits: 2π written as 6.284.
const PHASE_ROUNDING: f32 = 1e-3;

impl Sorter {
    /// Takes the row that stands at `row` in its file; a malformed EPC comes back as an error.
    pub fn push(&mut self, row: u64, r: &Row<'_>) -> Result<(), UidError> {
        let scan = self.scan(r.scan);
        let tag = match self.tag_index[scan].get(r.epc) {
            Some(&tag) => tag,
            None => {
                let uid: Uid = r.epc.parse()?;
                let tags = &mut self.loaded.scans[scan].tags;
                // The same EPC may be written in two cases.
                let tag = tags.iter().position(|t| *t == uid).unwrap_or_else(|| {
                    tags.push(uid);
                    tags.len() - 1
                }) as u32;
                self.tag_index[scan].insert(r.epc.to_owned(), tag);
                tag
            }
        };
        let turn = std::f32::consts::TAU;
        let problem = if !(r.frequency_hz.is_finite() && r.frequency_hz > 0.0) {
            Some(ReadProblem::Carrier)
        } else if !r.phase_rad.is_nan() && !(0.0..turn + PHASE_ROUNDING).contains(&r.phase_rad) {
            Some(ReadProblem::Phase)
        } else if r.rssi_dbm.is_infinite() {
            Some(ReadProblem::Rssi)
        } else if !r.antenna_m.iter().all(|v| v.is_finite()) {
            Some(ReadProblem::Position)
        } else if r.antenna == 0 {
            Some(ReadProblem::Antenna)
        } else {
            None
        };
        if let Some(problem) = problem {
            self.loaded.problems.add(problem, row);
            return Ok(());
        }
        self.loaded.scans[scan].reads.push(Read {
            stamp_ns: r.stamp_ns,
            tag,
            antenna: r.antenna,
            frequency_hz: r.frequency_hz,
            rssi_dbm: r.rssi_dbm,
            phase_rad: if r.phase_rad >= turn { r.phase_rad - turn } else { r.phase_rad },
            antenna_m: r.antenna_m,
        });
        Ok(())
    }

    fn scan(&mut self, name: &str) -> usize {
        // Tables are mostly grouped by scan, so the last one is the best guess.
        if self.loaded.scans.get(self.current).is_some_and(|s| s.name == name) {
            return self.current;
        }
        self.current = match self.scan_index.get(name) {
            Some(&index) => index,
            None => {
                self.loaded.scans.push(Scan { name: name.to_owned(), ..Scan::default() });
                self.tag_index.push(HashMap::new());
                self.scan_index.insert(name.to_owned(), self.loaded.scans.len() - 1);
                self.loaded.scans.len() - 1
            }
        };
        self.current
    }

    pub fn finish(self) -> LoadedReads {
        self.loaded
    }
}
