//! Messages: bytes or native values, short ones within their letter.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use rusm_sched::Letter;

use crate::signal::{INLINE_MAX, SHORT_MAX, Signal};

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

    /// The bytes; empty for a native value.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        match &*self.0 {
            Signal::Short { len, bytes } => &bytes[..usize::from(*len).min(SHORT_MAX)],
            Signal::Inline { len, bytes } => &bytes[..usize::from(*len).min(INLINE_MAX)],
            Signal::Shared(bytes) => bytes,
            Signal::Native(_) | Signal::Exit { .. } | Signal::Kill => &[],
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

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_native() {
            true => f.write_str("Message(native)"),
            false => write!(f, "Message({:?})", self.bytes()),
        }
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
