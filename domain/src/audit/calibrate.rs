//! What the run teaches about its own evidence: nearly all books are at home, so the catalogue shows how honest the
//! locator's standard deviations and tier probabilities are, how far a face is shifted, and how many books are gone.

use super::AuditSettings;
use super::spread::{AlongModel, Spread};
use super::stacks::{Grid, Shelf};
use super::tag_models::TagModels;
use super::tiers::TierModel;

/// Labels needed before anything is learnt.
pub const ENOUGH: usize = 30;

/// All that is learnt from a run.
#[derive(Debug, Clone)]
pub struct Model {
    /// One a face.
    pub along: Vec<AlongModel>,
    /// One for all faces: the same antennas look at them.
    pub tiers: TierModel,
    pub unread: UnreadModel,
    pub tags: TagModels,
    /// Share of expected books that are gone.
    pub missing_rate: f64,
    /// Share of seen books that stand on another shelf than their home.
    pub misplacement_rate: f64,
    /// Share of seen books out of order on their home shelf.
    pub disorder_rate: f64,
}

impl Model {
    pub fn new(faces: usize, settings: &AuditSettings) -> Self {
        Self {
            along: vec![AlongModel::default(); faces],
            tiers: TierModel::default(),
            unread: UnreadModel::default(),
            tags: TagModels::default(),
            missing_rate: settings.missing_rate,
            misplacement_rate: settings.misplacement_rate,
            disorder_rate: settings.disorder_rate,
        }
    }
}

/// By how much all positions on a face are shifted to the right, m: the shift that brings most books into their home
/// bays, held near 0 by the prior. `books` are position, standard deviation and home shelves.
pub fn face_offset(grid: &Grid<'_>, books: &[(f64, f64, Shelf, Shelf)], settings: &AuditSettings) -> f64 {
    const WORTH: f64 = 60.0;
    if books.len() < ENOUGH {
        return 0.0;
    }
    let score = |offset: f64| {
        let fit: f64 = books
            .iter()
            .map(|&(along, std_m, first, last)| {
                let spread = Spread { std_m, ..Spread::DOUBTFUL };
                let density: f64 = (grid.bay(first)..=grid.bay(last))
                    .map(|bay| grid.bay_density(bay, along - offset, &spread))
                    .sum();
                (density * grid.bay_width_m + 0.02).ln()
            })
            .sum();
        // Errors along a shelf hang together, so the books are worth fewer.
        fit * (WORTH / books.len() as f64).min(1.0) - 0.5 * (offset / settings.offset_std_m).powi(2)
    };
    let mut best = (0.0, score(0.0));
    for step in 1..=40 {
        for offset in [f64::from(step) * 0.005, f64::from(step) * -0.005] {
            let value = score(offset);
            // Only a clear gain moves a face.
            if value > best.1 + 0.1 {
                best = (offset, value);
            }
        }
    }
    best.0
}

/// Books that a prior rate is worth against the run's own count.
const PRIOR_BOOKS: f64 = 300.0;

/// A prior rate moved by what the run shows: `probabilities` of the event, book by book.
pub fn learnt_rate(prior: f64, probabilities: impl Iterator<Item = f64>) -> f64 {
    let (events, books) = probabilities.fold((0.0, 0.0), |(e, n), p| (e + p, n + 1.0));
    ((PRIOR_BOOKS * prior + events) / (PRIOR_BOOKS + books)).clamp(1e-5, 0.5)
}

/// Share of books that are gone, by expectation maximisation from the prior. `ln_unread` of the books
/// that were not seen, out of `expected`.
pub fn missing_rate(ln_unread: &[f64], expected: usize, settings: &AuditSettings) -> f64 {
    let mut q = settings.missing_rate;
    for _ in 0..30 {
        let gone: f64 = ln_unread.iter().map(|l| q / (q + (1.0 - q) * l.exp())).sum();
        q = (PRIOR_BOOKS * settings.missing_rate + gone) / (PRIOR_BOOKS + expected as f64);
        q = q.clamp(1e-5, 0.5);
    }
    q
}

/// Corrects coverage by the run's own read counts: factors on the probability of staying unread, for places that
/// coverage calls good, fair and poor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnreadModel {
    scale: [f64; 3],
}

impl Default for UnreadModel {
    fn default() -> Self {
        Self { scale: [1.0; 3] }
    }
}

/// How far read counts may move what coverage says.
const UNREAD_SCALE: std::ops::RangeInclusive<f64> = 0.1..=10.0;

impl UnreadModel {
    fn stratum(unread: f64) -> usize {
        usize::from(unread > 0.02) + usize::from(unread > 0.2)
    }

    /// Corrected probability of staying unread. A place that no pass covered stays uncovered.
    pub fn apply(&self, unread: f64) -> f64 {
        (unread * self.scale[Self::stratum(unread)].powf(1.0 - unread)).min(1.0)
    }

    /// `books` are the expected ones: what coverage says of staying unread, and reads, 0 for the unseen. `fewest`:
    /// the smallest count that any sighting of the run has.
    ///
    /// Counts of tags that a reader passes rise from none to a mode, so not more tags have 0 reads than have 1, 2 or
    /// 3; and not fewer than Chao's bound `f1² / 2 f2` (Chao 1984).
    pub fn learn(books: &[(f64, u32)], fewest: u32) -> Self {
        let mut model = Self::default();
        for (stratum, scale) in model.scale.iter_mut().enumerate() {
            let of: Vec<(f64, u32)> =
                books.iter().copied().filter(|b| Self::stratum(b.0) == stratum && b.0 < 1.0).collect();
            if of.len() < ENOUGH {
                continue;
            }
            let predicted: f64 = of.iter().map(|b| b.0).sum();
            let with = |reads: u32| of.iter().filter(|b| b.1 == reads).count() as f64;
            let few = fewest.max(1);
            let most = (with(few) + with(few.saturating_add(1)) + with(few.saturating_add(2)) + 1.0) / 3.0;
            let least = with(1) * (with(1) - 1.0).max(0.0) / (2.0 * (with(2) + 1.0));
            let likely = predicted.min(most).max(least);
            *scale = (likely / predicted.max(1e-9)).clamp(*UNREAD_SCALE.start(), *UNREAD_SCALE.end());
        }
        model
    }
}
