//! One question to a process about itself, and its answer: once, or not at all if it ends.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use rusm_sched::Sleep;

use super::Inside;

/// The question, on its way in a signal. Dropped without an answer it says that there is nobody
/// to give one: that is how the dead answer.
pub(crate) struct Ask(Arc<Place>);

#[derive(Default)]
struct Place(Mutex<State>);

#[derive(Default)]
struct State {
    settled: Option<Settled>,
    waker: Option<Waker>,
}

/// How a question has ended.
pub(super) enum Settled {
    Told(Inside),
    /// The process ended before it heard the question.
    Ended,
    /// It did not answer in time.
    Silent,
}

/// Waits for the answer until `sleep` ends.
#[must_use = "a future does nothing unless it is awaited"]
pub(super) struct Answer {
    place: Arc<Place>,
    sleep: Sleep,
}

/// A question, and what waits for its answer.
pub(super) fn ask(sleep: Sleep) -> (Ask, Answer) {
    let place = Arc::new(Place::default());
    (Ask(place.clone()), Answer { place, sleep })
}

impl Place {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first word counts. Never inlined: it would become part of the end of every message.
    #[cold]
    #[inline(never)]
    fn settle(&self, settled: Settled) {
        let mut state = self.lock();
        if state.settled.is_some() {
            return;
        }
        state.settled = Some(settled);
        let waker = state.waker.take();
        // Wakers are called without locks.
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Ask {
    /// Is anybody still waiting? Who asked may have given up.
    pub(crate) fn is_wanted(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    pub(crate) fn tell(&self, inside: Inside) {
        self.0.settle(Settled::Told(inside));
    }
}

impl Drop for Ask {
    fn drop(&mut self) {
        self.0.settle(Settled::Ended);
    }
}

impl Future for Answer {
    type Output = Settled;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Settled> {
        let mut state = self.place.lock();
        if let Some(settled) = state.settled.take() {
            return Poll::Ready(settled);
        }
        state.waker = Some(cx.waker().clone());
        drop(state);
        Pin::new(&mut self.sleep).poll(cx).map(|()| Settled::Silent)
    }
}
