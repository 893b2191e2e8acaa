//! Looking into a node while it runs, at no cost to what runs on it.
//!
//! Everything below counts for itself, in plain cells of each worker; here they are read and added up
//! when somebody asks, and never otherwise. The server is ordinary processes of the node, see
//! [`rusm_net`].
//!
//! Entry points: [`Observe`], [`protocol`], [`Snapshot`], [`FlightRecorder`], [`recording`]. **Invariants**: nothing below knows of this crate. No look
//! walks over all processes unless it says so.
#![deny(unsafe_code)]

mod access;
mod app;
mod flight;
mod lab;
mod listing;
mod metrics;
mod otlp;
mod overview;
mod prometheus;
pub mod protocol;
mod quiet;
pub mod recording;
mod row;
mod server;
mod session;
mod shared;
mod snapshot;
mod system;
mod table;
mod warnings;
mod watch;

pub use access::{Access, AccessError, Act, TOKEN_BYTES_MIN};
pub use app::App;
pub use flight::{FLIGHT_EVENTS, FlightError, FlightRecorder};
pub use lab::Laboratory;
pub use otlp::{Otlp, OtlpError};
pub use quiet::quiet;
pub use server::{Observe, Observer};
pub use snapshot::Snapshot;
pub use system::System;
