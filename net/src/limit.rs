//! What a client may cost: each limit, and what is done at it.

use std::time::Duration;

/// Header lines of one request; one with more is refused with 431.
pub(crate) const HEADERS_MAX: usize = 64;

/// What clients of one server may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time; one more is told 503 and closed. Default 1,024.
    pub connections_max: usize,
    /// Bytes of a request's first line and headers; more are refused with 431. Default 16 KiB.
    pub head_bytes_max: usize,
    /// Bytes of a request's body; more are refused with 413. Default 64 KiB.
    pub body_bytes_max: usize,
    /// Bytes of a client's WebSocket message; a longer one ends the connection. Default 64 KiB.
    pub message_bytes_max: usize,
    /// From the first byte of a request to its last; who takes longer is told 408. Default 10 s.
    pub request_time_max: Duration,
    /// Between two requests of one connection, which is closed then. Default 60 s.
    pub idle_time_max: Duration,
    /// For a client to take a whole reply; who does not is cut off. Default 10 s.
    pub reply_time_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections_max: 1_024,
            head_bytes_max: 16 * 1024,
            body_bytes_max: 64 * 1024,
            message_bytes_max: 64 * 1024,
            request_time_max: Duration::from_secs(10),
            idle_time_max: Duration::from_secs(60),
            reply_time_max: Duration::from_secs(10),
        }
    }
}
