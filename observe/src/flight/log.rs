//! What clients had traced, and what they were warned of, kept for the case of a crash.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use rusm_actor::TraceView;

use crate::protocol::{TraceEvent, Warning};
use crate::shared::Shared;

/// Traced events that are kept after their clients had them.
const TRACED_MAX: usize = 1_000;

/// Of one node.
#[derive(Default)]
pub(crate) struct Log {
    /// Not held: it holds this.
    observer: OnceLock<Weak<Shared>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The latest ones that clients were told.
    told: VecDeque<TraceEvent>,
    /// Where those are that they were not told yet.
    views: Vec<TraceView>,
}

impl Log {
    /// Of this observer; a second one's warnings are not told.
    pub(crate) fn of(&self, observer: &Arc<Shared>) {
        let _ = self.observer.set(Arc::downgrade(observer));
    }

    /// Somebody is to be traced for a client.
    pub(crate) fn follow(&self, view: TraceView) {
        let mut state = self.lock();
        state.views.retain(|known| known.events().is_some());
        state.views.push(view);
    }

    /// A client is told this.
    pub(crate) fn keep(&self, events: &[TraceEvent]) {
        let mut state = self.lock();
        state.told.extend(events.iter().cloned());
        let over = state.told.len().saturating_sub(TRACED_MAX);
        state.told.drain(..over);
    }

    /// In the order of time; what two clients had traced is told twice.
    pub(super) fn traced(&self) -> Vec<TraceEvent> {
        let state = self.lock();
        let waiting = state.views.iter().filter_map(TraceView::events).flatten();
        let told = state.told.iter().cloned();
        let mut all: Vec<TraceEvent> = told.chain(waiting.map(TraceEvent::from)).collect();
        all.sort_by_key(|event| event.at);
        all
    }

    pub(super) fn warnings(&self) -> Vec<Warning> {
        let observer = self.observer.get().and_then(Weak::upgrade);
        // Nobody looks for them while nobody is there to be warned.
        let observer = observer.filter(|observer| observer.clients() > 0);
        observer.map_or(Vec::new(), |observer| observer.warnings.active())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
