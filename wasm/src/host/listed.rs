//! The streams that the guests of a node have opened or were offered, for those who look: a list that is written when a
//! stream comes into being, and never when bytes pass.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rusm_actor::StreamView;

/// Streams that are listed; those opened while so many are held are not.
pub(crate) const STREAMS_MAX: usize = 100_000;
/// Streams that come before those that nobody holds any more are looked for, at least.
const SWEEP_MIN: usize = 64;

#[derive(Default)]
pub(crate) struct Listed(Mutex<State>);

#[derive(Default)]
struct State {
    views: Vec<StreamView>,
    /// As many as the last sweep left.
    held: usize,
    /// So many more come before the next sweep: as many as the last one left, so that one costs nanoseconds.
    sweep_in: usize,
}

impl Listed {
    pub(crate) fn note(&self, view: StreamView) {
        let mut state = self.lock();
        if state.sweep_in == 0 {
            state.views.retain(StreamView::is_held);
            state.held = state.views.len();
            state.sweep_in = state.held.max(SWEEP_MIN);
        }
        state.sweep_in -= 1;
        // So there are never twice as many: those that nobody holds any more keep nobody out.
        if state.held < STREAMS_MAX {
            state.views.push(view);
        }
    }

    /// Those that somebody holds, the oldest first.
    pub(crate) fn all(&self) -> Vec<StreamView> {
        let mut all = self.lock().views.clone();
        all.retain(StreamView::is_held);
        all.truncate(STREAMS_MAX);
        all
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusm_actor::open_stream;

    #[test]
    fn streams_that_nobody_holds_are_forgotten_and_the_list_stays_short() {
        let listed = Listed::default();
        let mut held = Vec::new();
        for number in 0..10_000 {
            let (writer, reader) = open_stream(1).unwrap();
            listed.note(reader.view());
            if number % 100 == 0 {
                held.push((writer, reader));
            }
        }
        assert_eq!(listed.all().len(), held.len());
        assert!(listed.lock().views.len() <= 2 * held.len());
        held.clear();
        assert!(listed.all().is_empty());
    }

    #[test]
    fn streams_that_nobody_holds_any_more_keep_no_others_out() {
        let listed = Listed::default();
        let (_writer, reader) = open_stream(1).unwrap();
        // The next sweep is far away when those come that end at once.
        (0..70_000).for_each(|_| listed.note(reader.view()));
        (0..40_000).for_each(|_| listed.note(open_stream(1).unwrap().1.view()));
        (0..100).for_each(|_| listed.note(reader.view()));
        assert_eq!(listed.all().len(), 70_100);
    }

    #[test]
    fn no_more_streams_are_listed_than_may_be() {
        let listed = Listed::default();
        let (_writer, reader) = open_stream(1).unwrap();
        for _ in 0..STREAMS_MAX + 10 {
            listed.note(reader.view());
        }
        assert_eq!(listed.all().len(), STREAMS_MAX);
    }
}
