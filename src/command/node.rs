//! `rusm node start`: a node that can be looked at, with an app on it or with nothing, until a signal comes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc::channel;

use rusm_sched::Config;

use super::app::{self, AppOptions};
use crate::error::Failure;
use crate::host::{self, Host};
use crate::observe;
use crate::signal::{STOP_TIME_MAX, Watch};

/// What a node without an app is called.
const NAME: &str = "rusm";

/// How a node is started.
pub(crate) struct NodeOptions {
    /// The folder of its app.
    pub(crate) folder: Option<PathBuf>,
    pub(crate) at: SocketAddr,
    pub(crate) workers: Option<usize>,
    /// Where a crash of the node is told.
    pub(crate) flight: Option<PathBuf>,
    /// Time the turns of processes.
    pub(crate) times: bool,
}

/// Runs a node to its end; the answer is the status of our process.
pub(super) fn start(options: &NodeOptions) -> Result<u8, Failure> {
    match &options.folder {
        Some(folder) => app::run(&AppOptions {
            folder,
            workers: options.workers,
            observe: Some(options.at),
            flight: options.flight.as_deref(),
            times: options.times,
        }),
        None => alone(options),
    }
}

fn alone(options: &NodeOptions) -> Result<u8, Failure> {
    let config = Config {
        times: options.times,
        ..host::config(options.workers)
    };
    // The node comes before the watch, as for a program.
    let mut host = Host::start(config)?;
    let watch = Watch::start().map_err(Failure::Signals)?;
    host.record(options.flight.as_deref(), NAME)?;
    let (stop, stopped) = channel();
    watch.stop_by(STOP_TIME_MAX, move || {
        let _ = stop.send(());
    });
    let shown = observe::start(&host, Some(options.at), NAME, None)?;
    shown.iter().for_each(observe::Shown::set_ready);
    // The other end goes only with our process.
    let _ = stopped.recv();
    // What does not stop in time ends with our process.
    let _ = host.node.shutdown(STOP_TIME_MAX);
    Ok(watch.status().unwrap_or(0))
}
