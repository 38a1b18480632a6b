//! What the catalogue leads one to expect: the books that matter to this run, grouped by home in shelf order, and
//! where along its shelf each should stand between its neighbours.

use std::collections::BTreeMap;

use super::fuse::Belief;
use super::stacks::{Shelf, Stacks};
use super::stat::{median, weighted_median};
use super::{AuditSettings, InputProblem};
use crate::callnumber::ShelfKey;
use crate::catalogue::{Catalogue, ItemStatus, ItemView};
use crate::decode::Decoders;

/// Neighbours looked at on either side.
const REACH: usize = 6;

/// A book that should stand on a covered face, or was seen on one.
pub struct Book<'a> {
    pub item: ItemView<'a>,
    pub key: ShelfKey,
    /// Home face and its first and last shelf; `None` when no pass covered it.
    pub home: Option<(usize, Shelf, Shelf)>,
    /// Index into the beliefs; `None` when never seen.
    pub belief: Option<usize>,
    pub thickness_m: f64,
}

impl Book<'_> {
    /// Whether it should stand on its shelf now.
    pub fn is_expected(&self) -> bool {
        self.home.is_some() && self.item.status.is_on_shelf()
    }

    pub fn is_on_loan(&self) -> bool {
        self.item.status == ItemStatus::OnLoan
    }

    pub fn is_withdrawn(&self) -> bool {
        self.item.status == ItemStatus::Withdrawn
    }
}

/// The books of one home, in shelf order.
pub struct Group {
    pub face: usize,
    /// Indices into [`Expected::books`].
    pub members: Vec<usize>,
    /// Centre of each member on a shelf without gaps, m from the home's beginning.
    pub centre_m: Vec<f64>,
}

/// All books and homes of a run.
pub struct Expected<'a> {
    pub books: Vec<Book<'a>>,
    pub groups: Vec<Group>,
    /// Indices of beliefs whose tag the catalogue does not know.
    pub unknown: Vec<usize>,
    /// Available books whose home no pass covered.
    pub not_covered: u32,
}

/// Where a book should stand by its neighbours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slot {
    pub shelf: Shelf,
    pub along_m: f64,
    pub along_std_m: f64,
    /// Share of the neighbours that say so.
    pub weight: f64,
}

/// A neighbour's place, as far as it is believed to stand at home.
#[derive(Debug, Clone, Copy)]
pub struct Anchor {
    pub shelf: Shelf,
    pub along_m: f64,
    pub along_std_m: f64,
    /// Probability that it stands at home and in order.
    pub weight: f64,
}

impl<'a> Expected<'a> {
    pub fn new(
        catalogue: &'a Catalogue,
        stacks: &Stacks<'_>,
        beliefs: &[Belief],
        settings: &AuditSettings,
        problems: &mut Vec<InputProblem>,
    ) -> Self {
        let decoders = Decoders::from_settings(&settings.decoders).unwrap_or_else(|error| {
            // `AuditSettings::check` refuses such settings; who did not call it loses the decoders, not the audit.
            problems.push(InputProblem { scan: String::new(), uid: None, reason: error.to_string() });
            Decoders::default()
        });
        let mut seen: BTreeMap<u32, usize> = BTreeMap::new();
        let mut unknown = Vec::new();
        for (b, belief) in beliefs.iter().enumerate() {
            let identity = decoders.identify(&belief.uid, catalogue);
            let Some(item) = identity.item() else {
                unknown.push(b);
                continue;
            };
            let Some(first) = seen.insert(item.index, b) else { continue };
            let (stays, goes) = if beliefs[first].reads >= belief.reads { (first, b) } else { (b, first) };
            seen.insert(item.index, stays);
            let reason = format!("a second tag of item {}, the one with more reads counts", item.barcode);
            problems.push(InputProblem { scan: String::new(), uid: Some(beliefs[goes].uid.clone()), reason });
        }
        let mut books = Vec::new();
        let mut not_covered = 0;
        for item in catalogue.iter() {
            let home = stacks.find(&item.home.first.face).and_then(|face| {
                let (first, last) = stacks.grids[face].home(item.home)?;
                Some((face, first, last))
            });
            if home.is_none() && item.status.is_on_shelf() {
                not_covered += 1;
            }
            let belief = seen.get(&item.index).copied();
            if belief.is_none() && (home.is_none() || !item.status.is_on_shelf()) {
                continue;
            }
            let thickness = f64::from(item.thickness_m);
            let plausible = thickness.is_finite() && thickness > 0.0 && thickness < 0.5;
            books.push(Book {
                key: item.shelf_key(&settings.shelf_rules),
                item,
                home,
                belief,
                thickness_m: if plausible { thickness } else { settings.default_thickness_m },
            });
        }
        // The catalogue's own order decides nothing: the file may be shuffled, the result stays.
        books.sort_by(|a, b| (&a.key, a.item.barcode).cmp(&(&b.key, b.item.barcode)));
        let groups = group(&books);
        Self { books, groups, unknown, not_covered }
    }
}

fn group(books: &[Book<'_>]) -> Vec<Group> {
    let mut by_home: BTreeMap<(usize, Shelf, Shelf), Vec<usize>> = BTreeMap::new();
    for (i, book) in books.iter().enumerate() {
        if let Some(home) = book.home {
            by_home.entry(home).or_default().push(i);
        }
    }
    by_home
        .into_iter()
        .map(|((face, ..), members)| {
            let mut centre_m = Vec::with_capacity(members.len());
            let mut end = 0.0;
            for &m in &members {
                let book = &books[m];
                // A book that was not seen may have left a gap or not: half of it counts.
                let width = book.thickness_m * if book.belief.is_some() { 1.0 } else { 0.5 };
                centre_m.push(end + 0.5 * width);
                end += width;
            }
            Group { face, members, centre_m }
        })
        .collect()
}

impl Group {
    /// Where member `i` should stand, by its neighbours of `anchors` (one a member, `None` when not at home); up to
    /// two shelves where the home is a range and the neighbours stand on different ones. Empty when fewer than two
    /// neighbours tell.
    pub fn slots(&self, i: usize, anchors: &[Option<Anchor>]) -> Vec<Slot> {
        let near = |a: &Anchor| a.weight >= 0.3;
        let before = (0..i).rev().filter(|&j| anchors[j].as_ref().is_some_and(near)).take(REACH);
        let after = (i + 1..anchors.len()).filter(|&j| anchors[j].as_ref().is_some_and(near)).take(REACH);
        let mut by_shelf: BTreeMap<Shelf, Vec<(f64, f64)>> = BTreeMap::new();
        for j in before.chain(after) {
            let Some(a) = anchors[j] else { continue };
            let gap = self.centre_m[i] - self.centre_m[j];
            // Real thickness, gaps and slanted books: a tenth of the way between, at least 3 mm.
            let std = a.along_std_m.hypot(0.1 * gap).max(0.003);
            by_shelf.entry(a.shelf).or_default().push((a.along_m + gap, a.weight * std.powi(-2)));
        }
        let total: f64 = by_shelf.values().flatten().map(|c| c.1).sum();
        let told: usize = by_shelf.values().map(Vec::len).sum();
        if told < 2 {
            return Vec::new();
        }
        let mut slots: Vec<Slot> = by_shelf
            .into_iter()
            .filter_map(|(shelf, mut candidates)| {
                let (along_m, weight) = weighted_median(&mut candidates)?;
                let mut spread: Vec<f64> = candidates.iter().map(|c| (c.0 - along_m).abs()).collect();
                let n = candidates.len() as f64;
                let scatter = 1.4826 * median(&mut spread)? / n.sqrt();
                // A median is 1.25 times as uncertain as a mean; a quarter of it stays, as neighbours err alike.
                let along_std_m = (1.25 * weight.powf(-0.5)).max(1.25 * scatter).max(0.004);
                Some(Slot { shelf, along_m, along_std_m, weight: weight / total })
            })
            .collect();
        slots.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.shelf.cmp(&b.shelf)));
        slots.truncate(2);
        slots
    }
}
