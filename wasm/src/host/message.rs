//! Sending and receiving: bytes with an envelope that the host writes, and what comes back as one of
//! a few kinds that bytes cannot imitate.

use std::future::Future;
use std::pin::pin;
use std::task::{self, Poll};
use std::time::Duration;

use rusm_actor::{Alias, Content, ExitReason, Message, Pid, Reference, Watched};

use crate::guest::State;
use crate::host::stream::{self, StreamOffer};
use crate::host::{Held, Refusal, module, seal, things};

/// Bytes of one message. What is longer goes through a stream.
pub(crate) const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// Copying this much costs one reduction.
const BYTES_PER_REDUCTION: usize = 512;

/// Which messages a receive takes; the others stay, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    Any,
    /// Messages with this tag; zero: those without.
    Tag(u64),
    /// What came by this monitor, timer, alias or group watch.
    Reference(u64),
}

/// What was received.
#[derive(Debug)]
pub(crate) enum Event {
    /// Somebody sent bytes. Those of native processes may have neither sender nor tag.
    Message {
        sender: Option<Pid>,
        tag: u64,
        alias: Option<u64>,
        body: Message,
    },
    /// Somebody wanted the process to end, or a linked one has ended, and it traps exits.
    Exit {
        sender: Option<Pid>,
        reason: ExitReason,
    },
    /// A watched process has ended.
    Down {
        reference: u64,
        watched: Watched,
        reason: ExitReason,
    },
    /// A timer has come due.
    Timer {
        reference: u64,
        tag: u64,
        body: Message,
    },
    /// Somebody waits for an answer; with reference zero it cannot be given any more.
    Request {
        sender: Pid,
        tag: u64,
        reference: u64,
        body: Message,
    },
    /// Somebody joined or left a watched group.
    Group {
        reference: u64,
        group: Box<str>,
        pid: Pid,
        joined: bool,
    },
    /// Somebody offers a stream; with number zero there was no room for it, and it is refused.
    Stream(things::Came),
    /// Somebody hands over a module; with number zero there was no room for it.
    Module(things::Came),
    /// A native value, which no guest can read.
    Opaque,
}

impl Want {
    #[inline]
    fn takes(self, message: &Message) -> bool {
        match self {
            Want::Any => true,
            Want::Tag(tag) => match message.envelope() {
                Some(envelope) => envelope.tag == tag,
                None => match message.content() {
                    Content::Bytes(_) => tag == 0,
                    Content::Native(value) => {
                        let about = stream::tag_of(value).or_else(|| module::tag_of(value));
                        about == Some(tag)
                    }
                    _ => false,
                },
            },
            Want::Reference(bits) => message.reference() == Some(Reference::from_bits(bits)),
        }
    }
}

/// Checks the length of a message and charges for its copy.
#[inline]
pub(crate) fn measured(content: &[u8]) -> Result<&[u8], Refusal> {
    if content.len() > MESSAGE_BYTES_MAX {
        return Err(Refusal::TooLong {
            what: "a message",
            len: content.len(),
            max: MESSAGE_BYTES_MAX,
        });
    }
    rusm_sched::spend((content.len() / BYTES_PER_REDUCTION) as u32);
    Ok(content)
}

/// Sends bytes. To the dead they are dropped.
#[inline]
pub(crate) fn send(state: &State, to: u64, tag: u64, content: &[u8]) -> Result<(), Refusal> {
    let message = Message::tagged(state.pid(), tag, measured(content)?);
    state.context.send(Pid::from_bits(to), message);
    Ok(())
}

/// Makes an alias, an address that works until it is switched off, or for one message.
pub(crate) fn alias(state: &mut State, once: bool) -> Result<Alias, Refusal> {
    state.actor().room()?;
    let alias = match once {
        true => state.context.reply_alias(),
        false => state.context.alias(),
    };
    let held = if once {
        Held::Once(alias)
    } else {
        Held::Alias(alias)
    };
    state.actor().hold(alias.reference(), held);
    Ok(alias)
}

/// Switches an alias of the process off. False: it was off, or never its own.
pub(crate) fn unalias(state: &mut State, reference: u64) -> bool {
    let alias = match state.actor().held(reference) {
        Some(Held::Alias(alias) | Held::Once(alias)) => *alias,
        _ => return false,
    };
    state.actor().release(reference);
    state.context.unalias(alias)
}

/// Sends bytes to an alias that the process was given. They are dropped unless it is active then.
pub(crate) fn send_alias(
    state: &State,
    alias: Alias,
    sealed: u64,
    tag: u64,
    content: &[u8],
) -> Result<(), Refusal> {
    let content = measured(content)?;
    if seal::seal(alias) != sealed {
        return Err(Refusal::NotHeld);
    }
    alias.send_tagged(state.pid(), tag, content);
    rusm_sched::spend(1);
    Ok(())
}

/// The oldest message that is wanted, if there is one.
#[inline]
pub(crate) fn try_receive(state: &mut State, want: Want) -> Option<Event> {
    let found = match want {
        Want::Any => state.context.try_receive(),
        want => state
            .context
            .try_receive_match(|message| want.takes(message)),
    };
    found.map(|message| open(state, message))
}

/// Looks for the oldest message, and has the next one wake the guest if there is none: what most
/// waits are, without the layers of the others.
#[inline]
pub(crate) fn poll_receive(state: &mut State, cx: &mut task::Context<'_>) -> Poll<Event> {
    let found = pin!(state.context.receive()).poll(cx);
    found.map(|message| open(state, message))
}

/// Waits for the oldest message that is wanted, for ever or for some time.
pub(crate) async fn receive(
    state: &mut State,
    want: Want,
    within: Option<Duration>,
) -> Option<Event> {
    let context = &mut state.context;
    let found = match (want, within) {
        (Want::Any, None) => Some(context.receive().await),
        (Want::Any, Some(span)) => context.receive_within(span).await,
        (want, None) => Some(context.receive_match(|m| want.takes(m)).await),
        (want, Some(span)) => context.receive_match_within(span, |m| want.takes(m)).await,
    };
    found.map(|message| open(state, message))
}

/// Answers a request. Nobody gets it if the asker has given up.
pub(crate) fn reply(
    state: &mut State,
    reference: u64,
    tag: u64,
    content: &[u8],
) -> Result<(), Refusal> {
    let message = Message::tagged(state.pid(), tag, measured(content)?);
    let actor = state.actor();
    let Some(Held::Request(caller)) = actor.held(reference) else {
        return Err(Refusal::NotHeld);
    };
    let caller = *caller;
    actor.release(reference);
    state.context.reply(caller, message);
    Ok(())
}

/// What a message is to a guest, and what the process holds no longer with it.
#[inline]
fn open(state: &mut State, message: Message) -> Event {
    if let Some(envelope) = message.envelope() {
        let alias = envelope.alias.map(|alias| used(state, alias));
        return Event::Message {
            sender: Some(envelope.from),
            tag: envelope.tag,
            alias,
            body: message,
        };
    }
    open_other(state, message)
}

/// An alias that takes one message is used up by it.
fn used(state: &mut State, alias: Reference) -> u64 {
    let (actor, bits) = (state.actor(), alias.to_bits());
    if matches!(actor.held(bits), Some(Held::Once(_))) {
        actor.release(bits);
    }
    bits
}

fn open_other(state: &mut State, message: Message) -> Event {
    let message = match message.into_call() {
        Ok((caller, body)) => {
            let actor = state.actor();
            let reference = match actor.room() {
                Ok(()) => actor.hold(caller.reference(), Held::Request(caller)),
                Err(_) => 0,
            };
            let tag = body.envelope().map_or(0, |envelope| envelope.tag);
            let sender = caller.pid();
            return Event::Request {
                sender,
                tag,
                reference,
                body,
            };
        }
        Err(message) => message,
    };
    let message = match StreamOffer::from_message(message) {
        Ok(offer) => return stream::offered(state, offer),
        Err(message) => message,
    };
    let message = match module::came(state, message) {
        Ok(event) => return event,
        Err(message) => message,
    };
    let message = match message.into_timeout() {
        Ok((reference, body)) => {
            state.actor().release(reference.to_bits());
            let tag = body.envelope().map_or(0, |envelope| envelope.tag);
            return Event::Timer {
                reference: reference.to_bits(),
                tag,
                body,
            };
        }
        Err(message) => message,
    };
    open_system(state, &message).unwrap_or(Event::Message {
        sender: None,
        tag: 0,
        alias: None,
        body: message,
    })
}

/// `None`: it is no message of the system's, but plain bytes.
fn open_system(state: &mut State, message: &Message) -> Option<Event> {
    Some(match message.content() {
        Content::Bytes(_) => return None,
        Content::Exit(sender, reason) => {
            if *reason == ExitReason::NoProcess {
                let left = &mut state.actor().dead_links;
                *left = left.saturating_sub(1);
            }
            let reason = reason.clone();
            Event::Exit { sender, reason }
        }
        Content::Down(down) => {
            let reference = down.reference.to_bits();
            state.actor().release(reference);
            let (watched, reason) = (down.watched, down.reason);
            Event::Down {
                reference,
                watched,
                reason,
            }
        }
        Content::Group(event) => Event::Group {
            reference: event.reference.to_bits(),
            group: (&*event.group).into(),
            pid: event.pid,
            joined: event.joined,
        },
        _ => Event::Opaque,
    })
}
