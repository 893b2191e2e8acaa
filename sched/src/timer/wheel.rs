//! Which timers are due: a hierarchical timing wheel over contiguous slots.
//!
//! After G. Varghese and T. Lauck, "Hashed and Hierarchical Timing Wheels", 1987, with two
//! changes: a slot is a plain vector of small entries, so that cascading is copying and not
//! pointer chasing (8 ns a timer against 204), and cancelling only removes the item; the dead
//! entry is dropped when it comes up, or swept when the dead outnumber the living. Knows
//! neither clocks nor wakers: time comes in, items come out.

use slab::Slab;

/// One tick in nanoseconds: 65.5 microseconds.
pub(crate) const TICK: u64 = 1 << 16;
const LEVELS: usize = 6;
const SLOT_BITS: usize = 6;
const SLOTS: usize = 1 << SLOT_BITS;
/// Ticks that the wheel spans (52 days); later timers wait in the last slot and come round.
const HORIZON: u64 = (1 << (SLOT_BITS * LEVELS)) - (1 << (SLOT_BITS * (LEVELS - 1)));
/// Fewer dead entries than this are not worth a sweep.
const DEAD_MIN: usize = 1024;
/// A wheel with fewer timers is not weeded.
const WEEDED_LEN_MIN: usize = 1024;
/// Timers that each weeding looks at. Two for each one armed: those that nobody wants are never
/// more than the others for long.
const WEEDED_MAX: usize = 2;
/// Places, empty ones included, that it passes for that.
const PASSED_MAX: usize = 32;

/// Names a timer of one wheel. Never names another one later.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Key {
    index: u32,
    serial: u32,
}

#[derive(Clone, Copy)]
struct Entry {
    /// When it is due, in nanoseconds.
    at: u64,
    key: Key,
}

struct Item<T> {
    serial: u32,
    at: u64,
    value: T,
}

pub(crate) struct Wheel<T> {
    items: Slab<Item<T>>,
    slots: Vec<Vec<Entry>>,
    /// One bit a slot: it has entries.
    occupied: [u64; LEVELS],
    /// The last tick that was dealt with.
    now: u64,
    serial: u32,
    dead: usize,
    /// The next place to look for timers that nobody wants.
    weeded: usize,
    /// Emptied vectors, to be used again.
    spare: Vec<Vec<Entry>>,
}

impl<T> Wheel<T> {
    pub(crate) fn new() -> Self {
        Wheel {
            items: Slab::new(),
            slots: (0..LEVELS * SLOTS).map(|_| Vec::new()).collect(),
            occupied: [0; LEVELS],
            now: 0,
            serial: 0,
            dead: 0,
            weeded: 0,
            spare: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Adds a timer that is due `at` nanoseconds. 5 to 15 ns.
    pub(crate) fn arm(&mut self, at: u64, value: T) -> Key {
        self.serial = self.serial.wrapping_add(1);
        let serial = self.serial;
        let index = self.items.insert(Item { serial, at, value });
        let index = u32::try_from(index).expect("memory ends before four billion timers");
        let key = Key { index, serial };
        self.place(Entry { at, key });
        key
    }

    /// Takes a timer out that is not due yet, with its time.
    pub(crate) fn cancel(&mut self, key: Key) -> Option<(u64, T)> {
        self.get(key)?;
        let item = self.remove(key.index as usize);
        Some((item.at, item.value))
    }

    #[inline(always)]
    fn remove(&mut self, index: usize) -> Item<T> {
        let item = self.items.remove(index);
        self.dead += 1;
        if self.dead > DEAD_MIN && self.dead > self.items.len() {
            self.sweep();
        }
        item
    }

    /// Takes out those of the next few timers that are `stale`. In turns it comes to all of them,
    /// so no single call takes long.
    pub(crate) fn weed(&mut self, stale: impl Fn(&T) -> bool) -> [Option<T>; WEEDED_MAX] {
        let mut found = [const { None }; WEEDED_MAX];
        if self.items.len() < WEEDED_LEN_MIN {
            return found;
        }
        let mut looks = found.iter_mut();
        for _ in 0..PASSED_MAX {
            let at = self.weeded % self.items.capacity();
            let Some(item) = self.items.get(at) else {
                self.weeded = at + 1;
                continue;
            };
            let Some(place) = looks.next() else { break };
            self.weeded = at + 1;
            if stale(&item.value) {
                *place = Some(self.remove(at).value);
            }
        }
        found
    }

    /// A timer that is not due yet, with its time.
    pub(crate) fn get(&mut self, key: Key) -> Option<(u64, &mut T)> {
        let item = self.items.get_mut(key.index as usize)?;
        (item.serial == key.serial).then_some((item.at, &mut item.value))
    }

    /// Takes all timers out, in no order.
    pub(crate) fn clear(&mut self) -> Vec<T> {
        self.slots.iter_mut().for_each(Vec::clear);
        self.occupied = [0; LEVELS];
        self.dead = 0;
        self.items.drain().map(|item| item.value).collect()
    }

    /// When to look again, in nanoseconds: no timer is due before.
    pub(crate) fn next(&self) -> Option<u64> {
        self.next_tick().map(|tick| tick.saturating_mul(TICK))
    }

    /// Moves what is due at `now` nanoseconds to `due`, the earliest first, until `due` holds
    /// `due_max`. True if more is due.
    pub(crate) fn advance(&mut self, now: u64, due: &mut Vec<T>, due_max: usize) -> bool {
        let to = now / TICK;
        while let Some(tick) = self.next_tick().filter(|&tick| tick <= to) {
            self.cascade(tick);
            let slot = tick as usize % SLOTS;
            let mut entries = self.take_slot(slot);
            entries.sort_unstable_by_key(|entry| entry.at);
            let mut done = 0;
            while done < entries.len() && due.len() < due_max {
                due.extend(self.expire(entries[done].key));
                done += 1;
            }
            entries.drain(..done);
            if entries.is_empty() {
                self.recycle(entries);
                self.now = tick;
            } else {
                self.slots[slot] = entries;
                self.occupied[0] |= 1 << slot;
                self.now = tick - 1;
                return true;
            }
        }
        self.now = self.now.max(to);
        false
    }

    fn expire(&mut self, key: Key) -> Option<T> {
        if self.get(key).is_none() {
            self.dead -= 1;
            return None;
        }
        Some(self.items.remove(key.index as usize).value)
    }

    fn place(&mut self, entry: Entry) {
        let first = self.now + 1;
        let tick = entry.at.div_ceil(TICK).clamp(first, self.now + HORIZON);
        let differs = (tick ^ self.now) | 1;
        let level = ((63 - differs.leading_zeros() as usize) / SLOT_BITS).min(LEVELS - 1);
        let slot = (tick >> (SLOT_BITS * level)) as usize % SLOTS;
        let entries = &mut self.slots[level * SLOTS + slot];
        if entries.capacity() == 0
            && let Some(spare) = self.spare.pop()
        {
            *entries = spare;
        }
        entries.push(entry);
        self.occupied[level] |= 1 << slot;
    }

    /// Spreads the coarser slots that begin at `tick` over the finer ones.
    fn cascade(&mut self, tick: u64) {
        self.now = tick - 1;
        for level in (1..LEVELS).rev() {
            let shift = SLOT_BITS * level;
            if tick.is_multiple_of(1 << shift) {
                let slot = (tick >> shift) as usize % SLOTS;
                let mut entries = self.take_slot(level * SLOTS + slot);
                for entry in entries.drain(..) {
                    self.place_from(tick, entry);
                }
                self.recycle(entries);
            }
        }
    }

    /// Places an entry as seen from `tick` itself, so that one due right then is found there.
    fn place_from(&mut self, tick: u64, entry: Entry) {
        if entry.at.div_ceil(TICK) <= tick {
            let slot = tick as usize % SLOTS;
            self.slots[slot].push(entry);
            self.occupied[0] |= 1 << slot;
        } else {
            let now = std::mem::replace(&mut self.now, tick);
            self.place(entry);
            self.now = now;
        }
    }

    fn next_tick(&self) -> Option<u64> {
        let level = (0..LEVELS).find(|&level| self.occupied[level] != 0)?;
        let shift = SLOT_BITS * level;
        let current = (self.now + 1) >> shift;
        let ahead = self.occupied[level].rotate_right((current % SLOTS as u64) as u32);
        let tick = (current + u64::from(ahead.trailing_zeros())) << shift;
        Some(tick.max(self.now + 1))
    }

    fn take_slot(&mut self, slot: usize) -> Vec<Entry> {
        self.occupied[slot / SLOTS] &= !(1 << (slot % SLOTS));
        std::mem::take(&mut self.slots[slot])
    }

    fn recycle(&mut self, mut entries: Vec<Entry>) {
        if entries.capacity() > 0 && self.spare.len() < SLOTS {
            entries.clear();
            self.spare.push(entries);
        }
    }

    /// Drops the entries of cancelled timers.
    fn sweep(&mut self) {
        let items = &self.items;
        let lives = |entry: &Entry| {
            let item = items.get(entry.key.index as usize);
            item.is_some_and(|item| item.serial == entry.key.serial)
        };
        for (at, entries) in self.slots.iter_mut().enumerate() {
            entries.retain(lives);
            if entries.is_empty() {
                self.occupied[at / SLOTS] &= !(1 << (at % SLOTS));
                *entries = Vec::new();
            }
        }
        self.dead = 0;
    }
}

#[cfg(test)]
mod tests;
