//! What a task is to the layer above: a future with an address, an inbox and a side block.
//!
//! `sched` queues, wakes and ends tasks; a `Kind` says what letters mean to them.

mod own;
pub(crate) mod shown;
pub(crate) mod side;
pub(crate) mod slot;
pub(crate) mod state;
#[cfg(test)]
mod tests;
pub(crate) mod times;

use std::any::Any;
use std::future::Future;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use crate::config::Priority;
use crate::contain::contain;
use crate::inbox::{self, Letter, Letters, Node};
use crate::seat::{self, Seat};
pub use own::{NoLetter, Own};
use slot::{Address, Slot, TaskRef, Vtable, class_of};
use state::Wake;

/// What letters carry.
///
/// # Safety
/// A program sends letters of one type only: at most one type implements this trait in any
/// program. (An inbox does not record what its letters hold: the look would cost a cache line
/// on every send.)
pub unsafe trait Mail: Send + 'static {
    /// True if this content owns nothing: it is forgotten then instead of dropped, which is
    /// shorter by a call. What owns something and says so all the same leaks it.
    #[inline(always)]
    fn owns_nothing(&self) -> bool {
        false
    }
}

/// What the layer above makes of tasks with an inbox.
pub trait Kind: Sized + 'static {
    /// False: letters to such tasks are refused.
    const HAS_INBOX: bool = true;
    /// The content of its letters: at most 48 bytes.
    type Mail: Mail;
    /// The rarely used part of a task, made on first use.
    type Side: Default + Send + 'static;

    /// A side block as `Default` makes it.
    fn new_side() -> Box<Self::Side> {
        Box::default()
    }
    /// Does the side block have nothing that concerns a turn? Then `resume` is not called for it,
    /// and receiving does not look into it. Asked whenever the block has been looked at.
    fn is_quiet(side: &Self::Side) -> bool {
        let _ = side;
        false
    }
    /// Called on the task's own turn, before its future goes on, if an interrupting letter has
    /// come or there is a side block that is not quiet. `Break` ends the task.
    fn resume(own: &Own<Self>) -> ControlFlow<()>;
    /// The future panicked with `payload`; the task ends. On its own turn.
    fn panicked(own: &Own<Self>, payload: Box<dyn Any + Send>);
    /// Takes a letter for a guarded task (see [`guard`](crate::guard)), from any thread: how many
    /// lie there unread now, about.
    ///
    /// # Errors
    /// The letter itself, when nobody is there.
    fn guard(to: Address, letter: Letter<Self::Mail>) -> Result<u32, Letter<Self::Mail>> {
        let _ = to;
        Err(letter)
    }
    /// The task whose turn it is sends `letter`, or tries to. Called in turns that are traced (see
    /// [`trace_turn`](crate::trace_turn)), before anybody else sees the letter. It must not send.
    fn sent(to: Address, letter: &Letter<Self::Mail>) {
        let _ = (to, letter);
    }
    /// The task whose turn it is starts another of this kind, whose body is called `body`. Called
    /// in turns that are traced, before the new one runs. It must not start any.
    fn spawned(child: Address, body: &'static str) {
        let _ = (child, body);
    }
    /// The task has ended and its address is dead. Called only if there is something to say.
    fn closed(ended: Ended, side: Option<Box<Self::Side>>, unread: Letters<Self::Mail>);
}

/// A kind of task whose futures may return a `T`.
pub trait Returns<T>: Kind {
    /// The future returned `outcome`; the task ends. On its own turn.
    fn returned(own: &Own<Self>, outcome: T);
}

/// A task that has ended, and what was known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Where it was.
    pub address: Address,
    /// The task that had started it, if one had.
    pub parent: Option<Address>,
    /// The type of its body, which names the function it was made in.
    pub body: &'static str,
}

fn put_side<K: Kind>(slot: &Slot, side: Box<K::Side>) {
    const { assert!(align_of::<K::Side>() > 1 || size_of::<K::Side>() == 0) };
    let quiet = K::is_quiet(&side);
    slot.side.put(NonNull::from(Box::leak(side)).cast(), quiet);
}

/// A task without an inbox. Its panics are counted and otherwise lost.
pub(crate) struct Bare;

/// Nothing: bare tasks refuse all letters.
pub(crate) enum Never {}

/// How a task is started.
pub(crate) struct Start<S> {
    pub(crate) priority: Priority,
    pub(crate) side: Option<Box<S>>,
}

/// Makes a task of kind `K` and queues it. About 7 ns.
#[inline(always)]
#[track_caller]
pub(crate) fn spawn<K, F, B>(home: Option<u16>, start: Start<K::Side>, body: B) -> Address
where
    K: Returns<F::Output>,
    B: FnOnce(Own<K>) -> F,
    F: Future + Send + 'static,
{
    const { assert!(align_of::<F>() <= 64, "over-aligned futures must be boxed") };
    if const { class_of(size_of::<F>(), align_of::<F>()).is_none() } {
        let body = |own| Box::pin(body(own));
        return spawn_sized::<K, Pin<Box<F>>, F, _>(home, start, body);
    }
    spawn_sized::<K, F, F, _>(home, start, body)
}

/// `Written`: the future before it was boxed.
#[inline(always)]
#[track_caller]
fn spawn_sized<K, F, Written, B>(home: Option<u16>, start: Start<K::Side>, body: B) -> Address
where
    K: Returns<F::Output>,
    B: FnOnce(Own<K>) -> F,
    F: Future + Send + 'static,
{
    let class = const {
        match class_of(size_of::<F>(), align_of::<F>()) {
            Some(class) => class,
            // Never taken: the caller boxes what does not fit.
            None => 0,
        }
    };
    let fresh = seat::with_cache(|cache| cache.slots[class].pop(class));
    // JUSTIFICATION: a task in one recycled block is started, run and ended in 13 ns; a boxed
    // future in a counted task takes 100 to 150 ns more.
    // SAFETY: slots are never unmapped, and this one is free and ours.
    let slot: &'static Slot = unsafe { fresh.as_ref() };
    let generation = slot.generation.load(Ordering::Relaxed);
    let address = slot.address();
    let unused = GiveBack(slot);
    let future = body(Own::new(address));
    std::mem::forget(unused);
    // SAFETY: the class was chosen for `F`, and the slot is free.
    unsafe { slot.future::<F>().write(future) };
    slot.set_vtable(const { &vtable::<K, F, Written>() });
    slot.priority.store(start.priority as u8, Ordering::Relaxed);
    slot.shown.clear();
    slot.debt.set(0);
    slot.reductions.store(0, Ordering::Relaxed);
    if let Some(side) = start.side {
        put_side::<K>(slot, side);
    }
    seat::adopt(slot, home, Location::caller(), K::spawned);
    slot.state.open(generation, K::HAS_INBOX);
    seat::schedule_new(TaskRef(slot));
    address
}

/// Gives a slot back whose task was never made. Forgotten when it was, so that the ordinary way
/// stays as short as without it.
struct GiveBack(&'static Slot);

impl Drop for GiveBack {
    #[cold]
    fn drop(&mut self) {
        let slot = self.0;
        // The address was shown to whoever was to make the task: it must never be another's.
        let next = slot.address().generation().wrapping_add(1);
        slot.generation.store(next, Ordering::Relaxed);
        // It may have been sealed for that task already; nothing else is in the word.
        slot.state.close(next);
        seat::with_cache(|cache| cache.slots[slot.class()].push(slot.class(), slot.into()));
    }
}

const fn vtable<K, F, Written>() -> Vtable
where
    K: Returns<F::Output>,
    F: Future + Send + 'static,
{
    let boxed = class_of(size_of::<Written>(), align_of::<Written>()).is_none();
    Vtable {
        name: std::any::type_name::<Written>,
        boxed_bytes: if boxed { size_of::<Written>() } else { 0 },
        has_inbox: K::HAS_INBOX,
        poll: poll::<K, F>,
        drop: drop_future::<F>,
        closed: closed::<K>,
    }
}

/// # Safety
/// On the task's own turn; the slot holds an undropped `F` and was spawned with kind `K`.
unsafe fn poll<K, F>(slot: &Slot, cx: &mut Context<'_>) -> Poll<()>
where
    K: Returns<F::Output>,
    F: Future,
{
    let own = Own::<K>::new(slot.address());
    let turn = || {
        let asked = slot.side.calls() || slot.state.is_interrupted();
        if asked && K::resume(&own).is_break() {
            return Poll::Ready(());
        }
        // SAFETY: the future is there (caller), never moves while it is, and only the own turn
        // touches it.
        let future = unsafe { Pin::new_unchecked(slot.future::<F>().as_mut()) };
        future.poll(cx).map(|outcome| K::returned(&own, outcome))
    };
    catch_unwind(AssertUnwindSafe(turn)).unwrap_or_else(|payload| {
        // The payload is the task's as well: dropping it may panic again.
        contain(|| K::panicked(&own, payload));
        Poll::Ready(())
    })
}

/// # Safety
/// The slot holds an `F` that is not used again.
unsafe fn drop_future<F>(slot: &Slot) {
    // SAFETY: the caller's word.
    unsafe { slot.future::<F>().drop_in_place() };
}

/// # Safety
/// `side` came from a task of kind `K`, and `unread` is a chain of its letters; both are
/// given up by the caller.
unsafe fn closed<K: Kind>(ended: Ended, side: Option<NonNull<()>>, unread: Option<NonNull<Node>>) {
    // SAFETY: the caller's word; see `put_side`.
    let side = side.map(|side| unsafe { Box::from_raw(side.cast::<K::Side>().as_ptr()) });
    // SAFETY: the caller's word.
    let unread = unsafe { Letters::from_chain(unread) };
    K::closed(ended, side, unread);
}

/// Polls a task on the calling thread.
#[inline(always)]
pub(crate) fn poll_once(slot: &Slot, cx: &mut Context<'_>) -> Poll<()> {
    let vtable = slot.vtable().expect("a live slot has a table");
    // SAFETY: the caller runs the task's turn, so the future is there and is ours.
    unsafe { (vtable.poll)(slot, cx) }
}

/// Ends a task on nobody's turn. The caller owns it.
pub(crate) fn finish(slot: &'static Slot) {
    finish_turn(slot, || ());
}

/// Ends a task: drops its future, frees its address, hands over what it leaves, recycles the
/// slot. The caller owns the task. About 8 ns.
///
/// `leave` ends its turn, between the two: the future is dropped on it, and what comes after is
/// not to take a dead task for the one that runs.
#[inline(always)]
pub(crate) fn finish_turn(slot: &'static Slot, leave: impl FnOnce()) {
    let vtable = slot.vtable().expect("a live slot has a table");
    let address = slot.address();
    // SAFETY: the caller owns the task, which is not polled again. A panic in a destructor is
    // contained: the task is over, and its worker must go on.
    let dropped = contain(|| unsafe { (vtable.drop)(slot) });
    leave();
    let next = address.generation().wrapping_add(1);
    slot.generation.store(next, Ordering::Relaxed);
    let unread = inbox::close(slot, next);
    let private = slot.private.take();
    let side = slot.side.take();
    if side.is_some() || private.is_some() || unread.is_some() || !dropped {
        bequeath(slot, address, side, private, unread);
    }
    seat::recycle(slot);
}

#[inline(never)]
fn bequeath(
    slot: &Slot,
    address: Address,
    side: Option<NonNull<()>>,
    private: Option<NonNull<Node>>,
    unread: Option<NonNull<Node>>,
) {
    let vtable = slot.vtable().expect("a live slot has a table");
    let ended = Ended {
        address,
        parent: slot.parent(),
        body: (vtable.name)(),
    };
    contain(|| {
        // SAFETY: the task is over: side block and letters are nobody's but ours.
        unsafe { (vtable.closed)(ended, side, inbox::join(private, unread)) }
    });
}

/// Does `cx` carry the waker of the task in `slot`?
#[inline(always)]
pub(crate) fn is_waker_of(slot: &Slot, cx: &Context<'_>) -> bool {
    cx.waker().data() == waker_data(slot, slot.generation.load(Ordering::Relaxed))
}

/// A waker is the slot's address with 16 bits of generation above it: nothing to count.
#[inline(always)]
fn waker_data(slot: &Slot, generation: u32) -> *const () {
    std::ptr::from_ref(slot)
        .cast::<()>()
        .map_addr(|address| address | (generation as usize & 0xFFFF) << 48)
}

#[inline(always)]
pub(crate) fn waker(slot: &'static Slot) -> Waker {
    let data = waker_data(slot, slot.generation.load(Ordering::Relaxed));
    // SAFETY: the table below keeps the contract: clone copies, drop does nothing, wake may be
    // called from any thread and at any time, since slots are never unmapped.
    unsafe { Waker::from_raw(RawWaker::new(data, &WAKER)) }
}

static WAKER: RawWakerVTable = RawWakerVTable::new(
    |data| RawWaker::new(data, &WAKER),
    wake_raw,
    wake_raw,
    |_| (),
);

fn wake_raw(data: *const ()) {
    let generation = (data.addr() >> 48) as u32;
    let slot = data.map_addr(|address| address & 0x0000_FFFF_FFFF_FFFF);
    // SAFETY: `waker_data` made it from a reference to a slot, and slots are never unmapped.
    let slot: &'static Slot = unsafe { &*slot.cast::<Slot>() };
    if slot.state.wake(generation) == Wake::Schedule {
        seat::schedule(TaskRef(slot));
    }
}

// SAFETY: no letter is ever made of it: it has no values.
unsafe impl Mail for Never {}

impl Kind for Bare {
    const HAS_INBOX: bool = false;
    type Mail = Never;
    type Side = ();

    fn resume(_: &Own<Self>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn panicked(_: &Own<Self>, _payload: Box<dyn Any + Send>) {
        seat::current(Seat::count_panic);
    }

    fn closed(_: Ended, _: Option<Box<()>>, _: Letters<Never>) {}
}

impl Returns<()> for Bare {
    fn returned(_: &Own<Self>, (): ()) {}
}
