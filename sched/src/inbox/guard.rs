//! Tasks whose letters somebody else takes: `Kind::guard`, which may limit what lies there.
//!
//! The receiver may not run at all, so whoever limits its letters must do so when they are
//! sent. Such a task's inbox is sealed, as that of a dead one is: letters to all others go the
//! way they would go if there were no guards.

use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use super::{DEPTH_PER_REDUCTION, DEPTH_PRICED_MAX, Letter, Node, address_of, link};
use crate::seat;
use crate::task::Kind;
use crate::task::slot::{Address, Slot, TaskRef, resolve};
use crate::task::state::Post;
use crate::turn;

/// From now on until the task at `address` ends, `Kind::guard` gets its letters. Those that lie
/// in the inbox already are older. Only on the task's own turn, or where it is being started.
pub fn guard(address: Address) {
    let slot = resolve(address);
    if slot.address() == address {
        slot.state.seal();
    }
}

/// Is the task at `address` guarded? About 2 ns.
pub fn is_guarded(address: Address) -> bool {
    let slot = resolve(address);
    slot.address() == address && slot.state.is_sealed()
}

/// As [`interrupt`](super::interrupt), past the guard: what a guard wakes its task with.
///
/// # Errors
/// The letter itself, when nobody is there.
pub fn interrupt_past_guard<K: Kind>(
    to: Address,
    letter: Letter<K::Mail>,
) -> Result<(), Letter<K::Mail>> {
    let slot = resolve(to);
    let node = letter.into_node();
    let outcome = slot
        .state
        .interrupt_sealed(to.generation(), address_of(node), |head| {
            link(node, head);
        });
    match outcome {
        Post::Refused => return Err(ManuallyDrop::into_inner(Letter::from_node(node))),
        Post::Schedule => seat::schedule_receiver(TaskRef(slot)),
        Post::Queued | Post::HandOver => {}
    }
    Ok(())
}

/// The inbox has refused a letter: it is for the guard, if there is one.
#[cold]
#[inline(never)]
pub(super) fn refused<K: Kind>(
    slot: &Slot,
    to: Address,
    node: NonNull<Node>,
) -> Result<(), Letter<K::Mail>> {
    let letter = ManuallyDrop::into_inner(Letter::from_node(node));
    if slot.address() != to || !slot.state.is_sealed() {
        return Err(letter);
    }
    let unread = K::guard(to, letter)?;
    let extra = unread.min(DEPTH_PRICED_MAX) / DEPTH_PER_REDUCTION;
    if extra > 0 {
        turn::owe_for_send(extra);
    }
    Ok(())
}
