//! Tracing of chosen processes: what each sends, receives and starts, and why it ends.
//!
//! Who is not traced pays nothing: the turn of a traced process is marked when it begins, at a place
//! where only processes with a side block that calls come by, and the mark is looked for where
//! turns look for rare things anyway. A traced process pays about 0.35 us an event, a
//! quarter of that for one that is only counted, and never waits for a reader.

mod ring;
mod text;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use rusm_sched::Letter;

use crate::exit::ExitReason;
use crate::message::Message;
use crate::node::Node;
use crate::pid::Pid;
use crate::side::Side;
use crate::signal::{Signal, signal};
use ring::Ring;
use text::Text;

/// What a [`Tracer`] may cost, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceLimits {
    /// Processes that it traces at a time.
    pub processes_max: usize,
    /// Events that wait for its reader, of about 300 bytes at most.
    pub events_max: usize,
    /// Events a second, of all its processes together.
    pub events_per_second_max: u32,
}

impl Default for TraceLimits {
    fn default() -> Self {
        TraceLimits {
            processes_max: 64,
            events_max: 1_000,
            events_per_second_max: 1_000,
        }
    }
}

/// What a traced process did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TraceKind {
    /// It sent a message, a call or an answer, be it to the dead. Other signals are not told.
    Send,
    /// It took a message out of its mailbox, or the answer to a call. What arrives, and lies there,
    /// is not told before that; what a call that was given up or a flush drops is not told at all.
    Receive,
    /// It started a process.
    Spawn,
    /// It has ended. Each traced process tells this, once, and nothing after it.
    Exit,
}

/// One thing that a traced process did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceEvent {
    /// When, on the clock of the node that the tracer was made on.
    pub at: Duration,
    /// What.
    pub kind: TraceKind,
    /// Who.
    pub pid: Pid,
    /// To whom, whom it started, or who wrote what was received, if that says so itself: messages of
    /// plain bytes do not.
    pub other: Option<Pid>,
    /// Kind and size of the message with 32 bytes of its content at most, escaped; the body's name;
    /// or the reason. 200 bytes at most.
    pub text: String,
}

/// What was traced since the reader came last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traced {
    /// The oldest first.
    pub events: Vec<TraceEvent>,
    /// Events that were too many, and are lost.
    pub dropped: u64,
}

/// Why a process is not traced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceError {
    /// There is no such process.
    NoProcess(Pid),
    /// The tracer traces as many as it may already: so many.
    TooMany(usize),
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TraceError::NoProcess(pid) => {
                write!(f, "there is no process {pid}: it has ended, or never was")
            }
            TraceError::TooMany(max) => write!(
                f,
                "{max} processes are traced already, which is as many as may be; stop tracing one first"
            ),
        }
    }
}

impl std::error::Error for TraceError {}

/// Traces processes, of any node in this program, for one reader. When it is dropped, nobody is
/// traced for it any more. A process may be traced by several tracers; each hears of everything.
#[derive(Debug)]
pub struct Tracer {
    ring: Arc<Ring>,
    limits: TraceLimits,
    traces: HashMap<Pid, Arc<Trace>>,
}

impl Node {
    /// A tracer that traces nobody yet, whose times are on this node's clock.
    pub fn tracer(&self, limits: TraceLimits) -> Tracer {
        Tracer {
            ring: Arc::new(Ring::new(self.handle(), limits)),
            limits,
            traces: HashMap::new(),
        }
    }
}

impl Tracer {
    /// Traces `pid` from now on; it hears of that in the order of the caller's other signals, which
    /// wakes it once. No effect if it is traced already.
    ///
    /// # Errors
    /// When there is no such process, or `processes_max` are traced.
    pub fn trace(&mut self, pid: Pid) -> Result<(), TraceError> {
        self.traces.retain(|_, trace| trace.is_on());
        if self.traces.contains_key(&pid) {
            return Ok(());
        }
        if self.traces.len() >= self.limits.processes_max {
            return Err(TraceError::TooMany(self.limits.processes_max));
        }
        let trace = Arc::new(Trace {
            ring: self.ring.clone(),
            is_on: AtomicBool::new(true),
        });
        if !signal(pid, Signal::Trace(trace.clone())) {
            return Err(TraceError::NoProcess(pid));
        }
        self.traces.insert(pid, trace);
        Ok(())
    }

    /// Ends the tracing of `pid`, at once; what was told of it before stays. False: it was not traced.
    pub fn untrace(&mut self, pid: Pid) -> bool {
        let trace = self.traces.remove(&pid);
        trace.is_some_and(|trace| trace.end())
    }

    /// Who is traced now, in order. Who is not any more because it has ended has told that.
    pub fn traced(&self) -> Vec<Pid> {
        let on = self.traces.iter().filter(|(_, trace)| trace.is_on());
        let mut pids: Vec<Pid> = on.map(|(pid, _)| *pid).collect();
        pids.sort_unstable();
        pids
    }

    /// So many events a second from now on.
    pub fn set_events_per_second_max(&mut self, max: u32) {
        self.ring.set_rate(max);
    }

    /// What was told since this was last called. About 1 us when there is nothing.
    pub fn take(&mut self) -> Traced {
        self.ring.take()
    }

    /// A look at what waits for the reader, for somebody else.
    pub fn view(&self) -> TraceView {
        TraceView(Arc::downgrade(&self.ring))
    }
}

/// Sees what waits for the reader of a [`Tracer`], and takes nothing of it.
#[derive(Clone, Debug)]
pub struct TraceView(Weak<Ring>);

impl TraceView {
    /// The events that wait, the oldest first; `None` once the tracer is gone.
    pub fn events(&self) -> Option<Vec<TraceEvent>> {
        self.0.upgrade()?.events()
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        // The processes forget it at their next turn: nobody is woken for that.
        self.traces.values().for_each(|trace| {
            trace.end();
        });
        drop(self.ring.close());
    }
}

/// One process is traced by one tracer.
#[derive(Debug)]
pub(crate) struct Trace {
    ring: Arc<Ring>,
    is_on: AtomicBool,
}

impl Trace {
    fn is_on(&self) -> bool {
        // Pairs with `end`: whoever sees that it is over finds what was told before.
        self.is_on.load(Ordering::Acquire)
    }

    /// False: it was over.
    fn end(&self) -> bool {
        self.is_on.swap(false, Ordering::AcqRel)
    }
}

/// Who traces a process: never nobody.
pub(crate) type Traces = Arc<[Arc<Trace>]>;

thread_local! {
    /// Whose traced turn began last on this thread, and who traces it.
    static TURN: RefCell<Option<(Pid, Traces)>> = const { RefCell::new(None) };
}

/// The process `me`, whose turn it is, hears that it is traced.
#[cold]
pub(crate) fn begin(me: Pid, side: &mut Side, trace: Arc<Trace>) {
    let known = side.traces.iter().flat_map(|traces| traces.iter().cloned());
    side.traces = Some(known.chain([trace]).collect());
    begin_turn(me, side);
}

/// A turn of the process `me` begins, which was told that it is traced.
#[cold]
pub(crate) fn begin_turn(me: Pid, side: &mut Side) {
    let Some(traces) = &side.traces else { return };
    if !traces.iter().all(|trace| trace.is_on()) {
        let on = traces.iter().filter(|trace| trace.is_on());
        let on: Traces = on.cloned().collect();
        side.traces = (!on.is_empty()).then_some(on);
    }
    side.mailbox.set_traced(side.traces.is_some());
    if let Some(traces) = &side.traces {
        let turn = Some((me, traces.clone()));
        let before = TURN.with_borrow_mut(|known| std::mem::replace(known, turn));
        drop(before);
        rusm_sched::trace_turn();
    }
}

/// The process that runs sends something: a message, or another signal.
#[cold]
pub(crate) fn sent(to: Pid, sent: &Signal) {
    if sent.is_sheddable() || matches!(sent, Signal::Reply { .. }) {
        tell_of_turn(TraceKind::Send, Some(to), |text| text.message(sent));
    }
}

/// The process that runs starts another one.
#[cold]
pub(crate) fn spawned(child: Pid, body: &str) {
    tell_of_turn(TraceKind::Spawn, Some(child), |text| text.add(body));
}

/// The process `me`, whose side block this is, takes a message.
#[cold]
pub(crate) fn received(me: Pid, side: &Side, message: &Message) {
    let Some(traces) = &side.traces else { return };
    let (signal, kind) = (message.signal(), TraceKind::Receive);
    tell(traces, kind, me, text::writer(signal), |text| {
        text.message(signal);
    });
}

/// Who wrote a message, if it says so, and what an event would say of it.
pub(crate) fn describe(message: &Message) -> (Option<Pid>, String) {
    let mut text = Text::default();
    text.message(message.signal());
    (text::writer(message.signal()), text.into_string())
}

/// The process `me`, whose side block this was, has ended.
#[cold]
pub(crate) fn ended(me: Pid, side: &mut Side, reason: &ExitReason) {
    if let Some(traces) = side.traces.take() {
        traces.iter().for_each(|trace| tell_end(me, trace, reason));
    }
}

/// The process `me` has ended before it heard that it is traced, if one of these says so.
#[cold]
pub(crate) fn ended_unheard(me: Pid, late: &[Letter<Signal>], reason: &ExitReason) {
    for letter in late {
        if let Signal::Trace(trace) = &**letter {
            tell_end(me, trace, reason);
        }
    }
}

fn tell_end(me: Pid, trace: &Trace, reason: &ExitReason) {
    if trace.is_on() {
        let write = |text: &mut Text| text.add(reason);
        trace.ring.tell(TraceKind::Exit, me, None, write);
        trace.end();
    }
}

fn tell_of_turn(kind: TraceKind, other: Option<Pid>, write: impl Fn(&mut Text)) {
    let me = rusm_sched::current_task().map(Pid::new);
    // A thread that is ending itself runs no process.
    let _ = TURN.try_with(|turn| {
        if let Some((pid, traces)) = &*turn.borrow()
            && me == Some(*pid)
        {
            tell(traces, kind, *pid, other, write);
        }
    });
}

fn tell(
    traces: &[Arc<Trace>],
    kind: TraceKind,
    pid: Pid,
    other: Option<Pid>,
    write: impl Fn(&mut Text),
) {
    for trace in traces.iter().filter(|trace| trace.is_on()) {
        trace.ring.tell(kind, pid, other, &write);
    }
}
