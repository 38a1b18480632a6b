//! A type's definition as a bag has it (`ros2msg`): its fields in order.

/// A field's type without its being a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    /// Bytes and whether it has a sign.
    Int(u8, bool),
    F32,
    F64,
    Text,
    /// The message of that place in [`Definition::messages`].
    Message(usize),
}

/// How many of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Many {
    One,
    Fixed(usize),
    Sequence,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub name: String,
    pub kind: Kind,
    pub many: Many,
}

/// A message of the definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// `package/Type`.
    pub name: String,
    pub fields: Vec<Field>,
}

/// A type with all it uses; the first message is the type itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Definition {
    pub messages: Vec<Message>,
}

impl Definition {
    /// Reads a definition. The error says what cannot be read.
    pub fn parse(type_name: &str, text: &str) -> Result<Self, String> {
        let mut sections: Vec<(String, Vec<&str>)> = vec![(short(type_name), Vec::new())];
        for line in text.lines() {
            if line.starts_with("====") {
                continue;
            }
            if let Some(name) = line.strip_prefix("MSG:") {
                sections.push((short(name.trim()), Vec::new()));
            } else if let Some((_, lines)) = sections.last_mut() {
                lines.push(line);
            }
        }
        let names: Vec<String> = sections.iter().map(|(name, _)| name.clone()).collect();
        let mut messages = Vec::new();
        for (name, lines) in sections {
            let mut fields = Vec::new();
            for line in lines {
                fields.extend(field(line, &name, &names)?);
            }
            messages.push(Message { name, fields });
        }
        let out = Self { messages };
        out.refuse_circles(0, &mut Vec::new())?;
        Ok(out)
    }

    fn refuse_circles(&self, at: usize, above: &mut Vec<usize>) -> Result<(), String> {
        if above.contains(&at) {
            return Err(format!("{} holds itself", self.messages[at].name));
        }
        above.push(at);
        for field in &self.messages[at].fields {
            if let Kind::Message(inner) = field.kind {
                self.refuse_circles(inner, above)?;
            }
        }
        above.pop();
        Ok(())
    }
}

/// `package/Type` of `package/msg/Type`.
fn short(name: &str) -> String {
    let mut parts = name.split('/');
    match (parts.next(), parts.next_back()) {
        (Some(package), Some(name)) => format!("{package}/{name}"),
        _ => name.to_owned(),
    }
}

/// The field of a line; none where it has a constant, a comment or nothing.
fn field(line: &str, within: &str, names: &[String]) -> Result<Option<Field>, String> {
    let line = line.split('#').next().unwrap_or_default();
    let mut words = line.split_whitespace();
    let (Some(type_text), Some(name)) = (words.next(), words.next()) else { return Ok(None) };
    // `int32 A=1` and `int32 A = 1` are constants; `string<=9 a` is a bounded text.
    if name.contains('=') || words.next().is_some_and(|w| w.starts_with('=')) {
        return Ok(None);
    }
    let (base, many) = match type_text.split_once('[') {
        None => (type_text, Many::One),
        Some((base, bound)) => {
            let bound = bound.trim_end_matches(']');
            let many = if bound.is_empty() || bound.starts_with("<=") {
                Many::Sequence
            } else {
                Many::Fixed(bound.parse().map_err(|_| format!("{within}: list of {bound:?} in {line:?}"))?)
            };
            (base, many)
        }
    };
    let base = base.split("<=").next().unwrap_or_default();
    let kind = match base {
        "bool" => Kind::Bool,
        "byte" | "uint8" | "char" => Kind::Int(1, false),
        "int8" => Kind::Int(1, true),
        "int16" => Kind::Int(2, true),
        "uint16" => Kind::Int(2, false),
        "int32" => Kind::Int(4, true),
        "uint32" => Kind::Int(4, false),
        "int64" => Kind::Int(8, true),
        "uint64" => Kind::Int(8, false),
        "float32" => Kind::F32,
        "float64" => Kind::F64,
        "string" => Kind::Text,
        other => {
            let package = within.split('/').next().unwrap_or_default();
            let full = if other.contains('/') { short(other) } else { format!("{package}/{other}") };
            let place = names.iter().position(|n| *n == full);
            Kind::Message(place.ok_or_else(|| format!("{within}: no definition of {full}"))?)
        }
    };
    Ok(Some(Field { name: name.to_owned(), kind, many }))
}
