//! RUSM's scheduler: who runs next, where, and for how long.
//!
//! Work-stealing workers give *tasks* turns of a limited number of *reductions*. A task is a
//! future with an address and an inbox, in one recycled slot; starting one, running it and
//! ending it takes about 15 ns. Timers, preemption ticks, blocking work, parking and the
//! rescue of workers from turns that never end are here as well. What letters mean, what a
//! name or a link is, sockets and WebAssembly are the business of the layers above, which
//! plug in by [`Kind`], [`Park`] and [`Handle::on_tick`].
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use rusm_sched::{Config, Scheduler, ThreadDriver, sleep};
//!
//! let scheduler = Scheduler::start(Config::default(), Arc::new(ThreadDriver))?;
//! let (done, wait) = std::sync::mpsc::channel();
//! scheduler.handle().spawn(async move {
//!     sleep(Duration::from_millis(1)).await;
//!     done.send("slept").ok();
//! });
//! assert_eq!(wait.recv()?, "slept");
//! scheduler.shutdown(Duration::from_secs(1))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![deny(unsafe_code)]
#![cfg_attr(loom, allow(dead_code, unused_imports))]

mod idle;
#[allow(unsafe_code)]
mod lease;
mod sync;

#[cfg(loom)]
#[path = "task/state.rs"]
#[allow(unsafe_code)]
mod state;

#[cfg(loom)]
#[path = "record/ring.rs"]
mod ring;

#[cfg(not(loom))]
#[allow(unsafe_code)]
mod arena;
#[cfg(not(loom))]
pub mod blocking;
#[cfg(not(loom))]
mod census;
#[cfg(not(loom))]
mod clock;
#[cfg(not(loom))]
mod config;
#[cfg(not(loom))]
mod contain;
#[cfg(not(loom))]
mod crew;
#[cfg(not(loom))]
mod extension;
#[cfg(not(loom))]
mod handle;
#[cfg(not(loom))]
mod homes;
#[cfg(not(loom))]
#[allow(unsafe_code)]
mod inbox;
#[cfg(not(loom))]
mod info;
#[cfg(not(loom))]
mod park;
#[cfg(not(loom))]
mod queue;
#[cfg(not(loom))]
mod record;
#[cfg(not(loom))]
mod run;
#[cfg(not(loom))]
mod scheduler;
#[cfg(not(loom))]
#[allow(unsafe_code)]
mod seat;
#[cfg(not(loom))]
mod shared;
#[cfg(not(loom))]
pub mod sim;
#[cfg(not(loom))]
mod stats;
#[cfg(not(loom))]
#[allow(unsafe_code)]
mod task;
#[cfg(not(loom))]
mod ticker;
#[cfg(not(loom))]
mod timer;
#[cfg(not(loom))]
mod tuning;
#[cfg(not(loom))]
mod turn;
#[cfg(not(loom))]
mod worker;

#[cfg(not(loom))]
pub use crate::{
    config::{Config, Priority, QueueKind, StealPolicy, WORKERS_MAX},
    contain::contain,
    extension::extension_of,
    handle::{Handle, handle, is_alive, spawn, spawn_kind, try_handle, worker_index},
    inbox::guard::{guard, interrupt_past_guard, is_guarded},
    inbox::{LETTER_BYTES_MAX, Letter, Letters, interrupt, post},
    info::{TaskInfo, task_info},
    park::{Driver, Park, ThreadDriver, Unpark},
    record::{Event, Lane, RECORD_EVENTS_MAX, Recording, TurnEnd, What},
    scheduler::{Scheduler, ShutdownError, StartError},
    seat::current_task,
    stats::{Histogram, Stats, WorkerStats},
    task::slot::Address,
    task::{Ended, Kind, Mail, NoLetter, Own, Returns},
    ticker::Overrun,
    timer::{PostTimer, Sleep, now, post_after, sleep, sleep_until, within},
    turn::{Reductions, YieldNow, charge, end_turn, reductions, spend, trace_turn, yield_now},
};
