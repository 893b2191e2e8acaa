//! `rusm inspect`: what a file of WebAssembly is, wants and offers; for people or as JSON.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;

use rusm_wasm::inspect::{Inspection, Interface, Need, inspect};
use serde_json::{Value, json};

use super::{help, run};
use crate::error::{AppFailure, Failure};
use rusm_observe::quiet;

/// Tells what a file is; the answer is the status of our process.
pub(crate) fn run(file: &OsStr, json: bool) -> Result<u8, Failure> {
    let file = Path::new(file);
    let bytes = run::read(file)?;
    let found = inspect(&bytes).map_err(|why| AppFailure::Inspect {
        file: file.to_owned(),
        why,
    })?;
    let text = match json {
        true => format!("{:#}\n", in_json(file, &found)),
        false => in_words(file, &found),
    };
    help::print(&text)
}

fn in_words(file: &Path, found: &Inspection) -> String {
    let mut text = String::new();
    let kind = match (found.is_component, found.modules) {
        (false, _) => "a core module".to_owned(),
        (true, 1) => "a component of 1 core module".to_owned(),
        (true, modules) => format!("a component of {modules} core modules"),
    };
    let debug = match found.has_debug_info {
        true => "with names for backtraces",
        false => "without names for backtraces",
    };
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(text, "{key:9}{value}");
    };
    line("file", &quiet(&file.display().to_string()));
    line("kind", &kind);
    line("world", found.world.as_str());
    line("size", &format!("{} bytes, {debug}", found.bytes));
    let memories: Vec<String> = found
        .memories
        .iter()
        .map(|memory| match memory.max_bytes {
            Some(max) => format!("{} to {max} bytes", memory.initial_bytes),
            None => format!("{} bytes or more", memory.initial_bytes),
        })
        .collect();
    line("memory", &or_none(memories.join(", ")));
    for (key, interfaces) in [("imports", &found.imports), ("exports", &found.exports)] {
        let mut key = key;
        if interfaces.is_empty() {
            line(key, "none");
        }
        for interface in interfaces {
            line(key, &in_line(interface));
            key = "";
        }
    }
    if found.needs.is_empty() {
        text.push_str("\nIt needs no grant.\n");
        return text;
    }
    text.push_str(
        "\nIt may ask for these grants. What it needs of them, and the values that are examples,\n\
         its author knows:\n\n[capabilities.NAME]\n",
    );
    for need in &found.needs {
        let _ = writeln!(text, "{}", need.line);
    }
    if !found.node_needs.is_empty() {
        text.push_str("\n# The node must have what these grants are for:\n[node]\n");
    }
    for need in &found.node_needs {
        let _ = writeln!(text, "{}", need.line);
    }
    text
}

fn or_none(text: String) -> String {
    if text.is_empty() {
        return "none".to_owned();
    }
    text
}

/// Names come from the file: a terminal must not obey them.
fn in_line(interface: &Interface) -> String {
    let items = interface.items.join(", ");
    quiet(&match (&*interface.name, &*items) {
        ("", items) => items.to_owned(),
        (name, "") => name.to_owned(),
        (name, items) => format!("{name}: {items}"),
    })
}

fn in_json(file: &Path, found: &Inspection) -> Value {
    let interfaces = |all: &[Interface]| -> Vec<Value> {
        all.iter()
            .map(|one| json!({ "name": one.name, "items": one.items }))
            .collect()
    };
    let memories = found.memories.iter().map(
        |memory| json!({ "initial_bytes": memory.initial_bytes, "max_bytes": memory.max_bytes }),
    );
    let needs = |all: &[Need]| -> Vec<Value> {
        all.iter()
            .map(|need| json!({ "line": need.line, "imports": need.imports }))
            .collect()
    };
    json!({
        "file": file.display().to_string(),
        "kind": if found.is_component { "component" } else { "module" },
        "world": found.world.word(),
        "bytes": found.bytes,
        "modules": found.modules,
        "memories": memories.collect::<Vec<_>>(),
        "tables": found.tables,
        "debug_info": found.has_debug_info,
        "imports": interfaces(&found.imports),
        "exports": interfaces(&found.exports),
        "needs": needs(&found.needs),
        "node_needs": needs(&found.node_needs),
    })
}
