//! The simulation: the same tasks on one thread, in an order chosen by a seed, on virtual time.
//!
//! Every run with the same seed takes the same turns in the same order. Nothing sleeps: when
//! no task can run, time jumps to the next timer. When there is no timer either, whoever is
//! left waits for ever, and the run ends with the list of them. Blocking work is done at once;
//! sockets have no reactor here and say so. A turn takes no time: `Config::times` is on, and every
//! task's share of it is nothing.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Clock;
use crate::config::{Config, QueueKind};
use crate::handle::Handle;
use crate::info::TaskInfo;
use crate::lease::Lease;
use crate::park::ThreadDriver;
use crate::record::What;
use crate::run::{Outcome, take_turn};
use crate::seat::Seat;
use crate::shared::Shared;

/// Turns after which a run is given up.
const TURNS_MAX: u64 = 50_000_000;

/// One simulated run.
pub struct Simulation {
    seed: u64,
    config: Config,
}

/// Why a run did not end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stuck {
    /// Nothing is runnable and no timer is armed, but these tasks wait.
    Deadlock {
        /// Repeats the run.
        seed: u64,
        /// Who waits.
        waiting: Vec<TaskInfo>,
    },
    /// It takes turns without end.
    Livelock {
        /// Repeats the run.
        seed: u64,
    },
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stuck::Deadlock { seed, waiting } => {
                write!(
                    f,
                    "seed {seed}: nothing is runnable and no timer is armed; "
                )?;
                write!(f, "{} tasks wait:", waiting.len())?;
                for task in waiting {
                    let what = if task.receiving {
                        "a letter"
                    } else {
                        "a wake-up"
                    };
                    write!(f, " {:?} for {what};", task.address)?;
                }
                Ok(())
            }
            Stuck::Livelock { seed } => {
                write!(f, "seed {seed}: no end after {TURNS_MAX} turns")
            }
        }
    }
}

impl std::error::Error for Stuck {}

impl Simulation {
    /// A run in the order that `seed` chooses.
    pub fn new(seed: u64) -> Self {
        let config = Config {
            workers: 1,
            queue: QueueKind::Shuffled,
            hand_off: false,
            urgent_lane: false,
            times: true,
            ..Config::default()
        };
        Simulation { seed, config }
    }

    /// The seed in `RUSM_SEED`, or else `default`: what a test uses to repeat a run.
    pub fn seed_or(default: u64) -> u64 {
        let given = std::env::var("RUSM_SEED").ok();
        given.and_then(|text| text.parse().ok()).unwrap_or(default)
    }

    /// Runs the task that `body` makes, and all it starts, until none is left. Returns what
    /// the first one returned.
    ///
    /// # Errors
    /// When tasks wait for what cannot come, and when there is no end in sight.
    pub fn run<F>(self, body: impl FnOnce(Handle) -> F) -> Result<F::Output, Stuck>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let answer = Arc::new(Mutex::new(None));
        let place = answer.clone();
        self.start(|handle| {
            let future = body(handle.clone());
            handle.spawn(async move {
                let outcome = future.await;
                *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
            });
        })?;
        let answer = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(answer.expect("the first task ended by returning, or its panic is reported below"))
    }

    /// Runs what `begin` starts until no task is left.
    ///
    /// # Errors
    /// As `run`.
    pub fn start(self, begin: impl FnOnce(Handle)) -> Result<(), Stuck> {
        let driver = Arc::new(ThreadDriver);
        let shared = Shared::new(self.config, driver, Clock::simulated(), true, self.seed);
        let lease = Arc::new(Lease::new());
        let seat = Seat::new(shared.clone(), Some(shared.workers[0].clone()), lease);
        let handle = Handle {
            shared: shared.clone(),
        };
        let outcome = seat.occupy(|seat| {
            begin(handle.clone());
            Run {
                seat,
                shared: &shared,
                handle,
                random: self.seed ^ 0x5DEE_CE66_D1CE_4E5B,
                seed: self.seed,
            }
            .take_turns()
        });
        shared.drop_tasks();
        outcome
    }
}

struct Run<'a> {
    seat: &'a Seat,
    shared: &'a Arc<Shared>,
    handle: Handle,
    random: u64,
    seed: u64,
}

impl Run<'_> {
    fn take_turns(mut self) -> Result<(), Stuck> {
        for _ in 0..TURNS_MAX {
            self.seat.look_at_recorder();
            while let Some(task) = self.shared.take_any_injected() {
                self.seat.push_anywhere(task);
            }
            let task = self
                .seat
                .within(|queue, worker| queue.pop(&worker.public, false, |_| {}))
                .flatten();
            let Some(task) = task else {
                if !self.advance()? {
                    return Ok(());
                }
                continue;
            };
            self.seat.left.set(self.budget());
            self.seat.go_outside();
            let outcome = take_turn(self.seat, task.0);
            if !self.seat.come_inside() {
                unreachable!("nobody takes a simulation's lease");
            }
            if self.seat.is_recorded() {
                self.seat.note_turn(&outcome);
            }
            if !matches!(outcome, Outcome::Over) {
                self.seat.push_anywhere(task);
            }
        }
        Err(Stuck::Livelock { seed: self.seed })
    }

    /// A turn may end anywhere: each has a budget of its own.
    fn budget(&mut self) -> i64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        1 + i64::try_from((self.random >> 33) % 16).unwrap_or(0)
    }

    /// Moves time to the next timer. False when everybody has ended.
    fn advance(&mut self) -> Result<bool, Stuck> {
        let timers = &self.shared.workers[0].timers;
        if let Some(at) = timers.next() {
            self.shared.clock.move_to(at);
            self.seat.cells.turn_began.set(at);
            let fired = u32::try_from(timers.fire(at)).unwrap_or(u32::MAX);
            self.seat.note(|| What::Timers { fired });
            return Ok(true);
        }
        // Cheaper than to look at every slot that the program ever used.
        if self.shared.stats().live() == 0 {
            return Ok(false);
        }
        Err(Stuck::Deadlock {
            seed: self.seed,
            waiting: self.handle.tasks(),
        })
    }
}
