//! Readiness and storage as futures: sockets and standard streams that wake a task when the system
//! says so, and a durable store that never blocks a worker. Knows `Waker` and a worker's sleep
//! ([`rusm_sched::Park`]); knows no process, no message and no timer of its own.
//!
//! A node gets its reactor when it starts, and every socket made inside one of its tasks finds it
//! there:
//!
//! ```
//! use std::time::Duration;
//! use rusm_io::{Reactor, TcpListener, TcpStream};
//! use rusm_sched::{Config, Scheduler};
//!
//! let scheduler = Scheduler::start(Config::default(), Reactor::new()?)?;
//! let (done, wait) = std::sync::mpsc::channel();
//! scheduler.handle().spawn(async move {
//!     let greet = async {
//!         let mut listener = TcpListener::bind("127.0.0.1:0".parse().expect("an address"))?;
//!         let mut client = TcpStream::connect(listener.local_addr()?).await?;
//!         let (mut server, _peer) = listener.accept().await?;
//!         server.write_all(b"hello").await?;
//!         let mut greeting = [0; 5];
//!         client.read_exact(&mut greeting).await?;
//!         std::io::Result::Ok(greeting)
//!     };
//!     done.send(greet.await).ok();
//! });
//! assert_eq!(&wait.recv()??, b"hello");
//! scheduler.shutdown(Duration::from_secs(1))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Entry points: [`Reactor`], the sockets, [`stdio`], [`resolve()`], [`kv`]. **Invariants**: a source is
//! registered once, for both directions, edge-triggered. No waker is called and no user value is
//! dropped under a lock. There is no reactor thread: whichever worker is idle sleeps in the poll.
#![forbid(unsafe_code)]

mod park;
mod poller;
mod reactor;
mod readiness;
mod source;
mod stats;
mod word;

mod accept;
mod look_up;
mod polled;
mod resolve;
mod stream;
mod tcp;
mod udp;
mod unix;

pub mod kv;
pub mod stdio;

pub use look_up::{LookUpError, look_up};
pub use polled::Polled;
pub use reactor::Reactor;
pub use resolve::resolve;
pub use stats::Stats;
pub use stream::{ReadHalf, Stream, WriteHalf};
pub use tcp::{TcpListener, TcpReadHalf, TcpStream, TcpWriteHalf};
pub use udp::UdpSocket;
pub use unix::{UnixListener, UnixStream};
