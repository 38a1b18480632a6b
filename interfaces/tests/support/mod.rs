//! Samples of every message type, written from the definitions alone: an encoder that shares nothing with the one
//! under test but the parser of the definitions.

// Each test crate takes its part of this, and clippy knows no tests outside functions marked as such.
#![allow(dead_code, clippy::unwrap_used)]

#[path = "../../idl/mod.rs"]
pub mod idl;

use std::path::Path;

use idl::ast::{Count, Element, Message, Primitive, TypeName};
use idl::library::Library;

/// Every definition that the crate is generated from.
pub fn library() -> Library {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut library = Library::default();
    library.add_packages(&root.join("standard")).unwrap();
    library.add_package("shelfwright_msgs", root).unwrap();
    library.check().unwrap();
    library
}

/// SplitMix64: a sample is a function of its seed.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// CDR of a random message, in either byte order; both orders of one seed hold the same values.
pub fn sample(library: &Library, name: &TypeName, seed: u64, big_endian: bool) -> Vec<u8> {
    let mut writer = Writer { bytes: vec![0, u8::from(!big_endian), 0, 0], big_endian, random: Random(seed) };
    writer.message(library, &library.messages[name]);
    writer.bytes
}

struct Writer {
    bytes: Vec<u8>,
    big_endian: bool,
    random: Random,
}

impl Writer {
    fn number(&mut self, value: u64, size: usize) {
        while !(self.bytes.len() - 4).is_multiple_of(size) {
            self.bytes.push(0);
        }
        let little = &value.to_le_bytes()[..size];
        if self.big_endian {
            self.bytes.extend(little.iter().rev());
        } else {
            self.bytes.extend(little);
        }
    }

    fn message(&mut self, library: &Library, message: &Message) {
        if message.fields.is_empty() {
            self.number(0, 1);
        }
        for field in &message.fields {
            let count = match field.count {
                Count::One => 1,
                Count::Array(n) => n,
                Count::Bounded(_) | Count::Sequence => {
                    let count = self.random.below(5);
                    self.number(count, 4);
                    count as u32
                }
            };
            for _ in 0..count {
                self.element(library, &field.element);
            }
        }
    }

    fn element(&mut self, library: &Library, element: &Element) {
        match element {
            Element::Message(name) => self.message(library, &library.messages[name]),
            Element::String(_) => {
                const TEXTS: [&str; 5] = ["", "map", "inv_1/antenna_3", "中图法 TP312/15", "a\nb\t\"c\" é"];
                let text = TEXTS[self.random.below(5) as usize];
                self.number(text.len() as u64 + 1, 4);
                self.bytes.extend(text.as_bytes());
                self.bytes.push(0);
            }
            Element::WString(_) => panic!("no type in use has one"),
            Element::Primitive(p) => {
                let random = self.random.next();
                let (value, size) = match p {
                    Primitive::Bool => (random & 1, 1),
                    // Peers do not agree on the sign of these two.
                    Primitive::Byte | Primitive::Char => (random & 0x7f, 1),
                    Primitive::I8 | Primitive::U8 => (random, 1),
                    Primitive::I16 | Primitive::U16 => (random, 2),
                    Primitive::I32 | Primitive::U32 => (random, 4),
                    Primitive::I64 | Primitive::U64 => (random, 8),
                    Primitive::F32 => (u64::from(self.float().to_bits()), 4),
                    Primitive::F64 => (f64::from(self.float()).to_bits(), 8),
                };
                self.number(value, size);
            }
        }
    }

    fn float(&mut self) -> f32 {
        match self.random.below(8) {
            0 => f32::NAN,
            1 => f32::INFINITY,
            2 => f32::NEG_INFINITY,
            3 => -0.0,
            _ => (self.random.next() as i32) as f32 / 1000.0,
        }
    }
}
