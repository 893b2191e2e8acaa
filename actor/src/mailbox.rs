//! Messages that have come and were not received yet, in their order, and where to begin to
//! look among them.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::gate::{Gate, Ledger, Unheard};
use crate::message::Message;

/// Fewer messages than this are not shown to observers, for messages that come and go one by
/// one shall not pay for it.
const SHOWN_MIN: usize = 16;

/// Observers were told that there are many.
const SHOWN: u8 = 1;
/// The process is traced, and what is received must be told.
const TRACED: u8 = 2;

/// Messages that were looked at and passed over, or that came together with a signal. Those in
/// the task's inbox are younger than all of these.
#[derive(Default)]
pub(crate) struct Mailbox {
    messages: VecDeque<Message>,
    /// The number of the first of them: messages are numbered as they come in.
    first: u64,
    /// How often one was taken out from between others, which makes the numbers of those
    /// behind it wrong.
    gaps: u64,
    /// Why turns must look at it even when it is empty: `SHOWN`, `TRACED`.
    flags: u8,
    /// Few mailboxes have a limit.
    limited: Option<Box<Limited>>,
}

struct Limited {
    gate: Arc<Gate>,
    /// Messages that were shed, to be dropped where the code of others may run.
    shed: Vec<Message>,
}

impl Limited {
    /// A message came into the mailbox that the gate has not seen.
    #[cold]
    #[inline(never)]
    fn count(&self, message: &Message) {
        if message.is_sheddable() {
            self.gate.change(Ledger::keep);
        }
    }
}

/// A place in a mailbox: whoever waits for the answer to a question need not look at what came
/// before the question was asked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marker {
    number: u64,
    gaps: u64,
}

impl Mailbox {
    pub(crate) fn limited(gate: Arc<Gate>) -> Self {
        let shed = Vec::new();
        Mailbox {
            limited: Some(Box::new(Limited { gate, shed })),
            ..Mailbox::default()
        }
    }

    #[inline]
    pub(crate) fn gate(&self) -> Option<&Arc<Gate>> {
        self.limited.as_ref().map(|limited| &limited.gate)
    }

    /// Counts what is here, and all that comes, at `gate`.
    pub(crate) fn set_gate(&mut self, gate: Arc<Gate>) {
        let messages = self.messages.iter();
        let counted = messages.filter(|message| message.is_sheddable());
        counted.for_each(|_| gate.change(Ledger::keep));
        self.limited = Mailbox::limited(gate).limited;
    }

    #[inline]
    pub(crate) fn push(&mut self, message: Message) {
        if let Some(limited) = &self.limited {
            limited.count(&message);
        }
        self.messages.push_back(message);
    }

    /// Adds what has become of a letter. `counted`: the gate has counted that as a message.
    pub(crate) fn push_heard(&mut self, message: Message, counted: bool) {
        if !counted {
            return self.push(message);
        }
        if !message.is_sheddable() {
            self.forget_one();
        }
        self.messages.push_back(message);
    }

    /// The gate has counted a message that nobody will see.
    pub(crate) fn forget_one(&mut self) {
        if let Some(gate) = self.gate() {
            // If it was to be shed, there is one less to shed.
            let _ = gate.change(Ledger::release);
        }
    }

    /// Takes over what lies at the gate, whose messages are counted as kept here.
    pub(crate) fn hear_gate(&mut self) -> Unheard {
        let gate = self.gate();
        gate.map(|gate| gate.change(Ledger::hear))
            .unwrap_or_default()
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Message> {
        // Looked at last: most mailboxes are empty when they are asked, and have no limit.
        match self.pop_front() {
            Some(message) if self.limited.is_some() => self.pop_limited(message),
            found => found,
        }
    }

    /// `oldest` was taken out: it, or the next one that was not shed.
    #[cold]
    #[inline(never)]
    fn pop_limited(&mut self, oldest: Message) -> Option<Message> {
        self.messages.push_front(oldest);
        self.first -= 1;
        self.drop_doomed();
        loop {
            let message = self.pop_front()?;
            if let Some(message) = self.release(message) {
                return Some(message);
            }
        }
    }

    /// The message, if it is the only one and no limit counts it.
    #[inline]
    pub(crate) fn pop_only(&mut self) -> Option<Message> {
        let only = self.messages.len() == 1 && self.limited.is_none();
        if only { self.pop_front() } else { None }
    }

    #[inline]
    fn pop_front(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.first += 1;
        Some(message)
    }

    /// Does it hold messages, be it only those that were shed?
    pub(crate) fn holds_any(&self) -> bool {
        let shed = |limited: &Limited| !limited.shed.is_empty();
        !self.messages.is_empty() || self.limited.as_deref().is_some_and(shed)
    }

    /// As new, without the memory that a long list has taken.
    pub(crate) fn clear(&mut self) {
        let used = self.messages.capacity() > 0 || self.limited.is_some();
        if used {
            *self = Mailbox::default();
        }
        (self.first, self.gaps, self.flags) = (0, 0, 0);
    }

    /// Is there nothing to receive, to show, to tell, or to be shed?
    #[inline]
    pub(crate) fn is_quiet(&self) -> bool {
        self.messages.is_empty() && self.limited.is_none() && self.flags == 0
    }

    /// Must be told what is received?
    #[inline(always)]
    pub(crate) fn is_traced(&self) -> bool {
        self.flags & TRACED != 0
    }

    pub(crate) fn set_traced(&mut self, traced: bool) {
        self.flags = self.flags & !TRACED | if traced { TRACED } else { 0 };
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    /// The one that came first.
    pub(crate) fn oldest(&self) -> Option<&Message> {
        self.messages.front()
    }

    /// Bytes it has taken for the list, without the letters.
    pub(crate) fn list_bytes(&self) -> usize {
        self.messages.capacity() * size_of::<Message>()
    }

    /// What observers are to be told now: how many there are, or once that there are few.
    #[inline]
    pub(crate) fn news(&mut self) -> Option<usize> {
        let len = self.messages.len();
        if len >= SHOWN_MIN {
            self.flags |= SHOWN;
            return Some(len);
        }
        let shown = self.flags & SHOWN != 0;
        self.flags &= !SHOWN;
        shown.then_some(0)
    }

    /// A message leaves the mailbox, unless it was shed at this very moment.
    fn release(&mut self, message: Message) -> Option<Message> {
        let Some(limited) = &mut self.limited else {
            return Some(message);
        };
        if !message.is_sheddable() || limited.gate.change(Ledger::release) {
            return Some(message);
        }
        limited.shed.push(message);
        None
    }

    /// Takes the messages out that the gate has shed: the oldest ones.
    pub(crate) fn drop_doomed(&mut self) {
        let Some(gate) = self.gate() else { return };
        for _ in 0..gate.change(Ledger::take_doomed) {
            let oldest = self.messages.iter().position(Message::is_sheddable);
            let message = oldest.and_then(|at| self.remove(at, &mut Marker::default()));
            if let Some(limited) = &mut self.limited {
                limited.shed.extend(message);
            }
        }
    }

    /// Messages that were shed since this was last asked. What sheds one has the process hear
    /// something, so they do not lie there for long.
    pub(crate) fn take_shed(&mut self) -> Vec<Message> {
        let limited = self.limited.as_mut();
        limited
            .map(|limited| std::mem::take(&mut limited.shed))
            .unwrap_or_default()
    }

    /// Behind all messages that are here now.
    pub(crate) fn end(&self) -> Marker {
        Marker {
            number: self.first + self.messages.len() as u64,
            gaps: self.gaps,
        }
    }

    /// Looks from `marker` on for a message that `wanted` accepts, at `looks_max` of them, and
    /// moves the marker behind those it refused. How many it looked at, and what it found.
    pub(crate) fn find(
        &mut self,
        marker: &mut Marker,
        looks_max: usize,
        mut wanted: impl FnMut(&Message) -> bool,
    ) -> (usize, Option<Message>) {
        if self.limited.is_none() {
            return self.find_any(marker, looks_max, wanted);
        }
        self.drop_doomed();
        let mut looks = 0;
        loop {
            let (more, found) = self.find_any(marker, looks_max - looks, &mut wanted);
            looks += more;
            match found {
                None => return (looks, None),
                Some(message) => {
                    if let Some(message) = self.release(message) {
                        return (looks, Some(message));
                    }
                }
            }
        }
    }

    fn find_any(
        &mut self,
        marker: &mut Marker,
        looks_max: usize,
        mut wanted: impl FnMut(&Message) -> bool,
    ) -> (usize, Option<Message>) {
        let begin = self.place(*marker);
        let candidates = self.messages.iter().skip(begin).take(looks_max);
        let found = candidates.clone().position(&mut wanted);
        let refused = found.unwrap_or(candidates.len());
        *marker = Marker {
            number: self.first + (begin + refused) as u64,
            gaps: self.gaps,
        };
        match found {
            Some(at) => (at + 1, self.remove(begin + at, marker)),
            None => (refused, None),
        }
    }

    /// Where a marker points to; to the first message if it cannot be known any more.
    fn place(&self, marker: Marker) -> usize {
        if marker.gaps != self.gaps {
            return 0;
        }
        usize::try_from(marker.number.saturating_sub(self.first)).unwrap_or(usize::MAX)
    }

    fn remove(&mut self, at: usize, marker: &mut Marker) -> Option<Message> {
        if at == 0 {
            return self.pop_front();
        }
        let message = self.messages.remove(at)?;
        if at < self.messages.len() {
            self.gaps += 1;
            marker.gaps = self.gaps;
        }
        Some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox(numbers: std::ops::Range<u8>) -> Mailbox {
        let mut mailbox = Mailbox::default();
        numbers.for_each(|number| mailbox.push(Message::from([number])));
        mailbox
    }

    fn find(mailbox: &mut Mailbox, marker: &mut Marker, wanted: u8) -> (usize, Option<u8>) {
        let (looks, found) =
            mailbox.find(marker, usize::MAX, |message| message.bytes() == [wanted]);
        (looks, found.map(|message| message.bytes()[0]))
    }

    #[test]
    fn a_search_from_a_marker_looks_at_nothing_older() {
        let mut mailbox = mailbox(0..100);
        let mut marker = mailbox.end();
        mailbox.push(Message::from([7]));
        assert_eq!(find(&mut mailbox, &mut marker, 7), (1, Some(7)));
        assert_eq!(std::iter::from_fn(|| mailbox.pop()).count(), 100);
    }

    #[test]
    fn a_refused_message_is_shown_once_and_stays_where_it_was() {
        let mut mailbox = mailbox(0..3);
        let mut marker = Marker::default();
        assert_eq!(find(&mut mailbox, &mut marker, 9), (3, None));
        mailbox.push(Message::from([9]));
        assert_eq!(find(&mut mailbox, &mut marker, 9), (1, Some(9)));
        let rest: Vec<u8> = std::iter::from_fn(|| mailbox.pop())
            .map(|m| m.bytes()[0])
            .collect();
        assert_eq!(rest, [0, 1, 2]);
    }

    #[test]
    fn a_marker_survives_what_others_take_out_meanwhile() {
        let mut mailbox = mailbox(0..5);
        let mut mine = Marker::default();
        assert_eq!(find(&mut mailbox, &mut mine, 9), (5, None));
        let mut other = Marker::default();
        assert_eq!(find(&mut mailbox, &mut other, 2), (3, Some(2)));
        mailbox.push(Message::from([9]));
        // It cannot know better than to begin anew, and finds it.
        assert_eq!(find(&mut mailbox, &mut mine, 9), (5, Some(9)));
        mailbox.pop();
        mailbox.push(Message::from([8]));
        assert_eq!(find(&mut mailbox, &mut mine, 8).1, Some(8));
    }
}
