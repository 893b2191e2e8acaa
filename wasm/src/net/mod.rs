//! The network as one process may use it: sockets step by step, on the reactor, and names on the
//! blocking pool. Knows no version of WASI: `wasi2/sockets` and its successors put their words on
//! this.
//!
//! **Invariant:** every address is checked against what the process was granted before the system
//! hears of it, and every descriptor counts against [`SOCKETS_MAX`].

mod access;
mod address;
mod convert;
mod error;
mod names;
mod option;
mod tcp;
mod udp;
mod waiters;

pub(crate) use access::Net;
pub(crate) use address::Family;
pub(crate) use convert::convert_addresses;
pub(crate) use error::NetError;
pub(crate) use names::{NameError, Query};
pub(crate) use option::Options;
pub(crate) use tcp::{Listener, Tcp, TcpHandle};
pub(crate) use udp::{DATAGRAM_BYTES_MAX, Ends, Udp, UdpHandle};
