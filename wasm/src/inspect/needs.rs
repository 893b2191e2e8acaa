//! Which grants a program may ask for, told from what it imports. Importing is not calling: a
//! program of a toolchain imports much that it never uses.

use super::Inspection;
use crate::grant::Profile;

/// A grant that a program may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The line for its profile, or for `[node]`, in rusm.toml. What only its author knows is an
    /// example.
    pub line: String,
    /// The imports that ask for it.
    pub imports: Vec<String>,
}

/// `(interface, function, line)`: an interface by its beginning, a function by its name or, with a
/// star at the end, its beginning.
pub(super) const RULES: &[(&str, &str, &str)] = &[
    ("wasi_snapshot_preview1", "fd_read", STDIN),
    ("wasi_snapshot_preview1", "fd_write", STDOUT),
    ("wasi_snapshot_preview1", "path_*", DIRS),
    ("wasi:cli/stdin@", "*", STDIN),
    ("wasi:cli/stdout@", "*", STDOUT),
    ("wasi:cli/stderr@", "*", STDOUT),
    ("wasi:filesystem/", "*", DIRS),
    ("wasi:sockets/tcp@", "*", CONNECT),
    ("wasi:sockets/tcp@", "*listen", LISTEN),
    ("wasi:sockets/udp@", "*", CONNECT),
    ("wasi:sockets/ip-name-lookup@", "*", CONNECT),
    ("wasi:sockets/types@", "*", CONNECT),
    ("wasi:http/outgoing-handler@", "*", CONNECT),
    ("rusm:runtime/registry@", "*register", REGISTER),
    ("rusm:runtime/process@", "spawn*", SPAWN),
    ("rusm:runtime/process@", "kill", KILL),
    ("rusm:runtime/process@", "exit-process", KILL),
    ("rusm:runtime/process@", "list", LIST),
    ("rusm:runtime/process@", "info", INSPECT),
    ("rusm:runtime/group@", "join", JOIN),
    ("rusm:runtime/group@", "kill", KILL_GROUPS),
    ("rusm:runtime/kv@", "*", KV),
    ("rusm:runtime/module@", "*", MODULES),
    ("rusm:runtime/supervise@", "*", SPAWN),
    ("rusm", "register", REGISTER),
    ("rusm", "spawn*", SPAWN),
    ("rusm", "kill", KILL),
    ("rusm", "exit_process", KILL),
    ("rusm", "list", LIST),
    ("rusm", "info", INSPECT),
    ("rusm", "group_join", JOIN),
    ("rusm", "group_kill", KILL_GROUPS),
    ("rusm", "kv_*", KV),
    ("rusm", "module_*", MODULES),
    ("rusm", "supervise_*", SPAWN),
];

const STDIN: &str = r#"stdio = ["stdin"]"#;
const STDOUT: &str = r#"stdio = ["stdout", "stderr"]"#;
const STDIO: &str = r#"stdio = ["stdin", "stdout", "stderr"]"#;
const DIRS: &str = r#"dirs = [{ path = "data", as = "/", access = "read-write" }]"#;
const CONNECT: &str = r#"connect = ["example.com:443"]"#;
const LISTEN: &str = r#"listen = ["127.0.0.1:8080"]"#;
const REGISTER: &str = r#"register = ["NAME"]"#;
const SPAWN: &str = r#"spawn = ["COMPONENT"]"#;
const KILL: &str = r#"kill = ["children"]"#;
const LIST: &str = r#"list = ["descendants"]"#;
const INSPECT: &str = r#"inspect = ["children"]"#;
const JOIN: &str = r#"join = ["GROUP"]"#;
const KILL_GROUPS: &str = r#"kill-groups = ["GROUP"]"#;
const KV: &str = r#"kv = [{ bucket = "BUCKET", access = "read-write" }]"#;
const MODULES: &str = "modules = true";

/// `(line, line of the node)`: grants that are of no use without something the node has.
pub(super) const NODE_RULES: &[(&str, &str)] = &[(KV, r#"store = "data/app.redb""#)];

/// What `found` may ask for that nobody has by default.
pub(super) fn find(found: &Inspection) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    let mut memory: Vec<String> = Vec::new();
    let limits = Profile::sandboxed().limits;
    let largest = found
        .memories
        .iter()
        .map(|memory| memory.initial_bytes)
        .max();
    if let Some(bytes) = largest.filter(|bytes| *bytes > limits.memory_bytes_max) {
        memory.push(format!("its memory begins with {bytes} bytes"));
        needs.push(Need {
            line: format!("memory = \"{}M\"", bytes.div_ceil(1 << 20)),
            imports: memory,
        });
    }
    let elements = found.tables.iter().max().copied().unwrap_or(0);
    if elements > u64::from(limits.table_elements_max) {
        needs.push(Need {
            line: format!("table-elements = {elements}"),
            imports: vec![format!("a table of it begins with {elements} elements")],
        });
    }
    for interface in &found.imports {
        for item in &interface.items {
            let asks = RULES.iter().filter(|(name, function, _)| {
                is(interface.name.as_str(), name) && means(function, item)
            });
            for (_, _, line) in asks {
                note(&mut needs, line, format!("{}.{item}", interface.name));
            }
        }
    }
    join_streams(&mut needs);
    needs
}

/// What a node must have for these grants to be of use.
pub(super) fn of_node(needs: &[Need]) -> Vec<Need> {
    let of = |need: &Need| {
        let rule = NODE_RULES.iter().find(|(line, _)| need.line == *line)?;
        Some(Need {
            line: rule.1.to_owned(),
            imports: need.imports.clone(),
        })
    };
    needs.iter().filter_map(of).collect()
}

/// The core module `rusm` and `wasi_snapshot_preview1` are whole names, the others have a version
/// behind them.
fn is(name: &str, rule: &str) -> bool {
    match rule.ends_with(['@', '/']) {
        true => name.starts_with(rule),
        false => name == rule,
    }
}

/// Methods of resources are named `[method]resource.function`.
fn means(rule: &str, function: &str) -> bool {
    match (rule.strip_prefix('*'), rule.strip_suffix('*')) {
        (Some(""), _) => true,
        (Some(end), _) => function.ends_with(end),
        (_, Some(begin)) => function.starts_with(begin),
        (None, None) => function == rule,
    }
}

fn note(needs: &mut Vec<Need>, line: &str, import: String) {
    match needs.iter_mut().find(|need| need.line == line) {
        Some(need) => need.imports.push(import),
        None => needs.push(Need {
            line: line.to_owned(),
            imports: vec![import],
        }),
    }
}

/// A profile has one line for all streams.
fn join_streams(needs: &mut Vec<Need>) {
    let at = |line: &str| needs.iter().position(|need| need.line == line);
    if let (Some(input), Some(output)) = (at(STDIN), at(STDOUT)) {
        let second = needs.remove(input.max(output));
        let first = &mut needs[input.min(output)];
        first.line = STDIO.to_owned();
        first.imports.extend(second.imports);
    }
}
