//! A value that several processes share and one at a time uses, across suspensions.

use std::future::poll_fn;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Who has the value holds it itself; who waits is woken when it comes back.
pub(super) struct Lock<T>(Mutex<State<T>>);

struct State<T> {
    value: Option<T>,
    waiting: Vec<Waker>,
}

impl<T> Lock<T> {
    pub(super) fn new(value: T) -> Self {
        Self(Mutex::new(State {
            value: Some(value),
            waiting: Vec::new(),
        }))
    }

    /// Waits until nobody uses the value.
    pub(super) async fn lock(&self) -> Guard<'_, T> {
        let value = poll_fn(|cx| {
            let waker = cx.waker().clone();
            let mut state = self.state();
            if let Some(value) = state.value.take() {
                return Poll::Ready(value);
            }
            // Each poll anew, and no second time for the same task.
            if !state.waiting.iter().any(|other| other.will_wake(&waker)) {
                state.waiting.push(waker);
            }
            Poll::Pending
        });
        Guard {
            lock: self,
            value: Some(value.await),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the value back when it is dropped.
pub(super) struct Guard<'a, T> {
    lock: &'a Lock<T>,
    value: Option<T>,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("it is there until the drop")
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("it is there until the drop")
    }
}

impl<T> Drop for Guard<'_, T> {
    /// All are woken, not only the first: it may be one that no longer waits.
    fn drop(&mut self) {
        let mut state = self.lock.state();
        state.value = self.value.take();
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Wake};

    #[derive(Default)]
    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_value_goes_from_one_to_the_next_and_wakes_whoever_still_waits() {
        let lock = Lock::new(1);
        let wakes = [(); 3].map(|()| Arc::new(Count::default()));
        let [mut first, mut second, mut third] =
            [0, 1, 2].map(|at| Waker::from(wakes[at].clone())).map(Some);
        let mut one = pin!(lock.lock());
        let mut cx = Context::from_waker(first.as_ref().unwrap());
        let Poll::Ready(mut guard) = one.as_mut().poll(&mut cx) else {
            panic!("nobody has it");
        };
        *guard += 1;
        {
            let mut gives_up = pin!(lock.lock());
            let mut cx = Context::from_waker(second.as_ref().unwrap());
            assert!(gives_up.as_mut().poll(&mut cx).is_pending());
            assert!(gives_up.as_mut().poll(&mut cx).is_pending());
        }
        let mut waits = pin!(lock.lock());
        let mut cx = Context::from_waker(third.as_ref().unwrap());
        assert!(waits.as_mut().poll(&mut cx).is_pending());
        drop(guard);
        let woken = wakes
            .each_ref()
            .map(|count| count.0.load(Ordering::Relaxed));
        assert_eq!(woken, [0, 1, 1]);
        let Poll::Ready(guard) = waits.as_mut().poll(&mut cx) else {
            panic!("it was given back");
        };
        assert_eq!(*guard, 2);
        (first, second, third) = (None, None, None);
        let _ = (first, second, third);
    }
}
