//! How well tags of each model are read: a library buys tags for decades, and an old chip needs more power than a new one.
//!
//! Coverage knows no tags that were never read, nor which are of what model; the catalogue does. Neighbours
//! stand in the same field, so a tag's reads over its neighbours' show what its model makes of that field.

use std::collections::BTreeMap;

use super::TagModelReads;
use super::calibrate::ENOUGH;
use super::expected::Expected;
use super::judge::Judgement;

/// A book read at home: its tag's model and how often it was read.
#[derive(Debug, Clone, Copy)]
pub struct Count<'a> {
    pub model: &'a str,
    pub reads: u32,
}

/// What the run teaches of tag models.
#[derive(Debug, Clone, PartialEq)]
pub struct TagModels {
    models: BTreeMap<String, Model>,
    /// The shape of all tags together.
    shape: f64,
}

/// How tags of a model are read: counts are a negative binomial about the average tag's in the same place times a rate.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Model {
    rate: f64,
    /// Small is wide.
    shape: f64,
    /// Factor on the probability of staying unread, 1 or more: a chip that the field does not wake is not read seldom but
    /// never, which no count of reads shows.
    more: f64,
}

/// A book that should have been read if it stands at home.
#[derive(Debug, Clone, Copy)]
pub struct Looked<'a> {
    pub model: &'a str,
    pub read: bool,
    /// Probability of staying unread, as far as reads tell.
    pub unread: f64,
}

/// Neighbours on either side that a count is held against.
const REACH: usize = 6;
/// Tags of the average kind that a model's own are weighed with.
const PRIOR_TAGS: f64 = 10.0;
/// Rounds of rates and what neighbours would have been read with them; the third changes less than a hundredth.
const ROUNDS: usize = 4;
/// A model that is read less than this share of the best one's rate is weak.
const WEAK: f64 = 0.8;
/// Most that the unread may move the probability of staying unread.
const MOST: f64 = 1000.0;
const RATES: std::ops::RangeInclusive<f64> = 0.02..=20.0;
/// As in the locator's coverage.
const USUAL_SHAPE: f64 = 2.0;
const SHAPES: std::ops::RangeInclusive<f64> = 0.3..=20.0;

impl Default for TagModels {
    fn default() -> Self {
        Self { models: BTreeMap::new(), shape: USUAL_SHAPE }
    }
}

impl TagModels {
    /// Reads of a tag of that model over those of the average tag.
    pub fn rate(&self, model: &str) -> f64 {
        self.models.get(model).map_or(1.0, |m| m.rate)
    }

    /// Probability of staying unread for a tag of that model where the average tag has `unread`.
    pub fn apply(&self, unread: f64, model: &str) -> f64 {
        let Some(model) = self.models.get(model).filter(|_| unread < 1.0) else { return unread };
        // The mean count that leaves so many of the average unread, and what the model makes of it.
        let mean = self.shape * (unread.max(1e-12).powf(-1.0 / self.shape) - 1.0);
        (model.shape / (model.shape + model.rate * mean)).powf(model.shape)
    }

    /// Learns from the books that were read at home, home by home in shelf order. A model with few tags keeps the average.
    pub fn learn(homes: &[Vec<Count<'_>>]) -> Self {
        let mut learnt = Self::default();
        let mut tags: BTreeMap<&str, usize> = BTreeMap::new();
        homes.iter().flatten().for_each(|c| *tags.entry(c.model).or_default() += 1);
        tags.retain(|_, n| *n >= ENOUGH);
        if tags.len() < 2 {
            return learnt;
        }
        for _ in 0..ROUNDS {
            let mut sums: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
            learnt.beside_neighbours(homes, |c, usual| {
                let s = sums.entry(c.model).or_default();
                *s = [s[0] + f64::from(c.reads), s[1] + usual];
            });
            learnt.models = tags
                .iter()
                .map(|(name, &n)| {
                    let [reads, usual] = sums.get(name).copied().unwrap_or_default();
                    let prior = PRIOR_TAGS * usual / n as f64;
                    let rate = if usual > 0.0 { (reads + prior) / (usual + prior) } else { 1.0 };
                    ((*name).to_owned(), Model { rate, shape: USUAL_SHAPE, more: 1.0 })
                })
                .collect();
            learnt.centre(&tags);
        }
        learnt.scatter(homes);
        learnt
    }

    /// Factor on what [`TagModels::apply`] and the run's counts make of the probability of staying unread.
    pub fn more(&self, model: &str) -> f64 {
        self.models.get(model).map_or(1.0, |m| m.more)
    }

    /// Learns from the books that stayed unread. Who takes a book does not look at its chip: what is unread of a weakly read
    /// model beyond the share of the well read ones is the chips'.
    pub fn learn_unread(&mut self, books: &[Looked<'_>]) {
        let enough = WEAK * self.models.values().map(|m| m.rate).fold(0.0, f64::max);
        let mut sums: BTreeMap<&str, [f64; 3]> = BTreeMap::new();
        for b in books.iter().filter(|b| b.unread < 0.5) {
            let s = sums.entry(b.model).or_default();
            *s = [s[0] + 1.0, s[1] + f64::from(u8::from(!b.read)), s[2] + b.unread];
        }
        let strong =
            sums.iter().filter(|(name, _)| self.models.get(**name).is_some_and(|m| m.rate >= enough));
        let well = strong.fold([0.0; 3], |a, (_, s)| [a[0] + s[0], a[1] + s[1], a[2] + s[2]]);
        let gone = ((well[1] - well[2]) / well[0].max(1.0)).max(0.0);
        for (name, model) in self.models.iter_mut().filter(|(_, m)| m.rate < enough) {
            let [n, unread, chance] = sums.get(name.as_str()).copied().unwrap_or_default();
            // Both counts are small: half a standard deviation of their difference may be chance.
            let std = (unread + well[1] * (n / well[0].max(1.0)).powi(2)).sqrt();
            let chips = unread - gone * n - 0.5 * std;
            model.more = (chips / f64::max(chance, 1e-6)).clamp(1.0, MOST);
        }
    }

    /// Coverage was learnt from all tags together, so their rates are 1 on average.
    fn centre(&mut self, tags: &BTreeMap<&str, usize>) {
        let all: f64 = tags.values().map(|&n| n as f64).sum();
        let mean = tags.iter().map(|(name, &n)| n as f64 * self.rate(name)).sum::<f64>() / all;
        self.models.values_mut().for_each(|m| m.rate = (m.rate / mean).clamp(*RATES.start(), *RATES.end()));
    }

    /// Each count with what the average tag would have there, by its neighbours' counts over their models' rates.
    fn beside_neighbours<'a>(&self, homes: &[Vec<Count<'a>>], mut see: impl FnMut(&Count<'a>, f64)) {
        for home in homes {
            for (i, count) in home.iter().enumerate() {
                let (first, last) = (i.saturating_sub(REACH), (i + REACH).min(home.len() - 1));
                let others = home[first..i].iter().chain(&home[i + 1..=last]);
                let [reads, n] = others.fold([0.0, 0.0], |[reads, n], c| {
                    // A count over a rate scatters the more the smaller the rate; weighed by the rate it is a sum of counts.
                    [reads + f64::from(c.reads), n + self.rate(c.model)]
                });
                if n > 0.0 {
                    see(count, reads / n);
                }
            }
        }
    }

    /// Learns the shapes of the counts' scatter by moments.
    fn scatter(&mut self, homes: &[Vec<Count<'_>>]) {
        // Excess over chance and tags, by model.
        let mut sums: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
        self.beside_neighbours(homes, |c, usual| {
            let mean = self.rate(c.model) * usual;
            if mean > 1.0 {
                let ratio = f64::from(c.reads) / mean;
                // The neighbours' mean scatters too.
                let excess = ((ratio - 1.0).powi(2) - 1.0 / mean) / (1.0 + 1.0 / (2 * REACH) as f64);
                let s = sums.entry(c.model).or_default();
                *s = [s[0] + excess, s[1] + 1.0];
            }
        });
        let all = sums.values().fold([0.0; 2], |a, s| [a[0] + s[0], a[1] + s[1]]);
        self.shape = shape(all, USUAL_SHAPE, 2.0);
        for (name, model) in &mut self.models {
            model.shape = shape(sums.get(name.as_str()).copied().unwrap_or_default(), self.shape, PRIOR_TAGS);
        }
    }
}

/// Shape by the excess of so many tags and by a prior's shape, worth so many.
fn shape([excess, tags]: [f64; 2], prior: f64, worth: f64) -> f64 {
    let spread = (excess + worth / prior) / (tags + worth);
    (1.0 / spread.max(0.05)).clamp(*SHAPES.start(), *SHAPES.end())
}

/// How well the books of each model were read, model by model; nothing where the catalogue names fewer than two.
pub fn reads_by_model(expected: &Expected<'_>, judgement: &Judgement) -> Vec<TagModelReads> {
    let mut models: BTreeMap<&str, TagModelReads> = BTreeMap::new();
    for (book, posterior) in expected.books.iter().zip(&judgement.posteriors).filter(|(b, _)| b.is_expected())
    {
        let name = book.item.tag_model;
        let model = models.entry(name).or_insert_with(|| TagModelReads {
            model: name.to_owned(),
            expected: 0,
            read: 0,
            rate: judgement.model.tags.rate(name) as f32,
        });
        model.expected += 1;
        model.read += u32::from(posterior.seen() >= 0.5);
    }
    if models.len() < 2 { Vec::new() } else { models.into_values().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Homes of 40 books, every third of the model `old`, which is read at `rate` of the others.
    fn homes(rate: f64) -> Vec<Vec<Count<'static>>> {
        let mut state = 5u64;
        let mut unit = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        (0..20)
            .map(|home| {
                (0..40)
                    .map(|i| {
                        let old = i % 3 == 0;
                        // The field is another on every shelf.
                        let mean = f64::from(20 + 10 * (home % 5)) * if old { rate } else { 1.0 };
                        let reads = (mean * (0.4 + 1.2 * unit())).round().max(1.0) as u32;
                        Count { model: if old { "old" } else { "new" }, reads }
                    })
                    .collect()
            })
            .collect()
    }

    #[test]
    fn a_model_that_is_read_a_third_as_often_is_known_by_its_neighbours() {
        let models = TagModels::learn(&homes(0.33));
        let found = models.rate("old") / models.rate("new");
        assert!((0.28..0.42).contains(&found), "{found}");
        let (old, new) = (models.apply(0.01, "old"), models.apply(0.01, "new"));
        assert!(new < 0.01 && old > 0.015 && old < 0.2, "{new}, {old}");
        assert_eq!(models.apply(1.0, "old"), 1.0);
    }

    #[test]
    fn one_model_alone_changes_nothing() {
        let mut homes = homes(1.0);
        homes.iter_mut().flatten().for_each(|c| c.model = "");
        let models = TagModels::learn(&homes);
        assert_eq!(models.apply(0.0123, ""), 0.0123);
    }
}
