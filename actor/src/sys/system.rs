//! What a running server or state machine keeps for those who look into it.

use std::any::{Any, TypeId};
use std::time::Duration;

use super::{Request, Statistics, Status, Trace, TraceEvent};
use crate::call::Caller;
use crate::context::Context;
use crate::exit::ExitReason;
use crate::message::Message;
use crate::node::is_alive;
use crate::pid::Pid;
use crate::server::sort::is_urgent;

/// What is looked into.
pub(crate) trait Subject {
    fn describe(&self) -> String;

    /// The part of the state that is of this type.
    fn part(&mut self, kind: TypeId) -> Option<&mut dyn Any>;
}

/// Suspended or not, who listens, what happened so far.
pub(crate) struct System {
    parent: Option<Pid>,
    suspended: bool,
    tracer: Option<Pid>,
    since: Duration,
    statistics: Statistics,
}

/// There is no such part of the state.
struct NoSuchPart;

impl System {
    pub(crate) fn new(parent: Option<Pid>) -> Self {
        System {
            parent,
            suspended: false,
            tracer: None,
            since: rusm_sched::now(),
            statistics: Statistics::default(),
        }
    }

    pub(crate) fn parent(&self) -> Option<Pid> {
        self.parent
    }

    pub(crate) fn is_suspended(&self) -> bool {
        self.suspended
    }

    /// The next message that the process may hear now.
    #[inline]
    pub(crate) async fn receive(&self, ctx: &mut Context) -> Message {
        if self.suspended {
            let parent = self.parent;
            return ctx.receive_match(move |m| is_urgent(m, parent)).await;
        }
        ctx.receive().await
    }

    /// As `receive`, but `None` after `span`. Who is suspended has time.
    pub(crate) async fn receive_within(
        &self,
        ctx: &mut Context,
        span: Duration,
    ) -> Option<Message> {
        if self.suspended {
            return Some(self.receive(ctx).await);
        }
        ctx.receive_within(span).await
    }

    /// Does what is asked. The reason, if the process is to stop.
    #[cold]
    pub(crate) fn obey(
        &mut self,
        ctx: &mut Context,
        caller: Caller,
        request: Request,
        subject: &mut impl Subject,
    ) -> Option<ExitReason> {
        let answer = match request {
            // The answer is the end.
            Request::Stop(reason) => return Some(reason),
            Request::Suspend => {
                self.suspended = true;
                Message::native(())
            }
            Request::Resume => {
                self.suspended = false;
                Message::native(())
            }
            Request::Trace(tracer) => {
                self.tracer = tracer;
                Message::native(())
            }
            Request::Describe => Message::native(subject.describe()),
            Request::Statistics => Message::native(self.statistics()),
            Request::Status => Message::native(Status {
                suspended: self.suspended,
                parent: self.parent,
                tracer: self.tracer,
                state: subject.describe(),
                statistics: self.statistics(),
            }),
            Request::Look(kind, look) => match subject.part(kind) {
                Some(part) => look(part),
                None => Message::native(NoSuchPart),
            },
        };
        ctx.reply(caller, answer);
        None
    }

    fn statistics(&self) -> Statistics {
        Statistics {
            age: rusm_sched::now().saturating_sub(self.since),
            ..self.statistics
        }
    }

    pub(crate) fn count(&mut self, change: impl FnOnce(&mut Statistics)) {
        change(&mut self.statistics);
    }

    pub(crate) fn called(&mut self, ctx: &Context, from: Pid) {
        self.statistics.calls += 1;
        self.trace(ctx, || Trace::Call(from));
    }

    pub(crate) fn told(&mut self, ctx: &Context) {
        self.statistics.casts += 1;
        self.trace(ctx, || Trace::Cast);
    }

    pub(crate) fn informed(&mut self, ctx: &Context) {
        self.statistics.infos += 1;
        self.trace(ctx, || Trace::Info);
    }

    pub(crate) fn timed_out(&mut self, ctx: &Context) {
        self.statistics.timeouts += 1;
        self.trace(ctx, || Trace::Timeout);
    }

    pub(crate) fn reply(&mut self, ctx: &mut Context, to: Caller, answer: Message) {
        self.statistics.replies += 1;
        ctx.reply(to, answer);
        self.trace(ctx, || Trace::Reply(to.pid()));
    }

    /// Tells the tracer, if there is one.
    #[inline]
    pub(crate) fn trace(&mut self, ctx: &Context, what: impl FnOnce() -> Trace) {
        if let Some(tracer) = self.tracer {
            if !is_alive(tracer) {
                self.tracer = None;
                return;
            }
            let (pid, what) = (ctx.pid(), what());
            ctx.send(tracer, Message::native(TraceEvent { pid, what }));
        }
    }
}
