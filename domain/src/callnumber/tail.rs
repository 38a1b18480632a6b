//! What follows the class in every scheme: book numbers, cutters, dates, volumes, copies.
//!
//! Pieces of one place compare copy, volume, auxiliary mark, number, word: the volumes of a work stand together
//! before what is only filed near it.

use super::key::{END, KeyWriter};
use super::rules::{Digits, ShelfRules};
use super::volume::{self, Kind};

const COPY: u8 = 0x03;
const VOLUME: u8 = 0x05;
const FIRST_MARK: u8 = 0x10;
const OTHER: u8 = 0x2F;
const NUMBER: u8 = 0x30;
const WORD: u8 = 0x40;

/// How one scheme reads its tail.
pub(super) struct Tail<'a> {
    pub rules: &'a ShelfRules,
    /// Digits that stand alone.
    pub digits: Digits,
    /// Digits right after letters.
    pub cutter_digits: Digits,
    /// Marks that have a place in the order; others only separate.
    pub marks: &'a str,
    /// Whether a number may have decimals.
    pub decimals: bool,
}

pub(super) fn write(tail: &Tail<'_>, chars: &[char], key: &mut KeyWriter) {
    let mut at = 0;
    while at < chars.len() {
        if let Some(found) = volume::at(tail.rules, chars, at) {
            write_volume(tail, &found, key);
            at = found.end;
            continue;
        }
        let c = chars[at];
        if c.is_ascii_digit() {
            at = write_number(tail, chars, at, key);
        } else if c.is_alphabetic() {
            at = write_word(tail, chars, at, key);
        } else {
            write_mark(tail, c, key);
            at += 1;
        }
    }
}

fn write_volume(tail: &Tail<'_>, found: &volume::Found, key: &mut KeyWriter) {
    match found.kind {
        Kind::Copy if !tail.rules.order_copies => return,
        Kind::Copy => key.mark(COPY),
        Kind::Volume => key.mark(VOLUME),
    }
    key.integer(&found.number);
}

fn write_number(tail: &Tail<'_>, chars: &[char], at: usize, key: &mut KeyWriter) -> usize {
    let number = digits_at(chars, at);
    let mut end = at + number.len();
    key.mark(NUMBER);
    write_digits(tail.digits, number, key);
    if tail.decimals {
        let decimals = if chars.get(end) == Some(&'.') { digits_at(chars, end + 1) } else { &[] };
        key.decimal(decimals);
        if !decimals.is_empty() {
            end += 1 + decimals.len();
        }
    }
    end
}

/// Letters, the digits right behind them (a cutter or an author number) and letters behind those (a work mark).
fn write_word(tail: &Tail<'_>, chars: &[char], at: usize, key: &mut KeyWriter) -> usize {
    let letters = letters_at(chars, at);
    let digits = digits_at(chars, at + letters.len());
    let mut end = at + letters.len() + digits.len();
    key.mark(WORD);
    key.text(letters);
    if digits.is_empty() {
        key.mark(END);
    } else {
        key.mark(END + 1);
        write_digits(tail.cutter_digits, digits, key);
        // `f99g15` are two cutters, `c27pr` is one with a work mark.
        let behind = letters_at(chars, end);
        let next_cutter = !digits_at(chars, end + behind.len()).is_empty();
        let work_mark = if next_cutter { &[] } else { behind };
        key.text(work_mark);
        end += work_mark.len();
    }
    end
}

fn write_digits(how: Digits, digits: &[char], key: &mut KeyWriter) {
    match how {
        Digits::Integer => key.integer(digits),
        Digits::Decimal => key.decimal(digits),
    }
}

fn write_mark(tail: &Tail<'_>, c: char, key: &mut KeyWriter) {
    if let Some(rank) = mark_rank(tail.marks, c) {
        key.mark(rank);
    } else if !matches!(c, ' ' | '.' | ',' | ';' | '/' | '(' | ')' | '[' | ']' | '"' | '>') {
        key.mark(OTHER);
        key.text(&[c]);
    }
}

/// The byte of a mark that has a place in the order, between ends and digits.
pub(super) fn mark_rank(order: &str, c: char) -> Option<u8> {
    order.chars().position(|m| m == c).map(|i| FIRST_MARK + i.min(0x1E) as u8)
}

/// The run of ASCII digits that begins there.
pub(super) fn digits_at(chars: &[char], at: usize) -> &[char] {
    let rest = chars.get(at..).unwrap_or_default();
    let n = rest.iter().take_while(|c| c.is_ascii_digit()).count();
    &rest[..n]
}

/// The run of letters that begins there. A Chinese character is a word of its own, so that a volume word is
/// found right behind an author's name.
pub(super) fn letters_at(chars: &[char], at: usize) -> &[char] {
    let rest = chars.get(at..).unwrap_or_default();
    let n = match rest.first() {
        Some(&c) if is_cjk(c) => 1,
        _ => rest.iter().take_while(|c| c.is_alphabetic() && !is_cjk(**c)).count(),
    };
    &rest[..n]
}

/// The first place from `at` whose character is none of `set`.
pub(super) fn skip(chars: &[char], at: usize, set: &str) -> usize {
    at + chars.get(at..).unwrap_or_default().iter().take_while(|&&c| set.contains(c)).count()
}

pub(super) fn is_cjk(c: char) -> bool {
    c >= '\u{2E80}' && c.is_alphabetic()
}
