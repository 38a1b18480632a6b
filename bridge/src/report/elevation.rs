//! The drawing of a row face: bays, tiers and every book's spine to scale, as the numbers of an SVG.
//!
//! A spine is drawn where the book was found. Where spines would overlap, they are moved apart, each as little as
//! possible (least squares, keeping their order), and a shelf that holds more than fits is squeezed.

use std::collections::BTreeMap;

use domain::audit::{Audit, PlacedBook};
use domain::site::Face;
use domain::{FaceId, Site, Uid};
use serde::Serialize;

use super::pick_list::Pick;
use super::spacing::spread;
use crate::words;

/// Units of the drawing per metre.
const SCALE: f64 = 200.0;
/// Margins left (tier names), above (bay names), right and below, units.
const LEFT: f64 = 30.0;
const ABOVE: f64 = 24.0;
const RIGHT: f64 = 6.0;
const BELOW: f64 = 8.0;
/// A face longer than this is drawn in several panels, m.
const LONGEST_PANEL_M: f64 = 6.0;
/// Height of a book of unknown height, m: a common octavo.
const USUAL_HEIGHT_M: f64 = 0.23;
const THINNEST_M: f64 = 0.003;
/// Width of one digit and of the rest of a number's tag, units.
const DIGIT: f64 = 6.2;
const TAG: f64 = 7.0;

/// One panel: a row face, or some bays of a long one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Panel {
    pub face: String,
    /// Bays shown, when not all.
    pub bays_shown: String,
    pub width: f64,
    pub height: f64,
    pub length: f64,
    pub bays: Vec<BayMark>,
    pub tiers: Vec<TierMark>,
    pub spines: Vec<Spine>,
    pub gaps: Vec<Gap>,
    pub tags: Vec<Tag>,
    pub books: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct BayMark {
    pub x: f64,
    pub middle: f64,
    pub bay: u16,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct TierMark {
    /// The board that books stand on.
    pub y: f64,
    pub middle: f64,
    pub tier: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Spine {
    pub x: f64,
    pub y: f64,
    pub w: f64,
    pub h: f64,
    pub class: &'static str,
    pub tip: String,
    /// Number in the pick list, 0 for none.
    pub number: u32,
}

/// Where a book that was not seen should stand.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Gap {
    pub x: f64,
    pub y: f64,
    pub h: f64,
    pub class: &'static str,
    pub tip: String,
    pub number: u32,
}

/// A number of the pick list, in a small frame above its spine or gap.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Tag {
    pub x: f64,
    pub y: f64,
    pub w: f64,
    pub middle: f64,
    /// Where it points to.
    pub to_x: f64,
    pub to_y: f64,
    pub class: &'static str,
    pub number: u32,
}

/// Panels of all audited faces, in the site's order. A face that the site does not know is left out.
pub(super) fn panels(audit: &Audit, site: &Site, picks: &[Pick<'_>]) -> Vec<Panel> {
    let mut books: BTreeMap<&FaceId, Vec<&PlacedBook>> = BTreeMap::new();
    for book in audit.books.iter().filter(|b| b.along_m.is_finite()) {
        books.entry(&book.face).or_default().push(book);
    }
    let mut panels = Vec::new();
    for (id, _, face) in site.faces() {
        let here = books.get(&id).map_or(&[][..], Vec::as_slice);
        let audited = audit.faces.contains(&id) || !here.is_empty();
        if !audited || face.bays == 0 || face.tiers.is_empty() {
            continue;
        }
        let parts = ((face.length_m() / LONGEST_PANEL_M).ceil() as u16).clamp(1, face.bays);
        let per_part = face.bays.div_ceil(parts);
        for part in 0..parts {
            let first = part * per_part + 1;
            let last = (first + per_part - 1).min(face.bays);
            if first <= last {
                panels.push(Drawing { id: &id, face, first, last }.panel(here, picks));
            }
        }
    }
    panels
}

/// Bays `first` to `last` of a face.
struct Drawing<'a> {
    id: &'a FaceId,
    face: &'a Face,
    first: u16,
    last: u16,
}

impl Drawing<'_> {
    fn x(&self, along_m: f64) -> f64 {
        LEFT + (along_m - f64::from(self.first - 1) * self.face.bay_width_m) * SCALE
    }

    fn top_m(&self) -> f64 {
        self.face.tiers.iter().map(|t| t.board_m + t.clear_m).fold(0.0, f64::max)
    }

    fn y(&self, z_m: f64) -> f64 {
        ABOVE + (self.top_m() - z_m) * SCALE
    }

    /// The bay of a place, those beyond the ends counted to the end bays.
    fn bay(&self, along_m: f32) -> u16 {
        let bay = (f64::from(along_m) / self.face.bay_width_m).floor() + 1.0;
        bay.clamp(1.0, f64::from(self.face.bays)) as u16
    }

    fn panel(&self, books: &[&PlacedBook], picks: &[Pick<'_>]) -> Panel {
        let numbers: BTreeMap<&Uid, u32> =
            picks.iter().filter(|p| p.error.found.is_some()).map(|p| (&p.error.item.uid, p.number)).collect();
        let mut spines = Vec::new();
        let mut edges: BTreeMap<&Uid, Edges> = BTreeMap::new();
        let mut tags: BTreeMap<usize, Vec<Tag>> = BTreeMap::new();
        for bay in self.first..=self.last {
            for tier in 0..self.face.tiers.len() {
                let mut shelf: Vec<&PlacedBook> = books
                    .iter()
                    .copied()
                    .filter(|b| usize::from(b.tier) == tier + 1 && self.bay(b.along_m) == bay)
                    .collect();
                shelf.sort_by(|a, b| {
                    a.along_m.total_cmp(&b.along_m).then_with(|| a.item.uid.cmp(&b.item.uid))
                });
                for (book, spine) in shelf.iter().zip(self.shelf(&shelf, bay, tier, &numbers)) {
                    edges
                        .insert(&book.item.uid, Edges { bay, tier, left: spine.x, right: spine.x + spine.w });
                    if spine.number > 0 {
                        let middle = spine.x + spine.w / 2.0;
                        tags.entry(tier).or_default().push(self.tag(
                            spine.number,
                            spine.class,
                            tier,
                            middle,
                            spine.y,
                        ));
                    }
                    spines.push(spine);
                }
            }
        }
        let gaps = self.gaps(picks, &edges, &mut tags);
        // Findings are drawn last, over their neighbours.
        spines.sort_by_key(|s| s.class != "ok");
        let length = f64::from(self.last - self.first + 1) * self.face.bay_width_m * SCALE;
        let whole = self.first == 1 && self.last == self.face.bays;
        Panel {
            face: self.id.to_string(),
            bays_shown: if whole { String::new() } else { format!("bays {} to {}", self.first, self.last) },
            width: round(LEFT + length + RIGHT),
            height: round(ABOVE + self.top_m() * SCALE + BELOW),
            length: round(length),
            bays: (self.first..=self.last).map(|bay| self.bay_mark(bay)).collect(),
            tiers: (0..self.face.tiers.len()).map(|tier| self.tier_mark(tier)).collect(),
            books: spines.len(),
            spines,
            gaps,
            tags: tags.into_values().flat_map(|row| side_by_side(row, LEFT, LEFT + length)).collect(),
        }
    }

    fn bay_mark(&self, bay: u16) -> BayMark {
        let from = f64::from(bay - 1) * self.face.bay_width_m;
        BayMark { x: round(self.x(from)), middle: round(self.x(from + self.face.bay_width_m / 2.0)), bay }
    }

    fn tier_mark(&self, tier: usize) -> TierMark {
        let t = &self.face.tiers[tier];
        TierMark {
            y: round(self.y(t.board_m)),
            middle: round(self.y(t.board_m + t.clear_m / 2.0)),
            tier: tier + 1,
        }
    }

    fn shelf(
        &self,
        books: &[&PlacedBook],
        bay: u16,
        tier: usize,
        numbers: &BTreeMap<&Uid, u32>,
    ) -> Vec<Spine> {
        let t = &self.face.tiers[tier];
        let width = |b: &PlacedBook| {
            let m = f64::from(b.thickness_m);
            (if m.is_finite() { m.max(THINNEST_M) } else { 0.025 }).min(self.face.bay_width_m)
        };
        let wanted: Vec<(f64, f64)> = books.iter().map(|b| (f64::from(b.along_m), width(b))).collect();
        let from = f64::from(bay - 1) * self.face.bay_width_m;
        let places = spread(&wanted, from, from + self.face.bay_width_m);
        books
            .iter()
            .zip(places)
            .map(|(book, (left, w))| {
                let known = f64::from(book.height_m);
                let known = if known.is_finite() && known > 0.0 { known } else { USUAL_HEIGHT_M };
                let h = known.clamp(0.08, (t.clear_m - 0.012).max(0.08));
                let number = match book.verdict {
                    Some(_) => numbers.get(&book.item.uid).copied().unwrap_or(0),
                    None => 0,
                };
                Spine {
                    x: round(self.x(left)),
                    y: round(self.y(t.board_m + h)),
                    w: round(w * SCALE),
                    h: round(h * SCALE),
                    class: words::class(book.verdict),
                    tip: tip(book, number),
                    number,
                }
            })
            .collect()
    }

    /// Marks for books that were not seen, between the neighbours that they belong between.
    fn gaps<'b>(
        &self,
        picks: &[Pick<'b>],
        edges: &BTreeMap<&'b Uid, Edges>,
        tags: &mut BTreeMap<usize, Vec<Tag>>,
    ) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for pick in picks.iter().filter(|p| p.error.found.is_none()) {
            let Some(home) = pick.error.home.as_ref().filter(|h| h.first.face == *self.id) else { continue };
            let tier_ok = |tier: usize| {
                (home.first.tier.min(home.last.tier)..=home.first.tier.max(home.last.tier))
                    .contains(&(tier as u8 + 1))
            };
            let bays = home.first.bay.min(home.last.bay)..=home.first.bay.max(home.last.bay);
            let neighbour = |i: usize| {
                let item = pick.error.belongs_between[i].as_ref()?;
                let e = edges.get(&item.uid)?;
                (tier_ok(e.tier) && bays.contains(&e.bay)).then_some(e)
            };
            let (left, right) = (neighbour(0), neighbour(1));
            let (tier, x) = match (left, right) {
                (Some(l), Some(r)) if l.tier == r.tier && l.bay == r.bay => {
                    (l.tier, (l.right + r.left) / 2.0)
                }
                (Some(l), _) => (l.tier, l.right),
                (None, Some(r)) => (r.tier, r.left),
                (None, None) => {
                    let bay = home.first.bay;
                    let tier = usize::from(home.first.tier).saturating_sub(1);
                    if !(self.first..=self.last).contains(&bay) || tier >= self.face.tiers.len() {
                        continue;
                    }
                    (tier, self.bay_mark(bay).middle)
                }
            };
            let t = &self.face.tiers[tier];
            let h = (t.clear_m - 0.012).clamp(0.05, USUAL_HEIGHT_M + 0.03);
            let class = words::class(Some(pick.error.kind));
            let gap = Gap {
                x: round(x),
                y: round(self.y(t.board_m + h)),
                h: round(h * SCALE),
                class,
                tip: format!(
                    "{}. {}: {}",
                    pick.number,
                    words::label(pick.error.kind),
                    words::neighbour(&pick.error.item)
                ),
                number: pick.number,
            };
            tags.entry(tier).or_default().push(self.tag(pick.number, class, tier, gap.x, gap.y));
            gaps.push(gap);
        }
        gaps
    }

    fn tag(&self, number: u32, class: &'static str, tier: usize, x: f64, y: f64) -> Tag {
        let w = TAG + DIGIT * f64::from(number.max(1).ilog10() + 1);
        let t = &self.face.tiers[tier];
        Tag {
            x: x - w / 2.0,
            y: round(self.y(t.board_m + t.clear_m) + 2.0),
            w: round(w),
            middle: x,
            to_x: round(x),
            to_y: y,
            class,
            number,
        }
    }
}

struct Edges {
    bay: u16,
    tier: usize,
    left: f64,
    right: f64,
}

fn tip(book: &PlacedBook, number: u32) -> String {
    let mut tip = words::neighbour(&book.item);
    if let Some(kind) = book.verdict {
        let number = if number > 0 { format!("{number}. ") } else { String::new() };
        tip = format!("{number}{}: {tip}", words::label(kind));
    }
    tip
}

/// Tags of one tier side by side, each as near to its mark as the others let it. Where they cannot all stand,
/// those of books not verified go first, then the last ones; the pick list has them all.
fn side_by_side(mut row: Vec<Tag>, from: f64, to: f64) -> Vec<Tag> {
    const APART: f64 = 1.5;
    let fits = |row: &[Tag]| row.iter().map(|t| t.w + APART).sum::<f64>() <= to - from;
    if !fits(&row) {
        row.retain(|t| t.class != "unverified");
    }
    while !fits(&row) {
        row.pop();
    }
    row.sort_by(|a, b| a.middle.total_cmp(&b.middle).then(a.number.cmp(&b.number)));
    let wanted: Vec<(f64, f64)> = row.iter().map(|t| (t.middle, t.w + APART)).collect();
    for (tag, (left, _)) in row.iter_mut().zip(spread(&wanted, from, to)) {
        tag.x = round(left + APART / 2.0);
        tag.middle = round(tag.x + tag.w / 2.0);
    }
    row
}

fn round(x: f64) -> f64 {
    (x * 10.0).round() / 10.0
}
