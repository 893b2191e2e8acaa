//! What happened in a run: every operation, its outcome and every message seen, in the one
//! order in which a single thread did it all.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusm_actor::{Alias, Content, ExitReason, Message, Pid, Reference, TimerRef, Watched};
use rusm_sched::Handle;

use super::program::{Once, Why};

/// A process by the order of starting; `CONDUCTOR` is nobody's target.
pub(crate) type Who = usize;
/// A reference by the order of being seen.
pub(crate) type Ref = usize;
/// A message or a timer by the order of being made.
pub(crate) type Id = u32;

/// Who says when the others are to be looked at, and to leave.
pub(crate) const CONDUCTOR: Who = 0;
/// A process that the program did not start.
pub(crate) const STRANGER: Who = usize::MAX;

/// What happened, and when in the simulation's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) at: Duration,
    pub(crate) what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A process's body goes on.
    Turn(Who),
    Did(Who, Deed),
    /// Its body is dropped; its end is settled before anybody else goes on.
    Gone(Who),
    /// It was reported as crashed.
    Crashed(Who, Crash),
    /// Nobody has had anything to do for a long time.
    Quiet,
}

/// What a crash report says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Crash {
    pub(crate) why: Why,
    pub(crate) name: Option<String>,
    /// How many were linked to it, and watched it.
    pub(crate) links: usize,
    pub(crate) monitors: usize,
}

/// An operation and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Spawned(Who, Bound, Option<Ref>),
    Sent(Who, Id),
    SentToName(u8, Id, bool),
    SentToAlias(Who, Ref, Id),
    Got(Option<Seen>),
    Linked(Who, bool),
    Unlinked(Who),
    IsLinked(Who, bool),
    Monitored(Who, Ref),
    MonitoredName(u8, Ref),
    MonitoredWithAlias(Who, Once, Ref),
    Demonitored(Ref, bool),
    DemonitoredAndFlushed(Ref, bool),
    /// To what, and from what.
    TrappedExits(bool, bool),
    Exited(Who, Why),
    Killed(Who),
    Registered(u8, Who, Result<(), Refusal>),
    Unregistered(u8, Option<Who>),
    Whereis(u8, Option<Who>),
    Aliased(Once, Ref),
    Unaliased(Who, Ref, bool),
    Armed(Id, Duration, Target, Option<Ref>),
    Cancelled(Id, Option<Duration>),
    Remaining(Id, Option<Duration>),
    Joined(u8, Who, bool),
    Left(u8, Who, bool),
    Members(u8, Vec<Who>),
    IsAlive(Who, bool),
    /// The body is about to return this, or to panic.
    Ends(Why),
}

/// Is a child linked from its first moment on?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    Linked,
    Free,
}

/// Why a name was not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Taken(Who),
    Named(String),
    NoProcess,
    BadName,
}

/// Whom something is for, or who has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Process(Who),
    Name(u8),
}

/// A message as its receiver saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Plain(Id, Order),
    Exit(Who, Why),
    Down(Ref, Target, Why),
    Timeout(Ref, Id),
    Strange(String),
}

/// What a message asks of who stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Nothing,
    /// Look at everything there is to look at.
    Look,
    Leave,
}

/// What all processes of a run share.
pub(crate) struct Stage {
    handle: Handle,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    events: Vec<Event>,
    pids: Vec<Pid>,
    references: HashMap<Reference, Ref>,
    aliases: Vec<(Who, Alias)>,
    timers: Vec<(Id, TimerRef)>,
    ids: Id,
}

impl Stage {
    pub(crate) fn new(handle: Handle) -> Arc<Self> {
        Arc::new(Stage {
            handle,
            inner: Mutex::default(),
        })
    }

    fn with<R>(&self, f: impl FnOnce(&mut Inner) -> R) -> R {
        f(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn record(&self, what: What) {
        let at = self.handle.now();
        self.with(|inner| inner.events.push(Event { at, what }));
    }

    pub(crate) fn take_events(&self) -> Vec<Event> {
        self.with(|inner| std::mem::take(&mut inner.events))
    }

    pub(crate) fn fresh_id(&self) -> Id {
        self.with(|inner| {
            inner.ids += 1;
            inner.ids
        })
    }

    pub(crate) fn count(&self) -> usize {
        self.with(|inner| inner.pids.len())
    }

    pub(crate) fn add_process(&self, pid: Pid) {
        self.with(|inner| inner.pids.push(pid));
    }

    /// One of the processes that a program may choose from.
    pub(crate) fn nth_process(&self, nth: u8) -> (Who, Pid) {
        self.with(|inner| {
            let who = 1 + usize::from(nth) % (inner.pids.len() - 1);
            (who, inner.pids[who])
        })
    }

    pub(crate) fn pid(&self, who: Who) -> Pid {
        self.with(|inner| inner.pids[who])
    }

    pub(crate) fn who(&self, pid: Pid) -> Who {
        self.with(|inner| inner.pids.iter().position(|known| *known == pid))
            .unwrap_or(STRANGER)
    }

    pub(crate) fn number(&self, reference: Reference) -> Ref {
        self.with(|inner| {
            let next = inner.references.len();
            *inner.references.entry(reference).or_insert(next)
        })
    }

    pub(crate) fn add_alias(&self, owner: Who, alias: Alias) {
        self.with(|inner| inner.aliases.push((owner, alias)));
    }

    pub(crate) fn nth_alias(&self, nth: u8) -> Option<(Who, Alias)> {
        self.with(|inner| nth_of(&inner.aliases, nth))
    }

    pub(crate) fn add_timer(&self, id: Id, timer: TimerRef) {
        self.with(|inner| inner.timers.push((id, timer)));
    }

    pub(crate) fn nth_timer(&self, nth: u8) -> Option<(Id, TimerRef)> {
        self.with(|inner| nth_of(&inner.timers, nth))
    }

    pub(crate) fn now(&self) -> Duration {
        self.handle.now()
    }

    /// What a message is to the model.
    pub(crate) fn see(&self, message: &Message) -> Seen {
        match message.content() {
            Content::Bytes(bytes) => plain(bytes).unwrap_or_else(|| strange(message)),
            Content::Exit(Some(from), reason) => Seen::Exit(self.who(from), why(reason)),
            Content::Down(down) => {
                let target = match down.watched {
                    Watched::Pid(pid) => Target::Process(self.who(pid)),
                    Watched::Name(name) => Target::Name(number_of(&name)),
                };
                Seen::Down(self.number(down.reference), target, why(&down.reason))
            }
            Content::Timeout(reference, inner) => match plain(inner.bytes()) {
                Some(Seen::Plain(id, _)) => Seen::Timeout(self.number(reference), id),
                _ => strange(message),
            },
            _ => strange(message),
        }
    }
}

pub(crate) fn nth_of<T: Clone>(all: &[T], nth: u8) -> Option<T> {
    let at = usize::from(nth).checked_rem(all.len())?;
    all.get(at).cloned()
}

/// A message's bytes: its number and what it asks.
pub(crate) fn bytes(id: Id, order: Order) -> [u8; 5] {
    let [a, b, c, d] = id.to_le_bytes();
    [a, b, c, d, order as u8]
}

fn plain(bytes: &[u8]) -> Option<Seen> {
    let (&order, id) = bytes.split_last()?;
    let order = [Order::Nothing, Order::Look, Order::Leave]
        .into_iter()
        .find(|known| *known as u8 == order)?;
    Some(Seen::Plain(Id::from_le_bytes(id.try_into().ok()?), order))
}

fn strange(message: &Message) -> Seen {
    Seen::Strange(format!("{message:?}"))
}

pub(crate) fn name_of(number: u8) -> String {
    format!("name {number}")
}

fn number_of(name: &str) -> u8 {
    let number = name.strip_prefix("name ").map(str::parse);
    number.and_then(Result::ok).unwrap_or(u8::MAX)
}

/// What the model calls a reason.
pub(crate) fn why(reason: &ExitReason) -> Why {
    match reason {
        ExitReason::Normal => Why::Normal,
        ExitReason::Shutdown => Why::Shutdown,
        ExitReason::Kill => Why::Kill,
        ExitReason::Killed => Why::Killed,
        ExitReason::NoProcess => Why::NoProcess,
        ExitReason::Panic(fault) if fault.text == "on purpose" => Why::Panic,
        ExitReason::Error(text) => match text.parse() {
            Ok(number) => Why::Error(number),
            Err(_) => Why::Strange(text.to_string()),
        },
        other => Why::Strange(format!("{other:?}")),
    }
}

/// The reason that the model calls `why`.
pub(crate) fn reason(why: &Why) -> ExitReason {
    match why {
        Why::Normal => ExitReason::Normal,
        Why::Shutdown => ExitReason::Shutdown,
        Why::Kill => ExitReason::Kill,
        Why::Killed => ExitReason::Killed,
        Why::NoProcess => ExitReason::NoProcess,
        Why::Error(number) => ExitReason::error(number.to_string()),
        Why::Panic => ExitReason::error("a panic is no reason to give"),
        Why::Strange(text) => ExitReason::error(text.clone()),
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>9?} ", self.at)?;
        match &self.what {
            What::Turn(who) => write!(f, "{who}: turn"),
            What::Did(who, deed) => write!(f, "{who}:   {deed:?}"),
            What::Gone(who) => write!(f, "{who}: gone"),
            What::Crashed(who, crash) => write!(f, "{who}: {crash:?}"),
            What::Quiet => write!(f, "quiet"),
        }
    }
}
