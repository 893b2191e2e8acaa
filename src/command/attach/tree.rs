//! The supervision tree, drawn with lines.

use std::collections::HashMap;

use serde_json::Value;

use rusm_observe::quiet;

/// The lines of it, from the items of the section `tree`. Each item is drawn once, wherever it says it belongs.
pub(super) fn draw(items: &[Value]) -> Vec<String> {
    let pid = |item: &Value| item["pid"].as_str().map(str::to_owned);
    let known: HashMap<String, usize> = items
        .iter()
        .enumerate()
        .filter_map(|(number, item)| Some((pid(item)?, number)))
        .collect();
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); items.len()];
    let mut tops = Vec::new();
    for (number, item) in items.iter().enumerate() {
        let parent = item["parent"].as_str().and_then(|pid| known.get(pid));
        match parent {
            Some(parent) if *parent != number => below[*parent].push(number),
            _ => tops.push(number),
        }
    }
    let mut lines = Vec::new();
    // A stack, last child first: trees of others may be deep.
    let mut todo: Vec<(usize, String, String)> = Vec::new();
    for top in tops {
        todo.push((top, String::new(), String::new()));
        while let Some((number, head, rest)) = todo.pop() {
            lines.push(format!("{head}{}", label(&items[number])));
            let children = std::mem::take(&mut below[number]);
            for (place, child) in children.iter().enumerate().rev() {
                let (branch, trunk) = match place + 1 == children.len() {
                    true => ("└─ ", "   "),
                    false => ("├─ ", "│  "),
                };
                todo.push((*child, format!("{rest}{branch}"), format!("{rest}{trunk}")));
            }
        }
    }
    lines
}

fn label(item: &Value) -> String {
    let text = |key: &str| item[key].as_str().map(quiet);
    let (id, name) = (text("id"), text("name"));
    let same = id == name;
    let mut parts: Vec<String> = id.into_iter().collect();
    parts.extend(text("pid"));
    parts.extend(text("kind"));
    parts.extend(text("state").filter(|state| state != "running"));
    parts.extend(name.filter(|_| !same).map(|name| format!("named {name}")));
    parts.join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_tree_has_its_lines() {
        let item = |pid: &str, parent: Option<&str>, id: &str, kind: &str| json!({"pid": pid, "parent": parent, "id": id, "name": null, "kind": kind, "state": "running"});
        let mut gone = item("", Some("<1>"), "gone", "worker");
        gone["pid"] = Value::Null;
        gone["state"] = "restarting".into();
        let items = [
            json!({"pid": "<0>", "parent": null, "id": null, "name": "app", "kind": "supervisor", "state": "running"}),
            item("<1>", Some("<0>"), "main", "supervisor"),
            item("<4>", Some("<0>"), "till", "worker"),
            item("<2>", Some("<1>"), "a", "worker"),
            gone,
        ];
        let expected = [
            "<0>  supervisor  named app",
            "├─ main  <1>  supervisor",
            "│  ├─ a  <2>  worker",
            "│  └─ gone  worker  restarting",
            "└─ till  <4>  worker",
        ];
        assert_eq!(draw(&items), expected);
    }

    #[test]
    fn a_tree_that_is_none_is_drawn_all_the_same() {
        let items = [
            json!({"pid": "<1>", "parent": "<1>", "kind": "a\u{1b}"}),
            json!({"pid": "<2>", "parent": "<9>"}),
            json!(7),
        ];
        assert_eq!(draw(&items), ["<1>  a\u{fffd}", "<2>", ""]);
    }
}
