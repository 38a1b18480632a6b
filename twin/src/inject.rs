//! Puts errors on the shelves: missing, misplaced, out of order, foreign, on loan yet standing there.
//!
//! What was done is written down in a list that only scoring sees.

use std::collections::BTreeSet;

use domain::{ErrorKind, ShelfAddress, Site, Uid};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::library::{Library, UPRIGHT_M};
use crate::rng::{pick, stream};
use crate::stacks::{Posture, Slot, Stacks};

/// How many errors of each kind are put on the shelves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ErrorSettings {
    /// Books taken away.
    pub missing: u32,
    /// Books moved to another tier, bay or row face, a third each.
    pub misplaced: u32,
    /// Books moved within their shelf by at least four places; at most one a shelf.
    pub out_of_order: u32,
    /// Tagged things that the catalogue does not know.
    pub foreign: u32,
    /// Books that are on loan by the records and yet stand in their place.
    pub on_loan_on_shelf: u32,
}

impl Default for ErrorSettings {
    fn default() -> Self {
        Self { missing: 30, misplaced: 30, out_of_order: 15, foreign: 8, on_loan_on_shelf: 4 }
    }
}

impl ErrorSettings {
    /// A library without errors.
    pub const NONE: Self =
        Self { missing: 0, misplaced: 0, out_of_order: 0, foreign: 0, on_loan_on_shelf: 0 };
}

/// Books that stand in their place, but not as they should: no error for an audit, yet other work for radio and lidar.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UntidySettings {
    /// Books on their heads.
    pub upside_down: u32,
    /// Books that lie flat on top of their neighbours.
    pub lying: u32,
    /// Books at the end of a shelf that lean over.
    pub leaning: u32,
    /// Books pushed back by 3 to 8 cm.
    pub pushed_back: u32,
}

/// One error on the shelves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Injected {
    /// What is wrong.
    pub kind: ErrorKind,
    /// The tag.
    pub uid: Uid,
    /// Barcode; empty for what is not the library's.
    pub barcode: String,
    /// Where it belongs; `None` for what is not the library's.
    pub home: Option<ShelfAddress>,
    /// Where it stands; `None` when it is missing.
    pub stands: Option<ShelfAddress>,
    /// Places to the right that it was moved within its shelf; 0 for other kinds.
    pub moved_by: i32,
}

/// A library too small for the errors asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{table}.{key}: found {wanted}, but this library has room for {placed} only")]
pub struct NoRoom {
    /// The table of the setting.
    pub table: &'static str,
    /// The setting.
    pub key: &'static str,
    /// Errors asked for.
    pub wanted: u32,
    /// Errors that fit.
    pub placed: u32,
}

/// The least move that counts as out of order, in places.
pub const LEAST_MOVE: usize = 4;
/// Books that a shelf must hold before one of them is put out of order.
const FULL_SHELF: usize = 10;

/// Puts the errors on the shelves.
pub fn inject(
    stacks: &mut Stacks,
    library: &Library,
    settings: &ErrorSettings,
    seed: u64,
) -> Result<Vec<Injected>, NoRoom> {
    let mut work = Work {
        stacks,
        library,
        rng: stream(seed, "errors"),
        seed,
        touched: BTreeSet::new(),
        disordered: BTreeSet::new(),
        done: Vec::new(),
    };
    // What comes onto the shelves first, so that places counted afterwards stay true.
    work.repeat("on_loan_on_shelf", settings.on_loan_on_shelf, Work::return_loan)?;
    work.repeat("foreign", settings.foreign, Work::add_foreign)?;
    work.repeat("misplaced", settings.misplaced, Work::misplace)?;
    work.repeat("missing", settings.missing, Work::take_away)?;
    work.repeat("out_of_order", settings.out_of_order, Work::disorder)?;
    Ok(work.done)
}

/// What is wrong on shelves that came from a table: books away, in another place than their home, unknown, or on loan
/// yet standing. Order within a home is left to the reader of the table.
pub fn differences(stacks: &Stacks, library: &Library) -> Vec<Injected> {
    let mut stands: Vec<Option<&ShelfAddress>> = vec![None; stacks.volumes.len()];
    for (address, slots) in &stacks.shelves {
        slots.iter().for_each(|s| stands[s.volume] = Some(address));
    }
    let mut found = Vec::new();
    for (volume, at) in stacks.volumes.iter().zip(stands) {
        let book = volume.book.map(|b| &library.books[b]);
        let kind = match (book, at) {
            (None, Some(_)) => ErrorKind::NotInCatalogue,
            (Some(b), None) if !b.on_loan => ErrorKind::Missing,
            (Some(b), Some(_)) if b.on_loan => ErrorKind::OnLoan,
            (Some(b), Some(at)) => {
                let home = b.home_range();
                if at.face.floor != home.first.face.floor {
                    ErrorKind::MisplacedFloor
                } else if at.face != home.first.face {
                    ErrorKind::MisplacedRow
                } else if !(home.first.bay..=home.last.bay).contains(&at.bay) {
                    ErrorKind::MisplacedBay
                } else if b.range.is_none() && at.tier != home.first.tier {
                    ErrorKind::MisplacedTier
                } else {
                    continue;
                }
            }
            _ => continue,
        };
        found.push(Injected {
            kind,
            uid: volume.uid.clone(),
            barcode: book.map_or_else(String::new, |b| b.barcode.clone()),
            home: book.map(|b| b.home.clone()),
            stands: at.cloned(),
            moved_by: 0,
        });
    }
    found
}

/// Lays, turns, leans and pushes books that have no error.
pub fn untidy(
    stacks: &mut Stacks,
    site: &Site,
    settings: &UntidySettings,
    errors: &[Injected],
    seed: u64,
) -> Result<(), NoRoom> {
    let mut rng = stream(seed, "untidy");
    let wrong: BTreeSet<&Uid> = errors.iter().map(|e| &e.uid).collect();
    let addresses: Vec<ShelfAddress> =
        stacks.shelves.iter().filter(|(_, s)| !s.is_empty()).map(|(a, _)| a.clone()).collect();
    for (key, wanted, posture) in [
        ("upside_down", settings.upside_down, Posture::UpsideDown),
        ("lying", settings.lying, Posture::Lying),
        ("leaning", settings.leaning, Posture::Leaning),
        ("pushed_back", settings.pushed_back, Posture::Upright),
    ] {
        for placed in 0..wanted {
            let draws = if addresses.is_empty() { 0 } else { 4000 };
            let found = (0..draws).any(|_| {
                let address = pick(&mut rng, &addresses);
                let back_m = rng.random_range(0.03..0.08);
                let at = rng.random_range(0..stacks.shelves[address].len());
                set_posture(stacks, site, address, at, posture, back_m, &wrong)
            });
            if !found {
                return Err(NoRoom { table: "untidy", key, wanted, placed });
            }
        }
    }
    Ok(())
}

/// Gives one tidy book a posture where there is room for it.
fn set_posture(
    stacks: &mut Stacks,
    site: &Site,
    address: &ShelfAddress,
    at: usize,
    posture: Posture,
    back_m: f64,
    wrong: &BTreeSet<&Uid>,
) -> bool {
    let Some((_, face)) = site.face(&address.face) else { return false };
    let Some(tier) = face.tiers.get(usize::from(address.tier) - 1) else { return false };
    let slots = &stacks.shelves[address];
    // Only the last book of a shelf finds room to lean.
    let at = if posture == Posture::Leaning { slots.len() - 1 } else { at };
    let slot = slots[at];
    let v = &stacks.volumes[slot.volume];
    let width_m = face.bay_width_m - UPRIGHT_M;
    let used = stacks.used_m(slots);
    let tallest = slots.iter().map(|s| stacks.volumes[s.volume].height_m).fold(0.0, f64::max);
    let room = match posture {
        Posture::Upright => v.recess_m + back_m + 0.15 < face.depth_m,
        Posture::UpsideDown => true,
        Posture::Lying => {
            let left: f64 = stacks.used_m(&slots[..at]);
            slots.len() > 1 && tallest + v.thickness_m < tier.clear_m && left + v.height_m < width_m
        }
        Posture::Leaning => slots.len() > 1 && used - v.thickness_m + v.width_m(posture) < width_m,
    };
    if !room || wrong.contains(&v.uid) || slot.posture != Posture::Upright || slot.back_m > 0.0 {
        return false;
    }
    if let Some(slot) = stacks.shelves.get_mut(address).and_then(|s| s.get_mut(at)) {
        slot.posture = posture;
        slot.back_m = if posture == Posture::Upright { back_m } else { 0.0 };
    }
    true
}

struct Work<'a> {
    stacks: &'a mut Stacks,
    library: &'a Library,
    rng: ChaCha8Rng,
    seed: u64,
    /// Books that already have their error.
    touched: BTreeSet<usize>,
    /// Shelves with a book out of order.
    disordered: BTreeSet<ShelfAddress>,
    done: Vec<Injected>,
}

impl Work<'_> {
    /// Places `wanted` errors; a draw that does not fit is drawn again, a bounded number of times.
    fn repeat(
        &mut self,
        key: &'static str,
        wanted: u32,
        mut one: impl FnMut(&mut Self, u32) -> Option<Injected>,
    ) -> Result<(), NoRoom> {
        for placed in 0..wanted {
            // A few books of very many are hit by no fewer draws than there are books.
            let draws = 2000.max(4 * self.library.books.len());
            let error = (0..draws).find_map(|_| one(self, placed)).ok_or(NoRoom {
                table: "errors",
                key,
                wanted,
                placed,
            })?;
            self.done.push(error);
        }
        Ok(())
    }

    /// A book of the library without an error yet, on loan or not as asked.
    fn victim(&mut self, on_loan: bool) -> Option<usize> {
        if self.library.books.is_empty() {
            return None;
        }
        let i = self.rng.random_range(0..self.library.books.len());
        (self.library.books[i].on_loan == on_loan && !self.touched.contains(&i)).then_some(i)
    }

    fn entry(&self, kind: ErrorKind, book: usize, stands: Option<ShelfAddress>) -> Injected {
        let b = &self.library.books[book];
        Injected {
            kind,
            uid: b.uid.clone(),
            barcode: b.barcode.clone(),
            home: Some(b.home.clone()),
            stands,
            moved_by: 0,
        }
    }

    fn capacity_m(&self, address: &ShelfAddress) -> f64 {
        self.library.site.face(&address.face).map_or(0.0, |(_, f)| f.bay_width_m - UPRIGHT_M)
    }

    fn fits(&self, address: &ShelfAddress, thickness_m: f64) -> bool {
        self.stacks
            .shelves
            .get(address)
            .is_some_and(|slots| self.stacks.used_m(slots) + thickness_m < self.capacity_m(address) - 0.005)
    }

    fn insert(&mut self, address: &ShelfAddress, at: usize, volume: usize) {
        if let Some(slots) = self.stacks.shelves.get_mut(address) {
            slots.insert(at.min(slots.len()), Slot::upright(volume));
        }
    }

    /// Takes a volume off its shelf. The books right of it lean over or stay: the gap closes every other time.
    fn remove(&mut self, address: &ShelfAddress, at: usize) -> Option<usize> {
        let stays = self.rng.random_bool(0.5);
        let slots = self.stacks.shelves.get_mut(address)?;
        let slot = slots.remove(at);
        if stays && let Some(next) = slots.get_mut(at) {
            next.gap_m += slot.gap_m + self.stacks.volumes[slot.volume].thickness_m;
        }
        Some(slot.volume)
    }

    fn return_loan(&mut self, _: u32) -> Option<Injected> {
        let book = self.victim(true)?;
        let home = self.library.books[book].home.clone();
        if !self.fits(&home, self.library.books[book].thickness_m) {
            return None;
        }
        // Volumes of the library are numbered in shelf order, so the place is found by number.
        let at = self.stacks.shelves.get(&home)?.iter().filter(|s| s.volume < book).count();
        self.insert(&home, at, book);
        self.touched.insert(book);
        Some(self.entry(ErrorKind::OnLoan, book, Some(home)))
    }

    fn add_foreign(&mut self, n: u32) -> Option<Injected> {
        let address = self.any_shelf(|_| true)?;
        let thickness = self.rng.random_range(0.010..0.040);
        if !self.fits(&address, thickness) {
            return None;
        }
        let uid = self.stacks.uid(&foreign_epc(n, &mut self.rng));
        let volume = self.stacks.add_foreign(uid, thickness, 0.21, self.seed);
        let len = self.stacks.shelves.get(&address)?.len();
        let at = self.rng.random_range(0..=len);
        self.insert(&address, at, volume);
        Some(Injected {
            kind: ErrorKind::NotInCatalogue,
            uid: self.stacks.volumes[volume].uid.clone(),
            barcode: String::new(),
            home: None,
            stands: Some(address),
            moved_by: 0,
        })
    }

    fn misplace(&mut self, n: u32) -> Option<Injected> {
        let kind =
            [ErrorKind::MisplacedTier, ErrorKind::MisplacedBay, ErrorKind::MisplacedRow][n as usize % 3];
        let book = self.victim(false)?;
        let home = self.library.books[book].home.clone();
        let to = self.any_shelf(|a| match kind {
            ErrorKind::MisplacedTier => a.face == home.face && a.bay == home.bay && a.tier != home.tier,
            ErrorKind::MisplacedBay => a.face == home.face && a.bay != home.bay,
            _ => a.face != home.face,
        })?;
        if !self.fits(&to, self.library.books[book].thickness_m) {
            return None;
        }
        let at = self.stacks.shelves.get(&home)?.iter().position(|s| s.volume == book)?;
        let volume = self.remove(&home, at)?;
        let len = self.stacks.shelves.get(&to)?.len();
        let at = self.rng.random_range(0..=len);
        self.insert(&to, at, volume);
        self.touched.insert(book);
        Some(self.entry(kind, book, Some(to)))
    }

    fn take_away(&mut self, _: u32) -> Option<Injected> {
        let book = self.victim(false)?;
        let home = self.library.books[book].home.clone();
        let at = self.stacks.shelves.get(&home)?.iter().position(|s| s.volume == book)?;
        self.remove(&home, at)?;
        self.touched.insert(book);
        Some(self.entry(ErrorKind::Missing, book, None))
    }

    fn disorder(&mut self, _: u32) -> Option<Injected> {
        let book = self.victim(false)?;
        let home = self.library.books[book].home.clone();
        // Books that have no error themselves: among them the order is defined.
        let own: Vec<usize> = self
            .stacks
            .shelves
            .get(&home)?
            .iter()
            .map(|s| s.volume)
            .filter(|v| self.library.books.get(*v).is_some_and(|b| b.home == home))
            .collect();
        if own.len() < FULL_SHELF || self.disordered.contains(&home) {
            return None;
        }
        let from = own.iter().position(|v| *v == book)?;
        let to = self.rng.random_range(0..own.len());
        if from.abs_diff(to) < LEAST_MOVE {
            return None;
        }
        // The book goes behind (moved right) or before (moved left) the one that now has its new place.
        let goal = own[to];
        let at = self.stacks.shelves.get(&home)?.iter().position(|s| s.volume == book)?;
        self.remove(&home, at)?;
        let anchor = self.stacks.shelves.get(&home)?.iter().position(|s| s.volume == goal)?;
        let at = if to > from { anchor + 1 } else { anchor };
        self.insert(&home, at, book);
        self.close_overflow(&home);
        self.touched.insert(book);
        self.disordered.insert(home.clone());
        let moved_by = to as i32 - from as i32;
        Some(Injected { moved_by, ..self.entry(ErrorKind::OutOfOrder, book, Some(home)) })
    }

    /// A gap that stayed and a book put in elsewhere may ask for more width than there is: then gaps close.
    fn close_overflow(&mut self, address: &ShelfAddress) {
        let capacity = self.capacity_m(address);
        let Some(slots) = self.stacks.shelves.get(address) else { return };
        if self.stacks.used_m(slots) > capacity
            && let Some(slots) = self.stacks.shelves.get_mut(address)
        {
            slots.iter_mut().for_each(|s| s.gap_m = 0.0);
        }
    }

    fn any_shelf(&mut self, allowed: impl Fn(&ShelfAddress) -> bool) -> Option<ShelfAddress> {
        let shelves: Vec<&ShelfAddress> = self.stacks.shelves.keys().filter(|a| allowed(a)).collect();
        if shelves.is_empty() { None } else { Some((*pick(&mut self.rng, &shelves)).clone()) }
    }
}

/// Tags that are not the library's: another library's barcode in ASCII, or an item from a shop (SGTIN-96).
fn foreign_epc(n: u32, rng: &mut impl Rng) -> [u8; 12] {
    let mut epc = [0u8; 12];
    if n.is_multiple_of(2) {
        let text = format!("77{:010}", rng.random_range(0..10_000_000_000u64));
        for (to, from) in epc.iter_mut().zip(text.bytes()) {
            *to = from;
        }
    } else {
        epc.iter_mut().for_each(|b| *b = rng.random());
        epc[0] = 0x30;
    }
    epc
}
