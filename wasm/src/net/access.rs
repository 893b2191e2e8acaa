//! What a process may do on the network, and how many sockets it holds.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::NetError;
use crate::grant::{Grants, Refusal, Resolved};

/// Sockets one process may have open at a time, accepted connections among them.
pub(crate) const SOCKETS_MAX: usize = 256;

/// The network of one process.
#[derive(Debug, Default)]
pub(crate) struct Net {
    /// What it was granted; nothing if there are none.
    grants: Option<Grants>,
    resolved: Resolved,
    live: Arc<AtomicUsize>,
}

type Result<T> = std::result::Result<T, NetError>;

/// One socket of [`SOCKETS_MAX`], given back when dropped.
#[derive(Debug)]
pub(super) struct Live(Arc<AtomicUsize>);

impl Net {
    pub(crate) fn new(grants: Option<Grants>) -> Self {
        Self {
            grants,
            ..Self::default()
        }
    }

    /// May it have sockets at all?
    pub(super) fn may_open(&self) -> Result<()> {
        self.ask(Grants::may_use_network)
    }

    /// May it bind to this address? To port 0 everybody may who may use the network: whoever
    /// connects is bound to some port, and nobody can reach it there.
    pub(super) fn may_bind(&self, to: SocketAddr) -> Result<()> {
        match to.port() {
            0 => self.may_open(),
            _ => self.may_listen(to),
        }
    }

    /// May anybody reach it at the address that it asked for?
    pub(super) fn may_listen(&self, on: SocketAddr) -> Result<()> {
        self.ask(|grants| grants.may_listen(on))
    }

    /// May it connect or send there?
    pub(super) fn may_connect(&self, to: SocketAddr) -> Result<()> {
        self.ask(|grants| grants.may_connect(to, &self.resolved))
    }

    pub(super) fn may_resolve(&self, name: &str) -> Result<()> {
        self.ask(|grants| grants.may_resolve(name))
    }

    /// The answer to a look-up that was granted: it may connect to what a name of its grants is.
    pub(crate) fn note_answer(&mut self, name: &str, addresses: &[IpAddr]) {
        self.resolved.note(name, addresses.iter().copied());
    }

    /// Takes one of the sockets that the process may have.
    pub(super) fn take_socket(&self) -> Result<Live> {
        // Only the process itself takes sockets; they may be given back elsewhere.
        if self.live.load(Relaxed) >= SOCKETS_MAX {
            return Err(NetError::SocketLimit);
        }
        self.live.fetch_add(1, Relaxed);
        Ok(Live(self.live.clone()))
    }

    /// The standard has one word for all refusals.
    fn ask(&self, may: impl FnOnce(&Grants) -> std::result::Result<(), Refusal>) -> Result<()> {
        match self.grants.as_ref().map(may) {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => Err(NetError::AccessDenied),
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
