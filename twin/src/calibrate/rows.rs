//! Rows of tags at known places beside a track: the numbers of [`RadioPrior`].

use std::collections::BTreeMap;

use domain::Scan;
use domain::tables::TruthRow;
use rand::RngExt;
use rand_distr::StandardNormal;

use super::figures::{Figures, Level, Reference, shapes};
use super::narrow::{Draw, Narrowed};
use super::profiles::{KnownTag, profiles};
use super::{FEWEST_TAGS, Parameter, Study, StudyError};
use crate::radio::{Lesson, RadioError, RadioPrior, RowLayout, RowSchool};
use crate::rng::stream;

/// Stretch of the track that counts as one place of the antenna, m.
const STEP_M: f64 = 0.02;
/// Standard deviation of a tag's place against what the table says, m.
const PLACE_STD_M: f64 = 0.002;
/// A length of dipole with less of the kept draws' weight than this, over an even share, is left out.
const DIPOLE_SHARE: f64 = 0.4;

/// One pass along rows whose tags' places are known.
#[derive(Debug, Clone)]
pub struct KnownRow {
    scan: Scan,
    known: Vec<KnownTag>,
    layout: RowLayout,
}

impl KnownRow {
    /// Joins a scan with its true places; `rows_apart_m` is from one row to the next. Of several carriers the one with most reads
    /// counts. `None` where the table has no place for some tag of the scan, or the scan no reads.
    pub fn new(scan: &Scan, truth: &[TruthRow], rows_apart_m: f64) -> Option<Self> {
        let of_tag: BTreeMap<_, _> =
            truth.iter().filter(|t| t.scan == scan.name).map(|t| (&t.epc, t)).collect();
        let own: Vec<&TruthRow> = scan.tags.iter().map(|t| of_tag.get(t).copied()).collect::<Option<_>>()?;
        let mut rows: Vec<i32> = own.iter().map(|t| t.row).collect();
        rows.sort_unstable();
        rows.dedup();
        let beside: Vec<i32> = rows.iter().copied().filter(|r| *r != 0).collect();
        // Row 0 is the middle one; the first of the others hangs above it, the second below, and so on outwards.
        let height = |row: i32| match beside.iter().position(|b| *b == row) {
            Some(n) => rows_apart_m * (n / 2 + 1) as f64 * if n % 2 == 0 { 1.0 } else { -1.0 },
            None => 0.0,
        };
        let known: Vec<KnownTag> = own
            .iter()
            .zip(0..)
            .map(|(t, tag)| KnownTag {
                tag,
                place_m: [t.x_m, t.range_m, height(t.row)],
                group: rows.binary_search(&t.row).unwrap_or(0),
            })
            .collect();
        Self::at(one_carrier(scan)?, known)
    }

    /// A simulated pass along a layout, with the layout's places.
    pub fn of_lesson(lesson: &Lesson, layout: &RowLayout) -> Option<Self> {
        let known = lesson
            .truth
            .iter()
            .zip(0..)
            .map(|(t, tag)| {
                let there = |(p, r): &&([f64; 3], i32)| p[0] == t.x_m && p[2] == t.z_m && *r == t.row;
                let (place_m, row) = layout.tags.iter().find(there)?;
                Some(KnownTag { tag, place_m: *place_m, group: usize::try_from(*row).unwrap_or(0) })
            })
            .collect::<Option<_>>()?;
        Self::at(one_carrier(&lesson.scan)?, known)
    }

    fn at(scan: Scan, known: Vec<KnownTag>) -> Option<Self> {
        let mut cells: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
        for r in &scan.reads {
            let x = f64::from(r.antenna_m[0]);
            let (sum, n) = cells.entry((x / STEP_M).round() as i64).or_default();
            (*sum, *n) = (*sum + x, *n + 1.0);
        }
        let stops: Vec<f64> = cells.values().map(|(sum, n)| sum / n).collect();
        let tags = known.iter().map(|k| (k.place_m, k.group as i32)).collect();
        (!stops.is_empty()).then_some(Self { scan, known, layout: RowLayout { tags, stops } })
    }

    /// Its scan's name.
    pub fn name(&self) -> &str {
        &self.scan.name
    }

    /// Its tags.
    pub fn tags(&self) -> usize {
        self.known.len()
    }
}

/// The reads of the carrier with most of them, the antenna's track as the origin of range and height.
fn one_carrier(scan: &Scan) -> Option<Scan> {
    let mut reads: BTreeMap<i64, usize> = BTreeMap::new();
    for r in scan.reads.iter().filter(|r| r.problem().is_none()) {
        *reads.entry((r.frequency_hz * 1e-3).round() as i64).or_default() += 1;
    }
    let khz = reads.iter().max_by_key(|(khz, n)| (**n, -**khz))?.0;
    let mut one = Scan { name: scan.name.clone(), tags: scan.tags.clone(), reads: Vec::new() };
    for r in scan.reads.iter().filter(|r| r.problem().is_none()) {
        if (r.frequency_hz * 1e-3).round() as i64 == *khz {
            let mut read = *r;
            read.antenna_m = [r.antenna_m[0], 0.0, 0.0];
            one.reads.push(read);
        }
    }
    Some(one)
}

/// Known rows, to be passed again with any radio.
pub struct RowStudy {
    prior: RadioPrior,
    school: RowSchool,
    rows: Vec<KnownRow>,
    parameters: Vec<Parameter>,
    references: Vec<Reference>,
    names: Vec<String>,
    measured: Vec<f64>,
    /// Carriers that the passes were read on, Hz.
    carriers_hz: Vec<f64>,
}

impl RowStudy {
    /// Makes ready to pass rows again with radios of a prior.
    ///
    /// # Errors
    /// Too few tags.
    pub fn new(prior: RadioPrior, rows: Vec<KnownRow>) -> Result<Self, StudyError> {
        let mut carriers_hz: Vec<f64> =
            rows.iter().filter_map(|r| r.scan.reads.first()).map(|r| r.frequency_hz).collect();
        carriers_hz.sort_by(f64::total_cmp);
        carriers_hz.dedup();
        let school = RowSchool::new(prior.clone());
        let mut study = Self {
            parameters: parameters(&prior),
            school,
            references: Vec::new(),
            names: Vec::new(),
            measured: Vec::new(),
            carriers_hz,
            prior,
            rows,
        };
        study.references = study.make_references();
        study.names = Figures::new(&study.references, Level::Loudest).names();
        let read: usize = study.rows.iter().map(|r| profiles(&r.scan, &r.known, STEP_M).all.len()).sum();
        if read < FEWEST_TAGS {
            return Err(StudyError::TooFew { found: read, needed: FEWEST_TAGS });
        }
        let scans: Vec<&Scan> = study.rows.iter().map(|r| &r.scan).collect();
        study.measured = study.figures(&scans);
        Ok(study)
    }

    /// Tags at known places, over all passes.
    pub fn tags(&self) -> usize {
        self.rows.iter().map(|r| r.known.len()).sum()
    }

    /// The prior with the ranges found, for the carriers that were read on.
    pub fn narrowed(&self, found: &Narrowed, draws: &[Draw]) -> RadioPrior {
        let mut prior = self.prior.clone();
        for (f, p) in found.findings.iter().zip(&self.parameters) {
            if let Some(range) = range_of(&mut prior, p.key) {
                *range = f.range;
            }
        }
        let n = self.prior.dipole_m.len();
        let mut shares = vec![0.0; n];
        let last = self.parameters.len() - 1;
        for (draw, weight) in &found.nearest {
            shares[dipole(draws[*draw].shares[last], n)] += weight;
        }
        let even = shares.iter().sum::<f64>() / n.max(1) as f64;
        let kept = self.prior.dipole_m.iter().zip(&shares).filter(|(_, s)| **s >= DIPOLE_SHARE * even);
        prior.dipole_m = kept.map(|(l, _)| *l).collect();
        prior.carriers_hz = self.carriers_hz.clone();
        prior
    }

    /// The radio of a draw as a prior of one point.
    pub fn radio(&self, shares: &[f64]) -> RadioPrior {
        let mut prior = self.prior.clone();
        for (p, share) in self.parameters.iter().zip(shares) {
            if let Some(range) = range_of(&mut prior, p.key) {
                *range = [p.at(*share); 2];
            } else {
                let n = prior.dipole_m.len();
                prior.dipole_m = vec![prior.dipole_m[dipole(*share, n)]];
            }
        }
        prior
    }

    /// Figures of one scan a row.
    fn figures(&self, scans: &[&Scan]) -> Vec<f64> {
        let mut figures = Figures::new(&self.references, Level::Loudest);
        for (pass, (scan, row)) in scans.iter().zip(&self.rows).enumerate() {
            figures.add(pass, &profiles(scan, &row.known, STEP_M), &row.known, &self.references);
        }
        figures.give()
    }

    /// A known row passed with a radio; tags in the row's own order.
    fn pass(&self, row: usize, radio: &RadioPrior, layout: &RowLayout, seed: u64, number: u64) -> Scan {
        let mut radio = radio.clone();
        radio.carriers_hz =
            self.rows[row].scan.reads.first().map(|r| vec![r.frequency_hz]).unwrap_or_default();
        let lesson = self.school.pass(&radio, layout, seed, number);
        let mut scan = lesson.scan;
        let own: Vec<u32> = lesson
            .truth
            .iter()
            .map(|t| {
                let there = |(p, r): &([f64; 3], i32)| p[0] == t.x_m && p[2] == t.z_m && *r == t.row;
                layout.tags.iter().position(there).map_or(u32::MAX, |i| self.rows[row].known[i].tag)
            })
            .collect();
        scan.reads.iter_mut().for_each(|r| r.tag = own[r.tag as usize]);
        scan.tags.clone_from(&self.rows[row].scan.tags);
        scan
    }

    fn make_references(&self) -> Vec<Reference> {
        // Impedance, its angle, and the coupling across rows with its turn.
        let plain =
            [130.0, 260.0].into_iter().flat_map(|ohm| [-85.0, -40.0, 5.0].map(|deg| (ohm, deg, 0.7, 0.0)));
        let stacked = [(180.0, -40.0, 0.4, 0.0), (180.0, -40.0, 1.4, -30.0), (180.0, -40.0, 1.4, 30.0)];
        let length = self.prior.dipole_m[self.prior.dipole_m.len() / 2];
        plain
            .map(|r| (r, false))
            .chain(stacked.map(|r| (r, true)))
            .map(|((ohm, deg, factor, turn), stacked)| {
                let at = |v: f64| [v, v];
                let radio = RadioPrior {
                    impedance_ohm: at(ohm),
                    impedance_deg: at(deg),
                    impedance_spread: at(0.0),
                    dipole_m: vec![length],
                    coupling_turn: at(5.0),
                    stacked_coupling: at(factor),
                    stacked_coupling_deg: at(turn),
                    scatterers: 0,
                    scatter_gain: at(0.0),
                    beam_exponent: at(0.4),
                    rssi_slope: at(1.0),
                    read_range_db: at(80.0),
                    carriers_hz: vec![],
                };
                let passes = (0..self.rows.len())
                    .map(|row| {
                        let scan = self.pass(row, &radio, &self.rows[row].layout, 0, row as u64);
                        shapes(&profiles(&scan, &self.rows[row].known, STEP_M))
                    })
                    .collect();
                let name = if stacked {
                    format!("rows coupled by {factor} at {turn}°")
                } else {
                    format!("{ohm} Ω at {deg}°")
                };
                Reference { name, stacked, passes }
            })
            .collect()
    }
}

impl Study for RowStudy {
    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn measured(&self) -> &[f64] {
        &self.measured
    }

    fn draw(&self, seed: u64, number: u64) -> Result<Draw, RadioError> {
        let mut rng = stream(seed, &format!("calibrate/rows/{number}"));
        let shares: Vec<f64> = self.parameters.iter().map(|_| rng.random::<f64>()).collect();
        let radio = self.radio(&shares);
        let scans: Vec<Scan> = (0..self.rows.len())
            .map(|row| {
                let mut layout = self.rows[row].layout.clone();
                for (place, _) in &mut layout.tags {
                    place[0] += PLACE_STD_M * rng.sample::<f64, _>(StandardNormal);
                    place[1] += PLACE_STD_M * rng.sample::<f64, _>(StandardNormal);
                }
                self.pass(row, &radio, &layout, seed, number * self.rows.len() as u64 + row as u64)
            })
            .collect();
        Ok(Draw { shares, figures: self.figures(&scans.iter().collect::<Vec<_>>()) })
    }
}

/// Which of so many lengths a share stands for.
fn dipole(share: f64, lengths: usize) -> usize {
    ((share * lengths as f64) as usize).min(lengths.saturating_sub(1))
}

/// Key of the lengths of dipoles, of which some are kept.
const DIPOLE: &str = "dipole_m";

fn parameters(prior: &RadioPrior) -> Vec<Parameter> {
    let p = |key, range, by_log| Parameter { key, range, by_log };
    vec![
        p("impedance_ohm", prior.impedance_ohm, true),
        p("impedance_deg", prior.impedance_deg, false),
        p("impedance_spread", prior.impedance_spread, false),
        p("coupling_turn", prior.coupling_turn, false),
        p("stacked_coupling", prior.stacked_coupling, true),
        p("stacked_coupling_deg", prior.stacked_coupling_deg, false),
        p("scatter_gain", prior.scatter_gain, false),
        p("beam_exponent", prior.beam_exponent, false),
        p("rssi_slope", prior.rssi_slope, false),
        p("read_range_db", prior.read_range_db, false),
        p(DIPOLE, [0.0, prior.dipole_m.len() as f64], false),
    ]
}

fn range_of<'a>(prior: &'a mut RadioPrior, key: &str) -> Option<&'a mut [f64; 2]> {
    Some(match key {
        "impedance_ohm" => &mut prior.impedance_ohm,
        "impedance_deg" => &mut prior.impedance_deg,
        "impedance_spread" => &mut prior.impedance_spread,
        "coupling_turn" => &mut prior.coupling_turn,
        "stacked_coupling" => &mut prior.stacked_coupling,
        "stacked_coupling_deg" => &mut prior.stacked_coupling_deg,
        "scatter_gain" => &mut prior.scatter_gain,
        "beam_exponent" => &mut prior.beam_exponent,
        "rssi_slope" => &mut prior.rssi_slope,
        "read_range_db" => &mut prior.read_range_db,
        _ => return None,
    })
}
