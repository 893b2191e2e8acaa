//! Looking into a node while it runs, at no cost to what runs on it.
//!
//! Everything below counts for itself, in plain cells of each worker; here they are read and added up
//! when somebody asks, and never otherwise. The server is ordinary processes of the node, see
//! [`rusm_net`].
//!
//! Entry points: [`observe`], [`Snapshot`]. **Invariants**: nothing below knows of this crate. No look
//! walks over all processes unless it says so.
#![forbid(unsafe_code)]

mod access;
mod lab;
mod prometheus;
pub mod protocol;
mod server;
mod snapshot;
mod system;

pub use access::{Access, AccessError, TOKEN_BYTES_MIN};
pub use lab::Laboratory;
pub use server::{Observer, observe};
pub use snapshot::Snapshot;
pub use system::System;
