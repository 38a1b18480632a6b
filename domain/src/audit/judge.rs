//! The judgement: rounds of placing books by their neighbours and learning from it, then one decision a book.

use super::AuditSettings;
use super::calibrate::{self, Model, UnreadModel};
use super::expected::{Anchor, Book, Expected, Group, Slot};
use super::fuse::{Belief, FaceBelief};
use super::order::{Shelved, smallest_move_set};
use super::posterior::{Posterior, posterior, tier_likelihood};
use super::spread::{AlongModel, Residual};
use super::stacks::{Shelf, Stacks};
use super::tag_models::{Count, Looked, TagModels};
use super::tiers::TierModel;

/// A move must gain this share of what its base rate costs before a book is looked at as out of order; the posterior
/// then decides.
const CANDIDATE_SHARE: f64 = 0.6;

/// What is decided about one book.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// On its home shelf, or compatible with it.
    InPlace(Shelf),
    /// On its home shelf out of order.
    OutOfOrder(Shelf, f64),
    /// On another shelf: face, shelf, confidence.
    Misplaced(usize, Shelf, f64),
    /// On a shelf though the platform says that it is not: face, shelf, confidence.
    Unexpected(usize, Shelf, f64),
    /// Gone.
    Missing(f64),
    /// Not seen, no verdict.
    NotVerified(f64),
    /// Nothing to say: read from somewhere off the covered shelves, and not expected on them.
    Nothing,
}

/// All decisions, one a book of [`Expected::books`], with what they rest on.
pub struct Judgement {
    pub decisions: Vec<Decision>,
    pub posteriors: Vec<Posterior>,
    pub slots: Vec<Vec<Slot>>,
    pub model: Model,
}

struct Judge<'a> {
    stacks: &'a Stacks<'a>,
    expected: &'a Expected<'a>,
    beliefs: &'a [Belief],
    settings: &'a AuditSettings,
    model: Model,
    slots: Vec<Vec<Slot>>,
    trust: Vec<f64>,
    posteriors: Vec<Posterior>,
}

/// Takes the common shift out of each face's positions; gives the shifts, m.
pub fn remove_face_offsets(
    stacks: &Stacks<'_>,
    expected: &Expected<'_>,
    beliefs: &mut [Belief],
    settings: &AuditSettings,
) -> Vec<f64> {
    let mut by_face: Vec<Vec<(f64, f64, Shelf, Shelf)>> = vec![Vec::new(); stacks.grids.len()];
    for book in &expected.books {
        let (Some((face, first, last)), Some(b)) = (book.home, book.belief) else { continue };
        if let Some(f) = beliefs[b].on(face)
            && f.ln_odds > 0.0
        {
            by_face[face].push((f.along_m, f.along_std_m, first, last));
        }
    }
    let offsets: Vec<f64> = by_face
        .iter()
        .zip(&stacks.grids)
        .map(|(books, grid)| calibrate::face_offset(grid, books, settings))
        .collect();
    for belief in beliefs {
        for f in &mut belief.faces {
            f.along_m -= offsets[f.face];
        }
    }
    offsets
}

/// Decides about every book.
pub fn judge(
    stacks: &Stacks<'_>,
    expected: &Expected<'_>,
    beliefs: &[Belief],
    settings: &AuditSettings,
) -> Judgement {
    let n = expected.books.len();
    let mut judge = Judge {
        stacks,
        expected,
        beliefs,
        settings,
        model: Model::new(stacks.grids.len(), settings),
        slots: vec![Vec::new(); n],
        trust: vec![1.0; n],
        posteriors: Vec::new(),
    };
    judge.weigh();
    // The first round places by bays alone; then neighbours, and what they teach, settle in two more.
    for _ in 0..2 {
        judge.place();
        judge.learn();
        judge.weigh();
    }
    let mut decisions: Vec<Decision> = (0..n).map(|i| judge.decide(i)).collect();
    for group in &expected.groups {
        judge.find_disorder(group, &mut decisions);
    }
    Judgement { decisions, posteriors: judge.posteriors, slots: judge.slots, model: judge.model }
}

impl Judge<'_> {
    fn belief(&self, book: &Book<'_>) -> Option<&Belief> {
        book.belief.map(|b| &self.beliefs[b])
    }

    /// The belief about a book on its home's face.
    fn at_home(&self, i: usize) -> Option<&FaceBelief> {
        let book = &self.expected.books[i];
        self.belief(book)?.on(book.home?.0)
    }

    fn weigh(&mut self) {
        self.posteriors =
            (0..self.expected.books.len()).map(|i| self.posterior_with(i, &self.slots[i])).collect();
    }

    fn posterior_with(&self, i: usize, slots: &[Slot]) -> Posterior {
        let book = &self.expected.books[i];
        posterior(self.stacks, &self.model, self.settings, book, self.belief(book), slots, self.trust[i])
    }

    fn anchor(&self, i: usize) -> Option<Anchor> {
        let f = self.at_home(i)?;
        let p = &self.posteriors[i];
        let weight = if self.slots[i].is_empty() { p.at_home() } else { p.in_order };
        Some(Anchor {
            shelf: p.home_shelf?,
            along_m: f.along_m,
            along_std_m: self.model.along[f.face].spread(f).std_m,
            weight,
        })
    }

    /// Where each book should stand by its neighbours.
    fn place(&mut self) {
        let mut slots = vec![Vec::new(); self.slots.len()];
        for group in &self.expected.groups {
            let anchors: Vec<Option<Anchor>> = group.members.iter().map(|&m| self.anchor(m)).collect();
            for (i, &m) in group.members.iter().enumerate() {
                slots[m] = group.slots(i, &anchors);
            }
        }
        self.slots = slots;
    }

    fn learn(&mut self) {
        let faces = self.stacks.grids.len();
        let mut residuals: Vec<Vec<Residual>> = vec![Vec::new(); faces];
        let mut labels: Vec<(&FaceBelief, Vec<usize>)> = Vec::new();
        let mut unseen = Vec::new();
        let (mut counts, mut models) = (Vec::new(), Vec::new());
        let mut expected = 0;
        for (i, book) in self.expected.books.iter().enumerate() {
            if book.is_expected() {
                expected += 1;
                let reads =
                    if self.posteriors[i].seen() < 0.5 { 0 } else { self.at_home(i).map_or(0, |f| f.reads) };
                if reads > 0 || self.posteriors[i].elsewhere < 0.5 {
                    counts.push((self.posteriors[i].unread_by_coverage, reads));
                    models.push(book.item.tag_model);
                }
                if self.posteriors[i].seen() < 0.5 && self.posteriors[i].ln_unread < 0.0 {
                    unseen.push(self.posteriors[i].ln_unread);
                }
            }
            let (Some(f), Some((face, first, last))) = (self.at_home(i), book.home) else { continue };
            let Some(slot) = self.slots[i].first().filter(|_| f.ln_odds > 0.0) else { continue };
            let d = f.along_m - slot.along_m;
            // A gross error looks like a book elsewhere: those count by how likely they are at home, and only what is surely
            // elsewhere teaches nothing.
            let at_home = self.posteriors[i].at_home();
            if at_home > 0.05 {
                let width = self.stacks.grids[face].bay_width_m;
                residuals[face].push(Residual::new(f, d, slot.along_std_m, width, at_home));
            }
            // Still by the model of the round before.
            if d.abs() < 2.5 * self.model.along[face].spread(f).std_m.hypot(slot.along_std_m) {
                let grid = &self.stacks.grids[face];
                let mut tiers: Vec<usize> = (first..=last).map(|s| grid.tier(s)).collect();
                tiers.sort_unstable();
                tiers.dedup();
                labels.push((f, tiers));
            }
        }
        let along = residuals.iter().map(|r| AlongModel::learn(r, self.settings.disorder_rate)).collect();
        let tiers = TierModel::learn(&labels, self.model.misplacement_rate);
        let missing_rate = calibrate::missing_rate(&unseen, expected, self.settings);
        let seen = || self.posteriors.iter().filter(|p| p.seen() >= 0.5);
        let misplaced = seen().map(|p| p.elsewhere);
        let disordered = seen().map(|p| p.out_of_order);
        let fewest = self.beliefs.iter().flat_map(|b| &b.faces).map(|f| f.reads).min().unwrap_or(1);
        let unread = UnreadModel::learn(&counts, fewest);
        let looked: Vec<Looked<'_>> = counts
            .iter()
            .zip(models)
            .map(|(&(p, reads), model)| Looked { model, read: reads > 0, unread: unread.apply(p) })
            .collect();
        let mut tags = self.learn_tags();
        tags.learn_unread(&looked);
        self.model = Model {
            unread,
            tags,
            along,
            tiers,
            missing_rate,
            misplacement_rate: calibrate::learnt_rate(self.settings.misplacement_rate, misplaced),
            disorder_rate: calibrate::learnt_rate(self.settings.disorder_rate, disordered),
        };
        self.learn_trust();
    }

    /// Learns how well tags of each model are read, from the books that stand at home.
    fn learn_tags(&self) -> TagModels {
        let count = |i: usize| {
            let read = self.at_home(i).filter(|_| self.posteriors[i].at_home() >= 0.5)?;
            Some(Count { model: self.expected.books[i].item.tag_model, reads: read.reads })
        };
        let homes: Vec<Vec<Count<'_>>> = self
            .expected
            .groups
            .iter()
            .map(|g| g.members.iter().filter_map(|&m| count(m)).collect())
            .collect();
        TagModels::learn(&homes)
    }

    /// Tier errors repeat along a shelf. Where the neighbours are seen on other tiers than theirs, a book's own tier
    /// evidence is worth less.
    fn learn_trust(&mut self) {
        const REACH: usize = 4;
        for group in &self.expected.groups {
            let grid = &self.stacks.grids[group.face];
            let at_home: Vec<Option<f64>> = group
                .members
                .iter()
                .map(|&m| {
                    let f = self.at_home(m)?;
                    let slot = self.slots[m].first()?;
                    let std = self.model.along[group.face].spread(f).std_m.hypot(slot.along_std_m);
                    if (f.along_m - slot.along_m).abs() > 2.5 * std {
                        return None;
                    }
                    let p = tier_likelihood(&self.model, grid, f, 1.0);
                    Some(p[grid.tier(slot.shelf)] / p.len() as f64)
                })
                .collect();
            for (i, &m) in group.members.iter().enumerate() {
                let before = at_home[..i].iter().rev().flatten().take(REACH);
                let near: Vec<f64> =
                    before.chain(at_home[i + 1..].iter().flatten().take(REACH)).copied().collect();
                self.trust[m] = if near.len() < REACH {
                    1.0
                } else {
                    (1.6 * near.iter().sum::<f64>() / near.len() as f64).clamp(0.15, 1.0)
                };
            }
        }
    }

    fn decide(&self, i: usize) -> Decision {
        let (book, p) = (&self.expected.books[i], &self.posteriors[i]);
        let likeliest = match (p.home_shelf, book.home, p.other_shelf) {
            (Some(shelf), Some((face, ..)), other) if other.is_none_or(|o| o.2 <= p.at_home()) => {
                Some((face, shelf))
            }
            (_, _, other) => other.map(|o| (o.0, o.1)),
        };
        if book.is_on_loan() || book.is_withdrawn() {
            // Its tag was read, so it is in the building: on a shelf, or on a trolley nearby, as likely as not.
            let prior = self.model.missing_rate * self.settings.in_reach_share;
            let on_shelf = p.seen() / (p.seen() + p.away / prior).max(f64::MIN_POSITIVE);
            return match likeliest {
                Some((face, shelf)) if on_shelf >= self.settings.min_confidence => {
                    Decision::Unexpected(face, shelf, on_shelf)
                }
                _ => Decision::Nothing,
            };
        }
        if let Some((face, shelf, _)) = p.other_shelf.filter(|_| p.elsewhere >= self.settings.min_confidence)
        {
            return Decision::Misplaced(face, shelf, p.elsewhere);
        }
        if let Some(shelf) = p.home_shelf.filter(|_| p.seen() >= 0.5) {
            return Decision::InPlace(shelf);
        }
        if !book.is_expected() {
            Decision::Nothing
        } else if p.away >= self.settings.min_missing_confidence {
            Decision::Missing(p.away)
        } else {
            Decision::NotVerified(p.away)
        }
    }

    /// Turns books that stand at home into [`Decision::OutOfOrder`] where the order of the others demands it.
    fn find_disorder(&self, group: &Group, decisions: &mut [Decision]) {
        let grid = &self.stacks.grids[group.face];
        let mut members = Vec::new();
        let mut shelved: Vec<Shelved> = Vec::new();
        for (at, &m) in group.members.iter().enumerate() {
            let book = &self.expected.books[m];
            let (Decision::InPlace(shelf), Some(f)) = (&decisions[m], self.at_home(m)) else { continue };
            if book.item.call_number.trim().is_empty() {
                continue;
            }
            let same =
                members.last().is_some_and(|&(_, l): &(usize, usize)| self.expected.books[l].key == book.key);
            let class = shelved.last().map_or(0, |s| s.class + usize::from(!same));
            // Shelf after shelf on one tape, so that a home of several shelves has one order.
            let on_shelf = f.along_m - grid.left_m(grid.bay(*shelf));
            let spread = self.model.along[group.face].spread(f);
            shelved.push(Shelved {
                class,
                along_m: f64::from(*shelf) * grid.bay_width_m + on_shelf,
                along_std_m: spread.std_m,
                gross_share: spread.gross_share,
            });
            members.push((at, m));
        }
        let o = self.model.disorder_rate;
        let moved = smallest_move_set(&shelved, CANDIDATE_SHARE * ((1.0 - o) / o).ln());
        if moved.is_empty() {
            return;
        }
        let mut anchors: Vec<Option<Anchor>> = vec![None; group.members.len()];
        for (k, &(at, m)) in members.iter().enumerate() {
            if moved.binary_search(&k).is_err() {
                anchors[at] = self.anchor(m).map(|a| Anchor { weight: a.weight.max(0.5), ..a });
            }
        }
        for k in moved {
            let (at, m) = members[k];
            let p = self.posterior_with(m, &group.slots(at, &anchors));
            if p.disorder() >= self.settings.min_disorder_confidence
                && let Decision::InPlace(shelf) = decisions[m]
            {
                decisions[m] = Decision::OutOfOrder(shelf, p.disorder());
            }
        }
    }
}
