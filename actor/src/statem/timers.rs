//! The timeouts of a state machine: at most one of each name. One that was switched off never
//! comes, even if its message is in the mailbox already.

use std::time::Duration;

use crate::context::Context;
use crate::message::{Content, Message};
use crate::reference::Reference;
use crate::timer::TimerRef;

/// Names a timeout.
#[derive(Debug, PartialEq)]
pub(super) enum Which<T> {
    State,
    Event,
    Named(T),
}

/// What the messages of these timers bring, to know them from those of others.
struct Due;

struct Armed<T> {
    which: Which<T>,
    /// `None`: it is due as soon as no event waits.
    timer: Option<(Reference, TimerRef)>,
}

pub(super) struct Timers<T>(Vec<Armed<T>>);

impl<T: PartialEq> Timers<T> {
    pub(super) fn new() -> Self {
        Timers(Vec::new())
    }

    pub(super) fn arm(&mut self, ctx: &Context, which: Which<T>, span: Duration) {
        self.cancel(&which);
        let timer = match span {
            Duration::ZERO => None,
            span => Some(ctx.start_timer(span, ctx.pid(), Message::native(Due))),
        };
        self.0.push(Armed { which, timer });
    }

    pub(super) fn cancel(&mut self, which: &Which<T>) {
        if let Some(at) = self.0.iter().position(|armed| armed.which == *which)
            && let Some((_, timer)) = self.0.remove(at).timer
        {
            timer.cancel();
        }
    }

    /// The first timeout that need not wait for time.
    pub(super) fn take_due(&mut self) -> Option<Which<T>> {
        let at = self.0.iter().position(|armed| armed.timer.is_none())?;
        Some(self.0.remove(at).which)
    }

    /// The timeout that a message of these timers says is due; `None` if it was switched off.
    pub(super) fn take_fired(&mut self, message: &Message) -> Option<Which<T>> {
        let fired = message.timeout()?;
        let is_it =
            |armed: &Armed<T>| matches!(armed.timer, Some((reference, _)) if reference == fired);
        let at = self.0.iter().position(is_it)?;
        Some(self.0.remove(at).which)
    }

    pub(super) fn cancel_all(&mut self) {
        for armed in self.0.drain(..) {
            if let Some((_, timer)) = armed.timer {
                timer.cancel();
            }
        }
    }
}

/// Is it a message of a state machine's timer?
pub(super) fn is_timeout(message: &Message) -> bool {
    matches!(message.content(), Content::Timeout(_, due) if due.is::<Due>())
}
