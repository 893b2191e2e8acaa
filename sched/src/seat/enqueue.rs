//! Queuing tasks on the worker of the calling thread, or with their scheduler if it has none.

use std::panic::Location;
use std::sync::atomic::Ordering;

use super::{
    NO_HAND_OFF, NOBODY, PROBING, RECORDED, Seat, TIMED, TRACED, TRACING, URGENT, try_current,
    with_cache,
};
use crate::contain::contain;
use crate::homes;
use crate::queue::Queue;
use crate::record::What;
use crate::task::slot::{Address, Slot, TaskRef};
use crate::task::times;
use crate::worker::Worker;

impl Seat {
    /// Queues a task of this scheduler on this thread's worker.
    #[inline(always)]
    fn enqueue(&self, task: TaskRef, put: impl FnOnce(&mut Queue, &Worker)) {
        if self.unusual.get() & PROBING != 0 {
            self.shared.probe(self, task);
        }
        if !task.0.is_normal() {
            return self.shared.push_by_priority(task);
        }
        if self.within(put).is_none() {
            self.shared.inject(task);
        }
    }

    /// Puts a task at the tail of this worker's queue.
    #[inline(always)]
    pub(crate) fn push(&self, task: TaskRef) {
        self.enqueue(task, |queue, worker| {
            queue.push(&worker.public, task, |spilled| self.spill(spilled));
        });
    }

    /// Puts a task whose turn is over at the tail: behind what that turn had no room for, too.
    /// Else who starts more tasks in a turn than the queue holds would have the next turn before
    /// they have their first, and they would pile up without end.
    #[inline(always)]
    pub(crate) fn push_yielded(&self, task: TaskRef) {
        if self.spilled.get() {
            return self.push_behind_spilled(task);
        }
        self.push(task);
    }

    #[cold]
    #[inline(never)]
    fn push_behind_spilled(&self, task: TaskRef) {
        self.spilled.set(false);
        self.enqueue(task, |_, _| self.shared.put_behind(task));
    }

    /// Takes what this worker's full queue has no room for.
    fn spill(&self, task: TaskRef) {
        self.spilled.set(true);
        self.shared.spill(&self.cells, task);
    }

    /// Puts a task into this worker's queue whatever its priority.
    pub(crate) fn push_anywhere(&self, task: TaskRef) {
        self.within(|queue, worker| {
            queue.push(&worker.public, task, |spilled| self.spill(spilled));
        });
    }

    #[inline(always)]
    fn push_and_tell(&self, task: TaskRef) {
        self.push(task);
        self.tell();
    }

    /// Wakes somebody who could help, if help is of use.
    #[inline(always)]
    fn tell(&self) {
        // A glance without a fence: a worker just going to sleep is missed, which delays
        // parallelism until this worker's next maintenance and loses nothing.
        let quick = self.worker.as_ref().is_some_and(|worker| worker.is_quick());
        if self.shared.idle.any_sleeping() && !self.is_urgent() && !quick {
            self.call();
        }
    }

    #[cold]
    #[inline(never)]
    fn call(&self) {
        if self.brief.get() {
            // When the worker next looks into its queue: most are empty again by then, and to wake
            // a thread takes longer than many such turns.
            self.calling.set(true);
        } else {
            self.shared.wake_one();
        }
    }

    fn push_woken(&self, task: TaskRef) {
        if !self.is_urgent() {
            return self.push_and_tell(task);
        }
        self.enqueue(task, |queue, worker| {
            let spill = |spilled| self.spill(spilled);
            if self.shared.tuning.urgent_lane() {
                queue.push_urgent(&worker.public, task, spill);
            } else {
                queue.push(&worker.public, task, spill);
            }
        });
    }

    /// `told`: called before the task is queued if this turn is traced.
    #[inline(always)]
    fn push_receiver(&self, task: TaskRef, told: impl FnOnce()) {
        self.receivers.set(self.receivers.get() + 1);
        if self.unusual.get() != 0 || !task.0.is_normal() {
            self.if_tracing(told);
            return self.push_unusual_receiver(task);
        }
        let first = self.within(|queue, worker| {
            let first = queue.hand_off(task);
            if !first {
                queue.push(&worker.public, task, |spilled| self.spill(spilled));
            }
            first
        });
        match first {
            Some(true) => {}
            Some(false) => self.tell(),
            None => self.shared.inject(task),
        }
    }

    /// Calls `told` if the turn is traced.
    #[inline(always)]
    pub(crate) fn if_tracing(&self, told: impl FnOnce()) {
        if self.unusual.get() & TRACING != 0 {
            told();
        }
    }

    #[cold]
    #[inline(never)]
    fn push_unusual_receiver(&self, task: TaskRef) {
        if self.unusual.get() & (URGENT | NO_HAND_OFF) != 0 {
            return self.push_woken(task);
        }
        let mut first = true;
        self.enqueue(task, |queue, worker| {
            first = queue.hand_off(task);
            if !first {
                queue.push(&worker.public, task, |spilled| self.spill(spilled));
            }
        });
        if !first {
            self.tell();
        }
    }
}

/// Runs `f` with the seat if the task belongs to its scheduler; else injects the task.
#[inline(always)]
fn route(task: TaskRef, f: impl FnOnce(&Seat, TaskRef)) {
    let home = task.0.home.load(Ordering::Relaxed);
    let here = try_current(|seat| {
        let own = seat.shared.home == home;
        if own {
            f(seat, task);
        }
        own
    });
    if here != Some(true) {
        homes::inject_from_outside(home, task);
    }
}

/// Queues a new task.
#[inline(always)]
pub(crate) fn schedule_new(task: TaskRef) {
    route(task, |seat, task| {
        seat.left.set(seat.left.get() - 1);
        seat.cells.spawned.add(1);
        seat.push_and_tell(task);
    });
}

/// Queues a task that was woken.
#[inline]
pub(crate) fn schedule(task: TaskRef) {
    route(task, Seat::push_woken);
}

/// Queues a task that waited for the letter which is being sent to it, and takes the price of
/// sending from the turn: both in one look at the seat. `told`: called before that if the turn is
/// traced.
#[inline(always)]
pub(crate) fn schedule_receiver_of_letter(task: TaskRef, told: impl FnOnce()) {
    let home = task.0.home.load(Ordering::Relaxed);
    let here = try_current(|seat| {
        seat.count_send();
        let own = seat.shared.home == home;
        if own {
            seat.push_receiver(task, told);
        } else {
            seat.if_tracing(told);
        }
        own
    });
    if here != Some(true) {
        homes::inject_from_outside(home, task);
    }
}

/// Queues a task to which a message was handed over.
#[inline(always)]
pub(crate) fn schedule_receiver(task: TaskRef) {
    route(task, |seat, task| seat.push_receiver(task, || ()));
}

/// Makes a new task one of `home`, or of the calling thread's scheduler, and a child of the task
/// whose turn it is; `place`: where in the source it is started. `told`: called with its address
/// and the name of its body if the turn is traced.
#[inline(always)]
pub(crate) fn adopt(
    slot: &Slot,
    home: Option<u16>,
    place: &'static Location<'static>,
    told: fn(Address, &'static str),
) {
    let seat = try_current(|seat| (seat.shared.home, seat.address.get(), seat.settling.get()));
    let here = seat.map(|(here, ..)| here);
    let rare = seat.map_or(0, |(.., settling)| settling & (TIMED | RECORDED | TRACED));
    slot.set_parent(seat.map_or(NOBODY, |(_, parent, _)| parent));
    let home = home
        .or(here)
        .expect("a task is spawned from inside a task, or through a handle");
    slot.home.store(home, Ordering::Relaxed);
    if here != Some(home) {
        homes::count_foreign_spawn(home, slot, place);
        if rare & TRACED != 0 {
            tell_of_spawn(slot, told);
        }
    } else if rare != 0 {
        try_current(|seat| note_spawn(seat, slot, place));
        if rare & TRACED != 0 {
            tell_of_spawn(slot, told);
        }
    }
}

#[cold]
#[inline(never)]
fn note_spawn(seat: &Seat, slot: &Slot, place: &'static Location<'static>) {
    let (task, by) = (slot.address(), Address::from_bits(seat.address.get()));
    if seat.settling.get() & TIMED != 0 {
        times::begin(task, place);
    }
    seat.note(|| What::Spawn { task, by });
}

#[cold]
#[inline(never)]
fn tell_of_spawn(slot: &Slot, told: fn(Address, &'static str)) {
    let body = slot.vtable().map_or("", |vtable| (vtable.name)());
    contain(|| told(slot.address(), body));
}

/// Recycles a finished task's slot.
#[inline(always)]
pub(crate) fn recycle(slot: &'static Slot) {
    let home = slot.home.load(Ordering::Relaxed);
    let class = slot.class();
    let counted = try_current(|seat| {
        let own = seat.shared.home == home;
        if own {
            seat.cells.exited.add(1);
        }
        own
    });
    if counted != Some(true) {
        homes::count_foreign_exit(home);
    }
    with_cache(|cache| cache.slots[class].push(class, slot.into()));
}
