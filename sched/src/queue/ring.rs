//! A bounded ring of tasks: its owner pushes, everybody takes from the front.
//!
//! As in Go's and Tokio's schedulers the owner stores the tail and all takers exchange the
//! head; unlike there the owner takes several at once, which spares an exchange per task.

use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use crossbeam_utils::CachePadded;

use crate::task::slot::{Slot, TaskRef};

/// Tries of a thief against others before it looks elsewhere.
const STEAL_TRIES_MAX: usize = 4;

/// `N`: slots, a power of two.
pub(crate) struct Ring<const N: usize> {
    head: CachePadded<AtomicU64>,
    tail: CachePadded<AtomicU64>,
    tasks: Box<[AtomicPtr<Slot>; N]>,
}

impl<const N: usize> Ring<N> {
    pub(crate) fn new() -> Self {
        const { assert!(N.is_power_of_two()) };
        Ring {
            head: CachePadded::new(AtomicU64::new(0)),
            tail: CachePadded::new(AtomicU64::new(0)),
            tasks: Box::new([const { AtomicPtr::new(std::ptr::null_mut()) }; N]),
        }
    }

    /// How many tasks are in it: exact for the owner while nobody takes.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        let head = self.head.load(Ordering::Relaxed);
        self.tail.load(Ordering::Relaxed).saturating_sub(head) as usize
    }

    /// Owner only. Gives the task back when the ring is full.
    #[inline(always)]
    pub(crate) fn push(&self, task: TaskRef) -> Result<(), TaskRef> {
        let tail = self.tail.load(Ordering::Relaxed);
        // Acquire: pairs with the exchange in `take`, so that a slot is read before it is
        // written again.
        if tail - self.head.load(Ordering::Acquire) >= N as u64 {
            return Err(task);
        }
        self.tasks[tail as usize % N].store(task.into_ptr(), Ordering::Relaxed);
        // Release: pairs with the load of the tail in `take`.
        self.tail.store(tail + 1, Ordering::Release);
        Ok(())
    }

    /// Takes the first one.
    #[inline]
    pub(crate) fn take_one(&self) -> Option<TaskRef> {
        let mut one = [None];
        self.take(&mut one, |len| len);
        one[0]
    }

    /// Takes up to `out.len()` tasks from the front, and no more than `share` says of the
    /// queue's length. Returns how many; 0 also when others were faster. The rest of `out`
    /// stays as it was, empty.
    #[inline(always)]
    pub(crate) fn take(&self, out: &mut [Option<TaskRef>], share: fn(usize) -> usize) -> usize {
        for _ in 0..STEAL_TRIES_MAX {
            let head = self.head.load(Ordering::Acquire);
            let len = self.tail.load(Ordering::Acquire).saturating_sub(head);
            let count = share(len as usize).min(out.len());
            if count == 0 {
                return 0;
            }
            for (at, place) in out[..count].iter_mut().enumerate() {
                let task = self.tasks[(head as usize + at) % N].load(Ordering::Relaxed);
                // JUSTIFICATION: an index instead of a pointer would be safe and cost a
                // table look-up per task.
                // SAFETY: slots below the tail hold what `push` stored. Should others have
                // taken them meanwhile, the exchange fails and the copies are overwritten;
                // tasks are never unmapped, so making a reference is harmless.
                *place = Some(unsafe { TaskRef::from_ptr(task) });
            }
            let next = head + count as u64;
            let exchange =
                self.head
                    .compare_exchange(head, next, Ordering::AcqRel, Ordering::Relaxed);
            if exchange.is_ok() {
                return count;
            }
            // Others took them: a copy left behind would be run a second time.
            out[..count].fill(None);
        }
        0
    }
}
