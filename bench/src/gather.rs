//! How a scenario's processes find each other and hand in what they measured. None of it is on a measured path.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rusm_actor::{Message, Pid};

use crate::latency::Latency;

/// Where an operation takes less than a microsecond or two, one in this many is timed.
pub(crate) const SAMPLED: u64 = 16;

/// Every send carries a fresh payload of eight bytes.
pub(crate) fn mail(number: u64) -> [u8; 8] {
    number.to_le_bytes()
}

pub(crate) fn number(mail: &Message) -> u64 {
    let bytes = mail.bytes().first_chunk();
    u64::from_le_bytes(*bytes.expect("mail carries eight bytes"))
}

/// Addresses filled in after the processes that need them were started.
#[derive(Clone)]
pub(crate) struct Slots(Arc<[OnceLock<Pid>]>);

impl Slots {
    pub(crate) fn new(count: u64) -> Self {
        Slots((0..count).map(|_| OnceLock::new()).collect())
    }

    pub(crate) fn set(&self, index: usize, pid: Pid) {
        assert!(self.0[index].set(pid).is_ok(), "a slot is filled once");
    }

    pub(crate) async fn get(&self, index: usize) -> Pid {
        loop {
            if let Some(pid) = self.0[index].get() {
                return *pid;
            }
            rusm_sched::yield_now().await;
        }
    }
}

/// Waits until `reached` says so, looking every 200 us as every peer does.
pub(crate) async fn settle(mut reached: impl FnMut() -> bool) {
    while !reached() {
        rusm_sched::sleep(Duration::from_micros(200)).await;
    }
}

/// Collects what the processes of a run counted and timed.
#[derive(Clone)]
pub(crate) struct Ledger(Arc<Book>);

struct Book {
    totals: Mutex<(u64, Latency)>,
    reporters: AtomicU64,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Ledger(Arc::new(Book {
            totals: Mutex::new((0, Latency::new())),
            reporters: AtomicU64::new(0),
        }))
    }

    /// One process's account; it hands in one.
    pub(crate) fn close(&self, count: u64, gaps: &Latency) {
        let mut totals = self.0.totals.lock().expect("no reporter panics");
        totals.0 += count;
        totals.1.add(gaps);
        drop(totals);
        self.0.reporters.fetch_add(1, Relaxed);
    }

    /// What all of them counted and timed, once that many have reported.
    pub(crate) async fn all(&self, reporters: u64) -> (u64, Latency) {
        settle(|| self.0.reporters.load(Relaxed) >= reporters).await;
        self.0.totals.lock().expect("no reporter panics").clone()
    }
}

/// A counter that every worker adds to in a cache line of its own. A plain shared one costs two
/// cores more per addition than a whole spawn does. Exact: the additions are atomic.
pub(crate) struct Tally(Box<[Cell]>);

#[derive(Default)]
#[repr(align(128))]
struct Cell(AtomicU64);

impl Tally {
    /// For a node of that many workers. Leaked, a few hundred bytes a run, so that the bodies
    /// that count carry one plain reference and touch no reference count.
    pub(crate) fn leaked(workers: usize) -> &'static Self {
        let cells = (0..=workers).map(|_| Cell::default()).collect();
        Box::leak(Box::new(Tally(cells)))
    }

    pub(crate) fn add(&self, count: u64) {
        // Threads that are no worker share the last cell.
        let own = rusm_sched::worker_index().unwrap_or(usize::MAX);
        let own = own.min(self.0.len() - 1);
        self.0[own].0.fetch_add(count, Relaxed);
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.iter().map(|cell| cell.0.load(Relaxed)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_adds_up_what_any_thread_counted() {
        let tally = Tally::leaked(2);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|_| tally.add(1)));
            }
        });
        assert_eq!(tally.total(), 4000);
    }

    #[test]
    fn mail_carries_its_number() {
        assert_eq!(
            number(&Message::from(mail(0x0123_4567_89ab_cdef))),
            0x0123_4567_89ab_cdef
        );
    }
}
