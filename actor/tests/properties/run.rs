//! Runs a program on the simulation, to its end, and looks at what is left of it.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use rusm_actor::{Context, JoinHandle, Node, Report, is_alive, send, set_crash_sink};
use rusm_sched::sim::Simulation;

use super::history::{CONDUCTOR, Crash, Deed, Event, Order, Stage, What, Who, bytes, why};
use super::player::Body;
use super::program::{Program, Why};

/// After this long everybody has done what there was to do.
const PAUSE: Duration = Duration::from_secs(60);

/// What a run was like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) events: Vec<Event>,
    /// Why those ended for whose end somebody waited.
    pub(crate) joined: Vec<(Who, Option<Why>)>,
    /// What was left in the end, as text.
    pub(crate) left: Vec<String>,
    /// Why the run did not end.
    pub(crate) stuck: Option<String>,
}

impl Run {
    /// Forgets what came after an event.
    pub(crate) fn cut(mut self, last: usize) -> Run {
        self.events.truncate(last + 1);
        self
    }
}

impl fmt::Display for Run {
    /// The history. What those who stay see when they look around is left out: it is long,
    /// and what is wrong with it is said apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let looks = |deed: &Deed| {
            matches!(
                deed,
                Deed::IsLinked(..) | Deed::Whereis(..) | Deed::Members(..)
            )
        };
        for (number, event) in self.events.iter().enumerate() {
            match &event.what {
                What::Did(_, deed) if looks(deed) && event.at >= PAUSE => {}
                _ => writeln!(f, "{number:>4} {event}")?,
            }
        }
        Ok(())
    }
}

thread_local! {
    /// Where this thread's simulation notes who has crashed.
    static STAGE: RefCell<Option<Arc<Stage>>> = const { RefCell::new(None) };
}

fn note_crash(report: &Report) {
    // Fewer end in a program than are reported in a second.
    let Report::Crash(report) = report else {
        return;
    };
    let stage = STAGE.with_borrow(Clone::clone);
    if let Some(stage) = stage {
        let crash = Crash {
            why: why(&report.reason),
            name: report.name.as_deref().map(str::to_owned),
            links: report.links_told,
            monitors: report.monitors_told,
        };
        stage.record(What::Crashed(stage.who(report.pid), crash));
    }
}

/// Runs `program` in the order that `seed` chooses.
pub(crate) fn run(program: &Program, seed: u64) -> Run {
    static CRASHES: Once = Once::new();
    CRASHES.call_once(|| set_crash_sink(note_crash));
    let left = Arc::new(Mutex::new(Vec::new()));
    let (mut stage, mut joins) = (None, Vec::new());
    let outcome = Simulation::new(seed).start(|handle| {
        let node = Node::over(handle.clone());
        let all = Stage::new(handle);
        let (conducted, found) = (all.clone(), left.clone());
        all.add_process(node.spawn(|ctx| async move {
            let leftovers = conduct(ctx, &conducted).await;
            *found.lock().unwrap_or_else(PoisonError::into_inner) = leftovers;
        }));
        for script in program.scripts.clone() {
            let who = all.count();
            let joined = node.spawn_join(|ctx| Body::new(ctx, &all, who, script));
            all.add_process(joined.pid());
            joins.push((who, joined));
        }
        STAGE.set(Some(all.clone()));
        stage = Some(all);
    });
    STAGE.set(None);
    let reason = |join: &JoinHandle| join.try_reason().map(|reason| why(&reason));
    let left = std::mem::take(&mut *left.lock().unwrap_or_else(PoisonError::into_inner));
    Run {
        events: stage.map(|stage| stage.take_events()).unwrap_or_default(),
        joined: joins
            .iter()
            .map(|(who, join)| (*who, reason(join)))
            .collect(),
        left,
        stuck: outcome.err().map(|stuck| stuck.to_string()),
    }
}

/// Waits until all have done their steps, has those who stay look around, and then leave.
/// Returns what is there when nothing should be.
async fn conduct(ctx: Context, stage: &Stage) -> Vec<String> {
    for order in [Order::Look, Order::Leave] {
        ctx.sleep(PAUSE).await;
        stage.record(What::Quiet);
        for who in 1..stage.count() {
            let pid = stage.pid(who);
            if is_alive(pid) {
                let id = stage.fresh_id();
                stage.record(What::Did(CONDUCTOR, Deed::Sent(who, id)));
                send(pid, bytes(id, order));
            }
        }
    }
    ctx.sleep(PAUSE).await;
    stage.record(What::Quiet);
    let (node, me) = (ctx.node(), ctx.pid());
    let others = node.processes().into_iter().filter(|pid| *pid != me);
    let mut left: Vec<_> = others.map(|pid| format!("process {pid}")).collect();
    left.extend(node.registered().iter().map(|name| format!("{name:?}")));
    left.extend(node.groups().iter().map(|name| format!("group {name:?}")));
    left
}
