//! The definition text that rosbag2 stores as an MCAP schema (`ros2msg`): the type's own file, then each type that
//! it uses, parted by a line of 80 `=` and a line `MSG: package/Type`.
//!
//! ROS 2 has no such text for the parts of a service or an action. They are written out without comments and with
//! their full names (`shelfwright_msgs/action/FollowFace_Goal`), so that a reader can hash them again.

use std::fmt::Write as _;

use super::ast::{Count, Element, Field, Message, Primitive, TypeName};
use super::library::Library;

/// Definition of a type with all it uses.
pub fn definition(library: &Library, message: &Message) -> String {
    let mut out = own_text(message);
    for name in library.uses_of(message) {
        if let Some(used) = library.messages.get(&name) {
            let _ = write!(out, "{}\nMSG: {}\n{}", "=".repeat(80), short_name(&name), own_text(used));
        }
    }
    out
}

fn own_text(message: &Message) -> String {
    if message.name.namespace != "msg" {
        return message.fields.iter().map(field).collect();
    }
    let text = &message.text;
    if text.is_empty() || text.ends_with('\n') { text.clone() } else { format!("{text}\n") }
}

fn short_name(name: &TypeName) -> String {
    if name.namespace == "msg" { format!("{}/{}", name.package, name.name) } else { name.to_string() }
}

fn field(f: &Field) -> String {
    let element = match &f.element {
        Element::Primitive(p) => primitive(*p).to_owned(),
        Element::String(None) => "string".to_owned(),
        Element::String(Some(n)) => format!("string<={n}"),
        Element::WString(None) => "wstring".to_owned(),
        Element::WString(Some(n)) => format!("wstring<={n}"),
        Element::Message(name) => short_name(name),
    };
    let count = match f.count {
        Count::One => String::new(),
        Count::Array(n) => format!("[{n}]"),
        Count::Bounded(n) => format!("[<={n}]"),
        Count::Sequence => "[]".to_owned(),
    };
    format!("{element}{count} {}\n", f.name)
}

fn primitive(p: Primitive) -> &'static str {
    match p {
        Primitive::Bool => "bool",
        Primitive::Byte => "byte",
        Primitive::Char => "char",
        Primitive::I8 => "int8",
        Primitive::U8 => "uint8",
        Primitive::I16 => "int16",
        Primitive::U16 => "uint16",
        Primitive::I32 => "int32",
        Primitive::U32 => "uint32",
        Primitive::I64 => "int64",
        Primitive::U64 => "uint64",
        Primitive::F32 => "float32",
        Primitive::F64 => "float64",
    }
}
