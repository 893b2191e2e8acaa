//! Open connections with one small echo outstanding on each; and the echo server that the socket scenarios share.
//! Server and clients are processes of one node, on the loopback interface.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use rusm_actor::{Context, Node};
use rusm_io::{Reactor, TcpListener, TcpStream};

use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::Ledger;
use crate::latency::Latency;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "tcp-echo",
    workload: "tcp_echo",
    about: "open connections, one 64-byte echo outstanding on each",
    choices: &[choice("conns", "64", "connections")],
    small: &[("conns", "8")],
    run,
};

const SIZE: usize = 64;

fn run(env: &Env) -> Result<Report, Failure> {
    let (span, conns) = (env.span, env.positive("conns")?);
    let progress = env.progress("round trips/s");
    let node = Node::start_with(env.config.clone(), Reactor::new()?)?;
    let outcome: io::Result<Report> = env.drive_on(&node, move |ctx| async move {
        let to = echo_server(&ctx, SIZE)?;
        let (ledger, start) = (Ledger::new(), Instant::now());
        for _ in 0..conns {
            let ledger = ledger.clone();
            ctx.spawn(move |_ctx| async move {
                let (mut gaps, mut count) = (Latency::new(), 0);
                let mut stream = connect(to).await.expect("the server listens");
                let mut bytes = [7; SIZE];
                while start.elapsed() < span {
                    let begun = Instant::now();
                    echo(&mut stream, &mut bytes)
                        .await
                        .expect("the server echoes");
                    gaps.note(begun.elapsed());
                    count += 1;
                    progress.add(1);
                }
                ledger.close(count, &gaps);
            });
        }
        let (count, gaps) = ledger.all(conns).await;
        Ok(Report::rate(count, start.elapsed(), "round trips/s").with_latency(&gaps))
    })?;
    Ok(outcome?)
}

pub(super) async fn connect(to: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

pub(super) async fn echo(stream: &mut TcpStream, bytes: &mut [u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.read_exact(bytes).await
}

/// Starts a server on a port of its own: a process per connection, which sends back whatever
/// comes, `size` bytes at a time, until the other side closes.
pub(super) fn echo_server(ctx: &Context, size: usize) -> io::Result<SocketAddr> {
    let mut listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let address = listener.local_addr()?;
    ctx.spawn(move |ctx| async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            ctx.spawn(move |_ctx| async move {
                stream.set_nodelay(true).ok();
                let mut bytes = vec![0; size];
                while stream.read_exact(&mut bytes).await.is_ok() {
                    if stream.write_all(&bytes).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    Ok(address)
}
