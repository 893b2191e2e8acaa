//! `rusm-bench start`: a small node of its own that shows the dashboard and runs scenarios for those who look.

use std::net::SocketAddr;
use std::thread;

use rusm_actor::Node;
use rusm_io::Reactor;
use rusm_observe::{Access, Act, Observe};
use rusm_sched::Config;

use crate::args::{Args, number};
use crate::failure::Failure;
use crate::lab::Lab;

/// Where it listens unless somebody says.
const ADDRESS: &str = "127.0.0.1:9460";
/// The variables with the secrets that others must know to look, and to act.
const LOOK_VARIABLE: &str = "RUSM_OBSERVE_TOKEN";
const ACT_VARIABLE: &str = "RUSM_CONTROL_TOKEN";

/// Serves until somebody ends the program.
pub(crate) fn command(mut args: Args) -> Result<(), Failure> {
    let at = args.take("listen").unwrap_or_else(|| ADDRESS.into());
    let at: SocketAddr = at.parse().map_err(|_| {
        Failure::Usage(format!(
            "`listen={at}` is no address: it looks like `{ADDRESS}`."
        ))
    })?;
    let mut config = Config {
        // It looks and tells; what is measured runs on nodes of its own.
        workers: 1,
        times: true,
        ..Config::default()
    };
    if let Some(workers) = args.take("workers") {
        config.workers = number(&workers).map_or(0, |workers| workers as usize);
    }
    if let Some((key, _)) = args.settings.first() {
        return Err(Failure::Usage(format!(
            "`{key}` means nothing to `start`. It knows listen and workers."
        )));
    }
    let access = access(at)?;
    let reactor = Reactor::new()?;
    let node = Node::start_with(config, reactor.clone())?;
    let observe = Observe::new(at, access).named("laboratory");
    let observer = observe.with_lab(Lab::new()).start(&node, reactor)?;
    observer.set_ready();
    println!("The dashboard is at http://{}/", observer.local_addr());
    loop {
        // The node's threads do the rest; a signal ends them all.
        thread::park();
    }
}

/// On this machine everybody may look and act, unless the variables say otherwise.
fn access(at: SocketAddr) -> Result<Access, Failure> {
    let variable = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
    let act = match variable(ACT_VARIABLE) {
        Some(token) => Act::Token(token),
        None => Act::Lookers,
    };
    let access = Access::new(at, variable(LOOK_VARIABLE)).and_then(|access| access.acting(act));
    access.map_err(|why| Failure::Usage(format!("{why}. Set {LOOK_VARIABLE} and {ACT_VARIABLE}.")))
}
