//! Rows of a reads table, whatever file they come from, sorted into scans and checked.

use std::collections::{BTreeMap, HashMap};
use std::f32::consts::TAU;

use crate::reads::{Read, ReadProblem, Scan};
use crate::table_error::At;
use crate::uid::{Uid, UidError};

/// Reads that were left out, by reason: how many, and where the first one stood.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct ReadProblems {
    /// All of them.
    pub total: u64,
    /// Reason → (count, line of a CSV or row of a Parquet file where the first stood, from 1).
    pub by_reason: BTreeMap<ReadProblem, (u64, u64)>,
}

impl ReadProblems {
    fn add(&mut self, problem: ReadProblem, at: At) {
        let (At::Line(first) | At::Row(first)) = at;
        self.total += 1;
        self.by_reason.entry(problem).or_insert((0, first)).0 += 1;
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
    /// Scan → its place among all scans of the file.
    scan_index: HashMap<String, usize>,
    /// By scan still held: EPC as written → tag.
    tag_index: Vec<HashMap<String, u32>>,
    /// Scans given away before those held.
    given: usize,
    /// Place among the scans held.
    current: usize,
    /// The first scan that came back after another one, and where.
    scattered: Option<(String, At)>,
}

impl Sorter {
    /// Takes the row that stands at `at` in its file; a malformed EPC comes back as an error.
    pub fn push(&mut self, at: At, r: &Row<'_>) -> Result<(), UidError> {
        let Some(scan) = self.scan(r.scan, at) else { return Ok(()) };
        let tag = self.tag(scan, r.epc)?;
        let mut read = Read {
            stamp_ns: r.stamp_ns,
            tag,
            antenna: r.antenna,
            frequency_hz: r.frequency_hz,
            rssi_dbm: r.rssi_dbm,
            phase_rad: r.phase_rad,
            antenna_m: r.antenna_m,
        };
        match read.problem() {
            Some(problem) => self.loaded.problems.add(problem, at),
            None => {
                if read.phase_rad >= TAU {
                    read.phase_rad -= TAU;
                }
                self.loaded.scans[scan].reads.push(read);
            }
        }
        Ok(())
    }

    fn tag(&mut self, scan: usize, epc: &str) -> Result<u32, UidError> {
        if let Some(&tag) = self.tag_index[scan].get(epc) {
            return Ok(tag);
        }
        let uid: Uid = epc.parse()?;
        let tags = &mut self.loaded.scans[scan].tags;
        // The same EPC may be written in two cases.
        let tag = tags.iter().position(|t| *t == uid).unwrap_or_else(|| {
            tags.push(uid);
            tags.len() - 1
        }) as u32;
        self.tag_index[scan].insert(epc.to_owned(), tag);
        Ok(tag)
    }

    /// The place of a scan among those held; `None` when it was given away already.
    fn scan(&mut self, name: &str, at: At) -> Option<usize> {
        // Tables are mostly grouped by scan, so the last one is the best guess.
        if self.loaded.scans.get(self.current).is_some_and(|s| s.name == name) {
            return Some(self.current);
        }
        if let Some(&place) = self.scan_index.get(name) {
            self.scattered.get_or_insert_with(|| (name.to_owned(), at));
            self.current = place.checked_sub(self.given)?;
            return Some(self.current);
        }
        self.current = self.loaded.scans.len();
        self.loaded.scans.push(Scan { name: name.to_owned(), ..Scan::default() });
        self.tag_index.push(HashMap::new());
        self.scan_index.insert(name.to_owned(), self.given + self.current);
        Some(self.current)
    }

    /// The first scan whose reads do not stand together, and where it came back.
    pub fn scattered(&self) -> Option<(&str, At)> {
        self.scattered.as_ref().map(|(scan, at)| (scan.as_str(), *at))
    }

    pub fn problems(&self) -> &ReadProblems {
        &self.loaded.problems
    }

    /// Gives away all scans but the last, to which rows may still come.
    pub fn take_finished(&mut self) -> Vec<Scan> {
        self.take(self.loaded.scans.len().saturating_sub(1))
    }

    /// Gives away all scans.
    pub fn take_all(&mut self) -> Vec<Scan> {
        self.take(self.loaded.scans.len())
    }

    fn take(&mut self, n: usize) -> Vec<Scan> {
        self.given += n;
        self.tag_index.drain(..n);
        self.current = 0;
        self.loaded.scans.drain(..n).collect()
    }

    pub fn finish(self) -> LoadedReads {
        self.loaded
    }
}
