//! How long each task has run, when its latest turn ended and where it was started, kept beside the
//! slots if at all.
//!
//! A slot's header is full, and a clock reading costs more than a message: so this is asked for by
//! `Config::times`, and tables are made for the parts of the slot table that are used with it. An
//! entry is its slot's for ever, like the slot itself, and says which tenant it is about.

use std::panic::Location;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use crossbeam_utils::atomic::AtomicCell;

use super::slot::Address;

/// Entries of one table.
const TABLE: usize = 1024;
/// Tables of one row: with as many rows, one for each slot there can be.
const ROW: usize = 256;
/// Looks at an entry that is being written; its writer may have been taken off its processor.
const LOOKS_MAX: u32 = 100;

type Table = Box<[Entry]>;
type Row = Box<[OnceLock<Table>]>;

static ROWS: [OnceLock<Row>; ROW] = [const { OnceLock::new() }; ROW];

/// What is kept of a task. Nanoseconds on its scheduler's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    /// How long its turns have taken, all together.
    pub(crate) ran: u64,
    /// When the latest one ended; none has before the first one has.
    pub(crate) ended: Option<u64>,
    /// Where in the source it was started.
    pub(crate) place: Place,
}

type Place = Option<&'static Location<'static>>;

/// Later than any turn's end.
const NEVER: u64 = u64::MAX;
/// The table is written once a turn: not under a lock.
const _: () = assert!(AtomicCell::<Place>::is_lock_free());

/// Written by whoever owns the task, read by anybody: who sees the version change looks again.
struct Entry {
    /// Odd while it is being written.
    version: AtomicU32,
    generation: AtomicU32,
    ran: AtomicU64,
    ended: AtomicU64,
    place: AtomicCell<Place>,
}

impl Entry {
    fn new() -> Self {
        Entry {
            version: AtomicU32::new(0),
            // Of the last tenant that there can be: it finds zeros here, which is true.
            generation: AtomicU32::new(u32::MAX),
            ran: AtomicU64::new(0),
            ended: AtomicU64::new(NEVER),
            place: AtomicCell::new(None),
        }
    }

    /// Owner only.
    fn write(&self, generation: u32, times: Times) {
        let version = self.version.load(Ordering::Relaxed);
        self.version
            .store(version.wrapping_add(1), Ordering::Relaxed);
        // Whoever sees any of the following sees the odd version, too: pairs with `read`.
        fence(Ordering::Release);
        self.generation.store(generation, Ordering::Relaxed);
        self.ran.store(times.ran, Ordering::Relaxed);
        let ended = times.ended.unwrap_or(NEVER);
        self.ended.store(ended, Ordering::Relaxed);
        self.place.store(times.place);
        self.version
            .store(version.wrapping_add(2), Ordering::Release);
    }

    fn glance(&self) -> (u32, Times) {
        let ended = self.ended.load(Ordering::Relaxed);
        let times = Times {
            ran: self.ran.load(Ordering::Relaxed),
            ended: (ended != NEVER).then_some(ended),
            place: self.place.load(),
        };
        (self.generation.load(Ordering::Relaxed), times)
    }

    fn read(&self) -> (u32, Times) {
        for _ in 0..LOOKS_MAX {
            let version = self.version.load(Ordering::Acquire);
            let seen = self.glance();
            fence(Ordering::Acquire);
            if version.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == version {
                return seen;
            }
            std::hint::spin_loop();
        }
        self.glance()
    }
}

/// Begins the entry of a task that is being started at `place`. Its owner only. About 5 ns.
#[cold]
pub(crate) fn begin(address: Address, place: &'static Location<'static>) {
    let times = Times {
        place: Some(place),
        ..Times::default()
    };
    entry(address).write(address.generation(), times);
}

/// Adds a turn to what the task at `address` has run. Its owner only. About 5 ns.
pub(crate) fn add(address: Address, ran: u64, ended: u64) {
    let entry = entry(address);
    let (generation, before) = entry.glance();
    let own = generation == address.generation();
    let before = if own { before } else { Times::default() };
    let times = Times {
        ran: before.ran.saturating_add(ran),
        ended: Some(ended),
        ..before
    };
    entry.write(address.generation(), times);
}

/// The entry for the task at `address`, made now if need be.
fn entry(address: Address) -> &'static Entry {
    let (row, table, place) = places(address);
    let new_row = || (0..ROW).map(|_| OnceLock::new()).collect();
    let new_table = || (0..TABLE).map(|_| Entry::new()).collect();
    &ROWS[row].get_or_init(new_row)[table].get_or_init(new_table)[place]
}

/// What is kept of the task at `address`, if anything.
pub(crate) fn of(address: Address) -> Option<Times> {
    let (row, table, place) = places(address);
    let table = ROWS.get(row)?.get()?.get(table)?.get()?;
    let (generation, times) = table.get(place)?.read();
    (generation == address.generation()).then_some(times)
}

fn places(address: Address) -> (usize, usize, usize) {
    let index = address.index() as usize;
    (index / (ROW * TABLE), index / TABLE % ROW, index % TABLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slots that no test of this program gets as far as.
    fn far(index: u32, generation: u32) -> Address {
        Address::new((1 << 26) - 1 - index, generation)
    }

    fn ran(address: Address) -> Option<(u64, Option<u64>)> {
        of(address).map(|times| (times.ran, times.ended))
    }

    #[test]
    fn turns_add_up_and_a_later_tenant_begins_at_nothing() {
        assert_eq!(of(far(0, 7)), None);
        let here = Location::caller();
        begin(far(0, 7), here);
        assert_eq!(ran(far(0, 7)), Some((0, None)));
        add(far(0, 7), 30, 100);
        add(far(0, 7), 12, 200);
        assert_eq!(ran(far(0, 7)), Some((42, Some(200))));
        assert_eq!(of(far(0, 7)).and_then(|times| times.place), Some(here));
        assert_eq!(of(far(0, 8)), None);
        add(far(0, 8), 5, 300);
        assert_eq!(ran(far(0, 8)), Some((5, Some(300))));
        assert_eq!(of(far(0, 8)).and_then(|times| times.place), None);
        assert_eq!(of(far(0, 7)), None);
        assert_eq!(of(far(1, 7)), None);
    }

    #[test]
    fn nothing_is_known_of_addresses_that_no_slot_can_have() {
        assert_eq!(of(Address::NOBODY), None);
        assert_eq!(of(Address::new(1 << 26, 0)), None);
    }

    #[test]
    fn whoever_looks_sees_the_sum_and_the_end_of_the_same_turn() {
        const TURNS: u64 = 20_000;
        let task = far(2, 1);
        std::thread::scope(|threads| {
            threads.spawn(|| {
                for turn in 1..=TURNS {
                    add(task, 3, turn);
                }
            });
            let mut last = 0;
            while last < TURNS {
                let Some((ran, Some(ended))) = ran(task) else {
                    continue;
                };
                assert_eq!(ran, 3 * ended);
                assert!(ended >= last);
                last = ended;
            }
        });
    }
}
