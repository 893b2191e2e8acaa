//! Processes as clients see them, and what is worth telling about them.

use serde::{Deserialize, Serialize};

/// What processes are ranked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Reductions spent.
    Reductions,
    /// Memory, as far as it is known.
    Memory,
    /// Messages that wait.
    Mailbox,
    /// The time that their turns took.
    Cpu,
}

/// One process from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Who it is.
    pub pid: String,
    /// Its registered name.
    pub name: Option<String>,
    /// The function that its body was written in.
    pub body: String,
    /// `running`, `runnable` or `waiting`.
    pub state: String,
    /// `message`, `timer` or `other`, if it waits.
    pub waits_for: Option<String>,
    /// Since when it runs or waits.
    pub since: Option<u64>,
    /// `high`, `normal` or `low`.
    pub priority: String,
    /// Who started it.
    pub parent: Option<String>,
    /// Messages that wait.
    pub mailbox: u64,
    /// Reductions spent.
    pub reductions: u64,
    /// The same a second, in the latest second or so.
    pub reductions_window: Option<u64>,
    /// The time that its turns took, in microseconds.
    pub cpu: Option<f64>,
    /// The same a second, in the latest second or so.
    pub cpu_window: Option<f64>,
    /// Memory, as far as it is known.
    pub memory_bytes: u64,
    /// The groups it is in.
    pub groups: Vec<String>,
    /// Where in the source it was started.
    pub place: Option<String>,
}

/// One process as it says itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detail {
    /// From outside.
    #[serde(flatten)]
    pub row: Row,
    /// Its name in reports.
    pub label: Option<String>,
    /// Exit signals become messages.
    pub traps_exits: bool,
    /// The supervisor that started it.
    pub supervisor: Option<String>,
    /// The message that has waited longest.
    pub oldest: Option<Oldest>,
    /// Whom it is linked to.
    pub links: Vec<String>,
    /// Whom it watches.
    pub monitors: Vec<String>,
    /// Who watches it.
    pub monitored_by: Vec<String>,
    /// Aliases that are active.
    pub aliases: u64,
    /// The host call that a guest is in or made last, of those that can wait.
    pub last_call: Option<String>,
    /// It answered in time.
    pub answered: bool,
}

/// A message in a mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Oldest {
    /// Who wrote it, if that is known.
    pub from: Option<String>,
    /// What kind of message, and how it begins.
    pub text: String,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A native body has kept its worker for too long.
    Hog,
    /// Such a turn does not end.
    Stuck,
    /// A mailbox grows and grows.
    Mailbox,
    /// A supervisor restarts too often.
    Restarts,
    /// A pool is nearly full.
    Pool,
    /// Processes wait for each other's answers.
    Deadlock,
    /// Somebody tries to register a name that another process has.
    Name,
}

/// Something that a person should look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Warning {
    /// When it was noticed.
    pub at: u64,
    /// What is wrong.
    pub kind: Kind,
    /// With whom: a pid, the name of a pool, or the name that processes are in conflict over.
    pub subject: String,
    /// It is so still.
    pub active: bool,
    /// When it began.
    pub since: u64,
    /// What shows it.
    pub evidence: String,
}
