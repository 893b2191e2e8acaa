//! Which host call a guest is in, or made last, as anybody may see without asking or waking it.
//!
//! Whoever hosts guests names the calls that can wait, once, and notes one on the guest's turn with a plain store. In a table
//! beside the scheduler's slots (`beside.rs`), 8 bytes a place.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::beside::Beside;
use crate::node::is_alive;
use crate::pid::Pid;

/// Names of host calls in a program; further ones are not told apart.
pub const HOST_CALLS_MAX: usize = 2_048;
/// What the further ones are called.
const OTHER: &str = "another host call";

/// The generation of the process in the upper half, the number of the call in the lower: zero is none.
static PLACES: Beside<AtomicU64> = Beside::new();
static NAMES: Names = Names(RwLock::new(Vec::new()));

/// Each name has its place as its number.
struct Names(RwLock<Vec<Arc<str>>>);

/// The name of a host call. Those of the same name are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostCall(u32);

impl HostCall {
    /// Takes a lock and looks at all names: to be done once for each call, not at each.
    pub fn named(name: &str) -> HostCall {
        // There are far fewer than numbers.
        HostCall(NAMES.place(name) as u32 + 1)
    }

    /// `guest`, whose turn it is, makes this call now. About 2 ns.
    #[inline]
    pub fn made_by(self, guest: Pid) {
        let generation = u64::from(guest.address().generation());
        let noted = generation << 32 | u64::from(self.0);
        PLACES.of(guest).store(noted, Ordering::Relaxed);
    }
}

/// The host call that a living process is in or made last, of those that can wait; `None` if it made none, or is no guest.
pub fn last_host_call(pid: Pid) -> Option<Arc<str>> {
    let noted = PLACES.find(pid)?.load(Ordering::Relaxed);
    let (generation, number) = ((noted >> 32) as u32, noted as u32);
    let place = (number as usize).checked_sub(1)?;
    let own = generation == pid.address().generation() && is_alive(pid);
    own.then(|| NAMES.at(place))
}

impl Names {
    fn place(&self, name: &str) -> usize {
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let known = names.iter().position(|known| **known == *name);
        known.unwrap_or_else(|| {
            let place = names.len();
            if place < HOST_CALLS_MAX {
                names.push(name.into());
            }
            place
        })
    }

    fn at(&self, place: usize) -> Arc<str> {
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        names.get(place).cloned().unwrap_or_else(|| OTHER.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Node;
    use rusm_sched::Config;

    #[test]
    fn the_last_call_of_a_process_is_seen_until_it_ends_and_not_in_its_successor() {
        let node = Node::start(Config::default()).expect("a node starts");
        let [receive, sleep] = ["test receive", "test sleep"].map(HostCall::named);
        assert_eq!(HostCall::named("test receive"), receive);
        let seen = node.block_on(move |ctx| async move {
            let pid = ctx.pid();
            let before = last_host_call(pid);
            receive.made_by(pid);
            sleep.made_by(pid);
            // Its place is beside that one.
            let other = ctx.spawn(|_| std::future::pending::<()>());
            assert_eq!(last_host_call(other), None);
            (pid, before, last_host_call(pid))
        });
        let (pid, before, after) = seen.expect("it ends");
        assert_eq!((before, after.as_deref()), (None, Some("test sleep")));
        assert_eq!(last_host_call(pid), None);
        // Whoever comes to its slot next has made no call.
        let address = rusm_sched::Address::from_bits(pid.to_bits() + (1 << 32));
        assert_eq!(last_host_call(Pid::new(address)), None);
    }

    #[test]
    fn calls_beyond_the_names_there_may_be_are_not_told_apart() {
        let names = Names(RwLock::default());
        let many = 0..HOST_CALLS_MAX + 2;
        let places: Vec<usize> = many.map(|it| names.place(&it.to_string())).collect();
        let (first, last) = (places[0], places[HOST_CALLS_MAX + 1]);
        assert_eq!((&*names.at(first), &*names.at(last)), ("0", OTHER));
        assert_eq!(names.place("0"), first);
        assert_eq!(names.place("2047"), places[2_047]);
    }
}
