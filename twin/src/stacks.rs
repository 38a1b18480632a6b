//! The shelves as they really are: which book stands where, to the millimetre, and where its tag sits.
//!
//! This is the twin's truth. It goes to the radio, the lidar and the scoring, and into no message.

use std::collections::BTreeMap;

use domain::site::Face;
use domain::{FaceId, ShelfAddress, Site, Uid};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::library::{Library, LibrarySettings, PANEL_M, TagKind, usable};
use crate::rng::stream;

/// A physical book with its tag, whether the library knows it or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    /// Tag identifier.
    pub uid: Uid,
    /// Index into [`Library::books`]; `None` for a book that is not the library's.
    pub book: Option<usize>,
    /// Thickness, m.
    pub thickness_m: f64,
    /// Height of the spine, m.
    pub height_m: f64,
    /// How far the spine stands behind the shelf's front edge, m.
    pub recess_m: f64,
    /// The tag's place from the volume's left side, m.
    pub tag_right_m: f64,
    /// The tag's depth behind the spine, m.
    pub tag_behind_m: f64,
    /// The tag's height above the board, m.
    pub tag_up_m: f64,
    /// Power that the tag's chip needs beyond the average's, dB.
    pub needs_db: f64,
}

impl Volume {
    /// Width that it takes up beside its neighbours, m: none on top of them.
    pub fn width_m(&self, posture: Posture) -> f64 {
        match posture {
            Posture::Upright | Posture::UpsideDown => self.thickness_m,
            Posture::Lying => 0.0,
            Posture::Leaning => self.thickness_m * libm::cos(LEAN_RAD) + self.height_m * libm::sin(LEAN_RAD),
        }
    }
}

/// How a volume stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Posture {
    /// On its foot, the spine to the aisle.
    #[default]
    Upright,
    /// On its head: the tag is at the other end of the spine and at the other cover.
    UpsideDown,
    /// Flat on top of its neighbours, the spine to the aisle: the tag lies across all others.
    Lying,
    /// Leans over to the left by [`LEAN_RAD`].
    Leaning,
}

/// How far a leaning book leans, rad: 12°, as far as a book of common size leans in a gap of four centimetres.
pub const LEAN_RAD: f64 = 0.21;

/// One volume on a shelf.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// Index into [`Stacks::volumes`].
    pub volume: usize,
    /// Empty width left of it, m.
    pub gap_m: f64,
    /// How it stands.
    pub posture: Posture,
    /// How far it was pushed back, beyond its own recess, m.
    pub back_m: f64,
}

impl Slot {
    /// A volume that stands as it should, right of the one before.
    pub fn upright(volume: usize) -> Self {
        Self { volume, gap_m: 0.0, posture: Posture::Upright, back_m: 0.0 }
    }
}

/// Where a volume stands, in face coordinates.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Index into [`Stacks::volumes`].
    pub volume: usize,
    /// The shelf.
    pub address: ShelfAddress,
    /// Position from the left end of the shelf, from 1.
    pub position: u32,
    /// Left side of the volume along the face, m.
    pub left_m: f64,
    /// Width that it takes up along the face, m.
    pub width_m: f64,
    /// Its lower edge above the board, m.
    pub up_m: f64,
    /// Its height as it stands, m.
    pub tall_m: f64,
    /// How far it was pushed back, beyond its own recess, m.
    pub back_m: f64,
    /// How it stands.
    pub posture: Posture,
    /// The tag's centre in face coordinates, m.
    pub tag_m: [f64; 3],
    /// Direction of the tag's dipole in face coordinates.
    pub axis: [f64; 3],
}

/// All volumes and shelves.
#[derive(Debug, Clone)]
pub struct Stacks {
    /// Volumes: the library's books in their order, then what is not the library's.
    pub volumes: Vec<Volume>,
    /// What stands on each shelf, from the left.
    pub shelves: BTreeMap<ShelfAddress, Vec<Slot>>,
    tags: Tags,
}

/// How the books are tagged.
#[derive(Debug, Clone, Copy)]
struct Tags {
    kind: TagKind,
    fore_edge_share: f64,
}

impl Stacks {
    /// Every book that is not on loan on its home shelf, in order and pushed together to the left.
    pub fn in_order(library: &Library, settings: &LibrarySettings, seed: u64) -> Self {
        let mut stacks = Self::empty(library, settings, seed);
        for (i, book) in library.books.iter().enumerate() {
            if !book.on_loan
                && let Some(shelf) = stacks.shelves.get_mut(&book.home)
            {
                shelf.push(Slot::upright(i));
            }
        }
        stacks
    }

    /// Empty shelves, with the library's books as volumes that stand nowhere yet.
    pub fn empty(library: &Library, settings: &LibrarySettings, seed: u64) -> Self {
        let tags = Tags { kind: settings.tags, fore_edge_share: settings.fore_edge_share };
        let mut rng = stream(seed, "stacks/volumes");
        let mut shelves: BTreeMap<ShelfAddress, Vec<Slot>> = BTreeMap::new();
        for (face, _, f) in library.site.faces() {
            for bay in 1..=f.bays {
                for tier in 1..=f.tiers.len() as u8 {
                    shelves.insert(ShelfAddress { face: face.clone(), bay, tier }, Vec::new());
                }
            }
        }
        let mut volumes = Vec::with_capacity(library.books.len());
        for (i, book) in library.books.iter().enumerate() {
            let volume = volume(book.uid.clone(), Some(i), book.thickness_m, book.height_m, tags, &mut rng);
            volumes.push(Volume { needs_db: settings.needs_db(&book.tag_model), ..volume });
        }
        Self { volumes, shelves, tags }
    }

    /// The identifier that a tag of the library's kind has by a number.
    pub(crate) fn uid(&self, number: &[u8; 12]) -> Uid {
        self.tags.kind.uid(number)
    }

    /// A volume that is not the library's; returns its index.
    pub(crate) fn add_foreign(&mut self, uid: Uid, thickness_m: f64, height_m: f64, seed: u64) -> usize {
        let mut rng = stream(seed, &format!("stacks/foreign/{}", self.volumes.len()));
        self.volumes.push(volume(uid, None, thickness_m, height_m, self.tags, &mut rng));
        self.volumes.len() - 1
    }

    /// Takes a volume off a shelf by its position from the left, from 1; a gap stays. `None` where nothing stands there.
    pub fn take(&mut self, from: &ShelfAddress, position: u32) -> Option<usize> {
        let at = (position as usize).checked_sub(1)?;
        let slots = self.shelves.get_mut(from).filter(|s| at < s.len())?;
        let slot = slots.remove(at);
        let width = self.volumes[slot.volume].width_m(slot.posture);
        if let Some(next) = slots.get_mut(at) {
            next.gap_m += slot.gap_m + width;
        }
        Some(slot.volume)
    }

    /// Puts a volume at the right end of a shelf; it stands nowhere where that has no room.
    pub fn append(&mut self, to: &ShelfAddress, volume: usize, site: &Site) {
        let Some((_, face)) = site.face(&to.face) else { return };
        let (left, right) = usable(to.bay, face.bay_width_m);
        let used = self.shelves.get(to).map_or(f64::INFINITY, |slots| self.used_m(slots));
        if used + self.volumes[volume].thickness_m <= right - left
            && let Some(slots) = self.shelves.get_mut(to)
        {
            slots.push(Slot::upright(volume));
        }
    }

    /// Width that volumes and gaps take up on a shelf, m.
    pub fn used_m(&self, shelf: &[Slot]) -> f64 {
        shelf.iter().map(|s| s.gap_m + self.volumes[s.volume].width_m(s.posture)).sum()
    }

    /// The shelf and the place on it of a volume; `None` when it stands nowhere.
    pub fn find(&self, volume: usize) -> Option<(ShelfAddress, usize)> {
        self.shelves
            .iter()
            .find_map(|(a, slots)| Some((a.clone(), slots.iter().position(|s| s.volume == volume)?)))
    }

    /// Every standing volume with its place, shelf by shelf in the order of addresses.
    pub fn standing(&self, site: &Site) -> Vec<Standing> {
        let mut out = Vec::with_capacity(self.volumes.len());
        let mut last: Option<(&FaceId, &Face)> = None;
        for (address, slots) in &self.shelves {
            // Addresses come face by face.
            let face = match last {
                Some((id, face)) if *id == address.face => face,
                _ => match site.face(&address.face) {
                    Some((_, face)) => face,
                    None => continue,
                },
            };
            last = Some((&address.face, face));
            if let Some(tier) = face.tiers.get(usize::from(address.tier) - 1) {
                let (left, _) = usable(address.bay, face.bay_width_m);
                self.stand(address, slots, left, tier.board_m, &mut out);
            }
        }
        out
    }

    /// Where the volumes of one shelf stand.
    fn stand(
        &self,
        address: &ShelfAddress,
        slots: &[Slot],
        mut x: f64,
        board_m: f64,
        out: &mut Vec<Standing>,
    ) {
        let first_x = x;
        for (i, slot) in slots.iter().enumerate() {
            let v = &self.volumes[slot.volume];
            x += slot.gap_m;
            let top = match slot.posture {
                Posture::Lying => self.top_m(slots, first_x, [x, x + v.height_m]),
                _ => 0.0,
            };
            let (s, c) = (libm::sin(LEAN_RAD), libm::cos(LEAN_RAD));
            let (right, up) = (v.tag_right_m, v.tag_up_m);
            let (tag, axis, width_m, up_m, tall_m) = match slot.posture {
                Posture::Upright => ([right, up], [0.0, 0.0, 1.0], v.thickness_m, 0.0, v.height_m),
                Posture::UpsideDown => {
                    let tag = [v.thickness_m - right, v.height_m - up];
                    (tag, [0.0, 0.0, -1.0], v.thickness_m, 0.0, v.height_m)
                }
                // Laid over to the left: its head lies there, the cover with the tag is below.
                Posture::Lying => {
                    ([v.height_m - up, top + right], [-1.0, 0.0, 0.0], v.height_m, top, v.thickness_m)
                }
                Posture::Leaning => {
                    let tag = [(v.height_m - up) * s + right * c, up * c + right * s];
                    (tag, [-s, 0.0, c], v.width_m(slot.posture), 0.0, v.height_m * c + v.thickness_m * s)
                }
            };
            out.push(Standing {
                volume: slot.volume,
                address: address.clone(),
                position: i as u32 + 1,
                left_m: x,
                width_m,
                up_m,
                tall_m,
                back_m: slot.back_m,
                posture: slot.posture,
                tag_m: [x + tag[0], -(v.recess_m + slot.back_m + v.tag_behind_m), board_m + tag[1]],
                axis,
            });
            x += v.width_m(slot.posture);
        }
    }

    /// How high the tallest of those volumes reaches that stand between two places on a shelf, m.
    fn top_m(&self, slots: &[Slot], mut x: f64, [from, to]: [f64; 2]) -> f64 {
        let mut top = 0.0f64;
        for slot in slots {
            let v = &self.volumes[slot.volume];
            let left = x + slot.gap_m;
            x = left + v.width_m(slot.posture);
            if slot.posture != Posture::Lying && left < to && x > from {
                top = top.max(v.height_m);
            }
        }
        top
    }

    /// Adds the whole state to a state hash.
    pub fn hash_into(&self, hash: &mut Sha256) {
        for (address, slots) in &self.shelves {
            hash.update(address.to_string());
            for slot in slots {
                hash.update(self.volumes[slot.volume].uid.as_bytes());
                hash.update(slot.gap_m.to_bits().to_le_bytes());
                hash.update(slot.back_m.to_bits().to_le_bytes());
                hash.update([slot.posture as u8]);
            }
        }
        for v in &self.volumes {
            for m in [v.thickness_m, v.recess_m, v.tag_right_m, v.tag_behind_m, v.tag_up_m] {
                hash.update(m.to_bits().to_le_bytes());
            }
        }
    }
}

/// Half the depth of a double-sided row behind a face's front, m: the middle of its back panel.
pub fn panel_behind_m(shelf_depth_m: f64) -> f64 {
    shelf_depth_m + PANEL_M / 2.0
}

fn volume(
    uid: Uid,
    book: Option<usize>,
    thickness_m: f64,
    height_m: f64,
    tags: Tags,
    rng: &mut impl rand::Rng,
) -> Volume {
    // The tag is stuck inside the back cover next to the spine; a Western or modern Chinese book that stands
    // upright shows its back cover on the left.
    let tag_right_m = (0.0015 + rng.random_range(0.0..0.001f64)).min(thickness_m / 2.0);
    let recess_m = rng.random_range(0.0..0.012);
    // A UHF label is a strip along the spine; the middle of a card-sized HF label is some centimetres behind it.
    let tag_behind_m = match tags.kind {
        TagKind::Uhf => rng.random_range(0.003..0.018),
        TagKind::Hf if rng.random::<f64>() < tags.fore_edge_share => rng.random_range(0.10..0.13),
        TagKind::Hf => rng.random_range(0.025..0.045),
    };
    Volume {
        uid,
        book,
        thickness_m,
        height_m,
        recess_m,
        tag_right_m,
        tag_behind_m,
        tag_up_m: rng.random_range(0.04..0.12),
        needs_db: 0.0,
    }
}
