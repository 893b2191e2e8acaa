//! The control protocol, version 1: what a node and its clients say to each other. `docs/protocol.md` describes
//! it. Types only: what is said when is decided in `session`.
//!
//! Every type goes both ways, so that a client written in Rust reads what the node wrote with the same words.

mod command;
mod error;
mod frame;
mod overview;
mod process;
mod run;
mod trace;

pub use command::{Ask, Command, NotACommand, RowsWanted, RunOrder, Select, SweepOrder};
pub use error::{Code, Refusal};
pub use frame::{About, Field, Frame, Hello, Lab, Limits, Profile, Right, Scenario, Section};
pub use overview::{Counters, Gauges, Overview, Processes, System, Tick, Times, WakeToRun, Worker};
pub use process::{By, Detail, Kind, Oldest, Row, Warning};
pub use run::{Choice, Finished, Lane, Point, Run, RunState, Side, Sweep};
pub use trace::{TraceEvent, TraceKind, TraceOrder};

/// The only version there is.
pub const PROTOCOL: u32 = 1;
/// Ticks a second that a client may ask for.
pub const HZ_MAX: u32 = 60;
/// Ticks a second unless a client asks for others.
pub const HZ_DEFAULT: u32 = 10;
/// Rows of one `rows`, and items of one `snapshot`.
pub const ROWS_MAX: usize = 1_000;
/// Bytes of one frame of a client.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;
/// Bytes that may wait for a client; then it is dropped. With the frame that is one too many, and its copy on the way, a client
/// costs 4 MiB at the most.
pub const BACKLOG_BYTES_MAX: usize = 2 << 20;
/// Clients at a time.
pub const CLIENTS_MAX: usize = 100;
/// Processes that are traced for a client.
pub const TRACED_MAX: usize = 64;
/// Traced events a second that a client may ask for.
pub const TRACE_EVENTS_MAX: u32 = 10_000;
/// Traced events a second unless a client asks for others.
pub const TRACE_EVENTS_DEFAULT: u32 = 1_000;
