//! A worker's private half: its run queue, its hand-off slot, and the order of service.
//!
//! Everything here is touched by the worker's leaseholder only (`lease.rs`); what others may
//! reach lies in `Public`. Knows tasks as opaque references.

#[allow(unsafe_code)]
pub(crate) mod ring;

use std::collections::VecDeque;

use crossbeam_deque::{Steal, Stealer, Worker as Deque};

use crate::config::{CLAIM_MAX, Config, QueueKind, StealPolicy};
use crate::task::slot::TaskRef;
use crate::tuning::Tuning;
use ring::Ring;

/// 256 slots, as elsewhere, overflow in every burst of spawns: 22 against 98 M/s.
const RING_LEN: usize = 1024;
const URGENT_LEN: usize = 256;
/// Tasks moved to the injector when the ring is full.
const SPILL: usize = 512;
/// Tasks a thief takes at most.
const STEAL_MAX: usize = 128;

/// What other workers may take from.
pub(crate) struct Public {
    ring: Ring<RING_LEN>,
    /// Woken by timers or I/O.
    urgent: Ring<URGENT_LEN>,
    /// In place of `ring`, with that kind of queue.
    deque: Option<Stealer<TaskRef>>,
}

impl Public {
    /// How many there are to take. A glance.
    pub(crate) fn len(&self) -> usize {
        let deque = self.deque.as_ref().map_or(0, Stealer::len);
        self.ring.len() + self.urgent.len() + deque
    }
}

enum Local {
    /// Tasks claimed from the public ring.
    Ring(Claimed),
    Deque(Deque<TaskRef>),
    Fifo(VecDeque<TaskRef>),
    Shuffled(Vec<TaskRef>),
}

/// Tasks in the order of claiming, the next one at `at`.
#[derive(Default)]
struct Claimed {
    tasks: [Option<TaskRef>; CLAIM_MAX],
    at: usize,
}

impl Claimed {
    #[inline(always)]
    fn next(&mut self) -> Option<TaskRef> {
        let task = self.tasks.get_mut(self.at)?.take();
        self.at += usize::from(task.is_some());
        task
    }

    /// Claims more once all are taken.
    #[inline(never)]
    fn refill(&mut self, ring: &Ring<RING_LEN>, wanted: usize) {
        self.at = 0;
        ring.take(&mut self.tasks[..wanted], |len| len);
    }

    fn len(&self) -> usize {
        self.tasks.iter().flatten().count()
    }
}

/// The private half of one worker.
pub(crate) struct Queue {
    local: Local,
    /// Woken by a message of the task that runs: next, on the remaining budget.
    hand_off: Option<TaskRef>,
    urgent_run: u32,
    urgent_run_max: u32,
    claim: usize,
    random: u64,
}

impl Queue {
    pub(crate) fn new(config: &Config, seed: u64) -> (Queue, Public) {
        let mut deque = None;
        let local = match config.queue {
            QueueKind::Ring => Local::Ring(Claimed::default()),
            QueueKind::Deque => {
                let worker = Deque::new_fifo();
                deque = Some(worker.stealer());
                Local::Deque(worker)
            }
            QueueKind::Fifo => Local::Fifo(VecDeque::new()),
            QueueKind::Shuffled => Local::Shuffled(Vec::new()),
        };
        let queue = Queue {
            local,
            hand_off: None,
            urgent_run: 0,
            urgent_run_max: config.urgent_run_max,
            claim: config.claim,
            random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
        };
        let public = Public {
            ring: Ring::new(),
            urgent: Ring::new(),
            deque,
        };
        (queue, public)
    }

    /// Takes over the present tuning.
    pub(crate) fn tune(&mut self, tuning: &Tuning) {
        self.urgent_run_max = tuning.urgent_run_max();
        self.claim = tuning.claim();
    }

    /// Queues a task behind the others. What does not fit goes to `spill`.
    #[inline(always)]
    pub(crate) fn push(&mut self, public: &Public, task: TaskRef, spill: impl FnMut(TaskRef)) {
        if let Local::Ring(_) = self.local {
            if public.ring.push(task).is_err() {
                overflow(public, task, spill);
            }
            return;
        }
        self.push_elsewhere(task);
    }

    /// Into one of the queues that are there to be compared.
    #[cold]
    #[inline(never)]
    fn push_elsewhere(&mut self, task: TaskRef) {
        match &mut self.local {
            Local::Ring(_) => {}
            Local::Deque(deque) => deque.push(task),
            Local::Fifo(tasks) => tasks.push_back(task),
            Local::Shuffled(tasks) => tasks.push(task),
        }
    }

    /// Queues a task before the ordinary ones.
    pub(crate) fn push_urgent(
        &mut self,
        public: &Public,
        task: TaskRef,
        spill: impl FnMut(TaskRef),
    ) {
        if public.urgent.push(task).is_err() {
            self.push(public, task, spill);
        }
    }

    /// Makes `task` the next one to run, unless another one is that already: of several
    /// receivers the first one is served first.
    #[inline(always)]
    pub(crate) fn hand_off(&mut self, task: TaskRef) -> bool {
        let free = self.hand_off.is_none();
        if free {
            self.hand_off = Some(task);
        }
        free
    }

    #[inline(always)]
    pub(crate) fn take_hand_off(&mut self) -> Option<TaskRef> {
        self.hand_off.take()
    }

    /// The next of the tasks that were claimed already, if nothing comes before it.
    #[inline(always)]
    pub(crate) fn pop_claimed(&mut self, public: &Public) -> Option<TaskRef> {
        match &mut self.local {
            Local::Ring(claimed) if public.urgent.len() == 0 => claimed.next(),
            _ => None,
        }
    }

    /// The next task in order. `show`: somebody is idle, so claim no more than needed; `give`
    /// takes what a private queue can spare then.
    #[inline(always)]
    pub(crate) fn pop(
        &mut self,
        public: &Public,
        show: bool,
        give: impl FnMut(TaskRef),
    ) -> Option<TaskRef> {
        if public.urgent.len() > 0
            && let Some(task) = self.pop_urgent(public)
        {
            return Some(task);
        }
        if let Local::Ring(claimed) = &mut self.local {
            let next = claimed.next();
            if next.is_some() {
                return next;
            }
            if show {
                return public.ring.take_one();
            }
            claimed.refill(&public.ring, self.claim);
            return claimed.next();
        }
        self.pop_elsewhere(show, give)
    }

    #[cold]
    #[inline(never)]
    fn pop_elsewhere(&mut self, show: bool, give: impl FnMut(TaskRef)) -> Option<TaskRef> {
        match &mut self.local {
            Local::Ring(_) => None,
            Local::Deque(deque) => deque.pop(),
            Local::Fifo(tasks) => {
                if show && tasks.len() > 1 {
                    tasks.drain(..tasks.len() / 2).for_each(give);
                }
                tasks.pop_front()
            }
            Local::Shuffled(tasks) if tasks.is_empty() => None,
            Local::Shuffled(tasks) => {
                let at = self.random;
                self.random = step(self.random);
                Some(tasks.swap_remove((at >> 16) as usize % tasks.len()))
            }
        }
    }

    /// Takes everything out. For a worker that no thread leads any more, when there are no
    /// thieves left either.
    pub(crate) fn empty(&mut self, public: &Public, mut give: impl FnMut(TaskRef)) {
        self.hand_off.take().into_iter().for_each(&mut give);
        while let Some(task) = self.pop(public, false, |_| {}) {
            give(task);
        }
    }

    #[cold]
    fn pop_urgent(&mut self, public: &Public) -> Option<TaskRef> {
        self.urgent_run += 1;
        if self.urgent_run > self.urgent_run_max && self.len(public) > 0 {
            self.urgent_run = 0;
            return None;
        }
        let mut first = [None];
        public.urgent.take(&mut first, |len| len);
        first[0]
    }

    /// Ordinary tasks in the queue.
    pub(crate) fn len(&self, public: &Public) -> usize {
        match &self.local {
            Local::Ring(claimed) => public.ring.len() + claimed.len(),
            Local::Deque(deque) => deque.len(),
            Local::Fifo(tasks) => tasks.len(),
            Local::Shuffled(tasks) => tasks.len(),
        }
    }

    /// All tasks in the queue that wait for a turn.
    pub(crate) fn waiting(&self, public: &Public) -> usize {
        self.len(public) + public.urgent.len()
    }

    /// Takes work from a victim: the first task to run it now, the others into the queue.
    /// Returns how many came.
    pub(crate) fn steal(
        &mut self,
        public: &Public,
        victim: &Public,
        policy: StealPolicy,
        mut spill: impl FnMut(TaskRef),
    ) -> (Option<TaskRef>, usize) {
        if let (Local::Deque(deque), Some(stealer)) = (&self.local, &victim.deque) {
            return steal_deque(deque, stealer, policy);
        }
        if policy == StealPolicy::Off {
            return (None, 0);
        }
        let mut loot = [None; STEAL_MAX];
        let mut count = victim.urgent.take(&mut loot[..1], |len| len);
        count += match policy {
            StealPolicy::Off => 0,
            StealPolicy::One => victim.ring.take(&mut loot[count..=count], |len| len.min(1)),
            StealPolicy::Half => victim.ring.take(&mut loot[count..], |len| len - len / 2),
        };
        for task in loot[..count].iter().skip(1).flatten() {
            self.push(public, *task, &mut spill);
        }
        (loot[0], count)
    }

    /// A number below `bound`: where a thief begins.
    pub(crate) fn random(&mut self, bound: usize) -> usize {
        self.random = step(self.random);
        (self.random >> 16) as usize % bound
    }
}

/// Half of the full ring and the task that found it full.
#[cold]
#[inline(never)]
fn overflow(public: &Public, task: TaskRef, mut spill: impl FnMut(TaskRef)) {
    let mut out = [None; SPILL];
    public.ring.take(&mut out, |len| len);
    out.into_iter().flatten().for_each(&mut spill);
    spill(task);
}

fn steal_deque(
    own: &Deque<TaskRef>,
    victim: &Stealer<TaskRef>,
    policy: StealPolicy,
) -> (Option<TaskRef>, usize) {
    let before = own.len();
    let outcome = match policy {
        StealPolicy::Off => Steal::Empty,
        StealPolicy::One => victim.steal(),
        StealPolicy::Half => victim.steal_batch_and_pop(own),
    };
    match outcome {
        Steal::Success(task) => (Some(task), own.len().saturating_sub(before) + 1),
        Steal::Empty | Steal::Retry => (None, 0),
    }
}

/// xorshift64 (G. Marsaglia, "Xorshift RNGs", 2003).
fn step(mut random: u64) -> u64 {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    random
}
