//! `--observe`: what the pages of a running program say, and who may read them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::guests::SPIN;
use super::node::address;
use super::run::Run;

const PATIENCE: Duration = Duration::from_secs(20);
const SECRET: &str = "0123456789abcdef";

/// The whole reply.
pub(crate) fn get(at: &str, path: &str, header: &str) -> String {
    let mut stream = TcpStream::connect(at).expect("it listens");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("it is some time");
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {at}\r\n{header}Connection: close\r\n\r\n"
    )
    .expect("it takes the request");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("it answers");
    reply
}

/// The value of a metric without labels.
pub(crate) fn metric(page: &str, name: &str) -> f64 {
    let found = page.lines().find_map(|line| line.strip_prefix(name));
    let value = found.and_then(|rest| rest.trim().parse().ok());
    value.unwrap_or_else(|| panic!("`{name}` is not in {page}"))
}

#[test]
fn a_program_that_runs_shows_its_counters() {
    let running = Run::new()
        .file("a.wat", SPIN)
        .args("run --workers 2 --observe 127.0.0.1:0 a.wat")
        .starts()
        .says("ready");
    let at = address(&running);
    let page = get(&at, "/metrics", "");
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    assert!(
        metric(&page, "rusm_processes ") >= 3.0,
        "the program, the server, the connection"
    );
    assert!(metric(&page, "process_resident_memory_bytes ") > 1e6);
    assert!(
        page.contains("rusm_worker_turns_total{worker=\"1\"}"),
        "{page}"
    );
    assert!(get(&at, "/readyz", "").starts_with("HTTP/1.1 200"));
    assert!(get(&at, "/nothing", "").starts_with("HTTP/1.1 404"));
    running.signal("INT").ends().status(130);
}

#[test]
fn an_app_shows_its_counters_too() {
    let running = Run::new()
        .file("app/spin.wat", SPIN)
        .file(
            "app/rusm.toml",
            "[components.spin]\nsource = \"spin.wat\"\nresident = 1\n",
        )
        .args("run --observe 127.0.0.1:0 app")
        .starts();
    let at = address(&running);
    let begun = Instant::now();
    while !get(&at, "/readyz", "").starts_with("HTTP/1.1 200") {
        assert!(begun.elapsed() < PATIENCE, "its resident starts");
    }
    assert!(metric(&get(&at, "/metrics", ""), "rusm_processes ") >= 3.0);
    running.signal("INT").ends().status(130);
}

#[test]
fn with_a_token_only_who_knows_it_may_look() {
    let running = Run::new()
        .file("a.wat", SPIN)
        .args("run --observe 0.0.0.0:0 a.wat")
        .variable("RUSM_OBSERVE_TOKEN", SECRET)
        .starts();
    let at = address(&running).replace("0.0.0.0", "127.0.0.1");
    assert!(get(&at, "/metrics", "").starts_with("HTTP/1.1 401"));
    let wrong = "Authorization: Bearer 0123456789abcdeF\r\n";
    assert!(get(&at, "/metrics", wrong).starts_with("HTTP/1.1 401"));
    let right = format!("Authorization: Bearer {SECRET}\r\n");
    assert!(get(&at, "/metrics", &right).starts_with("HTTP/1.1 200"));
    assert!(
        get(&at, "/healthz", "").starts_with("HTTP/1.1 200"),
        "that is no secret"
    );
    running.signal("INT").ends().status(130);
}

#[test]
fn where_it_cannot_be_shown_nothing_runs_and_a_sentence_says_why() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let at = taken.local_addr().expect("it has one");
    Run::new()
        .file("a.wat", SPIN)
        .args(&format!("run --observe {at} a.wat"))
        .status(1)
        .stderr_has("cannot show the node")
        .stderr_has("`--observe`");
    Run::new()
        .file("a.wat", SPIN)
        .args("run --observe 0.0.0.0:0 a.wat")
        .status(1)
        .stderr_has("there is no token")
        .stderr_has("RUSM_OBSERVE_TOKEN");
    Run::new()
        .file("a.wat", SPIN)
        .args("run --observe 0.0.0.0:0 a.wat")
        .variable("RUSM_OBSERVE_TOKEN", "short")
        .status(1)
        .stderr_has("the token is not");
}

#[test]
fn metrics_go_to_the_collector_that_the_environment_names() {
    let collector = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = collector.local_addr().expect("an address");
    let running = Run::new()
        .file("a.wat", SPIN)
        .variable("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{at}"))
        .variable("OTEL_METRIC_EXPORT_INTERVAL", "100")
        .args("run a.wat")
        .starts();
    let (mut stream, _) = collector.accept().expect("it exports");
    let mut head = [0; 24];
    stream.read_exact(&mut head).expect("it says something");
    assert_eq!(&head, b"POST /v1/metrics HTTP/1.");
    running.signal("INT").ends().status(130);
    Run::new()
        .file("a.wat", SPIN)
        .variable("OTEL_EXPORTER_OTLP_ENDPOINT", "collector")
        .args("run a.wat")
        .status(1)
        .stderr_has("`OTEL_EXPORTER_OTLP_ENDPOINT` is");
}
