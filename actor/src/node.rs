//! A node: processes and the scheduler they run on.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusm_sched::{
    Config, Driver, Handle, Letter, Priority, Scheduler, ShutdownError, StartError, Stats,
    ThreadDriver, post,
};

use crate::context::Context;
use crate::exit::{ExitReason, Outcome};
use crate::join::{JoinCell, JoinHandle};
use crate::limit::{MailboxLimit, make_body};
use crate::message::Message;
use crate::pid::Pid;
use crate::process::Process;
use crate::report;
use crate::side::Side;
use crate::signal::{Cause, Signal, deliver, signal};
use crate::supervisor::own_name;

/// Processes, and the scheduler they run on. Clones are the same node; it stops when
/// `shutdown` is called, or when the last clone is dropped outside of its processes.
#[derive(Clone)]
pub struct Node {
    handle: Handle,
    /// Not held by what processes get from their context: a node must not keep itself alive.
    scheduler: Option<Arc<Scheduler>>,
}

/// How a process is started, beyond its body.
#[derive(Clone, Debug, Default)]
pub struct SpawnOptions {
    /// Who goes first.
    pub priority: Priority,
    /// A name for reports.
    pub label: Option<Arc<str>>,
    /// A limit of its mailbox.
    pub mailbox: Option<MailboxLimit>,
}

/// A native body that has kept its worker for longer than `Config::turn_limit`.
#[derive(Clone, Debug)]
pub struct Overrun {
    /// Whose body it is.
    pub pid: Pid,
    /// The body's type, which names the function it was written in.
    pub body: &'static str,
    /// How long the turn has lasted.
    pub lasted: Duration,
    /// False: no spare thread was left, and the worker stays held up.
    pub rescued: bool,
    /// Threads stuck in such turns now, this one included.
    pub stuck: usize,
}

impl Node {
    /// Starts a node without I/O.
    ///
    /// # Errors
    /// When a field of `config` makes no sense, or the system gives no more threads.
    pub fn start(config: Config) -> Result<Node, StartError> {
        Node::start_with(config, Arc::new(ThreadDriver))
    }

    /// Starts a node whose workers sleep as `driver` says: a reactor, for instance.
    ///
    /// # Errors
    /// As `start`.
    pub fn start_with(config: Config, driver: Arc<dyn Driver>) -> Result<Node, StartError> {
        report::install_hook();
        let scheduler = Scheduler::start(config, driver)?;
        Ok(Node {
            handle: scheduler.handle(),
            scheduler: Some(Arc::new(scheduler)),
        })
    }

    /// A node over a scheduler that somebody else drives: the simulation.
    pub fn over(handle: Handle) -> Node {
        report::install_hook();
        Node {
            handle,
            scheduler: None,
        }
    }

    /// The node of the calling process. Panics outside of processes.
    pub(crate) fn current() -> Node {
        Node::over(rusm_sched::handle())
    }

    /// Starts a process.
    #[track_caller]
    pub fn spawn<F, Fut>(&self, body: F) -> Pid
    where
        F: FnOnce(Context) -> Fut,
        Fut: Future + Send + 'static,
        Fut::Output: Outcome,
    {
        self.spawn_with(SpawnOptions::default(), body)
    }

    /// Starts a process in a particular way.
    #[track_caller]
    pub fn spawn_with<F, Fut>(&self, options: SpawnOptions, body: F) -> Pid
    where
        F: FnOnce(Context) -> Fut,
        Fut: Future + Send + 'static,
        Fut::Output: Outcome,
    {
        let needs_side = options.label.is_some() || options.mailbox.is_some();
        let side = needs_side.then(|| {
            let limited = options.mailbox.map(|limit| self.limited_mailbox(limit));
            let mut side = Side::spare();
            side.mailbox = limited.unwrap_or_default();
            side.label = options.label;
            side
        });
        self.start_process(options.priority, side, body)
    }

    /// Starts a process and keeps what it takes to wait for its end.
    #[track_caller]
    pub fn spawn_join<F, Fut>(&self, body: F) -> JoinHandle
    where
        F: FnOnce(Context) -> Fut,
        Fut: Future + Send + 'static,
        Fut::Output: Outcome,
    {
        let cell = Arc::new(JoinCell::default());
        let mut side = Side::spare();
        side.join = Some(cell.clone());
        let pid = self.start_process(Priority::Normal, Some(side), body);
        JoinHandle::new(pid, cell)
    }

    #[track_caller]
    pub(crate) fn start_process<F, Fut>(
        &self,
        priority: Priority,
        side: Option<Box<Side>>,
        body: F,
    ) -> Pid
    where
        F: FnOnce(Context) -> Fut,
        Fut: Future + Send + 'static,
        Fut::Output: Outcome,
    {
        let gate = side.as_ref().and_then(|side| side.mailbox.gate().cloned());
        let start = |own| make_body(own, gate, || self.clone(), body);
        Pid::new(self.handle.spawn_kind::<Process, _>(priority, side, start))
    }

    /// Runs `body` as a process and blocks the calling thread until it has returned.
    ///
    /// # Errors
    /// The exit reason, if it ended in another way.
    #[track_caller]
    pub fn block_on<F, Fut>(&self, body: F) -> Result<Fut::Output, ExitReason>
    where
        F: FnOnce(Context) -> Fut,
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        let place = Arc::new(Mutex::new(None));
        let outcome = place.clone();
        let joined = self.spawn_join(move |context| {
            let future = body(context);
            async move {
                let value = future.await;
                *outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
            }
        });
        let reason = joined.wait();
        let value = place.lock().unwrap_or_else(PoisonError::into_inner).take();
        value.ok_or(reason)
    }

    /// Ends a process, whatever it wants; it says `killed`. A waiting one dies at once, a
    /// running one at its next await, a Wasm guest within a tick.
    pub fn kill(&self, pid: Pid) {
        kill(pid);
    }

    /// Asks a process to end for `reason`. `Normal` is ignored by others than oneself; `Kill`
    /// kills.
    pub fn exit(&self, pid: Pid, reason: ExitReason) {
        exit(pid, reason);
    }

    /// Does the process live?
    pub fn is_alive(&self, pid: Pid) -> bool {
        is_alive(pid)
    }

    /// How many processes live now.
    pub fn process_count(&self) -> usize {
        self.handle.stats().live() as usize
    }

    /// Has `report` called for each native body that does not give its turn back: the others
    /// go on on a spare thread meanwhile, but the thread it holds is lost to the machine.
    pub fn on_overrun(&self, report: impl Fn(&Overrun) + Send + Sync + 'static) {
        self.handle.on_overrun(move |overrun| {
            report(&Overrun {
                pid: Pid::new(overrun.task),
                body: own_name(overrun.name),
                lasted: overrun.lasted,
                rescued: overrun.rescued,
                stuck: overrun.stuck,
            });
        });
    }

    /// What the scheduler has done so far.
    pub fn stats(&self) -> Stats {
        self.handle.stats()
    }

    pub(crate) fn handle_ref(&self) -> &Handle {
        &self.handle
    }

    /// The scheduler beneath.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Ends all processes where they stand and joins every thread.
    ///
    /// # Errors
    /// When called from inside a process, and when a native body does not give its turn back
    /// within `wait_max`.
    pub fn shutdown(&self, wait_max: Duration) -> Result<(), ShutdownError> {
        match &self.scheduler {
            Some(scheduler) => scheduler.shutdown(wait_max),
            None => Err(ShutdownError::FromInside),
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({:?})", self.handle)
    }
}

/// Starts a process on the calling process's node. Panics outside of processes.
#[inline(always)]
#[track_caller]
pub fn spawn<F, Fut>(body: F) -> Pid
where
    F: FnOnce(Context) -> Fut,
    Fut: Future + Send + 'static,
    Fut::Output: Outcome,
{
    Pid::new(rusm_sched::spawn::<Process, _>(|own| {
        body(Context::new(own))
    }))
}

/// Sends a message. Never waits, also works outside of processes; to the dead it is dropped.
#[inline(always)]
pub fn send(to: Pid, message: impl Into<Message>) {
    // The dead give the letter back.
    drop(post::<Process>(to.address(), message.into().into_letter()));
}

/// See [`Node::kill`].
pub fn kill(pid: Pid) {
    signal(pid, Signal::Kill);
}

/// See [`Node::exit`]. From inside a process, it is that process that asks.
#[inline]
pub fn exit(pid: Pid, reason: ExitReason) {
    if matches!(reason, ExitReason::Kill) {
        return kill(pid);
    }
    let from = rusm_sched::current_task().map(Pid::new);
    let exit = || Signal::Exit {
        told: false,
        from,
        cause: Cause::Asked,
        reason,
    };
    deliver(pid, Letter::with(exit));
}

/// Does the process live? About 2 ns.
pub fn is_alive(pid: Pid) -> bool {
    rusm_sched::is_alive(pid.address())
}
