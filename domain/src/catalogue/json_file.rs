//! The catalogue as JSON lines: one object a line, empty lines allowed.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Catalogue;
use super::build::{Builder, HEIGHT, Row, THICKNESS};
use crate::table_error::{At, BadCell, TableError};
use crate::table_file::write_whole;

#[derive(serde::Deserialize)]
struct Line<'a> {
    #[serde(borrow, default)]
    barcode: Cell<'a>,
    #[serde(borrow, default)]
    uid: Cell<'a>,
    #[serde(borrow, default)]
    call_number: Cell<'a>,
    #[serde(borrow, default)]
    scheme: Cell<'a>,
    #[serde(borrow, default)]
    title: Cell<'a>,
    #[serde(borrow, default)]
    author: Cell<'a>,
    #[serde(borrow, default)]
    thickness_m: Cell<'a>,
    #[serde(borrow, default)]
    height_m: Cell<'a>,
    #[serde(borrow, default)]
    home: Cell<'a>,
    #[serde(borrow, default)]
    status: Cell<'a>,
    #[serde(borrow, default)]
    tag_model: Cell<'a>,
}

/// Any JSON value, so that a wrong one is named with its column and not with a byte offset.
#[derive(Default)]
enum Cell<'a> {
    #[default]
    Absent,
    Text(Cow<'a, str>),
    Number(f64),
    Other(&'static str),
}

impl Cell<'_> {
    fn text(&self, column: &'static str, required: bool) -> Result<&str, BadCell> {
        const TEXT: &str = "a JSON string";
        match self {
            Self::Text(text) => Ok(text),
            Self::Absent if required => Err(BadCell::new(column, "nothing", TEXT)),
            Self::Absent => Ok(""),
            Self::Number(n) => Err(BadCell::new(column, n.to_string(), TEXT)),
            Self::Other(what) => Err(BadCell::new(column, *what, TEXT)),
        }
    }

    fn size(&self, column: &'static str, allowed: &'static str) -> Result<f32, BadCell> {
        match self {
            Self::Number(n) => Ok(*n as f32),
            Self::Absent => Ok(f32::NAN),
            Self::Text(text) => super::build::size_from_text(text, column, allowed),
            Self::Other(what) => Err(BadCell::new(column, *what, allowed)),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Cell<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Cell<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }

            fn visit_borrowed_str<E: de::Error>(self, v: &'de str) -> Result<Self::Value, E> {
                Ok(Cell::Text(Cow::Borrowed(v)))
            }

            fn visit_str<E: de::Error>(self, v: &str) -> Result<Self::Value, E> {
                Ok(Cell::Text(Cow::Owned(v.into())))
            }

            fn visit_f64<E: de::Error>(self, v: f64) -> Result<Self::Value, E> {
                Ok(Cell::Number(v))
            }

            fn visit_u64<E: de::Error>(self, v: u64) -> Result<Self::Value, E> {
                Ok(Cell::Number(v as f64))
            }

            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Self::Value, E> {
                Ok(Cell::Number(v as f64))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
                Ok(Cell::Absent)
            }

            fn visit_bool<E: de::Error>(self, v: bool) -> Result<Self::Value, E> {
                Ok(Cell::Other(if v { "true" } else { "false" }))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Cell::Other("an array"))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Cell::Other("an object"))
            }
        }

        d.deserialize_any(Any)
    }
}

pub(super) fn load(path: &Path, into: &mut Builder) -> Result<(), TableError> {
    let file = File::open(path).map_err(TableError::read(path))?;
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(TableError::read(path))? == 0 {
            break;
        }
        let at = At::Line(number);
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        let cells: Line<'_> = serde_json::from_slice(text).map_err(|e| TableError::Syntax {
            path: path.into(),
            at,
            problem: format!("no JSON object of a catalogue item: {e}")
                .replace(" at line 1 column ", ", byte "),
        })?;
        let row = row(&cells).map_err(|bad| bad.at(path, at))?;
        into.push(&row, at)?;
    }
    Ok(())
}

fn row<'a>(cells: &'a Line<'_>) -> Result<Row<'a>, BadCell> {
    Ok(Row {
        barcode: cells.barcode.text("barcode", true)?,
        uid: cells.uid.text("uid", false)?,
        call_number: cells.call_number.text("call_number", true)?,
        scheme: cells.scheme.text("scheme", true)?,
        title: cells.title.text("title", false)?,
        author: cells.author.text("author", false)?,
        thickness_m: cells.thickness_m.size("thickness_m", THICKNESS)?,
        height_m: cells.height_m.size("height_m", HEIGHT)?,
        home: cells.home.text("home", true)?,
        status: cells.status.text("status", false)?,
        tag_model: cells.tag_model.text("tag_model", false)?,
    })
}

pub(super) fn save(catalogue: &Catalogue, path: &Path) -> Result<(), TableError> {
    write_whole(path, |out| {
        for item in catalogue.iter() {
            // Unknown sizes are NaN, which JSON writes as null.
            serde_json::to_writer(&mut *out, &item.to_item())?;
            out.write_all(b"\n")?;
        }
        Ok(())
    })
}
