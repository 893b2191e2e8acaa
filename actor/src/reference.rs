//! References: names for one monitor, timer, alias or call, never used twice.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Names one monitor, timer, alias or call of one process. Unique in this program, without a
/// visible order, and no secret: who has one can compute its neighbours, so nothing may be
/// granted for knowing one. Eight bytes, `Copy`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference(u64);

/// References a thread takes at once, so that threads do not meet at the counter.
const BLOCK: u64 = 1 << 16;

impl Reference {
    /// A fresh one. About 2 ns.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        thread_local! {
            static OWN: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
        }
        let (mut next, mut end) = OWN.get();
        if next == end {
            next = NEXT.fetch_add(BLOCK, Ordering::Relaxed);
            end = next + BLOCK;
        }
        OWN.set((next + 1, end));
        Reference(scramble(next ^ secret()))
    }

    /// Grows with each reference that one thread makes: who was there first.
    pub(crate) fn age(self) -> u64 {
        unscramble(self.0) ^ secret()
    }

    /// The reference as a number, for hosts and wires.
    pub fn to_bits(self) -> u64 {
        self.0
    }

    /// From what `to_bits` gave. Any number is safe: most name nothing.
    pub fn from_bits(bits: u64) -> Self {
        Reference(bits)
    }
}

/// Differs in each run of the program.
fn secret() -> u64 {
    static SECRET: OnceLock<u64> = OnceLock::new();
    *SECRET.get_or_init(|| RandomState::new().hash_one(0_u64))
}

/// Maps numbers one to one to numbers without a visible order: the finalizer of SplitMix64
/// (G. Steele, D. Lea and C. Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
fn scramble(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ number >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ number >> 31
}

/// Undoes `scramble`: each multiplier is the other's inverse modulo 2^64.
fn unscramble(number: u64) -> u64 {
    let number = number ^ number >> 31 ^ number >> 62;
    let number = number.wrapping_mul(0x3196_42B2_D24D_8EC3);
    let number = (number ^ number >> 27 ^ number >> 54).wrapping_mul(0x96DE_1B17_3F11_9089);
    number ^ number >> 30 ^ number >> 60
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#Ref<{:016x}>", self.0)
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A table by reference. Most processes have one entry at most, which needs no memory of its
/// own: two allocations less for a child that is started, watched and ends.
#[derive(Default)]
pub(crate) enum References<V> {
    #[default]
    None,
    One(Reference, V),
    Many(HashMap<Reference, V, BuildHasherDefault<Scrambled>>),
}

impl<V> References<V> {
    #[inline]
    pub(crate) fn insert(&mut self, reference: Reference, value: V) {
        match self {
            References::None => *self = References::One(reference, value),
            References::One(..) => self.insert_second(reference, value),
            References::Many(many) => drop(many.insert(reference, value)),
        }
    }

    #[cold]
    fn insert_second(&mut self, reference: Reference, value: V) {
        *self = match std::mem::take(self) {
            References::One(other, before) if other != reference => {
                let both = [(other, before), (reference, value)];
                References::Many(both.into_iter().collect())
            }
            _ => References::One(reference, value),
        };
    }

    pub(crate) fn remove(&mut self, reference: Reference) -> Option<V> {
        match self {
            References::One(one, _) if *one == reference => match std::mem::take(self) {
                References::One(_, value) => Some(value),
                References::None | References::Many(_) => None,
            },
            References::None | References::One(..) => None,
            References::Many(many) => many.remove(&reference),
        }
    }

    pub(crate) fn get(&self, reference: Reference) -> Option<&V> {
        match self {
            References::One(one, value) => (*one == reference).then_some(value),
            References::None => None,
            References::Many(many) => many.get(&reference),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Reference, &V)> {
        let (one, many) = match self {
            References::None => (None, None),
            References::One(reference, value) => (Some((*reference, value)), None),
            References::Many(many) => (None, Some(many)),
        };
        let many = many.into_iter().flat_map(|many| many.iter());
        one.into_iter()
            .chain(many.map(|(reference, value)| (*reference, value)))
    }

    /// Calls `f` with each entry, the oldest reference first: what is told to others must not
    /// depend on how references are scrambled, or a seed of the simulation would repeat no run.
    pub(crate) fn for_each_in_order(&self, mut f: impl FnMut(Reference, &V)) {
        match self {
            References::None => {}
            References::One(reference, value) => f(*reference, value),
            References::Many(many) => {
                let mut many: Vec<_> = many.iter().collect();
                many.sort_unstable_by_key(|(reference, _)| reference.age());
                many.into_iter().for_each(|(key, value)| f(*key, value));
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = References::None;
    }
}

/// References are scrambled already, so they are their own hashes.
#[derive(Default)]
pub(crate) struct Scrambled(u64);

impl Hasher for Scrambled {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("references hash as one number");
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, HashSet};

    #[test]
    fn a_table_does_what_a_sorted_map_does() {
        let (mut table, mut model) = (References::default(), BTreeMap::new());
        let references: Vec<_> = (0..4).map(|_| Reference::new()).collect();
        for step in 0..4_usize.pow(5) {
            let reference = references[step % 4];
            if step / 4 % 3 < 1 + step / 256 % 2 {
                table.insert(reference, step);
                model.insert(reference, step);
            } else {
                assert_eq!(table.remove(reference), model.remove(&reference));
            }
            let mut all: Vec<_> = table.iter().map(|(key, value)| (key, *value)).collect();
            all.sort_unstable();
            assert_eq!(all, model.iter().map(|(k, v)| (*k, *v)).collect::<Vec<_>>());
            assert_eq!(table.get(reference), model.get(&reference));
        }
    }

    #[test]
    fn a_table_is_gone_through_from_the_oldest_reference_on() {
        let references: Vec<_> = (0..100).map(|_| Reference::new()).collect();
        let mut table = References::default();
        references
            .iter()
            .rev()
            .for_each(|key| table.insert(*key, ()));
        let mut order = Vec::new();
        table.for_each_in_order(|key, ()| order.push(key));
        assert_eq!(order, references);
    }

    #[test]
    fn references_of_all_threads_differ() {
        let make = || (0..100_000).map(|_| Reference::new()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(make)).collect();
        let made = threads.into_iter().map(|thread| thread.join());
        let all: HashSet<_> = made.flat_map(|made| made.expect("no panic")).collect();
        assert_eq!(all.len(), 400_000);
    }
}
