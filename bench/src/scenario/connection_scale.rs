//! As many open connections as the file descriptors allow, both ends here, each with a process at either end; all held,
//! then all asked to echo once more.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use rusm_actor::{Context, Node, Pid, send};
use rusm_io::Reactor;

use super::tcp_echo::{connect, echo, echo_server};
use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::{Ledger, Tally, mail};
use crate::latency::Latency;
use crate::machine;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "connection-scale",
    workload: "tcp_conn_scale",
    about: "open connections, hold them all, and have each echo once more",
    choices: &[
        choice(
            "hold",
            "0",
            "connections; 0: as many as the limit of open files allows",
        ),
        choice(
            "opening",
            "64",
            "connections that are being opened at a time",
        ),
    ],
    small: &[("hold", "64")],
    run,
};

/// Descriptors for everything else.
const SPARE: u64 = 64;
/// Connections to one port: there are fewer client ports than a big limit allows connections.
const PORT_MAX: u64 = 20_000;

fn run(env: &Env) -> Result<Report, Failure> {
    let wanted = env.number("hold")?;
    let fits = machine::open_files_max().saturating_sub(SPARE) / 2;
    let hold = if wanted == 0 { fits.max(1) } else { wanted };
    let opening = env.positive("opening")?;
    let progress = env.progress("conns/s");
    let node = Node::start_with(env.config.clone(), Reactor::new()?)?;
    let outcome: io::Result<Report> = env.drive_on(&node, move |mut ctx| async move {
        let ports = hold.div_ceil(PORT_MAX);
        let servers: io::Result<Vec<_>> = (0..ports).map(|_| echo_server(&ctx, 1)).collect();
        let servers = servers?;
        let (driver, ledger) = (ctx.pid(), Ledger::new());
        let (before, start) = (machine::rss_kb(), Instant::now());
        let mut clients: Vec<Pid> = Vec::with_capacity(hold as usize);
        for index in 0..hold {
            let to = servers[(index % ports) as usize];
            let ledger = ledger.clone();
            clients.push(ctx.spawn(move |ctx| client(ctx, to, driver, ledger, progress)));
            if index >= opening {
                ctx.receive().await;
            }
        }
        for _ in 0..hold.min(opening) {
            ctx.receive().await;
        }
        let took = start.elapsed();
        let resident = machine::rss_kb().saturating_sub(before) * 1024;
        let start = Instant::now();
        clients.iter().for_each(|client| send(*client, mail(0)));
        let (_, gaps) = ledger.all(hold).await;
        let answered = start.elapsed();
        Ok(Report::rate(hold, took, "conns/s")
            .with("held", hold as f64)
            .with("bytes_each", resident as f64 / hold as f64)
            .with("echoes_per_s", hold as f64 / answered.as_secs_f64())
            .with_latency(&gaps))
    })?;
    Ok(outcome?)
}

/// Connects, proves it by an echo, waits to be asked, and echoes again.
async fn client(mut ctx: Context, to: SocketAddr, driver: Pid, ledger: Ledger, progress: &Tally) {
    let mut stream = connect(to).await.expect("the server listens");
    let mut byte = [7];
    echo(&mut stream, &mut byte)
        .await
        .expect("the server echoes");
    progress.add(1);
    send(driver, mail(0));
    ctx.receive().await;
    let (mut gaps, begun) = (Latency::new(), Instant::now());
    echo(&mut stream, &mut byte).await.expect("it still does");
    gaps.note(begun.elapsed());
    ledger.close(1, &gaps);
}
