//! The end of a node in the order of its supervision, with a deadline: who is told when, who is
//! still waited for, and who has to be killed.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusm_sched::ShutdownError;

use crate::context::Context;
use crate::exit::ExitReason;
use crate::node::{Node, kill};
use crate::pid::Pid;
use crate::reference::Reference;
use crate::signal::{Cause, Signal, signal};
use crate::supervisor::ChildKind;
use crate::world::World;

/// How long those who were killed at the deadline, and those above them, may take to end.
const KILL_WAIT_MAX: Duration = Duration::from_secs(1);
/// How long threads may take to end when no process is left that could be waited for.
const THREADS_WAIT_MAX: Duration = Duration::from_secs(5);

/// A child that its supervisor has asked to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Who is to stop.
    pub pid: Pid,
    /// What its supervisor calls it.
    pub id: Arc<str>,
    /// Who waits for it.
    pub supervisor: Pid,
    /// How long already.
    pub waited: Duration,
}

/// How a node has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it says who could not stop in order"]
pub struct StopReport {
    /// Children that had to be killed, because their own time or that of the node was up.
    pub killed: Vec<Waiting>,
    /// Supervisors that did not end even so: something in them does not give its turn back.
    pub stuck: Vec<Pid>,
    /// How long it took until all supervisors had ended.
    pub lasted: Duration,
    /// Whether the threads could be ended; always `Ok` if only supervisors were stopped.
    pub threads: Result<(), ShutdownError>,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Waiting {
            pid,
            id,
            supervisor,
            waited,
        } = self;
        write!(f, "`{id}` {pid} of {supervisor} for {waited:?}")
    }
}

/// What a node knows about ends that are awaited.
#[derive(Default)]
pub(crate) struct Halt(Mutex<State>);

#[derive(Default)]
struct State {
    /// The node is being stopped: nothing new is started.
    stopping: bool,
    /// The deadline has passed: whoever stops is killed.
    hurry: bool,
    /// Supervisors that the node stops itself, by the order of their starts.
    tops: BTreeMap<u64, Pid>,
    next: u64,
    waits: HashMap<Pid, Waited>,
    killed: BTreeMap<Pid, Waiting>,
}

/// What is known of a child that is waited for.
pub(crate) struct Waited {
    pub(crate) id: Arc<str>,
    pub(crate) kind: ChildKind,
    pub(crate) supervisor: Pid,
    /// By the node's clock.
    pub(crate) since: Duration,
}

impl Halt {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins the end; whom to stop, in that order.
    fn begin(&self) -> Vec<Pid> {
        let mut state = self.lock();
        state.stopping = true;
        state.tops.values().rev().copied().collect()
    }

    /// The deadline has passed. Whom to kill: the workers that are waited for. Supervisors are
    /// not among them: they go on with what is left, and in a hurry from now on.
    fn hurry(&self, now: Duration) -> Vec<Pid> {
        let mut state = self.lock();
        state.hurry = true;
        let workers = |(pid, waited): (&Pid, &Waited)| {
            (waited.kind == ChildKind::Worker).then(|| waited.told(*pid, now))
        };
        let workers: Vec<_> = state.waits.iter().filter_map(workers).collect();
        let pids = workers.iter().map(|waiting| waiting.pid).collect();
        let named = workers.into_iter().map(|waiting| (waiting.pid, waiting));
        state.killed.extend(named);
        pids
    }

    /// Everybody who is waited for, longest first.
    fn waiting(&self, now: Duration) -> Vec<Waiting> {
        let state = self.lock();
        let waits = state.waits.iter();
        let mut all: Vec<_> = waits.map(|(pid, waited)| waited.told(*pid, now)).collect();
        all.sort_by_key(|waiting| (std::cmp::Reverse(waiting.waited), waiting.pid));
        all
    }

    fn killed(&self) -> Vec<Waiting> {
        self.lock().killed.values().cloned().collect()
    }
}

impl Waited {
    fn told(&self, pid: Pid, now: Duration) -> Waiting {
        Waiting {
            pid,
            id: self.id.clone(),
            supervisor: self.supervisor,
            waited: now.saturating_sub(self.since),
        }
    }
}

/// A supervisor's place among those that the node stops itself.
pub(crate) struct Top {
    world: Arc<World>,
    number: u64,
}

impl Top {
    /// Takes a place; none is given while the node stops.
    pub(crate) fn enter(world: &Arc<World>, pid: Pid) -> Option<Top> {
        let mut state = world.halt.lock();
        if state.stopping {
            return None;
        }
        let number = state.next;
        state.next += 1;
        state.tops.insert(number, pid);
        let world = world.clone();
        Some(Top { world, number })
    }
}

impl Drop for Top {
    fn drop(&mut self) {
        self.world.halt.lock().tops.remove(&self.number);
    }
}

/// Held while a child is waited for, which everybody may see.
pub(crate) struct Wait {
    world: Arc<World>,
    pid: Pid,
    hurried: bool,
}

impl Wait {
    pub(crate) fn new(world: &Arc<World>, pid: Pid, waited: Waited) -> Self {
        let mut state = world.halt.lock();
        state.waits.insert(pid, waited);
        Wait {
            world: world.clone(),
            pid,
            hurried: state.hurry,
        }
    }

    /// Has the node's deadline passed?
    pub(crate) fn hurried(&self) -> bool {
        self.hurried
    }

    /// The child is killed, which the node's report will say if it is being stopped.
    pub(crate) fn note_kill(&self, now: Duration) {
        let mut state = self.world.halt.lock();
        if state.stopping
            && let Some(waited) = state.waits.get(&self.pid)
        {
            let waiting = waited.told(self.pid, now);
            state.killed.entry(self.pid).or_insert(waiting);
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.world.halt.lock().waits.remove(&self.pid);
    }
}

impl Node {
    /// Stops the node in order: supervisors that no other one looks after are stopped one
    /// after the other, the last one started first, and their children as they say. When
    /// `patience` is over, those who are still waited for are killed, and the rest in their
    /// order. Then all other processes end where they stand, and the threads.
    ///
    /// Blocks the calling thread; from inside of processes it does nothing but say so.
    pub fn stop(&self, patience: Duration) -> StopReport {
        let mut report = StopReport::new();
        if rusm_sched::current_task().is_some() {
            report.threads = Err(ShutdownError::FromInside);
            return report;
        }
        let stopping = move |mut ctx: Context| async move { ctx.in_order(patience).await };
        if let Ok(stopped) = self.block_on(stopping) {
            report = stopped;
        }
        report.threads = self.shutdown(THREADS_WAIT_MAX);
        report
    }

    /// The children that are being stopped just now, longest first: what a slow stop waits
    /// for.
    pub fn waited_for(&self) -> Vec<Waiting> {
        self.world().halt.waiting(self.handle_ref().now())
    }
}

impl Context {
    /// As [`Node::stop`], of the supervisors only. It is done by a process of its own, and
    /// goes on if the calling one is among those who are stopped. From then on the node starts
    /// no supervisors but those that others restart.
    pub async fn stop_supervisors(&mut self, patience: Duration) -> StopReport {
        let told = Arc::new(Mutex::new(None));
        let place = told.clone();
        let stopping = self.node().spawn_join(move |mut ctx| async move {
            let report = ctx.in_order(patience).await;
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
        });
        stopping.await;
        let told = told.lock().unwrap_or_else(PoisonError::into_inner).take();
        told.unwrap_or_else(StopReport::new)
    }

    async fn in_order(&mut self, patience: Duration) -> StopReport {
        let (begun, world) = (rusm_sched::now(), self.node().world());
        let mut deadline = begun.saturating_add(patience);
        let mut report = StopReport::new();
        for top in world.halt.begin() {
            let monitor = self.monitor(top);
            ask(top);
            if self.ended(monitor, deadline).await {
                continue;
            }
            for pid in world.halt.hurry(rusm_sched::now()) {
                kill(pid);
            }
            deadline = rusm_sched::now().saturating_add(KILL_WAIT_MAX);
            if self.ended(monitor, deadline).await {
                continue;
            }
            world
                .halt
                .waiting(deadline)
                .iter()
                .for_each(|left| kill(left.pid));
            kill(top);
            deadline = deadline.saturating_add(KILL_WAIT_MAX);
            if !self.ended(monitor, deadline).await {
                report.stuck.push(top);
            }
        }
        report.killed = world.halt.killed();
        report.lasted = rusm_sched::now().saturating_sub(begun);
        report
    }

    /// Waits for a watched process's end. False: it had not ended at the deadline.
    async fn ended(&mut self, monitor: Reference, deadline: Duration) -> bool {
        loop {
            let left = deadline.saturating_sub(rusm_sched::now());
            match self.receive_within(left).await {
                Some(message) if message.down_reference() == Some(monitor) => return true,
                // The late word of one that was given up.
                Some(_) => {}
                None => return false,
            }
        }
    }
}

/// Asks a supervisor to end, in nobody's name: it obeys that if nobody looks after it.
fn ask(top: Pid) {
    let exit = Signal::Exit {
        told: false,
        from: None,
        cause: Cause::Asked,
        reason: ExitReason::Shutdown,
    };
    signal(top, exit);
}

impl StopReport {
    fn new() -> Self {
        StopReport {
            killed: Vec::new(),
            stuck: Vec::new(),
            lasted: Duration::ZERO,
            threads: Ok(()),
        }
    }
}
