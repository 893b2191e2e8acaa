//! Watches the node while somebody is connected: looks once a second for what a person should look at, and has it told.

mod deadlocks;
mod mailboxes;
mod names;
mod pools;
mod restarts;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusm_actor::{Node, Overrun};

use crate::overview::micros;
use crate::protocol::Kind;
use crate::shared::Shared;
use crate::warnings::Finding;

use deadlocks::Deadlocks;
use mailboxes::Mailboxes;
use restarts::Restarts;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// An overlong turn is told for so long after it was noticed.
const HOG_TOLD: Duration = Duration::from_secs(10);
/// Hogs that are remembered, the latest ones.
const HOGS_MAX: usize = 20;
/// A turn that lasts so long is stuck.
const STUCK_AFTER: Duration = Duration::from_secs(1);

/// Native bodies that kept their workers for too long, and when that was noticed.
type Hogs = Arc<Mutex<VecDeque<(Duration, Overrun)>>>;

/// What is remembered from look to look.
struct Watch {
    shared: Arc<Shared>,
    hogs: Hogs,
    target: String,
    deadlocks: Deadlocks,
    mailboxes: Mailboxes,
    restarts: Restarts,
}

/// Starts it: a process of the node, which ends with it.
pub(crate) fn start(node: &Node, shared: &Arc<Shared>) {
    let hogs = Hogs::default();
    let (noticed, clock) = (hogs.clone(), node.handle());
    node.on_overrun(move |overrun| {
        let mut hogs = noticed.lock().unwrap_or_else(PoisonError::into_inner);
        hogs.retain(|(_, known)| known.pid != overrun.pid);
        if hogs.len() == HOGS_MAX {
            hogs.pop_front();
        }
        hogs.push_back((clock.now(), overrun.clone()));
    });
    let mut watch = Watch {
        shared: shared.clone(),
        hogs,
        target: String::new(),
        deadlocks: Deadlocks::default(),
        mailboxes: Mailboxes::default(),
        restarts: Restarts::default(),
    };
    node.spawn(move |mut ctx| async move {
        ctx.set_label("observer");
        loop {
            ctx.sleep(LOOK_EVERY).await;
            if watch.shared.clients() > 0 {
                watch.look().await;
            }
        }
    });
}

impl Watch {
    async fn look(&mut self) {
        let target = self.shared.target();
        let system = self.shared.system().await;
        if self.target != target.name {
            // What is remembered is of another node.
            self.target.clone_from(&target.name);
            self.mailboxes = Mailboxes::default();
            self.restarts = Restarts::default();
        }
        let now = target.node.handle().now();
        let stats = target.node.stats();
        let mut findings = self.hogs(&target.node);
        findings.extend(pools::look(&stats, &target.node.handle().config(), &system));
        findings.extend(self.restarts.look(now, target.node.supervisors()));
        findings.extend(self.deadlocks.look(self.shared.node.handle().now()).await);
        findings.extend(self.mailboxes.look(&target.node).await);
        findings.extend(names::look(now, target.node.name_conflicts()));
        self.shared.warnings.set(micros(now), findings);
    }

    fn hogs(&self, target: &Node) -> Vec<Finding> {
        // Only those of the node itself are told to us; the clock is its, too.
        let now = self.shared.node.handle().now();
        let hogs = self.hogs.lock().unwrap_or_else(PoisonError::into_inner);
        let stuck_now = target.stats().stuck > 0;
        let told = hogs.iter().filter_map(|(at, overrun)| {
            let since = now.saturating_sub(*at);
            let running = self.still_runs(overrun);
            let lasts = overrun.lasted + since;
            let kind = match running && stuck_now && lasts > STUCK_AFTER {
                true => Kind::Stuck,
                false if running || since < HOG_TOLD => Kind::Hog,
                false => return None,
            };
            Some(Finding {
                kind,
                subject: overrun.pid.to_string(),
                evidence: evidence(overrun, running, lasts),
            })
        });
        told.collect()
    }

    /// Is it in a turn, and has been since it was noticed?
    fn still_runs(&self, overrun: &Overrun) -> bool {
        let info = self.shared.node.info(overrun.pid);
        info.is_some_and(|info| info.state == rusm_actor::ProcessState::Running)
    }
}

fn evidence(overrun: &Overrun, running: bool, lasts: Duration) -> String {
    let Overrun {
        pid, body, rescued, ..
    } = overrun;
    let lasts = match running {
        true => format!("lasts for {:.1} s already", lasts.as_secs_f64()),
        false => format!("lasted for {:?} and more", overrun.lasted),
    };
    let others = match rescued {
        true => "the others of its worker went on on another thread",
        false => "no spare thread was left, and its worker stood still",
    };
    format!("a turn of {pid} ({body}) {lasts}; {others}")
}
