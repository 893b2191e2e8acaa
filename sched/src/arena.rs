//! Recycled memory: blocks on per-thread free lists that move between threads in magazines.
//!
//! Blocks are carved from chunks that are never given back, so a stale pointer to a block can
//! always be *read*; whether it may be *used* is for the block's own generation to decide.
//! Knows neither tasks nor letters.

use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

/// A block that can be chained while it is free.
///
/// # Safety
/// 1. `next` returns what `set_next` was given last, and nobody else changes it while the block
///    is free.
/// 2. Blocks live until the program ends.
pub(crate) unsafe trait Block: Sized + 'static {
    fn next(&self) -> Option<NonNull<Self>>;
    fn set_next(&self, next: Option<NonNull<Self>>);
    /// Where whole magazines wait.
    fn depot() -> &'static Depot<Self>;
    /// Makes a chain of new blocks: its first one and their number.
    fn grow(class: usize) -> (NonNull<Self>, usize);
}

/// Blocks that move between threads at once.
const MAGAZINE: usize = 256;
/// A list that reaches this length gives half of it away.
const HELD_MAX: usize = 4 * MAGAZINE;
/// Size classes a kind of block may have.
pub(crate) const CLASSES: usize = 6;

/// One thread's free blocks of one size.
pub(crate) struct FreeList<T: Block> {
    first: Cell<Option<NonNull<T>>>,
    len: Cell<usize>,
}

// SAFETY: the list owns its free blocks, which nobody else refers to (`Block`, rule 1).
unsafe impl<T: Block> Send for FreeList<T> {}

impl<T: Block> FreeList<T> {
    pub(crate) const fn new() -> Self {
        FreeList {
            first: Cell::new(None),
            len: Cell::new(0),
        }
    }

    /// A block nobody else refers to. Its content is what its last owner left.
    #[inline(always)]
    pub(crate) fn pop(&self, class: usize) -> NonNull<T> {
        let Some(block) = self.first.get() else {
            return self.refill(class);
        };
        self.first.set(free(block).next());
        self.len.set(self.len.get() - 1);
        block
    }

    /// Gives a block back. The caller lets go of it.
    #[inline(always)]
    pub(crate) fn push(&self, class: usize, block: NonNull<T>) {
        free(block).set_next(self.first.get());
        self.first.set(Some(block));
        let len = self.len.get() + 1;
        self.len.set(len);
        if len >= HELD_MAX {
            self.give(class, HELD_MAX / MAGAZINE / 2);
        }
    }

    #[cold]
    #[inline(never)]
    fn refill(&self, class: usize) -> NonNull<T> {
        let (first, len) = T::depot()
            .lock(class)
            .pop()
            .map(|chain| (chain.first, chain.len))
            .unwrap_or_else(|| T::grow(class));
        self.first.set(free(first).next());
        self.len.set(len - 1);
        first
    }

    #[cold]
    #[inline(never)]
    fn give(&self, class: usize, magazines: usize) {
        for _ in 0..magazines {
            self.give_chain(class, MAGAZINE);
        }
    }

    fn give_chain(&self, class: usize, len: usize) {
        let Some(first) = self.first.get() else {
            return;
        };
        let mut last = first;
        for _ in 1..len {
            last = free(last).next().expect("the list is at least this long");
        }
        self.first.set(free(last).next());
        free(last).set_next(None);
        self.len.set(self.len.get() - len);
        T::depot().lock(class).push(Chain { first, len });
    }

    /// Leaves nothing behind when the thread ends.
    pub(crate) fn give_all(&self, class: usize) {
        let len = self.len.get();
        if len > 0 {
            self.give_chain(class, len);
        }
    }
}

#[inline(always)]
fn free<'a, T: Block>(block: NonNull<T>) -> &'a T {
    // JUSTIFICATION: one locked list per block costs 20 ns, a spawn and its exit need two of
    // them and take 13 ns in all.
    // SAFETY: blocks are never unmapped (`Block`, rule 2), and this one is free and on the
    // caller's list, so its link is the caller's alone (rule 1).
    unsafe { block.as_ref() }
}

struct Chain<T> {
    first: NonNull<T>,
    len: usize,
}

// SAFETY: a chain in the depot owns its free blocks (`Block`, rule 1).
unsafe impl<T: Block> Send for Chain<T> {}

/// The magazines of all size classes of one kind of block.
pub(crate) struct Depot<T: Block>([Mutex<Vec<Chain<T>>>; CLASSES]);

impl<T: Block> Depot<T> {
    pub(crate) const fn new() -> Self {
        Depot([const { Mutex::new(Vec::new()) }; CLASSES])
    }

    fn lock(&self, class: usize) -> std::sync::MutexGuard<'_, Vec<Chain<T>>> {
        self.0[class].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
