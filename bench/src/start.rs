//! `rusm-bench start`: a small node that does nothing but be looked at, with the laboratory: a run takes place on a
//! node of its own.

use std::net::SocketAddr;
use std::thread;

use rusm_actor::Node;
use rusm_io::Reactor;
use rusm_observe::{Access, Act, Observe, Observer};
use rusm_sched::{Config, WORKERS_MAX};

use crate::args::{Args, number};
use crate::failure::Failure;
use crate::lab::Lab;

const LISTEN: &str = "127.0.0.1:9460";
/// The node only talks to those who look: the other CPUs are for the runs.
const WORKERS: &str = "1";
/// The variables of our own environment with the secrets that others must know to look, and to act.
const LOOK_VARIABLE: &str = "RUSM_OBSERVE_TOKEN";
const ACT_VARIABLE: &str = "RUSM_CONTROL_TOKEN";

/// What is to be started.
#[derive(Debug)]
struct Plan {
    at: SocketAddr,
    workers: usize,
}

/// Runs until the program is ended from outside.
pub(crate) fn command(args: Args) -> Result<(), Failure> {
    let access = |at| access(at, secret(LOOK_VARIABLE), secret(ACT_VARIABLE));
    let (_node, observer) = Plan::of(args)?.start(access)?;
    println!("http://{}/", observer.local_addr());
    loop {
        thread::park();
    }
}

fn secret(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|it| !it.is_empty())
}

/// Whoever may look may act, unless there is a secret for it: to act is what this node is for.
fn access(at: SocketAddr, look: Option<String>, act: Option<String>) -> Result<Access, Failure> {
    let access = Access::new(at, look);
    let access = access.and_then(|access| access.acting(act.map_or(Act::Lookers, Act::Token)));
    access.map_err(|why| {
        Failure::Usage(format!(
            "{why}. Set {LOOK_VARIABLE}, and {ACT_VARIABLE} for those who may run something."
        ))
    })
}

impl Plan {
    fn of(mut args: Args) -> Result<Self, Failure> {
        let mut take = |key, default: &str| args.take(key).unwrap_or_else(|| default.to_string());
        let (listen, workers) = (take("listen", LISTEN), take("workers", WORKERS));
        if let Some((key, _)) = args.settings.first() {
            return Err(Failure::Usage(format!(
                "`{key}` is nothing to choose here: `listen` and `workers` are."
            )));
        }
        let at = listen.parse().map_err(|_| {
            Failure::Usage(format!(
                "`listen={listen}` is no address with a port, such as {LISTEN}."
            ))
        })?;
        let workers = number(&workers).and_then(|workers| usize::try_from(workers).ok());
        let workers = workers.filter(|workers| (1..=WORKERS_MAX).contains(workers));
        let workers = workers
            .ok_or_else(|| Failure::Usage(format!("`workers` must be from 1 to {WORKERS_MAX}.")))?;
        Ok(Plan { at, workers })
    }

    fn start(
        &self,
        access: impl FnOnce(SocketAddr) -> Result<Access, Failure>,
    ) -> Result<(Node, Observer), Failure> {
        let access = access(self.at)?;
        let reactor = Reactor::new()?;
        let config = Config {
            workers: self.workers,
            times: true,
            ..Config::default()
        };
        let node = Node::start_with(config, reactor.clone())?;
        let observe = Observe::new(self.at, access).named("rusm-bench");
        let observer = observe.with_lab(Lab::new()).start(&node, reactor);
        let observer = observer.map_err(|why| {
            Failure::Usage(format!(
                "cannot listen at {}: {why}. Give another address with `listen=`.",
                self.at
            ))
        })?;
        observer.set_ready();
        Ok((node, observer))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    fn plan(line: &str) -> Result<Plan, Failure> {
        Plan::of(Args::parse(line.split_whitespace().map(String::from)))
    }

    fn get(at: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(at).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn the_node_is_ready_and_can_be_looked_at() {
        let plan = plan("listen=127.0.0.1:0 workers=2").unwrap();
        let (node, observer) = plan.start(|at| access(at, None, None)).unwrap();
        assert_eq!(node.handle().workers(), 2);
        let at = observer.local_addr();
        assert!(get(at, "/readyz").starts_with("HTTP/1.1 200"));
        assert!(get(at, "/metrics").contains("rusm_"));
        let taken = Plan { at, workers: 1 }.start(|at| access(at, None, None));
        let text = taken.err().unwrap().to_string();
        assert!(text.contains("listen="), "{text}");
    }

    #[test]
    fn misuse_is_refused_with_a_sentence() {
        for line in ["listen=here", "workers=0", "workers=many", "pace=3"] {
            let failure = plan(line).err().unwrap();
            assert_eq!(failure.exit_code(), 2, "{line}");
        }
        let everybody = access("0.0.0.0:9460".parse().unwrap(), None, None);
        let text = everybody.err().unwrap().to_string();
        assert!(text.contains(LOOK_VARIABLE), "{text}");
    }
}
