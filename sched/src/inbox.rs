//! Letters, and how they get into a task's inbox.
//!
//! A letter is a 64-byte recycled node with up to 48 bytes of content. The inbox is a stack
//! whose head lives in the task's state word (R. K. Treiber, "Coping with Parallelism", 1986);
//! the receiver takes all of it at once and reverses it. What a letter means is for the layer
//! above to say: this file moves them.

mod chain;
pub(crate) mod guard;
pub(crate) mod parcel;
mod traced;

use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::arena::{Block, Depot};
use crate::contain::contain;
use crate::seat;
use crate::task::slot::{Address, Slot, TaskRef, resolve};
use crate::task::state::Post;
use crate::task::{Kind, Mail};
use crate::turn;
use chain::reverse;
pub(crate) use chain::{alone, depth, join, unread};

/// Bytes of content that fit into a letter.
pub const LETTER_BYTES_MAX: usize = 48;
/// A backlog of this many letters adds one reduction to the price of a send.
const DEPTH_PER_REDUCTION: u32 = 32;
/// A deeper one adds no more.
const DEPTH_PRICED_MAX: u32 = 65_535;
/// Bytes of a letter, with what it takes to chain it.
pub(crate) const LETTER_SIZE: usize = size_of::<Node>();
const NODES_PER_CHUNK: usize = 1024;

#[repr(C, align(64))]
pub(crate) struct Node {
    next: Cell<Option<NonNull<Node>>>,
    /// In an inbox: how many letters lay below when this one was pushed. Taken out of it: how
    /// many came after it. Also read by senders that hold a stale head (then the number is
    /// wrong, and the exchange fails) and by observers.
    depth: AtomicU32,
    content: UnsafeCell<MaybeUninit<[u64; LETTER_BYTES_MAX / 8]>>,
}

const _: () = assert!(size_of::<Node>() == 64);

// JUSTIFICATION: a recycled node costs 3 ns where a boxed one costs 9 to 15, and the shared stack
// 11 ns a letter where a locked queue costs 32.
// SAFETY: a node has one owner at a time; `depth` is atomic.
unsafe impl Sync for Node {}

// SAFETY: `next` belongs to the node's owner, and chunks of nodes are never freed.
unsafe impl Block for Node {
    #[inline(always)]
    fn next(&self) -> Option<NonNull<Node>> {
        self.next.get()
    }

    #[inline(always)]
    fn set_next(&self, next: Option<NonNull<Node>>) {
        self.next.set(next);
    }

    fn depot() -> &'static Depot<Node> {
        static DEPOT: Depot<Node> = Depot::new();
        &DEPOT
    }

    fn grow(_class: usize) -> (NonNull<Node>, usize) {
        let mut first = None;
        let nodes: Vec<Node> = (0..NODES_PER_CHUNK).map(|_| Node::empty()).collect();
        for node in Box::leak(nodes.into_boxed_slice()).iter().rev() {
            node.next.set(first);
            let address = std::ptr::from_ref(node).expose_provenance();
            first = NonNull::new(std::ptr::with_exposed_provenance_mut(address));
        }
        (first.expect("a chunk has nodes"), NODES_PER_CHUNK)
    }
}

impl Node {
    fn empty() -> Self {
        Node {
            next: Cell::new(None),
            depth: AtomicU32::new(0),
            content: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }
}

fn node_at(address: u64) -> Option<NonNull<Node>> {
    NonNull::new(std::ptr::with_exposed_provenance_mut(address as usize))
}

/// A letter that is the caller's: on its way, or taken out of an inbox. Like a `Box`, from a
/// pool; making one costs about 3 ns.
pub struct Letter<M: Mail> {
    node: NonNull<Node>,
    content: PhantomData<M>,
}

// SAFETY: a letter owns its node and content, and `M: Send` by `Mail`.
unsafe impl<M: Mail> Send for Letter<M> {}
// SAFETY: a shared letter gives shared access to its content only.
unsafe impl<M: Mail + Sync> Sync for Letter<M> {}

impl<M: Mail> Letter<M> {
    /// Puts `content` into a letter.
    pub fn new(content: M) -> Self {
        Letter::with(|| content)
    }

    /// Makes the content right in the letter. With small contents that is worth 10 ns: made
    /// elsewhere, it would be copied with wider loads than it was stored with, and wait for
    /// the stores.
    #[inline(always)]
    pub fn with(make: impl FnOnce() -> M) -> Self {
        const {
            assert!(size_of::<M>() <= LETTER_BYTES_MAX && align_of::<M>() <= 8);
        }
        let node = seat::with_cache(|cache| cache.nodes.pop(0));
        let spare = Freed(node);
        // SAFETY: the node is new and ours, and its content has room for an `M` (above).
        unsafe { node.as_ref().content.get().cast::<M>().write(make()) };
        std::mem::forget(spare);
        Letter {
            node,
            content: PhantomData,
        }
    }

    /// Takes the content out.
    #[inline]
    pub fn into_inner(self) -> M {
        let node = self.into_node();
        // SAFETY: the content is initialised and read once: `into_node` forgot the letter.
        let content = unsafe { Letter::<M>::from_node(node).place().read() };
        free(node);
        content
    }

    #[inline(always)]
    fn place(&self) -> *mut M {
        // SAFETY: nodes are never unmapped, and this one is ours.
        unsafe { self.node.as_ref() }.content.get().cast()
    }

    #[inline(always)]
    fn into_node(self) -> NonNull<Node> {
        let node = self.node;
        std::mem::forget(self);
        node
    }

    /// The caller owns `node` and lets go of it; it holds an `M`. A letter made of it twice
    /// must be forgotten once.
    #[inline(always)]
    fn from_node(node: NonNull<Node>) -> std::mem::ManuallyDrop<Self> {
        std::mem::ManuallyDrop::new(Letter {
            node,
            content: PhantomData,
        })
    }
}

impl<M: Mail> Deref for Letter<M> {
    type Target = M;

    #[inline(always)]
    fn deref(&self) -> &M {
        // SAFETY: the content is initialised and ours.
        unsafe { &*self.place() }
    }
}

impl<M: Mail> DerefMut for Letter<M> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut M {
        // SAFETY: the content is initialised, ours, and borrowed mutably.
        unsafe { &mut *self.place() }
    }
}

impl<M: Mail> Drop for Letter<M> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.owns_nothing() {
            return free(self.node);
        }
        let _node = Freed(self.node);
        // SAFETY: the content is initialised and dropped once, here.
        unsafe { self.place().drop_in_place() };
    }
}

/// A node that is free when this is gone, also if its content panics while it is made or dropped.
struct Freed(NonNull<Node>);

impl Drop for Freed {
    #[inline(never)]
    fn drop(&mut self) {
        free(self.0);
    }
}

#[inline(always)]
fn free(node: NonNull<Node>) {
    seat::with_cache(|cache| cache.nodes.push(0, node));
}

/// Letters in the order in which they were sent; those not read are dropped with it.
pub struct Letters<M: Mail> {
    first: Option<NonNull<Node>>,
    content: PhantomData<M>,
}

impl<M: Mail> Letters<M> {
    /// # Safety
    /// The caller owns the chain, and its nodes hold an `M` each.
    pub(crate) unsafe fn from_chain(first: Option<NonNull<Node>>) -> Self {
        Letters {
            first,
            content: PhantomData,
        }
    }

    pub(crate) fn none() -> Self {
        Letters {
            first: None,
            content: PhantomData,
        }
    }

    /// True when nothing is left.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    #[cold]
    #[inline(never)]
    fn drop_all(&mut self) {
        for letter in self {
            // One that panics must not keep the others.
            contain(|| drop(letter));
        }
    }
}

impl<M: Mail> Iterator for Letters<M> {
    type Item = Letter<M>;

    #[inline]
    fn next(&mut self) -> Option<Letter<M>> {
        let node = self.first?;
        // SAFETY: the chain's nodes are ours.
        self.first = unsafe { node.as_ref() }.next.get();
        Some(std::mem::ManuallyDrop::into_inner(Letter::from_node(node)))
    }
}

impl<M: Mail> Drop for Letters<M> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.first.is_some() {
            self.drop_all();
        }
    }
}

/// Takes everything out of the inbox and brings it into the order of sending. Own turn only.
#[inline]
pub(crate) fn take(slot: &Slot) -> Option<NonNull<Node>> {
    reverse(node_at(slot.state.take()))
}

/// As `take`, but nothing while an interrupting letter is among them.
#[inline]
pub(crate) fn take_plain(slot: &Slot) -> Option<NonNull<Node>> {
    reverse(node_at(slot.state.take_plain()))
}

/// Closes the inbox of a finished task; what lay in it, in the order of sending.
#[inline]
pub(crate) fn close(slot: &Slot, next_generation: u32) -> Option<NonNull<Node>> {
    reverse(node_at(slot.state.close(next_generation)))
}

/// Removes the oldest letter from the private list. Own turn only.
#[inline(always)]
pub(crate) fn pop_private<M: Mail>(slot: &Slot) -> Option<Letter<M>> {
    let node = slot.private.get()?;
    // SAFETY: the private list belongs to the task's own turn, and its letters hold an `M`,
    // the only kind of mail there is (`Mail`).
    slot.private.set(unsafe { node.as_ref() }.next.get());
    Some(std::mem::ManuallyDrop::into_inner(Letter::from_node(node)))
}

/// Sends a letter, which wakes the receiver only if it waits for letters. Gives the letter
/// back when nobody is there. Costs the sender one reduction, and one more for each 32 letters
/// that lie there unread, so that a flood stops before it leaves the cache. About 10 ns.
#[inline]
pub fn post<K: Kind>(to: Address, letter: Letter<K::Mail>) -> Result<(), Letter<K::Mail>> {
    let slot = resolve(to);
    let node = letter.into_node();
    if slot.generation.load(Ordering::Relaxed) != to.generation() {
        return Err(traced::gone::<K>(to, node));
    }
    // JUSTIFICATION: with this case apart, a message to a waiting process costs a fifth less.
    if slot.state.hand_over(to.generation()) {
        hand_over(slot, node);
        seat::schedule_receiver_of_letter(TaskRef(slot), || traced::sent::<K>(to, node));
        return Ok(());
    }
    post_to_busy::<K>(slot, to, node)
}

/// Sends a letter to a task that does something else than wait for the first one.
#[inline(never)]
fn post_to_busy<K: Kind>(
    slot: &'static Slot,
    to: Address,
    node: NonNull<Node>,
) -> Result<(), Letter<K::Mail>> {
    // First: the letter may be gone as soon as it is there.
    turn::if_tracing(|| traced::sent::<K>(to, node));
    let mut below = 0;
    let outcome = slot.state.post(to.generation(), address_of(node), |head| {
        below = link(node, head)
    });
    turn::owe_for_send(below.min(DEPTH_PRICED_MAX) / DEPTH_PER_REDUCTION);
    match outcome {
        Post::Refused => return guard::refused::<K>(slot, to, node),
        Post::HandOver => {
            hand_over(slot, node);
            seat::schedule_receiver(TaskRef(slot));
        }
        Post::Queued => {}
        Post::Schedule => seat::schedule(TaskRef(slot)),
    }
    Ok(())
}

/// Puts the letter where the task, which is the caller's until it is queued, finds it at once.
#[inline(always)]
fn hand_over(slot: &Slot, node: NonNull<Node>) {
    // SAFETY: the node is ours until the task runs.
    let letter = unsafe { node.as_ref() };
    letter.next.set(None);
    letter.depth.store(0, Ordering::Relaxed);
    match slot.private.get() {
        None => slot.private.set(Some(node)),
        // A receive was given up, and the task waits for something else.
        older => slot.private.set(join(older, Some(node))),
    }
}

/// Sends a letter that wakes the receiver wherever it waits, and that `Kind::resume` sees
/// before the task goes on.
pub fn interrupt<K: Kind>(to: Address, letter: Letter<K::Mail>) -> Result<(), Letter<K::Mail>> {
    let slot = resolve(to);
    let node = letter.into_node();
    turn::if_tracing(|| traced::sent::<K>(to, node));
    let refused = slot.generation.load(Ordering::Relaxed) != to.generation();
    let outcome = if refused {
        Post::Refused
    } else {
        slot.state
            .interrupt(to.generation(), address_of(node), |head| {
                link(node, head);
            })
    };
    turn::owe(1);
    match outcome {
        Post::Refused => return guard::refused::<K>(slot, to, node),
        Post::Schedule => seat::schedule_receiver(TaskRef(slot)),
        Post::Queued | Post::HandOver => {}
    }
    Ok(())
}

#[inline(always)]
fn address_of(node: NonNull<Node>) -> u64 {
    node.as_ptr().expose_provenance() as u64
}

/// Lays `node` on top of `head`; how many letters are below it now, about.
#[inline(always)]
fn link(node: NonNull<Node>, head: u64) -> u32 {
    let below = depth(head);
    // SAFETY: the node is the sender's until the exchange succeeds.
    let node = unsafe { node.as_ref() };
    node.next.set(node_at(head));
    node.depth.store(below, Ordering::Relaxed);
    below
}
