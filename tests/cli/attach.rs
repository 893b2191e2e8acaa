//! `rusm attach`: orders from the command line and from a pipe, to real nodes.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::node::{address, beside, empty_node, sleepers};
use super::run::{Ended, Run, Running};

const PATIENCE: Duration = Duration::from_secs(20);

/// One order by the user whose node it is.
fn order(node: &Running, order: &str) -> Ended {
    beside(node).args("attach -c").arg(order).ends()
}

/// What comes of it, as JSON.
fn json(node: &Running, order: &str) -> Value {
    let ended = beside(node).args("attach --json -c").arg(order).status(0);
    serde_json::from_str(ended.text()).unwrap_or_else(|why| panic!("{why}: {}", ended.text()))
}

/// How many processes of a component live.
fn living(node: &Running, component: &str) -> u64 {
    let frame = json(node, "components");
    let items = frame["items"].as_array().expect("a list");
    let found = items.iter().find(|item| item["component"] == component);
    found.expect("it has that component")["instances"]
        .as_u64()
        .expect("a number")
}

#[test]
fn components_are_started_counted_sent_to_and_killed() {
    let (node, _) = sleepers();
    assert_eq!(
        (living(&node, "sleeper"), living(&node, "spare")),
        (3, 0),
        "the residents"
    );
    let pid = json(&node, "spawn spare one two")["pid"].clone();
    let pid = pid.as_str().expect("a pid");
    assert_eq!(living(&node, "spare"), 1);
    order(&node, &format!("info {pid}"))
        .status(0)
        .stdout_has(pid)
        .stdout_has("waiting");
    order(&node, &format!("send {pid} hello there"))
        .status(0)
        .stdout(&format!("sent to {pid}\n"));
    order(&node, &format!("kill {pid}"))
        .status(0)
        .stdout(&format!("{pid} is killed\n"));
    let begun = Instant::now();
    while living(&node, "spare") > 0 {
        assert!(begun.elapsed() < PATIENCE, "it dies");
    }
    order(&node, &format!("kill {pid}"))
        .status(1)
        .stderr_is_one_line()
        .stderr_has("it has ended, or never was");
    order(&node, "spawn oven")
        .status(1)
        .stderr_has("there is no component `oven`; there are `sleeper`, `spare`");
    node.signal("INT").ends().status(130);
}

#[test]
fn a_node_is_looked_at_and_tuned() {
    let (node, _) = sleepers();
    let tree = order(&node, "tree").status(0);
    let tree = tree.stdout_has("└─ main").stdout_has("├─ sleeper#1");
    assert!(tree.text().contains("└─ sleeper#3"), "{}", tree.text());
    order(&node, "names").status(0);
    order(&node, "groups").status(0).stdout("none\n");
    order(&node, "warnings").status(0).stdout("none\n");
    order(&node, "top").status(0).stdout_has("woken to run");
    order(&node, "ps mailbox residents")
        .status(0)
        .stdout_has("3 of 3 that match");
    order(&node, "config budget 1234").status(0);
    assert_eq!(json(&node, "config budget")[0]["value"], "1234");
    order(&node, "config workers 7")
        .status(1)
        .stderr_has("workers");
    order(&node, "config bugdet")
        .status(1)
        .stderr_has("no field `bugdet`");
    order(&node, "run ping-pong pairs=4")
        .status(1)
        .stderr_has("no scenarios");
    node.signal("INT").ends().status(130);
}

#[test]
fn orders_come_from_a_pipe_and_one_that_fails_does_not_keep_the_others() {
    let (node, _) = empty_node();
    let ended = beside(&node)
        .args("attach")
        .stdin("groups\n\nkill nobody\ntre\ntree\nquit\nnames\n")
        .status(1);
    ended
        .stdout("none\nnone\n")
        .stderr_has("no process has the name `nobody`")
        .stderr_has("Did you mean `tree`?");
    let ended = beside(&node)
        .args("attach --json")
        .stdin("groups\nkill nobody\nhelp\n")
        .status(1);
    let lines: Vec<Value> = ended
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).expect("each is a value"))
        .collect();
    assert_eq!(lines[0]["section"], "groups");
    assert!(lines[1]["error"].is_string() && lines[2].is_array());
    assert_eq!(lines.len(), 3);
}

#[test]
fn who_may_look_and_not_act_is_told_so() {
    let (node, at) = empty_node();
    let stranger = |order: &str| Run::new().args("attach").arg(&at).arg("-c").arg(order);
    stranger("ps").status(0);
    stranger("config budget 1000")
        .status(1)
        .stderr_is_one_line()
        .stderr_has("it needs the control token");
    let token = node.folder().read("config/rusm/control-token");
    stranger("config budget 1000")
        .variable("RUSM_CONTROL_TOKEN", token.trim())
        .status(0);
}

#[test]
fn a_program_that_is_run_by_hand_is_observed_by_the_same_rules() {
    let running = Run::new()
        .file("a.wat", super::guests::SPIN)
        .args("run --observe 127.0.0.1:0 a.wat")
        .starts()
        .says("ready");
    address(&running);
    order(&running, "config budget 1000").status(0);
    assert_eq!(living(&running, "a"), 1);
    order(&running, "spawn a").status(0);
    assert_eq!(living(&running, "a"), 2);
    order(&running, "spawn b")
        .status(1)
        .stderr_has("there is no component `b`; there are `a`");
    order(&running, "kv").status(0).stdout("none\n");
    order(&running, "streams").status(0).stdout("none\n");
    running.signal("INT").ends().status(130);
    let (empty, _) = empty_node();
    order(&empty, "spawn a").status(1).stderr_has("runs no app");
    order(&empty, "kv").status(0).stdout("none\n");
}

/// Keeps `kept` under `key`, writes five bytes into a stream to itself, prints `ready`, and waits.
const HOLDER: &str = r#"(module
  (import "rusm" "self" (func $self (result i64)))
  (import "rusm" "sleep" (func $sleep (param i64)))
  (import "rusm" "kv_create" (func $create (param i32 i32) (result i32)))
  (import "rusm" "kv_set" (func $set (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "rusm" "stream_open" (func $open (param i64 i64 i32) (result i32)))
  (import "rusm" "stream_write" (func $pipe (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\44\00\00\00\06\00\00\00") (data (i32.const 64) "\1b]0;ready\n")
  (data (i32.const 80) "key") (data (i32.const 96) "kept")
  (func $no (param i32) (if (i32.lt_s (local.get 0) (i32.const 0)) (then unreachable)))
  (func (export "_start")
    (call $no (call $create (i32.const 64) (i32.const 5)))
    (call $no (call $set (i32.const 64) (i32.const 5) (i32.const 80) (i32.const 3) (i32.const 96) (i32.const 4)))
    (call $no (call $pipe (call $open (call $self) (i64.const 7) (i32.const 100)) (i32.const 64) (i32.const 5)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))
    (loop (call $sleep (i64.const 1000000000)) (br 0))))"#;

#[test]
fn what_a_program_keeps_and_what_is_in_its_streams_are_seen() {
    let running = Run::new()
        .file("holder.wat", HOLDER)
        .args("run --observe 127.0.0.1:0 --store kept.redb holder.wat")
        .starts()
        .says("ready");
    address(&running);
    let bytes = std::fs::metadata(running.folder().path("kept.redb"));
    let bytes = bytes.expect("it is there").len();
    let kept = json(&running, "kv");
    let bucket = serde_json::json!({"kind": "bucket", "name": "\u{1b}]0;r", "keys": 1, "bytes": 7});
    let file =
        serde_json::json!({"kind": "file", "name": "kept.redb", "keys": null, "bytes": bytes});
    assert_eq!(
        (kept["total"].as_u64(), &kept["items"][0]),
        (Some(2), &file)
    );
    assert_eq!(kept["items"][1], bucket);
    let streams = json(&running, "streams");
    let [stream] = &streams["items"].as_array().expect("a list")[..] else {
        panic!("there is one: {streams}");
    };
    assert_eq!(stream["writer"], stream["reader"]);
    assert_eq!(
        (&stream["waiting"], &stream["capacity"]),
        (&5.into(), &100.into())
    );
    let pid = stream["writer"].as_str().expect("a pid");
    let begun = Instant::now();
    while !order(&running, &format!("info {pid}"))
        .text()
        .contains("rusm sleep")
    {
        assert!(begun.elapsed() < PATIENCE, "it sleeps");
    }
    let shown = order(&running, "streams").status(0);
    shown.stdout_has(pid).stdout_has("offered");
    // A name is somebody else's text: a terminal is not to obey it.
    let shown = order(&running, "kv").status(0);
    assert!(!shown.stdout_has("bucket").text().contains('\u{1b}'));
    running.signal("INT").ends().status(130);
}

#[test]
fn an_order_that_makes_no_sense_is_misuse() {
    let (node, _) = empty_node();
    for (typed, part) in [
        ("tre", "Did you mean `tree`?"),
        ("send till", "`send PID|NAME TEXT`"),
        ("detail on", "is for a terminal"),
    ] {
        order(&node, typed)
            .status(2)
            .stderr_is_one_line()
            .stderr_has(part);
    }
}
