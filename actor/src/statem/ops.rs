//! What a state machine's functions can order beside where to go next. Answers are given at
//! once; the rest is done after the function, and in the new state if there is one.

use std::time::Duration;

use super::timers::Which;
use super::{Event, Machine};
use crate::context::Context;
use crate::message::Message;
use crate::server::ReplyTo;
use crate::sys::System;

/// What the functions of a state machine have at hand.
pub struct Ops<'a, M: Machine> {
    /// The process.
    pub ctx: &'a mut Context,
    pub(super) system: &'a mut System,
    pub(super) orders: &'a mut Orders<M>,
}

/// What was ordered.
pub(super) struct Orders<M: Machine> {
    /// `None` switches a timeout off.
    pub(super) timeouts: Vec<(Which<M::Timer>, Option<Duration>)>,
    pub(super) inserted: Vec<Event<M>>,
    pub(super) postponed: Vec<Event<M>>,
}

impl<M: Machine> Default for Orders<M> {
    fn default() -> Self {
        Orders {
            timeouts: Vec::new(),
            inserted: Vec::new(),
            postponed: Vec::new(),
        }
    }
}

impl<M: Machine> Ops<'_, M> {
    /// Answers a request.
    pub fn reply(&mut self, from: ReplyTo<M::Reply>, value: M::Reply) {
        let answer = Message::native(value);
        self.system.reply(self.ctx, from.caller(), answer);
    }

    /// Puts an event off until the machine is in another state: then it comes again, before
    /// what has not come yet.
    pub fn postpone(&mut self, event: Event<M>) {
        self.orders.postponed.push(event);
    }

    /// Lets an event happen before all that wait, behind those inserted by the same function.
    pub fn insert(&mut self, event: Event<M>) {
        self.orders.inserted.push(event);
    }

    /// `Event::StateTimeout` comes after `span`, unless another state comes first. Replaces
    /// the one before. A `span` of zero lets it happen before any event that comes from
    /// outside; so do those of the other timeouts.
    pub fn state_timeout(&mut self, span: Duration) {
        self.orders.timeouts.push((Which::State, Some(span)));
    }

    /// No `StateTimeout` comes.
    pub fn cancel_state_timeout(&mut self) {
        self.orders.timeouts.push((Which::State, None));
    }

    /// `Event::EventTimeout` comes after `span`, unless any other event comes first.
    pub fn event_timeout(&mut self, span: Duration) {
        self.orders.timeouts.push((Which::Event, Some(span)));
    }

    /// `Event::Timeout` with `name` comes after `span`, whatever comes first. Replaces the one
    /// of this name.
    pub fn timeout(&mut self, name: M::Timer, span: Duration) {
        self.orders.timeouts.push((Which::Named(name), Some(span)));
    }

    /// No `Timeout` with `name` comes.
    pub fn cancel_timeout(&mut self, name: M::Timer) {
        self.orders.timeouts.push((Which::Named(name), None));
    }
}
