//! What a run shows to those who look at it from outside, and how they end it before its time. A run that nobody
//! watches has one as well: it costs nothing.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusm_actor::Node;

use crate::lanes::Lanes;

/// Between a run and those who look at it.
#[derive(Default)]
pub(crate) struct Watch {
    shown: Mutex<Shown>,
    stopped: AtomicBool,
    stop: Condvar,
}

#[derive(Default)]
struct Shown {
    node: Option<Node>,
    nodes: u64,
    progress: Option<Arc<Progress>>,
    sides: Vec<Arc<Lanes>>,
}

/// How far a run is.
pub(crate) struct Progress {
    /// That of the value which the run will report.
    pub(crate) unit: &'static str,
    done: Box<dyn Fn() -> u64 + Send + Sync>,
}

impl Progress {
    /// What was done so far; never less than before.
    pub(crate) fn done(&self) -> u64 {
        (self.done)()
    }
}

/// Its node is shown as long as this lives.
pub(crate) struct Showing<'a>(&'a Watch);

impl Watch {
    /// Shows the node on which the run takes place. Does not keep it alive.
    pub(crate) fn show(&self, node: &Node) -> Showing<'_> {
        let mut shown = self.lock();
        shown.node = Some(Node::over(node.handle()));
        shown.nodes += 1;
        Showing(self)
    }

    /// Shows how far the run is, in the `unit` of the value that it will report. `done` is asked by who looks, many
    /// times a second: the run itself pays for no more than what it counts anyway.
    pub(crate) fn show_progress(
        &self,
        unit: &'static str,
        done: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        let done = Box::new(done);
        self.lock().progress = Some(Arc::new(Progress { unit, done }));
    }

    /// Shows processes one by one, side by side.
    pub(crate) fn show_sides(&self, sides: Vec<Arc<Lanes>>) {
        self.lock().sides = sides;
    }

    /// The node that is shown now, and which one of this run it is.
    pub(crate) fn node(&self) -> Option<(u64, Node)> {
        let shown = self.lock();
        shown.node.clone().map(|node| (shown.nodes, node))
    }

    /// None if the scenario does not tell.
    pub(crate) fn progress(&self) -> Option<Arc<Progress>> {
        self.lock().progress.clone()
    }

    pub(crate) fn sides(&self) -> Vec<Arc<Lanes>> {
        self.lock().sides.clone()
    }

    /// Ends the run; for good, should it not have begun yet.
    pub(crate) fn stop(&self) {
        let _shown = self.lock();
        self.stopped.store(true, Relaxed);
        self.stop.notify_all();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Relaxed)
    }

    /// Blocks the calling thread for `span`, or until the run is stopped.
    pub(crate) fn sleep(&self, span: Duration) {
        let end = Instant::now() + span;
        let mut shown = self.lock();
        while !self.is_stopped() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let woken = self.stop.wait_timeout(shown, left);
            shown = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Showing<'_> {
    fn drop(&mut self) {
        self.0.lock().node = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_ends_the_sleep_of_whoever_waits_for_the_run() {
        let watch = Arc::new(Watch::default());
        let (other, start) = (watch.clone(), Instant::now());
        let sleeper = std::thread::spawn(move || other.sleep(Duration::from_secs(600)));
        watch.stop();
        sleeper.join().unwrap();
        assert!(start.elapsed() < Duration::from_secs(60));
        watch.sleep(Duration::from_secs(600));
        assert!(watch.is_stopped());
    }

    #[test]
    fn a_node_is_shown_while_the_run_has_it() {
        let node = Node::start(rusm_sched::Config::default()).unwrap();
        let watch = Watch::default();
        let showing = watch.show(&node);
        assert_eq!(watch.node().unwrap().0, 1);
        drop(showing);
        assert!(watch.node().is_none());
    }
}
