//! Serving: where sockets meet processes. Knows sockets, processes, HTTP/1.1 and WebSocket; knows nothing of
//! what is served.
//!
//! A server is ordinary processes of its node: one that accepts, and one for each connection, linked
//! to it. Whoever kills the first one ends them all; a handler that panics ends its own connection.
//!
//! Entry points: [`serve`], [`Handler`]. **Invariants**: nothing a client sends makes this code panic,
//! and each of a client's costs has a limit in [`Limits`]. Parsing is a function from bytes to a
//! request (`http/request.rs`), apart from all sockets.
#![forbid(unsafe_code)]

mod client;
mod connection;
mod http;
mod limit;
mod server;
mod websocket;

pub use client::Post;
pub use http::{Reply, Request};
pub use limit::Limits;
pub use server::{Handler, Server, serve};
pub use websocket::{Received, WebSocket};
