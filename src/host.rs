//! A node as all commands start it, and its reactor.

use std::sync::Arc;

use rusm_actor::Node;
use rusm_io::Reactor;
use rusm_sched::Config;

use crate::error::Failure;

pub(crate) struct Host {
    pub(crate) node: Node,
    pub(crate) reactor: Arc<Reactor>,
}

/// So many workers, or one for each CPU.
pub(crate) fn config(workers: Option<usize>) -> Config {
    let default = Config::default();
    Config {
        workers: workers.unwrap_or(default.workers),
        // A turn of a guest costs far more than a look at the clock.
        times: true,
        ..default
    }
}

impl Host {
    pub(crate) fn start(config: Config) -> Result<Self, Failure> {
        let reactor = Reactor::new().map_err(Failure::Reactor)?;
        let node = Node::start_with(config, reactor.clone()).map_err(Failure::Node)?;
        Ok(Host { node, reactor })
    }
}
