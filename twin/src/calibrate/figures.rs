//! What passes at known places look like, in figures that a few books at wrong places do not move.

use std::collections::BTreeMap;

use super::profiles::{FEWEST_SPOTS, KnownTag, Profile, Profiles};
use crate::rail::figures::{median, quantile};

/// Neighbours are told apart by distance, upper ends, m.
const NEIGHBOURS_M: [f64; 4] = [0.025, 0.05, 0.075, 0.11];
/// A tag of another row or shelf counts as above or below up to so far along and up, m.
const STACKED_M: [f64; 2] = [0.07, 0.45];
/// Lags of the autocorrelations, m.
const LAGS_M: [f64; 3] = [0.04, 0.08, 0.12];
/// Share of the values left out at each end of a mean.
const TRIMMED: f64 = 0.1;

/// How the values of many tags become one figure.
#[derive(Clone, Copy)]
enum By {
    Median,
    Quantile(f64),
    Mean,
}

/// Collects values over passes, then gives the figures.
pub(super) struct Figures {
    names: Vec<(String, By)>,
    values: Vec<Vec<f64>>,
    references: usize,
    level: Level,
}

/// What powers are told against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// The milliwatt: the simulated reader has a link budget. How often a tag is read hangs on all tags in view, which are not
    /// all simulated, and does not count.
    Absolute,
    /// The loudest spot of the pass; the reader asks for every tag at every place.
    Loudest,
}

/// Passes of the same shelves by radios that are fixed once and for all: how alike a pass is to each of them says more of
/// the coupling than any figure of the pass alone.
pub(super) struct Reference {
    pub(super) name: String,
    /// It differs from others only where tags are above each other.
    pub(super) stacked: bool,
    /// One a pass.
    pub(super) passes: Vec<BTreeMap<(usize, u8), Shape>>,
}

/// A profile's course without its level and, of the power, without the law of distance.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    cells: Vec<i64>,
    phase: Vec<f64>,
    power: Vec<f64>,
    /// Power over the law of distance: what a dB of free space is shown as, with the beam in it.
    law: f64,
    /// Power at the nearest place by that law, dBm.
    level: f64,
    bearing: Vec<f64>,
}

const OWN: [(&str, By); 19] = [
    ("residual rad", By::Median),
    ("residual rad, lower quartile", By::Quantile(0.25)),
    ("residual rad, upper quartile", By::Quantile(0.75)),
    ("slope of the residual", By::Median),
    ("bow of the residual", By::Median),
    ("bow of the residual, with its sign", By::Mean),
    ("residual without slope and bow, rad", By::Median),
    ("law of power", By::Median),
    ("ripple of power dB", By::Median),
    ("ripple of power dB, upper quartile", By::Quantile(0.75)),
    ("slope of power", By::Median),
    ("power at the nearest place dB", By::Median),
    ("power of single tags apart dB", By::Median),
    ("share of places read", By::Mean),
    ("weakest place dB", By::Quantile(0.1)),
    ("residual with power", By::Mean),
    ("turn of the residual with power", By::Mean),
    ("residual with that of the next antenna", By::Mean),
    ("power with that of the next antenna", By::Mean),
];

impl Figures {
    pub(super) fn new(references: &[Reference], level: Level) -> Self {
        let mut names: Vec<(String, By)> = OWN.iter().map(|(n, by)| ((*n).to_owned(), *by)).collect();
        for lag in LAGS_M {
            names.push((format!("residual after {:.0} cm", 100.0 * lag), By::Median));
        }
        for lag in LAGS_M {
            names.push((format!("power after {:.0} cm", 100.0 * lag), By::Median));
        }
        for what in ["residual", "power"] {
            for far in NEIGHBOURS_M {
                names.push((format!("{what} of neighbours up to {:.1} cm", 100.0 * far), By::Mean));
            }
            names.push((format!("{what} of tags above and below"), By::Mean));
        }
        for reference in references {
            for what in ["residual", "size of the residual", "power", "size of the power"] {
                names.push((format!("{what} as with {}", reference.name), By::Mean));
            }
        }
        let values = vec![Vec::new(); names.len()];
        Self { names, values, references: references.len(), level }
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.names.iter().map(|n| n.0.clone()).collect()
    }

    /// Adds the pass of that number.
    pub(super) fn add(
        &mut self,
        pass: usize,
        profiles: &Profiles,
        known: &[KnownTag],
        references: &[Reference],
    ) {
        let shapes = shapes(profiles);
        let mut antennas: Vec<u8> = profiles.all.iter().map(|p| p.antenna).collect();
        antennas.sort_unstable();
        antennas.dedup();
        let places = profiles.passed as f64 / antennas.len().max(1) as f64;
        let zero = match self.level {
            Level::Absolute => 0.0,
            Level::Loudest => {
                profiles.all.iter().flat_map(|p| &p.spots).map(|s| s.dbm).fold(f64::NEG_INFINITY, f64::max)
            }
        };
        for p in &profiles.all {
            let Some(shape) = shapes.get(&(p.known, p.antenna)) else { continue };
            self.own(shape, p, profiles.step_m);
            self.values[11].push(shape.level - zero);
            if self.level == Level::Loudest {
                self.values[13].push(p.read as f64 / places.max(1.0));
            }
            if let Some(next) = shapes.get(&(p.known, p.antenna.wrapping_add(1))) {
                self.values[17].extend(alike(shape, next, |s| &s.phase).map(|a| a.0));
                self.values[18].extend(alike(shape, next, |s| &s.power).map(|a| a.0));
            }
        }
        let levels: Vec<f64> = shapes.values().map(|s| s.level).collect();
        if let Some(middle) = median(&levels) {
            self.values[12].extend(levels.iter().map(|l| (l - middle).abs()));
        }
        let stacked = self.neighbours(&shapes, known, &profiles.places_m);
        self.likeness(pass, &shapes, &stacked, references);
    }

    fn own(&mut self, s: &Shape, p: &Profile, step_m: f64) {
        let rms = |v: &[f64]| (v.iter().map(|x| x * x).sum::<f64>() / v.len() as f64).sqrt();
        let [slope, bow] = bend(&s.bearing, &s.phase);
        let smooth: Vec<f64> = without(&s.bearing, &s.phase, [slope, bow]);
        let [power_slope, _] = bend(&s.bearing, &s.power);
        let size = rms(&s.phase);
        let turns: Vec<f64> = s.phase.windows(2).map(|w| w[1] - w[0]).collect();
        let between: Vec<f64> = s.power.windows(2).map(|w| 0.5 * (w[0] + w[1])).collect();
        let ripple = rms(&s.power);
        for (i, v) in [
            (0, size),
            (1, size),
            (2, size),
            (3, slope.abs()),
            (4, bow.abs()),
            (5, bow),
            (6, rms(&smooth)),
            (7, s.law),
            (8, ripple),
            (9, ripple),
            (10, power_slope.abs()),
            (14, p.weakest_db),
        ] {
            self.values[i].push(v);
        }
        self.values[15].extend(correlation(&s.phase, &s.power).map(|c| c.0));
        self.values[16].extend(correlation(&turns, &between).map(|c| c.0));
        let first = OWN.len();
        for (i, lag) in LAGS_M.iter().enumerate() {
            let cells = (lag / step_m).round() as i64;
            self.values[first + i].extend(after(s, &s.phase, cells));
            self.values[first + LAGS_M.len() + i].extend(after(s, &s.power, cells));
        }
    }

    /// Likeness of neighbours; gives which tags have one above or below.
    fn neighbours(
        &mut self,
        shapes: &BTreeMap<(usize, u8), Shape>,
        known: &[KnownTag],
        places: &[[f64; 3]],
    ) -> Vec<bool> {
        let first = OWN.len() + 2 * LAGS_M.len();
        let bins = NEIGHBOURS_M.len() + 1;
        let mut stacked = vec![false; known.len()];
        let mut order: Vec<usize> = (0..known.len()).collect();
        order.sort_by(|&a, &b| places[a][0].total_cmp(&places[b][0]));
        let mut of_tag: Vec<Vec<(u8, &Shape)>> = vec![Vec::new(); known.len()];
        shapes.iter().for_each(|((tag, antenna), s)| of_tag[*tag].push((*antenna, s)));
        for (i, &a) in order.iter().enumerate() {
            for &b in &order[i + 1..] {
                let far = places[b][0] - places[a][0];
                if far > NEIGHBOURS_M[NEIGHBOURS_M.len() - 1] {
                    break;
                }
                let up = (places[a][2] - places[b][2]).abs();
                let bin = if known[a].group == known[b].group {
                    NEIGHBOURS_M.iter().position(|m| far <= *m)
                } else if far <= STACKED_M[0] && (0.04..=STACKED_M[1]).contains(&up) {
                    (stacked[a], stacked[b]) = (true, true);
                    Some(bins - 1)
                } else {
                    None
                };
                let Some(bin) = bin else { continue };
                for (antenna, left) in &of_tag[a] {
                    let Some((_, right)) = of_tag[b].iter().find(|(n, _)| n == antenna) else { continue };
                    self.values[first + bin].extend(alike(left, right, |s| &s.phase).map(|c| c.0));
                    self.values[first + bins + bin].extend(alike(left, right, |s| &s.power).map(|c| c.0));
                }
            }
        }
        stacked
    }

    fn likeness(
        &mut self,
        pass: usize,
        shapes: &BTreeMap<(usize, u8), Shape>,
        stacked: &[bool],
        references: &[Reference],
    ) {
        let first = self.values.len() - 4 * self.references;
        for (r, reference) in references.iter().enumerate() {
            let Some(theirs) = reference.passes.get(pass) else { continue };
            for (key, shape) in shapes {
                if reference.stacked && !stacked[key.0] {
                    continue;
                }
                let Some(other) = theirs.get(key) else { continue };
                let at = first + 4 * r;
                if let Some((likeness, size)) = alike(shape, other, |s| &s.phase) {
                    self.values[at].push(likeness);
                    self.values[at + 1].push(size);
                }
                if let Some((likeness, size)) = alike(shape, other, |s| &s.power) {
                    self.values[at + 2].push(likeness);
                    self.values[at + 3].push(size);
                }
            }
        }
    }

    /// The figures; NaN where nothing was seen of one.
    pub(super) fn give(&self) -> Vec<f64> {
        let of = |((_, by), values): (&(String, By), &Vec<f64>)| match by {
            By::Median => median(values),
            By::Quantile(share) => quantile(values, *share),
            By::Mean => trimmed(values),
        };
        self.names.iter().zip(&self.values).map(|n| of(n).unwrap_or(f64::NAN)).collect()
    }
}

/// The shapes of profiles by tag and antenna.
pub(super) fn shapes(profiles: &Profiles) -> BTreeMap<(usize, u8), Shape> {
    profiles.all.iter().map(|p| ((p.known, p.antenna), shape(p))).collect()
}

fn shape(p: &Profile) -> Shape {
    let nearest = p.spots.iter().map(|s| s.range_m).fold(f64::INFINITY, f64::min);
    // Two ways at 20 dB a decade of distance.
    let free: Vec<f64> = p.spots.iter().map(|s| -40.0 * libm::log10(s.range_m / nearest)).collect();
    let n = p.spots.len() as f64;
    let (mean_free, mean_dbm) =
        (free.iter().sum::<f64>() / n, p.spots.iter().map(|s| s.dbm).sum::<f64>() / n);
    let (mut up, mut down) = (0.0, 1e-9);
    for (f, s) in free.iter().zip(&p.spots) {
        up += (f - mean_free) * (s.dbm - mean_dbm);
        down += (f - mean_free).powi(2);
    }
    let law = up / down;
    let level = mean_dbm - law * mean_free;
    Shape {
        cells: p.spots.iter().map(|s| s.cell).collect(),
        phase: p.spots.iter().map(|s| s.residual).collect(),
        power: p.spots.iter().zip(&free).map(|(s, f)| s.dbm - level - law * f).collect(),
        law,
        level,
        bearing: p.spots.iter().map(|s| s.off_m / s.range_m).collect(),
    }
}

/// Coefficients of the bearing and of its square, less their means.
fn bend(bearing: &[f64], values: &[f64]) -> [f64; 2] {
    let [a, b] = bases(bearing);
    let dot = super::linear::dot;
    let (aa, ab, bb) = (dot(&a, &a), dot(&a, &b), dot(&b, &b));
    let (av, bv) = (dot(&a, values), dot(&b, values));
    let whole = aa * bb - ab * ab;
    if whole <= 1e-12 {
        return [0.0; 2];
    }
    [(av * bb - bv * ab) / whole, (bv * aa - av * ab) / whole]
}

fn without(bearing: &[f64], values: &[f64], [slope, bow]: [f64; 2]) -> Vec<f64> {
    let [a, b] = bases(bearing);
    values.iter().zip(a.iter().zip(b)).map(|(v, (a, b))| v - slope * a - bow * b).collect()
}

fn bases(bearing: &[f64]) -> [Vec<f64>; 2] {
    let centred = |v: Vec<f64>| {
        let mean = v.iter().sum::<f64>() / v.len().max(1) as f64;
        v.into_iter().map(|x| x - mean).collect::<Vec<f64>>()
    };
    [centred(bearing.to_vec()), centred(bearing.iter().map(|b| b * b).collect())]
}

/// Correlation of two courses at the same places, and how large the first is by the second.
fn alike(a: &Shape, b: &Shape, of: fn(&Shape) -> &Vec<f64>) -> Option<(f64, f64)> {
    let (mut left, mut right) = (Vec::with_capacity(a.cells.len()), Vec::with_capacity(a.cells.len()));
    let mut j = 0;
    for (i, cell) in a.cells.iter().enumerate() {
        while j < b.cells.len() && b.cells[j] < *cell {
            j += 1;
        }
        if b.cells.get(j) == Some(cell) {
            left.push(of(a)[i]);
            right.push(of(b)[j]);
        }
    }
    correlation(&left, &right)
}

fn correlation(a: &[f64], b: &[f64]) -> Option<(f64, f64)> {
    if a.len() < FEWEST_SPOTS - 1 {
        return None;
    }
    let n = a.len() as f64;
    let (ma, mb) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        ab += (x - ma) * (y - mb);
        aa += (x - ma).powi(2);
        bb += (y - mb).powi(2);
    }
    (aa > 0.0 && bb > 0.0).then(|| (ab / (aa * bb).sqrt(), ab / bb))
}

/// Autocorrelation after so many stretches.
fn after(s: &Shape, values: &[f64], lag: i64) -> Option<f64> {
    let whole = values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64;
    let at = |cell: i64| s.cells.binary_search(&cell).ok().map(|i| values[i]);
    let pairs: Vec<f64> = s.cells.iter().zip(values).filter_map(|(c, v)| Some(v * at(c + lag)?)).collect();
    (pairs.len() >= 4 && whole > 0.0).then(|| pairs.iter().sum::<f64>() / pairs.len() as f64 / whole)
}

fn trimmed(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let cut = (sorted.len() as f64 * TRIMMED) as usize;
    let kept = sorted.get(cut..sorted.len() - cut).filter(|k| !k.is_empty())?;
    Some(kept.iter().sum::<f64>() / kept.len() as f64)
}
