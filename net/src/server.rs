//! A server: the process that accepts, and those it starts.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use rusm_actor::{Context, ExitReason, Node, Pid};
use rusm_io::{TcpListener, TcpStream};

use crate::connection;
use crate::http::{Reply, Request};
use crate::limit::Limits;
use crate::websocket::WebSocket;

/// For a client that is one too many to take the 503.
const REFUSAL_TIME_MAX: Duration = Duration::from_millis(100);

/// The code of a goodbye without a fault of anybody's.
const GOING_AWAY: u16 = 1001;

/// What answers requests. Called by the process of each connection, one request at a time.
pub trait Handler: Send + Sync + 'static {
    /// The reply to a request. To a `HEAD` as to a `GET`: its body is not sent then.
    fn answer(&self, request: Request) -> impl Future<Output = Reply> + Send;

    /// Goes on with a connection that `answer` has agreed to make a WebSocket, in the connection's own process; it
    /// ends with it. `request` is the one that asked for it.
    fn talk(
        &self,
        _ctx: Context,
        _request: Request,
        socket: WebSocket,
    ) -> impl Future<Output = ()> + Send {
        socket.close(GOING_AWAY, "")
    }
}

/// A server that runs.
#[derive(Clone, Debug)]
pub struct Server {
    pid: Pid,
    at: SocketAddr,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    open: AtomicUsize,
    refused: AtomicU64,
}

impl Server {
    /// The process that accepts. Its end is the server's.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Where it listens, with the port that was found if any was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.at
    }

    /// Connections that are open.
    pub fn connections(&self) -> usize {
        self.counts.open.load(Ordering::Relaxed)
    }

    /// Connections that were one too many, so far.
    pub fn connections_refused(&self) -> u64 {
        self.counts.refused.load(Ordering::Relaxed)
    }
}

/// Starts a server on `node`, which must have a reactor. Blocks the calling thread until it listens;
/// not to be called from a process.
///
/// # Errors
/// The system's, when it does not let us listen there.
pub fn serve<H: Handler>(
    node: &Node,
    at: SocketAddr,
    handler: H,
    limits: Limits,
) -> io::Result<Server> {
    let listener = node.block_on(move |_| async move { TcpListener::bind(at) });
    // Nobody knows that process; it ends by itself unless the node stops.
    let listener = listener.unwrap_or_else(|reason| Err(io::Error::other(reason.to_string())))?;
    let (at, handler) = (listener.local_addr()?, Arc::new(handler));
    let counts = Arc::new(Counts::default());
    let counted = counts.clone();
    let pid = node.spawn(move |mut ctx| async move {
        ctx.set_label(&format!("http {at}"));
        accept(ctx, listener, handler, limits, counted).await
    });
    Ok(Server { pid, at, counts })
}

async fn accept<H: Handler>(
    mut ctx: Context,
    mut listener: TcpListener,
    handler: Arc<H>,
    limits: Limits,
    counts: Arc<Counts>,
) -> Result<(), ExitReason> {
    ctx.trap_exit(true);
    loop {
        let stream = match happens(&mut ctx, &mut listener).await {
            Event::Accepted(stream) => stream,
            Event::Failed(why) => {
                return Err(ExitReason::error(format!(
                    "cannot accept connections any more: {why}"
                )));
            }
            Event::Asked(reason) => return Err(reason),
        };
        if counts.open.load(Ordering::Relaxed) >= limits.connections_max {
            counts.refused.fetch_add(1, Ordering::Relaxed);
            refuse(stream).await;
            continue;
        }
        let (handler, open) = (handler.clone(), Open::new(counts.clone()));
        ctx.spawn_link(move |mut ctx| async move {
            ctx.set_label("http connection");
            let _open = open;
            connection::serve(ctx, stream, &*handler, &limits).await;
        });
    }
}

/// What the process that accepts waits for.
enum Event {
    Accepted(TcpStream),
    Failed(io::Error),
    /// Somebody wants it to end.
    Asked(ExitReason),
}

async fn happens(ctx: &mut Context, listener: &mut TcpListener) -> Event {
    loop {
        let mut accepted = pin!(listener.accept());
        let mut told = pin!(ctx.receive());
        let message = poll_fn(|cx| match accepted.as_mut().poll(cx) {
            Poll::Ready(Ok((stream, _))) => Poll::Ready(Err(Event::Accepted(stream))),
            Poll::Ready(Err(why)) => Poll::Ready(Err(Event::Failed(why))),
            Poll::Pending => told.as_mut().poll(cx).map(Ok),
        });
        match message.await {
            Err(event) => return event,
            // A connection has ended: that is all in a day's work.
            Ok(message) if message.linked_end().is_some() => {}
            Ok(message) => {
                if let Some((_, reason)) = message.exit() {
                    return Event::Asked(reason.clone());
                }
            }
        }
    }
}

async fn refuse(mut stream: TcpStream) {
    let reply = Reply::new(503).encode(false, false);
    // What it does not take at once it does not get.
    let _ = rusm_sched::within(REFUSAL_TIME_MAX, stream.write_all(&reply)).await;
}

/// Counts a connection for as long as its process has it.
struct Open(Arc<Counts>);

impl Open {
    fn new(counts: Arc<Counts>) -> Self {
        counts.open.fetch_add(1, Ordering::Relaxed);
        Open(counts)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
