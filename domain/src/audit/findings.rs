//! From decisions to findings: who stands where, between which books, in walking order.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use super::expected::{Book, Expected};
use super::fuse::{Belief, FaceBelief};
use super::judge::{Decision, Judgement};
use super::posterior::tier_likelihood;
use super::stacks::{Shelf, Stacks};
use super::tag_models::reads_by_model;
use super::{Audit, AuditSettings, PlacedBook};
use crate::address::{FaceId, Home};
use crate::shelf_error::{ErrorKind, Evidence, ItemRef, Place, ShelfError};

/// Height drawn for a book whose catalogue gives none, m: between octavo and A4.
const DEFAULT_HEIGHT_M: f32 = 0.24;
/// No finding is surer than this: the catalogue itself errs.
const SUREST: f64 = 0.999;

/// Heights of a tag over its board, m, at which its book lies on the others rather than stands: labels of standing books are
/// up to 15 cm high, and the locator gives the height of most tags unless it is sure of another.
const LYING_M: [f64; 2] = [0.17, 0.40];
/// How often what the locator has so high does lie (`positioning/LYING.md`).
const LYING_CONFIDENCE: f64 = 0.8;

/// A book on a shelf.
struct Standing {
    face: usize,
    shelf: Shelf,
    along_m: f64,
    along_std_m: f64,
    item: ItemRef,
    thickness_m: f64,
    height_m: f32,
    verdict: Option<ErrorKind>,
    /// The finding about it, without neighbours yet.
    finding: Option<ShelfError>,
    /// Index of its home's group, and its place in the group's order.
    belongs: Option<(usize, usize)>,
}

/// A finding with what sorts it.
struct Sorted {
    at: Option<(FaceId, u32, Reverse<usize>, f64)>,
    error: ShelfError,
}

/// Findings and placed books. `beliefs` with offsets taken out.
pub fn findings(
    stacks: &Stacks<'_>,
    expected: &Expected<'_>,
    beliefs: &[Belief],
    judgement: &Judgement,
    settings: &AuditSettings,
) -> Audit {
    let builder = Builder { stacks, expected, beliefs, judgement, settings, groups: group_index(expected) };
    let mut audit = Audit {
        faces: stacks.grids.iter().map(|g| g.id.clone()).collect(),
        not_covered: expected.not_covered,
        seen: beliefs.len() as u32,
        tag_models: reads_by_model(expected, judgement),
        ..Audit::default()
    };
    let mut standing = Vec::new();
    let mut absent = Vec::new();
    for (i, book) in expected.books.iter().enumerate() {
        audit.expected += u32::from(book.is_expected());
        let decision = &judgement.decisions[i];
        let in_place = matches!(decision, Decision::InPlace(_)) && book.is_expected();
        audit.in_place += u32::from(in_place);
        match decision {
            Decision::Missing(p) => absent.push((i, builder.absent(i, ErrorKind::Missing, *p))),
            Decision::NotVerified(p) => absent.push((i, builder.absent(i, ErrorKind::NotVerified, *p))),
            _ => standing.extend(builder.standing(i)),
        }
    }
    let mut nowhere = Vec::new();
    for &b in &expected.unknown {
        match builder.unknown(&beliefs[b]) {
            Ok(s) => standing.push(s),
            Err(error) => nowhere.push(Sorted { at: None, error: *error }),
        }
    }
    standing.sort_by(|a, b| {
        (a.face, a.shelf)
            .cmp(&(b.face, b.shelf))
            .then(a.along_m.total_cmp(&b.along_m))
            .then_with(|| (&a.item.uid, &a.item.barcode).cmp(&(&b.item.uid, &b.item.barcode)))
    });
    let mut errors = builder.with_neighbours(&standing);
    let members = builder.in_place_by_group(&standing);
    for (i, mut error) in absent {
        if let Some((g, at)) = builder.groups.get(&i) {
            error.belongs_between = neighbours_in_order(&members[*g], *at, &standing);
        }
        errors.push(Sorted { at: builder.home_place(i), error });
    }
    errors.append(&mut nowhere);
    errors.sort_by(walking_order);
    audit.errors = errors.into_iter().map(|s| s.error).collect();
    audit.books = standing
        .into_iter()
        .map(|s| PlacedBook {
            item: s.item,
            face: stacks.grids[s.face].id.clone(),
            tier: (stacks.grids[s.face].tier(s.shelf) + 1) as u8,
            along_m: s.along_m as f32,
            along_std_m: s.along_std_m as f32,
            thickness_m: s.thickness_m as f32,
            height_m: s.height_m,
            verdict: s.verdict,
        })
        .collect();
    audit
}

fn walking_order(a: &Sorted, b: &Sorted) -> Ordering {
    let place = match (&a.at, &b.at) {
        (Some(a), Some(b)) => (&a.0, a.1, a.2).cmp(&(&b.0, b.1, b.2)).then(a.3.total_cmp(&b.3)),
        // What has no place comes last.
        (a, b) => b.is_some().cmp(&a.is_some()),
    };
    place.then_with(|| a.error.kind.cmp(&b.error.kind)).then_with(|| {
        (&a.error.item.uid, &a.error.item.barcode).cmp(&(&b.error.item.uid, &b.error.item.barcode))
    })
}

fn group_index(expected: &Expected<'_>) -> BTreeMap<usize, (usize, usize)> {
    let groups = expected.groups.iter().enumerate();
    groups.flat_map(|(g, group)| group.members.iter().enumerate().map(move |(at, &m)| (m, (g, at)))).collect()
}

/// The nearest in-place books before and after a place in a group's order. `members` are `(place, standing)`.
fn neighbours_in_order(members: &[(usize, usize)], at: usize, standing: &[Standing]) -> [Option<ItemRef>; 2] {
    let split = members.partition_point(|m| m.0 < at);
    let left = split.checked_sub(1).and_then(|i| members.get(i));
    let right = members[split..].iter().find(|m| m.0 > at);
    [left, right].map(|m| m.map(|&(_, s)| standing[s].item.clone()))
}

/// What is wrong with a book that belongs to `home` and stands on a shelf of another address.
fn misplacement(home: &Home, place: &Place) -> ErrorKind {
    let (there, here) = (&home.first.face, &place.address.face);
    let bays = home.first.bay.min(home.last.bay)..=home.first.bay.max(home.last.bay);
    if there.floor != here.floor {
        ErrorKind::MisplacedFloor
    } else if there != here {
        ErrorKind::MisplacedRow
    } else if !bays.contains(&place.address.bay) {
        ErrorKind::MisplacedBay
    } else {
        ErrorKind::MisplacedTier
    }
}

struct Builder<'a> {
    stacks: &'a Stacks<'a>,
    expected: &'a Expected<'a>,
    beliefs: &'a [Belief],
    judgement: &'a Judgement,
    settings: &'a AuditSettings,
    groups: BTreeMap<usize, (usize, usize)>,
}

impl Builder<'_> {
    fn belief(&self, book: &Book<'_>) -> Option<&Belief> {
        book.belief.map(|b| &self.beliefs[b])
    }

    /// The item with the tag that was read, which the catalogue need not know.
    fn item_ref(&self, book: &Book<'_>) -> ItemRef {
        let item = book.item.item_ref();
        match self.belief(book) {
            Some(belief) => ItemRef { uid: belief.uid.clone(), ..item },
            None => item,
        }
    }

    fn std_m(&self, f: &FaceBelief) -> f64 {
        self.judgement.model.along[f.face].spread(f).std_m
    }

    fn place(&self, f: &FaceBelief, shelf: Shelf) -> Place {
        Place {
            address: self.stacks.grids[f.face].address(shelf),
            along_m: f.along_m as f32,
            along_std_m: self.std_m(f) as f32,
            position: 0,
        }
    }

    fn evidence(
        &self,
        book: Option<usize>,
        belief: Option<&Belief>,
        found: Option<(usize, Shelf)>,
    ) -> Evidence {
        let mut e = Evidence::default();
        let home = book.and_then(|i| self.expected.books[i].home);
        if let Some(b) = belief {
            e.reads = b.reads;
            e.rssi_dbm = if b.rssi_dbm.is_finite() { b.rssi_dbm as f32 } else { 0.0 };
            (e.first_seen_ns, e.last_seen_ns) = (b.first_ns, b.last_ns);
        }
        if let Some(face) = found.map(|f| f.0).or(home.map(|h| h.0)) {
            let seen = belief.and_then(|b| b.on(face)).map_or(0, |f| f.passes);
            e.passes = self.stacks.grids[face].passes.len() as u32;
            e.passes_missed = e.passes.saturating_sub(seen);
        }
        if let (Some((face, shelf)), Some(b)) = (found, belief) {
            let tier = self.stacks.grids[face].tier(shelf);
            let ln = b.on(face).and_then(|f| f.ln_tier.as_ref()?.get(tier).copied());
            e.tier_probability = ln.map_or(0.0, |l| l.exp() as f32);
        }
        if let (Some(i), Some(_)) = (book, home) {
            e.read_probability = (-self.judgement.posteriors[i].ln_unread.exp_m1()).max(0.0) as f32;
        }
        e
    }

    fn error(
        &self,
        i: usize,
        kind: ErrorKind,
        confidence: f64,
        found: Option<(usize, Shelf, Place)>,
    ) -> ShelfError {
        let book = &self.expected.books[i];
        let at = found.as_ref().map(|f| (f.0, f.1));
        ShelfError {
            kind,
            item: self.item_ref(book),
            home: Some(book.item.home.clone()),
            found: found.map(|f| f.2),
            found_between: [None, None],
            belongs_between: [None, None],
            confidence: confidence.min(SUREST) as f32,
            evidence: self.evidence(Some(i), self.belief(book), at),
        }
    }

    fn absent(&self, i: usize, kind: ErrorKind, confidence: f64) -> ShelfError {
        self.error(i, kind, confidence, None)
    }

    /// The book on the shelf where it was found, with the finding about it; `None` when it stands on none.
    fn standing(&self, i: usize) -> Option<Standing> {
        let book = &self.expected.books[i];
        let (face, shelf, finding) = match self.judgement.decisions[i] {
            Decision::InPlace(shelf) => {
                let face = book.home?.0;
                let lies = self.belief(book)?.on(face).is_some_and(|f| self.lies(f, shelf));
                (face, shelf, lies.then_some((Some(ErrorKind::Lying), LYING_CONFIDENCE)))
            }
            Decision::OutOfOrder(shelf, p) => (book.home?.0, shelf, Some((Some(ErrorKind::OutOfOrder), p))),
            Decision::Misplaced(face, shelf, p) => (face, shelf, Some((None, p))),
            Decision::Unexpected(face, shelf, p) => {
                // What the library no longer owns is as foreign on its shelves as what it never did.
                let kind = if book.is_withdrawn() { ErrorKind::NotInCatalogue } else { ErrorKind::OnLoan };
                (face, shelf, Some((Some(kind), p)))
            }
            Decision::Missing(_) | Decision::NotVerified(_) | Decision::Nothing => return None,
        };
        let f = self.belief(book)?.on(face)?;
        let place = self.place(f, shelf);
        let finding = finding.map(|(kind, p)| {
            let kind = kind.unwrap_or_else(|| misplacement(book.item.home, &place));
            self.error(i, kind, p, Some((face, shelf, place)))
        });
        Some(Standing {
            face,
            shelf,
            along_m: f.along_m,
            along_std_m: self.std_m(f),
            item: self.item_ref(book),
            thickness_m: book.thickness_m,
            height_m: Some(book.item.height_m).filter(|h| *h > 0.0 && *h < 1.0).unwrap_or(DEFAULT_HEIGHT_M),
            verdict: finding.as_ref().map(|e| e.kind),
            finding,
            belongs: self.groups.get(&i).copied(),
        })
    }

    /// Whether a book on that shelf lies on top of the others.
    fn lies(&self, f: &FaceBelief, shelf: Shelf) -> bool {
        let grid = &self.stacks.grids[f.face];
        let tier = grid.tier(shelf);
        let above_m = grid.boards_m.get(tier + 1).copied().unwrap_or(f64::INFINITY);
        // What the locator has on another tier than the audit is not told to lie on this one.
        let lying_m = |board: &f64| board + LYING_M[0]..above_m.min(board + LYING_M[1]);
        grid.boards_m.get(tier).is_some_and(|board| lying_m(board).contains(&f.height_m))
    }

    /// A tag that the catalogue does not know: on a shelf, or read from somewhere.
    fn unknown(&self, belief: &Belief) -> Result<Standing, Box<ShelfError>> {
        let item = ItemRef {
            uid: belief.uid.clone(),
            barcode: String::new(),
            call_number: String::new(),
            title: String::new(),
        };
        let away = (1.0 - self.settings.locator_face_share) / self.settings.locator_face_share;
        let total: f64 = away + belief.faces.iter().map(|f| f.ln_odds.exp()).sum::<f64>();
        let mut best: Option<&FaceBelief> = None;
        for f in &belief.faces {
            if best.is_none_or(|b| f.ln_odds > b.ln_odds) {
                best = Some(f);
            }
        }
        let credible = best.map_or(0.0, |f| f.ln_odds.exp() / total);
        let mut error = ShelfError {
            kind: ErrorKind::NotInCatalogue,
            item: item.clone(),
            home: None,
            found: None,
            found_between: [None, None],
            belongs_between: [None, None],
            confidence: credible.min(SUREST) as f32,
            evidence: self.evidence(None, Some(belief), None),
        };
        let Some(f) = best.filter(|_| credible >= 0.5) else { return Err(Box::new(error)) };
        let grid = &self.stacks.grids[f.face];
        let tiers = tier_likelihood(&self.judgement.model, grid, f, 1.0);
        let spread = self.judgement.model.along[f.face].spread(f);
        let mut shelf: (Shelf, f64) = (0, -1.0);
        for s in 0..grid.shelves() {
            let likelihood = tiers[grid.tier(s)] * grid.bay_density(grid.bay(s), f.along_m, &spread);
            if likelihood > shelf.1 {
                shelf = (s, likelihood);
            }
        }
        error.found = Some(self.place(f, shelf.0));
        error.evidence = self.evidence(None, Some(belief), Some((f.face, shelf.0)));
        Ok(Standing {
            face: f.face,
            shelf: shelf.0,
            along_m: f.along_m,
            along_std_m: spread.std_m,
            item,
            thickness_m: self.settings.default_thickness_m,
            height_m: DEFAULT_HEIGHT_M,
            verdict: Some(ErrorKind::NotInCatalogue),
            finding: Some(error),
            belongs: None,
        })
    }

    /// By group, the in-place books as (place in the group's order, index into `standing`).
    fn in_place_by_group(&self, standing: &[Standing]) -> Vec<Vec<(usize, usize)>> {
        let mut members: Vec<Vec<(usize, usize)>> = vec![Vec::new(); self.expected.groups.len()];
        for (s, book) in standing.iter().enumerate() {
            if let (Some((g, at)), None | Some(ErrorKind::Lying)) = (book.belongs, book.verdict) {
                members[g].push((at, s));
            }
        }
        members.iter_mut().for_each(|m| m.sort_unstable());
        members
    }

    /// The findings about standing books, with position and neighbours.
    fn with_neighbours(&self, standing: &[Standing]) -> Vec<Sorted> {
        let members = self.in_place_by_group(standing);
        let mut errors = Vec::new();
        for shelf in standing.chunk_by(|a, b| (a.face, a.shelf) == (b.face, b.shelf)) {
            for (k, book) in shelf.iter().enumerate() {
                let Some(mut error) = book.finding.clone() else { continue };
                if let Some(place) = &mut error.found {
                    place.position = k as u32 + 1;
                }
                let beside = [k.checked_sub(1), Some(k + 1)];
                error.found_between = beside.map(|n| shelf.get(n?).map(|b| b.item.clone()));
                if let Some((g, at)) = book.belongs {
                    error.belongs_between = neighbours_in_order(&members[g], at, standing);
                }
                let grid = &self.stacks.grids[book.face];
                let at =
                    (grid.id.clone(), grid.bay(book.shelf), Reverse(grid.tier(book.shelf)), book.along_m);
                errors.push(Sorted { at: Some(at), error });
            }
        }
        errors
    }

    /// Where staff would look for a book that was not seen.
    fn home_place(&self, i: usize) -> Option<(FaceId, u32, Reverse<usize>, f64)> {
        let (face, first, _) = self.expected.books[i].home?;
        let grid = &self.stacks.grids[face];
        let slot = self.judgement.slots[i].first();
        let shelf = slot.map_or(first, |s| s.shelf);
        let along = slot.map_or(grid.left_m(grid.bay(first)), |s| s.along_m);
        Some((grid.id.clone(), grid.bay(shelf), Reverse(grid.tier(shelf)), along))
    }
}
