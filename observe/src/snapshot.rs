//! All counters of a node at one moment, added up.

use std::time::{Duration, SystemTime};

use rusm_actor::Node;
use rusm_io::Reactor;
use rusm_sched::Stats;

use crate::system::System;

/// A node at one moment. The numbers are read one after the other while it runs: they are not one
/// atomic picture.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When observing began.
    pub since: SystemTime,
    /// How long the node has run.
    pub uptime: Duration,
    /// Processes that live.
    pub processes: usize,
    /// Messages that mailboxes with a limit have shed.
    pub messages_shed: u64,
    /// What the scheduler has done.
    pub scheduler: Stats,
    /// What the reactor has done.
    pub io: rusm_io::Stats,
    /// What the system knows of us.
    pub system: System,
}

impl Snapshot {
    /// Reads the counters: microseconds, and no process notices. `system`: see [`System::read`].
    pub fn take(node: &Node, reactor: &Reactor, since: SystemTime, system: System) -> Self {
        Snapshot {
            since,
            uptime: node.handle().now(),
            processes: node.process_count(),
            messages_shed: node.messages_shed(),
            scheduler: node.stats(),
            io: reactor.stats(),
            system,
        }
    }
}
