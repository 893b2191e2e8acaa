//! What it costs to be looked at: a load runs all the time, beside processes that only wait, and in every other part of
//! it a client outside looks. Both rates come from the same run, as for a bystander (`beside.rs`), and so does how late
//! a process wakes that sleeps a millisecond at a time: whatever would stop the node would stop it, too.

mod looker;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rusm_actor::{Context, Node, Pid, send};
use rusm_io::Reactor;
use rusm_observe::protocol::HZ_MAX;
use rusm_observe::{Access, Observe};

use super::spawn_storm::{Storm, plain};
use super::{Scenario, choice};
use crate::beside::Sides;
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::mail;
use crate::machine;
use crate::report::Report;
use crate::ticker::Ticks;
use looker::{Looker, View};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "observer-overhead",
    workload: "observer_overhead",
    about: "a load keeps so much of its pace while a client looks at the node",
    choices: &[
        choice(
            "load",
            "spawns",
            "processes that come and go (spawns) or 64 pairs (messages)",
        ),
        choice(
            "view",
            "ticks",
            "the overview (ticks), the first 100 of the table (table, at 2 Hz) or /metrics (metrics)",
        ),
        choice("hz", "20", "looks a second"),
        choice("waiting", "0", "processes that only wait"),
    ],
    small: &[("hz", "50")],
    run,
};

/// Whether somebody looks, part by part, over and over. Mirrored, so that a steady drift cancels out.
const PARTS: [bool; 4] = [false, true, true, false];
/// Looks that a part has time for, unless the whole run has not.
const LOOKS_A_PART: u32 = 2;

/// Tables a second, as the node sends them.
const TABLES_HZ: u32 = 2;

const PAIRS: usize = 64;
const STORM: Storm = Storm {
    spawners: 2,
    batch: 16,
    cap: 100_000,
};

fn run(env: &Env) -> Result<Report, Failure> {
    let (view, load) = (view(env)?, load(env)?);
    let hz = match view {
        View::Table => TABLES_HZ,
        View::Ticks | View::Metrics => hz(env)?,
    };
    let waiting = env.number("waiting")?;
    let reactor = Reactor::new()?;
    let node = Node::start_with(env.config.clone(), reactor.clone())?;
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let access = Access::new(at, None).map_err(|why| Failure::Usage(why.to_string()))?;
    let observer = Observe::new(at, access).start(&node, reactor)?;
    let looker = Looker::start(observer.local_addr(), view, hz)?;
    let (span, workers, looks) = (env.span, env.config.workers, looker.looks.clone());
    let rounds = rounds(span, Duration::from_secs(1) / hz);
    let outcome = env.drive_on(&node, move |ctx| async move {
        for _ in 0..waiting {
            ctx.spawn(|_| std::future::pending::<()>());
        }
        load(&ctx, span, workers);
        alternate(&ctx, span, rounds, &looks).await
    })?;
    let seen = looker.end()?;
    let report = Report::rate(seen, outcome.sides.disturbed(), "looks/s");
    let [alone, watched] = &outcome.ticks;
    Ok(outcome
        .sides
        .report(report, "watched")
        .with("grown_kb", outcome.grown_kb)
        .with_latency_named("alone_", &alone.late)
        .with_latency_named("watched_", &watched.late))
}

fn view(env: &Env) -> Result<View, Failure> {
    match env.text("view") {
        "ticks" => Ok(View::Ticks),
        "table" => Ok(View::Table),
        "metrics" => Ok(View::Metrics),
        other => Err(Failure::Usage(format!(
            "`view={other}` is not possible: `ticks`, `table` and `metrics` are."
        ))),
    }
}

type Load = fn(&Context, Duration, usize);

fn load(env: &Env) -> Result<Load, Failure> {
    match env.text("load") {
        "spawns" => Ok(storm),
        "messages" => Ok(pairs),
        other => Err(Failure::Usage(format!(
            "`load={other}` is not possible: `spawns` and `messages` are."
        ))),
    }
}

fn hz(env: &Env) -> Result<u32, Failure> {
    match env.positive("hz")? {
        hz if hz <= u64::from(HZ_MAX) => Ok(hz as u32),
        hz => Err(Failure::Usage(format!(
            "`hz={hz}` is more often than a node is looked at: give {HZ_MAX} at most."
        ))),
    }
}

/// How often all parts fit into `span`.
fn rounds(span: Duration, every: Duration) -> u32 {
    let round = every * LOOKS_A_PART * PARTS.len() as u32;
    ((span.as_secs_f64() / round.as_secs_f64()) as u32).max(1)
}

/// What was seen without and with somebody who looks.
struct Outcome {
    sides: Sides,
    ticks: [Ticks; 2],
    /// The program's memory at the most, since before anybody looked.
    grown_kb: f64,
}

async fn alternate(ctx: &Context, span: Duration, rounds: u32, looks: &AtomicBool) -> Outcome {
    let handle = ctx.node().handle();
    let parts = PARTS.len() * rounds as usize;
    let part = span / parts as u32;
    let (mut sides, mut ticks) = (Sides::default(), [Ticks::new(), Ticks::new()]);
    let (mut before_kb, mut most_kb) = (0, 0);
    for (number, looking) in PARTS.into_iter().cycle().take(parts).enumerate() {
        looks.store(looking, Relaxed);
        let (before, start) = (handle.stats().total.turns, Instant::now());
        while start.elapsed() < part {
            ticks[usize::from(looking)].one().await;
        }
        let turns = handle.stats().total.turns - before;
        sides.note(looking, turns, start.elapsed());
        let kb = machine::rss_kb();
        if number == 0 {
            before_kb = kb;
        }
        most_kb = most_kb.max(kb);
    }
    looks.store(false, Relaxed);
    Outcome {
        sides,
        ticks,
        grown_kb: most_kb.saturating_sub(before_kb) as f64,
    }
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
