//! What a collector gets, and what becomes of a node whose collector is not there or talks nonsense.

mod client;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;

use rusm_observe::Otlp;
use serde_json::Value;

use client::{PATIENCE, node};

/// Says this to the next client and closes; what the client has sent.
fn answer(listener: &TcpListener, reply: &str) -> String {
    let (mut stream, _) = listener.accept().expect("somebody exports");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("it is some time");
    let request = read(&mut stream);
    stream.write_all(reply.as_bytes()).expect("it takes it");
    request
}

fn read(stream: &mut TcpStream) -> String {
    let (mut bytes, mut some) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let len = text
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "));
        let len: Option<usize> = len.and_then(|len| len.parse().ok());
        if let Some((_, body)) = text.split_once("\r\n\r\n")
            && Some(body.len()) == len
        {
            return text;
        }
        let count = stream.read(&mut some).expect("it goes on");
        assert!(count > 0, "it ends in the midst: {text}");
        bytes.extend_from_slice(&some[..count]);
    }
}

#[test]
fn a_collector_gets_the_metrics_again_and_again_whatever_it_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = listener.local_addr().expect("an address");
    let otlp = Otlp::to(
        &format!("http://{at}/here"),
        std::time::Duration::from_millis(100),
    );
    let (node, reactor) = node();
    let (tell, told) = mpsc::channel();
    otlp.expect("an address").start(&node, reactor, move |why| {
        // The test may be over.
        let _ = tell.send(why.to_owned());
    });
    let first = answer(&listener, "HTTP/1.1 500 Oh\r\n\r\n");
    assert!(first.starts_with("POST /here HTTP/1.1\r\n"), "{first}");
    assert!(
        told.recv_timeout(PATIENCE)
            .expect("it fails")
            .contains("status 500")
    );
    answer(&listener, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    answer(&listener, "nonsense\r\n\r\n");
    assert!(
        told.recv_timeout(PATIENCE)
            .expect("it fails")
            .contains("no HTTP")
    );
    let request = answer(&listener, "HTTP/1.1 200 OK\r\n\r\n");
    let (_, body) = request.split_once("\r\n\r\n").expect("a body");
    let body: Value = serde_json::from_str(body).expect("it is JSON");
    let metrics = &body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
    let metric = |name: &str| {
        let all = metrics.as_array().expect("metrics").iter();
        let found = all.filter(|it| it["name"] == name).collect::<Vec<_>>();
        assert_eq!(found.len(), 1, "{name}");
        found[0].clone()
    };
    let spawns = &metric("rusm_process_spawns_total")["sum"];
    assert_eq!(spawns["isMonotonic"], true);
    assert!(spawns["dataPoints"][0]["asDouble"].as_f64() >= Some(1.0));
    let workers = &metric("rusm_worker_turns_total")["sum"]["dataPoints"];
    assert_eq!(workers[1]["attributes"][0]["value"]["stringValue"], "1");
    let wakes = &metric("rusm_wake_to_run_seconds")["histogram"]["dataPoints"][0];
    let lens =
        ["bucketCounts", "explicitBounds"].map(|key| wakes[key].as_array().expect(key).len());
    assert_eq!(lens[0], lens[1] + 1);
}
