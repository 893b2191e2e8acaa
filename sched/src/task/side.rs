//! A task's side block: what the layer above keeps for it beside its future.
//!
//! One word says whether there is one and whether turns must look at it, so that they pass a
//! quiet one by without a look inside. Knows nothing of its type.

use std::cell::Cell;
use std::ptr::NonNull;

/// The lowest bit of the block's address, which is aligned: turns must look at it.
const CALLS: usize = 1;

pub(crate) struct SideCell(Cell<*mut ()>);

impl SideCell {
    pub(crate) const fn empty() -> Self {
        SideCell(Cell::new(std::ptr::null_mut()))
    }

    #[inline(always)]
    pub(crate) fn is_some(&self) -> bool {
        !self.0.get().is_null()
    }

    /// Is there one that turns must look at?
    #[inline(always)]
    pub(crate) fn calls(&self) -> bool {
        self.0.get().addr() & CALLS != 0
    }

    #[inline(always)]
    pub(crate) fn put(&self, side: NonNull<()>, quiet: bool) {
        let tagged = |address| address | (usize::from(!quiet) * CALLS);
        self.0.set(side.as_ptr().map_addr(tagged));
    }

    /// The block, which is not there any more.
    #[inline(always)]
    pub(crate) fn take(&self) -> Option<NonNull<()>> {
        let tagged = self.0.replace(std::ptr::null_mut());
        NonNull::new(tagged.map_addr(|address| address & !CALLS))
    }
}
