//! Who waits for whose answer, as anybody may see without asking or waking anybody.
//!
//! In a table beside the scheduler's slots (`beside.rs`), 16 bytes a place. The caller writes on its own turns, with plain stores; what is read is of some moment.

use std::sync::atomic::{AtomicU64, Ordering};

use rusm_sched::Address;

use crate::beside::Beside;
use crate::node::is_alive;
use crate::pid::Pid;

static PLACES: Beside<Place> = Beside::new();

struct Place {
    /// Who waits, or nobody: the slot's next tenants are others.
    caller: AtomicU64,
    asked: AtomicU64,
}

impl Default for Place {
    fn default() -> Self {
        let nobody = Address::NOBODY.to_bits();
        Place {
            caller: AtomicU64::new(nobody),
            asked: AtomicU64::new(nobody),
        }
    }
}

impl Place {
    fn read(&self) -> Option<(Pid, Pid)> {
        // Pairs with the store in `begin`: what follows is at least as new.
        let caller = self.caller.load(Ordering::Acquire);
        let asked = self.asked.load(Ordering::Relaxed);
        if caller == Address::NOBODY.to_bits() {
            return None;
        }
        let caller = Pid::from_bits(caller);
        is_alive(caller).then(|| (caller, Pid::from_bits(asked)))
    }
}

/// `caller`, whose turn it is, waits for an answer of `asked` from now on. About 2 ns.
#[inline]
pub(super) fn begin(caller: Pid, asked: Pid) {
    let place = PLACES.of(caller);
    place.asked.store(asked.to_bits(), Ordering::Relaxed);
    // Pairs with the load in `read`.
    place.caller.store(caller.to_bits(), Ordering::Release);
}

/// `caller` waits no more.
#[inline]
pub(super) fn end(caller: Pid) {
    if let Some(place) = PLACES.find(caller) {
        let nobody = Address::NOBODY.to_bits();
        place.caller.store(nobody, Ordering::Relaxed);
    }
}

/// Whose answer `pid` waits for in a call, if it does; of several at once, one. Good for tables that
/// a person reads: it may be over when this returns, unless `pid` has had no turn since before. About 5 ns.
pub fn awaited(pid: Pid) -> Option<Pid> {
    let (caller, asked) = PLACES.find(pid)?.read()?;
    (caller == pid).then_some(asked)
}

/// The calls in this program that wait for their answer, `max` at most: who waits, and for whom. As
/// [`awaited`], of all processes of all nodes; 1 ns for each place of a process that has ever called.
pub fn pending_calls(max: usize) -> Vec<(Pid, Pid)> {
    PLACES.all().filter_map(Place::read).take(max).collect()
}
