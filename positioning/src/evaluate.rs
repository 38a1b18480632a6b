//! Located tags against a truth table: how far off, in which order, how many without an answer.
//!
//! Order is judged within a row. "Debiased" takes out a scan's median offset first: where the track's origin is known
//! to a centimetre only, a common offset is no fault of the fit.

use std::collections::BTreeMap;
use std::fmt;

use domain::{Scan, Sighting, Uid};
use serde::{Deserialize, Serialize};

use crate::bound::{Bound, bounds};
use crate::settings::LocateSettings;

/// One line of a truth table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrueTag {
    /// Name of the pass.
    pub scan: String,
    /// Tag identifier.
    pub uid: Uid,
    /// True place along the track, m.
    pub x_m: f64,
    /// Row of tags; order is judged within it.
    pub row: i32,
}

/// How one scan went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScanScore {
    /// Name of the pass.
    pub scan: String,
    /// Smallest spacing of neighbours in a row, cm, rounded; 0 with no two tags in a row.
    pub pitch_cm: u32,
    /// Rows of tags.
    pub rows: u32,
    /// Figures over its tags.
    pub score: Score,
    /// Signed error of each tag along x, m, in the truth's order; NaN for an unanswered tag.
    pub errors_m: Vec<f64>,
    /// The same over the stated standard deviation; NaN for an unanswered tag.
    pub errors_over_std: Vec<f64>,
}

/// Figures over a number of tags.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Tags in the truth.
    pub tags: u32,
    /// Of those, tags without a sighting.
    pub unanswered: u32,
    /// Mean, median and 95th percentile of |x error|, cm.
    pub error_cm: [f64; 3],
    /// The same with each scan's median offset taken out, cm.
    pub debiased_cm: [f64; 3],
    /// Adjacent pairs of the truth.
    pub pairs: u32,
    /// Of those, pairs located in the right order.
    pub pairs_right: u32,
    /// Tags at exactly their place in the order of their row.
    pub exact_rank: u32,
    /// RMS of debiased error over the stated standard deviation; 1 is honest, more is boasting.
    pub error_over_std: f64,
    /// Debiased errors within one and within two stated standard deviations, %: 68 and 95 are honest.
    pub within_std_percent: [f64; 2],
    /// Cramér–Rao bound, mean over the tags, cm: with thermal noise alone, and with the model's error as measured; `None`
    /// until [`add_bounds`].
    pub bound_cm: Option<[f64; 2]>,
}

impl Score {
    /// Adjacent pairs in order, %.
    pub fn pairs_percent(&self) -> f64 {
        percent(self.pairs_right, self.pairs)
    }

    /// Tags at their exact rank, %.
    pub fn rank_percent(&self) -> f64 {
        percent(self.exact_rank, self.tags)
    }
}

fn percent(part: u32, whole: u32) -> f64 {
    if whole == 0 { f64::NAN } else { 100.0 * f64::from(part) / f64::from(whole) }
}

/// Scores each scan that the truth names, in order of name.
pub fn evaluate(sightings: &[Sighting], truth: &[TrueTag]) -> Vec<ScanScore> {
    let mut found: BTreeMap<(&str, &Uid), &Sighting> = BTreeMap::new();
    for s in sightings {
        found.insert((&s.scan, &s.uid), s);
    }
    let mut scans: BTreeMap<&str, BTreeMap<i32, Vec<&TrueTag>>> = BTreeMap::new();
    for t in truth {
        scans.entry(&t.scan).or_default().entry(t.row).or_default().push(t);
    }
    scans.into_iter().map(|(scan, rows)| score_scan(scan, rows, &found)).collect()
}

fn score_scan(
    scan: &str,
    mut rows: BTreeMap<i32, Vec<&TrueTag>>,
    found: &BTreeMap<(&str, &Uid), &Sighting>,
) -> ScanScore {
    let mut score = Score::default();
    let (mut errors, mut over_std, mut pitch) = (Vec::new(), Vec::new(), f64::INFINITY);
    for row in rows.values_mut() {
        row.sort_by(|a, b| a.x_m.total_cmp(&b.x_m).then(a.uid.cmp(&b.uid)));
        let answers: Vec<Option<&&Sighting>> = row.iter().map(|t| found.get(&(scan, &t.uid))).collect();
        let x: Vec<f64> = answers.iter().map(|a| a.map_or(f64::NAN, |s| f64::from(s.along_m))).collect();
        for (i, (tag, answer)) in row.iter().zip(&answers).enumerate() {
            score.tags += 1;
            score.unanswered += u32::from(answer.is_none());
            errors.push(x[i] - tag.x_m);
            over_std.push(answer.map_or(f64::NAN, |s| (x[i] - tag.x_m) / f64::from(s.along_std_m)));
            let to_the_left = x.iter().filter(|&&v| v < x[i]).count();
            score.exact_rank += u32::from(x[i].is_finite() && to_the_left == i);
        }
        for (pair, x) in row.windows(2).zip(x.windows(2)) {
            pitch = pitch.min(pair[1].x_m - pair[0].x_m);
            score.pairs += 1;
            score.pairs_right += u32::from(x[0] < x[1]);
        }
    }
    let shift = median(&errors);
    score.error_cm = spread_cm(errors.iter().copied());
    score.debiased_cm = spread_cm(errors.iter().map(|e| e - shift));
    let ratios: Vec<f64> = errors.iter().zip(&over_std).map(|(e, o)| o * (e - shift) / e).collect();
    score.error_over_std = rms(ratios.iter().copied());
    score.within_std_percent = within(&ratios);
    ScanScore {
        scan: scan.to_owned(),
        pitch_cm: if pitch.is_finite() { (pitch * 100.0).round() as u32 } else { 0 },
        rows: rows.len() as u32,
        score,
        errors_m: errors,
        errors_over_std: over_std,
    }
}

/// Puts the Cramér–Rao bounds of the located tags, at their true places, beside the errors.
pub fn add_bounds(
    scores: &mut [ScanScore],
    scans: &[Scan],
    sightings: &[Sighting],
    truth: &[TrueTag],
    settings: &LocateSettings,
) {
    let true_x: BTreeMap<(&str, &Uid), f64> =
        truth.iter().map(|t| ((t.scan.as_str(), &t.uid), t.x_m)).collect();
    let range: BTreeMap<(&str, &Uid), f64> =
        sightings.iter().map(|s| ((s.scan.as_str(), &s.uid), f64::from(s.range_m))).collect();
    for scan in scans {
        let Some(score) = scores.iter_mut().find(|s| s.scan == scan.name) else { continue };
        let places: Vec<Option<[f64; 2]>> = scan
            .tags
            .iter()
            .map(|uid| {
                let key = (scan.name.as_str(), uid);
                Some([*true_x.get(&key)?, *range.get(&key)?])
            })
            .collect();
        let found: Vec<Bound> = bounds(scan, &places, settings).into_iter().flatten().collect();
        let mean =
            |of: &dyn Fn(&Bound) -> f64| 100.0 * found.iter().map(of).sum::<f64>() / found.len() as f64;
        if !found.is_empty() {
            score.score.bound_cm = Some([mean(&|b| b.thermal_m), mean(&|b| b.with_model_m)]);
        }
    }
}

/// Scores of several scans as one.
pub fn pool<'a>(scans: impl IntoIterator<Item = &'a ScanScore>) -> Score {
    let mut all = Score::default();
    let (mut errors, mut debiased, mut over_std) = (Vec::new(), Vec::new(), Vec::new());
    let mut known = Vec::new();
    for s in scans {
        known.extend(s.score.bound_cm.map(|b| (b, f64::from(s.score.tags))));
        all.tags += s.score.tags;
        all.unanswered += s.score.unanswered;
        all.pairs += s.score.pairs;
        all.pairs_right += s.score.pairs_right;
        all.exact_rank += s.score.exact_rank;
        let shift = median(&s.errors_m);
        errors.extend(&s.errors_m);
        debiased.extend(s.errors_m.iter().map(|e| e - shift));
        over_std.extend(s.errors_m.iter().zip(&s.errors_over_std).map(|(e, o)| o * (e - shift) / e));
    }
    let (mut bound, mut bounded) = ([0.0; 2], 0.0);
    for (b, n) in known {
        bound = [bound[0] + n * b[0], bound[1] + n * b[1]];
        bounded += n;
    }
    all.bound_cm = (bounded > 0.0).then(|| bound.map(|b| b / bounded));
    all.error_cm = spread_cm(errors.into_iter());
    all.debiased_cm = spread_cm(debiased.into_iter());
    all.error_over_std = rms(over_std.iter().copied());
    all.within_std_percent = within(&over_std);
    all
}

/// Scores pooled by spacing, widest first: `(label, score)`, label as `8 cm` or `4 cm, 3 rows`.
pub fn by_pitch(scans: &[ScanScore]) -> Vec<(String, Score)> {
    let mut groups: BTreeMap<(std::cmp::Reverse<u32>, u32), Vec<&ScanScore>> = BTreeMap::new();
    for s in scans {
        groups.entry((std::cmp::Reverse(s.pitch_cm), s.rows)).or_default().push(s);
    }
    groups
        .into_iter()
        .map(|((pitch, rows), scans)| {
            let rows = if rows > 1 { format!(", {rows} rows") } else { String::new() };
            (format!("{} cm{rows}", pitch.0), pool(scans))
        })
        .collect()
}

/// A table of scores, one labelled line each, for people and for Markdown alike.
pub struct ScoreTable<'a>(pub &'a [(String, Score)]);

impl fmt::Display for ScoreTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|(label, _)| label.len()).max().unwrap_or(0).max(4);
        writeln!(
            f,
            "| {:width$} | tags | unanswered | pairs % | rank % | mean cm | median | p95 | debiased mean cm | median | p95 | error/std | in 1, 2 std % | bound cm: noise, model |",
            "scan"
        )?;
        writeln!(
            f,
            "|{:-<1$}|-----:|-----------:|--------:|-------:|--------:|-------:|-----:|-----------------:|-------:|-----:|----------:|--------------:|----------------------:|",
            "",
            width + 2
        )?;
        for (label, s) in self.0 {
            let ([m, md, p], [dm, dmd, dp]) = (s.error_cm, s.debiased_cm);
            // A method that states no deviation has none to be judged by.
            let states = s.error_over_std.is_finite();
            let over = if states { format!("{:.2}", s.error_over_std) } else { String::new() };
            let [one, two] = s.within_std_percent;
            let inside = if states { format!("{one:.0}, {two:.0}") } else { String::new() };
            let bound = s.bound_cm.map_or_else(String::new, |[t, m]| format!("{t:.2}, {m:.2}"));
            writeln!(
                f,
                "| {label:width$} | {:4} | {:10} | {:7.1} | {:6.1} | {m:7.2} | {md:6.2} | {p:4.1} | {dm:16.2} | {dmd:6.2} | {dp:4.1} | {over:>9} | {inside:>13} | {bound:>22} |",
                s.tags,
                s.unanswered,
                s.pairs_percent(),
                s.rank_percent(),
            )?;
        }
        Ok(())
    }
}

fn median(values: &[f64]) -> f64 {
    quantile(values.iter().copied().filter(|v| v.is_finite()).collect(), 0.5)
}

fn spread_cm(errors: impl Iterator<Item = f64>) -> [f64; 3] {
    let abs: Vec<f64> = errors.filter(|e| e.is_finite()).map(|e| e.abs() * 100.0).collect();
    let mean = abs.iter().sum::<f64>() / abs.len() as f64;
    [mean, quantile(abs.clone(), 0.5), quantile(abs, 0.95)]
}

/// Quantile with linear interpolation; NaN of nothing.
fn quantile(mut values: Vec<f64>, q: f64) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    values.sort_by(f64::total_cmp);
    let at = q * (values.len() - 1) as f64;
    let (low, high) = (values[at.floor() as usize], values[at.ceil() as usize]);
    low + (high - low) * at.fract()
}

/// Shares of ratios to the stated deviation up to 1 and up to 2, %; NaN of nothing.
fn within(ratios: &[f64]) -> [f64; 2] {
    let known: Vec<f64> = ratios.iter().copied().filter(|r| r.is_finite()).collect();
    [1.0, 2.0].map(|k| 100.0 * known.iter().filter(|r| r.abs() <= k).count() as f64 / known.len() as f64)
}

fn rms(values: impl Iterator<Item = f64>) -> f64 {
    let (mut n, mut sum) = (0u32, 0.0);
    for v in values.filter(|v| v.is_finite()) {
        n += 1;
        sum += v * v;
    }
    if n > 0 { (sum / f64::from(n)).sqrt() } else { f64::NAN }
}
