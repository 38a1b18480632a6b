//! Parser of the `.msg`, `.srv` and `.action` grammar.
//!
//! The rules are those of `rosidl_adapter`: names, constants, defaults, bounded strings and sequences. As there,
//! `#` starts a comment wherever it stands.

use std::fmt;

use super::ast::{Constant, Count, Element, Field, Message, Primitive, TypeName, Value};

/// Why a definition is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// File as the caller named it.
    pub file: String,
    /// Line, from 1; 0 when it is about the whole file.
    pub line: usize,
    /// What is wrong: found and allowed.
    pub problem: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.problem)
    }
}

impl std::error::Error for ParseError {}

/// Parses one message definition; `first_line` is the number of its first line in the file.
pub fn message(name: TypeName, file: &str, text: &str, first_line: usize) -> Result<Message, ParseError> {
    let mut out = Message { name, fields: vec![], constants: vec![], comment: vec![], text: text.into() };
    let mut comment: Vec<String> = Vec::new();
    let mut top = true;
    for (i, raw) in text.lines().enumerate() {
        let fail = |problem: String| ParseError { file: file.into(), line: first_line + i, problem };
        let (code, note) = match raw.split_once('#') {
            Some((code, note)) => (code.trim(), Some(note.trim_start_matches('#').trim().to_owned())),
            None => (raw.trim(), None),
        };
        if code.is_empty() {
            match note {
                Some(note) => comment.push(note),
                // A blank line parts the comment of the file from that of its first member.
                None if top && out.comment.is_empty() => out.comment = std::mem::take(&mut comment),
                None => comment.clear(),
            }
            continue;
        }
        top = false;
        let mut own = std::mem::take(&mut comment);
        own.extend(note);
        let (type_text, rest) = code.split_once(char::is_whitespace).ok_or_else(|| {
            fail(format!("found {code:?}, expected TYPE NAME, TYPE NAME DEFAULT or TYPE NAME=VALUE"))
        })?;
        let rest = rest.trim();
        let (element, count) = field_type(type_text, &out.name.package).map_err(&fail)?;
        match constant_parts(rest) {
            Some((name, value)) => {
                if count != Count::One || matches!(element, Element::Message(_)) {
                    return Err(fail(format!(
                        "constant {name} of type {type_text}, expected a built-in type"
                    )));
                }
                check_constant_name(name).map_err(&fail)?;
                if out.constants.iter().any(|c| c.name == name) {
                    return Err(fail(format!("constant {name} stands there twice")));
                }
                let value = scalar(&element, value).map_err(&fail)?;
                out.constants.push(Constant { name: name.into(), element, value, comment: own });
            }
            None => {
                let (name, default) = match rest.split_once(char::is_whitespace) {
                    Some((name, default)) => (name, Some(default.trim())),
                    None => (rest, None),
                };
                check_field_name(name).map_err(&fail)?;
                if out.fields.iter().any(|f| f.name == name) {
                    return Err(fail(format!("field {name} stands there twice")));
                }
                let default =
                    default.map(|d| default_value(&element, count, d)).transpose().map_err(&fail)?;
                out.fields.push(Field { name: name.into(), element, count, default, comment: own });
            }
        }
    }
    if out.comment.is_empty() && out.fields.is_empty() && out.constants.is_empty() {
        out.comment = comment;
    }
    Ok(out)
}

/// Parses a service: request and response.
pub fn service(package: &str, name: &str, file: &str, text: &str) -> Result<Vec<Message>, ParseError> {
    let [request, response] = sections::<2>(file, text)?;
    let of = |part: &str, (line, text): (usize, &str)| {
        message(TypeName::new(package, "srv", &format!("{name}_{part}")), file, text, line)
    };
    Ok(vec![of("Request", request)?, of("Response", response)?])
}

/// Parses an action: goal, result and feedback, and adds the messages that ROS 2 wraps them in.
pub fn action(package: &str, name: &str, file: &str, text: &str) -> Result<Vec<Message>, ParseError> {
    let [goal, result, feedback] = sections::<3>(file, text)?;
    let of = |part: &str, line: usize, text: &str| {
        message(TypeName::new(package, "action", &format!("{name}_{part}")), file, text, line)
    };
    let mut out = vec![
        of("Goal", goal.0, goal.1)?,
        of("Result", result.0, result.1)?,
        of("Feedback", feedback.0, feedback.1)?,
    ];
    let id = "unique_identifier_msgs/UUID goal_id\n";
    for (part, text) in [
        ("SendGoal_Request", format!("{id}{package}/action/{name}_Goal goal\n")),
        ("SendGoal_Response", "bool accepted\nbuiltin_interfaces/Time stamp\n".to_owned()),
        ("GetResult_Request", id.to_owned()),
        ("GetResult_Response", format!("int8 status\n{package}/action/{name}_Result result\n")),
        ("FeedbackMessage", format!("{id}{package}/action/{name}_Feedback feedback\n")),
    ] {
        out.push(of(part, 0, &text)?);
    }
    Ok(out)
}

/// Cuts a file at its `---` lines; each part comes with the number of its first line.
fn sections<'t, const N: usize>(file: &str, text: &'t str) -> Result<[(usize, &'t str); N], ParseError> {
    let mut parts = Vec::new();
    let (mut start, mut first_line, mut at) = (0, 1, 0);
    for (i, line) in text.split_inclusive('\n').enumerate() {
        if line.trim() == "---" {
            parts.push((first_line, &text[start..at]));
            start = at + line.len();
            first_line = i + 2;
        }
        at += line.len();
    }
    parts.push((first_line, &text[start..]));
    let found = parts.len();
    parts.try_into().map_err(|_| ParseError {
        file: file.into(),
        line: 0,
        problem: format!("found {found} parts between lines of ---, expected {N}"),
    })
}

/// Splits `NAME=VALUE`; a `=` inside a default's quotes or after `<` is none.
fn constant_parts(rest: &str) -> Option<(&str, &str)> {
    let (name, value) = rest.split_once('=')?;
    let name = name.trim();
    (!name.contains(char::is_whitespace) && !name.contains(['\'', '"', '<'])).then_some((name, value.trim()))
}

fn field_type(text: &str, package: &str) -> Result<(Element, Count), String> {
    let (base, count) = match text.strip_suffix(']').map(|t| t.rsplit_once('[')) {
        None => (text, Count::One),
        Some(None) => return Err(format!("type {text:?} has ] without [")),
        Some(Some((base, ""))) => (base, Count::Sequence),
        Some(Some((base, size))) => match size.strip_prefix("<=") {
            Some(bound) => (base, Count::Bounded(size_of(text, bound)?)),
            None => (base, Count::Array(size_of(text, size)?)),
        },
    };
    Ok((element(base, package)?, count))
}

fn size_of(text: &str, digits: &str) -> Result<u32, String> {
    match digits.parse() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err(format!("type {text:?} has the size {digits:?}, expected a whole number from 1")),
    }
}

fn element(text: &str, package: &str) -> Result<Element, String> {
    use Primitive as P;
    let (base, bound) = match text.split_once("<=") {
        Some((base, bound)) => (base, Some(size_of(text, bound)?)),
        None => (text, None),
    };
    match base {
        "string" => return Ok(Element::String(bound)),
        "wstring" => return Ok(Element::WString(bound)),
        _ if bound.is_some() => return Err(format!("type {text:?}: only string and wstring take <=")),
        _ => {}
    }
    let primitive = match base {
        "bool" => P::Bool,
        "byte" => P::Byte,
        "char" => P::Char,
        "int8" => P::I8,
        "uint8" => P::U8,
        "int16" => P::I16,
        "uint16" => P::U16,
        "int32" => P::I32,
        "uint32" => P::U32,
        "int64" => P::I64,
        "uint64" => P::U64,
        "float32" => P::F32,
        "float64" => P::F64,
        _ => return message_name(base, package).map(Element::Message),
    };
    Ok(Element::Primitive(primitive))
}

fn message_name(text: &str, package: &str) -> Result<TypeName, String> {
    let parts: Vec<&str> = text.split('/').collect();
    let name = match parts.as_slice() {
        [name] => TypeName::new(package, "msg", name),
        [package, name] => TypeName::new(package, "msg", name),
        [package, namespace @ ("msg" | "srv" | "action"), name] => TypeName::new(package, namespace, name),
        _ => return Err(format!("type {text:?}, expected a built-in type, Type or package/Type")),
    };
    let part_ok = |p: &str| {
        p.starts_with(|c: char| c.is_ascii_uppercase())
            && !p.ends_with('_')
            && p.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let package_ok = |p: &str| {
        p.starts_with(|c: char| c.is_ascii_lowercase())
            && p.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    // Inside a message file an underscore in a type's name is refused; our own action wrappers have one.
    let plain_ok = name.namespace != "msg" || !name.name.contains('_');
    if part_ok(&name.name) && plain_ok && package_ok(&name.package) {
        Ok(name)
    } else {
        Err(format!("unknown type {text:?}, expected a built-in type, Type or package/Type"))
    }
}

/// Words that Python keeps for itself: rosidl makes a module of such a field that Python does not load.
const PYTHON_WORDS: &[&str] = &[
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else",
    "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not",
    "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

fn check_field_name(name: &str) -> Result<(), String> {
    if PYTHON_WORDS.contains(&name) {
        return Err(format!("field name {name:?}, expected one that is no word of Python"));
    }
    let ok = name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('_')
        && !name.contains("__")
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if ok {
        Ok(())
    } else {
        Err(format!(
            "field name {name:?}, expected lower-case letters, digits and single underscores, a letter first"
        ))
    }
}

fn check_constant_name(name: &str) -> Result<(), String> {
    let ok = name.starts_with(|c: char| c.is_ascii_uppercase())
        && !name.ends_with('_')
        && !name.contains("__")
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    if ok {
        Ok(())
    } else {
        Err(format!(
            "constant name {name:?}, expected upper-case letters, digits and single underscores, a letter first"
        ))
    }
}

fn default_value(element: &Element, count: Count, text: &str) -> Result<Value, String> {
    let limit = match count {
        Count::One => return scalar(element, text),
        Count::Array(n) | Count::Bounded(n) => Some(n as usize),
        Count::Sequence => None,
    };
    let inner = text
        .strip_prefix('[')
        .and_then(|t| t.strip_suffix(']'))
        .ok_or_else(|| format!("default {text:?}, expected [VALUE, VALUE, ...]"))?;
    let values: Vec<Value> =
        split_list(inner).into_iter().map(|v| scalar(element, v.trim())).collect::<Result<_, _>>()?;
    match (count, limit) {
        (Count::Array(_), Some(n)) if values.len() != n => {
            Err(format!("default has {} values, expected {n}", values.len()))
        }
        (_, Some(n)) if values.len() > n => {
            Err(format!("default has {} values, expected at most {n}", values.len()))
        }
        _ => Ok(Value::List(values)),
    }
}

/// Cuts at commas outside quotes.
fn split_list(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut start, mut quote) = (0, None);
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), _) if q == c => quote = None,
            (None, ',') => {
                out.push(&text[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    if !text[start..].trim().is_empty() {
        out.push(&text[start..]);
    }
    out
}

fn scalar(element: &Element, text: &str) -> Result<Value, String> {
    use Primitive as P;
    let primitive = match element {
        Element::Message(name) => return Err(format!("{name} takes no default")),
        Element::String(bound) | Element::WString(bound) => {
            let value = unquote(text)?;
            return match bound {
                Some(n) if value.chars().count() > *n as usize => {
                    Err(format!("text {text} is longer than its bound of {n}"))
                }
                _ => Ok(Value::Text(value)),
            };
        }
        Element::Primitive(p) => *p,
    };
    let (low, high): (i128, i128) = match primitive {
        P::Bool => {
            return match text.to_ascii_lowercase().as_str() {
                "true" | "1" => Ok(Value::Bool(true)),
                "false" | "0" => Ok(Value::Bool(false)),
                _ => Err(format!("value {text:?}, expected true, false, 1 or 0")),
            };
        }
        P::F32 | P::F64 => {
            return match text.parse::<f64>() {
                Ok(v) if v.is_finite() => Ok(Value::Float(v)),
                _ => Err(format!("value {text:?}, expected a finite number")),
            };
        }
        P::I8 => (i8::MIN.into(), i8::MAX.into()),
        P::Byte | P::Char | P::U8 => (0, u8::MAX.into()),
        P::I16 => (i16::MIN.into(), i16::MAX.into()),
        P::U16 => (0, u16::MAX.into()),
        P::I32 => (i32::MIN.into(), i32::MAX.into()),
        P::U32 => (0, u32::MAX.into()),
        P::I64 => (i64::MIN.into(), i64::MAX.into()),
        P::U64 => (0, u64::MAX.into()),
    };
    match integer(text) {
        Some(v) if (low..=high).contains(&v) => Ok(Value::Int(v)),
        _ => Err(format!("value {text:?}, expected a whole number from {low} to {high}")),
    }
}

fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.starts_with(['-', '+']) {
        return None;
    }
    let lower = digits.to_ascii_lowercase();
    let value = match lower.get(..2) {
        Some("0x") => i128::from_str_radix(&lower[2..], 16),
        Some("0b") => i128::from_str_radix(&lower[2..], 2),
        Some("0o") => i128::from_str_radix(&lower[2..], 8),
        _ => lower.parse(),
    }
    .ok()?;
    Some(if negative { -value } else { value })
}

/// Takes the quotes off a text; without quotes it stands for itself.
fn unquote(text: &str) -> Result<String, String> {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        return Ok(text.to_owned());
    };
    let inner = text
        .strip_prefix(quote)
        .and_then(|t| t.strip_suffix(quote))
        .ok_or_else(|| format!("text {text} has no closing {quote}"))?;
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c == '\\' {
            match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some(c @ ('\\' | '"' | '\'')) => out.push(c),
                other => {
                    return Err(format!("text {text} has the unknown escape \\{}", other.unwrap_or(' ')));
                }
            }
        } else {
            out.push(c);
        }
    }
    Ok(out)
}
