//! What a process keeps beside its body once it is linked, watched, named or looked after:
//! a block that is made on first use, and used again by the next process that needs one.

use std::cell::RefCell;
use std::sync::Arc;
use std::task::Waker;

use rusm_sched::Letter;

use crate::alias::AliasKind;
use crate::ending::Verdict;
use crate::join::JoinCell;
use crate::link::Links;
use crate::mailbox::Mailbox;
use crate::monitor::Watch;
use crate::pid::Pid;
use crate::reference::{Reference, References};
use crate::signal::Signal;
use crate::trace::Traces;

/// Blocks that a thread keeps for its next processes, at most.
const SPARE_MAX: usize = 64;

thread_local! {
    // Boxed: they are passed on by their address, and never copied.
    #[allow(clippy::vec_box)]
    static SPARE: RefCell<Vec<Box<Side>>> = const { RefCell::new(Vec::new()) };
}

/// What many processes never need. Touched on the process's own turns only.
#[derive(Default)]
pub(crate) struct Side {
    pub(crate) mailbox: Mailbox,
    /// Exit signals become messages.
    pub(crate) traps_exits: bool,
    pub(crate) links: Links,
    /// Whom it watches.
    pub(crate) watches: References<Watch>,
    /// Who watches it.
    pub(crate) watchers: References<Pid>,
    pub(crate) aliases: References<AliasKind>,
    /// It has a name, is in a group, or watches one.
    pub(crate) listed: bool,
    /// Set once it is known why the process ends.
    pub(crate) verdict: Option<Verdict>,
    /// The verdict was taken: it has had its last turn.
    is_over: bool,
    /// What came after the signal that ended it.
    pub(crate) unheard: Vec<Letter<Signal>>,
    /// Who started it with a link.
    pub(crate) parent: Option<Pid>,
    /// Who waits for the end.
    pub(crate) join: Option<Arc<JoinCell>>,
    /// A supervisor looks after it.
    pub(crate) supervised: bool,
    /// For reports and observers.
    pub(crate) label: Option<Arc<str>>,
    /// Who traces it, if anybody does; its mailbox says so, too.
    pub(crate) traces: Option<Traces>,
    /// The waker of a receive inside a combinator that has wakers of its own.
    pub(crate) receiver: Option<Waker>,
}

impl Side {
    /// An empty one: a spare one if there is any.
    pub(crate) fn spare() -> Box<Self> {
        // A thread that is ending has none.
        let spare = SPARE.try_with(|spare| spare.borrow_mut().pop());
        spare.ok().flatten().unwrap_or_default()
    }

    /// Keeps the block of a process that is over and settled. To empty one takes a third of the
    /// time of dropping it and making another.
    pub(crate) fn recycle(mut self: Box<Self>) {
        self.clear();
        // Outside of `SPARE`, whose contents run no code of others.
        let kept = SPARE.try_with(move |spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < SPARE_MAX {
                spare.push(self);
                return None;
            }
            Some(self)
        });
        drop(kept);
    }

    fn clear(&mut self) {
        let Side {
            mailbox,
            traps_exits,
            links,
            watches,
            watchers,
            aliases,
            listed,
            verdict,
            is_over,
            unheard,
            parent,
            join,
            supervised,
            label,
            traces,
            receiver,
        } = self;
        mailbox.clear();
        links.clear();
        watches.clear();
        watchers.clear();
        aliases.clear();
        *unheard = Vec::new();
        (*traps_exits, *listed, *supervised, *is_over) = (false, false, false, false);
        (*verdict, *parent, *join, *label) = (None, None, None, None);
        (*traces, *receiver) = (None, None);
    }

    /// Why it ends. It runs no more.
    pub(crate) fn take_verdict(&mut self) -> Option<Verdict> {
        self.is_over = true;
        self.verdict.take()
    }

    /// Has it been told to end?
    pub(crate) fn is_ending(&self) -> bool {
        self.verdict.is_some() || self.is_over
    }

    /// Bytes it takes, with the tables in it, about: what the allocator adds is not known.
    pub(crate) fn bytes(&self) -> usize {
        let links = self.links.peers().count() * size_of::<(Pid, Reference)>();
        let watches = self.watches.iter().count() * size_of::<(Reference, Watch)>();
        let watchers = self.watchers.iter().count() * size_of::<(Reference, Pid)>();
        let aliases = self.aliases.iter().count() * size_of::<(Reference, AliasKind)>();
        let label = self.label.as_ref().map_or(0, |label| label.len());
        let tables = links + watches + watchers + aliases + label;
        size_of::<Side>() + tables + self.mailbox.list_bytes()
    }
}
