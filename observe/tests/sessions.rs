//! Clients of a real node: what each sees, what it may do, and what those cannot do to it who mean it harm.

mod client;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rusm_actor::Context;
use rusm_observe::{Act, Observe};
use serde_json::{Value, json};

use client::{Client, PATIENCE, SECRET, access, node, observed, rows, until, waiting};

#[test]
fn the_first_frame_decides_who_stays() {
    let (_node, observer) = observed(Some(SECRET));
    let hello = |fields: Value| {
        let mut client = Client::silent(&observer);
        client.ask(fields);
        client
    };
    let cases = [
        (json!({"type": "hello", "protocol": 1}), "not_allowed"),
        (
            json!({"type": "hello", "protocol": 1, "token": "wrong"}),
            "not_allowed",
        ),
        (
            json!({"type": "hello", "protocol": 2, "token": SECRET}),
            "bad_version",
        ),
        (json!({"type": "stop"}), "bad_frame"),
        (json!(["hello"]), "bad_frame"),
        (json!({"type": "dance"}), "unknown_type"),
    ];
    for (frame, code) in cases {
        let mut client = hello(frame.clone());
        let refusal = client.next().expect("it says why");
        assert_eq!(
            (&refusal["code"], &refusal["fatal"]),
            (&json!(code), &json!(true)),
            "{frame}"
        );
        assert_eq!(client.next(), None, "{frame}");
    }
    let mut client = hello(json!({"type": "hello", "protocol": 1, "token": SECRET}));
    assert_eq!(client.frame("hello")["rights"], json!(["read", "act"]));
}

#[test]
fn pages_of_other_sites_do_not_get_to_speak() {
    let (_node, observer) = observed(None);
    let at = observer.local_addr();
    for (headers, status) in [
        (
            format!("Host: {at}\r\nOrigin: http://elsewhere.example\r\n"),
            "403",
        ),
        ("Host: elsewhere.example\r\n".into(), "403"),
        (format!("Host: {at}\r\nOrigin: http://{at}\r\n"), "101"),
    ] {
        let mut stream = TcpStream::connect(at).expect("it listens");
        let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n";
        write!(stream, "GET /control HTTP/1.1\r\n{headers}{upgrade}\r\n").expect("it takes it");
        let mut reply = [0; 12];
        stream.read_exact(&mut reply).expect("it answers");
        assert_eq!(&reply[9..], status.as_bytes(), "{headers}");
    }
}

#[test]
fn who_may_only_look_can_change_nothing() {
    let (node, reactor) = node();
    let at = "127.0.0.1:0".parse().expect("an address");
    let access = access(None).acting(Act::Token(SECRET.into()));
    let observe = Observe::new(at, access.expect("a good token"));
    let observer = observe.start(&node, reactor).expect("it listens");
    let pid = waiting(&node);
    let mut client = Client::new(&observer);
    assert_eq!(client.frame("hello")["rights"], json!(["read"]));
    for (id, command) in [
        json!({"type": "kill", "pid": pid.to_string()}),
        json!({"type": "send", "to": pid.to_string(), "text": "x"}),
        json!({"type": "set_config", "field": "budget", "value": "1"}),
        json!({"type": "spawn", "component": "x"}),
        json!({"type": "run", "scenario": "x", "seconds": 1.0}),
        json!({"type": "stop"}),
    ]
    .into_iter()
    .enumerate()
    {
        let mut command = command;
        command["id"] = json!(id);
        client.ask(command);
        assert_eq!(client.outcome(id as u64)["code"], "not_allowed");
    }
    assert!(node.is_alive(pid));
    let mut actor = Client::with_token(&observer, Some(SECRET));
    actor.ask(json!({"type": "kill", "id": 1, "pid": pid.to_string()}));
    assert_eq!(actor.outcome(1)["type"], "done");
    until("it has been killed", || !node.is_alive(pid));
}

#[test]
fn what_makes_no_sense_is_refused_with_a_sentence() {
    let (node, observer) = observed(None);
    let parent = node
        .block_on(|ctx| async move { ctx.pid() })
        .expect("it ends");
    let mut client = Client::new(&observer);
    let refused = [
        (
            json!({"type": "kill", "pid": parent.to_string()}),
            "unknown_process",
        ),
        (json!({"type": "kill", "pid": "me"}), "bad_value"),
        (
            json!({"type": "send", "to": "nobody", "text": ""}),
            "unknown_process",
        ),
        (
            json!({"type": "spawn", "component": "x"}),
            "unknown_component",
        ),
        (
            json!({"type": "run", "scenario": "x", "seconds": 1.0}),
            "no_lab",
        ),
        (
            json!({"type": "set_config", "field": "workers", "value": "1"}),
            "bad_value",
        ),
        (
            json!({"type": "set_config", "field": "budget", "value": "0"}),
            "bad_value",
        ),
        (
            json!({"type": "set_observer_detail", "hz": 61}),
            "bad_value",
        ),
        (rows("memory", false, 1001, ""), "bad_value"),
        (rows("memory", false, 1, &"x".repeat(201)), "bad_value"),
        (json!({"type": "select", "detail": "x"}), "bad_value"),
        (json!({"type": "select", "sections": ["all"]}), "bad_frame"),
        (json!({"type": "hello", "protocol": 1}), "bad_frame"),
        (json!({"type": "x".repeat(60_000)}), "unknown_type"),
    ];
    for (id, (mut command, code)) in refused.into_iter().enumerate() {
        command["id"] = json!(id);
        client.ask(command);
        let outcome = client.outcome(id as u64);
        assert_eq!(outcome["code"], code, "{outcome}");
        assert!(
            outcome["message"]
                .as_str()
                .is_some_and(|text| text.len() < 600)
        );
    }
}

#[test]
fn what_a_client_does_to_the_node_is_done() {
    let (node, observer) = observed(None);
    let mut client = Client::new(&observer);
    let echo = node.spawn(|mut ctx: Context| async move {
        ctx.register("echo").expect("it is free");
        let text = ctx.receive().await;
        assert_eq!(text.bytes(), b"over");
    });
    until("it has its name", || node.whereis("echo") == Some(echo));
    client.ask(json!({"type": "send", "id": 100, "to": "echo", "text": "over"}));
    assert_eq!(client.outcome(100)["type"], "done");
    until("it has heard and ended", || !node.is_alive(echo));
    client.ask(json!({"type": "set_config", "id": 101, "field": "budget", "value": "77"}));
    assert_eq!(client.outcome(101)["type"], "done");
    assert_eq!(node.handle().config().budget, 77);
}

#[test]
fn what_one_client_selects_no_other_one_sees() {
    let (node, observer) = observed(None);
    let pid = waiting(&node);
    let mut first = Client::new(&observer);
    let mut second = Client::new(&observer);
    first.ask(json!({"type": "select", "id": 1, "detail": pid.to_string()}));
    second.ask(json!({"type": "set_observer_detail", "id": 1, "hz": 60}));
    second.ask(rows("memory", false, 1, ""));
    for _ in 0..20 {
        let kind = first.next().expect("it goes on")["type"].clone();
        assert!(kind != "rows", "that is the other one's");
    }
    for _ in 0..60 {
        let kind = second.next().expect("it goes on")["type"].clone();
        assert!(kind != "detail", "that is the other one's");
    }
    // And who selects nothing more sees nothing more.
    second.ask(json!({"type": "select", "id": 2, "rows": null}));
    second.ask(json!({"type": "set_observer_detail", "id": 3, "hz": 0}));
    second.outcome(3);
    second.ask(json!({"type": "stop", "id": 4}));
    assert_eq!(second.next().expect("an answer")["id"], 4);
}

#[test]
fn a_hundred_clients_are_served_and_one_more_is_told_so() {
    let (_node, observer) = observed(None);
    let mut clients: Vec<Client> = (0..100).map(|_| Client::new(&observer)).collect();
    for client in &mut clients {
        client.frame("tick");
    }
    let mut late = Client::new(&observer);
    assert_eq!(late.next().expect("it says why")["code"], "too_many");
    // Some vanish in the midst of it; there is room again.
    clients.truncate(50);
    until("there is room", || {
        let mut client = Client::new(&observer);
        client.next().is_some_and(|frame| frame["type"] == "hello")
    });
    clients[0].frame("tick");
}

#[test]
fn a_client_that_asks_and_does_not_read_is_dropped_and_others_go_on() {
    let (node, observer) = observed(None);
    let mut other = Client::new(&observer);
    let mut deaf = Client::new(&observer);
    let before = node.process_count();
    let flood = rows("memory", false, 5000, "").to_string();
    let begun = Instant::now();
    // Until it is closed: the answers, which nobody reads, are what waits.
    while deaf
        .0
        .send(tungstenite::Message::text(flood.clone()))
        .is_ok()
    {
        assert!(begun.elapsed() < PATIENCE, "it is never dropped");
    }
    other.frame("tick");
    until("its process has ended", || node.process_count() < before);
}

#[test]
fn an_observer_ends_with_its_node_and_clients_hear_of_it() {
    let (node, observer) = observed(None);
    let mut client = Client::new(&observer);
    client.frame("tick");
    let stopped = node.shutdown(Duration::from_secs(10));
    assert!(stopped.is_ok(), "{stopped:?}");
    while client.next().is_some() {}
}

/// It was once dropped after ten seconds: the answer to each frame was looked at before it had gone.
#[test]
fn a_client_that_reads_stays_however_long_something_is_on_its_way() {
    let (_node, observer) = observed(None);
    let mut client = Client::new(&observer);
    client.ask(json!({"type": "set_observer_detail", "hz": 60}));
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(11) {
        client.frame("tick");
    }
}
