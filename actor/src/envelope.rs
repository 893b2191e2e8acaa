//! Messages that say who sent them, and carry a tag: what guests send to each other.
//!
//! The envelope lies beside the bytes, written by the sender's host and not by the sender, so
//! nobody's bytes can pretend to be somebody else's. Short ones need no memory of their own.

use std::sync::Arc;

use crate::alias::Alias;
use crate::message::Message;
use crate::pid::Pid;
use crate::reference::Reference;
use crate::signal::{Signal, TAGGED_MAX};

/// What a message says of itself beside its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Who sent it.
    pub from: Pid,
    /// What it is about; sender and receiver agree on what that means.
    pub tag: u64,
    /// The alias it was sent to, if it was.
    pub alias: Option<Reference>,
}

impl Message {
    /// Bytes with an envelope. Up to 30 of them need no memory of their own.
    #[inline]
    pub fn tagged(from: Pid, tag: u64, content: &[u8]) -> Self {
        if content.len() > TAGGED_MAX {
            let bytes: Arc<[u8]> = content.into();
            return Message::from_signal(Signal::TaggedShared { from, tag, bytes });
        }
        let mut bytes = [0; TAGGED_MAX];
        bytes[..content.len()].copy_from_slice(content);
        let len = content.len() as u8;
        Message::from_signal(Signal::Tagged {
            len,
            bytes,
            from,
            tag,
        })
    }

    /// As `tagged`, of bytes that many receivers may share.
    pub fn tagged_shared(from: Pid, tag: u64, bytes: Arc<[u8]>) -> Self {
        Message::from_signal(Signal::TaggedShared { from, tag, bytes })
    }

    /// Who sent it and what it is about, if it says so.
    #[inline]
    pub fn envelope(&self) -> Option<Envelope> {
        let (from, tag, alias) = match self.signal() {
            Signal::Tagged { from, tag, .. } | Signal::TaggedShared { from, tag, .. } => {
                (*from, *tag, None)
            }
            Signal::TaggedVia {
                from, tag, alias, ..
            } => (*from, *tag, Some(*alias)),
            _ => return None,
        };
        Some(Envelope { from, tag, alias })
    }
}

impl Message {
    /// The monitor, timer, group watch or alias by which it came, if it came by one.
    pub fn reference(&self) -> Option<Reference> {
        match self.signal() {
            Signal::Timeout { reference, .. } | Signal::Down { reference, .. } => Some(*reference),
            Signal::NamedDown(named) => Some(named.0),
            Signal::Group(event) => Some(event.reference),
            Signal::TaggedVia { alias, .. } => Some(*alias),
            _ => None,
        }
    }
}

impl Alias {
    /// As `send`, with an envelope that says which alias it came by: whoever was not given the
    /// alias cannot write such a message.
    pub fn send_tagged(self, from: Pid, tag: u64, content: &[u8]) {
        self.send(Message::from_signal(Signal::TaggedVia {
            from,
            tag,
            alias: self.reference(),
            bytes: content.into(),
        }));
    }
}
