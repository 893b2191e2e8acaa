//! The life of a server between its start and its end: which of its functions is next.

use std::any::{Any, TypeId};

use super::sort::{Sorted, sort};
use super::{Answer, Behaviour, Next, Refusal, ReplyTo, Server};
use crate::context::Context;
use crate::exit::ExitReason;
use crate::message::Message;
use crate::sys::{Subject, System, Trace};

/// A server as a process's body.
pub(crate) struct Serving<S>(S);

impl<S: Server> Behaviour for Serving<S> {
    type Args = S::Args;

    async fn init(args: S::Args, ctx: &mut Context, _: &mut System) -> Result<Self, Refusal> {
        S::init(args, ctx).await.map(Serving)
    }

    async fn serve(mut self, ctx: &mut Context, mut system: System) -> ExitReason {
        let mut next = self.0.first();
        let reason = loop {
            next = match next {
                Next::Stop(reason) => break reason,
                Next::Continue => {
                    // Who goes on for ever must let others run.
                    ctx.reductions(1).await;
                    system.trace(ctx, || Trace::Continue);
                    self.0.handle_continue(ctx).await
                }
                Next::Ignore => {
                    system.count(|statistics| statistics.dropped += 1);
                    Next::Wait
                }
                waits => self.wait(ctx, &mut system, waits).await,
            };
        };
        system.trace(ctx, || Trace::Stop(reason.clone()));
        self.0.terminate(&reason, ctx).await;
        reason
    }
}

impl<S: Server> Serving<S> {
    /// Waits for one message, or for none, and deals with it.
    async fn wait(&mut self, ctx: &mut Context, system: &mut System, waits: Next) -> Next {
        let message = match waits {
            Next::WaitFor(span) => system.receive_within(ctx, span).await,
            _ => Some(system.receive(ctx).await),
        };
        let Some(message) = message else {
            system.timed_out(ctx);
            return self.0.handle_timeout(ctx).await;
        };
        match sort::<S::Call, S::Reply, S::Cast>(message, system.parent()) {
            Sorted::Call(call, caller) => {
                system.called(ctx, caller.pid());
                let from = ReplyTo::new(caller);
                let Answer { reply, next } = self.0.handle_call(call, from, ctx).await;
                if let Some(reply) = reply {
                    system.reply(ctx, caller, Message::native(reply));
                }
                next
            }
            Sorted::Cast(cast) => {
                system.told(ctx);
                self.0.handle_cast(cast, ctx).await
            }
            Sorted::Info(message) => {
                system.informed(ctx);
                self.0.handle_info(message, ctx).await
            }
            Sorted::Parent(reason) => Next::Stop(reason),
            Sorted::System(caller, request) => {
                let stops = system.obey(ctx, caller, request, self);
                stops.map_or(waits, Next::Stop)
            }
        }
    }
}

impl<S: Server> Subject for Serving<S> {
    fn describe(&self) -> String {
        self.0.describe()
    }

    fn part(&mut self, kind: TypeId) -> Option<&mut dyn Any> {
        (kind == TypeId::of::<S>()).then_some(&mut self.0)
    }
}
