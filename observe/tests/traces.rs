//! What a client is told of processes that it has traced.

mod client;

use std::time::Instant;

use rusm_actor::{Config, Context, Node, Pid, send};
use rusm_observe::{Act, Observe};
use serde_json::{Value, json};

use client::{Client, PATIENCE, SECRET, access, node, observed};

/// Answers what it is told to `to`, with a new process in between.
fn clerk(node: &Node, to: Pid) -> Pid {
    node.spawn(move |mut ctx: Context| async move {
        loop {
            let message = ctx.receive().await;
            if message.bytes() == b"end" {
                return;
            }
            ctx.spawn(|_| async {});
            ctx.send(to, message);
        }
    })
}

fn quiet(node: &Node) -> Pid {
    node.spawn(|mut ctx: Context| async move {
        loop {
            ctx.receive().await;
        }
    })
}

/// Has it done, and refused if `code` says so.
#[track_caller]
fn done(client: &mut Client, mut command: Value, code: Option<&str>) {
    command["id"] = json!(77);
    client.ask(command);
    let outcome = client.outcome(77);
    assert_eq!(outcome["code"].as_str(), code, "{outcome}");
}

fn trace(pids: &[Pid]) -> Value {
    let pids: Vec<String> = pids.iter().map(Pid::to_string).collect();
    json!({"type": "trace", "pids": pids})
}

/// What is told until this is told of `pid`.
#[track_caller]
fn told_until(client: &mut Client, pid: Pid, kind: &str) -> Vec<Value> {
    let mut told = Vec::new();
    loop {
        let frame = client.frame("trace");
        assert_eq!(frame["dropped"], 0);
        told.extend(frame["events"].as_array().expect("events").clone());
        let is = |event: &Value| event["pid"] == pid.to_string() && event["kind"] == kind;
        if told.iter().any(is) {
            return told;
        }
    }
}

#[test]
fn a_client_is_told_what_its_processes_do_and_nothing_else() {
    let (node, observer) = observed(None);
    let to = quiet(&node);
    let (pid, other) = (clerk(&node, to), clerk(&node, to));
    let mut client = Client::new(&observer);
    let mut second = Client::new(&observer);
    done(&mut client, trace(&[pid]), None);
    send(other, b"not told");
    send(pid, b"\x01two");
    send(pid, b"end");
    let told = told_until(&mut client, pid, "exit");
    let what = |event: &Value| {
        let text = |field: &str| event[field].as_str().expect("text").to_owned();
        assert_eq!(event["pid"], pid.to_string());
        (text("kind"), event["other"].clone(), text("text"))
    };
    let told: Vec<_> = told.iter().map(what).collect();
    let (started, body) = (told[1].1.clone(), told[1].2.clone());
    assert!(body.contains("clerk"), "{body}");
    let bytes = r#"4 bytes "\x01two""#;
    let expected = [
        ("receive", Value::Null, bytes),
        ("spawn", started, &body),
        ("send", json!(to.to_string()), bytes),
        ("receive", Value::Null, r#"3 bytes "end""#),
        ("exit", Value::Null, "normal"),
    ];
    let told: Vec<_> = told
        .iter()
        .map(|(kind, other, text)| (kind.as_str(), other.clone(), text.as_str()))
        .collect();
    assert_eq!(told, expected);
    // Whoever did not ask is told nothing.
    for _ in 0..5 {
        assert_ne!(second.next().expect("it goes on")["type"], "trace");
    }
}

#[test]
fn who_is_traced_is_what_the_latest_command_says() {
    let (node, observer) = observed(None);
    // Processes of other nodes in the program can be traced as well: a run's, for instance.
    let run = Node::start(Config::default()).expect("it starts");
    let (first, second) = (quiet(&node), quiet(&run));
    let mut client = Client::new(&observer);
    done(&mut client, trace(&[first]), None);
    send(first, b"1");
    told_until(&mut client, first, "receive");
    done(&mut client, trace(&[second, second]), None);
    send(first, b"2");
    send(second, b"3");
    let told = told_until(&mut client, second, "receive");
    assert!(told.iter().all(|event| event["pid"] == second.to_string()));
    // What cannot be done changes nothing.
    let unknown = json!({"type": "trace", "pids": [first.to_string(), "<0.4000000.1>"]});
    done(&mut client, unknown, Some("unknown_process"));
    send(second, b"4");
    told_until(&mut client, second, "receive");
    done(&mut client, trace(&[]), None);
    send(second, b"5");
    // Several looks would have come in that time.
    client.ask(json!({"type": "set_observer_detail", "hz": 10}));
    for _ in 0..5 {
        assert_ne!(client.next().expect("it goes on")["type"], "trace");
    }
}

#[test]
fn what_cannot_be_traced_is_refused_with_a_sentence() {
    let (node, reactor) = node();
    let at = "127.0.0.1:0".parse().expect("an address");
    let access = access(None).acting(Act::Token(SECRET.into()));
    let observe = Observe::new(at, access.expect("a good token"));
    let observer = observe.start(&node, reactor).expect("it listens");
    let pid = quiet(&node);
    let mut looks = Client::new(&observer);
    done(&mut looks, trace(&[pid]), Some("not_allowed"));
    let mut client = Client::with_token(&observer, Some(SECRET));
    let at_rate =
        |rate: u32| json!({"type": "trace", "pids": [pid.to_string()], "per_second": rate});
    done(&mut client, at_rate(10_001), Some("bad_value"));
    done(&mut client, at_rate(0), Some("bad_value"));
    done(&mut client, at_rate(10_000), None);
    let me = json!({"type": "trace", "pids": ["me"]});
    done(&mut client, me, Some("bad_value"));
    let many: Vec<Pid> = (0..65).map(|_| quiet(&node)).collect();
    done(&mut client, trace(&many), Some("too_many"));
    done(&mut client, trace(&many[..64]), None);
    done(&mut client, trace(&many[1..]), None);
}

#[test]
fn events_that_are_too_many_are_counted() {
    let (node, observer) = observed(None);
    let pid = quiet(&node);
    let mut client = Client::new(&observer);
    let slow = json!({"type": "trace", "pids": [pid.to_string()], "per_second": 10});
    done(&mut client, slow, None);
    let sent = 500;
    (0..sent).for_each(|_| send(pid, b"flood"));
    let begun = Instant::now();
    let (mut told, mut dropped) = (0, 0);
    while told + dropped < sent {
        assert!(begun.elapsed() < PATIENCE, "{told} and {dropped}");
        let frame = client.frame("trace");
        told += frame["events"].as_array().expect("events").len() as u64;
        dropped += frame["dropped"].as_u64().expect("a number");
    }
    assert_eq!(told + dropped, sent);
    assert!(told >= 10, "{told}");
    assert!(dropped > 0);
}
