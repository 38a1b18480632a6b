//! The receiver's description (OpenAPI 3.1). The golden file `openapi.json` in this package holds it.

// Pieces of the document are made in place and handed on; that `json!` only borrows them is its affair.
#![allow(clippy::needless_pass_by_value)]

use serde_json::{Value, json};

use super::api::{LARGEST_PAGE, PAGE};
use crate::event::{RUN_SUMMARY_V1, SHELF_ERROR_V1};
use crate::words;

/// The description as JSON.
pub fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Shelfwright reference platform",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": "Takes CloudEvents 1.0 with runs and shelf errors, keeps each exactly once, lists them."
        },
        "paths": {
            "/": { "get": {
                "summary": "Runs and shelf errors as a page for people",
                "responses": { "200": { "description": "The page", "content": { "text/html": {} } } }
            } },
            "/healthz": { "get": {
                "summary": "Whether the receiver and its database work",
                "responses": { "200": answer("It works", "#/components/schemas/Health"), "500": problem("It does not") }
            } },
            "/openapi.json": { "get": {
                "summary": "This description",
                "responses": { "200": { "description": "OpenAPI 3.1", "content": { "application/json": {} } } }
            } },
            "/api/v1/events": { "post": {
                "summary": "Give one event or a list of events; a list is kept whole or not at all",
                "parameters": [ {
                    "name": "Idempotency-Key", "in": "header", "required": false,
                    "schema": { "type": "string" },
                    "description": "With a single event: its id, the same on every attempt"
                } ],
                "requestBody": { "required": true, "content": {
                    "application/cloudevents+json": { "schema": reference("Event") },
                    "application/cloudevents-batch+json": { "schema": { "type": "array", "items": reference("Event") } }
                } },
                "responses": {
                    "200": answer("All were there before", "#/components/schemas/Receipt"),
                    "201": answer("Kept", "#/components/schemas/Receipt"),
                    "400": problem("The body is no event"),
                    "413": problem("The body is too large"),
                    "415": problem("The media type is not taken"),
                    "422": problem("The event cannot be taken as it is, or its id was used for another content")
                }
            } },
            "/api/v1/runs": { "get": {
                "summary": "Runs, the latest first",
                "parameters": [
                    limit(),
                    query("cursor", json!({ "type": "integer" }), "The page after this one: `next` of the page before")
                ],
                "responses": {
                    "200": answer("A page", "#/components/schemas/Runs"),
                    "400": problem("The query cannot be answered")
                }
            } },
            "/api/v1/shelf-errors": { "get": {
                "summary": "Shelf errors, the latest run first, in each run by number",
                "parameters": [
                    query("run", json!({ "type": "string" }), "Only this run"),
                    query("kind", kinds(), "Only this kind"),
                    query("face", json!({ "type": "string" }),
                        "Only this row face, FLOOR/ROW+SIDE: where found, else where it belongs"),
                    query("barcode", json!({ "type": "string" }), "Only this item"),
                    query("uid", json!({ "type": "string" }), "Only this tag, in hex"),
                    query("min_confidence", json!({ "type": "number", "minimum": 0, "maximum": 1 }), "At least this sure"),
                    limit(),
                    query("cursor", json!({ "type": "integer" }), "The page after this one: `next` of the page before")
                ],
                "responses": {
                    "200": answer("A page", "#/components/schemas/ShelfErrors"),
                    "400": problem("The query cannot be answered")
                }
            } }
        },
        "components": { "schemas": schemas() }
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn answer(description: &str, schema: &str) -> Value {
    json!({ "description": description, "content": { "application/json": { "schema": { "$ref": schema } } } })
}

fn problem(description: &str) -> Value {
    json!({ "description": description, "content": { "application/problem+json": { "schema": reference("Problem") } } })
}

fn query(name: &str, schema: Value, description: &str) -> Value {
    json!({ "name": name, "in": "query", "required": false, "schema": schema, "description": description })
}

fn limit() -> Value {
    query(
        "limit",
        json!({ "type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE }),
        "Most items on the page",
    )
}

fn kinds() -> Value {
    let names: Vec<&str> = words::KINDS.into_iter().map(words::name).collect();
    json!({ "type": "string", "enum": names })
}

fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties })
}

fn list(item: &str) -> Value {
    object(
        &["items", "total", "next"],
        json!({
            "items": { "type": "array", "items": reference(item) },
            "total": { "type": "integer" },
            "next": { "type": ["integer", "null"] }
        }),
    )
}

fn schemas() -> Value {
    let text = || json!({ "type": "string" });
    let number = || json!({ "type": "number" });
    let integer = || json!({ "type": "integer" });
    let or_null = |name: &str| json!({ "oneOf": [reference(name), { "type": "null" }] });
    let pair = || json!({ "type": "array", "minItems": 2, "maxItems": 2, "items": or_null("Item") });
    json!({
        "Event": {
            "description": "A CloudEvents 1.0 event",
            "type": "object",
            "required": ["specversion", "id", "source", "type", "data"],
            "properties": {
                "specversion": { "const": "1.0" },
                "id": { "type": "string", "minLength": 1, "maxLength": 512 },
                "source": { "type": "string", "format": "uri-reference", "minLength": 1, "maxLength": 512 },
                "type": { "enum": [SHELF_ERROR_V1, RUN_SUMMARY_V1] },
                "subject": text(),
                "time": { "type": "string", "format": "date-time" },
                "datacontenttype": { "const": "application/json" },
                "data": { "oneOf": [reference("ShelfErrorData"), reference("RunSummaryData")] }
            }
        },
        "ShelfErrorData": object(&["run", "robot", "number", "finding"], json!({
            "run": text(), "robot": text(), "number": integer(), "finding": reference("Finding")
        })),
        "RunSummaryData": object(&["facts", "summary"], json!({
            "facts": reference("Facts"), "summary": reference("Summary")
        })),
        "Finding": object(
            &["kind", "item", "home", "found", "found_between", "belongs_between", "confidence", "evidence"],
            json!({
                "kind": kinds(),
                "item": reference("Item"),
                "home": { "type": ["string", "null"], "description": "Shelf address, or FIRST..LAST" },
                "found": or_null("Place"),
                "found_between": pair(),
                "belongs_between": pair(),
                "confidence": { "type": "number", "minimum": 0, "maximum": 1 },
                "evidence": reference("Evidence")
            })
        ),
        "Item": object(&["uid", "barcode", "call_number", "title"], json!({
            "uid": text(), "barcode": text(), "call_number": text(), "title": text()
        })),
        "Place": object(&["address", "along_m", "along_std_m", "position"], json!({
            "address": text(), "along_m": number(), "along_std_m": number(), "position": integer()
        })),
        "Evidence": object(
            &["reads", "passes", "passes_missed", "rssi_dbm", "tier_probability", "read_probability",
              "first_seen_ns", "last_seen_ns"],
            json!({
                "reads": integer(), "passes": integer(), "passes_missed": integer(), "rssi_dbm": number(),
                "tier_probability": number(), "read_probability": number(),
                "first_seen_ns": integer(), "last_seen_ns": integer()
            })
        ),
        "Facts": object(&["run", "robot", "site"], json!({
            "run": text(), "robot": text(), "site": text(),
            "started_ns": integer(), "finished_ns": integer(),
            "wall_started_ns": { "type": ["integer", "null"] },
            "reads": integer(), "tags": integer(), "passes": integer(), "distance_m": number(),
            "coverage": { "type": "array", "items": reference("Coverage") },
            "seed": { "type": ["integer", "null"] }
        })),
        "Coverage": object(&["face", "mean_read_probability", "weak_share"], json!({
            "face": text(), "mean_read_probability": number(), "weak_share": number()
        })),
        "Summary": object(&["faces", "expected", "in_place", "seen", "findings"], json!({
            "faces": { "type": "array", "items": text() },
            "expected": integer(), "in_place": integer(), "seen": integer(),
            "findings": { "type": "object", "description": "Number of findings by kind",
                          "additionalProperties": integer() }
        })),
        "Run": object(&["cursor", "run", "source", "received", "facts", "summary"], json!({
            "cursor": integer(), "run": text(), "source": text(),
            "received": { "type": "integer", "description": "Shelf errors that arrived so far" },
            "facts": or_null("Facts"), "summary": or_null("Summary")
        })),
        "ShelfError": object(&["cursor", "run", "number", "finding"], json!({
            "cursor": integer(), "run": text(), "number": integer(), "finding": reference("Finding")
        })),
        "Runs": list("Run"),
        "ShelfErrors": list("ShelfError"),
        "Receipt": object(&["accepted", "duplicates"], json!({
            "accepted": integer(), "duplicates": integer()
        })),
        "Health": object(&["status", "runs"], json!({ "status": { "const": "ok" }, "runs": integer() })),
        "Problem": object(&["type", "title", "status", "detail"], json!({
            "type": { "type": "string", "format": "uri-reference" },
            "title": text(), "status": integer(), "detail": text(),
            "pointer": { "type": "string", "format": "json-pointer" }
        }))
    })
}
