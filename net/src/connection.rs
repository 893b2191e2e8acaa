//! One connection: requests in, replies out, until the client, a limit or a mistake ends it.

use std::io;
use std::net::Shutdown;

use rusm_io::TcpStream;

use crate::http::{Parsed, Refused, Reply, Request, parse};
use crate::limit::Limits;
use crate::server::Handler;

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
pub(crate) async fn serve<H: Handler>(mut stream: TcpStream, handler: &H, limits: &Limits) {
    // Replies are written whole: there is nothing to wait for.
    let _ = stream.set_nodelay(true);
    let mut bytes = Vec::new();
    loop {
        let (reply, keeps_alive, head_only) = match next(&mut stream, &mut bytes, limits).await {
            Next::Request(request) => {
                let (keeps_alive, head_only) = (request.keeps_alive(), request.method() == "HEAD");
                (handler.answer(request).await, keeps_alive, head_only)
            }
            Next::Refused(why) => (Reply::new(why.status()), false, false),
            Next::Over => return,
        };
        let reply = reply.encode(keeps_alive, head_only);
        let written = rusm_sched::within(limits.reply_time_max, stream.write_all(&reply)).await;
        if !matches!(written, Some(Ok(()))) || !keeps_alive {
            let _ = stream.shutdown(Shutdown::Write);
            return;
        }
    }
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
        match parse(bytes, limits) {
            Ok(Parsed::Whole(request, used)) => {
                bytes.drain(..used);
                return Next::Request(request);
            }
            Ok(Parsed::Partial) => {}
            Err(why) => return Next::Refused(why),
        }
        match read(stream, bytes).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return Next::Over,
        }
    }
}

async fn read(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<usize> {
    let mut some = [0; READ_BYTES];
    let count = stream.read(&mut some).await?;
    bytes.extend_from_slice(&some[..count]);
    Ok(count)
}
