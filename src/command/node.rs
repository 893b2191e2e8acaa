//! `rusm node start`: a node that can be looked at, with an app on it or with nothing, until a signal comes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc::channel;

use rusm_sched::Config;

use super::app;
use crate::error::Failure;
use crate::host::Host;
use crate::observe;
use crate::signal::{STOP_TIME_MAX, Watch};

/// How a node is started.
pub(crate) struct NodeOptions {
    /// The folder of its app.
    pub(crate) folder: Option<PathBuf>,
    pub(crate) at: SocketAddr,
    pub(crate) workers: Option<usize>,
    /// Time the turns of processes.
    pub(crate) times: bool,
}

impl NodeOptions {
    fn config(&self, config: Config) -> Config {
        Config {
            times: self.times,
            ..config
        }
    }
}

/// Runs a node to its end; the answer is the status of our process.
pub(super) fn start(options: &NodeOptions) -> Result<u8, Failure> {
    let config = |config| options.config(config);
    match &options.folder {
        Some(folder) => app::run(folder, options.workers, Some(options.at), config),
        None => alone(options),
    }
}

fn alone(options: &NodeOptions) -> Result<u8, Failure> {
    // The node comes before the watch, as for a program.
    let host = Host::start(options.config(crate::host::config(options.workers)))?;
    let watch = Watch::start().map_err(Failure::Signals)?;
    let (stop, stopped) = channel();
    watch.stop_by(STOP_TIME_MAX, move || {
        let _ = stop.send(());
    });
    let shown = observe::start(&host, Some(options.at), "rusm", None)?;
    shown.iter().for_each(observe::Shown::set_ready);
    // The other end goes only with our process.
    let _ = stopped.recv();
    // What does not stop in time ends with our process.
    let _ = host.node.shutdown(STOP_TIME_MAX);
    Ok(watch.status().unwrap_or(0))
}
