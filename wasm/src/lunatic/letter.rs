//! What Lunatic processes send each other: bytes, resources and a tag, or word about a link.

use std::any::Any;
use std::sync::Arc;

use rusm_actor::Pid;

use super::environment::TimerSlot;

/// Bytes one message may have.
pub(super) const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Bytes of messages that may wait for one process; one message more ends it. Bookkeeping counts
/// as [`LETTER_BYTES`] each.
pub(super) const WAITING_BYTES_MAX: u64 = 256 << 20;
/// Modules and sockets one message may carry.
pub(super) const RESOURCES_MAX: usize = 1024;
/// Memory set aside because a guest says it will write that much; more is made when it does.
const CAPACITY_BYTES_MAX: u64 = 64 << 10;
/// What a message takes beside its bytes.
const LETTER_BYTES: u64 = 192;
const RESOURCE_BYTES: u64 = 64;

/// A module or socket inside a message.
pub(super) type Resource = Arc<dyn Any + Send + Sync>;

/// What lies in the mailbox of a Lunatic process.
pub(super) enum Mail {
    Data(Data),
    /// From now on the death of this process is told with this tag; 0 is none.
    Linked(Pid, i64),
    Unlinked(Pid),
    /// A link to a process that was dead already.
    LinkDied(i64),
}

/// A message of bytes.
#[derive(Default)]
pub(super) struct Data {
    /// 0 is none: only a receive that takes everything finds it.
    pub(super) tag: i64,
    pub(super) bytes: Vec<u8>,
    /// By index; taken ones leave a gap.
    pub(super) resources: Vec<Option<Resource>>,
    /// Counts it as long as it waits for its time.
    pub(super) slot: Option<TimerSlot>,
}

impl Data {
    pub(super) fn new(tag: i64, capacity: u64) -> Self {
        let capacity = capacity.min(CAPACITY_BYTES_MAX) as usize;
        Self {
            tag,
            bytes: Vec::with_capacity(capacity),
            ..Self::default()
        }
    }

    /// What it counts against [`WAITING_BYTES_MAX`]. The same from sending to receiving: nobody
    /// changes it between.
    pub(super) fn weight(&self) -> u64 {
        LETTER_BYTES
            + self.bytes.capacity() as u64
            + self.resources.capacity() as u64 * RESOURCE_BYTES
    }
}

/// The message a process works on, written before it is sent or read after it came.
pub(super) enum Scratch {
    Data {
        data: Data,
        /// Where the next read begins.
        read: usize,
    },
    LinkDied(i64),
    ProcessDied(u64),
}

impl Scratch {
    pub(super) fn data(data: Data) -> Self {
        Self::Data { data, read: 0 }
    }

    pub(super) fn tag(&self) -> i64 {
        match self {
            Self::Data { data, .. } => data.tag,
            Self::LinkDied(tag) => *tag,
            Self::ProcessDied(_) => 0,
        }
    }
}
