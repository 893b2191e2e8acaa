//! What runs scenarios for those who look. Here it is only asked: `rusm-bench` has one.

use rusm_actor::Node;

use crate::protocol::{Finished, Lab, Refusal, Run, RunOrder, Sweep, SweepOrder};

/// A laboratory. Each call returns at once: what takes time goes on elsewhere, and is looked at.
pub trait Laboratory: Send + Sync + 'static {
    /// What can be run.
    fn about(&self) -> Lab;

    /// Starts a run, and says its number.
    ///
    /// # Errors
    /// `unknown_scenario`, `bad_value` or `busy`.
    fn run(&self, order: RunOrder) -> Result<u64, Refusal>;

    /// Starts a sweep, and says its number.
    ///
    /// # Errors
    /// As `run`.
    fn sweep(&self, order: SweepOrder) -> Result<u64, Refusal>;

    /// Ends what is in progress; nothing if nothing is.
    fn stop(&self);

    /// How hard runs are from now on.
    ///
    /// # Errors
    /// `bad_value`: there is no such profile.
    fn set_profile(&self, name: &str) -> Result<(), Refusal>;

    /// The node on which a run takes place now, and the number of the run.
    fn target(&self) -> Option<(u64, Node)>;

    /// The run in progress, or the latest one.
    fn run_now(&self) -> Option<Run>;

    /// The sweep in progress, or the latest one.
    fn sweep_now(&self) -> Option<Sweep>;

    /// Runs that are over, the latest first.
    fn finished(&self) -> Vec<Finished>;
}
