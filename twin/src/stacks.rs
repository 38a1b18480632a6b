//! The shelves as they really are: which book stands where, to the millimetre, and where its tag sits.
//!
//! This is the twin's truth. It goes to the radio, the lidar and the scoring, and into no message.

use std::collections::BTreeMap;

use domain::{ShelfAddress, Site, Uid};
use rand::RngExt;
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
}

/// One volume on a shelf.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slot {
    /// Index into [`Stacks::volumes`].
    pub volume: usize,
    /// Empty width left of it, m.
    pub gap_m: f64,
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
    /// The tag's centre in face coordinates, m.
    pub tag_m: [f64; 3],
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
            volumes.push(volume(book.uid.clone(), Some(i), book.thickness_m, book.height_m, tags, &mut rng));
            if !book.on_loan
                && let Some(shelf) = shelves.get_mut(&book.home)
            {
                shelf.push(Slot { volume: i, gap_m: 0.0 });
            }
        }
        Self { volumes, shelves, tags }
    }

    /// A volume that is not the library's; returns its index.
    pub(crate) fn add_foreign(
        &mut self,
        number: &[u8; 12],
        thickness_m: f64,
        height_m: f64,
        seed: u64,
    ) -> usize {
        let mut rng = stream(seed, &format!("stacks/foreign/{}", self.volumes.len()));
        let uid = self.tags.kind.uid(number);
        self.volumes.push(volume(uid, None, thickness_m, height_m, self.tags, &mut rng));
        self.volumes.len() - 1
    }

    /// Width that volumes and gaps take up on a shelf, m.
    pub fn used_m(&self, shelf: &[Slot]) -> f64 {
        shelf.iter().map(|s| s.gap_m + self.volumes[s.volume].thickness_m).sum()
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
        for (address, slots) in &self.shelves {
            let Some((_, face)) = site.face(&address.face) else { continue };
            let Some(tier) = face.tiers.get(usize::from(address.tier) - 1) else { continue };
            let (mut x, _) = usable(address.bay, face.bay_width_m);
            for (i, slot) in slots.iter().enumerate() {
                let v = &self.volumes[slot.volume];
                x += slot.gap_m;
                out.push(Standing {
                    volume: slot.volume,
                    address: address.clone(),
                    position: i as u32 + 1,
                    left_m: x,
                    tag_m: [x + v.tag_right_m, -(v.recess_m + v.tag_behind_m), tier.board_m + v.tag_up_m],
                });
                x += v.thickness_m;
            }
        }
        out
    }

    /// Adds the whole state to a state hash.
    pub fn hash_into(&self, hash: &mut Sha256) {
        for (address, slots) in &self.shelves {
            hash.update(address.to_string());
            for slot in slots {
                hash.update(self.volumes[slot.volume].uid.as_bytes());
                hash.update(slot.gap_m.to_bits().to_le_bytes());
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
    }
}
