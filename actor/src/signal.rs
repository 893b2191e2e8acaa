//! Everything that can reach a process, in one type: it is what letters carry.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use rusm_sched::{LETTER_BYTES_MAX, Letter, Mail, interrupt};

use crate::exit::ExitReason;
use crate::group::GroupEvent;
use crate::info::ask::Ask;
use crate::message::Message;
use crate::pid::Pid;
use crate::process::Process;
use crate::reference::Reference;
use crate::trace::Trace;

/// Bytes of a message that travel in the letter itself: what tag and length leave of it.
pub(crate) const INLINE_MAX: usize = LETTER_BYTES_MAX - 2;

/// Bytes of a message that are written with two stores instead of a copy of the whole letter:
/// 4 ns of a message of 18.
pub(crate) const SHORT_MAX: usize = 14;

/// Bytes of a message with an envelope that travel in the letter: sender and tag take their part.
pub(crate) const TAGGED_MAX: usize = INLINE_MAX - 16;

pub(crate) enum Signal {
    // Messages: they go to the mailbox as they are.
    /// A message of `len` bytes.
    Short {
        len: u8,
        bytes: [u8; SHORT_MAX],
    },
    /// A message of `len` bytes.
    Inline {
        len: u8,
        bytes: [u8; INLINE_MAX],
    },
    /// A message of `len` bytes with an envelope.
    Tagged {
        len: u8,
        bytes: [u8; TAGGED_MAX],
        from: Pid,
        tag: u64,
    },
    /// A message of bytes that many receivers may share.
    Shared(Arc<[u8]>),
    /// A longer message with an envelope.
    TaggedShared {
        from: Pid,
        tag: u64,
        bytes: Arc<[u8]>,
    },
    /// As `TaggedShared`, sent to an alias.
    TaggedVia {
        from: Pid,
        tag: u64,
        alias: Reference,
        bytes: Arc<[u8]>,
    },
    /// A message that is a native value.
    Native(Box<dyn Any + Send>),
    /// A timer has come due.
    Timeout {
        reference: Reference,
        message: Message,
    },
    /// What happened in a group that the process watches.
    Group(Box<GroupEvent>),

    // Signals that become messages if the process is such that they concern it.
    /// Somebody wants the process to end (`None` is nobody's process), or a linked one ended.
    /// `told`: it has become a message already, and is one for whomever it is sent on to.
    Exit {
        told: bool,
        from: Option<Pid>,
        cause: Cause,
        reason: ExitReason,
    },
    /// A watched process has ended. `told`: as above.
    Down {
        told: bool,
        reference: Reference,
        from: Pid,
        reason: ExitReason,
    },
    /// As `Down`, of a process that was watched by its name. A message only.
    NamedDown(Box<(Reference, Arc<str>, ExitReason)>),
    /// A request; who asks watches the process until the answer.
    Call {
        from: Pid,
        reference: Reference,
        message: Message,
    },
    /// The answer to a request. `unwatched`: the asked one has forgotten who watches it.
    Reply {
        reference: Reference,
        unwatched: bool,
        message: Message,
    },
    /// The request was shed before it was received: there will be no answer.
    Shed {
        reference: Reference,
    },
    /// A message that counts only while the alias is active.
    Aliased {
        reference: Reference,
        message: Message,
    },

    // Signals that change the process, or only ask.
    /// Somebody wants to know how the process is. Next to the others that own something: what
    /// the end of a message has to look at is one range of tags then.
    Info(Box<Ask>),
    /// The process is traced from now on.
    Trace(Arc<Trace>),
    /// The process ends, whatever it wants.
    Kill,
    Link {
        from: Pid,
        id: Reference,
    },
    Unlink {
        from: Pid,
        id: Reference,
    },
    Monitor {
        from: Pid,
        reference: Reference,
    },
    Demonitor {
        reference: Reference,
    },
    /// The process has a name, is in a group, or watches one: its end must be told there.
    Listed,
    /// Signals were heard in the midst of a turn: the next poll shall see what came of it.
    Nudge,
}

impl Signal {
    /// Is it what a process says to another, which a limited mailbox may shed? Never so is
    /// what the system says, nor what a process has asked for.
    pub(crate) fn is_sheddable(&self) -> bool {
        match self {
            Signal::Short { .. }
            | Signal::Inline { .. }
            | Signal::Tagged { .. }
            | Signal::Shared(_)
            | Signal::TaggedShared { .. }
            | Signal::TaggedVia { .. }
            | Signal::Native(_)
            | Signal::Call { .. }
            | Signal::Aliased { .. } => true,
            Signal::Timeout { .. }
            | Signal::Group(_)
            | Signal::Exit { .. }
            | Signal::Down { .. }
            | Signal::NamedDown(_)
            | Signal::Reply { .. }
            | Signal::Shed { .. }
            | Signal::Kill
            | Signal::Link { .. }
            | Signal::Unlink { .. }
            | Signal::Monitor { .. }
            | Signal::Demonitor { .. }
            | Signal::Listed
            | Signal::Info(_)
            | Signal::Trace(_)
            | Signal::Nudge => false,
        }
    }

    /// The bytes, if it is a message of bytes.
    #[inline]
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Signal::Short { len, bytes } => Some(&bytes[..usize::from(*len).min(SHORT_MAX)]),
            Signal::Inline { len, bytes } => Some(&bytes[..usize::from(*len).min(INLINE_MAX)]),
            Signal::Shared(bytes) => Some(bytes),
            Signal::Tagged { len, bytes, .. } => Some(&bytes[..usize::from(*len).min(TAGGED_MAX)]),
            Signal::TaggedShared { bytes, .. } | Signal::TaggedVia { bytes, .. } => Some(bytes),
            _ => None,
        }
    }

    /// It becomes a message: whoever it is sent on to is to read it, and not to obey it.
    pub(crate) fn become_message(&mut self) {
        match self {
            Signal::Exit { told, .. } | Signal::Down { told, .. } => *told = true,
            _ => {}
        }
    }
}

/// Why an exit signal was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cause {
    /// Somebody called `exit`.
    Asked,
    /// The sender has ended and was linked to the receiver.
    Link,
}

const _: () = assert!(size_of::<Signal>() <= LETTER_BYTES_MAX);

/// Sends a signal that the receiver sees before it goes on. False: it has ended.
pub(crate) fn signal(to: Pid, signal: Signal) -> bool {
    deliver(to, Letter::new(signal))
}

/// As [`signal`], of one that was made right in its letter, as those that end a process are:
/// that is worth 5 ns.
pub(crate) fn deliver(to: Pid, letter: Letter<Signal>) -> bool {
    let lives = interrupt::<Process>(to.address(), letter).is_ok();
    if !lives {
        // Pairs with the exchange that closed its inbox: what it sent comes before what is done
        // because it has ended.
        fence(Ordering::Acquire);
    }
    lives
}

// JUSTIFICATION: an inbox that recorded what its letters hold would touch a second cache line
// of the receiver on each send, which takes 11 ns in all.
// SAFETY: this crate is the only one that makes tasks with an inbox, and all its letters carry
// signals.
unsafe impl Mail for Signal {
    #[inline(always)]
    fn owns_nothing(&self) -> bool {
        matches!(
            self,
            Signal::Short { .. } | Signal::Inline { .. } | Signal::Tagged { .. }
        )
    }
}
