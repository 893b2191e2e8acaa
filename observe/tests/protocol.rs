//! `docs/protocol.md` and the code say the same: every frame in it is one, and a real node's frames have its fields.

mod client;

use std::collections::BTreeSet;

use rusm_actor::send;
use rusm_observe::protocol::{Ask, Code, Frame, Kind, Run, Section, Sweep, TraceKind};
use serde_json::{Value, json};

use client::{Client, busy_node, observed};

const PAGE: &str = include_str!("../../docs/protocol.md");

/// The fenced blocks of a kind.
fn blocks(kind: &str) -> Vec<Value> {
    let fence = format!("```json {kind}\n");
    let parts = PAGE.split(fence.as_str()).skip(1);
    let text = parts.map(|part| part.split("```").next().expect("it ends"));
    let json = text.map(|text| serde_json::from_str(text).expect(text));
    json.collect()
}

fn read_and_written<T>(block: &Value) -> Value
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    let read: T =
        serde_json::from_value(block.clone()).unwrap_or_else(|why| panic!("{why}: {block}"));
    serde_json::to_value(read).expect("it is JSON")
}

/// The commands of the table, each between backticks.
fn commands() -> Vec<String> {
    let part = PAGE.split("## What a client says").nth(1).expect("there");
    let rows = part.lines().filter(|line| line.starts_with("| `{"));
    rows.map(|row| row.split('`').nth(1).expect("it ends").to_owned())
        .collect()
}

/// All paths of fields, whatever their values.
fn fields(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    fn walk(value: &Value, path: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    let path = format!("{path}.{key}");
                    walk(value, &path, found);
                    found.insert(path);
                }
            }
            Value::Array(items) => {
                for item in items {
                    walk(item, &format!("{path}[]"), found);
                }
            }
            _ => {}
        }
    }
    walk(value, "", &mut found);
    found
}

fn documented(kind: &str) -> Value {
    let blocks = blocks("node").into_iter();
    let mut found = blocks.filter(|block| block["type"] == kind);
    found
        .next()
        .unwrap_or_else(|| panic!("`{kind}` is not documented"))
}

#[test]
fn every_frame_of_the_page_is_read_and_written_as_it_stands_there() {
    for block in blocks("node") {
        assert_eq!(read_and_written::<Frame>(&block), block);
    }
    assert_eq!(read_and_written::<Run>(&blocks("run")[0]), blocks("run")[0]);
    let sweep = &blocks("sweep")[0];
    assert_eq!(read_and_written::<Sweep>(sweep), *sweep);
}

#[test]
fn every_command_of_the_page_is_read_and_written_as_it_stands_there() {
    let hello = blocks("client")[0].to_string();
    let commands = commands();
    let mut types = BTreeSet::new();
    for text in commands.iter().chain([&hello]) {
        let ask = Ask::parse(text).unwrap_or_else(|why| panic!("{text}: {why:?}"));
        let (again, said): (Value, Value) = (
            serde_json::from_str(&ask.encode()).expect("JSON"),
            serde_json::from_str(text).expect("JSON"),
        );
        assert_eq!(again, said);
        types.insert(said["type"].as_str().expect("a type").to_owned());
    }
    let unknown = Ask::parse(r#"{"type": "?"}"#).expect_err("there is none");
    let listed = unknown
        .refusal
        .message
        .split("there are ")
        .nth(1)
        .expect("all")
        .to_owned();
    let listed: BTreeSet<String> = listed.split(", ").map(String::from).collect();
    assert_eq!(types, listed, "the page and the code know other commands");
}

/// As it is written in frames.
fn word(it: impl serde::Serialize) -> String {
    json!(it).as_str().expect("text").to_owned()
}

#[test]
fn every_code_warning_and_section_is_in_the_page() {
    let codes = [
        Code::BadFrame,
        Code::BadVersion,
        Code::UnknownType,
        Code::NotAllowed,
        Code::TooSlow,
        Code::TooLong,
        Code::TooMany,
        Code::BadValue,
        Code::UnknownProcess,
        Code::UnknownScenario,
        Code::UnknownComponent,
        Code::Busy,
        Code::NoLab,
        Code::Late,
        Code::Failed,
    ];
    for code in codes {
        let name = word(code);
        assert!(PAGE.contains(&format!("`{name}`")), "{name}");
    }
    let kinds = [
        Kind::Hog,
        Kind::Stuck,
        Kind::Mailbox,
        Kind::Restarts,
        Kind::Pool,
        Kind::Deadlock,
        Kind::Name,
    ];
    let did = [
        TraceKind::Send,
        TraceKind::Receive,
        TraceKind::Spawn,
        TraceKind::Exit,
    ];
    let sections = [
        Section::Names,
        Section::Groups,
        Section::Tree,
        Section::Sockets,
        Section::Wasm,
        Section::Kv,
        Section::Streams,
        Section::Warnings,
        Section::Runs,
        Section::Config,
    ];
    let words = kinds.into_iter().map(word);
    let words = words.chain(did.into_iter().map(word));
    for name in words.chain(sections.into_iter().map(word)) {
        assert!(PAGE.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[test]
fn what_a_real_node_says_has_the_fields_of_the_page() {
    let (node, observer) = observed(None);
    let pid = busy_node(&node);
    send(pid, b"nobody receives this");
    let mut client = Client::new(&observer);
    let hello = client.frame("hello");
    let mut expected = documented("hello");
    // This node has no laboratory.
    expected["lab"] = Value::Null;
    assert_eq!(fields(&hello), fields(&expected));

    let tick = client.frame("tick");
    let mut expected = documented("tick");
    expected["run"] = Value::Null;
    assert_eq!(fields(&tick), fields(&expected));

    client.ask(
        json!({"type": "select", "id": 1, "detail": pid.to_string(), "sections": ["names"],
        "rows": {"by": "mailbox", "window": true, "limit": 10, "filter": ""}}),
    );
    let done = client.frame("done");
    assert_eq!(done, json!({"type": "done", "id": 1, "result": null}));
    for kind in ["rows", "detail", "snapshot"] {
        assert_eq!(
            fields(&client.frame(kind)),
            fields(&documented(kind)),
            "{kind}"
        );
    }
    client.ask(json!({"type": "trace", "id": 1, "pids": [pid.to_string()]}));
    assert_eq!(client.outcome(1)["type"], "done");
    node.kill(pid);
    assert_eq!(fields(&client.frame("trace")), fields(&documented("trace")));
    client.ask(json!({"type": "dance", "id": 2}));
    assert_eq!(fields(&client.frame("error")), fields(&documented("error")));
}
