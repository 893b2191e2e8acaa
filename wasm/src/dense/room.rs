//! Who may come into the dense tier: slots are counted before any is taken, so that a guest is
//! either started whole or told that there is no room.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// How many more guests may come.
pub(crate) struct Room {
    free: AtomicU32,
}

impl Room {
    pub(super) fn new(slots: u32) -> Arc<Self> {
        let free = AtomicU32::new(slots);
        Arc::new(Self { free })
    }

    /// Room for a guest with that many memories, until the answer is dropped.
    pub(crate) fn admit(self: &Arc<Self>, memories: u32) -> Option<Admission> {
        // One stack in any case; the memories have as many slots as the stacks.
        let slots = memories.max(1);
        let taken = self
            .free
            .fetch_update(Relaxed, Relaxed, |free| free.checked_sub(slots));
        taken.is_ok().then(|| Admission {
            room: self.clone(),
            slots,
        })
    }
}

/// A guest's place; must outlive its store.
pub(crate) struct Admission {
    room: Arc<Room>,
    slots: u32,
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.room.free.fetch_add(self.slots, Relaxed);
    }
}
