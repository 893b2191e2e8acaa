//! Selective receives: the oldest message that is wanted; the others stay, in their order.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use rusm_sched::Sleep;

use crate::context::{Context, Looked};
use crate::mailbox::Marker;
use crate::message::Message;

impl Context {
    /// The oldest message that `wanted` accepts; the others stay, in their order. Each message
    /// is shown once.
    pub fn receive_match<W>(&mut self, wanted: W) -> ReceiveMatch<'_, W>
    where
        W: FnMut(&Message) -> bool + Unpin,
    {
        ReceiveMatch {
            context: self,
            wanted,
            marker: Marker::default(),
        }
    }

    /// As `receive_match`, but gives up after `span`. A message that is there already is taken
    /// even if `span` is zero.
    pub fn receive_match_within<W>(
        &mut self,
        span: Duration,
        wanted: W,
    ) -> ReceiveMatchWithin<'_, W>
    where
        W: FnMut(&Message) -> bool + Unpin,
    {
        ReceiveMatchWithin {
            context: self,
            wanted,
            marker: Marker::default(),
            sleep: rusm_sched::sleep(span),
        }
    }

    /// Behind all messages that are in the mailbox now, but for some of the youngest. Whoever
    /// takes it before asking something need not look for the answer before it: looking costs
    /// then what has come since, however many wait. About 1 ns.
    pub fn mark(&self) -> Mark {
        Mark(self.end_of_mailbox())
    }

    /// The oldest message that `wanted` accepts, if one is there.
    pub fn try_receive_match(
        &mut self,
        mut wanted: impl FnMut(&Message) -> bool,
    ) -> Option<Message> {
        let mut looks = 1_u32;
        let found = match self.hear_signals() {
            true => None,
            false => self.pick(|message| {
                looks = looks.saturating_add(1);
                wanted(message)
            }),
        };
        rusm_sched::spend(looks);
        if let Some(message) = &found {
            self.tell_received(message);
        }
        found
    }
}

/// A place in a process's own mailbox, see [`Context::mark`].
#[derive(Clone, Copy, Debug)]
pub struct Mark(Marker);

/// See [`Context::receive_match`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct ReceiveMatch<'a, W> {
    context: &'a mut Context,
    wanted: W,
    /// Messages before it were refused already.
    marker: Marker,
}

impl<W> ReceiveMatch<'_, W> {
    /// Looks at nothing that was there at `mark`.
    pub fn after(self, mark: Mark) -> Self {
        let marker = mark.0;
        Self { marker, ..self }
    }
}

impl<W: FnMut(&Message) -> bool + Unpin> Future for ReceiveMatch<'_, W> {
    type Output = Message;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Message> {
        let this = &mut *self;
        let context = &mut this.context;
        match context.poll_match(cx, &mut this.marker, &mut this.wanted) {
            Looked::Found(message) => Poll::Ready(message),
            Looked::Nothing | Looked::NotAtAll => Poll::Pending,
        }
    }
}

/// See [`Context::receive_match_within`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct ReceiveMatchWithin<'a, W> {
    context: &'a mut Context,
    wanted: W,
    marker: Marker,
    sleep: Sleep,
}

impl<W> ReceiveMatchWithin<'_, W> {
    /// Looks at nothing that was there at `mark`.
    pub fn after(self, mark: Mark) -> Self {
        let marker = mark.0;
        Self { marker, ..self }
    }
}

impl<W: FnMut(&Message) -> bool + Unpin> Future for ReceiveMatchWithin<'_, W> {
    type Output = Option<Message>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Message>> {
        let this = &mut *self;
        let looked = this
            .context
            .poll_match(cx, &mut this.marker, &mut this.wanted);
        looked.or_until(&mut this.sleep, cx)
    }
}
