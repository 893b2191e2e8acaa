//! What a task shows to those who look at it from outside, and pays next to nothing for.
//!
//! Its owner writes with plain stores; observers glance without ordering. What they see is of
//! some moment, and good for a table that a person reads.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicPtr, AtomicU8, Ordering};

/// A pointer with one owner at a time, which reads and writes it like a cell, and at which
/// others may glance.
pub(crate) struct Glanced<T>(AtomicPtr<T>);

impl<T> Glanced<T> {
    pub(crate) const fn empty() -> Self {
        Glanced(AtomicPtr::new(std::ptr::null_mut()))
    }

    #[inline(always)]
    pub(crate) fn get(&self) -> Option<NonNull<T>> {
        NonNull::new(self.0.load(Ordering::Relaxed))
    }

    /// Owner only.
    #[inline(always)]
    pub(crate) fn set(&self, pointer: Option<NonNull<T>>) {
        let pointer = pointer.map_or(std::ptr::null_mut(), NonNull::as_ptr);
        self.0.store(pointer, Ordering::Relaxed);
    }

    /// Owner only.
    #[inline(always)]
    pub(crate) fn take(&self) -> Option<NonNull<T>> {
        let pointer = self.get();
        self.set(None);
        pointer
    }
}

/// Does it wait for a timer, and how many letters does the layer above keep for it: in one
/// byte, which is all the header has left. Cleared by the spawn of the next tenant.
pub(crate) struct Shown(AtomicU8);

/// Set by a timer's future that waits, cleared when that has ended.
const SLEEPING: u8 = 1;
/// Numbers below this are kept exactly, others to within a quarter.
const EXACT: u32 = 4;

impl Shown {
    pub(crate) const fn nothing() -> Self {
        Shown(AtomicU8::new(0))
    }

    #[inline(always)]
    pub(crate) fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    pub(crate) fn is_sleeping(&self) -> bool {
        self.0.load(Ordering::Relaxed) & SLEEPING != 0
    }

    /// Own turn only.
    pub(crate) fn set_sleeping(&self, sleeping: bool) {
        let kept = self.0.load(Ordering::Relaxed) & !SLEEPING;
        self.0.store(kept | u8::from(sleeping), Ordering::Relaxed);
    }

    /// Rounded down by less than a quarter.
    pub(crate) fn kept(&self) -> u32 {
        number(self.0.load(Ordering::Relaxed) >> 1)
    }

    /// Own turn only.
    #[inline(always)]
    pub(crate) fn set_none_kept(&self) {
        let sleeping = self.0.load(Ordering::Relaxed) & SLEEPING;
        self.0.store(sleeping, Ordering::Relaxed);
    }

    /// Own turn only.
    pub(crate) fn set_kept(&self, count: u32) {
        let sleeping = self.0.load(Ordering::Relaxed) & SLEEPING;
        self.0.store(code(count) << 1 | sleeping, Ordering::Relaxed);
    }
}

/// Seven bits: five say which power of two, two which quarter of it.
fn code(count: u32) -> u8 {
    if count < EXACT {
        return count as u8;
    }
    let power = 31 - count.leading_zeros();
    let quarter = count >> (power - 2) & 3;
    ((power - 1) * 4 + quarter) as u8
}

fn number(code: u8) -> u32 {
    let code = u32::from(code);
    if code < EXACT {
        return code;
    }
    (4 + code % 4) << (code / 4 - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_letters_is_shown_to_within_a_quarter() {
        for count in (0..1000).chain([4_095, 4_096, 1_000_000, u32::MAX]) {
            let shown = number(code(count));
            assert!(code(count) < 128, "{count}");
            assert!(
                shown <= count && shown >= count - count / 4,
                "{count}: {shown}"
            );
        }
    }

    #[test]
    fn the_two_things_shown_do_not_disturb_each_other() {
        let shown = Shown::nothing();
        shown.set_sleeping(true);
        shown.set_kept(96);
        assert_eq!((shown.is_sleeping(), shown.kept()), (true, 96));
        shown.set_sleeping(false);
        assert_eq!((shown.is_sleeping(), shown.kept()), (false, 96));
        shown.clear();
        assert_eq!(shown.kept(), 0);
    }
}
