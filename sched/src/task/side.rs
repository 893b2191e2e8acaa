//! A task's side block: what the layer above keeps for it beside its future.
//!
//! One word says whether there is one and whether it is quiet, so that a turn passes a quiet
//! one by without a look inside. Knows nothing of its type.

use std::cell::Cell;
use std::ptr::NonNull;

/// The lowest bit of the block's address, which is aligned: turns may pass it by.
const QUIET: usize = 1;

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
        let address = self.0.get().addr();
        address != 0 && address & QUIET == 0
    }

    #[inline(always)]
    pub(crate) fn put(&self, side: NonNull<()>, quiet: bool) {
        let tagged = |address| address | (usize::from(quiet) * QUIET);
        self.0.set(side.as_ptr().map_addr(tagged));
    }

    /// The block, which is not there any more.
    #[inline(always)]
    pub(crate) fn take(&self) -> Option<NonNull<()>> {
        let tagged = self.0.replace(std::ptr::null_mut());
        NonNull::new(tagged.map_addr(|address| address & !QUIET))
    }
}
