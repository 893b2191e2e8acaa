//! The place a task lives in: one type-stable slot, found by its address.
//!
//! A slot is a 64-byte header followed by the task's future. Slots are recycled but never
//! unmapped, and an address carries the generation it was made for, so looking one up takes
//! one load, writes nothing shared, and a stale address never reaches a new task.

use std::cell::Cell;
use std::fmt;
use std::ptr::NonNull;
use std::sync::atomic::{
    AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering,
};
use std::task::{Context, Poll};

use super::Ended;
use super::shown::{Glanced, Shown};
use super::side::SideCell;
use super::state::State;
use crate::arena::{Block, CLASSES, Depot};
use crate::config::Priority;
use crate::inbox::Node;

/// Where a task is: slot index and generation. Copying it costs nothing, keeping it keeps
/// nothing alive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(u64);

impl Address {
    /// Addresses nobody, ever.
    pub const NOBODY: Address = Address(u64::MAX);

    pub(crate) fn new(index: u32, generation: u32) -> Self {
        Address(u64::from(generation) << 32 | u64::from(index))
    }

    /// From the number `to_bits` gave. Any number is safe: most address nobody.
    pub fn from_bits(bits: u64) -> Self {
        Address(bits)
    }

    /// The address as a number: generation in the upper half, index in the lower.
    pub fn to_bits(self) -> u64 {
        self.0
    }

    /// The slot's index.
    pub fn index(self) -> u32 {
        self.0 as u32
    }

    /// How often the slot was used before.
    pub fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.index(), self.generation())
    }
}

/// What a slot can do with the future in it, whose type is known only here.
pub(crate) struct Vtable {
    /// The type of the body as it was written.
    pub(crate) name: fn() -> &'static str,
    /// Bytes of a body that was too large for a slot; otherwise none.
    pub(crate) boxed_bytes: usize,
    /// Do such tasks take letters?
    pub(crate) has_inbox: bool,
    /// Polls the future. Must be on the task's own turn.
    pub(crate) poll: unsafe fn(&Slot, &mut Context<'_>) -> Poll<()>,
    /// Drops the future in place. Once, after which it is not polled again.
    pub(crate) drop: unsafe fn(&Slot),
    /// Told after the slot was closed: the side block and the unread letters are the
    /// callee's.
    pub(crate) closed: unsafe fn(Ended, Option<NonNull<()>>, Option<NonNull<Node>>),
}

/// All fields but `state` and the atomics belong to whoever owns the task at the moment: its
/// spawner, the worker running it, or the queue it lies in.
#[repr(C, align(64))]
pub(crate) struct Slot {
    pub(crate) state: State,
    pub(crate) generation: AtomicU32,
    pub(crate) index: u32,
    /// Letters that were taken from the inbox and not read yet, the oldest first.
    pub(crate) private: Glanced<Node>,
    /// Atomic because the ticker reads it to name a task that does not end its turn.
    vtable: AtomicPtr<Vtable>,
    /// The upper layer's rarely used part of the task, if it was needed.
    pub(crate) side: SideCell,
    /// On a free list: the next free slot. Else the address of the task that started this
    /// one, as a number.
    link: AtomicPtr<Slot>,
    /// Reductions spent so far, published at the end of each turn.
    pub(crate) reductions: AtomicU64,
    /// The number of the scheduler the task belongs to.
    pub(crate) home: AtomicU16,
    pub(crate) priority: AtomicU8,
    /// Nonzero: the worker with this number, less one, timed the wake-up.
    pub(crate) probe: Cell<u8>,
    class: u8,
    pub(crate) shown: Shown,
    /// Reductions that sends into deep mailboxes have overspent, to be paid by later turns.
    pub(crate) debt: Cell<u16>,
}

// SAFETY: the non-atomic fields have one owner at a time, as said above; the queues and the
// state word hand that ownership over with release and acquire.
unsafe impl Sync for Slot {}
// SAFETY: as above.
unsafe impl Send for Slot {}

const HEADER: usize = 64;
const _: () = assert!(size_of::<Slot>() == HEADER);
/// Slot sizes in bytes, header included.
const SIZES: [usize; CLASSES] = [128, 192, 256, 512, 1024, 2048];

/// The smallest class with room for a future of this layout; `None`: it must be boxed.
pub(crate) const fn class_of(size: usize, align: usize) -> Option<usize> {
    let mut class = 0;
    while class < CLASSES {
        if HEADER + size <= SIZES[class] && align <= HEADER {
            return Some(class);
        }
        class += 1;
    }
    None
}

impl Slot {
    pub(crate) fn address(&self) -> Address {
        Address::new(self.index, self.generation.load(Ordering::Relaxed))
    }

    pub(crate) fn set_vtable(&self, vtable: &'static Vtable) {
        let vtable = std::ptr::from_ref(vtable).cast_mut();
        self.vtable.store(vtable, Ordering::Relaxed);
    }

    /// What can be done with the latest task here; `None` before the first one.
    #[inline(always)]
    pub(crate) fn vtable(&self) -> Option<&'static Vtable> {
        // SAFETY: only `set_vtable` stores here, and it takes references to statics.
        unsafe { self.vtable.load(Ordering::Relaxed).as_ref() }
    }

    /// Does the latest task here take letters? Its inbox may be sealed all the same.
    pub(crate) fn has_inbox(&self) -> bool {
        self.vtable().is_some_and(|vtable| vtable.has_inbox)
    }

    pub(crate) fn home(&self) -> u16 {
        self.home.load(Ordering::Relaxed)
    }

    /// Does a task of scheduler `home` live here? Asked in this order: a slot's home is set
    /// before it is opened, and may be its last tenant's until then.
    pub(crate) fn is_live_at(&self, home: u16) -> bool {
        self.state.is_live() && self.home.load(Ordering::Relaxed) == home
    }

    pub(crate) fn class(&self) -> usize {
        usize::from(self.class)
    }

    /// Bytes it occupies.
    pub(crate) fn bytes(&self) -> usize {
        SIZES[self.class()]
    }

    #[inline(always)]
    pub(crate) fn is_normal(&self) -> bool {
        self.priority.load(Ordering::Relaxed) == Priority::Normal as u8
    }

    pub(crate) fn priority(&self) -> Priority {
        match self.priority.load(Ordering::Relaxed) {
            1 => Priority::High,
            2 => Priority::Low,
            _ => Priority::Normal,
        }
    }

    /// Notes who starts the task; the address of nobody if no task does. Not on a free list.
    #[inline(always)]
    pub(crate) fn set_parent(&self, parent: u64) {
        // JUSTIFICATION: the header has no room for a word that only observers read; a free slot
        // needs a link and no parent, so the two share one, which costs a spawn one store.
        let parent = std::ptr::without_provenance_mut(parent as usize);
        // Release: as in `set_next`.
        self.link.store(parent, Ordering::Release);
    }

    /// Who started the task. Means nothing unless the task still lives here afterwards.
    pub(crate) fn parent(&self) -> Option<Address> {
        let parent = Address::from_bits(self.link.load(Ordering::Relaxed).addr() as u64);
        (parent != Address::NOBODY).then_some(parent)
    }

    /// Where the future is.
    #[inline(always)]
    pub(crate) fn future<F>(&self) -> NonNull<F> {
        let slot = NonNull::from(self)
            .cast::<u8>()
            .as_ptr()
            .expose_provenance();
        // JUSTIFICATION: header and future in one block save an allocation and a cache line
        // per task: 133 bytes for a parked one.
        // The chunk's provenance was exposed when it was made; `self` covers the header only.
        let future = std::ptr::with_exposed_provenance_mut::<F>(slot + HEADER);
        NonNull::new(future).expect("a slot is not at the end of the address space")
    }
}

// SAFETY: while a slot is free its link is used by free lists only (`set_parent` comes after it
// was taken from one), and chunks are never freed.
unsafe impl Block for Slot {
    #[inline(always)]
    fn next(&self) -> Option<NonNull<Slot>> {
        NonNull::new(self.link.load(Ordering::Relaxed))
    }

    #[inline(always)]
    fn set_next(&self, next: Option<NonNull<Slot>>) {
        let next = next.map_or(std::ptr::null_mut(), NonNull::as_ptr);
        // Release: whoever takes this for a parent sees a later generation, see `TaskInfo`.
        self.link.store(next, Ordering::Release);
    }

    fn depot() -> &'static Depot<Slot> {
        static DEPOT: Depot<Slot> = Depot::new();
        &DEPOT
    }

    fn grow(class: usize) -> (NonNull<Slot>, usize) {
        table::grow(class)
    }
}

/// A task that is queued or running: the right to run it.
#[derive(Clone, Copy)]
pub(crate) struct TaskRef(pub(crate) &'static Slot);

impl TaskRef {
    pub(crate) fn into_ptr(self) -> *mut Slot {
        std::ptr::from_ref(self.0).cast_mut()
    }

    /// # Safety
    /// `slot` came from `into_ptr`.
    #[inline(always)]
    pub(crate) unsafe fn from_ptr(slot: *mut Slot) -> Self {
        // SAFETY: slots are never unmapped, so the reference `into_ptr` had is still good.
        TaskRef(unsafe { &*slot })
    }
}

/// The slot an address names, whatever its generation. One load; writes nothing shared.
#[inline(always)]
pub(crate) fn resolve(address: Address) -> &'static Slot {
    table::slot(address.index())
}

/// Every slot that was ever used, occupied or not.
pub(crate) fn all() -> impl Iterator<Item = &'static Slot> {
    table::all()
}

mod table {
    //! Chunk number to chunk: base address, with the size of its slots in the low bits, in one word.

    use super::*;

    /// Slots per chunk.
    const CHUNK: usize = 1024;
    /// Chunks at most, hence 67 million tasks.
    const CHUNKS_MAX: usize = 1 << 16;
    /// Chunks are page aligned, which leaves the low bits of their address to the size of their
    /// slots, counted in headers.
    const ALIGN: usize = 4096;
    const SIZE: usize = 63;
    const _: () = assert!(SIZES[CLASSES - 1] / HEADER <= SIZE);

    static CHUNKS: [AtomicUsize; CHUNKS_MAX] = [const { AtomicUsize::new(0) }; CHUNKS_MAX];
    static USED: AtomicUsize = AtomicUsize::new(0);

    /// Stands for every index that was never given out: dead for ever.
    static NOBODY: Slot = Slot {
        state: State::dead(),
        generation: AtomicU32::new(u32::MAX),
        index: u32::MAX,
        private: Glanced::empty(),
        vtable: AtomicPtr::new(std::ptr::null_mut()),
        side: SideCell::empty(),
        link: AtomicPtr::new(std::ptr::null_mut()),
        reductions: AtomicU64::new(0),
        home: AtomicU16::new(u16::MAX),
        priority: AtomicU8::new(0),
        probe: Cell::new(0),
        class: 0,
        shown: Shown::nothing(),
        debt: Cell::new(0),
    };

    #[inline(always)]
    pub(super) fn slot(index: u32) -> &'static Slot {
        let chunk = CHUNKS
            .get(index as usize / CHUNK)
            .map_or(0, |chunk| chunk.load(Ordering::Acquire));
        if chunk == 0 {
            return &NOBODY;
        }
        let offset = (index as usize % CHUNK) * (chunk & SIZE) * HEADER;
        let slot = std::ptr::with_exposed_provenance::<Slot>((chunk & !SIZE) + offset);
        // JUSTIFICATION: 1 ns, against 11 ns for a concurrent map, on every message.
        // SAFETY: the chunk is published after all its slots were written (acquire above,
        // release in `grow`), it is never unmapped, and the offset stays inside it.
        unsafe { &*slot }
    }

    pub(super) fn all() -> impl Iterator<Item = &'static Slot> {
        let used = USED.load(Ordering::Acquire).min(CHUNKS_MAX);
        (0..used * CHUNK).map(|index| slot(index as u32))
    }

    pub(super) fn grow(class: usize) -> (NonNull<Slot>, usize) {
        let size = SIZES[class];
        let layout = std::alloc::Layout::from_size_align(size * CHUNK, ALIGN)
            .expect("a chunk of 1,024 small slots is a valid layout");
        let chunk = USED.fetch_add(1, Ordering::AcqRel);
        assert!(chunk < CHUNKS_MAX, "more than 67 million tasks at once");
        // SAFETY: the layout is not empty.
        let base = unsafe { std::alloc::alloc(layout) };
        if base.is_null() {
            std::alloc::handle_alloc_error(layout);
        }
        let address = base.expose_provenance();
        let mut next = None;
        for at in (0..CHUNK).rev() {
            let slot = std::ptr::with_exposed_provenance_mut::<Slot>(address + at * size);
            let index = u32::try_from(chunk * CHUNK + at).expect("67 million fits");
            // SAFETY: inside the new chunk, aligned (sizes are multiples of 64), and nobody
            // else knows of it yet.
            unsafe { slot.write(fresh(index, class, next)) };
            next = NonNull::new(slot);
        }
        CHUNKS[chunk].store(address | (size / HEADER), Ordering::Release);
        (next.expect("a chunk has slots"), CHUNK)
    }

    fn fresh(index: u32, class: usize, next: Option<NonNull<Slot>>) -> Slot {
        Slot {
            state: State::dead(),
            generation: AtomicU32::new(0),
            index,
            private: Glanced::empty(),
            vtable: AtomicPtr::new(std::ptr::null_mut()),
            side: SideCell::empty(),
            link: AtomicPtr::new(next.map_or(std::ptr::null_mut(), NonNull::as_ptr)),
            reductions: AtomicU64::new(0),
            home: AtomicU16::new(u16::MAX),
            priority: AtomicU8::new(0),
            probe: Cell::new(0),
            class: class as u8,
            shown: Shown::nothing(),
            debt: Cell::new(0),
        }
    }
}
