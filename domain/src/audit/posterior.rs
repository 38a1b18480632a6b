//! Where a book stands: the probabilities of its home in order, its home out of order, every other shelf, and away.
//!
//! Likelihoods are taken relative to a tag that is read from elsewhere, whose apparent tier and place along are
//! taken as uniform over the face.

use std::collections::BTreeMap;

use super::AuditSettings;
use super::calibrate::Model;
use super::expected::{Book, Slot};
use super::fuse::{Belief, FaceBelief};
use super::stacks::{Grid, Shelf, Stacks};

/// Where a tag stays unread with more than this probability no pass was made, or it was broken off before.
const UNCOVERED: f64 = 0.5;
/// A home of which more than this share is not covered is one in which a pass ended: half a metre beyond its end all tags are
/// still read.
const BROKEN_OFF: f64 = 0.3;

/// Probabilities about one book; the first five add up to 1.
#[derive(Debug, Clone, Default)]
pub struct Posterior {
    /// Seen at home, where the order puts it.
    pub in_order: f64,
    /// Seen at home, elsewhere on the shelf.
    pub out_of_order: f64,
    /// Seen on another shelf.
    pub elsewhere: f64,
    /// At home, though not read there, or only from afar.
    pub unread: f64,
    /// Not on any covered shelf.
    pub away: f64,
    /// The likeliest shelf of its home, when it was seen on its home's face.
    pub home_shelf: Option<Shelf>,
    /// The likeliest other shelf: face, shelf, and its probability.
    pub other_shelf: Option<(usize, Shelf, f64)>,
    /// ln of the probability that it stays unread at home.
    pub ln_unread: f64,
    /// The same by coverage and the tag's model alone, for a tag that works; not as a logarithm.
    pub unread_by_coverage: f64,
}

impl Posterior {
    pub fn at_home(&self) -> f64 {
        self.in_order + self.out_of_order
    }

    pub fn seen(&self) -> f64 {
        self.at_home() + self.elsewhere
    }

    /// Probability of disorder, given that it stands on its home shelf.
    pub fn disorder(&self) -> f64 {
        if self.at_home() > 0.0 { self.out_of_order / self.at_home() } else { 0.0 }
    }
}

/// Likelihood of each tier, 1 on average.
pub fn tier_likelihood(model: &Model, grid: &Grid<'_>, f: &FaceBelief, trust: f64) -> Vec<f64> {
    let n = grid.tiers as usize;
    match &f.ln_tier {
        None => vec![1.0; n],
        Some(ln) => model.tiers.apply(ln, trust).into_iter().map(|p| p * n as f64).collect(),
    }
}

/// The posterior of one book. `slots` from its neighbours, empty when they do not tell; `trust` in 0…1 tempers the
/// tier evidence where the neighbourhood shows that it errs.
pub fn posterior(
    stacks: &Stacks<'_>,
    model: &Model,
    settings: &AuditSettings,
    book: &Book<'_>,
    belief: Option<&Belief>,
    slots: &[Slot],
    trust: f64,
) -> Posterior {
    let mut p = Posterior::default();
    let (m, o, q) = (model.misplacement_rate, model.disorder_rate, model.missing_rate);
    let was_read = belief.is_some_and(|b| !b.faces.is_empty());
    p.away = if was_read { q * settings.in_reach_share } else { q };
    let on_home = book.home.and_then(|(face, ..)| belief.and_then(|b| b.on(face)));
    let mut others: BTreeMap<(usize, Shelf), f64> = BTreeMap::new();
    for f in belief.map(|b| b.faces.as_slice()).unwrap_or_default() {
        let grid = &stacks.grids[f.face];
        let spread = model.along[f.face].spread(f);
        let tiers = tier_likelihood(model, grid, f, trust);
        let odds = f.ln_odds.exp() * grid.length_m();
        let home = book.home.filter(|h| h.0 == f.face).map(|h| (h.1, h.2));
        if let Some((first, last)) = home {
            let mut sum = 0.0;
            let mut best = (first, -1.0);
            for shelf in first..=last {
                let tier = tiers[grid.tier(shelf)];
                let wide = grid.bay_density(grid.bay(shelf), f.along_m, &spread);
                let mut likelihood = o * tier * wide / f64::from(last - first + 1);
                p.out_of_order += odds * likelihood;
                if slots.is_empty() {
                    likelihood += tier * wide / f64::from(last - first + 1);
                }
                for s in slots.iter().filter(|s| s.shelf == shelf) {
                    let here = spread.density(f.along_m - s.along_m, s.along_std_m);
                    likelihood += s.weight * tier * here;
                }
                if likelihood > best.1 {
                    best = (shelf, likelihood);
                }
                sum += likelihood;
            }
            let disorder = p.out_of_order;
            p.in_order = (1.0 - m - o - q) * (odds * sum - disorder).max(0.0);
            p.home_shelf = Some(best.0);
        }
        for shelf in 0..grid.shelves() {
            let Some(prior) = misplaced_prior(stacks, settings, grid, home, shelf) else { continue };
            let density = grid.bay_density(grid.bay(shelf), f.along_m, &spread);
            let weight = m * prior * odds * tiers[grid.tier(shelf)] * density;
            *others.entry((f.face, shelf)).or_default() += weight;
        }
    }
    let unread = unread_at_home(stacks, settings, book, slots);
    p.unread_by_coverage = model.tags.apply(unread, book.item.tag_model);
    let dead = settings.dead_tag_rate;
    let unread = model.unread.apply(p.unread_by_coverage) * model.tags.more(book.item.tag_model);
    p.ln_unread = (dead + (1.0 - dead) * unread.min(1.0)).ln();
    if on_home.is_none() {
        p.unread = (1.0 - m - q) * p.ln_unread.exp();
    } else if p.unread_by_coverage > UNCOVERED {
        // No antenna has passed its home: what was read of it came from afar, and says little of where it stands.
        p.unread = (1.0 - m - q) * p.unread_by_coverage * settings.in_reach_share;
    }
    p.elsewhere = others.values().sum();
    let total = p.in_order + p.out_of_order + p.elsewhere + p.unread + p.away;
    for part in [&mut p.in_order, &mut p.out_of_order, &mut p.elsewhere, &mut p.unread, &mut p.away] {
        *part /= total;
    }
    let mut best: Option<(usize, Shelf, f64)> = None;
    for ((face, shelf), weight) in others {
        if best.is_none_or(|b| weight / total > b.2) {
            best = Some((face, shelf, weight / total));
        }
    }
    p.other_shelf = best;
    p
}

/// Share of the misplaced that a shelf gets; `None` for the home itself.
fn misplaced_prior(
    stacks: &Stacks<'_>,
    settings: &AuditSettings,
    grid: &Grid<'_>,
    home: Option<(Shelf, Shelf)>,
    shelf: Shelf,
) -> Option<f64> {
    let per_face = f64::from(grid.shelves());
    let Some((first, last)) = home else {
        let beyond = (stacks.shelves as f64 - per_face).max(per_face);
        return Some((1.0 - settings.tier_share - settings.bay_share) / beyond);
    };
    if (first..=last).contains(&shelf) {
        return None;
    }
    let bays = grid.bay(last) - grid.bay(first) + 1;
    if (grid.bay(first)..=grid.bay(last)).contains(&grid.bay(shelf)) {
        let shelves = (bays * grid.tiers).saturating_sub(last - first + 1).max(1);
        Some(settings.tier_share / f64::from(shelves))
    } else {
        Some(settings.bay_share / (per_face - f64::from(bays * grid.tiers)).max(1.0))
    }
}

/// Probability, by coverage alone, that the book, were its tag an average one and it at home with a working tag, stayed unread in all passes.
fn unread_at_home(stacks: &Stacks<'_>, settings: &AuditSettings, book: &Book<'_>, slots: &[Slot]) -> f64 {
    let Some((face, first, last)) = book.home else { return 1.0 };
    let grid = &stacks.grids[face];
    let kappa = settings.pass_independence;
    let anywhere = unread_anywhere(grid, (first, last), kappa);
    let (mut sum, mut weight) = (0.0, 0.0);
    for s in slots {
        // Neighbours may put it a little beyond its bay, where no coverage is.
        let left = grid.left_m(grid.bay(s.shelf));
        let along = s.along_m.clamp(left + 0.01, left + grid.bay_width_m - 0.01);
        sum += s.weight * grid.ln_unread(s.shelf, along, kappa).exp();
        weight += s.weight;
    }
    if weight <= 0.0 {
        return anywhere;
    }
    let by_neighbours = sum / weight;
    // Where the pass ended within its home, its neighbours beyond were read from afar and seem nearer than they are.
    if anywhere > BROKEN_OFF { by_neighbours.max(anywhere) } else { by_neighbours }
}

/// The same for a book that may stand anywhere at home.
fn unread_anywhere(grid: &Grid<'_>, (first, last): (Shelf, Shelf), independence: f64) -> f64 {
    const STEPS: u32 = 9;
    let places = (first..=last).flat_map(|shelf| {
        let left = grid.left_m(grid.bay(shelf));
        (0..STEPS).map(move |i| (shelf, left + (f64::from(i) + 0.5) / f64::from(STEPS) * grid.bay_width_m))
    });
    let (sum, n) = places.fold((0.0, 0.0), |(sum, n), (shelf, along)| {
        (sum + grid.ln_unread(shelf, along, independence).exp(), n + 1.0)
    });
    sum / f64::max(n, 1.0)
}
