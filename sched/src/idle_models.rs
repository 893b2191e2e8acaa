//! Does any order of steps leave work in a queue and every worker asleep?

use super::Idle;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

struct World {
    idle: Idle,
    queued: AtomicUsize,
    /// Unpark tokens, one per worker.
    tokens: [AtomicUsize; 2],
}

impl World {
    fn new() -> Arc<Self> {
        Arc::new(World {
            idle: Idle::new(2),
            queued: AtomicUsize::new(0),
            tokens: [AtomicUsize::new(0), AtomicUsize::new(0)],
        })
    }

    /// The injector hand-over: publish, then look for a sleeper.
    fn push(&self) {
        self.queued.fetch_add(1, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        if let Some(worker) = self.idle.wake_one() {
            self.tokens[worker].store(1, Ordering::Release);
        }
    }

    fn pop(&self) -> bool {
        let queued = &self.queued;
        let mut seen = queued.load(Ordering::Acquire);
        while seen > 0 {
            match queued.compare_exchange(seen, seen - 1, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }

    /// One attempt to find work, sleeping included: true when it found some, false when it
    /// parked (and then the token says whether it will be woken).
    fn seek(&self, worker: usize) -> bool {
        self.idle.search();
        if !self.pop() {
            self.idle.sleep(worker);
            if !self.pop() {
                return false;
            }
            self.idle.rise(worker);
        }
        if self.idle.found() && self.queued.load(Ordering::Acquire) > 0 {
            self.wake();
        }
        true
    }

    /// Lets a parked worker that was given a token get up; false if it has none.
    fn get_up(&self, worker: usize) -> bool {
        let woken = self.tokens[worker].swap(0, Ordering::AcqRel) == 1;
        if woken {
            self.idle.rise(worker);
            let _last = self.idle.found();
        }
        woken
    }

    fn is_stuck(&self, asleep: &[usize], all: usize) -> bool {
        self.queued.load(Ordering::Acquire) > 0
            && asleep.len() == all
            && asleep
                .iter()
                .all(|&it| self.tokens[it].load(Ordering::Acquire) == 0)
    }
}

#[test]
fn loom_work_pushed_while_the_only_worker_goes_to_sleep_is_seen() {
    loom::model(|| {
        let world = World::new();
        let pusher = {
            let world = world.clone();
            thread::spawn(move || world.push())
        };
        let asleep: &[usize] = if world.seek(0) { &[] } else { &[0] };
        pusher.join().expect("the pusher does not panic");
        assert!(
            !world.is_stuck(asleep, 1),
            "work is queued and nobody comes"
        );
        let asleep = asleep.iter().filter(|&&it| !world.get_up(it)).count();
        assert_eq!(world.idle.sleeping(), asleep);
        assert_eq!(
            world.idle.any_idle(),
            asleep > 0,
            "somebody searches for ever"
        );
    });
}

#[test]
fn loom_two_pushes_against_two_workers_leave_nobody_behind() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let world = World::new();
        let other = {
            let world = world.clone();
            thread::spawn(move || world.seek(1))
        };
        let pusher = {
            let world = world.clone();
            thread::spawn(move || {
                world.push();
                world.push();
            })
        };
        let mut asleep = Vec::new();
        if !world.seek(0) {
            asleep.push(0);
        }
        if !other.join().expect("the worker does not panic") {
            asleep.push(1);
        }
        pusher.join().expect("the pusher does not panic");
        // A worker that found something comes back for more, so only two sleepers can be stuck.
        assert!(
            !world.is_stuck(&asleep, 2),
            "work is queued and nobody comes"
        );
    });
}
