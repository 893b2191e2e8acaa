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

mod alias;
pub mod application;
mod beside;
mod call;
mod context;
mod death;
mod ending;
mod envelope;
mod exit;
mod gate;
mod group;
mod halt;
mod hear;
mod host_call;
mod info;
mod join;
mod limit;
mod link;
mod mailbox;
mod message;
mod monitor;
mod node;
mod pid;
mod process;
mod reference;
mod registry;
mod report;
mod select;
pub mod server;
mod side;
#[allow(unsafe_code)]
mod signal;
mod spawn;
pub mod statem;
mod stream;
pub mod supervisor;
pub mod sys;
mod text;
mod timer;
mod trace;
mod world;

pub use crate::{
    alias::Alias,
    call::pending::{awaited, pending_calls},
    call::{CALL_TIMEOUT, Call, CallError, Caller},
    context::{Context, Receive, ReceiveWithin},
    envelope::Envelope,
    exit::{ExitReason, Fault, Outcome, Term},
    group::GroupEvent,
    halt::{StopReport, Waiting},
    host_call::{HOST_CALLS_MAX, HostCall, last_host_call},
    info::{
        By, INFO_TIMEOUT, Inside, OldestMessage, ProcessInfo, ProcessState, ProcessSummary,
        TOP_MAX, WaitsFor, info,
    },
    join::JoinHandle,
    limit::{MAILBOX_FULL, MailboxInfo, MailboxLimit, MailboxPolicy, TrySendError, try_send},
    link::NoProcess,
    message::{Content, INLINE_BYTES_MAX, Message},
    monitor::{Down, Watched},
    node::{Node, Overrun, SpawnOptions, exit, is_alive, kill, send, spawn},
    pid::{ParsePidError, Pid},
    reference::Reference,
    registry::conflicts::{NAME_CONFLICTS_MAX, NameConflict},
    registry::{NAME_BYTES_MAX, RegisterError},
    report::limit::CRASH_REPORTS_PER_SECOND_MAX,
    report::{ANCESTORS_MAX, CrashReport, LINKS_SHOWN_MAX, Report, set_crash_sink},
    select::{Mark, ReceiveMatch, ReceiveMatchWithin},
    spawn::Spawn,
    stream::view::{StreamEnd, StreamInfo, StreamState, StreamView},
    stream::{
        OpenStreamError, ReaderGone, STREAM_BYTES_MAX, StreamAborted, StreamReader, StreamWriter,
        open_stream,
    },
    text::Text,
    timer::{Destination, TimerRef, send_after},
    trace::{TraceError, TraceEvent, TraceKind, TraceLimits, TraceView, Traced, Tracer},
};
pub use rusm_sched::{Config, Priority, ShutdownError, StartError};
