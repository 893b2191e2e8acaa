//! Which scheduler a task belongs to: how a wake-up from a foreign thread finds its way.
//!
//! A slot knows its scheduler's number. Numbers are used again.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};

use crate::config::Priority;
use crate::shared::Shared;
use crate::task;
use crate::task::slot::TaskRef;

/// All schedulers of this program, by their number.
static SCHEDULERS: RwLock<Vec<Option<Arc<Shared>>>> = RwLock::new(Vec::new());

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

/// Frees a number: no task with it lives any more.
pub(crate) fn forget(home: u16) {
    let mut all = SCHEDULERS.write().unwrap_or_else(PoisonError::into_inner);
    let shared = all[usize::from(home)].take();
    drop(all);
    if let Some(shared) = shared {
        shared.gone.store(true, Ordering::Release);
    }
}

fn find(home: u16) -> Option<Arc<Shared>> {
    let all = SCHEDULERS.read().unwrap_or_else(PoisonError::into_inner);
    all.get(usize::from(home)).cloned().flatten()
}

/// Queues a task that the calling thread owns, from outside of its scheduler.
pub(crate) fn inject_from_outside(home: u16, task: TaskRef) {
    match find(home) {
        None => task::finish(task.0),
        Some(shared) if task.0.priority.get() == Priority::Normal as u8 => shared.inject(task),
        Some(shared) => shared.push_by_priority(task),
    }
}

pub(crate) fn count_foreign_spawn(home: u16) {
    if let Some(shared) = find(home) {
        shared.foreign_spawned.fetch_add(1, Ordering::Relaxed);
    }
}

pub(crate) fn count_foreign_exit(home: u16) {
    if let Some(shared) = find(home) {
        shared.foreign_exited.fetch_add(1, Ordering::Relaxed);
    }
}
