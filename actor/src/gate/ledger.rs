//! What a gate lets in and what it sheds: the rules of the policies, without locks or wake-ups.

use std::collections::VecDeque;

use rusm_sched::Letter;

use crate::limit::{MailboxInfo, MailboxLimit, MailboxPolicy};
use crate::signal::Signal;

/// The mail of one process as its gate sees it. Only what may be shed counts as a message.
pub(crate) struct Ledger {
    limit: MailboxLimit,
    unheard: Unheard,
    /// How many letters have come: their numbers.
    come: u64,
    /// Messages in the mailbox that will be received.
    kept: usize,
    /// Messages in the mailbox that were shed: the oldest ones. The process drops them when it
    /// looks; they were kept before, so there are never more than the limit allows.
    doomed: usize,
    shed: u64,
    /// The process was told that there is mail, and has not looked yet.
    nudged: bool,
    /// A message came that was one too many, and the process is to end for it.
    overflowed: bool,
    /// The process has ended.
    closed: bool,
}

/// Letters in the order they came, messages apart from signals: the oldest message is found at
/// once, whatever lies before it.
#[derive(Default)]
pub(crate) struct Unheard {
    messages: VecDeque<(u64, Letter<Signal>)>,
    signals: VecDeque<(u64, Letter<Signal>)>,
}

/// What is left to do once a letter has come.
#[must_use]
pub(crate) enum Entry {
    /// The process must be told if `nudge`, and these are to be dropped.
    Done {
        nudge: bool,
        shed: Vec<Letter<Signal>>,
    },
    /// It was not taken, and the sender is to know.
    Full(Letter<Signal>),
    /// The process has ended.
    Gone(Letter<Signal>),
}

impl Ledger {
    pub(crate) fn new(limit: MailboxLimit) -> Self {
        Ledger {
            limit,
            unheard: Unheard::default(),
            come: 0,
            kept: 0,
            doomed: 0,
            shed: 0,
            nudged: false,
            overflowed: false,
            closed: false,
        }
    }

    pub(crate) fn set_limit(&mut self, limit: MailboxLimit) {
        self.limit = limit;
    }

    pub(crate) fn info(&self) -> MailboxInfo {
        MailboxInfo {
            limit: self.limit,
            messages: self.messages(),
            shed: self.shed,
        }
    }

    /// Messages that were not received yet and will be.
    fn messages(&self) -> usize {
        self.kept + self.unheard.messages.len()
    }

    pub(crate) fn shed(&self) -> u64 {
        self.shed
    }

    /// How many letters wait to be heard.
    pub(crate) fn unheard(&self) -> usize {
        self.unheard.messages.len() + self.unheard.signals.len()
    }

    /// A letter comes.
    pub(crate) fn enter(&mut self, letter: Letter<Signal>) -> Entry {
        if self.closed {
            return Entry::Gone(letter);
        }
        if !letter.is_sheddable() {
            self.nudged = true;
            let number = self.number();
            self.unheard.signals.push_back((number, letter));
            // Always: who tells itself something must hear it at its next await, whatever has
            // become of the thread that was first to nudge.
            return Entry::Done {
                nudge: true,
                shed: Vec::new(),
            };
        }
        let mut shed = Vec::new();
        let max = self.limit.messages_max;
        if self.overflowed || self.messages() >= max {
            match self.limit.policy {
                _ if self.overflowed => return self.shed_newest(letter, false),
                MailboxPolicy::Refuse => return Entry::Full(letter),
                MailboxPolicy::ShedOldest if max > 0 => {
                    while self.messages() >= max {
                        shed.extend(self.evict());
                    }
                }
                MailboxPolicy::ShedOldest | MailboxPolicy::ShedNewest => {
                    return self.shed_newest(letter, false);
                }
                MailboxPolicy::Kill => {
                    self.overflowed = true;
                    return self.shed_newest(letter, true);
                }
            }
        }
        let number = self.number();
        self.unheard.messages.push_back((number, letter));
        let nudge = !std::mem::replace(&mut self.nudged, true);
        Entry::Done { nudge, shed }
    }

    fn shed_newest(&mut self, letter: Letter<Signal>, nudge: bool) -> Entry {
        self.shed += 1;
        let shed = vec![letter];
        Entry::Done { nudge, shed }
    }

    fn number(&mut self) -> u64 {
        self.come += 1;
        self.come
    }

    /// Sheds the oldest message: it is given back, or doomed in the mailbox.
    fn evict(&mut self) -> Option<Letter<Signal>> {
        self.shed += 1;
        if self.kept > 0 {
            self.kept -= 1;
            self.doomed += 1;
            return None;
        }
        self.unheard.messages.pop_front().map(|(_, letter)| letter)
    }

    /// A message is refused after all, by a sender that does not ask.
    pub(crate) fn count_one(&mut self) {
        self.shed += 1;
    }

    /// The process hears all that has come. The messages are in its mailbox from now on.
    pub(crate) fn hear(&mut self) -> Unheard {
        self.nudged = false;
        let unheard = std::mem::take(&mut self.unheard);
        self.kept += unheard.messages.len();
        unheard
    }

    /// Is the process to end because its mailbox was full?
    pub(crate) fn has_overflowed(&self) -> bool {
        self.overflowed
    }

    /// A message came into the mailbox another way.
    pub(crate) fn keep(&mut self) {
        self.kept += 1;
    }

    /// A message leaves the mailbox. False: it was shed meanwhile, and nobody is to see it.
    #[must_use]
    pub(crate) fn release(&mut self) -> bool {
        if self.kept == 0 {
            self.doomed = self.doomed.saturating_sub(1);
            return false;
        }
        self.kept -= 1;
        true
    }

    /// How many of the oldest messages in the mailbox the process must drop now.
    pub(crate) fn take_doomed(&mut self) -> usize {
        std::mem::take(&mut self.doomed)
    }

    pub(crate) fn close(&mut self) -> Unheard {
        self.closed = true;
        std::mem::take(&mut self.unheard)
    }
}

impl Iterator for Unheard {
    type Item = Letter<Signal>;

    fn next(&mut self) -> Option<Letter<Signal>> {
        let number = |queue: &VecDeque<(u64, Letter<Signal>)>| queue.front().map(|front| front.0);
        let queue = match (number(&self.messages), number(&self.signals)) {
            (Some(message), Some(signal)) if signal < message => &mut self.signals,
            (None, _) => &mut self.signals,
            _ => &mut self.messages,
        };
        queue.pop_front().map(|(_, letter)| letter)
    }
}
