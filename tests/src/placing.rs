//! How well books of known places were located: one table for all evaluations.

use domain::Sighting;

/// Where a tag really is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    /// Along the face, m.
    pub x_m: f64,
    /// Its tier, from 0; `None` where it is not on this face at all.
    pub tier: Option<usize>,
}

/// Shares, %, and within how many standard deviations a normal error lies with them.
const QUANTILES: [(f64, f64); 12] = [
    (10.0, 0.1257),
    (20.0, 0.2533),
    (30.0, 0.3853),
    (40.0, 0.5244),
    (50.0, 0.6745),
    (60.0, 0.8416),
    (68.0, 0.9945),
    (75.0, 1.1503),
    (80.0, 1.2816),
    (90.0, 1.6449),
    (95.0, 1.9600),
    (99.0, 2.5758),
];

/// What comes of some passes. Make it, add passes, print its line.
#[derive(Debug, Default)]
pub struct Figures {
    tags: f64,
    tier_right: f64,
    side_right: f64,
    read: f64,
    /// Position errors of the face's tags, m, and the same over the stated deviation.
    errors: Vec<f64>,
    ratios: Vec<f64>,
    pairs: f64,
    in_order: f64,
    /// Reads of the passes.
    pub reads: f64,
    /// Time that locating took, s.
    pub seconds: f64,
}

impl Figures {
    /// Adds a pass: truth and sightings in the same order, with the number of tiers.
    pub fn add(&mut self, truth: &[Placed], tiers: usize, sightings: &[Sighting]) {
        let mut rows: Vec<Vec<(f64, f64)>> = vec![Vec::new(); tiers];
        self.read += sightings.len() as f64;
        for (s, truth) in sightings.iter().zip(truth) {
            let front = s.face_probability > 0.5;
            self.side_right += if front == truth.tier.is_some() { 1.0 } else { 0.0 };
            let Some(tier) = truth.tier else { continue };
            self.tags += 1.0;
            let best = (0..s.tier_probability.len())
                .max_by(|&a, &b| s.tier_probability[a].total_cmp(&s.tier_probability[b]));
            self.tier_right += if best == Some(tier) { 1.0 } else { 0.0 };
            let error = f64::from(s.along_m) - truth.x_m;
            self.errors.push(error.abs());
            self.ratios.push(error.abs() / f64::from(s.along_std_m));
            rows[tier].push((truth.x_m, f64::from(s.along_m)));
        }
        for row in &mut rows {
            row.sort_by(|a, b| a.0.total_cmp(&b.0));
            for pair in row.windows(2) {
                self.pairs += 1.0;
                self.in_order += if pair[1].1 > pair[0].1 { 1.0 } else { 0.0 };
            }
        }
    }

    /// Stated against seen share of the errors, %.
    pub fn calibration(&self) -> Vec<(f64, f64)> {
        QUANTILES.iter().map(|(stated, k)| (*stated, self.within(*k))).collect()
    }

    /// Error, cm, below which a share of the books lies, %.
    pub fn errors_by_share(&self) -> Vec<(f64, f64)> {
        let mut sorted = self.errors.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| 100.0 * sorted[((sorted.len() - 1) as f64 * share) as usize];
        (0..=100).map(|p| (at(f64::from(p) / 100.0), f64::from(p))).collect()
    }

    /// Share of the errors within so many stated deviations, %.
    fn within(&self, deviations: f64) -> f64 {
        100.0 * self.ratios.iter().filter(|r| **r <= deviations).count() as f64 / self.ratios.len() as f64
    }

    /// A line of the table that [`columns`] begins, with further columns at its end.
    pub fn line(mut self, case: &str, more: &[String]) -> String {
        self.errors.sort_by(f64::total_cmp);
        let at = |q: f64| 100.0 * self.errors[((self.errors.len() - 1) as f64 * q) as usize];
        let mean = 100.0 * self.errors.iter().sum::<f64>() / self.errors.len() as f64;
        let mut line = format!(
            "| {case} | {:.0} | {:.0} | {:.2} | {:.1} | {mean:.2} | {:.2} | {:.1} | {:.1} | {:.0} / {:.0} | {:.2} |",
            self.tags,
            self.reads / self.read,
            100.0 * self.tier_right / self.tags,
            100.0 * self.side_right / self.read,
            at(0.5),
            at(0.95),
            100.0 * self.in_order / self.pairs,
            self.within(1.0),
            self.within(2.0),
            1e3 * self.seconds / self.read,
        );
        more.iter().for_each(|m| line += &format!(" {m} |"));
        line
    }
}

/// Head of the table: two columns that say which shelf and how fast, the figures, and further columns.
pub fn columns(more: &[&str]) -> String {
    let head = "| mean thickness | m/s | books | reads a tag | tier % | side % | mean cm | median | p95 | pairs in order % \
                | in 1 / 2 std % | ms a tag |";
    let mut head = head.to_owned();
    more.iter().for_each(|m| head += &format!(" {m} |"));
    let columns = head.matches('|').count() - 1;
    format!("{head}\n|{}", "---|".repeat(columns))
}

/// Value below which a share of the values lies; NaN of nothing.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1) as f64;
    sorted.get((last * share) as usize).copied().unwrap_or(f64::NAN)
}

/// Processor time that this thread has had, s: what else the machine does then does not count (Linux; elsewhere 0).
pub fn processor_seconds() -> f64 {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns: Option<f64> = times.split_whitespace().next().and_then(|ns| ns.parse().ok());
    ns.unwrap_or(0.0) * 1e-9
}
