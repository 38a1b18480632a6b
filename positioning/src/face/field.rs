//! Received power as a function of distance, and each antenna's share in a tier's reads, as this reader shows them.
//!
//! `RSSI = level(tag) - decay * log10(distance) + shade(antenna, tier)`: for tags in one plane the antenna's beam,
//! the way there and back and the receiver's compression all depend on the distance alone; what boards and books
//! take away depends on the antenna and the tier. All of it is learnt from the pass, and so is how often which
//! antenna reads which tier.

use super::observations::Observation;

/// The law and how tags scatter around it.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// dB per decade of distance.
    pub decay: f32,
    /// Usual level of a tag on the face, dBm at 1 m; NaN until learnt.
    pub level: f32,
    /// The same by tier: a board in the way of every antenna weakens a whole tier.
    levels: Vec<f32>,
    /// Scatter of the levels of a tier's tags, dB.
    pub level_std: f32,
    /// Mean and standard deviation of the logarithm of a tag's number of observations, by tier.
    log_counts: Vec<(f32, f32)>,
    tiers: usize,
    /// dB, by antenna and tier.
    shade: Vec<f32>,
    /// Share of a tier's reads that an antenna makes, by antenna and tier.
    share: Vec<f32>,
    /// What geometry alone says of `share`: where learning starts, and what it may not stray too far from.
    share_by_distance: Vec<f32>,
    /// Of `FIRMNESS` times `share`, of `FIRMNESS` spread evenly, and of all of it.
    rising: Vec<Rising>,
    even: Rising,
    all: Rising,
}

/// Logarithms of the rising factorials `from (from + 1) ... (from + n - 1)`, which every tag asks for again and again.
#[derive(Debug, Clone)]
struct Rising {
    from: f32,
    /// By n; beyond its end they are added up anew.
    known: Vec<f32>,
}

impl Rising {
    const KNOWN: u32 = 256;

    fn new(from: f32) -> Self {
        let mut known = vec![0.0];
        known.extend((0..Self::KNOWN).scan(0.0, |sum, k| {
            *sum += (from + k as f32).ln();
            Some(*sum)
        }));
        Self { from, known }
    }

    fn of(&self, n: u32) -> f32 {
        let beyond = Self::KNOWN..n.max(Self::KNOWN);
        let known = self.known[n.min(Self::KNOWN) as usize];
        beyond.fold(known, |sum, k| sum + (self.from + k as f32).ln())
    }
}

/// A tag at a place thought right.
pub(crate) struct Known<'a> {
    pub observations: &'a [Observation],
    pub at: [f32; 3],
    pub tier: usize,
    /// Probability that it is there.
    pub sure: f32,
}

/// Scatter of a tag's RSSI around the law: coupling, dB.
pub(crate) const SCATTER_DB: f32 = 7.0;
/// Scatter of an antenna's mean RSSI of a tag around the shade of its tier, dB.
pub(crate) const ANTENNA_SCATTER_DB: f32 = 4.0;
/// How far a tag behind the panel or behind the antennas is below the usual level, and with what scatter, dB.
pub(crate) const ELSEWHERE_DB: (f32, f32) = (-12.0, 8.0);
/// Mean and standard deviation of the logarithm of the number of observations of a tag elsewhere.
const ELSEWHERE_LOG_COUNT: (f32, f32) = (1.4, 1.0);
/// How firmly a tag's reads keep to its tier's shares: as many reads as this would be drawn independently
/// (concentration of a Dirichlet distribution).
const FIRMNESS: f32 = 10.0;
/// Tags' worth of the prior in what is learnt by tier: keeps a tier with few tags, or with wrongly placed ones, sane.
const PRIOR: f32 = 20.0;
/// An antenna that gets this much less power than another, dB, makes a tenth of its reads.
const DB_FOR_A_TENTH: f32 = 20.0;

impl Field {
    /// Before any read is looked at. `nearest_m` are the distances of each antenna to each tier's tags as it passes
    /// them, by antenna and tier.
    pub fn new(nearest_m: &[f32], tiers: usize) -> Self {
        // 40 dB for the way there and back and as much for the beam, less the receiver's compression.
        let decay = 75.0;
        // A tag is read less, the weaker it is; not in proportion, since the nearest antennas reach any tag.
        let mut share: Vec<f32> =
            nearest_m.iter().map(|d| d.max(0.05).powf(-decay / DB_FOR_A_TENTH)).collect();
        let antennas = nearest_m.len() / tiers.max(1);
        for tier in 0..tiers {
            let sum: f32 = (0..antennas).map(|a| share[a * tiers + tier]).sum();
            (0..antennas).for_each(|a| share[a * tiers + tier] /= sum);
        }
        Self {
            decay,
            level: f32::NAN,
            levels: vec![f32::NAN; tiers],
            level_std: 5.0,
            log_counts: Vec::new(),
            tiers,
            shade: vec![0.0; nearest_m.len()],
            share_by_distance: share.clone(),
            rising: share.iter().map(|share| Rising::new(FIRMNESS * share)).collect(),
            even: Rising::new(FIRMNESS / antennas.max(1) as f32),
            all: Rising::new(FIRMNESS),
            share,
        }
    }

    /// Whether there were tags enough to learn from.
    pub fn is_learnt(&self) -> bool {
        self.level.is_finite()
    }

    /// What the tier's boards and books take from this antenna's reads, dB (0 or less, but for scatter).
    pub fn shade(&self, antenna: u32, tier: usize) -> f32 {
        self.shade[antenna as usize * self.tiers + tier]
    }

    /// Usual level of a tier's tags, dBm at 1 m; NaN until learnt.
    pub fn level_of(&self, tier: usize) -> f32 {
        self.levels[tier]
    }

    /// Tiers of the face.
    pub fn tiers(&self) -> usize {
        self.tiers
    }

    /// Log-probability of the logarithm of a tag's number of observations, on a tier or, with `None`, elsewhere.
    pub fn count(&self, log_observations: f32, tier: Option<usize>) -> f32 {
        if self.log_counts.is_empty() {
            return 0.0;
        }
        let (mean, std) = tier.map_or(ELSEWHERE_LOG_COUNT, |t| self.log_counts[t]);
        let z = (log_observations - mean) / std;
        -0.5 * z * z - std.ln()
    }

    /// Log-probability of these antennas having made a tag's reads, were it on that tier: Dirichlet-multinomial.
    pub fn shares(&self, counts: &[u32], tier: usize) -> f32 {
        let each: f32 =
            counts.iter().enumerate().map(|(a, &n)| self.rising[a * self.tiers + tier].of(n)).sum();
        each - self.all.of(counts.iter().sum())
    }

    /// The same for a tag that is not on the face: any antenna as likely.
    pub fn even_shares(&self, counts: &[u32]) -> f32 {
        counts.iter().map(|&n| self.even.of(n)).sum::<f32>() - self.all.of(counts.iter().sum())
    }

    /// Learns from tags of the face at known places.
    pub fn learn(&mut self, tags: &[Known<'_>]) {
        let (mut top, mut bottom) = (0.0f64, 0.0f64);
        let mut levels = Vec::new();
        for tag in tags {
            let known: Vec<(f64, f64)> = tag
                .observations
                .iter()
                .filter(|o| o.rssi.is_finite())
                .map(|o| {
                    let shaded = o.rssi - self.shade(o.antenna, tag.tier);
                    (f64::from(distance(o.at, tag.at)).log10(), f64::from(shaded))
                })
                .collect();
            let n = known.len() as f64;
            if known.len() < 4 {
                continue;
            }
            let mean = known.iter().fold((0.0, 0.0), |m, k| (m.0 + k.0 / n, m.1 + k.1 / n));
            for (l, r) in &known {
                top -= (l - mean.0) * (r - mean.1);
                bottom += (l - mean.0).powi(2);
            }
            levels.push((tag.tier, mean.0, mean.1));
        }
        if levels.len() < 8 || bottom <= 0.0 {
            return; // too little to learn from: the default stands
        }
        self.decay = (top / bottom).clamp(30.0, 140.0) as f32;
        let levels: Vec<(usize, f32)> =
            levels.iter().map(|&(tier, l, r)| (tier, (r + f64::from(self.decay) * l) as f32)).collect();
        self.level = median(levels.iter().map(|l| l.1));
        for tier in 0..self.tiers {
            let here = || levels.iter().filter(|l| l.0 == tier).map(|l| l.1);
            let (n, m) = (here().count() as f32, median(here()));
            self.levels[tier] = if n > 0.0 { (n * m + PRIOR * self.level) / (n + PRIOR) } else { self.level };
        }
        // Median absolute deviation, which for a normal scatter is 0.67 of its standard deviation.
        let scatter = median(levels.iter().map(|&(tier, l)| (l - self.levels[tier]).abs())) / 0.67;
        self.level_std = scatter.clamp(2.5, 8.0);
        self.learn_counts(tags);
        self.learn_tables(tags);
    }

    fn learn_counts(&mut self, tags: &[Known<'_>]) {
        let logs: Vec<(usize, f32)> =
            tags.iter().map(|t| (t.tier, (t.observations.len().max(1) as f32).ln())).collect();
        let all = median(logs.iter().map(|l| l.1));
        self.log_counts = (0..self.tiers)
            .map(|tier| {
                let here = || logs.iter().filter(|l| l.0 == tier).map(|l| l.1);
                let n = here().count() as f32;
                let mean = if n > 0.0 { (n * median(here()) + PRIOR * all) / (n + PRIOR) } else { all };
                let square: f32 = here().map(|l| (l - mean).powi(2)).sum();
                (mean, ((square + PRIOR * 0.5) / (n + PRIOR)).sqrt().clamp(0.3, 1.5))
            })
            .collect();
    }

    fn learn_tables(&mut self, tags: &[Known<'_>]) {
        let mut shade = vec![(0.0f32, 0.0f32); self.shade.len()];
        let mut reads = vec![0.0f32; self.shade.len()];
        for tag in tags {
            let n = tag.observations.len().max(1) as f32;
            let law = |o: &Observation| o.rssi + self.decay * distance(o.at, tag.at).log10();
            // The antenna that reads a tag best is its measure: the shades of the others are below it.
            let mut sums = vec![(0.0f32, 0.0f32); self.shade.len() / self.tiers.max(1)];
            for o in tag.observations {
                reads[o.antenna as usize * self.tiers + tag.tier] += tag.sure / n;
                if o.rssi.is_finite() {
                    let s = &mut sums[o.antenna as usize];
                    s.0 += law(o);
                    s.1 += 1.0;
                }
            }
            let all = sums.iter().fold((0.0, 0.0), |m, s| (m.0 + s.0, m.1 + s.1));
            let mean = if all.1 > 0.0 { all.0 / all.1 } else { continue };
            for (a, s) in sums.iter().enumerate().filter(|(_, s)| s.1 > 0.0) {
                let cell = &mut shade[a * self.tiers + tag.tier];
                // Against the tag's mean with the shades known so far.
                let known: f32 = sums
                    .iter()
                    .enumerate()
                    .map(|(b, t)| t.1 * self.shade[b * self.tiers + tag.tier])
                    .sum::<f32>()
                    / all.1;
                cell.0 += tag.sure * (s.0 / s.1 - mean + known);
                cell.1 += tag.sure;
            }
        }
        for (old, (sum, n)) in self.shade.iter_mut().zip(shade) {
            *old = (sum / (n + PRIOR)).clamp(-25.0, 10.0);
        }
        let antennas = reads.len() / self.tiers.max(1);
        for tier in 0..self.tiers {
            let all: f32 = (0..antennas).map(|a| reads[a * self.tiers + tier]).sum();
            for a in 0..antennas {
                let i = a * self.tiers + tier;
                self.share[i] = (reads[i] + PRIOR * self.share_by_distance[i]) / (all + PRIOR);
                self.rising[i] = Rising::new(FIRMNESS * self.share[i]);
            }
        }
    }
}

pub(crate) fn distance(a: [f32; 3], b: [f32; 3]) -> f32 {
    ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2) + (a[2] - b[2]).powi(2)).sqrt()
}

/// Median; NaN of nothing.
fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f32::NAN)
}
