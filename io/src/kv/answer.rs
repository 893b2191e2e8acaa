//! The answer to one write: a place that the committer fills and a process waits at.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

enum State<T> {
    Waiting(Option<Waker>),
    Here(T),
    /// The sender went without an answer.
    Never,
}

/// Gives the answer, once.
pub(super) struct Sender<T>(Arc<Mutex<State<T>>>);

/// Waits for it; `None` if nobody will ever give it.
pub(super) struct Answer<T>(Arc<Mutex<State<T>>>);

pub(super) fn new<T>() -> (Sender<T>, Answer<T>) {
    let place = Arc::new(Mutex::new(State::Waiting(None)));
    (Sender(place.clone()), Answer(place))
}

impl<T> Sender<T> {
    pub(super) fn send(self, value: T) {
        settle(&self.0, State::Here(value));
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let waits = |state: &State<T>| matches!(state, State::Waiting(_));
        if waits(&self.0.lock().unwrap_or_else(PoisonError::into_inner)) {
            settle(&self.0, State::Never);
        }
    }
}

fn settle<T>(place: &Mutex<State<T>>, state: State<T>) {
    let before = {
        let mut here = place.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *here, state)
    };
    if let State::Waiting(Some(waker)) = before {
        waker.wake();
    }
}

impl<T> Future for Answer<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Wakers are cloned before the lock and dropped after it: they may be anybody's.
        let waiting = State::Waiting(Some(cx.waker().clone()));
        let before = {
            let mut here = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match &*here {
                State::Waiting(_) => std::mem::replace(&mut *here, waiting),
                _ => std::mem::replace(&mut *here, State::Never),
            }
        };
        match before {
            State::Here(value) => Poll::Ready(Some(value)),
            State::Never => Poll::Ready(None),
            State::Waiting(_) => Poll::Pending,
        }
    }
}
