//! A server on real sockets: what clients get, and what those cannot do to it who mean it harm.

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use rusm_actor::Node;
use rusm_net::{Handler, Limits, Reply, Request, Server, serve};

use support::{PATIENCE, node, until};

/// Says what it was asked; `/large` is more than any socket buffers, `/panic` is a fault of its own.
struct Echo;

impl Handler for Echo {
    async fn answer(&self, request: Request) -> Reply {
        match request.path() {
            "/large" => Reply::new(200).with_body("text/plain", vec![b'x'; 32 << 20]),
            "/panic" => panic!("a fault of the handler's"),
            path => {
                let body = String::from_utf8_lossy(request.body()).into_owned();
                Reply::text(200, format!("{} {path} {body}", request.method()))
            }
        }
    }
}

fn server(node: &Node, limits: Limits) -> Server {
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    serve(node, any, Echo, limits).expect("it listens")
}

fn client(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.local_addr()).expect("it listens");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("it is some time");
    stream
}

/// Sends all of it, and reads until the server closes.
fn ask(server: &Server, bytes: &[u8]) -> String {
    let mut stream = client(server);
    stream.write_all(bytes).expect("it takes it");
    until_closed(stream)
}

fn until_closed(mut stream: TcpStream) -> String {
    let mut reply = Vec::new();
    match stream.read_to_end(&mut reply) {
        Ok(_) => {}
        // It closed without having read all that was sent.
        Err(why) if why.kind() == ErrorKind::ConnectionReset => {}
        Err(why) => panic!("{why}: {}", String::from_utf8_lossy(&reply)),
    }
    String::from_utf8(reply).expect("it is text")
}

#[test]
fn requests_of_one_connection_are_answered_in_their_order() {
    let node = node();
    let server = server(&node, Limits::default());
    let replies = ask(
        &server,
        b"GET /a HTTP/1.1\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi\
          HEAD /c HTTP/1.1\r\n\r\nGET /d HTTP/1.1\r\nConnection: close\r\n\r\nGET /never HTTP/1.1\r\n\r\n",
    );
    let place = |text: &str| {
        replies
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {replies}"))
    };
    assert!(place("GET /a ") < place("POST /b hi"));
    assert!(place("POST /b hi") < place("GET /d "));
    assert!(!replies.contains("HEAD /c"), "only its head: {replies}");
    assert_eq!(replies.matches("HTTP/1.1 200 OK").count(), 4);
    node.shutdown(PATIENCE).expect("all ends");
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let node = node();
    let server = server(&node, Limits::default());
    let mut stream = client(&server);
    stream.set_nodelay(true).expect("it is a socket");
    for byte in b"POST /slow HTTP/1.1\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc" {
        stream.write_all(&[*byte]).expect("it takes it");
    }
    assert!(until_closed(stream).ends_with("POST /slow abc"));
    node.shutdown(PATIENCE).expect("all ends");
}

#[test]
fn junk_and_halves_and_monsters_are_told_so_and_hurt_nobody_else() {
    let node = node();
    let server = server(&node, Limits::default());
    let endless = [b"GET /".to_vec(), vec![b'a'; 1 << 20]].concat();
    for (bytes, status) in [
        (&b"\x16\x03\x01\x02\x00 this is TLS\r\n\r\n"[..], "400"),
        (b"GET / HTTP/3\r\n\r\n", "505"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n", "413"),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "501",
        ),
        (&endless, "431"),
    ] {
        let mut stream = client(&server);
        // It may be told before it has sent all.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let reply = until_closed(stream);
        // What was not read resets the connection, and the reply with it, if the client is late.
        assert!(
            reply.is_empty() || reply.contains(status),
            "{status}: {reply}"
        );
    }
    let mut half = client(&server);
    half.write_all(b"GET / HTT").expect("it takes it");
    drop(half);
    assert!(ask(&server, b"GET /on HTTP/1.0\r\n\r\n").ends_with("GET /on "));
    until("all are closed", || server.connections() == 0);
    node.shutdown(PATIENCE).expect("all ends");
}

#[test]
fn who_takes_too_long_to_ask_is_told_and_who_is_silent_is_closed() {
    let node = node();
    let slow = server(
        &node,
        Limits {
            request_time_max: Duration::from_millis(50),
            ..Limits::default()
        },
    );
    assert!(ask(&slow, b"GET / HTTP/1.1\r\n").starts_with("HTTP/1.1 408"));
    let silent = server(
        &node,
        Limits {
            idle_time_max: Duration::from_millis(50),
            ..Limits::default()
        },
    );
    assert_eq!(ask(&silent, b""), "");
    node.shutdown(PATIENCE).expect("all ends");
}

#[test]
fn a_client_that_does_not_read_is_cut_off() {
    let node = node();
    let limits = Limits {
        reply_time_max: Duration::from_millis(50),
        ..Limits::default()
    };
    let server = server(&node, limits);
    let mut stream = client(&server);
    stream
        .write_all(b"GET /large HTTP/1.1\r\n\r\n")
        .expect("it takes it");
    until("it has come", || server.connections() == 1);
    until("it is cut off", || server.connections() == 0);
    node.shutdown(PATIENCE).expect("all ends");
}

#[test]
fn connections_beyond_the_limit_are_told_so_until_one_ends() {
    let node = node();
    let limits = Limits {
        connections_max: 3,
        ..Limits::default()
    };
    let server = server(&node, limits);
    let held: Vec<_> = (0..3).map(|_| client(&server)).collect();
    until("they are open", || server.connections() == 3);
    assert!(until_closed(client(&server)).starts_with("HTTP/1.1 503"));
    assert_eq!(server.connections_refused(), 1);
    drop(held);
    until("they are closed", || server.connections() == 0);
    assert!(ask(&server, b"GET /again HTTP/1.0\r\n\r\n").ends_with("GET /again "));
    node.shutdown(PATIENCE).expect("all ends");
}

#[test]
fn a_handler_that_panics_ends_its_own_connection() {
    let node = node();
    let server = server(&node, Limits::default());
    let mut bystander = client(&server);
    assert_eq!(ask(&server, b"GET /panic HTTP/1.1\r\n\r\n"), "");
    bystander
        .write_all(b"GET /still HTTP/1.0\r\n\r\n")
        .expect("it takes it");
    assert!(until_closed(bystander).ends_with("GET /still "));
    node.shutdown(PATIENCE).expect("all ends");
}

#[test]
fn who_ends_the_server_ends_its_connections() {
    for kill in [false, true] {
        let node = node();
        let server = server(&node, Limits::default());
        let open = client(&server);
        until("it is open", || server.connections() == 1);
        match kill {
            true => node.kill(server.pid()),
            false => node.exit(server.pid(), rusm_actor::ExitReason::Shutdown),
        }
        assert_eq!(until_closed(open), "");
        until("nobody listens", || {
            TcpStream::connect(server.local_addr()).is_err()
        });
        node.shutdown(PATIENCE).expect("all ends");
    }
}
