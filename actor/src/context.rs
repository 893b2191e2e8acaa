//! What a process's body has at hand: its identity and its mailbox.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use rusm_sched::{Letter, NoLetter, Own, Sleep};

use crate::exit::Outcome;
use crate::mailbox::Marker;
use crate::message::Message;
use crate::node::{self, Node};
use crate::pid::Pid;
use crate::process::{self, Process, show};
use crate::side::Side;
use crate::signal::Signal;
use crate::trace;

/// Messages that a selective receive looks at before it asks whether the turn is over.
const LOOKS_MAX: usize = 256;

/// What came of looking for a message.
#[must_use]
pub(crate) enum Looked {
    Found(Message),
    /// There is none; the next one wakes the process.
    Nothing,
    /// There may be one: the turn is over, or signals are to be heard first. The process is
    /// polled again without anybody waking it, and must not give up before that.
    NotAtAll,
}

impl Looked {
    /// For a wait that `sleep` limits: the message, or `None` when the time is up and there is
    /// none.
    pub(crate) fn or_until(
        self,
        sleep: &mut Sleep,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Message>> {
        match self {
            Looked::Found(message) => Poll::Ready(Some(message)),
            Looked::NotAtAll => Poll::Pending,
            Looked::Nothing => Pin::new(sleep).poll(cx).map(|()| None),
        }
    }
}

/// A process's hold of itself. Eight bytes; it works on the process's own turns only and
/// panics elsewhere, so moving it into another process or thread is of no use.
pub struct Context {
    own: Own<Process>,
}

impl Context {
    #[inline(always)]
    pub(crate) fn new(own: Own<Process>) -> Self {
        Context { own }
    }

    /// Another hold of the same process, for a body that lets somebody else act for it, such as a
    /// guest, and goes on afterwards. Of two holds that wait for messages at once only the later
    /// one is woken.
    pub fn another(&self) -> Context {
        Context::new(self.own.another())
    }

    /// The process's own pid.
    #[inline]
    pub fn pid(&self) -> Pid {
        Pid::new(self.own.address())
    }

    /// The node the process runs on.
    pub fn node(&self) -> Node {
        Node::current()
    }

    /// Starts a process on the same node. About 13 ns until it has run and ended.
    #[inline(always)]
    #[track_caller]
    pub fn spawn<F, Fut>(&self, body: F) -> Pid
    where
        F: FnOnce(Context) -> Fut,
        Fut: Future + Send + 'static,
        Fut::Output: Outcome,
    {
        node::spawn(body)
    }

    /// Sends a message. Never waits; to the dead it is dropped.
    #[inline(always)]
    pub fn send(&self, to: Pid, message: impl Into<Message>) {
        node::send(to, message);
    }

    /// The oldest message in the mailbox, as soon as there is one. One reduction.
    #[inline(always)]
    pub fn receive(&mut self) -> Receive<'_> {
        Receive { context: self }
    }

    /// As `receive`, but gives up after `span`. A message that is there already is taken even
    /// if `span` is zero.
    pub fn receive_within(&mut self, span: Duration) -> ReceiveWithin<'_> {
        ReceiveWithin {
            context: self,
            sleep: rusm_sched::sleep(span),
            charged: false,
        }
    }

    /// The oldest message, if one is there.
    pub fn try_receive(&mut self) -> Option<Message> {
        rusm_sched::spend(1);
        self.take().or_else(|| self.take_behind_signals())
    }

    /// Spends `count` reductions, and lets others run if that uses up the turn: what a native
    /// loop awaits once a round. About 1 ns.
    #[inline(always)]
    pub async fn reductions(&self, count: u32) {
        rusm_sched::reductions(count).await;
    }

    /// Waits for `span`.
    pub fn sleep(&self, span: Duration) -> Sleep {
        rusm_sched::sleep(span)
    }

    /// Names the process in reports.
    pub fn set_label(&mut self, label: &str) {
        self.own
            .with_new_side(|side| side.label = Some(label.into()));
    }

    #[inline(always)]
    fn take(&mut self) -> Option<Message> {
        let take = |side: &mut Side| match side.mailbox.is_traced() {
            true => (self.take_traced(side), true),
            false => (side.mailbox.pop(), false),
        };
        let (older, traced) = self.own.with_side(take).unwrap_or_default();
        if traced {
            return older;
        }
        older.or_else(|| self.own.next().map(Message::from_letter))
    }

    /// Takes the oldest message, and tells who traces it.
    #[cold]
    #[inline(never)]
    fn take_traced(&self, side: &mut Side) -> Option<Message> {
        let older = side.mailbox.pop();
        let message = older.or_else(|| self.own.next().map(Message::from_letter))?;
        trace::received(self.pid(), side, &message);
        Some(message)
    }

    /// Tells who traces the process that it has received `message`.
    #[inline(always)]
    pub(crate) fn tell_received(&self, message: &Message) {
        if self.own.side_calls() {
            self.tell_received_if_traced(message);
        }
    }

    #[cold]
    #[inline(never)]
    fn tell_received_if_traced(&self, message: &Message) {
        self.own.with_side(|side| {
            if side.mailbox.is_traced() {
                trace::received(self.pid(), side, message);
            }
        });
    }

    /// Hears what has come, if a signal is among it. True: it ends the process.
    pub(crate) fn hear_signals(&self) -> bool {
        if self.own.is_interrupted() {
            process::hear_now(&self.own);
        }
        self.look(Side::is_ending)
    }

    /// Messages lie hidden as long as a signal that came with them is unheard.
    fn take_behind_signals(&mut self) -> Option<Message> {
        if !self.own.is_interrupted() {
            return None;
        }
        process::hear_now(&self.own);
        if self.look(Side::is_ending) {
            return None;
        }
        self.take()
    }

    /// The rarely used part of the process, made now if need be.
    pub(crate) fn with_side<R>(&self, f: impl FnOnce(&mut Side) -> R) -> R {
        self.own.with_new_side(f)
    }

    /// A look at it that does not make it.
    pub(crate) fn look<R: Default>(&self, f: impl FnOnce(&Side) -> R) -> R {
        self.own.with_side(|side| f(side)).unwrap_or_default()
    }

    /// Is it this process's turn? It is not when its body is dropped with its node.
    pub(crate) fn is_current(&self) -> bool {
        self.own.is_current()
    }

    /// Behind all messages that are in the mailbox now, but for those that come just now.
    pub(crate) fn end_of_mailbox(&self) -> Marker {
        self.look(|side| side.mailbox.end())
    }

    /// Brings the letters that have come over into the mailbox, unless a signal is among them.
    pub(crate) fn gather(&mut self) {
        while let Some(letter) = self.own.next() {
            self.with_side(|side| side.mailbox.push(Message::from_letter(letter)));
        }
    }

    /// Takes the oldest message that `wanted` accepts out of the mailbox.
    pub(crate) fn pick(&mut self, wanted: impl FnMut(&Message) -> bool) -> Option<Message> {
        self.gather();
        let mut marker = Marker::default();
        let find = |side: &mut Side| {
            let found = side.mailbox.find(&mut marker, usize::MAX, wanted).1;
            show(&self.own, side);
            found
        };
        self.own.with_side(find).flatten()
    }

    #[inline(always)]
    fn poll_receive(&self, cx: &TaskContext<'_>) -> Result<Letter<Signal>, NoLetter> {
        let saved = |side: &mut Side| {
            let message = match side.mailbox.is_traced() {
                true => self.take_traced(side),
                false => side.mailbox.pop(),
            };
            message.map(Message::into_letter)
        };
        self.own.receive(cx, saved)
    }

    /// Sees to it that a receive without a letter is polled again.
    #[inline(always)]
    fn expect_what_comes(&self, cx: &mut TaskContext<'_>, why: NoLetter) {
        match why {
            NoLetter::Nothing => {}
            NoLetter::NothingHere => self.expect_elsewhere(cx),
            NoLetter::TurnOver => rusm_sched::end_turn(cx),
        }
    }

    /// Looks for a message that `wanted` accepts, from `marker` on, which moves on.
    pub(crate) fn poll_match(
        &mut self,
        cx: &mut TaskContext<'_>,
        marker: &mut Marker,
        mut wanted: impl FnMut(&Message) -> bool,
    ) -> Looked {
        loop {
            if rusm_sched::charge(cx, 1).is_pending() {
                return Looked::NotAtAll;
            }
            let find = |side: &mut Side| {
                let outcome = side.mailbox.find(marker, LOOKS_MAX, &mut wanted);
                show(&self.own, side);
                outcome
            };
            let (looks, found) = self.own.with_side(find).unwrap_or_default();
            rusm_sched::spend(looks as u32);
            if let Some(message) = found {
                self.tell_received(&message);
                return Looked::Found(message);
            }
            if looks == LOOKS_MAX {
                continue;
            }
            let Some(letter) = self.own.next() else {
                self.expect_message(cx);
                return match self.own.is_interrupted() {
                    true => Looked::NotAtAll,
                    false => Looked::Nothing,
                };
            };
            let message = Message::from_letter(letter);
            if wanted(&message) {
                self.tell_received(&message);
                return Looked::Found(message);
            }
            *marker = self.with_side(|side| {
                side.mailbox.push(message);
                side.mailbox.end()
            });
        }
    }

    /// From now to the end of this poll a message wakes the process.
    #[inline(always)]
    fn expect_message(&self, cx: &TaskContext<'_>) {
        if !self.own.expect_letters(cx) {
            self.expect_elsewhere(cx);
        }
    }

    /// The message wakes `cx`, which is not the process's own waker.
    #[cold]
    fn expect_elsewhere(&self, cx: &TaskContext<'_>) {
        let waker = cx.waker().clone();
        let older = self.own.with_new_side(|side| side.receiver.replace(waker));
        // Only now, with the side block back in its place: it runs code of others.
        drop(older);
    }
}

/// See [`Context::receive`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct Receive<'a> {
    context: &'a mut Context,
}

impl Future for Receive<'_> {
    type Output = Message;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Message> {
        match self.context.poll_receive(cx) {
            Ok(letter) => Poll::Ready(Message::from_letter(letter)),
            Err(why) => {
                self.context.expect_what_comes(cx, why);
                Poll::Pending
            }
        }
    }
}

/// See [`Context::receive_within`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct ReceiveWithin<'a> {
    context: &'a mut Context,
    sleep: Sleep,
    /// Giving up was paid for.
    charged: bool,
}

impl Future for ReceiveWithin<'_> {
    type Output = Option<Message>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Message>> {
        let this = &mut *self;
        let why = match this.context.poll_receive(cx) {
            Ok(letter) => return Poll::Ready(Some(Message::from_letter(letter))),
            Err(why) => why,
        };
        this.context.expect_what_comes(cx, why);
        // A message may be there: it is not too late as long as nobody has looked.
        if why == NoLetter::TurnOver {
            return Poll::Pending;
        }
        if Pin::new(&mut this.sleep).poll(cx).is_pending() {
            return Poll::Pending;
        }
        // Without a price, a loop that only looks would never end its turn.
        if !std::mem::replace(&mut this.charged, true) && rusm_sched::charge(cx, 1).is_pending() {
            return Poll::Pending;
        }
        match this.context.take_behind_signals() {
            // What it has just heard ends it: it goes no further.
            None if this.context.look(Side::is_ending) => Poll::Pending,
            found => Poll::Ready(found),
        }
    }
}
