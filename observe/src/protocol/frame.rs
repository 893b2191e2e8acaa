//! What a node says.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::Refusal;
use super::overview::Tick;
use super::process::{By, Detail, Row, Warning};
use super::run::Choice;
use super::trace::TraceEvent;

/// One frame of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Frame {
    /// Once, first.
    Hello(Box<Hello>),
    /// The overview.
    Tick(Box<Tick>),
    /// One section of what changes slowly.
    Snapshot {
        /// When.
        at: u64,
        /// Which.
        section: Section,
        /// How many items there are.
        total: u64,
        /// The first of them.
        items: Vec<Value>,
    },
    /// The processes that have most of something.
    Rows {
        /// When.
        at: u64,
        /// Of what.
        by: By,
        /// Spent since the look before, not since the start.
        window: bool,
        /// What they have in common.
        filter: String,
        /// Processes in all.
        alive: u64,
        /// Those that the filter lets through.
        matched: u64,
        /// The first of them.
        rows: Vec<Row>,
    },
    /// One process.
    Detail {
        /// When.
        at: u64,
        /// Who was asked for.
        pid: String,
        /// Nobody, if it has ended.
        process: Option<Box<Detail>>,
    },
    /// Something that a person should look at.
    Warning(Warning),
    /// What traced processes did.
    Trace {
        /// Events that were too many, since the last such frame.
        dropped: u64,
        /// The others, the oldest first.
        events: Vec<TraceEvent>,
    },
    /// A command was carried out.
    Done {
        /// Which.
        id: Option<u64>,
        /// What came of it.
        result: Value,
    },
    /// A command was not, or the connection ends.
    Error {
        /// Which.
        id: Option<u64>,
        /// Why.
        #[serde(flatten)]
        refusal: Refusal,
    },
}

impl Frame {
    /// As it goes over the wire.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("these types have nothing that JSON has not")
    }
}

/// Who the node is, and what the client may do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// The version that is spoken.
    pub protocol: u32,
    /// The node.
    pub node: About,
    /// What the client may do.
    pub rights: Vec<Right>,
    /// The scheduler's configuration.
    pub config: Vec<Field>,
    /// The laboratory, if there is one.
    pub lab: Option<Lab>,
    /// What a client must keep to.
    pub limits: Limits,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Its name.
    pub name: String,
    /// Of RUSM.
    pub version: String,
    /// The program it runs in.
    pub os_pid: u32,
    /// When it was started, in Unix time.
    pub started_unix_ms: u64,
    /// Its workers.
    pub workers: usize,
    /// Processors of the machine that it may use.
    pub cpus: usize,
    /// What they call themselves.
    pub cpu: Option<String>,
    /// The system.
    pub os: String,
}

/// What a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Look.
    Read,
    /// Change things.
    Act,
}

/// A field of the scheduler's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name.
    pub field: String,
    /// What it is now.
    pub value: String,
    /// What it is unless somebody chooses.
    pub default: String,
    /// It may be set while the node runs.
    pub live: bool,
}

/// A laboratory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lab {
    /// The source it was built from.
    pub commit: String,
    /// How hard runs are, as somebody has set it.
    pub profile: String,
    /// How hard they may be.
    pub profiles: Vec<Profile>,
    /// What can be run.
    pub scenarios: Vec<Scenario>,
}

/// How hard a run is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// What it means.
    pub about: String,
}

/// Something that can be run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// What it measures.
    pub about: String,
    /// The file it is in.
    pub source: String,
    /// It shows its processes one by one.
    pub lanes: bool,
    /// What can be chosen.
    pub choices: Vec<Choice>,
}

/// What a client must keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Ticks a second.
    pub hz_max: u32,
    /// Rows.
    pub rows_max: usize,
    /// Bytes of one of its frames.
    pub frame_bytes_max: usize,
    /// Bytes that may wait for it.
    pub backlog_bytes_max: usize,
}

/// What changes slowly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// Registered names.
    Names,
    /// Groups and their members.
    Groups,
    /// Who supervises whom.
    Tree,
    /// Who listens, and how many are connected.
    Sockets,
    /// Guests by component.
    Wasm,
    /// What the store of keys and values holds.
    Kv,
    /// Streams between processes of the app.
    Streams,
    /// Warnings of now.
    Warnings,
    /// Runs that are over.
    Runs,
    /// The configuration as it is now, of the node or of the run in progress.
    Config,
}
