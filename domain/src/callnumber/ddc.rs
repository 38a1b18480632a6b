//! Dewey Decimal Classification: class number with decimals, then cutter or author letters, date, volume.

use super::fold;
use super::key::KeyWriter;
use super::rules::{Digits, ShelfRules};
use super::tail::{self, Tail, digits_at, letters_at, skip};
use super::{Problem, shown};

/// No letters before the number; a local class of letters comes behind all numbers.
const NUMBERED: u8 = 0x01;
const LETTERED: u8 = 0x02;

pub(super) fn write(rules: &ShelfRules, chars: &[char], key: &mut KeyWriter) -> Result<(), Problem> {
    const ALLOWED: &str = "a class number of one to three digits, or a class of ddc.letter_classes";
    let letters = letters_at(chars, 0);
    let mut at = 0;
    if letters.is_empty() {
        key.mark(NUMBERED);
    } else {
        if !rules.ddc.letter_classes.iter().any(|c| fold(c) == letters) {
            return Err(Problem { found: shown(letters), allowed: ALLOWED });
        }
        key.mark(LETTERED);
        key.text(letters);
        at = skip(chars, letters.len(), " ");
    }
    let number = digits_at(chars, at);
    match number.len() {
        0 if letters.is_empty() => return Err(Problem { found: shown(&chars[at..]), allowed: ALLOWED }),
        0 => {}
        1..=3 => at = write_class(chars, at, number, key),
        _ => return Err(Problem { found: shown(number), allowed: ALLOWED }),
    }
    let tail = Tail {
        rules,
        digits: Digits::Integer,
        cutter_digits: rules.ddc.cutter_digits,
        marks: "",
        decimals: true,
    };
    tail::write(&tail, &chars[at..], key);
    Ok(())
}

/// Class number and decimals; segmentation marks (`005.13/3`, `005.13'3`) do not count. Gives where it ends.
fn write_class(chars: &[char], mut at: usize, number: &[char], key: &mut KeyWriter) -> usize {
    at += number.len();
    key.mark(0x01);
    key.integer(number);
    let mut decimals = Vec::new();
    if chars.get(at) == Some(&'.') && chars.get(at + 1).is_some_and(char::is_ascii_digit) {
        at += 1;
        while let Some(&c) = chars.get(at) {
            let segment =
                matches!(c, '/' | '\'' | '’') && chars.get(at + 1).is_some_and(char::is_ascii_digit);
            if c.is_ascii_digit() {
                decimals.push(c);
            } else if !segment {
                break;
            }
            at += 1;
        }
    }
    key.decimal(&decimals);
    at
}
