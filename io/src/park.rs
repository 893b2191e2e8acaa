//! Decides where an idle worker sleeps: in the shared poll if nobody else does, else on its own
//! condition variable. Does not know what the poll finds.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::Waker;
use std::time::Duration;

use rusm_sched::{Park, Unpark, contain};

use crate::poller::{EVENTS_MAX, Poller};
use crate::word::{Bed, ParkWord, Rouse};

/// The system's poll counts whole milliseconds and rounds up. While no source is registered a sleep
/// shorter than this takes the condition variable instead, which is exact; a source registered
/// meanwhile waits at most as long.
const EXACT_SLEEP_MAX: Duration = Duration::from_millis(10);

/// One worker's sleep.
pub(crate) struct ReactorPark {
    sleeper: Arc<Sleeper>,
    /// Reused by every poll: at most a reader and a writer for each event.
    wakers: Vec<Waker>,
}

impl ReactorPark {
    pub(crate) fn new(poller: Arc<Poller>) -> Self {
        let sleeper = Sleeper {
            word: ParkWord::default(),
            lock: Mutex::new(()),
            signal: Condvar::new(),
            poller,
        };
        Self {
            sleeper: Arc::new(sleeper),
            wakers: Vec::with_capacity(2 * EVENTS_MAX),
        }
    }
}

impl Park for ReactorPark {
    fn park(&mut self, timeout: Option<Duration>) {
        let Sleeper { word, poller, .. } = &*self.sleeper;
        let exact = timeout.is_some_and(|t| t < EXACT_SLEEP_MAX) && !poller.has_sources();
        let look = if exact { None } else { poller.try_look() };
        let Some(mut look) = look else {
            return self.sleeper.sleep(timeout);
        };
        if word.fall_asleep(Bed::Poll) {
            look.collect(timeout, &mut self.wakers);
            word.wake_up();
        }
        drop(look);
        wake_all(&mut self.wakers);
    }

    fn poll(&mut self) {
        let poller = &self.sleeper.poller;
        if !poller.has_sources() {
            return;
        }
        if let Some(mut look) = poller.try_look() {
            look.collect(Some(Duration::ZERO), &mut self.wakers);
            drop(look);
            wake_all(&mut self.wakers);
        }
    }

    fn unparker(&self) -> Arc<dyn Unpark> {
        self.sleeper.clone()
    }
}

/// What others hold of a worker to wake it. It has its own condition variable rather than
/// `std::thread::park`, because the thread behind a worker may change.
struct Sleeper {
    word: ParkWord,
    lock: Mutex<()>,
    signal: Condvar,
    poller: Arc<Poller>,
}

impl Sleeper {
    fn sleep(&self, timeout: Option<Duration>) {
        if !self.word.fall_asleep(Bed::Thread) {
            return;
        }
        let guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if self.word.is_asleep() {
            match timeout {
                None => drop(self.signal.wait(guard)),
                Some(limit) => drop(self.signal.wait_timeout(guard, limit)),
            }
        }
        self.word.wake_up();
    }
}

impl Unpark for Sleeper {
    fn unpark(&self) {
        match self.word.unpark() {
            Rouse::Nothing => {}
            Rouse::Thread => {
                // The sleeper holds the lock from its look at the word until it waits. Passing
                // through the lock means that it either has seen the new word or hears the signal.
                drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
                self.signal.notify_one();
            }
            Rouse::Poll => self.poller.interrupt(),
        }
    }
}

/// Wakes those whom a look has found. A waker may be anybody's: one that panics must not keep the
/// others from being woken, nor end the worker's thread.
fn wake_all(wakers: &mut Vec<Waker>) {
    for waker in wakers.drain(..) {
        contain(|| waker.wake());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::time::Instant;

    const FOREVER: Duration = Duration::from_secs(60);

    fn parks(count: usize) -> Vec<ReactorPark> {
        let poller = Arc::new(Poller::new().unwrap());
        let park = |_| ReactorPark::new(poller.clone());
        (0..count).map(park).collect()
    }

    #[test]
    fn an_unpark_that_came_before_ends_the_next_park_at_once() {
        let mut park = parks(1).remove(0);
        for timeout in [Some(FOREVER), Some(Duration::from_millis(9)), None] {
            park.unparker().unpark();
            let begun = Instant::now();
            park.park(timeout);
            assert!(begun.elapsed() < FOREVER / 2);
        }
    }

    #[test]
    fn a_park_lasts_about_as_long_as_its_timeout() {
        for limit in [Duration::from_millis(2), Duration::from_millis(12)] {
            let mut park = parks(1).remove(0);
            let begun = Instant::now();
            // Spurious returns are allowed, hence the loop; it is bounded by the clock.
            while begun.elapsed() < limit {
                park.park(Some(limit - begun.elapsed()));
            }
            assert!(begun.elapsed() < FOREVER / 2);
        }
    }

    struct Bomb(AtomicUsize);

    impl std::task::Wake for Bomb {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
            std::panic::resume_unwind(Box::new("on purpose"));
        }
    }

    #[test]
    fn a_waker_that_panics_keeps_nobody_else_asleep() {
        let mut park = parks(1).remove(0);
        let poller = park.sleeper.poller.clone();
        let bombs = [(); 2].map(|()| Arc::new(Bomb(AtomicUsize::new(0))));
        let sources = [(); 2].map(|()| std::os::unix::net::UnixStream::pair().unwrap());
        for (bomb, (source, _)) in bombs.iter().zip(&sources) {
            let (_, readiness) = poller.register(source, mio::Interest::WRITABLE).unwrap();
            let writable = &readiness.write;
            assert!(writable.wait(writable.edges(), &bomb.clone().into()));
        }
        // One look may find one of the two; both can be written to from the start.
        while bombs.iter().any(|bomb| bomb.0.load(SeqCst) == 0) {
            park.park(Some(FOREVER));
            park.poll();
        }
    }

    /// Workers hand a baton round with unpark: one lost wake-up and it stands still for `FOREVER`.
    /// With two or more of them, one sleeps in the poll and the others on their threads, and the
    /// roles change all the time.
    #[test]
    fn unparks_from_other_threads_are_never_lost() {
        const ROUNDS: usize = 3_000;
        for count in [2, 3] {
            let parks = parks(count);
            let unparkers: Vec<_> = parks.iter().map(|p| p.unparker()).collect();
            let baton = AtomicUsize::new(0);
            let begun = Instant::now();
            std::thread::scope(|scope| {
                for (me, mut park) in parks.into_iter().enumerate() {
                    let (unparkers, baton) = (&unparkers, &baton);
                    scope.spawn(move || {
                        for round in 0..ROUNDS {
                            let turn = round * count + me;
                            while baton.load(SeqCst) != turn {
                                assert!(begun.elapsed() < FOREVER, "the baton is lost");
                                park.park(Some(FOREVER));
                            }
                            baton.store(turn + 1, SeqCst);
                            unparkers[(me + 1) % count].unpark();
                        }
                    });
                }
            });
            assert_eq!(baton.load(SeqCst), ROUNDS * count);
        }
    }
}
