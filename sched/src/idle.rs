//! Who sleeps, who searches, and whom to wake: the protocol that loses no wake-up.
//!
//! A worker out of work *searches*, then *sleeps*; it announces the sleep before it looks
//! everywhere once more. Whoever makes work visible looks for sleepers afterwards. Of the two
//! looks at least one comes second and sees the other side, by the two SeqCst fences below.
//! While somebody searches nobody is woken: the searcher finds the work, and wakes the next
//! one if there is more. The numbers are here; the threads are parked elsewhere.

use crate::sync::{AtomicU64, Mutex, Ordering, PoisonError, fence};

const SEARCHING: u64 = 1;
const SLEEPING: u64 = 1 << 32;

pub(crate) struct Idle {
    /// Sleeping workers in the upper half, searching ones in the lower.
    counts: AtomicU64,
    /// The sleepers, the latest last. Changes only together with the upper half.
    sleepers: Mutex<Vec<usize>>,
}

impl Idle {
    pub(crate) fn new(workers: usize) -> Self {
        Idle {
            counts: AtomicU64::new(0),
            sleepers: Mutex::new(Vec::with_capacity(workers)),
        }
    }

    /// A glance without ordering: may miss a worker that is just going to sleep.
    #[inline]
    pub(crate) fn any_sleeping(&self) -> bool {
        self.counts.load(Ordering::Relaxed) >= SLEEPING
    }

    /// Does anybody sleep or search, so that queues had better show what they have?
    #[inline]
    pub(crate) fn any_idle(&self) -> bool {
        self.counts.load(Ordering::Relaxed) != 0
    }

    /// How many workers are asleep.
    pub(crate) fn sleeping(&self) -> usize {
        (self.counts.load(Ordering::Relaxed) / SLEEPING) as usize
    }

    pub(crate) fn search(&self) {
        self.counts.fetch_add(SEARCHING, Ordering::SeqCst);
    }

    /// Ends a search that found something. True for the last searcher, who must wake another
    /// worker if there is more to do: pushes that saw it search have woken nobody.
    #[must_use]
    pub(crate) fn found(&self) -> bool {
        self.counts.fetch_sub(SEARCHING, Ordering::SeqCst) % SLEEPING == SEARCHING
    }

    /// Ends a search that found nothing. The worker must look everywhere once more before it
    /// parks, and call `rise` in any case.
    pub(crate) fn sleep(&self, worker: usize) {
        let mut sleepers = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        sleepers.push(worker);
        self.counts
            .fetch_add(SLEEPING.wrapping_sub(SEARCHING), Ordering::SeqCst);
        drop(sleepers);
        // Pairs with the fence in `wake_one`: the look that follows sees the work of anybody
        // who did not see this worker asleep.
        fence(Ordering::SeqCst);
    }

    /// The worker is up, and searching: by itself, or because `wake_one` chose it (which has
    /// counted it already).
    pub(crate) fn rise(&self, worker: usize) {
        let mut sleepers = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = sleepers.iter().position(|&sleeper| sleeper == worker) {
            sleepers.remove(at);
            self.counts
                .fetch_sub(SLEEPING.wrapping_sub(SEARCHING), Ordering::SeqCst);
        }
    }

    /// Called after work was made visible: the worker to unpark, if one must be.
    #[must_use]
    pub(crate) fn wake_one(&self) -> Option<usize> {
        // Pairs with the fence in `sleep`.
        fence(Ordering::SeqCst);
        let counts = self.counts.load(Ordering::SeqCst);
        if counts < SLEEPING || !counts.is_multiple_of(SLEEPING) {
            return None;
        }
        let mut sleepers = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        let chosen = sleepers.pop()?;
        self.counts
            .fetch_sub(SLEEPING.wrapping_sub(SEARCHING), Ordering::SeqCst);
        Some(chosen)
    }
}

#[cfg(loom)]
#[path = "idle_models.rs"]
mod models;
