//! What chosen processes did, and who chooses them.

use serde::{Deserialize, Serialize};

use super::TRACE_EVENTS_DEFAULT;

/// Processes that somebody wants traced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceOrder {
    /// These and no others.
    pub pids: Vec<String>,
    /// Events a second, at most.
    #[serde(default = "events")]
    pub per_second: u32,
}

fn events() -> u32 {
    TRACE_EVENTS_DEFAULT
}

/// What a traced process did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TraceKind {
    /// It sent a message.
    Send,
    /// It took one out of its mailbox.
    Receive,
    /// It started a process.
    Spawn,
    /// It has ended.
    Exit,
}

/// One thing that a traced process did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceEvent {
    /// When.
    pub at: u64,
    /// What.
    pub kind: TraceKind,
    /// Who.
    pub pid: String,
    /// With whom, if that is known.
    pub other: Option<String>,
    /// What kind of message, or why.
    pub text: String,
}
