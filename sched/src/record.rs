//! What a scheduler decided, worker by worker: the latest events of each, if that is asked for.
//!
//! Off, it costs a turn one branch. On, a turn costs a look at the clock and a record of 32 bytes, some
//! 35 ns, and a spawn the same. Each worker's events lie in a ring of its own, which the holder of its lease writes;
//! the ticker has one for the turns that last too long. Nobody waits for a reader. So it can
//! stay on as a flight recorder, or be turned on for one run.

pub(crate) mod ring;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Config;
use crate::shared::Shared;
use crate::task::slot::Address;
use crate::worker::Worker;
use ring::Ring;

/// Events that are kept of each worker, at most: 32 MiB a worker.
pub const RECORD_EVENTS_MAX: usize = 1 << 20;

/// Events that are kept of the ticker, at most: turns that last too long are few.
const TICKER_EVENTS_MAX: usize = 1024;

/// What was recorded of one scheduler. Times are nanoseconds since it was started; under the
/// simulation they are its own, in which turns take no time.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// When recording began.
    pub began: u64,
    /// When this was read.
    pub taken: u64,
    /// Events kept of each worker.
    pub events_max: usize,
    /// The tuning when this was read.
    pub config: Config,
    /// What repeats the run, if it is a simulation.
    pub seed: Option<u64>,
    /// Each worker's part, by its index.
    pub workers: Vec<Lane>,
    /// The ticker's part.
    pub ticker: Lane,
}

/// What was recorded of one thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lane {
    /// In the order in which they were noted. A turn is noted when it ends: after what happened
    /// in it.
    pub events: Vec<Event>,
    /// Events before those, which were written over.
    pub missed: u64,
    /// The task whose turn it seemed to be, and since when.
    pub running: Option<(Address, u64)>,
}

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it happened or, of something that lasted, began.
    pub at: u64,
    /// What it was.
    pub what: What,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A task had a turn. One that a thread has lost its worker in is not noted; the ticker's
    /// `Overrun` is.
    Turn {
        /// Whose turn it was.
        task: Address,
        /// How long it took, the choice of the task included, in nanoseconds.
        lasted: u64,
        /// Why it was over.
        end: TurnEnd,
        /// What was spent in it.
        reductions: u32,
    },
    /// Tasks were taken from another worker.
    Steal {
        /// That worker's index.
        from: usize,
        /// How many came.
        tasks: u32,
    },
    /// The worker's thread went to sleep.
    Park,
    /// It was up again.
    Unpark,
    /// A task was started on this worker's thread, in a turn. Those that others start are not
    /// noted.
    Spawn {
        /// The new one.
        task: Address,
        /// Whose turn it was.
        by: Address,
    },
    /// Timers fired at once.
    Timers {
        /// How many.
        fired: u32,
    },
    /// A turn lasted too long. Only the ticker notes this, when it sees it.
    Overrun {
        /// Whose turn it is.
        task: Address,
        /// The worker it holds up.
        worker: usize,
        /// How long it has lasted, in nanoseconds.
        lasted: u64,
        /// The worker goes on with another thread.
        rescued: bool,
    },
}

/// Why a turn was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnEnd {
    /// The task waits.
    Waiting,
    /// It was to wait, and was woken before it did.
    Woken,
    /// The budget was spent.
    Spent,
    /// It ended its turn itself.
    Yielded,
    /// It goes on as blocking work.
    Moved,
    /// The task has ended.
    Ended,
}

const ENDS: [TurnEnd; 6] = [
    TurnEnd::Waiting,
    TurnEnd::Woken,
    TurnEnd::Spent,
    TurnEnd::Yielded,
    TurnEnd::Moved,
    TurnEnd::Ended,
];

/// An event as it lies in a ring: when, whom it is about, how long or by whom, and the rest.
type Words = [u64; 4];

/// The events of one worker, or of the ticker.
pub(crate) type EventRing = Ring<4>;

const TURN: u64 = 1;
const STEAL: u64 = 2;
const PARK: u64 = 3;
const UNPARK: u64 = 4;
const SPAWN: u64 = 5;
const TIMERS: u64 = 6;
const OVERRUN: u64 = 7;

/// The kind, something small and something of 32 bits in one word.
fn pack(kind: u64, small: u64, number: u32) -> u64 {
    kind | small << 8 | u64::from(number) << 32
}

impl Event {
    pub(crate) fn to_words(self) -> Words {
        let (subject, span, rest) = match self.what {
            What::Turn {
                task,
                lasted,
                end,
                reductions,
            } => (task.to_bits(), lasted, pack(TURN, end as u64, reductions)),
            What::Steal { from, tasks } => (from as u64, 0, pack(STEAL, 0, tasks)),
            What::Park => (0, 0, PARK),
            What::Unpark => (0, 0, UNPARK),
            What::Spawn { task, by } => (task.to_bits(), by.to_bits(), SPAWN),
            What::Timers { fired } => (0, 0, pack(TIMERS, 0, fired)),
            What::Overrun {
                task,
                worker,
                lasted,
                rescued,
            } => {
                let rest = pack(OVERRUN, u64::from(rescued), worker as u32);
                (task.to_bits(), lasted, rest)
            }
        };
        [self.at, subject, span, rest]
    }

    /// `None`: these are no event's.
    fn from_words([at, subject, span, rest]: Words) -> Option<Event> {
        let (kind, small, number) = (rest & 0xFF, rest >> 8 & 0xFF, (rest >> 32) as u32);
        let task = Address::from_bits(subject);
        let what = match kind {
            TURN => What::Turn {
                task,
                lasted: span,
                end: *ENDS.get(small as usize)?,
                reductions: number,
            },
            STEAL => What::Steal {
                from: subject as usize,
                tasks: number,
            },
            PARK => What::Park,
            UNPARK => What::Unpark,
            SPAWN => What::Spawn {
                task,
                by: Address::from_bits(span),
            },
            TIMERS => What::Timers { fired: number },
            OVERRUN => What::Overrun {
                task,
                worker: number as usize,
                lasted: span,
                rescued: small != 0,
            },
            _ => return None,
        };
        Some(Event { at, what })
    }
}

/// The rings of one scheduler, while it records.
#[derive(Default)]
pub(crate) struct Recorder {
    /// Changes whenever recording begins or stops. Read relaxed by all workers now and then; what is
    /// recorded to is under the lock.
    epoch: AtomicU32,
    rings: Mutex<Option<Rings>>,
}

#[derive(Clone)]
struct Rings {
    began: u64,
    events_max: usize,
    workers: Arc<[Arc<EventRing>]>,
    ticker: Arc<EventRing>,
}

impl Recorder {
    #[inline]
    pub(crate) fn epoch(&self) -> u32 {
        self.epoch.load(Ordering::Relaxed)
    }

    /// The ring of a worker, if it is recorded, and the epoch that this belongs to.
    pub(crate) fn ring_of(&self, worker: usize) -> (u32, Option<Arc<EventRing>>) {
        let rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        let ring = rings.as_ref().map(|rings| rings.workers[worker].clone());
        (self.epoch(), ring)
    }

    /// The ticker only.
    pub(crate) fn note_overrun(&self, event: Event) {
        let rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rings) = rings.as_ref() {
            rings.ticker.push(event.to_words());
        }
    }

    fn now_records_to(&self, next: Option<Rings>) -> Option<Rings> {
        let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *rings, next);
        self.epoch.fetch_add(1, Ordering::Relaxed);
        before
    }

    fn rings(&self) -> Option<Rings> {
        let rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        rings.clone()
    }
}

impl Shared {
    /// Begins a new recording; a sentence when that many events cannot be kept.
    pub(crate) fn record(&self, events_max: usize) -> Result<(), String> {
        if !(1..=RECORD_EVENTS_MAX).contains(&events_max) {
            return Err(format!(
                "{events_max} events cannot be kept of each worker; give a number from 1 to {RECORD_EVENTS_MAX}"
            ));
        }
        let ring = |events_max| Arc::new(EventRing::new(events_max));
        let rings = Rings {
            began: self.clock.nanos(),
            events_max,
            workers: self.workers.iter().map(|_| ring(events_max)).collect(),
            ticker: ring(events_max.min(TICKER_EVENTS_MAX)),
        };
        // The older ones are freed after the lock.
        drop(self.recorder.now_records_to(Some(rings)));
        Ok(())
    }

    pub(crate) fn recording(&self) -> Option<Recording> {
        Some(self.read(&self.recorder.rings()?))
    }

    pub(crate) fn stop_recording(&self) -> Option<Recording> {
        Some(self.read(&self.recorder.now_records_to(None)?))
    }

    fn read(&self, rings: &Rings) -> Recording {
        let lanes = self.workers.iter().zip(&*rings.workers);
        Recording {
            workers: lanes
                .map(|(worker, ring)| lane(ring, running(worker)))
                .collect(),
            ticker: lane(&rings.ticker, None),
            began: rings.began,
            taken: self.clock.nanos(),
            events_max: rings.events_max,
            config: self.config_now(),
            seed: self.seed(),
        }
    }
}

fn lane(ring: &EventRing, running: Option<(Address, u64)>) -> Lane {
    let copied = ring.read();
    let events = copied.records.into_iter().filter_map(Event::from_words);
    Lane {
        events: events.collect(),
        missed: copied.missed,
        running,
    }
}

/// A glance: the turn may be over by now.
fn running(worker: &Worker) -> Option<(Address, u64)> {
    let cells = worker.tenant()?.cells;
    let task = Address::from_bits(cells.task.get());
    let busy = cells.busy_since.get() != 0 && task != Address::NOBODY;
    busy.then(|| (task, cells.turn_began.get()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_as_it_was_written() {
        let (task, by) = (Address::new(7, 9), Address::NOBODY);
        let turns = ENDS.map(|end| What::Turn {
            task,
            lasted: 1 << 40,
            end,
            reductions: u32::MAX,
        });
        let others = [
            What::Steal {
                from: 3,
                tasks: 128,
            },
            What::Park,
            What::Unpark,
            What::Spawn { task, by },
            What::Timers { fired: 512 },
        ];
        let overruns = [true, false].map(|rescued| What::Overrun {
            task,
            worker: 253,
            lasted: 10_000_000,
            rescued,
        });
        for what in turns.into_iter().chain(others).chain(overruns) {
            let event = Event { at: 123, what };
            assert_eq!(Event::from_words(event.to_words()), Some(event));
        }
    }

    #[test]
    fn numbers_that_are_no_event_are_none() {
        assert_eq!(Event::from_words([0; 4]), None);
        assert_eq!(Event::from_words([1, 1, 1, pack(TURN, 6, 0)]), None);
        assert_eq!(Event::from_words([1, 1, 1, 8]), None);
    }
}
