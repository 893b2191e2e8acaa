//! The laboratory of a node: runs scenarios for those who look at the node, one at a time, each on a thread and a node
//! of its own.

mod about;
mod ending;
mod order;
mod run;
mod sampler;
mod series;
mod shared;
mod sweep;

use std::sync::Arc;
use std::thread;

use rusm_actor::Node;
use rusm_observe::Laboratory;
use rusm_observe::protocol::{
    Code, Finished, Lab as About, Refusal, Run, RunOrder, Sweep, SweepOrder,
};

use crate::profile::Profile;
use shared::Shared;

/// Runs that are over and told of.
const RUNS_KEPT_MAX: usize = 50;

/// What is being run, and what was.
pub(crate) struct Lab {
    shared: Arc<Shared>,
}

impl Lab {
    pub(crate) fn new() -> Arc<Self> {
        let shared = Arc::new(Shared::new());
        Arc::new(Lab { shared })
    }

    /// Goes on elsewhere; without a thread to do it on, `work` is dropped, and what it was to do has failed.
    fn elsewhere(&self, id: u64, work: impl FnOnce() + Send + 'static) -> Result<u64, Refusal> {
        let started = thread::Builder::new()
            .name(format!("rusm-run-{id}"))
            .spawn(work);
        started.map(|_| id).map_err(|why| {
            self.shared.give_up(&why.to_string());
            Refusal::new(
                Code::Failed,
                format!("the system gives no thread for it: {why}"),
            )
        })
    }
}

impl Laboratory for Lab {
    fn about(&self) -> About {
        about::about(self.shared.profile())
    }

    fn run(&self, order: RunOrder) -> Result<u64, Refusal> {
        let env = order::env(&order, self.shared.profile())?;
        let id = self.shared.begin_run(&order, &env)?;
        let shared = self.shared.clone();
        self.elsewhere(id, move || run::carry_out(&shared, &env))
    }

    fn sweep(&self, order: SweepOrder) -> Result<u64, Refusal> {
        let plan = order::plan(&order, self.shared.profile())?;
        let id = self.shared.begin_sweep(&order, &plan)?;
        let shared = self.shared.clone();
        self.elsewhere(id, move || sweep::carry_out(&shared, plan))
    }

    fn stop(&self) {
        self.shared.stop();
    }

    fn set_profile(&self, name: &str) -> Result<(), Refusal> {
        let profile = Profile::find(name).ok_or_else(|| {
            let why = format!("there is no profile `{name}`: light, balanced and max there are.");
            Refusal::new(Code::BadValue, why)
        })?;
        self.shared.set_profile(profile.name);
        Ok(())
    }

    fn target(&self) -> Option<(u64, Node)> {
        self.shared.target()
    }

    fn run_now(&self) -> Option<Run> {
        self.shared.run_now()
    }

    fn sweep_now(&self) -> Option<Sweep> {
        self.shared.sweep_now()
    }

    fn finished(&self) -> Vec<Finished> {
        self.shared.finished()
    }
}

#[cfg(test)]
mod tests;
