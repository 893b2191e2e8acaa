//! Starting a process that says when it has started: one child, or a supervisor itself.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use crate::context::Context;
use crate::exit::ExitReason;
use crate::mailbox::Marker;
use crate::message::Message;
use crate::pid::Pid;
use crate::spawn::Spawn;
use crate::supervisor::StartError;
use crate::supervisor::body::Pending;
use crate::supervisor::plan::Plan;
use crate::supervisor::run::{Parent, Run, supervise};
use crate::supervisor::starter::{self, Outcome, Starter};
use crate::supervisor::stop::Answer;
use crate::supervisor::table::{Key, State};

/// What came of starting a child.
pub(crate) enum Start {
    /// It runs, and this is what it has to say.
    Running(Pid, Option<Message>),
    /// It is not needed now. A temporary one is forgotten.
    Ignored,
    Failed(ExitReason),
}

impl Run {
    /// Starts a child that does not run. Breaks off if the parent wants the supervisor to end.
    pub(crate) async fn start(&mut self, key: Key) -> ControlFlow<ExitReason, Start> {
        let Some(entry) = self.table.get(key) else {
            return ControlFlow::Continue(Start::Ignored);
        };
        if let State::Running(pid) = entry.state {
            return ControlFlow::Continue(Start::Running(pid, None));
        }
        let body = entry.child.body.clone();
        let begun = body.begin(&mut self.ctx, &entry.child.id);
        let pid = begun.pid;
        let started = match begun.pending {
            None => Start::Running(pid, None),
            Some(pending) => self.settle(key, pid, pending).await?,
        };
        match &started {
            Start::Running(..) => self.table.set(key, State::Running(pid)),
            Start::Ignored => {
                self.table.set(key, State::Stopped);
                self.forget_unlisted(key);
            }
            Start::Failed(_) => self.table.set(key, State::Stopped),
        }
        if let Some(entry) = self.table.get_mut(key)
            && entry.child.backoff.is_some()
            && let Start::Running(..) = started
        {
            entry.tries.note_start(rusm_sched::now());
        }
        ControlFlow::Continue(started)
    }

    /// Waits for what a child has to say about its start. Whatever is not running afterwards
    /// has ended.
    async fn settle(
        &mut self,
        key: Key,
        pid: Pid,
        pending: Pending,
    ) -> ControlFlow<ExitReason, Start> {
        let patience = match self.table.get(key) {
            Some(entry) => entry.child.start_timeout,
            None => Duration::ZERO,
        };
        let (parent, Pending { token, monitor }) = (self.parent, pending);
        let answer = Answer {
            monitor,
            marker: Marker::default(),
        };
        let wanted = move |message: &Message| {
            starter::answers(message, token)
                || message.down_reference() == Some(monitor)
                || message.exit().is_some_and(|(from, _)| parent.says(from))
        };
        let Some(message) = rusm_sched::within(patience, self.ctx.receive_match(wanted)).await
        else {
            self.stop_watched(key, pid, answer).await;
            return ControlFlow::Continue(Start::Failed(ExitReason::Timeout));
        };
        if let Some((_, reason)) = message.exit() {
            let reason = reason.clone();
            self.stop_watched(key, pid, answer).await;
            return ControlFlow::Break(reason);
        }
        let message = match message.into_down() {
            Ok(down) => return ControlFlow::Continue(Start::Failed(down.reason)),
            Err(message) => message,
        };
        ControlFlow::Continue(match starter::outcome(message) {
            Some(Outcome::Started(info)) => {
                self.ctx.demonitor_flush(monitor);
                Start::Running(pid, info)
            }
            Some(Outcome::Ignored) => {
                self.stop_watched(key, pid, answer).await;
                Start::Ignored
            }
            Some(Outcome::Failed(reason)) => {
                self.stop_watched(key, pid, answer).await;
                Start::Failed(reason)
            }
            Some(Outcome::Refused(error)) => {
                self.stop_watched(key, pid, answer).await;
                Start::Failed(ExitReason::from(&error))
            }
            Some(Outcome::Dropped) | None => {
                let reason = self.stop_watched(key, pid, answer).await;
                Start::Failed(unsaid(reason))
            }
        })
    }
}

/// The reason for a failed start of a child that said nothing and ended for `reason`.
fn unsaid(reason: ExitReason) -> ExitReason {
    match reason {
        // That was its supervisor: it had lost its starter and went on.
        ExitReason::Shutdown | ExitReason::Killed => {
            ExitReason::error("the child dropped its starter without a word")
        }
        reason => reason,
    }
}

/// Starts a supervisor and waits until all its children have started.
pub(crate) async fn start(
    ctx: &mut Context,
    plan: Plan,
    parent: Parent,
) -> Result<Pid, StartError> {
    plan.check().map_err(StartError::Invalid)?;
    let starter = Starter::new(ctx.pid());
    let token = starter.token();
    let how = Spawn::new().monitor().label("supervisor");
    let how = match parent.pid() {
        Some(_) => how.link(),
        None => how,
    };
    let plan = Arc::new(plan);
    let (pid, monitor) = ctx.spawn_with(how, move |ctx| supervise(ctx, plan, parent, starter));
    let said = move |message: &Message| starter::answers(message, token);
    let ended = move |message: &Message| message.down_reference() == Some(monitor);
    let message = ctx
        .receive_match(|message| said(message) || ended(message))
        .await;
    let message = match message.into_down() {
        Ok(down) => {
            forget(ctx, pid);
            return Err(StartError::Ended(down.reason));
        }
        Err(message) => message,
    };
    let outcome = starter::outcome(message);
    if let Some(Outcome::Started(_)) = outcome {
        ctx.demonitor_flush(monitor);
        return Ok(pid);
    }
    // Its names are free when the caller hears of the failure.
    let down = ctx.receive_match(ended).await.into_down();
    let reason = down.map_or(ExitReason::NoProcess, |down| down.reason);
    forget(ctx, pid);
    Err(match outcome {
        Some(Outcome::Ignored) => StartError::Ignored,
        Some(Outcome::Refused(error)) => error,
        _ => StartError::Ended(reason),
    })
}

/// Takes out what the link to a supervisor that has not started may have said: the caller gets
/// an error instead.
fn forget(ctx: &mut Context, pid: Pid) {
    ctx.unlink(pid);
    drop(ctx.pick(|message| message.linked_end() == Some(pid)));
}
