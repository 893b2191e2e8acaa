//! Room for far more guests than the kernel has mappings for: stacks and memories cut from two
//! mappings in all, for the guests that find no slot in a pool.
//!
//! The pools cost two to five mappings a guest, and Linux gives a program 65,530 of them. Here a
//! slot costs none: the stacks' guard pages are markers in the page table (`MADV_GUARD_INSTALL`,
//! Linux 6.13), which do not split a mapping. Where the kernel lacks them, `mprotect` guards the
//! stacks at two mappings each, and there are fewer slots.
//!
//! **Invariant:** a memory is given out all zero. What a guest wrote goes back to the system with
//! its slot.

mod room;
mod slab;
#[cfg(test)]
mod tests;

use std::io;
use std::ops::Range;
use std::sync::Arc;

use wasmtime::{LinearMemory, MemoryCreator, MemoryType, StackCreator, StackMemory};

pub(crate) use self::room::{Admission, Room};
use self::slab::{Slab, Slot, page_bytes};
use crate::pool::STACK_BYTES;

/// Stacks whose pages stay with them, because the next guest needs some at once.
const STACKS_WARM_MAX: usize = 1024;
#[cfg(target_os = "linux")]
const MADV_GUARD_INSTALL: libc::c_int = 102;

/// Makes `settings` take stacks and memories from slots made here; `asked` guests at most, fewer
/// if their guard pages need mappings and `mappings` are all there are.
pub(crate) fn install(
    settings: &mut wasmtime::Config,
    asked: u32,
    mappings: u32,
    memory_bytes_max: usize,
) -> io::Result<Arc<Room>> {
    let guards = Guards::probe()?;
    let slots = match guards {
        Guards::Markers => asked,
        Guards::Mappings => asked.min(mappings / 2),
    };
    let page = page_bytes();
    let stacks = Stacks {
        slab: Slab::new(slots, STACK_BYTES + page)?,
        guards,
    };
    let memories = Memories {
        slab: Slab::new(slots, memory_bytes_max)?,
    };
    settings
        .with_host_stack(Arc::new(stacks))
        .with_host_memory(Arc::new(memories));
    Ok(Room::new(slots))
}

/// How the page below a stack is made to trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guards {
    /// By a marker in the page table: no mapping, and it stays when the stack's pages go.
    Markers,
    /// By a mapping of its own, which splits that of the stacks.
    Mappings,
}

impl Guards {
    /// What this kernel can do.
    fn probe() -> io::Result<Self> {
        let page = page_bytes();
        let slab = Slab::new(1, page)?;
        let (slot, _) = slab.take().expect("nobody else has the only slot");
        match Self::Markers.install(&slot, page) {
            Ok(()) => Ok(Self::Markers),
            Err(_) => Ok(Self::Mappings),
        }
    }

    /// Guards the first page of a slot.
    fn install(self, slot: &Slot, page: usize) -> io::Result<()> {
        assert!(page <= slot.slab.slot_bytes, "the page is in the slot");
        // JUSTIFICATION: a stack that overflows without a guard writes over its neighbour.
        // SAFETY: the page lies in this slot, which nobody uses yet. Both calls only make it
        // inaccessible, and nothing here reads or writes the first page of a stack's slot.
        #[allow(unsafe_code)]
        let done = unsafe {
            match self {
                #[cfg(target_os = "linux")]
                Self::Markers => libc::madvise(slot.start().cast(), page, MADV_GUARD_INSTALL),
                #[cfg(not(target_os = "linux"))]
                Self::Markers => return Err(io::ErrorKind::Unsupported.into()),
                Self::Mappings => libc::mprotect(slot.start().cast(), page, libc::PROT_NONE),
            }
        };
        match done {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

struct Stacks {
    slab: Arc<Slab>,
    guards: Guards,
}

/// A slot whose first page is the guard; the stack grows down towards it.
struct Stack {
    slot: Slot,
    page: usize,
}

impl Stacks {
    fn stack(&self, bytes: usize) -> wasmtime::Result<Stack> {
        let page = page_bytes();
        if bytes.saturating_add(page) > self.slab.slot_bytes {
            wasmtime::bail!("no stack of {bytes} bytes can be had here");
        }
        let Some((slot, first_use)) = self.slab.take() else {
            wasmtime::bail!("all {} stacks are in use", self.slab.slots);
        };
        if first_use {
            // A slot that cannot be guarded is never given out again.
            self.guards.install(&slot, page)?;
        }
        Ok(Stack { slot, page })
    }
}

// JUSTIFICATION: wasmtime takes stacks from elsewhere only through this trait.
// SAFETY: each stack is page-aligned (slots are multiples of a page from a mapping's start), has an
// inaccessible page below it, and belongs to one owner until it is dropped.
#[allow(unsafe_code)]
unsafe impl StackCreator for Stacks {
    fn new_stack(&self, size: usize, zeroed: bool) -> wasmtime::Result<Box<dyn StackMemory>> {
        let mut stack = self.stack(size)?;
        if zeroed {
            let range = stack.page..self.slab.slot_bytes;
            stack.slot.wipe(range);
        }
        Ok(Box::new(stack))
    }
}

// JUSTIFICATION: as above.
// SAFETY: the three answers describe the slot: guard page, then the stack up to the slot's end, all
// multiples of a page. They stay the same until the value is dropped.
#[allow(unsafe_code)]
unsafe impl StackMemory for Stack {
    fn top(&self) -> *mut u8 {
        self.slot.start().wrapping_add(self.slot.slab.slot_bytes)
    }

    fn range(&self) -> Range<usize> {
        self.slot.start().addr() + self.page..self.top().addr()
    }

    fn guard_range(&self) -> Range<*mut u8> {
        let start = self.slot.start();
        start..start.wrapping_add(self.page)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let used = self.page..self.slot.slab.slot_bytes;
        self.slot.give_back(used, STACKS_WARM_MAX);
    }
}

struct Memories {
    slab: Arc<Slab>,
}

/// A memory that may grow to the end of its slot and never moves.
struct Memory {
    slot: Slot,
    bytes: usize,
}

impl Memories {
    fn memory(
        &self,
        bytes: usize,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Memory, String> {
        let most = self.slab.slot_bytes;
        // Without guard pages compiled code checks every access against the size it loads, which
        // never exceeds the slot.
        if guard > 0 || reserved.unwrap_or(0) > most || bytes > most {
            return Err(format!(
                "no memory of {bytes} bytes with {guard} bytes of guard can be had here"
            ));
        }
        let (slot, _) = self
            .slab
            .take()
            .ok_or_else(|| format!("all {} memories are in use", self.slab.slots))?;
        Ok(Memory { slot, bytes })
    }
}

// JUSTIFICATION: wasmtime takes memories from elsewhere only through this trait.
// SAFETY: a memory is all zero (fresh from the system or wiped by the owner before), page-aligned,
// belongs to one owner until it is dropped, and has the room that was asked for: requests for guard
// pages or more than a slot are refused.
#[allow(unsafe_code)]
unsafe impl MemoryCreator for Memories {
    fn new_memory(
        &self,
        _: MemoryType,
        minimum: usize,
        _: Option<usize>,
        reserved_size_in_bytes: Option<usize>,
        guard_size_in_bytes: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        let memory = self.memory(minimum, reserved_size_in_bytes, guard_size_in_bytes)?;
        Ok(Box::new(memory))
    }
}

// JUSTIFICATION: as above.
// SAFETY: `bytes` never exceeds the slot, all of which is mapped for reading and writing; growing
// only changes the number, so the address stays.
#[allow(unsafe_code)]
unsafe impl LinearMemory for Memory {
    fn byte_size(&self) -> usize {
        self.bytes
    }

    fn byte_capacity(&self) -> usize {
        self.slot.slab.slot_bytes
    }

    fn grow_to(&mut self, new_size: usize) -> wasmtime::Result<()> {
        if new_size > self.byte_capacity() {
            wasmtime::bail!("a memory may have {} bytes", self.byte_capacity());
        }
        self.bytes = new_size;
        Ok(())
    }

    fn as_ptr(&self) -> *mut u8 {
        self.slot.start()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.slot.give_back(0..self.bytes, 0);
    }
}
