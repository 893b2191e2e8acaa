//! The pages that a node shows: `/metrics`, `/healthz`, `/readyz`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use rusm_actor::Node;
use rusm_io::Reactor;
use rusm_net::{Handler, Limits, Reply, Request, Server, serve};

use crate::access::Access;
use crate::prometheus;
use crate::snapshot::Snapshot;
use crate::system::System;

const INDEX: &str = "/metrics  counters of the node, for Prometheus\n\
                     /healthz  200 while the node runs\n\
                     /readyz   200 once what it runs has started, 503 before\n";

/// A node that can be looked at.
#[derive(Debug)]
pub struct Observer {
    server: Server,
    ready: Arc<AtomicBool>,
}

impl Observer {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// What the node is there for has started: `/readyz` says so from now on.
    pub fn set_ready(&self) {
        self.ready.store(true, Ordering::Relaxed);
    }
}

/// Lets people and programs look at `node`, whose reactor is `reactor`. Blocks until it listens; not to
/// be called from a process.
///
/// # Errors
/// The system's, when it does not let us listen there.
pub fn observe(
    node: &Node,
    reactor: Arc<Reactor>,
    at: SocketAddr,
    access: Access,
) -> io::Result<Observer> {
    let ready = Arc::new(AtomicBool::new(false));
    let pages = Pages {
        // Not the node itself: it would hold its own scheduler.
        node: Node::over(node.handle()),
        reactor,
        access,
        since: SystemTime::now(),
        ready: ready.clone(),
    };
    let server = serve(node, at, pages, Limits::default())?;
    Ok(Observer { server, ready })
}

struct Pages {
    node: Node,
    reactor: Arc<Reactor>,
    access: Access,
    since: SystemTime,
    ready: Arc<AtomicBool>,
}

impl Handler for Pages {
    async fn answer(&self, request: Request) -> Reply {
        if !matches!(request.method(), "GET" | "HEAD") {
            return Reply::text(405, "only GET and HEAD\n").with_header("Allow", "GET, HEAD");
        }
        // These two say nothing that somebody could not know who reaches us.
        match request.path() {
            "/healthz" => return Reply::text(200, "ok\n"),
            "/readyz" if self.ready.load(Ordering::Relaxed) => return Reply::text(200, "ready\n"),
            "/readyz" => return Reply::text(503, "starting\n"),
            _ => {}
        }
        match self.access.refuses(&request) {
            Some(401) => {
                return Reply::text(401, "needs `Authorization: Bearer TOKEN`\n")
                    .with_header("WWW-Authenticate", "Bearer");
            }
            Some(status) => return Reply::text(status, "not from another site\n"),
            None => {}
        }
        match request.path() {
            "/" => Reply::text(200, INDEX),
            "/metrics" => self.metrics().await,
            _ => Reply::text(404, format!("there is no such page; there are:\n{INDEX}")),
        }
    }
}

impl Pages {
    async fn metrics(&self) -> Reply {
        // The system's files are no disk, but they are many calls.
        let system = rusm_sched::blocking::run(System::read).await;
        let system = match system {
            Ok(system) => system,
            Err(why) => return Reply::text(503, format!("{why}\n")),
        };
        let snapshot = Snapshot::take(&self.node, &self.reactor, self.since, system);
        let page = prometheus::page(&snapshot);
        Reply::new(200).with_body(prometheus::CONTENT_TYPE, page.into_bytes())
    }
}
