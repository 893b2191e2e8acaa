//! What a thread of a scheduler has at hand: the worker it leases, its free lists, its turn.
//!
//! Tasks, wakers and futures find it through one thread-local pointer. A foreign thread has
//! none: its spawns and wakes go to the injector, its memory comes from a shared list.

mod enqueue;
mod note;

use std::cell::{Cell, UnsafeCell};
use std::sync::{Arc, Mutex, PoisonError};

use crate::arena::{CLASSES, FreeList};
use crate::inbox::Node;
use crate::lease::Lease;
use crate::queue::Queue;
use crate::shared::Shared;
use crate::stats::Cells;
use crate::task::slot::{Address, Slot};
use crate::worker::Worker;
pub(crate) use enqueue::{
    adopt, recycle, schedule, schedule_new, schedule_receiver, schedule_receiver_of_letter,
};

/// Free slots and letters.
pub(crate) struct Cache {
    pub(crate) slots: [FreeList<Slot>; CLASSES],
    pub(crate) nodes: FreeList<Node>,
}

impl Cache {
    pub(crate) const fn new() -> Self {
        Cache {
            slots: [const { FreeList::new() }; CLASSES],
            nodes: FreeList::new(),
        }
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        for (class, slots) in self.slots.iter().enumerate() {
            slots.give_all(class);
        }
        self.nodes.give_all(0);
    }
}

/// One of the scheduler's threads, seen from itself.
pub(crate) struct Seat {
    pub(crate) shared: Arc<Shared>,
    /// The worker this thread leases, or leased until its turn took too long. `None` on the
    /// threads for blocking work.
    pub(crate) worker: Option<Arc<Worker>>,
    pub(crate) lease: Arc<Lease>,
    pub(crate) cells: Arc<Cells>,
    cache: Cache,
    /// Between turns the thread is inside its lease throughout.
    inside: Cell<bool>,
    /// Reductions left in this turn.
    pub(crate) left: Cell<i64>,
    /// What sends into deep mailboxes have added to the price of this turn.
    pub(crate) flooded: Cell<i64>,
    /// What is to be done when a turn ends, if anything: `FLOODED`, `TIMED`, `RECORDED`, `TRACED`.
    pub(crate) settling: Cell<u8>,
    /// The worker's queue had no room since a turn was last over.
    spilled: Cell<bool>,
    slot: Cell<Option<&'static Slot>>,
    address: Cell<u64>,
    /// What the task asked for in this turn: `YIELDED`, `RECEIVING`, `MOVING`.
    wishes: Cell<u8>,
    /// What makes queuing a task unusual now: `URGENT`, `PROBING`, `NO_HAND_OFF`, `TRACING`.
    pub(crate) unusual: Cell<u8>,
    notes: note::Notes,
    /// Turns are short these days.
    pub(crate) brief: Cell<bool>,
    /// Help is wanted, if there is still something to do at the worker's next look into its queue.
    pub(crate) calling: Cell<bool>,
    /// Tasks woken by messages since the last maintenance.
    pub(crate) receivers: Cell<u64>,
    /// Letters sent since then, and those that lie on top of many others.
    pub(crate) sends: Cell<u64>,
    pub(crate) deep_sends: Cell<u64>,
}

/// The task asked to be queued again.
pub(crate) const YIELDED: u8 = 1;
/// The task waits for letters, among other things perhaps.
pub(crate) const RECEIVING: u8 = 2;
/// The task asked to go on as blocking work.
pub(crate) const MOVING: u8 = 4;

/// The task that runs has sent into deep mailboxes.
pub(crate) const FLOODED: u8 = 1;
/// Turns are timed: `Config::times`.
pub(crate) const TIMED: u8 = 2;
/// Turns and others are noted. Set and cleared between turns, as the recorder says.
pub(crate) const RECORDED: u8 = 4;
/// This turn is traced (`trace_turn`), and `TRACING` is set.
pub(crate) const TRACED: u8 = 8;

/// Wake-ups come from timers or readiness now.
pub(crate) const URGENT: u8 = 1;
/// Time the next wake-up.
pub(crate) const PROBING: u8 = 2;
/// Receivers go to the tail like everybody else: the hand-off slot is off.
pub(crate) const NO_HAND_OFF: u8 = 4;
/// What the task sends is told to its kind: from `trace_turn` to the end of the turn.
pub(crate) const TRACING: u8 = 8;

/// Addresses nobody: no task is running.
const NOBODY: u64 = u64::MAX;

thread_local! {
    static SEAT: Cell<*const Seat> = const { Cell::new(std::ptr::null()) };
}

/// The free lists of all foreign threads together.
static FOREIGN: Mutex<Cache> = Mutex::new(Cache::new());

/// The calling thread's seat, if it has one.
#[inline(always)]
pub(crate) fn try_current<R>(f: impl FnOnce(&Seat) -> R) -> Option<R> {
    let seat = SEAT.get();
    if seat.is_null() {
        return None;
    }
    // JUSTIFICATION: a `RefCell<Option<Rc<..>>>` here costs 2 ns, four times in a spawn and
    // message of 20.
    // SAFETY: `Seat::occupy` sets the pointer for exactly as long as the seat is borrowed.
    Some(f(unsafe { &*seat }))
}

/// The calling thread's seat, where there must be one.
#[inline(always)]
pub(crate) fn current<R>(f: impl FnOnce(&Seat) -> R) -> R {
    try_current(f).expect("this works only inside of a task, on its own turn")
}

#[inline(always)]
pub(crate) fn with_cache<R>(f: impl FnOnce(&Cache) -> R) -> R {
    let seat = SEAT.get();
    if seat.is_null() {
        return with_foreign_cache(f);
    }
    // SAFETY: as in `try_current`.
    f(unsafe { &(*seat).cache })
}

#[cold]
#[inline(never)]
fn with_foreign_cache<R>(f: impl FnOnce(&Cache) -> R) -> R {
    f(&FOREIGN.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The slot of the task that runs on this thread, which must be the one at `address`.
#[inline(always)]
pub(crate) fn current_slot(address: Address) -> &'static Slot {
    current(|seat| seat.own_slot(address))
}

/// The task with an inbox whose turn this is, if it is one's.
pub fn current_task() -> Option<Address> {
    let slot = try_current(|seat| seat.slot.get()).flatten()?;
    slot.has_inbox().then(|| slot.address())
}

impl Seat {
    pub(crate) fn new(shared: Arc<Shared>, worker: Option<Arc<Worker>>, lease: Arc<Lease>) -> Self {
        let cells = shared.register(worker.as_ref().map(|worker| worker.index));
        let hand_off = shared.tuning.hand_off();
        let timed = shared.config.times;
        Seat {
            shared,
            inside: Cell::new(worker.is_some()),
            worker,
            lease,
            cells,
            cache: Cache::new(),
            left: Cell::new(0),
            flooded: Cell::new(0),
            settling: Cell::new(if timed { TIMED } else { 0 }),
            spilled: Cell::new(false),
            slot: Cell::new(None),
            address: Cell::new(NOBODY),
            wishes: Cell::new(0),
            unusual: Cell::new(if hand_off { 0 } else { NO_HAND_OFF }),
            notes: note::Notes::default(),
            brief: Cell::new(false),
            calling: Cell::new(false),
            receivers: Cell::new(0),
            sends: Cell::new(0),
            deep_sends: Cell::new(0),
        }
    }

    /// Runs `f` as this thread's occupant of the seat.
    pub(crate) fn occupy<R>(&self, f: impl FnOnce(&Seat) -> R) -> R {
        struct Leave(*const Seat);
        impl Drop for Leave {
            fn drop(&mut self) {
                SEAT.set(self.0);
            }
        }
        let _leave = Leave(SEAT.replace(self));
        f(self)
    }

    /// The slot of the task that runs here, which must be the one at `address`.
    #[inline(always)]
    pub(crate) fn own_slot(&self, address: Address) -> &'static Slot {
        let own = self.address.get() == address.to_bits();
        let slot = if own { self.slot.get() } else { None };
        slot.expect("a task's own handle works on that task's turns only")
    }

    /// Is it this task's turn?
    pub(crate) fn has(&self, address: Address) -> bool {
        self.address.get() == address.to_bits()
    }

    pub(crate) fn slot(&self) -> Option<&'static Slot> {
        self.slot.get()
    }

    /// The task whose turn it is from now on, or nobody.
    #[inline(always)]
    pub(crate) fn set_slot(&self, slot: Option<&'static Slot>) {
        let address = slot.map_or(NOBODY, |slot| slot.address().to_bits());
        self.slot.set(slot);
        self.address.set(address);
        if slot.is_some() {
            self.cells.task.set(address);
        }
    }

    /// Leaves the lease for a turn.
    #[inline(always)]
    pub(crate) fn go_outside(&self) {
        self.inside.set(false);
        self.lease.leave();
    }

    /// Comes back from a turn; false when the worker is another thread's by now.
    #[inline(always)]
    pub(crate) fn come_inside(&self) -> bool {
        let leased = self.worker.is_some() && self.lease.enter();
        self.inside.set(leased);
        leased
    }

    /// Does this thread still lead its worker?
    pub(crate) fn leads(&self) -> bool {
        self.within(|_, _| ()).is_some()
    }

    /// Uses the worker's private half; `None` when this thread has no worker (any more). `f`
    /// must not wake, spawn or drop anything of a task's.
    #[inline(always)]
    pub(crate) fn within<R>(&self, f: impl FnOnce(&mut Queue, &Worker) -> R) -> Option<R> {
        let worker = self.worker.as_deref()?;
        let nested = self.inside.get();
        if !nested && !self.lease.enter() {
            return None;
        }
        // SAFETY: only the holder of the worker's lease gets here, and `f` does not call back
        // into this function, so the reference is the only one.
        let outcome = f(unsafe { &mut *worker.queue.0.get() }, worker);
        if !nested {
            self.lease.leave();
        }
        Some(outcome)
    }

    /// Takes the price of sending a letter from the turn.
    #[inline(always)]
    pub(crate) fn count_send(&self) {
        self.left.set(self.left.get() - 1);
        self.sends.set(self.sends.get() + 1);
    }

    /// Notes what the task asks for.
    #[inline(always)]
    pub(crate) fn wish(&self, wish: u8) {
        self.wishes.set(self.wishes.get() | wish);
    }

    pub(crate) fn wishes(&self) -> u8 {
        self.wishes.get()
    }

    /// What the task asked for, which is forgotten.
    #[inline(always)]
    pub(crate) fn take_wishes(&self) -> u8 {
        self.wishes.take()
    }

    /// Sets or clears one of the flags in `unusual`.
    pub(crate) fn set_unusual(&self, flag: u8, set: bool) {
        let others = self.unusual.get() & !flag;
        self.unusual.set(if set { others | flag } else { others });
    }

    /// Do wake-ups come from timers or readiness now?
    pub(crate) fn is_urgent(&self) -> bool {
        self.unusual.get() & URGENT != 0
    }

    pub(crate) fn count_panic(&self) {
        self.cells.panics.add(1);
    }
}

/// A worker's private half.
pub(crate) struct Private(UnsafeCell<Queue>);

// SAFETY: `Seat::within` and the rescuer reach it, both as holders of the worker's lease.
unsafe impl Sync for Private {}
// SAFETY: as above.
unsafe impl Send for Private {}

impl Private {
    pub(crate) fn new(queue: Queue) -> Self {
        Private(UnsafeCell::new(queue))
    }
}
