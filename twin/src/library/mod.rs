//! The library: site, books and where each of them belongs, made from a seed or read from files ([`files`]).
//!
//! Everything here is what the library itself knows. What is wrong on the shelves is in [`crate::inject`].

mod books;
pub mod files;
mod site;
mod tags;
mod words_en;
mod words_zh;

use std::collections::BTreeSet;

use domain::callnumber::{Scheme, ShelfRules};
use domain::catalogue::{Catalogue, Item, ItemStatus};
use domain::table_error::TableError;
use domain::{FaceId, Home, ShelfAddress, Site, Uid};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use self::books::{Draft, Stock, draft};
pub use self::site::{BOARD_M, PANEL_M, UPRIGHT_M, demo_site};
pub use self::tags::{TagKind, TagModel};
use crate::rng::stream;

/// Size and fill of the demo library.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LibrarySettings {
    /// Name of the floor, as in shelf addresses; of the lowest one where there are several.
    pub floor: String,
    /// Floors, all alike, 1 to 20; the others are called `2F`, `3F` and so on.
    pub floors: u16,
    /// Rows of double-sided shelving, 1 to 20.
    pub rows: u16,
    /// Bays of a row, 1 to 40.
    pub bays: u16,
    /// Width of a bay, m, 0.3 to 2.
    pub bay_width_m: f64,
    /// Tiers of a face, 1 to 8.
    pub tiers: u8,
    /// Height of the lowest board, m, 0.02 to 1.
    pub first_board_m: f64,
    /// From board to board, m, 0.33 to 0.6: the tallest book and the board must fit.
    pub tier_pitch_m: f64,
    /// Depth of a shelf, m, 0.15 to 0.6.
    pub shelf_depth_m: f64,
    /// Width of the aisles, m, 1.2 to 5.
    pub aisle_m: f64,
    /// Filled share of each shelf's width, 0.1 to 0.95: the least and the most.
    pub fill: [f64; 2],
    /// Items on loan, at most 1,000.
    pub on_loan: u32,
    /// Kind of the tags in the books.
    pub tags: TagKind,
    /// Models of tags in the library's books that need more power than the others, at most 100; by default none.
    pub tag_models: Vec<TagModel>,
    /// Share of HF tags that are stuck at the fore edge instead of the spine, 0 to 1.
    pub fore_edge_share: f64,
    /// Pillars of 0.4 m, as shares of the building's width and depth, 0 to 1; what would stand outside is cut off. Without
    /// any, the building looks the same when turned by half, and no lidar can tell its two halves apart.
    pub pillars: Vec<[f64; 2]>,
}

impl Default for LibrarySettings {
    fn default() -> Self {
        Self {
            floor: "1F".into(),
            floors: 1,
            rows: 2,
            bays: 5,
            bay_width_m: 0.9,
            tiers: 6,
            first_board_m: 0.10,
            tier_pitch_m: 0.33,
            shelf_depth_m: 0.25,
            aisle_m: 1.5,
            fill: [0.80, 0.85],
            on_loan: 40,
            tags: TagKind::Uhf,
            tag_models: vec![],
            fore_edge_share: 0.0,
            // One at the wall of each of two sides, out of the aisles.
            pillars: vec![[1.0, 0.68], [0.3, 1.0]],
        }
    }
}

impl LibrarySettings {
    /// Power that chips of a model need beyond the average's, dB; 0 of one that is not in the settings.
    pub fn needs_db(&self, model: &str) -> f64 {
        self.tag_models.iter().find(|m| m.name == model).map_or(0.0, |m| m.needs_db)
    }
}

/// A book as the library's records know it.
#[derive(Debug, Clone, PartialEq)]
pub struct Book {
    /// Tag identifier: in a made library, of a UHF tag, the barcode in ASCII, 96 bits; empty for a book without a tag.
    pub uid: Uid,
    /// Item barcode, 12 digits.
    pub barcode: String,
    /// Call number as on the label.
    pub call_number: String,
    /// Scheme of the call number.
    pub scheme: Scheme,
    /// Title.
    pub title: String,
    /// Author.
    pub author: String,
    /// Thickness, m.
    pub thickness_m: f64,
    /// Height of the spine, m.
    pub height_m: f64,
    /// The shelf it belongs on; of a home of several shelves the one that the order gives it.
    pub home: ShelfAddress,
    /// Its home, where that is more than one shelf.
    pub range: Option<Box<Home>>,
    /// On loan by the records.
    pub on_loan: bool,
    /// Model of its tag by the records; empty where they say none.
    pub tag_model: String,
}

impl Book {
    /// The shelves that it may stand on.
    pub fn home_range(&self) -> Home {
        let one = || Home { first: self.home.clone(), last: self.home.clone() };
        self.range.as_deref().cloned().unwrap_or_else(one)
    }

    /// The book as a catalogue entry.
    pub fn item(&self) -> Item {
        Item {
            barcode: self.barcode.clone(),
            uid: (!self.uid.as_bytes().is_empty()).then(|| self.uid.clone()),
            call_number: self.call_number.clone(),
            scheme: self.scheme,
            title: self.title.clone(),
            author: self.author.clone(),
            thickness_m: self.thickness_m as f32,
            height_m: self.height_m as f32,
            home: self.home_range(),
            status: if self.on_loan { ItemStatus::OnLoan } else { ItemStatus::Available },
            tag_model: self.tag_model.clone(),
        }
    }
}

/// Site and books.
#[derive(Debug, Clone)]
pub struct Library {
    /// The site.
    pub site: Site,
    /// The shelf order that the library follows.
    pub rules: ShelfRules,
    /// Books face by face, in shelf order: bay by bay from the left, tiers from the top down, left to right.
    pub books: Vec<Book>,
}

/// The part of a bay's width that books can stand on: `(left, right)` in the face's x, m.
pub fn usable(bay: u16, bay_width_m: f64) -> (f64, f64) {
    let left = f64::from(bay - 1) * bay_width_m;
    (left + UPRIGHT_M / 2.0, left + bay_width_m - UPRIGHT_M / 2.0)
}

impl Library {
    /// Makes the library of a seed.
    pub fn generate(settings: &LibrarySettings, seed: u64) -> Self {
        let site = demo_site(settings);
        let rules = ShelfRules::default();
        let mut books = Vec::new();
        let faces: Vec<FaceId> = site.faces().map(|(id, _, _)| id).collect();
        for (i, face) in faces.iter().enumerate() {
            let stock = Stock::ALL[i % Stock::ALL.len()];
            stock_face(face, stock, settings, &rules, seed, &mut books);
        }
        lend(&mut books, settings, seed);
        tags::choose_models(&mut books, &settings.tag_models, seed);
        Self { site, rules, books }
    }

    /// The catalogue that belongs to it: what the library's records say, and nothing of what is wrong.
    ///
    /// # Errors
    /// Two books with one barcode or tag; a generated library has none.
    pub fn catalogue(&self) -> Result<Catalogue, TableError> {
        Catalogue::from_items("library", self.books.iter().map(Book::item))
    }
}

/// Shelves of a face in shelf order.
fn shelves<'a>(face: &'a FaceId, s: &'a LibrarySettings) -> impl Iterator<Item = ShelfAddress> + 'a {
    (1..=s.bays).flat_map(move |bay| {
        (1..=s.tiers).rev().map(move |tier| ShelfAddress { face: face.clone(), bay, tier })
    })
}

/// Writes, sorts and shelves the books of one face.
fn stock_face(
    face: &FaceId,
    stock: Stock,
    s: &LibrarySettings,
    rules: &ShelfRules,
    seed: u64,
    books: &mut Vec<Book>,
) {
    let mut rng = stream(seed, &format!("library/{face}"));
    let width = s.bay_width_m - UPRIGHT_M;
    let goals: Vec<(ShelfAddress, f64)> =
        shelves(face, s).map(|a| (a, width * rng.random_range(s.fill[0]..=s.fill[1]))).collect();
    let goal: f64 = goals.iter().map(|g| g.1).sum();

    // Two books never share a place in the order, so that each verdict has one right answer.
    let mut taken = BTreeSet::new();
    let mut drafts: Vec<Draft> = Vec::new();
    let mut total = 0.0;
    while total < goal {
        let mut book = draft(stock, rules, &mut rng);
        for volume in 2.. {
            if taken.insert(book.key.clone()) {
                break;
            }
            // Full classes get volumes rather than ever rarer free numbers.
            book.call_number = volume_of(stock, &book.call_number, volume);
            book.key = rules.key(stock.scheme(), &book.call_number);
        }
        total += book.thickness_m;
        drafts.push(book);
    }
    drafts.sort_by(|a, b| a.key.cmp(&b.key));

    let mut drafts = drafts.into_iter().peekable();
    for (address, goal) in goals {
        let mut filled = 0.0;
        while let Some(book) = drafts.next_if(|d| filled + d.thickness_m / 2.0 < goal) {
            filled += book.thickness_m;
            books.push(shelve(book, stock.scheme(), address.clone(), books.len(), s.tags));
        }
    }
}

/// A call number that differs from one already given.
fn volume_of(stock: Stock, call_number: &str, n: u32) -> String {
    match stock {
        // The next free running number of the class.
        Stock::ChineseHumanities | Stock::ChineseSciences => match call_number.split_once('/') {
            Some((class, _)) => format!("{class}/{}", 600 + n),
            None => format!("{call_number}/{n}"),
        },
        Stock::WesternLcc | Stock::WesternDdc => {
            let base = call_number.split(" v.").next().unwrap_or(call_number);
            format!("{base} v.{n}")
        }
    }
}

fn shelve(d: Draft, scheme: Scheme, home: ShelfAddress, n: usize, tags: TagKind) -> Book {
    // Twelve digits: the library's prefix, a running number, one check digit as barcode readers want it.
    let body = format!("31{:09}", n as u64 * 7 + 100_000_003);
    let barcode = format!("{body}{}", check_digit(&body));
    let mut bytes = [0u8; 12];
    for (to, from) in bytes.iter_mut().zip(barcode.bytes()) {
        *to = from;
    }
    Book {
        uid: tags.uid(&bytes),
        barcode,
        call_number: d.call_number,
        scheme,
        title: d.title,
        author: d.author,
        thickness_m: d.thickness_m,
        height_m: d.height_m,
        home,
        range: None,
        on_loan: false,
        tag_model: String::new(),
    }
}

/// Check digit, modulo 10 with weights 3 and 1 from the right (as in EAN).
fn check_digit(digits: &str) -> u32 {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, b)| u32::from(b.wrapping_sub(b'0')) * if i % 2 == 0 { 3 } else { 1 })
        .sum();
    (10 - sum % 10) % 10
}

/// Puts some books on loan.
fn lend(books: &mut [Book], s: &LibrarySettings, seed: u64) {
    let mut rng = stream(seed, "library/loans");
    let wanted = (s.on_loan as usize).min(books.len());
    let mut lent = 0;
    while lent < wanted {
        let i = rng.random_range(0..books.len());
        if !books[i].on_loan {
            books[i].on_loan = true;
            lent += 1;
        }
    }
}
