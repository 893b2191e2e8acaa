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
        let item = self.items.remove(key.index as usize);
        self.dead += 1;
        if self.dead > DEAD_MIN && self.dead > self.items.len() {
            self.sweep();
        }
        Some((item.at, item.value))
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
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 8) % bound
        }
    }

    /// A wheel beside a sorted map that does the same the obvious way.
    struct Twin {
        wheel: Wheel<u64>,
        model: BTreeMap<(u64, u64), Key>,
        now: u64,
        id: u64,
    }

    impl Twin {
        fn arm(&mut self, delay: u64) {
            let at = self.now + delay;
            let key = self.wheel.arm(at, self.id);
            self.model.insert((at, self.id), key);
            self.id += 1;
        }

        fn cancel(&mut self, nth: usize) {
            let Some((&(at, id), &key)) = self.model.iter().nth(nth) else {
                return;
            };
            assert_eq!(self.wheel.cancel(key), Some((at, id)));
            assert_eq!(self.wheel.cancel(key), None);
            self.model.remove(&(at, id));
        }

        fn advance(&mut self, by: u64, due_max: usize) {
            self.now += by;
            let mut due = Vec::new();
            let mut more = true;
            while more {
                let room = due.len() + due_max;
                more = self.wheel.advance(self.now, &mut due, room);
            }
            let mut expected = Vec::new();
            while let Some((&(at, id), _)) = self.model.first_key_value() {
                if at.div_ceil(TICK) > self.now / TICK {
                    break;
                }
                self.model.pop_first();
                expected.push(id);
            }
            due.sort_unstable();
            expected.sort_unstable();
            assert_eq!(due, expected, "at {}", self.now);
        }

        fn clear(&mut self) {
            let mut left = self.wheel.clear();
            left.sort_unstable();
            let mut expected: Vec<u64> = self.model.keys().map(|&(_, id)| id).collect();
            expected.sort_unstable();
            assert_eq!(left, expected);
            let keys = std::mem::take(&mut self.model).into_values();
            keys.for_each(|key| assert_eq!(self.wheel.cancel(key), None));
        }

        fn check(&mut self) {
            assert_eq!(self.wheel.len(), self.model.len());
            if let Some((&(at, _), _)) = self.model.first_key_value() {
                let next = self.wheel.next().expect("a timer is armed");
                assert!(next <= at.div_ceil(TICK) * TICK, "would be late");
            }
        }
    }

    #[test]
    fn the_wheel_does_what_a_sorted_map_does() {
        let delays = [3, 70, 5000, 300_000, 20_000_000, 1 << 40].map(|ticks| ticks * TICK);
        for seed in 1..6 {
            let mut random = Random(seed * 0x9E37_79B9);
            let mut twin = Twin {
                wheel: Wheel::new(),
                model: BTreeMap::new(),
                now: 0,
                id: 0,
            };
            for _ in 0..20_000 {
                match random.below(8) {
                    0..=3 => {
                        let delay = delays[random.below(6) as usize];
                        twin.arm(random.below(delay));
                    }
                    4 => twin.cancel(random.below(64) as usize),
                    5 => twin.advance(random.below(3_000_000 * TICK), 1 + random.below(9) as usize),
                    _ => twin.advance(random.below(300 * TICK), 1000),
                }
                twin.check();
                if random.below(4_000) == 0 {
                    twin.clear();
                }
            }
        }
    }

    #[test]
    fn timers_come_out_in_the_order_of_their_deadlines() {
        let mut wheel = Wheel::new();
        for at in [900, 100, 500] {
            wheel.arm(at, at);
        }
        let mut due = Vec::new();
        assert!(!wheel.advance(TICK, &mut due, 10));
        assert_eq!(due, [100, 500, 900]);
    }

    #[test]
    fn a_million_cancelled_timers_leave_no_memory_behind() {
        let mut wheel = Wheel::new();
        for round in 0..1_000_000 {
            let key = wheel.arm(1 << 50, round);
            assert!(wheel.cancel(key).is_some());
        }
        let held: usize = wheel.slots.iter().map(Vec::len).sum();
        assert!(held <= 2 * DEAD_MIN, "{held} dead entries are kept");
        assert!(wheel.items.capacity() <= 4);
    }
}
