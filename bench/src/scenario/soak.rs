//! A tree of supervisors and workers in which somebody is killed all the time, at random: afterwards nobody may be left
//! over, every restart must have been told, and the memory must not have grown.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rusm_actor::supervisor::{Action, Child, Strategy, Supervisor, set_supervisor_sink};
use rusm_actor::{Context, Node, Pid, kill};

use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::settle;
use crate::machine;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "soak",
    workload: "soak",
    about: "random kills under a tree of supervisors; orphans, unaccounted restarts and growth must be 0",
    choices: &[
        choice("branches", "8", "supervisors under the root"),
        choice("workers-each", "8", "workers of each of them"),
    ],
    small: &[("branches", "2")],
    run,
};

/// The tree has warmed up after this share of the time.
const WARM_UP: f64 = 0.2;
const RESTARTS_MAX: u32 = 1_000_000;

/// What happened in a tree.
#[derive(Default)]
struct Book {
    /// Workers that were started.
    begun: AtomicU64,
    /// Reports of workers and of branches that were started again.
    workers_told: AtomicU64,
    branches_told: AtomicU64,
    /// Reports of branches that were killed while they started: each had begun some of its workers.
    branches_cut: AtomicU64,
    killed: AtomicU64,
}

fn run(env: &Env) -> Result<Report, Failure> {
    let (span, branches) = (env.span, env.positive("branches")?);
    let workers = env.positive("workers-each")?;
    let book = Arc::new(Book::default());
    let told = book.clone();
    set_supervisor_sink(move |report| {
        let worker = report.child.starts_with("worker");
        if matches!(report.action, Action::Restarted(_)) {
            let count = if worker {
                &told.workers_told
            } else {
                &told.branches_told
            };
            count.fetch_add(1, Relaxed);
        }
        if report.pid.is_none() && !worker {
            told.branches_cut.fetch_add(1, Relaxed);
        }
    });
    let (book_of_run, shown) = (book.clone(), book.clone());
    env.watch
        .show_progress("kills/s", move || shown.killed.load(Relaxed));
    let report = env.drive(move |mut ctx| async move {
        let before = ctx.node().process_count();
        let tree = tree(&book_of_run, branches, workers);
        let root = tree.start(&mut ctx).await.expect("the tree starts");
        let start = Instant::now();
        let warm_up = span.mul_f64(WARM_UP);
        let warm = harass(&mut ctx, root.pid(), &book_of_run, start, warm_up).await;
        harass(&mut ctx, root.pid(), &book_of_run, start, span).await;
        let grown = machine::rss_kb() as f64 - warm as f64;
        root.stop(&mut ctx).await.expect("the tree stops");
        let node = ctx.node();
        let orphans = || node.process_count().saturating_sub(before);
        let patience = Instant::now();
        settle(|| orphans() == 0 || patience.elapsed() > Duration::from_secs(5)).await;
        Report::rate(book_of_run.killed.load(Relaxed), start.elapsed(), "kills/s")
            .with("orphans", orphans() as f64)
            .with("grown_kb", grown)
    });
    set_supervisor_sink(|_| {});
    // A worker begins with its tree, or because it is started again, or because its branch is.
    let begun = book.begun.load(Relaxed);
    let again = book.workers_told.load(Relaxed);
    let with_branch = book.branches_told.load(Relaxed) * workers;
    let told = branches * workers + again + with_branch;
    let cut = book.branches_cut.load(Relaxed);
    let unaccounted = told.saturating_sub(begun) + begun.saturating_sub(told + cut * workers);
    let restarts = again + book.branches_told.load(Relaxed);
    Ok(report?
        .with("restarts", restarts as f64)
        .with("of_cut_starts", begun.saturating_sub(told) as f64)
        .with("cut_starts", cut as f64)
        .with("unaccounted", unaccounted as f64))
}

fn tree(book: &Arc<Book>, branches: u64, workers: u64) -> Supervisor {
    let lenient =
        || Supervisor::new(Strategy::OneForOne).intensity(RESTARTS_MAX, Duration::from_millis(1));
    (0..branches).fold(lenient(), |root, branch| {
        let supervisor = (0..workers).fold(lenient(), |supervisor, worker| {
            let book = book.clone();
            let id = format!("worker-{worker}");
            supervisor.child(Child::worker(id, move |ctx| {
                book.begun.fetch_add(1, Relaxed);
                work(ctx)
            }))
        });
        root.child(Child::supervisor(format!("branch-{branch}"), supervisor))
    })
}

async fn work(mut ctx: Context) {
    loop {
        ctx.receive_within(Duration::from_millis(10)).await;
    }
}

/// Kills somebody below the root every now and then until `end`; the memory then.
async fn harass(ctx: &mut Context, root: Pid, book: &Book, start: Instant, end: Duration) -> u64 {
    let (me, node): (_, Node) = (ctx.pid(), ctx.node());
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    while start.elapsed() < end {
        let all = node.processes();
        for _ in 0..4 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let victim = all[(random >> 16) as usize % all.len()];
            if victim != me && victim != root {
                kill(victim);
                book.killed.fetch_add(1, Relaxed);
            }
        }
        ctx.sleep(Duration::from_micros(500)).await;
    }
    machine::rss_kb()
}
