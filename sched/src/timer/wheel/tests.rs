//! The wheel beside a sorted map, and what it keeps of what is gone.

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
fn weeding_takes_all_stale_timers_and_no_others() {
    let mut wheel = Wheel::new();
    let keys: Vec<Key> = (0..10_000).map(|at| wheel.arm(1 << 40, at)).collect();
    let mut weeded = Vec::new();
    for _ in 0..5_000 {
        weeded.extend(wheel.weed(|at| at % 3 == 0).into_iter().flatten());
    }
    assert_eq!(weeded, (0..10_000).step_by(3).collect::<Vec<_>>());
    for (at, key) in keys.into_iter().enumerate() {
        assert_eq!(wheel.cancel(key).is_some(), at % 3 != 0);
    }
}

#[test]
fn a_million_stale_timers_leave_no_memory_behind() {
    let mut wheel = Wheel::new();
    let kept: Vec<Key> = (0..500).map(|_| wheel.arm(1 << 50, 1)).collect();
    for _ in 0..1_000_000 {
        wheel.arm(1 << 50, 0);
        let _ = wheel.weed(|value| *value == 0);
        assert!(wheel.len() <= 2 * WEEDED_LEN_MIN, "{} timers", wheel.len());
    }
    let held: usize = wheel.slots.iter().map(Vec::len).sum();
    assert!(held <= 4 * DEAD_MIN, "{held} entries are kept");
    assert!(kept.into_iter().all(|key| wheel.cancel(key).is_some()));
}

/// Most places are empty then, and the few that are not must be found all the same.
#[test]
fn stale_timers_are_found_in_a_wheel_that_was_much_larger() {
    let mut wheel = Wheel::new();
    let keys: Vec<Key> = (0..100_000).map(|at| wheel.arm(1 << 50, at)).collect();
    let cancelled = keys[..98_000].iter().map(|key| wheel.cancel(*key));
    assert_eq!(cancelled.flatten().count(), 98_000);
    for _ in 0..2 * 100_000 / PASSED_MAX {
        let _ = wheel.weed(|_| true);
    }
    assert!(wheel.len() <= WEEDED_LEN_MIN, "{} timers", wheel.len());
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
