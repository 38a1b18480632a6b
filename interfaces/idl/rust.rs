//! Writes the Rust types.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::ast::{Constant, Count, Element, Field, Message, Primitive, TypeName, Value};
use super::hash::rihs01;
use super::library::Library;
use super::text::definition;

/// Words that a field's name takes a trailing underscore for.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield",
];

/// The whole generated file: a module for each package, and the enum over all types.
pub fn generate(library: &Library) -> Result<String, String> {
    let mut packages: BTreeMap<&str, Vec<&Message>> = BTreeMap::new();
    let mut variants: BTreeMap<String, &Message> = BTreeMap::new();
    for message in library.messages.values() {
        packages.entry(&message.name.package).or_default().push(message);
        if let Some(other) = variants.insert(rust_name(&message.name), message) {
            return Err(format!(
                "{} and {} would both be called {}",
                other.name,
                message.name,
                rust_name(&other.name)
            ));
        }
    }
    let mut out = String::new();
    for (package, messages) in packages {
        let _ = writeln!(out, "/// Types of the ROS package `{package}`.\npub mod {package} {{");
        for message in messages {
            out.push_str(&one(library, message)?);
        }
        out.push_str("}\n\n");
    }
    let _ = writeln!(out, "any_message! {{");
    for (variant, message) in &variants {
        let _ = writeln!(out, "    {variant}: {},", path(&message.name));
    }
    out.push_str("}\n");
    Ok(out)
}

/// `FollowFace_SendGoal_Request` is `FollowFaceSendGoalRequest` in Rust.
fn rust_name(name: &TypeName) -> String {
    name.name.replace('_', "")
}

fn path(name: &TypeName) -> String {
    format!("crate::{}::{}", name.package, rust_name(name))
}

fn field_name(name: &str) -> String {
    if KEYWORDS.contains(&name) { format!("{name}_") } else { name.to_owned() }
}

fn one(library: &Library, message: &Message) -> Result<String, String> {
    let name = rust_name(&message.name);
    let mut out = String::new();
    docs(&mut out, "", &message.comment, &format!("`{}`.", message.name));
    let _ = writeln!(out, "#[derive(Debug, Clone, PartialEq)]\npub struct {name} {{");
    for f in &message.fields {
        docs(&mut out, "    ", &f.comment, &format!("`{}` of `{}`.", f.name, message.name));
        let ty = field_type(f).map_err(|e| format!("{}: field {}: {e}", message.name, f.name))?;
        let _ = writeln!(out, "    pub {}: {ty},", field_name(&f.name));
    }
    out.push_str("}\n");
    if !message.constants.is_empty() {
        let _ = writeln!(out, "impl {name} {{");
        for c in &message.constants {
            docs(&mut out, "    ", &c.comment, &format!("`{}` of `{}`.", c.name, message.name));
            let _ = writeln!(out, "    {}", constant(c)?);
        }
        out.push_str("}\n");
    }
    let _ = writeln!(out, "impl Default for {name} {{\n    fn default() -> Self {{\n        Self {{");
    for f in &message.fields {
        let _ = writeln!(out, "            {}: {},", field_name(&f.name), default(f));
    }
    out.push_str("        }\n    }\n}\n");
    wire(&mut out, &name, message);
    let _ = writeln!(
        out,
        "impl crate::Message for {name} {{\n    const TYPE_NAME: &'static str = {:?};\n    \
         const TYPE_HASH: &'static str = {:?};\n    const DEFINITION: &'static str = {:?};\n}}",
        message.name.to_string(),
        rihs01(library, message),
        definition(library, message),
    );
    Ok(out)
}

/// Encoding and decoding, field by field.
fn wire(out: &mut String, name: &str, message: &Message) {
    let _ = writeln!(out, "impl crate::cdr::Wire for {name} {{");
    if message.fields.is_empty() {
        // IDL knows no empty structure: on the wire it is one octet.
        out.push_str(
            "    const MIN_BYTES: usize = 1;\n    \
             fn encode(&self, e: &mut crate::cdr::Encoder) { crate::cdr::Wire::encode(&0_u8, e); }\n    \
             fn decode(d: &mut crate::cdr::Decoder<'_>) -> Result<Self, crate::cdr::CdrError> {\n        \
             <u8 as crate::cdr::Wire>::decode(d)?;\n        Ok(Self {})\n    }\n}\n",
        );
        return;
    }
    let sizes: Vec<String> = message
        .fields
        .iter()
        .filter_map(|f| field_type(f).ok())
        .map(|ty| format!("<{ty} as crate::cdr::Wire>::MIN_BYTES"))
        .collect();
    let _ = writeln!(out, "    const MIN_BYTES: usize = {};", sizes.join(" + "));
    out.push_str("    fn encode(&self, e: &mut crate::cdr::Encoder) {\n");
    for f in &message.fields {
        let _ = writeln!(out, "        crate::cdr::Wire::encode(&self.{}, e);", field_name(&f.name));
    }
    out.push_str(
        "    }\n    fn decode(d: &mut crate::cdr::Decoder<'_>) -> Result<Self, crate::cdr::CdrError> {\n",
    );
    out.push_str("        Ok(Self {\n");
    for f in &message.fields {
        let _ = writeln!(
            out,
            "            {}: crate::cdr::Wire::decode(d).map_err(|e| e.within({:?}, {:?}))?,",
            field_name(&f.name),
            message.name.to_string(),
            f.name
        );
    }
    out.push_str("        })\n    }\n}\n");
}

fn element_type(element: &Element) -> Result<String, String> {
    use Primitive as P;
    Ok(match element {
        Element::Primitive(p) => match p {
            P::Bool => "bool",
            P::Byte | P::Char | P::U8 => "u8",
            P::I8 => "i8",
            P::I16 => "i16",
            P::U16 => "u16",
            P::I32 => "i32",
            P::U32 => "u32",
            P::I64 => "i64",
            P::U64 => "u64",
            P::F32 => "f32",
            P::F64 => "f64",
        }
        .to_owned(),
        Element::String(None) => "::std::string::String".to_owned(),
        Element::Message(name) => path(name),
        // No type in use has one; a Rust type that keeps the bound would be needed, lest encoding can fail.
        Element::String(Some(_)) => return Err("bounded strings have no Rust type here".into()),
        Element::WString(_) => return Err("wstring has no Rust type here".into()),
    })
}

fn field_type(f: &Field) -> Result<String, String> {
    let element = element_type(&f.element)?;
    match f.count {
        Count::One => Ok(element),
        Count::Array(n) => Ok(format!("[{element}; {n}]")),
        Count::Sequence => Ok(format!("Vec<{element}>")),
        Count::Bounded(_) => Err("bounded sequences have no Rust type here".into()),
    }
}

fn default(f: &Field) -> String {
    match (&f.default, f.count) {
        (None, Count::Array(_)) => "std::array::from_fn(|_| Default::default())".to_owned(),
        (None, _) => "Default::default()".to_owned(),
        (Some(Value::List(values)), count) => {
            let values: Vec<String> = values.iter().map(owned_literal).collect();
            let list = values.join(", ");
            if matches!(count, Count::Array(_)) { format!("[{list}]") } else { format!("vec![{list}]") }
        }
        (Some(value), _) => owned_literal(value),
    }
}

fn owned_literal(value: &Value) -> String {
    match value {
        Value::Text(t) => format!("{t:?}.to_owned()"),
        other => literal(other),
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Bool(b) => b.to_string(),
        Value::Int(i) => i.to_string(),
        Value::Float(v) => format!("{v:?}"),
        Value::Text(t) => format!("{t:?}"),
        Value::List(values) => format!("[{}]", values.iter().map(literal).collect::<Vec<_>>().join(", ")),
    }
}

fn constant(c: &Constant) -> Result<String, String> {
    let ty = match &c.element {
        Element::String(_) => "&'static str".to_owned(),
        other => element_type(other)?,
    };
    Ok(format!("pub const {}: {ty} = {};", c.name, literal(&c.value)))
}

/// Doc comments from the definition's comments; `fallback` where it has none.
fn docs(out: &mut String, indent: &str, comment: &[String], fallback: &str) {
    let mut any = false;
    for line in comment {
        any |= !line.is_empty();
        let mut text = String::new();
        for c in line.chars() {
            // What rustdoc would take for a link or a tag.
            if matches!(c, '[' | ']' | '<' | '>' | '*' | '_' | '`' | '|') {
                text.push('\\');
            }
            text.push(c);
        }
        let _ = writeln!(out, "{indent}/// {text}");
    }
    if !any {
        let _ = writeln!(out, "{indent}/// {fallback}");
    }
}
