//! A node as all commands start it, its reactor, and what is left of it if it crashes.

use std::path::Path;
use std::sync::Arc;

use rusm_actor::Node;
use rusm_io::Reactor;
use rusm_observe::FlightRecorder;
use rusm_sched::Config;

use crate::error::{Failure, LookFailure};
use crate::report;

pub(crate) struct Host {
    /// Its drop tells of a panic that ends us.
    pub(crate) flight: Option<FlightRecorder>,
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
        Ok(Host {
            flight: None,
            node,
            reactor,
        })
    }

    /// Keeps the last moments of the node in `file` if it crashes; `name` is what runs there. Before there is an
    /// engine for guests, which hands on the faults that are none of theirs.
    pub(crate) fn record(&mut self, file: Option<&Path>, name: &str) -> Result<(), Failure> {
        let Some(file) = file else {
            return Ok(());
        };
        let recorder = FlightRecorder::start(&self.node, name, file, |file, written| {
            let file = file.display();
            report::last_event(&match written {
                Ok(()) => format!("error node crashed last-moments={file}"),
                Err(why) => {
                    format!("error node crashed last-moments=lost file={file} reason={why}")
                }
            });
        });
        self.flight = Some(recorder.map_err(LookFailure::Flight)?);
        Ok(())
    }

    /// The node is about to end for this reason.
    pub(crate) fn crashed(&self, reason: &str) {
        self.flight.iter().for_each(|flight| flight.crashed(reason));
    }
}
