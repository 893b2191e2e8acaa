//! What a node shows: the pages for people and programs, and the way to the control protocol.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rusm_actor::{Context, Node};
use rusm_io::Reactor;
use rusm_net::{Handler, Limits, Reply, Request, WebSocket, serve};

use crate::access::Access;
use crate::app::App;
use crate::flight::FlightRecorder;
use crate::lab::Laboratory;
use crate::prometheus;
use crate::protocol::FRAME_BYTES_MAX;
use crate::session;
use crate::shared::{Shared, With};
use crate::snapshot::Snapshot;
use crate::system::System;
use crate::watch;

const INDEX: &str = "/         the dashboard, for browsers\n\
                     /metrics  counters of the node, for Prometheus\n\
                     /healthz  200 while the node runs\n\
                     /readyz   200 once what it runs has started, 503 before\n\
                     /control  the control protocol, a WebSocket\n";

/// The page loads nothing from elsewhere, runs nothing that did not come with it, and is shown in no other page.
const PAGE_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; \
                           img-src 'self' data: blob:; frame-ancestors 'none'";

/// How a node is to be looked at.
#[must_use = "it shows nothing before it is started"]
pub struct Observe {
    at: SocketAddr,
    with: With,
}

/// A node that can be looked at.
pub struct Observer {
    shared: Arc<Shared>,
    at: SocketAddr,
}

impl Observe {
    /// Through `at`, by those who have `access`.
    pub fn new(at: SocketAddr, access: Access) -> Self {
        let with = With {
            name: "rusm".into(),
            access,
            lab: None,
            app: None,
            log: None,
        };
        Observe { at, with }
    }

    /// With a name for people. Default `rusm`.
    pub fn named(mut self, name: &str) -> Self {
        self.with.name = name.into();
        self
    }

    /// With a laboratory.
    pub fn with_lab(mut self, lab: Arc<dyn Laboratory>) -> Self {
        self.with.lab = Some(lab);
        self
    }

    /// With the app that the node runs.
    pub fn with_app(mut self, app: Arc<dyn App>) -> Self {
        self.with.app = Some(app);
        self
    }

    /// With a flight recorder, which keeps what is traced and warned of.
    pub fn with_flight(mut self, recorder: &FlightRecorder) -> Self {
        self.with.log = Some(recorder.log());
        self
    }

    /// Lets people and programs look at `node`, whose reactor is `reactor`. Blocks until it listens; not to be called
    /// from a process.
    ///
    /// # Errors
    /// The system's, when it does not let us listen there.
    pub fn start(self, node: &Node, reactor: Arc<Reactor>) -> io::Result<Observer> {
        let shared = Arc::new(Shared::new(node, reactor, self.with));
        shared.log.iter().for_each(|log| log.of(&shared));
        let limits = Limits {
            message_bytes_max: FRAME_BYTES_MAX,
            ..Limits::default()
        };
        let server = serve(node, self.at, Pages(shared.clone()), limits)?;
        let at = server.local_addr();
        // Set here and nowhere else.
        let _ = shared.server.set(server);
        watch::start(node, &shared);
        Ok(Observer { shared, at })
    }
}

impl Observer {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.at
    }

    /// What the node is there for has started: `/readyz` says so from now on.
    pub fn set_ready(&self) {
        self.shared.ready.store(true, Ordering::Relaxed);
    }
}

struct Pages(Arc<Shared>);

impl Handler for Pages {
    async fn answer(&self, request: Request) -> Reply {
        if !matches!(request.method(), "GET" | "HEAD") {
            return Reply::text(405, "only GET and HEAD\n").with_header("Allow", "GET, HEAD");
        }
        let shared = &self.0;
        // These two say nothing that somebody could not know who reaches us.
        match request.path() {
            "/healthz" => return Reply::text(200, "ok\n"),
            "/readyz" if shared.ready.load(Ordering::Relaxed) => {
                return Reply::text(200, "ready\n");
            }
            "/readyz" => return Reply::text(503, "starting\n"),
            // Its first frame says what the client may do: browsers cannot say it here.
            "/control" if shared.access.is_foreign(&request) => return foreign(),
            "/control" => return Reply::websocket(),
            _ => {}
        }
        // Nor do these: the page is the same on every node, and shows what its reader may see.
        if let Some(file) = rusm_dashboard::file(request.path()) {
            return page(&request, file);
        }
        match shared.access.refuses(&request) {
            Some(401) => {
                return Reply::text(401, "needs `Authorization: Bearer TOKEN`\n")
                    .with_header("WWW-Authenticate", "Bearer");
            }
            Some(_) => return foreign(),
            None => {}
        }
        match request.path() {
            "/metrics" => self.metrics().await,
            _ => Reply::text(404, format!("there is no such page; there are:\n{INDEX}")),
        }
    }

    async fn talk(&self, ctx: Context, _request: Request, socket: WebSocket) {
        session::talk(self.0.clone(), ctx, socket).await;
    }
}

/// A file of the dashboard, unless the browser has this very one.
fn page(request: &Request, file: rusm_dashboard::File) -> Reply {
    let known = request.header("if-none-match") == Some(file.etag.as_bytes());
    let reply = match known {
        true => Reply::new(304),
        false => Reply::new(200).with_body(file.content_type, file.bytes.to_vec()),
    };
    reply
        .with_header("ETag", file.etag)
        .with_header("Cache-Control", "no-cache")
        .with_header("Content-Security-Policy", PAGE_POLICY)
        .with_header("X-Content-Type-Options", "nosniff")
}

fn foreign() -> Reply {
    Reply::text(403, "not from another site\n")
}

impl Pages {
    async fn metrics(&self) -> Reply {
        let Shared { node, reactor, .. } = &*self.0;
        // The system's files are no disk, but they are many calls.
        let system = rusm_sched::blocking::run(System::read).await;
        let system = match system {
            Ok(system) => system,
            Err(why) => return Reply::text(503, format!("{why}\n")),
        };
        let snapshot = Snapshot::take(node, reactor, self.0.since, system);
        let page = prometheus::page(&snapshot);
        Reply::new(200).with_body(prometheus::CONTENT_TYPE, page.into_bytes())
    }
}
