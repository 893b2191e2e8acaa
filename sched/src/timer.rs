//! Timers of one scheduler: sleeping, and letters that are posted later.
//!
//! Each worker has a wheel behind a lock that is its own in all but rare cases (10 ns). What
//! is due is collected under the lock and acted upon after it.

pub(crate) mod wheel;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::clock::to_nanos;
use crate::contain::contain;
use crate::homes;
use crate::inbox::Letter;
use crate::inbox::parcel::Parcel;
use crate::seat::{self, Seat};
use crate::shared::Shared;
use crate::task::Kind;
use crate::task::slot::Address;
use crate::turn;
use wheel::{Key, Wheel};

/// Timers that fire before the wheel's lock is let go.
const BATCH: usize = 512;
/// What arming a timer costs: ten times a message, in time as well.
const ARM_REDUCTIONS: u32 = 10;
/// No timer is armed.
const NEVER: u64 = u64::MAX;

/// One worker's timers.
pub(crate) struct Timers {
    wheel: Mutex<Wheel<Action>>,
    /// No timer is due before this time, in nanoseconds.
    next: AtomicU64,
}

enum Action {
    Wake(Waker),
    Post(Parcel),
}

impl Action {
    /// Has whom it is for ended?
    fn is_stale(&self) -> bool {
        match self {
            Action::Post(parcel) => parcel.is_stale(),
            // Whose waker it is cannot be known; who sleeps disarms it when it ends.
            Action::Wake(_) => false,
        }
    }
}

impl Timers {
    pub(crate) fn new() -> Self {
        Timers {
            wheel: Mutex::new(Wheel::new()),
            next: AtomicU64::new(NEVER),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Wheel<Action>> {
        self.wheel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When to look again, in nanoseconds.
    #[inline]
    pub(crate) fn next(&self) -> Option<u64> {
        let next = self.next.load(Ordering::Relaxed);
        (next != NEVER).then_some(next)
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Arms a timer; true when it is the first one due.
    fn arm(&self, at: u64, action: Action) -> (Key, bool) {
        self.arm_locked(&mut self.lock(), at, action)
    }

    /// As `arm`, and has two other timers looked at: those of tasks that have ended are dropped.
    /// Each letter that is armed does that, so however many such timers there are, they are
    /// never more than the others for long. To find them when a task ends would cost every
    /// task a list.
    fn arm_letter(&self, at: u64, parcel: Parcel) -> (Key, bool) {
        let mut wheel = self.lock();
        let stale = wheel.weed(Action::is_stale);
        let armed = self.arm_locked(&mut wheel, at, Action::Post(parcel));
        drop(wheel);
        for action in stale.into_iter().flatten() {
            // It holds what somebody else wrote.
            contain(|| drop(action));
        }
        armed
    }

    fn arm_locked(&self, wheel: &mut Wheel<Action>, at: u64, action: Action) -> (Key, bool) {
        let key = wheel.arm(at, action);
        let earlier = at < self.next.load(Ordering::Relaxed);
        if earlier {
            self.publish(wheel);
        }
        (key, earlier)
    }

    fn publish(&self, wheel: &Wheel<Action>) {
        self.next
            .store(wheel.next().unwrap_or(NEVER), Ordering::Relaxed);
    }

    /// Drops what is armed, unfired.
    pub(crate) fn clear(&self) {
        let mut wheel = self.lock();
        let left = wheel.clear();
        self.publish(&wheel);
        drop(wheel);
        for action in left {
            contain(|| drop(action));
        }
    }

    /// Fires what is due at `now`; how many that were.
    pub(crate) fn fire(&self, now: u64) -> usize {
        let mut fired = 0;
        if self.next.load(Ordering::Relaxed) > now {
            return fired;
        }
        let mut due = Vec::new();
        let mut more = true;
        while more {
            let mut wheel = self.lock();
            more = wheel.advance(now, &mut due, BATCH);
            self.publish(&wheel);
            drop(wheel);
            fired += due.len();
            for action in due.drain(..) {
                contain(|| match action {
                    Action::Wake(waker) => waker.wake(),
                    Action::Post(parcel) => parcel.deliver(),
                });
            }
        }
        fired
    }
}

/// Where a timer is armed.
#[derive(Clone, Copy, Debug)]
struct Armed {
    home: u16,
    worker: u16,
    /// Of the scheduler: its number may be another one's by now.
    serial: u32,
    key: Key,
}

impl Armed {
    fn new(shared: &Shared, arm: impl FnOnce(&Timers) -> (Key, bool)) -> Self {
        let own = seat::try_current(|seat| {
            let here = seat.shared.serial == shared.serial;
            seat.worker
                .as_ref()
                .filter(|_| here)
                .map(|worker| worker.index)
        });
        let worker = own.flatten().unwrap_or(0);
        turn::owe(ARM_REDUCTIONS);
        let (key, first) = arm(&shared.workers[worker].timers);
        if shared.is_gone() {
            // Nobody will fire it. Asked after arming: else the end of the scheduler clears it.
            shared.workers[worker].timers.clear();
        } else if first {
            // Asked after arming: a thread that takes the worker over now sees the timer.
            let leads = own.flatten().is_some() && seat::current(|seat| seat.leads());
            if !leads {
                // Its sleep may be too long now.
                shared.workers[worker].unpark();
            }
        }
        Armed {
            home: shared.home,
            worker: worker as u16,
            serial: shared.serial,
            key,
        }
    }

    fn with<R>(&self, f: impl FnOnce(&Shared, &mut Wheel<Action>, Key) -> R) -> Option<R> {
        let mut f = Some(f);
        let mut run = |shared: &Shared| {
            let f = f.take().filter(|_| shared.serial == self.serial)?;
            let mut wheel = shared.workers[usize::from(self.worker)].timers.lock();
            Some(f(shared, &mut wheel, self.key))
        };
        let here = seat::try_current(|seat| {
            let here = seat.shared.serial == self.serial;
            if here { run(&seat.shared) } else { None }
        });
        match here.flatten() {
            Some(outcome) => Some(outcome),
            None => run(&*homes::find(self.home)?),
        }
    }

    /// Disarms it; when it was due.
    fn cancel(&self) -> Option<u64> {
        // The action is dropped after the lock: it may hold a waker of anybody's.
        let (at, action) = self.with(|_, wheel, key| wheel.cancel(key)).flatten()?;
        drop(action);
        Some(at)
    }
}

/// Time since this task's scheduler was started; the simulation's own time under the
/// simulation. About 25 ns.
pub fn now() -> Duration {
    seat::current(|seat| Duration::from_nanos(seat.shared.clock.nanos()))
}

/// Waits for `span`, never less, and about 0.1 ms more on an idle machine.
pub fn sleep(span: Duration) -> Sleep {
    sleep_until(now().saturating_add(span))
}

/// Waits until [`now`] has reached `deadline`.
pub fn sleep_until(deadline: Duration) -> Sleep {
    Sleep {
        deadline: to_nanos(deadline),
        armed: None,
    }
}

/// What `work` comes to; `None`: it was not done within `span`, and is dropped. It is asked once at
/// least.
pub async fn within<T>(span: Duration, work: impl Future<Output = T>) -> Option<T> {
    let (mut work, mut sleep) = (pin!(work), sleep(span));
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => Pin::new(&mut sleep).poll(cx).map(|()| None),
    })
    .await
}

/// See [`sleep`]. Dropping it disarms its timer.
#[must_use = "a future does nothing unless it is awaited"]
#[derive(Debug)]
pub struct Sleep {
    deadline: u64,
    armed: Option<Armed>,
}

impl Sleep {
    /// When it ends, in the time of [`now`].
    pub fn deadline(&self) -> Duration {
        Duration::from_nanos(self.deadline)
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        seat::current(|seat| {
            let shared = &*seat.shared;
            if shared.clock.nanos() >= self.deadline {
                self.disarm();
                return Poll::Ready(());
            }
            if self.deadline == NEVER {
                return Poll::Pending;
            }
            if let Err(waker) = self.rearm(cx.waker().clone()) {
                let at = self.deadline;
                let arm = |timers: &Timers| timers.arm(at, Action::Wake(waker));
                self.armed = Some(Armed::new(shared, arm));
            }
            show(seat, self.armed.is_some());
            Poll::Pending
        })
    }
}

impl Sleep {
    /// Has an armed timer wake `waker` from now on; gives it back if there is none.
    fn rearm(&self, mut waker: Waker) -> Result<(), Waker> {
        // Exchanged under the lock; cloned before it, and the older one dropped after it.
        let Some(armed) = self.armed else {
            return Err(waker);
        };
        let kept = armed.with(|_, wheel, key| {
            let Some((_, Action::Wake(older))) = wheel.get(key) else {
                return false;
            };
            std::mem::swap(older, &mut waker);
            true
        });
        if kept == Some(true) {
            Ok(())
        } else {
            Err(waker)
        }
    }

    fn disarm(&mut self) {
        if let Some(armed) = self.armed.take() {
            armed.cancel();
            seat::try_current(|seat| show(seat, false));
        }
    }
}

/// Shows observers whether the task whose turn it is waits for a timer.
fn show(seat: &Seat, sleeping: bool) {
    if let Some(slot) = seat.slot() {
        slot.shown.set_sleeping(sleeping);
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.disarm();
    }
}

/// A letter that will be posted later. Dropping this changes nothing.
#[derive(Clone, Copy, Debug)]
pub struct PostTimer {
    armed: Armed,
}

impl PostTimer {
    pub(crate) fn new<K: Kind>(
        shared: &Shared,
        delay: Duration,
        to: Address,
        letter: Letter<K::Mail>,
    ) -> Self {
        let at = shared.clock.nanos().saturating_add(to_nanos(delay));
        let parcel = Parcel::new::<K>(to, letter);
        let armed = Armed::new(shared, |timers| timers.arm_letter(at, parcel));
        PostTimer { armed }
    }

    /// Takes the letter back: how much time was left, or `None` if it was posted already.
    pub fn cancel(&self) -> Option<Duration> {
        let at = self.armed.cancel()?;
        let now = self.armed.with(|shared, _, _| shared.clock.nanos())?;
        Some(Duration::from_nanos(at.saturating_sub(now)))
    }

    /// How much time is left; `None` if it was posted already.
    pub fn remaining(&self) -> Option<Duration> {
        let left = self.armed.with(|shared, wheel, key| {
            let (at, _) = wheel.get(key)?;
            Some(at.saturating_sub(shared.clock.nanos()))
        });
        left.flatten().map(Duration::from_nanos)
    }
}

/// Posts `letter` after `delay`, from inside a task to one of the same scheduler. About 60 ns.
pub fn post_after<K: Kind>(delay: Duration, to: Address, letter: Letter<K::Mail>) -> PostTimer {
    seat::current(|seat| PostTimer::new::<K>(&seat.shared, delay, to, letter))
}
