//! Which ends are reported as crashes. A program of its own: the sink is the whole program's.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusm_actor::{Config, CrashReport, ExitReason, Message, Node, RegisterError, Report, exit};

#[path = "semantics/tools.rs"]
mod tools;

use tools::{down, foo, idle};

const HOUR: Duration = Duration::from_secs(3600);

/// Cancelling a message to a name, and losing a name to somebody quicker, killed a process of
/// the runtime's own, and each was reported as a crash. A sink that panicked left what the
/// process had not read to be dropped while the panic went up.
#[test]
fn only_ends_that_somebody_should_know_of_are_reported() {
    let reports: Arc<Mutex<Vec<CrashReport>>> = Arc::default();
    let list = reports.clone();
    rusm_actor::set_crash_sink(move |report| {
        let Report::Crash(crash) = report else { return };
        list.lock().expect("no panic").push(crash.clone());
        std::panic::resume_unwind(Box::new("a sink that panics"));
    });
    let config = Config {
        workers: 1,
        ..Config::default()
    };
    let node = Node::start(config).expect("a node starts");
    let outcome = node.block_on(|mut ctx| async move {
        let node = ctx.node();
        assert!(ctx.send_after(HOUR, "nobody", b"never").cancel().is_some());
        let refused = node.whereis_or_spawn("undefined", idle);
        assert_eq!(refused, Err(RegisterError::BadName));
        let (quiet, first) = ctx.spawn_monitor(idle);
        exit(quiet, ExitReason::Shutdown);
        assert_eq!(down(&mut ctx, first).await, ExitReason::Shutdown);
        let (crashing, second) = ctx.spawn_monitor(|mut ctx| async move {
            ctx.set_label("crashing");
            idle(ctx).await;
        });
        for _ in 0..2 {
            ctx.send(crashing, Message::native(Bomb));
        }
        exit(crashing, foo());
        assert_eq!(down(&mut ctx, second).await, foo());
        while node.process_count() > 1 {
            ctx.sleep(Duration::from_millis(1)).await;
        }
        crashing
    });
    let reports = reports.lock().expect("no panic");
    let [report] = reports.as_slice() else {
        unreachable!("{reports:?}");
    };
    assert_eq!(Ok(report.pid), outcome);
    assert_eq!((&report.reason, report.joined), (&foo(), false));
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new("a bomb"));
    }
}
