//! Where traced processes leave their events and a reader finds them: so many, and so many a second.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusm_sched::Handle;

use super::text::Text;
use super::{TraceEvent, TraceKind, TraceLimits, Traced};
use crate::pid::Pid;

const SECOND: Duration = Duration::from_secs(1);

pub(super) struct Ring {
    clock: Handle,
    events_max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    events: VecDeque<TraceEvent>,
    dropped: u64,
    /// When the second began in which so many were kept.
    begun: Duration,
    kept: u32,
    events_per_second_max: u32,
    closed: bool,
}

impl Ring {
    pub(super) fn new(clock: Handle, limits: TraceLimits) -> Self {
        Ring {
            clock,
            events_max: limits.events_max,
            state: Mutex::new(State {
                events_per_second_max: limits.events_per_second_max,
                ..State::default()
            }),
        }
    }

    pub(super) fn set_rate(&self, events_per_second_max: u32) {
        self.lock().events_per_second_max = events_per_second_max;
    }

    /// Keeps an event, or counts it. Its text is written only if it is kept, by code of this crate:
    /// under the lock, so that times are in the order of the events.
    pub(super) fn tell(
        &self,
        kind: TraceKind,
        pid: Pid,
        other: Option<Pid>,
        write: impl FnOnce(&mut Text),
    ) {
        let mut state = self.lock();
        let at = self.clock.now();
        if state.kept == 0 || at >= state.begun.saturating_add(SECOND) {
            (state.begun, state.kept) = (at, 0);
        }
        if state.kept >= state.events_per_second_max || state.events.len() >= self.events_max {
            state.dropped += 1;
            return;
        }
        state.kept += 1;
        let mut text = Text::default();
        write(&mut text);
        state.events.push_back(TraceEvent {
            at,
            kind,
            pid,
            other,
            text: text.into_string(),
        });
    }

    pub(super) fn take(&self) -> Traced {
        let mut state = self.lock();
        let events = std::mem::take(&mut state.events);
        let dropped = std::mem::take(&mut state.dropped);
        drop(state);
        Traced {
            events: events.into(),
            dropped,
        }
    }

    /// Those that wait, which stay; `None` once nobody reads.
    pub(super) fn events(&self) -> Option<Vec<TraceEvent>> {
        let state = self.lock();
        (!state.closed).then(|| state.events.iter().cloned().collect())
    }

    /// Nobody reads any more. Processes may have a hold of it for a while.
    pub(super) fn close(&self) -> Traced {
        self.lock().closed = true;
        self.take()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        write!(
            f,
            "{} events, {} dropped",
            state.events.len(),
            state.dropped
        )
    }
}
