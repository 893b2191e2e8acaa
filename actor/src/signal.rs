//! Everything that can reach a process, in one type: it is what letters carry.

use std::any::Any;
use std::sync::Arc;

use rusm_sched::{LETTER_BYTES_MAX, Mail};

use crate::exit::ExitReason;
use crate::pid::Pid;

/// Bytes of a message that travel in the letter itself: what tag and length leave of it.
pub(crate) const INLINE_MAX: usize = LETTER_BYTES_MAX - 2;

/// Bytes of a message that are written with two stores instead of a copy of the whole letter:
/// 4 ns of a message of 18.
pub(crate) const SHORT_MAX: usize = 14;

pub(crate) enum Signal {
    /// A message of `len` bytes.
    Short { len: u8, bytes: [u8; SHORT_MAX] },
    /// A message of `len` bytes.
    Inline { len: u8, bytes: [u8; INLINE_MAX] },
    /// A message of bytes that many receivers may share.
    Shared(Arc<[u8]>),
    /// A message that is a native value.
    Native(Box<dyn Any + Send>),
    /// Somebody wants the process to end; `None` is nobody's process.
    Exit {
        from: Option<Pid>,
        reason: ExitReason,
    },
    /// The process ends, whatever it wants.
    Kill,
}

const _: () = assert!(size_of::<Signal>() <= LETTER_BYTES_MAX);

// JUSTIFICATION: an inbox that recorded what its letters hold would touch a second cache line
// of the receiver on each send, which takes 11 ns in all.
// SAFETY: this crate is the only one that makes tasks with an inbox, and all its letters carry
// signals.
unsafe impl Mail for Signal {}
