//! Enough of JSON Schema to hold our documents against their descriptions: types, required and known
//! properties, items, enumerations, constants, bounds, alternatives and references. A keyword that is not
//! known here fails the test rather than pass unseen.
#![allow(dead_code)]

use serde_json::Value;

/// Annotations, which allow everything.
const NOTES: [&str; 8] =
    ["$schema", "description", "definitions", "examples", "default", "format", "title", "contentEncoding"];

/// Checks `value` against `schema`, references looked up in `root`.
pub fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let fail = |what: &str| Err(format!("{at}: {value} breaks {what}: {schema}"));
    let Some(rules) = schema.as_object() else { return fail("a schema that is none") };
    for (rule, wanted) in rules {
        let holds = match rule.as_str() {
            "$ref" => {
                let pointer = wanted.as_str().and_then(|r| r.strip_prefix('#')).unwrap_or("?");
                let Some(target) = root.pointer(pointer) else { return fail("a reference to nothing") };
                check(root, target, value, at)?;
                true
            }
            "type" => match wanted {
                Value::Array(types) => types.iter().any(|t| is(value, t)),
                one => is(value, one),
            },
            "required" => list(wanted).all(|k| value.get(k.as_str().unwrap_or("?")).is_some()),
            "properties" => {
                for (key, schema) in wanted.as_object().into_iter().flatten() {
                    if let Some(v) = value.get(key) {
                        check(root, schema, v, &format!("{at}/{key}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                for (key, v) in value.as_object().into_iter().flatten() {
                    check(root, wanted, v, &format!("{at}/{key}"))?;
                }
                true
            }
            "items" => {
                for (i, v) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, wanted, v, &format!("{at}/{i}"))?;
                }
                true
            }
            "oneOf" => list(wanted).filter(|s| check(root, s, value, at).is_ok()).count() == 1,
            "enum" => list(wanted).any(|v| v == value),
            "const" => wanted == value,
            "minLength" => value.as_str().is_none_or(|s| s.chars().count() as u64 >= number(wanted) as u64),
            "maxLength" => value.as_str().is_none_or(|s| s.chars().count() as u64 <= number(wanted) as u64),
            "minItems" => value.as_array().is_none_or(|a| a.len() as u64 >= number(wanted) as u64),
            "maxItems" => value.as_array().is_none_or(|a| a.len() as u64 <= number(wanted) as u64),
            "minimum" => value.as_f64().is_none_or(|n| n >= number(wanted)),
            "maximum" => value.as_f64().is_none_or(|n| n <= number(wanted)),
            note if NOTES.contains(&note) || note == "contentMediaType" => true,
            unknown => return Err(format!("{at}: the schema keyword {unknown:?} is not known to this test")),
        };
        if !holds {
            return fail(rule);
        }
    }
    Ok(())
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

fn is(value: &Value, name: &Value) -> bool {
    match name.as_str().unwrap_or("?") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    }
}
