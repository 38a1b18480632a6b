//! Chinese Library Classification: the class digit by digit as a decimal, then the book number.

use super::key::{END, KeyWriter};
use super::rules::ShelfRules;
use super::tail::{self, Tail};
use super::{Problem, shown};

/// Main classes; L, M, W and Y are not used.
const MAIN: &str = "ABCDEFGHIJKNOPQRSTUVXZ";
const MAIN_ALLOWED: &str = "a main class letter A to K, N to V, X or Z";

/// A closing mark; nothing stands before something inside it.
const CLOSE: u8 = 0x02;
/// A mark that the order does not name; between marks and digits.
const OTHER: u8 = 0x2F;

pub(super) fn write(rules: &ShelfRules, chars: &[char], key: &mut KeyWriter) -> Result<(), Problem> {
    let end = chars.iter().position(|c| matches!(c, '/' | ' ')).unwrap_or(chars.len());
    let (class, book) = chars.split_at(end);
    let first = class.iter().find(|c| !matches!(c, '[' | ']'));
    match first {
        Some(&c) if MAIN.contains(c) => {}
        Some(c) => return Err(Problem { found: c.to_string(), allowed: MAIN_ALLOWED }),
        None => return Err(Problem { found: shown(chars), allowed: MAIN_ALLOWED }),
    }
    write_class(rules, class, key)?;
    let tail = Tail {
        rules,
        digits: rules.clc.book_digits,
        cutter_digits: rules.clc.author_digits,
        marks: &rules.clc.mark_order,
        decimals: false,
    };
    tail::write(&tail, book, key);
    Ok(())
}

fn write_class(rules: &ShelfRules, class: &[char], key: &mut KeyWriter) -> Result<(), Problem> {
    const ALLOWED: &str = "letters, digits, dots and the auxiliary marks - ( ) \" = < > + : [ ]";
    let mut quoted = false;
    for &c in class {
        match c {
            '.' | '[' | ']' => {}
            '0'..='9' | 'A'..='Z' => key.mark(c as u8),
            ')' | '>' => key.mark(CLOSE),
            '"' if quoted => {
                quoted = false;
                key.mark(CLOSE);
            }
            c => {
                quoted |= c == '"';
                match tail::mark_rank(&rules.clc.mark_order, c) {
                    Some(rank) => key.mark(rank),
                    None if c.is_ascii_punctuation() => {
                        key.mark(OTHER);
                        key.text(&[c]);
                    }
                    None => return Err(Problem { found: c.to_string(), allowed: ALLOWED }),
                }
            }
        }
    }
    key.mark(END);
    Ok(())
}
