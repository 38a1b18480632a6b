//! What a library decides about its shelf order. Read from TOML; every field has a default.

use serde::{Deserialize, Serialize};

/// How a run of digits compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Digits {
    /// As a whole number: 6 before 11.
    Integer,
    /// As a decimal fraction: 11 before 6.
    Decimal,
}

/// Shelf order of one library, for the schemes it uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShelfRules {
    /// Chinese Library Classification.
    pub clc: ClcRules,
    /// Library of Congress Classification.
    pub lcc: LccRules,
    /// Dewey Decimal Classification.
    pub ddc: DdcRules,
    /// Words that announce a volume. In Latin script a word of one letter needs a full stop (`v.2`, as `V2` is a
    /// cutter), one of two letters a full stop or a space; Chinese ones may stand on either side of the number.
    pub volume_words: Vec<String>,
    /// Words that announce a copy number, under the same rules.
    pub copy_words: Vec<String>,
    /// Whether copies of a volume stand in the order of their numbers; otherwise they may stand in any order.
    pub order_copies: bool,
    /// Shelving prefixes that are interfiled, `REF` for example (LCC and Dewey).
    pub ignored_prefixes: Vec<String>,
}

/// Settings for the Chinese Library Classification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClcRules {
    /// Auxiliary marks in their order; all stand before digits, and digits before letters.
    pub mark_order: String,
    /// Digits of the book number after the slash.
    pub book_digits: Digits,
    /// Digits of an author number such as `L246`.
    pub author_digits: Digits,
}

/// Settings for the Library of Congress Classification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LccRules {
    /// Digits of a cutter.
    pub cutter_digits: Digits,
}

/// Settings for the Dewey Decimal Classification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DdcRules {
    /// Digits of a cutter or author number (Cutter-Sanborn compares as a decimal).
    pub cutter_digits: Digits,
    /// Classes of letters in place of a number, `FIC` for example. They stand behind the numbers.
    pub letter_classes: Vec<String>,
}

impl Default for ClcRules {
    fn default() -> Self {
        Self { mark_order: "-(\"=<+:".into(), book_digits: Digits::Integer, author_digits: Digits::Decimal }
    }
}

impl Default for LccRules {
    fn default() -> Self {
        Self { cutter_digits: Digits::Decimal }
    }
}

impl Default for DdcRules {
    fn default() -> Self {
        Self {
            cutter_digits: Digits::Decimal,
            letter_classes: ["F", "FIC", "FICTION", "B", "BIO", "E", "EASY", "J", "JF", "PIC"]
                .map(Into::into)
                .into(),
        }
    }
}

impl Default for ShelfRules {
    fn default() -> Self {
        let volume_words = [
            "v", "vol", "vols", "volume", "pt", "part", "no", "nr", "bd", "t", "bk", "book", "ser", "卷",
            "册", "冊", "辑", "輯", "集", "部", "期", "编", "編",
        ];
        Self {
            clc: ClcRules::default(),
            lcc: LccRules::default(),
            ddc: DdcRules::default(),
            volume_words: volume_words.map(Into::into).into(),
            copy_words: ["c", "copy", "复本", "複本"].map(Into::into).into(),
            order_copies: false,
            ignored_prefixes: Vec::new(),
        }
    }
}

/// A setting that makes no order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "clc.mark_order: found {found:?}, allowed are up to 24 different marks, none a letter, digit or space"
)]
pub struct RulesError {
    /// The setting as found.
    pub found: String,
}

impl ShelfRules {
    /// Whether the settings make an order. Keys of unchecked rules are total too, but may not be what was meant.
    pub fn check(&self) -> Result<(), RulesError> {
        let marks: Vec<char> = self.clc.mark_order.chars().collect();
        let twice = marks.iter().enumerate().any(|(i, c)| marks[..i].contains(c));
        if marks.len() > 24 || twice || marks.iter().any(|c| c.is_alphanumeric() || c.is_whitespace()) {
            return Err(RulesError { found: self.clc.mark_order.clone() });
        }
        Ok(())
    }
}
