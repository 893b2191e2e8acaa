//! The bystander of the fairness scenarios: sleeps a millisecond at a time and notes how late it wakes.

use std::time::{Duration, Instant};

use crate::latency::Latency;

const TICK: Duration = Duration::from_millis(1);

/// The wake-ups of one bystander.
pub(crate) struct Ticks {
    /// As the peers note it: each wake-up once, against the time it was due.
    pub(crate) late: Latency,
    /// Corrected: a wake-up that is late by many ticks also counts for the ticks it swallowed.
    pub(crate) corrected: Latency,
}

impl Ticks {
    pub(crate) fn new() -> Self {
        Ticks {
            late: Latency::new(),
            corrected: Latency::new(),
        }
    }

    pub(crate) async fn one(&mut self) {
        let due = Instant::now() + TICK;
        rusm_sched::sleep(TICK).await;
        let late = due.elapsed();
        self.late.note(late);
        self.corrected.note_due_every(TICK, late);
    }

    pub(crate) fn count(&self) -> u64 {
        self.late.count()
    }
}
