//! What the receiver takes: bytes in, checked events out, or one clear refusal.

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::problem::Problem;
use crate::event::{RUN_SUMMARY_V1, RunSummaryData, SHELF_ERROR_V1, ShelfErrorData};

/// Longest `id` and `source`, bytes.
const MAX_NAME_BYTES: usize = 512;

/// A checked event.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Event {
    pub id: String,
    pub source: String,
    pub time: Option<String>,
    pub data: Data,
    /// The whole event as it came.
    pub body: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Data {
    Summary(Box<RunSummaryData>),
    ShelfError(Box<ShelfErrorData>),
}

impl Data {
    pub fn kind(&self) -> &'static str {
        match self {
            Data::Summary(_) => RUN_SUMMARY_V1,
            Data::ShelfError(_) => SHELF_ERROR_V1,
        }
    }
}

/// Reads a body: one event, or a list of them. The key of the `Idempotency-Key` header, where there is one,
/// must be the `id` of the one event.
pub(super) fn read(body: &[u8], key: Option<&str>) -> Result<Vec<Event>, Problem> {
    let value: Value =
        serde_json::from_slice(body).map_err(|e| Problem::bad_body(format!("found no JSON: {e}")))?;
    let events = match value {
        Value::Array(list) => {
            if let Some(key) = key {
                return Err(Problem::bad_body(format!(
                    "found Idempotency-Key {key:?} with a batch, expected it with a single event only; \
                     in a batch each event's id is its key"
                )));
            }
            list.into_iter()
                .enumerate()
                .map(|(i, v)| event(v, &format!("/{i}")))
                .collect::<Result<Vec<_>, _>>()?
        }
        single => vec![event(single, "")?],
    };
    if let (Some(key), [event]) = (key, events.as_slice())
        && key != event.id
    {
        return Err(Problem::bad_body(format!(
            "found Idempotency-Key {key:?} and event id {:?}, expected the same",
            event.id
        )));
    }
    Ok(events)
}

fn event(value: Value, at: &str) -> Result<Event, Problem> {
    let Value::Object(fields) = &value else {
        return Err(
            Problem::bad_body(format!("found {}, expected an event object", kind_of(&value))).at(at.into())
        );
    };
    let text = |name: &str| match fields.get(name) {
        Some(Value::String(s)) if !s.is_empty() && s.len() <= MAX_NAME_BYTES => Ok(s.clone()),
        found => Err(Problem::bad_body(format!(
            "{name}: found {}, expected a text of 1 to {MAX_NAME_BYTES} bytes",
            found.map_or("nothing", kind_of)
        ))
        .at(format!("{at}/{name}"))),
    };
    let version = text("specversion")?;
    if version != "1.0" {
        return Err(Problem::bad_event(format!("specversion: found {version:?}, expected \"1.0\""))
            .at(format!("{at}/specversion")));
    }
    let (id, source, kind) = (text("id")?, text("source")?, text("type")?);
    let time = if fields.contains_key("time") { Some(text("time")?) } else { None };
    let data = fields.get("data").unwrap_or(&Value::Null);
    let bad = |e: serde_json::Error| {
        Problem::bad_event(format!("data of type {kind}: {e}")).at(format!("{at}/data"))
    };
    let data = match kind.as_str() {
        SHELF_ERROR_V1 => Data::ShelfError(Box::new(ShelfErrorData::deserialize(data).map_err(bad)?)),
        RUN_SUMMARY_V1 => Data::Summary(Box::new(RunSummaryData::deserialize(data).map_err(bad)?)),
        _ => {
            return Err(Problem::bad_event(format!(
                "type: found {kind:?}, expected {SHELF_ERROR_V1} or {RUN_SUMMARY_V1}"
            ))
            .at(format!("{at}/type")));
        }
    };
    Ok(Event { id, source, time, data, body: value })
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(s) if s.is_empty() => "an empty text",
        Value::String(s) if s.len() > MAX_NAME_BYTES => "a longer text",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Media types that the receiver takes.
pub(super) fn media_type(header: Option<&str>) -> Result<(), Problem> {
    const ALLOWED: [&str; 3] =
        ["application/cloudevents+json", "application/cloudevents-batch+json", "application/json"];
    let found = header.unwrap_or("");
    let bare = found.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if ALLOWED.contains(&bare.as_str()) {
        Ok(())
    } else {
        Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "/problems/media-type",
            "The media type is not taken",
            format!("Content-Type: found {found:?}, expected {}", ALLOWED.join(" or ")),
        ))
    }
}
