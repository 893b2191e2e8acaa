//! Which scheduler a task belongs to: how a wake-up from a foreign thread finds its way.
//!
//! A slot knows its scheduler's number. Numbers are used again.

use std::panic::Location;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::shared::Shared;
use crate::task::slot::{Slot, TaskRef};
use crate::task::{self, times};

/// All schedulers of this program, by their number.
static SCHEDULERS: RwLock<Vec<Option<Arc<Shared>>>> = RwLock::new(Vec::new());

/// Numbers that are not used again, short of four billion schedulers.
pub(crate) fn next_serial() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Makes a scheduler under a free number.
pub(crate) fn register(make: impl FnOnce(u16) -> Arc<Shared>) -> Arc<Shared> {
    let mut all = SCHEDULERS.write().unwrap_or_else(PoisonError::into_inner);
    let free = all.iter().position(Option::is_none);
    let home = free.unwrap_or_else(|| {
        all.push(None);
        all.len() - 1
    });
    let shared = make(u16::try_from(home).expect("fewer than 65,536 schedulers at once"));
    all[home] = Some(shared.clone());
    shared
}

/// From now on no task of `shared` is queued from outside any more: whoever owns one ends it.
pub(crate) fn close(shared: &Shared) {
    // Waits for those who are just queuing one.
    let all = SCHEDULERS.write().unwrap_or_else(PoisonError::into_inner);
    shared.gone.store(true, Ordering::Release);
    drop(all);
}

/// Frees a number: no task with it lives any more.
pub(crate) fn forget(home: u16) {
    let mut all = SCHEDULERS.write().unwrap_or_else(PoisonError::into_inner);
    let shared = all[usize::from(home)].take();
    drop(all);
    drop(shared);
}

pub(crate) fn find(home: u16) -> Option<Arc<Shared>> {
    let all = SCHEDULERS.read().unwrap_or_else(PoisonError::into_inner);
    all.get(usize::from(home)).cloned().flatten()
}

/// Queues a task that the calling thread owns, from outside of its scheduler.
pub(crate) fn inject_from_outside(home: u16, task: TaskRef) {
    let all = SCHEDULERS.read().unwrap_or_else(PoisonError::into_inner);
    let shared = all.get(usize::from(home)).and_then(Option::as_ref);
    if let Some(shared) = shared.filter(|shared| !shared.is_gone()) {
        // Under the lock, see `close`. No code of a task's runs in here.
        if task.0.is_normal() {
            shared.inject(task);
        } else {
            shared.push_by_priority(task);
        }
    } else {
        drop(all);
        task::finish(task.0);
    }
}

pub(crate) fn count_foreign_spawn(home: u16, slot: &Slot, place: &'static Location<'static>) {
    if let Some(shared) = find(home) {
        shared.foreign_spawned.fetch_add(1, Ordering::Relaxed);
        if shared.config.times {
            times::begin(slot.address(), place);
        }
    }
}

pub(crate) fn count_foreign_exit(home: u16) {
    if let Some(shared) = find(home) {
        shared.foreign_exited.fetch_add(1, Ordering::Relaxed);
    }
}
