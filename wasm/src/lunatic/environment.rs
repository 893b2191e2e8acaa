//! What the processes of one Lunatic program share: their numbers, and the names they give each
//! other. Numbers are Lunatic's own ids, from 1 on and never used twice.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusm_actor::{ExitReason, MAILBOX_FULL, Message, Pid, exit, is_alive, send};

use super::letter::{Data, Mail, WAITING_BYTES_MAX};

/// Names one program may have in use.
pub(super) const NAMES_MAX: usize = 100_000;
/// Messages of one program that may wait for their time.
pub(super) const TIMERS_MAX: usize = 1_000_000;
/// Workers look up numbers at the same time; they should rarely meet.
const SHARDS: usize = 64;

/// The processes and names of one program.
pub(super) struct Environment {
    next: AtomicU64,
    shards: [Shard; SHARDS],
    live: AtomicUsize,
    /// Processes there is room for. Asked once: the answer takes a look at the system.
    instances_max: u32,
    timers: AtomicUsize,
    names: Mutex<HashMap<Box<str>, Named>>,
}

/// A name's node and process. The node is whatever the guest gave, 0 for this one.
pub(super) type Named = (u64, u64);

/// One cache line each, so that neighbours do not share it.
#[repr(align(64))]
#[derive(Default)]
struct Shard(Mutex<HashMap<u64, Member, BuildHasherDefault<Number>>>);

#[derive(Clone)]
pub(super) struct Member {
    pub(super) pid: Pid,
    pub(super) waiting: Arc<Waiting>,
}

/// Bytes of messages that wait for one process.
#[derive(Default)]
pub(super) struct Waiting(AtomicU64);

impl Waiting {
    /// False: that would be too many, and nothing was counted.
    fn add(&self, bytes: u64) -> bool {
        let before = self.0.fetch_add(bytes, Ordering::Relaxed);
        let fits = before.saturating_add(bytes) <= WAITING_BYTES_MAX;
        if !fits {
            self.remove(bytes);
        }
        fits
    }

    pub(super) fn remove(&self, bytes: u64) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// What has become of a message that was to be sent.
pub(super) enum Posted {
    Sent,
    /// The process does not exist, or its mailbox is full.
    Dropped,
}

impl Environment {
    pub(super) fn new(instances_max: u32) -> Arc<Self> {
        Arc::new(Self {
            next: AtomicU64::new(1),
            shards: std::array::from_fn(|_| Shard::default()),
            live: AtomicUsize::new(0),
            instances_max,
            timers: AtomicUsize::new(0),
            names: Mutex::default(),
        })
    }

    /// A number for a process that is about to start.
    pub(super) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn join(&self, id: u64, member: Member) {
        self.shard(id).insert(id, member);
        self.live.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn leave(&self, id: u64) {
        if self.shard(id).remove(&id).is_some() {
            self.live.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// `None`: there is room for one more process. Otherwise for so many.
    pub(super) fn is_full(&self) -> Option<u32> {
        let full = self.live.load(Ordering::Relaxed) >= self.instances_max as usize;
        full.then_some(self.instances_max)
    }

    pub(super) fn find(&self, id: u64) -> Option<Member> {
        self.shard(id).get(&id).cloned()
    }

    /// As `find`, without what a send needs.
    pub(super) fn pid(&self, id: u64) -> Option<Pid> {
        let found = self.shard(id).get(&id).map(|member| member.pid);
        found.filter(|pid| is_alive(*pid))
    }

    /// Sends bytes. To the dead they are dropped, as with Lunatic; whoever has too many waiting
    /// is ended.
    pub(super) fn post(&self, id: u64, data: Data) -> Posted {
        let weight = data.weight();
        let (pid, fits) = match self.shard(id).get(&id) {
            Some(member) => (member.pid, member.waiting.add(weight)),
            None => return Posted::Dropped,
        };
        if fits {
            send(pid, Message::native(Mail::Data(data)));
            return Posted::Sent;
        }
        overflow(pid);
        Posted::Dropped
    }

    /// Sets a process's share of its mailbox aside for a message that comes later.
    pub(super) fn reserve(&self, id: u64, weight: u64) -> Option<Member> {
        let member = self.find(id)?;
        if member.waiting.add(weight) {
            return Some(member);
        }
        overflow(member.pid);
        None
    }

    /// Counts a message that waits for its time; `None`: there are too many.
    pub(super) fn timer(self: &Arc<Self>) -> Option<TimerSlot> {
        let slot = TimerSlot(self.clone());
        let before = self.timers.fetch_add(1, Ordering::Relaxed);
        (before < TIMERS_MAX).then_some(slot)
    }

    /// The names, for as long as the answer is held.
    pub(super) fn names(&self) -> MutexGuard<'_, HashMap<Box<str>, Named>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shard(&self, id: u64) -> MutexGuard<'_, HashMap<u64, Member, BuildHasherDefault<Number>>> {
        let shard = &self.shards[id as usize % SHARDS].0;
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn overflow(pid: Pid) {
    exit(pid, ExitReason::error(MAILBOX_FULL));
}

/// One of the messages that wait for their time.
pub(super) struct TimerSlot(Arc<Environment>);

impl Drop for TimerSlot {
    fn drop(&mut self) {
        self.0.timers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Numbers that follow each other need no hashing, only spreading.
#[derive(Default)]
struct Number(u64);

impl Hasher for Number {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 << 8 | u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_of_a_timer_is_free_again_when_it_is_dropped() {
        let environment = Environment::new(1);
        environment.timers.store(TIMERS_MAX - 1, Ordering::Relaxed);
        let last = environment.timer().expect("there is one left");
        assert!(environment.timer().is_none());
        drop(last);
        assert!(environment.timer().is_some());
    }

    #[test]
    fn messages_that_do_not_fit_are_not_counted() {
        let waiting = Waiting::default();
        assert!(waiting.add(WAITING_BYTES_MAX));
        assert!(!waiting.add(1));
        waiting.remove(1);
        assert!(waiting.add(1));
    }
}
