//! What is known of a process: seen from outside at any time, and told by itself when asked.
//!
//! The scheduler shows of each process what costs nothing to show; reading that stops nobody.
//! Links, monitors and the exact mailbox are the process's own, touched on its turns only: it
//! is asked for them by a signal, which it hears in the order of the asker's other signals.

pub(crate) mod ask;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use rusm_sched::{Priority, TaskInfo, is_guarded};

use crate::context::Context;
use crate::gate;
use crate::message::Message;
use crate::monitor::Watched;
use crate::node::Node;
use crate::pid::Pid;
use crate::side::Side;
use crate::signal::{Signal, signal};
use crate::supervisor::own_name;
use crate::trace;
use crate::world::World;
use ask::{Settled, ask};

/// How long `process_info` waits for a process that does not give its turn back.
pub const INFO_TIMEOUT: Duration = Duration::from_secs(1);
/// Processes that `Node::top` returns, at most.
pub const TOP_MAX: usize = 10_000;

/// What a process is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessState {
    /// A thread takes its turn now.
    Running,
    /// It could run, and others are before it.
    Runnable,
    /// It has nothing to do until something comes.
    Waiting(WaitsFor),
}

/// What a waiting process waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitsFor {
    /// A message; a timer as well, perhaps.
    Message,
    /// A timer.
    Timer,
    /// I/O, the end of another process, blocking work, or anything else.
    Other,
}

/// What is known of a process without asking it. Taken while it runs: the parts may be of
/// slightly different moments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessSummary {
    /// Who it is.
    pub pid: Pid,
    /// What it is doing.
    pub state: ProcessState,
    /// Its registered name.
    pub name: Option<Arc<str>>,
    /// The groups it is in, in the order of their names.
    pub groups: Vec<Arc<str>>,
    /// The type of its body, which names the function that it was written in.
    pub body: &'static str,
    /// The process that started it, which may have ended; none if a plain thread did.
    pub parent: Option<Pid>,
    /// Who goes first.
    pub priority: Priority,
    /// Messages and signals it has not received, about: those it has passed over are known to
    /// within a quarter, and only if they are 16 or more. If its mailbox has a limit: the
    /// messages that count, exactly.
    pub messages: u32,
    /// Reductions spent, up to its latest turn.
    pub reductions: u64,
    /// How long its turns have taken, the one it is in included; none unless `Config::times` is
    /// on. As a clock sees it: what the system gave of that time to other programs counts.
    pub cpu: Option<Duration>,
    /// Since when it runs, or else when its latest turn ended, on the clock of
    /// [`rusm_sched::now`]: it waits since then. None before its first turn, and unless
    /// `Config::times` is on.
    pub since: Option<Duration>,
    /// Where in the source it was started, by a function of this crate; none unless
    /// `Config::times` is on.
    pub place: Option<&'static Location<'static>>,
    /// Bytes of its slot, of a body too large for one, and of its letters. What body and letters
    /// refer to (long messages, a body's own heap, a guest's memory) is not known.
    pub memory_bytes: usize,
}

/// All that is known of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessInfo {
    /// As it was when it was asked.
    pub summary: ProcessSummary,
    /// What it said; `None` if it did not answer in time.
    pub inside: Option<Inside>,
}

/// What a process says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// Its label.
    pub label: Option<Arc<str>>,
    /// Exit signals become messages.
    pub traps_exits: bool,
    /// Whom it is linked to, in order, each once.
    pub links: Vec<Pid>,
    /// Whom it watches: as often as it does, calls that it waits for included.
    pub monitors: Vec<Watched>,
    /// Who watches it, in order: as often as they do.
    pub monitored_by: Vec<Pid>,
    /// Aliases that are active.
    pub aliases: usize,
    /// Messages in its mailbox.
    pub messages: usize,
    /// The one that has waited longest.
    pub oldest: Option<OldestMessage>,
    /// Bytes of its side block and the tables in it, about.
    pub side_bytes: usize,
}

/// The message that is the next to be received, unless the process looks for another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldestMessage {
    /// Who wrote it, if that says so itself: messages of plain bytes do not.
    pub from: Option<Pid>,
    /// Its kind and size with 32 bytes of its content at most, escaped. 200 bytes at most.
    pub text: String,
}

/// What `Node::top` ranks by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Reductions spent since the start.
    Reductions,
    /// Messages waiting.
    Mailbox,
    /// Memory.
    Memory,
    /// The time that its turns took; nobody has any unless `Config::times` is on.
    Cpu,
}

impl ProcessInfo {
    /// Messages that wait in its mailbox: exact if it answered.
    pub fn messages(&self) -> usize {
        let about = self.summary.messages as usize;
        self.inside.as_ref().map_or(about, |inside| inside.messages)
    }

    /// Bytes of memory, as far as they are known.
    pub fn memory_bytes(&self) -> usize {
        let side = self.inside.as_ref().map_or(0, |inside| inside.side_bytes);
        self.summary.memory_bytes + side
    }
}

impl ProcessSummary {
    fn new(task: &TaskInfo) -> Self {
        let pid = Pid::new(task.address);
        let world: Option<Arc<World>> = rusm_sched::extension_of(task.address);
        let listed = world.map(|world| (world.registry.name_of(pid), world.groups.of(pid)));
        let (name, groups) = listed.unwrap_or_default();
        // Messages of a limited mailbox do not lie where the scheduler sees them.
        let limited = is_guarded(task.address).then(|| gate::find(pid)).flatten();
        let messages = limited.map(|gate| gate.info().messages);
        let messages = messages.map(|messages| u32::try_from(messages).unwrap_or(u32::MAX));
        ProcessSummary {
            pid,
            state: ProcessState::of(task),
            name,
            groups,
            body: own_name(task.body),
            parent: task.parent.map(Pid::new),
            priority: task.priority,
            messages: messages.unwrap_or(task.letters),
            reductions: task.reductions,
            cpu: task.cpu,
            since: task.since,
            place: task.place,
            memory_bytes: task.bytes,
        }
    }
}

impl ProcessState {
    fn of(task: &TaskInfo) -> Self {
        match task {
            TaskInfo { running: true, .. } => ProcessState::Running,
            TaskInfo { waiting: false, .. } => ProcessState::Runnable,
            TaskInfo {
                receiving: true, ..
            } => ProcessState::Waiting(WaitsFor::Message),
            TaskInfo { sleeping: true, .. } => ProcessState::Waiting(WaitsFor::Timer),
            TaskInfo { .. } => ProcessState::Waiting(WaitsFor::Other),
        }
    }
}

impl Inside {
    /// Of a process that is just hearing the question.
    pub(crate) fn of(side: &Side) -> Self {
        let mut monitored_by: Vec<Pid> = side.watchers.iter().map(|(_, pid)| *pid).collect();
        monitored_by.sort_unstable();
        let monitors = side.watches.iter().map(|(_, watch)| watch.watched());
        Inside {
            label: side.label.clone(),
            traps_exits: side.traps_exits,
            links: side.links.all(),
            monitors: monitors.collect(),
            monitored_by,
            aliases: side.aliases.iter().count(),
            messages: side.mailbox.len(),
            oldest: side.mailbox.oldest().map(OldestMessage::new),
            side_bytes: side.bytes(),
        }
    }
}

impl OldestMessage {
    fn new(message: &Message) -> Self {
        let (from, text) = trace::describe(message);
        OldestMessage { from, text }
    }
}

impl By {
    fn value(self, task: &TaskInfo) -> u64 {
        match self {
            By::Reductions => task.reductions,
            By::Mailbox => u64::from(task.letters),
            By::Memory => task.bytes as u64,
            By::Cpu => nanos(task.cpu.unwrap_or_default()),
        }
    }
}

/// Whole nanoseconds; more than 584 years count as for ever.
fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

impl Node {
    /// What can be seen of a process from outside, now; `None` when it has ended. Links, monitors
    /// and the like only the process knows: see [`Context::process_info`]. About 0.3 us, and more
    /// if it is in large groups.
    pub fn info(&self, pid: Pid) -> Option<ProcessSummary> {
        info(pid)
    }

    /// The pids of all processes that live now.
    pub fn processes(&self) -> Vec<Pid> {
        let tasks = self.handle_ref().each_task();
        let processes = tasks.filter(|task| task.takes_letters);
        processes.map(|task| Pid::new(task.address)).collect()
    }

    /// The `n` processes (`TOP_MAX` at most) that have most of something, the first one most;
    /// of equals the smaller pid comes first. Looks at all processes while they run, about 20 ns
    /// for each, and remembers `n`.
    pub fn top(&self, n: usize, by: By) -> Vec<ProcessSummary> {
        let n = n.min(TOP_MAX);
        let mut best = BinaryHeap::new();
        let tasks = self.handle_ref().each_task();
        for task in tasks.filter(|task| task.takes_letters) {
            let rank = (by.value(&task), Reverse(task.address));
            if best.len() == n {
                match best.peek() {
                    Some(Reverse(Ranked { rank: least, .. })) if *least < rank => best.pop(),
                    _ => continue,
                };
            }
            best.push(Reverse(Ranked { rank, task }));
        }
        let best = best.into_sorted_vec();
        let summaries = best.iter().map(|it| ProcessSummary::new(&it.0.task));
        summaries.collect()
    }
}

/// A process in the order that is asked for.
struct Ranked<R> {
    rank: R,
    task: TaskInfo,
}

impl<R: Ord> Ord for Ranked<R> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank.cmp(&other.rank)
    }
}

impl<R: Ord> PartialOrd for Ranked<R> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<R: Ord> PartialEq for Ranked<R> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<R: Ord> Eq for Ranked<R> {}

/// See [`Node::info`].
pub fn info(pid: Pid) -> Option<ProcessSummary> {
    let task = rusm_sched::task_info(pid.address())?;
    task.takes_letters.then(|| ProcessSummary::new(&task))
}

impl Context {
    /// All that is known of a process: of the moment at which it has heard everything that this
    /// one sent to it before. `None`: it has ended, or ends before it comes to that. A process
    /// that does not answer within `INFO_TIMEOUT` is described from outside. A turn of the
    /// other process, and memory for its side block if it had none.
    pub async fn process_info(&self, pid: Pid) -> Option<ProcessInfo> {
        self.process_info_within(INFO_TIMEOUT, pid).await
    }

    /// As `process_info`, with a patience of your own.
    pub async fn process_info_within(&self, patience: Duration, pid: Pid) -> Option<ProcessInfo> {
        // Before it is asked, which wakes it.
        let summary = info(pid)?;
        let (ask, answer) = ask(self.sleep(patience));
        // The dead drop it, and that is an answer, too.
        signal(pid, Signal::Info(Box::new(ask)));
        match answer.await {
            Settled::Told(inside) => Some(ProcessInfo {
                summary,
                inside: Some(inside),
            }),
            Settled::Ended => None,
            Settled::Silent => Some(ProcessInfo {
                summary: info(pid)?,
                inside: None,
            }),
        }
    }
}
