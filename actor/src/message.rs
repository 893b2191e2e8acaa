//! Messages: bytes or native values, short ones within their letter.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use rusm_sched::Letter;

use crate::call::{CallError, Caller};
use crate::exit::ExitReason;
use crate::group::GroupEvent;
use crate::monitor::{Down, Watched};
use crate::pid::Pid;
use crate::reference::Reference;
use crate::signal::{Cause, INLINE_MAX, SHORT_MAX, Signal};

/// Messages up to this many bytes need no memory of their own.
pub const INLINE_BYTES_MAX: usize = INLINE_MAX;

/// A message on its way or just received: eight bytes that own a letter. Sending a received
/// message on re-uses the letter.
pub struct Message(Letter<Signal>);

impl Message {
    /// Bytes that many receivers may share: sending it again copies nothing.
    pub fn shared(bytes: Arc<[u8]>) -> Self {
        Message(Letter::new(Signal::Shared(bytes)))
    }

    /// A native value, moved to the receiver.
    pub fn native<T: Any + Send>(value: T) -> Self {
        Message(Letter::new(Signal::Native(Box::new(value))))
    }

    /// What it is. A system message cannot be forged by sending bytes.
    pub fn content(&self) -> Content<'_> {
        match &*self.0 {
            Signal::Native(value) => Content::Native(&**value),
            Signal::Timeout { reference, message } => Content::Timeout(*reference, message),
            Signal::Group(event) => Content::Group(event),
            Signal::Exit { from, reason, .. } => Content::Exit(*from, reason),
            Signal::Down { .. } | Signal::NamedDown(_) => match self.down() {
                Some(down) => Content::Down(down),
                None => Content::Bytes(&[]),
            },
            Signal::Call {
                from,
                reference,
                message,
            } => Content::Call(Caller::new(*from, *reference), message),
            _ => Content::Bytes(self.bytes()),
        }
    }

    /// The bytes; empty if it is not bytes.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes().unwrap_or_default()
    }

    /// As [`down`](Message::down), of a message that is not needed any more: the reason moves.
    ///
    /// # Errors
    /// The message itself, if it says something else.
    #[inline]
    pub fn into_down(mut self) -> Result<Down, Self> {
        let (reference, watched, reason) = match &mut *self.0 {
            Signal::Down {
                reference,
                from,
                reason,
                ..
            } => (*reference, Watched::Pid(*from), reason),
            Signal::NamedDown(named) => {
                let (reference, name, reason) = &mut **named;
                (*reference, Watched::Name(name.clone()), reason)
            }
            _ => return Err(self),
        };
        Ok(Down {
            reference,
            watched,
            // The letter ends here, and what is left in it costs nothing to drop.
            reason: std::mem::replace(reason, ExitReason::Normal),
        })
    }

    /// Who ended, if it says that a watched process has.
    pub fn down(&self) -> Option<Down> {
        match &*self.0 {
            Signal::Down {
                reference,
                from,
                reason,
                ..
            } => Some(Down {
                reference: *reference,
                watched: Watched::Pid(*from),
                reason: reason.clone(),
            }),
            Signal::NamedDown(named) => Some(Down {
                reference: named.0,
                watched: Watched::Name(named.1.clone()),
                reason: named.2.clone(),
            }),
            _ => None,
        }
    }

    /// Who ended or asked us to, and why, if it is an exit signal that was trapped.
    pub fn exit(&self) -> Option<(Option<Pid>, &ExitReason)> {
        match &*self.0 {
            Signal::Exit { from, reason, .. } => Some((*from, reason)),
            _ => None,
        }
    }

    /// Who has ended, if it is the exit signal of a link.
    pub fn linked_end(&self) -> Option<Pid> {
        match &*self.0 {
            Signal::Exit {
                from,
                cause: Cause::Link,
                ..
            } => *from,
            _ => None,
        }
    }

    /// The timer's name, if it is a timeout.
    pub fn timeout(&self) -> Option<Reference> {
        match &*self.0 {
            Signal::Timeout { reference, .. } => Some(*reference),
            _ => None,
        }
    }

    /// Who asks, and what.
    ///
    /// # Errors
    /// The message itself, if it is no call.
    pub fn into_call(self) -> Result<(Caller, Message), Message> {
        if !matches!(&*self.0, Signal::Call { .. }) {
            return Err(self);
        }
        match self.0.into_inner() {
            Signal::Call {
                from,
                reference,
                message,
            } => Ok((Caller::new(from, reference), message)),
            _ => unreachable!("it was looked at above"),
        }
    }

    /// What a timer was to bring.
    ///
    /// # Errors
    /// The message itself, if it is no timeout.
    pub fn into_timeout(self) -> Result<(Reference, Message), Message> {
        if self.timeout().is_none() {
            return Err(self);
        }
        match self.0.into_inner() {
            Signal::Timeout { reference, message } => Ok((reference, message)),
            _ => unreachable!("it was looked at above"),
        }
    }

    /// The request's name, if it is one.
    pub(crate) fn call_reference(&self) -> Option<Reference> {
        match &*self.0 {
            Signal::Call { reference, .. } => Some(*reference),
            _ => None,
        }
    }

    /// See [`Signal::is_sheddable`].
    pub(crate) fn is_sheddable(&self) -> bool {
        self.0.is_sheddable()
    }

    pub(crate) fn down_reference(&self) -> Option<Reference> {
        match &*self.0 {
            Signal::Down { reference, .. } => Some(*reference),
            Signal::NamedDown(named) => Some(named.0),
            _ => None,
        }
    }

    /// Is it what a call with this reference waits for?
    pub(crate) fn answers(&self, call: Reference) -> bool {
        match &*self.0 {
            Signal::Reply { reference, .. } | Signal::Shed { reference } => *reference == call,
            _ => self.down_reference() == Some(call),
        }
    }

    /// The outcome of a call, of a message that `answers` it.
    pub(crate) fn into_answer(self) -> Result<Message, CallError> {
        match self.0.into_inner() {
            Signal::Reply { message, .. } => Ok(message),
            Signal::Shed { .. } => Err(CallError::Full),
            Signal::Down {
                reason: ExitReason::NoProcess,
                ..
            } => Err(CallError::NoProcess),
            Signal::Down { reason, .. } => Err(CallError::Ended(reason)),
            _ => Err(CallError::NoProcess),
        }
    }

    /// Is it a native value?
    pub fn is_native(&self) -> bool {
        matches!(&*self.0, Signal::Native(_))
    }

    /// Is it a native value of type `T`?
    pub fn is<T: Any>(&self) -> bool {
        matches!(&*self.0, Signal::Native(value) if value.is::<T>())
    }

    /// The native value, if it is a `T`.
    ///
    /// # Errors
    /// The message itself, if it is anything else.
    pub fn downcast<T: Any>(self) -> Result<T, Self> {
        if !self.is::<T>() {
            return Err(self);
        }
        match self.0.into_inner() {
            Signal::Native(value) => Ok(*value.downcast().expect("it was looked at above")),
            _ => unreachable!("it was looked at above"),
        }
    }

    #[inline(always)]
    pub(crate) fn signal(&self) -> &Signal {
        &self.0
    }

    pub(crate) fn from_signal(signal: Signal) -> Self {
        Message(Letter::new(signal))
    }

    /// The caller has seen that the letter is a message.
    #[inline(always)]
    pub(crate) fn from_letter(letter: Letter<Signal>) -> Self {
        Message(letter)
    }

    #[inline(always)]
    pub(crate) fn into_letter(self) -> Letter<Signal> {
        self.0
    }
}

/// What a message is.
#[derive(Debug)]
#[non_exhaustive]
pub enum Content<'a> {
    /// Bytes somebody sent.
    Bytes(&'a [u8]),
    /// A native value somebody sent.
    Native(&'a (dyn Any + Send)),
    /// An exit signal that was trapped: from whom, and why.
    Exit(Option<Pid>, &'a ExitReason),
    /// A watched process has ended.
    Down(Down),
    /// A timer has come due, with what it was to bring.
    Timeout(Reference, &'a Message),
    /// Somebody asks something.
    Call(Caller, &'a Message),
    /// Somebody joined or left a group.
    Group(&'a GroupEvent),
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({:?})", self.content())
    }
}

impl From<&[u8]> for Message {
    #[inline]
    fn from(content: &[u8]) -> Self {
        if let Ok(word) = <[u8; 8]>::try_from(content) {
            return Message::from(word);
        }
        if content.len() > INLINE_MAX {
            return Message::shared(content.into());
        }
        Message(Letter::with(|| {
            let mut bytes = [0; INLINE_MAX];
            bytes[..content.len()].copy_from_slice(content);
            let len = content.len() as u8;
            Signal::Inline { len, bytes }
        }))
    }
}

impl<const N: usize> From<[u8; N]> for Message {
    #[inline(always)]
    fn from(content: [u8; N]) -> Self {
        if N > SHORT_MAX {
            return Message::from(content.as_slice());
        }
        Message(Letter::with(|| {
            let mut bytes = [0; SHORT_MAX];
            bytes[..N].copy_from_slice(&content);
            let len = N as u8;
            Signal::Short { len, bytes }
        }))
    }
}

impl<const N: usize> From<&[u8; N]> for Message {
    #[inline(always)]
    fn from(content: &[u8; N]) -> Self {
        Message::from(*content)
    }
}

impl From<&str> for Message {
    fn from(content: &str) -> Self {
        Message::from(content.as_bytes())
    }
}

impl From<Vec<u8>> for Message {
    fn from(content: Vec<u8>) -> Self {
        if content.len() <= INLINE_MAX {
            return Message::from(content.as_slice());
        }
        Message::shared(content.into())
    }
}

impl From<Arc<[u8]>> for Message {
    fn from(content: Arc<[u8]>) -> Self {
        Message::shared(content)
    }
}
