//! A node that is observed, and a client of its control protocol.

#![allow(dead_code)] // Each test program uses a part of it.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusm_actor::{Config, Context, Node, Pid, send};
use rusm_io::Reactor;
use rusm_observe::{Access, Act, Observe, Observer};
use serde_json::{Value, json};
use tungstenite::{Error, Message, WebSocket};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const SECRET: &str = "0123456789abcdef";

/// A node whose turns are timed; everybody here may act.
pub(crate) fn node() -> (Node, Arc<Reactor>) {
    let reactor: Arc<Reactor> = Reactor::new().expect("a reactor");
    let config = Config {
        workers: 2,
        times: true,
        ..Config::default()
    };
    let node = Node::start_with(config, reactor.clone()).expect("a node");
    (node, reactor)
}

pub(crate) fn access(token: Option<&str>) -> Access {
    let at = "127.0.0.1:0".parse().expect("an address");
    let access = Access::new(at, token.map(Into::into)).expect("it is this machine");
    access.acting(Act::Lookers).expect("it needs no token")
}

pub(crate) fn observed(token: Option<&str>) -> (Node, Observer) {
    let (node, reactor) = node();
    let at = "127.0.0.1:0".parse().expect("an address");
    let observe = Observe::new(at, access(token));
    let observer = observe.start(&node, reactor).expect("it listens");
    (node, observer)
}

/// A process with all that a process can have: it is returned when it has it.
pub(crate) fn busy_node(node: &Node) -> Pid {
    let made = node.block_on(|mut ctx| async move {
        let parent = ctx.pid();
        let other = ctx.spawn(|mut ctx: Context| async move {
            ctx.receive().await;
        });
        let pid = ctx.spawn(move |mut ctx: Context| async move {
            let pid = ctx.pid();
            ctx.register("busy").expect("it is free");
            ctx.node().join("busy ones", pid).expect("it lives");
            ctx.set_label("as busy as can be");
            ctx.link(other).expect("it lives");
            ctx.monitor(other);
            send(parent, pid.to_bits().to_le_bytes());
            std::future::pending::<()>().await;
        });
        ctx.receive().await;
        pid
    });
    made.expect("it ends well")
}

pub(crate) struct Client(pub(crate) WebSocket<TcpStream>);

impl Client {
    pub(crate) fn new(observer: &Observer) -> Client {
        Client::with_token(observer, None)
    }

    pub(crate) fn with_token(observer: &Observer, token: Option<&str>) -> Client {
        let mut client = Client::silent(observer);
        client.ask(match token {
            Some(token) => json!({"type": "hello", "protocol": 1, "token": token}),
            None => json!({"type": "hello", "protocol": 1}),
        });
        client
    }

    /// One that has said nothing yet.
    pub(crate) fn silent(observer: &Observer) -> Client {
        let stream = TcpStream::connect(observer.local_addr()).expect("it listens");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("it is some time");
        let url = format!("ws://{}/control", observer.local_addr());
        let (socket, _) = tungstenite::client(url, stream).expect("it agrees");
        Client(socket)
    }

    pub(crate) fn ask(&mut self, frame: Value) {
        self.say(&frame.to_string());
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).expect("it takes it");
    }

    /// The next frame, if the node says anything more.
    pub(crate) fn next(&mut self) -> Option<Value> {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => {
                    return Some(serde_json::from_str(&text).expect("it is JSON"));
                }
                Ok(Message::Close(_))
                | Err(Error::ConnectionClosed | Error::AlreadyClosed | Error::Protocol(_)) => {
                    return None;
                }
                Ok(_) => {}
                Err(why) => panic!("{why}"),
            }
        }
    }

    /// The next frame of this type; others are passed over.
    #[track_caller]
    pub(crate) fn frame(&mut self, kind: &str) -> Value {
        self.until(kind, |_| true)
    }

    /// The next frame of this type for which something holds.
    #[track_caller]
    pub(crate) fn until(&mut self, kind: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        let mut last = Value::Null;
        while begun.elapsed() < PATIENCE {
            let frame = self
                .next()
                .unwrap_or_else(|| panic!("no `{kind}` came: closed"));
            if frame["type"] == kind {
                if holds(&frame) {
                    return frame;
                }
                last = frame;
            }
        }
        panic!("no such `{kind}` came; the last one was {last}");
    }

    /// What comes of a command.
    #[track_caller]
    pub(crate) fn outcome(&mut self, id: u64) -> Value {
        loop {
            let frame = self.next().expect("an answer");
            if frame["id"] == id {
                return frame;
            }
        }
    }
}

pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::yield_now();
    }
}

pub(crate) fn waiting(node: &Node) -> Pid {
    node.spawn(|mut ctx: Context| async move {
        loop {
            ctx.receive().await;
        }
    })
}

pub(crate) fn rows(by: &str, window: bool, limit: usize, filter: &str) -> Value {
    json!({"type": "select", "rows": {"by": by, "window": window, "limit": limit, "filter": filter}})
}

/// One that hears nothing.
pub(crate) fn waiting_for_good(node: &Node) -> Pid {
    node.spawn(|_| std::future::pending::<()>())
}
