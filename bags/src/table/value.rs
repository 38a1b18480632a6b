//! A message of any type as a tree of values, by its definition.

use serde_json::Value as Json;

use super::definition::{Definition, Kind, Many};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Bool(bool),
    Int(i64),
    UInt(u64),
    F32(f32),
    F64(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Value>),
    /// Fields in the definition's order.
    Message(usize, Vec<Value>),
}

impl Value {
    /// As JSON; NaN and infinity are null.
    pub fn json(&self, definition: &Definition) -> Json {
        match self {
            Self::Bool(v) => Json::from(*v),
            Self::Int(v) => Json::from(*v),
            Self::UInt(v) => Json::from(*v),
            // By its shortest text, so that 0.1 is 0.1.
            Self::F32(v) => v.to_string().parse::<f64>().map_or(Json::Null, Json::from),
            Self::F64(v) => Json::from(*v),
            Self::Text(v) => Json::from(v.clone()),
            Self::Bytes(v) => Json::from(hex(v)),
            Self::List(v) => v.iter().map(|v| v.json(definition)).collect(),
            Self::Message(at, values) => {
                let names = definition.messages[*at].fields.iter().map(|f| f.name.clone());
                Json::Object(names.zip(values.iter().map(|v| v.json(definition))).collect())
            }
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Reads a message's CDR bytes.
pub(super) fn decode(definition: &Definition, bytes: &[u8]) -> Result<Value, String> {
    let big_endian = match bytes {
        [0, 0, _, _, ..] => true,
        [0, 1, _, _, ..] => false,
        _ => return Err("no CDR header".to_owned()),
    };
    Cdr { bytes: &bytes[4..], at: 0, big_endian, definition }.message(0)
}

struct Cdr<'a> {
    /// After the header, from which alignment counts.
    bytes: &'a [u8],
    at: usize,
    big_endian: bool,
    definition: &'a Definition,
}

impl<'a> Cdr<'a> {
    fn message(&mut self, at: usize) -> Result<Value, String> {
        let definition = self.definition;
        let message = &definition.messages[at];
        if message.fields.is_empty() {
            // ROS 2 gives an empty type one byte.
            self.number::<1>()?;
        }
        let mut values = Vec::with_capacity(message.fields.len());
        for field in &message.fields {
            let count = match field.many {
                Many::One => {
                    values.push(self.one(field.kind)?);
                    continue;
                }
                Many::Fixed(count) => count,
                Many::Sequence => self.length()?,
            };
            values.push(
                self.list(field.kind, count).map_err(|e| format!("{}.{}: {e}", message.name, field.name))?,
            );
        }
        Ok(Value::Message(at, values))
    }

    fn list(&mut self, kind: Kind, count: usize) -> Result<Value, String> {
        if kind == Kind::Int(1, false) {
            return Ok(Value::Bytes(self.take(count)?.to_vec()));
        }
        // Each element has a byte at least, so a damaged length allocates nothing.
        if count > self.bytes.len() - self.at {
            return Err(format!("list of {count} elements, {} bytes are left", self.bytes.len() - self.at));
        }
        (0..count).map(|_| self.one(kind)).collect::<Result<_, _>>().map(Value::List)
    }

    fn one(&mut self, kind: Kind) -> Result<Value, String> {
        Ok(match kind {
            Kind::Bool => Value::Bool(self.number::<1>()?[0] != 0),
            Kind::Int(1, true) => Value::Int(i8::from_le_bytes(self.number()?).into()),
            Kind::Int(1, false) => Value::UInt(u8::from_le_bytes(self.number()?).into()),
            Kind::Int(2, true) => Value::Int(i16::from_le_bytes(self.number()?).into()),
            Kind::Int(2, false) => Value::UInt(u16::from_le_bytes(self.number()?).into()),
            Kind::Int(4, true) => Value::Int(i32::from_le_bytes(self.number()?).into()),
            Kind::Int(4, false) => Value::UInt(u32::from_le_bytes(self.number()?).into()),
            Kind::Int(_, true) => Value::Int(i64::from_le_bytes(self.number()?)),
            Kind::Int(_, false) => Value::UInt(u64::from_le_bytes(self.number()?)),
            Kind::F32 => Value::F32(f32::from_le_bytes(self.number()?)),
            Kind::F64 => Value::F64(f64::from_le_bytes(self.number()?)),
            Kind::Text => {
                let count = self.length()?;
                let bytes = self.take(count)?;
                let text = bytes.strip_suffix(&[0]).unwrap_or(bytes);
                Value::Text(String::from_utf8_lossy(text).into_owned())
            }
            Kind::Message(at) => self.message(at)?,
        })
    }

    /// A number's bytes, little endian.
    fn number<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let padding = self.at.next_multiple_of(N) - self.at;
        self.take(padding)?;
        let mut raw = [0; N];
        raw.copy_from_slice(self.take(N)?);
        if self.big_endian {
            raw.reverse();
        }
        Ok(raw)
    }

    fn length(&mut self) -> Result<usize, String> {
        Ok(u32::from_le_bytes(self.number()?) as usize)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let rest = &self.bytes[self.at..];
        let taken = rest
            .get(..count)
            .ok_or_else(|| format!("needs {count} bytes at {}, {} are left", self.at, rest.len()))?;
        self.at += count;
        Ok(taken)
    }
}
