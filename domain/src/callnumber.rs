//! Call numbers and the order in which they stand on the shelf: CLC, LCC and Dewey.
//!
//! [`ShelfRules::key`] turns a call number into a [`ShelfKey`], a byte string whose plain byte order is the shelf
//! order; so the order is total and transitive by construction, and comparing is one `memcmp`. What libraries do
//! differently (author numbers, digits after the slash, volumes, copies) is a setting in [`ShelfRules`].

mod clc;
mod ddc;
mod key;
mod lcc;
mod rules;
mod tail;
mod volume;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use key::ShelfKey;
pub use rules::{ClcRules, DdcRules, Digits, LccRules, RulesError, ShelfRules};

use key::KeyWriter;

/// A classification scheme, as named in catalogues: `clc`, `lcc`, `ddc`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Chinese Library Classification (中国图书馆分类法).
    #[default]
    Clc,
    /// Library of Congress Classification.
    Lcc,
    /// Dewey Decimal Classification.
    Ddc,
}

impl Scheme {
    /// The names that a catalogue may use.
    pub const ALLOWED: &str = "clc, lcc or ddc";

    /// The name as in catalogues.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clc => "clc",
            Self::Lcc => "lcc",
            Self::Ddc => "ddc",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no scheme.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no classification scheme, allowed are {allowed}", allowed = Scheme::ALLOWED)]
pub struct SchemeError(pub String);

impl FromStr for Scheme {
    type Err = SchemeError;

    fn from_str(text: &str) -> Result<Self, SchemeError> {
        [Self::Clc, Self::Lcc, Self::Ddc]
            .into_iter()
            .find(|s| text.trim().eq_ignore_ascii_case(s.name()))
            .ok_or_else(|| SchemeError(text.into()))
    }
}

/// A call number that its scheme does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("call number {text:?} is not {scheme}: found {found:?}, allowed is {allowed}")]
pub struct CallNumberError {
    /// The whole call number.
    pub text: String,
    /// The scheme it should follow.
    pub scheme: Scheme,
    /// What stood at the place of the problem; empty at the end.
    pub found: String,
    /// What is allowed there.
    pub allowed: &'static str,
}

/// A problem inside one scheme's parser, before the call number is known to it.
struct Problem {
    found: String,
    allowed: &'static str,
}

impl ShelfRules {
    /// The shelf key of a call number that must follow its scheme.
    pub fn parse(&self, scheme: Scheme, call_number: &str) -> Result<ShelfKey, CallNumberError> {
        let chars = self.without_prefix(scheme, fold(call_number));
        let mut key = KeyWriter::default();
        key.mark(scheme_mark(scheme));
        key.mark(PARSED);
        let done = match scheme {
            Scheme::Clc => clc::write(self, &chars, &mut key),
            Scheme::Lcc => lcc::write(self, &chars, &mut key),
            Scheme::Ddc => ddc::write(self, &chars, &mut key),
        };
        done.map(|()| key.finish()).map_err(|p| CallNumberError {
            text: call_number.into(),
            scheme,
            found: p.found,
            allowed: p.allowed,
        })
    }

    /// The shelf key of any text. What does not follow its scheme stands behind all that does, in the order of
    /// its letters; schemes that are mixed on one shelf stand CLC, LCC, Dewey.
    pub fn key(&self, scheme: Scheme, call_number: &str) -> ShelfKey {
        self.parse(scheme, call_number).unwrap_or_else(|_| {
            let mut key = KeyWriter::default();
            key.mark(scheme_mark(scheme));
            key.mark(UNPARSED);
            key.text(&fold(call_number));
            key.finish()
        })
    }

    /// Takes off a shelving prefix (`REF`, `Q`) that the library interfiles.
    fn without_prefix(&self, scheme: Scheme, chars: Vec<char>) -> Vec<char> {
        if scheme == Scheme::Clc {
            return chars;
        }
        let Some(space) = chars.iter().position(|&c| c == ' ') else { return chars };
        let (first, rest) = chars.split_at(space);
        if self.ignored_prefixes.iter().any(|p| fold(p) == first) { rest[1..].to_vec() } else { chars }
    }
}

const PARSED: u8 = 0x01;
const UNPARSED: u8 = 0xFF;

fn scheme_mark(scheme: Scheme) -> u8 {
    scheme as u8 + 1
}

/// One spelling for what is typed in many: full-width forms, dashes and quotes become ASCII, letters upper case,
/// runs of white space and control characters one space.
fn fold(text: &str) -> Vec<char> {
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        let c = match c {
            '\u{FF01}'..='\u{FF5E}' => char::from((c as u32 - 0xFF00 + 0x20) as u8),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            '“' | '”' | '″' | '〃' => '"',
            '〈' | '《' | '⟨' => '<',
            '〉' | '》' | '⟩' => '>',
            '。' => '.',
            c if c.is_whitespace() || c.is_control() => ' ',
            c => c,
        };
        if c == ' ' && out.last().is_none_or(|&l| l == ' ') {
            continue;
        }
        out.extend(c.to_uppercase());
    }
    if out.last() == Some(&' ') {
        out.pop();
    }
    out
}

/// The text of some characters, for an error.
fn shown(chars: &[char]) -> String {
    chars.iter().take(16).collect()
}
