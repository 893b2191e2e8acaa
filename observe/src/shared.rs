//! What the pages, the sessions and the watch of one observer have in common.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use rusm_actor::Node;
use rusm_io::Reactor;
use rusm_net::Server;

use crate::access::Access;
use crate::app::App;
use crate::flight::Log;
use crate::lab::Laboratory;
use crate::listing::Listing;
use crate::protocol::CLIENTS_MAX;
use crate::system::System;
use crate::table::Table;
use crate::warnings::Warnings;

/// How old what the system says may be: asking costs many calls.
const SYSTEM_AGE_MAX: Duration = Duration::from_secs(1);

pub(crate) struct Shared {
    /// Not the node itself: it would hold its own scheduler.
    pub(crate) node: Node,
    pub(crate) name: String,
    pub(crate) reactor: Arc<Reactor>,
    pub(crate) access: Access,
    pub(crate) lab: Option<Arc<dyn Laboratory>>,
    pub(crate) app: Option<Arc<dyn App>>,
    /// For the case of a crash.
    pub(crate) log: Option<Arc<Log>>,
    pub(crate) since: SystemTime,
    pub(crate) ready: AtomicBool,
    pub(crate) table: Table,
    pub(crate) warnings: Warnings,
    pub(crate) kv: Listing,
    pub(crate) streams: Listing,
    /// Set as soon as it listens.
    pub(crate) server: OnceLock<Server>,
    clients: AtomicUsize,
    system: Mutex<Option<(Duration, System)>>,
}

/// The node that is looked at.
pub(crate) struct Target {
    /// As clients are told.
    pub(crate) name: String,
    pub(crate) node: Node,
    /// If it is known.
    pub(crate) reactor: Option<Arc<Reactor>>,
}

/// What a node is observed with, beside itself.
pub(crate) struct With {
    pub(crate) name: String,
    pub(crate) access: Access,
    pub(crate) lab: Option<Arc<dyn Laboratory>>,
    pub(crate) app: Option<Arc<dyn App>>,
    pub(crate) log: Option<Arc<Log>>,
}

impl Shared {
    pub(crate) fn new(node: &Node, reactor: Arc<Reactor>, with: With) -> Self {
        Shared {
            node: Node::over(node.handle()),
            name: with.name,
            reactor,
            access: with.access,
            lab: with.lab,
            app: with.app,
            log: with.log,
            since: SystemTime::now(),
            ready: AtomicBool::new(false),
            table: Table::default(),
            warnings: Warnings::default(),
            kv: Listing::default(),
            streams: Listing::default(),
            server: OnceLock::new(),
            clients: AtomicUsize::new(0),
            system: Mutex::new(None),
        }
    }

    /// The node on which the laboratory runs something, or else the node itself.
    pub(crate) fn target(&self) -> Target {
        let run = self.lab.as_ref().and_then(|lab| lab.target());
        match run {
            Some((number, node)) => Target {
                name: format!("run {number}"),
                node,
                reactor: None,
            },
            None => Target {
                name: "node".into(),
                node: Node::over(self.node.handle()),
                reactor: Some(self.reactor.clone()),
            },
        }
    }

    /// What the system said a second ago or later, asked anew if need be: on a thread for blocking work, as it is many
    /// calls. Called by processes.
    pub(crate) async fn system(&self) -> System {
        let now = rusm_sched::now();
        let known = *self.lock_system();
        if let Some((_, system)) = known.filter(|(at, _)| now - *at < SYSTEM_AGE_MAX) {
            return system;
        }
        match rusm_sched::blocking::run(System::read).await {
            Ok(system) => {
                *self.lock_system() = Some((now, system));
                system
            }
            Err(_) => known.map(|(_, system)| system).unwrap_or_default(),
        }
    }

    fn lock_system(&self) -> MutexGuard<'_, Option<(Duration, System)>> {
        self.system.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a client for as long as it holds what this returns; `None`: there are too many.
    pub(crate) fn enter(self: &Arc<Self>) -> Option<Client> {
        let before = self.clients.fetch_add(1, Ordering::Relaxed);
        // Dropped again if it is one too many.
        let client = Client(self.clone());
        (before < CLIENTS_MAX).then_some(client)
    }

    pub(crate) fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }
}

/// A client that is connected.
pub(crate) struct Client(Arc<Shared>);

impl Drop for Client {
    fn drop(&mut self) {
        self.0.clients.fetch_sub(1, Ordering::Relaxed);
    }
}
