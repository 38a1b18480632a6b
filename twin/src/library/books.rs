//! Writes the books of one face: titles, authors, call numbers, sizes. Order on the shelves comes later.

use domain::callnumber::{Scheme, ShelfKey, ShelfRules};
use rand::{Rng, RngExt};

use super::words_en as en;
use super::words_zh as zh;
use crate::rng::{gauss, pick};

/// What the books of a face are about, and which scheme their call numbers follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stock {
    /// Chinese, CLC, philosophy to literature.
    ChineseHumanities,
    /// Chinese, CLC, art to engineering.
    ChineseSciences,
    /// Western, Library of Congress.
    WesternLcc,
    /// Western, Dewey.
    WesternDdc,
}

impl Stock {
    /// Stocks in the order in which the faces of a site take them.
    pub const ALL: [Stock; 4] =
        [Stock::ChineseHumanities, Stock::ChineseSciences, Stock::WesternLcc, Stock::WesternDdc];

    pub fn scheme(self) -> Scheme {
        match self {
            Stock::ChineseHumanities | Stock::ChineseSciences => Scheme::Clc,
            Stock::WesternLcc => Scheme::Lcc,
            Stock::WesternDdc => Scheme::Ddc,
        }
    }
}

/// A book before it has a place, a barcode and a tag.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub key: ShelfKey,
    pub call_number: String,
    pub title: String,
    pub author: String,
    pub thickness_m: f64,
    pub height_m: f64,
}

/// Writes one book.
pub(super) fn draft(stock: Stock, rules: &ShelfRules, rng: &mut impl Rng) -> Draft {
    let (call_number, title, author) = match stock {
        Stock::ChineseHumanities => chinese(zh::HUMANITIES, rng),
        Stock::ChineseSciences => chinese(zh::SCIENCES, rng),
        Stock::WesternLcc => western(en::LCC, Scheme::Lcc, rng),
        Stock::WesternDdc => western(en::DDC, Scheme::Ddc, rng),
    };
    let key = rules.key(stock.scheme(), &call_number);
    Draft { key, call_number, title, author, thickness_m: thickness(rng), height_m: height(stock, rng) }
}

/// One word of a list.
fn word(rng: &mut impl Rng, list: &[&'static str]) -> &'static str {
    list[rng.random_range(0..list.len())]
}

fn chinese(classes: &[zh::Class], rng: &mut impl Rng) -> (String, String, String) {
    let class = pick(rng, classes);
    let forms = if class.fiction { zh::FICTION_FORMS } else { zh::FORMS };
    let mut title = word(rng, forms).replace("{}", word(rng, class.subjects));
    title.push_str(word(rng, zh::EDITIONS));
    let mut author = word(rng, zh::FAMILIES).to_string();
    for _ in 0..rng.random_range(1..=2) {
        author.push_str(word(rng, zh::GIVEN));
    }
    // The number after the class counts the titles of the class as the library bought them.
    (format!("{}/{}", class.notation, rng.random_range(1..=600)), title, author)
}

fn western(classes: &[en::Class], scheme: Scheme, rng: &mut impl Rng) -> (String, String, String) {
    let class = pick(rng, classes);
    let forms = if class.fiction { en::FICTION_FORMS } else { en::FORMS };
    let mut title = word(rng, forms).replace("{}", word(rng, class.subjects));
    if let Some(first) = title.get(..1).map(str::to_uppercase) {
        title.replace_range(..1, &first);
    }
    title.push_str(word(rng, en::EDITIONS));
    let family = word(rng, en::FAMILIES);
    let author = format!("{family}, {}", word(rng, en::GIVEN));
    let year = 1958 + (66.0 * libm::sqrt(rng.random::<f64>())) as u32;
    let call_number = match scheme {
        Scheme::Ddc => {
            let mark: String =
                family.chars().filter(char::is_ascii_alphabetic).take(3).collect::<String>().to_uppercase();
            format!("{} {mark} {year}", class.notation)
        }
        _ => format!("{} .{} {year}", class.notation, cutter(family, rng)),
    };
    (call_number, title, author)
}

/// A cutter number: the name's first letter, a digit for its second letter (after the Library of Congress
/// cutter table) and digits that tell apart what would coincide.
fn cutter(family: &str, rng: &mut impl Rng) -> String {
    let mut letters = family.chars().filter(char::is_ascii_alphabetic);
    let first = letters.next().unwrap_or('A').to_ascii_uppercase();
    let second = letters.next().unwrap_or('a').to_ascii_lowercase();
    let digit = match second {
        'a'..='d' => 3,
        'e'..='h' => 4,
        'i'..='l' => 5,
        'm'..='o' => 6,
        'p'..='s' => 7,
        't'..='v' => 8,
        _ => 9,
    };
    format!("{first}{digit}{}", rng.random_range(1..=89))
}

/// Thickness, m: log-normal, median 22 mm, kept within 5 to 60 mm; the mean is about 24.5 mm.
fn thickness(rng: &mut impl Rng) -> f64 {
    (0.0222 * libm::exp(0.45 * gauss(rng))).clamp(0.005, 0.060)
}

/// Height of the spine, m: the trade's common formats with a little spread.
fn height(stock: Stock, rng: &mut impl Rng) -> f64 {
    let formats: &[f64] = match stock {
        Stock::ChineseHumanities | Stock::ChineseSciences => &[0.185, 0.203, 0.210, 0.230, 0.240, 0.260],
        Stock::WesternLcc | Stock::WesternDdc => &[0.198, 0.216, 0.229, 0.234, 0.254, 0.280],
    };
    (pick(rng, formats) + 0.002 * gauss(rng)).clamp(0.18, 0.30)
}
