//! The life of a state machine between its start and its end: which event is next, and what a
//! step does to those that wait and to the timeouts.

use std::any::{Any, TypeId};
use std::collections::VecDeque;

use super::ops::{Ops, Orders};
use super::timers::{Timers, Which, is_timeout};
use super::{Event, Machine, POSTPONED_MAX, Step};
use crate::context::Context;
use crate::exit::ExitReason;
use crate::server::sort::{Sorted, sort};
use crate::server::{Behaviour, Refusal, ReplyTo};
use crate::sys::{Subject, System, Trace};

/// A state machine as a process's body.
pub(crate) struct Running<M: Machine> {
    machine: M,
    state: M::State,
    /// Events that are dealt with before any message.
    waiting: VecDeque<Event<M>>,
    /// Events that wait for another state.
    postponed: VecDeque<Event<M>>,
    timers: Timers<M::Timer>,
    orders: Orders<M>,
}

impl<M: Machine> Behaviour for Running<M> {
    type Args = M::Args;

    async fn init(args: M::Args, ctx: &mut Context, system: &mut System) -> Result<Self, Refusal> {
        let mut orders = Orders::default();
        let mut ops = Ops {
            ctx,
            system,
            orders: &mut orders,
        };
        let (state, mut machine) = M::init(args, &mut ops).await?;
        machine.enter(&state, &state, &mut ops).await?;
        let mut running = Running {
            machine,
            state,
            waiting: VecDeque::new(),
            postponed: VecDeque::new(),
            timers: Timers::new(),
            orders,
        };
        running.carry_out(ctx);
        Ok(running)
    }

    async fn serve(mut self, ctx: &mut Context, mut system: System) -> ExitReason {
        let reason = loop {
            let turn = match self.next(ctx, &mut system).await {
                Ok(Some(event)) => self.handle(event, ctx, &mut system).await,
                Ok(None) => Ok(()),
                Err(reason) => Err(reason),
            };
            if let Err(reason) = turn {
                break reason;
            }
        };
        self.timers.cancel_all();
        system.trace(ctx, || Trace::Stop(reason.clone()));
        self.machine.terminate(&reason, &self.state, ctx).await;
        reason
    }
}

impl<M: Machine> Running<M> {
    /// The next event; none if it was a matter of the system, or of a timeout that is off. An
    /// error is the reason to stop.
    async fn next(
        &mut self,
        ctx: &mut Context,
        system: &mut System,
    ) -> Result<Option<Event<M>>, ExitReason> {
        if !system.is_suspended() {
            if let Some(event) = self.waiting.pop_front() {
                // Who goes on for ever must let others run.
                ctx.reductions(1).await;
                system.trace(ctx, || Trace::Continue);
                return Ok(Some(event));
            }
            if let Some(which) = self.timers.take_due() {
                ctx.reductions(1).await;
                return Ok(Some(timeout(which, ctx, system)));
            }
        }
        let message = system.receive(ctx).await;
        match sort::<M::Call, M::Reply, M::Cast>(message, system.parent()) {
            Sorted::Call(call, caller) => {
                system.called(ctx, caller.pid());
                Ok(Some(Event::Call(call, ReplyTo::new(caller))))
            }
            Sorted::Cast(cast) => {
                system.told(ctx);
                Ok(Some(Event::Cast(cast)))
            }
            Sorted::Info(message) if is_timeout(&message) => {
                let fired = self.timers.take_fired(&message);
                Ok(fired.map(|which| timeout(which, ctx, system)))
            }
            Sorted::Info(message) => {
                system.informed(ctx);
                Ok(Some(Event::Info(message)))
            }
            Sorted::Parent(reason) => Err(reason),
            Sorted::System(caller, request) => match system.obey(ctx, caller, request, self) {
                Some(reason) => Err(reason),
                None => Ok(None),
            },
        }
    }

    /// Deals with one event. An error is the reason to stop.
    async fn handle(
        &mut self,
        event: Event<M>,
        ctx: &mut Context,
        system: &mut System,
    ) -> Result<(), ExitReason> {
        self.timers.cancel(&Which::Event);
        let mut ops = Ops {
            ctx,
            system,
            orders: &mut self.orders,
        };
        let machine = &mut self.machine;
        match machine.handle(&self.state, event, &mut ops).await {
            Step::Keep => {}
            Step::Repeat => machine.enter(&self.state, &self.state, &mut ops).await?,
            Step::Goto(state) if state == self.state => {}
            Step::Goto(state) => {
                let before = std::mem::replace(&mut self.state, state);
                ops.system
                    .trace(ops.ctx, || Trace::Entered(format!("{:?}", self.state)));
                self.timers.cancel(&Which::State);
                // What this event put off is the last of them.
                self.postponed.extend(ops.orders.postponed.drain(..));
                put_first(&mut self.waiting, self.postponed.drain(..));
                machine.enter(&before, &self.state, &mut ops).await?;
            }
            Step::Stop(reason) => return Err(reason),
        }
        self.carry_out(ctx);
        if self.postponed.len() > POSTPONED_MAX {
            return Err(ExitReason::error("postponed_max"));
        }
        Ok(())
    }

    /// Does what was ordered meanwhile.
    fn carry_out(&mut self, ctx: &Context) {
        self.postponed.extend(self.orders.postponed.drain(..));
        put_first(&mut self.waiting, self.orders.inserted.drain(..));
        for (which, span) in self.orders.timeouts.drain(..) {
            match span {
                Some(span) => self.timers.arm(ctx, which, span),
                None => self.timers.cancel(&which),
            }
        }
    }
}

/// Puts events before all others, in their order.
fn put_first<T>(waiting: &mut VecDeque<T>, events: impl DoubleEndedIterator<Item = T>) {
    for event in events.rev() {
        waiting.push_front(event);
    }
}

fn timeout<M: Machine>(which: Which<M::Timer>, ctx: &Context, system: &mut System) -> Event<M> {
    system.timed_out(ctx);
    match which {
        Which::State => Event::StateTimeout,
        Which::Event => Event::EventTimeout,
        Which::Named(name) => Event::Timeout(name),
    }
}

impl<M: Machine> Subject for Running<M> {
    fn describe(&self) -> String {
        self.machine.describe(&self.state)
    }

    fn part(&mut self, kind: TypeId) -> Option<&mut dyn Any> {
        if kind == TypeId::of::<M>() {
            return Some(&mut self.machine);
        }
        (kind == TypeId::of::<M::State>()).then_some(&mut self.state)
    }
}
