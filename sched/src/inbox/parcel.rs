//! A letter on its way to a task that is not told yet: what a timer keeps until it is due.

use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use super::{Letter, Node, post};
use crate::handle::is_alive;
use crate::task::Kind;
use crate::task::slot::Address;

/// A letter with its address, whatever it holds.
pub(crate) struct Parcel {
    to: Address,
    node: NonNull<Node>,
    deliver: fn(Address, NonNull<Node>),
    discard: fn(NonNull<Node>),
}

// JUSTIFICATION: a boxed closure in its place costs an allocation and its release, 9 to 15 ns; the
// wheel itself takes 5 to 12.
// SAFETY: a parcel owns its letter, and letters are `Send`.
unsafe impl Send for Parcel {}

impl Parcel {
    pub(crate) fn new<K: Kind>(to: Address, letter: Letter<K::Mail>) -> Self {
        Parcel {
            to,
            node: letter.into_node(),
            deliver: |to, node| {
                let letter = ManuallyDrop::into_inner(Letter::from_node(node));
                // The dead need no mail.
                drop(post::<K>(to, letter));
            },
            discard: |node| {
                drop(ManuallyDrop::into_inner(Letter::<K::Mail>::from_node(node)));
            },
        }
    }

    /// Has whom it is for ended?
    pub(crate) fn is_stale(&self) -> bool {
        !is_alive(self.to)
    }

    pub(crate) fn deliver(self) {
        // Whatever happens in there, the letter is not this parcel's any more.
        let parcel = ManuallyDrop::new(self);
        (parcel.deliver)(parcel.to, parcel.node);
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        (self.discard)(self.node);
    }
}
