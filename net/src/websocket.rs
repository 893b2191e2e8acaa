//! A WebSocket (RFC 6455): messages of text both ways over a connection that began as HTTP. Frames, masks and
//! fragments are tungstenite's business; here its bytes meet a socket that nobody waits for in a system call.

use std::future::poll_fn;
use std::io::{self, ErrorKind, Read, Write};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rusm_io::TcpStream;
use tungstenite::protocol::frame::CloseFrame;
use tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tungstenite::{Error, Message};

use crate::limit::Limits;

/// Bytes that are read at a time.
const READ_BYTES: usize = 4 * 1024;
/// Room for small frames, so that not each of them moves what waits.
const SLACK_BYTES: usize = 16 * 1024;
/// For a client to take what is left and to say goodbye.
const GOODBYE_TIME_MAX: Duration = Duration::from_secs(2);
/// Bytes of the reason in a goodbye, as the standard has it.
const REASON_BYTES_MAX: usize = 123;

/// What a client has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// It said something.
    Text(String),
    /// It said something that is longer than [`Limits::message_bytes_max`]. Nothing behind it is understood.
    TooLong,
    /// It broke the rules of the protocol, or sent what is no text. Nothing behind it is understood.
    Malformed,
    /// It has gone.
    Closed,
}

/// A connection that speaks WebSocket.
pub struct WebSocket {
    stream: TcpStream,
    protocol: WebSocketContext,
    wire: Wire,
}

/// What tungstenite takes for a socket: bytes that have come, and bytes that are to go.
#[derive(Default)]
struct Wire {
    come: Vec<u8>,
    /// Of `come`, those that have been read.
    read: usize,
    go: Vec<u8>,
    /// Of `go`, those that have gone.
    gone: usize,
    /// Nothing more will come.
    over: bool,
}

impl WebSocket {
    /// Over a connection on which the upgrade has been agreed upon; `bytes` have come behind it.
    pub(crate) fn new(stream: TcpStream, bytes: Vec<u8>, limits: &Limits) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            // To the wire at once: what waits, waits there, where it is counted.
            .write_buffer_size(0)
            .max_message_size(Some(limits.message_bytes_max))
            .max_frame_size(Some(limits.message_bytes_max));
        WebSocket {
            stream,
            protocol: WebSocketContext::new(Role::Server, Some(config)),
            wire: Wire {
                come: bytes,
                ..Wire::default()
            },
        }
    }

    /// Queues a message; it goes when the socket takes it, while somebody polls.
    pub fn send(&mut self, text: String) {
        // The wire takes everything; after a goodbye nothing is sent any more.
        let _ = self.protocol.write(&mut self.wire, Message::text(text));
        let _ = self.protocol.flush(&mut self.wire);
    }

    /// Bytes that wait for the client to read, beside those in the system's buffers.
    pub fn backlog(&self) -> usize {
        self.wire.go.len() - self.wire.gone
    }

    /// What the client does next. Meanwhile what is queued goes.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        loop {
            match self.protocol.read(&mut self.wire) {
                Ok(Message::Text(text)) => return Poll::Ready(Received::Text(text.to_string())),
                Ok(Message::Binary(_)) => return Poll::Ready(Received::Malformed),
                Ok(_) => continue,
                Err(Error::Io(why)) if why.kind() == ErrorKind::WouldBlock => {}
                Err(Error::Capacity(_)) => return Poll::Ready(Received::TooLong),
                Err(Error::ConnectionClosed | Error::AlreadyClosed | Error::Io(_)) => {
                    return Poll::Ready(Received::Closed);
                }
                // The other side just vanished; it broke no rule that matters.
                Err(Error::Protocol(_)) if self.wire.over => return Poll::Ready(Received::Closed),
                Err(_) => return Poll::Ready(Received::Malformed),
            }
            if let Poll::Ready(Err(_)) = self.poll_flush(cx) {
                return Poll::Ready(Received::Closed);
            }
            if self.wire.over {
                return Poll::Ready(Received::Closed);
            }
            // A client that never stops sending is not to keep the worker.
            ready!(rusm_sched::charge(cx, 1));
            let mut some = [0; READ_BYTES];
            match ready!(self.stream.poll_read(cx, &mut some)) {
                Ok(0) | Err(_) => self.wire.over = true,
                Ok(count) => self.wire.come.extend_from_slice(&some[..count]),
            }
        }
    }

    /// See [`poll_next`](WebSocket::poll_next).
    pub async fn next(&mut self) -> Received {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Ready when all that was queued has gone.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.backlog() > 0 {
            let left = &self.wire.go[self.wire.gone..];
            self.wire.gone += ready!(self.stream.poll_write(cx, left))?;
        }
        self.wire.go.clear();
        // A backlog that is over is not to be paid for as long as the connection lasts.
        self.wire.go.shrink_to(READ_BYTES);
        self.wire.gone = 0;
        Poll::Ready(Ok(()))
    }

    /// Says goodbye behind what is queued, with a code of RFC 6455 (7.4) and a reason, and gives the client two seconds to
    /// take it.
    pub async fn close(mut self, code: u16, reason: &str) {
        let end = reason.floor_char_boundary(REASON_BYTES_MAX);
        let frame = CloseFrame {
            code: code.into(),
            reason: reason[..end].into(),
        };
        let _ = self.protocol.close(&mut self.wire, Some(frame));
        let goodbye = async {
            if poll_fn(|cx| self.poll_flush(cx)).await.is_ok() {
                // Until it has answered: closed before, its system may throw away what it has not read.
                while !matches!(self.next().await, Received::Closed | Received::Malformed) {}
            }
        };
        let _ = rusm_sched::within(GOODBYE_TIME_MAX, goodbye).await;
    }
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = &self.come[self.read..];
        if left.is_empty() && !self.over {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = left.len().min(into.len());
        into[..count].copy_from_slice(&left[..count]);
        self.read += count;
        if self.read == self.come.len() {
            self.come.clear();
            self.read = 0;
        }
        Ok(count)
    }
}

impl Write for Wire {
    /// Takes no more memory than what waits needs: that is what limits are set for.
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        if self.go.capacity() - self.go.len() < from.len() {
            self.go.drain(..self.gone);
            self.gone = 0;
            self.go.reserve_exact(from.len() + SLACK_BYTES);
        }
        self.go.extend_from_slice(from);
        Ok(from.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What shows a client that its wish was understood.
pub(crate) fn accept_key(key: &[u8]) -> String {
    tungstenite::handshake::derive_accept_key(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client that always left a little unread once made it grow without end.
    #[test]
    fn what_has_gone_takes_no_memory_however_slowly_it_went() {
        let mut wire = Wire::default();
        for _ in 0..10_000 {
            wire.write_all(&[0; 1000]).expect("it takes everything");
            wire.gone = wire.go.len() - 10;
        }
        assert!(
            wire.go.capacity() <= 2 * SLACK_BYTES,
            "{}",
            wire.go.capacity()
        );
        wire.gone = wire.go.len();
        for waiting in (1..100).map(|frames| frames * 50_000) {
            wire.write_all(&[0; 50_000]).expect("it takes everything");
            assert!(wire.go.capacity() <= waiting + 3 * SLACK_BYTES);
        }
    }
}
