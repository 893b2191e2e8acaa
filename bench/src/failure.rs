//! Every way a run can end without a report, as one sentence for the user and one exit code.

use std::fmt;
use std::time::Duration;

use rusm_actor::{ExitReason, ShutdownError};
use rusm_sched::StartError;

/// Why there is no report.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line asks for something that does not exist.
    Usage(String),
    /// The node could not be started with this configuration.
    Start(StartError),
    /// The node still had something running when its time to stop was over.
    Stop(ShutdownError),
    /// A socket or a file.
    Io(std::io::Error),
    /// The engine or a module of a guest.
    Guest(String),
    /// The process that drives the workload ended before it had a report.
    Ended(ExitReason),
    /// The workload took longer than any run may.
    Late(Duration),
    /// The workload ran, and did not do anything.
    Nothing,
}

impl Failure {
    pub(crate) fn guest(error: impl fmt::Display) -> Self {
        Failure::Guest(error.to_string())
    }

    /// 2 for misuse, 1 for everything that went wrong later.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            _ => 1,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(text) => write!(f, "{text}"),
            Failure::Start(error) => write!(f, "the node did not start: {error}"),
            Failure::Stop(error) => write!(f, "the node did not stop: {error}"),
            Failure::Io(error) => write!(f, "input or output failed: {error}"),
            Failure::Guest(error) => write!(f, "the guest cannot run: {error}"),
            Failure::Ended(reason) => write!(f, "the workload ended early: {reason}"),
            Failure::Late(limit) => write!(
                f,
                "the workload was not done after {limit:?}. Give it less to do, or ask for a shorter run."
            ),
            Failure::Nothing => write!(f, "the workload ran and did nothing at all"),
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Failure::Start(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::Io(error)
    }
}
