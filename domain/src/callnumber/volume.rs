//! Volumes and copies: `v.2`, `Vol. 10`, `pt 3`, `c.2`, `第2卷`, `卷二`, `上册`, `复本2`.

use super::fold;
use super::rules::ShelfRules;
use super::tail::{digits_at, is_cjk, letters_at, skip};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Volume,
    Copy,
}

/// A volume or copy designation and where it ends.
pub(super) struct Found {
    pub kind: Kind,
    pub number: Vec<char>,
    pub end: usize,
}

/// The designation that begins at `at`, if one does.
pub(super) fn at(rules: &ShelfRules, chars: &[char], at: usize) -> Option<Found> {
    let c = *chars.get(at)?;
    if is_cjk(c) || c.is_ascii_digit() {
        return chinese(rules, chars, at);
    }
    // Inside a word or a cutter nothing begins.
    if at > 0 && chars[at - 1].is_alphanumeric() && !is_cjk(chars[at - 1]) {
        return None;
    }
    let word = letters_at(chars, at);
    let kind = kind_of(rules, word)?;
    let after = at + word.len();
    let stopped = skip(chars, after, ".");
    let spaced = skip(chars, stopped, " ");
    let allowed = match word.len() {
        1 => stopped > after,
        2 => spaced > after,
        _ => true,
    };
    let number = digits_at(chars, spaced);
    (allowed && !number.is_empty()).then(|| Found {
        kind,
        number: number.to_vec(),
        end: spaced + number.len(),
    })
}

fn chinese(rules: &ShelfRules, chars: &[char], at: usize) -> Option<Found> {
    let ordinal = skip(chars, at, "第");
    if let Some(rank) = chars.get(ordinal).and_then(|&c| "上中下".chars().position(|p| p == c)) {
        let (unit, end) = unit_at(rules, chars, ordinal + 1);
        let alone = chars.get(ordinal + 1).is_none_or(|c| !c.is_alphanumeric());
        let number = vec![char::from(b'1' + rank as u8)];
        return (unit.is_some() || alone).then_some(Found {
            kind: unit.unwrap_or(Kind::Volume),
            number,
            end,
        });
    }
    // Unit first (卷2), or number first (2卷, 第二卷); `第` alone is enough to call it a volume.
    if let (Some(kind), after) = unit_at(rules, chars, ordinal) {
        let (number, end) = number_at(chars, after)?;
        return Some(Found { kind, number, end });
    }
    let (number, after) = number_at(chars, ordinal)?;
    match unit_at(rules, chars, after) {
        (Some(kind), end) => Some(Found { kind, number, end }),
        (None, _) if ordinal > at => Some(Found { kind: Kind::Volume, number, end: after }),
        (None, _) => None,
    }
}

/// A Chinese volume or copy word at that place, and where it ends.
fn unit_at(rules: &ShelfRules, chars: &[char], at: usize) -> (Option<Kind>, usize) {
    for n in [2, 1] {
        if let Some(word) = chars.get(at..at + n)
            && word.iter().all(|&c| is_cjk(c))
            && let Some(kind) = kind_of(rules, word)
        {
            return (Some(kind), at + n);
        }
    }
    (None, at)
}

fn kind_of(rules: &ShelfRules, word: &[char]) -> Option<Kind> {
    if word.is_empty() {
        return None;
    }
    let is = |list: &[String]| list.iter().any(|w| same(w, word));
    if is(&rules.volume_words) {
        Some(Kind::Volume)
    } else if is(&rules.copy_words) {
        Some(Kind::Copy)
    } else {
        None
    }
}

fn same(setting: &str, word: &[char]) -> bool {
    if setting.is_ascii() {
        setting.len() == word.len() && setting.chars().zip(word).all(|(a, b)| a.to_ascii_uppercase() == *b)
    } else {
        fold(setting) == word
    }
}

/// Digits, or a Chinese numeral up to 99, as digits; and where it ends.
fn number_at(chars: &[char], at: usize) -> Option<(Vec<char>, usize)> {
    let digits = digits_at(chars, at);
    if !digits.is_empty() {
        return Some((digits.to_vec(), at + digits.len()));
    }
    let value = |i: usize| chars.get(i).and_then(|&c| "一二三四五六七八九".chars().position(|n| n == c));
    let (tens, mut end) = match (value(at), chars.get(at), chars.get(at + 1)) {
        (Some(n), _, Some('十')) => (n + 1, at + 2),
        (None, Some('十'), _) => (1, at + 1),
        _ => (0, at),
    };
    let ones = value(end).map_or(0, |n| n + 1);
    end += usize::from(ones > 0);
    (end > at).then(|| ((tens * 10 + ones).to_string().chars().collect(), end))
}
