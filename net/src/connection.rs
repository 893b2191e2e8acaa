//! One connection: requests in, replies out, until the client, a limit or a mistake ends it, or it becomes a WebSocket.

use std::io;
use std::net::Shutdown;

use rusm_actor::Context;
use rusm_io::TcpStream;

use crate::http::{Parsed, Refused, Reply, Request, SWITCHING, parse};
use crate::limit::Limits;
use crate::server::Handler;
use crate::websocket::{WebSocket, accept_key};

/// Bytes that are read at a time.
const READ_BYTES: usize = 4 * 1024;

/// What a read of the next request came to.
enum Next {
    Request(Request),
    Refused(Refused),
    /// The client has gone, or says nothing any more.
    Over,
}

/// Serves a connection to its end.
pub(crate) async fn serve<H: Handler>(
    ctx: Context,
    mut stream: TcpStream,
    handler: &H,
    limits: &Limits,
) {
    // Replies are written whole: there is nothing to wait for.
    let _ = stream.set_nodelay(true);
    let mut bytes = Vec::new();
    let request = loop {
        let (reply, keeps_alive, head_only) = match next(&mut stream, &mut bytes, limits).await {
            Next::Request(request) if request.websocket_key().is_some() => {
                let reply = agree(&request, handler.answer(request.clone()).await);
                if reply.status() == SWITCHING {
                    if !write(&mut stream, &reply.encode(true, false), limits).await {
                        return;
                    }
                    break request;
                }
                (reply, request.keeps_alive(), false)
            }
            Next::Request(request) => {
                let (keeps_alive, head_only) = (request.keeps_alive(), request.method() == "HEAD");
                (
                    needs_upgrade(handler.answer(request).await),
                    keeps_alive,
                    head_only,
                )
            }
            Next::Refused(why) => (Reply::new(why.status()), false, false),
            Next::Over => return,
        };
        let written = write(&mut stream, &reply.encode(keeps_alive, head_only), limits).await;
        if !written || !keeps_alive {
            let _ = stream.shutdown(Shutdown::Write);
            return;
        }
    };
    let socket = WebSocket::new(stream, bytes, limits);
    handler.talk(ctx, request, socket).await;
}

/// A handler's yes, completed by what shows the client that we understood it.
fn agree(request: &Request, reply: Reply) -> Reply {
    match request.websocket_key() {
        Some(key) if reply.status() == SWITCHING => reply
            .with_header("Upgrade", "websocket")
            .with_header("Sec-WebSocket-Accept", accept_key(key)),
        _ => reply,
    }
}

/// A handler's yes to somebody who has not asked.
fn needs_upgrade(reply: Reply) -> Reply {
    match reply.status() {
        SWITCHING => Reply::text(426, "this is a WebSocket\n")
            .with_header("Upgrade", "websocket")
            .with_header("Sec-WebSocket-Version", "13"),
        _ => reply,
    }
}

/// Did the client take all of it in time?
async fn write(stream: &mut TcpStream, bytes: &[u8], limits: &Limits) -> bool {
    let written = rusm_sched::within(limits.reply_time_max, stream.write_all(bytes)).await;
    matches!(written, Some(Ok(())))
}

/// The next request; what was read behind it stays in `bytes`.
async fn next(stream: &mut TcpStream, bytes: &mut Vec<u8>, limits: &Limits) -> Next {
    if bytes.is_empty() {
        match rusm_sched::within(limits.idle_time_max, read(stream, bytes)).await {
            Some(Ok(1..)) => {}
            _ => return Next::Over,
        }
    }
    let whole = rusm_sched::within(limits.request_time_max, rest(stream, bytes, limits)).await;
    whole.unwrap_or(Next::Refused(Refused::Late))
}

/// The request whose first bytes are here.
async fn rest(stream: &mut TcpStream, bytes: &mut Vec<u8>, limits: &Limits) -> Next {
    loop {
        let wanted = match parse(bytes, limits) {
            Ok(Parsed::Whole(request, used)) => {
                bytes.drain(..used);
                return Next::Request(request);
            }
            Ok(Parsed::Partial(wanted)) => wanted,
            Err(why) => return Next::Refused(why),
        };
        let looked_at = bytes.len();
        while !wanted.is_there(&bytes[looked_at..], bytes.len(), limits) {
            match read(stream, bytes).await {
                Ok(1..) => {}
                Ok(0) | Err(_) => return Next::Over,
            }
        }
    }
}

async fn read(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<usize> {
    let mut some = [0; READ_BYTES];
    let count = stream.read(&mut some).await?;
    bytes.extend_from_slice(&some[..count]);
    Ok(count)
}
