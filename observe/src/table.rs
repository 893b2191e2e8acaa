//! The table of processes: a walk over all of them, for whoever asks, with a limit of what all who ask may cost together.
//!
//! A walk takes about 20 ns for each process, on a thread for blocking work: no worker is stopped by it. Whatever clients
//! want, walks take no more than a twentieth of one processor's time; who asks for what somebody else has just been told is
//! told the same.

mod walk;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusm_actor::Node;

use crate::overview::micros;
use crate::protocol::{Frame, RowsWanted};
use crate::row::Pace;
use crate::shared::Target;

use walk::{Paces, Walked};

/// A table as old as this is still told.
const AGE_MAX: Duration = Duration::from_millis(400);
/// For each walk there is a pause of so many times what it cost, so that walks take a twentieth of one processor at most.
const PAUSE: u32 = 19;
/// How long somebody waits for his turn to walk before he looks again.
const WAIT: Duration = Duration::from_millis(20);
/// Tables that are kept for others who ask the same.
const KEPT_MAX: usize = 16;

#[derive(Default)]
pub(crate) struct Table(Mutex<State>);

#[derive(Default)]
struct State {
    /// Whose tables these are.
    target: String,
    kept: HashMap<RowsWanted, Kept>,
    walking: bool,
    /// Nobody walks before, on the clock of the node that serves.
    next: Duration,
    paces: Arc<Paces>,
    /// Memory for the next.
    spare: Vec<walk::Spent>,
}

struct Kept {
    at: Duration,
    frame: Arc<str>,
}

/// What somebody who wants a table is to do now.
enum Turn {
    Take(Arc<str>),
    Wait,
    Walk(Arc<Paces>, Vec<walk::Spent>),
}

impl Table {
    /// The `rows` frame that is wanted, as it goes over the wire. Called by processes.
    pub(crate) async fn rows(&self, target: Target, wanted: &RowsWanted) -> Arc<str> {
        loop {
            let (paces, spare) = match self.turn(&target.name, wanted) {
                Turn::Take(frame) => return frame,
                Turn::Wait => {
                    rusm_sched::sleep(WAIT).await;
                    continue;
                }
                Turn::Walk(paces, spare) => (paces, spare),
            };
            // Whatever happens to this process meanwhile, others must be able to walk.
            let walking = Walking(self);
            let (node, job) = (Node::over(target.node.handle()), wanted.clone());
            let walked = rusm_sched::blocking::run(move || {
                let begun = thread_time();
                let walked = walk::walk(&node, &job, &paces, spare);
                (walked, thread_time().saturating_sub(begun))
            });
            let walked = walked.await;
            drop(walking);
            // No thread for it: later, then.
            let Ok((walked, cost)) = walked else {
                rusm_sched::sleep(AGE_MAX).await;
                continue;
            };
            return self.keep(&target, wanted, walked, cost);
        }
    }

    /// What a process has spent a second lately, if somebody looks at a table with a window.
    pub(crate) fn pace(&self, pid: rusm_actor::Pid) -> Pace {
        self.lock().paces.latest(pid)
    }

    fn turn(&self, target: &str, wanted: &RowsWanted) -> Turn {
        let now = rusm_sched::now();
        let mut state = self.lock();
        if state.target != target {
            // Tables of another node say nothing of this one.
            state.target = target.into();
            state.kept.clear();
            state.paces = Arc::default();
        }
        if let Some(kept) = state.kept.get(wanted)
            && now - kept.at < AGE_MAX
        {
            return Turn::Take(kept.frame.clone());
        }
        if state.walking || now < state.next {
            return Turn::Wait;
        }
        state.walking = true;
        Turn::Walk(state.paces.clone(), std::mem::take(&mut state.spare))
    }

    fn keep(
        &self,
        target: &Target,
        wanted: &RowsWanted,
        walked: Walked,
        cost: Duration,
    ) -> Arc<str> {
        let now = rusm_sched::now();
        let frame = Frame::Rows {
            at: micros(target.node.handle().now()),
            by: wanted.by,
            window: wanted.window,
            filter: wanted.filter.clone(),
            alive: walked.alive,
            matched: walked.matched,
            rows: walked.rows,
        };
        let frame: Arc<str> = frame.encode().into();
        let mut state = self.lock();
        state.next = now + cost * PAUSE;
        if target
            .node
            .handle()
            .now()
            .saturating_sub(state.paces.now.at)
            > walk::WINDOW_MAX
        {
            state.paces = Arc::default();
        }
        if state.target == target.name {
            if let Some(paces) = walked.paces {
                let older = std::mem::replace(&mut state.paces, Arc::new(paces));
                state.spare = Arc::try_unwrap(older).map_or(Vec::new(), Paces::into_spare);
            }
            state.kept.retain(|_, kept| now - kept.at < AGE_MAX);
            if state.kept.len() < KEPT_MAX {
                let frame = frame.clone();
                state.kept.insert(wanted.clone(), Kept { at: now, frame });
            }
        }
        frame
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Processor time of the calling thread: what others had of the processor meanwhile is not our cost.
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// The right to walk, given back in any case.
struct Walking<'a>(&'a Table);

impl Drop for Walking<'_> {
    fn drop(&mut self) {
        self.0.lock().walking = false;
    }
}
