//! `rusm node start`, and what `ps` and `top` say of nodes that run: real ones, no more there, and none at all.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::fake_node::{FakeNode, HELLO};
use super::observe::{get, metric};
use super::run::{Folder, Run, Running};

const PATIENCE: Duration = Duration::from_secs(20);
const SECRET: &str = "0123456789abcdef";
/// Sleeps for good.
const SLEEPER: &str = r#"(module
    (import "rusm" "sleep" (func $sleep (param i64)))
    (memory (export "memory") 1)
    (func (export "run") (call $sleep (i64.const -1))))"#;

/// Where a node listens that was started to be observed.
pub(crate) fn address(running: &Running) -> String {
    let url = running.tells("info observe listens url=http://");
    url.trim_end_matches("/metrics").to_owned()
}

/// A node with nothing on it.
pub(crate) fn empty_node() -> (Running, String) {
    let running = Run::new()
        .args("node start --workers 2 --observe 127.0.0.1:0")
        .starts();
    let at = address(&running);
    (running, at)
}

/// A node with three processes that sleep.
pub(crate) fn sleepers() -> (Running, String) {
    let manifest = "[components.sleeper]\nsource = \"sleeper.wat\"\nresident = 3\n\
                    [components.spare]\nsource = \"sleeper.wat\"\n";
    let running = Run::new()
        .file("dorm/sleeper.wat", SLEEPER)
        .file("dorm/rusm.toml", manifest)
        .args("node start dorm --workers 2 --observe 127.0.0.1:0")
        .starts();
    let at = address(&running);
    let begun = Instant::now();
    while !get(&at, "/readyz", "").starts_with("HTTP/1.1 200") {
        assert!(begun.elapsed() < PATIENCE, "its residents start");
    }
    (running, at)
}

/// A run by the user who started that node.
pub(crate) fn beside(node: &Running) -> Run {
    same_user(node.folder())
}

fn same_user(folder: &Folder) -> Run {
    let path = |name| folder.path(name).display().to_string();
    Run::new()
        .variable("XDG_CONFIG_HOME", &path("config"))
        .variable("XDG_RUNTIME_DIR", &path("run"))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|why| panic!("{why}: {text}"))
}

#[test]
fn the_one_node_that_runs_here_is_found() {
    let (node, at) = empty_node();
    let ended = beside(&node).args("ps").status(0).stderr("");
    assert!(ended.text().starts_with("pid "), "{}", ended.text());
    assert!(ended.text().contains("server::serve"), "{}", ended.text());
    let ended = beside(&node).args("top --once").status(0).stderr("");
    let ended = ended.stdout_has(&at).stdout_has("woken to run");
    assert!(!ended.text().contains('\x1b'), "{}", ended.text());
    beside(&node)
        .args("observe --no-open")
        .status(0)
        .stdout_has(&format!("http://{at}/#token="));
    node.signal("TERM").ends().status(143).stdout("");
}

#[test]
fn where_several_nodes_run_one_must_be_named() {
    let (one, first) = empty_node();
    let other = beside(&one)
        .args("node start --observe 127.0.0.1:0")
        .starts();
    let second = address(&other);
    let ended = beside(&one).args("ps").status(1);
    ended.stderr_has(&first).stderr_has(&second);
    beside(&one).args("ps").arg(&second).status(0);
    other.signal("INT").ends().status(130);
    beside(&one).args("ps").status(0);
}

#[test]
fn what_a_killed_node_left_behind_is_removed() {
    let (node, at) = empty_node();
    let ended = node.signal("KILL").ends();
    let nodes = ended.folder.path("run/rusm/nodes");
    let left = || std::fs::read_dir(&nodes).expect("it is there").count();
    assert_eq!(left(), 1);
    let again = same_user(&ended.folder).args("ps").arg(&at).status(1);
    again
        .stderr_is_one_line()
        .stderr_has(&format!("cannot reach `{at}`"))
        .stderr_has("Is a node observed there?");
    assert_eq!(left(), 0);
}

#[test]
fn who_may_not_look_is_told_what_is_missing() {
    let node = Run::new()
        .args("node start --observe 127.0.0.1:0")
        .variable("RUSM_OBSERVE_TOKEN", SECRET)
        .starts();
    let at = address(&node);
    let stranger = || Run::new().args("ps").arg(&at);
    let ended = stranger().status(1).stderr_is_one_line();
    ended
        .stderr_has("does not let us in")
        .stderr_has("RUSM_CONTROL_TOKEN");
    let wrong = stranger().variable("RUSM_CONTROL_TOKEN", "fedcba9876543210");
    wrong.status(1).stderr_has("is not the one");
    stranger().variable("RUSM_OBSERVE_TOKEN", SECRET).status(0);
    let token = node.folder().read("config/rusm/control-token");
    assert_eq!(token.trim().len(), 64, "32 bytes in hex");
    stranger()
        .variable("RUSM_CONTROL_TOKEN", token.trim())
        .status(0);
    beside(&node).args("ps").status(0);
}

#[test]
fn a_control_token_that_others_may_read_is_refused() {
    let folder = Folder::new();
    folder.write("config/rusm/control-token", SECRET);
    let file = folder.path("config/rusm/control-token");
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(&file, open).expect("it is ours");
    let ended = Run::inside(folder)
        .args("node start --observe 127.0.0.1:0")
        .status(1)
        .stderr_is_one_line()
        .stderr_has("others may read the file (mode 0644)");
    let shut = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&file, shut).expect("it is ours");
    let node = Run::inside(ended.folder)
        .args("node start --observe 127.0.0.1:0")
        .starts();
    address(&node);
    assert_eq!(node.folder().read("config/rusm/control-token"), SECRET);
}

#[test]
fn a_server_of_another_kind_is_no_node() {
    let server = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let at = server.local_addr().expect("it has one").to_string();
    let junk = thread::spawn(move || {
        let (mut stream, _) = server.accept().expect("somebody comes");
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n\r\n");
        let _ = stream.read(&mut [0; 1024]);
    });
    let ended = Run::new().args("ps").arg(&at).status(1);
    ended.stderr_is_one_line().stderr_has("is not a RUSM node");
    junk.join().expect("it does not panic");
}

#[test]
fn a_node_that_speaks_otherwise_or_goes_away_is_told() {
    let other = r#"{"type":"error","id":null,"code":"bad_version","message":"this node speaks protocol 2, not 1","fatal":true}"#;
    for (says, part) in [
        (vec![other], "speaks protocol 2, not 1"),
        (vec!["{\"type\":\"dance\"}"], "is not a RUSM node"),
        (vec![HELLO], "lost the node"),
    ] {
        let node = FakeNode::start(&says);
        let ended = Run::new().args("ps").arg(&node.at).status(1);
        ended.stderr_is_one_line().stderr_has(part);
    }
}

#[test]
fn names_of_others_do_not_steer_the_terminal() {
    let rows = r#"{"type":"rows","at":1,"by":"reductions","window":false,"filter":"","alive":1,"matched":1,"rows":[
        {"pid":"<0.1.2>\u001b[2J","name":"evil\u001b]0;x\u0007","body":"a\u009b31m","state":"waiting\r","waits_for":null,"since":null,
         "priority":"normal","parent":null,"mailbox":0,"reductions":1,"reductions_window":null,"cpu":null,
         "cpu_window":null,"memory_bytes":1,"groups":[],"place":null}]}"#;
    let done = |id| format!(r#"{{"type":"done","id":{id},"result":null}}"#);
    let node = FakeNode::start(&[HELLO, &done(1), &done(2), rows]);
    let ended = Run::new().args("ps").arg(&node.at).status(0);
    let steers = |c: char| c.is_control() && c != '\n';
    assert!(!ended.text().contains(steers), "{:?}", ended.text());
    assert!(ended.text().contains("evil"), "{}", ended.text());
}

/// The story: a number that differs from one view to the next helps nobody. What a view costs is in it, and known:
/// its own connection, and the process that makes its table.
#[test]
fn all_views_of_a_quiet_node_agree() {
    let (node, at) = sleepers();
    let page = || get(&at, "/metrics", "");
    let ps = json(beside(&node).args("ps --json").status(0).text());
    let before = page();
    let ended = beside(&node).args("top --json").status(0);
    let after = page();
    let lines: Vec<Value> = ended.text().lines().map(json).collect();
    let [tick, rows] = &lines[..] else {
        panic!("one line each: {}", ended.text());
    };
    let sleeping = |rows: &Value| -> Vec<(String, u64)> {
        let all = rows["rows"].as_array().expect("a list").iter();
        let body = |row: &Value| {
            row["body"]
                .as_str()
                .unwrap_or_default()
                .contains("residents")
        };
        let asleep = all.filter(|row| body(row));
        let mut asleep: Vec<(String, u64)> = asleep
            .map(|row| {
                (
                    row["pid"].to_string(),
                    row["reductions"].as_u64().expect("known"),
                )
            })
            .collect();
        asleep.sort();
        asleep
    };
    assert_eq!(sleeping(&ps).len(), 3, "{ps}");
    assert_eq!(sleeping(&ps), sleeping(rows));
    for (ours, theirs) in [
        ("spawns", "rusm_process_spawns_total "),
        ("exits", "rusm_process_exits_total "),
        ("ticks", "rusm_ticks_total "),
        ("messages_shed", "rusm_messages_shed_total "),
    ] {
        let told = tick["counters"][ours].as_f64().expect("it is there");
        let (low, high) = (metric(&before, theirs), metric(&after, theirs));
        assert!(low <= told && told <= high, "{ours}: {low} {told} {high}");
    }
    // Connections that were just closed may not have ended yet.
    let begun = Instant::now();
    let rest = ps["alive"].as_f64().expect("a number") - 2.0;
    while metric(&page(), "rusm_processes ") - 1.0 != rest {
        assert!(begun.elapsed() < PATIENCE, "{rest} and the reader's own");
    }
    let alive = tick["processes"]["alive"].as_f64().expect("a number");
    assert!(alive > rest && alive <= rest + 4.0, "{alive} of {rest}");
    node.signal("INT").ends().status(130);
}

#[test]
fn what_is_wanted_of_the_table_is_what_comes() {
    let (node, _) = sleepers();
    let ended = beside(&node)
        .args("ps --filter residents --limit 2")
        .status(0);
    let lines: Vec<&str> = ended.text().lines().collect();
    assert_eq!(lines.len(), 4, "{}", ended.text());
    assert!(
        lines[3].starts_with("2 of 3 that match, of "),
        "{}",
        lines[3]
    );
    let ended = beside(&node).args("ps --window --by cpu").status(0);
    ended.stdout_has("reds/s").stdout_has("cpu %");
    let untimed = Run::new()
        .args("node start --no-times --observe 127.0.0.1:0")
        .starts();
    address(&untimed);
    let ended = beside(&untimed).args("ps --json").status(0);
    assert!(ended.text().contains("\"cpu\":null"), "{}", ended.text());
}
