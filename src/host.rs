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

impl Host {
    pub(crate) fn start(workers: Option<usize>) -> Result<Self, Failure> {
        // A turn of a guest costs far more than a look at the clock.
        let mut config = Config {
            times: true,
            ..Config::default()
        };
        if let Some(workers) = workers {
            config.workers = workers;
        }
        let reactor = Reactor::new().map_err(Failure::Reactor)?;
        let node = Node::start_with(config, reactor.clone()).map_err(Failure::Node)?;
        Ok(Host { node, reactor })
    }
}
