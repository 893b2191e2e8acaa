//! The schema for editors says of manifests what the reader says: it accepts those that are right, and
//! refuses what is wrong with a key or a type.

use serde_json::{Value, json};
use toml::de::{DeTable, DeValue};

use super::FULL;
use crate::manifest::json_schema;

/// What a schema does not like of a value; the words of JSON schema that ours has.
fn dislikes(schema: &Value, value: &Value, path: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let is = |ty: &Value| match ty.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("boolean") => value.is_boolean(),
        other => panic!("the schema says {other:?}"),
    };
    let fits = match &schema["type"] {
        Value::Array(types) => types.iter().any(is),
        ty => is(ty),
    };
    if !fits {
        return vec![format!("{path}: not of type {}", schema["type"])];
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        wrong.push(format!("{path}: not one of the words"));
    }
    if let Some(number) = value.as_i64() {
        let least = schema["minimum"].as_i64().unwrap_or(i64::MIN);
        let most = schema["maximum"].as_i64().unwrap_or(i64::MAX);
        if !(least..=most).contains(&number) {
            wrong.push(format!("{path}: not in range"));
        }
    }
    for (key, inner) in value.as_object().into_iter().flatten() {
        let (path, known) = (format!("{path}.{key}"), &schema["properties"][key]);
        match (known, &schema["additionalProperties"]) {
            (Value::Null, Value::Bool(false)) => wrong.push(format!("{path}: unknown")),
            (Value::Null, others) => wrong.extend(dislikes(others, inner, &path)),
            (known, _) => wrong.extend(dislikes(known, inner, &path)),
        }
    }
    for inner in value.as_array().into_iter().flatten() {
        wrong.extend(dislikes(&schema["items"], inner, &format!("{path}[]")));
    }
    wrong
}

/// A manifest as an editor hands it to a schema.
fn as_json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => json!(text),
        DeValue::Integer(number) => {
            json!(i64::from_str_radix(number.as_str(), number.radix()).unwrap())
        }
        DeValue::Float(number) => json!(number.as_str().parse::<f64>().unwrap()),
        DeValue::Boolean(flag) => json!(flag),
        DeValue::Datetime(time) => json!(time.to_string()),
        DeValue::Array(values) => values
            .iter()
            .map(|value| as_json(value.get_ref()))
            .collect(),
        DeValue::Table(entries) => entries
            .iter()
            .map(|(key, value)| (key.get_ref().to_string(), as_json(value.get_ref())))
            .collect(),
    }
}

fn judged(text: &str) -> Vec<String> {
    let table = DeTable::parse(text).expect("it is TOML").into_inner();
    dislikes(&json_schema(), &as_json(&DeValue::Table(table)), "")
}

#[test]
fn the_examples_and_every_key_are_accepted() {
    let bakery = include_str!("../../../examples/bakery/rusm.toml");
    let document = include_str!("../../../docs/manifest.md");
    let example = document.split("```").nth(1).unwrap_or_default();
    for text in [
        FULL,
        bakery,
        example.strip_prefix("toml\n").expect("it is TOML"),
    ] {
        assert_eq!(judged(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn what_the_reader_refuses_of_keys_and_types_is_refused() {
    for (text, path) in [
        ("[nod]", ".nod: unknown"),
        (
            "[components.a]\nprofil = \"x\"",
            ".components.a.profil: unknown",
        ),
        (
            "[components.a]\nresident = \"2\"",
            ".components.a.resident: not of type",
        ),
        (
            "[components.a]\nresident = -1",
            ".components.a.resident: not in range",
        ),
        (
            "[components.a]\nrestart = \"allways\"",
            ".components.a.restart: not one of",
        ),
        (
            "[components.a]\nargs = [1]",
            ".components.a.args[]: not of type",
        ),
        (
            "[components.a]\nenv = { A = 1 }",
            ".components.a.env.A: not of type",
        ),
        (
            "[capabilities.a]\nkv = [{ bukket = \"b\" }]",
            ".capabilities.a.kv[].bukket: unknown",
        ),
        (
            "[capabilities.a]\nmodules = 1",
            ".capabilities.a.modules: not of type",
        ),
    ] {
        let judged = judged(text);
        assert!(
            judged.len() == 1 && judged[0].starts_with(path),
            "{text}: {judged:?}"
        );
        assert!(super::read(text).is_err(), "{text}");
    }
}
