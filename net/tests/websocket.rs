//! WebSockets on real sockets: what clients get, and what those cannot do who break the rules.

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use rusm_actor::{Context, Node};
use rusm_net::{Handler, Limits, Received, Reply, Request, Server, WebSocket, serve};
use tungstenite::{Error, Message};

use support::{PATIENCE, node, until};

/// What `flood` sends; more than the buffers of any system.
const FLOOD: usize = 64 << 20;

/// Says everything twice; to `flood` it says far too much, and what then waits.
struct Twice;

impl Handler for Twice {
    async fn answer(&self, request: Request) -> Reply {
        match request.path() {
            "/talk" => Reply::websocket(),
            _ => Reply::text(404, "no\n"),
        }
    }

    async fn talk(&self, _ctx: Context, _request: Request, mut socket: WebSocket) {
        loop {
            match socket.next().await {
                Received::Text(text) if text == "flood" => {
                    socket.send("x".repeat(FLOOD));
                    let backlog = socket.backlog();
                    socket.send(format!("{backlog}"));
                }
                Received::Text(text) if text == "bye" => return socket.close(4000, "bye").await,
                Received::Text(text) => {
                    socket.send(text.clone());
                    socket.send(text);
                }
                Received::TooLong => return socket.close(1009, "too long").await,
                Received::Malformed => return socket.close(1002, "malformed").await,
                Received::Closed => return,
            }
        }
    }
}

fn server(node: &Node) -> Server {
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    serve(node, any, Twice, Limits::default()).expect("it listens")
}

type Client = tungstenite::WebSocket<TcpStream>;

fn client(server: &Server) -> Client {
    let stream = TcpStream::connect(server.local_addr()).expect("it listens");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("it is some time");
    let url = format!("ws://{}/talk", server.local_addr());
    let (client, _) = tungstenite::client(url, stream).expect("it agrees");
    client
}

fn say(client: &mut Client, text: &str) {
    client.send(Message::text(text)).expect("it takes it");
}

fn hear(client: &mut Client) -> String {
    loop {
        match client.read().expect("it says something") {
            Message::Text(text) => return text.to_string(),
            Message::Pong(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// The code of the server's goodbye, whatever it says before.
fn goodbye(client: &mut Client) -> u16 {
    loop {
        match client.read().expect("it says goodbye") {
            Message::Close(Some(frame)) => return frame.code.into(),
            Message::Close(None) => panic!("it says why"),
            _ => {}
        }
    }
}

#[test]
fn messages_go_both_ways_until_somebody_says_goodbye() {
    let node = node();
    let server = server(&node);
    let mut client = client(&server);
    for text in ["one", "", "häß", &"long ".repeat(10_000)] {
        say(&mut client, text);
        assert_eq!(hear(&mut client), text);
        assert_eq!(hear(&mut client), text);
    }
    client
        .send(Message::Ping("?".into()))
        .expect("it takes a ping");
    assert_eq!(client.read().expect("an answer"), Message::Pong("?".into()));
    say(&mut client, "bye");
    assert_eq!(goodbye(&mut client), 4000);
    until("the connection ends", || server.connections() == 0);
}

#[test]
fn who_has_not_asked_for_a_websocket_is_told_to() {
    let node = node();
    let server = server(&node);
    for (path, headers, status) in [
        ("/talk", "", "426"),
        (
            "/talk",
            "Connection: Upgrade\r\nUpgrade: websocket\r\n",
            "426",
        ),
        (
            "/other",
            "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n",
            "404",
        ),
    ] {
        let mut stream = TcpStream::connect(server.local_addr()).expect("it listens");
        write!(stream, "GET {path} HTTP/1.1\r\n{headers}\r\n").expect("it takes it");
        let mut reply = [0; 12];
        stream.read_exact(&mut reply).expect("it answers");
        assert_eq!(&reply[9..], status.as_bytes(), "{path} {headers}");
    }
}

#[test]
fn who_breaks_the_rules_is_told_and_closed() {
    let node = node();
    let server = server(&node);
    let long = vec![b'x'; Limits::default().message_bytes_max + 1];
    let masked = |head: &[u8], body: &[u8]| [head, &[0; 4], body].concat();
    let cases = [
        // A length beyond the limit, without the bytes; one above it in two halves; reserved bits; no mask; no UTF-8; bytes.
        (masked(&[0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0], b""), 1009),
        (
            [
                masked(&[0x01, 0xfe, 0x80, 0], &long[..0x8000]),
                masked(&[0x80, 0xfe, 0x80, 1], &long[..0x8001]),
            ]
            .concat(),
            1009,
        ),
        (masked(&[0xf1, 0x80], b""), 1002),
        (b"\x81\x02hi".to_vec(), 1002),
        (masked(&[0x81, 0x82], b"\xff\xff"), 1002),
        (masked(&[0x82, 0x81], b"x"), 1002),
    ];
    for (bytes, code) in cases {
        let mut client = client(&server);
        client.get_mut().write_all(&bytes).expect("it takes it");
        assert_eq!(goodbye(&mut client), code, "{:02x?}", &bytes[..2]);
    }
    until("the connections end", || server.connections() == 0);
}

#[test]
fn a_frame_may_come_byte_by_byte_and_a_client_may_vanish_within_one() {
    let node = node();
    let server = server(&node);
    let mut client = client(&server);
    for byte in [0x81, 0x82, 0, 0, 0, 0, b'h', b'i'] {
        client.get_mut().write_all(&[byte]).expect("it takes it");
    }
    assert_eq!(hear(&mut client), "hi");
    client
        .get_mut()
        .write_all(&[0x81, 0x82, 0])
        .expect("it takes it");
    drop(client);
    until("the connection ends", || server.connections() == 0);
}

#[test]
fn what_a_client_does_not_read_waits_and_is_counted() {
    let node = node();
    let server = server(&node);
    let mut client = client(&server);
    say(&mut client, "flood");
    client.set_config(|config| config.max_message_size = None);
    client.set_config(|config| config.max_frame_size = None);
    assert_eq!(hear(&mut client).len(), FLOOD);
    let waited: usize = hear(&mut client).parse().expect("a number");
    assert!(waited >= FLOOD, "{waited}");
    // And nothing waits any more.
    say(&mut client, "over");
    assert_eq!(hear(&mut client), "over");
}

#[test]
fn a_client_that_reads_nothing_does_not_keep_a_goodbye_waiting() {
    let node = node();
    let server = server(&node);
    let mut client = client(&server);
    say(&mut client, "flood");
    say(&mut client, "bye");
    until("the connection ends", || server.connections() == 0);
    let text = client.read();
    assert!(
        matches!(
            text,
            Err(Error::Io(_) | Error::Protocol(_) | Error::Capacity(_))
        ),
        "{text:?}"
    );
}
