//! Chains of letters that nobody else has a hold of: turned round, joined, and counted.

use std::ptr::NonNull;
use std::sync::atomic::Ordering;

use super::{Letter, Node, node_at};
use crate::task::Mail;
use crate::task::slot::Slot;

/// Brings letters into the order of sending, and notes with each how many came after it. The
/// caller owns the chain.
#[inline(always)]
pub(super) fn reverse(newest: Option<NonNull<Node>>) -> Option<NonNull<Node>> {
    let (mut rest, mut done, mut after) = (newest, None, 0);
    while let Some(node) = rest {
        // JUSTIFICATION: see `Node`.
        // SAFETY: the caller has just taken the whole stack out of the word.
        let letter = unsafe { node.as_ref() };
        letter.depth.store(after, Ordering::Relaxed);
        rest = letter.next.replace(done);
        done = Some(node);
        after += 1;
    }
    done
}

/// A chain of one letter.
pub(crate) fn alone<M: Mail>(letter: Letter<M>) -> NonNull<Node> {
    let node = letter.into_node();
    // SAFETY: the node is ours.
    let alone = unsafe { node.as_ref() };
    alone.next.set(None);
    alone.depth.store(0, Ordering::Relaxed);
    node
}

/// Two chains of letters, the older ones first. Walks the older one.
#[cold]
pub(crate) fn join(
    older: Option<NonNull<Node>>,
    younger: Option<NonNull<Node>>,
) -> Option<NonNull<Node>> {
    let Some(first) = older else { return younger };
    let mut last = first;
    // SAFETY: the chains are the caller's.
    while let Some(next) = unsafe { last.as_ref() }.next.get() {
        last = next;
    }
    // SAFETY: as above.
    unsafe { last.as_ref() }.next.set(younger);
    older
}

/// How many letters lie in the inbox whose newest one is `newest`: an estimate.
pub(crate) fn depth(newest: u64) -> u32 {
    node_at(newest).map_or(0, count)
}

/// Letters that the task has not received, in its inbox or on its private list: an estimate.
pub(crate) fn unread(slot: &Slot) -> u32 {
    depth(slot.state.newest()).saturating_add(slot.private.get().map_or(0, count))
}

fn count(node: NonNull<Node>) -> u32 {
    // SAFETY: nodes are never unmapped; `depth` is atomic.
    let others = unsafe { node.as_ref() }.depth.load(Ordering::Relaxed);
    others.saturating_add(1)
}
