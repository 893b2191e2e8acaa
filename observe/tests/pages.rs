//! The pages of a real node, as a client reads them.

mod client;

use std::collections::{BTreeSet, HashSet};
use std::io::{Read, Write};
use std::net::TcpStream;

use rusm_observe::Observer;

use client::{PATIENCE, SECRET, observed, until};

fn ask(observer: &Observer, method: &str, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(observer.local_addr()).expect("it listens");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("it is some time");
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n"
    )
    .expect("it takes the request");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("it answers");
    reply
}

fn status(observer: &Observer, path: &str, headers: &str) -> u16 {
    let reply = ask(observer, "GET", path, headers);
    reply[9..12].parse().expect("it has a status")
}

/// The samples of the metrics page: names with labels, and values.
fn metrics(observer: &Observer) -> Vec<(String, f64)> {
    let reply = ask(observer, "GET", "/metrics", "");
    let (head, page) = reply.split_once("\r\n\r\n").expect("it has a body");
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");
    let mut known = HashSet::new();
    let mut samples = Vec::new();
    for line in page.lines() {
        if let Some(about) = line.strip_prefix("# TYPE ") {
            let (name, kind) = about.split_once(' ').expect("a name and a kind");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert!(known.insert(name.to_owned()), "{name} comes twice");
        } else if !line.starts_with("# HELP ") {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            let family = name.split('{').next().unwrap_or_default();
            let of_histogram = ["_bucket", "_sum", "_count"].iter().any(|end| {
                family
                    .strip_suffix(end)
                    .is_some_and(|it| known.contains(it))
            });
            assert!(of_histogram || known.contains(family), "{line}");
            samples.push((name.to_owned(), value.parse().expect("a number")));
        }
    }
    samples
}

fn value(samples: &[(String, f64)], name: &str) -> f64 {
    let found = samples.iter().find(|(known, _)| known == name);
    found.unwrap_or_else(|| panic!("there is no `{name}`")).1
}

#[test]
fn the_metrics_are_what_the_node_itself_says() {
    let (node, observer) = observed(None);
    let spawned = |samples: &[(String, f64)]| value(samples, "rusm_process_spawns_total");
    let before = metrics(&observer);
    let all = node.block_on(|ctx| async move {
        for _ in 0..10_000 {
            ctx.spawn(|_| async {});
            ctx.reductions(1).await;
        }
    });
    all.expect("it ends");
    // The last ones have their turns after that, and workers tell of turns now and then.
    until("all have had turns", || node.stats().total.turns >= 10_000);
    let after = metrics(&observer);
    let more = spawned(&after) - spawned(&before);
    assert!((10_001.0..10_100.0).contains(&more), "{more}");
    let stats = node.stats();
    assert!(spawned(&after) <= stats.total.spawned as f64);
    let of_workers = |name: &str| {
        let samples = after.iter().filter(|(known, _)| known.starts_with(name));
        samples.map(|(_, value)| *value).sum::<f64>()
    };
    let turns = of_workers("rusm_worker_turns_total{");
    let at_most = stats.total.turns as f64;
    assert!((10_000.0..=at_most).contains(&turns), "{turns}, {at_most}");
    assert!(
        value(&after, "rusm_processes") >= 2.0,
        "the server and its connection"
    );
    assert!(value(&after, "rusm_io_sources") >= 2.0, "theirs");
    node.shutdown(PATIENCE).expect("all ends");
}

#[test]
fn the_histogram_adds_up() {
    let (node, observer) = observed(None);
    let all = node.block_on(|_| async {
        for _ in 0..100_000 {
            rusm_sched::yield_now().await;
        }
    });
    all.expect("it ends");
    let samples = metrics(&observer);
    let buckets: Vec<f64> = samples
        .iter()
        .filter(|(name, _)| name.starts_with("rusm_wake_to_run_seconds_bucket"))
        .map(|(_, value)| *value)
        .collect();
    assert!(buckets.is_sorted(), "{buckets:?}");
    let count = value(&samples, "rusm_wake_to_run_seconds_count");
    assert_eq!(buckets.last(), Some(&count));
    assert!(count > 0.0 && value(&samples, "rusm_wake_to_run_seconds_sum") > 0.0);
    node.shutdown(PATIENCE).expect("all ends");
}

#[test]
fn a_node_is_healthy_from_the_start_and_ready_when_it_says_so() {
    let (node, observer) = observed(Some(SECRET));
    assert_eq!(status(&observer, "/healthz", ""), 200);
    assert_eq!(status(&observer, "/readyz", ""), 503);
    observer.set_ready();
    assert_eq!(status(&observer, "/readyz", ""), 200);
    node.shutdown(PATIENCE).expect("all ends");
}

#[test]
fn pages_of_other_sites_and_clients_without_the_token_get_nothing() {
    let (node, open) = observed(None);
    let port = open.local_addr().port();
    for (headers, expected) in [
        (format!("Host: 127.0.0.1:{port}\r\n"), 200),
        (format!("Host: localhost:{port}\r\n"), 200),
        (format!("Host: [::1]:{port}\r\n"), 200),
        (
            format!("Host: a:{port}\r\nOrigin: http://a:{port}\r\n"),
            403,
        ),
        (
            format!("Host: localhost:{port}\r\nOrigin: http://localhost:{port}\r\n"),
            200,
        ),
        (
            format!("Host: localhost:{port}\r\nOrigin: https://evil.example\r\n"),
            403,
        ),
        ("Host: evil.example\r\n".into(), 403),
        (String::new(), 200),
    ] {
        assert_eq!(status(&open, "/metrics", &headers), expected, "{headers}");
    }
    let (closed_node, closed) = observed(Some(SECRET));
    for (headers, expected) in [
        (String::new(), 401),
        ("Authorization: Basic 0123456789abcdef\r\n".into(), 401),
        ("Authorization: Bearer 0123456789abcde\r\n".into(), 401),
        (format!("Authorization: Bearer {SECRET}\r\n"), 200),
    ] {
        assert_eq!(status(&closed, "/metrics", &headers), expected, "{headers}");
    }
    // The page itself is no secret: what it shows is.
    let page = ask(&closed, "GET", "/", "");
    assert!(page.contains("<!doctype html>") && page.contains("Content-Security-Policy"));
    let etag = page
        .lines()
        .find_map(|line| line.strip_prefix("ETag: "))
        .expect("it has one");
    assert_eq!(
        status(&closed, "/", &format!("If-None-Match: {etag}\r\n")),
        304
    );
    assert!(ask(&open, "POST", "/metrics", "").starts_with("HTTP/1.1 405"));
    assert_eq!(status(&open, "/nothing", ""), 404);
    closed_node.shutdown(PATIENCE).expect("all ends");
    node.shutdown(PATIENCE).expect("all ends");
}

#[test]
fn the_document_names_every_metric_and_no_others() {
    let (node, observer) = observed(None);
    let reply = ask(&observer, "GET", "/metrics", "");
    let shown: BTreeSet<&str> = reply
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|about| about.split(' ').next())
        .collect();
    let document = include_str!("../../docs/observing.md");
    let table = document.split("## The metrics").nth(1).expect("there");
    let named: BTreeSet<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|row| row.split('`').next())
        .collect();
    // Elsewhere the system tells less.
    if cfg!(target_os = "linux") {
        assert_eq!(shown, named);
    }
    node.shutdown(PATIENCE).expect("all ends");
}
