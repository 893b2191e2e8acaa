//! Stopping children: one, with the patience it was promised, or all.

use std::collections::{BTreeSet, HashMap};
use std::future::poll_fn;
use std::time::Duration;

use crate::exit::ExitReason;
use crate::halt::{Wait, Waited};
use crate::mailbox::Marker;
use crate::message::Message;
use crate::node::{exit, kill};
use crate::pid::Pid;
use crate::reference::Reference;
use crate::supervisor::child::{ChildKind, Shutdown};
use crate::supervisor::plan::Order;
use crate::supervisor::report::Action;
use crate::supervisor::run::{ALL, Run};
use crate::supervisor::table::{Key, State};

/// Reductions that asking one child to stop costs.
const ASK_REDUCTIONS: u32 = 4;

/// Where a monitor's message is to be looked for.
pub(crate) struct Answer {
    pub(crate) monitor: Reference,
    pub(crate) marker: Marker,
}

/// A child that was asked to stop.
struct Leaving {
    key: Key,
    pid: Pid,
    deadline: Duration,
    wait: Wait,
}

impl Run {
    /// Stops a child, if it runs, and waits for its end. A planned restart is given up.
    pub(crate) async fn stop_child(&mut self, key: Key) {
        if let Some(entry) = self.table.get(key)
            && let State::Running(pid) = entry.state
        {
            // What is in the mailbox already need not be looked at: the ends of many siblings,
            // perhaps.
            let marker = self.ctx.end_of_mailbox();
            let monitor = self.ctx.monitor(pid);
            self.stop_watched(key, pid, Answer { monitor, marker })
                .await;
        }
        self.table.set(key, State::Stopped);
    }

    /// Stops a child's process, which it watches, and waits for its end; why it ended.
    pub(crate) async fn stop_watched(
        &mut self,
        key: Key,
        pid: Pid,
        mut answer: Answer,
    ) -> ExitReason {
        let Some((wait, patience)) = self.ask(key, pid) else {
            return ExitReason::NoProcess;
        };
        let mut reason = self.down(&mut answer, patience).await;
        if reason.is_none() {
            self.overdue(key, pid, &wait);
            reason = self.down(&mut answer, Duration::MAX).await;
        }
        reason.unwrap_or(ExitReason::NoProcess)
    }

    /// What a monitor says within `patience`.
    async fn down(&mut self, answer: &mut Answer, patience: Duration) -> Option<ExitReason> {
        let monitor = answer.monitor;
        let wanted = move |message: &Message| message.down_reference() == Some(monitor);
        let mut sleep = rusm_sched::sleep(patience);
        let message = poll_fn(|cx| {
            let looked = self.ctx.poll_match(cx, &mut answer.marker, wanted);
            looked.or_until(&mut sleep, cx)
        });
        message.await?.into_down().ok().map(|down| down.reason)
    }

    /// Asks a process to end; how long it may take.
    fn ask(&mut self, key: Key, pid: Pid) -> Option<(Wait, Duration)> {
        let child = &self.table.get(key)?.child;
        let waited = Waited {
            id: child.id.clone(),
            kind: child.kind,
            supervisor: self.ctx.pid(),
            since: rusm_sched::now(),
        };
        let wait = Wait::new(&self.world, pid, waited);
        let hurried = wait.hurried() && child.kind == ChildKind::Worker;
        let patience = match child.shutdown {
            Shutdown::Kill => Duration::MAX,
            _ if hurried => {
                wait.note_kill(rusm_sched::now());
                Duration::MAX
            }
            Shutdown::Infinity => Duration::MAX,
            Shutdown::After(patience) => patience,
        };
        if hurried || child.shutdown == Shutdown::Kill {
            kill(pid);
        } else {
            exit(pid, ExitReason::Shutdown);
        }
        Some((wait, patience))
    }

    /// A child has used up its time.
    fn overdue(&mut self, key: Key, pid: Pid, wait: &Wait) {
        kill(pid);
        wait.note_kill(rusm_sched::now());
        self.report(key, Some(pid), &ExitReason::Shutdown, Action::Killed);
    }

    /// Stops all children: those that have an order one by one, from the last to the first.
    pub(crate) async fn stop_children(&mut self) {
        if self.plan.order == Order::Dynamic {
            return self.stop_together().await;
        }
        let mut at = None;
        while let Some(key) = self.table.before(at, &ALL) {
            at = Some(key);
            self.stop_child(key).await;
        }
    }

    /// Asks all at once and waits for all. Nothing else is heard any more.
    async fn stop_together(&mut self) {
        let all = self.table.iter();
        let running: Vec<_> = all
            .filter_map(|(key, entry)| match entry.state {
                State::Running(pid) => Some((key, pid)),
                _ => None,
            })
            .collect();
        let (mut leaving, mut deadlines) = (HashMap::new(), BTreeSet::new());
        for (key, pid) in running {
            let monitor = self.ctx.monitor(pid);
            let Some((wait, patience)) = self.ask(key, pid) else {
                continue;
            };
            let deadline = rusm_sched::now().saturating_add(patience);
            deadlines.insert((deadline, monitor));
            let child = Leaving {
                key,
                pid,
                deadline,
                wait,
            };
            leaving.insert(monitor, child);
            self.ctx.reductions(ASK_REDUCTIONS).await;
        }
        while let Some((deadline, monitor)) = deadlines.first().copied() {
            let patience = match deadline {
                Duration::MAX => Duration::MAX,
                deadline => deadline.saturating_sub(rusm_sched::now()),
            };
            let Some(message) = self.ctx.receive_within(patience).await else {
                deadlines.remove(&(deadline, monitor));
                if let Some(child) = leaving.get_mut(&monitor) {
                    let (key, pid) = (child.key, child.pid);
                    self.overdue(key, pid, &child.wait);
                    child.deadline = Duration::MAX;
                    deadlines.insert((child.deadline, monitor));
                }
                continue;
            };
            let ended = message.down_reference();
            if let Some((monitor, child)) = ended.and_then(|name| leaving.remove_entry(&name)) {
                deadlines.remove(&(child.deadline, monitor));
            }
        }
        let keys: Vec<_> = self.table.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.table.set(key, State::Stopped);
        }
    }
}
