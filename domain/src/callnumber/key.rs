//! Shelf keys: byte strings whose byte order is the shelf order, and the writer that keeps it so.
//!
//! Every piece delimits itself (a text ends with a byte below all that a text can hold, an integer begins with its
//! length), so two keys are compared piece by piece, and nothing comes before something.

use smallvec::SmallVec;

/// Where a book stands among others: compare with `<`, `==` or sort by it. Equal keys may stand in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShelfKey(SmallVec<[u8; 40]>);

impl ShelfKey {
    /// The bytes, in an order that any store of byte strings keeps.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Ends a text or a decimal; below every byte that these can hold.
pub(super) const END: u8 = 0x01;

#[derive(Default)]
pub(super) struct KeyWriter(SmallVec<[u8; 40]>);

impl KeyWriter {
    pub(super) fn mark(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// Folded text, compared character by character.
    pub(super) fn text(&mut self, chars: &[char]) {
        let mut buf = [0; 4];
        for c in chars {
            self.0.extend_from_slice(c.encode_utf8(&mut buf).as_bytes());
        }
        self.mark(END);
    }

    /// Digits as an integer: `6` before `11`. Leading zeros do not count.
    pub(super) fn integer(&mut self, digits: &[char]) {
        let zeros = digits.iter().take_while(|&&c| c == '0').count();
        let digits = &digits[zeros..];
        if digits.len() < 0xFF {
            self.mark(digits.len() as u8);
        } else {
            self.mark(0xFF);
            self.0.extend_from_slice(&(digits.len() as u64).to_be_bytes());
        }
        self.0.extend(digits.iter().map(|&c| c as u8));
    }

    /// Digits as a decimal fraction: `11` before `6`, `5` before `50`.
    pub(super) fn decimal(&mut self, digits: &[char]) {
        self.0.extend(digits.iter().map(|&c| c as u8));
        self.mark(END);
    }

    pub(super) fn finish(self) -> ShelfKey {
        ShelfKey(self.0)
    }
}
