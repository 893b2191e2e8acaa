//! HTTP/1.1 as bytes (RFC 9112): no sockets, no time.

mod reply;
mod request;

pub use reply::Reply;
pub(crate) use reply::SWITCHING;
pub use request::Request;
pub(crate) use request::{Parsed, Refused, parse};
