//! References: names for one monitor, timer, alias or call, never used twice.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Names one monitor, timer, alias or call of one process. Unique in this program, and not to
/// be guessed from others: eight bytes, `Copy`.
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

/// A table by reference: those are scrambled already, so they are their own hashes.
pub(crate) type References<V> = HashMap<Reference, V, BuildHasherDefault<Scrambled>>;

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
    use std::collections::HashSet;

    #[test]
    fn references_of_all_threads_differ() {
        let make = || (0..100_000).map(|_| Reference::new()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(make)).collect();
        let made = threads.into_iter().map(|thread| thread.join());
        let all: HashSet<_> = made.flat_map(|made| made.expect("no panic")).collect();
        assert_eq!(all.len(), 400_000);
    }
}
