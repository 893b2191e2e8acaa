//! Telling of letters that a task sends in a turn that is traced: see `trace_turn`.

use std::ptr::NonNull;

use super::{Letter, Node};
use crate::contain::contain;
use crate::seat;
use crate::task::Kind;
use crate::task::slot::Address;
use crate::turn;

/// The task that runs here sends the letter in `node`, which holds a `K::Mail` and is the
/// caller's until it is sent.
#[cold]
#[inline(never)]
pub(super) fn sent<K: Kind>(to: Address, node: NonNull<Node>) {
    // A timer's letter: no task sends it now.
    if seat::try_current(|seat| seat.is_urgent()) != Some(true) {
        let letter = Letter::<K::Mail>::from_node(node);
        contain(|| K::sent(to, &letter));
    }
}

/// The letter in `node`, of which the same holds, was for somebody who is dead.
#[cold]
pub(super) fn gone<K: Kind>(to: Address, node: NonNull<Node>) -> Letter<K::Mail> {
    turn::if_tracing(|| sent::<K>(to, node));
    std::mem::ManuallyDrop::into_inner(Letter::from_node(node))
}
