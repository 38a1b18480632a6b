//! Columns of a type, and rows of its messages.

use super::definition::{Definition, Kind, Many};
use super::value::{Value, decode, hex};
use crate::record::Channel;

/// Short fixed lists (a quaternion, a matrix of three) become columns; longer ones stay lists.
const SPREAD: usize = 9;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnKind {
    Bool,
    Int,
    UInt,
    F32,
    F64,
    Text,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub name: String,
    pub kind: ColumnKind,
}

/// One value of a row; its kind is the column's.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Empty,
    Bool(bool),
    Int(i64),
    UInt(u64),
    F32(f32),
    F64(f64),
    Text(String),
}

/// How a type's messages become rows.
pub(super) struct Table {
    definition: Definition,
    columns: Vec<Column>,
    /// The field whose elements have a row each.
    rows_of: Option<usize>,
}

impl Table {
    /// Of a topic; the error says why there is none.
    pub fn of(channel: &Channel) -> Result<Self, String> {
        if channel.encoding != "cdr" || channel.definition_encoding != "ros2msg" {
            let found = (&channel.encoding, &channel.definition_encoding);
            return Err(format!("encoding and definition are {found:?}, expected cdr and ros2msg"));
        }
        let definition = Definition::parse(&channel.type_name, &channel.definition)?;
        let lists = |i: &usize| {
            let field = &definition.messages[0].fields[*i];
            field.many == Many::Sequence && matches!(field.kind, Kind::Message(_))
        };
        let mut found = (0..definition.messages[0].fields.len()).filter(lists);
        let rows_of = match (found.next(), found.next()) {
            (Some(one), None) => Some(one),
            _ => None,
        };
        let mut table = Self { definition, columns: Vec::new(), rows_of };
        table.columns.push(Column { name: "stamp_ns".into(), kind: ColumnKind::Int });
        if let Some(list) = rows_of {
            let name = format!("{}_index", table.definition.messages[0].fields[list].name);
            table.columns.push(Column { name, kind: ColumnKind::UInt });
        }
        table.name_columns(0, "", true);
        Ok(table)
    }

    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn name_columns(&mut self, at: usize, prefix: &str, top: bool) {
        if let Some(name) = time_name(&self.definition, at, prefix) {
            return self.columns.push(Column { name, kind: ColumnKind::Int });
        }
        for (i, field) in self.definition.messages[at].fields.clone().into_iter().enumerate() {
            let name = format!("{prefix}{}", field.name);
            match (field.many, field.kind) {
                (Many::One, Kind::Message(inner)) => self.name_columns(inner, &format!("{name}."), false),
                (Many::Sequence, Kind::Message(inner)) if top && self.rows_of == Some(i) => {
                    self.name_columns(inner, &format!("{name}."), false);
                }
                (Many::One, kind) => self.columns.push(Column { name, kind: column_kind(kind) }),
                (Many::Fixed(count), kind) if spreads(count, kind) => {
                    for i in 0..count {
                        self.columns.push(Column { name: format!("{name}.{i}"), kind: column_kind(kind) });
                    }
                }
                _ => self.columns.push(Column { name, kind: ColumnKind::Text }),
            }
        }
    }

    /// The rows of a message.
    pub fn rows(&self, stamp_ns: i64, data: &[u8]) -> Result<Vec<Vec<Cell>>, String> {
        let value = decode(&self.definition, data)?;
        let Some(list) = self.rows_of else {
            let mut row = vec![Cell::Int(stamp_ns)];
            self.cells(&value, None, &mut row);
            return Ok(vec![row]);
        };
        let count = match &value {
            Value::Message(_, fields) => match &fields[list] {
                Value::List(elements) => elements.len(),
                _ => 0,
            },
            _ => 0,
        };
        let row = |i: usize| {
            let mut row = vec![Cell::Int(stamp_ns), Cell::UInt(i as u64)];
            self.cells(&value, Some(i), &mut row);
            row
        };
        Ok((0..count).map(row).collect())
    }

    /// Appends a message's cells; `element` is the one that this row is of.
    fn cells(&self, value: &Value, element: Option<usize>, row: &mut Vec<Cell>) {
        let Value::Message(at, values) = value else { return };
        if time_name(&self.definition, *at, "").is_some() {
            if let [Value::Int(sec), Value::UInt(nanosec)] = values[..] {
                row.push(Cell::Int(sec.saturating_mul(1_000_000_000).saturating_add(nanosec as i64)));
            }
            return;
        }
        for (i, (field, value)) in self.definition.messages[*at].fields.iter().zip(values).enumerate() {
            match (value, element) {
                (Value::List(elements), Some(e)) if self.rows_of == Some(i) => {
                    self.cells(&elements[e], None, row);
                }
                (Value::Message(..), _) => self.cells(value, None, row),
                (Value::List(elements), _) if matches!(field.many, Many::Fixed(n) if spreads(n, field.kind)) =>
                {
                    row.extend(elements.iter().map(cell));
                }
                (Value::List(_), _) => row.push(Cell::Text(value.json(&self.definition).to_string())),
                _ => row.push(cell(value)),
            }
        }
    }
}

/// The one column of a time or duration.
fn time_name(definition: &Definition, at: usize, prefix: &str) -> Option<String> {
    let name = definition.messages[at].name.as_str();
    matches!(name, "builtin_interfaces/Time" | "builtin_interfaces/Duration")
        .then(|| format!("{}_ns", prefix.trim_end_matches('.')))
}

fn spreads(count: usize, kind: Kind) -> bool {
    // Bytes are one text.
    count <= SPREAD && !matches!(kind, Kind::Message(_) | Kind::Int(1, false))
}

fn column_kind(kind: Kind) -> ColumnKind {
    match kind {
        Kind::Bool => ColumnKind::Bool,
        Kind::Int(_, true) => ColumnKind::Int,
        Kind::Int(_, false) => ColumnKind::UInt,
        Kind::F32 => ColumnKind::F32,
        Kind::F64 => ColumnKind::F64,
        Kind::Text | Kind::Message(_) => ColumnKind::Text,
    }
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Bool(v) => Cell::Bool(*v),
        Value::Int(v) => Cell::Int(*v),
        Value::UInt(v) => Cell::UInt(*v),
        Value::F32(v) => Cell::F32(*v),
        Value::F64(v) => Cell::F64(*v),
        Value::Text(v) => Cell::Text(v.clone()),
        Value::Bytes(v) => Cell::Text(hex(v)),
        Value::List(_) | Value::Message(..) => Cell::Empty,
    }
}
