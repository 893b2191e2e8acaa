//! RUSM's processes: names, letters, deaths.
//!
//! A process is a task of `rusm-sched` with a mailbox and an exit reason; a [`Pid`] is its
//! address. Everything that reaches a process is a signal in its one inbox, which keeps the
//! order of each sender; messages are one kind of signal. No socket and no WebAssembly here.
//!
//! ```
//! use rusm_actor::{Node, send};
//! use rusm_sched::Config;
//!
//! let node = Node::start(Config::default())?;
//! let answer = node.block_on(|mut ctx| async move {
//!     let parent = ctx.pid();
//!     let echo = ctx.spawn(move |mut ctx| async move {
//!         let question = ctx.receive().await;
//!         send(parent, question);
//!     });
//!     send(echo, b"hello".as_slice());
//!     ctx.receive().await.bytes().to_vec()
//! })?;
//! assert_eq!(answer, b"hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![deny(unsafe_code)]

mod context;
mod exit;
mod join;
mod message;
mod node;
mod pid;
mod process;
mod report;
#[allow(unsafe_code)]
mod signal;

pub use crate::{
    context::{Context, Receive, ReceiveMatch, ReceiveWithin},
    exit::{ExitReason, Fault, Outcome},
    join::JoinHandle,
    message::{INLINE_BYTES_MAX, Message},
    node::{
        Node, Overrun, SpawnOptions, TimerRef, exit, info, is_alive, kill, send, send_after, spawn,
    },
    pid::{ParsePidError, Pid},
    report::{CrashReport, set_crash_sink},
};
pub use rusm_sched::{Config, Priority, ShutdownError, StartError};
