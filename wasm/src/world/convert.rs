//! The host's types as those of the package, and back.

use rusm_actor::{ExitReason, Pid, Priority, ProcessInfo, ProcessState, Term, WaitsFor, Watched};
use rusm_io::kv::KvError;
use wasmtime::component::Resource;

use super::bindings::rusm::runtime::process::{
    Change, Doing, Down, Event, Exited, Handed, Inside, Message, Offered, Priority as WitPriority,
    ProcessInfo as WitInfo, Request, Timeout, Want, Watched as WitWatched,
};
use super::bindings::rusm::runtime::types::{Error, Fault, Reason, Term as WitTerm};
use crate::host::info::nanos;
use crate::host::reason::REASON_BYTES_MAX;
use crate::host::{Refusal, message};

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let words = refusal.to_string();
        match refusal {
            Refusal::NoProcess => Error::NoProcess,
            Refusal::NoComponent(name) => Error::NoComponent(name),
            Refusal::Limit { .. } => Error::Limit(words),
            Refusal::TooLong { .. } => Error::TooLong(words),
            Refusal::NotHeld => Error::NotHeld,
            Refusal::NotText(_) | Refusal::Invalid(_) => Error::Invalid(words),
            Refusal::NameTaken(pid) => Error::NameTaken(pid.to_bits()),
            Refusal::Named(name) => Error::Named(name),
            Refusal::NoName(name) => Error::NoName(name),
            Refusal::BadName => Error::BadName,
            Refusal::Denied(_) => Error::Denied(words),
            Refusal::NotAuthentic => Error::NotAuthentic,
            Refusal::Store(error) => of_store(&error, words),
            Refusal::BadModule(why) => Error::BadModule(why),
            Refusal::Supervision(why) => Error::Supervision(why),
            Refusal::NoChild => Error::NoChild,
            Refusal::StreamBroken => Error::StreamBroken,
            Refusal::StreamAborted(why) => Error::StreamAborted(reason(&why)),
            _ => Error::Failed(words),
        }
    }
}

fn of_store(error: &KvError, words: String) -> Error {
    match error {
        KvError::TooManyBuckets { .. } => Error::Limit(words),
        KvError::BucketName { .. }
        | KvError::KeyTooLarge { .. }
        | KvError::ValueTooLarge { .. }
        | KvError::BatchTooLarge { .. } => Error::TooLong(words),
        KvError::PageSize { .. } => Error::Invalid(words),
        KvError::NoBucket(name) => Error::NoBucket(name.clone()),
        KvError::Busy { .. } => Error::Busy(words),
        KvError::DiskFull { .. } => Error::DiskFull(words),
        _ => Error::Failed(words),
    }
}

pub(super) fn reason(reason: &ExitReason) -> Reason {
    let term = |term: &Term| WitTerm {
        tag: term.tag.clone(),
        content: term.bytes.clone(),
    };
    let fault = |fault: &rusm_actor::Fault| Fault {
        text: fault.text.clone(),
        backtrace: fault.backtrace.clone(),
    };
    match reason {
        ExitReason::Normal => Reason::Normal,
        ExitReason::Shutdown => Reason::Shutdown,
        ExitReason::ShutdownWith(said) => Reason::ShutdownWith(term(said)),
        ExitReason::Killed => Reason::Killed,
        ExitReason::Kill => Reason::Kill,
        ExitReason::NoProcess => Reason::NoProcess,
        ExitReason::NoConnection => Reason::NoConnection,
        ExitReason::Timeout => Reason::Timeout,
        ExitReason::Error(text) => Reason::Error(text.to_string()),
        ExitReason::Term(said) => Reason::Term(term(said)),
        ExitReason::Status(status) => Reason::Status(*status),
        ExitReason::Panic(seen) => Reason::Panic(fault(seen)),
        ExitReason::Trap(seen) => Reason::Trap(fault(seen)),
        other => Reason::Other(other.to_string()),
    }
}

/// The reason a guest says; see `host::reason::reason`.
pub(super) fn said(reason: Reason) -> Result<ExitReason, Refusal> {
    let short = |len: usize| match len {
        0..=REASON_BYTES_MAX => Ok(()),
        _ => Err(Refusal::TooLong {
            what: "a reason",
            len,
            max: REASON_BYTES_MAX,
        }),
    };
    let term = |said: WitTerm| -> Result<Term, Refusal> {
        short(said.tag.len() + said.content.len())?;
        Ok(Term::new(said.tag, said.content))
    };
    Ok(match reason {
        Reason::Normal | Reason::Status(0) => ExitReason::Normal,
        Reason::Shutdown => ExitReason::Shutdown,
        Reason::ShutdownWith(said) => ExitReason::ShutdownWith(term(said)?.into()),
        Reason::Killed => ExitReason::Killed,
        Reason::Kill => ExitReason::Kill,
        Reason::NoProcess => ExitReason::NoProcess,
        Reason::NoConnection => ExitReason::NoConnection,
        Reason::Timeout => ExitReason::Timeout,
        Reason::Error(text) => {
            short(text.len())?;
            ExitReason::error(text)
        }
        Reason::Term(said) => ExitReason::Term(term(said)?.into()),
        Reason::Status(status) => ExitReason::Status(status),
        Reason::Panic(_) | Reason::Trap(_) | Reason::Other(_) => {
            return Err(Refusal::Invalid(
                "a panic or a trap is for the host to say; use an error instead".into(),
            ));
        }
    })
}

impl From<Want> for message::Want {
    fn from(want: Want) -> Self {
        match want {
            Want::Any => message::Want::Any,
            Want::Tag(tag) => message::Want::Tag(tag),
            Want::Reference(reference) => message::Want::Reference(reference),
        }
    }
}

impl From<message::Event> for Event {
    fn from(event: message::Event) -> Self {
        use message::Event as Host;
        let bytes = |body: rusm_actor::Message| body.bytes().to_vec();
        match event {
            Host::Message {
                sender,
                tag,
                alias,
                body,
            } => Event::Message(Message {
                sender: sender.map(Pid::to_bits),
                tag,
                alias,
                body: bytes(body),
            }),
            Host::Timer {
                reference,
                tag,
                body,
            } => Event::Timer(Timeout {
                reference,
                tag,
                body: bytes(body),
            }),
            Host::Request {
                sender,
                tag,
                reference,
                body,
            } => Event::Request(Request {
                sender: sender.to_bits(),
                tag,
                reference: Some(reference).filter(|reference| *reference != 0),
                body: bytes(body),
            }),
            system => of_system(system),
        }
    }
}

/// What the system has to say, and what came that is no bytes.
fn of_system(event: message::Event) -> Event {
    use message::Event as Host;
    match event {
        Host::Exit {
            sender,
            reason: why,
        } => Event::Exit(Exited {
            sender: sender.map(Pid::to_bits),
            reason: reason(&why),
        }),
        Host::Down {
            reference,
            watched,
            reason: why,
        } => Event::Down(Down {
            reference,
            watched: match watched {
                Watched::Pid(pid) => WitWatched::Pid(pid.to_bits()),
                Watched::Name(name) => WitWatched::Name(name.to_string()),
            },
            reason: reason(&why),
        }),
        Host::Group {
            reference,
            group,
            pid,
            joined,
        } => Event::Group(Change {
            reference,
            group: group.into(),
            pid: pid.to_bits(),
            joined,
        }),
        Host::Stream(came) => Event::Stream(Offered {
            sender: came.sender.to_bits(),
            tag: came.tag,
            offer: handle(came.number),
        }),
        Host::Module(came) => Event::Module(Handed {
            sender: came.sender.to_bits(),
            tag: came.tag,
            module: handle(came.number),
        }),
        _ => Event::Opaque,
    }
}

/// A handle to what came, if there was room for it.
fn handle<T: 'static>(number: u32) -> Option<Resource<T>> {
    (number != 0).then(|| Resource::new_own(number))
}

pub(super) fn priority(priority: Priority) -> WitPriority {
    match priority {
        Priority::Normal => WitPriority::Normal,
        Priority::High => WitPriority::High,
        Priority::Low => WitPriority::Low,
    }
}

pub(super) fn wanted(priority: WitPriority) -> Priority {
    match priority {
        WitPriority::Normal => Priority::Normal,
        WitPriority::High => Priority::High,
        WitPriority::Low => Priority::Low,
    }
}

pub(super) fn pids(pids: &[Pid]) -> Vec<u64> {
    pids.iter().map(|pid| pid.to_bits()).collect()
}

pub(super) fn info(info: ProcessInfo) -> WitInfo {
    let messages = u32::try_from(info.messages()).unwrap_or(u32::MAX);
    let memory_bytes = info.memory_bytes() as u64;
    let summary = info.summary;
    WitInfo {
        parent: summary.parent.map(Pid::to_bits),
        doing: match summary.state {
            ProcessState::Running => Doing::Running,
            ProcessState::Runnable => Doing::Runnable,
            ProcessState::Waiting(WaitsFor::Message) => Doing::WaitingForMessage,
            ProcessState::Waiting(WaitsFor::Timer) => Doing::WaitingForTimer,
            ProcessState::Waiting(WaitsFor::Other) => Doing::Waiting,
        },
        priority: priority(summary.priority),
        messages,
        reductions: summary.reductions,
        memory_bytes,
        name: summary.name.map(|name| name.to_string()),
        groups: summary.groups.iter().map(|name| name.to_string()).collect(),
        inside: info.inside.map(|inside| Inside {
            label: inside.label.map(|label| label.to_string()),
            traps_exits: inside.traps_exits,
            links: pids(&inside.links),
            watches: inside.monitors.len() as u32,
            watched_by: pids(&inside.monitored_by),
        }),
        cpu: summary.cpu.map(nanos),
        since: summary.since.map(nanos),
    }
}
