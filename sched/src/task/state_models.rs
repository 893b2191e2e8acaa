//! Loom models of the task word: no lost wake-up, no lost letter, no letter for a stranger.
//!
//! Letters are small multiples of 64. Their contents and the private list are loom cells, so
//! that loom reports it when two threads hold the receiving side at once.

use super::{Park, Post, State, Wake};
use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;

const GENERATION: u32 = 7;

struct Task {
    state: State,
    queued: Mutex<bool>,
    next: [AtomicUsize; 3],
    content: [UnsafeCell<u64>; 3],
    private: UnsafeCell<Vec<u64>>,
    /// Waits for letters; else only an interrupting one wakes it.
    receiving: bool,
    seen: AtomicUsize,
    /// What a plain waker announces.
    ready: AtomicUsize,
}

// JUSTIFICATION: a model without shared cells would not notice a letter read too early: a
// relaxed push survived 2 models until there were such cells.
// SAFETY: the cells are checked by loom at each access.
unsafe impl Sync for Task {}
// SAFETY: as above.
unsafe impl Send for Task {}

impl Task {
    fn running() -> Arc<Self> {
        Task::new(true)
    }

    fn new(receiving: bool) -> Arc<Self> {
        let task = Task {
            state: State::dead(),
            queued: Mutex::new(true),
            next: Default::default(),
            content: std::array::from_fn(|_| UnsafeCell::new(0)),
            private: UnsafeCell::new(Vec::new()),
            receiving,
            seen: AtomicUsize::new(0),
            ready: AtomicUsize::new(0),
        };
        task.state.open(GENERATION, true);
        Arc::new(task)
    }

    fn waiting() -> Arc<Self> {
        let task = Task::running();
        task.turn(9);
        task
    }

    fn schedule(&self) {
        let mut queued = self.queued.lock().expect("no model panics inside");
        assert!(!*queued, "queued twice");
        *queued = true;
    }

    fn write(&self, letter: u64) {
        self.content[letter as usize].with_mut(|it| {
            // SAFETY: the letter is the sender's until it is posted; loom checks.
            unsafe { *it = letter }
        });
    }

    fn link(&self, letter: u64) -> impl FnMut(u64) + '_ {
        move |below| self.next[letter as usize].store((below / 64) as usize, Ordering::Relaxed)
    }

    fn keep(&self, letter: u64) {
        // SAFETY: the receiving side is the caller's; loom checks.
        self.private.with_mut(|it| unsafe { (*it).push(letter) });
    }

    fn post(&self, letter: u64) -> bool {
        self.write(letter);
        // Both ways, as `inbox::post` goes them.
        if self.state.hand_over(GENERATION) {
            self.keep(letter);
            self.schedule();
            return true;
        }
        match self.state.post(GENERATION, letter * 64, self.link(letter)) {
            Post::Refused => return false,
            Post::Queued => {}
            Post::HandOver => {
                self.keep(letter);
                self.schedule();
            }
            Post::Schedule => unreachable!("a plain letter is handed over instead"),
        }
        true
    }

    fn interrupt(&self, letter: u64) {
        self.write(letter);
        match self
            .state
            .interrupt(GENERATION, letter * 64, self.link(letter))
        {
            Post::Schedule => self.schedule(),
            Post::Queued | Post::Refused => {}
            Post::HandOver => unreachable!("an interrupt is never handed over"),
        }
    }

    fn interrupt_sealed(&self, letter: u64) {
        self.write(letter);
        let link = self.link(letter);
        match self.state.interrupt_sealed(GENERATION, letter * 64, link) {
            Post::Schedule => self.schedule(),
            Post::Queued => {}
            other => unreachable!("{other:?} of a live task"),
        }
    }

    fn wake(&self) {
        self.ready.store(1, Ordering::Release);
        if self.state.wake(GENERATION) == Wake::Schedule {
            self.schedule();
        }
    }

    /// One turn, if the task is queued: reads all letters; ends once `wanted` were seen or
    /// the plain waker's announcement is there.
    fn turn(&self, wanted: usize) {
        if !std::mem::take(&mut *self.queued.lock().expect("no model panics inside")) {
            return;
        }
        loop {
            self.read();
            if self.seen.load(Ordering::Relaxed) >= wanted
                || self.ready.load(Ordering::Acquire) == 1
            {
                self.state.close(GENERATION + 1);
                return;
            }
            match self.state.park(self.receiving) {
                Park::Parked => return,
                Park::Notified => return self.schedule(),
                Park::Letters => {}
            }
        }
    }

    fn read(&self) {
        let mut letter = self.state.take() / 64;
        while letter != 0 {
            self.keep(letter);
            letter = self.next[letter as usize].load(Ordering::Relaxed) as u64;
        }
        // SAFETY: the receiving side is this turn's; loom checks.
        let letters = self
            .private
            .with_mut(|it| unsafe { std::mem::take(&mut *it) });
        for letter in letters {
            // SAFETY: a taken letter is the receiver's; loom checks.
            self.content[letter as usize].with(|it| assert_eq!(unsafe { *it }, letter));
            self.seen.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn loom_two_senders_wake_a_waiting_receiver_and_lose_nothing() {
    loom::model(|| {
        let task = Task::waiting();
        let sender = {
            let task = task.clone();
            thread::spawn(move || {
                assert!(task.post(1));
                task.turn(2);
            })
        };
        assert!(task.post(2));
        task.turn(2);
        sender.join().expect("the sender does not panic");
        task.turn(2);
        task.turn(2);
        assert_eq!(task.seen.load(Ordering::Relaxed), 2);
        assert!(!task.state.is_live());
    });
}

#[test]
fn loom_a_letter_posted_while_the_receiver_parks_is_seen() {
    loom::model(|| {
        let task = Task::running();
        let sender = {
            let task = task.clone();
            thread::spawn(move || assert!(task.post(1)))
        };
        task.turn(1);
        sender.join().expect("the sender does not panic");
        task.turn(1);
        assert!(!task.state.is_live(), "the letter was lost");
    });
}

#[test]
fn loom_a_plain_wake_while_the_task_parks_is_seen() {
    loom::model(|| {
        let task = Task::running();
        let waker = {
            let task = task.clone();
            thread::spawn(move || task.wake())
        };
        task.turn(9);
        waker.join().expect("the waker does not panic");
        task.turn(9);
        task.turn(9);
        assert!(!task.state.is_live(), "the wake-up was lost");
    });
}

#[test]
fn loom_an_interrupt_reaches_a_task_that_parks_for_something_else() {
    loom::model(|| {
        let task = Task::new(false);
        let sender = {
            let task = task.clone();
            thread::spawn(move || task.interrupt(1))
        };
        task.turn(1);
        sender.join().expect("the sender does not panic");
        task.turn(1);
        assert!(!task.state.is_live(), "the interrupt was lost");
    });
}

#[test]
fn loom_an_interrupt_reaches_a_task_that_is_sent_to_at_the_same_time() {
    loom::model(|| {
        let task = Task::waiting();
        let sender = {
            let task = task.clone();
            thread::spawn(move || {
                assert!(task.post(1));
                task.turn(2);
            })
        };
        task.interrupt(2);
        task.turn(2);
        sender.join().expect("the sender does not panic");
        task.turn(2);
        task.turn(2);
        assert!(!task.state.is_live());
    });
}

#[test]
fn loom_a_letter_for_the_dead_never_reaches_the_next_owner_of_the_slot() {
    loom::model(|| {
        let task = Task::running();
        let sender = {
            let task = task.clone();
            thread::spawn(move || task.post(1))
        };
        task.turn(0);
        task.state.open(GENERATION + 1, true);
        sender.join().expect("the sender does not panic");
        assert_eq!(
            task.state.newest(),
            0,
            "a stranger's letter lies in the inbox"
        );
    });
}

#[test]
fn loom_nothing_gets_into_an_inbox_after_it_was_sealed() {
    loom::model(|| {
        let task = Task::running();
        let sender = {
            let task = task.clone();
            thread::spawn(move || (task.post(1), task.post(2)))
        };
        task.state.seal();
        task.read();
        let (first, second) = sender.join().expect("the sender does not panic");
        assert!(first || !second, "the younger letter got in alone");
        let taken = usize::from(first) + usize::from(second);
        assert_eq!(task.seen.load(Ordering::Relaxed), taken);
        assert_eq!(task.state.newest(), 0);
    });
}

#[test]
fn loom_a_sealed_task_that_parks_is_woken_past_its_seal() {
    loom::model(|| {
        let task = Task::running();
        task.state.seal();
        let sender = {
            let task = task.clone();
            thread::spawn(move || task.interrupt_sealed(1))
        };
        task.turn(1);
        sender.join().expect("the sender does not panic");
        task.turn(1);
        assert!(!task.state.is_live(), "the letter was lost");
    });
}
