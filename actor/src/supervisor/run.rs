//! The supervisor's process: it starts its children, hears of their deaths and acts on them.
//!
//! Whom a death concerns is decided in `strategy`, whether it is one too many in `intensity`.
//! The way from a child's end to its successor looks up one pid and one place, and waits for
//! nobody.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::context::Context;
use crate::exit::ExitReason;
use crate::halt::Top;
use crate::message::Message;
use crate::pid::Pid;
use crate::reference::Reference;
use crate::supervisor::StartError;
use crate::supervisor::begin::Start;
use crate::supervisor::intensity::Intensity;
use crate::supervisor::listed::Listed;
use crate::supervisor::plan::{Order, Plan};
use crate::supervisor::report::{self, Action, SupervisorReport};
use crate::supervisor::starter::Starter;
use crate::supervisor::strategy::{Fate, Restart, Strategy};
use crate::supervisor::table::{Key, State, Table};
use crate::world::World;

/// All children.
pub(crate) const ALL: std::ops::RangeInclusive<Key> = Key::MIN..=Key::MAX;

/// Whose exit signals end a supervisor.
#[derive(Clone, Copy)]
pub(crate) enum Parent {
    /// Those of this process, which a supervisor looks after: itself, mostly.
    Within(Pid),
    /// Those of this process, if there is one, and those that no process has sent: nobody
    /// looks after them, so the node stops it.
    Top(Option<Pid>),
}

impl Parent {
    pub(crate) fn says(self, from: Option<Pid>) -> bool {
        match self {
            Parent::Within(pid) => from == Some(pid),
            Parent::Top(pid) => from.is_none() || from == pid,
        }
    }

    pub(crate) fn pid(self) -> Option<Pid> {
        match self {
            Parent::Within(pid) => Some(pid),
            Parent::Top(pid) => pid,
        }
    }
}

/// A supervisor at work.
pub(crate) struct Run {
    pub(crate) ctx: Context,
    pub(crate) parent: Parent,
    pub(crate) plan: Arc<Plan>,
    pub(crate) table: Table,
    pub(crate) world: Arc<World>,
    intensity: Intensity,
    /// Among those of the node; counts the restarts.
    listed: Listed,
    /// Held as long as the node has to stop it.
    top: Option<Top>,
}

/// Why a supervisor has not begun.
enum NotBegun {
    Ignored,
    Refused(StartError),
    /// Its parent ended, or asked it to.
    Asked(ExitReason),
}

/// The body of a supervisor's process.
pub(crate) async fn supervise(
    mut ctx: Context,
    plan: Arc<Plan>,
    parent: Parent,
    starter: Starter,
) -> ExitReason {
    ctx.trap_exit(true);
    let world = ctx.node().world();
    let mut run = Run {
        listed: Listed::new(&world, ctx.pid()),
        world,
        table: Table::new(plan.order),
        intensity: Intensity::new(plan.restarts_max, plan.period),
        top: None,
        ctx,
        parent,
        plan,
    };
    let begun = run.begin().await;
    if begun.is_err() {
        run.stop_children().await;
        if let Some(parent) = parent.pid() {
            // It hears of this from the starter. An exit signal would end a parent that has
            // not asked for that, before it could look at the error.
            run.ctx.unlink(parent);
        }
    }
    match begun {
        Ok(()) => starter.started(),
        Err(NotBegun::Ignored) => {
            starter.ignore();
            return ExitReason::Normal;
        }
        Err(NotBegun::Refused(error)) => {
            let reason = ExitReason::from(&error);
            starter.refused(error);
            return reason;
        }
        Err(NotBegun::Asked(reason)) => return starter.failed(reason),
    }
    let reason = run.serve().await;
    run.stop_children().await;
    reason
}

impl Run {
    /// Starts all children in their order.
    async fn begin(&mut self) -> Result<(), NotBegun> {
        self.prepare()?;
        let plan = self.plan.clone();
        for child in &plan.children {
            let key = self.table.add(child.clone());
            match self.start(key).await {
                ControlFlow::Continue(Start::Running(..) | Start::Ignored) => {}
                ControlFlow::Continue(Start::Failed(reason)) => {
                    let id = child.id.clone();
                    return Err(NotBegun::Refused(StartError::Child { id, reason }));
                }
                ControlFlow::Break(reason) => return Err(NotBegun::Asked(reason)),
            }
        }
        Ok(())
    }

    /// What comes before the first child.
    fn prepare(&mut self) -> Result<(), NotBegun> {
        let refused = |error: StartError| NotBegun::Refused(error);
        let plan = self.plan.clone();
        plan.check()
            .map_err(|error| refused(StartError::Invalid(error)))?;
        if let Parent::Top(_) = self.parent {
            let entered = Top::enter(&self.world, self.ctx.pid());
            self.top = Some(entered.ok_or(NotBegun::Refused(StartError::NodeStops))?);
        }
        if let Some(wanted) = &plan.wanted {
            match catch_unwind(AssertUnwindSafe(|| wanted())) {
                Ok(true) => {}
                Ok(false) => return Err(NotBegun::Ignored),
                Err(payload) => {
                    let reason = crate::report::take_panic(&*payload);
                    return Err(refused(StartError::Ended(reason)));
                }
            }
        }
        if let Some(name) = &plan.name {
            let registered = self.ctx.register(name);
            registered.map_err(|error| refused(StartError::Name(error)))?;
        }
        Ok(())
    }

    /// Hears and obeys, until there is a reason to end.
    async fn serve(&mut self) -> ExitReason {
        loop {
            let message = self.ctx.receive().await;
            if let ControlFlow::Break(reason) = self.hear(message).await {
                return reason;
            }
        }
    }

    async fn hear(&mut self, message: Message) -> ControlFlow<ExitReason> {
        if let Some((from, reason)) = message.exit() {
            let reason = reason.clone();
            if self.parent.says(from) {
                return ControlFlow::Break(reason);
            }
            return match message.linked_end() {
                Some(pid) => self.child_ended(pid, reason).await,
                None => ControlFlow::Continue(()),
            };
        }
        let message = match message.into_timeout() {
            Ok((reference, key)) => return self.again(reference, key).await,
            Err(message) => message,
        };
        match message.into_call() {
            Ok((caller, request)) => self.answer(caller, request).await,
            Err(_) => ControlFlow::Continue(()),
        }
    }

    /// A linked process has ended by itself.
    async fn child_ended(&mut self, pid: Pid, reason: ExitReason) -> ControlFlow<ExitReason> {
        let Some(key) = self.table.by_pid(pid) else {
            return ControlFlow::Continue(());
        };
        self.table.set(key, State::Stopped);
        let Some(entry) = self.table.get(key) else {
            return ControlFlow::Continue(());
        };
        let significant = entry.child.significant;
        match entry.child.restart.fate(&reason) {
            Fate::Restart => {
                let pause = self.admit(key, Some(pid), &reason)?;
                if !pause.is_zero() {
                    self.postpone(key, pause).await;
                    return ControlFlow::Continue(());
                }
                return self.restart(key, Some((pid, reason))).await;
            }
            Fate::Rest => self.forget_unlisted(key),
            Fate::Forget => {
                if !reason.is_orderly() {
                    self.report(key, Some(pid), &reason, Action::Forgotten);
                }
                self.table.remove(key);
            }
        }
        let left = || {
            let counts = |state| state != State::Stopped;
            let mut entries = self.table.iter();
            entries.any(|(_, entry)| entry.child.significant && counts(entry.state))
        };
        if significant && self.plan.auto_shutdown.ends(left) {
            return ControlFlow::Break(ExitReason::Shutdown);
        }
        ControlFlow::Continue(())
    }

    /// May the child be started again, and after what pause? It ended for `reason`, or could
    /// not be started: then it had no pid.
    fn admit(
        &mut self,
        key: Key,
        pid: Option<Pid>,
        reason: &ExitReason,
    ) -> ControlFlow<ExitReason, Duration> {
        let now = rusm_sched::now();
        if !self.intensity.admit(now) {
            self.report(key, pid, reason, Action::GaveUp);
            return ControlFlow::Break(ExitReason::Shutdown);
        }
        self.listed.count_restart();
        let pause = match self.table.get_mut(key) {
            Some(entry) => match entry.child.backoff {
                Some(backoff) => backoff.pause(&mut entry.tries, now),
                None => Duration::ZERO,
            },
            None => Duration::ZERO,
        };
        if pid.is_none() || !pause.is_zero() {
            self.report(key, pid, reason, Action::Postponed(pause));
        }
        ControlFlow::Continue(pause)
    }

    /// Has a child started after `pause`, and after what is in the mailbox already. Those that
    /// depend on it are stopped until then.
    async fn postpone(&mut self, key: Key, pause: Duration) {
        self.stop_siblings(key).await;
        let me = self.ctx.pid();
        let (reference, _) = self.ctx.start_timer(pause, me, key.to_le_bytes());
        self.table.set(key, State::Restarting(reference));
    }

    /// The pause of a child is over, unless it was stopped or started meanwhile.
    async fn again(&mut self, timeout: Reference, key: Message) -> ControlFlow<ExitReason> {
        let Ok(key) = key.bytes().try_into().map(Key::from_le_bytes) else {
            return ControlFlow::Continue(());
        };
        match self.table.get(key) {
            Some(entry) if entry.state == State::Restarting(timeout) => {
                self.restart(key, None).await
            }
            _ => ControlFlow::Continue(()),
        }
    }

    /// Starts a child again, and its siblings as the strategy says. `died`: it has just ended
    /// like that.
    async fn restart(
        &mut self,
        key: Key,
        died: Option<(Pid, ExitReason)>,
    ) -> ControlFlow<ExitReason> {
        self.stop_siblings(key).await;
        let reach = self.plan.strategy.reach(key);
        let mut at = None;
        while let Some(next) = self.table.after(at, &reach) {
            at = Some(next);
            match self.start(next).await? {
                Start::Running(..) | Start::Ignored => {}
                Start::Failed(reason) => {
                    let pause = self.admit(next, None, &reason)?;
                    self.postpone(next, pause).await;
                    break;
                }
            }
        }
        if let (Some((pid, reason)), Some(entry)) = (died, self.table.get(key))
            && let State::Running(successor) = entry.state
        {
            self.report(key, Some(pid), &reason, Action::Restarted(successor));
        }
        ControlFlow::Continue(())
    }

    /// Stops those that are restarted together with a child, the last one first.
    async fn stop_siblings(&mut self, key: Key) {
        if self.plan.strategy == Strategy::OneForOne {
            return;
        }
        let reach = self.plan.strategy.reach(key);
        let mut at = None;
        while let Some(next) = self.table.before(at, &reach) {
            at = Some(next);
            if next != key {
                self.stop_child(next).await;
                self.forget_unlisted(next);
            }
        }
    }

    /// Forgets a child that does not run, unless somebody may ask for it again: it is
    /// temporary, or nobody has its id.
    pub(crate) fn forget_unlisted(&mut self, key: Key) {
        let entry = self.table.get(key);
        let temporary = entry.is_some_and(|entry| entry.child.restart == Restart::Temporary);
        if temporary || self.plan.order == Order::Dynamic {
            self.table.remove(key);
        }
    }

    /// Tells whoever wants to know what was done about a child.
    pub(crate) fn report(&self, key: Key, pid: Option<Pid>, reason: &ExitReason, action: Action) {
        let Some(entry) = self.table.get(key) else {
            return;
        };
        report::supervisor(|| SupervisorReport {
            supervisor: self.ctx.pid(),
            child: entry.child.id.clone(),
            pid,
            reason: reason.clone(),
            action,
            restarts: self.listed.restarts(),
        });
    }
}
