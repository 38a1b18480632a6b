//! Finds a row by a byte string: open addressing over row numbers, the keys stay where they are.
//!
//! Own table rather than a `HashMap`, as it holds 4 bytes a slot, borrows its keys from the arena and has no
//! iteration order that could leak.

use std::hash::{DefaultHasher, Hasher};

/// `EMPTY` or a row number a slot; at most half of the slots are used.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    slots: Vec<u32>,
    used: usize,
}

const EMPTY: u32 = u32::MAX;

impl Index {
    /// The row with that key.
    pub(super) fn find<'a>(&self, key: &[u8], key_of: impl Fn(u32) -> &'a [u8]) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let row = self.slots[self.slot(key, &key_of)];
        (row != EMPTY).then_some(row)
    }

    /// Adds a row, or gives the row that already has its key.
    pub(super) fn insert<'a>(
        &mut self,
        row: u32,
        key: &[u8],
        key_of: impl Fn(u32) -> &'a [u8],
    ) -> Option<u32> {
        if self.slots.len() < 2 * (self.used + 1) {
            self.grow(&key_of);
        }
        let slot = self.slot(key, &key_of);
        if self.slots[slot] != EMPTY {
            return Some(self.slots[slot]);
        }
        self.slots[slot] = row;
        self.used += 1;
        None
    }

    /// The slot that holds the key, or the free one where it belongs. There is always a free one.
    fn slot<'a>(&self, key: &[u8], key_of: &impl Fn(u32) -> &'a [u8]) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = hash(key) as usize & mask;
        while self.slots[at] != EMPTY && key_of(self.slots[at]) != key {
            at = (at + 1) & mask;
        }
        at
    }

    fn grow<'a>(&mut self, key_of: &impl Fn(u32) -> &'a [u8]) {
        let size = (self.slots.len() * 2).max(16);
        let old = std::mem::replace(&mut self.slots, vec![EMPTY; size]);
        for row in old.into_iter().filter(|&r| r != EMPTY) {
            let mut at = hash(key_of(row)) as usize & (size - 1);
            while self.slots[at] != EMPTY {
                at = (at + 1) & (size - 1);
            }
            self.slots[at] = row;
        }
    }
}

/// The same on every run: `DefaultHasher::new` has fixed keys.
fn hash(key: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(key);
    hasher.finish()
}
