//! Every way a run can end without a report, as one sentence for the user and one exit code.

use std::fmt;
use std::panic::{self, AssertUnwindSafe};
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
    /// Somebody stopped it.
    Stopped,
    /// Our own code fell over.
    Panicked(String),
    /// The workload ran, and did not do anything.
    Nothing,
}

impl Failure {
    pub(crate) fn guest(error: impl fmt::Display) -> Self {
        Failure::Guest(error.to_string())
    }

    /// Of something that is run with settings from outside: what it panics with ends it, not the program.
    pub(crate) fn contain<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|what| {
            let text = what
                .downcast_ref::<&str>()
                .map(|text| text.to_string())
                .or_else(|| what.downcast_ref::<String>().cloned());
            Err(Failure::Panicked(text.unwrap_or_default()))
        })
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
            Failure::Stopped => write!(f, "the run was stopped"),
            Failure::Panicked(what) => write!(
                f,
                "the scenario panicked: {what}. That is a fault of RUSM or of the scenario, not of the settings."
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_failure_that_says_what_it_was() {
        for (number, says) in [(7, "seven"), (8, "8 it is")] {
            let outcome: Result<(), Failure> = Failure::contain(|| match number {
                7 => panic!("seven"),
                other => panic!("{other} it is"),
            });
            let text = outcome.unwrap_err().to_string();
            assert!(text.contains(says), "{text}");
        }
    }
}
