//! A made-up library and a made-up locator for the audit's tests: books left to right on their shelves, errors put
//! in on request, sightings with position noise, tier confusion, ghosts from behind and a pass's common offset.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::{FaceId, Home, ShelfAddress};
use crate::callnumber::Scheme;
use crate::catalogue::{Catalogue, Item, ItemStatus};
use crate::coverage::Coverage;
use crate::sighting::Sighting;
use crate::site::{Face, Floor, Site, Tier};
use crate::uid::Uid;

const BAYS: u16 = 5;
const TIERS: u8 = 6;
const BAY_WIDTH_M: f64 = 0.9;

/// How the made-up locator errs.
#[derive(Debug, Clone)]
pub struct Noise {
    pub along_std_m: f64,
    /// Share of tags whose likeliest tier is wrong.
    pub tier_confusion: f64,
    /// Probability it gives to the likeliest tier of a clear tag.
    pub tier_sureness: f64,
    /// Share of tags read from behind the panel too.
    pub ghost_share: f64,
    /// Common offset of all positions, m.
    pub offset_m: f64,
}

impl Noise {
    pub fn honest() -> Self {
        Self {
            along_std_m: 0.012,
            tier_confusion: 0.01,
            tier_sureness: 0.995,
            ghost_share: 0.2,
            offset_m: 0.0,
        }
    }
}

/// splitmix64: the tests need numbers, not a package.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }

    pub fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
}

struct Copy {
    uid: Uid,
    barcode: String,
    thickness_m: f64,
}

pub struct World {
    pub site: Site,
    pub catalogue: Catalogue,
    items: Vec<Item>,
    /// What really stands on each shelf, from the left.
    shelves: BTreeMap<ShelfAddress, Vec<Copy>>,
    random: Random,
}

impl World {
    /// `faces` of the faces R01A, R01B, R02A, R02B.
    pub fn new(seed: u64, faces: usize) -> Self {
        let mut random = Random::new(seed);
        let names = ["R01A", "R01B", "R02A", "R02B"];
        let site = Site {
            name: "test".into(),
            floors: vec![Floor {
                id: "1F".into(),
                walls: vec![],
                faces: names[..faces].iter().enumerate().map(|(i, n)| face(n, i)).collect(),
                markers: vec![],
                docks: vec![],
                desks: vec![],
                places: vec![],
                no_go: vec![],
            }],
        };
        let mut items = Vec::new();
        let mut shelves = BTreeMap::new();
        for name in &names[..faces] {
            let id: FaceId = format!("1F/{name}").parse().unwrap();
            for bay in 1..=BAYS {
                for tier in (1..=TIERS).rev() {
                    let address = ShelfAddress { face: id.clone(), bay, tier };
                    let mut on_shelf = Vec::new();
                    let mut width = 0.0;
                    loop {
                        let thickness = (0.023 * (0.4 * random.normal()).exp()).clamp(0.005, 0.06);
                        if width + thickness > 0.84 * BAY_WIDTH_M {
                            break;
                        }
                        width += thickness;
                        let n = items.len();
                        let copy = Copy {
                            uid: Uid::new(&(n as u32 + 0x1000).to_be_bytes()).unwrap(),
                            barcode: format!("b{n:05}"),
                            thickness_m: thickness,
                        };
                        items.push(Item {
                            barcode: copy.barcode.clone(),
                            uid: Some(copy.uid.clone()),
                            call_number: format!("QA{}", n + 1),
                            scheme: Scheme::Lcc,
                            title: format!("Book {n}"),
                            author: String::new(),
                            thickness_m: thickness as f32,
                            height_m: 0.24,
                            home: Home { first: address.clone(), last: address.clone() },
                            status: ItemStatus::Available,
                            tag_model: String::new(),
                        });
                        on_shelf.push(copy);
                    }
                    shelves.insert(address, on_shelf);
                }
            }
        }
        let catalogue = Catalogue::from_items("test", items.clone()).unwrap();
        Self { site, catalogue, items, shelves, random }
    }

    fn take_random(&mut self) -> (ShelfAddress, usize, Copy) {
        let shelves: Vec<_> = self.shelves.iter().filter(|s| s.1.len() > 8).map(|s| s.0.clone()).collect();
        let shelf = shelves[self.random.below(shelves.len())].clone();
        let books = self.shelves.get_mut(&shelf).unwrap();
        // A book that already stands wrong is left alone.
        loop {
            let at = self.random.below(books.len());
            let item = self.items.iter().find(|i| i.barcode == books[at].barcode);
            if item.is_some_and(|i| i.home.first == shelf && i.status == ItemStatus::Available) {
                return (shelf, at, books.remove(at));
            }
        }
    }

    /// Takes books away; their barcodes, sorted.
    pub fn remove(&mut self, count: usize) -> Vec<String> {
        let mut gone: Vec<String> = (0..count).map(|_| self.take_random().2.barcode).collect();
        gone.sort();
        gone
    }

    /// Puts books on other shelves: a third each on another tier, bay, row.
    pub fn misplace(&mut self, count: usize) -> Vec<String> {
        let mut moved = Vec::new();
        for i in 0..count {
            let (home, _, copy) = self.take_random();
            moved.push(copy.barcode.clone());
            let other = |a: &ShelfAddress| match i % 3 {
                0 => a.face == home.face && a.bay == home.bay && a.tier != home.tier,
                1 => a.face == home.face && a.bay != home.bay,
                _ => a.face != home.face,
            };
            let mut there: Vec<_> = self.shelves.keys().filter(|a| other(a)).cloned().collect();
            if there.is_empty() {
                there = self.shelves.keys().filter(|a| a.bay != home.bay).cloned().collect();
            }
            let shelf = there[self.random.below(there.len())].clone();
            let books = self.shelves.get_mut(&shelf).unwrap();
            let at = self.random.below(books.len() + 1);
            books.insert(at, copy);
        }
        moved.sort();
        moved
    }

    /// Moves books by at least `by` places on their own shelf.
    pub fn disorder(&mut self, count: usize, by: usize) -> Vec<String> {
        let mut moved = Vec::new();
        while moved.len() < count {
            let (shelf, from, copy) = self.take_random();
            let n = self.shelves[&shelf].len();
            let to = loop {
                let to = self.random.below(n + 1);
                if to.abs_diff(from) >= by {
                    break to;
                }
            };
            if !moved.contains(&copy.barcode) {
                moved.push(copy.barcode.clone());
            }
            self.shelves.get_mut(&shelf).unwrap().insert(to, copy);
        }
        moved.sort();
        moved
    }

    pub fn add_foreign(&mut self, count: usize) -> Vec<Uid> {
        let mut uids = Vec::new();
        for i in 0..count {
            let uid = Uid::new(&[0xF0, 0, i as u8]).unwrap();
            uids.push(uid.clone());
            let shelves: Vec<_> = self.shelves.keys().cloned().collect();
            let shelf = shelves[self.random.below(shelves.len())].clone();
            let copy = Copy { uid, barcode: String::new(), thickness_m: 0.02 };
            self.shelves.get_mut(&shelf).unwrap().insert(3, copy);
        }
        uids
    }

    /// Lends books, which stay on their shelves all the same if `stay`.
    pub fn lend(&mut self, count: usize, stay: bool) -> Vec<String> {
        let mut lent = Vec::new();
        for _ in 0..count {
            let (shelf, at, copy) = self.take_random();
            lent.push(copy.barcode.clone());
            self.items.iter_mut().find(|i| i.barcode == copy.barcode).unwrap().status = ItemStatus::OnLoan;
            if stay {
                self.shelves.get_mut(&shelf).unwrap().insert(at, copy);
            }
        }
        self.catalogue = Catalogue::from_items("test", self.items.clone()).unwrap();
        lent.sort();
        lent
    }

    /// Takes the tags' identifiers out of the catalogue.
    pub fn forget_tags(&mut self) {
        self.items.iter_mut().for_each(|i| i.uid = None);
        self.catalogue = Catalogue::from_items("test", self.items.clone()).unwrap();
    }

    /// Gives every third book an old tag, named in the catalogue, and thins the reads of such tags to `rate`; those
    /// without a read left are lost.
    pub fn age_tags(&mut self, sightings: &mut Vec<Sighting>, rate: f64) {
        let mut random = Random::new(7);
        let old: BTreeSet<Uid> = self
            .items
            .iter_mut()
            .step_by(3)
            .filter_map(|i| {
                i.tag_model = "old".into();
                i.uid.clone()
            })
            .collect();
        self.catalogue = Catalogue::from_items("test", self.items.clone()).unwrap();
        for s in sightings.iter_mut().filter(|s| old.contains(&s.uid)) {
            s.reads = (0..s.reads).filter(|_| random.unit() < rate).count() as u32;
        }
        sightings.retain(|s| s.reads > 0);
    }

    /// Takes the tags' models out of the catalogue.
    pub fn forget_models(&mut self) {
        self.items.iter_mut().for_each(|i| i.tag_model.clear());
        self.catalogue = Catalogue::from_items("test", self.items.clone()).unwrap();
    }

    pub fn shuffled_catalogue(&self, seed: u64) -> Catalogue {
        let mut items = self.items.clone();
        let mut random = Random::new(seed);
        for i in (1..items.len()).rev() {
            items.swap(i, random.below(i + 1));
        }
        Catalogue::from_items("test", items).unwrap()
    }

    pub fn uid(&self, barcode: &str) -> Uid {
        self.catalogue.by_barcode(barcode).unwrap().uid.unwrap().clone()
    }

    /// Shelf and centre along, m.
    pub fn true_place(&self, barcode: &str) -> (ShelfAddress, f64) {
        let place = self.places().into_iter().find(|p| p.2.barcode == barcode).unwrap();
        (place.0.clone(), place.1)
    }

    pub fn on_shelf(&self, shelf: &ShelfAddress) -> Vec<String> {
        self.shelves[shelf].iter().map(|c| c.barcode.clone()).collect()
    }

    fn places(&self) -> Vec<(&ShelfAddress, f64, &Copy)> {
        let mut all = Vec::new();
        for (shelf, books) in &self.shelves {
            let mut x = f64::from(shelf.bay - 1) * BAY_WIDTH_M;
            for copy in books {
                all.push((shelf, x + 0.5 * copy.thickness_m, copy));
                x += copy.thickness_m;
            }
        }
        all
    }

    /// What a locator gives for so many passes over every face; its errors repeat from pass to pass.
    pub fn passes(&self, noise: &Noise, passes: u32) -> (Vec<Sighting>, Vec<Coverage>) {
        let mut random = Random::new(99);
        let faces: Vec<FaceId> = self.site.faces().map(|f| f.0).collect();
        let (mut sightings, mut coverage) = (Vec::new(), Vec::new());
        for (shelf, along, copy) in self.places() {
            let error = noise.along_std_m * random.normal();
            let tier = tiers(shelf.tier, noise, &mut random);
            let ghost = random.unit() < noise.ghost_share;
            let reads = 8 + random.below(25) as u32;
            for pass in 1..=passes {
                let along = along + error + 0.003 * random.normal() + noise.offset_m;
                let seen = sighting(copy, &shelf.face, pass, along, noise, reads, &tier);
                sightings.push(Sighting { face_probability: 0.97, rssi_dbm: -52.0, ..seen });
                let behind = faces.iter().position(|f| *f == shelf.face).map(|i| i ^ 1);
                if let Some(behind) = behind.and_then(|b| faces.get(b)).filter(|_| ghost) {
                    let along = BAY_WIDTH_M * f64::from(BAYS) - along + 0.05 * random.normal();
                    let tier = tiers(shelf.tier, noise, &mut random);
                    let seen = sighting(copy, behind, pass, along, noise, 3 + reads / 5, &tier);
                    let face_probability = (0.05 + 0.5 * random.unit().powi(3)) as f32;
                    sightings.push(Sighting { face_probability, rssi_dbm: -66.0, ..seen });
                }
            }
        }
        for face in &faces {
            for pass in 1..=passes {
                coverage.extend((1..=TIERS).map(|tier| Coverage {
                    scan: format!("inv_1/{face}/{pass}"),
                    face: face.clone(),
                    tier,
                    bin_m: 0.1,
                    read_probability: vec![0.999; 45],
                }));
            }
        }
        (sightings, coverage)
    }
}

fn face(name: &str, i: usize) -> Face {
    Face {
        id: name.into(),
        origin_m: [0.0, 2.0 * i as f64],
        heading_deg: 0.0,
        bays: BAYS,
        bay_width_m: BAY_WIDTH_M,
        depth_m: 0.25,
        tiers: (0..TIERS).map(|t| Tier { board_m: 0.1 + 0.33 * f64::from(t), clear_m: 0.3 }).collect(),
    }
}

/// Tier probabilities: mostly sure and right, sometimes unsure, now and then wrong.
fn tiers(truth: u8, noise: &Noise, random: &mut Random) -> Vec<f32> {
    let right = truth as usize - 1;
    let wrong =
        if right == 0 || (right < TIERS as usize - 1 && random.unit() < 0.5) { right + 1 } else { right - 1 };
    let sure = if random.unit() < 0.1 { 0.6 } else { noise.tier_sureness };
    let (first, second) = if random.unit() < noise.tier_confusion { (wrong, right) } else { (right, wrong) };
    let rest = 0.1 * (1.0 - sure) / 4.0;
    let mut p = vec![rest as f32; TIERS as usize];
    p[first] = sure as f32;
    p[second] = (0.9 * (1.0 - sure)) as f32;
    p
}

fn sighting(
    copy: &Copy,
    face: &FaceId,
    pass: u32,
    along: f64,
    noise: &Noise,
    reads: u32,
    tier: &[f32],
) -> Sighting {
    Sighting {
        uid: copy.uid.clone(),
        scan: format!("inv_1/{face}/{pass}"),
        face: Some(face.clone()),
        stamp_ns: Some(1_000_000_000 * i64::from(pass)),
        along_m: along as f32,
        along_std_m: noise.along_std_m as f32,
        range_m: 0.65,
        height_m: f32::NAN,
        tier_probability: tier.to_vec(),
        face_probability: 0.5,
        rank: 0,
        rank_confidence: 1.0,
        reads,
        rssi_dbm: f32::NAN,
    }
}
