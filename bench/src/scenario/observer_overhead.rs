//! What it costs to be looked at: a load runs all the time, and in every other part of it a client outside reads the
//! node's metrics so many times a second. Both rates come from the same run, as for a bystander (`beside.rs`).

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusm_actor::{Context, Node, Pid, send};
use rusm_io::Reactor;
use rusm_observe::{Access, Observe};

use super::spawn_storm::{Storm, plain};
use super::{Scenario, choice};
use crate::beside::Sides;
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::mail;
use crate::latency::Latency;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "observer-overhead",
    workload: "observer_overhead",
    about: "a load keeps so much of its pace while a client reads the node's metrics",
    choices: &[
        choice(
            "load",
            "spawns",
            "processes that come and go (spawns) or 64 pairs (messages)",
        ),
        choice("hz", "20", "looks a second"),
    ],
    small: &[("hz", "100")],
    run,
};

/// Whether somebody looks, part by part, over and over. Mirrored, so that a steady drift cancels out.
const PARTS: [bool; 4] = [false, true, true, false];
/// Looks that a part has time for, unless the whole run has not.
const LOOKS_A_PART: u32 = 2;

/// Looks a second: more than the kernel's timers keep to.
const HZ_MAX: u64 = 1_000;

const PAIRS: usize = 64;
const STORM: Storm = Storm {
    spawners: 2,
    batch: 16,
    cap: 100_000,
};

fn run(env: &Env) -> Result<Report, Failure> {
    let hz = env.positive("hz")?;
    if hz > HZ_MAX {
        return Err(Failure::Usage(format!(
            "`hz={hz}` is more often than anybody looks: give {HZ_MAX} at most."
        )));
    }
    let load = match env.text("load") {
        "spawns" => storm,
        "messages" => pairs,
        other => {
            return Err(Failure::Usage(format!(
                "`load={other}` is not possible: `spawns` and `messages` are."
            )));
        }
    };
    let reactor = Reactor::new()?;
    let node = Node::start_with(env.config.clone(), reactor.clone())?;
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let access = Access::new(at, None).map_err(|why| Failure::Usage(why.to_string()))?;
    let observer = Observe::new(at, access).start(&node, reactor)?;
    let every = Duration::from_secs_f64(1.0 / hz as f64);
    let looker = Looker::start(observer.local_addr(), every)?;
    let (span, workers, looks) = (env.span, env.config.workers, looker.looks.clone());
    let rounds = rounds(span, every);
    let sides = env.drive_on(&node, move |ctx| async move {
        load(&ctx, span, workers);
        alternate(&ctx, span, rounds, &looks).await
    })?;
    let latency = looker.end()?;
    let report = Report::rate(latency.count(), sides.disturbed(), "looks/s");
    Ok(sides.report(report, "watched").with_latency(&latency))
}

/// How often all parts fit into `span`.
fn rounds(span: Duration, every: Duration) -> u32 {
    let round = every * LOOKS_A_PART * PARTS.len() as u32;
    ((span.as_secs_f64() / round.as_secs_f64()) as u32).max(1)
}

/// Turns without and with somebody who looks, and how long that took.
async fn alternate(ctx: &Context, span: Duration, rounds: u32, looks: &AtomicBool) -> Sides {
    let handle = ctx.node().handle();
    let part = span / (PARTS.len() as u32 * rounds);
    let mut sides = Sides::default();
    for looking in PARTS
        .into_iter()
        .cycle()
        .take(PARTS.len() * rounds as usize)
    {
        looks.store(looking, Relaxed);
        let (before, start) = (handle.stats().total.turns, Instant::now());
        rusm_sched::sleep(part).await;
        let turns = handle.stats().total.turns - before;
        sides.note(looking, turns, start.elapsed());
    }
    looks.store(false, Relaxed);
    sides
}

fn storm(ctx: &Context, span: Duration, workers: usize) {
    ctx.spawn(move |ctx| async move {
        STORM.run_exact(&ctx, span, workers, plain::<0>).await;
    });
}

fn pairs(ctx: &Context, _span: Duration, _workers: usize) {
    for _ in 0..PAIRS {
        let one = ctx.spawn(player);
        let other = ctx.spawn(player);
        send(one, mail(other.to_bits()));
        send(other, mail(one.to_bits()));
        send(one, mail(0));
    }
}

/// Hears who the other one is, and then plays for ever.
async fn player(mut ctx: Context) {
    let other = Pid::from_bits(crate::gather::number(&ctx.receive().await));
    loop {
        ctx.receive().await;
        send(other, mail(0));
    }
}

/// A client outside of the node.
struct Looker {
    looks: Arc<AtomicBool>,
    ended: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<Latency>>,
}

impl Looker {
    fn start(at: SocketAddr, every: Duration) -> io::Result<Self> {
        let mut stream = TcpStream::connect(at)?;
        let (looks, ended) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let (wanted, over) = (looks.clone(), ended.clone());
        let thread = thread::spawn(move || {
            let mut latency = Latency::new();
            while !over.load(Relaxed) {
                if wanted.load(Relaxed) {
                    let begun = Instant::now();
                    match look(&mut stream) {
                        Ok(()) => latency.note(begun.elapsed()),
                        // The node has stopped meanwhile: after the last part.
                        Err(_) if !wanted.load(Relaxed) => break,
                        Err(why) => return Err(why),
                    }
                }
                thread::sleep(every);
            }
            Ok(latency)
        });
        Ok(Looker {
            looks,
            ended,
            thread,
        })
    }

    fn end(self) -> Result<Latency, Failure> {
        self.ended.store(true, Relaxed);
        let latency = self.thread.join().expect("it panics at nothing");
        Ok(latency?)
    }
}

/// Reads the metrics once; the connection stays.
fn look(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n")?;
    let (mut bytes, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    while !is_whole(&bytes) {
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
    Ok(())
}

/// Has the reply come to its end, as its length says?
fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let len = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    len.and_then(|len| len.parse().ok()) == Some(body.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_time_for_looks_and_there_is_a_round_at_least() {
        let hz20 = Duration::from_millis(50);
        assert_eq!(rounds(Duration::from_secs(4), hz20), 10);
        assert_eq!(rounds(Duration::from_millis(200), hz20), 1);
    }
}
