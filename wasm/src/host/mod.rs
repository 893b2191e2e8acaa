//! What a guest may do with processes, once, free of how it asks: the flat functions of core
//! modules (`abi.rs`) and the interfaces of components call the same functions here, with the
//! process's state and checked arguments, and get typed results.
//!
//! What fails is a [`Refusal`]: a condition that a correct program may meet, with a sentence about
//! it. What only a broken program does (a pointer out of its memory) is a trap, and the business of
//! `abi.rs`.

pub(crate) mod crypto;
pub(crate) mod group;
pub(crate) mod info;
pub(crate) mod kv;
pub(crate) mod listed;
pub(crate) mod log;
pub(crate) mod message;
pub(crate) mod module;
pub(crate) mod power;
pub(crate) mod process;
pub(crate) mod reason;
pub(crate) mod refusal;
pub(crate) mod registry;
pub(crate) mod seal;
pub(crate) mod spawn;
pub(crate) mod stream;
pub(crate) mod supervise;
pub(crate) mod things;
pub(crate) mod timer;

use std::collections::HashMap;
use std::sync::Arc;

use rusm_actor::{Alias, Caller, Message, Pid, Reference};

pub(crate) use refusal::Refusal;

use crate::guest::State;

/// Monitors, aliases, requests and group watches that one process may hold at a time.
pub(crate) const HELD_MAX: usize = 65_536;

/// What a process holds, made when it first holds something: most guests of a storm never do.
#[derive(Default)]
pub(crate) struct Actor {
    /// By the reference that the guest knows it by. Another guest that says the same number has
    /// nothing under it.
    held: HashMap<u64, Held>,
    /// The body of the last receive, if it was longer than the room for it.
    pub(crate) rest: Option<Body>,
    /// Why the last call was refused.
    pub(crate) refusal: Option<Refusal>,
    /// What it was started with.
    pub(crate) args: Vec<String>,
    /// Streams, and what else has small numbers.
    pub(crate) things: things::Things,
    /// Links to ended processes, of which it has not read yet that they had ended.
    pub(crate) dead_links: u32,
    /// Groups it is in.
    pub(crate) joined: u32,
    pub(crate) timers: timer::Timers,
    pub(crate) lines: log::Counter,
}

/// The bytes that came with an event.
pub(crate) enum Body {
    Message(Message),
    Made(Vec<u8>),
}

impl Body {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Body::Message(message) => message.bytes(),
            Body::Made(bytes) => bytes,
        }
    }
}

/// What a reference of a guest stands for.
pub(crate) enum Held {
    Monitor(Reference),
    Alias(Alias),
    /// An alias that takes one message.
    Once(Alias),
    Watch(Reference, Arc<str>),
    Timer(timer::Timer),
    /// Somebody waits for an answer.
    Request(Caller),
}

impl State {
    pub(crate) fn actor(&mut self) -> &mut Actor {
        self.actor.get_or_insert_default()
    }

    /// What the process was started with, without the program's name.
    pub(crate) fn arguments(&self) -> &[String] {
        self.actor.as_ref().map_or(&[], |actor| &actor.args)
    }

    pub(crate) fn pid(&self) -> Pid {
        self.context.pid()
    }
}

impl Actor {
    /// Is there room for one more?
    pub(crate) fn room(&self) -> Result<(), Refusal> {
        // Timers have a limit of their own.
        if self.held.len() - self.timers.count() < HELD_MAX {
            return Ok(());
        }
        Err(Refusal::Limit {
            what: "monitors, aliases, requests and group watches at a time",
            max: HELD_MAX,
        })
    }

    pub(crate) fn hold(&mut self, reference: Reference, held: Held) -> u64 {
        let bits = reference.to_bits();
        self.held.insert(bits, held);
        bits
    }

    pub(crate) fn held(&self, bits: u64) -> Option<&Held> {
        self.held.get(&bits)
    }

    pub(crate) fn release(&mut self, bits: u64) -> Option<Held> {
        let held = self.held.remove(&bits);
        if let Some(Held::Timer(timer)) = &held {
            self.forget_timer(timer);
        }
        held
    }
}
