//! Library of Congress Classification: letters, class number, decimals, then cutters, dates and volumes.

use super::key::KeyWriter;
use super::rules::{Digits, ShelfRules};
use super::tail::{self, Tail, digits_at, letters_at, skip};
use super::{Problem, shown};

pub(super) fn write(rules: &ShelfRules, chars: &[char], key: &mut KeyWriter) -> Result<(), Problem> {
    let letters = letters_at(chars, 0);
    if letters.is_empty() || letters.len() > 3 || !letters.iter().all(char::is_ascii_uppercase) {
        let found = if letters.is_empty() { shown(chars) } else { shown(letters) };
        return Err(Problem { found, allowed: "one to three class letters" });
    }
    let mut at = skip(chars, letters.len(), " ");
    let number = digits_at(chars, at);
    if number.is_empty() {
        return Err(Problem {
            found: shown(&chars[at..]),
            allowed: "a class number after the class letters",
        });
    }
    key.text(letters);
    key.integer(number);
    at += number.len();
    let decimals = if chars.get(at) == Some(&'.') { digits_at(chars, at + 1) } else { &[] };
    key.decimal(decimals);
    if !decimals.is_empty() {
        at += 1 + decimals.len();
    }
    let tail = Tail {
        rules,
        digits: Digits::Integer,
        cutter_digits: rules.lcc.cutter_digits,
        marks: "",
        decimals: true,
    };
    tail::write(&tail, &chars[at..], key);
    Ok(())
}
