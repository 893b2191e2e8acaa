//! One mapping cut into slots of the same size, each with one owner at a time. What is in a slot,
//! and when it must be wiped, is the owner's business.

use std::io;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard};

/// One mapping, cut into slots of the same size.
pub(super) struct Slab {
    base: NonNull<u8>,
    pub(super) slot_bytes: usize,
    pub(super) slots: u32,
    free: Mutex<Free>,
}

/// Slots nobody has. Those from `untouched` on have never been given out.
#[derive(Default)]
struct Free {
    warm: Vec<u32>,
    cold: Vec<u32>,
    untouched: u32,
}

// JUSTIFICATION: wasmtime wants the slab from all threads; without it there are no 300,000 guests
// in fewer than 1,000 mappings, but 16,000.
// SAFETY: `base` is the address of a mapping that belongs to this value alone; the value itself
// only hands out slots, each to one owner at a time, through the mutex.
#[allow(unsafe_code)]
unsafe impl Send for Slab {}
// SAFETY: as above; nothing is changed through `&Slab` but behind the mutex.
#[allow(unsafe_code)]
unsafe impl Sync for Slab {}

impl Slab {
    /// Reserves address space; pages are taken when touched.
    pub(super) fn new(slots: u32, slot_bytes: usize) -> io::Result<Arc<Self>> {
        let bytes = slot_bytes
            .checked_mul(slots as usize)
            .ok_or(io::ErrorKind::OutOfMemory)?;
        // JUSTIFICATION: one mapping for all slots is the point of this file.
        // SAFETY: an anonymous private mapping at an address the kernel chooses cannot touch memory
        // that anybody has; the result is checked.
        #[allow(unsafe_code)]
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // A huge page would make one touched byte cost two megabytes. A kernel without them refuses,
        // and need not be asked.
        #[cfg(target_os = "linux")]
        // SAFETY: advice about a mapping of ours that nobody uses yet.
        #[allow(unsafe_code)]
        unsafe {
            libc::madvise(base, bytes, libc::MADV_NOHUGEPAGE);
        }
        Ok(Arc::new(Self {
            base: NonNull::new(base.cast()).expect("the kernel maps nothing at zero unasked"),
            slot_bytes,
            slots,
            free: Mutex::default(),
        }))
    }

    fn free(&self) -> MutexGuard<'_, Free> {
        self.free
            .lock()
            .expect("nothing that holds this lock can panic")
    }

    /// A slot, and whether it is its first use. `None` if all are taken.
    pub(super) fn take(self: &Arc<Self>) -> Option<(Slot, bool)> {
        let mut free = self.free();
        let used = free.warm.pop().or_else(|| free.cold.pop());
        let index = match used {
            Some(index) => index,
            None if free.untouched < self.slots => {
                free.untouched += 1;
                free.untouched - 1
            }
            None => return None,
        };
        drop(free);
        let slab = self.clone();
        Some((Slot { slab, index }, used.is_none()))
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        // JUSTIFICATION: an engine that is gone must not keep terabytes of address space.
        // SAFETY: the mapping was made in `new` with this address and length, and all slots hold a
        // reference to the slab, so none is left.
        #[allow(unsafe_code)]
        unsafe {
            libc::munmap(
                self.base.as_ptr().cast(),
                self.slot_bytes * self.slots as usize,
            );
        }
    }
}

/// A piece of a slab with one owner.
pub(super) struct Slot {
    pub(super) slab: Arc<Slab>,
    index: u32,
}

impl Slot {
    pub(super) fn start(&self) -> *mut u8 {
        let offset = self.index as usize * self.slab.slot_bytes;
        self.slab.base.as_ptr().wrapping_add(offset)
    }

    /// Makes `range` of the slot all zero, and gives its pages back to the system.
    pub(super) fn wipe(&mut self, range: Range<usize>) {
        assert!(
            range.end <= self.slab.slot_bytes,
            "the range is in the slot"
        );
        let (at, bytes) = (self.start().wrapping_add(range.start), range.len());
        // JUSTIFICATION: a guest must not see what the one before it wrote, and 300,000 ended
        // guests must not hold 4 GiB.
        // SAFETY: the range lies in this slot, which only `self` owns. It is mapped for writing:
        // guard pages lie outside of the ranges of the callers. Only on Linux does `MADV_DONTNEED`
        // promise zeros, and where it fails (locked pages) they are written.
        #[allow(unsafe_code)]
        unsafe {
            #[cfg(target_os = "linux")]
            if libc::madvise(at.cast(), bytes, libc::MADV_DONTNEED) == 0 {
                return;
            }
            at.write_bytes(0, bytes);
        }
    }

    /// Leaves the slot to the next owner, its pages with it if `warm` slots are still wanted;
    /// else they are wiped first.
    pub(super) fn give_back(&mut self, used: Range<usize>, warm_max: usize) {
        let mut free = self.slab.free();
        if free.warm.len() < warm_max {
            return free.warm.push(self.index);
        }
        drop(free);
        self.wipe(used);
        self.slab.free().cold.push(self.index);
    }
}

pub(super) fn page_bytes() -> usize {
    // JUSTIFICATION: std does not tell the size of a page, and guessing it too small would leave
    // a stack without its guard.
    // SAFETY: `sysconf` takes a number and touches no memory of ours.
    #[allow(unsafe_code)]
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).expect("every system has pages")
}
