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
    /// Reads of a model's tag over those of the average tag in its place; absent is 1.
    rates: BTreeMap<String, f64>,
    /// Read counts scatter about their mean as a negative binomial of this shape.
    shape: f64,
}

/// Neighbours on either side that a count is held against.
const REACH: usize = 6;
/// Tags of the average kind that a model's own are weighed with.
const PRIOR_TAGS: f64 = 10.0;
/// Rounds of rates and what neighbours would have been read with them; the third changes less than a hundredth.
const ROUNDS: usize = 4;
const RATES: std::ops::RangeInclusive<f64> = 0.02..=20.0;
const SHAPES: std::ops::RangeInclusive<f64> = 0.3..=20.0;

impl Default for TagModels {
    fn default() -> Self {
        Self { rates: BTreeMap::new(), shape: 2.0 }
    }
}

impl TagModels {
    /// Reads of a tag of that model over those of the average tag.
    pub fn rate(&self, model: &str) -> f64 {
        self.rates.get(model).copied().unwrap_or(1.0)
    }

    /// Probability of staying unread for a tag of that model where the average tag has `unread`.
    pub fn apply(&self, unread: f64, model: &str) -> f64 {
        let rate = self.rate(model);
        if rate == 1.0 || unread >= 1.0 {
            return unread;
        }
        // The mean count that leaves so many unread, and what the model makes of it.
        let mean = self.shape * (unread.max(1e-12).powf(-1.0 / self.shape) - 1.0);
        (self.shape / (self.shape + rate * mean)).powf(self.shape)
    }

    /// Learns from the books that were read at home, home by home in shelf order. A model with few tags keeps the average.
    pub fn learn(homes: &[Vec<Count<'_>>]) -> Self {
        let mut model = Self::default();
        let mut tags: BTreeMap<&str, usize> = BTreeMap::new();
        homes.iter().flatten().for_each(|c| *tags.entry(c.model).or_default() += 1);
        tags.retain(|_, n| *n >= ENOUGH);
        if tags.len() < 2 {
            return model;
        }
        for _ in 0..ROUNDS {
            let mut sums: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
            model.beside_neighbours(homes, |c, usual| {
                let s = sums.entry(c.model).or_default();
                *s = [s[0] + f64::from(c.reads), s[1] + usual];
            });
            model.rates = tags
                .iter()
                .map(|(name, &n)| {
                    let [reads, usual] = sums.get(name).copied().unwrap_or_default();
                    let prior = PRIOR_TAGS * usual / n as f64;
                    let rate = if usual > 0.0 { (reads + prior) / (usual + prior) } else { 1.0 };
                    ((*name).to_owned(), rate)
                })
                .collect();
            model.centre(&tags);
        }
        model.rates.values_mut().for_each(|r| *r = r.clamp(*RATES.start(), *RATES.end()));
        model.shape = model.scatter(homes);
        model
    }

    /// Coverage was learnt from all tags together, so their rates are 1 on average.
    fn centre(&mut self, tags: &BTreeMap<&str, usize>) {
        let all: f64 = tags.values().map(|&n| n as f64).sum();
        let mean = tags.iter().map(|(name, &n)| n as f64 * self.rate(name)).sum::<f64>() / all;
        self.rates.values_mut().for_each(|r| *r /= mean);
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

    /// Shape of the counts' scatter by moments; small is wide.
    fn scatter(&self, homes: &[Vec<Count<'_>>]) -> f64 {
        let (mut n, mut excess) = (0.0, 0.0);
        self.beside_neighbours(homes, |c, usual| {
            let mean = self.rate(c.model) * usual;
            if mean > 1.0 {
                let ratio = f64::from(c.reads) / mean;
                // The neighbours' mean scatters too.
                excess += ((ratio - 1.0).powi(2) - 1.0 / mean) / (1.0 + 1.0 / (2 * REACH) as f64);
                n += 1.0;
            }
        });
        // Two tags' worth of a prior with shape 2, as in the locator's coverage.
        let spread: f64 = (excess + 2.0 * 0.5) / (n + 2.0);
        (1.0 / spread.max(0.05)).clamp(*SHAPES.start(), *SHAPES.end())
    }
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
