//! Connections that are opened, echo one byte and are reset, each served by a process of its own.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rusm_actor::Node;
use rusm_io::Reactor;
use socket2::SockRef;

use super::tcp_echo::{connect, echo, echo_server};
use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::Ledger;
use crate::latency::Latency;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "connection-storm",
    workload: "tcp_conn_storm",
    about: "clients connect, echo a byte and reset; a server process per connection",
    choices: &[choice("conc", "64", "clients at a time")],
    small: &[("conc", "8")],
    run,
};

fn run(env: &Env) -> Result<Report, Failure> {
    let (span, clients) = (env.span, env.positive("conc")?);
    let progress = env.progress("conns/s");
    let node = Node::start_with(env.config.clone(), Reactor::new()?)?;
    let outcome: io::Result<Report> = env.drive_on(&node, move |ctx| async move {
        let to = echo_server(&ctx, 1)?;
        let (ledger, start) = (Ledger::new(), Instant::now());
        for _ in 0..clients {
            let ledger = ledger.clone();
            ctx.spawn(move |_ctx| async move {
                let (mut gaps, mut count) = (Latency::new(), 0);
                while start.elapsed() < span {
                    let begun = Instant::now();
                    once(to).await.expect("the server takes every connection");
                    gaps.note(begun.elapsed());
                    count += 1;
                    progress.add(1);
                }
                ledger.close(count, &gaps);
            });
        }
        let (count, gaps) = ledger.all(clients).await;
        Ok(Report::rate(count, start.elapsed(), "conns/s").with_latency(&gaps))
    })?;
    Ok(outcome?)
}

/// One connection, start to end. It is reset, or a storm would run out of ports.
async fn once(to: SocketAddr) -> io::Result<()> {
    let mut stream = connect(to).await?;
    SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
    echo(&mut stream, &mut [7]).await
}
