//! What a supervisor is asked while it runs.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::call::Caller;
use crate::exit::ExitReason;
use crate::message::Message;
use crate::node::is_alive;
use crate::pid::Pid;
use crate::supervisor::begin::Start;
use crate::supervisor::child::{Child, ChildKind};
use crate::supervisor::plan::Order;
use crate::supervisor::request::{
    ChildError, ChildInfo, ChildState, Counts, Request, StartChildError, Started,
};
use crate::supervisor::run::Run;
use crate::supervisor::table::{Key, State};

impl Run {
    /// Answers a request. Breaks off if the supervisor has to end.
    pub(crate) async fn answer(
        &mut self,
        caller: Caller,
        request: Message,
    ) -> ControlFlow<ExitReason> {
        let Ok(request) = request.downcast::<Request>() else {
            return ControlFlow::Continue(());
        };
        let answer = match request {
            Request::Start(child) => Message::native(self.start_child(*child).await?),
            Request::Restart(id) => Message::native(self.restart_child(&id).await?),
            Request::Terminate(id) => {
                let key = self.table.by_id(&id);
                Message::native(self.terminate(key).await)
            }
            Request::TerminatePid(pid) => {
                let key = self.table.by_pid(pid);
                Message::native(self.terminate(key).await)
            }
            Request::Delete(id) => Message::native(self.delete_child(&id)),
            Request::Count => Message::native(self.counts()),
            Request::List => Message::native(self.list()),
            // Whoever asked hears of the end.
            Request::Stop => return ControlFlow::Break(ExitReason::Shutdown),
        };
        self.ctx.reply(caller, answer);
        ControlFlow::Continue(())
    }

    async fn start_child(
        &mut self,
        child: Child,
    ) -> ControlFlow<ExitReason, Result<Started, StartChildError>> {
        if let Err(error) = self.admits(&child) {
            return ControlFlow::Continue(Err(error));
        }
        let key = self.table.add(child);
        let started = self.start(key).await?;
        if let Start::Failed(_) = started {
            self.table.remove(key);
        }
        ControlFlow::Continue(told(started).map_err(StartChildError::Failed))
    }

    /// Is there room for this child?
    fn admits(&self, child: &Child) -> Result<(), StartChildError> {
        if let Some(entry) = self.known(&child.id) {
            return Err(match entry {
                State::Running(pid) => StartChildError::AlreadyStarted(pid),
                State::Restarting(_) => StartChildError::Restarting,
                State::Stopped => StartChildError::AlreadyPresent,
            });
        }
        if self.table.len() >= self.plan.children_max {
            return Err(StartChildError::TooMany(self.plan.children_max));
        }
        let checked = self.plan.check_child(child);
        checked.map_err(StartChildError::Invalid)
    }

    fn known(&self, id: &str) -> Option<State> {
        let entry = self.table.get(self.table.by_id(id)?)?;
        Some(entry.state)
    }

    async fn restart_child(
        &mut self,
        id: &str,
    ) -> ControlFlow<ExitReason, Result<Started, ChildError>> {
        let key = match self.stopped(id) {
            Ok(key) => key,
            Err(error) => return ControlFlow::Continue(Err(error)),
        };
        let started = self.start(key).await?;
        ControlFlow::Continue(told(started).map_err(ChildError::Failed))
    }

    /// The child of that id, which must not run.
    fn stopped(&self, id: &str) -> Result<Key, ChildError> {
        match (self.table.by_id(id), self.known(id)) {
            (Some(_), Some(State::Running(_))) => Err(ChildError::Running),
            (Some(_), Some(State::Restarting(_))) => Err(ChildError::Restarting),
            (Some(key), Some(State::Stopped)) => Ok(key),
            _ => Err(ChildError::NotFound),
        }
    }

    async fn terminate(&mut self, key: Option<Key>) -> Result<(), ChildError> {
        let key = key.ok_or(ChildError::NotFound)?;
        self.stop_child(key).await;
        self.forget_unlisted(key);
        Ok(())
    }

    fn delete_child(&mut self, id: &str) -> Result<(), ChildError> {
        let key = self.stopped(id)?;
        self.table.remove(key);
        Ok(())
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for (_, entry) in self.table.iter() {
            counts.specs += 1;
            let lives = |pid: Pid| is_alive(pid);
            counts.active += match entry.state {
                State::Running(pid) => usize::from(lives(pid)),
                _ => 0,
            };
            match entry.child.kind {
                ChildKind::Supervisor => counts.supervisors += 1,
                ChildKind::Worker => counts.workers += 1,
            }
        }
        counts
    }

    fn list(&self) -> Vec<ChildInfo> {
        let id = |id: &Arc<str>| match self.plan.order {
            Order::Listed => Some(id.clone()),
            Order::Dynamic => None,
        };
        let info = self.table.iter().map(|(_, entry)| ChildInfo {
            id: id(&entry.child.id),
            kind: entry.child.kind,
            state: match entry.state {
                State::Running(pid) => ChildState::Running(pid),
                State::Restarting(_) => ChildState::Restarting,
                State::Stopped => ChildState::Stopped,
            },
        });
        info.collect()
    }
}

/// What whoever asked is told of a start.
fn told(start: Start) -> Result<Started, ExitReason> {
    match start {
        Start::Running(pid, info) => Ok(Started::Running { pid, info }),
        Start::Ignored => Ok(Started::Ignored),
        Start::Failed(reason) => Err(reason),
    }
}
