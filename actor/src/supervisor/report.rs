//! What supervisors did about their children, told once to whoever wants to know.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::exit::ExitReason;
use crate::pid::Pid;

/// What a supervisor did about the end of a child that it had not stopped itself.
#[derive(Clone, Debug)]
pub struct SupervisorReport {
    /// Who did it.
    pub supervisor: Pid,
    /// The child's id.
    pub child: Arc<str>,
    /// The process that ended; `None` when the child could not be started.
    pub pid: Option<Pid>,
    /// Why it ended, or could not be started.
    pub reason: ExitReason,
    /// What was done about it.
    pub action: Action,
    /// Restarts of all children of this supervisor so far, this one included.
    pub restarts: u64,
}

/// What a supervisor does about a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// It runs again, as this process.
    Restarted(Pid),
    /// It will be started after this pause; after what is in the mailbox, if that is zero.
    Postponed(Duration),
    /// It was temporary, and is listed no more.
    Forgotten,
    /// It was one restart too many: the supervisor stops its children and ends.
    GaveUp,
    /// It did not stop in its time, and was killed.
    Killed,
}

type Sink = Arc<dyn Fn(&SupervisorReport) + Send + Sync>;

static SINK: RwLock<Option<Sink>> = RwLock::new(None);

/// Has `sink` called for each restart, and for each child that is given up or has to be
/// killed. It runs on the worker, on the way of the restart, and should be quick. Replaces the
/// one before.
pub fn set_supervisor_sink(sink: impl Fn(&SupervisorReport) + Send + Sync + 'static) {
    *SINK.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(sink));
}

/// Tells the sink. The report is made only if there is one.
pub(crate) fn supervisor(report: impl FnOnce() -> SupervisorReport) {
    let sink = SINK.read().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(sink) = sink {
        let told = catch_unwind(AssertUnwindSafe(|| sink(&report())));
        if let Err(payload) = told {
            // The supervisor has done nothing wrong: it goes on.
            drop(crate::report::take_panic(&*payload));
        }
    }
}
