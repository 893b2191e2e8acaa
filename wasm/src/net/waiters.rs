//! Many who wait for one direction of a socket, of whom the reactor knows only one: that one wakes
//! them all.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

#[derive(Debug, Default)]
pub(super) struct Waiters(Mutex<Vec<Waker>>);

impl Waiters {
    /// Polls with a waker that stands for all who wait, of whom this one is one until it is ready.
    pub(super) fn poll(
        self: &Arc<Self>,
        cx: &Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<()>,
    ) -> Poll<()> {
        // Before the poll, or a wake between the two would find nobody.
        self.edit(|wakers| {
            if !wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
                wakers.push(cx.waker().clone());
            }
        });
        let all = Waker::from(self.clone());
        let ready = poll(&mut Context::from_waker(&all));
        if ready.is_ready() {
            self.edit(|wakers| wakers.retain(|waker| !waker.will_wake(cx.waker())));
        }
        ready
    }

    fn edit<T>(&self, change: impl FnOnce(&mut Vec<Waker>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Wake for Waiters {
    fn wake(self: Arc<Self>) {
        for waker in self.edit(std::mem::take) {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    #[derive(Default)]
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn all_who_wait_are_woken_once_and_who_is_ready_waits_no_more() {
        let waiters = Arc::new(Waiters::default());
        let counts: [Arc<Count>; 3] = Default::default();
        let [one, other, gone] = counts.clone().map(Waker::from);
        let mut left = None;
        for (waker, ready) in [(&one, false), (&other, false), (&one, false), (&gone, true)] {
            let _ = waiters.poll(&Context::from_waker(waker), |cx| {
                left = Some(cx.waker().clone());
                if ready {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            });
        }
        left.unwrap().wake();
        assert_eq!(counts.map(|count| count.0.load(Relaxed)), [1, 1, 0]);
        assert!(waiters.edit(|wakers| wakers.is_empty()));
    }
}
