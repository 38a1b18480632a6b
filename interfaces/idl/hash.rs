//! RIHS01 type hashes (REP-2016): SHA-256 over a fixed JSON form of the type and of all it uses.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::ast::{Count, Element, Field, Message, Primitive};
use super::library::Library;

/// `RIHS01_` and 64 hex digits.
pub fn rihs01(library: &Library, message: &Message) -> String {
    let mut out = String::from("RIHS01_");
    for byte in Sha256::digest(json(library, message).as_bytes()) {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// The hashed JSON, byte for byte as `rosidl_generator_type_description` writes it.
pub fn json(library: &Library, message: &Message) -> String {
    let referenced: Vec<String> = library
        .uses_of(message)
        .iter()
        .filter_map(|name| library.messages.get(name))
        .map(description)
        .collect();
    format!(
        "{{\"type_description\": {}, \"referenced_type_descriptions\": [{}]}}",
        description(message),
        referenced.join(", ")
    )
}

fn description(message: &Message) -> String {
    let fields: Vec<String> = if message.fields.is_empty() {
        // IDL knows no empty structure, so rosidl gives it this member.
        vec![field_json("structure_needs_at_least_one_member", 3, 0, 0, "")]
    } else {
        message.fields.iter().map(field).collect()
    };
    format!("{{\"type_name\": \"{}\", \"fields\": [{}]}}", message.name, fields.join(", "))
}

fn field(field: &Field) -> String {
    let (base, string_capacity, nested) = match &field.element {
        Element::Message(name) => (1, 0, name.to_string()),
        Element::String(None) => (17, 0, String::new()),
        Element::WString(None) => (18, 0, String::new()),
        Element::String(Some(n)) => (21, *n, String::new()),
        Element::WString(Some(n)) => (22, *n, String::new()),
        Element::Primitive(p) => (primitive_id(*p), 0, String::new()),
    };
    let (offset, capacity) = match field.count {
        Count::One => (0, 0),
        Count::Array(n) => (48, n),
        Count::Bounded(n) => (96, n),
        Count::Sequence => (144, 0),
    };
    field_json(&field.name, base + offset, capacity, string_capacity, &nested)
}

fn field_json(name: &str, id: u32, capacity: u32, string_capacity: u32, nested: &str) -> String {
    format!(
        "{{\"name\": \"{name}\", \"type\": {{\"type_id\": {id}, \"capacity\": {capacity}, \
         \"string_capacity\": {string_capacity}, \"nested_type_name\": \"{nested}\"}}}}"
    )
}

/// Identifiers of `type_description_interfaces/msg/FieldType`.
fn primitive_id(p: Primitive) -> u32 {
    match p {
        Primitive::I8 => 2,
        Primitive::U8 | Primitive::Char => 3,
        Primitive::I16 => 4,
        Primitive::U16 => 5,
        Primitive::I32 => 6,
        Primitive::U32 => 7,
        Primitive::I64 => 8,
        Primitive::U64 => 9,
        Primitive::F32 => 10,
        Primitive::F64 => 11,
        Primitive::Bool => 15,
        Primitive::Byte => 16,
    }
}
