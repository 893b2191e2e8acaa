//! The JSON schema of rusm.toml, from which editors know its keys: made of the same list the reader
//! goes by.

use serde_json::{Map, Value, json};

use super::schema::{Key, Kind, ROOT, Section};

/// The schema, as it lies in docs/rusm.schema.json.
pub fn json_schema() -> Value {
    let mut schema = object(&ROOT);
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!("rusm.toml");
    schema
}

fn object(section: &Section) -> Value {
    let properties: Map<String, Value> = section
        .keys
        .iter()
        .map(|key| (key.name.to_owned(), property(key)))
        .collect();
    json!({
        "type": "object",
        "description": section.doc,
        "properties": properties,
        "additionalProperties": false,
    })
}

fn property(key: &Key) -> Value {
    let mut value = match key.kind {
        Kind::Text | Kind::Path => json!({ "type": "string" }),
        Kind::Size => json!({
            "type": ["string", "integer"],
            "pattern": "^[0-9]+ *([bB]|[kKmMgG]([iI]?[bB])?)?$",
            "minimum": 0,
        }),
        Kind::Time => json!({ "type": "string", "pattern": "^[0-9]+ *(us|ms|s|m|h)$" }),
        Kind::Count { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Word(words) => json!({ "type": "string", "enum": words }),
        Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::Words(words) => {
            json!({ "type": "array", "items": { "type": "string", "enum": words } })
        }
        Kind::TextMap => {
            json!({ "type": "object", "additionalProperties": { "type": "string" } })
        }
        Kind::Table(section) => object(section),
        Kind::Tables(section) => json!({ "type": "array", "items": object(section) }),
        Kind::Named(section) => {
            json!({ "type": "object", "additionalProperties": object(section) })
        }
    };
    value["description"] = json!(key.doc);
    value
}
