//! Reaching a scheduler from anywhere, and its tasks by their addresses.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Config, Priority};
use crate::inbox::{Letter, Letters};
use crate::park::Driver;
use crate::record::Recording;
use crate::seat;
use crate::shared::Shared;
use crate::stats::Stats;
use crate::task::slot::{Address, resolve};
use crate::task::{self, Bare, Ended, Kind, Own, Returns, Start};
use crate::ticker::Overrun;
use crate::timer::PostTimer;

/// Reaches a scheduler from anywhere. Keeps its memory, not its threads.
#[derive(Clone)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({})", self.shared.home)
    }
}

/// The scheduler the calling task runs on. Panics outside of tasks.
pub fn handle() -> Handle {
    try_handle().expect("this works only inside a task of a scheduler")
}

/// The scheduler the calling task runs on, if there is one.
pub fn try_handle() -> Option<Handle> {
    seat::try_current(|seat| Handle {
        shared: seat.shared.clone(),
    })
}

/// Which worker the calling thread leads, if any.
pub fn worker_index() -> Option<usize> {
    seat::try_current(|seat| seat.worker.as_ref().map(|worker| worker.index)).flatten()
}

/// Starts a task with an inbox on the calling task's scheduler. About 13 ns until it has run
/// and ended. Panics outside of tasks.
#[inline(always)]
#[track_caller]
pub fn spawn<K, F>(body: impl FnOnce(Own<K>) -> F) -> Address
where
    K: Returns<F::Output>,
    F: Future + Send + 'static,
{
    let start = Start {
        priority: Priority::Normal,
        side: None,
    };
    task::spawn(None, start, body)
}

/// As `spawn`, in a particular way.
#[track_caller]
pub fn spawn_kind<K, F>(
    priority: Priority,
    side: Box<K::Side>,
    body: impl FnOnce(Own<K>) -> F,
) -> Address
where
    K: Returns<F::Output>,
    F: Future + Send + 'static,
{
    let side = Some(side);
    task::spawn(None, Start { priority, side }, body)
}

impl Handle {
    /// Starts a bare task: no inbox, no address. Once the scheduler has been stopped, it drops
    /// the future.
    #[track_caller]
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        if self.shared.is_gone() {
            return;
        }
        let start = Start {
            priority: Priority::Normal,
            side: None,
        };
        task::spawn::<Bare, _, _>(Some(self.shared.home), start, |_| future);
    }

    /// Starts a task with an inbox; once the scheduler has been stopped, one that has ended
    /// already.
    #[track_caller]
    pub fn spawn_kind<K, F>(
        &self,
        priority: Priority,
        side: Option<Box<K::Side>>,
        body: impl FnOnce(Own<K>) -> F,
    ) -> Address
    where
        K: Returns<F::Output>,
        F: Future + Send + 'static,
    {
        if self.shared.is_gone() {
            let ended = Ended {
                address: Address::NOBODY,
                parent: None,
                body: std::any::type_name::<F>(),
            };
            K::closed(ended, side, Letters::none());
            return ended.address;
        }
        task::spawn(Some(self.shared.home), Start { priority, side }, body)
    }

    /// Posts `letter` after `delay`, if it is not cancelled and somebody lives at `to` then.
    pub fn post_after<K: Kind>(
        &self,
        delay: Duration,
        to: Address,
        letter: Letter<K::Mail>,
    ) -> PostTimer {
        PostTimer::new::<K>(&self.shared, delay, to, letter)
    }

    /// Has `hook` called by the ticker, every `Config::tick` while any worker runs something.
    pub fn on_tick(&self, hook: impl Fn() + Send + Sync + 'static) {
        self.shared.ticker.on_tick(Arc::new(hook));
    }

    /// Has `report` called for each turn that outlives `Config::turn_limit`.
    pub fn on_overrun(&self, report: impl Fn(&Overrun) + Send + Sync + 'static) {
        self.shared.ticker.on_overrun(Arc::new(report));
    }

    /// What the scheduler was started with.
    pub fn driver(&self) -> Arc<dyn Driver> {
        self.shared.driver.clone()
    }

    /// How many workers it has.
    pub fn workers(&self) -> usize {
        self.shared.workers.len()
    }

    /// Its tuning as it is now. About 10 ns.
    pub fn config(&self) -> Config {
        self.shared.config_now()
    }

    /// Changes one of [`Config::live_fields`] while it runs; values are written as for
    /// [`Config::set`]. The ticker acts on it at once, a worker that is busy at its next look
    /// at timers and others, which `maintain_turns` and `maintain_reductions` set as they were
    /// before, and one that sleeps when it wakes.
    ///
    /// # Errors
    /// A sentence, when there is no such field, it is fixed, or the value makes no sense; and
    /// always under the simulation. Nothing has changed then.
    pub fn set_live(&self, field: &str, value: &str) -> Result<(), String> {
        if self.shared.is_simulated() {
            return Err(format!(
                "`{field}` cannot be changed: this is a simulation, whose turns and order come from its seed alone"
            ));
        }
        let present = self.shared.config_now();
        self.shared.tuning.set(present, field, value)?;
        // It may be in a tick that was to last for long.
        self.shared.ticker.unpark();
        Ok(())
    }

    /// Records what the workers do from now on, the latest `events_max` events of each in 32
    /// bytes an event; what was recorded before is gone. A worker begins at its next look at
    /// timers and others. It costs some 35 ns a turn, and as much a spawn.
    ///
    /// # Errors
    /// A sentence, when `events_max` is none or more than [`RECORD_EVENTS_MAX`](crate::RECORD_EVENTS_MAX).
    pub fn record(&self, events_max: usize) -> Result<(), String> {
        self.shared.record(events_max)
    }

    /// What has been recorded so far; `None` if nothing is being recorded. Nobody waits for it.
    /// Takes some 50 ns for each event.
    pub fn recording(&self) -> Option<Recording> {
        self.shared.recording()
    }

    /// Stops recording, and hands over what was recorded.
    pub fn stop_recording(&self) -> Option<Recording> {
        self.shared.stop_recording()
    }

    /// Time since it was started.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.shared.clock.nanos())
    }

    /// Is it being stopped, or stopped already?
    pub fn is_stopping(&self) -> bool {
        self.shared.is_stopping()
    }

    /// What it has done so far.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Tasks that have ended so far: exact once nothing runs. Cheaper than `stats`.
    pub fn exited(&self) -> u64 {
        self.shared.exited()
    }
}

/// Does the task at `address` live? About 2 ns.
pub fn is_alive(address: Address) -> bool {
    let slot = resolve(address);
    slot.address() == address && slot.state.is_live()
}
