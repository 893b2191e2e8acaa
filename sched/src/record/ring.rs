//! A ring of records with one writer: the newest ones stay, and readers disturb nobody.
//!
//! The writer says how many it has written only after it wrote one, and never waits. A reader copies
//! what there seems to be, looks at that number again and lets go of all that may have been written
//! over meanwhile: so what it keeps is whole. Knows records as a few numbers.

use crate::sync::{AtomicU64, Ordering, fence};

/// Tries of a reader that was overtaken by the writer, ring and all.
const READS_MAX: u32 = 4;

/// Records of `WORDS` numbers.
pub(crate) struct Ring<const WORDS: usize> {
    /// How many were written so far: number `n` lies in slot `n % slots.len()`.
    written: AtomicU64,
    /// The same, for the writer alone: loom remembers only the latest access to an atomic, and would
    /// try nothing where the writer reads what it is about to write.
    next: AtomicU64,
    /// One more than are kept: one may be half written.
    slots: Box<[[AtomicU64; WORDS]]>,
}

/// What a reader found.
pub(crate) struct Copied<const WORDS: usize> {
    /// The oldest first.
    pub(crate) records: Vec<[u64; WORDS]>,
    /// Those before them, which are gone.
    pub(crate) missed: u64,
}

impl<const WORDS: usize> Ring<WORDS> {
    /// Keeps the latest `records_max`.
    pub(crate) fn new(records_max: usize) -> Self {
        let slot = |_| std::array::from_fn(|_| AtomicU64::new(0));
        Ring {
            written: AtomicU64::new(0),
            next: AtomicU64::new(0),
            slots: (0..=records_max).map(slot).collect(),
        }
    }

    /// Its one writer only; who takes the ring over from another one has synchronised with it.
    pub(crate) fn push(&self, record: [u64; WORDS]) {
        let number = self.next.load(Ordering::Relaxed);
        self.next.store(number + 1, Ordering::Relaxed);
        // Whoever sees any of the following sees the number of all before it, too: pairs with
        // the fence in `read_once`.
        fence(Ordering::Release);
        for (word, value) in self.slot(number).iter().zip(record) {
            word.store(value, Ordering::Relaxed);
        }
        // Release: pairs with the first load in `read_once`.
        self.written.store(number + 1, Ordering::Release);
    }

    fn slot(&self, number: u64) -> &[AtomicU64; WORDS] {
        &self.slots[(number % self.slots.len() as u64) as usize]
    }

    /// What it holds now. From any thread.
    pub(crate) fn read(&self) -> Copied<WORDS> {
        let mut copied = self.read_once();
        for _ in 1..READS_MAX {
            if !copied.records.is_empty() || copied.missed == 0 {
                break;
            }
            copied = self.read_once();
        }
        copied
    }

    fn read_once(&self) -> Copied<WORDS> {
        let kept_max = self.slots.len() as u64 - 1;
        let end = self.written.load(Ordering::Acquire);
        let begin = end.saturating_sub(kept_max);
        let copy = |number| {
            let slot = self.slot(number);
            std::array::from_fn(|at| slot[at].load(Ordering::Relaxed))
        };
        let mut records: Vec<[u64; WORDS]> = (begin..end).map(copy).collect();
        fence(Ordering::Acquire);
        let now = self.written.load(Ordering::Relaxed);
        // The slot of number `now` may be half written: what lay there was `now - slots`.
        let missed = now.saturating_sub(kept_max).clamp(begin, end);
        records.drain(..(missed - begin) as usize);
        Copied { records, missed }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_kept_in_order_and_the_others_counted() {
        let ring = Ring::<2>::new(3);
        for written in 0..10_u64 {
            let copied = ring.read();
            let missed = written.saturating_sub(3);
            let expected: Vec<[u64; 2]> = (missed..written).map(|n| [n, n * n]).collect();
            assert_eq!((copied.records, copied.missed), (expected, missed));
            ring.push([written, written * written]);
        }
    }

    #[test]
    fn what_is_read_while_it_is_written_is_whole_and_without_gaps() {
        let ring = Ring::<4>::new(64);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..200_000 {
                    ring.push([number; 4]);
                }
            });
            loop {
                let copied = ring.read();
                for (number, record) in (copied.missed..).zip(&copied.records) {
                    assert_eq!(*record, [number; 4]);
                }
                if copied.missed + copied.records.len() as u64 == 200_000 {
                    break;
                }
            }
        });
    }
}

#[cfg(loom)]
mod models {
    //! Can a reader keep a record that is half an older one and half a newer one?

    use super::Ring;
    use loom::sync::Arc;
    use loom::thread;

    #[test]
    fn loom_a_record_that_is_read_while_it_is_written_over_is_let_go() {
        loom::model(|| {
            let ring = Arc::new(Ring::<2>::new(1));
            let writer = {
                let ring = ring.clone();
                thread::spawn(move || (0..3).for_each(|number| ring.push([number; 2])))
            };
            let copied = ring.read_once();
            for (number, record) in (copied.missed..).zip(&copied.records) {
                assert_eq!(*record, [number; 2], "torn, or another one");
            }
            writer.join().expect("the writer does not panic");
            assert_eq!(ring.read_once().records, [[2, 2]]);
        });
    }
}
