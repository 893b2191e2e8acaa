//! Who waits for whose answer, as anybody may see without asking or waking anybody.
//!
//! A table beside the scheduler's slots, made for those parts of it where somebody calls: 16 bytes a
//! place. The caller writes on its own turns, with plain stores; what is read is of some moment.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rusm_sched::Address;

use crate::node::is_alive;
use crate::pid::Pid;

/// Places of one table.
const TABLE: usize = 1024;
/// Tables of one row, and rows: a place for each slot there can be.
const ROW: usize = 256;

type Table = Box<[Place]>;
type Row = Box<[OnceLock<Table>]>;

static ROWS: [OnceLock<Row>; ROW] = [const { OnceLock::new() }; ROW];

struct Place {
    /// Who waits, or nobody: the slot's next tenants are others.
    caller: AtomicU64,
    asked: AtomicU64,
}

impl Place {
    fn new() -> Self {
        let nobody = Address::NOBODY.to_bits();
        Place {
            caller: AtomicU64::new(nobody),
            asked: AtomicU64::new(nobody),
        }
    }

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

fn row_and_table(index: u32) -> (usize, usize) {
    let table = index as usize / TABLE;
    (table / ROW % ROW, table % ROW)
}

/// A place that was made already.
#[inline]
fn find(index: u32) -> Option<&'static Place> {
    let (row, table) = row_and_table(index);
    let table = ROWS[row].get()?[table].get()?;
    Some(&table[index as usize % TABLE])
}

#[cold]
#[inline(never)]
fn make(index: u32) -> &'static Place {
    let (row, table) = row_and_table(index);
    let row = ROWS[row].get_or_init(|| (0..ROW).map(|_| OnceLock::new()).collect());
    let table = row[table].get_or_init(|| (0..TABLE).map(|_| Place::new()).collect());
    &table[index as usize % TABLE]
}

/// `caller`, whose turn it is, waits for an answer of `asked` from now on. About 2 ns.
#[inline]
pub(super) fn begin(caller: Pid, asked: Pid) {
    let index = caller.address().index();
    let place = find(index).unwrap_or_else(|| make(index));
    place.asked.store(asked.to_bits(), Ordering::Relaxed);
    // Pairs with the load in `read`.
    place.caller.store(caller.to_bits(), Ordering::Release);
}

/// `caller` waits no more.
#[inline]
pub(super) fn end(caller: Pid) {
    if let Some(place) = find(caller.address().index()) {
        let nobody = Address::NOBODY.to_bits();
        place.caller.store(nobody, Ordering::Relaxed);
    }
}

/// Whose answer `pid` waits for in a call, if it does; of several at once, one. Good for tables that
/// a person reads: it may be over when this returns, unless `pid` has had no turn since before. About 5 ns.
pub fn awaited(pid: Pid) -> Option<Pid> {
    let (caller, asked) = find(pid.address().index())?.read()?;
    (caller == pid).then_some(asked)
}

/// The calls in this program that wait for their answer, `max` at most: who waits, and for whom. As
/// [`awaited`], of all processes of all nodes; 1 ns for each place of a process that has ever called.
pub fn pending_calls(max: usize) -> Vec<(Pid, Pid)> {
    let rows = ROWS.iter().filter_map(OnceLock::get);
    let tables = rows.flat_map(|row| row.iter().filter_map(OnceLock::get));
    let places = tables.flat_map(|table| table.iter());
    places.filter_map(Place::read).take(max).collect()
}
