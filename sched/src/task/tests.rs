//! What a task leaves to code of others, and what such code finds when it panics or looks about.

use std::any::Any;
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use super::{Ended, Kind, Mail, Own, Returns};
use crate::contain::contain;
use crate::inbox::{Letter, Letters, post};
use crate::seat::current_task;
use crate::sim::Simulation;
use crate::task::slot::Address;

/// A kind of task whose letters and side blocks do something when they are dropped.
struct Fake;

struct Note(Option<Box<dyn FnOnce() + Send>>);

impl Note {
    fn new(last_words: impl FnOnce() + Send + 'static) -> Self {
        Note(Some(Box::new(last_words)))
    }
}

/// A note that panics when it is dropped.
fn bomb() -> Note {
    Note::new(|| resume_unwind(Box::new("on purpose")))
}

impl Drop for Note {
    fn drop(&mut self) {
        if let Some(last_words) = self.0.take() {
            last_words();
        }
    }
}

// JUSTIFICATION: only an unsafe impl makes letters, and this crate's own tests need some.
// SAFETY: the only mail in this program, as `Never` has no values.
unsafe impl Mail for Note {}

impl Kind for Fake {
    type Mail = Note;
    type Side = Option<Note>;

    fn resume(_: &Own<Self>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn panicked(_: &Own<Self>, _payload: Box<dyn Any + Send>) {}

    fn closed(_: Ended, side: Option<Box<Option<Note>>>, unread: Letters<Note>) {
        drop(side);
        drop(unread);
    }
}

impl Returns<()> for Fake {
    fn returned(_: &Own<Self>, (): ()) {}
}

/// Runs `begin` and what it spawns on one thread with free lists of its own.
fn simulate(begin: impl FnOnce()) {
    let outcome = Simulation::new(1).start(|_| begin());
    assert_eq!(outcome, Ok(()));
}

/// Destructors of unread letters took the dead task for the one that runs.
#[test]
fn a_future_is_dropped_on_its_own_turn_and_what_the_task_leaves_on_nobodys() {
    let seen: Arc<Mutex<Vec<_>>> = Arc::default();
    let look = |what: &'static str| {
        let seen = seen.clone();
        Note::new(move || {
            let whose = current_task();
            seen.lock().expect("no panic").push((what, whose));
        })
    };
    let mut address = None;
    simulate(|| {
        let (future, side) = (look("future"), look("side block"));
        let task = crate::spawn::<Fake, _>(|own| {
            let mut side = Some(side);
            poll_fn(move |_| {
                let _ = &future;
                own.with_new_side(|block| *block = side.take());
                Poll::Ready(())
            })
        });
        assert!(post::<Fake>(task, Letter::new(look("letter"))).is_ok());
        address = Some(task);
    });
    let seen = seen.lock().expect("no panic");
    assert_eq!(
        *seen,
        [("future", address), ("side block", None), ("letter", None)]
    );
}

#[test]
fn a_letter_frees_its_node_whatever_its_content_does() {
    simulate(|| {
        let place = || std::ptr::from_ref::<Note>(&Letter::new(Note(None))).addr();
        // The first return of a node may give half of a full list away, and that node with it.
        place();
        let first = place();
        assert!(!contain(|| drop(Letter::new(bomb()))));
        assert_eq!(place(), first, "a panic in dropping the content lost it");
        let unmade = || {
            drop(Letter::<Note>::with(|| {
                resume_unwind(Box::new("on purpose"))
            }))
        };
        assert!(!contain(unmade));
        assert_eq!(place(), first, "a panic in making the content lost it");
        drop(Letter::new(Note(None)).into_inner());
        assert_eq!(place(), first);
    });
}

/// The letters behind one that panicked were never dropped, nor were their nodes freed.
#[test]
fn all_unread_letters_are_dropped_even_if_each_panics() {
    let dropped = Arc::new(AtomicUsize::new(0));
    simulate(|| {
        let task = crate::spawn::<Fake, _>(|_| async {});
        for _ in 0..3 {
            let dropped = dropped.clone();
            let letter = Letter::new(Note::new(move || {
                dropped.fetch_add(1, Ordering::Relaxed);
                drop(bomb());
            }));
            assert!(post::<Fake>(task, letter).is_ok());
        }
    });
    assert_eq!(dropped.load(Ordering::Relaxed), 3);
}

/// The side block of a process says who waits for its end: lost, they waited for ever.
#[test]
fn a_panic_while_the_side_block_is_in_use_does_not_lose_it() {
    let kept = Arc::new(AtomicUsize::new(0));
    let count = kept.clone();
    simulate(|| {
        crate::spawn::<Fake, _>(|own| async move {
            own.with_new_side(|side| *side = Some(Note(None)));
            contain(|| {
                own.with_side(|_| resume_unwind(Box::new("on purpose")));
            });
            let full = own.with_side(|side| side.is_some());
            count.fetch_add(usize::from(full == Some(true)), Ordering::Relaxed);
        });
    });
    assert_eq!(kept.load(Ordering::Relaxed), 1);
}

#[test]
fn a_spawn_that_panics_leaves_its_slot_to_the_next_one_but_not_its_address() {
    simulate(|| {
        let mut shown = None;
        // Twice: the first return may give half of a full list away, and that slot with it.
        for _ in 0..2 {
            let body = |own: Own<Fake>| -> std::future::Ready<()> {
                shown = Some(own.address());
                resume_unwind(Box::new("on purpose"));
            };
            let spawned = contain(|| {
                crate::spawn::<Fake, _>(body);
            });
            assert!(!spawned);
        }
        let task = crate::spawn::<Fake, _>(|_| std::future::ready(()));
        let shown = shown.expect("the body was called");
        assert_eq!(task.index(), shown.index());
        assert_ne!(task, shown);
    });
}

#[test]
fn a_letter_for_later_is_dropped_at_once_where_the_scheduler_has_stopped() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let count = dropped.clone();
    let letter = Letter::new(Note::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
    }));
    let mut stopped = None;
    let outcome = Simulation::new(1).start(|handle| stopped = Some(handle));
    assert_eq!(outcome, Ok(()));
    let handle = stopped.expect("it has begun");
    let nobody = Address::from_bits(u64::MAX);
    handle.post_after::<Fake>(Duration::from_secs(3600), nobody, letter);
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
}
